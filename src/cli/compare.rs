//! `plimsoll compare`: policies side by side on the same load.

use super::Globals;
use super::codes;
use super::exit::Exit;
use super::exit::Failure;
use super::format::Format;
use super::inputs;
use super::inputs::Seeds;
use super::output;
use super::printer::Printer;
use super::running;
use super::simulate::scenario_file;
use crate::input::policy::Policies;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::scenario;
use crate::input::scenario::LoadOptions;
use crate::model::Policy;
use crate::model::Scenario;
use crate::record::Event;
use crate::report::Judge;
use crate::report::Keep;
use crate::report::Paint;
use crate::report::compare as report;
use crate::report::compare::Collector;
use crate::report::compare::Comparison;
use crate::report::compare::Contestant;
use crate::report::compare::Frame;
use crate::report::compare::Setting;
use crate::report::compare::Show;
use crate::run::compare as run;
use crate::run::compare::Judging;
use crate::run::compare::Needs;
use crate::seed::Seed;
use crate::units::Instant;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

/// The policy that does nothing, and the one that the scenario has.
const NONE: &str = "none";
const OWN: &str = "scenario";

/// Run policies side by side on the same load and show who is worth its cost.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every policy is run with the same seeds, so differences are those of policies.
`none` leaves all as it is and is always run; `scenario` is the scenario's own.
A policy is tried on the services to which the scenario gives one by name; where
it has one for all or none, on all that hold no data.

SLO broken:    share of the judged time in which a bound on latency or errors
               from `expect` is passed, each sample on its own
bad requests:  share of requests that are slower than the bound, or fail
deviation:     distance from a perfect scaler. Demand is the least number of
               instances that holds the bounds, found by short simulations at
               constant load

Examples:
  plimsoll compare scenarios/vedfolnir-scales-out --policy balanced
  plimsoll compare peak.yaml --policy scenario --policy ./mine.yaml --seeds 1..5
  plimsoll compare peak.yaml --policy balanced --report reports/runs/policies")]
pub(super) struct CompareArgs {
    /// A scenario file, or a directory that holds a scenario.yaml.
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// A policy: a name from catalog/policies, a path, `scenario` or `none`; may be repeated. The others are compared with
    /// the first one, or with `none` where there is only one.
    #[arg(long, value_name = "POLICY")]
    policy: Vec<String>,
    /// Run on this host instead: a name from hardware-profiles or a path.
    #[arg(long, short = 'H', value_name = "HOST")]
    host: Option<String>,
    /// Run with these seeds instead of those of the scenario: 1..5 or 1,5,9.
    #[arg(long, value_name = "SEEDS")]
    seeds: Option<Seeds>,
    /// Show all figures, in a table for each group.
    #[arg(long)]
    wide: bool,
    /// Write HTML, the picture, JSON, Markdown and CSV to this directory.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
}

/// Runs the policies and shows what they come to.
///
/// # Errors
///
/// Everything that is wrong with the scenario and with all policies, before anything runs; what cannot be written.
pub(super) fn compare(args: &CompareArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    let path = scenario_file(&args.scenario)?;
    let (names, versions, warnings) = load(args, &path)?;
    printer.problems(&warnings);
    let (Some(plain), Some(first)) = (versions.first(), names.first()) else {
        return Err(Failure::Bug("a comparison without a policy".to_owned()));
    };
    // The first one named, if there is another beside it; `none` is in the list in any case.
    let base = if args.policy.len() > 1 { first.clone() } else { NONE.to_owned() };
    let subjects = run::subjects(plain);
    let scaled = run::scaled(&versions);
    let (needs, untold) = run::analyse(plain, &scaled, globals.jobs(), &judging());
    let frame =
        Frame { subjects, scaled, needed: needs.capacities.iter().map(|capacity| capacity.service.clone()).collect() };
    let bar = printer.progress(running::samples(plain) * versions.len() as u64, &plain.name);
    let contestants = contestants(&names, &versions, &needs, &frame, (globals.jobs(), &|| bar.inc(1)));
    bar.finish_and_clear();
    let setting = Setting {
        scenario: Arc::new(plain.clone()),
        path: inputs::shown(&args.scenario),
        command: command(args),
        frame,
        capacities: needs.capacities,
        untold: untold.iter().map(ToString::to_string).collect(),
    };
    let comparison = Comparison::new(setting, plain.seeds.clone(), contestants?, (&base, NONE))
        .ok_or_else(|| Failure::Bug("a comparison without a run".to_owned()))?;
    show(&comparison, args, globals.format(), printer)?;
    if let Some(directory) = &args.report {
        report::write(directory, &comparison).map_err(|error| output::failed(directory, &error))?;
        printer.note(&format!("report {}", inputs::shown(&directory.join("compare.html"))));
    }
    Ok(Exit::Good)
}

