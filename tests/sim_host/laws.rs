//! What holds for every run, whatever is simulated.

use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use plimsoll::model::Fault;
use plimsoll::model::FaultKind;
use plimsoll::model::Load;
use plimsoll::model::Noise;
use plimsoll::model::Pattern;
use plimsoll::model::Sample;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceName;
use plimsoll::model::ServiceSample;
use plimsoll::model::Spread;
use plimsoll::seed::Seed;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::world::sim::World;
use proptest::prelude::*;

/// A stack with everything in it: calls, weights, quotas, a crowd, noise, a timeout, a crash.
fn busy(names: [&str; 3], noise: Noise) -> Scenario {
    let [web, api, db] = names;
    let mut first = service(3);
    first.work.calls = vec![call(api, 2)];
    first.timeout = Some(Span::from_secs(2));
    let mut second_one = service(8);
    second_one.work.calls = vec![call(db, 1)];
    second_one.limits.cpu = Some(Millicores::new(1500));
    second_one.replicas = 2;
    let mut third = service(2);
    third.weight = 4096;
    third.work.spread = Spread::Heavy;
    third.workers = Some(8);
    third.start_up = Span::from_secs(4);
    let pattern = Pattern::FlashCrowd {
        base: Rate::per_second(40),
        peak: Rate::per_second(250),
        at: Span::from_secs(300),
        rise: Span::from_secs(60),
        hold: Span::from_secs(240),
        fall: Span::from_secs(60),
    };
    let mut scenario =
        scenario(host(4), [(web, first), (api, second_one), (db, third)], [(web, Load { pattern, noise })]);
    scenario.faults = vec![Fault::once(second(800), Span::ZERO, FaultKind::Crash(ServiceName::new(db)))];
    scenario
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let scenario = busy(["web", "api", "db"], Noise::Poisson);
    let once = run(&scenario, 1200);
    assert_eq!(once, run(&scenario, 1200));
    let mut other = scenario;
    other.seeds = vec![Seed::new(2)];
    assert_ne!(once, run(&other, 1200));
}

fn nearly(one: &ServiceSample, other: &ServiceSample) {
    let close = |one: u64, other: u64| assert!(one.abs_diff(other) <= 5 + one / 100_000, "{one} and {other}");
    close(one.arrived, other.arrived);
    close(one.served, other.served);
    close(one.failed, other.failed);
    close(one.queue, other.queue);
    close(one.cpu.get(), other.cpu.get());
    close(one.throttled.get(), other.throttled.get());
    assert_eq!((one.memory, one.replicas, one.restarts), (other.memory, other.replicas, other.restarts));
}

/// Names are only names: other ones, in another order, change nothing but the order.
#[test]
fn names_do_not_matter() {
    let one = run(&busy(["web", "api", "db"], Noise::None), 1200);
    let other = run(&busy(["a", "b", "c"], Noise::None), 1200);
    for (one, other) in one.iter().zip(&other) {
        nearly(&one.services[2], &other.services[0]);
        nearly(&one.services[0], &other.services[1]);
        nearly(&one.services[1], &other.services[2]);
    }
}

/// A container that does nothing takes nothing, and draws nothing from the streams of others.
#[test]
fn an_idle_container_changes_nothing() {
    let scenario = busy(["web", "api", "db"], Noise::Poisson);
    let mut more = scenario.clone();
    more.services.insert(ServiceName::new("zzz"), service(5));
    let (before, after) = (run(&scenario, 1200), run(&more, 1200));
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.services[..], after.services[..3]);
    }
}

/// A service with its own load counts the same requests whoever else is loaded.
#[test]
fn streams_are_independent() {
    let load = |rate| constant(Rate::per_second(rate), Noise::Poisson);
    let alone = scenario(host(8), [("one", service(1)), ("two", service(1))], [("one", load(50))]);
    let both = scenario(host(8), [("one", service(1)), ("two", service(1))], [("one", load(50)), ("two", load(70))]);
    let arrived = |samples: Vec<Sample>| samples.iter().map(|sample| sample.services[0].arrived).collect::<Vec<_>>();
    assert_eq!(arrived(run(&alone, 600)), arrived(run(&both, 600)));
}

