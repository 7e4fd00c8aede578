//! `plimsoll recover`: an end of what was begun and not ended.

use super::exit::Exit;
use super::exit::Failure;
use super::live;
use super::live::LiveChoice;
use super::live::Station;
use super::printer::Printer;

/// Finish, or undo, what a command began that was ended in the middle.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Whatever a deployment does is written down before it is done. From that, and
from what is seen on the host, it goes on where old instances were leaving
already and the new ones are well, and back to the old ones otherwise.

Exit codes: 0 nothing to do, or done; 7 rolled back; 8 needs a person;
75 somebody else changes the service.

Examples:
  plimsoll recover
  plimsoll recover --project-name shop")]
pub(super) struct RecoverArgs {
    #[command(flatten)]
    live: LiveChoice,
}

/// Makes an end of all that was begun.
///
/// # Errors
///
/// An engine that cannot be reached, a journal that cannot be read.
pub(super) fn recover(args: &RecoverArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    live::wait(async {
        let station = Station::open(&args.live).await?;
        let unfinished = station.unfinished()?;
        if unfinished.is_empty() {
            printer.note(&format!("nothing of `{}` was left unfinished", station.project));
            return Ok(Exit::Good);
        }
        let mut worst = Exit::Good;
        for (opening, entries) in &unfinished {
            let exit = live::recover(&station, opening, entries, printer).await?;
            if exit.code() > worst.code() {
                worst = exit;
            }
        }
        Ok(worst)
    })
}
