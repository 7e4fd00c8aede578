//! Cells of the tables, the same for every form.

use super::Comparison;
use super::Measure;
use super::Row;
use super::Standing;
use crate::report::figure::rounded;

/// The sign of a policy on the front.
pub(super) const ON_FRONT: &str = "◆";

/// A figure with its interval, and a sign where it differs from the base's by more than luck; `-` where there is none.
pub(super) fn cell(row: &Row, measure: Measure) -> String {
    let Some(estimate) = row.figures.get(&measure) else { return "-".to_owned() };
    let text = measure.text(estimate.mean, estimate.half());
    match estimate.difference {
        Some(difference) if difference.is_sure() => format!("{text} {}", if difference.mean < 0.0 { "↓" } else { "↑" }),
        _ => text,
    }
}

/// The difference from the base's figure, seed by seed: `-1.2% ±0.3, p 0.01`; empty where there is none.
pub(super) fn difference(row: &Row, measure: Measure) -> String {
    let Some(difference) = row.figures.get(&measure).and_then(|estimate| estimate.difference) else {
        return String::new();
    };
    let half = difference.paired.map(|paired| paired.difference.high - paired.difference.mean);
    let plus = if difference.mean > 0.0 { "+" } else { "" };
    let p_value = match difference.p_value {
        Some(p_value) if p_value < 0.001 => ", p < 0.001".to_owned(),
        Some(p_value) => format!(", p {}", rounded(p_value, 2)),
        None => String::new(),
    };
    format!("{plus}{}{p_value}", measure.text(difference.mean, half))
}

/// The rows that are compared with the base, where there are seeds enough to say more than its figures do.
pub(super) fn compared(comparison: &Comparison) -> Vec<&Row> {
    let is_other = |row: &&Row| row.name != comparison.base;
    if comparison.seeds.len() > 1 { comparison.rows.iter().filter(is_other).collect() } else { Vec::new() }
}

/// What stands above differences.
pub(super) fn difference_title(comparison: &Comparison) -> String {
    format!("difference from {}, seed by seed; of shares, in percentage points", comparison.base)
}

/// The sign before a policy's name.
pub(super) fn sign(row: &Row) -> &'static str {
    if row.standing == Standing::OnFront { ON_FRONT } else { "" }
}

/// What the signs say.
pub(super) fn legend(comparison: &Comparison) -> String {
    let mut parts = Vec::new();
    if comparison.plane.is_some() {
        parts.push(format!("{ON_FRONT}: on the front"));
    }
    if comparison.seeds.len() > 1 {
        parts.push("±: 95% interval of the mean".to_owned());
    }
    if comparison.seeds.len() > 1 && comparison.rows.len() > 1 {
        parts.push(format!("↓ ↑: below or above {} (p < 5%)", comparison.base));
    }
    let order = if comparison.plane.is_some() { "SLO broken, then cost" } else { "cost" };
    parts.push(format!("sorted by {order}"));
    parts.join("; ")
}

/// Seeds in words: `seed 1`, `seeds 1..5`.
pub(super) fn seeds(comparison: &Comparison) -> String {
    let numbers: Vec<u64> = comparison.seeds.iter().map(|seed| seed.get()).collect();
    match numbers[..] {
        [one] => format!("seed {one}"),
        [first, .., last] if last - first + 1 == numbers.len() as u64 => format!("seeds {first}..{last}"),
        _ => format!("seeds {}", numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(",")),
    }
}
