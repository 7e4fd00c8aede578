//! What each key may hold, and a check of a whole tree against it.
//!
//! Only the shape is checked here: kinds of values, numbers within bounds, quantities that can be read. What values mean
//! together is checked where services are made of them.

use super::codes;
use super::mounts;
use super::ports;
use crate::input::problem::KEPT_MAX;
use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::nearest;
use crate::input::yaml::Node;
use crate::input::yaml::Value;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Span;

/// What a value may be.
#[derive(Debug)]
pub(super) enum Shape {
    /// Anything.
    Any,
    /// Text.
    Text,
    /// Text, a number or a boolean.
    Scalar,
    /// `true` or `false`, as text too.
    Bool,
    /// A whole number from the first to the second, as text too.
    Whole(i64, i64),
    /// A number, as text too.
    Real,
    /// CPUs, such as `0.5`.
    Cpus,
    /// A size, such as `512m`; where `true`, `-1` stands for no limit.
    Size(bool),
    /// A duration, such as `1m30s`.
    Duration,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A list of these.
    List(&'static Shape),
    /// One of these or a list of them.
    OneOrList(&'static Shape),
    /// A mapping of text, number, boolean or nothing.
    KeyValues,
    /// A mapping with any keys to these.
    Named(&'static Shape),
    /// A mapping with these keys.
    Keys(&'static [Key]),
    /// A mapping of the second, or a single value of the first.
    Either(&'static Shape, &'static Shape),
    /// This or nothing.
    Optional(&'static Shape),
    /// An element of `ports`.
    Port,
    /// An element of `volumes`.
    Volume,
    /// An element of `tmpfs`.
    Tmpfs,
    /// `no`, `always`, `on-failure[:times]`, `unless-stopped`.
    Restart,
}

/// A key of a mapping.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// Whether it has an effect here.
    pub(super) used: bool,
}

/// A key that has an effect here.
pub(super) const fn key(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, used: true }
}

/// A key that Compose knows but that has no effect here.
pub(super) const fn idle(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, used: false }
}

/// A key that is read but not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// The keys down to it, such as `services.web.helthcheck`.
    pub path: String,
    /// Where the key stands.
    pub place: Place,
    /// Why it is not used.
    pub why: Why,
    /// The known key that may be meant, where one is near.
    pub nearest: Option<&'static str>,
}

/// Why a key is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Compose does not know it.
    Unknown,
    /// An extension of the author's own, `x-…`.
    Extension,
    /// Compose knows it, but it has no effect here.
    NoEffect,
}

/// Checks trees and collects what is wrong and what is not used.
#[derive(Default)]
pub(super) struct Check {
    pub(super) problems: Problems,
    pub(super) ignored: Vec<Ignored>,
}

