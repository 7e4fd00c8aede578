//! What expressions mean, on runs small enough to check by hand.

use super::Judge;
use super::Judged;
use super::expected;
use super::tally::Grain;
use super::tally::Tally;
use super::tally::Value;
use super::verdicts;
use crate::model::Action;
use crate::model::Aggregate;
use crate::model::Bound;
use crate::model::Comparison;
use crate::model::CoreGroup;
use crate::model::Decision;
use crate::model::Expectation;
use crate::model::Host;
use crate::model::HostSample;
use crate::model::Latencies;
use crate::model::Limits;
use crate::model::Measure;
use crate::model::Metric;
use crate::model::MonthlyBudget;
use crate::model::Price;
use crate::model::Quantity;
use crate::model::Range;
use crate::model::Reason;
use crate::model::Sample;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::model::ServiceSample;
use crate::model::Subject;
use crate::model::Windows;
use crate::money::tests::scenario as small;
use crate::money::tests::service;
use crate::record::Event;
use crate::seed::Seed;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Money;
use crate::units::Permille;
use crate::units::Span;
use proptest::prelude::*;
use std::borrow::Cow;
use std::sync::Arc;

const MINUTE: Span = Span::from_secs(60);

fn minutes(count: u64) -> Instant {
    Instant::after_start(Span::from_mins(count))
}

fn scenario(expectation: Expectation) -> Scenario {
    let limits = Limits { cpu: Some(Millicores::new(1000)), memory: Some(Bytes::mebi(100)) };
    let web = service(1, limits, Limits::default());
    Scenario {
        host: Host {
            disk: Bytes::gibi(1),
            ..Host::bare("small", vec![CoreGroup { count: 2, speed: Permille::ONE }], Bytes::gibi(1))
        },
        duration: Span::from_mins(60),
        sample: MINUTE,
        expect: vec![expectation],
        ..small(vec![("web", web)])
    }
}

fn expectation(aggregate: Aggregate, metric: Metric, comparison: Comparison, bound: Bound) -> Expectation {
    let subject = Subject::Service(ServiceName::new("web"));
    Expectation {
        name: "it".to_owned(),
        text: "as written".to_owned(),
        measure: Measure { aggregate, metric, subject, range: Range::Whole },
        comparison,
        bound,
        windows: None,
        seeds: Permille::ONE,
        baseline: None,
    }
}

fn p95_within(millis: u64) -> Expectation {
    let bound = Bound::Value(Quantity::Time(Span::from_millis(millis)));
    expectation(Aggregate::Percentile(95_000), Metric::Latency, Comparison::AtMost, bound)
}

fn none(metric: Metric, aggregate: Aggregate) -> Expectation {
    expectation(aggregate, metric, Comparison::Equal, Bound::Value(Quantity::Number(0)))
}

/// A minute in which so many requests took so many milliseconds each.
fn served(count: u64, millis: u64) -> ServiceSample {
    let mut latency = Latencies::new();
    latency.add(Span::from_millis(millis), count * 1000);
    ServiceSample { arrived: count * 1000, served: count * 1000, latency, replicas: 1, ..ServiceSample::default() }
}

fn raise(from: u64, to: u64) -> Decision {
    let (service, from, to) = (ServiceName::new("web"), Millicores::new(from), Millicores::new(to));
    let why = Reason::AboveThreshold { seen: Permille::ONE, threshold: Permille::percent(80), checks: 3 };
    Decision { actions: vec![Action::LimitCpu { service, from, to, why }], held: Vec::new() }
}

/// Judges minutes, each with what was decided just before its end.
fn judged(scenario: Scenario, minutes_seen: &[(ServiceSample, Decision)]) -> Judged {
    let scenario = Arc::new(scenario);
    let mut judge = Judge::new(&scenario);
    let mut at = Instant::START;
    for (service, decision) in minutes_seen {
        at = at.plus(MINUTE);
        judge.take(&Event::Decided { at, decision: decision.clone() });
        let host = HostSample { cpu: Millicores::new(500), memory: Bytes::mebi(512), ..HostSample::default() };
        judge.take(&Event::Sampled(Sample { at, span: MINUTE, host, services: vec![service.clone()] }));
    }
    judge.take(&Event::Ended { at, container_ticks: 0 });
    judge.finish(at).0.remove(0)
}

