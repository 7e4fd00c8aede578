//! Writes a JSON value as YAML that people like to read.
//!
//! Before you change it:
//! 1. What is written is read back as the same value, by readers of YAML 1.1 and of 1.2: text that either of them could
//!    take for something else is quoted.
//! 2. Everything is in block style, so that a comment can stand above any part.
//!
//! It is a page of our own because rules want comments and long expressions want literal blocks, and a serializer that
//! knows both would be one more dependency for the same page.

use serde_json::Value;
use std::collections::BTreeMap;

/// Comments by the JSON pointer (RFC 6901) of what they stand above; the empty pointer is the whole file.
pub type Comments = BTreeMap<String, String>;

/// Columns that a comment may fill before it goes on in the next line.
const COLUMNS: usize = 100;

/// Longest key that may stand before its colon without a mark; YAML allows 1024 characters, quotes and escapes included.
const KEY_MAX: usize = 1000;

/// Words that some reader takes for no text.
const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

/// Units that may follow a whole number without making it anything but text: `15s`, `256M`.
const UNITS: [&str; 10] = ["ms", "s", "m", "h", "d", "w", "y", "K", "M", "G"];

/// The value as a YAML document, which ends with a line feed.
#[must_use]
pub fn text(value: &Value, comments: &Comments) -> String {
    let mut writer = Writer { out: String::new(), comments };
    writer.comment("", 0);
    match value {
        Value::Object(_) | Value::Array(_) if !is_empty(value) => writer.block(value, 0, ""),
        _ => writer.out.push_str(&format!("{}\n", one_line(value))),
    }
    writer.out
}

struct Writer<'a> {
    out: String,
    comments: &'a Comments,
}

impl Writer<'_> {
    /// Writes a mapping or list that is not empty; the cursor is at the start of a line.
    fn block(&mut self, value: &Value, indent: usize, pointer: &str) {
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    let pointer = child(pointer, key);
                    self.comment(&pointer, indent);
                    self.entry(key, value, indent, &pointer);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let pointer = child(pointer, &index.to_string());
                    self.comment(&pointer, indent);
                    self.item(item, indent, &pointer);
                }
            }
            _ => {}
        }
    }

    fn entry(&mut self, key: &str, value: &Value, indent: usize, pointer: &str) {
        let key = quoted(key);
        self.spaces(indent);
        if key.chars().count() > KEY_MAX {
            self.out.push_str(&format!("? {key}\n"));
            self.spaces(indent);
            self.out.push(':');
        } else {
            self.out.push_str(&format!("{key}:"));
        }
        self.after(value, indent, pointer);
    }

    fn item(&mut self, item: &Value, indent: usize, pointer: &str) {
        self.spaces(indent);
        self.out.push('-');
        let first = item.as_object().and_then(|entries| entries.keys().next());
        if first.is_none_or(|key| self.comments.contains_key(&child(pointer, key))) {
            self.after(item, indent, pointer);
            return;
        }
        // The first entry stands beside the dash: its indent is written and then taken back.
        let start = self.out.len();
        self.block(item, indent + 2, pointer);
        self.out.replace_range(start..start + indent + 2, " ");
    }

    /// Writes what follows a colon or a dash, to the end of its last line.
    fn after(&mut self, value: &Value, indent: usize, pointer: &str) {
        match value {
            Value::Object(_) | Value::Array(_) if !is_empty(value) => {
                self.out.push('\n');
                self.block(value, indent + 2, pointer);
            }
            Value::String(text) if fits_block(text) => {
                let (mark, body) = text.strip_suffix('\n').map_or(("|-", text.as_str()), |body| ("|", body));
                self.out.push_str(&format!(" {mark}\n"));
                for line in body.split('\n') {
                    if !line.is_empty() {
                        self.spaces(indent + 2);
                    }
                    self.out.push_str(line);
                    self.out.push('\n');
                }
            }
            _ => self.out.push_str(&format!(" {}\n", one_line(value))),
        }
    }

    fn comment(&mut self, pointer: &str, indent: usize) {
        let Some(comment) = self.comments.get(pointer) else { return };
        let printable = |letter: char| if letter == '\n' || is_printable(letter) { letter } else { ' ' };
        let comment: String = comment.chars().map(printable).collect();
        for line in comment.lines().flat_map(|line| wrapped(line, COLUMNS.saturating_sub(indent + 2))) {
            self.spaces(indent);
            self.out.push_str(format!("# {line}").trim_end());
            self.out.push('\n');
        }
    }

    fn spaces(&mut self, count: usize) {
        self.out.extend(std::iter::repeat_n(' ', count));
    }
}