impl Check {
    /// Checks one value; `path` are the keys down to it.
    pub(super) fn value(&mut self, node: &Node, shape: &Shape, path: &str) {
        match shape {
            Shape::Any => {}
            Shape::Text => self.expect(node, path, "text", node.as_text().is_some()),
            Shape::Scalar => self.expect(node, path, "text or a number", node.scalar().is_some()),
            Shape::Bool => {
                let known = |text: &str| boolean(text).is_some();
                self.expect(node, path, "`true` or `false`", node.scalar().is_some_and(|text| known(&text)));
            }
            Shape::Whole(least, most) => self.whole(node, path, *least, *most),
            Shape::Real => {
                let number = node.scalar().is_some_and(|text| text.parse::<f64>().is_ok_and(f64::is_finite));
                self.expect(node, path, "a number", number);
            }
            Shape::Cpus => self.quantity(node, path, |text| cpus(text).map(|_| ())),
            Shape::Size(unlimited) => {
                let endless = *unlimited && node.scalar().as_deref() == Some("-1");
                if !endless {
                    self.quantity(node, path, |text| size(text).map(|_| ()));
                }
            }
            Shape::Duration if matches!(node.value, Value::Number(_)) && node.scalar().as_deref() != Some("0") => {
                self.wrong(node, path, "a duration", Some("write a unit: `30s`, `1m30s`, `500ms`"));
            }
            Shape::Duration => {
                self.quantity(node, path, |text| Span::parse(text).map(|_| ()).map_err(|error| error.to_string()))
            }
            Shape::Choice(choices) => self.choice(node, path, choices),
            Shape::List(inner) => match &node.value {
                Value::List(items) => self.items(items, inner, path),
                _ => self.wrong(node, path, "a list", Some("begin each element with `- `")),
            },
            Shape::OneOrList(inner) => match &node.value {
                Value::List(items) => self.items(items, inner, path),
                _ => self.value(node, inner, path),
            },
            Shape::KeyValues => self.key_values(node, path),
            Shape::Named(inner) => match &node.value {
                Value::Map(entries) => {
                    for entry in entries {
                        self.value(&entry.value, inner, &joined(path, &entry.key));
                    }
                }
                _ => self.wrong(node, path, "a mapping", None),
            },
            Shape::Keys(keys) => self.keys(node, keys, path),
            Shape::Either(single, map) => {
                let shape = if matches!(node.value, Value::Map(_)) { map } else { single };
                self.value(node, shape, path);
            }
            Shape::Optional(inner) => {
                if node.value != Value::Null {
                    self.value(node, inner, path);
                }
            }
            Shape::Port => {
                if let Err(why) = ports::read(node) {
                    self.bad(node, path, &why, "write `8080:80`, `127.0.0.1:8080:80` or `8080:80/udp`");
                }
            }
            Shape::Volume => {
                if let Err(why) = mounts::read(node) {
                    self.bad(node, path, &why, "write `name:/target`, `./folder:/target:ro` or the long form");
                }
            }
            Shape::Tmpfs => match node.as_text().map(mounts::tmpfs) {
                Some(Ok(_)) => {}
                Some(Err(why)) => self.bad(node, path, &why, "write `/target` or `/target:size=64m`"),
                None => self.wrong(node, path, "text", None),
            },
            Shape::Restart => self.restart(node, path),
        }
    }

    fn items(&mut self, items: &[Node], shape: &Shape, path: &str) {
        for (index, item) in items.iter().enumerate() {
            self.value(item, shape, &joined(path, &index.to_string()));
        }
    }

    fn keys(&mut self, node: &Node, keys: &'static [Key], path: &str) {
        let Value::Map(entries) = &node.value else {
            return self.wrong(node, path, "a mapping", Some("put `key: value` lines below it, indented"));
        };
        for entry in entries {
            let path = joined(path, &entry.key);
            let ignored = |why, nearest| Ignored { path: path.clone(), place: entry.key_place.clone(), why, nearest };
            match keys.iter().find(|key| key.name == entry.key) {
                Some(key) => {
                    if !key.used {
                        self.ignored.push(ignored(Why::NoEffect, None));
                    }
                    self.value(&entry.value, &key.shape, &path);
                }
                None if entry.key.starts_with("x-") => self.ignored.push(ignored(Why::Extension, None)),
                None => {
                    // A file of nothing but unknown keys is no place to look for slips of the pen.
                    let sought = self.ignored.len() < KEPT_MAX;
                    let near = sought.then(|| nearest(&entry.key, keys.iter().map(|key| key.name))).flatten();
                    let near = near.and_then(|near| keys.iter().find(|key| key.name == near)).map(|key| key.name);
                    self.ignored.push(ignored(Why::Unknown, near));
                }
            }
        }
    }

    fn key_values(&mut self, node: &Node, path: &str) {
        match &node.value {
            Value::Map(entries) => {
                for entry in entries {
                    let good = entry.value.value == Value::Null || entry.value.scalar().is_some();
                    self.expect(&entry.value, &joined(path, &entry.key), "text or a number", good);
                }
            }
            Value::List(items) => self.items(items, &Shape::Text, path),
            _ => self.wrong(node, path, "a mapping or a list of `KEY=VALUE`", None),
        }
    }

