//! What KEDA reports instead of a metric that it could not read, so that the autoscaler behind it keeps a sensible
//! number of replicas.
//! SOURCE: kedacore/keda, pkg/fallback/fallback.go, and `CheckFallbackValid` of
//! apis/keda/v1alpha1/scaledobject_types.go, at 8b4f083c. Before you change it:
//! 1. Failures count in a row, by metric. Only more than the threshold bring a fallback, not as many.
//! 2. A fallback is a value of the metric, not a number of replicas: replicas times target. The autoscaler divides
//!    again, and where its target is one value for all, it multiplies by the ready replicas; so they are divided by
//!    here.
//! 3. Without a valid fallback nothing is counted, and the failure goes through as it is.
//! 4. Values are whole thousandths, cut towards zero, as Kubernetes' quantities have them.

use super::activation::Reading;
use super::activation::is_active;
use std::collections::BTreeMap;

/// How many replicas a fallback is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FallbackBehavior {
    /// As many as it says. What is done where nothing is said.
    #[default]
    Static,
    /// As many as there are.
    CurrentReplicas,
    /// As many as there are, and at least as many as it says.
    CurrentReplicasIfHigher,
    /// As many as there are, and at most as many as it says.
    CurrentReplicasIfLower,
    /// A formula over all metrics decides; to it, this one is missing.
    ScalingModifiers,
}

/// A fallback. Negative figures are not valid; whoever writes one is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Fallback {
    /// More failures in a row than this bring it about.
    pub failure_threshold: i32,
    /// Replicas.
    pub replicas: i32,
    /// How they are meant.
    pub behavior: FallbackBehavior,
}

/// How the autoscaler reads a metric.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetricTarget {
    /// So much for each replica.
    AverageValue(f64),
    /// So much for all.
    Value(f64),
}

/// The replicas of a target, as far as anybody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct ReplicasSeen {
    /// How many there are.
    pub current: Option<i32>,
    /// How many of them are ready.
    pub ready: Option<i32>,
}

/// How reading a metric went of late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Health {
    /// Failures in a row.
    pub failures: i32,
    /// The last look failed.
    pub failing: bool,
}

/// Whether some metric is replaced by a fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FallbackCondition {
    /// Nobody looked yet, or there is no valid fallback.
    #[default]
    Unknown,
    /// At least one is.
    Active,
    /// None is.
    Inactive,
}

/// The health of all metrics of one target.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct FallbackState {
    /// By metric.
    pub health: BTreeMap<String, Health>,
    /// What it comes to.
    pub condition: FallbackCondition,
}

/// What is reported of a metric.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// What was read.
    Read(f64),
    /// What stands in for it, in thousandths.
    FallenBack {
        /// In thousandths of the metric's unit.
        milli: i64,
    },
    /// Nothing; a formula has to do without it. The original reports -1.
    LeftToFormula,
    /// It could not be read.
    Failed,
    /// It could not be read, nor replaced: nobody knows how many replicas are ready, or none is.
    FallbackFailed,
}

/// What is wrong with a fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FallbackError {
    /// The threshold or the replicas are below zero.
    Negative,
    /// There are no triggers but CPU and memory, which have none.
    OnlyResources,
    /// The formula's target is no whole number above zero.
    FormulaTarget,
}

impl Metric {
    /// What it says to the executor, with this activation threshold. What is left to a formula does not activate by
    /// itself.
    #[must_use]
    pub fn reading(&self, activation_threshold: f64) -> Reading {
        match self {
            Self::Read(value) if is_active(*value, activation_threshold) => Reading::Active,
            Self::Read(_) | Self::LeftToFormula => Reading::Inactive,
            Self::FallenBack { .. } => Reading::FallenBack,
            Self::Failed | Self::FallbackFailed => Reading::Failed,
        }
    }
}

impl Fallback {
    /// Checks a fallback of a target with so many triggers other than CPU and memory; `formula` says that a formula
    /// over all metrics is what scales.
    ///
    /// # Errors
    /// Why it can never work.
    pub const fn check(&self, external_triggers: usize, formula: Option<MetricTarget>) -> Result<(), FallbackError> {
        if self.failure_threshold < 0 || self.replicas < 0 {
            return Err(FallbackError::Negative);
        }
        if formula.is_none() && external_triggers == 0 {
            return Err(FallbackError::OnlyResources);
        }
        Ok(())
    }

