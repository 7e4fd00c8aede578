//! What must hold of every run, whatever was drawn. Before you change it:
//! 1. Safety holds in every moment, in the storm, too. Liveness is asked at the end, after half a run of calm.
//! 2. A rule here is stated from the record alone; it knows nothing of how the simulator or the engine come to it.

use super::obeyed;
use crate::model::Action;
use crate::model::Again;
use crate::model::FaultKind;
use crate::model::Incident;
use crate::model::InstanceState;
use crate::model::Observation;
use crate::model::OnFailure;
use crate::model::Policy;
use crate::model::Progress;
use crate::model::Reason;
use crate::model::Resource;
use crate::model::Restart;
use crate::model::Sample;
use crate::model::Scenario;
use crate::model::ServiceModel;
use crate::model::ServiceName;
use crate::model::Source;
use crate::model::Update;
use crate::record::Event;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

/// Turns of one limit, from up to down or back, in the last quarter of a run that are still called calm.
const TURNS_CALM: usize = 1;
/// The same where the engine sees Docker's own statistics: a second of each minute, of which chance decides what it shows.
const TURNS_OF_SECONDS: usize = 4;
/// Requests in a thousand that may fail at the end.
const ERRORS_CALM: u64 = 10;

/// A rule that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule in few words; the same for the same kind of failure.
    pub rule: &'static str,
    /// When.
    pub at: Instant,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.rule, self.at, self.what)
    }
}

