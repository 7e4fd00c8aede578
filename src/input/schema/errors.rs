//! Errors of the schema check in words, each at its place.

use super::quantity;
use crate::input::problem::Code;
use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::nearest;
use crate::input::yaml::Node;
use jsonschema::ValidationError;
use jsonschema::error::TypeKind;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

/// Every code of this room.
pub const CODES: &[&Code] = &[&UNKNOWN_KEY, &MISSING_KEY, &KIND, &VALUE, &CHOICE, &TOO_MANY];

pub(super) static UNKNOWN_KEY: Code = Code {
    id: "PL0201",
    title: "unknown key",
    explanation: "A key that the format does not have would do nothing, so it is an error: most often it is misspelt, \
or stands one level too deep or too high. `plimsoll schema scenario` prints every key that there is, and an editor with \
YAML support completes them from the same schema.",
};

pub(in crate::input) static MISSING_KEY: Code = Code {
    id: "PL0202",
    title: "missing key",
    explanation: "A key that has no default is missing. A scenario needs at least `scenario`, `stack`, `host` and \
`duration`; a load needs a `pattern` with its figures, or a `trace`.",
};

pub(super) static KIND: Code = Code {
    id: "PL0203",
    title: "a value of the wrong kind",
    explanation: "The value is a list where a mapping is expected, a number where a text is expected, and so on. \
Quantities need their unit: `30s`, `60/s`, `12 USD`. Times of day are written in quotes: \"20:00\".",
};

pub(super) static VALUE: Code = Code {
    id: "PL0204",
    title: "a value that cannot be",
    explanation: "The value has the right kind but cannot be read or is out of bounds: a negative size, a share of 8000%, \
a duration with an unknown unit.",
};

pub(super) static CHOICE: Code = Code {
    id: "PL0205",
    title: "not one of the choices",
    explanation: "The key takes one of a few words, such as `pattern: diurnal` or `noise: poisson`. The message lists them.",
};

pub(super) static TOO_MANY: Code = Code {
    id: "PL0206",
    title: "more values than such a file has",
    explanation: "Files of our own formats are written by people or small programs. What holds more than 30,000 values is refused before \
it is checked, so that no file can take all memory. A long series of rates belongs into a CSV file, read with `trace`.",
};

/// Turns what the validator found into problems.
pub(super) fn explain(errors: &[&ValidationError<'_>], schema: &Value, root: &Node, problems: &mut Problems) {
    for error in errors {
        let path = error.instance_path().as_str();
        match error.kind() {
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                let branches = context.iter().flat_map(|branch| flat(branch, path)).collect();
                choose(branches, path, schema, root, problems);
            }
            _ => one(error, schema, root, problems),
        }
    }
}

/// The branches of a choice, with choices within a choice taken apart.
fn flat<'a>(branch: &'a [ValidationError<'static>], path: &str) -> Vec<Vec<&'a ValidationError<'static>>> {
    if let [only] = branch {
        let inner = match only.kind() {
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => Some(context),
            _ => None,
        };
        if let Some(context) = inner.filter(|_| only.instance_path().as_str() == path) {
            return context.iter().flat_map(|branch| flat(branch, path)).collect();
        }
    }
    vec![branch.iter().collect()]
}

/// Explains the branch that was meant: the one whose key word (`pattern: ...`) fits, else the one that misses least.
fn choose(
    mut branches: Vec<Vec<&ValidationError<'static>>>,
    path: &str,
    schema: &Value,
    root: &Node,
    problems: &mut Problems,
) {
    let word = |error: &ValidationError<'_>| matches!(error.kind(), ValidationErrorKind::Constant { .. });
    let key =
        branches.iter().flatten().find(|error| word(error)).map(|error| error.instance_path().as_str().to_owned());
    if let Some(key) = key {
        let name = key.strip_prefix(path).unwrap_or_default().trim_start_matches('/').to_owned();
        let knows = |branch: &[&ValidationError<'_>]| {
            !branch.iter().any(|error| match error.kind() {
                ValidationErrorKind::AdditionalProperties { unexpected } => unexpected.contains(&name),
                ValidationErrorKind::Type { .. } => error.instance_path().as_str() == path,
                _ => false,
            })
        };
        let named = |branch: &[&ValidationError<'_>]| {
            branch.iter().any(|error| word(error) && error.instance_path().as_str() == key)
        };
        let is_known = branches.iter().any(|branch| knows(branch) && !named(branch));
        if is_known {
            branches.retain(|branch| knows(branch) && !named(branch));
        } else {
            let options: Vec<Value> = branches
                .iter()
                .flatten()
                .filter_map(|error| match error.kind() {
                    ValidationErrorKind::Constant { expected_value } => Some(expected_value.as_ref().clone()),
                    _ => None,
                })
                .collect();
            problems.push(no_choice(&key, &options, root));
            return;
        }
    }
    let best = branches.into_iter().min_by_key(|branch| branch.iter().map(|error| cost(error, path)).sum::<usize>());
    explain(&best.unwrap_or_default(), schema, root, problems);
}

/// How much speaks against a branch being the one that was meant.
fn cost(error: &ValidationError<'_>, path: &str) -> usize {
    if error.instance_path().as_str() != path {
        return 1;
    }
    match error.kind() {
        ValidationErrorKind::Type { .. } | ValidationErrorKind::PropertyNames { .. } => 1000,
        ValidationErrorKind::Required { .. } => 10,
        ValidationErrorKind::AdditionalProperties { unexpected } => 3 * unexpected.len(),
        _ => 1,
    }
}

