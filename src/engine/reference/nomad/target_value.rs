//! So many that the metric comes to its target.
//!
//! Source: hashicorp/nomad-autoscaler@ede4e617, `plugins/builtin/strategy/target-value/plugin/plugin.go`.
//!
//! Before you change it:
//! 1. Only the latest point counts.
//! 2. The threshold is inclusive on both sides: a factor of exactly one plus or minus it is none. From zero it does not
//!    count; there any metric above zero is up.
//! 3. The new count is rounded up, also on the way down. So the last one goes only when the metric is zero.
//! 4. The direction follows from the factor, before the steps are limited. A step that comes to nothing is none.

use super::Action;
use super::Direction;
use super::Point;
use super::Reason;
use super::StrategyError;
use super::cut;
use super::strategy::integer;
use super::strategy::number;
use std::collections::BTreeMap;

/// The threshold, where none is set.
const THRESHOLD: f64 = 0.01;

/// The settings.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetValue {
    /// What the metric is to be. With zero the metric itself is the factor: a queue that is to be empty.
    pub target: f64,
    /// How far the factor may be from one. 0.01.
    #[serde(default = "threshold")]
    pub threshold: f64,
    /// The most that are added at a time.
    #[serde(default)]
    pub max_scale_up: Option<i64>,
    /// The most that are taken away at a time.
    #[serde(default)]
    pub max_scale_down: Option<i64>,
}

const fn threshold() -> f64 {
    THRESHOLD
}

impl TargetValue {
    /// A target, and the original's default for all else.
    #[must_use]
    pub const fn new(target: f64) -> Self {
        Self { target, threshold: THRESHOLD, max_scale_up: None, max_scale_down: None }
    }

    /// Reads the settings `target`, `threshold`, `max_scale_up` and `max_scale_down`.
    ///
    /// # Errors
    /// [`StrategyError`] where there is no target, or a setting cannot be read.
    pub fn read(settings: &BTreeMap<String, String>) -> Result<Self, StrategyError> {
        Ok(Self {
            target: number(settings, "target")?.ok_or(StrategyError::Missing { key: "target" })?,
            threshold: number(settings, "threshold")?.unwrap_or(THRESHOLD),
            max_scale_up: integer(settings, "max_scale_up")?,
            max_scale_down: integer(settings, "max_scale_down")?,
        })
    }

    /// What is to be done where there are `count` now; `None` without points.
    #[must_use]
    pub fn run(&self, points: &[Point], count: i64) -> Option<Action> {
        let metric = points.last()?.value;
        let factor = if self.target == 0.0 { metric } else { metric / self.target };
        let direction = self.direction(count, factor);
        if direction == Direction::None {
            return Some(Action::default());
        }
        let mut new = cut(if count == 0 { factor.ceil() } else { (count as f64 * factor).ceil() });
        if let Some(most) = self.max_scale_down {
            new = new.max(count.saturating_sub(most));
        }
        if let Some(most) = self.max_scale_up {
            new = new.min(count.saturating_add(most));
        }
        Some(if new == count { Action::default() } else { Action::new(direction, new, Reason::Factor(factor)) })
    }

    /// The direction that a factor asks for.
    #[must_use]
    pub fn direction(&self, count: i64, factor: f64) -> Direction {
        if count == 0 {
            return if factor > 0.0 { Direction::Up } else { Direction::None };
        }
        if factor < 1.0 - self.threshold {
            Direction::Down
        } else if factor > 1.0 + self.threshold {
            Direction::Up
        } else {
            Direction::None
        }
    }
}
