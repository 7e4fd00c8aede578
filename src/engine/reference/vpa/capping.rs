//! Recommendations within what the operator and the ranges of a namespace allow.
//! Source: kubernetes/autoscaler@55c37cd5, vertical-pod-autoscaler/pkg/utils/vpa/capping.go.
//!
//! Before you change it:
//! 1. Capping happens twice. The recommender keeps to the operator's bounds ([`apply_policy`]); whoever applies a
//!    recommendation keeps to the ranges, again to the operator's bounds, and to limits that must stay ([`capped`]).
//! 2. Within one step the least comes first and the most wins. A bound of zero is no bound.
//! 3. The uncapped target is never touched. What is not recommended is not capped, either.

use super::amount::ResourceAmount;
use super::amount::ResourceName;
use super::amount::Resources;
use super::policy::ContainerPolicy;
use super::policy::ControlledValues;
use super::policy::container_policy;
use super::proportion::Rounding;
use super::proportion::boundary_request;
use super::proportion::proportional_limit;
use super::proportion::scale_proportionally;
use super::recommender::Bound;
use super::recommender::ContainerRecommendation;

/// A container with the requests and limits that are in effect.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct ContainerResources {
    /// Its name.
    pub container: String,
    /// What it requests.
    pub requests: Resources,
    /// What it is limited to.
    pub limits: Resources,
}

/// What limits may be, of a container or of all containers of a pod together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct LimitRange {
    /// The least limit, and the least request.
    pub min: Resources,
    /// The highest limit.
    pub max: Resources,
    /// The limit of who has none.
    pub default: Resources,
}

impl LimitRange {
    /// All ranges of one kind in one: of each resource the lowest of the highest limits and the highest of the least
    /// ones, and the defaults of the last range that has any. `None` where no range says anything.
    ///
    /// ```
    /// use plimsoll::engine::reference::vpa::{LimitRange, Resources};
    /// let of = |cpu| LimitRange { max: Resources { cpu: Some(cpu), memory: None }, ..LimitRange::default() };
    /// assert_eq!(LimitRange::tightest(&[of(3000), of(2000)]), Some(of(2000)));
    /// assert_eq!(LimitRange::tightest(&[]), None);
    /// ```
    #[must_use]
    pub fn tightest(ranges: &[Self]) -> Option<Self> {
        let lower = |a: Option<ResourceAmount>, b: Option<ResourceAmount>| a.into_iter().chain(b).min();
        let tightest = ranges.iter().fold(Self::default(), |all, range| Self {
            min: Resources { cpu: all.min.cpu.max(range.min.cpu), memory: all.min.memory.max(range.min.memory) },
            max: Resources { cpu: lower(all.max.cpu, range.max.cpu), memory: lower(all.max.memory, range.max.memory) },
            default: if range.default == Resources::NONE { all.default } else { range.default },
        });
        (tightest != Self::default()).then_some(tightest)
    }
}

/// Why a target was capped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CappingAction {
    /// The operator asks for more.
    ToMinAllowed,
    /// The operator allows less.
    ToMaxAllowed,
    /// The limit, which must stay, is less.
    ToContainerLimit,
    /// The limit in proportion to it would be above the range of a container.
    ToLimitRangeMax,
    /// It, or the limit in proportion to it, would be below the range of a container.
    ToLimitRangeMin,
}

/// A target that was capped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Capping {
    /// The name of the container.
    pub container: String,
    /// Of what.
    pub resource: ResourceName,
    /// Why.
    pub action: CappingAction,
}

