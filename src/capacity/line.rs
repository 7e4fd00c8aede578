//! The search for a load line: one for a host at length, for many beside each other and for what to buy. Before
//! you change it:
//! 1. Every multiple is tried with the same seeds (common random numbers), and each seed has a line of its own: the highest
//!    multiple at which all holds. Lines that come from one stream of chance each say more about the spread than a share of
//!    runs that hold does.
//! 2. A run depends on machine, multiple and seed alone, and where a search begins is worked out from the runs of the machine's
//!    own first seed, so that neither the number of threads nor the other hosts change anything but the time it takes.
//! 3. A bound changes nothing in a run: what other bounds would say is read from runs that were made anyhow.
//! 4. What it breaks on is tried and not guessed: with ample of a part all must hold, or it was not that part.

use super::grid::Grid;
use super::grid::Rung;
use super::machine::Machine;
use super::machine::bare;
use super::relief::relieved;
use super::spread;
use super::trial::Trial;
use super::trial::asked;
use super::trial::is_latency;
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
use crate::units::whole;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How full the fullest part may be at the place where a search begins.
const BEGINS_AT: f64 = 0.85;
/// Steps of a search that begins at a guess, and of one that begins where another seed's line is.
const FAR: i32 = 4;
const NEAR: i32 = 1;
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

/// The load lines of scenarios, each on its host, in their order; what a run cannot tell apart is run once. On at most `jobs`
/// threads (zero: one a core); `progress` hears of every run, from any thread.
///
/// # Errors
/// Where the engine breaks its own rules.
///
/// # Panics
/// Without a seed.
pub fn load_lines(
    scenarios: &[Scenario],
    question: &Question,
    jobs: usize,
    progress: &(dyn Fn() + Sync),
) -> Result<Vec<LoadLine>, Box<Breached>> {
    let mut machines: Vec<(Scenario, Machine<'_>)> = Vec::new();
    let mut wanted = Vec::new();
    for scenario in scenarios {
        let (scenario, _) = asked(scenario);
        let seen = Scenario { host: bare(&scenario, &scenario.host), ..scenario.clone() };
        let known = machines.iter().position(|(known, _)| *known == seen);
        wanted.push((known.unwrap_or(machines.len()), Arc::new(scenario.clone())));
        if known.is_none() {
            machines.push((seen, Machine::new(scenario, progress)));
        }
    }
    let lines = on_threads(&machines, jobs, |(_, machine)| line_of(machine, question, jobs));
    let lines: Vec<LoadLine> = lines.into_iter().collect::<Result<_, _>>()?;
    Ok(wanted.into_iter().map(|(place, scenario)| LoadLine { scenario, ..lines[place].clone() }).collect())
}

/// The load line of a machine, whose scenario has only expectations about a load.
///
/// # Errors
/// Where the engine breaks its own rules.
///
/// # Panics
/// Without a seed.
pub(super) fn line_of(machine: &Machine<'_>, question: &Question, jobs: usize) -> Result<LoadLine, Box<Breached>> {
    let search = Search { machine, grid: Grid::new(question.exact) };
    let rungs = search.by_seed(&question.seeds, jobs)?;
    let decides = spread::deciding(&rungs, question.probability).expect("a question has seeds");
    let (line, seed) = (rungs[decides], question.seeds[decides]);
    let range = search.grid.range();
    let end = if line < *range.start() {
        End::Below(search.grid.multiple(*range.start()))
    } else if line == *range.end() {
        End::Above(search.grid.multiple(line))
    } else {
        End::Line(search.line((line, seed), &rungs, question)?)
    };
    let beyond = (line + 1).max(*range.start());
    let broken = (line < *range.end()).then(|| search.breaks((beyond, seed), question.explain)).transpose()?;
    let (breaks, others) = broken.map_or((None, 0), |(breaks, runs)| (Some(breaks), runs));
    let known = |rung| machine.known(search.grid.multiple(rung), seed);
    let failing = if line < *range.start() { None } else { known(line) }.map(|trial| trial.failing).unwrap_or_default();
    let expected = means(&machine.all_known(Permille::ONE));
    let needed = rungs.iter().filter(|rung| **rung >= 0).count() as u64 * 1000;
    let holds_expected = needed >= question.probability.get() * rungs.len() as u64;
    let curve = search.curve((line.max(*range.start()), question), jobs)?;
    let by_seed = rungs.iter().map(|rung| (*rung >= *range.start()).then(|| search.grid.multiple(*rung))).collect();
    let runs = machine.runs() + others;
    let scenario = Arc::clone(machine.scenario());
    Ok(LoadLine { scenario, end, by_seed, expected, holds_expected, failing, breaks, curve, runs })
}

/// Parts, and the machine with ample of them, on which all holds.
type Mended<'a> = (Vec<Part>, Machine<'a>);

