//! The room that is left to each bound over the multiple of the load, with the load line and its interval.

use super::canvas::Align;
use super::canvas::Canvas;
use super::canvas::Pixel;
use super::canvas::pixel;
use super::canvas::svg;
use super::palette;
use super::palette::Colour;
use super::panel::TEXT;
use crate::report::figure::rounded;
use crate::report::load_line::CurvePoint;
use crate::report::load_line::End;
use crate::report::load_line::LoadLine;
use crate::report::load_line::multiple;

const WIDTH: u32 = 2000;
const LEFT: i32 = 110;
const RIGHT: i32 = 1440;
const TOP: i32 = 110;
const BOTTOM: i32 = 760;
/// Below the curves, a row for each bound of zero.
const ROW: i32 = 40;
const FOOT: u32 = 110;
/// Margins are drawn between these, in shares of the bound.
const MOST: f64 = 1.0;
const LEAST: f64 = -0.5;
/// Least distance of two names.
const NAME: i32 = 34;
/// Letters of a name.
const LETTERS: usize = 40;
const COLOURS: [Colour; 6] =
    [palette::BLUE, palette::RED, palette::GREEN, palette::PURPLE, palette::NAVY, palette::SKY];

/// A curve with its name.
struct Curve<'a> {
    name: &'a str,
    colour: Colour,
    points: Vec<(f64, f64)>,
}

/// The picture of a host; `None` where there is no curve.
#[must_use]
pub(in crate::report) fn margins(line: &LoadLine) -> Option<String> {
    let last = line.curve.last()?;
    let most = last.multiple.as_fraction();
    let expect = &line.scenario.expect;
    let has_margin = |place: &usize| line.curve.iter().any(|point| margin(point, *place).is_some());
    let (curves, rows): (Vec<usize>, Vec<usize>) = (0..expect.len()).partition(has_margin);
    let curves: Vec<Curve<'_>> = curves
        .iter()
        .enumerate()
        .map(|(number, place)| Curve {
            name: &expect[*place].name,
            colour: COLOURS[number % COLOURS.len()],
            points: line
                .curve
                .iter()
                .filter_map(|point| Some((point.multiple.as_fraction(), margin(point, *place)?)))
                .collect(),
        })
        .collect();
    let below = i32::try_from(rows.len()).unwrap_or(0) * ROW;
    let names = i32::try_from(curves.len()).unwrap_or(0) * NAME;
    let bottom = BOTTOM.max(TOP + names);
    let height = u32::try_from(bottom + below).unwrap_or(0) + FOOT;
    let title = format!("Load line of {}: {}", line.scenario.host.title, line.scenario.name);
    Some(svg(WIDTH, height, &title, |canvas| {
        let x = |at: f64| LEFT + pixel(at / most * f64::from(RIGHT - LEFT));
        let frame = Frame { canvas, x: &x, bottom, floor: bottom + below };
        frame.grid(most);
        frame.line(line);
        frame.curves(&curves);
        for (number, place) in rows.iter().enumerate() {
            let middle = bottom + i32::try_from(number).unwrap_or(0) * ROW + ROW / 2 + 8;
            frame.row(&expect[*place].name, middle, line, *place);
        }
    }))
}

fn margin(point: &CurvePoint, place: usize) -> Option<f64> {
    point.margins.get(place).copied().flatten()
}

struct Frame<'a, 'c> {
    canvas: &'a Canvas<'c>,
    x: &'a dyn Fn(f64) -> i32,
    /// Of the curves.
    bottom: i32,
    /// Of the rows below them.
    floor: i32,
}

impl Frame<'_, '_> {
    fn y(&self, margin: f64) -> i32 {
        let part = (margin.clamp(LEAST, MOST) - LEAST) / (MOST - LEAST);
        self.bottom - pixel(part * f64::from(self.bottom - TOP))
    }

    fn grid(&self, most: f64) {
        let canvas = self.canvas;
        canvas.text("room left to the bound", (20, 30), TEXT, palette::INK, Align::Left);
        for percent in [-50, 0, 50, 100] {
            let y = self.y(f64::from(percent) / 100.0);
            let colour = if percent == 0 { palette::RED } else { palette::GRID };
            canvas.line(vec![(LEFT, y), (RIGHT, y)], colour, if percent == 0 { 3 } else { 1 });
            canvas.text(&format!("{percent}%"), (LEFT - 14, y), TEXT, palette::FAINT, Align::Right);
        }
        let step = [0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0]
            .into_iter()
            .find(|step| most / step <= 8.0)
            .unwrap_or(50.0);
        let mut at = 0.0;
        while at <= most * 1.000_1 {
            canvas.line(vec![((self.x)(at), TOP), ((self.x)(at), self.floor)], palette::GRID, 1);
            canvas.text(
                &format!("{}×", rounded(at, 3)),
                ((self.x)(at), self.floor + 26),
                TEXT,
                palette::FAINT,
                Align::Middle,
            );
            at += step;
        }
        canvas.text("multiple of the expected load", (RIGHT, self.floor + 66), TEXT, palette::INK, Align::Right);
    }

