//! A comparison as Markdown: a table for each group of figures.

use super::Comparison;
use super::Group;
use super::Measure;
use super::lines;
use super::words;
use crate::report::markdown::cell;

/// The whole comparison.
#[must_use]
pub fn markdown(comparison: &Comparison) -> String {
    let setting = &comparison.setting;
    let scenario = &setting.scenario;
    let subjects: Vec<&str> = setting.frame.subjects.iter().map(|name| name.as_str()).collect();
    let mut out = format!("## {}\n\n", cell(&scenario.name));
    out.push_str(&format!(
        "{}, {} each, {}, policies of {}\n\n",
        cell(&scenario.host.title),
        scenario.duration,
        lines::seeds(comparison),
        cell(&subjects.join(", "))
    ));
    if let Some(levels) = words::service_levels(comparison) {
        out.push_str(&format!("- SLO: `{}`\n", levels.replace('`', "'")));
    }
    for note in words::notes(comparison) {
        out.push_str(&format!("- {}\n", cell(&note)));
    }
    for group in Group::ALL {
        let measures: Vec<Measure> = comparison.measures(group).collect();
        if measures.is_empty() {
            continue;
        }
        let heads: Vec<&str> = measures.iter().map(|measure| measure.head()).collect();
        out.push_str(&format!("\n### {}\n\n", group.title()));
        out.push_str(&format!("| | policy | {} |\n|---|---|{}\n", heads.join(" | "), "---:|".repeat(heads.len())));
        for row in &comparison.rows {
            let cells: Vec<String> = measures.iter().map(|measure| lines::cell(row, *measure)).collect();
            out.push_str(&format!("| {} | {} | {} |\n", lines::sign(row), cell(&row.name), cells.join(" | ")));
        }
        let compared = lines::compared(comparison);
        if compared.is_empty() {
            continue;
        }
        let title = cell(&lines::difference_title(comparison));
        let heads = heads.join(" | ");
        out.push_str(&format!("\n{title}:\n\n| policy | {heads} |\n|---|{}\n", "---:|".repeat(measures.len())));
        for row in compared {
            let cells: Vec<String> = measures.iter().map(|measure| lines::difference(row, *measure)).collect();
            out.push_str(&format!("| {} | {} |\n", cell(&row.name), cells.join(" | ")));
        }
    }
    out.push_str(&format!("\n{}\n", lines::legend(comparison)));
    for sentence in words::closing(comparison) {
        out.push_str(&format!("\n{}\n", cell(&sentence)));
    }
    out
}
