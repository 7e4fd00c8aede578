//! The Compose override file that makes a budget so (register A3).
//!
//! Before you change it:
//! 1. It holds only what differs from the files it is laid over, in the keys that those files use already: a limit stated
//!    as `mem_limit` is changed as `mem_limit`, since Compose refuses both forms with different values.
//! 2. What it changes in a file that is there is what it plans, and what it planned before: all else stays, byte for byte.
//! 3. Numbers of CPUs are text in quotes, as the Compose specification wants them.

mod edit;
mod planned;

use crate::input::compose::Loaded;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use crate::input::yaml;
use crate::input::yaml::Node;
use crate::input::yaml::Value as YamlValue;
use crate::model::Amount;
use crate::model::Budget;
use crate::model::Limits;
use crate::model::Service;
use crate::model::ServiceName;
use crate::units::Bytes;
use crate::units::Millicores;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// How a file begins that is ours to renew.
pub const MARK: &str = "# Written by `plimsoll budget`";

/// How the line begins that names what the file holds beside limits.
const HOLDS: &str = "# Beside limits it holds: ";

/// The profile of services that are switched off: nobody enables it by accident.
pub const OFF_PROFILE: &str = "plimsoll-off";

/// Length of a scheduling period where none is stated, in microseconds.
const PERIOD: u64 = 100_000;

/// What the file must say about the services, for the budget to hold over these Compose files: a mapping like that of
/// `services`, empty where the files already say it all.
#[must_use]
pub fn wanted(budget: &Budget, loaded: &Loaded) -> Map<String, Value> {
    let mut services = Map::new();
    let tree = loaded.tree.get("services");
    let node = |name: &ServiceName| tree.and_then(|services| services.get(name.as_str()));
    for (name, share) in &budget.allocation.shares {
        let (Some(service), Some(node)) = (loaded.stack.services.get(name), node(name)) else { continue };
        let in_deploy = find(node, &LIMITS).is_some();
        let mut keys = Keys { node, in_deploy, with_pids: takes_pids(loaded, node), out: Value::Object(Map::new()) };
        let Amount { cpu, memory } = share.limits;
        keys.limits(Limits { cpu: Some(cpu), memory: Some(memory) }, service);
        if service.pids != Some(share.pids) && keys.with_pids {
            keys.limit("pids", "pids_limit", &json!(share.pids));
        }
        let Amount { cpu, memory } = share.reservations;
        keys.reservations(Limits { cpu: Some(cpu), memory: Some(memory) }, service);
        if keys.out.as_object().is_some_and(|keys| !keys.is_empty()) {
            services.insert(name.to_string(), keys.out);
        }
    }
    for name in budget.allocation.off.keys() {
        // A service that some profile enables cannot be taken out of it, but may have no instance.
        let in_profile = node(name).and_then(|node| node.get("profiles")).is_some_and(|list| !list.items().is_empty());
        let off = if in_profile { json!({"deploy": {"replicas": 0}}) } else { json!({"profiles": [OFF_PROFILE]}) };
        services.insert(name.to_string(), off);
    }
    services
}

/// What the file must say about one service, for it to have these limits, reservations and so many instances; what is
/// `None` stays as it is. Empty where the files already say it.
#[must_use]
pub fn of_service(
    loaded: &Loaded,
    name: &ServiceName,
    (limits, reservations): (Limits, Limits),
    replicas: Option<u32>,
) -> Map<String, Value> {
    let node = loaded.tree.get("services").and_then(|services| services.get(name.as_str()));
    let (Some(service), Some(node)) = (loaded.stack.services.get(name), node) else { return Map::new() };
    let in_deploy = find(node, &LIMITS).is_some();
    let mut keys = Keys { node, in_deploy, with_pids: false, out: Value::Object(Map::new()) };
    keys.limits(limits, service);
    keys.reservations(reservations, service);
    if let Some(replicas) = replicas.filter(|replicas| service.replicas != Some(*replicas)) {
        let scale = find(node, &["scale"]).is_some();
        keys.put(if scale { &["scale"] } else { &["deploy", "replicas"] }, json!(replicas));
    }
    match keys.out {
        Value::Object(keys) => keys,
        _ => Map::new(),
    }
}

/// The keys of one service. Compose refuses limits of which some stand in `deploy` and some beside it, so they all go where
/// the files have them; where they have none, beside it, which every version of Compose reads and applies.
struct Keys<'a> {
    node: &'a Node,
    in_deploy: bool,
    with_pids: bool,
    out: Value,
}

const LIMITS: [&str; 3] = ["deploy", "resources", "limits"];
const RESERVATIONS: [&str; 3] = ["deploy", "resources", "reservations"];

