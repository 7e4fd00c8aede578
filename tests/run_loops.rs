//! The loops around the engine: what they write down, in which order, and that it can be repeated.

use plimsoll::audit::Audit;
use plimsoll::audit::Rule;
use plimsoll::engine::Engine;
use plimsoll::model::Balance;
use plimsoll::model::Call;
use plimsoll::model::CoreGroup;
use plimsoll::model::Decision;
use plimsoll::model::DiskUse;
use plimsoll::model::Fault;
use plimsoll::model::FaultKind;
use plimsoll::model::Host;
use plimsoll::model::HostSeen;
use plimsoll::model::InstanceSeen;
use plimsoll::model::InstanceState;
use plimsoll::model::Limits;
use plimsoll::model::Load;
use plimsoll::model::Noise;
use plimsoll::model::Observation;
use plimsoll::model::Pattern;
use plimsoll::model::Policy;
use plimsoll::model::Restart;
use plimsoll::model::Scenario;
use plimsoll::model::Sensors;
use plimsoll::model::ServiceModel;
use plimsoll::model::ServiceName;
use plimsoll::model::ServiceSeen;
use plimsoll::model::Shortage;
use plimsoll::model::Spread;
use plimsoll::model::Usage;
use plimsoll::model::Vertical;
use plimsoll::model::Work;
use plimsoll::record::Event;
use plimsoll::record::FORMAT_VERSION;
use plimsoll::run::replay::ReplayError;
use plimsoll::run::replay::replay;
use plimsoll::run::simulate::Breached;
use plimsoll::run::simulate::simulate;
use plimsoll::run::simulate::simulate_all;
use plimsoll::run::step;
use plimsoll::seed::Seed;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use std::collections::BTreeMap;
use std::sync::Mutex;

fn name(text: &str) -> ServiceName {
    ServiceName::new(text)
}

fn service(cpu: Span, calls: Vec<Call>) -> ServiceModel {
    ServiceModel {
        image: None,
        replicas: 2,
        limits: Limits { cpu: Some(Millicores::new(500)), memory: Some(Bytes::mebi(256)) },
        reservations: Limits::default(),
        weight: 1024,
        work: Work {
            cpu,
            spread: Spread::Exponential,
            memory: Bytes::mebi(1),
            calls,
            request: Bytes::ZERO,
            answer: Bytes::ZERO,
        },
        workers: Some(4),

        blocking: false,
        backlog: None,
        balance: Balance::Random,
        timeout: Some(Span::from_secs(10)),
        idle_cpu: Millicores::new(5),
        idle_memory: Bytes::mebi(40),
        leak_per_hour: Bytes::ZERO,
        start_up: Span::from_secs(5),
        start_cpu: Millicores::new(100),
        health: None,
        depends_on: BTreeMap::new(),
        restart: Restart::Always,
        stateful: false,
        tier: 1,
        role: "api".to_owned(),
        disk: DiskUse::default(),
        cpuset: None,
        stop_grace: None,
        shortage: Shortage::default(),
    }
}

/// Two services on a small host for an hour and ten seconds: a bursty load, a crash, an outage of the metrics.
fn scenario() -> Scenario {
    let pattern = Pattern::Bursty {
        low: Rate::per_second(5),
        high: Rate::per_second(80),
        quiet: Span::from_mins(10),
        burst: Span::from_mins(10),
    };
    let fault = |minute, lasts, kind| Fault::once(Instant::after_start(Span::from_mins(minute)), lasts, kind);
    let policy = Policy::Vertical(Vertical { checks: 1, every: Span::from_mins(1), ..Vertical::default() });
    Scenario {
        name: "two services, an hour".to_owned(),
        host: Host {
            title: "A small host".to_owned(),
            disk: Bytes::gibi(40),
            reserve_cpu: Millicores::new(500),
            reserve_memory: Bytes::mebi(512),
            system_cpu: Millicores::new(50),
            system_memory: Bytes::mebi(300),
            ..Host::bare("small", vec![CoreGroup { count: 4, speed: Permille::ONE }], Bytes::gibi(4))
        },
        services: [
            (name("api"), service(Span::from_millis(10), vec![Call::new(name("store"), 2)])),
            (name("store"), service(Span::from_millis(2), Vec::new())),
        ]
        .into(),
        load: [(name("api"), Load { pattern, noise: Noise::Poisson })].into(),
        metrics: BTreeMap::new(),
        policies: [(name("api"), policy.clone()), (name("store"), policy)].into(),
        deployments: Vec::new(),
        overrides: Vec::new(),
        docker: None,
        faults: vec![
            fault(20, Span::ZERO, FaultKind::Crash(name("api"))),
            fault(30, Span::from_mins(5), FaultKind::MetricsOutage),
        ],
        sensors: Sensors::default(),
        duration: Span::from_secs(3610),
        warmup: Span::from_mins(5),
        step: Span::from_secs(1),
        sample: Span::from_mins(1),
        seeds: (1..=6).map(Seed::new).collect(),
        expect: Vec::new(),
        budget: None,
    }
}

