//! What containers ask for of the cores at each level, where each may have its weight times the level: cores by weight.
//!
//! To each of them the others ask for what all do without itself, so that is kept at some levels for all together and for each,
//! and between them goes along a straight line. Before you change it:
//! 1. Means are found for all levels of a container in a row, so that several are done at once; most of the time of a busy host
//!    goes here.
//! 2. How much they vary is asked at a few levels only, so it is found when somebody asks.
//! 3. Sums go over the containers in their order, one after the other: in another order the last digit would be another one.

use super::Neighbour;
use super::SharedCores;
use super::powers;
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

/// How what is asked for varies.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Varies {
    pub(super) variance: f64,
    /// Times the seconds for which it lasts.
    pub(super) lasts: f64,
}

/// A figure at each level.
type Row = [f64; LEVELS];

/// What is asked for at each level.
#[derive(Debug)]
struct Asked {
    /// On average, by whom nobody is kept from anything.
    mean: Row,
    /// On average, by whom catches up.
    used: Row,
    /// As much as if all had enough to do.
    most: Row,
}

/// One that asks.
#[derive(Debug)]
struct Asker {
    one: Neighbour,
    presence: Presence,
    asks: Asks,
    /// For how many seconds it has more requests than usual, or fewer.
    lasts: f64,
    /// Levels from which on it has room for more than one core, and for all that it can use.
    many: usize,
    full: usize,
    /// What it asks for on average, if nobody keeps it from anything.
    mean: Row,
    /// Where it has room for more than one core: the chance that there is one more, to the power of that room.
    rest: Row,
}

/// What is asked for at some levels.
#[derive(Debug)]
pub(super) struct Levels {
    /// The levels, ascending, and the lowest and highest that they lie between.
    at: Row,
    between: (f64, f64),
    /// By how much the work is stretched where all share all cores.
    stretched: f64,
    askers: Vec<Asker>,
    /// What all together ask for.
    all: Asked,
    /// How that of each varies at each level, one level after the other, and that of all; nothing where nobody asked.
    each_varies: Vec<Varies>,
    all_vary: [Option<Varies>; LEVELS],
}

impl Default for Levels {
    fn default() -> Self {
        let none = [0.0; LEVELS];
        Self {
            at: none,
            between: (f64::NAN, f64::NAN),
            stretched: 1.0,
            askers: Vec::new(),
            all: Asked { mean: none, used: none, most: none },
            each_varies: Vec::new(),
            all_vary: [None; LEVELS],
        }
    }
}

impl Levels {
    /// Lays out the levels between that at which all ask for all they can have, and that at which each can have all it wants.
    pub(super) fn begin(&mut self, all: &[Neighbour], weights: f64, shared: SharedCores) {
        let low = shared.capacity / weights;
        let high = all.iter().map(|one| one.cap / one.weight).fold(low, f64::max);
        if self.between != (low, high) {
            self.between = (low, high);
            let apart = libm::log(high / low) / (LEVELS - 1) as f64;
            self.at = core::array::from_fn(|place| low * libm::exp(apart * place as f64));
        }
        let empty = Empty::of(shared.cores, shared.used);
        self.stretched = shared.stretched;
        self.askers.truncate(all.len());
        self.askers.resize_with(all.len(), Asker::nobody);
        self.each_varies.resize(LEVELS * all.len(), Varies::default());
        (self.all.used, self.all.most) = ([0.0; LEVELS], [0.0; LEVELS]);
        for (one, asker) in all.iter().zip(&mut self.askers) {
            asker.begin(one, Presence::of(one.uses, &empty, shared.stretched), &self.at);
            let sums = self.all.used.iter_mut().zip(&mut self.all.most);
            for ((used, most), level) in sums.zip(&self.at) {
                let room = one.room(*level);
                *used += least(room, one.uses) * one.count;
                *most += room * one.count;
            }
        }
    }

