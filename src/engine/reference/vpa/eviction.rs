//! How many replicas of a group may be taken down or changed at once.
//! Source: kubernetes/autoscaler@55c37cd5, vertical-pod-autoscaler/pkg/updater/restriction: pods_restriction_factory.go,
//! pods_eviction_restriction.go, pods_inplace_restriction.go; updater/config/config.go.
//!
//! Before you change it:
//! 1. The least number of replicas is compared with those that live, the tolerance is a share of those that are
//!    configured.
//! 2. A tolerance that truncates to nobody still lets one go, while all that are configured run and nobody went before.
//! 3. Replicas that do not run yet may always go, and do not count as gone.
//! 4. A replica that is being changed in place is taken down only when that failed or takes too long (strictly: more
//!    than 5 min waiting, more than an hour working).
//! 5. A group is of one look: counts of evicted and changed replicas begin at zero with the next one.

use super::amount::ResourceName;
use super::amount::whole;
use super::recommender::ContainerRecommendation;
use crate::units::Span;

/// A change in place that waits longer than this has failed.
const DEFERRED_MAX: Span = Span::from_mins(5);
/// A change in place that works longer than this has failed.
const IN_PROGRESS_MAX: Span = Span::from_mins(60);

/// How many replicas may go at once.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct EvictionRule {
    /// Groups with fewer living replicas are left alone; 2.
    pub min_replicas: u64,
    /// Share of the configured replicas that may be missing; 0.5.
    pub tolerance: f64,
    /// Whether changes in place that restart nothing need no regard for the others; no.
    pub in_place_skips_budget: bool,
}

impl Default for EvictionRule {
    fn default() -> Self {
        Self { min_replicas: 2, tolerance: 0.5, in_place_skips_budget: false }
    }
}

/// How an update is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateMode {
    /// By taking a replica down, so that it comes back with the new requests.
    #[default]
    Recreate,
    /// In place, and by taking it down where that fails.
    InPlaceOrRecreate,
    /// In place only.
    InPlace,
}

/// What has become of a change in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resize {
    /// There is none.
    #[default]
    None,
    /// The host put it off; it was asked for so long ago.
    Deferred(Span),
    /// The host is at it; it was asked for so long ago.
    InProgress(Span),
    /// The host can never do it.
    Infeasible,
    /// The host tried and failed.
    Error,
    /// The host says something else.
    Unknown,
}

/// A replica as far as it matters for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replica {
    /// Whether it does not run yet.
    pub is_pending: bool,
    /// What has become of its change in place.
    pub resize: Resize,
    /// Whether a change in place restarts a container of it.
    pub resize_restarts: bool,
}

/// What to do about a replica that is to be changed in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InPlaceDecision {
    /// It may be changed.
    Approved,
    /// Not now.
    Deferred,
    /// It is to be taken down instead.
    Evict,
    /// The host can never do what was asked for; ask for something else.
    Infeasible,
    /// The host could never do what was asked for, and no less is asked for now.
    InfeasibleCached,
}

/// The replicas of one group in one look.
///
/// ```
/// use plimsoll::engine::reference::vpa::*;
/// // Four replicas run, and half of those configured may be missing.
/// let (rule, running) = (EvictionRule::default(), Replica::default());
/// let group = ReplicaGroup::new(&rule, UpdateMode::Recreate, 4, &[running; 4]);
/// let gone = group.map(|mut group| [group.evict(&running), group.evict(&running), group.evict(&running)]);
/// assert_eq!(gone, Some([true, true, false]));
/// // A lone one is left alone.
/// assert_eq!(ReplicaGroup::new(&rule, UpdateMode::Recreate, 1, &[running]), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReplicaGroup {
    rule: EvictionRule,
    configured: i64,
    running: i64,
    tolerance: i64,
    is_below_min: bool,
    evicted: i64,
    in_place_initiated: i64,
}

