//! The Kubernetes Vertical Pod Autoscaler: what a container should request, who is updated to it, and how many at once.
//! A reference policy: the engine of this project is compared with it, so it does what the original does, warts and all.
//! Source: kubernetes/autoscaler@55c37cd5, vertical-pod-autoscaler/pkg: recommender (util, model, logic), utils/vpa,
//! updater.
//!
//! From usage to recommendation: [`ContainerState`] picks the samples that count, [`AggregateContainerState`] keeps
//! them in two [`DecayingHistogram`]s, [`PodRecommender`] estimates target and bounds from those in [`Step`]s,
//! [`apply_policy`] keeps to the operator's bounds. [`Vpa`] does all of that for one service. From recommendation to
//! update: [`capped`] keeps to ranges and limits, [`update_priority`], [`eligibility`] and [`update_order`] say who is
//! updated and who first, [`ReplicaGroup`] how many at once, [`applied`] what they request and are limited to then.
//!
//! Who looks for a name of the original: `RecordOOM` is [`ContainerState::record_oom`], `AggregateStateByContainerName`
//! [`AggregateContainerState::merge`], `getConfidence` [`confidence`], the estimators are [`Step`]s,
//! `ResourcesAsResourceList` is [`RecommendationFormat::rounded`], `ApplyVPAPolicy` [`apply_policy`], the capping
//! processor's `Apply` [`capped`], `getLimitRangeItem` [`LimitRange::tightest`], `GetBoundaryRequest`
//! [`boundary_request`], `GetContainersResources` [`applied`], the post-processor for whole CPUs [`whole_cores`],
//! `GetUpdatePriority` [`update_priority`], `AddPod` [`eligibility`], `GetSortedPods` [`update_order`], `Admit`
//! [`is_update_admitted`], `CanEvict` [`ReplicaGroup::can_evict`], `CanInPlaceUpdate` [`in_place_decision`]; garbage is
//! collected by [`Vpa::recommend`].
//!
//! Before you change it:
//! 1. Amounts are whole millicores and bytes, truncated after every step. Weights are floating point, and exponentials
//!    and logarithms are `libm`'s, so that a run gives the same on every machine.
//! 2. Times are arguments. What the original writes as the zero time is `None` here.
//! 3. Nothing here panics or overflows, whatever it is told: nonsense is refused, counts as nothing, or saturates.
//! 4. Left out: annotations in words, start-up boosts of CPU, init containers, and the feature gates; what is behind
//!    one is on.

mod aggregate;
mod amount;
mod applied;
mod capping;
mod container;
mod decaying_histogram;
mod estimator;
mod eviction;
mod histogram;
mod histogram_options;
mod policy;
mod priority;
mod proportion;
mod recommender;
#[cfg(test)]
mod tests;

