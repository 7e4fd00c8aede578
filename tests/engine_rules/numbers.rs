//! Stories of services whose number of instances a policy changes, alone: 2 to 5 instances, up at 70 % CPU or 80 % memory, down
//! at 20 % and 40 %, 5 and 10 minutes of rest, two instances a step.

use crate::stage::Stage;
use crate::stage::guards;
use crate::stage::host;
use crate::stage::limits;
use crate::stage::name;
use crate::stage::scale;
use crate::stage::service;
use crate::stage::usage;
use plimsoll::engine::Engine;
use plimsoll::model::Action;
use plimsoll::model::Bounds;
use plimsoll::model::Decision;
use plimsoll::model::Guard;
use plimsoll::model::Horizontal;
use plimsoll::model::InstanceState;
use plimsoll::model::Limits;
use plimsoll::model::PointScore;
use plimsoll::model::Policy;
use plimsoll::model::Quantity;
use plimsoll::model::Scaling;
use plimsoll::model::ServiceSeen;
use plimsoll::model::Signal;
use plimsoll::model::TrafficSeen;
use plimsoll::model::Trigger;
use plimsoll::model::WeightedPart;
use plimsoll::model::WeightedScore;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;

const SHARE_OF: u64 = 10_000;

fn thresholds() -> Horizontal {
    Horizontal::around(Scaling::Bounds(Bounds::thresholds()))
}

fn bounded(up: Vec<Trigger>, down: Vec<Trigger>) -> Horizontal {
    Horizontal::around(Scaling::Bounds(Bounds { up, down }))
}

fn at_once(signal: Signal, bound: Quantity) -> Trigger {
    Trigger { signal, bound, lasts: Span::ZERO }
}

fn percent(percent: u64) -> Quantity {
    Quantity::Share(percent * SHARE_OF)
}

/// So many instances of one CPU and 512 MiB.
fn instances(count: u32) -> ServiceSeen {
    let mut service = service(limits(1000, 512));
    scale(&mut service, count);
    service
}

/// Ten requests a second of 100 ms, none of which fails.
fn calm(at: Instant) -> TrafficSeen {
    TrafficSeen {
        at,
        window: Span::from_mins(5),
        rate: Rate::per_second(10),
        errors: 0,
        latency_p95: Some(Span::from_millis(100)),
        inside: 1000,
    }
}

fn one(policy: Horizontal, seen: ServiceSeen) -> Stage {
    Stage::with(host([("web", seen)]), [(name("web"), Policy::Horizontal(policy))].into()).0
}

/// Half a minute later, with so much load in millicores shared by the instances.
fn after(stage: &mut Stage, load: u64) -> Decision {
    stage.now = stage.now.plus(Span::from_secs(30));
    stage.carries("web", load, Bytes::mebi(100));
    stage.look()
}

#[test]
fn a_policy_without_a_least_number_leaves_the_last_instance() {
    let policy = Horizontal { replicas_min: 0, ..thresholds() };
    let mut stage = one(policy, instances(1));
    for _ in 0..60 {
        assert!(after(&mut stage, 0).actions.is_empty());
    }
}

#[test]
fn policies_that_make_no_sense_do_nothing_rather_than_harm() {
    let odd = [
        Horizontal { replicas_min: 6, replicas_max: 3, ..thresholds() },
        Horizontal { replicas_min: 3, per_host: Some(1), ..thresholds() },
        Horizontal { replicas_min: 0, replicas_max: 0, ..thresholds() },
        Horizontal { overcommit_cpu: Permille::ZERO, ..thresholds() },
    ];
    for policy in odd {
        let mut stage = one(policy.clone(), instances(4));
        for minute in 0..120 {
            let decision = after(&mut stage, if minute % 40 < 20 { 4000 } else { 1200 });
            assert!(decision.actions.is_empty(), "{policy:?}: {decision:?}");
        }
    }
    let mut stage = one(bounded(Vec::new(), Vec::new()), instances(4));
    assert_eq!(guards(&after(&mut stage, 4000)), ["no data"], "nothing can be judged, and it says so");
}

#[test]
fn who_is_farther_beyond_its_bound_gets_what_room_there_is() {
    let errors = || bounded(vec![at_once(Signal::Cpu, percent(70)), at_once(Signal::Errors, percent(5))], Vec::new());
    let services = [("a-busy", instances(2)), ("b-failing", instances(2))];
    let mut seen = host(services);
    // Two CPUs twice over, of which all four instances have one each; one more fits.
    seen.host.pool_cpu = Millicores::new(2500);
    let policies = ["a-busy", "b-failing"].map(|text| (name(text), Policy::Horizontal(errors())));
    let (mut stage, _) = Stage::with(seen, policies.into());
    stage.now = stage.now.plus(Span::from_secs(30));
    let now = stage.now;
    stage.carries("a-busy", 1500, Bytes::mebi(100));
    stage.carries("b-failing", 600, Bytes::mebi(100));
    stage.service("b-failing").traffic = Some(TrafficSeen { errors: 40 * SHARE_OF, ..calm(now) });
    let decision = stage.look();
    assert_eq!((stage.count("a-busy"), stage.count("b-failing")), (2, 3), "{decision:?}");
}

