//! The monitoring of a stack: what Prometheus reads, records and alerts on, unit tests of that, a dashboard, and the
//! services that are missing for it (register A9 and S4; documents Z and V name the alerts and their thresholds).
//!
//! Before you change it:
//! 1. The same stack gives the same bytes. Nothing here is read from a clock, a host or a file.
//! 2. Everything is written for the software it is for: `tests/bundle.rs` gives it to promtool, amtool and docker-compose.
//! 3. An alert and its unit tests are one entry of a table (`alerts`), but the series of the tests are stated by hand:
//!    a changed threshold or duration breaks them.

mod alerts;
mod compose;
mod dashboard;
mod grafana;
mod parts;
mod prometheus;
mod promql;
mod recording;
mod targets;
mod unit_tests;

use crate::input::catalog::Catalog;
use crate::model::Host;
use crate::model::Stack;
use parts::Part;
use targets::Target;

/// A file of the bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleFile {
    /// Where it belongs below the folder of the bundle, with `/`.
    pub path: String,
    /// What it holds.
    pub text: String,
    /// Only a beginning: the user goes on from here, and what is there already is left alone.
    pub beginning: bool,
}

/// What the stack itself does not say.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The folder of the bundle as Compose sees it from the project's folder: `./monitoring`.
    pub folder: &'a str,
    /// The folder of the bundle as the user types it: `monitoring`.
    pub out: &'a str,
    /// How the stack is named on a command line: `-f compose.yml`.
    pub files: &'a str,
    /// The host the stack is planned for, and how it is named on a command line.
    pub host: Option<(&'a str, &'a Host)>,
}

/// Everything that the files are written from.
struct Plan<'a> {
    stack: &'a Stack,
    asked: Asked<'a>,
    /// What monitors: in the stack, or added to it.
    parts: Vec<Part>,
    /// What is scraped, cAdvisor and node-exporter first.
    targets: Vec<Target>,
}

impl Plan<'_> {
    fn new<'a>(stack: &'a Stack, catalog: &Catalog, asked: Asked<'a>) -> Plan<'a> {
        let parts = parts::all(stack, catalog);
        let targets = targets::all(stack, catalog, &parts);
        Plan { stack, asked, parts, targets }
    }

    /// The service that does this job.
    fn part(&self, kind: parts::Kind) -> &Part {
        self.parts.iter().find(|part| part.kind == kind).expect("every kind has its part")
    }

    /// The name of the stack where it has one.
    fn title(&self) -> &str {
        self.stack.name.as_deref().unwrap_or("stack")
    }
}

/// The monitoring bundle of a stack, in order of the paths.
#[must_use]
pub fn bundle(stack: &Stack, catalog: &Catalog, asked: Asked<'_>) -> Vec<BundleFile> {
    let plan = Plan::new(stack, catalog, asked);
    let alerts = alerts::all(&plan);
    let file = |path: &str, text: String| BundleFile { path: path.to_owned(), text, beginning: false };
    let mut files = vec![
        file(prometheus::CONFIG, prometheus::config(&plan)),
        file(prometheus::RECORDING, recording::file(&plan)),
        file(prometheus::ALERTS, alerts::file(&alerts)),
        file(prometheus::UNIT_TESTS, unit_tests::file(&alerts)),
        file("grafana/dashboards/plimsoll.json", dashboard::file(&plan)),
        file("grafana/provisioning/dashboards/plimsoll.yml", grafana::dashboards()),
        file("grafana/provisioning/datasources/plimsoll.yml", grafana::datasources(&plan)),
        file("compose.monitoring.yml", compose::file(&plan)),
    ];
    if plan.part(parts::Kind::Alertmanager).added {
        let text = prometheus::alertmanager();
        files.push(BundleFile { beginning: true, ..file("alertmanager/alertmanager.yml", text) });
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// Services of the critical path that serve requests and are not scraped, since nobody said where their metrics are.
#[must_use]
pub fn unmeasured(stack: &Stack, catalog: &Catalog) -> Vec<String> {
    targets::unmeasured(stack, catalog)
}

/// The comment at the top of every file that can hold one.
fn header(what: &str) -> String {
    format!("{what}\nWritten by `plimsoll bundle`; run it again after a change of the stack.")
}
