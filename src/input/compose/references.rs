//! What services refer to must be there: volumes, networks, secrets, configs, other services.

use super::codes;
use super::discover;
use super::reader::Reader;
use super::service::flag;
use super::service::text;
use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::nearest;
use crate::input::yaml::Entry;
use crate::input::yaml::Node;
use crate::input::yaml::Value;
use crate::model::MountKind;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

/// The services of a project, sorted by whether they are switched on.
pub(super) struct Services<'a> {
    pub(super) enabled: Vec<&'a Entry>,
    pub(super) disabled: Vec<&'a Entry>,
    /// Whether a service of this name is enabled.
    known: BTreeMap<&'a str, bool>,
}

impl<'a> Services<'a> {
    /// Sorts the services by the profiles that are active; `*` activates all.
    pub(super) fn by_profiles(tree: &'a Node, active: &[String]) -> Self {
        let all = tree.get("services").map(Node::entries).unwrap_or_default();
        let on = |entry: &&Entry| {
            let profiles = profiles(&entry.value);
            profiles.is_empty() || active.iter().any(|name| name == "*" || profiles.contains(name))
        };
        let known = all.iter().map(|entry| (entry.key.as_str(), on(&entry))).collect();
        let (enabled, disabled) = all.iter().partition(on);
        Self { enabled, disabled, known }
    }

    /// Whether the service is enabled; `None` where there is none of this name.
    pub(super) fn find(&self, name: &str) -> Option<bool> {
        self.known.get(name).copied()
    }
}

/// The profiles of a service.
pub(super) fn profiles(service: &Node) -> Vec<String> {
    service.get("profiles").map(Node::items).unwrap_or_default().iter().filter_map(Node::scalar).collect()
}

/// Reports all that the enabled services refer to and that is not there.
pub(super) fn check(tree: &Node, services: &Services<'_>, reader: &mut Reader) {
    let known: BTreeMap<&str, BTreeSet<&str>> = ["volumes", "networks", "secrets", "configs"]
        .into_iter()
        .map(|section| {
            let entries = tree.get(section).map(Node::entries).unwrap_or_default();
            (section, entries.iter().map(|entry| entry.key.as_str()).collect())
        })
        .collect();
    for entry in &services.enabled {
        let problems = &mut reader.notes.problems;
        service(entry, services, problems);
        let mut refer = |section: &'static str, name: &str, place: &Place| {
            let names = &known[section];
            let implied = section == "networks" && name == "default";
            if !implied && !names.contains(name) {
                undefined(&entry.key, section, name, names, place, problems);
            }
        };
        let list = |key: &str| entry.value.get(key).map(Node::items).unwrap_or_default();
        for volume in list("volumes") {
            if let Ok(mount) = super::mounts::read(volume)
                && mount.kind == MountKind::Volume
                && let Some(source) = mount.source
            {
                refer("volumes", &source, &volume.get("source").unwrap_or(volume).place);
            }
        }
        for network in entry.value.get("networks").map(Node::entries).unwrap_or_default() {
            refer("networks", &network.key, &network.key_place);
        }
        for section in ["secrets", "configs"] {
            for grant in list(section) {
                if let Some(source) = grant.get("source")
                    && let Some(name) = source.as_text()
                {
                    refer(section, name, &source.place);
                }
            }
        }
        env_files(entry, reader);
    }
    cycle(services, &mut reader.notes.problems);
}

fn undefined(service: &str, section: &str, name: &str, known: &BTreeSet<&str>, place: &Place, problems: &mut Problems) {
    let kind = section.trim_end_matches('s');
    let problem = Problem::error(&codes::UNDEFINED, format!("`{service}` uses {kind} `{name}`, which is not declared"));
    let help = match suggestion(name, known.iter().copied(), problems) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("declare it at the top level: `{section}: {{{name}: {{}}}}`"),
    };
    problems.push(problem.at(place).help(help));
}

/// The name that may be meant; not sought for problems that will only be counted.
fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>, problems: &Problems) -> Option<&'a str> {
    if problems.is_full() { None } else { nearest(name, known) }
}

