//! Policies side by side: what a load needs against queueing theory, figures against sums made by hand, and the same bytes on
//! any number of threads.

mod demand;
mod effectiveness;
mod figures;
mod program;
mod standing;
mod traces;

use plimsoll::input::scenario;
use plimsoll::input::scenario::LoadOptions;
use plimsoll::model::Scenario;
use std::path::Path;

/// Two replicas of a service, each with one worker and a core of its own.
pub(crate) const STACK: &str = "\
services:
  web:
    image: example/web:1
    deploy: { replicas: 2, resources: { limits: { cpus: '1', memory: 1G } } }
";

/// A project in a folder of its own.
pub(crate) fn project(stack: &str, scenario: &str) -> tempfile::TempDir {
    let here = tempfile::tempdir().expect("a folder");
    std::fs::write(here.path().join("compose.yaml"), stack).expect("written");
    std::fs::write(here.path().join("scenario.yaml"), scenario).expect("written");
    here
}

pub(crate) fn load(folder: &Path) -> Scenario {
    let loaded = scenario::load(&folder.join("scenario.yaml"), &LoadOptions::default());
    loaded.unwrap_or_else(|wrong| panic!("{wrong}")).scenario
}

/// The scenario of a stack.
pub(crate) fn read(stack: &str, scenario: &str) -> Scenario {
    load(project(stack, scenario).path())
}
