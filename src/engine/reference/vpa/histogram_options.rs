//! Where the buckets of a histogram begin and end.
//! Source: kubernetes/autoscaler@55c37cd5, vertical-pod-autoscaler/pkg/recommender/util/histogram_options.go.
//!
//! Before you change it:
//! 1. Bucket 0 begins at zero and takes all that is below it. The last bucket has no end and takes all that is above
//!    it.
//! 2. A value on a boundary belongs to the bucket that begins there, as far as the logarithm finds it.
//! 3. Saved checkpoints name buckets by number: another scheme makes them mean something else.

use super::amount::power;
use super::amount::whole;

/// The most buckets a histogram may have. The original has no such bound; it holds off configurations that would take
/// all the memory there is. Its own histograms have 176 buckets.
pub const HISTOGRAM_BUCKETS_MAX: usize = 1_000_000;

/// Why there is no histogram with these options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HistogramOptionsError {
    /// A size, the largest value or the least weight is zero, negative or not a number, or the ratio is not above one.
    #[error("sizes, the largest value and the least weight must be above zero, and the ratio above one")]
    NotPositive,
    /// More than [`HISTOGRAM_BUCKETS_MAX`] buckets.
    #[error("a histogram may have at most {HISTOGRAM_BUCKETS_MAX} buckets")]
    TooManyBuckets,
}

/// The number and the sizes of the buckets of a histogram, and the least weight that counts.
///
/// ```
/// use plimsoll::engine::reference::vpa::*;
/// // 0..1, 1..2, ... 9..10, and one from 10 on.
/// let options = HistogramOptions::linear(10.0, 1.0, 0.001)?;
/// assert_eq!((options.buckets(), options.find_bucket(3.5), options.bucket_start(3)), (11, 3, 3.0));
/// # Ok::<(), HistogramOptionsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HistogramOptions {
    scheme: Scheme,
    buckets: usize,
    epsilon: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Scheme {
    Linear { bucket_size: f64 },
    Exponential { first_bucket_size: f64, ratio: f64 },
}

impl HistogramOptions {
    /// Buckets of one size. The last one begins at `max_value` or above.
    ///
    /// # Errors
    /// [`HistogramOptionsError`] where an argument is not above zero or the buckets are too many.
    pub fn linear(max_value: f64, bucket_size: f64, epsilon: f64) -> Result<Self, HistogramOptionsError> {
        if [max_value, bucket_size, epsilon].iter().any(|number| !is_above(*number, 0.0)) {
            return Err(HistogramOptionsError::NotPositive);
        }
        let buckets = checked_buckets(max_value / bucket_size)?;
        Ok(Self { scheme: Scheme::Linear { bucket_size }, buckets, epsilon })
    }

    /// Buckets that grow: the first takes `0..first_bucket_size`, each further one is `ratio` times as wide as the one
    /// before it. The last one begins at `max_value` or above.
    ///
    /// # Errors
    /// [`HistogramOptionsError`] where an argument is not above zero, `ratio` is not above one or the buckets are too
    /// many.
    pub fn exponential(
        max_value: f64,
        first_bucket_size: f64,
        ratio: f64,
        epsilon: f64,
    ) -> Result<Self, HistogramOptionsError> {
        if [max_value, first_bucket_size, epsilon].iter().any(|number| !is_above(*number, 0.0)) || !is_above(ratio, 1.0)
        {
            return Err(HistogramOptionsError::NotPositive);
        }
        let buckets = checked_buckets(logarithm(ratio, max_value * (ratio - 1.0) / first_bucket_size + 1.0))?;
        Ok(Self { scheme: Scheme::Exponential { first_bucket_size, ratio }, buckets, epsilon })
    }

    /// How many buckets there are; at least one.
    #[must_use]
    pub const fn buckets(&self) -> usize {
        self.buckets
    }

    /// The bucket a value falls into. What lies outside is in the first or in the last bucket; what is not a number, in
    /// the first.
    #[must_use]
    pub fn find_bucket(&self, value: f64) -> usize {
        let index = match self.scheme {
            Scheme::Linear { bucket_size } => value / bucket_size,
            Scheme::Exponential { first_bucket_size, .. } if value < first_bucket_size => 0.0,
            Scheme::Exponential { first_bucket_size, ratio } => {
                logarithm(ratio, value * (ratio - 1.0) / first_bucket_size + 1.0)
            }
        };
        usize::try_from(whole(index)).unwrap_or(0).min(self.buckets - 1)
    }

