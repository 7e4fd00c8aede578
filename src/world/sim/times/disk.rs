//! Distributions of the time that requests wait for the disk: their accesses, one after another. Before you change it:
//! 1. An access finds the device idle or busy; it waits with the chance that it is busy (Poisson arrivals see time
//!    averages), then, as in M/M/1, for an exponential time, here with the mean of M/G/1.
//! 2. Of each kind of access a request has so many at most, each independently with the same chance: reads that may hit.
//! 3. Figures are rounded to levels, so that a distribution is made once and found again.

use super::Library;
use super::NOTHING;
use super::PER_DOUBLING;
use super::Times;
use super::nearest;
use crate::model::Latencies;
use crate::units::Span;
use crate::units::whole;

/// Levels of a time or a chance in one doubling.
const LEVELS: f64 = 32.0;
/// Levels of the share of time in which the device is busy.
const BUSY_LEVELS: f64 = 200.0;

/// Accesses of one kind: at most how many in a request, the chance of each, and its time on an idle device.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(in crate::world::sim) struct Accesses {
    most: u32,
    chance: f64,
    alone: f64,
}

/// The accesses of a request and how long they take.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(in crate::world::sim) struct Access {
    /// Reads that miss, writes, and reads from swap.
    pub(in crate::world::sim) kinds: [Accesses; 3],
    /// Mean wait for the device in seconds.
    pub(in crate::world::sim) wait: f64,
    /// Share of time in which the device is busy.
    pub(in crate::world::sim) busy: f64,
}

/// Which distribution the times for the disk follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::world::sim) struct OnDisk {
    kinds: [(u32, i32, i32); 3],
    wait: i32,
    busy: u32,
}

impl OnDisk {
    /// The distribution of a request's accesses; `None` where it has none.
    pub(in crate::world::sim) fn of(access: &Access) -> Option<Self> {
        let kinds = access.kinds.map(|kind| match kind.most {
            0 => (0, 0, 0),
            most => (most, level(kind.chance.max(1e-9)), level(kind.alone.max(1e-9))),
        });
        if kinds.iter().all(|kind| kind.0 == 0) {
            return None;
        }
        // Of a wait that hardly ever happens nothing is seen.
        let busy = u32::try_from(nearest(access.busy * BUSY_LEVELS)).unwrap_or(0);
        let wait = if busy == 0 { 0 } else { level((access.wait / access.busy).max(1e-9)) };
        Some(Self { kinds, wait, busy })
    }
}

/// A positive figure as a level on a logarithmic scale.
pub(super) fn level(figure: f64) -> i32 {
    i32::try_from(nearest(libm::log2(figure) * LEVELS)).unwrap_or(0)
}

/// The figure of a level.
pub(super) fn figure(level: i32) -> f64 {
    libm::exp2(f64::from(level) / LEVELS)
}

fn bucket(seconds: f64) -> usize {
    Latencies::bucket(Span::from_nanos(whole(seconds * 1e9)))
}

impl Times {
    /// `mean` accesses of a request on average and at most `most`, each of so many seconds on an idle device.
    pub(in crate::world::sim) fn accesses(mean: f64, most: f64, alone: f64) -> Accesses {
        let most = u32::try_from(whole(most.ceil())).unwrap_or(u32::MAX);
        if mean <= 0.0 || most == 0 {
            return Accesses::default();
        }
        Accesses { most, chance: (mean / f64::from(most)).min(1.0), alone }
    }

    /// The time of one access that happens with a chance: nothing, or `alone`, or that and an exponential wait.
    fn access(chance: f64, alone: f64, busy: f64, wait: f64) -> Self {
        let first = bucket(alone);
        let last = bucket(alone + wait * libm::log(1.0 / NOTHING)).max(first);
        let mut shares = vec![0.0; last + 1];
        shares[0] += 1.0 - chance;
        shares[first] += chance * (1.0 - busy);
        let beyond = |seconds: f64| if wait > 0.0 { libm::exp(-(seconds - alone).max(0.0) / wait) } else { 0.0 };
        for (place, share) in shares.iter_mut().enumerate().skip(first) {
            let upper = if place == last { 0.0 } else { beyond(Latencies::lower(place + 1).as_secs()) };
            let lower = if place == first { 1.0 } else { beyond(Latencies::lower(place).as_secs()) };
            *share += chance * busy * (lower - upper);
        }
        let empty = shares.iter().take_while(|share| **share == 0.0).count();
        Self::of((empty, shares.split_off(empty)))
    }
}

