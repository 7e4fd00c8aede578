//! `plimsoll stack`: what was understood of Compose files.

use super::Globals;
use super::exit::Exit;
use super::exit::Failure;
use super::format::Format;
use super::inputs;
use super::printer::Printer;
use super::stack_view;
use crate::input::catalog::Catalog;
use crate::input::compose;
use crate::input::compose::ComposeArgs;
use std::path::Path;
use std::path::PathBuf;

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
    /// Compose file; repeat it for overrides. Without one it is searched for as Compose does.
    #[arg(long = "file", short = 'f', value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Profile to enable; may be repeated.
    #[arg(long = "profile", value_name = "PROFILE")]
    profiles: Vec<String>,
    /// Env file to use instead of .env; may be repeated.
    #[arg(long = "env-file", value_name = "FILE")]
    env_files: Vec<PathBuf>,
    /// Name of the project.
    #[arg(long, short, value_name = "NAME")]
    project_name: Option<String>,
    /// Directory that paths are relative to; that of the first Compose file where not given.
    #[arg(long, value_name = "DIR")]
    project_directory: Option<PathBuf>,
}

/// Reads the Compose files and shows the stack.
///
/// # Errors
///
/// All that is wrong with the files, and a format that is not written.
pub(super) fn stack(args: &StackArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    let asked = ComposeArgs {
        files: args.files.clone(),
        project_dir: args.project_directory.clone(),
        profiles: args.profiles.clone(),
        env_files: args.env_files.clone(),
        environment: inputs::environment(),
        project_name: args.project_name.clone(),
    };
    let loaded = compose::load(&asked)?;
    printer.problems(&loaded.warnings);
    for file in &loaded.files_read {
        printer.detail(&format!("read {}", inputs::shown(file)));
    }
    let folder = loaded.files_read.first().and_then(|file| file.parent()).unwrap_or(Path::new(""));
    let catalog = Catalog::below(&folder.canonicalize().unwrap_or_else(|_| folder.to_owned()))?;
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
