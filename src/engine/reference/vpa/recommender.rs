//! Target and bounds for the containers of a pod.
//! Source: kubernetes/autoscaler@55c37cd5, vertical-pod-autoscaler/pkg/recommender/logic/recommender.go and
//! config/config.go.
//!
//! Before you change it:
//! 1. Target, lower and upper bound differ in their percentile. Only the bounds are widened for lack of confidence.
//! 2. The minimum of a pod is split evenly over its containers and truncated (25 millicores over two are 12), and holds
//!    for the bounds, too.
//! 3. There is a recommendation from the first look on: before any sample it is the minimum.

use super::aggregate::AggregateContainerState;
use super::amount::ResourceName;
use super::amount::Resources;
use super::amount::cpu_amount_from_cores;
use super::amount::memory_amount_from_bytes;
use super::amount::reread_memory;
use super::amount::round_up_to_scale;
use super::amount::scale_resource;
use super::estimator::Step;
use super::estimator::estimate;
use crate::units::Span;

/// How an estimate becomes a recommendation.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct RecommendationConfig {
    /// Share that is added to every estimate; 0.15.
    pub safety_margin_fraction: f64,
    /// The least CPU of a whole pod in millicores; 25.
    pub pod_min_cpu_millicores: f64,
    /// The least memory of a whole pod in MiB; 250.
    pub pod_min_memory_mebibytes: f64,
    /// Percentile of CPU usage that becomes the target; 0.9.
    pub target_cpu_percentile: f64,
    /// Percentile of CPU usage that becomes the lower bound; 0.5.
    pub lower_bound_cpu_percentile: f64,
    /// Percentile of CPU usage that becomes the upper bound; 0.95.
    pub upper_bound_cpu_percentile: f64,
    /// History of this length gives the CPU bounds a confidence of one; 24 h.
    pub confidence_interval_cpu: Span,
    /// Percentile of memory peaks that becomes the target; 0.9.
    pub target_memory_percentile: f64,
    /// Percentile of memory peaks that becomes the lower bound; 0.5.
    pub lower_bound_memory_percentile: f64,
    /// Percentile of memory peaks that becomes the upper bound; 0.95.
    pub upper_bound_memory_percentile: f64,
    /// History of this length gives the memory bounds a confidence of one; 24 h.
    pub confidence_interval_memory: Span,
}

impl Default for RecommendationConfig {
    fn default() -> Self {
        Self {
            safety_margin_fraction: 0.15,
            pod_min_cpu_millicores: 25.0,
            pod_min_memory_mebibytes: 250.0,
            target_cpu_percentile: 0.9,
            lower_bound_cpu_percentile: 0.5,
            upper_bound_cpu_percentile: 0.95,
            confidence_interval_cpu: Span::from_mins(24 * 60),
            target_memory_percentile: 0.9,
            lower_bound_memory_percentile: 0.5,
            upper_bound_memory_percentile: 0.95,
            confidence_interval_memory: Span::from_mins(24 * 60),
        }
    }
}

/// To which multiples a recommendation is rounded up, and how memory is written. Zero amounts stay zero.
///
/// ```
/// use plimsoll::engine::reference::vpa::{RecommendationFormat, Resources};
/// let format = RecommendationFormat { round_cpu_millicores: 50, round_memory_bytes: 1 << 20, humanize_memory: false };
/// assert_eq!(format.rounded(Resources::new(101, 1)), Resources::new(150, 1 << 20));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct RecommendationFormat {
    /// In millicores; 1. What is not above zero rounds nothing.
    pub round_cpu_millicores: i64,
    /// In bytes; 1. What is not above zero rounds nothing.
    pub round_memory_bytes: i64,
    /// Whether memory is then written as in [`super::humanized_memory`], of which the recommendation is read back, so
    /// up to half a hundredth of the unit is lost or won; no. The original means to drop this.
    pub humanize_memory: bool,
}

