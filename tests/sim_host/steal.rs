//! Steal that comes in bursts: its mean, its bursts, and what a service has left.

use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use plimsoll::model::Host;
use plimsoll::model::Noise;
use plimsoll::model::StealBursts;
use plimsoll::seed::Seed;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::world::sim::World;

/// Two percent on average, with bursts of a fifth for two minutes about every half hour.
fn noisy() -> Host {
    let bursts = StealBursts { burst: Permille::percent(20), every: Span::from_mins(30), lasts: Span::from_mins(2) };
    Host { steal: Permille::percent(2), steal_bursts: Some(bursts), ..host(2) }
}

/// Over months of bursts that are exponential in length, the mean is that of the profile: 80 days are 3,840 bursts, whose
/// sum scatters by `√(2 / 3840)` = 2.3 % of their 1.33 %. The bound is four of these, and rounding of the samples.
#[test]
fn over_a_long_time_steal_is_the_mean_of_the_profile() {
    let mut scenario = scenario(noisy(), [("web", service(5))], []);
    scenario.step = Span::from_secs(5);
    let mut world = World::new(&scenario, Seed::new(3));
    let minutes = 80 * 24 * 60;
    let (mut sum, mut full) = (0.0, 0);
    for minute in 1..=minutes {
        world.advance(second(60 * minute));
        let steal = world.sample().host.steal.expect("it varies").as_fraction();
        assert!((0.0065..=0.2).contains(&steal), "{steal}");
        sum += steal;
        full += u32::from(steal > 0.199);
    }
    let mean = sum / minutes as f64;
    assert!((mean - 0.02).abs() < 4.0 * 0.0133 * f64::sqrt(2.0 / 3840.0) + 0.0003, "{mean}");
    // A minute is wholly in a burst where that is longer: `e^(−1/2)` of the 2 minutes in 30.
    let wanted = libm::exp(-0.5) * 2.0 / 30.0;
    let found = f64::from(full) / minutes as f64;
    assert!((found / wanted - 1.0).abs() < 0.15, "{found} for {wanted}");
}

/// What other guests take, a busy service has not: it serves as much of what two cores can do as is left.
#[test]
fn a_full_host_serves_what_is_left() {
    let mut web = service(10);
    web.timeout = Some(Span::from_secs(2));
    let scenario = scenario(noisy(), [("web", web)], [("web", constant(Rate::per_second(300), Noise::None))]);
    let samples = run(&scenario, 6 * 3600);
    let mut bursts = 0;
    for pair in samples.windows(3) {
        // In the middle of a burst, or far from one.
        let steal = |at: usize| pair[at].host.steal.expect("it varies");
        if steal(0) == steal(1) && steal(1) == steal(2) {
            let served = pair[1].services[0].served as f64 / 60_000.0;
            let wanted = 200.0 * (1.0 - steal(1).as_fraction());
            assert!((served / wanted - 1.0).abs() < 0.01, "{served} for {wanted} at {}", steal(1));
            bursts += u32::from(steal(1) == Permille::percent(20));
        }
    }
    assert!(bursts > 0, "no burst in six hours");
    assert_eq!(samples, run(&scenario, 6 * 3600), "the same seed, the same bursts");
}

/// Bursts are slow requests, at a mean that nobody would look at twice.
#[test]
fn bursts_are_seen_in_the_response_times() {
    let load = || constant(Rate::per_second(150), Noise::Poisson);
    let steady = Host { steal: Permille::percent(2), ..host(2) };
    let p99 = |host: Host| {
        let samples = run(&scenario(host, [("web", service(10))], [("web", load())]), 6 * 3600);
        crate::simulation::merged(&samples, 0).quantile(99, 100).expect("requests").as_secs()
    };
    let (with, without) = (p99(noisy()), p99(steady));
    assert!(with > 1.1 * without, "{with} s with bursts, {without} s without");
}
