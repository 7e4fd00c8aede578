//! The command as a user types it.

use crate::STACK;
use crate::project;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// A crowd that three instances serve and two do not, on seeds that differ.
const CROWD: &str = "\
scenario: a crowd
stack: compose.yaml
host: hostinger-kvm-8
policy: { template: balanced, replicas: 2..4, window: 30s, cooldown: { up: 1m, down: 2m } }
duration: 20m
warmup: 2m
seeds: 1..3
services:
  web: { work: { cpu: 20ms, memory: 1M }, start_up: 5s, timeout: 10s }
load:
  web: { pattern: flash_crowd, base: 20/s, peak: 120/s, at: 5m, rise: 2m, hold: 5m, fall: 2m }
expect:
  fast: p95(latency.web) <= 500ms
  whole: error_rate(web) < 1%
";

fn json(folder: &Path, arguments: &[&str]) -> (String, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    let run = command.args(["compare", "scenario.yaml", "--json"]).args(arguments).current_dir(folder).output();
    let run = run.expect("it runs");
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    let value = serde_json::from_str(&said).expect("JSON");
    (said, value)
}

fn figures<'a>(document: &'a Value, policy: &str) -> &'a Value {
    let policies = document["policies"].as_array().expect("policies");
    &policies.iter().find(|one| one["name"] == policy).expect("the policy")["figures"]
}

#[test]
fn the_same_comparison_gives_the_same_bytes_on_any_number_of_threads() {
    let here = project(STACK, CROWD);
    let of = |jobs: &str| json(here.path(), &["--policy", "scenario", "--policy", "aggressive", "--jobs", jobs]).0;
    let alone = of("1");
    assert_eq!(of("1"), alone, "a second run");
    assert_eq!(of("2"), alone);
    assert_eq!(of("7"), alone);
}

/// More instances than there are can only help, and cost more. Nothing is scaled without a policy, and what is compared with
/// itself is as fast.
#[test]
fn a_crowd_shows_what_scaling_is_worth() {
    let here = project(STACK, CROWD);
    let (_, found) = json(here.path(), &[]);
    let mean = |policy: &str, figure: &str| figures(&found, policy)[figure]["mean"].as_f64().expect("a figure");
    assert_eq!(found["base"], "none");
    assert_eq!(mean("none", "actions"), 0.0);
    assert_eq!(mean("none", "elastic_speedup"), 1.0);
    assert!(mean("scenario", "actions") >= 2.0);
    assert!(mean("scenario", "broken_time") < mean("none", "broken_time"));
    assert!(mean("scenario", "instance_hours") > mean("none", "instance_hours"));
    assert!(mean("scenario", "elastic_speedup") > 1.0);
    assert!(mean("scenario", "time_under") < mean("none", "time_under"));
    // Two instances for 18 judged minutes.
    assert!((mean("none", "instance_hours") - 0.6).abs() < 1e-9);
    let difference = &figures(&found, "scenario")["broken_time"]["difference"];
    assert!(difference["mean"].as_f64().expect("a difference") < 0.0);
    assert!(difference["p_value_holm"].as_f64().expect("three seeds") < 0.05, "{difference}");
    let held = found["capacities"][0]["held_per_second"].as_array().expect("rates");
    assert!(held.len() == 3 && held[2].as_f64() == Some(120.0), "20 ms are at most 50/s for each core: {held:?}");
}

#[test]
fn one_policy_more_changes_nothing_for_the_others() {
    let here = project(STACK, CROWD);
    let seeds = ["--seeds", "1..2"];
    let few = json(here.path(), &[&["--policy", "scenario", "--policy", "aggressive"], &seeds[..]].concat()).1;
    let many =
        ["--policy", "scenario", "--policy", "aggressive", "--policy", "dev-minimal", "--policy", "conservative"];
    let many = json(here.path(), &[&many[..], &seeds[..]].concat()).1;
    assert_eq!(few["capacities"], many["capacities"]);
    for policy in ["scenario", "aggressive", "none"] {
        for (name, figure) in figures(&few, policy).as_object().expect("figures") {
            assert_eq!(figure["by_seed"], figures(&many, policy)[name]["by_seed"], "{name} of {policy}");
        }
    }
}

#[test]
fn a_report_is_one_page_with_its_picture_and_tables() {
    let here = project(STACK, CROWD);
    std::fs::create_dir(here.path().join("mine")).expect("a folder");
    let policy = "policy: mine\ntitle: Mine\ntemplate: aggressive\nreplicas: 3..4\n";
    std::fs::write(here.path().join("mine/quick.yaml"), policy).expect("written");
    json(here.path(), &["--policy", "./mine/quick.yaml", "--policy", "balanced", "--report", "out"]);
    let read = |name: &str| std::fs::read(here.path().join("out").join(name)).expect("written");
    let page = String::from_utf8(read("compare.html")).expect("text");
    assert!(page.contains("<svg") && page.contains("</html>") && !page.contains("<script") && !page.contains("src="));
    for policy in ["quick", "balanced", "none"] {
        assert!(page.matches(&format!(" {policy}</th>")).count() == 4, "{policy} is called by its file in every table");
        assert!(page.contains(&format!(">\n{policy}\n</text>")), "{policy} has its name in the picture");
    }
    assert!(read("compare.png").starts_with(b"\x89PNG"));
    assert!(String::from_utf8_lossy(&read("compare.csv")).starts_with("policy,on_front,figure,unit,mean,"));
    assert!(String::from_utf8_lossy(&read("compare.md")).contains("### what users get"));
    let document: Value = serde_json::from_slice(&read("compare.json")).expect("JSON");
    assert_eq!(document["format_version"], 1);
    assert_eq!(document["base"], "quick");
    assert_eq!(document["command"], "plimsoll compare scenario.yaml --policy ./mine/quick.yaml --policy balanced");
}
