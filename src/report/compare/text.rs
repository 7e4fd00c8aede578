//! A comparison for the terminal: one table, and what it comes to in words.

use super::Comparison;
use super::Group;
use super::Measure;
use super::Row;
use super::lines;
use super::words;
use crate::report::text::Paint;
use crate::report::text::clean;
use crate::report::text::folded;

/// How much of a comparison is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// What tells most, in one table.
    Telling,
    /// Everything, in a table for each group.
    Everything,
}

/// What tells most, and the order in which it gives way where the screen is too narrow, the last one first.
const TELLING: [Measure; 10] = [
    Measure::BrokenTime,
    Measure::Cost,
    Measure::P95,
    Measure::InstanceHours,
    Measure::Deviation,
    Measure::Actions,
    Measure::BrokenRequests,
    Measure::CpuSlack,
    Measure::Flaps,
    Measure::TimeUnder,
];

/// Names longer than this are cut.
const NAME_MAX: usize = 32;

/// The whole comparison in lines of at most `width` columns.
#[must_use]
pub fn text(comparison: &Comparison, show: Show, width: usize, paint: Paint) -> String {
    let width = width.clamp(60, 160);
    let setting = &comparison.setting;
    let scenario = &setting.scenario;
    let subjects: Vec<&str> = setting.frame.subjects.iter().map(|name| name.as_str()).collect();
    let mut out = format!("{}\n", paint.strong(&clean(&scenario.name)));
    let facts = format!(
        "{}, {} each, {}, policies of {}",
        scenario.host.title,
        scenario.duration,
        lines::seeds(comparison),
        subjects.join(", ")
    );
    folded(&mut out, "", &facts, width);
    if let Some(levels) = words::service_levels(comparison) {
        folded(&mut out, "SLO: ", &levels, width);
    }
    for note in words::notes(comparison) {
        folded(&mut out, "", &note, width);
    }
    match show {
        Show::Telling => {
            out.push('\n');
            let has = |measure: &Measure| comparison.rows.iter().any(|row| row.figures.contains_key(measure));
            let telling: Vec<Measure> = TELLING.into_iter().filter(has).collect();
            let rows: Vec<&Row> = comparison.rows.iter().collect();
            out.push_str(&table(&rows, &telling, lines::cell, (width, paint)).0);
        }
        Show::Everything => {
            for group in Group::ALL {
                let measures: Vec<Measure> = comparison.measures(group).collect();
                if measures.is_empty() {
                    continue;
                }
                let rows: Vec<&Row> = comparison.rows.iter().collect();
                out.push_str(&format!("\n{}\n", paint.strong(group.title())));
                out.push_str(&tables(&rows, &measures, lines::cell, (width, paint)));
                let compared = lines::compared(comparison);
                if !compared.is_empty() {
                    out.push('\n');
                    folded(&mut out, "", &lines::difference_title(comparison), width);
                    out.push_str(&tables(&compared, &measures, lines::difference, (width, paint)));
                }
            }
        }
    }
    folded(&mut out, "", &lines::legend(comparison), width);
    out.push('\n');
    for sentence in words::closing(comparison) {
        folded(&mut out, "", &sentence, width);
    }
    out
}

/// What a cell says of a measure.
type Cell = fn(&Row, Measure) -> String;

/// The rows with all of these measures, in as many tables as it takes.
fn tables(rows: &[&Row], measures: &[Measure], cell: Cell, (width, paint): (usize, Paint)) -> String {
    let (mut out, mut left) = (String::new(), measures);
    while !left.is_empty() {
        let (text, shown) = table(rows, left, cell, (width, paint));
        out.push_str(&text);
        left = left.get(shown..).unwrap_or_default();
    }
    out
}

/// The rows with these measures, in the order of the groups, and how many of them there is room for; the last ones give way
/// where a line is too wide.
fn table(rows: &[&Row], measures: &[Measure], cell: Cell, (width, paint): (usize, Paint)) -> (String, usize) {
    let size = |text: &str| text.chars().count();
    let cells = |measure: Measure| {
        let cells = rows.iter().map(|row| cell(row, measure));
        std::iter::once(measure.head().to_owned()).chain(cells).collect::<Vec<_>>()
    };
    let name = |name: &str| {
        let name = clean(name);
        if size(&name) <= NAME_MAX { name } else { name.chars().take(NAME_MAX - 1).chain(['…']).collect() }
    };
    let signed = rows.iter().map(|row| format!("{:<2}{}", lines::sign(row), name(&row.name)));
    let mut columns = vec![(None, std::iter::once("  policy".to_owned()).chain(signed).collect::<Vec<_>>())];
    columns.extend(measures.iter().map(|measure| (Some(*measure), cells(*measure))));
    let wide = |column: &(Option<Measure>, Vec<String>)| column.1.iter().map(|cell| size(cell)).max().unwrap_or(0);
    while columns.len() > 2 && columns.iter().map(|column| wide(column) + 2).sum::<usize>() > width.saturating_add(2) {
        columns.pop();
    }
    columns.sort_by_key(|(measure, _)| *measure);
    let widths: Vec<usize> = columns.iter().map(wide).collect();
    let mut out = String::new();
    for line in 0..=rows.len() {
        let cells = columns.iter().zip(&widths).map(|((_, cells), width)| format!("{:<width$}", cells[line]));
        let text = cells.collect::<Vec<_>>().join("  ").trim_end().to_owned();
        out.push_str(&if line == 0 { paint.faint(&text) } else { text });
        out.push('\n');
    }
    (out, widths.len() - 1)
}
