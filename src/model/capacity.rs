//! How many instances of a service a load needs.

use super::ServiceName;
use crate::units::Rate;

/// How much load each number of instances of a service holds: what system analysis finds (BUNGEE, SEAMS 2015).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Capacity {
    /// The service.
    pub service: ServiceName,
    /// The largest rate of requests that reach the service and are served as its service levels ask for: at place zero that
    /// of one instance. Never empty, and each above the one before it.
    pub held: Vec<Rate>,
    /// Why there are no more.
    pub end: CapacityEnd,
}

/// Why a capacity is not known of more instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapacityEnd {
    /// So many hold all of the load.
    Enough,
    /// One more holds no more: something else is the bottleneck.
    NoMore,
}

impl Capacity {
    /// The least number of instances that hold a rate. Where none does, it is the number beyond which more are no use.
    #[must_use]
    pub fn needed(&self, rate: Rate) -> u32 {
        let place = self.held.partition_point(|held| *held < rate).min(self.held.len().saturating_sub(1));
        u32::try_from(place + 1).unwrap_or(u32::MAX)
    }
}

/// What is asked of a run in a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Demand {
    /// Requests from outside, of all services together, as their patterns say; the mean. Clients in a closed loop, who have no
    /// rate of their own, are left out.
    pub offered: Rate,
    /// The instances that are needed, in the order of the capacities.
    pub instances: Vec<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_needed_as_hold_the_rate() {
        let held = [40, 75, 100].map(Rate::per_second).to_vec();
        let capacity = Capacity { service: ServiceName::new("web"), held, end: CapacityEnd::NoMore };
        for (rate, needed) in [(0, 1), (40, 1), (41, 2), (75, 2), (99, 3), (100, 3), (500, 3)] {
            assert_eq!(capacity.needed(Rate::per_second(rate)), needed, "{rate}/s");
        }
    }
}
