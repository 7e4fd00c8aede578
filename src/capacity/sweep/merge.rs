//! Tables of parts joined to the table of the whole.

use super::table::Header;
use super::table::Role;
use super::table::Row;
use super::table::Table;
use std::collections::BTreeMap;
use std::fmt;

/// Why parts do not come together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unjoined {
    /// These two, by their places among the parts, rest on different things, which are named.
    Other(usize, usize, Vec<String>),
    /// These two both have these points.
    Twice(usize, usize, Vec<u64>),
    /// No part has these points, and of the first of them these parts are missing where all were cut alike.
    Missing(Vec<u64>, Vec<String>),
    /// This one does not have a row for each seed of this point.
    Torn(usize, u64),
    /// This one is of a sweep that is tuned, which has no parts.
    Tuned(usize),
}

/// Joins parts, given in any order, to the table of the whole sweep.
///
/// # Errors
/// The first reason why they do not come together.
///
/// # Panics
/// Without a part.
pub fn merge(parts: Vec<Table>) -> Result<Table, Unjoined> {
    let first = parts.first().expect("there is a part").header.clone();
    let mut points: BTreeMap<u64, (usize, Vec<Row>)> = BTreeMap::new();
    if let Some(place) = parts.iter().position(|part| part.header.tuned.is_some()) {
        return Err(Unjoined::Tuned(place));
    }
    let headers: Vec<Header> = parts.iter().map(|part| part.header.clone()).collect();
    for (place, part) in parts.into_iter().enumerate() {
        let differences = differences(&first, &part.header);
        if !differences.is_empty() {
            return Err(Unjoined::Other(0, place, differences));
        }
        let own = by_point(part.rows, &part.header);
        let seeds = first.seeds.len();
        if let Some((point, _)) = own.iter().find(|(point, rows)| rows.len() != seeds || **point >= first.points) {
            return Err(Unjoined::Torn(place, *point));
        }
        let twice: Vec<u64> = own.keys().filter(|point| points.contains_key(point)).copied().collect();
        if let Some((other, _)) = twice.first().and_then(|point| points.get(point)) {
            return Err(Unjoined::Twice(*other, place, twice));
        }
        points.extend(own.into_iter().map(|(point, rows)| (point, (place, rows))));
    }
    let missing: Vec<u64> = (0..first.points).filter(|point| !points.contains_key(point)).collect();
    if !missing.is_empty() {
        return Err(Unjoined::Missing(missing, missing_parts(&headers)));
    }
    let rows = points.into_values().flat_map(|(_, rows)| rows).collect();
    Ok(Table { header: Header { part: None, ..first }, rows })
}

/// What keeps two tables apart; empty where they are parts of one.
fn differences(one: &Header, other: &Header) -> Vec<String> {
    let mut found = one.basis.differences(&other.basis);
    let whole = |header: &Header| Header { part: None, basis: one.basis.clone(), ..header.clone() };
    if found.is_empty() && whole(one) != whole(other) {
        found.push("the columns, the seeds or the number of points".to_owned());
    }
    found
}

fn by_point(rows: Vec<Row>, header: &Header) -> BTreeMap<u64, Vec<Row>> {
    let place = header.columns.iter().position(|column| column.role == Role::Point);
    let mut points: BTreeMap<u64, Vec<Row>> = BTreeMap::new();
    for row in rows {
        let point = place.and_then(|place| row.get(place));
        if let Some(super::Cell::Whole(point)) = point {
            points.entry(*point).or_default().push(row);
        }
    }
    points
}

/// The parts that are missing, where all that are there were cut alike.
fn missing_parts(headers: &[Header]) -> Vec<String> {
    let parts: Option<Vec<super::Part>> = headers.iter().map(|header| header.part).collect();
    let Some(parts) = parts else { return Vec::new() };
    let Some(total) = parts.first().map(|part| part.total) else { return Vec::new() };
    if parts.iter().any(|part| part.total != total) {
        return Vec::new();
    }
    let there = |index: &u64| parts.iter().any(|part| part.index == *index);
    (1..=total).filter(|index| !there(index)).map(|index| format!("{index}/{total}")).collect()
}

/// Numbers as a person reads them: `0..3, 7`, and how many more there are.
pub(super) fn listed(points: &[u64]) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for point in points {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *point => *last = *point,
            _ => runs.push((*point, *point)),
        }
    }
    let shown = runs.iter().take(10).map(|(first, last)| match last - first {
        0 => first.to_string(),
        _ => format!("{first}..{last}"),
    });
    let more = if runs.len() > 10 { ", …" } else { "" };
    format!("{}{more}", shown.collect::<Vec<_>>().join(", "))
}

impl Unjoined {
    /// Why, in a sentence; `names` are those of the parts, in the order in which they were given.
    #[must_use]
    pub fn told(&self, names: &[String]) -> String {
        let name = |place: &usize| names.get(*place).map_or("?", String::as_str);
        match self {
            Self::Other(one, other, what) => {
                format!("`{}` and `{}` are not of the same sweep: {} differs", name(one), name(other), what.join(", "))
            }
            Self::Twice(one, other, points) => {
                format!("`{}` and `{}` both have the points {}", name(one), name(other), listed(points))
            }
            Self::Missing(points, parts) if parts.is_empty() => format!("no part has the points {}", listed(points)),
            Self::Missing(points, parts) => {
                format!("the part {} is missing: no file has the points {}", parts.join(", "), listed(points))
            }
            Self::Tuned(place) => format!("`{}` is of a sweep that is tuned, which has no parts", name(place)),
            Self::Torn(place, point) => format!("`{}` does not have all seeds of point {point}", name(place)),
        }
    }
}

impl fmt::Display for Unjoined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(&[]))
    }
}
