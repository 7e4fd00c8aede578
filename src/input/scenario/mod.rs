//! Scenario files and what they refer to.
//!
//! Before you change it:
//! 1. A scenario is resolved completely or not at all: every name is looked up, every default filled in, and all errors of
//!    all files come at once.
//! 2. What is said wins in this order: the scenario's `services`, labels of the stack (`plimsoll.role`, `plimsoll.tier`,
//!    `plimsoll.stateful`), the catalog, stated defaults (with a warning).
//! 3. The keys of the file are the wire structs of `wire.rs`; the noun is `model::Scenario`.

mod calls;
mod codes;
mod deployments;
mod expect;
mod faults;
mod load;
mod metrics;
mod moved;
mod network;
mod overrides;
mod pins;
mod resolve;
mod services;
mod storage;
mod strain;
#[cfg(test)]
mod tests;
mod traffic;
mod trouble;
mod wire;

pub use codes::CODES;
pub use load::Opened;
pub use load::load;
pub use load::open;
pub use moved::moved;
pub use moved::way;
pub use resolve::resolve;
pub use wire::OneOrMany;
pub use wire::ScalarText;
pub use wire::ScenarioFile;
pub use wire::SeedChoice;
pub use wire::SpreadFile;
pub use wire::StackChoice;

use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::nearest;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::seed::Seed;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Wrong names, expectations or faults after which looking for more stops: each costs a search for what was meant.
const ERRORS_MAX: usize = 200;

/// What the command line says about a scenario.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// The environment, for variables of the Compose files.
    pub environment: BTreeMap<String, String>,
    /// Another host, by the name or path of its profile; a path is relative to the folder one is in.
    pub host: Option<String>,
    /// Another policy for all services, by name or path; a path is relative to the folder one is in.
    pub policy: Option<String>,
    /// Other seeds; none leaves those of the scenario.
    pub seeds: Vec<Seed>,
}

/// A scenario with all that it refers to.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The scenario.
    pub scenario: Scenario,
    /// What the reader should know.
    pub warnings: Problems,
    /// Every file that was read, the scenario first.
    pub files_read: Vec<PathBuf>,
}

/// A service that the stack does not have.
fn unknown_service(name: &str, known: &[ServiceName], place: &Place) -> Problem {
    let hint = nearest(name, known.iter().map(ServiceName::as_str));
    let hint = hint.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
    let list: Vec<&str> = known.iter().take(30).map(ServiceName::as_str).collect();
    let problem = Problem::error(&codes::SERVICE, format!("unknown service `{name}`{hint}"));
    problem.at(place).help(format!("services of the stack: {}", list.join(", ")))
}
