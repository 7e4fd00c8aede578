//! The simulated host against queueing theory: what a whole run shows must be what the formulas say.

use crate::simulation;
use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::service;
use plimsoll::model::Noise;
use plimsoll::model::Spread;
use plimsoll::units::Millicores;
use plimsoll::units::Rate;
use plimsoll::units::Span;

/// A service of 5 ms exponential work, in a run of an hour without scatter; its mean and percentiles in milliseconds.
fn measured(cores: u32, change: impl Fn(&mut plimsoll::model::ServiceModel), rate: u64, noise: Noise) -> [f64; 4] {
    let mut web = service(5);
    change(&mut web);
    let scenario = scenario(host(cores), [("web", web)], [("web", constant(Rate::per_second(rate), noise))]);
    let samples = run(&scenario, 3600);
    let latency = simulation::merged(&samples[10..], 0);
    let millis = |span: Option<Span>| span.expect("requests").as_secs() * 1e3;
    let quantile = |percent| millis(latency.quantile(percent, 100));
    [millis(latency.mean()), quantile(50), quantile(95), quantile(99)]
}

fn close(found: f64, wanted: f64, within: f64) {
    assert!((found / wanted - 1.0).abs() < within, "{found} for {wanted}");
}

/// One worker on one core is M/M/1: exponential with mean S / (1 - load).
#[test]
fn one_worker_is_the_m_m_1_queue() {
    for load in [20, 50, 80] {
        let [mean, p50, p95, p99] = measured(1, |web| web.workers = Some(1), 2 * load, Noise::None);
        let wanted = 5.0 / (1.0 - load as f64 / 100.0);
        close(mean, wanted, 1e-3);
        close(p50, wanted * core::f64::consts::LN_2, 0.01);
        close(p95, wanted * 2.995_732, 0.01);
        close(p99, wanted * 4.605_170, 0.01);
    }
}

/// Requests that share a core take S / (1 - load) whatever their spread.
#[test]
fn processor_sharing_does_not_see_the_spread() {
    for spread in [Spread::Constant, Spread::Exponential, Spread::Heavy] {
        for load in [30, 80] {
            let [mean, ..] = measured(1, |web| web.work.spread = spread, 2 * load, Noise::Poisson);
            close(mean, 5.0 / (1.0 - load as f64 / 100.0), 1e-3);
        }
    }
}

/// Four workers on four cores are M/M/4: at a load of 80 % an arrival waits with probability 0.5964 (Erlang C), on
/// average S / (4 * 0.2) if it does.
#[test]
fn four_workers_are_the_m_m_4_queue() {
    let [mean, ..] = measured(4, |web| web.workers = Some(4), 640, Noise::Poisson);
    close(mean, 5.0 * (1.0 + 0.745_541), 1e-3);
}

/// On a shared host a service also waits for the work of others: two services of one core's load 0.4 each are as slow
/// as one of 0.8.
#[test]
fn others_on_the_same_core_are_felt() {
    let load = || constant(Rate::per_second(80), Noise::None);
    let both = scenario(host(1), [("one", service(5)), ("two", service(5))], [("one", load()), ("two", load())]);
    let samples = run(&both, 3600);
    for place in [0, 1] {
        let mean = simulation::merged(&samples[10..], place).mean().expect("requests").as_secs() * 1e3;
        close(mean, 25.0, 0.01);
    }
}

/// Little's law from three figures that are counted apart: requests in the service, those served, their times.
#[test]
fn requests_inside_are_their_rate_times_their_time() {
    let mut web = service(5);
    web.work.calls = vec![call("db", 3)];
    let scenario = scenario(
        host(4),
        [("web", web), ("db", service(2))],
        [("web", constant(Rate::per_second(250), Noise::Poisson))],
    );
    let samples = run(&scenario, 3600);
    for place in [0, 1] {
        let mut served = 0;
        let (mut inside, mut count) = (0.0, 0.0);
        for sample in &samples[10..] {
            served += sample.services[place].served;
            inside += sample.services[place].queue as f64;
            count += 1.0;
        }
        let rate = served as f64 / (count * 60.0);
        let time = simulation::merged(&samples[10..], place).mean().expect("requests").as_secs();
        close(inside / count, rate * time, 2e-3);
    }
}

/// web calls api twice, api calls db once: mean times add up exactly, and what is called is called as often as that.
#[test]
fn calls_add_up() {
    let mut web = service(4);
    web.work.calls = vec![call("api", 2)];
    let mut api = service(6);
    api.work.calls = vec![call("db", 1)];
    let scenario = scenario(
        host(64),
        [("web", web), ("api", api), ("db", service(10))],
        [("web", constant(Rate::per_second(100), Noise::None))],
    );
    let samples = run(&scenario, 1200);
    let of = |place| simulation::merged(&samples[2..], place).mean().expect("requests").as_secs() * 1e3;
    let (api, db, web) = (of(0), of(1), of(2));
    close(db, 10.0, 1e-3);
    close(api, 16.0, 1e-3);
    close(web, 36.0, 1e-3);
    let last = samples.last().expect("samples");
    assert_eq!(last.services[0].arrived, 2 * last.services[2].arrived);
    assert_eq!(last.services[1].arrived, last.services[0].served);
    // Four exponential parts of 10 ms and two pairs of smaller ones: near an Erlang law, well below one exponential.
    let p95 = simulation::merged(&samples[2..], 2).quantile(95, 100).expect("requests").as_secs() * 1e3;
    assert!(p95 > 60.0 && p95 < 75.0, "{p95}");
}

/// The p95 of two exponential times with the same mean m is 4.7439 m.
#[test]
fn percentiles_of_a_call_are_those_of_the_sum() {
    let mut web = service(5);
    web.workers = Some(1);
    web.work.calls = vec![call("db", 1)];
    let mut db = service(5);
    db.workers = Some(1);
    let mut scenario =
        scenario(host(64), [("web", web), ("db", db)], [("web", constant(Rate::per_second(100), Noise::None))]);
    for service in scenario.services.values_mut() {
        service.limits.cpu = Some(Millicores::cores(1));
    }
    let samples = run(&scenario, 1200);
    let latency = simulation::merged(&samples[2..], 1);
    close(latency.mean().expect("requests").as_secs(), 0.020, 0.01);
    close(latency.quantile(95, 100).expect("requests").as_secs(), 0.047_439, 0.01);
}
