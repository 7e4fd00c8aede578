//! A machine of one's own, and beside it one by the hour, for the hours in which the first one alone does not hold.
//!
//! Before you change it: what the second machine needs is simulated as a split over both of them, with the services that hold
//! data on the first one, all of the time. How many hours it is needed follows from the load over the run: those whose
//! busiest ten minutes use more CPU than the first machine's load line allows.

use super::Look;
use super::Plan;
use super::Row;
use super::candidate;
use super::room;
use crate::capacity::machine::Machine;
use crate::capacity::split;
use crate::capacity::split::Demand;
use crate::model::HOURS_PER_MONTH;
use crate::model::Offer;
use crate::run::simulate::Breached;
use crate::units::Currency;
use crate::units::Millicores;
use crate::units::Money;
use crate::units::Permille;
use std::collections::BTreeMap;

/// So many machines of one's own, and so many by the hour beside each, are looked at in a currency.
const OWN_MAX: usize = 2;
const BESIDE_MAX: usize = 2;

/// Hours of a run, of which at least one is quiet enough for the first machine alone: those in which it is not, if a machine
/// holds `line` and `aim` is wanted. An hour counts by its busiest ten minutes against the busiest of the run.
#[must_use]
fn hours_beyond(hours: &[Millicores], line: Permille, aim: Permille) -> usize {
    let peak = hours.iter().max().map_or(0, |peak| peak.get());
    let beyond =
        |hour: &&Millicores| u128::from(hour.get()) * u128::from(aim.get()) > u128::from(peak) * u128::from(line.get());
    hours.iter().filter(beyond).count()
}

/// Hours of a month, rounded up, where so many of those of a run are.
const fn of_month(beyond: usize, all: usize) -> u64 {
    if all == 0 { HOURS_PER_MONTH } else { (beyond as u64 * HOURS_PER_MONTH).div_ceil(all as u64) }
}

/// Adds machines with a second one by the hour, where that costs less than the cheapest that holds.
pub(super) fn bursts(
    look: &mut Look<'_>,
    (wanted, hours): (&Demand, &[Millicores]),
    rows: &mut Vec<Row>,
) -> Result<(), Breached> {
    let data: Vec<_> =
        look.base.services.iter().filter(|(_, model)| model.stateful).map(|(name, _)| name.clone()).collect();
    let rules = look.rules.clone().with_data_at_home(data.into_iter());
    let mut owned: BTreeMap<Currency, Vec<Row>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.plan == Plan::One && !row.holds && row.barred.is_none()) {
        owned.entry(row.ranked.currency()).or_default().push(row.clone());
    }
    for (currency, mut own) in owned {
        own.sort_by_key(|row| (row.ranked.get(), row.offer.clone()));
        let beside = by_the_hour(look, currency);
        let mut tried = 0;
        for first in own {
            if tried >= OWN_MAX || beside.is_empty() {
                break;
            }
            let Some(line) = line_of(look, &first)? else { continue };
            tried += 1;
            for (_, name) in beside.iter().take(BESIDE_MAX) {
                let needed = of_month(hours_beyond(hours, line, look.question.aim()), hours.len());
                let found = one(look, wanted, &rules, (&first, name, needed), rows)?;
                rows.extend(found);
            }
        }
    }
    Ok(())
}

/// Offers by the hour in a currency, the cheapest hour first.
fn by_the_hour(look: &Look<'_>, currency: Currency) -> Vec<(u64, String)> {
    let question = look.question;
    let hourly = |offer: &Offer| {
        let hour = question.rates.convert(offer.hour?);
        let host = offer.host.as_ref().ok()?;
        let named = question.named.as_ref().is_none_or(|named| named.contains(&offer.name));
        let sold = candidate::barred(&look.base, offer, Money::micro(0, hour.currency()), question).is_none();
        let fits = named && sold && hour.currency() == currency && host.heat.is_none();
        fits.then(|| (hour.get(), offer.name.clone()))
    };
    let mut found: Vec<(u64, String)> = look.offers.values().filter_map(hourly).collect();
    found.sort();
    found
}

/// The load line of a machine that does not hold, looked for where it is not known.
fn line_of(look: &mut Look<'_>, row: &Row) -> Result<Option<Permille>, Breached> {
    let Some(machine) = look.classes.iter().find(|class| class.offers.contains(&row.offer)).map(|class| class.machine)
    else {
        return Ok(None);
    };
    look.find(&[machine])?;
    Ok(look.line(machine).holds)
}

/// One machine with one beside it, run; `None` where it is not worth it or there is no assignment.
fn one(
    look: &mut Look<'_>,
    wanted: &Demand,
    rules: &split::Rules,
    (first, name, hours): (&Row, &str, u64),
    rows: &[Row],
) -> Result<Option<Row>, Breached> {
    let (Some(own), Some(beside)) = (look.offers.get(&first.offer), look.offers.get(name)) else { return Ok(None) };
    let (Ok(one), Ok(other), Some(hour)) = (&own.host, &beside.host, beside.hour) else { return Ok(None) };
    // In one currency: that of the first machine where both have it, else that of the rates.
    let rates = &look.question.rates;
    let (month, hour) = if first.month.currency() == hour.currency() {
        (first.month, hour)
    } else {
        (first.ranked, rates.convert(hour))
    };
    let all = Money::micro(month.get().saturating_add(hour.get().saturating_mul(hours)), month.currency());
    let ranked = rates.convert(all);
    let better = |row: &&Row| row.holds && row.barred.is_none() && row.ranked.currency() == ranked.currency();
    if rows.iter().filter(better).any(|row| row.ranked.get() <= ranked.get()) {
        return Ok(None);
    }
    let hosts = [one.clone(), other.clone()];
    let rooms: Vec<split::Room> = hosts.iter().map(room).collect();
    let Ok(assignment) = split::assign(wanted, rules, &rooms) else { return Ok(None) };
    let Ok(combined) = split::combined(&look.base, &hosts, &assignment, look.question.hop) else { return Ok(None) };
    let machine = look.add(Machine::several(combined, look.progress));
    look.run(&[machine], look.question.aim(), &look.base.seeds)?;
    let plan = Plan::Burst(name.to_owned(), hours, assignment);
    Ok(Some(look.row(&first.offer, plan, machine, all)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine that holds 0.8 of a load is enough for the hours with up to eight tenths of the peak; where a quarter more
    /// is wanted, with up to 0.64 of it.
    #[test]
    fn the_second_machine_is_there_for_the_hours_that_the_first_does_not_hold() {
        let hours: Vec<Millicores> = [200, 400, 640, 650, 800, 810, 1000].map(Millicores::new).to_vec();
        assert_eq!(hours_beyond(&hours, Permille::new(800), Permille::ONE), 2);
        assert_eq!(hours_beyond(&hours, Permille::new(800), Permille::new(1250)), 4);
        assert_eq!(hours_beyond(&hours, Permille::new(2000), Permille::ONE), 0);
        // Four hours of a day are 121.67 of a month.
        assert_eq!(of_month(4, 24), 122);
        assert_eq!(of_month(24, 24), 730);
    }
}
