//! Pool, reserve, limits and reservations at a glance.

use super::view::size;
use crate::model::Amount;
use crate::model::Budget;
use crate::model::Totals;
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
    let stated = [1, 2, 3].map(|tier| budget.stated(Some(tier)));
    let proposed = [1, 2, 3].map(|tier| budget.proposed(Some(tier)));
    let limits = |totals: &Totals| totals.limits;
    let reservations = |totals: &Totals| totals.reservations;
    let bar = |name: &'static str, parts: [Amount; 3]| {
        let sum = parts.into_iter().fold(Amount::default(), Amount::plus);
        let pool = of(budget.terms.pool);
        let times = if pool > 0.0 { format!(", {:.2}×", of(sum) / pool) } else { String::new() };
        Bar { name, parts: parts.map(of), said: shown(sum) + &times }
    };
    vec![
        bar("stated limits", stated.each_ref().map(limits)),
        bar("stated reservations", stated.each_ref().map(reservations)),
        bar("proposed limits", proposed.each_ref().map(limits)),
        bar("proposed reservations", proposed.each_ref().map(reservations)),
    ]
}
