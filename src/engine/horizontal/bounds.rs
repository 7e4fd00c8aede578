//! Thresholds and triggers: bounds of figures, passed at once or for a time (register E2 and E3). Before you change it:
//! 1. Each figure above its bound adds by itself; only all figures below theirs remove. The number of instances is the other
//!    way round: being above its bound is what removing needs, and no step goes below it.
//! 2. A bound is passed strictly, and at every evaluation since the first: a trigger of five minutes fires at the
//!    evaluation that is exactly five minutes after the first one beyond the bound, as `for` does in Prometheus.
//! 3. How many: as many as bring CPU back to its bound, at least one. What is removed must not be missed: CPU stays at or
//!    below the bound that adds.

use super::Readings;
use super::Verdict;
use crate::model::Bounds;
use crate::model::Finding;
use crate::model::Guard;
use crate::model::Quantity;
use crate::model::Reason;
use crate::model::Signal;
use crate::model::Trigger;
use crate::units::Instant;
use crate::units::Span;

/// Since when each bound is passed.
#[derive(Debug, Clone, Default)]
pub struct Since {
    up: Vec<Option<Instant>>,
    down: Vec<Option<Instant>>,
}

impl Since {
    /// Forgets all: after a gap in the figures what was passed before is no evidence.
    pub(super) fn forget(&mut self) {
        self.up.fill(None);
        self.down.fill(None);
    }
}

/// Judges the figures at an evaluation; `steps` are the most instances that are added and removed at once.
#[must_use]
pub fn judge(bounds: &Bounds, since: &mut Since, now: Instant, readings: &Readings, steps: (u32, u32)) -> Verdict {
    let up = passed(&bounds.up, &mut since.up, now, readings, true);
    let down = passed(&bounds.down, &mut since.down, now, readings, false);
    let fired: Vec<Finding> = up.iter().filter(|(_, ready)| *ready).map(|(finding, _)| *finding).collect();
    if !fired.is_empty() {
        let step = missing(&fired, readings).clamp(1, steps.0.max(1));
        return Verdict::Up(step, Reason::Beyond { above: true, findings: fired });
    }
    if let Some((finding, needed)) = longest(&up, &bounds.up) {
        return pending(true, finding, needed, up);
    }
    let is_measured = |trigger: &&Trigger| readings.of_signal(trigger.signal).is_some();
    let measured = || bounds.down.iter().filter(is_measured);
    // The number alone is no evidence.
    if measured().all(|trigger| trigger.signal == Signal::Replicas) || down.len() < measured().count() {
        return Verdict::Quiet;
    }
    if let Some((finding, needed)) = longest(&down, &bounds.down) {
        return pending(false, finding, needed, down);
    }
    let numbers = bounds.down.iter().filter(|trigger| trigger.signal == Signal::Replicas);
    let fewest = numbers.map(|trigger| trigger.bound.number().div_ceil(1000)).max().unwrap_or(0);
    let most = readings.replicas.saturating_sub(u32::try_from(fewest).unwrap_or(u32::MAX)).max(1);
    let why = Reason::Beyond { above: false, findings: down.into_iter().map(|(finding, _)| finding).collect() };
    spare(readings, &bounds.up, steps.1.min(most), why)
}

/// The bounds that are passed, with whether each is for long enough.
fn passed(
    triggers: &[Trigger],
    since: &mut Vec<Option<Instant>>,
    now: Instant,
    readings: &Readings,
    above: bool,
) -> Vec<(Finding, bool)> {
    since.resize(triggers.len(), None);
    let mut found = Vec::new();
    for (trigger, since) in triggers.iter().zip(since) {
        let above = above || trigger.signal == Signal::Replicas;
        let seen = readings.of_signal(trigger.signal).filter(|seen| is_beyond(*seen, trigger.bound, above));
        let Some(seen) = seen else {
            *since = None;
            continue;
        };
        let lasts = now.since(*since.get_or_insert(now));
        found.push((Finding { signal: trigger.signal, seen, bound: trigger.bound, lasts }, lasts >= trigger.lasts));
    }
    found
}

/// Whether a figure is strictly above or below a bound of the same kind.
pub(super) fn is_beyond(seen: Quantity, bound: Quantity, above: bool) -> bool {
    let (seen, bound) = (seen.number(), bound.number());
    if above { seen > bound } else { seen < bound }
}

/// The finding that is not for long enough and has longest to wait, and how long it must last.
fn longest(found: &[(Finding, bool)], triggers: &[Trigger]) -> Option<(Finding, Span)> {
    let waits = found.iter().filter(|(_, ready)| !ready).filter_map(|(finding, _)| {
        let lasts = triggers.iter().find(|trigger| trigger.signal == finding.signal)?.lasts;
        Some((*finding, lasts))
    });
    waits.max_by_key(|(finding, needed)| needed.minus(finding.lasts))
}

fn pending(above: bool, finding: Finding, needed: Span, found: Vec<(Finding, bool)>) -> Verdict {
    let findings = found.into_iter().map(|(finding, _)| finding).collect();
    let guard = Guard::Pending { signal: finding.signal, lasts: finding.lasts, needed };
    Verdict::Held(Some(Reason::Beyond { above, findings }), guard)
}

/// Instances that are missing for CPU to be at its bound again; none where CPU is not among the findings.
fn missing(findings: &[Finding], readings: &Readings) -> u32 {
    let of_cpu = findings.iter().filter(|finding| finding.signal == Signal::Cpu);
    let wanted = of_cpu.filter_map(|finding| {
        let all = u128::from(finding.seen.number()) * u128::from(readings.replicas);
        let bound = u128::from(finding.bound.number());
        (bound > 0).then(|| u32::try_from(all.div_ceil(bound)).unwrap_or(u32::MAX))
    });
    wanted.max().unwrap_or(0).saturating_sub(readings.replicas)
}

/// As many instances as can be spared, so that no bound that adds is passed afterwards.
pub(super) fn spare(readings: &Readings, up: &[Trigger], step: u32, why: Reason) -> Verdict {
    let returns = |fewer: u32| {
        up.iter().find_map(|trigger| {
            let expected = readings.shared_by(trigger.signal, readings.replicas.saturating_sub(fewer))?;
            let guard = Guard::WouldReturn {
                signal: trigger.signal,
                expected: Quantity::Share(expected),
                bound: trigger.bound,
            };
            (expected > trigger.bound.number()).then_some(guard)
        })
    };
    let most = step.min(readings.replicas.saturating_sub(1)).max(1);
    match (1..=most).rev().find(|fewer| returns(*fewer).is_none()) {
        Some(fewer) => Verdict::Down(fewer, why),
        None => match returns(1) {
            Some(guard) => Verdict::Held(Some(why), guard),
            None => Verdict::Down(1, why),
        },
    }
}
