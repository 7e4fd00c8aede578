//! `plimsoll init`: a project around a Compose file, with a first scenario that runs.

use super::budget;
use super::codes;
use super::compose_files::ComposeFiles;
use super::exit::Exit;
use super::exit::Failure;
use super::help;
use super::host;
use super::inputs;
use super::output;
use super::paths;
use super::printer::Printer;
use crate::input::compose::Loaded;
use crate::input::problem::Problem;
use crate::input::profile::Profiles;
use crate::input::project::FILE_NAME;
use crate::model::Preset;
use crate::model::ServiceName;
use crate::plan;
use crate::plan::first::Sketch;
use crate::plan::yaml;
use crate::report::words::counted;
use clap::ValueEnum;
use serde_json::Value;
use serde_json::json;
use std::path::Path;
use std::path::PathBuf;

/// Make a project around a Compose file, with a first scenario that runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
On a terminal it asks three questions; with --yes, or without a terminal, it
takes what it would propose. It never overwrites a file.

Examples:
  plimsoll init
  plimsoll init -f docker-compose.yml --host hetzner-cx33 --yes && plimsoll test")]
pub(super) struct InitArgs {
    #[command(flatten)]
    compose: ComposeFiles,
    /// The host: a profile by name or path; this machine where not given.
    #[arg(long, short = 'H', value_name = "PROFILE")]
    host: Option<String>,
    /// How much of the host is used, and for what.
    #[arg(long, value_enum, value_name = "PRESET")]
    preset: Option<Preset>,
    /// Leave limits as they are, instead of letting them follow the use.
    #[arg(long)]
    no_tuning: bool,
    /// Ask nothing.
    #[arg(long, short)]
    yes: bool,
}

/// Where the profile of this machine goes.
const PROFILE: &str = "hardware-profiles/this-machine.yaml";
/// Where the scenario goes.
const SCENARIO: &str = "scenarios/first/scenario.yaml";
/// The folder of the scenario.
const FIRST: &str = "scenarios/first";

/// Makes the files.
///
/// # Errors
///
/// All that is wrong with the Compose files, a project that is there already, a file that cannot be written.
pub(super) fn init(args: &InitArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let (loaded, catalog) = args.compose.load(printer)?;
    let home = loaded.folder.clone();
    let found: Vec<String> = loaded.files.iter().map(|file| inputs::shown(file)).collect();
    printer.note(&format!("found {}: {}", found.join(", "), services(&loaded)));
    for name in [FILE_NAME, SCENARIO] {
        let path = home.join(name);
        if path.exists() {
            let problem = Problem::error(&codes::FILE, format!("`{}` is there already", inputs::shown(&path)));
            return Err(problem
                .help("nothing was written; `plimsoll simulate` and `plimsoll test` use what is there")
                .into());
        }
    }
    let answers = ask(args, printer)?;
    let host = match &answers.host {
        Some(name) => {
            host::find(name, &home)?;
            name.clone()
        }
        None => {
            let profile = home.join(PROFILE);
            if !profile.exists() {
                let (machine, reserve) = host::this_machine("this-machine")?;
                let comment = format!("Detected on the machine itself by `plimsoll init`. The reserve: {reserve}.");
                write(&profile, plan::host::profile(&machine, &comment).as_bytes(), printer)?;
            }
            "this-machine".to_owned()
        }
    };
    ignore(&home, printer)?;
    let title = &loaded.project;
    let mut comments = yaml::Comments::new();
    comments.insert(
        String::new(),
        "A Plimsoll project: what holds for all its scenarios. `plimsoll schema project` tells all keys.".to_owned(),
    );
    let named = host_from(&home, &host);
    let project = json!({"project": title, "scenarios": "scenarios", "host": named, "preset": answers.preset});
    write(&home.join(FILE_NAME), yaml::text(&project, &comments).as_bytes(), printer)?;
    let sketch = Sketch {
        title: &format!("{title}, an ordinary day"),
        stack: stack(args, &loaded, &home),
        host: &host_from(&home.join(FIRST), &host),
        vertical: answers.tuning,
    };
    write(&home.join(SCENARIO), plan::first::scenario(&loaded.stack, &catalog, &sketch).as_bytes(), printer)?;
    let scenario = inputs::shown(&home.join(FIRST));
    printer.note(&format!("next: plimsoll simulate {scenario} --report .plimsoll/first"));
    Ok(Exit::Good)
}