    /// Where a bucket begins. A number beyond the last bucket counts as the last.
    #[must_use]
    pub fn bucket_start(&self, bucket: usize) -> f64 {
        let bucket = bucket.min(self.buckets - 1);
        match self.scheme {
            Scheme::Linear { bucket_size } => bucket as f64 * bucket_size,
            Scheme::Exponential { .. } if bucket == 0 => 0.0,
            Scheme::Exponential { first_bucket_size, ratio } => {
                first_bucket_size * (power(ratio, bucket as f64) - 1.0) / (ratio - 1.0)
            }
        }
    }

    /// The least weight with which a bucket counts as filled.
    #[must_use]
    pub const fn epsilon(&self) -> f64 {
        self.epsilon
    }
}

/// Whether the number is above the bound; what is not a number is not.
fn is_above(number: f64, bound: f64) -> bool {
    number > bound
}

fn logarithm(base: f64, number: f64) -> f64 {
    libm::log(number) / libm::log(base)
}

/// One bucket more than so many, rounded up.
fn checked_buckets(count: f64) -> Result<usize, HistogramOptionsError> {
    let buckets = usize::try_from(whole(count.ceil()).saturating_add(1)).unwrap_or(1);
    if buckets > HISTOGRAM_BUCKETS_MAX { Err(HistogramOptionsError::TooManyBuckets) } else { Ok(buckets) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn buckets_of_one_size() {
        // ceil(5 / 0.3) = ceil(16.7) = 17, and one more.
        let options = HistogramOptions::linear(5.0, 0.3, 0.001).unwrap();
        assert_eq!(options.buckets(), 18);
        assert_eq!(options.bucket_start(0), 0.0);
        assert_eq!(options.bucket_start(17), 5.1);
        assert_eq!([-1.0, 0.0, 1.3, 100.0].map(|value| options.find_bucket(value)), [0, 0, 4, 17]);
    }

    #[test]
    fn buckets_that_grow_by_half() {
        // 40, 60, 90, 135, 202.5 wide: they begin at 0, 40, 100, 190, 325, 527.5; the last one is the first at 500 or
        // above.
        let options = HistogramOptions::exponential(500.0, 40.0, 1.5, 0.001).unwrap();
        assert_eq!(options.buckets(), 6);
        assert_eq!([0, 1, 2, 3, 4, 5].map(|b| options.bucket_start(b)), [0.0, 40.0, 100.0, 190.0, 325.0, 527.5]);
        let found = [-1.0, 39.99, 40.0, 99.99, 100.0, 324.99, 900.0].map(|value| options.find_bucket(value));
        assert_eq!(found, [0, 0, 1, 1, 2, 3, 5]);
    }

    #[test]
    fn a_boundary_may_fall_a_hair_short_of_a_whole_number() {
        // 1e7 * (1 + 1.05 + 1.1025 + 1.157625) = 43101250, but the fourth power by squaring is a bit too low; so
        // 43101249 bytes.
        let start = HistogramOptions::exponential(1e12, 1e7, 1.05, 0.0001).unwrap().bucket_start(4);
        assert!(43_101_249.999 < start && start < 43_101_250.0);
    }

    #[test]
    fn nonsense_is_refused_and_never_panics() {
        for nonsense in [0.0, -1.0, f64::NAN] {
            assert_eq!(HistogramOptions::linear(nonsense, 1.0, 1.0), Err(HistogramOptionsError::NotPositive));
            assert_eq!(HistogramOptions::linear(1.0, nonsense, 1.0), Err(HistogramOptionsError::NotPositive));
            assert_eq!(HistogramOptions::exponential(1.0, 1.0, 2.0, nonsense), Err(HistogramOptionsError::NotPositive));
        }
        assert_eq!(HistogramOptions::exponential(1.0, 1.0, 1.0, 1.0), Err(HistogramOptionsError::NotPositive));
        assert_eq!(HistogramOptions::linear(f64::INFINITY, 1.0, 1.0), Err(HistogramOptionsError::TooManyBuckets));
        let options = HistogramOptions::exponential(500.0, 40.0, 1.5, 0.001).unwrap();
        assert_eq!([f64::NAN, f64::NEG_INFINITY, f64::INFINITY].map(|value| options.find_bucket(value)), [0, 0, 5]);
        assert_eq!(options.bucket_start(usize::MAX), 527.5);
    }

    proptest! {
        #[test]
        fn a_value_lies_in_the_bucket_it_is_found_in(value in 0.0..2000.0_f64) {
            let options = HistogramOptions::exponential(1000.0, 0.01, 1.05, 0.0001).unwrap();
            let bucket = options.find_bucket(value);
            prop_assert!(options.bucket_start(bucket) <= value * (1.0 + 1e-9));
            prop_assert!(bucket == options.buckets() - 1 || value <= options.bucket_start(bucket + 1) * (1.0 + 1e-9));
        }
    }
}
