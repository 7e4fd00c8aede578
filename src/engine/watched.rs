//! A service and its policies: one that moves limits, one that changes the number of instances, or both. Before you change
//! it:
//! 1. Each policy looks at every observation, whether its own check is due or not.
//! 2. Both together must not fight over CPU: the number of instances comes first. The CPU limit of each is raised only where
//!    there can be no more of them, and then comes back, but never below what somebody else set: a night must not take what
//!    the number needs in the morning. A whole window passes after the number changed. Memory is no matter of numbers: its
//!    limit follows what an instance holds.
//! 3. Where the number answers not to CPU but to what too little of it does (queues, slow answers, errors), limits rise as
//!    they like, and do not fall below what somebody else set either: the number would come and go for want of it.
//! 4. What is given back after deaths is not held. Nor is anything where the number answers to none of these: of a service that
//!    holds data, or by a rule that looks at none.

use super::distress::Distress;
use super::grant;
use super::history::History;
use super::history::Used;
use super::horizontal;
use super::vertical;
use super::vertical::SETTLE;
use super::wish::Limit;
use super::wish::Wish;
use crate::model::Guard;
use crate::model::Held;
use crate::model::Observation;
use crate::model::Policy;
use crate::model::Reason;
use crate::model::Resource;
use crate::model::Scaling;
use crate::model::ServiceName;
use crate::model::ServiceSeen;
use crate::model::Signal;
use crate::model::UsagePoint;
use crate::units::Instant;
use crate::units::Permille;

/// A service with at least one policy, and what the engine remembers about it; without any where somebody ordered its number
/// of instances.
#[derive(Debug, Clone, Default)]
pub(super) struct Watched {
    vertical: Option<vertical::Watched>,
    horizontal: Option<horizontal::Watched>,
    /// The number of instances that was granted last, by a policy or by an order, and when.
    granted: Option<(Instant, u64)>,
    history: History,
}

impl Watched {
    /// A service nobody has looked at yet; `None` where its policy leaves it as it is.
    pub(super) fn new(policy: &Policy) -> Option<Self> {
        let vertical = policy.vertical().map(|policy| vertical::Watched::new(*policy));
        let horizontal = policy.horizontal().cloned().map(|mut policy| {
            if let Scaling::Reference(reference) = &mut policy.scaling
                && vertical.is_some()
            {
                *reference = reference.clone().beside_limits();
            }
            horizontal::Watched::new(policy)
        });
        (vertical.is_some() || horizontal.is_some()).then(|| Self { vertical, horizontal, ..Self::default() })
    }

    /// When it was last checked, by either policy.
    pub(super) fn checked(&self) -> Option<Instant> {
        let vertical = self.vertical.as_ref().and_then(vertical::Watched::checked);
        vertical.max(self.horizontal.as_ref().and_then(horizontal::Watched::checked))
    }

    /// What it used in the last day.
    pub(super) fn history(&self) -> impl Iterator<Item = UsagePoint> {
        self.history.points()
    }

