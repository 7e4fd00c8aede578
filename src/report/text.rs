//! A report for the terminal.

use super::causes;
use super::collect::Report;
use super::columns::Columns;
use super::effectiveness::PolicyFigures;
use super::figure::Figure;
use super::figure::Unit;
use super::figure::rounded;
use super::json::around;
use super::judge::Verdict;
use super::spent;
use super::summary::ServiceFigures;
use super::words::counted;
use super::words::duration;
use super::words::moment;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::units::Bytes;
use crate::units::Millicores;

/// So many policies are told; the report on disk and JSON have all.
const POLICIES: usize = 3;

/// Whether the terminal takes colours. They only repeat what words and signs say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// No colours.
    Plain,
    /// ANSI colours.
    Colour,
}

impl Paint {
    fn wrap(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Colour => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }

    /// What is good.
    #[must_use]
    pub fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// What is bad.
    #[must_use]
    pub fn bad(self, text: &str) -> String {
        self.wrap("31;1", text)
    }

    /// What wants attention.
    #[must_use]
    pub fn warn(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// What is to change.
    #[must_use]
    pub fn changed(self, text: &str) -> String {
        self.wrap("36", text)
    }

    /// What stands out.
    #[must_use]
    pub fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// What stands back.
    #[must_use]
    pub fn faint(self, text: &str) -> String {
        self.wrap("2", text)
    }
}

/// The whole report in lines of at most `width` columns where names allow it.
#[must_use]
pub fn text(report: &Report, width: usize, paint: Paint) -> String {
    let width = width.clamp(60, 160);
    let mut out = head(report, width, paint);
    out.push_str(&table(report, width, paint));
    out.push_str(&errors(report, width));
    out.push_str(&host(report, width));
    if let Some(spent) = spent::line(report) {
        folded(&mut out, "budget: ", &spent, width);
    }
    policies(&mut out, report, width);
    verdicts(&mut out, report, width, paint);
    out.push_str(&foot(report, width, paint));
    out
}

fn head(report: &Report, width: usize, paint: Paint) -> String {
    let run = report.shown();
    let took = report.wall_seconds.map(|wall| format!(" in {}", Figure::new(wall * 1000.0, Unit::Millis)));
    let seeds = match report.runs.len() {
        1 => format!("seed {}", run.seed.get()),
        many => counted(many as u64, "seed"),
    };
    let name = clean(&report.scenario.name);
    let host = clean(&report.scenario.host.title);
    let simulated = format!("{} simulated{}", duration(run.end.since_start()), took.unwrap_or_default());
    let rest = format!("{host}  {simulated}  {seeds}");
    let together = name.chars().count() + 2 + rest.chars().count() <= width;
    let mut out = paint.strong(&name);
    if together {
        out.push_str(&format!("  {rest}\n"));
    } else {
        out.push('\n');
        folded(&mut out, "", &rest, width);
    }
    out
}

/// The least effective policies.
fn policies(out: &mut String, report: &Report, width: usize) {
    let mut scored: Vec<(f64, &PolicyFigures)> =
        report.policies.iter().filter_map(|policy| Some((policy.effectiveness.score()?, policy))).collect();
    scored.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    for (_, policy) in scored.iter().take(POLICIES) {
        let words = policy.words().unwrap_or_default();
        folded(out, "policy: ", &format!("{}, {words}", policy.names()), width);
    }
    if let Some((least, _)) = scored.get(POLICIES) {
        let more = scored.len() - POLICIES;
        folded(
            out,
            "policy: ",
            &format!("{more} more of at least {}, which the report has", rounded(*least, 2)),
            width,
        );
    }
}

/// A line a verdict: the values in a column where they fit, folded below the name where they do not.
fn verdicts(out: &mut String, report: &Report, width: usize, paint: Paint) {
    let size = |text: &str| text.chars().count();
    let values: Vec<String> = report.verdicts.iter().map(Verdict::measured_text).collect();
    let name = report.verdicts.iter().map(|verdict| size(&verdict.name)).max().unwrap_or(0).min(width / 3);
    // What is left of a line for the value, two spaces and what is wanted.
    let room = width.saturating_sub(9 + name + 2);
    let fits = |value: &str, wanted: &str| size(value) + 2 + size(wanted) <= room;
    let both = || report.verdicts.iter().zip(&values);
    let fitting = || both().filter(|(verdict, value)| fits(value, &verdict.wanted));
    let wanted = fitting().map(|(verdict, _)| size(&verdict.wanted)).max().unwrap_or(0);
    let column = fitting().map(|(_, value)| size(value)).filter(|value| value + 2 + wanted <= room).max().unwrap_or(0);
    for (verdict, value) in both() {
        let (sign, word) = if verdict.passed { ("✓", "pass") } else { ("✗", "FAIL") };
        let mark = format!("{sign} {word}");
        let mark = if verdict.passed { paint.good(&mark) } else { paint.bad(&mark) };
        let title = clean(&verdict.name);
        if size(&title) <= name && fits(value, &verdict.wanted) {
            out.push_str(&format!("  {mark} {title:<name$}  {value:<column$}  {}\n", verdict.wanted));
        } else {
            out.push_str(&format!("  {mark} {title}\n"));
            folded(out, "         got  ", value, width);
            folded(out, "         want ", &verdict.wanted, width);
        }
        if !verdict.passed {
            failure(out, report, verdict, width);
        }
    }
}

/// The table of services; columns that do not fit are left out, the least important ones first.
fn table(report: &Report, width: usize, paint: Paint) -> String {
    let titles = ["service", "replicas", "cpu p95", "memory max", "latency p50/p95/p99", "requests", "errors"];
    let rows: Vec<[String; 7]> = report
        .together
        .services
        .iter()
        .map(|(name, figures)| {
            [
                clean(name.as_str()),
                replicas(figures),
                cpu(figures, most_instances(&report.scenario, name, figures)),
                memory(figures),
                latency(figures).replace(" saturated", " *"),
                if figures.requests == 0 {
                    "-".to_owned()
                } else {
                    Figure::count(figures.requests_whole() as f64).to_string()
                },
                if figures.requests == 0 {
                    "-".to_owned()
                } else {
                    Figure::count(figures.errors_whole() as f64).to_string()
                },
            ]
        })
        .collect();
    let columns = Columns::new(&titles, rows.iter(), &[5, 1, 6], 8, width);
    let mut out = format!("{}\n", paint.faint(&columns.line(&titles)));
    for row in &rows {
        out.push_str(&columns.line(row));
        out.push('\n');
    }
    out
}

/// Why requests failed, where some did.
fn errors(report: &Report, width: usize) -> String {
    let services = report.together.services.iter().map(|(name, figures)| (name, causes::words(figures)));
    let failed: Vec<String> =
        services.filter(|(_, words)| !words.is_empty()).map(|(name, words)| format!("{name} {words}")).collect();
    let mut lines = String::new();
    if !failed.is_empty() {
        folded(&mut lines, "errors: ", &failed.join("; "), width);
    }
    lines
}

fn host(report: &Report, width: usize) -> String {
    let figures = &report.together.host;
    let (cores, memory) = (report.scenario.host.capacity(), report.scenario.host.memory);
    let cpu = rounded(figures.cpu.percentile(95) as f64 / 1000.0, 3);
    let mut line = format!("host: cpu p95 {cpu} of {cores}, memory max {}", part_of(figures.memory_max, Some(memory)));
    let saturated: Vec<String> = report
        .together
        .services
        .iter()
        .filter(|(_, figures)| figures.is_saturated())
        .map(|(name, figures)| {
            let time = Figure::new(figures.saturated_nanos as f64 / 1e6, Unit::Millis);
            format!("{name} for {time}")
        })
        .collect();
    line.push('\n');
    if !saturated.is_empty() {
        let label = "* saturated, its latency is the backlog's and not to be trusted: ";
        folded(&mut line, "", &format!("{label}{}", saturated.join(", ")), width);
    }
    line
}

fn failure(out: &mut String, report: &Report, verdict: &Verdict, width: usize) {
    if let Some(why) = &verdict.worst.problem {
        let proof = "what was not measured is not known to be good";
        let why = if verdict.measured_text() == *why { proof } else { why };
        folded(out, "         why: ", why, width);
    }
    if report.runs.len() > 1 {
        let held = format!("{} of {}", verdict.seeds_held, counted(report.runs.len() as u64, "seed"));
        folded(out, "         held in ", &held, width);
    }
    if let Some((seed, failure)) = &verdict.first_failure {
        let got = failure.measured.map(|figure| {
            let by = verdict.worst.missed_by(figure).map(|by| format!(", {by}")).unwrap_or_default();
            let figure = verdict.worst.bound.map_or_else(|| figure.to_string(), |bound| figure.beside(bound));
            format!(": {figure}{by}")
        });
        let line = format!(
            "{}..{} (seed {}){}",
            moment(failure.from),
            moment(failure.to),
            seed.get(),
            got.unwrap_or_default()
        );
        folded(out, "         first at ", &line, width);
        folded(out, "         then: ", &failure.scene.to_string(), width);
        let around = around(report, *seed, failure);
        if !around.is_empty() {
            folded(out, "         around: ", &around.join("; "), width);
        }
    }
    if let Some(seed) = verdict.failed_seed {
        // A command is never folded: it is there to be copied.
        out.push_str(&format!("         repeat: {}\n", report.command(seed)));
    }
}

fn foot(report: &Report, width: usize, paint: Paint) -> String {
    let failed = report.verdicts.iter().filter(|verdict| !verdict.passed).count();
    let (all, mut actions) = (report.verdicts.len(), counted(report.together.actions, "action"));
    if report.runs.len() > 1 {
        actions.push_str(" a seed");
    }
    let ticks: u64 = report.runs.iter().map(|run| run.summary.container_ticks).sum();
    let ticks = format!("{} container-ticks", Figure::count(ticks as f64));
    let line = match (failed, all) {
        (_, 0) => "no expectations: nothing is judged".to_owned(),
        (0, _) => format!("passed: all {} hold", counted(all as u64, "expectation")),
        _ => format!("failed: {failed} of {} broken", counted(all as u64, "expectation")),
    };
    let together = line.chars().count() + actions.chars().count() + ticks.chars().count() + 4;
    let gap = if together <= width { ' ' } else { '\n' };
    let line = if failed == 0 { paint.good(&line) } else { paint.bad(&line) };
    format!("{line}, {actions},{gap}{}\n", paint.faint(&ticks))
}

/// Adds a text behind a label, folded at spaces, the rest below the text.
pub fn folded(out: &mut String, label: &str, text: &str, width: usize) {
    let indent = label.chars().count();
    let room = width.saturating_sub(indent).max(20);
    let mut line = String::new();
    let mut lead = label.to_owned();
    for word in clean(text).split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
            out.push_str(&format!("{lead}{line}\n"));
            lead = " ".repeat(indent);
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    out.push_str(&format!("{lead}{line}\n"));
}

/// Names may hold anything; the terminal gets no control characters of theirs.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

pub(super) fn replicas(figures: &ServiceFigures) -> String {
    let (low, high) = (figures.replicas_min, figures.replicas_max);
    if low == high { high.to_string() } else { format!("{low}..{high}") }
}

/// The most instances that a service had: those of a deployment beside the old ones do not count.
pub(super) fn most_instances(scenario: &Scenario, name: &ServiceName, figures: &ServiceFigures) -> u32 {
    let given = scenario.services.get(name).map_or(1, |model| model.replicas);
    let scaled = scenario.policies.get(name).is_some_and(|policy| policy.horizontal().is_some());
    if scaled { given.max(figures.replicas_max) } else { given }
}

pub(super) fn cpu(figures: &ServiceFigures, replicas: u32) -> String {
    let used = rounded(figures.cpu.percentile(95) as f64 / 1000.0, 2);
    match figures.limits.cpu {
        Some(limit) => format!("{used} of {}", Millicores::scaled(limit, u64::from(replicas), 1)),
        None => format!("{used}, no limit"),
    }
}

pub(super) fn memory(figures: &ServiceFigures) -> String {
    let text = part_of(figures.memory_max, figures.memory_limit);
    match figures.oom_kills {
        0 => text,
        kills => format!("{text} OOM {kills}x"),
    }
}

pub(super) fn latency(figures: &ServiceFigures) -> String {
    let (Some(p50), Some(p95), Some(p99)) = (figures.latency_ms(50), figures.latency_ms(95), figures.latency_ms(99))
    else {
        return "-".to_owned();
    };
    let (scale, unit) = if p99 >= 10_000.0 { (1000.0, "s") } else { (1.0, "ms") };
    let [p50, p95, p99] = [p50, p95, p99].map(|time| rounded(time / scale, 2));
    let mark = if figures.is_saturated() { " saturated" } else { "" };
    format!("{p50} / {p95} / {p99} {unit}{mark}")
}

fn part_of(part: Bytes, whole: Option<Bytes>) -> String {
    let Some(whole) = whole.filter(|whole| whole.get() > 0) else {
        return format!("{}, no limit", Figure::bytes(part.get()));
    };
    let share = Figure::share(part.get() as f64 / whole.get() as f64);
    let (size, unit) = if whole >= Bytes::gibi(1) { (1_u64 << 30, "GiB") } else { (1 << 20, "MiB") };
    let in_unit = |bytes: Bytes| rounded(bytes.get() as f64 / size as f64, 2);
    format!("{} / {} {unit} ({share})", in_unit(part), in_unit(whole))
}
