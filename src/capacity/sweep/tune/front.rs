//! The front: points that hold what they must and that no other such point beats.

use super::worth::Scale;
use crate::capacity::sweep::CHECK;
use crate::capacity::sweep::Cell;
use crate::capacity::sweep::Role;
use crate::capacity::sweep::Table;
use crate::capacity::sweep::scored::Scored;
use crate::capacity::sweep::scored::scored;
use crate::report::pareto;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Points with equal figures, by the bits of these.
type Bits = Vec<u64>;

/// The places of the points on the front, the best in the first aim first. Of points that measure the same there is one: the
/// one that changes the fewest fields of the scenario, which is the first point; of these the first.
pub(super) fn front(scale: &Scale, points: &[Scored]) -> Vec<usize> {
    let own = points.iter().find(|point| point.point == 0);
    let changes = |point: &Scored| {
        let differs = |(value, own): &(&Cell, &Cell)| value != own;
        own.map_or(0, |own| point.values.iter().zip(&own.values).filter(differs).count())
    };
    let mut chosen: BTreeMap<Bits, usize> = BTreeMap::new();
    let mut order: Vec<Bits> = Vec::new();
    for place in beaten_by_none(scale, points) {
        // Zero has no sign.
        let bits: Bits = scale.aims(&points[place]).iter().map(|aim| (aim + 0.0).to_bits()).collect();
        match chosen.get_mut(&bits) {
            None => {
                chosen.insert(bits.clone(), place);
                order.push(bits);
            }
            Some(known) => {
                let key = |place: usize| (changes(&points[place]), points[place].point);
                if key(place) < key(*known) {
                    *known = place;
                }
            }
        }
    }
    order.iter().filter_map(|bits| chosen.get(bits).copied()).collect()
}

/// The places of the points that hold and that no other point that holds beats.
fn beaten_by_none(scale: &Scale, points: &[Scored]) -> Vec<usize> {
    let holding: Vec<usize> = (0..points.len()).filter(|place| scale.holds(&points[*place])).collect();
    let aims: Vec<Vec<f64>> = holding.iter().map(|place| scale.aims(&points[*place])).collect();
    pareto::front(&aims).into_iter().map(|place| holding[place]).collect()
}

/// The points of the search and those of the check.
pub(super) fn phases(table: &Table) -> (Vec<Scored>, Vec<Scored>) {
    let phase = table.header.columns.iter().position(|column| column.role == Role::Phase);
    let is_check = |row: &&Vec<Cell>| phase.is_some_and(|place| row.get(place) == Some(&Cell::Text(CHECK.to_owned())));
    let (check, search): (Vec<_>, Vec<_>) = table.rows.iter().partition(is_check);
    let of = |rows: Vec<&Vec<Cell>>| {
        scored(&Table { header: table.header.clone(), rows: rows.into_iter().cloned().collect() })
    };
    (of(search), of(check))
}

/// The numbers of the points on the front of the search, best in the first aim first, and of those of the check that are on the
/// front there.
pub(super) fn found(scale: &Scale, search: &[Scored], check: &[Scored]) -> (Vec<u64>, Vec<u64>) {
    let numbers = |places: Vec<usize>, points: &[Scored]| places.into_iter().map(|place| points[place].point).collect();
    (numbers(front(scale, search), search), numbers(beaten_by_none(scale, check), check))
}

/// The table with what is on the front said in its rows.
pub(in crate::capacity::sweep) fn fronts(mut table: Table) -> Table {
    let Some(tuned) = &table.header.tuned else { return table };
    let scale = Scale::of(&table.header, tuned);
    let (search, check) = phases(&table);
    let (seen, unseen) = found(&scale, &search, &check);
    let (seen, unseen): (BTreeSet<u64>, BTreeSet<u64>) = (seen.into_iter().collect(), unseen.into_iter().collect());
    let place = |wanted: Role| table.header.columns.iter().position(|column| column.role == wanted);
    let (Some(phase), Some(front)) = (place(Role::Phase), place(Role::Front)) else { return table };
    for row in &mut table.rows {
        let Some(Cell::Whole(point)) = row.first() else { continue };
        let on = if row.get(phase) == Some(&Cell::Text(CHECK.to_owned())) { &unseen } else { &seen };
        let on = on.contains(point);
        row[front] = Cell::Flag(on);
    }
    table
}
