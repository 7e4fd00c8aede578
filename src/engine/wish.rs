//! Changes that a policy wishes for, and how their numbers round.

use crate::model::Action;
use crate::model::Reason;
use crate::model::Resource;
use crate::model::ServiceName;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Permille;

/// A limit cut short by something that moves from minute to minute (the pool, the demand) must still change by this much
/// of itself; a smaller step is not worth one of the day's adjustments.
const WORTHWHILE: Permille = Permille::percent(5);

/// A limit of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    Cpu,
    Memory,
}

impl From<Limit> for Resource {
    fn from(limit: Limit) -> Self {
        match limit {
            Limit::Cpu => Self::Cpu,
            Limit::Memory => Self::Memory,
        }
    }
}

/// A change that the service's own rules allow; the host's are still to be asked.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) service: ServiceName,
    pub(super) resource: Resource,
    pub(super) instances: u64,
    /// A limit in its own unit, or the number of instances.
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) why: Reason,
}

impl Wish {
    /// Usage of the limit, as the reason states it. Who died for want of it needs it most.
    pub(super) const fn seen(&self) -> Permille {
        match self.why {
            Reason::AboveThreshold { seen, .. } | Reason::BelowThreshold { seen, .. } => seen,
            Reason::GivenBack { .. } | Reason::OutOfRange { .. } => Permille::new(u64::MAX),
            Reason::Weighted { score, .. } => score,
            Reason::Points { points, most, .. } => {
                Permille::new(points as u64 * 1000 / if most == 0 { 1 } else { most as u64 })
            }
            Reason::Ahead { .. } | Reason::Beyond { .. } | Reason::Wanted { .. } | Reason::Sized { .. } => {
                Permille::ONE
            }
        }
    }

    /// The change as an action.
    pub(super) fn into_action(self) -> Action {
        let Self { service, resource, from, to, why, .. } = self;
        match resource {
            Resource::Cpu => Action::LimitCpu { service, from: Millicores::new(from), to: Millicores::new(to), why },
            Resource::Memory => Action::LimitMemory { service, from: Bytes::new(from), to: Bytes::new(to), why },
            Resource::Replicas => {
                let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
                Action::Scale { service, from: count(from), to: count(to), why }
            }
        }
    }
}

/// The smallest step: a millicore, a MiB, an instance.
pub(super) const fn grain(resource: Resource) -> u64 {
    match resource {
        Resource::Cpu | Resource::Replicas => 1,
        Resource::Memory => 1 << 20,
    }
}

/// Whether a step that was cut short is still worth an adjustment.
pub(super) fn is_worthwhile(from: u64, to: u64) -> bool {
    u128::from(from.abs_diff(to)) * 1000 >= u128::from(from) * u128::from(WORTHWHILE.get())
}

/// `value * numerator / denominator`, rounded up; saturates. The denominator is never zero.
pub(super) fn scaled_up(value: u64, numerator: u64, denominator: u64) -> u64 {
    let wide = (u128::from(value) * u128::from(numerator)).div_ceil(u128::from(denominator));
    u64::try_from(wide).unwrap_or(u64::MAX)
}

/// `value * numerator / denominator`, rounded down; saturates. The denominator is never zero.
pub(super) fn scaled_down(value: u64, numerator: u64, denominator: u64) -> u64 {
    let wide = u128::from(value) * u128::from(numerator) / u128::from(denominator);
    u64::try_from(wide).unwrap_or(u64::MAX)
}
