use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn at(seconds: u64) -> Instant {
    Instant::START.plus(Span::from_secs(seconds))
}

fn says(active: bool, error: bool) -> Activity {
    Activity { active, error, ..Activity::default() }
}

const IDLE: fn() -> Activity = || says(false, false);
const BUSY: fn() -> Activity = || says(true, false);

fn external(metric: &str, reading: Reading) -> Trigger {
    Trigger::External { metric: metric.to_owned(), reading }
}

#[test]
fn a_queue_wakes_a_worker_and_lets_it_sleep_five_minutes_after_its_end() {
    let mut worker = Executor::new(ScaledObject::default(), at(0));
    let mut look = |seconds, replicas, activity: &Activity| worker.observe(at(seconds), replicas, activity).replicas;
    assert_eq!(look(30, 0, &IDLE()), None);
    assert_eq!(look(60, 0, &BUSY()), Some(1));
    // The autoscaler adds the others. As long as there are messages, the time of the last ones is noted.
    assert_eq!(look(90, 7, &BUSY()), None);
    assert_eq!(look(120, 7, &IDLE()), None);
    // 90 s and 300 s are 390 s; that is still within the cooldown. Then all seven go at once.
    assert_eq!(look(390, 7, &IDLE()), None);
    assert_eq!(look(391, 7, &IDLE()), Some(0));
    assert_eq!(worker.status().last_active, Some(at(90)));
}

#[test]
fn who_was_never_active_waits_for_its_first_cooldown_only() {
    let object = ScaledObject { initial_cooldown: Span::from_secs(120), ..ScaledObject::default() };
    let look = |object: &ScaledObject, seconds, last_active| {
        let status = Status { created: at(1000), last_active };
        let outcome = object.request_scale(at(seconds), &status, 3, &IDLE());
        (outcome.replicas, outcome.active)
    };
    assert_eq!(look(&object, 1120, None), (None, Active::CoolingDown));
    assert_eq!(look(&object, 1121, None), (Some(0), Active::No));
    assert_eq!(look(&object, 1121, Some(at(1000))), (None, Active::CoolingDown));
    // Somebody started it by hand: without a first cooldown it goes at once.
    assert_eq!(look(&ScaledObject::default(), 1000, None), (None, Active::CoolingDown));
    assert_eq!(look(&ScaledObject::default(), 1001, None), (Some(0), Active::No));
}

#[test]
fn a_minimum_is_kept_and_an_idle_number_is_below_it() {
    let status = Status::default();
    let look = |object: &ScaledObject, replicas, activity: &Activity| {
        object.request_scale(at(1000), &status, replicas, activity).replicas
    };
    let kept = ScaledObject { min_replicas: Some(3), ..ScaledObject::default() };
    // Nothing is taken from the autoscaler's share, and what is missing is added, active or not. But between one and
    // three the autoscaler adds, while there is something to do.
    assert_eq!([0, 1, 3, 9].map(|replicas| look(&kept, replicas, &IDLE())), [Some(3), Some(3), None, None]);
    assert_eq!([0, 1, 3, 9].map(|replicas| look(&kept, replicas, &BUSY())), [Some(3), None, None, None]);
    let idle = ScaledObject { idle_replicas: Some(1), ..kept };
    assert_eq!([0, 1, 2, 3, 9].map(|replicas| look(&idle, replicas, &IDLE())), [None, None, Some(1), Some(1), Some(1)]);
    assert_eq!([0, 1, 2, 3, 9].map(|replicas| look(&idle, replicas, &BUSY())), [Some(3), Some(3), Some(3), None, None]);
    assert_eq!((kept.inactive_replicas(), idle.inactive_replicas()), (3, 1));
}