/// Both kinds of rule that write `replicas` mean the same: more of them than this.
#[test]
fn instances_above_a_number_are_a_reason_for_fewer_and_never_below_it() {
    let down = || vec![at_once(Signal::Cpu, percent(20)), at_once(Signal::Replicas, Quantity::Number(3000))];
    let policy = || bounded(vec![at_once(Signal::Cpu, percent(70))], down());
    let mut stage = one(policy(), instances(5));
    let _ = after(&mut stage, 100);
    assert_eq!(stage.count("web"), 3);
    for _ in 0..60 {
        assert!(after(&mut stage, 100).actions.is_empty());
    }
    let mut few = one(policy(), instances(2));
    assert!(after(&mut few, 100).actions.is_empty(), "two are fewer than three, and no reason for even fewer");
}

#[test]
fn requests_that_nobody_counts_any_more_do_not_stop_a_policy_that_goes_by_cpu() {
    let mut stage = one(thresholds(), instances(2));
    stage.service("web").traffic = Some(calm(Instant::START));
    stage.now = Instant::after_start(Span::from_mins(60));
    assert_eq!(after(&mut stage, 1900).actions.len(), 1, "the counter is an hour old, and nobody asked for it");
}

#[test]
fn a_rule_whose_figures_nobody_measures_says_so() {
    let policy = bounded(vec![at_once(Signal::Latency, Quantity::Time(Span::from_secs(3)))], Vec::new());
    assert_eq!(guards(&after(&mut one(policy, instances(2)), 1900)), ["no data"]);
    let only = |scaling| Horizontal::around(scaling);
    let points = PointScore { up: Vec::new(), down: Vec::new(), ..PointScore::default() };
    assert_eq!(guards(&after(&mut one(only(Scaling::Points(points)), instances(2)), 1900)), ["no data"]);
    let whole = Quantity::Time(Span::from_secs(5));
    let weighted = WeightedScore {
        parts: vec![WeightedPart { signal: Signal::Latency, weight: 1, whole }],
        ..WeightedScore::default()
    };
    assert_eq!(guards(&after(&mut one(only(Scaling::Weighted(weighted)), instances(2)), 1900)), ["no data"]);
}

/// Response times kept all instances; then their counter is gone, and CPU alone must not remove any.
#[test]
fn figures_that_went_missing_are_no_reason_for_fewer() {
    let slow = Quantity::Time(Span::from_secs(1));
    let policy = || {
        bounded(
            vec![at_once(Signal::Cpu, percent(70))],
            vec![at_once(Signal::Cpu, percent(20)), at_once(Signal::Latency, slow)],
        )
    };
    let mut stage = one(policy(), instances(4));
    for _ in 0..10 {
        let now = stage.now;
        stage.service("web").traffic = Some(TrafficSeen { latency_p95: Some(Span::from_secs(2)), ..calm(now) });
        assert_eq!(after(&mut stage, 100), Decision::default());
    }
    stage.service("web").traffic = None;
    for _ in 0..60 {
        let decision = after(&mut stage, 100);
        assert_eq!((decision.actions.len(), guards(&decision)), (0, vec!["no data"]));
    }
    assert_eq!(after(&mut stage, 3000).actions.len(), 1, "CPU alone is enough for more");
    let mut never = one(policy(), instances(4));
    assert_eq!(after(&mut never, 100).actions.len(), 1, "what nobody ever measured is left out");
}

#[test]
fn counters_that_cannot_be_true_are_not_acted_on() {
    let policy = || {
        bounded(
            vec![at_once(Signal::Errors, percent(5))],
            vec![at_once(Signal::Errors, percent(1)), at_once(Signal::Queue, Quantity::Number(1000))],
        )
    };
    type Lie = fn(&mut TrafficSeen);
    let lies: [(&str, Lie); 3] = [
        ("more than all", |seen| seen.errors = 1_000_001),
        ("over no time", |seen| seen.window = Span::ZERO),
        ("still to come", |seen| seen.at = seen.at.plus(Span::from_secs(1))),
    ];
    for (why, lie) in lies {
        let mut stage = one(policy(), instances(3));
        let mut traffic = calm(Instant::after_start(Span::from_secs(30)));
        lie(&mut traffic);
        stage.service("web").traffic = Some(traffic);
        let decision = after(&mut stage, 900);
        assert!(decision.actions.is_empty(), "{why}");
        let [held] = decision.held.as_slice() else { panic!("{why}: {decision:?}") };
        assert!(matches!(&held.guard, Guard::Absurd { why: text } if text.contains(why)), "{held:?}");
    }
}

