//! Deployments of a scenario and its Docker engine, from the file to the nouns.
//!
//! Before you change it:
//! 1. How instances are replaced is what the deployment says; where it is silent, what `update_config` of the Compose file
//!    says, with Docker's own defaults beside it; without one, blue-green (`model::Update`).
//! 2. Whether a deployment can be done is not decided here: that is the engine's, as on a real host.

use super::codes;
use super::unknown_service;
use super::wire::ServiceFile;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::schema;
use crate::input::schema::quantity::Cpus;
use crate::input::schema::quantity::Duration;
use crate::input::schema::quantity::Percent;
use crate::input::schema::quantity::Size;
use crate::input::yaml::Node;
use crate::model::Cgroup;
use crate::model::Deployment;
use crate::model::Docker;
use crate::model::Host;
use crate::model::Limits;
use crate::model::OnFailure;
use crate::model::Order;
use crate::model::Service;
use crate::model::ServiceModel;
use crate::model::ServiceName;
use crate::model::Stack;
use crate::model::Update;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Most deployments of a scenario.
const DEPLOYMENTS_MAX: usize = 1000;

/// All instances of a service are replaced by new ones.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentFile {
    /// When it begins, from the start of the run.
    pub at: Duration,
    /// The service.
    pub service: String,
    /// CPU limit of a new instance; as before unless said otherwise.
    pub cpu: Option<Cpus>,
    /// Memory limit of a new instance; as before unless said otherwise.
    pub memory: Option<Size>,
    /// The new instances have another image, which has to be pulled; see `image_size`.
    #[serde(default)]
    pub new_image: bool,
    /// Whether the new instance starts before the old one stops (blue-green), or after it. As `deploy.update_config` of the
    /// Compose file says; `start-first` where there is none.
    pub order: Option<Order>,
    /// Instances that are replaced at a time, 0 for all of them. As the Compose file says; 0 where it has no `update_config`.
    #[schemars(range(max = 10_000))]
    pub parallelism: Option<u32>,
    /// Wait between two of these. As the Compose file says, or none.
    pub delay: Option<Duration>,
    /// Time in which a new instance must become healthy; 2m unless said otherwise.
    pub health_timeout: Option<Duration>,
    /// Time between two looks at the instances; 5s unless said otherwise.
    pub interval: Option<Duration>,
    /// For so long new instances are watched once they have traffic. As the Compose file says, or 5s.
    pub monitor: Option<Duration>,
    /// Time that an old instance is given, without new requests, to finish those it has before it is told to stop; 30s
    /// unless said otherwise.
    pub drain: Option<Duration>,
    /// Share of the instances that may fail. As the Compose file says, or none.
    pub max_failure_ratio: Option<Percent>,
    /// What is done when more fail. As the Compose file says; `rollback` where it has no `update_config`.
    pub on_failure: Option<OnFailure>,
}

/// How the Docker engine of the host behaves.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DockerFile {
    /// Time that a change of limits takes; none unless said otherwise.
    pub update: Option<Duration>,
    /// Version of the control groups: with `v1` a memory limit below what is held is refused, with `v2` the kernel kills
    /// until it fits. Where nothing is said it is refused.
    pub cgroup: Option<Cgroup>,
    /// Bytes per second at which images are pulled, all together; what the profile of the host says of its network unless
    /// said otherwise.
    pub download: Option<Size>,
}

