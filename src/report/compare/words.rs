//! What a comparison says in words: what is asked for, what holds it, who is a choice and who is not.

use super::Comparison;
use super::Measure;
use super::Row;
use super::Standing;
use crate::model::Capacity;
use crate::model::CapacityEnd;
use crate::model::Expectation;
use crate::report::figure::Figure;
use crate::report::figure::Unit;
use crate::report::figure::rounded;

/// At most so many numbers of instances are told one by one.
const NUMBERS_MAX: usize = 8;
/// At most so many policies off the front are told one by one.
const DOMINATED_MAX: usize = 4;

/// The service levels of the scenario; `None` where there are none.
pub(super) fn service_levels(comparison: &Comparison) -> Option<String> {
    let expectations = comparison.setting.scenario.expect.iter();
    let texts: Vec<String> =
        expectations.filter(|expectation| expectation.is_service_level()).map(Expectation::to_string).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// What each number of instances holds: `web holds 40/s with 1 instance, 75/s with 2, which is enough`.
pub(super) fn capacity(capacity: &Capacity) -> String {
    let rate = |place: usize| Figure::new(capacity.held[place].as_per_second(), Unit::PerSecond).to_string();
    let all = capacity.held.len();
    let told: Vec<usize> =
        if all <= NUMBERS_MAX { (0..all).collect() } else { (0..NUMBERS_MAX - 1).chain([all - 1]).collect() };
    let mut parts = Vec::new();
    for place in told {
        let gap = if place + 1 == all && all > NUMBERS_MAX { "… " } else { "" };
        let noun = if place == 0 { " instance" } else { "" };
        parts.push(format!("{gap}{} with {}{noun}", rate(place), place + 1));
    }
    let end = match capacity.end {
        CapacityEnd::Enough => "which is enough for all of its load",
        CapacityEnd::NoMore => "and no more with any number: the bottleneck is elsewhere",
    };
    format!("{} holds {}, {end}", capacity.service, parts.join(", "))
}

/// Who is on the front, and who is beaten by whom and by how much; those of whom the same is to be said, together. Nothing
/// where there is no plane.
pub(super) fn closing(comparison: &Comparison) -> Vec<String> {
    let Some([cost, broken]) = comparison.plane else { return Vec::new() };
    let mut front: Vec<&Row> = comparison.rows.iter().filter(|row| row.standing == Standing::OnFront).collect();
    let mean = |row: &Row, measure: Measure| row.figures.get(&measure).map_or(f64::NAN, |estimate| estimate.mean);
    front.sort_by(|one, other| mean(one, cost).total_cmp(&mean(other, cost)));
    let point = |row: &Row| {
        let (paid, time) = (cost.text(mean(row, cost), None), broken.text(mean(row, broken), None));
        format!("({paid} USD a month, {time})")
    };
    let mut lines = Vec::new();
    let points = together(front.into_iter().map(|row| (row, point(row))));
    if !points.is_empty() {
        let points: Vec<String> = points.iter().map(|(names, point)| format!("{} {point}", listed(names))).collect();
        lines.push(format!("On the front of cost and time with a broken SLO, cheapest first: {}.", points.join("; ")));
    }
    let beaten = together(comparison.rows.iter().filter_map(|row| Some((row, dominated(row)?))));
    if !beaten.is_empty() {
        let more: usize = beaten.iter().skip(DOMINATED_MAX).map(|(names, _)| names.len()).sum();
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let told = beaten.iter().take(DOMINATED_MAX).map(|(names, why)| format!("{}, since {why}", listed(names)));
        lines.push(format!("Off it: {}{more}.", told.collect::<Vec<_>>().join("; ")));
    }
    lines
}

/// The names of those that follow each other and of whom the same is said.
fn together<'a>(said: impl Iterator<Item = (&'a Row, String)>) -> Vec<(Vec<&'a str>, String)> {
    let mut groups: Vec<(Vec<&str>, String)> = Vec::new();
    for (row, text) in said {
        match groups.last_mut() {
            Some((names, known)) if *known == text => names.push(&row.name),
            _ => groups.push((vec![&row.name], text)),
        }
    }
    groups
}

/// `one`, `one and two`, `one, two and three`.
fn listed(names: &[&str]) -> String {
    match names {
        [first @ .., second, last] => format!("{} and {last}", [first, &[*second]].concat().join(", ")),
        _ => names.concat(),
    }
}

/// By whom a policy is beaten, and by how much.
fn dominated(row: &Row) -> Option<String> {
    let Standing::Dominated { by, cost_less, broken_less } = &row.standing else { return None };
    let cost = format!("costs {}% less", rounded(cost_less * 100.0, 2));
    let broken = format!("breaks it {} points less of the time", rounded(broken_less * 100.0, 2));
    let how = match (*cost_less > 0.0, *broken_less > 0.0) {
        (true, true) => format!("{cost} and {broken}"),
        (true, false) => format!("{cost} and breaks it no more"),
        (false, _) => format!("{broken} and costs no more"),
    };
    Some(format!("{by} {how}"))
}

/// What the figures rest on and what is left out.
pub(super) fn notes(comparison: &Comparison) -> Vec<String> {
    let setting = &comparison.setting;
    let mut notes: Vec<String> = setting.capacities.iter().map(capacity).collect();
    let missing = if setting.capacities.is_empty() {
        "no demand is known, and nothing that rests on it"
    } else {
        "demand is not known of all"
    };
    notes.extend(setting.untold.iter().map(|why| format!("{missing}: {why}")));
    let unfollowed: Vec<&str> = comparison
        .rows
        .iter()
        .filter(|row| !setting.capacities.is_empty() && !row.figures.contains_key(&Measure::Deviation))
        .map(|row| row.name.as_str())
        .collect();
    if !unfollowed.is_empty() {
        let verb = if unfollowed.len() == 1 { "moves" } else { "move" };
        let names = listed(&unfollowed);
        notes.push(format!("{names} {verb} limits, so the number of instances does not say how much there is"));
    }
    if comparison.seeds.len() == 1 {
        notes.push("one seed has no interval and shows no difference: ask for several with --seeds 1..5".to_owned());
    }
    notes
}
