//! A comparison as JSON: every figure of every policy with its interval and its difference from the base.

use super::Better;
use super::Comparison;
use super::Difference;
use super::Estimate;
use super::Measure;
use super::Row;
use super::Standing;
use super::words;
use crate::record::FORMAT_VERSION;
use crate::report::statistics::CONFIDENCE;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// The fields of `compare --json` and `compare.json`.
#[must_use]
pub fn json(comparison: &Comparison) -> Value {
    let setting = &comparison.setting;
    let scenario = &setting.scenario;
    let capacities = setting.capacities.iter().map(|capacity| {
        json!({
            "service": capacity.service,
            "held_per_second": capacity.held.iter().map(|held| held.as_per_second()).collect::<Vec<_>>(),
            "end": capacity.end,
        })
    });
    let measures = Measure::ALL.into_iter().map(|measure| {
        let better = match measure.better() {
            Better::Less => "less",
            Better::More => "more",
            Better::Zero => "zero",
        };
        let about = json!({ "unit": measure.unit(), "better": better, "meaning": measure.meaning() });
        (measure.name().to_owned(), about)
    });
    json!({
        "format_version": FORMAT_VERSION,
        "scenario": scenario.name,
        "path": setting.path,
        "command": setting.command,
        "host": scenario.host.name,
        "duration_seconds": scenario.duration.as_secs(),
        "warmup_seconds": scenario.warmup.as_secs(),
        "seeds": comparison.seeds.iter().map(|seed| seed.get()).collect::<Vec<_>>(),
        "confidence": CONFIDENCE,
        "services": setting.frame.subjects,
        "service_levels": scenario.expect.iter().filter(|one| one.is_service_level()).map(ToString::to_string).collect::<Vec<_>>(),
        "capacities": capacities.collect::<Vec<_>>(),
        "base": comparison.base,
        "front": comparison.plane.map(|plane| plane.map(Measure::name)),
        "figures": measures.collect::<Map<_, _>>(),
        "policies": comparison.rows.iter().map(policy).collect::<Vec<_>>(),
        "notes": words::notes(comparison),
        "conclusion": words::closing(comparison),
    })
}

fn policy(row: &Row) -> Value {
    let dominated = match &row.standing {
        Standing::Dominated { by, cost_less, broken_less } => {
            json!({ "by": by, "cost_less": cost_less, "broken_less": broken_less })
        }
        Standing::OnFront | Standing::Unplaced => Value::Null,
    };
    let figures = row.figures.iter().map(|(measure, figure)| (measure.name().to_owned(), estimate(figure)));
    json!({
        "name": row.name,
        "on_front": row.standing == Standing::OnFront,
        "dominated": dominated,
        "figures": figures.collect::<Map<_, _>>(),
    })
}

fn estimate(estimate: &Estimate) -> Value {
    json!({
        "mean": estimate.mean,
        "low": estimate.interval.map(|interval| interval.low),
        "high": estimate.interval.map(|interval| interval.high),
        "by_seed": estimate.values,
        "difference": estimate.difference.map(difference),
    })
}

fn difference(difference: Difference) -> Value {
    let paired = difference.paired;
    json!({
        "mean": difference.mean,
        "low": paired.map(|paired| paired.difference.low),
        "high": paired.map(|paired| paired.difference.high),
        "relative": paired.and_then(|paired| paired.relative),
        "p_value": paired.map(|paired| paired.p_value),
        "p_value_holm": difference.p_value,
    })
}
