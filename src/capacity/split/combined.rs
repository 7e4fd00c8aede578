//! Several hosts as one scenario that can be simulated.
//!
//! The simulated world has one host. Several become one whose cores are divided among them: each service is pinned to the
//! cores of its host, as a `cpuset` does, so that CPU is shared within a host and never between two. A call to a service of
//! another host takes the time of two messages between hosts longer. What is left out of this (`docs/fit.md` says so):
//! 1. Memory is one: no host runs out of it while another has some. [`PerHost`] adds it up for each host from the samples, and
//!    a host with more than it has is a failure of the split.
//! 2. Disks are one, as fast as all together, and so are lines to the outside. Steal is the largest of the hosts'.
//! 3. What policies give out is the room of all hosts together.

use super::Assignment;
use super::demand::WINDOW;
use crate::model::CoreGroup;
use crate::model::CoreSet;
use crate::model::Host;
use crate::model::Sample;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::model::Storage;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;
use std::collections::BTreeMap;

/// Why hosts cannot be simulated together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTogether {
    /// Heat is that of one chip.
    #[error("`{0}` gets warm, and heat is modelled for one machine only")]
    Heat(String),
    /// A service is pinned to a core that its host does not have.
    #[error("`{service}` is pinned to core {core}, which `{host}` does not have")]
    Core {
        /// The service.
        service: ServiceName,
        /// The core.
        core: u32,
        /// The host.
        host: String,
    },
}

/// Several hosts as one scenario.
#[derive(Debug, Clone)]
pub struct Combined {
    /// The scenario.
    pub scenario: Scenario,
    /// The hosts that it stands for.
    pub hosts: Vec<Host>,
    /// Which service runs on which of them.
    pub host_of: BTreeMap<ServiceName, usize>,
}

/// Several hosts as one scenario; `hop` is the time of a message from one of them to another.
///
/// # Errors
/// Where they cannot be put together.
pub fn combined(
    scenario: &Scenario,
    hosts: &[Host],
    assignment: &Assignment,
    hop: Span,
) -> Result<Combined, NotTogether> {
    if let Some(host) = hosts.iter().find(|host| host.heat.is_some()) {
        return Err(NotTogether::Heat(host.name.clone()));
    }
    let (cores, numbers) = divided(hosts);
    let mut together = scenario.clone();
    let host_of = |name: &ServiceName| assignment.host_of.get(name).copied().unwrap_or(0);
    for (name, model) in &mut together.services {
        let own = &numbers[host_of(name)];
        let wanted: Vec<u32> = match &model.cpuset {
            None => own.clone(),
            Some(set) => {
                let core = |core: u32| own.get(crate::units::place(f64::from(core))).copied().ok_or(core);
                set.cores().map(core).collect::<Result<_, u32>>().map_err(|core| NotTogether::Core {
                    service: name.clone(),
                    core,
                    host: hosts[host_of(name)].name.clone(),
                })?
            }
        };
        model.cpuset = CoreSet::parse(&wanted.iter().map(u32::to_string).collect::<Vec<_>>().join(",")).ok();
        for call in &mut model.work.calls {
            if host_of(&call.to) != host_of(name) {
                call.hop = call.hop.plus(hop);
            }
        }
    }
    together.host = one(hosts, cores);
    Ok(Combined { scenario: together, hosts: hosts.to_vec(), host_of: assignment.host_of.clone() })
}

/// The cores of all hosts, the fastest first, and the numbers that those of each host have among them, in its own order.
fn divided(hosts: &[Host]) -> (Vec<CoreGroup>, Vec<Vec<u32>>) {
    let groups = |(place, host): (usize, &Host)| {
        host.cores.iter().map(move |group| (group.speed, place, group.count)).collect::<Vec<_>>()
    };
    let mut all: Vec<(Permille, usize, u32)> = hosts.iter().enumerate().flat_map(groups).collect();
    all.sort_by_key(|(speed, place, _)| (std::cmp::Reverse(*speed), *place));
    let (mut cores, mut numbers, mut next): (Vec<CoreGroup>, _, u32) = (Vec::new(), vec![Vec::new(); hosts.len()], 0);
    for (speed, place, count) in all {
        numbers[place].extend(next..next + count);
        next += count;
        match cores.last_mut() {
            Some(last) if last.speed == speed => last.count += count,
            _ => cores.push(CoreGroup { count, speed }),
        }
    }
    (cores, numbers)
}

