//! Drives the recommenders of limits of the field (`engine::reference`) from what the engine sees, one file each. Before you
//! change it:
//! 1. A driver translates: instances to pods and tasks, scrapes to samples, limits to requests. What is recommended is
//!    recommended by the original's algorithm. Docker has no requests, so what the original would request is the limit.
//! 2. A sample is taken at every look, once for each scrape; whether a limit is moved is asked at checks only.
//! 3. The engine's guards hold around them as around every rule.

mod autopilot;
mod krr;
mod vpa;

use crate::engine::history::History;
use crate::engine::measure;
use crate::engine::wish::Limit;
use crate::model::Guard;
use crate::model::HostSeen;
use crate::model::InstanceSeen;
use crate::model::ServiceSeen;
use crate::model::Sizing;
use crate::model::Usage;
use crate::model::Vertical;
use crate::units::Instant;
use crate::units::Span;
use std::collections::BTreeMap;

/// A recommender and what it remembers.
#[derive(Debug, Clone)]
pub(super) enum Sizer {
    Vpa(Box<vpa::Driver>),
    Krr(krr::Driver),
    Autopilot(Box<autopilot::Driver>),
}

/// What a limit should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Advice {
    pub(super) resource: Limit,
    /// In the limit's own unit, before any bounds of the engine.
    pub(super) wanted: u64,
    /// What it rests on, in plain words.
    pub(super) note: String,
    /// Why the original itself would wait, where it would.
    pub(super) waits: Option<Guard>,
}

/// Scrapes that were taken already, by instance.
#[derive(Debug, Clone, Default)]
struct Taken {
    last: BTreeMap<u32, Instant>,
}

impl Sizer {
    /// One that has seen nothing yet; `None` where thresholds decide.
    pub(super) fn new(policy: &Vertical) -> Option<Self> {
        match policy.sizing {
            Sizing::Thresholds => None,
            Sizing::Vpa { percentile, margin } => {
                Some(Self::Vpa(Box::new(vpa::Driver::new(policy, percentile, margin))))
            }
            Sizing::Krr { percentile, margin, points } => Some(Self::Krr(krr::Driver::new(percentile, margin, points))),
            Sizing::Autopilot { workload } => Some(Self::Autopilot(Box::new(autopilot::Driver::new(workload)))),
        }
    }

    /// Takes new measurements.
    pub(super) fn look(&mut self, now: Instant, service: &ServiceSeen, host: &HostSeen) {
        match self {
            Self::Vpa(driver) => driver.look(now, service, host),
            Self::Autopilot(driver) => driver.look(now, service, host),
            Self::Krr(_) => {}
        }
    }

    /// What the limits should be.
    ///
    /// # Errors
    /// Why nothing can be said yet.
    pub(super) fn advise(
        &mut self,
        now: Instant,
        service: &ServiceSeen,
        history: &History,
    ) -> Result<Vec<Advice>, Guard> {
        match self {
            Self::Vpa(driver) => driver.advise(now, service),
            Self::Krr(driver) => driver.advise(history),
            Self::Autopilot(driver) => driver.advise(),
        }
    }
}

impl Taken {
    /// The measurements that are new, no closer to each other than this; instances that are gone are forgotten.
    fn new_ones<'a>(
        &mut self,
        (now, each): (Instant, Span),
        service: &'a ServiceSeen,
        host: &HostSeen,
    ) -> Vec<(&'a InstanceSeen, Usage)> {
        self.last.retain(|number, _| service.instances.iter().any(|instance| instance.number == *number));
        let mut found = Vec::new();
        for instance in &service.instances {
            let Some(usage) = measure::believed(now, instance, service, host) else { continue };
            if self.last.get(&instance.number).is_none_or(|last| usage.at > *last && usage.at.since(*last) >= each) {
                self.last.insert(instance.number, usage.at);
                found.push((instance, usage));
            }
        }
        found
    }
}

/// Nothing can be said yet.
fn too_early(why: &str) -> Guard {
    Guard::OwnRule { why: why.to_owned() }
}
