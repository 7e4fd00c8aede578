//! The truth about a stretch of the run: what plots, tables and verdicts are made from. The engine never sees it.

use super::Action;
use super::InstanceState;
use super::Latencies;
use super::Limits;
use super::Progress;
use super::ServiceName;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;
use crate::units::Temperature;

/// What happened between two points in time.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sample {
    /// The end of the stretch.
    pub at: Instant,
    /// Its length.
    pub span: Span,
    /// The host.
    pub host: HostSample,
    /// The services, in the order of the scenario (by name).
    pub services: Vec<ServiceSample>,
}

/// The host in a stretch of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct HostSample {
    /// CPU used by everything, the mean.
    pub cpu: Millicores,
    /// Memory used by everything, the largest.
    pub memory: Bytes,
    /// Share of all cores' time that was idle while somebody waited for the disk.
    #[serde(default, skip_serializing_if = "is_none")]
    pub iowait: Permille,
    /// Share of the time in which the disk was busy.
    #[serde(default, skip_serializing_if = "is_none")]
    pub disk: Permille,
    /// Temperature of the chip, the highest; `None` where nothing is known of the host's heat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Temperature>,
    /// Clock of the fastest cores as a share of the full one, the lowest; `None` as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Permille>,
    /// Share of CPU time that other guests took, the mean; `None` where it is always what the host says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steal: Option<Permille>,
    /// Share of the bandwidth to the outside that was used, in the direction in which it was more.
    #[serde(default, skip_serializing_if = "is_none")]
    pub network: Permille,
}

/// Whether there is nothing of it, so that the record need not say so.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_none(share: &Permille) -> bool {
    *share == Permille::ZERO
}

/// A service in a stretch of the run.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct ServiceSample {
    /// Requests that came, in thousandths.
    pub arrived: u64,
    /// Requests that ended well, in thousandths.
    pub served: u64,
    /// Requests that failed (timed out, refused, nobody up), in thousandths.
    pub failed: u64,
    /// Response times of those that ended well, calls to other services included.
    pub latency: Latencies,
    /// Requests in the service at the end, in thousandths.
    pub queue: u64,
    /// CPU used by all instances, the mean.
    pub cpu: Millicores,
    /// Share of quota periods in which an instance was throttled.
    pub throttled: Permille,
    /// Largest working set of an instance.
    pub memory: Bytes,
    /// Instances that are up and well, the fewest.
    pub replicas: u32,
    /// Instances there were, the mean, in thousandths, those that start and those that leave too; zero where there are
    /// always as many as the scenario says.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub instances: u64,
    /// Limits of an instance at the end.
    pub limits: Limits,
    /// Restarts of instances.
    pub restarts: u32,
    /// OOM kills of instances.
    pub oom_kills: u32,
    /// At some moment more requests came than could be served.
    pub saturated: bool,
    /// Why requests failed: together `failed`. All zero in records of before they were told apart.
    #[serde(default)]
    pub errors: Errors,
    /// What its instances did with the disk.
    #[serde(default, skip_serializing_if = "DiskSample::is_nothing")]
    pub disk: DiskSample,
    /// What its instances received and sent.
    #[serde(default, skip_serializing_if = "NetworkSample::is_nothing")]
    pub network: NetworkSample,
}

impl ServiceSample {
    /// Instances there were, the mean, in thousandths, of a service that begins with so many.
    #[must_use]
    pub fn instances_of(&self, replicas: u32) -> u64 {
        if self.instances == 0 { u64::from(replicas) * 1000 } else { self.instances }
    }
}

/// What the instances of a service received and sent in a stretch of the run, as Docker counts it: over the line to the
/// outside, and to and from other containers. Only what has a size is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct NetworkSample {
    /// Requests to it, and answers to its calls.
    pub received: Bytes,
    /// Its answers, and its calls.
    pub sent: Bytes,
}

