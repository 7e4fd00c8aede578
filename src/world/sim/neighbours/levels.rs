//! What containers ask for of the cores at each level, where each may have its weight times the level: cores by weight.
//!
//! To each of them the others ask for what all do without itself, so that is kept at some levels for all together and for each,
//! and between them goes along a straight line: a host of twenty containers takes some hundred exponentials, not some
//! ten thousand.

use super::Neighbour;
use super::SharedCores;
use crate::world::sim::queueing;

/// Levels that are kept. Half as many move what is found by up to a percent.
const LEVELS: usize = 64;

/// How one asks for cores: the chance that it does, the mean number of requests inside, the chance that beside so many there is
/// one more, and its logarithm.
#[derive(Debug, Clone, Copy)]
struct Asks {
    busy: f64,
    inside: f64,
    more: f64,
    log_more: f64,
}

/// How many requests somebody has on the cores tells how often it has none there: with all sharing the cores that is known,
/// between the geometric number of one core and Poisson's of endless ones, and it stays at that part of the way.
#[derive(Debug, Clone, Copy)]
struct Presence {
    uses: f64,
    /// Part of the way to Poisson's.
    poisson: f64,
}

/// What is asked for at a level.
#[derive(Debug, Clone, Copy, Default)]
struct Asked {
    /// On average, by whom nobody is kept from anything.
    mean: f64,
    /// On average, by whom catches up.
    used: f64,
    /// As much as if all had enough to do.
    most: f64,
    /// The variance of the mean, and of each the same times the seconds for which it lasts.
    varies: Varies,
}

/// How what is asked for varies.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Varies {
    pub(super) variance: f64,
    /// Times the seconds for which it lasts.
    pub(super) lasts: f64,
}

/// What is asked for at some levels.
#[derive(Debug, Default)]
pub(super) struct Levels {
    /// The levels, ascending.
    at: Vec<f64>,
    presences: Vec<Presence>,
    /// By how much the work is stretched where all share all cores.
    stretched: f64,
    /// Of each container at each level.
    each: Vec<Asked>,
    /// Of all together.
    all: Vec<Asked>,
}

impl Levels {
    /// Lays out the levels between that at which all ask for all they can have, and that at which each can have all it wants.
    pub(super) fn begin(&mut self, all: &[Neighbour], weights: f64, shared: SharedCores) {
        let low = shared.capacity / weights;
        let high = all.iter().map(|one| one.cap / one.weight).fold(low, f64::max);
        let apart = libm::log(high / low) / (LEVELS - 1) as f64;
        self.at.clear();
        self.at.extend((0..LEVELS).map(|place| low * libm::exp(apart * place as f64)));
        let empty = Empty::of(shared.cores, shared.used);
        self.presences.clear();
        self.presences.extend(all.iter().map(|one| Presence::of(one.uses, &empty, shared.stretched)));
        self.stretched = shared.stretched;
    }

    /// Finds what is asked for where the work of each is stretched so.
    pub(super) fn fill(&mut self, all: &[Neighbour], stretch: impl Fn(usize) -> f64) {
        self.each.clear();
        self.all.clear();
        self.all.resize(LEVELS, Asked::default());
        for (place, (one, presence)) in all.iter().zip(&self.presences).enumerate() {
            let asks = presence.asks(stretch(place));
            // Who has used up its quota is gone until the next period.
            let lasts = one.in_the_way * self.stretched * asks.busy / one.uses;
            let (mut asked, mut room) = (Asked::default(), 0.0);
            for (level, sum) in self.at.iter().zip(&mut self.all) {
                if room < one.cap {
                    room = (one.weight * level).min(one.cap);
                    asked = Asked::of(one, &asks, lasts, room);
                }
                *sum = sum.plus(&asked, one.count);
                self.each.push(asked);
            }
        }
    }

    /// What all others ask for beside one of them, who sees how much shorter their requests are.
    pub(super) fn beside<'a>(&'a self, index: usize, one: &Neighbour, shorter: f64) -> View<'a> {
        let own = &self.each[index * LEVELS..(index + 1) * LEVELS];
        View { at: &self.at, all: &self.all, own, weight: one.weight, shorter }
    }
}

