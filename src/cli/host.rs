//! `plimsoll host`: what a host has, how strong it is, what it carries. And the option that names a host.

use super::Globals;
use super::codes;
use super::exit::Exit;
use super::exit::Failure;
use super::format::Format;
use super::output;
use super::paths::absolute;
use super::paths::between;
use super::printer::Printer;
use crate::engine;
use crate::input::catalog::Catalog;
use crate::input::problem::Problem;
use crate::input::profile::Profiles;
use crate::input::project::Project;
use crate::model::Host;
use crate::model::HostClass;
use crate::plan;
use crate::report;
use crate::report::host::Listed;
use crate::report::host::Shown;
use crate::world::machine;
use crate::world::machine::Machine;
use std::path::Path;
use std::path::PathBuf;

/// Show what a host has, how strong it is and what it carries; this machine where none is named.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  plimsoll host
  plimsoll host -o my-host.yaml && plimsoll budget --host ./my-host.yaml
  plimsoll host kvm-4 --json")]
pub(super) struct HostArgs {
    /// A profile by name or path.
    #[arg(value_name = "PROFILE")]
    profile: Option<String>,
    /// Write it as a profile to this file.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// List the profiles there are.
    #[arg(long, conflicts_with_all = ["profile", "out"])]
    list: bool,
}

/// Which host a command is about.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct HostChoice {
    /// The host: a profile by name or path; that of plimsoll.yaml where not given.
    #[arg(long, short = 'H', value_name = "PROFILE")]
    host: Option<String>,
}

impl HostChoice {
    /// The host that is named, else that of the project, and how it is named on a command line.
    ///
    /// # Errors
    ///
    /// An unknown or broken profile.
    pub(super) fn named(&self, folder: &Path, project: &Project) -> Result<Option<(String, Host)>, Failure> {
        if let Some(name) = &self.host {
            return Ok(Some((name.clone(), find(name, folder)?)));
        }
        let Some(name) = &project.settings.host else { return Ok(None) };
        let host = Profiles::below(&project.folder).find(name, None, &project.folder)?;
        let typed = if Profiles::is_path(name) {
            between(&absolute(Path::new("")), &absolute(&project.folder.join(name)))
        } else {
            name.clone()
        };
        Ok(Some((typed, host)))
    }

    /// The host that is named, else that of the project, else this machine.
    ///
    /// # Errors
    ///
    /// As [`Self::named`], and a system that cannot be looked at.
    pub(super) fn resolve(&self, folder: &Path, project: &Project, printer: &mut Printer) -> Result<Host, Failure> {
        if let Some((_, host)) = self.named(folder, project)? {
            return Ok(host);
        }
        let machine = detect()?;
        let memory = report::budget::size(machine.usable_memory());
        printer.note(&format!("no --host: this machine, {} CPUs and {memory}", machine.usable_cpu()));
        Ok(machine.host())
    }
}

/// This machine, looked at.
fn detect() -> Result<Machine, Failure> {
    let failed = |error| Failure::Environment(format!("cannot look at this machine: {error}; name a host with --host"));
    machine::detect().map_err(failed)
}

/// A profile by name, looked up around the files it is for and then here, or by a path from here.
pub(super) fn find(name: &str, folder: &Path) -> Result<Host, crate::input::problem::Problems> {
    let here = std::env::current_dir().unwrap_or_default();
    let around = Profiles::below(folder);
    let is_around = around.names().iter().any(|known| known == name);
    let mut profiles = if is_around { around } else { Profiles::below(&here) };
    profiles.find(name, None, &here)
}

/// Shows a host, or writes it down.
///
/// # Errors
///
/// An unknown or broken profile, a format that is not written, a file that cannot be written.
pub(super) fn host(args: &HostArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    let here = std::env::current_dir().unwrap_or_default();
    if args.list {
        return list(&here, globals.format(), printer);
    }
    let (host, found) = match &args.profile {
        Some(name) => (find(name, &here)?, Vec::new()),
        None => {
            let machine = detect()?;
            (machine.host(), found(&machine))
        }
    };
    let score = engine::score(&host);
    let (host, reserve_from) = with_reserve(host, score.class());
    let catalog = Catalog::below(&here)?;
    let (on, off) = plan::host::carried(score.class(), &catalog);
    let shown = Shown { host: &host, score, reserve_from: &reserve_from, found: &found, on: &on, off: &off };
    let format = globals.format();
    match format {
        Format::Table => printer.data(&report::host::text(&shown, printer.width(), report::Paint::Colour)),
        Format::Json => printer.json(&report::host::json(&shown)),
        Format::Csv | Format::Md | Format::Html => {
            return Err(format.refused("host", &[Format::Table, Format::Json]));
        }
    }
    if let Some(path) = &args.out {
        write(path, &host, args.profile.as_deref(), &reserve_from, printer)?;
    }
    Ok(Exit::Good)
}

