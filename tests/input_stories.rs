//! A person writes a scenario and gets it wrong: what do they read?

use plimsoll::input::policy_test;
use plimsoll::input::problem::Problems;
use plimsoll::input::problem::Severity;
use plimsoll::input::problem::Source;
use plimsoll::input::project::Project;
use plimsoll::input::scenario;
use plimsoll::input::scenario::LoadOptions;
use plimsoll::input::scenario::Resolved;
use plimsoll::seed::Seed;
use proptest::prelude::*;
use std::path::Path;
use tempfile::TempDir;

const COMPOSE: &str = "
services:
  api:
    image: example/api:${TAG:-1}
    depends_on: [postgres]
    deploy: { resources: { limits: { cpus: '0.5', memory: 256M } } }
  postgres:
    image: postgres:16
  debug:
    image: busybox
    profiles: [debug]
";

const START: &str = "scenario: test\nhost: kvm-4\nduration: 1h\n";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("is made");
        std::fs::write(path, text).expect("is written");
    }
    folder
}

fn load(folder: &TempDir) -> Result<Resolved, Problems> {
    scenario::load(&folder.path().join("scenario.yaml"), &LoadOptions::default())
}

/// `line:column message` of each problem.
fn shown(problems: &Problems) -> Vec<String> {
    let show = |problem: &plimsoll::input::problem::Problem| match &problem.place {
        Some(place) => format!("{}:{} {}", place.line(), place.column(), problem.message),
        None => problem.message.clone(),
    };
    problems.iter().map(show).collect()
}

#[test]
fn a_scenario_and_its_stack_become_one() {
    let text = format!("{START}stack: {{ files: compose.yaml, profiles: [debug] }}\nload: {{ api: 5/s }}\n");
    let folder = folder(&[("compose.yaml", COMPOSE), ("scenario.yaml", &text), (".env", "TAG=7\n")]);
    let options = LoadOptions { seeds: vec![Seed::new(9)], host: Some("kvm-6".to_owned()), ..LoadOptions::default() };
    let resolved = scenario::load(&folder.path().join("scenario.yaml"), &options).unwrap_or_else(|p| panic!("{p}"));
    let scenario = resolved.scenario;
    let names: Vec<&str> = scenario.services.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["api", "debug", "postgres"]);
    assert_eq!((scenario.host.name.as_str(), scenario.seeds.as_slice()), ("kvm-6", [Seed::new(9)].as_slice()));
    let api = scenario.services.values().next().expect("api is first");
    assert_eq!(api.image.as_deref(), Some("example/api:7"));
    assert_eq!(api.limits.cpu.map(|cpu| cpu.get()), Some(500));
    assert!(resolved.files_read.iter().any(|path| path.ends_with("compose.yaml")));
    assert!(resolved.warnings.to_string().contains("nothing is known of `api`, `debug`"), "{}", resolved.warnings);
}

#[test]
fn everything_wrong_in_a_file_comes_at_once() {
    let text = format!(
        "{START}stack: compose.yaml\nwarmpu: 5m\nservices:\n  api: {{ workers: many }}\nload:\n  appi: 5/s\n  postgres: {{ pattern: \
         ramps }}\nexpect:\n  fast: p95(latncy.api) <= 500ms\n  small: max(memory.api) < 5ms\n"
    );
    let folder = folder(&[("compose.yaml", COMPOSE), ("scenario.yaml", &text)]);
    assert_eq!(
        shown(&load(&folder).expect_err("is wrong")),
        [
            "5:1 unknown key `warmpu`, did you mean `warmup`?",
            "7:19 `workers` should be a whole number, found text",
            "9:3 unknown service `appi`, did you mean `api`?",
            "10:24 unknown pattern `ramps`, did you mean `ramp`?",
            "12:13 unknown metric `latncy.api`, did you mean `latency.api`?",
            "13:28 `5ms` is a time, expected a size such as `512M` or a share of the limit such as `90% of limit`",
        ]
    );
}

