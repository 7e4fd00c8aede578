//! The figures of policies as files write them: one list for a file of its own and for one written out.

use super::horizontal::AheadFile;
use super::horizontal::ScalingKind;
use super::horizontal::Side;
use super::horizontal::Sides;
use super::horizontal::Ways;
use super::reference::StepsFile;
use super::schedule::PeriodFile;
use super::vertical::SizingKind;
use super::vertical::WorkloadKind;
use crate::input::schema::quantity::Cpus;
use crate::input::schema::quantity::Duration;
use crate::input::schema::quantity::Percent;
use crate::input::schema::quantity::Range;
use crate::input::schema::quantity::Size;
use schemars::JsonSchema;
use serde::Deserialize;

macro_rules! figures {
    ($($(#[$meta:meta])* $name:ident: $type:ty,)+) => {
        /// A policy as a file of its own. What is not said is as in the template, or as the register says.
        #[derive(Debug, Clone, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct PolicyFile {
            /// Its name.
            #[schemars(length(min = 1))]
            pub policy: String,
            /// What a person calls it.
            pub title: Option<String>,
            /// The policy that it starts from.
            pub template: Option<String>,
            $($(#[$meta])* pub $name: Option<$type>,)+
        }

        /// A policy that starts from another one.
        #[derive(Debug, Clone, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct PolicySettings {
            /// The policy that it starts from, by name or path.
            pub template: String,
            $($(#[$meta])* pub $name: Option<$type>,)+
        }

        /// The figures that are given.
        #[derive(Debug, Clone)]
        pub(super) struct Figures {
            $(pub(super) $name: Option<$type>,)+
        }

        impl PolicyFile {
            pub(super) fn figures(&self) -> Figures {
                Figures { $($name: self.$name.clone(),)+ }
            }
        }

        impl PolicySettings {
            pub(super) fn figures(&self) -> Figures {
                Figures { $($name: self.$name.clone(),)+ }
            }
        }
    };
}

figures! {
    /// How the number of instances is found; without it limits are moved, or it is as in the template.
    scaling: ScalingKind,
    /// Instances, at least and at most: `2..6`.
    replicas: Range,
    /// Times with a range of their own; where several hold, the last of them counts.
    schedule: Vec<PeriodFile>,
    /// Instances on one host, at most.
    #[schemars(range(min = 1, max = 10_000))]
    per_host: u32,
    /// Instances that are added and removed at once, at most.
    step: Ways<u32>,
    /// Figures above which instances are added.
    up: Side,
    /// Figures below which instances are removed.
    down: Side,
    /// What figures are to be, for policies of the field: `{ cpu: 70% }`; requests in the service, requests per second
    /// and `custom` metrics are of each instance.
    targets: Side,
    /// For `step-scaling`: how much more or fewer, the farther a figure is from its target the more.
    steps: StepsFile,
    /// How far from its target a figure may be.
    tolerance: Percent,
    /// For so long fewer must have been wanted before there are fewer.
    stabilisation: Duration,
    /// How far back the load is looked at.
    horizon: Duration,
    /// Instances are there before the load, where its days are alike: CPU that each is to use then, and how far to look ahead (what
    /// a start takes, and one evaluation).
    ahead: AheadFile,
    /// Points for a figure beyond its bound, for adding and for removing.
    points: Sides,
    /// Weights of figures.
    weights: Side,
    /// Figures that count as one in a weighted mean.
    full: Side,
    /// Time between two checks.
    every: Duration,
    /// Window that usage is measured over.
    window: Duration,
    /// What says how large limits should be; without it thresholds do, or it is as in the template.
    sizing: SizingKind,
    /// For `vpa` and `krr`: the percentile of usage that becomes the limit.
    percentile: Percent,
    /// For `vpa` and `krr`: what comes on top of it (of memory only, for `krr`).
    margin: Percent,
    /// For `krr`: points of five minutes that there must be.
    #[schemars(range(min = 1, max = 288))]
    history: u32,
    /// For `autopilot`: what the service does with CPU.
    workload: WorkloadKind,
    /// Usage of the CPU limit above which it is too small.
    cpu_high: Percent,
    /// Usage of the CPU limit below which it is too large.
    cpu_low: Percent,
    /// Usage of the memory limit above which it is too small.
    memory_high: Percent,
    /// Usage of the memory limit below which it is too large.
    memory_low: Percent,
    /// Checks in a row that must agree.
    #[schemars(range(min = 1, max = 1000))]
    checks: u32,
    /// Time after an adjustment in which the service is left alone; for numbers of instances it may be `{ up: 3m, down: 10m }`.
    cooldown: Ways<Duration>,
    /// Adjustments of a service in any 24 hours, at most.
    #[schemars(range(min = 0, max = 100_000))]
    per_day: u32,
    /// What a limit is multiplied with when it is too small.
    increase: Percent,
    /// What a limit is multiplied with when it is too large.
    decrease: Percent,
    /// No CPU limit goes below this.
    cpu_min: Cpus,
    /// No CPU limit goes above this.
    cpu_max: Cpus,
    /// No memory limit goes below this.
    memory_min: Size,
    /// No memory limit goes above this.
    memory_max: Size,
    /// Metrics older than this are not acted on.
    stale_after: Duration,
    /// All CPU limits together, against the host's pool, at most.
    overcommit_cpu: Percent,
    /// All memory limits together, against the host's pool, at most.
    overcommit_memory: Percent,
}

impl Figures {
    /// Keys that are given and that only a policy has which changes the number of instances.
    pub(super) fn of_instances(&self) -> Vec<&'static str> {
        let given = [
            ("scaling", self.scaling.is_some()),
            ("replicas", self.replicas.is_some()),
            ("schedule", self.schedule.is_some()),
            ("per_host", self.per_host.is_some()),
            ("step", self.step.is_some()),
            ("up", self.up.is_some()),
            ("down", self.down.is_some()),
            ("targets", self.targets.is_some()),
            ("steps", self.steps.is_some()),
            ("tolerance", self.tolerance.is_some()),
            ("stabilisation", self.stabilisation.is_some()),
            ("horizon", self.horizon.is_some()),
            ("ahead", self.ahead.is_some()),
            ("points", self.points.is_some()),
            ("weights", self.weights.is_some()),
            ("full", self.full.is_some()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect()
    }

    /// Keys that are given and that only a policy has which moves limits.
    pub(super) fn of_limits(&self) -> Vec<&'static str> {
        let given = [
            ("sizing", self.sizing.is_some()),
            ("percentile", self.percentile.is_some()),
            ("margin", self.margin.is_some()),
            ("history", self.history.is_some()),
            ("workload", self.workload.is_some()),
            ("cpu_high", self.cpu_high.is_some()),
            ("cpu_low", self.cpu_low.is_some()),
            ("memory_high", self.memory_high.is_some()),
            ("memory_low", self.memory_low.is_some()),
            ("checks", self.checks.is_some()),
            ("per_day", self.per_day.is_some()),
            ("increase", self.increase.is_some()),
            ("decrease", self.decrease.is_some()),
            ("cpu_min", self.cpu_min.is_some()),
            ("cpu_max", self.cpu_max.is_some()),
            ("memory_min", self.memory_min.is_some()),
            ("memory_max", self.memory_max.is_some()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect()
    }
}
