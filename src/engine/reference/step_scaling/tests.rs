use super::*;
use crate::units::Instant;
use proptest::prelude::*;

const STEP: fn(Option<f64>, Option<f64>, i64) -> Step = |lower, upper, adjustment| Step { lower, upper, adjustment };

/// The two policies of "Step adjustments" in the user guide; the alarms are at 50 %.
fn documented() -> (StepPolicy, StepPolicy) {
    let percent = AdjustmentType::PercentChangeInCapacity;
    let out = vec![STEP(Some(0.0), Some(10.0), 0), STEP(Some(10.0), Some(20.0), 10), STEP(Some(20.0), None, 30)];
    let inwards =
        vec![STEP(Some(-10.0), Some(0.0), 0), STEP(Some(-20.0), Some(-10.0), -10), STEP(None, Some(-20.0), -30)];
    (StepPolicy::new(percent, out), StepPolicy::new(percent, inwards))
}

fn alarm(comparison: Comparison, threshold: f64) -> Alarm {
    Alarm::new(comparison, threshold, 1)
}

fn minute(minutes: u64) -> Instant {
    Instant::START.plus(Span::from_mins(minutes))
}

fn seen(now: Instant, capacity: u32, datapoints: &[Option<f64>]) -> Seen<'_> {
    Seen { now, capacity, datapoints }
}

const WIDE: ScalableTarget = ScalableTarget::new(0, 1000);

#[test]
fn the_documented_example_goes_from_10_to_11_to_14_to_13_to_10() {
    let (out, inwards) = documented();
    assert_eq!((out.errors(), inwards.errors()), (vec![], vec![]));
    let by = |policy: &StepPolicy, metric| policy.step(metric, 50.0).map(|step| step.adjustment);
    // 10 % of 10 is 1; 30 % of 11 is 3.3; 10 % of 14 is 1.4; 30 % of 13 is 3.9.
    assert_eq!((by(&out, 60.0), out.adjusted(10, 10)), (Some(10), 11));
    assert_eq!((by(&out, 70.0), out.adjusted(30, 11)), (Some(30), 14));
    assert_eq!((by(&inwards, 40.0), inwards.adjusted(-10, 14)), (Some(-10), 13));
    assert_eq!((by(&inwards, 30.0), inwards.adjusted(-30, 13)), (Some(-30), 10));
    assert_eq!((by(&out, 59.9), by(&inwards, 40.1)), (Some(0), Some(0)));
}

#[test]
fn the_threshold_belongs_to_the_step_that_begins_or_ends_there() {
    // With a threshold of 50: [50, 60) on one side, (40, 50] on the other.
    let out = StepPolicy::new(
        AdjustmentType::ChangeInCapacity,
        vec![STEP(Some(0.0), Some(10.0), 1), STEP(Some(10.0), None, 2)],
    );
    let inwards = StepPolicy::new(
        AdjustmentType::ChangeInCapacity,
        vec![STEP(Some(-10.0), Some(0.0), -1), STEP(None, Some(-10.0), -2)],
    );
    let by = |policy: &StepPolicy, metric| policy.step(metric, 50.0).map(|step| step.adjustment);
    assert_eq!([by(&out, 49.9), by(&out, 50.0), by(&out, 59.9), by(&out, 60.0)], [None, Some(1), Some(1), Some(2)]);
    assert_eq!(
        [by(&inwards, 50.1), by(&inwards, 50.0), by(&inwards, 40.1), by(&inwards, 40.0)],
        [None, Some(-1), Some(-1), Some(-2)]
    );
    assert_eq!((by(&out, f64::MAX), by(&inwards, f64::MIN), by(&out, f64::NAN)), (Some(2), Some(-2), None));
}

#[test]
fn a_share_of_one_is_no_worse_a_unit_than_percent() {
    // 0.6 - 0.5 is a little less than 0.1 in floating point, and 0.5 + 0.1 is 0.6.
    let policy = StepPolicy::new(
        AdjustmentType::ChangeInCapacity,
        vec![STEP(Some(0.0), Some(0.1), 1), STEP(Some(0.1), None, 2)],
    );
    assert_eq!(policy.step(0.6, 0.5).map(|step| step.adjustment), Some(2));
}

