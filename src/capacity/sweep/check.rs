//! Every point looked at before anything runs.

use super::Header;
use super::Part;
use super::Points;
use super::basis::Basis;
use super::table::columns_of;
use super::tune::probed;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::scenario::Resolved;
use crate::input::sweep::Sweep;
use crate::model::Expectation;
use crate::report::expected;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// So many points are all looked at; of more the corners are, and so many that lie evenly.
const LOOKED_AT: u64 = 1000;
/// So many different problems are told.
const TOLD: usize = 30;

/// A sweep whose points were looked at.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What every point is expected to do: that of the first.
    pub expect: Vec<Expectation>,
    /// How many points were looked at.
    pub looked_at: u64,
    /// Every file that was read, the sweep's own not among them.
    pub files_read: BTreeSet<PathBuf>,
    /// What the reader should know of the scenario as it is, and of the points.
    pub warnings: Problems,
}

/// Looks at all points of a sweep of at most a thousand; of a larger one at the points at which a field has its smallest or
/// largest value, and at a thousand that lie evenly. Of a sweep that is tuned, whose points nobody knows before, it looks at
/// the values of each field alone, beside the scenario's own.
///
/// # Errors
/// All that is wrong with these points; what is wrong with several is told once, with the first of them.
pub fn check(sweep: &Sweep, points: &Points<'_>) -> Result<Checked, Problems> {
    if sweep.tuning.is_some() {
        return probed(sweep, points.count());
    }
    let look: Vec<u64> = look_at(sweep, points).into_iter().collect();
    let looked: Vec<(u64, Result<Resolved, Problems>)> =
        look.par_iter().map(|point| (*point, sweep.resolve(*point, &points.levels(*point)))).collect();
    let base = &sweep.opened.resolved;
    let mut files_read: BTreeSet<PathBuf> = base.files_read.iter().cloned().collect();
    let mut expect: Option<Vec<Expectation>> = None;
    let (mut wrong, mut warnings) = (Vec::new(), base.warnings.clone());
    for (point, resolved) in looked {
        let resolved = match resolved {
            Ok(resolved) => resolved,
            Err(problems) => {
                wrong.push(problems);
                continue;
            }
        };
        files_read.extend(resolved.files_read);
        for warning in resolved.warnings.iter() {
            // The base says the same at the place where it stands.
            let known = warnings.iter().any(|known| known.message == warning.message);
            if !known {
                warnings.push(Problem { place: None, label: None, ..warning.clone() });
            }
        }
        let own = expected(&resolved.scenario);
        let first = expect.get_or_insert_with(|| own.clone());
        if columns_of(first) != columns_of(&own) {
            wrong.push(unlike(&sweep.title(point, &points.levels(point))).into());
        }
    }
    if !wrong.is_empty() {
        return Err(once(&wrong));
    }
    let looked_at = look.len() as u64;
    Ok(Checked { expect: expect.unwrap_or_default(), looked_at, files_read, warnings })
}

impl Checked {
    /// The head of the table that a part of the sweep comes to.
    ///
    /// # Errors
    /// A file that cannot be read any more.
    pub fn header(&self, sweep: &Sweep, points: &Points<'_>, part: Option<Part>) -> std::io::Result<Header> {
        let basis = Basis::of(sweep, &self.files_read)?;
        Ok(Header::new(sweep, points.count(), &self.expect, part, basis))
    }
}

/// What is wrong where two points do not have the same columns.
pub(super) fn unlike(title: &str) -> Problem {
    let message = format!("{title}: the scenario expects something else than at the first point");
    let help = "a bound may be varied; which expectations there are, and their units, stay the same";
    Problem::error(&crate::input::sweep::FIELD, message).help(help)
}

fn look_at(sweep: &Sweep, points: &Points<'_>) -> BTreeSet<u64> {
    let count = points.count();
    if count <= LOOKED_AT {
        return (0..count).collect();
    }
    let mut look: BTreeSet<u64> = (0..LOOKED_AT).map(|place| place * (count - 1) / (LOOKED_AT - 1)).collect();
    for field in 0..sweep.fields.len() {
        let number = |point: &u64| {
            let levels = points.levels(*point);
            let number = levels.get(field).and_then(|level| level.number.as_ref());
            number.map_or(i64::MIN, |number| number.micro)
        };
        look.extend((0..count).min_by_key(number));
        look.extend((0..count).max_by_key(number));
    }
    look
}

/// All that is wrong, each once: the words behind the number of the point tell whether it is the same.
pub(super) fn once(wrong: &[Problems]) -> Problems {
    let mut told: BTreeSet<(&str, String)> = BTreeSet::new();
    let mut kept = Problems::new();
    for problem in wrong.iter().flat_map(Problems::iter) {
        // `point 3, load.api.high = 40/s: WHAT`
        let what = problem.message.split_once(": ").filter(|(head, _)| head.starts_with("point "));
        let what = what.map_or(problem.message.as_str(), |(_, what)| what);
        if told.len() < TOLD && told.insert((problem.code.id, what.to_owned())) {
            kept.push(problem.clone());
        }
    }
    kept
}
