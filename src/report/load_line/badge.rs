//! A load line as a badge for a README: `load line | 2.4× on kvm-4`.

use super::LoadLine;
use super::words;

/// Height, and room beside each text.
const HEIGHT: u32 = 20;
const BESIDE: u32 = 7;
const LABEL: &str = "load line";

/// An SVG of its own. Both texts are as wide as they say themselves, whatever font the reader has.
#[must_use]
pub fn badge(line: &LoadLine) -> String {
    let value = format!("{} on {}", words::short(line), line.scenario.host.name);
    let colour = if line.holds_expected { "#1f6f54" } else { "#a33b00" };
    let escaped =
        |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let (left, right) = (wide(LABEL) + 2 * BESIDE, wide(&value) + 2 * BESIDE);
    let total = left + right;
    let text = |at: u32, words: &str| {
        format!(
            "<text x=\"{}\" y=\"14\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\">{}</text>",
            at + BESIDE,
            wide(words),
            escaped(words)
        )
    };
    let title = escaped(&format!("{LABEL}: {value}"));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{total}\" height=\"{HEIGHT}\" role=\"img\" aria-label=\"{title}\"><title>{title}</title>\
         <clipPath id=\"r\"><rect width=\"{total}\" height=\"{HEIGHT}\" rx=\"3\"/></clipPath><g clip-path=\"url(#r)\">\
         <rect width=\"{left}\" height=\"{HEIGHT}\" fill=\"#24292f\"/><rect x=\"{left}\" width=\"{right}\" height=\"{HEIGHT}\" fill=\"{colour}\"/></g>\
         <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">{}{}</g></svg>\n",
        text(0, LABEL),
        text(left, &value)
    )
}

/// How wide a text is at 11 pixels, about: narrow letters half as wide as the others.
fn wide(text: &str) -> u32 {
    let tenths: u32 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | '.' | ',' | ':' | '|' | '\'' | 'I' => 32,
            'f' | 't' | 'r' | ' ' | '-' | '(' | ')' => 46,
            'm' | 'w' | 'M' | 'W' | '×' => 95,
            _ => 69,
        })
        .sum();
    tenths.div_ceil(10)
}