#[test]
fn errors_hold_what_there_is() {
    let status = Status::default();
    let look = |object: &ScaledObject, replicas, active, error| {
        let outcome = object.request_scale(at(1000), &status, replicas, &says(active, error));
        (outcome.replicas, outcome.was_active, outcome.ready, outcome.active)
    };
    let bare = ScaledObject::default();
    assert_eq!(look(&bare, 4, false, true), (None, false, Ready::No, Active::No));
    assert_eq!(look(&bare, 4, true, true), (None, false, Ready::Unknown, Active::Triggered));
    assert_eq!(look(&bare, 0, true, true), (Some(1), true, Ready::Yes, Active::Triggered));
    let fallback = Fallback { failure_threshold: 3, replicas: 6, behavior: FallbackBehavior::Static };
    let falls_back = ScaledObject { fallback: Some(fallback), ..bare };
    assert_eq!(look(&falls_back, 4, false, true), (None, false, Ready::Yes, Active::No));
    // A fallback to nothing is none to wait for.
    let to_nothing = ScaledObject { fallback: Some(Fallback { replicas: 0, ..fallback }), ..bare };
    assert_eq!(look(&to_nothing, 4, false, true), (Some(0), false, Ready::Yes, Active::No));
}

#[test]
fn each_direction_can_be_paused_and_activity_forced() {
    let status = Status::default();
    let look = |object: ScaledObject, replicas, activity: &Activity| {
        let outcome = object.request_scale(at(1000), &status, replicas, activity);
        (outcome.replicas, outcome.was_active, outcome.active)
    };
    let bare = ScaledObject::default();
    assert_eq!(look(ScaledObject { scale_in_paused: true, ..bare }, 4, &IDLE()), (None, false, Active::No));
    assert_eq!(look(ScaledObject { scale_out_paused: true, ..bare }, 0, &BUSY()), (None, false, Active::Triggered));
    assert_eq!(look(ScaledObject { scale_out_paused: true, ..bare }, 4, &BUSY()), (None, true, Active::Triggered));
    assert_eq!(look(ScaledObject { activation_forced: true, ..bare }, 0, &IDLE()), (Some(1), true, Active::Forced));
    assert_eq!(look(ScaledObject { paused: true, ..bare }, 0, &BUSY()), (None, false, Active::Paused));
}

#[test]
fn bounds_that_contradict_each_other_are_found() {
    let check = |idle_replicas, min_replicas, max_replicas| {
        ScaledObject { idle_replicas, min_replicas, max_replicas, ..ScaledObject::default() }.check_bounds()
    };
    assert_eq!((check(None, None, None), check(Some(0), Some(1), Some(5))), (Ok(()), Ok(())));
    assert_eq!(check(None, Some(101), None), Err(BoundsError::MinOverMax { min: 101, max: 100 }));
    assert_eq!(check(Some(1), Some(1), Some(5)), Err(BoundsError::IdleNotBelowMin { idle: 1, min: 1 }));
    // A minimum of zero is the autoscaler's one, unless it is left out.
    assert_eq!(check(Some(0), Some(0), None), Ok(()));
    assert_eq!(check(Some(0), None, None), Err(BoundsError::IdleNotBelowMin { idle: 0, min: 0 }));
}

#[test]
fn a_trigger_is_active_above_its_threshold() {
    assert_eq!([-1.0, 0.0, 0.1, f64::NAN].map(|value| is_active(value, 0.0)), [false, false, true, false]);
    assert_eq!([5.0, 5.1].map(|value| is_active(value, 5.0)), [false, true]);
    let found = activity(&[
        external("queue", Reading::Inactive),
        external("topic", Reading::Active),
        external("stream", Reading::Failed),
        Trigger::Resource,
    ]);
    let expected = Activity { active: true, error: true, fallback: false, active_metrics: vec!["topic".to_owned()] };
    assert_eq!(found, expected);
    let found = activity(&[external("queue", Reading::FallenBack)]);
    assert!(found.active && found.fallback && !found.error);
    // With CPU or memory alone there is no way back from zero, so it never goes there; with anything else it may.
    assert!(activity(&[Trigger::Resource, Trigger::Resource]).active && activity(&[]).active);
    assert!(!activity(&[Trigger::Resource, external("queue", Reading::Inactive)]).active);
}

