//! How long requests took: counts in fixed logarithmic buckets, so that parts merge exactly and in any order.

use crate::units::Span;

/// Buckets per doubling of time: neighbouring bounds differ by 4.4 %.
const PER_DOUBLING: usize = 16;
/// From 1 µs up to 2³⁶ µs (19 hours); what is longer counts in the last bucket.
const BUCKETS: usize = 36 * PER_DOUBLING;
/// `round(2^(i/16) · 2³²)` for the bounds within one doubling; whole numbers, so that no platform rounds otherwise.
const STEPS: [u64; PER_DOUBLING] = [
    4_294_967_296,
    4_485_121_744,
    4_683_695_048,
    4_891_059_943,
    5_107_605_667,
    5_333_738_689,
    5_569_883_475,
    5_816_483_285,
    6_074_001_000,
    6_342_919_999,
    6_623_745_059,
    6_917_003_306,
    7_223_245_206,
    7_543_045_592,
    7_877_004_752,
    8_225_749_546,
];

/// Response times of many requests. Counts are in thousandths of a request, since a simulated second holds an expected
/// mixture of response times, not a sample; the sum is kept apart, so that the mean is exact.
#[derive(Debug, Clone, Default)]
pub struct Latencies {
    /// The bucket of the first count: what is faster than any request takes no room.
    first: usize,
    /// Thousandths of a request by bucket, from [`Self::first`] on. Some at either end may be zero.
    counts: Vec<u64>,
    /// All counts added up, in thousandths of a request.
    total: u64,
    /// All response times added up, in nanoseconds times thousandths of a request.
    sum: u128,
}

impl PartialEq for Latencies {
    fn eq(&self, other: &Self) -> bool {
        (self.total, self.sum, self.used()) == (other.total, other.sum, other.used())
    }
}

impl Eq for Latencies {}

impl Latencies {
    /// Buckets in a doubling of time.
    pub(crate) const PER_DOUBLING: f64 = PER_DOUBLING as f64;

    /// All requests, as a share of them, in [`Self::spread`].
    pub const ALL: u32 = 1 << ALL_LOG;

    /// No requests.
    #[must_use]
    pub const fn new() -> Self {
        Self { first: 0, counts: Vec::new(), total: 0, sum: 0 }
    }

    /// How many buckets there are.
    #[must_use]
    pub const fn buckets() -> usize {
        BUCKETS
    }

    /// The lower bound of a bucket. The first bucket starts at zero.
    ///
    /// # Panics
    /// If there is no such bucket and it is not the end of the last one.
    #[must_use]
    pub fn lower(bucket: usize) -> Span {
        assert!(bucket <= BUCKETS, "bucket {bucket} of {BUCKETS}");
        if bucket == 0 {
            return Span::ZERO;
        }
        Span::from_nanos(bound(bucket))
    }

    /// The bucket a response time falls into.
    #[must_use]
    pub fn bucket(time: Span) -> usize {
        let nanos = time.nanos();
        if nanos < bound(1) {
            return 0;
        }
        let doubling = (nanos / 1000).max(1).ilog2() as usize;
        let first = (doubling * PER_DOUBLING).min(BUCKETS - 1);
        let end = (first + PER_DOUBLING + 1).min(BUCKETS);
        first + BOUNDS[first + 1..end].partition_point(|bound| *bound <= nanos)
    }

    /// Adds `thousandths` of a request that took `time`.
    pub fn add(&mut self, time: Span, thousandths: u64) {
        self.add_to_bucket(Self::bucket(time), thousandths);
        self.sum += u128::from(time.nanos()) * u128::from(thousandths);
    }

    /// Adds `thousandths` of a request to a bucket, without their time: follow it with [`Self::add_time`].
    pub fn add_to_bucket(&mut self, bucket: usize, thousandths: u64) {
        if thousandths == 0 {
            return;
        }
        self.reach(bucket, bucket + 1);
        self.counts[bucket - self.first] += thousandths;
        self.total += thousandths;
    }

