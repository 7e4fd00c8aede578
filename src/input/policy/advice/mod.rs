//! What is wrong with a policy as a whole: errors where it contradicts itself, warnings where it works and will disappoint.
//! Before you change it: a warning has its figures and the way out, and is true of every load. No policy of the catalog
//! deserves one.

mod field;
mod reach;
#[cfg(test)]
mod tests;

use super::IMPOSSIBLE;
use super::UNWISE;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::schema;
use crate::input::schema::quantity::REPLICAS_MAX;
use crate::input::yaml::Node;
use crate::model::Horizontal;
use crate::model::Points;
use crate::model::Quantity;
use crate::model::Reference;
use crate::model::Scaling;
use crate::model::Signal;
use crate::model::Target;
use crate::model::Trigger;
use crate::units::Permille;
use crate::units::Span;

/// Takes a warning: the key, what is wrong, and the way out.
type Warn<'a> = &'a mut dyn FnMut(&str, String, String);

/// All that is wrong with a policy that changes the number of instances.
pub(super) fn look(policy: &Horizontal, node: &Node) -> Problems {
    let mut problems = Problems::new();
    let mut error = |key: &str, message: String| {
        problems.push(Problem::error(&IMPOSSIBLE, message).at(&schema::place_of(node, &format!("/{key}"))));
    };
    if policy.replicas_min == 0 {
        error("replicas", "`replicas` from 0: the last instance is never removed, so begin with 1".to_owned());
    }
    if policy.per_host.is_some_and(|each| each < policy.replicas_min) {
        error("per_host", format!("`per_host` is below the least number of instances, {}", policy.replicas_min));
    }
    for (key, span) in [("every", policy.every), ("window", policy.window), ("stale_after", policy.stale_after)] {
        if span == Span::ZERO {
            error(key, format!("`{key}` is zero"));
        }
    }
    if policy.step_up == 0 || policy.step_down == 0 {
        error("step", "a `step` of zero changes nothing".to_owned());
    }
    if policy.ahead.is_some_and(|ahead| ahead.cpu == Permille::ZERO || ahead.by == Span::ZERO) {
        error("ahead", "`ahead` needs a share of CPU and a time above zero".to_owned());
    }
    match &policy.scaling {
        Scaling::Bounds(bounds) => {
            if bounds.up.is_empty() {
                error("up", "no bound is left that adds instances".to_owned());
            }
            cross(&bounds.up, &bounds.down, &mut error);
        }
        Scaling::Points(score) => {
            let triggers = |points: &[Points]| points.iter().map(|points| points.trigger).collect::<Vec<_>>();
            cross(&triggers(&score.up), &triggers(&score.down), &mut error);
            for (key, points, enough) in [("up", &score.up, score.up_from), ("down", &score.down, score.down_from)] {
                let most: u64 = points.iter().map(|points| u64::from(points.points)).sum();
                if enough == 0 || u64::from(enough) > most {
                    error(&format!("{key}/score"), format!("`score: {enough}` is never met by 1 to {most} points"));
                }
            }
        }
        Scaling::Reference(Reference::NomadThreshold(figures)) => {
            let trigger = |one: Target| Trigger { signal: one.signal, bound: one.value, lasts: Span::ZERO };
            cross(&[trigger(figures.up)], &[trigger(figures.down)], &mut error);
        }
        Scaling::Reference(_) => {}
        Scaling::Weighted(score) => {
            if score.parts.iter().all(|part| part.weight == 0) {
                error("weights", "the weights add up to nothing, so that nothing is ever decided".to_owned());
            }
            if score.down >= score.up {
                error("down/score", format!("`down` {} is not below `up` {}", score.down, score.up));
            }
        }
        Scaling::Schedule => {
            let ranges = policy.schedule.iter().map(|period| (period.replicas_min, period.replicas_max));
            let mut ranges = std::iter::once((policy.replicas_min, policy.replicas_max)).chain(ranges);
            if let Some((least, most)) = ranges.find(|(least, most)| least < most) {
                let message = format!("nothing chooses within `{least}..{most}`: a schedule alone looks at no figure");
                error("replicas", message);
            }
        }
    }
    if !problems.has_errors() {
        warn(policy, node, &mut problems);
    }
    problems
}

/// Lower bounds that are not below their upper ones.
fn cross(up: &[Trigger], down: &[Trigger], error: &mut impl FnMut(&str, String)) {
    for low in down.iter().filter(|low| low.signal != Signal::Replicas) {
        let high = up.iter().find(|high| high.signal == low.signal);
        if let Some(high) = high.filter(|high| low.bound.number() >= high.bound.number()) {
            let name = low.signal.name();
            error(
                &format!("down/{}", low.signal.key().replace('.', "/")),
                format!("`{name}` {} is not below {} of `up`", low.bound, high.bound),
            );
        }
    }
}

