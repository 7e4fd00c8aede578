//! What the host allows of what its services wish. Before you change it:
//! 1. The neediest comes first: more before less, and the farther beyond its threshold the sooner. Names decide last.
//! 2. What one service gives up is not given to another at the same look: it counts as free once the host shows it so.
//! 3. A service without a limit promises nothing, so it counts for nothing.
//! 4. An instance that is asked for counts with its limits as if it were there.

use super::beside;
use super::watched::Watched;
use super::wish::Limit;
use super::wish::Wish;
use super::wish::grain;
use super::wish::is_worthwhile;
use crate::model::Decision;
use crate::model::Guard;
use crate::model::Observation;
use crate::model::Resource;
use crate::model::ServiceName;
use crate::model::ServiceSeen;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Span;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::VecDeque;

/// At most so many limits are changed on a host ...
const LIMITS_MAX: usize = 10;
/// ... and so often the number of instances of some service, which takes seconds and is undone as quickly ...
const SCALINGS_MAX: usize = 30;
/// ... within this time, over all services: a mistake that hits all of them at once cannot run faster than this.
const OPERATIONS_WITHIN: Span = Span::from_mins(5);

/// When limits, and when numbers of instances were changed, oldest first; nothing older than [`OPERATIONS_WITHIN`].
#[derive(Debug, Clone, Default)]
pub(super) struct Operations {
    limits: VecDeque<Instant>,
    scalings: VecDeque<Instant>,
}

impl Operations {
    fn of(&mut self, resource: Resource) -> (&mut VecDeque<Instant>, usize) {
        match resource {
            Resource::Cpu | Resource::Memory => (&mut self.limits, LIMITS_MAX),
            Resource::Replicas => (&mut self.scalings, SCALINGS_MAX),
        }
    }

    /// The guard that holds another operation back, if one does.
    fn full(&mut self, now: Instant, resource: Resource) -> Option<Guard> {
        let (times, most) = self.of(resource);
        while times.front().is_some_and(|first| now.since(*first) >= OPERATIONS_WITHIN) {
            times.pop_front();
        }
        let first = times.front().filter(|_| times.len() >= most)?;
        let used = u32::try_from(times.len()).unwrap_or(u32::MAX);
        Some(Guard::RateLimit { used, left: OPERATIONS_WITHIN.minus(now.since(*first)) })
    }
}

/// CPU in millicores and memory in bytes: what all limits of all instances promise, or what more of it is wanted.
#[derive(Debug, Clone, Copy, Default)]
struct Amounts {
    cpu: u64,
    memory: u64,
}

impl Amounts {
    /// What all services were promised.
    fn promised(now: Instant, seen: &Observation, watched: &BTreeMap<ServiceName, Watched>) -> Self {
        let mut sum = Self::default();
        for (_, service, watched) in beside(seen.services.iter(), watched) {
            let (each, instances) = match watched {
                Some(watched) => watched.promised(now, service),
                None => ((limit(service, Limit::Cpu), limit(service, Limit::Memory)), service.instances.len() as u64),
            };
            sum.cpu = sum.cpu.saturating_add(each.0.saturating_mul(instances));
            sum.memory = sum.memory.saturating_add(each.1.saturating_mul(instances));
        }
        sum
    }

    fn plus(self, more: More, count: u64) -> Self {
        let sum = |sum: u64, each: Option<u64>| sum.saturating_add(each.unwrap_or(0).saturating_mul(count));
        Self { cpu: sum(self.cpu, more.cpu), memory: sum(self.memory, more.memory) }
    }

    /// What is missing for so many units of a wish, where all together may be so much.
    fn missing(self, more: More, count: u64, allowed: Self) -> Option<Guard> {
        let all = self.plus(more, count);
        let (cpu, memory) = (all.cpu.saturating_sub(allowed.cpu), all.memory.saturating_sub(allowed.memory));
        if cpu > 0 && more.cpu.is_some() {
            Some(Guard::CpuPool { short: Millicores::new(cpu) })
        } else if memory > 0 && more.memory.is_some() {
            Some(Guard::MemoryPool { short: Bytes::new(memory) })
        } else {
            None
        }
    }
}

