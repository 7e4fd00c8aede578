//! Which host to take, or which split over hosts: the cheapest that holds the expected load with the headroom that is wanted
//! (register M5, E15). `docs/fit.md` has every rule and formula.
//!
//! Before you change it:
//! 1. A host holds a load when everything that the scenario expects holds, with all seeds, at that multiple of the load. What
//!    the host itself costs is the question here: expectations about costs are left out of it.
//! 2. Machines that differ in nothing that a run sees share their runs.
//! 3. A coarse look comes first: one run of every machine at the load that is wanted. Load lines are looked for only near the
//!    answer; of the others the table says what is known.
//! 4. Offers are ranked within a currency. What cannot be bought, is for another architecture or beyond the budget is shown,
//!    and never the answer, unless it was named.

mod bench;
mod burst;
mod candidate;
mod csv;
mod growth;
pub mod json;
mod markdown;
mod parts;
mod picture;
mod search;
mod text;
mod triggers;
mod words;
mod write;

pub use csv::csv;
pub use growth::MONTHS_MAX;
pub use growth::after;
pub use growth::months;
pub use markdown::markdown;
pub use search::Line;
pub use text::list;
pub use text::text;
pub use triggers::Trigger;
pub use triggers::has_large_model;
pub use write::write;

use crate::capacity::load_line;
use crate::capacity::scaled;
use crate::capacity::split::Assignment;
use crate::capacity::split::Demand;
use crate::capacity::split::Gathering;
use crate::capacity::split::Room;
use crate::capacity::split::Rules;
use crate::capacity::trial::asked as asked_of_load;
use crate::model::Host;
use crate::model::Offer;
use crate::model::Policy;
use crate::model::Rates;
use crate::model::Scenario;
use crate::model::Stack;
use crate::model::Term;
use crate::record::Event;
use crate::report::load_line::End;
use crate::report::load_line::LoadLine;
use crate::run::simulate::Breached;
use crate::run::simulate::simulate;
use crate::units::Bytes;
use crate::units::Currency;
use crate::units::Millicores;
use crate::units::Money;
use crate::units::Permille;
use crate::units::Span;
use bench::Bench;
use bench::Variant;
use bench::Which;
use candidate::Class;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// Time of a message from one rented host to another, where nobody says: a guess for a private network within a data centre.
pub const HOP: Span = Span::from_micros(250);

/// Load lines are looked for of so many of the cheapest offers that hold, in each currency.
const SHORTLIST: usize = 3;
/// The load lines of answers are as exact as this.
const EXACT: Permille = Permille::percent(4);
/// Where no more hosts than this are named, load lines are looked for of all of them.
const NAMED_FEW: usize = 8;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// How much more than the expected load must be held.
    pub headroom: Permille,
    /// What a month may cost at most.
    pub budget: Option<Money>,
    /// By how much the load grows a month.
    pub growth: Option<Permille>,
    /// What currencies are worth in others.
    pub rates: Rates,
    /// Which price of a plan with a first term counts.
    pub term: Term,
    /// The offers that are looked at, where not all are.
    pub named: Option<BTreeSet<String>>,
    /// The most hosts that the stack may be split over.
    pub split: usize,
    /// Time of a message from one host to another.
    pub hop: Span,
    /// Services may use all the CPU that the host has: their limits, and the policies that move them, are taken off.
    pub lifted: bool,
    /// Threads; zero is one a core.
    pub jobs: usize,
}

impl Question {
    /// The multiple of the expected load that must be held.
    #[must_use]
    pub const fn aim(&self) -> Permille {
        Permille::new(1000 + self.headroom.get())
    }
}

/// What is bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// One machine.
    One,
    /// So many of a kind, the services split over them.
    Split(usize, Assignment),
    /// One machine, and by the hour a second one of this offer, for so many hours a month.
    Burst(String, u64, Assignment),
}

