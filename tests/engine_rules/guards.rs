//! What the engine must not be talked into, whatever it is shown.

use crate::stage::Stage;
use crate::stage::guards;
use crate::stage::host;
use crate::stage::instance;
use crate::stage::limits;
use crate::stage::name;
use crate::stage::service;
use crate::stage::usage;
use plimsoll::engine::Engine;
use plimsoll::model::Decision;
use plimsoll::model::Guard;
use plimsoll::model::InstanceState;
use plimsoll::model::Limits;
use plimsoll::model::Policy;
use plimsoll::model::Usage;
use plimsoll::model::Vertical;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Span;
use std::collections::BTreeMap;

fn one_api() -> Stage {
    Stage::new(host([("api", service(limits(1000, 512)))]), Vertical::default())
}

/// What makes a measurement untrue, at the time it is looked at.
type Lie = fn(Instant, &mut Usage);

/// The decision of a check at which the one instance shows this.
fn shown(stage: &mut Stage, change: impl Fn(Instant, &mut Usage)) -> Decision {
    stage.now = stage.now.plus(Span::from_mins(5));
    let now = stage.now;
    let mut shown = usage(now, 500, Bytes::mebi(256));
    change(now, &mut shown);
    stage.service("api").instances[0].usage = Some(shown);
    stage.look()
}

#[test]
fn measurements_that_cannot_be_true_are_not_acted_on() {
    let lies: [(&str, Lie); 7] = [
        ("still to come", |now, usage| usage.at = now.plus(Span::from_secs(1))),
        ("over no time", |_, usage| usage.window = Span::ZERO),
        ("the host's pool has 16", |_, usage| usage.cpu = Millicores::cores(33)),
        ("the host's pool has 64G", |_, usage| usage.memory = Bytes::gibi(129)),
        ("may use 1", |_, usage| usage.cpu = Millicores::new(2001)),
        ("may hold 512M", |_, usage| usage.memory = Bytes::mebi(769)),
        ("may hold 512M", |_, usage| usage.memory_max = Bytes::mebi(769)),
    ];
    for (why, lie) in lies {
        let mut stage = one_api();
        for _ in 0..5 {
            let decision = shown(&mut stage, lie);
            assert!(decision.actions.is_empty(), "{why}");
            let [held] = decision.held.as_slice() else { panic!("{why}: {:?}", decision.held) };
            assert!(matches!(&held.guard, Guard::Absurd { why: text } if text.contains(why)), "{why}: {held:?}");
            assert_eq!(held.resource, None);
        }
    }
}

#[test]
fn a_little_over_the_limit_is_believed() {
    // A period's burst at the edge of a window, or a page cache being written back.
    let mut stage = one_api();
    for _ in 0..3 {
        let _ = shown(&mut stage, |_, usage| (usage.cpu, usage.memory) = (Millicores::new(1990), Bytes::mebi(768)));
    }
    assert_eq!(stage.limits("api"), limits(1250, 640));
}

#[test]
fn a_measurement_is_stale_after_two_minutes_and_not_before() {
    let mut stage = one_api();
    let old = |seconds| move |now: Instant, usage: &mut Usage| usage.at = now.minus(Span::from_secs(seconds));
    assert_eq!(shown(&mut stage, old(120)), Decision::default());
    assert_eq!(shown(&mut stage, old(121)).held[0].guard, Guard::Stale { age: Span::from_secs(121) });
}

#[test]
fn usage_from_before_a_limit_was_cut_is_no_lie() {
    let mut stage = one_api();
    stage.pass(1, (50, 50));
    // Someone cuts the limit to a fifth; the window still reaches back to before.
    stage.service("api").limits = limits(200, 100);
    stage.now = stage.now.plus(Span::from_mins(1));
    let _ = stage.look();
    let decision = shown(&mut stage, |now, usage| {
        usage.at = now.minus(Span::from_mins(1));
    });
    assert_eq!(guards(&decision), ["hysteresis", "hysteresis"]);
}