/// What is recommended, within the operator's bounds. `max_allowed` holds for resources of which the container's policy
/// says no most.
///
/// ```
/// use plimsoll::engine::reference::vpa::*;
/// let target = Resources::new(2000, 8 << 30);
/// let recommended = ContainerRecommendation { container: "web".to_owned(), target, ..Default::default() };
/// let policy = ContainerPolicy {
///     container: "web".to_owned(),
///     max_allowed: Resources { cpu: Some(1500), memory: None },
///     ..ContainerPolicy::default()
/// };
/// let within = apply_policy(&[recommended], &[policy], Resources::new(1000, 4 << 30));
/// assert_eq!(within[0].target, Resources::new(1500, 4 << 30));
/// ```
#[must_use]
pub fn apply_policy(
    recommendations: &[ContainerRecommendation],
    policies: &[ContainerPolicy],
    max_allowed: Resources,
) -> Vec<ContainerRecommendation> {
    let mut result = recommendations.to_vec();
    for recommendation in &mut result {
        let policy = container_policy(&recommendation.container, policies);
        let least = policy.map_or(Resources::NONE, |policy| policy.min_allowed);
        let most = policy.map_or(Resources::NONE, |policy| policy.max_allowed);
        let most = Resources { cpu: most.cpu.or(max_allowed.cpu), memory: most.memory.or(max_allowed.memory) };
        for bound in Bound::ALL {
            let _ = cap(recommendation.bound_mut(bound), least, most);
        }
    }
    result
}

/// What is recommended for the containers that there are, within the range of the pod, the range of a container, the
/// operator's bounds, and limits that must stay; and what capped a target.
///
/// With a range of the pod, containers without a recommendation are recommended what they request, and are capped with
/// the others.
///
/// ```
/// use plimsoll::engine::reference::vpa::*;
/// let target = Resources::new(2000, 8 << 30);
/// let recommended = ContainerRecommendation { container: "web".to_owned(), target, ..Default::default() };
/// // Its limits are twice its requests, and no limit may be above three cores.
/// let web = ContainerResources {
///     container: "web".to_owned(),
///     requests: Resources::new(500, 4 << 30),
///     limits: Resources::new(1000, 8 << 30),
/// };
/// let range = LimitRange { max: Resources { cpu: Some(3000), memory: None }, ..LimitRange::default() };
/// let (within, cappings) = capped(&[recommended], &[web], &[], Some(&range), None);
/// assert_eq!(within[0].target, Resources::new(1500, 8 << 30));
/// assert_eq!((cappings[0].resource, cappings[0].action), (ResourceName::Cpu, CappingAction::ToLimitRangeMax));
/// ```
#[must_use]
pub fn capped(
    recommendations: &[ContainerRecommendation],
    containers: &[ContainerResources],
    policies: &[ContainerPolicy],
    container_range: Option<&LimitRange>,
    pod_range: Option<&LimitRange>,
) -> (Vec<ContainerRecommendation>, Vec<Capping>) {
    let mut result = recommendations.to_vec();
    if let Some(range) = pod_range {
        result.extend(unrecommended(recommendations, containers));
        for bound in [Bound::Upper, Bound::Target, Bound::Lower] {
            for resource in ResourceName::ALL {
                apply_pod_limit_range(&mut result, containers, range, resource, bound);
            }
        }
    }
    let mut cappings = Vec::new();
    result.retain_mut(|recommendation| {
        let Some(container) = containers.iter().find(|one| one.container == recommendation.container) else {
            return false;
        };
        let policy = container_policy(&container.container, policies);
        for bound in Bound::ALL {
            let actions = cap_container(recommendation.bound_mut(bound), container, policy, container_range);
            if bound == Bound::Target {
                cappings.extend(actions.into_iter().map(|(resource, action)| Capping {
                    container: container.container.clone(),
                    resource,
                    action,
                }));
            }
        }
        true
    });
    (result, cappings)
}

/// Changes one resource of one bound so that all containers together keep to the range: requests grow in proportion
/// where their sum is below the least, else shrink or grow in proportion where the sum of the limits is not in the
/// range. Containers without a recommendation count with what they request and stay as they are.
pub fn apply_pod_limit_range(
    recommendations: &mut [ContainerRecommendation],
    containers: &[ContainerResources],
    range: &LimitRange,
    resource: ResourceName,
    bound: Bound,
) {
    let (least, most) = (range.min.amount(resource), range.max.amount(resource));
    let (mut limits, mut requests): (ResourceAmount, ResourceAmount) = (0, 0);
    for container in containers {
        let request = container.requests.get(resource);
        let recommended = recommendations
            .iter()
            .find(|one| one.container == container.container)
            .map_or(request, |one| one.bound(bound).get(resource));
        let limit = container.limits.get(resource);
        let limit = proportional_limit(resource, limit, request, recommended, range.default.get(resource));
        limits = limits.saturating_add(limit.limit().unwrap_or(0));
        requests = requests.saturating_add(recommended.unwrap_or(0));
    }
    let (base, total, rounding) = match (requests < least, limits < least, most != 0 && limits > most) {
        _ if limits == 0 => return,
        (true, ..) => (requests, least, Rounding::Up),
        (_, _, true) => (limits, most, Rounding::Down),
        (_, true, _) => (limits, least, Rounding::Down),
        _ => return,
    };
    for container in containers {
        let recommendation = recommendations.iter_mut().find(|one| one.container == container.container);
        let Some(resources) = recommendation.map(|one| one.bound_mut(bound)) else { continue };
        if let Some(amount) = resources.get(resource) {
            resources.set(resource, scale_proportionally(resource, amount, base, total, rounding).amount());
        }
    }
}

