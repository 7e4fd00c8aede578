//! The rules of more and fewer instances, stated a second time. Before you change it:
//! 1. It keeps its own book of when instances were added and removed.
//! 2. A number outside its range is brought towards it for that reason alone; everything else rests on figures (`evidence`),
//!    changes by a step at most, and takes nothing from who is not well.

use super::Audit;
use super::Case;
use super::DAY;
use super::FIVE_MINUTES;
use super::Rule;
use super::evidence::Number;
use super::limits::Amount;
use super::limits::Change;
use super::limits::Limit;
use crate::model::Action;
use crate::model::Horizontal;
use crate::model::InstanceState;
use crate::model::Observation;
use crate::model::Override;
use crate::model::Policy;
use crate::model::Reason;
use crate::model::Resource;
use crate::model::ServiceName;
use crate::model::ServiceSeen;
use crate::model::Signal;
use crate::model::Vertical;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Kills of a service within five minutes that are no accident.
const KILLS_AGAIN: u64 = 2;
const SCALINGS_IN_FIVE_MINUTES: usize = 30;

/// Who may be scaled, and what was.
#[derive(Debug, Clone)]
pub(super) struct Scalings {
    policies: BTreeMap<ServiceName, Horizontal>,
    book: Vec<Scaling>,
    /// When it looked first.
    began: Option<Instant>,
    /// Whose requests were counted at some time.
    counted: BTreeSet<ServiceName>,
    /// The lowest CPU limit that each was seen with.
    lowest: BTreeMap<ServiceName, Millicores>,
}

/// One change of a number of instances.
#[derive(Debug, Clone)]
struct Scaling {
    at: Instant,
    service: ServiceName,
    from: u32,
    to: u32,
}

impl Scalings {
    pub(super) fn new(policies: &BTreeMap<ServiceName, Policy>) -> Self {
        let horizontal =
            policies.iter().filter_map(|(name, policy)| Some((name.clone(), policy.horizontal()?.clone())));
        Self {
            policies: horizontal.collect(),
            book: Vec::new(),
            began: None,
            counted: BTreeSet::new(),
            lowest: BTreeMap::new(),
        }
    }

    /// Takes note of what is seen, and forgets what no rule asks for any more: the last change of each number is kept.
    pub(super) fn look(&mut self, now: Instant, seen: &Observation) {
        self.began.get_or_insert(now);
        let policies = &self.policies;
        let longest = |name: &ServiceName| {
            let cooldown = policies.get(name).map(|policy| policy.cooldown_up.max(policy.cooldown_down));
            cooldown.map_or(DAY, |cooldown| cooldown.max(FIVE_MINUTES))
        };
        let last: BTreeMap<ServiceName, Instant> =
            self.book.iter().map(|entry| (entry.service.clone(), entry.at)).collect();
        self.book.retain(|entry| {
            entry.at.plus(longest(&entry.service)) > now || last.get(&entry.service) == Some(&entry.at)
        });
        for (name, service) in &seen.services {
            if service.traffic.is_some() {
                self.counted.insert(name.clone());
            }
            if let Some(limit) = service.limits.cpu {
                let lowest = self.lowest.entry(name.clone()).or_insert(limit);
                *lowest = limit.min(*lowest);
            }
        }
    }

    /// Time since the number of instances was changed last, or since it looked first.
    fn since_changed(&self, now: Instant, name: &ServiceName) -> Span {
        let last = self.book.iter().rfind(|entry| entry.service == *name).map(|entry| entry.at);
        last.or(self.began).map_or(Span::ZERO, |at| now.since(at))
    }

    /// Instances of a service that count against the pool: those seen, or more that were asked for in five minutes.
    fn count(&self, now: Instant, name: &ServiceName, service: &ServiceSeen) -> u64 {
        let recent = self.book.iter().filter(|entry| entry.service == *name && entry.at.plus(FIVE_MINUTES) > now);
        recent.map(|entry| u64::from(entry.to)).fold(service.instances.len() as u64, u64::max)
    }
}

