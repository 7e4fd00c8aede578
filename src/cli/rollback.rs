//! `plimsoll rollback`: the limits that a service had before its last deployment.

use super::codes;
use super::exit::Exit;
use super::exit::Failure;
use super::live;
use super::live::LiveChoice;
use super::live::Order;
use super::live::Station;
use super::printer::Printer;
use crate::input::problem::Problem;
use crate::model::Limits;

/// Give a live service back the limits that it had before its last deployment.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
It is a deployment like the one before, the other way round: new instances
with the old limits beside those that run. What was done is in the journal.

Exit codes: 0 done, 6 not begun, 7 failed and rolled back, 8 needs a person,
75 somebody else changes the service.

Examples:
  plimsoll rollback web
  plimsoll rollback web --dry-run")]
pub(super) struct RollbackArgs {
    /// The service.
    service: String,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    live: LiveChoice,
}

/// Goes back to the limits of before.
///
/// # Errors
///
/// An engine that cannot be reached, a service that was not deployed.
pub(super) fn rollback(args: &RollbackArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    live::wait(async {
        let station = Station::open(&args.live).await?;
        let service = live::service(&args.service, &station.project, &station.services)?;
        let Some((opening, [old, new])) = station.last_done(&service)? else {
            let message = format!("no deployment of `{service}` is known here, so there is nothing to go back to");
            let problem = Problem::error(&codes::NAME, message);
            return Err(problem
                .help("name the folder of its journal with --state, or set the limits yourself with `plimsoll deploy`")
                .into());
        };
        if (old.cpu.is_none() && new.cpu.is_some()) || (old.memory.is_none() && new.memory.is_some()) {
            let message =
                format!("`{service}` had no limit before {}, and a limit is not taken off by a deployment", opening.id);
            let problem = Problem::error(&codes::OPTION, message);
            return Err(problem.help("let Compose make it anew: `docker compose up -d --force-recreate`").into());
        }
        printer.note(&format!("{service}: back to the limits before {}: {}", opening.id, shown(old)));
        let order = Order::new(&station, &service, old, opening.deployment.update);
        if args.dry_run {
            let foreseen = order.foresee().await?;
            if let Some(why) = foreseen.refused {
                printer.data(&format!("would not begin: {why}"));
                return Ok(Exit::PlanRefused);
            }
            return Ok(Exit::Good);
        }
        order.carry_out(printer).await
    })
}

fn shown(limits: Limits) -> String {
    let cpu = limits.cpu.map_or_else(|| "no CPU limit".to_owned(), |cpu| format!("{cpu} CPU"));
    let memory = limits.memory.map_or_else(|| "no memory limit".to_owned(), |memory| memory.to_string());
    format!("{cpu}, {memory}")
}
