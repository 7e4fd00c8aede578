//! What holds for all services unless one says otherwise.
//!
//! Source: knative/serving@98e5ef90, `pkg/autoscaler/config/config.go`, `pkg/autoscaler/config/autoscalerconfig` and
//! `config/core/configmaps/autoscaler.yaml`; bounds from `pkg/apis/autoscaling/register.go`.
//!
//! Before you change it:
//! 1. The default of every field is the original's; a test holds them.
//! 2. `read` and `validate` refuse what the original refuses, in the same order. Beyond that `read` refuses numbers that
//!    are not finite, which the original takes.
//! 3. A count of zero means "none" where the original has it so: `max_scale` and `max_scale_limit`.

use super::revision::TARGET_MIN;
use crate::units::Span;
use std::collections::BTreeMap;

/// The shortest and the longest stable window.
const WINDOW: (Span, Span) = (Span::from_secs(6), Span::from_mins(60));

/// The smallest and the largest panic window, in percent of the stable one.
const PANIC_WINDOW_PERCENTAGE: (f64, f64) = (1.0, 100.0);

/// What holds for all services; the default is the original's.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether the last pod may go. True.
    pub enable_scale_to_zero: bool,
    /// The share of what a pod can carry that is aimed for, above 0 and at most 1, where concurrency decides. 0.7.
    pub container_concurrency_target_fraction: f64,
    /// Requests at a time that a pod can carry, where its own limit is not set. 100.
    pub container_concurrency_target_default: f64,
    /// The share that is aimed for where requests per second decide. 0.7; the original has no setting for it.
    pub target_utilization: f64,
    /// Requests per second that a pod can carry. 200.
    pub requests_per_second_target_default: f64,
    /// Requests at a time that are to fit on top of the load without waiting: 0 none, -1 without limit. 211.
    pub target_burst_capacity: f64,
    /// Requests at a time that one proxy can carry, at least 1. 100. It decides about proxies only, never about pods.
    pub activator_capacity: f64,
    /// Whether a service may begin with no pod at all. False.
    pub allow_zero_initial_scale: bool,
    /// Pods that a service begins with. 1.
    pub initial_scale: u32,
    /// Pods that a reachable service has at least. 0.
    pub min_scale: u32,
    /// Pods that a service has at most; 0 is no limit. 0.
    pub max_scale: u32,
    /// The largest `max_scale` that may be asked for; 0 is no limit. 0.
    pub max_scale_limit: u32,
    /// Times as many pods that one look may ask for, above 1. 1000.
    pub max_scale_up_rate: f64,
    /// The part of the pods that one look leaves at least is one divided by this, above 1. 2.
    pub max_scale_down_rate: f64,
    /// The window that decides in calm times, 6 s to 1 h in whole seconds. 60 s.
    pub stable_window: Span,
    /// The panic window in percent of the stable one, 1 to 100. 10.
    pub panic_window_percentage: f64,
    /// The load in the panic window, in percent of what the ready pods are to carry, at which panic begins. 200.
    pub panic_threshold_percentage: f64,
    /// How long the proxy must have been in the path before the last pod goes, above zero. 30 s.
    pub scale_to_zero_grace_period: Span,
    /// How long the last pod stays without load, at least. 0 s.
    pub scale_to_zero_pod_retention_period: Span,
    /// How long the need must have been smaller before there are fewer pods, in whole seconds. 0 s.
    pub scale_down_delay: Span,
    /// How long a service may take to come up before it is given up. 600 s; the original has it in `config-deployment`.
    pub progress_deadline: Span,
}

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A value that is not of its kind.
    #[error("`{key}: {text}` cannot be read")]
    Unreadable {
        /// The setting, as it is written in the original's configuration.
        key: &'static str,
        /// What was written.
        text: String,
    },
    /// A value out of its bounds.
    #[error("`{key}` must be {expected}")]
    OutOfBounds {
        /// The setting, as it is written in the original's configuration.
        key: &'static str,
        /// What it may be.
        expected: &'static str,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enable_scale_to_zero: true,
            container_concurrency_target_fraction: 0.7,
            container_concurrency_target_default: 100.0,
            target_utilization: 0.7,
            requests_per_second_target_default: 200.0,
            target_burst_capacity: 211.0,
            activator_capacity: 100.0,
            allow_zero_initial_scale: false,
            initial_scale: 1,
            min_scale: 0,
            max_scale: 0,
            max_scale_limit: 0,
            max_scale_up_rate: 1000.0,
            max_scale_down_rate: 2.0,
            stable_window: Span::from_secs(60),
            panic_window_percentage: 10.0,
            panic_threshold_percentage: 200.0,
            scale_to_zero_grace_period: Span::from_secs(30),
            scale_to_zero_pod_retention_period: Span::ZERO,
            scale_down_delay: Span::ZERO,
            progress_deadline: Span::from_secs(600),
        }
    }
}