impl NetworkSample {
    /// Whether there is nothing of it.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What the instances of a service did with the disk in a stretch of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct DiskSample {
    /// Reads that no page cache answered, those from swap too.
    pub reads: u64,
    /// Writes, those to swap too.
    pub writes: u64,
    /// Page cache of an instance at the end.
    pub cache: Bytes,
    /// Memory of an instance in swap, the most.
    pub swap: Bytes,
}

impl DiskSample {
    /// Whether there is nothing of it.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Failed requests by cause, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Errors {
    /// Nobody was up, or too many waited already.
    pub refused: u64,
    /// Took longer than the service's timeout.
    pub timed_out: u64,
    /// A call of theirs failed, the last of its tries, too.
    pub call_failed: u64,
    /// A circuit breaker let a call of theirs not through.
    pub breaker: u64,
    /// Were inside when the container died.
    pub killed: u64,
    /// Were lost in the network.
    pub network: u64,
    /// The disk was full or failed.
    pub disk: u64,
    /// Were inside when the time was up that their container had been given to stop.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stopped: u64,
}

/// Whether there is nothing of it, so that the record need not say so.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Errors {
    /// The causes and what they are called, in the order in which they are shown.
    #[must_use]
    pub const fn causes(&self) -> [(&'static str, u64); 8] {
        [
            ("refused", self.refused),
            ("timed out", self.timed_out),
            ("call failed", self.call_failed),
            ("breaker", self.breaker),
            ("killed", self.killed),
            ("network", self.network),
            ("disk", self.disk),
            ("stopped", self.stopped),
        ]
    }

    /// Each cause of this one and of another, put together.
    #[must_use]
    pub fn with(self, other: Self, both: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            refused: both(self.refused, other.refused),
            timed_out: both(self.timed_out, other.timed_out),
            call_failed: both(self.call_failed, other.call_failed),
            breaker: both(self.breaker, other.breaker),
            killed: both(self.killed, other.killed),
            network: both(self.network, other.network),
            disk: both(self.disk, other.disk),
            stopped: both(self.stopped, other.stopped),
        }
    }

    /// Of all causes together.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.causes().iter().map(|cause| cause.1).sum()
    }
}

/// Something that happened at a point in time.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Incident {
    /// The kernel killed an instance that passed its memory limit.
    OomKilled {
        /// The service.
        service: ServiceName,
        /// Its instance, from 1.
        instance: u32,
        /// What it held.
        held: Bytes,
        /// What it was allowed.
        limit: Bytes,
    },
    /// The host ran out of memory and the kernel killed an instance.
    HostOomKilled {
        /// The service.
        service: ServiceName,
        /// Its instance, from 1.
        instance: u32,
        /// What it held.
        held: Bytes,
    },
    /// An instance died.
    Crashed {
        /// The service.
        service: ServiceName,
        /// Its instance, from 1.
        instance: u32,
    },
    /// An instance went from one state to another.
    Changed {
        /// The service.
        service: ServiceName,
        /// Its instance, from 1.
        instance: u32,
        /// The state it is in now.
        to: InstanceState,
    },
    /// The host refused an action.
    Refused {
        /// The action.
        action: Action,
        /// Why.
        why: String,
    },
    /// An instance had been told to stop, and was killed when its time was up.
    StopTimedOut {
        /// The service.
        service: ServiceName,
        /// Its instance, from 1.
        instance: u32,
        /// Requests that were inside and are lost, in thousandths.
        lost: u64,
    },
    /// An instance holds all the memory it may, and hangs, since the kernel may not kill it.
    Hung {
        /// The service.
        service: ServiceName,
        /// Its instance, from 1.
        instance: u32,
        /// What it is allowed.
        limit: Bytes,
    },
    /// A deployment of a service went on.
    Deployment {
        /// The service.
        service: ServiceName,
        /// How far it is.
        progress: Progress,
    },
    /// A fault of the scenario began, by its place in the list.
    FaultBegan(usize),
    /// A fault of the scenario ended, by its place in the list.
    FaultEnded(usize),
}
