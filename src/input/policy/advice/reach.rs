//! Warnings of bounds that no figure reaches, so that a policy never adds or never removes. Before you change it:
//! 1. CPU and memory are shares of a limit that nobody passes, errors a share of all requests: none of them is ever above
//!    one. Beside a policy that moves limits this holds, too: CPU is of the limit that somebody wrote, and a larger one comes
//!    only when there can be no more instances; memory is no figure there.
//! 2. A warning has to be true of every load. What is true of most belongs in the documents.

use super::Warn;
use crate::model::Bounds;
use crate::model::Horizontal;
use crate::model::Reference;
use crate::model::Scaling;
use crate::model::Signal;
use crate::model::StepFigures;
use crate::model::Target;
use crate::model::Trigger;
use crate::model::WeightedScore;
use crate::units::Permille;

/// All of a limit, or all requests, in millionths.
const WHOLE: u64 = 1_000_000;

/// What is never reached, and what always is.
pub(super) fn look(policy: &Horizontal, warn: Warn<'_>) {
    match &policy.scaling {
        Scaling::Bounds(bounds) => {
            never_passed(&bounds.up, warn);
            never_removed(bounds, warn);
            runs_away(policy, bounds, warn);
        }
        Scaling::Points(score) => {
            let triggers: Vec<Trigger> = score.up.iter().map(|points| points.trigger).collect();
            never_passed(&triggers, warn);
        }
        Scaling::Weighted(score) => weighted(score, warn),
        Scaling::Reference(reference) => field(reference, warn),
        Scaling::Schedule => {}
    }
}

/// Whether a figure is a share of which nobody has more than the whole.
const fn is_part(signal: Signal) -> bool {
    matches!(signal, Signal::Cpu | Signal::Memory | Signal::Errors)
}

/// Whether nothing is ever above it.
fn is_all(target: Target) -> bool {
    is_part(target.signal) && target.value.number() >= WHOLE
}

/// Bounds that add and are the whole or more.
fn never_passed(up: &[Trigger], warn: Warn<'_>) {
    for trigger in up.iter().filter(|one| is_all(Target { signal: one.signal, value: one.bound })) {
        let name = trigger.signal.name();
        let message = format!("`up` at {} {name} is never passed: there is never more than all of it", trigger.bound);
        warn(&format!("up/{name}"), message, "use a bound below 100%, or `none`".to_owned());
    }
}

/// Bounds that remove, where one of them is zero or there is none.
fn never_removed(bounds: &Bounds, warn: Warn<'_>) {
    let figures = || bounds.down.iter().filter(|trigger| trigger.signal != Signal::Replicas);
    if figures().next().is_none() {
        let message = "no figure is left that removes instances, so that those that were added stay".to_owned();
        warn("down", message, "give a figure in `down`, such as `{ cpu: 20% }`".to_owned());
    }
    for trigger in figures().filter(|trigger| trigger.bound.number() == 0) {
        let name = trigger.signal.name();
        let message =
            format!("`down` at {} {name} is never met, and all of `down` must be: nothing is removed", trigger.bound);
        let key = format!("down/{}", trigger.signal.key().replace('.', "/"));
        warn(&key, message, "no figure is below zero; use a bound above it, or `none`".to_owned());
    }
}

/// A bound of all requests together: however many instances there are, it is passed by as much.
fn runs_away(policy: &Horizontal, bounds: &Bounds, warn: Warn<'_>) {
    let periods = policy.schedule.iter().map(|period| (period.replicas_min, period.replicas_max));
    let ranges = periods.chain([(policy.replicas_min, policy.replicas_max)]);
    // With one more or none it is a switch, and may be meant as one.
    let most = ranges.filter(|(least, most)| most.saturating_sub(*least) > 1).map(|(_, most)| most).max();
    let trigger = bounds.up.iter().find(|trigger| trigger.signal == Signal::Requests);
    if let (Some(trigger), Some(most)) = (trigger, most) {
        let message = format!(
            "`up` at {} requests is of all instances together: one more lowers nothing, so it goes on up to {most}",
            trigger.bound
        );
        let help = "for so many requests an instance use `template: hpa` with `targets: { requests: ... }`";
        warn("up/requests", message, help.to_owned());
    }
}

