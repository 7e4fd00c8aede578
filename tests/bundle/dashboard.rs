//! What Grafana asks of a dashboard.

use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;

/// Units by the identifiers that Grafana gives them.
const UNITS: [&str; 6] = ["percentunit", "bytes", "none", "short", "s", "reqps"];

/// Panels have places that do not overlap, identifiers of their own, a data source, a unit and something to draw.
pub(crate) fn check(dashboard: &Value) {
    let uid = dashboard["uid"].as_str().expect("a uid");
    assert!(
        uid.len() <= 40 && uid.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter)),
        "{uid}"
    );
    assert!(dashboard["schemaVersion"].as_u64().is_some_and(|version| version >= 36));
    let variables: Vec<&str> = dashboard["templating"]["list"]
        .as_array()
        .expect("variables")
        .iter()
        .filter_map(|v| v["name"].as_str())
        .collect();
    assert_eq!(variables, ["datasource", "service"]);
    let mut cells = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in panels(dashboard) {
        let title = panel["title"].as_str().expect("a title");
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{title}");
        let place = |key: &str| panel["gridPos"][key].as_u64().unwrap_or_else(|| panic!("{title}: no {key}"));
        let (x, y, w, h) = (place("x"), place("y"), place("w"), place("h"));
        assert!(w > 0 && h > 0 && x + w <= 24, "{title} leaves the grid");
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(cells.insert(cell), "{title} overlaps another panel at {cell:?}");
        }
        if panel["type"] == "row" {
            continue;
        }
        let defaults = &panel["fieldConfig"]["defaults"];
        assert!(UNITS.contains(&defaults["unit"].as_str().unwrap_or_default()), "{title}");
        let steps = defaults["thresholds"]["steps"].as_array().expect("steps");
        assert!(steps[0]["value"].is_null(), "{title}: the first step has no beginning");
        let values: Vec<f64> = steps.iter().filter_map(|step| step["value"].as_f64()).collect();
        assert!(values.windows(2).all(|pair| pair[0] < pair[1]), "{title}: steps rise");
        let targets = panel["targets"].as_array().expect("targets");
        assert!(!targets.is_empty(), "{title}");
        let letters: BTreeSet<&str> = targets.iter().filter_map(|target| target["refId"].as_str()).collect();
        assert_eq!(letters.len(), targets.len(), "{title}: each target has its letter");
        for target in targets {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
        }
    }
    let rows = panels(dashboard).filter(|panel| panel["type"] == "row").count();
    assert!(rows >= 4, "host, CPU, memory, restarts");
}

fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    dashboard["panels"].as_array().expect("panels").iter()
}

/// Every expression as a recording rule, with the variables filled in, for promtool to read. JSON is YAML.
pub(crate) fn as_rules(dashboard: &Value) -> String {
    let targets = panels(dashboard).filter_map(|panel| panel["targets"].as_array()).flatten();
    let rules: Vec<Value> = targets
        .enumerate()
        .map(|(index, target)| {
            let expression = target["expr"].as_str().expect("an expression").replace("$service", ".+");
            json!({ "record": format!("dashboard:expression_{index}:value"), "expr": expression })
        })
        .collect();
    assert!(rules.len() >= 15);
    json!({ "groups": [{ "name": "dashboard", "rules": rules }] }).to_string()
}
