//! `plimsoll capacity` as a program.

use crate::project;
use assert_cmd::Command;
use std::collections::BTreeMap;
use std::path::Path;

const STACK: &str =
    "services: { web: { image: example/web:1, deploy: { resources: { limits: { cpus: '1', memory: 1G } } } } }\n";
const SCENARIO: &str = "\
scenario: a shop
stack: compose.yaml
host: kvm-4
duration: 10m
warmup: 1m
services: { web: { work: { cpu: 10ms, spread: exponential } } }
load: { web: { pattern: constant, rate: 40/s, noise: poisson } }
expect: { fast: p95(latency.web) <= 200ms }
";

fn plimsoll(folder: &Path, args: &[&str]) -> std::process::Output {
    Command::cargo_bin("plimsoll").expect("the program").current_dir(folder).args(args).output().expect("it runs")
}

#[test]
fn the_same_bytes_come_on_any_number_of_threads_and_again() {
    let here = project(STACK, SCENARIO);
    let run = |jobs: &str, report: &str| {
        let hosts = ["-H", "kvm-4", "-H", "kvm-6", "-H", "small-vps"];
        let args =
            [&["capacity", ".", "--seeds", "1..5", "--json", "--jobs", jobs, "--report", report], &hosts[..]].concat();
        plimsoll(here.path(), &args)
    };
    let (one, four) = (run("1", "one"), run("4", "four"));
    assert!(one.status.success(), "{}", String::from_utf8_lossy(&one.stderr));
    assert_eq!(one.stdout, four.stdout);
    let files = |folder: &str| {
        let mut files: Vec<_> =
            std::fs::read_dir(here.path().join(folder)).expect("a report").flatten().map(|file| file.path()).collect();
        files.sort();
        files
            .into_iter()
            .map(|file| (file.file_name().map(ToOwned::to_owned), std::fs::read(file).expect("a file")))
            .collect::<Vec<_>>()
    };
    let written = files("one");
    assert_eq!(written, files("four"));
    assert_eq!(written.len(), 4 + 2 * 3, "page, JSON, Markdown, CSV, and a picture of each host twice");
}

/// In an overview hosts share runs and threads, and the answer about each is the one that it gets in any other company.
#[test]
fn a_host_is_answered_the_same_whichever_others_are_asked_about() {
    let here = project(STACK, SCENARIO);
    let answers = |hosts: &[&str]| -> BTreeMap<String, serde_json::Value> {
        let hosts: Vec<&str> = hosts.iter().flat_map(|host| ["-H", host]).collect();
        let run = plimsoll(
            here.path(),
            &[&["capacity", ".", "--seeds", "1..3", "--exact", "4%", "--json"], &hosts[..]].concat(),
        );
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let document: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
        let hosts = document["hosts"].as_array().expect("hosts").iter();
        hosts.map(|host| (host["host"].as_str().expect("a name").to_owned(), host.clone())).collect()
    };
    let some = answers(&["kvm-4", "single-core", "hostinger-kvm-4", "workstation-22", "small-vps"]);
    let others = answers(&["small-vps", "m1-air", "hetzner-cx33", "kvm-6", "kvm-4", "netcup-vps-2000-g12"]);
    assert_eq!(some["kvm-4"], others["kvm-4"]);
    assert_eq!(some["small-vps"], others["small-vps"]);
    assert_eq!(some["kvm-4"]["load_line"], some["hostinger-kvm-4"]["load_line"]);
}

#[test]
fn a_badge_says_the_line_and_ci_fails_below_what_it_asks_for() {
    let here = project(STACK, SCENARIO);
    let run = |least: &str| {
        plimsoll(
            here.path(),
            &["capacity", ".", "--seeds", "1..3", "--badge", "line.svg", "--json", "--at-least", least],
        )
    };
    let enough = run("1.2");
    assert_eq!(enough.status.code(), Some(0));
    let document: serde_json::Value = serde_json::from_slice(&enough.stdout).expect("JSON");
    let line = document["hosts"][0]["load_line"].as_f64().expect("a line");
    assert!(line > 1.2 && line < 2.5, "{line}");
    let badge = std::fs::read_to_string(here.path().join("line.svg")).expect("a badge");
    let shown = format!("{}× on kvm-4", (line * 100.0).round() / 100.0);
    assert!(badge.contains(&shown), "{shown}: {badge}");
    assert_eq!(run("2.5x").status.code(), Some(3));
}
