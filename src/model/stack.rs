//! What a Compose file says: services with their limits, checks and dependencies. Nothing here is guessed; `None` means
//! the file does not say.

use super::ServiceName;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Span;
use std::collections::BTreeMap;

/// The enabled services of a Compose project, merged and interpolated.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Stack {
    /// The project's name, where given.
    pub name: Option<String>,
    /// Services enabled by the active profiles.
    pub services: BTreeMap<ServiceName, Service>,
    /// Declared volumes.
    pub volumes: Vec<String>,
    /// Declared networks.
    pub networks: Vec<String>,
}

/// One service of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Service {
    /// Image reference, or `None` for a service that is only built.
    pub image: Option<String>,
    /// What it may use at most.
    pub limits: Limits,
    /// What is kept free for it.
    pub reservations: Limits,
    /// At most so many processes; `-1` is without limit.
    pub pids: Option<i64>,
    /// CPU weight as Docker counts it; 1024 is the default of the engine.
    pub cpu_shares: Option<u64>,
    /// How many instances.
    pub replicas: Option<u32>,
    /// How its health is checked.
    pub health: Option<HealthCheck>,
    /// What it waits for.
    pub depends_on: BTreeMap<ServiceName, Condition>,
    /// What happens when it exits.
    pub restart: Option<Restart>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// CPU and memory, each where given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    /// CPU.
    pub cpu: Option<Millicores>,
    /// Memory.
    pub memory: Option<Bytes>,
}

/// How the engine asks a container whether it is well. Absent figures take the engine's defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct HealthCheck {
    /// Switched off by the file, whatever the image says.
    pub disabled: bool,
    /// The test as written, `CMD` or `CMD-SHELL` first; empty where only figures are given.
    pub test: Vec<String>,
    /// Time between two checks; Docker's default is 30 s.
    pub interval: Option<Span>,
    /// Time after which a check has failed; Docker's default is 30 s.
    pub timeout: Option<Span>,
    /// Failures in a row that make it unhealthy; Docker's default is 3.
    pub retries: Option<u32>,
    /// Time after the start in which failures do not count; Docker's default is none.
    pub start_period: Option<Span>,
    /// Time between two checks within the start period; Docker's default is 5 s.
    pub start_interval: Option<Span>,
}

/// When a dependency counts as met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Condition {
    /// It runs.
    Started,
    /// Its health check has passed.
    Healthy,
    /// It has ended with exit code zero.
    Completed,
}

/// Restart policy of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Restart {
    /// It stays down.
    No,
    /// Whatever the exit code.
    Always,
    /// After a failure, at most so often.
    OnFailure(Option<u32>),
    /// Whatever the exit code, unless someone stopped it.
    UnlessStopped,
}
