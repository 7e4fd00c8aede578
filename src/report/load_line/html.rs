//! Load lines as one HTML file without network access and without script.

use super::Answer;
use super::LoadLine;
use super::markdown::at_length;
use super::words;
use crate::report::plot;
use askama::Template;

#[derive(Template)]
#[template(path = "capacity.html")]
struct Page {
    name: String,
    facts: String,
    css: String,
    notes: Vec<String>,
    together: Vec<String>,
    rows: Vec<[String; 6]>,
    hosts: Vec<Host>,
    command: String,
}

struct Host {
    title: String,
    sentences: Vec<String>,
    picture: Option<String>,
}

/// The page.
#[must_use]
pub fn html(answer: &Answer) -> String {
    let page = Page {
        name: answer.scenario.name.clone(),
        facts: words::facts(answer),
        css: plot::css(),
        notes: words::notes(answer),
        together: words::together(answer),
        rows: answer.lines.iter().map(row).collect(),
        hosts: answer.lines.iter().map(host).collect(),
        command: answer.command.clone(),
    };
    page.render().expect("a template that compiled renders into memory")
}

fn row(line: &LoadLine) -> [String; 6] {
    let host = &line.scenario.host;
    [
        format!("{} {}", if line.holds_expected { "✓" } else { "✗" }, host.title),
        words::short(line),
        words::interval(line),
        words::breaks_first(line),
        words::breaks_on(line),
        host.price.as_ref().map(|price| price.month.to_string()).unwrap_or_default(),
    ]
}

fn host(line: &LoadLine) -> Host {
    Host { title: line.scenario.host.title.clone(), sentences: at_length(line), picture: plot::margins(line) }
}
