//! What cannot be written into an override file without knowing the machine, but should be thought of: networks and
//! volumes (register A8), device rates (A6).

use crate::input::catalog::Catalog;
use crate::input::compose::Loaded;
use crate::input::yaml::Node;
use crate::model::DiskKind;
use crate::model::Host;
use crate::model::MountKind;
use crate::plan::yaml;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;

/// Something to think of, and how it would be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// What it is about: `network backend`, `volume db_data`.
    pub about: String,
    /// What to do and why.
    pub text: String,
    /// How it is written in a Compose file, where it can be.
    pub yaml: Option<Value>,
}

impl Advice {
    /// The YAML as text; empty where there is none.
    #[must_use]
    pub fn written(&self) -> String {
        self.yaml.as_ref().map(|value| yaml::text(value, &yaml::Comments::new())).unwrap_or_default()
    }
}

/// The option that names the bridge of a network.
const BRIDGE_NAME: &str = "com.docker.network.bridge.name";
/// Longest name of an interface that Linux takes, less what `br-` needs.
const BRIDGE_NAME_MAX: usize = 12;
/// Roles whose data is read and written all the time.
const HOT: [&str; 5] = ["database", "cache", "queue", "search", "storage"];

/// All advice for a stack of this name on a host.
#[must_use]
pub fn advice(name: &str, loaded: &Loaded, catalog: &Catalog, host: &Host) -> Vec<Advice> {
    let mut all = networks(name, loaded);
    all.extend(volumes(name, loaded, catalog, host));
    all
}

/// Bridges of a stack get a name that can be found again, the MTU of the line, and a subnet of their own.
fn networks(name: &str, loaded: &Loaded) -> Vec<Advice> {
    let declared = loaded.tree.get("networks").map(Node::entries).unwrap_or_default();
    let mut names: BTreeSet<String> = declared.iter().filter_map(|entry| bridge_name(&entry.value)).collect();
    let mut subnets = free_subnets(declared.iter().flat_map(|entry| stated_subnets(&entry.value)).collect());
    let mut all = Vec::new();
    for entry in declared {
        let network = &entry.value;
        let driver = network.get("driver").and_then(Node::scalar).unwrap_or_else(|| "bridge".to_owned());
        let is_external = network.get("external").and_then(Node::scalar).is_some_and(|text| text == "true");
        if driver != "bridge" || is_external || bridge_name(network).is_some() {
            continue;
        }
        let bridge = bridge(name, &entry.key, &names);
        names.insert(bridge.clone());
        let mut written = json!({"driver_opts": {BRIDGE_NAME: bridge, "com.docker.network.driver.mtu": "1500"}});
        let mut text = format!(
            "name its bridge {bridge}, so that `ip link` and firewall rules find it; MTU 1500 is that of Ethernet, tunnels need less"
        );
        if network.get("ipam").is_none()
            && let Some(subnet) = subnets.next()
        {
            written["ipam"] = json!({"config": [{"subnet": subnet.to_string()}]});
            text.push_str("; a subnet of its own does not move when networks are made anew");
        }
        let yaml = json!({"networks": {entry.key.as_str(): written}});
        all.push(Advice { about: format!("network {}", entry.key), text, yaml: Some(yaml) });
    }
    all
}

/// The name that the file gives the bridge of a network.
fn bridge_name(network: &Node) -> Option<String> {
    network.get("driver_opts")?.get(BRIDGE_NAME)?.scalar()
}

/// A name for the bridge of a network: its key tells it from the others of the project, so it is the project's name that
/// gets shorter where both are too long. A number follows where that is taken.
fn bridge(project: &str, key: &str, taken: &BTreeSet<String>) -> String {
    let cut = |text: &str, length: usize| text.chars().take(length).collect::<String>();
    let key = if key == "default" { "" } else { key };
    let room = BRIDGE_NAME_MAX.saturating_sub(key.chars().count() + usize::from(!key.is_empty()));
    let parts = [cut(project, room).trim_end_matches('-').to_owned(), cut(key, BRIDGE_NAME_MAX)];
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    let whole = parts.join("-");
    let numbered = (2..).map(|number: u32| {
        let number = number.to_string();
        format!("br-{}{number}", cut(&whole, BRIDGE_NAME_MAX.saturating_sub(number.len())))
    });
    let mut names = std::iter::once(format!("br-{whole}")).chain(numbered);
    names.find(|name| !taken.contains(name)).unwrap_or_default()
}

