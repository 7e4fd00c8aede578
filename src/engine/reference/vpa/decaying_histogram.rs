//! A histogram that forgets: a sample has half its weight after a half-life, a quarter after two.
//! Source: kubernetes/autoscaler@55c37cd5, vertical-pod-autoscaler/pkg/recommender/util/decaying_histogram.go.
//!
//! Before you change it:
//! 1. Nothing is ever made lighter as time passes; newer samples are made heavier, by 2^((time - reference) /
//!    half-life). Only weights relative to each other matter, but a bucket below epsilon is lost.
//! 2. The reference time is a whole multiple of the half-life and moves forward when a sample is more than 100
//!    half-lives after it; then all weights are scaled by the power of two between the two reference times.
//! 3. A histogram without a sample has no reference time. What weighs something without one is older than everything:
//!    the first sample makes it weigh nothing. (The original's reference time is then the year 1.)

use super::histogram::CheckpointError;
use super::histogram::Histogram;
use super::histogram::HistogramCheckpoint;
use super::histogram::MergeError;
use super::histogram_options::HistogramOptions;
use crate::units::Instant;
use crate::units::Span;

/// How many half-lives after the reference time a sample may be before the reference time moves.
const HALF_LIVES_MAX: u64 = 100;

/// A histogram that gives newer samples more weight.
///
/// ```
/// use plimsoll::engine::reference::vpa::*;
/// use plimsoll::units::{Instant, Span};
/// let hour = Span::from_mins(60);
/// let mut histogram = DecayingHistogram::new(HistogramOptions::linear(10.0, 1.0, 0.001)?, hour);
/// histogram.add_sample(2.5, 1.0, Instant::START);
/// histogram.add_sample(7.5, 1.0, Instant::START.plus(hour));
/// // The newer one weighs twice as much as the older one.
/// assert_eq!((histogram.percentile(0.33), histogram.percentile(0.34)), (3.0, 8.0));
/// # Ok::<(), HistogramOptionsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct DecayingHistogram {
    histogram: Histogram,
    half_life: Span,
    reference: Option<Instant>,
}

impl DecayingHistogram {
    /// A histogram with nothing in it. A half-life of zero counts as one nanosecond.
    #[must_use]
    pub fn new(options: HistogramOptions, half_life: Span) -> Self {
        let half_life = half_life.max(Span::from_nanos(1));
        Self { histogram: Histogram::new(options), half_life, reference: None }
    }

    /// The weights as they are, relative to the reference time.
    #[must_use]
    pub const fn histogram(&self) -> &Histogram {
        &self.histogram
    }

    /// After which time a sample weighs half.
    #[must_use]
    pub const fn half_life(&self) -> Span {
        self.half_life
    }

    /// The time at which a sample has just the weight it is added with; `None` before the first sample.
    #[must_use]
    pub const fn reference(&self) -> Option<Instant> {
        self.reference
    }