impl Default for RecommendationFormat {
    fn default() -> Self {
        Self { round_cpu_millicores: 1, round_memory_bytes: 1, humanize_memory: false }
    }
}

impl RecommendationFormat {
    /// The resources as they are recommended.
    #[must_use]
    pub fn rounded(&self, resources: Resources) -> Resources {
        let up = |amount, scale| round_up_to_scale(amount, scale).unwrap_or(amount);
        let memory = resources.memory.map(|amount| up(amount, self.round_memory_bytes));
        Resources {
            cpu: resources.cpu.map(|amount| up(amount, self.round_cpu_millicores)),
            memory: if self.humanize_memory { memory.map(reread_memory) } else { memory },
        }
    }
}

/// What is recommended for one container.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct ContainerRecommendation {
    /// The name of the container.
    pub container: String,
    /// What it is to request.
    pub target: Resources,
    /// Who requests less is to be updated.
    pub lower_bound: Resources,
    /// Who requests more is to be updated.
    pub upper_bound: Resources,
    /// The target before the operator's bounds.
    pub uncapped_target: Resources,
}

/// One of the three recommendations for a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// What it is to request.
    Target,
    /// Who requests less is to be updated.
    Lower,
    /// Who requests more is to be updated.
    Upper,
}

impl Bound {
    /// All three, in the order in which they are worked out.
    pub const ALL: [Self; 3] = [Self::Target, Self::Lower, Self::Upper];
}

impl ContainerRecommendation {
    /// One of its three recommendations.
    #[must_use]
    pub const fn bound(&self, bound: Bound) -> &Resources {
        match bound {
            Bound::Target => &self.target,
            Bound::Lower => &self.lower_bound,
            Bound::Upper => &self.upper_bound,
        }
    }

    /// One of its three recommendations, to be changed.
    pub const fn bound_mut(&mut self, bound: Bound) -> &mut Resources {
        match bound {
            Bound::Target => &mut self.target,
            Bound::Lower => &mut self.lower_bound,
            Bound::Upper => &mut self.upper_bound,
        }
    }
}

/// The steps of an estimate for each resource.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Estimators {
    /// For CPU.
    pub cpu: Vec<Step>,
    /// For memory.
    pub memory: Vec<Step>,
}

/// Recommends for the containers of a pod. The default estimates nothing.
///
/// ```
/// use plimsoll::engine::reference::vpa::*;
/// use plimsoll::units::Instant;
/// let unseen = AggregateContainerState::new(&AggregationsConfig::default(), Instant::START)?;
/// let recommender = PodRecommender::new(&RecommendationConfig::default());
/// // The minimum of a pod is 25 millicores and 250 MiB.
/// let recommended = recommender.recommend(&[("web", &unseen), ("log", &unseen)], &RecommendationFormat::default());
/// assert_eq!((recommended[0].container.as_str(), recommended[0].target), ("log", Resources::new(12, 125 << 20)));
///
/// // One that estimates what it is told to.
/// let told = Estimators { cpu: vec![Step::Constant(700)], memory: vec![Step::Constant(1 << 30)] };
/// let recommender = PodRecommender { target: told, ..PodRecommender::default() };
/// let recommended = recommender.recommend(&[("web", &unseen)], &RecommendationFormat::default());
/// assert_eq!(recommended[0].target, Resources::new(700, 1 << 30));
/// # Ok::<(), HistogramOptionsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PodRecommender {
    /// How the target is estimated.
    pub target: Estimators,
    /// How the lower bound is estimated.
    pub lower_bound: Estimators,
    /// How the upper bound is estimated.
    pub upper_bound: Estimators,
    /// The least CPU of a whole pod in millicores.
    pub pod_min_cpu_millicores: f64,
    /// The least memory of a whole pod in MiB.
    pub pod_min_memory_mebibytes: f64,
}

