//! What Prometheus reads, how often, and which of it answers requests.

use super::parts;
use super::parts::Kind;
use super::parts::Part;
use crate::input::catalog::Catalog;
use crate::input::catalog::Entry;
use crate::model::Service;
use crate::model::ServiceName;
use crate::model::Stack;

/// The label of a service that names the port of its metrics.
pub const PORT_LABEL: &str = "plimsoll.metrics.port";
/// The label of a service that names the path of its metrics; `/metrics` where it is absent.
pub const PATH_LABEL: &str = "plimsoll.metrics.path";

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
    let is_first = |kind: Kind| matches!(kind, Kind::Cadvisor | Kind::NodeExporter);
    let first = parts.iter().filter(|part| is_first(part.kind)).map(of_part);
    let names: Vec<&str> = parts.iter().filter(|part| is_first(part.kind)).map(|part| part.service.as_str()).collect();
    let own = stack
        .services
        .iter()
        .filter(|(name, _)| !names.contains(&name.as_str()))
        .filter_map(|(name, service)| of_service(name, service, catalog));
    let added = parts.iter().filter(|part| part.added && !is_first(part.kind)).map(of_part);
    first.chain(own).chain(added).collect()
}

fn of_part(part: &Part) -> Target {
    Target {
        service: part.service.clone(),
        host: part.host.clone(),
        port: part.kind.port(),
        path: "/metrics".to_owned(),
        interval: if matches!(part.kind, Kind::Cadvisor | Kind::NodeExporter) { "15s" } else { "30s" },
        replicated: false,
        serves: false,
        tier: 3,
    }
}

fn of_service(name: &ServiceName, service: &Service, catalog: &Catalog) -> Option<Target> {
    let label = |key: &str| service.labels.get(key).map(|text| text.trim());
    let entry = catalog.lookup(service.image.as_deref(), name.as_str());
    let known = entry.and_then(|entry| entry.metrics.clone());
    let port = label(PORT_LABEL).and_then(|port| port.parse().ok()).filter(|port| *port > 0);
    let port = port.or(known.as_ref().map(|(port, _)| *port))?;
    let path = label(PATH_LABEL).map(str::to_owned).or(known.map(|(_, path)| path));
    let tier = tier(service, entry);
    let serves = serves(service, entry);
    Some(Target {
        service: name.as_str().to_owned(),
        host: parts::host_of(name, service)?,
        port,
        path: path.unwrap_or_else(|| "/metrics".to_owned()),
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

/// The tier by label, by the catalog, or that of a service that nobody described.
fn tier(service: &Service, entry: Option<&Entry>) -> u8 {
    let label = service.labels.get("plimsoll.tier").and_then(|tier| tier.parse().ok());
    let label = label.filter(|tier| (1..=3).contains(tier));
    label.or(entry.map(|entry| entry.tier)).unwrap_or_else(|| Entry::default().tier)
}

fn serves(service: &Service, entry: Option<&Entry>) -> bool {
    let unknown = Entry::default();
    let role = service.labels.get("plimsoll.role").unwrap_or(&entry.unwrap_or(&unknown).role);
    SERVING.contains(&role.as_str())
}

/// Services of tier 1 that serve requests and whose metrics nobody knows.
pub(super) fn unmeasured(stack: &Stack, catalog: &Catalog) -> Vec<String> {
    let is_blind = |(name, service): &(&ServiceName, &Service)| {
        let entry = catalog.lookup(service.image.as_deref(), name.as_str());
        // A service that nobody described is what the host is for.
        (tier(service, entry) == 1 || entry.is_none())
            && serves(service, entry)
            && of_service(name, service, catalog).is_none()
    };
    stack.services.iter().filter(is_blind).map(|(name, _)| name.as_str().to_owned()).collect()
}
