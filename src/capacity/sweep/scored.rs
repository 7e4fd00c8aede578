//! The rows of a table by point: in how many seeds what held, and what was measured.

use super::table::Cell;
use super::table::Column;
use super::table::Role;
use super::table::Row;
use super::table::Table;

/// A point over its seeds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scored {
    /// Its number.
    pub(super) point: u64,
    /// The value of each field.
    pub(super) values: Vec<Cell>,
    /// So many seeds were run.
    pub(super) seeds: u64,
    /// In so many all expectations held.
    pub(super) all_held: u64,
    /// Each expectation.
    pub(super) expectations: Vec<Expected>,
    /// Each measure.
    pub(super) measures: Vec<Measured>,
}

/// An expectation at a point.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expected {
    /// In so many seeds it held.
    pub(super) held: u64,
    /// Whether these are enough.
    pub(super) holds: bool,
    /// What was measured.
    pub(super) measured: Measured,
}

/// What was measured over the seeds of a point.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Measured {
    /// Smallest, mean and largest; `None` where nothing could be measured in any seed.
    pub(super) spread: Option<(f64, f64, f64)>,
}

impl Scored {
    /// Whether every expectation holds in as many seeds as it must.
    pub(super) fn holds(&self) -> bool {
        self.expectations.iter().all(|one| one.holds)
    }
}

/// The columns of this role, whatever its figure.
pub(super) fn columns(table: &Table, wanted: impl Fn(Role) -> bool) -> Vec<(usize, &Column)> {
    table.header.columns.iter().enumerate().filter(|(_, column)| wanted(column.role)).collect()
}

/// The points of a table, in order.
pub(super) fn scored(table: &Table) -> Vec<Scored> {
    let same = |one: &Row, other: &Row| one.first() == other.first();
    table.rows.chunk_by(same).map(|rows| point(table, rows)).collect()
}

fn point(table: &Table, rows: &[Row]) -> Scored {
    let is = |place: usize| move |row: &&Row| row.get(place) == Some(&Cell::Flag(true));
    let count = |place: usize| rows.iter().filter(is(place)).count() as u64;
    let held = |role: Role| if let Role::Held(share) = role { Some(share) } else { None };
    let measured = columns(table, |role| role == Role::Measured);
    let flags = columns(table, |role| held(role).is_some());
    let seeds = rows.len() as u64;
    let expectations = measured.iter().zip(flags).map(|((place, _), (flag, column))| {
        let times = count(flag);
        let holds = u128::from(times) * 1000 >= u128::from(held(column.role).unwrap_or(1000)) * u128::from(seeds);
        Expected { held: times, holds, measured: spread(rows, *place) }
    });
    let first = rows.first();
    let value = |(place, _): &(usize, &Column)| first.and_then(|row| row.get(*place)).cloned();
    Scored {
        point: match first.and_then(|row| row.first()) {
            Some(Cell::Whole(point)) => *point,
            _ => 0,
        },
        values: columns(table, |role| role == Role::Field).iter().filter_map(value).collect(),
        seeds,
        all_held: columns(table, |role| role == Role::AllHeld).first().map_or(0, |(place, _)| count(*place)),
        expectations: expectations.collect(),
        measures: columns(table, |role| role == Role::Measure).iter().map(|(place, _)| spread(rows, *place)).collect(),
    }
}

fn spread(rows: &[Row], place: usize) -> Measured {
    let number = |row: &Row| match row.get(place) {
        Some(Cell::Number(number)) => *number,
        _ => None,
    };
    let numbers: Vec<f64> = rows.iter().filter_map(number).collect();
    if numbers.is_empty() {
        return Measured::default();
    }
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Measured { spread: Some((low, numbers.iter().sum::<f64>() / numbers.len() as f64, high)) }
}
