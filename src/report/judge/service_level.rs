//! Service levels: expectations about response times and failures, asked of every sample on its own. The verdict asks them of
//! a whole range; here it is for how much of the time, and for how many requests, they are broken.

use super::part::Who;
use super::watch::Watch;
use crate::model::Bound;
use crate::model::Expectation;
use crate::model::Metric;
use crate::model::Quantity;
use crate::model::Sample;
use crate::model::Scenario;
use crate::units::Span;

/// One service level of a scenario.
#[derive(Debug)]
pub(in crate::report) struct ServiceLevel {
    watch: Watch,
    who: Option<Who>,
    slow: Option<Span>,
}

impl ServiceLevel {
    /// All service levels of a scenario.
    #[must_use]
    pub(in crate::report) fn all(scenario: &Scenario) -> Vec<Self> {
        let of = |expectation: &Expectation| Self {
            watch: Watch::new(expectation, scenario),
            who: Who::of(&expectation.measure.subject, scenario),
            slow: match (expectation.measure.metric, expectation.bound) {
                (Metric::Latency, Bound::Value(Quantity::Time(bound))) => Some(bound),
                _ => None,
            },
        };
        scenario.expect.iter().filter(|expectation| expectation.is_service_level()).map(of).collect()
    }

    /// Whether its bound is passed in a sample; `None` where it does not hold for that time, or nobody asked for anything.
    pub(in crate::report) fn is_broken_in(&mut self, scenario: &Scenario, sample: &Sample) -> Option<bool> {
        self.watch.is_broken_in(scenario, sample)
    }

    /// Whether it holds for the requests of a service, by its place in the scenario, in a sample.
    #[must_use]
    pub(in crate::report) fn is_about(&self, service: usize, sample: &Sample) -> bool {
        let is_meant = self.who.is_some_and(|who| who == Who::Everybody || who == Who::One(service));
        is_meant && self.watch.is_in_range(sample)
    }

    /// A response time above this is too slow; `None` where it is about failures alone.
    #[must_use]
    pub(in crate::report) const fn slow(&self) -> Option<Span> {
        self.slow
    }
}