#[test]
fn percentages_round_towards_zero_but_never_to_it() {
    let mut policy = StepPolicy::new(AdjustmentType::PercentChangeInCapacity, vec![]);
    // 12.7 becomes 12, 0.67 becomes 1, -0.58 becomes -1, -6.67 becomes -6.
    assert_eq!(policy.adjusted(127, 10), 22);
    assert_eq!(policy.adjusted(67, 1), 2);
    assert_eq!(policy.adjusted(-58, 1), 0);
    assert_eq!(policy.adjusted(-29, 23), 17);
    assert_eq!((policy.adjusted(0, 7), policy.adjusted(50, 0), policy.adjusted(-500, 7)), (7, 0, 0));
    // 25 % of 4 is 1, but 2 is the least.
    policy.min_adjustment_magnitude = Some(2);
    assert_eq!((policy.adjusted(25, 4), policy.adjusted(-25, 4), policy.adjusted(0, 4)), (6, 2, 4));
    assert_eq!((policy.adjusted(75, 4), policy.adjusted(50, 0), policy.adjusted(-25, 1)), (7, 2, 0));
}

#[test]
fn the_other_two_types_add_and_set() {
    let with = |adjustment_type| StepPolicy::new(adjustment_type, vec![]);
    assert_eq!(with(AdjustmentType::ChangeInCapacity).adjusted(5, 3), 8);
    assert_eq!(with(AdjustmentType::ChangeInCapacity).adjusted(-5, 3), 0);
    assert_eq!(with(AdjustmentType::ExactCapacity).adjusted(5, 3), 5);
    for adjustment_type in
        [AdjustmentType::ChangeInCapacity, AdjustmentType::ExactCapacity, AdjustmentType::PercentChangeInCapacity]
    {
        assert_eq!(with(adjustment_type).adjusted(i64::MAX, u32::MAX), u32::MAX);
        assert_eq!(with(adjustment_type).adjusted(i64::MIN, u32::MAX), 0);
    }
}

#[test]
fn steps_that_leave_a_gap_or_overlap_are_refused() {
    let errors = |steps: &[Step]| StepPolicy::new(AdjustmentType::ChangeInCapacity, steps.to_vec()).errors();
    assert_eq!(errors(&[]), [StepError::NoSteps]);
    assert_eq!(errors(&[STEP(Some(0.0), None, 1)]), []);
    assert_eq!(errors(&[STEP(None, None, 1)]), [StepError::NoBounds { step: 0 }]);
    // A positive upper bound needs a step that goes on to infinity, a negative lower one a step from minus infinity.
    assert_eq!(errors(&[STEP(Some(0.0), Some(10.0), 1)]), [StepError::NoneWithoutUpperBound]);
    assert_eq!(errors(&[STEP(Some(-10.0), Some(0.0), -1)]), [StepError::NoneWithoutLowerBound]);
    assert_eq!(errors(&[STEP(Some(0.0), Some(10.0), 1), STEP(Some(11.0), None, 2)]), [StepError::Gap { step: 1 }]);
    assert_eq!(errors(&[STEP(Some(9.0), None, 2), STEP(Some(0.0), Some(10.0), 1)]), [StepError::Overlap { step: 0 }]);
    assert_eq!(
        errors(&[STEP(Some(0.0), None, 1), STEP(Some(5.0), None, 2)]),
        [StepError::SeveralWithoutUpperBound, StepError::Overlap { step: 1 }]
    );
    assert_eq!(
        errors(&[STEP(None, Some(0.0), -1), STEP(None, Some(-5.0), -2)]),
        [StepError::SeveralWithoutLowerBound, StepError::Overlap { step: 1 }]
    );
    assert!(errors(&[STEP(Some(3.0), Some(3.0), 1)]).contains(&StepError::EmptyInterval { step: 0 }));
    assert!(errors(&[STEP(Some(f64::NAN), None, 1)]).contains(&StepError::EmptyInterval { step: 0 }));
    let many: Vec<Step> =
        (0..21).map(|at| STEP(Some(f64::from(at)), (at < 20).then(|| f64::from(at + 1)), 1)).collect();
    assert_eq!(errors(&many), [StepError::TooManySteps { count: 21 }]);
    let exact = StepPolicy::new(AdjustmentType::ExactCapacity, vec![STEP(Some(0.0), None, -1)]);
    assert_eq!(
        StepScaling::new(exact, alarm(Comparison::GreaterThan, 50.0)),
        Err(vec![StepError::NegativeCapacity { step: 0 }])
    );
}

#[test]
fn several_data_points_become_one_value() {
    let points = [10.0, 40.0, 25.0];
    assert_eq!(Aggregation::Average.of(&points), Some(25.0));
    assert_eq!(Aggregation::Minimum.of(&points), Some(10.0));
    assert_eq!(Aggregation::Maximum.of(&points), Some(40.0));
    assert_eq!(Aggregation::Average.of(&[]), None);
}

