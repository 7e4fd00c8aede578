//! What a Compose file says of which services share a machine, and which cannot.

use crate::model::MountKind;
use crate::model::Service;
use crate::model::ServiceName;
use crate::model::Stack;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Which services belong together, and which apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// Pairs that run on one machine, with the reason.
    pub together: Vec<(ServiceName, ServiceName, String)>,
    /// Pairs that run on two, with the reason.
    pub apart: Vec<(ServiceName, ServiceName, String)>,
    /// Services that stay on the first machine.
    pub stay: BTreeSet<ServiceName>,
}

/// Paths of the host that every host has: mounting one binds nobody to a machine.
const EVERYWHERE: [&str; 8] = ["/var/run", "/run", "/proc", "/sys", "/dev", "/etc", "/usr", "/var/log"];

impl Rules {
    /// The rules of a stack:
    /// - services that mount the same named volume, or the same path of which at least one writes, run on one machine;
    ///   paths that every machine has (the engine's socket, `/proc`, `/etc`) bind nobody;
    /// - a service in the network of another (`network_mode: service:NAME`) runs beside it;
    /// - the label `plimsoll.place.with: a, b` puts a service beside others, `plimsoll.place.apart: a, b` away from them;
    /// - two services that publish the same port of the same protocol run on two machines.
    ///
    /// Names in labels that the stack does not have are passed over.
    #[must_use]
    pub fn of(stack: &Stack) -> Self {
        let mut rules = Self::default();
        let mut shared: BTreeMap<String, Vec<(&ServiceName, bool)>> = BTreeMap::new();
        for (name, service) in &stack.services {
            for mount in &service.mounts {
                let Some(source) = mount.source.as_ref().filter(|_| binds(mount.kind, mount.source.as_deref())) else {
                    continue;
                };
                shared
                    .entry(source.clone())
                    .or_default()
                    .push((name, !mount.read_only || mount.kind == MountKind::Volume));
            }
            let beside = service.network_mode.as_deref().and_then(|mode| mode.strip_prefix("service:"));
            let known = |other: &str| stack.services.keys().find(|known| known.as_str() == other && *known != name);
            if let Some(other) = beside.and_then(known) {
                rules.together.push((name.clone(), other.clone(), format!("`{name}` is in the network of `{other}`")));
            }
            for other in service.hints.place_with.iter().filter_map(|other| known(other)) {
                rules.together.push((name.clone(), other.clone(), format!("a label puts `{name}` beside `{other}`")));
            }
            for other in service.hints.place_apart.iter().filter_map(|other| known(other)) {
                rules.apart.push((name.clone(), other.clone(), format!("a label keeps `{name}` away from `{other}`")));
            }
        }
        for (source, users) in shared {
            if !users.iter().any(|(_, writes)| *writes) {
                continue;
            }
            for pair in users.windows(2).filter(|pair| pair[0].0 != pair[1].0) {
                rules.together.push((pair[0].0.clone(), pair[1].0.clone(), format!("both mount `{source}`")));
            }
        }
        let services: Vec<(&ServiceName, &Service)> = stack.services.iter().collect();
        for (place, (one, first)) in services.iter().enumerate() {
            for (other, second) in &services[place + 1..] {
                if let Some(port) = clash(first, second) {
                    rules.apart.push(((*one).clone(), (*other).clone(), format!("both publish port {port}")));
                }
            }
        }
        rules
    }

    /// The same with every service that holds data kept on the first machine.
    #[must_use]
    pub fn with_data_at_home(mut self, stateful: impl Iterator<Item = ServiceName>) -> Self {
        self.stay.extend(stateful);
        self
    }
}

/// Whether what is mounted is on one machine only.
fn binds(kind: MountKind, source: Option<&str>) -> bool {
    match kind {
        MountKind::Volume => true,
        MountKind::Bind => source.is_some_and(|path| {
            !EVERYWHERE
                .iter()
                .any(|known| path.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
        }),
        MountKind::Tmpfs | MountKind::Other => false,
    }
}

/// A port of the host that both want.
fn clash(one: &Service, other: &Service) -> Option<u16> {
    let ports = |service: &'_ Service| -> Vec<(String, u16, u16, Option<String>)> {
        let published = service
            .ports
            .iter()
            .filter_map(|port| port.published.map(|(from, to)| (port.protocol.clone(), from, to, port.host.clone())));
        published.collect()
    };
    for (protocol, from, to, host) in ports(one) {
        for (other_protocol, other_from, other_to, other_host) in ports(other) {
            let same_host = host.is_none() || other_host.is_none() || host == other_host;
            if protocol == other_protocol && same_host && from.max(other_from) <= to.min(other_to) {
                return Some(from.max(other_from));
            }
        }
    }
    None
}
