//! `plimsoll schema`: the JSON schemas of our file formats.

use super::codes;
use super::exit::Exit;
use super::exit::Failure;
use super::output;
use super::printer::Printer;
use crate::input::problem::Problem;
use crate::input::problem::nearest;
use crate::input::schemas;
use std::path::PathBuf;

/// Print the JSON schema of a file format, for editors; without a name, list the formats.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  plimsoll schema scenario > scenario.json
  plimsoll schema --out .vscode/schemas

An editor with YAML support completes and checks a file that begins with
  # yaml-language-server: $schema=scenario.json")]
pub(super) struct SchemaArgs {
    /// The format.
    #[arg(conflicts_with = "out")]
    name: Option<String>,
    /// Write all schemas to this directory, as NAME.json.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints one schema, or the names of all, or writes all.
///
/// # Errors
///
/// An unknown name, and a directory that cannot be written.
pub(super) fn schema(args: &SchemaArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let all = schemas::all();
    if let Some(directory) = &args.out {
        for (name, schema) in &all {
            output::write(&directory.join(format!("{name}.json")), format!("{schema:#}\n").as_bytes())?;
        }
        printer.note(&format!("wrote {} schemas to {}", all.len(), directory.display()));
        return Ok(Exit::Good);
    }
    let Some(asked) = &args.name else {
        for (name, schema) in &all {
            printer.data(&format!("{name:<12} {}", schema["title"].as_str().unwrap_or_default()));
        }
        return Ok(Exit::Good);
    };
    if let Some((_, schema)) = all.iter().find(|(name, _)| name == asked) {
        printer.json(schema);
        return Ok(Exit::Good);
    }
    let message = match nearest(asked, all.iter().map(|(name, _)| *name)) {
        Some(meant) => format!("unknown schema `{asked}`, did you mean `{meant}`?"),
        None => format!("unknown schema `{asked}`"),
    };
    Err(Problem::error(&codes::NAME, message).help("`plimsoll schema` lists all schemas").into())
}