/// Adds 2 from 60 %, 3 from 80 %, above an alarm at 50 %.
fn adding() -> StepScaling {
    let steps = vec![STEP(Some(0.0), Some(10.0), 0), STEP(Some(10.0), Some(30.0), 2), STEP(Some(30.0), None, 3)];
    let policy = StepPolicy::new(AdjustmentType::ChangeInCapacity, steps);
    StepScaling::new(policy, alarm(Comparison::GreaterThanOrEqualTo, 50.0)).expect("no gaps")
}

/// Removes 1 at 20 % and below.
fn removing() -> StepScaling {
    let policy = StepPolicy::new(AdjustmentType::ChangeInCapacity, vec![STEP(None, Some(0.0), -1)]);
    StepScaling::new(policy, alarm(Comparison::LessThanOrEqualTo, 20.0)).expect("no gaps")
}

#[test]
fn what_was_added_before_counts_while_it_cools_down() {
    let (mut policy, mut cooldowns) = (adding(), Cooldowns::default());
    let mut at = |minutes, capacity, metric| {
        policy.observe(&seen(minute(minutes), capacity, &[Some(metric)]), &WIDE, &mut cooldowns).map(|wish| wish.to)
    };
    assert_eq!(at(0, 10, 55.0), Err(Hold::AlreadyAtDesiredCapacity));
    assert_eq!(at(1, 10, 65.0), Ok(12));
    // The same step again adds nothing, whether its tasks run already or not.
    assert_eq!(at(2, 10, 65.0), Err(Hold::CoolingDown { left: Span::from_mins(4) }));
    assert_eq!(at(3, 12, 65.0), Err(Hold::CoolingDown { left: Span::from_mins(3) }));
    // 3 are wanted, 2 of them were added: 1 more. And its cooldown is a new one.
    assert_eq!(at(4, 12, 85.0), Ok(13));
    assert_eq!(at(8, 13, 85.0), Err(Hold::CoolingDown { left: Span::from_mins(1) }));
    // Over to the second: 3 more than there are now.
    assert_eq!(at(9, 13, 85.0), Ok(16));
}

#[test]
fn a_percentage_is_one_of_the_capacity_before_the_cooldown() {
    // The example of the instance warm-up: 10 % of 10 is added; at 70 % it is 30 % of 10, of which 1 was added: 13.
    let (policy, _) = documented();
    let mut policy = StepScaling::new(policy, alarm(Comparison::GreaterThanOrEqualTo, 50.0)).expect("no gaps");
    let mut cooldowns = Cooldowns::default();
    let mut at = |minutes, capacity, metric| {
        policy.observe(&seen(minute(minutes), capacity, &[Some(metric)]), &WIDE, &mut cooldowns).map(|wish| wish.to)
    };
    assert_eq!(at(0, 10, 60.0), Ok(11));
    assert_eq!(at(1, 10, 62.0), Err(Hold::CoolingDown { left: Span::from_mins(4) }));
    assert_eq!(at(2, 10, 70.0), Ok(13));
}

#[test]
fn a_scale_in_waits_for_the_one_before_and_a_scale_out_ends_that() {
    let (mut more, mut fewer, mut cooldowns) = (adding(), removing(), Cooldowns::default());
    let mut down = |minutes, capacity, cooldowns: &mut Cooldowns| {
        fewer.observe(&seen(minute(minutes), capacity, &[Some(10.0)]), &WIDE, cooldowns).map(|wish| wish.to)
    };
    assert_eq!(down(0, 10, &mut cooldowns), Ok(9));
    assert_eq!(down(1, 9, &mut cooldowns), Err(Hold::CoolingDown { left: Span::from_mins(4) }));
    let up = more.observe(&seen(minute(2), 9, &[Some(65.0)]), &WIDE, &mut cooldowns);
    assert_eq!(up.map(|wish| wish.to), Ok(11));
    // The cooldown of the scale-in is gone, and that of the scale-out does not hold back a scale-in.
    assert_eq!(down(3, 11, &mut cooldowns), Ok(10));
    // What was taken away may be added again, though nothing beyond what the cooldown counts.
    let up = more.observe(&seen(minute(4), 10, &[Some(65.0)]), &WIDE, &mut cooldowns);
    assert_eq!(up.map(|wish| wish.to), Ok(11));
}

