//! The search for a load line. Before you change it:
//! 1. Every multiple is tried with the same seeds (common random numbers), and each seed has a line of its own: the highest
//!    multiple at which all holds. Lines that come from one stream of chance each say more about the spread than a share of
//!    runs that hold does.
//! 2. A run depends on scenario, multiple and seed alone, and where a search begins is worked out from the runs of the first
//!    two seeds, so the number of threads changes nothing but the time it takes.
//! 3. What it breaks on is tried and not guessed: with ample of a part all must hold, or it was not that part.

use super::grid::Grid;
use super::grid::Rung;
use super::relief::relieved;
use super::spread;
use super::trial::Trial;
use super::trial::asked;
use crate::model::Bound;
use crate::model::Comparison;
use crate::model::Expectation;
use crate::model::Metric;
use crate::model::Quantity;
use crate::model::Scenario;
use crate::report::Judged;
use crate::report::accuracy::Accuracy;
use crate::report::load_line::Breaks;
use crate::report::load_line::CurvePoint;
use crate::report::load_line::End;
use crate::report::load_line::Line;
use crate::report::load_line::LoadLine;
use crate::report::load_line::Next;
use crate::report::load_line::Part;
use crate::run::simulate::Breached;
use crate::run::simulate::on_threads;
use crate::seed::Seed;
use crate::units::Permille;
use crate::units::Span;
use crate::units::whole;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// How full the fullest part may be at the place where a search begins.
const BEGINS_AT: f64 = 0.85;
/// Steps of a search that begins at a guess, and of one that begins where another seed's line is.
const FAR: i32 = 4;
const NEAR: i32 = 1;
/// So many seeds are searched from the guess; the others begin at what these found.
const SCOUTS: usize = 2;
/// So many parts are tried as what it breaks on, of those that are at least so full.
const SUSPECTS: usize = 6;
const SUSPECT: f64 = 0.5;
/// Multiples of a curve, from the first share of the line to the last.
const CURVE: i32 = 14;
const CURVE_FROM: f64 = 0.3;
const CURVE_TO: f64 = 1.5;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// In at least this share of the seeds all must hold.
    pub probability: Permille,
    /// The seeds; those of the scenario are not looked at.
    pub seeds: Vec<Seed>,
    /// Two multiples that are tried are so far apart: the line is as exact as that.
    pub exact: Permille,
    /// Whether to look for what it breaks on, and where the line is without.
    pub explain: bool,
    /// Whether to work out the margins from well below the line to well above it, with so many of the seeds; zero for none.
    pub curve: usize,
}

/// The load line of a scenario on its host. On at most `jobs` threads (zero: one a core); `progress` hears of every run, from
/// any thread.
///
/// # Errors
/// Where the engine breaks its own rules.
///
/// # Panics
/// Without a seed.
pub fn load_line(
    scenario: &Scenario,
    question: &Question,
    jobs: usize,
    progress: &(dyn Fn() + Sync),
) -> Result<LoadLine, Box<Breached>> {
    let (scenario, _) = asked(scenario);
    let search = Search { scenario: &scenario, grid: Grid::new(question.exact), progress };
    let mut known = search.all_seeds(question, jobs)?;
    let rungs: Vec<Rung> = known.iter().map(|one| one.highest).collect();
    let decides = spread::deciding(&rungs, question.probability).expect("a question has seeds");
    let (line, seed) = (rungs[decides], question.seeds[decides]);
    let range = search.grid.range();
    let mut breaks = None;
    let end = if line < *range.start() {
        End::Below(search.grid.multiple(*range.start()))
    } else if line == *range.end() {
        End::Above(search.grid.multiple(line))
    } else {
        End::Line(search.line(&mut known[decides], (line, seed), &rungs, question)?)
    };
    if line < *range.end() {
        let beyond = (line + 1).max(*range.start());
        breaks = Some(search.breaks(&mut known[decides], (beyond, seed), question.explain)?);
    }
    let failing = known[decides].tried.get(&line).map(|trial| trial.failing).unwrap_or_default();
    let at_expected: Vec<&Trial> = known.iter().filter_map(|one| one.tried.get(&0)).collect();
    let expected = means(&at_expected);
    let needed = rungs.iter().filter(|rung| **rung >= 0).count() as u64 * 1000;
    let holds_expected = needed >= question.probability.get() * rungs.len() as u64;
    let curve = search.curve(&known, (line.max(*range.start()), question), jobs)?;
    let by_seed = rungs.iter().map(|rung| (*rung >= *range.start()).then(|| search.grid.multiple(*rung))).collect();
    let runs = known.iter().map(|one| one.runs).sum::<u64>();
    Ok(LoadLine { scenario: Arc::new(scenario), end, by_seed, expected, holds_expected, failing, breaks, curve, runs })
}

