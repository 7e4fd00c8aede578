//! Stories an operator would tell, with the documented figures: every 5 min, 80 % and 30 %, three checks, 30 min cooldown,
//! six a day, ×1.25 and ×0.75, 0.1–8 CPUs, 64–8192 MiB.

use crate::stage::Stage;
use crate::stage::guards;
use crate::stage::host;
use crate::stage::instance;
use crate::stage::limits;
use crate::stage::name;
use crate::stage::service;
use crate::stage::usage;
use plimsoll::model::Action;
use plimsoll::model::Decision;
use plimsoll::model::Guard;
use plimsoll::model::InstanceState;
use plimsoll::model::Reason;
use plimsoll::model::Resource;
use plimsoll::model::Vertical;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Span;

const STEADY: (u64, u64) = (50, 50);
const BUSY: (u64, u64) = (95, 50);
const IDLE: (u64, u64) = (10, 50);

fn one_api() -> Stage {
    Stage::new(host([("api", service(limits(1000, 512)))]), Vertical::default())
}

#[test]
fn one_spike_does_not_scale() {
    let mut stage = one_api();
    assert_eq!(stage.checks(4, STEADY), Decision::default());
    let spike = stage.check(BUSY);
    assert!(spike.actions.is_empty());
    assert_eq!(spike.held[0].guard, Guard::Hysteresis { checks: 1, needed: 3 });
    assert_eq!(stage.checks(20, STEADY), Decision::default(), "the spike is forgotten");
    assert_eq!(stage.limits("api"), limits(1000, 512));
}

#[test]
fn three_high_checks_raise_the_limit_by_a_quarter_and_say_why() {
    let mut stage = one_api();
    assert_eq!(guards(&stage.check(BUSY)), ["hysteresis"]);
    assert_eq!(guards(&stage.check(BUSY)), ["hysteresis"]);
    let third = stage.check(BUSY);
    let why = Reason::AboveThreshold { seen: Permille::percent(95), threshold: Permille::percent(80), checks: 3 };
    let (from, to) = (Millicores::new(1000), Millicores::new(1250));
    assert_eq!(third.actions, [Action::LimitCpu { service: name("api"), from, to, why }]);
    assert!(third.held.is_empty());
    assert_eq!(stage.now, Instant::after_start(Span::from_mins(15)));
}

#[test]
fn three_low_checks_lower_it_by_a_quarter() {
    let mut stage = one_api();
    let third = stage.checks(3, IDLE);
    let why = Reason::BelowThreshold { seen: Permille::percent(10), threshold: Permille::percent(30), checks: 3 };
    let (from, to) = (Millicores::new(1000), Millicores::new(750));
    assert_eq!(third.actions, [Action::LimitCpu { service: name("api"), from, to, why }]);
}

#[test]
fn exactly_on_a_threshold_is_within() {
    // 80 % and 30 % of these are whole bytes.
    let mut stage = Stage::new(host([("api", service(limits(1000, 500)))]), Vertical::default());
    assert_eq!(stage.checks(12, (80, 80)), Decision::default());
    assert_eq!(stage.checks(12, (30, 30)), Decision::default());
}

#[test]
fn a_row_that_is_broken_starts_again() {
    let mut stage = one_api();
    stage.pass(2, BUSY);
    assert_eq!(stage.check(STEADY), Decision::default());
    assert_eq!(guards(&stage.checks(2, BUSY)), ["hysteresis"]);
    assert_eq!(stage.check(BUSY).actions.len(), 1);
}

#[test]
fn between_two_checks_nothing_is_said_and_a_late_look_checks_once() {
    let mut stage = one_api();
    stage.pass(1, BUSY);
    for _ in 0..9 {
        stage.now = stage.now.plus(Span::from_secs(30));
        stage.uses("api", BUSY);
        assert_eq!(stage.look(), Decision::default());
    }
    stage.now = stage.now.plus(Span::from_mins(60));
    stage.uses("api", BUSY);
    assert_eq!(stage.look().held[0].guard, Guard::Hysteresis { checks: 2, needed: 3 });
    assert_eq!(stage.look(), Decision::default(), "the checks that were missed are not made up for");
}

