//! What was spent of a budget, beside its verdict: the projection and the alerts, of the seed that spends most.

use super::collect::Report;
use super::figure::Figure;
use super::words;
use crate::model::Quantity;
use crate::money::Level;
use crate::money::Spent;
use crate::units::Money;
use serde_json::Value;
use serde_json::json;

/// Of the seed that spends most; `None` without a budget.
fn most(report: &Report) -> Option<&Spent> {
    let spent = report.runs.iter().filter_map(|run| run.spent.as_ref());
    spent.reduce(|most, other| {
        let amount = |spent: &Spent| spent.projected.map(Money::get);
        if amount(other) > amount(most) { other } else { most }
    })
}

/// `36.20 USD by use of 40.00 USD a month (90.5%): warning since 2h, critical since 9h`.
pub(super) fn line(report: &Report) -> Option<String> {
    let spent = most(report)?;
    let figure = |money| Figure::of(Quantity::Money(money)).to_string();
    let Some(projected) = spent.projected else {
        return Some(format!("{} a month, and nothing was measured", figure(spent.budget.month)));
    };
    let by = if report.scenario.host.price.is_some() { "" } else { " by use" };
    let Some(share) = spent.share() else {
        let month = figure(spent.budget.month);
        return Some(format!("{month} a month; it costs {}{by}, which cannot be compared", figure(projected)));
    };
    let mut text = format!("{}{by} of {} a month ({share})", figure(projected), figure(spent.budget.month));
    let alerts = spent.alerts.iter().map(|alert| format!("{} since {}", alert.level.name(), words::moment(alert.at)));
    let alerts = alerts.collect::<Vec<_>>().join(", ");
    if alerts.is_empty() {
        text.push_str(&format!(", no warning before {}", spent.budget.warning));
    } else {
        text.push_str(&format!(": {alerts}"));
    }
    Some(text)
}

/// The same for programs; null without a budget.
pub(super) fn json(report: &Report) -> Value {
    let Some(spent) = most(report) else { return Value::Null };
    let level = |level: Level| json!(level.name().replace(' ', "_"));
    let alert = |alert: &crate::money::Alert| {
        json!({
            "level": level(alert.level),
            "at_seconds": alert.at.since_start().as_secs(),
            "projected": money(alert.projected),
        })
    };
    json!({
        "month": money(spent.budget.month),
        "warning_share": spent.budget.warning.as_fraction(),
        "critical_share": spent.budget.critical.as_fraction(),
        "projected": spent.projected.map(money),
        "by": if report.scenario.host.price.is_some() { "host_price" } else { "use" },
        "share": spent.share().map(|share| share.as_fraction()),
        "level": spent.alerts.iter().map(|alert| alert.level).max().map(level),
        "kept": spent.is_kept(),
        "alerts": spent.alerts.iter().map(alert).collect::<Vec<_>>(),
    })
}

/// An amount with its currency.
#[must_use]
pub(super) fn money(money: Money) -> Value {
    json!({ "amount": money.get() as f64 / 1e6, "currency": money.currency().to_string() })
}