#[test]
fn what_one_trigger_reports_leaves_the_others() {
    let before = BTreeMap::from([("gone".to_owned(), true), ("queue".to_owned(), true)]);
    let all = triggers_activity(&["queue", "topic"], &["topic"], None, &before);
    assert_eq!(all, BTreeMap::from([("queue".to_owned(), false), ("topic".to_owned(), true)]));
    let one = triggers_activity(&["queue", "topic"], &["topic"], Some("topic"), &before);
    let expected = [("gone", true), ("queue", true), ("topic", true)].map(|(name, active)| (name.to_owned(), active));
    assert_eq!(one, BTreeMap::from(expected));
}

const EACH_TEN: (MetricTarget, Option<MetricTarget>) = (MetricTarget::AverageValue(10.0), None);

fn fallback(behavior: FallbackBehavior) -> Fallback {
    Fallback { failure_threshold: 3, replicas: 6, behavior }
}

#[test]
fn the_fourth_failure_in_a_row_brings_the_fallback() {
    let (mut state, rule) = (FallbackState::default(), fallback(FallbackBehavior::Static));
    let nobody = ReplicasSeen::default();
    let mut report = |read| (state.report(Some(&rule), "queue", read, EACH_TEN, nobody), state.condition);
    assert_eq!(report(Some(12.0)), (Metric::Read(12.0), FallbackCondition::Inactive));
    for _ in 0..3 {
        assert_eq!(report(None), (Metric::Failed, FallbackCondition::Inactive));
    }
    // 6 replicas of 10 each.
    assert_eq!(report(None), (Metric::FallenBack { milli: 60_000 }, FallbackCondition::Active));
    assert_eq!(report(Some(0.0)), (Metric::Read(0.0), FallbackCondition::Inactive));
    assert_eq!(report(None).0, Metric::Failed);
    assert_eq!(state.health["queue"], Health { failures: 1, failing: true });
}

#[test]
fn a_fallback_is_worth_as_many_replicas_as_it_says_or_as_there_are() {
    let milli = |behavior, target, current, ready| {
        let mut state = FallbackState::default();
        let rule = Fallback { failure_threshold: 0, ..fallback(behavior) };
        state.report(Some(&rule), "queue", None, (target, None), ReplicasSeen { current, ready })
    };
    let fallen_back = |milli| Metric::FallenBack { milli };
    let each = MetricTarget::AverageValue(2.5);
    for (behavior, of_four, of_nine) in [
        (FallbackBehavior::Static, 15_000, 15_000),
        (FallbackBehavior::CurrentReplicas, 10_000, 22_500),
        (FallbackBehavior::CurrentReplicasIfHigher, 15_000, 22_500),
        (FallbackBehavior::CurrentReplicasIfLower, 10_000, 15_000),
    ] {
        assert_eq!(milli(behavior, each, Some(4), None), fallen_back(of_four), "{behavior:?}");
        assert_eq!(milli(behavior, each, Some(9), None), fallen_back(of_nine), "{behavior:?}");
    }
    assert_eq!(milli(FallbackBehavior::CurrentReplicas, each, None, None), Metric::Failed);
    assert_eq!(milli(FallbackBehavior::Static, each, None, None), fallen_back(15_000));
    // A target for all: 6 replicas, 4 of them ready, are one and a half times the target.
    let all = MetricTarget::Value(100.0);
    assert_eq!(milli(FallbackBehavior::Static, all, None, Some(4)), fallen_back(150_000));
    assert_eq!(milli(FallbackBehavior::Static, all, None, Some(0)), Metric::FallbackFailed);
    assert_eq!(milli(FallbackBehavior::Static, all, None, None), Metric::FallbackFailed);
    assert_eq!(milli(FallbackBehavior::ScalingModifiers, all, None, None), Metric::LeftToFormula);
    // Thousandths are cut: 6 * 0.0001 is 0.6 of one.
    assert_eq!(milli(FallbackBehavior::Static, MetricTarget::AverageValue(0.0001), None, None), fallen_back(0));
}

