//! What monitors a stack: services it has already, and those that are added to it.

use crate::input::catalog::Catalog;
use crate::model::Service;
use crate::model::ServiceName;
use crate::model::Stack;
use std::collections::BTreeSet;

/// The jobs of monitoring, in the order in which they are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Reads containers.
    Cadvisor,
    /// Reads the host.
    NodeExporter,
    /// Keeps series, records and alerts.
    Prometheus,
    /// Tells people.
    Alertmanager,
    /// Draws.
    Grafana,
}

impl Kind {
    pub(super) const ALL: [Self; 5] =
        [Self::Cadvisor, Self::NodeExporter, Self::Prometheus, Self::Alertmanager, Self::Grafana];

    /// The name of its entry in the catalog, which is the name of the service that is added, too.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Cadvisor => "cadvisor",
            Self::NodeExporter => "node-exporter",
            Self::Prometheus => "prometheus",
            Self::Alertmanager => "alertmanager",
            Self::Grafana => "grafana",
        }
    }

    /// The port it answers on, with its metrics, too.
    pub(super) const fn port(self) -> u16 {
        match self {
            Self::Cadvisor => 8080,
            Self::NodeExporter => 9100,
            Self::Prometheus => 9090,
            Self::Alertmanager => 9093,
            Self::Grafana => 3000,
        }
    }
}

/// A service that monitors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) kind: Kind,
    /// Name of the service.
    pub(super) service: String,
    /// The host it is reached at from a container.
    pub(super) host: String,
    /// It is not in the stack but in the fragment.
    pub(super) added: bool,
}

/// One part of every kind.
pub(super) fn all(stack: &Stack, catalog: &Catalog) -> Vec<Part> {
    Kind::ALL.into_iter().map(|kind| part(kind, stack, catalog)).collect()
}

fn part(kind: Kind, stack: &Stack, catalog: &Catalog) -> Part {
    let does_it = |(name, service): &(&ServiceName, &Service)| {
        catalog.of(name, service).is_some_and(|entry| entry.name == kind.name())
    };
    if let Some((name, service)) = stack.services.iter().find(does_it) {
        let host = host_of(name, service).unwrap_or_else(|| name.as_str().to_owned());
        return Part { kind, service: name.as_str().to_owned(), host, added: false };
    }
    let taken = stack.services.contains_key(&ServiceName::new(kind.name()));
    let service = if taken { format!("plimsoll-{}", kind.name()) } else { kind.name().to_owned() };
    Part { kind, host: service.clone(), service, added: true }
}

/// The name that other containers reach a service by; `None` for one without network.
pub(super) fn host_of(name: &ServiceName, service: &Service) -> Option<String> {
    match service.network_mode.as_deref() {
        Some("none") => None,
        Some("host") => Some(DOCKER_HOST.to_owned()),
        Some(mode) => Some(mode.strip_prefix("service:").unwrap_or(name.as_str()).to_owned()),
        None => Some(name.as_str().to_owned()),
    }
}

/// The host as a container sees it; on Linux it must be asked for, see `extra_hosts` of the fragment.
pub(super) const DOCKER_HOST: &str = "host.docker.internal";

/// A port of the host that no service of the stack publishes: the wanted one or the next after it.
pub(super) fn free_port(stack: &Stack, wanted: u16, given: &BTreeSet<u16>) -> u16 {
    let published: Vec<(u16, u16)> =
        stack.services.values().flat_map(|service| &service.ports).filter_map(|port| port.published).collect();
    let is_free =
        |port: &u16| !given.contains(port) && !published.iter().any(|(first, last)| (*first..=*last).contains(port));
    (wanted..u16::MAX).find(is_free).unwrap_or(wanted)
}
