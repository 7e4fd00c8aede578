//! Variables in values: `$NAME`, `${NAME}` and its forms with a default, a replacement or an error.
//!
//! Before you change it:
//! 1. Only values are interpolated, never keys, and only after the YAML has been read, so a variable cannot add a key.
//! 2. A default is worked out only where it is used, so an error in one that is not used does not count.
//! 3. The output is bounded ([`BYTES_MAX`]): variables made of variables can double at every line.

use super::codes;
use super::environment::Variables;
use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::yaml::Node;
use crate::input::yaml::Value;

/// Bytes that all values of a project may have after interpolation.
pub(super) const BYTES_MAX: usize = 64 << 20;

/// Levels of defaults within defaults.
const DEPTH_MAX: usize = 32;

/// What is known about variables.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A variable that a value was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Used {
    /// Its name.
    pub(super) name: String,
    /// It had no value, and a default of the Compose file stands there instead.
    pub(super) default: bool,
}

/// Why a text cannot be interpolated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The part of the text that is no variable, and why.
    Malformed(String, &'static str),
    /// The variable that must be set, and what the file says about it.
    Required(String, String),
    /// The result is larger than [`BYTES_MAX`] or too deep.
    TooLarge,
}

/// Text with all variables replaced, and what it is made of.
#[derive(Debug, Default)]
pub(super) struct Interpolated {
    pub(super) text: String,
    pub(super) used: Vec<Used>,
    /// Variables that stand for nothing because they are not set.
    pub(super) unset: Vec<String>,
}

/// Replaces the variables of a text by what `lookup` knows.
///
/// # Errors
/// The first fault of the text.
pub(super) fn substitute(text: &str, lookup: Lookup<'_>) -> Result<Interpolated, Fault> {
    let mut done = Interpolated::default();
    expand(text, lookup, 0, &mut done)?;
    Ok(done)
}

fn expand(text: &str, lookup: Lookup<'_>, depth: usize, done: &mut Interpolated) -> Result<(), Fault> {
    if depth > DEPTH_MAX {
        return Err(Fault::TooLarge);
    }
    let mut closing: Option<Vec<usize>> = None;
    let mut at = 0;
    while let Some(dollar) = text[at..].find('$').map(|offset| at + offset) {
        push(done, &text[at..dollar])?;
        let rest = &text[dollar + 1..];
        if rest.starts_with('$') {
            push(done, "$")?;
            at = dollar + 2;
        } else if rest.starts_with('{') {
            let closing = closing.get_or_insert_with(|| closing_braces(text));
            let open = dollar + 1;
            let end = match closing[open] {
                0 => text[open..].find('}').map(|offset| open + offset),
                end => Some(end),
            };
            let Some(end) = end else {
                return Err(Fault::Malformed(shortened(&text[dollar..]), "the brace is not closed"));
            };
            braced(&text[open + 1..end], lookup, depth, done)?;
            at = end + 1;
        } else {
            let name = name_of(rest);
            if name.is_empty() {
                push(done, "$")?;
            } else {
                value(name, lookup, done)?;
            }
            at = dollar + 1 + name.len();
        }
    }
    push(done, &text[at..])
}

/// For the byte of each `{` the byte of the `}` that closes it; zero where none does, and for all other bytes.
fn closing_braces(text: &str) -> Vec<usize> {
    let mut closing = vec![0; text.len()];
    let mut open = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        if byte == b'{' {
            open.push(at);
        } else if byte == b'}'
            && let Some(start) = open.pop()
        {
            closing[start] = at;
        }
    }
    closing
}

/// What stands between `${` and `}`.
fn braced(inner: &str, lookup: Lookup<'_>, depth: usize, done: &mut Interpolated) -> Result<(), Fault> {
    let name = name_of(inner);
    let whole = || shortened(&format!("${{{inner}}}"));
    if name.is_empty() {
        return Err(Fault::Malformed(whole(), "a name starts with a letter or `_`"));
    }
    let form = &inner[name.len()..];
    if form.is_empty() {
        return value(name, lookup, done);
    }
    let (colon, form) = form.strip_prefix(':').map_or((false, form), |rest| (true, rest));
    let Some(operator) = form.chars().next().filter(|operator| "-?+".contains(*operator)) else {
        return Err(Fault::Malformed(whole(), "after the name comes `}`, `:-`, `-`, `:?`, `?`, `:+` or `+`"));
    };
    let word = &form[1..];
    let found = lookup(name);
    let good = found.filter(|found| !colon || !found.is_empty());
    let used = |default: bool| Used { name: name.to_owned(), default };
    match (operator, good) {
        ('-' | '?', Some(text)) => {
            done.used.push(used(false));
            push(done, &text)
        }
        ('-', None) => {
            done.used.push(used(true));
            expand(word, lookup, depth + 1, done)
        }
        ('+', Some(_)) => {
            done.used.push(used(false));
            expand(word, lookup, depth + 1, done)
        }
        ('+', None) => {
            done.used.push(used(false));
            Ok(())
        }
        _ => {
            let mut message = Interpolated::default();
            expand(word, lookup, depth + 1, &mut message)?;
            Err(Fault::Required(name.to_owned(), message.text))
        }
    }
}

