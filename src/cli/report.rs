//! `plimsoll report`: any report from a record, later.

use super::Globals;
use super::codes;
use super::exit::Exit;
use super::exit::Failure;
use super::printer::Printer;
use super::reports;
use crate::input::problem::Problem;
use crate::record::Event;
use crate::record::Reader;
use crate::record::RecordError;
use crate::report::Collector;
use crate::report::Keep;
use crate::report::Report;
use crate::report::Run;
use std::path::Path;
use std::path::PathBuf;

/// Make any report from a record, later.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  plimsoll report reports/runs/evening/record.jsonl.gz
  plimsoll report run.jsonl.gz --out reports/runs/again
  plimsoll report run-seed-1.jsonl run-seed-2.jsonl --format md

The exit code is that of the run: 3 where an expectation failed.")]
pub(super) struct ReportArgs {
    /// Records of one scenario, one a seed.
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
    let runs = args.records.iter().map(|path| read(path)).collect::<Result<Vec<Run>, Failure>>()?;
    let first = &runs[0].scenario;
    if let Some(place) = runs.iter().position(|run| run.scenario != *first) {
        let (one, other) = (args.records[0].display(), args.records[place].display());
        let problem = Problem::error(&codes::OPTION, format!("{one} and {other} are records of different scenarios"));
        return Err(problem.help("report on each of them alone").into());
    }
    let path = args.records[0].to_string_lossy();
    let report = Report::new(&path, runs, None).ok_or_else(|| Failure::Bug("a record without a run".to_owned()))?;
    if let Some(directory) = &args.out {
        reports::write(&report, directory, printer)?;
    }
    let passed = report.passed();
    reports::show(&[report], globals.format(), printer)?;
    Ok(if passed { Exit::Good } else { Exit::ExpectationFailed })
}

fn read(path: &Path) -> Result<Run, Failure> {
    let failed = |error: RecordError| -> Failure {
        let code = codes::of_record(error.code());
        Problem::error(code, format!("{}: {error}", path.display())).into()
    };
    let mut collector: Option<Collector> = None;
    for event in Reader::open(path).map_err(failed)? {
        let event = event.map_err(failed)?;
        if let Event::Began(header) = &event {
            collector = Some(Collector::new(header, Keep::Plots));
        }
        if let Some(collector) = &mut collector {
            collector.take(&event);
        }
    }
    let collector = collector.ok_or_else(|| Failure::Bug("a record without a beginning was read".to_owned()))?;
    Ok(collector.finish())
}