/// One way to buy enough, or not enough.
#[derive(Debug, Clone)]
pub struct Row {
    /// The offer, by its name.
    pub offer: String,
    /// What of it.
    pub plan: Plan,
    /// What a month costs, in the currency of the offer.
    pub month: Money,
    /// The same by the rates that were given: what it is ranked by.
    pub ranked: Money,
    /// How far it carries the load.
    pub line: Line,
    /// Whether it holds the load with the headroom that is wanted, as far as it was tried.
    pub holds: bool,
    /// What does not hold first: at the load that is wanted, or above the line.
    pub breaks: Option<String>,
    /// CPU and memory at the expected load, as shares of what there is; `None` where that was not run.
    pub used: Option<(Permille, Permille)>,
    /// The signs of the register that were seen at the load that is wanted, or at the expected one.
    pub triggers: BTreeSet<Trigger>,
    /// Why it is not the answer although it may hold.
    pub barred: Option<String>,
    /// Where the line is for other seeds, and if response times are off as far as they usually are; of answers.
    pub interval: Option<(Permille, Permille)>,
    /// The fullest part beyond the line, and how full; of answers.
    pub busiest: Option<String>,
    /// What was run.
    variant: usize,
}

impl Row {
    /// Whole months for which a growing load stays within the line; `None` where the line is not known or is below one.
    #[must_use]
    pub fn months(&self, growth: Permille) -> Option<u32> {
        months(self.line.holds?, growth)
    }

    /// What a month costs for each multiple of the expected load that is carried.
    #[must_use]
    pub fn per_load(&self) -> Option<Money> {
        let line = self.line.holds.filter(|line| self.line.exact && line.get() > 0)?;
        let exact = u128::from(self.ranked.get()) * 1000 / u128::from(line.get());
        Some(Money::micro(u64::try_from(exact).unwrap_or(u64::MAX), self.ranked.currency()))
    }

    /// How many machines it is.
    #[must_use]
    pub const fn machines(&self) -> usize {
        match &self.plan {
            Plan::One => 1,
            Plan::Split(count, _) => *count,
            Plan::Burst(..) => 2,
        }
    }
}

/// What to change to when a growing load is beyond a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Then {
    /// In so many months the load is beyond the line.
    pub month: u32,
    /// The row to change to; `None` where none holds that load with the headroom.
    pub row: Option<usize>,
}

/// The answer in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The currency.
    pub currency: Currency,
    /// The cheapest that holds; `None` where none does.
    pub row: Option<usize>,
    /// What comes after it, where the load grows and its line is known.
    pub then: Option<Then>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Fit {
    /// The scenario that was asked about.
    pub scenario: Arc<Scenario>,
    /// What was asked.
    pub question: Question,
    /// The offers.
    pub offers: BTreeMap<String, Offer>,
    /// What the services need at the expected load, on a host that has enough of everything.
    pub demand: Demand,
    /// How far services carry the load on a host that has enough of everything; and what does not hold beyond.
    pub ceiling: (Line, Option<String>),
    /// The ways to buy, the cheapest first within a currency.
    pub rows: Vec<Row>,
    /// Offers that were not tried, and why, by name.
    pub left_out: BTreeMap<String, String>,
    /// The answer in each currency.
    pub answers: Vec<Answer>,
    /// Runs that were made.
    pub runs: u64,
}

impl Fit {
    /// Whether something holds that can be bought.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.answers.iter().any(|answer| answer.row.is_some())
    }

    /// What a row buys, as a person calls it.
    #[must_use]
    pub fn title(&self, row: &Row) -> String {
        words::title(self, row)
    }
}

