//! Scenarios that are advised on, small enough to say beforehand what must come of it.

use super::Advised;
use super::Bench;
use super::Change;
use super::Kind;
use super::Size;
use crate::input::scenario;
use crate::input::scenario::LoadOptions;
use crate::input::scenario::Opened;
use crate::model::Limits;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Permille;
use std::path::Path;
use std::path::PathBuf;
use tempfile::TempDir;

/// A scenario of a service `web` in a folder of its own.
struct Small(TempDir);

impl Small {
    fn new(compose: &str, scenario: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("compose.yaml"), compose).expect("can be written");
        std::fs::write(folder.path().join("scenario.yaml"), scenario).expect("can be written");
        Self(folder)
    }

    fn opened(&self) -> Opened {
        let path = self.0.path().join("scenario.yaml");
        scenario::open(&path, &LoadOptions::default()).unwrap_or_else(|problems| panic!("{problems}"))
    }
}

fn advised(opened: &Opened, jobs: usize) -> Advised {
    let bench = Bench { path: "scenario.yaml", jobs, progress: &|| () };
    super::advise(opened, &bench).expect("the engine keeps its rules")
}

fn web() -> ServiceName {
    ServiceName::new("web")
}

/// An idle service that uses 0.35 of 0.5 cores and 256 of 1024 MiB.
fn idle() -> Small {
    Small::new(
        "services:\n  web: { image: example/web, cpus: 1, mem_limit: 2G, deploy: { resources: { reservations: { cpus: '0.5', memory: 1G } } } }\n",
        "scenario: idle\nstack: compose.yaml\nhost: kvm-4\nduration: 4h\nservices:\n  web: { idle_cpu: 0.35, idle_memory: 256M, start_cpu: 0.1, work: { cpu: 1ms } }\nexpect:\n  lives: count(oom) == 0\n",
    )
}

/// 70 % of the CPU is worth 1. A quarter of the memory is worth 25 / 70 = 0.357. Half a core costs 0.025 an hour, a GB 0.01:
/// (1 × 0.025 + 0.357 × 0.01) / 0.035 = 0.816. Kept for a month is 720 × 0.035 = 25.20 USD, used 720 × (0.0175 + 0.0025) = 14.40.
#[test]
fn the_score_weighs_what_is_used_by_what_keeping_it_costs() {
    let small = idle();
    let base = advised(&small.opened(), 1).base;
    assert_eq!(base.efficiency, Some(Permille::new(816)));
    assert_eq!((base.bill.kept.get(), base.bill.used.get()), (25_200_000, 14_400_000));
}

/// P95 and KRR reserve the same for a load that never changes: 0.35 cores, and 256 or 295 MiB (15 % more than 256, rounded
/// up). P95 is the cheaper, 720 × (0.35 × 0.05 + 0.25 × 0.01) = 14.40: all that is kept is used.
#[test]
fn the_cheaper_of_two_rules_that_hold_is_recommended() {
    let small = idle();
    let opened = small.opened();
    let advised = advised(&opened, 1);
    let [sizing] = advised.advice.as_slice() else { panic!("{:?}", advised.notes) };
    assert_eq!((sizing.kind, sizing.is_proved()), (Kind::RightSizing, true));
    let size = sizing.change.sizes[&web()];
    assert_eq!(size.reservations, Limits { cpu: Some(Millicores::new(350)), memory: Some(Bytes::mebi(256)) });
    // 0.35 / 0.75 is 0.467, in steps of 10 m; 256 MiB / 0.75 is 342.
    assert_eq!(size.limits, Limits { cpu: Some(Millicores::new(470)), memory: Some(Bytes::mebi(342)) });
    assert_eq!(sizing.tried.bill.kept.get(), 14_400_000);
    // KRR: 720 × (0.35 × 0.05 + 295/1024 × 0.01) = 14.674.
    assert_eq!(sizing.others[0].month.get() / 1000, 14_674);
    let because = &sizing.risk.because;
    assert!(
        because.iter().any(|why| why.contains("no whole day")) && because.iter().any(|why| why.contains("one seed"))
    );
    assert!(advised.notes.iter().any(|note| note.contains("schedule: no service")), "{:?}", advised.notes);
}

