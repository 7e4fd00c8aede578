//! All that is remembered about the usage of the containers of one name, in two histograms.
//! Source: kubernetes/autoscaler@55c37cd5, vertical-pod-autoscaler/pkg/recommender/model/aggregate_container_state.go
//! and aggregations_config.go.
//!
//! Before you change it:
//! 1. Every CPU sample weighs 0.1, whatever the container asked for; every memory peak weighs 1. (Older descriptions
//!    say that a CPU sample weighs what was requested.)
//! 2. The times of the first and the last sample and their count are of CPU samples only. Confidence is made from them,
//!    so memory alone gives none.
//! 3. Both histograms of the original have 176 buckets that grow by 5 %: CPU from 0.01 to 1000 cores, memory from 10 MB
//!    to 1 TB.

use super::amount::ResourceAmount;
use super::amount::ResourceName;
use super::amount::bytes_from_memory_amount;
use super::amount::cores_from_cpu_amount;
use super::decaying_histogram::DecayingHistogram;
use super::histogram::CheckpointError;
use super::histogram::HistogramCheckpoint;
use super::histogram::MergeError;
use super::histogram_options::HistogramOptions;
use super::histogram_options::HistogramOptionsError;
use super::policy::ContainerPolicy;
use super::policy::ScalingMode;
use crate::units::Instant;
use crate::units::Span;

/// What a CPU sample weighs before it is made heavier for its age.
pub const CPU_SAMPLE_WEIGHT: f64 = 0.1;

/// The least weight that counts: a thousandth of a sample.
pub const WEIGHT_EPSILON: f64 = 0.0001;

/// The version of a checkpoint. Another one is refused.
pub const CHECKPOINT_VERSION: &str = "v3";

const DAY: Span = Span::from_mins(24 * 60);

/// How usage is gathered.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct AggregationsConfig {
    /// Of each span of this length the highest memory usage counts; 24 h.
    pub memory_aggregation_interval: Span,
    /// How many such spans without a sample until all is forgotten; 8.
    pub memory_aggregation_interval_count: u64,
    /// After which time a memory peak weighs half; 24 h.
    pub memory_half_life: Span,
    /// After which time a CPU sample weighs half; 24 h.
    pub cpu_half_life: Span,
    /// How much wider each bucket is than the one before it; 0.05 is 5 %.
    pub bucket_growth: f64,
    /// Whoever was OOM killed needs so many times what it used; 1.2.
    pub oom_bump_up_ratio: f64,
    /// Whoever was OOM killed needs so many bytes more, at least; 100 MiB.
    pub oom_min_bump_up: ResourceAmount,
}

impl Default for AggregationsConfig {
    fn default() -> Self {
        Self {
            memory_aggregation_interval: DAY,
            memory_aggregation_interval_count: 8,
            memory_half_life: DAY,
            cpu_half_life: DAY,
            bucket_growth: 0.05,
            oom_bump_up_ratio: 1.2,
            oom_min_bump_up: 100 << 20,
        }
    }
}

impl AggregationsConfig {
    /// Buckets for cores: the first is 0.01 cores wide, the last begins at 1000 cores or above.
    ///
    /// # Errors
    /// [`HistogramOptionsError`] where the growth is not above zero, or so small that the buckets are too many.
    pub fn cpu_histogram_options(&self) -> Result<HistogramOptions, HistogramOptionsError> {
        HistogramOptions::exponential(1000.0, 0.01, 1.0 + self.bucket_growth, WEIGHT_EPSILON)
    }

    /// Buckets for bytes: the first is 1e7 bytes wide, the last begins at 1e12 bytes or above.
    ///
    /// # Errors
    /// [`HistogramOptionsError`] where the growth is not above zero, or so small that the buckets are too many.
    pub fn memory_histogram_options(&self) -> Result<HistogramOptions, HistogramOptionsError> {
        HistogramOptions::exponential(1e12, 1e7, 1.0 + self.bucket_growth, WEIGHT_EPSILON)
    }

    /// Buckets for cores, and for bytes.
    pub(super) fn histogram_options(&self) -> Result<[HistogramOptions; 2], HistogramOptionsError> {
        Ok([self.cpu_histogram_options()?, self.memory_histogram_options()?])
    }
}

