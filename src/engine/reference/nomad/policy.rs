//! A policy: bounds, times and checks, and the action they come to.
//!
//! Source: hashicorp/nomad-autoscaler@ede4e617, `sdk/policy.go`, `policy/policy.go` and `policy/handler.go`; the agent's
//! defaults from `agent/config/config.go`.
//!
//! Before you change it:
//! 1. Each action is held between the bounds before it is compared with others.
//! 2. Checks are run in their order; the first error that counts ends it, and checks after it are not run.
//! 3. A scale-up has its own cooldown; where it has none, the common one holds for it.

use super::Action;
use super::Check;
use super::Direction;
use super::OnError;
use super::QUERY_WINDOW;
use super::Reading;
use super::Strategy;
use super::Vote;
use super::winner;
use crate::units::Span;

/// What the agent puts where a policy says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Defaults {
    /// Rest after an action. 5 min.
    pub cooldown: Span,
    /// Time between evaluations. 10 s.
    pub evaluation_interval: Span,
}

/// A policy. The default has no checks, and no upper bound; the original makes you write one.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The fewest. 0.
    pub min: i64,
    /// The most.
    pub max: i64,
    /// Rest after an action. 5 min.
    pub cooldown: Span,
    /// Rest after an action that points up; `None` is as after any.
    pub cooldown_on_scale_up: Option<Span>,
    /// Time between evaluations. 10 s.
    pub evaluation_interval: Span,
    /// What becomes of an error in a strategy, where its check says nothing; `None` passes it over.
    pub on_check_error: Option<OnError>,
    /// The checks, in the order they are run.
    pub checks: Vec<Check>,
}

/// Why a policy is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A count below zero.
    #[error("`min` is below zero")]
    MinNegative,
    /// A count below zero.
    #[error("`max` is below zero")]
    MaxNegative,
    /// Bounds that cross.
    #[error("`min` is above `max`")]
    MinAboveMax,
    /// One point can never be several.
    #[error("check `{check}` asks for one point, so its `within_bounds_trigger` must be 1")]
    TriggerNotOne {
        /// The check.
        check: String,
    },
}

/// Why an evaluation came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// The source could not be asked.
    #[error("the source of check `{check}` could not be asked")]
    SourceFailed {
        /// The check.
        check: String,
    },
    /// The source has no points.
    #[error("there are no points for check `{check}`")]
    NoPoints {
        /// The check.
        check: String,
    },
    /// The strategy could not be run.
    #[error("the strategy of check `{check}` could not be run")]
    StrategyFailed {
        /// The check.
        check: String,
    },
}

impl Default for Defaults {
    fn default() -> Self {
        Self { cooldown: Span::from_mins(5), evaluation_interval: Span::from_secs(10) }
    }
}

impl Default for Policy {
    fn default() -> Self {
        let Defaults { cooldown, evaluation_interval } = Defaults::default();
        Self {
            min: 0,
            max: i64::MAX,
            cooldown,
            cooldown_on_scale_up: None,
            evaluation_interval,
            on_check_error: None,
            checks: Vec::new(),
        }
    }
}

impl Policy {
    /// The policy with the agent's defaults where it has a time of zero; a cooldown of zero cannot be asked for.
    #[must_use]
    pub fn filled(mut self, defaults: &Defaults) -> Self {
        if self.cooldown == Span::ZERO {
            self.cooldown = defaults.cooldown;
        }
        if self.evaluation_interval == Span::ZERO {
            self.evaluation_interval = defaults.evaluation_interval;
        }
        let own = self.cooldown_on_scale_up.filter(|cooldown| *cooldown > Span::ZERO);
        self.cooldown_on_scale_up = Some(own.unwrap_or(self.cooldown));
        for check in &mut self.checks {
            if check.query_window == Span::ZERO {
                check.query_window = QUERY_WINDOW;
            }
        }
        self
    }

    /// All that is wrong with it; empty where nothing is.
    #[must_use]
    pub fn faults(&self) -> Vec<PolicyError> {
        let mut faults = Vec::new();
        if self.min < 0 {
            faults.push(PolicyError::MinNegative);
        }
        if self.max < 0 {
            faults.push(PolicyError::MaxNegative);
        }
        if self.min > self.max {
            faults.push(PolicyError::MinAboveMax);
        }
        for check in self.checks.iter().filter(|check| check.query_instant) {
            if let Strategy::Threshold(threshold) = &check.strategy
                && threshold.within_bounds_trigger != 1
            {
                faults.push(PolicyError::TriggerNotOne { check: check.name.clone() });
            }
        }
        faults
    }

    /// The rest after an action in this direction.
    #[must_use]
    pub fn cooldown_after(&self, direction: Direction) -> Span {
        self.cooldown_on_scale_up.filter(|_| direction == Direction::Up).unwrap_or(self.cooldown)
    }

    /// What is to be done where there are `count` now. There is one reading for each check, in their order; a check without
    /// one could not ask its source.
    ///
    /// ```
    /// use plimsoll::engine::reference::nomad::Check;
    /// use plimsoll::engine::reference::nomad::Point;
    /// use plimsoll::engine::reference::nomad::Policy;
    /// use plimsoll::engine::reference::nomad::Reading;
    /// use plimsoll::engine::reference::nomad::Strategy;
    /// use plimsoll::engine::reference::nomad::TargetValue;
    ///
    /// let check = |name: &str, target| Check::new(name.to_owned(), Strategy::TargetValue(TargetValue::new(target)));
    /// let read = |value| Reading::Points(vec![Point { value, ..Point::default() }]);
    /// let policy = Policy { min: 2, max: 10, checks: vec![check("cpu", 50.0), check("queue", 8.0)], ..Policy::default() };
    /// // CPU asks for a fifth less, the queue for half as many more: 4 become 6.
    /// assert_eq!(policy.evaluate(&[read(40.0), read(12.0)], 4).map(|action| action.count), Ok(6));
    /// ```
    ///
    /// # Errors
    /// [`EvaluationError`] for the first check that ends the evaluation.
    pub fn evaluate(&self, readings: &[Reading], count: i64) -> Result<Action, EvaluationError> {
        let mut votes = Vec::new();
        for (place, check) in self.checks.iter().enumerate() {
            let reading = readings.get(place).unwrap_or(&Reading::SourceFailed);
            if let Some(action) = check.run(self, reading, count)? {
                votes.push(Vote { group: check.group.clone(), action: Some(action) });
            }
        }
        Ok(winner(&votes).cloned().unwrap_or_default())
    }
}
