//! Containers that run on some cores only. Before you change it:
//! 1. Who may run where is a graph of containers and cores. Demands fit onto the cores if, for every union of the sets, those
//!    who may run nowhere else want no more than its cores can do (the theorem of Hall 1935); so the unions are all there is
//!    to look at. Sets that have no core in common need not be looked at together.
//! 2. Within that the share is max-min fair by weight: the water rises for all, and stops for whom it is enough and for all
//!    who can run nowhere but on cores that are full.
//! 3. A host without pinned containers has no [`Pins`], and goes another way.

use super::World;
use super::cpu::Claim;
use super::cpu::Cores;
use super::cpu::LOAD_BELIEVED;
use super::service::Service;
use crate::model::CoreSet;
use crate::model::Host;
use crate::model::Scenario;
use crate::world::sim::queueing;
use std::collections::BTreeSet;

/// Which cores an instance runs on, as far as its requests are concerned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seat {
    /// How many there are.
    pub(super) count: u32,
    /// Mean speed of those that are busy.
    pub(super) speed: f64,
}

/// Some cores, and the sets that lie within them.
#[derive(Debug, Clone)]
struct Union {
    cores: BTreeSet<u32>,
    sets: Vec<usize>,
    /// How many cores of each group.
    groups: Vec<f64>,
    /// What they can do, in reference cores.
    capacity: f64,
}

/// Which containers may run on which cores.
pub(super) struct Pins {
    /// The different sets; the first is all cores.
    sets: Vec<BTreeSet<u32>>,
    /// How many cores of each group are in each set.
    groups: Vec<Vec<f64>>,
    unions: Vec<Union>,
    /// The set of each service, in the order of the services.
    set_of: Vec<usize>,
}

impl Pins {
    /// The pins of a scenario, where there are any; `services` are in their order.
    pub(super) fn of(scenario: &Scenario, services: &[Service]) -> Option<Self> {
        let given = |service: &Service| scenario.services.get(&service.name)?.cpuset.as_ref();
        if services.iter().all(|service| given(service).is_none()) {
            return None;
        }
        let all: BTreeSet<u32> = (0..scenario.host.core_count()).collect();
        let mut sets = vec![all];
        let mut set_of = Vec::with_capacity(services.len());
        for service in services {
            let cores = given(service).map_or_else(|| sets[0].clone(), |set| set.cores().collect());
            let place = sets.iter().position(|set| *set == cores).unwrap_or(sets.len());
            if place == sets.len() {
                sets.push(cores);
            }
            set_of.push(place);
        }
        // Who may run on all cores is as if nothing were said.
        if sets.len() == 1 {
            return None;
        }
        let groups = |cores: &BTreeSet<u32>| groups_of(&scenario.host, cores);
        let unions = unions(&sets)?.into_iter().map(|cores| Union {
            sets: (0..sets.len()).filter(|set| sets[*set].is_subset(&cores)).collect(),
            groups: groups(&cores),
            capacity: 0.0,
            cores,
        });
        Some(Self { unions: unions.collect(), groups: sets.iter().map(groups).collect(), sets, set_of })
    }

    /// The sets of so many claims: two of each service, then what runs beside the containers, on all cores.
    fn sets_of(&self, claims: usize) -> Vec<usize> {
        (0..claims).map(|claim| self.set_of.get(claim / 2).copied().unwrap_or(0)).collect()
    }

    /// Takes over how fast the cores are now.
    fn fit(&mut self, cores: &Cores) {
        for union in &mut self.unions {
            union.capacity = cores.worth(&union.groups);
            if union.cores.len() == self.sets[0].len() {
                union.capacity -= cores.system;
            }
        }
    }

