//! `plimsoll completions`: completions for a shell.

use super::exit::Exit;
use super::exit::Failure;
use super::printer::Printer;

/// Print completions for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  plimsoll completions bash >> ~/.bash_completion
  plimsoll completions zsh > ~/.zfunc/_plimsoll
  plimsoll completions fish > ~/.config/fish/completions/plimsoll.fish")]
pub(super) struct CompletionsArgs {
    /// The shell.
    shell: clap_complete::Shell,
}

/// Prints the completions.
///
/// # Errors
///
/// None of its own.
pub(super) fn completions(args: &CompletionsArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "plimsoll", &mut script);
    printer.data(&String::from_utf8_lossy(&script));
    Ok(Exit::Good)
}