struct Search<'a> {
    scenario: &'a Scenario,
    grid: Grid,
    progress: &'a (dyn Fn() + Sync),
}

/// What is known of one seed.
struct Known {
    highest: Rung,
    tried: BTreeMap<Rung, Trial>,
    runs: u64,
}

impl Search<'_> {
    fn run(&self, scenario: &Scenario, rung: Rung, seed: Seed) -> Result<Trial, Box<Breached>> {
        let trial = Trial::run(scenario, self.grid.multiple(rung), seed);
        (self.progress)();
        trial
    }

    /// What came of a rung, which is run where it was not.
    fn tried<'k>(&self, known: &'k mut Known, (rung, seed): (Rung, Seed)) -> Result<&'k Trial, Box<Breached>> {
        match known.tried.entry(rung) {
            Entry::Occupied(tried) => Ok(tried.into_mut()),
            Entry::Vacant(place) => {
                known.runs += 1;
                Ok(place.insert(self.run(self.scenario, rung, seed)?))
            }
        }
    }

    /// The highest rung that holds in a seed, looked for from a place on.
    fn highest(
        &self,
        scenario: &Scenario,
        seed: Seed,
        (start, stride): (Rung, i32),
        known: &mut Known,
    ) -> Result<Rung, Box<Breached>> {
        let mut failed = None;
        let highest = self.grid.highest(start, stride, |rung| {
            if let Some(trial) = known.tried.get(&rung) {
                return trial.holds();
            }
            if failed.is_some() {
                return false;
            }
            known.runs += 1;
            match self.run(scenario, rung, seed) {
                Ok(trial) => {
                    let holds = trial.holds();
                    known.tried.insert(rung, trial);
                    holds
                }
                Err(breached) => {
                    failed = Some(breached);
                    false
                }
            }
        });
        failed.map_or(Ok(highest), Err)
    }

    /// Each seed's line. The first seeds begin where the expected load says that something is going to be full, the others
    /// in the middle of what the first ones found.
    fn all_seeds(&self, question: &Question, jobs: usize) -> Result<Vec<Known>, Box<Breached>> {
        let begin = |seed: Seed| -> Result<Known, Box<Breached>> {
            let trial = self.run(self.scenario, 0, seed)?;
            let full = trial.fullest();
            let mut known = Known { highest: 0, tried: BTreeMap::from([(0, trial)]), runs: 1 };
            let guess = if full > 0.0 { self.grid.rung(BEGINS_AT / full) } else { 0 };
            let stride = self.far();
            known.highest = self.highest(self.scenario, seed, (guess, stride), &mut known)?;
            Ok(known)
        };
        let (scouts, others) = question.seeds.split_at(SCOUTS.min(question.seeds.len()));
        let scouts: Vec<Known> = on_threads(scouts, jobs, |seed| begin(*seed)).into_iter().collect::<Result<_, _>>()?;
        let middle =
            scouts.iter().map(|known| known.highest).sum::<i32>() / i32::try_from(scouts.len().max(1)).unwrap_or(1);
        let others = on_threads(others, jobs, |seed| {
            let mut known = Known { highest: 0, tried: BTreeMap::new(), runs: 0 };
            known.highest = self.highest(self.scenario, *seed, (middle, NEAR), &mut known)?;
            Ok(known)
        });
        scouts.into_iter().map(Ok).chain(others).collect()
    }

    /// A first stride of about 8 %, whatever the distance between two rungs.
    fn far(&self) -> i32 {
        (self.grid.rung(1.08)).clamp(1, FAR)
    }

    fn line(
        &self,
        known: &mut Known,
        (line, seed): (Rung, Seed),
        rungs: &[Rung],
        question: &Question,
    ) -> Result<Line, Box<Breached>> {
        let multiple = self.grid.multiple(line);
        let fullest = self.tried(known, (line, seed))?.fullest();
        let accuracy = Accuracy::of(self.scenario, fullest);
        let seeds = spread::interval(self.grid, rungs, line, question.probability);
        let is_by_latency = known.tried.get(&(line + 1)).is_some_and(|beyond| {
            let failed = beyond.judged.iter().zip(&self.scenario.expect).filter(|(judged, _)| !judged.passed);
            failed.clone().any(|(_, expectation)| is_latency(expectation))
        });
        let mut model = (multiple, multiple);
        if self.scenario.expect.iter().any(is_latency) {
            let factor = 1.0 + accuracy.nine_of_ten;
            let mut other = |factor: f64| -> Result<Permille, Box<Breached>> {
                let scenario = bounded(self.scenario, factor);
                let mut fresh = Known { highest: 0, tried: BTreeMap::new(), runs: 0 };
                let highest = self.highest(&scenario, seed, (line, NEAR), &mut fresh)?;
                known.runs += fresh.runs;
                Ok(self.grid.multiple(highest.max(*self.grid.range().start())))
            };
            model = (other(1.0 / factor)?.min(multiple), other(factor)?.max(multiple));
        }
        let (low, high) = seeds.unwrap_or((multiple, self.grid.multiple(line + 1)));
        let times = |end: Permille, to: Permille| {
            Permille::new(whole(end.get() as f64 * to.as_fraction() / multiple.as_fraction()))
        };
        let interval = (times(low, model.0), times(high, model.1));
        Ok(Line { multiple, seeds, model, interval, accuracy, fullest, is_by_latency })
    }

    /// What breaks at a rung, and on what.
    fn breaks(&self, known: &mut Known, (rung, seed): (Rung, Seed), explain: bool) -> Result<Breaks, Box<Breached>> {
        let trial = self.tried(known, (rung, seed))?;
        let mut breaks = Breaks {
            multiple: self.grid.multiple(rung),
            seed,
            failed: trial.failed(),
            parts: trial.parts.clone(),
            bottleneck: Vec::new(),
            next: None,
        };
        if !explain {
            return Ok(breaks);
        }
        let Some((bottleneck, without)) = self.bottleneck(known, (rung, seed), &breaks.parts)? else {
            return Ok(breaks);
        };
        let mut fresh = Known { highest: 0, tried: BTreeMap::new(), runs: 0 };
        let highest = self.highest(&without, seed, (rung, self.far()), &mut fresh)?;
        let beyond = fresh.tried.get(&(highest + 1));
        breaks.bottleneck = bottleneck;
        breaks.next = Some(Next {
            multiple: self.grid.multiple(highest),
            is_above: highest >= *self.grid.range().end(),
            failed: beyond.map(Trial::failed).unwrap_or_default().into_iter().map(|judged| judged.name).collect(),
            parts: beyond.map(|trial| trial.parts.clone()).unwrap_or_default(),
        });
        known.runs += fresh.runs;
        Ok(breaks)
    }

    /// The part, or the fewest of the fullest parts, of which ample mends all; with the scenario that has it.
    fn bottleneck(
        &self,
        known: &mut Known,
        (rung, seed): (Rung, Seed),
        parts: &[(Part, f64)],
    ) -> Result<Option<(Vec<Part>, Scenario)>, Box<Breached>> {
        let suspects: Vec<&Part> =
            parts.iter().filter(|(_, full)| *full >= SUSPECT).map(|(part, _)| part).take(SUSPECTS).collect();
        for part in &suspects {
            let without = relieved(self.scenario, part);
            known.runs += 1;
            if self.run(&without, rung, seed)?.holds() {
                return Ok(Some((vec![(*part).clone()], without)));
            }
        }
        let mut together = self.scenario.clone();
        for (place, part) in suspects.iter().enumerate() {
            together = relieved(&together, part);
            if place == 0 {
                continue;
            }
            known.runs += 1;
            if self.run(&together, rung, seed)?.holds() {
                let all = suspects[..=place].iter().map(|part| (*part).clone()).collect();
                return Ok(Some((all, together)));
            }
        }
        Ok(None)
    }

    fn curve(
        &self,
        known: &[Known],
        (line, question): (Rung, &Question),
        jobs: usize,
    ) -> Result<Vec<CurvePoint>, Box<Breached>> {
        let seeds = question.curve.min(question.seeds.len());
        if seeds == 0 {
            return Ok(Vec::new());
        }
        let multiple = self.grid.multiple(line).as_fraction();
        let spaced = (0..CURVE).map(|place| {
            let part = f64::from(place) / f64::from(CURVE - 1);
            self.grid.rung(multiple * (CURVE_FROM + part * (CURVE_TO - CURVE_FROM)))
        });
        let mut rungs: Vec<Rung> = spaced.chain([0, line, line + 1]).collect();
        rungs.sort_unstable();
        rungs.dedup();
        let wanted: Vec<(Rung, usize)> =
            rungs.iter().flat_map(|rung| (0..seeds).map(move |seed| (*rung, seed))).collect();
        let trials = on_threads(&wanted, jobs, |(rung, place)| match known[*place].tried.get(rung) {
            Some(trial) => Ok(trial.judged.clone()),
            None => self.run(self.scenario, *rung, question.seeds[*place]).map(|trial| trial.judged),
        });
        let trials: Vec<Vec<Judged>> = trials.into_iter().collect::<Result<_, _>>()?;
        let points = rungs.iter().zip(trials.chunks(seeds)).map(|(rung, runs)| self.point(*rung, runs));
        Ok(points.collect())
    }

    fn point(&self, rung: Rung, runs: &[Vec<Judged>]) -> CurvePoint {
        let places = 0..self.scenario.expect.len();
        let margin = |place: usize| {
            let margins = runs.iter().filter_map(|run| run.get(place)).map(Judged::margin);
            margins.reduce(|least, margin| Some(least?.min(margin?))).flatten()
        };
        let held = |place: usize| {
            let passed = runs.iter().filter(|run| run.get(place).is_some_and(|judged| judged.passed)).count();
            Permille::ratio(passed as u64, runs.len() as u64).unwrap_or_default()
        };
        CurvePoint {
            multiple: self.grid.multiple(rung),
            margins: places.clone().map(margin).collect(),
            held: places.map(held).collect(),
        }
    }
}