/// Checks one service: its image, its network, what it waits for.
fn service(entry: &Entry, services: &Services<'_>, problems: &mut Problems) {
    let name = &entry.key;
    let node = &entry.value;
    if !matches!(node.value, Value::Map(_)) {
        return;
    }
    if ["image", "build", "provider"].iter().all(|key| node.get(key).is_none()) {
        problems.push(
            Problem::error(&codes::NO_IMAGE, format!("service `{name}` has neither `image` nor `build`"))
                .at(&entry.key_place)
                .help("add one of them; is a base file missing before this one?"),
        );
    }
    if let (Some(mode), Some(networks)) = (node.entry("network_mode"), node.get("networks"))
        && !networks.entries().is_empty()
    {
        problems.push(
            Problem::error(&codes::EXCLUSIVE, format!("`{name}` has both `network_mode` and `networks`"))
                .at(&mode.key_place)
                .help("keep one of them"),
        );
    }
    let mut needs = |other: &str, place: &Place, required: bool| match services.find(other) {
        Some(true) => {}
        Some(false) if !required => {}
        Some(false) => problems.push(
            Problem::error(&codes::DISABLED, format!("`{name}` depends on `{other}`, which no active profile enables"))
                .at(place)
                .help("activate its profile with `--profile`, or write `required: false`"),
        ),
        None => {
            let near = suggestion(other, services.known.keys().copied(), problems);
            let help = near
                .map_or_else(|| "name a service of this project".to_owned(), |near| format!("did you mean `{near}`?"));
            problems.push(
                Problem::error(&codes::UNDEFINED, format!("`{name}` depends on `{other}`, which is not a service"))
                    .at(place)
                    .help(help),
            );
        }
    };
    for other in node.get("depends_on").map(Node::entries).unwrap_or_default() {
        needs(&other.key, &other.key_place, flag(&other.value, "required") != Some(false));
    }
    for key in ["network_mode", "ipc", "pid"] {
        if let Some(mode) = node.get(key)
            && let Some(other) = mode.as_text().and_then(|mode| mode.strip_prefix("service:"))
        {
            needs(other, &mode.place, true);
        }
    }
    for other in node.get("depends_on").map(Node::entries).unwrap_or_default() {
        if matches!(other.value.value, Value::Map(_)) && text(&other.value, "condition").is_none() {
            problems.push(
                Problem::error(&codes::MISSING_KEY, format!("`{name}` does not say when `{}` is ready", other.key))
                    .at(&other.key_place)
                    .help("add `condition: service_started`, `service_healthy` or `service_completed_successfully`"),
            );
        }
    }
}

/// Env files of a service must be there, unless they may be absent.
fn env_files(entry: &Entry, reader: &mut Reader) {
    for file in entry.value.get("env_file").map(Node::items).unwrap_or_default() {
        let Some(path) = file.get("path") else {
            if matches!(file.value, Value::Map(_)) {
                reader.report(
                    Problem::error(&codes::MISSING_KEY, "`path` is missing in this env file")
                        .at(&file.place)
                        .help("write `path: name.env`"),
                );
            }
            continue;
        };
        let Some(named) = path.as_text() else { continue };
        if flag(file, "required") != Some(false) && !Path::new(named).is_file() {
            let help = match discover::example(Path::new(named)) {
                Some(example) => format!("`cp {} {named}`, and look through it", example.display()),
                None => "make the file, or write `required: false` if the service can do without".to_owned(),
            };
            reader.report(
                Problem::error(
                    &codes::MISSING_FILE,
                    format!("`{}` needs env file `{named}`, which is missing", entry.key),
                )
                .at(&path.place)
                .help(help),
            );
        }
    }
}

/// Reports services that wait for each other in a circle, each circle once.
fn cycle(services: &Services<'_>, problems: &mut Problems) {
    let edges: BTreeMap<&str, &[Entry]> = services
        .enabled
        .iter()
        .map(|entry| (entry.key.as_str(), entry.value.get("depends_on").map(Node::entries).unwrap_or_default()))
        .collect();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for start in edges.keys() {
        // Depth first without recursion: a chain may be as long as the file.
        let mut way: Vec<(&str, usize)> = vec![(start, 0)];
        let mut on_way: BTreeSet<&str> = BTreeSet::from([*start]);
        while let Some((name, next)) = way.last_mut() {
            let others = if done.contains(name) { &[] } else { edges.get(name).copied().unwrap_or_default() };
            let Some(other) = others.get(*next) else {
                done.insert(name);
                on_way.remove(name);
                way.pop();
                continue;
            };
            *next += 1;
            if on_way.contains(other.key.as_str()) {
                let from = way.iter().position(|(name, _)| *name == other.key).unwrap_or_default();
                let names = way[from..].iter().map(|(name, _)| *name).chain([other.key.as_str()]);
                let shown = names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" → ");
                problems.push(
                    Problem::error(&codes::DEPENDENCY_CYCLE, format!("services wait for each other: {shown}"))
                        .at(&other.key_place)
                        .help("remove one of these dependencies"),
                );
            } else if !done.contains(other.key.as_str()) {
                on_way.insert(&other.key);
                way.push((&other.key, 0));
            }
        }
    }
}