/// The policies by name, the scenario with each of them, and what the reader should know.
fn load(args: &CompareArgs, path: &Path) -> Result<(Vec<String>, Vec<Scenario>, Problems), Failure> {
    let seeds = args.seeds.as_ref().map(Seeds::list).unwrap_or_default();
    let options =
        LoadOptions { environment: inputs::environment(), host: args.host.clone(), seeds, ..LoadOptions::default() };
    let own = scenario::load(path, &options)?;
    let subjects = run::subjects(&own.scenario);
    let mut names: Vec<String> = Vec::new();
    let given = args.policy.iter().map(String::as_str);
    let fallback = if args.policy.is_empty() { Some(OWN) } else { None };
    for name in given.chain(fallback).chain([NONE]) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    let has_own = own.scenario.policies.values().any(|policy| *policy != Policy::None);
    let (mut problems, mut warnings, mut versions) = (Problems::new(), own.warnings, Vec::new());
    for name in &names {
        if name == OWN {
            if !has_own {
                let message = "the scenario has no policy of its own";
                let help = "name the policies to compare: `--policy balanced --policy conservative`";
                problems.push(Problem::error(&codes::OPTION, message).help(help));
            }
            versions.push(own.scenario.clone());
            continue;
        }
        match scenario::load(path, &LoadOptions { policy: Some(name.clone()), ..options.clone() }) {
            Ok(mut version) => {
                version
                    .scenario
                    .policies
                    .retain(|service, policy| subjects.contains(service) && *policy != Policy::None);
                let known: Vec<_> = warnings.iter().cloned().collect();
                warnings.extend(version.warnings.iter().filter(|one| !known.contains(one)).cloned().collect());
                versions.push(version.scenario);
            }
            Err(wrong) => problems.extend(wrong),
        }
    }
    if problems.has_errors() { Err(problems.into()) } else { Ok((shown_names(&names), versions, warnings)) }
}

/// A path is called by its file, where no other policy is.
fn shown_names(names: &[String]) -> Vec<String> {
    let short = |name: &String| match Path::new(name).file_stem().and_then(|stem| stem.to_str()) {
        Some(stem) if Policies::is_path(name) => stem.to_owned(),
        _ => name.clone(),
    };
    let all: Vec<String> = names.iter().map(short).collect();
    let taken: BTreeSet<&String> =
        all.iter().filter(|name| all.iter().filter(|other| other == name).count() > 1).collect();
    all.iter()
        .zip(names)
        .map(|(short, name)| if taken.contains(short) { name.clone() } else { short.clone() })
        .collect()
}

/// Probes are judged as runs are.
fn judging() -> Judging<'static, (Judge, Instant)> {
    Judging {
        begin: &|scenario| (Judge::new(&Arc::new(scenario.clone())), Instant::START),
        take: &|(judge, end), event| {
            judge.take(event);
            if let Event::Ended { at, .. } = event {
                *end = *at;
            }
        },
        passed: &|(judge, end)| judge.finish(end).0.iter().all(|judged| judged.passed),
    }
}

/// Runs all of them.
fn contestants(
    names: &[String],
    versions: &[Scenario],
    needs: &Needs,
    frame: &Frame,
    (jobs, progress): (usize, &(dyn Fn() + Sync)),
) -> Result<Vec<Contestant>, Failure> {
    let scenarios: Vec<Arc<Scenario>> = versions.iter().cloned().map(Arc::new).collect();
    let drawn = versions.first().and_then(|first| first.seeds.first().copied());
    let begin = |place: usize, seed: Seed| {
        let keep = if Some(seed) == drawn { Keep::Plots } else { Keep::Figures };
        Collector::new(&scenarios[place], frame, keep)
    };
    let runs = run::compare(
        versions,
        needs,
        jobs,
        &begin,
        &|collector, event, demand| collector.take(event, demand),
        progress,
    );
    let mut contestants = Vec::new();
    for (name, runs) in names.iter().zip(runs) {
        let mut taken = Vec::new();
        for run in runs {
            let end = run.end.map_err(|breached| Failure::Bug(format!("policy {name}: {breached}")))?;
            taken.push(run.consumer.finish(end.ended));
        }
        contestants.push(Contestant { name: name.clone(), runs: taken });
    }
    Ok(contestants)
}

fn show(comparison: &Comparison, args: &CompareArgs, format: Format, printer: &mut Printer) -> Result<(), Failure> {
    match format {
        Format::Table => {
            let show = if args.wide { Show::Everything } else { Show::Telling };
            printer.data(&report::text(comparison, show, printer.width(), Paint::Colour));
        }
        Format::Json => printer.json(&report::json(comparison)),
        Format::Csv => {
            let table = report::csv(comparison);
            printer.data(&table.map_err(|error| Failure::Bug(format!("cannot make the table: {error}")))?);
        }
        Format::Md => printer.data(&report::markdown(comparison)),
        Format::Html => printer.data(&report::html(comparison)),
    }
    Ok(())
}

/// The command that shows it again.
fn command(args: &CompareArgs) -> String {
    let scenario = inputs::shown(&args.scenario);
    let policies = args.policy.iter().flat_map(|policy| ["--policy".to_owned(), policy.clone()]);
    let host = args.host.iter().flat_map(|host| ["--host".to_owned(), host.clone()]);
    let seeds = args.seeds.iter().flat_map(|seeds| ["--seeds".to_owned(), seeds.to_string()]);
    let words = std::iter::once(scenario).chain(policies).chain(host).chain(seeds);
    let words: Vec<String> = words.map(|word| crate::report::quoted(&word)).collect();
    format!("plimsoll compare {}", words.join(" "))
}