/// The pointer of a part.
fn child(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// A scalar, or an empty mapping or list, on one line.
pub(super) fn one_line(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// Text on one line: plain where nobody can take it for anything else, else in quotes.
fn quoted(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let is_ascii = text.chars().all(|letter| (' '..='~').contains(&letter));
    if is_ascii && text.contains(['"', '\\']) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            letter if is_printable(letter) => out.push(letter),
            letter => out.push_str(&format!("\\u{:04x}", u32::from(letter))),
        }
    }
    out + "\""
}

/// Whether a reader takes it as it stands. Line ends that are not `\n` and the mark of byte order are no such thing.
fn is_printable(letter: char) -> bool {
    !letter.is_control() && !matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let is_ascii = text.chars().all(|letter| (' '..='~').contains(&letter));
    let breaks = text.contains(": ") || text.contains(" #") || text.ends_with([':', ' ']);
    let is_word = WORDS.contains(&text.to_ascii_lowercase().as_str());
    let starts = match first {
        '/' | '_' | '(' => true,
        '.' => text.starts_with("./") || text.starts_with("../"),
        '0'..='9' => text.contains('(') || has_unit(text),
        _ => first.is_ascii_alphabetic(),
    };
    is_ascii && starts && !breaks && !is_word
}

/// A whole number with a unit, such as `15s`.
fn has_unit(text: &str) -> bool {
    UNITS.contains(&text.trim_start_matches(|letter: char| letter.is_ascii_digit()))
}

/// Whether the text is of several lines that a literal block gives back as they are.
fn fits_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let begins = body.chars().next().is_some_and(|letter| !letter.is_whitespace());
    let ends = !body.ends_with('\n');
    let lines_end = body.split('\n').all(|line| !line.ends_with([' ', '\t']));
    begins && ends && lines_end && body.contains('\n') && body.chars().all(|c| c == '\n' || is_printable(c))
}

