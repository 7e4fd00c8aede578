//! `plimsoll bundle`: the monitoring of a stack.

use super::Globals;
use super::compose_files::ComposeFiles;
use super::exit::Exit;
use super::exit::Failure;
use super::format::Format;
use super::host::HostChoice;
use super::inputs;
use super::overwrite;
use super::overwrite::Outcome;
use super::overwrite::Wanted;
use super::paths::absolute;
use super::paths::between;
use super::printer::Printer;
use crate::input::project::Project;
use crate::plan::bundle;
use crate::plan::bundle::Asked;
use crate::report::quoted;
use serde_json::Value;
use serde_json::json;
use std::path::Path;
use std::path::PathBuf;

/// Write the monitoring of a stack: Prometheus, alerts with their tests, Grafana.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A service is scraped where the catalog or the label plimsoll.metrics.port
(and plimsoll.metrics.path) says where its metrics are. One of tier 1, which
the label plimsoll.tier can say, too, is held to its budget of latency.

Examples:
  plimsoll bundle -f compose.yml
  docker compose -f compose.yml -f monitoring/compose.monitoring.yml up -d
  promtool test rules monitoring/prometheus/rules_test.yml")]
pub(super) struct BundleArgs {
    #[command(flatten)]
    compose: ComposeFiles,
    #[command(flatten)]
    host: HostChoice,
    /// Directory to write to.
    #[arg(long, short, value_name = "DIR", default_value = "monitoring")]
    out: PathBuf,
    /// Replace files that were changed or written by others; each is kept as .bak.
    #[arg(long)]
    force: bool,
}

/// Reads the stack and writes its monitoring.
///
/// # Errors
///
/// All that is wrong with the input, files that would be lost, and a directory that cannot be written.
pub(super) fn bundle(args: &BundleArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    let format = globals.format();
    if !matches!(format, Format::Table | Format::Json) {
        return Err(format.refused("bundle", &[Format::Table, Format::Json]));
    }
    let (loaded, catalog) = args.compose.load(printer)?;
    let home = absolute(&loaded.folder);
    let host = args.host.named(&loaded.folder, &Project::find(&loaded.folder)?)?;
    let folder = between(&home, &absolute(&args.out));
    let files = args.compose.typed(&loaded.files);
    let out = quoted(&inputs::shown(&args.out));
    let asked = Asked {
        folder: &folder,
        out: &out,
        files: &files,
        host: host.as_ref().map(|(name, host)| (name.as_str(), host)),
    };
    let bundle = bundle::bundle(&loaded.stack, &catalog, asked);
    let wanted: Vec<Wanted<'_>> =
        bundle.iter().map(|file| Wanted { path: &file.path, text: &file.text, beginning: file.beginning }).collect();
    let written = overwrite::write(&args.out, &wanted, "bundle", args.force)?;
    let unmeasured = bundle::unmeasured(&loaded.stack, &catalog);
    if format == Format::Json {
        printer.json(&listed(&args.out, &wanted, &written, &unmeasured));
        return Ok(Exit::Good);
    }
    for (file, (outcome, backup)) in wanted.iter().zip(&written) {
        let backup = backup.as_ref().map(|path| format!(", was kept as {}", inputs::shown(path))).unwrap_or_default();
        printer.data(&format!("{:<10} {}{backup}", outcome.word(), inputs::shown(&args.out.join(file.path))));
    }
    if !unmeasured.is_empty() {
        let names = unmeasured.join(", ");
        let message = "not scraped, and so without an alert for latency, since nobody says where the metrics are";
        printer.note(&format!("\n{message}: {names}\n  label them, for instance plimsoll.metrics.port: \"8000\""));
    }
    let fragment = quoted(&inputs::shown(&args.out.join("compose.monitoring.yml")));
    printer.note(&format!("\nstart it: docker compose {files} -f {fragment} up -d"));
    Ok(Exit::Good)
}

fn listed(
    folder: &Path,
    wanted: &[Wanted<'_>],
    written: &[(Outcome, Option<PathBuf>)],
    unmeasured: &[String],
) -> Value {
    let file = |(file, (outcome, backup)): (&Wanted<'_>, &(Outcome, Option<PathBuf>))| {
        json!({
            "path": inputs::shown(&folder.join(file.path)),
            "outcome": outcome.word(),
            "backup": backup.as_deref().map(inputs::shown),
        })
    };
    json!({
        "format_version": 1,
        "files": wanted.iter().zip(written).map(file).collect::<Vec<_>>(),
        "unmeasured": unmeasured,
    })
}
