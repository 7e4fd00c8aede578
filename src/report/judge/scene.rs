//! What the host was doing when an expectation first failed.

use super::part::Who;
use crate::model::Sample;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::report::figure::Figure;
use std::fmt;

/// What the host was doing in one sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// CPU used of what the host has.
    pub host_cpu: f64,
    /// Memory used of what the host has.
    pub host_memory: f64,
    /// Bandwidth to the outside used, in the busier direction; zero where nothing is known of it.
    pub network: f64,
    /// The service in question.
    pub service: Option<ServiceScene>,
    /// Services that were saturated then.
    pub saturated: Vec<ServiceName>,
}

/// What a service was doing in one sample.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceScene {
    /// Its name.
    pub name: ServiceName,
    /// CPU used of its limit; `None` without limit.
    pub cpu_of_limit: Option<f64>,
    /// CPU used in cores.
    pub cpu: f64,
    /// Memory used of its limit; `None` without limit.
    pub memory_of_limit: Option<f64>,
    /// Share of quota periods with throttling.
    pub throttled: f64,
    /// Requests in it at the end.
    pub queue: f64,
    /// Instances up and well, the fewest.
    pub replicas: u32,
    /// Instances it should have.
    pub replicas_wanted: u32,
    /// More requests came than could be served.
    pub saturated: bool,
}

impl Scene {
    pub(super) fn of(scenario: &Scenario, sample: &Sample, who: Who) -> Self {
        let ratio = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let service = match who {
            Who::Everybody => None,
            Who::One(place) => {
                scenario.services.iter().zip(&sample.services).nth(place).map(|((name, model), seen)| {
                    let all = seen.limits.cpu.map(|cpu| cpu.scaled(seen.instances_of(model.replicas), 1000).get());
                    ServiceScene {
                        name: name.clone(),
                        cpu_of_limit: all.map(|limit| ratio(seen.cpu.get(), limit)),
                        cpu: seen.cpu.as_cores(),
                        memory_of_limit: seen.limits.memory.map(|limit| ratio(seen.memory.get(), limit.get())),
                        throttled: seen.throttled.as_fraction(),
                        queue: seen.queue as f64 / 1000.0,
                        replicas: seen.replicas,
                        replicas_wanted: u32::try_from(seen.instances_of(model.replicas).div_ceil(1000))
                            .unwrap_or(u32::MAX),
                        saturated: seen.saturated,
                    }
                })
            }
        };
        let saturated = scenario.services.keys().zip(&sample.services).filter(|(_, seen)| seen.saturated);
        Self {
            host_cpu: ratio(sample.host.cpu.get(), scenario.host.capacity().get()),
            host_memory: ratio(sample.host.memory.get(), scenario.host.memory.get()),
            network: sample.host.network.as_fraction(),
            service,
            saturated: saturated.map(|(name, _)| name.clone()).collect(),
        }
    }
}

impl fmt::Display for Scene {
    /// In one line: `host cpu 94%, memory 71%; api: cpu 100% of its limit, throttled 62%, 41 requests waiting, saturated`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host cpu {}, memory {}", Figure::share(self.host_cpu), Figure::share(self.host_memory))?;
        if self.network > 0.0 {
            write!(f, ", network {}", Figure::share(self.network))?;
        }
        if let Some(service) = &self.service {
            write!(f, "; {}: ", service.name)?;
            match service.cpu_of_limit {
                Some(share) => write!(f, "cpu {} of its limit", Figure::share(share))?,
                None => {
                    write!(f, "cpu {} without limit", Figure::new(service.cpu, crate::report::figure::Unit::Cores))?
                }
            }
            if let Some(share) = service.memory_of_limit {
                write!(f, ", memory {} of its limit", Figure::share(share))?;
            }
            if service.throttled > 0.0 {
                write!(f, ", throttled in {} of periods", Figure::share(service.throttled))?;
            }
            if service.queue >= 1.0 {
                write!(f, ", {} requests waiting or in work", Figure::count(service.queue))?;
            }
            if service.replicas < service.replicas_wanted {
                write!(f, ", {} of {} instances up", service.replicas, service.replicas_wanted)?;
            }
            if service.saturated {
                f.write_str(", saturated")?;
            }
        }
        let others = self.saturated.iter().filter(|name| self.service.as_ref().is_none_or(|one| one.name != **name));
        for (place, name) in others.take(5).enumerate() {
            write!(f, "{}{name}", if place == 0 { "; also saturated: " } else { ", " })?;
        }
        Ok(())
    }
}
