//! Changes of limits while a container runs, as the Docker engine carries them out. Before you change it:
//! 1. Where a scenario says nothing of its Docker engine, a change is done at once, and what is refused is what Plimsoll
//!    would not even ask for: a memory limit below what is held.
//! 2. Else it takes its time, and what is refused is what Docker and the kernel refuse. Control groups of version 1 refuse
//!    a memory limit below what is held (`EBUSY`, measured with Docker 20.10); those of version 2 take it, and the kernel
//!    kills until it fits (runc, issue 3509).
//! 3. Page cache gives way first: it is no part of what is held here.

use super::World;
use super::instance::NEVER;
use super::service::bytes;
use crate::model::Action;
use crate::model::Cgroup;
use crate::model::Incident;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Span;

/// Docker's least CPU limit ("Range of CPUs is from 0.01 to …") and memory limit ("Minimum memory limit allowed is 6MB").
const CPU_LEAST: Millicores = Millicores::new(10);
const MEMORY_LEAST: Bytes = Bytes::mebi(6);

impl World {
    /// Carries out actions, in order, or begins to. What came of them is seen in later observations.
    pub fn apply(&mut self, actions: &[Action]) {
        let takes = self.docker.as_ref().map(|docker| docker.update).filter(|takes| *takes > Span::ZERO);
        for action in actions {
            match takes {
                Some(takes) if self.can_ask(action) => {
                    let at = self.now.plus(takes);
                    self.updates.push((at, action.clone()));
                    self.next_due = self.next_due.min(at);
                }
                _ => self.update(action),
            }
        }
    }

    /// Whether there is an engine that takes the order.
    fn can_ask(&self, action: &Action) -> bool {
        self.find(action.service()).is_some() && !self.conditions.docker_out
    }

    /// Finishes the changes whose time has come.
    pub(super) fn finish_updates(&mut self) {
        while let Some(place) = self.updates.iter().position(|(at, _)| *at <= self.now) {
            let (_, action) = self.updates.remove(place);
            self.update(&action);
        }
    }

    /// When the next of them is finished.
    pub(super) fn updates_due(&self) -> Instant {
        self.updates.iter().map(|(at, _)| *at).fold(NEVER, Instant::min)
    }

    fn update(&mut self, action: &Action) {
        if let Err(why) = self.carry_out(action) {
            self.incidents.push((self.now, Incident::Refused { action: action.clone(), why }));
        }
    }

    fn carry_out(&mut self, action: &Action) -> Result<(), String> {
        let name = action.service();
        let index = self.find(name).ok_or_else(|| format!("there is no service `{name}`"))?;
        if self.conditions.docker_out {
            return Err("the Docker engine does not answer".to_owned());
        }
        if self.is_deploying(index) {
            return Err(format!("a deployment of `{name}` is not over"));
        }
        let service = index;
        let index = self.group_in_force(index);
        self.book();
        match action {
            Action::LimitCpu { to, .. } => {
                self.check_cpu(*to)?;
                let service = &mut self.services[index];
                service.limits.cpu = Some(*to);
                service.fit(&self.cores, self.speed, &mut self.library);
                self.moving = true;
            }
            Action::LimitMemory { to, .. } => {
                let held = bytes(self.services[index].resident(self.now).1);
                self.check_memory_limit(held, *to).map_err(|why| why.replace("{}", name.as_str()))?;
                self.services[index].limits.memory = Some(*to);
                self.wake_hung(index);
                // What is in the page cache, in swap or above the limit is found anew with the next step.
                self.moving |= self.docker.is_some();
            }
            Action::Scale { to, .. } => return self.scale(service, *to),
        }
        Ok(())
    }

    /// Docker takes no limit above the cores of the host, and none near zero.
    fn check_cpu(&self, to: Millicores) -> Result<(), String> {
        let most = Millicores::new(u64::from(self.cores.count) * 1000);
        if self.docker.is_some() && !(CPU_LEAST..=most).contains(&to) {
            return Err(format!("the range of CPUs is from {CPU_LEAST} to {most}, not {to}"));
        }
        Ok(())
    }

    /// Whether the memory limit can be that low; `{}` stands for the service.
    fn check_memory_limit(&self, held: Bytes, to: Bytes) -> Result<(), String> {
        if self.docker.is_some() && to < MEMORY_LEAST {
            return Err(format!("the least memory limit is {MEMORY_LEAST}, not {to}"));
        }
        let kills = self.docker.as_ref().is_some_and(|docker| docker.cgroup == Some(Cgroup::V2));
        if held > to && !kills {
            return Err(format!("`{{}}` holds {held}, more than the new limit of {to}"));
        }
        Ok(())
    }
}