impl Audit {
    /// Every rule that more or fewer instances break.
    pub(super) fn check_scaling(&mut self, case: &mut Case<'_>, action: &Action) {
        let Action::Scale { service: name, from, to, why } = action else { return };
        let (from, to) = (*from, *to);
        let order = case.seen.overrides.get(name).filter(|order| order.lasts(case.now));
        if matches!(why, Reason::Override { .. }) || order.is_some() {
            return self.check_order(case, action, order);
        }
        match (self.scalings.policies.get(name).cloned(), case.seen.services.get(name)) {
            (None, _) => case.report(Rule::Policy, name, "it is scaled and has no policy for that".to_owned()),
            (_, None) => case.report(Rule::Observed, name, "it is scaled and was not seen".to_owned()),
            (Some(policy), Some(service)) => {
                let since = self.scalings.since_changed(case.now, name);
                let (policy, vertical) = (&policy, self.policies.get(name));
                let range = range(policy, case.now);
                let seen = (case.now, case.seen);
                let number = Number { name, policy, range, vertical, service, seen, from, to, why, since };
                case.check_number(&number);
                self.check_cooldown(case, policy, name, to > from);
                if !number.is_mended() {
                    case.check_figures(&number);
                    if to > from {
                        case.check_seen(&number);
                    } else {
                        case.check_measured(policy.stale_after, service, name);
                    }
                    if to < from {
                        case.check_well(service, name);
                        self.check_kills(case, name);
                        self.check_counted(case, &number);
                    }
                }
            }
        }
        self.book_scaling(case, name, (from, to));
        if let Some(policy) = self.scalings.policies.get(name).filter(|_| to > from) {
            self.check_pool(case, (policy.overcommit_cpu, policy.overcommit_memory), action);
        }
    }

    /// What was ordered, or as much of it as the host has room for, and nothing else.
    fn check_order(&mut self, case: &mut Case<'_>, action: &Action, order: Option<&Override>) {
        let Action::Scale { service: name, from, to, why } = action else { return };
        let is_ordered = |order: &Override| {
            let Reason::Override { replicas, reason, until } = why else { return false };
            let said = Override { replicas: *replicas, reason: reason.clone(), until: *until };
            let towards = (*from..=order.replicas).contains(to) || *to == order.replicas;
            said == *order && towards && from != to
        };
        if !order.is_some_and(is_ordered) {
            case.report(Rule::Override, name, format!("it goes from {from} to {to}, and the order is {order:?}"));
        }
        match case.seen.services.get(name) {
            None => case.report(Rule::Observed, name, "it is scaled and was not seen".to_owned()),
            Some(service) if service.stateful => {
                case.report(Rule::Stateful, name, "it holds data and is scaled".to_owned());
            }
            Some(service) if service.deploying => {
                case.report(Rule::Once, name, "it is scaled while a deployment is on".to_owned());
            }
            Some(_) => {}
        }
        self.book_scaling(case, name, (*from, *to));
        if to > from {
            let horizontal = self.scalings.policies.get(name).map(|of| (of.overcommit_cpu, of.overcommit_memory));
            let vertical = self.policies.get(name).map(|of| (of.overcommit_cpu, of.overcommit_memory));
            let overcommit = horizontal.or(vertical).unwrap_or((Permille::ONE, Permille::ONE));
            self.check_pool(case, overcommit, action);
        }
    }

    /// Takes the change down, and counts those of five minutes.
    fn book_scaling(&mut self, case: &mut Case<'_>, name: &ServiceName, (from, to): (u32, u32)) {
        self.scalings.book.push(Scaling { at: case.now, service: name.clone(), from, to });
        let recent = self.scalings.book.iter().filter(|entry| entry.at.plus(FIVE_MINUTES) > case.now).count();
        if recent > SCALINGS_IN_FIVE_MINUTES {
            let text =
                format!("numbers were changed {recent} times in 5m; at most {SCALINGS_IN_FIVE_MINUTES} are allowed");
            case.report(Rule::Rate, name, text);
        }
    }

    fn check_cooldown(&self, case: &mut Case<'_>, policy: &Horizontal, name: &ServiceName, up: bool) {
        let cooldown = if up { policy.cooldown_up } else { policy.cooldown_down };
        let counts = |entry: &&Scaling| entry.service == *name && (!up || entry.to > entry.from);
        if let Some(last) = self.scalings.book.iter().rfind(counts)
            && last.at.plus(cooldown) > case.now
        {
            let text = format!("it was scaled {} ago; its cooldown is {cooldown}", case.now.since(last.at));
            case.report(Rule::Cooldown, name, text);
        }
    }

