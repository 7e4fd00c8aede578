//! The loaders under attack, each with a good file to begin from.

use plimsoll::input::catalog::CatalogFile;
use plimsoll::input::compose;
use plimsoll::input::compose::ComposeArgs;
use plimsoll::input::expression;
use plimsoll::input::policy::PolicyFile;
use plimsoll::input::policy_test;
use plimsoll::input::problem::Problems;
use plimsoll::input::problem::Source;
use plimsoll::input::profile;
use plimsoll::input::project::Project;
use plimsoll::input::scenario;
use plimsoll::input::scenario::LoadOptions;
use plimsoll::input::schema;
use plimsoll::input::trace;
use plimsoll::input::yaml;
use plimsoll::model::ServiceName;
use plimsoll::record::Reader;
use plimsoll::report::Baseline;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

/// A loader, and whether it read the bytes.
pub(crate) struct Loader {
    pub(crate) name: &'static str,
    pub(crate) sample: &'static str,
    pub(crate) load: fn(&[u8]) -> bool,
    pub(crate) reads_large_files: bool,
}

pub(crate) const LOADERS: [Loader; 13] = [
    Loader { name: "yaml", sample: SCENARIO, load: of_yaml, reads_large_files: true },
    Loader { name: "scenario", sample: SCENARIO, load: of_scenario, reads_large_files: true },
    Loader { name: "compose", sample: COMPOSE, load: of_compose, reads_large_files: true },
    Loader {
        name: "env file",
        sample: "A=1\nexport B=\"two ${A}\"\nC='three'\n",
        load: of_env,
        reads_large_files: true,
    },
    Loader {
        name: "profile",
        sample: include_str!("../../hardware-profiles/kvm-4.yaml"),
        load: of_profile,
        reads_large_files: false,
    },
    Loader {
        name: "policy",
        sample: include_str!("../../catalog/policies/jacker-vertical.yaml"),
        load: of_policy,
        reads_large_files: false,
    },
    Loader { name: "policy test", sample: POLICY_TEST, load: of_policy_test, reads_large_files: false },
    Loader {
        name: "catalog",
        sample: include_str!("../../catalog/images.yaml"),
        load: of_catalog,
        reads_large_files: false,
    },
    Loader { name: "trace", sample: "t_s,requests\n0,10\n60,\n120,12.5\n", load: of_trace, reads_large_files: true },
    Loader {
        name: "expression",
        sample: "p95(latency.web, 5m..10m) <= 500ms",
        load: of_expression,
        reads_large_files: true,
    },
    Loader { name: "record", sample: "", load: of_record, reads_large_files: true },
    Loader { name: "project", sample: include_str!("../../plimsoll.yaml"), load: of_project, reads_large_files: false },
    Loader {
        name: "baseline",
        sample: include_str!("../../scenarios/noisy-neighbour/baseline.json"),
        load: of_baseline,
        reads_large_files: true,
    },
];

const COMPOSE: &str = "\
x-limits: &limits { limits: { cpus: '0.5', memory: 256M } }
services:
  web:
    image: nginx:${TAG:-1.27}
    extends: { service: base }
    deploy: { replicas: 2, resources: *limits }
    depends_on: { db: { condition: service_healthy } }
    environment: [A=1, 'B=${B-two}']
  base: { image: x, healthcheck: { test: [CMD, 'true'], interval: 1m30s, retries: 3 } }
  db: { <<: { image: postgres }, mem_limit: 512mb, profiles: [], ports: ['5432:5432'] }
volumes: { data: }
";

const SCENARIO: &str = "\
scenario: a shop
stack: compose.yml
host: kvm-4
policy: { web: jacker-vertical, default: none }
duration: 2h
warmup: 5m
seeds: 1..5
services:
  web: { work: { cpu: 8ms, spread: exponential, memory: 2M, calls: { db: 2 } }, workers: 4, timeout: 30s }
  db: { work: { cpu: 2ms } }
  base: { work: { cpu: 2ms } }