/// A range of IPv4 addresses: the first one, and the bits that all of them share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Subnet {
    first: Ipv4Addr,
    bits: u32,
}

impl Subnet {
    /// Reads `172.28.0.0/24`; `None` for what is no range of IPv4, which ours cannot meet.
    fn parse(text: &str) -> Option<Self> {
        let (first, bits) = text.trim().split_once('/')?;
        let bits = bits.parse().ok().filter(|bits| *bits <= 32)?;
        Some(Self { first: first.parse().ok()?, bits })
    }

    fn overlaps(self, other: Self) -> bool {
        let shared = self.bits.min(other.bits);
        let start = |subnet: Self| u32::from(subnet.first).checked_shr(32 - shared).unwrap_or(0);
        start(self) == start(other)
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

/// The subnets that the file states for a network.
fn stated_subnets(network: &Node) -> Vec<Subnet> {
    let ranges = network.get("ipam").and_then(|ipam| ipam.get("config")).map(Node::items).unwrap_or_default();
    ranges.iter().filter_map(|range| Subnet::parse(&range.get("subnet")?.scalar()?)).collect()
}

/// The free ranges of 256 addresses in the upper quarter of 172.16.0.0/12, of which Docker itself takes the lower ones
/// first.
fn free_subnets(taken: Vec<Subnet>) -> impl Iterator<Item = Subnet> {
    let all = (28..32).flat_map(|second| (0..=255).map(move |third| Ipv4Addr::new(172, second, third, 0)));
    all.map(|first| Subnet { first, bits: 24 }).filter(move |subnet| !taken.iter().any(|other| subnet.overlaps(*other)))
}

/// Hot data belongs on the fastest disk; data without a volume goes with its container.
fn volumes(name: &str, loaded: &Loaded, catalog: &Catalog, host: &Host) -> Vec<Advice> {
    let mut all = Vec::new();
    for (service_name, service) in &loaded.stack.services {
        let entry = catalog.described(service_name, service);
        if !entry.stateful || !HOT.contains(&entry.role.as_str()) {
            continue;
        }
        let kept: Vec<_> = service
            .mounts
            .iter()
            .filter(|mount| matches!(mount.kind, MountKind::Volume | MountKind::Bind) && !mount.read_only)
            .collect();
        if kept.is_empty() && entry.role != "cache" {
            all.push(Advice {
                about: format!("service {service_name}"),
                text: "it has no volume for its data, which goes with the container".to_owned(),
                yaml: None,
            });
        }
        for mount in kept.iter().filter(|mount| mount.kind == MountKind::Volume) {
            let Some(volume) = mount.source.as_deref() else { continue };
            let declared = loaded.tree.get("volumes").and_then(|volumes| volumes.get(volume));
            let is_placed =
                declared.is_some_and(|node| node.get("driver_opts").is_some() || node.get("external").is_some());
            if is_placed || host.hardware.disk == Some(DiskKind::Hdd) {
                continue;
            }
            let device = format!("/mnt/nvme/{name}/{service_name}");
            let text = format!(
                "where /var/lib/docker lies on a slower disk, bind it to the NVMe disk: `mkdir -p {device}` first; a named volume is a plain folder, so on the same disk nothing is gained"
            );
            let yaml = json!({"volumes": {volume: {"driver": "local", "driver_opts": {"type": "none", "o": "bind", "device": device}}}});
            all.push(Advice { about: format!("volume {volume}"), text, yaml: Some(yaml) });
        }
    }
    all
}
