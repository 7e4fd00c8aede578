//! `plimsoll test`: all scenarios and policy tests of a project, as a gate for CI.

use super::Globals;
use super::clock;
use super::codes;
use super::exit::Exit;
use super::exit::Failure;
use super::format::Format;
use super::gate;
use super::gate::Finished;
use super::gate::Hold;
use super::gate::Test;
use super::in_order::in_order;
use super::in_order::threads;
use super::inputs;
use super::output;
use super::partition::Partition;
use super::printer::Printer;
use super::project;
use super::reports;
use super::running;
use super::running::Wanted;
use super::scoreboard::Scoreboard;
use crate::input::kind::Kind;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::project::Project;
use crate::input::scenario::LoadOptions;
use crate::report;
use crate::report::Keep;
use crate::report::Suite;
use std::ops::ControlFlow;
use std::path::Path;
use std::path::PathBuf;

/// Run all scenarios and policy tests of a project: the gate for CI.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A YAML file with the key `scenario` is a scenario, one with `cases` a policy
test. Baselines lie beside their scenario and are committed; a scenario without
one is held to its expectations alone.

Examples:
  plimsoll test
  plimsoll test evening --no-fail-fast
  plimsoll test --partition 1/4 --junit target/plimsoll.xml
  plimsoll test --update

Exit codes: 3 where an expectation failed, 4 where only baselines are worse.")]
pub(super) struct TestArgs {
    /// Run only files that have one of these in their path, or in the name of a check.
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// Write JUnit XML to this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Run one part of so many, such as 1/4; the split is the same on every machine.
    #[arg(long, value_name = "I/N")]
    partition: Option<Partition>,
    /// Write the baselines of what was run.
    #[arg(long)]
    update: bool,
    /// List what would run.
    #[arg(long)]
    list: bool,
    /// Go on after a failure.
    #[arg(long)]
    no_fail_fast: bool,
    /// Write the reports of all scenarios below this directory.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
}

/// Finds the tests, runs them and shows what came of them.
///
/// # Errors
///
/// Everything that is wrong with any file, before anything runs; nothing to run; and what cannot be written.
pub(super) fn test(args: &TestArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    let format = globals.format();
    if !matches!(format, Format::Table | Format::Json) {
        return Err(format.refused("test", &[Format::Table, Format::Json]));
    }
    let tests = load(args, printer)?;
    let mut board = Scoreboard::new(&tests, format == Format::Table);
    if args.list {
        board.list(&tests, format, printer);
        return Ok(Exit::Good);
    }
    let all = threads(globals.jobs());
    let jobs = all.div_ceil(tests.len().max(1));
    let bar = printer.progress(tests.iter().map(Test::samples).sum(), "test");
    let mut failure = None;
    let mut next = tests.iter();
    let work = |test: &Test| test.run(&wanted(args, test, jobs), &|| bar.inc(1));
    let ((), took) = clock::timed(|| {
        in_order(&tests, all, work, |result| {
            let done = result.and_then(|mut finished| {
                let test = next.next().expect("a result is of a test");
                bar.suspend(|| board.show(&finished, args.update, printer));
                let lost = finished.lost.take();
                let kept = keep(args, test, &finished, printer);
                let good = board.add(finished, args.update);
                lost.map_or(Ok(()), Err).and(kept).map(|()| good)
            });
            match done {
                Ok(good) if good || args.no_fail_fast => ControlFlow::Continue(()),
                Ok(_) => ControlFlow::Break(()),
                Err(stopped) => {
                    failure = Some(stopped);
                    ControlFlow::Break(())
                }
            }
        });
    });
    bar.finish_and_clear();
    board.finish(format, took, printer);
    if let Some(path) = &args.junit {
        let suites: Vec<Suite> = board.finished().iter().map(Finished::suite).collect();
        match output::write(path, report::junit(&suites).as_bytes()) {
            Ok(()) => printer.note(&format!("junit {}", path.display())),
            Err(unwritten) => failure = failure.or(Some(unwritten)),
        }
    }
    failure.map_or_else(|| Ok(board.exit()), Err)
}