    /// Whether no bucket has a weight that counts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.histogram.is_empty()
    }

    /// See [`Histogram::percentile`].
    #[must_use]
    pub fn percentile(&self, percentile: f64) -> f64 {
        self.histogram.percentile(percentile)
    }

    /// Adds a sample of that time. A weight that is negative or not a number adds nothing.
    pub fn add_sample(&mut self, value: f64, weight: f64, at: Instant) {
        let factor = self.decay_factor(at);
        self.histogram.add_sample(value, weight * factor);
    }

    /// Takes a sample of that time away.
    pub fn subtract_sample(&mut self, value: f64, weight: f64, at: Instant) {
        let factor = self.decay_factor(at);
        self.histogram.subtract_sample(value, weight * factor);
    }

    /// Adds all that another histogram holds, after the one with the older reference time took over the newer one.
    ///
    /// # Errors
    /// [`MergeError`] where their half-lives or their buckets differ; then nothing is added.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.half_life != other.half_life {
            return Err(MergeError::DifferentHalfLives);
        }
        if self.histogram.options() != other.histogram.options() {
            return Err(MergeError::DifferentOptions);
        }
        match (self.reference, other.reference) {
            (Some(mine), theirs) if theirs.is_none_or(|theirs| theirs < mine) => {
                let mut other = other.clone();
                other.shift_reference(mine);
                self.histogram.merge(&other.histogram)
            }
            (mine, Some(theirs)) if mine.is_none_or(|mine| mine < theirs) => {
                self.shift_reference(theirs);
                self.histogram.merge(&other.histogram)
            }
            _ => self.histogram.merge(&other.histogram),
        }
    }

    /// Whether both have the same half-life, reference time and weights; see [`Histogram::equals`].
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        (self.half_life, self.reference) == (other.half_life, other.reference)
            && self.histogram.equals(&other.histogram)
    }

    /// The histogram as it is saved, with its reference time.
    #[must_use]
    pub fn save(&self) -> HistogramCheckpoint {
        HistogramCheckpoint { reference: self.reference, ..self.histogram.save() }
    }

    /// Adds what a checkpoint holds and takes over its reference time as it is. Meant for an empty histogram: weights
    /// that are there already are not brought to the new reference time.
    ///
    /// # Errors
    /// See [`Histogram::load`].
    pub fn load(&mut self, checkpoint: &HistogramCheckpoint) -> Result<(), CheckpointError> {
        self.histogram.load(checkpoint)?;
        self.reference = checkpoint.reference;
        Ok(())
    }

    /// How much heavier a sample of that time is than one of the reference time, which moves where that is too much.
    fn decay_factor(&mut self, at: Instant) -> f64 {
        let span = self.half_life.times(HALF_LIVES_MAX);
        let reference = match self.reference {
            Some(reference) if at <= reference.plus(span) => reference,
            _ => self.shift_reference(at),
        };
        libm::exp2(nanos_between(reference, at) / self.half_life.nanos() as f64)
    }

    /// Moves the reference time to the multiple of the half-life nearest to that time, half way up, and answers it.
    fn shift_reference(&mut self, to: Instant) -> Instant {
        let beyond = to.since_start().nanos() % self.half_life.nanos();
        let start = to.minus(Span::from_nanos(beyond));
        let to = if beyond >= self.half_life.nanos() - beyond { start.plus(self.half_life) } else { start };
        let factor = match self.reference {
            Some(from) => libm::exp2((nanos_between(to, from) / self.half_life.nanos() as f64 + 0.5).floor()),
            None => 0.0,
        };
        self.histogram.scale(factor);
        self.reference = Some(to);
        to
    }
}

