//! How many replicas one metric asks for.
//! Source: kubernetes/kubernetes, `pkg/controller/podautoscaler/replica_calculator.go`, the main branch of mid 2026; default
//! tolerance from `config/v1alpha1/defaults.go`. Before you change it:
//! 1. A tolerance is inclusive, and belongs to a direction.
//! 2. Who is not measured is assumed to pull against the change: idle when more are wanted, busy when fewer are. Who is
//!    not warm only counts when more are wanted, and then as idle.
//! 3. What is assumed may weaken a change and may stop it. It never turns it round.
//! 4. Counts are rounded up, once, at the end. A count that is too large is the largest one.
//! 5. Values of a whole target do not look at usage of pods: they multiply by the pods that serve, or by nothing.
//! 6. A target of zero means nothing (it is refused before it gets here). Nothing breaks on it, but do not rely on it.

use super::behaviour::Behaviour;
use super::groups::Groups;
use super::groups::StartUp;
use super::pods::Metrics;
use super::pods::Pod;
use super::pods::Resource;
use super::pods::requests;
use super::rounding::nearest_value;
use super::rounding::round_up;
use super::rounding::value_up;
use super::usage::usage;
use super::usage::utilisation;
use crate::units::Instant;
use crate::units::Permille;
use std::collections::BTreeMap;

/// How far from its target a metric may be before anything is changed, as a share of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tolerances {
    /// Below the target. Default 10 %.
    pub down: Permille,
    /// Above the target. Default 10 %.
    pub up: Permille,
}

impl Default for Tolerances {
    fn default() -> Self {
        Self { down: Permille::percent(10), up: Permille::percent(10) }
    }
}

impl Tolerances {
    /// The tolerance of everybody, except where a behaviour has its own.
    #[must_use]
    pub fn of(everybody: Permille, behaviour: Option<&Behaviour>) -> Self {
        let own = |rules: fn(&Behaviour) -> Option<Permille>| behaviour.and_then(rules).unwrap_or(everybody);
        Self { down: own(|behaviour| behaviour.down.tolerance), up: own(|behaviour| behaviour.up.tolerance) }
    }

    /// Whether `seen / target` is near enough to one. Both ends are within.
    #[must_use]
    pub fn is_within(&self, ratio: f64) -> bool {
        1.0 - self.down.as_fraction() <= ratio && ratio <= 1.0 + self.up.as_fraction()
    }
}

/// What is seen of the pods of a target, for one metric.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The time of the look.
    pub now: Instant,
    /// What the metric is about.
    pub resource: Resource,
    /// All pods of the target, those that are going too.
    pub pods: &'a [Pod],
    /// What was measured of them.
    pub metrics: &'a Metrics,
}

/// How many replicas a metric asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Count {
    /// So many.
    pub replicas: i32,
    /// What was seen, in thousandths: the average of a pod, or the value of the whole target where that is compared. Pods
    /// that are only assumed do not count here.
    pub usage: i64,
    /// What was seen in whole percent of the requests, where that is compared.
    pub percent: Option<i32>,
}

/// Why a metric asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub enum CountError {
    /// Nothing was measured at all.
    #[error("no metrics were reported")]
    NoMetrics,
    /// The target has no pods.
    #[error("the target has no pods")]
    NoPods,
    /// What was measured is of pods that do not count.
    #[error("no metrics of pods that count (they may be unready)")]
    NoPodMetrics,
    /// What was measured is of pods that asked for nothing, or that nobody knows.
    #[error("no metrics of pods that are known")]
    UnknownPods,
    /// A share of its request is asked of a container that has none.
    #[error("container `{container}` of pod `{pod}` has no request")]
    MissingRequest {
        /// The container.
        container: String,
        /// Its pod.
        pod: String,
    },
    /// A container is named that a pod does not have.
    #[error("pod `{pod}` has no container `{container}`")]
    ContainerNotFound {
        /// The container.
        container: String,
        /// The pod.
        pod: String,
    },
    /// A metric of a kind that nobody knows.
    #[error("nobody knows this kind of metric")]
    UnknownKind,
}

