//! `plimsoll capacity`: how much load a host carries, and what breaks first beyond it.

use super::Globals;
use super::codes;
use super::exit::Exit;
use super::exit::Failure;
use super::format::Format;
use super::inputs;
use super::inputs::Seeds;
use super::output;
use super::printer::Printer;
use super::simulate::scenario_file;
use crate::capacity;
use crate::capacity::Question;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::profile::Profiles;
use crate::input::scenario;
use crate::input::scenario::LoadOptions;
use crate::model::Scenario;
use crate::record::replace;
use crate::report::Paint;
use crate::report::load_line as report;
use crate::report::load_line::Answer;
use crate::report::load_line::LoadLine;
use crate::seed::Seed;
use crate::units::Permille;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

/// Seeds where nobody names some and the scenario has fewer: of ten one may fail at 90 %.
const SEEDS: u64 = 10;
/// With more hosts than this, fewer seeds and wider steps: an overview, in a minute.
const OVERVIEW: usize = 4;
const SEEDS_OVERVIEW: u64 = 5;
/// Seeds of the picture.
const CURVE: usize = 3;

/// Find the largest multiple of the load that a host carries.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The load line is the largest multiple of the expected load at which every
expectation holds in enough of the seeds. Each seed has a line of its own,
found by halving; what breaks beyond the line is found by giving ample of
one part after another.

With several hosts they are compared, without what they break on.

Examples:
  plimsoll capacity scenarios/ziggie-kvm-4-evening
  plimsoll capacity scenarios/ziggie-kvm-4-evening -H kvm-4 -H kvm-6
  plimsoll capacity scenarios/ziggie-kvm-4-evening -H '*' --report target/hosts
  plimsoll capacity scenarios/vedfolnir-scales-out --badge docs/load-line.svg
  plimsoll capacity scenarios/vedfolnir-scales-out --at-least 1.5

Exit code: 3 where a line is below `--at-least`.")]
pub(super) struct CapacityArgs {
    /// A scenario, or a directory that holds a scenario.yaml.
    scenario: PathBuf,
    /// Find the line of this host: a name from hardware-profiles, in which `*` stands for anything, or a path; several may be
    /// given. Without it, the scenario's own.
    #[arg(long, short = 'H', value_name = "HOST")]
    host: Vec<String>,
    /// In at least this share of the seeds everything must hold.
    #[arg(long, value_name = "SHARE", default_value = "90%", value_parser = share)]
    probability: Permille,
    /// Run with these seeds: 1..20 or 1,5,9. Without it those of the scenario, or 1..10 where it has
    /// fewer; 1..5 with more than four hosts.
    #[arg(long, value_name = "SEEDS")]
    seeds: Option<Seeds>,
    /// How exact the line is: two loads that are tried are so far apart. Without it 2%, or 4% with more than four hosts.
    #[arg(long, value_name = "SHARE", value_parser = step)]
    exact: Option<Permille>,
    /// Fail with exit code 3 where a line is below this multiple, for CI.
    #[arg(long, value_name = "MULTIPLE", value_parser = multiple)]
    at_least: Option<Permille>,
    /// Write the line as a badge to this file, for a README.
    #[arg(long, value_name = "FILE.svg")]
    badge: Option<PathBuf>,
    /// Write the answer as HTML, picture, JSON, Markdown and CSV to this directory.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
}

