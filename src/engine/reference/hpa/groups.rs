//! Which pods are counted, and which only look like load.
//! Source: kubernetes/kubernetes, `pkg/controller/podautoscaler/replica_calculator.go` (`groupPods`), the main branch of
//! mid 2026; defaults from `config/v1alpha1/defaults.go`. Before you change it:
//! 1. The order of the questions decides: gone, pending, not measured, not warm, ready.
//! 2. Only CPU asks whether a pod is warm. A pod that has just started burns CPU that is not load; its memory is real.
//! 3. A pod that was ready once and is not any more counts as ready: it is overloaded, not young.
//! 4. Both comparisons with time are strict. Ages are compared, not points in time: nothing is before the start of a run.

use super::pods::Metrics;
use super::pods::Phase;
use super::pods::Pod;
use super::pods::PodMetric;
use super::pods::Readiness;
use super::pods::Resource;
use crate::units::Instant;
use crate::units::Span;
use std::collections::BTreeSet;

/// How long the CPU of a young pod is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StartUp {
    /// For so long after its start a pod counts only while it is ready, and only with a sample that lies wholly in the
    /// time since it became ready. Default 5 min.
    pub cpu_initialisation_period: Span,
    /// A pod that became unready within this time after its start was never ready. Default 30 s.
    pub initial_readiness_delay: Span,
}

impl Default for StartUp {
    fn default() -> Self {
        Self { cpu_initialisation_period: Span::from_mins(5), initial_readiness_delay: Span::from_secs(30) }
    }
}

/// The pods of a target, by how they are counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Groups<'a> {
    /// So many count with what is measured of them.
    pub ready: usize,
    /// Pending, or too young for their CPU to mean anything.
    pub unready: BTreeSet<&'a str>,
    /// Not measured.
    pub missing: BTreeSet<&'a str>,
    /// Going or gone.
    pub ignored: BTreeSet<&'a str>,
}

