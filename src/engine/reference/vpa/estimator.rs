//! What a container needs, worked out from its aggregate in steps.
//! Source: kubernetes/autoscaler@55c37cd5, vertical-pod-autoscaler/pkg/recommender/logic/estimator.go.
//!
//! Before you change it:
//! 1. Every step takes the whole amount of the step before it and hands on a whole amount, truncated and at most 1e14.
//! 2. The order of the steps is part of the algorithm: percentile, margin, confidence, minimum.
//! 3. Confidence is of CPU samples, also where memory is estimated.

use super::aggregate::AggregateContainerState;
use super::amount::ResourceAmount;
use super::amount::ResourceName;
use super::amount::cpu_amount_from_cores;
use super::amount::memory_amount_from_bytes;
use super::amount::power;
use super::amount::scale_resource;
use super::decaying_histogram::nanos_between;
use crate::units::Span;

/// One step of an estimate.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// This percentile (0.9 for the 90th) of the histogram, whatever came before.
    Percentile(f64),
    /// This amount, whatever came before.
    Constant(ResourceAmount),
    /// This share more: `x + trunc(x * fraction)`.
    Margin(f64),
    /// More or less, by how little is known: `x * (1 + multiplier / confidence) ^ exponent`. Without any confidence it
    /// is 1e14 for an exponent above zero and 0 for one below; of nothing it is always 0.
    Confidence {
        /// How much little confidence matters.
        multiplier: f64,
        /// Above zero for more, below zero for less.
        exponent: f64,
        /// History of this length, with a sample a minute, gives a confidence of one.
        interval: Span,
    },
    /// At least this amount.
    Minimum(ResourceAmount),
}

/// Works the steps out one after the other, beginning with nothing.
///
/// ```
/// use plimsoll::engine::reference::vpa::*;
/// use plimsoll::units::{Instant, Span};
/// let aggregate = AggregateContainerState::new(&AggregationsConfig::default(), Instant::START)?;
/// let cpu = |steps: &[Step]| estimate(ResourceName::Cpu, &aggregate, steps);
/// assert_eq!(cpu(&[Step::Constant(1000), Step::Margin(0.15)]), 1150);
/// // Nothing is known, so the upper bound bounds nothing.
/// let confidence = Step::Confidence { multiplier: 1.0, exponent: 1.0, interval: Span::from_mins(24 * 60) };
/// assert_eq!(cpu(&[Step::Constant(1000), confidence]), RESOURCE_AMOUNT_MAX);
/// # Ok::<(), HistogramOptionsError>(())
/// ```
#[must_use]
pub fn estimate(resource: ResourceName, aggregate: &AggregateContainerState, steps: &[Step]) -> ResourceAmount {
    steps.iter().fold(0, |base: ResourceAmount, step| match *step {
        Step::Percentile(percentile) => match resource {
            ResourceName::Cpu => cpu_amount_from_cores(aggregate.cpu_usage.percentile(percentile)),
            ResourceName::Memory => memory_amount_from_bytes(aggregate.memory_peaks.percentile(percentile)),
        },
        Step::Constant(amount) => amount,
        Step::Margin(fraction) => base.saturating_add(scale_resource(base, fraction)),
        Step::Confidence { multiplier, exponent, interval } => {
            scale_resource(base, power(1.0 + multiplier / confidence(aggregate, interval), exponent))
        }
        Step::Minimum(amount) => base.max(amount),
    })
}

/// How much is known: the time from the first to the last CPU sample in intervals, or the CPU samples for each minute
/// of an interval, whichever is less. So N days with a sample a minute are N, for an interval of a day; nothing is 0.
#[must_use]
pub fn confidence(aggregate: &AggregateContainerState, interval: Span) -> f64 {
    let lifespan = match (aggregate.first_sample_start, aggregate.last_sample_start) {
        (Some(first), Some(last)) => nanos_between(first, last) / interval.nanos() as f64,
        _ => 0.0,
    };
    let samples = aggregate.total_samples_count as f64 / (interval.as_secs() / 60.0);
    lifespan.min(samples)
}

#[cfg(test)]
mod tests {
    use super::super::aggregate::AggregationsConfig;
    use super::super::amount::RESOURCE_AMOUNT_MAX;
    use super::*;
    use crate::units::Instant;
    use proptest::prelude::*;

    const DAY: Span = Span::from_mins(24 * 60);

