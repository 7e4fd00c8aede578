//! What must hold of orders of people, from the record alone. Before you change it:
//! 1. An order is in force where the engine was told of it; one for no instances is none.
//! 2. What is not carried out has to be explained at the same look, every time.

use super::judge::Violation;
use crate::model::Action;
use crate::model::Decision;
use crate::model::Observation;
use crate::model::Resource;
use crate::record::Event;
use crate::units::Instant;

/// The first order that was not obeyed, though nothing that was said forbade it.
#[must_use]
pub(super) fn judge(events: &[Event], calm: Instant) -> Option<Violation> {
    let mut told: Option<&Observation> = None;
    for event in events {
        match event {
            Event::Seen { observation, .. } => told = Some(observation),
            Event::Decided { at, decision } => {
                let found = told.and_then(|seen| looked(*at, seen, decision, *at >= calm));
                if found.is_some() {
                    return found;
                }
            }
            _ => {}
        }
    }
    None
}

/// One look: what is ordered is there, or asked for, or held back with a reason. In the calm it is there, or held back.
fn looked(at: Instant, seen: &Observation, decision: &Decision, is_calm: bool) -> Option<Violation> {
    for (name, order) in seen.overrides.iter().filter(|(_, order)| order.lasts(at)) {
        let broken = |rule, what: String| Some(Violation { rule, at, what: format!("{name}: {what}") });
        let of_the_service = |action: &&Action| action.service() == name && action.resource() == Resource::Replicas;
        let asked = decision.actions.iter().find(of_the_service);
        if let Some(Action::Scale { from, to, .. }) = asked
            && to.abs_diff(order.replicas) >= from.abs_diff(order.replicas)
        {
            return broken(
                "nobody works against an order",
                format!("{from} to {to}, and {} are ordered", order.replicas),
            );
        }
        let there = seen.services.get(name).map(|service| service.instances.len() as u64);
        if there == Some(u64::from(order.replicas)) {
            continue;
        }
        let held = decision
            .held
            .iter()
            .any(|held| held.service == *name && held.resource.is_none_or(|resource| resource == Resource::Replicas));
        let asks = asked.is_some() && !is_calm;
        if !asks && !held {
            let there = there.map_or("nobody knows how many".to_owned(), |there| there.to_string());
            return broken(
                "an order is carried out or explained",
                format!("{there}, and {} are ordered", order.replicas),
            );
        }
    }
    None
}
