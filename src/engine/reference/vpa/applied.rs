//! What containers request and are limited to once a recommendation is applied.
//! Source: kubernetes/autoscaler@55c37cd5, vertical-pod-autoscaler/pkg/admission-controller/resource/pod/recommendation:
//! recommendation_provider.go (`GetContainersResources`).
//!
//! Before you change it:
//! 1. The recommendation is one that was capped already; see [`super::capped`].
//! 2. Limits keep their proportion to requests. Where the operator says that only requests are controlled, nothing is
//!    said about limits.
//! 3. What nothing is said about stays as it is where it runs. [`Rest`] says whether it is listed all the same.

use super::amount::ResourceName;
use super::amount::Resources;
use super::capping::ContainerResources;
use super::policy::ContainerPolicy;
use super::policy::ControlledValues;
use super::policy::container_policy;
use super::proportion::proportional_limit;
use super::recommender::ContainerRecommendation;

/// What is listed of resources without a recommendation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Nothing; only changes are listed.
    Dropped,
    /// What they are.
    Kept,
}

/// Requests and limits of all containers, in their order, with their recommendations. A container without one has
/// neither, or those that it has, as the rest says. `default_limits` are the limits of who has none.
///
/// ```
/// use plimsoll::engine::reference::vpa::*;
/// // One core and up to four, and three cores are recommended: up to twelve.
/// let web = ContainerResources {
///     container: "web".to_owned(),
///     requests: Resources::new(1000, 200),
///     limits: Resources { cpu: Some(4000), memory: None },
/// };
/// let target = Resources { cpu: Some(3000), memory: None };
/// let recommended = ContainerRecommendation { container: "web".to_owned(), target, ..Default::default() };
/// let after = applied(&[web], &[recommended], &[], Resources::NONE, Rest::Kept);
/// assert_eq!(after[0].requests, Resources::new(3000, 200));
/// assert_eq!(after[0].limits, Resources { cpu: Some(12_000), memory: None });
/// ```
#[must_use]
pub fn applied(
    containers: &[ContainerResources],
    recommendations: &[ContainerRecommendation],
    policies: &[ContainerPolicy],
    default_limits: Resources,
    rest: Rest,
) -> Vec<ContainerResources> {
    let apply = |container: &ContainerResources| {
        let recommendation = recommendations.iter().find(|one| one.container == container.container);
        let policy = container_policy(&container.container, policies);
        let follows = policy.is_none_or(|policy| policy.controlled_values == ControlledValues::RequestsAndLimits);
        let kept = |resources: Resources| if rest == Rest::Kept { resources } else { Resources::NONE };
        let mut requests = recommendation.map_or_else(|| kept(container.requests), |one| one.target);
        let mut limits = Resources::NONE;
        for resource in ResourceName::ALL {
            let (request, limit) = (container.requests.get(resource), container.limits.get(resource));
            let recommended = requests.get(resource).filter(|_| follows);
            let limit = proportional_limit(resource, limit, request, recommended, default_limits.get(resource)).limit();
            if let Some(limit) = limit.or_else(|| kept(container.limits).get(resource)) {
                limits.set(resource, limit);
            }
            if let Some(request) = requests.get(resource).or_else(|| kept(container.requests).get(resource)) {
                requests.set(resource, request);
            }
        }
        ContainerResources { container: container.container.clone(), requests, limits }
    };
    containers.iter().map(apply).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CPU_ONLY: Resources = Resources { cpu: Some(600), memory: None };

    fn container(name: &str, requests: Resources, limits: Resources) -> ContainerResources {
        ContainerResources { container: name.to_owned(), requests, limits }
    }

    fn recommended(target: Resources) -> [ContainerRecommendation; 1] {
        [ContainerRecommendation { container: "web".to_owned(), target, ..ContainerRecommendation::default() }]
    }

    fn after(web: (Resources, Resources), target: Resources, default: Resources, rest: Rest) -> (Resources, Resources) {
        let applied = applied(&[container("web", web.0, web.1)], &recommended(target), &[], default, rest);
        (applied[0].requests, applied[0].limits)
    }

    #[test]
    fn what_is_recommended_moves_and_the_rest_is_kept_or_dropped() {
        let web = (Resources::new(200, 50), Resources::new(300, 100));
        let moved = Resources { cpu: Some(900), memory: None };
        assert_eq!(after(web, CPU_ONLY, Resources::NONE, Rest::Dropped), (CPU_ONLY, moved));
        let kept = (Resources::new(600, 50), Resources::new(900, 100));
        assert_eq!(after(web, CPU_ONLY, Resources::NONE, Rest::Kept), kept);
    }

    #[test]
    fn who_has_no_limit_gets_none_unless_there_is_one_for_all() {
        let web = (Resources::new(200, 50), Resources::NONE);
        let target = Resources::new(600, 100);
        assert_eq!(after(web, target, Resources::NONE, Rest::Kept), (target, Resources::NONE));
        let default = Resources::new(300, 50);
        assert_eq!(after(web, target, default, Rest::Dropped), (target, Resources::new(900, 100)));
    }

    #[test]
    fn limits_that_must_stay_are_not_spoken_of() {
        let web = [container("web", Resources::new(200, 50), Resources::new(700, 100))];
        let policies = [ContainerPolicy {
            container: "*".to_owned(),
            controlled_values: ControlledValues::RequestsOnly,
            ..ContainerPolicy::default()
        }];
        let of = |rest| applied(&web, &recommended(CPU_ONLY), &policies, Resources::new(1, 1), rest)[0].limits;
        assert_eq!((of(Rest::Dropped), of(Rest::Kept)), (Resources::NONE, web[0].limits));
    }

    #[test]
    fn a_container_without_a_recommendation_stays_or_is_empty() {
        let log = [container("log", Resources::new(200, 50), Resources { cpu: Some(300), memory: None })];
        let of = |rest| applied(&log, &recommended(CPU_ONLY), &[], Resources::NONE, rest);
        assert_eq!(of(Rest::Kept), log);
        assert_eq!(of(Rest::Dropped), [container("log", Resources::NONE, Resources::NONE)]);
    }

    proptest! {
        #[test]
        fn no_numbers_make_it_panic(numbers in prop::collection::vec(any::<(i64, i64)>(), 4)) {
            let at = |index: usize| Resources::new(numbers[index].0, numbers[index].1);
            let (requests, _) = after((at(0), at(1)), at(2), at(3), Rest::Kept);
            prop_assert_eq!(requests, at(2));
        }
    }
}
