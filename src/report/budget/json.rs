//! A budget as JSON.

use super::beside::Beside;
use super::beside::beside_json;
use super::view::evidence;
use crate::model::Amount;
use crate::model::Budget;
use crate::model::Limits;
use crate::model::Off;
use crate::model::Totals;
use crate::model::Turn;
use crate::report::host::score_json;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Version of the JSON that `budget` prints.
const FORMAT_VERSION: u32 = 1;

/// The whole budget. CPU in cores, memory in bytes, amounts of services for one instance, sums over all instances.
#[must_use]
pub fn json(budget: &Budget, beside: &Beside) -> Value {
    let pool = budget.terms.pool;
    let host = &budget.host;
    let services: Map<String, Value> = budget
        .asks
        .iter()
        .map(|(name, ask)| {
            let share = budget.allocation.shares.get(name);
            let service = json!({
                "tier": ask.tier,
                "importance": ask.importance,
                "replicas": ask.replicas,
                "stated": {"limits": limits(ask.limits), "reservations": limits(ask.reservations), "pids": ask.pids},
                "need": amount(ask.need),
                "need_known": evidence(ask.evidence),
                "proposed": share.map(|share| json!({
                    "limits": amount(share.limits), "reservations": amount(share.reservations), "pids": share.pids,
                    "cpu": turn(share.cpu), "memory": turn(share.memory),
                })),
                "off": budget.allocation.off.get(name).map(|off| match off {
                    Off::BelowFloor { floor } => json!({"why": "below the floor", "floor": floor}),
                    Off::NoRoom => json!({"why": "no room"}),
                }),
            });
            (name.to_string(), service)
        })
        .collect();
    json!({
        "format_version": FORMAT_VERSION,
        "stack": budget.stack,
        "host": {"name": host.name, "title": host.title, "cpus": host.capacity().as_cores(), "memory_bytes": host.memory.get()},
        "score": score_json(budget.score),
        "preset": budget.preset,
        "reserve": {"cpus": host.reserve_cpu.as_cores(), "memory_bytes": host.reserve_memory.get(), "from": budget.reserve_from},
        "pool": amount(pool),
        "stated": totals(&budget.stated(None), pool),
        "proposed": totals(&budget.proposed(None), pool),
        "fits": budget.allocation.fits(),
        "short": amount(budget.allocation.short),
        "services": services,
        "beside": beside_json(beside),
    })
}

fn amount(amount: Amount) -> Value {
    json!({"cpus": amount.cpu.as_cores(), "memory_bytes": amount.memory.get()})
}

fn limits(limits: Limits) -> Value {
    json!({"cpus": limits.cpu.map(|cpu| cpu.as_cores()), "memory_bytes": limits.memory.map(|memory| memory.get())})
}

fn totals(totals: &Totals, pool: Amount) -> Value {
    let of = |sum: Amount| {
        let ratio =
            |part: u64, whole: u64| (whole > 0).then(|| (part as f64 * 10_000.0 / whole as f64).round() / 10_000.0);
        json!({
            "cpus": sum.cpu.as_cores(),
            "memory_bytes": sum.memory.get(),
            "cpus_of_pool": ratio(sum.cpu.get(), pool.cpu.get()),
            "memory_of_pool": ratio(sum.memory.get(), pool.memory.get()),
        })
    };
    json!({
        "limits": of(totals.limits),
        "reservations": of(totals.reservations),
        "without_cpu_limit": totals.no_cpu_limit,
        "without_memory_limit": totals.no_memory_limit,
    })
}

const fn turn(turn: Turn) -> &'static str {
    match turn {
        Turn::Kept => "kept",
        Turn::Set => "set",
        Turn::SetToFit => "set to fit",
        Turn::Cut => "cut to fit",
        Turn::Raised => "raised to the need",
    }
}