fn value(name: &str, lookup: Lookup<'_>, done: &mut Interpolated) -> Result<(), Fault> {
    done.used.push(Used { name: name.to_owned(), default: false });
    match lookup(name) {
        Some(text) => push(done, &text),
        None => {
            done.unset.push(name.to_owned());
            Ok(())
        }
    }
}

fn push(done: &mut Interpolated, text: &str) -> Result<(), Fault> {
    if done.text.len() + text.len() > BYTES_MAX {
        return Err(Fault::TooLarge);
    }
    done.text.push_str(text);
    Ok(())
}

/// The name at the start of the text; empty where there is none.
fn name_of(text: &str) -> &str {
    let end = text
        .bytes()
        .enumerate()
        .find(|(at, byte)| !(byte.is_ascii_alphabetic() || *byte == b'_' || *at > 0 && byte.is_ascii_digit()))
        .map_or(text.len(), |(at, _)| at);
    &text[..end]
}

fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// The problem of a fault in a text that stands at `place`.
pub(super) fn problem(fault: &Fault, place: &Place) -> Problem {
    match fault {
        Fault::Malformed(part, why) => {
            Problem::error(&codes::INTERPOLATION, format!("`{part}` is not a variable: {why}"))
                .at(&narrowed(place, part))
                .help("write `$$` where a dollar sign is meant")
        }
        Fault::Required(name, message) => {
            let said = if message.is_empty() { String::new() } else { format!(": {message}") };
            let place = narrowed(place, &format!("${{{name}"));
            Problem::error(&codes::REQUIRED, format!("required variable `{name}` is missing a value{said}"))
                .at(&place)
                .help(format!("set it in the environment, in `.env` or with `--env-file`: `{name}=…`"))
        }
        Fault::TooLarge => Problem::error(&codes::LIMIT, "variables stand for too much text here")
            .at(place)
            .help("look for variables that are made of each other"),
    }
}

/// The warning that a variable is not set.
pub(super) fn unset(name: &str, place: &Place) -> Problem {
    Problem::warning(&codes::UNSET, format!("variable `{name}` is not set and stands for nothing"))
        .at(place)
        .help(format!("set it, give a default with `${{{name}:-…}}`, or write `$$` where a dollar sign is meant"))
}

/// The part of the place where `part` stands, if it can be found there.
fn narrowed(place: &Place, part: &str) -> Place {
    let part = part.trim_end_matches('…');
    match place.text().find(part) {
        Some(offset) => place.source.place(place.start + offset, place.start + offset + part.len()),
        None => place.clone(),
    }
}

/// What came out of interpolating trees: where which variables were used, and what is wrong.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Variables by the source and start of the value they stand in.
    pub(super) used: std::collections::BTreeMap<(String, usize), Vec<(Used, super::VariableSource)>>,
    /// Variables that are not set, with the first place.
    pub(super) unset: std::collections::BTreeMap<String, Place>,
    pub(super) problems: Problems,
    /// Bytes made so far, against [`BYTES_MAX`].
    bytes: usize,
}

