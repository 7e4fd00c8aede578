//! Distributions of response times, as quantiles and as shares by bucket.

use super::curve::hermite;
use crate::model::Latencies;
use crate::model::Spread;
use crate::world::sim::queueing;

/// How many quantiles describe a distribution.
pub const QUANTILES: usize = 17;

/// The probabilities of the quantiles.
pub const PROBABILITIES: [f64; QUANTILES] =
    [0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 0.9999];

/// Beyond the last quantile the tail is exponential, up to this many multiples of its unit.
const TAIL: f64 = 16.0;

/// How far from its place between two others a distribution is moved at most to meet its mean, as a part of the way.
const FURTHEST: f64 = 0.25;
/// Steps of Newton's method towards it; what is left of the error after two is far below a bucket.
const NEWTON: usize = 2;
/// Below this growth of the mean along the way, as a share of it, the place says nothing about the mean.
const LEAST_SLOPE: f64 = 0.01;

/// A distribution of times in seconds, given by quantiles. Between two of them `−ln(1 − p)` is a cubic that only grows, so
/// that an exponential distribution is met exactly and one with a heavier tail well.
#[derive(Debug, Clone)]
pub(super) struct Law {
    /// Time in seconds, and minus the logarithm of the share that takes longer.
    points: [(f64, f64); QUANTILES + 2],
}

impl Law {
    /// The distribution with these times in seconds at [`PROBABILITIES`].
    pub(super) fn new(quantiles: &[f64; QUANTILES]) -> Self {
        let mut points = [(0.0, 0.0); QUANTILES + 2];
        points[0] = (quantiles[0] / 2.0, 0.0);
        let mut before = points[0];
        for ((point, &time), &probability) in points[1..].iter_mut().zip(quantiles).zip(&PROBABILITIES) {
            *point = (time.max(before.0), -libm::log(1.0 - probability));
            before = *point;
        }
        let earlier = points[QUANTILES - 1];
        let pace = (before.0 - earlier.0) / (before.1 - earlier.1);
        points[QUANTILES + 1] = (before.0 + pace.max(1e-9) * (TAIL - before.1), TAIL);
        Self { points }
    }

    /// The same distribution, faster or slower, so that it has this mean in seconds.
    pub(super) fn with_mean(self, mean: f64) -> Self {
        let mut reached = self.earliest();
        for segment in 0..self.points.len() - 1 {
            let (from, to) = (self.points[segment], self.points[segment + 1]);
            let span = to.0 - from.0;
            let slopes = self.slopes(segment);
            let left = |part: f64| libm::exp(-hermite(from.1, to.1, slopes[0] * span, slopes[1] * span, part).0);
            if span > 0.0 {
                let ends = libm::exp(-from.1) + libm::exp(-to.1);
                reached += span * (ends + 4.0 * (left(0.25) + left(0.75)) + 2.0 * left(0.5)) / 12.0;
            }
        }
        self.paced(mean / reached)
    }

    const fn earliest(&self) -> f64 {
        self.points[0].0
    }

    const fn latest(&self) -> f64 {
        self.points[QUANTILES + 1].0
    }

    /// Minus the logarithm of the share that takes longer than each of some growing times.
    fn exponents(&self, times: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut segment = 0;
        let mut slopes = self.slopes(0);
        let exponent = |time: f64| {
            let before = segment;
            while segment + 2 < self.points.len() && self.points[segment + 1].0 <= time {
                segment += 1;
            }
            if segment != before {
                slopes = self.slopes(segment);
            }
            let (from, to) = (self.points[segment], self.points[segment + 1]);
            let span = to.0 - from.0;
            let part = if span > 0.0 { ((time - from.0) / span).clamp(0.0, 1.0) } else { 1.0 };
            if time < from.0 { from.1 } else { hermite(from.1, to.1, slopes[0] * span, slopes[1] * span, part).0 }
        };
        times.map(exponent).collect()
    }

    /// Slopes at both ends of a segment, of the harmonic mean of those beside it; an atom has no length, so there only
    /// the other side counts.
    fn slopes(&self, segment: usize) -> [f64; 2] {
        let flatness = |segment: usize| {
            let (from, to) = (self.points[segment], self.points[segment + 1]);
            (to.0 - from.0) / (to.1 - from.1)
        };
        let here = flatness(segment).max(f64::MIN_POSITIVE);
        let left = if segment == 0 { here } else { flatness(segment - 1) };
        let right = if segment + 2 == self.points.len() { here } else { flatness(segment + 1) };
        [2.0 / (left + here), 2.0 / (here + right)]
    }

