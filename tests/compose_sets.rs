//! Compose sets of public repositories, held to the facts that were taken from them by other means. They lie beside the
//! checkout; without them there is nothing to compare.

mod sets;

use plimsoll::input::compose::Loaded;
use plimsoll::input::compose::load;
use plimsoll::input::yaml::Node;
use plimsoll::model::Condition;
use plimsoll::model::DeviceRequest;
use plimsoll::model::MountKind;
use plimsoll::model::Service;
use plimsoll::units::Span;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use sets::texts;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// The older keys that `v2_keys` of the facts tell of.
const OLD_KEYS: [&str; 14] = [
    "cpus",
    "cpu_shares",
    "cpu_quota",
    "cpu_period",
    "cpu_count",
    "cpu_percent",
    "cpuset",
    "mem_limit",
    "mem_reservation",
    "memswap_limit",
    "mem_swappiness",
    "pids_limit",
    "oom_score_adj",
    "oom_kill_disable",
];

/// The facts of what was loaded, in the form of the index; empty ones where the index may leave them out.
fn facts(loaded: &Loaded) -> Value {
    let services = &loaded.stack.services;
    let node = |name: &str| loaded.tree.get("services").and_then(|all| all.get(name)).expect("it is in the tree");
    let by_name = |fact: &dyn Fn(&str, &Service) -> Option<Value>| -> Value {
        let some = services.iter().filter_map(|(name, service)| {
            Some((name.as_str().to_owned(), fact(name.as_str(), service).filter(|fact| *fact != json!({}))?))
        });
        Value::Object(some.collect())
    };
    let mut profiles: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in loaded.tree.get("services").expect("services").entries() {
        for profile in texts(entry.value.get("profiles")) {
            profiles.entry(profile).or_default().insert(entry.key.clone());
        }
    }
    let gated: BTreeSet<&String> = profiles.values().flatten().collect();
    let used: BTreeSet<&String> = services
        .values()
        .flat_map(|service| &service.mounts)
        .filter(|mount| mount.kind == MountKind::Volume)
        .filter_map(|mount| mount.source.as_ref())
        .collect();
    let total = services.len() + loaded.disabled.len();
    json!({
        "services_total": total,
        "services_without_profiles": total - gated.len(),
        "profiles_active": loaded.profiles_active,
        "services_enabled": services.len(),
        "names": services.keys().map(|name| name.as_str()).collect::<Vec<_>>(),
        "profiles": profiles,
        "limits": by_name(&|_, service| Some(limits(service))),
        "v2_keys": by_name(&|name, _| {
            let keys: Vec<&str> = OLD_KEYS.into_iter().filter(|key| node(name).get(key).is_some()).collect();
            (!keys.is_empty()).then(|| json!(keys))
        }),
        "replicas": by_name(&|_, service| service.replicas.map(|count| json!(count))),
        "mode_global": services.iter().filter(|(_, s)| s.global).map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        "healthchecks": by_name(&|name, service| health(node(name), service)),
        "depends_on": by_name(&|_, service| {
            let waits = service.depends_on.iter().map(|(other, condition)| {
                let condition = match condition {
                    Condition::Started => "started",
                    Condition::Healthy => "healthy",
                    Condition::Completed => "completed_successfully",
                };
                (other.as_str().to_owned(), json!(condition))
            });
            Some(Value::Object(waits.collect()))
        }),
        "shm_size_bytes": by_name(&|_, service| service.shm_size.map(|size| json!(size.get()))),
        "ulimits": by_name(&|_, service| {
            let limits = service.ulimits.iter().map(|(name, limit)| (name.clone(), json!([limit.soft, limit.hard])));
            Some(Value::Object(limits.collect()))
        }),
        "named_volumes": loaded.stack.volumes.len(),
        "named_volumes_used": used.len(),
        "networks_declared": loaded.stack.networks.len(),
        "secrets_declared": loaded.stack.secrets.len(),
        "configs_declared": loaded.stack.configs.len(),
    })
}

fn limits(service: &Service) -> Value {
    let mut limits = Map::new();
    let cores = |cpu: plimsoll::units::Millicores| json!(cpu.as_cores());
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            limits.insert(key.to_owned(), value);
        }
    };
    put("cpus", service.limits.cpu.map(cores));
    put("memory_bytes", service.limits.memory.map(|size| json!(size.get())));
    put("cpus_reserved", service.reservations.cpu.map(cores));
    put("memory_reserved_bytes", service.reservations.memory.map(|size| json!(size.get())));
    put("pids", service.pids.map(|pids| json!(pids)));
    put("cpu_shares", service.cpu_shares.map(|shares| json!(shares)));
    put("devices_reserved", (!service.devices.is_empty()).then(|| service.devices.iter().map(device).collect()));
    Value::Object(limits)
}

