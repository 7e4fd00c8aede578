//! `plimsoll sweep`: a scenario at many points, and where it holds.

use super::Globals;
use super::codes;
use super::exit::Exit;
use super::exit::Failure;
use super::format::Format;
use super::inputs;
use super::interrupt;
use super::output;
use super::partition::Partition;
use super::printer::Printer;
use super::tables;
use crate::capacity::sweep;
use crate::capacity::sweep::Bench;
use crate::capacity::sweep::Checked;
use crate::capacity::sweep::Damaged;
use crate::capacity::sweep::Ended;
use crate::capacity::sweep::Failed;
use crate::capacity::sweep::Found;
use crate::capacity::sweep::Header;
use crate::capacity::sweep::Journal;
use crate::capacity::sweep::Part;
use crate::capacity::sweep::Points;
use crate::capacity::sweep::STEPS;
use crate::input::problem::Problem;
use crate::input::project::Project;
use crate::input::sweep as input;
use crate::input::sweep::Level;
use crate::input::sweep::Sweep;
use crate::input::sweep::Tuning;
use crate::report::quoted;
use crate::report::words::counted;
use crate::seed::Seed;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// Run a scenario at many points, fields of it varied, and show where it holds.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A sweep file names a scenario, the fields to vary and their values: a grid, a
Latin hypercube or Monte-Carlo draws. Each point is run with all seeds; a row of
the results is one run. What is done is kept in a journal beside the results, so
that a sweep that was ended goes on where it was: the file is the same.
With `method: optimise` it looks for the values that are best in two aims and
more, and tries what it found on seeds that it did not see.

Examples:
  plimsoll sweep scenarios/flash-crowd/crowd.sweep.yaml
  plimsoll sweep load.sweep.yaml --out load.parquet --resume
  plimsoll sweep load.sweep.yaml --partition 2/4 --out part-2.parquet
  plimsoll merge load.parquet part-*.parquet
  plimsoll sweep scenarios/vedfolnir-scales-out/tune.sweep.yaml

Exit code: 0 whatever holds; 130 where it was interrupted.")]
pub(super) struct SweepArgs {
    /// A sweep file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write the rows to this file, as Parquet or, where it ends in .csv, as CSV; .plimsoll/sweeps/NAME.parquet in the
    /// project unless said otherwise.
    #[arg(long, short = 'o', value_name = "FILE")]
    out: Option<PathBuf>,
    /// Run only this part of so many: 2/4 is the second of four.
    #[arg(long, value_name = "I/N")]
    partition: Option<Partition>,
    /// Go on where a run that was ended left off; begin where there is none.
    #[arg(long)]
    resume: bool,
    /// Begin anew, whatever a run that was ended left.
    #[arg(long, conflicts_with = "resume")]
    restart: bool,
    /// Show the points and run none; with `method: optimise` the fields, since its points are not known before.
    #[arg(long)]
    list: bool,
}

