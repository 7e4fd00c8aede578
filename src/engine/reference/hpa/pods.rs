//! What the autoscaler is told about the pods of its target: how they stand, what they ask for, what they use.
//! Source: kubernetes/kubernetes, `pkg/controller/podautoscaler/replica_calculator.go` (requests, ready pods) and
//! `metrics/client.go` (sums over containers), the main branch of mid 2026. Before you change it:
//! 1. Requests and usage are whole thousandths: of a core, of a byte, of whatever is counted. Sums saturate.
//! 2. A pod is described for one resource at a time. Who scales by two resources describes it twice.
//! 3. A request that is missing is an error, never zero: a share of nothing says nothing.

use super::calculator::CountError;
use crate::units::Instant;
use crate::units::Span;
use std::collections::BTreeMap;

/// What is measured of each pod, by the name of the pod. There may be pods in it that nobody knows.
pub type Metrics = BTreeMap<String, PodMetric>;

/// The sample of one pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PodMetric {
    /// In thousandths of the unit.
    pub value: i64,
    /// The end of the time it was measured over.
    pub at: Instant,
    /// How long it was measured; a minute where the source does not say.
    pub window: Span,
}

/// What is scaled by. It only matters for who counts as ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Resource {
    /// CPU: pods that have just started say nothing about the load.
    Cpu,
    /// Memory, and every metric that is not a resource.
    Other,
}

/// How far a pod has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Phase {
    /// Accepted; some container of it has not started.
    Pending,
    /// At least one container runs or is being restarted.
    #[default]
    Running,
    /// Ended, and well. It counts like one that runs, as in every release so far.
    Succeeded,
    /// Ended, and not well.
    Failed,
    /// Nobody knows.
    Unknown,
}

/// Whether a pod can serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Readiness {
    /// It can.
    Ready,
    /// It cannot.
    NotReady,
    /// Nobody knows.
    Unknown,
}

/// Whether a pod can serve, and since when that is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ReadyCondition {
    /// Whether it can.
    pub readiness: Readiness,
    /// When it last changed.
    pub since: Instant,
}

/// What a container is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum ContainerKind {
    /// It does the work.
    #[default]
    Main,
    /// It starts first and runs as long as the pod: an init container that is always restarted.
    Sidecar,
    /// It runs before the others and ends. It counts for nothing here.
    Init,
}

/// One container of a pod.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Container {
    /// Unique within the pod.
    pub name: String,
    /// What it is for.
    pub kind: ContainerKind,
    /// What it asks for, in thousandths; `None` where it asks for nothing.
    pub request: Option<i64>,
}

/// One pod of the target.
///
/// A container of Docker has no Ready condition. One that runs and is healthy, or has no health check, is
/// [`Readiness::Ready`]; one that is starting is [`Readiness::NotReady`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Pod {
    /// Unique within the target.
    pub name: String,
    /// How far it has come.
    pub phase: Phase,
    /// Whether it was told to go.
    pub deleting: bool,
    /// When it started; `None` before that.
    pub started: Option<Instant>,
    /// Whether it can serve; `None` where nothing says so.
    pub ready: Option<ReadyCondition>,
    /// Its containers.
    pub containers: Vec<Container>,
    /// What the pod as a whole asks for, in thousandths. Where it is set it stands for all containers.
    pub request: Option<i64>,
}

impl Pod {
    /// A pod that runs and has been ready since the start of the run, and asks for so many thousandths as a whole. Look at
    /// it later than the CPU initialisation period, or it is young.
    ///
    /// ```
    /// use plimsoll::engine::reference::hpa::{Phase, Pod};
    ///
    /// let pod = Pod { phase: Phase::Pending, ..Pod::serving("web-1", 500) };
    /// assert!(!pod.is_serving());
    /// ```
    #[must_use]
    pub fn serving(name: &str, request: i64) -> Self {
        Self {
            name: name.to_owned(),
            phase: Phase::Running,
            deleting: false,
            started: Some(Instant::START),
            ready: Some(ReadyCondition { readiness: Readiness::Ready, since: Instant::START }),
            containers: Vec::new(),
            request: Some(request),
        }
    }

    /// Whether it runs and can serve.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        self.phase == Phase::Running && self.ready.is_some_and(|ready| ready.readiness == Readiness::Ready)
    }
}

