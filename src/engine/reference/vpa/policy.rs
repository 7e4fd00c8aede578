//! What the operator says about the containers of a service: bounds, and what is controlled at all.
//! Source: kubernetes/autoscaler@55c37cd5, vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1/types.go
//! (ContainerResourcePolicy), and how it is looked up: pkg/utils/vpa/api.go.
//!
//! Before you change it:
//! 1. A policy that names the container wins over the one for all others, whichever comes first.
//! 2. A bound of zero is no bound.
//! 3. The overrides of OOM and memory settings always hold where they are set. In the original they are behind a
//!    feature gate that is off by default.

use super::amount::ResourceAmount;
use super::amount::ResourceName;
use super::amount::Resources;
use crate::units::Span;

/// The name that stands for every container without a policy of its own.
pub const EVERY_CONTAINER: &str = "*";

/// Whether a container is scaled at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScalingMode {
    /// It gets a recommendation.
    #[default]
    Auto,
    /// It gets none, and its deaths do not count either.
    Off,
}

/// Whether limits follow the recommendation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlledValues {
    /// Limits keep their proportion to requests.
    #[default]
    RequestsAndLimits,
    /// Limits stay as they are, so a recommendation goes up to the limit at most.
    RequestsOnly,
}

/// What the operator says about one container. The default says nothing.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct ContainerPolicy {
    /// The name of the container, or [`EVERY_CONTAINER`].
    pub container: String,
    /// Whether it is scaled.
    pub mode: ScalingMode,
    /// The least that is recommended.
    pub min_allowed: Resources,
    /// The most that is recommended; wins over `min_allowed`.
    pub max_allowed: Resources,
    /// The resources that are recommended; `None` for both.
    pub controlled_resources: Option<Vec<ResourceName>>,
    /// Whether limits follow.
    pub controlled_values: ControlledValues,
    /// Instead of [`super::AggregationsConfig::oom_bump_up_ratio`].
    pub oom_bump_up_ratio: Option<f64>,
    /// Instead of [`super::AggregationsConfig::oom_min_bump_up`].
    pub oom_min_bump_up: Option<ResourceAmount>,
    /// Instead of [`super::AggregationsConfig::memory_aggregation_interval`].
    pub memory_aggregation_interval: Option<Span>,
    /// Instead of [`super::AggregationsConfig::memory_aggregation_interval_count`].
    pub memory_aggregation_interval_count: Option<u64>,
}

/// The policy for a container: the first one with its name, else the last one for [`EVERY_CONTAINER`], else none.
///
/// ```
/// use plimsoll::engine::reference::vpa::*;
/// let of = |name: &str| ContainerPolicy { container: name.to_owned(), ..ContainerPolicy::default() };
/// let policies = [of("*"), of("web")];
/// assert_eq!(container_policy("web", &policies), Some(&policies[1]));
/// assert_eq!(container_policy("log", &policies), Some(&policies[0]));
/// ```
#[must_use]
pub fn container_policy<'policy>(
    container: &str,
    policies: &'policy [ContainerPolicy],
) -> Option<&'policy ContainerPolicy> {
    let named = policies.iter().find(|policy| policy.container == container);
    named.or_else(|| policies.iter().rfind(|policy| policy.container == EVERY_CONTAINER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_has_its_own_policy_or_the_one_for_all() {
        let of = |container: &str| ContainerPolicy { container: container.to_owned(), ..ContainerPolicy::default() };
        let policies = [of(EVERY_CONTAINER), of("web")];
        assert_eq!(container_policy("web", &policies).map(|policy| policy.container.as_str()), Some("web"));
        assert_eq!(container_policy("db", &policies).map(|policy| policy.container.as_str()), Some("*"));
        assert_eq!(container_policy("db", &policies[1..]), None);
    }
}
