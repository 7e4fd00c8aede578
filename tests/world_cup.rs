//! The crowd at the final whistle of a World Cup match: the corners of `scenarios/world-cup-final-whistle` against the log that
//! they were read from, and the scenario with that log itself. Where `../shared` is not there, the tests say so.

use plimsoll::input::scenario;
use plimsoll::input::scenario::LoadOptions;
use plimsoll::model::Pattern;
use plimsoll::model::ServiceName;
use plimsoll::units::Rate;
use plimsoll::units::Span;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// 25 June 1998, 15:00 UTC, in seconds from the first row of the log.
const BEGIN: usize = 17 * 86_400 + 15 * 3600;

fn log() -> Option<PathBuf> {
    let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/traces");
    let log = traces.join("worldcup98/worldcup98_1998-06-08_28d_1min.csv");
    if log.is_file() {
        return Some(log);
    }
    #[expect(clippy::print_stderr, reason = "a test that did not look says so")]
    {
        eprintln!("nothing checked: {} is not there", log.display());
    }
    None
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/world-cup-final-whistle")
}

/// Requests per second of the corners at a time.
fn between(corners: &[(Span, Rate)], at: f64) -> f64 {
    let place = corners.partition_point(|(time, _)| time.as_secs() <= at).clamp(1, corners.len() - 1);
    let ((from, low), (to, high)) = (corners[place - 1], corners[place]);
    let part = (at - from.as_secs()) / (to.as_secs() - from.as_secs());
    low.as_per_second() + part * (high.as_per_second() - low.as_per_second())
}

/// Each row counts a minute; a tenth of it comes to the scenario.
#[test]
fn the_corners_are_those_of_the_log() {
    let Some(log) = log() else { return };
    let text = std::fs::read_to_string(log).expect("readable");
    let rows: Vec<f64> =
        text.lines().skip(1).map(|line| line.split(',').nth(1).expect("two").parse().expect("a number")).collect();
    let day = &rows[BEGIN / 60..BEGIN / 60 + 120];
    let scenario =
        scenario::load(&folder().join("scenario.yaml"), &LoadOptions::default()).expect("a scenario").scenario;
    let Pattern::Points(corners) = &scenario.load[&ServiceName::new("proxy")].pattern else { panic!("corners") };
    let errors: Vec<f64> = day
        .iter()
        .enumerate()
        .map(|(minute, requests)| between(corners, minute as f64 * 60.0 + 30.0) / (requests / 600.0) - 1.0)
        .collect();
    let worst = errors.iter().map(|error| error.abs()).fold(0.0, f64::max);
    let spread = (errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64).sqrt();
    assert!(worst < 0.1 && spread < 0.03, "off by {worst:.3} at most, {spread:.3} root mean square");
    // No other seven minutes of these four weeks brought more requests than they began with.
    let rise = |from: usize| rows[from + 7] - rows[from];
    let steepest = (0..rows.len() - 7).max_by(|one, other| rise(*one).total_cmp(&rise(*other))).expect("rows");
    assert!((BEGIN / 60 + 45..BEGIN / 60 + 55).contains(&steepest), "the steepest rise begins at minute {steepest}");
}

/// What holds under the corners holds under the log.
#[test]
fn the_log_itself_is_served() {
    let Some(log) = log() else { return };
    let text = std::fs::read_to_string(folder().join("scenario.yaml")).expect("readable");
    let (head, rest) = text.split_once("load:\n").expect("a load");
    let (_, expect) = rest.split_once("expect:\n").expect("expectations");
    let trace = log.display();
    let load = format!("load:\n  proxy: {{ trace: \"{trace}\", per: 1m, scale: 0.1, from: {BEGIN}s }}\n\nexpect:\n");
    let here = tempfile::tempdir().expect("a folder");
    std::fs::write(here.path().join("scenario.yaml"), format!("{head}{load}{expect}")).expect("writable");
    std::fs::copy(folder().join("compose.yaml"), here.path().join("compose.yaml")).expect("copied");
    let run = Command::new(env!("CARGO_BIN_EXE_plimsoll")).arg("simulate").arg(here.path()).output().expect("it runs");
    let said = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");
    assert!(said.contains("all 8 expectations hold"), "{said}");
}
