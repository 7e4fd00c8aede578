//! robusta KRR, strategies `simple` and `simple_limit`: requests and limits from two weeks of samples, with neither
//! decay nor confidence.
//! SOURCE: robusta-dev/krr, robusta_krr/strategies/simple.py and simple_limit.py, core/runner.py (rounding, least
//! values, history) and core/models/config.py, all at d6baa745. Before you change it:
//! 1. Why there is no recommendation is asked in this order: no data, not enough data, an autoscaler on that resource.
//! 2. Undefined and unset differ: undefined is "nothing to say", unset is "there should be none".
//! 3. Rounding is up, to a millicore and to a MiB, and comes before the least value. It is done in floating point as in
//!    the original, where `2.007 * 1000` is a little more than 2007: so 2.007 cores become 2008 m.
//! 4. A short history is worth a warning; it keeps nobody from a recommendation.
//! 5. A figure that is no number makes what depends on it undefined.

mod loading;
mod quantity;
#[cfg(test)]
mod tests;

pub use loading::ContainerHistory;
pub use loading::ContainerMetrics;
pub use loading::asked_share;
pub use loading::load;
pub use loading::percentile;
pub use loading::quantile_over_time;
pub use quantity::read_quantity;
pub use quantity::written_change;
pub use quantity::written_quantity;

use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Span;
use crate::units::whole;

/// History below which the original warns.
const HISTORY_ENOUGH: Span = Span::from_mins(3 * 60);

const MEBI: f64 = 1_048_576.0;

/// Which percentiles of CPU become what.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CpuRule {
    /// `simple`: the largest percentile of any container becomes the request; there is to be no limit.
    Percentile {
        /// From 0 to 100.
        percentile: f64,
    },
    /// `simple_limit`: percentiles of the samples of all containers.
    RequestAndLimit {
        /// For the request, from 0 to 100.
        request: f64,
        /// For the limit, from 0 to 100.
        limit: f64,
    },
}

/// Settings of a strategy, and of the runner as far as they change its figures.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Settings {
    /// Which percentiles of CPU become what.
    pub cpu: CpuRule,
    /// Percent on top of the largest working set.
    pub memory_buffer_percentage: f64,
    /// So many samples of a resource there must be, over all containers.
    pub points_required: u64,
    /// Recommend although an autoscaler looks at that resource.
    pub allow_hpa: bool,
    /// Look at the limits with which containers were killed for want of memory.
    pub use_oomkill_data: bool,
    /// Percent on top of those.
    pub oom_memory_buffer_percentage: f64,
    /// How far back samples go.
    pub history: Span,
    /// How far apart samples are.
    pub step: Span,
    /// Least CPU that is recommended.
    pub cpu_min: Millicores,
    /// Least memory that is recommended. The original calls its 100 megabytes, and multiplies by 1024².
    pub memory_min: Bytes,
}

/// Which resources a horizontal autoscaler looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct HpaTargets {
    /// It has a target for the utilization of CPU.
    pub cpu: bool,
    /// It has a target for that of memory.
    pub memory: bool,
}

/// A recommended amount, in cores or bytes.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Amount {
    /// There is nothing to say (`?`).
    Undefined,
    /// There should be none (`unset`).
    Unset,
    /// This much.
    Value(f64),
}

/// What else is to be said about a recommendation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Info {
    /// No container has a figure.
    NoData,
    /// There are too few samples.
    NotEnoughData,
    /// An autoscaler looks at this resource.
    HpaDetected,
    /// Somebody was killed for want of memory.
    OomKillDetected,
}

/// What is recommended for one resource.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ResourceRecommendation {
    /// What to request.
    pub request: Amount,
    /// What to limit to.
    pub limit: Amount,
    /// What else is to be said.
    pub info: Option<Info>,
}

/// What is recommended for a container.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Recommendation {
    /// CPU, in cores.
    pub cpu: ResourceRecommendation,
    /// Memory, in bytes.
    pub memory: ResourceRecommendation,
}

impl Default for Settings {
    /// `simple`.
    fn default() -> Self {
        Self {
            cpu: CpuRule::Percentile { percentile: 95.0 },
            memory_buffer_percentage: 15.0,
            points_required: 100,
            allow_hpa: false,
            use_oomkill_data: false,
            oom_memory_buffer_percentage: 25.0,
            history: Span::from_mins(14 * 24 * 60),
            step: Span::from_secs(75),
            cpu_min: Millicores::new(10),
            memory_min: Bytes::mebi(100),
        }
    }
}

impl Settings {
    /// The defaults of `simple_limit`.
    #[must_use]
    pub fn simple_limit() -> Self {
        Self { cpu: CpuRule::RequestAndLimit { request: 66.0, limit: 96.0 }, ..Self::default() }
    }

    /// Whether a history of this length is enough not to warn. A recommendation is made all the same.
    #[must_use]
    pub fn is_history_enough(history: Span) -> bool {
        history >= HISTORY_ENOUGH
    }
}

impl Amount {
    /// CPU as a whole number of millicores; `None` where there is no value. Meant for what was rounded up already.
    #[must_use]
    pub fn millicores(self) -> Option<Millicores> {
        match self {
            Self::Value(cores) => Some(Millicores::new(whole(cores * 1000.0))),
            Self::Undefined | Self::Unset => None,
        }
    }

    /// Memory as a whole number of bytes; `None` where there is no value.
    #[must_use]
    pub fn bytes(self) -> Option<Bytes> {
        match self {
            Self::Value(bytes) => Some(Bytes::new(whole(bytes))),
            Self::Undefined | Self::Unset => None,
        }
    }

