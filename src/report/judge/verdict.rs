//! The verdict over all seeds.

use super::outcome::Failure;
use super::outcome::Judged;
use super::outcome::wanted;
use crate::model::Comparison;
use crate::model::Expectation;
use crate::report::figure::Figure;
use crate::seed::Seed;

/// What came of one expectation over all seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Its name.
    pub name: String,
    /// The expression as written.
    pub text: String,
    /// What is wanted: `<= 500 ms for 99% of 5m`.
    pub wanted: String,
    /// Whether it holds in enough seeds.
    pub passed: bool,
    /// In so many seeds it held.
    pub seeds_held: usize,
    /// The worst over the seeds, with its seed.
    pub worst: Judged,
    /// Seed of the worst.
    pub worst_seed: Seed,
    /// Smallest, mean and largest over the seeds that could be measured.
    pub spread: Option<(Figure, Figure, Figure)>,
    /// The first seed in which it failed.
    pub failed_seed: Option<Seed>,
    /// Where it failed in that seed.
    pub first_failure: Option<(Seed, Failure)>,
    /// All seeds in order.
    pub by_seed: Vec<(Seed, Judged)>,
}

impl Verdict {
    /// What was measured, as text; over several seeds the worst and the range, where they differ to a reader.
    #[must_use]
    pub fn measured_text(&self) -> String {
        let text = self.worst.measured_text();
        match self.spread {
            Some((low, _, high)) if self.by_seed.len() > 1 && low.to_string() != high.to_string() => {
                format!("{text} in seed {} ({low} to {high})", self.worst_seed.get())
            }
            _ => text,
        }
    }
}

/// The verdicts over all seeds, in the order of the scenario. `runs` holds what [`super::Judge::finish`] gave for each
/// seed; with no run there is no verdict.
#[must_use]
pub fn verdicts(expect: &[Expectation], runs: &[(Seed, Vec<Judged>)]) -> Vec<Verdict> {
    let of = |(place, expectation): (usize, &Expectation)| {
        let by_seed: Vec<(Seed, Judged)> =
            runs.iter().filter_map(|(seed, all)| Some((*seed, all.get(place)?.clone()))).collect();
        verdict(expectation, by_seed)
    };
    expect.iter().enumerate().filter_map(of).collect()
}

fn verdict(expectation: &Expectation, by_seed: Vec<(Seed, Judged)>) -> Option<Verdict> {
    let worst = by_seed.iter().max_by(|(a, one), (b, other)| {
        badness(one).total_cmp(&badness(other)).then(b.cmp(a)) // the first of equals
    })?;
    let (worst_seed, worst) = (worst.0, worst.1.clone());
    let seeds_held = by_seed.iter().filter(|(_, judged)| judged.passed).count();
    let needed = u128::from(expectation.seeds.get()) * by_seed.len() as u128;
    let values: Vec<Figure> = by_seed.iter().filter_map(|(_, judged)| judged.measured).collect();
    let failed = by_seed.iter().find(|(_, judged)| !judged.passed);
    let passed = seeds_held as u128 * 1000 >= needed;
    Some(Verdict {
        name: expectation.name.clone(),
        text: expectation.text.clone(),
        wanted: wanted(expectation),
        passed,
        seeds_held,
        worst,
        worst_seed,
        spread: spread(&values),
        failed_seed: failed.map(|(seed, _)| *seed),
        first_failure: failed.and_then(|(seed, judged)| Some((*seed, judged.first_failure.clone()?))),
        by_seed,
    })
}

fn spread(values: &[Figure]) -> Option<(Figure, Figure, Figure)> {
    let unit = values.first()?.unit;
    let low = values.iter().map(|figure| figure.value).fold(f64::INFINITY, f64::min);
    let high = values.iter().map(|figure| figure.value).fold(f64::NEG_INFINITY, f64::max);
    let mean = values.iter().map(|figure| figure.value).sum::<f64>() / values.len() as f64;
    Some((Figure::new(low, unit), Figure::new(mean, unit), Figure::new(high, unit)))
}

/// The larger, the worse; what could not be measured is the worst.
fn badness(judged: &Judged) -> f64 {
    let Some(measured) = judged.measured else { return f64::INFINITY };
    match judged.comparison {
        Comparison::Less | Comparison::AtMost => measured.value,
        Comparison::More | Comparison::AtLeast => -measured.value,
        Comparison::Equal => (measured.value - judged.bound.map_or(0.0, |bound| bound.value)).abs(),
    }
}
