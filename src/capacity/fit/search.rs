//! The search for load lines, of many hosts at once: in rounds, in which each host is run at the multiple that tells most.

use super::bench::Bench;
use super::bench::Which;
use crate::run::simulate::Breached;
use crate::units::Permille;

/// Between these multiples a load line is looked for.
const LEAST: u64 = 100;
const MOST: u64 = 20_000;
/// A load line is known when what holds and what does not are this near, in thousandths.
const NEAR: u64 = 30;
/// Multiples are in these steps.
const STEP: u64 = 10;
/// How often a line that does not hold with all seeds is moved down.
const DOWN_MAX: usize = 12;

/// How far a host carries the load, as multiples of what is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Line {
    /// The largest multiple that was seen to hold.
    pub holds: Option<Permille>,
    /// The smallest that was seen not to hold, above it.
    pub breaks: Option<Permille>,
    /// Looked for until both are near each other, and what holds was tried with all seeds.
    pub exact: bool,
}

impl Line {
    /// What is known of a variant by the runs with the first seed, and with all seeds where those were made.
    pub(super) fn known(bench: &Bench<'_>, variant: usize, tried: &[Permille]) -> Self {
        let held = |multiple: &&Permille| bench.held(variant, **multiple, Which::All) == Some(true);
        let broke = |multiple: &&Permille| bench.held(variant, **multiple, Which::All) == Some(false);
        let breaks = tried.iter().filter(broke).min().copied();
        let below = |multiple: &&Permille| breaks.is_none_or(|breaks| **multiple < breaks);
        Self { holds: tried.iter().filter(held).filter(below).max().copied(), breaks, exact: false }
    }

    /// The multiple to try next; `None` where the line is known well enough, or there is none within reach.
    fn next(&self, begin: Permille) -> Option<Permille> {
        let multiple = match (self.holds.map(Permille::get), self.breaks.map(Permille::get)) {
            (None, None) => begin.get(),
            (Some(holds), None) => (holds * 3 / 2).min(MOST),
            (None, Some(breaks)) => (breaks * 2 / 3).max(LEAST),
            (Some(holds), Some(breaks)) if (breaks - holds) * 1000 > holds * NEAR => u64::midpoint(holds, breaks),
            _ => return None,
        };
        let multiple = Permille::new(multiple / STEP * STEP);
        let is_new = Some(multiple) != self.holds && Some(multiple) != self.breaks;
        (is_new && multiple.get() > 0).then_some(multiple)
    }
}

/// Load lines of these variants. `tried` are the multiples that each was run at, and is added to.
///
/// # Errors
/// Where the engine breaks its own rules.
pub(super) fn lines(
    bench: &mut Bench<'_>,
    variants: &[usize],
    tried: &mut [Vec<Permille>],
    begin: Permille,
) -> Result<Vec<Line>, Breached> {
    // Monotone: who holds a load holds a smaller one. The first seed looks for the line, and all seeds say whether it holds.
    loop {
        let next = |variant: &usize| Some((*variant, Line::known(bench, *variant, &tried[*variant]).next(begin)?));
        let round: Vec<(usize, Permille)> = variants.iter().filter_map(next).collect();
        if round.is_empty() {
            break;
        }
        bench.run(&round, Which::First)?;
        round.iter().for_each(|(variant, multiple)| tried[*variant].push(*multiple));
    }
    for _ in 0..DOWN_MAX {
        let known = |variant: &usize| Some((*variant, Line::known(bench, *variant, &tried[*variant]).holds?));
        let round: Vec<(usize, Permille)> = variants.iter().filter_map(known).collect();
        bench.run(&round, Which::All)?;
        let mut down = Vec::new();
        for (variant, multiple) in round {
            if bench.held(variant, multiple, Which::All) == Some(false) {
                let lower = Permille::new((multiple.get() * 97 / 100 / STEP * STEP).max(STEP));
                let better = Line::known(bench, variant, &tried[variant]).holds.is_none_or(|holds| holds < lower);
                if better {
                    down.push((variant, lower));
                }
            }
        }
        bench.run(&down, Which::All)?;
        down.iter().for_each(|(variant, multiple)| tried[*variant].push(*multiple));
        let is_settled = |variant: &usize| {
            let line = Line::known(bench, *variant, &tried[*variant]);
            line.holds.is_none_or(|holds| bench.ran(*variant, holds, Which::All).count() == bench.count(Which::All))
        };
        if down.is_empty() && variants.iter().all(is_settled) {
            break;
        }
    }
    let line = |variant: &usize| Line { exact: true, ..Line::known(bench, *variant, &tried[*variant]) };
    Ok(variants.iter().map(line).collect())
}
