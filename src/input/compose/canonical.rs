//! Short forms to long ones, so that the rest of the loader knows one form of each key.
//!
//! Lists of `KEY=VALUE` become mappings, single texts become lists, lists of names become mappings. What has neither
//! form stays as it is and is refused later, when the whole is checked.

use super::merge::Rule;
use super::merge::rule;
use crate::input::yaml::Entry;
use crate::input::yaml::Node;
use crate::input::yaml::Value;

/// Brings a whole file into the long forms.
pub(super) fn tree(node: &mut Node) {
    walk(node, &mut Vec::new());
}

fn walk(node: &mut Node, path: &mut Vec<String>) {
    if path.len() > 8 {
        // No short form stands deeper than this.
        return;
    }
    long_form(node, path);
    if let Value::Map(entries) = &mut node.value {
        for entry in entries {
            path.push(entry.key.clone());
            walk(&mut entry.value, path);
            path.pop();
        }
    }
    if let Value::List(items) = &mut node.value
        && let Rule::Unique(key) = rule(path)
    {
        *items = super::merge::unique(std::mem::take(items), key);
    }
}

fn long_form(node: &mut Node, path: &[String]) {
    if rule(path) == Rule::KeyValues {
        return key_values(node);
    }
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    let ["services", _, key @ ..] = parts.as_slice() else { return };
    match key {
        ["dns" | "dns_search" | "tmpfs" | "label_file"] => as_list(node),
        ["env_file"] => {
            as_list(node);
            each_text(node, "path");
        }
        ["secrets" | "configs"] => each_text(node, "source"),
        ["networks" | "models"] => names(node, &[]),
        ["depends_on"] => {
            names(node, &[("condition", Value::Text("service_started".into())), ("required", Value::Bool(true))]);
        }
        ["build"] => single_text(node, "context"),
        ["extends"] => single_text(node, "service"),
        _ => {}
    }
}

/// `[A=1, B]` becomes `{A: "1", B: null}`; the last of equal keys counts.
fn key_values(node: &mut Node) {
    let Value::List(items) = &node.value else { return };
    if !items.iter().all(|item| item.as_text().is_some()) {
        return;
    }
    let mut entries: Vec<Entry> = Vec::new();
    let mut known: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for item in items {
        let text = item.as_text().unwrap_or_default();
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, Value::Text(value.to_owned())),
            None => (text, Value::Null),
        };
        let value = Node { value, ..item.clone() };
        let entry = Entry { key: key.to_owned(), key_place: item.place.clone(), value };
        match known.get(key) {
            Some(at) => entries[*at] = entry,
            None => {
                known.insert(key.to_owned(), entries.len());
                entries.push(entry);
            }
        }
    }
    node.value = Value::Map(entries);
}

fn as_list(node: &mut Node) {
    if node.as_text().is_some() {
        let item = Node { tag: None, ..node.clone() };
        node.value = Value::List(vec![item]);
    }
}

/// A text becomes a mapping with this one key.
fn single_text(node: &mut Node, key: &str) {
    if node.as_text().is_some() {
        let value = Node { tag: None, ..node.clone() };
        node.value = Value::Map(vec![Entry { key: key.to_owned(), key_place: node.place.clone(), value }]);
    }
}

fn each_text(node: &mut Node, key: &str) {
    if let Value::List(items) = &mut node.value {
        items.iter_mut().for_each(|item| single_text(item, key));
    }
}

/// `[a, b]` becomes `{a: defaults, b: defaults}`, or `{a: null, b: null}` where there are none.
fn names(node: &mut Node, defaults: &[(&str, Value)]) {
    let Value::List(items) = &node.value else { return };
    if !items.iter().all(|item| item.as_text().is_some()) {
        return;
    }
    let mut entries: Vec<Entry> = Vec::new();
    let mut known: std::collections::BTreeSet<String> = std::collections::BTreeSet::new();
    for item in items {
        let name = item.as_text().unwrap_or_default().to_owned();
        let inner = defaults.iter().map(|(key, value)| Entry {
            key: (*key).to_owned(),
            key_place: item.place.clone(),
            value: Node { place: item.place.clone(), tag: None, value: value.clone() },
        });
        let value = if defaults.is_empty() { Value::Null } else { Value::Map(inner.collect()) };
        if known.insert(name.clone()) {
            let value = Node { value, ..item.clone() };
            entries.push(Entry { key: name, key_place: item.place.clone(), value });
        }
    }
    node.value = Value::Map(entries);
}
