//! Faults that wear on the cores: a warm room, stolen time, a process beside the containers, a container that spins, a
//! service whose requests take more work.
//! Before you change it:
//! 1. A process beside the containers is one more claim to the cores, after those of the services.
//! 2. What spins in a container takes turns with its requests: of a quota it takes at most half while they want the rest,
//!    and all that they leave.

use super::World;
use super::cpu::Claim;
use super::faults::Conditions;
use super::service::Service;

/// What spins in each instance of a service, in reference cores.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Spin {
    /// As time on a core.
    wants: f64,
    /// What it takes from the requests.
    takes: f64,
    /// What it uses besides, while they leave it.
    pub(super) besides: f64,
    /// It uses the quota up, so that every period ends throttled.
    pub(super) throttled: bool,
}

impl Service {
    /// What spins in an instance, on so many cores of this speed.
    pub(super) fn fit_spin(&mut self, cores: f64, speed: f64) {
        let wants = self.spin.wants * speed;
        let most = self.limits.cpu.map_or(cores, |quota| quota.as_cores().min(cores)) * speed;
        self.spin.takes = wants.min(most / 2.0);
        self.spin.besides = wants.min(most) - self.spin.takes;
        self.spin.throttled = self.limits.cpu.is_some_and(|quota| wants > 0.0 && self.spin.wants >= quota.as_cores());
        self.idle_cpu = self.own_idle_cpu + self.spin.takes;
    }

    /// What is used without requests of a share of the cores that is not all that is wanted: who spins takes turns.
    pub(super) fn idle_of(&self, grant: f64) -> f64 {
        if self.spin.takes > 0.0 { self.own_idle_cpu + self.spin.takes.min(grant / 2.0) } else { self.idle_cpu }
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