/// What one container used.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ContainerUsage {
    /// The name of the container.
    pub name: String,
    /// In thousandths; `None` where it was not measured.
    pub usage: Option<i64>,
}

/// What the containers of one pod used.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PodUsage {
    /// The name of the pod.
    pub pod: String,
    /// The end of the time it was measured over.
    pub at: Instant,
    /// How long it was measured.
    pub window: Span,
    /// Its containers.
    pub containers: Vec<ContainerUsage>,
}

/// What the pods used: all containers together, or only the one that is named.
///
/// A pod has no metric where a container of it was not measured, where the named one is not there, or where it has no
/// containers at all.
///
/// # Errors
/// [`CountError::NoMetrics`] where nothing is reported.
///
/// ```
/// use plimsoll::engine::reference::hpa::{ContainerUsage, PodUsage, resource_metrics};
/// use plimsoll::units::{Instant, Span};
///
/// let used = |name: &str, usage| ContainerUsage { name: name.to_owned(), usage: Some(usage) };
/// let containers = vec![used("app", 300), used("proxy", 20)];
/// let reported = [PodUsage { pod: "web-1".to_owned(), at: Instant::START, window: Span::from_mins(1), containers }];
/// assert_eq!(resource_metrics(&reported, None)?["web-1"].value, 320);
/// assert_eq!(resource_metrics(&reported, Some("proxy"))?["web-1"].value, 20);
/// # Ok::<(), plimsoll::engine::reference::hpa::CountError>(())
/// ```
#[doc(alias = "GetResourceMetric")]
pub fn resource_metrics(reported: &[PodUsage], container: Option<&str>) -> Result<Metrics, CountError> {
    if reported.is_empty() {
        return Err(CountError::NoMetrics);
    }
    let mut metrics = Metrics::new();
    for pod in reported {
        let usage = match container {
            Some(name) => pod.containers.iter().find(|one| one.name == name).and_then(|one| one.usage),
            None if pod.containers.is_empty() => None,
            None => pod.containers.iter().try_fold(0i64, |sum, one| Some(sum.saturating_add(one.usage?))),
        };
        if let Some(value) = usage {
            metrics.insert(pod.pod.clone(), PodMetric { value, at: pod.at, window: pod.window });
        }
    }
    Ok(metrics)
}

/// What each pod asks for, in thousandths: the named container, or the pod as a whole, or the sum over its containers.
///
/// # Errors
/// [`CountError::MissingRequest`] where a container that counts asks for nothing, [`CountError::ContainerNotFound`]
/// where a pod has no container of that name. The first pod with a fault decides.
///
/// ```
/// use plimsoll::engine::reference::hpa::{Container, ContainerKind, Pod, requests};
///
/// let of = |name: &str, kind, millicores| Container { name: name.to_owned(), kind, request: Some(millicores) };
/// let containers = vec![of("app", ContainerKind::Main, 400), of("proxy", ContainerKind::Sidecar, 50)];
/// let pods = [Pod { containers, request: None, ..Pod::serving("web-1", 0) }];
/// assert_eq!(requests(&pods, None)?["web-1"], 450);
/// assert_eq!(requests(&pods, Some("proxy"))?["web-1"], 50);
/// # Ok::<(), plimsoll::engine::reference::hpa::CountError>(())
/// ```
#[doc(alias = "calculateRequests")]
pub fn requests<'a>(pods: &'a [Pod], container: Option<&str>) -> Result<BTreeMap<&'a str, i64>, CountError> {
    let mut requests = BTreeMap::new();
    for pod in pods {
        let request = match (container, pod.request) {
            (None, Some(whole)) => whole,
            (None, None) => sum_of_requests(pod)?,
            (Some(name), _) => {
                let named = lasting(pod).find(|one| one.name == name).ok_or_else(|| CountError::ContainerNotFound {
                    container: name.to_owned(),
                    pod: pod.name.clone(),
                })?;
                request_of(pod, named)?
            }
        };
        requests.insert(pod.name.as_str(), request);
    }
    Ok(requests)
}

fn sum_of_requests(pod: &Pod) -> Result<i64, CountError> {
    lasting(pod).try_fold(0i64, |sum, container| Ok(sum.saturating_add(request_of(pod, container)?)))
}

