//! The words of the language: functions, metrics, and which figures each can be compared with.

use crate::model::Aggregate;
use crate::model::Metric;
use crate::model::Range;

/// What an expression starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    /// An aggregate of a series.
    Aggregate(Aggregate),
    /// `error_rate(SERVICE)`: the share of errors.
    ErrorRate,
    /// `cost(month)`.
    Cost,
}

/// Names to suggest from.
pub(super) const FUNCTIONS: [&str; 12] =
    ["p50", "p90", "p95", "p99", "p99.9", "mean", "max", "min", "rate", "count", "share", "error_rate"];

/// What other languages call them.
const SYNONYMS: [(&str, &str); 9] = [
    ("avg", "mean"),
    ("average", "mean"),
    ("median", "p50"),
    ("sum", "count"),
    ("total", "count"),
    ("maximum", "max"),
    ("minimum", "min"),
    ("increase", "count"),
    ("errors", "error_rate"),
];

/// The function of this name.
pub(super) fn function(name: &str) -> Option<Function> {
    let aggregate = match name {
        "mean" => Aggregate::Mean,
        "max" => Aggregate::Max,
        "min" => Aggregate::Min,
        "rate" => Aggregate::Rate,
        "count" => Aggregate::Count,
        "share" => Aggregate::Share,
        "error_rate" => return Some(Function::ErrorRate),
        "cost" => return Some(Function::Cost),
        _ => Aggregate::Percentile(percentile(name)?),
    };
    Some(Function::Aggregate(aggregate))
}

/// `p99.9` as 99,900; above zero and at most 100.
fn percentile(name: &str) -> Option<u32> {
    let share = super::quantity::decimal(name.strip_prefix('p')?, 3)?;
    u32::try_from(share).ok().filter(|share| (1..=100_000).contains(share))
}

/// The function that someone most likely meant.
pub(super) fn nearest_function(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    let synonym = SYNONYMS.into_iter().find(|(other, _)| *other == lower).map(|(_, ours)| ours);
    synonym.or_else(|| crate::input::problem::nearest(name, FUNCTIONS.into_iter().chain(["cost"])))
}

/// Whose series a metric can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// One service only.
    Service,
    /// One service, or all of them together.
    Services,
    /// The host.
    Host,
}

/// What a metric measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dimension {
    Time,
    Events,
    Level,
    Cpu,
    Memory,
    Share,
    Temperature,
    Money,
}

/// A metric and what can be said of it.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) metric: Metric,
    pub(super) owner: Owner,
    pub(super) dimension: Dimension,
}

const fn entry(name: &'static str, metric: Metric, owner: Owner, dimension: Dimension) -> Entry {
    Entry { name, metric, owner, dimension }
}

/// Every metric of the language.
pub(super) const METRICS: [Entry; 28] = [
    entry("latency", Metric::Latency, Owner::Service, Dimension::Time),
    entry("requests", Metric::Requests, Owner::Services, Dimension::Events),
    entry("errors", Metric::Errors, Owner::Services, Dimension::Events),
    entry("queue", Metric::Queue, Owner::Service, Dimension::Level),
    entry("cpu", Metric::Cpu, Owner::Service, Dimension::Cpu),
    entry("throttled", Metric::Throttled, Owner::Service, Dimension::Share),
    entry("memory", Metric::Memory, Owner::Service, Dimension::Memory),
    entry("replicas", Metric::Replicas, Owner::Service, Dimension::Level),
    entry("restarts", Metric::Restarts, Owner::Services, Dimension::Events),
    entry("oom", Metric::Oom, Owner::Services, Dimension::Events),
    entry("actions", Metric::Actions, Owner::Services, Dimension::Events),
    entry("reversals", Metric::Reversals, Owner::Services, Dimension::Events),
    entry("deployments", Metric::Deployments, Owner::Services, Dimension::Events),
    entry("rollbacks", Metric::Rollbacks, Owner::Services, Dimension::Events),
    entry("limit.cpu", Metric::LimitCpu, Owner::Service, Dimension::Cpu),
    entry("limit.memory", Metric::LimitMemory, Owner::Service, Dimension::Memory),
    entry("slack", Metric::Slack, Owner::Service, Dimension::Cpu),
    entry("host.cpu", Metric::HostCpu, Owner::Host, Dimension::Cpu),
    entry("host.memory", Metric::HostMemory, Owner::Host, Dimension::Memory),
    entry("iowait", Metric::IoWait, Owner::Host, Dimension::Share),
    entry("disk", Metric::Disk, Owner::Host, Dimension::Share),
    entry("network", Metric::Network, Owner::Host, Dimension::Share),
    entry("received", Metric::Received, Owner::Service, Dimension::Memory),
    entry("sent", Metric::Sent, Owner::Service, Dimension::Memory),
    entry("temperature", Metric::Temperature, Owner::Host, Dimension::Temperature),
    entry("clock", Metric::Clock, Owner::Host, Dimension::Share),
    entry("steal", Metric::Steal, Owner::Host, Dimension::Share),
    entry("cost", Metric::Cost, Owner::Host, Dimension::Money),
];

