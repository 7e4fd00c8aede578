//! `plimsoll explain`: an error at length.

use super::codes;
use super::exit::Exit;
use super::exit::Failure;
use super::format::Format;
use super::printer::HEAD;
use super::printer::Printer;
use super::printer::paint;
use crate::input::problem::Code;
use crate::input::problem::Problem;
use crate::input::problem::nearest;
use serde_json::json;

/// Explain an error code at length; without a code, list them all.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  plimsoll explain PL0107\n  plimsoll explain --json")]
pub(super) struct ExplainArgs {
    /// The code, as in `error[PL0107]`.
    code: Option<String>,
}

/// Prints one explanation, or the list of all codes.
///
/// # Errors
///
/// An unknown code, and a format that is not written.
pub(super) fn explain(args: &ExplainArgs, format: Format, printer: &mut Printer) -> Result<Exit, Failure> {
    let codes = match &args.code {
        Some(asked) => vec![find(asked)?],
        None => codes::all(),
    };
    match format {
        Format::Table if args.code.is_some() => {
            let pages: Vec<String> = codes.iter().map(|code| page(code, printer.width())).collect();
            printer.data(&pages.join("\n"));
        }
        Format::Table => codes.iter().for_each(|code| printer.data(&format!("{}  {}", code.id, code.title))),
        Format::Json => {
            let list: Vec<_> = codes
                .iter()
                .map(|code| json!({"code": code.id, "title": code.title, "explanation": code.explanation}))
                .collect();
            printer.json(&json!({"format_version": 1, "codes": list}));
        }
        Format::Csv | Format::Md | Format::Html => {
            return Err(format.refused("explain", &[Format::Table, Format::Json]));
        }
    }
    Ok(Exit::Good)
}

fn find(asked: &str) -> Result<&'static Code, Failure> {
    let known = codes::all();
    let wanted = asked.trim_start_matches("error[").trim_start_matches("warning[").trim_end_matches(']');
    if let Some(code) = known.iter().find(|code| code.id.eq_ignore_ascii_case(wanted)) {
        return Ok(code);
    }
    let meant = nearest(wanted, known.iter().map(|code| code.id));
    let message = match meant {
        Some(id) => format!("unknown code `{asked}`, did you mean `{id}`?"),
        None => format!("unknown code `{asked}`"),
    };
    Err(Problem::error(&codes::NAME, message).help("`plimsoll explain` lists all codes").into())
}

fn page(code: &Code, width: usize) -> String {
    let heading = paint(HEAD, &format!("{}: {}", code.id, code.title));
    format!("{heading}\n\n{}\n", filled(code.explanation, width))
}

/// Paragraphs broken to the width. Indented lines are examples and stay as they are.
fn filled(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let prose = !line.is_empty() && !line.starts_with(' ');
        if !prose || !open {
            lines.push(String::new());
        }
        open = prose;
        if !prose {
            lines.last_mut().expect("just pushed").push_str(line);
            continue;
        }
        for word in line.split(' ') {
            let used = lines.last().map_or(0, |line| line.chars().count());
            if used > 0 && used + 1 + word.chars().count() > width {
                lines.push(String::new());
            }
            let last = lines.last_mut().expect("never empty");
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_filled_and_examples_are_not() {
        assert_eq!(filled("one two\nthree four\n\nfive", 14), "one two three\nfour\n\nfive");
        let example = "see:\n\n    $ plimsoll simulate scenarios/peak.yaml\n\ndone";
        assert_eq!(filled(example, 20), example);
    }
}