impl PodRecommender {
    /// The recommender of the original: percentile, margin, and for the bounds confidence. The upper bound is wider by
    /// `1 + 1 / confidence` (12 h: times 3, a day: 2, a week: 1.14), the lower one narrower by
    /// `(1 + 0.001 / confidence)^-2` (5 min: times 0.6, 30 min: 0.9, 60 min: 0.95).
    #[must_use]
    pub fn new(config: &RecommendationConfig) -> Self {
        let base = |percentile| vec![Step::Percentile(percentile), Step::Margin(config.safety_margin_fraction)];
        let bound = |percentile, multiplier, exponent, interval| {
            let mut steps = base(percentile);
            steps.push(Step::Confidence { multiplier, exponent, interval });
            steps
        };
        let (cpu, memory) = (config.confidence_interval_cpu, config.confidence_interval_memory);
        Self {
            target: Estimators {
                cpu: base(config.target_cpu_percentile),
                memory: base(config.target_memory_percentile),
            },
            lower_bound: Estimators {
                cpu: bound(config.lower_bound_cpu_percentile, 0.001, -2.0, cpu),
                memory: bound(config.lower_bound_memory_percentile, 0.001, -2.0, memory),
            },
            upper_bound: Estimators {
                cpu: bound(config.upper_bound_cpu_percentile, 1.0, 1.0, cpu),
                memory: bound(config.upper_bound_memory_percentile, 1.0, 1.0, memory),
            },
            pod_min_cpu_millicores: config.pod_min_cpu_millicores,
            pod_min_memory_mebibytes: config.pod_min_memory_mebibytes,
        }
    }

    /// What is recommended for each container of one pod, by name. Resources that a container's aggregate does not
    /// control are left out. Nothing is capped yet, so the uncapped target is the target.
    #[must_use]
    pub fn recommend(
        &self,
        containers: &[(&str, &AggregateContainerState)],
        format: &RecommendationFormat,
    ) -> Vec<ContainerRecommendation> {
        let fraction = 1.0 / containers.len() as f64;
        let least = Resources::new(
            scale_resource(cpu_amount_from_cores(self.pod_min_cpu_millicores * 0.001), fraction),
            scale_resource(memory_amount_from_bytes(self.pod_min_memory_mebibytes * 1024.0 * 1024.0), fraction),
        );
        let mut recommendations: Vec<_> = containers
            .iter()
            .map(|(name, aggregate)| {
                let of = |estimators: &Estimators| format.rounded(estimated(estimators, aggregate, least));
                let target = of(&self.target);
                ContainerRecommendation {
                    container: (*name).to_owned(),
                    target,
                    lower_bound: of(&self.lower_bound),
                    upper_bound: of(&self.upper_bound),
                    uncapped_target: target,
                }
            })
            .collect();
        recommendations.sort_by(|a, b| a.container.cmp(&b.container));
        recommendations
    }
}

fn estimated(estimators: &Estimators, aggregate: &AggregateContainerState, least: Resources) -> Resources {
    let of = |resource, steps: &[Step]| estimate(resource, aggregate, steps).max(least.amount(resource));
    Resources::new(of(ResourceName::Cpu, &estimators.cpu), of(ResourceName::Memory, &estimators.memory))
        .only(&aggregate.controlled_resources)
}

/// Rounds the CPU of these containers up to whole cores, in all that is recommended for them.
///
/// ```
/// use plimsoll::engine::reference::vpa::{ContainerRecommendation, Resources, whole_cores};
/// let target = Resources::new(2001, 1 << 30);
/// let mut recommended = [ContainerRecommendation { container: "web".to_owned(), target, ..Default::default() }];
/// whole_cores(&mut recommended, &["web"]);
/// assert_eq!(recommended[0].target, Resources::new(3000, 1 << 30));
/// ```
pub fn whole_cores(recommendations: &mut [ContainerRecommendation], containers: &[&str]) {
    let format = RecommendationFormat { round_cpu_millicores: 1000, ..RecommendationFormat::default() };
    for recommendation in recommendations.iter_mut().filter(|one| containers.contains(&one.container.as_str())) {
        for bound in Bound::ALL {
            let resources = recommendation.bound_mut(bound);
            *resources = format.rounded(*resources);
        }
        recommendation.uncapped_target = format.rounded(recommendation.uncapped_target);
    }
}

