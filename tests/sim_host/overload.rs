//! Above saturation: slopes, drains, timeouts, shares of CPU.

use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::merged;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use plimsoll::model::CoreGroup;
use plimsoll::model::Load;
use plimsoll::model::Noise;
use plimsoll::model::Pattern;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceName;
use plimsoll::seed::Seed;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::world::sim::World;

/// One core does 200 requests of 5 ms a second. With 260 a second the queue grows by 60 a second; with 40 a second
/// after that it shrinks by 160 a second.
#[test]
fn a_backlog_grows_and_drains_with_the_difference_of_rates() {
    let steps =
        Pattern::Steps(vec![(Span::ZERO, Rate::per_second(260)), (Span::from_secs(1800), Rate::per_second(40))]);
    let scenario = scenario(host(1), [("web", service(5))], [("web", Load { pattern: steps, noise: Noise::None })]);
    let samples = run(&scenario, 3600);
    let queue = |minute: usize| samples[minute - 1].services[0].queue as f64 / 1000.0;
    // M/M/1 keeps L / (1 + L) of its power, so the slope nears 60 like 1 / L.
    assert!(((queue(30) - queue(20)) / 600.0 - 60.0).abs() < 0.01, "{}", (queue(30) - queue(20)) / 600.0);
    assert!(((queue(30) - queue(40)) / 600.0 - 160.0).abs() < 0.01, "{}", (queue(30) - queue(40)) / 600.0);
    // 1800 s at 60 a second drain in 675 s: shortly before there is something left, a little later nothing to speak of.
    assert!(queue(30) > 107_900.0 && queue(30) < 108_100.0);
    assert!(queue(41) > 2000.0 && queue(42) < 1.0, "{} {}", queue(41), queue(42));
    // While it drains, requests wait for what is in front of them: 200 a second.
    let waited = merged(&samples[35..36], 0).mean().expect("requests").as_secs();
    assert!((waited / (f64::midpoint(queue(35), queue(36)) / 200.0) - 1.0).abs() < 0.02, "{waited}");
    assert!(samples[5].services[0].saturated && !samples[50].services[0].saturated);
}

/// With a timeout the queue stays bounded, what can be served is served, the rest fails.
#[test]
fn a_timeout_bounds_the_backlog() {
    for workers in [None, Some(4)] {
        let mut web = service(20);
        web.workers = workers;
        web.timeout = Some(Span::from_secs(10));
        let load = constant(Rate::per_second(300), Noise::Poisson);
        let samples = run(&scenario(host(4), [("web", web)], [("web", load)]), 1800);
        let last: Vec<_> = samples[5..].iter().map(|sample| &sample.services[0]).collect();
        let of = |get: fn(&plimsoll::model::ServiceSample) -> u64| {
            last.iter().map(|sample| get(sample)).sum::<u64>() as f64 / last.len() as f64 / 60_000.0
        };
        assert!((of(|sample| sample.served) / 200.0 - 1.0).abs() < 0.01, "{}", of(|sample| sample.served));
        assert!((of(|sample| sample.failed) / 100.0 - 1.0).abs() < 0.02, "{}", of(|sample| sample.failed));
        assert!(last.iter().all(|sample| sample.queue < 3_000_000 && sample.saturated));
        let slowest = merged(&samples[5..], 0).quantile(1, 1).expect("requests");
        assert!(slowest < Span::from_millis(10_450), "{slowest}");
    }
}

/// Two services that want all of three cores get two and one by their weights; a third one with a quota of half a core
/// leaves them two and a half.
#[test]
fn weights_and_quotas_share_the_cores() {
    let load = || constant(Rate::per_second(5000), Noise::None);
    let mut heavy = service(5);
    heavy.weight = 2048;
    let two =
        scenario(host(3), [("heavy", heavy.clone()), ("light", service(5))], [("heavy", load()), ("light", load())]);
    let cpu = |scenario: &Scenario| {
        run(scenario, 600)[9].services.iter().map(|service| service.cpu.get()).collect::<Vec<_>>()
    };
    assert_eq!(cpu(&two), [2000, 1000]);
    let mut small = service(5);
    small.limits.cpu = Some(Millicores::new(500));
    small.weight = 100_000;
    let mut three = two.clone();
    three.services.insert(ServiceName::new("small"), small);
    three.load.insert(ServiceName::new("small"), load());
    assert_eq!(cpu(&three), [1667, 833, 500]);
    let served = run(&three, 600)[9].services[2].served as f64 / 60_000.0;
    assert!((served - 100.0).abs() < 0.1, "{served}");
}

