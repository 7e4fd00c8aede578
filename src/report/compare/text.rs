//! A comparison for the terminal: one table, and what it comes to in words.

use super::Comparison;
use super::Group;
use super::Measure;
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
            out.push_str(&table(comparison, &telling, width, paint));
        }
        Show::Everything => {
            for group in Group::ALL {
                let measures: Vec<Measure> = comparison.measures(group).collect();
                if !measures.is_empty() {
                    out.push_str(&format!("\n{}\n", paint.strong(group.title())));
                    out.push_str(&table(comparison, &measures, usize::MAX, paint));
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

/// The rows with these measures, in the order of the groups; the last ones give way where a line is too wide.
fn table(comparison: &Comparison, measures: &[Measure], width: usize, paint: Paint) -> String {
    let size = |text: &str| text.chars().count();
    let cells = |measure: Measure| {
        let cells = comparison.rows.iter().map(|row| lines::cell(row, measure));
        std::iter::once(measure.head().to_owned()).chain(cells).collect::<Vec<_>>()
    };
    let name = |name: &str| {
        let name = clean(name);
        if size(&name) <= NAME_MAX { name } else { name.chars().take(NAME_MAX - 1).chain(['…']).collect() }
    };
    let signed = comparison.rows.iter().map(|row| format!("{:<2}{}", lines::sign(row), name(&row.name)));
    let mut columns = vec![(None, std::iter::once("  policy".to_owned()).chain(signed).collect::<Vec<_>>())];
    columns.extend(measures.iter().map(|measure| (Some(*measure), cells(*measure))));
    let wide = |column: &(Option<Measure>, Vec<String>)| column.1.iter().map(|cell| size(cell)).max().unwrap_or(0);
    while columns.len() > 2 && columns.iter().map(|column| wide(column) + 2).sum::<usize>() > width.saturating_add(2) {
        columns.pop();
    }
    columns.sort_by_key(|(measure, _)| *measure);
    let widths: Vec<usize> = columns.iter().map(wide).collect();
    let mut out = String::new();
    for line in 0..=comparison.rows.len() {
        let cells = columns.iter().zip(&widths).map(|((_, cells), width)| format!("{:<width$}", cells[line]));
        let text = cells.collect::<Vec<_>>().join("  ").trim_end().to_owned();
        out.push_str(&if line == 0 { paint.faint(&text) } else { text });
        out.push('\n');
    }
    out
}