/// What one unit of a wish takes more: a millicore or a byte for each instance, or a whole instance. `None` where it is
/// no matter of that resource.
#[derive(Debug, Clone, Copy, Default)]
struct More {
    cpu: Option<u64>,
    memory: Option<u64>,
}

impl More {
    /// `instances` are those that there are or were asked for, and `limits` what each of them was promised.
    fn of(wish: &Wish, limits: (u64, u64), instances: u64) -> Self {
        let each = |limit: u64| Some(limit).filter(|limit| *limit > 0);
        match wish.resource {
            Resource::Cpu => Self { cpu: Some(instances), memory: None },
            Resource::Memory => Self { cpu: None, memory: Some(instances) },
            Resource::Replicas => Self { cpu: each(limits.0), memory: each(limits.1) },
        }
    }

    /// How many units fit beside what is promised; none where a unit takes nothing.
    fn fit(self, promised: Amounts, allowed: Amounts) -> u64 {
        let fit = |each: Option<u64>, free: u64| each.map(|each| free.checked_div(each).unwrap_or(0));
        let cpu = fit(self.cpu, allowed.cpu.saturating_sub(promised.cpu));
        let memory = fit(self.memory, allowed.memory.saturating_sub(promised.memory));
        cpu.into_iter().chain(memory).min().unwrap_or(0)
    }
}

/// A limit as the host shows it; zero where there is none.
pub(super) fn limit(service: &ServiceSeen, which: Limit) -> u64 {
    match which {
        Limit::Cpu => service.limits.cpu.map_or(0, Millicores::get),
        Limit::Memory => service.limits.memory.map_or(0, Bytes::get),
    }
}

/// Turns wishes into actions as far as the host allows, and says what it does not.
pub(super) fn grant(
    now: Instant,
    seen: &Observation,
    wishes: Vec<Wish>,
    watched: &mut BTreeMap<ServiceName, Watched>,
    operations: &mut Operations,
    decision: &mut Decision,
) {
    let mut wishes: Vec<(Urgency, Wish)> = wishes.into_iter().map(|wish| (urgency(&wish), wish)).collect();
    wishes.sort_by(|(first, a), (second, b)| {
        first.cmp(second).then_with(|| (&a.service, a.resource).cmp(&(&b.service, b.resource)))
    });
    let mut promised = Amounts::promised(now, seen, watched);
    for (_, mut wish) in wishes {
        if let Some(guard) = operations.full(now, wish.resource) {
            decision.held.push(wish.into_held(guard));
            continue;
        }
        let Some(service) = watched.get_mut(&wish.service) else { continue };
        if wish.to > wish.from {
            let (cpu, memory) = service.overcommit(wish.resource);
            let allowed = Amounts {
                cpu: seen.host.pool_cpu.scaled(cpu.get(), 1000).get(),
                memory: seen.host.pool_memory.scaled(memory.get(), 1000).get(),
            };
            let there = seen.services.get(&wish.service).map(|seen| service.promised(now, seen));
            let (limits, instances) = there.unwrap_or_default();
            let more = More::of(&wish, limits, instances);
            if let Some(guard) = promised.missing(more, wish.to - wish.from, allowed) {
                decision.held.push(wish.clone().into_held(guard));
                let grain = grain(wish.resource);
                wish.to = wish.from.saturating_add(more.fit(promised, allowed)).min(wish.to) / grain * grain;
                let worthwhile = wish.resource == Resource::Replicas || is_worthwhile(wish.from, wish.to);
                if wish.to <= wish.from || wish.to < service.least(wish.resource) || !worthwhile {
                    continue;
                }
            }
            promised = promised.plus(more, wish.to - wish.from);
        }
        service.note(now, &wish);
        operations.of(wish.resource).0.push_back(now);
        decision.actions.push(wish.into_action());
    }
}

/// Whether it shrinks; then, of what grows, how far above its bound it is, the farthest first; then how far it is.
type Urgency = (bool, Reverse<u64>, u64);

/// Sorts wishes: what is given back and what grows first, who is farthest above its bound before others; then what shrinks,
/// who is farthest below its bound before others.
fn urgency(wish: &Wish) -> Urgency {
    let seen = wish.of_bound().get();
    let grows = wish.to > wish.from;
    (!grows, Reverse(if grows { seen } else { 0 }), seen)
}