    /// Whether it is looked at when a metric fails.
    ///
    /// # Errors
    /// Why it is passed over.
    pub fn usable(&self, formula: Option<MetricTarget>) -> Result<(), FallbackError> {
        if let Some(MetricTarget::AverageValue(target) | MetricTarget::Value(target)) = formula
            && (target.fract() != 0.0 || target <= 0.0)
        {
            return Err(FallbackError::FormulaTarget);
        }
        if self.failure_threshold < 0 || self.replicas < 0 { Err(FallbackError::Negative) } else { Ok(()) }
    }

    /// What stands in for a metric. `None` where ready replicas are needed, and none is known.
    fn metric(&self, target: MetricTarget, seen: ReplicasSeen) -> Option<Metric> {
        let current = f64::from(seen.current.unwrap_or(0));
        let said = f64::from(self.replicas);
        let replicas = match self.behavior {
            FallbackBehavior::Static => said,
            FallbackBehavior::CurrentReplicas => current,
            FallbackBehavior::CurrentReplicasIfHigher => current.max(said),
            FallbackBehavior::CurrentReplicasIfLower => current.min(said),
            FallbackBehavior::ScalingModifiers => return Some(Metric::LeftToFormula),
        };
        let (target, replicas) = match target {
            MetricTarget::AverageValue(target) => (target, replicas),
            MetricTarget::Value(target) => (target, replicas / f64::from(seen.ready.filter(|ready| *ready != 0)?)),
        };
        Some(Metric::FallenBack { milli: thousandths(target, replicas) })
    }
}

impl FallbackState {
    /// Takes note of a look at a metric, and says what to report: `read` is the value, or `None` where it could not be
    /// read. With a formula, its target is the one that counts.
    ///
    /// ```
    /// use plimsoll::engine::reference::keda::Fallback;
    /// use plimsoll::engine::reference::keda::FallbackBehavior;
    /// use plimsoll::engine::reference::keda::FallbackState;
    /// use plimsoll::engine::reference::keda::Metric;
    /// use plimsoll::engine::reference::keda::MetricTarget;
    /// use plimsoll::engine::reference::keda::ReplicasSeen;
    ///
    /// // Four replicas from the second failure in a row on; 25 messages for each of them are 100 messages.
    /// let fallback = Fallback { failure_threshold: 1, replicas: 4, behavior: FallbackBehavior::Static };
    /// let target = (MetricTarget::AverageValue(25.0), None);
    /// let mut state = FallbackState::default();
    /// let mut look = |read| state.report(Some(&fallback), "queue", read, target, ReplicasSeen::default());
    /// assert_eq!(look(Some(60.0)), Metric::Read(60.0));
    /// assert_eq!(look(None), Metric::Failed);
    /// assert_eq!(look(None), Metric::FallenBack { milli: 100_000 });
    /// ```
    pub fn report(
        &mut self,
        fallback: Option<&Fallback>,
        metric: &str,
        read: Option<f64>,
        (target, formula): (MetricTarget, Option<MetricTarget>),
        seen: ReplicasSeen,
    ) -> Metric {
        let as_read = read.map_or(Metric::Failed, Metric::Read);
        let Some(fallback) = fallback.filter(|fallback| fallback.usable(formula).is_ok()) else { return as_read };
        let health = self.health.entry(metric.to_owned()).or_default();
        health.failing = read.is_none();
        health.failures = if health.failing { health.failures.saturating_add(1) } else { 0 };
        let failures = health.failures;
        let is_beyond = |health: &Health| health.failing && health.failures > fallback.failure_threshold;
        let any = self.health.values().any(is_beyond);
        self.condition = if any { FallbackCondition::Active } else { FallbackCondition::Inactive };
        if read.is_some() || failures <= fallback.failure_threshold {
            return as_read;
        }
        let needs_current = !matches!(fallback.behavior, FallbackBehavior::Static | FallbackBehavior::ScalingModifiers);
        if needs_current && seen.current.is_none() {
            return Metric::Failed;
        }
        fallback.metric(formula.unwrap_or(target), seen).unwrap_or(Metric::FallbackFailed)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "cut towards zero, as the original does; the cast saturates")]
fn thousandths(target: f64, replicas: f64) -> i64 {
    (target * 1000.0 * replicas) as i64
}
