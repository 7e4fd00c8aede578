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
        Format::Table if args.code.is_some() => codes.iter().for_each(|code| printer.data(&page(code))),
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

fn page(code: &Code) -> String {
    format!("{}\n\n{}\n", paint(HEAD, &format!("{}: {}", code.id, code.title)), code.explanation)
}
