//! Actions between two samples, and which of them turn an earlier one round.

use super::part::Who;
use crate::model::Action;
use crate::model::Decision;
use crate::model::Resource;
use crate::model::Scenario;
use crate::model::ServiceName;
use std::collections::BTreeMap;

/// Actions since the last sample, by service.
#[derive(Debug, Default)]
pub(super) struct Acted {
    counts: Vec<(u64, u64)>,
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
        Self { counts: vec![(0, 0); names.len()], names, last: BTreeMap::new() }
    }

    /// Counts the actions of a decision.
    pub(super) fn take(&mut self, decision: &Decision) {
        for action in &decision.actions {
            let Ok(place) = self.names.binary_search(action.service()) else { continue };
            self.counts[place].0 += 1;
            let direction = direction(action);
            let key = (action.service().clone(), action.resource());
            if self.last.insert(key, direction).is_some_and(|before| before != direction) {
                self.counts[place].1 += 1;
            }
        }
    }

    /// Forgets the counts, not the directions: a turn is one against the action before it, however long ago.
    pub(super) fn clear(&mut self) {
        self.counts.fill((0, 0));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts.iter().all(|(actions, _)| *actions == 0)
    }

    pub(super) fn actions(&self, who: Who) -> u64 {
        self.sum(who, |(actions, _)| actions)
    }

    pub(super) fn reversals(&self, who: Who) -> u64 {
        self.sum(who, |(_, reversals)| reversals)
    }

    fn sum(&self, who: Who, each: fn((u64, u64)) -> u64) -> u64 {
        match who {
            Who::One(place) => self.counts.get(place).copied().map_or(0, each),
            Who::Everybody => self.counts.iter().copied().map(each).sum(),
        }
    }
}

fn direction(action: &Action) -> Direction {
    if action.is_increase() { Direction::Up } else { Direction::Down }
}