/// Turns what is seen into a number of replicas.
///
/// ```
/// use plimsoll::engine::reference::hpa::*;
/// use plimsoll::units::{Instant, Span};
///
/// let now = Instant::after_start(Span::from_mins(60));
/// let pods = [Pod::serving("a", 500), Pod::serving("b", 500), Pod::serving("c", 500)];
/// let used = |value| PodMetric { value, at: now, window: Span::from_mins(1) };
/// let metrics = Metrics::from([("a".to_owned(), used(350)), ("b".to_owned(), used(450))]);
/// let seen = Seen { now, resource: Resource::Cpu, pods: &pods, metrics: &metrics };
///
/// // 800 of 1000 is 80 %. The third counts as idle: 53 % of a target of 40 % is 1.325, and that of 3 is 3.975.
/// let count = Calculator::default().utilisation(3, 40, None, &seen)?;
/// assert_eq!((count.replicas, count.percent, count.usage), (4, Some(80), 400));
/// # Ok::<(), CountError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Calculator {
    /// How near to its target a metric may be.
    pub tolerances: Tolerances,
    /// How long a young pod is not trusted.
    pub start_up: StartUp,
}

impl Calculator {
    /// For a share of the requests, `target` in percent: of the named container, or of whole pods. `current` is the number
    /// of replicas asked for now.
    ///
    /// # Errors
    /// [`CountError`] where there is nothing to compare.
    #[doc(alias = "GetResourceReplicas")]
    pub fn utilisation(
        &self,
        current: i32,
        target: i32,
        container: Option<&str>,
        seen: &Seen<'_>,
    ) -> Result<Count, CountError> {
        let (groups, mut used) = self.counted(seen)?;
        let requests = requests(seen.pods, container)?;
        let first = utilisation(&used, &requests, target)?;
        let count = |replicas| Count { replicas, usage: first.average, percent: Some(first.percent) };
        if let Some(replicas) = self.of_ready(current, first.ratio, &groups) {
            return Ok(count(replicas));
        }
        // Busy is all it asked for; or what it is to have, where that is more.
        let busy = |pod: &str| {
            nearest_value(i128::from(requests.get(pod).copied().unwrap_or(0)) * i128::from(target.max(100)) / 100)
        };
        let assumed: Vec<_> = groups.missing.iter().map(|pod| (*pod, busy(pod))).collect();
        assume(&mut used, first.ratio, &groups, &assumed);
        let again = utilisation(&used, &requests, target)?;
        Ok(count(self.of_all(current, (first.ratio, again.ratio), used.len())))
    }

    /// For an average of the pods, `target` in thousandths: of a resource or of any other metric. `current` is the number
    /// of replicas asked for now.
    ///
    /// # Errors
    /// [`CountError`] where there is nothing to compare.
    ///
    /// ```
    /// use plimsoll::engine::reference::hpa::*;
    /// use plimsoll::units::{Instant, Span};
    ///
    /// let now = Instant::after_start(Span::from_mins(60));
    /// let metric = PodMetric { value: 9000, at: now, window: Span::from_mins(1) };
    /// let (pods, metrics) = ([Pod::serving("a", 0)], Metrics::from([("a".to_owned(), metric)]));
    /// let seen = Seen { now, resource: Resource::Other, pods: &pods, metrics: &metrics };
    /// // 9 of 4 requests each is 2.25.
    /// assert_eq!(Calculator::default().average_value(1, 4000, &seen).map(|count| count.replicas), Ok(3));
    /// ```
    #[doc(alias = "GetMetricReplicas")]
    #[doc(alias = "GetRawResourceReplicas")]
    #[doc(alias = "calcPlainMetricReplicas")]
    pub fn average_value(&self, current: i32, target: i64, seen: &Seen<'_>) -> Result<Count, CountError> {
        let (groups, mut used) = self.counted(seen)?;
        let first = usage(&used, target)?;
        let count = |replicas| Count { replicas, usage: first.average, percent: None };
        if let Some(replicas) = self.of_ready(current, first.ratio, &groups) {
            return Ok(count(replicas));
        }
        let assumed: Vec<_> = groups.missing.iter().map(|pod| (*pod, target)).collect();
        assume(&mut used, first.ratio, &groups, &assumed);
        let again = usage(&used, target)?;
        Ok(count(self.of_all(current, (first.ratio, again.ratio), used.len())))
    }

