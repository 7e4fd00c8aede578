use super::*;
use proptest::prelude::*;

const WIDE: ScalableTarget = ScalableTarget::new(0, 1000);

fn minute(minutes: u64) -> Instant {
    Instant::START.plus(Span::from_mins(minutes))
}

/// So many data points of the same value.
fn flat(value: f64, count: usize) -> Vec<Option<f64>> {
    vec![Some(value); count]
}

/// What a policy with a target of 50 wants of these data points, when it is looked at for the first time.
fn wanted(capacity: u32, datapoints: &[Option<f64>]) -> Result<u32, Hold> {
    let mut policies = [TargetTracking::new(TargetTrackingPolicy::new(50.0))];
    let at = (minute(0), capacity);
    look(&mut policies, &[datapoints], at, &WIDE, &Cooldowns::default()).map(|wish| wish.to)
}

#[test]
fn of_one_and_a_half_two_are_added_and_one_is_removed() {
    // 3 * 75 / 50 = 4.5, which is 1.5 more; 6 * 37.5 / 50 = 4.5, which is 1.5 fewer.
    assert_eq!(desired_capacity(3, 75.0, 50.0), Some(5));
    assert_eq!(desired_capacity(6, 37.5, 50.0), Some(5));
    assert_eq!(desired_capacity(10, 50.0, 50.0), Some(10));
    // 3 * 0.7 / 0.7 and 10 * 0.55 / 0.5 are whole, whatever floating point makes of them.
    assert_eq!((desired_capacity(3, 0.7, 0.7), desired_capacity(10, 0.55, 0.5)), (Some(3), Some(11)));
    assert_eq!(desired_capacity(10, 55.001, 50.0), Some(12));
    assert_eq!((desired_capacity(8, 0.0, 50.0), desired_capacity(0, 90.0, 50.0)), (Some(0), Some(0)));
    assert_eq!(desired_capacity(u32::MAX, f64::MAX, 1.0), Some(u32::MAX));
    for (metric, target) in
        [(f64::NAN, 50.0), (-1.0, 50.0), (f64::INFINITY, 50.0), (1.0, 0.0), (1.0, -5.0), (1.0, f64::NAN)]
    {
        assert_eq!(desired_capacity(4, metric, target), None, "{metric} of {target}");
    }
}

#[test]
fn three_minutes_above_scale_out_and_fifteen_below_nine_tenths_scale_in() {
    assert_eq!(wanted(4, &[Some(50.0), Some(80.0), Some(80.0)]), Err(Hold::Quiet));
    assert_eq!(wanted(4, &[Some(80.0), Some(80.0), Some(80.0)]), Ok(7)); // 6.4
    assert_eq!(wanted(4, &flat(50.0, 20)), Err(Hold::Quiet));
    assert_eq!(wanted(10, &flat(20.0, 14)), Err(Hold::Quiet));
    assert_eq!(wanted(10, &flat(20.0, 15)), Ok(4));
    // Nine tenths of 50 are not below nine tenths of 50.
    assert_eq!(wanted(100, &flat(45.0, 15)), Err(Hold::Quiet));
    assert_eq!(wanted(100, &flat(44.0, 15)), Ok(88));
    // 2 * 40 / 50 = 1.6: nothing can be removed.
    assert_eq!(wanted(2, &flat(40.0, 15)), Err(Hold::AlreadyAtDesiredCapacity));
}

#[test]
fn the_latest_value_says_how_far() {
    assert_eq!(wanted(4, &[Some(100.0), Some(75.0), Some(60.0)]), Ok(5)); // 4.8
    // The alarm still looks at three high values, as one is missing; but the load has gone.
    assert_eq!(wanted(4, &[Some(80.0), Some(80.0), None, Some(80.0)]), Ok(7));
    assert_eq!(wanted(4, &[Some(80.0), Some(80.0), Some(80.0), Some(30.0)]), Err(Hold::Quiet));
}

#[test]
fn silence_is_no_low_load() {
    assert_eq!(wanted(4, &[]), Err(Hold::InsufficientData));
    assert_eq!(wanted(4, &[None; 30]), Err(Hold::InsufficientData));
    let mut ended = flat(5.0, 20);
    ended.push(None);
    assert_eq!(wanted(4, &ended), Err(Hold::InsufficientData));
    assert_eq!(wanted(4, &[Some(80.0), Some(80.0), Some(80.0), None]), Err(Hold::InsufficientData));
    assert_eq!(wanted(4, &[Some(f64::NAN); 5]), Err(Hold::InsufficientData));
}

