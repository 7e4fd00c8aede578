//! What came of one expectation in one run.

use super::scene::Scene;
use crate::model::Bound;
use crate::model::Comparison;
use crate::model::Expectation;
use crate::report::figure::Figure;
use crate::report::words;
use crate::units::Instant;

/// What came of one expectation in one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Its name.
    pub name: String,
    /// The expression as written.
    pub text: String,
    /// What was measured; `None` where nothing could be.
    pub measured: Option<Figure>,
    /// What it was compared with.
    pub bound: Option<Figure>,
    /// How.
    pub comparison: Comparison,
    /// Whether it holds.
    pub passed: bool,
    /// For `for 99% of 5m`: in how many windows it held.
    pub held: Option<Held>,
    /// Why nothing could be measured.
    pub problem: Option<String>,
    /// Where it failed first; `None` where it passed, or has no place in time.
    pub first_failure: Option<Failure>,
}

/// In how many windows an expectation held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// In so many it held.
    pub held: u64,
    /// So many were judged.
    pub judged: u64,
    /// So many had no requests and were not.
    pub empty: u64,
}

/// Where an expectation failed first.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Begin of the stretch.
    pub from: Instant,
    /// Its end.
    pub to: Instant,
    /// What was measured there.
    pub measured: Option<Figure>,
    /// What the host was doing then.
    pub scene: Scene,
}

impl Judged {
    /// The measured value as text: `812 ms`, `480 ms (held in 285 of 288 windows)`, or why there is none.
    #[must_use]
    pub fn measured_text(&self) -> String {
        let Some(measured) = self.measured else {
            return self.problem.clone().unwrap_or_else(|| "no samples".to_owned());
        };
        let text = match self.bound {
            Some(bound) if !self.passed => measured.beside(bound),
            _ => measured.to_string(),
        };
        match self.held {
            Some(held) if held.held == held.judged => format!("{text} (all {} windows)", held.judged),
            Some(held) => format!("{text} (held in {} of {} windows)", held.held, held.judged),
            None => text,
        }
    }

    /// How much room is left, as a share of the bound; negative by how much it fails. `None` where it makes no sense.
    #[must_use]
    pub fn margin(&self) -> Option<f64> {
        let (measured, bound) = (self.measured?.value, self.bound?.value);
        if bound == 0.0 || !measured.is_finite() {
            return None;
        }
        match self.comparison {
            Comparison::Less | Comparison::AtMost => Some((bound - measured) / bound),
            Comparison::More | Comparison::AtLeast => Some((measured - bound) / bound),
            Comparison::Equal => None,
        }
    }

    /// By how much a figure misses the bound: `312 ms more (62%)`.
    #[must_use]
    pub fn missed_by(&self, measured: Figure) -> Option<String> {
        let bound = self.bound?;
        if !measured.value.is_finite() {
            return Some("no request was answered".to_owned());
        }
        let by = measured.value - bound.value;
        if by == 0.0 {
            return None;
        }
        let direction = if by > 0.0 { "more" } else { "less" };
        let size = Figure::new(by.abs(), bound.unit);
        if bound.value == 0.0 || bound.unit == crate::report::figure::Unit::Share {
            return Some(format!("{size} {direction}"));
        }
        let part = by.abs() / bound.value;
        let part = if part >= 9.0 {
            format!("{} times as much", crate::report::figure::rounded(part + 1.0, 2))
        } else {
            Figure::share(part).to_string()
        };
        Some(format!("{size} {direction} ({part})"))
    }
}

/// What an expectation wants, as text: `<= 500 ms for 99% of 5m in 95% of seeds`.
#[must_use]
pub(super) fn wanted(expectation: &Expectation) -> String {
    let sign = words::comparison(expectation.comparison);
    let mut text = match expectation.bound {
        Bound::Value(quantity) => format!("{sign} {}", Figure::of(quantity)),
        Bound::OfLimit(share) => format!("{sign} {share} of limit"),
    };
    if let Some(windows) = expectation.windows {
        text.push_str(&format!(" for {} of {}", windows.share, windows.length));
    }
    if expectation.seeds != crate::units::Permille::ONE {
        text.push_str(&format!(" in {} of seeds", expectation.seeds));
    }
    text
}