/// Nobody wrote a memory limit, so a full host is no reason to put another instance on it.
#[test]
fn a_service_without_a_memory_limit_does_not_grow_since_the_host_is_full() {
    let mut unlimited = instances(3);
    unlimited.limits = Limits { cpu: Some(Millicores::new(1000)), memory: None };
    let mut stage = one(thresholds(), unlimited);
    stage.host.host.pool_memory = Bytes::gibi(4);
    for _ in 0..60 {
        stage.now = stage.now.plus(Span::from_secs(30));
        stage.carries("web", 1200, Bytes::mebi(1200));
        let decision = stage.look();
        assert!(decision.actions.is_empty(), "{decision:?}");
    }
}

/// Three services of three instances. `b` uses all three CPUs and needs 3 / 0.7, five; the others need four each. Eleven CPUs
/// may be promised, of which nine are: the neediest gets both that are free, and what it is given counts at once.
#[test]
fn what_is_free_is_given_once_and_the_neediest_has_it() {
    let services = [("a", instances(3)), ("b", instances(3)), ("c", instances(3))];
    let mut seen = host(services);
    seen.host.pool_cpu = Millicores::new(5500);
    let policy = || Policy::Horizontal(Horizontal { cooldown_up: Span::from_mins(2), ..thresholds() });
    let policies = ["a", "b", "c"].map(|text| (name(text), policy()));
    let (mut stage, _) = Stage::with(seen, policies.into());
    let mut look = |loads: [u64; 3]| {
        stage.now = stage.now.plus(Span::from_secs(30));
        for (text, load) in ["a", "b", "c"].into_iter().zip(loads) {
            stage.carries(text, load, Bytes::mebi(100));
        }
        let decision = stage.look();
        (decision, ["a", "b", "c"].map(|text| stage.count(text)))
    };
    let (decision, counts) = look([2300, 3000, 2400]);
    assert_eq!(counts, [3, 5, 3]);
    let short = Guard::CpuPool { short: Millicores::new(1000) };
    let guards: Vec<_> = decision.held.iter().map(|held| (held.service.as_str(), held.guard.clone())).collect();
    assert_eq!(guards, [("a", short.clone()), ("c", short)]);
    // Two of `b` go, and what they had is there for the others at the next look.
    let mut counts = Vec::new();
    for _ in 0..40 {
        counts.push(look([2300, 300, 2400]).1);
    }
    counts.dedup();
    assert_eq!(counts, [[3, 5, 3], [3, 3, 3], [4, 3, 4], [4, 2, 4]]);
}

/// One CPU is free, and the host is slow to show what it was asked for: nobody else gets it meanwhile.
#[test]
fn what_was_asked_for_counts_before_the_host_shows_it() {
    let mut seen = host([("a", instances(2)), ("b", instances(2))]);
    seen.host.pool_cpu = Millicores::new(2500);
    let each = |text| (name(text), Policy::Horizontal(Horizontal { cooldown_up: Span::ZERO, ..thresholds() }));
    let mut engine = Engine::new([each("a"), each("b")].into());
    let mut look = |seconds: u64, busy: &str| {
        let now = Instant::after_start(Span::from_secs(seconds));
        for (name, service) in &mut seen.services {
            for instance in &mut service.instances {
                let cpu = if name.as_str() == busy { 800 } else { 400 };
                instance.usage = Some(usage(now, cpu, Bytes::mebi(100)));
            }
        }
        engine.observe(now, &seen)
    };
    let _ = look(0, "");
    assert!(matches!(look(30, "a").actions.as_slice(), [Action::Scale { to: 3, .. }]));
    assert_eq!(guards(&look(60, "b")), ["cpu pool"]);
    assert_eq!(guards(&look(300, "b")), ["cpu pool"]);
    // After five minutes that are not shown it is not coming any more.
    assert!(matches!(look(330, "b").actions.as_slice(), [Action::Scale { to: 3, .. }]));
}

