//! A first scenario for a stack: who is called from outside, by how much, who calls whom, and what is expected. All of it
//! is a beginning that runs; what is a guess says so.

use super::yaml;
use crate::input::catalog::Catalog;
use crate::input::catalog::Entry;
use crate::model::Condition;
use crate::model::Service;
use crate::model::ServiceName;
use crate::model::Stack;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Roles that are called by other services and not from outside.
const INNER: [&str; 6] = ["database", "cache", "queue", "storage", "search", "agent"];
/// Roles that a person looks at now and then.
const SELDOM: [&str; 5] = ["monitoring", "admin", "dev", "security", "batch"];

/// What a first scenario is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sketch<'a> {
    /// What it is called.
    pub title: &'a str,
    /// How the scenario names the stack.
    pub stack: Value,
    /// How the scenario names the host.
    pub host: &'a str,
    /// Whether limits follow the use.
    pub vertical: bool,
}

/// The text of the scenario.
#[must_use]
pub fn scenario(stack: &Stack, catalog: &Catalog, sketch: &Sketch<'_>) -> String {
    let running = running(stack, catalog);
    let entries = entries(&running);
    let mut comments = yaml::Comments::new();
    let mut comment = |pointer: &str, text: &str| comments.insert(pointer.to_owned(), text.to_owned());
    comment(
        "",
        "A first scenario, to be made yours: `plimsoll simulate` runs it. What it says of load and calls is a guess.",
    );
    let mut file = json!({
        "scenario": sketch.title,
        "stack": sketch.stack,
        "host": sketch.host,
    });
    if sketch.vertical {
        file["policy"] = json!("jacker-vertical");
        comment("/policy", "Limits follow the use. Services without a limit are left alone.");
    }
    file["duration"] = json!("24h");
    file["warmup"] = json!("5m");
    file["seeds"] = json!("1..3");
    let calls = calls(&running);
    if !calls.is_empty() {
        comment(
            "/services",
            "Who calls whom, by `depends_on`. The cost of a request is the catalog's guess until you say `cpu: 12ms` beside `calls`.",
        );
        file["services"] = Value::Object(calls);
    }
    comment(
        "/load",
        "Requests from outside. Put what you know in place of these: your access log says it (`trace: load.csv`).",
    );
    let load: Map<String, Value> = entries.iter().map(|(name, known)| (name.to_string(), load(known))).collect();
    file["load"] = Value::Object(load);
    comment("/expect", "What must hold. `plimsoll test` fails where it does not.");
    file["expect"] = Value::Object(expectations(&entries));
    yaml::text(&file, &comments)
}

/// What runs, and what is known of it.
type Running<'a> = BTreeMap<&'a ServiceName, (&'a Service, Entry)>;

/// The services that run all the time: not those that are switched off, nor those for whose end others wait, such as a
/// migration.
fn running<'a>(stack: &'a Stack, catalog: &Catalog) -> Running<'a> {
    let is_passing = |name: &ServiceName| {
        stack.services.values().any(|other| other.depends_on.get(name) == Some(&Condition::Completed))
    };
    let runs = |(name, service): &(&ServiceName, &Service)| service.replicas != Some(0) && !is_passing(name);
    let services = stack.services.iter().filter(runs);
    services.map(|(name, service)| (name, (service, catalog.described(name, service)))).collect()
}

/// Services that are called from outside: those with published ports that are no stores, else those that nobody depends
/// on, else the most important one.
fn entries<'a>(running: &'a Running<'_>) -> Vec<(&'a ServiceName, &'a Entry)> {
    let awaited: BTreeSet<&ServiceName> = running.values().flat_map(|(service, _)| service.depends_on.keys()).collect();
    let pick = |wanted: &dyn Fn(&ServiceName, &Service) -> bool| -> Vec<(&'a ServiceName, &'a Entry)> {
        let open = running.iter().filter(|(_, (_, known))| !INNER.contains(&known.role.as_str()));
        open.filter(|(name, (service, _))| wanted(name, service)).map(|(name, (_, known))| (*name, known)).collect()
    };
    let published = pick(&|_, service| !service.ports.is_empty());
    if !published.is_empty() {
        return published;
    }
    let ends = pick(&|name, _| !awaited.contains(name));
    if !ends.is_empty() {
        return ends;
    }
    let all = running.iter().map(|(name, (_, known))| (*name, known));
    all.max_by_key(|(_, known)| known.importance).into_iter().collect()
}

/// Calls of services to what they depend on.
fn calls(running: &Running<'_>) -> Map<String, Value> {
    let mut calls = Map::new();
    for (name, (service, known)) in running {
        if INNER.contains(&known.role.as_str()) {
            continue;
        }
        let called: Map<String, Value> = service
            .depends_on
            .keys()
            .filter_map(|other| {
                let (_, known) = running.get(other)?;
                // A request of an application asks its stores more than once; who only forwards asks once.
                let count = if ["database", "cache"].contains(&known.role.as_str()) { 2 } else { 1 };
                let called = !SELDOM.contains(&known.role.as_str()) && known.role != "agent";
                called.then(|| (other.to_string(), json!(count)))
            })
            .collect();
        if !called.is_empty() {
            calls.insert(name.to_string(), json!({"work": {"calls": called}}));
        }
    }
    calls
}

fn load(known: &Entry) -> Value {
    match known.role.as_str() {
        "llm" => json!({"pattern": "diurnal", "low": "5/h", "high": "30/h", "peak_at": "20:00"}),
        role if SELDOM.contains(&role) => json!({"pattern": "constant", "rate": "2/min"}),
        _ => json!({"pattern": "diurnal", "low": "1/s", "high": "10/s", "peak_at": "20:00"}),
    }
}

/// Targets by tier (register S3, S4): the critical path within 500 ms; the host with something to spare.
fn expectations(entries: &[(&ServiceName, &Entry)]) -> Map<String, Value> {
    let mut expect = Map::new();
    for (name, known) in entries.iter().filter(|(_, known)| known.role != "llm") {
        let target = if known.tier == 1 || known.role == "app" { "500ms" } else { "10s" };
        expect.insert(format!("{name} is fast"), json!(format!("p95(latency.{name}) <= {target} for 99% of 5m")));
    }
    if let Some((name, _)) = entries.first() {
        expect.insert(format!("{name} answers"), json!(format!("error_rate({name}) < 1%")));
    }
    for (name, text) in [
        ("nothing is OOM killed", "count(oom) == 0"),
        ("host has CPU to spare", "p95(host.cpu) < 80%"),
        ("host has memory to spare", "max(host.memory) < 90%"),
    ] {
        expect.insert(name.to_owned(), json!(text));
    }
    expect
}
