//! The rules of a decision, stated a second time. It never imports the engine, so it cannot share its mistakes.
//!
//! Before you change it:
//! 1. A rule here is what an operator would say aloud, in the plainest form that can be checked from outside: the policies,
//!    the observation, the decision, and the decisions before it. It need not be as strict as the engine, never stricter.
//! 2. It keeps its own book of what was done. What the engine remembers is not evidence.
//! 3. Actions are judged in their order, as they will be carried out.

mod allocation;
mod breach;
mod evidence;
mod given_back;
mod limits;
mod rollout;
mod scaling;

pub use allocation::allocation;
pub use breach::Breach;
pub use breach::Rule;
pub use rollout::Look;
pub use rollout::RolloutAudit;

use crate::model::Decision;
use crate::model::InstanceState;
use crate::model::Observation;
use crate::model::Policy;
use crate::model::Reason;
use crate::model::ServiceName;
use crate::model::ServiceSeen;
use crate::model::Sizing;
use crate::model::Vertical;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Span;
use given_back::Death;
use limits::Amount;
use limits::Change;
use limits::Limit;
use scaling::Scalings;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

const DAY: Span = Span::from_mins(1440);
const FIVE_MINUTES: Span = Span::from_mins(5);
const CHANGES_IN_FIVE_MINUTES: usize = 10;

/// Checks every decision of an engine, in order.
#[derive(Debug, Clone)]
pub struct Audit {
    policies: BTreeMap<ServiceName, Vertical>,
    book: Vec<Entry>,
    scalings: Scalings,
    deaths: BTreeMap<ServiceName, Deaths>,
}

/// Deaths of a service, as its counters tell.
#[derive(Debug, Clone, Default)]
struct Deaths {
    /// OOM kills and restarts so far; `None` before the first look.
    counted: Option<(u64, u64)>,
    limit: Option<Bytes>,
    /// The last OOM kill, and the limit until then.
    last: Option<(Instant, Bytes)>,
    /// All of the last day.
    all: Vec<Death>,
}

/// One changed limit of the past.
#[derive(Debug, Clone)]
struct Entry {
    at: Instant,
    service: ServiceName,
    limit: Limit,
    from: Amount,
    to: Amount,
    gives_back: bool,
}

/// One decision under audit.
struct Case<'a> {
    now: Instant,
    seen: &'a Observation,
    breaches: Vec<Breach>,
}

impl Audit {
    /// An auditor who knows the policies and has seen no decision yet.
    #[must_use]
    pub fn new(policies: &BTreeMap<ServiceName, Policy>) -> Self {
        let vertical = policies.iter().filter_map(|(name, policy)| Some((name.clone(), *policy.vertical()?)));
        let scalings = Scalings::new(policies);
        Self { policies: vertical.collect(), book: Vec::new(), scalings, deaths: BTreeMap::new() }
    }

    /// Every rule the decision breaks; none for a good one. The decision is taken down as done either way.
    pub fn check(&mut self, now: Instant, seen: &Observation, decision: &Decision) -> Vec<Breach> {
        self.book.retain(|entry| entry.at.plus(DAY) > now);
        self.scalings.look(now, seen);
        self.count_deaths(now, seen);
        let mut case = Case { now, seen, breaches: Vec::new() };
        let mut touched = BTreeSet::new();
        for action in &decision.actions {
            let (name, resource) = (action.service(), action.resource());
            if !touched.insert((name, resource)) {
                case.report(Rule::Once, name, format!("the {} is changed twice at once", limits::word(resource)));
            }
            let Some(change) = Change::of(action) else {
                self.check_scaling(&mut case, action);
                continue;
            };
            match (self.policies.get(name), seen.services.get(name)) {
                (None, _) => case.report(Rule::Policy, name, "it is changed and has no policy".to_owned()),
                (_, None) => case.report(Rule::Observed, name, "it is changed and was not seen".to_owned()),
                (Some(policy), Some(service)) => {
                    case.check_limit(policy, service, &change);
                    case.check_evidence(policy, service, &change);
                    self.check_deaths(&mut case, policy, &change);
                    self.check_given_back(&mut case, policy, &change);
                    self.check_pace(&mut case, policy, &change);
                    self.check_number_first(&mut case, policy, service, &change);
                    if change.is_increase() {
                        self.check_pool(&mut case, (policy.overcommit_cpu, policy.overcommit_memory), action);
                    }
                }
            }
            let Change { limit, from, to, .. } = change;
            let gives_back = change.gives_back();
            self.book.push(Entry { at: now, service: name.clone(), limit, from, to, gives_back });
        }
        self.check_rate(&mut case, decision);
        case.breaches
    }

