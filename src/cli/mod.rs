//! The command line: one thin file a command. Before you change it:
//! 1. A command gets plain values, calls the library and prints through `printer::Printer`; it decides nothing itself.
//! 2. Every option can be set by the environment: `command` adds `PLIMSOLL_…` to all of them, so none is forgotten.
//! 3. How a command ends is an [`exit::Exit`]; nothing else sets an exit code.

mod advise;
mod budget;
mod budget_beside;
mod budget_write;
mod bundle;
mod capacity;
mod check;
mod clock;
mod codes;
mod compare;
mod completions;
mod compose_files;
mod deploy;
pub mod exit;
mod explain;
mod fit;
mod format;
mod gate;
mod help;
mod history;
mod host;
mod in_order;
mod init;
mod inputs;
mod interrupt;
mod live;
mod man;
mod merge;
mod output;
mod overwrite;
mod partition;
mod paths;
mod policy;
mod printer;
mod project;
mod records;
mod recover;
mod report;
mod reports;
mod rollback;
mod running;
mod schema;
mod scoreboard;
mod simulate;
mod stack;
mod stack_view;
mod status;
mod swarm;
mod sweep;
mod tables;
mod test;
mod validate;

use clap::CommandFactory;
use clap::FromArgMatches;
use exit::Exit;
use exit::Failure;
use format::Format;
use printer::Color;
use printer::Printer;
use printer::Talk;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::process::ExitCode;

/// Tells how deep a Docker host may be loaded: a Compose stack, a host and a load go in, a verdict comes out.
#[derive(Debug, clap::Parser)]
#[command(name = "plimsoll", version, propagate_version = false, subcommand_required = true)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
struct Globals {
    /// When to colour the output.
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t, help_heading = "Output")]
    color: Color,
    /// Say only what was asked for, and what is wrong.
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    quiet: bool,
    /// Say how it came about, too.
    #[arg(short, long, global = true, help_heading = "Output")]
    verbose: bool,
    /// Print JSON; short for `--format json`.
    #[arg(long, global = true, conflicts_with = "format", help_heading = "Output")]
    json: bool,
    /// Print in this format; not every command writes every one.
    #[arg(long, global = true, value_enum, value_name = "FORMAT", help_heading = "Output")]
    format: Option<Format>,
    /// Work on so many things at once; all cores where not given. The results are the same for any number.
    #[arg(long, global = true, value_name = "N", value_parser = inputs::jobs)]
    jobs: Option<NonZeroUsize>,
}

impl Globals {
    fn talk(&self) -> Talk {
        match (self.quiet, self.verbose) {
            (true, _) => Talk::Quiet,
            (_, true) => Talk::Verbose,
            _ => Talk::Normal,
        }
    }

    /// Threads asked for: zero is one a core.
    fn jobs(&self) -> usize {
        self.jobs.map_or(0, NonZeroUsize::get)
    }

    /// The format asked for: `table` where nothing is said.
    fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format.unwrap_or_default() }
    }
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Init(init::InitArgs),
    Validate(validate::ValidateArgs),
    Stack(stack::StackArgs),
    Host(host::HostArgs),
    Policy(policy::PolicyArgs),
    Budget(budget::BudgetArgs),
    Bundle(bundle::BundleArgs),
    Simulate(simulate::SimulateArgs),
    Compare(compare::CompareArgs),
    Capacity(capacity::CapacityArgs),
    Fit(fit::FitArgs),
    Advise(advise::AdviseArgs),
    Test(test::TestArgs),
    Swarm(swarm::SwarmArgs),
    Sweep(sweep::SweepArgs),
    Merge(merge::MergeArgs),
    Report(report::ReportArgs),
    Deploy(deploy::DeployArgs),
    Rollback(rollback::RollbackArgs),
    Recover(recover::RecoverArgs),
    History(history::HistoryArgs),
    Status(status::StatusArgs),
    Explain(explain::ExplainArgs),
    Schema(schema::SchemaArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// Runs the program: reads the command line, runs the command, and says how it ended.
#[must_use]
pub fn main() -> ExitCode {
    let exit = std::panic::catch_unwind(run).unwrap_or_else(|_| {
        let mut printer = Printer::new(Color::Auto, Talk::Normal);
        printer.failure(&Failure::Bug("the command broke one of its own rules and was stopped".to_owned()));
        Exit::Fault
    });
    exit.into()
}

fn run() -> Exit {
    let cli = match command_beside(&help::given(Cli::command()))
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches))
    {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let mut printer = Printer::new(cli.globals.color, cli.globals.talk());
    let exit = match prepare(&cli.globals).and_then(|()| dispatch(&cli, &mut printer)) {
        Ok(exit) => exit,
        Err(failure) => {
            printer.failure(&failure);
            failure.exit()
        }
    };
    match printer.finish() {
        Ok(()) => exit,
        Err(failure) => {
            Printer::new(cli.globals.color, cli.globals.talk()).failure(&failure);
            failure.exit()
        }
    }
}

