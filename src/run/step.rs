//! The joint.

use crate::audit::Audit;
use crate::audit::Breach;
use crate::engine::Engine;
use crate::model::Decision;
use crate::model::Observation;
use crate::record::Event;
use crate::units::Instant;
use core::mem;

/// Decides, audits the decision and writes it down. Every loop calls this; nothing else decides. What was seen is lent, so that
/// the next look can use its memory.
///
/// # Errors
/// What is wrong with the decision, where the audit finds something. It is written down, so that the record shows it, and
/// must not be applied.
pub fn step(
    engine: &mut Engine,
    audit: &mut Audit,
    now: Instant,
    seen: &mut Observation,
    sink: &mut dyn FnMut(&Event),
) -> Result<Decision, Vec<Breach>> {
    let decision = engine.observe(now, seen);
    let breaches = audit.check(now, seen, &decision);
    let event = Event::Seen { at: now, observation: mem::take(seen) };
    sink(&event);
    if let Event::Seen { observation, .. } = event {
        *seen = observation;
    }
    sink(&Event::Decided { at: now, decision: decision.clone() });
    if breaches.is_empty() { Ok(decision) } else { Err(breaches) }
}
