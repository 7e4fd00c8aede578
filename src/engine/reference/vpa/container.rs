//! One container: which of its samples count, and what is made of an OOM kill.
//! Source: kubernetes/autoscaler@55c37cd5, vertical-pod-autoscaler/pkg/recommender/model/container.go.
//!
//! Before you change it:
//! 1. CPU samples come in strictly growing order; the rest is refused. Memory samples may repeat a time, but not go
//!    back.
//! 2. Of each memory interval one peak is in the aggregate, stamped with the END of the interval. A higher one within
//!    the interval takes the place of the old one. The first interval begins with the first sample.
//! 3. An OOM kill counts as a memory sample of what was needed, whatever its time, unless it is more than an interval
//!    older than the last memory sample. That one, not the end of the interval, is compared (their issue 8548).
//! 4. What was needed is made from the request and from real usage, never from an earlier OOM kill in the same
//!    interval: so it does not run away.
//! 5. While the peak of an interval is zero bytes, no higher one takes its place. That is so in the original.

use super::aggregate::AggregateContainerState;
use super::amount::RESOURCE_AMOUNT_MAX;
use super::amount::ResourceAmount;
use super::amount::ResourceName;
use super::amount::scale_resource;
use crate::units::Instant;
use crate::units::Span;

/// What was measured of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageSample {
    /// When the measured span began.
    pub start: Instant,
    /// How much was used.
    pub usage: ResourceAmount,
    /// Of what.
    pub resource: ResourceName,
}

/// Why a sample was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SampleRefused {
    /// Nobody uses less than nothing.
    #[error("the usage is below zero")]
    Negative,
    /// There is a later sample; for CPU also one of the same time.
    #[error("the sample is not later than the last one")]
    OutOfOrder,
    /// An OOM kill that is more than a memory interval older than the last memory sample.
    #[error("the OOM kill is too old")]
    TooOld,
}

/// What is known about one container.
///
/// ```
/// use plimsoll::engine::reference::vpa::*;
/// use plimsoll::units::{Instant, Span};
/// let mut aggregate = AggregateContainerState::new(&AggregationsConfig::default(), Instant::START)?;
/// let mut container = ContainerState::new();
/// let sample = UsageSample { start: Instant::START, usage: 900 << 20, resource: ResourceName::Memory };
/// container.add_sample(&mut aggregate, &sample)?;
/// // Killed an hour later, with 1000 MiB requested: a fifth more was needed. It is the one peak of that day.
/// container.record_oom(&mut aggregate, Instant::START.plus(Span::from_mins(60)), 1000 << 20)?;
/// assert_eq!(container.memory_peak_max(), 1200 << 20);
/// assert_eq!(container.window_end(), Some(Instant::START.plus(Span::from_mins(24 * 60))));
/// assert_eq!(container.add_sample(&mut aggregate, &sample), Err(SampleRefused::OutOfOrder));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ContainerState {
    last_cpu_sample_start: Option<Instant>,
    last_memory_sample_start: Option<Instant>,
    memory_peak: ResourceAmount,
    oom_peak: ResourceAmount,
    window_end: Option<Instant>,
}

impl ContainerState {
    /// A container nobody has looked at yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The time of the last CPU sample that was taken.
    #[must_use]
    pub const fn last_cpu_sample_start(&self) -> Option<Instant> {
        self.last_cpu_sample_start
    }

    /// When the current memory interval ends (exclusive).
    #[must_use]
    pub const fn window_end(&self) -> Option<Instant> {
        self.window_end
    }

    /// The highest memory usage of the current interval, measured or made from an OOM kill.
    #[must_use]
    pub fn memory_peak_max(&self) -> ResourceAmount {
        self.memory_peak.max(self.oom_peak)
    }

    /// Takes a sample.
    ///
    /// # Errors
    /// [`SampleRefused`], and nothing changes.
    pub fn add_sample(
        &mut self,
        aggregate: &mut AggregateContainerState,
        sample: &UsageSample,
    ) -> Result<(), SampleRefused> {
        if sample.usage < 0 {
            return Err(SampleRefused::Negative);
        }
        let is_late = match sample.resource {
            ResourceName::Cpu => self.last_cpu_sample_start.is_some_and(|last| sample.start <= last),
            ResourceName::Memory => self.last_memory_sample_start.is_some_and(|last| sample.start < last),
        };
        if is_late {
            return Err(SampleRefused::OutOfOrder);
        }
        match sample.resource {
            ResourceName::Cpu => {
                aggregate.add_cpu_sample(sample.usage, sample.start);
                self.last_cpu_sample_start = Some(sample.start);
            }
            ResourceName::Memory => {
                if self.take_memory(aggregate, sample.usage, sample.start) {
                    self.memory_peak = sample.usage;
                }
            }
        }
        Ok(())
    }

