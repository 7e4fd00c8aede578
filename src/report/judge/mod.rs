//! Judges every expectation of a scenario over one run, while the run is on.
//!
//! Before you change it, what the words of an expression mean here:
//! 1. **Series.** Latency is a histogram of requests, merged exactly; its largest and smallest are known to a bucket
//!    (4.4 %). Requests, errors, restarts, OOM kills, actions and reversals are events. The rest are levels, one a sample,
//!    weighed by its length. Of *all* services, levels add up (throttling: the most throttled one) and requests mix.
//! 2. **Aggregates.** `count` and `rate` count events; `share` is a part of the whole (errors of finished requests, the
//!    mean for throttling). `p50 … p99.9`, `mean`, `max`, `min` of a level are over time; of events, over the events of
//!    each sample (per second where the bound is a rate), and over a sliding window they are the events in the window.
//! 3. **Ranges.** All of the run after the warm-up; or a sliding window, moved on by a sample at a time, of which the worst
//!    counts; or from one time to another. The warm-up is never judged. A sample belongs to a range when all of it lies inside.
//! 4. **`for 99% of 5m`.** Consecutive windows from the start of the range. What is reported is the value that so many of
//!    them keep. The last window, if cut short, is not judged. A window in which nobody asked for anything is not judged
//!    either; one in which requests came and none was answered is broken.
//! 5. **`of limit`.** Each sample against the limit in force in it: of all instances for CPU, of one for memory, and
//!    what the host has for the host, where a plain share means the same.
//! 6. **No samples is a failure.** So is a metric that has no limit, a price that is not known, another currency.
//! 7. A budget is one more expectation: what the month is going to cost, by the host's price or by what is used.
//! 8. A reversal is an action on a limit in the other direction than the action before it on the same limit.

mod outcome;
mod part;
mod scene;
mod service_level;
mod spent;
mod tally;
#[cfg(test)]
mod tests;
mod turns;
mod verdict;
mod watch;

pub use outcome::Failure;
pub use outcome::Held;
pub use outcome::Judged;
pub use scene::Scene;
pub use scene::ServiceScene;
pub(super) use service_level::LevelTime;
pub(super) use service_level::ServiceLevel;
pub use spent::expected;
pub use verdict::Verdict;
pub use verdict::verdicts;

use crate::model::Incident;
use crate::model::Scenario;
use crate::money::Prices;
use crate::money::Spending;
use crate::money::Spent;
use crate::record::Event;
use crate::units::Instant;
use std::sync::Arc;
use turns::Acted;
use watch::Watch;

/// Judges one run.
#[derive(Debug)]
pub struct Judge {
    scenario: Arc<Scenario>,
    watches: Vec<Watch>,
    acted: Acted,
    spending: Option<Spending>,
}

impl Judge {
    /// A judge of a run of this scenario.
    #[must_use]
    pub fn new(scenario: &Arc<Scenario>) -> Self {
        Self {
            scenario: Arc::clone(scenario),
            watches: scenario.expect.iter().map(|expectation| Watch::new(expectation, scenario)).collect(),
            acted: Acted::new(scenario),
            spending: Spending::new(scenario, Prices::default()),
        }
    }

    /// Takes the next event.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Decided { decision, .. } => self.acted.take(decision),
            Event::Sampled(sample) => {
                for watch in &mut self.watches {
                    watch.take(&self.scenario, sample, &self.acted);
                }
                self.acted.clear();
                if let Some(spending) = &mut self.spending {
                    spending.take(&self.scenario, sample);
                }
            }
            Event::Ended { at, .. } if !self.acted.is_empty() => {
                for watch in &mut self.watches {
                    watch.take_last(*at, &self.acted);
                }
            }
            Event::Happened { incident: Incident::Deployment { service, progress }, .. } => {
                self.acted.take_progress(service, progress);
            }
            Event::Ended { .. } | Event::Began(_) | Event::Seen { .. } | Event::Happened { .. } => {}
        }
    }

    /// What came of each expectation, in the order of [`expected`], and of the budget at length.
    #[must_use]
    pub fn finish(self, end: Instant) -> (Vec<Judged>, Option<Spent>) {
        let scenario = self.scenario;
        let spent = self.spending.map(|spending| spending.finish(&scenario, end));
        let judged = self.watches.into_iter().map(|watch| watch.finish(&scenario, end));
        (judged.chain(spent.as_ref().map(spent::judged)).collect(), spent)
    }
}
