//! Policies side by side on the same load: versions of one scenario that differ in nothing but their policies, each run with
//! the same seeds (common random numbers), beside what the load needs at each moment. Before you change it:
//! 1. A run of a version is a run of [`simulate`], nothing else. What it is given is the load; what
//!    it needs is worked out beside it, from the load alone, so that it is the same for every policy.
//! 2. Runs share nothing and come back in order: the number of threads changes nothing but the time it takes.
//! 3. Nothing is kept of a run here: its events go to a consumer, one after another.

mod analysis;
mod needs;
mod probe;

pub use analysis::Judging;
pub use analysis::Untold;
pub use analysis::analyse;
pub use needs::Needs;

use super::simulate::Run;
use super::simulate::on_threads;
use super::simulate::simulate;
use crate::model::Demand;
use crate::model::Policy;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::record::Event;
use crate::seed::Seed;

/// The services that a policy is tried on: those to which the scenario gives one by name. Where it has one policy for all of
/// them, or none, all that hold no data.
#[must_use]
pub fn subjects(scenario: &Scenario) -> Vec<ServiceName> {
    let policy = |name: &ServiceName| scenario.policies.get(name).unwrap_or(&Policy::None);
    let mut policies = scenario.services.keys().map(policy);
    let first = policies.next();
    let all_alike = policies.all(|policy| Some(policy) == first);
    let of =
        |wanted: &dyn Fn(&ServiceName) -> bool| scenario.services.keys().filter(|name| wanted(name)).cloned().collect();
    let named = || of(&|name| *policy(name) != Policy::None);
    if !all_alike {
        return named();
    }
    let without_data: Vec<ServiceName> = of(&|name| !scenario.services[name].stateful);
    if without_data.is_empty() { named() } else { without_data }
}

/// Those of the services of which some version of the scenario changes the number of instances.
#[must_use]
pub fn scaled(versions: &[Scenario]) -> Vec<ServiceName> {
    let is_scaled = |name: &&ServiceName| {
        versions.iter().any(|version| version.policies.get(*name).is_some_and(|policy| policy.horizontal().is_some()))
    };
    versions.first().into_iter().flat_map(|first| first.services.keys()).filter(is_scaled).cloned().collect()
}

/// Runs each version of a scenario with each of the seeds of the first one, on at most `jobs` threads (zero: one a core).
/// The runs come back by version, then by seed.
///
/// `begin` makes a consumer for a version, by its place, and a seed. `consume` gives it an event; with a sample comes the
/// demand of its stretch. `progress` hears of every sample, from any thread.
pub fn compare<C: Send>(
    versions: &[Scenario],
    needs: &Needs,
    jobs: usize,
    begin: &(dyn Fn(usize, Seed) -> C + Sync),
    consume: &(dyn Fn(&mut C, &Event, Option<&Demand>) + Sync),
    progress: &(dyn Fn() + Sync),
) -> Vec<Vec<Run<C>>> {
    let seeds = versions.first().map(|first| first.seeds.clone()).unwrap_or_default();
    let pairs: Vec<(usize, Seed)> =
        (0..versions.len()).flat_map(|place| seeds.iter().map(move |seed| (place, *seed))).collect();
    let mut runs = on_threads(&pairs, jobs, |(place, seed)| {
        let mut consumer = begin(*place, *seed);
        let mut walk = needs.walk(&versions[*place], *seed);
        let end = simulate(&versions[*place], *seed, &mut |event| match event {
            Event::Sampled(sample) => {
                consume(&mut consumer, event, Some(&walk.upto(sample.at)));
                progress();
            }
            _ => consume(&mut consumer, event, None),
        });
        Run { seed: *seed, consumer, end }
    })
    .into_iter();
    versions.iter().map(|_| runs.by_ref().take(seeds.len()).collect()).collect()
}
