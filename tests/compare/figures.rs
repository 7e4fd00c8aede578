//! Figures of one run against sums made by hand.

use crate::STACK;
use crate::read;
use plimsoll::model::Action;
use plimsoll::model::Decision;
use plimsoll::model::Demand;
use plimsoll::model::HostSample;
use plimsoll::model::Incident;
use plimsoll::model::InstanceState;
use plimsoll::model::Latencies;
use plimsoll::model::Limits;
use plimsoll::model::Reason;
use plimsoll::model::Sample;
use plimsoll::model::ServiceName;
use plimsoll::model::ServiceSample;
use plimsoll::record::Event;
use plimsoll::report::Keep;
use plimsoll::report::compare::Collector;
use plimsoll::report::compare::Frame;
use plimsoll::report::compare::Measure;
use plimsoll::units::Bytes;
use plimsoll::units::Instant;
use plimsoll::units::Millicores;
use plimsoll::units::Permille;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use std::sync::Arc;

const SCENARIO: &str = "\
scenario: by hand
stack: compose.yaml
host: kvm-4
duration: 5m
warmup: 1m
sample: 1m
load:
  web: { pattern: constant, rate: 16/s }
expect:
  fast: p95(latency.web) <= 100ms
  whole: error_rate(web) < 1%
  never mind: p95(latency.web) >= 1ms
";

fn at(seconds: u64) -> Instant {
    Instant::after_start(Span::from_secs(seconds))
}

fn web() -> ServiceName {
    ServiceName::new("web")
}

/// A minute that ends at so many minutes: requests of 50 ms, of 400 ms, and failed ones; instances and CPU in thousandths.
fn minute(end: u64, requests: [u64; 3], instances: u64, cpu: u64, throttled: u64) -> Event {
    let [quick, slow, failed] = requests.map(|count| count * 1000);
    let mut latency = Latencies::new();
    latency.add(Span::from_millis(50), quick);
    latency.add(Span::from_millis(400), slow);
    let service = ServiceSample {
        arrived: quick + slow + failed,
        served: quick + slow,
        failed,
        latency,
        cpu: Millicores::new(cpu),
        throttled: Permille::new(throttled),
        memory: Bytes::mebi(512),
        replicas: 1,
        instances,
        limits: Limits { cpu: Some(Millicores::cores(1)), memory: Some(Bytes::gibi(1)) },
        oom_kills: u32::from(end == 3),
        ..ServiceSample::default()
    };
    let (at, span) = (at(end * 60), Span::from_mins(1));
    Event::Sampled(Sample { at, span, host: HostSample::default(), services: vec![service] })
}

fn changed(seconds: u64, instance: u32, to: InstanceState) -> Event {
    Event::Happened { at: at(seconds), incident: Incident::Changed { service: web(), instance, to } }
}

fn scaled(seconds: u64, from: u32, to: u32) -> Event {
    let why = Reason::OutOfRange { seen: from, bound: to };
    let decision = Decision { actions: vec![Action::Scale { service: web(), from, to, why }], held: Vec::new() };
    Event::Decided { at: at(seconds), decision }
}

