//! Pools of connections: the oracle against the closed form for callers who lose patience, and the step model against the
//! oracle, by how much of the connections is used.

use crate::draws::Case;
use crate::draws::Draw;
use crate::draws::power;
use crate::measure::assert_medians;
use crate::measure::observe;
use crate::measure::together;
use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::merged;
use crate::simulation::run;
use crate::simulation::scenario;
use crate::simulation::service;
use plimsoll::model::Balance;
use plimsoll::model::Call;
use plimsoll::model::Noise;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceModel;
use plimsoll::model::Spread;
use plimsoll::seed::Seed;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use plimsoll::units::whole;
use plimsoll::world::oracle::Oracle;

fn seconds(seconds: f64) -> Span {
    Span::from_nanos(whole(seconds * 1e9))
}

/// Callers who give up after 15 ms, three connections, exponential answers of 10 ms. With `n` taken `pₙ ∝ aⁿ / n!`, and the
/// time `x` that a call would have to wait has the density `λ p₂ e^(−(μ − λ) x)` up to 15 ms (Baccelli and Hebuterne 1981).
#[test]
fn callers_lose_patience_as_the_closed_form_says() {
    for rate in [240_u64, 450] {
        let mut web = service(1);
        web.work.cpu = Span::from_micros(1);
        let patience = Span::from_millis(15);
        web.work.calls = vec![Call { pool: Some(3), timeout: Some(patience), ..call("db", 1) }];
        let load = constant(Rate::per_second(rate), Noise::Poisson);
        let seen = observe(&scenario(host(64), [("web", web), ("db", service(10))], [("web", load)]), 4000.0);
        let (rate, most, patience, offered) = (rate as f64, 300.0, patience.as_secs(), rate as f64 / 100.0);
        let free = 1.0 + offered + offered * offered / 2.0;
        let full = offered * offered * offered / 6.0;
        let left = libm::exp(-(most - rate) * patience);
        let whole = free + full * most * (1.0 - left) / (most - rate) + full * left;
        let gone = full * left / whole;
        let db = &seen[0].whole;
        let asked = rate * 4000.0;
        assert!((1.0 - db.arrived as f64 / asked - gone).abs() < 0.01, "{} for {gone}", db.arrived as f64 / asked);
        // The connection is taken until the answer is there: no more than three are ever in the database.
        assert!(db.inside < 3.0 && db.inside_at_end <= 3);
    }
}

/// A random caller of a random service through a pool that is used so far.
pub(crate) fn drawn(number: u64, load: f64) -> Scenario {
    let mut draw = Draw::new(&format!("accuracy/pools/{number}"));
    let cores = draw.pick(&[4, 8, 16]);
    let mut db = draw.service(cores, 0.0, 0.0);
    let mut web = draw.service(cores, 0.0, 0.0);
    (db.weight, web.weight) = (1024, 1024);
    db.work.cpu = seconds(draw.doubling(0.002, 0.05));
    web.work.cpu = seconds(db.work.cpu.as_secs() / draw.doubling(5.0, 50.0));
    web.work.spread = Spread::Exponential;
    web.replicas = draw.pick(&[1, 1, 2, 3]);
    // Half of the pools are smaller than the cores, half are larger: there the cores are the narrow place.
    let connections = draw.doubling(1.0, 3.0 * f64::from(cores) / f64::from(web.replicas));
    let connections = u32::try_from(whole(connections.round().max(1.0))).expect("small");
    let all = f64::from(connections * web.replicas);
    let cached = draw.chance(0.3);
    let made = Call {
        pool: Some(connections),
        cached: Permille::percent(if cached { 50 } else { 0 }),
        ..call("db", draw.pick(&[1, 1, 2]))
    };
    let calls = f64::from(made.count) * if cached { 0.5 } else { 1.0 };
    let answer = db.work.cpu.as_secs();
    let by_cores = f64::from(cores) / (db.work.cpu.as_secs() * calls + web.work.cpu.as_secs());
    let most = (all / answer / calls).min(by_cores);
    web.work.calls = vec![made];
    let rate = Rate::micro(whole(most * load * 1e6));
    scenario(host(cores), [("db", db), ("web", web)], [("web", constant(rate, Noise::None))])
}

fn describe(scenario: &Scenario) -> String {
    let case = Case::of(scenario.clone(), Vec::new());
    let pool = scenario.services.values().find_map(|service| service.work.calls.first()?.pool);
    format!("{pool:?} {}", case.describe())
}

