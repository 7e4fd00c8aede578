//! Balancers in front of replicas: what looking at them is worth, and where it is worth nothing.

use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::merged;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use plimsoll::model::Balance;
use plimsoll::model::Deployment;
use plimsoll::model::Fault;
use plimsoll::model::FaultKind;
use plimsoll::model::HealthCheck;
use plimsoll::model::Limits;
use plimsoll::model::Noise;
use plimsoll::model::Order;
use plimsoll::model::Sample;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceModel;
use plimsoll::model::ServiceName;
use plimsoll::model::Spread;
use plimsoll::model::Update;
use plimsoll::record::Event;
use plimsoll::run::simulate::simulate;
use plimsoll::seed::Seed;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use proptest::prelude::*;

const RULES: [Balance; 3] = [Balance::Random, Balance::RoundRobin, Balance::LeastConnections];

/// So many replicas with a core each and requests of 20 ms, behind a balancer.
fn replicas(count: u32, balance: Balance, rate: u64) -> Scenario {
    let mut api = ServiceModel { replicas: count, balance, ..service(20) };
    api.limits.cpu = Some(Millicores::cores(1));
    scenario(host(16), [("api", api)], [("api", constant(Rate::per_second(rate), Noise::Poisson))])
}

/// Mean and P95 in milliseconds.
fn times(samples: &[Sample]) -> (f64, f64) {
    let times = merged(samples, 0);
    let [mean, late] = [times.mean(), times.quantile(95, 100)].map(|time| time.expect("requests").as_secs() * 1e3);
    (mean, late)
}

/// Three replicas at 80 %: taking turns spares a part of the wait, looking at them most of it; all do the same work.
#[test]
fn looking_at_replicas_spares_most_of_the_wait() {
    let [random, turns, fewest] = RULES.map(|balance| run(&replicas(3, balance, 120), 1800));
    let [random_ms, turns_ms, fewest_ms] = [&random, &turns, &fewest].map(|samples| times(&samples[1..]));
    assert!(turns_ms.0 < 0.75 * random_ms.0 && turns_ms.1 < 0.8 * random_ms.1, "{turns_ms:?} of {random_ms:?}");
    assert!(fewest_ms.0 < 0.7 * turns_ms.0 && fewest_ms.1 < 0.7 * turns_ms.1, "{fewest_ms:?} of {turns_ms:?}");
    for samples in [&turns, &fewest] {
        for (one, other) in samples.iter().zip(&random).skip(2) {
            let (one, other) = (&one.services[0], &other.services[0]);
            assert_eq!((one.arrived, one.failed), (other.arrived, other.failed), "the same requests come");
            assert!(one.cpu.get().abs_diff(other.cpu.get()) <= 5, "{} and {}", one.cpu, other.cpu);
            assert!(one.throttled <= other.throttled);
        }
    }
}

/// Where instances have neither limits nor workers they share the cores, and it is all the same who gets a request.
#[test]
fn replicas_that_share_the_cores_anyway_gain_nothing() {
    let of = |balance| {
        let api = ServiceModel { replicas: 3, balance, ..service(20) };
        let load = constant(Rate::per_second(160), Noise::Poisson);
        times(&run(&scenario(host(4), [("api", api)], [("api", load)]), 1200)[1..])
    };
    let [random, turns, fewest] = RULES.map(of);
    for (balanced, name) in [(turns, "in turn"), (fewest, "to the fewest")] {
        assert!((balanced.0 / random.0 - 1.0).abs() < 0.02, "{name}: {balanced:?} and {random:?}");
        assert!((balanced.1 / random.1 - 1.0).abs() < 0.05, "{name}: {balanced:?} and {random:?}");
    }
}

/// With one replica there is nothing to choose, and nothing changes at all.
#[test]
fn one_replica_is_one_replica() {
    let [random, turns, fewest] = RULES.map(|balance| run(&replicas(1, balance, 35), 600));
    assert!(random == turns && random == fewest);
}

/// Two of three replicas are left for a while: what comes is balanced over these.
#[test]
fn who_is_down_gets_nothing() {
    let wanted = times(&run(&replicas(2, Balance::LeastConnections, 80), 1200)[1..]);
    let mut scenario = replicas(3, Balance::LeastConnections, 80);
    let crash = FaultKind::CrashOne { service: ServiceName::new("api"), instance: 2 };
    scenario.services.values_mut().for_each(|api| api.restart = plimsoll::model::Restart::No);
    scenario.faults = vec![Fault::once(second(30), Span::ZERO, crash)];
    let found = times(&run(&scenario, 1200)[1..]);
    assert!(
        (found.0 / wanted.0 - 1.0).abs() < 0.01 && (found.1 / wanted.1 - 1.0).abs() < 0.03,
        "{found:?}, {wanted:?}"
    );
}

