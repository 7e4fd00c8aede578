//! Forecasts on real loads, held to what was measured when they were made, on the last 40 % of each trace: against the
//! last value, and against the same time yesterday. All figures were chosen on the first 60 %, but for
//! `weekly_strength_min`, which moves no figure here by more than 3 %. Where `../shared` is not there, the tests say
//! so.

use plimsoll::engine::forecast::Config;
use plimsoll::engine::forecast::Forecaster;
use plimsoll::engine::forecast::Trust;
use plimsoll::units::Instant;
use plimsoll::units::Span;
use std::path::Path;
use std::path::PathBuf;

/// A trace: file, column and seconds between rows. And what was measured, at 10 and at 30 minutes, in percent: the
/// error of the load, of the error of the last value, and of that of the same time yesterday.
type Measured = ((&'static str, &'static str, u64), [f64; 2], [f64; 2], [f64; 2]);

const HORIZONS_MINUTES: [u64; 2] = [10, 30];

/// How much worse it may get before a test fails.
const ROOM: f64 = 1.1;

/// Loads with a season.
const SEASONAL: [Measured; 8] = [
    (("worldcup98/worldcup98_1998-06-08_28d_1min.csv", "requests", 60), [5.0, 10.3], [71.7, 77.3], [7.9, 16.0]),
    (("nasa_http/nasa_http_1995-07_1min.csv", "requests", 60), [16.4, 15.1], [45.3, 35.0], [56.7, 65.3]),
    (
        ("datacenter_aggregate/alibaba2018_machine_usage_8d_300s.csv", "cpu_pct", 300),
        [9.4, 9.3],
        [80.6, 60.4],
        [59.8, 74.0],
    ),
    (("datacenter_aggregate/azure_v2_vm_total_30d_300s.csv", "cpu_usage", 300), [1.0, 1.3], [62.0, 56.1], [25.0, 32.3]),
    (("nab/Twitter_volume_AMZN.csv", "events", 300), [20.6, 22.9], [84.5, 73.0], [60.3, 66.9]),
    (("nab/cpu_utilization_asg_misconfiguration.csv", "cpu_pct", 300), [11.1, 15.1], [35.3, 31.2], [68.9, 78.7]),
    (("bitbrains_rnd/rnd_2013-07_vm89.csv", "cpu_mhz", 300), [23.2, 28.7], [92.8, 78.9], [60.0, 72.2]),
    (("bitbrains_rnd/rnd_2013-07_vm417.csv", "cpu_mhz", 300), [19.5, 18.0], [42.6, 31.9], [91.8, 101.2]),
];

/// Loads without one.
const WITHOUT: [Measured; 5] = [
    (("bitbrains_rnd/rnd_2013-07_vm237.csv", "cpu_mhz", 300), [15.5, 20.5], [97.7, 87.2], [21.9, 40.9]),
    (("nab/elb_request_count_8c0756.csv", "requests", 300), [52.2, 38.2], [74.5, 58.3], [73.6, 78.3]),
    (("nab/rds_cpu_utilization_e47b3b.csv", "cpu_pct", 300), [2.5, 2.7], [66.9, 55.6], [14.2, 15.3]),
    (("nab/ec2_cpu_utilization_825cc2.csv", "cpu_pct", 300), [1.9, 1.8], [80.2, 53.6], [68.5, 82.7]),
    (("nab/ec2_request_latency_system_failure.csv", "latency_ms", 300), [3.0, 3.0], [55.3, 45.0], [75.5, 71.0]),
];

fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/traces");
    if folder.is_dir() {
        return Some(folder);
    }
    #[expect(clippy::print_stderr, reason = "a test that did not look says so")]
    {
        eprintln!("nothing checked: {} is not there", folder.display());
    }
    None
}

/// A column in steps of equal length, in millionths; the mean of a step that has several rows, nothing where it has
/// none.
fn read(folder: &Path, (file, column, step_seconds): (&str, &str, u64)) -> Vec<Option<u64>> {
    let text = std::fs::read_to_string(folder.join(file)).expect("readable");
    let mut lines = text.lines();
    let head = lines.next().expect("a head");
    let column = head.split(',').position(|name| name == column).expect("the column");
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let seconds: f64 = cells[0].parse().expect("a time");
        let step = plimsoll::units::place(seconds / step_seconds as f64);
        steps.resize(steps.len().max(step + 1), (0.0, 0.0));
        if let Ok(value) = cells[column].parse::<f64>() {
            steps[step].0 += value;
            steps[step].1 += 1.0;
        }
    }
    steps.iter().map(|(sum, count)| (*count > 0.0).then(|| plimsoll::units::whole(1e6 * sum / count))).collect()
}

