//! What the engine is shown at a step of a policy test.

use crate::model::Given;
use crate::model::HostSeen;
use crate::model::InstanceSeen;
use crate::model::InstanceState;
use crate::model::Limits;
use crate::model::MetricSeen;
use crate::model::Observation;
use crate::model::Points;
use crate::model::Policy;
use crate::model::PolicyCase;
use crate::model::PolicyTest;
use crate::model::Quantity;
use crate::model::Scaling;
use crate::model::ServiceName;
use crate::model::ServiceSeen;
use crate::model::Signal;
use crate::model::TrafficSeen;
use crate::model::Trigger;
use crate::model::Usage;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Rate;
use crate::units::Span;
use std::collections::BTreeMap;

/// Figures of requests that a series may be of.
const OF_REQUESTS: [Signal; 4] = [Signal::Queue, Signal::Latency, Signal::Errors, Signal::Requests];

/// The bounds of a figure, in its own unit.
#[derive(Debug, Clone, Copy)]
struct Band {
    low: u64,
    high: u64,
}

/// One look at the services of a test, with the limits in force and as many instances as there are now.
pub(super) fn observation(
    test: &PolicyTest,
    case: &PolicyCase,
    (limits, replicas): (&BTreeMap<ServiceName, Limits>, &BTreeMap<ServiceName, u32>),
    now: Instant,
    tick: usize,
) -> Observation {
    let host = HostSeen {
        pool_cpu: test.pool.cpu.unwrap_or(Millicores::MAX),
        pool_memory: test.pool.memory.unwrap_or(Bytes::MAX),
    };
    let services = test.services.iter().map(|(name, subject)| {
        let limits = limits.get(name).copied().unwrap_or_default();
        let shown = Shown { case, name, policy: &subject.policy, limits, host: &host, now, tick };
        let usage = shown.usage();
        let count = replicas.get(name).copied().unwrap_or(subject.instances);
        let instances = (1..=count).map(|number| InstanceSeen {
            number,
            state: InstanceState::Healthy,
            usage,
            oom_kills: 0,
            restarts: 0,
            started: Some(Instant::START),
        });
        let seen = ServiceSeen {
            limits,
            stateful: subject.stateful,
            instances: instances.collect(),
            traffic: shown.traffic(),
            deploying: false,
        };
        (name.clone(), seen)
    });
    let metrics = case.metrics.iter().filter_map(|(name, series)| {
        let Given::Figure(value) = series.get(tick).copied().flatten()? else { return None };
        Some((*name, MetricSeen { at: now, value }))
    });
    Observation { host, services: services.collect(), overrides: BTreeMap::new(), metrics: metrics.collect() }
}

/// A service at one step.
struct Shown<'a> {
    case: &'a PolicyCase,
    name: &'a ServiceName,
    policy: &'a Policy,
    limits: Limits,
    host: &'a HostSeen,
    now: Instant,
    tick: usize,
}

