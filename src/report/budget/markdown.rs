//! A budget as Markdown, for a pull request.

use super::beside::Beside;
use super::beside::beside_markdown;
use super::view::view;
use crate::model::Budget;
use crate::report::markdown::cell;

/// The whole budget.
#[must_use]
pub fn markdown(budget: &Budget, beside: &Beside) -> String {
    let view = view(budget);
    let (good, verdict) = &view.verdict;
    let mut out = format!("## {} {}\n\n", if *good { "✓" } else { "✗" }, cell(&view.title));
    out.push_str(&format!("{}; {}\n\n", cell(&view.host), cell(verdict)));
    out.push_str("| | CPU | memory |\n|---|---:|---:|\n");
    for (name, cpu, memory) in &view.pools {
        let from = if *name == "reserve" { format!(" ({})", cell(&view.reserve_from)) } else { String::new() };
        out.push_str(&format!("| {name}{from} | {cpu} | {memory} |\n"));
    }
    for sum in &view.sums {
        let part = |part: &super::view::Part| {
            let word = if part.over { format!("**{}**", part.word) } else { part.word.to_owned() };
            format!("{}, {} {word}", part.amount, part.times)
        };
        out.push_str(&format!("| {} | {} | {} |\n", sum.name, part(&sum.cpu), part(&sum.memory)));
    }
    for tier in &view.tiers {
        out.push_str(&format!("\n### Tier {} {} ({})\n\n", tier.number, tier.name, tier.target));
        out.push_str("| service | CPU limit | CPU kept | memory limit | memory kept | needs | pids | why |\n");
        out.push_str("|---|---|---|---|---|---:|---|---|\n");
        for row in &tier.rows {
            let [cpu, cpu_kept, memory, memory_kept, pids] =
                [&row.cpu, &row.cpu_kept, &row.memory, &row.memory_kept, &row.pids].map(super::view::Change::words);
            out.push_str(&format!(
                "| {} | {cpu} | {cpu_kept} | {memory} | {memory_kept} | {} | {pids} | {} |\n",
                cell(&row.name),
                row.need,
                cell(&row.why)
            ));
        }
        let [cpu, cpu_kept, memory, memory_kept] = &tier.subtotal;
        out.push_str(&format!("| **together** | {cpu} | {cpu_kept} | {memory} | {memory_kept} | | | |\n"));
    }
    if !view.off.is_empty() {
        out.push_str("\n### Switched off\n\n");
        for (name, why) in &view.off {
            out.push_str(&format!("- {}: {}\n", cell(name), cell(why)));
        }
    }
    if !view.notes.is_empty() {
        out.push('\n');
        for note in &view.notes {
            out.push_str(&format!("- {}\n", cell(note)));
        }
    }
    out + &beside_markdown(beside)
}