/// How many nanoseconds `to` is after `from`; negative where it is before it.
pub(super) fn nanos_between(from: Instant, to: Instant) -> f64 {
    to.since(from).nanos() as f64 - from.since(to).nanos() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: Span = Span::from_mins(60);

    fn hours(hours: u64) -> Instant {
        Instant::after_start(HOUR.times(hours))
    }

    fn ten() -> DecayingHistogram {
        DecayingHistogram::new(HistogramOptions::linear(10.0, 1.0, 1e-15).unwrap(), HOUR)
    }

    fn filled(samples: &[(f64, u64)]) -> DecayingHistogram {
        let mut histogram = ten();
        for (value, hour) in samples {
            histogram.add_sample(*value, 1.0, hours(*hour));
        }
        histogram
    }

    #[test]
    fn an_old_sample_loses_half_of_its_weight_every_half_life() {
        // Weights 1, 2, 3, 4 an hour apart are 1/8, 2/4, 3/2, 4 in the end: sums 0.125, 0.625, 2.125, 6.125.
        let mut histogram = ten();
        for (value, hour) in [(1, 0), (2, 1), (3, 2), (4, 3)] {
            histogram.add_sample(f64::from(value), f64::from(value), hours(hour));
        }
        for (percentile, end) in
            [(0.0, 2.0), (0.02, 2.0), (0.03, 3.0), (0.1, 3.0), (0.11, 4.0), (0.34, 4.0), (0.35, 5.0)]
        {
            assert_eq!(histogram.percentile(percentile), end, "{percentile}");
        }
    }

    #[test]
    fn a_heavy_sample_is_outweighed_after_twenty_half_lives_but_not_gone() {
        // 2^20 is 1049 times a thousand.
        let mut histogram = ten();
        histogram.add_sample(2.0, 1000.0, hours(5));
        histogram.add_sample(1.0, 1.0, hours(25));
        assert_eq!((histogram.percentile(0.999), histogram.percentile(1.0)), (2.0, 3.0));
    }

    #[test]
    fn the_reference_time_moves_only_beyond_a_hundred_half_lives() {
        let mut histogram = filled(&[(2.0, 0), (1.0, 100)]);
        assert_eq!(histogram.reference(), Some(hours(0)));
        assert_eq!(histogram.histogram().bucket_weight(1), libm::exp2(100.0));
        histogram.add_sample(1.0, 1.0, hours(100).plus(Span::from_nanos(1)));
        assert_eq!(histogram.reference(), Some(hours(100)));
        // 2^-100 is far below 1e-15: the first sample does not count any more.
        assert_eq!(histogram.percentile(0.0), 2.0);
        assert!((histogram.histogram().bucket_weight(1) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn the_reference_time_is_the_nearest_multiple_of_the_half_life() {
        for (minutes, reference) in [(0, 0), (29, 0), (30, 1), (89, 1), (90, 2), (120, 2)] {
            let mut histogram = ten();
            histogram.add_sample(1.0, 1.0, Instant::after_start(Span::from_mins(minutes)));
            assert_eq!(histogram.reference(), Some(hours(reference)), "{minutes}");
        }
    }

    #[test]
    fn merged_is_as_if_all_samples_had_gone_to_the_younger_one() {
        let (old, young) = (filled(&[(1.0, 0), (2.0, 1)]), filled(&[(2.0, 2), (3.0, 1)]));
        let mut all = filled(&[(2.0, 2)]);
        for (value, hour) in [(3.0, 1), (2.0, 1), (1.0, 0)] {
            all.add_sample(value, 1.0, hours(hour));
        }
        let (mut one, mut other) = (old.clone(), young.clone());
        one.merge(&young).unwrap();
        other.merge(&old).unwrap();
        assert!(one.equals(&all) && other.equals(&all));
        let mut empty = ten();
        empty.merge(&old).unwrap();
        assert!(empty.equals(&old));
        one.merge(&ten()).unwrap();
        assert!(one.equals(&all));
        let other = DecayingHistogram::new(*one.histogram().options(), Span::from_mins(30));
        assert_eq!(one.merge(&other), Err(MergeError::DifferentHalfLives));
    }

    #[test]
    fn what_was_loaded_without_a_time_is_older_than_every_sample() {
        let checkpoint = HistogramCheckpoint { reference: None, ..filled(&[(5.0, 3)]).save() };
        let mut histogram = ten();
        histogram.load(&checkpoint).unwrap();
        assert_eq!(histogram.percentile(0.5), 6.0);
        histogram.add_sample(1.0, 1.0, hours(3));
        assert_eq!((histogram.percentile(0.0), histogram.percentile(1.0)), (2.0, 2.0));
    }

    #[test]
    fn a_checkpoint_keeps_the_reference_time() {
        let saved = filled(&[(2.0, 100), (4.0, 101)]);
        let mut loaded = ten();
        loaded.load(&saved.save()).unwrap();
        assert_eq!(loaded.reference(), Some(hours(100)));
        assert_eq!(loaded.histogram().total_weight(), 3.0);
    }

    proptest! {
        #[test]
        fn only_the_age_of_samples_matters(
            samples in prop::collection::vec((0.0..12.0_f64, 0_u64..90), 1..20),
            later in 0_u64..1_000_000,
            percentile in 0.0..1.0_f64
        ) {
            let moved: Vec<_> = samples.iter().map(|(value, hour)| (*value, hour + later)).collect();
            prop_assert_eq!(filled(&samples).percentile(percentile), filled(&moved).percentile(percentile));
        }

        #[test]
        fn no_time_makes_it_panic(times in prop::collection::vec(any::<u64>(), 1..20), half_life: u64) {
            let mut histogram = DecayingHistogram::new(*ten().histogram().options(), Span::from_nanos(half_life));
            for nanos in times {
                histogram.add_sample(1.0, 1.0, Instant::after_start(Span::from_nanos(nanos)));
                let _ = histogram.clone().merge(&histogram);
            }
            prop_assert!(histogram.percentile(0.9) <= 2.0);
        }
    }
}
