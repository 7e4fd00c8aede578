//! Env files: lines of `NAME=value` as Compose reads them.
//!
//! A value without quotes ends at the line or at ` #`; in single quotes it is taken as it is; in double quotes escapes are
//! read and lines may follow. Variables are replaced in all but single quotes. A name without `=` takes its value from
//! the environment.

use super::codes;
use super::interpolate;
use super::interpolate::Fault;
use super::interpolate::Lookup;
use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use std::collections::BTreeMap;

/// The largest value of one variable.
const VALUE_BYTES_MAX: usize = 1 << 20;

/// One assignment of an env file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) name: String,
    /// `None` where only the name is given and the environment does not have it.
    pub(super) value: Option<String>,
    pub(super) place: Place,
}

/// Reads all assignments of a file. A name that values refer to is looked up in `outer` first, then among the lines
/// before it, which start with `known`.
pub(super) fn parse(
    source: &Source,
    outer: Lookup<'_>,
    mut known: BTreeMap<String, String>,
    problems: &mut Problems,
) -> Vec<Assignment> {
    let text = source.text();
    let mut list: Vec<Assignment> = Vec::new();
    let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    while at < text.len() {
        let line_end = text[at..].find('\n').map_or(text.len(), |length| at + length);
        let line = &text[at..line_end];
        let start = at + line.len() - line.trim_start().len();
        let line = line.trim();
        at = line_end + 1;
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name_start, assignment) = match line.strip_prefix("export") {
            Some(rest) if rest.starts_with([' ', '\t']) => {
                let rest = rest.trim_start();
                (start + line.len() - rest.len(), rest)
            }
            _ => (start, line),
        };
        let end = assignment.find(['=', ':']);
        let name = assignment[..end.unwrap_or(assignment.len())].trim_end();
        let place = source.place(name_start, name_start + name.len());
        if !is_name(name) {
            problems.push(
                Problem::error(&codes::ENV_FILE, format!("`{}` is not a name of a variable", shown(name)))
                    .at(&place)
                    .help("a line is `NAME=value`, or starts with `#`"),
            );
            continue;
        }
        let Some(end) = end else {
            list.push(Assignment {
                name: name.to_owned(),
                value: outer(name).or_else(|| known.get(name).cloned()),
                place,
            });
            continue;
        };
        let rest = assignment[end + 1..].trim_start();
        let value_start = name_start + assignment.len() - rest.len();
        let (raw, expanded) = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let Some((raw, after)) = quoted(text, value_start, quote) else {
                    problems.push(
                        Problem::error(&codes::ENV_FILE, format!("the quote of `{name}` is not closed"))
                            .at(&source.place(value_start, line_end))
                            .help(format!("add a `{quote}` at the end of the value")),
                    );
                    continue;
                };
                let line_end = text[after..].find('\n').map_or(text.len(), |length| after + length);
                let trailing = text[after..line_end].trim();
                if !trailing.is_empty() && !trailing.starts_with('#') {
                    problems.push(
                        Problem::warning(&codes::ODD, format!("text after the closing quote of `{name}` is left out"))
                            .at(&source.place(after, line_end))
                            .help("put all of the value into the quotes"),
                    );
                }
                at = line_end + 1;
                if quote == '"' { (unescaped(&raw), true) } else { (raw, false) }
            }
            _ => {
                let value = if rest.starts_with('#') { "" } else { rest.split(" #").next().unwrap_or(rest) };
                (value.trim_end().to_owned(), true)
            }
        };
        let value = if expanded && raw.contains('$') {
            let lookup = |name: &str| outer(name).or_else(|| known.get(name).cloned());
            let place = source.place(value_start, line_end);
            match interpolate::substitute(&raw, &lookup) {
                Ok(done) if done.text.len() <= VALUE_BYTES_MAX => {
                    for unset in done.unset {
                        problems.push(interpolate::unset(&unset, &place));
                    }
                    done.text
                }
                Ok(_) => {
                    problems.push(interpolate::problem(&Fault::TooLarge, &place));
                    continue;
                }
                Err(fault) => {
                    problems.push(interpolate::problem(&fault, &place));
                    continue;
                }
            }
        } else {
            raw
        };
        known.insert(name.to_owned(), value.clone());
        list.push(Assignment { name: name.to_owned(), value: Some(value), place });
    }
    list
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.-[]".contains(c))
}

fn shown(name: &str) -> String {
    name.chars().take(40).collect()
}

/// The text between quotes, and the byte after the closing one. A quote after a backslash does not close.
fn quoted(text: &str, start: usize, quote: char) -> Option<(String, usize)> {
    let mut raw = String::new();
    let mut characters = text[start + 1..].char_indices();
    while let Some((offset, character)) = characters.next() {
        if character == quote {
            return Some((raw, start + 1 + offset + 1));
        }
        if character != '\\' {
            raw.push(character);
            continue;
        }
        match characters.next() {
            Some((_, next)) if next == quote => raw.push(quote),
            Some((_, next)) => {
                raw.push('\\');
                raw.push(next);
            }
            None => return None,
        }
    }
    None
}

