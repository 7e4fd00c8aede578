//! A step, once the metric was within bounds often enough.
//!
//! Source: hashicorp/nomad-autoscaler@ede4e617, `plugins/builtin/strategy/threshold/plugin/plugin.go`.
//!
//! Before you change it:
//! 1. The lower bound is inclusive, the upper one exclusive.
//! 2. All points count that were handed in, wherever they lie; they need not follow each other.
//! 3. A percentage is rounded up, also on the way down. Nothing falls below zero.

use super::Action;
use super::Direction;
use super::Point;
use super::Reason;
use super::StrategyError;
use super::cut;
use super::strategy::integer;
use super::strategy::number;
use super::strategy::text;
use std::collections::BTreeMap;

/// Points that must be within bounds, where nothing is set.
const TRIGGER: i64 = 5;

/// The settings.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// From where on, inclusive; `None` is from anywhere.
    #[serde(default)]
    pub lower_bound: Option<f64>,
    /// Up to where, exclusive; `None` is up to anywhere.
    #[serde(default)]
    pub upper_bound: Option<f64>,
    /// Points that must be within bounds. 5. With zero or less the step is always done.
    #[serde(default = "trigger")]
    pub within_bounds_trigger: i64,
    /// The step.
    pub act: Act,
}

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// So many more, or fewer.
    Delta(i64),
    /// So many percent more, or fewer.
    Percentage(f64),
    /// To this count.
    Value(i64),
}

const fn trigger() -> i64 {
    TRIGGER
}

impl Threshold {
    /// A step without bounds, and the original's default for all else. Set a bound; the original demands one.
    #[must_use]
    pub const fn new(act: Act) -> Self {
        Self { lower_bound: None, upper_bound: None, within_bounds_trigger: TRIGGER, act }
    }

    /// Reads the settings `lower_bound`, `upper_bound`, `within_bounds_trigger`, and one of `delta`, `percentage` and
    /// `value`.
    ///
    /// # Errors
    /// [`StrategyError`] where there is no bound, or not exactly one step, or a setting cannot be read.
    pub fn read(settings: &BTreeMap<String, String>) -> Result<Self, StrategyError> {
        if text(settings, "upper_bound").is_none() && text(settings, "lower_bound").is_none() {
            return Err(StrategyError::NoBound);
        }
        let upper_bound = number(settings, "upper_bound")?;
        let lower_bound = number(settings, "lower_bound")?;
        let within_bounds_trigger = integer(settings, "within_bounds_trigger")?.unwrap_or(TRIGGER);
        match ["delta", "percentage", "value"].iter().filter(|key| text(settings, key).is_some()).count() {
            0 => return Err(StrategyError::NoAct),
            1 => (),
            _ => return Err(StrategyError::SeveralActs),
        }
        let act = if let Some(delta) = integer(settings, "delta")? {
            Act::Delta(delta)
        } else if let Some(percentage) = number(settings, "percentage")? {
            Act::Percentage(percentage)
        } else {
            Act::Value(integer(settings, "value")?.unwrap_or(0))
        };
        if matches!(act, Act::Value(..0)) {
            return Err(StrategyError::Negative { key: "value" });
        }
        Ok(Self { lower_bound, upper_bound, within_bounds_trigger, act })
    }

    /// What is to be done where there are `count` now; `None` without points.
    #[must_use]
    pub fn run(&self, points: &[Point], count: i64) -> Option<Action> {
        if points.is_empty() {
            return None;
        }
        let within = points.iter().filter(|point| self.is_within_bounds(point.value)).count();
        if i64::try_from(within).unwrap_or(i64::MAX) < self.within_bounds_trigger {
            return Some(Action::default());
        }
        let new = match self.act {
            Act::Delta(delta) => count.saturating_add(delta),
            Act::Percentage(percentage) => cut((count as f64 * (1.0 + percentage / 100.0)).ceil()),
            Act::Value(value) => value,
        };
        let new = new.max(0);
        let direction = Direction::between(count, new);
        Some(match direction {
            Direction::None => Action::default(),
            _ => Action::new(direction, new, Reason::WithinBounds),
        })
    }

    /// Whether a point counts. What is no number never does.
    fn is_within_bounds(&self, value: f64) -> bool {
        value >= self.lower_bound.unwrap_or(f64::NEG_INFINITY) && value < self.upper_bound.unwrap_or(f64::INFINITY)
    }
}
