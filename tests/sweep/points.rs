//! Which points there are.

use crate::project::GRID;
use crate::project::Project;

fn number(value: &serde_json::Value, unit: &str) -> f64 {
    let text = value.as_str().expect("text");
    text.strip_suffix(unit).and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{text} in {unit}"))
}

/// Drawn values of one field.
fn drawn(method: &str, points: usize, seed: u64, values: &str, unit: &str) -> Vec<f64> {
    let sweep = format!(
        "sweep: drawn\nscenario: scenario.yaml\nmethod: {method}\npoints: {points}\nseed: {seed}\nvary:\n  load.shop.rate: {values}\n"
    );
    let project = Project::new(&sweep);
    project.points().iter().map(|values| number(&values["load.shop.rate"], unit)).collect()
}

#[test]
fn a_grid_is_every_combination_and_the_last_field_changes_fastest() {
    let points = Project::new(GRID).points();
    let found: Vec<(f64, f64)> = points
        .iter()
        .map(|values| (number(&values["load.shop.rate"], "/s"), number(&values["services.shop.workers"], "")))
        .collect();
    let by_hand = [20.0, 60.0, 100.0, 140.0].map(|rate| [2.0, 8.0, 32.0].map(|workers| (rate, workers)));
    assert_eq!(found, by_hand.concat());
}

#[test]
fn steps_lie_evenly_or_a_factor_apart() {
    let steps = |more: &str| drawn_grid(&format!("{{ from: 1/s, to: 81/s, steps: 5{more} }}"));
    assert_eq!(steps(""), [1.0, 21.0, 41.0, 61.0, 81.0]);
    assert_eq!(steps(", distribution: log-uniform"), [1.0, 3.0, 9.0, 27.0, 81.0]);
}

fn drawn_grid(values: &str) -> Vec<f64> {
    let project = Project::new(&format!("sweep: a grid\nscenario: scenario.yaml\nvary:\n  load.shop.rate: {values}\n"));
    project.points().iter().map(|values| number(&values["load.shop.rate"], "/s")).collect()
}

/// Fifty parts of 20 to 70/s are one wide: each whole number begins the part of one point.
#[test]
fn a_latin_hypercube_has_one_value_in_each_part_of_each_field() {
    for seed in [1, 2, 3] {
        let sweep = format!(
            "sweep: a cube\nscenario: scenario.yaml\nmethod: latin-hypercube\npoints: 50\nseed: {seed}\nvary:\n  \
             load.shop.rate: {{ from: 20/s, to: 70/s }}\n  services.shop.work.cpu: {{ from: 1ms, to: 51ms }}\n  \
             services.shop.workers: [1, 2, 3, 4, 5]\n"
        );
        let points = Project::new(&sweep).points();
        let parts = |field: &str, unit: &str| {
            let mut parts: Vec<f64> = points.iter().map(|values| number(&values[field], unit).floor()).collect();
            parts.sort_by(f64::total_cmp);
            parts
        };
        assert_eq!(parts("load.shop.rate", "/s"), (20..70).map(f64::from).collect::<Vec<_>>());
        assert_eq!(parts("services.shop.work.cpu", "ms"), (1..51).map(f64::from).collect::<Vec<_>>());
        // Ten points for each of five values.
        let workers = parts("services.shop.workers", "");
        assert_eq!(workers, (1..=5).flat_map(|value| [f64::from(value); 10]).collect::<Vec<_>>());
        // Fields are shuffled apart: in the order of one, the other is in none.
        let load: Vec<f64> =
            points.iter().map(|values| number(&values["load.shop.rate"], "/s").floor() - 20.0).collect();
        let cpu: Vec<f64> =
            points.iter().map(|values| number(&values["services.shop.work.cpu"], "ms").floor() - 1.0).collect();
        let same = load.iter().zip(&cpu).filter(|(load, cpu)| load == cpu).count();
        assert!(same < 8, "{same} of 50 points on the diagonal; one is to be expected");
    }
}

