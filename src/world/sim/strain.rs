//! Faults that wear on the cores: a warm room, stolen time, a process beside the containers, a container that spins, a
//! service whose requests take more work.
//! Before you change it:
//! 1. A process beside the containers is one more claim to the cores, after those of the services.
//! 2. What spins in a container takes turns with its requests: it takes at most half while they want the rest, and all that
//!    they leave. Where it wants the whole of a quota, requests and it are throttled together (`response::spun`).

use super::World;
use super::cpu::Claim;
use super::faults::Conditions;
use super::service::Service;
use crate::units::Millicores;
use crate::units::whole;

/// What spins in each instance of a service, in reference cores.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Spin {
    /// As time on a core.
    wants: f64,
    /// What it takes from the requests.
    takes: f64,
    /// What it uses besides, while they leave it.
    pub(super) besides: f64,
    /// Cores that it wants in a container whose quota it uses up, else nothing.
    pub(super) throttled: Millicores,
}

impl Service {
    /// What spins in an instance, on so many cores of this speed, of which so much is ours.
    pub(super) fn fit_spin(&mut self, cores: f64, speed: f64, ours: f64) {
        let quota = self.limits.cpu.map(Millicores::as_cores).filter(|quota| *quota < cores * ours);
        let most = quota.unwrap_or(cores) * speed;
        let spin = &mut self.spin;
        let wants = (spin.wants * speed).min(most);
        let uses_up = spin.wants > 0.0 && quota.is_some_and(|quota| spin.wants * ours >= quota);
        spin.throttled = if uses_up { Millicores::new(whole(spin.wants * 1000.0)) } else { Millicores::ZERO };
        spin.takes = if uses_up { 0.0 } else { wants.min(most / 2.0) };
        spin.besides = wants - spin.takes;
        self.idle_cpu = self.own_idle_cpu + spin.takes;
    }

    /// What is used without requests of a share of the cores that is not all that is wanted: who spins takes turns.
    pub(super) fn idle_of(&self, grant: f64) -> f64 {
        self.own_idle_cpu + self.spin.takes.min(grant / 2.0)
    }
}

impl World {
    /// Takes over what the faults that are on make of the cores. What was counted so far is booked.
    pub(super) fn follow_conditions(&mut self, before: &Conditions) {
        if let Some(warmth) = &mut self.warmth {
            warmth.set_ambient_up(self.conditions.ambient_up);
        }
        for (service, condition) in self.services.iter_mut().zip(&self.conditions.services) {
            if condition.spins != service.spin.wants || condition.slower != service.slower {
                service.spin.wants = condition.spins;
                service.slower = condition.slower;
                service.fit(&self.cores, self.speed, &mut self.library);
                self.moving = true;
            }
        }
        self.moving |= self.conditions.neighbours != before.neighbours;
    }

    /// The claims of processes beside the containers.
    pub(super) fn claim_outside(&mut self) {
        for &(weight, want) in self.conditions.neighbours.iter().filter(|_| !self.conditions.host_gone) {
            self.claims.push(Claim { weight, want: want * self.speed, count: 1.0 });
        }
    }

    /// What processes beside the containers were given.
    pub(super) fn granted_outside(&self) -> f64 {
        self.grants.iter().skip(2 * self.services.len()).sum()
    }
}
