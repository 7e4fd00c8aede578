//! Connections of a caller to the service it calls: how long calls wait for one, and what that saves the called service.
//! Against closed forms, and as stories.

use crate::simulation;
use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::service;
use plimsoll::model::Call;
use plimsoll::model::Load;
use plimsoll::model::Noise;
use plimsoll::model::Pattern;
use plimsoll::model::Sample;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceModel;
use plimsoll::units::Bytes;
use plimsoll::units::Rate;
use plimsoll::units::Span;

fn close(found: f64, wanted: f64, within: f64) {
    assert!((found / wanted - 1.0).abs() < within, "{found} for {wanted}");
}

fn pooled(connections: u32) -> Call {
    Call { pool: Some(connections), ..call("db", 1) }
}

/// web, which does next to nothing itself, calls db, whose work is 10 ms, on a host where nobody waits for a core.
fn web_calls(made: Call, load: Load) -> Scenario {
    let mut web = service(1);
    web.work.cpu = Span::from_micros(1);
    web.work.calls = vec![made];
    scenario(host(256), [("db", service(10)), ("web", web)], [("web", load)])
}

fn steady(rate: u64) -> Load {
    constant(Rate::per_second(rate), Noise::None)
}

fn mean(samples: &[Sample], place: usize) -> f64 {
    simulation::merged(samples, place).mean().expect("requests").as_secs()
}

/// Served requests per second of a service in some samples of a minute.
fn served(samples: &[Sample], place: usize) -> f64 {
    let all: u64 = samples.iter().map(|sample| sample.services[place].served).sum();
    all as f64 / 60_000.0 / samples.len() as f64
}

fn check_sums(samples: &[Sample]) {
    for place in [0, 1] {
        let mut queue = 0;
        for sample in samples {
            let one = &sample.services[place];
            assert_eq!(queue + one.arrived, one.served + one.failed + one.queue);
            assert_eq!(one.errors.all(), one.failed);
            queue = one.queue;
        }
    }
}

/// Three connections to a service of exponential answers are an M/M/3 queue: Erlang C says how long calls wait.
#[test]
fn connections_are_servers() {
    for (rate, waits) in [(150, 0.236_842), (240, 0.647_191), (285, 0.904_9)] {
        let samples = run(&web_calls(pooled(3), steady(rate)), 1800);
        let free = 3.0 * (1.0 - rate as f64 / 300.0);
        close(mean(&samples[10..], 1), 0.010 * (1.0 + waits / free), 0.03);
        close(mean(&samples[10..], 0), 0.010, 0.02);
        check_sums(&samples);
    }
    // Two instances of the caller have three connections each.
    let mut scenario = web_calls(pooled(3), steady(480));
    scenario.services.values_mut().for_each(|service| service.replicas = 2);
    close(mean(&run(&scenario, 1800)[10..], 1), 0.010 * (1.0 + 0.647_191 / 0.6), 0.03);
}

/// A connection is taken while messages are on their way, too: with 5 ms each way two of them answer 100 a second.
#[test]
fn a_network_takes_connections() {
    let mut scenario = web_calls(pooled(2), steady(80));
    scenario.host.hop = Span::from_millis(5);
    let samples = run(&scenario, 1800);
    // The client's way is 10 ms as well. Answers take 10 ms and an exponential time: their variation is a quarter.
    let waits = plimsoll::world::sim::queueing::erlang_c(2, 0.8) / 2.0 / (1.0 - 0.8) * (1.0 + 0.25) / 2.0;
    close(mean(&samples[10..], 1), 0.010 + 0.020 * (1.0 + waits), 0.03);
}

/// More connections than anybody asks for change nothing.
#[test]
fn a_large_pool_is_as_if_there_were_none() {
    let with = run(&web_calls(pooled(400), steady(200)), 1200);
    let without = run(&web_calls(call("db", 1), steady(200)), 1200);
    close(mean(&with[5..], 1), mean(&without[5..], 1), 0.01);
    close(mean(&with[5..], 0), mean(&without[5..], 0), 0.01);
    assert!(with.iter().all(|sample| sample.services[1].failed == 0 && !sample.services[1].saturated));
}

/// Of 300 requests a second, two connections of 100 each answer 200; the rest waits in web, and is worked off afterwards.
/// db notices nothing but that it is used.
#[test]
fn what_a_pool_cannot_carry_waits_in_the_caller() {
    let steps = vec![(Span::ZERO, Rate::per_second(300)), (Span::from_secs(600), Rate::per_second(50))];
    let load = Load { pattern: Pattern::Steps(steps), noise: Noise::None };
    let samples = run(&web_calls(pooled(2), load), 1800);
    check_sums(&samples);
    let [db, web] = [0, 1].map(|place| &samples[9].services[place]);
    close(web.queue as f64 / 1000.0, 60_000.0, 0.02);
    close(served(&samples[2..10], 1), 200.0, 0.02);
    assert!(web.saturated && !db.saturated);
    assert!(db.queue <= 2_000, "{} are in the database", db.queue);
    close(mean(&samples[2..10], 0), 0.010, 0.02);
    // 60,000 wait, and each second 150 fewer do: 400 s.
    assert!(samples[15].services[1].queue > 1_000_000 && samples[17].services[1].queue < 10_000);
    close(mean(&samples[19..], 1), 0.010, 0.1);
}

