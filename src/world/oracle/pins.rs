//! Who gets which part of the cores where containers may run on some of them only: the same sharing, over the graph of
//! containers and cores.
//!
//! Before you change it:
//! 1. The water rises for all by weight until somebody cannot get more: because it has what it wants, or because no way
//!    leads from it over cores and the containers on them to a core that has room.
//! 2. Whether demands fit is found by looking for such ways, one after another; nothing is said of sums over sets.

use super::container::Container;
use crate::model::Scenario;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// How exactly the level of the water is found.
const EXACT: f64 = 1e-9;

/// The cores that each container may run on.
#[derive(Debug)]
pub(super) struct Pins {
    cores: usize,
    /// By container.
    sets: Vec<BTreeSet<usize>>,
    weights: Vec<f64>,
    /// The group of each core.
    pub(super) groups: Vec<usize>,
    /// Shares by what is wanted: the same wants come again and again.
    known: BTreeMap<Vec<(usize, u32)>, Vec<f64>>,
}

impl Pins {
    /// The pins of a scenario, where there are any; `containers` are in the order of the services' names.
    pub(super) fn of(scenario: &Scenario, containers: &[Container]) -> Option<Self> {
        scenario.services.values().find(|model| model.cpuset.is_some())?;
        let counts = scenario.host.cores.iter().map(|group| group.count as usize).enumerate();
        let groups: Vec<usize> = counts.flat_map(|(group, count)| vec![group; count]).collect();
        let sets = scenario.services.values().flat_map(|model| {
            let set: BTreeSet<usize> = match &model.cpuset {
                Some(set) => set.cores().map(|core| core as usize).collect(),
                None => (0..groups.len()).collect(),
            };
            vec![set; model.replicas.max(1) as usize]
        });
        let weights = containers.iter().map(|container| container.weight).collect();
        Some(Self { cores: groups.len(), sets: sets.collect(), weights, groups, known: BTreeMap::new() })
    }

    /// How many cores a container may run on.
    pub(super) fn count(&self, container: usize) -> f64 {
        self.sets[container].len() as f64
    }

    /// The group of all the cores of a container, where they are of one.
    pub(super) fn group(&self, container: usize) -> Option<usize> {
        let groups: BTreeSet<usize> = self.sets[container].iter().map(|core| self.groups[*core]).collect();
        groups.first().copied().filter(|_| groups.len() == 1)
    }

    /// How many cores each container gets, of those that want so many; `trickle` are taken already, wherever there is room.
    pub(super) fn share(&mut self, wants: &[(usize, u32)], trickle: f64) -> Vec<f64> {
        if let Some(known) = self.known.get(wants) {
            return known.clone();
        }
        let most: Vec<f64> = wants.iter().map(|want| f64::from(want.1).min(self.count(want.0))).collect();
        let mut open = vec![true; wants.len()];
        let mut shares = vec![0.0; wants.len()];
        while open.contains(&true) {
            let rise = |level: f64| -> Vec<f64> {
                let more = |place: usize| if open[place] { self.weights[wants[place].0] * level } else { 0.0 };
                (0..wants.len()).map(|place| (shares[place] + more(place)).min(most[place])).collect()
            };
            let least = wants.iter().map(|want| self.weights[want.0]).fold(f64::INFINITY, f64::min);
            let (mut low, mut high) = (0.0, (self.cores as f64 + 1.0) / least);
            if self.fits(wants, &rise(high), trickle) {
                low = high;
            }
            while high - low > EXACT / least {
                let middle = f64::midpoint(low, high);
                if self.fits(wants, &rise(middle), trickle) { low = middle } else { high = middle }
            }
            // A little less than fits just so, so that it does however the ways are looked for.
            shares = rise(low).into_iter().map(|share| (share - 10.0 * EXACT).max(0.0)).collect();
            let before = open.clone();
            for place in 0..wants.len() {
                let mut more = shares.clone();
                more[place] += 1e-5;
                open[place] &= shares[place] < most[place] - 100.0 * EXACT && self.fits(wants, &more, trickle);
            }
            if open == before {
                break;
            }
        }
        self.known.insert(wants.to_vec(), shares.clone());
        shares
    }

    /// Whether all can have that much, and the trickle, too.
    fn fits(&self, wants: &[(usize, u32)], shares: &[f64], trickle: f64) -> bool {
        let mut room = vec![1.0; self.cores];
        let mut on = vec![vec![0.0; self.cores]; wants.len()];
        let all: BTreeSet<usize> = (0..self.cores).collect();
        for (place, share) in shares.iter().enumerate() {
            let mut left = *share;
            while left > EXACT / 100.0 {
                let Some(done) = self.place_more(wants, place, left, &mut room, &mut on) else { return false };
                left -= done;
            }
        }
        all.iter().map(|core| room[*core]).sum::<f64>() >= trickle - EXACT
    }

    /// Puts more of a container onto cores, moving others away where that helps; how much.
    fn place_more(
        &self,
        wants: &[(usize, u32)],
        start: usize,
        left: f64,
        room: &mut [f64],
        on: &mut [Vec<f64>],
    ) -> Option<f64> {
        let tiny = 1e-13;
        // For each core reached: who would go there, and from which core, if not the one that wants more.
        let mut reached: BTreeMap<usize, (usize, Option<usize>)> = BTreeMap::new();
        let mut next: Vec<usize> = Vec::new();
        for &core in &self.sets[wants[start].0] {
            reached.insert(core, (start, None));
            next.push(core);
        }
        let mut at = 0;
        while let Some(&core) = next.get(at) {
            at += 1;
            if room[core] > tiny {
                let (mut amount, mut here) = (left.min(room[core]), core);
                while let Some(&(who, Some(from))) = reached.get(&here) {
                    amount = amount.min(on[who][from]);
                    here = from;
                }
                room[core] -= amount;
                let mut here = core;
                while let Some(&(who, from)) = reached.get(&here) {
                    on[who][here] += amount;
                    let Some(from) = from else { break };
                    on[who][from] -= amount;
                    here = from;
                }
                return Some(amount);
            }
            for (who, cores) in on.iter().enumerate().filter(|one| one.1[core] > tiny) {
                debug_assert!(cores.len() == self.cores);
                for &other in &self.sets[wants[who].0] {
                    if let std::collections::btree_map::Entry::Vacant(place) = reached.entry(other) {
                        place.insert((who, Some(core)));
                        next.push(other);
                    }
                }
            }
        }
        None
    }
}
