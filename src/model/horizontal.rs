//! How many instances a service is to have: the figures of every horizontal policy (register E2 to E5).

use super::MetricName;
use super::Quantity;
use super::Reference;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;
use std::collections::BTreeSet;
use std::fmt;

/// A horizontal policy: its rule, and the guards that hold for every rule.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Horizontal {
    /// Instances, at least.
    pub replicas_min: u32,
    /// Instances, at most.
    pub replicas_max: u32,
    /// Instances on one host, at most (Swarm's `max_replicas_per_node`); `None` is without limit.
    pub per_host: Option<u32>,
    /// Time between two evaluations.
    pub every: Span,
    /// Window that usage, rates and times are measured over.
    pub window: Span,
    /// Instances that are added at once, at most.
    pub step_up: u32,
    /// Instances that are removed at once, at most.
    pub step_down: u32,
    /// Time after instances were added in which none are added.
    pub cooldown_up: Span,
    /// Time after any change of their number in which none are removed.
    pub cooldown_down: Span,
    /// Metrics older than this are not acted on.
    pub stale_after: Span,
    /// All CPU limits together, against the host's pool, at most.
    pub overcommit_cpu: Permille,
    /// All memory limits together, against the host's pool, at most.
    pub overcommit_memory: Permille,
    /// How the number is found.
    pub scaling: Scaling,
    /// Instances are there before the load, where its days are alike; `None` is only when it is seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<Ahead>,
    /// Times with a range of their own; where several hold, the last of them counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<Period>,
}

/// How far ahead a policy looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Ahead {
    /// CPU that each instance is to use of its limit under the load that is forecast.
    pub cpu: Permille,
    /// How far ahead: what a start takes, and one evaluation.
    pub by: Span,
}

/// A time of the week in which a service has another range of instances (register E14). Weeks begin at midnight of a
/// Monday, as runs do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Period {
    /// The days on which it begins, Monday first.
    pub days: [bool; 7],
    /// Time of day at which it begins.
    pub from: Span,
    /// How long it lasts, a day at most; what goes past midnight belongs to the day on which it began.
    pub lasts: Span,
    /// Instances in it, at least.
    pub replicas_min: u32,
    /// Instances in it, at most.
    pub replicas_max: u32,
}

impl Period {
    const DAY: Span = Span::from_mins(24 * 60);

    /// Whether a time lies in it.
    #[must_use]
    pub fn holds(&self, at: Instant) -> bool {
        let day = at.since_start().fit(Self::DAY);
        let time = at.since_start().minus(Self::DAY.times(day));
        let begins = |day: u64| usize::try_from(day % 7).is_ok_and(|day| self.days[day]);
        let (today, yesterday) = (begins(day), begins(day + 6));
        let end = self.from.plus(self.lasts);
        today && time >= self.from && time < end || yesterday && time.plus(Self::DAY) < end
    }
}

impl fmt::Display for Period {
    /// `mon tue 20h for 10h: 1..2`; the days are left out where it begins on all of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        for (name, _) in names.iter().zip(self.days).filter(|(_, begins)| *begins && self.days != [true; 7]) {
            write!(f, "{name} ")?;
        }
        write!(f, "{} for {}: {}..{}", self.from, self.lasts, self.replicas_min, self.replicas_max)
    }
}

/// How a horizontal policy finds its number.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Scaling {
    /// One figure above its bound adds, all below theirs remove (register E2 and E3).
    Bounds(Bounds),
    /// Points for each figure beyond its bound (register E4).
    Points(PointScore),
    /// A weighted mean of figures (register E5).
    Weighted(WeightedScore),
    /// A policy of the field (register E7).
    Reference(Reference),
    /// The range alone, which a schedule changes (register E14).
    Schedule,
}

/// What is measured of a service, or known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Signal {
    /// CPU used, as a share of the limit; of the host's pool where there is none. The mean over the instances.
    Cpu,
    /// Working set as a share of the limit, the mean over the instances. Without a limit there is no such figure: a host that
    /// is full is no reason for one more.
    Memory,
    /// Requests in the service, waiting or worked on, of all instances together.
    Queue,
    /// The 95th percentile of response times.
    Latency,
    /// Share of requests that failed.
    Errors,
    /// Requests per second, of all instances together.
    Requests,
    /// Instances there are.
    Replicas,
    /// A metric of the business, of all instances together.
    Custom(MetricName),
}

