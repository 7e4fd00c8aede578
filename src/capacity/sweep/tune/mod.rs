//! Tuning: values that are best in several aims at once, found on some seeds and looked at again on others.
//!
//! Before you change it:
//! 1. Point 0 is the scenario as it is. It is run in the first generation, and everything is compared with it.
//! 2. The search sees only what was measured on its own seeds. Seeds of the check are run when the search is over, and change
//!    nothing of what it chose.
//! 3. What is found is read from the rows, so that a table from a file tells the same as one from a run.

mod front;
mod json;
mod probe;
mod search;
mod space;
#[cfg(test)]
mod tests;
mod text;
mod words;
mod worth;

pub(super) use front::fronts;
pub(super) use json::json;
pub(super) use probe::probed;
pub(super) use text::text;

use super::Bench;
use super::Ended;
use super::Failed;
use super::Found;
use super::Header;
use super::Points;
use super::Row;
use super::Table;
use super::run;
use super::scored::scored;
use crate::input::sweep::Level;
use crate::input::sweep::Method;
use crate::input::sweep::Sweep;
use crate::seed::Seed;
use search::Question;
use search::search;
use space::Axis;
use space::Decision;
use space::Space;
use std::collections::BTreeMap;
use worth::Yardstick;

/// The decisions of a sweep, with the values they stand for.
struct Fields {
    space: Space,
    values: Vec<Vec<Level>>,
}

impl Fields {
    fn of(sweep: &Sweep) -> Self {
        let values: Vec<Vec<Level>> = sweep.fields.iter().map(|field| field.values.all()).collect();
        let axes = values.iter().map(|levels| Axis { values: levels.len(), ordered: rises(levels) });
        Self { space: Space(axes.collect()), values }
    }

    fn levels(&self, decision: &Decision) -> Vec<Level> {
        self.values.iter().zip(decision).map(|(levels, place)| levels[*place].clone()).collect()
    }

    /// The decision nearest to these values, and whether it is these values. A value that has none near it is put in the middle.
    fn nearest(&self, own: &[Level]) -> (Decision, bool) {
        let mut is_same = true;
        let near = |(levels, own): (&Vec<Level>, &Level)| {
            if let Some(place) = levels.iter().position(|level| same(level, own)) {
                return place;
            }
            is_same = false;
            let apart = |level: &Level| {
                let (number, other) = (own.number.as_ref()?, level.number.as_ref()?);
                (number.unit == other.unit).then(|| other.micro.abs_diff(number.micro))
            };
            let apart = levels.iter().enumerate().filter_map(|(place, level)| Some((apart(level)?, place)));
            apart.min().map_or(levels.len() / 2, |(_, place)| place)
        };
        let decision = self.values.iter().zip(own).map(near).collect();
        (decision, is_same)
    }
}

/// Whether they are numbers of one unit that rise.
fn rises(levels: &[Level]) -> bool {
    let numbers: Option<Vec<_>> = levels.iter().map(|level| level.number.as_ref()).collect();
    let rise = |pair: &[&crate::input::sweep::Number]| pair[0].unit == pair[1].unit && pair[0].micro < pair[1].micro;
    numbers.is_some_and(|numbers| numbers.windows(2).all(rise))
}

fn same(one: &Level, other: &Level) -> bool {
    match (&one.number, &other.number) {
        (Some(one), Some(other)) => one == other,
        (None, None) => one.text == other.text,
        _ => false,
    }
}

/// Most runs that are still to be done, for who waits: the search, and a check of the size that checks often have.
#[must_use]
pub fn expected_runs(header: &Header) -> u64 {
    let check = header.tuned.as_ref().map_or(0, |tuned| tuned.check.len() as u64);
    header.points * header.seeds.len() as u64 + CHECKED_OFTEN.min(header.points) * check
}

/// So many points are often on a front.
const CHECKED_OFTEN: u64 = 10;

/// Searches, checks what was found on the seeds that were not seen, and hands on the rows of each point in each of the two as
/// soon as it is done. What `found` has is not run again.
///
/// # Errors
/// The first failure; nothing more is begun after it.
///
/// # Panics
/// For a sweep that is not tuned.
pub fn tune(
    sweep: &Sweep,
    header: &Header,
    found: Option<&Found>,
    bench: &Bench<'_>,
    done: &mut (dyn FnMut(u64, &[Row]) -> std::io::Result<()> + Send),
) -> Result<Ended, Failed> {
    let tuning = sweep.tuning.as_ref().expect("a sweep that is tuned");
    let Method::Optimise { points: most, seed } = sweep.method else { return Ok(Ended::Done) };
    let fields = Fields::of(sweep);
    let own = sweep.own();
    let (nearest, is_own) = fields.nearest(&own);
    let mut work = Work {
        sweep,
        header,
        bench,
        points: Points::of(sweep),
        rows: found.map(|found| found.points.clone()).unwrap_or_default(),
        done,
    };
    let yard = Yardstick::of(sweep, header);
    let mut ended = Ok(Ended::Done);
    let mut ask = |generation: u64, decisions: &[Decision]| {
        if generation == 0 && !is_own {
            work.points.choose(own.clone(), 0);
        }
        let first = generation == 0 && is_own;
        let mut numbers = Vec::new();
        for (place, decision) in decisions.iter().enumerate() {
            let levels = if first && place == 0 { own.clone() } else { fields.levels(decision) };
            numbers.push(work.points.choose(levels, generation));
        }
        let all: Vec<u64> = (0..=numbers.last().copied().unwrap_or(0)).collect();
        match work.run(&all, &sweep.seeds) {
            Ok(Ended::Done) => {}
            other => {
                ended = other;
                return None;
            }
        }
        Some(numbers.iter().map(|number| yard.worth(&work.scored(*number))).collect())
    };
    let fits = |decision: &Decision| sweep.resolve(0, &fields.levels(decision)).is_ok();
    let asked = usize::try_from(most).unwrap_or(usize::MAX) - usize::from(!is_own);
    let question =
        Question { space: &fields.space, first: &[nearest], points: asked, aims: tuning.aims.len(), seed, fits: &fits };
    search(question, &mut ask);
    match ended {
        Ok(Ended::Done) => {}
        other => return other,
    }
    let searched = Table { header: header.clone(), rows: work.rows.values().flatten().cloned().collect() };
    let again = yard.to_check(&scored(&searched));
    work.rows = found.map(|found| found.checked.clone()).unwrap_or_default();
    work.run(&again, &tuning.check)
}

/// Points that are run, and what came of them.
struct Work<'a> {
    sweep: &'a Sweep,
    header: &'a Header,
    bench: &'a Bench<'a>,
    points: Points<'a>,
    rows: BTreeMap<u64, Vec<Row>>,
    done: &'a mut (dyn FnMut(u64, &[Row]) -> std::io::Result<()> + Send),
}

impl Work<'_> {
    /// Runs those of these points that were not run.
    fn run(&mut self, points: &[u64], seeds: &[Seed]) -> Result<Ended, Failed> {
        let todo: Vec<u64> = points.iter().copied().filter(|point| !self.rows.contains_key(point)).collect();
        let (rows, done) = (&mut self.rows, &mut self.done);
        run((self.sweep, &self.points), self.header, (&todo, seeds), self.bench, |point, of_point| {
            done(point, of_point)?;
            rows.insert(point, of_point.to_vec());
            Ok(())
        })
    }

    fn scored(&self, point: u64) -> super::scored::Scored {
        let rows = self.rows.get(&point).cloned().unwrap_or_default();
        scored(&Table { header: self.header.clone(), rows }).remove(0)
    }
}
