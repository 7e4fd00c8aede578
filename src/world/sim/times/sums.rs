//! The distribution of the sum of two independent times. Before you change it:
//! 1. Buckets are a fixed ratio apart, so by how much the longer of two times moves when the shorter one is added depends on
//!    how many buckets they are apart only. Where it moves between the same two buckets, the share that goes to the upper one
//!    is linear in the shorter time: one running sum of shares and one of shares times time do for all of these.
//! 2. Each pair's share is split between the two buckets around the sum, so that the mean stays.

use super::PER_DOUBLING;
use super::Times;
use crate::model::Latencies;
use crate::units;
use std::sync::LazyLock;

/// By how many buckets a time moves at most when a shorter one is added: it doubles.
const FURTHEST: usize = 16;

/// Pairs of times that are so many buckets apart that their sum lies between the same two buckets.
struct Apart {
    /// Buckets by which the longer one moves at least.
    moved: usize,
    /// Least and most buckets that they are apart.
    from: usize,
    to: usize,
    /// What goes to the bucket after it: `base + slope · shorter / longer`.
    base: f64,
    slope: f64,
}

/// All that is apart, the nearest first; the last one has no end.
static APARTS: LazyLock<Vec<Apart>> = LazyLock::new(|| {
    let moved = |apart: usize| units::place((libm::log2(1.0 + SHORTER[apart]) * PER_DOUBLING + 1e-9).floor());
    let mut aparts: Vec<Apart> = Vec::with_capacity(FURTHEST + 1);
    let mut apart = 0;
    loop {
        let here = moved(apart);
        if let Some(last) = aparts.last_mut() {
            last.to = apart - 1;
        }
        let (low, high) = (libm::exp2(here as f64 / PER_DOUBLING), libm::exp2((here + 1) as f64 / PER_DOUBLING));
        aparts.push(Apart {
            moved: here,
            from: apart,
            to: usize::MAX,
            base: (1.0 - low) / (high - low),
            slope: 1.0 / (high - low),
        });
        if here == 0 {
            return aparts;
        }
        while moved(apart) == here {
            apart += 1;
        }
    }
});

/// One over the ratio of two times so many buckets apart.
static SHORTER: LazyLock<Vec<f64>> =
    LazyLock::new(|| (0..=Latencies::buckets()).map(|apart| libm::exp2(-(apart as f64) / PER_DOUBLING)).collect());

/// Running sums over the buckets of a distribution, from a bucket below its first one on; each without its own bucket.
struct Running {
    shares: Vec<f64>,
    /// Of shares times the ratio to the time of the distribution's first bucket.
    times: Vec<f64>,
}

impl Running {
    /// Sums up to the bucket `end`, and from so many buckets before the distribution on.
    fn of(times: &Times, before: usize, end: usize) -> Self {
        let length = before + end.saturating_sub(times.first) + 1;
        let (mut shares, mut moments) = (vec![0.0; length], vec![0.0; length]);
        let (mut share, mut moment) = (0.0, 0.0);
        let sums = shares.iter_mut().zip(&mut moments).skip(before + 1);
        let all = times.shares.iter().copied().chain(core::iter::repeat(0.0));
        for ((place, sum), added) in sums.enumerate().zip(all) {
            if added > 0.0 {
                share += added;
                moment += added / SHORTER[place];
            }
            (*sum.0, *sum.1) = (share, moment);
        }
        Self { shares, times: moments }
    }

    /// So many sums from a place on.
    fn from(&self, place: usize, count: usize) -> (&[f64], &[f64]) {
        (&self.shares[place..][..count], &self.times[place..][..count])
    }
}

/// The shorter times that one step of [`Apart`] takes, for each of the longer ones: running sums of which one is taken from
/// the other.
struct Sums<'a> {
    /// One over how much longer the longer one is than the first of the shorter ones.
    ratios: &'a [f64],
    near: (&'a [f64], &'a [f64]),
    /// `None` where all that are shorter count.
    far: Option<(&'a [f64], &'a [f64])>,
}