    /// Takes an OOM kill: the container needed `used + oom_min_bump_up` or `used * oom_bump_up_ratio`, whichever is
    /// more, where `used` is what it had requested or its measured peak of this interval, whichever is more.
    ///
    /// # Errors
    /// [`SampleRefused::TooOld`], and nothing changes.
    pub fn record_oom(
        &mut self,
        aggregate: &mut AggregateContainerState,
        at: Instant,
        requested_memory: ResourceAmount,
    ) -> Result<(), SampleRefused> {
        let interval = aggregate.memory_aggregation_interval;
        if self.last_memory_sample_start.is_some_and(|last| at < last.minus(interval)) {
            return Err(SampleRefused::TooOld);
        }
        let used = requested_memory.max(self.memory_peak);
        let least = used.saturating_add(aggregate.oom_min_bump_up.clamp(0, RESOURCE_AMOUNT_MAX));
        let needed = least.max(scale_resource(used, aggregate.oom_bump_up_ratio));
        if self.take_memory(aggregate, needed, at) {
            self.oom_peak = needed;
        }
        Ok(())
    }

    /// Takes a memory sample and answers whether it is the new peak of its interval.
    fn take_memory(&mut self, aggregate: &mut AggregateContainerState, usage: ResourceAmount, at: Instant) -> bool {
        self.last_memory_sample_start = Some(at);
        let window_end = match self.window_end {
            Some(end) if at < end => {
                let peak = self.memory_peak_max();
                if peak == 0 || usage <= peak {
                    return false;
                }
                aggregate.subtract_memory_peak(peak, end);
                end
            }
            end => {
                (self.memory_peak, self.oom_peak) = (0, 0);
                later_end(end.unwrap_or(at), at, aggregate.memory_aggregation_interval)
            }
        };
        self.window_end = Some(window_end);
        aggregate.add_memory_peak(usage, window_end);
        true
    }
}

/// The end of the interval that `at` lies in, counted from an end that is not after it.
fn later_end(end: Instant, at: Instant, interval: Span) -> Instant {
    let beyond = at.since(end);
    let begun = Span::from_nanos(beyond.nanos().checked_rem(interval.nanos()).unwrap_or(0));
    end.plus(beyond.minus(begun)).plus(interval)
}

#[cfg(test)]
mod tests {
    use super::super::aggregate::AggregationsConfig;
    use super::*;
    use proptest::prelude::*;

    const MIB: i64 = 1 << 20;
    const HOUR: Span = Span::from_mins(60);

    fn hours(hours: u64) -> Instant {
        Instant::after_start(HOUR.times(hours))
    }

    fn fresh() -> (ContainerState, AggregateContainerState) {
        (ContainerState::new(), AggregateContainerState::new(&AggregationsConfig::default(), hours(0)).unwrap())
    }

    fn memory(usage: i64, hour: u64) -> UsageSample {
        UsageSample { start: hours(hour), usage, resource: ResourceName::Memory }
    }

    fn cpu(usage: i64, hour: u64) -> UsageSample {
        UsageSample { start: hours(hour), usage, resource: ResourceName::Cpu }
    }

    /// An aggregate with these peaks, each at the end of its interval, and no others.
    fn peaks(expected: &[(i64, u64)]) -> AggregateContainerState {
        let (_, mut aggregate) = fresh();
        for (usage, hour) in expected {
            aggregate.add_memory_peak(*usage, hours(*hour));
        }
        aggregate
    }

    #[test]
    fn of_a_day_of_memory_the_highest_counts_at_its_end() {
        let (mut container, mut aggregate) = fresh();
        // The first interval is 10:00 to 10:00 of the next day; 500 comes at its end, so it opens the next one.
        for (usage, hour) in [(100 * MIB, 10), (900 * MIB, 22), (300 * MIB, 33), (500 * MIB, 34)] {
            container.add_sample(&mut aggregate, &memory(usage, hour)).unwrap();
        }
        assert!(aggregate.memory_peaks.equals(&peaks(&[(900 * MIB, 34), (500 * MIB, 58)]).memory_peaks));
        assert_eq!(container.memory_peak_max(), 500 * MIB);
        // Two days of silence: the interval that 10:00 + 34 h + 2 * 24 h + 1 h lies in ends at hour 106.
        container.add_sample(&mut aggregate, &memory(MIB, 83)).unwrap();
        assert_eq!(container.window_end(), Some(hours(106)));
    }

    #[test]
    fn samples_below_zero_or_out_of_order_are_refused() {
        let (mut container, mut aggregate) = fresh();
        container.add_sample(&mut aggregate, &cpu(100, 5)).unwrap();
        container.add_sample(&mut aggregate, &memory(MIB, 5)).unwrap();
        assert_eq!(container.add_sample(&mut aggregate, &cpu(100, 5)), Err(SampleRefused::OutOfOrder));
        assert_eq!(container.add_sample(&mut aggregate, &cpu(-1, 6)), Err(SampleRefused::Negative));
        assert_eq!(container.add_sample(&mut aggregate, &memory(MIB, 5)), Ok(()));
        assert_eq!(container.add_sample(&mut aggregate, &memory(MIB, 4)), Err(SampleRefused::OutOfOrder));
        assert_eq!(container.add_sample(&mut aggregate, &memory(-1, 6)), Err(SampleRefused::Negative));
        assert_eq!(aggregate.total_samples_count, 1);
        assert_eq!(container.last_cpu_sample_start(), Some(hours(5)));
    }

