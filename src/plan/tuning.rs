//! The settings of a stack's software that follow a budget: what they are, what they should be, and how Compose says it.

use super::settings;
use super::settings::How;
use super::settings::Room;
use super::settings::Setting;
use super::settings::Stated;
use super::written::Written;
use crate::input::catalog::Catalog;
use crate::input::compose::EnvFileValue;
use crate::input::compose::EnvFiles;
use crate::input::compose::Loaded;
use crate::input::yaml::Node;
use crate::input::yaml::Value as YamlValue;
use crate::model::Budget;
use crate::model::Service;
use crate::model::ServiceName;
use crate::model::Share;
use crate::model::Software;
use crate::units::Bytes;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Connections of a database where nobody says how many; the default of PostgreSQL, and what document Z has.
const CONNECTIONS: u32 = 100;

/// Why Compose is not told a setting, where it is told by a command.
const SCRIPT: &str = "its command cannot be merged: set them there";
const START: &str = "by hand: what its image starts with is not known, and a stated `command` is merged";
/// Why Compose is not told a setting, where it is told by a variable.
const ENV_FILE: &str = "by hand in its env file";
const ENV_FILE_UNREAD: &str = "by hand: an env file of it cannot be read, and may set it";
const PASSED_ON: &str = "by hand where Compose is started: the variable is passed on from there";

/// A service whose settings follow what it is given.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuned {
    /// The service.
    pub service: ServiceName,
    /// What runs in it.
    pub software: Software,
    /// The settings that differ from what is stated.
    pub changes: Vec<Change>,
    /// What Compose is told: keys of the service; empty where all is said already.
    pub keys: Map<String, Value>,
}

/// A setting that differs from what is stated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The setting as it should be.
    pub setting: Setting,
    /// What the Compose file states, before its variables are filled in.
    pub before: Option<String>,
    /// Where it is to be set and why, if Compose cannot be told.
    pub by_hand: Option<&'static str>,
}

/// All services of a budget with settings to change.
#[must_use]
pub fn tuned(budget: &Budget, loaded: &Loaded, catalog: &Catalog) -> Vec<Tuned> {
    let mut written = Written::default();
    let mut of = |name: &ServiceName, share: &Share| {
        let service = loaded.stack.services.get(name)?;
        let node = loaded.tree.get("services")?.get(name.as_str())?;
        let entry = catalog.certain(name, service)?;
        let software = entry.software?;
        let room = Room {
            cpu: Some(share.limits.cpu),
            cpu_reserved: Some(share.reservations.cpu),
            memory: share.limits.memory,
            disk: budget.host.hardware.disk,
            connections: CONNECTIONS,
            workers_memory: entry.idle_memory.max(Bytes::mebi(1)),
        };
        let (changes, keys) =
            Subject { software, service, node, env_files: &loaded.env_files }.tune(&room, &mut written);
        Some(Tuned { service: name.clone(), software, changes, keys })
    };
    let all = budget.allocation.shares.iter().filter_map(|(name, share)| of(name, share));
    all.filter(|tuned| !tuned.changes.is_empty() || !tuned.keys.is_empty()).collect()
}

/// A service as the files have it.
struct Subject<'a> {
    software: Software,
    service: &'a Service,
    node: &'a Node,
    env_files: &'a EnvFiles,
}

/// What the files say of a variable of a service.
enum Variable {
    /// Nothing.
    Unstated,
    /// The Compose file states it.
    Stated(String),
    /// It is stated where it cannot be merged, for this reason; with its value, where that is known, to compare with.
    Elsewhere(&'static str, Option<String>),
}

impl Subject<'_> {
    /// What changes, and the keys that make it so.
    fn tune(&self, room: &Room, written: &mut Written) -> (Vec<Change>, Map<String, Value>) {
        let command = self.node.get("command").filter(|command| command.value != YamlValue::Null);
        // `None` is no command, `Some(None)` one whose words cannot be told apart.
        let words = command.map(|command| words(command, written));
        let said = words.clone().flatten();
        let stated = |name: &str| settings::stated(self.software, said.as_ref()?, name);
        // The connections that the file states are the ones that memory must hold.
        let connections = stated("max_connections").and_then(|text| text.parse().ok()).unwrap_or(room.connections);
        let room = Room { connections, ..*room };
        let all = settings::settings(self.software, &room);

        let mut keys = Map::new();
        let existing = if words.is_some() { said.clone() } else { self.start() };
        let merged = existing.and_then(|existing| settings::command(self.software, &existing, &all));
        let unmerged = merged.is_none().then_some(if words.is_some() { SCRIPT } else { START });
        let has_arguments = all.iter().any(|setting| setting.how == How::Argument);
        if let Some(merged) = merged.filter(|merged| has_arguments && said.as_ref() != Some(merged)) {
            keys.insert("command".to_owned(), json!(merged));
        }
        let mut variables = Map::new();
        let mut changes = Vec::new();
        for setting in all {
            match setting.how {
                How::Environment => self.variable_change(setting, written, &mut variables, &mut changes),
                how => {
                    let before = if how == How::Argument { stated(&setting.name) } else { None };
                    let is_kept = before.is_some() && setting.stated == Stated::Kept;
                    if !is_kept && before.as_ref() != Some(&setting.value) {
                        let by_hand = unmerged.filter(|_| how == How::Argument);
                        changes.push(Change { setting, before, by_hand });
                    }
                }
            }
        }
        if !variables.is_empty() {
            keys.insert("environment".to_owned(), Value::Object(variables));
        }
        self.kernel_keys(&room, &mut keys);
        (changes, keys)
    }