/// Recommends what is requested for containers that nothing is recommended for.
fn unrecommended(
    recommendations: &[ContainerRecommendation],
    containers: &[ContainerResources],
) -> Vec<ContainerRecommendation> {
    let is_missing = |name: &str| recommendations.iter().all(|one| one.container != name);
    containers
        .iter()
        .filter(|container| container.requests != Resources::NONE && is_missing(&container.container))
        .map(|container| ContainerRecommendation {
            container: container.container.clone(),
            target: container.requests,
            ..ContainerRecommendation::default()
        })
        .collect()
}

/// Caps one bound of one container, and says why.
fn cap_container(
    recommendation: &mut Resources,
    container: &ContainerResources,
    policy: Option<&ContainerPolicy>,
    range: Option<&LimitRange>,
) -> Vec<(ResourceName, CappingAction)> {
    let mut actions = Vec::new();
    if let Some(range) = range {
        let boundary = |resource, boundary: Resources| {
            let (request, limit) = (container.requests.get(resource), container.limits.get(resource));
            boundary_request(resource, request, limit, boundary.amount(resource), range.default.get(resource))
        };
        let least = |resource| boundary(resource, range.min).max(range.min.amount(resource));
        let least = Resources::new(least(ResourceName::Cpu), least(ResourceName::Memory));
        let most = Resources::new(boundary(ResourceName::Cpu, range.max), boundary(ResourceName::Memory, range.max));
        let named = |(resource, side)| match side {
            Side::Min => (resource, CappingAction::ToLimitRangeMin),
            Side::Max => (resource, CappingAction::ToLimitRangeMax),
        };
        actions.extend(cap(recommendation, least, most).into_iter().map(named));
    }
    if let Some(policy) = policy {
        let named = |(resource, side)| match side {
            Side::Min => (resource, CappingAction::ToMinAllowed),
            Side::Max => (resource, CappingAction::ToMaxAllowed),
        };
        actions.extend(cap(recommendation, policy.min_allowed, policy.max_allowed).into_iter().map(named));
    }
    if policy.is_some_and(|policy| policy.controlled_values == ControlledValues::RequestsOnly) {
        for resource in ResourceName::ALL {
            if let (Some(recommended), Some(limit)) = (recommendation.get(resource), container.limits.get(resource))
                && recommended > limit
            {
                recommendation.set(resource, limit);
                actions.push((resource, CappingAction::ToContainerLimit));
            }
        }
    }
    actions
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Min,
    Max,
}

