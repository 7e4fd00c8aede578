//! Compose files as users have them: several files, env files, variables, anchors, `extends`, `include`, `profiles`.
//!
//! Before you change it:
//! 1. It follows the Compose specification and its reference implementation, in merging above all.
//! 2. The environment is passed in, never read here; files are read, never written.
//! 3. All that is wrong is told at once; what is unknown or not used is kept and named, never an error.

mod canonical;
mod codes;
mod discover;
mod dotenv;
mod env_files;
mod environment;
mod extends;
mod hints;
mod include;
mod interpolate;
mod keys;
mod limits;
mod merge;
mod mounts;
mod origins;
mod ports;
mod reader;
mod references;
mod service;
mod shape;

pub use codes::CODES;
pub use env_files::EnvFileValue;
pub use env_files::EnvFiles;
pub use environment::VariableSource;
pub use origins::Origin;
pub use origins::Variable;
pub use shape::Ignored;
pub use shape::Why;

use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::Severity;
use crate::input::yaml::Node;
use crate::model::ServiceName;
use crate::model::Stack;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What the user asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComposeArgs {
    /// Compose files in the order of `-f`; empty to search for one as Compose does.
    pub files: Vec<PathBuf>,
    /// Folder that paths are relative to; the folder of the first file where not given.
    pub project_dir: Option<PathBuf>,
    /// Profiles to activate; `COMPOSE_PROFILES` where empty.
    pub profiles: Vec<String>,
    /// Env files, where a later one wins; `.env` of the project's folder where empty.
    pub env_files: Vec<PathBuf>,
    /// The environment, which wins over env files.
    pub environment: BTreeMap<String, String>,
    /// Name of the project; from the environment or the files where not given.
    pub project_name: Option<String>,
}

/// A Compose project, merged and interpolated.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The enabled services and what is declared.
    pub stack: Stack,
    /// The name of the project: as asked for, as the files say, else made of its folder's as Compose does.
    pub project: String,
    /// The folder of the project: as asked for, else that of the first Compose file.
    pub folder: PathBuf,
    /// Services that no active profile enables, with their profiles.
    pub disabled: BTreeMap<ServiceName, Vec<String>>,
    /// Active profiles in the order they were named.
    pub profiles_active: Vec<String>,
    /// Where each value of an enabled service that has an effect comes from, by its path such as `services.web.deploy.resources.limits.memory`.
    pub origins: BTreeMap<String, Origin>,
    /// Keys that are not used, in the order of their paths.
    pub ignored: Vec<Ignored>,
    /// What the reader should know although it is no error.
    pub warnings: Problems,
    /// The Compose files themselves, the first one the base.
    pub files: Vec<PathBuf>,
    /// Files that were read, in order.
    pub files_read: Vec<PathBuf>,
    /// What the env files of the enabled services set.
    pub env_files: EnvFiles,
    /// The merged project with long forms, for what is not in `stack`.
    pub tree: Node,
}

/// The Compose files of a project, the first one the base; they are found, not read.
///
/// # Errors
/// That there is none, and what is wrong with the env files that may name them.
pub fn files(args: &ComposeArgs) -> Result<Vec<PathBuf>, Problems> {
    let mut reader = reader::Reader::default();
    let project = discover::discover(args, &mut reader);
    project.map(|project| project.files).ok_or(reader.notes.problems)
}

