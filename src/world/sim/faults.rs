//! What goes wrong: when each fault begins and ends, and what all that are on together make of the host. Before you
//! change it:
//! 1. [`Conditions`] are found anew from the faults that are on whenever one begins or ends, so that two of a kind add up
//!    and the end of one leaves the other.
//! 2. What happens in a moment is done where it begins; what lasts is only a condition, read by whoever it concerns.
//! 3. Each fault draws its random times from a stream of its own.

use super::World;
use super::due::Cause;
use super::instance::Instance;
use super::instance::NEVER;
use super::network::Network;
use super::service::bytes;
use super::traffic::uniform;
use crate::model::Again;
use crate::model::Fault;
use crate::model::FaultKind;
use crate::model::Incident;
use crate::model::Restart;
use crate::model::ServiceName;
use crate::model::Usage;
use crate::seed::Seed;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Span;
use crate::units::whole;
use rand_pcg::Pcg64;

/// The faults of a scenario.
pub(super) struct Faults {
    timers: Vec<Timer>,
    /// Those that are on: when each ends, and its place in the scenario.
    on: Vec<(Instant, usize)>,
}

/// One fault of the scenario.
struct Timer {
    fault: Fault,
    next: Instant,
    random: Pcg64,
}

impl Timer {
    /// Moves on to the next time.
    fn wind(&mut self) {
        self.next = match self.fault.again {
            Again::Never => NEVER,
            Again::Every(each) => self.next.plus(each.max(Span::from_nanos(1))),
            Again::About(mean) => self.next.plus(gap(&mut self.random, mean)),
        };
    }
}

/// An exponential time; at least a nanosecond.
fn gap(random: &mut Pcg64, mean: Span) -> Span {
    Span::from_nanos(whole(-libm::log(uniform(random)) * mean.nanos() as f64).max(1))
}

/// Something that begins or ends.
enum Turn {
    Begins(usize),
    Ends(usize),
}

impl Faults {
    pub(super) fn new(faults: &[Fault], seed: Seed) -> Self {
        let timers = faults.iter().enumerate().map(|(place, fault)| {
            let mut random = seed.stream(&format!("fault/{place}"));
            let next = match fault.again {
                Again::Never | Again::Every(_) => fault.at,
                Again::About(mean) => fault.at.plus(gap(&mut random, mean)),
            };
            Timer { fault: fault.clone(), next, random }
        });
        Self { timers: timers.collect(), on: Vec::new() }
    }

    /// When something begins or ends next.
    pub(super) fn next(&self) -> Instant {
        let ends = self.on.iter().map(|on| on.0);
        self.timers.iter().map(|timer| timer.next).chain(ends).fold(NEVER, Instant::min)
    }

    /// What begins or ends first of all that is due by `now`; ends before beginnings, else in order of time and place.
    fn turn(&mut self, now: Instant) -> Option<Turn> {
        let ends = self.on.iter().enumerate().filter(|(_, on)| on.0 <= now).min_by_key(|(_, on)| **on);
        if let Some(place) = ends.map(|(place, _)| place) {
            return Some(Turn::Ends(self.on.remove(place).1));
        }
        let due = self.timers.iter_mut().enumerate().filter(|(_, timer)| timer.next <= now);
        let (place, timer) = due.min_by_key(|(place, timer)| (timer.next, *place))?;
        if timer.fault.lasts > Span::ZERO && !timer.fault.kind.is_moment() {
            self.on.push((timer.next.plus(timer.fault.lasts), place));
        }
        timer.wind();
        Some(Turn::Begins(place))
    }
}

/// What the faults that are on make of the host.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Conditions {
    /// No scrape succeeds.
    pub(super) metrics_out: bool,
    /// Scrapes are seen so much later than they would be.
    pub(super) scrapes_late: Span,
    /// Share of scrapes that are lost.
    pub(super) scrapes_lost: f64,
    /// The clock that stamps measurements is so much ahead.
    pub(super) clock_ahead: Span,
    /// The clock that stamps measurements is so much behind.
    pub(super) clock_behind: Span,
    /// The Docker engine does not answer.
    pub(super) docker_out: bool,
    /// The host does not run.
    pub(super) host_gone: bool,
    /// What is left of the disk: shares of its accesses and bytes, and a factor on its latency.
    pub(super) disk_left: [f64; 3],
    /// The room is warmer by so many kelvin.
    pub(super) ambient_up: f64,
    /// Other guests take at least this share of time.
    pub(super) stolen: f64,
    /// How bad the network is.
    pub(super) network: Network,
    /// Share of the line to the outside that is left.
    pub(super) line_left: f64,
    /// Processes beside the containers: weight, and time on cores that each wants.
    pub(super) neighbours: Vec<(f64, f64)>,
    /// Those of each service, by its place.
    pub(super) services: Vec<ServiceConditions>,
}

