//! Runs points of a sweep on several threads. What comes of a point is handed on as soon as all its seeds are done.

use super::Points;
use super::check::unlike;
use super::table::CHECK;
use super::table::Cell;
use super::table::Header;
use super::table::Kind;
use super::table::Role;
use super::table::Row;
use super::table::SEARCH;
use crate::input::problem::Problems;
use crate::input::sweep::Level;
use crate::input::sweep::Sweep;
use crate::model::Scenario;
use crate::record::Event;
use crate::report::Judge;
use crate::report::Judged;
use crate::report::expected;
use crate::run::simulate::Breached;
use crate::run::simulate::simulate;
use crate::seed::Seed;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

/// Points are shared out as a whole where there are so many for each thread; else their seeds are.
const POINTS_A_THREAD: usize = 4;

/// Steps of progress of one run.
pub const STEPS: u64 = 100;

/// Where a sweep runs.
pub struct Bench<'a> {
    /// Threads; zero is one a core.
    pub jobs: usize,
    /// Hears how many steps further it is, of [`STEPS`] a run, from any thread.
    pub progress: &'a (dyn Fn(u64) + Sync),
    /// Once it is set, no run is begun any more.
    pub stop: &'a AtomicBool,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All points are done.
    Done,
    /// It was stopped before.
    Stopped,
}

/// Why it failed.
#[derive(Debug)]
pub enum Failed {
    /// A point is wrong that was not looked at before.
    Point(Problems),
    /// The engine broke its own rules, at the point of this title.
    Breached(String, Breached),
    /// The rows of a point could not be kept.
    Kept(std::io::Error),
}

