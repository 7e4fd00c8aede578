//! What a scenario came to before, committed beside it, and what has changed since.
//!
//! The simulator is deterministic, so without a stated tolerance every difference is a change: another sequence of
//! actions, another measured value, another figure of a service. An expectation may allow more
//! (`baseline: {worse_by: 10%, and_at_least: 5ms}`): its value is worse only where it is worse by more than both, and
//! figures of services are then held to the widest `worse_by` of the scenario. Actions are always compared one by one:
//! an engine that acts otherwise has changed, whatever the figures say. What became better is told and fails nothing.

use super::collect::Report;
use super::collect::Run;
use super::figure::Figure;
use super::figure::Unit;
use super::judge::Judged;
use super::judge::expected;
use super::settings;
use super::settings::Settings;
use super::summary::ServiceFigures;
use super::words;
use crate::model::Bound;
use crate::model::Comparison;
use crate::model::Expectation;
use crate::model::Tolerance;
use crate::record::FORMAT_VERSION;
use crate::record::RecordError;
use crate::units::Permille;
use serde_json::error::Category;
use std::collections::BTreeMap;

/// What a scenario came to, as committed.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Format of this file, that of records.
    pub format_version: u32,
    /// What a person calls the scenario.
    pub scenario: String,
    /// What its policies are set to; left out in the first baselines.
    #[serde(default)]
    pub policies: Option<Vec<Settings>>,
    /// By seed.
    pub seeds: BTreeMap<u64, Seen>,
}

/// What one seed came to.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Measured values by the name of the expectation, in the unit that [`Unit`] names; null where there was none.
    pub expectations: BTreeMap<String, Option<f64>>,
    /// Figures by service and name.
    pub services: BTreeMap<String, BTreeMap<String, f64>>,
    /// What the engine did, in words, in order.
    pub actions: Vec<String>,
}

/// One difference from the baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which way it goes.
    pub kind: ChangeKind,
    /// What changed, from what to what, and what was allowed.
    pub text: String,
}

/// Which way a difference goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// Worse than allowed: fails.
    Worse,
    /// Other than it was: fails.
    Changed,
    /// Better than before: told, and fails nothing.
    Better,
}

impl Baseline {
    /// What a report comes to.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            scenario: report.scenario.name.clone(),
            policies: Some(settings::of(&report.scenario)),
            seeds: report.runs.iter().map(|run| (run.seed.get(), seen(run))).collect(),
        }
    }

    /// Reads a baseline.
    ///
    /// # Errors
    /// [`RecordError::Baseline`] for anything but a baseline of this format version.
    pub fn read(text: &str) -> Result<Self, RecordError> {
        #[derive(serde::Deserialize)]
        struct Version {
            format_version: u64,
        }
        let bad = |error: serde_json::Error| {
            let place = || format!("line {} column {}", error.line(), error.column());
            let why = match error.classify() {
                _ if text.trim().is_empty() => "the file is empty".to_owned(),
                Category::Eof => format!("the file ends too early, at {}", place()),
                Category::Syntax => format!("this is no JSON: {error}"),
                Category::Data if !text.trim_start().starts_with('{') => "this is no JSON object".to_owned(),
                Category::Data | Category::Io => error.to_string(),
            };
            RecordError::Baseline { why }
        };
        let Version { format_version } = serde_json::from_str(text).map_err(bad)?;
        if format_version != u64::from(FORMAT_VERSION) {
            let why = format!("it has format version {format_version}; this program reads version {FORMAT_VERSION}");
            return Err(RecordError::Baseline { why });
        }
        serde_json::from_str(text).map_err(bad)
    }

    /// As text that is stable and easy to compare line by line.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("maps with text as keys become JSON");
        text.push('\n');
        text
    }

    /// What has changed since: what is set otherwise, then by seed what was done otherwise and what came of it; what became
    /// better comes last. Empty where nothing changed.
    #[must_use]
    pub fn compare(&self, report: &Report) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.scenario != report.scenario.name {
            changes.push(changed(format!("the baseline is of `{}`", self.scenario)));
        }
        if let Some(before) = &self.policies {
            changes.extend(settings::changes(before, &settings::of(&report.scenario)).into_iter().map(changed));
        }
        for run in &report.runs {
            let seed = run.seed.get();
            let now = seen(run);
            match self.seeds.get(&seed) {
                None => changes.push(changed(format!("seed {seed} is not in the baseline"))),
                Some(before) => {
                    let at = if report.runs.len() > 1 { format!(" (seed {seed})") } else { String::new() };
                    actions(&mut changes, &at, before, &now);
                    expectations(&mut changes, &at, run, before);
                    services(&mut changes, &at, widest(&report.scenario.expect), before, &now);
                }
            }
        }
        for seed in self.seeds.keys().filter(|seed| report.runs.iter().all(|run| run.seed.get() != **seed)) {
            changes.push(changed(format!("seed {seed} of the baseline was not run")));
        }
        changes.sort_by_key(|change| change.kind == ChangeKind::Better);
        changes
    }
}

