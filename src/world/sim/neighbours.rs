//! By how much containers stretch each other's work on cores that are busy, but not full. Before you change it:
//! 1. To a container its neighbours are a capacity that changes: with many of their requests on the cores it has its bare
//!    share, with few it has nearly all. Two states stand for that, one standard deviation of what the neighbours ask for
//!    above the mean and one below; where that would be less than nothing, they ask for nothing, and rarely for so much more.
//!    Between the states it changes as fast as the neighbours' requests come and go, which is slower the longer they have to
//!    stay: the busy periods of a core are that much longer than the work that comes in them.
//! 2. How many requests are inside on average under a capacity of two states is exact (a queue in a random environment, by
//!    generating functions: Yechiali and Naor 1971). So it tells by itself whether somebody's requests are so short that a
//!    crowded moment is a queue to them, or so long that they see the mean only.
//! 3. Neighbours whose requests are much shorter than one's own catch up on what they were kept from: they ask for what they
//!    use, whatever the level. Much longer ones ask for as much as they would beside anybody.
//! 4. How many requests a neighbour has there follows from how long they stay, and that from its weight. So all is found
//!    once as if the cores knew no weights, and then again with the numbers that came of it.
//! 5. A quota limits what is used in a period, not in a moment: neighbours ask for all the cores that they can be on.
//! 6. The unfinished work is the same in whatever order it is done (the conservation law of Kleinrock 1965). Where that
//!    would be more, all wait less. What is missing from it, those wait for whose requests are long, since short ones hold none
//!    of it; as the law is for one core only, nobody waits more than twice as long by it. Nothing here is fitted.

mod levels;
mod powers;
mod states;

use super::queueing;
use levels::Levels;
use states::States;

/// How often all is found, each time with the numbers of requests that came of it before. More than two change medians against
/// the exact simulation by 0.2 points at most, to either side.
const PASSES: usize = 2;

/// Where what all use moved by less than this share of what is free, all is as it was: a stretch that goes like one over what
/// is free is then off by no more.
const SAME: f64 = 2e-3;

/// Who uses fewer cores than this counts as using so many: the logarithm of one less its share would be nothing.
const LEAST: f64 = 1e-9;

/// A container beside others, in cores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Neighbour {
    pub(super) weight: f64,
    /// Containers like it.
    pub(super) count: f64,
    /// What each uses.
    pub(super) uses: f64,
    /// What each can use at a moment.
    pub(super) cap: f64,
    /// Core-seconds that are left of a request in work, on average; zero of what is no requests, and asks for the same always.
    pub(super) left: f64,
    /// The same, as far as others may have to wait for it.
    pub(super) in_the_way: f64,
}

/// At what pace somebody works.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// By how much the work is stretched.
    pub(super) stretch: f64,
    /// How much the stretch scatters: the variance of that of vanishing work, over the square of its mean.
    pub(super) scatter: f64,
}

/// The cores that neighbours share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SharedCores {
    /// How many there are, and what they are worth to containers.
    pub(super) cores: u32,
    pub(super) capacity: f64,
    /// What all together use of them, without what they cannot have.
    pub(super) used: f64,
    /// By how much work is stretched where all share all of them.
    pub(super) stretched: f64,
}

/// A room for the arithmetic, kept so that it allocates nothing.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    all: Vec<Neighbour>,
    /// What the caller knows each by.
    places: Vec<usize>,
    levels: Levels,
    found: Vec<Found>,
    /// Of whom that was found out.
    found_of: (Vec<Neighbour>, Option<SharedCores>),
}

/// What was found out of one.
#[derive(Debug, Clone, Copy)]
struct Found {
    pace: Pace,
    /// Most that its work can be stretched.
    most: f64,
    /// How much shorter the requests of its neighbours are.
    shorter: f64,
}

/// All together.
#[derive(Debug, Clone, Copy)]
struct All {
    count: f64,
    weights: f64,
    uses: f64,
    /// What is left to do of requests in work, on average each times what is used for them.
    left: f64,
    /// The same, as far as others may have to wait for it.
    unfinished: f64,
}

