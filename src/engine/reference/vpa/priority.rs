//! Who is to be updated to its recommendation, and who first.
//! Source: kubernetes/autoscaler@55c37cd5, vertical-pod-autoscaler/pkg/updater/priority: priority_processor.go,
//! update_priority_calculator.go, scaling_direction_pod_eviction_admission.go; updater/config/config.go.
//!
//! Before you change it:
//! 1. The difference is relative and summed: over the containers of a pod first, then over the resources. Its base is
//!    what is requested, at least a millicore or a thousandth of a byte; so who requests nothing is very different from
//!    any target.
//! 2. Requests on a bound are within. A resource that is recommended but not requested is outside and wants to grow.
//! 3. A quick OOM kill updates whoever would get anything else than it has; where it would not, nobody is updated, not
//!    even who is outside its bounds.
//! 4. Who wants to grow comes before who wants to shrink, however small the difference.

use super::amount::ResourceName;
use super::capping::ContainerResources;
use super::policy::ContainerPolicy;
use super::policy::ScalingMode;
use super::policy::container_policy;
use super::recommender::ContainerRecommendation;
use crate::units::Instant;
use crate::units::Span;
use std::cmp::Ordering;

/// When a pod is updated.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct UpdateConfig {
    /// How often it is looked whether somebody is to be updated; 1 min.
    pub interval: Span,
    /// Who is within its bounds is updated for a difference of this share or more; 0.1.
    pub min_change_priority: f64,
    /// Who is within its bounds is updated when it has lived this long or longer; 12 h.
    pub pod_lifetime_threshold: Span,
    /// Who is OOM killed sooner than this after its start is updated at once; 10 min.
    pub evict_after_oom_threshold: Span,
}

impl Default for UpdateConfig {
    fn default() -> Self {
        Self {
            interval: Span::from_mins(1),
            min_change_priority: 0.1,
            pod_lifetime_threshold: Span::from_mins(12 * 60),
            evict_after_oom_threshold: Span::from_mins(10),
        }
    }
}

/// How much a pod needs an update. The default needs none.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PodPriority {
    /// Some request is outside its bounds.
    pub outside_recommended_range: bool,
    /// Some request is less than its target.
    pub scale_up: bool,
    /// How far the requests are from the targets, relative to the requests, summed over the resources.
    pub resource_diff: f64,
}

impl PodPriority {
    /// Compares two pods; the greater one is updated first.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        self.scale_up.cmp(&other.scale_up).then(self.resource_diff.total_cmp(&other.resource_diff))
    }
}

/// How the last run of a container ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Termination {
    /// The name of the container.
    pub container: String,
    /// Whether it was killed for lack of memory.
    pub oom_killed: bool,
    /// When that run began.
    pub started: Instant,
    /// When it ended.
    pub finished: Instant,
}

/// What is known about a pod that may be updated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodSeen {
    /// When it started; `None` where that is not known.
    pub started: Option<Instant>,
    /// How its containers ended the last time; only of those that ever did.
    pub terminations: Vec<Termination>,
    /// The containers that are under recommendation; `None` for all.
    pub observed_containers: Option<Vec<String>>,
}

impl PodSeen {
    /// Whether a container is under recommendation.
    fn observes(&self, container: &str) -> bool {
        self.observed_containers.as_ref().is_none_or(|observed| observed.iter().any(|one| one == container))
    }
}

/// Whether a pod is updated, and why or why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eligibility {
    /// It is: some request is outside its bounds.
    OutsideRange,
    /// It is: a container was OOM killed soon after its start.
    QuickOom,
    /// It is: it has lived long enough and is far enough from its targets.
    LongLived,
    /// It is not: a container was OOM killed soon after its start, but would get what it has.
    WouldNotChange,
    /// It is not: it is within its bounds, and nobody knows since when it lives.
    NoStartTime,
    /// It is not: it is within its bounds and has not lived long enough.
    ShortLived,
    /// It is not: it is within its bounds and close to its targets.
    TooSimilar,
}

impl Eligibility {
    /// Whether it is updated.
    #[must_use]
    pub const fn is_accepted(self) -> bool {
        matches!(self, Self::OutsideRange | Self::QuickOom | Self::LongLived)
    }
}