/// The host with the reserve of its class, where its profile states none; and where the reserve comes from.
fn with_reserve(mut host: Host, class: HostClass) -> (Host, String) {
    if host.reserve_stated {
        return (host, "as the profile says".to_owned());
    }
    let share = host.share(class.reserve());
    (host.reserve_cpu, host.reserve_memory) = (share.cpu, share.memory);
    (host, format!("class {} keeps {}", class.name(), class.reserve()))
}

/// This machine under a name, with the reserve of its class; and where the reserve comes from.
///
/// # Errors
///
/// A system that cannot be looked at.
pub(super) fn this_machine(name: &str) -> Result<(Host, String), Failure> {
    let host = detect()?.host();
    let class = engine::score(&host).class();
    let (mut host, reserve) = with_reserve(host, class);
    name.clone_into(&mut host.name);
    Ok((host, reserve))
}

/// Writes the profile; a file that is there stays.
fn write(path: &Path, host: &Host, from: Option<&str>, reserve: &str, printer: &mut Printer) -> Result<(), Failure> {
    if path.exists() {
        let problem = Problem::error(&codes::FILE, format!("`{}` is there already", path.display()));
        return Err(problem.help("name another file, or remove this one first").into());
    }
    let mut host = host.clone();
    if let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) {
        stem.clone_into(&mut host.name);
    }
    let origin =
        from.map_or_else(|| "Detected on the machine itself".to_owned(), |from| format!("From the profile {from}"));
    let comment = format!("{origin} by `plimsoll host`. The reserve: {reserve}.");
    output::write(path, plan::host::profile(&host, &comment).as_bytes())?;
    // A bare name would be looked up among the profiles.
    let bare = if path.components().count() == 1 { "./" } else { "" };
    printer.note(&format!("wrote {}: use it with `--host {bare}{}`", path.display(), path.display()));
    Ok(())
}

/// What was found beside what a profile holds.
fn found(machine: &Machine) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut say = |name, words: String| found.push((name, words));
    if let Some(cores) = machine.cores.filter(|cores| *cores != machine.threads) {
        say("physical cores", cores.to_string());
    }
    let guest = machine.virtualisation.as_deref().unwrap_or("not known");
    let inside = machine.container.as_deref().map(|kind| format!(", within a container ({kind})")).unwrap_or_default();
    say("virtualisation", format!("{guest}{inside}"));
    let mut limits = Vec::new();
    if machine.threads_allowed < machine.threads {
        limits.push(format!("{} of {} threads allowed", machine.threads_allowed, machine.threads));
    }
    limits.extend(machine.cpu_quota.map(|quota| format!("a CPU quota of {quota}")));
    let limit = machine.memory_limit.filter(|limit| *limit < machine.memory);
    limits.extend(limit.map(|limit| format!("a memory limit of {limit} of {}", machine.memory)));
    say("limits of the place", if limits.is_empty() { "none".to_owned() } else { limits.join(", ") });
    let speed = |speed: Option<u32>| speed.map(|speed| format!(" {speed} Mbit/s")).unwrap_or_default();
    let names: Vec<String> = machine.interfaces.iter().map(|(name, at)| format!("{name}{}", speed(*at))).collect();
    say("interfaces", if names.is_empty() { "none".to_owned() } else { names.join(", ") });
    say("containers", machine::orchestrator().to_string());
    found
}

/// The profiles there are.
fn list(here: &Path, format: Format, printer: &mut Printer) -> Result<Exit, Failure> {
    let mut profiles = Profiles::below(here);
    let mut hosts = Vec::new();
    for name in profiles.names() {
        let host = profiles.find(&name, None, here)?;
        let score = engine::score(&host);
        hosts.push(Listed { name, host, score });
    }
    match format {
        Format::Table => printer.data(&report::host::list_text(&hosts)),
        Format::Json => printer.json(&report::host::list_json(&hosts)),
        Format::Md => printer.data(&report::host::list_markdown(&hosts)),
        Format::Csv | Format::Html => {
            return Err(format.refused("host --list", &[Format::Table, Format::Json, Format::Md]));
        }
    }
    Ok(Exit::Good)
}