    /// So many CPU samples of 1 core, so many seconds apart.
    fn seen(count: u64, seconds: u64) -> AggregateContainerState {
        let mut state = AggregateContainerState::new(&AggregationsConfig::default(), Instant::START).unwrap();
        for sample in 0..count {
            state.add_cpu_sample(1000, Instant::after_start(Span::from_secs(sample * seconds)));
        }
        state
    }

    fn of_constant(state: &AggregateContainerState, amount: i64, multiplier: f64, exponent: f64) -> i64 {
        let step = Step::Confidence { multiplier, exponent, interval: DAY };
        estimate(ResourceName::Cpu, state, &[Step::Constant(amount), step])
    }

    #[test]
    fn a_percentile_is_the_end_of_a_bucket_cut_off_to_a_whole_amount() {
        // 1 core: log(1 * 0.05 / 0.01 + 1) / log(1.05) = 36.7, so bucket 36, which ends at 0.01 * (1.05^37 - 1) / 0.05.
        // 1.05^37 = 6.081407, so 1.0162814 cores.
        assert_eq!(estimate(ResourceName::Cpu, &seen(1, 60), &[Step::Percentile(0.9)]), 1016);
        let mut state = seen(0, 60);
        state.add_memory_peak(1_000_000_000, Instant::START);
        assert_eq!(estimate(ResourceName::Memory, &state, &[Step::Percentile(0.9)]) / 1000, 1_016_281);
        assert_eq!(estimate(ResourceName::Cpu, &state, &[Step::Percentile(0.9)]), 0);
    }

    #[test]
    fn a_margin_is_cut_off_by_itself() {
        // 15 % of 1016 is 152.4.
        let steps = [Step::Constant(1016), Step::Margin(0.15)];
        assert_eq!(estimate(ResourceName::Cpu, &seen(0, 60), &steps), 1168);
        // 15 % of 6 is 0.9: nothing.
        assert_eq!(estimate(ResourceName::Cpu, &seen(0, 60), &[Step::Constant(6), Step::Margin(0.15)]), 6);
    }

    #[test]
    fn a_minimum_lifts_what_is_below_it() {
        for (amount, estimated) in [(24, 25), (25, 25), (26, 26)] {
            let steps = [Step::Constant(amount), Step::Minimum(25)];
            assert_eq!(estimate(ResourceName::Cpu, &seen(0, 60), &steps), estimated);
        }
    }

    #[test]
    fn confidence_is_the_lesser_of_time_and_samples() {
        assert_eq!(confidence(&seen(0, 60), DAY), 0.0);
        assert_eq!(confidence(&seen(1, 60), DAY), 0.0);
        // Nine samples two minutes apart: 16 minutes, and 9 of 1440 samples.
        assert_eq!(confidence(&seen(9, 120), DAY), 9.0 / 1440.0);
        assert_eq!(confidence(&seen(9, 120), Span::from_mins(18)), 0.5);
        // A sample every 30 s: time is less.
        assert_eq!(confidence(&seen(2881, 30), DAY), 1.0);
    }

    #[test]
    fn bounds_are_wide_after_little_history_and_close_after_much() {
        // Upper: 12 h is times 3, 24 h times 2. One sample more than minutes, so that the time is the lesser.
        assert_eq!(of_constant(&seen(721, 60), 1000, 1.0, 1.0), 3000);
        assert_eq!(of_constant(&seen(1441, 60), 1000, 1.0, 1.0), 2000);
        // Lower after 60 min: (1 + 0.001 * 24)^-2 = 1 / 1.048576 = 0.95367.
        assert_eq!(of_constant(&seen(61, 60), 1000, 0.001, -2.0), 953);
        // Nothing known.
        assert_eq!(of_constant(&seen(0, 60), 1000, 1.0, 1.0), RESOURCE_AMOUNT_MAX);
        assert_eq!(of_constant(&seen(0, 60), 1000, 0.001, -2.0), 0);
        assert_eq!(of_constant(&seen(0, 60), 0, 1.0, 1.0), 0);
    }

    proptest! {
        #[test]
        fn no_numbers_make_it_panic(amount: i64, numbers: (f64, f64, f64), interval: u64) {
            let interval = Span::from_nanos(interval);
            let confidence = Step::Confidence { multiplier: numbers.0, exponent: numbers.1, interval };
            for source in [Step::Constant(amount), Step::Percentile(numbers.2)] {
                let margins = (Step::Margin(numbers.2), Step::Margin(numbers.0));
                let steps = [source, margins.0, confidence, margins.1, Step::Minimum(amount)];
                prop_assert!(estimate(ResourceName::Cpu, &seen(3, 60), &steps) >= amount);
            }
        }
    }
}