fn dispatch(cli: &Cli, printer: &mut Printer) -> Result<Exit, Failure> {
    let globals = &cli.globals;
    match &cli.command {
        Command::Init(args) => init::init(args, printer),
        Command::Validate(args) => validate::validate(args, globals, printer),
        Command::Stack(args) => stack::stack(args, globals, printer),
        Command::Host(args) => host::host(args, globals, printer),
        Command::Budget(args) => budget::budget(args, globals, printer),
        Command::Bundle(args) => bundle::bundle(args, globals, printer),
        Command::Simulate(args) => simulate::simulate(args, globals, printer),
        Command::Capacity(args) => capacity::capacity(args, globals, printer),
        Command::Compare(args) => compare::compare(args, globals, printer),
        Command::Fit(args) => fit::fit(args, globals, printer),
        Command::Advise(args) => advise::advise(args, globals, printer),
        Command::Test(args) => test::test(args, globals, printer),
        Command::Swarm(args) => swarm::swarm(args, globals, printer),
        Command::Sweep(args) => sweep::sweep(args, globals, printer),
        Command::Merge(args) => merge::merge(args, globals, printer),
        Command::Report(args) => report::report(args, globals, printer),
        Command::Deploy(args) => deploy::deploy(args, globals, printer),
        Command::Status(args) => status::status(args, globals, printer),
        Command::Rollback(args) => rollback::rollback(args, printer),
        Command::History(args) => history::history(args, globals, printer),
        Command::Recover(args) => recover::recover(args, printer),
        Command::Schema(args) => schema::schema(args, printer),
        Command::Policy(args) => policy::policy(args, globals.format(), printer),
        Command::Explain(args) => explain::explain(args, globals.format(), printer),
        Command::Completions(args) => completions::completions(args, printer),
        Command::Man(args) => man::man(args, printer),
    }
}

/// The whole command line: what clap derives, with an environment variable for every option.
fn command() -> clap::Command {
    command_beside(&BTreeSet::new())
}

/// The command line where these arguments are given: what they exclude is not taken from the environment.
fn command_beside(given: &BTreeSet<String>) -> clap::Command {
    let root = Cli::command().after_help(help::AFTER);
    let excluded = help::excluded(&root, given);
    let with_environment = |argument| help::with_environment(argument, &excluded);
    let root = root.mut_args(with_environment).mut_subcommands(|sub| sub.mut_args(with_environment));
    let page = help::page(&root);
    root.help_template(page)
}

/// Sets up the process: an interrupt ends it with its own code, and as many threads work as were asked for.
fn prepare(globals: &Globals) -> Result<(), Failure> {
    interrupt::watch()?;
    if let Some(jobs) = globals.jobs {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.get());
        pool.build_global().map_err(|error| Failure::Environment(format!("cannot start {jobs} threads: {error}")))?;
    }
    Ok(())
}

/// Help and version are asked for and go to stdout; all else is a usage error.
fn usage(error: &clap::Error) -> Exit {
    let mut printer = Printer::new(asked_color(), Talk::Normal);
    let text = error.render().ansi().to_string();
    if error.use_stderr() {
        printer.error_text(&text);
        return Exit::Invalid;
    }
    printer.data(&text);
    Exit::Good
}

/// What `--color` says on a command line that could not be read as a whole.
fn asked_color() -> Color {
    let mut words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let mut asked = std::env::var("PLIMSOLL_COLOR").ok();
    while let Some(word) = words.next() {
        if word == "--color" {
            asked = words.next();
        } else if let Some(when) = word.strip_prefix("--color=") {
            asked = Some(when.to_owned());
        }
    }
    asked.and_then(|when| clap::ValueEnum::from_str(&when, true).ok()).unwrap_or_default()
}
