//! The engine decides; it never acts. Before you change it:
//! 1. It is told everything: the time, the observation, the policies.
//! 2. Same inputs in the same order give the same decisions, byte for byte: no clock, no I/O, no randomness, and floats only
//!    inside `reference` and forecasts, which work in them.
//! 3. What it is told may be stale or absurd; a decision must be safe even then.
//! 4. Every check of a service ends in an action, in something held, or in silence because all is well.

mod allocation;
mod distress;
pub mod forecast;
mod grant;
mod history;
pub mod horizontal;
mod manual;
mod measure;
pub mod reference;
mod rollout;
mod score;
mod taken;
mod vertical;
mod watched;
mod wish;

pub use allocation::allocate;
pub use rollout::Answer;
pub use rollout::Rollout;
pub use score::score;

use crate::model::Decision;
use crate::model::Observation;
use crate::model::Policy;
use crate::model::ServiceName;
use crate::model::UsagePoint;
use crate::units::Instant;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Decides what to change on one host. A state machine: it remembers what it saw and did, and nothing else moves it.
#[derive(Debug, Clone)]
pub struct Engine {
    watched: BTreeMap<ServiceName, watched::Watched>,
    operations: grant::Operations,
    kills: distress::Kills,
}

impl Engine {
    /// An engine that has seen nothing yet. Services without a policy are left as they are.
    #[must_use]
    pub fn new(policies: BTreeMap<ServiceName, Policy>) -> Self {
        let watched = policies.into_iter().filter_map(|(name, policy)| Some((name, watched::Watched::new(&policy)?)));
        Self { watched: watched.collect(), operations: grant::Operations::default(), kills: distress::Kills::default() }
    }

    /// Looks at the host once and answers what to do now.
    ///
    /// It may look as often as it likes: a service is judged only when its check is due. What came of an action is
    /// learned from the limits of later observations, never from an answer.
    pub fn observe(&mut self, now: Instant, seen: &Observation) -> Decision {
        let mut decision = Decision::default();
        let mut wishes = Vec::new();
        self.kills.look(now, seen);
        let distress = self.kills.distress();
        for (name, _) in manual::in_force(now, seen) {
            self.watched.entry(name.clone()).or_default();
        }
        for (name, watched, service) in beside(self.watched.iter_mut(), &seen.services) {
            watched.look(now, name, (service, seen), distress, &mut wishes, &mut decision.held);
        }
        manual::put_in_place(now, seen, &mut wishes, &mut decision.held);
        if !wishes.is_empty() {
            grant::grant(now, seen, wishes, &mut self.watched, &mut self.operations, &mut decision);
        }
        decision.held.sort_by(|a, b| (&a.service, a.resource).cmp(&(&b.service, b.resource)));
        decision
    }

    /// When a service was last checked; `None` where that has not happened or it has no policy.
    #[must_use]
    pub fn checked(&self, service: &ServiceName) -> Option<Instant> {
        self.watched.get(service).and_then(watched::Watched::checked)
    }

    /// What a service used in the last 24 hours, in points of five minutes, oldest first (register M4). Five minutes in
    /// which nobody measured are left out; a service without a policy is not remembered.
    pub fn history(&self, service: &ServiceName) -> impl Iterator<Item = UsagePoint> {
        self.watched.get(service).into_iter().flat_map(watched::Watched::history)
    }
}

/// What is known of services, in the order of their names, each beside what another map has of it. Both are gone through
/// once: to look each name up takes several times as long.
fn beside<'a, A, B>(
    services: impl Iterator<Item = (&'a ServiceName, A)>,
    other: &'a BTreeMap<ServiceName, B>,
) -> impl Iterator<Item = (&'a ServiceName, A, Option<&'a B>)> {
    let mut others = other.iter().peekable();
    services.map(move |(name, one)| {
        while let Some((found, of_it)) = others.peek().copied() {
            match found.cmp(name) {
                Ordering::Less => others.next(),
                Ordering::Equal => return (name, one, Some(of_it)),
                Ordering::Greater => break,
            };
        }
        (name, one, None)
    })
}