#[test]
fn one_instance_without_a_measurement_holds_its_service() {
    let mut stage = one_api();
    stage.service("api").instances.push(instance(2));
    for _ in 0..5 {
        stage.now = stage.now.plus(Span::from_mins(5));
        stage.uses("api", (10, 10));
        stage.service("api").instances[1].usage = None;
        let decision = stage.look();
        assert_eq!((guards(&decision), decision.actions.len()), (vec!["no data"], 0));
    }
}

#[test]
fn starting_instances_do_not_count_and_nothing_is_taken_before_all_are_well() {
    let mut stage = one_api();
    stage.service("api").instances.push(instance(2));
    for state in [InstanceState::Starting, InstanceState::Down, InstanceState::Unhealthy] {
        stage.service("api").instances[1].state = state;
        assert_eq!(guards(&stage.checks(4, (10, 50))), ["not ready"], "{state:?}");
    }
    stage.service("api").instances[1].state = InstanceState::Healthy;
    assert_eq!(stage.check((10, 50)).actions.len(), 1);
}

#[test]
fn an_unhealthy_instance_may_get_more() {
    let mut stage = one_api();
    stage.service("api").instances[0].state = InstanceState::Unhealthy;
    assert_eq!(stage.checks(3, (99, 50)).actions.len(), 1);
}

#[test]
fn a_service_that_is_down_is_left_alone() {
    let mut stage = one_api();
    stage.service("api").instances[0].state = InstanceState::Down;
    assert_eq!(guards(&stage.checks(5, (99, 99))), ["not ready"]);
    stage.service("api").instances.clear();
    assert_eq!(guards(&stage.check((99, 99))), ["not ready"]);
}

#[test]
fn what_has_no_limit_gets_none() {
    let mut stage = one_api();
    stage.service("api").limits = Limits { cpu: None, memory: Some(Bytes::ZERO) };
    let decision = stage.checks(5, (0, 0));
    assert_eq!((guards(&decision), decision.actions.len()), (vec!["no limit", "no limit"], 0));
}

#[test]
fn bounds_stop_both_ways_and_name_themselves() {
    let mut stage = Stage::new(host([("api", service(limits(8000, 64)))]), Vertical::default());
    let decision = stage.checks(3, (99, 10));
    let found: Vec<_> = decision.held.into_iter().map(|held| held.guard).collect();
    let bounds = [Guard::AtCpuBound { bound: Millicores::cores(8) }, Guard::AtMemoryBound { bound: Bytes::mebi(64) }];
    assert_eq!(found, bounds);
    let mut stage = Stage::new(host([("api", service(limits(7000, 80)))]), Vertical::default());
    stage.pass(3, (99, 10));
    assert_eq!(stage.limits("api"), limits(8000, 64), "the last step is as long as the bound allows");
}

#[test]
fn a_limit_beyond_its_bounds_comes_back_only_the_way_that_usage_points() {
    let mut stage = Stage::new(host([("api", service(limits(12_000, 32)))]), Vertical::default());
    assert_eq!(guards(&stage.checks(3, (99, 10))), ["at bound", "at bound"]);
    stage.pass(3, (10, 99));
    assert_eq!(stage.limits("api"), limits(8000, 64));
}

#[test]
fn memory_never_goes_below_what_was_held_in_the_window() {
    // Thresholds so close together that a quarter less would be too little.
    let policy = Vertical {
        memory_low: Permille::percent(70),
        memory_high: Permille::percent(80),
        cpu_low: Permille::percent(70),
        ..Vertical::default()
    };
    let mut stage = Stage::new(host([("api", service(limits(1000, 1000)))]), policy);
    let decision = stage.checks(3, (65, 65));
    // 650 is 80 % of 812.5 MiB: 813; and of 0.8125 CPUs: 0.813.
    assert_eq!(stage.limits("api"), limits(813, 813));
    assert_eq!(guards(&decision), ["cpu demand", "working set"], "the step was cut short, and it says so");
    let mut stage = Stage::new(
        host([("api", service(limits(1000, 1000)))]),
        Vertical { memory_low: Permille::percent(79), cpu_low: Permille::percent(79), ..policy },
    );
    let decision = stage.checks(3, (78, 78));
    assert!(decision.actions.is_empty(), "less than a twentieth is not worth an adjustment");
    assert_eq!(decision.held[1].guard, Guard::WorkingSet { seen: Bytes::mebi(780) });
}