    /// Gives each container of each claim, whose sets are these, its share.
    fn share(&self, claims: &[Claim], sets: &[usize], grants: &mut Vec<f64>) {
        grants.clear();
        grants.extend(claims.iter().map(|claim| if claim.count > 0.0 { f64::NAN } else { 0.0 }));
        // What was given within each union, and the weight of those who still want more there.
        let mut rooms: Vec<(f64, f64)> = self.unions.iter().map(|union| (union.capacity.max(0.0), 0.0)).collect();
        while grants.iter().any(|grant| grant.is_nan()) {
            for (union, room) in self.unions.iter().zip(&mut rooms) {
                *room = (union.capacity.max(0.0), 0.0);
                for (place, claim) in claims.iter().enumerate().filter(|one| union.sets.contains(&sets[one.0])) {
                    match grants[place] {
                        grant if grant.is_nan() => room.1 += claim.weight * claim.count,
                        grant => room.0 -= grant * claim.count,
                    }
                }
            }
            let levels = rooms.iter().map(|room| if room.1 > 0.0 { room.0.max(0.0) / room.1 } else { f64::INFINITY });
            let full = levels.clone().fold(f64::INFINITY, f64::min);
            let open = claims.iter().zip(grants.iter()).filter(|one| one.1.is_nan());
            let enough = open.map(|(claim, _)| claim.want / claim.weight).fold(f64::INFINITY, f64::min);
            if enough <= full {
                for (claim, grant) in claims.iter().zip(grants.iter_mut()) {
                    if grant.is_nan() && claim.want / claim.weight <= full {
                        // As long as the water has not reached the first full cores, it is enough for all of these.
                        *grant = claim.want;
                    }
                }
                continue;
            }
            for (union, level) in self.unions.iter().zip(levels) {
                for (place, claim) in claims.iter().enumerate() {
                    if level <= full && grants[place].is_nan() && union.sets.contains(&sets[place]) {
                        grants[place] = claim.weight * full;
                    }
                }
            }
        }
    }

    /// Whether somebody who may run on these cores only wants more than there is.
    fn is_full(&self, claims: &[Claim], sets: &[usize], set: usize) -> bool {
        let wanted = |union: &Union| -> f64 {
            let within = claims.iter().enumerate().filter(|one| union.sets.contains(&sets[one.0]));
            within.map(|(_, claim)| claim.want * claim.count).sum()
        };
        self.unions.iter().any(|union| union.sets.contains(&set) && wanted(union) > union.capacity * (1.0 + 1e-12))
    }

    /// Mean speed of the busy cores of each set: the fastest first, of those that containers on one group alone leave.
    fn speeds(&self, cores: &Cores, claims: &[Claim], grants: &[f64]) -> Vec<f64> {
        let sets = self.sets_of(claims.len());
        let alone = |set: usize| {
            let mut groups = self.groups[set].iter().enumerate().filter(|group| *group.1 > 0.0);
            groups.next().map(|group| group.0).filter(|_| groups.next().is_none())
        };
        let all = &self.groups[0];
        let mut taken = vec![0.0; all.len()];
        let mut mixed = cores.system;
        for (place, (claim, grant)) in claims.iter().zip(grants).enumerate() {
            match alone(sets[place]) {
                Some(group) => taken[group] += claim.count * grant,
                None => mixed += claim.count * grant,
            }
        }
        let speed = |set: usize| {
            if let Some(group) = alone(set) {
                return cores.speed_of_group(group);
            }
            let here = &self.groups[set];
            let left: Vec<f64> = (0..all.len())
                .map(|group| (here[group] - cores.busy_with(group, taken[group]) * here[group] / all[group]).max(0.0))
                .collect();
            cores.speed_on(&left, mixed * (cores.worth(here) / cores.worth(all)))
        };
        (0..self.sets.len()).map(speed).collect()
    }
}

/// How many of these cores are of each group. Cores are numbered group by group.
fn groups_of(host: &Host, cores: &BTreeSet<u32>) -> Vec<f64> {
    let mut from = 0;
    let groups = host.cores.iter().map(|group| {
        let to = from + group.count;
        let here = cores.range(from..to).count();
        from = to;
        here as f64
    });
    groups.collect()
}

/// All unions of sets that hang together by common cores, and all cores, the first of the sets; `None` where there are too
/// many to look at.
fn unions(sets: &[BTreeSet<u32>]) -> Option<BTreeSet<BTreeSet<u32>>> {
    let mut all: BTreeSet<BTreeSet<u32>> = sets.iter().cloned().collect();
    let mut new: Vec<BTreeSet<u32>> = sets.iter().skip(1).cloned().collect();
    while let Some(union) = new.pop() {
        for set in sets.iter().skip(1).filter(|set| !set.is_disjoint(&union)) {
            let wider: BTreeSet<u32> = union.union(set).copied().collect();
            if all.insert(wider.clone()) {
                new.push(wider);
            }
        }
        if all.len() > CoreSet::UNIONS {
            return None;
        }
    }
    Some(all)
}

