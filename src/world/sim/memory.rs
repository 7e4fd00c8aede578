//! Memory of the host: what is held, what goes to swap, who is killed. Before you change it:
//! 1. Page cache does not count here: it gives way first (`cache.rs`).
//! 2. What a container holds above its limit goes to swap as far as it may and there is room; then, where all together
//!    hold more than the host has, everybody gives way in proportion to what it holds. Pages come back as soon as there is
//!    room, and every page is as likely to be the one that goes: the kernel would pick colder ones, so this is the bad case.
//! 3. Who cannot is killed: by its own limit, or, for the host, by the kernel's rule ([`badness`]).

use super::World;
use super::causes;
use super::cpu;
use super::cpu::Claim;
use super::due::Cause;
use super::instance::Phase;
use super::io::TOUCHED;
use super::service::Service;
use crate::model::Cgroup;
use crate::model::Incident;
use crate::model::SwapLimit;
use crate::units::Bytes;
use crate::units::Instant;

/// Bytes of a page.
const PAGE: f64 = 4096.0;
/// The kernel never kills a process with this adjustment.
const NEVER_KILLED: i16 = -1000;
/// Share of memory in swap, and of the data in the page cache, by which either may change before times are found anew.
const SWAP_CHANGE: f64 = 0.002;
const CACHE_CHANGE: f64 = 0.005;

/// How gladly the kernel kills a process that holds so many bytes, in memory and in swap, on a host with so many of both:
/// its pages, and a thousandth of all pages for each point of its adjustment (`oom_badness` of Linux, `mm/oom_kill.c`).
/// `None` for one that it never kills.
pub(super) fn badness(held: f64, adjust: i16, total: f64) -> Option<f64> {
    if adjust == NEVER_KILLED {
        return None;
    }
    Some((held / PAGE).floor() + f64::from(adjust) * ((total / PAGE).floor() / 1000.0).floor())
}

impl Service {
    /// Bytes that an instance may have in swap; none on a host without swap.
    pub(super) fn swap_limit(&self) -> f64 {
        match self.swap {
            None => 0.0,
            Some(SwapLimit::AsMemory) => self.memory_limit(),
            Some(SwapLimit::Unlimited) => f64::INFINITY,
            Some(SwapLimit::AtMost(most)) => most.get() as f64,
        }
    }

    /// Bytes of all instances in memory, not in swap, and of the one that holds most.
    pub(super) fn resident(&self, now: Instant) -> (f64, f64) {
        let held =
            (0..self.instances.len()).map(|number| self.working_set(number, now) - self.instances[number].swapped);
        held.fold((0.0, 0.0), |(sum, most): (f64, f64), held| (sum + held, most.max(held)))
    }

    /// Share of what its instances hold that is in swap.
    pub(super) fn swapped_share(&self, now: Instant) -> f64 {
        let swapped: f64 = self.instances.iter().map(|instance| instance.swapped).sum();
        if swapped <= 0.0 {
            return 0.0;
        }
        let held: f64 = (0..self.instances.len()).map(|number| self.working_set(number, now)).sum();
        (swapped / held.max(1.0)).min(1.0)
    }

    /// Bytes that a request touches.
    pub(super) fn touched(&self) -> f64 {
        self.request_memory + TOUCHED * self.idle_memory
    }
}

impl World {
    /// Notes how much memory is held.
    pub(super) fn measure_memory(&mut self) {
        let mut all = if self.conditions.host_gone { 0.0 } else { self.system_memory };
        for service in &mut self.services {
            let limit = service.memory_limit();
            let mut in_swap: f64 = 0.0;
            for number in 0..service.instances.len() {
                let swapped = service.instances[number].swapped;
                let held = service.working_set(number, self.now) - swapped;
                service.memory_max = service.memory_max.max(held.min(limit));
                all += held;
                in_swap = in_swap.max(swapped);
            }
            service.swap_max = service.swap_max.max(in_swap);
        }
        self.memory_max = self.memory_max.max(all.min(self.memory));
    }

    /// Kills what is above its memory limit, and by the kernel's rule while the host's memory is not enough.
    pub(super) fn check_memory(&mut self) {
        self.measure_memory();
        let mut killed = false;
        while let Some((index, number, cause)) = self.place_memory() {
            self.book();
            match cause {
                Cause::MemoryLimit(_) if self.hangs(index) => self.hang(index, number),
                _ => self.kill(index, number, cause),
            }
            killed = true;
        }
        if killed {
            self.plan();
        }
        self.watch_memory();
    }

    /// Whether an instance that needs more than it may hangs, and is not killed: as the file says, where the control groups
    /// are of version 1. Version 2 has no such switch.
    fn hangs(&self, index: usize) -> bool {
        let old = self.docker.as_ref().is_some_and(|docker| docker.cgroup == Some(Cgroup::V1));
        old && self.services[index].oom_kill_disabled
    }

