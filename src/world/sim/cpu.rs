//! Who gets how much CPU. Before you change it:
//! 1. All amounts are in reference cores: one is what a core of speed 100 % does in a second.
//! 2. The share is max-min fair by weight, each claim capped by what it wants; it is exact and leaves nothing over that
//!    somebody wants.
//! 3. Work goes to the fastest cores first; the mean speed falls when the slower ones are needed.

use crate::model::Host;
use crate::units;
use crate::world::sim::queueing;
use crate::world::sim::zero;

/// Load of the host up to which waiting for other containers' work is believed; above it, the figure of this load.
pub(super) const LOAD_BELIEVED: f64 = 0.95;
/// Points of the table of the slowdown.
const SLOWDOWNS: usize = 512;

/// What equal containers want: `count` of them, `want` each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Claim {
    pub(super) weight: f64,
    pub(super) want: f64,
    pub(super) count: f64,
}

/// Gives each container of each claim its share of `capacity`.
pub(super) fn share(claims: &[Claim], capacity: f64, grants: &mut Vec<f64>) {
    grants.clear();
    let wanted: f64 = claims.iter().map(|claim| claim.want * claim.count).sum();
    if wanted <= capacity {
        grants.extend(claims.iter().map(|claim| claim.want));
        return;
    }
    grants.extend(claims.iter().map(|_| f64::NAN));
    loop {
        let (mut left, mut weight) = (capacity, 0.0);
        for (claim, grant) in claims.iter().zip(grants.iter()) {
            if grant.is_nan() {
                weight += claim.weight * claim.count;
            } else {
                left -= grant * claim.count;
            }
        }
        let level = left.max(0.0) / weight;
        let mut satisfied = false;
        for (claim, grant) in claims.iter().zip(grants.iter_mut()) {
            if grant.is_nan() && claim.want <= claim.weight * level {
                *grant = claim.want;
                satisfied = true;
            }
        }
        if !satisfied {
            for (claim, grant) in claims.iter().zip(grants.iter_mut()) {
                if grant.is_nan() {
                    *grant = claim.weight * level;
                }
            }
            return;
        }
    }
}

/// Everybody who wants something, as places in `claims`: who wants most for its weight comes first.
pub(super) fn greediest_first(claims: &[Claim], order: &mut Vec<usize>) {
    order.clear();
    order.extend((0..claims.len()).filter(|index| claims[*index].count > 0.0));
    let share = |index: usize| claims[index].want / claims[index].weight;
    order.sort_unstable_by(|one, other| share(*other).total_cmp(&share(*one)).then(one.cmp(other)));
}

/// What one container of a claim would get if it wanted all there is, and everybody else what they want now: no less
/// than is left over, and no less than its weight is worth beside those who want more.
///
/// `wanted` is what they all want together, `order` that of [`greediest_first`].
pub(super) fn reach(claims: &[Claim], wanted: f64, order: &[usize], capacity: f64, index: usize) -> f64 {
    let mine = claims[index];
    let (mut left, mut weight) = (capacity - (wanted - mine.want), mine.weight);
    // Who wants most for its weight gives way first, as long as it has more than the same share.
    for &place in order {
        let claim = claims[place];
        if claim.want * weight <= left.max(0.0) * claim.weight {
            break;
        }
        let count = if place == index { claim.count - 1.0 } else { claim.count };
        (left, weight) = (left + claim.want * count, weight + claim.weight * count);
    }
    mine.weight * left.max(0.0) / weight
}

/// The cores of a host.
pub(super) struct Cores {
    /// Number and speed, fastest first.
    groups: Vec<(f64, f64)>,
    /// Speed of the fastest group at full clock.
    full_speed: f64,
    /// Share of time that other guests take where nothing is said of the moment.
    pub(super) usual_steal: f64,
    /// What the system wants.
    system_wants: f64,
    /// How many there are.
    pub(super) count: u32,
    /// Share of time that other guests leave.
    pub(super) ours: f64,
    /// What containers may use.
    pub(super) capacity: f64,
    /// What the system uses itself.
    pub(super) system: f64,
    slowdowns: Vec<f64>,
}

