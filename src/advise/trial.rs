//! A scenario run over all its seeds: its verdict, what it keeps and uses in money, and what was seen.

use super::efficiency;
use super::gathered::Gathering;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::money::Consumption;
use crate::money::MONTH;
use crate::money::Prices;
use crate::money::split;
use crate::record::Event;
use crate::report::Collector;
use crate::report::Keep;
use crate::report::Report;
use crate::report::Run;
use crate::run::simulate::Breached;
use crate::run::simulate::simulate_all;
use crate::seed::Seed;
use crate::units::Money;
use crate::units::Permille;
use crate::units::Span;
use std::collections::BTreeMap;

/// Where trials are made.
pub struct Bench<'a> {
    /// The scenario as the user named it.
    pub path: &'a str,
    /// Threads; zero is one a core.
    pub jobs: usize,
    /// Hears when a trial is done.
    pub progress: &'a (dyn Fn() + Sync),
}

/// What a month costs that is like the runs, on the mean of the seeds.
#[derive(Debug, Clone)]
pub struct Bill {
    /// What is kept, at the prices of the cost model.
    pub kept: Money,
    /// The same by service.
    pub kept_by: BTreeMap<ServiceName, Money>,
    /// What is used, at the same prices.
    pub used: Money,
    /// What of the host's own price falls on the services, where that is known: the rest is free for others.
    pub host_part: Option<Money>,
}

/// A scenario that was tried.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The scenario.
    pub scenario: Scenario,
    /// What came of it.
    pub report: Report,
    /// What it costs.
    pub bill: Bill,
    /// What was seen, a run each.
    pub gathered: Vec<Gathering>,
    /// How well what is kept is used; `None` where nothing is kept.
    pub efficiency: Option<Permille>,
}

impl Bench<'_> {
    /// Runs a scenario with all its seeds.
    ///
    /// # Errors
    /// Where the engine breaks its own rules.
    pub fn run(&self, scenario: Scenario) -> Result<Trial, Breached> {
        let begin = |_: Seed| (None, Gathering::new(&scenario));
        let consume = |consumer: &mut (Option<Collector>, Gathering), event: &Event| {
            let (collector, gathering) = consumer;
            if let Event::Began(header) = event {
                *collector = Some(Collector::new(header, Keep::Figures));
            }
            if let Event::Sampled(sample) = event {
                gathering.take(&scenario, sample);
            }
            if let Some(collector) = collector {
                collector.take(event);
            }
        };
        let (mut runs, mut gathered) = (Vec::new(), Vec::new());
        for run in simulate_all(&scenario, self.jobs, &begin, &consume, &|_, _| ()) {
            run.end?;
            let (collector, gathering) = run.consumer;
            runs.extend(collector.map(Collector::finish));
            gathered.push(gathering);
        }
        (self.progress)();
        Ok(Trial::of(scenario, self.path, runs, gathered))
    }
}

impl Trial {
    /// What came of runs of one scenario, in the order of their seeds.
    ///
    /// # Panics
    /// Without a run: a scenario has a seed at least.
    #[must_use]
    pub fn of(scenario: Scenario, path: &str, runs: Vec<Run>, gathered: Vec<Gathering>) -> Self {
        let report = Report::new(path, runs, None).expect("a scenario has a seed");
        let bill = bill(&scenario, &gathered);
        let mut trial = Self { scenario, report, bill, gathered, efficiency: None };
        trial.efficiency = efficiency::score(&trial);
        trial
    }

    /// Whether all expectations hold, and there are some.
    #[must_use]
    pub fn is_proof(&self) -> bool {
        self.report.passed() && !self.report.verdicts.is_empty()
    }

    /// Names of the expectations that do not hold.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        let broken = self.report.verdicts.iter().filter(|verdict| !verdict.passed);
        broken.map(|verdict| verdict.name.clone()).collect()
    }

    /// How long was judged in each run, the shortest.
    #[must_use]
    pub fn history(&self) -> Span {
        self.gathered.iter().map(|gathering| gathering.kept.span()).min().unwrap_or(Span::ZERO)
    }
}

fn bill(scenario: &Scenario, gathered: &[Gathering]) -> Bill {
    let prices = Prices::default();
    let span = gathered.iter().fold(Span::ZERO, |sum, gathering| sum.plus(gathering.kept.span()));
    let month = |consumption: &Consumption| prices.of(&consumption.stretched(span, MONTH)).total();
    let (mut kept, mut used) = (BTreeMap::<ServiceName, Consumption>::new(), Consumption::default());
    for gathering in gathered {
        used = used.plus(&gathering.used.total());
        for (name, consumption) in gathering.kept.services() {
            let sum = kept.entry(name.clone()).or_default();
            *sum = sum.plus(consumption);
        }
    }
    let parts: Vec<Consumption> = kept.values().copied().collect();
    let host_part = scenario.host.price.as_ref().map(|price| {
        let split = split(price.month, &scenario.host, span, &parts, &prices);
        Money::micro(price.month.get() - split.free.get(), price.month.currency())
    });
    let total = kept.values().fold(Consumption::default(), |sum, one| sum.plus(one));
    Bill {
        kept: month(&total),
        kept_by: kept.iter().map(|(name, one)| (name.clone(), month(one))).collect(),
        used: month(&used),
        host_part,
    }
}