impl StartUp {
    /// Puts each pod into its group.
    ///
    /// ```
    /// use plimsoll::engine::reference::hpa::{Metrics, Phase, Pod, Resource, StartUp};
    /// use plimsoll::units::{Instant, Span};
    ///
    /// let now = Instant::after_start(Span::from_mins(60));
    /// let gone = Pod { phase: Phase::Failed, ..Pod::serving("b", 500) };
    /// let pods = [Pod::serving("a", 500), gone];
    /// let groups = StartUp::default().group(now, Resource::Cpu, &pods, &Metrics::new());
    /// assert_eq!(groups.ready, 0);
    /// assert!(groups.missing.contains("a") && groups.ignored.contains("b"));
    /// ```
    #[doc(alias = "groupPods")]
    #[must_use]
    pub fn group<'a>(&self, now: Instant, resource: Resource, pods: &'a [Pod], metrics: &Metrics) -> Groups<'a> {
        let mut groups = Groups::default();
        for pod in pods {
            let name = pod.name.as_str();
            if pod.deleting || pod.phase == Phase::Failed {
                groups.ignored.insert(name);
            } else if pod.phase == Phase::Pending {
                groups.unready.insert(name);
            } else if let Some(metric) = metrics.get(name) {
                if resource == Resource::Cpu && !self.is_warm(now, pod, metric) {
                    groups.unready.insert(name);
                } else {
                    groups.ready += 1;
                }
            } else {
                groups.missing.insert(name);
            }
        }
        groups
    }

    fn is_warm(&self, now: Instant, pod: &Pod, metric: &PodMetric) -> bool {
        let (Some(ready), Some(started)) = (pod.ready, pod.started) else { return false };
        let is_unready = ready.readiness == Readiness::NotReady;
        if started.plus(self.cpu_initialisation_period) > now {
            !is_unready && metric.at >= ready.since.plus(metric.window)
        } else {
            !is_unready || started.plus(self.initial_readiness_delay) <= ready.since
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::pods::ReadyCondition;
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::after_start(Span::from_secs(seconds))
    }

    /// A pod that started at 1000 s, with a condition that has held since then plus so many seconds.
    fn pod(readiness: Readiness, after: u64) -> Pod {
        Pod {
            name: "web".to_owned(),
            phase: Phase::Running,
            deleting: false,
            started: Some(at(1000)),
            ready: Some(ReadyCondition { readiness, since: at(1000 + after) }),
            containers: Vec::new(),
            request: None,
        }
    }

    fn metrics(measured: u64) -> Metrics {
        [("web".to_owned(), PodMetric { value: 700, at: at(measured), window: Span::from_secs(60) })].into()
    }

    fn counts(now: u64, measured: u64, pod: &Pod) -> bool {
        let start_up = StartUp::default();
        let groups = start_up.group(at(now), Resource::Cpu, std::slice::from_ref(pod), &metrics(measured));
        assert_eq!(groups.ready + groups.unready.len(), 1);
        groups.ready == 1
    }

    #[test]
    fn a_young_pod_counts_with_a_sample_that_began_when_it_was_ready() {
        // Ready since 1020 s; a sample of a minute lies wholly in that time from 1080 s on.
        let ready = pod(Readiness::Ready, 20);
        assert!(!counts(1100, 1079, &ready));
        assert!(counts(1100, 1080, &ready));
        assert!(!counts(1100, 1100, &pod(Readiness::NotReady, 20)));
        // Young is 5 min: at 1299 s still, at 1300 s no more, and then any sample will do.
        assert!(!counts(1299, 1079, &ready));
        assert!(counts(1300, 1079, &ready));
        assert!(counts(1100, 1080, &pod(Readiness::Unknown, 20)), "only what is known to be unready is");
    }

    #[test]
    fn an_old_pod_counts_unless_it_was_never_ready() {
        // Unready since 29 s after its start: it never came up. Since 30 s: it was up in between.
        assert!(!counts(2000, 2000, &pod(Readiness::NotReady, 29)));
        assert!(counts(2000, 2000, &pod(Readiness::NotReady, 30)));
        assert!(counts(2000, 2000, &pod(Readiness::Ready, 0)));
    }

    #[test]
    fn a_pod_nobody_knows_the_start_of_is_not_warm() {
        assert!(!counts(2000, 2000, &Pod { started: None, ..pod(Readiness::Ready, 0) }));
        assert!(!counts(2000, 2000, &Pod { ready: None, ..pod(Readiness::Ready, 0) }));
    }

    #[test]
    fn the_order_of_the_questions_decides() {
        let group = |pod: Pod, resource, metrics: &Metrics| {
            let pods = [pod];
            let groups = StartUp::default().group(at(1001), resource, &pods, metrics);
            [groups.ready, groups.unready.len(), groups.missing.len(), groups.ignored.len()]
        };
        let (measured, nothing) = (metrics(1001), Metrics::new());
        let young = pod(Readiness::NotReady, 0);
        let failed = Pod { phase: Phase::Failed, ..young.clone() };
        assert_eq!(group(failed, Resource::Cpu, &measured), [0, 0, 0, 1]);
        let ended = Pod { phase: Phase::Succeeded, ..young.clone() };
        assert_eq!(group(ended, Resource::Other, &measured), [1, 0, 0, 0], "only failing is asked about");
        let pending = Pod { phase: Phase::Pending, ..young.clone() };
        assert_eq!(group(Pod { deleting: true, ..pending.clone() }, Resource::Other, &nothing), [0, 0, 0, 1]);
        assert_eq!(group(pending, Resource::Other, &nothing), [0, 1, 0, 0]);
        assert_eq!(group(young.clone(), Resource::Cpu, &nothing), [0, 0, 1, 0]);
        assert_eq!(group(young.clone(), Resource::Cpu, &measured), [0, 1, 0, 0]);
        assert_eq!(group(young.clone(), Resource::Other, &measured), [1, 0, 0, 0], "its memory is real");
        let lost = Pod { phase: Phase::Unknown, ..young };
        assert_eq!(group(lost, Resource::Other, &measured), [1, 0, 0, 0]);
    }
}
