//! `plimsoll man`: the man pages.

use super::exit::Exit;
use super::exit::Failure;
use super::help;
use super::output;
use super::printer::Printer;
use std::path::PathBuf;

/// Print the man page, or write the pages of all commands to a directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  plimsoll man | man -l -\n  plimsoll man --out ~/.local/share/man/man1")]
pub(super) struct ManArgs {
    /// Write one page a command to this directory.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints one page, or writes all of them.
///
/// # Errors
///
/// Where a page cannot be written.
pub(super) fn man(args: &ManArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let more = anstream::adapter::strip_str(help::AFTER).to_string();
    let mut root = super::command().help_template("{about}").after_help(more).disable_help_subcommand(true);
    // Gives each command the options of all, and the name that is typed.
    root.build();
    let Some(directory) = &args.out else {
        printer.data(&String::from_utf8_lossy(&page(root)?));
        return Ok(Exit::Good);
    };
    let mut pages = vec![("plimsoll.1".to_owned(), root.clone())];
    for sub in root.get_subcommands() {
        pages.push((format!("plimsoll-{}.1", sub.get_name()), sub.clone()));
    }
    let count = pages.len();
    for (file, command) in pages {
        output::write(&directory.join(file), &page(command)?)?;
    }
    printer.note(&format!("wrote {count} pages to {}", directory.display()));
    Ok(Exit::Good)
}

fn page(command: clap::Command) -> Result<Vec<u8>, Failure> {
    let mut roff = Vec::new();
    let written = clap_mangen::Man::new(command).render(&mut roff);
    written.map_err(|error| Failure::Environment(format!("cannot make the man page: {error}")))?;
    Ok(roff)
}