    /// Shares by bucket: the first bucket, then shares that add up to one.
    pub(super) fn shares(&self) -> (usize, Vec<f64>) {
        let (first, last) = (bucket(self.earliest()), bucket(self.latest()));
        (first, shares_of(self.exponents(ends(first, last)).into_iter()))
    }

    /// Shares by bucket of a distribution about `part` of the way to another, so that it has this mean in seconds. What is
    /// mixed is the logarithm of the share that takes longer, so that what becomes more frequent does not move in time.
    /// What the way cannot give, since the ends do not quite fit the mean, a change of pace does.
    pub(super) fn mixed(self, other: Self, part: f64, mean: f64) -> (usize, Vec<f64>) {
        let (first, shares) = self.mixed_near(&other, part, mean);
        let pace = mean / mean_of(first, &shares);
        // Where many take the same time, the middle of their bucket may be 2.2 % off without any error.
        let enough = if shares.iter().any(|share| *share > 0.2) { 0.03 } else { 0.012 };
        if (pace - 1.0).abs() < enough {
            return (first, shares);
        }
        self.paced(pace).mixed_near(&other.paced(pace), part, mean)
    }

    /// The same distribution, all times multiplied.
    fn paced(mut self, pace: f64) -> Self {
        self.points.iter_mut().for_each(|point| point.0 *= pace);
        self
    }

    fn mixed_near(&self, other: &Self, part: f64, mean: f64) -> (usize, Vec<f64>) {
        let first = bucket(self.earliest().min(other.earliest()));
        let last = bucket(self.latest().max(other.latest()));
        let (mine, theirs) = (self.exponents(ends(first, last)), other.exponents(ends(first, last)));
        let shares =
            |part: f64| shares_of(mine.iter().zip(&theirs).map(|(mine, theirs)| mine + part * (theirs - mine)));
        // The mean at a part of the way, and by how much it grows along it: each share that is left takes as much longer as
        // the next bucket's middle lies beyond this one's.
        let longer: Vec<f64> = (first..last).map(|index| middle(index + 1) - middle(index)).collect();
        let reached = |part: f64| {
            let (mut sum, mut slope) = (middle(first), 0.0);
            for ((mine, theirs), longer) in mine.iter().zip(&theirs).zip(&longer) {
                let time = libm::exp(-(mine + part * (theirs - mine))) * longer;
                sum += time;
                slope += (mine - theirs) * time;
            }
            (sum, slope)
        };
        let mut best = part;
        for _ in 0..NEWTON {
            let (sum, slope) = reached(best);
            if slope < LEAST_SLOPE * sum {
                break;
            }
            best = (best + (mean - sum) / slope).clamp((part - FURTHEST).max(0.0), (part + FURTHEST).min(1.0));
        }
        (first, shares(best))
    }
}

/// The ends of the buckets from the first up to, not including, the last, in seconds.
fn ends(first: usize, last: usize) -> impl Iterator<Item = f64> {
    (first..last).map(|index| Latencies::lower(index + 1).as_secs())
}

/// Shares by bucket from minus the logarithm of what is left after each; the last has the rest.
fn shares_of(exponents: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut left = 1.0;
    let mut shares: Vec<f64> = exponents
        .map(|exponent| {
            let now = libm::exp(-exponent).min(left);
            let share = left - now;
            left = now;
            share
        })
        .collect();
    shares.push(left);
    shares
}

/// Shares by bucket of times in seconds, each with its share: it goes to the two buckets whose middles are around it, so
/// that the mean stays.
pub(super) fn gathered(times: impl Iterator<Item = (f64, f64)>) -> (usize, Vec<f64>) {
    let mut all = vec![0.0; Latencies::buckets()];
    let last = all.len() - 2;
    for (time, share) in times {
        let bucket = bucket(time).min(last);
        let below = if time < middle(bucket) { bucket.saturating_sub(1) } else { bucket };
        let (from, to) = (middle(below), middle(below + 1));
        let part = ((time - from) / (to - from)).clamp(0.0, 1.0);
        all[below] += (1.0 - part) * share;
        all[below + 1] += part * share;
    }
    let first = all.iter().position(|share| *share > 0.0).unwrap_or(0);
    let end = all.iter().rposition(|share| *share > 0.0).unwrap_or(first);
    (first, all[first..=end].to_vec())
}

