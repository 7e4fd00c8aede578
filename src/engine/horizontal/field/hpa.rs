//! Kubernetes' horizontal pod autoscaler on containers. Before you change it:
//! 1. An instance is a pod with one container. It is ready where Docker calls it healthy, or where it runs without a health
//!    check; down is pending. What it requests is its limit: Docker has no requests.
//! 2. Memory and CPU are shares of requests; requests in the service and per second, and metrics of the business, are
//!    averages of each; times and errors are values of the service as one object.

use super::Look;
use super::findings;
use super::wants;
use crate::engine::horizontal::Verdict;
use crate::engine::reference::hpa;
use crate::engine::reference::hpa::Container;
use crate::engine::reference::hpa::ContainerKind;
use crate::engine::reference::hpa::CountError;
use crate::engine::reference::hpa::MetricKind;
use crate::engine::reference::hpa::Phase;
use crate::engine::reference::hpa::Pod;
use crate::engine::reference::hpa::PodMetric;
use crate::engine::reference::hpa::Proposal;
use crate::engine::reference::hpa::Readiness;
use crate::engine::reference::hpa::ReadyCondition;
use crate::engine::reference::hpa::Resource;
use crate::engine::reference::hpa::Seen;
use crate::model::Guard;
use crate::model::Horizontal;
use crate::model::HpaFigures;
use crate::model::InstanceSeen;
use crate::model::InstanceState;
use crate::model::Limits;
use crate::model::Quantity;
use crate::model::Signal;
use crate::model::Target;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The autoscaler of one service.
#[derive(Debug, Clone)]
pub(in crate::engine::horizontal) struct Driver {
    figures: HpaFigures,
    hpa: hpa::Hpa,
    /// By the number of an instance: whether it is ready, and since when.
    ready: BTreeMap<u32, ReadyCondition>,
    /// What was decided last.
    decision: Option<hpa::Decision>,
}

impl Driver {
    pub(super) fn new(figures: &HpaFigures, policy: &Horizontal) -> Self {
        let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let (least, most) = policy.widest();
        let settings = hpa::Settings {
            bounds: hpa::Bounds { min: count(least), max: count(most) },
            tolerance: figures.tolerance,
            down_stabilisation: figures.down_stabilisation,
            ..hpa::Settings::default()
        };
        Self { figures: figures.clone(), hpa: hpa::Hpa::new(settings), ready: BTreeMap::new(), decision: None }
    }

    pub(super) fn judge(&mut self, look: &Look<'_>) -> Verdict {
        self.note_readiness(look);
        let current = i32::try_from(look.replicas).unwrap_or(i32::MAX);
        let proposals: Vec<Proposal> =
            self.figures.targets.iter().map(|target| self.proposal(look, current, *target)).collect();
        let failed = proposals.iter().find_map(|proposal| proposal.replicas.as_ref().err().cloned());
        let decision = self.hpa.decide(look.now, current, &proposals);
        let wanted = u32::try_from(decision.wanted.unwrap_or(decision.replicas)).unwrap_or(0);
        let to = u32::try_from(decision.replicas).unwrap_or(0);
        // What it wanted before counts while its window lasts, and may be more than it wants now.
        let wanted = match to.cmp(&look.replicas) {
            Ordering::Greater => wanted.max(to),
            Ordering::Equal => wanted,
            Ordering::Less => wanted.min(to),
        };
        let note = decision.limited.map_or("", |limited| limited.by.name());
        let held = decision.able.name();
        self.decision = Some(decision);
        let why = || wants("hpa", wanted, findings(look.readings, &self.figures.targets), note);
        match (to == look.replicas, failed) {
            (false, _) => Verdict::To(to, why()),
            (true, Some(CountError::MissingRequest { .. })) => Verdict::Held(None, Guard::NoLimit),
            (true, Some(_)) => Verdict::Held(None, Guard::NoData),
            (true, None) if wanted == look.replicas => Verdict::Quiet,
            (true, None) => Verdict::Held(Some(why()), Guard::OwnRule { why: held.to_owned() }),
        }
    }

    pub(super) fn applied(&mut self, now: Instant, to: u32) {
        if let Some(mut decision) = self.decision.take() {
            decision.replicas = i32::try_from(to).unwrap_or(i32::MAX);
            self.hpa.applied(now, &decision);
        }
    }

