//! The monitoring bundle, given to the programs it is for: promtool, amtool and docker-compose. Where they are not
//! installed the tests say so; with `PLIMSOLL_REQUIRE_SERVERS=1` that is a failure.

#[path = "bundle/dashboard.rs"]
mod dashboard;
mod program;
#[path = "bundle/programs.rs"]
mod programs;
#[path = "bundle/stacks.rs"]
mod stacks;

use plimsoll::input::problem::Source;
use plimsoll::input::yaml;
use plimsoll::input::yaml::Node;
use program::plimsoll;
use programs::Program;
use serde_json::Value;
use stacks::Bundled;
use std::collections::BTreeSet;
use std::path::Path;

/// Thresholds and durations as the register has them (A9, documents Z and V), typed a second time.
const REGISTER: [(&str, &str, &str, &str); 8] = [
    ("HighMemoryUsage", "< 0.1", "2m", "critical"),
    ("HighCPUUsage", "> 0.9", "5m", "warning"),
    ("DiskSpaceLow", "< 0.15", "5m", "warning"),
    ("ContainerMemoryPressure", "> 0.85", "3m", "warning"),
    ("ContainerMemoryNearLimit", "> 0.9", "1m", "warning"),
    ("ContainerOOMKilled", "> 0", "0m", "critical"),
    ("APILatencyHigh", "> 0.5", "2m", "warning"),
    ("ServiceDown", "== 0", "1m", "critical"),
];

