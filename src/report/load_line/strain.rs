//! How full each part of a host gets in a run: its cores, its memory, its disk, its line, and what each service may have of them.
//!
//! The fullest five minutes count, not the fullest moment: queues build up over minutes, and a minute of a start-up is no load.
//! Memory is the exception, of which a moment too much is too much.

use crate::model::Sample;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::units::Instant;
use crate::units::Span;
use std::fmt;

/// Stretches that are looked at, or a sample where that is longer.
const STRETCH: Span = Span::from_mins(5);

/// What can be full.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The host's cores.
    HostCpu,
    /// The host's memory.
    HostMemory,
    /// The host's disk.
    Disk,
    /// The host's line to the outside.
    Line,
    /// What a service may have of the cores: the CPU limits of its instances.
    Cpu(ServiceName),
    /// What an instance of a service may have of the memory.
    Memory(ServiceName),
    /// The workers of a service's instances.
    Workers(ServiceName),
}

impl Part {
    /// Its name in JSON: `host.cpu`, `workers.api`.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::HostCpu => "host.cpu".to_owned(),
            Self::HostMemory => "host.memory".to_owned(),
            Self::Disk => "host.disk".to_owned(),
            Self::Line => "host.network".to_owned(),
            Self::Cpu(service) => format!("limit.cpu.{service}"),
            Self::Memory(service) => format!("limit.memory.{service}"),
            Self::Workers(service) => format!("workers.{service}"),
        }
    }

    /// Response times depend on how full it is.
    #[must_use]
    pub const fn is_queued_for(&self) -> bool {
        !matches!(self, Self::HostMemory | Self::Memory(_))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostCpu => f.write_str("the host's CPU"),
            Self::HostMemory => f.write_str("the host's memory"),
            Self::Disk => f.write_str("the host's disk"),
            Self::Line => f.write_str("the line to the outside"),
            Self::Cpu(service) => write!(f, "the CPU limit of {service}"),
            Self::Memory(service) => write!(f, "the memory limit of {service}"),
            Self::Workers(service) => write!(f, "the workers of {service}"),
        }
    }
}

/// How full the parts get, while a run is on.
#[derive(Debug)]
pub struct Strain {
    judged_from: Instant,
    parts: Vec<Tally>,
    /// Begin of the stretch that is added up.
    since: Instant,
}

#[derive(Debug)]
struct Tally {
    part: Part,
    /// Fullness times seconds in this stretch.
    sum: f64,
    most: f64,
}

impl Strain {
    /// Of a scenario, from the end of its warm-up on.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let host = [Part::HostCpu, Part::HostMemory, Part::Disk, Part::Line];
        let of =
            |name: &ServiceName| [Part::Cpu(name.clone()), Part::Memory(name.clone()), Part::Workers(name.clone())];
        let parts = host.into_iter().chain(scenario.services.keys().flat_map(of));
        let judged_from = Instant::after_start(scenario.warmup);
        Self { judged_from, parts: parts.map(|part| Tally { part, sum: 0.0, most: 0.0 }).collect(), since: judged_from }
    }

    /// Takes the next sample of a run of this scenario.
    pub fn take(&mut self, scenario: &Scenario, sample: &Sample) {
        if sample.at <= self.judged_from {
            return;
        }
        let seconds = sample.span.as_secs();
        let host = &sample.host;
        let [cpu, memory, disk, line] = [
            ratio(host.cpu.get(), scenario.host.capacity().get()),
            ratio(host.memory.get(), scenario.host.memory.get()),
            host.disk.as_fraction(),
            host.network.as_fraction(),
        ];
        let services = scenario.services.values().zip(&sample.services).flat_map(|(model, seen)| {
            let instances = seen.instances_of(model.replicas);
            let limit = seen.limits.cpu.map_or(0, |cpu| cpu.scaled(instances, 1000).get());
            let workers = model.workers.map_or(0, |workers| u64::from(workers).saturating_mul(instances));
            [
                ratio(seen.cpu.get(), limit),
                seen.limits.memory.map_or(0.0, |limit| ratio(seen.memory.get(), limit.get())),
                ratio(seen.queue, workers).min(1.0),
            ]
        });
        let now = [cpu, memory, disk, line].into_iter().chain(services);
        for (tally, full) in self.parts.iter_mut().zip(now) {
            if tally.part.is_queued_for() {
                tally.sum += full * seconds;
            } else {
                tally.most = tally.most.max(full);
            }
        }
        let stretch = sample.at.since(self.since);
        if stretch >= STRETCH {
            for tally in &mut self.parts {
                tally.most = tally.most.max(tally.sum / stretch.as_secs());
                tally.sum = 0.0;
            }
            self.since = sample.at;
        }
    }

    /// How full each part got that was used at all, as a share of one, the fullest first.
    #[must_use]
    pub fn finish(self) -> Vec<(Part, f64)> {
        let used = self.parts.into_iter().filter(|tally| tally.most > 0.0);
        let mut parts: Vec<(Part, f64)> = used.map(|tally| (tally.part, tally.most)).collect();
        parts.sort_by(|(part, one), (other_part, other)| other.total_cmp(one).then_with(|| part.cmp(other_part)));
        parts
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
