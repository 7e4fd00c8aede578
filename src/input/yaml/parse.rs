//! Events of the YAML parser to a tree.

use super::Entry;
use super::Node;
use super::Number;
use super::Value;
use crate::input::problem::Code;
use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use granit_parser::ErrorKind;
use granit_parser::Event;
use granit_parser::Parser;
use granit_parser::ScalarStyle;
use granit_parser::Tag;
use std::collections::BTreeMap;

/// Levels of lists and mappings within each other, aliases put in.
pub const DEPTH_MAX: usize = 128;

/// Values in one file, aliases and merge keys put in. Text counts once for each 64 bytes of it.
pub const NODES_MAX: usize = 1_000_000;

static SYNTAX: Code = Code {
    id: "PL0010",
    title: "a file is not YAML",
    explanation: "The text breaks a rule of YAML, so nothing can be said about what it means. Common reasons: a tab \
                  where spaces are needed, a line indented less or more than its neighbours, a missing space after \
                  `:` or `-`, a quote that is not closed, or a value with `: ` or ` #` in it that needs quotes.",
};

static DUPLICATE: Code = Code {
    id: "PL0011",
    title: "a key stands twice in a mapping",
    explanation: "Two values for one key leave open which of them counts, so YAML forbids it. Remove one of them, or \
                  put both into one mapping below a single key. Two merge keys in one mapping become one: \
                  `<<: [*first, *second]`.",
};

static MERGE: Code = Code {
    id: "PL0012",
    title: "a merge key takes something that is not a mapping",
    explanation: "`<<` puts the entries of another mapping into this one. Its value is an alias of a mapping, such as \
                  `<<: *defaults`, or a list of them, where an earlier one wins: `<<: [*first, *second]`.",
};

static BOMB: Code = Code {
    id: "PL0013",
    title: "a file holds too many values",
    explanation: "Aliases of lists of aliases can make a small file stand for billions of values; such a file is \
                  called a YAML bomb. A file may stand for at most a million values once its aliases and merge keys \
                  are put in. Use fewer or smaller aliases, or split the file.",
};

static DEPTH: Code = Code {
    id: "PL0014",
    title: "a file is nested too deep",
    explanation: "Lists and mappings stand within each other more than 128 times. No format read here needs more than \
                  a dozen levels; look for brackets that are never closed, or an alias that goes down again and again.",
};

static DOCUMENTS: Code = Code {
    id: "PL0015",
    title: "a file holds more than one document",
    explanation: "A line of `---` starts another document of YAML in the same file. Only one is expected here. Remove \
                  the line, or put each document into a file of its own.",
};

static ALIAS: Code = Code {
    id: "PL0016",
    title: "an alias leads nowhere",
    explanation: "`*name` stands for the value that was marked with `&name` before it in the same file. Here nothing \
                  is marked so, or the mark is on a value that holds the alias itself, which would never end. Anchors \
                  of other files are not known.",
};

static KEY: Code = Code {
    id: "PL0017",
    title: "a key is a list or a mapping",
    explanation: "YAML allows lists and mappings as keys, but no format read here has a use for it. It mostly comes \
                  from a template: `{{ name }}` without quotes is a mapping in a mapping. Put quotes around it.",
};

/// Codes of YAML itself.
pub const CODES: &[&Code] = &[&SYNTAX, &DUPLICATE, &MERGE, &BOMB, &DEPTH, &DOCUMENTS, &ALIAS, &KEY];

/// Reads a file that holds one document; an empty file is [`Value::Null`].
///
/// # Errors
/// All that is wrong with the YAML: syntax, duplicate keys, aliases that lead nowhere, bombs, a second document.
pub fn parse(source: &Source) -> Result<Node, Problems> {
    match read(source) {
        (Some(node), problems) if !problems.has_errors() => Ok(node),
        (_, problems) => Err(problems),
    }
}

/// Reads a file that holds one document, as far as it goes: with a duplicate key there is something to look at all the
/// same, so that all that is wrong with the file is told at once. No document where the text is no YAML.
#[must_use]
pub fn read(source: &Source) -> (Option<Node>, Problems) {
    let (documents, mut problems) = read_documents(source);
    if let Some(second) = documents.get(1) {
        problems.push(
            Problem::error(&DOCUMENTS, "more than one YAML document in this file")
                .at(&second.place)
                .help("remove the `---` line, or put each document into a file of its own"),
        );
    }
    let empty = || Node { place: source.place(0, 0), tag: None, value: Value::Null };
    let first = documents.into_iter().next();
    let node = if problems.has_errors() { first } else { first.or_else(|| Some(empty())) };
    (node, problems)
}

