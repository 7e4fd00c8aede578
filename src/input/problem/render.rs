//! Problems as text for people: the line, the stretch underlined, the way out.

use super::Place;
use super::Problem;
use super::Severity;
use super::source::floor;
use annotate_snippets::AnnotationKind;
use annotate_snippets::Level;
use annotate_snippets::Origin;
use annotate_snippets::Renderer;
use annotate_snippets::Snippet;

/// Characters of a long line shown on either side of the place.
const LINE_WINDOW: usize = 120;

/// The problem as text in the style of rustc.
pub(super) fn problem(problem: &Problem, renderer: &Renderer) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(printable(&problem.message)).id(problem.code.id);
    let window = problem.place.as_ref().map(Window::around);
    let mut elements: Vec<annotate_snippets::Element<'_>> = Vec::new();
    if let (Some(place), Some(window)) = (&problem.place, &window) {
        let annotation = AnnotationKind::Primary.span(window.start..window.end).label(problem.label.as_deref());
        if window.whole_line {
            let snippet = Snippet::source(window.line.as_str()).line_start(window.number);
            elements.push(snippet.path(place.source.name()).annotation(annotation).into());
        } else {
            let origin = Origin::path(place.source.name()).line(window.number).char_column(place.column());
            elements.push(origin.into());
            let snippet = Snippet::source(window.line.as_str()).line_start(window.number);
            elements.push(snippet.annotation(annotation).into());
        }
    }
    if let Some(help) = &problem.help {
        elements.push(Level::HELP.message(printable(help)).into());
    }
    renderer.render(&[title.elements(elements)])
}

/// Text that may come from a file, made safe for a terminal: control characters are shown as escapes.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\n' {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The line of a place, cut to what fits a screen.
struct Window {
    line: String,
    number: usize,
    start: usize,
    end: usize,
    whole_line: bool,
}

impl Window {
    fn around(place: &Place) -> Self {
        let text = place.source.text();
        let from = place.first();
        let (number, line_start) = place.source.line_at(from);
        let line_end = text[from..].find('\n').map_or(text.len(), |length| from + length);
        let line_end = line_start.max(line_end - usize::from(text[line_start..line_end].ends_with('\r')));
        let from = from.min(line_end);
        let to = floor(text, place.end).clamp(from, line_end);
        let left =
            text[line_start..from].char_indices().rev().nth(LINE_WINDOW - 1).map_or(0, |(at, _)| at) + line_start;
        let right = text[from..line_end].char_indices().nth(LINE_WINDOW).map_or(line_end, |(at, _)| from + at);
        Self {
            line: text[left..right].to_owned(),
            number,
            start: from - left,
            end: to.min(right) - left,
            whole_line: left == line_start,
        }
    }
}
