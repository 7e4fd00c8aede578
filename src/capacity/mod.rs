//! How much fits: the load line of a host, what to buy for an expected load, how services are split over several hosts, and a
//! scenario at many points.
//!
//! Before you change it:
//! 1. A run is a run of [`crate::run::simulate`], nothing else, and is judged as `simulate` judges it. What is only added up
//!    decides what is not worth a run, or what is tried first, and never the answer.
//! 2. Same scenario and question, same bytes, on any number of threads.
//! 3. Prices of different currencies are never put beside each other, unless somebody gave a rate.

pub mod fit;
mod grid;
mod line;
mod machine;
mod relief;
mod scaled;
pub mod split;
mod spread;
pub mod sweep;
mod trial;
mod triggers;

pub use line::Question;
pub use line::load_lines;
pub use scaled::scaled;

use crate::model::Scenario;

/// The names of the expectations of a scenario that a load line leaves out, since they say nothing about a load: what a month
/// costs.
#[must_use]
pub fn left_out(scenario: &Scenario) -> Vec<String> {
    trial::asked(scenario).1
}
