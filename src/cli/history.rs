//! `plimsoll history`: what was done to live hosts from here, and whether the log of it is as it was written.

use super::Globals;
use super::exit::Exit;
use super::exit::Failure;
use super::format::Format;
use super::live::LiveChoice;
use super::printer::Printer;
use crate::world::live::audit_log;
use crate::world::live::audit_log::LogError;
use crate::world::live::audit_log::Logged;
use serde_json::Value;

/// Show what was done to live hosts from here: when, by whom, what.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each line of the log hangs on the one before it by its hash, so a line that was
changed, moved or removed is found. Keep the last hash elsewhere to find a log
that was made up as a whole.

Exit code: 1 where the log is not as it was written.

Examples:
  plimsoll history
  plimsoll history --last 5 --json")]
pub(super) struct HistoryArgs {
    /// Show so many, the last ones.
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: usize,
    #[command(flatten)]
    live: LiveChoice,
}

/// Shows what was done.
///
/// # Errors
///
/// A log that cannot be read, or is not as it was written.
pub(super) fn history(args: &HistoryArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    let format = globals.format();
    if !matches!(format, Format::Table | Format::Json) {
        return Err(format.refused("history", &[Format::Table, Format::Json]));
    }
    let failed = |error: LogError| Failure::Environment(error.to_string());
    let state = args.live.state()?;
    let verified = audit_log::verify(&state).map_err(failed)?;
    let actions = audit_log::read(&state, args.last).map_err(failed)?;
    if format == Format::Json {
        let actions = actions.iter().map(|one| {
            serde_json::json!({ "seq": one.seq, "at": one.at, "who": one.who, "what": one.what, "hash": one.hash })
        });
        printer.json(&serde_json::json!({
            "format_version": 1,
            "actions": actions.collect::<Vec<Value>>(),
            "entries": verified.entries,
            "last_hash": verified.last_hash,
        }));
        return Ok(Exit::Good);
    }
    if actions.is_empty() {
        printer.note(&format!("nothing was done from here so far (`{}`)", state.display()));
        return Ok(Exit::Good);
    }
    printer.data(&actions.iter().map(line).collect::<Vec<_>>().join("\n"));
    printer.note(&format!(
        "{} in all, none of them changed since; the last hash is {}",
        verified.entries, verified.last_hash
    ));
    Ok(Exit::Good)
}

/// One action in a line.
fn line(one: &Logged) -> String {
    let text = |key: &str| one.what.get(key).and_then(Value::as_str).unwrap_or("-");
    let cpu = one.what.get("cpus").and_then(Value::as_f64).map(|cpus| format!(", {cpus} CPU"));
    let memory = one.what.get("memory_bytes").and_then(Value::as_u64);
    let memory = memory.map(|bytes| format!(", {}", crate::units::Bytes::new(bytes)));
    format!(
        "{}  {:<12}  {}/{}{}{}  {}  {}",
        one.at,
        text("did"),
        text("project"),
        text("service"),
        cpu.unwrap_or_default(),
        memory.unwrap_or_default(),
        text("change"),
        one.who,
    )
}
