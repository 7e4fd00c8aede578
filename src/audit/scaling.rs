//! The rules of more and fewer instances, stated a second time. Before you change it:
//! 1. It keeps its own book of when instances were added and removed.
//! 2. A number outside its range is brought towards it for that reason alone; everything else rests on figures, changes by
//!    a step at most, and takes nothing from who is not well.

use super::Audit;
use super::Case;
use super::DAY;
use super::FIVE_MINUTES;
use super::Rule;
use super::limits::Amount;
use super::limits::Limit;
use crate::model::Action;
use crate::model::Horizontal;
use crate::model::Observation;
use crate::model::Policy;
use crate::model::Reason;
use crate::model::Resource;
use crate::model::ServiceName;
use crate::model::ServiceSeen;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;
use std::collections::BTreeMap;

/// Kills of a service within five minutes that are no accident.
const KILLS_AGAIN: u64 = 2;
const SCALINGS_IN_FIVE_MINUTES: usize = 30;

/// Who may be scaled, and what was.
#[derive(Debug, Clone)]
pub(super) struct Scalings {
    policies: BTreeMap<ServiceName, Horizontal>,
    book: Vec<Scaling>,
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
        Self { policies: horizontal.collect(), book: Vec::new() }
    }

    /// Forgets what no rule asks for any more.
    pub(super) fn tidy(&mut self, now: Instant) {
        let policies = &self.policies;
        let longest = |name: &ServiceName| {
            let cooldown = policies.get(name).map(|policy| policy.cooldown_up.max(policy.cooldown_down));
            cooldown.map_or(DAY, |cooldown| cooldown.max(FIVE_MINUTES))
        };
        self.book.retain(|entry| entry.at.plus(longest(&entry.service)) > now);
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
        match (self.scalings.policies.get(name).cloned(), case.seen.services.get(name)) {
            (None, _) => case.report(Rule::Policy, name, "it is scaled and has no policy for that".to_owned()),
            (_, None) => case.report(Rule::Observed, name, "it is scaled and was not seen".to_owned()),
            (Some(policy), Some(service)) => {
                case.check_number(&policy, service, name, (from, to, why));
                self.check_cooldown(case, &policy, name, to > from);
                if !matches!(why, Reason::OutOfRange { .. }) {
                    if to > from {
                        case.check_seen(policy.stale_after, service, name);
                    } else {
                        case.check_measured(policy.stale_after, service, name);
                    }
                    if to < from {
                        case.check_well(service, name);
                        self.check_kills(case, name);
                    }
                }
            }
        }
        self.scalings.book.push(Scaling { at: case.now, service: name.clone(), from, to });
        if let Some(policy) = self.scalings.policies.get(name).filter(|_| to > from) {
            self.check_pool(case, (policy.overcommit_cpu, policy.overcommit_memory), action);
        }
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

/// Whether a service has a limit of this kind.
fn has(service: &ServiceSeen, limit: Limit) -> bool {
    Amount::seen(service, limit).is_some_and(|limit| limit.number() > 0)
}

impl Case<'_> {
    /// Somebody measured something lately: an instance, or its requests.
    fn check_seen(&mut self, stale_after: Span, service: &ServiceSeen, name: &ServiceName) {
        let now = self.now;
        let is_fresh = |at: Instant| at <= now && at.plus(stale_after) >= now;
        let instances = service.instances.iter().filter_map(|instance| instance.usage);
        let known = instances.map(|usage| usage.at).chain(service.traffic.map(|traffic| traffic.at)).any(is_fresh);
        if !known {
            self.report(Rule::Data, name, "nothing of it was measured lately".to_owned());
        }
    }

    /// The number itself: it starts from what is there, goes somewhere, by a step, within its range, and for a reason.
    fn check_number(
        &mut self,
        policy: &Horizontal,
        service: &ServiceSeen,
        name: &ServiceName,
        (from, to, why): (u32, u32, &Reason),
    ) {
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
        let (least, most) = policy.range(self.now);
        let within = (least..=most).contains(&to);
        let towards = from < to && to < least;
        if !within && !towards {
            self.report(Rule::Bounds, name, format!("it would have {to} instances; its range is {least} to {most}"));
        }
        let up = to > from;
        let (step, mended) = (if up { policy.step_up } else { policy.step_down }, is_mended(why, from, least, most));
        if from.abs_diff(to) > step.max(1) && !mended {
            self.report(Rule::Step, name, format!("it goes from {from} to {to} instances; a step is {step}"));
        }
        if !mended && !fits(why, from, up) {
            let text = format!("{why:?} is no reason to go from {from} to {to} instances");
            self.report(Rule::Reason, name, text);
        }
    }
}

/// Whether the number is brought into its range, and was outside.
fn is_mended(why: &Reason, from: u32, least: u32, most: u32) -> bool {
    matches!(why, Reason::OutOfRange { seen, .. } if *seen == from) && !(least..=most).contains(&from)
}

/// Whether the figures of a reason say what the action does.
fn fits(why: &Reason, from: u32, up: bool) -> bool {
    match why {
        Reason::Beyond { above, findings } => {
            let beyond = findings.iter().all(|finding| {
                let (seen, bound) = (finding.seen.number(), finding.bound.number());
                if up { seen > bound } else { seen < bound }
            });
            *above == up && !findings.is_empty() && beyond
        }
        Reason::Points { above, points, enough, .. } => *above == up && points >= enough,
        Reason::Weighted { above, score, bound, .. } => *above == up && if up { score > bound } else { score < bound },
        Reason::Ahead { wanted, .. } => up && *wanted > from,
        Reason::Wanted { wanted, .. } => {
            if up {
                *wanted > from
            } else {
                *wanted < from
            }
        }
        Reason::AboveThreshold { .. }
        | Reason::BelowThreshold { .. }
        | Reason::GivenBack { .. }
        | Reason::Sized { .. }
        | Reason::OutOfRange { .. } => false,
    }
}
