//! A scenario from its file: the stack it names is read first, since everything else refers to its services.
//!
//! Before you change it: what is tried with something changed ([`Opened::with`]) goes through the same doors as the file
//! itself, so that a changed file on the disk gives the same scenario.

use super::ERRORS_MAX;
use super::LoadOptions;
use super::Resolved;
use super::codes;
use super::resolve::resolve;
use super::unknown_service;
use super::wire::OneOrMany;
use super::wire::ScenarioFile;
use super::wire::StackChoice;
use crate::input::compose;
use crate::input::compose::ComposeArgs;
use crate::input::compose::Loaded;
use crate::input::expression;
use crate::input::expression::Known;
use crate::input::expression::Scalar;
use crate::input::policy::Policies;
use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::Severity;
use crate::input::problem::Source;
use crate::input::profile::HostChoice;
use crate::input::profile::Profiles;
use crate::input::schema;
use crate::input::yaml;
use crate::input::yaml::Node;
use crate::model::Scenario;
use crate::model::Service;
use crate::model::ServiceName;
use crate::model::Stack;
use std::path::Path;
use std::path::PathBuf;

/// Reads a scenario and all that it refers to.
///
/// # Errors
/// All that is wrong with the scenario and with the files that it names.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Resolved, Problems> {
    open(path, options).map(|opened| opened.resolved)
}

/// A scenario that was read, with what it was made of.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The scenario.
    pub resolved: Resolved,
    /// Its file as a tree.
    pub node: Node,
    /// The stack that it names.
    pub loaded: Loaded,
    /// The folder that its paths are relative to.
    pub folder: PathBuf,
    options: LoadOptions,
}

impl Opened {
    /// The scenario with another text of its file and another stack than the one that it names. Paths in the text are
    /// relative to the folder of the original.
    ///
    /// # Errors
    /// All that is wrong with the text.
    pub fn with(&self, text: String, stack: &Stack) -> Result<Scenario, Problems> {
        let (node, file) = schema::read::<ScenarioFile>(&Source::new("the changed scenario", text))?;
        resolve(&file, &node, stack, &self.folder, &self.options).map(|resolved| resolved.scenario)
    }

    /// The scenario with another text of its file, with all that it refers to. The stack is read again only where the text
    /// names another one. Paths are relative to the folder of the original; the text is called by `name` in what is wrong.
    ///
    /// # Errors
    /// All that is wrong with the text and with the files that it names.
    pub fn resolved_with(&self, name: &str, text: String) -> Result<Resolved, Problems> {
        let (node, file) = schema::read::<ScenarioFile>(&Source::new(name, text))?;
        let stack = |node: &Node| node.get("stack").map(Node::to_json);
        if stack(&node) == stack(&self.node) {
            let mut resolved = resolve(&file, &node, &self.loaded.stack, &self.folder, &self.options)?;
            resolved.files_read.extend(self.loaded.files_read.iter().cloned());
            return Ok(resolved);
        }
        let place = schema::place_of(&node, "/stack");
        let loaded = compose::load(&args(&file.stack, &self.folder, &self.options));
        let loaded = loaded.map_err(|wrong| placed(&wrong, &place))?;
        let mut resolved = resolve(&file, &node, &loaded.stack, &self.folder, &self.options)?;
        resolved.files_read.extend(loaded.files_read);
        Ok(resolved)
    }

    /// Policies that can be chosen by name where the scenario stands.
    #[must_use]
    pub fn policies(&self) -> Policies {
        Policies::below(&self.folder)
    }
}