    /// For a value of an object, `target` and `value` in thousandths. `current` is the number of replicas asked for now;
    /// from zero there is no tolerance.
    ///
    /// # Errors
    /// [`CountError::NoPods`] where the target has none and is to have some.
    ///
    /// ```
    /// use plimsoll::engine::reference::hpa::{Calculator, Count, Pod};
    ///
    /// // 70 of 40 is 1.75, and that of two is 3.5.
    /// let pods = [Pod::serving("a", 0), Pod::serving("b", 0)];
    /// let count = Calculator::default().object_value(2, 40_000, 70_000, &pods);
    /// assert_eq!(count, Ok(Count { replicas: 4, usage: 70_000, percent: None }));
    /// ```
    #[doc(alias = "GetObjectMetricReplicas")]
    pub fn object_value(&self, current: i32, target: i64, value: i64, pods: &[Pod]) -> Result<Count, CountError> {
        let ratio = value as f64 / target as f64;
        let replicas = if current == 0 {
            round_up(ratio)
        } else if self.tolerances.is_within(ratio) {
            current
        } else if pods.is_empty() {
            return Err(CountError::NoPods);
        } else {
            round_up(ratio * pods.iter().filter(|pod| pod.is_serving()).count() as f64)
        };
        Ok(Count { replicas, usage: value, percent: None })
    }

    /// For a value of an object shared by the replicas there are, `target` of each and `value` in thousandths. Within the
    /// tolerance the answer is the replicas there are, not those asked for.
    #[doc(alias = "GetObjectPerPodMetricReplicas")]
    #[must_use]
    pub fn object_average_value(&self, status: i32, target: i64, value: i64) -> Count {
        let ratio = value as f64 / (target as f64 * f64::from(status));
        let replicas = if self.tolerances.is_within(ratio) { status } else { round_up(value as f64 / target as f64) };
        Count { replicas, usage: share_of_each(value, status), percent: None }
    }

    /// For the sum of values from outside, `target` and `values` in thousandths. A sum that is too large is the largest
    /// one. `current` is the number of replicas asked for now.
    ///
    /// # Errors
    /// [`CountError::NoMetrics`] without any value, [`CountError::NoPods`] as for a value of an object.
    #[doc(alias = "GetExternalMetricReplicas")]
    pub fn external_value(&self, current: i32, target: i64, values: &[i64], pods: &[Pod]) -> Result<Count, CountError> {
        if values.is_empty() {
            return Err(CountError::NoMetrics);
        }
        let mut sum = 0i64;
        for value in values {
            let Some(more) = sum.checked_add(*value) else {
                sum = if *value > 0 { i64::MAX } else { i64::MIN };
                break;
            };
            sum = more;
        }
        self.object_value(current, target, sum, pods)
    }

    /// For the sum of values from outside shared by the replicas there are, `target` of each and `values` in thousandths.
    /// A sum that falls below zero on its way is taken for one that is too large, as in the original.
    ///
    /// # Errors
    /// [`CountError::NoMetrics`] without any value.
    ///
    /// ```
    /// use plimsoll::engine::reference::hpa::{Calculator, Count};
    ///
    /// // 90 and 25 jobs wait, 30 are to wait for each replica: 3.83. The two there are have 57.5 each.
    /// let count = Calculator::default().external_average_value(2, 30_000, &[90_000, 25_000]);
    /// assert_eq!(count, Ok(Count { replicas: 4, usage: 57_500, percent: None }));
    /// ```
    #[doc(alias = "GetExternalPerPodMetricReplicas")]
    pub fn external_average_value(&self, status: i32, target: i64, values: &[i64]) -> Result<Count, CountError> {
        if values.is_empty() {
            return Err(CountError::NoMetrics);
        }
        let sum = values.iter().try_fold(0i64, |sum, value| sum.checked_add(*value).filter(|sum| *sum >= 0));
        Ok(self.object_average_value(status, target, sum.unwrap_or(i64::MAX)))
    }