fn plain(samples: impl IntoIterator<Item = ServiceSample>) -> Vec<(ServiceSample, Decision)> {
    samples.into_iter().map(|sample| (sample, Decision::default())).collect()
}

#[test]
fn a_percentile_is_of_all_requests_not_the_mean_of_percentiles() {
    let samples = (0..10).map(|minute| served(1000, if minute == 4 { 1000 } else { 10 }));
    let judged = judged(scenario(p95_within(200)), &plain(samples));
    assert!(!judged.passed, "a tenth of all requests took a second: {}", judged.measured_text());
    let failure = judged.first_failure.expect("a place in time");
    assert_eq!((failure.from, failure.to), (minutes(4), minutes(5)));
    assert!((failure.scene.host_cpu - 0.25).abs() < 1e-9 && (failure.scene.host_memory - 0.5).abs() < 1e-9);
}

#[test]
fn no_samples_is_a_failure_that_says_so() {
    for samples in [Vec::new(), plain((0..5).map(|_| ServiceSample::default()))] {
        let judged = judged(scenario(p95_within(200)), &samples);
        assert!(!judged.passed);
        assert_eq!(judged.measured_text(), "no samples");
    }
    let mut unknown = p95_within(200);
    unknown.measure.subject = Subject::Service(ServiceName::new("wbe"));
    assert!(!judged(scenario(unknown), &plain([served(1, 1)])).passed);
}

#[test]
fn requests_that_nobody_answers_break_the_window_and_quiet_windows_are_not_judged() {
    let mut expectation = p95_within(200);
    expectation.windows = Some(Windows { share: Permille::percent(90), length: Span::from_mins(5) });
    let run = |bad: u64, unanswered: bool| {
        let samples = (0..100).map(|minute| match minute / 5 {
            window if window < bad && unanswered => ServiceSample { arrived: 5000, failed: 5000, ..served(0, 0) },
            window if window < bad => served(100, 900),
            10..=14 => served(0, 0),
            _ => served(100, 10),
        });
        judged(scenario(expectation.clone()), &plain(samples))
    };
    for unanswered in [false, true] {
        let good = run(1, unanswered);
        let held = good.held.expect("windows");
        assert_eq!((held.held, held.judged, held.empty), (14, 15, 5));
        assert!(good.passed, "14 of 15 is more than 90 %");
        let bad = run(2, unanswered);
        assert!(!bad.passed, "13 of 15 is less than 90 %");
        assert_eq!(bad.first_failure.expect("a place").from, minutes(0));
    }
}

#[test]
fn what_is_reported_of_windows_is_the_value_that_the_share_keeps() {
    let mut expectation = p95_within(200);
    expectation.windows = Some(Windows { share: Permille::percent(90), length: MINUTE });
    let samples = (1..=10).map(|minute| served(1000, minute * 10));
    let value = judged(scenario(expectation), &plain(samples)).measured.expect("a value").value;
    assert!((85.0..95.0).contains(&value), "nine of ten windows keep 90 ms, known to a bucket: {value}");
}

#[test]
fn actions_to_and_fro_are_reversals_and_the_worst_half_hour_counts() {
    let mut expectation = none(Metric::Reversals, Aggregate::Max);
    expectation.measure.range = Range::Every(Span::from_mins(30));
    let steps = [(0, 1000, 1250), (40, 1250, 1500), (50, 1500, 1000), (55, 1000, 1250), (100, 1250, 1500)];
    let run: Vec<_> = (0..120)
        .map(|minute| {
            let step = steps.iter().find(|(at, _, _)| *at == minute);
            (served(1, 1), step.map_or_else(Decision::default, |(_, from, to)| raise(*from, *to)))
        })
        .collect();
    let flapping = judged(scenario(expectation), &run);
    assert_eq!(flapping.measured.map(|figure| figure.value), Some(2.0));
    let failure = flapping.first_failure.expect("a place in time");
    assert_eq!((failure.from, failure.to), (minutes(21), minutes(51)), "the first half hour that ends with a reversal");
    let all = judged(scenario(none(Metric::Actions, Aggregate::Count)), &run);
    assert_eq!(all.measured.map(|figure| figure.value), Some(5.0));
}

