//! The Grafana dashboard: the host first, then services against their limits, then what they say of their requests.
//!
//! The form is that of Grafana's "dashboard JSON model" at schema version 39 (Grafana 10.4); later versions migrate it.

use super::Plan;
use super::promql::SERVICE_LABEL;
use super::promql::by_service;
use super::recording::has_requests;
use serde_json::Value;
use serde_json::json;

/// Columns of Grafana's grid.
const GRID: u64 = 24;
/// Height of a chart.
const TALL: u64 = 8;
/// Height of a figure.
const LOW: u64 = 4;

/// Only what the reader picked.
const PICKED: &str = "{service=~\"$service\"}";

/// A panel before it has its place.
struct Panel {
    title: &'static str,
    about: &'static str,
    kind: &'static str,
    unit: &'static str,
    width: u64,
    height: u64,
    /// Expressions with their legends.
    targets: Vec<(String, &'static str)>,
    /// From which value on it is yellow and red; red first where low is bad.
    steps: Vec<(Option<f64>, &'static str)>,
    /// The largest value of the axis.
    max: Option<f64>,
}

/// The dashboard.
pub(super) fn file(plan: &Plan<'_>) -> String {
    let mut rows = vec![("Host", host(plan)), ("CPU by service", cpu()), ("Memory by service", memory())];
    rows.push(("Restarts and kills", trouble()));
    if has_requests(plan) {
        rows.push(("Requests", requests()));
    }
    let value = json!({
        "uid": uid(plan.title()),
        "title": format!("Plimsoll: {}", plan.title()),
        "description": "The host and the services of the stack against their limits. Written by `plimsoll bundle`.",
        "tags": ["plimsoll"],
        "schemaVersion": 39,
        "version": 1,
        "editable": true,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": { "from": "now-6h", "to": "now" },
        "timezone": "browser",
        "annotations": { "list": [] },
        "links": [],
        "templating": { "list": variables() },
        "panels": placed(&rows),
    });
    format!("{value:#}\n")
}

/// The same for the same stack, so that a dashboard that is written again takes the place of the old one. Grafana takes 40
/// letters, digits, `-` and `_`.
fn uid(title: &str) -> String {
    let letters = title.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' });
    format!("plimsoll-{}", letters.take(31).collect::<String>())
}

fn variables() -> Value {
    let query = "label_values(service:memory_working_set:bytes, service)";
    json!([
        { "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0, "refresh": 1 },
        {
            "name": "service",
            "label": "Service",
            "type": "query",
            "datasource": source(),
            "definition": query,
            "query": { "query": query, "refId": "service" },
            "refresh": 2,
            "sort": 1,
            "multi": true,
            "includeAll": true,
            "allValue": ".+",
            "current": { "text": ["All"], "value": ["$__all"] },
            "hide": 0,
        },
    ])
}

fn source() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// The panels with their places: rows from top to bottom, panels from left to right while there is room.
fn placed(rows: &[(&str, Vec<Panel>)]) -> Vec<Value> {
    let mut placed: Vec<Value> = Vec::new();
    let mut top = 0;
    for (title, panels) in rows {
        let id = placed.len() + 1;
        let place = json!({ "x": 0, "y": top, "w": GRID, "h": 1 });
        placed.push(
            json!({ "id": id, "type": "row", "title": title, "collapsed": false, "gridPos": place, "panels": [] }),
        );
        top += 1;
        let (mut left, mut height) = (0, 0);
        for panel in panels {
            if left + panel.width > GRID {
                top += height;
                (left, height) = (0, 0);
            }
            let place = json!({ "x": left, "y": top, "w": panel.width, "h": panel.height });
            placed.push(drawn(panel, placed.len() + 1, &place));
            left += panel.width;
            height = height.max(panel.height);
        }
        top += height;
    }
    placed
}

fn drawn(panel: &Panel, id: usize, place: &Value) -> Value {
    let is_chart = panel.kind == "timeseries";
    let letters = 'A'..='Z';
    let targets: Vec<Value> = panel
        .targets
        .iter()
        .zip(letters)
        .map(|((expression, legend), letter)| {
            json!({
                "refId": letter.to_string(),
                "datasource": source(),
                "expr": expression,
                "legendFormat": legend,
                "instant": !is_chart,
                "range": is_chart,
            })
        })
        .collect();
    let steps: Vec<Value> =
        panel.steps.iter().map(|(value, color)| json!({ "value": value, "color": color })).collect();
    let mut defaults = json!({
        "unit": panel.unit,
        "min": 0,
        "thresholds": { "mode": "absolute", "steps": steps },
        "color": { "mode": if is_chart { "palette-classic" } else { "thresholds" } },
    });
    if let Some(max) = panel.max {
        defaults["max"] = json!(max);
    }
    if is_chart {
        let style = if panel.steps.len() > 1 { "line" } else { "off" };
        defaults["custom"] = json!({
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 8,
            "showPoints": "never",
            "thresholdsStyle": { "mode": style },
        });
    }
    json!({
        "id": id,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": source(),
        "gridPos": place,
        "fieldConfig": { "defaults": defaults, "overrides": if is_chart { limits_dashed() } else { json!([]) } },
        "options": options(panel.kind),
        "targets": targets,
    })
}

/// Limits are dashed, so that they are told from use without colour, too.
fn limits_dashed() -> Value {
    json!([{
        "matcher": { "id": "byRegexp", "options": "/(limit|pool)$/" },
        "properties": [
            { "id": "custom.lineStyle", "value": { "fill": "dash", "dash": [8, 8] } },
            { "id": "custom.fillOpacity", "value": 0 },
        ],
    }])
}

fn options(kind: &str) -> Value {
    let reduce = json!({ "calcs": ["lastNotNull"], "fields": "", "values": false });
    match kind {
        "timeseries" => json!({
            "legend": { "displayMode": "table", "placement": "right", "showLegend": true, "calcs": ["lastNotNull", "max"], "sortBy": "Max", "sortDesc": true },
            "tooltip": { "mode": "multi", "sort": "desc" },
        }),
        "bargauge" => json!({ "reduceOptions": reduce, "orientation": "horizontal", "displayMode": "basic" }),
        _ => json!({ "reduceOptions": reduce, "colorMode": "value", "graphMode": "none" }),
    }
}

/// Green, yellow from the first value on, red from the second.
fn rising(yellow: f64, red: f64) -> Vec<(Option<f64>, &'static str)> {
    vec![(None, "green"), (Some(yellow), "yellow"), (Some(red), "red")]
}

/// Red, yellow from the first value on, green from the second.
fn falling(yellow: f64, green: f64) -> Vec<(Option<f64>, &'static str)> {
    vec![(None, "red"), (Some(yellow), "yellow"), (Some(green), "green")]
}

fn plain() -> Vec<(Option<f64>, &'static str)> {
    vec![(None, "green")]
}

fn stat(title: &'static str, about: &'static str, unit: &'static str, expression: &str) -> Panel {
    Panel {
        title,
        about,
        kind: "stat",
        unit,
        width: 4,
        height: LOW,
        targets: vec![(expression.to_owned(), "")],
        steps: plain(),
        max: None,
    }
}

fn chart(title: &'static str, about: &'static str, unit: &'static str, targets: Vec<(String, &'static str)>) -> Panel {
    Panel { title, about, kind: "timeseries", unit, width: 12, height: TALL, targets, steps: plain(), max: None }
}

fn host(plan: &Plan<'_>) -> Vec<Panel> {
    let mut cpu = vec![
        ("sum(service:cpu_usage:cores_rate5m)".to_owned(), "all services"),
        ("sum by (instance) (rate(node_cpu_seconds_total{mode!~\"idle|iowait\"}[5m]))".to_owned(), "host"),
        ("count by (instance) (node_cpu_seconds_total{mode=\"idle\"})".to_owned(), "host limit"),
    ];
    let mut memory = vec![
        ("sum(service:memory_working_set:bytes)".to_owned(), "all services"),
        ("node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes".to_owned(), "host"),
        ("node_memory_MemTotal_bytes".to_owned(), "host limit"),
    ];
    if let Some((_, host)) = plan.asked.host {
        cpu.push((format!("vector({})", host.pool_cpu().as_cores()), "pool"));
        memory.push((format!("vector({})", host.pool_memory().get()), "pool"));
    }
    vec![
        Panel {
            steps: rising(0.7, 0.9),
            ..stat(
                "CPU used",
                "Alerts above 90 % for 5 minutes.",
                "percentunit",
                "max(instance:node_cpu_usage:ratio_rate1m)",
            )
        },
        Panel {
            steps: falling(0.1, 0.2),
            ..stat(
                "Memory available",
                "Alerts below 10 % for 2 minutes.",
                "percentunit",
                "min(instance:node_memory_available:ratio)",
            )
        },
        Panel {
            steps: falling(0.15, 0.25),
            ..stat(
                "Disk free, fullest",
                "Alerts below 15 % for 5 minutes.",
                "percentunit",
                "min(instance:node_filesystem_available:ratio)",
            )
        },
        Panel {
            steps: rising(0.1, 0.25),
            ..stat(
                "Waiting for the disk",
                "Share of CPU time.",
                "percentunit",
                "max(instance:node_cpu_iowait:ratio_rate5m)",
            )
        },
        Panel {
            steps: vec![(None, "green"), (Some(1.0), "red")],
            ..stat(
                "Processes killed, 24 h",
                "For lack of memory, by the kernel's own count.",
                "short",
                "sum(increase(node_vmstat_oom_kill[1d]))",
            )
        },
        Panel {
            steps: vec![(None, "green"), (Some(1.0), "red")],
            ..stat("Alerts firing", "Of all severities.", "short", "count(ALERTS{alertstate=\"firing\"}) or vector(0)")
        },
        chart("CPU", "In cores.", "none", cpu),
        chart("Memory", "Working set of services; of the host, all that is not available.", "bytes", memory),
    ]
}

/// A figure of the services that the reader picked.
fn picked(metric: &str) -> String {
    format!("{metric}{PICKED}")
}

fn cpu() -> Vec<Panel> {
    vec![
        chart(
            "CPU against the limit",
            "In cores, all instances of a service together. Pick one service to see its limit beside it.",
            "none",
            vec![
                (picked("service:cpu_usage:cores_rate5m"), "{{service}}"),
                (picked("service:cpu_limit:cores"), "{{service}} limit"),
            ],
        ),
        Panel {
            steps: rising(0.7, 0.9),
            ..chart(
                "CPU used of the limit",
                "Services without a CPU limit are not here.",
                "percentunit",
                vec![(picked("service:cpu_usage:ratio_rate5m"), "{{service}}")],
            )
        },
        Panel {
            steps: rising(0.1, 0.25),
            max: Some(1.0),
            ..chart(
                "Throttled",
                "Share of scheduler periods in which a service waited at its CPU limit. Alerts above 25 % for 15 minutes.",
                "percentunit",
                vec![(picked("service:cpu_throttled:ratio_rate5m"), "{{service}}")],
            )
        },
        chart(
            "Instances",
            "Running containers of a service.",
            "short",
            vec![(picked("service:instances:count"), "{{service}}")],
        ),
    ]
}

fn memory() -> Vec<Panel> {
    vec![
        chart(
            "Memory against the limit",
            "Working set, all instances of a service together. Pick one service to see its limit beside it.",
            "bytes",
            vec![
                (picked("service:memory_working_set:bytes"), "{{service}}"),
                (picked("service:memory_limit:bytes"), "{{service}} limit"),
            ],
        ),
        Panel {
            steps: rising(0.85, 0.9),
            kind: "bargauge",
            max: Some(1.0),
            ..chart(
                "Memory used of the limit, now",
                "Services without a memory limit are not here. Alerts above 85 % for 3 minutes and above 90 % for 1 minute.",
                "percentunit",
                vec![(format!("sort_desc({})", picked("service:memory_usage:ratio")), "{{service}}")],
            )
        },
    ]
}

fn trouble() -> Vec<Panel> {
    let by = |function: &str, metric: &str, window: &str| {
        by_service("sum", &format!("{function}({metric}{{{SERVICE_LABEL}=~\"$service\"}}[{window}])"))
    };
    vec![
        chart(
            "Restarts",
            "Within 15 minutes, by the CPU counters that begin anew. Alerts above 2 for one container.",
            "short",
            vec![(by("resets", "container_cpu_usage_seconds_total", "15m"), "{{service}}")],
        ),
        chart(
            "Out of memory",
            "Kills within 5 minutes that cAdvisor saw. Each one alerts.",
            "short",
            vec![(by("increase", "container_oom_events_total", "5m"), "{{service}}")],
        ),
    ]
}

fn requests() -> Vec<Panel> {
    let quantile = |name: &str| picked(&format!("service:http_request_duration_seconds:{name}_rate5m"));
    vec![
        Panel {
            steps: rising(0.5, 1.0),
            ..chart(
                "Latency",
                "The budget of the critical path is 500 ms for P95 and 1 s for P99. P95 alerts after 2 minutes.",
                "s",
                vec![
                    (quantile("p50"), "{{service}} P50"),
                    (quantile("p95"), "{{service}} P95"),
                    (quantile("p99"), "{{service}} P99"),
                ],
            )
        },
        chart("Requests", "Per second.", "reqps", vec![(picked("service:http_requests:rate5m"), "{{service}}")]),
        Panel {
            steps: rising(0.01, 0.05),
            max: Some(1.0),
            ..chart(
                "Failed requests",
                "Share of answers of 500 and above.",
                "percentunit",
                vec![(picked("service:http_errors:ratio_rate5m"), "{{service}}")],
            )
        },
    ]
}
