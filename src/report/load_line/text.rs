//! Load lines for the terminal.

use super::Answer;
use super::End;
use super::LoadLine;
use super::words;
use crate::report::columns::Columns;
use crate::report::text::Paint;
use crate::report::text::clean;
use crate::report::text::folded;

/// All of it in lines of at most `width` columns where names allow it.
#[must_use]
pub fn text(answer: &Answer, width: usize, paint: Paint) -> String {
    let width = width.clamp(60, 160);
    let mut out = format!("{}\n", paint.strong(&clean(&answer.scenario.name)));
    folded(&mut out, "", &words::facts(answer), width);
    for note in words::notes(answer) {
        folded(&mut out, "", &note, width);
    }
    out.push('\n');
    if let [line] = &answer.lines[..] {
        one(&mut out, line, (width, paint));
        return out;
    }
    out.push_str(&table(answer, width, paint));
    out.push('\n');
    for sentence in words::together(answer) {
        folded(&mut out, "", &sentence, width);
    }
    let shown = answer.path.replace('\\', "/");
    folded(
        &mut out,
        "",
        &format!("One host at length: plimsoll capacity {} --host NAME", crate::report::quoted(&shown)),
        width,
    );
    out
}

/// One host at length.
fn one(out: &mut String, line: &LoadLine, (width, paint): (usize, Paint)) {
    let sentence = words::answer(line);
    let mut head = String::new();
    folded(&mut head, "", &sentence, width);
    out.push_str(&if line.holds_expected { paint.good(head.trim_end()) } else { paint.bad(head.trim_end()) });
    out.push('\n');
    if let End::Line(found) = &line.end {
        for sentence in words::trust(found) {
            folded(out, "", &sentence, width);
        }
    }
    if let Some(sentence) = words::failing(line) {
        folded(out, "", &sentence, width);
    }
    if let Some(breaks) = &line.breaks {
        out.push('\n');
        out.push_str(&format!("Breaks at {}, seed {}:\n", super::multiple(breaks.multiple), breaks.seed.get()));
        for failure in words::failures(breaks) {
            folded(out, "  ", &failure, width);
        }
        for sentence in words::bottleneck(breaks) {
            folded(out, "", &sentence, width);
        }
    }
}

fn table(answer: &Answer, width: usize, paint: Paint) -> String {
    let head = ["host", "load line", "interval", "breaks first", "on", "price a month"];
    let rows: Vec<[String; 6]> = answer.lines.iter().map(row).collect();
    let columns = Columns::new(&head, rows.iter(), &[2, 5, 4], 12, width);
    let mut out = format!("{}\n", paint.faint(columns.line(&head).trim_end()));
    for (line, row) in answer.lines.iter().zip(&rows) {
        let text = columns.line(row);
        let text = text.trim_end();
        out.push_str(&if line.holds_expected { format!("{text}\n") } else { format!("{}\n", paint.bad(text)) });
    }
    out
}

fn row(line: &LoadLine) -> [String; 6] {
    let host = &line.scenario.host;
    let mark = if line.holds_expected { "✓" } else { "✗" };
    [
        format!("{mark} {}", clean(&host.name)),
        words::short(line),
        words::interval(line),
        clean(&words::breaks_first(line)),
        words::breaks_on(line),
        host.price.as_ref().map(|price| price.month.to_string()).unwrap_or_default(),
    ]
}