impl Cores {
    pub(super) fn of(host: &Host) -> Self {
        let groups: Vec<(f64, f64)> =
            host.cores.iter().map(|group| (f64::from(group.count), group.speed.as_fraction())).collect();
        let count = host.core_count().max(1);
        let slowdowns = (0..=SLOWDOWNS)
            .map(|point| queueing::slowdown(f64::from(count), point as f64 / SLOWDOWNS as f64 * LOAD_BELIEVED))
            .collect();
        let mut cores = Self {
            full_speed: groups.first().map_or(1.0, |group| group.1),
            groups,
            usual_steal: host.steal.as_fraction(),
            system_wants: host.system_cpu.as_cores(),
            count,
            ours: 1.0,
            capacity: 0.0,
            system: 0.0,
            slowdowns,
        };
        cores.ours = left_of(host.steal.as_fraction());
        cores.add_up();
        cores
    }

    /// What there is for containers, after clock or steal changed.
    fn add_up(&mut self) {
        let all = self.groups.iter().map(|(count, speed)| count * speed).sum::<f64>() * self.ours;
        self.system = self.system_wants.min(all * 0.99);
        self.capacity = all - self.system;
    }

    /// From now on the fastest group runs at this share of its full clock.
    pub(super) fn set_clock(&mut self, clock: f64) {
        if let Some(fastest) = self.groups.first_mut() {
            fastest.1 = self.full_speed * clock;
        }
        self.add_up();
    }

    /// From now on this share of time is stolen; whether it was another one.
    pub(super) fn set_steal(&mut self, share: f64) -> bool {
        let ours = left_of(share);
        let changed = ours != self.ours;
        self.ours = ours;
        self.add_up();
        changed
    }

    /// The busy share of each group when all together do `done`, the fastest first.
    pub(super) fn busy(&self, done: f64) -> impl Iterator<Item = f64> {
        let mut left = done / self.ours;
        self.groups.iter().map(move |(count, speed)| {
            let all = (count * speed).max(1e-9);
            let here = left.clamp(0.0, all);
            left -= here;
            here / all
        })
    }

    /// Mean speed of the cores that are busy when containers use `used`. Steps of 1/64 where cores differ, so that a
    /// small change of load does not change every container's work.
    pub(super) fn speed(&self, used: f64) -> f64 {
        let fastest = self.groups.first().map_or(1.0, |group| group.1).max(1e-3);
        if self.groups.len() < 2 {
            return fastest;
        }
        let mut left = (used + self.system) / self.ours;
        let (mut busy, mut done) = (0.0, 0.0);
        for &(count, speed) in &self.groups {
            let here = left.min(count * speed);
            busy += here / speed.max(1e-3);
            done += here;
            left -= here;
        }
        if busy <= 0.0 { fastest } else { (done / busy * 64.0).round().max(1.0) / 64.0 }
    }

    /// What so many cores of each group can do, in reference cores.
    pub(super) fn worth(&self, groups: &[f64]) -> f64 {
        self.groups.iter().zip(groups).map(|((_, speed), count)| count * speed).sum::<f64>() * self.ours
    }

    /// Speed of the cores of a group.
    pub(super) fn speed_of_group(&self, group: usize) -> f64 {
        self.groups.get(group).map_or(1.0, |group| group.1).max(1e-3)
    }

    /// How many cores of a group are busy with so much.
    pub(super) fn busy_with(&self, group: usize, done: f64) -> f64 {
        done / (self.speed_of_group(group) * self.ours)
    }

    /// Mean speed of those of so many cores of each group that are busy with `used`, as [`Self::speed`].
    pub(super) fn speed_on(&self, groups: &[f64], used: f64) -> f64 {
        let (mut left, mut busy, mut done, mut fastest) = (used / self.ours, 0.0, 0.0, 0.0_f64);
        for (group, count) in groups.iter().enumerate().filter(|group| *group.1 > 0.0) {
            let speed = self.speed_of_group(group);
            let here = left.min(count * speed);
            fastest = fastest.max(speed);
            (busy, done, left) = (busy + here / speed, done + here, left - here);
        }
        if busy <= 0.0 { fastest.max(1e-3) } else { (done / busy * 64.0).round().max(1.0) / 64.0 }
    }

