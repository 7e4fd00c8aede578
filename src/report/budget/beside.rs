//! What a budget proposes beside its limits: settings, health checks, advice.

use crate::report::markdown::cell;
use crate::report::text::Paint;
use crate::report::text::clean;
use crate::report::text::folded;
use crate::report::words::counted;
use serde_json::Value;
use serde_json::json;

/// What is proposed beside the limits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Beside {
    /// Settings that follow the limits.
    pub settings: Vec<SettingRow>,
    /// What is wrong with health checks.
    pub health: Vec<HealthRow>,
    /// Other advice.
    pub advice: Vec<AdviceRow>,
}

/// A setting of the software in a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingRow {
    /// The service.
    pub service: String,
    /// What the software calls it.
    pub name: String,
    /// What is stated.
    pub before: Option<String>,
    /// What it should be.
    pub after: String,
    /// Where it is set.
    pub place: String,
    /// The rule it follows.
    pub why: String,
}

/// A finding on a health check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthRow {
    /// The service.
    pub service: String,
    /// What is wrong.
    pub what: String,
    /// What to write.
    pub proposed: String,
}

/// Something to think of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdviceRow {
    /// What it is about.
    pub about: String,
    /// What to do and why.
    pub text: String,
    /// How it is written, where it can be.
    pub yaml: String,
}

/// A line or two for the terminal: how much there is, and how to see it.
#[must_use]
pub fn hint(beside: &Beside, width: usize) -> String {
    let mut parts = Vec::new();
    if !beside.settings.is_empty() {
        let mut services: Vec<&str> = beside.settings.iter().map(|row| row.service.as_str()).collect();
        services.dedup();
        let services = counted(services.len() as u64, "service");
        parts.push(format!("{} of {services} should follow", counted(beside.settings.len() as u64, "setting")));
    }
    if !beside.health.is_empty() {
        parts.push(format!("{} on health checks", counted(beside.health.len() as u64, "finding")));
    }
    if !beside.advice.is_empty() {
        parts.push(format!("{} of advice", counted(beside.advice.len() as u64, "piece")));
    }
    if parts.is_empty() {
        return String::new();
    }
    let mut out = String::new();
    let how = "`--advice` shows them, `--write --with settings,health,io` writes what Compose can be told";
    folded(&mut out, "      ", &format!("{}: {how}", parts.join(", ")), width.clamp(60, 160));
    out
}

/// All of it for the terminal.
#[must_use]
pub fn beside_text(beside: &Beside, width: usize, paint: Paint) -> String {
    let width = width.clamp(60, 160);
    let mut out = String::new();
    let mut service = "";
    if !beside.settings.is_empty() {
        out.push_str(&format!("{}\n", paint.strong("settings that follow the limits")));
    }
    for row in &beside.settings {
        if row.service != service {
            out.push_str(&format!("{}\n", clean(&row.service)));
            service = &row.service;
        }
        let before = row.before.as_deref().map(|before| format!("{} → ", clean(before))).unwrap_or_default();
        let line = format!("  {} = {before}{}", clean(&row.name), clean(&row.after));
        out.push_str(&line);
        let rest = clean(&format!("{} ({})", row.place, row.why));
        if line.chars().count() + 2 + rest.chars().count() <= width {
            out.push_str(&format!("  {}\n", paint.faint(&rest)));
        } else {
            out.push('\n');
            let mut below = String::new();
            folded(&mut below, "      ", &rest, width);
            out.push_str(&format!("{}\n", paint.faint(below.trim_end())));
        }
    }
    if !beside.health.is_empty() {
        out.push_str(&format!("\n{}\n", paint.strong("health checks")));
    }
    for row in &beside.health {
        folded(&mut out, &format!("{}: ", clean(&row.service)), &row.what, width);
        folded(&mut out, "    write ", &row.proposed, width);
    }
    if !beside.advice.is_empty() {
        out.push_str(&format!("\n{}\n", paint.strong("advice")));
    }
    for row in &beside.advice {
        folded(&mut out, &format!("{}: ", clean(&row.about)), &row.text, width);
        for line in row.yaml.lines() {
            out.push_str(&format!("    {}\n", paint.faint(&clean(line))));
        }
    }
    out
}

/// All of it as Markdown.
#[must_use]
pub(super) fn beside_markdown(beside: &Beside) -> String {
    let mut out = String::new();
    if !beside.settings.is_empty() {
        out.push_str("\n### Settings that follow the limits\n\n| service | setting | is | should be | where | why |\n|---|---|---|---|---|---|\n");
    }
    for row in &beside.settings {
        let before = row.before.as_deref().map(cell).unwrap_or_default();
        out.push_str(&format!(
            "| {} | {} | {before} | {} | {} | {} |\n",
            cell(&row.service),
            cell(&row.name),
            cell(&row.after),
            cell(&row.place),
            cell(&row.why)
        ));
    }
    if !beside.health.is_empty() {
        out.push_str("\n### Health checks\n\n| service | finding | write |\n|---|---|---|\n");
    }
    for row in &beside.health {
        out.push_str(&format!("| {} | {} | {} |\n", cell(&row.service), cell(&row.what), cell(&row.proposed)));
    }
    if !beside.advice.is_empty() {
        out.push_str("\n### Advice\n\n");
    }
    for row in &beside.advice {
        out.push_str(&format!("- {}: {}\n", cell(&row.about), cell(&row.text)));
        if !row.yaml.is_empty() {
            let lines = row.yaml.lines().map(|line| format!("  {line}\n")).collect::<String>();
            out.push_str(&format!("\n  ```yaml\n{lines}  ```\n"));
        }
    }
    out
}

/// All of it as JSON.
#[must_use]
pub(super) fn beside_json(beside: &Beside) -> Value {
    let setting = |row: &SettingRow| json!({"service": row.service, "name": row.name, "is": row.before, "should_be": row.after, "where": row.place, "why": row.why});
    let health = |row: &HealthRow| json!({"service": row.service, "finding": row.what, "write": row.proposed});
    let advice = |row: &AdviceRow| json!({"about": row.about, "text": row.text, "yaml": (!row.yaml.is_empty()).then_some(&row.yaml)});
    json!({
        "settings": beside.settings.iter().map(setting).collect::<Vec<_>>(),
        "health": beside.health.iter().map(health).collect::<Vec<_>>(),
        "advice": beside.advice.iter().map(advice).collect::<Vec<_>>(),
    })
}
