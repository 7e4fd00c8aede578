use super::*;
use proptest::prelude::*;

fn minute(minutes: u64) -> Instant {
    Instant::after_start(Span::from_mins(minutes))
}

/// A curve from its points, in minutes.
fn curve(points: &[(u64, u32)]) -> Curve {
    Curve::new(points.iter().map(|(at, level)| (minute(*at), *level)).collect())
}

fn metrics(demand: &Curve, supply: &Curve, minutes: Range<u64>) -> Elasticity {
    let over = minute(minutes.start)..minute(minutes.end);
    Elasticity::of(demand, supply, &over, Span::from_mins(1)).expect("there is time to judge")
}

/// ```text
///  4 |        dddddddd            demand
///    |            ssssss          supply
///  3 |          ss
///  2 |dddddddd        dddd
///    |ssssssssss            ss
///    0   2   4   6   8   10 minutes
/// ```
fn peak() -> (Curve, Curve) {
    (curve(&[(0, 2), (4, 4), (8, 2)]), curve(&[(0, 2), (5, 3), (6, 4), (9, 2)]))
}

#[test]
fn supply_follows_a_peak_a_little_late() {
    let (demand, supply) = peak();
    let of = metrics(&demand, &supply, 0..10);
    // Two of four are missing for a minute, then one of four; then two too many where two are needed, for a minute.
    let expected = Provisioning {
        accuracy_under: (2.0 / 4.0 + 1.0 / 4.0) / 10.0,
        accuracy_over: (2.0 / 2.0) / 10.0,
        time_under: 2.0 / 10.0,
        time_over: 1.0 / 10.0,
    };
    assert_eq!(of.provisioning, expected);
    assert_eq!((of.missing_mean, of.spare_mean), (3.0 / 10.0, 2.0 / 10.0));
    assert_eq!(of.accuracy_over_of_supply, (2.0 / 4.0) / 10.0);
    assert_eq!(of.accuracy_of_pool(4), Some((3.0 / 10.0 / 4.0, 2.0 / 10.0 / 4.0)));
    assert_eq!(of.accuracy_of_pool(0), None);
    // Demand: 2·4 + 4·4 + 2·2 minutes of an instance. Supply: 2·5 + 3·1 + 4·3 + 2·1.
    assert_eq!((of.demand_hours, of.supply_hours), (28.0 / 60.0, 27.0 / 60.0));
    assert_eq!(of.judged, Span::from_mins(10));
}

#[test]
fn adaptations_count_instances_and_changes() {
    let (demand, supply) = peak();
    let of = metrics(&demand, &supply, 0..10);
    assert_eq!(of.demand_adaptations, Adaptations { changes: 2, up: 2, down: 2 });
    assert_eq!(of.supply_adaptations, Adaptations { changes: 3, up: 2, down: 2 });
    assert_eq!(of.supply_adaptations.instances(), 4);
    assert_eq!(of.jitter_per_hour, 0.0, "four instances there, four here");
}

#[test]
fn instability_counts_steps_in_which_the_curves_part() {
    let (demand, supply) = peak();
    // Looks at 0, 1, … 9 minutes. At 4 demand rises alone (below); at 5 and 6 supply rises alone (above); at 8 demand
    // falls alone (above); at 9 supply falls alone (below).
    let of = metrics(&demand, &supply, 0..10);
    assert_eq!(of.instability, Instability { steps: 9, above: 3, below: 2 });
    assert_eq!(of.instability.share(), 5.0 / 9.0);
    // Looks at 0, 2, 4, 6, 8: at 4 below, at 6 above, at 8 above.
    let coarse = Elasticity::of(&demand, &supply, &(minute(0)..minute(10)), Span::from_mins(2)).expect("time");
    assert_eq!(coarse.instability, Instability { steps: 4, above: 2, below: 1 });
    // Never looked at, or once: nothing was seen to move.
    for step in [Span::ZERO, Span::from_mins(10), Span::MAX] {
        let blind = Elasticity::of(&demand, &supply, &(minute(0)..minute(10)), step).expect("time");
        assert_eq!(blind.instability, Instability::default());
        assert_eq!(blind.instability.share(), 0.0);
    }
}

#[test]
fn curves_that_move_together_are_stable_however_far_apart() {
    // Both rise at 1 and fall at 2; by how much does not matter.
    let of = metrics(&curve(&[(0, 1), (1, 9), (2, 8)]), &curve(&[(0, 3), (1, 4), (2, 1)]), 0..3);
    assert_eq!(of.instability, Instability { steps: 2, above: 0, below: 0 });
    // One rises where the other falls: that is once apart, not twice.
    let of = metrics(&curve(&[(0, 5), (1, 1)]), &curve(&[(0, 1), (1, 5)]), 0..2);
    assert_eq!(of.instability, Instability { steps: 1, above: 1, below: 0 });
}