    /// By how much the work of a container is stretched that uses `grant` where it could have `reach`. Where others want
    /// more than there is, its reach is its own. On a host that is not full it shares the cores with the others, and what
    /// it leaves of its reach is what is free for it: as much as on all cores, or more by its weight.
    ///
    /// Second, the load of the cores that stretches it so.
    pub(super) fn stretch(&self, grant: f64, reach: f64, full: bool) -> (f64, f64) {
        if full {
            let load = (grant / reach).min(LOAD_BELIEVED);
            return (queueing::slowdown(reach, load), load);
        }
        let load = (1.0 - (reach - grant) / (self.capacity + self.system)).clamp(0.0, LOAD_BELIEVED);
        (self.slowdown(load), load)
    }

    /// By how much the work of a container that uses `grant` is stretched by itself alone.
    pub(super) fn alone(&self, grant: f64) -> f64 {
        self.slowdown(grant / (self.capacity + self.system))
    }

    /// Load of all cores when containers use `used`.
    pub(super) fn load(&self, used: f64) -> f64 {
        ((used + self.system) / (self.capacity + self.system)).clamp(0.0, 1.0)
    }

    /// By how much work is stretched at a load of all cores: processor sharing of Poisson arrivals, up to 95 %.
    pub(super) fn slowdown(&self, load: f64) -> f64 {
        let place = (load / LOAD_BELIEVED).clamp(0.0, 1.0) * SLOWDOWNS as f64;
        let index = units::place(place).min(SLOWDOWNS - 1);
        let (from, to) = (self.slowdowns[index], self.slowdowns[index + 1]);
        from + (to - from) * (place - index as f64)
    }

    /// The load at which work is stretched so: the inverse of [`Self::slowdown`].
    pub(super) fn load_of(&self, stretched: f64) -> f64 {
        let index = self.slowdowns.partition_point(|known| *known < stretched).clamp(1, SLOWDOWNS);
        let (from, to) = (self.slowdowns[index - 1], self.slowdowns[index]);
        let part = if to > from { ((stretched - from) / (to - from)).clamp(0.0, 1.0) } else { 0.0 };
        ((index - 1) as f64 + part) / SLOWDOWNS as f64 * LOAD_BELIEVED
    }

    /// The load at which times scatter like this: of who shares with all, that with this stretch, and of who is protected by
    /// its weight, a lower one. That it may scatter more is not believed, since two states say so of equals, too.
    pub(super) fn load_like(&self, stretched: f64, scatter: f64) -> f64 {
        let (load, cores) = (self.load_of(stretched), f64::from(self.count));
        if scatter >= queueing::scatter(cores, load) {
            return load;
        }
        zero::rising(0.0, load, 1e-4, |load| queueing::scatter(cores, load) - scatter)
    }
}