/// The deployments of a scenario in order of time.
pub(super) fn deployments(
    files: &[DeploymentFile],
    node: &Node,
    stack: &Stack,
    models: &BTreeMap<ServiceName, ServiceModel>,
    duration: Span,
    problems: &mut Problems,
) -> Vec<Deployment> {
    let names: Vec<ServiceName> = models.keys().cloned().collect();
    let mut found = Vec::new();
    for (place, file) in files.iter().enumerate().take(DEPLOYMENTS_MAX) {
        let node = node.at_pointer(&format!("/deployments/{place}")).unwrap_or(node);
        let mut wrong = |key: &str, message: String, help: &str| {
            let problem = Problem::error(&codes::DEPLOYMENT, message).at(&schema::place_of(node, key));
            problems.push(problem.help(help));
        };
        if file.at.0 >= duration {
            wrong("/at", format!("it begins at {}, after the end of the run", file.at.0), "begin it before the end");
        }
        for (key, span) in [("/interval", file.interval), ("/health_timeout", file.health_timeout)] {
            if span.is_some_and(|span| span.0 == Span::ZERO) {
                wrong(key, "a time of zero is none".to_owned(), "write a time above zero, or leave it out");
            }
        }
        if file.max_failure_ratio.is_some_and(|share| share.0 > Permille::ONE) {
            wrong("/max_failure_ratio", "a share of instances is at most all".to_owned(), "write at most 100%");
        }
        let Some(name) = names.iter().find(|name| name.as_str() == file.service) else {
            problems.push(unknown_service(&file.service, &names, &schema::place_of(node, "/service")));
            continue;
        };
        let service = stack.services.get(name).cloned().unwrap_or_default();
        found.push(Deployment {
            at: Instant::after_start(file.at.0),
            service: name.clone(),
            limits: Limits { cpu: file.cpu.map(|cpu| cpu.0), memory: file.memory.map(|memory| memory.0) },
            new_image: file.new_image,
            alone: alone(&service),
            update: update(file, &service),
        });
    }
    if files.len() > DEPLOYMENTS_MAX {
        let message = format!("{} deployments are more than {DEPLOYMENTS_MAX}", files.len());
        problems.push(Problem::error(&codes::DEPLOYMENT, message).at(&schema::place_of(node, "/deployments")));
    }
    found.sort_by_key(|deployment| deployment.at);
    found
}

/// How the instances of a service are replaced.
fn update(file: &DeploymentFile, service: &Service) -> Update {
    let usual = service.update.map_or_else(Update::default, |config| config.update());
    let span = |given: Option<Duration>, usual| given.map_or(usual, |given| given.0);
    Update {
        order: file.order.unwrap_or(usual.order),
        parallelism: file.parallelism.unwrap_or(usual.parallelism),
        delay: span(file.delay, usual.delay),
        health_timeout: span(file.health_timeout, usual.health_timeout),
        interval: span(file.interval, usual.interval),
        monitor: span(file.monitor, usual.monitor),
        drain: span(file.drain, usual.drain),
        stop_grace: service.stop_grace_period.unwrap_or(Update::STOP_GRACE),
        max_failure_ratio: file.max_failure_ratio.map_or(usual.max_failure_ratio, |share| share.0),
        on_failure: file.on_failure.unwrap_or(usual.on_failure),
    }
}

/// Why two instances of a service cannot run side by side.
fn alone(service: &Service) -> Option<String> {
    if let Some(port) = service.ports.iter().find_map(|port| port.published) {
        return Some(format!("it publishes the port {}", port.0));
    }
    if let Some(name) = &service.container_name {
        return Some(format!("its container has the name `{name}`"));
    }
    let host = service.network_mode.as_deref() == Some("host");
    host.then(|| "it is on the network of the host".to_owned())
}

/// The Docker engine of a scenario, where anything is said of it.
pub(super) fn docker(
    file: Option<DockerFile>,
    services: &BTreeMap<String, ServiceFile>,
    models: &BTreeMap<ServiceName, ServiceModel>,
    host: &Host,
    node: &Node,
    problems: &mut Problems,
) -> Option<Docker> {
    let size = |name: &ServiceName| services.get(name.as_str())?.image_size.map(|size| (name.clone(), size.0));
    let images: BTreeMap<ServiceName, Bytes> = models.keys().filter_map(size).collect();
    let given = file.unwrap_or_default();
    let network = host.hardware.network_mbit.map(|mbit| Bytes::new(u64::from(mbit) * 1_000_000 / 8));
    let download = given.download.map(|size| size.0).or(network).filter(|line| *line > Bytes::ZERO);
    if !images.is_empty() && download.is_none() {
        let message = "images have a size, and nobody says how fast they are pulled; they are there at once";
        let problem = Problem::warning(&codes::DEPLOYMENT, message).at(&schema::place_of(node, "/services"));
        problems.push(problem.help("say so in bytes per second: `docker: { download: 12M }`"));
    }
    for (name, _) in models.iter().filter(|(_, model)| model.shortage.oom_kill_disabled) {
        if given.cgroup != Some(Cgroup::V1) {
            let message = format!("`oom_kill_disable` of `{name}` has no effect with control groups of version 2");
            let problem = Problem::warning(&codes::DEPLOYMENT, message).at(&schema::place_of(node, "/stack"));
            let help = "where the host has version 1, say so: `docker: { cgroup: v1 }`; its containers hang instead";
            problems.push(problem.help(help));
        }
    }
    if file.is_none() && images.is_empty() {
        return None;
    }
    Some(Docker { update: given.update.map_or(Span::ZERO, |span| span.0), cgroup: given.cgroup, download, images })
}