impl Keys<'_> {
    /// Limits, where they are said and differ.
    fn limits(&mut self, limits: Limits, service: &Service) {
        if let Some(cpu) = limits.cpu.filter(|cpu| service.limits.cpu != Some(*cpu)) {
            self.cpu_limit(cpu);
        }
        if let Some(memory) = limits.memory.filter(|memory| service.limits.memory != Some(*memory)) {
            self.limit("memory", "mem_limit", &size(memory));
            // The engine refuses a limit of memory above that of memory and swap together.
            if service.memory_and_swap.is_some_and(|swap| swap >= 0 && swap.unsigned_abs() < memory.get()) {
                self.put(&["memswap_limit"], size(memory));
            }
        }
    }

    /// Reservations, where they are said and differ.
    fn reservations(&mut self, wanted: Limits, service: &Service) {
        let kept = service.reservations;
        let cpu_differs = wanted.cpu.is_some() && kept.cpu != wanted.cpu;
        let memory_differs = wanted.memory.is_some() && kept.memory != wanted.memory;
        // CPU is reserved in `deploy` alone, and memory must be said there, too, where anything is.
        let begins = find(self.node, &RESERVATIONS).is_none() && (cpu_differs || memory_differs);
        if let Some(cpu) = wanted.cpu.filter(|_| cpu_differs || begins) {
            self.put(&[&RESERVATIONS, ["cpus"].as_slice()].concat(), json!(cpu.to_string()));
        }
        if let Some(memory) = wanted.memory.or(kept.memory).filter(|_| memory_differs || begins) {
            self.put(&[&RESERVATIONS, ["memory"].as_slice()].concat(), size(memory));
            if memory_differs && find(self.node, &["mem_reservation"]).is_some() {
                self.put(&["mem_reservation"], size(memory));
            }
        }
    }

    fn cpu_limit(&mut self, cpu: Millicores) {
        let is_set = |node: &&Node| node.scalar().is_some_and(|text| text != "0" && text != "-1");
        if !self.in_deploy
            && find(self.node, &["cpus"]).is_none()
            && find(self.node, &["cpu_quota"]).filter(is_set).is_some()
        {
            let period = self.node.get("cpu_period").and_then(Node::scalar).and_then(|text| text.parse().ok());
            let period = period.filter(|period| *period > 0).unwrap_or(PERIOD);
            self.put(&["cpu_quota"], json!(cpu.get() * period / 1000));
            return;
        }
        self.limit("cpus", "cpus", &json!(cpu.to_string()));
    }

    fn limit(&mut self, new: &str, old: &str, value: &Value) {
        if self.in_deploy {
            self.put(&[&LIMITS, [new].as_slice()].concat(), value.clone());
        }
        if !self.in_deploy || find(self.node, &[old]).is_some() {
            self.put(&[old], value.clone());
        }
    }

    fn put(&mut self, path: &[&str], value: Value) {
        let mut at = &mut self.out;
        for key in path {
            at = &mut at[*key];
        }
        *at = value;
    }
}

/// Whether a limit of processes can be written for a service: not into `deploy` of files that name a version before 3.9.
fn takes_pids(loaded: &Loaded, node: &Node) -> bool {
    let version = loaded.tree.get("version").and_then(Node::scalar);
    let knows = version.is_none_or(|version| version.trim().parse::<f64>().is_ok_and(|version| version >= 3.9));
    find(node, &LIMITS).is_none() || knows || find(node, &[&LIMITS, ["pids"].as_slice()].concat()).is_some()
}

fn find<'a>(node: &'a Node, path: &[&str]) -> Option<&'a Node> {
    path.iter().try_fold(node, |node, key| node.get(key)).filter(|node| node.value != YamlValue::Null)
}

/// A size as Compose reads it back exactly.
fn size(size: Bytes) -> Value {
    let text = size.to_string();
    // `1.37G` would be rounded to whole bytes by one reader and cut by another.
    if text.contains('.') { json!(format!("{}b", size.get())) } else { json!(text) }
}

/// The text of the file: `existing` with what is wanted instead of what was planned before, or a new one.
///
/// # Errors
/// What is wrong with the file that is there.
pub fn text(
    existing: Option<&Source>,
    wanted: &Map<String, Value>,
    about: &str,
    parts: &[String],
) -> Result<String, Problems> {
    let line = if parts.is_empty() { String::new() } else { format!("{HOLDS}{}\n", parts.join(", ")) };
    let Some(source) = existing.filter(|source| !source.text().trim().is_empty()) else {
        let head = format!(
            "{MARK}: {about}.\n# Run it again to renew it: it changes what it wrote, and keeps the rest with its comments.\n"
        );
        let body = if wanted.is_empty() {
            "services: {}\n".to_owned()
        } else {
            super::yaml::text(&json!({"services": wanted}), &super::yaml::Comments::new())
        };
        return Ok(head + &line + &body);
    };
    let (node, problems) = yaml::read(source);
    let Some(node) = node.filter(|_| !problems.has_errors()) else { return Err(problems) };
    let is_renewed = is_ours(source.text());
    let stale = if is_renewed { planned::stale(&node, wanted, &holds(source.text())) } else { Vec::new() };
    let text = edit::merge(source.text(), &node, &json!({"services": wanted}), &stale);
    Ok(if is_renewed { with_holds(&text, &line) } else { text })
}

