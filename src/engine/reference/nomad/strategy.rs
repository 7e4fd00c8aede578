//! The strategies by name, and how their settings are read.
//!
//! Source: hashicorp/nomad-autoscaler@ede4e617, `plugins/builtin/strategy`; names from `plugins/plugin.go`.
//!
//! Before you change it:
//! 1. An empty setting is one that is not there.
//! 2. Numbers that are not finite are refused, where the original takes some of them.
//! 3. Settings are read once, before the first run. The original reads them at every run; so it answers "no points" before
//!    "bad settings" where both are the case.

use super::Action;
use super::FixedValue;
use super::PassThrough;
use super::Point;
use super::TargetValue;
use super::Threshold;
use std::collections::BTreeMap;

/// How a check comes from points to an action.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Strategy {
    /// So many that the metric comes to a target.
    TargetValue(TargetValue),
    /// A step, once the metric is within bounds.
    Threshold(Threshold),
    /// As many as the metric says.
    PassThrough(PassThrough),
    /// Always the same.
    FixedValue(FixedValue),
}

/// Why settings are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StrategyError {
    /// There is no such strategy.
    #[error("there is no strategy `{name}`")]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// A setting that must be there is not.
    #[error("`{key}` is missing")]
    Missing {
        /// The setting.
        key: &'static str,
    },
    /// A setting that is not of its kind.
    #[error("`{key}: {text}` cannot be read")]
    Unreadable {
        /// The setting.
        key: &'static str,
        /// What was written.
        text: String,
    },
    /// A threshold without a bound would always be reached.
    #[error("neither `lower_bound` nor `upper_bound` is there")]
    NoBound,
    /// A threshold that says nothing of what to do.
    #[error("none of `delta`, `percentage` and `value` is there")]
    NoAct,
    /// A threshold that says more than one thing to do.
    #[error("only one of `delta`, `percentage` and `value` can be there")]
    SeveralActs,
    /// A count below zero.
    #[error("`{key}` is below zero")]
    Negative {
        /// The setting.
        key: &'static str,
    },
}

impl Strategy {
    /// Reads the settings of the strategy of this name.
    ///
    /// # Errors
    /// [`StrategyError`] for an unknown name, and for settings that the strategy cannot work with.
    pub fn read(name: &str, settings: &BTreeMap<String, String>) -> Result<Self, StrategyError> {
        match name {
            "target-value" => TargetValue::read(settings).map(Self::TargetValue),
            "threshold" => Threshold::read(settings).map(Self::Threshold),
            "pass-through" => PassThrough::read(settings).map(Self::PassThrough),
            "fixed-value" => FixedValue::read(settings).map(Self::FixedValue),
            _ => Err(StrategyError::Unknown { name: name.to_owned() }),
        }
    }

    /// What is to be done where there are `count` now. `points` are in the order of time. `None` is no answer, for want of
    /// points.
    ///
    /// ```
    /// use plimsoll::engine::reference::nomad::Direction;
    /// use plimsoll::engine::reference::nomad::Point;
    /// use plimsoll::engine::reference::nomad::Strategy;
    ///
    /// let settings = [("target", "70"), ("max_scale_up", "3")];
    /// let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    /// let strategy = Strategy::read("target-value", &settings)?;
    /// // 140 is twice the target: four become eight, but no more than three are added at a time.
    /// let action = strategy.run(&[Point { value: 140.0, ..Point::default() }], 4).unwrap_or_default();
    /// assert_eq!((action.direction, action.count), (Direction::Up, 7));
    /// # Ok::<(), plimsoll::engine::reference::nomad::StrategyError>(())
    /// ```
    #[must_use]
    pub fn run(&self, points: &[Point], count: i64) -> Option<Action> {
        match self {
            Self::TargetValue(strategy) => strategy.run(points, count),
            Self::Threshold(strategy) => strategy.run(points, count),
            Self::PassThrough(strategy) => strategy.run(points, count),
            Self::FixedValue(strategy) => Some(strategy.run(count)),
        }
    }

    /// Whether it needs points at all.
    #[must_use]
    pub const fn needs_points(&self) -> bool {
        !matches!(self, Self::FixedValue(_))
    }
}

/// A setting that is there.
pub(super) fn text<'a>(settings: &'a BTreeMap<String, String>, key: &'static str) -> Option<&'a str> {
    settings.get(key).map(String::as_str).filter(|text| !text.is_empty())
}

/// A setting that is a number; `None` where it is not there.
pub(super) fn number(settings: &BTreeMap<String, String>, key: &'static str) -> Result<Option<f64>, StrategyError> {
    let Some(text) = text(settings, key) else { return Ok(None) };
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Some(number)),
        _ => Err(StrategyError::Unreadable { key, text: text.to_owned() }),
    }
}

/// A setting that is a whole number; `None` where it is not there.
pub(super) fn integer(settings: &BTreeMap<String, String>, key: &'static str) -> Result<Option<i64>, StrategyError> {
    let Some(text) = text(settings, key) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| StrategyError::Unreadable { key, text: text.to_owned() })
}
