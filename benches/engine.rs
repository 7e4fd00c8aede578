//! What a decision costs (register E13: 1,000 services in less than 100 ms; with every policy among them, in 5 ms).

use criterion::BatchSize;
use criterion::Criterion;
use criterion::criterion_group;
use criterion::criterion_main;
use plimsoll::audit::Audit;
use plimsoll::engine::Engine;
use plimsoll::input::policy::Policies;
use plimsoll::model::HostSeen;
use plimsoll::model::InstanceSeen;
use plimsoll::model::InstanceState;
use plimsoll::model::Limits;
use plimsoll::model::Observation;
use plimsoll::model::Policy;
use plimsoll::model::ServiceName;
use plimsoll::model::ServiceSeen;
use plimsoll::model::TrafficSeen;
use plimsoll::model::Usage;
use plimsoll::model::Vertical;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;

const SERVICES: u64 = 1000;

/// A thousand services of three instances: a third too busy, a third idle, a third well.
fn seen(now: Instant) -> Observation {
    let service = |index: u64| {
        let usage = Usage {
            at: now,
            window: Span::from_mins(5),
            cpu: Millicores::new([950, 100, 500][(index % 3) as usize]),
            memory: Bytes::mebi(256),
            memory_max: Bytes::mebi(256),
        };
        let instances = (1..=3).map(|number| InstanceSeen {
            number,
            state: InstanceState::Healthy,
            usage: Some(usage),
            oom_kills: 0,
            restarts: 0,
            started: None,
        });
        let limits = Limits { cpu: Some(Millicores::cores(1)), memory: Some(Bytes::mebi(512)) };
        (
            name(index),
            ServiceSeen { limits, stateful: false, instances: instances.collect(), traffic: None, deploying: false },
        )
    };
    Observation {
        host: HostSeen { pool_cpu: Millicores::cores(4000), pool_memory: Bytes::gibi(4000) },
        services: (0..SERVICES).map(service).collect(),
        overrides: BTreeMap::new(),
        metrics: BTreeMap::new(),
    }
}

fn name(index: u64) -> ServiceName {
    ServiceName::new(&format!("service-{index:04}"))
}

/// An engine one look before its third check, so that the next look wishes for as much as it can.
fn ready() -> (BTreeMap<ServiceName, Policy>, Engine) {
    let policies: BTreeMap<_, _> =
        (0..SERVICES).map(|index| (name(index), Policy::Vertical(Vertical::default()))).collect();
    let mut engine = Engine::new(policies.clone());
    for minutes in [0, 5, 10] {
        let now = Instant::after_start(Span::from_mins(minutes));
        let _ = black_box(engine.observe(now, &seen(now)));
    }
    (policies, engine)
}

fn decide(criterion: &mut Criterion) {
    let (policies, engine) = ready();
    let now = Instant::after_start(Span::from_mins(15));
    let seen = seen(now);
    criterion.bench_function("engine/check of 1000 services", |bencher| {
        bencher.iter_batched(
            || engine.clone(),
            |mut engine| black_box(engine.observe(now, &seen)),
            BatchSize::SmallInput,
        );
    });
    let soon = Instant::after_start(Span::from_mins(11));
    criterion.bench_function("engine/look at 1000 services between checks", |bencher| {
        bencher.iter_batched(
            || engine.clone(),
            |mut engine| black_box(engine.observe(soon, &seen)),
            BatchSize::SmallInput,
        );
    });
    let decision = engine.clone().observe(now, &seen);
    let audit = Audit::new(&policies);
    criterion.bench_function("audit/decision about 1000 services", |bencher| {
        bencher.iter_batched(
            || audit.clone(),
            |mut audit| black_box(audit.check(now, &seen, &decision)),
            BatchSize::SmallInput,
        );
    });
}

/// Every policy that ships: those that change the number of instances alone first, then beside each that moves limits.
fn all_policies() -> BTreeMap<ServiceName, Policy> {
    let mut shelf = Policies::below(Path::new(env!("CARGO_MANIFEST_DIR")));
    let names: Vec<String> = shelf.names().into_iter().filter(|name| name != "none").collect();
    let all: Vec<Policy> = names.iter().map(|name| shelf.find(name, None, 0).expect("a policy that ships")).collect();
    let limits: Vec<Vertical> = all.iter().filter_map(|policy| policy.vertical().copied()).collect();
    let one = |index: usize| {
        let beside = (index / all.len() % (limits.len() + 1)).checked_sub(1).map(|place| limits[place]);
        match (all[index % all.len()].clone(), beside) {
            (Policy::Horizontal(horizontal), Some(vertical)) => Policy::Both(vertical, horizontal),
            (policy, _) => policy,
        }
    };
    (0_u64..SERVICES).zip(0..).map(|(number, index)| (name(number), one(index))).collect()
}

/// The look in so many minutes: loads differ from service to service and from look to look, since what is always the same
/// is sorted and counted in no time.
fn busy(minutes: u64) -> (Instant, Observation) {
    let now = Instant::after_start(Span::from_mins(minutes));
    let mut seen = seen(now);
    for (service, index) in seen.services.values_mut().zip(0_u64..) {
        // 7919 is a prime: no two looks of a day are alike.
        let chance = (index * 31 + minutes * 7919) % 1009;
        for usage in service.instances.iter_mut().filter_map(|instance| instance.usage.as_mut()) {
            usage.cpu = Millicores::new([850, 50, 400][(index % 3) as usize] + chance % 200);
            (usage.memory, usage.memory_max) = (Bytes::mebi(200 + chance % 97), Bytes::mebi(200 + chance % 97));
        }
        service.traffic = Some(TrafficSeen {
            at: now,
            window: Span::from_mins(1),
            rate: Rate::per_second(40),
            errors: 0,
            latency_p95: Some(Span::from_millis(80)),
            inside: 1_000 + 300 * chance,
        });
    }
    (now, seen)
}

/// A look at which all of them evaluate, after a day and an hour: so all that is remembered of a day is full.
fn every_policy(criterion: &mut Criterion) {
    const MINUTES: u64 = 25 * 60;
    let mut engine = Engine::new(all_policies());
    for minutes in (0..MINUTES).step_by(5) {
        let (now, seen) = busy(minutes);
        let _ = black_box(engine.observe(now, &seen));
    }
    let (now, seen) = busy(MINUTES);
    criterion.bench_function("engine/every policy among 1000 services", |bencher| {
        bencher.iter_batched(
            || engine.clone(),
            |mut engine| black_box(engine.observe(now, &seen)),
            BatchSize::LargeInput,
        );
    });
}

criterion_group!(benches, decide, every_policy);
criterion_main!(benches);