/// The host that stands for all of them.
fn one(hosts: &[Host], cores: Vec<CoreGroup>) -> Host {
    let bytes = |each: fn(&Host) -> Bytes| hosts.iter().map(each).fold(Bytes::ZERO, Bytes::plus);
    let cpu = |each: fn(&Host) -> Millicores| hosts.iter().map(each).fold(Millicores::ZERO, Millicores::plus);
    let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
    let titles: Vec<&str> = hosts.iter().map(|host| host.title.as_str()).collect();
    let mut host = Host::bare(&names.join(" + "), cores, bytes(|host| host.memory));
    host.title = titles.join(" + ");
    host.disk = bytes(|host| host.disk);
    (host.reserve_cpu, host.reserve_memory) = (cpu(|host| host.reserve_cpu), bytes(|host| host.reserve_memory));
    (host.system_cpu, host.system_memory) = (cpu(|host| host.system_cpu), bytes(|host| host.system_memory));
    host.swap = bytes(|host| host.swap);
    if let Some(most) = hosts.iter().max_by_key(|host| host.steal) {
        (host.steal, host.steal_bursts) = (most.steal, most.steal_bursts);
    }
    host.hop = hosts.iter().map(|host| host.hop).max().unwrap_or(Span::ZERO);
    let disks: Option<Vec<Storage>> = hosts.iter().map(|host| host.storage).collect();
    host.storage = disks.and_then(|disks| {
        disks.into_iter().reduce(|one, other| Storage {
            iops: one.iops.saturating_add(other.iops),
            bandwidth: one.bandwidth.plus(other.bandwidth),
            latency: one.latency.max(other.latency),
        })
    });
    let lines: Option<Vec<u32>> = hosts.iter().map(|host| host.hardware.network_mbit).collect();
    host.hardware.network_mbit = lines.map(|lines| lines.into_iter().fold(0, u32::saturating_add));
    host
}

/// What each host used in a run of hosts that are simulated together.
#[derive(Debug, Clone)]
pub struct PerHost {
    from: Instant,
    /// The host and the instances at the start of each service.
    services: Vec<(usize, u32)>,
    capacity: Vec<Millicores>,
    memory: Vec<Bytes>,
    system: Vec<(Millicores, Bytes)>,
    open: (Vec<u128>, Span),
    /// The busiest ten minutes of each.
    busiest: Vec<Millicores>,
    fullest: Vec<Bytes>,
    /// When the memory of a host was first not enough.
    ran_out: Option<(usize, Instant)>,
}

impl PerHost {
    /// Of a run of these hosts.
    #[must_use]
    pub fn new(combined: &Combined) -> Self {
        let hosts = &combined.hosts;
        let services = combined.scenario.services.iter();
        Self {
            from: Instant::after_start(combined.scenario.warmup),
            services: services
                .map(|(name, model)| (combined.host_of.get(name).copied().unwrap_or(0), model.replicas))
                .collect(),
            capacity: hosts.iter().map(Host::capacity).collect(),
            memory: hosts.iter().map(|host| host.memory.plus(host.swap)).collect(),
            system: hosts.iter().map(|host| (host.system_cpu, host.system_memory)).collect(),
            open: (vec![0; hosts.len()], Span::ZERO),
            busiest: vec![Millicores::ZERO; hosts.len()],
            fullest: vec![Bytes::ZERO; hosts.len()],
            ran_out: None,
        }
    }

    /// Takes a sample.
    pub fn take(&mut self, sample: &Sample) {
        let mut held: Vec<Bytes> = self.system.iter().map(|system| system.1).collect();
        let judged = sample.at.minus(sample.span) >= self.from;
        for (service, (host, replicas)) in sample.services.iter().zip(&self.services) {
            let instances = service.instances_of(*replicas).div_ceil(1000);
            held[*host] = held[*host].plus(service.memory.scaled(instances, 1));
            if judged {
                self.open.0[*host] += u128::from(service.cpu.get()) * u128::from(sample.span.nanos());
            }
        }
        for (host, held) in held.into_iter().enumerate() {
            self.fullest[host] = self.fullest[host].max(held);
            if held > self.memory[host] && self.ran_out.is_none() {
                self.ran_out = Some((host, sample.at));
            }
        }
        if judged {
            self.open.1 = self.open.1.plus(sample.span);
        }
        if self.open.1 >= WINDOW {
            let length = u128::from(self.open.1.nanos()).max(1);
            for (host, used) in self.open.0.iter_mut().enumerate() {
                let mean = Millicores::new(u64::try_from(used.div_ceil(length)).unwrap_or(u64::MAX));
                self.busiest[host] = self.busiest[host].max(mean.plus(self.system[host].0));
                *used = 0;
            }
            self.open.1 = Span::ZERO;
        }
    }

    /// Of each host the CPU of its busiest ten minutes and the most memory, as shares of what it has.
    #[must_use]
    pub fn shares(&self) -> Vec<(Permille, Permille)> {
        let share = |part: u64, whole: u64| Permille::ratio(part, whole).unwrap_or(Permille::ZERO);
        let of = |host: usize| {
            let cpu = share(self.busiest[host].get(), self.capacity[host].get());
            (cpu, share(self.fullest[host].get(), self.memory[host].get()))
        };
        (0..self.capacity.len()).map(of).collect()
    }

    /// The host whose memory was first not enough, and when.
    #[must_use]
    pub const fn ran_out(&self) -> Option<(usize, Instant)> {
        self.ran_out
    }
}
