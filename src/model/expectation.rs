//! What must hold, as read from `expect`: `p95(latency.api) <= 500ms for 99% of 5m`.

use super::ServiceName;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Money;
use crate::units::Permille;
use crate::units::Span;

/// One named expectation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Expectation {
    /// Its name, as in JUnit.
    pub name: String,
    /// The expression as written.
    pub text: String,
    /// What is measured.
    pub measure: Measure,
    /// How it is compared.
    pub comparison: Comparison,
    /// What it is compared with.
    pub bound: Bound,
    /// `for 99% of 5m`: the share of windows in which it must hold; `None` judges the whole range at once.
    pub windows: Option<Windows>,
    /// `in 95% of seeds`: the share of seeds in which it must hold.
    pub seeds: Permille,
    /// How much worse than the committed baseline it may be.
    pub baseline: Option<Tolerance>,
}

/// An aggregate of a series over a range.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Measure {
    /// How the series becomes one number.
    pub aggregate: Aggregate,
    /// Which series.
    pub metric: Metric,
    /// Of what.
    pub subject: Subject,
    /// Over which part of the run.
    pub range: Range,
}

/// How a series becomes one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Aggregate {
    /// So many of 100,000: `p95` is 95,000, `p99.9` is 99,900.
    Percentile(u32),
    /// Mean: over requests for latency, over time for the rest.
    Mean,
    /// Largest.
    Max,
    /// Smallest.
    Min,
    /// Events per second.
    Rate,
    /// Events in all.
    Count,
    /// Part of the whole: errors of requests, throttled of all periods.
    Share,
}

/// A series of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Metric {
    /// Response time of a request.
    Latency,
    /// Finished requests, failed ones too.
    Requests,
    /// Failed requests.
    Errors,
    /// Requests waiting or in work.
    Queue,
    /// CPU used by all instances of a service.
    Cpu,
    /// Share of quota periods in which an instance was throttled.
    Throttled,
    /// Working set of the largest instance of a service.
    Memory,
    /// Instances that are up and well.
    Replicas,
    /// Restarts of instances.
    Restarts,
    /// OOM kills.
    Oom,
    /// Actions of the engine.
    Actions,
    /// Actions that turn an earlier one of the same limit round.
    Reversals,
    /// CPU limit of an instance.
    LimitCpu,
    /// Memory limit of an instance.
    LimitMemory,
    /// CPU used on the host.
    HostCpu,
    /// Memory used on the host.
    HostMemory,
    /// Price of the host.
    Cost,
    /// CPU limit not used.
    Slack,
}

/// Whose series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Subject {
    /// One service.
    Service(ServiceName),
    /// All services together.
    All,
    /// The host.
    Host,
}

/// Which part of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Range {
    /// All of it after the warm-up.
    Whole,
    /// Every stretch of this length: the worst one counts.
    Every(Span),
    /// From one point in time to another.
    Between(Instant, Instant),
}

/// A share of windows: `99% of 5m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Windows {
    /// In how many of them it must hold.
    pub share: Permille,
    /// How long each is.
    pub length: Span,
}

/// How a number is compared with its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
}

/// What a number is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Bound {
    /// A figure.
    Value(Quantity),
    /// A share of the limit in force at that moment.
    OfLimit(Permille),
}

/// A figure with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Quantity {
    /// Time.
    Time(Span),
    /// A plain number, in thousandths.
    Number(u64),
    /// A share, in millionths (`0.5%` is 5,000).
    Share(u64),
    /// CPU.
    Cpu(Millicores),
    /// Memory.
    Memory(Bytes),
    /// Money.
    Money(Money),
    /// Events per second, in millionths.
    Rate(u64),
}

/// How much worse than the baseline a measurement may be: both must be exceeded to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tolerance {
    /// Relative to the baseline.
    pub worse_by: Permille,
    /// In the measure's own unit.
    pub and_at_least: Option<Quantity>,
}
