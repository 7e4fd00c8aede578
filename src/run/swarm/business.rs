//! Metrics of the business in a drawn project, and policies that look at them. Before you change it:
//! 1. They are drawn last and from a stream of their own, so that all else of a seed stays as it was.
//! 2. In the calm a metric stands still or moves one way, so that a policy has no reason to turn. Where the original would
//!    add and remove at the same figure, its bounds are drawn a half apart: one instance less is at most twice as much for
//!    each.

use super::dice::Dice;
use super::drawn::Drawn;
use super::scalings::DrawnScaling;
use crate::units::Span;
use std::fmt::Write;

/// Projects in a hundred with metrics, of those with a policy for a number of instances, and such policies in a hundred that
/// look at one.
const MEASURED: u64 = 60;
const LOOKED_AT: u64 = 80;
/// What metrics are called.
const NAMES: [&str; 2] = ["orders_waiting", "carts_open"];

/// A metric of the business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnMetric {
    /// Its name.
    pub name: &'static str,
    /// What it is over time, as a flow mapping or a number of the scenario file.
    pub text: String,
}

/// Gives a project metrics, and lets policies look at them.
pub(super) fn draw(drawn: &mut Drawn) {
    let mut dice = Dice::new(drawn.seed, "swarm, business");
    if drawn.services.iter().all(|service| service.scaling.is_none()) || !dice.chance(MEASURED) {
        return;
    }
    let mut calm = Vec::new();
    for name in NAMES.into_iter().take(dice.place(NAMES.len()) + 1) {
        let number = dice.between(4, 400);
        drawn.metrics.push(DrawnMetric { name, text: pattern(&mut dice, number, drawn.duration) });
        calm.push((name, number));
    }
    for scaling in drawn.services.iter_mut().filter_map(|service| service.scaling.as_mut()) {
        if dice.chance(LOOKED_AT) {
            let (name, number) = calm[dice.place(calm.len())];
            look(&mut dice, scaling, name, number);
        }
    }
}

/// A number over time that is `calm` in the second half, or rises slowly.
fn pattern(dice: &mut Dice, calm: u64, duration: Span) -> String {
    let half = duration.secs() / 2;
    let wild = |dice: &mut Dice| calm * dice.between(0, 40) / 10;
    match dice.between(1, 10) {
        1..=2 => calm.to_string(),
        3..=6 => {
            let kind = dice.one_of(&["steps", "points"]);
            let parts = dice.between(1, 5);
            let corners: Vec<String> = (0..parts)
                .map(|part| format!("[{}s, {}]", half * part / 6, wild(dice)))
                .chain([format!("[{half}s, {calm}]")])
                .collect();
            format!("{{ pattern: {kind}, value: [{}] }}", corners.join(", "))
        }
        7 => format!("{{ pattern: ramp, from: {}, to: {calm}, over: {half}s }}", wild(dice)),
        8..=9 => {
            let (at, rise) = (dice.between(0, half / 4), dice.between(1, half / 4));
            let (hold, fall) = (dice.between(0, half / 4), dice.between(1, half / 4));
            let peak = calm + wild(dice);
            format!(
                "{{ pattern: flash_crowd, base: {calm}, peak: {peak}, at: {at}s, rise: {rise}s, hold: {hold}s, fall: {fall}s }}"
            )
        }
        // A run begins at midnight and is over before.
        _ => format!("{{ pattern: diurnal, low: {}, high: {calm}, peak_at: \"06:00\" }}", calm / 2),
    }
}

/// Lets a policy look at a metric that is `calm` in the calm.
fn look(dice: &mut Dice, scaling: &mut DrawnScaling, name: &str, calm: u64) {
    let custom = |figure: String| format!("{{ custom: {{ {name}: {figure} }} }}");
    let tenths = |dice: &mut Dice, low: u64, high: u64| (calm * dice.between(low, high) / 10).max(2);
    let more = &mut scaling.more;
    match scaling.template {
        "vedfolnir-horizontal" | "vedfolnir-triggers" | "predictive" => {
            let up = tenths(dice, 8, 30);
            let lasts = if dice.chance(50) { format!(" for {}m", dice.between(1, 5)) } else { String::new() };
            more.push(("up", custom(format!("{up}{lasts}"))));
            if dice.chance(60) {
                more.push(("down", custom((up / 2).to_string())));
            }
        }
        "vedfolnir-points" => {
            let up = tenths(dice, 8, 30);
            let points = dice.between(1, 5);
            more.push(("up", custom(up.to_string())));
            more.push(("points", format!("{{ up: {} }}", custom(points.to_string()))));
        }
        "hpa" | "target-tracking" | "nomad-target-value" => {
            // Of each instance.
            let target = (calm / dice.between(1, 6)).max(1);
            let cpu = if dice.chance(50) { "cpu: 70%, " } else { "" };
            more.push(("targets", format!("{{ {cpu}custom: {{ {name}: {target} }} }}")));
        }
        "step-scaling" => {
            let target = (calm / dice.between(1, 6)).max(2);
            more.push(("targets", custom(target.to_string())));
            let (up, down) = (dice.between(1, 2), target / 2 + 1);
            more.push(("steps", format!("{{ up: [{{ from: 0, by: {up} }}], down: [{{ from: {down}, by: 1 }}] }}")));
        }
        "nomad-threshold" => {
            let up = (calm / dice.between(1, 6)).max(2);
            more.push(("up", custom(up.to_string())));
            more.push(("down", custom((up / 2).to_string())));
        }
        // These look at what they are made for, or at nothing.
        "kpa" | "autopilot" | "schedule" => {}
        _ => {
            let (weight, full) = (dice.between(5, 80), tenths(dice, 5, 30));
            more.push(("weights", custom(weight.to_string())));
            more.push(("full", custom(full.to_string())));
        }
    }
}

impl DrawnScaling {
    /// It looks at no metric of the business any more.
    pub(super) fn forget_metrics(&mut self) {
        self.more.retain(|(key, value)| !value.contains("custom") && *key != "steps");
    }
}

impl Drawn {
    /// The metrics as the scenario file has them.
    pub(super) fn write_metrics(&self, text: &mut String) {
        if !self.metrics.is_empty() {
            text.push_str("metrics:\n");
        }
        for metric in &self.metrics {
            let _ = writeln!(text, "  {}: {}", metric.name, metric.text);
        }
    }
}
