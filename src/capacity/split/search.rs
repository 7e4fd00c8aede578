//! The search for an assignment: a heuristic for a first one, then branch and bound.
//!
//! A general solver was considered (`good_lp` with `microlp`). As an integer program the problem is that of cutting a graph
//! into parts of bounded size, whose linear relaxation puts a share of everything everywhere and cuts nothing: its bound is
//! zero until most is decided. The bound below is better, is a dozen lines, and 19 services on 2 hosts take milliseconds.

use super::Assignment;
use super::Demand;
use super::FULL;
use super::Impossible;
use super::Room;
use super::Rules;
use super::atoms::Atoms;
use super::atoms::share;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Rate;

/// Steps after which the search stops: a second or less.
pub(super) const STEPS_MAX: u64 = 2_000_000;

/// What an assignment comes to: calls between hosts in millionths a second, and how full the fullest is in thousandths.
type Worth = (u64, u64);

/// Assigns services to hosts: none fuller than [`FULL`] where that can be, with the fewest calls between hosts, then with the
/// least full fullest host. The order of the services and of equal hosts changes nothing.
///
/// # Errors
/// Where there is none, or none was found in `STEPS_MAX` steps.
pub fn assign(demand: &Demand, rules: &Rules, rooms: &[Room]) -> Result<Assignment, Impossible> {
    let atoms = Atoms::of(demand, rules, rooms)?;
    for full in [FULL, Permille::ONE] {
        let mut search = Search::new(&atoms, rooms, full.get());
        search.begin_well();
        search.place(0);
        if search.steps >= STEPS_MAX {
            search.improve();
        }
        if let Some((worth, host_of)) = search.best {
            let services = |(atom, host): (&super::atoms::Atom, usize)| {
                atom.services.iter().map(move |service| (service.clone(), host)).collect::<Vec<_>>()
            };
            return Ok(Assignment {
                host_of: atoms.all.iter().zip(host_of).flat_map(services).collect(),
                crossing: Rate::micro(worth.0),
                fullest: Permille::new(worth.1),
                proved: search.steps < STEPS_MAX,
            });
        }
    }
    Err(Impossible::NoRoom)
}

/// An assignment in the making: the first so many atoms have a host.
struct Search<'a> {
    atoms: &'a Atoms,
    rooms: &'a [Room],
    /// How full a host may be, in thousandths.
    full: u64,
    host_of: Vec<usize>,
    used: Vec<(Millicores, Bytes)>,
    /// Of each atom, calls to those that have a host, by host.
    calls: Vec<Vec<u64>>,
    cut: u64,
    steps: u64,
    best: Option<(Worth, Vec<usize>)>,
}

impl<'a> Search<'a> {
    fn new(atoms: &'a Atoms, rooms: &'a [Room], full: u64) -> Self {
        Self {
            atoms,
            rooms,
            full,
            host_of: Vec::new(),
            used: vec![(Millicores::ZERO, Bytes::ZERO); rooms.len()],
            calls: vec![vec![0; rooms.len()]; atoms.all.len()],
            cut: 0,
            steps: 0,
            best: None,
        }
    }

    /// How full a host is with so much.
    fn fullness(&self, host: usize, (cpu, memory): (Millicores, Bytes)) -> u64 {
        let room = self.rooms[host];
        share(cpu.get(), room.cpu.get()).max(share(memory.get(), room.memory.get()))
    }

    fn fullest(&self) -> u64 {
        (0..self.rooms.len()).map(|host| self.fullness(host, self.used[host])).max().unwrap_or(0)
    }

    /// Whether the next atom may go to a host.
    fn fits(&self, atom: usize, host: usize) -> bool {
        let (one, used) = (&self.atoms.all[atom], self.used[host]);
        let with = (used.0.plus(one.need.cpu), used.1.plus(one.need.memory));
        let apart = |other: usize| self.atoms.apart[atom][other] && self.host_of[other] == host;
        (!one.stays || host == 0) && self.fullness(host, with) <= self.full && !(0..self.host_of.len()).any(apart)
    }

    /// Whether an equal host before this one has nothing yet, either: what goes here could as well go there. The first host
    /// is like no other where something stays on it.
    fn is_repetition(&self, host: usize) -> bool {
        let is_empty = |host: usize| !self.host_of.contains(&host);
        let special = |host: usize| host == 0 && self.atoms.all.iter().any(|atom| atom.stays);
        is_empty(host)
            && (0..host).any(|other| is_empty(other) && self.rooms[other] == self.rooms[host] && !special(other))
    }

    fn put(&mut self, host: usize) {
        let atom = self.host_of.len();
        let need = self.atoms.all[atom].need;
        self.used[host] = (self.used[host].0.plus(need.cpu), self.used[host].1.plus(need.memory));
        let all: u64 = self.calls[atom].iter().fold(0, |sum, calls| sum.saturating_add(*calls));
        self.cut = self.cut.saturating_add(all - self.calls[atom][host]);
        for other in atom + 1..self.atoms.all.len() {
            self.calls[other][host] = self.calls[other][host].saturating_add(self.atoms.ways[atom][other]);
        }
        self.host_of.push(host);
    }

