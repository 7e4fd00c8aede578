//! Stories and laws of the Nomad autoscaler; the arithmetic is in the comments.

use super::Act;
use super::Action;
use super::Check;
use super::Defaults;
use super::Direction;
use super::EvaluationError;
use super::FixedValue;
use super::Handler;
use super::OnError;
use super::PassThrough;
use super::Point;
use super::Policy;
use super::PolicyError;
use super::Reading;
use super::Reason;
use super::State;
use super::Strategy;
use super::StrategyError;
use super::TargetSeen;
use super::TargetValue;
use super::Threshold;
use super::Tick;
use super::Vote;
use super::cooldown_left_nanos;
use super::winner;
use crate::units::Instant;
use crate::units::Span;
use proptest::prelude::Strategy as _;
use proptest::prelude::prop;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::proptest;
use std::collections::BTreeMap;

const fn at(seconds: u64) -> Instant {
    Instant::after_start(Span::from_secs(seconds))
}

fn points(values: &[f64]) -> Vec<Point> {
    (0..).zip(values).map(|(second, value)| Point { at: at(second), value: *value }).collect()
}

fn reading(values: &[f64]) -> Reading {
    Reading::Points(points(values))
}

/// Direction and count.
fn wish(action: Option<Action>) -> Option<(Direction, i64)> {
    action.map(|action| (action.direction, action.count))
}

fn check(name: &str, group: &str, strategy: Strategy) -> Check {
    Check { group: group.to_owned(), ..Check::new(name.to_owned(), strategy) }
}

/// Steps up above `high` and down below `low`, as people write it: two checks of one group.
fn pair(group: &str, low: f64, high: f64) -> [Check; 2] {
    let above = Threshold { lower_bound: Some(high), within_bounds_trigger: 1, ..Threshold::new(Act::Delta(1)) };
    let below = Threshold { upper_bound: Some(low), within_bounds_trigger: 1, ..Threshold::new(Act::Delta(-1)) };
    [check("high", group, Strategy::Threshold(above)), check("low", group, Strategy::Threshold(below))]
}

