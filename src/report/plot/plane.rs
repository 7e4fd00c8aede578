//! The plane of two figures, less of both being better: every policy with its name, and the front of those that are a choice.

use super::canvas::Align;
use super::canvas::Canvas;
use super::canvas::Pixel;
use super::canvas::pixel;
use super::names;
use super::names::Area;
use super::names::MARK;
use super::palette;
use super::panel::TEXT;
use crate::report::compare::Comparison;
use crate::report::compare::Measure;
use crate::report::compare::Standing;
use crate::report::figure::rounded;

/// Size of names, and how wide a letter of it is.
const NAME: f64 = 24.0;
const LETTER: f64 = 13.6;
/// Room below zero, for marks and names.
const FLOOR: i32 = 170;

/// The plane of a comparison.
pub(super) struct Plane {
    points: Vec<Point>,
}

struct Point {
    name: String,
    at: [f64; 2],
    /// Low and high ends of the intervals.
    ends: [Option<(f64, f64)>; 2],
    on_front: bool,
}

/// One axis: its range and the values that are named.
struct Axis {
    low: f64,
    high: f64,
    ticks: Vec<f64>,
    /// Small values are spread, by the square root.
    spread: bool,
}

impl Plane {
    /// `None` where there is none.
    pub(super) fn of(comparison: &Comparison) -> Option<Self> {
        let plane = comparison.plane?;
        let points = comparison.rows.iter().filter(|row| row.standing != Standing::Unplaced).filter_map(|row| {
            let [cost, broken] = plane.map(|measure| row.figures.get(&measure));
            let (cost, broken) = (cost?, broken?);
            let ends = [cost, broken].map(|estimate| estimate.interval.map(|interval| (interval.low, interval.high)));
            let on_front = row.standing == Standing::OnFront;
            Some(Point { name: row.name.clone(), at: [cost.mean, broken.mean], ends, on_front })
        });
        let points: Vec<Point> = points.collect();
        (!points.is_empty()).then_some(Self { points })
    }

    /// Draws it between two corners.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, from: Pixel, to: Pixel) {
        let area = Area { left: from.0 + 96, top: from.1 + 40, right: to.0, bottom: to.1 - 96 };
        let floor = area.bottom - FLOOR;
        let highest = |axis: usize| self.points.iter().map(|point| point.at[axis]).fold(0.0, f64::max);
        let lowest = |axis: usize| self.points.iter().map(|point| point.at[axis]).fold(f64::INFINITY, f64::min);
        let (cost, broken) = (Axis::of(lowest(0), highest(0)), Axis::from_zero(highest(1)));
        let x = |value: f64| area.left + pixel(cost.part(value) * f64::from(area.right - area.left));
        let y = |value: f64| floor - pixel(broken.part(value) * f64::from(floor - area.top));
        let at = |point: &Point| (x(point.at[0]), y(point.at[1]));

        canvas.text(
            "time with a broken SLO (square root scale)",
            (from.0, from.1 + 8),
            TEXT,
            palette::INK,
            Align::Left,
        );
        for tick in &broken.ticks {
            canvas.line(vec![(area.left, y(*tick)), (area.right, y(*tick))], palette::GRID, 1);
            let text = Measure::BrokenTime.text(*tick, None);
            canvas.text(&text, (area.left - 14, y(*tick)), TEXT, palette::FAINT, Align::Right);
        }
        for tick in &cost.ticks {
            canvas.line(vec![(x(*tick), area.top), (x(*tick), area.bottom)], palette::GRID, 1);
            canvas.text(&rounded(*tick, 4), (x(*tick), area.bottom + 24), TEXT, palette::FAINT, Align::Middle);
        }
        let foot = "cost of what is kept for the services, USD a month";
        canvas.text(foot, (area.right, area.bottom + 60), TEXT, palette::INK, Align::Right);

