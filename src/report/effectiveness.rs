//! How effective a policy is, from 0 to 1, as a record tells it (register E6): `held × lasting × use`.
//!
//! CodeRunner's plan has "effectiveness scoring" of policies without saying what it is; the definition is ours, and
//! `docs/compare.md` has it in words. A policy is there to hold the service levels, without going to and fro, with no more
//! than is needed: each factor is one of the three, so that whoever fails in one of them cannot make it up in another.
//!
//! Before you change it:
//! 1. Parts are whole numbers and add up over services and seeds; they are divided once, when somebody asks.
//! 2. Only the judged time counts. The first move of it may turn round one of the warm-up, as in the verdict.
//! 3. Without service levels there is no score: nothing says whether what was done was enough.

use super::elasticity::Direction;
use super::elasticity::FLAP;
use super::elasticity::Move;
use super::elasticity::Pace;
use super::elasticity::Pacing;
use super::figure::Figure;
use super::figure::rounded;
use super::judge::LevelTime;
use super::words::counted;
use super::words::listed;
use crate::model::Action;
use crate::model::Policy;
use crate::model::Reason;
use crate::model::Resource;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::money::Basis;
use crate::money::Consumption;
use crate::money::Cost;
use crate::money::Ledger;
use crate::money::Prices;
use crate::record::Event;
use crate::units::Instant;
use crate::units::Permille;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Utilization that is worth all.
const BEST: (u64, u64) = (700, 800);

/// What a utilization of what is kept is worth, rounded down to a thousandth. From 70 to 80 %, which CodeRunner's plan calls
/// the best, it is 1; below in proportion, as use over 70 %; above as 80 % over use, since who uses more than is kept for
/// him lives on what others leave.
///
/// ```
/// use plimsoll::report::utilization_worth;
/// use plimsoll::units::Permille;
///
/// let of = |percent| utilization_worth(Permille::percent(percent)).get();
/// assert_eq!([of(0), of(35), of(70), of(80), of(100), of(160)], [0, 500, 1000, 1000, 800, 500]);
/// ```
#[must_use]
pub const fn utilization_worth(utilization: Permille) -> Permille {
    let used = utilization.get();
    if used < BEST.0 {
        Permille::new(used * 1000 / BEST.0)
    } else if used > BEST.1 {
        Permille::new(BEST.1 * 1000 / used)
    } else {
        Permille::ONE
    }
}

/// What the effectiveness of a policy is made of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Effectiveness {
    /// Nanoseconds with a service level to hold and somebody to serve; of these, with a broken one.
    levelled: u128,
    broken: u128,
    actions: u64,
    flaps: u64,
    kept: Consumption,
    used: Consumption,
}

impl Effectiveness {
    /// Of a policy on these services.
    pub(super) fn new<'a>(
        services: impl IntoIterator<Item = &'a ServiceName>,
        (levels, paces): (&LevelTime, &Paces),
        (kept, used): (&Ledger, &Ledger),
    ) -> Self {
        let mut sum = Self { levelled: levels.levelled(), broken: levels.broken(), ..Self::default() };
        for name in services {
            for pace in paces.of(name) {
                sum.actions += pace.actions;
                sum.flaps += pace.flaps;
            }
            let of = |ledger: &Ledger| ledger.services().get(name).copied().unwrap_or_default();
            (sum.kept, sum.used) = (sum.kept.plus(&of(kept)), sum.used.plus(&of(used)));
        }
        sum
    }

    /// Share of the time in which no service level is broken; `None` where there is none, or nobody asked for anything.
    #[must_use]
    pub fn held(&self) -> Option<f64> {
        (self.levelled > 0).then(|| 1.0 - self.broken as f64 / self.levelled as f64)
    }

    /// Changes of limits and of numbers of instances.
    #[must_use]
    pub const fn actions(&self) -> u64 {
        self.actions
    }

    /// Those of them that do not turn round, within ten minutes, the one before them.
    #[must_use]
    pub const fn lasting(&self) -> u64 {
        self.actions - self.flaps
    }

    /// Shares of what is kept that are used over all of the time, of CPU and of memory; `None` where nothing is kept.
    #[must_use]
    pub fn utilization(&self) -> [Option<Permille>; 2] {
        self.used.shares_of(&self.kept)
    }

    /// What these are worth, the mean weighted by what keeping each costs; `None` where nothing is kept.
    #[must_use]
    pub fn use_worth(&self) -> Option<Permille> {
        let Cost { cpu, memory, .. } = Prices::default().of(&self.kept);
        let (mut sum, mut weights) = (0_u128, 0_u128);
        for (share, weight) in self.utilization().into_iter().zip([cpu, memory]) {
            let Some(share) = share else { continue };
            sum += u128::from(utilization_worth(share).get()) * u128::from(weight.get());
            weights += u128::from(weight.get());
        }
        u64::try_from(sum.checked_div(weights)?).ok().map(Permille::new)
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let [cpu, memory] = self.utilization().map(|share| share.map(Permille::as_fraction));
        json!({
            "score": self.score(),
            "held_share": self.held(),
            "actions": self.actions(),
            "actions_lasting": self.lasting(),
            "cpu_used_share": cpu,
            "memory_used_share": memory,
            "use_worth": self.use_worth().map(Permille::as_fraction),
        })
    }

    /// The score, from 0 to 1: `held × lasting ÷ actions × use`. Where nothing was done, all of it lasted.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        let lasting = if self.actions == 0 { 1.0 } else { self.lasting() as f64 / self.actions as f64 };
        Some(self.held()? * lasting * self.use_worth()?.as_fraction())
    }

    /// Both together: of several runs.
    pub(super) const fn add(&mut self, other: &Self) {
        self.levelled += other.levelled;
        self.broken += other.broken;
        self.actions += other.actions;
        self.flaps += other.flaps;
        self.kept = self.kept.plus(&other.kept);
        self.used = self.used.plus(&other.used);
    }
}

