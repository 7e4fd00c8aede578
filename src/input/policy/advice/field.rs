//! What policies of the field are sensitive to: how often they are asked, and how long they rest. Before you change it: each
//! of these is a fact about the original's algorithm, as `engine::reference` has it, not an opinion.

use super::Warn;
use super::too_near;
use crate::model::Horizontal;
use crate::model::NomadThresholdFigures;
use crate::model::Quantity;
use crate::model::Reference;
use crate::model::Signal;
use crate::units::Span;

/// The time that alarms of AWS count in.
const PERIOD: Span = Span::from_mins(1);

/// What an original does with these figures that nobody would expect.
pub(super) fn look(policy: &Horizontal, reference: &Reference, warn: Warn<'_>) {
    let every = policy.every;
    match reference {
        Reference::Hpa(figures) if figures.down_stabilisation < every => {
            let message = format!(
                "a `stabilisation` of {} is shorter than the {every} between two checks: one low reading removes instances",
                figures.down_stabilisation
            );
            warn(
                "stabilisation",
                message,
                "load that comes back meets too few; use some minutes, such as `5m`".to_owned(),
            );
        }
        Reference::Autopilot(figures) if figures.downscale_after < every && figures.horizon < every => {
            let message = format!(
                "a `horizon` of {} holds one reading of every {every}, and nothing is waited for: one low reading removes \
                 instances",
                figures.horizon
            );
            warn("horizon", message, "use some hours, and a `stabilisation`".to_owned());
        }
        Reference::Kpa(figures) if every >= figures.stable_window => {
            let message = format!(
                "one reading of every {every} fills the window of {}: one low reading removes instances",
                figures.stable_window
            );
            warn("every", message, "Knative looks every 2s".to_owned());
        }
        Reference::TargetTracking(_) if every != PERIOD => {
            let (out, inward) = (every.times(3), every.times(15));
            let message = format!(
                "checked every {every} an alarm has its 3 points above the target in {out} and its 15 below it in {inward}, not \
                 in 3m and 15m"
            );
            warn("every", message, format!("AWS takes a point a minute; use `every: {PERIOD}`"));
        }
        Reference::StepScaling(figures) if every != PERIOD => {
            let periods = figures.periods;
            let message = format!(
                "checked every {every} the threshold must be passed for {}, not for the {} of {periods} periods",
                every.times(u64::from(periods)),
                PERIOD.times(u64::from(periods))
            );
            warn("every", message, format!("AWS takes a point a minute; use `every: {PERIOD}`"));
        }
        Reference::NomadTargetValue(figures) if figures.cooldown == Span::ZERO => no_rest(warn),
        Reference::NomadThreshold(figures) => {
            if figures.cooldown == Span::ZERO {
                no_rest(warn);
            }
            rare(figures, every, warn);
            near(figures, policy, warn);
        }
        _ => {}
    }
}

/// Nomad reads zero as nothing said.
fn no_rest(warn: Warn<'_>) {
    let message = "a `cooldown` of zero is its default to Nomad: it rests for 5m after each change".to_owned();
    warn("cooldown", message, "use the shortest that is meant, such as `1s`".to_owned());
}

/// Checks that are too rare for the points that are needed.
fn rare(figures: &NomadThresholdFigures, every: Span, warn: Warn<'_>) {
    let (points, window) = (u64::from(figures.points), NomadThresholdFigures::WINDOW);
    // The first of them must not have left the window when the last comes.
    if points > 1 && every.times(points - 1) >= window {
        let message = format!(
            "checked every {every} the last {window} never have the {points} points beyond a bound that are needed: it never acts"
        );
        warn("every", message, "Nomad looks every 10s".to_owned());
    }
}

/// Bounds of what instances share, of which one fewer is enough to pass the other: nothing keeps it from that.
fn near(figures: &NomadThresholdFigures, policy: &Horizontal, warn: Warn<'_>) {
    let (up, down) = (figures.up, figures.down);
    let fewest = u64::from(policy.replicas_min);
    let after = down.value.number().saturating_mul(fewest + 1) / fewest.max(1);
    let is_shared = matches!(up.signal, Signal::Cpu | Signal::Queue | Signal::Requests | Signal::Custom(_));
    if up.signal != down.signal
        || !is_shared
        || policy.replicas_max <= policy.replicas_min
        || after <= up.value.number()
    {
        return;
    }
    let (name, of) = (up.signal.name(), |number| match up.value {
        Quantity::Share(_) => Quantity::Share(number),
        Quantity::Rate(_) => Quantity::Rate(number),
        _ => Quantity::Number(number),
    });
    let message = format!(
        "`down` at {} {name} is too near `up` at {}: of {} instances one less makes {} of {}",
        down.value,
        up.value,
        fewest + 1,
        of(after),
        down.value
    );
    let key = format!("down/{}", down.signal.key().replace('.', "/"));
    warn(&key, message, too_near(of(up.value.number().saturating_mul(fewest) / (fewest + 1))));
}