pub use aggregate::AggregateCheckpoint;
pub use aggregate::AggregateContainerState;
pub use aggregate::AggregationsConfig;
pub use aggregate::CHECKPOINT_VERSION;
pub use aggregate::CPU_SAMPLE_WEIGHT;
pub use aggregate::WEIGHT_EPSILON;
pub use amount::RESOURCE_AMOUNT_MAX;
pub use amount::ResourceAmount;
pub use amount::ResourceName;
pub use amount::Resources;
pub use amount::bytes_from_memory_amount;
pub use amount::cores_from_cpu_amount;
pub use amount::cpu_amount_from_cores;
pub use amount::humanized_memory;
pub use amount::memory_amount_from_bytes;
pub use amount::resource_amount_from_float;
pub use amount::round_up_to_scale;
pub use amount::scale_resource;
pub use applied::Rest;
pub use applied::applied;
pub use capping::Capping;
pub use capping::CappingAction;
pub use capping::ContainerResources;
pub use capping::LimitRange;
pub use capping::apply_pod_limit_range;
pub use capping::apply_policy;
pub use capping::capped;
pub use container::ContainerState;
pub use container::SampleRefused;
pub use container::UsageSample;
pub use decaying_histogram::DecayingHistogram;
pub use estimator::Step;
pub use estimator::confidence;
pub use estimator::estimate;
pub use eviction::EvictionRule;
pub use eviction::InPlaceDecision;
pub use eviction::Replica;
pub use eviction::ReplicaGroup;
pub use eviction::Resize;
pub use eviction::UpdateMode;
pub use eviction::has_lower_target;
pub use eviction::in_place_decision;
pub use histogram::CHECKPOINT_WEIGHT_MAX;
pub use histogram::CheckpointError;
pub use histogram::Histogram;
pub use histogram::HistogramCheckpoint;
pub use histogram::MergeError;
pub use histogram_options::HISTOGRAM_BUCKETS_MAX;
pub use histogram_options::HistogramOptions;
pub use histogram_options::HistogramOptionsError;
pub use policy::ContainerPolicy;
pub use policy::ControlledValues;
pub use policy::EVERY_CONTAINER;
pub use policy::ScalingMode;
pub use policy::container_policy;
pub use priority::ChangeRequirement;
pub use priority::Eligibility;
pub use priority::EvictionRequirement;
pub use priority::PodPriority;
pub use priority::PodSeen;
pub use priority::Termination;
pub use priority::UpdateConfig;
pub use priority::eligibility;
pub use priority::is_update_admitted;
pub use priority::update_order;
pub use priority::update_priority;
pub use proportion::ProportionalLimit;
pub use proportion::Rounding;
pub use proportion::Scaled;
pub use proportion::boundary_request;
pub use proportion::proportional_limit;
pub use proportion::scale_proportionally;
pub use recommender::Bound;
pub use recommender::ContainerRecommendation;
pub use recommender::Estimators;
pub use recommender::PodRecommender;
pub use recommender::RecommendationConfig;
pub use recommender::RecommendationFormat;
pub use recommender::whole_cores;

use crate::units::Instant;
use crate::units::Span;
use std::collections::BTreeMap;

/// How one service is recommended for.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct VpaConfig {
    /// How often the original takes samples and recommends; 1 min. Whoever drives a [`Vpa`] keeps to it.
    pub interval: Span,
    /// How often it is looked whether what is remembered has expired; 1 h.
    pub collection_interval: Span,
    /// How usage is gathered.
    pub aggregations: AggregationsConfig,
    /// How an estimate becomes a recommendation.
    pub recommendation: RecommendationConfig,
    /// How a recommendation is rounded.
    pub format: RecommendationFormat,
    /// What the operator says about the containers of the service; its `container` does not matter.
    pub policy: ContainerPolicy,
    /// The most of resources of which the policy says no most.
    pub max_allowed: Resources,
}

impl Default for VpaConfig {
    fn default() -> Self {
        Self {
            interval: Span::from_mins(1),
            collection_interval: Span::from_mins(60),
            aggregations: AggregationsConfig::default(),
            recommendation: RecommendationConfig::default(),
            format: RecommendationFormat::default(),
            policy: ContainerPolicy::default(),
            max_allowed: Resources::NONE,
        }
    }
}

/// What was measured of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstanceUsage {
    /// When the measured span began.
    pub start: Instant,
    /// CPU in millicores; `None` where it was not measured.
    pub cpu: Option<ResourceAmount>,
    /// Memory in bytes; `None` where it was not measured.
    pub memory: Option<ResourceAmount>,
}

/// Recommends for one service with instances of one container each. Instances come and go; what was seen of them stays.
///
/// ```
/// use plimsoll::engine::reference::vpa::*;
/// use plimsoll::units::Instant;
/// let mut service = Vpa::new(VpaConfig::default(), Instant::START)?;
/// let usage = InstanceUsage { start: Instant::START, cpu: Some(1000), memory: None };
/// service.observe("web-1", &usage)?;
/// // One core lies in the bucket that ends at 1.016 cores, and 15 % come on top.
/// let recommended = service.recommend(Instant::START);
/// assert_eq!(recommended.and_then(|recommended| recommended.target.cpu), Some(1168));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Vpa {
    config: VpaConfig,
    recommender: PodRecommender,
    /// The buckets of an aggregate.
    buckets: [HistogramOptions; 2],
    aggregate: Option<AggregateContainerState>,
    instances: BTreeMap<String, ContainerState>,
    collected: Instant,
}