/// Whether a change fails the comparison (exit code 4).
#[must_use]
pub fn fails(changes: &[Change]) -> bool {
    changes.iter().any(|change| change.kind != ChangeKind::Better)
}

fn changed(text: String) -> Change {
    Change { kind: ChangeKind::Changed, text }
}

fn seen(run: &Run) -> Seen {
    let value = |judged: &Judged| {
        let figure = judged.measured?;
        figure.value.is_finite().then(|| tidy(figure.value))
    };
    Seen {
        expectations: run.judged.iter().map(|judged| (judged.name.clone(), value(judged))).collect(),
        services: run.summary.services.iter().map(|(name, figures)| (name.to_string(), key_figures(figures))).collect(),
        actions: run.story.actions.iter().map(|(at, action)| format!("{at} {}", words::action(action))).collect(),
    }
}

fn key_figures(figures: &ServiceFigures) -> BTreeMap<String, f64> {
    let mut all = BTreeMap::new();
    let mut put = |name: &str, value: f64| all.insert(name.to_owned(), tidy(value));
    put("requests", figures.requests_whole() as f64);
    put("errors", figures.errors_whole() as f64);
    put("cpu_cores_mean", figures.cpu.mean() / 1000.0);
    put("memory_bytes_max", figures.memory_max.get() as f64);
    put("oom_kills", figures.oom_kills as f64);
    put("restarts", figures.restarts as f64);
    if let Some(cpu) = figures.limits.cpu {
        put("cpu_limit_cores", cpu.as_cores());
    }
    if let Some(memory) = figures.limits.memory {
        put("memory_limit_bytes", memory.get() as f64);
    }
    if let Some(p95) = figures.latency_ms(95) {
        put("latency_ms_p95", p95);
    }
    all
}

