//! One run of a scenario at a multiple of its load, judged.

use super::scaled;
use super::split::Combined;
use super::split::PerHost;
use super::triggers::Trigger;
use super::triggers::Watch;
use crate::model::Bound;
use crate::model::Comparison;
use crate::model::Expectation;
use crate::model::Metric;
use crate::model::Quantity;
use crate::model::Scenario;
use crate::record::Event;
use crate::report::Judge;
use crate::report::Judged;
use crate::report::load_line::Part;
use crate::report::load_line::Strain;
use crate::report::words;
use crate::run::simulate::Breached;
use crate::run::simulate::simulate;
use crate::seed::Seed;
use crate::units::Instant;
use crate::units::Permille;
use std::collections::BTreeSet;
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
    /// The busiest ten minutes of the host, as a share of its cores; of the busiest one of several.
    pub(super) cpu: Permille,
    /// The most memory, as a share of what there is; of the fullest one of several.
    pub(super) memory: Permille,
    /// The signs of the register that were seen.
    pub(super) triggers: BTreeSet<Trigger>,
    /// Which one of several hosts ran out of memory, and when.
    ran_out: Option<String>,
}

impl Trial {
    /// Runs a scenario at a multiple of its load; `combined` are the hosts that its host stands for, where it does.
    ///
    /// # Errors
    /// Where the engine breaks its own rules.
    pub(super) fn run(
        scenario: &Scenario,
        combined: Option<&Combined>,
        multiple: Permille,
        seed: Seed,
    ) -> Result<Self, Box<Breached>> {
        let scenario = Arc::new(scaled(scenario, multiple));
        let (mut judge, mut strain, mut watch) = (Judge::new(&scenario), Strain::new(&scenario), Watch::new(&scenario));
        let mut hosts = combined.map(PerHost::new);
        let judged_from = Instant::after_start(scenario.warmup);
        let (mut failed, mut ended_well) = (0_u64, 0_u64);
        let ended = simulate(&scenario, seed, &mut |event| {
            if let Event::Sampled(sample) = event {
                strain.take(&scenario, sample);
                if let Some(hosts) = &mut hosts {
                    hosts.take(sample);
                }
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
            watch.take(event);
        });
        let ended: Instant = ended.map_err(Box::new)?.ended;
        let failing = Permille::ratio(failed, failed.saturating_add(ended_well)).unwrap_or_default();
        let (cpu, memory, triggers) = watch.finish();
        let judged = judge.finish(ended).0;
        let mut trial = Self { judged, parts: strain.finish(), failing, cpu, memory, triggers, ran_out: None };
        if let Some((hosts, combined)) = hosts.zip(combined) {
            trial.look_into(&hosts, combined);
        }
        Ok(trial)
    }

    /// Several hosts are as full as the fullest of them, and none of them may run out of memory.
    fn look_into(&mut self, hosts: &PerHost, combined: &Combined) {
        let shares = hosts.shares();
        self.cpu = shares.iter().map(|share| share.0).max().unwrap_or(self.cpu);
        self.memory = shares.iter().map(|share| share.1).max().unwrap_or(self.memory);
        if self.cpu > Permille::percent(80) {
            self.triggers.insert(Trigger::Cpu);
        }
        if let Some((host, at)) = hosts.ran_out() {
            self.triggers.insert(Trigger::Oom);
            let title = &combined.hosts[host].title;
            self.ran_out = Some(format!("host {} ({title}) runs out of memory at {at}", host + 1));
        }
    }

    /// Whether all holds.
    pub(super) fn holds(&self) -> bool {
        self.ran_out.is_none() && self.judged.iter().all(|judged| judged.passed)
    }

    /// Whether all would hold if every bound on a response time were so many times what it is. Bounds change nothing in a run.
    pub(super) fn holds_at(&self, expect: &[Expectation], factor: f64) -> bool {
        let holds = |(judged, expectation): (&Judged, &Expectation)| match judged.measured.zip(judged.bound) {
            Some((measured, bound)) if is_latency(expectation) => match judged.comparison {
                Comparison::Less => measured.value < bound.value * factor,
                _ => measured.value <= bound.value * factor,
            },
            _ => judged.passed,
        };
        self.ran_out.is_none() && self.judged.iter().zip(expect).all(holds)
    }

    /// What fails, that which fails by most first; what has no margin comes before it.
    pub(super) fn failed(&self) -> Vec<Judged> {
        let mut failed: Vec<Judged> = self.judged.iter().filter(|judged| !judged.passed).cloned().collect();
        let margin = |judged: &Judged| judged.margin().unwrap_or(f64::NEG_INFINITY);
        failed.sort_by(|one, other| margin(one).total_cmp(&margin(other)));
        failed
    }

    /// The first of the expectations in their order that does not hold, in words.
    pub(super) fn broken(&self) -> Option<String> {
        let text = |judged: &Judged| {
            let bound = judged.bound.map(|bound| format!(", not {} {bound}", words::comparison(judged.comparison)));
            format!("{}: {}{}", judged.name, judged.measured_text(), bound.unwrap_or_default())
        };
        self.judged.iter().find(|judged| !judged.passed).map(text).or_else(|| self.ran_out.clone())
    }

    /// How full the fullest part is that requests wait for.
    pub(super) fn fullest(&self) -> f64 {
        self.parts.iter().filter(|(part, _)| part.is_queued_for()).map(|(_, full)| *full).fold(0.0, f64::max)
    }
}

/// A bound on a response time from above.
pub(super) fn is_latency(expectation: &Expectation) -> bool {
    expectation.measure.metric == Metric::Latency
        && matches!(expectation.bound, Bound::Value(Quantity::Time(_)))
        && matches!(expectation.comparison, Comparison::Less | Comparison::AtMost)
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