#[test]
fn an_idle_service_goes_to_zero_and_comes_back_after_one_data_point() {
    assert_eq!(wanted(3, &flat(0.0, 15)), Ok(0));
    assert_eq!(wanted(0, &[Some(0.0)]), Err(Hold::Quiet));
    assert_eq!(wanted(0, &[Some(0.5)]), Ok(1));
    let mut policies = [TargetTracking::new(TargetTrackingPolicy::new(50.0))];
    let target = ScalableTarget::new(2, 9);
    let wish = look(&mut policies, &[&[Some(99.0)]], (minute(0), 0), &target, &Cooldowns::default());
    assert_eq!(wish.map(|wish| wish.to), Ok(2));
}

#[test]
fn a_target_that_is_none_wants_nothing() {
    for target_value in [0.0, -50.0, f64::NAN] {
        let mut policies = [TargetTracking::new(TargetTrackingPolicy::new(target_value))];
        let points = flat(80.0, 20);
        for capacity in [0, 4] {
            let held = look(&mut policies, &[&points], (minute(0), capacity), &WIDE, &Cooldowns::default());
            assert_eq!(held, Err(Hold::InsufficientData), "{target_value}");
        }
    }
}

#[test]
fn scale_in_may_be_left_to_somebody_else() {
    let policy = TargetTrackingPolicy { disable_scale_in: true, ..TargetTrackingPolicy::new(50.0) };
    let mut policies = [TargetTracking::new(policy)];
    let mut at = |points: &[Option<f64>]| {
        look(&mut policies, &[points], (minute(0), 10), &WIDE, &Cooldowns::default()).map(|wish| wish.to)
    };
    assert_eq!(at(&flat(10.0, 15)), Err(Hold::ScaleInDisabled));
    assert_eq!(at(&flat(60.0, 15)), Ok(12));
}

#[test]
fn out_if_any_and_in_only_if_all() {
    let cpu = TargetTracking::new(TargetTrackingPolicy::new(50.0));
    let requests = TargetTracking::new(TargetTrackingPolicy::new(1000.0));
    let mut both = [cpu, requests];
    let mut at = |cpu: &[Option<f64>], requests: &[Option<f64>]| {
        look(&mut both, &[cpu, requests], (minute(0), 10), &WIDE, &Cooldowns::default()).map(|wish| wish.to)
    };
    let (low_cpu, high_cpu) = (flat(20.0, 15), flat(60.0, 15));
    assert_eq!(at(&high_cpu, &flat(100.0, 15)), Ok(12));
    assert_eq!(at(&high_cpu, &flat(1500.0, 15)), Ok(15));
    assert_eq!(at(&low_cpu, &flat(980.0, 15)), Err(Hold::NotAllReady));
    assert_eq!(at(&low_cpu, &[]), Err(Hold::NotAllReady));
    // 4 and 7 are wanted: the larger.
    assert_eq!(at(&low_cpu, &flat(700.0, 15)), Ok(7));
    // Out although the other has no data.
    assert_eq!(at(&high_cpu, &[]), Ok(12));
}

#[test]
fn who_may_not_scale_in_keeps_nobody_from_it() {
    let disabled = TargetTrackingPolicy { disable_scale_in: true, ..TargetTrackingPolicy::new(1000.0) };
    let mut both = [TargetTracking::new(TargetTrackingPolicy::new(50.0)), TargetTracking::new(disabled)];
    let mut at = |requests: &[Option<f64>]| {
        let low_cpu = flat(20.0, 15);
        look(&mut both, &[&low_cpu, requests], (minute(0), 10), &WIDE, &Cooldowns::default()).map(|wish| wish.to)
    };
    assert_eq!(at(&flat(980.0, 15)), Ok(4));
    assert_eq!(at(&flat(980.0, 15)), Ok(4));
    assert_eq!(at(&flat(1500.0, 15)), Ok(15));
    assert_eq!(combined(&[]), Vote::Abstain(Hold::Quiet));
}