/// What came of forecasts on the last 40 % of a trace: sums of errors and of loads, and how many looks.
#[derive(Debug, Default)]
struct Outcome {
    own: f64,
    last: f64,
    yesterday: f64,
    came: f64,
    looks: f64,
    held: f64,
    trusted: f64,
    /// Errors where the last value is taken whenever the forecast is not trusted.
    guarded: f64,
    season: bool,
}

fn judge(loads: &[Option<u64>], step_seconds: u64, horizon_minutes: u64) -> Outcome {
    let mut forecaster = Forecaster::new(Config::default());
    let mut outcome = Outcome::default();
    let steps = |seconds: u64| plimsoll::units::place(seconds as f64 / step_seconds as f64);
    let (ahead, day) = (steps(horizon_minutes * 60), steps(86_400));
    let largest =
        |from: usize| loads.get(from + 1..=from + ahead)?.iter().copied().try_fold(0, |max, load| Some(load?.max(max)));
    for (step, load) in loads.iter().copied().enumerate() {
        let now = Instant::after_start(Span::from_secs(step as u64 * step_seconds));
        forecaster.observe(now, load);
        let Some(load) = load else { continue };
        let forecast = forecaster.ahead(now, Span::from_mins(horizon_minutes));
        let past = step.checked_sub(day).and_then(largest);
        let (true, Some(came), Some(yesterday)) = (step * 10 >= loads.len() * 6, largest(step), past) else { continue };
        let off = |forecast: u64| forecast.abs_diff(came) as f64;
        let is_trusted = forecast.trust == Trust::Trusted;
        outcome.own += off(forecast.expected);
        outcome.last += off(load);
        outcome.yesterday += off(yesterday);
        outcome.guarded += off(if is_trusted { forecast.expected } else { load });
        outcome.came += came as f64;
        outcome.looks += 1.0;
        outcome.held += f64::from(u8::from(forecast.upper >= came));
        outcome.trusted += f64::from(u8::from(is_trusted));
        outcome.season |= forecaster.season().is_some();
    }
    outcome
}

/// Holds a trace to what was measured on it; the outcome at each horizon.
fn hold(folder: &Path, (trace, error, of_last, of_yesterday): Measured) -> [Outcome; 2] {
    let loads = read(folder, trace);
    [0, 1].map(|index| {
        let (minutes, outcome) = (HORIZONS_MINUTES[index], judge(&loads, trace.2, HORIZONS_MINUTES[index]));
        let at = format!("{} {minutes} minutes ahead: {outcome:?}", trace.0);
        for (seen, measured, what) in [
            (outcome.came, error[index], "load"),
            (outcome.last, of_last[index], "error of the last value"),
            (outcome.yesterday, of_yesterday[index], "error of yesterday"),
        ] {
            let seen = 100.0 * outcome.own / seen;
            assert!(seen <= measured * ROOM, "{seen:.1} % of the {what}, {measured} % was measured; {at}");
        }
        let held = 100.0 * outcome.held / outcome.looks;
        assert!((86.0..=94.0).contains(&held), "nine in ten are to be held, {held:.1} % were; {at}");
        outcome
    })
}

#[test]
fn a_season_is_found_and_forecast() {
    let Some(folder) = folder() else { return };
    for measured in SEASONAL {
        for outcome in hold(&folder, measured) {
            let file = measured.0.0;
            assert!(outcome.season && outcome.trusted > 0.5 * outcome.looks, "{file}: {outcome:?}");
            assert!(outcome.guarded < 0.96 * outcome.last, "{file}: {outcome:?}");
        }
    }
}

/// Where there is no season the forecast is better than the last value, too, but for other reasons; scaling by it would
/// not be scaling ahead.
#[test]
fn where_there_is_no_season_nothing_is_trusted() {
    let Some(folder) = folder() else { return };
    for measured in WITHOUT {
        for outcome in hold(&folder, measured) {
            assert!(!outcome.season && outcome.trusted == 0.0, "{}: {outcome:?}", measured.0.0);
        }
    }
}
