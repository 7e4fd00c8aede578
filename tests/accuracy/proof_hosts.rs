//! The oracle against closed forms, several containers on one host and calls between them.

use crate::measure::observe;
use crate::simulation::call;
use crate::simulation::constant;
use crate::simulation::host;
use crate::simulation::scenario;
use crate::simulation::service;
use plimsoll::model::CoreGroup;
use plimsoll::model::Host;
use plimsoll::model::Noise;
use plimsoll::model::ServiceModel;
use plimsoll::model::Spread;
use plimsoll::units::Permille;
use plimsoll::units::Rate;

const WORK: f64 = 0.005;

fn weighted(weight: u64, replicas: u32) -> ServiceModel {
    ServiceModel { weight, replicas, ..service(5) }
}

/// Mean response times of discriminatory processor sharing with exponential work (Fayolle, Mitrani and Iasnogorodski
/// 1980): `Tᵢ (1 − Σⱼ λⱼ gⱼ / (μⱼ gⱼ + μᵢ gᵢ)) = 1/μᵢ + Σⱼ λⱼ gⱼ Tⱼ / (μⱼ gⱼ + μᵢ gᵢ)`.
fn discriminatory(rates: [f64; 3], paces: [f64; 3], weights: [f64; 3]) -> [f64; 3] {
    let mut rows = [[0.0; 4]; 3];
    for i in 0..3 {
        rows[i][3] = 1.0 / paces[i];
        rows[i][i] += 1.0;
        for j in 0..3 {
            let part = rates[j] * weights[j] / (paces[j] * weights[j] + paces[i] * weights[i]);
            rows[i][i] -= part;
            rows[i][j] -= part;
        }
    }
    // Gauss and Jordan; the diagonal is dominant.
    for i in 0..3 {
        let pivot = rows[i][i];
        rows[i].iter_mut().for_each(|value| *value /= pivot);
        for other in (0..3).filter(|other| *other != i) {
            let factor = rows[other][i];
            let row = rows[i];
            rows[other].iter_mut().zip(row).for_each(|(value, mine)| *value -= factor * mine);
        }
    }
    rows.map(|row| row[3])
}

#[test]
fn the_equations_of_weighted_sharing_are_solved() {
    let equal = discriminatory([40.0, 40.0, 40.0], [200.0; 3], [1.0; 3]);
    assert!(equal.iter().all(|time| (time / (WORK / 0.4) - 1.0).abs() < 1e-12), "{equal:?}");
    // One class that is served before all others is alone on the core.
    let first = discriminatory([40.0, 40.0, 40.0], [200.0; 3], [1e9, 1.0, 1.0])[0];
    assert!((first / (WORK / 0.8) - 1.0).abs() < 1e-6, "{first}");
}

/// Three classes with weights 1:2:4 on one core. So many containers of each that hardly ever two requests are in the same
/// one: then each request has its container's weight.
#[test]
fn weighted_containers_share_as_fayolle_mitrani_and_iasnogorodski_say() {
    let names = ["a", "b", "c"];
    let services = names.into_iter().zip([1024, 2048, 4096]).map(|(name, weight)| (name, weighted(weight, 2000)));
    let loads = names.into_iter().zip([40, 60, 50]);
    let loads = loads.map(|(name, rate)| (name, constant(Rate::per_second(rate), Noise::Poisson)));
    let seen = observe(&scenario(host(1), services, loads), 8000.0);
    let wanted = discriminatory([40.0, 60.0, 50.0], [200.0; 3], [1.0, 2.0, 4.0]);
    for (place, wanted) in wanted.into_iter().enumerate() {
        seen[place].assert_mean(wanted, names[place]);
    }
    // Whatever the weights, the unfinished work is the same (Kleinrock 1965).
    let all: f64 = seen.iter().zip([0.2, 0.3, 0.25]).map(|(seen, load)| load * seen.whole.mean()).sum();
    assert!((all / (0.75 * WORK / 0.25) - 1.0).abs() < 0.05, "{all}");
}

