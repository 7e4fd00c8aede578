//! Runs of hosts at multiples of the load: each once, however often it is asked for, and as many at a time as there are threads.

use super::triggers::Trigger;
use super::triggers::Watch;
use crate::capacity::scaled;
use crate::capacity::split::Combined;
use crate::capacity::split::PerHost;
use crate::model::Scenario;
use crate::record::Event;
use crate::report::Judge;
use crate::report::Judged;
use crate::run::simulate::Breached;
use crate::run::simulate::on_threads;
use crate::run::simulate::simulate;
use crate::seed::Seed;
use crate::units::Permille;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Something that can be run: a scenario on a host, or on several.
pub(super) struct Variant {
    pub(super) scenario: Arc<Scenario>,
    pub(super) combined: Option<Combined>,
}

/// What came of one run.
#[derive(Debug, Clone)]
pub(super) struct Ran {
    /// What did not hold, the first of the expectations in their order.
    pub(super) broken: Option<String>,
    /// The busiest ten minutes of the host, as a share of its cores; of the busiest one of several.
    pub(super) cpu: Permille,
    /// The most memory, as a share of what there is; of the fullest one of several.
    pub(super) memory: Permille,
    pub(super) triggers: BTreeSet<Trigger>,
}

/// With which seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    First,
    All,
}

/// The bench.
pub(super) struct Bench<'a> {
    variants: Vec<Variant>,
    seeds: Vec<Seed>,
    ran: BTreeMap<(usize, Permille, Seed), Ran>,
    jobs: usize,
    progress: &'a (dyn Fn() + Sync),
}

impl<'a> Bench<'a> {
    pub(super) fn new(seeds: Vec<Seed>, jobs: usize, progress: &'a (dyn Fn() + Sync)) -> Self {
        Self { variants: Vec::new(), seeds, ran: BTreeMap::new(), jobs, progress }
    }

    /// Something more to run; its number.
    pub(super) fn add(&mut self, variant: Variant) -> usize {
        self.variants.push(variant);
        self.variants.len() - 1
    }

    /// What is run under a number.
    pub(super) fn scenario(&self, variant: usize) -> &Arc<Scenario> {
        &self.variants[variant].scenario
    }

    fn seeds(&self, which: Which) -> &[Seed] {
        match which {
            Which::First => &self.seeds[..self.seeds.len().min(1)],
            Which::All => &self.seeds,
        }
    }

    /// Runs what is asked for and was not run yet.
    ///
    /// # Errors
    /// Where the engine breaks its own rules.
    pub(super) fn run(&mut self, wanted: &[(usize, Permille)], which: Which) -> Result<(), Breached> {
        let mut open: Vec<(usize, Permille, Seed)> = wanted
            .iter()
            .flat_map(|(variant, multiple)| self.seeds(which).iter().map(move |seed| (*variant, *multiple, *seed)))
            .filter(|key| !self.ran.contains_key(key))
            .collect();
        open.sort_unstable();
        open.dedup();
        let progress = self.progress;
        let results = on_threads(&open, self.jobs, |(variant, multiple, seed)| {
            let ran = one(&self.variants[*variant], *multiple, *seed);
            progress();
            ran
        });
        for (key, ran) in open.into_iter().zip(results) {
            self.ran.insert(key, ran?);
        }
        Ok(())
    }

    /// What came of the runs of a variant at a multiple that were made with these seeds.
    pub(super) fn ran(&self, variant: usize, multiple: Permille, which: Which) -> impl Iterator<Item = &Ran> {
        self.seeds(which).iter().filter_map(move |seed| self.ran.get(&(variant, multiple, *seed)))
    }

    /// Whether all held, of those seeds that were run; `None` where none was.
    pub(super) fn held(&self, variant: usize, multiple: Permille, which: Which) -> Option<bool> {
        let mut any = None;
        for ran in self.ran(variant, multiple, which) {
            any = Some(any.unwrap_or(true) && ran.broken.is_none());
        }
        any
    }

    /// How many seeds these are.
    pub(super) fn count(&self, which: Which) -> usize {
        self.seeds(which).len()
    }

    /// How many runs were made.
    pub(super) fn runs(&self) -> usize {
        self.ran.len()
    }
}

fn one(variant: &Variant, multiple: Permille, seed: Seed) -> Result<Ran, Breached> {
    let scenario = Arc::new(scaled(&variant.scenario, multiple));
    let mut judge = Judge::new(&scenario);
    let mut watch = Watch::new(&scenario);
    let mut hosts = variant.combined.as_ref().map(PerHost::new);
    let outcome = simulate(&scenario, seed, &mut |event| {
        judge.take(event);
        watch.take(event);
        if let (Some(hosts), Event::Sampled(sample)) = (&mut hosts, event) {
            hosts.take(sample);
        }
    })?;
    let (judged, _) = judge.finish(outcome.ended);
    let (mut cpu, mut memory, mut triggers) = watch.finish();
    let mut broken = judged.iter().find(|judged| !judged.passed).map(words);
    if let (Some(hosts), Some(combined)) = (&hosts, &variant.combined) {
        let shares = hosts.shares();
        cpu = shares.iter().map(|share| share.0).max().unwrap_or(cpu);
        memory = shares.iter().map(|share| share.1).max().unwrap_or(memory);
        if cpu > Permille::percent(80) {
            triggers.insert(Trigger::Cpu);
        }
        if let Some((host, at)) = hosts.ran_out() {
            triggers.insert(Trigger::Oom);
            let title = &combined.hosts[host].title;
            broken.get_or_insert_with(|| format!("host {} ({title}) runs out of memory at {at}", host + 1));
        }
    }
    Ok(Ran { broken, cpu, memory, triggers })
}

/// An expectation that did not hold, in words.
fn words(judged: &Judged) -> String {
    let bound =
        judged.bound.map(|bound| format!(", not {} {bound}", crate::report::words::comparison(judged.comparison)));
    format!("{}: {}{}", judged.name, judged.measured_text(), bound.unwrap_or_default())
}
