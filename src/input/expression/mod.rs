//! The language of expectations: `p95(latency.api) <= 500ms for 99% of 5m`.
//!
//! Before you change it:
//! 1. Every name is looked up before the run; an unknown one is an error with a suggestion, never a silent pass.
//! 2. What `Display` of [`Expectation`] shows reads back as the same expectation; a property test holds it.
//! 3. No text, however strange, makes it panic.

mod codes;
mod lexer;
mod parser;
mod quantity;
mod resolver;
#[cfg(test)]
mod tests;
mod vocabulary;

pub use codes::CODES;

use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::model::Expectation;
use crate::model::Measure;
use crate::model::Quantity;
use crate::model::ServiceName;
use crate::units::Instant;

/// Longer texts are no expression that anyone wrote by hand.
const LENGTH_MAX: usize = 4096;

/// An expression as it stands in a file.
#[derive(Debug, Clone)]
pub struct Scalar<'a> {
    text: &'a str,
    place: Option<&'a Place>,
    /// Where the text begins in the source; `None` where the source writes it differently (escapes, folded lines).
    base: Option<usize>,
}

impl<'a> Scalar<'a> {
    /// The text of a scalar, and the place of that scalar, quotes included.
    #[must_use]
    pub fn new(text: &'a str, place: Option<&'a Place>) -> Self {
        let base = place.and_then(|place| {
            let written = place.text();
            let quoted =
                |quote: char| written.strip_prefix(quote).is_some_and(|rest| rest.strip_suffix(quote) == Some(text));
            match written {
                written if written == text => Some(place.start),
                _ if quoted('"') || quoted('\'') => Some(place.start + 1),
                _ => None,
            }
        });
        Self { text, place, base }
    }

    /// The problem, at these bytes of the expression.
    fn at(&self, problem: Problem, span: std::ops::Range<usize>) -> Problem {
        match (self.place, self.base) {
            (Some(place), Some(base)) => problem.at(&place.source.place(base + span.start, base + span.end)),
            (Some(place), None) => problem.at(place),
            (None, _) => problem,
        }
    }
}

/// What an expression may refer to.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The services of the stack.
    pub services: &'a [ServiceName],
    /// The part of the run that is judged, from the end of the warm-up to the end; `None` where it is not known.
    pub judged: Option<(Instant, Instant)>,
}

/// Reads one expectation.
///
/// # Errors
/// Everything that is wrong with it, each at its own place within the expression.
pub fn parse(name: &str, scalar: &Scalar<'_>, known: &Known<'_>) -> Result<Expectation, Problems> {
    let raw = parser::parse(scalar)?;
    resolver::resolve(name, scalar, &raw, known)
}

/// Reads an expression without a comparison, `p95(latency.api)`, as an expectation that nothing is expected of: it is
/// compared with zero of its own unit, from the side on which a stretch that lasts is the worst.
///
/// # Errors
/// Everything that is wrong with it, a comparison among it.
pub fn measure(name: &str, scalar: &Scalar<'_>, known: &Known<'_>) -> Result<Expectation, Problems> {
    let raw = parser::measure(scalar)?;
    resolver::measure(name, scalar, &raw, known)
}

/// Reads a figure that a measure can differ by: `5ms` for a latency, `10M` for memory.
///
/// # Errors
/// Where it is no figure, or its unit does not fit the measure.
pub fn difference(scalar: &Scalar<'_>, measure: &Measure) -> Result<Quantity, Problems> {
    let accepted = vocabulary::accepted(measure.aggregate, measure.metric, measure.range);
    let problem = match accepted.iter().find_map(|kind| quantity::read(*kind, scalar.text.trim())) {
        Some(figure) => return Ok(figure),
        None => resolver::misfit(scalar.text.trim(), accepted),
    };
    Err(scalar.at(problem, 0..scalar.text.len()).into())
}