/// A direction in which a target must differ from a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeRequirement {
    /// The target must be higher.
    TargetHigherThanRequests,
    /// The target must be lower.
    TargetLowerThanRequests,
}

/// What must hold of at least one of these resources before a pod is updated.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EvictionRequirement {
    /// The resources.
    pub resources: Vec<ResourceName>,
    /// What must hold.
    pub change: ChangeRequirement,
}

/// How much a pod needs an update. Containers that are not observed, or without a recommendation, do not count.
///
/// ```
/// use plimsoll::engine::reference::vpa::*;
/// let web = ContainerResources {
///     container: "web".to_owned(),
///     requests: Resources { cpu: Some(2000), memory: None },
///     limits: Resources::NONE,
/// };
/// let recommended = ContainerRecommendation {
///     container: "web".to_owned(),
///     target: Resources { cpu: Some(3000), memory: None },
///     lower_bound: Resources { cpu: Some(2500), memory: None },
///     ..ContainerRecommendation::default()
/// };
/// let priority = update_priority(&PodSeen::default(), &[web], &[recommended]);
/// let expected = PodPriority { outside_recommended_range: true, scale_up: true, resource_diff: 0.5 };
/// assert_eq!(priority, expected);
/// ```
#[must_use]
pub fn update_priority(
    pod: &PodSeen,
    containers: &[ContainerResources],
    recommendations: &[ContainerRecommendation],
) -> PodPriority {
    let mut priority = PodPriority::default();
    // Sums of what is requested and of what is recommended, of CPU and of memory.
    let mut totals = [None; 2];
    for container in containers.iter().filter(|container| pod.observes(&container.container)) {
        let Some(recommendation) = recommendations.iter().find(|one| one.container == container.container) else {
            continue;
        };
        for (resource, total) in ResourceName::ALL.into_iter().zip(&mut totals) {
            let Some(target) = recommendation.target.get(resource) else { continue };
            let (requested, recommended) = total.get_or_insert((0, 0));
            *recommended = i64::saturating_add(*recommended, finest(resource, target));
            match container.requests.get(resource) {
                Some(request) => {
                    *requested = i64::saturating_add(*requested, finest(resource, request));
                    let is_below = recommendation.lower_bound.get(resource).is_some_and(|bound| request < bound);
                    let is_above = recommendation.upper_bound.get(resource).is_some_and(|bound| request > bound);
                    priority.scale_up |= target > request;
                    priority.outside_recommended_range |= is_below || is_above;
                }
                None => {
                    priority.scale_up = true;
                    priority.outside_recommended_range = true;
                }
            }
        }
    }
    for (requested, recommended) in totals.into_iter().flatten() {
        let requested = (requested as f64).max(1.0);
        priority.resource_diff += (requested - recommended as f64).abs() / requested;
    }
    priority
}

/// Whether a pod of that priority is updated now.
///
/// ```
/// use plimsoll::engine::reference::vpa::*;
/// use plimsoll::units::{Instant, Span};
/// let pod = PodSeen { started: Some(Instant::START), ..PodSeen::default() };
/// let priority = PodPriority { resource_diff: 0.25, ..PodPriority::default() };
/// let after = |hours: u64| {
///     let now = Instant::START.plus(Span::from_mins(hours * 60));
///     eligibility(&UpdateConfig::default(), &pod, &priority, &[], now)
/// };
/// assert_eq!((after(11), after(12)), (Eligibility::ShortLived, Eligibility::LongLived));
/// ```
#[must_use]
pub fn eligibility(
    config: &UpdateConfig,
    pod: &PodSeen,
    priority: &PodPriority,
    policies: &[ContainerPolicy],
    now: Instant,
) -> Eligibility {
    let is_quick_oom = pod.terminations.iter().any(|ended| {
        pod.observes(&ended.container)
            && container_policy(&ended.container, policies).is_none_or(|policy| policy.mode == ScalingMode::Auto)
            && ended.oom_killed
            && ended.finished.since(ended.started) < config.evict_after_oom_threshold
    });
    if is_quick_oom && priority.resource_diff == 0.0 {
        Eligibility::WouldNotChange
    } else if priority.outside_recommended_range {
        Eligibility::OutsideRange
    } else if is_quick_oom {
        Eligibility::QuickOom
    } else if let Some(started) = pod.started {
        if now < started.plus(config.pod_lifetime_threshold) {
            Eligibility::ShortLived
        } else if priority.resource_diff < config.min_change_priority {
            Eligibility::TooSimilar
        } else {
            Eligibility::LongLived
        }
    } else {
        Eligibility::NoStartTime
    }
}

