//! `plimsoll swarm`: projects drawn from seeds, to find what nobody thought of.

use super::Globals;
use super::clock;
use super::exit::Exit;
use super::exit::Failure;
use super::format::Format;
use super::in_order::in_order;
use super::in_order::threads;
use super::inputs;
use super::inputs::Seeds;
use super::output;
use super::printer::Printer;
use crate::run::swarm;
use crate::seed::Seed;
use std::ops::ControlFlow;
use std::path::Path;
use std::path::PathBuf;

/// Draw stacks, hosts, loads, deployments and faults from seeds and see that the rules hold.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The first half of each run is stormy, the second calm. Rules of safety hold in
every moment; at the end all must be well again. What fails is made as small as
it gets and written as a project that can be run.

Examples:
  plimsoll swarm --seeds 1..200
  plimsoll swarm --seeds 77 --out reports/runs/swarm
  plimsoll swarm --seeds 1..20 --canary

Exit code: 3 where a rule is broken.")]
pub(super) struct SwarmArgs {
    /// Seeds to draw from: 1..200, 7 or 1,5,9.
    #[arg(long, value_name = "SEEDS", default_value = "1..100")]
    seeds: Seeds,
    /// Where the smallest failing projects are written, each in a directory of its own.
    #[arg(long, value_name = "DIR", default_value = "reports/runs/swarm")]
    out: PathBuf,
    /// Go on after a failure.
    #[arg(long)]
    no_fail_fast: bool,
    /// Plant an error in every run in which something crashes, a disk is slowed down or instances are replaced, to see that
    /// it is found.
    #[arg(long)]
    canary: bool,
}

/// Runs the seeds and shows what fails.
///
/// # Errors
///
/// A format it cannot write, and what cannot be written.
pub(super) fn swarm(args: &SwarmArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    let format = globals.format();
    if !matches!(format, Format::Table | Format::Json) {
        return Err(format.refused("swarm", &[Format::Table, Format::Json]));
    }
    let seeds = args.seeds.list();
    let bar = printer.progress(seeds.len() as u64, "swarm");
    let (mut failures, mut ran, mut lost) = (Vec::new(), 0_u64, None);
    let work = |seed: &Seed| {
        let found = swarm::run(seed.get(), args.canary);
        bar.inc(1);
        found
    };
    let ((), took) = clock::timed(|| {
        in_order(&seeds, threads(globals.jobs()), work, |found| {
            ran += 1;
            let Some(failure) = found else { return ControlFlow::Continue(()) };
            let written = bar.suspend(|| show(&failure, args, format, printer));
            lost = lost.take().or(written.err());
            failures.push(failure);
            if args.no_fail_fast { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
    });
    bar.finish_and_clear();
    if format == Format::Json {
        printer.json(&json(&failures, ran, args));
    } else {
        let count = |number: u64, thing: &str| crate::report::words::counted(number, thing);
        let found = if failures.is_empty() { "no failure".to_owned() } else { count(failures.len() as u64, "failure") };
        printer.data(&format!("{} in {}, {found}\n", count(ran, "seed"), clock::shown(took)));
    }
    match lost {
        Some(failure) => Err(failure),
        None => Ok(if failures.is_empty() { Exit::Good } else { Exit::ExpectationFailed }),
    }
}

/// Shows a failure and writes its smallest project.
fn show(failure: &swarm::Failure, args: &SwarmArgs, format: Format, printer: &mut Printer) -> Result<(), Failure> {
    let folder = folder(args, failure);
    let small = &failure.smallest;
    if format == Format::Table {
        let canary = if args.canary { " --canary" } else { "" };
        printer.data(&format!(
            "seed {}: {}\n  smallest: {}\n  project:  {}\n  again:    plimsoll swarm --seeds {}{canary}\n",
            failure.seed,
            failure.violation,
            failure.smallest_violation,
            inputs::shown(&folder),
            failure.seed,
        ));
    }
    output::write(&folder.join("compose.yaml"), small.compose().as_bytes())?;
    let head = format!("# {}\n", failure.smallest_violation.to_string().replace('\n', " "));
    output::write(&folder.join("scenario.yaml"), (head + &small.scenario()).as_bytes())
}

fn folder(args: &SwarmArgs, failure: &swarm::Failure) -> PathBuf {
    args.out.join(format!("seed-{}", failure.seed))
}

fn json(failures: &[swarm::Failure], ran: u64, args: &SwarmArgs) -> serde_json::Value {
    let shown = |path: &Path| inputs::shown(path);
    let failures: Vec<serde_json::Value> = failures
        .iter()
        .map(|failure| {
            serde_json::json!({
                "seed": failure.seed,
                "rule": failure.violation.rule,
                "violation": failure.violation.to_string(),
                "smallest": failure.smallest_violation.to_string(),
                "project": shown(&folder(args, failure)),
            })
        })
        .collect();
    serde_json::json!({ "format_version": 1, "seeds": ran, "failures": failures })
}
