//! What happens at a time known beforehand: faults, starts, checks, restarts, new rates, scrapes; and how an instance dies.
//! Before you change it:
//! 1. Before anything changes, what was counted so far is booked under the old state (`World::book`).
//! 2. Several things at the same time go in this order: images, faults, limits, removals, steal, instances, dependencies, rates, scrapes.

use super::World;
use super::causes;
use super::generations::Group;
use super::instance::Checks;
use super::instance::Phase;
use super::sensors::Scrape;
use super::service::bytes;
use super::traffic::uniform;
use crate::model::Condition;
use crate::model::Incident;
use crate::model::InstanceState;
use crate::model::Source;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Span;
use crate::units::whole;

/// Why an instance dies.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cause {
    Crash,
    /// The Docker engine or the host ended it.
    Stopped,
    /// It held so many bytes, more than its limit.
    MemoryLimit(f64),
    /// It held so many bytes, the most of all, when the host's memory was full.
    HostMemory(f64),
}

impl World {
    /// Does all that is due by now.
    pub(super) fn do_what_is_due(&mut self) {
        self.book();
        self.pass_pulls();
        self.turn_faults();
        self.finish_updates();
        self.change_generations();
        self.change_steal();
        self.change_instances();
        self.change_rates();
        self.change_breakers();
        if self.next_scrape <= self.now {
            self.scrape();
        }
        self.plan();
    }

    /// When something is due next.
    pub(super) fn plan(&mut self) {
        let mut next = self.faults.next().min(self.next_scrape).min(self.steal_due());
        for service in &self.services {
            next = next.min(service.rate_until);
            next = service.instances.iter().fold(next, |next, instance| next.min(instance.due()));
        }
        self.next_due = next.min(self.breakers_due()).min(self.generations_due());
        self.next_due = self.next_due.min(self.updates_due()).min(self.pulls_due());
    }

    /// Ends the process of an instance; what is inside it fails.
    pub(super) fn kill(&mut self, index: usize, number: usize, cause: Cause) {
        let service = &mut self.services[index];
        let name = service.name.clone();
        let instance = service.instances[number].number;
        let incident = match cause {
            Cause::Stopped => None,
            Cause::Crash => Some(Incident::Crashed { service: name.clone(), instance }),
            Cause::MemoryLimit(held) => {
                let limit = service.limits.memory.unwrap_or(Bytes::MAX);
                Some(Incident::OomKilled { service: name.clone(), instance, held: bytes(held), limit })
            }
            Cause::HostMemory(held) => {
                Some(Incident::HostOomKilled { service: name.clone(), instance, held: bytes(held) })
            }
        };
        let oom = matches!(cause, Cause::MemoryLimit(_) | Cause::HostMemory(_));
        let dying = &mut service.instances[number];
        dying.oom_kills += u32::from(oom);
        service.oom_kills += u32::from(oom);
        if dying.phase == Phase::Up {
            self.lose_inside(index, causes::Cause::Killed);
        }
        let service = &mut self.services[index];
        let dying = &mut service.instances[number];
        match cause {
            Cause::Stopped => dying.stop(),
            _ => dying.die(&service.rules, self.now),
        }
        service.count();
        self.lose_carried(index, causes::Cause::Killed);
        self.incidents.extend(incident.map(|incident| (self.now, incident)));
        self.incidents.push((self.now, Incident::Changed { service: name, instance, to: InstanceState::Down }));
        self.moving = true;
        self.count_running();
    }

    /// What is inside one of the instances of a service fails, and what it has on the line.
    pub(super) fn lose_inside(&mut self, index: usize, cause: causes::Cause) {
        let up = self.services[index].up;
        let lost = self.services[index].queue.inside + self.cut_transfers(index, 1.0 / up.max(1.0));
        let service = &mut self.services[index];
        service.queue.inside *= (up - 1.0) / up;
        service.causes.add(cause, lost);
        self.flows[index].failed += lost;
    }

    /// Where nobody answers any more, what scattered into the queue of a service fails, too.
    pub(super) fn lose_carried(&mut self, index: usize, cause: causes::Cause) {
        let (service, flow) = (&mut self.services[index], &mut self.flows[index]);
        if service.up == 0.0 {
            flow.failed += flow.carried.max(0.0);
            service.causes.add(cause, flow.carried.max(0.0));
            flow.carried = flow.carried.min(0.0);
            flow.owed = 0.0;
        }
    }