/// Bounds of figures.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Bounds {
    /// A figure above its bound adds instances, each by itself.
    pub up: Vec<Trigger>,
    /// All figures below their bounds, and instances above theirs, remove instances. What is not measured at all is left out.
    pub down: Vec<Trigger>,
}

/// A bound of a figure, and how long it must be passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Trigger {
    /// The figure.
    pub signal: Signal,
    /// The bound. It is passed strictly: exactly on it is within.
    pub bound: Quantity,
    /// It must be passed at every evaluation for so long; zero is at once.
    pub lasts: Span,
}

/// Points for each figure beyond its bound (register E4).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PointScore {
    /// What counts for adding: figures above their bounds.
    pub up: Vec<Points>,
    /// What counts for removing: figures below their bounds, and instances above the fewest.
    pub down: Vec<Points>,
    /// So many points add.
    pub up_from: u32,
    /// So many points remove, where none count for adding.
    pub down_from: u32,
}

/// So many points for a figure beyond its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Points {
    /// The figure and its bound.
    pub trigger: Trigger,
    /// The points.
    pub points: u32,
}

/// A weighted mean of figures, each over what counts as one (register E5).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WeightedScore {
    /// What counts.
    pub parts: Vec<WeightedPart>,
    /// Above this it adds.
    pub up: Permille,
    /// Below this it removes.
    pub down: Permille,
}

/// One part of a weighted mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WeightedPart {
    /// The figure.
    pub signal: Signal,
    /// Its weight; only its share of all weights counts.
    pub weight: u32,
    /// The figure that counts as one.
    pub whole: Quantity,
}

impl Scaling {
    /// Whether the rule looks at a figure of a kind.
    #[must_use]
    pub fn looks_at(&self, mut is_of_kind: impl FnMut(Signal) -> bool) -> bool {
        match self {
            Self::Bounds(bounds) => bounds.up.iter().chain(&bounds.down).any(|one| is_of_kind(one.signal)),
            Self::Points(score) => score.up.iter().chain(&score.down).any(|one| is_of_kind(one.trigger.signal)),
            Self::Weighted(score) => score.parts.iter().any(|part| part.weight > 0 && is_of_kind(part.signal)),
            Self::Reference(reference) => reference.targets().iter().any(|target| is_of_kind(target.signal)),
            Self::Schedule => false,
        }
    }
}

impl Signal {
    /// Whether it is counted where requests come in.
    #[must_use]
    pub const fn is_of_requests(self) -> bool {
        match self {
            Self::Queue | Self::Latency | Self::Errors | Self::Requests => true,
            Self::Cpu | Self::Memory | Self::Replicas | Self::Custom(_) => false,
        }
    }

    /// Its name, as policies and reports write it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Queue => "queue",
            Self::Latency => "p95",
            Self::Errors => "errors",
            Self::Requests => "requests",
            Self::Replicas => "replicas",
            Self::Custom(name) => name.as_str(),
        }
    }

    /// Where a policy writes it: its name, metrics of the business below `custom`.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Custom(name) => format!("custom.{name}"),
            other => other.name().to_owned(),
        }
    }
}

impl fmt::Display for Trigger {
    /// The bound as a policy writes it: `70%`, `3s for 5m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lasts == Span::ZERO { self.bound.fmt(f) } else { write!(f, "{} for {}", self.bound, self.lasts) }
    }
}

impl Horizontal {
    /// The guards' figures of register E2, around a rule. Where it gives none: the step up and down is up to two, metrics
    /// are stale after two minutes, and limits may be promised as often as for vertical policies.
    #[must_use]
    pub const fn around(scaling: Scaling) -> Self {
        Self {
            replicas_min: 2,
            replicas_max: 5,
            per_host: None,
            every: Span::from_secs(30),
            window: Span::from_mins(5),
            step_up: 2,
            step_down: 2,
            cooldown_up: Span::from_mins(5),
            cooldown_down: Span::from_mins(10),
            stale_after: Span::from_mins(2),
            overcommit_cpu: Permille::percent(200),
            overcommit_memory: Permille::percent(150),
            scaling,
            ahead: None,
            schedule: Vec::new(),
        }
    }