#[test]
fn a_sluggish_policy_has_negative_jitter_and_a_restless_one_positive() {
    let demand = curve(&[(0, 2), (10, 6), (20, 2)]);
    // Demand moves by 8 instances in half an hour, supply not at all: -8 / 0.5 h.
    let sluggish = metrics(&demand, &curve(&[(0, 4)]), 0..30);
    assert_eq!(sluggish.jitter_per_hour, -16.0);
    // Supply moves by 4 + 1 + 1 + 1 + 1 + 4 = 12: (12 - 8) / 0.5 h.
    let restless = curve(&[(0, 2), (10, 6), (12, 5), (14, 6), (16, 7), (18, 6), (20, 2)]);
    assert_eq!(metrics(&demand, &restless, 0..30).jitter_per_hour, 8.0);
}

#[test]
fn what_nobody_needs_is_relative_to_one_instance() {
    // Three idle instances for an hour: 300 % of one.
    let idle = metrics(&curve(&[]), &curve(&[(0, 3)]), 0..60);
    let expected = Provisioning { accuracy_over: 3.0, time_over: 1.0, ..Provisioning::default() };
    assert_eq!(idle.provisioning, expected);
    assert_eq!(idle.accuracy_over_of_supply, 1.0);
    // Nothing there where five are needed: all of the demand is missing.
    let bare = metrics(&curve(&[(0, 5)]), &curve(&[]), 0..60);
    let expected = Provisioning { accuracy_under: 1.0, time_under: 1.0, ..Provisioning::default() };
    assert_eq!(bare.provisioning, expected);
    // Nothing needed and nothing there is perfect.
    assert_eq!(metrics(&curve(&[]), &curve(&[]), 0..60).provisioning, Provisioning::default());
}

#[test]
fn only_the_judged_time_counts() {
    let (demand, supply) = peak();
    // From 5 to 9 minutes: one missing of four for a minute, two too many for two at the end. What changes at the start
    // is where counting starts from, what changes at the end is not seen.
    let of = metrics(&demand, &supply, 5..9);
    let expected =
        Provisioning { accuracy_under: 0.25 / 4.0, accuracy_over: 1.0 / 4.0, time_under: 0.25, time_over: 0.25 };
    assert_eq!(of.provisioning, expected);
    assert_eq!(of.demand_adaptations, Adaptations { changes: 1, up: 0, down: 2 });
    assert_eq!(of.supply_adaptations, Adaptations { changes: 1, up: 1, down: 0 });
    // After the last point the levels stay.
    assert_eq!(metrics(&demand, &supply, 9..99).provisioning, Provisioning::default());
    // No time, no figures.
    for empty in [minute(3)..minute(3), minute(4)..minute(3)] {
        assert_eq!(Elasticity::of(&demand, &supply, &empty, Span::from_mins(1)), None);
    }
}

#[test]
fn time_to_capacity_runs_until_supply_is_enough() {
    // Demand passes supply at 2 until 3 (enough, not more), and at 10; it rises again at 11, which is still the same
    // shortage, until 13.
    let demand = curve(&[(0, 1), (2, 2), (5, 1), (10, 3), (11, 4)]);
    let supply = curve(&[(0, 1), (3, 2), (10, 2), (13, 4)]);
    let shortages = metrics(&demand, &supply, 0..20).shortages;
    assert_eq!((shortages.count, shortages.total), (2, Span::from_mins(1 + 3)));
    assert_eq!((shortages.mean(), shortages.longest), (Some(Span::from_mins(2)), Span::from_mins(3)));
    assert!(!shortages.unfinished);
}

#[test]
fn who_never_catches_up_does_not_look_quick() {
    // One shortage is on when the judged time begins and lasts a minute of it; the other one is on when it ends.
    let (demand, supply) = (curve(&[(0, 2), (10, 4)]), curve(&[(0, 1), (6, 2)]));
    let shortages = metrics(&demand, &supply, 5..15).shortages;
    assert_eq!((shortages.count, shortages.longest), (2, Span::from_mins(5)));
    assert_eq!(shortages.mean(), Some(Span::from_mins(3)));
    assert!(shortages.unfinished);
    let enough = metrics(&supply, &supply, 0..10).shortages;
    assert_eq!((enough, enough.mean()), (Shortages::default(), None));
}

