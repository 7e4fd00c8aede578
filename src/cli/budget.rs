//! `plimsoll budget`: what each service of a stack may have of a host.

use super::Globals;
use super::budget_beside::Part;
use super::budget_beside::Proposals;
use super::budget_write;
use super::budget_write::Order;
use super::codes;
use super::compose_files;
use super::compose_files::ComposeFiles;
use super::exit::Exit;
use super::exit::Failure;
use super::format::Format;
use super::help;
use super::host;
use super::printer::Printer;
use super::records;
use crate::input::problem::Problem;
use crate::input::problem::nearest;
use crate::input::project::Project;
use crate::model::Budget;
use crate::model::Preset;
use crate::model::ServiceName;
use crate::model::Stack;
use crate::plan::budget::Wishes;
use crate::plan::budget::budget as make;
use crate::plan::tuning::DeviceRate;
use crate::report;
use crate::report::budget::Beside;
use crate::units::Bytes;
use crate::units::Permille;
use clap::ValueEnum;
use clap::builder::PossibleValue;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Divide a host among the services of a stack: who runs, with which limits, and does it fit?
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Where neither --host nor plimsoll.yaml names a host, it is this machine.

Exit codes: 0 it fits, 5 the host is too small for what must run.

Examples:
  plimsoll budget -f compose.yml --host kvm-4
  plimsoll budget --host kvm-4 --write && docker compose up -d
  plimsoll budget --host kvm-4 --format md >> $GITHUB_STEP_SUMMARY
  plimsoll budget --host ./my-host.yaml --record reports/runs/evening")]
pub(super) struct BudgetArgs {
    #[command(flatten)]
    compose: ComposeFiles,
    #[command(flatten)]
    host: host::HostChoice,
    /// How much of the host is used, and for what.
    #[arg(long, value_enum, value_name = "PRESET", help_heading = "Budget")]
    preset: Option<Preset>,
    /// CPU kept for the system, in percent.
    #[arg(long, value_name = "PERCENT", value_parser = percent, help_heading = "Budget")]
    reserve_cpu: Option<Permille>,
    /// Memory kept for the system: 2G.
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Budget")]
    reserve_memory: Option<Bytes>,
    /// Let CPU limits add up to so many times the pool.
    #[arg(long, value_name = "TIMES", value_parser = times, help_heading = "Budget")]
    overcommit_cpu: Option<Permille>,
    /// Let memory limits add up to so many times the pool.
    #[arg(long, value_name = "TIMES", value_parser = times, help_heading = "Budget")]
    overcommit_memory: Option<Permille>,
    /// Keep this service on, whatever its importance; may be repeated.
    #[arg(long, value_name = "SERVICE", help_heading = "Budget")]
    keep: Vec<String>,
    /// Write the Compose override file that makes it so; `docker-compose.override.yml` beside the Compose file, or FILE, or
    /// `-` for stdout.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "", help_heading = "Write")]
    write: Option<String>,
    /// Lay it over a file that plimsoll did not write, too; a copy of that is kept beside it.
    #[arg(long, requires = "write", help_heading = "Write")]
    force: bool,
    /// Write these, too: settings, health, io; separated by commas.
    #[arg(long, value_enum, value_name = "PARTS", value_delimiter = ',', requires = "write", help_heading = "Write")]
    with: Vec<Part>,
    /// With `io`: let services of tier 3 read and write at most so much a second of this device: /dev/nvme0n1=100m.
    #[arg(long, value_name = "DEVICE=RATE", value_parser = device_rate, requires = "write", help_heading = "Write")]
    device_rate: Option<DeviceRate>,
    /// Show settings, health checks and advice in full.
    #[arg(long, help_heading = "Budget")]
    advice: bool,
    /// Go by what was in use in these records, or in all of a directory; may be repeated.
    #[arg(long, value_name = "RECORD", help_heading = "Budget")]
    record: Vec<PathBuf>,
}

impl ValueEnum for Preset {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Minimal, Self::Balanced, Self::Performance, Self::Custom]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Auto => "Reserve and services by the class of the host",
            Self::Minimal => "Half is kept; only what is essential runs",
            Self::Balanced => "30 % is kept",
            Self::Performance => "20 % is kept, and everything runs",
            Self::Custom => "The reserve as set, and everything that fits",
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

/// The presets in words: `auto, minimal, balanced, performance or custom`.
pub(super) fn preset_names() -> String {
    let names: Vec<&str> = Preset::value_variants().iter().map(|preset| preset.name()).collect();
    names.split_last().map(|(last, others)| format!("{} or {last}", others.join(", "))).unwrap_or_default()
}