/// What the faults that are on make of a service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ServiceConditions {
    /// Its health checks fail.
    pub(super) ill: bool,
    /// Health checks of instances that start now will fail.
    pub(super) green_ill: bool,
    /// So much of its CPU is shown.
    pub(super) cpu_shown: f64,
    /// So much of its memory is shown.
    pub(super) memory_shown: f64,
    /// Its writes fail.
    pub(super) disk_full: bool,
    /// Bytes per second by which each of its instances grows.
    pub(super) leak: f64,
    /// Each instance burns so much time on cores besides its requests.
    pub(super) spins: f64,
    /// Each of its requests takes so many times as much CPU.
    pub(super) slower: f64,
}

impl ServiceConditions {
    /// What is shown of what was measured.
    pub(super) fn shown(&self, usage: Usage) -> Usage {
        if self.cpu_shown == 1.0 && self.memory_shown == 1.0 {
            return usage;
        }
        let memory = |size: Bytes| bytes(size.get() as f64 * self.memory_shown);
        Usage {
            cpu: Millicores::new(whole(usage.cpu.get() as f64 * self.cpu_shown)),
            memory: memory(usage.memory),
            memory_max: memory(usage.memory_max),
            ..usage
        }
    }
}

impl Default for ServiceConditions {
    fn default() -> Self {
        Self {
            ill: false,
            green_ill: false,
            cpu_shown: 1.0,
            memory_shown: 1.0,
            disk_full: false,
            leak: 0.0,
            spins: 0.0,
            slower: 1.0,
        }
    }
}

impl Conditions {
    /// The conditions of a host with so many services where nothing goes wrong.
    pub(super) fn good(services: usize) -> Self {
        Self {
            disk_left: [1.0; 3],
            line_left: 1.0,
            services: vec![ServiceConditions::default(); services],
            ..Self::default()
        }
    }

    /// Takes in a fault that is on; `find` gives the place of a service.
    fn add(&mut self, fault: &FaultKind, find: impl Fn(&ServiceName) -> Option<usize>) {
        let named = match fault {
            FaultKind::Unhealthy(name) | FaultKind::UnhealthyGreen(name) => find(name),
            FaultKind::MetricsLie { service, .. }
            | FaultKind::Leak { service, .. }
            | FaultKind::CpuSpin { service, .. }
            | FaultKind::SlowDependency { service, .. } => find(service),
            FaultKind::FullDisk(Some(name)) => find(name),
            _ => None,
        };
        let service = named.and_then(|index| self.services.get_mut(index));
        match (fault, service) {
            (FaultKind::Unhealthy(_), Some(service)) => service.ill = true,
            (FaultKind::UnhealthyGreen(_), Some(service)) => service.green_ill = true,
            (FaultKind::MetricsLie { cpu, memory, .. }, Some(service)) => {
                service.cpu_shown *= cpu.as_fraction();
                service.memory_shown *= memory.as_fraction();
            }
            (FaultKind::FullDisk(_), Some(service)) => service.disk_full = true,
            (FaultKind::FullDisk(None), None) => self.services.iter_mut().for_each(|service| service.disk_full = true),
            (FaultKind::Leak { per_hour, .. }, Some(service)) => service.leak += per_hour.get() as f64 / 3600.0,
            (FaultKind::SlowDisk { iops, bandwidth, latency }, _) => {
                for (left, share) in self.disk_left.iter_mut().zip([iops, bandwidth, latency]) {
                    *left *= share.as_fraction();
                }
            }
            (FaultKind::CpuSpin { cpu, .. }, Some(service)) => service.spins += cpu.as_cores(),
            (FaultKind::SlowDependency { factor, .. }, Some(service)) => service.slower *= factor.as_fraction(),
            (FaultKind::HeatWave(up), _) => self.ambient_up += up.as_celsius(),
            (FaultKind::StealBurst(share), _) => self.stolen = self.stolen.max(share.as_fraction()),
            (FaultKind::NoisyNeighbour { cpu, weight }, _) => {
                self.neighbours.push(((*weight).max(1) as f64, cpu.as_cores()));
            }
            (FaultKind::NetworkDelay(by), _) => self.network.delay += by.as_secs(),
            (FaultKind::SlowNetwork(left), _) => self.line_left *= left.as_fraction(),
            (FaultKind::NetworkLoss(share), _) => {
                self.network.lost = 1.0 - (1.0 - self.network.lost) * (1.0 - share.as_fraction());
            }
            (FaultKind::MetricsOutage, _) => self.metrics_out = true,
            (FaultKind::MetricsDelay(by), _) => self.scrapes_late = self.scrapes_late.plus(*by),
            (FaultKind::MetricsGaps(share), _) => {
                self.scrapes_lost = 1.0 - (1.0 - self.scrapes_lost) * (1.0 - share.as_fraction());
            }
            (FaultKind::ClockAhead(by), _) => self.clock_ahead = self.clock_ahead.plus(*by),
            (FaultKind::ClockBehind(by), _) => self.clock_behind = self.clock_behind.plus(*by),
            (FaultKind::DockerRestart { .. }, _) => self.docker_out = true,
            (FaultKind::HostLoss, _) => {
                (self.host_gone, self.docker_out, self.metrics_out) = (true, true, true);
            }
            _ => {}
        }
    }
}

