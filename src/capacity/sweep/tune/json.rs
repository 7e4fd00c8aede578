//! A tuned sweep as JSON: every point with what the search saw, and those that were checked with what it did not.

use super::front::found;
use super::front::phases;
use super::words::Findings;
use super::worth::Scale;
use crate::capacity::sweep::FORMAT_VERSION;
use crate::capacity::sweep::Role;
use crate::capacity::sweep::Table;
use crate::capacity::sweep::Tuned;
use crate::capacity::sweep::json::expectations;
use crate::capacity::sweep::json::measures;
use crate::capacity::sweep::json::value;
use crate::capacity::sweep::scored::Scored;
use crate::capacity::sweep::scored::columns;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// The table by points. `better_than_own` is null where no point is.
pub(in crate::capacity::sweep) fn json(table: &Table, tuned: &Tuned) -> Value {
    let header = &table.header;
    let scale = Scale::of(header, tuned);
    let (search, check) = phases(table);
    let (front, still) = found(&scale, &search, &check);
    let all = Findings { table, tuned, scale: &scale, search: &search, check: &check, front: &front, still: &still };
    let fields = columns(table, |role| role == Role::Field);
    let point = |one: &Scored| {
        let values = fields.iter().zip(&one.values).map(|((_, column), cell)| (column.name.clone(), value(cell)));
        let mut entry = json!({
            "point": one.point,
            "own_values": one.point == 0,
            "values": values.collect::<Map<String, Value>>(),
        });
        if let (Some(entry), Some(figures)) = (entry.as_object_mut(), figures(&all, one, &front).as_object()) {
            entry.extend(figures.clone());
        }
        entry["check"] = all.checked(one.point).map_or(Value::Null, |one| figures(&all, one, &still));
        entry
    };
    let units = fields.iter().map(|(_, column)| json!({ "name": column.name, "unit": column.unit }));
    let aims = tuned.aims.iter().map(|aim| json!({ "name": aim.name, "highest": aim.highest }));
    let told = all.told().filter(|(_, is_better)| *is_better && !front.is_empty()).map(|(point, _)| point.point);
    json!({
        "format_version": FORMAT_VERSION,
        "sweep": header.sweep,
        "scenario": header.scenario,
        "method": header.method,
        "points_in_all": search.len(),
        "seeds": header.seeds,
        "check_seeds": tuned.check,
        "aims": aims.collect::<Vec<_>>(),
        "hold": tuned.hold,
        "fields": units.collect::<Vec<_>>(),
        "front": front,
        "better_than_own": told,
        "summary": all.sentences(),
        "points": search.iter().map(point).collect::<Vec<_>>(),
    })
}

/// What was measured of a point, in one of the two.
fn figures(all: &Findings<'_>, one: &Scored, front: &[u64]) -> Value {
    json!({
        "holds": all.scale.holds(one),
        "front": front.contains(&one.point),
        "seeds": one.seeds,
        "expectations": expectations(all.table, one),
        "measures": measures(all.table, one),
    })
}
