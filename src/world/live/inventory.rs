//! What containers there are, as their engine tells: states, limits, networks, owners. Before you change it:
//! 1. What an engine leaves out, or says with an empty text or a zero, is `None` here.
//! 2. The limits are those that the engine believes in; what the kernel was told is in `cgroup`.

use crate::model::InstanceState;
use crate::model::Limits;
use crate::model::ServiceName;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use bollard::models::ContainerInspectResponse;
use bollard::models::ContainerStateStatusEnum;
use bollard::models::EndpointSettings;
use bollard::models::HealthStatusEnum;
use bollard::models::HostConfig;
use std::collections::BTreeMap;

/// Labels of Compose.
pub mod compose {
    /// The project.
    pub const PROJECT: &str = "com.docker.compose.project";
    /// The service.
    pub const SERVICE: &str = "com.docker.compose.service";
    /// The number within the service, from 1.
    pub const NUMBER: &str = "com.docker.compose.container-number";
    /// `True` for what `docker compose run` started.
    pub const ONE_OFF: &str = "com.docker.compose.oneoff";
    /// The folder that the project was started from.
    pub const FOLDER: &str = "com.docker.compose.project.working_dir";
    /// The Compose files, with commas between them.
    pub const FILES: &str = "com.docker.compose.project.config_files";
}

/// Our own labels.
pub mod ours {
    /// The deployment that made the container.
    pub const DEPLOY: &str = "plimsoll.deploy";
    /// The container that it takes the place of.
    pub const REPLACES: &str = "plimsoll.replaces";
    /// The names that it has in its networks once it has traffic, as JSON.
    pub const ALIASES: &str = "plimsoll.aliases";
    /// The engine that it was made for.
    pub const ENGINE: &str = "plimsoll.engine";
    /// The restart policy that it gets in the end.
    pub const RESTART: &str = "plimsoll.restart";
    /// Said by a person: it holds data, so two of it never run side by side (`true`), or it does not (`false`).
    pub const STATEFUL: &str = "plimsoll.stateful";
    /// A container that is never started: whoever makes it has the right to change the service it is named after.
    pub const LOCK: &str = "plimsoll.lock";
}

/// One container.
#[derive(Debug, Clone)]
pub struct Container {
    /// Its identifier, 64 digits.
    pub id: String,
    /// Its name, without the slash.
    pub name: String,
    /// The image as it was named.
    pub image: String,
    /// The image by its content.
    pub image_id: String,
    /// The Compose project it belongs to.
    pub project: Option<String>,
    /// The Compose service it belongs to.
    pub service: Option<ServiceName>,
    /// Its number within the service.
    pub number: u32,
    /// It was started by `docker compose run`, so it is no instance of the service.
    pub one_off: bool,
    /// What the engine does with it.
    pub status: ContainerStateStatusEnum,
    /// What its health check says; `None` without one.
    pub health: Option<HealthStatusEnum>,
    /// Its first process, as the host counts; `None` where it does not run.
    pub pid: Option<u32>,
    /// When that was started.
    pub started: Option<Instant>,
    /// How often its restart policy started it again.
    pub restarts: u32,
    /// It was ended for want of memory.
    pub oom_killed: bool,
    /// What it ended with.
    pub exit_code: i64,
    /// What it may use.
    pub limits: Limits,
    /// Networks, with its address and its names there.
    pub networks: BTreeMap<String, Joined>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// All that the engine said.
    pub said: Box<ContainerInspectResponse>,
}

/// A container in a network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Joined {
    /// Its address; empty while it does not run.
    pub ip: String,
    /// Its names there beside its own.
    pub aliases: Vec<String>,
}

