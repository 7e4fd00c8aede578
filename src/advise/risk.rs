//! How risky a recommendation is, by a count of what speaks against it, not by feeling:
//!
//! - the runs are shorter than a day, so that no whole day was seen;
//! - there is one seed only;
//! - an expectation is left with less than a tenth of its bound;
//! - what is to make things better makes P95 of a service worse, by more than 2 %;
//! - memory is taken from a service that holds data, which uses what it gets as a cache;
//! - nothing is proved, which counts twice.
//!
//! None of these is a low risk, one a medium one, and more a high one.

use super::Kind;
use super::change::Change;
use super::trial::Trial;
use crate::model::ServiceName;
use crate::report::Figure;
use crate::units::Span;

/// How much could go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing speaks against it.
    Low,
    /// One thing does.
    Medium,
    /// More do.
    High,
}

impl Level {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// How risky something is, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Risk {
    /// How much.
    pub level: Level,
    /// What speaks against it, in words.
    pub because: Vec<String>,
}

/// P95 that rises by more than this is worse, as a share of itself in hundredths.
const WORSE: u64 = 2;
/// Room below which an expectation counts as near its bound.
const ROOM: f64 = 0.1;

impl Risk {
    /// Of a change that was tried.
    pub(super) fn of(kind: Kind, change: &Change, base: &Trial, tried: &Trial) -> Self {
        let mut because = Vec::new();
        if tried.history() < Span::from_mins(23 * 60) {
            because.push(format!("no whole day was seen, only {}", tried.history()));
        }
        if tried.scenario.seeds.len() == 1 {
            because.push("there is one seed only".to_owned());
        }
        for (verdict, before) in tried.report.verdicts.iter().zip(&base.report.verdicts) {
            let near = |margin: Option<f64>| margin.is_some_and(|margin| (0.0..ROOM).contains(&margin));
            // What was as near before, such as a bill that is what it may be, is no risk of this change.
            if verdict.passed && near(verdict.worst.margin()) && verdict.worst.margin() != before.worst.margin() {
                because.push(format!("`{}` has less than a tenth of its bound left", verdict.name));
            }
        }
        if kind == Kind::RightSizing {
            let cut = |name: &&ServiceName| {
                let model = &base.scenario.services[*name];
                let memory = change.sizes[*name].limits.memory;
                model.stateful && memory.is_some() && memory < model.limits.memory
            };
            let holders: Vec<_> = change.sizes.keys().filter(cut).collect();
            if !holders.is_empty() {
                because
                    .push(format!("memory is taken from what holds data: {}", crate::report::words::listed(holders)));
            }
        }
        if kind == Kind::Performance {
            because.extend(slower(base, tried));
        }
        let unproved = usize::from(!tried.is_proof());
        if unproved > 0 {
            because.push("it is not proved".to_owned());
        }
        let level = match because.len() + unproved {
            0 => Level::Low,
            1 => Level::Medium,
            _ => Level::High,
        };
        Self { level, because }
    }
}

/// The services whose P95 rises, with both figures.
fn slower(base: &Trial, tried: &Trial) -> Vec<String> {
    let p95 = |trial: &Trial, name: &ServiceName| {
        let figures = trial.report.together.services.get(name)?;
        Some(figures.latency.quantile(95, 100)?.nanos())
    };
    let one = |name: &ServiceName| {
        let (before, after) = (p95(base, name)?, p95(tried, name)?);
        let is_worse = u128::from(after) * 100 > u128::from(before) * u128::from(100 + WORSE);
        let [before, after] = [before, after].map(Figure::nanos);
        is_worse.then(|| format!("P95 of {name} rises from {before} to {after}"))
    };
    base.scenario.services.keys().filter_map(one).collect()
}
