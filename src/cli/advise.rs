//! `plimsoll advise`: what could be cheaper or better, each tried before it is said.

use super::Globals;
use super::codes;
use super::exit::Exit;
use super::exit::Failure;
use super::format::Format;
use super::inputs;
use super::inputs::Seeds;
use super::output;
use super::printer::Printer;
use super::project;
use super::records;
use super::simulate;
use crate::advise;
use crate::advise::Bench;
use crate::advise::Gathering;
use crate::advise::Trial;
use crate::input::problem::Problem;
use crate::input::scenario;
use crate::input::scenario::LoadOptions;
use crate::model::Scenario;
use crate::record::Event;
use crate::report::Keep;
use crate::report::Paint;
use std::path::Path;
use std::path::PathBuf;

/// Find what could be cheaper or better, and try it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  plimsoll advise scenarios/ziggie-kvm-4-evening
  plimsoll advise scenarios/vedfolnir-scales-out --out target/advised
  plimsoll advise reports/runs/evening/record.jsonl.gz

Every recommendation is simulated again with the same seeds, and is proved
where all expectations hold. A record has no files to change: what it says is
not tried.

Exit code: 3 where the scenario as it is breaks an expectation.")]
pub(super) struct AdviseArgs {
    /// A scenario, or a directory that holds a scenario.yaml; or the record of a run, or a directory with records.
    #[arg(value_name = "SCENARIO|RECORD")]
    path: PathBuf,
    /// Run on this host instead: a name from hardware-profiles or a path.
    #[arg(long, short = 'H', value_name = "HOST")]
    host: Option<String>,
    /// Run with these seeds instead of those of the scenario: 1..20 or 1,5,9.
    #[arg(long, value_name = "SEEDS")]
    seeds: Option<Seeds>,
    /// Write the scenario that proves each recommendation to this directory.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Tries what could be cheaper or better, and prints what holds.
///
/// # Errors
///
/// What is wrong with the files, and what cannot be read or written.
pub(super) fn advise(args: &AdviseArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    let possible = [Format::Table, Format::Json, Format::Md];
    if !possible.contains(&globals.format()) {
        return Err(globals.format().refused("advise", &possible));
    }
    let is_scenario = !args.path.is_dir() || args.path.join("scenario.yaml").is_file();
    if project::is_record(&args.path) || !is_scenario && records::files(&args.path).is_ok() {
        return from_records(args, globals, printer);
    }
    let path = simulate::scenario_file(&args.path)?;
    let seeds = args.seeds.as_ref().map(Seeds::list).unwrap_or_default();
    let options =
        LoadOptions { environment: inputs::environment(), host: args.host.clone(), seeds, ..LoadOptions::default() };
    let opened = scenario::open(&path, &options)?;
    printer.problems(&opened.resolved.warnings);
    let trials = printer.progress(0, "trials");
    let named = path.to_string_lossy();
    let bench = Bench { path: &named, jobs: globals.jobs(), progress: &|| trials.inc(1) };
    let advised = advise::advise(&opened, &bench);
    trials.finish_and_clear();
    let advised =
        advised.map_err(|breached| Failure::Bug(format!("{breached}\nrepeat: {}", breached.repeat(&named))))?;
    match globals.format() {
        Format::Json => printer.json(&advise::json::document(&advised, &opened)),
        Format::Md => printer.data(&advise::markdown(&advised, &opened)),
        _ => printer.data(&advise::text(&advised, &opened, printer.width(), Paint::Colour)),
    }
    if let Some(directory) = &args.out {
        let written = advise::write(directory, &opened, &advised.advice, &options);
        for one in written.map_err(|error| output::failed(directory, &error))? {
            let other = if one.is_same {
                ""
            } else {
                ", which is not what was tried: what the project has beside it is not found from there"
            };
            printer.note(&format!("wrote {}{other}", inputs::shown(&one.path)));
        }
    }
    Ok(if advised.base.report.passed() { Exit::Good } else { Exit::ExpectationFailed })
}

/// What records say without their files.
fn from_records(args: &AdviseArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    let given = [("--host", args.host.is_some()), ("--seeds", args.seeds.is_some()), ("--out", args.out.is_some())];
    if let Some((option, _)) = given.iter().find(|(_, given)| *given) {
        let message = format!("`{option}` needs a scenario: a record has been run, and has no files to change");
        return Err(Problem::error(&codes::OPTION, message).into());
    }
    if globals.format() == Format::Md {
        return Err(globals.format().refused("advise RECORD", &[Format::Table, Format::Json]));
    }
    let (mut runs, mut gathered, mut scenario): (_, _, Option<Scenario>) = (Vec::new(), Vec::new(), None);
    for file in records::files(&args.path)? {
        let (run, gathering) = one_record(&file)?;
        if scenario.as_ref().is_some_and(|first| first.services.len() != run.scenario.services.len()) {
            let message = format!("{} is the record of another scenario than the ones before it", file.display());
            return Err(Problem::error(&codes::OPTION, message).help("name a record of one run").into());
        }
        scenario.get_or_insert_with(|| (*run.scenario).clone());
        runs.push(run);
        gathered.extend(gathering);
    }
    let scenario = scenario.ok_or_else(|| Failure::Bug("a record without a run".to_owned()))?;
    let base = Trial::of(scenario, &args.path.to_string_lossy(), runs, gathered);
    match globals.format() {
        Format::Json => printer.json(&advise::recorded_json(&base)),
        _ => printer.data(&advise::recorded_text(&base, printer.width(), Paint::Colour)),
    }
    Ok(if base.report.passed() { Exit::Good } else { Exit::ExpectationFailed })
}

fn one_record(path: &Path) -> Result<(crate::report::Run, Option<Gathering>), Failure> {
    let mut seen: Option<(Scenario, Gathering)> = None;
    let run = records::read_beside(path, Keep::Figures, &mut |event| match (event, &mut seen) {
        (Event::Began(header), seen) => *seen = Some((header.scenario.clone(), Gathering::new(&header.scenario))),
        (Event::Sampled(sample), Some((scenario, gathering))) => gathering.take(scenario, sample),
        _ => {}
    })?;
    Ok((run, seen.map(|(_, gathering)| gathering)))
}
