//! Distributions of response times, as quantiles and as shares by bucket.

use crate::model::Latencies;
use crate::model::Spread;

/// How many quantiles describe a distribution.
pub const QUANTILES: usize = 18;

/// The probabilities of the quantiles.
pub const PROBABILITIES: [f64; QUANTILES] =
    [0.005, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 0.9999];

/// Beyond the last quantile the tail is exponential, up to this many multiples of its unit.
const TAIL: f64 = 16.0;

/// Shares by bucket of a distribution given by quantiles in seconds: the first bucket, then shares that add up to one.
///
/// Between two quantiles `−ln(1 − p)` is linear in time, so that an exponential distribution is met exactly.
pub(super) fn shares(quantiles: &[f64; QUANTILES]) -> (usize, Vec<f64>) {
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
    shares_below(points[0].0, points[QUANTILES + 1].0, {
        let mut segment = 0;
        move |time| {
            while segment + 2 < points.len() && points[segment + 1].0 <= time {
                segment += 1;
            }
            let (from, to) = (points[segment], points[segment + 1]);
            let part = if to.0 > from.0 { ((time - from.0) / (to.0 - from.0)).clamp(0.0, 1.0) } else { 1.0 };
            1.0 - libm::exp(-(from.1 + part * (to.1 - from.1)))
        }
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
            shares_below(shift, shift + mean * TAIL, move |time| 1.0 - libm::exp(-(time - shift).max(0.0) / mean))
        }
        Spread::Heavy => shares_below(shift, shift + mean * 5.5 * TAIL, move |time| {
            let time = (time - shift).max(0.0) / mean;
            1.0 - 0.9 * libm::exp(-time / 0.5) - 0.1 * libm::exp(-time / 5.5)
        }),
    }
}