/// The first rule that a run breaks.
#[must_use]
pub fn judge(scenario: &Scenario, events: &[Event]) -> Option<Violation> {
    let first = |model: &ServiceModel| Before { shown: model.limits.memory, ..Before::default() };
    let mut before: Vec<Before> = scenario.services.values().map(first).collect();
    for event in events {
        let found = match event {
            Event::Sampled(sample) => safety(scenario, sample, &mut before),
            Event::Happened { at, incident: Incident::Deployment { service, progress } } => {
                let mine = scenario.services.keys().zip(&mut before).find(|(name, _)| *name == service);
                if let Some((_, before)) = mine {
                    before.deployment(scenario, service, *at, progress);
                }
                None
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    let calm = Instant::after_start(Span::from_nanos(scenario.duration.nanos() / 8 * 7));
    obeyed::judge(events, calm).or_else(|| liveness(scenario, events))
}

/// What is known of a service from the samples before.
#[derive(Default)]
struct Before {
    /// Requests that were left inside.
    queue: u64,
    /// The memory limit that was shown.
    shown: Option<Bytes>,
    /// Instances of two generations may run side by side.
    is_deploying: bool,
    /// The largest memory limit since a deployment began, up to the first sample after its end.
    largest: Option<Bytes>,
}

impl Before {
    /// Takes note of how far a deployment is. One that is refused never begins, and one that is paused is never over.
    fn deployment(&mut self, scenario: &Scenario, name: &ServiceName, at: Instant, progress: &Progress) {
        match progress {
            Progress::Began => {
                // Which one it is the record does not say: one of those whose time has come.
                let mine = scenario.deployments.iter().filter(|one| one.service == *name && one.at <= at);
                let limits = mine.filter_map(|one| one.limits.memory);
                self.largest = limits.chain(self.largest).chain(self.shown).max();
                self.is_deploying = true;
            }
            Progress::Done | Progress::RolledBack => self.is_deploying = false,
            _ => {}
        }
    }

    /// The memory that an instance may have held since the last sample: what its limit was. While a deployment is on, those of
    /// the other generation have another one, and they may finish what they have after the limit that is shown has changed.
    fn memory_limit(&mut self, shown: Option<Bytes>) -> Option<Bytes> {
        let limit = self.largest.max(shown);
        self.largest = limit.filter(|_| self.is_deploying);
        self.shown = shown;
        limit
    }
}

/// What a sample must show in any weather.
fn safety(scenario: &Scenario, sample: &Sample, before: &mut [Before]) -> Option<Violation> {
    let broken = |rule, what: String| Some(Violation { rule, at: sample.at, what });
    if sample.host.cpu > scenario.host.capacity() {
        return broken("no more CPU than there is", format!("{} of {}", sample.host.cpu, scenario.host.capacity()));
    }
    if sample.host.memory > scenario.host.memory {
        return broken("no more memory than there is", format!("{}", sample.host.memory));
    }
    let host = &sample.host;
    let shares = [Some(host.disk), Some(host.iowait), Some(host.network), host.clock, host.steal];
    if let Some(share) = shares.into_iter().flatten().find(|share| *share > Permille::ONE) {
        return broken(
            "a share is of all at most",
            format!("{share} of the disk, of iowait, of the network, of the clock or of steal"),
        );
    }
    let swapped: u64 = sample.services.iter().map(|service| service.disk.swap.get()).max().unwrap_or(0);
    if swapped > scenario.host.swap.get() {
        return broken("no more swap than there is", format!("{}", Bytes::new(swapped)));
    }
    for (((name, model), seen), before) in scenario.services.iter().zip(&sample.services).zip(before) {
        let queue = &mut before.queue;
        if *queue + seen.arrived != seen.served + seen.failed + seen.queue {
            let sum = format!("{queue} + {} is not {} + {} + {}", seen.arrived, seen.served, seen.failed, seen.queue);
            return broken("requests add up", format!("{name}: {sum}"));
        }
        *queue = seen.queue;
        if seen.errors.all() != seen.failed {
            let sum = format!("{} of {}", seen.errors.all(), seen.failed);
            return broken("each failed request has its cause", format!("{name}: {sum}"));
        }
        if seen.latency.thousandths() != seen.served {
            return broken("each served request has its time", format!("{name}: {}", seen.latency.thousandths()));
        }
        let limit = before.memory_limit(seen.limits.memory);
        if let Some(limit) = limit.filter(|limit| seen.memory > *limit && model.limits.memory.is_some()) {
            return broken("no more memory than the limit", format!("{name}: {} of {limit}", seen.memory));
        }
        if let (Some(timeout), Some(slowest)) = (model.timeout, seen.latency.quantile(1, 1))
            && slowest.as_secs() > timeout.as_secs() * 1.05
        {
            return broken("nobody waits beyond the timeout", format!("{name}: {slowest} of {timeout}"));
        }
    }
    None
}

/// What must be well again at the end. Where something goes wrong again and again there is no calm.
fn liveness(scenario: &Scenario, events: &[Event]) -> Option<Violation> {
    if scenario.faults.iter().any(|fault| fault.again != Again::Never) {
        return None;
    }
    let end = Instant::after_start(scenario.duration);
    let last = events.iter().rev().find_map(|event| match event {
        Event::Seen { observation, .. } => Some(observation),
        _ => None,
    });
    let broken = |rule, what: String| Some(Violation { rule, at: end, what });
    let excuses = Excuses { scenario, paused: paused(events) };
    if let Some(ill) = last.and_then(|seen| excuses.unwell(seen)) {
        return broken("all is well again after the storm", ill);
    }
    let from = Instant::after_start(Span::from_nanos(scenario.duration.nanos() / 8 * 7));
    let mut asked: BTreeMap<&ServiceName, (u64, u64)> = BTreeMap::new();
    let mut turns: BTreeMap<(&ServiceName, Resource), (bool, usize)> = BTreeMap::new();
    let mut raised: BTreeMap<&ServiceName, Instant> = BTreeMap::new();
    let quiet = Instant::after_start(Span::from_nanos(scenario.duration.nanos() / 4 * 3));
    for event in events {
        match event {
            Event::Sampled(sample) if sample.at.minus(sample.span) >= from => {
                for (name, seen) in scenario.services.keys().zip(&sample.services) {
                    let sum = asked.entry(name).or_default();
                    *sum = (sum.0 + seen.arrived, sum.1 + seen.failed);
                }
            }
            Event::Decided { at, decision } if *at >= quiet => {
                for action in &decision.actions {
                    if is_climb(scenario, action) {
                        raised.insert(action.service(), *at);
                    }
                    // A schedule begins and ends, however calm it is.
                    if matches!(action.why(), Reason::OutOfRange { .. }) {
                        continue;
                    }
                    let what = (action.service(), action.resource());
                    let (up, count) = turns.entry(what).or_insert((action.is_increase(), 0));
                    *count += usize::from(*up != action.is_increase());
                    *up = action.is_increase();
                }
            }
            _ => {}
        }
    }
    let failing = asked.into_iter().find(|(name, (arrived, failed))| {
        failed * 1000 > arrived * ERRORS_CALM + 5_000_000
            && excuses.depends_on_well(name)
            && !climbs(scenario, &raised, name, from)
    });
    if let Some((name, (arrived, failed))) = failing {
        let what = format!("{name}: {} of {} requests fail", failed / 1000, arrived / 1000);
        return broken("requests succeed again after the storm", what);
    }
    let most = match scenario.sensors.source {
        Source::Prometheus => TURNS_CALM,
        Source::Docker => TURNS_OF_SECONDS,
    };
    // Whoever calls somebody who is gone for good fails in every second with a request, and in no other.
    let restless = turns.into_iter().find(|((name, _), (_, count))| *count > most && excuses.depends_on_well(name));
    restless.and_then(|((name, resource), (_, count))| {
        broken("limits come to rest", format!("{} of {name} turned {count} times", said(resource)))
    })
}

const fn said(resource: Resource) -> &'static str {
    match resource {
        Resource::Cpu => "cpu",
        Resource::Memory => "memory",
        Resource::Replicas => "replicas",
    }
}

/// The services of which a deployment stopped half-way, until somebody looks at it.
fn paused(events: &[Event]) -> BTreeSet<&ServiceName> {
    let of = |event| match event {
        &Event::Happened { incident: Incident::Deployment { ref service, progress: Progress::Paused }, .. } => {
            Some(service)
        }
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

/// Why services may be ill at the end.
struct Excuses<'a> {
    scenario: &'a Scenario,
    paused: BTreeSet<&'a ServiceName>,
}

impl Excuses<'_> {
    /// An instance that is not well though it could be.
    fn unwell(&self, seen: &Observation) -> Option<String> {
        for (name, service) in &seen.services {
            if self.excused(name) {
                continue;
            }
            // Whose callee stays away may keep its checks waiting.
            let may_wait = !self.depends_on_well(name);
            for instance in &service.instances {
                if instance.state == InstanceState::Unhealthy && may_wait {
                    continue;
                }
                if instance.state != InstanceState::Healthy {
                    return Some(format!("{name}-{} is {:?}", instance.number, instance.state));
                }
            }
        }
        None
    }

    /// Whether a service may be ill at the end: it leaks and so dies again and again, it stays away when the engine or the
    /// host restarted, nobody has looked at a deployment of it that stopped half-way, or a fault made new instances ill for
    /// life and they are kept. Once a deployment is paused, nothing is done any more, and all that follow are refused:
    /// what failed stays, with traffic or aside, beside old instances that may be too few, until a person mends it.
    fn excused(&self, name: &ServiceName) -> bool {
        let model = &self.scenario.services[name];
        let comes_back = matches!(model.restart, Restart::Always | Restart::UnlessStopped);
        let leaks = model.leak_per_hour.get() > 0;
        leaks
            || self.paused.contains(name)
            || self.scenario.faults.iter().any(|fault| match &fault.kind {
                FaultKind::UnhealthyGreen(ill) => ill == name && self.keeps_the_ill(name),
                FaultKind::DockerRestart { live_restore: false } | FaultKind::HostLoss => !comes_back,
                _ => false,
            })
    }

    /// Whether new instances of a service that fail are kept: all that start are new where no deployment names it, and else
    /// those that a deployment does not take back.
    fn keeps_the_ill(&self, name: &ServiceName) -> bool {
        let mut mine = self.scenario.deployments.iter().filter(|deployment| deployment.service == *name).peekable();
        let named = mine.peek().is_some();
        let keeps =
            |update: &Update| update.on_failure != OnFailure::Rollback || update.max_failure_ratio > Permille::ZERO;
        !named || mine.any(|deployment| keeps(&deployment.update))
    }

    /// Whether neither a service nor anybody it calls is excused.
    fn depends_on_well(&self, name: &ServiceName) -> bool {
        let model = &self.scenario.services[name];
        !self.excused(name) && model.work.calls.iter().all(|call| self.depends_on_well(&call.to))
    }
}

/// Whether an action gives more CPU to a service that has less than the scenario gives it. That much carries the calm
/// with room to spare: whoever fails with it is not about to recover, however often it gets more.
fn is_climb(scenario: &Scenario, action: &Action) -> bool {
    let Action::LimitCpu { service, from, .. } = action else { return false };
    let given = scenario.services.get(service).and_then(|model| model.limits.cpu);
    action.is_increase() && given.is_some_and(|given| *from < given)
}

/// Whether a service, or one that it calls, climbed a cooldown before a time or later. From the least limit it takes
/// many steps to that of a load which comes back, each a cooldown after the one before; a policy that has not arrived
/// has not failed. A climb ends at the limit of the scenario: raises without end make no turns, and would else excuse
/// errors for ever.
fn climbs(scenario: &Scenario, raised: &BTreeMap<&ServiceName, Instant>, name: &ServiceName, from: Instant) -> bool {
    let vertical = scenario.policies.get(name).and_then(Policy::vertical);
    let cooldown = vertical.map_or(Span::ZERO, |vertical| vertical.cooldown);
    raised.get(name).is_some_and(|at| at.plus(cooldown) >= from)
        || scenario.services[name].work.calls.iter().any(|call| climbs(scenario, raised, &call.to, from))
}

/// What the canary does: it loses a request of a service that crashed before; where nothing crashed, it makes a disk that was
/// slowed down busier than it can be. Whether there was something to plant it in.
pub(super) fn poison(scenario: &Scenario, events: &mut [Event]) -> bool {
    lose_a_request(scenario, events) || overwork_the_disk(scenario, events)
}

fn lose_a_request(scenario: &Scenario, events: &mut [Event]) -> bool {
    let mut crashed = vec![false; scenario.services.len()];
    for event in events {
        match event {
            Event::Happened { incident: Incident::Crashed { service, .. }, .. } => {
                for (crashed, name) in crashed.iter_mut().zip(scenario.services.keys()) {
                    *crashed |= name == service;
                }
            }
            Event::Sampled(sample) => {
                let mut victims = sample.services.iter_mut().zip(&crashed).filter(|(_, crashed)| **crashed);
                if let Some((victim, _)) = victims.find(|(service, _)| service.served >= 1000) {
                    victim.served -= 1000;
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

fn overwork_the_disk(scenario: &Scenario, events: &mut [Event]) -> bool {
    let mut slow = false;
    for event in events {
        match event {
            Event::Happened { incident: Incident::FaultBegan(place), .. } => {
                let fault = scenario.faults.get(*place).map(|fault| &fault.kind);
                slow |= matches!(fault, Some(FaultKind::SlowDisk { .. }));
            }
            Event::Sampled(sample) if slow && sample.host.disk > Permille::ZERO => {
                sample.host.disk = Permille::new(Permille::ONE.get() + 1);
                return true;
            }
            _ => {}
        }
    }
    false
}