#[test]
fn a_fallback_that_is_not_valid_is_passed_over() {
    let negative = Fallback { failure_threshold: -1, ..fallback(FallbackBehavior::Static) };
    assert_eq!(negative.check(1, None), Err(FallbackError::Negative));
    assert_eq!(fallback(FallbackBehavior::Static).check(0, None), Err(FallbackError::OnlyResources));
    assert_eq!(fallback(FallbackBehavior::Static).check(0, Some(MetricTarget::Value(1.0))), Ok(()));
    for target in [0.0, -2.0, 1.5, f64::NAN, f64::INFINITY] {
        let formula = Some(MetricTarget::AverageValue(target));
        assert_eq!(fallback(FallbackBehavior::Static).usable(formula), Err(FallbackError::FormulaTarget), "{target}");
    }
    for rule in [None, Some(&negative)] {
        let mut state = FallbackState::default();
        for _ in 0..9 {
            assert_eq!(state.report(rule, "queue", None, EACH_TEN, ReplicasSeen::default()), Metric::Failed);
        }
        assert_eq!(state.report(rule, "queue", Some(3.0), EACH_TEN, ReplicasSeen::default()), Metric::Read(3.0));
        assert_eq!(state, FallbackState::default());
    }
}

#[test]
fn what_is_reported_is_what_activates() {
    let readings = [
        Metric::Read(5.0),
        Metric::Read(5.1),
        Metric::FallenBack { milli: 0 },
        Metric::LeftToFormula,
        Metric::Failed,
        Metric::FallbackFailed,
    ]
    .map(|metric| metric.reading(5.0));
    let expected =
        [Reading::Inactive, Reading::Active, Reading::FallenBack, Reading::Inactive, Reading::Failed, Reading::Failed];
    assert_eq!(readings, expected);
}

proptest! {
    #[test]
    fn it_sets_nothing_but_zero_idle_the_minimum_or_one(
        (idle, min) in (prop::option::of(0_u32..5), prop::option::of(0_u32..9)),
        (replicas, seconds, last) in (0_u32..20, 0_u64..2000, prop::option::of(0_u64..2000)),
        (active, error, forced) in (any::<bool>(), any::<bool>(), any::<bool>()),
    ) {
        let bounds = ScaledObject { idle_replicas: idle, min_replicas: min, ..ScaledObject::default() };
        let object = ScaledObject { activation_forced: forced, ..bounds };
        let status = Status { created: at(0), last_active: last.map(at) };
        let outcome = object.request_scale(at(seconds), &status, replicas, &says(active, error));
        if let Some(to) = outcome.replicas {
            prop_assert!(to == object.inactive_replicas() || to == min.unwrap_or(0).max(1));
            if active || forced {
                prop_assert!(to > replicas || idle.is_none() && replicas == 0);
            }
            prop_assert!(!(error && !active && !forced), "a target that only fails is left as it is");
        }
    }

    #[test]
    fn without_activity_it_comes_to_rest(
        replicas in 0_u32..50,
        min in prop::option::of(0_u32..9),
        idle in prop::option::of(0_u32..1),
    ) {
        let object = ScaledObject { idle_replicas: idle, min_replicas: min, ..ScaledObject::default() };
        let mut executor = Executor::new(object, at(0));
        let mut now = replicas;
        for poll in 1..50 {
            now = executor.observe(at(30 * poll), now, &IDLE()).replicas.unwrap_or(now);
        }
        prop_assert_eq!(executor.observe(at(10_000), now, &IDLE()).replicas, None);
        // At zero or idle, or where the autoscaler keeps it: at the minimum or above.
        let goes_to_sleep = idle.is_some() || min.unwrap_or(0) == 0;
        let rests_at = if goes_to_sleep { object.inactive_replicas() } else { replicas.max(object.hpa_min_replicas()) };
        prop_assert_eq!(now, rests_at);
    }
}