impl Neighbours {
    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.places.clear();
    }

    /// Adds somebody who uses something.
    pub(super) fn push(&mut self, place: usize, one: Neighbour) {
        self.all.push(Neighbour { uses: one.uses.max(LEAST), ..one });
        self.places.push(place);
    }

    /// At what pace each works.
    pub(super) fn paces(&self) -> impl Iterator<Item = (usize, Pace)> {
        self.places.iter().copied().zip(self.found.iter().map(|found| found.pace))
    }

    /// Whether what was found last is still good: of the same, who use nearly what they used.
    fn is_known(&self, shared: SharedCores) -> bool {
        let (before, Some(shared_before)) = &self.found_of else { return false };
        if before.len() != self.all.len()
            || (shared.cores, shared.capacity) != (shared_before.cores, shared_before.capacity)
        {
            return false;
        }
        let mut moved = (shared.used - shared_before.used).abs();
        for (one, before) in self.all.iter().zip(before) {
            if *one != (Neighbour { uses: one.uses, ..*before }) {
                return false;
            }
            moved += (one.uses - before.uses).abs() * one.count;
        }
        moved <= SAME * (shared.capacity - shared.used)
    }

    /// Finds out at what pace each works.
    pub(super) fn find(&mut self, shared: SharedCores) {
        if self.is_known(shared) {
            return;
        }
        self.found_of.0.clone_from(&self.all);
        self.found_of.1 = Some(shared);
        let sum = |of: fn(&Neighbour) -> f64| self.all.iter().map(|one| one.count * of(one)).sum();
        let together = All {
            count: sum(|_| 1.0),
            weights: sum(|one| one.weight),
            uses: sum(|one| one.uses),
            left: sum(|one| one.uses * one.left),
            unfinished: sum(|one| one.uses * one.in_the_way),
        };
        self.levels.begin(&self.all, together.weights, shared);
        for pass in 0..PASSES {
            let found = &self.found;
            self.levels.fill(|place| if pass == 0 { shared.stretched } else { found[place].pace.stretch });
            self.look(&together, shared);
        }
    }

    /// Finds the pace of each where they ask for cores as they do at these levels.
    fn look(&mut self, together: &All, shared: SharedCores) {
        let Self { all, levels, found, .. } = self;
        let in_work = |one: &Neighbour| one.count * one.uses * one.in_the_way;
        let as_all = Pace { stretch: shared.stretched, scatter: f64::INFINITY };
        let (mut all_found, mut long) = (0.0, 0.0);
        found.clear();
        for (index, one) in all.iter().enumerate() {
            let seen = Seen { one, index, together, shared };
            let (shorter, mut pace) = (seen.shorter(), as_all);
            if one.left > 0.0 {
                pace = seen.pace(levels, shorter).unwrap_or(as_all);
            }
            let most = seen.most();
            pace.stretch = pace.stretch.min(most).max(1.0);
            all_found += in_work(one) * (pace.stretch - 1.0);
            long += in_work(one) * (pace.stretch - 1.0) * shorter;
            found.push(Found { pace, most, shorter });
        }
        let wanted = together.unfinished * (shared.stretched - 1.0);
        let too_much = (wanted / all_found).min(1.0);
        let missing = if long > 0.0 { ((wanted - all_found) / long).clamp(0.0, 1.0) } else { 0.0 };
        if all_found > 0.0 {
            for one in found {
                let share = too_much * (1.0 + one.shorter * missing);
                one.pace.stretch = (1.0 + (one.pace.stretch - 1.0) * share).min(one.most);
            }
        }
    }
}

/// The others, as one of them sees them.
#[derive(Clone, Copy)]
struct Seen<'a> {
    one: &'a Neighbour,
    index: usize,
    together: &'a All,
    shared: SharedCores,
}

impl Seen<'_> {
    /// The cores that are its by its weight, however much the others ask for.
    fn share(&self) -> f64 {
        self.shared.capacity * self.one.weight / self.together.weights
    }

    /// Most that its work can be stretched.
    fn most(&self) -> f64 {
        let (one, share) = (self.one, self.share());
        let by_weight = if one.uses < share { queueing::slowdown(share, one.uses / share) } else { f64::INFINITY };
        let by_work = self.shared.stretched * self.together.unfinished / (one.uses * one.in_the_way).max(1e-300);
        by_weight.min(by_work).max(1.0)
    }

    /// How much shorter the requests of the others are on average: a half where they are as long.
    fn shorter(&self) -> f64 {
        let one = self.one;
        let others = (self.together.left - one.uses * one.left) / (self.together.uses - one.uses).max(1e-300);
        if one.left > 0.0 { one.left / (one.left + others.max(0.0)) } else { 0.0 }
    }

    /// At what pace it works; nothing where it is alone.
    fn pace(&self, levels: &mut Levels, shorter: f64) -> Option<Pace> {
        let (one, capacity) = (self.one, self.shared.capacity);
        if self.together.count <= 1.0 {
            return None;
        }
        let mut view = levels.beside(self.index, shorter);
        let level = view.level(capacity, 1.0);
        // Nothing is left over there.
        let asked = capacity - one.weight * level;
        let varies = view.varies(level);
        let mut states = States { capacity: [one.weight * level; 2], crowded: 0.5, changes: f64::INFINITY };
        if varies.variance > 1e-12 {
            states.changes = varies.variance / varies.lasts;
            let share = varies.variance.sqrt() / asked.max(1e-12);
            // Nobody asks for less than nothing: where they vary that much, most of the time they ask for nothing at all.
            let parts = if share <= 1.0 {
                [1.0 - share, 1.0 + share]
            } else {
                states.crowded = 1.0 / (1.0 + share * share);
                [0.0, 1.0 / states.crowded]
            };
            states.capacity = parts.map(|part| one.weight * view.level(capacity, part));
        }
        let (stretch, scatter) = states.stretch(one.uses, one.left);
        stretch.is_finite().then_some(Pace { stretch, scatter })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(cores: u32, weight: f64, uses: f64, left: f64) -> Neighbour {
        Neighbour { weight, count: 1.0, uses, cap: f64::from(cores), left, in_the_way: left }
    }

    fn stretched(all: &[Neighbour], cores: u32) -> Vec<f64> {
        let used = all.iter().map(|one| one.uses * one.count).sum::<f64>();
        let capacity = f64::from(cores);
        let mut neighbours = Neighbours::default();
        all.iter().enumerate().for_each(|(place, one)| neighbours.push(place, *one));
        let stretched = queueing::slowdown(capacity, used / capacity);
        neighbours.find(SharedCores { cores, capacity, used, stretched });
        neighbours.paces().map(|found| found.1.stretch).collect()
    }

    /// Whose load dies away uses less than any number can say in the end, and is beside others until then.
    #[test]
    fn who_hardly_does_anything_changes_nothing() {
        let two = [one(2, 1024.0, 0.5, 0.01), one(2, 512.0, 0.7, 0.02)];
        let alone = stretched(&two, 2);
        for uses in [1e-6, 1e-100, 5e-324] {
            let found = stretched(&[two[0], two[1], one(2, 1024.0, uses, 0.005)], 2);
            for (found, alone) in found.iter().zip(&alone) {
                // Its weight counts when the others ask for all they can have.
                assert!((found / alone - 1.0).abs() < 0.03, "{found} for {alone} beside {uses}");
            }
            assert!((1.0..10.0).contains(&found[2]), "{}", found[2]);
        }
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