#[test]
fn a_curve_holds_from_its_points_on_in_whatever_order_they_come() {
    let curve = curve(&[(5, 2), (1, 3), (5, 4), (3, 3), (9, 4)]);
    let levels = [0, 1, 4, 5, 100].map(|at| curve.at(minute(at)));
    assert_eq!(levels, [0, 3, 3, 4, 4], "nothing before the first point; the last one given for a moment holds");
    let up = |at| Move { at: minute(at), direction: Direction::Up };
    assert_eq!(curve.moves(), [up(1), up(5)], "a point that changes nothing is no move");
}

#[test]
fn a_flap_is_a_reversal_soon_after_the_move_before_it() {
    let up = |at| Move { at: minute(at), direction: Direction::Up };
    let down = |at| Move { at: minute(at), direction: Direction::Down };
    // 3 min: up in the warm-up. 12 min: turned, 9 minutes after it. 22: turned after 10, which is still soon. 30: on
    // the same way. 41: turned after 11 minutes. 100: after the judged time.
    let moves = [up(3), down(12), up(22), up(30), down(41), up(100)];
    let pace = Pace::of(&moves, &(minute(10)..minute(100)), FLAP).expect("time");
    // Four moves in an hour and a half: 64 a day.
    assert_eq!(pace, Pace { actions: 4, reversals: 3, flaps: 2, actions_per_day: 64.0 });
    let calm = Pace::of(&[], &(minute(0)..minute(1)), FLAP).expect("time");
    assert_eq!(calm, Pace::default());
    assert_eq!(Pace::of(&moves, &(minute(1)..minute(1)), FLAP), None);
}

fn provisioning(all: [f64; 4]) -> Provisioning {
    let [accuracy_under, accuracy_over, time_under, time_over] = all;
    Provisioning { accuracy_under, accuracy_over, time_under, time_over }
}

