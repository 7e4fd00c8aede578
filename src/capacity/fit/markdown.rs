//! What came of it as Markdown.

use super::Fit;
use super::words;

/// The whole answer: a table for each currency, and the words.
#[must_use]
pub fn markdown(fit: &Fit) -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let mut out = format!("## {}\n", cell(&fit.scenario.name));
    if fit.question.lifted {
        out.push_str(&format!("\n{}\n", words::LIFTED));
    }
    for answer in &fit.answers {
        out.push_str("\n| holds | offer | carries | month | per 1x | why not |\n|---|---|---:|---:|---:|---|\n");
        for row in fit.rows_in(answer.currency) {
            let cells = [
                words::mark(row).to_owned(),
                words::title(fit, row),
                words::line(&row.line),
                words::money(row.ranked),
                row.per_load().map(words::money).unwrap_or_default(),
                words::why(row),
            ];
            out.push_str(&format!("| {} |\n", cells.map(|text| cell(&text)).join(" | ")));
        }
    }
    for sentence in words::answers(fit) {
        out.push_str(&format!("\n{}\n", sentence));
    }
    out
}
