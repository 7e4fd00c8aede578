//! From a recommendation to a number of pods: bounds, and the way to zero.
//!
//! Source: knative/serving@98e5ef90, `pkg/reconciler/autoscaling/kpa/{scaler,kpa}.go`.
//!
//! Before you change it:
//! 1. Bounds come first; only what is zero after them goes the way to zero.
//! 2. The way to zero: active for a stable window, then inactive with the proxy in the path for the grace period, and for
//!    the retention period if that is longer. All of these are inclusive. While it is active the last pod stays.
//! 3. Who does not come up is given up strictly after the deadline and 30 s more.
//! 4. A first number of pods counts as a minimum until it was reached once, or the service cannot be reached any more.

use super::config::Config;
use super::revision::Revision;
use crate::units::Instant;
use crate::units::Span;

/// How much longer than its deadline a service may take to come up, so that others see first why it does not.
const ACTIVATION_EXTRA: Span = Span::from_secs(30);

/// When to look again where the proxy is in the path already, and nothing else would cause a look.
const PROXY_LOOK: Span = Span::from_secs(3);

/// What a service is up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activity {
    /// Its pods are coming up.
    #[default]
    Activating,
    /// It has the pods it needs.
    Active,
    /// It has no load.
    Inactive,
}

/// Where a service stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Standing {
    /// What it is up to.
    pub activity: Activity,
    /// Since when.
    pub since: Instant,
    /// Whether it ever had its first number of pods.
    pub initialized: bool,
    /// Whether the proxy is asked to be in the path.
    pub in_proxy_mode: bool,
    /// How long the proxy has been in the path; zero where it is not.
    pub in_proxy_for: Span,
    /// Whether the proxy answers when it is asked through the path.
    pub proxy_answers: bool,
}

/// How many pods there are to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Ruling {
    /// The number; `None` where it is not known.
    pub scale: Option<u32>,
    /// Whether it is to be put into force now. If not, the pods stay as they are.
    pub apply: bool,
    /// When it is worth to look again, if nothing else causes a look.
    pub look_again: Option<Span>,
    /// Whether to ask the proxy until it answers.
    pub probe: bool,
}

impl Activity {
    /// What it is up to once so many pods are wanted (`None` where that is not known) and so many are ready.
    #[must_use]
    pub fn after(self, want: Option<u32>, ready: u32, threshold: u32) -> Self {
        // With a threshold of none it begins without pods, and a number is not known yet.
        if want == Some(0) || threshold == 0 {
            return Self::Inactive;
        }
        if want.is_none() && self == Self::Inactive {
            return Self::Inactive;
        }
        if ready < threshold { Self::Activating } else { Self::Active }
    }
}

impl Ruling {
    const fn put(scale: u32) -> Self {
        Self { scale: Some(scale), apply: true, look_again: None, probe: false }
    }

    const fn wait(scale: Option<u32>, look_again: Option<Span>) -> Self {
        Self { scale, apply: false, look_again, probe: false }
    }
}

/// Ready pods that a service needs to be active.
#[must_use]
pub fn active_threshold(config: &Config, revision: &Revision, initialized: bool) -> u32 {
    let (min, _) = revision.resolve_scale_bounds(config);
    min.max(if initialized { 1 } else { revision.resolve_initial_scale(config) })
}

/// Holds a recommendation between bounds and takes it the way to zero. `None` is recommended where nothing is known.
///
/// ```
/// use plimsoll::engine::reference::kpa::Activity;
/// use plimsoll::engine::reference::kpa::Config;
/// use plimsoll::engine::reference::kpa::Revision;
/// use plimsoll::engine::reference::kpa::Standing;
/// use plimsoll::engine::reference::kpa::settle;
/// use plimsoll::units::Instant;
/// use plimsoll::units::Span;
///
/// let at = |seconds| Instant::after_start(Span::from_secs(seconds));
/// let (config, revision) = (Config::default(), Revision { max_scale: Some(5), ..Revision::default() });
/// let idle = Standing { activity: Activity::Inactive, since: at(0), proxy_answers: true, ..Standing::default() };
/// assert_eq!(settle(&config, &revision, &idle, at(0), Some(9)).scale, Some(5));
/// // The last pod goes after a grace period of 30 s.
/// assert!(!settle(&config, &revision, &idle, at(29), Some(0)).apply);
/// assert!(settle(&config, &revision, &idle, at(30), Some(0)).apply);
/// ```
#[must_use]
pub fn settle(config: &Config, revision: &Revision, standing: &Standing, now: Instant, desired: Option<u32>) -> Ruling {
    if desired.is_none() && standing.activity != Activity::Activating {
        return Ruling::wait(None, None);
    }
    let (mut min, max) = revision.resolve_scale_bounds(config);
    let initial = revision.resolve_initial_scale(config);
    if initial > 1 && !standing.initialized && revision.reachable {
        min = min.max(initial);
    }
    let desired = desired.unwrap_or(0);
    let bounded = if desired < min {
        min
    } else if max != 0 {
        desired.min(max)
    } else {
        desired
    };
    if bounded > 0 {
        return Ruling::put(bounded);
    }
    if !config.enable_scale_to_zero {
        return Ruling::put(1);
    }
    let lasted = now.since(standing.since);
    match standing.activity {
        Activity::Activating => {
            let limit = revision.progress_deadline.unwrap_or(config.progress_deadline).plus(ACTIVATION_EXTRA);
            if lasted > limit { Ruling::put(0) } else { Ruling::wait(None, Some(limit)) }
        }
        Activity::Active => {
            let window = revision.resolve_stable_window(config);
            if lasted >= window {
                return Ruling::wait(Some(0), standing.in_proxy_mode.then_some(PROXY_LOOK));
            }
            Ruling { look_again: Some(window.minus(lasted)), ..Ruling::put(1) }
        }
        Activity::Inactive => leave(config, revision, standing, lasted),
    }
}

/// Whether the last pod of an inactive service may go.
fn leave(config: &Config, revision: &Revision, standing: &Standing, lasted: Span) -> Ruling {
    // Where the burst has no limit the proxy is always in the path; nobody needs to ask.
    let always = revision.target_burst_capacity.unwrap_or(config.target_burst_capacity) == -1.0;
    if !always && !standing.proxy_answers {
        return Ruling { probe: true, ..Ruling::wait(Some(0), None) };
    }
    let retention = match revision.scale_to_zero_pod_retention_period {
        _ if !revision.reachable => Span::ZERO,
        Some(own) => own,
        None => config.scale_to_zero_pod_retention_period,
    };
    let grace = config.scale_to_zero_grace_period;
    if lasted >= grace.max(retention) {
        return Ruling::put(0);
    }
    if lasted < retention {
        return Ruling::wait(Some(0), Some(retention.minus(lasted)));
    }
    let left = grace.minus(standing.in_proxy_for);
    if left == Span::ZERO { Ruling::put(0) } else { Ruling::wait(Some(0), Some(left)) }
}
