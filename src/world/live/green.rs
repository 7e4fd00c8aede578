//! The new container that takes the place of an old one: the same in all but its limits, its name and its number. Before you
//! change it:
//! 1. The image is taken by its content, not by its name, so that a change of limits brings no other program with it.
//! 2. Nothing in its networks leads to it until it is given names there; it reaches the others from the start.
//! 3. What an engine does not tell about the old container is lost; [`why_not`] and [`doubts`] say so before.

use super::inventory::Container;
use super::inventory::compose;
use super::inventory::ours;
use super::limits;
use crate::model::Limits;
use bollard::models::ContainerCreateBody;
use bollard::models::EndpointSettings;
use bollard::models::HostConfig;
use bollard::models::NetworkingConfig;
use bollard::models::PortMap;
use bollard::models::RestartPolicy;
use bollard::models::RestartPolicyNameEnum;
use std::collections::BTreeMap;

/// Folders that a program may write to without anybody missing it later.
const SCRATCH: [&str; 9] =
    ["/tmp", "/run", "/var/run", "/var/tmp", "/var/cache", "/var/log", "/proc", "/dev", "/etc/resolv.conf"];

/// How a deployment marks what it makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The deployment.
    pub deployment: String,
    /// The engine it is carried out on.
    pub engine: String,
}

/// A container to be made.
#[derive(Debug, Clone)]
pub struct Green {
    /// Its name.
    pub name: String,
    /// What it is made of; it joins the first of its networks on the way.
    pub body: ContainerCreateBody,
    /// Networks that it joins before it is started.
    pub more_networks: Vec<String>,
}

/// Why a second instance of a service cannot stand beside this one, for the sentence "two cannot run side by side, since …";
/// `None` where it can.
#[must_use]
pub fn why_not(blue: &Container) -> Option<String> {
    let host = blue.host_config();
    if let Some(port) = fixed_port(host.port_bindings.as_ref()) {
        return Some(format!("it is published on the host's port {port}, which only one can have"));
    }
    let mode = host.network_mode.clone().unwrap_or_default();
    if mode == "host" || mode == "none" || mode.starts_with("container:") {
        return Some(format!("its network is `{mode}`, where nobody can tell two of it apart"));
    }
    let (Some(project), Some(service)) = (&blue.project, &blue.service) else {
        return Some("it belongs to no Compose project, so nobody knows it by the name of a service".to_owned());
    };
    if ![name_of(project, service.as_str(), blue.number, '_'), name_of(project, service.as_str(), blue.number, '-')]
        .contains(&blue.name)
    {
        return Some(format!("it has the name `{}` for itself (`container_name`)", blue.name));
    }
    if blue.shared_names().values().all(Vec::is_empty) {
        return Some("it has no name in a network of its own, so requests cannot be led to another one".to_owned());
    }
    let fixed = |endpoint: &EndpointSettings| {
        let address =
            endpoint.ipam_config.as_ref().and_then(|ipam| ipam.ipv4_address.clone().or(ipam.ipv6_address.clone()));
        address.filter(|address| !address.is_empty())
    };
    let networks = blue.said.network_settings.as_ref().and_then(|settings| settings.networks.as_ref());
    if let Some(address) = networks.into_iter().flatten().find_map(|(_, endpoint)| fixed(endpoint)) {
        return Some(format!("it has the fixed address {address}, which only one can have"));
    }
    None
}

/// What says that a container holds data, so that two of it must never run side by side; `None` where nothing does. What is
/// known of its image comes from elsewhere. A label that a person wrote wins over all of it.
#[must_use]
pub fn holds_data(blue: &Container, image_holds_data: bool) -> Option<String> {
    match blue.labels.get(ours::STATEFUL).map(|said| said.to_ascii_lowercase()).as_deref() {
        Some("false" | "no" | "0") => return None,
        Some(_) => return Some(format!("its label {} says so", ours::STATEFUL)),
        None => {}
    }
    if image_holds_data {
        return Some(format!("the image `{}` is known to", blue.image));
    }
    let mounts = blue.said.mounts.iter().flatten();
    let mut writable = mounts.filter(|mount| mount.rw != Some(false));
    let mount = writable.find(|mount| mount.typ.as_deref() == Some("volume") || is_folder(mount.source.as_deref()))?;
    let source = mount.name.as_deref().or(mount.source.as_deref()).unwrap_or("a volume");
    let source = if is_anonymous(source) { "a volume without a name" } else { source };
    let target = mount.destination.as_deref().unwrap_or_default();
    Some(format!("it may write to {source} at {target}; if two may do so at once, label it {}=false", ours::STATEFUL))
}

