//! Orders of people (register E8). Before you change it:
//! 1. An order wins over every policy: what they wish for the number of instances is held back while it is in force. It
//!    needs no figures and knows no range, no step and no cooldown.
//! 2. It passes no guard of the host: services that hold data, deployments that are on, the pool and the rate limit.
//! 3. A policy whose wish was held back is told nothing, so it believes nothing. What is ordered it sees, and its cooldowns
//!    begin anew.

use super::wish::Wish;
use crate::model::Guard;
use crate::model::Held;
use crate::model::Observation;
use crate::model::Override;
use crate::model::Reason;
use crate::model::Resource;
use crate::model::ServiceName;
use crate::units::Instant;

/// The orders that are in force.
pub(super) fn in_force(now: Instant, seen: &Observation) -> impl Iterator<Item = (&ServiceName, &Override)> {
    seen.overrides.iter().filter(move |(_, order)| order.lasts(now) && order.replicas > 0)
}

/// Puts orders in place of wishes.
pub(super) fn put_in_place(now: Instant, seen: &Observation, wishes: &mut Vec<Wish>, held: &mut Vec<Held>) {
    for (name, order) in in_force(now, seen) {
        let mut hold = |wanted, guard| {
            held.push(Held { service: name.clone(), resource: Some(Resource::Replicas), wanted, guard });
        };
        let Override { replicas, reason, until } = order.clone();
        let of_the_service = |wish: &mut Wish| wish.service == *name && wish.resource == Resource::Replicas;
        for wish in wishes.extract_if(.., of_the_service) {
            hold(Some(wish.why), Guard::Override { replicas, reason: reason.clone(), until });
        }
        let why = Reason::Override { replicas, reason, until };
        let Some(service) = seen.services.get(name) else {
            hold(Some(why), Guard::NoData);
            continue;
        };
        let there = service.instances.len() as u64;
        if there == u64::from(replicas) {
            continue;
        }
        if service.stateful || service.deploying {
            hold(Some(why), if service.stateful { Guard::Stateful } else { Guard::Deploying });
            continue;
        }
        let (service, to) = (name.clone(), u64::from(replicas));
        wishes.push(Wish { service, resource: Resource::Replicas, instances: there, from: there, to, why });
    }
}