impl Container {
    /// Takes in what the engine says of a container.
    #[must_use]
    pub fn read(said: ContainerInspectResponse) -> Self {
        let config = said.config.clone().unwrap_or_default();
        let labels: BTreeMap<String, String> = config.labels.unwrap_or_default().into_iter().collect();
        let state = said.state.clone().unwrap_or_default();
        let id = said.id.clone().unwrap_or_default();
        let label = |name: &str| labels.get(name).filter(|value| !value.is_empty()).cloned();
        let networks = said.network_settings.clone().and_then(|settings| settings.networks).unwrap_or_default();
        let networks = networks.into_iter().map(|(name, endpoint)| (name, joined(endpoint, &id))).collect();
        Self {
            name: said.name.clone().unwrap_or_default().trim_start_matches('/').to_owned(),
            image: config.image.unwrap_or_default(),
            image_id: said.image.clone().unwrap_or_default(),
            project: label(compose::PROJECT),
            service: label(compose::SERVICE).map(|name| ServiceName::new(&name)),
            number: label(compose::NUMBER).and_then(|number| number.parse().ok()).unwrap_or(1),
            one_off: label(compose::ONE_OFF).is_some_and(|is| is.eq_ignore_ascii_case("true")),
            status: state.status.unwrap_or(ContainerStateStatusEnum::EMPTY),
            health: state.health.and_then(|health| health.status).filter(is_said),
            pid: state.pid.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0),
            started: state.started_at.as_deref().and_then(instant),
            restarts: said.restart_count.and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
            oom_killed: state.oom_killed == Some(true),
            exit_code: state.exit_code.unwrap_or(0),
            limits: said.host_config.as_ref().map(limits).unwrap_or_default(),
            networks,
            labels,
            id,
            said: Box::new(said),
        }
    }

    /// The state, as the engine of ours knows it.
    #[must_use]
    pub fn state(&self) -> InstanceState {
        match (self.status, self.health) {
            (ContainerStateStatusEnum::CREATED, _) => InstanceState::Starting,
            (ContainerStateStatusEnum::PAUSED, _) => InstanceState::Unhealthy,
            (ContainerStateStatusEnum::RUNNING, Some(HealthStatusEnum::STARTING)) => InstanceState::Starting,
            (ContainerStateStatusEnum::RUNNING, Some(HealthStatusEnum::UNHEALTHY)) => InstanceState::Unhealthy,
            (ContainerStateStatusEnum::RUNNING, _) => InstanceState::Healthy,
            _ => InstanceState::Down,
        }
    }

    /// Whether it has a health check that is not switched off.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        let check = self.said.config.as_ref().and_then(|config| config.healthcheck.as_ref());
        let test = check.and_then(|check| check.test.as_ref()).and_then(|test| test.first());
        test.is_some_and(|first| first != "NONE") || self.health.is_some()
    }

    /// What the engine was told about it.
    #[must_use]
    pub fn host_config(&self) -> HostConfig {
        self.said.host_config.clone().unwrap_or_default()
    }

    /// The deployment that made it.
    #[must_use]
    pub fn deployment(&self) -> Option<&str> {
        self.labels.get(ours::DEPLOY).map(String::as_str)
    }

    /// Whether it answers to one of these names in a network, so that requests find it.
    #[must_use]
    pub fn answers_to(&self, names: &BTreeMap<String, Vec<String>>) -> bool {
        let has = |network: &String, names: &Vec<String>| {
            self.networks.get(network).is_some_and(|joined| names.iter().any(|name| joined.aliases.contains(name)))
        };
        names.iter().any(|(network, names)| has(network, names))
    }

    /// Names by network that requests may find it by: without those that are its own alone.
    #[must_use]
    pub fn shared_names(&self) -> BTreeMap<String, Vec<String>> {
        let shared = |joined: &Joined| {
            let own = |name: &&String| **name != self.name && !self.id.starts_with(name.as_str());
            joined.aliases.iter().filter(own).cloned().collect::<Vec<_>>()
        };
        self.networks.iter().map(|(name, joined)| (name.clone(), shared(joined))).collect()
    }

    /// Seconds that it is given to stop, by its own settings.
    #[must_use]
    pub fn stop_secs(&self) -> u64 {
        let said = self.said.config.as_ref().and_then(|config| config.stop_timeout);
        said.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(10)
    }
}

fn is_said(health: &HealthStatusEnum) -> bool {
    !matches!(health, HealthStatusEnum::EMPTY | HealthStatusEnum::NONE)
}

/// Its place in a network. The start of its own identifier is one of its names in older engines; it is no name of ours.
fn joined(endpoint: EndpointSettings, id: &str) -> Joined {
    let mut aliases = endpoint.aliases.unwrap_or_default();
    aliases.retain(|alias| alias.len() != 12 || !id.starts_with(alias.as_str()));
    Joined { ip: endpoint.ip_address.unwrap_or_default(), aliases }
}

/// Limits as the engine believes in them.
fn limits(host: &HostConfig) -> Limits {
    let positive =
        |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok()).filter(|number| *number > 0);
    let nano = positive(host.nano_cpus).map(|nano| Millicores::new(nano / 1_000_000));
    let quota = || {
        let period = positive(host.cpu_period).unwrap_or(100_000);
        positive(host.cpu_quota).map(|quota| Millicores::new(quota.saturating_mul(1000) / period))
    };
    Limits { cpu: nano.or_else(quota), memory: positive(host.memory).map(Bytes::new) }
}

/// A time as the engine writes it; `None` for its year 1, which means never.
#[must_use]
pub fn instant(text: &str) -> Option<Instant> {
    let time: jiff::Timestamp = text.parse().ok()?;
    let nanos = u64::try_from(time.as_nanosecond()).ok()?;
    Some(Instant::after_start(crate::units::Span::from_nanos(nanos)))
}
