//! What Prometheus and Alertmanager read at their start.

use super::Plan;
use super::header;
use super::parts::Kind;
use super::targets::Target;
use crate::plan::yaml;
use crate::plan::yaml::Comments;
use serde_json::Value;
use serde_json::json;

pub(super) const CONFIG: &str = "prometheus/prometheus.yml";
pub(super) const RECORDING: &str = "prometheus/rules/recording.yml";
pub(super) const ALERTS: &str = "prometheus/rules/alerts.yml";
/// Not below `rules/`, where Prometheus would take it for rules.
pub(super) const UNIT_TESTS: &str = "prometheus/rules_test.yml";

/// The configuration of Prometheus.
pub(super) fn config(plan: &Plan<'_>) -> String {
    let manager = plan.part(Kind::Alertmanager);
    let address = format!("{}:{}", manager.host, manager.kind.port());
    let value = json!({
        "global": { "scrape_interval": "15s", "evaluation_interval": "15s" },
        "rule_files": ["rules/*.yml"],
        "alerting": { "alertmanagers": [{ "static_configs": [{ "targets": [address] }] }] },
        "scrape_configs": plan.targets.iter().map(job).collect::<Vec<_>>(),
    });
    let mut comments = Comments::new();
    comments.insert(String::new(), header("What Prometheus scrapes.\nCheck it: promtool check config prometheus.yml"));
    for (index, target) in plan.targets.iter().enumerate() {
        let why = if target.service == plan.part(Kind::Cadvisor).service {
            "Containers. Their Compose service is in the label container_label_com_docker_compose_service."
        } else if target.service == plan.part(Kind::NodeExporter).service {
            "The host."
        } else if target.replicated {
            "It runs more than once: each address behind the name is scraped."
        } else {
            continue;
        };
        comments.insert(format!("/scrape_configs/{index}"), why.to_owned());
    }
    yaml::text(&value, &comments)
}

fn job(target: &Target) -> Value {
    let mut job = json!({ "job_name": target.service, "scrape_interval": target.interval });
    if target.path != "/metrics" {
        job["metrics_path"] = json!(target.path);
    }
    if target.replicated {
        job["dns_sd_configs"] =
            json!([{ "names": [target.host], "type": "A", "port": target.port, "refresh_interval": "15s" }]);
    } else {
        job["static_configs"] = json!([{ "targets": [format!("{}:{}", target.host, target.port)] }]);
    }
    job
}

/// A configuration of Alertmanager that is valid and tells nobody: whom to tell is for the user to say.
pub(super) fn alertmanager() -> String {
    let value = json!({
        "route": {
            "receiver": "nobody",
            "group_by": ["alertname", "service"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "4h",
        },
        "receivers": [{ "name": "nobody" }],
    });
    let comments = [
        (
            String::new(),
            header(
                "Alerts are seen on the pages of Prometheus and Alertmanager, and nobody is told yet.\n\
                 Check it: amtool check-config alertmanager.yml",
            ),
        ),
        (
            "/receivers".to_owned(),
            "Whom to tell, for instance\n  - name: team\n    webhook_configs:\n      - url: http://example.com/hook\n\
             and then `receiver: team` above. See https://prometheus.io/docs/alerting/latest/configuration/"
                .to_owned(),
        ),
    ];
    yaml::text(&value, &comments.into())
}
