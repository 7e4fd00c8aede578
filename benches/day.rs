//! How long a whole day takes with all that a run has: the host, its sensors, the engine, the audit, and the judge with all
//! figures of the report. And how many days two threads do for one.
//!
//! On a virtual core of an Intel Xeon (family 6, model 207) that others work beside: twenty containers at a constant load of 0.9
//! take 59 ms a day (twenty days after each other, the best of six), with a rhythm 0.23 s, Ziggie's evening (nineteen containers that
//! call each other, with policies) 0.16 s. Two threads do 1.9 times as many days as one, where the machine lets them: two
//! programs beside each other do only 1.8 there at times.

use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;
use plimsoll::input::scenario;
use plimsoll::input::scenario::LoadOptions;
use plimsoll::model::Scenario;
use plimsoll::record::Event;
use plimsoll::report::Collector;
use plimsoll::report::Keep;
use plimsoll::run::simulate::simulate_all;
use plimsoll::seed::Seed;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

/// Days that one and two threads do.
const DAYS: u64 = 8;

fn loaded(path: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    scenario::load(&path, &LoadOptions::default()).unwrap_or_else(|wrong| panic!("{wrong}")).scenario
}

/// All seeds of a scenario with their reports, on so many threads; containers advanced by one step.
fn run(scenario: &Scenario, threads: usize) -> u64 {
    let begin = |_: Seed| None::<Collector>;
    let take = |collector: &mut Option<Collector>, event: &Event| {
        if let Event::Began(header) = event {
            *collector = Some(Collector::new(header, Keep::Figures));
        }
        if let Some(collector) = collector {
            collector.take(event);
        }
    };
    let runs = simulate_all(scenario, threads, &begin, &take, &|_, _| {});
    let ticks = |run: plimsoll::run::simulate::Run<Option<Collector>>| {
        black_box(run.consumer.map(Collector::finish));
        run.end.expect("an engine that keeps its rules").container_ticks
    };
    runs.into_iter().map(ticks).sum()
}

fn days(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("host-day");
    group.sample_size(10);
    for (name, path) in [
        ("twenty at 0.9", "benches/peers/scenario.yaml"),
        ("twenty with a rhythm", "benches/peers/rhythm.scenario.yaml"),
        ("ziggie", "scenarios/ziggie-kvm-4-evening/scenario.yaml"),
    ] {
        let scenario = Scenario { seeds: vec![Seed::new(1)], ..loaded(path) };
        group.throughput(Throughput::Elements(run(&scenario, 1)));
        group.bench_function(name, |bencher| bencher.iter(|| run(&scenario, 1)));
    }
    group.finish();
}

/// Prints how many times as many days two threads do as one, by the best of some turns of each.
fn threads(_: &mut Criterion) {
    let scenario = Scenario {
        seeds: (1..=DAYS).map(Seed::new).collect(),
        ..loaded("scenarios/ziggie-kvm-4-evening/scenario.yaml")
    };
    let mut best = [Duration::MAX; 2];
    for _ in 0..5 {
        for (threads, best) in (1..).zip(&mut best) {
            #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
            let begun = Instant::now();
            black_box(run(&scenario, threads));
            *best = (*best).min(begun.elapsed());
        }
    }
    let [one, two] = best.map(|best| best.as_secs_f64());
    #[expect(clippy::print_stdout, reason = "what it measured")]
    {
        println!("{DAYS} days: {one:.3} s on one thread, {two:.3} s on two: {:.2} times as many", one / two);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(5));
    targets = days, threads
}
criterion_main!(benches);