impl Shown<'_> {
    /// The value of a series: `Some(None)` where there is no such series, `None` where it has no value at this step.
    fn value(&self, signal: Signal) -> Option<Option<Given>> {
        match self.case.given.get(&(self.name.clone(), signal)) {
            None => Some(None),
            Some(series) => series.get(self.tick).copied().flatten().map(Some),
        }
    }

    /// What each instance used; `None` where one of the series has no value at this step.
    fn usage(&self) -> Option<Usage> {
        if *self.policy == Policy::None {
            return None;
        }
        OF_REQUESTS.into_iter().try_for_each(|signal| self.value(signal).map(|_| ()))?;
        let (cpu, memory) = (self.value(Signal::Cpu)?, self.value(Signal::Memory)?);
        let cpu_limit = self.limits.cpu.unwrap_or(self.host.pool_cpu).get();
        let memory_limit = self.limits.memory.unwrap_or(self.host.pool_memory).get();
        let memory = Bytes::new(amount(memory, memory_limit, self.band(Signal::Memory)));
        let vertical = self.policy.vertical().map(|policy| policy.window);
        let window = vertical.max(self.policy.horizontal().map(|policy| policy.window));
        Some(Usage {
            at: self.now,
            window: window.unwrap_or(Span::from_mins(5)),
            cpu: Millicores::new(amount(cpu, cpu_limit, self.band(Signal::Cpu))),
            memory,
            memory_max: memory,
        })
    }

    /// What passes through it, where a series says something of that; a figure without a series stays in the middle
    /// between its bounds, errors and requests at none.
    fn traffic(&self) -> Option<TrafficSeen> {
        let is_given = |signal: &Signal| self.case.given.contains_key(&(self.name.clone(), *signal));
        OF_REQUESTS.iter().find(|signal| is_given(signal))?;
        let figure = |signal| match self.value(signal) {
            Some(Some(Given::Figure(figure))) => figure.number(),
            _ if matches!(signal, Signal::Queue | Signal::Latency) => {
                let band = self.band(signal);
                band.low.midpoint(band.high)
            }
            _ => 0,
        };
        Some(TrafficSeen {
            at: self.now,
            window: Span::from_mins(5),
            rate: Rate::micro(figure(Signal::Requests)),
            errors: figure(Signal::Errors),
            latency_p95: Some(Span::from_nanos(figure(Signal::Latency))),
            inside: figure(Signal::Queue),
        })
    }

    /// The bounds between which a figure decides nothing: shares of limits in thousandths.
    fn band(&self, signal: Signal) -> Band {
        if let Some(policy) = self.policy.vertical() {
            let (low, high) = match signal {
                Signal::Memory => (policy.memory_low, policy.memory_high),
                _ => (policy.cpu_low, policy.cpu_high),
            };
            return Band { low: low.get(), high: high.get() };
        }
        let thousandths = |bound: Quantity| match bound {
            Quantity::Share(millionths) => millionths / 1000,
            other => other.number(),
        };
        let of = |triggers: &[Trigger]| {
            let found = triggers.iter().find(|trigger| trigger.signal == signal);
            found.map(|trigger| thousandths(trigger.bound))
        };
        let triggers = |points: &[Points]| points.iter().map(|points| points.trigger).collect::<Vec<_>>();
        let (low, high) = match self.policy.horizontal().map(|policy| &policy.scaling) {
            Some(Scaling::Bounds(bounds)) => (of(&bounds.down), of(&bounds.up)),
            Some(Scaling::Points(score)) => (of(&triggers(&score.down)), of(&triggers(&score.up))),
            Some(Scaling::Weighted(score)) => (Some(score.down.get()), Some(score.up.get())),
            Some(Scaling::Reference(_) | Scaling::Schedule) | None => (None, None),
        };
        let high = high.or(low).unwrap_or(0);
        Band { low: low.unwrap_or(high), high }
    }
}

/// A given value as millicores or bytes; without one, the middle between the thresholds.
fn amount(given: Option<Given>, limit: u64, band: Band) -> u64 {
    match given {
        Some(Given::Cpu(cpu)) => cpu.get(),
        Some(Given::Memory(memory)) => memory.get(),
        Some(Given::Figure(figure)) => figure.number(),
        Some(Given::OfLimit(share)) => part(limit, share, band),
        None => part(limit, Permille::new(band.low.midpoint(band.high)), band),
    }
}

/// A share of a limit, rounded up or down so that it stands on the side of both thresholds on which it was written: 80 %
/// of 0.333 CPUs must not become 80.2 %.
fn part(limit: u64, share: Permille, band: Band) -> u64 {
    let exact = u128::from(limit) * u128::from(share.get());
    let narrow = |wide: u128| u64::try_from(wide).unwrap_or(u64::MAX);
    let (down, up) = (narrow(exact / 1000), narrow(exact.div_ceil(1000)));
    let sides = |seen: Permille| (seen.get() > band.high, seen.get() < band.low);
    let fits = |used: u64| Permille::ratio(used, limit).is_some_and(|seen| sides(seen) == sides(share));
    if fits(up) || !fits(down) { up } else { down }
}
