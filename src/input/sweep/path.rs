//! Which field of a scenario: `load.api.high`, `faults[0].for`, `services."my.app".workers`.

use crate::input::problem::nearest;
use serde_json::Map;
use serde_json::Value;
use std::fmt;

/// Longer paths lead nowhere in a scenario.
const STEPS_MAX: usize = 32;

/// The way from the top of a scenario's file to one of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPath {
    /// As it was written.
    text: String,
    steps: Vec<Step>,
}

/// One step on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// To the value of this key.
    Key(String),
    /// To this element of a list, counted from zero.
    Index(usize),
}

impl FieldPath {
    /// Reads keys with dots between them; a key with a dot in it stands in double quotes, a place in a list in brackets.
    ///
    /// # Errors
    /// In words, for what is no path.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{text}` is no path to a field: {why}");
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            let (key, after) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or_else(|| wrong("a quote is not closed"))?,
                None => rest.split_at(rest.find(['.', '[', '"']).unwrap_or(rest.len())),
            };
            if key.is_empty() {
                return Err(wrong("a key is missing"));
            }
            steps.push(Step::Key(key.to_owned()));
            rest = after;
            while let Some(bracket) = rest.strip_prefix('[') {
                let (index, after) = bracket.split_once(']').ok_or_else(|| wrong("a bracket is not closed"))?;
                let index = index.parse().map_err(|_| wrong("a place in a list is a number such as `[0]`"))?;
                steps.push(Step::Index(index));
                rest = after;
            }
            if steps.len() > STEPS_MAX {
                return Err(wrong("it is too long"));
            }
            match rest.strip_prefix('.') {
                Some(after) => rest = after,
                None if rest.is_empty() => return Ok(Self { text: text.to_owned(), steps }),
                None => return Err(wrong("a dot is missing")),
            }
        }
    }

    /// The first key, which is one of the scenario's own.
    #[must_use]
    pub fn first(&self) -> &str {
        match self.steps.first() {
            Some(Step::Key(key)) => key,
            Some(Step::Index(_)) | None => "",
        }
    }

    /// Whether one of the two is a part of the other, so that both cannot be set.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.steps.iter().zip(&other.steps).all(|(one, other)| one == other)
    }

    /// The same way as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> String {
        pointer(&self.steps)
    }

    /// The way in two, at each of its steps: as far as there, and from there on.
    pub(super) fn splits(&self) -> impl Iterator<Item = (String, String)> + '_ {
        (1..self.steps.len()).map(|place| self.steps.split_at(place)).map(|(one, other)| (pointer(one), pointer(other)))
    }

    /// Puts a value there. Mappings on the way that the file does not have are made, so that defaults can be varied, too; a
    /// policy that is only named becomes one that starts from that name.
    ///
    /// # Errors
    /// In words, where the way leads through a value that is no mapping or list, or past the end of a list.
    pub fn set(&self, file: &mut Value, value: Value) -> Result<(), String> {
        let mut here = file;
        let mut way = String::new();
        for step in &self.steps {
            if here.is_string() && self.first() == "policy" && matches!(step, Step::Key(_)) {
                let template = here.take();
                *here = Value::Object(Map::from_iter([("template".to_owned(), template)]));
            }
            let above = if way.is_empty() { "the scenario".to_owned() } else { format!("`{way}`") };
            let kind = kind(here);
            here = match (step, here) {
                (Step::Key(key), Value::Object(keys)) => keys.entry(key.as_str()).or_insert(Value::Null),
                (Step::Key(key), here @ Value::Null) => {
                    *here = Value::Object(Map::from_iter([(key.clone(), Value::Null)]));
                    &mut here[key.as_str()]
                }
                (Step::Index(index), Value::Array(items)) => {
                    let count = items.len();
                    items.get_mut(*index).ok_or_else(|| format!("{above} has {count} entries, so no `[{index}]`"))?
                }
                (Step::Key(key), _) => return Err(format!("{above} is {kind} in the scenario, so it has no `{key}`")),
                (Step::Index(index), _) => {
                    return Err(format!("{above} is {kind} in the scenario, so it has no `[{index}]`"));
                }
            };
            way = match step {
                Step::Key(key) if way.is_empty() => key.clone(),
                Step::Key(key) => format!("{way}.{key}"),
                Step::Index(index) => format!("{way}[{index}]"),
            };
        }
        *here = value;
        Ok(())
    }

    /// For a field that the file does not have: which one of it is near.
    #[must_use]
    pub fn nearest(&self, file: &Value) -> Option<String> {
        let mut here = file;
        let mut way = String::new();
        for (place, step) in self.steps.iter().enumerate() {
            let (found, name) = match (step, here) {
                (Step::Key(key), Value::Object(keys)) => {
                    let near = || nearest(key, keys.keys().map(String::as_str));
                    let key = if keys.contains_key(key) { key.as_str() } else { near()? };
                    (keys.get(key)?, Self::named(key))
                }
                (Step::Index(index), Value::Array(items)) => (items.get(*index)?, format!("[{index}]")),
                _ => return None,
            };
            let dot = if place == 0 || name.starts_with('[') { "" } else { "." };
            way.push_str(&format!("{dot}{name}"));
            here = found;
        }
        (way != self.text).then_some(way)
    }

    fn named(key: &str) -> String {
        if key.contains(['.', '[', '"']) { format!("\"{key}\"") } else { key.to_owned() }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

fn pointer(steps: &[Step]) -> String {
    let part = |step: &Step| match step {
        Step::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Step::Index(index) => format!("/{index}"),
    };
    steps.iter().map(part).collect()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(file: &Value, path: &str, value: Value) -> Result<Value, String> {
        let mut file = file.clone();
        FieldPath::parse(path)?.set(&mut file, value).map(|()| file)
    }

    #[test]
    fn a_path_leads_through_mappings_and_lists() {
        let file = json!({ "load": { "my.api": { "high": "20/s" } }, "faults": [{ "at": "1h" }, { "at": "2h" }] });
        let changed = set(&file, "load.\"my.api\".high", json!("40/s"));
        assert_eq!(changed.expect("is there")["load"]["my.api"]["high"], "40/s");
        assert_eq!(set(&file, "faults[1].at", json!("3h")).expect("is there")["faults"][1]["at"], "3h");
        assert_eq!(set(&file, "services.api.workers", json!(4)).expect("made")["services"]["api"]["workers"], 4);
        for (path, why) in [
            ("faults[2].at", "`faults` has 2 entries, so no `[2]`"),
            ("faults.at", "`faults` is a list in the scenario, so it has no `at`"),
            ("load[0]", "`load` is a mapping in the scenario, so it has no `[0]`"),
            ("load.\"my.api\".high.x", "`load.my.api.high` is text in the scenario, so it has no `x`"),
        ] {
            assert_eq!(set(&file, path, json!(1)), Err(why.to_owned()));
        }
        for wrong in ["", ".", "a.", "a..b", "a[", "a[x]", "a[0]b", "\"a", "\"a\"b", "[0]"] {
            assert!(FieldPath::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_policy_that_is_named_becomes_one_that_starts_from_it() {
        let file = json!({ "policy": { "api": "balanced", "db": ["jacker-vertical", "balanced"] } });
        let changed = set(&file, "policy.api.cooldown", json!("5m")).expect("a policy");
        assert_eq!(changed["policy"]["api"], json!({ "template": "balanced", "cooldown": "5m" }));
        let changed = set(&file, "policy.db[0].cpu_min", json!(1)).expect("a policy");
        assert_eq!(changed["policy"]["db"], json!([{ "template": "jacker-vertical", "cpu_min": 1 }, "balanced"]));
    }

    #[test]
    fn the_nearest_field_is_one_that_there_is() {
        let file = json!({ "load": { "api": { "high": "20/s" } }, "faults": [{ "at": "1h" }] });
        let near = |path: &str| FieldPath::parse(path).expect("a path").nearest(&file);
        assert_eq!(near("load.api.hihg").as_deref(), Some("load.api.high"));
        assert_eq!(near("lod.api.high").as_deref(), Some("load.api.high"));
        assert_eq!(near("services.api.workers"), None);
        assert_eq!(near("load.api.high"), None);
    }
}
