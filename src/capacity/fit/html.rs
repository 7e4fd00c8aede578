//! What came of it as one HTML file without network access and without script.

use super::Fit;
use super::Row;
use super::picture::picture;
use super::text::places;
use super::words;
use crate::capacity::split::Assignment;
use crate::report::css;
use crate::units::Currency;
use askama::Template;

#[derive(Template)]
#[template(path = "fit.html")]
struct Page {
    name: String,
    facts: String,
    lifted: Option<&'static str>,
    css: String,
    answers: Vec<String>,
    grows: bool,
    currencies: Vec<Table>,
    splits: Vec<Split>,
    left_out: Vec<(String, String)>,
    command: String,
}

/// The rows of a currency.
struct Table {
    currency: String,
    picture: Option<String>,
    rows: Vec<Line>,
    some_by_one_seed: bool,
}

struct Line {
    is_answer: bool,
    mark: String,
    short: String,
    offer: String,
    cpu: String,
    memory: String,
    carries: String,
    month: String,
    per_load: String,
    months: String,
    why: String,
}

/// What of a split runs where.
struct Split {
    title: String,
    lines: Vec<String>,
}

/// The page; `command` shows it again.
#[must_use]
pub fn html(fit: &Fit, command: &str) -> String {
    let page = Page {
        name: fit.scenario.name.clone(),
        facts: words::facts(fit),
        lifted: fit.question.lifted.then_some(words::LIFTED),
        css: css(),
        answers: words::answers(fit),
        grows: fit.question.growth.is_some(),
        currencies: fit.answers.iter().map(|answer| table(fit, answer.currency)).collect(),
        splits: fit.told_apart().map(|(row, assignment)| split(fit, row, assignment)).collect(),
        left_out: words::left_out(fit).into_iter().map(|(why, names)| (why.to_owned(), names.join(", "))).collect(),
        command: command.to_owned(),
    };
    page.render().expect("a template that compiled renders into memory")
}

fn table(fit: &Fit, currency: Currency) -> Table {
    Table {
        currency: currency.to_string(),
        picture: picture(fit, currency),
        some_by_one_seed: fit.rows_in(currency).any(|row| !row.all_seeds),
        rows: fit.rows_in(currency).map(|row| line(fit, row)).collect(),
    }
}

fn line(fit: &Fit, row: &Row) -> Line {
    let [mark, short, cpu, memory, carries, month, per_load, months] = words::cells(fit, row);
    Line {
        is_answer: fit.is_answer(row),
        mark,
        short,
        offer: words::title(fit, row),
        cpu,
        memory,
        carries,
        month,
        per_load,
        months,
        why: words::why(row),
    }
}

fn split(fit: &Fit, row: &Row, assignment: &Assignment) -> Split {
    let lines = places(assignment, usize::MAX).lines().map(str::to_owned).collect();
    Split { title: words::title(fit, row), lines }
}
