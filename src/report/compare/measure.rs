//! What is measured of a policy, and what each figure means. Every table, file and page takes names, units and words from
//! here.
//!
//! Before you change it:
//! 1. All figures are of the judged time: the run without its warm-up.
//! 2. Resources, scaling and elasticity are those of the services that the policies are tried on. Response times and failures
//!    are those of requests from outside, whoever is scaled. OOM kills are those of all services.
//! 3. A name is a promise to scripts; a head is not.

use crate::report::figure::rounded;
use crate::report::figure::thousands;

/// A figure of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Share of the judged time in which a service level is broken.
    BrokenTime,
    /// Share of requests that are too slow or fail.
    BrokenRequests,
    /// 95th percentile of response times.
    P95,
    /// 99th percentile of response times.
    P99,
    /// Requests that failed.
    Failed,
    /// Cost of a month that is like this time.
    Cost,
    /// Instances times hours.
    InstanceHours,
    /// CPU limits times instances times hours.
    CpuHours,
    /// Memory limits times instances times hours.
    MemoryHours,
    /// Share of the CPU limits that is not used.
    CpuSlack,
    /// Share of the memory limits that is not used.
    MemorySlack,
    /// Share of quota periods with throttling.
    Throttled,
    /// OOM kills.
    OomKills,
    /// Changes of limits and of numbers of instances.
    Actions,
    /// Actions that turn the one before them round.
    Reversals,
    /// Reversals within ten minutes.
    Flaps,
    /// Service levels held, changes that last, and use of what is kept, in one figure.
    Effectiveness,
    /// What is missing, relative to demand.
    AccuracyUnder,
    /// What is too much, relative to demand.
    AccuracyOver,
    /// Share of the time with too little.
    TimeUnder,
    /// Share of the time with too much.
    TimeOver,
    /// Share of looks at which supply and demand moved apart.
    Instability,
    /// Changes of supply less those of demand, an hour.
    Jitter,
    /// How many times better than without scaling.
    Speedup,
    /// Distance from a perfect scaler.
    Deviation,
}

/// What tables are divided into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// What users get.
    ServiceLevel,
    /// What it takes.
    Resources,
    /// What is done for it.
    Scaling,
    /// How supply follows demand.
    Elasticity,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Less is better.
    Less,
    /// More is better.
    More,
    /// The nearer to zero, the better.
    Zero,
}

/// How a number is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// A fraction of one, as percent.
    Percent,
    /// As it is.
    Plain,
    /// How many times.
    Times,
}

/// A share below this is shown as being below it.
const LEAST: f64 = 0.000_01;

/// What is known of a measure: name, head, unit, sense and how it is shown.
type About = (&'static str, &'static str, &'static str, Better, Shown);

impl Group {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::ServiceLevel, Self::Resources, Self::Scaling, Self::Elasticity];

    /// Its heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::ServiceLevel => "what users get",
            Self::Resources => "what it takes",
            Self::Scaling => "what is done for it",
            Self::Elasticity => "how supply follows demand",
        }
    }

    /// Its measures.
    pub fn measures(self) -> impl Iterator<Item = Measure> {
        Measure::ALL.into_iter().filter(move |measure| measure.group() == self)
    }
}

