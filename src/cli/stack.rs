//! `plimsoll stack`: what was understood of Compose files.

use super::Globals;
use super::compose_files::ComposeFiles;
use super::exit::Exit;
use super::exit::Failure;
use super::format::Format;
use super::printer::Printer;
use super::stack_view;

/// Show what was understood of Compose files, where each value comes from, and what is ignored and why.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Files, env files, variables and profiles mean what they mean to
`docker compose config`.

Examples:
  plimsoll stack
  plimsoll stack -f compose.yml -f compose.prod.yml --profile monitoring
  plimsoll stack --json | jq '.services[] | select(.memory_limit_bytes == null)'")]
pub(super) struct StackArgs {
    #[command(flatten)]
    compose: ComposeFiles,
}

/// Reads the Compose files and shows the stack.
///
/// # Errors
///
/// All that is wrong with the files, and a format that is not written.
pub(super) fn stack(args: &StackArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    let (loaded, catalog) = args.compose.load(printer)?;
    let format = globals.format();
    match format {
        Format::Table => {
            printer.data(&(stack_view::text(&loaded, &catalog) + &stack_view::ignored(&loaded)));
        }
        Format::Json => printer.json(&stack_view::json(&loaded, &catalog)),
        Format::Csv => printer.data(&stack_view::csv(&loaded, &catalog)),
        Format::Md => printer.data(&stack_view::markdown(&loaded, &catalog)),
        Format::Html => {
            return Err(format.refused("stack", &[Format::Table, Format::Json, Format::Csv, Format::Md]));
        }
    }
    Ok(Exit::Good)
}
