//! What Prometheus reads, how often, and which of it answers requests.

use super::parts;
use super::parts::Kind;
use super::parts::Part;
use crate::input::catalog::Catalog;
use crate::input::catalog::Entry;
use crate::model::Service;
use crate::model::ServiceName;
use crate::model::Stack;

/// A job of Prometheus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Name of the service, and of the job.
    pub(super) service: String,
    /// The host it is reached at from a container.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) path: String,
    /// How often, as Prometheus writes it.
    pub(super) interval: &'static str,
    /// More than one instance: they are found by name, since the name of a service leads to all of them.
    pub(super) replicated: bool,
    /// It is an application that answers requests.
    pub(super) serves: bool,
    /// 1 critical path, 2 workflow, 3 background.
    pub(super) tier: u8,
}

/// Roles whose services answer the requests of users.
const SERVING: [&str; 4] = ["api", "app", "gateway", "workflow"];

/// All jobs: cAdvisor and node-exporter, the services of the stack by name, then what is added.
pub(super) fn all(stack: &Stack, catalog: &Catalog, parts: &[Part]) -> Vec<Target> {
    let is_first = |part: &&Part| matches!(part.kind, Kind::Cadvisor | Kind::NodeExporter);
    let first = parts.iter().filter(is_first).map(|part| of_part(part, stack, catalog));
    let names: Vec<&str> = parts.iter().filter(is_first).map(|part| part.service.as_str()).collect();
    let own = stack
        .services
        .iter()
        .filter(|(name, _)| !names.contains(&name.as_str()))
        .filter_map(|(name, service)| of_service(name, service, catalog));
    let added = parts.iter().filter(|part| part.added && !is_first(part)).map(|part| of_part(part, stack, catalog));
    first.chain(own).chain(added).collect()
}

fn of_part(part: &Part, stack: &Stack, catalog: &Catalog) -> Target {
    // A service of the stack may say itself where its metrics are.
    let name = ServiceName::new(&part.service);
    let own = stack.services.get(&name).filter(|_| !part.added);
    let metrics = own.and_then(|service| catalog.described(&name, service).metrics);
    let (port, path) = metrics.unwrap_or_else(|| (part.kind.port(), "/metrics".to_owned()));
    Target {
        service: part.service.clone(),
        host: part.host.clone(),
        port,
        path,
        interval: if matches!(part.kind, Kind::Cadvisor | Kind::NodeExporter) { "15s" } else { "30s" },
        replicated: false,
        serves: false,
        tier: 3,
    }
}

fn of_service(name: &ServiceName, service: &Service, catalog: &Catalog) -> Option<Target> {
    let entry = catalog.described(name, service);
    let (tier, serves) = (entry.tier, serves(&entry));
    let (port, path) = entry.metrics?;
    Some(Target {
        service: name.as_str().to_owned(),
        host: parts::host_of(name, service)?,
        port,
        path,
        // Z reads its APIs every 10 s and n8n every 30 s; data stores of the critical path are read like the host.
        interval: match (tier, serves) {
            (1, true) => "10s",
            (1, false) => "15s",
            _ => "30s",
        },
        replicated: service.replicas.unwrap_or(1) > 1 && service.network_mode.is_none(),
        serves,
        tier,
    })
}

fn serves(entry: &Entry) -> bool {
    SERVING.contains(&entry.role.as_str())
}

/// Services of tier 1 that serve requests and whose metrics nobody knows.
pub(super) fn unmeasured(stack: &Stack, catalog: &Catalog) -> Vec<String> {
    let is_blind = |(name, service): &(&ServiceName, &Service)| {
        let entry = catalog.described(name, service);
        // A service that nobody described is what the host is for.
        (entry.tier == 1 || catalog.of(name, service).is_none()) && serves(&entry) && entry.metrics.is_none()
    };
    stack.services.iter().filter(is_blind).map(|(name, _)| name.as_str().to_owned()).collect()
}
