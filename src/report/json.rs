//! A report as JSON: the fields of `simulate --json` and `summary.json`.
//!
//! Figures are over the judged part of the run. Over several seeds response times are those of all requests, counts of
//! requests are means, OOM kills and restarts are added up, maxima are the largest; `runs` has each seed on its own.

use super::causes;
use super::collect::Report;
use super::collect::Run;
use super::effectiveness::PolicyFigures;
use super::judge::Failure;
use super::judge::Judged;
use super::judge::Verdict;
use super::spent;
use super::summary::ServiceFigures;
use super::summary::Summary;
use super::words;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::record::FORMAT_VERSION;
use crate::seed::Seed;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Reports of several scenarios as one document.
#[must_use]
pub fn document(reports: &[Report]) -> Value {
    json!({
        "format_version": FORMAT_VERSION,
        "verdict": verdict(reports.iter().all(Report::passed)),
        "scenarios": reports.iter().map(scenario).collect::<Vec<_>>(),
    })
}

/// The report of one scenario, with a `format_version` of its own.
#[must_use]
pub fn scenario(report: &Report) -> Value {
    let mut all = Map::new();
    let mut put = |name: &str, value: Value| all.insert(name.to_owned(), value);
    put("format_version", json!(FORMAT_VERSION));
    put("scenario", json!(report.scenario.name));
    put("path", json!(report.path));
    put("host", json!(report.scenario.host.name));
    put("verdict", verdict(report.passed()));
    put("seeds", json!(report.runs.iter().map(|run| run.seed.get()).collect::<Vec<_>>()));
    put("duration_seconds", json!(report.shown().end.since_start().as_secs()));
    put("warmup_seconds", json!(report.scenario.warmup.as_secs()));
    put("expectations", report.verdicts.iter().map(|verdict| expectation(report, verdict)).collect());
    put("services", services(&report.together));
    put("host_figures", host(&report.together, &report.scenario));
    put("actions", json!(report.together.actions));
    put("policies", policies(report));
    if report.scenario.budget.is_some() {
        put("budget", spent::json(report));
    }
    put("container_ticks", json!(report.runs.iter().map(|run| run.summary.container_ticks).sum::<u64>()));
    put("wall_seconds", json!(report.wall_seconds));
    if report.runs.len() > 1 {
        put("runs", report.runs.iter().map(run).collect());
    }
    Value::Object(all)
}

/// How effective each policy is.
#[must_use]
pub fn policies(report: &Report) -> Value {
    let policy = |policy: &PolicyFigures| {
        let services: Vec<&str> = policy.services.iter().map(ServiceName::as_str).collect();
        json!({ "services": services, "effectiveness": policy.effectiveness.json() })
    };
    report.policies.iter().map(policy).collect()
}

fn run(run: &Run) -> Value {
    let expectations = run
        .judged
        .iter()
        .map(|judged| json!({ "name": judged.name, "measured": measured(judged), "passed": judged.passed }));
    json!({
        "seed": run.seed.get(),
        "verdict": verdict(run.passed()),
        "expectations": expectations.collect::<Vec<_>>(),
        "services": services(&run.summary),
        "actions": run.summary.actions,
        "container_ticks": run.summary.container_ticks,
    })
}

fn verdict(passed: bool) -> Value {
    json!(if passed { "passed" } else { "failed" })
}

fn expectation(report: &Report, verdict: &Verdict) -> Value {
    let failure = verdict.first_failure.as_ref().map(|(seed, failure)| first_failure(report, verdict, *seed, failure));
    json!({
        "name": verdict.name,
        "expression": verdict.text,
        "measured": measured(&verdict.worst),
        "wanted": verdict.wanted,
        "passed": verdict.passed,
        "seeds_held": verdict.seeds_held,
        "margin": verdict.worst.margin(),
        "why": verdict.worst.problem,
        "first_failure": failure,
        "repeat": verdict.failed_seed.map(|seed| report.command(seed)),
    })
}