fn parsed(path: &Path) -> Node {
    let source = Source::read(path).unwrap_or_else(|problem| panic!("{}: {problem:?}", path.display()));
    yaml::parse(&source).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The rules of a file: name of the alert or record, and the rule.
fn rules(bundled: &Bundled, file: &str) -> Vec<(String, Node)> {
    let file = parsed(&bundled.path(file));
    let groups = file.get("groups").expect("groups").items().iter();
    let rules = groups.flat_map(|group| group.get("rules").expect("rules").items());
    let text = |rule: &Node, key: &str| rule.get(key).and_then(Node::scalar);
    rules.map(|rule| (text(rule, "alert").or(text(rule, "record")).expect("a name"), rule.clone())).collect()
}

fn text(rule: &Node, key: &str) -> String {
    rule.get(key).and_then(Node::scalar).unwrap_or_default()
}

#[test]
fn every_file_of_every_stack_is_read_by_the_program_it_is_for() {
    for bundled in stacks::all() {
        for file in ["prometheus/prometheus.yml", "prometheus/rules_test.yml", "compose.monitoring.yml"] {
            parsed(&bundled.path(file));
        }
        Program::Promtool.accepts(&bundled, &["check", "config", "prometheus/prometheus.yml"]);
        Program::Promtool
            .accepts(&bundled, &["check", "rules", "prometheus/rules/recording.yml", "prometheus/rules/alerts.yml"]);
        Program::Promtool.accepts(&bundled, &["test", "rules", "prometheus/rules_test.yml"]);
        if bundled.path("alertmanager/alertmanager.yml").is_file() {
            Program::Amtool.accepts(&bundled, &["check-config", "alertmanager/alertmanager.yml"]);
        }
        if let Some(base) = &bundled.old_compose {
            let base = base.to_string_lossy();
            Program::DockerCompose.accepts(&bundled, &["-f", &base, "-f", "compose.monitoring.yml", "config", "-q"]);
        }
    }
}

#[test]
fn the_alerts_are_those_of_the_register() {
    let rules = rules(&stacks::ziggie_with_labels(), "prometheus/rules/alerts.yml");
    for (name, threshold, hold, severity) in REGISTER {
        let of_name: Vec<&Node> = rules.iter().filter(|(rule, _)| rule == name).map(|(_, rule)| rule).collect();
        assert!(!of_name.is_empty(), "{name}");
        for rule in of_name {
            assert!(text(rule, "expr").ends_with(&format!(" {threshold}")), "{name}: {}", text(rule, "expr"));
            assert_eq!(text(rule, "for"), hold, "{name}");
            assert_eq!(text(rule.get("labels").expect("labels"), "severity"), severity, "{name}");
        }
    }
    let slow: BTreeSet<String> = rules
        .iter()
        .filter(|(name, _)| name == "APILatencyHigh")
        .map(|(_, rule)| text(rule.get("labels").expect("labels"), "service"))
        .collect();
    assert_eq!(slow, BTreeSet::from(["mcp-gateway".to_owned(), "ziggie-api".to_owned()]));
}

#[test]
fn each_service_is_scraped_where_it_has_its_metrics() {
    let config = parsed(&stacks::ziggie_with_labels().path("prometheus/prometheus.yml"));
    let jobs = config.get("scrape_configs").expect("jobs").items();
    let job =
        |name: &str| jobs.iter().find(|job| text(job, "job_name") == name).unwrap_or_else(|| panic!("no job {name}"));
    for (name, interval, target) in [
        ("cadvisor", "15s", "cadvisor:8080"),
        ("node-exporter", "15s", "node-exporter:9100"),
        ("ziggie-api", "10s", "ziggie-api:8000"),
        ("mcp-gateway", "10s", "mcp-gateway:8080"),
    ] {
        assert_eq!(text(job(name), "scrape_interval"), interval, "{name}");
        let targets = job(name).get("static_configs").expect("targets").items()[0].get("targets").expect("targets");
        assert_eq!(targets.items()[0].scalar().as_deref(), Some(target), "{name}");
    }
    // It has two instances behind one name.
    assert_eq!(text(job("n8n"), "scrape_interval"), "30s");
    let found = &job("n8n").get("dns_sd_configs").expect("found by name").items()[0];
    assert_eq!(text(found, "port"), "5678");
    assert_eq!(text(job("ziggie-api"), "metrics_path"), "/internal/metrics");
}

/// What the tests of the bundle are worth: each alert is changed in one figure at a time, and its tests must fail.
#[test]
fn a_changed_threshold_or_duration_breaks_the_unit_tests() {
    let bundled = stacks::ziggie_with_labels();
    let path = bundled.path("prometheus/rules/alerts.yml");
    let good = std::fs::read_to_string(&path).expect("the alerts");
    let tests = std::fs::read_to_string(bundled.path("prometheus/rules_test.yml")).expect("the tests");
    let figures = [
        ("ratio < 0.1\n", ["ratio < 0.11\n", "ratio < 0.09\n"]),
        ("ratio_rate1m > 0.9\n", ["ratio_rate1m > 0.92\n", "ratio_rate1m > 0.89\n"]),
        ("ratio < 0.15\n", ["ratio < 0.16\n", "ratio < 0.14\n"]),
        ("ratio > 0.85\n", ["ratio > 0.86\n", "ratio > 0.84\n"]),
        ("memory_usage:ratio > 0.9\n", ["memory_usage:ratio > 0.91\n", "memory_usage:ratio > 0.89\n"]),
        ("ratio_rate5m > 0.25\n", ["ratio_rate5m > 0.27\n", "ratio_rate5m > 0.24\n"]),
        (") > 0.5\n", [") > 0.55\n", ") > 0.45\n"]),
        (") > 2\n", [") > 3\n", ") > 1\n"]),
        (" > 1\n", [" > 1.02\n", " > 0.99\n"]),
        ("up == 0\n", ["up == 1\n", "up >= 0\n"]),
        ("[5m])) > 0\n", ["[5m])) > 1\n", "[5m])) >= 0\n"]),
    ];
    let mut changed: Vec<(usize, String)> = Vec::new();
    for (figure, others) in figures {
        let at = good.find(figure).unwrap_or_else(|| panic!("no {figure}"));
        changed.extend(others.iter().map(|other| (at, good.replacen(figure, other, 1))));
    }
    let mut count = 0;
    for (at, _) in good.match_indices("        for: ") {
        count += 1;
        let end = good[at..].find('\n').expect("a line ends") + at;
        let with = |hold: &str| (at, format!("{}        for: {hold}{}", &good[..at], &good[end..]));
        changed.push(with("30m"));
        if !good[at..end].ends_with(" 0m") {
            changed.push(with("0m"));
        }
    }
    assert!(count >= 13, "the durations are found");
    let mut accepted: BTreeSet<&str> = BTreeSet::new();
    for (at, text) in changed {
        let (_, alert) = good[..at].rsplit_once("- alert: ").expect("a figure of an alert");
        let alert = alert.lines().next().expect("its name");
        std::fs::write(bundled.path("prometheus/one_test.yml"), tests_of(&tests, alert)).expect("tests of one alert");
        if accepted.insert(alert) {
            std::fs::write(&path, &good).expect("the alerts");
            Program::Promtool.accepts(&bundled, &["test", "rules", "prometheus/one_test.yml"]);
        }
        std::fs::write(&path, &text).expect("changed alerts");
        let passed = Program::Promtool.passes(&bundled, &["test", "rules", "prometheus/one_test.yml"]);
        let different = text.lines().zip(good.lines()).find(|(one, other)| one != other);
        assert_ne!(passed, Some(true), "the unit tests of {alert} do not see {different:?}");
    }
}

/// The file of unit tests with those of one alert only, since promtool takes its time for each.
fn tests_of(tests: &str, alert: &str) -> String {
    let mut parts = tests.split("\n  - name: ");
    let head = parts.next().expect("what stands before the tests").to_owned();
    let of_alert = |part: &&str| part.trim_start_matches('"').starts_with(&format!("{alert} of "));
    let kept: Vec<&str> = parts.filter(of_alert).collect();
    assert!(!kept.is_empty(), "{alert} has no tests");
    kept.iter().fold(head, |text, part| text + "\n  - name: " + part) + "\n"
}

#[test]
fn the_same_stack_gives_the_same_bytes() {
    let (one, other) = (stacks::ziggie_with_labels(), stacks::ziggie_with_labels());
    for file in ["prometheus/rules_test.yml", "grafana/dashboards/plimsoll.json", "compose.monitoring.yml"] {
        let read = |bundled: &Bundled| std::fs::read(bundled.path(file)).expect("a file of the bundle");
        assert_eq!(read(&one), read(&other), "{file}");
    }
}

#[test]
fn what_the_stack_has_itself_is_scraped_where_its_labels_say() {
    let bundled = stacks::own_monitor();
    let config = std::fs::read_to_string(bundled.path("prometheus/prometheus.yml")).expect("the configuration");
    assert!(config.contains("watcher:8081") && !config.contains("8080"), "{config}");
}

/// A stack that lacks everything gets everything, on the networks where it is needed and on ports that are free.
#[test]
fn what_is_missing_is_added_where_it_is_needed() {
    let bundled = stacks::small();
    let fragment = parsed(&bundled.path("compose.monitoring.yml"));
    let services = fragment.get("services").expect("services");
    let names: Vec<&str> = services.entries().iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(names, ["cadvisor", "node-exporter", "prometheus", "alertmanager", "grafana"]);
    for entry in services.entries() {
        let limits = entry.value.get("deploy").and_then(|deploy| deploy.get("resources")?.get("limits"));
        assert!(
            limits.is_some_and(|limits| limits.get("cpus").is_some() && limits.get("memory").is_some()),
            "{}",
            entry.key
        );
    }
    let list = |service: &str, key: &str| -> Vec<String> {
        let items = services.get(service).and_then(|service| service.get(key)).map(Node::items).unwrap_or_default();
        items.iter().filter_map(Node::scalar).collect()
    };
    assert_eq!(list("prometheus", "networks"), ["back", "default"]);
    // The stack publishes 3000 itself.
    assert_eq!(list("grafana", "ports"), ["127.0.0.1:3001:3000"]);
    assert_eq!(list("cadvisor", "ports"), [""; 0]);
}

#[test]
fn the_dashboard_is_one_that_grafana_draws() {
    for bundled in stacks::all() {
        let json = std::fs::read_to_string(bundled.path("grafana/dashboards/plimsoll.json")).expect("the dashboard");
        let value: Value = serde_json::from_str(&json).expect("JSON");
        dashboard::check(&value);
        let rules = dashboard::as_rules(&value);
        std::fs::write(bundled.path("dashboard-rules.yml"), rules).expect("the expressions");
        Program::Promtool.accepts(&bundled, &["check", "rules", "dashboard-rules.yml"]);
    }
}

/// Runs `plimsoll bundle` again on a stack that has its bundle: exit code and JSON.
fn again(bundled: &Bundled, options: &[&str]) -> (Option<i32>, Value) {
    let mut command = plimsoll();
    command.args(["bundle", "--json", "-f", "compose.yml"]).args(options);
    let (code, out, _) = program::run(command.current_dir(bundled.home()));
    (Some(code), serde_json::from_str(&out).unwrap_or_default())
}

fn outcomes(json: &Value) -> BTreeSet<(&str, &str)> {
    let files = json["files"].as_array().expect("files").iter();
    files.map(|file| (file["outcome"].as_str().expect("an outcome"), file["path"].as_str().expect("a path"))).collect()
}

#[test]
fn what_a_person_changed_is_refused_and_with_force_kept() {
    let bundled = stacks::small();
    let (code, json) = again(&bundled, &[]);
    assert_eq!(code, Some(0));
    assert!(outcomes(&json).iter().all(|(outcome, _)| *outcome == "unchanged"), "{json}");

    let alerts = "prometheus/rules/alerts.yml";
    for (file, text) in [(alerts, "groups: []\n"), ("alertmanager/alertmanager.yml", "route: { receiver: me }\n")] {
        std::fs::write(bundled.path(file), text).expect("an edit");
    }
    // Another host changes the alerts; nothing may be written, not even what nobody touched.
    let dashboard = std::fs::read(bundled.path("grafana/dashboards/plimsoll.json")).expect("the dashboard");
    assert_eq!(again(&bundled, &["--host", "kvm-4"]).0, Some(64));
    assert_eq!(std::fs::read_to_string(bundled.path(alerts)).expect("the edit"), "groups: []\n");
    assert_eq!(std::fs::read(bundled.path("grafana/dashboards/plimsoll.json")).expect("the dashboard"), dashboard);

    let (code, json) = again(&bundled, &["--host", "kvm-4", "--force"]);
    assert_eq!(code, Some(0));
    let outcomes = outcomes(&json);
    assert!(outcomes.contains(&("replaced", "monitoring/prometheus/rules/alerts.yml")), "{json}");
    assert!(outcomes.contains(&("renewed", "monitoring/grafana/dashboards/plimsoll.json")), "{json}");
    // Whom to tell is the user's to say, and stays said.
    assert!(outcomes.contains(&("kept", "monitoring/alertmanager/alertmanager.yml")), "{json}");
    assert_eq!(
        std::fs::read_to_string(bundled.path("prometheus/rules/alerts.yml.bak")).expect("the backup"),
        "groups: []\n"
    );
    assert!(!rules(&bundled, alerts).is_empty());
}

/// A service of the critical path that nobody scrapes is named, since no alert will ever speak of it.
#[test]
fn a_service_without_known_metrics_is_named() {
    let bundled = stacks::small();
    let stack = "services:\n  web:\n    image: example.com/shop/web:7\n    labels: { plimsoll.tier: '1' }\n  db:\n    image: postgres:16\n";
    std::fs::write(bundled.home().join("compose.yml"), stack).expect("a Compose file");
    let (code, json) = again(&bundled, &[]);
    assert_eq!(code, Some(0));
    assert_eq!(json["unmeasured"], serde_json::json!(["web"]));
}
