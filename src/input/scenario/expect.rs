//! Expectations, in the order of the file.

use super::codes;
use super::wire::ExpectFile;
use super::wire::ScalarText;
use super::wire::ToleranceFile;
use crate::input::expression;
use crate::input::expression::Known;
use crate::input::expression::Scalar;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::yaml::Node;
use crate::model::Expectation;
use crate::model::Host;
use crate::model::Measure;
use crate::model::Metric;
use crate::model::Tolerance;
use std::collections::BTreeMap;

/// Reads all expectations; `node` is the mapping `expect`.
pub(super) fn expectations(
    files: &BTreeMap<String, ExpectFile>,
    node: Option<&Node>,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Vec<Expectation> {
    let mut found = Vec::new();
    let mut errors = 0;
    for entry in node.map(Node::entries).unwrap_or_default() {
        let Some(file) = files.get(&entry.key) else { continue };
        let (text, at, tolerance) = match file {
            ExpectFile::Text(text) => (text, &entry.value, None),
            ExpectFile::Full(full) => {
                (&full.expr, entry.value.get("expr").unwrap_or(&entry.value), full.baseline.as_ref())
            }
        };
        match expression::parse(&entry.key, &Scalar::new(&text.0, Some(&at.place)), known) {
            Ok(mut expectation) => {
                let baseline = entry.value.get("baseline").unwrap_or(&entry.value);
                match tolerance.map(|file| self::tolerance(file, baseline, &expectation.measure)).transpose() {
                    Ok(tolerance) => expectation.baseline = tolerance,
                    Err(wrong) => problems.extend(wrong),
                }
                found.push(expectation);
            }
            Err(wrong) => {
                problems.extend(wrong);
                errors += 1;
                if errors >= super::ERRORS_MAX {
                    break;
                }
            }
        }
    }
    found
}

/// Whether the host has what the expectations are about.
pub(super) fn fits_host(expect: &[Expectation], host: &Host, node: Option<&Node>, problems: &mut Problems) {
    let warm = |one: &&Expectation| matches!(one.measure.metric, Metric::Temperature | Metric::Clock);
    for one in expect.iter().filter(warm).filter(|_| host.heat.is_none()) {
        let message = format!("nothing is known of the heat of `{}`, so it has no `{}`", host.name, one.measure.metric);
        let problem = Problem::error(&codes::EXPECT, message).help("give its profile a `heat`, as `m1-air` has one");
        let entry = node.and_then(|node| node.entry(&one.name));
        problems.push(match entry {
            Some(entry) => problem.at(&entry.value.place),
            None => problem,
        });
    }
}

fn tolerance(file: &ToleranceFile, node: &Node, measure: &Measure) -> Result<Tolerance, Problems> {
    let figure = match &file.and_at_least {
        None => None,
        Some(ScalarText::Text(text)) => Some(text.clone()),
        Some(ScalarText::Number(number)) => Some(number.to_string()),
    };
    let and_at_least = match figure {
        None => None,
        Some(text) => {
            let place = node.get("and_at_least").map(|node| &node.place);
            let difference = expression::difference(&Scalar::new(&text, place), measure);
            Some(difference.map_err(|wrong| -> Problems {
                let again = |problem: &Problem| Problem { code: &codes::EXPECT, ..problem.clone() };
                wrong.iter().map(again).collect()
            })?)
        }
    };
    Ok(Tolerance { worse_by: file.worse_by.0, and_at_least })
}