    /// Whether its rule, or its forecast, looks at a figure of a kind.
    #[must_use]
    pub fn looks_at(&self, mut is_of_kind: impl FnMut(Signal) -> bool) -> bool {
        self.ahead.is_some() && is_of_kind(Signal::Cpu) || self.scaling.looks_at(is_of_kind)
    }

    /// The metrics of the business that its rule looks at.
    #[must_use]
    pub fn metrics(&self) -> BTreeSet<MetricName> {
        let mut found = BTreeSet::new();
        // Asked about each, it is none of them.
        let _: bool = self.scaling.looks_at(|signal| {
            if let Signal::Custom(name) = signal {
                found.insert(name);
            }
            false
        });
        found
    }

    /// A policy of the field with nothing around it but a range: its own rests and steps are enough.
    #[must_use]
    pub fn of_the_field(reference: Reference) -> Self {
        Self {
            replicas_min: 1,
            replicas_max: 10,
            every: reference.every(),
            window: reference.window(),
            step_up: u32::MAX,
            step_down: u32::MAX,
            cooldown_up: Span::ZERO,
            cooldown_down: Span::ZERO,
            ..Self::around(Scaling::Reference(reference))
        }
    }

    /// Instances at this time, at least and at most; not more than may be on one host.
    #[must_use]
    pub fn range(&self, at: Instant) -> (u32, u32) {
        let period = self.schedule.iter().rfind(|period| period.holds(at));
        let (least, most) =
            period.map_or((self.replicas_min, self.replicas_max), |period| (period.replicas_min, period.replicas_max));
        (least, self.per_host.map_or(most, |each| most.min(each)))
    }

    /// Instances at any time, at least and at most.
    #[must_use]
    pub fn widest(&self) -> (u32, u32) {
        let periods = self.schedule.iter().map(|period| (period.replicas_min, period.replicas_max));
        let both = |(least, most): (u32, u32), (low, high): (u32, u32)| (least.min(low), most.max(high));
        let (least, most) = periods.fold((self.replicas_min, self.replicas_max), both);
        (least, self.per_host.map_or(most, |each| most.min(each)))
    }
}

/// A share of a limit, as triggers compare it.
const fn share(percent: u64) -> Quantity {
    Quantity::Share(percent * 10_000)
}

impl Bounds {
    /// Register E2: up at 70 % CPU or 80 % memory, down at 20 % CPU and 40 % memory, at once.
    #[must_use]
    pub fn thresholds() -> Self {
        let at_once = |signal, percent| Trigger { signal, bound: share(percent), lasts: Span::ZERO };
        Self {
            up: vec![at_once(Signal::Cpu, 70), at_once(Signal::Memory, 80)],
            down: vec![at_once(Signal::Cpu, 20), at_once(Signal::Memory, 40)],
        }
    }

    /// Register E3: each for five minutes, errors for two; down where all hold for fifteen.
    #[must_use]
    pub fn triggers() -> Self {
        let (five, quarter) = (Span::from_mins(5), Span::from_mins(15));
        let trigger = |signal, bound, lasts| Trigger { signal, bound, lasts };
        Self {
            up: vec![
                trigger(Signal::Cpu, share(70), five),
                trigger(Signal::Memory, share(80), five),
                trigger(Signal::Queue, Quantity::Number(50_000), five),
                trigger(Signal::Latency, Quantity::Time(Span::from_secs(3)), five),
                trigger(Signal::Errors, share(5), Span::from_mins(2)),
            ],
            down: vec![
                trigger(Signal::Cpu, share(20), quarter),
                trigger(Signal::Memory, share(40), quarter),
                trigger(Signal::Queue, Quantity::Number(10_000), quarter),
                trigger(Signal::Latency, Quantity::Time(Span::from_secs(1)), quarter),
            ],
        }
    }
}