#[cfg(test)]
mod tests {
    use super::super::aggregate::AggregationsConfig;
    use super::super::amount::RESOURCE_AMOUNT_MAX;
    use super::*;
    use crate::units::Instant;
    use proptest::prelude::*;

    const MIB: i64 = 1 << 20;

    fn empty() -> AggregateContainerState {
        AggregateContainerState::new(&AggregationsConfig::default(), Instant::START).unwrap()
    }

    fn after(minutes: u64) -> Instant {
        Instant::after_start(Span::from_mins(minutes))
    }

    fn recommended(containers: &[(&str, &AggregateContainerState)]) -> Vec<ContainerRecommendation> {
        PodRecommender::new(&RecommendationConfig::default()).recommend(containers, &RecommendationFormat::default())
    }

    #[test]
    fn before_any_sample_it_is_the_minimum_split_over_the_containers() {
        let one = empty();
        let alone = recommended(&[("web", &one)]);
        assert_eq!(alone[0].target, Resources::new(25, 250 * MIB));
        assert_eq!(Bound::ALL.map(|bound| *alone[0].bound(bound)), [alone[0].target; 3]);
        // Half of 25 is 12.5, a third of 250 MiB is 87381333.3 bytes.
        assert_eq!(recommended(&[("web", &one), ("log", &one)])[1].target, Resources::new(12, 125 * MIB));
        assert_eq!(recommended(&[("web", &one), ("log", &one), ("a", &one)])[0].target, Resources::new(8, 87_381_333));
        assert!(recommended(&[]).is_empty());
    }

    #[test]
    fn one_sample_gives_a_target_and_bounds_that_bound_nothing() {
        // 1 core is in the bucket up to 1016 millicores; 15 % of that are 152.
        let mut state = empty();
        state.add_cpu_sample(1000, after(0));
        let cpu = Bound::ALL.map(|bound| recommended(&[("web", &state)])[0].bound(bound).cpu);
        assert_eq!(cpu, [Some(1168), Some(25), Some(RESOURCE_AMOUNT_MAX)]);
    }

    #[test]
    fn after_a_day_the_upper_bound_is_twice_what_was_seen() {
        let mut state = empty();
        for minute in 0..=1440 {
            state.add_cpu_sample(1000, after(minute));
        }
        // Lower: 1168 / 1.001^2 = 1165.67. Upper: 1168 * 2.
        let cpu = Bound::ALL.map(|bound| recommended(&[("web", &state)])[0].bound(bound).cpu);
        assert_eq!(cpu, [Some(1168), Some(1165), Some(2336)]);
    }

    #[test]
    fn only_what_is_controlled_is_recommended() {
        let state = AggregateContainerState { controlled_resources: vec![ResourceName::Memory], ..empty() };
        let recommendation = &recommended(&[("web", &state)])[0];
        for bound in Bound::ALL {
            assert_eq!(*recommendation.bound(bound), Resources { cpu: None, memory: Some(250 * MIB) });
        }
    }

    #[test]
    fn rounding_goes_up_and_keeps_what_it_cannot_round() {
        let format =
            RecommendationFormat { round_cpu_millicores: 13, round_memory_bytes: 0, ..RecommendationFormat::default() };
        let recommender = PodRecommender::new(&RecommendationConfig::default());
        assert_eq!(recommender.recommend(&[("web", &empty())], &format)[0].target, Resources::new(26, 250 * MIB));
    }