/// Reads all documents of a file, as far as they go, as [`read`] does; none where it is empty or no YAML.
#[must_use]
pub fn read_documents(source: &Source) -> (Vec<Node>, Problems) {
    let options = granit_parser::options! {
        emit_unresolved_aliases: true,
        emit_comments: false,
    };
    let mut builder = Builder::new(source);
    for next in Parser::new_from_str_with_options(source.text(), options) {
        let result = match next {
            Ok((event, span)) => {
                let range = span.byte_range().unwrap_or(0..0);
                builder.event(event, source.place(range.start, range.end))
            }
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(source.text().len());
                let place = source.place(at, at);
                Err(match error.kind() {
                    ErrorKind::RecursionLimitExceeded => too_deep(&place),
                    kind => syntax(kind.to_string(), place),
                })
            }
        };
        if let Err(problem) = result {
            builder.problems.push(problem);
            builder.documents.clear();
            break;
        }
    }
    (builder.documents, builder.problems)
}

fn syntax(message: String, place: Place) -> Problem {
    let at = place.start;
    let rest = &place.source.text()[at.min(place.source.text().len())..];
    let problem = Problem::error(&SYNTAX, format!("this is not YAML: {message}")).at(&place);
    if rest.starts_with('\t') {
        return problem.help("indent with spaces, not with a tab");
    }
    problem.help("check the indentation and the quotes of this line and the one before")
}

/// A list or mapping that has not ended yet.
struct Open {
    place: Place,
    tag: Option<String>,
    anchor: usize,
    /// Levels within it so far.
    height: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(String, Place)> },
}

/// A finished value and what it costs to repeat it.
struct Anchored {
    node: Node,
    height: usize,
    cost: usize,
}

struct Builder<'a> {
    source: &'a Source,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Anchored>,
    documents: Vec<Node>,
    /// Values so far, against [`NODES_MAX`].
    spent: usize,
    problems: Problems,
}

impl<'a> Builder<'a> {
    fn new(source: &'a Source) -> Self {
        Self {
            source,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            documents: Vec::new(),
            spent: 0,
            problems: Problems::new(),
        }
    }

    /// Takes one event.
    ///
    /// # Errors
    /// The problem after which reading on makes no sense.
    fn event(&mut self, event: Event<'_>, place: Place) -> Result<(), Problem> {
        match event {
            Event::DocumentStart(..) => self.anchors.clear(),
            Event::Alias(id) => return self.alias(id, place),
            Event::UnresolvedAlias(name) => {
                self.problems.push(
                    Problem::error(&ALIAS, format!("unknown anchor `{name}`"))
                        .at(&place)
                        .help(format!("mark a value above this line with `&{name}`")),
                );
                return self.add(Node { place, tag: None, value: Value::Null }, 0, 0);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let (value, tag) = scalar(&text, style, tag.as_deref());
                self.spend(1 + text.len() / 64, &place)?;
                return self.add(Node { place, tag, value }, anchor, 0);
            }
            Event::SequenceStart(_, anchor, tag) => {
                return self.start(place, anchor, tag.as_deref(), Content::List(Vec::new()));
            }
            Event::MappingStart(_, anchor, tag) => {
                return self.start(place, anchor, tag.as_deref(), Content::Map { entries: Vec::new(), key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => return self.end(place),
            _ => {}
        }
        Ok(())
    }

    fn spend(&mut self, cost: usize, place: &Place) -> Result<(), Problem> {
        self.spent = self.spent.saturating_add(cost);
        if self.spent <= NODES_MAX {
            return Ok(());
        }
        let aliased = matches!(place.text().get(..1), Some("*" | "&" | "<"));
        let message = if aliased {
            "YAML bomb: with its aliases put in, this file stands for more than 1000000 values"
        } else {
            "this file holds more than 1000000 values"
        };
        Err(Problem::error(&BOMB, message).at(place).help("use fewer aliases, or split the file"))
    }

    fn start(&mut self, place: Place, anchor: usize, tag: Option<&Tag>, content: Content) -> Result<(), Problem> {
        self.spend(1, &place)?;
        if self.open.len() >= DEPTH_MAX {
            return Err(too_deep(&place));
        }
        self.open.push(Open { place, tag: tag.and_then(own_tag), anchor, height: 1, content });
        Ok(())
    }

    fn end(&mut self, place: Place) -> Result<(), Problem> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let start = open.place.start;
        let bracketed = open.place.end > open.place.start;
        let (value, last) = match open.content {
            Content::List(items) => {
                let last = items.iter().map(|item| item.place.end).max();
                (Value::List(items), last)
            }
            Content::Map { entries, .. } => {
                let last = entries.iter().map(|entry| entry.value.place.end.max(entry.key_place.end)).max();
                (Value::Map(self.finished(entries)?), last)
            }
        };
        let end = if bracketed { place.end } else { last.unwrap_or(start) };
        let node = Node { place: self.source.place(start, end), tag: open.tag, value };
        self.add(node, open.anchor, open.height)
    }

    fn alias(&mut self, id: usize, place: Place) -> Result<(), Problem> {
        let Some(anchored) = self.anchors.get(&id) else {
            self.problems.push(
                Problem::error(&ALIAS, format!("`{}` stands within the value it stands for", place.text()))
                    .at(&place)
                    .help("an alias can only repeat a value that ends before it"),
            );
            return self.add(Node { place, tag: None, value: Value::Null }, 0, 0);
        };
        if self.open.len() + anchored.height > DEPTH_MAX {
            return Err(too_deep(&place));
        }
        let (cost, height) = (anchored.cost, anchored.height);
        self.spend(cost, &place)?;
        // Looked up again, since the budget had to be spent before anything is copied.
        let Some(anchored) = self.anchors.get(&id) else { return Ok(()) };
        let node = Node { place, ..anchored.node.clone() };
        self.add(node, 0, height)
    }

    /// Puts a finished value where it belongs.
    fn add(&mut self, node: Node, anchor: usize, height: usize) -> Result<(), Problem> {
        if anchor != 0 {
            let anchored_cost = cost(&node);
            self.spend(anchored_cost, &node.place)?;
            self.anchors.insert(anchor, Anchored { node: node.clone(), height, cost: anchored_cost });
        }
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        open.height = open.height.max(height + 1);
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, key } => match key.take() {
                Some((key, key_place)) => entries.push(Entry { key, key_place, value: node }),
                None => {
                    let text = match &node.value {
                        Value::Null => Some(node.place.text().trim().to_owned()),
                        _ => node.scalar(),
                    };
                    if text.is_none() {
                        self.problems.push(
                            Problem::error(&KEY, format!("a key must be text, not {}", node.kind()))
                                .at(&node.place)
                                .help("put quotes around it"),
                        );
                    }
                    *key = Some((text.unwrap_or_default(), node.place));
                }
            },
        }
        Ok(())
    }