fn assert_near(value: f64, expected: f64) {
    assert!((value - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{value} is not {expected}");
}

#[test]
fn a_speedup_is_a_mean_of_ratios() {
    let unscaled = provisioning([0.2, 0.4, 0.5, 0.5]);
    assert_eq!(speedup(&unscaled, &unscaled, &Weights::default()), Speedup { factor: 1.0, floored: 0 });
    // Ratios 4, 1, 4, 1: the fourth root of 16.
    let better = provisioning([0.05, 0.4, 0.125, 0.5]);
    assert_near(speedup(&unscaled, &better, &Weights::default()).factor, 2.0);
    assert_near(speedup(&better, &unscaled, &Weights::default()).factor, 0.5);
    // Only too little counts: the root of 16. Weights need not add up to one.
    let weights = Weights { accuracy_under: 3.0, accuracy_over: -1.0, time_under: 3.0, time_over: f64::NAN };
    assert_near(speedup(&unscaled, &better, &weights).factor, 4.0);
    assert_eq!(speedup(&Provisioning::default(), &better, &weights).floored, 2, "what does not weigh leans on nothing");
    let none = Weights { accuracy_under: 0.0, accuracy_over: 0.0, time_under: f64::INFINITY, time_over: 0.0 };
    assert_eq!(speedup(&unscaled, &better, &none), Speedup { factor: 1.0, floored: 0 });
}

#[test]
fn a_perfect_run_divides_by_the_floor() {
    let perfect = Provisioning::default();
    assert_eq!(speedup(&perfect, &perfect, &Weights::default()), Speedup { factor: 1.0, floored: 4 });
    // 0.016 / 0.001 in one figure of four: the fourth root of 16.
    let (before, after) = (provisioning([0.016, 0.1, 0.1, 0.1]), provisioning([0.0, 0.1, 0.1, 0.1]));
    let gain = speedup(&before, &after, &Weights::default());
    assert_near(gain.factor, 2.0);
    assert_eq!(gain.floored, 1);
    assert_near(speedup(&after, &before, &Weights::default()).factor, 0.5);
}

#[test]
fn a_deviation_is_a_distance_from_perfect() {
    // 3³ + 4³ + 5³ = 6³, where too little and too much weigh the same: (2 + 4) / 2 and (1 + 7) / 2.
    let off = provisioning([0.02, 0.04, 0.01, 0.07]);
    assert_near(deviation(&off, 0.05, PENALTY), 0.06);
    assert_near(deviation(&off, 0.05, f64::NAN), 0.06);
    // Only too little, and only too much.
    assert_near(deviation(&provisioning([0.03, 9.0, 0.04, 9.0]), 0.05, 1.0), 0.06);
    assert_near(deviation(&provisioning([9.0, 0.03, 9.0, 0.04]), 0.05, -1.0), 0.06);
    assert_eq!(deviation(&Provisioning::default(), 0.0, PENALTY), 0.0);
}

#[test]
fn distances_of_other_orders() {
    assert_near(distance(&[3.0, -4.0], 2.0), 5.0);
    assert_near(distance(&[3.0, -4.0], 1.0), 7.0);
    assert_near(distance(&[3.0, -4.0], f64::NEG_INFINITY), 7.0);
    assert_eq!(distance(&[3.0, -4.0], f64::INFINITY), 4.0);
    assert_near(distance(&[3e300, 4e300], 2.0) / 1e300, 5.0);
    assert_eq!(distance(&[], 2.0), 0.0);
    assert_eq!(distance(&[f64::INFINITY, 1.0], 2.0), f64::INFINITY);
    assert!(distance(&[f64::NAN, f64::INFINITY], 2.0).is_nan());
}

#[test]
fn the_largest_numbers_do_no_harm() {
    let mut following = Following::new(Span::from_nanos(1));
    for _ in 0..3 {
        following.hold(u32::MAX, 0, Span::MAX);
        following.hold(0, u32::MAX, Span::MAX);
    }
    let of = following.finish().expect("time");
    assert_near(of.provisioning.accuracy_under, 0.5);
    assert_near(of.provisioning.accuracy_over, f64::from(u32::MAX) / 2.0);
    assert_eq!((of.judged, of.shortages.total, of.instability.steps), (Span::MAX, Span::MAX, u64::MAX));
}

#[test]
fn a_level_that_is_never_in_force_is_nothing() {
    let mut following = Following::new(Span::from_secs(1));
    following.hold(9, 1, Span::ZERO);
    assert_eq!(following.clone().finish(), None);
    for supply in [2, 5, 2] {
        following.hold(2, supply, if supply == 5 { Span::ZERO } else { Span::from_secs(2) });
    }
    let of = following.finish().expect("time");
    assert_eq!((of.supply_adaptations, of.shortages.count), (Adaptations::default(), 0));
    assert_eq!((of.provisioning, of.instability.steps), (Provisioning::default(), 3));
}

/// Points within two minutes, in seconds, with small levels.
fn points() -> impl Strategy<Value = Vec<(u64, u32)>> {
    prop::collection::vec((0_u64..120, 0_u32..6), 0..12)
}

fn scaled(points: &[(u64, u32)], unit: Span) -> Curve {
    Curve::new(points.iter().map(|(at, level)| (Instant::after_start(unit.times(*at)), *level)).collect())
}

fn scaled_metrics(demand: &[(u64, u32)], supply: &[(u64, u32)], (from, to): (u64, u64), unit: Span) -> Elasticity {
    let at = |count| Instant::after_start(unit.times(count));
    let over = at(from)..at(to);
    Elasticity::of(&scaled(demand, unit), &scaled(supply, unit), &over, unit.times(7)).expect("time")
}

proptest! {
    #[test]
    fn a_perfect_supply_has_nothing_to_answer_for(demand in points(), from in 0_u64..60, length in 1_u64..60) {
        let of = scaled_metrics(&demand, &demand, (from, from + length), Span::from_secs(1));
        prop_assert_eq!(of.provisioning, Provisioning::default());
        prop_assert_eq!(of.instability.share(), 0.0);
        prop_assert_eq!((of.jitter_per_hour, of.missing_mean, of.spare_mean), (0.0, 0.0, 0.0));
        prop_assert_eq!(of.shortages, Shortages::default());
        prop_assert_eq!(of.demand_hours, of.supply_hours);
        prop_assert_eq!(deviation(&of.provisioning, of.instability.share(), PENALTY), 0.0);
    }

    #[test]
    fn slower_clocks_show_the_same_shares(
        (demand, supply, factor) in (points(), points(), 2_u64..5000), (from, length) in (0_u64..60, 1_u64..60)
    ) {
        let of = |unit| scaled_metrics(&demand, &supply, (from, from + length), unit);
        let (fast, slow) = (of(Span::from_secs(1)), of(Span::from_secs(factor)));
        let near = |one: f64, other: f64| (one - other).abs() <= 1e-12 * one.abs().max(1.0);
        let all = |of: &Elasticity| {
            let Provisioning { accuracy_under, accuracy_over, time_under, time_over } = of.provisioning;
            [accuracy_under, accuracy_over, time_under, time_over, of.missing_mean, of.spare_mean]
        };
        for (one, other) in all(&fast).into_iter().zip(all(&slow)) {
            prop_assert!(near(one, other), "{} {}", one, other);
        }
        prop_assert_eq!(fast.instability, slow.instability);
        prop_assert_eq!(fast.supply_adaptations, slow.supply_adaptations);
        prop_assert!(near(fast.jitter_per_hour, slow.jitter_per_hour * factor as f64));
        prop_assert!(near(fast.supply_hours * factor as f64, slow.supply_hours));
        prop_assert_eq!(fast.shortages.longest.times(factor), slow.shortages.longest);
    }

    #[test]
    fn the_parts_fit_together(demand in points(), supply in points(), from in 0_u64..60, length in 1_u64..60) {
        let of = scaled_metrics(&demand, &supply, (from, from + length), Span::from_secs(1));
        let Provisioning { accuracy_under, time_under, time_over, .. } = of.provisioning;
        prop_assert!(accuracy_under <= time_under + 1e-12, "no more can be missing than all");
        prop_assert!(of.accuracy_over_of_supply <= time_over + 1e-12);
        prop_assert!(time_under + time_over <= 1.0 + 1e-12);
        prop_assert_eq!(of.shortages.total.nanos() as f64 / of.judged.nanos() as f64, time_under);
        prop_assert!(of.instability.above + of.instability.below <= of.instability.steps);
        let balance = (of.supply_hours - of.demand_hours) * 3600.0 / length as f64;
        prop_assert!((of.spare_mean - of.missing_mean - balance).abs() < 1e-12);
    }

    #[test]
    fn pieces_of_a_stretch_count_as_the_whole(
        stretches in prop::collection::vec((0_u32..5, 0_u32..5, 1_u64..1000, 0_u64..1000), 1..20), step in 0_u64..300
    ) {
        let (mut whole, mut cut) = (Following::new(Span::from_nanos(step)), Following::new(Span::from_nanos(step)));
        for (demand, supply, length, at) in stretches {
            whole.hold(demand, supply, Span::from_nanos(length));
            let first = at.min(length);
            for piece in [first, length - first] {
                cut.hold(demand, supply, Span::from_nanos(piece));
            }
        }
        prop_assert_eq!(whole.finish(), cut.finish());
    }

    /// The plain way: second by second, as the formulas are written.
    #[test]
    fn a_slow_sum_over_every_second_says_the_same(
        (demand, supply) in (points(), points()), (from, length, step) in (0_u64..60, 1_u64..60, 1_u64..9)
    ) {
        let second = Span::from_secs(1);
        let (d, s) = (scaled(&demand, second), scaled(&supply, second));
        let at = |count| Instant::after_start(second.times(count));
        let of = Elasticity::of(&d, &s, &(at(from)..at(from + length)), second.times(step)).expect("time");
        let levels = |count: u64| (i64::from(d.at(at(from + count))), i64::from(s.at(at(from + count))));
        let mut sums = [0.0; 7];
        for (demand, supply) in (0..length).map(levels) {
            let (less, more) = ((demand - supply).max(0) as f64, (supply - demand).max(0) as f64);
            let (by_demand, by_supply) = (demand.max(1) as f64, supply.max(1) as f64);
            let relative = [less / by_demand, more / by_demand, less.min(1.0), more.min(1.0), more / by_supply];
            for (sum, share) in sums.iter_mut().zip(relative.into_iter().chain([less, more])) {
                *sum += share / length as f64;
            }
        }
        let Provisioning { accuracy_under, accuracy_over, time_under, time_over } = of.provisioning;
        let relative = [accuracy_under, accuracy_over, time_under, time_over, of.accuracy_over_of_supply];
        for (fast, slow) in relative.into_iter().chain([of.missing_mean, of.spare_mean]).zip(sums) {
            prop_assert!((fast - slow).abs() < 1e-12, "{} {}", fast, slow);
        }
        let mut seen = Instability::default();
        for look in (1..).map(|count| count * step).take_while(|look| *look < length) {
            let ((demand, supply), (demand_before, supply_before)) = (levels(look), levels(look - step));
            let apart = (supply - supply_before).signum() - (demand - demand_before).signum();
            seen.steps += 1;
            seen.above += u64::from(apart > 0);
            seen.below += u64::from(apart < 0);
        }
        prop_assert_eq!(of.instability, seen);
    }
}