/// Brings each recommended resource up to the least and then down to the most, and says which of the two it did.
fn cap(recommendation: &mut Resources, least: Resources, most: Resources) -> Vec<(ResourceName, Side)> {
    let mut capped = Vec::new();
    for resource in ResourceName::ALL {
        let (least, most) = (least.amount(resource), most.amount(resource));
        if let Some(recommended) = recommendation.get(resource)
            && least != 0
            && recommended < least
        {
            recommendation.set(resource, least);
            capped.push((resource, Side::Min));
        }
        if let Some(recommended) = recommendation.get(resource)
            && most != 0
            && recommended > most
        {
            recommendation.set(resource, most);
            capped.push((resource, Side::Max));
        }
    }
    capped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(
        container: &str,
        target: Resources,
        lower_bound: Resources,
        upper_bound: Resources,
    ) -> ContainerRecommendation {
        let container = container.to_owned();
        ContainerRecommendation { container, target, lower_bound, upper_bound, uncapped_target: target }
    }

    fn target(container: &str, target: Resources) -> ContainerRecommendation {
        of(container, target, Resources::NONE, Resources::NONE)
    }

    fn container(name: &str, requests: Resources, limits: Resources) -> ContainerResources {
        ContainerResources { container: name.to_owned(), requests, limits }
    }

    fn policy(min_allowed: Resources, max_allowed: Resources) -> ContainerPolicy {
        ContainerPolicy { container: "*".to_owned(), min_allowed, max_allowed, ..ContainerPolicy::default() }
    }

    #[test]
    fn the_operators_bounds_hold_for_all_three_but_the_uncapped_target() {
        let seen = of("web", Resources::new(30, 500), Resources::new(20, 430), Resources::new(50, 550));
        let policies = [policy(Resources::new(40, 400), Resources::new(45, 450))];
        let capped = &apply_policy(&[seen], &policies, Resources::NONE)[0];
        assert_eq!(capped.target, Resources::new(40, 450));
        assert_eq!(capped.lower_bound, Resources::new(40, 430));
        assert_eq!(capped.upper_bound, Resources::new(45, 450));
        assert_eq!(capped.uncapped_target, Resources::new(30, 500));
    }

    #[test]
    fn the_most_for_all_holds_where_the_policy_is_silent() {
        let policies = [policy(Resources::NONE, Resources { cpu: Some(40), memory: None })];
        let most = Resources::new(30, 30);
        let capped = |policies| apply_policy(&[target("web", Resources::new(42, 42))], policies, most)[0].target;
        assert_eq!((capped(&policies), capped(&[])), (Resources::new(40, 30), Resources::new(30, 30)));
        // The most wins over the least, and a bound of zero is none.
        let policies = [policy(Resources::new(50, 50), Resources::new(40, 0))];
        assert_eq!(capped(&policies), Resources::new(40, 50));
    }

    #[test]
    fn a_limit_that_must_stay_is_the_most() {
        let containers = [container("web", Resources::NONE, Resources::new(3000, 7000))];
        let seen = of("web", Resources::new(2000, 8000), Resources::NONE, Resources::new(10_000, 9000));
        let mut policies = [policy(Resources::NONE, Resources::NONE)];
        let free = capped(std::slice::from_ref(&seen), &containers, &policies, None, None);
        assert_eq!(free, (vec![seen.clone()], vec![]));
        policies[0].controlled_values = ControlledValues::RequestsOnly;
        let (capped, cappings) = capped(&[seen], &containers, &policies, None, None);
        assert_eq!(capped[0].target, Resources::new(2000, 7000));
        assert_eq!(capped[0].upper_bound, Resources::new(3000, 7000));
        let action = CappingAction::ToContainerLimit;
        assert_eq!(cappings, [Capping { container: "web".to_owned(), resource: ResourceName::Memory, action }]);
    }

    #[test]
    fn of_several_ranges_the_tightest_holds() {
        let of = |cpu, memory| Resources { cpu, memory };
        let one = LimitRange { min: of(Some(1), Some(7)), max: of(None, Some(90)), default: of(Some(20), None) };
        let other = LimitRange { min: of(Some(5), None), max: of(Some(40), Some(80)), default: Resources::NONE };
        let both = LimitRange { min: of(Some(5), Some(7)), max: of(Some(40), Some(80)), default: of(Some(20), None) };
        assert_eq!(LimitRange::tightest(&[one, other]), Some(both));
        assert_eq!(LimitRange::tightest(&[other, one]), Some(both));
        // Defaults are taken over as they are.
        let last = LimitRange { default: of(None, Some(3)), ..LimitRange::default() };
        assert_eq!(LimitRange::tightest(&[one, last]).map(|range| range.default), Some(of(None, Some(3))));
        assert_eq!(LimitRange::tightest(&[LimitRange::default()]), None);
    }

    #[test]
    fn who_is_not_there_gets_nothing() {
        let seen = [target("gone", Resources::new(1, 1))];
        assert_eq!(capped(&seen, &[container("web", Resources::NONE, Resources::NONE)], &[], None, None).0, []);
    }

    #[test]
    fn requests_keep_to_the_range_of_a_container_with_their_limits() {
        // Limits are twice the requests: a limit of at most 1000 is a request of at most 500. For the least, the
        // request must keep to it, too: 400, not 200.
        let containers = [container("web", Resources::new(100, 100), Resources::new(200, 200))];
        let (least, most) = (Resources { cpu: None, memory: Some(400) }, Resources { cpu: Some(1000), memory: None });
        let range = LimitRange { min: least, max: most, default: Resources::NONE };
        let (capped, cappings) =
            capped(&[target("web", Resources::new(800, 150))], &containers, &[], Some(&range), None);
        assert_eq!(capped[0].target, Resources::new(500, 400));
        let actions: Vec<_> = cappings.iter().map(|one| (one.resource, one.action)).collect();
        let expected = [
            (ResourceName::Cpu, CappingAction::ToLimitRangeMax),
            (ResourceName::Memory, CappingAction::ToLimitRangeMin),
        ];
        assert_eq!(actions, expected);
    }

    #[test]
    fn a_pod_shares_its_range_in_proportion() {
        let containers = ["a", "b"].map(|name| container(name, Resources::new(1, 1), Resources::new(1, 1)));
        let seen = [target("a", Resources::new(15, 15)), target("b", Resources::new(100, 100))];
        let targets = |least, most| {
            let range = LimitRange { min: least, max: most, default: Resources::NONE };
            let (capped, _) = capped(&seen, &containers, &[], None, Some(&range));
            [capped[0].target, capped[1].target]
        };
        // 15 * 150 / 115 = 19.6 and 100 * 150 / 115 = 130.4: CPU up, memory down.
        let least = Resources::new(150, 150);
        assert_eq!(targets(least, Resources::NONE), [Resources::new(20, 19), Resources::new(131, 130)]);
        // 15 * 90 / 115 = 11.7 and 100 * 90 / 115 = 78.3: both down.
        let most = Resources::new(90, 90);
        assert_eq!(targets(Resources::NONE, most), [Resources::new(11, 11), Resources::new(78, 78)]);
        assert_eq!(targets(Resources::new(115, 1), Resources::new(115, 200)), [seen[0].target, seen[1].target]);
    }

    #[test]
    fn who_has_no_recommendation_shares_the_range_with_what_it_requests() {
        // Requests 200 and 50, limits 400 and 100: together 250 and 500. At least 500 requested means twice as much.
        let of = |memory| Resources { cpu: None, memory: Some(memory) };
        let containers = ["a", "b"].map(|name| container(name, of(50), of(100)));
        let range = LimitRange { min: of(500), ..LimitRange::default() };
        let (capped, _) = capped(&[target("a", of(200))], &containers, &[], None, Some(&range));
        let targets: Vec<_> = capped.iter().map(|one| (one.container.as_str(), one.target)).collect();
        assert_eq!(targets, [("a", of(400)), ("b", of(100))]);
    }

    proptest! {
        #[test]
        fn nothing_leaves_the_operators_bounds(
            recommended: (i64, i64), least in (0_i64..1000, 0_i64..1000), more in (1_i64..1000, 1_i64..1000)
        ) {
            let most = Resources::new(least.0 + more.0, least.1 + more.1);
            let least = Resources::new(least.0, least.1);
            let seen = [target("web", Resources::new(recommended.0.max(0), recommended.1.max(0)))];
            let once = apply_policy(&seen, &[policy(least, most)], Resources::NONE);
            for resource in ResourceName::ALL {
                let target = once[0].target.amount(resource);
                prop_assert!(least.amount(resource) <= target && target <= most.amount(resource));
            }
            prop_assert_eq!(apply_policy(&once, &[policy(least, most)], Resources::NONE), once);
        }

        #[test]
        fn no_numbers_make_it_panic(numbers in prop::collection::vec(any::<(i64, i64)>(), 8)) {
            let at = |index: usize| Resources::new(numbers[index].0, numbers[index].1);
            let containers = [container("a", at(0), at(1)), container("b", at(2), Resources::NONE)];
            let range = LimitRange { min: at(3), max: at(4), default: at(5) };
            let seen = [of("a", at(6), at(7), at(0))];
            let _ = capped(&seen, &containers, &[policy(at(1), at(2))], Some(&range), Some(&range));
        }
    }
}
