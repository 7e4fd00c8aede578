//! A plane of two figures of which the first is better small and the second large: what something costs, and what it carries.

use super::axis::Scale;
use super::canvas::Align;
use super::canvas::Canvas;
use super::canvas::Pixel;
use super::canvas::pixel;
use super::canvas::svg;
use super::names;
use super::names::Area;
use super::names::MARK;
use super::palette;
use super::panel::TEXT;
use crate::report::figure::Unit;

const WIDTH: u32 = 1700;
const HEIGHT: u32 = 1100;
const NAME: f64 = 24.0;
const LETTER: f64 = 13.6;
/// Half the size of a point without a name.
const SMALL: i32 = 6;

/// What is drawn.
#[derive(Debug, Clone)]
pub struct PricePlane {
    /// What it is called.
    pub title: String,
    /// What the level axis has.
    pub across: String,
    /// What the upright axis has.
    pub up: String,
    /// A line across at this height.
    pub wanted: Option<f64>,
    /// The points.
    pub marks: Vec<PriceMark>,
}

/// A point with its name.
#[derive(Debug, Clone)]
pub struct PriceMark {
    /// The name; a point without one is small.
    pub name: String,
    /// Where it is on the level axis; zero or more.
    pub x: f64,
    /// Where it is on the upright one; zero or more.
    pub y: f64,
    /// Nothing that costs as little carries more.
    pub on_front: bool,
}

/// The plane as SVG. A full diamond is on the front, an empty circle is not.
#[must_use]
pub fn price_plane(plane: &PricePlane) -> String {
    svg(WIDTH, HEIGHT, &plane.title, |canvas| {
        canvas.text(&plane.title, (120, 34), 30.0, palette::INK, Align::Left);
        draw(canvas, plane);
    })
}

fn draw(canvas: &Canvas<'_>, plane: &PricePlane) {
    let area = Area { left: 120, top: 130, right: 1660, bottom: 1000 };
    let most = |each: fn(&PriceMark) -> f64| plane.marks.iter().map(each).fold(0.0, f64::max);
    let across = Scale::linear(most(|mark| mark.x) * 1.08, Unit::Number);
    let up = Scale::linear(most(|mark| mark.y).max(plane.wanted.unwrap_or(0.0)) * 1.12, Unit::Number);
    let x = |value: f64| area.left + pixel(across.height(value) * f64::from(area.right - area.left));
    let y = |value: f64| area.bottom - pixel(up.height(value) * f64::from(area.bottom - area.top));
    canvas.text(&plane.up, (area.left, area.top - 44), TEXT, palette::INK, Align::Left);
    canvas.text(&plane.across, (area.right, area.bottom + 60), TEXT, palette::INK, Align::Right);
    for tick in &up.ticks {
        canvas.line(vec![(area.left, y(tick.at)), (area.right, y(tick.at))], palette::GRID, 1);
        canvas.text(&tick.text, (area.left - 14, y(tick.at)), TEXT, palette::FAINT, Align::Right);
    }
    for tick in &across.ticks {
        canvas.line(vec![(x(tick.at), area.top), (x(tick.at), area.bottom)], palette::GRID, 1);
        canvas.text(&tick.text, (x(tick.at), area.bottom + 24), TEXT, palette::FAINT, Align::Middle);
    }
    let mut bars = Vec::new();
    if let Some(wanted) = plane.wanted {
        let line = ((area.left, y(wanted)), (area.right, y(wanted)));
        canvas.line(vec![line.0, line.1], palette::INK, 3);
        canvas.text("wanted", (area.right, y(wanted) + 24), TEXT, palette::INK, Align::Right);
        bars.push(line);
    }
    let places: Vec<Pixel> = plane.marks.iter().map(|mark| (x(mark.x), y(mark.y))).collect();
    let mut front: Vec<Pixel> =
        plane.marks.iter().zip(&places).filter(|(mark, _)| mark.on_front).map(|(_, place)| *place).collect();
    front.sort_unstable_by_key(|(x, y)| (*x, std::cmp::Reverse(*y)));
    let mut stairs: Vec<Pixel> = Vec::new();
    for (column, row) in front {
        if let Some((_, before)) = stairs.last().copied() {
            stairs.push((column, before));
        }
        stairs.push((column, row));
    }
    canvas.line(stairs.clone(), palette::GREEN, 3);
    for (mark, (column, row)) in plane.marks.iter().zip(&places) {
        draw_mark(canvas, (*column, *row), mark);
    }
    let named: Vec<&PriceMark> = plane.marks.iter().filter(|mark| !mark.name.is_empty()).collect();
    let places: Vec<Pixel> = named.iter().map(|mark| (x(mark.x), y(mark.y))).collect();
    let wide: Vec<i32> = named.iter().map(|mark| pixel(mark.name.chars().count() as f64 * LETTER / 2.0) + 10).collect();
    for (mark, place) in named.iter().zip(names::places(&places, &wide, &area, &stairs, &bars)) {
        let Some(place) = place else { continue };
        if let Some((from, to)) = place.link {
            canvas.line(vec![from, to], palette::FAINT, 2);
        }
        let colour = if mark.on_front { palette::GREEN } else { palette::INK };
        canvas.text(&mark.name, place.centre, NAME, colour, Align::Middle);
    }
}

fn draw_mark(canvas: &Canvas<'_>, (x, y): Pixel, mark: &PriceMark) {
    let on_front = mark.on_front;
    if mark.name.is_empty() {
        let corners = vec![(x - SMALL, y), (x, y - SMALL), (x + SMALL, y), (x, y + SMALL)];
        canvas.area(corners, palette::FAINT, 1.0);
        return;
    }
    let far = MARK + if on_front { 3 } else { 0 };
    let corners = vec![(x - far, y), (x, y - far), (x + far, y), (x, y + far)];
    if on_front {
        canvas.area(corners, palette::GREEN, 1.0);
        return;
    }
    canvas.area(corners.clone(), palette::PAPER, 1.0);
    canvas.line(corners.iter().chain(corners.first()).copied().collect(), palette::INK, 3);
}