/// A line in pieces of at most so many characters, broken at spaces; one that begins with a space is an example and stays
/// as it is.
fn wrapped(line: &str, columns: usize) -> Vec<String> {
    if line.starts_with(' ') {
        return vec![line.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.last_mut().expect("never empty");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > columns {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::problem::Source;
    use crate::input::yaml;
    use crate::input::yaml::Node;
    use proptest::prelude::*;
    use serde_json::json;

    /// The tree as JSON, built from what the reader understood and not from what was written.
    fn json_of(node: &Node) -> Value {
        match &node.value {
            yaml::Value::Null => Value::Null,
            yaml::Value::Bool(value) => json!(value),
            yaml::Value::Number(number) => number.as_i64().map_or_else(|| json!(number.as_f64()), |whole| json!(whole)),
            yaml::Value::Text(text) => json!(text),
            yaml::Value::List(items) => items.iter().map(json_of).collect(),
            yaml::Value::Map(entries) => {
                entries.iter().map(|entry| (entry.key.clone(), json_of(&entry.value))).collect()
            }
        }
    }

    fn read_back(text: &str) -> Value {
        let (node, problems) = yaml::read(&Source::new("written.yml", text));
        assert!(problems.is_empty(), "{problems}\n{text}");
        json_of(&node.expect("a document"))
    }

    /// Text that YAML readers stumble over, and any other.
    fn texts() -> impl Strategy<Value = String> {
        let traps = [
            "",
            " ",
            "on",
            "No",
            "NULL",
            "~",
            "0x1F",
            "1e3",
            "010",
            "1:30",
            "2001-12-14",
            ".inf",
            "<<",
            "=",
            "-",
            "- a",
            "a: b",
            "a:",
            "a #b",
            "#",
            "{a}",
            "[a]",
            "*a",
            "&a",
            "!a",
            "|",
            ">",
            "%",
            "@",
            "`",
            "'",
            "\"",
            "\\",
            "a\nb",
            "a\n",
            "\na",
            " a\nb",
            "a\n\n",
            "a\n\nb\n",
            "a\n  b",
            "a \nb",
            "a\n# b",
            "---",
            "...",
            "a\r\nb",
            "\t",
            "\u{85}",
            "\u{2028}",
            "\u{feff}a",
            "\0",
            "\u{7f}",
            "15s",
            "256M",
            "1 (x)",
            "./a",
            "x: |\n y",
            "?",
            "? a",
            "é",
            "\u{1f600}",
        ];
        prop_oneof![
            proptest::sample::select(traps.to_vec()).prop_map(str::to_owned),
            "[ -~\n\t]{0,40}",
            proptest::collection::vec(any::<char>(), 0..12).prop_map(|letters| letters.into_iter().collect()),
        ]
    }

    fn values() -> impl Strategy<Value = Value> {
        let scalars = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(|value| json!(value)),
            any::<i64>().prop_map(|value| json!(value)),
            (-1e12..1e12).prop_map(|value: f64| json!(value)),
            texts().prop_map(|text| json!(text)),
        ];
        scalars.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
                proptest::collection::vec((texts(), inner), 0..5).prop_map(|entries| entries.into_iter().collect()),
            ]
        })
    }

    fn pointers(value: &Value, pointer: &str, all: &mut Vec<String>) {
        all.push(pointer.to_owned());
        let children: Vec<(String, &Value)> = match value {
            Value::Object(entries) => entries.iter().map(|(key, value)| (key.clone(), value)).collect(),
            Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
            _ => Vec::new(),
        };
        for (key, value) in children {
            pointers(value, &child(pointer, &key), all);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in values()) {
            prop_assert_eq!(read_back(&text(&value, &Comments::new())), value);
        }

        /// A comment may stand above any part and changes nothing.
        #[test]
        fn comments_change_nothing(value in values(), picks in proptest::collection::vec(any::<prop::sample::Index>(), 1..6)) {
            let mut all = Vec::new();
            pointers(&value, "", &mut all);
            let comments: Comments = picks.iter().map(|pick| (pick.get(&all).clone(), "why: - it # is".to_owned())).collect();
            let written = text(&value, &comments);
            prop_assert!(written.contains("# why: - it # is"));
            prop_assert_eq!(read_back(&written), value);
        }
    }

    #[test]
    fn it_reads_as_people_write_it() {
        let value = json!({
            "groups": [{
                "name": "host",
                "rules": [{ "alert": "Down", "expr": "up == 0", "for": "1m", "labels": {} },
                          { "expr": "a\n/ b", "text": "{{ $labels.job }}: \"down\"" }],
            }],
            "yes": "no", "version": "3.8", "long key ".repeat(150): 1,
        });
        let comments = [("/groups/0/rules/0".to_owned(), "why".to_owned())].into();
        let written = text(&value, &comments);
        let wanted = "\
groups:
  - name: host
    rules:
      # why
      - alert: Down
        expr: up == 0
        for: 1m
        labels: {}
      - expr: |-
          a
          / b
        text: '{{ $labels.job }}: \"down\"'
\"yes\": \"no\"
version: \"3.8\"
";
        assert!(written.starts_with(wanted), "{written}");
        assert_eq!(read_back(&written), value);
    }
}
