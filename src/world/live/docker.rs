//! Every call that is made to a Docker engine. Before you change it:
//! 1. There is no other place that talks to an engine, so this is the list of what an operator has to allow.
//! 2. A call does one thing and decides nothing; what an answer means is said elsewhere.
//! 3. What the engine says about a call that failed is passed on in its own words.

use super::connect::ConnectError;
use super::connect::Endpoint;
use super::inventory::Container;
use super::inventory::compose;
use bollard::errors::Error;
use bollard::models::ContainerCreateBody;
use bollard::models::ContainerStatsResponse;
use bollard::models::ContainerUpdateBody;
use bollard::models::EndpointSettings;
use bollard::models::EventMessage;
use bollard::models::NetworkConnectRequest;
use bollard::models::NetworkDisconnectRequest;
use bollard::query_parameters::CreateContainerOptionsBuilder;
use bollard::query_parameters::EventsOptions;
use bollard::query_parameters::EventsOptionsBuilder;
use bollard::query_parameters::ListContainersOptionsBuilder;
use bollard::query_parameters::LogsOptionsBuilder;
use bollard::query_parameters::RemoveContainerOptions;
use bollard::query_parameters::RemoveContainerOptionsBuilder;
use bollard::query_parameters::StatsOptionsBuilder;
use bollard::query_parameters::StopContainerOptionsBuilder;
use futures_util::Stream;
use futures_util::StreamExt;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

/// No call takes longer; a stop that waits for a container is the longest.
const PATIENCE: Duration = Duration::from_secs(120);
/// So many of them at most are stopped by one call that waits: the rest of the patience is for the answer.
const GRACE_MAX: u64 = 100;

/// What went wrong with one call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {doing}: {said}")]
pub struct CallError {
    /// What was tried: `start web_2`.
    pub doing: String,
    /// What the engine said, or why it did not answer.
    pub said: String,
    /// The status of the answer, where there was one.
    pub status: Option<u16>,
}

impl CallError {
    /// Something that was tried, and what was said about it.
    fn new(doing: String, error: &Error) -> Self {
        match error {
            Error::DockerResponseServerError { status_code, message } => {
                Self { doing, said: message.trim().to_owned(), status: Some(*status_code) }
            }
            other => Self { doing, said: other.to_string(), status: None },
        }
    }

    /// Whether there is no such thing (any more).
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.status == Some(404)
    }

    /// Whether something of that name is there already, or the thing is in a state that does not go with the call.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.status == Some(409)
    }
}

/// What an engine says of itself, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its identifier, which stays the same over restarts.
    pub id: String,
    /// The name of its host.
    pub host: String,
    /// Its version.
    pub version: String,
    /// Processors of the host.
    pub processors: u32,
    /// Memory of the host in bytes.
    pub memory: u64,
    /// Version of the control groups: 1 or 2.
    pub cgroup: u8,
    /// Containers go on while the engine restarts.
    pub live_restore: bool,
    /// The host is a node of a swarm.
    pub swarm: bool,
}

/// One engine, connected.
#[derive(Debug, Clone)]
pub struct Docker {
    client: bollard::Docker,
    /// What it said as it was connected.
    pub about: About,
    /// Its host is this machine, so that its control groups can be read.
    pub is_local: bool,
}

impl Docker {
    /// Connects, and asks the engine what it is.
    ///
    /// # Errors
    /// [`ConnectError`], with the way out.
    pub async fn connect(endpoint: &Endpoint) -> Result<Self, ConnectError> {
        let client = endpoint.connect(PATIENCE)?;
        let info = endpoint.reach(&client).await?;
        let number = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
        let about = About {
            id: info.id.unwrap_or_default(),
            host: info.name.unwrap_or_default(),
            version: info.server_version.unwrap_or_default(),
            processors: u32::try_from(number(info.ncpu)).unwrap_or(1).max(1),
            memory: number(info.mem_total),
            cgroup: if info.cgroup_version.is_some_and(|version| version.to_string() == "2") { 2 } else { 1 },
            live_restore: info.live_restore_enabled == Some(true),
            swarm: info
                .swarm
                .and_then(|swarm| swarm.local_node_state)
                .is_some_and(|state| state.to_string() == "active"),
        };
        Ok(Self { client, about, is_local: endpoint.is_local() })
    }