/// Every event of a run, as a record would hold it.
fn record(scenario: &Scenario, seed: u64) -> Vec<Event> {
    let mut events = Vec::new();
    let outcome = simulate(scenario, Seed::new(seed), &mut |event| events.push(event.clone()));
    assert_eq!(outcome.expect("no breach").ended, Instant::after_start(scenario.duration));
    events
}

fn time(event: &Event) -> Instant {
    match event {
        Event::Began(_) => Instant::START,
        Event::Seen { at, .. } | Event::Decided { at, .. } | Event::Happened { at, .. } | Event::Ended { at, .. } => {
            *at
        }
        Event::Sampled(sample) => sample.at,
    }
}

#[test]
fn a_run_is_written_down_from_the_header_to_the_end() {
    let events = record(&scenario(), 3);
    let Some(Event::Began(header)) = events.first() else { panic!("the header comes first") };
    assert_eq!((header.format_version, header.seed), (FORMAT_VERSION, Seed::new(3)));
    assert_eq!(header.scenario, scenario());
    assert!(matches!(events.last(), Some(Event::Ended { .. })));
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Ended { .. } | Event::Began(_))).count(), 2);
    assert!(events.windows(2).all(|pair| time(&pair[0]) <= time(&pair[1])), "time never goes back");
}

#[test]
fn the_engine_looks_every_thirty_seconds_and_every_look_is_answered() {
    let events = record(&scenario(), 1);
    let mut looks = Vec::new();
    for (place, event) in events.iter().enumerate() {
        if let Event::Seen { at, .. } = event {
            assert!(matches!(events[place + 1], Event::Decided { at: answered, .. } if answered == *at));
            looks.push(at.since_start().secs());
        }
    }
    assert_eq!(looks, (1..=120).map(|look| look * 30).collect::<Vec<_>>());
}

#[test]
fn samples_cover_the_run_without_gap_and_the_last_one_is_shorter() {
    let events = record(&scenario(), 1);
    let mut until = Instant::START;
    let mut spans = Vec::new();
    for event in &events {
        if let Event::Sampled(sample) = event {
            assert_eq!(sample.at.minus(sample.span), until);
            until = sample.at;
            spans.push(sample.span.secs());
        }
    }
    assert_eq!(until, Instant::after_start(scenario().duration));
    assert_eq!((spans.len(), spans[59], spans[60]), (61, 60, 10));
}

#[test]
fn rhythms_of_zero_never_strike_and_end_nothing_early() {
    let mut scenario = scenario();
    scenario.sample = Span::ZERO;
    scenario.sensors.look = Span::ZERO;
    scenario.duration = Span::from_mins(1);
    let events = record(&scenario, 1);
    assert!(events.iter().all(|event| !matches!(event, Event::Seen { .. })));
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Sampled(_))).count(), 1);
}

#[test]
fn seeds_come_back_in_order_and_threads_change_nothing() {
    let scenario = scenario();
    let all = |jobs: usize| {
        let heard = Mutex::new(BTreeMap::new());
        let runs = simulate_all(
            &scenario,
            jobs,
            &|_| Vec::new(),
            &|events: &mut Vec<String>, event| events.push(serde_json::to_string(event).expect("an event")),
            &|seed, at| {
                heard.lock().expect("the lock").insert(seed, at);
            },
        );
        let heard = heard.into_inner().expect("the lock");
        assert!(heard.values().all(|at| *at == Instant::after_start(scenario.duration)));
        assert_eq!(heard.into_keys().collect::<Vec<_>>(), scenario.seeds);
        assert!(runs.iter().all(|run| run.end.is_ok()));
        runs.into_iter().map(|run| (run.seed, run.consumer)).collect::<Vec<_>>()
    };
    let one = all(1);
    assert_eq!(one.iter().map(|(seed, _)| *seed).collect::<Vec<_>>(), scenario.seeds);
    assert_eq!(one, all(2));
    assert_eq!(one, all(5));
    let alone: Vec<_> =
        record(&scenario, 4).iter().map(|event| serde_json::to_string(event).expect("an event")).collect();
    assert_eq!(one[3].1, alone, "a seed among others is the seed alone");
}