/// All tests that are asked for, read. The files of all of them are checked before any runs.
fn load(args: &TestArgs, printer: &mut Printer) -> Result<Vec<Test>, Failure> {
    let here = std::env::current_dir()
        .map_err(|error| Failure::Environment(format!("cannot tell the working directory: {error}")))?;
    let project = Project::find(&here)?;
    let below = match &project.settings.scenarios {
        Some(_) => project.scenarios(),
        None => project.folder.clone(),
    };
    let all = project::files(&below);
    if args.filters.is_empty() {
        let scenarios: Vec<PathBuf> =
            all.iter().filter(|(_, kind)| *kind == Kind::Scenario).map(|(path, _)| path.clone()).collect();
        printer.problems(&gate::forgotten(&below, &scenarios));
    }
    let files = all.into_iter().filter(|(_, kind)| matches!(kind, Kind::Scenario | Kind::PolicyTest));
    let named = files.map(|(path, kind)| {
        let name = path.strip_prefix(&project.folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        // As the user would type it, so that problems name the file that way.
        let path = path.strip_prefix(&here).map(Path::to_path_buf).unwrap_or(path);
        (name, path, kind)
    });
    let options = LoadOptions { environment: inputs::environment(), ..LoadOptions::default() };
    let hold = if args.update || args.list { Hold::ToNothing } else { Hold::ToBaseline };
    let asked = |text: &str| args.filters.is_empty() || args.filters.iter().any(|part| matches(text, part));
    let (mut tests, mut problems, mut found) = (Vec::new(), Problems::new(), false);
    for (name, path, kind) in named {
        let by_name = asked(&name);
        let here = args.partition.is_none_or(|part| part.holds(&name));
        let read = match kind {
            Kind::Scenario => Test::scenario(name, path, &options, hold),
            _ => Test::policy(name, path),
        };
        match read {
            Ok(test) if by_name || test.checks().iter().any(|check| asked(check)) => {
                found = true;
                tests.extend(here.then_some(test));
            }
            Ok(_) => {}
            // What is wrong with a file that is not asked for is for another day.
            Err(wrong) if by_name => problems.extend(wrong),
            Err(_) => {}
        }
    }
    if problems.has_errors() {
        return Err(problems.into());
    }
    if !found {
        return Err(nothing(args, &below).into());
    }
    tests.iter().filter_map(Test::warnings).for_each(|warnings| printer.problems(warnings));
    Ok(tests)
}

fn nothing(args: &TestArgs, below: &Path) -> Problem {
    let message = match args.filters.as_slice() {
        [] => format!("there is no scenario and no policy test below {}", inputs::shown(below)),
        filters => format!("no scenario and no policy test matches `{}`", filters.join("` or `")),
    };
    let help = "`plimsoll test --list` shows what there is; `plimsoll explain PL0704` how it is found";
    Problem::error(&codes::NOTHING, message).help(help)
}

/// A filter is a part of the path or of a name, whether typed from the project's directory or with `./` before it.
fn matches(name: &str, filter: &str) -> bool {
    name.contains(filter.trim_start_matches("./").trim_end_matches('/'))
}

fn wanted(args: &TestArgs, test: &Test, jobs: usize) -> Wanted {
    let directory = args.report.as_ref().map(|directory| directory.join(running::name(&test.path)));
    let records = directory.iter().map(|own| own.join("record.jsonl.gz")).collect();
    Wanted { keep: if directory.is_some() { Keep::Plots } else { Keep::Figures }, records, directory, jobs }
}

/// Writes what is asked for of one test: its report, its baseline.
fn keep(args: &TestArgs, test: &Test, finished: &Finished, printer: &mut Printer) -> Result<(), Failure> {
    let Some(report) = &finished.report else { return Ok(()) };
    if let Some(directory) = wanted(args, test, 1).directory {
        reports::write(report, &directory, printer)?;
    }
    if args.update && gate::update(&test.baseline_path(), report)? {
        printer.note(&format!("wrote {}", inputs::shown(&test.baseline_path())));
    }
    Ok(())
}