    /// The pods by how they count, and what those use that are to count.
    fn counted<'a>(&self, seen: &Seen<'a>) -> Result<(Groups<'a>, BTreeMap<&'a str, i64>), CountError> {
        if seen.pods.is_empty() {
            return Err(CountError::NoPods);
        }
        let groups = self.start_up.group(seen.now, seen.resource, seen.pods, seen.metrics);
        let mut used: BTreeMap<_, _> = seen.metrics.iter().map(|(pod, metric)| (pod.as_str(), metric.value)).collect();
        used.retain(|pod, _| !groups.ignored.contains(pod) && !groups.unready.contains(pod));
        if used.is_empty() { Err(CountError::NoPodMetrics) } else { Ok((groups, used)) }
    }

    /// The count where nothing has to be assumed of anybody; `None` where it has to be.
    fn of_ready(&self, current: i32, ratio: f64, groups: &Groups<'_>) -> Option<i32> {
        if !groups.missing.is_empty() || (!groups.unready.is_empty() && ratio > 1.0) {
            return None;
        }
        Some(if self.tolerances.is_within(ratio) { current } else { round_up(ratio * groups.ready as f64) })
    }

    /// The count over so many pods, where something was assumed of some. The ratios are those before and after.
    fn of_all(&self, current: i32, (before, after): (f64, f64), pods: usize) -> i32 {
        let turned = (before < 1.0 && after > 1.0) || (before > 1.0 && after < 1.0);
        if turned || self.tolerances.is_within(after) {
            return current;
        }
        let replicas = round_up(after * pods as f64);
        let is_backwards = (after < 1.0 && replicas > current) || (after > 1.0 && replicas < current);
        if is_backwards { current } else { replicas }
    }
}

/// Adds those who are not measured, as `busy` where fewer are wanted; idle where more are, with those who are not warm.
fn assume<'a>(used: &mut BTreeMap<&'a str, i64>, ratio: f64, groups: &Groups<'a>, busy: &[(&'a str, i64)]) {
    if ratio < 1.0 {
        used.extend(busy.iter().copied());
    } else if ratio > 1.0 {
        used.extend(groups.missing.iter().chain(&groups.unready).map(|pod| (*pod, 0)));
    }
}

/// What each of the replicas has of a value, rounded up; nothing where there are none.
#[must_use]
pub fn share_of_each(value: i64, replicas: i32) -> i64 {
    let value = value as f64;
    if value >= i64::MAX as f64 {
        i64::MAX
    } else if replicas == 0 {
        0
    } else {
        value_up(value / f64::from(replicas))
    }
}

#[cfg(test)]
mod tests {
    use super::super::pods::Phase;
    use super::super::pods::PodMetric;
    use super::super::pods::Readiness;
    use super::super::pods::ReadyCondition;
    use super::*;
    use crate::units::Span;
    use proptest::prelude::*;

    const NOW: Instant = Instant::after_start(Span::from_mins(60));

    /// Pods that have served for a while, called `0`, `1` and so on, each asking for so many millicores.
    fn serving(requests: &[i64]) -> Vec<Pod> {
        requests.iter().enumerate().map(|(index, request)| Pod::serving(&index.to_string(), *request)).collect()
    }