    fn whole(&mut self, node: &Node, path: &str, least: i64, most: i64) {
        let number = match &node.value {
            Value::Number(number) => number.as_i64(),
            _ => node.as_text().and_then(|text| text.trim().parse::<i64>().ok()),
        };
        let Some(number) = number else {
            return self.wrong(node, path, "a whole number", None);
        };
        if number < least || number > most {
            let expected = match (least, most) {
                (least, i64::MAX) => format!("at least {least}"),
                _ => format!("from {least} to {most}"),
            };
            self.problems.push(
                Problem::error(&codes::VALUE, format!("`{number}` is out of bounds for `{path}`: expected {expected}"))
                    .at(&node.place)
                    .help(format!("write a number {expected}")),
            );
        }
    }

    fn quantity(&mut self, node: &Node, path: &str, read: impl Fn(&str) -> Result<(), String>) {
        let Some(text) = node.scalar().filter(|_| !matches!(node.value, Value::Bool(_))) else {
            return self.wrong(node, path, "text or a number", None);
        };
        if let Err(why) = read(&text) {
            let problem = Problem::error(&codes::VALUE, format!("{why} in `{path}`"));
            self.problems.push(problem.at(&node.place).help("write it as in the example"));
        }
    }

    fn choice(&mut self, node: &Node, path: &str, choices: &'static [&'static str]) {
        let Some(text) = node.as_text() else { return self.wrong(node, path, "text", None) };
        if choices.contains(&text) {
            return;
        }
        let list = choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", ");
        let near = nearest(text, choices.iter().copied());
        let help = near.map_or_else(|| format!("write one of {list}"), |near| format!("did you mean `{near}`?"));
        self.problems.push(
            Problem::error(&codes::VALUE, format!("`{text}` is not one of {list} for `{path}`"))
                .at(&node.place)
                .help(help),
        );
    }

    fn restart(&mut self, node: &Node, path: &str) {
        let good = match node.as_text() {
            Some("no" | "always" | "unless-stopped" | "on-failure") => true,
            Some(text) => text.strip_prefix("on-failure:").is_some_and(|times| times.parse::<u32>().is_ok()),
            None => false,
        };
        let help = "write `\"no\"`, `always`, `on-failure`, `on-failure:3` or `unless-stopped`";
        if !good && node.value == Value::Bool(false) {
            self.wrong(node, path, "text", Some("write `\"no\"` with quotes"));
        } else if !good {
            self.bad(node, path, "it is not a restart policy", help);
        }
    }

    fn expect(&mut self, node: &Node, path: &str, expected: &str, good: bool) {
        if !good {
            let quoted = expected == "text" && node.scalar().is_some();
            self.wrong(node, path, expected, quoted.then_some("put quotes around it"));
        }
    }

    fn wrong(&mut self, node: &Node, path: &str, expected: &str, help: Option<&str>) {
        let problem = Problem::error(&codes::TYPE, format!("`{path}` takes {expected}, not {}", node.kind()));
        let help = match help {
            _ if node.value == Value::Null => "give it a value, or remove the key as well".to_owned(),
            Some(help) => help.to_owned(),
            None => format!("write {expected}, or remove the key"),
        };
        self.problems.push(problem.at(&node.place).help(help));
    }

    fn bad(&mut self, node: &Node, path: &str, why: &str, help: &str) {
        let text = node.scalar().map(|text| format!("`{text}`")).unwrap_or_else(|| node.kind().to_owned());
        let problem = Problem::error(&codes::VALUE, format!("{text} does not fit `{path}`: {why}"));
        self.problems.push(problem.at(&node.place).help(help));
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A boolean as Compose reads it from text.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "y" | "yes" | "on" => Some(true),
        "false" | "n" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// CPUs, at most 10,000, so that a slip of the pen is not taken for a machine.
pub(super) fn cpus(text: &str) -> Result<Millicores, String> {
    let cpus = Millicores::parse(text).map_err(|error| error.to_string())?;
    if cpus > Millicores::cores(10_000) { Err(format!("`{text}` is more CPUs than any machine has")) } else { Ok(cpus) }
}

/// A size, at most 1 PiB, so that a slip of the pen is not taken for a machine.
pub(super) fn size(text: &str) -> Result<Bytes, String> {
    let size = Bytes::parse(text).map_err(|error| error.to_string())?;
    if size > Bytes::gibi(1 << 20) { Err(format!("`{text}` is larger than any machine")) } else { Ok(size) }
}