    /// Looks at the service, and judges it where a check is due.
    pub(super) fn look(
        &mut self,
        now: Instant,
        name: &ServiceName,
        (service, seen): (Option<&ServiceSeen>, &Observation),
        distress: Option<Distress<'_>>,
        wishes: &mut Vec<Wish>,
        held: &mut Vec<Held>,
    ) {
        let host = &seen.host;
        let ordered = seen.overrides.get(name).is_some_and(|order| order.lasts(now));
        if let Some(service) = service {
            self.history.take(now, Used::of(now, service, host));
        }
        if let Some(horizontal) = &mut self.horizontal {
            horizontal.look(now, service, self.vertical.is_some());
            if horizontal.take_due_check(now) {
                horizontal.check(now, name, (service, seen), distress, wishes, held);
            }
        }
        let Some(vertical) = &mut self.vertical else { return };
        vertical.look(now, service, host);
        if !vertical.take_due_check(now) {
            return;
        }
        let first = wishes.len();
        // What its horizontal policy wishes for at this look stands last.
        let wished = wishes.last().is_some_and(|wish| wish.service == *name);
        vertical.check(now, name, (service, host, &self.history), distress, wishes, held);
        let feels = |of| matches!(of, Signal::Cpu | Signal::Queue | Signal::Latency | Signal::Errors);
        let Some(horizontal) = self.horizontal.as_ref().filter(|one| one.policy.looks_at(feels)) else { return };
        if service.is_some_and(|service| service.stateful) {
            return;
        }
        let answers = horizontal.policy.looks_at(|of| of == Signal::Cpu);
        let recent =
            wished && !ordered || horizontal.changed().is_some_and(|at| now.since(at) < vertical.policy.window);
        let is_of_cpu = |wish: &Wish| wish.resource == Resource::Cpu && !matches!(wish.why, Reason::GivenBack { .. });
        for wish in wishes[first..].iter_mut().filter(|wish| is_of_cpu(wish) && wish.to < wish.from) {
            wish.to = wish.to.max(horizontal.reference()).min(wish.from);
        }
        let comes_first = |wish: &Wish| {
            let grows = wish.to > wish.from && !ordered && horizontal.can_grow(now, wish.instances);
            is_of_cpu(wish) && (wish.to == wish.from || answers && (recent || grows))
        };
        let second = wishes.extract_if(first.., |wish| comes_first(wish));
        held.extend(second.map(|wish| wish.into_held(Guard::Horizontal)));
    }

    /// What an instance was promised of CPU and memory, and how many there are or were asked for.
    pub(super) fn promised(&self, now: Instant, seen: &ServiceSeen) -> ((u64, u64), u64) {
        let instances = seen.instances.len() as u64;
        let each = |which| match &self.vertical {
            Some(vertical) => vertical.promised(now, which),
            None => grant::limit(seen, which),
        };
        ((each(Limit::Cpu), each(Limit::Memory)), instances.max(self.granted(now)))
    }

    /// The largest number of instances granted a short time ago, zero where there is none.
    fn granted(&self, now: Instant) -> u64 {
        self.granted.filter(|(at, _)| now.since(*at) < SETTLE).map_or(0, |(_, to)| to)
    }

    /// How often the pool may be promised in CPU and in memory, by the policy that changes this.
    pub(super) fn overcommit(&self, resource: Resource) -> (Permille, Permille) {
        let vertical = self.vertical.as_ref().map(|of| (of.policy.overcommit_cpu, of.policy.overcommit_memory));
        let horizontal = self.horizontal.as_ref().map(|of| (of.policy.overcommit_cpu, of.policy.overcommit_memory));
        let both = match resource {
            Resource::Cpu | Resource::Memory => vertical.or(horizontal),
            Resource::Replicas => horizontal.or(vertical),
        };
        both.unwrap_or((Permille::ONE, Permille::ONE))
    }

    /// The least that a limit may be, or that there may be of instances.
    pub(super) fn least(&self, resource: Resource) -> u64 {
        let vertical = self.vertical.as_ref().map(|of| &of.policy);
        match resource {
            Resource::Cpu => vertical.map_or(0, |policy| policy.cpu_min.get()),
            Resource::Memory => vertical.map_or(0, |policy| policy.memory_min.get()),
            Resource::Replicas => 0,
        }
    }

    /// Takes note that a wish is carried out.
    pub(super) fn note(&mut self, now: Instant, wish: &Wish) {
        match wish.resource {
            Resource::Cpu | Resource::Memory => {
                if let Some(vertical) = &mut self.vertical {
                    vertical.note_adjustment(now, wish);
                }
                if let Some(horizontal) = self.horizontal.as_mut().filter(|_| wish.resource == Resource::Cpu) {
                    horizontal.note_limit(wish.to);
                }
            }
            Resource::Replicas => {
                self.granted = Some((now, wish.to.max(self.granted(now))));
                if let Some(horizontal) = &mut self.horizontal {
                    horizontal.note(now, wish);
                }
            }
        }
    }
}