    /// What the first pods use.
    fn using(values: &[i64]) -> Metrics {
        let sample = |value| PodMetric { value, at: NOW, window: Span::from_secs(60) };
        values.iter().enumerate().map(|(index, value)| (index.to_string(), sample(*value))).collect()
    }

    /// Replicas for a share of the requests, with as many replicas as pods.
    fn by_share(target: i32, pods: &[Pod], metrics: &Metrics) -> Count {
        let current = i32::try_from(pods.len()).unwrap();
        let seen = Seen { now: NOW, resource: Resource::Cpu, pods, metrics };
        Calculator::default().utilisation(current, target, None, &seen).expect("there is something to compare")
    }

    /// Replicas for an average, with as many replicas as pods.
    fn by_average(target: i64, pods: &[Pod], metrics: &Metrics) -> Count {
        let current = i32::try_from(pods.len()).unwrap();
        let seen = Seen { now: NOW, resource: Resource::Other, pods, metrics };
        Calculator::default().average_value(current, target, &seen).expect("there is something to compare")
    }

    #[test]
    fn more_load_asks_for_more_replicas() {
        // 1240 of 2000 is 62 %, 1.24 times the target: 4.96 replicas.
        let count = by_share(50, &serving(&[500; 4]), &using(&[300, 300, 300, 340]));
        assert_eq!(count, Count { replicas: 5, usage: 310, percent: Some(62) });
        // The same as an average of 310: 310 / 250 is 1.24.
        let count = by_average(250, &serving(&[0; 4]), &using(&[300, 300, 300, 340]));
        assert_eq!(count, Count { replicas: 5, usage: 310, percent: None });
    }

    #[test]
    fn a_tenth_around_the_target_is_tolerated_and_not_a_percent_more() {
        for (used, replicas) in [(440, 9), (450, 10), (459, 10), (550, 10), (559, 10), (560, 12)] {
            // Of 1000 and a target of 50 %: 44 % is 0.88, 8.8 replicas; 45 % to 55 % is tolerated, cut off as it is; 56 % is
            // 1.12, 11.2 replicas.
            let count = by_share(50, &serving(&[1000; 10]), &using(&[used; 10]));
            assert_eq!(count.replicas, replicas, "{used}");
        }
        let tolerances = Tolerances { down: Permille::percent(30), up: Permille::ZERO };
        assert!(tolerances.is_within(0.7) && tolerances.is_within(1.0));
        assert!(!tolerances.is_within(0.699) && !tolerances.is_within(1.001));
        assert!(!tolerances.is_within(f64::NAN));
    }

    #[test]
    fn on_the_way_down_who_is_not_measured_is_busy() {
        // 100 of 1000 is 10 %, a fifth of the target. The two others count with all they asked for: 2200 of 4000 is 55 %,
        // which would be up, so nothing is done.
        let count = by_share(50, &serving(&[1000; 4]), &using(&[100, 100]));
        assert_eq!(count, Count { replicas: 4, usage: 100, percent: Some(10) });
        // With one of them, 1300 of 4000 is 32 %: 0.64 of 4 is 2.56.
        assert_eq!(by_share(50, &serving(&[1000; 4]), &using(&[100; 3])).replicas, 3);
        // Who is to have twice what it asked for counts with that: 2300 of 4000 is 57 %, 0.285 of 4 is 1.14.
        assert_eq!(by_share(200, &serving(&[1000; 4]), &using(&[100; 3])).replicas, 2);
        // As an average they are at the target: (3 * 10 + 50) / 4 is 20, 0.4 of 4 is 1.6.
        assert_eq!(by_average(50, &serving(&[0; 4]), &using(&[10; 3])).replicas, 2);
    }