load:
  web: { pattern: diurnal, low: 5/s, high: 60/s, peak_at: \"20:00\", noise: poisson }
  db: { pattern: points, rate: [[0s, 1/s], [1h, 8/s]] }
faults:
  - { at: 30m, crash: web }
  - { at: 1h, for: 10m, metrics_outage: {} }
expect:
  fast: p95(latency.web) <= 500ms for 99% of 5m
  calm: max(reversals, 30m) == 0
";

const POLICY_TEST: &str = "\
policy: { api: { template: jacker-vertical, cpu_high: 70% } }
step: 5m
cases:
  - name: one spike
    given: { cpu.api: \"40% x8, 95% x1, none x4\" }
    expect: [{ at: end, actions: 0 }]
";

/// Whether it was read; what is wrong can be shown.
fn answered<T>(result: Result<T, Problems>) -> bool {
    match result {
        Ok(_) => true,
        Err(problems) => {
            assert!(problems.has_errors(), "a refusal says why");
            assert!(!problems.render(100, false).is_empty());
            assert!(problems.to_json().as_array().is_some_and(|list| !list.is_empty()));
            false
        }
    }
}

fn source(bytes: &[u8]) -> Result<Source, Problems> {
    Source::from_bytes("hostile", bytes.to_vec()).map_err(Problems::from)
}

fn of_yaml(bytes: &[u8]) -> bool {
    answered(source(bytes).and_then(|source| yaml::parse(&source)).map(|node| node.to_json()))
}

thread_local! {
    /// The folder of this thread for each file under attack. Made once: to make and remove one takes longer than to read most
    /// files.
    static FOLDERS: RefCell<BTreeMap<&'static str, tempfile::TempDir>> = const { RefCell::new(BTreeMap::new()) };
}

/// The bytes as this file of a folder of its own, beside another file that stays the same.
fn in_folder<T>(name: &'static str, bytes: &[u8], beside: Option<(&str, &str)>, load: impl FnOnce(&Path) -> T) -> T {
    FOLDERS.with_borrow_mut(|folders| {
        let folder = folders.entry(name).or_insert_with(|| {
            let folder = tempfile::tempdir().expect("a temporary directory");
            if let Some((name, text)) = beside {
                std::fs::write(folder.path().join(name), text).expect("can be written");
            }
            folder
        });
        std::fs::write(folder.path().join(name), bytes).expect("can be written");
        load(folder.path())
    })
}

fn of_scenario(bytes: &[u8]) -> bool {
    in_folder("scenario.yaml", bytes, Some(("compose.yml", COMPOSE)), |here| {
        answered(scenario::load(&here.join("scenario.yaml"), &LoadOptions::default()))
    })
}

fn of_compose(bytes: &[u8]) -> bool {
    in_folder("compose.yml", bytes, None, |here| {
        answered(compose::load(&ComposeArgs { files: vec![here.join("compose.yml")], ..ComposeArgs::default() }))
    })
}

fn of_env(bytes: &[u8]) -> bool {
    in_folder(".env", bytes, Some(("compose.yml", "services: { a: { image: 'x:${A}' } }")), |here| {
        answered(compose::load(&ComposeArgs { files: vec![here.join("compose.yml")], ..ComposeArgs::default() }))
    })
}

fn of_profile(bytes: &[u8]) -> bool {
    answered(source(bytes).and_then(|source| profile::parse(&source)))
}

fn of_policy(bytes: &[u8]) -> bool {
    answered(source(bytes).and_then(|source| schema::read::<PolicyFile>(&source)))
}

fn of_policy_test(bytes: &[u8]) -> bool {
    answered(source(bytes).and_then(|source| policy_test::parse(&source, "hostile", Path::new(""))))
}

fn of_catalog(bytes: &[u8]) -> bool {
    answered(source(bytes).and_then(|source| schema::read::<CatalogFile>(&source)))
}

fn of_trace(bytes: &[u8]) -> bool {
    answered(source(bytes).and_then(|source| trace::parse(&source)))
}

fn of_expression(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let services = [ServiceName::new("web"), ServiceName::new("db")];
    let known = expression::Known { services: &services, judged: None };
    answered(expression::parse("hostile", &expression::Scalar::new(&text, None), &known))
}

/// A record has no good sample here: an empty one is an error like any other.
fn of_record(bytes: &[u8]) -> bool {
    match Reader::new(std::io::Cursor::new(bytes.to_vec())) {
        Ok(events) => {
            events.take(10_000).all(|event| event.map_err(|error| assert!(!error.to_string().is_empty())).is_ok())
        }
        Err(error) => error.to_string().is_empty(),
    }
}

fn of_project(bytes: &[u8]) -> bool {
    in_folder("plimsoll.yaml", bytes, None, |here| answered(Project::find(here)))
}

fn of_baseline(bytes: &[u8]) -> bool {
    match Baseline::read(&String::from_utf8_lossy(bytes)) {
        Ok(baseline) => !baseline.text().is_empty(),
        Err(error) => error.to_string().is_empty(),
    }
}