#[test]
fn after_an_adjustment_the_service_is_left_alone_for_half_an_hour() {
    let mut stage = one_api();
    assert_eq!(stage.checks(3, BUSY).actions.len(), 1);
    assert_eq!(guards(&stage.checks(2, BUSY)), ["hysteresis"]);
    let left = |decision: &Decision| decision.held[0].guard.clone();
    assert_eq!(left(&stage.check(BUSY)), Guard::Cooldown { left: Span::from_mins(15) });
    assert_eq!(left(&stage.check(BUSY)), Guard::Cooldown { left: Span::from_mins(10) });
    assert_eq!(left(&stage.check(BUSY)), Guard::Cooldown { left: Span::from_mins(5) });
    assert_eq!(stage.check(BUSY).actions.len(), 1);
    assert_eq!(stage.now, Instant::after_start(Span::from_mins(45)));
}

#[test]
fn cpu_and_memory_are_judged_apart_and_adjusted_together() {
    let mut stage = one_api();
    let third = stage.checks(3, (95, 10));
    let resources: Vec<_> = third.actions.iter().map(Action::resource).collect();
    assert_eq!(resources, [Resource::Cpu, Resource::Memory], "what grows comes first");
    assert_eq!(stage.limits("api"), limits(1250, 384));
    let mut stage =
        Stage::new(host([("api", service(limits(200, 100)))]), Vertical { per_day: 1, ..Vertical::default() });
    assert_eq!(stage.checks(3, (95, 95)).actions.len(), 2, "both count as one adjustment");
    assert_eq!(guards(&stage.checks(6, (95, 95))), ["daily limit", "daily limit"]);
    let mut stage =
        Stage::new(host([("api", service(limits(200, 100)))]), Vertical { per_day: 2, ..Vertical::default() });
    assert_eq!(stage.checks(3, (95, 95)).actions.len(), 2);
    assert_eq!(stage.checks(6, (95, 95)).actions.len(), 2, "only one of two was used up");
}

#[test]
fn six_a_day_then_held_until_a_day_has_passed() {
    let mut stage = Stage::new(host([("api", service(limits(100, 512)))]), Vertical::default());
    let mut acted = Vec::new();
    let mut held_until = None;
    for _ in 0..24 * 12 + 12 {
        let decision = stage.check(BUSY);
        if !decision.actions.is_empty() {
            acted.push(stage.now.since_start());
        }
        if let Some(Guard::DailyLimit { used, left }) = decision.held.first().map(|held| held.guard.clone()) {
            assert_eq!(used, 6);
            let until = stage.now.plus(left).since_start();
            assert_eq!(*held_until.get_or_insert(until), until, "what is left counts down");
        }
    }
    // The first after three checks, the next each after a cooldown; the seventh a day after the first.
    let minutes: Vec<u64> = acted.iter().map(|at| at.secs() / 60).collect();
    assert_eq!(minutes, [15, 45, 75, 105, 135, 165, 24 * 60 + 15, 24 * 60 + 45]);
    assert_eq!(held_until, Some(Span::from_mins(24 * 60 + 15)));
}

#[test]
fn a_full_pool_clips_the_increase_and_says_how_much_is_short() {
    let mut stage = one_api();
    // 2 × 0.55 = 1.1 CPUs may be promised: 0.1 of the 0.25 that are wanted.
    stage.host.host.pool_cpu = Millicores::new(550);
    let third = stage.checks(3, BUSY);
    assert_eq!(stage.limits("api").cpu, Some(Millicores::new(1100)));
    assert_eq!(third.held.len(), 1);
    assert_eq!(third.held[0].guard, Guard::CpuPool { short: Millicores::new(150) });
    // Now it is full to the last millicore.
    let later = stage.checks(6, BUSY);
    assert!(later.actions.is_empty());
    assert_eq!(later.held[0].guard, Guard::CpuPool { short: Millicores::new(275) });
}

