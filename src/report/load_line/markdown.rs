//! Load lines as Markdown.

use super::Answer;
use super::End;
use super::LoadLine;
use super::words;
use crate::report::markdown::cell;

/// All of it: a table of the hosts, then each at length.
#[must_use]
pub fn markdown(answer: &Answer) -> String {
    let mut out = format!("## {}\n\n{}\n", cell(&answer.scenario.name), cell(&words::facts(answer)));
    for note in words::notes(answer) {
        out.push_str(&format!("\n{}\n", cell(&note)));
    }
    out.push_str(
        "\n| host | load line | interval | breaks first | on | price a month |\n|---|---:|---:|---|---|---:|\n",
    );
    for line in &answer.lines {
        let host = &line.scenario.host;
        let price = host.price.as_ref().map(|price| price.month.to_string()).unwrap_or_default();
        let cells = [
            host.name.clone(),
            words::short(line),
            words::interval(line),
            words::breaks_first(line),
            words::breaks_on(line),
            price,
        ];
        out.push_str(&format!("| {} |\n", cells.map(|text| cell(&text)).join(" | ")));
    }
    for sentence in words::together(answer) {
        out.push_str(&format!("\n{}\n", cell(&sentence)));
    }
    for line in &answer.lines {
        out.push_str(&format!("\n### {}\n\n", cell(&line.scenario.host.title)));
        for sentence in at_length(line) {
            out.push_str(&format!("- {}\n", cell(&sentence)));
        }
    }
    out.push_str(&format!("\n`{}`\n", answer.command.replace('`', "'")));
    out
}

/// Everything that there is to say of a host, sentence by sentence.
pub(super) fn at_length(line: &LoadLine) -> Vec<String> {
    let mut sentences = vec![words::answer(line)];
    if let End::Line(found) = &line.end {
        sentences.extend(words::trust(found));
    }
    sentences.extend(words::failing(line));
    if let Some(breaks) = &line.breaks {
        let at = format!("Breaks at {}, seed {}", super::multiple(breaks.multiple), breaks.seed.get());
        sentences.extend(words::failures(breaks).into_iter().map(|failure| format!("{at}: {failure}")));
        sentences.extend(words::bottleneck(breaks));
    }
    sentences
}