/// Six significant digits: enough to see a change, few enough to read a difference.
fn tidy(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

fn actions(changes: &mut Vec<Change>, at: &str, before: &Seen, now: &Seen) {
    if before.actions == now.actions {
        return;
    }
    let counts = match (before.actions.len(), now.actions.len()) {
        (same, other) if same == other => {
            let other = before.actions.iter().zip(&now.actions).filter(|(was, is)| was != is).count();
            format!("{same}, as before, {other} of them other ones")
        }
        (before, now) => format!("{before} → {now}"),
    };
    let place = before.actions.iter().zip(&now.actions).take_while(|(a, b)| a == b).count();
    let one =
        |seen: &Seen| seen.actions.get(place).map_or_else(|| "nothing".to_owned(), |action| format!("`{action}`"));
    changes.push(changed(format!("actions{at}: {counts}; first difference: was {}, is {}", one(before), one(now))));
}

fn expectations(changes: &mut Vec<Change>, at: &str, run: &Run, before: &Seen) {
    for (judged, expectation) in run.judged.iter().zip(expected(&run.scenario)) {
        let name = &judged.name;
        let Some(was) = before.expectations.get(name) else {
            changes.push(changed(format!("`{name}`{at} is not in the baseline")));
            continue;
        };
        let is = judged.measured.map(|figure| figure.value).filter(|value| value.is_finite()).map(tidy);
        if *was == is {
            continue;
        }
        let (Some(was), Some(is), Some(bound)) = (*was, is, judged.bound) else {
            let show = |value: Option<f64>| value.map_or_else(|| "no value".to_owned(), |value| value.to_string());
            changes.push(changed(format!("`{name}`{at}: {} → {}", show(*was), show(is))));
            continue;
        };
        let unit = judged.measured.map_or(bound.unit, |figure| figure.unit);
        let worse = match judged.comparison {
            Comparison::Less | Comparison::AtMost => is > was,
            Comparison::More | Comparison::AtLeast => is < was,
            Comparison::Equal => (is - bound.value).abs() > (was - bound.value).abs(),
        };
        let text = format!("`{name}`{at}: {}", moved(was, is, unit));
        changes.extend(weighed(text, was, is, worse, &expectation));
    }
    for name in before.expectations.keys().filter(|name| run.judged.iter().all(|judged| judged.name != **name)) {
        changes.push(changed(format!("`{name}`{at} of the baseline is no longer expected")));
    }
}

/// The change of a value, if it is more than allowed.
fn weighed(text: String, was: f64, is: f64, worse: bool, expectation: &Expectation) -> Option<Change> {
    let Some(tolerance) = expectation.baseline else {
        return Some(Change { kind: if worse { ChangeKind::Worse } else { ChangeKind::Better }, text });
    };
    let by = (is - was).abs();
    let relative = by > was.abs() * tolerance.worse_by.as_fraction();
    let absolute = tolerance.and_at_least.is_none_or(|least| by > Figure::of(least).value);
    if !(relative && absolute) {
        return None;
    }
    let kind = if worse { ChangeKind::Worse } else { ChangeKind::Better };
    Some(Change { kind, text: format!("{text}, allowed {}", allowed(tolerance, expectation)) })
}

fn allowed(tolerance: Tolerance, expectation: &Expectation) -> String {
    let sign = match expectation.comparison {
        Comparison::More | Comparison::AtLeast => "-",
        Comparison::Less | Comparison::AtMost => "+",
        Comparison::Equal => "±",
    };
    let least = tolerance.and_at_least.map(|least| {
        let points = matches!(expectation.bound, Bound::OfLimit(_)) || Figure::of(least).unit == Unit::Share;
        format!(" and {sign}{}{}", Figure::of(least), if points { " of the whole" } else { "" })
    });
    format!("{sign}{}{}", tolerance.worse_by, least.unwrap_or_default())
}

/// `64 ms → 83 ms (+30%)`, with the digits that tell the two apart.
fn moved(was: f64, is: f64, unit: Unit) -> String {
    let (was_figure, is_figure) = (Figure::new(was, unit), Figure::new(is, unit));
    let part = if was == 0.0 {
        String::new()
    } else {
        let share = (is - was) / was.abs();
        format!(" ({}{})", if share > 0.0 { "+" } else { "-" }, Figure::share(share.abs()))
    };
    format!("{} → {}{part}", was_figure.beside(is_figure), is_figure.beside(was_figure))
}

/// The widest tolerance of the scenario, for figures that have none of their own.
fn widest(expect: &[Expectation]) -> Permille {
    expect.iter().filter_map(|one| one.baseline).map(|tolerance| tolerance.worse_by).max().unwrap_or(Permille::ZERO)
}

fn services(changes: &mut Vec<Change>, at: &str, allowed: Permille, before: &Seen, now: &Seen) {
    for (name, figures) in &now.services {
        let Some(was) = before.services.get(name) else {
            changes.push(changed(format!("service `{name}`{at} is not in the baseline")));
            continue;
        };
        for (figure, is) in figures {
            let text = |text: String| format!("{figure} of `{name}`{at}: {text}");
            let Some(was) = was.get(figure) else {
                changes.push(changed(text(format!("not in the baseline, now {is}"))));
                continue;
            };
            if (is - was).abs() <= was.abs() * allowed.as_fraction() {
                continue;
            }
            let neither = matches!(figure.as_str(), "requests" | "cpu_limit_cores" | "memory_limit_bytes");
            let kind = match (neither, is > was) {
                (true, _) => ChangeKind::Changed,
                (false, true) => ChangeKind::Worse,
                (false, false) => ChangeKind::Better,
            };
            let limit = if allowed == Permille::ZERO { String::new() } else { format!(", allowed +{allowed}") };
            changes.push(Change { kind, text: text(format!("{}{limit}", moved(*was, *is, unit(figure)))) });
        }
        for figure in was.keys().filter(|figure| !figures.contains_key(*figure)) {
            changes.push(changed(format!("{figure} of `{name}`{at} of the baseline has no value now")));
        }
    }
    for name in before.services.keys().filter(|name| !now.services.contains_key(*name)) {
        changes.push(changed(format!("service `{name}`{at} of the baseline is no longer there")));
    }
}

fn unit(figure: &str) -> Unit {
    match figure {
        "cpu_cores_mean" | "cpu_limit_cores" => Unit::Cores,
        "memory_bytes_max" | "memory_limit_bytes" => Unit::Bytes,
        "latency_ms_p95" => Unit::Millis,
        _ => Unit::Count,
    }
}
