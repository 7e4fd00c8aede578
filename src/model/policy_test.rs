//! A policy without a host: series in, decisions out.

use super::Limits;
use super::MetricName;
use super::Policy;
use super::Quantity;
use super::ServiceName;
use super::Signal;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;
use std::collections::BTreeMap;

/// Cases for a set of policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyTest {
    /// What a person calls it: the file's name where it says nothing.
    pub name: String,
    /// The host's pool.
    pub pool: Limits,
    /// The services the policies are for.
    pub services: BTreeMap<ServiceName, PolicySubject>,
    /// Time between two values of a series, and between two looks of the engine.
    pub step: Span,
    /// The cases; each starts from the beginning.
    pub cases: Vec<PolicyCase>,
}

/// A service as a policy test describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySubject {
    /// Its policy.
    pub policy: Policy,
    /// Its limits at the start.
    pub limits: Limits,
    /// Its instances at the start.
    pub instances: u32,
    /// Holds data.
    pub stateful: bool,
}

/// One case: what is measured, and what must come of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyCase {
    /// Its name.
    pub name: String,
    /// Series by service and figure, one value a step. A series that ends goes on without values.
    pub given: BTreeMap<(ServiceName, Signal), Vec<Option<Given>>>,
    /// Series of metrics of the business, which are of no service.
    pub metrics: BTreeMap<MetricName, Vec<Option<Given>>>,
    /// What must hold, in order of time.
    pub expect: Vec<PolicyCheck>,
}

/// One measured value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// Of the limit in force.
    OfLimit(Permille),
    /// Cores.
    Cpu(Millicores),
    /// Working set.
    Memory(Bytes),
    /// A figure of the requests, or of the business.
    Figure(Quantity),
}

/// What must hold at a moment of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyCheck {
    /// When; `None` is the end of the longest series.
    pub at: Option<Instant>,
    /// What, each with the text it was written as.
    pub wanted: Vec<(String, PolicyWanted)>,
}

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyWanted {
    /// The CPU limit of a service.
    LimitCpu(ServiceName, Millicores),
    /// The memory limit of a service.
    LimitMemory(ServiceName, Bytes),
    /// Instances of a service.
    Replicas(ServiceName, u32),
    /// Actions so far, all services together.
    Actions(u64),
    /// Actions so far on one service.
    ActionsOf(ServiceName, u64),
    /// The newest check of a service was held back by this guard, by its name: `no data`, `cooldown`, `hysteresis`.
    Held(String),
    /// The newest check of every service held nothing back.
    NothingHeld,
}