/// How far a sample is from a distribution (Kolmogorov and Smirnov).
fn distance(mut sample: Vec<f64>, below: impl Fn(f64) -> f64) -> f64 {
    sample.sort_by(f64::total_cmp);
    let count = sample.len() as f64;
    let apart = |(place, value): (usize, &f64)| {
        let (low, high) = (place as f64 / count, (place + 1) as f64 / count);
        (below(*value) - low).abs().max((high - below(*value)).abs())
    };
    sample.iter().enumerate().map(apart).fold(0.0, f64::max)
}

/// Of 2000 draws the distance is below 1.63 / √2000 = 0.0364 with 99 %; the rounding of values adds a thousandth.
#[test]
fn monte_carlo_draws_follow_their_distributions() {
    let near = 0.0374;
    let uniform = drawn("monte-carlo", 2000, 5, "{ from: 20/s, to: 120/s }", "/s");
    assert!(distance(uniform, |value| (value - 20.0) / 100.0) < near);
    let log = drawn("monte-carlo", 2000, 5, "{ from: 1/s, to: 100/s, distribution: log-uniform }", "/s");
    assert!(distance(log, |value| libm::log10(value) / 2.0) < near);
    // Cut one deviation from the middle on both sides: the variance of what is left is 1 - 2φ(1)/(2Φ(1) - 1) = 0.2911 of the
    // whole, by hand with φ(1) = 0.24197 and Φ(1) = 0.84134.
    let normal = "{ from: 40/s, to: 60/s, distribution: normal, mean: 50/s, sd: 10/s }";
    let normal = drawn("monte-carlo", 2000, 5, normal, "/s");
    let count = normal.len() as f64;
    let mean = normal.iter().sum::<f64>() / count;
    let variance = normal.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (count - 1.0);
    let deviation = (100.0 * 0.2911_f64).sqrt();
    assert!((mean - 50.0).abs() < 3.0 * deviation / count.sqrt(), "{mean}");
    // The variance of a sample of 2000 is within 3 √(2/2000) = 9.5 % of the true one; less, since the tails are cut.
    assert!((variance / (100.0 * 0.2911) - 1.0).abs() < 0.095, "{variance}");
    assert!(normal.iter().all(|value| (40.0..=60.0).contains(value)));
}

#[test]
fn draws_of_levels_take_each_as_often_and_by_rounds_to_its_multiples() {
    let levels = drawn("monte-carlo", 2000, 9, "{ from: 10/s, to: 50/s, by: 10/s }", "/s");
    for level in [10.0, 20.0, 30.0, 40.0, 50.0] {
        let times = levels.iter().filter(|value| **value == level).count();
        // Binomial, 2000 of one in five: 400 ± 3 · 17.9.
        assert!((346..=454).contains(&times), "{level}: {times}");
    }
    let normal = "{ from: 10/s, to: 90/s, by: 5/s, distribution: normal, mean: 50/s, sd: 10/s }";
    let rounded = drawn("monte-carlo", 200, 9, normal, "/s");
    assert!(rounded.iter().all(|value| value % 5.0 == 0.0));
    assert!(rounded.iter().any(|value| *value != 50.0));
}

#[test]
fn the_same_seed_draws_the_same_points_and_another_one_others() {
    let draw = |seed| drawn("monte-carlo", 20, seed, "{ from: 20/s, to: 120/s }", "/s");
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    // One field more changes no value of another.
    let two = Project::new(
        "sweep: two\nscenario: scenario.yaml\nmethod: monte-carlo\npoints: 20\nvary:\n  services.shop.workers: [1, 2]\n  \
         load.shop.rate: { from: 20/s, to: 120/s }\n",
    );
    let rates: Vec<f64> = two.points().iter().map(|values| number(&values["load.shop.rate"], "/s")).collect();
    assert_eq!(rates, draw(1));
}
