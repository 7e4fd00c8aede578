//! The alerts: what is wrong, since when, how bad, what to do, and the series that prove it.

mod containers;
mod host;
mod services;

use super::Plan;
use super::header;
use crate::plan::yaml;
use crate::plan::yaml::Comments;
use serde_json::Value;
use serde_json::json;

/// Somebody must look now.
pub(super) const CRITICAL: &str = "critical";
/// Somebody must look today.
pub(super) const WARNING: &str = "warning";

/// Groups in the order in which they stand in the file.
pub(super) const GROUPS: [&str; 3] = [host::GROUP, containers::GROUP, services::GROUP];

/// A series of a unit test: its name with labels, and its samples as promtool writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Series(pub(super) String, pub(super) String);

/// An alert with its proof. The series are stated by hand, never computed from the threshold.
#[derive(Debug, Clone, Default)]
pub(super) struct Alert {
    pub(super) group: &'static str,
    pub(super) name: &'static str,
    /// What it is about, for the name of its tests.
    pub(super) subject: String,
    pub(super) expression: String,
    /// For how many seconds it must hold.
    pub(super) hold: u64,
    pub(super) severity: &'static str,
    /// The label `service`, where the series has none itself; may be a template.
    pub(super) service: Option<String>,
    pub(super) summary: String,
    pub(super) description: String,
    /// Why it is so, for the file.
    pub(super) why: &'static str,
    /// Seconds after the first sample at which it begins to hold in `over`.
    pub(super) lead: u64,
    /// Series just beyond the threshold.
    pub(super) over: Vec<Series>,
    /// Series it must not fire for, and what they are.
    pub(super) silent: Vec<(&'static str, Vec<Series>)>,
    /// Labels it has for `over` beside severity and service.
    pub(super) fired: Vec<(&'static str, String)>,
    /// Its value for `over` as the templates show it.
    pub(super) shown: &'static str,
}

/// All alerts of a stack.
pub(super) fn all(plan: &Plan<'_>) -> Vec<Alert> {
    let mut alerts = host::alerts(plan);
    alerts.extend(containers::alerts(plan));
    alerts.extend(services::alerts(plan));
    alerts
}

/// The file of alert rules.
pub(super) fn file(alerts: &[Alert]) -> String {
    let mut comments = Comments::new();
    comments.insert(
        String::new(),
        header("Alerts. They read figures of recording.yml.\nCheck them: promtool check rules alerts.yml; promtool test rules ../rules_test.yml"),
    );
    let mut groups = Vec::new();
    for name in GROUPS {
        let rules: Vec<&Alert> = alerts.iter().filter(|alert| alert.group == name).collect();
        for (index, alert) in rules.iter().enumerate().filter(|(_, alert)| !alert.why.is_empty()) {
            comments.insert(format!("/groups/{}/rules/{index}", groups.len()), alert.why.to_owned());
        }
        groups.push(json!({ "name": name, "rules": rules.into_iter().map(rule).collect::<Vec<_>>() }));
    }
    yaml::text(&json!({ "groups": groups }), &comments)
}

fn rule(alert: &Alert) -> Value {
    let mut labels = json!({ "severity": alert.severity });
    if let Some(service) = &alert.service {
        labels["service"] = json!(service);
    }
    json!({
        "alert": alert.name,
        "expr": alert.expression,
        "for": duration(alert.hold),
        "labels": labels,
        "annotations": { "summary": alert.summary, "description": alert.description },
    })
}

/// Seconds as Prometheus writes them: `3m`, `2m15s`, `0m`.
pub(super) fn duration(seconds: u64) -> String {
    match (seconds / 60, seconds % 60) {
        (minutes, 0) => format!("{minutes}m"),
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

fn series(name: &str, samples: &str) -> Series {
    Series(name.to_owned(), samples.to_owned())
}

/// A series of the container of the unit tests.
fn container(metric: &str, samples: &str) -> Series {
    let labels = "container_label_com_docker_compose_service=\"web\",name=\"shop-web-1\"";
    series(&format!("{metric}{{{labels}}}"), samples)
}

/// How the user asks us for limits that fit.
fn budget(plan: &Plan<'_>) -> String {
    let host = plan.asked.host.map(|(named, _)| format!(" --host {named}")).unwrap_or_default();
    format!("`plimsoll budget {}{host}`", plan.asked.files)
}
