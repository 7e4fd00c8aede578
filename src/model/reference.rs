//! Policies of the field, as far as they can be set (register E7). What is not here has the original's own default; see
//! `engine::reference`.

use super::Quantity;
use super::Signal;
use crate::units::Permille;
use crate::units::Span;

/// A policy of the field.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Reference {
    /// Kubernetes' horizontal pod autoscaler.
    Hpa(HpaFigures),
    /// Knative's pod autoscaler.
    Kpa(KpaFigures),
    /// AWS target tracking.
    TargetTracking(TrackingFigures),
    /// AWS step scaling.
    StepScaling(StepFigures),
    /// Google Autopilot's number of tasks.
    Autopilot(AutopilotFigures),
    /// Nomad's strategy `target-value`.
    NomadTargetValue(NomadTargetFigures),
    /// Nomad's strategy `threshold`.
    NomadThreshold(NomadThresholdFigures),
}

impl Reference {
    /// Its name, as files and reports write it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hpa(_) => "hpa",
            Self::Kpa(_) => "kpa",
            Self::TargetTracking(_) => "target-tracking",
            Self::StepScaling(_) => "step-scaling",
            Self::Autopilot(_) => "autopilot",
            Self::NomadTargetValue(_) => "nomad-target-value",
            Self::NomadThreshold(_) => "nomad-threshold",
        }
    }

    /// What its figures are to be: all of them, in the order of its file.
    #[must_use]
    pub fn targets(&self) -> Vec<Target> {
        match self {
            Self::Hpa(figures) => figures.targets.clone(),
            Self::Kpa(figures) => vec![figures.target],
            Self::TargetTracking(figures) => figures.targets.clone(),
            Self::StepScaling(figures) => vec![figures.threshold],
            Self::Autopilot(figures) => {
                let value = Quantity::Share(figures.utilisation.get().saturating_mul(1000));
                vec![Target { signal: Signal::Cpu, value }]
            }
            Self::NomadTargetValue(figures) => figures.targets.clone(),
            Self::NomadThreshold(figures) => vec![figures.up, figures.down],
        }
    }

    /// The policy beside one that moves limits: memory is no target then, since its limit follows what is held. Where there
    /// is no other target it stays, and nothing can be judged.
    #[must_use]
    pub fn beside_limits(mut self) -> Self {
        let targets = match &mut self {
            Self::Hpa(figures) => &mut figures.targets,
            Self::TargetTracking(figures) => &mut figures.targets,
            Self::NomadTargetValue(figures) => &mut figures.targets,
            Self::Kpa(_) | Self::StepScaling(_) | Self::Autopilot(_) | Self::NomadThreshold(_) => return self,
        };
        if targets.iter().any(|target| target.signal != Signal::Memory) {
            targets.retain(|target| target.signal != Signal::Memory);
        }
        self
    }

    /// How often the original looks.
    #[must_use]
    pub const fn every(&self) -> Span {
        match self {
            Self::Hpa(_) => Span::from_secs(15),
            Self::Kpa(_) => Span::from_secs(2),
            Self::TargetTracking(_) | Self::StepScaling(_) => Span::from_mins(1),
            Self::Autopilot(_) => Span::from_mins(5),
            Self::NomadTargetValue(_) | Self::NomadThreshold(_) => Span::from_secs(10),
        }
    }

    /// The window that its metrics are usually measured over: the metrics server's, a minute of CloudWatch or Prometheus,
    /// five minutes of Autopilot.
    #[must_use]
    pub const fn window(&self) -> Span {
        match self {
            Self::Hpa(_) => Span::from_secs(30),
            Self::Kpa(_) => Span::from_secs(15),
            Self::TargetTracking(_) | Self::StepScaling(_) => Span::from_mins(1),
            Self::NomadTargetValue(_) | Self::NomadThreshold(_) => Span::from_mins(1),
            Self::Autopilot(_) => Span::from_mins(5),
        }
    }
}

/// What a figure is to be: of each instance for requests in the service, requests per second and metrics of the business, of the
/// whole service else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Target {
    /// The figure.
    pub signal: Signal,
    /// What it is to be.
    pub value: Quantity,
}

/// What can be set of the horizontal pod autoscaler.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HpaFigures {
    /// Targets; the largest number that one of them asks for counts.
    pub targets: Vec<Target>,
    /// How far from its target a figure may be.
    pub tolerance: Permille,
    /// For so long fewer must have been wanted before there are fewer.
    pub down_stabilisation: Span,
}

impl Default for HpaFigures {
    /// CPU at 80 % of what is requested, 10 % of tolerance, five minutes: what Kubernetes takes where nothing is said.
    fn default() -> Self {
        let cpu = Target { signal: Signal::Cpu, value: Quantity::Share(800_000) };
        Self { targets: vec![cpu], tolerance: Permille::percent(10), down_stabilisation: Span::from_mins(5) }
    }
}

/// What can be set of Knative's pod autoscaler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KpaFigures {
    /// Requests at a time, or requests per second, that an instance can carry; 70 % of that are aimed for.
    pub target: Target,
    /// The window that decides in calm times.
    pub stable_window: Span,
}