    /// Who looks at requests or metrics of the business, and lost sight of them, removes nothing.
    fn check_counted(&self, case: &mut Case<'_>, number: &Number<'_>) {
        let lost = number.service.traffic.is_none() && self.scalings.counted.contains(number.name);
        if lost && number.policy.looks_at(Signal::is_of_requests) {
            let text = "it loses instances, and its requests are not counted any more".to_owned();
            case.report(Rule::Data, number.name, text);
        }
        for metric in number.policy.metrics() {
            if number.figure(Signal::Custom(metric)).is_none() {
                let text = format!("it loses instances, and `{metric}` is not measured");
                case.report(Rule::Data, number.name, text);
            }
        }
    }

    /// Where a policy changes the number of instances by their CPU, another one raises the CPU limit of each only when there
    /// can be no more of them, takes nothing but what was given so, and does neither shortly after the number changed.
    pub(super) fn check_number_first(
        &self,
        case: &mut Case<'_>,
        policy: &Vertical,
        service: &ServiceSeen,
        change: &Change<'_>,
    ) {
        let name = change.service;
        let of_cpu = change.limit == Limit::Cpu && !change.gives_back() && !service.stateful;
        let horizontal = self.scalings.policies.get(name).filter(|one| one.looks_at(|of| of == Signal::Cpu));
        let Some(horizontal) = horizontal.filter(|_| of_cpu) else { return };
        let (least, most) = range(horizontal, case.now);
        let there = service.instances.len() as u64;
        // While somebody orders the number, it answers to nothing.
        let ordered = case.seen.overrides.get(name).is_some_and(|order| order.lasts(case.now));
        if change.is_increase() && !ordered && there < u64::from(most) && least <= most {
            let text = format!("its CPU limit is raised, and it has {there} instances of at most {most}");
            case.report(Rule::NumberFirst, name, text);
        }
        let lowest = self.scalings.lowest.get(name).copied().unwrap_or(Millicores::ZERO);
        if !change.is_increase() && change.to.number() < lowest.get() {
            let text = format!("its CPU limit would be {}, and nobody gave it less than {lowest}", change.to);
            case.report(Rule::NumberFirst, name, text);
        }
        let last = self.scalings.book.iter().rfind(|entry| entry.service == *name);
        if let Some(since) = last.map(|last| case.now.since(last.at)).filter(|since| *since < policy.window) {
            let text = format!("its number changed {since} ago, and its CPU limit is to rest for {}", policy.window);
            case.report(Rule::NumberFirst, name, text);
        }
    }

    /// While anybody is killed again and again, nobody is given less.
    fn check_kills(&self, case: &mut Case<'_>, name: &ServiceName) {
        let killed = self.deaths.iter().find(|(_, deaths)| deaths.kills(case.now) >= KILLS_AGAIN);
        if let Some((ill, deaths)) = killed {
            let text = format!("it is given less, and {ill} was OOM killed {} times in 5m", deaths.kills(case.now));
            case.report(Rule::GivenBack, name, text);
        }
    }

    /// What all limits add up to, with what was given and the instances that were asked for in the last five minutes.
    pub(super) fn check_pool(&self, case: &mut Case<'_>, overcommit: (Permille, Permille), action: &Action) {
        let limits: &[Limit] = match action.resource() {
            Resource::Cpu => &[Limit::Cpu],
            Resource::Memory => &[Limit::Memory],
            Resource::Replicas => &[Limit::Cpu, Limit::Memory],
        };
        for limit in limits {
            let scaled = case.seen.services.get(action.service()).is_some_and(|service| has(service, *limit));
            if action.resource() == Resource::Replicas && !scaled {
                continue;
            }
            let (pool, overcommit) = match limit {
                Limit::Cpu => (case.seen.host.pool_cpu.get(), overcommit.0),
                Limit::Memory => (case.seen.host.pool_memory.get(), overcommit.1),
            };
            let total = self.promised(case.now, case.seen, *limit, action);
            let allowed = u128::from(pool) * u128::from(overcommit.get()) / 1000;
            // Sums beyond 64 bits are no host's: they are cut at the largest number that a limit can have.
            if total.min(u128::from(u64::MAX)) > allowed {
                let shown = |amount: u128| Amount::of(*limit, u64::try_from(amount).unwrap_or(u64::MAX));
                let (total, allowed) = (shown(total), shown(allowed));
                let text = format!("all limits together come to {total}; {overcommit} of the pool is {allowed}");
                case.report(Rule::Pool, action.service(), text);
            }
        }
    }

