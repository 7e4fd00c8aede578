//! As many as the metric says.
//!
//! Source: hashicorp/nomad-autoscaler@ede4e617, `plugins/builtin/strategy/pass-through/plugin/plugin.go`.
//!
//! Before you change it:
//! 1. Only the latest point counts, cut to a whole number.
//! 2. The direction follows from the metric before it is cut: 2.5 where there are 2 is up, to 2.
//! 3. Nothing stops a metric below zero; the policy's bounds do.

use super::Action;
use super::Direction;
use super::Point;
use super::Reason;
use super::StrategyError;
use super::cut;
use super::strategy::integer;
use std::collections::BTreeMap;

/// The settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PassThrough {
    /// The most that are added at a time.
    pub max_scale_up: Option<i64>,
    /// The most that are taken away at a time.
    pub max_scale_down: Option<i64>,
}

impl PassThrough {
    /// Reads the settings `max_scale_up` and `max_scale_down`.
    ///
    /// # Errors
    /// [`StrategyError::Unreadable`] for a setting that cannot be read.
    pub fn read(settings: &BTreeMap<String, String>) -> Result<Self, StrategyError> {
        Ok(Self {
            max_scale_up: integer(settings, "max_scale_up")?,
            max_scale_down: integer(settings, "max_scale_down")?,
        })
    }

    /// What is to be done where there are `count` now; `None` without points.
    #[must_use]
    pub fn run(&self, points: &[Point], count: i64) -> Option<Action> {
        let metric = points.last()?.value;
        let direction = Self::direction(count, metric);
        let mut new = cut(metric);
        match direction {
            Direction::Up => new = new.min(count.saturating_add(self.max_scale_up.unwrap_or(i64::MAX))),
            Direction::Down => new = new.max(count.saturating_sub(self.max_scale_down.unwrap_or(i64::MAX))),
            Direction::None | Direction::Recommendation => return Some(Action::default()),
        }
        Some(Action::new(direction, new, Reason::Metric(cut(metric))))
    }

    /// The direction that a metric asks for.
    #[must_use]
    pub const fn direction(count: i64, metric: f64) -> Direction {
        let count = count as f64;
        if metric > count {
            Direction::Up
        } else if metric < count {
            Direction::Down
        } else {
            Direction::None
        }
    }
}
