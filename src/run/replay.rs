//! A record fed to the engine again: what was decided then, against what is decided now.

use super::simulate::is_engine_restart;
use crate::engine::Engine;
use crate::model::Decision;
use crate::record::Event;
use crate::units::Instant;

/// A look that would be answered otherwise today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// When.
    pub at: Instant,
    /// What the record says.
    pub recorded: Decision,
    /// What the engine says now.
    pub now: Decision,
}

/// What a replay found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Replayed {
    /// Looks that were compared.
    pub looks: u64,
    /// Those that differ, in order of time.
    pub differences: Vec<Difference>,
}

/// Why a record cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// There is nothing before the first observation that says what was run.
    #[error("the record does not begin with a header, so its policies are not known; record it again")]
    NoHeader,
    /// An answer without a question.
    #[error("the record has a decision at {0} without an observation before it; it is damaged, record it again")]
    Unasked(Instant),
}

/// Feeds the observations of a record to the engine again and compares its answers. An observation at the end without a
/// decision, as in a record that was cut short, is not compared.
///
/// # Errors
/// [`ReplayError`] where the record does not say what was run, or is out of order.
pub fn replay(events: impl IntoIterator<Item = Event>) -> Result<Replayed, ReplayError> {
    let mut events = events.into_iter();
    let Some(Event::Began(header)) = events.next() else { return Err(ReplayError::NoHeader) };
    let scenario = header.scenario;
    let mut engine = Engine::new(scenario.policies.clone());
    let mut answer = None;
    let mut replayed = Replayed::default();
    for event in events {
        match event {
            Event::Seen { at, observation } => answer = Some(engine.observe(at, &observation)),
            Event::Decided { at, decision: recorded } => {
                let now = answer.take().ok_or(ReplayError::Unasked(at))?;
                replayed.looks += 1;
                if now != recorded {
                    replayed.differences.push(Difference { at, recorded, now });
                }
            }
            Event::Happened { incident, .. } if is_engine_restart(&scenario, &incident) => {
                engine = Engine::new(scenario.policies.clone());
            }
            Event::Began(_) | Event::Happened { .. } | Event::Sampled(_) | Event::Ended { .. } => {}
        }
    }
    Ok(replayed)
}
