//! What is wrong with a sweep that is tuned, before anything runs: its points are not known, the values of its fields are.

use super::rises;
use crate::capacity::sweep::Checked;
use crate::capacity::sweep::check::once;
use crate::capacity::sweep::check::unlike;
use crate::capacity::sweep::table::columns_of;
use crate::input::problem::Problems;
use crate::input::sweep::Level;
use crate::input::sweep::Sweep;
use crate::report::expected;
use std::collections::BTreeSet;

/// Looks at each field alone, the others as the scenario has them: at each value of a list; of numbers at the first, the one
/// in the middle and the last. A name that is wrong is an error. A number is one where none of the three fits: bounds that
/// fit only together with others are what is searched for.
pub(in crate::capacity::sweep) fn probed(sweep: &Sweep, points: u64) -> Result<Checked, Problems> {
    let base = &sweep.opened.resolved;
    let expect = expected(&base.scenario);
    let mut files_read: BTreeSet<_> = base.files_read.iter().cloned().collect();
    let mut wrong = Vec::new();
    for (field, values) in sweep.fields.iter().map(|field| field.values.all()).enumerate() {
        let is_number = rises(&values);
        let looked: Vec<Level> = match values.as_slice() {
            [first, .., last] if is_number && values.len() > 3 => {
                vec![first.clone(), values[values.len() / 2].clone(), last.clone()]
            }
            all => all.to_vec(),
        };
        let mut wrong_here = Vec::new();
        for level in &looked {
            let alone: Vec<Level> = (0..sweep.fields.len())
                .map(|other| if other == field { level.clone() } else { Level::unwritten() })
                .collect();
            match sweep.resolve(0, &alone) {
                Err(problems) => wrong_here.push(problems),
                Ok(resolved) => {
                    files_read.extend(resolved.files_read);
                    if columns_of(&expect) != columns_of(&expected(&resolved.scenario)) {
                        return Err(unlike(&sweep.title(0, &alone)).into());
                    }
                }
            }
        }
        if !is_number || wrong_here.len() == looked.len() {
            wrong.extend(wrong_here);
        }
    }
    if !wrong.is_empty() {
        return Err(once(&wrong));
    }
    // What is odd about a value that is only tried is nobody's concern: the search finds out what it is worth.
    Ok(Checked { expect, looked_at: points, files_read, warnings: base.warnings.clone() })
}