/// Runs these points, each with these seeds, and hands on the rows of each, a row a seed, in the order in which points are done: what `done` gets
/// depends on the point alone, when it gets it on the threads.
///
/// # Errors
/// The first failure; nothing more is begun after it.
pub fn run(
    (sweep, points): (&Sweep, &Points<'_>),
    header: &Header,
    (todo, seeds): (&[u64], &[Seed]),
    bench: &Bench<'_>,
    mut done: impl FnMut(u64, &[Row]) -> std::io::Result<()>,
) -> Result<Ended, Failed> {
    let threads =
        if bench.jobs > 0 { bench.jobs } else { std::thread::available_parallelism().map_or(1, NonZeroUsize::get) };
    let all: Vec<&[Seed]> = vec![seeds];
    let each: Vec<&[Seed]> = seeds.chunks(1).collect();
    let shares = if todo.len() < threads * POINTS_A_THREAD { each } else { all };
    let work: Vec<(u64, &[Seed])> = todo.iter().flat_map(|point| shares.iter().map(|seeds| (*point, *seeds))).collect();
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(work.len()) {
            let sender = sender.clone();
            let (next, failed, work) = (&next, &failed, &work);
            scope.spawn(move || {
                let ends = || bench.stop.load(Ordering::Relaxed) || failed.load(Ordering::Relaxed);
                while !ends() {
                    let Some((point, seeds)) = work.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
                    let Some(rows) = rows((sweep, points), header, *point, seeds, (bench, &ends)) else { return };
                    if sender.send((*point, rows)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut begun: BTreeMap<u64, Vec<Row>> = BTreeMap::new();
        let mut left = todo.len();
        for (point, rows) in receiver {
            let fail = |why: Failed| {
                failed.store(true, Ordering::Relaxed);
                Err(why)
            };
            let rows = match rows {
                Ok(rows) => rows,
                Err(why) => return fail(why),
            };
            let all = begun.entry(point).or_default();
            all.extend(rows);
            if all.len() == seeds.len() {
                let mut all = begun.remove(&point).unwrap_or_default();
                all.sort_by_key(seed_of);
                left -= 1;
                if let Err(error) = done(point, &all) {
                    return fail(Failed::Kept(error));
                }
            }
        }
        Ok(if left == 0 { Ended::Done } else { Ended::Stopped })
    })
}

/// The seed of a row.
pub(super) fn seed_of(row: &Row) -> u64 {
    match row.get(1) {
        Some(Cell::Whole(seed)) => *seed,
        _ => 0,
    }
}

/// The rows of a point with these seeds; `None` where it is to end before they are all done.
fn rows(
    (sweep, points): (&Sweep, &Points<'_>),
    header: &Header,
    point: u64,
    seeds: &[Seed],
    (bench, ends): (&Bench<'_>, &dyn Fn() -> bool),
) -> Option<Result<Vec<Row>, Failed>> {
    let levels = points.levels(point);
    let mut scenario = match sweep.resolve(point, &levels) {
        Ok(resolved) => resolved.scenario,
        Err(wrong) => return Some(Err(Failed::Point(wrong))),
    };
    let title = || sweep.title(point, &levels);
    if !header.expects(&expected(&scenario)) {
        return Some(Err(Failed::Point(unlike(&title()).into())));
    }
    scenario.expect.extend(sweep.measures.iter().cloned());
    let scenario = Arc::new(scenario);
    let mut rows = Vec::new();
    for seed in seeds {
        if ends() {
            return None;
        }
        match one(&scenario, *seed, bench) {
            Ok((judged, ticks)) => {
                let of = (point, points.generation(point), *seed);
                rows.push(row(header, of, &levels, &judged, ticks));
            }
            Err(breached) => return Some(Err(Failed::Breached(title(), breached))),
        }
    }
    Some(Ok(rows))
}

/// One run: what came of each expectation and measure, and how much work it was.
fn one(scenario: &Arc<Scenario>, seed: Seed, bench: &Bench<'_>) -> Result<(Vec<Judged>, u64), Breached> {
    let mut judge = Judge::new(scenario);
    let (end, mut told) = (scenario.duration.nanos().max(1), 0);
    let outcome = simulate(scenario, seed, &mut |event| {
        judge.take(event);
        if let Event::Sampled(sample) = event {
            let now = u128::from(sample.at.since_start().nanos()) * u128::from(STEPS) / u128::from(end);
            let now = u64::try_from(now).unwrap_or(STEPS).min(STEPS);
            (bench.progress)(now.saturating_sub(told));
            told = told.max(now);
        }
    })?;
    (bench.progress)(STEPS.saturating_sub(told));
    Ok((judge.finish(outcome.ended).0, outcome.container_ticks))
}

fn row(
    header: &Header,
    (point, generation, seed): (u64, u64, Seed),
    levels: &[Level],
    judged: &[Judged],
    ticks: u64,
) -> Row {
    let mut levels = levels.iter();
    let of = |name: &str| judged.iter().find(|judged| judged.name == name);
    let expected = |name: &str| header.columns.iter().any(|c| matches!(c.role, Role::Held(_)) && c.name == name);
    let all_held = judged.iter().filter(|judged| expected(&judged.name)).all(|judged| judged.passed);
    let cell = |column: &super::table::Column| match column.role {
        Role::Point => Cell::Whole(point),
        Role::Seed => Cell::Whole(seed.get()),
        Role::Phase => Cell::Text(if header.is_check(seed.get()) { CHECK } else { SEARCH }.to_owned()),
        Role::Generation => Cell::Whole(generation),
        Role::Field => {
            let level = levels.next();
            match column.kind {
                Kind::Number => Cell::Number(level.and_then(|level| Some(level.number.as_ref()?.value()))),
                _ => Cell::Text(level.map(|level| level.text.clone()).unwrap_or_default()),
            }
        }
        Role::Measured | Role::Measure => {
            Cell::Number(of(&column.name).and_then(|judged| judged.measured).map(|figure| figure.value))
        }
        Role::Held(_) => Cell::Flag(of(&column.name).is_some_and(|judged| judged.passed)),
        Role::AllHeld => Cell::Flag(all_held),
        // Known when all is done.
        Role::Front => Cell::Flag(false),
        Role::Ticks => Cell::Whole(ticks),
    };
    header.columns.iter().map(cell).collect()
}