/// A service whose share is enough does not starve beside one that wants everything.
#[test]
fn a_small_service_is_protected_by_its_weight() {
    let greedy = constant(Rate::per_second(4000), Noise::Poisson);
    let modest = constant(Rate::per_second(40), Noise::Poisson);
    let scenario =
        scenario(host(2), [("greedy", service(5)), ("modest", service(5))], [("greedy", greedy), ("modest", modest)]);
    let samples = run(&scenario, 1200);
    let last = samples.last().expect("samples");
    assert!(last.services[0].saturated && !last.services[1].saturated);
    assert_eq!(last.services[1].failed, 0);
    assert!((last.services[1].served as f64 / last.services[1].arrived as f64 - 1.0).abs() < 0.01);
    assert!(last.host.cpu.get() > 1995 && last.host.cpu.get() <= 2000, "{}", last.host.cpu);
    let waited = merged(&samples[5..], 1).mean().expect("requests");
    assert!(waited < Span::from_millis(100), "{waited}");
}

/// What takes all it can get leaves the others what their weight is worth, and they wait no longer than on a host of
/// that size. The means are those of an event simulation of weighted containers, over 60,000 requests of 10 ms.
#[test]
fn a_weight_protects_from_a_noisy_neighbour() {
    for (cores, rate, weight, hogs, mean) in [
        (1, 20, 8 * 1024, &[4][..], 14.58),
        (1, 20, 1024, &[4], 33.55),
        (4, 100, 1024, &[8], 13.36),
        (4, 100, 1024, &[1], 10.47),
        (4, 20, 1024, &[1; 8], 41.09),
    ] {
        let mut api = service(10);
        api.weight = weight;
        let names: Vec<String> = (0..hogs.len()).map(|number| format!("hog-{number}")).collect();
        let mut services = vec![("api", api)];
        let mut loads = vec![("api", constant(Rate::per_second(rate), Noise::None))];
        for (name, &workers) in names.iter().zip(hogs) {
            let mut hog = service(1000);
            hog.workers = Some(workers);
            services.push((name.as_str(), hog));
            loads.push((name.as_str(), constant(Rate::per_second(40), Noise::None)));
        }
        let samples = run(&scenario(host(cores), services, loads), 1800);
        let found = merged(&samples[5..], 0).mean().expect("requests").as_secs() * 1e3;
        assert!((found / mean - 1.0).abs() < 0.05, "{found} ms for {mean} on {cores} cores beside {hogs:?}");
    }
}

/// What the heavy one wins the light one loses, since there is no more work done than before. Means as above, of two or
/// three services: requests per second, milliseconds of work, weight, milliseconds of response.
#[test]
fn a_light_container_waits_for_the_heavy_ones() {
    for (cores, all) in [
        (1, &[(20, 10, 4096, 15.98), (60, 10, 1024, 61.25)][..]),
        (2, &[(21, 10, 4096, 10.51), (62, 10, 256, 24.69), (52, 10, 1024, 13.91)]),
        (4, &[(60, 10, 4096, 10.10), (18, 50, 256, 68.09), (20, 50, 1024, 54.89)]),
    ] {
        let names = ["a", "b", "c"];
        let models = all.iter().map(|&(_, work, weight, _)| {
            let mut model = service(work);
            model.weight = weight;
            model
        });
        let loads = all.iter().map(|&(rate, ..)| constant(Rate::per_second(rate), Noise::None));
        let scenario = scenario(host(cores), names.into_iter().zip(models), names.into_iter().zip(loads));
        let samples = run(&scenario, 1800);
        for (place, (.., mean)) in all.iter().enumerate() {
            let found = merged(&samples[5..], place).mean().expect("requests").as_secs() * 1e3;
            assert!((found / mean - 1.0).abs() < 0.1, "{found} ms for {mean} on {cores} cores");
        }
    }
}

