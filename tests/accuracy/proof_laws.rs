//! What holds for the oracle whatever is simulated: conservation, Little's law, fluid limits, determinism.

use crate::draws;
use crate::measure::observe;
use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::scenario;
use crate::simulation::service;
use plimsoll::model::Load;
use plimsoll::model::Noise;
use plimsoll::model::Pattern;
use plimsoll::model::ServiceModel;
use plimsoll::seed::Seed;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::world::oracle::Oracle;
use plimsoll::world::oracle::simulate;

/// Numbers inside, rates and times are counted apart. The gap comes from the requests at both ends of the run.
#[test]
fn little_holds_for_what_is_measured_apart() {
    for number in 0..12 {
        let case = draws::graph(number, 0.7);
        let seconds = 60_000.0 / case.outside_rate;
        for seen in observe(&case.scenario, seconds) {
            let whole = &seen.whole;
            if whole.served > 5000 {
                let product = whole.served as f64 / seconds * whole.mean();
                let slack = 4.0 * (whole.inside + 1.0) / whole.served as f64 + 1e-3;
                assert!((whole.inside / product - 1.0).abs() < slack, "{}: {} for {product}", whole.name, whole.inside);
            }
        }
    }
}

/// Every request that arrived was served, failed or is still there, with timeouts and failing calls, too.
#[test]
fn every_request_is_somewhere() {
    for number in 0..20 {
        let mut case = draws::graph(number, 1.1);
        for model in case.scenario.services.values_mut() {
            model.timeout = Some(Span::from_millis(200));
        }
        let mut oracle = Oracle::new(&case.scenario, Seed::new(number)).expect("constant rates");
        let (mut inside, mut failed) = ([0; 8], 0);
        for _ in 0..5 {
            oracle.advance(2000.0 / case.outside_rate);
            for (place, service) in oracle.take().services.iter().enumerate() {
                let gone = service.served + service.timed_out + service.call_failed;
                assert_eq!(inside[place] + service.arrived, gone + service.inside_at_end, "{}", service.name);
                assert_eq!(service.latency.thousandths(), service.served * 1000);
                inside[place] = service.inside_at_end;
                failed += service.timed_out + service.call_failed;
                let slowest = service.latency.quantile(1, 1).unwrap_or(Span::ZERO);
                assert!(slowest <= Span::from_millis(210), "{slowest}");
            }
        }
        assert!(failed > 0, "a host at 110 % fails requests");
    }
}

/// A backlog grows by what comes less what is served, and is gone after it has been worked off at the spare rate.
#[test]
fn a_backlog_grows_and_drains_as_a_fluid() {
    let secs = Span::from_secs;
    let rate = Rate::per_second;
    let steps = vec![(Span::ZERO, rate(300)), (secs(100), rate(100)), (secs(200), rate(0))];
    let load = Load { pattern: Pattern::Steps(steps), noise: Noise::Poisson };
    let mut oracle =
        Oracle::new(&scenario(host(1), [("web", service(5))], [("web", load)]), Seed::new(5)).expect("steps");
    let mut backlog = Vec::new();
    for _ in 0..25 {
        oracle.advance(10.0);
        backlog.push(oracle.take().services[0].inside_at_end as f64);
    }
    // 300 come a second and 200 are served: 100 a second, with the scatter of both.
    let noise = |seconds: f64| 4.0 * (500.0 * seconds).sqrt();
    assert!((backlog[9] - 10_000.0).abs() < noise(100.0), "{}", backlog[9]);
    assert!((backlog[4] - 5000.0).abs() < noise(50.0), "{}", backlog[4]);
    // From 100 s on 100 come: the 10 000 are gone at 200 s.
    assert!((backlog[14] - 5000.0).abs() < noise(150.0), "{}", backlog[14]);
    assert!(backlog[19] < noise(200.0), "{}", backlog[19]);
    assert_eq!(backlog[24], 0.0, "nobody comes any more");
}

/// A request whose time is up fails its caller at once; what it asked for goes on and takes its CPU.
#[test]
fn a_late_answer_fails_its_caller_and_is_still_worked_out() {
    let mut web = ServiceModel { timeout: Some(Span::from_millis(20)), ..service(1) };
    web.work.calls = vec![call("slow", 1)];
    let mut slow = service(100);
    slow.work.spread = plimsoll::model::Spread::Constant;
    let load = constant(Rate::per_second(5), Noise::Poisson);
    let scenario = scenario(host(64), [("web", web), ("slow", slow)], [("web", load)]);
    let seen = simulate(&scenario, Seed::new(1), Span::ZERO, secs(400)).expect("constant rates");
    let (slow, web) = (&seen.services[0], &seen.services[1]);
    assert_eq!((web.served, web.call_failed), (0, 0));
    assert!(web.timed_out > 1500 && slow.served > 1500);
    assert!((slow.cpu - 0.5).abs() < 0.06, "{}", slow.cpu);
    assert!((web.inside / 5.0 - 0.020).abs() < 0.002, "they leave after 20 ms: {}", web.inside);
}

const fn secs(seconds: u64) -> Span {
    Span::from_secs(seconds)
}

#[test]
fn the_same_seed_gives_the_same_run_in_whatever_parts() {
    let case = draws::graph(4, 0.8);
    let run = |seed, parts: u32| {
        let mut oracle = Oracle::new(&case.scenario, Seed::new(seed)).expect("constant rates");
        (0..parts).for_each(|_| oracle.advance(60.0 / f64::from(parts)));
        let services = oracle.take().services;
        services.iter().map(|service| (service.arrived, service.served, service.inside_at_end)).collect::<Vec<_>>()
    };
    assert_eq!(run(1, 1), run(1, 1));
    assert_eq!(run(1, 1), run(1, 6), "how often one looks changes nothing");
    assert_ne!(run(1, 1), run(2, 1));
}

#[test]
fn a_load_that_cannot_be_drawn_is_said() {
    let day = Pattern::Diurnal { low: Rate::per_second(1), high: Rate::per_second(9), peak_at: Span::ZERO };
    let load = Load { pattern: day, noise: Noise::Poisson };
    let error = Oracle::new(&scenario(host(1), [("web", service(5))], [("web", load)]), Seed::new(1));
    assert_eq!(
        error.expect_err("a smooth load").to_string(),
        "the load on `web` is neither constant nor a row of steps nor clients"
    );
}