/// An aggregate as it is saved.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct AggregateCheckpoint {
    /// [`CHECKPOINT_VERSION`].
    pub version: String,
    /// When it was saved.
    pub last_update_time: Instant,
    /// See [`AggregateContainerState::first_sample_start`].
    pub first_sample_start: Option<Instant>,
    /// See [`AggregateContainerState::last_sample_start`].
    pub last_sample_start: Option<Instant>,
    /// See [`AggregateContainerState::total_samples_count`].
    pub total_samples_count: u64,
    /// CPU usage.
    pub cpu_histogram: HistogramCheckpoint,
    /// Memory peaks.
    pub memory_histogram: HistogramCheckpoint,
}

/// What is remembered about the usage of the containers of one name.
///
/// ```
/// use plimsoll::engine::reference::vpa::*;
/// use plimsoll::units::{Instant, Span};
/// let config = AggregationsConfig::default();
/// let mut aggregate = AggregateContainerState::new(&config, Instant::START)?;
/// aggregate.add_cpu_sample(1000, Instant::START);
/// aggregate.add_memory_peak(1 << 30, Instant::START);
/// // Another container of the same name, seen for the first time a day later.
/// let day = Span::from_mins(24 * 60);
/// let mut other = AggregateContainerState::new(&config, Instant::START)?;
/// other.add_cpu_sample(500, Instant::START.plus(day));
/// aggregate.merge(&other)?;
/// assert_eq!(aggregate.total_samples_count, 2);
/// assert!(!aggregate.is_expired(Instant::START.plus(day.times(8))));
/// assert!(aggregate.is_expired(Instant::START.plus(day.times(9))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct AggregateContainerState {
    /// CPU usage in cores.
    pub cpu_usage: DecayingHistogram,
    /// Memory peaks in bytes, one of each container and interval.
    pub memory_peaks: DecayingHistogram,
    /// The time of the earliest CPU sample.
    pub first_sample_start: Option<Instant>,
    /// The time of the latest CPU sample.
    pub last_sample_start: Option<Instant>,
    /// How many CPU samples there were.
    pub total_samples_count: u64,
    /// When it came into being.
    pub creation_time: Instant,
    /// Whether its containers are scaled.
    pub scaling_mode: ScalingMode,
    /// The resources that are recommended.
    pub controlled_resources: Vec<ResourceName>,
    /// See [`AggregationsConfig::oom_bump_up_ratio`].
    pub oom_bump_up_ratio: f64,
    /// See [`AggregationsConfig::oom_min_bump_up`].
    pub oom_min_bump_up: ResourceAmount,
    /// See [`AggregationsConfig::memory_aggregation_interval`].
    pub memory_aggregation_interval: Span,
    /// See [`AggregationsConfig::memory_aggregation_interval_count`].
    pub memory_aggregation_interval_count: u64,
}

impl AggregateContainerState {
    /// One that has seen nothing yet.
    ///
    /// # Errors
    /// [`HistogramOptionsError`] where there are no histograms with the configured growth.
    pub fn new(config: &AggregationsConfig, now: Instant) -> Result<Self, HistogramOptionsError> {
        Ok(Self::with(config, config.histogram_options()?, now))
    }

    /// The same with buckets for cores and for bytes that are known already.
    pub(super) fn with(config: &AggregationsConfig, [cpu, memory]: [HistogramOptions; 2], now: Instant) -> Self {
        Self {
            cpu_usage: DecayingHistogram::new(cpu, config.cpu_half_life),
            memory_peaks: DecayingHistogram::new(memory, config.memory_half_life),
            first_sample_start: None,
            last_sample_start: None,
            total_samples_count: 0,
            creation_time: now,
            scaling_mode: ScalingMode::Auto,
            controlled_resources: ResourceName::ALL.to_vec(),
            oom_bump_up_ratio: config.oom_bump_up_ratio,
            oom_min_bump_up: config.oom_min_bump_up,
            memory_aggregation_interval: config.memory_aggregation_interval,
            memory_aggregation_interval_count: config.memory_aggregation_interval_count,
        }
    }