#[test]
fn a_pool_counts_every_instance_of_every_service_with_or_without_policy() {
    let mut seen = host([("api", service(limits(1000, 512))), ("web", service(limits(1000, 1024)))]);
    for number in 2..=3 {
        let service = seen.services.get_mut(&name("api")).expect("api");
        service.instances.push(instance(number));
    }
    seen.services.insert(name("unmanaged"), service(limits(500, 1024)));
    // 3 × 512 + 2 × 1024 = 3584 MiB promised; 1.5 × 2560 = 3840 allowed: 256 left for 3 × 128 wanted.
    seen.host.pool_memory = Bytes::mebi(2560);
    let mut stage = Stage::new(seen, Vertical::default());
    for _ in 0..3 {
        stage.pass(1, STEADY);
    }
    let mut last = Decision::default();
    for _ in 0..3 {
        stage.now = stage.now.plus(Span::from_mins(5));
        stage.uses("api", (50, 90));
        stage.uses("web", STEADY);
        last = stage.look();
    }
    assert_eq!(stage.limits("api").memory, Some(Bytes::mebi(512 + 85)), "a third of 256 MiB, in whole MiB");
    assert_eq!(last.held[0].guard, Guard::MemoryPool { short: Bytes::mebi(128) });
}

#[test]
fn a_stateful_database_keeps_its_memory_and_may_still_get_more_or_give_up_cpu() {
    let mut stage = one_api();
    stage.service("api").stateful = true;
    assert_eq!(guards(&stage.checks(3, (50, 10))), ["stateful"]);
    assert_eq!(guards(&stage.checks(100, (50, 10))), ["stateful"]);
    assert_eq!(stage.limits("api"), limits(1000, 512));
    stage.pass(3, (50, 90));
    assert_eq!(stage.limits("api"), limits(1000, 640));
    stage.pass(6, IDLE);
    assert_eq!(stage.limits("api"), limits(750, 640));
}

#[test]
fn a_metrics_outage_holds_and_never_shrinks() {
    let mut stage = one_api();
    stage.pass(2, IDLE);
    // Scrapes stop: the newest measurement stays and grows old, then is gone.
    for minutes in [5, 10, 15] {
        stage.now = stage.now.plus(Span::from_mins(5));
        let decision = stage.look();
        assert!(decision.actions.is_empty());
        assert_eq!(decision.held[0].guard, Guard::Stale { age: Span::from_mins(minutes) });
    }
    stage.service("api").instances[0].usage = None;
    for _ in 0..100 {
        stage.now = stage.now.plus(Span::from_mins(5));
        let decision = stage.look();
        assert!(decision.actions.is_empty());
        assert_eq!(guards(&decision), ["no data"]);
    }
    assert_eq!(guards(&stage.checks(2, IDLE)), ["hysteresis"], "the row begins anew");
    assert_eq!(stage.check(IDLE).actions.len(), 1);
}

#[test]
fn a_service_that_left_the_host_is_held_not_acted_on() {
    let mut stage = one_api();
    let gone = stage.host.services.remove(&name("api")).expect("api");
    stage.now = stage.now.plus(Span::from_mins(5));
    assert_eq!(guards(&stage.look()), ["no data"]);
    stage.host.services.insert(name("api"), gone);
    assert_eq!(stage.check(STEADY), Decision::default());
}

#[test]
fn a_limit_changed_by_hand_is_taken_as_it_is_and_the_row_begins_anew() {
    let mut stage = one_api();
    stage.pass(2, BUSY);
    stage.service("api").limits = limits(2000, 512);
    for checks in 1..=2 {
        assert_eq!(stage.check(BUSY).held[0].guard, Guard::Hysteresis { checks, needed: 3 });
    }
    stage.pass(1, BUSY);
    assert_eq!(stage.limits("api").cpu, Some(Millicores::new(2500)));
}

#[test]
fn a_steady_load_ends_in_silence() {
    let mut stage = one_api();
    // 0.9 CPUs and 400 MiB, whatever the limits are.
    let mut actions = 0;
    for round in 0..200 {
        stage.now = stage.now.plus(Span::from_mins(5));
        let now = stage.now;
        stage.service("api").instances[0].usage = Some(usage(now, 900, Bytes::mebi(420)));
        let decision = stage.look();
        actions += decision.actions.len();
        assert!(round < 20 || decision == Decision::default(), "still busy at {now}: {decision:?}");
    }
    assert_eq!(actions, 2);
}

#[test]
fn many_services_that_go_idle_at_once_are_not_all_cut_at_once() {
    let mut stage = {
        let names: Vec<String> = (10..40).map(|number| format!("s{number}")).collect();
        let mut seen = host([]);
        for text in &names {
            seen.services.insert(name(text), service(limits(400, 512)));
        }
        Stage::new(seen, Vertical::default())
    };
    let third = stage.checks(3, IDLE);
    assert_eq!(third.actions.len(), 10);
    let waiting: Vec<_> = third.held.iter().map(|held| held.guard.clone()).collect();
    assert_eq!(waiting, vec![Guard::RateLimit { used: 10, left: Span::from_mins(5) }; 20]);
    assert_eq!(stage.check(IDLE).actions.len(), 10);
    assert_eq!(stage.check(IDLE).actions.len(), 10);
}

