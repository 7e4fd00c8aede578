//! A stack as text, JSON and tables. What a file does not say is left empty, never filled with a default.

use super::printer::FAINT;
use super::printer::HEAD;
use super::printer::paint;
use crate::input::catalog::Catalog;
use crate::input::compose::Loaded;
use crate::input::compose::Why;
use crate::model::Condition;
use crate::model::HealthCheck;
use crate::model::Service;
use crate::model::ServiceName;
use crate::report::words::counted;
use crate::units::Span;
use serde_json::Value;
use serde_json::json;

/// Version of the JSON that `stack` prints.
const FORMAT_VERSION: u32 = 1;

/// What a service is for, as far as labels and the catalog know.
struct Part {
    role: Option<String>,
    tier: Option<u8>,
    stateful: Option<bool>,
    known_by: &'static str,
}

/// Labels win over the catalog.
fn part(name: &ServiceName, service: &Service, catalog: &Catalog) -> Part {
    let entry = catalog.of(name, service);
    let hints = &service.hints;
    let labelled = hints.role.is_some() || hints.tier.is_some() || hints.stateful.is_some();
    Part {
        role: hints.role.clone().or_else(|| entry.map(|entry| entry.role.clone())),
        tier: hints.tier.or_else(|| entry.map(|entry| entry.tier)),
        stateful: hints.stateful.or_else(|| entry.map(|entry| entry.stateful)),
        known_by: if labelled { "labels" } else { "catalog" },
    }
}

/// The JSON of `plimsoll stack --json`.
pub(super) fn json(loaded: &Loaded, catalog: &Catalog) -> Value {
    let stack = &loaded.stack;
    let services: serde_json::Map<String, Value> =
        stack.services.iter().map(|(name, one)| (name.to_string(), service(name, one, catalog))).collect();
    let origins: serde_json::Map<String, Value> = loaded
        .origins
        .iter()
        .map(|(path, origin)| {
            let place = &origin.place;
            let variables: Vec<&str> = origin.variables.iter().map(|variable| variable.name.as_str()).collect();
            let at = json!({
                "file": place.source.name(),
                "line": place.line(),
                "column": place.column(),
                "variables": variables,
            });
            (path.clone(), at)
        })
        .collect();
    let ignored: Vec<Value> = loaded
        .ignored
        .iter()
        .map(|key| json!({"path": key.path, "file": key.place.source.name(), "line": key.place.line(), "why": why(key.why)}))
        .collect();
    let disabled: serde_json::Map<String, Value> =
        loaded.disabled.iter().map(|(name, profiles)| (name.to_string(), json!(profiles))).collect();
    json!({
        "format_version": FORMAT_VERSION,
        "name": stack.name,
        "services": services,
        "volumes": stack.volumes,
        "networks": stack.networks,
        "profiles_active": loaded.profiles_active,
        "disabled": disabled,
        "ignored": ignored,
        "origins": origins,
        "warnings": loaded.warnings.to_json(),
    })
}

fn service(name: &ServiceName, service: &Service, catalog: &Catalog) -> Value {
    let part = part(name, service, catalog);
    let depends_on: serde_json::Map<String, Value> =
        service.depends_on.iter().map(|(other, when)| (other.to_string(), json!(condition(*when)))).collect();
    json!({
        "image": service.image,
        "cpus_limit": service.limits.cpu.map(|cpu| number(cpu.as_cores())),
        "cpus_reservation": service.reservations.cpu.map(|cpu| number(cpu.as_cores())),
        "memory_limit_bytes": service.limits.memory.map(|memory| memory.get()),
        "memory_reservation_bytes": service.reservations.memory.map(|memory| memory.get()),
        "pids_limit": service.pids,
        "replicas": service.replicas,
        "healthcheck": service.health.as_ref().map(health_json),
        "depends_on": depends_on,
        "role": part.role,
        "tier": part.tier,
        "stateful": part.stateful,
    })
}