fn measured(judged: &Judged) -> Value {
    let Some(figure) = judged.measured else { return Value::Null };
    let mut value = Map::new();
    value.insert("value".to_owned(), finite(figure.value));
    value.insert("unit".to_owned(), json!(figure.unit.name()));
    value.insert("text".to_owned(), json!(judged.measured_text()));
    if let Some(held) = judged.held {
        value.insert("windows_held".to_owned(), json!(held.held));
        value.insert("windows".to_owned(), json!(held.judged));
        value.insert("windows_without_requests".to_owned(), json!(held.empty));
    }
    Value::Object(value)
}

fn first_failure(report: &Report, verdict: &Verdict, seed: Seed, failure: &Failure) -> Value {
    let scene = &failure.scene;
    json!({
        "seed": seed.get(),
        "at": failure.from.to_string(),
        "at_seconds": failure.from.since_start().as_secs(),
        "until": failure.to.to_string(),
        "until_seconds": failure.to.since_start().as_secs(),
        "measured": failure.measured.map(|figure| figure.to_string()),
        "by": failure.measured.and_then(|figure| verdict.worst.missed_by(figure)),
        "host_cpu_share": scene.host_cpu,
        "host_memory_share": scene.host_memory,
        "host": scene.to_string(),
        "around": around(report, seed, failure),
        "repeat": report.command(seed),
    })
}

/// What was done and what happened from a quarter of an hour before a failure until it ended, in words.
pub(super) fn around(report: &Report, seed: Seed, failure: &Failure) -> Vec<String> {
    let from = failure.from.minus(crate::units::Span::from_mins(15));
    let run = report.runs.iter().find(|run| run.seed == seed);
    run.map(|run| run.story.around(from, failure.to, 8, &run.scenario)).unwrap_or_default()
}

fn services(summary: &Summary) -> Value {
    Value::Object(summary.services.iter().map(|(name, figures)| (name.to_string(), service(figures))).collect())
}

fn service(figures: &ServiceFigures) -> Value {
    let mut fields = json!({
        "latency_ms": {
            "mean": figures.latency_ms_mean(),
            "p50": figures.latency_ms(50),
            "p90": figures.latency_ms(90),
            "p95": figures.latency_ms(95),
            "p99": figures.latency_ms(99),
        },
        "requests": figures.requests_whole(),
        "errors": figures.errors_whole(),
        "cpu_cores_mean": figures.cpu.mean() / 1000.0,
        "cpu_cores_p95": figures.cpu.percentile(95) as f64 / 1000.0,
        "cpu_limit_cores": figures.limits.cpu.map(|cpu| cpu.as_cores()),
        "throttled_share": figures.throttled.mean() / 1000.0,
        "memory_bytes_max": figures.memory_max.get(),
        "memory_limit_bytes": figures.limits.memory.map(|memory| memory.get()),
        "oom_kills": figures.oom_kills,
        "restarts": figures.restarts,
        "replicas_min": figures.replicas_min,
        "replicas_max": figures.replicas_max,
        "queue_max": figures.queue_max as f64 / 1000.0,
        "saturated_seconds": figures.saturated_nanos as f64 / 1e9,
        "actions": figures.actions,
    });
    let causes = causes::counts(figures);
    if !causes.is_empty() {
        let by_cause = causes.into_iter().map(|(cause, count)| (cause.replace(' ', "_"), json!(count)));
        fields["errors_by_cause"] = Value::Object(by_cause.collect());
    }
    fields
}

fn host(summary: &Summary, scenario: &Scenario) -> Value {
    json!({
        "cpu_cores_mean": summary.host.cpu.mean() / 1000.0,
        "cpu_cores_p95": summary.host.cpu.percentile(95) as f64 / 1000.0,
        "cpu_cores_max": summary.host.cpu.max() as f64 / 1000.0,
        "cpu_cores": scenario.host.capacity().as_cores(),
        "memory_bytes_max": summary.host.memory_max.get(),
        "memory_bytes": scenario.host.memory.get(),
    })
}

fn finite(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { Value::Null }
}

/// All actions of a run, for a machine: time, what, why.
#[must_use]
pub fn actions(run: &Run) -> Value {
    let action = |(at, action): &(crate::units::Instant, crate::model::Action)| json!({ "at": at.to_string(), "at_seconds": at.since_start().as_secs(), "action": words::action(action), "why": words::why(action) });
    run.story.actions.iter().map(action).collect()
}
