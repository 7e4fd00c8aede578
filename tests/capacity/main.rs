//! Load lines: where queueing theory and sums made by hand say they are, with what breaks there and on what, and the same
//! bytes on any number of threads.

mod bottleneck;
mod program;
mod theory;

use plimsoll::capacity;
use plimsoll::capacity::Question;
use plimsoll::input::scenario;
use plimsoll::input::scenario::LoadOptions;
use plimsoll::model::Scenario;
use plimsoll::report::load_line::End;
use plimsoll::report::load_line::Line;
use plimsoll::report::load_line::LoadLine;
use plimsoll::seed::Seed;
use plimsoll::units::Permille;

/// A scenario and its stack in a folder of their own, read.
pub(crate) fn read(stack: &str, scenario: &str) -> Scenario {
    let here = project(stack, scenario);
    let loaded = scenario::load(&here.path().join("scenario.yaml"), &LoadOptions::default());
    loaded.unwrap_or_else(|wrong| panic!("{wrong}")).scenario
}

pub(crate) fn project(stack: &str, scenario: &str) -> tempfile::TempDir {
    let here = tempfile::tempdir().expect("a folder");
    std::fs::write(here.path().join("compose.yaml"), stack).expect("written");
    std::fs::write(here.path().join("scenario.yaml"), scenario).expect("written");
    here
}

/// All must hold in nine of ten of so many seeds.
pub(crate) fn question(seeds: u64) -> Question {
    Question {
        probability: Permille::percent(90),
        seeds: (1..=seeds).map(Seed::new).collect(),
        exact: Permille::percent(2),
        explain: true,
        curve: 0,
    }
}

pub(crate) fn load_line(scenario: &Scenario, question: &Question) -> LoadLine {
    let lines = capacity::load_lines(std::slice::from_ref(scenario), question, 2, &|| ());
    lines.expect("the engine keeps its rules").remove(0)
}

pub(crate) fn found(line: &LoadLine) -> Line {
    match line.end {
        End::Line(found) => found,
        other => panic!("no line: {other:?}"),
    }
}