/// The longer requests wait for something else, the less their number says about who is busy.
#[test]
fn long_calls_hide_who_is_busy() {
    let own = |balance, answer: u64| {
        let mut scenario = replicas(3, balance, 120);
        let api = scenario.services.values_mut().next().expect("a service");
        api.work.calls = vec![call("db", 1)];
        let db = ServiceModel { ..service(answer) };
        scenario.services.insert(ServiceName::new("db"), db);
        scenario.host = host(16 + u32::try_from(answer / 2).expect("small"));
        times(&run(&scenario, 600)[1..]).0 - answer as f64
    };
    let saved = |answer| 1.0 - own(Balance::LeastConnections, answer) / own(Balance::Random, answer);
    let (short, long) = (saved(2), saved(400));
    assert!(short > 0.45 && (0.1..0.8 * short).contains(&long), "{short:.2} and {long:.2}");
}

/// One of three replicas is replaced by one with half the CPU, and stays the only one for a while.
fn one_is_narrow(balance: Balance) -> (f64, f64) {
    let mut scenario = replicas(3, balance, 90);
    scenario.duration = Span::from_mins(30);
    let test = vec!["CMD".to_owned(), "true".to_owned()];
    let check = HealthCheck { test, interval: Some(Span::from_secs(10)), ..HealthCheck::default() };
    scenario.services.values_mut().for_each(|api| api.health = Some(check.clone()));
    let narrow = Limits { cpu: Some(Millicores::new(500)), memory: Some(Bytes::mebi(512)) };
    let update = Update { order: Order::StopFirst, parallelism: 1, delay: Span::from_mins(60), ..Update::default() };
    let service = ServiceName::new("api");
    let at = second(300);
    scenario.deployments = vec![Deployment { at, service, limits: narrow, new_image: false, alone: None, update }];
    let mut samples = Vec::new();
    let outcome = simulate(&scenario, Seed::new(1), &mut |event| {
        if let Event::Sampled(sample) = event {
            samples.push(sample.clone());
        }
    });
    assert!(outcome.is_ok());
    times(&samples[10..])
}

/// Half as fast, it gets a third of the requests at random, more than it can do; who looks gives it less.
#[test]
fn a_narrow_replica_harms_less_where_somebody_looks() {
    let [random, turns, fewest] = RULES.map(one_is_narrow);
    assert!(random.1 > 10.0 * fewest.1 && turns.1 > 5.0 * fewest.1, "{random:?}, {turns:?}, {fewest:?}");
    assert!(fewest.1 < 300.0, "{fewest:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// By the figures of the samples themselves: who looks is never slower than who does not, and serves as much.
    #[test]
    fn looking_is_never_slower(
        count in 2_u32..6, work in 2_u64..60, quota in 300_u64..3000, workers in prop::option::of(1_u32..8),
        percent in 20_u64..95, place in 0_usize..3,
    ) {
        let of = |balance| {
            let mut api = ServiceModel { replicas: count, balance, workers, ..service(work) };
            api.limits.cpu = Some(Millicores::new(quota));
            api.work.spread = [Spread::Constant, Spread::Exponential, Spread::Heavy][place];
            let most = quota.min(1000 * u64::from(workers.unwrap_or(99)));
            let rate = Rate::micro(most * u64::from(count) * percent * 10_000 / work);
            let load = constant(rate, Noise::None);
            run(&scenario(host(24), [("api", api)], [("api", load)]), 600)
        };
        let [random, turns, fewest] = RULES.map(of);
        let [random_ms, turns_ms, fewest_ms] = [&random, &turns, &fewest].map(|samples| times(&samples[2..]));
        prop_assert!(fewest_ms.0 <= turns_ms.0 * 1.002 && turns_ms.0 <= random_ms.0 * 1.002, "{random_ms:?} {turns_ms:?} {fewest_ms:?}");
        let served = |samples: &[Sample]| samples[2..].iter().map(|sample| sample.services[0].served).sum::<u64>();
        prop_assert!(served(&fewest).abs_diff(served(&random)) <= served(&random) / 1000 + 2000);
    }
}