fn settings(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_target_is_met_by_as_many_as_the_latest_point_asks_for() {
    // 80 % where 50 % are aimed for: 4 * 1.6 = 6.4, rounded up. What was before does not count.
    let strategy = TargetValue::new(50.0);
    let action = strategy.run(&points(&[10.0, 99.0, 80.0]), 4).expect("there are points");
    assert_eq!(action, Action::new(Direction::Up, 7, Reason::Factor(1.6)));
    assert_eq!(strategy.run(&[], 4), None);
}

#[test]
fn the_threshold_of_a_target_is_inclusive() {
    // A quarter either way of 64 is 48 and 80; both are exact in binary.
    let strategy = TargetValue { threshold: 0.25, ..TargetValue::new(64.0) };
    for (metric, direction) in
        [(80.0, Direction::None), (80.01, Direction::Up), (48.0, Direction::None), (47.99, Direction::Down)]
    {
        assert_eq!(strategy.direction(100, metric / 64.0), direction, "{metric}");
    }
}

#[test]
fn the_last_one_goes_only_when_the_metric_is_zero() {
    let strategy = TargetValue::new(50.0);
    // 1 * 0.02 is rounded up to the one there is.
    assert_eq!(wish(strategy.run(&points(&[1.0]), 1)), Some((Direction::None, 0)));
    assert_eq!(wish(strategy.run(&points(&[0.0]), 1)), Some((Direction::Down, 0)));
    // From zero any metric is enough, within the threshold or not: the factor itself, rounded up.
    assert_eq!(wish(strategy.run(&points(&[50.0]), 0)), Some((Direction::Up, 1)));
    assert_eq!(wish(strategy.run(&points(&[51.0]), 0)), Some((Direction::Up, 2)));
    assert_eq!(wish(strategy.run(&points(&[0.0]), 0)), Some((Direction::None, 0)));
}

#[test]
fn a_queue_that_is_to_be_empty_has_a_target_of_zero() {
    let strategy = TargetValue::new(0.0);
    assert_eq!(wish(strategy.run(&points(&[3.0]), 0)), Some((Direction::Up, 3)));
    assert_eq!(wish(strategy.run(&points(&[3.0]), 2)), Some((Direction::Up, 6)));
    assert_eq!(wish(strategy.run(&points(&[0.0]), 6)), Some((Direction::Down, 0)));
}

#[test]
fn steps_are_limited_in_numbers() {
    let strategy = TargetValue { max_scale_up: Some(2), max_scale_down: Some(3), ..TargetValue::new(10.0) };
    assert_eq!(wish(strategy.run(&points(&[100.0]), 5)), Some((Direction::Up, 7)));
    assert_eq!(wish(strategy.run(&points(&[0.0]), 5)), Some((Direction::Down, 2)));
    // No step at all is none.
    let still = TargetValue { max_scale_up: Some(0), ..strategy };
    assert_eq!(wish(still.run(&points(&[100.0]), 5)), Some((Direction::None, 0)));
}

#[test]
fn a_threshold_counts_points_wherever_they_lie() {
    let strategy =
        Threshold { lower_bound: Some(70.0), upper_bound: Some(90.0), ..Threshold::new(Act::Percentage(25.0)) };
    // The lower bound is inclusive, the upper one exclusive; five are needed. 5 * 1.25 = 6.25, rounded up.
    let five = [70.0, 10.0, 89.9, 75.0, 95.0, 80.0, 71.0];
    assert_eq!(wish(strategy.run(&points(&five), 5)), Some((Direction::Up, 7)));
    let four = [70.0, 10.0, 90.0, 75.0, 95.0, 80.0, 71.0];
    assert_eq!(wish(strategy.run(&points(&four), 5)), Some((Direction::None, 0)));
    assert_eq!(strategy.run(&[], 5), None);
    // What is no number is never within bounds, not even without any.
    let open = Threshold { within_bounds_trigger: 1, ..Threshold::new(Act::Delta(1)) };
    assert_eq!(wish(open.run(&points(&[f64::NAN]), 5)), Some((Direction::None, 0)));
    assert_eq!(wish(open.run(&points(&[-1.0]), 5)), Some((Direction::Up, 6)));
}

#[test]
fn a_percentage_down_is_rounded_up_and_nothing_falls_below_zero() {
    let of =
        |act, count| wish(Threshold { within_bounds_trigger: 0, ..Threshold::new(act) }.run(&points(&[1.0]), count));
    // 10 * 0.95 = 9.5 stays 10; 10 * 0.9 = 9.
    assert_eq!(of(Act::Percentage(-5.0), 10), Some((Direction::None, 0)));
    assert_eq!(of(Act::Percentage(-10.0), 10), Some((Direction::Down, 9)));
    assert_eq!(of(Act::Delta(-3), 2), Some((Direction::Down, 0)));
    assert_eq!(of(Act::Value(8), 2), Some((Direction::Up, 8)));
    assert_eq!(of(Act::Delta(i64::MAX), 2), Some((Direction::Up, i64::MAX)));
}

#[test]
fn a_metric_passes_through_without_its_fraction() {
    let strategy = PassThrough::default();
    assert_eq!(wish(strategy.run(&points(&[6.9]), 2)), Some((Direction::Up, 6)));
    // 2.5 points up from 2, but comes to 2; nothing is to be done.
    let action = strategy.run(&points(&[2.5]), 2).expect("there are points");
    assert_eq!((action.direction, action.count), (Direction::Up, 2));
    assert!(!action.is_needed(2));
    assert_eq!(wish(strategy.run(&points(&[f64::NAN]), 2)), Some((Direction::None, 0)));
    assert_eq!(wish(strategy.run(&points(&[-3.7]), 2)), Some((Direction::Down, -3)));
    let limited = PassThrough { max_scale_up: Some(1), max_scale_down: Some(2) };
    assert_eq!(wish(limited.run(&points(&[20.0]), 10)), Some((Direction::Up, 11)));
    assert_eq!(wish(limited.run(&points(&[0.0]), 10)), Some((Direction::Down, 8)));
}

#[test]
fn settings_of_a_strategy_are_read_by_name() {
    let read = |name, entries: &[(&str, &str)]| Strategy::read(name, &settings(entries));
    let target = TargetValue { max_scale_up: Some(3), ..TargetValue::new(2.5) };
    assert_eq!(
        read("target-value", &[("target", "2.5"), ("max_scale_up", "3"), ("threshold", "")]),
        Ok(Strategy::TargetValue(target))
    );
    assert_eq!(read("fixed-value", &[("value", "-2")]), Ok(Strategy::FixedValue(FixedValue { value: -2 })));
    assert_eq!(read("pass-through", &[]), Ok(Strategy::PassThrough(PassThrough::default())));
    assert_eq!(read("target-value", &[("target", "")]), Err(StrategyError::Missing { key: "target" }));
    let endless = StrategyError::Unreadable { key: "target", text: "Inf".to_owned() };
    assert_eq!(read("target-value", &[("target", "Inf")]), Err(endless));
    let below = [("upper_bound", "1"), ("value", "-1")];
    assert_eq!(read("threshold", &below), Err(StrategyError::Negative { key: "value" }));
    assert_eq!(read("luck", &[]), Err(StrategyError::Unknown { name: "luck".to_owned() }));
}

#[test]
fn bounds_change_the_count_and_say_so() {
    let mut action = Action::new(Direction::Up, 40, Reason::FixedValue(40));
    action.cap(2, 10);
    let capped = Reason::Capped { from: 40, to: 10 };
    assert_eq!((action.count, action.original, action.reason()), (10, Some(40), Some(capped)));
    assert_eq!(action.reasons, [Reason::FixedValue(40), capped]);
    // It still points up; where there are twelve, it is done all the same.
    assert_eq!(action.direction, Direction::Up);
    assert!(action.is_needed(12));
    assert!(!action.is_needed(10));
    // A dry run is out of bounds for bounds.
    action.set_dry_run();
    action.cap(2, 10);
    assert_eq!((action.count, action.dry_run, action.direction), (-1, Some(10), Direction::None));
}

#[test]
fn a_group_acts_on_the_one_check_that_finds_something() {
    // CPU at 5: "low" wants one less and "high" nothing. Of one group, that is one less.
    let policy = |group| Policy { min: 1, max: 10, checks: pair(group, 20.0, 80.0).to_vec(), ..Policy::default() };
    let readings = [reading(&[5.0]), reading(&[5.0])];
    let action = policy("cpu").evaluate(&readings, 4).expect("there are points");
    assert_eq!((action.direction, action.count), (Direction::Down, 3));
    // Without a name "nothing" holds it back.
    let action = policy("").evaluate(&readings, 4).expect("there are points");
    assert_eq!(action.direction, Direction::None);
    assert!(!action.is_needed(4));
}

#[test]
fn between_groups_the_safest_wins() {
    let mut checks = pair("cpu", 20.0, 80.0).to_vec();
    checks.extend(pair("memory", 20.0, 80.0));
    let policy = Policy { min: 1, max: 10, checks, ..Policy::default() };
    let of = |cpu: f64, memory: f64| {
        let readings = [reading(&[cpu]), reading(&[cpu]), reading(&[memory]), reading(&[memory])];
        policy.evaluate(&readings, 4).map(|action| action.direction)
    };
    assert_eq!(of(5.0, 95.0), Ok(Direction::Up));
    assert_eq!(of(5.0, 50.0), Ok(Direction::None));
    assert_eq!(of(5.0, 5.0), Ok(Direction::Down));
    assert_eq!(Policy { checks: Vec::new(), ..policy }.evaluate(&[], 4), Ok(Action::default()));
}

#[test]
fn of_two_ways_down_the_shorter_one_is_safer() {
    let down =
        |count| Vote { action: Some(Action::new(Direction::Down, count, Reason::WithinBounds)), ..Vote::default() };
    assert_eq!(winner(&[down(2), down(5), down(3)]).map(|action| action.count), Some(5));
}

#[test]
fn an_error_that_is_passed_over_still_holds_back_down() {
    let broken = check("broken", "", Strategy::PassThrough(PassThrough::default()));
    let fixed = check("fixed", "", Strategy::FixedValue(FixedValue { value: 2 }));
    let policy = Policy { min: 1, max: 10, checks: vec![broken, fixed], ..Policy::default() };
    let readings = [Reading::StrategyFailed, reading(&[])];
    let of = |policy: &Policy| policy.evaluate(&readings, 4).map(|action| action.direction);
    assert_eq!(of(&policy), Ok(Direction::None));
    // The policy says it shall fail; the check says it shall not, and wins.
    let failing = Policy { on_check_error: Some(OnError::Fail), ..policy };
    assert_eq!(of(&failing), Err(EvaluationError::StrategyFailed { check: "broken".to_owned() }));
    let mut lenient = failing;
    lenient.checks[0].on_error = Some(OnError::Ignore);
    assert_eq!(of(&lenient), Ok(Direction::None));
}

#[test]
fn who_gets_no_points_ends_the_evaluation() {
    let checks = vec![
        Check { on_error: Some(OnError::Ignore), ..check("a", "", Strategy::PassThrough(PassThrough::default())) },
        check("b", "", Strategy::FixedValue(FixedValue { value: 9 })),
    ];
    let policy = Policy { min: 1, max: 10, checks, ..Policy::default() };
    let silent = EvaluationError::NoPoints { check: "a".to_owned() };
    let failed = EvaluationError::SourceFailed { check: "a".to_owned() };
    assert_eq!(policy.evaluate(&[reading(&[]), reading(&[])], 4), Err(silent));
    assert_eq!(policy.evaluate(&[Reading::SourceFailed], 4), Err(failed.clone()));
    assert_eq!(policy.evaluate(&[], 4), Err(failed));
    // A check whose time it is not is left out; a fixed value asks for nothing.
    let left_out = policy.evaluate(&[Reading::OutsideSchedule, Reading::SourceFailed], 4);
    assert_eq!(left_out.map(|action| action.count), Ok(9));
}

#[test]
fn points_are_put_in_order_before_the_latest_is_taken() {
    let strategy = Strategy::PassThrough(PassThrough::default());
    let mixed = vec![Point { at: at(9), value: 7.0 }, Point { at: at(3), value: 5.0 }];
    let policy = Policy { checks: vec![check("a", "", strategy)], ..Policy::default() };
    assert_eq!(policy.evaluate(&[Reading::Points(mixed)], 1).map(|action| action.count), Ok(7));
}

#[test]
fn a_check_asks_for_its_window() {
    let mut check = check("a", "", Strategy::FixedValue(FixedValue { value: 1 }));
    assert_eq!(check.range(at(100)), (at(40), at(100)));
    check.query_window_offset = Span::from_secs(30);
    assert_eq!(check.range(at(100)), (at(10), at(70)));
    check.query_instant = true;
    assert_eq!(check.range(at(100)), (at(70), at(70)));
}

#[test]
fn the_agent_fills_what_a_policy_leaves_out() {
    let empty = Policy { cooldown: Span::ZERO, evaluation_interval: Span::ZERO, ..Policy::default() };
    let filled = empty.filled(&Defaults::default());
    assert_eq!((filled.cooldown, filled.evaluation_interval), (Span::from_mins(5), Span::from_secs(10)));
    assert_eq!(filled.cooldown_after(Direction::Up), Span::from_mins(5));
    let quick = Policy { cooldown_on_scale_up: Some(Span::from_mins(1)), ..filled };
    assert_eq!(quick.cooldown_after(Direction::Up), Span::from_mins(1));
    assert_eq!(quick.cooldown_after(Direction::Down), Span::from_mins(5));
    assert_eq!(Policy { min: 3, max: 2, ..quick }.faults(), [PolicyError::MinAboveMax]);
}

/// Rests a minute after a scale-up and five minutes after all else; as many as the metric says.
fn handler() -> Handler {
    let checks = vec![check("a", "", Strategy::PassThrough(PassThrough::default()))];
    let cooldown_on_scale_up = Some(Span::from_mins(1));
    Handler::new(Policy { min: 1, max: 10, cooldown_on_scale_up, checks, ..Policy::default() })
}

fn tick(handler: &mut Handler, now: u64, count: i64, metric: f64) -> Tick {
    handler.tick(at(now), Some(TargetSeen { ready: true, count }), &[reading(&[metric])])
}

#[test]
fn after_an_action_it_rests_strictly_longer_than_its_cooldown() {
    let mut handler = handler();
    assert_eq!(tick(&mut handler, 0, 2, 4.0), Tick::Wanted);
    assert_eq!(handler.grant().count, 4);
    handler.scaled(at(5));
    assert_eq!(tick(&mut handler, 10, 4, 8.0), Tick::Cooling { left: Span::from_secs(55) });
    assert_eq!(tick(&mut handler, 65, 4, 8.0), Tick::Cooling { left: Span::ZERO });
    // Nothing to be done: the rest is over, but nobody notices yet.
    assert_eq!(tick(&mut handler, 75, 4, 4.0), Tick::NotNeeded);
    assert_eq!(handler.memory().state, State::Cooldown);
    assert_eq!(tick(&mut handler, 85, 4, 2.0), Tick::Wanted);
    assert_eq!(handler.grant().count, 2);
    // Down takes the longer rest.
    handler.scaled(at(85));
    assert_eq!(handler.memory().out_of_cooldown, Some(at(385)));
}

#[test]
fn what_was_found_last_is_done_when_the_turn_comes() {
    let mut handler = handler();
    assert_eq!(tick(&mut handler, 0, 2, 4.0), Tick::Wanted);
    assert_eq!(tick(&mut handler, 10, 2, 6.0), Tick::Waiting);
    assert_eq!(handler.grant().count, 6);
    assert_eq!(tick(&mut handler, 20, 2, 1.0), Tick::Scaling);
    // It rests by what was done, not by what was found since.
    handler.scaled(at(20));
    assert_eq!(handler.memory().out_of_cooldown, Some(at(80)));
}

#[test]
fn failures_are_followed_by_no_rest() {
    let mut handler = handler();
    for end in [Handler::failed, Handler::unchanged] {
        assert_eq!(tick(&mut handler, 0, 2, 4.0), Tick::Wanted);
        handler.grant();
        end(&mut handler);
        assert_eq!(handler.memory().state, State::Idle);
    }
    assert_eq!(tick(&mut handler, 0, 2, 4.0), Tick::Wanted);
    handler.refuse();
    assert_eq!(tick(&mut handler, 0, 2, 4.0), Tick::Wanted);
}

#[test]
fn a_target_that_is_away_or_not_ready_is_left_alone() {
    let mut handler = handler();
    let readings = [reading(&[4.0])];
    assert_eq!(handler.tick(at(0), None, &readings), Tick::TargetMissing);
    assert_eq!(handler.tick(at(0), Some(TargetSeen { ready: false, count: 2 }), &readings), Tick::TargetNotReady);
    let silent = Tick::Failed(EvaluationError::NoPoints { check: "a".to_owned() });
    assert_eq!(handler.tick(at(0), Some(TargetSeen { ready: true, count: 2 }), &[reading(&[])]), silent);
    assert_eq!(handler.memory().state, State::Idle);
}

#[test]
fn a_restart_does_not_rest_and_its_timer_cuts_a_later_rest_short() {
    // Scaled last at 100 s; the rest of a minute would last until 160 s.
    let mut handler = Handler::restarted(handler().policy().clone(), at(100));
    assert_eq!(handler.memory().state, State::Cooldown);
    assert_eq!(tick(&mut handler, 120, 4, 2.0), Tick::Wanted);
    handler.grant();
    handler.scaled(at(120));
    assert_eq!(tick(&mut handler, 150, 2, 4.0), Tick::Cooling { left: Span::from_secs(270) });
    assert_eq!(tick(&mut handler, 160, 2, 4.0), Tick::Wanted);
    assert_eq!(cooldown_left_nanos(Span::from_secs(60), at(120), at(100)), 40_000_000_000);
    assert_eq!(cooldown_left_nanos(Span::from_secs(60), at(180), at(100)), -20_000_000_000);
    assert_eq!(cooldown_left_nanos(Span::MAX, at(0), Instant::after_start(Span::MAX)), i64::MAX);
}

fn any_action() -> impl proptest::strategy::Strategy<Value = Action> {
    let direction = prop::sample::select(vec![Direction::Down, Direction::None, Direction::Up]);
    (direction, 0_i64..20).prop_map(|(direction, count)| Action::new(direction, count, Reason::WithinBounds))
}

proptest! {
    #[test]
    fn nothing_is_beyond_the_steps(metric in 0.0..1e6_f64, count in 0_i64..1000, up in 0_i64..50, down in 0_i64..50) {
        let (max_scale_up, max_scale_down) = (Some(up), Some(down));
        let target = TargetValue { max_scale_up, max_scale_down, ..TargetValue::new(50.0) };
        let pass = PassThrough { max_scale_up, max_scale_down };
        for action in [target.run(&points(&[metric]), count), pass.run(&points(&[metric]), count)] {
            let action = action.unwrap_or_default();
            if action.is_needed(count) {
                prop_assert!((count - down..=count + up).contains(&action.count));
                prop_assert_eq!(action.direction, Direction::between(count, action.count));
            }
        }
    }

    #[test]
    fn more_load_never_asks_for_less(metric in 0.0..1e6_f64, more in 0.0..1e5_f64, count in 0_i64..1000) {
        let strategy = TargetValue::new(50.0);
        let of = |metric| match strategy.run(&points(&[metric]), count) {
            Some(action) if action.direction != Direction::None => action.count,
            _ => count,
        };
        prop_assert!(of(metric + more) >= of(metric));
    }

    #[test]
    fn a_constant_load_is_a_fixed_point(load in 0.0..10_000.0_f64, count in 1_i64..500) {
        // The metric is the load of each: what is asked for once is not changed by asking again.
        let strategy = TargetValue::new(50.0);
        let ask = |count: i64| {
            let action = strategy.run(&points(&[load / count as f64]), count).unwrap_or_default();
            if action.is_needed(count) { action.count.max(1) } else { count }
        };
        let once = ask(ask(count));
        prop_assert_eq!(ask(once), once);
    }

    #[test]
    fn the_order_of_votes_does_not_matter(
        drawn in prop::collection::vec((prop::sample::select(vec!["", "cpu", "memory"]), any_action()), 0..8),
        turn in 0_usize..8,
    ) {
        let mut votes: Vec<Vote> =
            drawn.into_iter().map(|(group, action)| Vote { group: group.to_owned(), action: Some(action) }).collect();
        let key = |votes: &[Vote]| {
            winner(votes).map(|action| (action.direction, (action.direction != Direction::None).then_some(action.count)))
        };
        let before = key(&votes);
        let turn = turn.min(votes.len());
        votes.rotate_left(turn);
        prop_assert_eq!(key(&votes), before);
        votes.reverse();
        prop_assert_eq!(key(&votes), before);
    }

    #[test]
    fn an_evaluation_stays_within_bounds(
        metric in prop::num::f64::ANY, count in proptest::num::i64::ANY, min in 0_i64..10, room in 0_i64..10,
        step in proptest::num::i64::ANY, share in prop::num::f64::ANY,
    ) {
        let max = min + room;
        for strategy in [
            Strategy::TargetValue(TargetValue { target: share, threshold: share, ..TargetValue::new(1.0) }),
            Strategy::TargetValue(TargetValue {
                max_scale_up: Some(step), max_scale_down: Some(step), ..TargetValue::new(1.0)
            }),
            Strategy::PassThrough(PassThrough { max_scale_up: Some(step), max_scale_down: Some(step) }),
            Strategy::Threshold(Threshold { within_bounds_trigger: 0, ..Threshold::new(Act::Percentage(share)) }),
            Strategy::Threshold(Threshold { within_bounds_trigger: step, ..Threshold::new(Act::Delta(step)) }),
            Strategy::FixedValue(FixedValue { value: step }),
        ] {
            let policy = Policy { min, max, checks: vec![check("a", "", strategy)], ..Policy::default() };
            let action = policy.evaluate(&[reading(&[metric])], count).unwrap_or_default();
            prop_assert!((min..=max).contains(&action.count) || action.count == super::DRY_RUN_COUNT);
        }
    }
}