fn device(request: &DeviceRequest) -> Value {
    let mut device = Map::new();
    if let Some(driver) = &request.driver {
        device.insert("driver".into(), json!(driver));
    }
    if let Some(count) = request.count {
        device.insert("count".into(), if count == -1 { json!("all") } else { json!(count) });
    }
    if !request.ids.is_empty() {
        device.insert("device_ids".into(), json!(request.ids));
    }
    device.insert("capabilities".into(), json!(request.capabilities));
    Value::Object(device)
}

fn health(node: &Node, service: &Service) -> Option<Value> {
    let check = service.health.as_ref()?;
    if check.disabled {
        return Some(json!({"disabled": true}));
    }
    let written = node.get("healthcheck").and_then(|check| check.get("test"));
    let test = match written {
        None => Value::Null,
        Some(written) if written.as_text().is_some() => json!("string"),
        Some(_) => json!(check.test.first()),
    };
    let mut facts = Map::from_iter([("test".to_owned(), test)]);
    let seconds = |span: Span| {
        let whole = span.nanos().is_multiple_of(1_000_000_000);
        if whole { json!(span.secs()) } else { json!(span.as_secs()) }
    };
    for (key, span) in [
        ("interval_s", check.interval),
        ("timeout_s", check.timeout),
        ("start_period_s", check.start_period),
        ("start_interval_s", check.start_interval),
    ] {
        if let Some(span) = span {
            facts.insert(key.to_owned(), seconds(span));
        }
    }
    if let Some(retries) = check.retries {
        facts.insert("retries".to_owned(), json!(retries));
    }
    Some(Value::Object(facts))
}

/// A number and a list of it twice are the same limit; numbers are compared as numbers.
fn plain(fact: &Value) -> Value {
    match fact {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(map) => Value::Object(map.iter().map(|(key, value)| (key.clone(), plain(value))).collect()),
        other => other.clone(),
    }
}

fn doubled(fact: &Value) -> Value {
    let mut fact = fact.clone();
    for service in fact.as_object_mut().into_iter().flat_map(|map| map.values_mut()) {
        for limit in service.as_object_mut().into_iter().flat_map(|map| map.values_mut()) {
            if limit.is_number() {
                *limit = json!([limit, limit]);
            }
        }
    }
    fact
}

#[test]
fn every_set_agrees_with_its_facts() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut wrong: Vec<String> = Vec::new();
    for (set, args) in sets::shared(folder.path()) {
        let name = set.get("name").and_then(Node::scalar).expect("a set has a name");
        let loaded = load(&args).unwrap_or_else(|problems| panic!("{name} cannot be loaded:\n{problems}"));
        let found = facts(&loaded);
        let wanted = set.get("facts").expect("a set has facts").to_json();
        let wanted = wanted.as_object().expect("facts are a mapping");
        for (key, wanted) in wanted {
            let Some(found) = found.get(key) else {
                wrong.push(format!("{name}: the fact `{key}` is not compared"));
                continue;
            };
            let wanted = if key == "ulimits" { doubled(wanted) } else { wanted.clone() };
            if plain(found) != plain(&wanted) {
                wrong.push(format!("{name}: {key}\n  wanted {wanted}\n  found  {found}"));
            }
        }
        for (key, found) in found.as_object().expect("facts are a mapping") {
            let nothing = found.as_object().is_some_and(Map::is_empty) || found.as_array().is_some_and(Vec::is_empty);
            if !wanted.contains_key(key) && !nothing {
                wrong.push(format!("{name}: {key} is not in the index\n  found  {found}"));
            }
        }
        for variable in texts(set.get("unset_variables")) {
            let told = loaded.warnings.iter().any(|problem| problem.message.contains(&format!("`{variable}`")));
            if !told {
                wrong.push(format!("{name}: nothing is said about the unset variable `{variable}`"));
            }
        }
        let unknown: Vec<&str> = loaded
            .ignored
            .iter()
            .filter(|ignored| ignored.why == plimsoll::input::compose::Why::Unknown)
            .map(|ignored| ignored.path.as_str())
            .collect();
        if !unknown.is_empty() {
            wrong.push(format!("{name}: keys of real files are taken as unknown: {unknown:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