/// The pace of the moves of each limit, and of the number of instances, of each service. What people order is not among
/// them: no policy moved it.
#[derive(Debug)]
pub(super) struct Paces {
    from: Instant,
    each: BTreeMap<(ServiceName, Resource), Pacing>,
}

impl Paces {
    pub(super) fn new(scenario: &Scenario) -> Self {
        Self { from: Instant::after_start(scenario.warmup), each: BTreeMap::new() }
    }

    pub(super) fn take(&mut self, at: Instant, action: &Action) {
        if matches!(action.why(), Reason::Override { .. }) {
            return;
        }
        let direction = if action.is_increase() { Direction::Up } else { Direction::Down };
        let pacing = self.each.entry((action.service().clone(), action.resource()));
        pacing.or_insert_with(|| Pacing::new(self.from, FLAP)).take(Move { at, direction });
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Pace> {
        self.each.values().map(Pacing::so_far)
    }

    fn of(&self, service: &ServiceName) -> impl Iterator<Item = &Pace> {
        self.each.iter().filter(move |((name, _), _)| name == service).map(|(_, pacing)| pacing.so_far())
    }
}

/// A policy and what came of it. Services with the same policy are together.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyFigures {
    /// Whom it is for, by name.
    pub services: Vec<ServiceName>,
    /// What its effectiveness is made of.
    pub effectiveness: Effectiveness,
}

impl PolicyFigures {
    /// `api and web`.
    #[must_use]
    pub fn names(&self) -> String {
        listed(&self.services)
    }

    /// Its score and what it is made of, as people say it; `None` without a score.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        let of = &self.effectiveness;
        let (score, held) = (rounded(of.score()?, 2), Figure::share(of.held()?));
        let lasted = match (of.actions(), of.lasting()) {
            (0, _) => "nothing changed".to_owned(),
            (actions, lasting) => format!("{lasting} of {} lasted", counted(actions, "change")),
        };
        let [cpu, memory] =
            of.utilization().map(|share| share.map_or_else(|| "none".to_owned(), |share| share.to_string()));
        Some(format!(
            "effectiveness {score} of 1 (SLO held {held}, {lasted}, used {cpu} of its CPU and {memory} of its memory)"
        ))
    }
}

/// Those of several runs of one scenario as one.
pub(super) fn together<'a>(mut runs: impl Iterator<Item = &'a [PolicyFigures]>) -> Vec<PolicyFigures> {
    let mut all = runs.next().map(<[_]>::to_vec).unwrap_or_default();
    for run in runs {
        all.iter_mut().zip(run).for_each(|(sum, one)| sum.effectiveness.add(&one.effectiveness));
    }
    all
}

/// Collects what came of the policies of a scenario while a run is on.
#[derive(Debug)]
pub(super) struct Policies {
    scenario: Arc<Scenario>,
    levels: LevelTime,
    paces: Paces,
    kept: Ledger,
    used: Ledger,
}

impl Policies {
    pub(super) fn new(scenario: &Arc<Scenario>) -> Self {
        Self {
            levels: LevelTime::new(scenario),
            paces: Paces::new(scenario),
            kept: Ledger::new(Basis::Kept, scenario),
            used: Ledger::new(Basis::Use, scenario),
            scenario: Arc::clone(scenario),
        }
    }

    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::Sampled(sample) => {
                self.levels.take(&self.scenario, sample);
                self.kept.take(&self.scenario, sample);
                self.used.take(&self.scenario, sample);
            }
            Event::Decided { at, decision } => decision.actions.iter().for_each(|action| self.paces.take(*at, action)),
            Event::Began(_) | Event::Seen { .. } | Event::Happened { .. } | Event::Ended { .. } => {}
        }
    }

    /// What came of each policy, in the order of their first services.
    pub(super) fn finish(&self) -> Vec<PolicyFigures> {
        let mut policies: Vec<(&Policy, Vec<ServiceName>)> = Vec::new();
        for (name, policy) in self.scenario.policies.iter().filter(|(_, policy)| **policy != Policy::None) {
            match policies.iter_mut().find(|(known, _)| *known == policy) {
                Some((_, services)) => services.push(name.clone()),
                None => policies.push((policy, vec![name.clone()])),
            }
        }
        let figures = |services: Vec<ServiceName>| PolicyFigures {
            effectiveness: Effectiveness::new(&services, (&self.levels, &self.paces), (&self.kept, &self.used)),
            services,
        };
        policies.into_iter().map(|(_, services)| figures(services)).collect()
    }
}
