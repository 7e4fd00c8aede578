//! Changes values of a YAML text in place: what is not named stays byte for byte, and no comment is lost.
//!
//! The libraries that do this bring a second YAML parser, most of them one in C, and none changes mappings in every form;
//! what is needed here is to set and to take out keys of nested mappings, which the places of our own tree suffice for.

use crate::input::yaml::Entry;
use crate::input::yaml::Node;
use crate::input::yaml::Value as YamlValue;
use crate::plan::yaml;
use serde_json::Map;
use serde_json::Value;

/// A piece of the text and what takes its place.
struct Edit {
    start: usize,
    end: usize,
    text: String,
}

/// The text with these values set and these paths taken out; `node` is what was read from it.
pub(super) fn merge(text: &str, node: &Node, set: &Value, out: &[Vec<&str>]) -> String {
    let mut editor = Editor { text, edits: Vec::new() };
    let empty = Map::new();
    editor.mapping(node, set.as_object().unwrap_or(&empty), out, 0);
    editor.finish()
}

struct Editor<'a> {
    text: &'a str,
    edits: Vec<Edit>,
}

impl Editor<'_> {
    fn finish(mut self) -> String {
        // From the end, so that places stay true; of two at one place the later one was planned to come after.
        self.edits.sort_by_key(|edit| (edit.start, edit.end));
        let mut text = self.text.to_owned();
        for edit in self.edits.into_iter().rev() {
            text.replace_range(edit.start..edit.end, &edit.text);
        }
        text
    }

    fn replace(&mut self, start: usize, end: usize, text: String) {
        self.edits.push(Edit { start, end, text });
    }

    /// Sets and takes out keys of a mapping that is there; `depth` is that of the mapping in the document.
    fn mapping(&mut self, node: &Node, set: &Map<String, Value>, out: &[Vec<&str>], depth: usize) {
        if self.is_flow(node) {
            self.flow(node, set, out);
            return;
        }
        let own: Vec<&Entry> = own(node).collect();
        for entry in &own {
            let wanted = set.get(&entry.key);
            let below = below(out, &entry.key);
            if goes(entry, wanted, &below) {
                // A Compose file without any service is none.
                if depth == 0 { self.empty(entry) } else { self.take_out(entry) }
            } else {
                self.entry(entry, wanted, &below, depth);
            }
        }
        let missing: Map<String, Value> = set
            .iter()
            .filter(|(key, _)| !own.iter().any(|entry| entry.key == **key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if missing.is_empty() {
            return;
        }
        // A mapping that only merges others begins with its merge key.
        let first = own.first().map_or(&node.place, |entry| &entry.key_place);
        let last = own.iter().map(|entry| end_of(entry)).max();
        let (indent, at) = if node.value == YamlValue::Null {
            (0, self.text.len())
        } else {
            (first.column() - 1, last.unwrap_or(node.place.start))
        };
        self.insert_lines(at, &Value::Object(missing), indent);
    }

    fn entry(&mut self, entry: &Entry, wanted: Option<&Value>, out: &[Vec<&str>], depth: usize) {
        let empty = Map::new();
        let value = &entry.value;
        match wanted {
            Some(Value::Object(set)) if value.value == YamlValue::Null => {
                let indent = entry.key_place.column() + 1;
                self.insert_lines(end_of(entry), &Value::Object(set.clone()), indent);
            }
            Some(Value::Object(set)) if is_own_map(value) => self.mapping(value, set, out, depth + 1),
            Some(Value::Object(set)) => {
                // An alias: what it stands for, with the changes, takes its place. Or something that is no mapping.
                let mut whole = as_map(&value.to_json());
                lay_over(&mut whole, set);
                self.replace_value(entry, whole.to_string());
            }
            Some(scalar) if says(value, scalar) => {}
            Some(scalar) if value.value == YamlValue::Null => {
                let colon = self.text[entry.key_place.end..]
                    .find(':')
                    .map_or(entry.key_place.end, |at| entry.key_place.end + at + 1);
                self.replace(colon, colon, format!(" {}", yaml::one_line(scalar)));
            }
            Some(scalar) => self.replace_value(entry, yaml::one_line(scalar)),
            None if !out.is_empty() && is_own_map(value) => self.mapping(value, &empty, out, depth + 1),
            None => {}
        }
    }

    /// Puts a text on one line in the place of a value. The place of a literal block is that of its lines, without the mark
    /// before them, and with the end of the last.
    fn replace_value(&mut self, entry: &Entry, text: String) {
        let value = &entry.value.place;
        let between = &self.text[entry.key_place.end..value.start];
        let mark = between.find(['|', '>']).map(|at| entry.key_place.end + at);
        let end = end_of_value(&entry.value);
        let line_end = if self.text[..end].ends_with('\n') { "\n" } else { "" };
        self.replace(mark.unwrap_or(value.start), end, text + line_end);
    }

    /// A mapping in braces is written anew where it changes.
    fn flow(&mut self, node: &Node, set: &Map<String, Value>, out: &[Vec<&str>]) {
        let mut whole = node.to_json();
        for path in out {
            remove(&mut whole, path);
        }
        lay_over(&mut whole, set);
        if whole != node.to_json() {
            self.replace(node.place.start, node.place.end, whole.to_string());
        }
    }

    fn is_flow(&self, node: &Node) -> bool {
        self.text[node.place.start..].starts_with('{')
    }

    /// Lines below the line in which `at` is.
    fn insert_lines(&mut self, at: usize, value: &Value, indent: usize) {
        let before = &self.text[..at];
        let (at, lead) = if before.is_empty() || before.ends_with('\n') {
            (at, "")
        } else {
            self.text[at..].find('\n').map_or((self.text.len(), "\n"), |end| (at + end + 1, ""))
        };
        let lines = yaml::text(value, &yaml::Comments::new());
        let lines = lines.lines().map(|line| format!("{}{line}\n", " ".repeat(indent)));
        self.replace(at, at, lead.to_owned() + &lines.collect::<String>());
    }

    /// Takes out the lines of an entry; comments in them stay as lines of their own.
    fn take_out(&mut self, entry: &Entry) {
        let (start, end) = self.lines(entry);
        let mut kept = String::new();
        for line in self.text[start..end].lines() {
            if let Some(comment) = comment_of(line) {
                kept.push_str(&format!("{}{comment}\n", " ".repeat(entry.key_place.column() - 1)));
            }
        }
        self.replace(start, end, kept);
    }

    /// Leaves the key with an empty mapping.
    fn empty(&mut self, entry: &Entry) {
        let (start, end) = self.lines(entry);
        let comments = self.text[start..end].lines().filter_map(comment_of);
        let comments: String = comments.map(|comment| format!("{comment}\n")).collect();
        self.replace(start, end, format!("{comments}{}: {{}}\n", entry.key));
    }

    /// From the start of the first line of an entry to the start of the line after its last.
    fn lines(&self, entry: &Entry) -> (usize, usize) {
        let start = self.text[..entry.key_place.start].rfind('\n').map_or(0, |at| at + 1);
        let last = end_of(entry);
        let is_whole = last > start && self.text[..last].ends_with('\n');
        let end =
            if is_whole { last } else { self.text[last..].find('\n').map_or(self.text.len(), |at| last + at + 1) };
        (start, end)
    }
}

/// The comment of a line: all of it, or what stands behind a value.
fn comment_of(line: &str) -> Option<&str> {
    let trimmed = line.trim_start();
    if trimmed.starts_with('#') { Some(trimmed) } else { line.find(" #").map(|at| line[at + 1..].trim_end()) }
}

/// Entries that stand in the mapping itself; those that a merge key brings stand where they are anchored, above it.
fn own(node: &Node) -> impl Iterator<Item = &Entry> {
    node.entries()
        .iter()
        .filter(|entry| entry.key_place.source == node.place.source && entry.key_place.start >= node.place.start)
}

/// A mapping that stands where it is used, not an alias.
fn is_own_map(node: &Node) -> bool {
    matches!(node.value, YamlValue::Map(_)) && !node.place.source.text()[node.place.start..].starts_with('*')
}

/// Whether nothing of an entry is left when these paths below it are taken out.
fn goes(entry: &Entry, wanted: Option<&Value>, out: &[Vec<&str>]) -> bool {
    let is_wanted = wanted.is_some_and(|wanted| wanted.as_object().is_none_or(|keys| !keys.is_empty()));
    if is_wanted || out.is_empty() {
        return false;
    }
    if out.iter().any(Vec::is_empty) {
        return true;
    }
    let entries = entry.value.entries();
    !entries.is_empty() && entries.iter().all(|inner| goes(inner, None, &below(out, &inner.key)))
}

/// Those of the paths that begin with this key, without it.
fn below<'a>(paths: &[Vec<&'a str>], key: &str) -> Vec<Vec<&'a str>> {
    paths.iter().filter(|path| path.first() == Some(&key)).map(|path| path[1..].to_vec()).collect()
}