/// The order in which pods are updated: their indices, the one that needs it most first. Equals stay in the order
/// given.
#[must_use]
pub fn update_order(priorities: &[PodPriority]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..priorities.len()).collect();
    order.sort_by(|a, b| priorities[*b].order(&priorities[*a]));
    order
}

/// Whether the operator's requirements admit an update: all of them hold for at least one container with a
/// recommendation, or such a container lacks a request. Without requirements (`None`) every update is admitted; with
/// none in the list, every one of a pod with a recommendation.
///
/// ```
/// use plimsoll::engine::reference::vpa::*;
/// let container = "web".to_owned();
/// let requests = Resources::new(500, 1 << 30);
/// let web = ContainerResources { container: container.clone(), requests, limits: Resources::NONE };
/// let target = Resources::new(400, 1 << 30);
/// let recommended = ContainerRecommendation { container, target, ..ContainerRecommendation::default() };
/// let change = ChangeRequirement::TargetHigherThanRequests;
/// let higher = EvictionRequirement { resources: ResourceName::ALL.to_vec(), change };
/// assert!(!is_update_admitted(&[web], &[recommended], Some(&[higher])));
/// ```
#[must_use]
pub fn is_update_admitted(
    containers: &[ContainerResources],
    recommendations: &[ContainerRecommendation],
    requirements: Option<&[EvictionRequirement]>,
) -> bool {
    let Some(requirements) = requirements else { return true };
    containers.iter().any(|container| {
        let Some(recommendation) = recommendations.iter().find(|one| one.container == container.container) else {
            return false;
        };
        let (requests, target) = (container.requests, recommendation.target);
        requests.cpu.is_none()
            || requests.memory.is_none()
            || requirements.iter().all(|requirement| {
                requirement.resources.iter().any(|resource| match requirement.change {
                    ChangeRequirement::TargetHigherThanRequests => {
                        target.amount(*resource) > requests.amount(*resource)
                    }
                    ChangeRequirement::TargetLowerThanRequests => target.amount(*resource) < requests.amount(*resource),
                })
            })
    })
}

/// An amount in thousandths: of a core or of a byte.
const fn finest(resource: ResourceName, amount: i64) -> i64 {
    match resource {
        ResourceName::Cpu => amount,
        ResourceName::Memory => amount.saturating_mul(1000),
    }
}

#[cfg(test)]
mod tests {
    use super::super::amount::Resources;
    use super::*;
    use proptest::prelude::*;

    const MINUTE: Span = Span::from_mins(1);
    const DAY: Instant = Instant::after_start(Span::from_mins(24 * 60));

    fn web(requests: Resources) -> ContainerResources {
        ContainerResources { container: "web".to_owned(), requests, limits: Resources::NONE }
    }

    fn recommended(target: Resources, lower_bound: Resources, upper_bound: Resources) -> ContainerRecommendation {
        let container = "web".to_owned();
        ContainerRecommendation { container, target, lower_bound, upper_bound, uncapped_target: target }
    }

    fn priority(requests: Resources, target: Resources) -> PodPriority {
        let bounds = (Resources::new(1000, 1000), Resources::new(3000, 3000));
        update_priority(&PodSeen::default(), &[web(requests)], &[recommended(target, bounds.0, bounds.1)])
    }

    fn killed(after: Span) -> PodSeen {
        let finished = DAY.minus(MINUTE);
        let ended =
            Termination { container: "web".to_owned(), oom_killed: true, started: finished.minus(after), finished };
        PodSeen {
            started: Some(DAY.minus(MINUTE.times(11 * 60))),
            terminations: vec![ended],
            observed_containers: None,
        }
    }

