//! Projects drawn from seeds: that they are what their files say, that they hold, and that a failure would be found.

use plimsoll::input::scenario;
use plimsoll::input::scenario::LoadOptions;
use plimsoll::run::simulate::simulate;
use plimsoll::run::swarm;
use plimsoll::run::swarm::Drawn;
use std::path::Path;

fn write(drawn: &Drawn, folder: &Path) -> std::path::PathBuf {
    std::fs::write(folder.join("compose.yaml"), drawn.compose()).expect("writable");
    let path = folder.join("scenario.yaml");
    std::fs::write(&path, drawn.scenario()).expect("writable");
    path
}

/// A failure can be repeated from its files only if they say all.
#[test]
fn the_files_are_the_scenario() {
    for seed in 1..=300 {
        let drawn = swarm::draw(seed);
        let folder = tempfile::tempdir().expect("a folder");
        let path = write(&drawn, folder.path());
        let read =
            scenario::load(&path, &LoadOptions::default()).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        let drawn = swarm::scenario(&drawn).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        assert_eq!(read.scenario, drawn, "seed {seed}");
    }
}

/// A part of what the release build does in CI, here with the assertions of every step.
#[test]
fn drawn_projects_hold_in_the_storm_and_recover_in_the_calm() {
    for seed in 1..=40 {
        if let Some(failure) = swarm::run(seed, false) {
            panic!("seed {seed}: {}\nplimsoll swarm --seeds {seed}", failure.violation);
        }
    }
}

/// What was found once, made small, and mended.
#[test]
fn what_was_found_once_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/swarm_found");
    let mut found: Vec<_> = std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
    found.sort();
    assert!(found.len() >= 3);
    for folder in found {
        let read = scenario::load(&folder.join("scenario.yaml"), &LoadOptions::default());
        let scenario = read.unwrap_or_else(|wrong| panic!("{wrong}")).scenario;
        let mut events = Vec::new();
        let end = simulate(&scenario, scenario.seeds[0], &mut |event| events.push(event.clone()));
        assert!(end.is_ok(), "{}: {end:?}", folder.display());
        let violation = swarm::judge(&scenario, &events);
        assert_eq!(violation.map(|found| found.to_string()), None, "{}", folder.display());
    }
}

/// A lost request in every run in which something crashes: it is found, and what is left of the project is the service that
/// crashed, its load or its one caller, and one crash.
#[test]
fn a_canary_is_found_and_made_small() {
    let crashes = |seed: &u64| swarm::draw(*seed).faults.iter().any(|fault| fault.contains("crash"));
    let mut found = 0;
    for seed in (1..=200).filter(crashes).take(5) {
        assert_eq!(swarm::violation(&swarm::draw(seed), false), None, "seed {seed} is good without the canary");
        let failure = swarm::run(seed, true).unwrap_or_else(|| panic!("seed {seed}: nobody found the canary"));
        assert_eq!(failure.violation.rule, "requests add up");
        assert_eq!(failure.smallest_violation.rule, "requests add up");
        let small = &failure.smallest;
        // A service that only others call needs one that calls it.
        let needed = if small.services.iter().any(|service| !service.calls.is_empty()) { 2 } else { 1 };
        assert_eq!((small.services.len(), small.faults.len()), (needed, 1), "seed {seed}:\n{}", small.scenario());
        assert!(small.faults[0].contains("crash"), "{}", small.faults[0]);
        assert_eq!((small.policy.as_ref(), small.services[0].load.len()), (None, 1));
        found += 1;
    }
    assert_eq!(found, 5);
}

/// Draws differ, and each kind of trouble comes about.
#[test]
fn seeds_draw_all_kinds_of_trouble() {
    let all: Vec<Drawn> = (1..=500).map(swarm::draw).collect();
    let share = |holds: &dyn Fn(&Drawn) -> bool| all.iter().filter(|drawn| holds(drawn)).count();
    for key in [
        "crash: service",
        "crash: {",
        "unhealthy:",
        "unhealthy_green:",
        "metrics_outage",
        "metrics_delay",
        "metrics_gaps",
        "metrics_lie",
        "engine_restart",
        "docker_restart",
        "host_loss",
        "clock_jump",
    ] {
        assert!(share(&|drawn| drawn.faults.iter().any(|fault| fault.contains(key))) >= 20, "{key} is too rare");
    }
    assert!(share(&|drawn| drawn.faults.is_empty()) >= 40);
    assert!(share(&|drawn| drawn.services.len() == 1) >= 40 && share(&|drawn| drawn.services.len() == 6) >= 40);
    assert!(share(&|drawn| drawn.services.iter().any(|service| !service.calls.is_empty())) >= 200);
    assert_eq!(swarm::draw(7), swarm::draw(7));
    assert_ne!(swarm::draw(7), swarm::draw(8));
}
