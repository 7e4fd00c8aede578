//! What a look at a target comes to, and why.
//! Source: the conditions and reasons in kubernetes/kubernetes, `pkg/controller/podautoscaler/horizontal.go`, the main
//! branch of mid 2026. Before you change it:
//! 1. A decision says what was found at this look. What it does not speak of stays as it was said before.
//! 2. Reasons are data; `name` is how Kubernetes writes them.

use super::limit::Limited;
use super::proposals::MetricKind;

/// Whether the target could be scaled: the condition `AbleToScale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum AbleToScale {
    /// It was looked at, and no count was made.
    SucceededGetScale,
    /// There is nothing to do.
    ReadyForNewScale,
    /// Fewer were wanted than lately; it waits.
    ScaleDownStabilised,
    /// More were wanted than lately; it waits.
    ScaleUpStabilised,
    /// It is to be changed.
    SucceededRescale,
}

impl AbleToScale {
    /// The reason as Kubernetes writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SucceededGetScale => "SucceededGetScale",
            Self::ReadyForNewScale => "ReadyForNewScale",
            Self::ScaleDownStabilised => "ScaleDownStabilized",
            Self::ScaleUpStabilised => "ScaleUpStabilized",
            Self::SucceededRescale => "SucceededRescale",
        }
    }
}

/// Whether a count could be made: the condition `ScalingActive`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ScalingActive {
    /// It could, from this metric (by its place).
    ValidMetricFound(usize),
    /// The target has no replicas, and that was not this autoscaler's doing.
    ScalingDisabled,
    /// Too little is known. The first metric that says nothing is of this kind; `None` where there are no metrics.
    Failed(Option<MetricKind>),
}

impl ScalingActive {
    /// The reason as Kubernetes writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ValidMetricFound(_) => "ValidMetricFound",
            Self::ScalingDisabled => "ScalingDisabled",
            Self::Failed(Some(MetricKind::Resource)) => "FailedGetResourceMetric",
            Self::Failed(Some(MetricKind::ContainerResource)) => "FailedGetContainerResourceMetric",
            Self::Failed(Some(MetricKind::Pods)) => "FailedGetPodsMetric",
            Self::Failed(Some(MetricKind::Object)) => "FailedGetObjectMetric",
            Self::Failed(Some(MetricKind::External)) => "FailedGetExternalMetric",
            Self::Failed(Some(MetricKind::Unknown) | None) => "InvalidMetricSourceType",
        }
    }

    /// Whether a count could be made.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::ValidMetricFound(_))
    }
}

/// Why a target is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Why {
    /// There are more than the most; no metric was asked.
    AboveMax,
    /// There are fewer than the fewest.
    BelowMin,
    /// This metric is above its target (by its place).
    AboveTarget(usize),
    /// All metrics are below their targets.
    AllBelowTarget,
    /// All metrics are content, but something else was wanted lately, and somebody else has changed the target since.
    WantedLately,
}

/// What is to be done with a target.
#[must_use = "a decision that nobody carries out is a bug"]
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Decision {
    /// The replicas that were asked for until now.
    pub before: i32,
    /// The replicas to ask for; the same where nothing is to be done.
    pub replicas: i32,
    /// Why it is changed; `None` where it is not.
    pub why: Option<Why>,
    /// What the metrics wanted; `None` where no count was made.
    pub wanted: Option<i32>,
    /// What was left of that after looking at what was wanted lately; `None` where no count was made.
    pub stabilised: Option<i32>,
    /// Whether the target could be scaled.
    pub able: AbleToScale,
    /// Whether a count could be made; `None` where no metric was asked.
    pub active: Option<ScalingActive>,
    /// What held the wish back: the condition `ScalingLimited`. `None` where no count was made.
    pub limited: Option<Limited>,
    /// Whether the target is without replicas by this autoscaler's doing: the condition `ScaledToZero`. `None` where it
    /// says nothing about that.
    pub scaled_to_zero: Option<bool>,
}

impl Decision {
    /// Whether there is something to do.
    #[must_use]
    pub const fn is_change(&self) -> bool {
        self.replicas != self.before
    }
}