    /// Makes room for the buckets from `first` up to, not including, `end`.
    fn reach(&mut self, first: usize, end: usize) {
        if self.counts.is_empty() {
            self.first = first;
        }
        if first < self.first {
            self.counts.splice(0..0, core::iter::repeat_n(0, self.first - first));
            self.first = first;
        }
        if self.first + self.counts.len() < end {
            self.counts.resize(end - self.first, 0);
        }
    }

    /// Spreads thousandths of requests over the buckets from `first` on, without their time: follow it with
    /// [`Self::add_time`]. `below[i]` is the share below the upper bound of the i-th of these buckets, as a part of
    /// [`Self::ALL`], ascending; parts are rounded down, and nothing is lost where the last one is all.
    pub fn spread(&mut self, first: usize, below: &[u32], thousandths: u64) {
        if thousandths == 0 {
            return;
        }
        // Most requests have few of the buckets: those up to which there is less than a thousandth are left out.
        let a_thousandth = u64::from(Self::ALL).div_ceil(thousandths);
        let least = below.partition_point(|below| u64::from(*below) < a_thousandth);
        let most = below.partition_point(|below| *below < Self::ALL);
        let used = least..(most + 1).min(below.len());
        if used.is_empty() {
            return;
        }
        self.reach(first + used.start, first + used.end);
        let from = first + used.start - self.first;
        let counts = self.counts[from..].iter_mut().zip(&below[used]);
        // So that a processor may take several of them at a time, products of few requests stay within 64 bits.
        self.total += match u32::try_from(thousandths) {
            Ok(few) => fill(counts, |below| (u64::from(few) * u64::from(below)) >> ALL_LOG),
            Err(_) => fill(counts, |below| part(thousandths, below)),
        };
    }

    /// Adds to the sum of response times, in nanoseconds times thousandths of a request.
    pub fn add_time(&mut self, nano_thousandths: u128) {
        self.sum += nano_thousandths;
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        if !other.counts.is_empty() {
            self.reach(other.first, other.first + other.counts.len());
            let from = other.first - self.first;
            // As in [`Self::spread`].
            for (mine, theirs) in self.counts[from..].iter_mut().zip(&other.counts) {
                *mine = mine.wrapping_add(*theirs);
            }
        }
        self.total += other.total;
        self.sum += other.sum;
    }

    /// Takes away what was merged before, as a window that moves on does.
    ///
    /// # Panics
    /// If `other` was never merged.
    pub fn unmerge(&mut self, other: &Self) {
        if !other.counts.is_empty() {
            let from = other.first.checked_sub(self.first).expect("it was merged");
            for (mine, theirs) in self.counts[from..].iter_mut().zip(&other.counts) {
                *mine -= theirs;
            }
        }
        self.total -= other.total;
        self.sum -= other.sum;
    }

    /// Forgets everything, keeping the memory.
    pub fn clear(&mut self) {
        self.counts.clear();
        self.total = 0;
        self.sum = 0;
    }

    /// How many requests, in thousandths.
    #[must_use]
    pub const fn thousandths(&self) -> u64 {
        self.total
    }

    /// The first bucket with requests, and the counts from there to the last one with any, in thousandths of a request.
    #[must_use]
    pub fn used(&self) -> (usize, &[u64]) {
        let is_used = |count: &u64| *count > 0;
        let Some(start) = self.counts.iter().position(is_used) else { return (0, &[]) };
        let end = self.counts.iter().rposition(is_used).map_or(start, |last| last + 1);
        (self.first + start, &self.counts[start..end])
    }

    /// All response times added up, in nanoseconds times thousandths of a request.
    #[must_use]
    pub const fn total_time(&self) -> u128 {
        self.sum
    }