impl World {
    /// Begins and ends the faults that are due.
    pub(super) fn turn_faults(&mut self) {
        while let Some(turn) = self.faults.turn(self.now) {
            let (place, begins) = match turn {
                Turn::Begins(place) => (place, true),
                Turn::Ends(place) => (place, false),
            };
            let incident = if begins { Incident::FaultBegan(place) } else { Incident::FaultEnded(place) };
            self.incidents.push((self.now, incident));
            let now = self.conditions_now();
            let before = core::mem::replace(&mut self.conditions, now);
            self.follow_conditions(&before);
            self.fit_trouble();
            self.fit_network();
            self.fit_line();
            let kind = self.faults.timers[place].fault.kind.clone();
            if begins { self.begin(&kind) } else { self.end(&kind) }
        }
    }

    /// The conditions that all faults make that are on.
    fn conditions_now(&self) -> Conditions {
        let mut conditions = Conditions::good(self.services.len());
        for on in &self.faults.on {
            conditions.add(&self.faults.timers[on.1].fault.kind, |name| self.find(name));
        }
        for &first in &self.pairs {
            conditions.services[first + 1] = conditions.services[first];
            conditions.services[first + 2] = conditions.services[first];
        }
        conditions
    }

    /// Does what a fault does as it begins.
    fn begin(&mut self, kind: &FaultKind) {
        match kind {
            FaultKind::Crash(name) => {
                if let Some(index) = self.find(name) {
                    (index..index + self.services[index].groups()).for_each(|group| self.kill_all(group, Cause::Crash));
                }
            }
            FaultKind::CrashOne { service, instance } => {
                let place = self.find(service).and_then(|index| self.find_instance(index, *instance));
                if let Some((index, number)) = place
                    && self.services[index].instances.get(number).is_some_and(Instance::runs)
                {
                    self.kill(index, number, Cause::Crash);
                }
            }
            FaultKind::Oom(name) => self.allocate_too_much(name),
            FaultKind::UnhealthyGreen(name) => self.sicken_new(name),
            FaultKind::DockerRestart { live_restore: false } | FaultKind::HostLoss => {
                for index in 0..self.services.len() {
                    self.kill_all(index, Cause::Stopped);
                }
                if let Some(disk) = self.disk.as_deref_mut().filter(|_| self.conditions.host_gone) {
                    disk.lose_cache();
                }
            }
            _ => {}
        }
    }

    /// Does what a fault does as it ends.
    fn end(&mut self, kind: &FaultKind) {
        if !matches!(kind, FaultKind::DockerRestart { .. } | FaultKind::HostLoss) || self.conditions.docker_out {
            return;
        }
        let now = self.now;
        for service in &mut self.services {
            let again = matches!(service.rules.restart, Restart::Always | Restart::UnlessStopped);
            for instance in service.instances.iter_mut().filter(|instance| instance.was_stopped() && again) {
                instance.start_again_at(now);
            }
        }
    }

    fn kill_all(&mut self, index: usize, cause: Cause) {
        for number in 0..self.services[index].instances.len() {
            if self.services[index].instances[number].runs() {
                self.kill(index, number, cause);
            }
        }
    }
}
