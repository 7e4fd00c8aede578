//! Recommendations for people, in lines of a terminal.

use super::Advice;
use super::Advised;
use super::Other;
use super::change::Change;
use super::trial::Trial;
use crate::input::scenario::Opened;
use crate::model::ServiceName;
use crate::report::Paint;
use crate::report::folded;
use crate::report::words::counted;
use crate::report::words::duration;
use crate::units::Money;
use crate::units::Permille;
use std::cmp::Ordering;

/// Lines of a fragment that are shown; a longer one is a file.
const LINES: usize = 24;
/// Others that are named; the JSON has all.
const OTHERS: usize = 6;

/// What is recommended for a scenario, in lines of at most `width` columns where names allow it.
#[must_use]
pub fn text(advised: &Advised, opened: &Opened, width: usize, paint: Paint) -> String {
    let width = width.clamp(60, 120);
    let mut out = head(&advised.base, width, paint);
    for (place, advice) in advised.advice.iter().enumerate() {
        out.push('\n');
        one(&mut out, place + 1, advice, &advised.base, opened, width, paint);
    }
    if !advised.notes.is_empty() {
        out.push('\n');
    }
    for note in &advised.notes {
        folded(&mut out, "- ", note, width);
    }
    let proved = advised.advice.iter().filter(|advice| advice.is_proved()).count() as u64;
    let line = match (advised.advice.len() as u64, proved) {
        (0, _) => "nothing to recommend".to_owned(),
        (all, proved) => format!("{}, {proved} proved", counted(all, "recommendation")),
    };
    out.push_str(&format!("{}\n", if proved > 0 { paint.good(&line) } else { line }));
    out
}

/// The scenario as it is.
pub(super) fn head(base: &Trial, width: usize, paint: Paint) -> String {
    let report = &base.report;
    let verdict = match (report.verdicts.len(), base.broken().len()) {
        (0, _) => "nothing is expected of it".to_owned(),
        (all, 0) => format!("all {all} expectations hold"),
        (all, broken) => format!("{broken} of {all} expectations broken: {}", quoted(&base.broken())),
    };
    let (mut title, mut out) = (String::new(), String::new());
    folded(&mut title, "", &format!("{}, as it is: {verdict}", report.scenario.name), width);
    title.lines().for_each(|line| out.push_str(&format!("{}\n", paint.strong(line))));
    let runs = format!("{} of {}", counted(report.runs.len() as u64, "seed"), duration(report.scenario.duration));
    let (kept, used) = (usd(base.bill.kept), usd(base.bill.used));
    let mut facts = vec![runs, format!("by the cost model {kept} a month are kept and {used} used")];
    if let (Some(part), Some(price)) = (base.bill.host_part, &report.scenario.host.price) {
        facts.push(format!("of the host's price of {}, {} fall on what is kept", usd(price.month), usd(part)));
    }
    if let Some(score) = base.efficiency {
        facts.push(format!("efficiency {} of 1", fraction(score)));
    }
    folded(&mut out, "", &facts.join("; "), width);
    out
}

fn one(out: &mut String, number: usize, advice: &Advice, base: &Trial, opened: &Opened, width: usize, paint: Paint) {
    let mut title = String::new();
    folded(&mut title, &format!("{number}. "), &format!("{}: {}", advice.kind.name(), advice.title), width);
    title.lines().for_each(|line| out.push_str(&format!("{}\n", paint.strong(line))));
    let mut line = |label: &str, text: &str| folded(out, &format!("   {label:<12}"), text, width);
    let (label, amount) = saves(base, &advice.tried);
    line(label, &amount);
    if let (Some(before), Some(after)) = (base.efficiency, advice.tried.efficiency) {
        line("efficiency", &format!("{} → {}", fraction(before), fraction(after)));
    }
    line("risk", &risk(advice));
    line("proof", &proof(advice));
    for (place, sentence) in advice.evidence.iter().enumerate() {
        line(if place == 0 { "measured" } else { "" }, sentence);
    }
    others(&mut line, "or", &advice.others);
    others(&mut line, "not", &advice.left_out);
    out.push_str(&sizes(base, &advice.change));
    let (compose, scenario) = advice.change.fragments(opened);
    for (label, text) in [("Compose", compose), ("scenario", scenario)] {
        let lines = text.lines().count();
        if lines > LINES {
            out.push_str(&format!("   {label}: {lines} lines, which `--out DIR` writes\n"));
        } else if lines > 0 {
            out.push_str(&format!("   {label}:\n"));
            text.lines().for_each(|line| out.push_str(&format!("     {line}\n")));
        }
    }
}