    fn judged(pod: &PodSeen, outside_recommended_range: bool, resource_diff: f64) -> Eligibility {
        let priority = PodPriority { outside_recommended_range, scale_up: true, resource_diff };
        eligibility(&UpdateConfig::default(), pod, &priority, &[], DAY)
    }

    #[test]
    fn the_difference_is_relative_to_the_requests() {
        // CPU 2000 to 3000 is half, memory 2000 to 1500 a quarter; both are within 1000 and 3000.
        let seen = priority(Resources::new(2000, 2000), Resources::new(3000, 1500));
        assert_eq!(seen, PodPriority { outside_recommended_range: false, scale_up: true, resource_diff: 0.75 });
        let seen = priority(Resources::new(2000, 2000), Resources::new(2000, 1500));
        assert_eq!(seen, PodPriority { outside_recommended_range: false, scale_up: false, resource_diff: 0.25 });
    }

    #[test]
    fn containers_are_summed_before_they_are_compared() {
        // 1000 to 1500 and 3000 to 2500: in sum nothing changes, but one of them wants to grow.
        let containers = ["web", "log"].map(|name| {
            let requests = Resources { cpu: Some(if name == "web" { 1000 } else { 3000 }), memory: None };
            ContainerResources { container: name.to_owned(), requests, limits: Resources::NONE }
        });
        let recommendations = ["web", "log"].map(|name| {
            let target = Resources { cpu: Some(if name == "web" { 1500 } else { 2500 }), memory: None };
            ContainerRecommendation { container: name.to_owned(), target, ..ContainerRecommendation::default() }
        });
        let mut pod = PodSeen::default();
        let seen = update_priority(&pod, &containers, &recommendations);
        assert_eq!(seen, PodPriority { outside_recommended_range: false, scale_up: true, resource_diff: 0.0 });
        pod.observed_containers = Some(vec!["log".to_owned()]);
        let seen = update_priority(&pod, &containers, &recommendations);
        assert_eq!((seen.scale_up, seen.resource_diff), (false, 500.0 / 3000.0));
    }

    #[test]
    fn requests_on_a_bound_are_within() {
        let is_outside =
            |request| priority(Resources::new(request, 2000), Resources::new(2000, 2000)).outside_recommended_range;
        assert_eq!([999, 1000, 3000, 3001].map(is_outside), [true, false, false, true]);
    }

    #[test]
    fn who_requests_nothing_is_far_from_everything() {
        let seen = priority(Resources { cpu: None, memory: Some(2000) }, Resources::new(25, 2000));
        assert_eq!(seen, PodPriority { outside_recommended_range: true, scale_up: true, resource_diff: 24.0 });
        // Bytes count in thousandths: (7000 - 1) / 1.
        let seen = priority(Resources { cpu: Some(2000), memory: None }, Resources::new(2000, 7));
        assert_eq!(seen.resource_diff, 6999.0);
    }

    #[test]
    fn within_its_bounds_a_pod_must_be_old_and_different_enough() {
        let born = |age: Span| PodSeen { started: Some(DAY.minus(age)), ..PodSeen::default() };
        let (old, young) = (MINUTE.times(12 * 60), MINUTE.times(12 * 60).minus(Span::from_nanos(1)));
        assert_eq!(judged(&born(old), false, 0.1), Eligibility::LongLived);
        assert_eq!(judged(&born(old), false, 0.099), Eligibility::TooSimilar);
        assert_eq!(judged(&born(young), false, 4.0), Eligibility::ShortLived);
        assert_eq!(judged(&PodSeen::default(), false, 4.0), Eligibility::NoStartTime);
        assert_eq!(judged(&born(young), true, 0.0), Eligibility::OutsideRange);
        assert!(Eligibility::LongLived.is_accepted() && !Eligibility::TooSimilar.is_accepted());
    }