impl Vpa {
    /// One that has seen nothing yet. The container of its recommendations has the policy's name.
    ///
    /// # Errors
    /// [`HistogramOptionsError`] where there are no histograms with the configured growth.
    pub fn new(config: VpaConfig, now: Instant) -> Result<Self, HistogramOptionsError> {
        let buckets = config.aggregations.histogram_options()?;
        let recommender = PodRecommender::new(&config.recommendation);
        Ok(Self { config, recommender, buckets, aggregate: None, instances: BTreeMap::new(), collected: now })
    }

    /// What is remembered of all instances together; `None` before the first one and after all has expired.
    #[must_use]
    pub const fn aggregate(&self) -> Option<&AggregateContainerState> {
        self.aggregate.as_ref()
    }

    /// Takes what was measured of an instance; one not seen before is new.
    ///
    /// # Errors
    /// [`SampleRefused`] for the first of CPU and memory that was refused; the other one is taken all the same.
    pub fn observe(&mut self, instance: &str, usage: &InstanceUsage) -> Result<(), SampleRefused> {
        let (aggregate, container) = self.tracked(instance, usage.start);
        let mut take = |usage_of: Option<ResourceAmount>, resource| {
            let sample = usage_of.map(|amount| UsageSample { start: usage.start, usage: amount, resource });
            sample.map_or(Ok(()), |sample| container.add_sample(aggregate, &sample))
        };
        let cpu = take(usage.cpu, ResourceName::Cpu);
        let memory = take(usage.memory, ResourceName::Memory);
        cpu.and(memory)
    }

    /// Takes an OOM kill of an instance, which had requested so many bytes.
    ///
    /// # Errors
    /// [`SampleRefused::TooOld`], and nothing changes.
    pub fn observe_oom(
        &mut self,
        instance: &str,
        at: Instant,
        requested_memory: ResourceAmount,
    ) -> Result<(), SampleRefused> {
        let (aggregate, container) = self.tracked(instance, at);
        container.record_oom(aggregate, at, requested_memory)
    }

    /// Forgets an instance that is gone for good. What was seen of it stays in the aggregate.
    pub fn forget(&mut self, instance: &str) {
        self.instances.remove(instance);
    }

    /// What is recommended now, within the operator's bounds. `None` where the service is not scaled, where no instance
    /// was seen yet, and after all has expired.
    ///
    /// Afterwards, once an hour, what has seen no CPU sample for eight days is forgotten. The hour runs whether
    /// anything is remembered or not.
    pub fn recommend(&mut self, now: Instant) -> Option<ContainerRecommendation> {
        let scaled = self.aggregate.as_ref().filter(|aggregate| aggregate.scaling_mode == ScalingMode::Auto);
        let recommendation = scaled.and_then(|aggregate| {
            let policy = std::slice::from_ref(&self.config.policy);
            let containers = [(self.config.policy.container.as_str(), aggregate)];
            let recommendations = self.recommender.recommend(&containers, &self.config.format);
            apply_policy(&recommendations, policy, self.config.max_allowed).into_iter().next()
        });
        if now.since(self.collected) >= self.config.collection_interval {
            self.collected = now;
            self.aggregate = self.aggregate.take().filter(|aggregate| !aggregate.is_expired(now));
        }
        recommendation
    }

    /// The aggregate and an instance, each of them new where it is not there.
    fn tracked(&mut self, instance: &str, now: Instant) -> (&mut AggregateContainerState, &mut ContainerState) {
        let aggregate = self.aggregate.get_or_insert_with(|| {
            let mut fresh = AggregateContainerState::with(&self.config.aggregations, self.buckets, now);
            fresh.update_from_policy(Some(&self.config.policy));
            fresh
        });
        let container = self.instances.entry(instance.to_owned()).or_default();
        (aggregate, container)
    }
}
