//! Always the same count.
//!
//! Source: hashicorp/nomad-autoscaler@ede4e617, `plugins/builtin/strategy/fixed-value/plugin/plugin.go`.
//!
//! Before you change it:
//! 1. It needs no points, and its check asks for none.
//! 2. A value below zero is taken as it is; the policy's bounds stop it, except for -1, which is a dry run.

use super::Action;
use super::Direction;
use super::Reason;
use super::StrategyError;
use super::strategy::integer;
use std::collections::BTreeMap;

/// The settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedValue {
    /// How many there are to be.
    pub value: i64,
}

impl FixedValue {
    /// Reads the setting `value`.
    ///
    /// # Errors
    /// [`StrategyError`] where it is not there or cannot be read.
    pub fn read(settings: &BTreeMap<String, String>) -> Result<Self, StrategyError> {
        let value = integer(settings, "value")?.ok_or(StrategyError::Missing { key: "value" })?;
        Ok(Self { value })
    }

    /// What is to be done where there are `count` now.
    #[must_use]
    pub fn run(&self, count: i64) -> Action {
        match Direction::between(count, self.value) {
            Direction::None => Action::default(),
            direction => Action::new(direction, self.value, Reason::FixedValue(self.value)),
        }
    }
}
