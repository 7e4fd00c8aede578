//! A service as the simulated host runs it: everything known or assumed, nothing left open.

use super::Balance;
use super::CoreSet;
use super::DiskUse;
use super::HealthCheck;
use super::Limits;
use super::Restart;
use super::ServiceName;
use super::Shortage;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Permille;
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
    /// Requests that one instance works on at once; `None` is without limit. One that waits for a call does not count,
    /// unless the service is `blocking`.
    pub workers: Option<u32>,
    /// A worker waits for the calls of its request, as in most servers with a pool of threads.
    #[serde(default)]
    pub blocking: bool,
    /// Requests that may wait for a worker of one instance; more are refused. `None` is without limit.
    #[serde(default)]
    pub backlog: Option<u32>,
    /// How its requests are spread over its instances.
    #[serde(default, skip_serializing_if = "Balance::is_random")]
    pub balance: Balance,
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
    /// How long an instance that is told to stop may take; `None` is Docker's ten seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_grace: Option<Span>,
    /// Holds data, so two instances may never run side by side.
    pub stateful: bool,
    /// 1 critical path, 2 workflow, 3 background.
    pub tier: u8,
    /// What it is for: `database`, `proxy`, `api`.
    pub role: String,
    /// What it reads and writes.
    #[serde(default, skip_serializing_if = "DiskUse::is_default")]
    pub disk: DiskUse,
    /// Cores that its instances run on; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpuset: Option<CoreSet>,
    /// What the kernel does with it when memory runs short.
    #[serde(default, skip_serializing_if = "Shortage::is_default")]
    pub shortage: Shortage,
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
    /// Calls to other services, in the order in which they are made.
    pub calls: Vec<Call>,
    /// Size of a request as it is sent.
    #[serde(default)]
    pub request: Bytes,
    /// Size of the answer as it is sent.
    #[serde(default)]
    pub answer: Bytes,
}

/// So many calls to another service for each request.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Call {
    /// The service that is called.
    pub to: ServiceName,
    /// How often for one request; at least once.
    pub count: u32,
    /// Calls of one stage, and all their counts, are made at the same time. A call without a stage is one of its own, and
    /// is made so often one after another. A stage follows when all of the one before it came back.
    #[serde(default)]
    pub stage: Option<u32>,
    /// Share of these calls that need not be made, since the answer is in a cache.
    #[serde(default)]
    pub cached: Permille,
    /// A try that takes longer fails for the caller; the called service goes on working on it.
    #[serde(default)]
    pub timeout: Option<Span>,
    /// Connections that one instance of the caller has for these calls; a call waits for one that is free, within its
    /// timeout. A connection is taken until its answer is there. `None` is without limit.
    #[serde(default)]
    pub pool: Option<u32>,
    /// What is done about a try that failed; `None` for nothing, so that the request fails, too.
    #[serde(default)]
    pub retry: Option<Retry>,
    /// When calls are given up before they are made.
    #[serde(default)]
    pub breaker: Option<Breaker>,
    /// Time that a message takes longer on this way, beside the host's own `hop`: the called service runs on another machine.
    #[serde(default, skip_serializing_if = "is_none")]
    pub hop: Span,
}

/// Whether there is nothing of it, so that the record need not say so.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_none(span: &Span) -> bool {
    *span == Span::ZERO
}

impl Call {
    /// So many calls to a service, one after another, without anything else.
    #[must_use]
    pub const fn new(to: ServiceName, count: u32) -> Self {
        Self {
            to,
            count,
            stage: None,
            cached: Permille::ZERO,
            timeout: None,
            pool: None,
            retry: None,
            breaker: None,
            hop: Span::ZERO,
        }
    }
}

/// How a failed call is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Retry {
    /// Further tries after the first.
    pub times: u32,
    /// Wait before the first further try, and twice as long before each one after it.
    pub backoff: Span,
    /// Most further tries as a share of the first ones; `None` is without limit.
    pub budget: Option<Permille>,
}

/// A circuit breaker: while most calls fail, none are made. Each service that calls has one for each of its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Breaker {
    /// It opens when at least this share of the tries within the window failed.
    pub failures: Permille,
    /// How far back it looks.
    pub window: Span,
    /// Tries within the window below which it does not open.
    pub least: u32,
    /// How long it stays open. Then one try is let through, and decides.
    pub open: Span,
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
