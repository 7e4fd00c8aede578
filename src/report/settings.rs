//! The settings of the policies that a baseline was made with, so that a changed threshold is named and not only what came
//! of it.

use crate::model::Horizontal;
use crate::model::Points;
use crate::model::Policy;
use crate::model::Quantity;
use crate::model::Reference;
use crate::model::Scaling;
use crate::model::Scenario;
use crate::model::Signal;
use crate::model::Sizing;
use crate::model::StepBy;
use crate::model::StepRow;
use crate::model::Steps;
use crate::model::Target;
use crate::model::Vertical;
use crate::model::WeightedPart;
use crate::model::Workload;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Services with the same settings, and these.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The services.
    pub services: Vec<String>,
    /// By the key of the policy file, as people write them.
    pub policy: BTreeMap<String, String>,
}

/// The settings of a scenario, services with the same ones together.
pub(super) fn of(scenario: &Scenario) -> Vec<Settings> {
    let mut all: Vec<Settings> = Vec::new();
    for (name, policy) in &scenario.policies {
        let policy = keys(policy);
        match all.iter_mut().find(|settings| settings.policy == policy) {
            Some(settings) => settings.services.push(name.to_string()),
            None => all.push(Settings { services: vec![name.to_string()], policy }),
        }
    }
    all
}

/// What is set otherwise, by service: ``policy of `api`: cpu_high 80% → 70%``. Services that change alike are named together.
pub(super) fn changes(before: &[Settings], now: &[Settings]) -> Vec<String> {
    let (before, now) = (by_service(before), by_service(now));
    let nothing = BTreeMap::new();
    let mut changed: Vec<(String, Vec<&str>)> = Vec::new();
    let names: BTreeSet<&str> = before.keys().chain(now.keys()).copied().collect();
    for name in names {
        let was = before.get(name).copied().unwrap_or(&nothing);
        let is = now.get(name).copied().unwrap_or(&nothing);
        let text = difference(was, is);
        if text.is_empty() {
            continue;
        }
        match changed.iter_mut().find(|(other, _)| *other == text) {
            Some((_, names)) => names.push(name),
            None => changed.push((text, vec![name])),
        }
    }
    changed.into_iter().map(|(text, names)| format!("policy of {}: {text}", listed(&names))).collect()
}

fn by_service(all: &[Settings]) -> BTreeMap<&str, &BTreeMap<String, String>> {
    all.iter().flat_map(|one| one.services.iter().map(move |name| (name.as_str(), &one.policy))).collect()
}

fn difference(was: &BTreeMap<String, String>, is: &BTreeMap<String, String>) -> String {
    if was.is_empty() != is.is_empty() {
        return if is.is_empty() { "none any more" } else { "there was none" }.to_owned();
    }
    let of =
        |all: &BTreeMap<String, String>, key: &String| all.get(key).cloned().unwrap_or_else(|| "nothing".to_owned());
    let keys = is.keys().chain(was.keys().filter(|key| !is.contains_key(*key)));
    let other = keys.filter(|key| was.get(*key) != is.get(*key));
    other.map(|key| format!("{key} {} → {}", of(was, key), of(is, key))).collect::<Vec<_>>().join(", ")
}

/// `` `api`, `db` and 7 more``.
fn listed(names: &[&str]) -> String {
    let some: Vec<String> = names.iter().take(4).map(|name| format!("`{name}`")).collect();
    match names.len() - some.len() {
        0 => some.join(", "),
        more => format!("{} and {more} more", some.join(", ")),
    }
}

/// The keys of a policy file with what they are set to; none for no policy.
fn keys(policy: &Policy) -> BTreeMap<String, String> {
    let vertical = policy.vertical().map(of_vertical).unwrap_or_default();
    let Some(horizontal) = policy.horizontal() else { return vertical };
    // Both kinds have keys of the same name.
    let mut keys: BTreeMap<_, _> = vertical.into_iter().map(|(key, value)| (format!("limits.{key}"), value)).collect();
    keys.extend(of_horizontal(horizontal));
    keys
}