/// More quota never makes anybody slower on a host that has it to give. A record counts in nanoseconds.
#[test]
fn more_quota_never_hurts() {
    let mut before = f64::INFINITY;
    for milli in [300, 400, 600, 1000, 2000, 4000] {
        let mut web = service(5);
        web.limits.cpu = Some(Millicores::new(milli));
        let load = constant(Rate::per_second(50), Noise::None);
        let samples = run(&scenario(host(4), [("web", web)], [("web", load)]), 600);
        let mean = merged(&samples[2..], 0).mean().expect("requests").as_secs();
        assert!(mean <= before + 1e-8, "{mean} after {before} with {milli}");
        before = mean;
    }
}

/// Four fast cores and four of half their speed do the work of six. Up to four, the fast ones do it; for five, two slow
/// ones are busy, too, so that containers are seen to use six. Docker counts time on a core, however slow it is.
#[test]
fn slow_cores_help_when_the_fast_ones_are_busy() {
    let mut host = host(4);
    host.cores.push(CoreGroup { count: 4, speed: Permille::percent(50) });
    let steps = [(0, 200), (600, 700), (1200, 1000), (1800, 1150), (2400, 1300)];
    let steps = steps.map(|(second, rate)| (Span::from_secs(second), Rate::per_second(rate))).to_vec();
    let load = Load { pattern: Pattern::Steps(steps), noise: Noise::None };
    let samples = run(&scenario(host, [("web", service(5))], [("web", load)]), 3000);
    let cores = |minute: usize| samples[minute].services[0].cpu.as_cores();
    for (minute, wanted) in [(8, 1.0), (18, 3.5), (28, 6.0), (38, 7.5), (48, 8.0)] {
        // Their mean speed is followed in steps of a thirty-second.
        assert!((cores(minute) / wanted - 1.0).abs() < 0.03, "{} for {wanted} in minute {minute}", cores(minute));
    }
    assert!((samples[48].host.cpu.as_cores() - 6.0).abs() < 0.01 && samples[48].services[0].saturated);
}

/// A limit taken back and given again in a run: the queue grows while it is too small.
#[test]
fn a_new_limit_acts_at_once() {
    let mut web = service(5);
    web.limits.cpu = Some(Millicores::cores(1));
    let load = constant(Rate::per_second(100), Noise::None);
    let scenario = scenario(host(4), [("web", web)], [("web", load)]);
    let mut world = World::new(&scenario, Seed::new(1));
    let limit = |world: &mut World, from, to| {
        world.apply(&[plimsoll::model::Action::LimitCpu {
            service: ServiceName::new("web"),
            from: Millicores::new(from),
            to: Millicores::new(to),
            why: plimsoll::model::Reason::BelowThreshold {
                seen: plimsoll::units::Permille::ZERO,
                threshold: plimsoll::units::Permille::ZERO,
                checks: 1,
            },
        }]);
    };
    world.advance(second(60));
    assert!(!world.sample().services[0].saturated);
    limit(&mut world, 1000, 250);
    world.advance(second(120));
    let squeezed = world.sample();
    assert_eq!((squeezed.services[0].limits.cpu, squeezed.services[0].cpu.get()), (Some(Millicores::new(250)), 250));
    assert!(squeezed.services[0].saturated && squeezed.services[0].queue > 2_800_000);
    assert!(squeezed.services[0].throttled.get() > 950);
    limit(&mut world, 250, 1000);
    world.advance(second(180));
    assert!(world.sample().services[0].queue < 10_000);
    assert!(world.take_incidents().iter().all(|(_, incident)| !format!("{incident:?}").contains("Refused")));
}