    #[test]
    fn on_the_way_up_who_is_not_measured_is_idle() {
        // 900 of 1000 is 90 %, 1.8 times the target. With an idle one, 1800 of 3000 is 60 %: 1.2 of 3 is 3.6.
        assert_eq!(by_share(50, &serving(&[1000; 3]), &using(&[900; 2])).replicas, 4);
        // 700 alone is 1.4 times the target; with two idle ones it is 23 %, which would be down, so nothing is done.
        let count = by_share(50, &serving(&[1000; 3]), &using(&[700]));
        assert_eq!(count, Count { replicas: 3, usage: 700, percent: Some(70) });
        // Exactly on the target nothing is assumed of anybody.
        assert_eq!(by_share(50, &serving(&[1000; 3]), &using(&[500])).replicas, 3);
    }

    #[test]
    fn who_is_not_warm_counts_only_on_the_way_up_and_as_idle() {
        let mut pods = serving(&[1000; 3]);
        pods[2].ready = Some(ReadyCondition { readiness: Readiness::NotReady, since: Instant::START });
        // Without the young one 90 %; with it 1800 of 3000, 60 %: 1.2 of 3 is 3.6. What it burns itself is not looked at.
        assert_eq!(
            by_share(50, &pods, &using(&[900, 900, 5000])),
            Count { replicas: 4, usage: 900, percent: Some(90) }
        );
        // 80 % would be 3.2 replicas of the two, but with the young one it is 53 %, and that is tolerated.
        assert_eq!(by_share(50, &pods, &using(&[800, 800, 5000])).replicas, 3);
        // On the way down two are ready, at 20 %: 0.4 of 2 is 0.8.
        assert_eq!(by_share(50, &pods, &using(&[200, 200, 5000])).replicas, 1);
        // Any other metric takes the young one as it is: (900 + 900 + 4200) / 3 is 2000, 4 times the target.
        assert_eq!(by_average(500, &pods, &using(&[900, 900, 4200])).replicas, 12);
    }

    #[test]
    fn pods_beyond_the_replicas_do_not_turn_a_change_round() {
        // A rollout: 2 replicas, 3 pods, one of them not measured. 10 and 10 of a target of 17; with the third at the target
        // 12.33, 0.71 of 3 is 2.1, which would be 3 replicas on the way down.
        let (pods, metrics) = (serving(&[0; 3]), using(&[10, 10]));
        let seen = Seen { now: NOW, resource: Resource::Other, pods: &pods, metrics: &metrics };
        let count = Calculator::default().average_value(2, 17, &seen);
        assert_eq!(count.map(|count| count.replicas), Ok(2));
        // On the way up all three are the measure: 30 and 30 of a target of 10; with an idle third 20, twice the target.
        let metrics = using(&[30, 30]);
        let count = Calculator::default().average_value(2, 10, &Seen { metrics: &metrics, ..seen });
        assert_eq!(count.map(|count| count.replicas), Ok(6));
    }

    #[test]
    fn a_value_of_the_target_is_shared_by_those_who_serve() {
        let calculator = Calculator::default();
        let mut pods = serving(&[0; 4]);
        pods[3].phase = Phase::Pending;
        // 1.5 times the target, and three serve: 4.5.
        let of = |current, value| calculator.object_value(current, 1000, value, &pods).map(|count| count.replicas);
        assert_eq!([of(4, 1500), of(4, 1100), of(4, 1101)], [Ok(5), Ok(4), Ok(4)]);
        assert_eq!([of(0, 0), of(0, 1), of(0, 2001)], [Ok(0), Ok(1), Ok(3)], "from zero each target is a replica");
        assert_eq!(calculator.object_value(4, 1000, 1500, &[]), Err(CountError::NoPods));
        let count = calculator.external_value(4, 1000, &[700, 800], &pods);
        assert_eq!(count, Ok(Count { replicas: 5, usage: 1500, percent: None }));
        assert_eq!(calculator.external_value(4, 1000, &[], &pods), Err(CountError::NoMetrics));
        let most = calculator.external_value(4, 1, &[i64::MAX, 1, -5], &pods);
        assert_eq!(most, Ok(Count { replicas: i32::MAX, usage: i64::MAX, percent: None }));
    }

