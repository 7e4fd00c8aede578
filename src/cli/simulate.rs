//! `plimsoll simulate`: a stack on a host under a load, and whether it holds.

use super::Globals;
use super::codes;
use super::exit::Exit;
use super::exit::Failure;
use super::format::Format;
use super::inputs;
use super::inputs::Seeds;
use super::printer::Printer;
use super::project;
use super::reports;
use super::running;
use super::running::Wanted;
use crate::input::kind::Kind;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::scenario;
use crate::input::scenario::LoadOptions;
use crate::report;
use crate::report::Keep;
use crate::report::Paint;
use crate::report::Report;
use std::path::Path;
use std::path::PathBuf;

/// Run scenarios against a simulated host and judge them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  plimsoll simulate scenarios/ziggie-kvm-4-evening/scenario.yaml
  plimsoll simulate peak.yaml --host kvm-6 --seeds 1..20 --report reports/runs
  plimsoll simulate peak.yaml --json | jq .verdict

Exit code: 3 where an expectation failed.")]
pub(super) struct SimulateArgs {
    /// Scenario files, or directories that hold a scenario.yaml.
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<PathBuf>,
    /// Run on this host instead: a name from hardware-profiles or a path.
    #[arg(long, short = 'H', value_name = "HOST")]
    host: Option<String>,
    /// Run with this one seed instead of those of the scenario.
    #[arg(long, value_name = "N", value_parser = inputs::one_seed, conflicts_with = "seeds")]
    seed: Option<Seeds>,
    /// Run with these seeds instead of those of the scenario: 1..20 or 1,5,9.
    #[arg(long, value_name = "SEEDS")]
    seeds: Option<Seeds>,
    /// Write HTML, plots, JSON, Markdown, JUnit and the record to this directory.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Write the record to this file; gzipped where it ends in .gz.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// Runs the scenarios and prints their verdicts.
///
/// # Errors
///
/// Everything that is wrong with the files of all scenarios, before any of them runs; and what cannot be written.
pub(super) fn simulate(args: &SimulateArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    let seeds = args.seed.as_ref().or(args.seeds.as_ref()).map(Seeds::list).unwrap_or_default();
    let options =
        LoadOptions { environment: inputs::environment(), host: args.host.clone(), seeds, ..LoadOptions::default() };
    reports::fits(globals.format(), args.scenarios.len())?;
    let mut problems = Problems::new();
    let found = args.scenarios.iter().map(|path| scenario_file(path));
    let paths: Vec<PathBuf> = found.filter_map(|found| found.map_err(|problem| problems.push(problem)).ok()).collect();
    let mut loaded = Vec::new();
    for path in &paths {
        match scenario::load(path, &options) {
            Ok(resolved) => loaded.push(resolved),
            Err(found) => problems.extend(found),
        }
    }
    if problems.has_errors() {
        return Err(problems.into());
    }
    let (mut reports, mut lost) = (Vec::new(), None);
    for (resolved, path) in loaded.iter().zip(&paths) {
        printer.problems(&resolved.warnings);
        for file in &resolved.files_read {
            printer.detail(&format!("read {}", inputs::shown(file)));
        }
        let wanted = wanted(args, globals, path, paths.len() > 1);
        let bar = printer.progress(running::samples(&resolved.scenario), &resolved.scenario.name);
        let done = running::run(&resolved.scenario, &path.to_string_lossy(), &wanted, &|| bar.inc(1));
        bar.finish_and_clear();
        let done = done?;
        let mut report = done.report;
        report.options = args.host.iter().flat_map(|host| ["--host".to_owned(), host.clone()]).collect();
        if globals.format() == Format::Table {
            printer.data(&report::text(&report, printer.width(), Paint::Colour));
        }
        let written = wanted.directory.as_ref().map(|directory| reports::write(&report, directory, printer));
        // What could not be written is told last; no verdict is lost for it.
        lost = lost.or(done.lost).or(written.and_then(Result::err));
        reports.push(report);
    }
    if globals.format() != Format::Table {
        reports::show(&reports, globals.format(), printer)?;
    }
    if let Some(failure) = lost {
        return Err(failure);
    }
    Ok(if reports.iter().all(Report::passed) { Exit::Good } else { Exit::ExpectationFailed })
}

/// A directory stands for the `scenario.yaml` in it.
///
/// # Errors
///
/// A directory without one.
pub(super) fn scenario_file(path: &Path) -> Result<PathBuf, Problem> {
    let file = if path.is_dir() { path.join("scenario.yaml") } else { path.to_owned() };
    if !path.is_dir() || file.is_file() {
        return Ok(file);
    }
    let below: Vec<PathBuf> = project::files(path)
        .into_iter()
        .filter(|(_, kind)| *kind == Kind::Scenario)
        .map(|(file, _)| if file.ends_with("scenario.yaml") { file.with_file_name("") } else { file })
        .collect();
    let some: Vec<String> =
        below.iter().take(5).map(|file| format!("`{}`", inputs::shown(file).trim_end_matches('/'))).collect();
    let help = match below.len() {
        0 => "name a scenario file, or a directory with a `scenario.yaml` in it".to_owned(),
        count if count > some.len() => format!("name one of the {count} below it: {}, …", some.join(", ")),
        _ => format!("name one of those below it: {}", some.join(", ")),
    };
    let message = format!("`{}` is a directory without a `scenario.yaml`", path.display());
    Err(Problem::error(&codes::FILE, message).help(help))
}

fn wanted(args: &SimulateArgs, globals: &Globals, path: &Path, several: bool) -> Wanted {
    let own = |base: &Path| if several { base.join(running::name(path)) } else { base.to_owned() };
    let directory = args.report.as_deref().map(own);
    let own_file = |file: &PathBuf| match (several, file.parent(), file.file_name()) {
        (true, Some(parent), Some(name)) => parent.join(running::name(path)).join(name),
        _ => file.clone(),
    };
    let records = args.record.iter().map(own_file).chain(directory.iter().map(|own| own.join("record.jsonl.gz")));
    let html = globals.format() == Format::Html;
    Wanted {
        keep: if directory.is_some() || html { Keep::Plots } else { Keep::Figures },
        records: records.collect(),
        directory,
        jobs: globals.jobs(),
    }
}
