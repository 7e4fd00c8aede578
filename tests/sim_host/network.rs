//! A bad network: packets that come late, and packets that are lost. Against closed forms, and as stories.

use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::merged;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::second;
use crate::simulation::service;
use plimsoll::model::Call;
use plimsoll::model::Fault;
use plimsoll::model::FaultKind;
use plimsoll::model::Noise;
use plimsoll::model::Retry;
use plimsoll::model::Sample;
use plimsoll::model::Scenario;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;

/// Mean seconds that a trip takes longer where this share of packets is lost: `Σ pᵏ · 200 ms · 2ᵏ⁻¹`.
fn longer(lost: f64) -> f64 {
    0.2 * lost / (1.0 - 2.0 * lost)
}

/// web, which does nothing itself, makes these calls of db, whose work is 10 ms; the network is bad from the twentieth
/// minute on for twenty.
fn web_calls(calls: Vec<Call>, kinds: &[FaultKind]) -> Scenario {
    let mut web = service(1);
    web.work.cpu = Span::from_micros(1);
    web.work.calls = calls;
    let load = constant(Rate::per_second(100), Noise::None);
    let mut scenario = scenario(host(256), [("db", service(10)), ("web", web)], [("web", load)]);
    let fault = |kind: &FaultKind| Fault::once(second(1200), Span::from_mins(20), kind.clone());
    scenario.faults = kinds.iter().map(fault).collect();
    scenario
}

fn millis(samples: &[Sample], place: usize) -> f64 {
    merged(samples, place).mean().expect("requests").as_secs() * 1e3
}

/// Means of web before, in and after the fault, in milliseconds.
fn means(samples: &[Sample]) -> [f64; 3] {
    [2..19, 22..39, 42..60].map(|minutes| millis(&samples[minutes], 1))
}

fn close(found: f64, wanted: f64, within: f64) {
    assert!((found / wanted - 1.0).abs() < within, "{found} for {wanted}");
}

fn all_close(found: [f64; 3], wanted: [f64; 3]) {
    for (found, wanted) in found.into_iter().zip(wanted) {
        close(found, wanted, 0.01);
    }
}

fn loss(percent: u64) -> FaultKind {
    FaultKind::NetworkLoss(Permille::percent(percent))
}

/// 50 ms one way are 100 ms for the request of the client and for each of its three calls; the database notices nothing.
#[test]
fn a_delay_is_paid_there_and_back_by_every_call() {
    let delay = FaultKind::NetworkDelay(Span::from_millis(50));
    let samples = run(&web_calls(vec![call("db", 3)], std::slice::from_ref(&delay)), 3600);
    all_close(means(&samples), [30.0, 430.0, 30.0]);
    close(millis(&samples[22..39], 0), 10.0, 0.01);
    // It is always there: the fastest requests are later by all of it, and do not only take longer on average.
    let p1 = merged(&samples[22..39], 1).quantile(1, 100).expect("requests").as_secs();
    assert!(p1 > 0.4 * 0.95, "a bucket is 4.4 % wide: {p1}");
    // Two delays add up.
    let twice = run(&web_calls(vec![call("db", 1)], &[delay.clone(), delay]), 3600);
    all_close(means(&twice), [10.0, 410.0, 10.0]);
}

/// Most requests notice nothing of a loss of 2 %, and one in thirteen waits 200 ms: the mean hardly says it, the tail does.
#[test]
fn lost_packets_are_the_tail() {
    let samples = run(&web_calls(vec![call("db", 1)], &[loss(2)]), 3600);
    let extra = 4.0 * longer(0.02) * 1e3;
    all_close(means(&samples), [10.0, 10.0 + extra, 10.0]);
    let times = merged(&samples[22..39], 1);
    // Of four packets none is lost in 0.98⁴ = 92.2 % of the cases.
    let [p91, p94] = [91, 94].map(|percent| times.quantile(percent, 100).expect("requests").as_secs());
    assert!(p91 < 0.1 && p94 > 0.2 && p94 < 0.25, "{p91} {p94}");
    // Two losses of 10 % are one of 19 %.
    let twice = run(&web_calls(vec![call("db", 1)], &[loss(10), loss(10)]), 3600);
    all_close(means(&twice), [10.0, 10.0 + 4.0 * longer(0.19) * 1e3, 10.0]);
}

/// A call that is given up after 100 ms fails when one of its two packets is lost; tried again once, when it happens twice.
#[test]
fn what_is_lost_is_too_late_for_a_timeout() {
    let lost = 1.0 - 0.95_f64 * 0.95;
    let mut once = Call { timeout: Some(Span::from_millis(100)), ..call("db", 1) };
    let failing = |samples: &[Sample], minute: usize| {
        let web = &samples[minute].services[1];
        assert_eq!(web.errors.call_failed, web.failed);
        web.failed as f64 / web.arrived as f64
    };
    let samples = run(&web_calls(vec![once.clone()], &[loss(5)]), 3600);
    close(failing(&samples, 30), lost, 0.01);
    assert!(failing(&samples, 10) < 1e-4 && failing(&samples, 50) < 1e-4);
    once.retry = Some(Retry { times: 1, backoff: Span::ZERO, budget: None });
    let samples = run(&web_calls(vec![once], &[loss(5)]), 3600);
    close(failing(&samples, 30), lost * lost, 0.01);
    close(samples[30].services[0].arrived as f64, samples[30].services[1].arrived as f64 * (1.0 + lost), 0.01);
}

/// A client that waits for 150 ms goes away when one of four packets is lost.
#[test]
fn clients_give_up_on_lost_packets() {
    let mut scenario = web_calls(vec![call("db", 1)], &[loss(5)]);
    scenario.services.values_mut().for_each(|service| service.timeout = Some(Span::from_millis(150)));
    let samples = run(&scenario, 3600);
    let web = &samples[30].services[1];
    close(web.failed as f64 / web.arrived as f64, 1.0 - libm::pow(0.95, 4.0), 0.01);
    // 15 times the mean is rare: `e⁻¹⁵` of 6000, of which a distribution by bucket may make a request or two.
    assert!([10, 50].iter().all(|minute| samples[*minute].services[1].failed < 2_000));
}

/// Until the network gets bad, it costs nothing; and a loss that hardly lets anything through ends with its fault.
#[test]
fn a_good_network_is_as_if_there_were_none() {
    let bad = web_calls(vec![call("db", 2)], &[loss(60)]);
    let plain = web_calls(vec![call("db", 2)], &[]);
    let (samples, without) = (run(&bad, 3600), run(&plain, 3600));
    for minute in [2, 10, 18, 45, 59] {
        for place in [0, 1] {
            let [found, wanted] = [&samples, &without].map(|samples| &samples[minute].services[place]);
            assert_eq!((found.arrived, found.served, found.failed), (wanted.arrived, wanted.served, wanted.failed));
            close(millis(&samples[minute..=minute], place), millis(&without[minute..=minute], place), 1e-3);
        }
    }
    let trips: f64 = (1..=16).map(|k| libm::pow(0.6, f64::from(k)) * (0.1 * libm::exp2(f64::from(k))).min(120.0)).sum();
    close(means(&samples)[1], 20.0 + 6.0 * trips * 1e3, 0.02);
}