/// A mean that cannot be as large, or as small, as its bound.
fn weighted(score: &WeightedScore, warn: Warn<'_>) {
    let parts = || score.parts.iter().filter(|part| part.weight > 0);
    // The largest that one part can be is the largest that any mean of them can be.
    let most =
        parts().map(|part| is_part(part.signal).then(|| WHOLE.saturating_mul(1000) / part.whole.number().max(1)));
    let most = most.collect::<Option<Vec<u64>>>().and_then(|all| all.into_iter().max());
    if let Some(most) = most.filter(|most| score.up.get() >= *most) {
        let most = Permille::new(most);
        let message = format!("`up` at {} is never passed: what is weighed makes {most} at most", score.up);
        warn("up/score", message, "use a lower `score`, or weigh `p95` too".to_owned());
    }
    if score.down == Permille::ZERO {
        let message = "`down` at 0% is never met: no mean is below zero, so that nothing is removed".to_owned();
        warn("down/score", message, "use a `score` above 0%, such as `30%`".to_owned());
    }
}

/// Targets of the field that add only above the whole, or never remove.
fn field(reference: &Reference, warn: Warn<'_>) {
    match reference {
        Reference::Hpa(figures) => tolerant(&figures.targets, figures.tolerance, warn),
        Reference::NomadTargetValue(figures) => tolerant(&figures.targets, figures.threshold, warn),
        Reference::TargetTracking(figures) => never_above(&figures.targets, warn),
        Reference::Autopilot(_) => never_above(&reference.targets(), warn),
        Reference::StepScaling(figures) => stepped(figures, warn),
        // From its bound on, so that all of it is enough.
        Reference::NomadThreshold(figures) => {
            let up = figures.up;
            if is_part(up.signal) && up.value.number() > WHOLE {
                let name = up.signal.name();
                let message =
                    format!("`up` at {} {name} is never reached: there is never more than all of it", up.value);
                warn(&format!("up/{name}"), message, "use a bound up to 100%".to_owned());
            }
        }
        Reference::Kpa(_) => {}
    }
}

/// Targets with a dead band around them.
fn tolerant(targets: &[Target], tolerance: Permille, warn: Warn<'_>) {
    for target in targets.iter().filter(|target| is_part(target.signal)) {
        let (name, value) = (target.signal.name(), u128::from(target.value.number()));
        if u128::from(WHOLE) * 1000 <= value * u128::from(tolerance.get().saturating_add(1000)) {
            let message = format!(
                "the target {} {name} never adds: all that there is, 100%, is not more than {tolerance} above it",
                target.value
            );
            let most = Permille::percent(99_999 / tolerance.get().saturating_add(1000));
            warn(
                &format!("targets/{name}"),
                message,
                format!("use a target of {most} or less, or a smaller `tolerance`"),
            );
        }
    }
    if tolerance >= Permille::ONE {
        let message = format!("with a `tolerance` of {tolerance} nothing is too little: no instance is ever removed");
        warn("tolerance", message, "use a few percent, such as `10%`".to_owned());
    }
}

/// Targets without one.
fn never_above(targets: &[Target], warn: Warn<'_>) {
    for target in targets.iter().filter(|target| is_all(**target)) {
        let name = target.signal.name();
        let message = format!("the target {} {name} never adds: there is never more than all of it", target.value);
        warn(&format!("targets/{name}"), message, "use a target below 100%".to_owned());
    }
}

/// A threshold whose first step that adds something begins above the whole.
fn stepped(figures: &StepFigures, warn: Warn<'_>) {
    let threshold = figures.threshold;
    let adds = figures.out.rows.iter().filter(|row| row.change > 0);
    // Thousandths of a percent are ten millionths.
    let begins = adds.map(|row| u64::try_from(row.lower.unwrap_or(0)).unwrap_or(0).saturating_mul(10)).min();
    let from = begins.map(|begins| threshold.value.number().saturating_add(begins));
    if let Some(from) = from.filter(|from| is_part(threshold.signal) && *from > WHOLE) {
        let name = threshold.signal.name();
        let from = crate::model::Quantity::Share(from);
        let message =
            format!("the first step that adds begins at {from} {name}, and there is never more than all of it");
        warn(&format!("targets/{name}"), message, "use a lower target, or steps that are nearer to it".to_owned());
    }
}
