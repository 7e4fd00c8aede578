//! What Grafana reads at its start: where Prometheus is, and where the dashboard lies.

use super::Plan;
use super::header;
use super::parts::Kind;
use crate::plan::yaml;
use serde_json::json;

/// The folder of dashboards within the container of Grafana.
pub(super) const DASHBOARDS: &str = "/etc/grafana/plimsoll-dashboards";

/// The data source.
pub(super) fn datasources(plan: &Plan<'_>) -> String {
    let prometheus = plan.part(Kind::Prometheus);
    let value = json!({
        "apiVersion": 1,
        "datasources": [{
            "name": "Plimsoll Prometheus",
            "uid": "plimsoll-prometheus",
            "type": "prometheus",
            "access": "proxy",
            "url": format!("http://{}:{}", prometheus.host, prometheus.kind.port()),
            "jsonData": { "timeInterval": "15s", "httpMethod": "POST" },
        }],
    });
    let comments = [(
        String::new(),
        header("Where Grafana finds Prometheus; belongs into /etc/grafana/provisioning/datasources/."),
    )];
    yaml::text(&value, &comments.into())
}

/// The provider of the dashboard.
pub(super) fn dashboards() -> String {
    let value = json!({
        "apiVersion": 1,
        "providers": [{
            "name": "plimsoll",
            "type": "file",
            "folder": "Plimsoll",
            "options": { "path": DASHBOARDS },
        }],
    });
    let comments = [(
        String::new(),
        header("Where Grafana finds the dashboard; belongs into /etc/grafana/provisioning/dashboards/."),
    )];
    yaml::text(&value, &comments.into())
}