/// What of a container will not be in the one that takes its place, by the paths it changed in its own layer.
#[must_use]
pub fn doubts(changed: &[String]) -> Option<String> {
    let kept = |path: &&String| {
        let scratch = |folder: &str| path.as_str() == folder || path.starts_with(&format!("{folder}/"));
        // A folder is listed as changed when anything below it did.
        let above = |folder: &str| folder.starts_with(&format!("{path}/"));
        !SCRATCH.iter().any(|folder| scratch(folder) || above(folder))
    };
    let lost: Vec<&String> = changed.iter().filter(kept).collect();
    let deepest = |path: &&&String| !lost.iter().any(|other| other.starts_with(&format!("{path}/")));
    let first: Vec<&str> = lost.iter().filter(deepest).take(3).map(|path| path.as_str()).collect();
    (!first.is_empty())
        .then(|| format!("files written in the container itself are not taken along: {}", first.join(", ")))
}

/// The container that takes the place of this one, under a number that is free.
#[must_use]
pub fn beside(blue: &Container, number: u32, limits: Limits, mark: &Mark) -> Green {
    let config = blue.said.config.clone().unwrap_or_default();
    let old = blue.host_config();
    let names = blue.shared_names();
    let mut labels = config.labels.unwrap_or_default();
    let told = [
        (compose::NUMBER, number.to_string()),
        (ours::DEPLOY, mark.deployment.clone()),
        (ours::ENGINE, mark.engine.clone()),
        (ours::REPLACES, blue.id.clone()),
        (ours::ALIASES, serde_json::to_string(&names).unwrap_or_default()),
        (ours::RESTART, serde_json::to_string(&old.restart_policy).unwrap_or_default()),
    ];
    labels.extend(told.map(|(name, value)| (name.to_owned(), value)));
    // One that dies again and again must be seen to die, so it is not started again until it is taken for good.
    let mut host = HostConfig { restart_policy: Some(no_restart()), ..old };
    limits::set(&mut host, limits);
    let mut networks: Vec<String> = names.into_keys().collect();
    let main = host.network_mode.clone().unwrap_or_default();
    networks.sort_by_key(|network| *network != main);
    let first = networks.first().cloned();
    let endpoints = first.iter().map(|network| (network.clone(), EndpointSettings::default())).collect();
    let own_hostname = config.hostname.filter(|hostname| !blue.id.starts_with(hostname.as_str()));
    let body = ContainerCreateBody {
        hostname: own_hostname,
        domainname: config.domainname,
        user: config.user,
        attach_stdin: config.attach_stdin,
        attach_stdout: config.attach_stdout,
        attach_stderr: config.attach_stderr,
        exposed_ports: config.exposed_ports,
        tty: config.tty,
        open_stdin: config.open_stdin,
        stdin_once: config.stdin_once,
        env: config.env,
        cmd: config.cmd,
        healthcheck: config.healthcheck,
        args_escaped: config.args_escaped,
        image: Some(blue.image_id.clone()),
        volumes: config.volumes,
        working_dir: config.working_dir,
        entrypoint: config.entrypoint,
        on_build: config.on_build,
        labels: Some(labels),
        stop_signal: config.stop_signal,
        stop_timeout: config.stop_timeout,
        shell: config.shell,
        host_config: Some(host),
        networking_config: Some(NetworkingConfig { endpoints_config: Some(endpoints) }),
        ..ContainerCreateBody::default()
    };
    let (project, service) = (blue.project.as_deref().unwrap_or_default(), blue.service.as_ref());
    let service = service.map(crate::model::ServiceName::as_str).unwrap_or_default();
    let between = if blue.name == name_of(project, service, blue.number, '_') { '_' } else { '-' };
    Green {
        name: name_of(project, service, number, between),
        body,
        more_networks: networks.into_iter().skip(1).collect(),
    }
}

/// What a container that a deployment made is called by in its networks, once it has traffic.
#[must_use]
pub fn names_to_have(green: &Container) -> BTreeMap<String, Vec<String>> {
    let told = green.labels.get(ours::ALIASES);
    told.and_then(|told| serde_json::from_str(told).ok()).unwrap_or_default()
}

/// The restart policy that it gets in the end.
#[must_use]
pub fn restart_to_have(green: &Container) -> Option<RestartPolicy> {
    green.labels.get(ours::RESTART).and_then(|told| serde_json::from_str(told).ok()).flatten()
}

fn no_restart() -> RestartPolicy {
    RestartPolicy { name: Some(RestartPolicyNameEnum::NO), maximum_retry_count: None }
}

/// A name as Compose gives it; its first version put `_` between the parts.
fn name_of(project: &str, service: &str, number: u32, between: char) -> String {
    format!("{project}{between}{service}{between}{number}")
}

/// The first port of the host that is asked for by number.
fn fixed_port(bindings: Option<&PortMap>) -> Option<String> {
    let mut bound = bindings?.values().flatten().flatten().filter_map(|binding| binding.host_port.clone());
    bound.find(|port| !port.is_empty() && port != "0")
}

fn is_anonymous(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a mount is a folder of the host, and no socket or device that others share with it in good order.
fn is_folder(source: Option<&str>) -> bool {
    source.is_some_and(|source| {
        !source.ends_with(".sock") && !source.starts_with("/dev/") && !source.starts_with("/sys/")
    })
}