    #[test]
    fn memory_for_people_is_rounded_first_and_read_back_to_a_hundredth() {
        // 300,000,000 bytes are 286.10 MiB, which are 299,997,593.6 bytes. Up to a multiple of 64 MiB they are 320 MiB.
        let format = |round_memory_bytes| RecommendationFormat {
            round_memory_bytes,
            humanize_memory: true,
            ..RecommendationFormat::default()
        };
        let (seen, none) = (Resources::new(7, 300_000_000), Resources::NONE);
        assert_eq!(format(1).rounded(seen), Resources::new(7, 299_997_594));
        assert_eq!(format(64 * MIB).rounded(seen), Resources::new(7, 320 * MIB));
        assert_eq!((format(1).rounded(none), format(1).rounded(Resources::new(0, 0))), (none, Resources::new(0, 0)));
    }

    #[test]
    fn whole_cores_are_for_those_who_ask_for_them() {
        let seen = |container: &str| {
            let mut one = ContainerRecommendation { container: container.to_owned(), ..Default::default() };
            for (bound, cpu) in Bound::ALL.into_iter().zip([1200, 0, 3000]) {
                *one.bound_mut(bound) = Resources::new(cpu, MIB);
            }
            ContainerRecommendation { uncapped_target: Resources { cpu: Some(1001), memory: None }, ..one }
        };
        let mut recommendations = [seen("web"), seen("log")];
        whole_cores(&mut recommendations, &["web", "gone"]);
        let web = &recommendations[0];
        assert_eq!(Bound::ALL.map(|bound| web.bound(bound).amount(ResourceName::Cpu)), [2000, 0, 3000]);
        assert_eq!((web.target.memory, web.uncapped_target), (Some(MIB), Resources { cpu: Some(2000), memory: None }));
        assert_eq!(recommendations[1], seen("log"));
    }

    proptest! {
        #[test]
        fn the_bounds_are_on_their_sides_of_the_target(
            samples in prop::collection::vec((0_i64..64_000, 0_i64..1 << 36), 1..60)
        ) {
            let mut state = empty();
            for (minute, (cpu, memory)) in (0..).zip(&samples) {
                state.add_cpu_sample(*cpu, after(minute));
                state.add_memory_peak(*memory, after(minute));
            }
            let recommendation = &recommended(&[("web", &state)])[0];
            for resource in ResourceName::ALL {
                let [target, lower, upper] = Bound::ALL.map(|bound| recommendation.bound(bound).amount(resource));
                prop_assert!(lower <= target && target <= upper);
            }
        }

        #[test]
        fn more_usage_never_means_less(samples in prop::collection::vec((0_i64..64_000, 0_i64..4_000), 1..60)) {
            let (mut less, mut more) = (empty(), empty());
            for (minute, (usage, extra)) in (0..).zip(&samples) {
                less.add_cpu_sample(*usage, after(minute));
                more.add_cpu_sample(usage + extra, after(minute));
            }
            for bound in Bound::ALL {
                let cpu = [&less, &more].map(|state| recommended(&[("web", state)])[0].bound(bound).cpu);
                prop_assert!(cpu[0] <= cpu[1]);
            }
        }

        #[test]
        fn a_steady_load_gets_a_little_more_than_it_uses_and_always_the_same(
            usage in 25_i64..900_000, minutes in 1_u64..3000
        ) {
            // The end of a bucket is at most 5 % and 10 millicores above what lies in it; 15 % of that comes on top.
            let mut state = empty();
            for minute in (0..=minutes).step_by(10) {
                state.add_cpu_sample(usage, after(minute));
            }
            let target = recommended(&[("web", &state)])[0].target.amount(ResourceName::Cpu);
            let mut once = empty();
            once.add_cpu_sample(usage, after(0));
            prop_assert_eq!(target, recommended(&[("web", &once)])[0].target.amount(ResourceName::Cpu));
            let most = (usage as f64 * 1.05 + 10.0) * 1.15 + 1.0;
            prop_assert!(usage <= target && target as f64 <= most, "{usage} {target}");
        }
    }
}
