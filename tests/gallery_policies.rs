//! The gallery of policies in `reports/`: all policies of the catalog, on two days of the web, as `plimsoll compare` shows them.
//!
//! `PLIMSOLL_GALLERY=write cargo test --release --test gallery_policies` makes it anew; without the variable the test holds the
//! page to what its scenarios show today.

use plimsoll::input::policy::Policies;
use std::fmt::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// The policies of the gallery; the others are compared with the first one. Whoever adds a policy to `catalog/policies` adds
/// it here.
const POLICIES: [&str; 26] = [
    "balanced",
    "aggressive",
    "api-performance",
    "autopilot",
    "autopilot-limits",
    "batch-cost-optimized",
    "conservative",
    "cost-optimized",
    "dev-minimal",
    "hpa",
    "jacker-vertical",
    "kpa",
    "krr",
    "ml-gpu-optimized",
    "nomad-target-value",
    "nomad-threshold",
    "performance",
    "predictive",
    "step-scaling",
    "target-tracking",
    "vedfolnir-horizontal",
    "vedfolnir-points",
    "vedfolnir-triggers",
    "vpa",
    "web-app-aggressive",
    "web-app-balanced",
];

/// It has no times of its own; each day has a policy beside it that starts from this one.
const SCHEDULE: &str = "schedule";

/// The scenarios below `scenarios/`.
const DAYS: [&str; 2] = ["world-cup-two-matches", "nasa-launch-day"];

const SEEDS: &str = "1..5";

const INTRODUCTION: &str = "\
# Policies on two days of the web

All policies of the catalog, those that change the number of instances and those that move their limits, on the same load and the
same seeds: two World Cup matches, which come as two waves that anybody can see coming, and a launch day at NASA, which is restless
from minute to minute. Nothing was tuned: each has the figures of its file in `catalog/policies`, and those of other autoscalers
their documented defaults. `by-the-clock` is what somebody who knows the day writes without looking at any figure, `none` leaves the
two instances alone, and `predictive` has had no days before this one to learn from, so here it is its reactive half.

In the pictures, a policy on the green line is a choice: no other one is both cheaper and better. [What the figures
mean](../docs/compare.md).
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// What a user types, without the name of the program.
fn arguments(day: &str) -> Vec<String> {
    let clock = format!("scenarios/{day}/by-the-clock.yaml");
    let policies = POLICIES.iter().copied().chain([clock.as_str()]).flat_map(|policy| ["--policy", policy]);
    let words = ["compare".to_owned(), format!("scenarios/{day}")].into_iter();
    words.chain(policies.map(str::to_owned)).chain(["--seeds", SEEDS].map(str::to_owned)).collect()
}

/// What the program says, and the picture it draws.
fn shown(day: &str) -> (String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.current_dir(root()).env("COLUMNS", "120").env("NO_COLOR", "1").args(arguments(day));
    let run = command.arg("--report").arg(folder.path()).output().expect("it runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let picture = std::fs::read_to_string(folder.path().join("compare.svg")).expect("a picture");
    (String::from_utf8(run.stdout).expect("text"), picture)
}

/// The words above a scenario.
fn words(day: &str) -> String {
    let text = std::fs::read_to_string(root().join(format!("scenarios/{day}/scenario.yaml"))).expect("a scenario");
    let lines = text.lines().map_while(|line| line.strip_prefix("# "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_gallery_shows_what_its_policies_do() {
    let write = std::env::var("PLIMSOLL_GALLERY").is_ok_and(|value| value == "write");
    let reports = root().join("reports");
    let hold = |path: &Path, text: &str| {
        if write {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("writable");
        } else {
            let there = std::fs::read_to_string(path).unwrap_or_default();
            let shown = path.strip_prefix(root()).unwrap_or(path).display();
            let again = "PLIMSOLL_GALLERY=write cargo test --release --test gallery_policies";
            assert!(there == text, "{shown} is old: {again}");
        }
    };
    let mut page = INTRODUCTION.to_owned();
    for day in DAYS {
        let (said, picture) = shown(day);
        let title = said.lines().next().expect("a title");
        let title = title[..1].to_uppercase() + &title[1..];
        hold(&reports.join(format!("policies/{day}.svg")), &picture);
        let _ = write!(
            page,
            "\n## {title}\n\n{}\n\n![{title}](policies/{day}.svg)\n\n```text\n{said}```\n\nMade again, with a page of all figures, by\n\n\
             ```sh\nplimsoll {} --report reports/runs/{day}\n```\n",
            words(day),
            arguments(day).join(" ").replace(" --policy", " \\\n  --policy").replace(" --seeds", " \\\n  --seeds"),
        );
    }
    hold(&reports.join("policies.md"), &page);
}

/// Whoever adds a policy adds it to the list.
#[test]
fn every_policy_of_the_catalog_is_in_the_gallery() {
    let mut policies = Policies::below(&root());
    for name in policies.names() {
        let found = policies.find(&name, None, 0);
        assert!(found.is_ok(), "{name}: {found:?}");
        let is_shown = ![SCHEDULE, "none"].contains(&name.as_str());
        assert_eq!(POLICIES.contains(&name.as_str()), is_shown, "{name}");
    }
    let warnings = policies.take_warnings();
    assert!(warnings.is_empty(), "a policy of the catalog that will disappoint: {warnings}");
}
