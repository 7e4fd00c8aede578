//! A small project with one scenario, and sweeps over it.

use crate::program::plimsoll;
use crate::program::run;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

const COMPOSE: &str =
    "services: { shop: { image: example/shop:1, deploy: { resources: { limits: { cpus: '1', memory: 256M } } } } }\n";

const SCENARIO: &str = "\
scenario: a shop
stack: compose.yaml
host: small-vps
duration: 10m
warmup: 1m
seeds: 1..2
services: { shop: { work: { cpu: 10ms, memory: 1M }, idle_memory: 60M, start_up: 1s } }
load: { shop: { pattern: constant, rate: 20/s } }
expect:
  fast: p95(latency.shop) <= 200ms
  nobody is sent away: error_rate(shop) < 1%
";

/// The rates of a grid, in a table worked out by hand: 20 to 140/s; one core of 10 ms a request holds less than 100/s.
pub(crate) const GRID: &str = "\
sweep: how much
scenario: scenario.yaml
vary:
  load.shop.rate: { from: 20/s, to: 140/s, by: 40/s }
  services.shop.workers: [2, 8, 32]
measure:
  slow: p95(latency.shop)
  busy: mean(cpu.shop)
";

/// A project in a folder of its own, removed when it is dropped.
pub(crate) struct Project(TempDir);

impl Project {
    /// One with this sweep as `test.sweep.yaml`.
    pub(crate) fn new(sweep: &str) -> Self {
        let project = Self(tempfile::tempdir().expect("a folder"));
        project.write("compose.yaml", COMPOSE);
        project.write("scenario.yaml", SCENARIO);
        project.write("test.sweep.yaml", sweep);
        project
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("can be written");
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The scenario with one text in it replaced by another.
    pub(crate) fn scenario_with(&self, name: &str, replaced: &[(&str, &str)]) {
        let text = replaced.iter().fold(SCENARIO.to_owned(), |text, (old, new)| {
            assert!(text.contains(old), "{old}");
            text.replace(old, new)
        });
        self.write(name, &text);
    }

    /// The program in the folder of the project.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = plimsoll();
        command.current_dir(self.0.path()).args(arguments);
        command
    }

    /// Runs it: exit code and both outputs.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        run(&mut self.command(arguments))
    }

    /// Sweeps to a file, which must go well.
    pub(crate) fn sweep(&self, out: &str, more: &[&str]) -> String {
        let arguments = [&["sweep", "test.sweep.yaml", "--out", out], more].concat();
        let (code, text, err) = self.run(&arguments);
        assert_eq!(code, 0, "{err}");
        text
    }

    /// The values of all points, by the name of the field, as text.
    pub(crate) fn points(&self) -> Vec<serde_json::Value> {
        let (code, out, err) = self.run(&["sweep", "test.sweep.yaml", "--list", "--json"]);
        assert_eq!(code, 0, "{err}");
        let json: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        let points = json["points"].as_array().expect("points").clone();
        for (place, point) in points.iter().enumerate() {
            assert_eq!(point["point"], place as u64);
        }
        points.into_iter().map(|point| point["values"].clone()).collect()
    }
}

/// The rows of a CSV file, by the titles of the columns.
pub(crate) fn rows(path: &Path) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    let rows = reader.deserialize();
    rows.map(|row| row.expect("a row")).collect()
}
