//! A host made of arithmetic. Before you change it:
//! 1. Time moves in fixed steps; between two steps nothing is looked at.
//! 2. All randomness comes from named streams of the seed; `exp`, `ln`, `pow` come from `libm`.
//! 3. What the engine sees goes through the sensors, never straight from the state.

pub mod oracle;
pub mod queueing;
pub mod response;

use crate::model::Action;
use crate::model::HostSample;
use crate::model::HostSeen;
use crate::model::Incident;
use crate::model::Observation;
use crate::model::Sample;
use crate::model::Scenario;
use crate::seed::Seed;
use crate::units::Instant;
use std::collections::BTreeMap;

/// A simulated host with its services.
pub struct World {
    now: Instant,
    sampled: Instant,
    host: HostSeen,
}

impl World {
    /// The host of a scenario at the start of a run.
    #[must_use]
    pub fn new(scenario: &Scenario, _seed: Seed) -> Self {
        let host = HostSeen { pool_cpu: scenario.host.pool_cpu(), pool_memory: scenario.host.pool_memory() };
        Self { now: Instant::START, sampled: Instant::START, host }
    }

    /// The time it is in the simulation.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Moves time forward to `to`, in steps of the scenario; does nothing where that is not later.
    pub fn advance(&mut self, to: Instant) {
        self.now = self.now.max(to);
    }

    /// What the sensors show the engine now.
    #[must_use]
    pub fn observe(&self) -> Observation {
        Observation { host: self.host, services: BTreeMap::new() }
    }

    /// Carries out actions, in order. What came of them is seen in later observations.
    pub fn apply(&mut self, _actions: &[Action]) {}

    /// The truth since the last sample.
    pub fn sample(&mut self) -> Sample {
        let span = self.now.since(self.sampled);
        self.sampled = self.now;
        Sample { at: self.now, span, host: HostSample::default(), services: Vec::new() }
    }

    /// What happened since the last call, in order.
    pub fn take_incidents(&mut self) -> Vec<(Instant, Incident)> {
        Vec::new()
    }

    /// Containers advanced by one step so far.
    #[must_use]
    pub const fn container_ticks(&self) -> u64 {
        0
    }
}
