//! Where theory knows the line.

use crate::found;
use crate::load_line;
use crate::question;
use crate::read;
use plimsoll::report::load_line::End;
use plimsoll::report::load_line::Part;
use plimsoll::units::Permille;

const STACK: &str = "\
services:
  web:
    image: example/web:1
    deploy: { resources: { limits: { cpus: '1', memory: 4G } } }
";

/// A core of its own for one service, on a host that has nothing else to do.
fn one_core(load: &str, expect: &str) -> String {
    format!(
        "scenario: one core\nstack: compose.yaml\nhost: {{ cores: 1, memory: 16G, reserve: {{ cpu: 0, memory: 0 }} }}\n\
         duration: 60m\nwarmup: 5m\nservices:\n  web: {{ work: {{ cpu: 10ms, spread: exponential }}, idle_cpu: 0, idle_memory: 100M }}\n\
         load:\n  web: {load}\nexpect:\n  as wanted: {expect}\n"
    )
}

#[test]
fn a_shared_core_holds_a_mean_time_up_to_the_load_that_processor_sharing_says() {
    // T = S / (1 - rho): 40 ms with S = 10 ms is rho = 0.75, 75 requests a second. 50 are expected: 1.5 times that.
    let scenario =
        read(STACK, &one_core("{ pattern: constant, rate: 50/s, noise: poisson }", "mean(latency.web) <= 40ms"));
    let line = load_line(&scenario, &question(10));
    let found = found(&line);
    assert!(found.multiple.get().abs_diff(1500) <= 60, "{}", found.multiple);
    let (low, high) = found.interval;
    assert!(low <= Permille::new(1500) && high >= Permille::new(1500), "{low} {high}");
    assert!(found.is_by_latency);
    assert!((found.fullest - 0.75).abs() < 0.06, "{}", found.fullest);
    // One service at up to 80 %: nine of ten within 9 %, which moves rho by 0.02 to 0.025, a step or two of the search.
    assert_eq!(found.accuracy.load, 80);
    assert!(found.model.0 < found.multiple && found.model.1 > found.multiple);
    assert!(found.model.0.get() * 10 > found.multiple.get() * 9, "{}", found.model.0);
}

#[test]
fn a_share_of_the_cores_is_a_matter_of_arithmetic() {
    // 30 requests a second of 10 ms are 0.3 cores; 0.6 are twice that, whatever the seed.
    let scenario = read(STACK, &one_core("{ pattern: constant, rate: 30/s, noise: none }", "mean(cpu.web) <= 0.6"));
    let found = found(&load_line(&scenario, &question(5)));
    assert!(found.multiple <= Permille::new(2001) && found.multiple >= Permille::new(1960), "{}", found.multiple);
    assert!(!found.is_by_latency);
    assert_eq!(found.model, (found.multiple, found.multiple), "no response time decides");
}

#[test]
fn a_load_that_comes_by_the_day_is_held_by_its_peak() {
    let load = "{ pattern: diurnal, low: 5/s, high: 40/s, peak_at: \"00:30\", noise: none }";
    let scenario = read(STACK, &one_core(load, "max(cpu.web) <= 0.6"));
    // The highest minute has 40 requests a second of 10 ms, so 0.4 cores: 1.5 times that is the bound.
    let found = found(&load_line(&scenario, &question(3)));
    assert!(found.multiple <= Permille::new(1505) && found.multiple >= Permille::new(1460), "{}", found.multiple);
}

#[test]
fn clients_who_wait_are_more_of_them() {
    // 20 clients who think for a second and are answered in some 10 ms send 19.7 requests a second, which take 0.2 cores.
    // Twice as many take 0.4.
    let load = "{ pattern: clients, clients: [[0s, 20]], think: 1s }";
    let scenario = read(STACK, &one_core(load, "mean(cpu.web) <= 0.4"));
    let found = found(&load_line(&scenario, &question(3)));
    assert!(found.multiple.get().abs_diff(2050) <= 80, "{}", found.multiple);
}

/// Runs are judged again where the interval asks what other bounds would say: the answer is that of a scenario with these bounds.
#[test]
fn the_model_moves_the_line_to_where_it_is_with_other_bounds() {
    let at = |milliseconds: f64, aggregate: &str| {
        let expect = format!("{aggregate}(latency.web) <= {}ns", (milliseconds * 1e6).round());
        let load = "{ pattern: diurnal, low: 20/s, high: 50/s, peak_at: \"00:30\", noise: poisson }";
        let scenario = one_core(load, &expect);
        let in_windows = expect.replace("ns", "ns for 90% of 5m");
        [scenario.clone(), scenario.replace(&expect, &in_windows)]
            .map(|scenario| load_line(&read(STACK, &scenario), &question(1)))
    };
    for aggregate in ["mean", "p95"] {
        for (place, line) in at(60.0, aggregate).iter().map(found).enumerate() {
            let factor = 1.0 + line.accuracy.nine_of_ten;
            let (tight, wide) = (&at(60.0 / factor, aggregate)[place], &at(60.0 * factor, aggregate)[place]);
            assert_eq!(line.model, (tight.multiple(), wide.multiple()), "{aggregate} {place}");
            assert!(line.model.0 < line.model.1, "it moves: {:?}", line.model);
        }
    }
}

#[test]
fn what_no_load_breaks_has_no_line_and_what_breaks_without_load_has_none_either() {
    let never =
        read(STACK, &one_core("{ pattern: constant, rate: 1/s, noise: none }", "max(memory.web) < 90% of limit"));
    let line = load_line(&never, &question(2));
    assert!(matches!(line.end, End::Above(most) if most > Permille::new(50_000)), "{:?}", line.end);
    assert!(line.breaks.is_none() && line.holds_expected);
    let always = read(STACK, &one_core("{ pattern: constant, rate: 1/s, noise: none }", "max(memory.web) < 50M"));
    let line = load_line(&always, &question(2));
    assert!(matches!(line.end, End::Below(_)) && !line.holds_expected, "{:?}", line.end);
    let breaks = line.breaks.expect("something breaks");
    assert_eq!(breaks.failed.len(), 1);
    assert!(breaks.bottleneck.iter().all(|part| *part != Part::HostCpu));
}

#[test]
fn more_seeds_and_more_certainty_lower_the_line() {
    let scenario = read(
        STACK,
        &one_core("{ pattern: bursty, low: 20/s, high: 60/s, quiet: 5m, burst: 2m }", "p95(latency.web) <= 80ms"),
    );
    let line = |percent: u64| {
        let asked =
            plimsoll::capacity::Question { probability: Permille::percent(percent), explain: false, ..question(20) };
        load_line(&scenario, &asked)
    };
    let (all, most, half) = (line(100), line(80), line(50));
    assert!(all.multiple() <= most.multiple() && most.multiple() <= half.multiple());
    assert!(all.multiple() < half.multiple(), "bursts come to each seed in another way");
    assert_eq!(all.by_seed, half.by_seed, "what a seed holds does not depend on what is asked");
    let least = all.by_seed.iter().flatten().min().copied();
    assert_eq!(least, Some(all.multiple()));
}
