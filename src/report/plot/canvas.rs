//! Lines, areas and words on an SVG, at twice the size it is shown at.

use super::palette;
use super::palette::Colour;
use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::drawing::IntoDrawingArea;
use plotters::element::PathElement;
use plotters::element::Polygon;
use plotters::element::Rectangle;
use plotters::element::Text;
use plotters::style::Color;
use plotters::style::FontStyle;
use plotters::style::IntoFont;
use plotters::style::ShapeStyle;
use plotters::style::TextStyle;
use plotters::style::register_font;
use plotters::style::text_anchor::HPos;
use plotters::style::text_anchor::Pos;
use plotters::style::text_anchor::VPos;
use std::fmt::Write;
use std::sync::Once;

/// The font that text is measured and PNGs are drawn with.
pub(super) const FONT: &[u8] = include_bytes!("../font/DejaVuSansCondensed-subset.ttf");
/// plotters divides sizes by this for SVG.
const SIZE_FACTOR: f64 = 1.24;

/// A place in whole pixels of the drawing.
pub(super) type Pixel = (i32, i32);

/// How text lies against its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Middle,
    Right,
}

/// A drawing in the making.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// Draws with `draw` on a canvas of this size; gives the SVG, shown at half the size, with what it shows as its title.
pub(super) fn svg(width: u32, height: u32, title: &str, draw: impl FnOnce(&Canvas<'_>)) -> String {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        let done = register_font("sans-serif", FontStyle::Normal, FONT);
        assert!(done.is_ok(), "the font that is shipped can be read");
    });
    let mut text = String::new();
    {
        let canvas = Canvas { area: SVGBackend::with_string(&mut text, (width, height)).into_drawing_area() };
        canvas.rectangle((0, 0), (pixel(f64::from(width)), pixel(f64::from(height))), palette::PAPER, 1.0);
        draw(&canvas);
        canvas.area.present().expect("text takes all that is drawn");
    }
    let body = text.split_once('>').map_or("", |(_, body)| body);
    let title = escaped(title);
    let mut out = String::with_capacity(body.len() + 300);
    write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-label=\"{title}\"><title>{title}</title>",
        width / 2,
        height / 2
    )
    .expect("text takes all that is written");
    // What every element has anyway need not be said a thousand times.
    out.push_str(&body.replace(" opacity=\"1\"", "").replace(" \"/>", "\"/>"));
    out
}

impl Canvas<'_> {
    pub(super) fn rectangle(&self, from: Pixel, to: Pixel, colour: Colour, opacity: f64) {
        self.draw(&Rectangle::new([from, to], colour.rgb().mix(opacity).filled()));
    }

    pub(super) fn line(&self, points: Vec<Pixel>, colour: Colour, width: u32) {
        if points.len() > 1 {
            self.draw(&PathElement::new(points, stroke(colour, width)));
        }
    }

    /// A level line of dashes.
    pub(super) fn dashes(&self, from: Pixel, to: i32, colour: Colour, width: u32) {
        let mut x = from.0;
        while x < to {
            self.line(vec![(x, from.1), ((x + 12).min(to), from.1)], colour, width);
            x += 22;
        }
    }

    pub(super) fn area(&self, outline: Vec<Pixel>, colour: Colour, opacity: f64) {
        if outline.len() > 2 {
            self.draw(&Polygon::new(outline, colour.rgb().mix(opacity)));
        }
    }

    pub(super) fn text(&self, text: &str, at: Pixel, size: f64, colour: Colour, align: Align) {
        let horizontal = match align {
            Align::Left => HPos::Left,
            Align::Middle => HPos::Center,
            Align::Right => HPos::Right,
        };
        let colour = colour.rgb();
        let style = TextStyle::from(("sans-serif", size * SIZE_FACTOR).into_font())
            .color(&colour)
            .pos(Pos::new(horizontal, VPos::Center));
        self.draw(&Text::new(characters(text), at, style));
    }

    fn draw<'e, E>(&self, element: &'e E)
    where
        &'e E: plotters::element::PointCollection<'e, Pixel>,
        E: for<'b> plotters::element::Drawable<SVGBackend<'b>>,
    {
        self.area.draw(element).expect("text takes all that is drawn");
    }
}

fn stroke(colour: Colour, width: u32) -> ShapeStyle {
    ShapeStyle { color: colour.rgb().to_rgba(), filled: false, stroke_width: width }
}

/// The nearest whole pixel.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and nothing is drawn that far out")]
pub(super) fn pixel(value: f64) -> i32 {
    libm::round(value) as i32
}

/// What XML can hold.
fn characters(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}')).collect()
}

/// Text inside an XML attribute or element.
fn escaped(text: &str) -> String {
    let plain = characters(text);
    plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
