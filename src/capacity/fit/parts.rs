//! The stack split over several machines of a kind.

use super::Look;
use super::Plan;
use super::Row;
use super::candidate;
use super::room;
use crate::capacity::machine::Machine;
use crate::capacity::split;
use crate::capacity::split::Demand;
use crate::model::Host;
use crate::run::simulate::Breached;
use crate::units::Currency;
use crate::units::Money;
use crate::units::Permille;
use std::collections::BTreeMap;

/// So many splits are run in a currency, the cheapest first, until one holds.
const TRIED_MAX: usize = 3;

/// A split that may be run.
struct Part {
    offer: String,
    count: usize,
    month: Money,
    host: Host,
}

/// Adds splits over two hosts and more: of the hosts that were named, and otherwise of those which alone do not hold and of
/// which so many cost less than the cheapest that does.
pub(super) fn splits(look: &mut Look<'_>, wanted: &Demand, rows: &mut Vec<Row>) -> Result<(), Breached> {
    let named = look.question.named.is_some();
    for parts in candidates(look, rows).into_values() {
        let mut found = 0;
        for part in parts {
            if found >= if named { usize::MAX } else { TRIED_MAX } {
                break;
            }
            let Some(row) = one(look, wanted, part)? else { continue };
            found = if row.holds { usize::MAX } else { found + 1 };
            rows.push(row);
        }
    }
    Ok(())
}

/// What may be split, the cheapest first, in each currency.
fn candidates(look: &Look<'_>, rows: &[Row]) -> BTreeMap<Currency, Vec<Part>> {
    let question = look.question;
    let mut parts: BTreeMap<Currency, Vec<Part>> = BTreeMap::new();
    for (name, offer) in look.offers {
        let asked = question.named.as_ref().is_none_or(|named| named.contains(name));
        let Some(host) = offer.host.as_ref().ok().filter(|host| asked && host.heat.is_none()) else { continue };
        let ranked = |month: Money| question.rates.convert(month);
        let each = offer.month(question.term);
        let alone = rows.iter().any(|row| row.offer == *name && row.holds);
        for count in 2..=question.split {
            let month = Money::micro(each.get().saturating_mul(count as u64), each.currency());
            let cheaper = rows.iter().filter(|row| row.holds && row.barred.is_none());
            let cheaper = cheaper.filter(|row| row.ranked.currency() == ranked(month).currency());
            let worth = !alone && cheaper.into_iter().all(|row| ranked(month).get() < row.ranked.get());
            let allowed = candidate::barred(&look.base, offer, ranked(month), question).is_none();
            if question.named.is_some() || worth && allowed {
                let part = Part { offer: name.clone(), count, month, host: host.clone() };
                parts.entry(ranked(month).currency()).or_default().push(part);
            }
        }
    }
    for parts in parts.values_mut() {
        parts.sort_by_key(|part| (question.rates.convert(part.month).get(), part.count, part.offer.clone()));
    }
    parts
}

/// One split, run; `None` where there is no assignment, or the hosts cannot be simulated together.
fn one(look: &mut Look<'_>, wanted: &Demand, part: Part) -> Result<Option<Row>, Breached> {
    let hosts = vec![part.host.clone(); part.count];
    let rooms: Vec<split::Room> = hosts.iter().map(room).collect();
    let Ok(assignment) = split::assign(wanted, &look.rules, &rooms) else { return Ok(None) };
    let Ok(combined) = split::combined(&look.base, &hosts, &assignment, look.question.hop) else { return Ok(None) };
    let aim = look.question.aim();
    let machine = look.add(Machine::several(combined, look.progress));
    look.run(&[machine], aim, look.first())?;
    look.run(&[machine], Permille::ONE, look.first())?;
    if look.holds(machine) || look.question.named.is_some() {
        look.find(&[machine])?;
    }
    Ok(Some(look.row(&part.offer, Plan::Split(part.count, assignment), machine, part.month)))
}
