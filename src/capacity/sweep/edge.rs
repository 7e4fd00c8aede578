//! What a sweep comes to, in words: up to where all holds, what breaks, which field decides.

use super::scored::Scored;
use super::scored::columns;
use super::table::Cell;
use super::table::Role;
use super::table::Table;
use crate::report::words::counted;
use std::collections::BTreeMap;

/// Values of the other field that are told of one by one.
const TOLD: usize = 6;

/// What the table comes to, a sentence each.
pub(super) fn sentences(table: &Table, points: &[Scored]) -> Vec<String> {
    let held = points.iter().filter(|point| point.holds()).count();
    let all = counted(points.len() as u64, "point");
    let mut told = match held {
        0 => vec![format!("In none of {all} all expectations hold.")],
        held if held == points.len() => vec![format!("All expectations hold in all of {all}.")],
        held => {
            let mut told = vec![format!("All expectations hold in {held} of {all}.")];
            told.extend(edges(table, points).or_else(|| deciding(table, points)));
            told
        }
    };
    told.extend(breaks(table, points));
    told
}

/// Which expectations do not hold, the most often broken first.
fn breaks(table: &Table, points: &[Scored]) -> Option<String> {
    let names = columns(table, |role| role == Role::Measured);
    let mut broken: Vec<(usize, &str)> = names
        .iter()
        .enumerate()
        .map(|(place, (_, column))| {
            let broken = points.iter().filter(|point| point.expectations.get(place).is_some_and(|one| !one.holds));
            (broken.count(), column.name.as_str())
        })
        .filter(|(count, _)| *count > 0)
        .collect();
    broken.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let mut texts = broken.iter().map(|(count, name)| format!("“{name}” in {count}"));
    let first = texts.next()?;
    let rest: String = texts.map(|text| format!(", {text}")).collect();
    let points = if broken.len() == 1 && broken[0].0 == 1 { "point" } else { "points" };
    Some(format!("Broken: {first}{rest} {points}."))
}

/// For a grid of one or two fields: up to which value of one all holds, for each value of the other.
fn edges(table: &Table, points: &[Scored]) -> Option<String> {
    let fields = columns(table, |role| role == Role::Field);
    if table.header.method != "grid" || fields.len() > 2 {
        return None;
    }
    let is_number = |place: &usize| points.iter().all(|point| matches!(point.values[*place], Cell::Number(Some(_))));
    let values = |place: usize| distinct(points, place).len();
    let along = (0..fields.len()).filter(is_number).max_by_key(|place| (values(*place), fields.len() - place))?;
    let name = &fields[along].1.name;
    let unit = &fields[along].1.unit;
    let Some(other) = (0..fields.len()).find(|place| *place != along) else {
        return Some(format!("For {name} they hold {}.", edge(points.iter(), along, unit)));
    };
    let others = distinct(points, other);
    if others.len() > TOLD {
        return None;
    }
    let (own, unit_of_other) = (&fields[other].1.name, &fields[other].1.unit);
    // Values with the same edge are told together, in the order of the first of each.
    let mut told: Vec<(String, Vec<String>)> = Vec::new();
    for value in &others {
        let edge = edge(points.iter().filter(|point| point.values[other] == *value), along, unit);
        let text = shown(value, unit_of_other);
        match told.iter_mut().find(|(known, _)| *known == edge) {
            Some((_, values)) => values.push(text),
            None => told.push((edge, vec![text])),
        }
    }
    if let [(edge, _)] = told.as_slice() {
        return Some(format!("For {name} they hold {edge}, whatever {own} is."));
    }
    let parts = told.iter().map(|(edge, values)| format!("{edge} where {own} is {}", values.join(" or ")));
    Some(format!("For {name} they hold {}.", parts.collect::<Vec<_>>().join("; ")))
}

/// Up to where all holds along a field.
fn edge<'a>(points: impl Iterator<Item = &'a Scored>, along: usize, unit: &str) -> String {
    let number = |point: &Scored| if let Cell::Number(Some(number)) = point.values[along] { number } else { 0.0 };
    let mut row: Vec<(f64, bool)> = points.map(|point| (number(point), point.holds())).collect();
    row.sort_by(|one, other| one.0.total_cmp(&other.0));
    let text = |number: f64| shown(&Cell::Number(Some(number)), unit);
    let changes: Vec<usize> = (1..row.len()).filter(|place| row[*place].1 != row[place - 1].1).collect();
    match (changes.as_slice(), row.first()) {
        ([], Some((_, true))) => "at every value".to_owned(),
        ([], _) => "at no value".to_owned(),
        ([first], Some((_, true))) => format!("up to {}", text(row[first - 1].0)),
        ([first], _) => format!("from {} on", text(row[*first].0)),
        _ => {
            let held = row.iter().filter(|(_, holds)| *holds).count();
            format!("at {held} of {} values, without one edge", row.len())
        }
    }
}

/// Points below and above the middle of a field: in how many of how many all holds.
struct Halves {
    middle: f64,
    low: (u64, u64),
    high: (u64, u64),
}

impl Halves {
    fn of(points: &[Scored], place: usize) -> Option<Self> {
        let number = |point: &Scored| match point.values.get(place) {
            Some(Cell::Number(number)) => *number,
            _ => None,
        };
        let mut numbers: Vec<f64> = points.iter().filter_map(number).collect();
        numbers.sort_by(f64::total_cmp);
        let middle = *numbers.get(numbers.len().checked_sub(1)? / 2)?;
        let count = |upper: bool| {
            let half = points.iter().filter(|point| number(point).is_some_and(|number| (number > middle) == upper));
            half.fold((0_u64, 0_u64), |(held, all), point| (held + u64::from(point.holds()), all + 1))
        };
        let halves = Self { middle, low: count(false), high: count(true) };
        (halves.low.1 > 0 && halves.high.1 > 0).then_some(halves)
    }

    /// How far apart the shares are in which all holds.
    fn apart(&self) -> f64 {
        let share = |(held, all): (u64, u64)| held as f64 / all as f64;
        (share(self.low) - share(self.high)).abs()
    }
}

/// For many fields or draws: the field of numbers whose lower and upper half differ most.
fn deciding(table: &Table, points: &[Scored]) -> Option<String> {
    let fields = columns(table, |role| role == Role::Field);
    let halves =
        fields.iter().enumerate().filter_map(|(place, (_, column))| Some((column, Halves::of(points, place)?)));
    // The first of equals.
    let (column, most) = halves.reduce(|best, next| if next.1.apart() > best.1.apart() { next } else { best })?;
    if most.apart() < 0.2 {
        return Some("No field decides by itself: the halves of each differ by less than a fifth.".to_owned());
    }
    let middle = shown(&Cell::Number(Some(most.middle)), &column.unit);
    let ((low, lows), (high, highs)) = (most.low, most.high);
    Some(format!(
        "{} decides most: up to {middle} they hold in {low} of {lows}, above in {high} of {highs}.",
        column.name
    ))
}

/// The values of a field, in the order in which they come.
pub(super) fn distinct(points: &[Scored], place: usize) -> Vec<Cell> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut values: Vec<Cell> = Vec::new();
    for value in points.iter().filter_map(|point| point.values.get(place)) {
        seen.entry(value.text()).or_insert_with(|| {
            values.push(value.clone());
            values.len()
        });
    }
    values
}

/// A value with its unit: `40/s`, `12 USD`.
pub(super) fn shown(value: &Cell, unit: &str) -> String {
    let space = if unit.starts_with(|c: char| c.is_ascii_uppercase()) && unit.len() > 1 { " " } else { "" };
    format!("{}{space}{unit}", value.text())
}
