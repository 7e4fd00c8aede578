//! Policies that move limits, as files write them (register E1).

use super::IMPOSSIBLE;
use super::figures::Figures;
use super::horizontal::Ways;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::schema;
use crate::input::yaml::Node;
use crate::model::Vertical;
use crate::units::Permille;
use crate::units::Span;

/// The figures of `base`, with those that are given put in.
pub(super) fn over(figures: &Figures, base: Vertical, node: &Node, problems: &mut Problems) -> Vertical {
    let cooldown = match figures.cooldown {
        None => base.cooldown,
        Some(Ways::Both(cooldown)) => cooldown.0,
        Some(Ways::Each(_)) => {
            let message = "a policy that moves limits has one `cooldown` for both ways";
            problems.push(Problem::error(&IMPOSSIBLE, message).at(&schema::place_of(node, "/cooldown")));
            base.cooldown
        }
    };
    Vertical {
        every: figures.every.map_or(base.every, |figure| figure.0),
        window: figures.window.map_or(base.window, |figure| figure.0),
        cpu_high: figures.cpu_high.map_or(base.cpu_high, |figure| figure.0),
        cpu_low: figures.cpu_low.map_or(base.cpu_low, |figure| figure.0),
        memory_high: figures.memory_high.map_or(base.memory_high, |figure| figure.0),
        memory_low: figures.memory_low.map_or(base.memory_low, |figure| figure.0),
        checks: figures.checks.unwrap_or(base.checks),
        cooldown,
        per_day: figures.per_day.unwrap_or(base.per_day),
        increase: figures.increase.map_or(base.increase, |figure| figure.0),
        decrease: figures.decrease.map_or(base.decrease, |figure| figure.0),
        cpu_min: figures.cpu_min.map_or(base.cpu_min, |figure| figure.0),
        cpu_max: figures.cpu_max.map_or(base.cpu_max, |figure| figure.0),
        memory_min: figures.memory_min.map_or(base.memory_min, |figure| figure.0),
        memory_max: figures.memory_max.map_or(base.memory_max, |figure| figure.0),
        stale_after: figures.stale_after.map_or(base.stale_after, |figure| figure.0),
        overcommit_cpu: figures.overcommit_cpu.map_or(base.overcommit_cpu, |figure| figure.0),
        overcommit_memory: figures.overcommit_memory.map_or(base.overcommit_memory, |figure| figure.0),
    }
}

/// All that is wrong with the figures together.
pub(super) fn look(policy: &Vertical, node: &Node) -> Problems {
    let zero = [("every", policy.every), ("window", policy.window), ("stale_after", policy.stale_after)];
    let checks = zero.map(|(key, span)| (key, span == Span::ZERO, format!("`{key}` is zero")));
    let ordered = [
        (
            "cpu_low",
            policy.cpu_low >= policy.cpu_high,
            format!("`cpu_low` {} is not below `cpu_high` {}", policy.cpu_low, policy.cpu_high),
        ),
        (
            "memory_low",
            policy.memory_low >= policy.memory_high,
            format!("`memory_low` {} is not below `memory_high` {}", policy.memory_low, policy.memory_high),
        ),
        (
            "increase",
            policy.increase <= Permille::ONE,
            format!("an `increase` to {} increases nothing", policy.increase),
        ),
        (
            "decrease",
            policy.decrease >= Permille::ONE || policy.decrease == Permille::ZERO,
            format!("a `decrease` to {} is not between 0% and 100%", policy.decrease),
        ),
        (
            "cpu_min",
            policy.cpu_min > policy.cpu_max,
            format!("`cpu_min` {} is above `cpu_max` {}", policy.cpu_min, policy.cpu_max),
        ),
        (
            "memory_min",
            policy.memory_min > policy.memory_max,
            format!("`memory_min` {} is above `memory_max` {}", policy.memory_min, policy.memory_max),
        ),
    ];
    let wrong = checks.into_iter().chain(ordered).filter(|(_, wrong, _)| *wrong);
    wrong
        .map(|(key, _, message)| Problem::error(&IMPOSSIBLE, message).at(&schema::place_of(node, &format!("/{key}"))))
        .collect()
}
