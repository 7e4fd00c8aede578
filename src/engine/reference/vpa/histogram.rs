//! A histogram: how much weight lies in each bucket.
//! Source: kubernetes/autoscaler@55c37cd5, vertical-pod-autoscaler/pkg/recommender/util/histogram.go.
//!
//! Before you change it:
//! 1. A bucket counts as empty while its weight is below the options' epsilon. `first` is the first bucket that is not
//!    empty, or the last bucket of all; `last` is the last one that is not empty, or 0.
//! 2. A percentile is the end of a bucket, never a value within one; for the last bucket, which has no end, its start.
//! 3. A loaded checkpoint is trimmed again: rounding may have taken a bucket below epsilon, and an empty first bucket
//!    would make the whole histogram look empty (their issue 7726).

use super::amount::whole;
use super::histogram_options::HistogramOptions;
use crate::units::Instant;
use std::collections::BTreeMap;

/// The weight that the heaviest bucket has in a checkpoint.
pub const CHECKPOINT_WEIGHT_MAX: u32 = 10_000;

/// How far two weights may be apart and still count as equal.
const EQUAL: f64 = 1e-15;

/// Why two histograms do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// Their buckets differ.
    #[error("histograms with different buckets cannot be merged")]
    DifferentOptions,
    /// One forgets faster than the other.
    #[error("histograms with different half-lives cannot be merged")]
    DifferentHalfLives,
}

/// Why a checkpoint cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The total weight is below zero or not a number.
    #[error("the total weight of a checkpoint must not be negative")]
    NegativeWeight,
    /// There is no bucket with a number below zero.
    #[error("a checkpoint names bucket {0}, which is below zero")]
    NegativeBucket(i64),
    /// The histogram has fewer buckets.
    #[error("a checkpoint names bucket {bucket} of a histogram with {buckets} buckets")]
    BucketOutOfRange {
        /// The number of the bucket.
        bucket: i64,
        /// How many buckets the histogram has.
        buckets: usize,
    },
    /// It was saved by another version.
    #[error("a checkpoint has version `{0}`")]
    UnsupportedVersion(String),
}

/// A histogram as it is saved: weights in whole parts of [`CHECKPOINT_WEIGHT_MAX`].
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct HistogramCheckpoint {
    /// The time the weights refer to; `None` for a histogram that does not decay or has no sample yet.
    pub reference: Option<Instant>,
    /// Weight by number of the bucket; buckets whose weight rounds to zero are left out.
    pub bucket_weights: BTreeMap<i64, u32>,
    /// The sum of all weights as they were, also of those left out.
    pub total_weight: f64,
}

/// How much weight lies in each bucket.
///
/// ```
/// use plimsoll::engine::reference::vpa::*;
/// let mut histogram = Histogram::new(HistogramOptions::linear(10.0, 1.0, 0.001)?);
/// histogram.add_sample(1.5, 1.0);
/// histogram.add_sample(7.5, 3.0);
/// // A quarter of the weight lies in 1..2, the rest in 7..8.
/// assert_eq!((histogram.percentile(0.25), histogram.percentile(0.5)), (2.0, 8.0));
/// let saved = histogram.save();
/// assert_eq!((saved.bucket_weights[&1], saved.bucket_weights[&7]), (3333, 10_000));
/// # Ok::<(), HistogramOptionsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Histogram {
    options: HistogramOptions,
    weights: Vec<f64>,
    total: f64,
    first: usize,
    last: usize,
}

impl Histogram {
    /// A histogram with nothing in it.
    #[must_use]
    pub fn new(options: HistogramOptions) -> Self {
        Self { options, weights: vec![0.0; options.buckets()], total: 0.0, first: options.buckets() - 1, last: 0 }
    }

    /// Its buckets.
    #[must_use]
    pub const fn options(&self) -> &HistogramOptions {
        &self.options
    }

    /// The sum of all weights.
    #[must_use]
    pub const fn total_weight(&self) -> f64 {
        self.total
    }

    /// The weight in one bucket; zero for a bucket that does not exist.
    #[must_use]
    pub fn bucket_weight(&self, bucket: usize) -> f64 {
        self.weights.get(bucket).copied().unwrap_or(0.0)
    }

