//! Distributions of the time that requests and answers take on the line. Before you change it:
//! 1. A transfer that is alone all the time takes its size over the bandwidth, not less. Who meets others takes longer, by a
//!    gamma distributed time whose mean and variance follow from those of all.
//! 2. Figures are rounded to levels, so that a distribution is made once and found again.

use super::Library;
use super::Times;
use super::disk::figure;
use super::disk::level;
use super::nearest;
use crate::model::Latencies;
use crate::world::sim::stages::mixed;

/// Levels of the share of transfers that meet another one, and of the variation.
const SHARES: f64 = 64.0;
/// Above this shape a gamma distribution is a point, as far as buckets show.
const POINT: f64 = 2000.0;

/// How long the transfers of a service take in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(in crate::world::sim) struct Transfer {
    /// Seconds on an idle line.
    pub(in crate::world::sim) alone: f64,
    /// Mean seconds.
    pub(in crate::world::sim) time: f64,
    /// Squared coefficient of variation.
    pub(in crate::world::sim) variation: f64,
    /// Share that meets another one.
    pub(in crate::world::sim) meets: f64,
}

/// Which distribution the time on the line follows: its request's and its answer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::world::sim) struct OnLine([Option<Key>; 2]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    alone: i32,
    longer: i32,
    variation: u16,
    meets: u16,
}

impl OnLine {
    /// The distribution of a request's and its answer's transfer; `None` where neither takes any time.
    pub(in crate::world::sim) fn of(transfers: [Transfer; 2]) -> Option<Self> {
        let keys = transfers.map(|transfer| {
            (transfer.alone > 0.0).then(|| Key {
                alone: level(transfer.alone),
                longer: level((transfer.time / transfer.alone).max(1.0)),
                variation: share(transfer.variation),
                meets: share(transfer.meets),
            })
        });
        keys.iter().any(Option::is_some).then_some(Self(keys))
    }
}

fn share(figure: f64) -> u16 {
    u16::try_from(nearest(figure.clamp(0.0, 1.0) * SHARES)).unwrap_or(0)
}

impl Key {
    fn times(self) -> Times {
        let (alone, longer) = (figure(self.alone), figure(self.longer));
        let [variation, meets] = [self.variation, self.meets].map(|figure| f64::from(figure) / SHARES);
        let (time, more) = (alone * longer, alone * (longer - 1.0));
        if more <= 0.0 || meets <= 0.0 {
            return Times::point(time);
        }
        // Of those who meet others: the mean and the variance of what they take longer.
        let mean = more / meets;
        let variance = (variation * time * time + more * more) / meets - mean * mean;
        let shape = mean * mean / variance.max(1e-12 * mean * mean);
        let met = if shape > POINT { Times::point(mean) } else { Times::gamma(shape, mean) };
        mixed(&[(1.0 - meets, Times::point(alone)), (meets, met.plus(&Times::point(alone)))])
    }
}

impl Times {
    /// Gamma distributed with this shape and mean in seconds. The density over a bucket, of which the power is integrated
    /// exactly and the exponential taken in its middle, is set to one in all.
    fn gamma(shape: f64, mean: f64) -> Self {
        let end = |bucket| Latencies::lower(bucket).as_secs().max(1e-12);
        let logarithm = |bucket: usize| {
            let (low, high) = (end(bucket), end(bucket + 1));
            let middle = f64::midpoint(low, high) * shape / mean;
            shape * libm::log(high) + libm::log(1.0 - libm::pow(low / high, shape)) - middle
        };
        let logarithms: Vec<f64> = (0..Latencies::buckets()).map(logarithm).collect();
        let most = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut shares: Vec<f64> = logarithms.iter().map(|one| libm::exp(one - most)).collect();
        let all: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= all);
        Self::of((0, shares)).trimmed()
    }
}

impl Library {
    /// The number of a distribution of times on the line.
    pub(in crate::world::sim) fn on_line(&mut self, key: OnLine) -> usize {
        if let Some(number) = self.lines.get(&key) {
            return *number;
        }
        let mut both = key.0.into_iter().flatten().map(Key::times);
        let one = both.next().unwrap_or_else(|| Times::point(0.0));
        let times = both.next().map_or_else(|| one.clone(), |other| one.plus(&other));
        let number = self.keep(times);
        self.lines.insert(key, number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(times: &Times, seconds: f64) -> f64 {
        1.0 - crate::world::sim::requests::above(times.first(), times.shares(), seconds)
    }

    /// Gamma distributions in every table: exponential for a shape of one, Erlang for whole ones, chi-squared for a half.
    #[test]
    fn gamma_distributions_are_those_of_tables() {
        for (shape, seconds, wanted) in
            [(1.0, 2.995_732, 0.95), (4.0, 7.753_657, 0.95), (0.5, 0.227_468, 0.5), (0.5, 1.920_729, 0.95)]
        {
            let found = below(&Times::gamma(shape, shape), seconds);
            assert!((found - wanted).abs() < 3e-3, "{found} for {wanted} at a shape of {shape}");
        }
    }

    #[test]
    fn a_transfer_takes_no_less_than_alone() {
        let mut library = Library::new(1);
        let transfer = Transfer { alone: 0.1, time: 0.2, variation: 0.4, meets: 0.6 };
        let number = library.on_line(OnLine::of([Transfer::default(), transfer]).expect("a transfer"));
        let times = library.times(number);
        assert!(below(times, 0.095) < 1e-3 && (below(times, 0.105) - 0.4).abs() < 0.05, "{}", below(times, 0.105));
        assert!((times.mean() / 0.2 - 1.0).abs() < 0.03, "{}", times.mean());
        assert_eq!(OnLine::of([Transfer::default(); 2]), None);
    }
}