#[cfg(test)]
mod tests {
    use crate::input::problem::Problems;
    use crate::input::problem::Source;
    use crate::input::scenario::LoadOptions;
    use crate::input::scenario::Resolved;
    use crate::input::scenario::ScenarioFile;
    use crate::input::scenario::resolve;
    use crate::input::schema;
    use crate::model::Cgroup;
    use crate::model::OnFailure;
    use crate::model::Order;
    use crate::model::Port;
    use crate::model::Service;
    use crate::model::ServiceName;
    use crate::model::Stack;
    use crate::model::Update;
    use crate::model::UpdateConfig;
    use crate::units::Bytes;
    use crate::units::Permille;
    use crate::units::Span;
    use std::path::Path;

    fn read(service: Service, text: &str) -> Result<Resolved, Problems> {
        let text = format!("scenario: test\nstack: compose.yaml\nhost: kvm-4\nduration: 1h\n{text}");
        let (node, file) = schema::read::<ScenarioFile>(&Source::new("scenario.yaml", text))?;
        let mut stack = Stack::default();
        stack.services.insert(ServiceName::new("api"), service);
        resolve(&file, &node, &stack, Path::new("/nowhere"), &LoadOptions::default())
    }

    #[test]
    fn what_a_deployment_leaves_open_the_compose_file_says() {
        let one = |service: Service, text: &str| {
            let resolved = read(service, &format!("deployments: [{text}]")).unwrap_or_else(|wrong| panic!("{wrong}"));
            resolved.scenario.deployments[0].clone()
        };
        let plain = one(Service::default(), "{ at: 10m, service: api, memory: 512M }");
        assert_eq!((plain.limits.cpu, plain.limits.memory), (None, Some(Bytes::mebi(512))));
        assert_eq!((plain.update, plain.alone), (Update::default(), None));
        let update = Some(UpdateConfig { parallelism: Some(2), ..UpdateConfig::default() });
        let grace = Some(Span::from_secs(40));
        let service = Service { update, stop_grace_period: grace, ..Service::default() };
        let swarm = one(service, "{ at: 10m, service: api, drain: 5s, max_failure_ratio: 10% }").update;
        assert_eq!((swarm.order, swarm.parallelism, swarm.on_failure), (Order::StopFirst, 2, OnFailure::Pause));
        assert_eq!((swarm.drain, swarm.stop_grace), (Span::from_secs(5), Span::from_secs(40)));
        assert_eq!(swarm.max_failure_ratio, Permille::new(100));
        let port = Port { target: (80, 80), published: Some((8080, 8080)), host: None, protocol: "tcp".to_owned() };
        let fixed = one(Service { ports: vec![port], ..Service::default() }, "{ at: 10m, service: api }");
        assert_eq!(fixed.alone.as_deref(), Some("it publishes the port 8080"));
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let text =
            "deployments: [{ at: 2h, service: api, interval: 0s }, { at: 1m, service: apo, max_failure_ratio: 200% }]";
        let problems = read(Service::default(), text).expect_err("wrong").to_string();
        for part in ["after the end of the run", "a time of zero", "did you mean `api`", "at most all"] {
            assert!(problems.contains(part), "{part}: {problems}");
        }
    }

    #[test]
    fn the_engine_of_a_host_is_said_or_not_there() {
        let docker = |text: &str| {
            let service = Service { oom_kill_disabled: text.contains("update"), ..Service::default() };
            let resolved = read(service, text).unwrap_or_else(|wrong| panic!("{wrong}"));
            (resolved.scenario.docker, resolved.warnings.to_string())
        };
        assert_eq!(docker("").0, None);
        let (engine, warnings) = docker("docker: { update: 200ms, cgroup: v2 }");
        let engine = engine.expect("an engine");
        assert_eq!((engine.update, engine.cgroup), (Span::from_millis(200), Some(Cgroup::V2)));
        assert!(warnings.contains("`oom_kill_disable` of `api` has no effect"), "{warnings}");
        assert!(!docker("docker: { update: 200ms, cgroup: v1 }").1.contains("no effect"));
        let (engine, _) = docker("services: { api: { image_size: 400M } }\ndocker: { download: 12M }");
        let engine = engine.expect("an engine");
        assert_eq!(engine.images[&ServiceName::new("api")], Bytes::mebi(400));
        assert_eq!(engine.download, Some(Bytes::mebi(12)));
    }
}