    /// Finds what is asked for where the work of each is stretched so.
    pub(super) fn fill(&mut self, stretch: impl Fn(usize) -> f64) {
        self.all.mean = [0.0; LEVELS];
        self.all_vary = [None; LEVELS];
        for (place, asker) in self.askers.iter_mut().enumerate() {
            asker.fill(stretch(place), self.stretched, &self.at);
            let count = asker.one.count;
            self.all.mean.iter_mut().zip(&asker.mean).for_each(|(sum, mean)| *sum += mean * count);
        }
    }

    /// How what all ask for varies at a place.
    fn all_vary(&mut self, place: usize) -> Varies {
        if let Some(known) = self.all_vary[place] {
            return known;
        }
        let (level, count) = (self.at[place], self.askers.len());
        let mut sum = Varies::default();
        for (asker, varies) in self.askers.iter().zip(&mut self.each_varies[place * count..]) {
            *varies = asker.varies(place, level);
            sum = sum.plus(varies, asker.one.count);
        }
        self.all_vary[place] = Some(sum);
        sum
    }

    /// What all others ask for beside one of them, who sees how much shorter their requests are.
    pub(super) fn beside(&mut self, index: usize, shorter: f64) -> View<'_> {
        View { levels: self, index, shorter }
    }
}

/// The lesser of two numbers, as a processor takes several pairs at once.
const fn least(one: f64, other: f64) -> f64 {
    if one < other { one } else { other }
}

impl Neighbour {
    /// The cores that it can have at a level.
    const fn room(&self, level: f64) -> f64 {
        least(self.weight * level, self.cap)
    }
}

impl Asker {
    /// Room for one.
    fn nobody() -> Self {
        let one = Neighbour { weight: 1.0, count: 0.0, uses: 0.0, cap: 0.0, left: 0.0, in_the_way: 0.0 };
        let asks = Asks { busy: 0.0, inside: 0.0, more: 0.0, log_more: 0.0 };
        let presence = Presence { uses: 0.0, poisson: 0.0 };
        Self { one, presence, asks, lasts: 0.0, many: 0, full: 0, mean: [0.0; LEVELS], rest: [0.0; LEVELS] }
    }

    /// Takes over whom it is for.
    fn begin(&mut self, one: &Neighbour, presence: Presence, at: &Row) {
        (self.one, self.presence) = (*one, presence);
        self.full = at.partition_point(|level| one.weight * level < one.cap);
        self.many = at.partition_point(|level| one.room(*level) <= 1.0);
    }

    /// Finds what it asks for at all levels. Beside a first request there is one more with the same chance each time, as where
    /// all share the cores.
    fn fill(&mut self, stretch: f64, stretched: f64, at: &Row) {
        let Self { one, mean, rest, many, full, .. } = self;
        let asks = self.presence.asks(stretch);
        // Who has used up its quota is gone until the next period.
        (self.asks, self.lasts) = (asks, one.in_the_way * stretched * asks.busy / one.uses);
        if one.left <= 0.0 {
            mean.iter_mut().zip(at).for_each(|(mean, level)| *mean = least(one.room(*level), one.uses));
            return;
        }
        let (many, full) = (*many, (*full).max(*many));
        for (mean, level) in mean[..many].iter_mut().zip(at) {
            *mean = asks.busy * one.room(*level);
        }
        for (rest, level) in rest[many..full].iter_mut().zip(&at[many..]) {
            *rest = asks.log_more * (one.weight * level);
        }
        powers::exp_of_negative(&mut rest[many..full]);
        if full < LEVELS {
            rest[full..].fill(libm::exp(asks.log_more * one.cap));
        }
        mean[many..].iter_mut().zip(&rest[many..]).for_each(|(mean, rest)| *mean = asks.inside * (1.0 - rest));
    }

    /// How what it asks for varies at a place.
    fn varies(&self, place: usize, level: f64) -> Varies {
        let (asks, room) = (&self.asks, self.one.room(level));
        if self.one.left <= 0.0 {
            return Varies::default();
        }
        let variance = if room <= 1.0 {
            asks.busy * (1.0 - asks.busy) * room * room
        } else {
            let (rest, mean, free) = (self.rest[place], self.mean[place], 1.0 - asks.more);
            let rising = (1.0 - (room + 1.0) * rest + room * rest * asks.more) / (free * free);
            (asks.busy * (2.0 * rising - (1.0 - rest) / free) - mean * mean).max(0.0)
        };
        Varies { variance, lasts: variance * self.lasts }
    }
}

