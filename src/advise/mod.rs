//! What could be cheaper or better: right-sizing, fewer instances, other policies, a schedule, more for who is starved
//! (register M3), and of several that hold the targets the cheaper (E14). `docs/advise.md` has the rules and their sources.
//!
//! Before you change it:
//! 1. Nothing is recommended that was not tried: the scenario with the change is simulated again with the same seeds, and
//!    only if all that it expects holds the change counts as proved.
//! 2. Prices are those of the cost model for what is kept ([`crate::money::Basis::Kept`]), taken from the runs that were
//!    tried, not estimated.
//! 3. Same scenario and seeds, same bytes, on any number of threads: trials follow each other in a fixed order.

mod change;
mod cost;
mod efficiency;
mod files;
mod gathered;
pub mod json;
mod markdown;
mod performance;
mod recorded;
mod risk;
mod schedule;
mod sizing;
#[cfg(test)]
mod tests;
mod text;
mod trial;

pub use change::Change;
pub use change::Size;
pub use files::Written;
pub use files::write;
pub use gathered::Gathering;
pub use gathered::Seen;
pub use markdown::markdown;
pub use recorded::recorded_json;
pub use recorded::recorded_text;
pub use risk::Risk;
pub use schedule::NotScheduled;
pub use sizing::Rule;
pub use sizing::sized;
pub use text::text;
pub use trial::Bench;
pub use trial::Trial;

use crate::input::scenario::Opened;
use crate::run::simulate::Breached;
use crate::units::Money;

/// What a recommendation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// More for those that lack something.
    Performance,
    /// Limits and reservations by what was used.
    RightSizing,
    /// Fewer instances, or another policy.
    Cost,
    /// Fewer instances at hours that are usually quiet.
    Schedule,
}

impl Kind {
    /// Its name, as a file or a program has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Performance => "performance",
            Self::RightSizing => "right-sizing",
            Self::Cost => "cost",
            Self::Schedule => "schedule",
        }
    }
}

/// One recommendation.
#[derive(Debug, Clone)]
pub struct Advice {
    /// What it is about.
    pub kind: Kind,
    /// What to do, in a few words.
    pub title: String,
    /// What to change.
    pub change: Change,
    /// What was measured that speaks for it, a sentence each.
    pub evidence: Vec<String>,
    /// What could go wrong.
    pub risk: Risk,
    /// The scenario with the change, over the same seeds.
    pub tried: Trial,
    /// What else was tried for the same end, the cheapest first.
    pub others: Vec<Other>,
    /// What was tried and breaks an expectation, so that it is not part of this.
    pub left_out: Vec<Other>,
}

impl Advice {
    /// Whether all that the scenario expects holds with it; a scenario that expects nothing proves nothing.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.tried.is_proof()
    }
}

/// Another way that was tried.
#[derive(Debug, Clone)]
pub struct Other {
    /// What it is.
    pub name: String,
    /// What is kept with it costs so much a month.
    pub month: Money,
    /// Names of the expectations that it breaks; none where it holds them.
    pub breaks: Vec<String>,
}

impl Other {
    fn of(name: String, tried: &Trial) -> Self {
        Self { name, month: tried.bill.kept, breaks: tried.broken() }
    }
}

/// All that is recommended for a scenario.
#[derive(Debug, Clone)]
pub struct Advised {
    /// The scenario as it is.
    pub base: Trial,
    /// What is recommended.
    pub advice: Vec<Advice>,
    /// What the reader should know of what was not recommended, and why.
    pub notes: Vec<String>,
}

/// Looks for what could be cheaper or better, and tries it.
///
/// # Errors
/// Where the engine breaks its own rules in a run.
pub fn advise(opened: &Opened, bench: &Bench<'_>) -> Result<Advised, Breached> {
    let base = bench.run(opened.resolved.scenario.clone())?;
    let mut notes = Vec::new();
    let mut advice = Vec::new();
    if base.report.passed() {
        advice.extend(sizing::advice(opened, bench, &base, &mut notes)?);
        advice.extend(cost::advice(opened, bench, &base, &mut notes)?);
        advice.extend(schedule::advice(opened, bench, &base, &mut notes)?);
    } else {
        notes.push(
            "what could be cheaper is not looked for while the scenario does not hold what it expects: change that first"
                .to_owned(),
        );
    }
    advice.extend(performance::advice(opened, bench, &base, &mut notes)?);
    if advice.len() > 1 {
        notes.push("each was tried by itself: savings do not add up. Take one, and ask again".to_owned());
    }
    if base.report.verdicts.is_empty() {
        notes.push(
            "the scenario expects nothing, so that no run can prove anything: say under `expect` what must hold"
                .to_owned(),
        );
    }
    Ok(Advised { base, advice, notes })
}
