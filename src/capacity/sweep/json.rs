//! A table as JSON: the points with what held and what was measured; the rows themselves are in the file.

use super::scored::Measured;
use super::scored::Scored;
use super::scored::columns;
use super::scored::scored;
use super::table::Cell;
use super::table::Column;
use super::table::Role;
use super::table::Table;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// The table by points. A number that is infinite (nobody was answered) is the text `inf`.
#[must_use]
pub fn json(table: &Table) -> Value {
    if let Some(tuned) = &table.header.tuned {
        return super::tune::json(table, tuned);
    }
    let header = &table.header;
    let fields = columns(table, |role| role == Role::Field);
    let point = |one: &Scored| {
        let values = fields.iter().zip(&one.values).map(|((_, column), cell)| (column.name.clone(), value(cell)));
        json!({
            "point": one.point,
            "values": values.collect::<Map<String, Value>>(),
            "holds": one.holds(),
            "seeds": one.seeds,
            "seeds_all_held": one.all_held,
            "expectations": expectations(table, one),
            "measures": measures(table, one),
        })
    };
    let units = fields.iter().map(|(_, column)| json!({ "name": column.name, "unit": column.unit }));
    json!({
        "format_version": super::FORMAT_VERSION,
        "sweep": header.sweep,
        "scenario": header.scenario,
        "method": header.method,
        "part": header.part,
        "points_in_all": header.points,
        "seeds": header.seeds,
        "fields": units.collect::<Vec<_>>(),
        "points": scored(table).iter().map(point).collect::<Vec<_>>(),
    })
}

/// What came of each expectation at a point.
pub(super) fn expectations(table: &Table, one: &Scored) -> Vec<Value> {
    let columns = columns(table, |role| role == Role::Measured);
    let expected = columns.iter().zip(&one.expectations).map(|((_, column), expected)| {
        let mut entry = measured(column, &expected.measured);
        entry["seeds_held"] = json!(expected.held);
        entry["holds"] = json!(expected.holds);
        entry
    });
    expected.collect()
}

/// What was measured beside them.
pub(super) fn measures(table: &Table, one: &Scored) -> Vec<Value> {
    let columns = columns(table, |role| role == Role::Measure);
    columns.iter().zip(&one.measures).map(|((_, column), one)| measured(column, one)).collect()
}

fn measured(column: &Column, one: &Measured) -> Value {
    let part = |pick: fn((f64, f64, f64)) -> f64| one.spread.map(pick).map_or(Value::Null, number);
    json!({
        "name": column.name,
        "unit": column.unit,
        "min": part(|spread| spread.0),
        "mean": part(|spread| spread.1),
        "max": part(|spread| spread.2),
    })
}

pub(super) fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Number(Some(own)) => number(*own),
        Cell::Number(None) => Value::Null,
        other => Value::from(other.text()),
    }
}

fn number(number: f64) -> Value {
    if number.is_finite() { json!(number) } else { Value::from(number.to_string()) }
}