#[test]
fn who_needs_it_most_comes_first() {
    let mut stage = Stage::new(
        host([
            ("a-idle", service(limits(1000, 512))),
            ("b-busy", service(limits(1000, 512))),
            ("c-busiest", service(limits(1000, 512))),
        ]),
        Vertical::default(),
    );
    // 2 × 1.625 = 3.25 CPUs may be promised: room for one increase of 0.25.
    stage.host.host.pool_cpu = Millicores::new(1625);
    let mut last = Decision::default();
    for _ in 0..3 {
        stage.now = stage.now.plus(Span::from_mins(5));
        stage.uses("a-idle", IDLE);
        stage.uses("b-busy", (85, 50));
        stage.uses("c-busiest", (99, 50));
        last = stage.look();
    }
    let order: Vec<_> = last.actions.iter().map(|action| action.service().as_str()).collect();
    assert_eq!(order, ["c-busiest", "a-idle"], "what a-idle gives up is not given away before the host shows it");
    assert_eq!(last.held[0].guard, Guard::CpuPool { short: Millicores::new(250) });
    assert_eq!(last.held[0].service, name("b-busy"));
}

#[test]
fn whoever_was_oom_killed_keeps_its_memory_for_a_day() {
    let mut stage = one_api();
    stage.pass(1, STEADY);
    // Killed at 512 MiB; since its restart it holds next to nothing.
    stage.service("api").instances[0].oom_kills = 1;
    stage.service("api").instances[0].restarts = 1;
    let third = stage.checks(3, (50, 10));
    assert_eq!(third.held[0].guard, Guard::WorkingSet { seen: Bytes::mebi(512) });
    // The kill was seen at the first of these checks: a day later it is forgotten.
    stage.pass(24 * 12 - 3, (50, 10));
    assert_eq!(stage.limits("api"), limits(1000, 512));
    assert_eq!(stage.check((50, 10)).actions.len(), 1);
}

#[test]
fn a_restart_ends_a_row_of_low_usage_and_not_one_of_high_usage() {
    let mut stage = one_api();
    stage.pass(2, (95, 10));
    stage.service("api").instances[0].restarts = 1;
    let third = stage.check((95, 10));
    assert_eq!(third.actions.len(), 1);
    assert_eq!(third.held[0].guard, Guard::Hysteresis { checks: 1, needed: 3 });
}

/// The load of the day comes back to a container whose CPU was cut in the night: it dies under its backlog before a scrape
/// sees it work.
#[test]
fn who_dies_after_its_cpu_was_lowered_gets_all_of_it_back() {
    let mut stage = one_api();
    stage.pass(9, IDLE);
    assert_eq!(stage.limits("api").cpu, Some(Millicores::new(562)), "1 CPU, cut twice");
    stage.pass(4, STEADY);
    stage.service("api").instances[0].oom_kills = 1;
    stage.service("api").instances[0].restarts = 1;
    let decision = stage.check(STEADY);
    // Lowered after 15 and 45 minutes, killed in the five minutes up to 70.
    let why = Reason::GivenBack { deaths: 1, of: None, after: Span::from_mins(25) };
    assert!(decision.actions.is_empty(), "the cooldown holds for this, too");
    assert_eq!(decision.held[0].wanted, Some(why));
    assert_eq!(decision.held[0].guard, Guard::Cooldown { left: Span::from_mins(5) });
    let decision = stage.check(STEADY);
    let why = Reason::GivenBack { deaths: 1, of: None, after: Span::from_mins(30) };
    let (from, to) = (Millicores::new(562), Millicores::new(1000));
    assert_eq!(decision.actions, [Action::LimitCpu { service: name("api"), from, to, why }]);
    assert!(plimsoll::report::words::why(&decision.actions[0]).contains("died 1 time since CPU was taken 30m ago"));
}

