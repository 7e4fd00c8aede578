//! What a load needs.

use crate::STACK;
use crate::read;
use plimsoll::model::Capacity;
use plimsoll::model::CapacityEnd;
use plimsoll::model::Demand;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceName;
use plimsoll::record::Event;
use plimsoll::report::Judge;
use plimsoll::run::compare;
use plimsoll::run::compare::Judging;
use plimsoll::run::compare::Needs;
use plimsoll::run::compare::Untold;
use plimsoll::units::Instant;
use plimsoll::units::Rate;
use std::sync::Arc;

fn judging() -> Judging<'static, (Judge, Instant)> {
    Judging {
        begin: &|scenario| (Judge::new(&Arc::new(scenario.clone())), Instant::START),
        take: &|(judge, end), event| {
            judge.take(event);
            if let Event::Ended { at, .. } = event {
                *end = *at;
            }
        },
        passed: &|(judge, end)| judge.finish(end).0.iter().all(|judged| judged.passed),
    }
}

fn analyse(scenario: &Scenario, scaled: &[&str]) -> (Needs, Vec<Untold>) {
    let names: Vec<ServiceName> = scaled.iter().map(|name| ServiceName::new(name)).collect();
    compare::analyse(scenario, &names, 1, &judging())
}

/// A service of 10 ms with one worker, loaded as given, on a host with cores for all.
fn one_worker(load: &str, expect: &str) -> String {
    format!(
        "scenario: one worker\nstack: compose.yaml\nhost: workstation-22\nduration: 1h\nwarmup: 1m\nsample: 1m\n\
         services:\n  web: {{ work: {{ cpu: 10ms, spread: exponential }}, workers: 1, start_up: 1s }}\n\
         load:\n  web: {load}\nexpect:\n{expect}"
    )
}

fn rates(capacity: &Capacity) -> Vec<f64> {
    capacity.held.iter().map(|held| held.as_per_second()).collect()
}

/// M/M/1, first come first served: the response time is exponential with the rate μ - λ, so its 95th percentile is
/// ln(20) / (μ - λ). With 100 requests a second of work and 100 ms allowed, λ may be 100 - 29.96 = 70.04. Requests that are
/// spread at random over n instances are n such queues.
#[test]
fn what_an_instance_holds_is_what_queueing_theory_says() {
    let stack = STACK.replace("cpus: '1', ", "");
    let scenario =
        read(&stack, &one_worker("{ pattern: constant, rate: 200/s }", "  fast: p95(latency.web) <= 100ms\n"));
    let (needs, untold) = analyse(&scenario, &["web"]);
    assert_eq!(untold, []);
    let held = rates(&needs.capacities[0]);
    assert_eq!(held.len(), 3, "three hold 210, which is more than comes: {held:?}");
    assert!((held[0] / 70.04 - 1.0).abs() < 0.03, "{held:?}");
    assert!((held[1] / 140.08 - 1.0).abs() < 0.03, "{held:?}");
    assert_eq!(held[2], 200.0, "not beyond what there is");
    assert_eq!(needs.capacities[0].end, CapacityEnd::Enough);
}

/// A host with one core has 100 requests a second of 10 ms in it, however many instances share it.
#[test]
fn more_instances_than_the_host_has_cores_for_are_no_use() {
    let text = one_worker("{ pattern: constant, rate: 300/s }", "  fast: p95(latency.web) <= 1s\n");
    let scenario = read(STACK, &text.replace("workstation-22", "single-core"));
    let (needs, _) = analyse(&scenario, &["web"]);
    let capacity = &needs.capacities[0];
    assert_eq!(capacity.end, CapacityEnd::NoMore);
    assert!(rates(capacity).last().is_some_and(|most| *most > 90.0 && *most < 101.0), "{capacity:?}");
    assert_eq!(capacity.needed(Rate::per_second(300)) as usize, capacity.held.len(), "beyond that more are no use");
}

/// Each page calls the store four times and finds half of it in a cache, so 30 pages are 60 requests for the store. What one
/// instance of the store holds is told in its own requests.
#[test]
fn demand_is_that_of_what_reaches_a_service() {
    let stack = format!("{STACK}  store: {{ image: example/store:1 }}\n");
    let text = "\
scenario: calls
stack: compose.yaml
host: workstation-22
duration: 20m
warmup: 1m
services:
  web: { work: { cpu: 1ms, calls: { store: { count: 4, cached: 50% } } } }
  store: { work: { cpu: 10ms, spread: exponential }, workers: 1, start_up: 1s }
load:
  web: { pattern: steps, rate: [[0s, 30/s], [10m, 60/s]] }
expect:
  fast: p95(latency.store) <= 100ms
";
    let scenario = read(&stack, text);
    let (needs, _) = analyse(&scenario, &["store"]);
    let held = rates(&needs.capacities[0]);
    assert!((held[0] / 70.04 - 1.0).abs() < 0.05, "in requests for the store: {held:?}");
    let demands = demands(&scenario, &needs);
    let at = |minute: usize| (demands[minute].1.offered.as_per_second(), demands[minute].1.instances[0]);
    let sample = demands.len() / 20;
    assert_eq!(at(5 * sample), (30.0, 1), "60/s at the store");
    assert_eq!(at(15 * sample), (60.0, 2), "120/s at the store");
}