/// A check that the file switches off has `disabled` beside the fields that every check has.
fn health_json(health: &HealthCheck) -> Value {
    let seconds = |span: Option<Span>| span.map(|span| number(span.as_secs()));
    let mut value = json!({
        "interval_s": seconds(health.interval),
        "timeout_s": seconds(health.timeout),
        "retries": health.retries,
        "start_period_s": seconds(health.start_period),
    });
    if health.disabled {
        value["disabled"] = json!(true);
    }
    value
}

/// Whole numbers without a point, so that `1` stays `1`.
fn number(value: f64) -> Value {
    let whole = crate::units::whole(value);
    if whole as f64 == value { json!(whole) } else { json!(value) }
}

const fn condition(condition: Condition) -> &'static str {
    match condition {
        Condition::Started => "started",
        Condition::Healthy => "healthy",
        Condition::Completed => "completed_successfully",
    }
}

const fn why(why: Why) -> &'static str {
    match why {
        Why::Unknown => "Compose does not know this key",
        Why::Extension => "an extension of your own",
        Why::NoEffect => "it has no effect on load or limits",
    }
}

/// A service a paragraph, a value a line, each with where it comes from.
pub(super) fn text(loaded: &Loaded, catalog: &Catalog) -> String {
    let mut text = String::new();
    for (name, service) in &loaded.stack.services {
        let lines = lines(loaded, name, service, catalog);
        text.push_str(&paint(HEAD, name.as_str()));
        text.push('\n');
        for line in lines {
            let gap = " ".repeat(44_usize.saturating_sub(line.value.chars().count()).max(1));
            text.push_str(&format!("  {:<20} {}{gap}{}\n", line.what, line.value, paint(FAINT, &line.origin)));
        }
    }
    text + &totals(loaded)
}

struct Line {
    what: &'static str,
    value: String,
    origin: String,
}

fn lines(loaded: &Loaded, name: &ServiceName, service: &Service, catalog: &Catalog) -> Vec<Line> {
    // Where the spec has a new and an old key for the same thing, the new one is looked for first.
    let origin = |keys: &[&str]| {
        let mut paths = keys.iter().map(|key| format!("services.{name}.{key}"));
        paths.find_map(|path| {
            let inner = format!("{path}.");
            let exact = loaded.origins.get(&path);
            let below = || loaded.origins.range(inner.clone()..).next().filter(|(path, _)| path.starts_with(&inner));
            exact.or_else(|| below().map(|(_, origin)| origin)).map(ToString::to_string)
        })
    };
    let mut lines = Vec::new();
    let mut line = |what, value: Option<String>, keys: &[&str]| {
        let Some(value) = value else { return };
        lines.push(Line { what, value, origin: origin(keys).unwrap_or_default() });
    };
    let (limits, reservations) = (&service.limits, &service.reservations);
    line("image", service.image.clone(), &["image"]);
    line("cpu limit", limits.cpu.map(|cpu| cpu.to_string()), &["deploy.resources.limits.cpus", "cpus", "cpu_quota"]);
    let reserved = reservations.cpu.map(|cpu| cpu.to_string());
    line("cpu reservation", reserved, &["deploy.resources.reservations.cpus"]);
    let memory = limits.memory.map(|memory| memory.to_string());
    line("memory limit", memory, &["deploy.resources.limits.memory", "mem_limit"]);
    let reserved = reservations.memory.map(|memory| memory.to_string());
    line("memory reservation", reserved, &["deploy.resources.reservations.memory", "mem_reservation"]);
    line("pids limit", service.pids.map(|pids| pids.to_string()), &["deploy.resources.limits.pids", "pids_limit"]);
    line("replicas", service.replicas.map(|count| count.to_string()), &["deploy.replicas", "scale"]);
    line("health check", service.health.as_ref().map(health), &["healthcheck"]);
    let waits: Vec<String> =
        service.depends_on.iter().map(|(other, when)| format!("{other} ({})", condition(*when))).collect();
    line("depends on", (!waits.is_empty()).then(|| waits.join(", ")), &["depends_on"]);
    let part = part(name, service, catalog);
    if let Some(role) = part.role {
        let tier = part.tier.map(|tier| format!(", tier {tier}")).unwrap_or_default();
        let stateful = if part.stateful == Some(true) { ", stateful" } else { "" };
        lines.push(Line { what: "role", value: format!("{role}{tier}{stateful}"), origin: part.known_by.to_owned() });
    }
    lines
}

