//! How far response times of the model are off, by what a scenario has in it and by how full its busiest part is: the figures
//! of `docs/accuracy.md`, for answers that rest on a response time.
//!
//! Before you change it:
//! 1. `errors.csv` is written with the page (`PLIMSOLL_ACCURACY=write`), and a test holds them against each other.
//! 2. Where several kinds of cases are like a scenario the worst of them counts: nobody measured them together.

use crate::model::Balance;
use crate::model::Pattern;
use crate::model::Scenario;
use crate::model::ServiceModel;
use crate::units::Bytes;
use crate::units::Span;
use std::fmt;
use std::sync::OnceLock;

/// A part that is fuller by no more than this is like the cases of a load.
const ALIKE: f64 = 0.02;

const ERRORS: &str = include_str!("errors.csv");

/// What was held against the exact simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// One service.
    Single,
    /// Containers on one host.
    Equal,
    /// Containers of different weights.
    Weighted,
    /// Services that call each other.
    Graph,
    /// Calls with all that is between.
    Between,
    /// Clients in a closed loop.
    Clients,
    /// Calls through few connections.
    Pools,
    /// Containers on some cores only.
    Pinned,
    /// The line to the outside.
    Line,
    /// Replicas in turn.
    Turns,
    /// Replicas by fewest requests.
    Fewest,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Single,
        Self::Equal,
        Self::Weighted,
        Self::Graph,
        Self::Between,
        Self::Clients,
        Self::Pools,
        Self::Pinned,
        Self::Line,
        Self::Turns,
        Self::Fewest,
    ];

    /// Its heading in `docs/accuracy.md`.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Single => "One service",
            Self::Equal => "Containers on one host",
            Self::Weighted => "Containers of different weights",
            Self::Graph => "Services that call each other",
            Self::Between => "Calls with all that is between",
            Self::Clients => "Clients in a closed loop",
            Self::Pools => "Calls through few connections",
            Self::Pinned => "Containers on some cores only",
            Self::Line => "The line to the outside",
            Self::Turns => "Replicas in turn",
            Self::Fewest => "Replicas by fewest requests",
        }
    }

    /// The kinds that are like a scenario: never none.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Vec<Self> {
        let services: Vec<&ServiceModel> = scenario.services.values().collect();
        let calls = || services.iter().flat_map(|service| &service.work.calls);
        let has_between = calls().any(|call| {
            call.stage.is_some() || call.cached.get() > 0 || call.timeout.is_some() || call.retry.is_some()
        }) || services.iter().any(|service| service.blocking || service.backlog.is_some())
            || scenario.host.hop > Span::ZERO;
        let is_weighted = services.iter().any(|service| service.weight != services[0].weight);
        let is_line = scenario.host.hardware.network_mbit.is_some()
            && services.iter().any(|service| service.work.request > Bytes::ZERO || service.work.answer > Bytes::ZERO);
        let balanced = |balance| services.iter().any(|service| service.balance == balance && service.replicas > 1);
        let applies = |kind: &Self| match kind {
            Self::Single => services.len() == 1,
            Self::Equal => services.len() > 1 && !is_weighted,
            Self::Weighted => is_weighted,
            Self::Graph => calls().next().is_some() && !has_between,
            Self::Between => calls().next().is_some() && has_between,
            Self::Clients => scenario.load.values().any(|load| matches!(load.pattern, Pattern::Clients { .. })),
            Self::Pools => calls().any(|call| call.pool.is_some()),
            Self::Pinned => services.iter().any(|service| service.cpuset.is_some()),
            Self::Line => is_line,
            Self::Turns => balanced(Balance::RoundRobin),
            Self::Fewest => balanced(Balance::LeastConnections),
        };
        let mut kinds: Vec<Self> = Self::ALL.into_iter().filter(applies).collect();
        if kinds.is_empty() {
            kinds.push(Self::Equal);
        }
        kinds
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title().to_lowercase())
    }
}

/// How far P95 is off where the busiest part is so full. An error of 0.2 is a figure 20 % above the true one, or the true one
/// 20 % above the figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracy {
    /// The cases that tell.
    pub kind: Kind,
    /// Load of the busiest part in these cases, in percent.
    pub load: u32,
    /// Half of the cases are nearer to the truth than this.
    pub half: f64,
    /// Nine of ten cases are nearer to the truth than this.
    pub nine_of_ten: f64,
    /// The busiest part is fuller than any case was.
    pub is_beyond: bool,
}

impl Accuracy {
    /// For a scenario whose busiest part is so full, as a share of one; between two measured loads, the next higher one.
    #[must_use]
    pub fn of(scenario: &Scenario, fullest: f64) -> Self {
        let worst = |one: &Self, other: &Self| one.nine_of_ten.total_cmp(&other.nine_of_ten);
        let all = Kind::of(scenario).into_iter().filter_map(|kind| Self::at(kind, fullest));
        all.max_by(worst).expect("every kind was measured at every load")
    }

    /// For one kind.
    fn at(kind: Kind, fullest: f64) -> Option<Self> {
        let of_kind: Vec<&Row> = rows().iter().filter(|row| row.kind == kind).collect();
        let next = of_kind.iter().find(|row| f64::from(row.load) / 100.0 + ALIKE >= fullest);
        let row = next.or(of_kind.last())?;
        Some(Self { kind, load: row.load, half: row.half, nine_of_ten: row.nine_of_ten, is_beyond: next.is_none() })
    }
}

struct Row {
    kind: Kind,
    load: u32,
    half: f64,
    nine_of_ten: f64,
}

/// By kind and load, the lowest load first.
fn rows() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| ERRORS.lines().skip(1).filter_map(row).collect())
}

fn row(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.split(',').collect();
    let [title, load, _, _, _, half, nine_of_ten] = cells[..] else { return None };
    Some(Row {
        kind: Kind::ALL.into_iter().find(|kind| kind.title() == title)?,
        load: load.parse().ok()?,
        half: half.parse().ok()?,
        nine_of_ten: nine_of_ten.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_was_measured_at_every_load_and_the_page_says_the_same() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/accuracy.md")).expect("the page");
        for kind in Kind::ALL {
            let section = page.split(&format!("## {}\n", kind.title())).nth(1).expect("a section");
            let section = section.split("\n## ").next().unwrap_or(section);
            let shown: Vec<&str> =
                section.lines().filter(|line| line.contains(" % |") && line.starts_with("| ")).collect();
            let of_kind: Vec<&Row> = rows().iter().filter(|row| row.kind == kind).collect();
            assert_eq!((of_kind.len(), shown.len()), (5, 5), "{kind}");
            for (row, line) in of_kind.iter().zip(shown) {
                let p95 = format!("| {:.1} %, {:.1} % |", row.half * 100.0, row.nine_of_ten * 100.0);
                assert!(line.starts_with(&format!("| {} % |", row.load)) && line.contains(&p95), "{line}: {p95}");
            }
        }
    }

    #[test]
    fn between_two_loads_the_higher_one_tells_and_above_all_it_is_said() {
        let at = |fullest| Accuracy::at(Kind::Single, fullest).expect("measured");
        assert_eq!((at(0.0).load, at(0.43).load, at(0.6).load, at(0.92).load), (20, 60, 60, 90));
        assert!(!at(0.92).is_beyond && at(0.93).is_beyond);
        assert!(at(0.95).nine_of_ten > at(0.2).nine_of_ten);
    }
}