    /// Takes over what the operator says. Without a policy, or where it is silent, both resources are controlled and
    /// the container is scaled; other settings stay as they are.
    pub fn update_from_policy(&mut self, policy: Option<&ContainerPolicy>) {
        let controlled = policy.and_then(|policy| policy.controlled_resources.clone());
        self.scaling_mode = policy.map_or(ScalingMode::Auto, |policy| policy.mode);
        self.controlled_resources = controlled.unwrap_or_else(|| ResourceName::ALL.to_vec());
        if let Some(policy) = policy {
            self.oom_bump_up_ratio = policy.oom_bump_up_ratio.unwrap_or(self.oom_bump_up_ratio);
            self.oom_min_bump_up = policy.oom_min_bump_up.unwrap_or(self.oom_min_bump_up);
            self.memory_aggregation_interval =
                policy.memory_aggregation_interval.unwrap_or(self.memory_aggregation_interval);
            self.memory_aggregation_interval_count =
                policy.memory_aggregation_interval_count.unwrap_or(self.memory_aggregation_interval_count);
        }
    }

    /// Adds a CPU sample.
    pub fn add_cpu_sample(&mut self, usage: ResourceAmount, at: Instant) {
        self.cpu_usage.add_sample(cores_from_cpu_amount(usage), CPU_SAMPLE_WEIGHT, at);
        self.last_sample_start = self.last_sample_start.max(Some(at));
        self.first_sample_start = Some(self.first_sample_start.map_or(at, |first| first.min(at)));
        self.total_samples_count = self.total_samples_count.saturating_add(1);
    }

    /// Adds a memory peak.
    pub fn add_memory_peak(&mut self, usage: ResourceAmount, at: Instant) {
        self.memory_peaks.add_sample(bytes_from_memory_amount(usage), 1.0, at);
    }

    /// Takes away a memory peak that was added before. CPU samples are never taken away.
    ///
    /// The original saves a copy from which the peaks of intervals that still run are taken away like this: of each
    /// container its `memory_peak_max` at its `window_end`, where that is still to come.
    pub fn subtract_memory_peak(&mut self, usage: ResourceAmount, at: Instant) {
        self.memory_peaks.subtract_sample(bytes_from_memory_amount(usage), 1.0, at);
    }

