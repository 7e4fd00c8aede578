//! One file over another, by the rules of Compose.
//!
//! Both trees are in their long forms (see `canonical`). Mappings are merged key by key, lists are appended, anything
//! else is replaced; the exceptions are in [`rule`]. The tag `!reset` takes a key away, `!override` replaces a value as a
//! whole; both stay in the tree until [`strip`], since a service takes part in two merges: over what it extends, and
//! over the files before.

use super::codes;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::yaml::Entry;
use crate::input::yaml::Node;
use crate::input::yaml::Value;
use std::collections::BTreeMap;

/// How two values of the same key become one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// Mappings merged, lists appended, anything else replaced; nothing leaves what was there.
    Plain,
    /// The later value counts, even where it is nothing.
    Replace,
    /// Mappings of text where a later value counts, even where it is nothing.
    KeyValues,
    /// Lists appended, where a later element takes the place of an earlier one with the same key.
    Unique(fn(&Node) -> String),
    /// Merged where the driver is the same, else replaced.
    Logging,
}

impl PartialEq for Rule {
    /// The same kind of rule.
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// The rule for the value at this path.
pub(super) fn rule(path: &[String]) -> Rule {
    let parts: Vec<&str> = path.iter().take(6).map(String::as_str).collect();
    match parts.as_slice() {
        ["services", _, key @ ..] => match key {
            ["environment" | "labels" | "annotations" | "sysctls"]
            | ["build", "args" | "labels" | "additional_contexts"]
            | ["deploy", "labels"] => Rule::KeyValues,
            ["command" | "entrypoint"] | ["healthcheck", "test"] | ["ulimits", _] => Rule::Replace,
            ["logging"] => Rule::Logging,
            ["dns" | "dns_opt" | "dns_search" | "tmpfs" | "cap_add" | "cap_drop" | "links" | "profiles"]
            | ["build", "tags" | "platforms"]
            | ["networks", _, "aliases" | "link_local_ips"] => Rule::Unique(before_equals),
            ["expose" | "extra_hosts"] => Rule::Unique(whole),
            ["env_file"] => Rule::Unique(env_file),
            ["ports"] => Rule::Unique(port),
            ["volumes"] => Rule::Unique(volume),
            ["devices"] => Rule::Unique(device),
            ["secrets"] => Rule::Unique(secret),
            ["configs"] => Rule::Unique(config),
            _ => Rule::Plain,
        },
        ["networks" | "volumes" | "secrets" | "configs", _, "labels"] => Rule::KeyValues,
        _ => Rule::Plain,
    }
}

fn text(node: &Node) -> String {
    node.scalar().unwrap_or_default()
}

fn at(node: &Node, key: &str) -> String {
    node.get(key).map(text).unwrap_or_default()
}

fn whole(node: &Node) -> String {
    text(node)
}

fn before_equals(node: &Node) -> String {
    let text = text(node);
    text.split_once('=').map(|(key, _)| key.to_owned()).unwrap_or(text)
}

fn env_file(node: &Node) -> String {
    at(node, "path")
}

fn port(node: &Node) -> String {
    match super::ports::read(node) {
        Ok(port) => {
            let host = port.host.unwrap_or_else(|| "0.0.0.0".to_owned());
            format!("{:?}", (host, port.published, port.target, port.protocol))
        }
        Err(_) => format!("{:?}", node.place),
    }
}

fn volume(node: &Node) -> String {
    super::mounts::read(node).map_or_else(|_| format!("{:?}", node.place), |mount| mount.target)
}

fn device(node: &Node) -> String {
    if node.get("target").is_some() {
        return at(node, "target");
    }
    let text = if node.get("source").is_some() { at(node, "source") } else { text(node) };
    let mut parts = text.split(':');
    let source = parts.next().unwrap_or_default().to_owned();
    parts.next().map(str::to_owned).unwrap_or(source)
}

fn secret(node: &Node) -> String {
    match node.get("target") {
        Some(target) => text(target),
        None => format!("/run/secrets/{}", at(node, "source")),
    }
}

fn config(node: &Node) -> String {
    match node.get("target") {
        Some(target) => text(target),
        None => format!("/{}", at(node, "source")),
    }
}

/// The list with each key once: a later element takes the place of an earlier one.
pub(super) fn unique(items: Vec<Node>, key: fn(&Node) -> String) -> Vec<Node> {
    let mut kept: Vec<Node> = Vec::with_capacity(items.len());
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for item in items {
        match known.get(&key(&item)) {
            Some(at) => kept[*at] = item,
            None => {
                known.insert(key(&item), kept.len());
                kept.push(item);
            }
        }
    }
    kept
}

/// Whether the tag says that the key is to be taken away.
pub(super) fn is_reset(node: &Node) -> bool {
    node.tag.as_deref() == Some("!reset")
}

/// `over` merged over `base`, both at `path`.
pub(super) fn merge(base: Node, over: Node, path: &mut Vec<String>, problems: &mut Problems) -> Node {
    if matches!(over.tag.as_deref(), Some("!reset" | "!override")) || is_reset(&base) {
        return over;
    }
    match (rule(path), base.value, over.value) {
        (Rule::Replace, _, value) => Node { value, ..over },
        (_, base_value, Value::Null) => Node { value: base_value, ..base },
        (_, Value::Null, value) => Node { value, ..over },
        (Rule::KeyValues, Value::Map(mine), Value::Map(theirs)) => {
            Node { value: Value::Map(merge_entries(mine, theirs, &mut |_, theirs| theirs)), ..base }
        }
        (Rule::Logging, Value::Map(mine), Value::Map(theirs)) if drivers_differ(&mine, &theirs) => {
            Node { value: Value::Map(theirs), ..over }
        }
        (_, Value::Map(mine), Value::Map(theirs)) => {
            let entries = merge_entries(mine, theirs, &mut |mine, theirs| {
                path.push(theirs.key.clone());
                let value = merge(mine.value, theirs.value, path, problems);
                path.pop();
                Entry { value, ..theirs }
            });
            Node { value: Value::Map(entries), ..base }
        }
        (rule, Value::List(mine), Value::List(theirs)) => {
            let all: Vec<Node> = mine.into_iter().chain(theirs).collect();
            let all = if let Rule::Unique(key) = rule { unique(all, key) } else { all };
            Node { value: Value::List(all), ..base }
        }
        (_, base_value @ (Value::Map(_) | Value::List(_)), value) => {
            let before = Node { value: base_value, ..base };
            let over = Node { value, ..over };
            problems.push(
                Problem::error(&codes::MERGE, format!("cannot merge {} over {}", over.kind(), before.kind()))
                    .at(&over.place)
                    .label(format!("`{}`", path.join(".")))
                    .help(format!("{} stands at {}; write the same form, or `!override`", before.kind(), before.place)),
            );
            before
        }
        (_, _, value) => Node { value, ..over },
    }
}

fn merge_entries(mine: Vec<Entry>, theirs: Vec<Entry>, both: &mut dyn FnMut(Entry, Entry) -> Entry) -> Vec<Entry> {
    let places: BTreeMap<String, usize> = mine.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
    let mut merged: Vec<Option<Entry>> = mine.into_iter().map(Some).collect();
    for entry in theirs {
        let slot = places.get(&entry.key).copied();
        match slot.and_then(|at| merged[at].take()) {
            Some(before) => {
                let at = slot.unwrap_or_default();
                merged[at] = Some(both(before, entry));
            }
            None => merged.push(Some(entry)),
        }
    }
    merged.into_iter().flatten().collect()
}

fn drivers_differ(mine: &[Entry], theirs: &[Entry]) -> bool {
    let driver = |entries: &[Entry]| entries.iter().find(|entry| entry.key == "driver").map(|entry| text(&entry.value));
    matches!((driver(mine), driver(theirs)), (Some(mine), Some(theirs)) if mine != theirs)
}

/// Takes away what is marked `!reset`, and the marks of merging.
pub(super) fn strip(node: &mut Node) {
    if matches!(node.tag.as_deref(), Some("!reset" | "!override")) {
        node.tag = None;
    }
    match &mut node.value {
        Value::Map(entries) => {
            entries.retain(|entry| !is_reset(&entry.value));
            entries.iter_mut().for_each(|entry| strip(&mut entry.value));
        }
        Value::List(items) => {
            items.retain(|item| !is_reset(item));
            items.iter_mut().for_each(strip);
        }
        _ => {}
    }
}

/// Whether two trees say the same, wherever they stand and in whatever order their keys are.
pub(super) fn same(left: &Node, right: &Node) -> bool {
    match (&left.value, &right.value) {
        (Value::Map(mine), Value::Map(theirs)) => {
            mine.len() == theirs.len()
                && mine.iter().all(|entry| right.get(&entry.key).is_some_and(|other| same(&entry.value, other)))
        }
        (Value::List(mine), Value::List(theirs)) => {
            mine.len() == theirs.len() && mine.iter().zip(theirs).all(|(mine, theirs)| same(mine, theirs))
        }
        (mine, theirs) => mine == theirs,
    }
}