impl Measure {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 25] = [
        Self::BrokenTime,
        Self::BrokenRequests,
        Self::P95,
        Self::P99,
        Self::Failed,
        Self::Cost,
        Self::InstanceHours,
        Self::CpuHours,
        Self::MemoryHours,
        Self::CpuSlack,
        Self::MemorySlack,
        Self::Throttled,
        Self::OomKills,
        Self::Actions,
        Self::Reversals,
        Self::Flaps,
        Self::Effectiveness,
        Self::AccuracyUnder,
        Self::AccuracyOver,
        Self::TimeUnder,
        Self::TimeOver,
        Self::Instability,
        Self::Jitter,
        Self::Speedup,
        Self::Deviation,
    ];

    /// Its name in JSON and CSV.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.about().0
    }

    /// The head of its column.
    #[must_use]
    pub const fn head(self) -> &'static str {
        self.about().1
    }

    /// Its unit in JSON and CSV.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        self.about().2
    }

    /// Which way is better.
    #[must_use]
    pub const fn better(self) -> Better {
        self.about().3
    }

    /// Where it is shown.
    #[must_use]
    pub const fn group(self) -> Group {
        match self {
            Self::BrokenTime | Self::BrokenRequests | Self::P95 | Self::P99 | Self::Failed => Group::ServiceLevel,
            Self::Cost
            | Self::InstanceHours
            | Self::CpuHours
            | Self::MemoryHours
            | Self::CpuSlack
            | Self::MemorySlack => Group::Resources,
            Self::Throttled | Self::OomKills | Self::Actions | Self::Reversals | Self::Flaps | Self::Effectiveness => {
                Group::Scaling
            }
            Self::AccuracyUnder
            | Self::AccuracyOver
            | Self::TimeUnder
            | Self::TimeOver
            | Self::Instability
            | Self::Jitter
            | Self::Speedup
            | Self::Deviation => Group::Elasticity,
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::BrokenTime => {
                "share of the judged time in which a bound on latency or errors is passed, sample by sample"
            }
            Self::BrokenRequests => "share of requests that are slower than the bound in force, or fail",
            Self::P95 => "95th percentile of the response times of requests from outside",
            Self::P99 => "99th percentile of the response times of requests from outside",
            Self::Failed => "requests from outside that fail",
            Self::Cost => "what is kept for the services, by the prices of resources, for a month like this time",
            Self::InstanceHours => "instances there are, those that start and leave too, times hours",
            Self::CpuHours => "CPU limits of all instances, times hours",
            Self::MemoryHours => "memory limits of all instances in GiB, times hours",
            Self::CpuSlack => "share of the CPU limits that is not used",
            Self::MemorySlack => "share of the memory limits that the largest instance does not use",
            Self::Throttled => "share of quota periods in which an instance is throttled",
            Self::OomKills => "OOM kills of all services",
            Self::Actions => "changes of a limit or of the number of instances",
            Self::Reversals => "actions in the other direction than the one before them",
            Self::Flaps => "reversals within ten minutes",
            Self::Effectiveness => {
                "how effective, from 0 to 1: service levels held, changes that last, use of what is kept"
            }
            Self::AccuracyUnder => "what is missing relative to demand, mean over time",
            Self::AccuracyOver => "what is too much relative to demand, mean over time",
            Self::TimeUnder => "share of the time with fewer instances than needed",
            Self::TimeOver => "share of the time with more instances than needed",
            Self::Instability => "share of looks at which supply and demand moved apart",
            Self::Jitter => {
                "instances added and removed, less those that demand asked for, an hour; below zero is sluggish"
            }
            Self::Speedup => {
                "how many times smaller accuracies and time shares are than without scaling, geometric mean"
            }
            Self::Deviation => "distance from a perfect scaler: accuracy, time share and instability in one figure",
        }
    }

    /// A value as people read it, with half the width of its interval where there is one: `1.23% ±0.1`.
    #[must_use]
    pub fn text(self, value: f64, half: Option<f64>) -> String {
        let (scale, mark) = match self.about().4 {
            Shown::Percent => (100.0, "%"),
            Shown::Plain => (1.0, ""),
            Shown::Times => (1.0, "x"),
        };
        if scale > 1.0 && value > 0.0 && value < LEAST {
            return format!("<{}%", LEAST * scale);
        }
        let shown = short(value * scale, 3);
        let half = half.map(|half| half * scale).filter(|half| *half > 0.0).map(|half| format!(" ±{}", short(half, 1)));
        format!("{shown}{mark}{}", half.unwrap_or_default())
    }

    const fn about(self) -> About {
        use Better::Less;
        use Better::More;
        use Better::Zero;
        use Shown::Percent;
        use Shown::Plain;
        use Shown::Times;
        match self {
            Self::BrokenTime => ("broken_time", "SLO broken", "share", Less, Percent),
            Self::BrokenRequests => ("broken_requests", "bad requests", "share", Less, Percent),
            Self::P95 => ("latency_ms_p95", "p95 ms", "ms", Less, Plain),
            Self::P99 => ("latency_ms_p99", "p99 ms", "ms", Less, Plain),
            Self::Failed => ("requests_failed", "failed", "requests", Less, Plain),
            Self::Cost => ("cost_monthly", "USD/month", "USD", Less, Plain),
            Self::InstanceHours => ("instance_hours", "instance-h", "hours", Less, Plain),
            Self::CpuHours => ("cpu_core_hours", "core-h", "core-hours", Less, Plain),
            Self::MemoryHours => ("memory_gib_hours", "GiB-h", "GiB-hours", Less, Plain),
            Self::CpuSlack => ("cpu_slack", "CPU slack", "share", Less, Percent),
            Self::MemorySlack => ("memory_slack", "memory slack", "share", Less, Percent),
            Self::Throttled => ("throttled_share", "throttled", "share", Less, Percent),
            Self::OomKills => ("oom_kills", "OOM kills", "kills", Less, Plain),
            Self::Actions => ("actions", "actions", "actions", Less, Plain),
            Self::Reversals => ("reversals", "reversals", "actions", Less, Plain),
            Self::Flaps => ("flaps", "flaps", "actions", Less, Plain),
            Self::Effectiveness => ("effectiveness", "effective", "of 1", More, Plain),
            Self::AccuracyUnder => ("accuracy_under", "too little", "share", Less, Percent),
            Self::AccuracyOver => ("accuracy_over", "too much", "share", Less, Percent),
            Self::TimeUnder => ("time_under", "time too little", "share", Less, Percent),
            Self::TimeOver => ("time_over", "time too much", "share", Less, Percent),
            Self::Instability => ("instability", "instability", "share", Less, Percent),
            Self::Jitter => ("jitter_hourly", "jitter/h", "instances per hour", Zero, Plain),
            Self::Speedup => ("elastic_speedup", "speedup", "times", More, Times),
            Self::Deviation => ("deviation", "deviation", "share", Less, Percent),
        }
    }
}