fn warn(policy: &Horizontal, node: &Node, problems: &mut Problems) {
    let mut warning = |key: &str, message: String, help: String| {
        let problem = Problem::warning(&UNWISE, message).at(&schema::place_of(node, &format!("/{key}")));
        problems.push(problem.help(help));
    };
    let (up, down) = (policy.cooldown_up, policy.cooldown_down);
    // A clock does not flap, either.
    let own_rests = matches!(policy.scaling, Scaling::Reference(_) | Scaling::Schedule);
    if up < policy.window && !own_rests {
        let message =
            format!("a cooldown of {up} is shorter than the window of {} that usage is measured over", policy.window);
        warning(
            "cooldown",
            message,
            format!("the next step is taken before the last one is seen; use `{{ up: {} }}`", policy.window),
        );
    }
    if down < up {
        let message = format!("instances are removed after {down}, sooner than more are added after {up}");
        warning("cooldown", message, format!("adding is urgent, removing is not; use `{{ down: {up} }}` or more"));
    }
    if policy.replicas_max == REPLICAS_MAX {
        let message = format!("there is no upper bound but {REPLICAS_MAX} instances");
        warning("replicas", message, "a wrong metric would fill the host; write both ends, such as `2..8`".to_owned());
    }
    if policy.every > policy.window && !own_rests {
        let message =
            format!("of the {} between two checks only the last {} are looked at", policy.every, policy.window);
        warning("every", message, format!("what happens before is never seen; use `window: {}`", policy.every));
    }
    if let Some(ahead) = policy.ahead.filter(|ahead| ahead.by < policy.every) {
        let message =
            format!("`ahead` looks {} ahead and only every {}: load comes in between", ahead.by, policy.every);
        let help = format!("look ahead as long as a start takes and one check, such as `{}`", policy.every.times(2));
        warning("ahead/by", message, help);
    }
    reach::look(policy, &mut warning);
    if let Scaling::Reference(reference) = &policy.scaling {
        field::look(policy, reference, &mut warning);
    }
    let most = policy.per_host.map_or(policy.replicas_max, |each| each.min(policy.replicas_max));
    if policy.schedule.is_empty() && policy.scaling != Scaling::Schedule && most <= policy.replicas_min {
        let key = if policy.replicas_max > policy.replicas_min { "per_host" } else { "replicas" };
        let message = format!("there are {most} instances at any load, so that no figure changes anything");
        warning(key, message, "give a range such as `2..8`, or leave the policy out".to_owned());
    }
    let fewest = u64::from(policy.replicas_min);
    if policy.replicas_max <= policy.replicas_min {
        return;
    }
    // The step from one instance more to the fewest is the one that raises usage most.
    let after = |low: u64| low.saturating_mul(fewest + 1) / fewest.max(1);
    match &policy.scaling {
        Scaling::Bounds(bounds) => {
            let of_cpu = |triggers: &[Trigger]| triggers.iter().find(|one| one.signal == Signal::Cpu).copied();
            if let (Some(high), Some(low)) = (of_cpu(&bounds.up), of_cpu(&bounds.down))
                && after(low.bound.number()) > high.bound.number()
            {
                let message = format!(
                    "`down` at {} CPU is too near `up` at {}: of {} instances one less makes {} of {}",
                    low.bound,
                    high.bound,
                    fewest + 1,
                    Quantity::Share(after(low.bound.number())),
                    low.bound
                );
                warning("down/cpu", message, too_near(share_below(high.bound.number(), fewest)));
            }
        }
        Scaling::Weighted(score) => {
            if after(score.down.get()) > score.up.get() {
                let message = format!(
                    "`down` at {} is too near `up` at {}: of {} instances one less may make {} of it",
                    score.down,
                    score.up,
                    fewest + 1,
                    Permille::new(after(score.down.get()))
                );
                warning("down/score", message, too_near(share_below(score.up.get().saturating_mul(1000), fewest)));
            }
        }
        Scaling::Points(_) | Scaling::Reference(_) | Scaling::Schedule => {}
    }
}

/// The largest whole percentage of which one instance less makes no more than `high`.
const fn share_below(high: u64, fewest: u64) -> Quantity {
    Quantity::Share(high.saturating_mul(fewest) / (fewest + 1) / 10_000 * 10_000)
}

/// The way out of bounds that are too near.
fn too_near(low: Quantity) -> String {
    format!("instances would come and go, or never go; use {low} or less")
}