impl Config {
    /// Reads settings under the original's names; what is not named keeps its default, unknown names are passed over.
    ///
    /// A target percentage above 1 is in percent, one up to 1 is a fraction: `70` and `0.7` are the same.
    ///
    /// ```
    /// use plimsoll::engine::reference::kpa::Config;
    ///
    /// let read = |key: &str, text: &str| Config::read(&[(key.to_owned(), text.to_owned())].into());
    /// assert_eq!(read("stable-window", "2m30s").map(|config| config.stable_window.secs()), Ok(150));
    /// assert_eq!(read("max-scale-up-rate", "1").unwrap_err().to_string(), "`max-scale-up-rate` must be above 1");
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`] for the first setting that cannot be read, then for the first that is out of bounds.
    pub fn read(settings: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        let settings = Settings(settings);
        settings.switch("enable-scale-to-zero", &mut config.enable_scale_to_zero)?;
        settings.switch("allow-zero-initial-scale", &mut config.allow_zero_initial_scale)?;
        settings.number("max-scale-up-rate", &mut config.max_scale_up_rate)?;
        settings.number("max-scale-down-rate", &mut config.max_scale_down_rate)?;
        let fraction = &mut config.container_concurrency_target_fraction;
        settings.number("container-concurrency-target-percentage", fraction)?;
        if *fraction > 1.0 {
            *fraction /= 100.0;
        }
        let default = &mut config.container_concurrency_target_default;
        settings.number("container-concurrency-target-default", default)?;
        settings.number("requests-per-second-target-default", &mut config.requests_per_second_target_default)?;
        settings.number("target-burst-capacity", &mut config.target_burst_capacity)?;
        settings.number("panic-window-percentage", &mut config.panic_window_percentage)?;
        settings.number("activator-capacity", &mut config.activator_capacity)?;
        settings.number("panic-threshold-percentage", &mut config.panic_threshold_percentage)?;
        settings.count("initial-scale", &mut config.initial_scale)?;
        settings.count("min-scale", &mut config.min_scale)?;
        settings.count("max-scale", &mut config.max_scale)?;
        settings.count("max-scale-limit", &mut config.max_scale_limit)?;
        settings.span("stable-window", &mut config.stable_window)?;
        settings.span("scale-down-delay", &mut config.scale_down_delay)?;
        settings.span("scale-to-zero-grace-period", &mut config.scale_to_zero_grace_period)?;
        settings.span("scale-to-zero-pod-retention-period", &mut config.scale_to_zero_pod_retention_period)?;
        config.validate()?;
        Ok(config)
    }

    /// Whether all is within bounds.
    ///
    /// # Errors
    /// [`ConfigError::OutOfBounds`] for the first setting that is not.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let fraction = self.container_concurrency_target_fraction;
        // A limit on what may be asked for makes no limit at all impossible.
        let max_scale_min = u32::from(self.max_scale_limit > 0);
        let over_limit = self.max_scale_limit > 0 && self.max_scale > self.max_scale_limit;
        let (window_min, window_max) = WINDOW;
        let (share_min, share_max) = PANIC_WINDOW_PERCENTAGE;
        let rules = [
            (self.scale_to_zero_grace_period == Span::ZERO, "scale-to-zero-grace-period", "above zero"),
            (!is_in_seconds(self.scale_down_delay), "scale-down-delay", "in whole seconds"),
            (
                self.target_burst_capacity < 0.0 && self.target_burst_capacity != -1.0,
                "target-burst-capacity",
                "at least 0, or -1 for no limit",
            ),
            (
                fraction <= 0.0 || fraction > 1.0,
                "container-concurrency-target-percentage",
                "above 0 and at most 100 percent",
            ),
            (
                fraction * self.container_concurrency_target_default < TARGET_MIN,
                "container-concurrency-target-default",
                "such that the share of it that is aimed for is at least 0.01",
            ),
            (
                self.requests_per_second_target_default < TARGET_MIN,
                "requests-per-second-target-default",
                "at least 0.01",
            ),
            (self.activator_capacity < 1.0, "activator-capacity", "at least 1"),
            (self.max_scale_up_rate <= 1.0, "max-scale-up-rate", "above 1"),
            (self.max_scale_down_rate <= 1.0, "max-scale-down-rate", "above 1"),
            (
                self.stable_window < window_min || self.stable_window > window_max,
                "stable-window",
                "from 6 seconds to 1 hour",
            ),
            (!is_in_seconds(self.stable_window), "stable-window", "in whole seconds"),
            (
                self.panic_window_percentage < share_min || self.panic_window_percentage > share_max,
                "panic-window-percentage",
                "from 1 to 100",
            ),
            (
                self.initial_scale == 0 && !self.allow_zero_initial_scale,
                "initial-scale",
                "at least 1, unless `allow-zero-initial-scale` is true",
            ),
            (
                self.max_scale < max_scale_min || over_limit,
                "max-scale",
                "from 1 to `max-scale-limit`, where there is one",
            ),
            (self.max_scale > 0 && self.min_scale > self.max_scale, "min-scale", "at most `max-scale`"),
        ];
        match rules.into_iter().find(|(broken, _, _)| *broken) {
            Some((_, key, expected)) => Err(ConfigError::OutOfBounds { key, expected }),
            None => Ok(()),
        }
    }
}

const fn is_in_seconds(span: Span) -> bool {
    span.nanos().is_multiple_of(1_000_000_000)
}

/// Settings as text, under the original's names.
struct Settings<'a>(&'a BTreeMap<String, String>);

impl Settings<'_> {
    fn switch(&self, key: &'static str, value: &mut bool) -> Result<(), ConfigError> {
        self.put(key, value, |text| match text {
            "1" | "t" | "T" | "true" | "True" | "TRUE" => Some(true),
            "0" | "f" | "F" | "false" | "False" | "FALSE" => Some(false),
            _ => None,
        })
    }

    fn number(&self, key: &'static str, value: &mut f64) -> Result<(), ConfigError> {
        self.put(key, value, |text| text.parse().ok().filter(|number: &f64| number.is_finite()))
    }

    fn count(&self, key: &'static str, value: &mut u32) -> Result<(), ConfigError> {
        self.put(key, value, |text| text.parse::<i32>().ok().and_then(|count| u32::try_from(count).ok()))
    }

    fn span(&self, key: &'static str, value: &mut Span) -> Result<(), ConfigError> {
        self.put(key, value, |text| Span::parse(text).ok())
    }

    fn put<T>(&self, key: &'static str, value: &mut T, read: fn(&str) -> Option<T>) -> Result<(), ConfigError> {
        if let Some(text) = self.0.get(key) {
            *value = read(text).ok_or_else(|| ConfigError::Unreadable { key, text: text.clone() })?;
        }
        Ok(())
    }
}