    /// Whether no bucket has a weight that counts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.weights[self.first] < self.options.epsilon()
    }

    /// The end of the first bucket up to which `percentile` (0.9 for the 90th) of the weight lies; zero where it is
    /// empty. Below 0 it is the end of the first bucket that is not empty, above 1 that of the last.
    #[must_use]
    pub fn percentile(&self, percentile: f64) -> f64 {
        if self.is_empty() {
            return 0.0;
        }
        let threshold = percentile * self.total;
        let mut sum = 0.0;
        let mut bucket = self.first;
        while bucket < self.last {
            sum += self.weights[bucket];
            if sum >= threshold {
                break;
            }
            bucket += 1;
        }
        self.options.bucket_start(bucket + 1)
    }

    /// Adds a sample. A weight that is negative or not a number adds nothing.
    pub fn add_sample(&mut self, value: f64, weight: f64) {
        if weight >= 0.0 {
            let bucket = self.options.find_bucket(value);
            self.weights[bucket] += weight;
            self.total += weight;
            if self.weights[bucket] >= self.options.epsilon() {
                self.first = self.first.min(bucket);
                self.last = self.last.max(bucket);
            }
        }
    }

    /// Takes a sample away. What is left below epsilon becomes zero. A weight that is negative or not a number takes
    /// nothing.
    pub fn subtract_sample(&mut self, value: f64, weight: f64) {
        if weight >= 0.0 {
            let epsilon = self.options.epsilon();
            let less = |before: f64| if before - weight < epsilon { 0.0 } else { before - weight };
            let bucket = self.options.find_bucket(value);
            self.total = less(self.total);
            self.weights[bucket] = less(self.weights[bucket]);
            self.trim();
        }
    }

    /// Adds all that another histogram holds.
    ///
    /// # Errors
    /// [`MergeError::DifferentOptions`] where their buckets differ; then nothing is added.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.options != other.options {
            return Err(MergeError::DifferentOptions);
        }
        for bucket in other.first..=other.last {
            self.weights[bucket] += other.weights[bucket];
        }
        self.total += other.total;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        Ok(())
    }

    /// Whether both have the same buckets, filled over the same range with weights that differ by 1e-15 at most.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        self.options == other.options
            && (self.first, self.last) == (other.first, other.last)
            && (self.first..=self.last).all(|bucket| (self.weights[bucket] - other.weights[bucket]).abs() <= EQUAL)
    }

    /// The histogram as it is saved.
    #[must_use]
    pub fn save(&self) -> HistogramCheckpoint {
        let filled = self.first..=self.last;
        let heaviest = filled.clone().fold(0.0, |heaviest: f64, bucket| heaviest.max(self.weights[bucket]));
        let ratio = f64::from(CHECKPOINT_WEIGHT_MAX) / heaviest;
        let mut bucket_weights = BTreeMap::new();
        for bucket in filled {
            let weight = u32::try_from(whole((self.weights[bucket] * ratio + 0.5).floor())).unwrap_or(0);
            if let (Ok(bucket), 1..) = (i64::try_from(bucket), weight) {
                bucket_weights.insert(bucket, weight);
            }
        }
        HistogramCheckpoint { reference: None, bucket_weights, total_weight: self.total }
    }

    /// Adds what a checkpoint holds: its weights, scaled so that they sum up to its total weight.
    ///
    /// # Errors
    /// [`CheckpointError`] for a weight or a bucket that cannot be; then nothing is added.
    pub fn load(&mut self, checkpoint: &HistogramCheckpoint) -> Result<(), CheckpointError> {
        if checkpoint.total_weight.is_nan() || checkpoint.total_weight < 0.0 {
            return Err(CheckpointError::NegativeWeight);
        }
        let mut loaded = Vec::with_capacity(checkpoint.bucket_weights.len());
        for (&number, &weight) in &checkpoint.bucket_weights {
            let bucket = usize::try_from(number).map_err(|_| CheckpointError::NegativeBucket(number))?;
            if bucket >= self.weights.len() {
                return Err(CheckpointError::BucketOutOfRange { bucket: number, buckets: self.weights.len() });
            }
            loaded.push((bucket, weight));
        }
        let sum: u64 = loaded.iter().map(|(_, weight)| u64::from(*weight)).sum();
        if sum == 0 {
            return Ok(());
        }
        let ratio = checkpoint.total_weight / sum as f64;
        for (bucket, weight) in loaded {
            self.first = self.first.min(bucket);
            self.last = self.last.max(bucket);
            self.weights[bucket] += f64::from(weight) * ratio;
        }
        self.total += checkpoint.total_weight;
        self.trim();
        Ok(())
    }

    /// Multiplies all weights. Percentiles stay, but buckets may fall below epsilon.
    pub(super) fn scale(&mut self, factor: f64) {
        for bucket in self.first..=self.last {
            self.weights[bucket] *= factor;
        }
        self.total *= factor;
        self.trim();
    }

    /// Finds the first and the last bucket again after weights became less.
    fn trim(&mut self) {
        let epsilon = self.options.epsilon();
        while self.weights[self.first] < epsilon && self.first + 1 < self.weights.len() {
            self.first += 1;
        }
        while self.weights[self.last] < epsilon && self.last > 0 {
            self.last -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EPSILON: f64 = 1e-15;

    /// Buckets 0..1, 1..2, ... 9..10, and one from 10 on.
    fn ten() -> Histogram {
        Histogram::new(HistogramOptions::linear(10.0, 1.0, EPSILON).unwrap())
    }

    fn filled(samples: &[(f64, f64)]) -> Histogram {
        let mut histogram = ten();
        for (value, weight) in samples {
            histogram.add_sample(*value, *weight);
        }
        histogram
    }

    #[test]
    fn a_percentile_is_the_end_of_the_bucket_in_which_it_is_reached() {
        // Weights 1, 2, 3, 4 in 1..2, 2..3, 3..4, 4..5: the sums are 1, 3, 6, 10 of 10.
        let histogram = filled(&[(1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (4.0, 4.0)]);
        for (percentile, end) in [(0.0, 2.0), (0.1, 2.0), (0.11, 3.0), (0.3, 3.0), (0.6, 4.0), (0.61, 5.0), (1.0, 5.0)]
        {
            assert_eq!(histogram.percentile(percentile), end, "{percentile}");
        }
        assert_eq!(histogram.percentile(-0.5), 2.0);
        assert_eq!(histogram.percentile(1.5), 5.0);
    }

    #[test]
    fn the_last_bucket_has_no_end_so_its_start_is_the_answer() {
        assert_eq!(filled(&[(1e9, 1.0)]).percentile(0.5), 10.0);
    }

    #[test]
    fn an_empty_histogram_answers_zero() {
        for percentile in [-0.5, 0.0, 0.5, 1.0, 1.5, f64::NAN] {
            assert_eq!(ten().percentile(percentile), 0.0);
        }
    }

    #[test]
    fn less_than_epsilon_is_nothing() {
        let mut histogram = filled(&[(3.0, 2.5 * EPSILON)]);
        histogram.subtract_sample(3.0, EPSILON);
        assert!(!histogram.is_empty());
        histogram.subtract_sample(3.0, EPSILON);
        assert!(histogram.is_empty());
        // A sample too light to count neither fills an empty histogram nor moves the range of a filled one.
        let mut histogram = filled(&[(3.0, 1.0), (0.0, 0.3 * EPSILON), (9.0, 0.3 * EPSILON)]);
        assert_eq!((histogram.percentile(0.0), histogram.percentile(1.0)), (4.0, 4.0));
        histogram.add_sample(5.0, -1.0);
        histogram.subtract_sample(3.0, f64::NAN);
        assert_eq!((histogram.percentile(0.0), histogram.percentile(1.0)), (4.0, 4.0));
    }

    #[test]
    fn merged_is_as_if_all_samples_had_gone_to_one() {
        let mut one = filled(&[(1.0, 1.0), (2.0, 1.0)]);
        one.merge(&filled(&[(2.0, 1.0), (3.0, 1.0)])).unwrap();
        assert!(one.equals(&filled(&[(1.0, 1.0), (2.0, 2.0), (3.0, 1.0)])));
        let other = Histogram::new(HistogramOptions::linear(10.0, 2.0, EPSILON).unwrap());
        assert_eq!(one.merge(&other), Err(MergeError::DifferentOptions));
        assert!(!one.equals(&other));
    }

    #[test]
    fn a_checkpoint_scales_the_heaviest_bucket_to_ten_thousand_and_drops_what_rounds_to_zero() {
        // 0.49 of 10000 rounds to 0, 0.5 to 1, 50 stays.
        let checkpoint = filled(&[(1.0, 0.49), (2.0, 0.5), (3.0, 10_000.0), (4.0, 50.0)]).save();
        assert_eq!(checkpoint.bucket_weights, BTreeMap::from([(2, 1), (3, 10_000), (4, 50)]));
        assert_eq!(checkpoint.total_weight, 10_050.99);
        assert_eq!(ten().save(), HistogramCheckpoint::default());
    }

    #[test]
    fn a_loaded_checkpoint_has_the_weight_it_was_saved_with() {
        // 6 over the parts 1 and 2: 2 and 4.
        let mut histogram = ten();
        let checkpoint = HistogramCheckpoint {
            bucket_weights: BTreeMap::from([(0, 1), (1, 2)]),
            total_weight: 6.0,
            reference: None,
        };
        histogram.load(&checkpoint).unwrap();
        assert_eq!((histogram.total_weight(), histogram.bucket_weight(0), histogram.bucket_weight(1)), (6.0, 2.0, 4.0));
    }

    #[test]
    fn a_checkpoint_that_cannot_be_is_refused_as_a_whole() {
        let mut histogram = ten();
        let of = |bucket, total_weight| HistogramCheckpoint {
            bucket_weights: BTreeMap::from([(0, 1), (bucket, 1)]),
            total_weight,
            reference: None,
        };
        assert_eq!(histogram.load(&of(-1, 1.0)), Err(CheckpointError::NegativeBucket(-1)));
        let refused = CheckpointError::BucketOutOfRange { bucket: 11, buckets: 11 };
        assert_eq!(histogram.load(&of(11, 1.0)), Err(refused));
        assert_eq!(histogram.load(&of(1, -1.0)), Err(CheckpointError::NegativeWeight));
        assert_eq!(histogram.load(&of(1, f64::NAN)), Err(CheckpointError::NegativeWeight));
        assert!(histogram.is_empty());
        histogram.load(&of(10, 1.0)).unwrap();
    }

    #[test]
    fn a_bucket_that_rounding_takes_below_epsilon_does_not_make_all_look_empty() {
        // Saved as 1 and 10000 parts; loaded, a part weighs 10000 / 10001 of epsilon, so the first bucket does not
        // count.
        let histogram = filled(&[(1.0, EPSILON), (2.0, 9999.0 * EPSILON)]);
        let mut again = ten();
        again.load(&histogram.save()).unwrap();
        assert!(!again.is_empty());
        assert_eq!(again.percentile(0.9), 3.0);
    }

    proptest! {
        #[test]
        fn a_percentile_never_falls_as_it_is_asked_higher(
            samples in prop::collection::vec((0.0..12.0_f64, 0.1..5.0_f64), 1..20),
            low in 0.0..1.0_f64,
            step in 0.0..1.0_f64
        ) {
            let histogram = filled(&samples);
            prop_assert!(histogram.percentile(low) <= histogram.percentile(low + step));
        }

        #[test]
        fn what_is_added_and_taken_away_leaves_no_trace(
            samples in prop::collection::vec((0.0..12.0_f64, 1_u32..5), 0..20),
            value in 0.0..12.0_f64,
            weight in 1_u32..5
        ) {
            let samples: Vec<_> = samples.into_iter().map(|(value, weight)| (value, f64::from(weight))).collect();
            let before = filled(&samples);
            let mut after = before.clone();
            after.add_sample(value, f64::from(weight));
            after.subtract_sample(value, f64::from(weight));
            prop_assert!(after.equals(&before));
        }

        #[test]
        fn saving_and_loading_keeps_the_least_and_the_most(
            samples in prop::collection::vec((0.0..12.0_f64, 1_u32..5), 1..20)
        ) {
            let samples: Vec<_> = samples.into_iter().map(|(value, weight)| (value, f64::from(weight))).collect();
            let (saved, mut loaded) = (filled(&samples), ten());
            loaded.load(&saved.save()).unwrap();
            for percentile in [0.0, 1.1] {
                prop_assert_eq!(loaded.percentile(percentile), saved.percentile(percentile));
            }
        }

        #[test]
        fn no_numbers_make_it_panic(numbers in prop::collection::vec(any::<(f64, f64)>(), 0..20), percentile: f64) {
            let mut histogram = ten();
            for (value, weight) in numbers {
                histogram.add_sample(value, weight);
                histogram.subtract_sample(weight, value);
            }
            let _ = (histogram.percentile(percentile), histogram.save(), histogram.is_empty());
        }
    }
}