/// Finds the load line of each host and shows it.
///
/// # Errors
///
/// Everything that is wrong with the scenario, on all hosts, before anything runs; what cannot be written.
pub(super) fn capacity(args: &CapacityArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    let path = scenario_file(&args.scenario)?;
    let (versions, warnings) = load(args, &path)?;
    if args.badge.is_some() && versions.len() > 1 {
        let problem = Problem::error(&codes::OPTION, "a badge is of one host, and several are named");
        return Err(problem.help("name one host beside `--badge`").into());
    }
    printer.problems(&warnings);
    let Some(first) = versions.first() else { return Err(Failure::Bug("a scenario without a host".to_owned())) };
    let left_out = capacity::left_out(first);
    answerable(first, &left_out)?;
    let question = question(args, first, versions.len());
    let bar = printer.progress(0, "runs");
    let lines = capacity::load_lines(&versions, &question, globals.jobs(), &|| bar.inc(1));
    bar.finish_and_clear();
    let shown = inputs::shown(&args.scenario);
    let lines = lines.map_err(|breached| Failure::Bug(format!("{breached}\nrepeat: {}", breached.repeat(&shown))))?;
    let answer = Answer {
        scenario: Arc::new(first.clone()),
        path: shown,
        command: command(args),
        probability: question.probability,
        exact: question.exact,
        seeds: question.seeds,
        left_out,
        lines,
    };
    show(&answer, globals.format(), printer)?;
    write(args, &answer, printer)?;
    let Some(least) = args.at_least else { return Ok(Exit::Good) };
    let below: Vec<&LoadLine> = answer.lines.iter().filter(|line| line.multiple() < least).collect();
    for line in &below {
        let (host, found) = (&line.scenario.host.name, report::multiple(line.multiple()));
        printer.note(&format!("{host} carries {found}, which is less than the {} asked for", report::multiple(least)));
    }
    Ok(if below.is_empty() { Exit::Good } else { Exit::ExpectationFailed })
}

/// The scenario on each host, and what the reader should know.
fn load(args: &CapacityArgs, path: &Path) -> Result<(Vec<Scenario>, Problems), Failure> {
    let (mut problems, mut warnings, mut versions) = (Problems::new(), Problems::new(), Vec::new());
    for host in hosts(args, path)? {
        let options = LoadOptions { environment: inputs::environment(), host, ..LoadOptions::default() };
        match scenario::load(path, &options) {
            Ok(version) => {
                let known: Vec<_> = warnings.iter().cloned().collect();
                warnings.extend(version.warnings.iter().filter(|one| !known.contains(one)).cloned().collect());
                versions.push(version.scenario);
            }
            Err(wrong) => problems.extend(wrong),
        }
    }
    if problems.has_errors() { Err(problems.into()) } else { Ok((versions, warnings)) }
}

/// The hosts as they are named, each once; patterns are of the profiles that the scenario can name.
fn hosts(args: &CapacityArgs, path: &Path) -> Result<Vec<Option<String>>, Failure> {
    let known = || Profiles::below(path.parent().unwrap_or_else(|| Path::new("."))).names();
    let mut hosts: Vec<Option<String>> = Vec::new();
    for host in &args.host {
        let found: Vec<String> = match host.contains('*') && !Profiles::is_path(host) {
            true => known().into_iter().filter(|name| inputs::matches(host, name)).collect(),
            false => vec![host.clone()],
        };
        if found.is_empty() {
            let problem = Problem::error(&codes::OPTION, format!("no hardware profile is called like `{host}`"));
            return Err(problem.help(format!("known: {}", known().join(", "))).into());
        }
        hosts.extend(found.into_iter().map(Some));
    }
    let mut seen = BTreeSet::new();
    hosts.retain(|host| seen.insert(host.clone()));
    Ok(if hosts.is_empty() { vec![None] } else { hosts })
}

/// A line needs something that holds or breaks, and something that grows.
fn answerable(scenario: &Scenario, left_out: &[String]) -> Result<(), Failure> {
    let counts = scenario.expect.iter().filter(|expectation| !left_out.contains(&expectation.name)).count();
    let problem = |message: &str, help: &str| Err(Problem::error(&codes::OPTION, message).help(help).into());
    if counts == 0 {
        return problem(
            "the scenario expects nothing that a load could break, so every load would hold",
            "say what must hold under `expect`, such as `p95(latency.api) <= 500ms`",
        );
    }
    if scenario.load.is_empty() {
        return problem("the scenario has no load that could be more", "say what comes in under `load`");
    }
    Ok(())
}

