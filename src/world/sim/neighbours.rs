//! By how much containers stretch each other's work on cores that are busy, but not full. Before you change it:
//! 1. To a container its neighbours are a capacity that changes: with many of their requests on the cores it has its bare
//!    share, with few it has nearly all. Two states stand for that, one standard deviation of what the neighbours ask for
//!    above the mean and one below; where that would be less than nothing, they ask for nothing, and rarely for so much more.
//!    Between the states it changes as fast as the neighbours' requests come and go.
//! 2. How many requests are inside on average under a capacity of two states is exact (a queue in a random environment, by
//!    generating functions: Yechiali and Naor 1971). So it tells by itself whether somebody's requests are so short that a
//!    crowded moment is a queue to them, or so long that they see the mean only.
//! 3. Neighbours whose requests are much shorter than one's own catch up on what they were kept from: they ask for what they
//!    use, whatever the level. Much longer ones ask for as much as they would beside anybody.
//! 4. The unfinished work is the same in whatever order it is done (the conservation law of Kleinrock 1965). Where that
//!    would be more, all wait less. What is missing from it, those wait for whose requests are long, since short ones hold none
//!    of it; as the law is for one core only, nobody waits more than twice as long by it. Nothing here is fitted.

use super::cpu::LOAD_BELIEVED;
use super::queueing;
use super::zero;

/// A container beside others, in cores.
#[derive(Debug, Clone, Copy)]
pub(super) struct Neighbour {
    pub(super) weight: f64,
    /// Containers like it.
    pub(super) count: f64,
    /// What each uses.
    pub(super) uses: f64,
    /// What each can use at most.
    pub(super) cap: f64,
    /// Core-seconds that are left of a request in work, on average; zero of what is no requests, and asks for the same always.
    pub(super) left: f64,
    /// The same, as far as others may have to wait for it.
    pub(super) in_the_way: f64,
}

/// How one asks for cores: the chance that it does, the mean number of requests inside, and the logarithm of the chance that
/// beside so many there is one more.
#[derive(Debug, Clone, Copy)]
struct Asks {
    busy: f64,
    inside: f64,
    more: f64,
}

/// The cores that neighbours share.
#[derive(Debug, Clone, Copy)]
pub(super) struct SharedCores {
    /// How many there are, and what they are worth to containers.
    pub(super) cores: u32,
    pub(super) capacity: f64,
    /// What all together use of them, without what they cannot have.
    pub(super) used: f64,
    /// By how much work is stretched where all share all of them.
    pub(super) stretched: f64,
}

/// What others ask for at a level.
#[derive(Debug, Clone, Copy, Default)]
struct Asked {
    mean: f64,
    /// By how much more it is for a level that is higher by one.
    slope: f64,
    /// As much as if all of them had enough to do.
    most: f64,
}

/// A room for the arithmetic, kept so that it allocates nothing.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    all: Vec<Neighbour>,
    /// What the caller knows each by.
    places: Vec<usize>,
    asks: Vec<Asks>,
    found: Vec<Found>,
}

/// What was found out of one.
#[derive(Debug, Clone, Copy)]
struct Found {
    stretch: f64,
    /// Most that its work can be stretched.
    most: f64,
    /// How much shorter the requests of its neighbours are.
    shorter: f64,
}

