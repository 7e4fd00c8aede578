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
    let mut all = Vec::new();
    for (index, entry) in declared.iter().enumerate() {
        let network = &entry.value;
        let driver = network.get("driver").and_then(Node::scalar).unwrap_or_else(|| "bridge".to_owned());
        let is_external = network.get("external").and_then(Node::scalar).is_some_and(|text| text == "true");
        let options = network.get("driver_opts");
        let is_named = options.is_some_and(|options| options.get("com.docker.network.bridge.name").is_some());
        if driver != "bridge" || is_external || is_named {
            continue;
        }
        let whole = if entry.key == "default" { name.to_owned() } else { format!("{name}-{}", entry.key) };
        let bridge = format!("br-{}", whole.chars().take(BRIDGE_NAME_MAX).collect::<String>().trim_end_matches('-'));
        let mut written = json!({
            "driver_opts": {"com.docker.network.bridge.name": bridge, "com.docker.network.driver.mtu": "1500"},
        });
        let mut text = format!(
            "name its bridge {bridge}, so that `ip link` and firewall rules find it; MTU 1500 is that of Ethernet, tunnels need less"
        );
        if network.get("ipam").is_none() {
            // Of 172.16.0.0/12 Docker takes the lower half by itself.
            let second = 28 + index.min(3);
            written["ipam"] = json!({"config": [{"subnet": format!("172.{second}.0.0/16"), "ip_range": format!("172.{second}.5.0/24")}]});
            text.push_str("; a subnet of its own does not move when networks are made anew");
        }
        let yaml = json!({"networks": {entry.key.as_str(): written}});
        all.push(Advice { about: format!("network {}", entry.key), text, yaml: Some(yaml) });
    }
    all
}

/// Hot data belongs on the fastest disk; data without a volume goes with its container.
fn volumes(name: &str, loaded: &Loaded, catalog: &Catalog, host: &Host) -> Vec<Advice> {
    let mut all = Vec::new();
    for (service_name, service) in &loaded.stack.services {
        let entry = catalog.of(service_name, service);
        let Some(entry) = entry.filter(|entry| entry.stateful && HOT.contains(&entry.role.as_str())) else { continue };
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
