//! Policies side by side: figures with their intervals, paired differences, and who is a choice at all.
//!
//! Before you change it:
//! 1. Every policy has the same seeds, so a difference is one of policies and not of luck: differences are taken seed by seed.
//! 2. A figure that some run does not have is one that the policy does not have. Nothing is filled in.
//! 3. A policy is on the front where no other one takes less (what it costs) and breaks service levels for no more of the time.
//! 4. Rows are sorted by time with a broken service level, then by cost; the same comparison gives the same bytes.

mod collect;
mod html;
mod json;
mod lines;
mod markdown;
mod measure;
mod supply;
mod table;
mod text;
mod trail;
mod words;
mod write;

pub use collect::Collector;
pub use collect::Frame;
pub use collect::Taken;
pub use html::html;
pub use json::json;
pub use markdown::markdown;
pub use measure::Better;
pub use measure::Group;
pub use measure::Measure;
pub use table::csv;
pub use text::Show;
pub use text::text;
pub use write::write;

pub(in crate::report) use trail::Trail;
pub(in crate::report) use trail::TrailPoint;

use super::elasticity::Weights;
use super::elasticity::speedup;
use super::pareto::dominates;
use super::pareto::front;
use super::statistics::CONFIDENCE;
use super::statistics::Interval;
use super::statistics::Paired;
use super::statistics::holm;
use super::statistics::mean;
use crate::model::Capacity;
use crate::model::Scenario;
use crate::seed::Seed;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One policy with its runs.
#[derive(Debug, Clone)]
pub struct Contestant {
    /// What it is called.
    pub name: String,
    /// Its runs, by seed.
    pub runs: Vec<Taken>,
}

/// What is compared, and what is known beside.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The scenario, with whatever policies.
    pub scenario: Arc<Scenario>,
    /// The scenario as the user named it.
    pub path: String,
    /// The command that shows it again.
    pub command: String,
    /// The services.
    pub frame: Frame,
    /// What each number of instances holds.
    pub capacities: Vec<Capacity>,
    /// Why something cannot be told.
    pub untold: Vec<String>,
}

/// A comparison.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// What is compared.
    pub setting: Setting,
    /// The seeds.
    pub seeds: Vec<Seed>,
    /// The policy that the others are compared with.
    pub base: String,
    /// What the front is about: the cost, where it is known, and the time with a broken service level. `None` where nothing
    /// is expected.
    pub plane: Option<[Measure; 2]>,
    /// The policies, the best first.
    pub rows: Vec<Row>,
}

/// A policy in a comparison.
#[derive(Debug, Clone)]
pub struct Row {
    /// What it is called.
    pub name: String,
    /// Its figures over all seeds.
    pub figures: BTreeMap<Measure, Estimate>,
    /// Its place on the plane.
    pub standing: Standing,
    /// Supply and demand over time, of the first seed.
    pub(in crate::report) trail: Option<Trail>,
}

/// Whether a policy is a choice.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// Nobody is nowhere worse and somewhere better.
    OnFront,
    /// Somebody is.
    Dominated {
        /// Who, of those on the front the one that is nearest in cost.
        by: String,
        /// How much less that one costs, as a share of what this one does.
        cost_less: f64,
        /// For how much less of the time that one breaks service levels, as a share of the time.
        broken_less: f64,
    },
    /// There is no plane, or it has no place on it.
    Unplaced,
}

/// A figure over all seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Seed by seed.
    pub values: Vec<f64>,
    /// The mean.
    pub mean: f64,
    /// Where the true mean is likely to be; `None` of one seed.
    pub interval: Option<Interval>,
    /// How it differs from the base's; `None` for the base itself, and where the base has no such figure.
    pub difference: Option<Difference>,
}

/// How a policy differs from the base.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The mean difference, seed by seed: below zero where this policy has less.
    pub mean: f64,
    /// Its interval, and how likely it is by luck alone; `None` of one seed.
    pub paired: Option<Paired>,
    /// The p value, raised for as many policies as there are (Holm); `None` of one seed.
    pub p_value: Option<f64>,
}

/// Below this p value two policies differ.
pub const P_VALUE_MAX: f64 = 0.05;

impl Estimate {
    fn of(values: Vec<f64>) -> Option<Self> {
        let (mean, interval) = (mean(&values)?, Interval::of(&values, CONFIDENCE));
        Some(Self { values, mean, interval, difference: None })
    }

    /// Half the width of the interval.
    #[must_use]
    pub fn half(&self) -> Option<f64> {
        self.interval.map(|interval| interval.high - self.mean)
    }
}

impl Difference {
    /// Whether it is more than luck.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.p_value.is_some_and(|p_value| p_value < P_VALUE_MAX)
    }
}

