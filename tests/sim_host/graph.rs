//! What is between services: stages, caches, timeouts, retries, breakers. Against closed forms, and as stories.

use crate::simulation;
use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use plimsoll::model::Again;
use plimsoll::model::Breaker;
use plimsoll::model::Call;
use plimsoll::model::Fault;
use plimsoll::model::FaultKind;
use plimsoll::model::Load;
use plimsoll::model::Noise;
use plimsoll::model::Pattern;
use plimsoll::model::Retry;
use plimsoll::model::Sample;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceModel;
use plimsoll::model::ServiceName;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;

fn close(found: f64, wanted: f64, within: f64) {
    assert!((found / wanted - 1.0).abs() < within, "{found} for {wanted}");
}

/// One worker that does its work on a core of its own: M/M/1.
fn single(work_millis: u64) -> ServiceModel {
    ServiceModel { workers: Some(1), ..service(work_millis) }
}

fn steady(rate: u64) -> Load {
    constant(Rate::per_second(rate), Noise::None)
}

/// Mean of a service's times after the first sample, in milliseconds.
fn mean(samples: &[Sample], place: usize) -> f64 {
    simulation::merged(&samples[1..], place).mean().expect("requests").as_secs() * 1e3
}

/// web, which does nothing itself, makes these calls of db (10 ms of work, hardly loaded).
fn web_calls(calls: Vec<Call>) -> Scenario {
    let mut web = service(1);
    web.work.cpu = Span::from_nanos(1000);
    web.work.calls = calls;
    scenario(host(256), [("web", web), ("db", service(10)), ("other", service(10))], [("web", steady(100))])
}

/// Of two exponential times at once the longer one has a mean of 1.5, of four 25/12.
#[test]
fn calls_at_the_same_time_take_as_long_as_the_longest() {
    let at_once = |to: &str, count| Call { stage: Some(0), ..call(to, count) };
    let two = run(&web_calls(vec![at_once("db", 1), at_once("other", 1)]), 600);
    close(mean(&two, 2), 15.0, 0.01);
    let four = run(&web_calls(vec![at_once("db", 4)]), 600);
    close(mean(&four, 2), 10.0 * 25.0 / 12.0, 0.01);
    assert_eq!(four[5].services[0].arrived, 4 * four[5].services[2].arrived);
    let after = Call { stage: Some(1), ..call("other", 1) };
    close(mean(&run(&web_calls(vec![at_once("db", 2), after]), 600), 2), 25.0, 0.01);
}

#[test]
fn what_is_cached_is_not_called() {
    let cached = Call { cached: Permille::percent(80), ..call("db", 5) };
    let samples = run(&web_calls(vec![cached]), 600);
    close(mean(&samples, 2), 10.0, 0.01);
    close(samples[5].services[0].arrived as f64, samples[5].services[2].arrived as f64, 1e-9);
}

#[test]
fn every_call_goes_there_and_back_over_the_network() {
    let mut scenario = web_calls(vec![call("db", 3)]);
    scenario.host.hop = Span::from_millis(2);
    // Three calls, and the request of the client.
    close(mean(&run(&scenario, 600), 2), 3.0 * 14.0 + 4.0, 0.01);
}

/// Tries of exponential 10 ms that may take 10 ms fail with probability 1/e; with two more each, 1 + 1/e + 1/e² are
/// made, and 1/e³ of the calls fail.
#[test]
fn late_calls_are_tried_again() {
    let late = libm::exp(-1.0);
    let retry = Retry { times: 2, backoff: Span::from_millis(20), budget: None };
    let mut once = Call { timeout: Some(Span::from_millis(10)), ..call("db", 1) };
    let samples = run(&web_calls(vec![once.clone()]), 600);
    let sample = &samples[5].services[2];
    close(sample.failed as f64, sample.arrived as f64 * late, 0.01);
    assert_eq!(sample.errors.call_failed, sample.failed);
    // Those that come in time take (1 − 2/e) / (1 − 1/e) of the mean.
    let soon = 10.0 * (1.0 - 2.0 * late) / (1.0 - late);
    close(mean(&samples, 2), soon, 0.02);

    once.retry = Some(retry);
    let samples = run(&web_calls(vec![once.clone()]), 600);
    let [db, web] = [&samples[5].services[0], &samples[5].services[2]];
    close(db.arrived as f64, web.arrived as f64 * (1.0 + late + late * late), 0.01);
    close(web.failed as f64, web.arrived as f64 * libm::pow(late, 3.0), 0.02);
    let waits = [0.0, 30.0, 80.0];
    let weights = [1.0, late, late * late];
    let before: f64 = waits.iter().zip(&weights).map(|(wait, weight)| wait * weight).sum();
    close(mean(&samples, 2), soon + before / weights.iter().sum::<f64>(), 0.02);

    once.retry = Some(Retry { budget: Some(Permille::percent(20)), ..retry });
    let samples = run(&web_calls(vec![once]), 600);
    close(samples[5].services[0].arrived as f64, samples[5].services[2].arrived as f64 * 1.2, 0.001);
}