fn services(loaded: &Loaded) -> String {
    let names: Vec<&str> = loaded.stack.services.keys().map(ServiceName::as_str).collect();
    let shown = if names.len() > 8 { format!("{} …", names[..8].join(" ")) } else { names.join(" ") };
    format!("{} ({shown})", counted(names.len() as u64, "service"))
}

/// How a file in `folder` names the host: a path was typed from here, and is read from where the file lies.
fn host_from(folder: &Path, host: &str) -> String {
    if Profiles::is_path(host) {
        paths::between(&paths::absolute(folder), &paths::absolute(Path::new(host)))
    } else {
        host.to_owned()
    }
}

/// How the scenario names the stack: paths from where it lies.
fn stack(args: &InitArgs, loaded: &Loaded, home: &Path) -> Value {
    let scenario = paths::absolute(&home.join(FIRST));
    let from = |file: &PathBuf| paths::between(&scenario, &paths::absolute(file));
    let files: Vec<String> = loaded.files.iter().map(from).collect();
    let env_files: Vec<String> = args.compose.env_files.iter().map(from).collect();
    let name = args.compose.project_name.as_ref();
    if files.len() == 1 && loaded.profiles_active.is_empty() && env_files.is_empty() && name.is_none() {
        return json!(files[0]);
    }
    let mut stack = json!({"files": files});
    if !loaded.profiles_active.is_empty() {
        stack["profiles"] = json!(loaded.profiles_active);
    }
    if !env_files.is_empty() {
        stack["env_file"] = json!(env_files);
    }
    if let Some(name) = name {
        stack["project"] = json!(name);
    }
    stack
}

/// What the questions of the register settle.
struct Answers {
    host: Option<String>,
    preset: Preset,
    tuning: bool,
}

fn ask(args: &InitArgs, printer: &mut Printer) -> Result<Answers, Failure> {
    let asks = !args.yes && Printer::is_terminal();
    let mut answer = |given: bool, question: &str, proposed: &str| {
        if given || !asks { Ok(String::new()) } else { printer.ask(question, proposed) }
    };
    let host =
        answer(args.host.is_some(), "host: a profile (`plimsoll host --list`), or this machine", "this machine")?;
    let host = Some(host).filter(|host| !host.is_empty() && host != "this machine");
    let presets = budget::preset_names();
    let preset = answer(args.preset.is_some(), &format!("how much of it: {presets}"), Preset::Auto.name())?;
    let preset = match args.preset {
        Some(preset) => preset,
        None if preset.is_empty() => Preset::Auto,
        None => Preset::from_str(&preset, true).map_err(|_| -> Failure {
            let problem = Problem::error(&codes::OPTION, format!("`{preset}` is no preset"));
            problem.help(format!("{presets}; nothing was written")).into()
        })?,
    };
    let tuning = answer(args.no_tuning, "let limits follow the use (yes or no)", "yes")?;
    let tuning = !args.no_tuning && !help::is_off(&tuning);
    Ok(Answers { host: args.host.clone().or(host), preset, tuning })
}

fn write(path: &Path, bytes: &[u8], printer: &mut Printer) -> Result<(), Failure> {
    output::write(path, bytes)?;
    printer.note(&format!("wrote {}", inputs::shown(path)));
    Ok(())
}

/// Runs and their reports are not for git. What the user has in the file stays, byte for byte.
fn ignore(home: &Path, printer: &mut Printer) -> Result<(), Failure> {
    let path = home.join(".gitignore");
    let mut bytes = output::read(&path)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    if text.lines().any(|line| ["/.plimsoll", "/.plimsoll/", ".plimsoll", ".plimsoll/"].contains(&line.trim())) {
        return Ok(());
    }
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(b"/.plimsoll\n");
    write(&path, &bytes, printer)
}
