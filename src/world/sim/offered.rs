//! The load that a run is given, without running it: what comes to each service from outside, as the patterns say. Before you
//! change it:
//! 1. It follows the same patterns with the same random streams as the host does, so a burst is where the run has it.
//! 2. It is the mean rate: how arrivals scatter around it is left out. Clients in a closed loop have no rate.

use super::traffic::Traffic;
use crate::model::Pattern;
use crate::model::Scenario;
use crate::seed::Seed;
use crate::units::Instant;
use crate::units::Span;

/// Walks along the load of one run.
pub struct Offered {
    entries: Vec<Entry>,
    at: Span,
    step: Span,
}

struct Entry {
    /// `None` for clients in a closed loop.
    traffic: Option<Traffic>,
    rate: f64,
    until: Span,
}

impl Offered {
    /// At the start of the run of a scenario with a seed.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: Seed) -> Self {
        let entries = scenario.load.iter().map(|(name, load)| {
            let is_open = !matches!(load.pattern, Pattern::Clients { .. });
            let traffic = is_open.then(|| Traffic::new(&load.pattern, scenario.step, seed, name.as_str()));
            Entry { traffic, rate: 0.0, until: Span::ZERO }
        });
        Self { entries: entries.collect(), at: Span::ZERO, step: scenario.step.max(Span::from_nanos(1)) }
    }

    /// The mean rate of each load from where it is up to `to`, in requests per second, in the order of the scenario; it is
    /// at `to` then. All zero where that is not later.
    pub fn upto(&mut self, to: Instant) -> Vec<f64> {
        let to = to.since_start();
        let length = to.minus(self.at).as_secs();
        let (from, step) = (self.at, self.step);
        self.at = self.at.max(to);
        self.entries
            .iter_mut()
            .map(|entry| if length > 0.0 { entry.walk(from, to, step) / length } else { 0.0 })
            .collect()
    }
}

impl Entry {
    /// Requests from one time to another.
    fn walk(&mut self, from: Span, to: Span, step: Span) -> f64 {
        let Some(traffic) = &mut self.traffic else { return 0.0 };
        let (mut now, mut requests) = (from, 0.0);
        while now < to {
            if self.until <= now {
                let (rate, until) = traffic.stretch(now);
                (self.rate, self.until) = (rate, until.max(now.plus(step)));
            }
            let next = self.until.min(to);
            requests += self.rate * next.minus(now).as_secs();
            now = next;
        }
        requests
    }
}
