//! What came of it for the terminal.

use super::Fit;
use super::Plan;
use super::Row;
use super::words;
use crate::capacity::split::Assignment;
use crate::model::Offer;
use crate::model::Term;
use crate::report::Paint;
use crate::report::compare::Show;
use crate::report::folded;
use crate::units::Currency;
use std::collections::BTreeMap;

/// Rows that are shown of a currency, where not all are asked for.
const SHOWN: usize = 12;

/// The whole answer in lines of at most `width` columns.
#[must_use]
pub fn text(fit: &Fit, show: Show, width: usize, paint: Paint) -> String {
    let width = width.clamp(60, 160);
    let mut out = format!("{}\n", paint.strong(&fit.scenario.name));
    folded(&mut out, "", &words::facts(fit), width);
    if fit.question.lifted {
        folded(&mut out, "", words::LIFTED, width);
    }
    for answer in &fit.answers {
        out.push('\n');
        out.push_str(&table(fit, answer.currency, show, width, paint));
    }
    if !fit.left_out.is_empty() {
        out.push('\n');
        for (why, names) in words::left_out(fit) {
            let some = if show == Show::Everything || names.len() < 5 {
                names.join(", ")
            } else {
                format!("{} and {} more", names[..3].join(", "), names.len() - 3)
            };
            folded(&mut out, "not tried: ", &format!("{why}: {some}"), width);
        }
    }
    out.push('\n');
    for sentence in words::answers(fit) {
        folded(&mut out, "", &sentence, width);
    }
    for (row, assignment) in fit.told_apart() {
        out.push_str(&format!("\n{}\n{}", words::short(row), places(assignment, width)));
    }
    out
}

/// Which service runs where.
pub(super) fn places(assignment: &Assignment, width: usize) -> String {
    let mut hosts: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (name, host) in &assignment.host_of {
        hosts.entry(*host).or_default().push(name.as_str());
    }
    let mut out = String::new();
    for (host, names) in hosts {
        folded(&mut out, &format!("host {}: ", host + 1), &names.join(", "), width);
    }
    let proved = if assignment.proved { "the fewest there can be" } else { "the fewest that were found" };
    let calls = match assignment.crossing.as_per_second() {
        0.0 => "no calls between them".to_owned(),
        calls => format!("{calls:.1} calls a second between them, {proved}"),
    };
    folded(&mut out, "", &calls, width);
    out
}

const TITLES: [&str; 8] = ["", "offer", "cpu", "memory", "carries", "month", "per 1x", "months"];
/// Names longer than this are cut.
const NAME_MAX: usize = 40;

/// The rows of a currency: those up to the first few that hold, or all.
fn table(fit: &Fit, currency: Currency, show: Show, width: usize, paint: Paint) -> String {
    let rows: Vec<&Row> = fit.rows_in(currency).collect();
    let shown = chosen(fit, &rows, show);
    let cells: Vec<[String; 8]> = shown.iter().map(|row| words::cells(fit, row)).collect();
    let mut widths = TITLES.map(|title| title.chars().count());
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    if fit.question.growth.is_none() {
        widths[7] = 0;
    }
    widths[1] = widths[1].min(NAME_MAX);
    let line = |cells: &[String; 8]| {
        let mut text = String::new();
        for (place, (cell, width)) in cells.iter().zip(widths).enumerate().filter(|(_, (_, width))| *width > 0) {
            let cell: String = cell.chars().take(width).collect();
            let padded = if place < 2 { format!("{cell:<width$}") } else { format!("{cell:>width$}") };
            text.push_str(&padded);
            text.push_str("  ");
        }
        text.trim_end().to_owned()
    };
    let mut out = format!("{}\n", paint.faint(&line(&TITLES.map(str::to_owned))));
    for (row, cells) in shown.iter().zip(&cells) {
        let text = line(cells);
        out.push_str(&if fit.is_answer(row) { paint.good(&text) } else { text });
        out.push('\n');
        let why = words::why(row);
        if !why.is_empty() {
            folded(&mut out, "     ", &why, width);
        }
    }
    if shown.iter().any(|row| !row.all_seeds) {
        out.push_str("(✓) with the first seed only\n");
    }
    let more = rows.len() - shown.len();
    if more > 0 {
        folded(&mut out, "", &format!("{more} more in {currency}, which `--all` shows"), width);
    }
    out
}

/// The rows that tell most: the answer, what holds after it, and the dearest of those before it.
fn chosen<'a>(fit: &Fit, rows: &[&'a Row], show: Show) -> Vec<&'a Row> {
    if show == Show::Everything || rows.len() <= SHOWN {
        return rows.to_vec();
    }
    let own = &fit.scenario.host.name;
    let telling = |row: &&&Row| row.line.exact || row.offer == *own || row.plan != Plan::One;
    let mut some: Vec<usize> = (0..rows.len()).filter(|place| telling(&&rows[*place])).take(SHOWN).collect();
    let first =
        some.iter().copied().find(|place| rows[*place].holds && rows[*place].barred.is_none()).unwrap_or(rows.len());
    for place in (0..first).rev() {
        if some.len() >= SHOWN {
            break;
        }
        if !some.contains(&place) && rows[place].barred.is_none() {
            some.push(place);
        }
    }
    some.sort_unstable();
    some.into_iter().map(|place| rows[place]).collect()
}

/// The offers there are, a line each.
#[must_use]
pub fn list(offers: &BTreeMap<String, Offer>, term: Term) -> String {
    let mut out = String::new();
    for (name, offer) in offers {
        let size = offer.host.as_ref().map_or_else(
            |_| "not ranked".to_owned(),
            |host| format!("{} CPU {:>5.1} GiB", host.capacity(), host.memory.get() as f64 / 1_073_741_824.0),
        );
        let cpu = offer.cpu.map_or("", crate::model::CpuKind::name);
        let month = words::money(offer.month(term));
        let line = format!("{name:<34}{size:>18}  {cpu:<10}{month:>12}  {:<8}{}", offer.kind.name(), offer.price.seen);
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
