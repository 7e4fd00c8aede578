//! The oracle against closed forms, what is between two services: stages, caches, connections, workers that wait, further
//! tries, breakers, clients.

use crate::measure::Seen;
use crate::measure::observe;
use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::scenario;
use crate::simulation::service;
use plimsoll::model::Breaker;
use plimsoll::model::Call;
use plimsoll::model::Load;
use plimsoll::model::Noise;
use plimsoll::model::Pattern;
use plimsoll::model::Retry;
use plimsoll::model::ServiceModel;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;

/// Mean work of the called service in seconds.
const WORK: f64 = 0.010;

/// `web`, whose own work is next to nothing, and `db` with exponential work of 10 ms, on a host where nobody waits for a
/// core: what `db` and `web` saw of so many requests.
fn between(calls: Vec<Call>, change: impl Fn(&mut ServiceModel), rate: u64, requests: u64) -> [Seen; 2] {
    let mut web = service(1);
    web.work.cpu = Span::from_micros(1);
    web.work.calls = calls;
    change(&mut web);
    let services = [("web", web), ("db", service(10))];
    let load = constant(Rate::per_second(rate), Noise::Poisson);
    let seen = observe(&scenario(host(64), services, [("web", load)]), requests as f64 / rate as f64);
    seen.try_into().ok().expect("two services")
}

fn staged(count: u32) -> Call {
    Call { stage: Some(0), ..call("db", count) }
}

/// The last of three independent exponential times takes 1 + 1/2 + 1/3 of their mean; one after another take three.
#[test]
fn calls_at_the_same_time_take_as_long_as_the_last() {
    let [_, web] = between(vec![staged(3)], |_| (), 100, 100_000);
    web.assert_mean(WORK * 11.0 / 6.0, "at the same time");
    let [_, web] = between(vec![call("db", 3)], |_| (), 100, 100_000);
    web.assert_mean(WORK * 3.0, "one after another");
    let second = Call { stage: Some(1), ..call("db", 2) };
    let [db, web] = between(vec![staged(2), second], |_| (), 100, 100_000);
    web.assert_mean(WORK * 3.0, "two stages of two");
    assert!((db.whole.served as f64 / web.whole.served as f64 - 4.0).abs() < 0.01);
}

/// A cache that answers four of five calls leaves a fifth of them.
#[test]
fn what_is_cached_is_not_called() {
    let cached = Call { cached: Permille::percent(80), ..call("db", 2) };
    let [db, web] = between(vec![cached], |_| (), 100, 100_000);
    let calls = db.whole.served as f64 / web.whole.served as f64;
    // Binomial: four standard deviations.
    assert!((calls - 0.4).abs() < 4.0 * (0.32_f64 / 1e5).sqrt(), "{calls}");
    web.assert_mean(WORK * 0.4, "cached");
}

/// Three connections and exponential calls are an M/M/3 queue. At 80 % of them a call waits with probability 0.6472
/// (Erlang C), and on average a work over 3 · 0.2 if it does. So are three workers that wait for their calls.
#[test]
fn connections_and_blocking_workers_are_servers() {
    let wanted = WORK * (1.0 + 0.647_191 / 0.6);
    let pooled = Call { pool: Some(3), ..call("db", 1) };
    let [db, web] = between(vec![pooled], |_| (), 240, 500_000);
    web.assert_mean(wanted, "three connections");
    db.assert_mean(WORK, "behind them");
    let block = |web: &mut ServiceModel| (web.workers, web.blocking) = (Some(3), true);
    let [_, web] = between(vec![call("db", 1)], block, 240, 500_000);
    web.assert_mean(wanted + 1e-6, "three workers");
    // Workers that do not wait are free at once.
    let [_, web] = between(vec![call("db", 1)], |web| web.workers = Some(3), 240, 100_000);
    web.assert_mean(WORK, "free workers");
}

/// M/M/1/4: with one worker and room for three more, a share (1 − ρ) ρ⁴ / (1 − ρ⁵) is refused.
#[test]
fn a_full_backlog_refuses() {
    let model = ServiceModel { workers: Some(1), backlog: Some(3), ..service(5) };
    let load = constant(Rate::per_second(160), Noise::Poisson);
    let seen = observe(&scenario(host(1), [("web", model)], [("web", load)]), 2000.0).remove(0).whole;
    let full = 0.8 * 0.8 * 0.8 * 0.8;
    let wanted = 0.2 * full / (1.0 - 0.8 * full);
    let share = seen.refused as f64 / seen.arrived as f64;
    // Refusals come in clusters; batches of a simulation as long have a standard deviation of about a percent of this.
    assert!((share / wanted - 1.0).abs() < 0.04, "{share} for {wanted}");
    assert_eq!((seen.timed_out, seen.call_failed, seen.broken), (0, 0, 0));
}

fn retried(times: u32, backoff: u64, budget: Option<u64>) -> Call {
    let retry = Retry { times, backoff: Span::from_millis(backoff), budget: budget.map(Permille::percent) };
    Call { timeout: Some(Span::from_millis(10)), retry: Some(retry), ..call("db", 1) }
}