#[test]
fn of_limit_is_of_the_limit_in_force_at_that_time() {
    let bound = Bound::OfLimit(Permille::percent(85));
    let expectation = expectation(Aggregate::Max, Metric::Memory, Comparison::Less, bound);
    let held = |mebi, limit: Option<u64>| ServiceSample {
        memory: Bytes::mebi(mebi),
        limits: Limits { cpu: None, memory: limit.map(Bytes::mebi) },
        ..ServiceSample::default()
    };
    let good = judged(scenario(expectation.clone()), &plain([held(80, Some(100)), held(150, Some(200))]));
    assert!(good.passed);
    assert_eq!(good.measured_text(), "80%");
    assert!(!judged(scenario(expectation.clone()), &plain([held(90, Some(100)), held(10, Some(200))])).passed);
    let free = judged(scenario(expectation), &plain([held(10, Some(100)), held(10, None)]));
    assert!(!free.passed && free.measured_text().contains("no limit"));
}

#[test]
fn a_share_of_the_host_is_of_what_it_has() {
    let share = |percent: u64| Bound::Value(Quantity::Share(percent * 10_000));
    for (metric, most) in [(Metric::HostCpu, 25), (Metric::HostMemory, 50)] {
        let mut expectation = expectation(Aggregate::Max, metric, Comparison::AtMost, share(most));
        expectation.measure.subject = Subject::Host;
        let seen = judged(scenario(expectation.clone()), &plain([served(1, 1)]));
        assert!(seen.passed, "half a core of two, half a gibibyte of one: {}", seen.measured_text());
        expectation.bound = share(most - 1);
        assert!(!judged(scenario(expectation), &plain([served(1, 1)])).passed);
    }
}

#[test]
fn the_warm_up_and_what_lies_outside_the_range_are_not_judged() {
    let samples = plain((0..10).map(|minute| served(100, if minute < 3 { 1000 } else { 10 })));
    let mut warm = scenario(p95_within(200));
    warm.warmup = Span::from_mins(3);
    assert!(judged(warm.clone(), &samples).passed);
    warm.expect[0].measure.range = Range::Between(minutes(2), minutes(4));
    assert!(judged(warm.clone(), &samples).passed, "a range that begins in the warm-up is judged from its end on");
    warm.warmup = Span::from_mins(2);
    assert!(!judged(warm.clone(), &samples).passed);
    warm.expect[0].measure.range = Range::Between(minutes(20), minutes(40));
    assert_eq!(judged(warm, &samples).measured_text(), "no samples");
}

#[test]
fn a_share_of_errors_is_of_finished_requests() {
    let bound = Bound::Value(Quantity::Share(5_000));
    let expectation = expectation(Aggregate::Share, Metric::Errors, Comparison::Less, bound);
    let samples = [served(995, 10), ServiceSample { failed: 5_000, ..served(0, 0) }];
    let judged = judged(scenario(expectation), &plain(samples));
    assert_eq!(judged.measured.map(|figure| figure.value), Some(0.005));
    assert!(!judged.passed, "0.5 % is not less than 0.5 %");
}

#[test]
fn a_price_that_is_not_known_or_in_another_currency_is_a_failure() {
    let bound = Bound::Value(Quantity::Money(Money::parse("12 USD").expect("an amount")));
    let mut priced = scenario(expectation(Aggregate::Max, Metric::Cost, Comparison::AtMost, bound));
    assert!(judged(priced.clone(), &[]).measured_text().contains("not known"));
    let price = |text| {
        let month = Money::parse(text).expect("an amount");
        Some(Price { month, renewal: None, seen: "2026-01-01".to_owned(), source: "a list".to_owned() })
    };
    priced.host.price = price("10 EUR");
    assert!(judged(priced.clone(), &[]).measured_text().contains("currency"));
    priced.host.price = price("12.01 USD");
    assert!(!judged(priced.clone(), &[]).passed);
    priced.host.price = price("12 USD");
    assert!(judged(priced, &[]).passed);
}