#[test]
fn a_scenario_that_expects_nothing_proves_nothing() {
    let small = idle();
    let path = small.0.path().join("scenario.yaml");
    let text = std::fs::read_to_string(&path).expect("can be read").replace("expect:\n  lives: count(oom) == 0\n", "");
    std::fs::write(&path, text).expect("can be written");
    let advised = advised(&small.opened(), 1);
    assert!(advised.advice.iter().all(|advice| !advice.is_proved()), "{:?}", advised.notes);
    assert!(advised.notes.iter().any(|note| note.contains("expects nothing")));
}

/// 50 requests of 20 ms a second are one core, and a limit of half a core serves 25 of them. Limits of 0.625 and 0.75 serve 31
/// and 37, a limit of 1 and two instances of 0.5 are exactly full; only 1.5 cores in one instance or in three hold. One
/// instance is the cheaper, by the memory of the two others: 720 × 0.01 × 0.5 × 2 = 7.20.
#[test]
fn who_lacks_cpu_gets_the_cheapest_that_holds() {
    let small = Small::new(
        "services:\n  web: { image: example/web, deploy: { resources: { limits: { cpus: '0.5', memory: 512M } } } }\n",
        "scenario: too small\nstack: compose.yaml\nhost: kvm-4\nduration: 30m\nservices:\n  web: { work: { cpu: 20ms, spread: constant, memory: 1M }, idle_memory: 50M, timeout: 10s }\nload:\n  web: { pattern: constant, rate: 50/s }\nexpect:\n  is served: error_rate(web) < 1%\n  is fast: p95(latency.web) < 1s\n",
    );
    let advised = advised(&small.opened(), 1);
    assert!(!advised.base.report.passed());
    let [performance] = advised.advice.as_slice() else { panic!("{:?}", advised.notes) };
    assert_eq!((performance.kind, performance.is_proved()), (Kind::Performance, true), "{}", performance.title);
    assert_eq!(performance.change.sizes[&web()].limits.cpu, Some(Millicores::new(1500)));
    let [three] = performance.others.as_slice() else { panic!("{:?}", performance.others) };
    assert!(three.name.starts_with("2 instances more"), "{three:?}");
    assert_eq!((three.month.get() - performance.tried.bill.kept.get()) / 10_000, 720);
    assert!(performance.left_out.iter().all(|other| !other.breaks.is_empty()));
    assert_eq!(performance.left_out.len(), 4);
    assert!(advised.notes.iter().any(|note| note.contains("not looked for")), "{:?}", advised.notes);
}

/// One core for both: what the web gets more of, the API has less of, and its requests wait for longer.
#[test]
fn what_makes_another_service_slower_is_a_risk() {
    let small = Small::new(
        "services:\n  web: { image: example/web, cpus: 0.3, mem_limit: 1G }\n  api: { image: example/api, cpus: 1, mem_limit: 1G }\n",
        "scenario: one core\nstack: compose.yaml\nhost: { cores: 1, memory: 8G, reserve: { cpu: 0, memory: 0 } }\nduration: 30m\nservices:\n  web: { work: { cpu: 20ms }, timeout: 10s }\n  api: { work: { cpu: 20ms } }\nload:\n  web: { pattern: constant, rate: 25/s }\n  api: { pattern: constant, rate: 15/s }\nexpect:\n  is served: error_rate(api) < 1%\n",
    );
    let opened = small.opened();
    let bench = Bench { path: "scenario.yaml", jobs: 1, progress: &|| () };
    let base = bench.run(opened.resolved.scenario.clone()).expect("the engine keeps its rules");
    let mut change = Change::default();
    let limits = Limits { cpu: Some(Millicores::new(600)), memory: None };
    change.sizes.insert(web(), Size { limits, reservations: Limits::default() });
    let tried = bench.run(change.applied(&opened).expect("it fits")).expect("the engine keeps its rules");
    let because = |kind| super::Risk::of(kind, &change, &base, &tried).because;
    let slower = |why: &String| why.starts_with("P95 of api rises from ");
    assert!(because(Kind::Performance).iter().any(slower), "{:?}", because(Kind::Performance));
    assert!(!because(Kind::Performance).iter().any(|why| why.starts_with("P95 of web")), "it gets faster");
    assert!(!because(Kind::Cost).iter().any(slower), "what is to be cheaper may be slower, within its bounds");
}