/// Finds what to buy for a scenario: `scenario` with its own host, `stack` with what it says of where services may run.
/// `progress` hears of every run, from any thread.
///
/// # Errors
/// Where the engine breaks its own rules in a run.
pub fn fit(
    scenario: &Scenario,
    stack: &Stack,
    offers: &BTreeMap<String, Offer>,
    question: &Question,
    progress: &(dyn Fn() + Sync),
) -> Result<Fit, Breached> {
    let base = asked(scenario, question);
    let mut bench = Bench::new(base.seeds.clone(), question.jobs, progress);
    let aim = question.aim();
    let ample = Scenario { host: ample(&base.host), ..base.clone() };
    let (expected, hours) = demand(&ample, Permille::ONE)?;
    let (wanted, _) = demand(&ample, aim)?;
    let number = bench.add(Variant { scenario: Arc::new(ample), combined: None });
    let mut tried: Vec<Vec<Permille>> = vec![vec![Permille::ONE, aim]];
    bench.run(&[(number, Permille::ONE), (number, aim)], Which::First)?;
    let ceiling = if bench.held(number, aim, Which::First) == Some(true) {
        (Line { holds: Some(aim), ..Line::default() }, None)
    } else {
        let line = search::lines(&mut bench, &[number], &mut tried, aim)?[0];
        (line, reason(&bench, number, line.breaks.unwrap_or(aim)))
    };
    let (classes, left_out) = candidate::classes(&base, offers, question, &wanted);
    let mut look = Look { base, rules: Rules::of(stack), offers, question, bench, tried, classes, left_out };
    look.coarse()?;
    let mut rows = look.singles()?;
    parts::splits(&mut look, &wanted, &mut rows)?;
    burst::bursts(&mut look, (&wanted, &hours), &mut rows)?;
    let key = |row: &Row| (row.ranked.currency(), row.ranked.get(), row.machines(), row.offer.clone());
    rows.sort_by_key(key);
    let answers = answers(&rows, question);
    let finely = look.finely(&mut rows, &answers, progress)?;
    Ok(Fit {
        scenario: Arc::new(scenario.clone()),
        question: question.clone(),
        offers: offers.clone(),
        demand: expected,
        ceiling,
        answers,
        rows,
        left_out: look.left_out,
        runs: look.bench.runs() as u64 + finely + 2,
    })
}

/// The scenario as it is asked about.
fn asked(scenario: &Scenario, question: &Question) -> Scenario {
    let (mut base, _) = asked_of_load(scenario);
    if question.lifted {
        base.services.values_mut().for_each(|model| model.limits.cpu = None);
        for policy in base.policies.values_mut() {
            *policy = policy.horizontal().map_or(Policy::None, |horizontal| Policy::Horizontal(horizontal.clone()));
        }
    }
    base
}

/// A host that has enough of everything, otherwise like this one.
fn ample(host: &Host) -> Host {
    let cores = vec![crate::model::CoreGroup { count: 256, speed: Permille::ONE }];
    let mut ample = Host::bare("ample", cores, Bytes::gibi(4096));
    ample.hop = host.hop;
    ample
}

/// What services need at a multiple of the load, and all of them together in each hour.
fn demand(ample: &Scenario, multiple: Permille) -> Result<(Demand, Vec<Millicores>), Breached> {
    let scenario = scaled(ample, multiple);
    let mut gathering = Gathering::new(&scenario);
    for seed in scenario.seeds.iter().take(1) {
        simulate(&scenario, *seed, &mut |event| {
            if let Event::Sampled(sample) = event {
                gathering.take(sample);
            }
        })?;
    }
    Ok(gathering.finish(&scenario))
}

/// What does not hold at a multiple, by the runs that were made.
fn reason(bench: &Bench<'_>, variant: usize, multiple: Permille) -> Option<String> {
    bench.ran(variant, multiple, Which::All).find_map(|ran| ran.broken.clone())
}

/// Everything that is looked at.
struct Look<'a> {
    base: Scenario,
    rules: Rules,
    offers: &'a BTreeMap<String, Offer>,
    question: &'a Question,
    bench: Bench<'a>,
    /// The multiples that each variant was run at.
    tried: Vec<Vec<Permille>>,
    classes: Vec<Class>,
    left_out: BTreeMap<String, String>,
}