fn one(error: &ValidationError<'_>, schema: &Value, root: &Node, problems: &mut Problems) {
    let path = error.instance_path().as_str();
    let place = super::place_of(root, path);
    let node = root.at_pointer(path);
    let shown = node.and_then(Node::scalar).unwrap_or_default();
    let rule = rule_of(error, schema);
    let format = rule.and_then(|rule| quantity::format(rule.get("format")?.as_str()?));
    let key = path.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
    let problem = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known: Vec<&str> = rule
                .and_then(|rule| rule.get("properties")?.as_object())
                .map(|known| known.keys().map(String::as_str).collect())
                .unwrap_or_default();
            for name in unexpected {
                problems.push(unknown_key(name, &known, node, &place));
            }
            return;
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let of = if key.is_empty() { String::new() } else { format!(" in `{key}`") };
            let problem = Problem::error(&MISSING_KEY, format!("missing key `{name}`{of}"));
            match described(rule, name) {
                Some(help) => problem.help(help),
                None => problem,
            }
        }
        ValidationErrorKind::Type { kind } => {
            let found = node.map_or("nothing", Node::kind);
            let expected = match format {
                Some(format) => format.expected.to_owned(),
                None => kinds(kind),
            };
            Problem::error(&KIND, format!("`{key}` should be {expected}, found {found}"))
        }
        ValidationErrorKind::Format { .. } => {
            let why = format.and_then(|format| (format.check)(&shown).err());
            Problem::error(&VALUE, why.unwrap_or_else(|| format!("`{shown}` cannot be read")))
        }
        ValidationErrorKind::Minimum { limit } if limit.as_f64() == Some(0.0) && shown.starts_with('-') => {
            Problem::error(&VALUE, format!("`{key}` is negative: `{shown}`"))
        }
        ValidationErrorKind::Maximum { .. } if format.is_some() => {
            let expected = format.map(|format| format.expected).unwrap_or_default();
            Problem::error(&VALUE, format!("`{key}: {shown}` lacks its unit or is too large; expected {expected}"))
        }
        ValidationErrorKind::Minimum { limit } => Problem::error(&VALUE, format!("`{key}: {shown}` is below {limit}")),
        ValidationErrorKind::Maximum { limit } => Problem::error(&VALUE, format!("`{key}: {shown}` is above {limit}")),
        ValidationErrorKind::MinItems { limit } => {
            Problem::error(&VALUE, format!("`{key}` needs at least {limit} of them"))
        }
        ValidationErrorKind::MaxItems { limit } => {
            Problem::error(&VALUE, format!("`{key}` takes at most {limit} of them"))
        }
        ValidationErrorKind::MinLength { .. } => Problem::error(&VALUE, format!("`{key}` is empty")),
        ValidationErrorKind::Enum { options } => {
            problems.push(no_choice(path, options.as_array().map(Vec::as_slice).unwrap_or_default(), root));
            return;
        }
        ValidationErrorKind::Constant { expected_value } => {
            problems.push(no_choice(path, std::slice::from_ref(expected_value.as_ref()), root));
            return;
        }
        _ => Problem::error(&VALUE, format!("`{key}` is not valid ({})", error.kind().keyword())),
    };
    problems.push(problem.at(&place));
}

/// The part of the schema whose key word failed.
fn rule_of<'a>(error: &ValidationError<'_>, schema: &'a Value) -> Option<&'a Value> {
    let path = error.schema_path().as_str();
    schema.pointer(&path[..path.rfind('/')?])
}

/// What the schema says of a key.
fn described(rule: Option<&Value>, name: &str) -> Option<String> {
    let text = rule?.get("properties")?.get(name)?.get("description")?.as_str()?;
    let first = text.split("\n\n").next()?.trim_end_matches('.').replace('\n', " ");
    Some(format!("`{name}`: {first}"))
}

fn unknown_key(name: &str, known: &[&str], node: Option<&Node>, place: &Place) -> Problem {
    let hint = nearest(name, known.iter().copied()).map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
    let problem = Problem::error(&UNKNOWN_KEY, format!("unknown key `{name}`{hint}"));
    let entry = node.and_then(|node| node.entry(name));
    let problem = problem.at(entry.map_or(place, |entry| &entry.key_place));
    if known.is_empty() { problem } else { problem.help(format!("known: {}", known.join(", "))) }
}

fn no_choice(path: &str, options: &[Value], root: &Node) -> Problem {
    let place = super::place_of(root, path);
    let node = root.at_pointer(path);
    let shown = node.and_then(Node::scalar);
    let mut names: Vec<&str> = options.iter().filter_map(Value::as_str).collect();
    names.dedup();
    // An item of a list is called by the name of the list.
    let is_place = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let key = path.rsplit('/').find(|part| !is_place(part)).unwrap_or_default();
    let problem = match shown {
        Some(shown) => {
            let hint = nearest(&shown, names.iter().copied());
            let hint = hint.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
            Problem::error(&CHOICE, format!("unknown {key} `{shown}`{hint}"))
        }
        None => Problem::error(&KIND, format!("`{key}` should be text, found {}", node.map_or("nothing", Node::kind))),
    };
    problem.at(&place).help(format!("one of: {}", names.join(", ")))
}

fn kinds(kind: &TypeKind) -> String {
    let word = |kind: &str| match kind {
        "object" => "a mapping",
        "array" => "a list",
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        _ => "",
    };
    let names: Vec<String> = match kind {
        TypeKind::Single(kind) => vec![kind.to_string()],
        TypeKind::Multiple(kinds) => kinds.iter().map(|kind| kind.to_string()).collect(),
    };
    let words: Vec<&str> =
        names.iter().map(|name| word(name.trim_matches('"'))).filter(|word| !word.is_empty()).collect();
    words.join(" or ")
}
