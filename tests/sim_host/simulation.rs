//! What the tests of the simulated host share: a plain host, a plain service, a run.

use plimsoll::model::Balance;
use plimsoll::model::Call;
use plimsoll::model::CoreGroup;
use plimsoll::model::DiskUse;
use plimsoll::model::Host;
use plimsoll::model::Latencies;
use plimsoll::model::Limits;
use plimsoll::model::Load;
use plimsoll::model::Noise;
use plimsoll::model::Pattern;
use plimsoll::model::Restart;
use plimsoll::model::Sample;
use plimsoll::model::Scenario;
use plimsoll::model::Sensors;
use plimsoll::model::ServiceModel;
use plimsoll::model::ServiceName;
use plimsoll::model::Shortage;
use plimsoll::model::Spread;
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

/// A host of so many equal cores with 16 GiB, all of it for containers.
pub(crate) fn host(cores: u32) -> Host {
    Host {
        disk: Bytes::gibi(100),
        ..Host::bare("plain", vec![CoreGroup { count: cores, speed: Permille::ONE }], Bytes::gibi(16))
    }
}

/// A service without limits that answers at once; a request is so many milliseconds of exponential work.
pub(crate) fn service(work_millis: u64) -> ServiceModel {
    ServiceModel {
        image: None,
        replicas: 1,
        limits: Limits::default(),
        reservations: Limits::default(),
        weight: 1024,
        work: Work {
            cpu: Span::from_millis(work_millis),
            spread: Spread::Exponential,
            memory: Bytes::ZERO,
            calls: Vec::new(),
            request: Bytes::ZERO,
            answer: Bytes::ZERO,
        },
        workers: None,

        blocking: false,
        backlog: None,
        balance: Balance::Random,
        timeout: None,
        idle_cpu: Millicores::ZERO,
        idle_memory: Bytes::mebi(100),
        leak_per_hour: Bytes::ZERO,
        start_up: Span::ZERO,
        start_cpu: Millicores::ZERO,
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
    }
}

/// So many calls of a service.
pub(crate) fn call(to: &str, count: u32) -> Call {
    Call::new(ServiceName::new(to), count)
}

/// Always the same rate.
pub(crate) const fn constant(rate: Rate, noise: Noise) -> Load {
    Load { pattern: Pattern::Constant { rate }, noise }
}

/// Services on a host under a load, in steps of a second.
pub(crate) fn scenario<'a>(
    host: Host,
    services: impl IntoIterator<Item = (&'a str, ServiceModel)>,
    load: impl IntoIterator<Item = (&'a str, Load)>,
) -> Scenario {
    Scenario {
        name: "test".to_owned(),
        host,
        services: services.into_iter().map(|(name, model)| (ServiceName::new(name), model)).collect(),
        load: load.into_iter().map(|(name, load)| (ServiceName::new(name), load)).collect(),
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

/// A point in time by its second.
pub(crate) const fn second(second: u64) -> Instant {
    Instant::after_start(Span::from_secs(second))
}

/// Runs so many seconds with the first seed; a sample every minute.
pub(crate) fn run(scenario: &Scenario, seconds: u64) -> Vec<Sample> {
    let mut world = World::new(scenario, scenario.seeds[0]);
    (1..=seconds / 60)
        .map(|minute| {
            world.advance(second(minute * 60));
            world.sample()
        })
        .collect()
}

/// The response times of a service, by its place in the order of names, in all samples together.
pub(crate) fn merged(samples: &[Sample], place: usize) -> Latencies {
    let mut all = Latencies::new();
    for sample in samples {
        all.merge(&sample.services[place].latency);
    }
    all
}
