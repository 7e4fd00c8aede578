//! Which host to take, or which split over hosts: the cheapest that holds the expected load with the headroom that is wanted
//! (register M5, E15). `docs/fit.md` has every rule and formula.
//!
//! Before you change it:
//! 1. A host holds a load when everything that the scenario expects holds, with all seeds, at that multiple of the load. What
//!    the host itself costs is the question here: expectations about costs are left out of it.
//! 2. Machines that differ in nothing that a run sees share their runs.
//! 3. A coarse look comes first: one run of every machine at the load that is wanted. Load lines are those of
//!    [`crate::capacity::load_lines`], and looked for only near the answer; of the others the table says what is known.
//! 4. Offers are ranked within a currency. What cannot be bought, is for another architecture or beyond the budget is shown,
//!    and never the answer, unless it was named.

mod burst;
mod candidate;
mod csv;
mod growth;
mod html;
pub mod json;
mod line;
mod markdown;
mod parts;
mod picture;
mod text;
mod words;
mod write;

pub use super::triggers::Trigger;
pub use super::triggers::has_large_model;
pub use csv::csv;
pub use growth::MONTHS_MAX;
pub use growth::after;
pub use growth::months;
pub use html::html;
pub use line::Line;
pub use markdown::markdown;
pub use text::list;
pub use text::text;
pub use write::write;

use crate::capacity::line::line_of;
use crate::capacity::machine::Machine;
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
use crate::report::load_line::LoadLine;
use crate::run::simulate::Breached;
use crate::run::simulate::on_threads;
use crate::run::simulate::simulate;
use crate::seed::Seed;
use crate::units::Bytes;
use crate::units::Currency;
use crate::units::Millicores;
use crate::units::Money;
use crate::units::Permille;
use crate::units::Span;
use candidate::Class;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ptr;
use std::sync::Arc;

/// Time of a message from one rented host to another, where nobody says: a guess for a private network within a data centre.
pub const HOP: Span = Span::from_micros(250);

