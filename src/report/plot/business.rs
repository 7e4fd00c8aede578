//! Metrics of the business: a panel for each, with the bounds of the policy that looks at it. Before you change it:
//! 1. What is drawn is what the engine was shown, for as long as it acts on it: a stretch without a line is one in which
//!    nobody measured.
//! 2. A bound of each instance is drawn as that of all of them, as many as there are: the metric is of all, too.

use super::axis::Scale;
use super::palette;
use super::panel::Form;
use super::panel::Line;
use super::panel::Panel;
use crate::model::Horizontal;
use crate::model::MetricName;
use crate::model::Quantity;
use crate::model::Reference;
use crate::model::Scaling;
use crate::model::Signal;
use crate::report::figure::Unit;
use crate::report::figure::rounded;
use crate::report::series::Point;

/// Height of a panel in pixels.
const HEIGHT: i32 = 150;

/// The panel of a metric; `place` is its place in the points, `bounds` are lines beside it.
pub(super) fn panel(name: MetricName, place: usize, points: &[Point], bounds: Vec<Line>) -> Panel {
    let seen = points.iter().map(|point| (point.from, point.to, point.metrics.get(place).copied().flatten()));
    let seen = Line { name: "seen".to_owned(), colour: palette::BLUE, form: Form::Area, points: seen.collect() };
    let mut lines = vec![seen];
    lines.extend(bounds);
    let values = lines.iter().flat_map(|line| &line.points).filter_map(|(_, _, value)| *value);
    let scale = Scale::linear(values.fold(0.0, f64::max), Unit::Number);
    let title = format!("{name} (metric of the business)");
    Panel { title, scale, height: HEIGHT, lines, bounds: Vec::new(), marks: Vec::new(), saturated: Vec::new() }
}

/// The bounds and targets that a policy has for a metric. `instances` are those there are, from when to when. A weighted mean
/// has no bound of its own for one of its figures.
pub(super) fn bounds(policy: &Horizontal, name: MetricName, instances: &[(f64, f64, f64)]) -> Vec<Line> {
    let is_meant = |signal: Signal| signal == Signal::Custom(name);
    let of_all = |key: &str, bound: Quantity, lasts: String, colour| {
        let value = number(bound);
        let points = instances.iter().map(|(from, to, _)| (*from, *to, Some(value))).collect();
        Line { name: format!("{key} {}{lasts}", rounded(value, 4)), colour, form: Form::Step, points }
    };
    let of_each = |key: &str, bound: Quantity, colour| {
        let value = number(bound);
        let points = instances.iter().map(|(from, to, count)| (*from, *to, Some(value * count))).collect();
        Line { name: format!("{key} {} each", rounded(value, 4)), colour, form: Form::Step, points }
    };
    let (up, down) = (palette::INK, palette::GREEN);
    match &policy.scaling {
        Scaling::Bounds(bounds) => {
            let sides = [("up", &bounds.up, up), ("down", &bounds.down, down)];
            let triggers =
                sides.into_iter().flat_map(|(key, side, colour)| side.iter().map(move |one| (key, one, colour)));
            let lasts = |text: String| text.find(" for ").map(|from| text[from..].to_owned()).unwrap_or_default();
            triggers
                .filter(|(_, one, _)| is_meant(one.signal))
                .map(|(key, one, colour)| of_all(key, one.bound, lasts(one.to_string()), colour))
                .collect()
        }
        Scaling::Points(score) => {
            let sides = [("up", &score.up, up), ("down", &score.down, down)];
            let points =
                sides.into_iter().flat_map(|(key, side, colour)| side.iter().map(move |one| (key, one, colour)));
            points
                .filter(|(_, one, _)| is_meant(one.trigger.signal))
                .map(|(key, one, colour)| of_all(key, one.trigger.bound, String::new(), colour))
                .collect()
        }
        Scaling::Reference(Reference::NomadThreshold(figures)) => {
            let sides = [("up", figures.up, up), ("down", figures.down, down)];
            let sides = sides.into_iter().filter(|(_, one, _)| is_meant(one.signal));
            sides.map(|(key, one, colour)| of_each(key, one.value, colour)).collect()
        }
        Scaling::Reference(reference) => {
            let targets = reference.targets().into_iter().filter(|target| is_meant(target.signal));
            targets.map(|target| of_each("target", target.value, up)).collect()
        }
        Scaling::Weighted(_) | Scaling::Schedule => Vec::new(),
    }
}

fn number(quantity: Quantity) -> f64 {
    quantity.number() as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Bounds;
    use crate::model::HpaFigures;
    use crate::model::Target;
    use crate::model::Trigger;
    use crate::units::Span;

    fn orders() -> MetricName {
        "orders_waiting".parse().expect("a name")
    }

    /// A minute with two instances, and one with three.
    const INSTANCES: [(f64, f64, f64); 2] = [(0.0, 60.0, 2.0), (60.0, 120.0, 3.0)];

    fn told(policy: &Horizontal) -> Vec<(String, Vec<Option<f64>>)> {
        let values = |line: &Line| line.points.iter().map(|(_, _, value)| *value).collect();
        bounds(policy, orders(), &INSTANCES).iter().map(|line| (line.name.clone(), values(line))).collect()
    }

    #[test]
    fn bounds_of_all_instances_are_level_and_say_how_long() {
        let trigger = |signal, number, lasts| Trigger { signal, bound: Quantity::Number(number), lasts };
        let (mine, other) = (Signal::Custom(orders()), Signal::Queue);
        let policy = Horizontal::around(Scaling::Bounds(Bounds {
            up: vec![trigger(other, 50_000, Span::ZERO), trigger(mine, 100_000, Span::from_mins(2))],
            down: vec![trigger(mine, 2500, Span::ZERO)],
        }));
        let level = |value| vec![Some(value); 2];
        assert_eq!(told(&policy), [("up 100 for 2m".to_owned(), level(100.0)), ("down 2.5".to_owned(), level(2.5))]);
    }

    /// 40 of each are 80 of two and 120 of three.
    #[test]
    fn a_target_of_each_instance_grows_with_their_number() {
        let target = Target { signal: Signal::Custom(orders()), value: Quantity::Number(40_000) };
        let figures = HpaFigures { targets: vec![target], ..HpaFigures::default() };
        let policy = Horizontal::of_the_field(Reference::Hpa(figures));
        assert_eq!(told(&policy), [("target 40 each".to_owned(), vec![Some(80.0), Some(120.0)])]);
    }
}