/// What is left of the time when this share is stolen.
const fn left_of(steal: f64) -> f64 {
    (1.0 - steal).clamp(0.01, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CoreGroup;
    use crate::units::Bytes;
    use crate::units::Millicores;
    use crate::units::Permille;
    use proptest::prelude::*;

    fn shared(claims: &[Claim], capacity: f64) -> Vec<f64> {
        let mut grants = Vec::new();
        share(claims, capacity, &mut grants);
        grants
    }

    /// The obvious way: raise the water a little at a time, everybody by weight, until it is used up. Here the rises are
    /// found by going to the next claim that is full.
    fn shared_slowly(claims: &[Claim], capacity: f64) -> Vec<f64> {
        let mut grants = vec![0.0; claims.len()];
        let mut left = capacity;
        loop {
            let thirsty: Vec<usize> = (0..claims.len()).filter(|&i| grants[i] < claims[i].want - 1e-13).collect();
            let weight: f64 = thirsty.iter().map(|&i| claims[i].weight * claims[i].count).sum();
            if thirsty.is_empty() || left < 1e-13 {
                return grants;
            }
            let full = |&i: &usize| (claims[i].want - grants[i]) / claims[i].weight;
            let rise = thirsty.iter().map(full).fold(left / weight, f64::min);
            for i in thirsty {
                grants[i] += claims[i].weight * rise;
                left -= claims[i].weight * rise * claims[i].count;
            }
        }
    }

    fn claim(weight: f64, want: f64, count: f64) -> Claim {
        Claim { weight, want, count }
    }

    #[test]
    fn closed_forms() {
        let close = |found: Vec<f64>, wanted: &[f64]| {
            assert_eq!(found.len(), wanted.len());
            for (found, wanted) in found.iter().zip(wanted) {
                assert!((found - wanted).abs() < 1e-9, "{found} for {wanted}");
            }
        };
        // Ten equal ones on four cores; a weight of two to one; a quota that leaves its rest to the other.
        close(shared(&[claim(1024.0, 1.0, 10.0)], 4.0), &[0.4]);
        close(shared(&[claim(2048.0, 4.0, 1.0), claim(1024.0, 4.0, 1.0)], 3.0), &[2.0, 1.0]);
        close(shared(&[claim(4096.0, 0.5, 1.0), claim(1024.0, 4.0, 1.0)], 3.0), &[0.5, 2.5]);
        close(shared(&[claim(1.0, 0.3, 1.0), claim(1.0, 0.6, 1.0), claim(2.0, 9.0, 1.0)], 4.0), &[0.3, 0.6, 3.1]);
        close(shared(&[claim(1.0, 1.0, 2.0)], 4.0), &[1.0]);
    }

    proptest! {
        #[test]
        fn the_share_is_that_of_the_slow_way_whatever_the_order(
            claims in proptest::collection::vec((1_u32..5000, 0_u32..4000, 1_u32..4), 1..24), capacity in 1_u32..16_000,
        ) {
            let claims: Vec<Claim> = claims.into_iter()
                .map(|(weight, want, count)| claim(f64::from(weight), f64::from(want) / 1000.0, f64::from(count)))
                .collect();
            let capacity = f64::from(capacity) / 1000.0;
            let grants = shared(&claims, capacity);
            let slow = shared_slowly(&claims, capacity);
            let mut backwards = shared(&claims.iter().rev().copied().collect::<Vec<_>>(), capacity);
            backwards.reverse();
            let (mut sum, mut wanted) = (0.0, 0.0);
            for (i, claim) in claims.iter().enumerate() {
                prop_assert!((grants[i] - slow[i]).abs() < 1e-9, "{:?} for {:?}", grants, slow);
                prop_assert!((grants[i] - backwards[i]).abs() < 1e-9);
                prop_assert!(grants[i] <= claim.want + 1e-12 && grants[i] >= 0.0);
                sum += grants[i] * claim.count;
                wanted += claim.want * claim.count;
            }
            prop_assert!((sum - wanted.min(capacity)).abs() < 1e-9, "work conserving: {sum} of {wanted} on {capacity}");
        }
    }

    proptest! {
        #[test]
        fn the_reach_is_the_share_of_one_that_wants_all(
            claims in proptest::collection::vec((1_u32..5000, 0_u32..4000, 1_u32..4), 1..12), capacity in 1_u32..16_000,
            alike in any::<bool>(), index in 0_usize..12,
        ) {
            let claims: Vec<Claim> = claims.into_iter()
                .map(|(weight, want, count)| if alike { (1024, 1000, count) } else { (weight, want, count) })
                .map(|(weight, want, count)| claim(f64::from(weight), f64::from(want) / 1000.0, f64::from(count)))
                .collect();
            let (capacity, index) = (f64::from(capacity) / 1000.0, index % claims.len());
            let wanted = claims.iter().map(|claim| claim.want * claim.count).sum();
            let mut greedy = claims.clone();
            greedy[index].count -= 1.0;
            greedy.push(Claim { want: 1e6, count: 1.0, ..claims[index] });
            let share = shared_slowly(&greedy, capacity);
            let mut order = Vec::new();
            greediest_first(&claims, &mut order);
            let reach = reach(&claims, wanted, &order, capacity, index);
            prop_assert!((reach - share[claims.len()]).abs() < 1e-6, "{reach} for {}", share[claims.len()]);
        }
    }

    #[test]
    fn fast_cores_come_first() {
        let group = |count, percent| CoreGroup { count, speed: Permille::percent(percent) };
        let host =
            Host { disk: Bytes::gibi(100), ..Host::bare("m1", vec![group(4, 100), group(4, 50)], Bytes::gibi(8)) };
        let cores = Cores::of(&host);
        assert_eq!((cores.count, cores.capacity), (8, 6.0));
        assert_eq!((cores.speed(1.0), cores.speed(4.0), cores.speed(6.0)), (1.0, 1.0, 0.75));
        assert!(cores.speed(5.0) < 1.0 && cores.speed(5.0) > 0.75);
        let stolen = Cores::of(&Host { steal: Permille::percent(10), system_cpu: Millicores::new(400), ..host });
        assert!((stolen.capacity - 5.0).abs() < 1e-12);
    }
}