/// Interpolates every text of a tree in place.
pub(super) fn tree(node: &mut Node, variables: &Variables, notes: &mut Notes) {
    match &mut node.value {
        Value::Text(text) if text.contains('$') => match substitute(text, &|name| variables.get(name)) {
            Ok(done) => {
                notes.bytes = notes.bytes.saturating_add(done.text.len());
                if notes.bytes > BYTES_MAX {
                    notes.problems.push(problem(&Fault::TooLarge, &node.place));
                    return;
                }
                for name in done.unset {
                    notes.unset.entry(name.clone()).or_insert_with(|| narrowed(&node.place, &name));
                }
                if !done.used.is_empty() {
                    let used = done.used.into_iter().map(|used| {
                        let from = variables.source(&used);
                        (used, from)
                    });
                    let key = (node.place.source.name().to_owned(), node.place.start);
                    notes.used.insert(key, used.collect());
                }
                *text = done.text;
            }
            Err(fault) => notes.problems.push(problem(&fault, &node.place)),
        },
        Value::List(items) => items.iter_mut().for_each(|item| tree(item, variables, notes)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| tree(&mut entry.value, variables, notes)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lookup(name: &str) -> Option<String> {
        let known = [("SET", "value"), ("EMPTY", ""), ("_x1", "under"), ("PRICE", "$5 ${SET}")];
        known.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
    }

    #[test]
    fn knows_every_form() {
        for (text, wanted) in [
            ("plain", "plain"),
            ("$SET", "value"),
            ("${SET}", "value"),
            ("a${SET}b$SET", "avaluebvalue"),
            ("$SET-x", "value-x"),
            ("$_x1.", "under."),
            ("${UNSET}", ""),
            ("${UNSET:-d}", "d"),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY-d}", ""),
            ("${UNSET-d}", "d"),
            ("${SET:-d}", "value"),
            ("${SET:?no}", "value"),
            ("${EMPTY?no}", ""),
            ("${SET:+other}", "other"),
            ("${EMPTY:+other}", ""),
            ("${EMPTY+other}", "other"),
            ("${UNSET+other}", ""),
            ("${UNSET:-${SET}}", "value"),
            ("${UNSET:-${EMPTY:-${SET}!}}x", "value!x"),
            ("${UNSET:-{\"a\": {}}}", "{\"a\": {}}"),
            ("${UNSET:-a{b}c", "a{bc"),
            ("${UNSET:-http://x:1/?a=b-c+d}", "http://x:1/?a=b-c+d"),
            ("${UNSET:-}", ""),
            ("$$SET", "$SET"),
            ("$$$SET", "$value"),
            ("$${SET}", "${SET}"),
            ("${UNSET:-$$x}", "$x"),
            ("costs 5$", "costs 5$"),
            ("$5 $- $ $é", "$5 $- $ $é"),
            ("$PRICE", "$5 ${SET}"),
            ("${SET:-${UNSET:?never asked}}", "value"),
        ] {
            assert_eq!(substitute(text, &lookup).map(|done| done.text), Ok(wanted.to_owned()), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for text in ["${", "${}", "${1A}", "${SET", "${SET!}", "${ SET}", "${SET:}", "${SET:=x}", "${é}"] {
            assert!(matches!(substitute(text, &lookup), Err(Fault::Malformed(..))), "{text}");
        }
        for (text, message) in
            [("${UNSET?}", ""), ("${EMPTY:?set $SET first}", "set value first"), ("${UNSET:-${EMPTY:?deep}}", "deep")]
        {
            let fault = substitute(text, &lookup).expect_err(text);
            assert!(matches!(&fault, Fault::Required(_, said) if said == message), "{fault:?}");
        }
    }

    #[test]
    fn stays_small_and_quick() {
        let deep = format!("{}{}", "${A:-".repeat(10_000), "}".repeat(10_000));
        assert_eq!(substitute(&deep, &lookup).err(), Some(Fault::TooLarge));
        assert!(substitute(&"${A:-{ }".repeat(200_000), &lookup).is_ok());
        assert!(substitute(&"${".repeat(1_000_000), &lookup).is_err());
        let big = "x".repeat(1 << 20);
        assert_eq!(substitute(&"$A".repeat(100), &|_| Some(big.clone())).err(), Some(Fault::TooLarge));
    }

    proptest! {
        #[test]
        fn text_without_dollar_stays(text in r"[^$]{0,80}") {
            prop_assert_eq!(substitute(&text, &lookup).map(|done| done.text), Ok(text));
        }

        #[test]
        fn escaped_text_comes_back(text in r"[ -~ü]{0,60}") {
            let escaped = text.replace('$', "$$");
            prop_assert_eq!(substitute(&escaped, &lookup).map(|done| done.text), Ok(text));
        }

        #[test]
        fn nothing_panics(text in r"(\$|\{|\}|:|-|\?|\+|SET|EMPTY|U|é| ){0,40}") {
            let _ = substitute(&text, &lookup);
        }
    }
}