/// Forty services with one instance each, where there are to be two: thirty at once, and the others five minutes later.
#[test]
fn a_mistake_that_hits_all_cannot_run_faster_than_thirty_in_five_minutes() {
    let names: Vec<String> = (10..50).map(|number| format!("s{number}")).collect();
    let mut seen = host([]);
    for text in &names {
        let mut small = service(limits(100, 64));
        small.instances[0].usage = Some(usage(Instant::START, 50, Bytes::mebi(10)));
        seen.services.insert(name(text), small);
    }
    let policies = names.iter().map(|text| (name(text), Policy::Horizontal(thresholds()))).collect();
    let (mut stage, _) = Stage::with(seen, policies);
    let mut look = |seconds| {
        stage.now = Instant::after_start(Span::from_secs(seconds));
        stage.look()
    };
    let decision = look(30);
    assert_eq!(decision.actions.len(), 30);
    let waiting = Guard::RateLimit { used: 30, left: Span::from_mins(5) };
    let held: Vec<_> = decision.held.iter().filter(|held| held.guard == waiting).collect();
    assert_eq!(held.len(), 10);
    assert!(look(300).actions.is_empty());
    assert_eq!(look(330).actions.len(), 10);
}

/// While a rolling deployment is on there are more instances than there are to be, and others come and go: none of that is a
/// reason, and what a trigger saw before says nothing about what is there afterwards.
#[test]
fn a_deployment_is_left_alone_and_triggers_begin_anew_after_it() {
    let busy = Trigger { signal: Signal::Cpu, bound: percent(70), lasts: Span::from_mins(5) };
    let policy = Horizontal { replicas_max: 3, ..bounded(vec![busy], Vec::new()) };
    let mut stage = one(policy, instances(2));
    for _ in 0..9 {
        assert_eq!(guards(&after(&mut stage, 1800)), ["pending"]);
    }
    stage.service("web").deploying = true;
    let old = stage.host.services[&name("web")].instances.clone();
    scale(stage.service("web"), 4);
    for _ in 0..20 {
        assert_eq!(guards(&after(&mut stage, 3600)), ["deploying"], "four of at most three are left, too");
    }
    stage.service("web").instances = old;
    stage.service("web").deploying = false;
    for _ in 0..10 {
        assert_eq!(guards(&after(&mut stage, 1800)), ["pending"]);
    }
    assert_eq!(after(&mut stage, 1800).actions.len(), 1);
}

/// An engine that has just started knows nothing: it does not act at its first look, nor on what was measured before the
/// sensors fell silent, and a trigger takes its whole time.
#[test]
fn an_engine_that_starts_again_needs_evidence_of_its_own() {
    let restarted = |stage: &Stage, policy: Horizontal| {
        let (mut again, first) = Stage::with(stage.host.clone(), [(name("web"), Policy::Horizontal(policy))].into());
        assert_eq!(first, Decision::default());
        again.now = stage.now;
        let looked = again.look();
        (again, looked)
    };
    for load in [4900, 100] {
        let mut stage = one(thresholds(), instances(4));
        stage.now = Instant::after_start(Span::from_mins(60));
        stage.carries("web", load, Bytes::mebi(100));
        // It looks for the first time an hour after the start of everything, which is not its own.
        let mut engine = Engine::new([(name("web"), Policy::Horizontal(thresholds()))].into());
        assert_eq!(engine.observe(stage.now, &stage.host), Decision::default());
        let later = stage.now.plus(Span::from_mins(3));
        let decision = engine.observe(later, &stage.host);
        assert_eq!((decision.actions.len(), guards(&decision)), (0, vec!["stale data"]));
        let (mut again, _) = restarted(&stage, Horizontal::around(Scaling::Bounds(Bounds::triggers())));
        for _ in 0..9 {
            assert!(after(&mut again, load).actions.is_empty());
        }
    }
}

/// An instance that is not well may need the others: none leaves, and more may come.
#[test]
fn nobody_leaves_while_one_is_not_well() {
    for state in [InstanceState::Starting, InstanceState::Unhealthy, InstanceState::Down] {
        let mut stage = one(thresholds(), instances(4));
        stage.service("web").instances[3].state = state;
        assert_eq!(guards(&after(&mut stage, 200)), ["not ready"], "{state:?}");
        assert_eq!(after(&mut stage, 3900).actions.len(), 1, "{state:?}");
    }
}

/// One quiet night at the least number is one line, and the next quiet hour after a busy one is another.
#[test]
fn that_there_cannot_be_fewer_is_said_once() {
    let mut stage = one(thresholds(), instances(2));
    let mut night = || (0..60).map(|_| guards(&after(&mut stage, 100)).len()).collect::<Vec<_>>();
    let (first, second) = (night(), night());
    assert_eq!((first[0], first.iter().sum::<usize>(), second.iter().sum::<usize>()), (1, 1, 0));
    assert_eq!(guards(&after(&mut stage, 1000)), Vec::<&str>::new());
    assert_eq!(guards(&after(&mut stage, 100)), ["at bound"]);
    // Who lacks instances, and has as many as there may be, says so at every look.
    let mut full = one(thresholds(), instances(5));
    assert!((0..60).all(|_| guards(&after(&mut full, 4900)) == ["at bound"]));
}
