//! The gallery of faults in `reports/`: one picture for each, drawn from its scenario, beside the words that stand above it.
//!
//! `PLIMSOLL_GALLERY=write cargo test --release --test gallery` draws it anew; without the variable the test holds the page
//! to what its scenarios show today.

use plimsoll::input::scenario;
use plimsoll::input::scenario::LoadOptions;
use plimsoll::report::Collector;
use plimsoll::report::Keep;
use plimsoll::report::Report;
use plimsoll::run::simulate::simulate;
use std::fmt::Write;
use std::path::Path;
use std::path::PathBuf;

/// Scenarios below `scenarios/`, and which of their plots shows best what the fault does.
const PICTURES: [(&str, &str); 25] = [
    ("shop-faults/crash", "db"),
    ("shop-faults/oom", "api"),
    ("shop-faults/leak", "api"),
    ("shop-faults/cpu-spin", "cache"),
    ("shop-faults/noisy-neighbour", "host"),
    ("shop-faults/steal-burst", "host"),
    ("shop-faults/slow-disk", "host"),
    ("shop-faults/full-disk", "db"),
    ("shop-faults/slow-dependency", "api"),
    ("shop-faults/network-delay", "proxy"),
    ("shop-faults/network-loss", "proxy"),
    ("evening-downloads/slow-network", "host"),
    ("m1-air-throttles/scenario", "host"),
    ("m1-air-throttles/heat-wave", "host"),
    ("shop-faults/unhealthy", "api"),
    ("shop-faults/unhealthy-green", "api"),
    ("shop-faults/docker-restart", "proxy"),
    ("shop-faults/docker-restart-live", "proxy"),
    ("shop-faults/host-loss", "host"),
    ("shop-faults/metrics-outage", "api"),
    ("shop-faults/metrics-delay", "api"),
    ("shop-faults/metrics-gaps", "api"),
    ("shop-faults/metrics-lie", "api"),
    ("shop-faults/clock-jump", "api"),
    ("shop-faults/engine-restart", "api"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The file of a scenario, as a user names it.
fn file(scenario: &str) -> String {
    match scenario.strip_suffix("/scenario") {
        Some(folder) => format!("scenarios/{folder}/scenario.yaml"),
        None => format!("scenarios/{scenario}.scenario.yaml"),
    }
}

/// What the page calls a picture.
fn name(scenario: &str) -> String {
    let short = scenario.strip_suffix("/scenario").unwrap_or(scenario);
    short.rsplit('/').next().unwrap_or(short).to_owned()
}

/// The plot of a scenario and its title.
fn picture(scenario: &str, plot: &str) -> (String, String) {
    let path = root().join(file(scenario));
    let resolved = scenario::load(&path, &LoadOptions::default()).unwrap_or_else(|wrong| panic!("{wrong}"));
    let mut collector: Option<Collector> = None;
    let seed = resolved.scenario.seeds[0];
    let end = simulate(&resolved.scenario, seed, &mut |event| {
        if let plimsoll::record::Event::Began(header) = event {
            collector = Some(Collector::new(header, Keep::Plots));
        }
        collector.as_mut().expect("the header comes first").take(event);
    });
    assert!(end.is_ok(), "{scenario} breaks no rule");
    let report = Report::new(&file(scenario), vec![collector.expect("a header").finish()], None).expect("a run");
    assert!(report.passed(), "{scenario} holds");
    let folder = tempfile::tempdir().expect("a folder");
    plimsoll::report::write(folder.path(), &report).expect("written");
    let svg = std::fs::read_to_string(folder.path().join(format!("plots/{plot}.svg"))).expect("a plot");
    (svg, resolved.scenario.name)
}

/// The words above a scenario.
fn words(scenario: &str) -> String {
    let text = std::fs::read_to_string(root().join(file(scenario))).expect("a scenario");
    let lines = text.lines().map_while(|line| line.strip_prefix("# "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_gallery_shows_what_its_scenarios_do() {
    let write = std::env::var("PLIMSOLL_GALLERY").is_ok_and(|value| value == "write");
    let reports = root().join("reports");
    let hold = |path: &Path, text: &str| {
        if write {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("writable");
        } else {
            let shown = path.strip_prefix(root()).unwrap_or(path).display();
            let there = std::fs::read_to_string(path).unwrap_or_default();
            assert!(there == text, "{shown} is old: PLIMSOLL_GALLERY=write cargo test --release --test gallery");
        }
    };
    let mut page = "# What goes wrong, and what it looks like\n\n\
        One picture for each fault that Plimsoll simulates, drawn from its scenario; orange is when the fault is on. Each is\n\
        drawn again by the command below it.\n"
        .to_owned();
    for (scenario, plot) in PICTURES {
        let (svg, title) = picture(scenario, plot);
        let (name, file) = (name(scenario), file(scenario));
        hold(&reports.join(format!("faults/{name}.svg")), &svg);
        let mut title = title;
        title[..1].make_ascii_uppercase();
        let _ = write!(
            page,
            "\n## {title}\n\n{}\n\n![{title}](faults/{name}.svg)\n\n`plimsoll simulate {file} --report reports/runs/{name}`, \
             then `plots/{plot}.svg`\n",
            words(scenario)
        );
    }
    hold(&reports.join("faults.md"), &page);
}

/// Whoever adds a fault to the shop adds its picture.
#[test]
fn every_fault_of_the_shop_has_a_picture() {
    for entry in std::fs::read_dir(root().join("scenarios/shop-faults")).expect("the shop").flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        let Some(fault) = file.strip_suffix(".scenario.yaml") else { continue };
        assert!(PICTURES.iter().any(|(scenario, _)| *scenario == format!("shop-faults/{fault}")), "{fault} has none");
    }
}