#[test]
fn files_that_are_missing_are_named_where_they_are_asked_for() {
    let text = format!("{START}stack: compose.yml\n");
    let missing = folder(&[("compose.yaml", COMPOSE), ("scenario.yaml", &text)]);
    let problems = load(&missing).expect_err("no such file");
    assert!(shown(&problems).iter().any(|line| line.starts_with("4:8 cannot read")), "{problems}");
    let text = "scenario: test\nhost: ./my-host.yaml\nduration: 1h\nstack: compose.yaml\npolicy: ./mine.yaml\n";
    let missing = folder(&[("compose.yaml", COMPOSE), ("scenario.yaml", text)]);
    let found = shown(&load(&missing).expect_err("no such files"));
    assert!(found.iter().any(|line| line.starts_with("2:7 cannot read")), "{found:?}");
    assert!(found.iter().any(|line| line.starts_with("5:9 cannot read")), "{found:?}");
    assert!(scenario::load(Path::new("/nowhere/scenario.yaml"), &LoadOptions::default()).is_err());
}

#[test]
fn a_project_has_its_own_hosts_policies_and_images() {
    let host = "profile: tiny\ncores: 1\nmemory: 2G\nreserve: { cpu: 0.1, memory: 512M }\n";
    let policy = "policy: careful\ntemplate: jacker-vertical\ncpu_high: 60%\n";
    let images = "catalog: ours\nimages:\n  shop: { image: example/api, role: shop, tier: 1, start_up: 9s, idle_cpu: 0.1, idle_memory: 99M }\n";
    let text = "scenario: test\nhost: tiny\nduration: 1h\nstack: ../../compose.yaml\npolicy: careful\n";
    let folder = folder(&[
        ("plimsoll.yaml", "project: shop\nscenarios: tests\n"),
        ("compose.yaml", COMPOSE),
        ("hardware-profiles/tiny.yaml", host),
        ("catalog/policies/careful.yaml", policy),
        ("catalog/images.yaml", images),
        ("tests/one/scenario.yaml", text),
    ]);
    let path = folder.path().join("tests/one/scenario.yaml");
    let resolved = scenario::load(&path, &LoadOptions::default()).unwrap_or_else(|problems| panic!("{problems}"));
    let api = resolved.scenario.services.values().next().expect("api is first");
    assert_eq!((api.role.as_str(), resolved.scenario.host.name.as_str()), ("shop", "tiny"));
    let read: Vec<String> = resolved.files_read.iter().map(|path| path.display().to_string()).collect();
    for name in ["scenario.yaml", "compose.yaml", "tiny.yaml", "careful.yaml", "images.yaml"] {
        assert!(read.iter().any(|path| path.ends_with(name)), "{name} is not in {read:?}");
    }
    let project = Project::find(&folder.path().join("tests/one")).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(project.scenarios(), folder.path().join("tests"));
    std::fs::write(folder.path().join("plimsoll.yaml"), "scenaros: tests\n").expect("is written");
    let problems = Project::find(folder.path()).expect_err("misspelt").to_string();
    assert!(problems.contains("did you mean `scenarios`?"), "{problems}");
}

#[test]
fn an_impossible_host_is_refused() {
    let host = "{ profile: x, cores: 2, memory: 1G, reserve: { cpu: 3, memory: 2G }, steal: 100% }";
    let text = format!("scenario: test\nhost: {host}\nduration: 1h\nstack: compose.yaml\n");
    let folder = folder(&[("compose.yaml", COMPOSE), ("scenario.yaml", &text)]);
    let problems = load(&folder).expect_err("cannot be");
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    let found = shown(&errors.cloned().collect());
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().any(|line| line.contains("the reserve of 2G leaves nothing of 1G memory")), "{found:?}");
}

#[test]
fn a_policy_test_says_what_it_cannot_do() {
    let text = r#"
policy: { api: { template: web-app-balanced, replicas: 2..6 } }
step: 30s
cases:
  - name: one spike does not scale
    given: { cpu.api: "40% x8, 95% x1, 40% x8", cpu.apj: "1%", disk.api: "1%", memory.api: "3 parsecs" }
    expect: [{ at: end, replicas.api: two, actions: 0, held: no dta }, { at: 45s, limit.cup.api: 1 }]
"#;
    let problems = policy_test::parse(&Source::new("t.yaml", text), "t", Path::new("/nowhere")).expect_err("is wrong");
    let found = shown(&problems).join("\n");
    for words in [
        "6:49 unknown service `apj`, did you mean `api`?",
        "6:64 unknown series `disk.api`",
        "6:92 `3 parsecs` is not a size",
        "`two` is no count such as `2`",
        "7:62 unknown guard `no dta`, did you mean `no data`?",
        "unknown expectation `limit.cup.api`, did you mean `limit.cpu.api`?",
        "`at: 45s` falls between two steps of 30s",
    ] {
        assert!(found.contains(words), "{words} is not in\n{found}");
    }
}

