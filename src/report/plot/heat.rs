//! Panels of a host's heat, clock and steal; only where the record has them.

use super::axis::Scale;
use super::palette;
use super::panel::Form;
use super::panel::Line;
use super::panel::Panel;
use crate::model::Heat;
use crate::report::figure::Figure;
use crate::report::figure::Unit;
use crate::report::series::Point;

/// Bounds of expectations, with their names.
type Bounds = Vec<(f64, String)>;

/// Heights of the panels.
const WARM: i32 = 150;
const LOW: i32 = 110;

fn series(points: &[Point], value: impl Fn(&Point) -> Option<f64>) -> Vec<(f64, f64, Option<f64>)> {
    points.iter().map(|point| (point.from, point.to, value(point))).collect()
}

fn panel(title: &str, scale: Scale, height: i32, lines: Vec<Line>, bounds: Bounds) -> Panel {
    Panel { title: title.to_owned(), scale, height, lines, bounds, marks: Vec::new(), saturated: Vec::new() }
}

/// The temperature of the chip against where its clock begins to fall.
pub(super) fn temperature(heat: Option<&Heat>, points: &[Point], end: f64, bounds: Bounds) -> Option<Panel> {
    let most = points.iter().filter_map(|point| point.temperature).reduce(f64::max)?;
    let line = |name: String, colour, form, points| Line { name, colour, form, points };
    let mut lines =
        vec![line("chip".to_owned(), palette::RED, Form::Line(3), series(points, |point| point.temperature))];
    let mut top = most;
    if let Some(start) = heat.map(|heat| heat.throttle.start.as_celsius()) {
        let name = format!("slows from {}", Figure::new(start, Unit::Celsius));
        lines.push(line(name, palette::INK, Form::Step, vec![(0.0, end, Some(start))]));
        top = top.max(start);
    }
    Some(panel("temperature of the chip (highest)", Scale::linear(top, Unit::Celsius), WARM, lines, bounds))
}

/// The clock of the fast cores.
pub(super) fn clock(points: &[Point], bounds: Bounds) -> Option<Panel> {
    points.iter().find_map(|point| point.clock)?;
    let points = series(points, |point| point.clock);
    let lines = vec![Line { name: "of full".to_owned(), colour: palette::BLUE, form: Form::Area, points }];
    Some(panel("clock of the fast cores (lowest)", Scale::linear(1.0, Unit::Share), LOW, lines, bounds))
}

/// What other guests took.
pub(super) fn steal(points: &[Point], bounds: Bounds) -> Option<Panel> {
    let most = points.iter().filter_map(|point| point.steal).reduce(f64::max)?;
    let points = series(points, |point| point.steal);
    let lines = vec![Line { name: "stolen".to_owned(), colour: palette::RED, form: Form::Area, points }];
    Some(panel("CPU time stolen by other guests", Scale::linear(most.max(0.01), Unit::Share), LOW, lines, bounds))
}