/// A shop whose database is as loaded as a good operator would have it, with a short crowd on top. The shop gives up
/// its calls after a second and tries again twice.
fn storm(retry: Retry) -> Vec<Sample> {
    let mut web = service(1);
    web.work.calls = vec![Call { timeout: Some(Span::from_secs(1)), retry: Some(retry), ..call("db", 1) }];
    let pattern = Pattern::Steps(vec![
        (Span::ZERO, Rate::per_second(60)),
        (Span::from_secs(300), Rate::per_second(200)),
        (Span::from_secs(360), Rate::per_second(60)),
    ]);
    let load = Load { pattern, noise: Noise::None };
    run(&scenario(host(8), [("web", web), ("db", single(10))], [("web", load)]), 3600)
}

/// A crowd of a minute fills the database's queue; from then on every call is late, is tried again, and so keeps it full:
/// three times 60 requests are more than the 100 that it can do. With a budget of a fifth, 72 are not, and it recovers.
#[test]
fn a_retry_storm_outlasts_its_cause_and_a_budget_ends_it() {
    let retry = Retry { times: 2, backoff: Span::from_millis(10), budget: None };
    let failing = |samples: &[Sample], minute: usize| {
        let web = &samples[minute].services[1];
        web.failed as f64 / web.arrived as f64
    };
    let storm_alone = storm(retry);
    assert!(failing(&storm_alone, 4) < 0.001, "{}", failing(&storm_alone, 4));
    assert!(failing(&storm_alone, 59) > 0.99, "the crowd left 54 minutes ago: {}", failing(&storm_alone, 59));
    let budget = storm(Retry { budget: Some(Permille::percent(20)), ..retry });
    assert!(failing(&budget, 6) > 0.5, "{}", failing(&budget, 6));
    assert!(failing(&budget, 40) < 0.001, "{}", failing(&budget, 40));
}

/// The database is away for two minutes. Half of the tries within the last ten seconds failed after five. From then on the
/// breaker lets one try through every ten seconds; when the database is back, so are its callers.
#[test]
fn a_breaker_opens_and_closes_again() {
    let breaker =
        Breaker { failures: Permille::percent(50), window: Span::from_secs(10), least: 20, open: Span::from_secs(10) };
    let mut web = service(1);
    web.work.calls = vec![Call { breaker: Some(breaker), ..call("db", 1) }];
    let mut db = service(2);
    db.start_up = Span::from_secs(120);
    let mut scenario = scenario(host(8), [("web", web), ("db", db)], [("web", steady(100))]);
    scenario.faults = vec![Fault {
        at: second(600),
        lasts: Span::ZERO,
        again: Again::Never,
        kind: FaultKind::Crash(ServiceName::new("db")),
    }];
    let samples = run(&scenario, 1200);
    let [db, web] = [&samples[10].services[0], &samples[10].services[1]];
    assert_eq!(web.errors.all(), web.failed);
    close(web.errors.call_failed as f64, 500_000.0, 0.25);
    close(web.errors.breaker as f64, 5_500_000.0, 0.025);
    assert_eq!(db.arrived, web.errors.call_failed);
    assert_eq!(db.errors.refused, db.failed);
    assert_eq!(samples[15].services[1].failed, 0);
    close(samples[15].services[1].served as f64, 6_000_000.0, 1e-3);
}
