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
    /// Both. CPU is then judged by what is used, not by the share of a limit that moves.
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

/// Vertical scaling by thresholds (register E1). `Default` is the documented set of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Vertical {
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
