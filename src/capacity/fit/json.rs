//! What came of it as JSON.

use super::Fit;
use super::Plan;
use super::Row;
use super::words;
use crate::capacity::split::Assignment;
use crate::model::Offer;
use crate::units::Money;
use crate::units::Permille;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;

/// The whole answer.
#[must_use]
pub fn document(fit: &Fit) -> Value {
    let question = &fit.question;
    let answer = |answer: &super::Answer| {
        json!({
            "currency": answer.currency.to_string(),
            "row": answer.row,
            "enough_for_months": answer.then.as_ref().map(|then| then.month - 1),
            "then_row": answer.then.as_ref().and_then(|then| then.row),
        })
    };
    json!({
        "format_version": 1,
        "scenario": fit.scenario.name,
        "headroom": question.headroom.as_fraction(),
        "wanted_load": question.aim().as_fraction(),
        "budget": question.budget.map(money),
        "growth_per_month": question.growth.map(Permille::as_fraction),
        "rates": question.rates.iter().map(|(of, worth)| json!({"of": of.to_string(), "worth": worth.to_string()})).collect::<Vec<_>>(),
        "hop_seconds": question.hop.as_secs(),
        "unlimited_cpu": question.lifted,
        "fits": fit.fits(),
        "needed": {"cpus": fit.demand.cpu().as_cores(), "memory_bytes": fit.demand.at_once.get()},
        "ceiling": {"holds": multiple(fit.ceiling.0.holds), "breaks": multiple(fit.ceiling.0.breaks), "why": fit.ceiling.1},
        "answers": fit.answers.iter().map(answer).collect::<Vec<_>>(),
        "words": words::answers(fit),
        "rows": fit.rows.iter().map(|row| one(fit, row)).collect::<Vec<_>>(),
        "not_tried": fit.left_out,
        "runs": fit.runs,
    })
}

fn multiple(multiple: Option<Permille>) -> Option<f64> {
    multiple.map(Permille::as_fraction)
}

fn money(amount: Money) -> Value {
    json!({"amount": amount.get() as f64 / 1e6, "currency": amount.currency().to_string()})
}

fn one(fit: &Fit, row: &Row) -> Value {
    let (plan, assignment): (Value, Option<&Assignment>) = match &row.plan {
        Plan::One => (json!({"kind": "one"}), None),
        Plan::Split(count, assignment) => (json!({"kind": "split", "hosts": count}), Some(assignment)),
        Plan::Burst(other, hours, assignment) => {
            (json!({"kind": "burst", "beside": other, "hours_a_month": hours}), Some(assignment))
        }
    };
    let places = assignment.map(|assignment| {
        let hosts: BTreeMap<&str, usize> =
            assignment.host_of.iter().map(|(name, host)| (name.as_str(), host + 1)).collect();
        json!({
            "host_of": hosts,
            "calls_between_per_second": assignment.crossing.as_per_second(),
            "proved": assignment.proved,
        })
    });
    json!({
        "offer": row.offer,
        "title": words::title(fit, row),
        "plan": plan,
        "assignment": places,
        "month": money(row.month),
        "ranked": money(row.ranked),
        "converted": row.month.currency() != row.ranked.currency(),
        "price": fit.offers.get(&row.offer).map(price),
        "holds": row.holds,
        "all_seeds": row.all_seeds,
        "carries": multiple(row.line.holds),
        "breaks_at": multiple(row.line.breaks),
        "exact": row.line.exact,
        "interval": row.interval.map(|(low, high)| [low.as_fraction(), high.as_fraction()]),
        "busiest": row.busiest,
        "per_load": row.per_load().map(money),
        "breaks": row.breaks,
        "triggers": row.triggers.iter().map(|trigger| trigger.name()).collect::<Vec<_>>(),
        "cpu_used": row.used.map(|used| used.0.as_fraction()),
        "memory_used": row.used.map(|used| used.1.as_fraction()),
        "months": fit.question.growth.and_then(|growth| row.months(growth)).filter(|_| row.line.exact),
        "not_chosen": row.barred,
    })
}

/// The price of an offer.
fn price(offer: &Offer) -> Value {
    json!({
        "month": offer.price.month.to_string(),
        "renewal": offer.price.renewal.map(|renewal| renewal.to_string()),
        "kind": offer.kind.name(),
        "term_months": offer.term,
        "tax": offer.tax,
        "disk_extra": offer.disk_extra,
        "seen": offer.price.seen,
        "source": offer.price.source,
    })
}

/// The offers there are.
#[must_use]
pub fn list(offers: &BTreeMap<String, Offer>) -> Value {
    let one = |offer: &Offer| {
        json!({
            "name": offer.name,
            "title": offer.title(),
            "provider": offer.provider,
            "cpu": offer.cpu.map(crate::model::CpuKind::name),
            "cpus": offer.host.as_ref().ok().map(|host| host.capacity().as_cores()),
            "memory_bytes": offer.host.as_ref().ok().map(|host| host.memory.get()),
            "price": price(offer),
            "note": offer.note,
            "not_sold": offer.not_sold,
            "not_ranked": offer.host.as_ref().err(),
        })
    };
    json!({"format_version": 1, "offers": offers.values().map(one).collect::<Vec<_>>()})
}
