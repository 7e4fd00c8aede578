//! Policies side by side: the load, and below it what is needed and what each policy has, a strip for each with its name
//! behind it; beside them the plane of cost and broken service levels.

use super::axis;
use super::axis::Scale;
use super::canvas::Align;
use super::canvas::Canvas;
use super::canvas::Pixel;
use super::canvas::pixel;
use super::canvas::svg;
use super::palette;
use super::panel::TEXT;
use super::plane;
use crate::model::Capacity;
use crate::report::compare::Comparison;
use crate::report::compare::Measure;
use crate::report::compare::Row;
use crate::report::compare::TrailPoint;
use crate::report::figure::Unit;

/// Points drawn on the time axis: two pixels each.
const DRAWN: usize = 490;
/// Ends of the time axis.
const LEFT: i32 = 120;
const RIGHT: i32 = 1100;
/// Width of the strips with the names behind them, and of the plane.
const STRIPS: i32 = 1500;
const PLANE: i32 = 1060;
const HEAD: i32 = 76;
/// Height of the load.
const LOAD: i32 = 150;
/// From the load to the first strip, from one strip to the next, and below the last one.
const GAP: i32 = 84;
const BETWEEN: i32 = 14;
const FOOT: i32 = 52;
/// All strips together are about so high, and none is higher or lower than this.
const ALL_STRIPS: i32 = 900;
const STRIP: (i32, i32) = (58, 100);
/// The plane is readable in this, and needs no more.
const PLANE_MIN: i32 = 760;
const PLANE_MAX: i32 = 1700;

/// The picture of a comparison.
pub(in crate::report) fn comparison(comparison: &Comparison) -> String {
    let strips: Vec<(&Row, Vec<TrailPoint>)> =
        comparison.rows.iter().filter_map(|row| Some((row, row.trail.as_ref()?.coarse(DRAWN)))).collect();
    let count = i32::try_from(strips.len()).unwrap_or(0);
    let strip = (ALL_STRIPS / count.max(1) - BETWEEN).clamp(STRIP.0, STRIP.1);
    let plane = plane::Plane::of(comparison);
    let least = if plane.is_some() { HEAD + PLANE_MIN } else { 0 };
    let height = (HEAD + LOAD + GAP + count * (strip + BETWEEN) + FOOT).max(least);
    let width = STRIPS + if plane.is_some() { PLANE } else { 0 };
    let title = format!("{}: policies side by side", comparison.setting.scenario.name);
    svg(width.unsigned_abs(), height.unsigned_abs(), &title, |canvas| {
        canvas.text(&title, (LEFT, 28), 30.0, palette::INK, Align::Left);
        draw_strips(canvas, comparison, &strips, strip);
        if let Some(plane) = &plane {
            plane.draw(canvas, (STRIPS + 20, HEAD), (STRIPS + PLANE - 30, height.min(HEAD + PLANE_MAX)));
        }
    })
}

fn draw_strips(canvas: &Canvas<'_>, comparison: &Comparison, strips: &[(&Row, Vec<TrailPoint>)], strip: i32) {
    let Some((_, first)) = strips.first() else { return };
    let end = first.last().map_or(0.0, |point| point.to);
    let x = |at: f64| LEFT + pixel(if end > 0.0 { (at / end).clamp(0.0, 1.0) } else { 0.0 } * f64::from(RIGHT - LEFT));
    let ticks = axis::time(end);
    let load = Frame { top: HEAD + 40, bottom: HEAD + LOAD, x: &x };
    let most =
        |each: fn(&TrailPoint) -> f64| strips.iter().flat_map(|(_, points)| points).map(each).fold(0.0, f64::max);
    let scale = Scale::linear(most(|point| point.offered), Unit::PerSecond);
    canvas.text("load: requests from outside", (LEFT, HEAD + 14), TEXT, palette::INK, Align::Left);
    let bottom = HEAD + LOAD + GAP + i32::try_from(strips.len()).unwrap_or(0) * (strip + BETWEEN);
    for tick in &ticks {
        canvas.line(vec![(x(tick.at), load.top), (x(tick.at), bottom - BETWEEN)], palette::GRID, 1);
        canvas.text(&tick.text, (x(tick.at), bottom + 14), TEXT, palette::FAINT, Align::Middle);
    }
    load.grid(canvas, &scale);
    let offered = load.path(first, &scale, |point| point.offered, Form::Sloped);
    canvas.area(load.closed(&offered), palette::BLUE, 0.2);
    canvas.line(offered, palette::BLUE, 3);

    let is_known = !comparison.setting.capacities.is_empty();
    let names: Vec<&str> = comparison.setting.capacities.iter().map(|capacity| capacity.service.as_str()).collect();
    let what = match (is_known, names.len()) {
        (false, _) => "instances up and well".to_owned(),
        (true, 1) => format!("instances of {}: line what is there, shaded what is needed", names[0]),
        (true, _) => format!("instances of {}: line what is there, shaded what is needed", names.join(" and ")),
    };
    let seed = comparison.seeds.first().map_or(0, |seed| seed.get());
    let what = if comparison.seeds.len() > 1 { format!("{what} (seed {seed})") } else { what };
    let line = HEAD + LOAD + GAP - 28;
    canvas.text(&what, (LEFT, line), TEXT, palette::INK, Align::Left);
    if strips.iter().any(|(row, _)| row.figures.contains_key(&Measure::TimeUnder)) {
        canvas.text("share of the time with", (RIGHT + 16, line), 21.0, palette::FAINT, Align::Left);
    }
    let scale = Scale::linear(most(|point| point.supply).max(most(|point| point.demand)), Unit::Count);
    for (place, (row, points)) in strips.iter().enumerate() {
        let top = HEAD + LOAD + GAP + i32::try_from(place).unwrap_or(0) * (strip + BETWEEN);
        let frame = Frame { top, bottom: top + strip, x: &x };
        frame.grid(canvas, &scale);
        if is_known && row.figures.contains_key(&Measure::TimeUnder) {
            let needed = frame.path(points, &scale, |point| point.demand, Form::Stepped);
            canvas.area(frame.closed(&needed), palette::SAND, 0.45);
        }
        canvas.line(frame.path(points, &scale, |point| point.supply, Form::Stepped), palette::NAVY, 4);
        frame.name(canvas, row, &comparison.setting.capacities);
    }
}