/// A bound on a response time from above.
fn is_latency(expectation: &Expectation) -> bool {
    expectation.measure.metric == Metric::Latency
        && matches!(expectation.bound, Bound::Value(Quantity::Time(_)))
        && matches!(expectation.comparison, Comparison::Less | Comparison::AtMost)
}

/// The scenario with every bound on a response time so many times what it is.
fn bounded(scenario: &Scenario, factor: f64) -> Scenario {
    let mut scenario = scenario.clone();
    for expectation in scenario.expect.iter_mut().filter(|expectation| is_latency(expectation)) {
        if let Bound::Value(Quantity::Time(bound)) = &mut expectation.bound {
            *bound = Span::from_nanos(whole(bound.nanos() as f64 * factor));
        }
    }
    scenario
}

/// How full each part is on the mean of several runs, the fullest first.
fn means(trials: &[&Trial]) -> Vec<(Part, f64)> {
    let mut sums: BTreeMap<&Part, f64> = BTreeMap::new();
    for (part, full) in trials.iter().flat_map(|trial| &trial.parts) {
        *sums.entry(part).or_default() += full / trials.len() as f64;
    }
    let mut parts: Vec<(Part, f64)> = sums.into_iter().map(|(part, full)| (part.clone(), full)).collect();
    parts.sort_by(|(part, one), (other_part, other)| other.total_cmp(one).then_with(|| part.cmp(other_part)));
    parts
}
