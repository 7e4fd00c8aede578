//! What the engine is shown at a step of a policy test.

use crate::model::Given;
use crate::model::HostSeen;
use crate::model::InstanceSeen;
use crate::model::InstanceState;
use crate::model::Limits;
use crate::model::Observation;
use crate::model::Policy;
use crate::model::PolicyCase;
use crate::model::PolicySubject;
use crate::model::PolicyTest;
use crate::model::Resource;
use crate::model::ServiceName;
use crate::model::ServiceSeen;
use crate::model::Usage;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Permille;
use std::collections::BTreeMap;

/// The thresholds that a share of a limit is meant against.
#[derive(Debug, Clone, Copy)]
struct Band {
    low: Permille,
    high: Permille,
}

/// One look at the services of a test, with the limits in force.
pub(super) fn observation(
    test: &PolicyTest,
    case: &PolicyCase,
    limits: &BTreeMap<ServiceName, Limits>,
    now: Instant,
    tick: usize,
) -> Observation {
    let host = HostSeen {
        pool_cpu: test.pool.cpu.unwrap_or(Millicores::MAX),
        pool_memory: test.pool.memory.unwrap_or(Bytes::MAX),
    };
    let services = test.services.iter().map(|(name, subject)| {
        let limits = limits.get(name).copied().unwrap_or_default();
        let usage = usage(case, name, subject, limits, &host, now, tick);
        let instances = (1..=subject.instances).map(|number| InstanceSeen {
            number,
            state: InstanceState::Healthy,
            usage,
            oom_kills: 0,
            restarts: 0,
        });
        (name.clone(), ServiceSeen { limits, stateful: subject.stateful, instances: instances.collect() })
    });
    Observation { host, services: services.collect() }
}

/// What each instance of a service used; `None` where one of its series has no value at this step.
fn usage(
    case: &PolicyCase,
    name: &ServiceName,
    subject: &PolicySubject,
    limits: Limits,
    host: &HostSeen,
    now: Instant,
    tick: usize,
) -> Option<Usage> {
    let Policy::Vertical(policy) = subject.policy else { return None };
    let value = |resource| match case.given.get(&(name.clone(), resource)) {
        None => Some(None),
        Some(series) => series.get(tick).copied().flatten().map(Some),
    };
    let (cpu, memory) = (value(Resource::Cpu)?, value(Resource::Memory)?);
    let cpu =
        amount(cpu, limits.cpu.unwrap_or(host.pool_cpu).get(), Band { low: policy.cpu_low, high: policy.cpu_high });
    let memory = amount(
        memory,
        limits.memory.unwrap_or(host.pool_memory).get(),
        Band { low: policy.memory_low, high: policy.memory_high },
    );
    let memory = Bytes::new(memory);
    Some(Usage { at: now, window: policy.window, cpu: Millicores::new(cpu), memory, memory_max: memory })
}

/// A given value as millicores or bytes; without one, the middle between the thresholds.
fn amount(given: Option<Given>, limit: u64, band: Band) -> u64 {
    match given {
        Some(Given::Cpu(cpu)) => cpu.get(),
        Some(Given::Memory(memory)) => memory.get(),
        Some(Given::OfLimit(share)) => part(limit, share, band),
        None => part(limit, Permille::new(band.low.get().midpoint(band.high.get())), band),
    }
}

/// A share of a limit, rounded up or down so that it stands on the side of both thresholds on which it was written: 80 %
/// of 0.333 CPUs must not become 80.2 %.
fn part(limit: u64, share: Permille, band: Band) -> u64 {
    let exact = u128::from(limit) * u128::from(share.get());
    let narrow = |wide: u128| u64::try_from(wide).unwrap_or(u64::MAX);
    let (down, up) = (narrow(exact / 1000), narrow(exact.div_ceil(1000)));
    let sides = |seen: Permille| (seen > band.high, seen < band.low);
    let fits = |used: u64| Permille::ratio(used, limit).is_some_and(|seen| sides(seen) == sides(share));
    if fits(up) || !fits(down) { up } else { down }
}
