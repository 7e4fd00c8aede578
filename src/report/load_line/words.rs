//! A load line in sentences: the same ones on the terminal, in Markdown and in the page.

use super::Answer;
use super::Breaks;
use super::End;
use super::Line;
use super::LoadLine;
use super::Part;
use super::multiple;
use crate::model::Metric;
use crate::report::figure::Figure;
use crate::report::words::counted;
use crate::units::Permille;

/// From this error on an answer says that the model is off where it rests.
const OFF: f64 = 0.3;
/// A part that is less full is not what anybody waits for.
const HALF: f64 = 0.5;
/// More failed requests than this at the line are said.
const FAILING: Permille = Permille::percent(1);
/// A part that is at least so full is named as the next bottleneck.
const NEARLY_FULL: f64 = 0.75;

/// `90% of 10 seeds`.
pub(super) fn probability(answer: &Answer) -> String {
    let seeds = counted(answer.seeds.len() as u64, "seed");
    if answer.probability >= Permille::ONE {
        format!("all of {seeds}")
    } else {
        format!("{} of {seeds}", answer.probability)
    }
}

/// What was asked, in one line.
pub(super) fn facts(answer: &Answer) -> String {
    let expectations =
        answer.scenario.expect.len() - answer.left_out.iter().filter(|name| is_named(answer, name)).count();
    format!(
        "{} each, {} in at least {}",
        answer.scenario.duration,
        counted(expectations as u64, "expectation"),
        probability(answer)
    )
}

fn is_named(answer: &Answer, name: &str) -> bool {
    answer.scenario.expect.iter().any(|expectation| expectation.name == name)
}

/// What the reader should know of the question.
pub(super) fn notes(answer: &Answer) -> Vec<String> {
    let mut notes = Vec::new();
    if !answer.left_out.is_empty() {
        notes.push(format!(
            "not part of a load line, which is about load and not about money: {}",
            answer.left_out.join(", ")
        ));
    }
    notes
}

/// The line itself: `2.4×`, `over 100×`, `none`.
pub(super) fn short(line: &LoadLine) -> String {
    match line.end {
        End::Line(line) => multiple(line.multiple),
        End::Above(most) => format!("over {}", multiple(most)),
        End::Below(_) => "none".to_owned(),
    }
}

/// `2.1 to 2.6×`; empty where there is none.
pub(super) fn interval(line: &LoadLine) -> String {
    line.interval().map(between).unwrap_or_default()
}

fn between((low, high): (Permille, Permille)) -> String {
    format!("{} to {}", multiple(low).trim_end_matches('×'), multiple(high))
}

/// The answer in one sentence.
pub(super) fn answer(line: &LoadLine) -> String {
    let host = &line.scenario.host.title;
    match line.end {
        End::Line(found) => {
            let side = found.multiple.get().abs_diff(1000);
            let percent = Figure::share(side as f64 / 1000.0);
            let against = match found.multiple.cmp(&Permille::ONE) {
                std::cmp::Ordering::Greater if line.holds_expected => format!("{percent} above the expected load"),
                std::cmp::Ordering::Less => format!("{percent} below the expected load: too little for it"),
                _ => "just the expected load".to_owned(),
            };
            format!("{host} carries {} of the load ({}): {against}.", multiple(found.multiple), between(found.interval))
        }
        End::Above(most) => {
            format!("{host} carries more than {} of the load, which is as far as it is tried.", multiple(most))
        }
        End::Below(least) => {
            format!(
                "{host} does not even carry {} of the load: what breaks there is no matter of load.",
                multiple(least)
            )
        }
    }
}

/// Requests that fail at the line although nothing that is expected forbids it.
pub(super) fn failing(line: &LoadLine) -> Option<String> {
    let share = Figure::share(line.failing.as_fraction());
    (line.failing > FAILING)
        .then(|| format!("At the line {share} of the requests fail, which nothing that is expected forbids."))
}