/// Where a strip is.
struct Frame<'a> {
    top: i32,
    bottom: i32,
    x: &'a dyn Fn(f64) -> i32,
}

/// How a line goes from point to point.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Straight from the middle of one to the middle of the next.
    Sloped,
    /// Level, then up or down.
    Stepped,
}

impl Frame<'_> {
    fn y(&self, scale: &Scale, value: f64) -> i32 {
        self.bottom - pixel(scale.height(value) * f64::from(self.bottom - self.top))
    }

    /// A level line at the lowest and at the highest tick; the lowest is zero, and need not say so.
    fn grid(&self, canvas: &Canvas<'_>, scale: &Scale) {
        for tick in scale.ticks.first().into_iter().chain(scale.ticks.last()) {
            let y = self.y(scale, tick.at);
            canvas.line(vec![(LEFT, y), (RIGHT, y)], palette::GRID, 1);
            if tick.at > 0.0 {
                canvas.text(&tick.text, (LEFT - 12, y), TEXT, palette::FAINT, Align::Right);
            }
        }
    }

    fn path(&self, points: &[TrailPoint], scale: &Scale, value: fn(&TrailPoint) -> f64, form: Form) -> Vec<Pixel> {
        let mut path: Vec<Pixel> = Vec::with_capacity(points.len() + 2);
        for point in points {
            let y = self.y(scale, value(point));
            match form {
                Form::Sloped => path.push(((self.x)(f64::midpoint(point.from, point.to)), y)),
                Form::Stepped => {
                    if path.last().is_none_or(|last| last.1 != y) {
                        path.push(((self.x)(point.from), y));
                    } else {
                        path.pop_if(|last| last.0 > LEFT);
                    }
                    path.push(((self.x)(point.to), y));
                }
            }
        }
        path
    }

    /// A path with the floor below it.
    fn closed(&self, path: &[Pixel]) -> Vec<Pixel> {
        let ends = path.first().copied().zip(path.last().copied());
        let floor = ends.map(|(first, last)| [(last.0, self.bottom), (first.0, self.bottom)]);
        path.iter().copied().chain(floor.into_iter().flatten()).collect()
    }

    /// The policy's name behind its strip, and for how long it has too little and too much, or why that is not known.
    fn name(&self, canvas: &Canvas<'_>, row: &Row, capacities: &[Capacity]) {
        let middle = i32::midpoint(self.top, self.bottom);
        let short = |measure: Measure| row.figures.get(&measure).map(|estimate| measure.text(estimate.mean, None));
        let below = match short(Measure::TimeUnder).zip(short(Measure::TimeOver)) {
            Some((under, over)) => Some(format!("too little {under}, too much {over}")),
            None if capacities.is_empty() => None,
            None => Some("moves limits".to_owned()),
        };
        let off = if below.is_some() { 14 } else { 0 };
        let text: String = row.name.chars().take(30).collect();
        canvas.text(&text, (RIGHT + 16, middle - off), 25.0, palette::INK, Align::Left);
        if let Some(below) = below {
            canvas.text(&below, (RIGHT + 16, middle + off), 21.0, palette::FAINT, Align::Left);
        }
    }
}