    /// Takes note of who is ready since when.
    fn note_readiness(&mut self, look: &Look<'_>) {
        let instances = &look.service.instances;
        self.ready.retain(|number, _| instances.iter().any(|instance| instance.number == *number));
        for instance in instances {
            let readiness =
                if instance.state == InstanceState::Healthy { Readiness::Ready } else { Readiness::NotReady };
            // Who is seen for the first time is taken to have been so since its start.
            let since = instance.started.unwrap_or(look.now);
            let known = self.ready.entry(instance.number).or_insert(ReadyCondition { readiness, since });
            if known.readiness != readiness {
                *known = ReadyCondition { readiness, since: look.now };
            }
        }
    }

    fn proposal(&self, look: &Look<'_>, current: i32, target: Target) -> Proposal {
        let calculator = self.hpa.settings.calculator();
        let seen = look.readings.of_signal(target.signal);
        let value = |quantity: Quantity| i64::try_from(super::whole_milli(quantity)).unwrap_or(i64::MAX);
        let total = seen.map(value).ok_or(CountError::NoMetrics);
        // The original knows whole percent and whole thousandths, and no target of zero.
        let each = value(target.value).max(1);
        match target.signal {
            Signal::Cpu | Signal::Memory => {
                let pods: Vec<Pod> =
                    look.service.instances.iter().map(|one| self.pod(one, look.limits, target.signal)).collect();
                let metrics = metrics(&look.service.instances, look, target.signal);
                let resource = if target.signal == Signal::Cpu { Resource::Cpu } else { Resource::Other };
                let seen = Seen { now: look.now, resource, pods: &pods, metrics: &metrics };
                let percent = i32::try_from(target.value.number() / 10_000).unwrap_or(i32::MAX).max(1);
                let count = calculator.utilisation(current, percent, None, &seen);
                Proposal { kind: MetricKind::Resource, replicas: count.map(|count| count.replicas) }
            }
            Signal::Queue | Signal::Requests | Signal::Custom(_) => {
                let count = total
                    .and_then(|total| calculator.external_average_value(current, each, &[total]))
                    .map(|count| count.replicas);
                Proposal { kind: MetricKind::External, replicas: count }
            }
            Signal::Latency | Signal::Errors | Signal::Replicas => {
                let pods: Vec<Pod> =
                    look.service.instances.iter().map(|one| self.pod(one, look.limits, target.signal)).collect();
                let count = total
                    .and_then(|total| calculator.object_value(current, each, total, &pods))
                    .map(|count| count.replicas);
                Proposal { kind: MetricKind::Object, replicas: count }
            }
        }
    }

    fn pod(&self, instance: &InstanceSeen, limits: Limits, signal: Signal) -> Pod {
        let request = match signal {
            Signal::Memory => limits.memory.map(Bytes::get).and_then(thousandths),
            _ => limits.cpu.map(Millicores::get).and_then(|limit| i64::try_from(limit).ok()),
        };
        let down = instance.state == InstanceState::Down;
        let ready = self.ready.get(&instance.number).copied();
        Pod {
            name: instance.number.to_string(),
            phase: if down { Phase::Pending } else { Phase::Running },
            deleting: false,
            // Where nobody knows its start, it is when it was seen first to be as it is.
            started: instance.started.or(ready.filter(|_| !down).map(|ready| ready.since)),
            ready,
            containers: vec![Container { name: String::from("app"), kind: ContainerKind::Main, request }],
            request: None,
        }
    }
}

fn thousandths(bytes: u64) -> Option<i64> {
    i64::try_from(bytes).ok()?.checked_mul(1000)
}

/// What was measured of each instance, as long as it is fresh: millicores, or thousandths of bytes.
fn metrics(instances: &[InstanceSeen], look: &Look<'_>, signal: Signal) -> hpa::Metrics {
    let metric = |instance: &InstanceSeen| {
        let usage = instance.usage.filter(|usage| look.now.since(usage.at) <= look.policy.stale_after)?;
        let value = match signal {
            Signal::Memory => thousandths(usage.memory.get())?,
            _ => i64::try_from(usage.cpu.get()).ok()?,
        };
        Some((instance.number.to_string(), PodMetric { value, at: usage.at, window: usage.window }))
    };
    instances.iter().filter_map(metric).collect()
}
