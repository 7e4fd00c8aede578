//! What the engine is told: one look at the host, as the sensors saw it, never the true state.

use super::Limits;
use super::ServiceName;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Span;
use std::collections::BTreeMap;

/// One look at a host and its services.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Observation {
    /// The host.
    pub host: HostSeen,
    /// Its services.
    pub services: BTreeMap<ServiceName, ServiceSeen>,
}

/// The host as seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HostSeen {
    /// CPU that containers may use.
    pub pool_cpu: Millicores,
    /// Memory that containers may use.
    pub pool_memory: Bytes,
}

/// A service as seen.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ServiceSeen {
    /// Limits in force for each instance.
    pub limits: Limits,
    /// Holds data.
    pub stateful: bool,
    /// Its instances, running or not.
    pub instances: Vec<InstanceSeen>,
}

/// One container as seen.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct InstanceSeen {
    /// Its number within the service, from 1.
    pub number: u32,
    /// What state it is in.
    pub state: InstanceState,
    /// What it used, as the sensors say; `None` while there is no measurement.
    pub usage: Option<Usage>,
    /// How often it was OOM killed so far.
    pub oom_kills: u32,
    /// How often it was restarted so far.
    pub restarts: u32,
}

/// What state a container is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum InstanceState {
    /// Started, and not yet known to be well.
    Starting,
    /// Running, and its health check (if it has one) passes.
    Healthy,
    /// Running, and its health check fails.
    Unhealthy,
    /// Not running.
    Down,
}

/// What one container used, by its newest scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Usage {
    /// When the newest scrape was taken.
    pub at: Instant,
    /// What the CPU figure is the mean over: up to the window asked for, shorter after a start or a gap.
    pub window: Span,
    /// CPU used, the mean over the window.
    pub cpu: Millicores,
    /// Working set at the newest scrape.
    pub memory: Bytes,
    /// Largest working set of the scrapes in the window.
    pub memory_max: Bytes,
}
