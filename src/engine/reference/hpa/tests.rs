use super::*;
use proptest::prelude::*;

fn at(seconds: u64) -> Instant {
    Instant::after_start(Span::from_secs(seconds))
}

fn wants(replicas: i32) -> Vec<Proposal> {
    vec![Proposal { kind: MetricKind::Resource, replicas: Ok(replicas) }]
}

fn knows_nothing(kind: MetricKind) -> Proposal {
    Proposal { kind, replicas: Err(CountError::NoMetrics) }
}

fn between(min: i32, max: i32) -> Settings {
    Settings { bounds: Bounds { min, max }, ..Settings::default() }
}

fn rate(value: i32, seconds: u64) -> Vec<Policy> {
    vec![Policy { kind: PolicyKind::Pods, value, period: Span::from_secs(seconds) }]
}

/// Looks every 15 s while so many are wanted, carries out what is decided, and says how many there were after each look.
fn run(hpa: &mut Hpa, from: u64, current: &mut i32, wanted: &[i32]) -> Vec<i32> {
    let mut counts = Vec::new();
    for (look, replicas) in (0..).zip(wanted) {
        let now = at(from).plus(SYNC_PERIOD.times(look));
        let decision = hpa.decide(now, *current, &wants(*replicas));
        hpa.applied(now, &decision);
        *current = decision.replicas;
        counts.push(*current);
    }
    counts
}

#[test]
fn a_flash_sale_without_a_behaviour() {
    let mut hpa = Hpa::new(between(2, 50));
    let mut current = 3;
    // 3 may become 6, 6 may become 12; 20 is less than 24.
    assert_eq!(run(&mut hpa, 0, &mut current, &[20; 4]), [6, 12, 20, 20]);
    // Now 2 are enough. 20 were wanted last at 45 s: until 345 s that counts, at 360 s no more. Looks are at 60 s and every
    // 15 s after it, so the 21st is the first to go down, and it goes all the way.
    let counts = run(&mut hpa, 60, &mut current, &[2; 22]);
    assert_eq!(counts.iter().position(|count| *count != 20), Some(20));
    assert_eq!(counts[20..], [2, 2]);
}

#[test]
fn a_start_takes_nothing_away_at_once() {
    let mut hpa = Hpa::new(between(1, 50));
    let decision = hpa.decide(at(100), 9, &wants(3));
    assert_eq!(decision.replicas, 9);
    assert_eq!(decision.why, None);
    assert_eq!((decision.wanted, decision.stabilised), (Some(3), Some(9)));
    assert_eq!(decision.able, AbleToScale::ScaleDownStabilised);
    // The 9 of the start are exactly 5 min old at 400 s, and count; then the 3 do.
    assert_eq!(hpa.decide(at(400), 9, &wants(2)).replicas, 9);
    let decision = hpa.decide(at(401), 9, &wants(2));
    assert_eq!((decision.replicas, decision.why), (2, Some(Why::AllBelowTarget)));
    assert_eq!(decision.able, AbleToScale::SucceededRescale);
}

#[test]
fn what_somebody_else_takes_away_is_given_back() {
    let mut hpa = Hpa::new(between(1, 50));
    let _ = hpa.decide(at(0), 8, &wants(8));
    let decision = hpa.decide(at(15), 5, &wants(5));
    assert_eq!((decision.replicas, decision.why), (8, Some(Why::WantedLately)));
}

#[test]
fn a_behaviour_limits_both_ways() {
    let up = ScalingRules { policies: rate(4, 60), ..ScalingRules::up() };
    let down = ScalingRules { policies: rate(2, 30), stabilisation: Some(Span::from_secs(45)), ..ScalingRules::down() };
    let mut hpa = Hpa::new(Settings { behaviour: Some(Behaviour { up, down }), ..between(1, 50) });
    let mut current = 3;
    // Four at once, then none until a minute later.
    assert_eq!(run(&mut hpa, 0, &mut current, &[20; 6]), [7, 7, 7, 7, 11, 11]);
    // 20 were wanted last at 75 s, and count while younger than 45 s: at 90 s and 105 s, not at 120 s. Then the four that
    // were added at 60 s are not in the last 30 s any more: 11 - 2, and two more each 30 s.
    assert_eq!(run(&mut hpa, 90, &mut current, &[2; 7]), [11, 11, 9, 9, 7, 7, 5]);
    // A need that comes back: 5 now, and in the last minute (from 135 s on, strictly) 2 + 2 removed, none added: 9 + 4.
    assert_eq!(run(&mut hpa, 195, &mut current, &[20]), [13]);
}

