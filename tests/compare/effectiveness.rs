//! How effective policies are, as a record tells it, against sums made by hand.

use crate::read;
use plimsoll::model::Action;
use plimsoll::model::Decision;
use plimsoll::model::HostSample;
use plimsoll::model::Latencies;
use plimsoll::model::Limits;
use plimsoll::model::Reason;
use plimsoll::model::Sample;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceName;
use plimsoll::model::ServiceSample;
use plimsoll::record::Event;
use plimsoll::record::FORMAT_VERSION;
use plimsoll::record::Header;
use plimsoll::report::Collector;
use plimsoll::report::Keep;
use plimsoll::report::Report;
use plimsoll::report::json;
use plimsoll::seed::Seed;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Span;

const STACK: &str = "\
services:
  api: { image: api, deploy: { resources: { limits: { cpus: '1', memory: 1G } } } }
  cron: { image: cron, deploy: { resources: { limits: { cpus: '1', memory: 1G } } } }
  db: { image: postgres, deploy: { resources: { limits: { cpus: '1', memory: 1G } } } }
  web: { image: web, deploy: { resources: { limits: { cpus: '1', memory: 1G } } } }
";

/// `api` and `web` have the same policy, `cron` has another one.
const SCENARIO: &str = "\
scenario: by hand
stack: compose.yaml
host: kvm-4
duration: 5m
warmup: 1m
sample: 1m
load:
  api: { pattern: constant, rate: 16/s }
policy: { default: none, api: jacker-vertical, web: jacker-vertical, cron: vpa }
expect:
  fast: p95(latency.api) <= 100ms
";

/// A minute that ends at so many minutes, in which `api` answers after so many milliseconds. Each instance uses so much CPU
/// and half of its memory; of `web` there are two.
fn minute(end: u64, millis: u64, cpu: u64) -> Event {
    let mut latency = Latencies::new();
    latency.add(Span::from_millis(millis), 1000);
    let service = |instances: u64| ServiceSample {
        arrived: 1000,
        served: 1000,
        latency: latency.clone(),
        cpu: Millicores::new(cpu * instances),
        memory: Bytes::mebi(512),
        replicas: 1,
        instances: instances * 1000,
        limits: Limits { cpu: Some(Millicores::cores(1)), memory: Some(Bytes::gibi(1)) },
        ..ServiceSample::default()
    };
    let (at, span) = (Instant::after_start(Span::from_mins(end)), Span::from_mins(1));
    Event::Sampled(Sample { at, span, host: HostSample::default(), services: [1, 1, 1, 2].map(service).to_vec() })
}

/// The CPU limit of a service goes from so many cores to so many, so many seconds after the start.
fn resized(seconds: u64, service: &str, from: u64, to: u64) -> Event {
    let why = Reason::AboveThreshold { seen: Permille::ONE, threshold: Permille::percent(80), checks: 3 };
    let (from, to) = (Millicores::cores(from), Millicores::cores(to));
    let action = Action::LimitCpu { service: ServiceName::new(service), from, to, why };
    let at = Instant::after_start(Span::from_secs(seconds));
    Event::Decided { at, decision: Decision { actions: vec![action], held: Vec::new() } }
}

fn report(scenario: &Scenario, runs: &[&[Event]]) -> Report {
    let run = |(place, events): (usize, &&[Event])| {
        let header = Header {
            format_version: FORMAT_VERSION,
            plimsoll_version: "0.1.0".to_owned(),
            seed: Seed::new(place as u64 + 1),
            scenario: scenario.clone(),
        };
        let mut collector = Collector::new(&header, Keep::Figures);
        events.iter().for_each(|event| collector.take(event));
        collector.finish()
    };
    Report::new("by-hand", runs.iter().enumerate().map(run).collect(), None).expect("a run")
}

/// One seed has 1 of 4 minutes broken and 1 of 2 changes turned round, the other one nothing of both. Together that is 7 of 8
/// minutes and 2 of 3 changes. `api` and `web` use 0.7 of a core for half of the time and 0.9 for the other: 80 %, worth 1;
/// half of the memory is worth 0.714. CPU costs five times as much: 5/6 × 1 + 1/6 × 0.714 is 0.952, rounded down.
#[test]
fn a_policy_is_judged_by_what_it_holds_what_lasts_and_what_it_keeps() {
    let scenario = read(STACK, SCENARIO);
    let restless = [
        resized(30, "web", 2, 1),
        minute(1, 900, 1000),
        minute(2, 50, 700),
        resized(150, "web", 1, 2),
        minute(3, 50, 700),
        resized(200, "api", 1, 2),
        minute(4, 400, 900),
        minute(5, 50, 900),
    ];
    let calm = [
        minute(1, 900, 1000),
        minute(2, 50, 700),
        minute(3, 50, 700),
        resized(200, "web", 1, 2),
        minute(4, 50, 900),
        minute(5, 50, 900),
    ];
    let report = report(&scenario, &[&restless, &calm]);
    let names: Vec<String> = report.policies.iter().map(plimsoll::report::PolicyFigures::names).collect();
    assert_eq!(names, ["api and web", "cron"], "who is left alone has no policy to judge");
    let policy = &report.policies[0].effectiveness;
    assert_eq!(policy.held(), Some(7.0 / 8.0));
    assert_eq!((policy.actions(), policy.lasting()), (3, 2));
    assert_eq!(policy.utilization(), [800, 500].map(|share| Some(Permille::new(share))));
    assert_eq!(policy.use_worth(), Some(Permille::new(952)));
    let score = policy.score().expect("a service level is expected");
    assert!((score - 7.0 / 8.0 * 2.0 / 3.0 * 0.952).abs() < 1e-12, "{score}");
    assert_eq!(
        report.policies[0].words().as_deref(),
        Some(
            "effectiveness 0.56 of 1 (SLO held 87.5%, 2 of 3 changes lasted, used 80% of its CPU and 50% of its memory)"
        )
    );
    assert_eq!(json::scenario(&report)["policies"][0]["effectiveness"]["actions_lasting"], 2);
}

/// It cannot be said whether enough was done where nobody said what is enough.
#[test]
fn without_a_service_level_there_is_no_score() {
    let (without, _) = SCENARIO.split_once("expect:").expect("an expectation");
    let report = report(&read(STACK, without), &[&[minute(2, 50, 700)]]);
    let policy = &report.policies[0];
    assert_eq!((policy.effectiveness.score(), policy.words()), (None, None));
    assert_eq!(policy.effectiveness.use_worth(), Some(Permille::new(952)), "what it is made of is known all the same");
}
