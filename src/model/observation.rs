//! What the engine is told: one look at the host, as the sensors saw it, never the true state.

use super::Limits;
use super::MetricName;
use super::Override;
use super::Quantity;
use super::ServiceName;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Rate;
use crate::units::Span;
use std::collections::BTreeMap;

/// One look at a host and its services.
#[derive(Debug, Default, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Observation {
    /// The host.
    pub host: HostSeen,
    /// Its services.
    pub services: BTreeMap<ServiceName, ServiceSeen>,
    /// What people ordered, and is in force.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<ServiceName, Override>,
    /// Metrics of the business, of no service; without those that nobody measures.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<MetricName, MetricSeen>,
}

impl Observation {
    /// The metrics that can be acted on: measured up to now, and not longer ago than `stale_after`.
    pub fn fresh_metrics(&self, now: Instant, stale_after: Span) -> impl Iterator<Item = (MetricName, Quantity)> {
        let fresh = move |seen: &MetricSeen| seen.at <= now && now.since(seen.at) <= stale_after;
        self.metrics.iter().filter(move |(_, seen)| fresh(seen)).map(|(name, seen)| (*name, seen.value))
    }
}

/// A metric of the business as seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MetricSeen {
    /// When the newest scrape was taken.
    pub at: Instant,
    /// What it was then.
    pub value: Quantity,
}

/// The host as seen.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HostSeen {
    /// CPU that containers may use.
    pub pool_cpu: Millicores,
    /// Memory that containers may use.
    pub pool_memory: Bytes,
}

/// A service as seen.
#[derive(Debug, Default, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ServiceSeen {
    /// Limits in force for each instance.
    pub limits: Limits,
    /// Holds data.
    pub stateful: bool,
    /// Its instances, running or not. Those that were told to stop are not among them.
    pub instances: Vec<InstanceSeen>,
    /// What passes through it; `None` where nobody measures it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic: Option<TrafficSeen>,
    /// A deployment replaces its instances, so that there may be more or fewer of them than there are to be.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deploying: bool,
}

/// Whether there is nothing of it, so that the record need not say so.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_false(is: &bool) -> bool {
    !*is
}

/// Requests of a service, all instances together, as they are counted where they come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TrafficSeen {
    /// When the newest scrape was taken.
    pub at: Instant,
    /// What rates and times are over: up to the window asked for.
    pub window: Span,
    /// Requests that ended, well or not, per second.
    pub rate: Rate,
    /// Share of them that failed, in millionths; zero where none ended.
    pub errors: u64,
    /// The 95th percentile of the times of those that ended well; `None` where none did.
    pub latency_p95: Option<Span>,
    /// Requests in the service at the newest scrape, in thousandths.
    pub inside: u64,
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
    /// When its process started; `None` where it does not run, or nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Instant>,
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

/// What a service used in five minutes, as the engine remembers it for a day (register M4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct UsagePoint {
    /// When the five minutes ended.
    pub at: Instant,
    /// CPU of all instances, the mean.
    pub cpu: Millicores,
    /// CPU of the instance that used most at each look, the mean.
    pub cpu_most: Millicores,
    /// Largest working set of one instance.
    pub memory_most: Bytes,
    /// Instances that were measured, at most.
    pub instances: u32,
}