    fn take(&mut self) {
        let Some(host) = self.host_of.pop() else { return };
        let atom = self.host_of.len();
        let need = self.atoms.all[atom].need;
        self.used[host] = (self.used[host].0.minus(need.cpu), self.used[host].1.minus(need.memory));
        for other in atom + 1..self.atoms.all.len() {
            self.calls[other][host] = self.calls[other][host].saturating_sub(self.atoms.ways[atom][other]);
        }
        let all: u64 = self.calls[atom].iter().fold(0, |sum, calls| sum.saturating_add(*calls));
        self.cut = self.cut.saturating_sub(all - self.calls[atom][host]);
    }

    /// Calls between hosts at least: those so far, and of each atom without a host all but those to the host it calls most.
    fn bound(&self) -> u64 {
        let least = |atom: usize| {
            let calls = &self.calls[atom];
            let all: u64 = calls.iter().fold(0, |sum, calls| sum.saturating_add(*calls));
            all - calls.iter().max().copied().unwrap_or(0)
        };
        (self.host_of.len()..self.atoms.all.len()).map(least).fold(self.cut, u64::saturating_add)
    }

    /// A first assignment: each atom, the largest first, goes where it adds the fewest calls between hosts, then where most
    /// room is left. Without one the search begins with nothing.
    fn begin_well(&mut self) {
        for atom in 0..self.atoms.all.len() {
            let cost = |host: &usize| {
                let all: u64 = self.calls[atom].iter().fold(0, |sum, calls| sum.saturating_add(*calls));
                (all - self.calls[atom][*host], self.fullness(*host, self.used[*host]), *host)
            };
            match (0..self.rooms.len()).filter(|host| self.fits(atom, *host)).min_by_key(cost) {
                Some(host) => self.put(host),
                None => break,
            }
        }
        if self.host_of.len() == self.atoms.all.len() {
            self.best = Some(((self.cut, self.fullest()), self.host_of.clone()));
        }
        while !self.host_of.is_empty() {
            self.take();
        }
    }

    /// What an assignment comes to; `None` where it may not be.
    fn worth(&self, host_of: &[usize]) -> Option<Worth> {
        let mut used = vec![(Millicores::ZERO, Bytes::ZERO); self.rooms.len()];
        let mut cut = 0_u64;
        for (atom, host) in host_of.iter().enumerate() {
            let need = self.atoms.all[atom].need;
            used[*host] = (used[*host].0.plus(need.cpu), used[*host].1.plus(need.memory));
            for other in (0..atom).filter(|other| host_of[*other] != *host) {
                cut = cut.saturating_add(self.atoms.ways[atom][other]);
            }
            let apart = |other: usize| self.atoms.apart[atom][other] && host_of[other] == *host;
            if self.atoms.all[atom].stays && *host > 0 || (0..atom).any(apart) {
                return None;
            }
        }
        let fullest = (0..self.rooms.len()).map(|host| self.fullness(host, used[host])).max().unwrap_or(0);
        (fullest <= self.full).then_some((cut, fullest))
    }

    /// Moves single atoms, and exchanges two, as long as that makes the best one better.
    fn improve(&mut self) {
        let Some((mut worth, mut host_of)) = self.best.take() else { return };
        loop {
            let mut next = (worth, host_of.clone());
            let mut take = |tried: Vec<usize>| {
                if let Some(other) = self.worth(&tried).filter(|other| *other < next.0) {
                    next = (other, tried);
                }
            };
            for atom in 0..host_of.len() {
                for host in 0..self.rooms.len() {
                    let mut tried = host_of.clone();
                    tried[atom] = host;
                    take(tried);
                }
                for other in 0..atom {
                    let mut tried = host_of.clone();
                    tried.swap(atom, other);
                    take(tried);
                }
            }
            if next.0 == worth {
                break;
            }
            (worth, host_of) = next;
        }
        self.best = Some((worth, host_of));
    }

    /// Puts the atoms from this one on everywhere they may go, as long as that can be better than the best.
    fn place(&mut self, atom: usize) {
        self.steps += 1;
        if self.steps >= STEPS_MAX {
            return;
        }
        let worth = (self.bound(), self.fullest());
        if self.best.as_ref().is_some_and(|(best, _)| worth >= *best) {
            return;
        }
        if atom == self.atoms.all.len() {
            self.best = Some((worth, self.host_of.clone()));
            return;
        }
        let mut hosts: Vec<usize> =
            (0..self.rooms.len()).filter(|host| self.fits(atom, *host) && !self.is_repetition(*host)).collect();
        hosts.sort_by_key(|host| (std::cmp::Reverse(self.calls[atom][*host]), self.fullness(*host, self.used[*host])));
        for host in hosts {
            self.put(host);
            self.place(atom + 1);
            self.take();
        }
    }
}