/// A core all the time is 720 core-hours at 0.05 USD: 36 USD a month, whatever the one expectation says.
#[test]
fn a_budget_is_one_more_expectation() {
    let verdict = |month: &str| {
        let mut scenario = scenario(none(Metric::Errors, Aggregate::Count));
        scenario.budget = Some(MonthlyBudget::of(Money::parse(month).expect("an amount")));
        let mut judge = Judge::new(&Arc::new(scenario.clone()));
        for minute in 1..=60 {
            let service = ServiceSample { cpu: Millicores::cores(1), ..served(1, 10) };
            let (at, host) = (minutes(minute), HostSample::default());
            judge.take(&Event::Sampled(Sample { at, span: MINUTE, host, services: vec![service] }));
        }
        let (judged, spent) = judge.finish(minutes(60));
        let verdict = verdicts(&expected(&scenario), &[(Seed::new(1), judged)]).remove(1);
        (verdict.measured_text(), verdict.passed, spent.map(|spent| spent.alerts.len()))
    };
    assert_eq!(verdict("50 USD"), ("36.00 USD".to_owned(), true, Some(0)));
    assert_eq!(verdict("40 USD"), ("36.00 USD".to_owned(), true, Some(2)));
    assert_eq!(verdict("30 USD"), ("36.00 USD".to_owned(), false, Some(3)));
    assert!(verdict("40 EUR").0.contains("another currency"));
}

#[test]
fn enough_seeds_are_enough() {
    let mut expectation = p95_within(200);
    expectation.seeds = Permille::percent(75);
    let run = |millis| vec![judged(scenario(expectation.clone()), &plain([served(100, millis)]))];
    let all = |slow: u64| {
        let runs: Vec<_> = (1..=4).map(|seed| (Seed::new(seed), run(if seed <= slow { 900 } else { 10 }))).collect();
        verdicts(std::slice::from_ref(&expectation), &runs).remove(0)
    };
    assert!(all(1).passed && !all(2).passed);
    assert_eq!(all(2).seeds_held, 2);
    assert_eq!(all(2).failed_seed, Some(Seed::new(1)));
    assert_eq!(all(2).worst_seed, Seed::new(1));
}

proptest! {
    /// A window that moves on comes to the same as one counted afresh.
    #[test]
    fn what_is_taken_away_leaves_no_trace(levels in proptest::collection::vec((0_u64..1 << 40, 1_u64..100), 1..60), kept in 1_usize..20) {
        let part = |&(level, nanos): &(u64, u64)| {
            let mut latency = Latencies::new();
            latency.add(Span::from_nanos(level), nanos);
            super::part::Part { nanos, level: Some(level), events: level, whole: level, latency: Cow::Owned(latency), wanted: 0 }
        };
        let mut moving = Tally::new(Grain::Exact);
        for (place, level) in levels.iter().enumerate() {
            moving.add(&part(level));
            if place >= kept {
                moving.remove(&part(&levels[place - kept]));
            }
            let mut fresh = Tally::new(Grain::Exact);
            levels[place.saturating_sub(kept - 1)..=place].iter().for_each(|level| fresh.add(&part(level)));
            for metric in [Metric::Latency, Metric::Memory] {
                for aggregate in [Aggregate::Max, Aggregate::Min, Aggregate::Mean, Aggregate::Percentile(95_000), Aggregate::Count] {
                    prop_assert_eq!(moving.value(aggregate, metric), fresh.value(aggregate, metric));
                }
            }
        }
    }

    /// A level is known to 1/256, its largest and smallest exactly.
    #[test]
    fn levels_in_bounded_space_are_near_the_exact_ones(levels in proptest::collection::vec(0_u64..1 << 50, 1..80), percent in 0_u32..=100) {
        let (mut fine, mut exact) = (Tally::new(Grain::Fine), Tally::new(Grain::Exact));
        for level in &levels {
            let latency = Cow::Owned(Latencies::new());
            let part = super::part::Part { nanos: 1, level: Some(*level), events: 0, whole: 0, latency, wanted: 0 };
            fine.add(&part);
            exact.add(&part);
        }
        let value = |tally: &Tally, aggregate| match tally.value(aggregate, Metric::Memory) {
            Some(Value::Level(level)) => level,
            other => panic!("{other:?}"),
        };
        let percentile = Aggregate::Percentile(percent * 1000);
        let (near, true_one) = (value(&fine, percentile), value(&exact, percentile));
        prop_assert!((near - true_one).abs() <= true_one / 256.0, "{near} for {true_one}");
        prop_assert_eq!(value(&fine, Aggregate::Max), value(&exact, Aggregate::Max));
        prop_assert_eq!(value(&fine, Aggregate::Min), value(&exact, Aggregate::Min));
    }
}
