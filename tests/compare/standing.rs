//! Several policies together: intervals, differences, and who is a choice.

use crate::STACK;
use crate::read;
use plimsoll::report::Paint;
use plimsoll::report::compare;
use plimsoll::report::compare::Comparison;
use plimsoll::report::compare::Contestant;
use plimsoll::report::compare::Frame;
use plimsoll::report::compare::Measure;
use plimsoll::report::compare::Setting;
use plimsoll::report::compare::Show;
use plimsoll::report::compare::Standing;
use plimsoll::report::compare::Taken;
use plimsoll::seed::Seed;
use std::sync::Arc;

const SCENARIO: &str = "\
scenario: by hand
stack: compose.yaml
host: kvm-4
duration: 10m
load:
  web: { pattern: constant, rate: 16/s }
expect:
  fast: p95(latency.web) <= 100ms
";

/// Figures by seed.
type Figures<'a> = &'a [(Measure, &'a [f64])];

/// A comparison of policies with these figures, with the first one as base.
fn comparison(policies: &[(&str, Figures<'_>)]) -> Comparison {
    let seeds = policies[0].1[0].1.len();
    let contestants = policies.iter().map(|(name, figures)| {
        let run = |seed: usize| {
            let mut taken = Taken::default();
            taken.figures = figures.iter().map(|(measure, values)| (*measure, values[seed])).collect();
            taken
        };
        Contestant { name: (*name).to_owned(), runs: (0..seeds).map(run).collect() }
    });
    let setting = Setting {
        scenario: Arc::new(read(STACK, SCENARIO)),
        path: "scenario.yaml".to_owned(),
        command: "plimsoll compare scenario.yaml".to_owned(),
        frame: Frame::default(),
        capacities: Vec::new(),
        untold: Vec::new(),
    };
    let numbers = (1..=seeds as u64).map(Seed::new).collect();
    Comparison::new(setting, numbers, contestants.collect(), (policies[0].0, "none")).expect("runs")
}

/// `bad` costs 25 and breaks its promise a tenth of the time, where `good` costs 20 and never does: 5 of 25 are 20 %.
#[test]
fn who_is_beaten_is_told_by_whom_and_by_how_much() {
    let point = |cost: &'static [f64], broken: &'static [f64]| [(Measure::Cost, cost), (Measure::BrokenTime, broken)];
    let (cheap, good, bad) = (point(&[10.0], &[0.5]), point(&[20.0], &[0.0]), point(&[25.0], &[0.1]));
    let found = comparison(&[("bad", &bad), ("cheap", &cheap), ("good", &good)]);
    let order: Vec<&str> = found.rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(order, ["good", "bad", "cheap"], "by broken promises, then by cost");
    assert_eq!(found.row("good").map(|row| &row.standing), Some(&Standing::OnFront));
    assert_eq!(found.row("cheap").map(|row| &row.standing), Some(&Standing::OnFront));
    let Some(Standing::Dominated { by, cost_less, broken_less }) = found.row("bad").map(|row| row.standing.clone())
    else {
        panic!("bad is beaten")
    };
    assert_eq!(by, "good");
    assert!((cost_less - 0.2).abs() < 1e-12 && (broken_less - 0.1).abs() < 1e-12);
    let text = compare::text(&found, Show::Telling, 100, Paint::Plain).replace('\n', " ");
    assert!(text.contains("cheap (10 USD a month, 50%); good (20 USD a month, 0%)"), "{text}");
    assert!(text.contains("bad, since good costs 20% less and breaks it 10 points less of the time."), "{text}");
}

/// The base has 1, 2, 3: mean 2, deviation 1, so with 2 degrees of freedom the interval is 2 ± 4.302653 / √3.
/// Differences of 1, 1, 2 have the mean 4/3 and the standard error 1/3, so t is 4, and with 2 degrees of freedom
/// p = 1 - 4 / √18 = 0.057191. Those of twice as much have the same t. Two such p values are raised to twice that (Holm).
#[test]
fn differences_are_paired_and_their_p_values_raised() {
    let found = comparison(&[
        ("base", &[(Measure::Cost, &[1.0, 2.0, 3.0])]),
        ("one", &[(Measure::Cost, &[2.0, 3.0, 5.0])]),
        ("two", &[(Measure::Cost, &[3.0, 4.0, 7.0])]),
    ]);
    let figure = |name: &str| found.row(name).and_then(|row| row.figures.get(&Measure::Cost)).expect("a cost").clone();
    let base = figure("base");
    assert!((base.half().expect("three seeds") - 4.302_653 / 3.0_f64.sqrt()).abs() < 1e-5);
    assert_eq!(base.difference, None, "nobody differs from himself");
    for (name, mean) in [("one", 4.0 / 3.0), ("two", 8.0 / 3.0)] {
        let difference = figure(name).difference.expect("a difference");
        let alone = difference.paired.expect("three seeds").p_value;
        assert!((difference.mean - mean).abs() < 1e-12, "{name}");
        assert!((alone - 0.057_191).abs() < 1e-6, "{name}: {alone}");
        assert!((difference.p_value.expect("three seeds") - 2.0 * 0.057_191).abs() < 2e-6, "{name}");
        assert!(!difference.is_sure());
    }
}

#[test]
fn one_seed_shows_no_interval_and_nothing_that_needs_one() {
    let found = comparison(&[("base", &[(Measure::Cost, &[4.0])]), ("one", &[(Measure::Cost, &[5.0])])]);
    let one = found.row("one").and_then(|row| row.figures.get(&Measure::Cost)).expect("a cost");
    assert_eq!((one.interval, one.half()), (None, None));
    assert_eq!(one.difference.map(|difference| (difference.mean, difference.p_value)), Some((1.0, None)));
    assert!(found.plane.is_none(), "without a service level there is no plane");
    assert!(found.rows.iter().all(|row| row.standing == Standing::Unplaced));
    let text = compare::text(&found, Show::Telling, 100, Paint::Plain);
    assert!(!text.contains('±') && text.contains("--seeds 1..5"), "{text}");
}

/// Whatever is compared, each form holds every policy and no line is wider than the screen.
#[test]
fn the_telling_table_fits_the_screen_and_leaves_out_what_tells_least() {
    let all: Vec<(Measure, &[f64])> =
        Measure::ALL.into_iter().map(|measure| (measure, &[12_345.678, 12_400.0, 12_390.0][..])).collect();
    let found = comparison(&[("a-policy-with-a-rather-long-name-of-its-own", &all), ("short", &all)]);
    for width in [60, 80, 100, 120] {
        let text = compare::text(&found, Show::Telling, width, Paint::Plain);
        assert!(text.lines().all(|line| line.chars().count() <= width), "{width}:\n{text}");
        assert!(text.contains("SLO broken") && text.contains("short"), "{text}");
    }
    let wide = compare::text(&found, Show::Everything, 100, Paint::Plain);
    assert!(Measure::ALL.iter().all(|measure| wide.contains(measure.head())), "{wide}");
    assert!(wide.lines().all(|line| line.chars().count() <= 100), "{wide}");
    assert_eq!(wide.matches("difference from a-policy-with").count(), 4, "one below each group: {wide}");
    let (csv, markdown, html) = (compare::csv(&found).expect("rows"), compare::markdown(&found), compare::html(&found));
    assert_eq!(csv.lines().count(), 1 + 2 * Measure::ALL.len());
    assert!(Measure::ALL.iter().all(|measure| markdown.contains(measure.head()) && html.contains(measure.meaning())));
    assert!(!html.contains("http://") || html.matches("http://").count() == html.matches("http://www.w3.org").count());
}
