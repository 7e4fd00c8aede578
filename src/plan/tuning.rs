//! The settings of a stack's software that follow a budget: what they are, what they should be, and how Compose says it.

use super::settings;
use super::settings::How;
use super::settings::Room;
use super::settings::Setting;
use super::settings::Stated;
use crate::input::catalog::Catalog;
use crate::input::compose::Loaded;
use crate::input::yaml;
use crate::input::yaml::Node;
use crate::input::yaml::Value as YamlValue;
use crate::model::Budget;
use crate::model::ServiceName;
use crate::model::Software;
use crate::units::Bytes;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Connections of a database where nobody says how many; the default of PostgreSQL, and what document Z has.
const CONNECTIONS: u32 = 100;

/// A service whose settings follow what it is given.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuned {
    /// The service.
    pub service: ServiceName,
    /// What runs in it.
    pub software: Software,
    /// The settings that differ from what is stated, and what is stated.
    pub settings: Vec<(Setting, Option<String>)>,
    /// What Compose is told: keys of the service; empty where all is said already.
    pub keys: Map<String, Value>,
    /// Why its command cannot be changed, where it cannot.
    pub by_hand: Option<&'static str>,
}

/// All services of a budget with settings to change.
#[must_use]
pub fn tuned(budget: &Budget, loaded: &Loaded, catalog: &Catalog) -> Vec<Tuned> {
    let tree = loaded.tree.get("services");
    let of = |name: &ServiceName| {
        let service = loaded.stack.services.get(name)?;
        let entry = catalog.of(name, service)?;
        let share = budget.allocation.shares.get(name)?;
        let room = Room {
            cpu: Some(share.limits.cpu),
            cpu_reserved: Some(share.reservations.cpu),
            memory: share.limits.memory,
            disk: budget.host.hardware.disk,
            connections: CONNECTIONS,
            workers_memory: entry.idle_memory.max(Bytes::mebi(1)),
        };
        Some(tune(name, entry.software?, &room, tree?.get(name.as_str())?, service.shm_size))
    };
    let all = budget.allocation.shares.keys().filter_map(of);
    all.filter(|tuned| !tuned.settings.is_empty() || !tuned.keys.is_empty()).collect()
}

fn tune(name: &ServiceName, software: Software, room: &Room, node: &Node, shm: Option<Bytes>) -> Tuned {
    let mut keys = Map::new();
    let command = node.get("command").filter(|command| command.value != YamlValue::Null);
    // `None` is no command, `Some(None)` one whose words cannot be told apart.
    let words = command.map(words);
    let said = words.clone().flatten();
    let stated = |name: &str| settings::stated(software, said.as_ref()?, name);
    // The connections that the file states are the ones that memory must hold.
    let connections = stated("max_connections").and_then(|text| text.parse().ok()).unwrap_or(room.connections);
    let room = Room { connections, ..*room };
    let all = settings::settings(software, &room);

    let merged = if words == Some(None) { None } else { settings::command(software, said.as_deref(), &all) };
    let has_arguments = all.iter().any(|setting| setting.how == How::Argument);
    let is_script = merged.is_none() && words.is_some() && has_arguments;
    if let Some(merged) = merged.filter(|merged| said.as_ref() != Some(merged)) {
        keys.insert("command".to_owned(), json!(merged));
    }
    let variable = |name: &str| variable(node.get("environment")?.get(name)?, name);
    let mut variables: Map<String, Value> = Map::new();
    let mut changed = Vec::new();
    for setting in all {
        let before = match setting.how {
            How::Argument => stated(&setting.name),
            How::Environment => variable(&setting.name),
            How::File(_) => None,
        };
        if before.is_some() && setting.stated == Stated::Kept {
            continue;
        }
        let after = if setting.how == How::Environment {
            // Several settings may go into one variable.
            let so_far = variables.get(&setting.name).and_then(Value::as_str);
            settings::environment(&setting, so_far.or(before.as_deref()))
        } else {
            setting.value.clone()
        };
        if before.as_ref() == Some(&after) {
            continue;
        }
        if setting.how == How::Environment {
            variables.insert(setting.name.clone(), json!(after));
        }
        changed.push((setting, before));
    }
    if !variables.is_empty() {
        keys.insert("environment".to_owned(), Value::Object(variables));
    }
    if let Some(size) = settings::shm_size(software, &room).filter(|size| shm.is_none_or(|shm| shm < *size)) {
        keys.insert("shm_size".to_owned(), json!(size.to_string()));
    }
    let by_hand = is_script.then_some("its command cannot be merged: set them there");
    Tuned { service: name.clone(), software, settings: changed, keys, by_hand }
}