/// Runs the points and shows what they come to.
///
/// # Errors
///
/// Everything that is wrong with the sweep and its points, before anything runs; what another run left, where it is not
/// said what is to become of it; what cannot be written.
pub(super) fn sweep(args: &SweepArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    tables::fits("sweep", globals.format())?;
    let sweep = input::load(&args.file, &inputs::environment())?;
    if sweep.tuning.is_some() && args.partition.is_some() {
        let message = "`method: optimise` has no parts: each generation rests on the one before";
        let help = "leave `--partition` out, `--jobs` shares it among the cores; or look at the whole range on many machines \
                    with `method: latin-hypercube`, and tune where it holds";
        return Err(Problem::error(&codes::WHOLE, message).help(help).into());
    }
    let points = Points::of(&sweep);
    let checked = sweep::check(&sweep, &points)?;
    printer.problems(&checked.warnings);
    if checked.looked_at < points.count() {
        let (count, all) = (checked.looked_at, points.count());
        printer.note(&format!("{count} of {all} points were checked before the run, the corners among them"));
    }
    let part = args.partition.map(|part| Part { index: part.index(), total: part.total() });
    let header = header(&sweep, &points, &checked, part)?;
    if args.list {
        return list(&sweep, &points, &header, globals.format(), printer);
    }
    let out = out(args, part)?;
    let journal = output::beside(&out, ".journal");
    let found = found(args, &out, &journal, &header)?;
    if found.is_none() && args.resume && out.is_file() {
        // Ran to its end before: `--resume` may be said every time, as a scheduler does.
        let table = tables::read(&out)?;
        same(&header, &table.header, &out)?;
        printer.note(&format!("{} is complete", inputs::shown(&out)));
        tables::show(&table, globals.format(), printer)?;
        return Ok(Exit::Good);
    }
    let done = found.as_ref().map(|found| found.points.len()).unwrap_or_default();
    if done > 0 {
        printer.note(&format!("goes on behind {} that {} done", counted(done as u64, "point"), is_are(done)));
    }
    let todo: Vec<u64> =
        header.own_points().filter(|point| found.as_ref().is_none_or(|one| !one.points.contains_key(point))).collect();
    let opened = match &found {
        Some(found) => Journal::go_on(&journal, found),
        None => Journal::begin(&journal, &header),
    };
    let mut writing = opened.map_err(|error| unwritable(&journal, &error))?;
    let ended = if sweep.tuning.is_some() {
        tuned(&sweep, (&header, found.as_ref()), &mut writing, globals, (&journal, printer))?
    } else {
        run((&sweep, &points), (&header, &todo), &mut writing, globals, (&journal, printer))?
    };
    if ended == Ended::Stopped {
        let left = Found::read(&journal).ok().flatten().map_or(0, |found| found.points.len());
        let all = header.own_points().count();
        printer.note(&format!(
            "stopped with {left} of {} done; go on with\n  {}",
            counted(all as u64, "point"),
            again(args)
        ));
        return Ok(Exit::Interrupted);
    }
    let table = Found::read(&journal).map_err(|damaged| damage(&journal, &damaged))?;
    let Some(table) = table.map(Found::table) else {
        return Err(Failure::Bug(format!("the journal {} is gone", journal.display())));
    };
    tables::write(&out, &table)?;
    drop(writing);
    std::fs::remove_file(&journal).map_err(|error| output::failed(&journal, &error))?;
    tables::show(&table, globals.format(), printer)?;
    printer.note(&format!("wrote {}, {}", inputs::shown(&out), counted(table.rows.len() as u64, "row")));
    Ok(Exit::Good)
}

