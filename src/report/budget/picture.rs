//! Pool, reserve, limits and reservations at a glance.

use super::view::size;
use crate::model::Amount;
use crate::model::Budget;
use crate::model::Limits;
use crate::report::figure::Unit;
use crate::report::plot::Bar;
use crate::report::plot::Pool;
use crate::report::plot::bars;

/// The picture as SVG.
pub(super) fn picture(budget: &Budget) -> String {
    let cpu = |amount: Amount| amount.cpu.as_cores();
    let memory = |amount: Amount| amount.memory.get() as f64;
    let host = Amount { cpu: budget.host.capacity(), memory: budget.host.memory };
    let pool = budget.terms.pool;
    let pools = [
        Pool {
            name: "CPU",
            unit: Unit::Cores,
            pool: cpu(pool),
            host: cpu(host),
            bars: four(budget, cpu, |amount| amount.cpu.to_string()),
        },
        Pool {
            name: "Memory",
            unit: Unit::Bytes,
            pool: memory(pool),
            host: memory(host),
            bars: four(budget, memory, |amount| size(amount.memory)),
        },
    ];
    bars("What the services may use of the host, by tier", &pools)
}

fn four(budget: &Budget, of: fn(Amount) -> f64, shown: fn(Amount) -> String) -> Vec<Bar> {
    let amount =
        |limits: Limits| Amount { cpu: limits.cpu.unwrap_or_default(), memory: limits.memory.unwrap_or_default() };
    let stated = |tier: u8, kept: bool| {
        let asks = budget.asks.values().filter(|ask| ask.tier == tier);
        asks.map(|ask| amount(if kept { ask.reservations } else { ask.limits }).times(ask.replicas))
            .fold(Amount::default(), Amount::plus)
    };
    let proposed = |tier: u8, kept: bool| {
        let totals = budget.proposed(Some(tier));
        if kept { totals.reservations } else { totals.limits }
    };
    let bar = |name: &'static str, of_tier: &dyn Fn(u8) -> Amount| {
        let parts = [1, 2, 3].map(of_tier);
        let sum = parts.into_iter().fold(Amount::default(), Amount::plus);
        let pool = of(budget.terms.pool);
        let times = if pool > 0.0 { format!(", {:.2}×", of(sum) / pool) } else { String::new() };
        Bar { name, parts: parts.map(of), said: shown(sum) + &times }
    };
    vec![
        bar("stated limits", &|tier| stated(tier, false)),
        bar("stated reservations", &|tier| stated(tier, true)),
        bar("proposed limits", &|tier| proposed(tier, false)),
        bar("proposed reservations", &|tier| proposed(tier, true)),
    ]
}