    #[test]
    fn an_oom_kill_asks_for_a_fifth_more_or_a_hundred_mebibytes() {
        for (requested, needed) in [(1000 * MIB, 1200 * MIB), (500 * MIB, 600 * MIB), (MIB, 101 * MIB), (0, 100 * MIB)]
        {
            let (mut container, mut aggregate) = fresh();
            container.record_oom(&mut aggregate, hours(0), requested).unwrap();
            assert_eq!(container.memory_peak_max(), needed);
            assert!(aggregate.memory_peaks.equals(&peaks(&[(needed, 24)]).memory_peaks));
        }
    }

    #[test]
    fn killed_again_and_again_it_asks_for_no_more_than_once() {
        let (mut container, mut aggregate) = fresh();
        container.add_sample(&mut aggregate, &memory(900 * MIB, 0)).unwrap();
        for hour in 0..5 {
            container.record_oom(&mut aggregate, hours(hour), 1000 * MIB).unwrap();
        }
        assert!(aggregate.memory_peaks.equals(&peaks(&[(1200 * MIB, 24)]).memory_peaks));
        // It was given 2000 MiB, and that was not enough either.
        container.record_oom(&mut aggregate, hours(5), 2000 * MIB).unwrap();
        assert!(aggregate.memory_peaks.equals(&peaks(&[(2400 * MIB, 24)]).memory_peaks));
    }

    #[test]
    fn an_oom_kill_a_day_before_the_last_sample_counts_and_an_older_one_does_not() {
        let (mut container, mut aggregate) = fresh();
        container.add_sample(&mut aggregate, &memory(1000 * MIB, 30)).unwrap();
        let before = hours(6).minus(Span::from_nanos(1));
        assert_eq!(container.record_oom(&mut aggregate, before, 2000 * MIB), Err(SampleRefused::TooOld));
        assert_eq!(container.record_oom(&mut aggregate, hours(6), 2000 * MIB), Ok(()));
        assert!(aggregate.memory_peaks.equals(&peaks(&[(2400 * MIB, 54)]).memory_peaks));
    }

    #[test]
    fn an_interval_that_began_with_nothing_stays_at_nothing() {
        let (mut container, mut aggregate) = fresh();
        container.add_sample(&mut aggregate, &memory(0, 0)).unwrap();
        container.add_sample(&mut aggregate, &memory(500 * MIB, 1)).unwrap();
        assert!(aggregate.memory_peaks.equals(&peaks(&[(0, 24)]).memory_peaks));
    }

    #[test]
    fn an_interval_of_no_length_makes_every_sample_a_peak() {
        let (mut container, mut aggregate) = fresh();
        aggregate.memory_aggregation_interval = Span::ZERO;
        container.add_sample(&mut aggregate, &memory(500 * MIB, 1)).unwrap();
        container.add_sample(&mut aggregate, &memory(400 * MIB, 2)).unwrap();
        assert!(aggregate.memory_peaks.equals(&peaks(&[(500 * MIB, 1), (400 * MIB, 2)]).memory_peaks));
    }

    proptest! {
        #[test]
        fn there_is_one_peak_an_interval(steps in prop::collection::vec((1_i64..1 << 40, 0_u64..40), 1..40)) {
            let (mut container, mut aggregate) = fresh();
            let (mut hour, mut ends) = (0, std::collections::BTreeSet::new());
            for (usage, later) in steps {
                hour += later;
                container.add_sample(&mut aggregate, &memory(usage, hour)).unwrap();
                let end = container.window_end().unwrap();
                prop_assert!(hours(hour) < end && end <= hours(hour + 24));
                ends.insert(end);
            }
            // A peak weighs 2^((end - reference time) / 24 h).
            let in_days = |at: Instant| at.since_start().as_secs() / 86_400.0;
            let reference = in_days(aggregate.memory_peaks.reference().unwrap());
            let total: f64 = ends.into_iter().map(|end| libm::exp2(in_days(end) - reference)).sum();
            prop_assert!((aggregate.memory_peaks.histogram().total_weight() / total - 1.0).abs() < 1e-9);
        }

        #[test]
        fn no_numbers_make_it_panic(
            steps in prop::collection::vec(any::<(i64, u64, bool)>(), 0..40), ratio: f64, least: i64, interval: u64
        ) {
            let (mut container, mut aggregate) = fresh();
            aggregate.oom_bump_up_ratio = ratio;
            aggregate.oom_min_bump_up = least;
            aggregate.memory_aggregation_interval = Span::from_nanos(interval);
            for (usage, nanos, oom) in steps {
                let start = Instant::after_start(Span::from_nanos(nanos));
                if oom {
                    let _ = container.record_oom(&mut aggregate, start, usage);
                }
                for resource in ResourceName::ALL {
                    let _ = container.add_sample(&mut aggregate, &UsageSample { start, usage, resource });
                }
            }
        }
    }
}
