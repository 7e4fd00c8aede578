//! What a load needs: the instances of each service that hold what comes at a moment. Before you change it:
//! 1. What reaches a service is what comes from outside, times the calls on the way that no cache answers. Tries that are
//!    made again are left out: they are what too few instances bring about, not what is asked for.
//! 2. It walks along the run and keeps nothing of it.

use crate::model::Capacity;
use crate::model::Demand;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::seed::Seed;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Rate;
use crate::units::whole;
use crate::world::sim::Offered;
use std::collections::BTreeMap;

/// What the services that are scaled need.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Needs {
    /// How much each number of instances holds; by service.
    pub capacities: Vec<Capacity>,
}

/// What a run needs, from its start on.
pub(super) struct Walk<'a> {
    capacities: &'a [Capacity],
    /// Of each capacity, requests that reach the service for each request of each load.
    visits: Vec<Vec<f64>>,
    offered: Offered,
}

impl Needs {
    /// At the start of the run of a scenario with a seed.
    pub(super) fn walk(&self, scenario: &Scenario, seed: Seed) -> Walk<'_> {
        let visits = self.capacities.iter().map(|capacity| visits(scenario, &capacity.service));
        Walk { capacities: &self.capacities, visits: visits.collect(), offered: Offered::new(scenario, seed) }
    }
}

impl Walk<'_> {
    /// The demand from where it is up to a time.
    pub(super) fn upto(&mut self, to: Instant) -> Demand {
        let rates = self.offered.upto(to);
        let needed = |(capacity, visits): (&Capacity, &Vec<f64>)| capacity.needed(rate(reaching(&rates, visits)));
        Demand {
            offered: rate(rates.iter().sum()),
            instances: self.capacities.iter().zip(&self.visits).map(needed).collect(),
        }
    }
}

/// Requests that reach a service for each request from outside, of each load in the order of the scenario.
pub(super) fn visits(scenario: &Scenario, service: &ServiceName) -> Vec<f64> {
    scenario.load.keys().map(|entry| visits_from(scenario, entry, service)).collect()
}

fn visits_from(scenario: &Scenario, entry: &ServiceName, service: &ServiceName) -> f64 {
    let mut total = 0.0;
    let mut wave: BTreeMap<&ServiceName, f64> = [(entry, 1.0)].into();
    // No way through the calls is longer than there are services.
    for _ in 0..scenario.services.len() {
        total += wave.get(service).copied().unwrap_or(0.0);
        let mut next: BTreeMap<&ServiceName, f64> = BTreeMap::new();
        for (name, requests) in wave {
            for call in scenario.services.get(name).into_iter().flat_map(|model| &model.work.calls) {
                let made = 1.0 - call.cached.min(Permille::ONE).as_fraction();
                *next.entry(&call.to).or_default() += requests * f64::from(call.count) * made;
            }
        }
        wave = next;
    }
    total
}

/// Requests a second that reach a service, of the rates of the loads.
pub(super) fn reaching(rates: &[f64], visits: &[f64]) -> f64 {
    rates.iter().zip(visits).map(|(rate, visits)| rate * visits).sum()
}

/// The nearest rate.
pub(super) fn rate(per_second: f64) -> Rate {
    Rate::micro(whole(per_second * 1e6))
}
