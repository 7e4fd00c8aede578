//! Recommendations for programs.

use super::Advice;
use super::Advised;
use super::Other;
use super::change::Change;
use super::trial::Trial;
use crate::input::scenario::Opened;
use crate::model::Limits;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Money;
use serde_json::Value;
use serde_json::json;

/// Version of this format.
const FORMAT_VERSION: u32 = 1;

/// What is recommended for a scenario, as one document.
#[must_use]
pub fn document(advised: &Advised, opened: &Opened) -> Value {
    let mut document = head(&advised.base);
    document["advice"] = advised.advice.iter().map(|advice| one(advice, &advised.base, opened)).collect();
    document["notes"] = json!(advised.notes);
    document
}

/// The scenario as it is.
pub(super) fn head(base: &Trial) -> Value {
    let report = &base.report;
    json!({
        "format_version": FORMAT_VERSION,
        "scenario": report.scenario.name,
        "path": report.path,
        "host": report.scenario.host.name,
        "seeds": report.runs.iter().map(|run| run.seed.get()).collect::<Vec<_>>(),
        "judged_seconds": base.history().as_secs(),
        "as_it_is": trial(base),
    })
}

fn one(advice: &Advice, base: &Trial, opened: &Opened) -> Value {
    let (compose, scenario) = advice.change.fragments(opened);
    let saved = |before: Money, after: Money| {
        let micro = i128::from(before.get()) - i128::from(after.get());
        json!({ "amount": micro as f64 / 1e6, "currency": before.currency().to_string() })
    };
    json!({
        "kind": advice.kind.name().replace('-', "_"),
        "title": advice.title,
        "saving_month": saved(base.bill.kept, advice.tried.bill.kept),
        "saving_host_price": base.bill.host_part.zip(advice.tried.bill.host_part).map(|(before, after)| saved(before, after)),
        "risk": advice.risk.level.name(),
        "risk_because": advice.risk.because,
        "evidence": advice.evidence,
        "proved": advice.is_proved(),
        "with_it": trial(&advice.tried),
        "sizes": sizes(&advice.change),
        "replicas": advice.change.replicas.iter().map(|(name, count)| (name.to_string(), json!(count))).collect::<serde_json::Map<_, _>>(),
        "compose": Some(compose).filter(|text| !text.is_empty()),
        "scenario": Some(scenario).filter(|text| !text.is_empty()),
        "others": advice.others.iter().map(other).collect::<Vec<_>>(),
        "left_out": advice.left_out.iter().map(other).collect::<Vec<_>>(),
    })
}

fn trial(trial: &Trial) -> Value {
    json!({
        "verdict": if trial.report.passed() { "passed" } else { "failed" },
        "expectations": trial.report.verdicts.len(),
        "broken": trial.broken(),
        "kept_month": money(trial.bill.kept),
        "used_month": money(trial.bill.used),
        "host_price_part": trial.bill.host_part.map(money),
        "efficiency": trial.efficiency.map(|score| score.as_fraction()),
    })
}

pub(super) fn sizes(change: &Change) -> Value {
    let limits = |limits: Limits| json!({ "cpus": limits.cpu.map(Millicores::as_cores), "memory_bytes": limits.memory.map(Bytes::get) });
    let size = |(name, size): (&crate::model::ServiceName, &super::Size)| {
        (name.to_string(), json!({ "limits": limits(size.limits), "reservations": limits(size.reservations) }))
    };
    Value::Object(change.sizes.iter().map(size).collect())
}

fn other(other: &Other) -> Value {
    json!({ "name": other.name, "kept_month": money(other.month), "breaks": other.breaks })
}

fn money(money: Money) -> Value {
    json!({ "amount": money.get() as f64 / 1e6, "currency": money.currency().to_string() })
}