impl Library {
    /// The number of a distribution of times for the disk.
    pub(in crate::world::sim) fn on_disk(&mut self, key: OnDisk) -> usize {
        if let Some(number) = self.disks.get(&key) {
            return *number;
        }
        let (busy, wait) = (f64::from(key.busy) / BUSY_LEVELS, if key.busy == 0 { 0.0 } else { figure(key.wait) });
        let mut all: Option<Times> = None;
        for (most, chance, alone) in key.kinds.into_iter().filter(|kind| kind.0 > 0) {
            let one = Times::access(figure(chance).min(1.0), figure(alone), busy, wait);
            let together = self.repeated(&one, most);
            all = Some(all.map_or_else(|| together.clone(), |all| all.plus(&together)));
        }
        self.times.push(all.unwrap_or_else(|| Times::of((0, vec![1.0]))));
        self.disks.insert(key, self.times.len() - 1);
        self.times.len() - 1
    }
}

const _: () = assert!(LEVELS >= PER_DOUBLING, "levels are no coarser than buckets");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use crate::world::sim::traffic::uniform;

    /// Mean time of a distribution, and its percentiles, in seconds.
    fn figures(times: &Times) -> [f64; 3] {
        let quantile = |part: f64| {
            let mut below = 0.0;
            let place = times.shares.iter().position(|share| {
                below += share;
                below >= part
            });
            let place = times.first + place.unwrap_or(times.shares.len() - 1);
            f64::midpoint(Latencies::lower(place).as_secs(), Latencies::lower(place + 1).as_secs())
        };
        [times.mean(), quantile(0.5), quantile(0.95)]
    }

    /// Three accesses of a request against a device that is simulated: M/D/1 with a turn of 0.1 ms, 0.4 ms beside it. What
    /// a request finds is drawn three times from what all accesses waited.
    #[test]
    fn times_for_the_disk_are_those_of_a_simulated_device() {
        for (busy, within) in [(0.3, 0.05), (0.8, 0.08)] {
            let mut random = Seed::new(9).stream("device");
            let (mut now, mut free, mut waits) = (0.0, 0.0_f64, Vec::new());
            for _ in 0..300_000 {
                now += -libm::log(uniform(&mut random)) * 1e-4 / busy;
                waits.push((free - now).max(0.0));
                free = free.max(now) + 1e-4;
            }
            let pick = |random: &mut _| waits[usize::try_from(whole(uniform(random) * 299_999.0)).expect("a place")];
            let mut sums: Vec<f64> = (0..100_000).map(|_| (0..3).map(|_| 5e-4 + pick(&mut random)).sum()).collect();
            sums.sort_by(f64::total_cmp);
            let wait = 1e-4 * busy / (2.0 * (1.0 - busy));
            let access = Access {
                kinds: [Times::accesses(3.0, 3.0, 5e-4), Accesses::default(), Accesses::default()],
                wait,
                busy,
            };
            let mut library = Library::new(1);
            let number = library.on_disk(OnDisk::of(&access).expect("accesses"));
            let [mean, median, p95] = figures(library.times(number));
            let found = [mean / sums.iter().sum::<f64>() * 1e5, median / sums[50_000], p95 / sums[95_000]];
            assert!(found.iter().all(|ratio| (ratio - 1.0).abs() < within), "{found:?} at {busy}");
        }
    }

    /// One read in four misses: a quarter of the requests take an access, the others nothing.
    #[test]
    fn a_read_that_hits_takes_no_time() {
        let access = Access {
            kinds: [Times::accesses(0.25, 1.0, 1e-3), Accesses::default(), Accesses::default()],
            wait: 0.0,
            busy: 0.0,
        };
        let mut library = Library::new(1);
        let number = library.on_disk(OnDisk::of(&access).expect("accesses"));
        let times = library.times(number);
        assert!((times.shares[0] - 0.75).abs() < 0.01 && times.first == 0, "{:?}", times.shares);
        assert!((times.mean() / 0.25e-3 - 1.0).abs() < 0.03);
        assert_eq!(OnDisk::of(&Access::default()), None);
    }
}