/// Where the interval comes from, and how far the model is to be trusted at this load.
pub(super) fn trust(line: &Line) -> Vec<String> {
    let mut sentences = Vec::new();
    let seeds = match line.seeds {
        Some(ends) => format!("by its seeds {} (95%)", between(ends)),
        None => "of one seed, which says nothing about others".to_owned(),
    };
    let model = if line.model.0 == line.model.1 {
        "the model's error of response times moves it by less than a step".to_owned()
    } else {
        format!("by the model's error of response times {}", between(line.model))
    };
    sentences.push(format!("Interval: {seeds}; {model}."));
    let accuracy = line.accuracy;
    let error = Figure::share(accuracy.nine_of_ten);
    let full = Figure::share(line.fullest);
    let is_widened = line.model.0 != line.model.1;
    if accuracy.is_beyond {
        let warning = if line.is_by_latency {
            " A response time decides here: read it as too slow, not as a figure."
        } else {
            ""
        };
        sentences.push(format!(
            "At the line the fullest part is {full} full, more than any case that the model was held against; at {}% its P95 is within {error} \
             of the truth in nine of ten cases ({}).{warning}",
            accuracy.load, accuracy.kind
        ));
    } else {
        let is_off = accuracy.nine_of_ten > OFF && is_widened;
        let warning = if is_off { ": the model is off here, and the interval is widened by it" } else { "" };
        sentences.push(format!(
            "At the line the fullest part is {full} full; P95 is then within {error} of the truth in nine of ten cases, half within {} \
             ({}){warning}.",
            Figure::share(accuracy.half),
            accuracy.kind
        ));
    }
    sentences
}

/// The expectations that fail beyond the line: name, what was measured and wanted, and where it failed first.
pub(super) fn failures(breaks: &Breaks) -> Vec<String> {
    let shown = breaks.failed.iter().take(3).map(|judged| {
        let first = judged.first_failure.as_ref().map(|failure| {
            let at = crate::report::words::moment(failure.from);
            format!("; first at {at}: {}", failure.scene)
        });
        format!("{}: {}, measured {}{}", judged.name, judged.text, judged.measured_text(), first.unwrap_or_default())
    });
    let mut lines: Vec<String> = shown.collect();
    if breaks.failed.len() > 3 {
        lines.push(format!("and {} more", breaks.failed.len() - 3));
    }
    lines
}

/// What it breaks on, and what comes after.
pub(super) fn bottleneck(breaks: &Breaks) -> Vec<String> {
    if breaks.bottleneck.is_empty() {
        let fullest =
            breaks.parts.first().map(|(part, full)| format!("; the fullest is {part} at {}", Figure::share(*full)));
        return vec![format!("No part's room alone mends it{}.", fullest.unwrap_or_default())];
    }
    let names: Vec<String> = breaks.bottleneck.iter().map(|part| filled(part, &breaks.parts)).collect();
    let mut lines = vec![format!("Bottleneck: {}. With ample of it all holds there (tried).", names.join(" with "))];
    if let Some(next) = &breaks.next {
        let nearly: Vec<String> = next
            .parts
            .iter()
            .filter(|(_, full)| *full >= NEARLY_FULL)
            .take(2)
            .map(|(part, _)| filled(part, &next.parts))
            .collect();
        let at = if nearly.is_empty() { String::new() } else { format!(", with {}", nearly.join(" and ")) };
        lines.push(if next.is_above {
            format!("Without it: more than {}.", multiple(next.multiple))
        } else {
            format!("Without it the line is at {}; then {}{at}.", multiple(next.multiple), listed(&next.failed))
        });
    }
    lines
}

/// `the CPU limit of api (97% full)`.
fn filled(part: &Part, parts: &[(Part, f64)]) -> String {
    match parts.iter().find(|(other, _)| other == part) {
        Some((_, full)) => format!("{part} ({} full)", Figure::share(*full)),
        None => part.to_string(),
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "nothing breaks".to_owned(),
        [one] => format!("\"{one}\" breaks"),
        [first, others @ ..] => format!("\"{first}\" and {} more break", others.len()),
    }
}

