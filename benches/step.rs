//! How fast the simulated host is: containers advanced by one step, per second and core. Samples are taken every
//! minute, as in a run.

use criterion::BenchmarkId;
use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;
use plimsoll::input::profile::Profiles;
use plimsoll::model::Balance;
use plimsoll::model::Breaker;
use plimsoll::model::Call;
use plimsoll::model::CoreGroup;
use plimsoll::model::DiskUse;
use plimsoll::model::Host;
use plimsoll::model::Limits;
use plimsoll::model::Load;
use plimsoll::model::Noise;
use plimsoll::model::Pattern;
use plimsoll::model::Restart;
use plimsoll::model::Retry;
use plimsoll::model::Scenario;
use plimsoll::model::Sensors;
use plimsoll::model::ServiceModel;
use plimsoll::model::ServiceName;
use plimsoll::model::Shortage;
use plimsoll::model::Spread;
use plimsoll::model::StealBursts;
use plimsoll::model::Work;
use plimsoll::seed::Seed;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::world::sim::World;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;

const SERVICES: u64 = 20;
const WARM: Span = Span::from_mins(2);
/// Until a chip has the temperature of its load.
const HOT: Span = Span::from_mins(60);

/// What it is called, load in percent, timeout, pattern.
type Case = (&'static str, u64, Option<Span>, fn(Rate) -> Pattern);

/// Twenty services of half a core on a host of sixteen cores, each loaded from outside to a share of its limit.
fn scenario(load_percent: u64, timeout: Option<Span>, pattern: fn(Rate) -> Pattern) -> Scenario {
    let name = |number| ServiceName::new(&format!("service-{number:02}"));
    let service = ServiceModel {
        image: None,
        replicas: 1,
        limits: Limits { cpu: Some(Millicores::new(500)), memory: Some(Bytes::gibi(2)) },
        reservations: Limits::default(),
        weight: 1024,
        work: Work {
            cpu: Span::from_millis(5),
            spread: Spread::Exponential,
            memory: Bytes::new(1 << 12),
            calls: Vec::new(),
            request: Bytes::ZERO,
            answer: Bytes::ZERO,
        },
        workers: None,
        blocking: false,
        backlog: None,
        balance: Balance::Random,
        timeout,
        idle_cpu: Millicores::ZERO,
        idle_memory: Bytes::mebi(100),
        leak_per_hour: Bytes::ZERO,
        start_up: Span::from_secs(2),
        start_cpu: Millicores::new(200),
        health: None,
        depends_on: BTreeMap::new(),
        restart: Restart::Always,
        stateful: false,
        tier: 2,
        role: "api".to_owned(),
        disk: DiskUse::default(),
        cpuset: None,
        stop_grace: None,
        shortage: Shortage::default(),
    };
    let rate = Rate::per_second(load_percent);
    Scenario {
        name: "bench".to_owned(),
        host: Host {
            disk: Bytes::gibi(100),
            ..Host::bare("bench", vec![CoreGroup { count: 16, speed: Permille::ONE }], Bytes::gibi(64))
        },
        services: (0..SERVICES).map(|number| (name(number), service.clone())).collect(),
        load: (0..SERVICES)
            .map(|number| (name(number), Load { pattern: pattern(rate), noise: Noise::Poisson }))
            .collect(),
        metrics: BTreeMap::new(),
        policies: BTreeMap::new(),
        faults: Vec::new(),
        deployments: Vec::new(),
        overrides: Vec::new(),
        docker: None,
        sensors: Sensors::default(),
        duration: Span::from_mins(60),
        warmup: Span::ZERO,
        step: Span::from_secs(1),
        sample: Span::from_mins(1),
        seeds: vec![Seed::new(1)],
        expect: Vec::new(),
        budget: None,
    }
}

/// The same twenty services with everything that a host can have: ten call the other ten in parallel, half of it cached, with
/// timeouts, retries and breakers; those read and write a disk behind a page cache; the chip warms up and guests steal.
fn everything(load_percent: u64, pattern: fn(Rate) -> Pattern) -> Scenario {
    let mut scenario = scenario(load_percent, Some(Span::from_secs(10)), pattern);
    let profiled = Profiles::below(Path::new("/")).find("m1-air", None, Path::new("/")).expect("a shipped profile");
    scenario.host.heat = profiled.heat;
    scenario.host.storage = profiled.storage;
    scenario.host.cores =
        [12, 8].map(|count| CoreGroup { count, speed: Permille::percent(u64::from(count) * 12 - 44) }).to_vec();
    scenario.host.steal = Permille::percent(1);
    let names: Vec<ServiceName> = scenario.services.keys().cloned().collect();
    let (callers, called) = names.split_at(10);
    for (place, name) in callers.iter().enumerate() {
        let service = scenario.services.get_mut(name).expect("a service");
        for next in 0..2 {
            service.work.calls.push(Call {
                stage: Some(0),
                cached: Permille::percent(50),
                timeout: Some(Span::from_secs(2)),
                retry: Some(Retry { times: 2, backoff: Span::from_millis(20), budget: Some(Permille::percent(20)) }),
                breaker: Some(Breaker {
                    failures: Permille::percent(50),
                    window: Span::from_secs(10),
                    least: 20,
                    open: Span::from_secs(5),
                }),
                ..Call::new(called[(place + next) % 10].clone(), 1)
            });
        }
    }
    for name in called {
        scenario.load.remove(name);
        let service = scenario.services.get_mut(name).expect("a service");
        service.disk = DiskUse { reads: 1000, writes: 200, data: Bytes::gibi(4), ..DiskUse::default() };
    }
    scenario
}

/// The same where other guests steal 5 % for a minute every ten minutes.
fn stolen(mut scenario: Scenario) -> Scenario {
    scenario.host.steal_bursts =
        Some(StealBursts { burst: Permille::percent(5), every: Span::from_mins(10), lasts: Span::from_mins(1) });
    scenario
}

/// The same without breakers: where these open and close, the host is another one in every second.
fn unbroken(mut scenario: Scenario) -> Scenario {
    scenario.services.values_mut().flat_map(|service| &mut service.work.calls).for_each(|call| call.breaker = None);
    scenario
}

const fn constant(rate: Rate) -> Pattern {
    Pattern::Constant { rate }
}

fn diurnal(rate: Rate) -> Pattern {
    Pattern::Diurnal { low: rate.scaled(1, 5), high: rate, peak_at: Span::from_mins(60 * 20) }
}

/// Ten minutes, with a sample every minute.
fn ten_minutes(world: &mut World) {
    for _ in 0..10 {
        world.advance(world.now().plus(Span::from_mins(1)));
        black_box(world.sample());
    }
}

/// On so few cores that at its peak the host is 82 % full, and the services wait for each other.
fn crowded(mut scenario: Scenario) -> Scenario {
    scenario.host.cores = vec![CoreGroup { count: 11, speed: Permille::ONE }];
    scenario
}

fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("container-ticks");
    group.throughput(Throughput::Elements(SERVICES * 600));
    let cases: [Case; 6] = [
        ("load 0.5", 50, None, constant),
        ("load 0.9", 90, None, constant),
        ("load 1.3", 130, None, constant),
        ("load 1.3, timeout", 130, Some(Span::from_secs(10)), constant),
        ("diurnal to 0.9", 90, None, diurnal),
        ("diurnal to 1.3", 130, Some(Span::from_secs(10)), diurnal),
    ];
    for (name, percent, timeout, pattern) in cases {
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            let mut world = World::new(&scenario(percent, timeout, pattern), Seed::new(1));
            world.advance(Instant::after_start(WARM));
            world.sample();
            bencher.iter(|| ten_minutes(&mut world));
        });
    }
    for (name, scenario) in [
        ("load 0.9, all of it on", everything(90, constant)),
        ("load 0.9, all of it on, bursts of steal", stolen(everything(90, constant))),
        ("load 1.3, all of it on", everything(130, constant)),
        ("load 1.3, all of it on, no breakers", unbroken(everything(130, constant))),
        ("diurnal to 0.9, all of it on", everything(90, diurnal)),
        ("diurnal to 0.9, a crowded host", crowded(scenario(90, None, diurnal))),
    ] {
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            let mut world = World::new(&scenario, Seed::new(1));
            world.advance(Instant::after_start(HOT));
            world.sample();
            bencher.iter(|| ten_minutes(&mut world));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(core::time::Duration::from_secs(1)).measurement_time(core::time::Duration::from_secs(3));
    targets = steps
}
criterion_main!(benches);
