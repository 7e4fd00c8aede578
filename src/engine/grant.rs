//! What the host allows of what its services wish. Before you change it:
//! 1. The neediest comes first: more before less, and the farther beyond its threshold the sooner. Names decide last.
//! 2. What one service gives up is not given to another at the same look: it counts as free once the host shows it so.
//! 3. A service without a limit promises nothing, so it counts for nothing.

use super::vertical::Watched;
use super::wish::Wish;
use super::wish::grain;
use super::wish::is_worthwhile;
use crate::model::Decision;
use crate::model::Guard;
use crate::model::Held;
use crate::model::Observation;
use crate::model::Resource;
use crate::model::ServiceName;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Span;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::VecDeque;

/// At most so many limits are changed on a host ...
const OPERATIONS_MAX: usize = 10;
/// ... within this time, over all services: a mistake that hits all of them at once cannot run faster than this.
const OPERATIONS_WITHIN: Span = Span::from_mins(5);

/// When limits were changed, oldest first; nothing older than [`OPERATIONS_WITHIN`].
#[derive(Debug, Clone, Default)]
pub(super) struct Operations(VecDeque<Instant>);

impl Operations {
    /// The guard that holds another operation back, if one does.
    fn full(&mut self, now: Instant) -> Option<Guard> {
        while self.0.front().is_some_and(|first| now.since(*first) >= OPERATIONS_WITHIN) {
            self.0.pop_front();
        }
        let first = self.0.front().filter(|_| self.0.len() >= OPERATIONS_MAX)?;
        let used = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        Some(Guard::RateLimit { used, left: OPERATIONS_WITHIN.minus(now.since(*first)) })
    }
}

/// All limits of all instances together.
struct Promised {
    cpu: u64,
    memory: u64,
}

impl Promised {
    fn of(now: Instant, seen: &Observation, watched: &BTreeMap<ServiceName, Watched>) -> Self {
        let mut sum = Self { cpu: 0, memory: 0 };
        for (name, service) in &seen.services {
            let instances = service.instances.len() as u64;
            let (cpu, memory) = match watched.get(name) {
                Some(watched) => (watched.promised(now, Resource::Cpu), watched.promised(now, Resource::Memory)),
                None => (service.limits.cpu.map_or(0, Millicores::get), service.limits.memory.map_or(0, Bytes::get)),
            };
            sum.cpu = sum.cpu.saturating_add(cpu.saturating_mul(instances));
            sum.memory = sum.memory.saturating_add(memory.saturating_mul(instances));
        }
        sum
    }

    const fn all(&mut self, resource: Resource) -> &mut u64 {
        match resource {
            Resource::Cpu => &mut self.cpu,
            Resource::Memory => &mut self.memory,
        }
    }
}

/// Turns wishes into actions as far as the host allows, and says what it does not.
pub(super) fn grant(
    now: Instant,
    seen: &Observation,
    mut wishes: Vec<Wish>,
    watched: &mut BTreeMap<ServiceName, Watched>,
    operations: &mut Operations,
    decision: &mut Decision,
) {
    wishes.sort_by(|a, b| urgency(a).cmp(&urgency(b)));
    let mut promised = Promised::of(now, seen, watched);
    for mut wish in wishes {
        let Some(service) = watched.get_mut(&wish.service) else { continue };
        let mut hold = |wish: &Wish, guard| {
            let (service, resource, wanted) = (wish.service.clone(), Some(wish.resource), Some(wish.why.clone()));
            decision.held.push(Held { service, resource, wanted, guard });
        };
        if let Some(guard) = operations.full(now) {
            hold(&wish, guard);
            continue;
        }
        if wish.to > wish.from {
            let allowed = match wish.resource {
                Resource::Cpu => seen.host.pool_cpu.scaled(service.policy.overcommit_cpu.get(), 1000).get(),
                Resource::Memory => seen.host.pool_memory.scaled(service.policy.overcommit_memory.get(), 1000).get(),
            };
            let promised = promised.all(wish.resource);
            let wanted = (wish.to - wish.from).saturating_mul(wish.instances);
            let short = promised.saturating_add(wanted).saturating_sub(allowed);
            if short > 0 {
                hold(&wish, pool_guard(wish.resource, short));
                let each = allowed.saturating_sub(*promised).checked_div(wish.instances).unwrap_or(0);
                wish.to = wish.from.saturating_add(each) / grain(wish.resource) * grain(wish.resource);
                let least = match wish.resource {
                    Resource::Cpu => service.policy.cpu_min.get(),
                    Resource::Memory => service.policy.memory_min.get(),
                };
                if wish.to <= wish.from || wish.to < least || !is_worthwhile(wish.from, wish.to) {
                    continue;
                }
            }
            *promised = promised.saturating_add((wish.to - wish.from).saturating_mul(wish.instances));
        }
        service.note_adjustment(now, &wish);
        operations.0.push_back(now);
        decision.actions.push(wish.into_action());
    }
}

/// Sorts wishes: what is given back and what grows first, the highest usage first; then what shrinks, the lowest usage first.
fn urgency(wish: &Wish) -> (bool, Reverse<u64>, u64, &ServiceName, Resource) {
    let seen = wish.seen().get();
    let grows = wish.to > wish.from;
    (!grows, Reverse(if grows { seen } else { 0 }), seen, &wish.service, wish.resource)
}

const fn pool_guard(resource: Resource, short: u64) -> Guard {
    match resource {
        Resource::Cpu => Guard::CpuPool { short: Millicores::new(short) },
        Resource::Memory => Guard::MemoryPool { short: Bytes::new(short) },
    }
}