    /// What the service starts with where no command is stated, if that is known: what was built, or is started by
    /// another program, is not what its image says.
    fn start(&self) -> Option<Vec<String>> {
        let is_own = ["build", "entrypoint"].iter().any(|key| self.node.get(key).is_some());
        self.service.image.as_deref().filter(|_| !is_own).and_then(settings::start)
    }

    fn variable_change(
        &self,
        setting: Setting,
        written: &mut Written,
        variables: &mut Map<String, Value>,
        changes: &mut Vec<Change>,
    ) {
        let (before, by_hand, known) = match self.variable(&setting.name, written) {
            Variable::Unstated => (None, None, None),
            Variable::Stated(text) => (Some(text.clone()), None, Some(text)),
            Variable::Elsewhere(why, known) => (None, Some(why), known),
        };
        let is_stated = before.is_some() || by_hand.is_some();
        let after = settings::environment(&setting, known.as_deref());
        if is_stated && setting.stated == Stated::Kept || known.as_ref() == Some(&after) {
            return;
        }
        if by_hand.is_none() {
            variables.insert(setting.name.clone(), json!(after));
        }
        changes.push(Change { setting, before, by_hand });
    }

    /// `environment` wins over env files, and a name without a value in it is passed on.
    fn variable(&self, name: &str, written: &mut Written) -> Variable {
        if let Some(node) = self.node.get("environment").and_then(|all| all.get(name)) {
            let text = written.value(node).and_then(|raw| raw.scalar());
            let value = |text: String| match text.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
                Some(value) => value.to_owned(),
                None => text,
            };
            return text.map_or(Variable::Elsewhere(PASSED_ON, None), |text| Variable::Stated(value(text)));
        }
        match self.env_files.value(self.node, name) {
            EnvFileValue::Unset => Variable::Unstated,
            EnvFileValue::Set(value) => Variable::Elsewhere(ENV_FILE, Some(value.to_owned())),
            EnvFileValue::Unknown => Variable::Elsewhere(ENV_FILE_UNREAD, None),
        }
    }

    /// What the kernel must grant, for the settings to hold; what the files grant stays.
    fn kernel_keys(&self, room: &Room, keys: &mut Map<String, Value>) {
        let shm = self.service.shm_size;
        if let Some(size) = settings::shm_size(self.software, room).filter(|size| shm.is_none_or(|shm| shm < *size)) {
            keys.insert("shm_size".to_owned(), json!(size.to_string()));
        }
        let wanted = settings::ulimits(self.software).into_iter();
        let missing: Map<String, Value> = wanted
            .filter(|(limit, _, _)| !self.service.ulimits.contains_key(*limit))
            .map(|(limit, soft, hard)| (limit.to_owned(), json!({"soft": soft, "hard": hard})))
            .collect();
        if !missing.is_empty() {
            keys.insert("ulimits".to_owned(), Value::Object(missing));
        }
    }
}

/// The words of a command as the file has them, variables and all. `None` where the words cannot be told apart.
fn words(command: &Node, written: &mut Written) -> Option<Vec<String>> {
    match &written.value(command)?.value {
        YamlValue::Text(text) => settings::words(text).filter(|words| !words.iter().any(|word| is_torn(word))),
        YamlValue::List(items) => items.iter().map(Node::scalar).collect(),
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

/// What the kernel is told of the disk access of each service of a budget (register A6): weight by tier, and a rate for
/// what works in the background where one is given; nothing of what the files say already.
#[must_use]
pub fn kernel(budget: &Budget, loaded: &Loaded, rate: Option<&DeviceRate>) -> Map<String, Value> {
    let mut services = Map::new();
    for name in budget.allocation.shares.keys() {
        let (Some(service), Some(ask)) = (loaded.stack.services.get(name), budget.asks.get(name)) else { continue };
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
            services.insert(name.to_string(), json!({"blkio_config": disk}));
        }
    }
    services
}
