//! What commands about a live host have in common: which engine, which project, where the state is kept.

mod order;
mod station;

pub(super) use order::Foreseen;
pub(super) use order::Order;
pub(super) use order::recover;
pub(super) use station::Station;
pub(super) use station::recover_first;

use super::codes;
use super::exit::Failure;
use crate::input::problem::Problem;
use crate::input::problem::nearest;
use crate::input::project::Project;
use crate::model::ServiceName;
use crate::world::live::connect::Endpoint;
use crate::world::live::docker::Docker;
use crate::world::live::inventory::Container;
use crate::world::live::inventory::compose;
use crate::world::live::project::projects;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

/// Instances by service.
pub(super) type Services = BTreeMap<ServiceName, Vec<Container>>;

/// Which live project a command is about.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct LiveChoice {
    /// The Docker engine: a URL (unix://, tcp://, ssh://) or the name of a context; as `docker` decides where not given.
    #[arg(long, value_name = "ENGINE", help_heading = "Host")]
    docker: Option<String>,
    /// The Compose project; COMPOSE_PROJECT_NAME, the one started from this folder, or the only one where not given.
    #[arg(long, short = 'p', value_name = "PROJECT", help_heading = "Host")]
    project_name: Option<String>,
    /// Where journals and the log of actions are kept; the results folder of the project where not given.
    #[arg(long, value_name = "DIR", help_heading = "Host")]
    state: Option<PathBuf>,
}

impl LiveChoice {
    /// Connects to the engine.
    ///
    /// # Errors
    ///
    /// An engine that cannot be reached.
    pub(super) async fn connect(&self) -> Result<Docker, Failure> {
        let home = std::env::home_dir();
        let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let failed = |error: crate::world::live::connect::ConnectError| Failure::Environment(error.to_string());
        let endpoint = Endpoint::choose(self.docker.as_deref(), &environment, home.as_deref()).map_err(failed)?;
        Docker::connect(&endpoint).await.map_err(failed)
    }

    /// Where journals and the log of actions are kept.
    ///
    /// # Errors
    ///
    /// A project file that is wrong.
    pub(super) fn state(&self) -> Result<PathBuf, Failure> {
        if let Some(state) = &self.state {
            return Ok(state.clone());
        }
        let here = std::env::current_dir().unwrap_or_default();
        Ok(Project::find(&here)?.results().join("live"))
    }

    /// The project that is meant, and its services.
    ///
    /// # Errors
    ///
    /// A project that does not run, or several of which none is named.
    pub(super) fn project(&self, all: Vec<Container>) -> Result<(String, Services), Failure> {
        let mut projects = projects(all);
        let named = || std::env::var("COMPOSE_PROJECT_NAME").ok().filter(|name| !name.is_empty());
        let asked = self.project_name.clone().or_else(named);
        let known: Vec<&str> = projects.keys().map(String::as_str).collect();
        let list =
            || if known.is_empty() { "none runs here".to_owned() } else { format!("there are {}", known.join(", ")) };
        let chosen = match asked {
            Some(name) if projects.contains_key(&name) => name,
            Some(name) => {
                let problem = Problem::error(&codes::NAME, format!("no Compose project `{name}` runs on this engine"));
                let near = nearest(&name, known.iter().copied()).map(|near| format!("did you mean `{near}`? "));
                return Err(problem.help(format!("{}{}", near.unwrap_or_default(), list())).into());
            }
            None => {
                let here = std::env::current_dir().unwrap_or_default();
                let of_here: Vec<&String> = projects
                    .iter()
                    .filter(|(_, services)| is_of_folder(services, &here))
                    .map(|(name, _)| name)
                    .collect();
                match (of_here.as_slice(), known.as_slice()) {
                    ([one], _) => (*one).clone(),
                    ([], [one]) => (*one).to_owned(),
                    _ => {
                        let problem = Problem::error(&codes::OPTION, "which Compose project is meant is not clear");
                        return Err(problem.help(format!("name it with --project-name: {}", list())).into());
                    }
                }
            }
        };
        let services = projects.remove(&chosen).unwrap_or_default();
        Ok((chosen, services))
    }
}

/// Whether a project was started from this folder.
fn is_of_folder(services: &Services, here: &Path) -> bool {
    let folder =
        |container: &Container| container.labels.get(compose::FOLDER).is_some_and(|folder| Path::new(folder) == here);
    services.values().flatten().any(folder)
}

/// The service of this name.
///
/// # Errors
///
/// A service that the project does not have.
pub(super) fn service(name: &str, project: &str, services: &Services) -> Result<ServiceName, Failure> {
    if let Some((found, _)) = services.iter().find(|(known, _)| known.as_str() == name) {
        return Ok(found.clone());
    }
    let known: Vec<&str> = services.keys().map(ServiceName::as_str).collect();
    let problem = Problem::error(&codes::NAME, format!("the project `{project}` has no service `{name}` that runs"));
    let near = nearest(name, known.iter().copied()).map(|near| format!("did you mean `{near}`? "));
    Err(problem.help(format!("{}there are {}", near.unwrap_or_default(), known.join(", "))).into())
}

/// Runs what waits.
///
/// # Errors
///
/// A system that does not let us wait.
pub(super) fn wait<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Environment(format!("cannot wait for the engine: {error}")))?;
    runtime.block_on(work)
}

/// A call that failed, as what stops a command.
pub(super) fn called(error: crate::world::live::docker::CallError) -> Failure {
    Failure::Environment(error.to_string())
}
