//! A service as the simulated host runs it: everything known or assumed, nothing left open.

use super::HealthCheck;
use super::Limits;
use super::Restart;
use super::ServiceName;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Span;
use std::collections::BTreeMap;

/// All that the simulated host needs to know about one service.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ServiceModel {
    /// Image reference, for the reader.
    pub image: Option<String>,
    /// Instances at the start; at least one.
    pub replicas: u32,
    /// Limit of one instance.
    pub limits: Limits,
    /// Reservation of one instance.
    pub reservations: Limits,
    /// CPU weight of one instance, as Docker's `cpu_shares`; 1024 where nothing is said.
    pub weight: u64,
    /// What one request costs.
    pub work: Work,
    /// Requests that one instance works on at once; `None` is without limit. One that waits for a call does not count.
    pub workers: Option<u32>,
    /// A request that takes longer fails.
    pub timeout: Option<Span>,
    /// CPU that an idle instance uses.
    pub idle_cpu: Millicores,
    /// Working set of an idle instance.
    pub idle_memory: Bytes,
    /// Growth of the working set per hour, without end.
    pub leak_per_hour: Bytes,
    /// Time from the start of the process until it answers.
    pub start_up: Span,
    /// CPU that an instance wants while it starts.
    pub start_cpu: Millicores,
    /// How its health is checked; `None` for no check.
    pub health: Option<HealthCheck>,
    /// What it waits for before it starts.
    pub depends_on: BTreeMap<ServiceName, super::Condition>,
    /// What happens when an instance dies.
    pub restart: Restart,
    /// Holds data, so two instances may never run side by side.
    pub stateful: bool,
    /// 1 critical path, 2 workflow, 3 background.
    pub tier: u8,
    /// What it is for: `database`, `proxy`, `api`.
    pub role: String,
}

/// The cost of one request.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Work {
    /// Mean CPU time on a reference core.
    pub cpu: Span,
    /// How the CPU time varies from request to request.
    pub spread: Spread,
    /// Memory held while the request is worked on.
    pub memory: Bytes,
    /// Calls to other services, one after another.
    pub calls: Vec<Call>,
}

/// So many calls to another service for each request.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Call {
    /// The service that is called.
    pub to: ServiceName,
    /// How often for one request; at least once.
    pub count: u32,
}

/// Distribution of the CPU time of a request, by its mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Spread {
    /// Always the mean.
    Constant,
    /// Exponential; the squared coefficient of variation is 1.
    Exponential,
    /// 90 % take half the mean, 10 % take 5.5 times the mean, each exponential; squared coefficient of variation 5.5.
    Heavy,
}