fn others(line: &mut dyn FnMut(&str, &str), label: &str, others: &[Other]) {
    for (place, other) in others.iter().take(OTHERS).enumerate() {
        let breaks =
            if other.breaks.is_empty() { "holds".to_owned() } else { format!("breaks {}", quoted(&other.breaks)) };
        line(if place == 0 { label } else { "" }, &format!("{}: {} a month, {breaks}", other.name, usd(other.month)));
    }
    if others.len() > OTHERS {
        line("", &format!("{} more, which `--json` names", others.len() - OTHERS));
    }
}

/// Names in backticks.
fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// `saves`, and `9.10 USD a month of what is kept (29.10 USD → 20.00 USD); 2.31 USD of the host's price become free for
/// others`; or `costs`, and how much more.
pub(super) fn saves(base: &Trial, tried: &Trial) -> (&'static str, String) {
    let (before, after) = (base.bill.kept, tried.bill.kept);
    let mut text = format!("{} a month of what is kept ({} → {})", difference(before, after), usd(before), usd(after));
    if let (Some(before), Some(after)) = (base.bill.host_part, tried.bill.host_part) {
        let amount = difference(before, after);
        text.push_str(&match before.get().cmp(&after.get()) {
            Ordering::Greater => format!("; {amount} of the host's price become free for others"),
            Ordering::Equal => "; of the host's price nothing becomes free".to_owned(),
            Ordering::Less => format!("; {amount} more of the host's price fall on it"),
        });
    }
    (if after.get() > before.get() { "costs" } else { "saves" }, text)
}

/// `medium: there is one seed only`.
pub(super) fn risk(advice: &Advice) -> String {
    let because = advice.risk.because.join("; ");
    if because.is_empty() {
        "low: nothing that is counted speaks against it".to_owned()
    } else {
        format!("{}: {because}", advice.risk.level.name())
    }
}

/// `proved: all 13 expectations hold with seeds 1..3`.
pub(super) fn proof(advice: &Advice) -> String {
    let report = &advice.tried.report;
    let seeds: Vec<String> = report.runs.iter().map(|run| run.seed.get().to_string()).collect();
    let seeds = format!("seed{} {}", if seeds.len() == 1 { "" } else { "s" }, seeds.join(", "));
    if advice.is_proved() {
        format!("proved: simulated again, all {} expectations hold with {seeds}", report.verdicts.len())
    } else if report.verdicts.is_empty() {
        format!("not proved: nothing is expected; it was simulated with {seeds}")
    } else {
        format!("not proved: it still breaks {}; simulated with {seeds}", quoted(&advice.tried.broken()))
    }
}

/// The sizes that change, a line each service.
pub(super) fn sizes(base: &Trial, change: &Change) -> String {
    if change.sizes.is_empty() {
        return String::new();
    }
    let heads = ["service", "CPU reserved", "CPU limit", "memory reserved", "memory limit"];
    let mut rows = vec![heads.map(str::to_owned)];
    for name in change.sizes.keys() {
        rows.push(row(base, change, name));
    }
    let widths: Vec<usize> =
        (0..heads.len()).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    let mut out = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        out.push_str(&format!("   {}\n", cells.join("  ").trim_end()));
    }
    out
}

/// What a service has and what it is to have; `-` where nothing is said.
pub(super) fn row(base: &Trial, change: &Change, name: &ServiceName) -> [String; 5] {
    let (model, size) = (&base.scenario.services[name], change.sizes[name]);
    let cell = |before: Option<String>, after: Option<String>| match (before, after) {
        (before, Some(after)) => format!("{} → {after}", before.unwrap_or_else(|| "-".to_owned())),
        (before, None) => before.unwrap_or_else(|| "-".to_owned()),
    };
    let cpu = |limits: crate::model::Limits| limits.cpu.map(|cpu| cpu.to_string());
    let memory = |limits: crate::model::Limits| limits.memory.map(|memory| memory.to_string());
    [
        name.to_string(),
        cell(cpu(model.reservations), cpu(size.reservations)),
        cell(cpu(model.limits), cpu(size.limits)),
        cell(memory(model.reservations), memory(size.reservations)),
        cell(memory(model.limits), memory(size.limits)),
    ]
}

/// An amount with two decimals, rounded to the nearest.
pub(super) fn usd(money: Money) -> String {
    let cents = money.get().saturating_add(5_000) / 10_000;
    format!("{}.{:02} {}", cents / 100, cents % 100, money.currency())
}

/// How far two amounts of one currency are apart.
fn difference(one: Money, other: Money) -> String {
    usd(Money::micro(one.get().abs_diff(other.get()), one.currency()))
}

/// A share with two decimals, rounded down.
pub(super) fn fraction(share: Permille) -> String {
    format!("{}.{:02}", share.get() / 1000, share.get() % 1000 / 10)
}