#[test]
fn bounds_cut_a_step_short_and_are_where_it_starts_from() {
    let mut cooldowns = Cooldowns::default();
    let look = |policy: &mut StepScaling, capacity, metric, target: ScalableTarget| {
        policy.look(&seen(minute(0), capacity, &[Some(metric)]), &target, &Cooldowns::default()).map(|wish| wish.to)
    };
    let target = ScalableTarget::new(4, 11);
    assert_eq!(look(&mut adding(), 10, 65.0, target), Ok(11));
    assert_eq!(look(&mut adding(), 11, 65.0, target), Err(Hold::AlreadyAtMaxCapacity));
    assert_eq!(look(&mut removing(), 4, 10.0, target), Err(Hold::AlreadyAtMinCapacity));
    // Below the minimum: up to it and on from there, or nothing at all. Above the maximum: the other way round.
    assert_eq!(look(&mut adding(), 1, 65.0, target), Ok(6));
    assert_eq!(look(&mut removing(), 1, 10.0, target), Err(Hold::AlreadyAtMinCapacity));
    assert_eq!(look(&mut removing(), 15, 10.0, target), Ok(10));
    assert_eq!(look(&mut adding(), 15, 65.0, target), Err(Hold::AlreadyAtMaxCapacity));
    // A deployment is in progress.
    let target = ScalableTarget { scale_in_suspended: true, ..target };
    assert_eq!(look(&mut removing(), 10, 10.0, target), Err(Hold::Suspended));
    assert_eq!(look(&mut adding(), 6, 65.0, target), Ok(8));
    let target = ScalableTarget { scale_out_suspended: true, ..target };
    assert_eq!(adding().observe(&seen(minute(0), 6, &[Some(65.0)]), &target, &mut cooldowns), Err(Hold::Suspended));
}

#[test]
fn without_an_alarm_without_data_and_without_a_step_nothing_is_done() {
    let look = |policy: &mut StepScaling, datapoints: &[Option<f64>]| {
        policy.look(&seen(minute(0), 5, datapoints), &WIDE, &Cooldowns::default())
    };
    let mut policy = adding();
    assert_eq!(policy.state(), AlarmState::InsufficientData);
    assert_eq!(look(&mut policy, &[Some(49.9)]), Err(Hold::Quiet));
    assert_eq!(policy.state(), AlarmState::Ok);
    assert_eq!(look(&mut policy, &[]), Err(Hold::InsufficientData));
    assert_eq!(look(&mut policy, &[None, None, None]), Err(Hold::InsufficientData));
    assert_eq!(look(&mut policy, &[Some(f64::NAN)]), Err(Hold::InsufficientData));
    // A policy that scales in, on an alarm that is raised above the threshold.
    let steps = vec![STEP(None, Some(0.0), -1)];
    let policy = StepPolicy::new(AdjustmentType::ChangeInCapacity, steps);
    let mut policy = StepScaling::new(policy, alarm(Comparison::GreaterThan, 20.0)).expect("no gaps");
    assert_eq!(look(&mut policy, &[Some(30.0)]), Err(Hold::NoStep));
}

#[test]
fn exact_capacity_scales_both_ways() {
    let policy = StepPolicy::new(AdjustmentType::ExactCapacity, vec![STEP(Some(0.0), None, 5)]);
    let mut policy = StepScaling::new(policy, alarm(Comparison::GreaterThan, 50.0)).expect("no gaps");
    let mut look = |capacity| {
        let wish = policy.look(&seen(minute(0), capacity, &[Some(60.0)]), &WIDE, &Cooldowns::default());
        wish.map(|wish| wish.to)
    };
    assert_eq!([look(3), look(5), look(9)], [Ok(5), Err(Hold::AlreadyAtDesiredCapacity), Ok(5)]);
}

#[test]
fn of_several_policies_the_largest_capacity_wins() {
    // The example of the API reference: 3 more, or 200 % more than 10.
    let percent = StepPolicy::new(AdjustmentType::PercentChangeInCapacity, vec![]);
    let wish = |to| Wish { to, cooldown: Span::from_mins(5) };
    let wishes = [wish(13), wish(percent.adjusted(200, 10)), wish(8)];
    assert_eq!(Wish::largest(&wishes), Some(wish(30)));
    assert_eq!(Wish::largest(&[]), None);
}

