//! Policies that move limits, as files write them (registers E1 and E7).

use super::IMPOSSIBLE;
use super::UNWISE;
use super::figures::Figures;
use super::horizontal::Ways;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::schema;
use crate::input::yaml::Node;
use crate::model::Sizing;
use crate::model::Vertical;
use crate::model::Workload;
use crate::units::Permille;
use crate::units::Span;
use schemars::JsonSchema;
use serde::Deserialize;

/// What says how large limits should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SizingKind {
    /// Usage of the limit against thresholds, in steps.
    Thresholds,
    /// Kubernetes' vertical pod autoscaler.
    Vpa,
    /// KRR's strategy with limits.
    Krr,
    /// The moving window of Google's Autopilot.
    Autopilot,
}

/// What a service does with CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WorkloadKind {
    /// It answers requests.
    Serving,
    /// It answers requests, and nobody minds if some take longer.
    LatencyTolerant,
    /// It may be throttled as long as its work gets done.
    Batch,
}

/// The figures of a kind of policy: those of the register, or the original's.
pub(super) fn base(kind: SizingKind) -> Vertical {
    Vertical::of_the_field(match kind {
        SizingKind::Thresholds => return Vertical::default(),
        SizingKind::Vpa => Sizing::Vpa { percentile: Permille::percent(90), margin: Permille::percent(15) },
        SizingKind::Krr => {
            Sizing::Krr { percentile: Permille::percent(96), margin: Permille::percent(15), points: 100 }
        }
        SizingKind::Autopilot => Sizing::Autopilot { workload: Workload::default() },
    })
}

/// How limits are found, with the figures that are given put in; what that way does not have is an error.
fn sizing(figures: &Figures, base: Sizing, node: &Node, problems: &mut Problems) -> Sizing {
    let given = [
        ("percentile", figures.percentile.is_some()),
        ("margin", figures.margin.is_some()),
        ("history", figures.history.is_some()),
        ("workload", figures.workload.is_some()),
        ("cpu_high", figures.cpu_high.is_some()),
        ("cpu_low", figures.cpu_low.is_some()),
        ("memory_high", figures.memory_high.is_some()),
        ("memory_low", figures.memory_low.is_some()),
        ("checks", figures.checks.is_some()),
        ("increase", figures.increase.is_some()),
        ("decrease", figures.decrease.is_some()),
    ];
    let known: &[&str] = match base {
        Sizing::Thresholds => &["cpu_high", "cpu_low", "memory_high", "memory_low", "checks", "increase", "decrease"],
        Sizing::Vpa { .. } => &["percentile", "margin"],
        Sizing::Krr { .. } => &["percentile", "margin", "history"],
        Sizing::Autopilot { .. } => &["workload"],
    };
    for (key, _) in given.into_iter().filter(|(key, given)| *given && !known.contains(key)) {
        let message = format!("`{}` has no `{key}`; it has {}", base.name(), known.join(", "));
        problems.push(Problem::error(&IMPOSSIBLE, message).at(&schema::place_of(node, &format!("/{key}"))));
    }
    let (percentile, margin) = (figures.percentile.map(|share| share.0), figures.margin.map(|share| share.0));
    if percentile.is_some_and(|share| share == Permille::ZERO || share > Permille::ONE) {
        let problem = Problem::error(&IMPOSSIBLE, "a `percentile` above 0% and up to 100% is wanted");
        problems.push(problem.at(&schema::place_of(node, "/percentile")));
    }
    match base {
        Sizing::Thresholds => Sizing::Thresholds,
        Sizing::Vpa { percentile: usual, margin: on_top } => {
            Sizing::Vpa { percentile: percentile.unwrap_or(usual), margin: margin.unwrap_or(on_top) }
        }
        Sizing::Krr { percentile: usual, margin: on_top, points } => Sizing::Krr {
            percentile: percentile.unwrap_or(usual),
            margin: margin.unwrap_or(on_top),
            points: figures.history.unwrap_or(points),
        },
        Sizing::Autopilot { workload } => Sizing::Autopilot {
            workload: figures.workload.map_or(workload, |kind| match kind {
                WorkloadKind::Serving => Workload::Serving,
                WorkloadKind::LatencyTolerant => Workload::LatencyTolerant,
                WorkloadKind::Batch => Workload::Batch,
            }),
        },
    }
}

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
        sizing: sizing(figures, base.sizing, node, problems),
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
    // What no recommender looks at says nothing of it.
    let looked_at = |key: &str| policy.sizing == Sizing::Thresholds || !matches!(key, "increase" | "decrease");
    let wrong = checks.into_iter().chain(ordered).filter(|(key, wrong, _)| *wrong && looked_at(key));
    let errors: Problems = wrong
        .map(|(key, _, message)| Problem::error(&IMPOSSIBLE, message).at(&schema::place_of(node, &format!("/{key}"))))
        .collect();
    if errors.has_errors() { errors } else { warnings(policy, node) }
}

/// What works and will disappoint.
fn warnings(policy: &Vertical, node: &Node) -> Problems {
    let mut problems = Problems::new();
    let mut warn = |key: &str, message: String, help: String| {
        let problem = Problem::warning(&UNWISE, message).at(&schema::place_of(node, &format!("/{key}")));
        problems.push(problem.help(help));
    };
    if policy.per_day == 0 {
        let message = "with 0 adjustments a day nothing is ever adjusted".to_owned();
        warn("per_day", message, "use some, such as `6`, or the policy `none`".to_owned());
    }
    if policy.cpu_min == policy.cpu_max && policy.memory_min == policy.memory_max {
        let message =
            format!("every CPU limit is to be {} and every memory limit {}", policy.cpu_max, policy.memory_max);
        warn("memory_max", message, "leave room between the smallest and the largest of one of them".to_owned());
    }
    if policy.sizing != Sizing::Thresholds {
        return problems;
    }
    if policy.every > policy.window {
        let message =
            format!("of the {} between two checks only the last {} are looked at", policy.every, policy.window);
        warn("every", message, format!("what happens before is never seen; use `window: {}`", policy.every));
    }
    for (name, high, low) in
        [("cpu", policy.cpu_high, policy.cpu_low), ("memory", policy.memory_high, policy.memory_low)]
    {
        if high >= Permille::ONE {
            let message = format!("`{name}_high` at {high} is never passed: nobody uses more than the limit");
            warn(&format!("{name}_high"), message, "no limit would be raised; use a share below 100%".to_owned());
        }
        if low == Permille::ZERO {
            let message = format!("`{name}_low` at 0% is never met, so that no limit is lowered");
            warn(&format!("{name}_low"), message, "use a share above 0%, such as `30%`".to_owned());
        }
        // A limit that was just too small is too large when it is raised.
        let after = Permille::new(high.get().saturating_mul(1000) / policy.increase.get());
        if after < low {
            let message = format!(
                "an `increase` to {} makes {after} of the {high} at which a limit is too small: at once it is too large",
                policy.increase
            );
            let most = Permille::new(high.get().saturating_mul(1000) / low.get() / 10 * 10);
            warn(
                "increase",
                message,
                format!("limits would go up and down; use {most} or less, or a lower `{name}_low`"),
            );
        }
    }
    problems
}