    /// Hears from now on who ran out of memory in a project.
    #[must_use]
    pub fn out_of_memory(&self, project: &str) -> Died {
        let filters = [("event", "oom".to_owned()), ("label", format!("{}={project}", compose::PROJECT))];
        let filters = filters.into_iter().map(|(name, value)| (name, vec![value])).collect();
        let options = EventsOptionsBuilder::new().filters(&filters).build();
        Died { client: self.client.clone(), options, stream: None }
    }

    /// Whether the engine answers.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn ping(&self) -> Result<(), CallError> {
        self.client.ping().await.map(drop).map_err(|error| CallError::new("reach the engine".to_owned(), &error))
    }

    /// All containers with this label (`key` or `key=value`), running or not, each looked at closely. One that goes away
    /// meanwhile is left out.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn containers(&self, label: Option<&str>) -> Result<Vec<Container>, CallError> {
        let mut options = ListContainersOptionsBuilder::new().all(true);
        if let Some(label) = label {
            options = options.filters(&std::iter::once(("label", vec![label])).collect());
        }
        let listed = self.client.list_containers(Some(options.build())).await;
        let listed = listed.map_err(|error| CallError::new("list the containers".to_owned(), &error))?;
        let mut containers = Vec::new();
        for id in listed.into_iter().filter_map(|listed| listed.id) {
            match self.inspect(&id).await {
                Ok(container) => containers.push(container),
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error),
            }
        }
        containers.sort_by(|a, b| {
            (&a.project, &a.service, a.number, &a.name).cmp(&(&b.project, &b.service, b.number, &b.name))
        });
        Ok(containers)
    }

    /// One container by its name or identifier.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn inspect(&self, container: &str) -> Result<Container, CallError> {
        let seen = self.client.inspect_container(container, None).await;
        seen.map(Container::read).map_err(|error| CallError::new(format!("look at the container {container}"), &error))
    }

    /// Counters of a container as they are now; `None` where it went away, or does not run.
    ///
    /// # Errors
    /// [`CallError`] where the engine does not answer.
    pub async fn counters(&self, container: &str) -> Result<Option<ContainerStatsResponse>, CallError> {
        let options = StatsOptionsBuilder::new().stream(false).one_shot(true).build();
        match self.client.stats(container, Some(options)).next().await {
            Some(Ok(stats)) => Ok(Some(stats)),
            None | Some(Err(Error::DockerResponseServerError { status_code: 404 | 409, .. })) => Ok(None),
            Some(Err(error)) => Err(CallError::new(format!("read what {container} uses"), &error)),
        }
    }

    /// The identifier of an image by its name; `None` where the engine has none of that name.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn image(&self, name: &str) -> Result<Option<String>, CallError> {
        match self.client.inspect_image(name).await {
            Ok(image) => Ok(image.id),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(error) => Err(CallError::new(format!("look for the image {name}"), &error)),
        }
    }

    /// Paths that a container changed in its own layer.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn changed_paths(&self, container: &str) -> Result<Vec<String>, CallError> {
        let changes = self.client.container_changes(container).await;
        let changes = changes.map_err(|error| CallError::new(format!("compare {container} with its image"), &error))?;
        Ok(changes.unwrap_or_default().into_iter().map(|change| change.path).collect())
    }

    /// The last lines that a container wrote.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn last_lines(&self, container: &str, count: u32) -> Result<Vec<String>, CallError> {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail(&count.to_string()).build();
        let mut lines = Vec::new();
        let mut stream = self.client.logs(container, Some(options));
        while let Some(part) = stream.next().await {
            let part = part.map_err(|error| CallError::new(format!("read the log of {container}"), &error))?;
            lines.extend(part.to_string().lines().map(|line| line.trim_end().to_owned()));
        }
        Ok(lines)
    }

    /// Makes a container, and does not start it. Gives its identifier.
    ///
    /// # Errors
    /// [`CallError`]: the name is taken, there is no such image.
    pub async fn create(&self, name: &str, body: ContainerCreateBody) -> Result<String, CallError> {
        let options = CreateContainerOptionsBuilder::new().name(name).build();
        let made = self.client.create_container(Some(options), body).await;
        made.map(|made| made.id).map_err(|error| CallError::new(format!("make the container {name}"), &error))
    }

    /// Starts a container. One that runs already is no error.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn start(&self, container: &str) -> Result<(), CallError> {
        let started = self.client.start_container(container, None).await;
        started.map_err(|error| CallError::new(format!("start {container}"), &error))
    }

    /// Asks a container to stop, and kills it after so many seconds. One that does not run is no error.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn stop(&self, container: &str, grace_secs: u64) -> Result<(), CallError> {
        let grace = i32::try_from(grace_secs.min(GRACE_MAX)).unwrap_or(0);
        let options = StopContainerOptionsBuilder::new().t(grace).build();
        let stopped = self.client.stop_container(container, Some(options)).await;
        stopped.map_err(|error| CallError::new(format!("stop {container}"), &error))
    }

    /// Removes a container that does not run, and leaves its volumes. One that is gone is no error.
    ///
    /// # Errors
    /// [`CallError`]; also where it runs.
    pub async fn remove(&self, container: &str) -> Result<(), CallError> {
        self.take_away(container, RemoveContainerOptionsBuilder::new().build()).await
    }

    /// Removes a container of ours in whatever state, with the anonymous volumes it was given. One that is gone is no error.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn discard(&self, container: &str) -> Result<(), CallError> {
        self.take_away(container, RemoveContainerOptionsBuilder::new().force(true).v(true).build()).await
    }

    async fn take_away(&self, container: &str, options: RemoveContainerOptions) -> Result<(), CallError> {
        match self.client.remove_container(container, Some(options)).await {
            Ok(()) | Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(()),
            Err(error) => Err(CallError::new(format!("remove {container}"), &error)),
        }
    }

    /// Changes a container while it runs. What the engine warns of is lost on the way, so read back what came of it.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn update(&self, container: &str, body: ContainerUpdateBody) -> Result<(), CallError> {
        let updated = self.client.update_container(container, body).await;
        updated.map_err(|error| CallError::new(format!("change the limits of {container}"), &error))
    }

    /// Joins a container to a network under these names beside its own.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn join(&self, network: &str, container: &str, aliases: &[String]) -> Result<(), CallError> {
        let endpoint = EndpointSettings { aliases: Some(aliases.to_vec()), ..EndpointSettings::default() };
        let request = NetworkConnectRequest { container: container.to_owned(), endpoint_config: Some(endpoint) };
        let joined = self.client.connect_network(network, request).await;
        joined.map_err(|error| CallError::new(format!("join {container} to the network {network}"), &error))
    }

    /// Takes a container out of a network.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn leave(&self, network: &str, container: &str) -> Result<(), CallError> {
        let request = NetworkDisconnectRequest { container: container.to_owned(), force: Some(true) };
        let left = self.client.disconnect_network(network, request).await;
        left.map_err(|error| CallError::new(format!("take {container} out of the network {network}"), &error))
    }
}