/// What a file of ours says it holds beside limits, by the names of the parts.
#[must_use]
pub fn holds(text: &str) -> Vec<&str> {
    let names = text.lines().filter_map(|line| line.strip_prefix(HOLDS));
    names.flat_map(|names| names.split(", ")).map(str::trim).collect()
}

/// A file of ours with this line in place of the one that says what it holds, or behind its first one.
fn with_holds(text: &str, holds: &str) -> String {
    let kept = text.split_inclusive('\n').filter(|line| !line.starts_with(HOLDS));
    let lines = kept.enumerate().flat_map(|(index, line)| [line, if index == 0 { holds } else { "" }]);
    if text.contains(holds) && !holds.is_empty() { text.to_owned() } else { lines.collect() }
}

/// Whether a file is ours to renew.
#[must_use]
pub fn is_ours(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').starts_with(MARK)
}

/// The keys of a plan with more keys of the same services.
#[must_use]
pub fn with(wanted: Map<String, Value>, more: &Map<String, Value>) -> Map<String, Value> {
    let mut whole = Value::Object(wanted);
    edit::lay_over(&mut whole, more);
    match whole {
        Value::Object(keys) => keys,
        _ => Map::new(),
    }
}

/// What a stack that was read does not say although it is wanted, by its path.
#[must_use]
pub fn unsaid(wanted: &Map<String, Value>, loaded: &Loaded) -> Vec<String> {
    let mut unsaid = Vec::new();
    let Some(services) = loaded.tree.get("services") else { return vec!["services".to_owned()] };
    for (name, keys) in wanted {
        let parts: &[&str] = &["command", "environment", "healthcheck", "blkio_config", "ulimits", "shm_size"];
        for (key, value) in keys.as_object().into_iter().flatten().filter(|(key, _)| parts.contains(&key.as_str())) {
            missing(value, services.get(name).and_then(|node| node.get(key)), &format!("{name}.{key}"), &mut unsaid);
        }
    }
    unsaid
}

fn items_of(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

fn missing(wanted: &Value, node: Option<&Node>, path: &str, unsaid: &mut Vec<String>) {
    if let Value::Object(entries) = wanted {
        for (key, value) in entries {
            missing(value, node.and_then(|node| node.get(key)), &format!("{path}.{key}"), unsaid);
        }
        return;
    }
    if let (Value::Array(items), Some(read)) = (wanted, node.filter(|node| node.items().len() == items_of(wanted))) {
        for (index, (item, read)) in items.iter().zip(read.items()).enumerate() {
            missing(item, Some(read), &format!("{path}.{index}"), unsaid);
        }
        return;
    }
    // What a variable holds is not known here, and must not be told.
    let is_variable = wanted.to_string().contains('$');
    if !node.is_some_and(|node| is_variable || edit::says(node, wanted)) {
        unsaid.push(format!("{path} is not {wanted}"));
    }
}

/// Where a stack that was read differs from what a budget plans, in words; empty where it is the same.
#[must_use]
pub fn differences(budget: &Budget, loaded: &Loaded) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, share) in &budget.allocation.shares {
        let Some(service) = loaded.stack.services.get(name) else {
            differences.push(format!("{name} does not run"));
            continue;
        };
        let node = loaded.tree.get("services").and_then(|services| services.get(name.as_str()));
        let with_pids = service.pids.is_some() || node.is_none_or(|node| takes_pids(loaded, node));
        let pids = if with_pids { service.pids.unwrap_or(-1) } else { share.pids };
        let read = (service.limits, service.reservations, pids);
        let both = |amount: Amount| Limits { cpu: Some(amount.cpu), memory: Some(amount.memory) };
        let planned = (both(share.limits), both(share.reservations), share.pids);
        if read != planned {
            differences.push(format!("{name} has {read:?} instead of {planned:?}"));
        }
    }
    for name in budget.allocation.off.keys() {
        if loaded.stack.services.get(name).is_some_and(|service| service.replicas != Some(0)) {
            differences.push(format!("{name} runs and should be off"));
        }
    }
    differences
}