#[test]
fn hostile_files_end_quickly_in_an_error() {
    let bomb: String = std::iter::once("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned())
        .chain((1..12).map(|level| format!("a{level}: &a{level} [{}]\n", format!("*a{}, ", level - 1).repeat(10))))
        .collect();
    let deep = "[".repeat(100_000);
    let large = format!("scenario: {}\n", "x".repeat(10_000_000));
    let many = format!(
        "{START}stack: compose.yaml\nload:\n{}",
        (0..20_000).map(|i| format!("  s{i}: 5/parsec\n")).collect::<String>()
    );
    let wrong = format!(
        "{START}stack: compose.yaml\nexpect:\n{}",
        (0..9_000).map(|i| format!("  e{i}: p95(latncy.apii) < 5\n")).collect::<String>()
    );
    for text in [
        wrong.as_str(),
        bomb.as_str(),
        deep.as_str(),
        large.as_str(),
        many.as_str(),
        "\u{0}",
        "%YAML 9\n---",
        "a: b: c",
    ] {
        let folder = folder(&[("compose.yaml", COMPOSE), ("scenario.yaml", text)]);
        let problems = load(&folder).expect_err("is hostile");
        assert!(problems.has_errors() && problems.to_string().len() < 100_000);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(source) = Source::from_bytes("any.yaml", bytes) {
            let _ = policy_test::parse(&source, "any", Path::new("/nowhere"));
            let _ = plimsoll::input::profile::parse(&source);
            let _ = plimsoll::input::schema::read::<plimsoll::input::scenario::ScenarioFile>(&source);
        }
    }
}

/// Two keys of the same name, a stack and a host that are not there, a warm-up too long, a metric misspelt: one look at
/// the answer is enough to mend them all.
#[test]
fn all_that_is_wrong_is_told_at_once() {
    let rest = "load: { web: 5/s }\nexpect: { fast: p95(latncy.web) < 1s }\n";
    let text = format!("scenario: test\nstack: nope.yaml\nhost: kvm-44\nduration: 1h\nwarmup: 2h\n{rest}");
    let problems = load(&folder(&[("scenario.yaml", &text)])).expect_err("wrong");
    let told = shown(&problems);
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[0].starts_with("2:8 cannot read") && told[0].ends_with("no such file"), "{told:?}");
    assert_eq!(told[1], "3:7 unknown hardware profile `kvm-44`, did you mean `kvm-4`?");
    assert!(told[2].starts_with("5:9 a warm-up of 2h") && told[3].starts_with("7:21 unknown metric"), "{told:?}");

    let twice = text.replace("warmup: 2h", "duration: soon");
    let told = shown(&load(&folder(&[("scenario.yaml", &twice)])).expect_err("wrong"));
    assert!(told.iter().any(|line| line == "5:1 duplicate key `duration`"), "{told:?}");
    assert!(told.iter().any(|line| line.contains("kvm-44")), "{told:?}");
}

/// A host written into the scenario needs no name; a profile that others name does.
#[test]
fn a_host_of_ones_own_is_written_out() {
    let host = "host: { cores: 2, memory: 8G }\n";
    let text = format!("scenario: test\nstack: compose.yaml\nduration: 1h\n{host}");
    let folder = folder(&[
        ("compose.yaml", COMPOSE),
        ("scenario.yaml", &text),
        ("named.yaml", &text.replace(host, "host: ./mine.yaml\n")),
        ("mine.yaml", "cores: 2\nmemory: 8G\n"),
    ]);
    let host = load(&folder).unwrap_or_else(|problems| panic!("{problems}")).scenario.host;
    assert_eq!((host.name.as_str(), host.core_count()), ("host", 2));
    let named = scenario::load(&folder.path().join("named.yaml"), &LoadOptions::default());
    assert_eq!(shown(&named.expect_err("nameless"))[0], "1:1 missing key `profile`");
}
