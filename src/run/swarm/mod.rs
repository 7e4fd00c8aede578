//! Projects drawn from seeds, run under audit and judged by rules that hold for all of them; what fails is made small.
//! Before you change it:
//! 1. A seed is all there is to know: the project, what goes wrong in it and every draw of the run follow from it.
//! 2. A run is made twice and replayed, so that each seed also proves that it can be repeated.

mod business;
mod dice;
mod draw;
mod drawn;
mod files;
mod judge;
mod line;
mod obeyed;
mod orders;
mod pinned;
mod rollouts;
mod room;
mod scalings;
mod shrink;
mod storm;
mod widen;

pub use business::DrawnMetric;
pub use draw::draw;
pub use drawn::Drawn;
pub use drawn::DrawnCall;
pub use drawn::DrawnCheck;
pub use drawn::DrawnDisk;
pub use drawn::DrawnHeat;
pub use drawn::DrawnService;
pub use judge::Violation;
pub use judge::judge;
pub use orders::DrawnOrder;
pub use rollouts::DrawnDeployment;
pub use scalings::DrawnScaling;

use super::replay;
use super::rollouts::Rollouts;
use super::simulate::simulate_with;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use crate::input::scenario;
use crate::input::scenario::LoadOptions;
use crate::input::scenario::ScenarioFile;
use crate::input::schema;
use crate::model::Scenario;
use crate::record::Event;
use crate::seed::Seed;
use crate::units::Instant;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::Path;

/// A seed that failed, and the smallest project that fails in the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What is wrong with it.
    pub violation: Violation,
    /// The smallest project, where all of it is in its files.
    pub smallest: Drawn,
    /// What is wrong with that.
    pub smallest_violation: Violation,
}

/// Runs the project of a seed. With `canary` an error is planted in what comes of it, as a test of the rules.
#[must_use]
pub fn run(seed: u64, canary: bool) -> Option<Failure> {
    let drawn = draw(seed);
    let violation = violation(&drawn, canary)?;
    let same = |simpler: &Drawn| self::violation(simpler, canary).is_some_and(|found| found.rule == violation.rule);
    let smallest = shrink::shrink(&drawn, &same);
    let smallest_violation = self::violation(&smallest, canary).unwrap_or_else(|| violation.clone());
    Some(Failure { seed, violation, smallest, smallest_violation })
}

/// The scenario of a project, read from its text as a file would be.
///
/// # Errors
/// What is wrong with it; then the drawing is wrong.
pub fn scenario(drawn: &Drawn) -> Result<Scenario, Problems> {
    let (node, file) = schema::read::<ScenarioFile>(&Source::new("scenario.yaml", drawn.scenario()))?;
    // No folder of the machine has a say in it.
    let nowhere = Path::new("/");
    scenario::resolve(&file, &node, &drawn.stack(), nowhere, &LoadOptions::default()).map(|resolved| resolved.scenario)
}

/// The first rule that a project breaks.
#[must_use]
pub fn violation(drawn: &Drawn, canary: bool) -> Option<Violation> {
    let broken = |rule, what: String| Some(Violation { rule, at: Instant::START, what });
    let scenario = match scenario(drawn) {
        Ok(scenario) => scenario,
        Err(problems) => return broken("what is drawn can be read", problems.to_string()),
    };
    let seed = Seed::new(drawn.seed);
    let watched = || catch_unwind(AssertUnwindSafe(|| events(&scenario, seed, Rollouts::new(&scenario.deployments))));
    let mut first = match watched() {
        Ok(Ok(events)) => events,
        Ok(Err(violation)) => return Some(violation),
        Err(_) => return broken("nothing panics", "see above".to_owned()),
    };
    match watched() {
        Ok(Ok(second)) if second == first => {}
        _ => return broken("the same seed gives the same run", "a second run differs".to_owned()),
    }
    match replay::replay(first.iter().cloned()) {
        Ok(replayed) if replayed.differences.is_empty() => {}
        _ => return broken("a replay decides the same", "the engine answers otherwise".to_owned()),
    }
    if canary && !judge::poison(&scenario, &mut first) {
        // Where nothing can be planted in what happened, deployments are carried out in a way that nobody asked for.
        return events(&scenario, seed, Rollouts::careless(&scenario.deployments)).err();
    }
    judge(&scenario, &first)
}

/// All that happens in a run.
fn events(scenario: &Scenario, seed: Seed, rollouts: Rollouts) -> Result<Vec<Event>, Violation> {
    let mut events = Vec::new();
    let end = simulate_with(rollouts, scenario, seed, &mut |event| events.push(event.clone()));
    match end {
        Ok(_) => Ok(events),
        Err(breached) => {
            let what = breached.breaches.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            Err(Violation { rule: "the engine keeps its own rules", at: breached.at, what })
        }
    }
}