/// Four judged minutes. In the second a tenth of the requests take 400 ms, in the third 2 % fail, in the fourth nobody asks.
#[test]
fn a_run_of_four_minutes_comes_to_what_a_pencil_says() {
    let scenario = Arc::new(read(STACK, SCENARIO));
    let frame = Frame { subjects: vec![web()], scaled: vec![web()], needed: vec![web()] };
    let mut collector = Collector::new(&scenario, &frame, Keep::Figures);
    let demand = |needed: u32| Demand { offered: Rate::per_second(16), instances: vec![needed] };
    let events = [
        (changed(10, 1, InstanceState::Healthy), None),
        (changed(10, 2, InstanceState::Healthy), None),
        (scaled(30, 2, 3), None),
        (minute(1, [0, 500, 500], 9000, 9000, 1000), Some(demand(9))),
        (changed(70, 2, InstanceState::Down), None),
        (changed(76, 2, InstanceState::Healthy), None),
        (minute(2, [1000, 0, 0], 2000, 500, 0), Some(demand(2))),
        (minute(3, [900, 100, 0], 2000, 500, 100), Some(demand(3))),
        (scaled(190, 2, 3), None),
        (changed(200, 3, InstanceState::Healthy), None),
        (scaled(225, 3, 1), None),
        (changed(235, 3, InstanceState::Down), None),
        (changed(235, 2, InstanceState::Down), None),
        (minute(4, [980, 0, 20], 3000, 1500, 0), Some(demand(2))),
        (minute(5, [0, 0, 0], 1000, 0, 0), Some(demand(1))),
    ];
    for (event, demand) in &events {
        collector.take(event, demand.as_ref());
    }
    let figures = collector.finish(at(300)).figures;
    let is = |measure: Measure, wanted: f64| {
        let value = figures.get(&measure).copied().unwrap_or(f64::NAN);
        assert!((value - wanted).abs() <= 1e-9 * wanted.abs().max(1.0), "{measure:?}: {value}, by hand {wanted}");
    };
    // Two of the three minutes in which somebody asked.
    is(Measure::BrokenTime, 2.0 / 3.0);
    // 100 too slow and 20 failed of 3000.
    is(Measure::BrokenRequests, 120.0 / 3000.0);
    is(Measure::Failed, 20.0);
    // 100 of 2980 are slow: 3.4 %, so p95 is quick and p99 is not. A bucket is 4.4 % wide.
    let within =
        |measure: Measure, wanted: f64| assert!((figures[&measure] / wanted - 1.0).abs() < 0.045, "{measure:?}");
    within(Measure::P95, 50.0);
    within(Measure::P99, 400.0);
    // 2 + 2 + 3 + 1 instance-minutes, of one core and one GiB each.
    is(Measure::InstanceHours, 8.0 / 60.0);
    is(Measure::CpuHours, 8.0 / 60.0);
    is(Measure::MemoryHours, 8.0 / 60.0);
    // A mean of two instances at 0.05 for a core and 0.01 for a GiB an hour: 0.12, times 720 hours.
    is(Measure::Cost, 86.4);
    // Used are 0.5 + 0.5 + 1.5 of 8 core-minutes, and half of each GiB.
    is(Measure::CpuSlack, 1.0 - 2.5 / 8.0);
    is(Measure::MemorySlack, 0.5);
    // A tenth, in 2 of 8 instance-minutes.
    is(Measure::Throttled, 0.1 * 2.0 / 8.0);
    is(Measure::OomKills, 1.0);
    // One up and one down a minute later; the one in the warm-up only gives the direction.
    is(Measure::Actions, 2.0);
    is(Measure::Reversals, 1.0);
    is(Measure::Flaps, 1.0);
    // A third of the time as expected, one of two changes turned round. 31.2 % of the CPU are worth 312/700 = 0.445, half of
    // the memory 500/700 = 0.714; CPU costs 5 times as much, and 5/6 × 0.445 + 1/6 × 0.714 is 0.489, rounded down.
    is(Measure::Effectiveness, 1.0 / 3.0 * 0.5 * 0.489);
    // Demand is 2, 3, 2, 1. Supply is 1 instead of 2 for the 6 s of a crash, 2 instead of 3 for a minute, 3 instead of 2 from
    // 200 s to 235 s, and 1 instead of 2 for 5 s.
    is(Measure::AccuracyUnder, (6.0 / 2.0 + 60.0 / 3.0 + 5.0 / 2.0) / 240.0);
    is(Measure::TimeUnder, (6.0 + 60.0 + 5.0) / 240.0);
    is(Measure::AccuracyOver, 35.0 / 2.0 / 240.0);
    is(Measure::TimeOver, 35.0 / 240.0);
    // Looked at each minute, demand rises alone, falls alone, then both fall: two of three looks.
    is(Measure::Instability, 2.0 / 3.0);
    // The crash and its end, one instance more and two less are 5; demand added one and took two: 2 in 4 minutes are 30 an hour.
    is(Measure::Jitter, 30.0);
    // The cube root of a³ + t³ + i³, where a is the mean of 0.10625 and 0.07292, t that of 0.29583 and 0.14583, i is 2/3.
    let deviation = figures[&Measure::Deviation];
    assert!((deviation - 0.675_17).abs() < 1e-5, "{deviation}");
    assert!(!figures.contains_key(&Measure::Speedup), "one run alone is no faster than any");
}

/// An empty run has no shares, and costs nothing that could be told.
#[test]
fn what_was_not_seen_is_not_zero() {
    let scenario = Arc::new(read(STACK, SCENARIO));
    let frame = Frame { subjects: vec![web()], scaled: vec![web()], needed: Vec::new() };
    let figures = Collector::new(&scenario, &frame, Keep::Figures).finish(at(300)).figures;
    for measure in [
        Measure::BrokenTime,
        Measure::BrokenRequests,
        Measure::P95,
        Measure::Cost,
        Measure::CpuSlack,
        Measure::Effectiveness,
    ] {
        assert!(!figures.contains_key(&measure), "{measure:?}");
    }
    assert!(!figures.contains_key(&Measure::Deviation), "without a demand nothing follows it");
}

/// Without limits nobody can say how much of them is left.
#[test]
fn without_limits_there_is_no_slack() {
    let stack = STACK.replace("resources: { limits: { cpus: '1', memory: 1G } }", "endpoint_mode: vip");
    let scenario = Arc::new(read(&stack, SCENARIO));
    let frame = Frame { subjects: vec![web()], scaled: Vec::new(), needed: Vec::new() };
    let mut collector = Collector::new(&scenario, &frame, Keep::Figures);
    let Event::Sampled(mut sample) = minute(2, [1000, 0, 0], 2000, 500, 0) else { panic!("a sample") };
    sample.services[0].limits = Limits::default();
    collector.take(&Event::Sampled(sample), None);
    let figures = collector.finish(at(120)).figures;
    assert!(!figures.contains_key(&Measure::CpuSlack) && !figures.contains_key(&Measure::CpuHours));
    assert!((figures[&Measure::InstanceHours] - 2.0 / 60.0).abs() < 1e-12);
}
