//! A report as Markdown, for a pull request or a step summary.

use super::collect::Report;
use super::json::around;
use super::spent;
use super::text;
use super::words;
use super::words::counted;

/// The whole report.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let run = report.shown();
    let verdict = if report.passed() { "✓ passed" } else { "✗ failed" };
    let mut out = format!("## {verdict}: {}\n\n", cell(&report.scenario.name));
    out.push_str(&format!(
        "{}, {}, {}, plimsoll {}\n\n",
        cell(&report.scenario.host.title),
        words::duration(run.end.since_start()),
        counted(report.runs.len() as u64, "seed"),
        cell(&run.plimsoll_version)
    ));
    if !report.verdicts.is_empty() {
        out.push_str("| | expectation | measured | wanted |\n|---|---|---|---|\n");
    }
    for verdict in &report.verdicts {
        let mark = if verdict.passed { "✓ pass" } else { "✗ **FAIL**" };
        let (name, measured) = (cell(&verdict.name), cell(&verdict.measured_text()));
        out.push_str(&format!("| {mark} | {name} | {measured} | `{}` |\n", code(&verdict.wanted)));
    }
    for verdict in report.verdicts.iter().filter(|verdict| !verdict.passed) {
        out.push_str(&format!("\n### {}\n\n", cell(&verdict.name)));
        out.push_str(&format!("- expression: `{}`\n", code(&verdict.text)));
        if let Some((seed, failure)) = &verdict.first_failure {
            let by = failure.measured.and_then(|figure| verdict.worst.missed_by(figure)).unwrap_or_default();
            out.push_str(&format!(
                "- first at {}..{} in seed {}: {by}\n",
                words::moment(failure.from),
                words::moment(failure.to),
                seed.get()
            ));
            out.push_str(&format!("- then: {}\n", cell(&failure.scene.to_string())));
            for text in around(report, *seed, failure) {
                out.push_str(&format!("- around: {}\n", cell(&text)));
            }
        }
        if let Some(seed) = verdict.failed_seed {
            out.push_str(&format!("- repeat: `{}`\n", report.command(seed).replace('\n', " ")));
        }
    }
    if let Some(spent) = spent::line(report) {
        out.push_str(&format!("\nBudget: {}\n", cell(&spent)));
    }
    for (policy, words) in report.policies.iter().filter_map(|policy| Some((policy, policy.words()?))) {
        out.push_str(&format!("\nPolicy of {}: {words}\n", cell(&policy.names())));
    }
    out.push_str("\n| service | replicas | cpu p95 | memory max | latency p50/p95/p99 | requests | errors |\n");
    out.push_str("|---|---|---|---|---|---:|---:|\n");
    for (name, figures) in &report.together.services {
        let replicas = text::most_instances(&report.scenario, name, figures);
        out.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} | {} |\n",
            cell(name.as_str()),
            text::replicas(figures),
            text::cpu(figures, replicas),
            text::memory(figures),
            text::latency(figures),
            figures.requests_whole(),
            figures.errors_whole()
        ));
    }
    out
}

/// Text that stays inside its cell.
pub(super) fn cell(text: &str) -> String {
    code(text).replace('<', "&lt;")
}

/// Text that stays inside its back quotes, and those inside their cell.
fn code(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    plain.replace('|', "\\|").replace('`', "'")
}
