//! What people order, past every policy (register E8).

use super::ServiceName;
use crate::units::Instant;

/// A number of instances that somebody ordered. It wins over every policy while it is in force; then the number stays until
/// a policy wants another.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Override {
    /// Instances; at least one.
    pub replicas: u32,
    /// Why, in the words of who ordered it.
    pub reason: String,
    /// When it ends; `None` is never.
    pub until: Option<Instant>,
}

/// An order of a scenario, and from when on it is in force.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PlannedOverride {
    /// The service.
    pub service: ServiceName,
    /// From when on.
    pub from: Instant,
    /// What is ordered.
    pub order: Override,
}

impl Override {
    /// Whether it has not ended.
    #[must_use]
    pub fn lasts(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}