/// Makes the budget and shows it.
///
/// # Errors
///
/// All that is wrong with the files, the host, the records or the settings.
pub(super) fn budget(args: &BudgetArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    let asked = args.compose.asked();
    let (asked, loaded) = budget_write::without_ours(&asked)?;
    let catalog = compose_files::tell(&loaded, printer)?;
    let project = Project::find(&loaded.folder)?;
    let host = args.host.resolve(&loaded.folder, &project, printer)?;
    let wishes = wishes(args, &loaded.stack, &project)?;
    let budget = make(&loaded.project, &loaded.stack, &catalog, &host, &wishes);
    let proposals = Proposals::of(&budget, &loaded, &catalog, args.device_rate.as_ref());
    // On stdout the file takes the place of the budget, unless there is none to write.
    if args.write.as_deref() != Some("-") || !budget.allocation.fits() {
        show(&budget, &proposals.shown(), args.advice, globals.format(), printer)?;
    }
    if !budget.allocation.fits() {
        return Ok(Exit::NothingFits);
    }
    if let Some(file) = &args.write {
        let order = Order {
            file,
            force: args.force,
            asked: &asked,
            compose: &args.compose,
            parts: &args.with,
            proposals: &proposals,
        };
        if is_switched_off() {
            printer.note("ENABLE_RESOURCE_TUNING is false: nothing is written");
        } else {
            budget_write::write(&order, &budget, &loaded, printer)?;
        }
    }
    Ok(Exit::Good)
}

/// Whether the variable of the register forbids to write (A2).
fn is_switched_off() -> bool {
    std::env::var("ENABLE_RESOURCE_TUNING").is_ok_and(|set| help::is_off(&set))
}

fn show(budget: &Budget, beside: &Beside, full: bool, format: Format, printer: &mut Printer) -> Result<(), Failure> {
    match format {
        Format::Table => {
            let text = report::budget::text(budget, printer.width(), report::Paint::Colour);
            printer.data(&text);
            if full {
                printer.data(&format!(
                    "\n{}",
                    report::budget::beside_text(beside, printer.width(), report::Paint::Colour)
                ));
            } else {
                printer.note(&report::budget::hint(beside, printer.width()));
            }
        }
        Format::Json => printer.json(&report::budget::json(budget, beside)),
        Format::Md => printer.data(&report::budget::markdown(budget, beside)),
        Format::Html => printer.data(&report::budget::html(budget, beside)),
        Format::Csv => {
            return Err(format.refused("budget", &[Format::Table, Format::Json, Format::Md, Format::Html]));
        }
    }
    Ok(())
}

/// What was asked for: the command line first, then the variables of the register, then the project.
fn wishes(args: &BudgetArgs, stack: &Stack, project: &Project) -> Result<Wishes, Failure> {
    let preset = read("RESOURCE_PROFILE", |text| Preset::from_str(text, true).map_err(|_| preset_names()))?;
    let cpu_reserve = read("RESOURCE_CPU_RESERVE_PERCENT", percent)?;
    let memory_reserve = read("RESOURCE_MEMORY_RESERVE_GB", |text| {
        size(&format!("{text}g")).map_err(|_| "a number of gigabytes such as `2`".to_owned())
    })?;
    let keep: BTreeSet<ServiceName> = args.keep.iter().map(|name| ServiceName::new(name)).collect();
    if let Some(unknown) = keep.iter().find(|name| !stack.services.contains_key(*name)) {
        let names = stack.services.keys().map(ServiceName::as_str);
        let near = nearest(unknown.as_str(), names).map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        let message = format!("`--keep {unknown}`: the stack has no such service{near}");
        return Err(Problem::error(&codes::NAME, message).help("`plimsoll stack` lists the services").into());
    }
    let (observed, killed) = records::observed(&args.record)?;
    Ok(Wishes {
        preset: args.preset.or(preset).or(project.settings.preset).unwrap_or(Preset::Auto),
        cpu_reserve: args.reserve_cpu.or(cpu_reserve),
        memory_reserve: args.reserve_memory.or(memory_reserve),
        cpu_overcommit: args.overcommit_cpu.unwrap_or(Permille::ONE),
        memory_overcommit: args.overcommit_memory.unwrap_or(Permille::ONE),
        keep,
        observed,
        killed,
    })
}

/// A variable of the environment, where it is set and not empty.
fn read<T>(name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, Failure> {
    let Some(text) = std::env::var(name).ok().filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let wrong = |wanted: String| -> Failure {
        let problem = Problem::error(&codes::OPTION, format!("{name} is `{text}`"));
        problem.help(format!("expected {wanted}")).into()
    };
    parse(text.trim()).map(Some).map_err(wrong)
}

fn percent(text: &str) -> Result<Permille, String> {
    let number = text.trim().trim_end_matches('%');
    let share = Permille::parse(&format!("{number}%")).ok().filter(|share| *share < Permille::ONE);
    share.ok_or_else(|| "a share of the CPU such as `20`, below 100".to_owned())
}

fn size(text: &str) -> Result<Bytes, String> {
    Bytes::parse(text).map_err(|error| error.to_string())
}

fn device_rate(text: &str) -> Result<DeviceRate, String> {
    let wanted = || "a device and a rate, such as `/dev/nvme0n1=100m`".to_owned();
    let (device, rate) = text.split_once('=').filter(|(device, _)| device.starts_with("/dev/")).ok_or_else(wanted)?;
    let rate = Bytes::parse(rate.trim_end_matches("/s")).ok().filter(|rate| rate.get() > 0).ok_or_else(wanted)?;
    Ok(DeviceRate { device: device.to_owned(), rate })
}

fn times(text: &str) -> Result<Permille, String> {
    let wanted = || "a factor from 1 to 100, such as `1.5`".to_owned();
    let number = text.trim().trim_end_matches(['x', '×']);
    let factor = Permille::parse(number).map_err(|_| wanted())?;
    if (Permille::ONE..=Permille::percent(10_000)).contains(&factor) { Ok(factor) } else { Err(wanted()) }
}