    /// What all limits of a kind add up to: what was seen, or what was given in the last five minutes if that is more.
    fn promised(&self, now: Instant, seen: &Observation, limit: Limit, action: &Action) -> u128 {
        let recent: Vec<_> =
            self.book.iter().filter(|entry| entry.limit == limit && entry.at.plus(FIVE_MINUTES) > now).collect();
        let mut total: u128 = 0;
        for (name, service) in &seen.services {
            let mut each = Amount::seen(service, limit).map_or(0, Amount::number);
            for entry in recent.iter().filter(|entry| entry.service == *name) {
                each = each.max(entry.to.number());
            }
            match action {
                Action::LimitCpu { service, to, .. } if service == name => each = each.max(to.get()),
                Action::LimitMemory { service, to, .. } if service == name => each = each.max(to.get()),
                _ => {}
            }
            total += u128::from(each) * u128::from(self.scalings.count(now, name, service));
        }
        total
    }
}

/// Instances at a time, at least and at most: never none.
fn range(policy: &Horizontal, at: Instant) -> (u32, u32) {
    let (least, most) = policy.range(at);
    (least.max(1), most)
}

/// Whether a service has a limit of this kind.
fn has(service: &ServiceSeen, limit: Limit) -> bool {
    Amount::seen(service, limit).is_some_and(|limit| limit.number() > 0)
}

impl Case<'_> {
    /// Who runs was measured lately or not at all, and something was: an instance, or the requests.
    fn check_seen(&mut self, number: &Number<'_>) {
        let Number { name, policy, service, .. } = *number;
        let (now, stale_after) = (self.now, policy.stale_after);
        let is_fresh = |at: Instant| at <= now && at.plus(stale_after) >= now;
        let runs = |state| matches!(state, InstanceState::Healthy | InstanceState::Unhealthy);
        let metrics = policy.metrics();
        let mut known = service.traffic.is_some_and(|traffic| is_fresh(traffic.at))
            || metrics.iter().any(|metric| number.figure(Signal::Custom(*metric)).is_some());
        for instance in service.instances.iter().filter(|instance| runs(instance.state)) {
            let Some(usage) = instance.usage else { continue };
            known = true;
            if !is_fresh(usage.at) || usage.window == Span::ZERO {
                let (number, window) = (instance.number, usage.window);
                let text = format!("instance {number} was measured at {} over {window}, it is {now} now", usage.at);
                self.report(Rule::Data, name, text);
            }
        }
        if !known {
            self.report(Rule::Data, name, "nothing of it was measured lately".to_owned());
        }
    }

    /// The number itself: it starts from what is there, goes somewhere, by a step, within its range, and for a reason.
    fn check_number(&mut self, number: &Number<'_>) {
        let Number { name, policy, service, from, to, .. } = *number;
        let seen = service.instances.len();
        if usize::try_from(from) != Ok(seen) {
            self.report(Rule::From, name, format!("it has {seen} instances, the action starts from {from}"));
        }
        if from == to {
            self.report(Rule::Change, name, format!("its instances are changed from {from} to the same"));
        }
        if service.stateful {
            self.report(Rule::Stateful, name, format!("it holds data and would have {to} instances"));
        }
        if service.deploying {
            self.report(Rule::Serving, name, "it is scaled while a deployment is on".to_owned());
        }
        let (least, most) = number.range;
        let within = (least..=most).contains(&to);
        let towards = from < to && to < least;
        if !within && !towards {
            self.report(Rule::Bounds, name, format!("it would have {to} instances; its range is {least} to {most}"));
        }
        let up = to > from;
        let step = if up { policy.step_up } else { policy.step_down };
        if from.abs_diff(to) > step.max(1) && !number.is_mended() {
            self.report(Rule::Step, name, format!("it goes from {from} to {to} instances; a step is {step}"));
        }
    }
}