/// The words of a command as the file has them, variables and all: what is in a variable may be a secret, and is never
/// written. `None` where the words cannot be told apart.
fn words(command: &Node) -> Option<Vec<String>> {
    let raw = raw(command)?;
    match &raw.value {
        YamlValue::Text(text) => settings::words(text).filter(|words| !words.iter().any(|word| is_torn(word))),
        YamlValue::List(items) => items.iter().map(Node::scalar).collect(),
        _ => None,
    }
}

/// The value of an environment variable as the file has it.
fn variable(node: &Node, name: &str) -> Option<String> {
    let text = raw(node)?.scalar()?;
    let value = text.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
    Some(value.map_or(text.clone(), str::to_owned))
}

/// A value before its variables were filled in; `None` where it is not found again.
fn raw(node: &Node) -> Option<Node> {
    let source = &node.place.source;
    let text = source.text().get(node.place.start..node.place.end)?;
    if !text.contains('$') {
        return Some(node.clone());
    }
    at(&yaml::read(source).0?, node.place.start).cloned()
}

/// The outermost node that begins at this byte.
fn at(node: &Node, start: usize) -> Option<&Node> {
    match &node.value {
        _ if node.place.start == start => Some(node),
        YamlValue::Map(entries) => entries.iter().find_map(|entry| at(&entry.value, start)),
        YamlValue::List(items) => items.iter().find_map(|item| at(item, start)),
        _ => None,
    }
}

/// Whether a word holds only a part of a variable, such as `${NAME:-two` of `${NAME:-two words}`.
fn is_torn(word: &str) -> bool {
    word.matches("${").count() != word.matches('}').count() && word.contains("${")
}

/// A limit of disk access: the device as the host names it, and bytes a second for reading and for writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRate {
    /// Path of the device: `/dev/nvme0n1`.
    pub device: String,
    /// Bytes a second.
    pub rate: Bytes,
}

/// What the kernel is told of each service of a budget (register A6): weight of its disk access by tier, a rate for what
/// works in the background where one is given, and the limits that its software wants; nothing of what the files say
/// already.
#[must_use]
pub fn kernel(budget: &Budget, loaded: &Loaded, catalog: &Catalog, rate: Option<&DeviceRate>) -> Map<String, Value> {
    let mut services = Map::new();
    for name in budget.allocation.shares.keys() {
        let (Some(service), Some(ask)) = (loaded.stack.services.get(name), budget.asks.get(name)) else { continue };
        let mut keys = Map::new();
        let mut disk = Map::new();
        let said = service.blkio.clone().unwrap_or_default();
        if said.weight.is_none() {
            disk.insert("weight".to_owned(), json!(settings::blkio_weight(ask.tier)));
        }
        if let Some(DeviceRate { device, rate }) = rate.filter(|_| ask.tier >= 3) {
            let list = json!([{"path": device, "rate": format!("{}b", rate.get())}]);
            for (key, said) in [("device_read_bps", &said.read_bytes), ("device_write_bps", &said.write_bytes)] {
                if !said.contains_key(device) {
                    disk.insert(key.to_owned(), list.clone());
                }
            }
        }
        if !disk.is_empty() {
            keys.insert("blkio_config".to_owned(), Value::Object(disk));
        }
        let software = catalog.of(name, service).and_then(|entry| entry.software);
        let wanted = software.map(settings::ulimits).unwrap_or_default();
        let missing = wanted.into_iter().filter(|(limit, _, _)| !service.ulimits.contains_key(*limit));
        let missing: Map<String, Value> =
            missing.map(|(limit, soft, hard)| (limit.to_owned(), json!({"soft": soft, "hard": hard}))).collect();
        if !missing.is_empty() {
            keys.insert("ulimits".to_owned(), Value::Object(missing));
        }
        if !keys.is_empty() {
            services.insert(name.to_string(), Value::Object(keys));
        }
    }
    services
}
