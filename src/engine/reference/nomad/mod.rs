//! The Nomad autoscaler, rebuilt: a policy of reference, to be compared with.
//!
//! Source: hashicorp/nomad-autoscaler at commit ede4e617 (July 2026): `plugins/builtin/strategy`, `policy` and `sdk`.
//! Algorithms, figures and boundaries are taken from there, not the text. Each file says which part of it it rebuilds.
//!
//! A policy has checks. Each check asks for points of a metric and hands them to a strategy, which answers with an action: a
//! direction and a count. The count is held between the policy's bounds; the safest action wins. A handler puts it into
//! force and rests for the cooldown.
//!
//! Before you change it:
//! 1. It is told the time and all it needs; the same calls in the same order give the same actions.
//! 2. Direction and count of an action are two things. Bounds change the count and leave the direction, so an action can
//!    point up with a count below the current one; whether anything is done is asked of both.
//! 3. "Safest" is: up before none, none before down, and of one direction the larger count.
//! 4. Errors in a check's strategy are passed over unless somebody said otherwise; a check that gets no points ends the
//!    whole evaluation, whatever anybody said.
//! 5. Counts saturate, where the original would wrap. Nothing panics.

mod action;
mod check;
mod fixed_value;
mod handler;
mod pass_through;
mod policy;
mod strategy;
mod target_value;
#[cfg(test)]
mod tests;
mod threshold;
mod vote;

pub use action::Action;
pub use action::DRY_RUN_COUNT;
pub use action::Direction;
pub use action::Reason;
pub use check::Check;
pub use check::OnError;
pub use check::QUERY_WINDOW;
pub use check::Reading;
pub use fixed_value::FixedValue;
pub use handler::Handler;
pub use handler::Memory;
pub use handler::State;
pub use handler::TargetSeen;
pub use handler::Tick;
pub use handler::cooldown_left_nanos;
pub use pass_through::PassThrough;
pub use policy::Defaults;
pub use policy::EvaluationError;
pub use policy::Policy;
pub use policy::PolicyError;
pub use strategy::Strategy;
pub use strategy::StrategyError;
pub use target_value::TargetValue;
pub use threshold::Act;
pub use threshold::Threshold;
pub use vote::Vote;
pub use vote::winner;

use crate::units::Instant;

/// One point of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Point {
    /// When it was measured.
    pub at: Instant,
    /// What was measured, in whatever unit the strategy is set up for.
    pub value: f64,
}

/// The whole part; what is no number is zero, what is too large saturates.
#[expect(clippy::cast_possible_truncation, reason = "the one place that cuts to a count; the cast saturates")]
const fn cut(count: f64) -> i64 {
    count as i64
}