/// Reads a scenario and all that it refers to, and keeps what it was made of.
///
/// # Errors
/// All that is wrong with the scenario and with the files that it names.
pub fn open(path: &Path, options: &LoadOptions) -> Result<Opened, Problems> {
    let source = Source::read(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let (node, mut problems) = yaml::read(&source);
    let Some(node) = node else { return Err(problems) };
    let file = match schema::check::<ScenarioFile>(&node) {
        Ok(file) if !problems.has_errors() => file,
        checked => {
            problems.extend(checked.err().unwrap_or_default());
            check_names(&node, folder, options, &mut problems);
            return Err(problems);
        }
    };
    let place = schema::place_of(&node, "/stack");
    let loaded = compose::load(&args(&file.stack, folder, options)).map_err(|wrong| {
        let mut problems = placed(&wrong, &place);
        problems.extend(without_stack(&file, &node, folder, options));
        problems
    })?;
    let mut resolved = resolve(&file, &node, &loaded.stack, folder, options)?;
    resolved.warnings.extend(placed(&loaded.warnings, &place));
    let own = std::mem::replace(&mut resolved.files_read, vec![path.to_owned()]);
    resolved.files_read.extend(loaded.files_read.iter().cloned());
    resolved.files_read.extend(own);
    Ok(Opened { resolved, node, loaded, folder: folder.to_owned(), options: options.clone() })
}

/// What `docker compose` would be told.
fn args(stack: &StackChoice, folder: &Path, options: &LoadOptions) -> ComposeArgs {
    let paths = |names: &[String]| names.iter().map(|name| folder.join(name)).collect::<Vec<PathBuf>>();
    let environment = options.environment.clone();
    match stack {
        StackChoice::File(file) => {
            ComposeArgs { files: vec![folder.join(file)], environment, ..ComposeArgs::default() }
        }
        StackChoice::Files(files) => ComposeArgs { files: paths(files), environment, ..ComposeArgs::default() },
        StackChoice::Full(full) => ComposeArgs {
            files: paths(&full.files.list()),
            profiles: full.profiles.clone(),
            env_files: full.env_file.as_ref().map(OneOrMany::list).map(|names| paths(&names)).unwrap_or_default(),
            project_name: full.project.clone(),
            environment,
            ..ComposeArgs::default()
        },
    }
}

/// The problems, where those without a place point at the scenario's `stack`.
fn placed(problems: &Problems, place: &Place) -> Problems {
    let at = |problem: &Problem| match problem.place {
        Some(_) => problem.clone(),
        None => problem.clone().at(place),
    };
    problems.iter().map(at).collect()
}

/// What else is wrong with a scenario whose stack cannot be read, as far as that can be said without it.
fn without_stack(file: &ScenarioFile, node: &Node, folder: &Path, options: &LoadOptions) -> Problems {
    let mut stack = Stack::default();
    for name in file.services.keys().chain(file.load.keys()) {
        stack.services.insert(ServiceName::new(name), Service::default());
    }
    let wrong = resolve(file, node, &stack, folder, options).err().unwrap_or_default();
    let of_the_stack = ["PL0211", "PL0304", "PL0414", codes::STACK.id];
    let told = wrong.iter().filter(|problem| problem.severity == Severity::Error);
    told.filter(|problem| !of_the_stack.contains(&problem.code.id)).cloned().collect()
}

/// For a scenario whose keys or values are wrong: what else is wrong with the names in it, so that all comes at once.
fn check_names(node: &Node, folder: &Path, options: &LoadOptions, problems: &mut Problems) {
    let stack = node.get("stack").and_then(|stack| match &stack.value {
        yaml::Value::Text(file) => Some(StackChoice::File(file.clone())),
        _ => None,
    });
    if let Some(host) = node.get("host")
        && let Ok(choice) = serde_json::from_value::<HostChoice>(host.to_json())
        && let Err(wrong) = Profiles::below(folder).resolve(&choice, host, folder)
    {
        problems.extend(wrong);
    }
    let loaded = stack.map(|stack| compose::load(&args(&stack, folder, options)));
    let place = schema::place_of(node, "/stack");
    let loaded = match loaded {
        Some(Ok(loaded)) => loaded,
        Some(Err(wrong)) => return problems.extend(placed(&wrong, &place)),
        None => return,
    };
    let services: Vec<ServiceName> = loaded.stack.services.into_keys().collect();
    for key in ["services", "load"] {
        let entries = node.get(key).map(Node::entries).unwrap_or_default();
        let unknown = entries.iter().filter(|entry| !services.iter().any(|known| known.as_str() == entry.key));
        for entry in unknown.take(ERRORS_MAX) {
            problems.push(unknown_service(&entry.key, &services, &entry.key_place));
        }
    }
    let known = Known { services: &services, judged: None };
    for entry in node.get("expect").map(Node::entries).unwrap_or_default().iter().take(ERRORS_MAX) {
        let value = entry.value.get("expr").unwrap_or(&entry.value);
        if let Some(text) = value.as_text()
            && let Err(wrong) = expression::parse(&entry.key, &Scalar::new(text, Some(&value.place)), &known)
        {
            problems.extend(wrong);
        }
    }
}