    #[test]
    fn a_value_of_each_replica_ignores_the_pods() {
        let calculator = Calculator::default();
        // 1000 for 3 replicas is 333.3 each, rounded up; of a target of 250 that is 1.33: 4 replicas.
        assert_eq!(calculator.object_average_value(3, 250, 1000), Count { replicas: 4, usage: 334, percent: None });
        assert_eq!(calculator.object_average_value(3, 320, 1000).replicas, 3, "1.04 is tolerated");
        assert_eq!(calculator.object_average_value(0, 250, 1000), Count { replicas: 4, usage: 0, percent: None });
        assert_eq!(calculator.object_average_value(0, 250, 0).replicas, 0);
        let of = |values: &[i64]| calculator.external_average_value(3, 250, values).map(|count| count.replicas);
        assert_eq!([of(&[500, 500]), of(&[]), of(&[-1])], [Ok(4), Err(CountError::NoMetrics), Ok(i32::MAX)]);
    }

    #[test]
    fn without_pods_or_metrics_there_is_no_count() {
        let calculator = Calculator::default();
        let pods = serving(&[1000]);
        let nothing = Metrics::new();
        let seen = |pods, metrics| Seen { now: NOW, resource: Resource::Cpu, pods, metrics };
        assert_eq!(calculator.utilisation(1, 50, None, &seen(&[], &nothing)), Err(CountError::NoPods));
        assert_eq!(calculator.utilisation(1, 50, None, &seen(&pods, &nothing)), Err(CountError::NoPodMetrics));
        assert_eq!(calculator.average_value(1, 50, &seen(&pods, &nothing)), Err(CountError::NoPodMetrics));
        let stray = Metrics::from([("stray".to_owned(), PodMetric { value: 9, at: NOW, window: Span::ZERO })]);
        assert_eq!(calculator.utilisation(1, 50, None, &seen(&pods, &stray)), Err(CountError::UnknownPods));
        let found = calculator.utilisation(1, 50, Some("proxy"), &seen(&pods, &using(&[9])));
        assert_eq!(found, Err(CountError::ContainerNotFound { container: "proxy".to_owned(), pod: "0".to_owned() }));
    }

    proptest! {
        #[test]
        fn more_usage_never_asks_for_fewer(usage in prop::collection::vec(0i64..5000, 1..9), more in 0i64..5000) {
            let pods = serving(&vec![1000; usage.len()]);
            let higher: Vec<_> = usage.iter().map(|value| value + more).collect();
            let (low, high) = (using(&usage), using(&higher));
            prop_assert!(by_share(60, &pods, &low).replicas <= by_share(60, &pods, &high).replicas);
            prop_assert!(by_average(600, &pods, &low).replicas <= by_average(600, &pods, &high).replicas);
        }

        #[test]
        fn what_is_assumed_never_turns_a_change_round(usage in prop::collection::vec(0i64..5000, 1..6), missing in 0usize..6) {
            let pods = serving(&vec![1000; usage.len() + missing]);
            let all = by_share(60, &pods, &using(&usage));
            let current = i32::try_from(pods.len()).unwrap();
            let is_down = all.percent.unwrap() <= 60;
            prop_assert!((is_down && all.replicas <= current) || (!is_down && all.replicas >= current));
        }

        #[test]
        fn nothing_breaks(
            usage in prop::collection::vec(any::<i64>(), 0..4),
            requests in prop::collection::vec(any::<i64>(), 0..6),
            (current, percent, target) in any::<(i32, i32, i64)>(),
        ) {
            let (pods, metrics, calculator) = (serving(&requests), using(&usage), Calculator::default());
            for resource in [Resource::Cpu, Resource::Other] {
                let seen = Seen { now: NOW, resource, pods: &pods, metrics: &metrics };
                let _ = calculator.utilisation(current, percent, None, &seen);
                let _ = calculator.average_value(current, target, &seen);
            }
            let _ = calculator.external_value(current, target, &usage, &pods);
            let _ = calculator.external_average_value(current, target, &usage);
        }
    }
}