/// What the others ask for beside one.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    at: &'a [f64],
    all: &'a [Asked],
    own: &'a [Asked],
    weight: f64,
    shorter: f64,
}

impl View<'_> {
    fn others(&self, place: usize) -> Asked {
        self.all[place].plus(&self.own[place], -1.0)
    }

    /// What they ask for at a place, if it is `part` of what they usually do, or all that they can have.
    fn asked(&self, place: usize, part: f64) -> f64 {
        let others = self.others(place);
        // Who catches up asks for what it uses.
        ((others.mean + (others.used - others.mean) * self.shorter) * part).clamp(0.0, others.most.max(0.0))
    }

    /// The level at which nothing is left over of the cores when this one wants all it can get.
    pub(super) fn level(&self, capacity: f64, part: f64) -> f64 {
        let wanted = |place: usize| self.asked(place, part) + self.weight * self.at[place];
        let (mut below, mut above) = (0, LEVELS - 1);
        if wanted(above) <= capacity {
            // Beyond, nobody else asks for more.
            return (capacity - self.asked(above, part)) / self.weight;
        }
        while above - below > 1 {
            let middle = usize::midpoint(below, above);
            if wanted(middle) <= capacity { below = middle } else { above = middle }
        }
        let (from, to) = (wanted(below), wanted(above));
        let part = ((capacity - from) / (to - from)).clamp(0.0, 1.0);
        self.at[below] + (self.at[above] - self.at[below]) * part
    }

    /// How what they ask for varies at a level, without what they catch up on.
    pub(super) fn varies(&self, level: f64) -> Varies {
        let above = self.at.partition_point(|at| *at < level).clamp(1, LEVELS - 1);
        let (from, to) = (self.at[above - 1], self.at[above]);
        let part = if to > from { ((level - from) / (to - from)).clamp(0.0, 1.0) } else { 0.0 };
        let at = |place: usize| {
            let varies = self.others(place).varies;
            [varies.variance, varies.lasts]
        };
        let (from, to) = (at(above - 1), at(above));
        let [variance, lasts] = [0, 1].map(|figure| (from[figure] + (to[figure] - from[figure]) * part).max(0.0));
        let kept = 1.0 - self.shorter;
        Varies { variance: kept * variance, lasts: kept * lasts }
    }
}

impl Asked {
    /// What one asks for up to so many cores; `lasts` is for how many seconds it has more requests than usual, or fewer.
    fn of(one: &Neighbour, asks: &Asks, lasts: f64, room: f64) -> Self {
        let used = room.min(one.uses);
        if one.left <= 0.0 {
            return Self { mean: used, used, most: room, varies: Varies::default() };
        }
        let (mean, variance) = asks.up_to(room);
        Self { mean, used, most: room, varies: Varies { variance, lasts: variance * lasts } }
    }

    fn plus(&self, other: &Self, times: f64) -> Self {
        Self {
            mean: self.mean + other.mean * times,
            used: self.used + other.used * times,
            most: self.most + other.most * times,
            varies: Varies {
                variance: self.varies.variance + other.varies.variance * times,
                lasts: self.varies.lasts + other.varies.lasts * times,
            },
        }
    }
}

impl Asks {
    /// How much is asked for up to so many cores, and the variance of it. Beside a first request there is one more with the
    /// same chance each time, as where all share the cores.
    fn up_to(&self, room: f64) -> (f64, f64) {
        if room <= 1.0 {
            return (self.busy * room, self.busy * (1.0 - self.busy) * room * room);
        }
        let rest = libm::exp(self.log_more * room);
        let (free, mean) = (1.0 - self.more, self.inside * (1.0 - rest));
        let rising = (1.0 - (room + 1.0) * rest + room * rest * self.more) / (free * free);
        (mean, (self.busy * (2.0 * rising - (1.0 - rest) / free) - mean * mean).max(0.0))
    }
}

