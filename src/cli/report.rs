//! `plimsoll report`: any report from a record, later.

use super::Globals;
use super::codes;
use super::exit::Exit;
use super::exit::Failure;
use super::printer::Printer;
use super::records;
use super::reports;
use crate::input::problem::Problem;
use crate::model::Scenario;
use crate::report::Keep;
use crate::report::Report;
use crate::report::Run;
use crate::report::Shown;
use crate::seed::Seed;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Make any report from a record, later.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  plimsoll report reports/runs/evening
  plimsoll report run.jsonl.gz --out reports/runs/again
  plimsoll report run-seed-1.jsonl run-seed-2.jsonl --format md

The exit code is that of the run: 3 where an expectation failed.")]
pub(super) struct ReportArgs {
    /// Records of one scenario, one a seed; or the directory of a report.
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<PathBuf>,
    /// Write HTML, plots, JSON, Markdown and JUnit to this directory.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Reads the records and prints what they tell.
///
/// # Errors
///
/// A record that cannot be read, records of different scenarios, and what cannot be written.
pub(super) fn report(args: &ReportArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    let mut paths = Vec::new();
    for path in &args.records {
        paths.extend(records::files(path)?);
    }
    let shown = Shown::default();
    let mut runs: Vec<Run> = Vec::new();
    let mut named: BTreeMap<Seed, String> = BTreeMap::new();
    for path in &paths {
        let mut run = records::read(path, Keep::Plots)?;
        if let Some(first) = runs.first().filter(|first| !alike(&first.scenario, &run.scenario)) {
            let first = &named[&first.seed];
            let message = format!("{first} and {} are records of different scenarios", path.display());
            return Err(Problem::error(&codes::OPTION, message).help("report on each of them alone").into());
        }
        if let Some(other) = named.insert(run.seed, path.to_string_lossy().into_owned()) {
            let message = format!("{other} and {} are records of the same seed {}", path.display(), run.seed.get());
            return Err(Problem::error(&codes::OPTION, message).help("name each run once").into());
        }
        shown.offer(&mut run);
        runs.push(run);
    }
    shown.give(&mut runs);
    let path = args.records[0].to_string_lossy();
    let report = Report::new(&path, runs, None).ok_or_else(|| Failure::Bug("a record without a run".to_owned()))?;
    let report = Report { records: named, ..report };
    let written = args.out.as_ref().map(|directory| reports::write(&report, directory, printer));
    let passed = report.passed();
    reports::show(&[report], globals.format(), printer)?;
    written.unwrap_or(Ok(()))?;
    Ok(if passed { Exit::Good } else { Exit::ExpectationFailed })
}

/// Whether two runs are of the same scenario, with whatever seeds it was begun.
fn alike(one: &Scenario, other: &Scenario) -> bool {
    let seedless = |scenario: &Scenario| Scenario { seeds: Vec::new(), ..scenario.clone() };
    seedless(one) == seedless(other)
}
