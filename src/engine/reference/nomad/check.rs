//! A check: what it asks for, and what becomes of its errors.
//!
//! Source: hashicorp/nomad-autoscaler@ede4e617, `policy/check.go`; the default window from `policy/source.go`.
//!
//! Before you change it:
//! 1. What the check says of errors wins. Where it says nothing the policy decides, and where that says nothing either,
//!    errors are passed over.
//! 2. Passed over means: an action of none with a count of zero. In the group without a name that still holds back "down".
//! 3. A source that fails, or has no points, ends the evaluation whatever anybody says of errors.
//! 4. Points are put in the order of time before the strategy sees them.

use super::Action;
use super::EvaluationError;
use super::Point;
use super::Policy;
use super::Strategy;
use crate::units::Instant;
use crate::units::Span;

/// How far back a check asks, where nothing is set.
pub const QUERY_WINDOW: Span = Span::from_mins(1);

/// What becomes of an error in a strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnError {
    /// It ends the evaluation; nothing is done.
    Fail,
    /// The check is passed over.
    Ignore,
}

/// One check of a policy.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its name, for people.
    pub name: String,
    /// The group whose checks decide together; empty is the group without a name.
    #[serde(default)]
    pub group: String,
    /// How it comes from points to an action.
    pub strategy: Strategy,
    /// What becomes of an error in the strategy; `None` leaves it to the policy.
    #[serde(default)]
    pub on_error: Option<OnError>,
    /// How far back it asks. 1 min.
    #[serde(default = "query_window")]
    pub query_window: Span,
    /// How long before now the time ends that it asks for. 0 s.
    #[serde(default)]
    pub query_window_offset: Span,
    /// Whether it asks for one point in time only.
    #[serde(default)]
    pub query_instant: bool,
}

/// What a check got.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// Points, in any order.
    Points(Vec<Point>),
    /// The source could not be asked.
    SourceFailed,
    /// The strategy could not be run.
    StrategyFailed,
    /// It is not the time for this check; it is left out.
    OutsideSchedule,
}

const fn query_window() -> Span {
    QUERY_WINDOW
}

impl OnError {
    /// Reads `fail` or `ignore`; `None` for all else, which counts as not set.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        match text {
            "fail" => Some(Self::Fail),
            "ignore" => Some(Self::Ignore),
            _ => None,
        }
    }

    /// What holds for a check, by what it says itself and what its policy says.
    #[must_use]
    pub fn resolve(check: Option<Self>, policy: Option<Self>) -> Self {
        check.or(policy).unwrap_or(Self::Ignore)
    }
}

impl Check {
    /// A check in the group without a name, and the original's default for all else.
    #[must_use]
    pub const fn new(name: String, strategy: Strategy) -> Self {
        Self {
            name,
            group: String::new(),
            strategy,
            on_error: None,
            query_window: QUERY_WINDOW,
            query_window_offset: Span::ZERO,
            query_instant: false,
        }
    }

    /// The time it asks for, from and to.
    #[must_use]
    pub fn range(&self, now: Instant) -> (Instant, Instant) {
        let to = now.minus(self.query_window_offset);
        (if self.query_instant { to } else { to.minus(self.query_window) }, to)
    }

    /// What it wants done where there are `count` now, within the policy's bounds; `None` where it is left out.
    ///
    /// # Errors
    /// [`EvaluationError`] where that ends the evaluation.
    pub fn run(&self, policy: &Policy, reading: &Reading, count: i64) -> Result<Option<Action>, EvaluationError> {
        let mut action = match reading {
            Reading::OutsideSchedule => return Ok(None),
            Reading::StrategyFailed => match OnError::resolve(self.on_error, policy.on_check_error) {
                OnError::Fail => return Err(EvaluationError::StrategyFailed { check: self.name.clone() }),
                OnError::Ignore => Action::default(),
            },
            _ if !self.strategy.needs_points() => self.strategy.run(&[], count).unwrap_or_default(),
            Reading::SourceFailed => return Err(EvaluationError::SourceFailed { check: self.name.clone() }),
            Reading::Points(points) if points.is_empty() => {
                return Err(EvaluationError::NoPoints { check: self.name.clone() });
            }
            Reading::Points(points) => {
                let mut points = points.clone();
                points.sort_by_key(|point| point.at);
                self.strategy.run(&points, count).unwrap_or_default()
            }
        };
        action.cap(policy.min, policy.max);
        Ok(Some(action))
    }
}