/// What both say of the caller: mean and P95 in seconds, share that fails; and the seconds that the oracle's calls waited.
fn both(scenario: &Scenario, number: u64) -> [[f64; 4]; 2] {
    let rate = match scenario.load.values().next().expect("a load").pattern {
        plimsoll::model::Pattern::Constant { rate } => rate.as_per_second(),
        _ => unreachable!("it is constant"),
    };
    let mut oracle = Oracle::new(scenario, Seed::new(number)).expect("constant rates");
    oracle.advance(6000.0 / rate);
    let _ = oracle.take();
    let batches: Vec<_> = (0..10)
        .map(|_| {
            oracle.advance(15_000.0 / rate);
            oracle.take().services
        })
        .collect();
    let [db, web] = [0, 1].map(|place| together(batches.iter().map(|batch| &batch[place])).whole);
    let p95 = |times: &plimsoll::model::Latencies| times.quantile(95, 100).map_or(f64::NAN, Span::as_secs);
    let seen = [web.mean(), p95(&web.latency), web.call_failed as f64 / web.arrived as f64, db.inside];
    let samples = &run(scenario, 600)[3..];
    let times = merged(samples, 1);
    let count = |of: fn(&plimsoll::model::ServiceSample) -> u64| {
        samples.iter().map(|sample| of(&sample.services[1])).sum::<u64>() as f64
    };
    let inside = samples.iter().map(|sample| sample.services[0].queue).sum::<u64>() as f64 / 1000.0;
    let mean = times.mean().map_or(f64::NAN, Span::as_secs);
    let failed = count(|one| one.failed) / count(|one| one.arrived);
    [[mean, p95(&times), failed, inside / samples.len() as f64], seen]
}

/// Half of the absolute errors of so many cases in a band are no more than `most`.
#[expect(clippy::print_stdout, reason = "shown with --nocapture")]
fn assert_near(cases: u64, (band, most): (u32, f64), case: impl Fn(u64, f64) -> Scenario) {
    let errors: Vec<[f64; 3]> = (0..cases)
        .map(|number| {
            let scenario = case(number, f64::from(band) / 100.0);
            let [model, oracle] = both(&scenario, number);
            let error = [0, 1, 3].map(|figure| model[figure] / oracle[figure] - 1.0);
            println!("{band:3} % {number:2}: {error:+.3?} of {oracle:.5?} {}", describe(&scenario));
            error
        })
        .collect();
    assert_medians(&errors, ["mean", "P95", "inside the called service"], most, band);
}

/// Forty cases in each band.
#[test]
fn the_step_model_waits_for_connections_as_the_oracle_does() {
    for band in [(30, 0.08), (60, 0.08), (80, 0.10), (90, 0.15)] {
        assert_near(40, band, drawn);
    }
}

/// The same, where the called service has two to four instances, with a quota or workers, behind a balancer.
fn balanced(number: u64, load: f64, balance: Balance) -> Scenario {
    let mut draw = Draw::new(&format!("accuracy/pools/balanced/{number}"));
    let replicas = 2 + u32::try_from(draw.below(3)).expect("small");
    let mut db = ServiceModel { replicas, balance, ..draw.service(2, 0.0, 0.0) };
    db.work.cpu = seconds(draw.doubling(0.002, 0.05));
    let workers = 1 + u32::try_from(draw.below(3)).expect("small");
    let quota = draw.doubling(0.3, 2.0);
    if draw.chance(0.5) {
        db.workers = Some(workers);
    } else {
        db.limits.cpu = Some(Millicores::new(whole(quota * 20.0) * 50));
    }
    let cores = 16;
    let power = f64::from(replicas) * power(&db, cores);
    let mut web = service(1);
    web.work.cpu = seconds(db.work.cpu.as_secs() / 20.0);
    // With as many as could be worked on at once, a part of the instances would have nothing to do while others have a queue.
    let connections = u32::try_from(whole((power * draw.doubling(1.5, 4.0)).ceil())).expect("small");
    web.work.calls = vec![Call { pool: Some(connections), ..call("db", 1) }];
    let most = power.min(f64::from(connections)) / db.work.cpu.as_secs();
    let rate = Rate::micro(whole(most * load * 1e6));
    scenario(host(32), [("db", db), ("web", web)], [("web", constant(rate, Noise::None))])
}

/// Which instance a call goes to is as good a guess with connections as without.
#[test]
fn connections_to_balanced_instances() {
    for balance in [Balance::Random, Balance::RoundRobin, Balance::LeastConnections] {
        for band in [(40, 0.05), (60, 0.10)] {
            assert_near(20, band, |number, load| balanced(number, load, balance));
        }
    }
}

/// More calls than the pool can carry, cut off by their timeout: what share of them fails. One call each, since the model
/// lets a request whose first call failed make its second one, too.
#[test]
#[expect(clippy::print_stdout, reason = "shown with --nocapture")]
fn a_pool_that_is_too_small_fails_as_many_as_the_oracle_says() {
    for (load, most) in [(0.9, 0.05), (1.1, 0.08), (1.5, 0.05)] {
        let mut errors: Vec<f64> = (0..40)
            .filter_map(|number| {
                let mut scenario = drawn(number, load);
                let answer = scenario.services.values().next().expect("db").work.cpu;
                for service in scenario.services.values_mut() {
                    for made in &mut service.work.calls {
                        made.timeout = Some(answer.times(10));
                        if made.count > 1 {
                            return None;
                        }
                    }
                }
                let [model, oracle] = both(&scenario, number);
                println!("{load} {number:2}: {:.3} of {:.3} fail {}", model[2], oracle[2], describe(&scenario));
                Some((model[2] - oracle[2]).abs())
            })
            .collect();
        errors.sort_by(f64::total_cmp);
        let median = errors[errors.len() / 2];
        println!("{load}: {} cases, median {median:.3}, worst {:.3}", errors.len(), errors[errors.len() - 1]);
        assert!(median <= most, "at {load}: {median:.3}");
    }
}