#[test]
fn advice_is_the_same_on_any_number_of_threads() {
    let small = idle();
    let path = small.0.path().join("scenario.yaml");
    let text = std::fs::read_to_string(&path).expect("can be read") + "seeds: 1..3\n";
    std::fs::write(&path, text).expect("can be written");
    let opened = small.opened();
    let text = |jobs| super::json::document(&advised(&opened, jobs), &opened).to_string();
    assert_eq!(text(1), text(2));
}

/// What is tried in memory goes through the same door as a file: with nothing changed it is the scenario itself.
#[test]
fn every_shipped_scenario_is_the_same_when_nothing_is_changed() {
    let mut seen = 0;
    for path in scenarios(Path::new("scenarios")) {
        let Ok(opened) = scenario::open(&path, &LoadOptions::default()) else { continue };
        let again = Change::default().applied(&opened).unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()));
        assert!(again == opened.resolved.scenario, "{}", path.display());
        seen += 1;
    }
    assert!(seen > 30, "{seen} scenarios");
}

fn scenarios(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found = Vec::new();
    for path in entries {
        if path.is_dir() {
            found.extend(scenarios(&path));
        } else if path.to_string_lossy().ends_with("scenario.yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Files of three kinds of Compose keys, a number of instances and a policy; read back, they are what was tried.
#[test]
fn what_is_written_is_what_was_tried() {
    let small = Small::new(
        "services:\n  web: { image: example/web, cpus: 1, mem_limit: 2G, mem_reservation: 1G }\n  api: { image: example/api, deploy: { replicas: 3, resources: { limits: { cpus: '1', memory: 1G } } } }\n  db: { image: postgres:16, cpu_quota: 200000, cpu_period: 100000, mem_limit: 2G }\n",
        "scenario: three\nstack: { files: compose.yaml }\nhost: kvm-4\nduration: 10m\npolicy: { api: none, default: jacker-vertical }\nload:\n  api: { pattern: constant, rate: 1/s }\nexpect:\n  lives: count(oom) == 0\n",
    );
    let opened = small.opened();
    let limits = |cpu, memory| Limits { cpu: Some(Millicores::new(cpu)), memory: Some(Bytes::mebi(memory)) };
    let size = |cpu, memory| Size { limits: limits(cpu, memory), reservations: limits(cpu / 2, memory / 2) };
    let mut change = Change::default();
    for (name, size) in [("web", size(370, 300)), ("api", size(500, 256)), ("db", size(1230, 1000))] {
        change.sizes.insert(ServiceName::new(name), size);
    }
    change.replicas.insert(ServiceName::new("api"), 2);
    change.policies.insert(web(), serde_json::json!({ "template": "web-app-balanced", "replicas": "1..3" }));
    let tried = change.applied(&opened).unwrap_or_else(|wrong| panic!("{wrong}"));
    let advised = advised(&opened, 1);
    let scenario = Scenario { seeds: opened.resolved.scenario.seeds.clone(), ..tried };
    let bench = Bench { path: "scenario.yaml", jobs: 1, progress: &|| () };
    let trial = bench.run(scenario).expect("the engine keeps its rules");
    let advice = super::Advice {
        kind: Kind::Cost,
        title: "all at once".to_owned(),
        risk: super::Risk::of(Kind::Cost, &change, &advised.base, &trial),
        change,
        evidence: Vec::new(),
        tried: trial,
        others: Vec::new(),
        left_out: Vec::new(),
    };
    let out = small.0.path().join("out/deep");
    let written = super::write(&out, &opened, &[advice], &LoadOptions::default()).expect("can be written");
    assert!(written[0].is_same, "{}", std::fs::read_to_string(&written[0].path).expect("is there"));
    assert!(written[0].path.ends_with("out/deep/1-cost/scenario.yaml"));
}