    /// Starts, answers, checks and restarts that are due, and starts whose dependencies are met.
    fn change_instances(&mut self) {
        let mut changed = true;
        while changed {
            changed = false;
            for index in 0..self.services.len() {
                let pulled = !self.pulls.are_waited_for(self.first_of(index));
                let may_start = self.may_start(index) && !self.conditions.docker_out && pulled;
                let (now, docker_out) = (self.now, self.conditions.docker_out);
                let mut condition = self.conditions.services[index];
                let comes_new = self.comes_new(index);
                condition.green_ill &= comes_new || self.services[index].group == Group::Alone;
                let service = &mut self.services[index];
                let waits = service.waits();
                for number in 0..service.instances.len() {
                    let (phase, state) = (service.instances[number].phase, service.instances[number].state);
                    if phase == Phase::Waiting && may_start {
                        service.instances[number].start(&service.rules, now);
                        if condition.green_ill && comes_new {
                            service.instances[number].sicken();
                        }
                    }
                    let instance = &mut service.instances[number];
                    let restarts = instance.restarts;
                    let checks = Checks { waits, ill: condition.ill, green_ill: condition.green_ill };
                    while instance.change(&service.rules, now, checks, docker_out) {}
                    service.restarts += instance.restarts - restarts;
                    let (new_phase, new_state) = (instance.phase, instance.state);
                    if new_phase != phase {
                        service.turn(number, phase);
                    }
                    if new_state != state {
                        let instance = service.instances[number].number;
                        let change = Incident::Changed { service: service.name.clone(), instance, to: new_state };
                        self.incidents.push((now, change));
                    }
                    if new_phase != phase || new_state != state {
                        service.count();
                        (changed, self.moving) = (true, true);
                    }
                }
            }
        }
        self.count_running();
    }

    /// Whether all that a service waits for is there. A job that must end well counts as done once it runs, since jobs
    /// are not modelled.
    fn may_start(&self, index: usize) -> bool {
        self.services[index].waits_for.iter().all(|&(to, condition)| {
            let groups = &self.services[to..to + self.services[to].groups().min(2)];
            groups.iter().flat_map(|group| &group.instances).all(|instance| match condition {
                Condition::Started => instance.phase != Phase::Waiting,
                Condition::Healthy => instance.state == InstanceState::Healthy,
                Condition::Completed => instance.phase == Phase::Up,
            })
        })
    }

    fn change_rates(&mut self) {
        let now = self.now;
        for service in &mut self.services {
            let Some(traffic) = service.traffic.as_mut().filter(|_| service.rate_until <= now) else { continue };
            let (rate, until) = traffic.stretch(now.since_start());
            service.rate_until = Instant::after_start(until);
            if let Some(pair) = &mut service.pair {
                self.moving |= pair.offered != rate;
                pair.offered = rate;
            } else if let Some(clients) = &mut service.clients {
                self.moving |= clients.number != rate;
                clients.number = rate;
            } else if rate != service.own_rate {
                service.own_rate = rate;
                self.moving = true;
            }
        }
    }

    fn scrape(&mut self) {
        let now = self.now;
        let lost = 1.0 - (1.0 - self.conditions.scrapes_lost) * (1.0 - self.sensors.gaps.as_fraction());
        let at = now.plus(self.conditions.clock_ahead).minus(self.conditions.clock_behind);
        let seen_from = now.plus(self.sensors.delay).plus(self.conditions.scrapes_late);
        let docker_out = self.conditions.docker_out && self.sensors.source == Source::Docker;
        if !self.conditions.metrics_out && !docker_out {
            for service in &mut self.services {
                for index in 0..service.instances.len() {
                    if service.instances[index].runs() {
                        if lost > 0.0 && uniform(&mut self.scrape_luck) <= lost {
                            continue;
                        }
                        let swapped = service.instances[index].swapped;
                        let memory = bytes(service.working_set(index, now) - swapped);
                        let scrape = Scrape { at, seen_from, cpu: service.cpu_of(index), memory };
                        service.scrapes[index].push(scrape);
                    }
                }
            }
        }
        if !self.conditions.metrics_out && !docker_out {
            for place in 0..self.meters.len() {
                if lost == 0.0 || uniform(&mut self.scrape_luck) > lost {
                    self.scrape_meter(place, at, seen_from);
                }
            }
            self.scrape_gauges(lost, at, seen_from);
        }
        self.next_scrape = self.scrape_after(now);
    }

    /// When the next scrape is due after one at `now`.
    pub(super) fn scrape_after(&mut self, now: Instant) -> Instant {
        let after = |each: Span, now: Instant| Instant::after_start(each.times(now.since_start().fit(each) + 1));
        match self.sensors.source {
            Source::Prometheus => {
                let jitter = self.sensors.jitter;
                let late = if jitter == Span::ZERO {
                    Span::ZERO
                } else {
                    Span::from_nanos(whole(uniform(&mut self.scrape_luck) * jitter.nanos() as f64))
                };
                after(self.sensors.scrape.max(Span::from_nanos(1)), now).plus(late)
            }
            Source::Docker => {
                let look = after(self.sensors.look.max(Span::from_nanos(1)), now);
                let before = look.minus(self.sensors.window);
                if before > now { before } else { look }
            }
        }
    }

    /// Counts running containers anew.
    pub(super) fn count_running(&mut self) {
        let running = self.services.iter().map(|service| service.up + service.starting).sum::<f64>();
        self.running = crate::units::whole(running);
        self.leaks = self
            .services
            .iter()
            .any(|service| service.leak + service.growth > 0.0 && service.up + service.starting > 0.0);
        if !self.pairs.is_empty() {
            self.count_generations();
        }
    }
}