    /// Notes who died since the last look, and at which limit of memory. The first look only reads the counters.
    fn count_deaths(&mut self, now: Instant, seen: &Observation) {
        for (name, service) in &seen.services {
            let oom_kills: u64 = service.instances.iter().map(|instance| u64::from(instance.oom_kills)).sum();
            let restarts: u64 = service.instances.iter().map(|instance| u64::from(instance.restarts)).sum();
            let deaths = self.deaths.entry(name.clone()).or_default();
            deaths.all.retain(|death| death.at.plus(DAY) > now);
            if let Some((kills_before, restarts_before)) = deaths.counted {
                let more = oom_kills.saturating_sub(kills_before);
                if more > 0
                    && let Some(limit) = deaths.limit
                {
                    deaths.last = Some((now, limit));
                }
                if more > 0 || restarts > restarts_before {
                    deaths.all.push(Death { at: now, oom_kills: more });
                }
            }
            (deaths.counted, deaths.limit) = (Some((oom_kills, restarts)), service.limits.memory);
        }
    }

    /// What was too little within the last day is not given again.
    fn check_deaths(&self, case: &mut Case<'_>, policy: &Vertical, change: &Change<'_>) {
        let name = change.service;
        if let Some((at, limit)) = self.deaths.get(name).and_then(|deaths| deaths.last)
            && at.plus(DAY) > case.now
            && let Amount::Memory(to) = change.to
            && !change.is_increase()
            && u128::from(limit.get()) * 1000 > u128::from(to.get()) * u128::from(policy.memory_high.get())
        {
            let text = format!("it was OOM killed at {limit} {} ago and would get {to}", case.now.since(at));
            case.report(Rule::WorkingSet, name, text);
        }
    }

    /// Cooldown and daily limit. Changes of one look are one adjustment.
    fn check_pace(&self, case: &mut Case<'_>, policy: &Vertical, change: &Change<'_>) {
        let name = change.service;
        let mut times: Vec<Instant> = self
            .book
            .iter()
            .filter(|entry| entry.service == *name && entry.at != case.now)
            .map(|entry| entry.at)
            .collect();
        times.dedup();
        if let Some(last) = times.last()
            && last.plus(policy.cooldown) > case.now
        {
            let (ago, cooldown) = (case.now.since(*last), policy.cooldown);
            case.report(Rule::Cooldown, name, format!("it was adjusted {ago} ago; its cooldown is {cooldown}"));
        }
        let count = times.len() as u64 + 1;
        if count > u64::from(policy.per_day) {
            let text = format!("this is adjustment {count} in 24h; at most {} are allowed", policy.per_day);
            case.report(Rule::DailyLimit, name, text);
        }
    }

    fn check_rate(&self, case: &mut Case<'_>, decision: &Decision) {
        let recent = self.book.iter().filter(|entry| entry.at.plus(FIVE_MINUTES) > case.now).count();
        let change = decision.actions.iter().filter_map(Change::of).next_back();
        if let Some(change) = change
            && recent > CHANGES_IN_FIVE_MINUTES
        {
            let text =
                format!("limits were changed {recent} times in 5m; at most {CHANGES_IN_FIVE_MINUTES} are allowed");
            case.report(Rule::Rate, change.service, text);
        }
    }
}

