//! Services that cannot be parted, as one thing with one demand.

use super::Demand;
use super::Impossible;
use super::Room;
use super::Rules;
use crate::model::Amount;
use crate::model::ServiceName;
use crate::units::Bytes;
use crate::units::Millicores;
use std::collections::BTreeMap;

/// Services that run on one machine together.
#[derive(Debug, Clone)]
pub(super) struct Atom {
    pub(super) services: Vec<ServiceName>,
    pub(super) need: Amount,
    /// It stays on the first machine.
    pub(super) stays: bool,
}

/// The atoms, the largest first, and what is between them.
#[derive(Debug, Clone)]
pub(super) struct Atoms {
    pub(super) all: Vec<Atom>,
    /// Calls between two of them, in millionths a second, in both directions.
    pub(super) ways: Vec<Vec<u64>>,
    /// Which may not be on one machine.
    pub(super) apart: Vec<Vec<bool>>,
}

impl Atoms {
    /// Of a demand under rules, on hosts with so much room.
    pub(super) fn of(demand: &Demand, rules: &Rules, rooms: &[Room]) -> Result<Self, Impossible> {
        let names: Vec<&ServiceName> = demand.needs.iter().map(|need| &need.service).collect();
        let place = |name: &ServiceName| names.iter().position(|known| *known == name);
        let mut head: Vec<usize> = (0..names.len()).collect();
        for (one, other, _) in &rules.together {
            let (Some(one), Some(other)) = (place(one), place(other)) else { continue };
            let (from, to) = (head[one].max(head[other]), head[one].min(head[other]));
            head.iter_mut().filter(|head| **head == from).for_each(|head| *head = to);
        }
        let mut by_head: BTreeMap<usize, Atom> = BTreeMap::new();
        for (index, need) in demand.needs.iter().enumerate() {
            let atom = by_head.entry(head[index]).or_insert_with(|| Atom {
                services: Vec::new(),
                need: Amount { cpu: Millicores::ZERO, memory: Bytes::ZERO },
                stays: false,
            });
            atom.services.push(need.service.clone());
            atom.need.cpu = atom.need.cpu.plus(need.cpu);
            atom.need.memory = atom.need.memory.plus(need.memory);
            atom.stays |= rules.stay.contains(&need.service);
        }
        let mut all: Vec<Atom> = by_head.into_values().collect();
        all.iter_mut().for_each(|atom| atom.services.sort());
        let largest = |each: fn(&Room) -> u64| rooms.iter().map(each).max().unwrap_or(0).max(1);
        let (cpu, memory) = (largest(|room| room.cpu.get()), largest(|room| room.memory.get()));
        let size = |atom: &Atom| share(atom.need.cpu.get(), cpu).max(share(atom.need.memory.get(), memory));
        // By name where they are equally large, so that the order of the demand changes nothing.
        all.sort_by(|one, other| size(other).cmp(&size(one)).then_with(|| one.services.cmp(&other.services)));
        for atom in &all {
            if !rooms.iter().any(|room| atom.need.cpu <= room.cpu && atom.need.memory <= room.memory) {
                return Err(Impossible::TooLarge {
                    services: atom.services.clone(),
                    cpu: atom.need.cpu,
                    memory: atom.need.memory.get(),
                });
            }
        }
        let of = |name: &ServiceName| all.iter().position(|atom| atom.services.contains(name));
        let mut ways = vec![vec![0_u64; all.len()]; all.len()];
        for way in &demand.ways {
            let (Some(from), Some(to)) = (of(&way.from), of(&way.to)) else { continue };
            if from != to {
                ways[from][to] = ways[from][to].saturating_add(way.calls.get());
                ways[to][from] = ways[from][to];
            }
        }
        let mut apart = vec![vec![false; all.len()]; all.len()];
        for (one, other, _) in &rules.apart {
            let (Some(first), Some(second)) = (of(one), of(other)) else { continue };
            if first == second {
                return Err(Impossible::Torn(one.clone(), other.clone()));
            }
            apart[first][second] = true;
            apart[second][first] = true;
        }
        Ok(Self { all, ways, apart })
    }
}

/// A part of a whole in thousandths, rounded up; without end where there is no whole.
pub(super) fn share(part: u64, whole: u64) -> u64 {
    let exact = (u128::from(part) * 1000).saturating_add(u128::from(whole).saturating_sub(1));
    match exact.checked_div(u128::from(whole)) {
        Some(share) => u64::try_from(share).unwrap_or(u64::MAX),
        None if part == 0 => 0,
        None => u64::MAX,
    }
}