/// It needs no scrape for that: a container that dies again and again is never up when it is looked at.
#[test]
fn a_service_that_is_never_up_gets_its_cpu_back() {
    let mut stage = one_api();
    stage.pass(3, IDLE);
    stage.pass(6, STEADY);
    let api = &mut stage.service("api").instances[0];
    (api.oom_kills, api.restarts, api.state) = (5, 5, InstanceState::Down);
    stage.now = stage.now.plus(Span::from_mins(5));
    let decision = stage.look();
    assert_eq!(stage.limits("api").cpu, Some(Millicores::new(1000)));
    assert_eq!(guards(&decision), ["not ready"]);
}

#[test]
fn what_was_given_back_is_kept_for_a_day() {
    let mut stage = one_api();
    stage.pass(3, IDLE);
    stage.pass(6, STEADY);
    stage.service("api").instances[0].oom_kills = 1;
    assert_eq!(stage.check(STEADY).actions.len(), 1);
    assert_eq!(stage.limits("api").cpu, Some(Millicores::new(1000)));
    let later = stage.checks(3, IDLE);
    assert_eq!(later.held[0].guard, Guard::GivenBack { left: Span::from_mins(24 * 60 - 15) });
    stage.pass(24 * 12 - 4, IDLE);
    assert_eq!(stage.limits("api").cpu, Some(Millicores::new(1000)));
    assert_eq!(stage.check(IDLE).actions.len(), 1);
}

/// A kill long after says nothing about a crash of its own, and what somebody else set is none of the engine's lowering.
#[test]
fn nothing_is_given_back_for_a_late_crash_or_after_a_change_by_hand() {
    let mut stage = one_api();
    stage.pass(3, IDLE);
    stage.pass(7, STEADY);
    stage.service("api").instances[0].restarts = 1;
    assert_eq!(stage.check(STEADY), Decision::default(), "it crashed 40 minutes after it was lowered");
    stage.service("api").limits = limits(700, 512);
    stage.pass(1, STEADY);
    stage.service("api").instances[0].oom_kills = 1;
    assert_eq!(stage.check(STEADY), Decision::default());
    // A crash within the cooldown counts.
    let mut stage = one_api();
    stage.pass(3, IDLE);
    stage.pass(4, STEADY);
    stage.service("api").instances[0].restarts = 1;
    stage.pass(2, STEADY);
    assert_eq!(stage.limits("api").cpu, Some(Millicores::new(1000)));
}

/// A shop that waits for its database is killed under the requests that wait with it. The database has little to do while
/// the shop is away: that is no reason to give it less, and a reason to give back what it had.
#[test]
fn while_somebody_is_killed_again_and_again_nobody_gets_less_and_the_lowered_get_theirs_back() {
    let mut stage = Stage::new(
        host([
            ("db", service(limits(1000, 512))),
            ("idle", service(limits(1000, 512))),
            ("shop", service(limits(1000, 512))),
        ]),
        Vertical::default(),
    );
    let look = |stage: &mut Stage, db: u64, idle: u64| {
        stage.now = stage.now.plus(Span::from_mins(5));
        stage.uses("db", (db, 50));
        stage.uses("idle", (idle, 50));
        stage.uses("shop", STEADY);
        stage.look()
    };
    for _ in 0..3 {
        let _ = look(&mut stage, 10, 50);
    }
    assert_eq!(stage.limits("db").cpu, Some(Millicores::new(750)));
    for _ in 0..6 {
        let _ = look(&mut stage, 50, 50);
    }
    // One kill is an accident.
    stage.service("shop").instances[0].oom_kills = 1;
    assert_eq!(look(&mut stage, 50, 10).actions, []);
    stage.service("shop").instances[0].oom_kills = 3;
    let decision = look(&mut stage, 50, 10);
    let why = Reason::GivenBack { deaths: 2, of: Some(name("shop")), after: Span::from_mins(40) };
    let (from, to) = (Millicores::new(750), Millicores::new(1000));
    assert_eq!(decision.actions, [Action::LimitCpu { service: name("db"), from, to, why }]);
    stage.service("shop").instances[0].oom_kills = 5;
    let third = look(&mut stage, 50, 10);
    assert_eq!(third.actions, []);
    assert_eq!(third.held[0].guard, Guard::Distress { service: name("shop"), kills: 2 });
    // Five minutes without a kill.
    assert_eq!(look(&mut stage, 50, 10).actions.len(), 1);
    assert_eq!(stage.limits("idle").cpu, Some(Millicores::new(750)));
}