/// The byte after the last of an entry, without what stands elsewhere.
fn end_of(entry: &Entry) -> usize {
    entry.key_place.end.max(end_of_value(&entry.value))
}

fn end_of_value(value: &Node) -> usize {
    match &value.value {
        YamlValue::Map(_) if is_own_map(value) && !value.entries().is_empty() => {
            own(value).map(end_of).max().unwrap_or(value.place.end).max(closing(value))
        }
        YamlValue::List(items) if items.first().is_some_and(|first| first.place.start >= value.place.start) => {
            items.iter().map(end_of_value).max().unwrap_or(value.place.end).max(closing(value))
        }
        YamlValue::Null => value.place.start,
        // The place of a literal block goes on to the key after it.
        YamlValue::Text(_) => {
            let text = &value.place.source.text()[value.place.start..value.place.end];
            value.place.start + text.trim_end_matches(' ').len()
        }
        _ => value.place.end,
    }
}

/// Where a mapping in braces or a list in brackets ends; a block ends with its last part.
fn closing(value: &Node) -> usize {
    let text = &value.place.source.text()[value.place.start..];
    if text.starts_with(['{', '[']) { value.place.end } else { 0 }
}

/// Whether a value says the same already, as text or as a number.
pub(super) fn says(value: &Node, wanted: &Value) -> bool {
    let text = match wanted {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    value.scalar() == Some(text) || value.to_json() == *wanted
}

/// Lays the entries of one mapping over those of another.
pub(super) fn lay_over(whole: &mut Value, set: &Map<String, Value>) {
    for (key, value) in set {
        match (whole.get_mut(key), value) {
            (Some(inner), Value::Object(set)) if inner.is_object() || inner.is_array() => {
                *inner = as_map(inner);
                lay_over(inner, set);
            }
            _ => whole[key.as_str()] = value.clone(),
        }
    }
}

/// A value as a mapping. Compose has lists such as `- NAME=value` that mean one; anything else is none, and gives way.
fn as_map(value: &Value) -> Value {
    let pair = |item: &Value| {
        let text = item.as_str()?;
        let (name, value) = text.split_once('=').map_or((text, Value::Null), |(name, value)| (name, value.into()));
        Some((name.to_owned(), value))
    };
    match value {
        Value::Object(_) => value.clone(),
        Value::Array(items) => items.iter().map(pair).collect::<Option<Map<_, _>>>().unwrap_or_default().into(),
        _ => Value::Object(Map::new()),
    }
}

/// Takes out a path, and mappings that are empty then.
fn remove(whole: &mut Value, path: &[&str]) {
    let (Some((first, rest)), Some(map)) = (path.split_first(), whole.as_object_mut()) else { return };
    if let Some(inner) = map.get_mut(*first).filter(|_| !rest.is_empty()) {
        remove(inner, rest);
        if inner.as_object().is_some_and(|inner| !inner.is_empty()) {
            return;
        }
    }
    map.shift_remove(*first);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::problem::Source;
    use crate::input::yaml as input;
    use proptest::prelude::*;
    use serde_json::json;

    fn keys() -> impl Strategy<Value = String> {
        proptest::sample::select(vec!["a", "b", "deploy", "on", "x y", "0", "~", "é"]).prop_map(str::to_owned)
    }

    /// A mapping of mappings with scalars and lists at its ends.
    fn mappings() -> impl Strategy<Value = Value> {
        let scalars = prop_oneof![
            Just(json!("512M")),
            Just(json!("0.5")),
            Just(json!("yes")),
            Just(json!("two\nlines\n")),
            Just(json!(["one", "# two", 3])),
            any::<i32>().prop_map(|number| json!(number)),
        ];
        let inner = scalars.prop_recursive(3, 24, 4, |inner| {
            proptest::collection::btree_map(keys(), inner, 1..4).prop_map(|map| map.into_iter().collect())
        });
        proptest::collection::btree_map(keys(), inner, 1..5).prop_map(|map| map.into_iter().collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

        /// Whatever stands in a file and whatever is set in it, in block style or in braces: what is read afterwards is
        /// the one laid over the other, every comment is there still, and setting it again changes nothing.
        #[test]
        fn what_is_set_is_read_and_no_comment_is_lost(base in mappings(), set in mappings(), in_braces in any::<bool>()) {
            let text = if in_braces {
                format!("# first\nservices: {base}   # last\n")
            } else {
                let comments = [(String::new(), "first".to_owned()), ("/services".to_owned(), "second".to_owned())].into();
                yaml::text(&json!({"services": base}), &comments)
            };
            let set = json!({"services": set});
            let after = edited(&text, &set, &[]);
            let read = |text: &str| input::read(&Source::new("file.yml", text)).0.expect("a document").to_json();
            let mut wanted = json!({"services": base});
            lay_over(&mut wanted, set.as_object().expect("a mapping"));
            prop_assert_eq!(read(&after), wanted, "\n{}\n->\n{}", text, after);
            prop_assert!(after.contains("# first"));
            prop_assert_eq!(edited(&after, &set, &[]), after);
        }
    }

    fn edited(text: &str, set: &Value, out: &[Vec<&str>]) -> String {
        let (node, problems) = input::read(&Source::new("file.yml", text));
        assert!(problems.is_empty(), "{problems}");
        merge(text, &node.expect("a document"), set, out)
    }

    const FILE: &str = "\
# Ours, with notes.
services:
  # The database matters.
  db:
    deploy:
      resources:
        limits:
          memory: 512M   # raised after the fire
          cpus: \"0.5\"
  web: { cpus: 0.5, labels: { a: b } }

volumes: {}
";

    #[test]
    fn only_what_is_named_changes() {
        let set = json!({"services": {
            "db": {"deploy": {"resources": {"limits": {"memory": "1G"}, "reservations": {"memory": "256M"}}}},
            "web": {"cpus": "0.25"},
            "new": {"pids_limit": 20},
        }});
        let wanted = FILE
            .replace("512M ", "1G ")
            .replace(
                "          cpus: \"0.5\"\n",
                "          cpus: \"0.5\"\n        reservations:\n          memory: 256M\n",
            )
            .replace(
                "{ cpus: 0.5, labels: { a: b } }\n",
                "{\"cpus\":\"0.25\",\"labels\":{\"a\":\"b\"}}\n  new:\n    pids_limit: 20\n",
            );
        assert_eq!(edited(FILE, &set, &[]), wanted);
    }

    #[test]
    fn what_is_said_already_is_not_touched() {
        let set = json!({"services": {"db": {"deploy": {"resources": {"limits": {"memory": "512M", "cpus": "0.5"}}}}, "web": {"cpus": 0.5}}});
        assert_eq!(edited(FILE, &set, &[]), FILE);
    }

    #[test]
    fn what_is_taken_out_leaves_its_comments() {
        let limits = ["services", "db", "deploy", "resources", "limits"];
        let memory = [limits.as_slice(), &["memory"]].concat();
        let cpus = [limits.as_slice(), &["cpus"]].concat();
        let one = edited(FILE, &json!({"services": {}}), std::slice::from_ref(&memory));
        assert_eq!(one, FILE.replace("memory: 512M   # raised after the fire", "# raised after the fire"));
        let both = edited(FILE, &json!({"services": {}}), &[memory, cpus]);
        assert!(both.contains("# The database matters.\n  # raised after the fire\n  web:"), "{both}");
        let alone = "# ours\nservices:\n  db: # mine\n    cpus: 1\n";
        let none = edited(alone, &json!({"services": {}}), &[vec!["services", "db", "cpus"]]);
        assert_eq!(none, "# ours\n# mine\nservices: {}\n");
    }

    #[test]
    fn anchors_are_left_to_those_who_use_them() {
        let text = "x-small: &small\n  cpus: 0.5\nservices:\n  a:\n    <<: *small\n  b: *small\n  c:\n";
        let set = json!({"services": {"a": {"cpus": "1"}, "b": {"cpus": "2"}, "c": {"cpus": "3"}}});
        let wanted = "x-small: &small\n  cpus: 0.5\nservices:\n  a:\n    <<: *small\n    cpus: \"1\"\n  b: {\"cpus\":\"2\"}\n  c:\n    cpus: \"3\"\n";
        assert_eq!(edited(text, &set, &[]), wanted);
    }

    #[test]
    fn a_file_without_its_last_line_end_grows_below_it() {
        assert_eq!(
            edited("services:\n  a:\n    cpus: 1", &json!({"services": {"b": {"cpus": 2}}}), &[]),
            "services:\n  a:\n    cpus: 1\n  b:\n    cpus: 2\n"
        );
        assert_eq!(
            edited("name: x\n", &json!({"services": {"b": {"cpus": 2}}}), &[]),
            "name: x\nservices:\n  b:\n    cpus: 2\n"
        );
    }
}
