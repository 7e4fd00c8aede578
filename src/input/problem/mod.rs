//! What is wrong with a file, where, and the way out. Every input format reports through these types.
//!
//! Before you change it:
//! 1. Offsets in a [`Place`] are bytes of the text as it was read; lines and columns are worked out when shown.
//! 2. Problems are shown sorted by file and place, so the order in which they were found never matters.
//! 3. What is kept is bounded ([`KEPT_MAX`]): a file of ten megabytes may hold a million mistakes.

mod render;
mod source;

pub use source::BYTES_MAX;
pub use source::CODES;
pub use source::Place;
pub use source::Source;

use annotate_snippets::Renderer;
use std::cmp::Ordering;
use std::fmt;

/// Problems kept in one [`Problems`]; later ones are only counted.
pub const KEPT_MAX: usize = 500;

/// Problems shown in full by [`Problems::render`]; the rest is a number.
pub const SHOWN_MAX: usize = 50;

/// Known names that [`nearest`] looks at.
const CANDIDATES_MAX: usize = 2000;

/// A kind of problem, with a stable name that `plimsoll explain` knows.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The name, such as `PL0107`.
    pub id: &'static str,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// What it means, an example, and the way out.
    pub explanation: &'static str,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing can be done with the file.
    Error,
    /// Work goes on, but the reader should know.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong, with its place and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of problem.
    pub code: &'static Code,
    /// What is wrong; lowercase, no final period, values in backticks.
    pub message: String,
    /// Where, if it is in a text.
    pub place: Option<Place>,
    /// A few words beside the underlined text.
    pub label: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// An error without a place yet.
    #[must_use]
    pub fn error(code: &'static Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, message: message.into(), place: None, label: None, help: None }
    }

    /// A warning without a place yet.
    #[must_use]
    pub fn warning(code: &'static Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// The same problem at this place.
    #[must_use]
    pub fn at(self, place: &Place) -> Self {
        Self { place: Some(place.clone()), ..self }
    }

    /// The same problem with a few words beside the underlined text.
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: Some(label.into()), ..self }
    }

    /// The same problem with the way out.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The problem as JSON: severity, code, message, file, line, column, help.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "severity": self.severity.as_str(),
            "code": self.code.id,
            "message": self.message,
            "file": self.place.as_ref().map(|place| place.source.name()),
            "line": self.place.as_ref().map(Place::line),
            "column": self.place.as_ref().map(Place::column),
            "help": self.help,
        })
    }

    fn order(&self, other: &Self) -> Ordering {
        let key = |problem: &Self| problem.place.as_ref().map(|place| (place.start, place.end));
        let name = |problem: &Self| problem.place.as_ref().map(|place| place.source.name().to_owned());
        (name(self), key(self), self.severity, self.code.id, &self.message).cmp(&(
            name(other),
            key(other),
            other.severity,
            other.code.id,
            &other.message,
        ))
    }
}

/// Everything that is wrong with the input, to be shown at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    kept: Vec<Problem>,
    /// Problems beyond [`KEPT_MAX`].
    dropped: usize,
    errors: bool,
}

impl Problems {
    /// No problem so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one problem.
    pub fn push(&mut self, problem: Problem) {
        self.errors |= problem.severity == Severity::Error;
        if self.kept.len() < KEPT_MAX {
            self.kept.push(problem);
        } else {
            self.dropped += 1;
        }
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: Self) {
        self.errors |= other.errors;
        self.dropped += other.dropped;
        for problem in other.kept {
            self.push(problem);
        }
    }

    /// Whether further problems are only counted, so that nothing costly need be done for their words.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.kept.len() >= KEPT_MAX
    }

    /// Whether anything of it is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The problems kept, sorted by file and place, each once.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        let mut sorted: Vec<&Problem> = self.kept.iter().collect();
        sorted.sort_by(|left, right| left.order(right));
        sorted.dedup();
        sorted.into_iter()
    }

    /// The text for a terminal of so many columns, without a final line end; empty for no problems.
    #[must_use]
    pub fn render(&self, width: usize, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() }.term_width(width.max(40));
        let mut count: usize = 0;
        let mut parts: Vec<String> = Vec::new();
        for problem in self.iter() {
            count += 1;
            if count <= SHOWN_MAX {
                parts.push(render::problem(problem, &renderer));
            }
        }
        let more = count.saturating_sub(SHOWN_MAX) + self.dropped;
        if more > 0 {
            parts.push(format!("and {more} more"));
        }
        parts.join("\n\n")
    }

    /// All kept problems as a JSON list, see [`Problem::to_json`].
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::Value::Array(self.iter().map(Problem::to_json).collect())
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        let mut problems = Self::new();
        problems.push(problem);
        problems
    }
}