fn health(health: &HealthCheck) -> String {
    if health.disabled {
        return "switched off".to_owned();
    }
    let named = |name: &str, span: Option<Span>| span.map(|span| format!("{name} {span}"));
    let parts = [
        named("every", health.interval),
        named("timeout", health.timeout),
        health.retries.map(|retries| format!("{retries} retries")),
        named("start period", health.start_period),
    ];
    let said: Vec<String> = parts.into_iter().flatten().collect();
    if said.is_empty() { "with the defaults of the engine".to_owned() } else { said.join(", ") }
}

fn totals(loaded: &Loaded) -> String {
    let stack = &loaded.stack;
    let of = |count: usize, what: &str| counted(count as u64, what);
    let mut text = format!(
        "\n{}, {}, {}\n",
        of(stack.services.len(), "service"),
        of(stack.volumes.len(), "volume"),
        of(stack.networks.len(), "network")
    );
    for (name, profiles) in &loaded.disabled {
        text.push_str(&format!("{name} is not enabled: it needs --profile {}\n", profiles.join(" or ")));
    }
    text
}

/// What of the files has no part in a simulation, by the name of the key and the reason.
pub(super) fn ignored(loaded: &Loaded) -> String {
    let mut kinds: std::collections::BTreeMap<(Why, &str), Vec<String>> = std::collections::BTreeMap::new();
    for key in &loaded.ignored {
        let name = key.path.rsplit('.').next().unwrap_or(&key.path);
        kinds.entry((key.why, name)).or_default().push(format!("{}:{}", key.place.source.name(), key.place.line()));
    }
    let mut text = String::new();
    for ((reason, name), places) in kinds {
        let more = if places.len() > 1 { format!(" and {} more", places.len() - 1) } else { String::new() };
        text.push_str(&format!("ignored: `{name}` at {}{more}: {}\n", places[0], why(reason)));
    }
    text
}

const COLUMNS: [&str; 12] = [
    "service",
    "image",
    "cpu limit",
    "cpu reservation",
    "memory limit",
    "memory reservation",
    "pids",
    "replicas",
    "health check",
    "depends on",
    "role",
    "tier",
];

fn row(name: &ServiceName, service: &Service, catalog: &Catalog) -> [String; 12] {
    let part = part(name, service, catalog);
    let shown = |value: Option<String>| value.unwrap_or_default();
    let waits: Vec<&str> = service.depends_on.keys().map(ServiceName::as_str).collect();
    [
        name.to_string(),
        shown(service.image.clone()),
        shown(service.limits.cpu.map(|cpu| cpu.to_string())),
        shown(service.reservations.cpu.map(|cpu| cpu.to_string())),
        shown(service.limits.memory.map(|memory| memory.to_string())),
        shown(service.reservations.memory.map(|memory| memory.to_string())),
        shown(service.pids.map(|pids| pids.to_string())),
        shown(service.replicas.map(|replicas| replicas.to_string())),
        shown(service.health.as_ref().map(health)),
        waits.join(" "),
        shown(part.role),
        shown(part.tier.map(|tier| tier.to_string())),
    ]
}

/// A row a service.
pub(super) fn csv(loaded: &Loaded, catalog: &Catalog) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut written = writer.write_record(COLUMNS);
    for (name, service) in &loaded.stack.services {
        written = written.and_then(|()| writer.write_record(row(name, service, catalog)));
    }
    written.expect("a list in memory takes every row, and all rows have the same columns");
    String::from_utf8_lossy(&writer.into_inner().unwrap_or_default()).into_owned()
}

/// A row a service, for a pull request.
pub(super) fn markdown(loaded: &Loaded, catalog: &Catalog) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&COLUMNS.map(str::to_owned)) + &line(&COLUMNS.map(|_| "---".to_owned()));
    for (name, service) in &loaded.stack.services {
        text.push_str(&line(&row(name, service, catalog).map(|cell| cell.replace('|', "\\|"))));
    }
    text
}