    fn of(value: f64) -> Self {
        if value.is_finite() { Self::Value(value) } else { Self::Undefined }
    }

    /// Rounded up to so many parts of a unit, and not below the least.
    fn rounded(self, parts: f64, least: f64) -> Self {
        match self {
            Self::Value(value) => match Self::of((value * parts).ceil() / parts) {
                Self::Value(rounded) => Self::Value(rounded.max(least)),
                other => other,
            },
            other => other,
        }
    }
}

impl ResourceRecommendation {
    const fn undefined(info: Info) -> Self {
        Self { request: Amount::Undefined, limit: Amount::Undefined, info: Some(info) }
    }

    fn rounded(self, parts: f64, least: f64) -> Self {
        Self { request: self.request.rounded(parts, least), limit: self.limit.rounded(parts, least), info: self.info }
    }
}

impl Recommendation {
    /// Rounded up to what can be set: a millicore and a MiB, and not below the least.
    #[must_use]
    pub fn rounded(self, settings: &Settings) -> Self {
        let cpu_min = settings.cpu_min.as_cores();
        Self {
            cpu: self.cpu.rounded(1000.0, cpu_min),
            memory: self.memory.rounded(1.0 / MEBI, settings.memory_min.get() as f64),
        }
    }
}

/// What the settings make of the history of all containers of a workload: loaded, judged, rounded.
///
/// ```
/// use plimsoll::engine::reference::krr::*;
/// // A hundred samples of half a core and 400 MiB; a quarter of them more.
/// let history = ContainerHistory {
///     cpu: vec![0.5; 100],
///     memory: vec![400.0 * 1_048_576.0; 100],
///     oom_killed_limit: None,
/// };
/// let settings = Settings { memory_buffer_percentage: 25.0, ..Settings::default() };
/// let found = recommend(&settings, &[history], HpaTargets::default());
/// assert_eq!((found.cpu.request, found.cpu.limit), (Amount::Value(0.5), Amount::Unset));
/// assert_eq!(found.memory.request, Amount::Value(500.0 * 1_048_576.0));
/// ```
#[must_use]
pub fn recommend(settings: &Settings, containers: &[ContainerHistory], hpa: HpaTargets) -> Recommendation {
    run(settings, &load(settings, containers), hpa).rounded(settings)
}

/// What the strategy makes of figures that are loaded already, not rounded.
///
/// ```
/// use plimsoll::engine::reference::krr::*;
/// let of = |cpu, cpu_points| ContainerMetrics { cpu: vec![cpu], cpu_points, ..ContainerMetrics::default() };
/// let found = run(&Settings::default(), &[of(0.25, 60), of(0.75, 40)], HpaTargets::default());
/// assert_eq!((found.cpu.request, found.cpu.info), (Amount::Value(0.75), None));
/// assert_eq!((found.memory.request, found.memory.info), (Amount::Undefined, Some(Info::NoData)));
/// ```
#[must_use]
pub fn run(settings: &Settings, containers: &[ContainerMetrics], hpa: HpaTargets) -> Recommendation {
    Recommendation { cpu: cpu(settings, containers, hpa), memory: memory(settings, containers, hpa) }
}

fn cpu(settings: &Settings, containers: &[ContainerMetrics], hpa: HpaTargets) -> ResourceRecommendation {
    let samples: Vec<f64> = containers.iter().flat_map(|container| container.cpu.iter().copied()).collect();
    let points = containers.iter().fold(0_u64, |sum, container| sum.saturating_add(container.cpu_points));
    if let Some(info) = refusal(settings, samples.is_empty(), points, hpa.cpu) {
        return ResourceRecommendation::undefined(info);
    }
    let value = |value: Option<f64>| value.map_or(Amount::Undefined, Amount::of);
    let (request, limit) = match settings.cpu {
        CpuRule::Percentile { .. } => (value(samples.iter().copied().reduce(loading::larger)), Amount::Unset),
        CpuRule::RequestAndLimit { request, limit } => {
            (value(percentile(request, &samples)), value(percentile(limit, &samples)))
        }
    };
    ResourceRecommendation { request, limit, info: None }
}

fn memory(settings: &Settings, containers: &[ContainerMetrics], hpa: HpaTargets) -> ResourceRecommendation {
    let peak = containers.iter().flat_map(|container| container.memory.iter().copied()).reduce(loading::larger);
    let points = containers.iter().fold(0_u64, |sum, container| sum.saturating_add(container.memory_points));
    if let Some(info) = refusal(settings, peak.is_none(), points, hpa.memory) {
        return ResourceRecommendation::undefined(info);
    }
    let killed = containers.iter().filter_map(|container| container.oom_killed_limit).reduce(loading::larger);
    let killed = killed.filter(|_| settings.use_oomkill_data).unwrap_or(0.0);
    let peak = peak.unwrap_or(f64::NAN) * (1.0 + settings.memory_buffer_percentage / 100.0);
    let after_kill = killed * (1.0 + settings.oom_memory_buffer_percentage / 100.0);
    // A limit of a killed container that is no number never wins; a peak that is none does.
    let amount = Amount::of(if after_kill > peak { after_kill } else { peak });
    ResourceRecommendation { request: amount, limit: amount, info: (killed != 0.0).then_some(Info::OomKillDetected) }
}

fn refusal(settings: &Settings, is_empty: bool, points: u64, has_hpa: bool) -> Option<Info> {
    if is_empty {
        Some(Info::NoData)
    } else if points < settings.points_required {
        Some(Info::NotEnoughData)
    } else if has_hpa && !settings.allow_hpa {
        Some(Info::HpaDetected)
    } else {
        None
    }
}