    /// The mean response time, rounded down to a nanosecond; `None` without requests.
    #[must_use]
    pub fn mean(&self) -> Option<Span> {
        let mean = self.sum.checked_div(u128::from(self.total))?;
        Some(Span::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX)))
    }

    /// The time that `numerator / denominator` of the requests stay within: linear inside the bucket, as Prometheus'
    /// `histogram_quantile` does; `None` without requests.
    ///
    /// # Panics
    /// If the fraction is above one.
    #[must_use]
    pub fn quantile(&self, numerator: u64, denominator: u64) -> Option<Span> {
        assert!(numerator <= denominator && denominator > 0, "no quantile {numerator}/{denominator}");
        if self.total == 0 {
            return None;
        }
        let wanted = u128::from(self.total) * u128::from(numerator);
        let scale = u128::from(denominator);
        // Whole counts, so that the walk over the buckets is one addition each: it is made for every sample of a run.
        let target = u64::try_from(wanted.div_ceil(scale)).unwrap_or(u64::MAX);
        let mut below: u64 = 0;
        for (bucket, &count) in (self.first..).zip(&self.counts) {
            if count > 0 && below + count >= target {
                let (lower, upper) = (Self::lower(bucket).nanos(), Self::lower(bucket + 1).nanos());
                let inside = wanted - u128::from(below) * scale;
                let part = u128::from(upper - lower) * inside / (u128::from(count) * scale);
                return Some(Span::from_nanos(lower + u64::try_from(part).unwrap_or(0)));
            }
            below += count;
        }
        Some(Self::lower(self.first + self.counts.len()))
    }

    /// How many requests took longer than `time`, in thousandths; linear inside the bucket, rounded down.
    #[must_use]
    pub fn above(&self, time: Span) -> u64 {
        let bucket = Self::bucket(time);
        let over: u64 = self.counts.iter().skip((bucket + 1).saturating_sub(self.first)).sum();
        let inside = bucket.checked_sub(self.first).and_then(|place| self.counts.get(place)).copied().unwrap_or(0);
        let (lower, upper) = (Self::lower(bucket).nanos(), Self::lower(bucket + 1).nanos());
        let left = u128::from(upper.saturating_sub(time.nanos().max(lower)));
        let part = u128::from(inside) * left / u128::from((upper - lower).max(1));
        over + u64::try_from(part).unwrap_or(0)
    }
}

/// The lower bounds of all buckets, and the end of the last one.
static BOUNDS: [u64; BUCKETS + 1] = {
    let mut bounds = [0; BUCKETS + 1];
    let mut bucket = 0;
    while bucket <= BUCKETS {
        bounds[bucket] = exact_bound(bucket);
        bucket += 1;
    }
    bounds
};

/// The lower bound of a bucket in nanoseconds, rounded down.
fn bound(bucket: usize) -> u64 {
    BOUNDS[bucket]
}

/// The same, worked out: the largest is 2³⁶ µs, which is below 2⁶⁴ ns.
#[expect(clippy::cast_possible_truncation, reason = "all bounds fit, as is said above")]
const fn exact_bound(bucket: usize) -> u64 {
    let (doubling, step) = (bucket / PER_DOUBLING, bucket % PER_DOUBLING);
    let micros_2_32 = (STEPS[step] as u128) << doubling;
    ((micros_2_32 * 1000) >> 32) as u64
}

/// `[first bucket, counts..., sum]` in the record: few digits, exact.
#[derive(serde::Serialize, serde::Deserialize)]
struct Wire(usize, Vec<u64>, u128);

impl serde::Serialize for Latencies {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (first, used) = self.used();
        Wire(first, used.to_vec(), self.sum).serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Latencies {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Wire(first, used, sum) = Wire::deserialize(deserializer)?;
        if first.saturating_add(used.len()) > BUCKETS {
            return Err(serde::de::Error::custom(format!("latencies beyond the last of {BUCKETS} buckets")));
        }
        let total = used
            .iter()
            .try_fold(0_u64, |total, count| total.checked_add(*count))
            .ok_or_else(|| serde::de::Error::custom("latency counts that do not fit 64 bits"))?;
        Ok(Self { first, counts: used, total, sum })
    }
}

/// The logarithm of [`Latencies::ALL`].
const ALL_LOG: u32 = 31;

/// `whole · below / 2³¹`, rounded down.
#[expect(clippy::cast_possible_truncation, reason = "the share is at most one, so the part is no more than the whole")]
const fn part(whole: u64, below: u32) -> u64 {
    ((whole as u128 * below as u128) >> ALL_LOG) as u64
}