/// The rows of the two tables in "Configuring how CloudWatch alarms treat missing data": the data points, oldest first,
/// and the state for missing, ignored, breaching and not breaching. `None` retains the state.
#[test]
fn the_documented_tables_of_missing_data_hold() {
    use AlarmState::Alarm as A;
    use AlarmState::InsufficientData as I;
    use AlarmState::Ok as O;
    let tables = [
        (3, "0-X-X", [Some(O), Some(O), Some(O), Some(O)]),
        (3, "0----", [Some(O), Some(O), Some(O), Some(O)]),
        (3, "-----", [Some(I), None, Some(A), Some(O)]),
        (3, "0XX-X", [Some(A), Some(A), Some(A), Some(A)]),
        (3, "--X--", [Some(A), None, Some(A), Some(O)]),
        (2, "0-X-X", [Some(A), Some(A), Some(A), Some(A)]),
        (2, "00X0X", [Some(A), Some(A), Some(A), Some(A)]),
        (2, "0-X--", [Some(O), Some(O), Some(A), Some(O)]),
        (2, "----0", [Some(O), Some(O), Some(A), Some(O)]),
        (2, "---X-", [Some(A), None, Some(A), Some(O)]),
        // From the text below the tables: one bad value may be followed by a good one.
        (3, "----X", [Some(O), Some(O), Some(A), Some(O)]),
        (3, "---X-", [Some(O), Some(O), Some(A), Some(O)]),
    ];
    let treatments = [MissingData::Missing, MissingData::Ignore, MissingData::Breaching, MissingData::NotBreaching];
    for (datapoints_to_alarm, row, states) in tables {
        let points: Vec<Option<f64>> =
            row.chars().map(|c| if c == '-' { None } else { Some(if c == 'X' { 1.0 } else { 0.0 }) }).collect();
        for (missing_data, state) in treatments.into_iter().zip(states) {
            let alarm = Alarm { datapoints_to_alarm, missing_data, ..Alarm::new(Comparison::GreaterThan, 0.5, 3) };
            for before in [AlarmState::Ok, AlarmState::Alarm, AlarmState::InsufficientData] {
                let found = alarm.state(&points, before);
                assert_eq!(found, state.unwrap_or(before), "{row}, {datapoints_to_alarm} of 3, {missing_data:?}");
            }
        }
    }
}

#[test]
fn an_alarm_compares_strictly_or_not_as_it_was_told() {
    let state = |comparison, value| Alarm::new(comparison, 50.0, 1).state(&[Some(value)], AlarmState::Ok);
    assert_eq!(state(Comparison::GreaterThan, 50.0), AlarmState::Ok);
    assert_eq!(state(Comparison::GreaterThanOrEqualTo, 50.0), AlarmState::Alarm);
    assert_eq!(state(Comparison::LessThan, 50.0), AlarmState::Ok);
    assert_eq!(state(Comparison::LessThanOrEqualTo, 50.0), AlarmState::Alarm);
    // Zero periods count as one.
    assert_eq!(Alarm::new(Comparison::GreaterThan, 50.0, 0).state(&[Some(51.0)], AlarmState::Ok), AlarmState::Alarm);
}

proptest! {
    #[test]
    fn a_higher_metric_never_adds_less(capacity in 0_u32..500, low in 50.0..200.0, more in 0.0..100.0) {
        let (out, _) = documented();
        let to = |metric: f64| out.step(metric, 50.0).map(|step| out.adjusted(step.adjustment, capacity));
        prop_assert!(to(low).is_some());
        prop_assert!(to(low) <= to(low + more));
    }

    #[test]
    fn no_wish_leaves_the_bounds(
        (min, span) in (0_u32..50, 0_u32..50),
        capacity in 0_u32..200,
        metric in -100.0..300.0,
        adjustment in -500_i64..500,
        percent in any::<bool>(),
    ) {
        let kind = if percent { AdjustmentType::PercentChangeInCapacity } else { AdjustmentType::ChangeInCapacity };
        let steps = vec![STEP(None, Some(0.0), adjustment), STEP(Some(0.0), None, adjustment)];
        let always = alarm(Comparison::GreaterThan, -200.0);
        let mut policy = StepScaling::new(StepPolicy::new(kind, steps), always).expect("no gaps");
        let target = ScalableTarget::new(min, min + span);
        let wish = policy.look(&seen(minute(0), capacity, &[Some(metric)]), &target, &Cooldowns::default());
        if let Ok(wish) = wish {
            prop_assert!((min..=min + span).contains(&wish.to));
            prop_assert!(wish.to != capacity);
            prop_assert_eq!(wish.to > capacity, adjustment > 0);
        }
    }

    #[test]
    fn the_same_step_adds_once_in_a_cooldown(capacity in 1_u32..500, minutes in 1_u64..5, ran in any::<bool>()) {
        let (mut policy, mut cooldowns) = (adding(), Cooldowns::default());
        let mut at = |minutes, capacity| {
            policy.observe(&seen(minute(minutes), capacity, &[Some(65.0)]), &WIDE, &mut cooldowns)
        };
        let first = at(0, capacity);
        prop_assert_eq!(first.map(|wish| wish.to), Ok(capacity + 2));
        let now = if ran { capacity + 2 } else { capacity };
        let again = at(minutes, now);
        prop_assert!(matches!(again, Err(Hold::CoolingDown { .. })), "{again:?}");
    }
}