impl Presence {
    /// Of who uses so much of cores that all share, with the stretch that they have then.
    fn of(uses: f64, empty: &Empty, stretch: f64) -> Self {
        let inside = uses * stretch;
        let geometric = libm::log1p(inside);
        let way = -libm::log1p(-empty.busy(uses).min(1.0 - 1e-12)) - geometric;
        Self { uses, poisson: (way / (inside - geometric).max(1e-12)).clamp(0.0, 1.0) }
    }

    fn asks(&self, stretch: f64) -> Asks {
        let inside = self.uses * stretch;
        let geometric = libm::log1p(inside);
        let busy = -libm::expm1(-geometric - self.poisson * (inside - geometric));
        let busy = busy.clamp(1e-9, 1.0);
        let inside = inside.max(busy);
        let more = (1.0 - busy / inside).max(1e-12);
        Asks { busy, inside, more, log_more: libm::log(more) }
    }
}

/// The chance that none of somebody's requests is on the cores, where all share them.
struct Empty {
    cores: u32,
    offered: f64,
    all: f64,
}

impl Empty {
    fn of(cores: u32, offered: f64) -> Self {
        let offered = offered.min(f64::from(cores) * queueing::LOAD_MAX);
        Self { cores, offered, all: states(cores, offered) }
    }

    /// The chance that somebody who uses so much has a request on the cores. Of those that are there, each is his with the
    /// chance of his share, so with `n` there are none of his with the `n`th power of what is left of it.
    fn busy(&self, uses: f64) -> f64 {
        1.0 - states(self.cores, (self.offered - uses).max(0.0)) / self.all
    }
}

/// The sum of the weights of all numbers of requests that share so many cores, that of none being one.
fn states(cores: u32, offered: f64) -> f64 {
    let (mut sum, mut weight) = (0.0, 1.0);
    for number in 1..=cores {
        sum += weight;
        weight *= offered / f64::from(number);
    }
    sum + weight / (1.0 - offered / f64::from(cores))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Straight lines between levels leave as little over as what is summed up one by one says.
        #[test]
        fn nothing_is_left_over(
            drawn in proptest::collection::vec((1_u32..17, 1_u32..100, 1_u32..9, 0.001..1.0_f64), 2..12), cores in 1_u32..9,
            load in 0.3..0.93_f64, shorter in 0.0..1.0_f64, part in 0.0..2.0_f64,
        ) {
            let asked: f64 = drawn.iter().map(|one| f64::from(one.1)).sum();
            let capacity = f64::from(cores);
            let all: Vec<Neighbour> = drawn.iter()
                .map(|&(weight, uses, cap, left)| {
                    let uses = f64::from(uses) / asked * load * capacity;
                    let cap = f64::from(cap.min(cores)).max(uses);
                    Neighbour { weight: f64::from(weight), count: 1.0, uses, cap, left, in_the_way: left }
                })
                .collect();
            let weights: f64 = all.iter().map(|one| one.weight).sum();
            let stretched = queueing::slowdown(capacity, load);
            let mut levels = Levels::default();
            levels.begin(&all, weights, SharedCores { cores, capacity, used: load * capacity, stretched });
            levels.fill(&all, |_| stretched);
            for (index, one) in all.iter().enumerate() {
                let level = levels.beside(index, one, shorter).level(capacity, part);
                let (mut usual, mut most) = (0.0, 0.0);
                for (other, presence) in all.iter().zip(&levels.presences).enumerate().filter(|at| at.0 != index).map(|at| at.1) {
                    let room = (other.weight * level).min(other.cap);
                    let asked = Asked::of(other, &presence.asks(stretched), 0.0, room);
                    usual += asked.mean + (asked.used - asked.mean) * shorter;
                    most += asked.most;
                }
                let left = capacity - one.weight * level - (usual * part).min(most);
                prop_assert!(left.abs() < 0.01 * capacity, "{left} of {capacity} cores are left beside {one:?}");
            }
        }
    }
}
