//! Drives the policies of the field (`engine::reference`) from what the engine sees, one file each. Before you change it:
//! 1. A driver translates: instances to pods and tasks, a look to a sample or a data point, an answer to a verdict. What is
//!    decided is decided by the original's algorithm, with its own cooldowns, tolerances and limits.
//! 2. The engine's guards hold around them as around every rule. What a driver was not allowed to do it must not believe
//!    to have done: it is told by `applied` what was granted.
//! 3. A figure that nobody measures is missing data to them, in their own sense of it.

mod autopilot;
mod aws;
mod hpa;
mod kpa;
mod nomad;

use super::Readings;
use super::Verdict;
use crate::model::Finding;
use crate::model::Horizontal;
use crate::model::Limits;
use crate::model::Quantity;
use crate::model::Reason;
use crate::model::Reference;
use crate::model::ServiceSeen;
use crate::model::Signal;
use crate::model::Target;
use crate::units::Instant;
use crate::units::Span;

/// What a driver looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) now: Instant,
    pub(super) service: &'a ServiceSeen,
    /// The figures of those instances that were measured.
    pub(super) readings: &'a Readings,
    /// What shares are of.
    pub(super) limits: Limits,
    /// Instances there are.
    pub(super) replicas: u32,
    /// Instances that are up and well.
    pub(super) ready: u32,
    pub(super) policy: &'a Horizontal,
}

/// A policy of the field and what it remembers.
#[derive(Debug, Clone)]
pub(super) enum Driver {
    Hpa(Box<hpa::Driver>),
    Kpa(Box<kpa::Driver>),
    TargetTracking(Box<aws::Tracking>),
    StepScaling(Box<aws::Steps>),
    Autopilot(Box<autopilot::Driver>),
    Nomad(Box<nomad::Driver>),
}

impl Driver {
    /// One that has seen nothing yet.
    pub(super) fn new(reference: &Reference, policy: &Horizontal) -> Self {
        match reference {
            Reference::Hpa(figures) => Self::Hpa(Box::new(hpa::Driver::new(figures, policy))),
            Reference::Kpa(figures) => Self::Kpa(Box::new(kpa::Driver::new(*figures))),
            Reference::TargetTracking(figures) => Self::TargetTracking(Box::new(aws::Tracking::new(figures, policy))),
            Reference::StepScaling(figures) => Self::StepScaling(Box::new(aws::Steps::new(figures, policy))),
            Reference::Autopilot(figures) => Self::Autopilot(Box::new(autopilot::Driver::new(*figures))),
            Reference::NomadTargetValue(figures) => Self::Nomad(Box::new(nomad::Driver::target(figures, policy))),
            Reference::NomadThreshold(figures) => Self::Nomad(Box::new(nomad::Driver::threshold(figures, policy))),
        }
    }

    /// Looks at the service once.
    pub(super) fn judge(&mut self, look: &Look<'_>) -> Verdict {
        match self {
            Self::Hpa(driver) => driver.judge(look),
            Self::Kpa(driver) => driver.judge(look),
            Self::TargetTracking(driver) => driver.judge(look),
            Self::StepScaling(driver) => driver.judge(look),
            Self::Autopilot(driver) => driver.judge(look),
            Self::Nomad(driver) => driver.judge(look),
        }
    }

    /// What it wanted is being carried out, as far as the guards let it: so many instances in place of so many.
    pub(super) fn applied(&mut self, now: Instant, from: u32, to: u32) {
        match self {
            Self::Hpa(driver) => driver.applied(now, to),
            Self::TargetTracking(driver) => driver.applied(now, from, to),
            Self::StepScaling(driver) => driver.applied(now, from, to),
            Self::Nomad(driver) => driver.applied(now),
            Self::Kpa(_) | Self::Autopilot(_) => {}
        }
    }
}

/// A figure as the field counts it: percent, milliseconds, requests, requests per second; of each instance where a target
/// is. `None` where nobody measures it.
fn metric(readings: &Readings, target: Target) -> Option<f64> {
    readings.of_signal(target.signal).map(|seen| number(each(seen, target.signal, readings.replicas)))
}

/// What falls to each instance, where a target is of each.
fn each(seen: Quantity, signal: Signal, replicas: u32) -> Quantity {
    let share = |number: u64| number / u64::from(replicas.max(1));
    match (seen, signal) {
        (Quantity::Number(number), Signal::Queue | Signal::Custom(_)) => Quantity::Number(share(number)),
        (Quantity::Rate(number), Signal::Requests) => Quantity::Rate(share(number)),
        (seen, _) => seen,
    }
}

/// A figure in the unit that the field counts it in.
fn number(quantity: Quantity) -> f64 {
    let number = quantity.number() as f64;
    match quantity {
        Quantity::Share(_) => number / 1e4,
        Quantity::Time(_) | Quantity::Rate(_) => number / 1e6,
        Quantity::Number(_) => number / 1e3,
        Quantity::Cpu(_) | Quantity::Memory(_) | Quantity::Temperature(_) | Quantity::Money(_) => number,
    }
}

/// A figure in thousandths of the unit that the field counts it in, rounded down.
fn whole_milli(quantity: Quantity) -> u64 {
    match quantity {
        Quantity::Share(millionths) => millionths / 10,
        Quantity::Time(span) => span.nanos() / 1000,
        Quantity::Rate(millionths) => millionths / 1000,
        other => other.number(),
    }
}

/// The figures beside their targets, as a reason shows them.
fn findings(readings: &Readings, targets: &[Target]) -> Vec<Finding> {
    let finding = |target: &Target| {
        let seen = each(readings.of_signal(target.signal)?, target.signal, readings.replicas);
        Some(Finding { signal: target.signal, seen, bound: target.value, lasts: Span::ZERO })
    };
    targets.iter().filter_map(finding).collect()
}

/// The reason of a policy of the field.
fn wants(policy: &str, wanted: u32, findings: Vec<Finding>, note: &str) -> Reason {
    Reason::Wanted { policy: policy.to_owned(), wanted, findings, note: note.to_owned() }
}
