//! What `plimsoll test` shows: a line a check, failures again at the end, a summary; or all of it as JSON.

use super::clock;
use super::exit::Exit;
use super::format::Format;
use super::gate::Finished;
use super::gate::Test;
use super::printer::BAD;
use super::printer::GOOD;
use super::printer::HEAD;
use super::printer::Printer;
use super::printer::WARN;
use super::printer::paint;
use crate::report::quoted;
use serde_json::json;
use std::time::Duration;

/// Collects what came of the tests, and shows it.
pub(super) struct Scoreboard {
    lines: bool,
    total: usize,
    tests: usize,
    shown: usize,
    finished: Vec<Finished>,
    updating: bool,
}

impl Scoreboard {
    /// For these tests; `lines` are shown while they run.
    pub(super) fn new(tests: &[Test], lines: bool) -> Self {
        let total = tests.iter().map(|test| test.checks().len()).sum();
        Self { lines, total, tests: tests.len(), shown: 0, finished: Vec::new(), updating: false }
    }

    /// What came so far.
    pub(super) fn finished(&self) -> &[Finished] {
        &self.finished
    }

    /// Shows what would run.
    pub(super) fn list(&self, tests: &[Test], format: Format, printer: &mut Printer) {
        let names =
            |test: &Test| test.checks().iter().map(|check| format!("{}::{check}", test.name)).collect::<Vec<_>>();
        let all: Vec<String> = tests.iter().flat_map(names).collect();
        if format == Format::Json {
            printer.json(&json!({"format_version": 1, "tests": all}));
        } else {
            printer.data(&all.join("\n"));
        }
    }

    /// Shows what came of one test, a line a check.
    pub(super) fn show(&mut self, finished: &Finished, updating: bool, printer: &mut Printer) {
        if !self.lines {
            return;
        }
        let took = finished.took;
        for check in &finished.checks {
            self.shown += 1;
            let word = if check.failures.is_empty() { paint(GOOD, "    PASS") } else { paint(BAD, "    FAIL") };
            printer.data(&self.line(&word, took, &finished.name, &check.name));
            check.failures.iter().for_each(|failure| printer.data(&indented(failure)));
        }
        if !finished.worse.is_empty() && !updating {
            printer.data(&self.line(&paint(WARN, "   WORSE"), took, &finished.name, "baseline"));
            changes(&finished.worse, 20, printer);
            let accept = format!("accept plimsoll test --update {}", quoted(&finished.name));
            printer.data(&indented(&accept));
        }
        if !finished.better.is_empty() && !updating {
            printer.data(&self.line(&paint(GOOD, "  BETTER"), took, &finished.name, "baseline"));
            changes(&finished.better, 5, printer);
        }
    }

    fn line(&self, word: &str, took: Duration, test: &str, check: &str) -> String {
        let width = self.total.to_string().len();
        let seconds = took.as_secs_f64();
        format!("{word} [{seconds:>7.2}s] ({:>width$}/{}) {test}::{check}", self.shown, self.total)
    }

    /// Keeps what came of one test, and says whether it is good. While baselines are written, none is worse.
    pub(super) fn add(&mut self, mut finished: Finished, updating: bool) -> bool {
        self.updating |= updating;
        if updating {
            finished.worse.clear();
            finished.better.clear();
        }
        let good = finished.passed() && finished.worse.is_empty();
        self.finished.push(finished);
        good
    }

    /// Shows the summary, and the failures again.
    pub(super) fn finish(&self, format: Format, took: Duration, printer: &mut Printer) {
        if format == Format::Json {
            printer.json(&self.json());
            return;
        }
        let counts = self.counts();
        let rule = paint(HEAD, "────────── Summary");
        printer.data(&format!("{rule} [{}] {}", clock::shown(took), counts.text()));
        if self.shown > 20 || self.finished.len() > 1 {
            self.repeat(printer);
        }
    }

    /// Failures again, so that nobody has to scroll.
    fn repeat(&self, printer: &mut Printer) {
        for finished in &self.finished {
            for check in finished.checks.iter().filter(|check| !check.failures.is_empty()) {
                printer.data(&format!("{} {}::{}", paint(BAD, "    FAIL"), finished.name, check.name));
            }
            if !finished.worse.is_empty() {
                printer.data(&format!("{} {}::baseline", paint(WARN, "   WORSE"), finished.name));
            }
        }
    }

    fn counts(&self) -> Counts {
        let checks = || self.finished.iter().flat_map(|finished| &finished.checks);
        Counts {
            all: checks().count(),
            failed: checks().filter(|check| !check.failures.is_empty()).count(),
            worse: self.finished.iter().filter(|finished| !finished.worse.is_empty()).count(),
            left: self.tests - self.finished.len(),
        }
    }

    fn json(&self) -> serde_json::Value {
        let counts = self.counts();
        let tests: Vec<serde_json::Value> = self
            .finished
            .iter()
            .map(|finished| {
                let check = |check: &super::gate::Check| {
                    json!({"name": check.name, "passed": check.failures.is_empty(), "failures": check.failures})
                };
                json!({
                    "name": finished.name,
                    "passed": finished.passed(),
                    "wall_seconds": finished.took.as_secs_f64(),
                    "checks": finished.checks.iter().map(check).collect::<Vec<_>>(),
                    "worse_than_baseline": finished.worse,
                    "better_than_baseline": finished.better,
                })
            })
            .collect();
        json!({
            "format_version": 1,
            "verdict": match self.exit() {
                Exit::Good => "passed",
                Exit::WorseThanBaseline => "worse",
                _ => "failed",
            },
            "checks": counts.all,
            "failed": counts.failed,
            "worse": counts.worse,
            "not_run": counts.left,
            "tests": tests,
        })
    }

    /// How the command ends: a failed expectation weighs more than a worse baseline.
    pub(super) fn exit(&self) -> Exit {
        if !self.finished.iter().all(Finished::passed) {
            Exit::ExpectationFailed
        } else if self.finished.iter().any(|finished| !finished.worse.is_empty()) {
            Exit::WorseThanBaseline
        } else {
            Exit::Good
        }
    }
}

struct Counts {
    all: usize,
    failed: usize,
    worse: usize,
    left: usize,
}

impl Counts {
    fn text(&self) -> String {
        let plural = if self.all == 1 { "" } else { "s" };
        let mut parts = vec![format!("{} passed", self.all - self.failed)];
        for (count, what) in [(self.failed, "failed"), (self.worse, "worse than baseline")] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        if self.left > 0 {
            let files = if self.left == 1 { "file" } else { "files" };
            parts.push(format!("{} {files} not run after the failure (--no-fail-fast runs all)", self.left));
        }
        format!("{} check{plural}: {}", self.all, parts.join(", "))
    }
}

/// The first changes below their line, and how many more there are.
fn changes(all: &[String], most: usize, printer: &mut Printer) {
    all.iter().take(most).for_each(|change| printer.data(&indented(change)));
    if all.len() > most {
        printer.data(&indented(&format!("and {} more: `--json` tells all", all.len() - most)));
    }
}

/// Below its line, in the column of the text.
fn indented(text: &str) -> String {
    text.lines().map(|line| format!("             {line}")).collect::<Vec<_>>().join("\n")
}
