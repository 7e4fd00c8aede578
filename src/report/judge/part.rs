//! What one sample says about one series.

use super::turns::Acted;
use crate::model::Bound;
use crate::model::Expectation;
use crate::model::Host;
use crate::model::Latencies;
use crate::model::Metric;
use crate::model::Quantity;
use crate::model::Sample;
use crate::model::Scenario;
use crate::model::ServiceSample;
use crate::model::Subject;
use crate::units::Millicores;
use std::borrow::Cow;

/// How a level relates to the unit a person reads it in: it is kept in whole thousandths or finer.
pub(super) const LEVEL_SCALE_SHARE: u64 = 1_000_000;

/// A series over one stretch of time, in whole numbers.
#[derive(Debug, Clone)]
pub(super) struct Part<'a> {
    /// Length of the stretch in nanoseconds.
    pub(super) nanos: u64,
    /// The level of a gauge in its smallest unit, or the events of the stretch in thousandths.
    pub(super) level: Option<u64>,
    /// Events in thousandths.
    pub(super) events: u64,
    /// What the events are a part of, in thousandths.
    pub(super) whole: u64,
    /// Response times.
    pub(super) latency: Cow<'a, Latencies>,
    /// Requests that came or failed: somebody wanted an answer.
    pub(super) wanted: u64,
}

/// The services a subject means: their place in the sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    One(usize),
    Everybody,
}

impl Who {
    pub(super) fn of(subject: &Subject, scenario: &Scenario) -> Option<Self> {
        match subject {
            Subject::Service(name) => scenario.services.keys().position(|known| known == name).map(Self::One),
            Subject::All | Subject::Host => Some(Self::Everybody),
        }
    }

    fn of_sample(self, sample: &Sample) -> &[ServiceSample] {
        match self {
            Self::One(place) => sample.services.get(place..=place).unwrap_or_default(),
            Self::Everybody => &sample.services,
        }
    }
}

/// Reads the series of an expectation from a sample.
pub(super) fn part<'a>(
    expectation: &Expectation,
    who: Who,
    scenario: &Scenario,
    sample: &'a Sample,
    acted: &Acted,
) -> Part<'a> {
    let metric = expectation.measure.metric;
    let services = who.of_sample(sample);
    let sum = |each: fn(&ServiceSample) -> u64| services.iter().map(each).fold(0, u64::saturating_add);
    let failed = sum(|service| service.failed);
    let finished = sum(|service| service.served).saturating_add(failed);
    let mut part = Part {
        nanos: sample.span.nanos(),
        level: None,
        events: 0,
        whole: finished,
        latency: Cow::Owned(Latencies::new()),
        wanted: sum(|service| service.arrived).saturating_add(failed),
    };
    match metric {
        Metric::Latency => {
            part.events = finished;
            part.latency = latency(services);
        }
        Metric::Requests => part.events = finished,
        Metric::Errors => part.events = failed,
        Metric::Restarts => part.events = sum(|service| u64::from(service.restarts) * 1000),
        Metric::Oom => part.events = sum(|service| u64::from(service.oom_kills) * 1000),
        Metric::Actions => part.events = acted.actions(who) * 1000,
        Metric::Reversals => part.events = acted.reversals(who) * 1000,
        Metric::Deployments => part.events = acted.deployments(who) * 1000,
        Metric::Rollbacks => part.events = acted.rollbacks(who) * 1000,
        Metric::Queue
        | Metric::Cpu
        | Metric::Throttled
        | Metric::Memory
        | Metric::Replicas
        | Metric::LimitCpu
        | Metric::LimitMemory
        | Metric::HostCpu
        | Metric::HostMemory
        | Metric::IoWait
        | Metric::Disk
        | Metric::Network
        | Metric::Received
        | Metric::Sent
        | Metric::Slack
        | Metric::Temperature
        | Metric::Clock
        | Metric::Cost => part.level = level(metric, sample, services),
        Metric::Steal => part.level = Some(sample.host.steal.unwrap_or(scenario.host.steal).get()),
    }
    if is_event(metric) {
        let per_second = matches!(expectation.bound, Bound::Value(Quantity::Rate(_)));
        let rate = u128::from(part.events) * 1_000_000_000 / u128::from(part.nanos.max(1));
        part.level = Some(if per_second { u64::try_from(rate).unwrap_or(u64::MAX) } else { part.events });
    }
    if is_of_limit(expectation) {
        let limit = limit(metric, who, scenario, services);
        part.level = part.level.zip(limit).and_then(|(level, limit)| share(level, limit));
    }
    part
}

/// Whether a level is judged as a share of its limit; a plain share of the host is one of what it has.
pub(super) const fn is_of_limit(expectation: &Expectation) -> bool {
    match expectation.bound {
        Bound::OfLimit(_) => true,
        Bound::Value(Quantity::Share(_)) => {
            matches!(expectation.measure.metric, Metric::HostCpu | Metric::HostMemory)
        }
        Bound::Value(_) => false,
    }
}

