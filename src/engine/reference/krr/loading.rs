//! What the recommender asks its store of metrics for, as sums over the samples of one container: percentiles, peaks,
//! counts.
//! SOURCE: robusta-dev/krr, robusta_krr/core/integrations/prometheus/metrics/cpu.py and memory.py at d6baa745;
//! percentiles are those of Prometheus (`quantile_over_time`) and of numpy (`percentile`, linear), which both go in a
//! straight line between neighbours, but not by the same arithmetic. Before you change it:
//! 1. `simple` takes a percentile of each container first; `simple_limit` puts the samples of all containers together.
//! 2. The store is asked for a share with two decimals: the 99.9th percentile is asked for as the 100th.

use super::CpuRule;
use super::Settings;

/// Samples of one container over the history, a step apart, in any order.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct ContainerHistory {
    /// CPU in cores, each averaged over a step.
    pub cpu: Vec<f64>,
    /// Working set in bytes.
    pub memory: Vec<f64>,
    /// The largest memory limit, in bytes, with which the container was killed for want of memory; `None` where it was
    /// not.
    pub oom_killed_limit: Option<f64>,
}

/// What the strategy is given of one container. Either of the two resources may have no figure.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct ContainerMetrics {
    /// CPU in cores: the percentile (`simple`), or all samples (`simple_limit`).
    pub cpu: Vec<f64>,
    /// How many samples of CPU there are in the store.
    pub cpu_points: u64,
    /// Memory in bytes: the peak.
    pub memory: Vec<f64>,
    /// How many samples of memory there are in the store.
    pub memory_points: u64,
    /// The memory limit with which it was killed, in bytes.
    pub oom_killed_limit: Option<f64>,
}

/// What the strategy is given of these containers.
///
/// Points are counted by the samples handed in. The original counts readings of the CPU counter, of which a rate needs
/// two, so it counts one more.
#[must_use]
pub fn load(settings: &Settings, containers: &[ContainerHistory]) -> Vec<ContainerMetrics> {
    let metrics = |history: &ContainerHistory| {
        let cpu = match settings.cpu {
            CpuRule::Percentile { percentile } => {
                quantile_over_time(asked_share(percentile), &history.cpu).into_iter().collect()
            }
            CpuRule::RequestAndLimit { .. } => history.cpu.clone(),
        };
        let peak = history.memory.iter().copied().reduce(larger);
        ContainerMetrics {
            cpu,
            cpu_points: history.cpu.len() as u64,
            memory: peak.into_iter().collect(),
            memory_points: history.memory.len() as u64,
            oom_killed_limit: history.oom_killed_limit,
        }
    };
    containers.iter().map(metrics).collect()
}

/// The share that the store is asked for: a hundredth of the percentile, rounded to two decimals (a half to the even
/// one, of the number as it is stored).
#[must_use]
pub fn asked_share(percentile: f64) -> f64 {
    // Rounding the decimal text is what Python's `round` does; rounding the number times a hundred is not.
    format!("{:.2}", percentile / 100.0).parse().unwrap_or(f64::NAN)
}

/// Prometheus' quantile: `rank = share * (n - 1)`, and between two neighbours in proportion. `None` without samples;
/// infinite for a share outside of zero to one, no number for one that is none. A sample that is no number sorts first.
#[must_use]
pub fn quantile_over_time(share: f64, samples: &[f64]) -> Option<f64> {
    let last = samples.len().checked_sub(1)?;
    if share.is_nan() || !(0.0..=1.0).contains(&share) {
        return Some(if share.is_nan() { f64::NAN } else { share.signum() * f64::INFINITY });
    }
    let mut sorted = samples.to_vec();
    sorted.sort_by(|a, b| b.is_nan().cmp(&a.is_nan()).then(a.total_cmp(b)));
    let rank = share * last as f64;
    let below = crate::units::place(rank).min(last);
    let weight = rank - rank.floor();
    Some(sorted[below] * (1.0 - weight) + sorted[(below + 1).min(last)] * weight)
}

/// Numpy's linear percentile, from 0 to 100. `None` without samples or for any other percentile; no number where a
/// sample is none.
#[must_use]
pub fn percentile(percentile: f64, samples: &[f64]) -> Option<f64> {
    let last = samples.len().checked_sub(1)?;
    if !(0.0..=100.0).contains(&percentile) {
        return None;
    }
    if samples.iter().any(|sample| sample.is_nan()) {
        return Some(f64::NAN);
    }
    let mut parted = samples.to_vec();
    let rank = percentile / 100.0 * last as f64;
    let below = crate::units::place(rank).min(last);
    let (_, low, above) = parted.select_nth_unstable_by(below, f64::total_cmp);
    let low = *low;
    let high = above.iter().copied().min_by(f64::total_cmp).unwrap_or(low);
    let weight = rank - rank.floor();
    // Numpy starts from the nearer neighbour.
    Some(if weight >= 0.5 { high - (high - low) * (1.0 - weight) } else { low + (high - low) * weight })
}

/// The larger number, or none where either is none, as numpy has it.
pub(super) fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}
