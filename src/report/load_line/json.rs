//! Load lines as JSON.

use super::Answer;
use super::Breaks;
use super::CurvePoint;
use super::End;
use super::LoadLine;
use super::Part;
use super::words;
use crate::record::FORMAT_VERSION;
use crate::report::statistics::CONFIDENCE;
use crate::units::Permille;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// The fields of `capacity --json` and `capacity.json`. Multiples are of the expected load; how full a part is, is a share of
/// one.
#[must_use]
pub fn json(answer: &Answer) -> Value {
    json!({
        "format_version": FORMAT_VERSION,
        "scenario": answer.scenario.name,
        "path": answer.path,
        "command": answer.command,
        "probability": answer.probability.as_fraction(),
        "confidence": CONFIDENCE,
        "exact": answer.exact.as_fraction(),
        "seeds": answer.seeds.iter().map(|seed| seed.get()).collect::<Vec<_>>(),
        "left_out": answer.left_out,
        "hosts": answer.lines.iter().map(|line| host(answer, line)).collect::<Vec<_>>(),
    })
}

fn host(answer: &Answer, line: &LoadLine) -> Value {
    let by_seed = answer.seeds.iter().zip(&line.by_seed);
    let host = &line.scenario.host;
    let found = match &line.end {
        End::Line(found) => Some(found),
        End::Above(_) | End::Below(_) => None,
    };
    json!({
        "host": host.name,
        "title": host.title,
        "price": host.price,
        "end": match line.end { End::Line(_) => "line", End::Above(_) => "above", End::Below(_) => "below" },
        "load_line": line.multiple().as_fraction(),
        "interval": found.map(|found| ends(found.interval)),
        "interval_by_seeds": found.and_then(|found| found.seeds).map(ends),
        "interval_by_model": found.map(|found| ends(found.model)),
        "fullest": found.map(|found| found.fullest),
        "accuracy": found.map(|found| json!({
            "like": found.accuracy.kind.title(),
            "load_percent": found.accuracy.load,
            "beyond_what_was_measured": found.accuracy.is_beyond,
            "p95_error_half": found.accuracy.half,
            "p95_error_nine_of_ten": found.accuracy.nine_of_ten,
        })),
        "latency_decides": found.map(|found| found.is_by_latency),
        "holds_expected_load": line.holds_expected,
        "failing_share": line.failing.as_fraction(),
        "at_expected_load": parts(&line.expected),
        "by_seed": by_seed.map(|(seed, multiple)| json!({ "seed": seed.get(), "load_line": multiple.map(Permille::as_fraction) })).collect::<Vec<_>>(),
        "breaks": line.breaks.as_ref().map(breaks),
        "curve": line.curve.iter().map(|point| curve(line, point)).collect::<Vec<_>>(),
        "runs": line.runs,
        "answer": words::answer(line),
    })
}

fn ends((low, high): (Permille, Permille)) -> Value {
    json!([low.as_fraction(), high.as_fraction()])
}

fn parts(parts: &[(Part, f64)]) -> Value {
    parts.iter().map(|(part, full)| json!({ "part": part.key(), "full": full })).collect()
}

fn breaks(breaks: &Breaks) -> Value {
    let failed = breaks.failed.iter().map(|judged| {
        json!({
            "name": judged.name,
            "expression": judged.text,
            "measured": judged.measured_text(),
            "margin": judged.margin(),
            "first": judged.first_failure.as_ref().map(|failure| json!({
                "from_seconds": failure.from.since_start().as_secs(),
                "host_was": failure.scene.to_string(),
            })),
        })
    });
    json!({
        "multiple": breaks.multiple.as_fraction(),
        "seed": breaks.seed.get(),
        "failed": failed.collect::<Vec<_>>(),
        "parts": parts(&breaks.parts),
        "bottleneck": breaks.bottleneck.iter().map(Part::key).collect::<Vec<_>>(),
        "without_bottleneck": breaks.next.as_ref().map(|next| json!({
            "load_line": next.multiple.as_fraction(),
            "above": next.is_above,
            "failed": next.failed,
            "parts": parts(&next.parts),
        })),
    })
}

fn curve(line: &LoadLine, point: &CurvePoint) -> Value {
    let names = line.scenario.expect.iter().map(|expectation| expectation.name.clone());
    let figures = point.margins.iter().zip(&point.held);
    let all: Map<String, Value> = names
        .zip(figures)
        .map(|(name, (margin, held))| (name, json!({ "margin": margin, "held": held.as_fraction() })))
        .collect();
    json!({ "multiple": point.multiple.as_fraction(), "expectations": all })
}