impl Neighbours {
    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.places.clear();
    }

    /// Adds somebody who uses something.
    pub(super) fn push(&mut self, place: usize, one: Neighbour) {
        self.all.push(one);
        self.places.push(place);
    }

    /// By how much the work of each is stretched.
    pub(super) fn stretched(&self) -> impl Iterator<Item = (usize, f64)> {
        self.places.iter().copied().zip(self.found.iter().map(|found| found.stretch))
    }

    /// Finds out by how much the work of each is stretched.
    pub(super) fn stretch(&mut self, shared: SharedCores) {
        let Self { all, asks, found, .. } = self;
        let empty = Empty::of(shared.cores, shared.used);
        asks.clear();
        asks.extend(all.iter().map(|one| {
            let busy = empty.busy(one.uses).clamp(1e-9, 1.0);
            let inside = (one.uses * shared.stretched).max(busy);
            Asks { busy, inside, more: libm::log((1.0 - busy / inside).max(1e-12)) }
        }));
        let in_work = |one: &Neighbour| one.count * one.uses * one.in_the_way;
        let unfinished: f64 = all.iter().map(in_work).sum();
        let weights: f64 = all.iter().map(|one| one.count * one.weight).sum();
        let (mut all_found, mut long, mut wanted) = (0.0, 0.0, 0.0);
        found.clear();
        for (index, one) in all.iter().enumerate() {
            let seen = Seen { all, asks, weights, index };
            let (shorter, mut stretch) = (seen.shorter(), shared.stretched);
            let most = seen.most(shared).min(stretch * unfinished / (one.uses * one.in_the_way).max(1e-300));
            if one.left > 0.0 {
                stretch = seen.stretch(shorter, shared).unwrap_or(stretch).min(most).max(1.0);
            }
            wanted += in_work(one) * (shared.stretched - 1.0);
            all_found += in_work(one) * (stretch - 1.0);
            long += in_work(one) * (stretch - 1.0) * shorter;
            found.push(Found { stretch, most: most.max(1.0), shorter });
        }
        let too_much = (wanted / all_found).min(1.0);
        let missing = if long > 0.0 { ((wanted - all_found) / long).clamp(0.0, 1.0) } else { 0.0 };
        if all_found > 0.0 {
            for one in found {
                let share = too_much * (1.0 + one.shorter * missing);
                one.stretch = (1.0 + (one.stretch - 1.0) * share).min(one.most);
            }
        }
    }
}

/// The others, as one of them sees them.
#[derive(Clone, Copy)]
struct Seen<'a> {
    all: &'a [Neighbour],
    asks: &'a [Asks],
    /// The weights of all together.
    weights: f64,
    index: usize,
}