impl Varies {
    fn plus(&self, other: &Self, times: f64) -> Self {
        Self { variance: self.variance + other.variance * times, lasts: self.lasts + other.lasts * times }
    }
}

/// What the others ask for beside one.
#[derive(Debug)]
pub(super) struct View<'a> {
    levels: &'a mut Levels,
    index: usize,
    shorter: f64,
}

impl View<'_> {
    /// What they ask for at a place, if it is `part` of what they usually do, or all that they can have.
    fn asked(&self, place: usize, part: f64) -> f64 {
        let (all, own) = (&self.levels.all, &self.levels.askers[self.index]);
        let room = own.one.room(self.levels.at[place]);
        let (mean, used) = (all.mean[place] - own.mean[place], all.used[place] - least(room, own.one.uses));
        // Who catches up asks for what it uses.
        ((mean + (used - mean) * self.shorter) * part).clamp(0.0, (all.most[place] - room).max(0.0))
    }

    /// The level at which nothing is left over of the cores when this one wants all it can get.
    pub(super) fn level(&self, capacity: f64, part: f64) -> f64 {
        let (at, weight) = (&self.levels.at, self.levels.askers[self.index].one.weight);
        let wanted = |place: usize| self.asked(place, part) + weight * at[place];
        let (mut below, mut above) = (0, LEVELS - 1);
        if wanted(above) <= capacity {
            // Beyond, nobody else asks for more.
            return (capacity - self.asked(above, part)) / weight;
        }
        while above - below > 1 {
            let middle = usize::midpoint(below, above);
            if wanted(middle) <= capacity { below = middle } else { above = middle }
        }
        let (from, to) = (wanted(below), wanted(above));
        let part = ((capacity - from) / (to - from)).clamp(0.0, 1.0);
        at[below] + (at[above] - at[below]) * part
    }

    /// How what they ask for varies at a level, without what they catch up on.
    pub(super) fn varies(&mut self, level: f64) -> Varies {
        let at = &self.levels.at;
        let above = at.partition_point(|at| *at < level).clamp(1, LEVELS - 1);
        let (from, to) = (at[above - 1], at[above]);
        let part = if to > from { ((level - from) / (to - from)).clamp(0.0, 1.0) } else { 0.0 };
        let [from, to] = [above - 1, above].map(|place| {
            let all = self.levels.all_vary(place);
            let others = all.plus(&self.levels.each_varies[place * self.levels.askers.len() + self.index], -1.0);
            [others.variance, others.lasts]
        });
        let [variance, lasts] = [0, 1].map(|figure| (from[figure] + (to[figure] - from[figure]) * part).max(0.0));
        let kept = 1.0 - self.shorter;
        Varies { variance: kept * variance, lasts: kept * lasts }
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

    impl Asks {
        /// How much is asked for up to so many cores.
        fn up_to(&self, room: f64) -> f64 {
            if room <= 1.0 { self.busy * room } else { self.inside * (1.0 - libm::exp(self.log_more * room)) }
        }
    }

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
            levels.fill(|_| stretched);
            for (index, one) in all.iter().enumerate() {
                let level = levels.beside(index, shorter).level(capacity, part);
                let (mut usual, mut most) = (0.0, 0.0);
                for (other, asker) in all.iter().zip(&levels.askers).enumerate().filter(|at| at.0 != index).map(|at| at.1) {
                    let room = other.room(level);
                    let (mean, used) = (asker.asks.up_to(room), room.min(other.uses));
                    usual += mean + (used - mean) * shorter;
                    most += room;
                }
                let left = capacity - one.weight * level - (usual * part).min(most);
                prop_assert!(left.abs() < 0.01 * capacity, "{left} of {capacity} cores are left beside {one:?}");
            }
        }
    }
}