impl Comparison {
    /// A comparison of policies, whose runs are in the order of the seeds, with one of them: `base` by its name, and
    /// `unscaled` is the name of the one without a policy. `None` without a run.
    #[must_use]
    pub fn new(
        setting: Setting,
        seeds: Vec<Seed>,
        contestants: Vec<Contestant>,
        (base, unscaled): (&str, &str),
    ) -> Option<Self> {
        if seeds.is_empty() || contestants.is_empty() {
            return None;
        }
        let still = contestants.iter().find(|contestant| contestant.name == unscaled).map(|still| still.runs.clone());
        let mut rows: Vec<Row> =
            contestants.into_iter().map(|contestant| row(contestant, still.as_deref().unwrap_or_default())).collect();
        compare_with(&mut rows, base);
        let has = |measure: Measure| rows.iter().any(|row| row.figures.contains_key(&measure));
        let plane = has(Measure::BrokenTime).then_some([Measure::Cost, Measure::BrokenTime]);
        if let Some(plane) = &plane {
            place(&mut rows, plane);
        }
        sort(&mut rows);
        Some(Self { setting, seeds, base: base.to_owned(), plane, rows })
    }

    /// A row by the name of its policy.
    #[must_use]
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// The measures of a group that some policy has.
    pub fn measures(&self, group: Group) -> impl Iterator<Item = Measure> {
        group.measures().filter(|measure| self.rows.iter().any(|row| row.figures.contains_key(measure)))
    }
}

impl Row {
    /// Its place on a plane; nowhere where it lacks a figure.
    fn point(&self, plane: &[Measure; 2]) -> [f64; 2] {
        plane.map(|measure| self.figures.get(&measure).map_or(f64::NAN, |estimate| estimate.mean))
    }
}

fn row(contestant: Contestant, still: &[Taken]) -> Row {
    let Contestant { name, mut runs } = contestant;
    for (run, still) in runs.iter_mut().zip(still) {
        if let (Some(after), Some(before)) = (&run.provisioning, &still.provisioning) {
            run.figures.insert(Measure::Speedup, speedup(before, after, &Weights::default()).factor);
        }
    }
    let of = |measure: Measure| {
        let values: Option<Vec<f64>> = runs.iter().map(|run| run.figures.get(&measure).copied()).collect();
        Some((measure, Estimate::of(values?)?))
    };
    let figures = Measure::ALL.into_iter().filter_map(of).collect();
    let trail = runs.into_iter().next().and_then(|run| run.trail);
    Row { name, figures, standing: Standing::Unplaced, trail }
}

/// Compares each row with that of the base, figure by figure. The p values of one figure are raised together.
fn compare_with(rows: &mut [Row], base: &str) {
    let Some(base) = rows.iter().find(|row| row.name == base).cloned() else { return };
    for (measure, of_base) in &base.figures {
        let mut compared = Vec::new();
        for row in rows.iter_mut().filter(|row| row.name != base.name) {
            let Some(estimate) = row.figures.get_mut(measure) else { continue };
            let differences: Vec<f64> =
                of_base.values.iter().zip(&estimate.values).map(|(base, other)| other - base).collect();
            let Some(mean) = mean(&differences) else { continue };
            let paired = Paired::of(&of_base.values, &estimate.values, CONFIDENCE);
            compared.push(estimate.difference.insert(Difference { mean, paired, p_value: None }));
        }
        let raised =
            holm(&compared.iter().map(|one| one.paired.map_or(1.0, |paired| paired.p_value)).collect::<Vec<_>>());
        for (difference, p_value) in compared.into_iter().zip(raised) {
            difference.p_value = difference.paired.map(|_| p_value);
        }
    }
}

/// Says of each row whether it is on the front, and who is better where it is not.
fn place(rows: &mut [Row], plane: &[Measure; 2]) {
    let points: Vec<[f64; 2]> = rows.iter().map(|row| row.point(plane)).collect();
    let front = front(&points);
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    for (index, row) in rows.iter_mut().enumerate() {
        let point = points[index];
        // The front is in the order of cost, so the last one that dominates is the nearest.
        let better = front.iter().rev().find(|better| dominates(&points[**better], &point));
        row.standing = match better {
            _ if front.contains(&index) => Standing::OnFront,
            Some(better) => Standing::Dominated {
                by: names[*better].clone(),
                cost_less: if point[0] > 0.0 { 1.0 - points[*better][0] / point[0] } else { 0.0 },
                broken_less: point[1] - points[*better][1],
            },
            None => Standing::Unplaced,
        };
    }
}

/// By the time with a broken service level, then by cost, then by name; who has none of it comes last.
fn sort(rows: &mut [Row]) {
    let key = |row: &Row| {
        row.point(&[Measure::BrokenTime, Measure::Cost]).map(|value| if value.is_nan() { f64::MAX } else { value })
    };
    rows.sort_by(|one, other| {
        let [broken, cost] = key(one);
        let [other_broken, other_cost] = key(other);
        broken.total_cmp(&other_broken).then(cost.total_cmp(&other_cost)).then_with(|| one.name.cmp(&other.name))
    });
}