impl ReplicaGroup {
    /// Counts a group. `None` where it is left alone: it has fewer living replicas than it needs, or none are
    /// configured. With [`EvictionRule::in_place_skips_budget`] a group of few is counted for changes in place, but
    /// nobody may go.
    #[must_use]
    pub fn new(rule: &EvictionRule, mode: UpdateMode, configured: u64, replicas: &[Replica]) -> Option<Self> {
        let is_below_min = (replicas.len() as u64) < rule.min_replicas;
        let may_be_below = rule.in_place_skips_budget && mode != UpdateMode::Recreate;
        if configured == 0 || is_below_min && !may_be_below {
            return None;
        }
        let running = replicas.iter().filter(|replica| !replica.is_pending).count();
        Some(Self {
            rule: *rule,
            configured: i64::try_from(configured).unwrap_or(i64::MAX),
            running: i64::try_from(running).unwrap_or(i64::MAX),
            tolerance: whole(configured as f64 * rule.tolerance),
            is_below_min,
            evicted: 0,
            in_place_initiated: 0,
        })
    }

    /// Whether one more running replica may go: more live than must, or, where nobody may be missing, all do.
    #[must_use]
    pub const fn is_disruptable(&self) -> bool {
        let must = self.configured.saturating_sub(self.tolerance);
        let gone = self.evicted.saturating_add(self.in_place_initiated);
        let is_whole = self.configured == self.running && self.tolerance == 0 && gone == 0;
        self.running.saturating_sub(gone) > must || is_whole
    }

    /// Whether this replica may be taken down now.
    #[must_use]
    pub fn can_evict(&self, replica: &Replica) -> bool {
        let is_stuck = match replica.resize {
            Resize::Deferred(age) => age > DEFERRED_MAX,
            Resize::InProgress(age) => age > IN_PROGRESS_MAX,
            Resize::None | Resize::Infeasible | Resize::Error | Resize::Unknown => true,
        };
        replica.is_pending || !self.is_below_min && is_stuck && self.is_disruptable()
    }

    /// Takes this replica down if it may be, and answers whether it was.
    pub fn evict(&mut self, replica: &Replica) -> bool {
        let can = self.can_evict(replica);
        if can && !replica.is_pending {
            self.evicted = self.evicted.saturating_add(1);
        }
        can
    }

    /// Takes note that a replica is being changed in place.
    pub const fn start_in_place(&mut self) {
        self.in_place_initiated = self.in_place_initiated.saturating_add(1);
    }
}

/// What to do about a replica that is to be changed in place. `group` is `None` for one that is left alone;
/// `infeasible` is what the host could never do for this replica.
///
/// ```
/// use plimsoll::engine::reference::vpa::*;
/// use plimsoll::units::Span;
/// let put_off = Replica { resize: Resize::Deferred(Span::from_mins(6)), ..Replica::default() };
/// let mode = UpdateMode::InPlaceOrRecreate;
/// let group = ReplicaGroup::new(&EvictionRule::default(), mode, 2, &[put_off, Replica::default()]);
/// let decided = |replica| in_place_decision(group.as_ref(), mode, replica, Some(&[]), None);
/// assert_eq!((decided(&put_off), decided(&Replica::default())), (InPlaceDecision::Evict, InPlaceDecision::Approved));
/// ```
#[must_use]
pub fn in_place_decision(
    group: Option<&ReplicaGroup>,
    mode: UpdateMode,
    replica: &Replica,
    recommendations: Option<&[ContainerRecommendation]>,
    infeasible: Option<&[ContainerRecommendation]>,
) -> InPlaceDecision {
    let (Some(group), Some(recommendations), false) = (group, recommendations, replica.is_pending) else {
        return InPlaceDecision::Deferred;
    };
    if mode == UpdateMode::InPlace && infeasible.is_some_and(|last| !has_lower_target(last, recommendations)) {
        return InPlaceDecision::InfeasibleCached;
    }
    match (mode, replica.resize) {
        (_, Resize::None) => {
            let skips = group.rule.in_place_skips_budget && !replica.resize_restarts;
            if skips || group.is_disruptable() { InPlaceDecision::Approved } else { InPlaceDecision::Deferred }
        }
        (UpdateMode::InPlace, Resize::Infeasible) => InPlaceDecision::Infeasible,
        (UpdateMode::InPlace, _) => InPlaceDecision::Deferred,
        // A group below its least number is held back from eviction later, by `can_evict`.
        _ if (ReplicaGroup { is_below_min: false, ..*group }).can_evict(replica) => InPlaceDecision::Evict,
        _ => InPlaceDecision::Deferred,
    }
}