        let stairs = self.stairs(&area, &at);
        canvas.line(stairs.clone(), palette::GREEN, 3);
        let mut bars: Vec<(Pixel, Pixel)> = Vec::new();
        for point in &self.points {
            let (column, row) = at(point);
            if let Some((low, high)) = point.ends[0] {
                bars.push(((x(low).max(area.left), row), (x(high).min(area.right), row)));
            }
            if let Some((low, high)) = point.ends[1] {
                bars.push(((column, y(low.max(0.0))), (column, y(high).max(area.top))));
            }
        }
        bars.iter().for_each(|(from, to)| canvas.line(vec![*from, *to], palette::FAINT, 2));
        self.points.iter().for_each(|point| mark(canvas, at(point), point.on_front));
        self.draw_names(canvas, &area, &at, (&stairs, &bars));
    }

    /// The front as stairs: left of them and below nobody is.
    fn stairs(&self, area: &Area, at: &dyn Fn(&Point) -> Pixel) -> Vec<Pixel> {
        let mut front: Vec<Pixel> = self.points.iter().filter(|point| point.on_front).map(at).collect();
        front.sort_unstable_by_key(|(x, y)| (*x, std::cmp::Reverse(*y)));
        let (Some(first), Some(last)) = (front.first().copied(), front.last().copied()) else {
            return Vec::new();
        };
        let mut stairs = vec![(first.0, area.top)];
        for (x, y) in front {
            if let Some((_, above)) = stairs.last().copied() {
                stairs.push((x, above));
            }
            stairs.push((x, y));
        }
        // The first step goes down from the top, not along it.
        stairs.dedup();
        stairs.push((area.right, last.1));
        stairs
    }

    fn draw_names(
        &self,
        canvas: &Canvas<'_>,
        area: &Area,
        at: &dyn Fn(&Point) -> Pixel,
        (stairs, bars): (&[Pixel], &[(Pixel, Pixel)]),
    ) {
        // Those at one place have one name, as they have one mark.
        let mut marks: Vec<(Pixel, Vec<&Point>)> = Vec::new();
        for point in &self.points {
            let place = at(point);
            match marks.iter_mut().find(|(known, _)| *known == place) {
                Some((_, points)) => points.push(point),
                None => marks.push((place, vec![point])),
            }
        }
        let names: Vec<String> = marks.iter().map(|(_, points)| shared_name(points)).collect();
        let wide = |name: &String| pixel(name.chars().count() as f64 * LETTER / 2.0) + 10;
        let wide: Vec<i32> = names.iter().map(wide).collect();
        let pixels: Vec<Pixel> = marks.iter().map(|(place, _)| *place).collect();
        let places = names::places(&pixels, &wide, area, stairs, bars);
        for (((_, points), name), place) in marks.iter().zip(&names).zip(places) {
            let Some(place) = place else { continue };
            if let Some((from, to)) = place.link {
                canvas.line(vec![from, to], palette::FAINT, 2);
            }
            let is_on_front = points.iter().any(|point| point.on_front);
            let colour = if is_on_front { palette::GREEN } else { palette::INK };
            canvas.text(name, place.centre, NAME, colour, Align::Middle);
        }
    }
}

/// One name for points at one place: both, or the first and how many more.
fn shared_name(points: &[&Point]) -> String {
    match points {
        [one] => one.name.clone(),
        [one, other] => format!("{}, {}", one.name, other.name),
        [first, more @ ..] => format!("{} and {} more", first.name, more.len()),
        [] => String::new(),
    }
}

/// A full diamond on the front, an empty circle off it.
fn mark(canvas: &Canvas<'_>, (x, y): Pixel, on_front: bool) {
    if on_front {
        let far = MARK + 3;
        canvas.area(vec![(x - far, y), (x, y - far), (x + far, y), (x, y + far)], palette::GREEN, 1.0);
        return;
    }
    let round: Vec<Pixel> = (0..=16)
        .map(|part| {
            let angle = f64::from(part) / 16.0 * std::f64::consts::TAU;
            let far = f64::from(MARK);
            (x + pixel(far * libm::cos(angle)), y + pixel(far * libm::sin(angle)))
        })
        .collect();
    canvas.area(round.clone(), palette::PAPER, 1.0);
    canvas.line(round, palette::INK, 3);
}

impl Axis {
    /// Around two values; from zero on where they are far apart.
    fn of(low: f64, high: f64) -> Self {
        let high = if high > 0.0 { high } else { 1.0 };
        let low = if low < high * 0.2 { 0.0 } else { low };
        let step = nice((high - low).max(high * 0.02) / 4.0);
        let (first, last) = (libm::floor(low / step), libm::ceil(high / step + 0.2));
        let mut ticks = Vec::new();
        let mut place = first;
        while place <= last {
            ticks.push(place * step);
            place += 1.0;
        }
        Self { low: first * step, high: last * step, ticks, spread: false }
    }

    /// From zero to a share, small ones spread.
    fn from_zero(high: f64) -> Self {
        let high = (high * 1.1).clamp(0.000_1, 1.0);
        let marks = [0.0, 0.000_1, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0];
        let mut axis = Self { low: 0.0, high, ticks: Vec::new(), spread: true };
        for mark in marks.into_iter().rev().filter(|mark| *mark <= high) {
            let part = axis.part(mark);
            let apart = |other: f64| (axis.part(other) - part).abs() > 0.07;
            if mark == 0.0 || axis.ticks.last().is_none_or(|last| apart(*last)) && apart(0.0) {
                axis.ticks.push(mark);
            }
        }
        axis
    }

    /// Where a value is: 0 to 1.
    fn part(&self, value: f64) -> f64 {
        let part = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        if self.spread { libm::sqrt(part) } else { part }
    }
}

/// The next 1, 2 or 5 of a power of ten.
fn nice(wanted: f64) -> f64 {
    let size = libm::exp10(libm::floor(libm::log10(wanted)));
    [1.0, 2.0, 5.0].map(|part| part * size).into_iter().find(|step| *step >= wanted * 0.999).unwrap_or(10.0 * size)
}
