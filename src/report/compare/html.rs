//! A comparison as one HTML file without network access and without script: what it comes to, the picture, the tables.

use super::Comparison;
use super::Group;
use super::Measure;
use super::Row;
use super::lines;
use super::words;
use crate::report::plot;
use askama::Template;

#[derive(Template)]
#[template(path = "compare.html")]
struct Page {
    name: String,
    facts: String,
    css: String,
    levels: Option<String>,
    notes: Vec<String>,
    closing: Vec<String>,
    picture: String,
    legend: String,
    base: String,
    groups: Vec<Table>,
    command: String,
}

struct Table {
    title: &'static str,
    measures: Vec<Measure>,
    rows: Vec<Line>,
}

struct Line {
    sign: &'static str,
    name: String,
    /// The figure, and its difference from the base's.
    cells: Vec<(String, String)>,
}

/// The page.
#[must_use]
pub fn html(comparison: &Comparison) -> String {
    let setting = &comparison.setting;
    let scenario = &setting.scenario;
    let subjects: Vec<&str> = setting.frame.subjects.iter().map(|name| name.as_str()).collect();
    let page = Page {
        name: scenario.name.clone(),
        facts: format!(
            "{} · {} each · {} · policies of {}",
            scenario.host.title,
            scenario.duration,
            lines::seeds(comparison),
            subjects.join(", ")
        ),
        css: plot::css(),
        levels: words::service_levels(comparison),
        notes: words::notes(comparison),
        closing: words::closing(comparison),
        picture: plot::comparison(comparison),
        legend: lines::legend(comparison),
        base: comparison.base.clone(),
        groups: Group::ALL.into_iter().filter_map(|group| table(comparison, group)).collect(),
        command: setting.command.clone(),
    };
    page.render().expect("a template that compiled renders into memory")
}

fn table(comparison: &Comparison, group: Group) -> Option<Table> {
    let measures: Vec<Measure> = comparison.measures(group).collect();
    let line = |row: &Row| Line {
        sign: lines::sign(row),
        name: row.name.clone(),
        cells: measures.iter().map(|measure| (lines::cell(row, *measure), difference(row, *measure))).collect(),
    };
    let rows = comparison.rows.iter().map(line).collect();
    (!measures.is_empty()).then_some(Table { title: group.title(), measures, rows })
}

/// A difference that breaks before its p value, if at all.
fn difference(row: &Row, measure: Measure) -> String {
    lines::difference(row, measure).replace(", p ", ", p\u{a0}").replace("< ", "<\u{a0}")
}