impl Default for PointScore {
    /// Register E4: up to 14 points for adding and 7 for removing. It does not say how many are enough: four, so that errors
    /// or two other figures add; and six, so that all but one of the lighter figures must allow it.
    fn default() -> Self {
        let points = |signal, bound, points| Points { trigger: Trigger { signal, bound, lasts: Span::ZERO }, points };
        let seconds = |count| Quantity::Time(Span::from_secs(count));
        Self {
            up: vec![
                points(Signal::Cpu, share(70), 3),
                points(Signal::Memory, share(80), 3),
                points(Signal::Queue, Quantity::Number(50_000), 2),
                points(Signal::Latency, seconds(3), 2),
                points(Signal::Errors, share(5), 4),
            ],
            down: vec![
                points(Signal::Cpu, share(20), 2),
                points(Signal::Memory, share(40), 2),
                points(Signal::Queue, Quantity::Number(10_000), 1),
                points(Signal::Latency, seconds(1), 1),
                points(Signal::Replicas, Quantity::Number(2_000), 1),
            ],
            up_from: 4,
            down_from: 6,
        }
    }
}

impl Default for WeightedScore {
    /// Register E5: CPU and memory over their limit, response time over 5 s, errors over 10 %, requests over 1,000 a second.
    /// It gives neither weights nor thresholds: CPU decides where nothing else is wrong, and 70 % and 30 % are those of its
    /// balanced template.
    fn default() -> Self {
        let part = |signal, weight, whole| WeightedPart { signal, weight, whole };
        Self {
            parts: vec![
                part(Signal::Cpu, 80, share(100)),
                part(Signal::Memory, 10, share(100)),
                part(Signal::Latency, 5, Quantity::Time(Span::from_secs(5))),
                part(Signal::Errors, 5, share(10)),
                part(Signal::Requests, 0, Quantity::Rate(1_000_000_000)),
            ],
            up: Permille::percent(70),
            down: Permille::percent(30),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 60;
    const DAY: u64 = 24 * HOUR;

    fn at(minutes: u64) -> Instant {
        Instant::after_start(Span::from_mins(minutes))
    }

    /// Nights from 20:00 to 06:00 that begin on working days, and whole days of the weekend.
    fn policy() -> Horizontal {
        let working = [true, true, true, true, true, false, false];
        let weekend = working.map(|works| !works);
        let hours = |count: u64| Span::from_mins(count * HOUR);
        let night = Period { days: working, from: hours(20), lasts: hours(10), replicas_min: 1, replicas_max: 2 };
        let free = Period { days: weekend, from: Span::ZERO, lasts: hours(24), replicas_min: 0, replicas_max: 1 };
        Horizontal { schedule: vec![night, free], ..Horizontal::around(Scaling::Schedule) }
    }

    #[test]
    fn a_period_goes_over_midnight_and_the_last_that_holds_counts() {
        let policy = policy();
        let rows = [
            (0, (2, 5), "midnight of Monday: Sunday begins no night"),
            (20 * HOUR - 1, (2, 5), "a minute before the night"),
            (20 * HOUR, (1, 2), "the night begins"),
            (DAY + 6 * HOUR - 1, (1, 2), "its last minute"),
            (DAY + 6 * HOUR, (2, 5), "the day begins"),
            (4 * DAY + 21 * HOUR, (1, 2), "Friday night"),
            (5 * DAY + HOUR, (0, 1), "Saturday, over the night of Friday"),
            (7 * DAY - 1, (0, 1), "the last minute of Sunday"),
            (7 * DAY, (2, 5), "Monday of the next week"),
            (8 * DAY + HOUR, (1, 2), "its first night"),
        ];
        for (minutes, range, what) in rows {
            assert_eq!(policy.range(at(minutes)), range, "{what}");
        }
    }

    #[test]
    fn a_host_that_takes_two_has_no_more_of_them_at_any_time() {
        let policy = Horizontal { per_host: Some(1), ..policy() };
        assert_eq!(policy.range(at(21 * HOUR)), (1, 1));
        assert_eq!(policy.widest(), (0, 1));
    }
}