/// A search on a machine.
struct Search<'a> {
    machine: &'a Machine<'a>,
    grid: Grid,
}

impl Search<'_> {
    fn trial(&self, rung: Rung, seed: Seed) -> Result<Arc<Trial>, Box<Breached>> {
        self.machine.trial(self.grid.multiple(rung), seed)
    }

    /// The highest rung that holds in a seed, looked for from a place on with a first stride.
    fn highest(
        &self,
        seed: Seed,
        (start, stride): (Rung, i32),
        holds: impl Fn(&Trial) -> bool,
    ) -> Result<Rung, Box<Breached>> {
        self.grid.highest(start, stride, |rung| Ok(holds(&*self.trial(rung, seed)?)))
    }

    /// Each seed's line. The first seed begins where the expected load says that something is going to be full, the others
    /// where the first one's line is.
    fn by_seed(&self, seeds: &[Seed], jobs: usize) -> Result<Vec<Rung>, Box<Breached>> {
        let (first, others) = seeds.split_first().expect("a question has seeds");
        let (expected, least) = (self.trial(0, *first)?, *self.grid.range().start());
        let full = expected.fullest();
        let guess = if full > 0.0 { self.grid.rung(BEGINS_AT / full) } else { 0 };
        let begin = if expected.holds() {
            guess.max(0)
        } else if self.trial(least, *first)?.holds() {
            guess.min(-1)
        } else {
            // What breaks is no matter of load, and a host that is too small for a stack is not looked at in between.
            least
        };
        let found = self.highest(*first, (begin, self.far()), Trial::holds)?;
        let others = on_threads(others, jobs, |seed| self.highest(*seed, (found, NEAR), Trial::holds));
        std::iter::once(Ok(found)).chain(others).collect()
    }

    /// A first stride of about 8 %, whatever the distance between two rungs.
    fn far(&self) -> i32 {
        (self.grid.rung(1.08)).clamp(1, FAR)
    }

    fn line(&self, (line, seed): (Rung, Seed), rungs: &[Rung], question: &Question) -> Result<Line, Box<Breached>> {
        let expect = &self.machine.scenario().expect;
        let multiple = self.grid.multiple(line);
        let fullest = self.trial(line, seed)?.fullest();
        let accuracy = Accuracy::of(self.machine.scenario(), fullest);
        let seeds = spread::interval(self.grid, rungs, line, question.probability);
        let beyond = self.trial(line + 1, seed)?;
        let is_by_latency = beyond.judged.iter().zip(expect).any(|(judged, one)| !judged.passed && is_latency(one));
        // Where bounds on response times are tighter or wider, in a run that is the same.
        let with = |factor: f64| -> Result<Permille, Box<Breached>> {
            let highest = self.highest(seed, (line, NEAR), |trial| trial.holds_at(expect, factor))?;
            Ok(self.grid.multiple(highest.max(*self.grid.range().start())))
        };
        let factor = 1.0 + accuracy.nine_of_ten;
        let model = (with(1.0 / factor)?.min(multiple), with(factor)?.max(multiple));
        let (low, high) = seeds.unwrap_or((multiple, self.grid.multiple(line + 1)));
        let times = |end: Permille, to: Permille| {
            Permille::new(whole(end.get() as f64 * to.as_fraction() / multiple.as_fraction()))
        };
        let interval = (times(low, model.0), times(high, model.1));
        Ok(Line { multiple, seeds, model, interval, accuracy, fullest, is_by_latency })
    }

    /// What breaks at a rung, and where it is asked for, on what; with the runs of other machines that it took.
    fn breaks(&self, (rung, seed): (Rung, Seed), explain: bool) -> Result<(Breaks, u64), Box<Breached>> {
        let trial = self.trial(rung, seed)?;
        let mut breaks = Breaks {
            multiple: self.grid.multiple(rung),
            seed,
            failed: trial.failed(),
            parts: trial.parts.clone(),
            bottleneck: Vec::new(),
            next: None,
        };
        if !explain {
            return Ok((breaks, 0));
        }
        let (found, mut runs) = self.bottleneck((rung, seed), &breaks.parts)?;
        if let Some((bottleneck, without)) = found {
            let search = Search { machine: &without, grid: self.grid };
            let highest = search.highest(seed, (rung, self.far()), Trial::holds)?;
            let beyond = without.known(self.grid.multiple(highest + 1), seed);
            breaks.bottleneck = bottleneck;
            breaks.next = Some(Next {
                multiple: self.grid.multiple(highest),
                is_above: highest >= *self.grid.range().end(),
                failed: beyond.iter().flat_map(|trial| trial.failed()).map(|judged| judged.name).collect(),
                parts: beyond.map(|trial| trial.parts.clone()).unwrap_or_default(),
            });
            runs += without.runs();
        }
        Ok((breaks, runs))
    }

    /// The part, or the fewest of the fullest parts, of which ample mends all, with the machine that has it; and the runs that
    /// were made of others.
    fn bottleneck(
        &self,
        (rung, seed): (Rung, Seed),
        parts: &[(Part, f64)],
    ) -> Result<(Option<Mended<'_>>, u64), Box<Breached>> {
        let suspects: Vec<Part> =
            parts.iter().filter(|(_, full)| *full >= SUSPECT).map(|(part, _)| part.clone()).take(SUSPECTS).collect();
        let alone = suspects.chunks(1);
        let together = (2..=suspects.len()).map(|count| &suspects[..count]);
        let mut runs = 0;
        for parts in alone.chain(together) {
            let relieve =
                |scenario: &Scenario| parts.iter().fold(scenario.clone(), |scenario, part| relieved(&scenario, part));
            let without = self.machine.changed(relieve);
            if without.trial(self.grid.multiple(rung), seed)?.holds() {
                return Ok((Some((parts.to_vec(), without)), runs));
            }
            runs += without.runs();
        }
        Ok((None, runs))
    }

    fn curve(&self, (line, question): (Rung, &Question), jobs: usize) -> Result<Vec<CurvePoint>, Box<Breached>> {
        let seeds = &question.seeds[..question.curve.min(question.seeds.len())];
        if seeds.is_empty() {
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
        let wanted: Vec<(Rung, Seed)> = rungs.iter().flat_map(|rung| seeds.iter().map(|seed| (*rung, *seed))).collect();
        let trials = on_threads(&wanted, jobs, |(rung, seed)| self.trial(*rung, *seed));
        let trials: Vec<Arc<Trial>> = trials.into_iter().collect::<Result<_, _>>()?;
        let points = rungs.iter().zip(trials.chunks(seeds.len())).map(|(rung, runs)| self.point(*rung, runs));
        Ok(points.collect())
    }

    fn point(&self, rung: Rung, runs: &[Arc<Trial>]) -> CurvePoint {
        let places = 0..self.machine.scenario().expect.len();
        let margin = |place: usize| {
            let margins = runs.iter().filter_map(|run| run.judged.get(place)).map(Judged::margin);
            margins.reduce(|least, margin| Some(least?.min(margin?))).flatten()
        };
        let held = |place: usize| {
            let passed = runs.iter().filter(|run| run.judged.get(place).is_some_and(|judged| judged.passed)).count();
            Permille::ratio(passed as u64, runs.len() as u64).unwrap_or_default()
        };
        CurvePoint {
            multiple: self.grid.multiple(rung),
            margins: places.clone().map(margin).collect(),
            held: places.map(held).collect(),
        }
    }
}

/// How full each part is on the mean of several runs, the fullest first.
fn means(trials: &[Arc<Trial>]) -> Vec<(Part, f64)> {
    let mut sums: BTreeMap<&Part, f64> = BTreeMap::new();
    for (part, full) in trials.iter().flat_map(|trial| &trial.parts) {
        *sums.entry(part).or_default() += full / trials.len() as f64;
    }
    let mut parts: Vec<(Part, f64)> = sums.into_iter().map(|(part, full)| (part.clone(), full)).collect();
    parts.sort_by(|(part, one), (other_part, other)| other.total_cmp(one).then_with(|| part.cmp(other_part)));
    parts
}