/// `api` with one CPU, all of it in use.
fn busy(now: Instant) -> Observation {
    let usage = Usage {
        at: now,
        window: Span::from_mins(5),
        cpu: Millicores::new(990),
        memory: Bytes::mebi(128),
        memory_max: Bytes::mebi(128),
    };
    let instance = InstanceSeen {
        number: 1,
        state: InstanceState::Healthy,
        usage: Some(usage),
        oom_kills: 0,
        restarts: 0,
        started: None,
    };
    let limits = Limits { cpu: Some(Millicores::cores(1)), memory: Some(Bytes::mebi(256)) };
    Observation {
        host: HostSeen { pool_cpu: Millicores::cores(4), pool_memory: Bytes::gibi(4) },
        overrides: BTreeMap::new(),
        metrics: BTreeMap::new(),
        services: [(
            name("api"),
            ServiceSeen { limits, stateful: false, instances: vec![instance], traffic: None, deploying: false },
        )]
        .into(),
    }
}

/// The events of twenty minutes of a busy `api`, its limits never following.
fn busy_record() -> Vec<Event> {
    let mut scenario = scenario();
    scenario.policies = [(name("api"), Policy::Vertical(Vertical::default()))].into();
    scenario.duration = Span::ZERO;
    let mut events = record(&scenario, 1);
    let mut engine = Engine::new(scenario.policies.clone());
    let mut audit = Audit::new(&scenario.policies);
    for minutes in 0..=20 {
        let now = Instant::after_start(Span::from_mins(minutes));
        let _ =
            step(&mut engine, &mut audit, now, &mut busy(now), &mut |event| events.push(event.clone())).expect("sound");
    }
    events
}

#[test]
fn a_record_fed_to_the_engine_again_gives_the_same_decisions() {
    let replayed = replay(busy_record()).expect("a record");
    assert_eq!((replayed.looks, replayed.differences.len()), (21, 0));
    for seed in 1..=3 {
        let replayed = replay(record(&scenario(), seed)).expect("a record");
        assert_eq!((replayed.looks, replayed.differences.len()), (120, 0));
    }
}

#[test]
fn a_decision_that_would_be_otherwise_today_is_shown() {
    let mut events = busy_record();
    let acted = events.iter_mut().find_map(|event| match event {
        Event::Decided { at, decision } if !decision.actions.is_empty() => Some((*at, decision)),
        _ => None,
    });
    let (at, decision) = acted.expect("it acts after three checks");
    let before = std::mem::take(decision);
    let replayed = replay(events).expect("a record");
    let [difference] = replayed.differences.as_slice() else { panic!("{replayed:?}") };
    assert_eq!((difference.at, &difference.now), (at, &before));
    assert_eq!(difference.recorded, Decision::default());
}

#[test]
fn a_record_that_is_cut_or_damaged_is_no_surprise() {
    let events = busy_record();
    assert_eq!(replay(Vec::new()), Err(ReplayError::NoHeader));
    assert_eq!(replay(events[1..].to_vec()), Err(ReplayError::NoHeader));
    let seen = events.iter().position(|event| matches!(event, Event::Seen { .. })).expect("a look");
    assert_eq!(replay(events[..=seen].to_vec()).expect("cut short").looks, 0);
    let mut unasked = events.clone();
    unasked.remove(seen);
    let error = replay(unasked).expect_err("damaged").to_string();
    assert!(error.contains("decision at 0s without an observation"), "{error}");
}

#[test]
fn a_breach_is_written_down_named_and_not_applied() {
    let policy = |cpu_max: u64| {
        let vertical =
            Vertical { checks: 1, every: Span::ZERO, cpu_max: Millicores::new(cpu_max), ..Vertical::default() };
        BTreeMap::from([(name("api"), Policy::Vertical(vertical))])
    };
    // An auditor who was told other bounds than the engine sees what a broken engine would look like.
    let mut engine = Engine::new(policy(8000));
    let mut audit = Audit::new(&policy(1100));
    let now = Instant::after_start(Span::from_mins(15));
    let mut written = 0;
    let breaches =
        step(&mut engine, &mut audit, now, &mut busy(now), &mut |_| written += 1).expect_err("out of bounds");
    assert_eq!(written, 2, "the record shows what was seen and decided");
    assert_eq!(breaches.iter().map(|breach| breach.rule).collect::<Vec<_>>(), [Rule::Bounds]);
    let breached = Breached { seed: Seed::new(8341), at: now, breaches };
    assert_eq!(
        breached.to_string(),
        "the engine broke its own rules at 15m with seed 8341\n  15m: api: its CPU limit would be 1.25; its bounds are \
         0.1 and 1.1 (rule: a limit stays within its bounds)"
    );
    assert_eq!(breached.repeat("scenarios/peak.yaml"), "plimsoll simulate scenarios/peak.yaml --seed 8341");
}
