//! The Kubernetes Vertical Pod Autoscaler on containers: its recommender, and its updater in place. Before you change it:
//! 1. A sample is what a scrape says, once a minute for each instance; the memory limit is the request that an OOM kill is
//!    counted with.
//! 2. The service is one pod to the updater, since its instances have the same limits: it lives since its oldest instance
//!    started, and was killed when any of them was. Changes are made in place, so nobody waits for others to come up.
//! 3. A restart between two looks that came with an OOM kill is a run that began when the instance was last seen to start.

use super::Advice;
use super::Taken;
use super::too_early;
use crate::engine::reference::vpa::ContainerPolicy;
use crate::engine::reference::vpa::ContainerResources;
use crate::engine::reference::vpa::Eligibility;
use crate::engine::reference::vpa::InstanceUsage;
use crate::engine::reference::vpa::PodSeen;
use crate::engine::reference::vpa::RecommendationConfig;
use crate::engine::reference::vpa::ResourceAmount;
use crate::engine::reference::vpa::ResourceName;
use crate::engine::reference::vpa::Resources;
use crate::engine::reference::vpa::Termination;
use crate::engine::reference::vpa::UpdateConfig;
use crate::engine::reference::vpa::Vpa;
use crate::engine::reference::vpa::VpaConfig;
use crate::engine::reference::vpa::eligibility;
use crate::engine::reference::vpa::update_priority;
use crate::engine::wish::Limit;
use crate::model::Guard;
use crate::model::HostSeen;
use crate::model::ServiceSeen;
use crate::model::Vertical;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Permille;
use std::collections::BTreeMap;

/// The only container of the pod.
const CONTAINER: &str = "service";

/// The recommender and the updater of one service.
#[derive(Debug, Clone)]
pub(in crate::engine::vertical) struct Driver {
    config: VpaConfig,
    percentile: Permille,
    margin: Permille,
    vpa: Option<Vpa>,
    taken: Taken,
    /// By instance: when it started, and its OOM kills so far.
    instances: BTreeMap<u32, (Option<Instant>, u32)>,
    /// How an instance was killed last.
    killed: Option<Termination>,
}

impl Driver {
    pub(super) fn new(policy: &Vertical, percentile: Permille, margin: Permille) -> Self {
        let resources = |cpu: Millicores, memory: Bytes| Resources::new(amount(cpu.get()), amount(memory.get()));
        let config = VpaConfig {
            recommendation: RecommendationConfig {
                target_cpu_percentile: percentile.as_fraction(),
                target_memory_percentile: percentile.as_fraction(),
                safety_margin_fraction: margin.as_fraction(),
                ..RecommendationConfig::default()
            },
            policy: ContainerPolicy {
                container: CONTAINER.to_owned(),
                min_allowed: resources(policy.cpu_min, policy.memory_min),
                max_allowed: resources(policy.cpu_max, policy.memory_max),
                ..ContainerPolicy::default()
            },
            ..VpaConfig::default()
        };
        let (taken, instances) = (Taken::default(), BTreeMap::new());
        Self { config, percentile, margin, vpa: None, taken, instances, killed: None }
    }

    pub(super) fn look(&mut self, now: Instant, service: &ServiceSeen, host: &HostSeen) {
        if self.vpa.is_none() {
            self.vpa = Vpa::new(self.config.clone(), now).ok();
        }
        let Some(vpa) = &mut self.vpa else { return };
        for (instance, usage) in self.taken.new_ones((now, self.config.interval), service, host) {
            let usage = InstanceUsage {
                start: usage.at,
                cpu: Some(amount(usage.cpu.get())),
                memory: Some(amount(usage.memory.max(usage.memory_max).get())),
            };
            // What is refused is not later than what was taken.
            let _ = vpa.observe(&instance.number.to_string(), &usage);
        }
        for instance in &service.instances {
            let before = self.instances.insert(instance.number, (instance.started, instance.oom_kills));
            if let Some((started, kills)) = before
                && instance.oom_kills > kills
            {
                if let Some(limit) = service.limits.memory {
                    let _ = vpa.observe_oom(&instance.number.to_string(), now, amount(limit.get()));
                }
                self.killed = started.map(|started| Termination {
                    container: CONTAINER.to_owned(),
                    oom_killed: true,
                    started,
                    finished: now,
                });
            }
        }
        self.instances.retain(|number, _| {
            let stays = service.instances.iter().any(|instance| instance.number == *number);
            if !stays {
                vpa.forget(&number.to_string());
            }
            stays
        });
    }

    pub(super) fn advise(&mut self, now: Instant, service: &ServiceSeen) -> Result<Vec<Advice>, Guard> {
        let found = self.vpa.as_mut().and_then(|vpa| vpa.recommend(now));
        let Some(found) = found else { return Err(too_early("there is no sample yet")) };
        let limits = Resources {
            cpu: service.limits.cpu.map(|cpu| amount(cpu.get())),
            memory: service.limits.memory.map(|memory| amount(memory.get())),
        };
        let pod = PodSeen {
            started: self.instances.values().filter_map(|(started, _)| *started).min(),
            terminations: self.killed.iter().cloned().collect(),
            observed_containers: None,
        };
        let container = ContainerResources { container: CONTAINER.to_owned(), requests: limits, limits };
        let recommendations = std::slice::from_ref(&found);
        let priority = update_priority(&pod, &[container], recommendations);
        let update = UpdateConfig::default();
        let policies = std::slice::from_ref(&self.config.policy);
        let waits = match eligibility(&update, &pod, &priority, policies, now) {
            Eligibility::OutsideRange | Eligibility::QuickOom | Eligibility::LongLived => None,
            Eligibility::TooSimilar | Eligibility::WouldNotChange => return Ok(Vec::new()),
            Eligibility::ShortLived if priority.resource_diff < update.min_change_priority => return Ok(Vec::new()),
            Eligibility::ShortLived => {
                let life = update.pod_lifetime_threshold;
                Some(format!("it is within its bounds, and lives for less than {life}"))
            }
            Eligibility::NoStartTime => {
                Some("it is within its bounds, and nobody knows since when it lives".to_owned())
            }
        };
        let waits = waits.map(|why| Guard::OwnRule { why });
        let (percentile, margin) = (self.percentile, self.margin);
        let advice = |resource: Limit, name: ResourceName| {
            let bound = |of: Resources| shown(resource, of.amount(name));
            let (low, high) = (bound(found.lower_bound), bound(found.upper_bound));
            let note = format!("percentile {percentile} and {margin} more; surely between {low} and {high}");
            let wanted = u64::try_from(found.target.get(name)?).ok()?;
            Some(Advice { resource, wanted, note, waits: waits.clone() })
        };
        let both = [advice(Limit::Cpu, ResourceName::Cpu), advice(Limit::Memory, ResourceName::Memory)];
        Ok(both.into_iter().flatten().collect())
    }
}

fn amount(number: u64) -> ResourceAmount {
    ResourceAmount::try_from(number).unwrap_or(ResourceAmount::MAX)
}

fn shown(resource: Limit, amount: ResourceAmount) -> String {
    let number = u64::try_from(amount).unwrap_or(0);
    match resource {
        Limit::Cpu => Millicores::new(number).to_string(),
        // To a MiB: nobody reads more of it.
        Limit::Memory => Bytes::mebi(number >> 20).to_string(),
    }
}