impl CoreSet {
    /// Unions of overlapping sets that the simulation looks at, at most.
    const UNIONS: usize = 1024;

    /// Whether so many different sets overlap in so many ways that their share cannot be found.
    #[must_use]
    pub fn overlap_too_much<'a>(sets: impl Iterator<Item = &'a Self>) -> bool {
        let different: BTreeSet<BTreeSet<u32>> = sets.map(|set| set.cores().collect()).collect();
        let sets: Vec<BTreeSet<u32>> = core::iter::once(BTreeSet::new()).chain(different).collect();
        unions(&sets).is_none()
    }
}

impl World {
    /// Shares the cores out where containers are pinned; whether they are.
    pub(super) fn share_pinned(&mut self) -> bool {
        let Some(mut pins) = self.pins.take() else { return false };
        pins.fit(&self.cores);
        pins.share(&self.claims, &pins.sets_of(self.claims.len()), &mut self.grants);
        self.pins = Some(pins);
        true
    }

    /// By how much the work of each service is stretched on its cores, where some are pinned; whether some are.
    ///
    /// A container waits behind others for what these take of what it would get if it wanted all: its reach, which its
    /// weight and the choice of cores of the others protect.
    pub(super) fn stretch_pinned(&mut self) -> bool {
        let Some(pins) = self.pins.take() else { return false };
        let mut sets = pins.sets_of(self.claims.len());
        let mut greedy = self.claims.clone();
        let mut grants = Vec::with_capacity(greedy.len());
        for index in 0..self.services.len() {
            let (place, set) = (2 * index, pins.set_of[index]);
            let mine = self.claims[place];
            greedy[place].count -= 1.0;
            greedy.push(Claim { want: 1e9, count: 1.0, ..mine });
            sets.push(set);
            pins.share(&greedy, &sets, &mut grants);
            greedy.pop();
            sets.pop();
            greedy[place] = mine;
            let reach = grants.last().copied().unwrap_or(0.0).max(1e-9);
            if let Some(gate) = &mut self.services[index].gate {
                gate.reach = reach;
            }
            let grant = self.grants[place];
            let (all, cores) = (self.cores.worth(&pins.groups[set]), pins.groups[set].iter().sum::<f64>());
            let (load, on) = if pins.is_full(&self.claims, &sets, set) {
                ((grant / reach).min(LOAD_BELIEVED), reach)
            } else {
                ((1.0 - (reach - grant) / all).clamp(0.0, LOAD_BELIEVED), cores)
            };
            (self.stretched[index], self.loads[index]) = (queueing::slowdown(on, load), load);
        }
        self.pins = Some(pins);
        true
    }

    /// By how much a service's own load alone stretches its work.
    pub(super) fn stretched_alone(&self, index: usize) -> f64 {
        let stretched = self.stretched_at_random(index);
        let service = &self.services[index];
        if service.shared.balance.is_random() {
            return stretched;
        }
        1.0 + (stretched - 1.0) * service.response.wait_left(service.passage.load)
    }

    /// The same where requests come to its instances at random.
    fn stretched_at_random(&self, index: usize) -> f64 {
        let grant = self.grants[2 * index];
        let Some(pins) = &self.pins else { return self.cores.alone(grant) };
        let groups = &pins.groups[pins.set_of[index]];
        let load = (grant / self.cores.worth(groups)).min(LOAD_BELIEVED);
        queueing::slowdown(groups.iter().sum(), load)
    }

    /// The cores of each service by what was granted last; none where nobody is pinned.
    fn seats(&self) -> Vec<Seat> {
        let Some(pins) = &self.pins else { return Vec::new() };
        let speeds = pins.speeds(&self.cores, &self.claims, &self.grants);
        let seat = |set: &usize| Seat { count: u32::try_from(pins.sets[*set].len()).unwrap_or(0), speed: speeds[*set] };
        pins.set_of.iter().map(seat).collect()
    }