impl Default for KpaFigures {
    /// 100 requests at a time, a minute: Knative's defaults.
    fn default() -> Self {
        let target = Target { signal: Signal::Queue, value: Quantity::Number(100_000) };
        Self { target, stable_window: Span::from_mins(1) }
    }
}

/// What can be set of AWS target tracking.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TrackingFigures {
    /// Targets, each a policy of its own: out if any wants to, in if all do.
    pub targets: Vec<Target>,
    /// Rest after a scale-out.
    pub cooldown_out: Span,
    /// Rest after a scale-in.
    pub cooldown_in: Span,
}

impl Default for TrackingFigures {
    /// CPU at 75 %, as the developer guide of ECS shows it, and the documented cooldowns of 300 s.
    fn default() -> Self {
        let cpu = Target { signal: Signal::Cpu, value: Quantity::Share(750_000) };
        Self { targets: vec![cpu], cooldown_out: Span::from_mins(5), cooldown_in: Span::from_mins(5) }
    }
}

/// What can be set of AWS step scaling.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StepFigures {
    /// The figure, and the threshold of both alarms.
    pub threshold: Target,
    /// Steps above the threshold.
    pub out: Steps,
    /// Steps below the threshold.
    pub inward: Steps,
    /// Rest after a step.
    pub cooldown: Span,
    /// Periods of a minute for which the threshold must be passed.
    pub periods: u32,
}

/// The steps on one side of a threshold.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Steps {
    /// What they count.
    pub by: StepBy,
    /// The steps, nearest to the threshold first.
    pub rows: Vec<StepRow>,
}

/// What a step counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum StepBy {
    /// Percent of the instances there are.
    Percent,
    /// Instances.
    Instances,
}

/// One step: from where to where relative to the threshold, in thousandths of the figure's unit (a percent, a millisecond, a
/// request), and what is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StepRow {
    /// Where it begins; `None` is minus infinity.
    pub lower: Option<i64>,
    /// Where it ends; `None` is infinity.
    pub upper: Option<i64>,
    /// So many more, or fewer where it is negative.
    pub change: i64,
}

impl Default for StepFigures {
    /// The example of the user guide: above 60 % nothing, 10 % and 30 % more from 0, 10 and 20 points on, and as much fewer
    /// below; 300 s of cooldown. The guide's example has a threshold of 50 %; of its alarm it says nothing more, so one
    /// period of a minute is enough.
    fn default() -> Self {
        let row = |lower: Option<i64>, upper: Option<i64>, change| StepRow {
            lower: lower.map(|point| point * 1000),
            upper: upper.map(|point| point * 1000),
            change,
        };
        let steps = |rows| Steps { by: StepBy::Percent, rows };
        Self {
            threshold: Target { signal: Signal::Cpu, value: Quantity::Share(500_000) },
            out: steps(vec![row(Some(0), Some(10), 0), row(Some(10), Some(20), 10), row(Some(20), None, 30)]),
            inward: steps(vec![row(Some(-10), Some(0), 0), row(Some(-20), Some(-10), -10), row(None, Some(-20), -30)]),
            cooldown: Span::from_mins(5),
            periods: 1,
        }
    }
}

/// What can be set of Autopilot's number of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AutopilotFigures {
    /// CPU that a task should use, of its limit.
    pub utilisation: Permille,
    /// How far back the load is looked at.
    pub horizon: Span,
    /// For so long nothing higher must have been wanted before there are fewer.
    pub downscale_after: Span,
}

impl Default for AutopilotFigures {
    /// 72 hours and two days, as in the paper; 70 % is ours, since there the owner of a job has to say it.
    fn default() -> Self {
        Self {
            utilisation: Permille::percent(70),
            horizon: Span::from_mins(72 * 60),
            downscale_after: Span::from_mins(48 * 60),
        }
    }
}

/// What can be set of Nomad's `target-value`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NomadTargetFigures {
    /// Targets, each a check of its own.
    pub targets: Vec<Target>,
    /// How far the factor may be from one.
    pub threshold: Permille,
    /// Rest after an action.
    pub cooldown: Span,
}

impl Default for NomadTargetFigures {
    /// 1 % and five minutes are Nomad's; it has no target of its own, and 70 % CPU is ours.
    fn default() -> Self {
        let cpu = Target { signal: Signal::Cpu, value: Quantity::Share(700_000) };
        Self { targets: vec![cpu], threshold: Permille::percent(1), cooldown: Span::from_mins(5) }
    }
}

/// What can be set of Nomad's `threshold`: one check above a bound and one below another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NomadThresholdFigures {
    /// From here on one more, inclusive.
    pub up: Target,
    /// Below this one fewer.
    pub down: Target,
    /// Points of the last minute that must be beyond the bound.
    pub points: u32,
    /// Rest after an action.
    pub cooldown: Span,
}

impl NomadThresholdFigures {
    /// Points count for so long.
    pub const WINDOW: Span = Span::from_mins(1);
}

impl Default for NomadThresholdFigures {
    /// Five points and five minutes are Nomad's; bounds are for its user to say, and 70 % and 30 % CPU are ours.
    fn default() -> Self {
        let cpu = |percent: u64| Target { signal: Signal::Cpu, value: Quantity::Share(percent * 10_000) };
        Self { up: cpu(70), down: cpu(30), points: 5, cooldown: Span::from_mins(5) }
    }
}