fn request_of(pod: &Pod, container: &Container) -> Result<i64, CountError> {
    container
        .request
        .ok_or_else(|| CountError::MissingRequest { container: container.name.clone(), pod: pod.name.clone() })
}

/// The containers that run as long as the pod, the sidecars last.
fn lasting(pod: &Pod) -> impl Iterator<Item = &Container> {
    let of = |kind: ContainerKind| pod.containers.iter().filter(move |one| one.kind == kind);
    of(ContainerKind::Main).chain(of(ContainerKind::Sidecar))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(name: &str, kind: ContainerKind, request: Option<i64>) -> Container {
        Container { name: name.to_owned(), kind, request }
    }

    fn pod(request: Option<i64>, containers: Vec<Container>) -> Pod {
        let name = "web-1".to_owned();
        Pod { name, phase: Phase::Running, deleting: false, started: None, ready: None, containers, request }
    }

    fn of_one(pod: &Pod, container: Option<&str>) -> Result<i64, CountError> {
        requests(std::slice::from_ref(pod), container).map(|found| found["web-1"])
    }

    #[test]
    fn a_pod_asks_for_what_its_lasting_containers_ask_for() {
        let containers = vec![
            container("migrate", ContainerKind::Init, None),
            container("proxy", ContainerKind::Sidecar, Some(50)),
            container("app", ContainerKind::Main, Some(400)),
        ];
        // 400 + 50; what only runs before them is not asked for at all.
        assert_eq!(of_one(&pod(None, containers.clone()), None), Ok(450));
        assert_eq!(of_one(&pod(None, containers.clone()), Some("proxy")), Ok(50));
        // The pod as a whole speaks for its containers, but not where one of them is named.
        assert_eq!(of_one(&pod(Some(800), containers.clone()), None), Ok(800));
        assert_eq!(of_one(&pod(Some(800), containers.clone()), Some("app")), Ok(400));
        let gone = CountError::ContainerNotFound { container: "migrate".to_owned(), pod: "web-1".to_owned() };
        assert_eq!(of_one(&pod(None, containers), Some("migrate")), Err(gone));
    }

    #[test]
    fn who_asks_for_nothing_is_an_error_and_not_a_zero() {
        let containers = vec![
            container("proxy", ContainerKind::Sidecar, None),
            container("app", ContainerKind::Main, Some(400)),
            container("log", ContainerKind::Main, None),
        ];
        let missing = |name: &str| CountError::MissingRequest { container: name.to_owned(), pod: "web-1".to_owned() };
        assert_eq!(of_one(&pod(None, containers.clone()), None), Err(missing("log")), "sidecars come last");
        assert_eq!(of_one(&pod(None, containers.clone()), Some("proxy")), Err(missing("proxy")));
        assert_eq!(of_one(&pod(None, containers.clone()), Some("app")), Ok(400));
        assert_eq!(of_one(&pod(Some(0), containers), None), Ok(0));
        let twice = |request| container("app", ContainerKind::Main, Some(request));
        assert_eq!(of_one(&pod(None, vec![twice(i64::MAX), twice(1)]), None), Ok(i64::MAX));
    }

    #[test]
    fn a_pod_that_is_measured_in_part_is_not_measured() {
        let usage = |name: &str, usage| ContainerUsage { name: name.to_owned(), usage };
        let of = |pod: &str, containers| PodUsage {
            pod: pod.to_owned(),
            at: Instant::START,
            window: Span::from_secs(60),
            containers,
        };
        let reported = [
            of("both", vec![usage("app", Some(300)), usage("proxy", Some(20))]),
            of("half", vec![usage("app", Some(300)), usage("proxy", None)]),
            of("bare", vec![usage("app", Some(310))]),
            of("none", vec![]),
        ];
        let values = |container| {
            let metrics = resource_metrics(&reported, container).expect("something is reported");
            metrics.into_iter().map(|(name, metric)| (name, metric.value)).collect::<Vec<_>>()
        };
        assert_eq!(values(None), [("bare".to_owned(), 310), ("both".to_owned(), 320)]);
        assert_eq!(values(Some("proxy")), [("both".to_owned(), 20)]);
        assert_eq!(resource_metrics(&[], None), Err(CountError::NoMetrics));
    }
}
