//! What a horizontal policy looks at. Before you change it:
//! 1. Shares of limits are means over the instances that run: what is used by all, over what all may use. They are in
//!    millionths, rounded down.
//! 2. Where a vertical policy moves the limits of the same service, CPU is a share of the limit that somebody else set: what
//!    is used must not look like less because each may use more. Memory is then no figure at all: its limit follows it.
//! 3. A figure that nobody measures is `None`. Where no request ended, nothing was slow and nothing failed.
//! 4. Memory without a limit is no figure: more instances hold more, so they would be a reason for even more.

use crate::engine::measure::Measured;
use crate::model::HostSeen;
use crate::model::Limits;
use crate::model::MetricName;
use crate::model::Quantity;
use crate::model::Signal;
use crate::model::TrafficSeen;
use crate::units::Bytes;
use crate::units::Millicores;
use std::collections::BTreeMap;

/// The figures of a service at one look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Readings {
    /// Instances there are, those that start too.
    pub replicas: u32,
    /// CPU used of what may be used, in millionths.
    pub cpu: Option<u64>,
    /// Memory held of what may be held, in millionths.
    pub memory: Option<u64>,
    /// What passes through it.
    pub traffic: Option<TrafficSeen>,
    /// The metrics of the business that the policy looks at and that were measured lately.
    pub metrics: BTreeMap<MetricName, Quantity>,
}

impl Readings {
    /// The figures of a service whose instances were measured; `limits` is what its shares are of.
    #[must_use]
    pub(super) fn of(measured: &Measured, limits: Limits, host: &HostSeen, replicas: u32) -> Self {
        let given = |limit: u64, pool: u64| if limit == 0 { pool } else { limit.saturating_mul(measured.running) };
        let cpu = given(limits.cpu.map_or(0, Millicores::get), host.pool_cpu.get());
        let memory = limits.memory.map_or(0, Bytes::get).saturating_mul(measured.running);
        Self {
            replicas,
            cpu: millionths(measured.cpu, cpu),
            memory: millionths(measured.memory_all, memory),
            traffic: None,
            metrics: BTreeMap::new(),
        }
    }

    /// One figure; `None` where nobody measures it.
    #[must_use]
    pub fn of_signal(&self, signal: Signal) -> Option<Quantity> {
        match signal {
            Signal::Cpu => self.cpu.map(Quantity::Share),
            Signal::Memory => self.memory.map(Quantity::Share),
            Signal::Queue => self.traffic.map(|traffic| Quantity::Number(traffic.inside)),
            Signal::Latency => self.traffic.map(|traffic| Quantity::Time(traffic.latency_p95.unwrap_or_default())),
            Signal::Errors => self.traffic.map(|traffic| Quantity::Share(traffic.errors)),
            Signal::Requests => self.traffic.map(|traffic| Quantity::Rate(traffic.rate.get())),
            Signal::Replicas => Some(Quantity::Number(u64::from(self.replicas) * 1000)),
            Signal::Custom(name) => self.metrics.get(&name).copied(),
        }
    }

    /// What a figure would be with so many instances, where it is one that instances share: CPU.
    #[must_use]
    pub(super) fn shared_by(&self, signal: Signal, replicas: u32) -> Option<u64> {
        let seen = self.cpu.filter(|_| signal == Signal::Cpu)?;
        let all = u128::from(seen) * u128::from(self.replicas);
        Some(u64::try_from(all.checked_div(u128::from(replicas))?).unwrap_or(u64::MAX))
    }
}

/// `part / whole` in millionths, rounded down; `None` where the whole is nothing.
fn millionths(part: u64, whole: u64) -> Option<u64> {
    let wide = (u128::from(part) * 1_000_000).checked_div(u128::from(whole))?;
    Some(u64::try_from(wide).unwrap_or(u64::MAX))
}