fn run(
    (sweep, points): (&Sweep, &Points<'_>),
    (header, todo): (&Header, &[u64]),
    journal: &mut Journal,
    globals: &Globals,
    (path, printer): (&Path, &Printer),
) -> Result<Ended, Failure> {
    let asked = interrupt::asked()?;
    let stop: &AtomicBool = &asked;
    let bar = printer.progress(todo.len() as u64 * header.seeds.len() as u64 * STEPS, &sweep.name);
    let bench = Bench { jobs: globals.jobs(), progress: &|steps| bar.inc(steps), stop };
    let todo = (todo, sweep.seeds.as_slice());
    let ended = sweep::run((sweep, points), header, todo, &bench, |point, rows| journal.push(point, rows));
    bar.finish_and_clear();
    interrupt::at_once();
    ended.map_err(|why| failed(why, path))
}

fn tuned(
    sweep: &Sweep,
    (header, found): (&Header, Option<&Found>),
    journal: &mut Journal,
    globals: &Globals,
    (path, printer): (&Path, &Printer),
) -> Result<Ended, Failure> {
    let asked = interrupt::asked()?;
    let stop: &AtomicBool = &asked;
    let done = found.map_or(0, |found| found.points.values().chain(found.checked.values()).map(Vec::len).sum());
    // How many points are checked is known when the search is over: what is left is an estimate until then.
    let bar = printer.progress(sweep::expected_runs(header).saturating_sub(done as u64).max(1) * STEPS, &sweep.name);
    let told = |steps: u64| {
        bar.inc(steps);
        if bar.length().is_some_and(|all| bar.position() > all) {
            bar.set_length(bar.position());
        }
    };
    let bench = Bench { jobs: globals.jobs(), progress: &told, stop };
    let ended = sweep::tune(sweep, header, found, &bench, &mut |point, rows| journal.push(point, rows));
    bar.finish_and_clear();
    interrupt::at_once();
    ended.map_err(|why| failed(why, path))
}

fn failed(why: Failed, journal: &Path) -> Failure {
    match why {
        Failed::Point(problems) => problems.into(),
        Failed::Breached(title, breached) => Failure::Bug(format!("{title}: {breached}")),
        Failed::Kept(error) => output::failed(journal, &error),
    }
}

fn header(sweep: &Sweep, points: &Points<'_>, checked: &Checked, part: Option<Part>) -> Result<Header, Failure> {
    let failed =
        |error: std::io::Error| Failure::Environment(format!("cannot read a file again: {}", output::said(&error)));
    checked.header(sweep, points, part).map_err(failed)
}

/// Where the rows go.
fn out(args: &SweepArgs, part: Option<Part>) -> Result<PathBuf, Failure> {
    if let Some(out) = &args.out {
        tables::kind(out)?;
        return Ok(out.clone());
    }
    let folder = args.file.parent().unwrap_or(Path::new(""));
    let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.trim_end_matches(".yml").trim_end_matches(".yaml").trim_end_matches(".sweep");
    let part = part.map(|part| format!(".{}-of-{}", part.index, part.total)).unwrap_or_default();
    Ok(Project::find(folder)?.results().join("sweeps").join(format!("{stem}{part}.parquet")))
}

/// What a run that was ended left, where it is to be taken up; `None` where the run begins.
fn found(args: &SweepArgs, out: &Path, journal: &Path, header: &Header) -> Result<Option<Found>, Failure> {
    if args.restart {
        return Ok(None);
    }
    let found = Found::read(journal).map_err(|damaged| damage(journal, &damaged))?;
    let Some(found) = found.filter(|found| !found.points.is_empty()) else { return Ok(None) };
    if args.resume {
        same(header, &found.header, journal)?;
        return Ok(Some(found));
    }
    let done = found.points.len();
    let all = found.header.own_points().count();
    let message = format!(
        "a run of this sweep was ended with {done} of {} done; its journal lies beside `{}`",
        counted(all as u64, "point"),
        inputs::shown(out)
    );
    let help = "nothing is lost: `--resume` goes on with it, `--restart` begins anew";
    Err(Problem::error(&codes::UNFINISHED, message).help(help).into())
}

/// Refuses what rests on something else than this run does.
fn same(header: &Header, other: &Header, path: &Path) -> Result<(), Failure> {
    if header == other {
        return Ok(());
    }
    let mut differences = header.basis.differences(&other.basis);
    if header.part != other.part {
        differences.push("the part of the sweep".to_owned());
    }
    if differences.is_empty() {
        differences.push("the columns".to_owned());
    }
    let message = format!("`{}` rests on something else: {} changed", inputs::shown(path), differences.join(", "));
    let help = "put back what changed, or begin anew with `--restart`; rows of both would not belong together";
    Err(Problem::error(&codes::UNFINISHED, message).help(help).into())
}

fn damage(journal: &Path, damaged: &Damaged) -> Failure {
    match damaged {
        Damaged::Unreadable(error) => {
            Failure::Environment(format!("cannot read {}: {}", journal.display(), output::said(error)))
        }
        Damaged::Line(line) => {
            let message = format!("`{}` is no journal of this version: line {line}", inputs::shown(journal));
            Problem::error(&codes::UNFINISHED, message).help("`--restart` begins anew").into()
        }
    }
}

fn unwritable(journal: &Path, error: &std::io::Error) -> Failure {
    if error.kind() == ErrorKind::WouldBlock {
        let message = format!("another process writes `{}`", inputs::shown(journal));
        return Problem::error(&codes::UNFINISHED, message).help("wait for it, or name another `--out`").into();
    }
    output::failed(journal, error)
}

/// The command that goes on.
fn again(args: &SweepArgs) -> String {
    let out = args.out.iter().flat_map(|out| ["--out".to_owned(), inputs::shown(out)]);
    let part = args.partition.iter().flat_map(|part| ["--partition".to_owned(), part.to_string()]);
    let words = std::iter::once(inputs::shown(&args.file)).chain(out).chain(part).chain(["--resume".to_owned()]);
    let words: Vec<String> = words.map(|word| quoted(&word)).collect();
    format!("plimsoll sweep {}", words.join(" "))
}

fn is_are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

/// The points with their values.
fn list(
    sweep: &Sweep,
    points: &Points<'_>,
    header: &Header,
    format: Format,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    if let Some(tuning) = &sweep.tuning {
        return list_fields(sweep, tuning, points.count(), format, printer);
    }
    let values = |point: u64| points.levels(point).into_iter().map(|level| level.text).collect::<Vec<_>>();
    match format {
        Format::Json => {
            let names: Vec<String> = sweep.fields.iter().map(|field| field.path.to_string()).collect();
            let point = |point: u64| {
                let pairs = names.iter().cloned().zip(values(point).into_iter().map(serde_json::Value::from));
                serde_json::json!({ "point": point, "values": pairs.collect::<serde_json::Map<_, _>>() })
            };
            let all: Vec<serde_json::Value> = header.own_points().map(point).collect();
            printer.json(&serde_json::json!({ "format_version": 1, "points": all }));
        }
        _ => {
            let mut text = String::new();
            for point in header.own_points() {
                text.push_str(&format!("{}\n", sweep.title(point, &points.levels(point))));
            }
            printer.data(&text);
        }
    }
    Ok(Exit::Good)
}

/// What a sweep that is tuned has to try, since its points are not known before.
fn list_fields(
    sweep: &Sweep,
    tuning: &Tuning,
    points: u64,
    format: Format,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let numbers = |seeds: &[Seed]| seeds.iter().map(|seed| seed.get()).collect::<Vec<u64>>();
    let (seeds, check) = (numbers(&sweep.seeds), numbers(&tuning.check));
    let fields = sweep.fields.iter().map(|field| (field.path.to_string(), field.values.all()));
    let fields: Vec<(String, Vec<Level>)> = fields.collect();
    if format == Format::Json {
        let field = |(name, values): &(String, Vec<Level>)| {
            let end = |level: Option<&Level>| level.map(|level| level.text.clone());
            serde_json::json!({
                "name": name, "values": values.len(), "first": end(values.first()), "last": end(values.last()),
            })
        };
        let aims = tuning.aims.iter().map(|aim| serde_json::json!({ "name": aim.name, "highest": aim.highest }));
        printer.json(&serde_json::json!({
            "format_version": 1,
            "points_in_all": points,
            "seeds": seeds,
            "check_seeds": check,
            "aims": aims.collect::<Vec<_>>(),
            "hold": tuning.hold,
            "fields": fields.iter().map(field).collect::<Vec<_>>(),
        }));
        return Ok(Exit::Good);
    }
    let mut text = String::new();
    for (name, values) in &fields {
        let texts = || values.iter().map(|level| level.text.as_str());
        let told = match values.as_slice() {
            [first, .., last] if values.len() > 8 => {
                format!("{} to {}, {} values", first.text, last.text, values.len())
            }
            _ => texts().collect::<Vec<_>>().join(", "),
        };
        text.push_str(&format!("{name}: {told}\n"));
    }
    let listed = |seeds: &[u64]| seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    text.push_str(&format!(
        "{} with the seeds {}; the front again with {}\n",
        counted(points, "point"),
        listed(&seeds),
        listed(&check)
    ));
    printer.data(&text);
    Ok(Exit::Good)
}
