//! Unit tests of the alerts for `promtool test rules`: for each, that it fires when its time has come, that it does not
//! fire a step before, and that it does not fire for what is just below, or is none of its business.

use super::alerts::Alert;
use super::alerts::Series;
use super::alerts::duration;
use super::header;
use super::recording;
use crate::plan::yaml;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Seconds between two samples and two evaluations, as `prometheus.yml` has them.
const STEP: u64 = 15;
/// Seconds after the alert would have fired at which what must not fire is looked at.
const LATER: u64 = 300;

/// The file of all unit tests.
pub(super) fn file(alerts: &[Alert]) -> String {
    let groups: Vec<&str> = recording::GROUPS.iter().chain(&super::alerts::GROUPS).copied().collect();
    let value = json!({
        "rule_files": ["rules/recording.yml", "rules/alerts.yml"],
        "evaluation_interval": duration(STEP),
        "group_eval_order": groups,
        "tests": alerts.iter().flat_map(tests).collect::<Vec<_>>(),
    });
    let comments = [
        (String::new(), header("Unit tests of the alerts.\nRun them: promtool test rules rules_test.yml")),
        ("/group_eval_order".to_owned(), "Alerts read what is recorded before them.".to_owned()),
    ];
    yaml::text(&value, &comments.into())
}

fn tests(alert: &Alert) -> Vec<Value> {
    let fires_at = alert.lead + alert.hold;
    let fired = json!([{ "exp_labels": labels(alert), "exp_annotations": annotations(alert) }]);
    let at = |time: u64, expected: &Value| json!({ "eval_time": duration(time), "alertname": alert.name, "exp_alerts": expected });
    let none = json!([]);
    let test = |what: &str, series: &[Series], moments: Vec<Value>| {
        json!({
            "name": format!("{} of {}: {what}", alert.name, alert.subject),
            "interval": duration(STEP),
            "input_series": series.iter().map(|Series(series, values)| json!({ "series": series, "values": values })).collect::<Vec<_>>(),
            "alert_rule_test": moments,
        })
    };
    let mut moments = vec![at(fires_at, &fired)];
    if let Some(before) = fires_at.checked_sub(STEP) {
        moments.insert(0, at(before, &none));
    }
    let mut tests = vec![test("it fires when its time has come, and not before", &alert.over, moments)];
    for (what, series) in &alert.silent {
        tests.push(test(what, series, vec![at(fires_at, &none), at(fires_at + LATER, &none)]));
    }
    tests
}

/// The labels the alert has when it fires.
fn labels(alert: &Alert) -> Value {
    let mut labels: Map<String, Value> =
        alert.fired.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    labels.insert("severity".to_owned(), json!(alert.severity));
    if let Some(service) = &alert.service {
        labels.insert("service".to_owned(), json!(expanded(alert, service)));
    }
    Value::Object(labels)
}

fn annotations(alert: &Alert) -> Value {
    json!({ "summary": expanded(alert, &alert.summary), "description": expanded(alert, &alert.description) })
}

/// A template as Prometheus fills it in: labels by their values, the value by the text that the alert states for it.
fn expanded(alert: &Alert, template: &str) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inner, after) = after.split_once("}}").unwrap_or((after, ""));
        text.push_str(before);
        let label = inner.trim().strip_prefix("$labels.");
        let value =
            label.map(|label| alert.fired.iter().find(|(name, _)| *name == label).map_or("", |(_, value)| value));
        text.push_str(value.unwrap_or(alert.shown));
        rest = after;
    }
    text + rest
}