#[test]
fn a_peak_in_the_window_counts_against_shrinking_though_it_is_over() {
    let mut stage = one_api();
    for _ in 0..6 {
        let decision = shown(&mut stage, |_, usage| {
            usage.memory = Bytes::mebi(40);
            usage.memory_max = Bytes::mebi(200);
        });
        assert_eq!(decision, Decision::default(), "39 % in the window is within the thresholds");
    }
}

#[test]
fn what_was_granted_counts_before_the_host_shows_it() {
    let both = [("a", service(limits(1000, 512))), ("b", service(limits(1000, 512)))];
    let mut seen = host(both);
    seen.host.pool_cpu = Millicores::new(1125);
    let quick = Vertical { checks: 1, every: Span::from_mins(1), ..Vertical::default() };
    let policies: BTreeMap<_, _> = seen.services.keys().map(|name| (name.clone(), Policy::Vertical(quick))).collect();
    let mut engine = Engine::new(policies);
    let mut look = |minute: u64, busy: &str| {
        let now = Instant::after_start(Span::from_mins(minute));
        for (name, service) in &mut seen.services {
            let cpu = if name.as_str() == busy { 900 } else { 500 };
            service.instances[0].usage = Some(usage(now, cpu, Bytes::mebi(256)));
        }
        engine.observe(now, &seen)
    };
    let _ = look(0, "");
    assert_eq!(look(1, "a").actions.len(), 1, "2.25 CPUs may be promised: 0.25 are free");
    // The limit of `a` is still shown as 1 CPU, but the 0.25 are gone.
    let second = look(2, "b");
    assert_eq!((guards(&second), second.actions.len()), (vec!["cpu pool"], 0));
}

#[test]
fn policies_that_make_no_sense_do_nothing_rather_than_harm() {
    let zero = Permille::ZERO;
    let odd = [
        Vertical { cpu_min: Millicores::cores(9), memory_min: Bytes::gibi(9), ..Vertical::default() },
        Vertical { increase: zero, ..Vertical::default() },
        Vertical { per_day: 0, ..Vertical::default() },
        Vertical { overcommit_cpu: zero, overcommit_memory: zero, ..Vertical::default() },
    ];
    for policy in odd {
        let mut stage = Stage::new(host([("api", service(limits(1000, 512)))]), policy);
        assert!(stage.checks(10, (99, 99)).actions.is_empty(), "{policy:?}");
        assert_eq!(stage.limits("api"), limits(1000, 512));
    }
    let blind = Vertical { memory_high: zero, cpu_high: zero, decrease: zero, ..Vertical::default() };
    let mut stage = Stage::new(host([("api", service(limits(1000, 512)))]), blind);
    stage.pass(10, (20, 20));
    assert!(stage.limits("api").memory >= Some(Bytes::mebi(512)));
}

#[test]
fn a_service_without_a_policy_is_left_as_it_is() {
    let mut seen = host([("api", service(limits(1000, 512)))]);
    let mut engine = Engine::new([(name("api"), Policy::None)].into());
    for minute in 0..60 {
        let now = Instant::after_start(Span::from_mins(minute));
        let service = seen.services.get_mut(&name("api")).expect("api");
        service.instances[0].usage = Some(usage(now, 1000, Bytes::mebi(512)));
        assert_eq!(engine.observe(now, &seen), Decision::default());
    }
}