/// What happens on an engine, one after another.
type Events = Pin<Box<dyn Stream<Item = Result<EventMessage, Error>>>>;

/// Containers that ran out of memory, as the engine tells. Before the first question, and while the engine is away, nobody
/// hears it.
pub struct Died {
    client: bollard::Docker,
    options: EventsOptions,
    stream: Option<Events>,
}

impl Died {
    /// The containers that did so since the last question, each as often as it did. Does not wait.
    pub async fn so_far(&mut self) -> Vec<String> {
        let mut containers = Vec::new();
        // The first question makes the connection; what is there already comes at the next turn.
        let stream = self.stream.get_or_insert_with(|| Box::pin(self.client.events(Some(self.options.clone()))));
        while let Ok(event) = tokio::time::timeout(Duration::from_millis(1), stream.next()).await {
            match event {
                Some(Ok(event)) => containers.extend(event.actor.and_then(|actor| actor.id)),
                // The engine went away; the next question connects again.
                Some(Err(_)) | None => {
                    self.stream = None;
                    break;
                }
            }
        }
        containers
    }
}

/// Bytes that came in over all networks of a container, by its counters.
#[must_use]
pub fn received(stats: &ContainerStatsResponse) -> u64 {
    let networks = stats.networks.iter().flatten();
    let by_name: BTreeMap<&String, u64> =
        networks.map(|(name, network)| (name, network.rx_bytes.unwrap_or(0))).collect();
    by_name.values().sum()
}
