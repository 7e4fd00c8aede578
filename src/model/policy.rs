//! What the operator wants the engine to do.

use super::Horizontal;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;

/// The policy of one service.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Policy {
    /// Leaves the service as it is.
    None,
    /// Moves the limits of its instances.
    Vertical(Vertical),
    /// Changes how many instances there are.
    Horizontal(Horizontal),
    /// Both. CPU is then judged by what is used, not by the share of a limit that moves, and memory is a matter of limits
    /// alone.
    Both(Vertical, Horizontal),
}

impl Policy {
    /// What moves limits, where something does.
    #[must_use]
    pub const fn vertical(&self) -> Option<&Vertical> {
        match self {
            Self::Vertical(vertical) | Self::Both(vertical, _) => Some(vertical),
            Self::None | Self::Horizontal(_) => None,
        }
    }

    /// What changes the number of instances, where something does.
    #[must_use]
    pub const fn horizontal(&self) -> Option<&Horizontal> {
        match self {
            Self::Horizontal(horizontal) | Self::Both(_, horizontal) => Some(horizontal),
            Self::None | Self::Vertical(_) => None,
        }
    }
}

/// How it is found what a limit should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Sizing {
    /// Usage of the limit against thresholds, in steps (register E1).
    #[default]
    Thresholds,
    /// The Kubernetes Vertical Pod Autoscaler (register E7).
    Vpa {
        /// Percentile of usage that is recommended.
        percentile: Permille,
        /// What comes on top of it.
        margin: Permille,
    },
    /// KRR's strategy with limits, over the day that the engine remembers (register E7).
    Krr {
        /// Percentile of CPU that becomes the limit.
        percentile: Permille,
        /// What comes on top of the largest working set.
        margin: Permille,
        /// Points of history there must be.
        points: u32,
    },
    /// The moving window of Google's Autopilot (register E7).
    Autopilot {
        /// What the service does with CPU.
        workload: Workload,
    },
}

impl Sizing {
    /// Its name, as files and reasons call it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Thresholds => "thresholds",
            Self::Vpa { .. } => "vpa",
            Self::Krr { .. } => "krr",
            Self::Autopilot { .. } => "autopilot",
        }
    }

    const fn is_thresholds(&self) -> bool {
        matches!(self, Self::Thresholds)
    }
}

/// What a service does with CPU, and so which statistic of it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Workload {
    /// It answers requests: the 95th percentile of its load.
    #[default]
    Serving,
    /// It answers requests, and nobody minds if some take longer: the 90th.
    LatencyTolerant,
    /// It may be throttled as long as its work gets done: the mean.
    Batch,
}

/// Vertical scaling (register E1). `Default` is the documented set of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Vertical {
    /// How it is found what a limit should be. Only thresholds look at `cpu_high` to `memory_low`, `checks`, `increase` and
    /// `decrease`; beside the others the upper ones say how much of a limit may be in use where it is lowered.
    #[serde(default, skip_serializing_if = "Sizing::is_thresholds")]
    pub sizing: Sizing,
    /// Time between two checks.
    pub every: Span,
    /// Window that usage is measured over.
    pub window: Span,
    /// Usage of the CPU limit above which it is too small.
    pub cpu_high: Permille,
    /// Usage of the CPU limit below which it is too large.
    pub cpu_low: Permille,
    /// Usage of the memory limit above which it is too small.
    pub memory_high: Permille,
    /// Usage of the memory limit below which it is too large.
    pub memory_low: Permille,
    /// Checks in a row that must agree.
    pub checks: u32,
    /// Time after an adjustment in which the service is left alone.
    pub cooldown: Span,
    /// Adjustments of a service in any 24 hours, at most.
    pub per_day: u32,
    /// What a limit is multiplied with when it is too small.
    pub increase: Permille,
    /// What a limit is multiplied with when it is too large.
    pub decrease: Permille,
    /// No CPU limit goes below this.
    pub cpu_min: Millicores,
    /// No CPU limit goes above this.
    pub cpu_max: Millicores,
    /// No memory limit goes below this.
    pub memory_min: Bytes,
    /// No memory limit goes above this.
    pub memory_max: Bytes,
    /// Metrics older than this are not acted on.
    pub stale_after: Span,
    /// All CPU limits together, against the host's pool, at most.
    pub overcommit_cpu: Permille,
    /// All memory limits together, against the host's pool, at most.
    pub overcommit_memory: Permille,
}

impl Default for Vertical {
    /// The figures of register E1. Where it gives none: metrics are stale after three missed checks' worth of
    /// scrapes (2 min), limits may be promised 2 times over in CPU and 1.5 times in memory.
    fn default() -> Self {
        Self {
            sizing: Sizing::Thresholds,
            every: Span::from_mins(5),
            window: Span::from_mins(5),
            cpu_high: Permille::percent(80),
            cpu_low: Permille::percent(30),
            memory_high: Permille::percent(80),
            memory_low: Permille::percent(30),
            checks: 3,
            cooldown: Span::from_mins(30),
            per_day: 6,
            increase: Permille::percent(125),
            decrease: Permille::percent(75),
            cpu_min: Millicores::new(100),
            cpu_max: Millicores::cores(8),
            memory_min: Bytes::mebi(64),
            memory_max: Bytes::mebi(8192),
            stale_after: Span::from_mins(2),
            overcommit_cpu: Permille::percent(200),
            overcommit_memory: Permille::percent(150),
        }
    }
}

impl Vertical {
    /// A policy that asks a recommender of the field. The rhythm is the original's: a minute for the updater of the VPA, the
    /// window of Autopilot; KRR has none, and an hour is ours. The least limits are the originals', too, where they
    /// have any. There are no cooldown and no daily limit in them. A limit is lowered as far as it is not used.
    #[must_use]
    pub fn of_the_field(sizing: Sizing) -> Self {
        let every = match sizing {
            Sizing::Vpa { .. } => Span::from_mins(1),
            Sizing::Thresholds | Sizing::Autopilot { .. } => Span::from_mins(5),
            Sizing::Krr { .. } => Span::from_mins(60),
        };
        let usual = Self::default();
        let (cpu_min, memory_min) = match sizing {
            Sizing::Vpa { .. } => (Millicores::new(25), Bytes::mebi(250)),
            Sizing::Krr { .. } => (Millicores::new(10), Bytes::mebi(100)),
            Sizing::Thresholds | Sizing::Autopilot { .. } => (usual.cpu_min, usual.memory_min),
        };
        Self {
            sizing,
            every,
            window: every.min(Span::from_mins(5)),
            cpu_min,
            memory_min,
            cpu_high: Permille::ONE,
            cpu_low: Permille::ZERO,
            memory_high: Permille::ONE,
            memory_low: Permille::ZERO,
            checks: 1,
            cooldown: Span::ZERO,
            per_day: u32::MAX,
            ..usual
        }
    }

    /// How often it has to look: at its checks, and for as many samples as its recommender counts on.
    #[must_use]
    pub fn looks_every(&self) -> Span {
        self.every.min(match self.sizing {
            Sizing::Thresholds => self.every,
            Sizing::Vpa { .. } | Sizing::Autopilot { .. } => Span::from_mins(1),
            Sizing::Krr { .. } => Span::from_mins(5),
        })
    }
}