    /// The entries of a mapping with duplicates reported and merge keys put in.
    fn finished(&mut self, entries: Vec<Entry>) -> Result<Vec<Entry>, Problem> {
        let mut first: BTreeMap<&str, &Place> = BTreeMap::new();
        let mut duplicates: Vec<Problem> = Vec::new();
        for entry in &entries {
            if let Some(before) = first.insert(&entry.key, &entry.key_place) {
                let help = if entry.key == "<<" {
                    "write one merge key with a list: `<<: [*first, *second]`".to_owned()
                } else {
                    "remove one of them, or put both values below one key".to_owned()
                };
                duplicates.push(
                    Problem::error(&DUPLICATE, format!("duplicate key `{}`", entry.key))
                        .at(&entry.key_place)
                        .label(format!("first in line {}", before.line()))
                        .help(help),
                );
                first.insert(&entry.key, before);
            }
        }
        for problem in duplicates {
            self.problems.push(problem);
        }
        if !entries.iter().any(is_merge) {
            return Ok(entries);
        }
        let (merges, mut kept): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(is_merge);
        let mut known: std::collections::BTreeSet<String> = kept.iter().map(|entry| entry.key.clone()).collect();
        for merge in merges {
            let single = [merge.value.clone()];
            let parts = if merge.value.items().is_empty() { &single[..] } else { merge.value.items() };
            for part in parts {
                let Value::Map(entries) = &part.value else {
                    // An alias that leads nowhere is nothing, and has been reported.
                    if part.value != Value::Null || !self.problems.has_errors() {
                        self.problems.push(
                            Problem::error(&MERGE, format!("`<<` takes a mapping, not {}", part.kind()))
                                .at(&part.place)
                                .help("write `<<: *name` or `<<: [*first, *second]`, each a mapping"),
                        );
                    }
                    continue;
                };
                for entry in entries {
                    if known.insert(entry.key.clone()) {
                        self.spend(cost(&entry.value), &merge.key_place)?;
                        kept.push(entry.clone());
                    }
                }
            }
        }
        Ok(kept)
    }
}

/// Whether it is a merge key; a quoted `<<` is an ordinary key.
fn is_merge(entry: &Entry) -> bool {
    entry.key == "<<" && entry.key_place.text() == "<<"
}

fn too_deep(place: &Place) -> Problem {
    Problem::error(&DEPTH, format!("nested more than {DEPTH_MAX} levels deep"))
        .at(place)
        .help("look for brackets that are never closed")
}

/// What it costs to repeat a value, against [`NODES_MAX`].
fn cost(node: &Node) -> usize {
    match &node.value {
        Value::Text(text) => 1 + text.len() / 64,
        Value::List(items) => 1 + items.iter().map(cost).sum::<usize>(),
        Value::Map(entries) => {
            1 + entries.iter().map(|entry| 1 + entry.key.len() / 64 + cost(&entry.value)).sum::<usize>()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
    }
}

/// The tag as written, where it is not of the core schema.
fn own_tag(tag: &Tag) -> Option<String> {
    (!tag.is_yaml_core_schema()).then(|| format!("{}{}", tag.original_handle(), tag.suffix()))
}

/// The value of a scalar by the core schema, and its tag where that says nothing about the value.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> (Value, Option<String>) {
    let plain = match tag.and_then(|tag| tag.core_suffix()) {
        Some("str") => return (Value::Text(text.to_owned()), None),
        Some("int" | "float" | "bool" | "null") => true,
        _ => style == ScalarStyle::Plain,
    };
    let tag = tag.and_then(own_tag);
    if !plain {
        return (Value::Text(text.to_owned()), tag);
    }
    let value = match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => Number::new(text).map_or_else(|| Value::Text(text.to_owned()), Value::Number),
    };
    (value, tag)
}
