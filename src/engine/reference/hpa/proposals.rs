//! One number of replicas from several metrics.
//! Source: kubernetes/kubernetes, `pkg/controller/podautoscaler/horizontal.go` (`computeReplicasForMetrics`), the main
//! branch of mid 2026. Before you change it:
//! 1. The largest number wins, the first of equals.
//! 2. Who says nothing might want many. So while one says nothing there is no way down, and without any there is none at
//!    all.
//! 3. Without a single metric nothing is known either. (The original never gets there: it adds a metric of its own.)

use super::calculator::CountError;

/// Where a metric comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum MetricKind {
    /// A resource of whole pods.
    Resource,
    /// A resource of one container of each pod.
    ContainerResource,
    /// Any metric of pods.
    Pods,
    /// A metric of one object.
    Object,
    /// A metric from outside.
    External,
    /// Nobody knows.
    Unknown,
}

/// What one metric asks for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Proposal {
    /// Where the metric comes from.
    pub kind: MetricKind,
    /// So many replicas, or why it says nothing.
    pub replicas: Result<i32, CountError>,
}

/// Whether some metric can be measured while there are no pods.
pub(super) fn some_need_no_pods(proposals: &[Proposal]) -> bool {
    proposals.iter().any(|proposal| matches!(proposal.kind, MetricKind::Object | MetricKind::External))
}

/// What all metrics ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Combined {
    /// So many replicas.
    pub replicas: i32,
    /// The metric that asks for them, by its place.
    pub metric: usize,
    /// So many metrics say nothing.
    pub invalid: usize,
}

/// Too little is known to change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLittle {
    /// The first metric that says nothing, by its place; `None` where there are no metrics.
    pub metric: Option<usize>,
    /// So many metrics say nothing.
    pub invalid: usize,
}

/// The largest of the numbers asked for. `current` is the number of replicas asked for now.
///
/// # Errors
/// [`TooLittle`] where no metric says anything, or where one does not and fewer replicas would follow.
///
/// ```
/// use plimsoll::engine::reference::hpa::{CountError, MetricKind, Proposal, combine};
///
/// let silent = Proposal { kind: MetricKind::External, replicas: Err(CountError::NoMetrics) };
/// let proposals = [Proposal { kind: MetricKind::Resource, replicas: Ok(4) }, silent];
/// assert_eq!(combine(3, &proposals).map(|combined| combined.replicas), Ok(4));
/// assert_eq!(combine(5, &proposals).map_err(|too_little| too_little.metric), Err(Some(1)));
/// ```
#[doc(alias = "computeReplicasForMetrics")]
pub fn combine(current: i32, proposals: &[Proposal]) -> Result<Combined, TooLittle> {
    let mut best: Option<Combined> = None;
    let mut invalid = 0;
    let mut first_invalid = None;
    for (metric, proposal) in proposals.iter().enumerate() {
        let Ok(replicas) = proposal.replicas else {
            invalid += 1;
            first_invalid.get_or_insert(metric);
            continue;
        };
        // Nothing asked for gives way to anything, even to less than nothing.
        if best.is_none_or(|best| best.replicas == 0 || replicas > best.replicas) {
            best = Some(Combined { replicas, metric, invalid: 0 });
        }
    }
    match best {
        Some(best) if invalid == 0 || best.replicas >= current => Ok(Combined { invalid, ..best }),
        _ => Err(TooLittle { metric: first_invalid, invalid }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(replicas: &[Option<i32>]) -> Vec<Proposal> {
        let one = |replicas: &Option<i32>| replicas.ok_or(CountError::NoMetrics);
        replicas.iter().map(|count| Proposal { kind: MetricKind::Pods, replicas: one(count) }).collect()
    }

    #[test]
    fn the_largest_number_wins() {
        let found = combine(3, &of(&[Some(2), Some(5), Some(5), Some(1)]));
        assert_eq!(found, Ok(Combined { replicas: 5, metric: 1, invalid: 0 }));
        let found = combine(3, &of(&[Some(0), Some(0)]));
        assert_eq!(found, Ok(Combined { replicas: 0, metric: 1, invalid: 0 }));
    }

    #[test]
    fn while_one_says_nothing_there_is_no_way_down() {
        for (current, counts, expected) in [
            (3, [None, Some(4)], Ok(Combined { replicas: 4, metric: 1, invalid: 1 })),
            (4, [None, Some(4)], Ok(Combined { replicas: 4, metric: 1, invalid: 1 })),
            (5, [None, Some(4)], Err(TooLittle { metric: Some(0), invalid: 1 })),
            (5, [Some(4), None], Err(TooLittle { metric: Some(1), invalid: 1 })),
            (5, [Some(3), Some(4)], Ok(Combined { replicas: 4, metric: 1, invalid: 0 })),
            (1, [None, None], Err(TooLittle { metric: Some(0), invalid: 2 })),
        ] {
            assert_eq!(combine(current, &of(&counts)), expected, "{current} {counts:?}");
        }
        assert_eq!(combine(1, &[]), Err(TooLittle { metric: None, invalid: 0 }));
    }
}