/// What breaks first, in a cell.
pub(super) fn breaks_first(line: &LoadLine) -> String {
    line.breaks.as_ref().and_then(|breaks| breaks.failed.first()).map(|judged| judged.name.clone()).unwrap_or_default()
}

/// What it breaks on, in a cell; where that was not tried, the fullest part of those that what fails first is about.
pub(super) fn breaks_on(line: &LoadLine) -> String {
    let Some(breaks) = &line.breaks else { return String::new() };
    if let Some(part) = breaks.bottleneck.first() {
        return cell(part);
    }
    let first = breaks.failed.first().map(|judged| &judged.name);
    let metric = line.scenario.expect.iter().find(|one| Some(&one.name) == first).map(|one| one.measure.metric);
    let is_about = |part: &Part| match metric {
        Some(Metric::Latency | Metric::Errors | Metric::Queue | Metric::Cpu | Metric::HostCpu | Metric::Throttled) => {
            part.is_queued_for()
        }
        Some(Metric::Memory | Metric::HostMemory | Metric::Oom) => !part.is_queued_for(),
        // Limits that go to and fro, deployments, restarts: no part that is full says why.
        _ => false,
    };
    let about = breaks.parts.iter().find(|(part, _)| is_about(part));
    // Where hardly anybody waits for anything, something else is the matter, such as memory.
    let fullest = about.filter(|(_, full)| *full >= HALF).or(about.and(breaks.parts.first()));
    fullest.map(|(part, full)| format!("{} {}", cell(part), Figure::share(*full))).unwrap_or_default()
}

/// A part in few letters: `api CPU limit`.
fn cell(part: &Part) -> String {
    match part {
        Part::HostCpu => "host CPU".to_owned(),
        Part::HostMemory => "host memory".to_owned(),
        Part::Disk => "disk".to_owned(),
        Part::Line => "line".to_owned(),
        Part::Cpu(name) => format!("{name} CPU limit"),
        Part::Memory(name) => format!("{name} memory limit"),
        Part::Workers(name) => format!("{name} workers"),
    }
}

/// Several hosts in sentences: which carries most, which not even the expected load, and how far the model is to be trusted.
pub(super) fn together(answer: &Answer) -> Vec<String> {
    if answer.lines.len() < 2 {
        return Vec::new();
    }
    let most = answer.lines.iter().map(LoadLine::multiple).max().unwrap_or_default();
    let deepest: Vec<&LoadLine> = answer.lines.iter().filter(|line| line.multiple() == most).collect();
    let names: Vec<&str> = deepest.iter().map(|line| line.scenario.host.title.as_str()).collect();
    let too_little = answer.lines.iter().filter(|line| !line.holds_expected).count();
    let rest = match too_little {
        0 => "all carry the expected load".to_owned(),
        count => format!("{count} of {} do not carry the expected load", answer.lines.len()),
    };
    let short = deepest.first().map(|line| short(line)).unwrap_or_default();
    let first = match names.as_slice() {
        _ if most == Permille::ZERO => "None of them carries any of the load.".to_owned(),
        [one] => format!("{one} carries most, {short}; {rest}."),
        [one, other] => format!("{one} and {other} carry most, {short} each; {rest}."),
        [one, others @ ..] => format!("{one} and {} others carry most, {short} each; {rest}.", others.len()),
        [] => return Vec::new(),
    };
    let errors = answer.lines.iter().filter_map(|line| match line.end {
        End::Line(found) if found.is_by_latency => Some(found.accuracy.nine_of_ten),
        _ => None,
    });
    let error = errors.fold(0.0, f64::max);
    let trust = format!(
        "Intervals take in the seeds, and that at these loads P95 is within {} of the truth in nine of ten cases.",
        Figure::share(error)
    );
    std::iter::once(first).chain((error > 0.0).then_some(trust)).collect()
}
