//! Points for each figure beyond its bound (register E4: up to 14 for adding, up to 7 for removing). Before you change it:
//! 1. Points are of one evaluation; nothing is remembered.
//! 2. While anything counts for adding, nothing is removed.
//! 3. One instance at a time; two where at least twice as many points as are enough count for adding.

use super::Readings;
use super::Verdict;
use super::bounds::is_beyond;
use super::bounds::spare;
use crate::model::Finding;
use crate::model::PointScore;
use crate::model::Points;
use crate::model::Reason;
use crate::model::Signal;
use crate::model::Trigger;
use crate::units::Span;

/// The points for adding and for removing: `(up, down)`.
#[must_use]
pub fn score(policy: &PointScore, readings: &Readings) -> (u32, u32) {
    (count(&policy.up, readings, true).0, count(&policy.down, readings, false).0)
}

/// Judges the figures at an evaluation; `steps` are the most instances that are added and removed at once.
#[must_use]
pub fn judge(policy: &PointScore, readings: &Readings, steps: (u32, u32)) -> Verdict {
    let (up, up_findings) = count(&policy.up, readings, true);
    if up >= policy.up_from {
        let far = up >= policy.up_from.saturating_mul(2);
        let step = if far { 2 } else { 1 };
        let most = all(&policy.up);
        let why = Reason::Points { above: true, points: up, most, enough: policy.up_from, findings: up_findings };
        return Verdict::Up(step.clamp(1, steps.0.max(1)), why);
    }
    let (down, findings) = count(&policy.down, readings, false);
    if up > 0 || down < policy.down_from {
        return Verdict::Quiet;
    }
    let why =
        Reason::Points { above: false, points: down, most: all(&policy.down), enough: policy.down_from, findings };
    let triggers: Vec<Trigger> = policy.up.iter().map(|points| points.trigger).collect();
    spare(readings, &triggers, steps.1.min(1), why)
}

/// All points there are.
fn all(points: &[Points]) -> u32 {
    points.iter().fold(0, |sum: u32, points| sum.saturating_add(points.points))
}

/// The points of the figures beyond their bounds, and these figures. Having more instances than a number counts for
/// removing.
fn count(points: &[Points], readings: &Readings, above: bool) -> (u32, Vec<Finding>) {
    let mut sum: u32 = 0;
    let mut findings = Vec::new();
    for Points { trigger, points } in points {
        let Some(seen) = readings.of_signal(trigger.signal) else { continue };
        let above = above || trigger.signal == Signal::Replicas;
        if is_beyond(seen, trigger.bound, above) {
            sum = sum.saturating_add(*points);
            findings.push(Finding { signal: trigger.signal, seen, bound: trigger.bound, lasts: Span::ZERO });
        }
    }
    (sum, findings)
}