#[test]
fn what_was_added_counts_until_it_had_time_to_take_effect() {
    let mut policies = [TargetTracking::new(TargetTrackingPolicy::new(50.0))];
    let mut cooldowns = Cooldowns::default();
    let mut at = |minutes, capacity, metric| {
        let points = flat(metric, 15);
        observe(&mut policies, &[&points], (minute(minutes), capacity), &WIDE, &mut cooldowns).map(|wish| wish.to)
    };
    // 4 tasks at twice the target: 8.
    assert_eq!(at(0, 4, 100.0), Ok(8));
    // They are not there yet, so the metric is as high as before; another 4 would be too many.
    assert_eq!(at(1, 4, 100.0), Err(Hold::CoolingDown { left: Span::from_mins(4) }));
    // A larger one goes through, by the difference: 4 * 125 / 50 = 10.
    assert_eq!(at(2, 4, 125.0), Ok(10));
    // After the cooldown what runs is what counts: 10 * 60 / 50 = 12.
    assert_eq!(at(7, 10, 60.0), Ok(12));
    // A scale-in does not wait for it, but for the scale-in before.
    assert_eq!(at(8, 12, 25.0), Ok(6));
    assert_eq!(at(12, 6, 25.0), Err(Hold::CoolingDown { left: Span::from_mins(1) }));
    assert_eq!(at(13, 6, 25.0), Ok(3));
    // A scale-out goes through at once.
    assert_eq!(at(14, 3, 75.0), Ok(5));
}

#[test]
fn a_deployment_suspends_scaling_in_only() {
    let target = ScalableTarget { scale_in_suspended: true, ..ScalableTarget::new(1, 20) };
    let mut policies = [TargetTracking::new(TargetTrackingPolicy::new(50.0))];
    let mut at = |metric| {
        look(&mut policies, &[&flat(metric, 15)], (minute(0), 10), &target, &Cooldowns::default()).map(|wish| wish.to)
    };
    assert_eq!(at(10.0), Err(Hold::Suspended));
    assert_eq!(at(70.0), Ok(14));
    assert_eq!(at(500.0), Ok(20));
}

proptest! {
    #[test]
    fn at_its_target_nothing_changes(capacity in 0_u32..100_000, target in 0.001..10_000.0) {
        prop_assert_eq!(desired_capacity(capacity, target, target), Some(capacity));
    }

    #[test]
    fn more_load_never_wants_less(capacity in 0_u32..5000, metric in 0.0..1000.0, more in 0.0..1000.0) {
        prop_assert!(desired_capacity(capacity, metric, 50.0) <= desired_capacity(capacity, metric + more, 50.0));
    }

    #[test]
    fn a_constant_load_is_settled_in_one_step(capacity in 1_u32..2000, load in 1.0..100_000.0, target in 1.0..100.0) {
        let settled = desired_capacity(capacity, load / f64::from(capacity), target).expect("a proportion");
        prop_assert!(settled >= 1);
        let metric = load / f64::from(settled);
        prop_assert!(metric <= target * (1.0 + 1e-6));
        prop_assert_eq!(desired_capacity(settled, metric, target), Some(settled));
    }

    #[test]
    fn a_peak_that_is_over_leaves_no_trace(capacity in 1_u32..500, load in 1.0..50_000.0, factor in 1.0..10.0) {
        let to = |capacity: u32, load: f64| desired_capacity(capacity, load / f64::from(capacity), 50.0);
        let before = to(capacity, load).expect("a proportion");
        let peak = to(before, load * factor).expect("a proportion");
        prop_assert!(peak >= before);
        prop_assert_eq!(to(peak, load), Some(before));
    }

    #[test]
    fn what_is_wanted_is_within_bounds(
        capacity in 0_u32..100,
        (min, span) in (0_u32..20, 0_u32..50),
        points in prop::collection::vec(prop::option::of(0.0..500.0), 0..30),
    ) {
        let mut policies = [TargetTracking::new(TargetTrackingPolicy::new(50.0))];
        let target = ScalableTarget::new(min, min + span);
        if let Ok(wish) = look(&mut policies, &[&points], (minute(0), capacity), &target, &Cooldowns::default()) {
            prop_assert!((min..=min + span).contains(&wish.to));
            prop_assert!(wish.to != capacity);
        }
    }
}