    /// Whether some service's cores are faster or slower by so much than its means are for.
    pub(super) fn seats_are_off(&self, change: f64) -> bool {
        let known = self.services.iter().map(|service| service.seat.map_or(f64::INFINITY, |seat| seat.speed));
        self.seats().iter().zip(known).any(|(seat, known)| (seat.speed - known).abs() >= change)
    }

    /// Gives each service its cores, where some are pinned.
    pub(super) fn take_seats(&mut self) {
        for (service, seat) in self.seats().into_iter().enumerate() {
            self.services[service].seat = Some(seat);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The obvious way: raise the water a little at a time for all who still can get more, which a search for a way through
    /// the graph of containers and cores says. Only the last rise is halved again and again.
    fn shared_slowly(claims: &[(f64, f64, BTreeSet<u32>)], cores: &[f64]) -> Vec<f64> {
        let mut grants = vec![0.0; claims.len()];
        let mut open: Vec<usize> = (0..claims.len()).collect();
        while !open.is_empty() {
            let raised = |rise: f64| -> Vec<f64> {
                let more = |one: usize| if open.contains(&one) { claims[one].0 * rise } else { 0.0 };
                (0..claims.len()).map(|one| (grants[one] + more(one)).min(claims[one].1)).collect()
            };
            let (mut low, mut high) = (0.0, 1e3);
            for _ in 0..60 {
                let middle = f64::midpoint(low, high);
                if fits(claims, &raised(middle), cores) { low = middle } else { high = middle }
            }
            // A little less than fits just so, so that it does however the ways are looked for.
            grants = raised(low).into_iter().map(|grant| (grant - 1e-8).max(0.0)).collect();
            // Who cannot get a little more by itself is done.
            let before = open.len();
            open.retain(|&one| {
                let mut more = grants.clone();
                more[one] += 1e-6;
                grants[one] < claims[one].1 - 1e-7 && fits(claims, &more, cores)
            });
            assert!(open.len() < before || low > 900.0);
            if low > 900.0 {
                break;
            }
        }
        grants
    }

    /// Whether demands fit onto the cores, by ways along which more can flow (Ford and Fulkerson 1956).
    fn fits(claims: &[(f64, f64, BTreeSet<u32>)], demands: &[f64], cores: &[f64]) -> bool {
        let mut flow = vec![vec![0.0; cores.len()]; claims.len()];
        let mut left = cores.to_vec();
        for (start, demand) in demands.iter().enumerate() {
            let mut wanted = *demand;
            while wanted > 1e-9 {
                // From the claim over cores to other claims that could go elsewhere, until a core has room.
                let mut came: Vec<Option<usize>> = vec![None; cores.len()];
                let mut from: Vec<Option<usize>> = vec![None; claims.len()];
                let mut queue = vec![start];
                let mut end = None;
                while let Some(claim) = queue.pop() {
                    for core in 0..cores.len() {
                        if came[core].is_some() || !claims[claim].2.contains(&u32::try_from(core).expect("small")) {
                            continue;
                        }
                        came[core] = Some(claim);
                        if left[core] > 1e-12 {
                            end = Some(core);
                            queue.clear();
                            break;
                        }
                        for other in 0..claims.len() {
                            if other != start && from[other].is_none() && flow[other][core] > 1e-12 {
                                from[other] = Some(core);
                                queue.push(other);
                            }
                        }
                    }
                }
                let Some(end) = end else { return false };
                let mut way = vec![end];
                let mut amount = wanted.min(left[end]);
                let mut core = end;
                while let Some(claim) = came[core].filter(|claim| *claim != start) {
                    core = from[claim].expect("a way");
                    amount = amount.min(flow[claim][core]);
                    way.push(core);
                }
                let mut to = end;
                for &core in way.iter().skip(1) {
                    let claim = came[to].expect("a way");
                    flow[claim][to] += amount;
                    flow[claim][core] -= amount;
                    to = core;
                }
                flow[start][to] += amount;
                left[end] -= amount;
                wanted -= amount;
            }
        }
        true
    }

    /// The pins of claims on cores of this worth.
    fn pins(sets: &[BTreeSet<u32>], cores: &[f64]) -> (Pins, Vec<usize>) {
        let mut all = vec![(0..u32::try_from(cores.len()).expect("small")).collect::<BTreeSet<u32>>()];
        let places = sets.iter().map(|set| {
            all.iter().position(|known| known == set).unwrap_or_else(|| {
                all.push(set.clone());
                all.len() - 1
            })
        });
        let places: Vec<usize> = places.collect();
        let unions = unions(&all).expect("few").into_iter().map(|union| Union {
            sets: (0..all.len()).filter(|set| all[*set].is_subset(&union)).collect(),
            groups: Vec::new(),
            capacity: union.iter().map(|core| cores[*core as usize]).sum(),
            cores: union,
        });
        (Pins { unions: unions.collect(), groups: Vec::new(), sets: all, set_of: Vec::new() }, places)
    }

    fn claim(weight: f64, want: f64) -> Claim {
        Claim { weight, want, count: 1.0 }
    }

    #[test]
    fn closed_forms() {
        let share = |sets: &[&[u32]], claims: &[Claim], cores: &[f64]| {
            let sets: Vec<BTreeSet<u32>> = sets.iter().map(|set| set.iter().copied().collect()).collect();
            let (pins, places) = pins(&sets, cores);
            let mut grants = Vec::new();
            pins.share(claims, &places, &mut grants);
            grants.iter().map(|grant| (grant * 1e6).round() / 1e6).collect::<Vec<f64>>()
        };
        let greedy = claim(1024.0, 9.0);
        // Two on the same core share it by weight; who may run on all cores takes the others.
        let three: [&[u32]; 3] = [&[0], &[0], &[0, 1]];
        assert_eq!(share(&three, &[greedy, claim(3072.0, 9.0), greedy], &[1.0, 1.0]), [0.25, 0.75, 1.0]);
        // A chain: 0 on {0}, 1 on {0, 1}, 2 on {1}: all the same, two thirds of a core each.
        let chain: [&[u32]; 3] = [&[0], &[0, 1], &[1]];
        assert_eq!(share(&chain, &[greedy; 3], &[1.0, 1.0]), [0.666_667; 3]);
        // Who is pinned to a slow core has no more than that.
        let slow: [&[u32]; 2] = [&[1], &[0, 1]];
        assert_eq!(share(&slow, &[greedy; 2], &[1.0, 0.5]), [0.5, 1.0]);
        assert_eq!(share(&slow, &[claim(1024.0, 0.1), greedy], &[1.0, 0.5]), [0.1, 1.4]);
    }

    proptest! {
        #[test]
        fn the_share_is_that_of_the_slow_way(
            drawn in proptest::collection::vec((1_u32..50, 0_u32..3000, 1_u32..32), 1..8), slow in 0_usize..5,
        ) {
            let cores: Vec<f64> = (0..5).map(|core| if core < slow { 1.0 } else { 0.5 }).collect();
            let sets: Vec<BTreeSet<u32>> =
                drawn.iter().map(|one| (0..5).filter(|core| one.2 >> core & 1 == 1).collect()).collect();
            let claims: Vec<Claim> =
                drawn.iter().map(|one| claim(f64::from(one.0) / 10.0, f64::from(one.1) / 1000.0)).collect();
            let (pins, places) = pins(&sets, &cores);
            let mut grants = Vec::new();
            pins.share(&claims, &places, &mut grants);
            let slow: Vec<_> =
                claims.iter().zip(&sets).map(|(claim, set)| (claim.weight, claim.want, set.clone())).collect();
            let wanted = shared_slowly(&slow, &cores);
            for (found, wanted_one) in grants.iter().zip(&wanted) {
                prop_assert!((found - wanted_one).abs() < 1e-5, "{:?} for {:?}", grants, wanted);
            }
            prop_assert!(fits(&slow, &grants.iter().map(|grant| (grant - 1e-7).max(0.0)).collect::<Vec<_>>(), &cores));
        }
    }

    /// Sixty-four services, each on a core of its own, are sixty-four unions and all cores; not all sums of these.
    #[test]
    fn sets_that_have_nothing_in_common_are_few_unions() {
        let mut sets: Vec<BTreeSet<u32>> = vec![(0..64).collect()];
        sets.extend((0..64).map(|core| BTreeSet::from([core])));
        assert_eq!(unions(&sets).map(|unions| unions.len()), Some(65));
    }
}