/// The middle of a bucket in seconds.
pub(super) fn middle(index: usize) -> f64 {
    f64::midpoint(Latencies::lower(index).as_secs(), Latencies::lower(index + 1).as_secs())
}

/// The mean in seconds of shares by bucket, each in the middle of its bucket.
fn mean_of(first: usize, shares: &[f64]) -> f64 {
    shares.iter().enumerate().map(|(index, share)| share * middle(first + index)).sum()
}

/// Shares by bucket where requests of exponential work wait for one of so many workers in order: M/M/c, exactly.
/// A request waits with Erlang C's chance, then exponentially with rate `(servers · (1 − load)) / work`, and is then worked on.
pub(super) fn erlang_shares(servers: u32, load: f64, work: f64) -> (usize, Vec<f64>) {
    let waits = queueing::erlang_c(servers, load);
    let rate = f64::from(servers) * (1.0 - load);
    let latest = work * TAIL * (1.0 + 1.0 / rate);
    shares_below(0.0, latest, move |time| {
        let time = time / work;
        let done = libm::exp(-time);
        let both =
            if (rate - 1.0).abs() < 1e-6 { time * done } else { (done - libm::exp(-rate * time)) / (rate - 1.0) };
        1.0 - done - waits * both
    })
}

/// Shares by bucket of a distribution function asked at growing times, all of it between `earliest` and `latest`.
fn shares_below(earliest: f64, latest: f64, mut below: impl FnMut(f64) -> f64) -> (usize, Vec<f64>) {
    let first = bucket(earliest);
    let last = bucket(latest);
    let mut shares = Vec::with_capacity(last + 1 - first);
    let mut before = 0.0;
    for index in first..last {
        let now = below(Latencies::lower(index + 1).as_secs()).clamp(before, 1.0);
        shares.push(now - before);
        before = now;
    }
    shares.push(1.0 - before);
    (first, shares)
}

/// The bucket of a time in seconds.
fn bucket(seconds: f64) -> usize {
    Latencies::bucket(crate::units::Span::from_nanos(crate::units::whole(seconds * 1e9)))
}

/// Shares by bucket of a wait of `shift` seconds and then a time of the spread with this mean in seconds.
pub(super) fn spread_shares(spread: Spread, mean: f64, shift: f64) -> (usize, Vec<f64>) {
    match spread {
        Spread::Constant => (bucket(shift + mean), vec![1.0]),
        Spread::Exponential => {
            shares_below(shift, shift + mean * TAIL, |time| 1.0 - beyond(spread, mean, time - shift))
        }
        Spread::Heavy => {
            shares_below(shift, shift + mean * 5.5 * TAIL, |time| 1.0 - beyond(spread, mean, time - shift))
        }
    }
}

/// The share of times of the spread with this mean that are longer than `time`, all in seconds.
pub(super) fn beyond(spread: Spread, mean: f64, time: f64) -> f64 {
    let time = time.max(0.0) / mean;
    match spread {
        Spread::Constant => f64::from(time < 1.0),
        Spread::Exponential => libm::exp(-time),
        Spread::Heavy => 0.9 * libm::exp(-time / 0.5) + 0.1 * libm::exp(-time / 5.5),
    }
}

/// Mean and mean square of times of the spread with this mean, each counted up to `most`, all in seconds.
pub(super) fn limited(spread: Spread, mean: f64, most: f64) -> [f64; 2] {
    let exponential = |mean: f64| {
        let left = libm::exp(-most / mean);
        [mean * (1.0 - left), 2.0 * mean * (mean - left * (mean + most))]
    };
    match spread {
        Spread::Constant => [mean.min(most), mean.min(most) * mean.min(most)],
        Spread::Exponential => exponential(mean),
        Spread::Heavy => {
            let [short, long] = [exponential(0.5 * mean), exponential(5.5 * mean)];
            [0.9 * short[0] + 0.1 * long[0], 0.9 * short[1] + 0.1 * long[1]]
        }
    }
}