    /// An instance waits for memory that it does not get. What is inside is never answered.
    fn hang(&mut self, index: usize, number: usize) {
        let service = &mut self.services[index];
        let cpu = service.cpu_of(number);
        let hanging = &mut service.instances[number];
        let incident = Incident::Hung {
            service: service.name.clone(),
            instance: hanging.number,
            limit: service.limits.memory.unwrap_or(Bytes::MAX),
        };
        let was_up = hanging.phase == Phase::Up;
        (hanging.phase, hanging.cpu, hanging.mark) = (Phase::Hung, cpu, 0.0);
        hanging.wait_for_nothing();
        if was_up {
            self.lose_inside(index, causes::Cause::TimedOut);
        }
        self.services[index].count();
        self.lose_carried(index, causes::Cause::TimedOut);
        self.incidents.push((self.now, incident));
        self.moving = true;
        self.count_running();
    }

    /// Lets those go on that hung, after their limit was raised.
    pub(super) fn wake_hung(&mut self, index: usize) {
        let service = &mut self.services[index];
        let counter = service.counter(Phase::Up);
        let mut woken = false;
        for instance in service.instances.iter_mut().filter(|instance| instance.phase == Phase::Hung) {
            (instance.phase, instance.mark, woken) = (Phase::Up, counter, true);
        }
        if woken {
            service.count();
            self.moving = true;
            self.count_running();
        }
    }

    /// Finds what is in memory and what in swap; the first that has to die for it.
    fn place_memory(&mut self) -> Option<(usize, usize, Cause)> {
        let (mut resident, mut swapped) = (self.system_memory, 0.0);
        for (index, service) in self.services.iter_mut().enumerate() {
            let (limit, swap) = (service.memory_limit(), service.swap_limit());
            for number in 0..service.instances.len() {
                let held = service.working_set(number, self.now);
                let beyond = (held - limit).max(0.0);
                if beyond > 0.0 && (beyond > swap || swapped + beyond > self.swap) {
                    return Some((index, number, Cause::MemoryLimit(held)));
                }
                service.instances[number].swapped = beyond;
                swapped += beyond;
                resident += held - beyond;
            }
        }
        let over = resident - self.memory;
        if over <= 0.0 || over <= self.swap - swapped && self.swap_out(over) {
            return None;
        }
        self.worst()
    }

    /// Moves so many bytes more to swap, everybody in proportion to what it has in memory; false where that cannot be.
    fn swap_out(&mut self, over: f64) -> bool {
        self.claims.clear();
        for service in &self.services {
            let most = service.swap_limit();
            for (number, instance) in service.instances.iter().enumerate() {
                let resident = service.working_set(number, self.now) - instance.swapped;
                let want = resident.min(most - instance.swapped).max(0.0);
                self.claims.push(Claim { weight: resident.max(1.0), want, count: 1.0 });
            }
        }
        if self.claims.iter().map(|claim| claim.want).sum::<f64>() < over {
            return false;
        }
        cpu::share(&self.claims, over, &mut self.grants);
        let instances = self.services.iter_mut().flat_map(|service| &mut service.instances);
        instances.zip(&self.grants).for_each(|(instance, more)| instance.swapped += more);
        true
    }

    /// Whom the kernel kills when the memory of the host is not enough: the first of those that are worst.
    fn worst(&self) -> Option<(usize, usize, Cause)> {
        let mut worst: Option<(f64, usize, usize, f64)> = None;
        for (index, service) in self.services.iter().enumerate() {
            for number in 0..service.instances.len() {
                let held = service.working_set(number, self.now);
                let points = badness(held, service.oom_score_adjust, self.memory + self.swap);
                let Some(points) = points.filter(|_| held > 0.0) else { continue };
                if worst.is_none_or(|worst| points > worst.0) {
                    worst = Some((points, index, number, held));
                }
            }
        }
        worst.map(|(_, index, number, held)| (index, number, Cause::HostMemory(held)))
    }

    /// Has times found anew where more or less is in swap or in the page cache than they are for.
    fn watch_memory(&mut self) {
        let Some(disk) = self.disk.as_deref_mut() else { return };
        let free = self.memory - self.system_memory;
        super::cache::allow(&mut disk.uses, &self.services, self.now, free);
        self.moving |= disk.uses.iter().zip(&self.services).any(|(io, service)| {
            let cache = (io.allowed - io.allowed_seen).abs() > CACHE_CHANGE * io.data();
            cache || (service.swapped_share(self.now) - io.swapped_share).abs() > SWAP_CHANGE
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: f64 = (1_u64 << 30) as f64;

    /// Worked out from `mm/oom_kill.c`: 16 GiB are 4,194,304 pages, a thousandth of them 4194.
    #[test]
    fn badness_is_that_of_the_kernel() {
        assert_eq!(badness(GIB, 0, 16.0 * GIB), Some(262_144.0));
        assert_eq!(badness(GIB, 500, 16.0 * GIB), Some(262_144.0 + 500.0 * 4194.0));
        assert_eq!(badness(GIB, -500, 16.0 * GIB), Some(262_144.0 - 500.0 * 4194.0));
        assert_eq!(badness(16.0 * GIB, -1000, 16.0 * GIB), None);
        // A page that is not full is none.
        assert_eq!(badness(4095.0, 0, 16.0 * GIB), Some(0.0));
    }
}
