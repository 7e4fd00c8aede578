//! Faults of the disk and of memory: a slow disk, a full one, a leak, a sudden allocation. Before you change it:
//! 1. What lasts is one of the [`Conditions`](super::faults::Conditions), so that faults may overlap: shares of a slow disk
//!    multiply, leaks add up.
//! 2. What leaked stays held after the fault, until the process starts again.

use super::World;
use super::instance::Instance;
use super::service::Service;
use crate::model::ServiceName;
use crate::units::Instant;

/// What an allocation is larger than what there is, in bytes: a page.
const TOO_MUCH: f64 = 4096.0;

impl Instance {
    /// Bytes that faults made it hold, where memory grows at `growth` bytes a second since `since`.
    pub(super) fn leaked(&self, growth: f64, since: Instant, now: Instant) -> f64 {
        if growth > 0.0 { self.leaked + growth * now.since(self.started.max(since)).as_secs() } else { self.leaked }
    }
}

impl Service {
    /// Leaks at another rate from now on, in bytes per second.
    fn leak_at(&mut self, growth: f64, now: Instant) {
        let (before, since) = (self.growth, self.growth_since);
        for instance in self.instances.iter_mut().filter(|instance| instance.runs()) {
            instance.leaked = instance.leaked(before, since, now);
        }
        (self.growth, self.growth_since) = (growth, now);
    }
}

impl World {
    /// Brings about what the faults that are on make of the disk and of memory.
    pub(super) fn fit_trouble(&mut self) {
        let mut changed = false;
        for (service, conditions) in self.services.iter_mut().zip(&self.conditions.services) {
            if conditions.leak != service.growth {
                service.leak_at(conditions.leak, self.now);
                changed = true;
            }
        }
        if let Some(disk) = self.disk.as_deref_mut() {
            changed |= disk.slow(self.conditions.disk_left);
            for (io, conditions) in disk.uses.iter_mut().zip(&self.conditions.services) {
                changed |= io.full != conditions.disk_full;
                io.full = conditions.disk_full;
            }
        }
        if changed {
            self.moving = true;
            self.count_running();
        }
    }

    /// Every instance of a service allocates more than it may at once: more than its limit and its swap, or, where it has
    /// no limit, than is left of the host.
    pub(super) fn allocate_too_much(&mut self, name: &ServiceName) {
        let Some(index) = self.find(name) else { return };
        for group in index..index + self.services[index].groups() {
            self.allocate_in(group);
        }
    }

    fn allocate_in(&mut self, index: usize) {
        for number in 0..self.services[index].instances.len() {
            let service = &self.services[index];
            if !service.instances[number].runs() {
                continue;
            }
            let held = |service: &Service| {
                (0..service.instances.len()).map(|number| service.working_set(number, self.now)).sum::<f64>()
            };
            let free = self.memory + self.swap - self.system_memory - self.services.iter().map(held).sum::<f64>();
            let own = service.memory_limit() + service.swap_limit().min(self.swap);
            let own = own - service.working_set(number, self.now);
            self.services[index].instances[number].leaked += free.min(own).max(0.0) + TOO_MUCH;
            self.check_memory();
        }
    }
}
