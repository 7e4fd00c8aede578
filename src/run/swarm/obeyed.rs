//! What must hold of orders of people, from the record alone. Before you change it:
//! 1. An order is in force where the engine was told of it; one for no instances is none.
//! 2. What is not carried out has to be explained at the same look, every time.

use super::judge::Violation;
use crate::model::Action;
use crate::model::Decision;
use crate::model::Observation;
use crate::model::Reason;
use crate::model::Resource;
use crate::model::ServiceName;
use crate::record::Event;
use crate::units::Instant;
use std::collections::BTreeMap;

/// Looks in a row at which the same may be asked for before it is there.
const ASKS_MAX: u32 = 3;

/// What is asked for, and at how many looks in a row.
type Asked<'a> = BTreeMap<&'a ServiceName, (u32, u32, u32)>;

/// The first order that was not obeyed, though nothing that was said forbade it.
#[must_use]
pub(super) fn judge(events: &[Event], calm: Instant) -> Option<Violation> {
    let mut told: Option<&Observation> = None;
    let mut asked = Asked::new();
    for event in events {
        match event {
            Event::Seen { observation, .. } => told = Some(observation),
            Event::Decided { at, decision } => {
                let found = told.and_then(|seen| looked(*at, seen, decision));
                if found.is_some() {
                    return found;
                }
                asked = again(&asked, decision);
                let vain = asked.iter().find(|(_, (_, _, looks))| *at >= calm && *looks > ASKS_MAX);
                if let Some((name, (from, to, looks))) = vain {
                    let what = format!("{name}: {from} to {to} is asked for at {looks} looks in a row");
                    return Some(Violation { rule: "what is ordered comes about", at: *at, what });
                }
            }
            _ => {}
        }
    }
    None
}

/// What is asked for because it is ordered, with the looks before at which it was the same.
fn again<'a>(before: &Asked<'a>, decision: &'a Decision) -> Asked<'a> {
    let count = |action: &'a Action| match action {
        Action::Scale { service, from, to, why: Reason::Override { .. } } => {
            let looks = before.get(service).filter(|(was, wanted, _)| (was, wanted) == (from, to));
            Some((service, (*from, *to, looks.map_or(1, |(_, _, looks)| looks + 1))))
        }
        _ => None,
    };
    decision.actions.iter().filter_map(count).collect()
}

/// One look: what is ordered is there, or asked for, or held back with a reason.
fn looked(at: Instant, seen: &Observation, decision: &Decision) -> Option<Violation> {
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
        if asked.is_none() && !held {
            let there = there.map_or("nobody knows how many".to_owned(), |there| there.to_string());
            return broken(
                "an order is carried out or explained",
                format!("{there}, and {} are ordered", order.replicas),
            );
        }
    }
    None
}