/// How often one looks changes nothing of what happens.
#[test]
fn looking_changes_nothing() {
    let scenario = busy(["web", "api", "db"], Noise::Poisson);
    let mut rarely = World::new(&scenario, Seed::new(3));
    rarely.advance(second(1200));
    let mut often = World::new(&scenario, Seed::new(3));
    for step in 1..=1200 {
        often.advance(second(step));
        let _ = often.observe();
    }
    assert_eq!(rarely.observe(), often.observe());
    assert_eq!(rarely.sample().services[0].arrived, often.sample().services[0].arrived);
    assert_eq!(rarely.container_ticks(), often.container_ticks());
}

/// Half the step, nearly the same: the means are those of the same equations.
#[test]
fn a_shorter_step_gives_the_same() {
    let scenario = busy(["web", "api", "db"], Noise::None);
    let mut fine = scenario.clone();
    fine.step = Span::from_millis(500);
    for (coarse, fine) in run(&scenario, 720).iter().zip(&run(&fine, 720)).skip(1) {
        for (coarse, fine) in coarse.services.iter().zip(&fine.services) {
            let (one, other) = (coarse.arrived as f64, fine.arrived as f64);
            assert!((one - other).abs() <= 0.02 * other, "{one} and {other} arrived");
            let (one, other) = (coarse.served as f64, fine.served as f64);
            assert!((one - other).abs() <= 0.03 * other, "{one} and {other} served");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the services, loads, limits and faults: requests add up, nobody uses more than he may, memory stays
    /// within its limits.
    #[test]
    fn nothing_is_lost(
        seed in 0_u64..1000,
        cores in 1_u32..5,
        figures in proptest::collection::vec((1_u64..60, 0_u64..120, 1_u32..4, 0_u64..4, 100_u64..2000, 0_u64..3), 3),
        crash in 0_u64..400,
    ) {
        let names = ["a", "b", "c"];
        let mut services = Vec::new();
        let mut loads = Vec::new();
        for (place, (work, rate, replicas, workers, quota, timeout)) in figures.iter().copied().enumerate() {
            let mut model = service(work);
            model.replicas = replicas;
            model.workers = (workers > 0).then(|| u32::try_from(workers).expect("small"));
            model.limits.cpu = (quota < 1500).then(|| Millicores::new(quota));
            model.limits.memory = Some(Bytes::mebi(200));
            model.work.memory = Bytes::new(1 << 14);
            model.timeout = (timeout > 0).then(|| Span::from_secs(timeout * 3));
            model.start_up = Span::from_secs(workers);
            model.idle_cpu = Millicores::new(5);
            if place < 2 {
                model.work.calls = vec![call(names[place + 1], u32::try_from(1 + workers % 2).expect("small"))];
            }
            services.push((names[place], model));
            loads.push((names[place], constant(Rate::per_second(rate), Noise::Poisson)));
        }
        let mut scenario = scenario(host(cores), services, loads);
        scenario.seeds = vec![Seed::new(seed)];
        scenario.faults =
            vec![Fault::once(second(crash), Span::ZERO, FaultKind::Crash(ServiceName::new("b")))];
        let samples = run(&scenario, 600);
        let mut queues = [0; 3];
        for sample in &samples {
            prop_assert!(sample.host.cpu <= scenario.host.capacity(), "{}", sample.host.cpu);
            for (place, service) in sample.services.iter().enumerate() {
                prop_assert_eq!(queues[place] + service.arrived, service.served + service.failed + service.queue);
                prop_assert_eq!(service.latency.thousandths(), service.served);
                queues[place] = service.queue;
                let model = &scenario.services[&ServiceName::new(names[place])];
                if let Some(quota) = model.limits.cpu {
                    prop_assert!(service.cpu.get() <= quota.get() * u64::from(model.replicas));
                }
                prop_assert!(service.memory <= Bytes::mebi(200));
                if let (Some(timeout), Some(slowest)) = (model.timeout, service.latency.quantile(1, 1)) {
                    prop_assert!(slowest.as_secs() <= timeout.as_secs() * 1.05, "{} of {}", slowest, timeout);
                }
            }
        }
    }
}