/// Load lines are looked for of so many of the cheapest offers that hold, in each currency.
const SHORTLIST: usize = 3;
/// Load lines are as exact as this.
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
    /// Whether it holds the load with the headroom that is wanted, as far as it was tried,
    pub holds: bool,
    /// and whether that is with all seeds; otherwise it is with the first one, and another may break it.
    pub all_seeds: bool,
    /// What does not hold first: at the load that is wanted, or above the line.
    pub breaks: Option<String>,
    /// CPU and memory at the expected load, as shares of what there is; `None` where that was not run.
    pub used: Option<(Permille, Permille)>,
    /// The signs of the register that were seen at the load that is wanted, or at the expected one.
    pub triggers: BTreeSet<Trigger>,
    /// Why it is not the answer although it may hold.
    pub barred: Option<String>,
    /// Where the line is for other seeds, and if response times are off as far as they usually are, where a line was looked for.
    pub interval: Option<(Permille, Permille)>,
    /// The fullest part beyond the line, and how full, where a line was looked for.
    pub busiest: Option<String>,
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

    /// The ways to buy with prices in a currency, the cheapest first.
    fn rows_in(&self, currency: Currency) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.ranked.currency() == currency)
    }

    /// Whether one of [`Self::rows`] is the answer in its currency.
    fn is_answer(&self, row: &Row) -> bool {
        self.answers.iter().filter_map(|answer| answer.row).any(|place| ptr::eq(&raw const self.rows[place], row))
    }

    /// The ways to buy of which is told what runs where: the answers, and all where somebody named the offers.
    fn told_apart(&self) -> impl Iterator<Item = (&Row, &Assignment)> {
        let told = self.rows.iter().filter(|row| self.question.named.is_some() || self.is_answer(row));
        told.filter_map(|row| match &row.plan {
            Plan::One => None,
            Plan::Split(_, assignment) | Plan::Burst(_, _, assignment) => Some((row, assignment)),
        })
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
    let aim = question.aim();
    let ample = Scenario { host: ample(&base.host), ..base.clone() };
    let (expected, hours) = demand(&ample, Permille::ONE)?;
    let (wanted, _) = demand(&ample, aim)?;
    let (classes, left_out) = candidate::classes(&base, offers, question, &wanted);
    let (machines, lines) = (Vec::new(), BTreeMap::new());
    let mut look =
        Look { base, rules: Rules::of(stack), offers, question, progress, machines, lines, classes, left_out };
    let ceiling = look.ceiling(ample)?;
    look.coarse()?;
    let mut rows = look.singles()?;
    parts::splits(&mut look, &wanted, &mut rows)?;
    burst::bursts(&mut look, (&wanted, &hours), &mut rows)?;
    let key = |row: &Row| (row.ranked.currency(), row.ranked.get(), row.machines(), row.offer.clone());
    rows.sort_by_key(key);
    let answers = answers(&rows, question);
    Ok(Fit {
        scenario: Arc::new(scenario.clone()),
        question: question.clone(),
        offers: offers.clone(),
        demand: expected,
        ceiling,
        answers,
        rows,
        // Two more were made to see what is needed.
        runs: look.machines.iter().map(Machine::runs).sum::<u64>() + 2,
        left_out: look.left_out,
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

/// Everything that is looked at.
struct Look<'a> {
    base: Scenario,
    rules: Rules,
    offers: &'a BTreeMap<String, Offer>,
    question: &'a Question,
    progress: &'a (dyn Fn() + Sync),
    machines: Vec<Machine<'a>>,
    /// The load lines that were looked for, by the number of the machine.
    lines: BTreeMap<usize, LoadLine>,
    classes: Vec<Class>,
    left_out: BTreeMap<String, String>,
}

impl<'a> Look<'a> {
    /// One more machine; its number.
    fn add(&mut self, machine: Machine<'a>) -> usize {
        self.machines.push(machine);
        self.machines.len() - 1
    }

    /// The first seed alone, for a coarse look.
    fn first(&self) -> &[Seed] {
        &self.base.seeds[..self.base.seeds.len().min(1)]
    }

    /// Runs machines at a multiple.
    fn run(&self, machines: &[usize], multiple: Permille, seeds: &[Seed]) -> Result<(), Breached> {
        let wanted: Vec<(usize, Seed)> =
            machines.iter().flat_map(|machine| seeds.iter().map(|seed| (*machine, *seed))).collect();
        let ran =
            on_threads(&wanted, self.question.jobs, |(machine, seed)| self.machines[*machine].trial(multiple, *seed));
        ran.into_iter().try_for_each(|ran| ran.map(|_| ()).map_err(|breached| *breached))
    }

    /// Looks for load lines, with all seeds, where they are not known.
    fn find(&mut self, machines: &[usize]) -> Result<(), Breached> {
        let fresh: Vec<usize> = machines.iter().copied().filter(|machine| !self.lines.contains_key(machine)).collect();
        let (seeds, jobs, aim) = (self.base.seeds.clone(), self.question.jobs, self.question.aim());
        let question =
            crate::capacity::Question { probability: Permille::ONE, seeds, exact: EXACT, explain: false, curve: 0 };
        let found = on_threads(&fresh, jobs, |machine| line_of(&self.machines[*machine], &question, jobs));
        let mut open = Vec::new();
        for (machine, found) in fresh.into_iter().zip(found) {
            let found = found.map_err(|breached| *breached)?;
            if Line::of(&found).is_open_at(aim) {
                open.push(machine);
            }
            self.lines.insert(machine, found);
        }
        self.run(&open, aim, &question.seeds)
    }

    /// How far services carry the load on a host that has enough of everything, and what does not hold beyond.
    fn ceiling(&mut self, ample: Scenario) -> Result<(Line, Option<String>), Breached> {
        let (aim, machine) = (self.question.aim(), self.add(Machine::new(ample, self.progress)));
        self.run(&[machine], aim, self.first())?;
        if self.holds(machine) {
            return Ok((self.line(machine), None));
        }
        self.find(&[machine])?;
        let line = self.line(machine);
        Ok((line, self.reason(machine, line.breaks.unwrap_or(aim))))
    }

    /// Every machine at the load that is wanted, with one seed; those that do not hold it at the expected one.
    fn coarse(&mut self) -> Result<(), Breached> {
        let aim = self.question.aim();
        for place in 0..self.classes.len() {
            let scenario = Scenario { host: self.classes[place].host.clone(), ..self.base.clone() };
            self.classes[place].machine = self.add(Machine::new(scenario, self.progress));
        }
        let all: Vec<usize> = self.classes.iter().map(|class| class.machine).collect();
        self.run(&all, aim, self.first())?;
        let failing: Vec<usize> = all.into_iter().filter(|machine| !self.holds(*machine)).collect();
        self.run(&failing, Permille::ONE, self.first())
    }

    /// How far a machine carries the load, as far as that is known. A wanted load that all seeds hold counts where it is
    /// beyond the last multiple of the line.
    fn line(&self, machine: usize) -> Line {
        let held = self.machines[machine].held();
        let Some(found) = self.lines.get(&machine) else { return Line::known(&held) };
        let (line, aim) = (Line::of(found), self.question.aim());
        let is_wanted_held = line.is_open_at(aim) && held.get(&aim) == Some(&true);
        if is_wanted_held { Line { holds: Some(aim), ..line } } else { line }
    }

    /// Whether a machine holds what is wanted, as far as it was run.
    fn holds(&self, machine: usize) -> bool {
        self.line(machine).holds.is_some_and(|holds| holds >= self.question.aim())
    }

    /// What does not hold at a multiple, by the runs that were made.
    fn reason(&self, machine: usize, multiple: Permille) -> Option<String> {
        self.machines[machine].all_known(multiple).iter().find_map(|trial| trial.broken())
    }

    /// Offers of a single machine: load lines of the cheapest that hold, of the scenario's own host, and of those named.
    fn singles(&mut self) -> Result<Vec<Row>, Breached> {
        let named = self.question.named.as_ref().map_or(usize::MAX, BTreeSet::len);
        let exact = |name: &String| *name == self.base.host.name || named <= NAMED_FEW;
        let near = self.classes.iter().filter(|class| class.offers.iter().any(exact)).map(|class| class.machine);
        self.find(&near.collect::<Vec<usize>>())?;
        // Those shortlisted may fail with the other seeds, and others take their place.
        loop {
            let near = self.shortlist();
            if near.iter().all(|machine| self.lines.contains_key(machine)) {
                break;
            }
            self.find(&near)?;
        }
        let mut rows = Vec::new();
        for class in &self.classes {
            for name in &class.offers {
                let month = self.offers[name].month(self.question.term);
                rows.push(self.row(name, Plan::One, class.machine, month));
            }
        }
        Ok(rows)
    }

    /// The machines of the cheapest offers that hold, in each currency.
    fn shortlist(&self) -> Vec<usize> {
        let mut by_currency: BTreeMap<Currency, Vec<(u64, &String, usize)>> = BTreeMap::new();
        for class in self.classes.iter().filter(|class| self.holds(class.machine)) {
            for name in &class.offers {
                let offer = &self.offers[name];
                let ranked = self.question.rates.convert(offer.month(self.question.term));
                if candidate::barred(&self.base, offer, ranked, self.question).is_none() {
                    by_currency.entry(ranked.currency()).or_default().push((ranked.get(), name, class.machine));
                }
            }
        }
        let cheapest = by_currency.into_values().flat_map(|mut offers| {
            offers.sort_unstable();
            offers.into_iter().take(SHORTLIST).map(|(_, _, machine)| machine)
        });
        cheapest.collect::<BTreeSet<usize>>().into_iter().collect()
    }

    /// What is known of a way to buy.
    fn row(&self, name: &str, plan: Plan, machine: usize, month: Money) -> Row {
        let (aim, line, found) = (self.question.aim(), self.line(machine), self.lines.get(&machine));
        let ranked = self.question.rates.convert(month);
        let holds = self.holds(machine);
        let beyond = || line.breaks.and_then(|multiple| self.reason(machine, multiple));
        let ran = |multiple| self.machines[machine].all_known(multiple);
        let used = ran(Permille::ONE).into_iter().map(|trial| (trial.cpu, trial.memory));
        let all_seeds = line.exact || ran(aim).len() == self.base.seeds.len();
        // What was seen to hold is in the interval, too.
        let interval = found.and_then(LoadLine::interval).zip(line.holds);
        let fullest = found.and_then(|found| found.breaks.as_ref()?.parts.first());
        Row {
            offer: name.to_owned(),
            month,
            ranked,
            line,
            holds,
            all_seeds: !holds || all_seeds,
            breaks: if holds { beyond() } else { self.reason(machine, aim).or_else(beyond) },
            used: used.reduce(|one, other| (one.0.max(other.0), one.1.max(other.1))),
            triggers: [aim, Permille::ONE].into_iter().flat_map(ran).flat_map(|trial| trial.triggers.clone()).collect(),
            barred: candidate::barred(&self.base, &self.offers[name], ranked, self.question),
            plan,
            interval: interval.map(|((low, high), holds)| (low.min(holds), high.max(holds))),
            busiest: fullest.map(|(part, full)| format!("{part} {:.0}% full", full * 100.0)),
        }
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