impl Look<'_> {
    /// A host, or several, to be run; its number.
    fn add(&mut self, variant: Variant) -> usize {
        self.tried.push(Vec::new());
        self.bench.add(variant)
    }

    /// Runs variants at a multiple.
    fn run(&mut self, variants: &[usize], multiple: Permille, which: Which) -> Result<(), Breached> {
        let wanted: Vec<(usize, Permille)> = variants.iter().map(|variant| (*variant, multiple)).collect();
        self.bench.run(&wanted, which)?;
        for variant in variants {
            if !self.tried[*variant].contains(&multiple) {
                self.tried[*variant].push(multiple);
            }
        }
        Ok(())
    }

    /// Every machine at the load that is wanted, with one seed; those that do not hold it at the expected one.
    fn coarse(&mut self) -> Result<(), Breached> {
        let aim = self.question.aim();
        for place in 0..self.classes.len() {
            let scenario = Scenario { host: self.classes[place].host.clone(), ..self.base.clone() };
            self.classes[place].variant = self.add(Variant { scenario: Arc::new(scenario), combined: None });
        }
        let all: Vec<usize> = self.classes.iter().map(|class| class.variant).collect();
        self.run(&all, aim, Which::First)?;
        let failing: Vec<usize> =
            all.into_iter().filter(|variant| self.bench.held(*variant, aim, Which::First) == Some(false)).collect();
        self.run(&failing, Permille::ONE, Which::First)
    }

    /// Whether a class of machines holds what is wanted, as far as it was run.
    fn holds(&self, variant: usize) -> bool {
        self.bench.held(variant, self.question.aim(), Which::All) == Some(true)
    }

    /// Offers of a single machine: load lines of the cheapest that hold, of the scenario's own host, and of those named.
    fn singles(&mut self) -> Result<Vec<Row>, Breached> {
        let named = self.question.named.as_ref().map_or(usize::MAX, BTreeSet::len);
        let own = self.base.host.name.clone();
        let exact = |name: &String| *name == own || named <= NAMED_FEW;
        // Those shortlisted may fail with the other seeds, and others take their place.
        let mut near: BTreeSet<usize> = BTreeSet::new();
        for class in &self.classes {
            if class.offers.iter().any(exact) {
                near.insert(class.variant);
            }
        }
        let mut known = BTreeSet::new();
        loop {
            near.extend(self.shortlist());
            let fresh: Vec<usize> = near.difference(&known).copied().collect();
            if fresh.is_empty() {
                break;
            }
            let aim = self.question.aim();
            self.run(&fresh, aim, Which::All)?;
            self.run(&fresh, Permille::ONE, Which::First)?;
            search::lines(&mut self.bench, &fresh, &mut self.tried, aim)?;
            known.extend(fresh);
        }
        let classes: Vec<(usize, Vec<String>)> =
            self.classes.iter().map(|class| (class.variant, class.offers.clone())).collect();
        let mut rows = Vec::new();
        for (variant, offers) in classes {
            for name in offers {
                rows.push(self.row(
                    &name,
                    Plan::One,
                    variant,
                    self.offers[&name].month(self.question.term),
                    known.contains(&variant),
                ));
            }
        }
        Ok(rows)
    }

    /// The machines of the cheapest offers that hold, in each currency.
    fn shortlist(&self) -> BTreeSet<usize> {
        let mut by_currency: BTreeMap<Currency, Vec<(u64, &String, usize)>> = BTreeMap::new();
        for class in self.classes.iter().filter(|class| self.holds(class.variant)) {
            for name in &class.offers {
                let offer = &self.offers[name];
                let ranked = self.question.rates.convert(offer.month(self.question.term));
                if candidate::barred(&self.base, offer, ranked, self.question).is_none() {
                    by_currency.entry(ranked.currency()).or_default().push((ranked.get(), name, class.variant));
                }
            }
        }
        let cheapest = by_currency.into_values().flat_map(|mut offers| {
            offers.sort_unstable();
            offers.into_iter().take(SHORTLIST).map(|(_, _, variant)| variant)
        });
        cheapest.collect()
    }

    /// What is known of a way to buy.
    fn row(&self, name: &str, plan: Plan, variant: usize, month: Money, exact: bool) -> Row {
        let aim = self.question.aim();
        let line = Line { exact, ..Line::known(&self.bench, variant, &self.tried[variant]) };
        let ranked = self.question.rates.convert(month);
        let holds = self.holds(variant);
        let at = if holds { line.breaks } else { Some(aim) };
        let ran = |multiple| self.bench.ran(variant, multiple, Which::All);
        let used = ran(Permille::ONE).map(|ran| (ran.cpu, ran.memory));
        Row {
            offer: name.to_owned(),
            month,
            ranked,
            line,
            holds,
            breaks: at.and_then(|multiple| reason(&self.bench, variant, multiple)),
            used: used.reduce(|one, other| (one.0.max(other.0), one.1.max(other.1))),
            triggers: ran(aim).chain(ran(Permille::ONE)).flat_map(|ran| ran.triggers.clone()).collect(),
            barred: candidate::barred(&self.base, &self.offers[name], ranked, self.question),
            plan,
            interval: None,
            busiest: None,
            variant,
        }
    }

    /// Looks for the load lines of answers as `plimsoll capacity` does, with their intervals and what is fullest beyond them.
    fn finely(&self, rows: &mut [Row], answers: &[Answer], progress: &(dyn Fn() + Sync)) -> Result<u64, Breached> {
        let mut known: BTreeMap<usize, LoadLine> = BTreeMap::new();
        let question = crate::capacity::Question {
            probability: Permille::ONE,
            seeds: self.base.seeds.clone(),
            exact: EXACT,
            explain: false,
            curve: 0,
        };
        for place in answers.iter().filter_map(|answer| answer.row) {
            let row = &mut rows[place];
            let found = match known.entry(row.variant) {
                Entry::Occupied(found) => found.into_mut(),
                Entry::Vacant(place) => {
                    let scenario = self.bench.scenario(row.variant);
                    let line = load_line(scenario, &question, self.question.jobs, progress);
                    place.insert(line.map_err(|breached| *breached)?)
                }
            };
            if let (End::Line(line), Some(holds)) = (&found.end, row.line.holds) {
                // What was seen to hold is in it, too.
                row.interval = Some((line.interval.0.min(holds), line.interval.1.max(holds)));
            }
            let fullest = found.breaks.as_ref().and_then(|breaks| breaks.parts.first());
            row.busiest = fullest.map(|(part, full)| format!("{part} {:.0}% full", full * 100.0));
        }
        Ok(known.values().map(|line| line.runs).sum())
    }
}

/// The cheapest row that holds and may be the answer, in each currency; `rows` are in the order of prices.
fn answers(rows: &[Row], question: &Question) -> Vec<Answer> {
    let currencies: BTreeSet<Currency> = rows.iter().map(|row| row.ranked.currency()).collect();
    let answer = |currency: Currency| {
        let of = |row: &&Row| row.ranked.currency() == currency && row.holds && row.barred.is_none();
        let row = rows.iter().position(|row| of(&row));
        let then = row.zip(question.growth).and_then(|(row, growth)| {
            let row = &rows[row];
            let month = row.line.exact.then(|| row.months(growth)).flatten().filter(|months| *months < MONTHS_MAX)? + 1;
            let load = after(month, growth);
            let enough = |row: &Row| row.line.holds.is_some_and(|line| line >= load);
            Some(Then { month, row: rows.iter().position(|row| of(&row) && enough(row)) })
        });
        Answer { currency, row, then }
    };
    currencies.into_iter().map(answer).collect()
}

/// What a host has for containers, less what is stolen.
fn room(host: &Host) -> Room {
    let left = Permille::ONE.get().saturating_sub(host.steal.get());
    Room { cpu: host.pool_cpu().scaled(left, 1000), memory: host.pool_memory() }
}