impl FromIterator<Problem> for Problems {
    fn from_iter<I: IntoIterator<Item = Problem>>(list: I) -> Self {
        let mut problems = Self::new();
        for problem in list {
            problems.push(problem);
        }
        problems
    }
}

impl fmt::Display for Problems {
    /// As plain text for a screen of 100 columns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(100, false))
    }
}

impl std::error::Error for Problems {}

/// The known name that the user most likely meant; `None` where nothing is really near.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let wanted = plain(name);
    let length = wanted.chars().count();
    if length > 100 {
        return None;
    }
    let allowed = match length {
        0..=1 => 0,
        2..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    known
        .into_iter()
        .take(CANDIDATES_MAX)
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= 2 * allowed + 2)
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *candidate != name)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    static CODE: Code = Code { id: "PL0099", title: "a test", explanation: "only for tests" };

    #[test]
    fn points_at_the_text() {
        let source = Source::new("scenarios/peak.yaml", "name: peak\nwant: latncy.web < 1s\n");
        let problem = Problem::error(&CODE, "unknown metric `latncy.web`, did you mean `latency.web`?")
            .at(&source.place(17, 27))
            .label("not a metric")
            .help("`plimsoll explain metrics` lists them");
        let shown = Problems::from(problem).render(80, false);
        assert!(shown.starts_with("error[PL0099]: unknown metric `latncy.web`"), "{shown}");
        assert!(shown.contains("--> scenarios/peak.yaml:2:7"), "{shown}");
        assert!(shown.contains("2 | want: latncy.web < 1s"), "{shown}");
        assert!(shown.contains("|       ^^^^^^^^^^ not a metric"), "{shown}");
        assert!(shown.contains("= help: `plimsoll explain metrics` lists them"), "{shown}");
    }

    #[test]
    fn counts_columns_in_characters_even_far_out_on_a_long_line() {
        let text = format!("größe: {}HERE{}\n", "ü".repeat(300), "x".repeat(5000));
        let start = text.find("HERE").expect("is in it");
        let place = Source::new("long.yaml", text).place(start, start + 4);
        assert_eq!((place.line(), place.column(), place.text()), (1, 308, "HERE"));
        let shown = Problems::from(Problem::warning(&CODE, "too long").at(&place)).render(100, false);
        assert!(shown.contains("long.yaml:1:308") && shown.contains("HERE"), "{shown}");
        assert!(shown.len() < 2000, "{shown}");
    }

    #[test]
    fn sorts_by_place_says_each_once_and_caps() {
        let source = Source::new("a.yaml", "x\n".repeat(2000));
        let mut problems = Problems::new();
        for line in (0..1000).rev() {
            problems.push(Problem::error(&CODE, format!("wrong {line}")).at(&source.place(line * 2, line * 2 + 1)));
        }
        let lines: Vec<usize> = problems.iter().filter_map(|problem| Some(problem.place.as_ref()?.line())).collect();
        assert!(lines.is_sorted() && lines.len() == KEPT_MAX);
        assert!(problems.render(80, false).ends_with("and 950 more"));
        let twice: Problems = [Problem::error(&CODE, "same"), Problem::error(&CODE, "same")].into_iter().collect();
        assert_eq!(twice.to_json().as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn a_place_outside_the_text_is_cut_off() {
        for (text, start, end) in [("", 0, 9), ("ab\r\n", 7, 9), ("ü", 1, 1), ("a\n", 2, 2), ("a\r\n", 2, 3)] {
            let place = Source::new("cut.yaml", text).place(start, end);
            assert!(!Problems::from(Problem::error(&CODE, "cut").at(&place)).render(80, true).is_empty());
        }
    }

    #[test]
    fn terminals_are_safe_from_file_text() {
        let shown = Problems::from(Problem::error(&CODE, "unknown key `\u{1b}[2J`")).render(80, false);
        assert!(!shown.contains('\u{1b}'), "{shown}");
    }

    #[test]
    fn suggests_only_what_is_near() {
        let known = ["healthcheck", "deploy", "image", "mem_limit"];
        assert_eq!(nearest("helthcheck", known), Some("healthcheck"));
        assert_eq!(nearest("mem-limit", known), Some("mem_limit"));
        assert_eq!(nearest("Deploy", known), Some("deploy"));
        assert_eq!(nearest("volumes", known), None);
        assert_eq!(nearest("image", known), None);
    }
}
