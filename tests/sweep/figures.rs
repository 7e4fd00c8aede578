//! The rows say what `simulate` says, and other programs read them.

use crate::project::GRID;
use crate::project::Project;
use crate::project::rows;
use std::collections::BTreeMap;
use std::process::Command;

/// Each point once more, as a scenario written by hand.
#[test]
fn a_row_is_what_simulate_says_of_the_scenario_of_its_point() {
    let project = Project::new(GRID);
    project.sweep("rows.csv", &[]);
    let rows = rows(&project.path("rows.csv"));
    assert_eq!(rows.len(), 4 * 3 * 2);
    for row in rows.iter().filter(|row| ["0", "5", "10"].contains(&row["point"].as_str())) {
        let rate = format!("rate: {}/s", row["load.shop.rate [/s]"]);
        let workers = format!("shop: {{ workers: {}, work", row["services.shop.workers"]);
        let measures = "expect:\n  slow: p95(latency.shop) >= 0s\n  busy: mean(cpu.shop) >= 0\n";
        project
            .scenario_with("own.yaml", &[("rate: 20/s", &rate), ("shop: { work", &workers), ("expect:\n", measures)]);
        let (_, out, err) = project.run(&["simulate", "own.yaml", "--seed", &row["seed"], "--json"]);
        let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {err}"));
        let report = if json.get("expectations").is_some() { &json } else { &json["scenarios"][0] };
        let expectations = report["expectations"].as_array().unwrap_or_else(|| panic!("{json:#}"));
        let of = |name: &str| expectations.iter().find(|one| one["name"] == name).expect("it is judged");
        for (name, column) in [
            ("fast", "fast [ms]"),
            ("nobody is sent away", "nobody is sent away [share]"),
            ("slow", "slow [ms]"),
            ("busy", "busy [cores]"),
        ] {
            // Nobody was answered, where the shop ran out of memory: `inf` in a row, no value in JSON.
            let value = &of(name)["measured"]["value"];
            let measured = value.as_f64().unwrap_or(f64::INFINITY);
            let own: f64 = row[column].parse().expect("a number");
            let same = own == measured || (own - measured).abs() <= 1e-3 * measured.abs();
            assert!(same, "{name} of point {}: {own}, {measured}", row["point"]);
        }
        for name in ["fast", "nobody is sent away"] {
            assert_eq!(of(name)["passed"].to_string(), row[&format!("{name}: held")], "{name}");
        }
        let all = ["fast", "nobody is sent away"].iter().all(|name| of(name)["passed"] == true);
        assert_eq!(row["all_held"], all.to_string());
        assert_eq!(report["container_ticks"].to_string(), row["container_ticks"]);
    }
}

/// One core of 10 ms a request: offered 20, 60, 100 and 140/s it is busy for 0.2 and 0.6, and then for all of its time.
#[test]
fn a_measure_agrees_with_arithmetic() {
    let project = Project::new(GRID);
    // Requests that wait hold no memory, so that nothing is killed.
    project.scenario_with("scenario.yaml", &[("memory: 1M", "memory: 0")]);
    project.sweep("rows.csv", &[]);
    for row in rows(&project.path("rows.csv")) {
        let (rate, busy): (f64, f64) =
            (row["load.shop.rate [/s]"].parse().expect("a number"), row["busy [cores]"].parse().expect("a number"));
        let offered = (rate * 0.01).min(1.0);
        assert!((busy - offered).abs() < 0.05, "{rate}/s: {busy}");
        assert_eq!(row["fast: held"], (rate < 80.0).to_string(), "{rate}/s");
    }
}

#[test]
fn a_policy_that_is_named_gets_the_figure_that_is_varied() {
    let project = Project::new(
        "sweep: bounds\nscenario: scaled.yaml\nvary:\n  policy.shop.replicas: [1..1, 2..2]\n  host: [kvm-4, kvm-6]\n\
         measure: { instances: max(replicas.shop) }\n",
    );
    project.scenario_with("scaled.yaml", &[("expect:\n", "policy: { shop: web-app-balanced }\nexpect:\n")]);
    project.sweep("rows.csv", &[]);
    for row in rows(&project.path("rows.csv")) {
        let wanted = row["policy.shop.replicas"].split("..").next().expect("a bound");
        assert_eq!(row["instances [count]"], wanted);
    }
}

const READ: &str = "
import sys
try:
    import pyarrow.parquet
    rows = pyarrow.parquet.read_table(sys.argv[1]).to_pylist()
except ImportError:
    try:
        import duckdb
        found = duckdb.sql(f\"select * from '{sys.argv[1]}'\")
        rows = [dict(zip(found.columns, row)) for row in found.fetchall()]
    except ImportError:
        sys.exit(77)
import json
# JSON has no infinity.
print(json.dumps([{key: str(value) if value == float('inf') else value for key, value in row.items()} for row in rows]))
";

#[expect(clippy::print_stderr, reason = "who runs the test should know that it saw nothing")]
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

/// Another program reads the file, where there is one; the crate's own reader does so in `merge`.
#[test]
fn other_programs_read_the_parquet_file() {
    let project = Project::new(GRID);
    project.sweep("rows.parquet", &[]);
    project.sweep("rows.csv", &[]);
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(python).args(["-c", READ]).arg(project.path("rows.parquet")).output();
    let output = match output {
        Ok(output) if output.status.success() => output,
        Ok(output) if output.status.code() == Some(77) => {
            return skipped("neither pyarrow nor duckdb is installed");
        }
        Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => {
            return skipped("python3 is not installed");
        }
    };
    let read: Vec<BTreeMap<String, serde_json::Value>> = serde_json::from_slice(&output.stdout).expect("rows");
    let rows = rows(&project.path("rows.csv"));
    assert_eq!(read.len(), rows.len());
    for (read, row) in read.iter().zip(&rows) {
        assert!(read.keys().eq(row.keys()));
        for (title, text) in row {
            let same = match &read[title] {
                serde_json::Value::Number(number) => text.parse::<f64>().ok() == number.as_f64(),
                serde_json::Value::Null => text.is_empty(),
                serde_json::Value::String(read) => read == text,
                serde_json::Value::Bool(flag) => text.parse() == Ok(*flag),
                other => panic!("{title}: {other}"),
            };
            assert!(same, "{title}: {} and {text}", read[title]);
        }
    }
}
