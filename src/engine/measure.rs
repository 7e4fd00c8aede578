//! Whether measurements can be believed. Before you change it: one instance that cannot be believed is enough to leave its
//! service alone, since nobody knows which way the others would have to be read.

use crate::model::Guard;
use crate::model::HostSeen;
use crate::model::InstanceSeen;
use crate::model::InstanceState;
use crate::model::ServiceSeen;
use crate::model::Usage;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Span;

/// What the running instances of a service use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    /// How many run and have finished starting; at least one.
    pub(super) running: u64,
    /// CPU used by all of them, the mean over the window, in millicores.
    pub(super) cpu: u64,
    /// Working sets of all of them at their newest scrapes, in bytes.
    pub(super) memory_all: u64,
    /// Largest working set of one of them at its newest scrape, in bytes.
    pub(super) memory: u64,
    /// Largest working set of one of them in the window, in bytes.
    pub(super) memory_max: u64,
    /// Every instance of the service, running or not, is healthy: only then something may be taken away.
    pub(super) all_well: bool,
}

/// Since when the limits have been what they are. A measurement that reaches further back may exceed them by right.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settled {
    /// The CPU limit.
    pub(super) cpu: Instant,
    /// The memory limit.
    pub(super) memory: Instant,
}

/// What is done about an instance that runs and was not measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unmeasured {
    /// Nothing can be said of the service.
    Refused,
    /// The others stand for it.
    LeftOut,
}

/// Adds up a service's measurements, or says why they cannot be used.
///
/// Instances that are down or starting are not counted: the former use nothing, the latter not what they will use.
/// Unhealthy ones are: an instance may fail its check just because its limit is too small.
pub(super) fn measured(
    now: Instant,
    service: &ServiceSeen,
    host: &HostSeen,
    stale_after: Span,
    (settled, unmeasured): (Settled, Unmeasured),
) -> Result<Measured, Guard> {
    let mut sum = Measured { running: 0, cpu: 0, memory_all: 0, memory: 0, memory_max: 0, all_well: true };
    for instance in &service.instances {
        sum.all_well &= instance.state == InstanceState::Healthy;
        if !matches!(instance.state, InstanceState::Healthy | InstanceState::Unhealthy) {
            continue;
        }
        if instance.usage.is_none() && unmeasured == Unmeasured::LeftOut {
            continue;
        }
        let usage = instance.usage.ok_or(Guard::NoData)?;
        let age = now.since(usage.at);
        if age > stale_after {
            return Err(Guard::Stale { age });
        }
        if let Some(why) = absurdity(now, instance, usage, service, host, settled) {
            return Err(Guard::Absurd { why });
        }
        sum.running += 1;
        sum.cpu = sum.cpu.saturating_add(usage.cpu.get());
        sum.memory_all = sum.memory_all.saturating_add(usage.memory.get());
        sum.memory = sum.memory.max(usage.memory.get());
        sum.memory_max = sum.memory_max.max(usage.memory.max(usage.memory_max).get());
    }
    if sum.running == 0 { Err(Guard::NotReady) } else { Ok(sum) }
}

/// What an instance used, where it runs and its measurement can be true whatever its limits were.
pub(super) fn believed(now: Instant, instance: &InstanceSeen, service: &ServiceSeen, host: &HostSeen) -> Option<Usage> {
    let runs = matches!(instance.state, InstanceState::Healthy | InstanceState::Unhealthy);
    // Limits that were set only now say nothing about a measurement.
    let settled = Settled { cpu: now, memory: now };
    let usage = instance.usage.filter(|_| runs)?;
    absurdity(now, instance, usage, service, host, settled).is_none().then_some(usage)
}

/// What is wrong with a measurement, if anything.
///
/// A container cannot use more than the host has (the engine knows only the pool, so it grants the system as much again),
/// nor, over a window in which its limit stood still, more than twice its CPU limit or 1.5 times its memory limit.
fn absurdity(
    now: Instant,
    instance: &InstanceSeen,
    usage: Usage,
    service: &ServiceSeen,
    host: &HostSeen,
    settled: Settled,
) -> Option<String> {
    let number = instance.number;
    let memory = usage.memory.max(usage.memory_max);
    let begin = usage.at.minus(usage.window);
    let above = |used: u64, bound: u64, numerator: u64, denominator: u64| {
        bound > 0 && u128::from(used) * u128::from(denominator) > u128::from(bound) * u128::from(numerator)
    };
    if usage.at > now {
        return Some(format!("instance {number} was measured at {}, which is still to come", usage.at));
    }
    if usage.window == Span::ZERO {
        return Some(format!("instance {number} was measured over no time"));
    }
    if above(usage.cpu.get(), host.pool_cpu.get(), 2, 1) {
        return Some(format!("instance {number} uses {} CPUs; the host's pool has {}", usage.cpu, host.pool_cpu));
    }
    if above(memory.get(), host.pool_memory.get(), 2, 1) {
        return Some(format!("instance {number} holds {memory}; the host's pool has {}", host.pool_memory));
    }
    let limit = service.limits.cpu.unwrap_or(Millicores::ZERO);
    if begin >= settled.cpu && above(usage.cpu.get(), limit.get(), 2, 1) {
        return Some(format!("instance {number} uses {} CPUs and may use {limit}", usage.cpu));
    }
    let limit = service.limits.memory.unwrap_or(Bytes::ZERO);
    if begin >= settled.memory && above(memory.get(), limit.get(), 3, 2) {
        return Some(format!("instance {number} holds {memory} and may hold {limit}"));
    }
    None
}