fn question(args: &CapacityArgs, scenario: &Scenario, hosts: usize) -> Question {
    let is_overview = hosts > OVERVIEW;
    let first = |count: u64| (1..=count).map(Seed::new).collect();
    let own = || match scenario.seeds.len() as u64 {
        _ if is_overview => first(SEEDS_OVERVIEW),
        count if count >= SEEDS => scenario.seeds.clone(),
        _ => first(SEEDS),
    };
    Question {
        probability: args.probability,
        seeds: args.seeds.as_ref().map_or_else(own, Seeds::list),
        exact: args.exact.unwrap_or(Permille::percent(if is_overview { 4 } else { 2 })),
        explain: hosts == 1,
        curve: match args.report {
            Some(_) if is_overview => 1,
            Some(_) => CURVE,
            None => 0,
        },
    }
}

fn show(answer: &Answer, format: Format, printer: &mut Printer) -> Result<(), Failure> {
    match format {
        Format::Table => printer.data(&report::text(answer, printer.width(), Paint::Colour)),
        Format::Json => printer.json(&report::json(answer)),
        Format::Csv => {
            let table = report::csv(answer);
            printer.data(&table.map_err(|error| Failure::Bug(format!("cannot make the table: {error}")))?);
        }
        Format::Md => printer.data(&report::markdown(answer)),
        Format::Html => printer.data(&report::html(answer)),
    }
    Ok(())
}

fn write(args: &CapacityArgs, answer: &Answer, printer: &mut Printer) -> Result<(), Failure> {
    if let (Some(file), [line]) = (&args.badge, &answer.lines[..]) {
        replace(file, report::badge(line).as_bytes()).map_err(|error| output::failed(file, &error))?;
        printer.note(&format!("badge {}", inputs::shown(file)));
    }
    if let Some(directory) = &args.report {
        report::write(directory, answer).map_err(|error| output::failed(directory, &error))?;
        printer.note(&format!("report {}", inputs::shown(&directory.join("capacity.html"))));
    }
    Ok(())
}

/// The command that shows it again.
fn command(args: &CapacityArgs) -> String {
    let mut words = vec![inputs::shown(&args.scenario)];
    words.extend(args.host.iter().flat_map(|host| ["--host".to_owned(), host.clone()]));
    words.extend(["--probability".to_owned(), args.probability.to_string()]);
    words.extend(args.seeds.iter().flat_map(|seeds| ["--seeds".to_owned(), seeds.to_string()]));
    words.extend(args.exact.iter().flat_map(|exact| ["--exact".to_owned(), exact.to_string()]));
    let words: Vec<String> = words.iter().map(|word| crate::report::quoted(word)).collect();
    format!("plimsoll capacity {}", words.join(" "))
}

/// A share above zero and at most one.
fn share(text: &str) -> Result<Permille, String> {
    let share = Permille::parse(text).map_err(|error| error.to_string())?;
    let is_one = share > Permille::ZERO && share <= Permille::ONE;
    if is_one { Ok(share) } else { Err(format!("`{text}` is no share above 0% and up to 100%")) }
}

/// The distance of two loads that are tried.
fn step(text: &str) -> Result<Permille, String> {
    let share = Permille::parse(text).map_err(|error| error.to_string())?;
    let is_step = share >= Permille::percent(1) && share <= Permille::percent(50);
    if is_step { Ok(share) } else { Err(format!("`{text}` is no share from 1% to 50%")) }
}

/// A multiple of the load: `1.5`, `1.5x` or `150%`.
fn multiple(text: &str) -> Result<Permille, String> {
    let bare = text.trim().trim_end_matches(['x', '×']);
    Permille::parse(bare).map_err(|_| format!("`{text}` is no multiple such as `1.5`"))
}