impl Sums<'_> {
    /// Adds to `lower` what stays in the lower bucket, and sets `upper` to what goes to the one after it.
    ///
    /// Plain loops over places, so that several are done at once.
    fn split(&self, long: &[f64], apart: &Apart, lower: &mut [f64], upper: &mut [f64]) {
        let count = long.len();
        let (ratios, near, lower, upper) = (
            &self.ratios[..count],
            (&self.near.0[..count], &self.near.1[..count]),
            &mut lower[..count],
            &mut upper[..count],
        );
        let Some(far) = self.far else {
            for place in 0..count {
                let (share, time) = (near.0[place], near.1[place] * ratios[place]);
                upper[place] = long[place] * (apart.base * share + apart.slope * time);
                lower[place] += long[place] * share - upper[place];
            }
            return;
        };
        let far = (&far.0[..count], &far.1[..count]);
        for place in 0..count {
            let (share, time) = (near.0[place] - far.0[place], (near.1[place] - far.1[place]) * ratios[place]);
            upper[place] = long[place] * (apart.base * share + apart.slope * time);
            lower[place] += long[place] * share - upper[place];
        }
    }
}

impl Times {
    /// The distribution of the sum of two independent times.
    pub(in crate::world::sim) fn plus(&self, other: &Self) -> Self {
        let first = self.first.max(other.first);
        let last = self.end().max(other.end());
        let mut shares = vec![0.0; last - first + FURTHEST + 2];
        let mut upper = vec![0.0; self.shares.len().max(other.shares.len())];
        let before = APARTS.last().map_or(0, |apart| apart.from);
        for (longer, shorter, nearest) in [(self, other, 0), (other, self, 1)] {
            let running = Running::of(shorter, before, longer.end());
            for apart in APARTS.iter().filter(|apart| apart.to >= nearest) {
                let from = apart.from.max(nearest);
                let start = longer.first.max(shorter.first + from);
                if start >= longer.end() {
                    continue;
                }
                let long = &longer.shares[start - longer.first..];
                let near = before + start - shorter.first - from + 1;
                let far = if apart.to == usize::MAX { 0 } else { near + from - apart.to - 1 };
                let sums = Sums {
                    ratios: &SHORTER[start - shorter.first..][..long.len()],
                    near: running.from(near, long.len()),
                    far: (apart.to < usize::MAX).then(|| running.from(far, long.len())),
                };
                let (lower, upper) = (&mut shares[start - first + apart.moved..], &mut upper[..long.len()]);
                sums.split(long, apart, &mut lower[..long.len()], upper);
                for (share, up) in lower[1..].iter_mut().zip(upper) {
                    *share += *up;
                }
            }
        }
        // Differences of running sums are not exactly zero where nothing is.
        shares.iter_mut().for_each(|share| *share = share.max(0.0));
        Self::of((first, shares)).trimmed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Each pair's sum, one after the other.
    fn slow(one: &Times, other: &Times) -> Vec<f64> {
        let mut shares = vec![0.0; Latencies::buckets() + FURTHEST + 2];
        for (p, long) in one.shares.iter().zip(one.first..) {
            for (q, short) in other.shares.iter().zip(other.first..) {
                let (long, short) = (long.max(short), long.min(short));
                let sum = 1.0 + libm::exp2(-((long - short) as f64) / PER_DOUBLING);
                let moved = (libm::log2(sum) * PER_DOUBLING + 1e-9).floor();
                let (low, high) = (libm::exp2(moved / PER_DOUBLING), libm::exp2((moved + 1.0) / PER_DOUBLING));
                let part = ((sum - low) / (high - low)).clamp(0.0, 1.0);
                let place = long + crate::units::place(moved);
                shares[place] += p * q * (1.0 - part);
                shares[place + 1] += p * q * part;
            }
        }
        shares
    }

    fn times() -> impl Strategy<Value = Times> {
        (0..Latencies::buckets() - 200, prop::collection::vec(0.0..1.0, 1..180)).prop_map(
            |(first, shares): (_, Vec<f64>)| {
                let whole: f64 = shares.iter().sum::<f64>() + 1e-6;
                let mut shares: Vec<f64> = shares.iter().map(|share| share / whole).collect();
                shares[0] += 1e-6 / whole;
                Times::of((first, shares))
            },
        )
    }

    proptest! {
        #[test]
        fn running_sums_give_what_all_pairs_give(one in times(), other in times()) {
            let (fast, slow) = (one.plus(&other), slow(&one, &other));
            let slow = Times::of((0, slow)).trimmed();
            prop_assert_eq!(fast.first, slow.first);
            prop_assert_eq!(fast.shares.len(), slow.shares.len());
            for (place, (fast, slow)) in fast.shares.iter().zip(&slow.shares).enumerate() {
                prop_assert!((fast - slow).abs() < 1e-12, "{place}: {fast} for {slow}");
            }
        }
    }
}