/// Reads the escapes of double quotes; `\$` becomes `$$`, which is a dollar sign once variables are replaced.
fn unescaped(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let Some(escape) = after.chars().next() else {
            text.push('\\');
            return text;
        };
        let mut taken = escape.len_utf8();
        match escape {
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            'a' => text.push('\u{7}'),
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            'v' => text.push('\u{b}'),
            '\\' => text.push('\\'),
            '"' => text.push('"'),
            '$' => text.push_str("$$"),
            '0' => {
                let digits: String = after[1..].chars().take(3).take_while(|c| c.is_digit(8)).collect();
                taken += digits.len();
                match u32::from_str_radix(&digits, 8).ok().and_then(char::from_u32) {
                    Some(character) => text.push(character),
                    None => text.push_str("\\0"),
                }
            }
            other => {
                text.push('\\');
                text.push(other);
            }
        }
        rest = &after[taken..];
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::problem::Severity;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<(String, Option<String>)> {
        let mut problems = Problems::new();
        let outer = |name: &str| (name == "HOME").then(|| "/home/ada".to_owned());
        let list = parse(&Source::new(".env", text), &outer, BTreeMap::new(), &mut problems);
        assert!(!problems.has_errors(), "{problems}");
        list.into_iter().map(|assignment| (assignment.name, assignment.value)).collect()
    }

    #[test]
    fn reads_what_people_write() {
        for (text, value) in [
            ("A=1", "1"),
            ("A=", ""),
            ("A = 1 ", "1"),
            ("  export A=1", "1"),
            ("A: yaml", "yaml"),
            ("A=a b # comment", "a b"),
            ("A=a#b", "a#b"),
            ("A=# all comment", ""),
            ("A='single # $HOME \\n'", "single # $HOME \\n"),
            ("A=\"double # $HOME\\n\" # comment", "double # /home/ada\n"),
            ("A=\"two\nlines\"", "two\nlines"),
            ("A='it\\'s'", "it's"),
            ("A=\"say \\\"hi\\\"\"", "say \"hi\""),
            ("A=\"\\$HOME $$HOME \\0101\"", "$HOME $HOME A"),
            ("A=${HOME}/x", "/home/ada/x"),
            ("A=${B:-d}", "d"),
            ("A=x=y", "x=y"),
            ("A=1\r", "1"),
            ("\u{feff}A=1", "1"),
        ] {
            assert_eq!(read(text), [("A".to_owned(), Some(value.to_owned()))], "{text:?}");
        }
    }

    #[test]
    fn a_file_is_read_from_top_to_bottom() {
        let text = "# head\n\nA=1\nB=${A}2\nHOME=here\nC=$HOME\nHOME\nNONE\nA=3\nD=$A\n";
        let value = |name: &str| read(text).into_iter().rfind(|(known, _)| known == name).and_then(|(_, value)| value);
        assert_eq!(value("B").as_deref(), Some("12"));
        assert_eq!(value("C").as_deref(), Some("/home/ada"), "the environment wins");
        assert_eq!(value("HOME").as_deref(), Some("/home/ada"));
        assert_eq!(value("NONE"), None);
        assert_eq!(value("D").as_deref(), Some("3"));
    }

    #[test]
    fn tells_all_bad_lines_with_their_places() {
        let mut problems = Problems::new();
        parse(&Source::new(".env", "no name\nA='open\n"), &|_| None, BTreeMap::new(), &mut problems);
        parse(
            &Source::new("b.env", "=x\nB=\"x\" y\nC=${C:?set it}\nD=ok\n"),
            &|_| None,
            BTreeMap::new(),
            &mut problems,
        );
        let told: Vec<String> =
            problems.iter().filter_map(|problem| problem.place.as_ref().map(ToString::to_string)).collect();
        assert_eq!(told, [".env:1:1", ".env:2:3", "b.env:1:1", "b.env:2:6", "b.env:3:3"]);
        assert_eq!(problems.iter().filter(|problem| problem.severity == Severity::Warning).count(), 1);
    }

    #[test]
    fn variables_that_double_stop() {
        let mut text = "A0=xxxxxxxxxxxxxxxx\n".to_owned();
        for level in 1..60 {
            text.push_str(&format!("A{level}=$A{0}$A{0}\n", level - 1));
        }
        let mut problems = Problems::new();
        let list = parse(&Source::new(".env", text), &|_| None, BTreeMap::new(), &mut problems);
        assert!(
            problems.has_errors()
                && list.iter().all(|one| one.value.as_ref().is_none_or(|v| v.len() <= VALUE_BYTES_MAX))
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(text in r#"([A-C]|=|'|"|\\|\n|\$|\{|\}|#| |export |é|0){0,60}"#) {
            parse(&Source::new(".env", text), &|_| None, BTreeMap::new(), &mut Problems::new());
        }
    }
}