impl Seen<'_> {
    /// All others, and how many there are of each.
    fn others(&self) -> impl Iterator<Item = (&Neighbour, &Asks, f64)> {
        let counts =
            self.all.iter().enumerate().map(|(index, one)| one.count - f64::from(u8::from(index == self.index)));
        let pairs = self.all.iter().zip(self.asks).zip(counts);
        pairs.filter(|(_, count)| *count > 0.0).map(|((one, asks), count)| (one, asks, count))
    }

    /// Most that its work can be stretched: nobody has less than the share of its weight, however much the others ask for.
    fn most(&self, shared: SharedCores) -> f64 {
        let me = &self.all[self.index];
        let share = shared.capacity * me.weight / self.weights;
        if me.uses < share { queueing::slowdown(share, me.uses / share) } else { f64::INFINITY }
    }

    /// How much shorter the requests of the others are on average: a half where they are as long.
    fn shorter(&self) -> f64 {
        let left = self.all[self.index].left;
        let others = self.others();
        let (works, uses) = others.fold((0.0, 0.0), |sums, (one, _, count)| {
            (sums.0 + one.uses * one.left * count, sums.1 + one.uses * count)
        });
        if left > 0.0 { left / (left + works / uses.max(1e-300)) } else { 0.0 }
    }

    /// By how much its work is stretched; nothing where it is alone, or has not enough on average.
    fn stretch(&self, shorter: f64, shared: SharedCores) -> Option<f64> {
        let me = &self.all[self.index];
        self.others().next()?;
        let low = shared.capacity / self.weights;
        let level = self.level(low, shorter, shared, 1.0)?;
        let asked = self.asked(level, shorter);
        let (mut variance, mut lasts) = (0.0, 0.0);
        for (one, asks, count) in self.others().filter(|other| other.0.left > 0.0) {
            let here = (1.0 - shorter) * count * asks.variance((one.weight * level).min(one.cap));
            variance += here;
            // As long as its requests come and go it has more of them than usual, or fewer.
            lasts += here * one.left * asks.busy / one.uses;
        }
        let (mut capacity, mut changes, mut crowded) = ([me.weight * level; 2], f64::INFINITY, 0.5);
        if variance > 1e-12 {
            changes = variance / lasts;
            let share = variance.sqrt() / asked.mean.max(1e-12);
            // Nobody asks for less than nothing: where they vary that much, most of the time they ask for nothing at all.
            let parts = if share <= 1.0 {
                [1.0 - share, 1.0 + share]
            } else {
                crowded = 1.0 / (1.0 + share * share);
                [0.0, 1.0 / crowded]
            };
            for (capacity, part) in capacity.iter_mut().zip(parts) {
                let from = if part < 1.0 { level } else { low };
                *capacity = me.weight * self.level(from, shorter, shared, part)?;
            }
        }
        let capacity = capacity.map(|capacity| capacity.min(shared.capacity));
        let mean = capacity[0] * (1.0 - crowded) + capacity[1] * crowded;
        let uses = me.uses.min(LOAD_BELIEVED * mean);
        let inside = inside(uses / me.left, capacity.map(|capacity| capacity / me.left), crowded, changes);
        // One request alone has no more than one core, however much is free.
        let waits = |capacity: f64| {
            if capacity <= uses {
                return 1.0;
            }
            (queueing::slowdown(capacity, uses / capacity) - 1.0) * (capacity - uses)
        };
        let waiting = inside[0] * waits(capacity[0]) + inside[1] * waits(capacity[1]);
        Some(1.0 + waiting / uses).filter(|stretch| stretch.is_finite())
    }

    /// What the others ask for where each has up to its weight times `level`.
    fn asked(&self, level: f64, shorter: f64) -> Asked {
        let mut asked = Asked::default();
        for (one, asks, count) in self.others() {
            let share = one.weight * level;
            let (room, rises) = if share < one.cap { (share, one.weight) } else { (one.cap, 0.0) };
            let (mut mean, mut slope) = if one.left > 0.0 { asks.mean(room) } else { (room.min(one.uses), 0.0) };
            if rises <= 0.0 {
                mean = mean.min(one.uses);
            }
            let (uses, rising) = if room < one.uses { (room, 1.0) } else { (one.uses, 0.0) };
            mean += (uses - mean) * shorter;
            slope += (rising - slope) * shorter;
            asked.mean += count * mean;
            asked.slope += count * slope * rises;
            asked.most += count * room;
        }
        asked
    }

    /// The level at which nothing is left over when it wants all it can get, and the others ask for `part` of what they
    /// usually do, or for all that they can have. By Newton's steps from below: what is asked for rises ever less.
    fn level(&self, from: f64, shorter: f64, shared: SharedCores, part: f64) -> Option<f64> {
        let weight = self.all[self.index].weight;
        let mut level = from;
        for _ in 0..30 {
            let asked = self.asked(level, shorter);
            let (mean, slope) = if asked.mean * part < asked.most {
                (asked.mean * part, asked.slope * part)
            } else {
                (asked.most, asked.most / level)
            };
            let left = shared.capacity - mean - weight * level;
            let step = left / (slope + weight);
            level += step;
            if step.abs() <= 1e-4 * level {
                return Some(level.max(1e-12));
            }
        }
        (level.is_finite() && level > 0.0).then_some(level)
    }
}

impl Asks {
    /// How much is asked for up to so many cores, and by how much more it is for one core more. Beside a first request there
    /// is one more with the same chance each time, as where all share the cores.
    fn mean(&self, room: f64) -> (f64, f64) {
        if room <= 1.0 {
            return (self.busy * room, self.busy);
        }
        let rest = libm::exp(self.more * room);
        (self.inside * (1.0 - rest), -self.inside * self.more * rest)
    }