/// A try of exponential time fails after its mean with probability p = 1/e. With two more tries p³ of the requests fail
/// after 1 + p + p² tries, and the called service works on all of them to the end. Waits of 4 and 8 ms come on top.
#[test]
fn failed_tries_are_made_again() {
    let p = libm::exp(-1.0);
    let all = p * p * p;
    for backoff in [0, 4] {
        let [db, web] = between(vec![retried(2, backoff, None)], |_| (), 50, 100_000);
        let arrived = web.whole.arrived as f64;
        let failed = web.whole.call_failed as f64 / arrived;
        assert!((failed - all).abs() < 4.0 * (all / arrived).sqrt(), "{failed}");
        let tries = db.whole.arrived as f64 / arrived;
        assert!((tries - (1.0 + p + p * p)).abs() < 0.015, "{tries}");
        assert!((db.whole.cpu / (50.0 * tries * WORK) - 1.0).abs() < 0.03, "{}", db.whole.cpu);
        // A good try takes (1 − 2/e) / (1 − 1/e) of the mean; before it go failed ones of 10 ms and waits.
        let good = WORK * (1.0 - 2.0 * p) / (1.0 - p);
        let wait = backoff as f64 / 1e3;
        let shares = [1.0, p, p * p].map(|share| share * (1.0 - p) / (1.0 - all));
        let wanted = good + shares[1] * (WORK + wait) + shares[2] * (2.0 * WORK + 3.0 * wait);
        web.assert_mean(wanted, &format!("waits of {backoff} ms"));
    }
}

/// A budget of a tenth lets through one further try for ten first ones.
#[test]
fn a_budget_limits_further_tries() {
    let [db, web] = between(vec![retried(5, 0, Some(10))], |_| (), 50, 50_000);
    let tries = db.whole.arrived as f64 / web.whole.arrived as f64;
    assert!((tries - 1.1).abs() < 0.005, "{tries}");
}

/// Of a service that always fails, a breaker lets through one try in each open time. A service that fails now and then
/// does not open it.
#[test]
fn a_breaker_opens_where_most_fails() {
    let breaker =
        Breaker { failures: Permille::percent(50), window: Span::from_secs(10), least: 20, open: Span::from_secs(5) };
    let call = |micros: u64| Call { timeout: Some(Span::from_micros(micros)), breaker: Some(breaker), ..call("db", 1) };
    let [db, web] = between(vec![call(1)], |_| (), 50, 50_000);
    // After 5 s the next request tries, on average 20 ms later.
    assert!((db.whole.arrived as f64 / (1000.0 / 5.02) - 1.0).abs() < 0.05, "{} tries", db.whole.arrived);
    assert_eq!(web.whole.served, 0);
    assert!(web.whole.broken > 49_000);
    let [_, web] = between(vec![call(30_000)], |_| (), 50, 50_000);
    assert_eq!(web.whole.broken, 0, "one in twenty fails");
    assert!(web.whole.call_failed > 2000);
}

/// Messages take their time there and back for each call.
#[test]
fn messages_take_their_time() {
    let mut web = service(1);
    web.work.calls = vec![call("db", 2)];
    let mut host = host(64);
    host.hop = Span::from_millis(3);
    let load = constant(Rate::per_second(50), Noise::Poisson);
    let seen = observe(&scenario(host, [("web", web), ("db", service(10))], [("web", load)]), 2000.0);
    seen[1].assert_mean(0.001 + 2.0 * (WORK + 0.006), "web");
    seen[0].assert_mean(WORK, "db");
}

/// A way to another machine takes longer for those calls that go it, and for no others.
#[test]
fn messages_to_another_machine_take_longer() {
    let far = Call { hop: Span::from_millis(4), ..call("db", 1) };
    let [db, web] = between(vec![far, call("db", 1)], |_| (), 50, 100_000);
    web.assert_mean(2.0 * WORK + 0.008, "one call there and one here");
    db.assert_mean(WORK, "the called service");
}

/// Machines and their repairman: N clients who think for Z and share one core with work S. With k inside,
/// pₖ ∝ N! / (N − k)! · (S / Z)ᵏ; throughput is (1 − p₀) / S, and the mean time N over that less Z.
#[test]
fn clients_wait_for_their_answers() {
    let (clients, think) = (20, 0.2);
    let levels = vec![(Span::ZERO, 5), (Span::from_secs(5), clients)];
    let pattern = Pattern::Clients { clients: levels, think: Span::from_millis(200) };
    let load = Load { pattern, noise: Noise::Poisson };
    let seen = observe(&scenario(host(1), [("web", service(10))], [("web", load)]), 4000.0).remove(0);
    let (mut weight, mut all) = (1.0, 1.0);
    for inside in 0..clients {
        weight *= f64::from(clients - inside) * WORK / think;
        all += weight;
    }
    let throughput = (1.0 - 1.0 / all) / WORK;
    seen.assert_mean(f64::from(clients) / throughput - think, "twenty clients");
    let served = seen.whole.served as f64 / 4000.0;
    assert!((served / throughput - 1.0).abs() < 0.01, "{served} for {throughput}");
}
