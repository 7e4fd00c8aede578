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
use crate::units::Instant;
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

/// For how much of the time the service levels of a scenario are held.
#[derive(Debug)]
pub(in crate::report) struct LevelTime {
    from: Instant,
    levels: Vec<ServiceLevel>,
    levelled: u128,
    broken: u128,
}

impl LevelTime {
    #[must_use]
    pub(in crate::report) fn new(scenario: &Scenario) -> Self {
        let from = Instant::after_start(scenario.warmup);
        Self { from, levels: ServiceLevel::all(scenario), levelled: 0, broken: 0 }
    }

    /// Takes the next sample; one that begins in the warm-up does not count.
    pub(in crate::report) fn take(&mut self, scenario: &Scenario, sample: &Sample) {
        if sample.at.minus(sample.span) < self.from {
            return;
        }
        let nanos = u128::from(sample.span.nanos());
        let broken: Vec<bool> =
            self.levels.iter_mut().filter_map(|level| level.is_broken_in(scenario, sample)).collect();
        self.levelled += if broken.is_empty() { 0 } else { nanos };
        self.broken += if broken.contains(&true) { nanos } else { 0 };
    }

    /// All of them.
    #[must_use]
    pub(in crate::report) fn levels(&self) -> &[ServiceLevel] {
        &self.levels
    }

    /// Nanoseconds with a service level to hold and somebody who asked for something.
    #[must_use]
    pub(in crate::report) const fn levelled(&self) -> u128 {
        self.levelled
    }

    /// Nanoseconds of these in which one is broken.
    #[must_use]
    pub(in crate::report) const fn broken(&self) -> u128 {
        self.broken
    }
}