#[test]
fn the_default_behaviour_is_like_none_but_for_the_edges() {
    let mut hpa = Hpa::new(Settings { behaviour: Some(Behaviour::default()), ..between(2, 50) });
    let mut current = 3;
    // Four or as many again, each 15 s: 7, then 14, then all.
    assert_eq!(run(&mut hpa, 0, &mut current, &[20; 4]), [7, 14, 20, 20]);
    // 20 were wanted last at 45 s, and count while younger than 5 min: at 330 s, but not at 345 s, the 20th look from 60 s.
    let counts = run(&mut hpa, 60, &mut current, &[2; 21]);
    assert_eq!(counts.iter().position(|count| *count != 20), Some(19));
    assert_eq!(counts[19..], [2, 2]);
}

#[test]
fn less_than_nothing_is_nothing() {
    let mut hpa = Hpa::new(Settings { down_stabilisation: Span::ZERO, ..between(0, 9) });
    let _ = hpa.decide(at(0), 2, &wants(2));
    let decision = hpa.decide(at(15), 2, &wants(-3));
    assert_eq!((decision.replicas, decision.wanted), (0, Some(0)));
    assert_eq!(decision.limited.map(|limited| limited.by), Some(LimitedBy::DesiredWithinRange));
}

#[test]
fn a_direction_can_be_switched_off() {
    let down = ScalingRules { select: Select::Disabled, ..ScalingRules::down() };
    let behaviour = Some(Behaviour { up: ScalingRules::up(), down });
    let mut hpa = Hpa::new(Settings { behaviour, down_stabilisation: Span::ZERO, ..between(1, 50) });
    let mut current = 6;
    assert_eq!(run(&mut hpa, 0, &mut current, &[9, 1, 1, 30, 1]), [9, 9, 9, 18, 18]);
    let decision = hpa.decide(at(600), 18, &wants(1));
    assert_eq!(decision.limited.map(|limited| limited.by), Some(LimitedBy::ScaleDownLimit));
}

#[test]
fn growth_waits_where_it_is_told_to() {
    let up = ScalingRules { stabilisation: Some(Span::from_secs(60)), ..ScalingRules::up() };
    let mut hpa =
        Hpa::new(Settings { behaviour: Some(Behaviour { up, down: ScalingRules::down() }), ..between(1, 50) });
    let decision = hpa.decide(at(0), 4, &wants(4));
    assert_eq!(decision.able, AbleToScale::ReadyForNewScale);
    let decision = hpa.decide(at(59), 4, &wants(6));
    assert_eq!((decision.replicas, decision.able), (4, AbleToScale::ScaleUpStabilised));
    // At 119 s the 4 are forgotten, and the 6 of 59 s are exactly a minute old.
    assert_eq!(hpa.decide(at(119), 4, &wants(7)).replicas, 7);
    // Where nothing says how long, it does not wait.
    let up = ScalingRules { stabilisation: None, ..ScalingRules::up() };
    hpa.settings.behaviour = Some(Behaviour { up, down: ScalingRules::down() });
    assert_eq!(hpa.decide(at(120), 7, &wants(9)).replicas, 9);
}

#[test]
fn outside_the_bounds_no_metric_is_asked() {
    let mut hpa = Hpa::new(between(3, 8));
    for (current, replicas, why) in [(11, 8, Why::AboveMax), (2, 3, Why::BelowMin)] {
        let decision = hpa.decide(at(0), current, &[knows_nothing(MetricKind::Pods)]);
        assert_eq!((decision.replicas, decision.why), (replicas, Some(why)));
        assert_eq!((decision.active, decision.limited, decision.wanted), (None, None, None));
        assert_eq!(decision.able, AbleToScale::SucceededRescale);
    }
    assert_eq!(hpa.memory.recommendations.as_ref().map(Vec::len), Some(1), "only the start was remembered");
}

#[test]
fn who_knows_nothing_stops_the_way_down() {
    let quiet = || vec![wants(2).remove(0), knows_nothing(MetricKind::External)];
    let settings = Settings { down_stabilisation: Span::ZERO, ..between(1, 9) };
    let mut hpa = Hpa::new(settings);
    let decision = hpa.decide(at(1), 4, &quiet());
    assert_eq!(decision.replicas, 4);
    assert_eq!(decision.active, Some(ScalingActive::Failed(Some(MetricKind::External))));
    assert_eq!(decision.active.map(ScalingActive::name), Some("FailedGetExternalMetric"));
    assert_eq!((decision.able, decision.limited), (AbleToScale::SucceededGetScale, None));
    let decision = hpa.decide(at(2), 1, &quiet());
    assert_eq!((decision.replicas, decision.active), (2, Some(ScalingActive::ValidMetricFound(0))));
    assert_eq!(hpa.decide(at(3), 1, &[]).active, Some(ScalingActive::Failed(None)));
}