/// Adds to each count what its bucket has of the requests up to its end; gives all that was added.
#[inline(always)]
fn fill<'a>(counts: impl Iterator<Item = (&'a mut u64, &'a u32)>, part: impl Fn(u32) -> u64) -> u64 {
    let mut given = 0;
    // No count is larger than their sum, which is checked: so that a processor may take several at a time, they are not.
    for (count, below) in counts {
        let upto = part(*below);
        debug_assert!(upto >= given, "shares ascend");
        *count = count.wrapping_add(upto.wrapping_sub(given));
        given = upto;
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever is added, spread, merged and taken away again, in whatever order: the counts are those of a plain row of
        /// all buckets.
        #[test]
        fn counts_are_those_of_a_plain_row(
            parts in proptest::collection::vec((0..500_usize, proptest::collection::vec(0..=Latencies::ALL, 1..40),
                prop_oneof![0..5_000_u64, 0..=1_u64 << 34]), 0..8),
            gone in 0..8_usize,
        ) {
            let (mut all, mut row) = (Latencies::new(), vec![0; BUCKETS]);
            let mut made = Vec::new();
            for (first, mut below, thousandths) in parts {
                below.sort_unstable();
                let mut one = Latencies::new();
                one.add_to_bucket(first, thousandths / 7);
                one.spread(first / 2, &below, thousandths);
                let mut mine = vec![0; BUCKETS];
                mine[first] += thousandths / 7;
                let mut given = 0;
                for (count, below) in mine[first / 2..].iter_mut().zip(below) {
                    *count += part(thousandths, below) - given;
                    given = part(thousandths, below);
                }
                all.merge(&one);
                row.iter_mut().zip(&mine).for_each(|(sum, mine)| *sum += mine);
                made.push((one, mine));
            }
            for (one, mine) in made.into_iter().take(gone) {
                all.unmerge(&one);
                row.iter_mut().zip(mine).for_each(|(sum, mine)| *sum -= mine);
            }
            let (first, used) = all.used();
            prop_assert_eq!(used, &row[first..first + used.len()]);
            prop_assert_eq!(all.thousandths(), row.iter().sum::<u64>());
            prop_assert_eq!(used.iter().sum::<u64>(), all.thousandths());
            let mut plain = Latencies::new();
            row.iter().enumerate().for_each(|(bucket, count)| plain.add_to_bucket(bucket, *count));
            prop_assert_eq!(&plain, &all);
            for percent in [0, 5, 50, 95, 100] {
                prop_assert_eq!(plain.quantile(percent, 100), all.quantile(percent, 100));
            }
            prop_assert_eq!(plain.above(Span::from_millis(10)), all.above(Span::from_millis(10)));
            let written = serde_json::to_string(&all).expect("writes");
            prop_assert_eq!(serde_json::from_str::<Latencies>(&written).expect("reads"), all);
        }
    }

    #[test]
    fn every_time_falls_between_the_bounds_of_its_bucket() {
        for nanos in (0..200_000).chain((1..60).map(|power| 1_u64 << power)).chain((1..60).map(|p| (1_u64 << p) - 1)) {
            let time = Span::from_nanos(nanos);
            let bucket = Latencies::bucket(time);
            assert!(Latencies::lower(bucket) <= time, "{time}");
            assert!(bucket == BUCKETS - 1 || time < Latencies::lower(bucket + 1), "{time}");
        }
    }

    #[test]
    fn quantiles_of_an_exponential_are_within_half_a_percent() {
        let mut times = Latencies::new();
        let n = 100_000_u32;
        for i in 0..n {
            let time = -libm::log(1.0 - (f64::from(i) + 0.5) / f64::from(n)) * 20e6;
            times.add(Span::from_nanos(crate::units::whole(time)), 1000);
        }
        for (percent, wanted) in [(50, 20e6 * core::f64::consts::LN_2), (95, 20e6 * 2.995_732), (99, 20e6 * 4.605_170)]
        {
            let seen = times.quantile(percent, 100).expect("requests").nanos() as f64;
            assert!((seen / wanted - 1.0).abs() < 0.005, "p{percent}: {seen} for {wanted}");
        }
        assert!((times.mean().expect("requests").nanos() as f64 / 20e6 - 1.0).abs() < 0.001);
        let written = serde_json::to_string(&times).expect("writes");
        assert_eq!(serde_json::from_str::<Latencies>(&written).expect("reads"), times);
    }
}
