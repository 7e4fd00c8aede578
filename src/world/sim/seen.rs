//! Who is late while times still change. Before you change it:
//! 1. To know which share of the answers comes too late takes their distribution, and making one takes longer than all
//!    else. So while times move, the last one made is stretched to the present mean, up to [`NEAR`] from its own.
//! 2. Once nothing moves any more, distributions are made that are no further off than [`STILL`]: what holds for long is
//!    not told by a stretched one.

use super::World;
use super::service::Service;
use super::service::Stretch;
use crate::model::Latencies;

/// How far the mean may be from that of the distribution, as a share, while it moves.
const NEAR: f64 = 0.04;
/// How far it may be when nothing moves.
const STILL: f64 = 1e-3;

/// Stretches between two samples up to which each has a distribution of its own.
const MANY: usize = 8;
/// How far the mean times of stretches are apart at most that share one, as a share: most are then less than half a
/// bucket from its mean.
const ALIKE: f64 = 0.04;

/// A distribution, and what it was made for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    number: usize,
    /// Mean time in seconds of requests that ended well.
    time: f64,
    network: usize,
}

/// A figure that is in proportion to a time, as long as that does not move far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Proportional {
    time: f64,
    figure: f64,
}

/// Whether figures that move are good enough, or those that are still are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Care {
    /// Distributions must be near.
    pub(super) exact: bool,
    /// One that is not near was used since the last look.
    pub(super) stretched: bool,
}

impl Care {
    /// Whether what was made for one time is good enough for another.
    fn is_enough(&mut self, now: f64, made: f64) -> bool {
        let away = (now / made - 1.0).abs();
        let enough = away <= if self.exact { STILL } else { NEAR };
        self.stretched |= enough && away > STILL;
        enough
    }
}

impl Proportional {
    /// The figure for a time, found anew where that is too far away.
    pub(super) fn at(self, time: f64, care: &mut Care) -> Option<f64> {
        care.is_enough(time, self.time).then(|| self.figure * time / self.time)
    }

    pub(super) const fn new(time: f64, figure: f64) -> Self {
        Self { time, figure }
    }
}

impl World {
    /// The distribution of a service's times, by number, and how much longer they are now.
    pub(super) fn seen(&mut self, index: usize) -> (usize, f64) {
        let service = &self.services[index];
        let (time, last) = (service.time_well, service.stretches.len() - 1);
        let network = service.stretches[last].network;
        if let Some(seen) = service.seen.filter(|seen| seen.network == network)
            && self.care.is_enough(time, seen.time)
        {
            return (seen.number, time / seen.time);
        }
        let number = self.number(index, last);
        self.services[index].seen = Some(Seen { number, time, network });
        (number, 1.0)
    }

    /// The share of a service's requests that stay within its timeout.
    pub(super) fn within(&mut self, index: usize) -> f64 {
        let (number, longer) = self.seen(index);
        self.library.times(number).within.at(longer)
    }

    /// Whether distributions must be made before the present means can be left alone.
    pub(super) fn look_closer(&mut self, still: bool) -> bool {
        let Care { exact, stretched } = core::mem::take(&mut self.care);
        self.care.exact = still && stretched && !exact;
        self.care.exact
    }
}

impl Service {
    /// Lets one distribution stand for stretches one after the other whose mean times are near, where there are many: the
    /// one that the request in their middle has.
    pub(super) fn merge_stretches(&mut self) {
        self.stands.clear();
        if self.stretches.len() <= MANY {
            return;
        }
        let mut first = 0;
        while first < self.stretches.len() {
            let begin = &self.stretches[first];
            let alike = |stretch: &&Stretch| {
                (stretch.mean() / begin.mean() - 1.0).abs() <= ALIKE
                    && stretch.network == begin.network
                    && stretch.on_disk.is_some() == begin.on_disk.is_some()
                    && stretch.on_line.is_some() == begin.on_line.is_some()
            };
            let count = self.stretches[first..].iter().take_while(alike).count().max(1);
            let group = &self.stretches[first..first + count];
            let mut left = group.iter().map(|stretch| stretch.served).sum::<f64>() / 2.0;
            let middle = group.iter().position(|stretch| {
                left -= stretch.served;
                left <= 0.0
            });
            self.stands.resize(first + count, first + middle.unwrap_or(0));
            first += count;
        }
    }
}

/// A figure of a distribution where all times are a bucket shorter, as they are, and a bucket longer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Nearby(pub(super) [f64; 3]);

impl Nearby {
    /// What a figure at a timeout is for.
    pub(super) fn of(timeout: f64, mut figure: impl FnMut(f64) -> f64) -> Self {
        let bucket = libm::exp2(1.0 / Latencies::PER_DOUBLING);
        Self([timeout * bucket, timeout, timeout / bucket].map(&mut figure))
    }

    /// The figure where all times are so many times as long.
    pub(super) fn at(self, longer: f64) -> f64 {
        let [shorter, here, further] = self.0;
        let buckets = libm::log2(longer) * Latencies::PER_DOUBLING;
        here + if buckets < 0.0 { buckets * (here - shorter) } else { buckets * (further - here) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of exponential times around a mean of 0.4 s, `exp(−1 / mean)` take longer than a second.
    #[test]
    fn who_is_late_moves_with_the_times() {
        let late = Nearby::of(1.0, |timeout| libm::exp(-timeout / 0.4));
        for longer in [0.96, 0.98, 1.0, 1.02, 1.04] {
            let wanted = libm::exp(-1.0 / (0.4 * longer));
            assert!((late.at(longer) / wanted - 1.0).abs() < 2e-3, "{} for {wanted}", late.at(longer));
        }
    }

    #[test]
    fn what_is_near_is_enough_until_nothing_moves() {
        let mut care = Care::default();
        let made = Proportional::new(1.0, 3.0);
        assert_eq!(made.at(1.03, &mut care), Some(3.0 * 1.03));
        assert!(care.stretched && made.at(1.05, &mut care).is_none());
        care = Care { exact: true, stretched: false };
        assert!(made.at(1.03, &mut care).is_none() && made.at(1.0005, &mut care).is_some() && !care.stretched);
        assert_eq!(Proportional::default().at(1.0, &mut care), None);
    }
}