/// A crowd comes to a shop whose database needs 20 MB for each query and may hold 2 GB. Without a pool it is killed, again
/// and again; with one of twenty connections it goes on working, and what is too much fails in the shop, in time.
#[test]
fn a_pool_protects_the_database() {
    let crowd = |made: Call| {
        let mut db = service(10);
        db.work.memory = Bytes::mebi(20);
        db.limits.memory = Some(Bytes::gibi(2));
        let mut shop = service(1);
        shop.work.calls = vec![made];
        shop.timeout = Some(Span::from_secs(5));
        let steps = vec![
            (Span::ZERO, Rate::per_second(100)),
            (Span::from_secs(600), Rate::per_second(500)),
            (Span::from_secs(900), Rate::per_second(100)),
        ];
        let load = Load { pattern: Pattern::Steps(steps), noise: Noise::None };
        run(&scenario(host(4), [("db", db), ("shop", shop)], [("shop", load)]), 1800)
    };
    let limited = Span::from_secs(1);
    let without = crowd(Call { timeout: Some(limited), ..call("db", 1) });
    let kills: u32 = without.iter().map(|sample| sample.services[0].oom_kills).sum();
    assert!(kills > 3, "{kills} kills");
    let with = crowd(Call { timeout: Some(limited), ..pooled(20) });
    assert!(with.iter().all(|sample| sample.services[0].oom_kills == 0 && sample.services[0].failed == 0));
    let [db, shop] = [0, 1].map(|place| &with[13].services[place]);
    // Twenty queries; the times that the model goes by are those of a step before.
    assert!(db.memory <= Bytes::mebi(100 + 20 * 21), "{}", db.memory);
    assert!(db.cpu.as_cores() > 3.0, "it works as hard as it can: {:?}", db.cpu);
    // 500 a second come, and the cores are enough for four of 11 ms in 10 ms.
    assert!(shop.errors.call_failed > shop.arrived / 10 && shop.errors.call_failed == shop.failed, "{:?}", shop.errors);
    assert!(shop.saturated);
    let after = &with[18].services[1];
    assert_eq!(after.failed, 0);
    check_sums(&with);
}

/// Where only the request itself is in a hurry, it is the request whose time is up.
#[test]
fn who_waits_for_a_connection_too_long_is_timed_out() {
    let mut scenario = web_calls(pooled(2), steady(300));
    scenario.services.values_mut().for_each(|service| service.timeout = Some(Span::from_secs(2)));
    let samples = run(&scenario, 1200);
    let [db, web] = [0, 1].map(|place| &samples[15].services[place]);
    assert_eq!(db.failed, 0);
    close(db.arrived as f64 / 60_000.0, 200.0, 0.02);
    assert!(web.errors.timed_out == web.failed && web.failed > web.arrived / 3, "{:?}", web.errors);
    close(web.queue as f64 / 1000.0, 300.0 * 2.0, 0.05);
    check_sums(&samples);
}

/// Forty clients who think for 50 ms, and four connections: the machines and their repairmen (Palm 1947) with four of these.
#[test]
fn clients_wait_for_connections() {
    for clients in [3, 12, 24, 40, 200] {
        let pattern = Pattern::Clients { clients: vec![(Span::ZERO, clients)], think: Span::from_millis(50) };
        let samples = run(&web_calls(pooled(4), Load { pattern, noise: Noise::None }), 1800);
        let (mut weight, mut all, mut used) = (1.0, 1.0, 0.0);
        for inside in 1..=clients {
            weight *= f64::from(clients + 1 - inside) * 0.010 / 0.050 / f64::from(inside.min(4));
            all += weight;
            used += weight * f64::from(inside.min(4));
        }
        let rate = used / all / 0.010;
        close(served(&samples[10..], 1), rate, 0.05);
        close(mean(&samples[10..], 1), f64::from(clients) / rate - 0.050, 0.15);
        check_sums(&samples);
    }
}

/// Sixteen workers that wait for their calls, and four connections: it is these that are the narrow place.
#[test]
fn workers_that_wait_share_the_connections() {
    for rate in [200, 320, 380] {
        let mut scenario = web_calls(pooled(4), steady(rate));
        for web in scenario.services.iter_mut().filter(|service| service.0.as_str() == "web").map(|service| service.1) {
            (web.workers, web.blocking) = (Some(16), true);
        }
        let samples = run(&scenario, 1800);
        let load = rate as f64 / 400.0;
        let waits = plimsoll::world::sim::queueing::erlang_c(4, load);
        close(served(&samples[10..], 1), rate as f64, 0.01);
        close(mean(&samples[10..], 1), 0.010 * (1.0 + waits / 4.0 / (1.0 - load)), 0.1);
    }
}

/// A caller with one connection to a busy database of one worker brings no more than one request at a time.
#[test]
fn a_neighbour_with_a_small_pool_is_a_small_burden() {
    let waits = |made: Call| {
        let db = ServiceModel { workers: Some(1), ..service(10) };
        let mut report = service(1);
        report.work.cpu = Span::from_micros(1);
        report.work.calls = vec![made];
        report.timeout = Some(Span::from_secs(2));
        let mut web = service(1);
        web.work.calls = vec![call("db", 1)];
        let services = [("db", db), ("report", report), ("web", web)];
        run(&scenario(host(16), services, [("report", steady(200)), ("web", steady(40))]), 1200)
    };
    let (with, without) = (waits(pooled(1)), waits(call("db", 1)));
    assert!(with[15].services[2].failed == 0 && mean(&with[10..], 2) < 0.1, "{}", mean(&with[10..], 2));
    assert!(without[15].services[0].queue > 100 * with[15].services[0].queue);
}
