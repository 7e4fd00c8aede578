use super::read;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use crate::input::scenario::ScenarioFile;
use crate::input::schemas::all;

fn scenario(text: &str) -> Result<ScenarioFile, Problems> {
    let start = "scenario: test\nstack: compose.yaml\nhost: kvm-4\nduration: 1h\n";
    read::<ScenarioFile>(&Source::new("scenario.yaml", format!("{start}{text}"))).map(|(_, file)| file)
}

#[track_caller]
fn wrong(text: &str) -> Vec<String> {
    let problems = scenario(text).expect_err(text);
    let place = |problem: &crate::input::problem::Problem| {
        problem.place.as_ref().map(|place| place.text().to_owned()).unwrap_or_default()
    };
    problems.iter().map(|problem| format!("{} {} @ {}", problem.code.id, problem.message, place(problem))).collect()
}

#[test]
fn a_scenario_as_the_manual_shows_it_is_read() {
    let text = r#"
policy: jacker-vertical
warmup: 5m
seeds: 1..5
services:
  ziggie-api:
    work: { cpu: 12ms, spread: exponential, memory: 2M, calls: { postgres: 3, redis: 5 } }
    workers: 4
    timeout: 30s
load:
  ziggie-api: { pattern: diurnal, low: 5/s, high: 60/s, peak_at: "20:00", noise: poisson }
  n8n:        { pattern: points, rate: [[0s, 1/s], [18h, 8/s], [19h, 1/s]] }
  ollama:     { trace: llm.csv, column: requests, scale: 0.5 }
faults:
  - { at: 19h30m, for: 20m, slow_disk: { bandwidth: 30% } }
  - { at: 20h, crash: n8n }
  - { at: 21h, for: 10m, metrics_outage: {} }
expect:
  API is fast:            p95(latency.ziggie-api) <= 500ms for 99% of 5m
  tail: { expr: p99(latency.ziggie-api) <= 1s, baseline: { worse_by: 10%, and_at_least: 5ms } }
"#;
    let file = scenario(text).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((file.load.len(), file.faults.len(), file.expect.len()), (3, 3, 2));
}

#[test]
fn misspelt_keys_are_named_where_they_stand() {
    assert_eq!(wrong("warmpu: 5m"), ["PL0201 unknown key `warmpu`, did you mean `warmup`? @ warmpu"]);
    assert_eq!(
        wrong("services:\n  api: { work: { cup: 5ms }, wrokers: 3 }"),
        [
            "PL0201 unknown key `cup`, did you mean `cpu`? @ cup",
            "PL0201 unknown key `wrokers`, did you mean `workers`? @ wrokers"
        ]
    );
}

#[test]
fn what_is_missing_is_named() {
    let problems = read::<ScenarioFile>(&Source::new("s.yaml", "scenario: x\n")).expect_err("is not enough");
    let found: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(found, ["missing key `duration`", "missing key `host`", "missing key `stack`"]);
    assert!(read::<ScenarioFile>(&Source::new("s.yaml", "")).expect_err("is empty").to_string().contains("empty"));
    assert!(
        read::<ScenarioFile>(&Source::new("s.yaml", "- 1")).expect_err("is a list").to_string().contains("a mapping")
    );
}

#[test]
fn values_say_what_they_should_be() {
    assert_eq!(
        wrong("warmup: 300"),
        [
            "PL0204 `warmup: 300` lacks its unit or is too large; expected a duration such as `30s`, `1m30s` or `500ms` @ 300"
        ]
    );
    assert_eq!(
        wrong("warmup: 5 parsecs")[0].split(" @").next(),
        Some("PL0204 `5 parsecs` is not a duration such as `30s`, `1m30s` or `500ms`")
    );
    assert_eq!(wrong("services: { api: { idle_memory: -5 } }"), ["PL0204 `idle_memory` is negative: `-5` @ -5"]);
    assert_eq!(
        wrong("services: { api: { workers: many } }"),
        ["PL0203 `workers` should be a whole number, found text @ many"]
    );
    assert_eq!(wrong("services: { api: { work: { spread: wide } } }"), ["PL0205 unknown spread `wide` @ wide"]);
    assert_eq!(wrong("services: [api]"), ["PL0203 `services` should be a mapping, found a list @ [api]"]);
    assert_eq!(wrong("seeds: 5..1"), ["PL0204 `5..1` ends before it begins @ 5..1"]);
    assert_eq!(wrong("seeds: []"), ["PL0204 `seeds` needs at least 1 of them @ []"]);
}

#[test]
fn a_choice_is_explained_by_the_branch_that_was_meant() {
    assert_eq!(
        wrong("load: { api: { pattern: diurnl, low: 1/s, high: 2/s, peak_at: \"20:00\" } }"),
        ["PL0205 unknown pattern `diurnl`, did you mean `diurnal`? @ diurnl"]
    );
    assert_eq!(
        wrong("load: { api: { pattern: diurnal, low: 1/s, hihg: 2/s, peak_at: \"20:00\" } }"),
        [
            "PL0202 missing key `high` in `api` @ { pattern: diurnal, low: 1/s, hihg: 2/s, peak_at: \"20:00\" }",
            "PL0201 unknown key `hihg`, did you mean `high`? @ hihg"
        ]
    );
    assert_eq!(
        wrong("load: { api: { patern: constant, rate: 5/s } }"),
        [
            "PL0202 missing key `pattern` in `api` @ { patern: constant, rate: 5/s }",
            "PL0201 unknown key `patern`, did you mean `pattern`? @ patern"
        ]
    );
    assert_eq!(
        wrong("load: { api: { trace: a.csv, colum: requests } }"),
        ["PL0201 unknown key `colum`, did you mean `column`? @ colum"]
    );
    assert_eq!(
        wrong("load: { api: 60 }"),
        ["PL0203 `api` should be a rate such as `60/s` or `5/min`, found a number @ 60"]
    );
    assert_eq!(
        wrong("load: { api: 60/parsec }")[0].split(" @").next(),
        Some("PL0204 `60/parsec` is not a rate such as `60/s`, `5/min` or `1000/h`")
    );
    assert_eq!(wrong("load: { api: { pattern: points, rate: [[0s, 1/s], [5m]] } }").len(), 1);
    assert_eq!(
        wrong("policy: { template: jacker-vertical, cpu_hihg: 70% }"),
        ["PL0201 unknown key `cpu_hihg`, did you mean `cpu_high`? @ cpu_hihg"]
    );
}

/// What editors use is what the program checks. `PLIMSOLL_UPDATE=1` writes the files anew.
#[test]
fn published_schemas_are_those_of_the_types() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas");
    for (name, schema) in all() {
        let path = folder.join(format!("{name}.json"));
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).expect("is JSON"));
        if std::env::var_os("PLIMSOLL_UPDATE").is_some() {
            std::fs::write(&path, &text).expect("can be written");
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(published == text, "{} is out of date; run the tests with PLIMSOLL_UPDATE=1", path.display());
    }
}
