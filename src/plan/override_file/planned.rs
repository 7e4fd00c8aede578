//! What a plan takes out of its own file again: keys that an earlier plan wrote there, and that this one does not want.

use super::OFF_PROFILE;
use super::find;
use crate::input::yaml::Node;
use crate::plan::settings;
use serde_json::Map;
use serde_json::Value;

/// Keys of a service that every plan may set, as paths.
const LIMITS: [&[&str]; 13] = [
    &["deploy", "resources", "limits", "cpus"],
    &["deploy", "resources", "limits", "memory"],
    &["deploy", "resources", "limits", "pids"],
    &["deploy", "resources", "reservations", "cpus"],
    &["deploy", "resources", "reservations", "memory"],
    &["deploy", "replicas"],
    &["cpus"],
    &["cpu_quota"],
    &["mem_limit"],
    &["mem_reservation"],
    &["memswap_limit"],
    &["pids_limit"],
    &["profiles"],
];

/// Keys that a part beside limits may set, by its name. A file says in its head which parts it holds: where a part is not
/// named, such keys are somebody's own. Limits of processes belonged to `io` once.
const OF_PARTS: [(&str, &[&[&str]]); 3] = [
    (
        "settings",
        &[&["command"], &["shm_size"], &["ulimits", "memlock"], &["ulimits", "nofile"], &["ulimits", "stack"]],
    ),
    (
        "health",
        &[
            &["healthcheck", "disable"],
            &["healthcheck", "test"],
            &["healthcheck", "interval"],
            &["healthcheck", "timeout"],
            &["healthcheck", "retries"],
            &["healthcheck", "start_period"],
        ],
    ),
    (
        "io",
        &[
            &["blkio_config", "weight"],
            &["blkio_config", "device_read_bps"],
            &["blkio_config", "device_write_bps"],
            &["ulimits", "memlock"],
            &["ulimits", "nofile"],
            &["ulimits", "stack"],
        ],
    ),
];

/// What stands in a file of ours that holds these parts, from an earlier plan, and is not wanted any more.
pub(super) fn stale<'a>(file: &'a Node, wanted: &Map<String, Value>, parts: &[&str]) -> Vec<Vec<&'a str>> {
    let paths = paths(parts);
    let mut stale = Vec::new();
    for entry in file.get("services").map(Node::entries).unwrap_or_default() {
        let wanted = wanted.get(&entry.key);
        for path in &paths {
            let is_wanted = wanted.is_some_and(|wanted| path.iter().try_fold(wanted, |at, key| at.get(*key)).is_some());
            if !is_wanted && find(&entry.value, path).is_some_and(|node| is_planned(path, node)) {
                stale.push([&["services", entry.key.as_str()], path.as_slice()].concat());
            }
        }
    }
    stale
}

/// The keys of limits and of these parts.
fn paths(parts: &[&str]) -> Vec<Vec<&'static str>> {
    let of_parts = OF_PARTS.iter().filter(|(part, _)| parts.contains(part)).flat_map(|(_, paths)| *paths);
    let mut paths: Vec<Vec<&str>> = LIMITS.iter().chain(of_parts).map(|path| path.to_vec()).collect();
    if parts.contains(&"settings") {
        paths.extend(settings::VARIABLES.iter().map(|name| vec!["environment", name]));
    }
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// Whether a plan may have written this: it switches services off with nothing but a profile of its own, or no instance.
fn is_planned(path: &[&str], node: &Node) -> bool {
    match path {
        ["profiles"] => matches!(node.items(), [one] if one.as_text() == Some(OFF_PROFILE)),
        ["deploy", "replicas"] => node.scalar().as_deref() == Some("0"),
        _ => true,
    }
}