/// Metrics that later versions simulate.
const LATER: [&str; 2] = ["wal", "energy"];

/// Whether `series` is of a metric that a later version simulates; its name, if so.
pub(super) fn later(series: &str) -> Option<&'static str> {
    LATER.into_iter().find(|name| rest_after(series, name).is_some())
}

/// What stands behind `name.` in `series`; empty where nothing does, `None` where it is another series.
pub(super) fn rest_after<'a>(series: &'a str, name: &str) -> Option<&'a str> {
    let rest = series.strip_prefix(name)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('.') }
}

/// What a measurement can be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Time,
    Number,
    Rate,
    Share,
    Cpu,
    Memory,
    Temperature,
    Money,
    OfLimit,
}

impl Kind {
    /// Nothing of it, as an expression writes it; nothing is written for a share of a limit, which is no unit.
    pub(super) const fn zero(self) -> &'static str {
        match self {
            Self::Time => "0s",
            Self::Number | Self::Cpu | Self::Memory => "0",
            Self::Rate => "0/s",
            Self::Share => "0%",
            Self::Temperature => "0C",
            Self::Money => "0 USD",
            Self::OfLimit => "",
        }
    }

    /// As an error message calls it.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Time => "a time such as `500ms`",
            Self::Number => "a plain number such as `0`",
            Self::Rate => "a rate such as `10/s`",
            Self::Share => "a share such as `0.5%`",
            Self::Cpu => "a number of cores such as `0.5`",
            Self::Memory => "a size such as `512M`",
            Self::Temperature => "a temperature such as `80C`",
            Self::Money => "an amount such as `12 USD`",
            Self::OfLimit => "a share of the limit such as `90% of limit`",
        }
    }
}

/// Which figures a measurement can be compared with; empty where the aggregate says nothing about the metric.
pub(super) fn accepted(aggregate: Aggregate, metric: Metric, range: Range) -> &'static [Kind] {
    let dimension = METRICS.iter().find(|entry| entry.metric == metric).map(|entry| entry.dimension);
    let windowed = matches!(range, Range::Every(_));
    match (aggregate, metric, dimension) {
        (_, Metric::Cost, _) => &[Kind::Money],
        (Aggregate::Share, Metric::Errors | Metric::Throttled, _) => &[Kind::Share],
        (Aggregate::Share, ..) => &[],
        (Aggregate::Count, _, Some(Dimension::Events)) => &[Kind::Number],
        (Aggregate::Rate, _, Some(Dimension::Events)) => &[Kind::Rate],
        (Aggregate::Count | Aggregate::Rate, ..) => &[],
        (_, _, Some(Dimension::Events)) if windowed => &[Kind::Number],
        (_, _, Some(Dimension::Events)) | (_, _, None) => &[],
        (_, _, Some(Dimension::Time)) => &[Kind::Time],
        (_, _, Some(Dimension::Level)) => &[Kind::Number],
        (_, _, Some(Dimension::Share)) => &[Kind::Share],
        (_, _, Some(Dimension::Temperature)) => &[Kind::Temperature],
        (_, _, Some(Dimension::Money)) => &[Kind::Money],
        (_, Metric::HostCpu, _) => &[Kind::Cpu, Kind::Share],
        (_, Metric::HostMemory, _) => &[Kind::Memory, Kind::Share],
        (_, Metric::LimitCpu, _) => &[Kind::Cpu],
        (_, Metric::LimitMemory, _) => &[Kind::Memory],
        (_, Metric::Received | Metric::Sent, _) => &[Kind::Memory],
        (_, _, Some(Dimension::Cpu)) => &[Kind::Cpu, Kind::OfLimit],
        (_, _, Some(Dimension::Memory)) => &[Kind::Memory, Kind::OfLimit],
    }
}