/// Reads a Compose project.
///
/// # Errors
/// All that is wrong with its files at once: files that cannot be read, YAML, variables, types and values, references.
pub fn load(args: &ComposeArgs) -> Result<Loaded, Problems> {
    let mut reader = reader::Reader::default();
    let Some(project) = discover::discover(args, &mut reader) else { return Err(reader.notes.problems) };
    let name = discover::name(args, &project, &mut reader);
    let folder_name = discover::folder_name(&project.folder);
    let scope = discover::scope(&project, name.as_deref().unwrap_or(&folder_name));
    let files: Vec<_> = project.files.iter().map(|file| (file.clone(), None)).collect();
    let tree = reader.model(&files, &scope);

    let mut check = shape::Check::default();
    check.value(&tree, &keys::FILE, "");
    reader.notes.problems.extend(unexplained(&check.problems, &reader.notes.problems));
    if let Some(version) = tree.entry("version") {
        reader.report(
            Problem::warning(&codes::OBSOLETE, "`version` is obsolete and has no effect")
                .at(&version.key_place)
                .help("remove the line"),
        );
    }
    let no_services = tree.get("services").is_none_or(|services| services.entries().is_empty());
    if no_services && !reader.notes.problems.has_errors() {
        reader.report(
            Problem::error(&codes::MISSING_KEY, "the project has no services").at(&tree.place).help("add `services:`"),
        );
    }
    let services = references::Services::by_profiles(&tree, &project.profiles);
    references::check(&tree, &services, &mut reader);
    let mut stack = Stack { name, ..Stack::default() };
    for entry in &services.enabled {
        let mut service = service::service(&entry.key, &entry.value, &mut reader.notes.problems);
        // What it may do without and is switched off is nothing to wait for.
        service.depends_on.retain(|other, _| services.find(other.as_str()) == Some(true));
        stack.services.insert(ServiceName::new(&entry.key), service);
    }
    let names = |section: &str| {
        let entries = tree.get(section).map(Node::entries).unwrap_or_default();
        let mut names: Vec<String> = entries.iter().map(|entry| entry.key.clone()).collect();
        names.sort();
        names
    };
    stack.volumes = names("volumes");
    stack.networks = names("networks");
    stack.secrets = names("secrets");
    stack.configs = names("configs");
    let disabled = services
        .disabled
        .iter()
        .map(|entry| (ServiceName::new(&entry.key), references::profiles(&entry.value)))
        .collect();

    let env_files = EnvFiles::read(&services.enabled, &mut reader);
    let origins = origins::origins(&services.enabled, &reader.notes);
    let unset = std::mem::take(&mut reader.notes.unset);
    if let Some(example) = project.example.filter(|_| !unset.is_empty()) {
        let count = unset.len();
        let variables = if count == 1 { "1 variable is".to_owned() } else { format!("{count} variables are") };
        reader.report(Problem::warning(&codes::UNSET, format!("{variables} not set, and there is no `.env`")).help(
            format!("`{}` shows what it should hold: copy it to `.env`, and look through it", example.display()),
        ));
    }
    for (name, place) in unset {
        reader.report(interpolate::unset(&name, &place));
    }
    if reader.notes.problems.has_errors() {
        return Err(reader.notes.problems);
    }
    let mut ignored = check.ignored;
    ignored.sort_by(|left, right| left.path.cmp(&right.path));
    for unknown in ignored.iter().filter(|ignored| ignored.why == Why::Unknown) {
        let problem = Problem::warning(&codes::UNKNOWN, format!("unknown key `{}`", unknown.path)).at(&unknown.place);
        reader.report(match unknown.nearest {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help("it has no effect; keys of your own start with `x-`"),
        });
    }
    let warnings = reader.notes.problems.iter().filter(|problem| problem.severity == Severity::Warning).cloned();
    Ok(Loaded {
        project: stack
            .name
            .clone()
            .or(Some(folder_name).filter(|name| !name.is_empty()))
            .unwrap_or_else(|| "stack".to_owned()),
        folder: project.folder,
        stack,
        disabled,
        profiles_active: project.profiles,
        origins,
        ignored,
        warnings: warnings.collect(),
        files: project.files,
        files_read: reader.files_read,
        env_files,
        tree,
    })
}

/// The problems of values that are not already explained by a variable that could not be replaced.
fn unexplained(found: &Problems, before: &Problems) -> Problems {
    let faults =
        before.iter().filter(|problem| [codes::REQUIRED.id, codes::INTERPOLATION.id].contains(&problem.code.id));
    let faults: Vec<&Place> = faults.filter_map(|problem| problem.place.as_ref()).collect();
    let explained = |place: &Place| {
        faults.iter().any(|fault| fault.source == place.source && place.start <= fault.start && fault.end <= place.end)
    };
    found.iter().filter(|problem| !problem.place.as_ref().is_some_and(explained)).cloned().collect()
}