/// The demand of each sample of the first run.
fn demands(scenario: &Scenario, needs: &Needs) -> Vec<(Instant, Demand)> {
    let consume = |taken: &mut Vec<(Instant, Demand)>, event: &Event, demand: Option<&Demand>| {
        if let (Event::Sampled(sample), Some(demand)) = (event, demand) {
            taken.push((sample.at, demand.clone()));
        }
    };
    let runs = compare::compare(std::slice::from_ref(scenario), needs, 1, &|_, _| Vec::new(), &consume, &|| {});
    runs.into_iter().flatten().next().expect("a run").consumer
}

/// 50 requests a second need one instance of 70, 120 need two. A minute that is half of each has the mean, 85.
#[test]
fn demand_follows_the_load_and_no_policy_changes_it() {
    let load = "{ pattern: steps, rate: [[0s, 50/s], [630s, 120/s], [30m, 50/s]] }";
    let stack = STACK.replace("cpus: '1', ", "");
    let scenario = read(&stack, &one_worker(load, "  fast: p95(latency.web) <= 100ms\n"));
    let (needs, _) = analyse(&scenario, &["web"]);
    let minutes: Vec<(f64, u32)> = demands(&scenario, &needs)
        .iter()
        .map(|(_, demand)| (demand.offered.as_per_second(), demand.instances[0]))
        .collect();
    assert_eq!(minutes.len(), 60);
    for (minute, wanted) in [(9, (50.0, 1)), (10, (85.0, 2)), (11, (120.0, 2)), (29, (120.0, 2)), (30, (50.0, 1))] {
        assert_eq!(minutes[minute], wanted, "minute {minute}");
    }
    let mut scaled = scenario.clone();
    let policy = plimsoll::input::policy::Policies::below(std::path::Path::new(".")).find("balanced", None, 0);
    scaled.policies = [(ServiceName::new("web"), policy.expect("shipped"))].into();
    assert_eq!(analyse(&scaled, &["web"]), (needs.clone(), Vec::new()), "probes have no policy");
    let same = demands(&scaled, &needs).into_iter().map(|(_, demand)| demand.instances[0]).collect::<Vec<_>>();
    assert_eq!(same, minutes.iter().map(|(_, needed)| *needed).collect::<Vec<_>>());
}

#[test]
fn what_cannot_be_told_has_a_reason() {
    let told = |load: &str, expect: &str, scaled: &[&str]| analyse(&read(STACK, &one_worker(load, expect)), scaled).1;
    let web = || ServiceName::new("web");
    let constant = "{ pattern: constant, rate: 20/s }";
    let fast = "  fast: p95(latency.web) <= 100ms\n";
    assert_eq!(told(constant, fast, &[]), [Untold::NothingScaled]);
    assert_eq!(told(constant, "  calm: max(cpu.web) < 1\n", &["web"]), [Untold::NoServiceLevel]);
    assert_eq!(told(constant, "  hopeless: p50(latency.web) <= 1ms\n", &["web"]), [Untold::NeverHeld(web())]);
    let clients = "{ pattern: clients, clients: 20, think: 1s }";
    assert_eq!(told(clients, fast, &["web"]), [Untold::Clients(web())]);
    assert_eq!(told("{ pattern: constant, rate: 0/s }", fast, &["web"]), [Untold::NoLoad(vec![web()])]);
}

/// A policy is tried where the scenario gives one by name; where it has one for all or none, on all that hold no data.
#[test]
fn a_policy_is_tried_where_the_scenario_has_one() {
    let stack = format!("{STACK}  db: {{ image: 'postgres:17' }}\n  worker: {{ image: example/worker:1 }}\n");
    let subjects = |policy: &str| {
        let text = format!(
            "scenario: who\nstack: compose.yaml\nhost: kvm-4\nduration: 10m\n{policy}load:\n  web: {{ pattern: constant, rate: 1/s }}\n"
        );
        let names = compare::subjects(&read(&stack, &text));
        names.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(subjects(""), ["web", "worker"], "the database holds data");
    assert_eq!(subjects("policy: balanced\n"), ["web", "worker"]);
    assert_eq!(subjects("policy: { worker: balanced }\n"), ["worker"]);
    assert_eq!(subjects("policy: { worker: balanced, default: none }\n"), ["worker"]);
    assert_eq!(subjects("policy: { db: jacker-vertical, web: balanced }\n"), ["db", "web"]);
}
