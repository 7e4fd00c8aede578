//! One run of a scenario at a multiple of its load, judged.

use super::scaled;
use crate::model::Expectation;
use crate::model::Metric;
use crate::model::Scenario;
use crate::record::Event;
use crate::report::Judge;
use crate::report::Judged;
use crate::report::load_line::Part;
use crate::report::load_line::Strain;
use crate::run::simulate::Breached;
use crate::run::simulate::simulate;
use crate::seed::Seed;
use crate::units::Instant;
use crate::units::Permille;
use std::sync::Arc;

/// What came of a run.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    /// What came of each expectation, in the order of the scenario.
    pub(super) judged: Vec<Judged>,
    /// How full each part got, the fullest first.
    pub(super) parts: Vec<(Part, f64)>,
    /// Share of the requests from outside that failed, after the warm-up.
    pub(super) failing: Permille,
}

impl Trial {
    /// Runs a scenario at a multiple of its load.
    ///
    /// # Errors
    /// Where the engine breaks its own rules.
    pub(super) fn run(scenario: &Scenario, multiple: Permille, seed: Seed) -> Result<Self, Box<Breached>> {
        let scenario = Arc::new(scaled(scenario, multiple));
        let (mut judge, mut strain) = (Judge::new(&scenario), Strain::new(&scenario));
        let judged_from = Instant::after_start(scenario.warmup);
        let (mut failed, mut ended_well) = (0_u64, 0_u64);
        let ended = simulate(&scenario, seed, &mut |event| {
            if let Event::Sampled(sample) = event {
                strain.take(&scenario, sample);
                let entered = scenario
                    .services
                    .keys()
                    .zip(&sample.services)
                    .filter(|(name, _)| scenario.load.contains_key(*name));
                for (_, service) in entered.filter(|_| sample.at > judged_from) {
                    failed = failed.saturating_add(service.failed);
                    ended_well = ended_well.saturating_add(service.served);
                }
            }
            judge.take(event);
        });
        let ended: Instant = ended.map_err(Box::new)?.ended;
        let failing = Permille::ratio(failed, failed.saturating_add(ended_well)).unwrap_or_default();
        Ok(Self { judged: judge.finish(ended).0, parts: strain.finish(), failing })
    }

    /// Whether all holds.
    pub(super) fn holds(&self) -> bool {
        self.judged.iter().all(|judged| judged.passed)
    }

    /// What fails, that which fails by most first; what has no margin comes before it.
    pub(super) fn failed(&self) -> Vec<Judged> {
        let mut failed: Vec<Judged> = self.judged.iter().filter(|judged| !judged.passed).cloned().collect();
        let margin = |judged: &Judged| judged.margin().unwrap_or(f64::NEG_INFINITY);
        failed.sort_by(|one, other| margin(one).total_cmp(&margin(other)));
        failed
    }

    /// How full the fullest part is that requests wait for.
    pub(super) fn fullest(&self) -> f64 {
        self.parts.iter().filter(|(part, _)| part.is_queued_for()).map(|(_, full)| *full).fold(0.0, f64::max)
    }
}

/// The scenario with the expectations that a load can keep or break, and the names of the others: what a month costs is the
/// same at every load where the host has a price, and says nothing of how much it carries. An expectation's own `in 95% of
/// seeds` gives way to the probability that is asked for.
pub(super) fn asked(scenario: &Scenario) -> (Scenario, Vec<String>) {
    let mut scenario = scenario.clone();
    let is_left_out = |expectation: &Expectation| expectation.measure.metric == Metric::Cost;
    let mut left_out: Vec<String> =
        scenario.expect.iter().filter(|one| is_left_out(one)).map(|one| one.name.clone()).collect();
    if scenario.budget.take().is_some() {
        left_out.push(crate::model::MonthlyBudget::EXPECTATION.to_owned());
    }
    scenario.expect.retain(|expectation| !is_left_out(expectation));
    for expectation in &mut scenario.expect {
        expectation.seeds = Permille::ONE;
    }
    (scenario, left_out)
}