/// Beside one that always wants all, a container has the share of its weight and no more, for as long as it has work:
/// a core of a quarter of the speed, and the other has the rest.
#[test]
fn a_container_has_its_weights_worth_beside_a_greedy_one() {
    let services = [("greedy", weighted(3072, 1)), ("small", weighted(1024, 1))];
    let loads = [("greedy", 400), ("small", 25)];
    let loads = loads.map(|(name, rate)| (name, constant(Rate::per_second(rate), Noise::Poisson)));
    let seen = observe(&scenario(host(1), services, loads), 4000.0);
    seen[1].assert_mean(WORK / (0.25 - 0.125), "small");
    assert!((seen[0].whole.cpu + seen[1].whole.cpu - 1.0).abs() < 1e-6, "all of the core is used");
    assert!((seen[1].whole.cpu - 0.125).abs() < 0.005, "{}", seen[1].whole.cpu);
}

/// Two services of one worker on a core each, one calling the other twice: what leaves an M/M/1 queue is Poisson again
/// (Burke 1956), so with one call both are M/M/1 and means add up; the sum of both times is that of Jackson's network.
#[test]
fn a_tandem_adds_up() {
    let one = |name: &str| {
        let mut model = ServiceModel { workers: Some(1), ..service(5) };
        if name == "web" {
            model.work.calls = vec![call("db", 1)];
        }
        model
    };
    let services = [("web", one("web")), ("db", one("db"))];
    let load = constant(Rate::per_second(140), Noise::Poisson);
    let seen = observe(&scenario(host(2), services, [("web", load)]), 4000.0);
    seen[0].assert_mean(WORK / 0.3, "db");
    seen[1].assert_mean(2.0 * WORK / 0.3, "web");
    // Both times are independent and exponential: an Erlang law of two stages.
    let p95 = seen[1].whole.latency.quantile(95, 100).expect("requests").as_secs();
    assert!((p95 / (4.743_865 * WORK / 0.3) - 1.0).abs() < 4.0 * seen[1].deviation + 0.01, "{p95}");
}

/// Calls are made as often as the graph says, over all instances of the called service alike.
#[test]
fn calls_are_made_as_often_as_they_should() {
    let mut web = service(1);
    web.work.calls = vec![call("api", 2), call("db", 3)];
    let mut api = service(1);
    api.work.calls = vec![call("db", 1)];
    let db = ServiceModel { replicas: 3, ..service(2) };
    let load = constant(Rate::per_second(50), Noise::Poisson);
    let seen = observe(&scenario(host(8), [("web", web), ("api", api), ("db", db)], [("web", load)]), 400.0);
    let (api, db, web) = (&seen[0].whole, &seen[1].whole, &seen[2].whole);
    assert!(web.served > 19_000);
    assert!((api.served as f64 / web.served as f64 - 2.0).abs() < 0.01);
    assert!((db.served as f64 / web.served as f64 - 5.0).abs() < 0.01);
    let sum = 0.001 * 3.0 + 5.0 * db.mean();
    assert!((web.mean() / sum - 1.0).abs() < 0.02, "{} for {sum}", web.mean());
    let used = 50.0 * (0.001 + 2.0 * 0.001 + 5.0 * 0.002);
    assert!((web.cpu + api.cpu + db.cpu - used).abs() < 0.03 * used);
}

/// Fast cores first, stolen time, what the system uses: the capacity in overload is that of the arithmetic.
#[test]
fn a_full_host_gives_what_it_has() {
    let group = |count, percent| CoreGroup { count, speed: Permille::percent(percent) };
    let mixed = Host { cores: vec![group(2, 100), group(2, 50)], steal: Permille::percent(10), ..host(1) };
    let load = || constant(Rate::per_second(2000), Noise::Poisson);
    let seen = observe(&scenario(mixed.clone(), [("web", service(5))], [("web", load())]), 40.0);
    // 3 reference cores less a tenth are enough for 540 requests of 5 ms a second.
    let served = seen[0].whole.served as f64 / 40.0;
    assert!((served / 540.0 - 1.0).abs() < 4.0 / (540.0_f64 * 40.0).sqrt(), "{served}");
    assert!((seen[0].whole.cpu - 4.0 * 0.9).abs() < 1e-6, "{}", seen[0].whole.cpu);
    // One request at a time has a fast core to itself.
    let mut calm = service(5);
    calm.work.spread = Spread::Constant;
    let load = constant(Rate::per_second(1), Noise::Poisson);
    let seen = observe(&scenario(mixed, [("web", calm)], [("web", load)]), 2000.0);
    let fastest = seen[0].whole.latency.quantile(1, 2).expect("requests").as_secs();
    assert!((fastest / (WORK / 0.9) - 1.0).abs() < 0.03, "{fastest}");
}
