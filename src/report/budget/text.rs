//! A budget for the terminal.

use super::view::Row;
use super::view::Tier;
use super::view::View;
use super::view::view;
use crate::model::Budget;
use crate::report::columns::Columns;
use crate::report::text::Paint;
use crate::report::text::clean;
use crate::report::text::folded;

const TITLES: [&str; 8] = ["service", "cpu limit", "cpu kept", "memory limit", "memory kept", "needs", "pids", "why"];

/// The whole budget in lines of at most `width` columns where names allow it.
#[must_use]
pub fn text(budget: &Budget, width: usize, paint: Paint) -> String {
    let width = width.clamp(60, 160);
    let view = view(budget);
    let title = clean(&view.title);
    let gap = if title.chars().count() + 2 + view.host.chars().count() <= width { "  " } else { "\n" };
    let mut out = format!("{}{gap}{}\n\n", paint.strong(&title), view.host);
    pools(&mut out, &view, paint);
    sums(&mut out, &view, paint);
    tiers(&mut out, &view, width, paint);
    if !view.off.is_empty() {
        out.push_str(&format!("\n{}\n", paint.strong("switched off")));
        for (name, why) in &view.off {
            folded(&mut out, &format!("  {}: ", clean(name)), why, width);
        }
    }
    out.push('\n');
    for note in &view.notes {
        folded(&mut out, "note: ", note, width);
    }
    let (good, verdict) = &view.verdict;
    let mut line = String::new();
    folded(&mut line, if *good { "✓ " } else { "✗ " }, verdict, width);
    let line = line.trim_end();
    out.push_str(&if *good { paint.good(line) } else { paint.bad(line) });
    out.push('\n');
    out
}

fn pools(out: &mut String, view: &View, paint: Paint) {
    out.push_str(&format!("{}\n", paint.faint(&format!("{:<22}{:<30}{}", "", "cpu", "memory"))));
    for (name, cpu, memory) in &view.pools {
        let from =
            if *name == "reserve" { paint.faint(&format!("   {}", clean(&view.reserve_from))) } else { String::new() };
        out.push_str(format!("{name:<22}{cpu:<30}{memory:<9}{from}").trim_end());
        out.push('\n');
    }
    out.push('\n');
}

fn sums(out: &mut String, view: &View, paint: Paint) {
    for sum in &view.sums {
        let part = |part: &super::view::Part| {
            let word = if part.over { paint.warn(part.word) } else { paint.good(part.word) };
            (format!("{:<8}{:>5}  ", part.amount, part.times), word, part.word.chars().count())
        };
        let (cpu, cpu_word, size) = part(&sum.cpu);
        let (memory, memory_word, _) = part(&sum.memory);
        let gap = " ".repeat(15_usize.saturating_sub(size).max(2));
        out.push_str(&format!("{:<22}{cpu}{cpu_word}{gap}{memory}{memory_word}\n", sum.name));
    }
}

fn cells(row: &Row) -> [String; 8] {
    [
        clean(&row.name),
        row.cpu.words(),
        row.cpu_kept.words(),
        row.memory.words(),
        row.memory_kept.words(),
        row.need.clone(),
        row.pids.words(),
        row.why.clone(),
    ]
}

/// One table in parts, so that all columns stand below each other; what does not fit is left out, the least telling
/// columns first, and the reasons go below their service.
fn tiers(out: &mut String, view: &View, width: usize, paint: Paint) {
    let rows: Vec<Vec<[String; 8]>> = view.tiers.iter().map(|tier| tier.rows.iter().map(cells).collect()).collect();
    let totals: Vec<[String; 8]> = view.tiers.iter().map(subtotal).collect();
    let columns = Columns::new(&TITLES, rows.iter().flatten().chain(&totals), &[7, 6, 5, 2, 4], 10, width);
    let below = !columns.shows(7);
    for ((tier, rows), total) in view.tiers.iter().zip(&rows).zip(&totals) {
        let head = format!("tier {} {}", tier.number, tier.name);
        out.push_str(&format!("\n{}  {}\n", paint.strong(&head), paint.faint(tier.target)));
        out.push_str(&format!("{}\n", paint.faint(&columns.line(&TITLES))));
        for (row, cells) in tier.rows.iter().zip(rows) {
            let text = columns.line(cells);
            let changed = row.cpu.changed || row.memory.changed;
            out.push_str(&if changed { paint.changed(&text) } else { text });
            out.push('\n');
            if below && !row.why.is_empty() {
                let mut why = String::new();
                folded(&mut why, "    ", &row.why, width);
                out.push_str(&paint.faint(why.trim_end()));
                out.push('\n');
            }
        }
        out.push_str(&format!("{}\n", paint.faint(&columns.line(total))));
    }
}

fn subtotal(tier: &Tier) -> [String; 8] {
    let [cpu, cpu_kept, memory, memory_kept] = tier.subtotal.clone();
    ["together".to_owned(), cpu, cpu_kept, memory, memory_kept, String::new(), String::new(), String::new()]
}
