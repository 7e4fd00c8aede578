//! What one service says for itself, and what follows from it and the configuration.
//!
//! Source: knative/serving@98e5ef90, `pkg/reconciler/autoscaling/resources/{target,metric}.go`,
//! `pkg/reconciler/autoscaling/kpa/resources/decider.go` and `pkg/apis/autoscaling/v1alpha1/pa_lifecycle.go`.
//!
//! Before you change it:
//! 1. What the service says wins over the configuration, except that a target above its own limit of requests at a time
//!    is cut to that limit, and that no first scale of zero is granted where the configuration forbids it.
//! 2. `total` is what a pod can carry, `target` the share of it that is aimed for; never less than [`TARGET_MIN`].
//! 3. A service that cannot be reached has no minimum and no rest for its last pod.

use super::autoscaler::Spec;
use super::buckets::BUCKET;
use super::config::Config;
use crate::units::Span;
use crate::units::place;

/// The smallest target.
pub const TARGET_MIN: f64 = 0.01;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScalingMetric {
    /// Requests at a time.
    #[default]
    Concurrency,
    /// Requests per second.
    Rps,
}

/// What one service says for itself (the original's annotations); `None` leaves it to the configuration.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Revision {
    /// What is measured. Requests at a time.
    pub metric: ScalingMetric,
    /// Requests at a time that a pod takes at most; 0 is no limit. 0.
    pub container_concurrency: u32,
    /// What a pod can carry.
    pub target: Option<f64>,
    /// The share of it that is aimed for, in percent.
    pub target_utilization_percentage: Option<f64>,
    /// As [`Config::target_burst_capacity`].
    pub target_burst_capacity: Option<f64>,
    /// The stable window.
    pub window: Option<Span>,
    /// As [`Config::panic_window_percentage`].
    pub panic_window_percentage: Option<f64>,
    /// As [`Config::panic_threshold_percentage`].
    pub panic_threshold_percentage: Option<f64>,
    /// As [`Config::scale_down_delay`].
    pub scale_down_delay: Option<Span>,
    /// As [`Config::initial_scale`].
    pub initial_scale: Option<u32>,
    /// Pods that it has at least while it has a load; below 2 it says nothing.
    pub activation_scale: Option<u32>,
    /// As [`Config::min_scale`].
    pub min_scale: Option<u32>,
    /// As [`Config::max_scale`].
    pub max_scale: Option<u32>,
    /// As [`Config::scale_to_zero_pod_retention_period`].
    pub scale_to_zero_pod_retention_period: Option<Span>,
    /// As [`Config::progress_deadline`].
    pub progress_deadline: Option<Span>,
    /// Whether requests can come to it. True, also where it is not known.
    pub reachable: bool,
}

/// What a pod is to carry, in the units of the metric.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Target {
    /// What is aimed for.
    pub target: f64,
    /// What it can carry.
    pub total: f64,
}

impl Default for Revision {
    fn default() -> Self {
        Self {
            metric: ScalingMetric::Concurrency,
            container_concurrency: 0,
            target: None,
            target_utilization_percentage: None,
            target_burst_capacity: None,
            window: None,
            panic_window_percentage: None,
            panic_threshold_percentage: None,
            scale_down_delay: None,
            initial_scale: None,
            activation_scale: None,
            min_scale: None,
            max_scale: None,
            scale_to_zero_pod_retention_period: None,
            progress_deadline: None,
            reachable: true,
        }
    }
}

impl Revision {
    /// What a pod is to carry.
    ///
    /// ```
    /// use plimsoll::engine::reference::kpa::Config;
    /// use plimsoll::engine::reference::kpa::Revision;
    /// use plimsoll::engine::reference::kpa::Target;
    ///
    /// // It takes 8 requests at a time and asks for half of them; the 20 it wants are more than it takes.
    /// let percent = Some(50.0);
    /// let own = Revision { container_concurrency: 8, target_utilization_percentage: percent, ..Revision::default() };
    /// let greedy = Revision { target: Some(20.0), ..own.clone() };
    /// assert_eq!(own.resolve_target(&Config::default()), Target { target: 4.0, total: 8.0 });
    /// assert_eq!(greedy.resolve_target(&Config::default()), Target { target: 4.0, total: 8.0 });
    /// ```
    #[must_use]
    pub fn resolve_target(&self, config: &Config) -> Target {
        let limit = f64::from(self.container_concurrency);
        let (default, share) = match self.metric {
            ScalingMetric::Rps => (config.requests_per_second_target_default, config.target_utilization),
            ScalingMetric::Concurrency if self.container_concurrency == 0 => {
                (config.container_concurrency_target_default, config.container_concurrency_target_fraction)
            }
            ScalingMetric::Concurrency => (limit, config.container_concurrency_target_fraction),
        };
        let total = match self.target {
            Some(asked) if self.metric == ScalingMetric::Concurrency && self.container_concurrency != 0 => {
                asked.min(limit)
            }
            Some(asked) => asked,
            None => default,
        };
        let share = self.target_utilization_percentage.map_or(share, |percent| percent / 100.0);
        Target { target: (total * share).max(TARGET_MIN), total }
    }

    /// The stable window.
    #[must_use]
    pub fn resolve_stable_window(&self, config: &Config) -> Span {
        self.window.unwrap_or(config.stable_window)
    }

    /// The panic window: the part of the stable one, rounded half up to whole seconds, at least one bucket.
    #[must_use]
    pub fn resolve_panic_window(&self, config: &Config) -> Span {
        let percent = self.panic_window_percentage.unwrap_or(config.panic_window_percentage);
        let nanos = place(self.resolve_stable_window(config).nanos() as f64 * percent / 100.0) as u64;
        Span::from_secs(Span::from_nanos(nanos).plus(Span::from_millis(500)).secs()).max(BUCKET)
    }

    /// Pods that it begins with. Zero is granted only where the configuration allows it.
    #[must_use]
    pub fn resolve_initial_scale(&self, config: &Config) -> u32 {
        let asked = self.initial_scale.filter(|scale| *scale > 0 || config.allow_zero_initial_scale);
        asked.unwrap_or(config.initial_scale)
    }

    /// The least and the most pods; 0 is no limit.
    #[must_use]
    pub fn resolve_scale_bounds(&self, config: &Config) -> (u32, u32) {
        let min = if self.reachable { self.min_scale.unwrap_or(config.min_scale) } else { 0 };
        (min, self.max_scale.unwrap_or(config.max_scale))
    }

    /// What the autoscaler is told.
    #[must_use]
    pub fn resolve_spec(&self, config: &Config) -> Spec {
        let Target { target, total } = self.resolve_target(config);
        let threshold = self.panic_threshold_percentage.unwrap_or(config.panic_threshold_percentage);
        Spec {
            metric: self.metric,
            max_scale_up_rate: config.max_scale_up_rate,
            max_scale_down_rate: config.max_scale_down_rate,
            target_value: target,
            total_value: total,
            target_burst_capacity: self.target_burst_capacity.unwrap_or(config.target_burst_capacity),
            activator_capacity: config.activator_capacity,
            panic_threshold: threshold / 100.0,
            stable_window: self.resolve_stable_window(config),
            scale_down_delay: self.scale_down_delay.unwrap_or(config.scale_down_delay),
            initial_scale: self.resolve_initial_scale(config),
            activation_scale: self.activation_scale.unwrap_or(0),
            reachable: self.reachable,
        }
    }
}