    /// Adds all that another one saw. Its settings are not taken over.
    ///
    /// # Errors
    /// [`MergeError`] where the histograms differ; CPU may have been added by then.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        self.cpu_usage.merge(&other.cpu_usage)?;
        self.memory_peaks.merge(&other.memory_peaks)?;
        self.first_sample_start = self.first_sample_start.into_iter().chain(other.first_sample_start).min();
        self.last_sample_start = self.last_sample_start.max(other.last_sample_start);
        self.total_samples_count = self.total_samples_count.saturating_add(other.total_samples_count);
        Ok(())
    }

    /// Whether it has no CPU sample.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.total_samples_count == 0
    }

    /// Whether its last CPU sample, or its beginning where it has none, is as old as all intervals together (8 * 24 h).
    #[must_use]
    pub fn is_expired(&self, now: Instant) -> bool {
        let last = self.last_sample_start.filter(|_| !self.is_empty()).unwrap_or(self.creation_time);
        now.since(last) >= self.memory_aggregation_interval.times(self.memory_aggregation_interval_count)
    }

    /// How it is saved.
    #[must_use]
    pub fn save(&self, now: Instant) -> AggregateCheckpoint {
        AggregateCheckpoint {
            version: CHECKPOINT_VERSION.to_owned(),
            last_update_time: now,
            first_sample_start: self.first_sample_start,
            last_sample_start: self.last_sample_start,
            total_samples_count: self.total_samples_count,
            cpu_histogram: self.cpu_usage.save(),
            memory_histogram: self.memory_peaks.save(),
        }
    }

    /// Takes over what was saved. Meant for one that has seen nothing yet.
    ///
    /// # Errors
    /// [`CheckpointError`] for another version, which changes nothing, or for a histogram that cannot be.
    pub fn load(&mut self, checkpoint: &AggregateCheckpoint) -> Result<(), CheckpointError> {
        if checkpoint.version != CHECKPOINT_VERSION {
            return Err(CheckpointError::UnsupportedVersion(checkpoint.version.clone()));
        }
        self.total_samples_count = checkpoint.total_samples_count;
        self.first_sample_start = checkpoint.first_sample_start;
        self.last_sample_start = checkpoint.last_sample_start;
        self.memory_peaks.load(&checkpoint.memory_histogram)?;
        self.cpu_usage.load(&checkpoint.cpu_histogram)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(minutes: u64) -> Instant {
        Instant::after_start(Span::from_mins(minutes))
    }

    fn days(days: u64) -> Instant {
        Instant::after_start(DAY.times(days))
    }

    fn seen(samples: &[(i64, u64)]) -> AggregateContainerState {
        let mut state = AggregateContainerState::new(&AggregationsConfig::default(), minutes(0)).unwrap();
        for (usage, minute) in samples {
            state.add_cpu_sample(*usage, minutes(*minute));
        }
        state
    }

    #[test]
    fn buckets_are_those_of_the_original() {
        // log(1000 * 0.05 / 0.01 + 1) / log(1.05) = log(5001) / log(1.05) = 174.6: 175, and one more. Memory: the same.
        let config = AggregationsConfig::default();
        assert_eq!(config.cpu_histogram_options().unwrap().buckets(), 176);
        assert_eq!(config.memory_histogram_options().unwrap().buckets(), 176);
        let odd = AggregationsConfig { bucket_growth: 0.0, ..config };
        assert!(AggregateContainerState::new(&odd, minutes(0)).is_err());
    }

    #[test]
    fn times_and_count_are_of_cpu_samples_in_any_order() {
        let mut state = seen(&[(100, 7), (100, 3), (100, 5)]);
        state.add_memory_peak(1 << 30, minutes(900));
        assert_eq!((state.first_sample_start, state.last_sample_start), (Some(minutes(3)), Some(minutes(7))));
        assert_eq!(state.total_samples_count, 3);
        state.merge(&seen(&[])).unwrap();
        state.merge(&seen(&[(100, 1)])).unwrap();
        assert_eq!((state.first_sample_start, state.last_sample_start), (Some(minutes(1)), Some(minutes(7))));
        assert_eq!(state.total_samples_count, 4);
    }

    #[test]
    fn it_expires_eight_days_after_its_last_sample_or_its_beginning() {
        let last = |at: Instant| at.minus(Span::from_nanos(1));
        let state = seen(&[(100, 24 * 60)]);
        assert_eq!((state.is_expired(last(days(9))), state.is_expired(days(9))), (false, true));
        let state = seen(&[]);
        assert_eq!((state.is_expired(last(days(8))), state.is_expired(days(8))), (false, true));
    }

    #[test]
    fn a_policy_says_only_what_it_says() {
        let mut state = seen(&[]);
        let policy = ContainerPolicy {
            mode: ScalingMode::Off,
            controlled_resources: Some(vec![]),
            oom_bump_up_ratio: Some(2.0),
            ..ContainerPolicy::default()
        };
        state.update_from_policy(Some(&policy));
        assert_eq!((state.scaling_mode, state.controlled_resources.len()), (ScalingMode::Off, 0));
        assert_eq!((state.oom_bump_up_ratio, state.oom_min_bump_up), (2.0, 104_857_600));
        state.update_from_policy(None);
        assert_eq!((state.scaling_mode, state.controlled_resources.len()), (ScalingMode::Auto, 2));
    }

    #[test]
    fn what_was_saved_is_there_again() {
        let mut state = seen(&[(100, 1), (200, 2)]);
        state.add_memory_peak(1 << 30, minutes(2));
        let saved = state.save(minutes(3));
        let mut again = seen(&[]);
        again.load(&saved).unwrap();
        assert_eq!(again.save(minutes(3)), saved);
        let other = AggregateCheckpoint { version: "v2".to_owned(), ..saved };
        assert_eq!(again.load(&other), Err(CheckpointError::UnsupportedVersion("v2".to_owned())));
    }
}