impl Case<'_> {
    fn report(&mut self, rule: Rule, service: &ServiceName, text: String) {
        self.breaches.push(Breach { at: self.now, rule, service: service.clone(), text });
    }

    /// The limit itself: it starts from what is in force, goes somewhere, and stays within its bounds.
    fn check_limit(&mut self, policy: &Vertical, service: &ServiceSeen, change: &Change<'_>) {
        let Change { service: name, limit, from, to, .. } = *change;
        let word = limit.word();
        match Amount::seen(service, limit) {
            Some(limit) if limit == from => {}
            Some(limit) => {
                self.report(Rule::From, name, format!("its {word} limit is {limit}, the action starts from {from}"));
            }
            None => self.report(Rule::From, name, format!("it has no {word} limit, the action starts from {from}")),
        }
        if from == to {
            self.report(Rule::Change, name, format!("its {word} limit is changed from {from} to the same"));
        }
        let (least, most) = match limit {
            Limit::Cpu => (Amount::Cpu(policy.cpu_min), Amount::Cpu(policy.cpu_max)),
            Limit::Memory => (Amount::Memory(policy.memory_min), Amount::Memory(policy.memory_max)),
        };
        if to < least || to > most {
            let text = format!("its {word} limit would be {to}; its bounds are {least} and {most}");
            self.report(Rule::Bounds, name, text);
        }
    }

    /// What the action rests on: every running instance measured lately, a reason that the policy knows and that fits, and
    /// nothing taken from a service that holds data, is not well, or needs it. What is given back rests on deaths instead.
    fn check_evidence(&mut self, policy: &Vertical, service: &ServiceSeen, change: &Change<'_>) {
        if change.gives_back() {
            return self.check_reason(policy, change);
        }
        let name = change.service;
        let largest = self.check_measured(policy.stale_after, service, name);
        self.check_reason(policy, change);
        if change.is_increase() {
            return;
        }
        self.check_well(service, name);
        if let Amount::Memory(to) = change.to {
            if service.stateful {
                self.report(Rule::Stateful, name, format!("it holds data and is given less memory: {to}"));
            }
            if u128::from(largest) * 1000 > u128::from(to.get()) * u128::from(policy.memory_high.get()) {
                let seen = Bytes::new(largest);
                let text = format!("it held {seen}, which is more than {} of the new limit {to}", policy.memory_high);
                self.report(Rule::WorkingSet, name, text);
            }
        }
    }

    /// Nothing is taken from a service that is not entirely well.
    fn check_well(&mut self, service: &ServiceSeen, name: &ServiceName) {
        if let Some(ill) = service.instances.iter().find(|instance| instance.state != InstanceState::Healthy) {
            let text = format!("it is given less and instance {} is {:?}", ill.number, ill.state);
            self.report(Rule::Unwell, name, text);
        }
    }

    /// Every running instance was measured lately; the largest working set of one of them.
    fn check_measured(&mut self, stale_after: Span, service: &ServiceSeen, name: &ServiceName) -> u64 {
        let now = self.now;
        let mut running = 0_u64;
        let mut largest = 0_u64;
        for instance in &service.instances {
            match instance.state {
                InstanceState::Down | InstanceState::Starting => {}
                InstanceState::Healthy | InstanceState::Unhealthy => {
                    running += 1;
                    let number = instance.number;
                    match instance.usage {
                        None => self.report(Rule::Data, name, format!("instance {number} was not measured")),
                        Some(usage) if usage.at > now || usage.at.plus(stale_after) < now => {
                            let text = format!("instance {number} was measured at {}, it is {now} now", usage.at);
                            self.report(Rule::Data, name, text);
                        }
                        Some(usage) if usage.window.nanos() == 0 => {
                            self.report(Rule::Data, name, format!("instance {number} was measured over no time"));
                        }
                        Some(usage) => largest = largest.max(usage.memory.get()).max(usage.memory_max.get()),
                    }
                }
            }
        }
        if running == 0 {
            self.report(Rule::Data, name, "no instance runs".to_owned());
        }
        largest
    }

    fn check_reason(&mut self, policy: &Vertical, change: &Change<'_>) {
        let (high, low) = match change.limit {
            Limit::Cpu => (policy.cpu_high, policy.cpu_low),
            Limit::Memory => (policy.memory_high, policy.memory_low),
        };
        let (seen, checks, fits) = match *change.why {
            Reason::Sized { policy: ref name, wanted, .. } => {
                let (least, most) = match change.limit {
                    Limit::Cpu => (policy.cpu_min.get(), policy.cpu_max.get()),
                    Limit::Memory => (policy.memory_min.get(), policy.memory_max.get()),
                };
                let (wanted, from) = (wanted.number().min(most).max(least), change.from.number());
                let towards = if change.is_increase() { wanted > from } else { wanted < from };
                if name != policy.sizing.name() || policy.sizing == Sizing::Thresholds || !towards {
                    let text = format!("{name} wants {wanted}: no reason to go to {}", change.to);
                    self.report(Rule::Reason, change.service, text);
                }
                return;
            }
            Reason::AboveThreshold { seen, threshold, checks } => {
                (seen, checks, change.is_increase() && threshold == high && seen > high)
            }
            Reason::BelowThreshold { seen, threshold, checks } => {
                (seen, checks, !change.is_increase() && threshold == low && seen < low)
            }
            Reason::GivenBack { .. } => {
                if !change.is_increase() || change.limit != Limit::Cpu {
                    let text = "only CPU is given back, and then it is more".to_owned();
                    self.report(Rule::Reason, change.service, text);
                }
                return;
            }
            Reason::OutOfRange { .. }
            | Reason::Beyond { .. }
            | Reason::Override { .. }
            | Reason::Points { .. }
            | Reason::Weighted { .. }
            | Reason::Wanted { .. }
            | Reason::Ahead { .. } => {
                let text = "a limit is changed for a reason that is one for more or fewer instances".to_owned();
                return self.report(Rule::Reason, change.service, text);
            }
        };
        if !fits || checks < policy.checks || policy.sizing != Sizing::Thresholds {
            let way = if change.is_increase() { "more" } else { "less" };
            let text = format!(
                "{seen} of the limit in {checks} checks is no reason for {way}; thresholds are {low} and {high}, {} checks",
                policy.checks
            );
            self.report(Rule::Reason, change.service, text);
        }
    }
}