#[test]
fn a_change_that_was_not_made_counts_against_no_rate() {
    let up = ScalingRules { policies: rate(4, 60), ..ScalingRules::up() };
    let mut hpa =
        Hpa::new(Settings { behaviour: Some(Behaviour { up, down: ScalingRules::down() }), ..between(1, 50) });
    let first = hpa.decide(at(0), 3, &wants(20));
    assert_eq!(first.replicas, 7);
    // It failed, so there are still 3, and 4 may be added.
    assert_eq!(hpa.decide(at(15), 3, &wants(20)).replicas, 7);
    hpa.applied(at(15), &first);
    assert_eq!(hpa.decide(at(30), 7, &wants(20)).replicas, 7);
}

#[test]
fn at_zero_only_its_own_doing_is_undone() {
    let of = |kind, replicas| vec![Proposal { kind, replicas: Ok(replicas) }];
    let settings = |at_zero| Settings { at_zero, down_stabilisation: Span::ZERO, ..between(0, 9) };
    let to_zero = |at_zero, kind| {
        let mut hpa = Hpa::new(settings(at_zero));
        let _ = hpa.decide(at(0), 2, &of(kind, 2));
        let decision = hpa.decide(at(15), 2, &of(kind, 0));
        hpa.applied(at(15), &decision);
        assert_eq!(decision.replicas, 0);
        hpa
    };
    let woken = |hpa: &mut Hpa, kind| hpa.decide(at(30), 0, &of(kind, 3));

    let mut hpa = to_zero(AtZero::OwnDoing, MetricKind::External);
    assert_eq!(hpa.memory.scaled_to_zero, Some(true));
    let decision = woken(&mut hpa, MetricKind::External);
    assert_eq!((decision.replicas, decision.scaled_to_zero), (3, Some(false)));
    // Nobody can measure the CPU of no pods.
    let mut hpa = to_zero(AtZero::OwnDoing, MetricKind::Resource);
    assert_eq!(hpa.memory.scaled_to_zero, Some(false));
    assert_eq!(woken(&mut hpa, MetricKind::Resource).active, Some(ScalingActive::ScalingDisabled));
    // Somebody else did it.
    let mut hpa = Hpa::new(settings(AtZero::OwnDoing));
    assert_eq!(woken(&mut hpa, MetricKind::External).replicas, 0);
    // Releases that do not know, or did not ask, who it was.
    let mut hpa = to_zero(AtZero::LeftAlone, MetricKind::External);
    assert_eq!((woken(&mut hpa, MetricKind::External).replicas, hpa.memory.scaled_to_zero), (0, None));
    hpa.memory.scaled_to_zero = Some(true);
    assert_eq!((woken(&mut hpa, MetricKind::External).replicas, hpa.memory.scaled_to_zero), (0, None));
    let mut hpa = Hpa::new(settings(AtZero::MinIsZero));
    assert_eq!(woken(&mut hpa, MetricKind::External).replicas, 3);
    hpa.settings.bounds.min = 1;
    assert_eq!(woken(&mut hpa, MetricKind::External).replicas, 0);
}

#[test]
fn who_was_held_above_zero_was_not_taken_to_zero() {
    let of = |replicas| vec![Proposal { kind: MetricKind::External, replicas: Ok(replicas) }];
    let mut hpa = Hpa::new(Settings { at_zero: AtZero::OwnDoing, down_stabilisation: Span::ZERO, ..between(0, 9) });
    let _ = hpa.decide(at(0), 4, &of(4));
    let wish = hpa.decide(at(15), 4, &of(0));
    assert_eq!((wish.replicas, wish.scaled_to_zero), (0, Some(true)));
    // Somebody left one of them. When that one goes, too, it is not this autoscaler's doing.
    hpa.applied(at(15), &Decision { replicas: 1, ..wish });
    assert_eq!(hpa.memory.scaled_to_zero, Some(false));
    assert_eq!(hpa.decide(at(30), 0, &of(5)).active, Some(ScalingActive::ScalingDisabled));
}

#[test]
fn a_target_that_may_not_stay_at_zero_comes_back() {
    let mut hpa = Hpa::new(Settings { at_zero: AtZero::OwnDoing, ..between(2, 9) });
    hpa.memory.scaled_to_zero = Some(true);
    for behaviour in [None, Some(Behaviour::default())] {
        hpa.settings.behaviour = behaviour;
        let decision = hpa.decide(at(0), 0, &wants(0));
        assert_eq!((decision.replicas, decision.why), (2, Some(Why::BelowMin)));
    }
}

#[test]
fn the_calculator_takes_the_tolerance_of_the_behaviour() {
    let up = ScalingRules { tolerance: Some(Permille::percent(1)), ..ScalingRules::up() };
    let settings = Settings {
        behaviour: Some(Behaviour { up, down: ScalingRules::down() }),
        tolerance: Permille::percent(20),
        ..Settings::default()
    };
    let expected = Tolerances { up: Permille::percent(1), down: Permille::percent(20) };
    assert_eq!(settings.calculator().tolerances, expected);
    assert_eq!(Settings::default().calculator(), Calculator::default());
}

