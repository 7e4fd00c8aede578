//! The joint.

use crate::audit::Audit;
use crate::audit::Breach;
use crate::engine::Engine;
use crate::model::Decision;
use crate::model::Observation;
use crate::record::Event;
use crate::units::Instant;

/// Decides, audits the decision and writes it down. Every loop calls this; nothing else decides.
///
/// # Errors
/// What is wrong with the decision, where the audit finds something. It is written down, so that the record shows it, and
/// must not be applied.
pub fn step(
    engine: &mut Engine,
    audit: &mut Audit,
    now: Instant,
    seen: Observation,
    sink: &mut dyn FnMut(&Event),
) -> Result<Decision, Vec<Breach>> {
    let decision = engine.observe(now, &seen);
    let breaches = audit.check(now, &seen, &decision);
    sink(&Event::Seen { at: now, observation: seen });
    sink(&Event::Decided { at: now, decision: decision.clone() });
    if breaches.is_empty() { Ok(decision) } else { Err(breaches) }
}
