//! The loads of the gallery against the logs they were read from. Where `../shared` is not there, the tests say so.

use crate::load;
use plimsoll::model::Pattern;
use plimsoll::model::Scenario;
use plimsoll::model::ServiceName;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use std::path::Path;
use std::path::PathBuf;

const DAY: usize = 1440;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn scenario(name: &str) -> Scenario {
    load(&root().join("scenarios").join(name))
}

/// Requests per minute of one day of a log, counted from its first.
fn log(path: &str, day: usize) -> Option<Vec<f64>> {
    let path = root().join("../shared/traces").join(path);
    let Ok(text) = std::fs::read_to_string(&path) else {
        #[expect(clippy::print_stderr, reason = "a test that did not look says so")]
        {
            eprintln!("nothing checked: {} is not there", path.display());
        }
        return None;
    };
    let count = |line: &str| line.split(',').nth(1).and_then(|count| count.parse().ok()).unwrap_or(0.0);
    Some(text.lines().skip(1 + day * DAY).take(DAY).map(count).collect())
}

/// Requests per second of corners at a time in seconds.
fn between(corners: &[(Span, Rate)], at: f64) -> f64 {
    let place = corners.partition_point(|(time, _)| time.as_secs() <= at).clamp(1, corners.len() - 1);
    let ((from, low), (to, high)) = (corners[place - 1], corners[place]);
    let part = (at - from.as_secs()) / (to.as_secs() - from.as_secs());
    low.as_per_second() + part * (high.as_per_second() - low.as_per_second())
}

/// 30 June is the 23rd day of the log; a tenth of it comes to the scenario.
#[test]
fn the_corners_of_the_world_cup_are_those_of_the_log() {
    let Some(minutes) = log("worldcup98/worldcup98_1998-06-08_28d_1min.csv", 22) else { return };
    let scenario = scenario("world-cup-two-matches");
    let Pattern::Points(corners) = &scenario.load[&ServiceName::new("proxy")].pattern else { panic!("corners") };
    let peak = minutes.iter().fold(0.0, |most: f64, count| most.max(*count)) / 600.0;
    let errors = minutes
        .iter()
        .enumerate()
        .map(|(minute, count)| (between(corners, minute as f64 * 60.0 + 30.0) - count / 600.0) / peak);
    let errors: Vec<f64> = errors.collect();
    let worst = errors.iter().map(|error| error.abs()).fold(0.0, f64::max);
    let spread = (errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64).sqrt();
    assert!(worst < 0.05 && spread < 0.01, "off by {worst:.3} of the peak at most, {spread:.3} root mean square");
}

/// The day is the 13th of the log, minute by minute.
#[test]
fn the_launch_day_is_that_of_the_log() {
    let Some(minutes) = log("nasa_http/nasa_http_1995-07_1min.csv", 12) else { return };
    let text = std::fs::read_to_string(root().join("scenarios/nasa-launch-day/1995-07-13.csv")).expect("beside it");
    let ours: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
    let theirs: Vec<String> =
        minutes.iter().enumerate().map(|(minute, count)| format!("{},{count}", minute * 60)).collect();
    assert_eq!(ours, theirs);
}