fn some_rules() -> impl Strategy<Value = ScalingRules> {
    let kind = prop_oneof![Just(PolicyKind::Pods), Just(PolicyKind::Percent)];
    let policy = (kind, 1..200, 1u64..120).prop_map(|(kind, value, seconds)| Policy {
        kind,
        value,
        period: Span::from_secs(seconds),
    });
    let select = prop_oneof![Just(Select::Max), Just(Select::Min), Just(Select::Disabled)];
    (prop::option::of(0u64..200), select, prop::collection::vec(policy, 0..4)).prop_map(
        |(stabilisation, select, policies)| ScalingRules {
            stabilisation: stabilisation.map(Span::from_secs),
            select,
            policies,
            tolerance: None,
        },
    )
}

fn some_settings() -> impl Strategy<Value = Settings> {
    let behaviour = (some_rules(), some_rules()).prop_map(|(up, down)| Behaviour { up, down });
    (1..20, 0..100, prop::option::of(behaviour))
        .prop_map(|(min, more, behaviour)| Settings { behaviour, ..between(min, min + more) })
}

proptest! {
    #[test]
    fn a_target_never_leaves_its_bounds(
        settings in some_settings(),
        start in 1..120,
        wanted in prop::collection::vec(-5..200, 1..40),
    ) {
        let (min, max) = (settings.bounds.min, settings.bounds.max);
        let mut hpa = Hpa::new(settings);
        let mut current = start;
        for count in run(&mut hpa, 0, &mut current, &wanted) {
            prop_assert!((min..=max).contains(&count));
        }
    }

    #[test]
    fn a_change_never_goes_against_what_is_wanted(
        settings in some_settings(),
        wanted in prop::collection::vec(0..200, 1..40),
    ) {
        let mut hpa = Hpa::new(settings);
        let mut current = hpa.settings.bounds.min;
        let has_behaviour = hpa.settings.behaviour.is_some();
        for (look, wish) in (0..).zip(wanted) {
            let now = at(look * 15);
            let decision = hpa.decide(now, current, &wants(wish));
            hpa.applied(now, &decision);
            if has_behaviour {
                let stabilised = decision.stabilised.unwrap();
                prop_assert!((current.min(stabilised)..=current.max(stabilised)).contains(&decision.replicas));
            }
            current = decision.replicas;
        }
    }

    #[test]
    fn a_steady_load_ends_in_silence(settings in some_settings(), wish in 0i32..200) {
        let mut hpa = Hpa::new(Settings { behaviour: settings.behaviour.map(|_| Behaviour::default()), ..settings });
        let bounds = hpa.settings.bounds;
        let mut current = bounds.min;
        let expected = wish.max(bounds.min).min(bounds.max);
        // From any of them to any other in 7 doublings, and 5 min until the first is forgotten.
        let counts = run(&mut hpa, 0, &mut current, &[wish; 40]);
        prop_assert!(counts[30..].iter().all(|count| *count == expected), "{counts:?}");
        // There and back again.
        let back = run(&mut hpa, 6000, &mut current, &[0; 40]);
        prop_assert_eq!(back.last(), Some(&bounds.min));
    }

    #[test]
    fn no_period_sees_more_than_its_policy_allows(
        value in 1..10,
        seconds in 15u64..120,
        wanted in prop::collection::vec(20..200, 1..60),
    ) {
        let up = ScalingRules { policies: rate(value, seconds), ..ScalingRules::up() };
        let down = ScalingRules { select: Select::Disabled, ..ScalingRules::down() };
        let mut hpa = Hpa::new(Settings { behaviour: Some(Behaviour { up, down }), ..between(1, 500) });
        let mut current = 1;
        let counts = run(&mut hpa, 0, &mut current, &wanted);
        for (end, last) in counts.iter().enumerate() {
            let begun = counts[..end].iter().enumerate().rfind(|(look, _)| (end - look) as u64 * 15 >= seconds);
            prop_assert!(last - begun.map_or(1, |(_, count)| *count) <= value, "{counts:?}");
        }
    }

    #[test]
    fn lists_of_the_past_stay_short(settings in some_settings(), wanted in prop::collection::vec(0..200, 200)) {
        let mut hpa = Hpa::new(settings);
        let mut current = hpa.settings.bounds.min;
        run(&mut hpa, 0, &mut current, &wanted);
        // Windows are up to 5 min and periods up to 2: 20 and 8 looks, one that is exactly as old, and one more.
        prop_assert!(hpa.memory.recommendations.unwrap().len() <= 22);
        prop_assert!(hpa.memory.events.up.len() <= 10 && hpa.memory.events.down.len() <= 10);
    }
}