/// Whether a target of some container is lower than the last one for the same container and resource.
#[must_use]
pub fn has_lower_target(last: &[ContainerRecommendation], new: &[ContainerRecommendation]) -> bool {
    new.iter().any(|new| {
        last.iter().filter(|last| last.container == new.container).any(|last| {
            ResourceName::ALL.into_iter().any(|resource| {
                let targets = (new.target.get(resource), last.target.get(resource));
                matches!(targets, (Some(new), Some(last)) if new < last)
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::amount::Resources;
    use super::*;
    use proptest::prelude::*;

    const RUNNING: Replica = Replica { is_pending: false, resize: Resize::None, resize_restarts: false };
    const PENDING: Replica = Replica { is_pending: true, ..RUNNING };

    fn rule(tolerance: f64) -> EvictionRule {
        EvictionRule { tolerance, ..EvictionRule::default() }
    }

    /// How many of these replicas go, one after the other.
    fn gone(tolerance: f64, configured: u64, replicas: &[Replica]) -> Option<usize> {
        let mut group = ReplicaGroup::new(&rule(tolerance), UpdateMode::Recreate, configured, replicas)?;
        Some(replicas.iter().filter(|replica| group.evict(replica)).count())
    }

    fn seen(cpu: i64, memory: i64) -> [ContainerRecommendation; 1] {
        let target = Resources::new(cpu, memory);
        [ContainerRecommendation { container: "web".to_owned(), target, ..ContainerRecommendation::default() }]
    }

    #[test]
    fn half_of_the_configured_replicas_may_be_missing() {
        // trunc(3 / 2) = 1, trunc(4 / 2) = 2; one of them is missing already.
        assert_eq!(gone(0.5, 3, &[RUNNING; 3]), Some(1));
        assert_eq!(gone(0.5, 4, &[RUNNING; 4]), Some(2));
        assert_eq!(gone(0.5, 4, &[RUNNING; 3]), Some(1));
        assert_eq!(gone(1.0, 3, &[RUNNING; 3]), Some(3));
    }

    #[test]
    fn one_goes_where_nobody_may_be_missing_but_only_if_all_are_there() {
        assert_eq!(gone(0.1, 3, &[RUNNING; 3]), Some(1));
        assert_eq!(gone(0.1, 3, &[RUNNING; 2]), Some(0));
    }

    #[test]
    fn groups_of_fewer_than_two_are_left_alone() {
        assert_eq!(gone(0.5, 1, &[RUNNING]), None);
        assert_eq!(gone(0.5, 0, &[RUNNING; 2]), None);
        let rule = EvictionRule { min_replicas: 1, ..EvictionRule::default() };
        let group = ReplicaGroup::new(&rule, UpdateMode::Recreate, 1, &[RUNNING]).unwrap();
        assert!(group.can_evict(&RUNNING));
    }

    #[test]
    fn who_does_not_run_yet_may_always_go_and_is_not_missed() {
        // Four configured, two may be missing, one runs: only the three that do not run go.
        assert_eq!(gone(0.5, 4, &[RUNNING, PENDING, PENDING, PENDING]), Some(3));
        assert_eq!(gone(0.5, 3, &[RUNNING, PENDING, RUNNING]), Some(1));
    }

    #[test]
    fn a_change_in_place_is_given_up_after_its_time() {
        let group = ReplicaGroup::new(&rule(0.5), UpdateMode::InPlaceOrRecreate, 3, &[RUNNING; 3]).unwrap();
        let decided = |mode, resize| {
            in_place_decision(Some(&group), mode, &Replica { resize, ..RUNNING }, Some(&seen(1, 1)), None)
        };
        let later = |span: Span| span.plus(Span::from_nanos(1));
        for (resize, evicted) in [
            (Resize::Deferred(DEFERRED_MAX), false),
            (Resize::Deferred(later(DEFERRED_MAX)), true),
            (Resize::InProgress(IN_PROGRESS_MAX), false),
            (Resize::InProgress(later(IN_PROGRESS_MAX)), true),
            (Resize::Infeasible, true),
            (Resize::Error, true),
            (Resize::Unknown, true),
        ] {
            let expected = if evicted { InPlaceDecision::Evict } else { InPlaceDecision::Deferred };
            assert_eq!(decided(UpdateMode::InPlaceOrRecreate, resize), expected, "{resize:?}");
            assert_eq!(group.can_evict(&Replica { resize, ..RUNNING }), evicted);
            let expected =
                if resize == Resize::Infeasible { InPlaceDecision::Infeasible } else { InPlaceDecision::Deferred };
            assert_eq!(decided(UpdateMode::InPlace, resize), expected, "{resize:?}");
        }
    }

    #[test]
    fn changes_in_place_count_against_the_same_budget() {
        let mut group = ReplicaGroup::new(&rule(0.5), UpdateMode::InPlaceOrRecreate, 3, &[RUNNING; 3]).unwrap();
        let decided = |group: &ReplicaGroup, replica: &Replica| {
            in_place_decision(Some(group), UpdateMode::InPlaceOrRecreate, replica, Some(&seen(1, 1)), None)
        };
        assert_eq!(decided(&group, &RUNNING), InPlaceDecision::Approved);
        assert_eq!(decided(&group, &PENDING), InPlaceDecision::Deferred);
        group.start_in_place();
        assert_eq!(decided(&group, &RUNNING), InPlaceDecision::Deferred);
        assert!(!group.can_evict(&RUNNING));
        let nobody = in_place_decision(None, UpdateMode::InPlace, &RUNNING, Some(&seen(1, 1)), None);
        assert_eq!(nobody, InPlaceDecision::Deferred);
        assert_eq!(
            in_place_decision(Some(&group), UpdateMode::InPlace, &RUNNING, None, None),
            InPlaceDecision::Deferred
        );
    }

    #[test]
    fn a_lone_replica_may_be_changed_where_nothing_restarts_and_the_operator_agrees() {
        let rule = EvictionRule { in_place_skips_budget: true, ..EvictionRule::default() };
        let group = ReplicaGroup::new(&rule, UpdateMode::InPlace, 5, &[RUNNING]).unwrap();
        let decided =
            |replica: &Replica| in_place_decision(Some(&group), UpdateMode::InPlace, replica, Some(&seen(1, 1)), None);
        assert_eq!(decided(&RUNNING), InPlaceDecision::Approved);
        assert_eq!(decided(&Replica { resize_restarts: true, ..RUNNING }), InPlaceDecision::Deferred);
        assert!(!group.can_evict(&RUNNING));
        assert_eq!(ReplicaGroup::new(&rule, UpdateMode::Recreate, 5, &[RUNNING]), None);
    }

    #[test]
    fn what_the_host_can_never_do_is_not_asked_for_again_unless_it_is_less() {
        let rule = EvictionRule { min_replicas: 1, ..EvictionRule::default() };
        let group = ReplicaGroup::new(&rule, UpdateMode::InPlace, 1, &[RUNNING]).unwrap();
        let decided = |mode, new: (i64, i64)| {
            in_place_decision(Some(&group), mode, &RUNNING, Some(&seen(new.0, new.1)), Some(&seen(200, 512)))
        };
        for (new, expected) in [
            ((200, 512), InPlaceDecision::InfeasibleCached),
            ((300, 512), InPlaceDecision::InfeasibleCached),
            ((199, 1024), InPlaceDecision::Approved),
            ((300, 511), InPlaceDecision::Approved),
        ] {
            assert_eq!(decided(UpdateMode::InPlace, new), expected, "{new:?}");
            assert_eq!(decided(UpdateMode::InPlaceOrRecreate, new), InPlaceDecision::Approved, "{new:?}");
        }
    }

    proptest! {
        #[test]
        fn never_are_more_missing_than_tolerated_or_one(
            tolerance in 0.0..1.0_f64, configured in 1_u64..40, pending in prop::collection::vec(any::<bool>(), 2..40)
        ) {
            let replicas: Vec<_> = pending.iter().map(|pending| Replica { is_pending: *pending, ..RUNNING }).collect();
            let running = replicas.iter().filter(|replica| !replica.is_pending).count();
            let gone = gone(tolerance, configured, &replicas).unwrap() - (replicas.len() - running);
            let tolerated = (configured as f64 * tolerance).floor();
            let left = running as f64 - gone as f64;
            prop_assert!(gone == 0 || left >= configured as f64 - tolerated.max(1.0), "{gone} of {running}");
        }

        #[test]
        fn no_numbers_make_it_panic(tolerance: f64, configured: u64, min_replicas: u64) {
            let rule = EvictionRule { tolerance, min_replicas, in_place_skips_budget: true };
            if let Some(mut group) = ReplicaGroup::new(&rule, UpdateMode::InPlace, configured, &[RUNNING; 3]) {
                group.start_in_place();
                let _ = group.evict(&RUNNING);
            }
        }
    }
}