/// What changes the number of instances.
fn of_horizontal(horizontal: &Horizontal) -> BTreeMap<String, String> {
    let mut keys = vec![
        ("replicas".to_owned(), format!("{}..{}", horizontal.replicas_min, horizontal.replicas_max)),
        ("every".to_owned(), horizontal.every.to_string()),
        ("window".to_owned(), horizontal.window.to_string()),
        ("cooldown.up".to_owned(), horizontal.cooldown_up.to_string()),
        ("cooldown.down".to_owned(), horizontal.cooldown_down.to_string()),
        ("stale_after".to_owned(), horizontal.stale_after.to_string()),
        ("overcommit_cpu".to_owned(), horizontal.overcommit_cpu.to_string()),
        ("overcommit_memory".to_owned(), horizontal.overcommit_memory.to_string()),
    ];
    let steps = [("step.up", horizontal.step_up), ("step.down", horizontal.step_down)];
    let limited = steps.into_iter().filter(|(_, step)| *step < u32::MAX);
    keys.extend(limited.map(|(key, step)| (key.to_owned(), step.to_string())));
    let ahead = horizontal.ahead.map(|ahead| format!("cpu {} by {}", ahead.cpu, ahead.by));
    keys.extend(ahead.map(|text| ("ahead".to_owned(), text)));
    keys.extend(horizontal.per_host.map(|each| ("per_host".to_owned(), each.to_string())));
    let side = |name: &str, signal: Signal, text: String| (format!("{name}.{}", signal.key()), text);
    match &horizontal.scaling {
        Scaling::Bounds(bounds) => {
            for (name, triggers) in [("up", &bounds.up), ("down", &bounds.down)] {
                keys.extend(triggers.iter().map(|trigger| side(name, trigger.signal, trigger.to_string())));
            }
        }
        Scaling::Points(score) => {
            keys.push(("up.score".to_owned(), score.up_from.to_string()));
            keys.push(("down.score".to_owned(), score.down_from.to_string()));
            for (name, points) in [("up", &score.up), ("down", &score.down)] {
                let text = |one: &Points| format!("{} gives {}", one.trigger, one.points);
                keys.extend(points.iter().map(|one| side(name, one.trigger.signal, text(one))));
            }
        }
        Scaling::Reference(reference) => {
            keys.push(("scaling".to_owned(), reference.name().to_owned()));
            keys.extend(of_the_field(reference).into_iter().map(|(key, value)| (key.to_owned(), value)));
        }
        Scaling::Weighted(score) => {
            keys.push(("up.score".to_owned(), score.up.to_string()));
            keys.push(("down.score".to_owned(), score.down.to_string()));
            let text = |part: &WeightedPart| format!("{} of {}", part.weight, part.whole);
            keys.extend(score.parts.iter().map(|part| side("weights", part.signal, text(part))));
        }
        Scaling::Schedule => {}
    }
    let schedule = horizontal.schedule.iter().zip(1..);
    keys.extend(schedule.map(|(period, number)| (format!("schedule.{number}"), period.to_string())));
    keys.into_iter().collect()
}

/// What can be set of a policy of the field.
fn of_the_field(reference: &Reference) -> Vec<(&'static str, String)> {
    let one = |target: &Target| format!("{} {}", target.signal.key(), target.value);
    let all = |targets: &[Target]| targets.iter().map(one).collect::<Vec<_>>().join(", ");
    match reference {
        Reference::Hpa(figures) => vec![
            ("targets", all(&figures.targets)),
            ("tolerance", figures.tolerance.to_string()),
            ("stabilisation", figures.down_stabilisation.to_string()),
        ],
        Reference::Kpa(figures) => {
            vec![("targets", one(&figures.target)), ("stable_window", figures.stable_window.to_string())]
        }
        Reference::TargetTracking(figures) => vec![
            ("targets", all(&figures.targets)),
            ("rest.up", figures.cooldown_out.to_string()),
            ("rest.down", figures.cooldown_in.to_string()),
        ],
        Reference::StepScaling(figures) => {
            vec![
                ("targets", one(&figures.threshold)),
                ("rest", figures.cooldown.to_string()),
                ("steps.up", steps(&figures.out)),
                ("steps.down", steps(&figures.inward)),
                ("steps.periods", figures.periods.to_string()),
            ]
        }
        Reference::Autopilot(figures) => vec![
            ("targets", figures.utilisation.to_string()),
            ("horizon", figures.horizon.to_string()),
            ("stabilisation", figures.downscale_after.to_string()),
        ],
        Reference::NomadTargetValue(figures) => vec![
            ("targets", all(&figures.targets)),
            ("tolerance", figures.threshold.to_string()),
            ("rest", figures.cooldown.to_string()),
        ],
        Reference::NomadThreshold(figures) => vec![
            ("up", one(&figures.up)),
            ("down", one(&figures.down)),
            ("points", figures.points.to_string()),
            ("rest", figures.cooldown.to_string()),
        ],
    }
}