    #[test]
    fn killed_within_ten_minutes_it_is_updated_at_once_if_that_changes_anything() {
        let quick = killed(MINUTE.times(10).minus(Span::from_nanos(1)));
        assert_eq!(judged(&quick, false, 0.01), Eligibility::QuickOom);
        assert_eq!(judged(&quick, true, 0.0), Eligibility::WouldNotChange);
        assert_eq!(judged(&killed(MINUTE.times(10)), false, 0.5), Eligibility::ShortLived);
        let mut other = quick.clone();
        other.terminations[0].oom_killed = false;
        assert_eq!(judged(&other, false, 0.5), Eligibility::ShortLived);
        let unobserved = PodSeen { observed_containers: Some(vec!["log".to_owned()]), ..quick.clone() };
        assert_eq!(judged(&unobserved, false, 0.5), Eligibility::ShortLived);
        let off =
            [ContainerPolicy { container: "web".to_owned(), mode: ScalingMode::Off, ..ContainerPolicy::default() }];
        let priority = PodPriority { resource_diff: 0.5, ..PodPriority::default() };
        assert_eq!(eligibility(&UpdateConfig::default(), &quick, &priority, &off, DAY), Eligibility::ShortLived);
    }

    #[test]
    fn who_grows_comes_first_and_then_who_differs_most() {
        let of = |scale_up, resource_diff| PodPriority { outside_recommended_range: false, scale_up, resource_diff };
        let priorities = [of(false, 0.25), of(true, 0.1), of(false, 9.0), of(true, 0.5), of(false, 0.25)];
        assert_eq!(update_order(&priorities), [3, 1, 2, 0, 4]);
        assert_eq!(update_order(&[]), Vec::<usize>::new());
    }

    #[test]
    fn an_operator_may_admit_updates_in_one_direction_only() {
        let of = |change, resources: &[ResourceName]| EvictionRequirement { resources: resources.to_vec(), change };
        let higher = of(ChangeRequirement::TargetHigherThanRequests, &ResourceName::ALL);
        let lower = of(ChangeRequirement::TargetLowerThanRequests, &[ResourceName::Memory]);
        let admitted = |requests, target, requirements: &[EvictionRequirement]| {
            let recommendations = [recommended(target, Resources::NONE, Resources::NONE)];
            is_update_admitted(&[web(requests)], &recommendations, Some(requirements))
        };
        let (requests, one) = (Resources::new(500, 10), std::slice::from_ref(&higher));
        assert!(!admitted(requests, Resources::new(500, 9), one));
        assert!(admitted(requests, Resources::new(500, 11), one));
        assert!(admitted(requests, Resources::new(501, 9), &[higher.clone(), lower.clone()]));
        assert!(!admitted(requests, Resources::new(500, 9), &[higher.clone(), lower]));
        assert!(admitted(Resources { cpu: Some(500), memory: None }, Resources::new(500, 9), one));
        assert!(admitted(requests, requests, &[]));
        assert!(!is_update_admitted(&[web(requests)], &[], Some(&[])));
        assert!(is_update_admitted(&[web(requests)], &[], None));
    }

    proptest! {
        #[test]
        fn who_has_its_target_needs_nothing(cpu in 1000_i64..3000, memory in 1000_i64..3000) {
            prop_assert_eq!(priority(Resources::new(cpu, memory), Resources::new(cpu, memory)), PodPriority::default());
        }

        #[test]
        fn the_further_from_the_target_the_sooner(
            request in 1_i64..1000, target in 1000_i64..2000, more in 1_i64..1000
        ) {
            let of = |target| priority(Resources::new(request, 1000), Resources::new(target, 1000));
            prop_assert_eq!(of(target + more).order(&of(target)), Ordering::Greater);
        }

        #[test]
        fn no_numbers_make_it_panic(
            numbers in prop::collection::vec(any::<(i64, i64)>(), 4), diff: f64, threshold: f64
        ) {
            let at = |index: usize| Resources::new(numbers[index].0, numbers[index].1);
            let mut seen = update_priority(&killed(MINUTE), &[web(at(0))], &[recommended(at(1), at(2), at(3))]);
            let config = UpdateConfig { min_change_priority: threshold, ..UpdateConfig::default() };
            seen.resource_diff += diff;
            let _ = eligibility(&config, &killed(MINUTE.times(20)), &seen, &[], DAY);
            prop_assert_eq!(update_order(&[seen, PodPriority::default()]).len(), 2);
        }
    }
}
