//! Lines, dots and words on an SVG, at twice the size it is shown at, in colours that also read in the dark.

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::drawing::IntoDrawingArea;
use plotters::element::Circle;
use plotters::element::PathElement;
use plotters::element::Text;
use plotters::style::Color;
use plotters::style::FontStyle;
use plotters::style::IntoFont;
use plotters::style::RGBColor;
use plotters::style::ShapeStyle;
use plotters::style::TextStyle;
use plotters::style::register_font;
use plotters::style::text_anchor::HPos;
use plotters::style::text_anchor::Pos;
use plotters::style::text_anchor::VPos;

/// The font that text is measured with; the one of the program's own pictures.
const FONT: &[u8] = include_bytes!("../../src/report/font/DejaVuSansCondensed-subset.ttf");
/// plotters divides sizes by this for SVG.
const SIZE_FACTOR: f64 = 1.24;

pub(crate) const INK: RGBColor = RGBColor(31, 35, 40);
pub(crate) const FAINT: RGBColor = RGBColor(89, 99, 110);
pub(crate) const GRID: RGBColor = RGBColor(222, 226, 231);
pub(crate) const BLUE: RGBColor = RGBColor(0, 114, 178);
pub(crate) const RED: RGBColor = RGBColor(213, 94, 0);
/// The light colours and what they become in the dark.
const DARK: [(RGBColor, &str); 6] = [
    (RGBColor(255, 255, 255), "#161B22"),
    (INK, "#E6EDF3"),
    (FAINT, "#9198A1"),
    (GRID, "#30363D"),
    (BLUE, "#56B4E9"),
    (RED, "#FF8A3C"),
];

pub(crate) type Pixel = (i32, i32);

pub(crate) struct Canvas<'a>(DrawingArea<SVGBackend<'a>, Shift>);

/// Draws on a canvas of this size; gives the SVG, shown at half the size, with what it shows as its title.
pub(crate) fn svg(width: i32, height: i32, title: &str, draw: impl FnOnce(&Canvas<'_>)) -> String {
    assert!(register_font("sans-serif", FontStyle::Normal, FONT).is_ok(), "the font can be read");
    let mut text = String::new();
    {
        let size = (width.unsigned_abs(), height.unsigned_abs());
        let canvas = Canvas(SVGBackend::with_string(&mut text, size).into_drawing_area());
        canvas.0.fill(&DARK[0].0).expect("text takes all");
        draw(&canvas);
        canvas.0.present().expect("text takes all");
    }
    let body = text.split_once('>').expect("an SVG").1.replace(" opacity=\"1\"", "").replace(" \"/>", "\"/>");
    let rules: String = DARK
        .iter()
        .map(|(RGBColor(red, green, blue), dark)| {
            let light = format!("#{red:02X}{green:02X}{blue:02X}");
            format!("[fill=\"{light}\"]{{fill:{dark}}}[stroke=\"{light}\"]{{stroke:{dark}}}")
        })
        .collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-label=\"{title}\"><title>{title}</title>\
         <style>@media(prefers-color-scheme:dark){{{rules}}}</style>{body}",
        width / 2,
        height / 2
    )
}

impl Canvas<'_> {
    pub(crate) fn line(&self, points: Vec<Pixel>, colour: RGBColor, width: u32) {
        let style = ShapeStyle { color: colour.to_rgba(), filled: false, stroke_width: width };
        self.0.draw(&PathElement::new(points, style)).expect("text takes all");
    }

    /// A line of dashes with corners.
    pub(crate) fn dashes(&self, from: Pixel, to: Pixel, colour: RGBColor) {
        let mut x = from.0;
        let y = |x: i32| from.1 + (to.1 - from.1) * (x - from.0) / (to.0 - from.0).max(1);
        while x < to.0 {
            let end = (x + 12).min(to.0);
            self.line(vec![(x, y(x)), (end, y(end))], colour, 2);
            x += 22;
        }
    }

    pub(crate) fn dot(&self, at: Pixel, radius: i32, colour: RGBColor) {
        self.0.draw(&Circle::new(at, radius, colour.filled())).expect("text takes all");
    }

    /// Text whose left end, middle or right end (-1, 0, 1) is at a place.
    pub(crate) fn text(&self, text: &str, at: Pixel, size: f64, colour: RGBColor, align: i32) {
        let horizontal = [HPos::Left, HPos::Center, HPos::Right][(align + 1).unsigned_abs() as usize];
        let font = ("sans-serif", size * SIZE_FACTOR).into_font();
        let style = TextStyle::from(font).color(&colour).pos(Pos::new(horizontal, VPos::Center));
        self.0.draw(&Text::new(text.to_owned(), at, style)).expect("text takes all");
    }
}
