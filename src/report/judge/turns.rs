//! Actions between two samples, and which of them turn an earlier one round.

use super::part::Who;
use crate::model::Action;
use crate::model::Decision;
use crate::model::Progress;
use crate::model::Resource;
use crate::model::Scenario;
use crate::model::ServiceName;
use std::collections::BTreeMap;

/// What was done to one service since the last sample.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    actions: u64,
    reversals: u64,
    deployments: u64,
    rollbacks: u64,
}

/// Actions and deployments since the last sample, by service.
#[derive(Debug, Default)]
pub(super) struct Acted {
    counts: Vec<Counts>,
    names: Vec<ServiceName>,
    last: BTreeMap<(ServiceName, Resource), Direction>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl Acted {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let names: Vec<_> = scenario.services.keys().cloned().collect();
        Self { counts: vec![Counts::default(); names.len()], names, last: BTreeMap::new() }
    }

    /// Counts the actions of a decision.
    pub(super) fn take(&mut self, decision: &Decision) {
        for action in &decision.actions {
            let Ok(place) = self.names.binary_search(action.service()) else { continue };
            self.counts[place].actions += 1;
            let direction = direction(action);
            let key = (action.service().clone(), action.resource());
            if self.last.insert(key, direction).is_some_and(|before| before != direction) {
                self.counts[place].reversals += 1;
            }
        }
    }

    /// Forgets the counts, not the directions: a turn is one against the action before it, however long ago.
    pub(super) fn clear(&mut self) {
        self.counts.fill(Counts::default());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts.iter().all(|counts| *counts == Counts::default())
    }

    pub(super) fn actions(&self, who: Who) -> u64 {
        self.sum(who, |counts| counts.actions)
    }

    pub(super) fn reversals(&self, who: Who) -> u64 {
        self.sum(who, |counts| counts.reversals)
    }

    /// Deployments that came to a good end.
    pub(super) fn deployments(&self, who: Who) -> u64 {
        self.sum(who, |counts| counts.deployments)
    }

    /// Deployments that were rolled back.
    pub(super) fn rollbacks(&self, who: Who) -> u64 {
        self.sum(who, |counts| counts.rollbacks)
    }

    /// Counts how a deployment ended.
    pub(super) fn take_progress(&mut self, service: &ServiceName, progress: &Progress) {
        let Ok(place) = self.names.binary_search(service) else { return };
        match progress {
            Progress::Done => self.counts[place].deployments += 1,
            Progress::RolledBack => self.counts[place].rollbacks += 1,
            _ => {}
        }
    }

    fn sum(&self, who: Who, each: fn(Counts) -> u64) -> u64 {
        match who {
            Who::One(place) => self.counts.get(place).copied().map_or(0, each),
            Who::Everybody => self.counts.iter().copied().map(each).sum(),
        }
    }
}

fn direction(action: &Action) -> Direction {
    if action.is_increase() { Direction::Up } else { Direction::Down }
}