/// Steps as a policy writes them: `from 10: 10%, from 20: 30%`.
fn steps(steps: &Steps) -> String {
    let unit = if steps.by == StepBy::Percent { "%" } else { "" };
    let nearest = |row: &StepRow| {
        let bounds = [row.lower, row.upper].into_iter().flatten();
        Quantity::Number(bounds.map(i64::unsigned_abs).min().unwrap_or(0))
    };
    let one = |row: &StepRow| format!("from {}: {}{unit}", nearest(row), row.change.unsigned_abs());
    steps.rows.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// What moves limits.
fn of_vertical(vertical: &Vertical) -> BTreeMap<String, String> {
    let all = [
        ("every", vertical.every.to_string()),
        ("window", vertical.window.to_string()),
        ("cpu_high", vertical.cpu_high.to_string()),
        ("cpu_low", vertical.cpu_low.to_string()),
        ("memory_high", vertical.memory_high.to_string()),
        ("memory_low", vertical.memory_low.to_string()),
        ("checks", vertical.checks.to_string()),
        ("cooldown", vertical.cooldown.to_string()),
        ("per_day", if vertical.per_day == u32::MAX { "any".to_owned() } else { vertical.per_day.to_string() }),
        ("increase", vertical.increase.to_string()),
        ("decrease", vertical.decrease.to_string()),
        ("cpu_min", vertical.cpu_min.to_string()),
        ("cpu_max", vertical.cpu_max.to_string()),
        ("memory_min", vertical.memory_min.to_string()),
        ("memory_max", vertical.memory_max.to_string()),
        ("stale_after", vertical.stale_after.to_string()),
        ("overcommit_cpu", vertical.overcommit_cpu.to_string()),
        ("overcommit_memory", vertical.overcommit_memory.to_string()),
    ];
    let mut all: BTreeMap<String, String> = all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let (percentile, margin) = match vertical.sizing {
        Sizing::Thresholds => return all,
        Sizing::Vpa { percentile, margin } | Sizing::Krr { percentile, margin, .. } => (Some(percentile), Some(margin)),
        Sizing::Autopilot { .. } => (None, None),
    };
    for unused in ["cpu_high", "cpu_low", "memory_high", "memory_low", "checks", "increase", "decrease"] {
        all.remove(unused);
    }
    all.insert("sizing".to_owned(), vertical.sizing.name().to_owned());
    let mut put = |key: &str, value: Option<String>| value.map(|value| all.insert(key.to_owned(), value));
    put("percentile", percentile.map(|share| share.to_string()));
    put("margin", margin.map(|share| share.to_string()));
    match vertical.sizing {
        Sizing::Krr { points, .. } => put("history", Some(points.to_string())),
        Sizing::Autopilot { workload } => put("workload", Some(word(workload).to_owned())),
        Sizing::Thresholds | Sizing::Vpa { .. } => None,
    };
    all
}

const fn word(workload: Workload) -> &'static str {
    match workload {
        Workload::Serving => "serving",
        Workload::LatencyTolerant => "latency-tolerant",
        Workload::Batch => "batch",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(services: &[&str], cpu_high: &str) -> Settings {
        let policy =
            BTreeMap::from([("cpu_high".to_owned(), cpu_high.to_owned()), ("checks".to_owned(), "3".to_owned())]);
        Settings { services: services.iter().map(|name| (*name).to_owned()).collect(), policy }
    }

    #[test]
    fn a_changed_threshold_is_named_once_for_all_services_that_have_it() {
        let before = [settings(&["api", "db", "web"], "80%")];
        let now = [settings(&["api", "web"], "70%"), settings(&["db"], "80%")];
        assert_eq!(changes(&before, &now), ["policy of `api`, `web`: cpu_high 80% → 70%"]);
        assert!(changes(&before, &before).is_empty());
    }

    #[test]
    fn a_policy_that_comes_or_goes_is_named() {
        let before = [settings(&["api"], "80%")];
        assert_eq!(changes(&before, &[]), ["policy of `api`: none any more"]);
        assert_eq!(changes(&[], &before), ["policy of `api`: there was none"]);
        let many = [settings(&["a", "b", "c", "d", "e", "f"], "80%")];
        assert_eq!(changes(&[], &many), ["policy of `a`, `b`, `c`, `d` and 2 more: there was none"]);
    }

    #[test]
    fn every_setting_of_a_policy_is_held() {
        let vertical = crate::model::Vertical::default();
        let model = serde_json::to_value(vertical).expect("a policy");
        let held = keys(&Policy::Vertical(vertical));
        let fields: Vec<&String> = model.as_object().expect("fields").keys().collect();
        assert_eq!(held.len(), fields.len());
        assert!(fields.iter().all(|field| held.contains_key(*field)), "{fields:?}");
    }
}