/// Whether a metric counts events rather than being a level.
pub(super) const fn is_event(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::Requests
            | Metric::Errors
            | Metric::Restarts
            | Metric::Oom
            | Metric::Actions
            | Metric::Reversals
            | Metric::Deployments
            | Metric::Rollbacks
    )
}

/// How many of a level's smallest unit make one of [`super::super::figure::Unit::of`].
pub(super) const fn scale(metric: Metric, of_limit: bool) -> f64 {
    if of_limit {
        return LEVEL_SCALE_SHARE as f64;
    }
    match metric {
        Metric::Memory
        | Metric::LimitMemory
        | Metric::HostMemory
        | Metric::Replicas
        | Metric::Received
        | Metric::Sent => 1.0,
        Metric::Latency
        | Metric::Requests
        | Metric::Errors
        | Metric::Restarts
        | Metric::Oom
        | Metric::Actions
        | Metric::Reversals
        | Metric::Deployments
        | Metric::Rollbacks
        | Metric::Queue
        | Metric::Cpu
        | Metric::LimitCpu
        | Metric::HostCpu
        | Metric::Throttled
        | Metric::IoWait
        | Metric::Disk
        | Metric::Network
        | Metric::Slack
        | Metric::Temperature
        | Metric::Clock
        | Metric::Steal
        | Metric::Cost => 1000.0,
    }
}

fn latency(services: &[ServiceSample]) -> Cow<'_, Latencies> {
    if let [only] = services {
        return Cow::Borrowed(&only.latency);
    }
    let mut all = Latencies::new();
    for service in services {
        all.merge(&service.latency);
    }
    Cow::Owned(all)
}

fn level(metric: Metric, sample: &Sample, services: &[ServiceSample]) -> Option<u64> {
    let sum = |each: fn(&ServiceSample) -> u64| services.iter().map(each).fold(0, u64::saturating_add);
    match metric {
        Metric::Queue => Some(sum(|service| service.queue)),
        Metric::Cpu => Some(sum(|service| service.cpu.get())),
        Metric::Memory => Some(sum(|service| service.memory.get())),
        Metric::Replicas => Some(sum(|service| u64::from(service.replicas))),
        Metric::Throttled => services.iter().map(|service| service.throttled.get()).max(),
        Metric::LimitCpu => services.iter().map(|service| Some(service.limits.cpu?.get())).sum(),
        Metric::LimitMemory => services.iter().map(|service| Some(service.limits.memory?.get())).sum(),
        Metric::Slack => services
            .iter()
            .filter_map(|service| Some((running(service)?, service.cpu.get())))
            .map(|(limit, used)| limit.saturating_sub(used))
            .reduce(u64::saturating_add),
        Metric::HostCpu => Some(sample.host.cpu.get()),
        Metric::HostMemory => Some(sample.host.memory.get()),
        Metric::IoWait => Some(sample.host.iowait.get()),
        Metric::Disk => Some(sample.host.disk.get()),
        Metric::Network => Some(sample.host.network.get()),
        Metric::Received => Some(per_second(sum(|service| service.network.received.get()), sample)),
        Metric::Sent => Some(per_second(sum(|service| service.network.sent.get()), sample)),
        Metric::Temperature => Some(sample.host.temperature?.get()),
        Metric::Clock => Some(sample.host.clock?.get()),
        _ => None,
    }
}

/// So many in a sample as so many a second, rounded down.
fn per_second(count: u64, sample: &Sample) -> u64 {
    let rate = u128::from(count) * 1_000_000_000 / u128::from(sample.span.nanos().max(1));
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// The limit in force: of all instances for CPU, of one for memory, what the host has for the host.
fn limit(metric: Metric, who: Who, scenario: &Scenario, services: &[ServiceSample]) -> Option<u64> {
    let first = if let Who::One(place) = who { place } else { 0 };
    match metric {
        Metric::HostCpu => Some(Host::capacity(&scenario.host).get()),
        Metric::HostMemory => Some(scenario.host.memory.get()),
        Metric::Slack => services.iter().filter_map(running).reduce(u64::saturating_add),
        Metric::Cpu => scenario
            .services
            .values()
            .skip(first)
            .zip(services)
            .map(|(model, service)| Some(service.limits.cpu?.scaled(service.instances_of(model.replicas), 1000)))
            .try_fold(Millicores::ZERO, |sum, limit| Some(sum.plus(limit?)))
            .map(Millicores::get),
        Metric::Memory => services
            .iter()
            .map(|service| Some(service.limits.memory?.get()))
            .try_fold(0_u64, |sum, limit| Some(sum.saturating_add(limit?))),
        _ => None,
    }
}

/// The CPU limits of the instances that run; `None` for a service without.
fn running(service: &ServiceSample) -> Option<u64> {
    Some(service.limits.cpu?.scaled(u64::from(service.replicas), 1).get())
}

/// A share in millionths, rounded down; `None` of a limit of zero.
fn share(level: u64, limit: u64) -> Option<u64> {
    let wide = (u128::from(level) * u128::from(LEVEL_SCALE_SHARE)).checked_div(u128::from(limit))?;
    Some(u64::try_from(wide).unwrap_or(u64::MAX))
}