/// So many digits, in groups of three where it is large.
fn short(value: f64, digits: i32) -> String {
    if value.abs() < 1000.0 {
        return rounded(value, digits);
    }
    format!("{}{}", if value < 0.0 { "-" } else { "" }, thousands(value.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_measure_is_in_one_group_and_has_a_name_of_its_own() {
        let grouped: Vec<Measure> = Group::ALL.into_iter().flat_map(Group::measures).collect();
        assert_eq!(grouped, Measure::ALL, "in the order of the groups");
        assert_eq!(Measure::ALL.map(Measure::name).into_iter().collect::<BTreeSet<_>>().len(), Measure::ALL.len());
        assert_eq!(Measure::ALL.map(Measure::head).into_iter().collect::<BTreeSet<_>>().len(), Measure::ALL.len());
    }

    #[test]
    fn figures_read_as_people_say_them() {
        let rows = [
            (Measure::BrokenTime, 0.012_34, Some(0.002), "1.23% ±0.2"),
            (Measure::BrokenTime, 0.0, Some(0.0), "0%"),
            (Measure::BrokenTime, 0.000_001, Some(0.000_002), "<0.001%"),
            (Measure::P95, 12_345.6, Some(1_234.0), "12,346 ±1,234"),
            (Measure::Jitter, -3.25, None, "-3.25"),
            (Measure::Jitter, -1234.0, None, "-1,234"),
            (Measure::Speedup, 2.0, Some(0.25), "2x ±0.2"),
        ];
        for (measure, value, half, text) in rows {
            assert_eq!(measure.text(value, half), text);
        }
    }
}