    /// The variance of it.
    fn variance(&self, room: f64) -> f64 {
        if room <= 1.0 {
            return self.busy * (1.0 - self.busy) * room * room;
        }
        let (one, rest) = (libm::exp(self.more), libm::exp(self.more * room));
        let (free, mean) = (1.0 - one, self.inside * (1.0 - rest));
        let rising = (1.0 - (room + 1.0) * rest + room * rest * one) / (free * free);
        (self.busy * (2.0 * rising - (1.0 - rest) / free) - mean * mean).max(0.0)
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

/// Mean number of requests, in each of two states, of a queue with so many arrivals a second whose server ends `pace` requests a
/// second in each, is in the second for a share `crowded` of the time, and forgets its state so many times a second.
///
/// Of the generating functions `Gᵢ(z)` of the number in state `i`, the chances that it is empty follow from the root of the
/// determinant between 0 and 1, and the means from their derivatives at 1.
fn inside(rate: f64, pace: [f64; 2], crowded: f64, changes: f64) -> [f64; 2] {
    let [one, other] = pace;
    let free = 1.0 - crowded;
    let spare = one * free + other * crowded - rate;
    let same = || [free, crowded].map(|share| share * rate / spare);
    if (one - other).abs() <= 1e-6 * one || !changes.is_finite() {
        return same();
    }
    let (leave, back) = (changes * crowded, changes * free);
    // The root is near 1 where the state hardly ever changes, so it is looked for by how far it is from there.
    let determinant = |below: f64| {
        let (to_one, to_other) = (rate * (1.0 - below) - one, rate * (1.0 - below) - other);
        below * to_one * to_other + (1.0 - below) * (back * to_one + leave * to_other)
    };
    let below = zero::rising(0.0, 1.0, 0.0, determinant);
    // How much longer the server is idle in the first state than if it always had that pace; what would cancel out is left
    // out. Then two equations for the means `h`: `leave·h₁ − back·h₂ = longer`, and `h₁(one − rate) + h₂(other − rate) = rate`.
    let longer = -free * crowded * (one - other) * rate * below / (spare + rate * below);
    let whole = changes * spare;
    let found = [(longer * (other - rate) + back * rate) / whole, (leave * rate - longer * (one - rate)) / whole];
    if found.iter().all(|inside| inside.is_finite() && *inside >= 0.0) { found } else { same() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Two = [[f64; 2]; 2];

    fn times(one: &Two, other: &Two) -> Two {
        [0, 1].map(|row| [0, 1].map(|column| one[row][0] * other[0][column] + one[row][1] * other[1][column]))
    }

    fn row_times(row: [f64; 2], matrix: &Two) -> [f64; 2] {
        [0, 1].map(|column| row[0] * matrix[0][column] + row[1] * matrix[1][column])
    }

    fn inverse([[a, b], [c, d]]: Two) -> Two {
        let whole = a * d - b * c;
        [[d / whole, -b / whole], [-c / whole, a / whole]]
    }

    /// The mean numbers in both states by the matrix-geometric method (Neuts 1981): level by level, without any generating
    /// function.
    fn inside_by_levels(rate: f64, pace: [f64; 2], leave: f64, back: f64) -> [f64; 2] {
        let stay = inverse([[-leave - rate - pace[0], leave], [back, -back - rate - pace[1]]]);
        let mut up = [[0.0; 2]; 2];
        for _ in 0..200_000 {
            let squared = times(&up, &up);
            let come = [0, 1].map(|row| {
                [0, 1].map(|column| -(if row == column { rate } else { 0.0 } + squared[row][column] * pace[column]))
            });
            let next = times(&come, &stay);
            let moved =
                (0..4).map(|place| (next[place / 2][place % 2] - up[place / 2][place % 2]).abs()).fold(0.0, f64::max);
            up = next;
            if moved < 1e-15 {
                break;
            }
        }
        // At the lowest level nobody is there to go: `x·(stay + up·go) = 0`.
        let first = -leave - rate + up[0][0] * pace[0];
        let second = back + up[1][0] * pace[0];
        let empty = [second, -first].map(|chance| chance / (second - first));
        let rest = inverse([[1.0 - up[0][0], -up[0][1]], [-up[1][0], 1.0 - up[1][1]]]);
        let all: f64 = row_times(empty, &rest).iter().sum();
        row_times(row_times(empty, &up), &times(&rest, &rest)).map(|mean| mean / all)
    }

    proptest! {
        #[test]
        fn the_queue_in_two_states_is_that_of_the_levels(
            one in 0.5..4.0_f64, other in 0.05..1.0_f64, crowded in 0.05..0.95_f64, load in 0.05..0.9_f64, log in -2.0..2.0_f64,
        ) {
            let changes = libm::exp10(log);
            let rate = load * (one * (1.0 - crowded) + other * crowded);
            let found = inside(rate, [one, other], crowded, changes);
            let wanted = inside_by_levels(rate, [one, other], changes * crowded, changes * (1.0 - crowded));
            for (found, wanted) in found.iter().zip(wanted) {
                prop_assert!((found - wanted).abs() < 1e-5 * wanted.max(0.01), "{found} for {wanted}");
            }
        }
    }

    fn one(cores: u32, weight: f64, uses: f64, left: f64) -> Neighbour {
        Neighbour { weight, count: 1.0, uses, cap: f64::from(cores), left, in_the_way: left }
    }

    fn stretched(all: &[Neighbour], cores: u32) -> Vec<f64> {
        let used = all.iter().map(|one| one.uses * one.count).sum::<f64>();
        let capacity = f64::from(cores);
        let mut neighbours = Neighbours::default();
        all.iter().enumerate().for_each(|(place, one)| neighbours.push(place, *one));
        let stretched = queueing::slowdown(capacity, used / capacity);
        neighbours.stretch(SharedCores { cores, capacity, used, stretched });
        neighbours.stretched().map(|found| found.1).collect()
    }

    /// Where nobody is another than the others, all share the cores, and the time is that of processor sharing.
    #[test]
    fn among_equals_it_is_processor_sharing() {
        for (cores, count, load) in [(1, 2, 0.5), (1, 6, 0.8), (4, 5, 0.8), (8, 20, 0.9)] {
            let uses = load * f64::from(cores) / f64::from(count);
            let wanted = queueing::slowdown(f64::from(cores), load);
            let all: Vec<Neighbour> = (0..count).map(|_| one(cores, 1024.0, uses, 0.01)).collect();
            for found in stretched(&all, cores) {
                assert!((found / wanted - 1.0).abs() < 1e-3, "{count} on {cores} at {load}: {found} for {wanted}");
            }
        }
    }

    /// A rare short request finds a long one on the core for half of the time, and then has its share by weight.
    #[test]
    fn a_rare_short_one_has_its_share() {
        for (weight, wanted) in [(1.0, 1.5), (4.0, 1.0 + 0.5 / 4.0), (0.25, 1.0 + 0.5 * 4.0)] {
            let found = stretched(&[one(1, 1024.0 * weight, 1e-6, 1e-6), one(1, 1024.0, 0.5, 1e3)], 1);
            assert!((found[0] / wanted - 1.0).abs() < 1e-3, "weight {weight}: {} for {wanted}", found[0]);
            // And the long one has nearly all there is.
            assert!((found[1] / 2.0 - 1.0).abs() < 1e-3, "{}", found[1]);
        }
    }

    proptest! {
        /// Nobody is faster than alone, or stuck; and nobody is slower than on its share by weight alone, which it has always.
        #[test]
        fn weight_protects(
            drawn in proptest::collection::vec((1_u32..16, 1_u32..100, -3.0..1.0_f64), 2..12), cores in 1_u32..9,
            load in 0.3..0.93_f64,
        ) {
            let asked: f64 = drawn.iter().map(|one| f64::from(one.1)).sum();
            let weights: f64 = drawn.iter().map(|one| f64::from(one.0)).sum();
            let uses = |part: u32| f64::from(part) / asked * load * f64::from(cores);
            let all: Vec<Neighbour> = drawn.iter()
                .map(|&(weight, part, left)| one(cores, f64::from(weight) * 256.0, uses(part), libm::exp10(left)))
                .collect();
            for (stretch, (one, drawn)) in stretched(&all, cores).into_iter().zip(all.iter().zip(&drawn)) {
                let share = f64::from(cores) * f64::from(drawn.0) / weights;
                prop_assert!(stretch.is_finite() && stretch >= 1.0, "{stretch}");
                if one.uses < share {
                    let most = queueing::slowdown(share, one.uses / share);
                    prop_assert!(stretch <= most * (1.0 + 1e-9), "{stretch} on at least {share} cores for {one:?}");
                }
            }
        }
    }
}
