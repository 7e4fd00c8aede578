//! Scaling ahead against scaling on sight, on days that were measured: three days to learn from, four to be judged by
//! (register E10). Where `../shared` is not there, the tests say so.

use plimsoll::input::scenario;
use plimsoll::input::scenario::LoadOptions;
use plimsoll::model::Latencies;
use plimsoll::record::Event;
use plimsoll::run::simulate::simulate;
use plimsoll::seed::Seed;
use plimsoll::units::Span;
use std::path::Path;
use std::path::PathBuf;

/// A trace, what of it comes to the service, and where it begins.
struct Days {
    file: &'static str,
    scale: &'static str,
    from: &'static str,
}

/// The web server of NASA in July 1995, 150 times as busy; from the fourth day.
const NASA: Days = Days { file: "nasa_http/nasa_http_1995-07_1min.csv", scale: "150", from: "259200s" };
/// The World Cup of 1998 with half of its requests; from 15 June.
const WORLD_CUP: Days = Days { file: "worldcup98/worldcup98_1998-06-08_28d_1min.csv", scale: "0.5", from: "604800s" };

const AHEAD: &str = "{ template: predictive, replicas: 2..16 }";
/// The same thresholds without a forecast.
const ON_SIGHT: &str = "{ template: vedfolnir-horizontal, replicas: 2..16, up: { cpu: 70%, memory: 80% }, \
    down: { cpu: 40%, memory: 60% }, step: { up: 4, down: 1 }, cooldown: { up: 1m, down: 10m }, window: 1m }";
/// Thresholds so low that what is seen late is still seen in time.
const ON_SIGHT_EARLY: &str = "{ template: vedfolnir-horizontal, replicas: 2..16, up: { cpu: 45%, memory: 80% }, \
    down: { cpu: 28%, memory: 60% }, step: { up: 4, down: 1 }, cooldown: { up: 1m, down: 10m }, window: 1m }";

/// What came of four days.
#[derive(Debug, Default)]
struct Outcome {
    /// Stretches of five minutes in which p95 was above 300 ms.
    slow: usize,
    /// Requests that failed, in thousandths.
    failed: u64,
    /// Hours of all instances together.
    instance_hours: f64,
}

fn trace(days: &Days) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/traces").join(days.file);
    if path.is_file() {
        return Some(path);
    }
    #[expect(clippy::print_stderr, reason = "a test that did not look says so")]
    {
        eprintln!("nothing checked: {} is not there", path.display());
    }
    None
}

fn run(days: &Days, trace: &Path, policy: &str) -> Outcome {
    let here = tempfile::tempdir().expect("a folder");
    let compose = "services:\n  site:\n    image: example/site:1\n    restart: always\n    \
        healthcheck: { test: [CMD, \"true\"], interval: 5s, timeout: 3s, retries: 3, start_period: 30s }\n    \
        deploy: { replicas: 2, resources: { limits: { cpus: \"0.25\", memory: 512M } } }\n";
    let Days { scale, from, .. } = days;
    let text = format!(
        "scenario: days\nstack: compose.yaml\nhost: hostinger-kvm-8\npolicy: {{ site: {policy} }}\nduration: 7d\nwarmup: 3d\n\
         services:\n  site:\n    work: {{ cpu: 5ms, memory: 512K }}\n    idle_memory: 120M\n    start_up: 40s\n    timeout: 10s\n\
         load:\n  site: {{ trace: \"{}\", per: 1m, scale: {scale}, from: {from} }}\nexpect:\n  one: count(oom) >= 0\n",
        trace.display()
    );
    std::fs::write(here.path().join("compose.yaml"), compose).expect("writable");
    let path = here.path().join("scenario.yaml");
    std::fs::write(&path, text).expect("writable");
    let scenario = scenario::load(&path, &LoadOptions::default()).expect("a scenario").scenario;
    let mut outcome = Outcome::default();
    let mut window = (Span::ZERO, Latencies::new());
    simulate(&scenario, Seed::new(1), &mut |event| {
        let Event::Sampled(sample) = event else { return };
        if sample.at.since_start() <= scenario.warmup {
            return;
        }
        let site = &sample.services[0];
        outcome.failed += site.failed;
        outcome.instance_hours += site.instances as f64 / 1e3 * sample.span.as_secs() / 3600.0;
        window = (window.0.plus(sample.span), std::mem::take(&mut window.1));
        window.1.merge(&site.latency);
        if window.0 >= Span::from_mins(5) {
            let slow = window.1.quantile(95, 100).is_some_and(|time| time > Span::from_millis(300));
            outcome.slow += usize::from(slow);
            window = (Span::ZERO, Latencies::new());
        }
    })
    .expect("the audit passes");
    outcome
}

/// Its mornings come every day and rise within minutes. On sight, dozens of stretches are slow; ahead, none is, and at
/// less cost than with thresholds so low that sight is enough.
#[test]
fn ahead_holds_where_on_sight_comes_too_late() {
    let Some(trace) = trace(&NASA) else { return };
    let [ahead, on_sight, early] = [AHEAD, ON_SIGHT, ON_SIGHT_EARLY].map(|policy| run(&NASA, &trace, policy));
    let told = format!("ahead {ahead:?}, on sight {on_sight:?}, early {early:?}");
    assert!(on_sight.slow >= 20 && on_sight.failed > 1_000_000, "{told}");
    assert!(ahead.slow <= on_sight.slow / 10 && ahead.failed < on_sight.failed / 100, "{told}");
    assert!(ahead.instance_hours < on_sight.instance_hours * 1.5, "{told}");
    assert!(early.slow <= 1 && ahead.instance_hours < early.instance_hours * 0.95, "{told}");
}

/// Crowds come slowly enough to be seen in time. Nothing is gained ahead, and little is lost.
#[test]
fn ahead_costs_little_where_it_is_not_needed() {
    let Some(trace) = trace(&WORLD_CUP) else { return };
    let [ahead, on_sight] = [AHEAD, ON_SIGHT].map(|policy| run(&WORLD_CUP, &trace, policy));
    let told = format!("ahead {ahead:?}, on sight {on_sight:?}");
    assert!(ahead.slow == 0 && on_sight.slow == 0 && ahead.failed == 0, "{told}");
    assert!(ahead.instance_hours < on_sight.instance_hours * 1.2, "{told}");
}