    /// The load line with its interval, and the expected load.
    fn line(&self, line: &LoadLine) {
        let canvas = self.canvas;
        let most = line.curve.last().map_or(1.0, |point| point.multiple.as_fraction());
        let x = |at: f64| (self.x)(at.min(most));
        if most >= 1.0 {
            canvas.line(vec![(x(1.0), TOP), (x(1.0), self.floor)], palette::FAINT, 2);
        }
        let End::Line(found) = &line.end else { return };
        let (low, high) = found.interval;
        canvas.rectangle((x(low.as_fraction()), TOP), (x(high.as_fraction()), self.floor), palette::SAND, 0.25);
        let at = x(found.multiple.as_fraction());
        canvas.line(vec![(at, TOP - 10), (at, self.floor)], palette::INK, 4);
        let text = format!("load line {}", multiple(found.multiple));
        let (expected, side) = (x(1.0), at - x(1.0));
        // Two names above each other's lines where they would meet.
        let (mine, its) = if side >= 0 { (Align::Left, Align::Right) } else { (Align::Right, Align::Left) };
        canvas.text(&text, (at, TOP - 34), 26.0, palette::INK, mine);
        if most >= 1.0 {
            canvas.text("expected load", (expected, TOP - 34), 22.0, palette::FAINT, its);
        }
    }

    fn curves(&self, curves: &[Curve<'_>]) {
        let canvas = self.canvas;
        let mut ends: Vec<(Pixel, &Curve<'_>)> = Vec::new();
        for curve in curves {
            let path: Vec<Pixel> = curve.points.iter().map(|(at, margin)| ((self.x)(*at), self.y(*margin))).collect();
            if let Some(end) = path.last() {
                ends.push((*end, curve));
            }
            canvas.line(path, curve.colour, 4);
        }
        // Names in the order of the ends, each at least so far below the one before.
        ends.sort_by_key(|(end, curve)| (end.1, curve.name));
        let count = i32::try_from(ends.len()).unwrap_or(0);
        let mut next = TOP;
        for (place, (end, curve)) in ends.iter().enumerate() {
            let behind = count - i32::try_from(place).unwrap_or(0) - 1;
            let y = end.1.max(next).min(self.bottom - behind * NAME);
            next = y + NAME;
            canvas.line(vec![(end.0 + 4, end.1), (RIGHT + 26, y)], curve.colour, 2);
            canvas.text(&short(curve.name), (RIGHT + 34, y), TEXT, curve.colour, Align::Left);
        }
    }

    /// A bound of zero: filled where it holds in all seeds, an outline where it does not.
    fn row(&self, name: &str, middle: i32, line: &LoadLine, place: usize) {
        let half = ROW / 2 - 8;
        let edges: Vec<i32> = line.curve.iter().map(|point| (self.x)(point.multiple.as_fraction())).collect();
        let holds = |point: &CurvePoint| point.held.get(place).is_some_and(|held| held.get() >= 1000);
        let mut number = 0;
        for stretch in line.curve.chunk_by(|one, next| holds(one) == holds(next)) {
            let from = if number == 0 { LEFT } else { i32::midpoint(edges[number - 1], edges[number]) };
            number += stretch.len();
            let to = edges.get(number).map_or(RIGHT, |next| i32::midpoint(edges[number - 1], *next));
            if stretch.first().is_some_and(holds) {
                self.canvas.rectangle((from, middle - half), (to, middle + half), palette::GREEN, 0.6);
            } else {
                let around = [(from, middle - half), (to, middle - half), (to, middle + half), (from, middle + half)];
                self.canvas.line(around.into_iter().chain([around[0]]).collect(), palette::RED, 2);
            }
        }
        self.canvas.text(&short(name), (RIGHT + 34, middle), TEXT, palette::INK, Align::Left);
    }
}

fn short(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= LETTERS {
        name.to_owned()
    } else {
        letters[..LETTERS - 1].iter().chain(['…'].iter()).collect()
    }
}
