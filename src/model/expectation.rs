//! What must hold, as read from `expect`: `p95(latency.api) <= 500ms for 99% of 5m`.

use super::ServiceName;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Money;
use crate::units::Permille;
use crate::units::Span;
use crate::units::Temperature;
use std::fmt;

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
    /// Deployments that came to a good end.
    Deployments,
    /// Deployments that were rolled back.
    Rollbacks,
    /// CPU limit of an instance.
    LimitCpu,
    /// Memory limit of an instance.
    LimitMemory,
    /// CPU used on the host.
    HostCpu,
    /// Memory used on the host.
    HostMemory,
    /// Share of the cores' time that is idle while somebody waits for the disk.
    IoWait,
    /// Share of the time in which the disk is busy.
    Disk,
    /// Share of the bandwidth to the outside that is used, in the direction in which it is more.
    Network,
    /// Bytes per second that all instances of a service receive.
    Received,
    /// Bytes per second that all instances of a service send.
    Sent,
    /// Temperature of the host's chip.
    Temperature,
    /// Clock of the host's fastest cores as a share of the full one.
    Clock,
    /// Share of the host's CPU time that other guests took.
    Steal,
    /// Price of the host.
    Cost,
    /// CPU limit not used: the limits of all running instances less the CPU that they used, never below zero. A service
    /// without a CPU limit has none. `of limit` is of those limits together.
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
    /// Temperature.
    Temperature(Temperature),
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

impl Expectation {
    /// Whether it is a service level, which a single moment can keep or break: response times, or the share of requests that
    /// fail, bounded from above. `count(errors) == 0` is one, too; other counts say nothing about a moment.
    #[must_use]
    pub const fn is_service_level(&self) -> bool {
        let is_upper = matches!(self.comparison, Comparison::Less | Comparison::AtMost);
        match (self.measure.metric, self.measure.aggregate, self.bound) {
            (Metric::Latency, aggregate, Bound::Value(Quantity::Time(_))) => {
                is_upper && matches!(aggregate, Aggregate::Percentile(_) | Aggregate::Mean | Aggregate::Max)
            }
            (Metric::Errors, Aggregate::Share, Bound::Value(Quantity::Share(_))) => is_upper,
            (Metric::Errors, Aggregate::Count, Bound::Value(Quantity::Number(0))) => {
                matches!(self.comparison, Comparison::AtMost | Comparison::Equal)
            }
            _ => false,
        }
    }
}

impl Quantity {
    /// The number alone, in the unit of its kind.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::Time(span) => span.nanos(),
            Self::Number(number) | Self::Share(number) | Self::Rate(number) => number,
            Self::Cpu(cpu) => cpu.get(),
            Self::Memory(size) => size.get(),
            Self::Temperature(degrees) => degrees.get(),
            Self::Money(amount) => amount.get(),
        }
    }
}

impl fmt::Display for Expectation {
    /// As it could be written in a scenario; reading it gives the same expectation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.measure, self.comparison, self.bound)?;
        if let Some(windows) = self.windows {
            write!(f, " for {} of {}", windows.share, windows.length)?;
        }
        if self.seeds != Permille::ONE {
            write!(f, " in {} of seeds", self.seeds)?;
        }
        Ok(())
    }
}

impl fmt::Display for Measure {
    /// `p95(latency.api)`, `max(reversals, 30m)`, `share(errors.api, 20h..20h5m)`, `cost(month)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.metric == Metric::Cost {
            return f.write_str("cost(month)");
        }
        write!(f, "{}({}", self.aggregate, self.metric)?;
        if let Subject::Service(service) = &self.subject {
            write!(f, ".{service}")?;
        }
        match self.range {
            Range::Whole => f.write_str(")"),
            Range::Every(span) => write!(f, ", {span})"),
            Range::Between(from, to) => write!(f, ", {from}..{to})"),
        }
    }
}

impl fmt::Display for Aggregate {
    /// As an expression writes it: `p99.9`, `mean`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percentile(share) => write!(f, "p{}", Digits(u64::from(*share), 3)),
            Self::Mean => f.write_str("mean"),
            Self::Max => f.write_str("max"),
            Self::Min => f.write_str("min"),
            Self::Rate => f.write_str("rate"),
            Self::Count => f.write_str("count"),
            Self::Share => f.write_str("share"),
        }
    }
}

impl fmt::Display for Metric {
    /// As an expression writes it, without the service: `latency`, `limit.cpu`, `host.memory`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Latency => "latency",
            Self::Requests => "requests",
            Self::Errors => "errors",
            Self::Queue => "queue",
            Self::Cpu => "cpu",
            Self::Throttled => "throttled",
            Self::Memory => "memory",
            Self::Replicas => "replicas",
            Self::Restarts => "restarts",
            Self::Oom => "oom",
            Self::Actions => "actions",
            Self::Reversals => "reversals",
            Self::Deployments => "deployments",
            Self::Rollbacks => "rollbacks",
            Self::LimitCpu => "limit.cpu",
            Self::LimitMemory => "limit.memory",
            Self::HostCpu => "host.cpu",
            Self::HostMemory => "host.memory",
            Self::IoWait => "iowait",
            Self::Disk => "disk",
            Self::Network => "network",
            Self::Received => "received",
            Self::Sent => "sent",
            Self::Temperature => "temperature",
            Self::Clock => "clock",
            Self::Steal => "steal",
            Self::Cost => "cost",
            Self::Slack => "slack",
        })
    }
}

impl fmt::Display for Comparison {
    /// `<`, `<=`, `>`, `>=` or `==`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
        })
    }
}

impl fmt::Display for Bound {
    /// `500ms`, `90% of limit`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(figure) => figure.fmt(f),
            Self::OfLimit(share) => write!(f, "{share} of limit"),
        }
    }
}

impl fmt::Display for Quantity {
    /// With its unit, exactly.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(span) => span.fmt(f),
            Self::Number(thousandths) => Digits(*thousandths, 3).fmt(f),
            Self::Share(millionths) => write!(f, "{}%", Digits(*millionths, 4)),
            Self::Cpu(cpu) => cpu.fmt(f),
            Self::Memory(size) => size.fmt(f),
            Self::Temperature(degrees) => degrees.fmt(f),
            Self::Money(amount) => amount.fmt(f),
            Self::Rate(millionths) => crate::units::Rate::micro(*millionths).fmt(f),
        }
    }
}

/// A whole number shown with so many decimals, without trailing zeros.
struct Digits(u64, u32);

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = 10_u64.pow(self.1);
        let (whole, part) = (self.0 / scale, self.0 % scale);
        if part == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{part:0width$}", width = self.1 as usize);
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}
