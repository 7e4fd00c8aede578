//! `plimsoll deploy`: new instances of a live service in place of the old ones, without anybody noticing.

use super::Globals;
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
use crate::model::Update;
use crate::report::words;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Span;

/// Replace the instances of a live service by new ones with other limits, one generation beside the other.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
New instances are started beside the old ones and get no requests until their
health check passes. Then both have traffic, then the old ones get no new
requests, finish those they have, and go. Whatever fails before that: the new
ones go, and all is as it was before.

Requests are led by the names that containers have in their networks, so a
proxy has to look names up again and again: HAProxy with `resolvers`, nginx
with `resolver … valid=1s`, Caddy with `dynamic a`.

Exit codes: 0 done, 6 not begun, 7 failed and rolled back, 8 needs a person,
75 somebody else changes the service.

Examples:
  plimsoll deploy web --memory 768M
  plimsoll deploy web --cpus 1.5 --memory 1G --dry-run
  plimsoll deploy web --cpus 1.5 --parallelism 1 --delay 10s")]
pub(super) struct DeployArgs {
    /// The service.
    service: String,
    /// CPU limit of a new instance; as it is where not given.
    #[arg(long, value_name = "CORES", value_parser = cpu)]
    cpus: Option<Millicores>,
    /// Memory limit of a new instance; as it is where not given.
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    memory: Option<Bytes>,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Replace so many at a time; all of them where not given.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, help_heading = "Pace")]
    parallelism: u32,
    /// Wait so long between two batches.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = span, help_heading = "Pace")]
    delay: Span,
    /// A new instance must be healthy within this time.
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = span, help_heading = "Pace")]
    health_timeout: Span,
    /// Time between two looks.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = span, help_heading = "Pace")]
    interval: Span,
    /// Watch new instances for so long once they have traffic.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = span, help_heading = "Pace")]
    monitor: Span,
    /// Give old instances so long to finish their requests.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = span, help_heading = "Pace")]
    drain: Span,
    #[command(flatten)]
    live: LiveChoice,
}

fn cpu(text: &str) -> Result<Millicores, String> {
    Millicores::parse(text).map_err(|error| error.to_string())
}

fn memory(text: &str) -> Result<Bytes, String> {
    Bytes::parse(text).map_err(|error| error.to_string())
}

fn span(text: &str) -> Result<Span, String> {
    Span::parse(text).map_err(|error| error.to_string())
}

/// Replaces the instances of a service.
///
/// # Errors
///
/// An engine that cannot be reached, a service that is not there, a state folder that cannot be written.
pub(super) fn deploy(args: &DeployArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    let least = Span::from_millis(100);
    if args.interval < least {
        let problem = Problem::error(&codes::OPTION, format!("`--interval {}` is too short", args.interval));
        return Err(problem.help(format!("looks are at least {least} apart")).into());
    }
    live::wait(async {
        let station = Station::open(&args.live).await?;
        let service = live::service(&args.service, &station.project, &station.services)?;
        let update = Update {
            parallelism: args.parallelism,
            delay: args.delay,
            health_timeout: args.health_timeout,
            interval: args.interval,
            monitor: args.monitor,
            drain: args.drain,
            ..Update::default()
        };
        let limits = Limits { cpu: args.cpus, memory: args.memory };
        let order = Order::new(&station, &service, limits, update);
        let foreseen = order.foresee().await?;
        for doubt in &foreseen.doubts {
            printer.note(&format!("note: {doubt}"));
        }
        if args.dry_run {
            return Ok(told(&foreseen, args, globals, printer));
        }
        order.carry_out(printer).await
    })
}

/// Says what would be done.
fn told(foreseen: &live::Foreseen, args: &DeployArgs, globals: &Globals, printer: &mut Printer) -> Exit {
    let (total, [old, new]) = foreseen.wanted;
    if globals.json || globals.format == Some(super::format::Format::Json) {
        printer.json(&serde_json::json!({
            "format_version": 1,
            "service": args.service,
            "refused": foreseen.refused,
            "instances": total,
            "limits": { "old": limits_json(old), "new": limits_json(new) },
            "notes": foreseen.doubts,
        }));
    } else if let Some(why) = &foreseen.refused {
        printer.data(&format!("would not begin: {why}"));
    } else {
        let batch = if args.parallelism == 0 { total } else { args.parallelism.min(total) };
        let lines = [
            format!("would replace {} of `{}`:", words::counted(total.into(), "instance"), args.service),
            format!("  CPU limit     {} -> {}", shown(old.cpu), shown(new.cpu)),
            format!("  memory limit  {} -> {}", shown(old.memory), shown(new.memory)),
            format!("  1  {batch} new started beside the old ones, without traffic"),
            format!("  2  healthy within {}, else rolled back", words::duration(args.health_timeout)),
            format!("  3  old and new have traffic for {}", words::duration(args.monitor)),
            format!("  4  old ones get no new requests, and up to {} to finish", words::duration(args.drain)),
            "  5  old ones stop; the limits of the new ones are read back".to_owned(),
            "  6  old ones are removed".to_owned(),
        ];
        printer.data(&lines.join("\n"));
    }
    if foreseen.refused.is_some() { Exit::PlanRefused } else { Exit::Good }
}

fn shown(limit: Option<impl std::fmt::Display>) -> String {
    limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string())
}

fn limits_json(limits: Limits) -> serde_json::Value {
    serde_json::json!({
        "cpus": limits.cpu.map(Millicores::as_cores),
        "memory_bytes": limits.memory.map(Bytes::get),
    })
}
