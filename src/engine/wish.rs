//! Changes that a policy wishes for, and how their numbers round.

use crate::model::Action;
use crate::model::Guard;
use crate::model::Held;
use crate::model::Reason;
use crate::model::Resource;
use crate::model::ServiceName;
use crate::model::Signal;
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
    /// How many there are now.
    pub(super) instances: u64,
    /// A limit in its own unit, or the number of instances.
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) why: Reason,
}

impl Wish {
    /// What was seen against its bound, as the reason states it: of several figures the one that is farthest beyond. Who died
    /// for want of it, or has fewer than the least, needs it most.
    pub(super) fn of_bound(&self) -> Permille {
        let ratio = |seen: u64, bound: u64| Permille::ratio(seen, bound).unwrap_or(Permille::new(u64::MAX));
        match &self.why {
            Reason::AboveThreshold { seen, threshold, .. } | Reason::BelowThreshold { seen, threshold, .. } => {
                ratio(seen.get(), threshold.get())
            }
            Reason::GivenBack { .. } | Reason::OutOfRange { .. } | Reason::Override { .. } => Permille::new(u64::MAX),
            Reason::Weighted { score, bound, .. } => ratio(score.get(), bound.get()),
            Reason::Points { points, enough, .. } => ratio(u64::from(*points), u64::from(*enough)),
            Reason::Beyond { above, findings } => {
                let of_figures = findings.iter().filter(|finding| finding.signal != Signal::Replicas);
                let ratios = of_figures.map(|finding| ratio(finding.seen.number(), finding.bound.number()));
                if *above { ratios.max() } else { ratios.min() }.unwrap_or(Permille::ONE)
            }
            Reason::Wanted { findings, .. } if !findings.is_empty() => {
                let ratios = findings.iter().map(|finding| ratio(finding.seen.number(), finding.bound.number()));
                if self.to > self.from { ratios.max() } else { ratios.min() }.unwrap_or(Permille::ONE)
            }
            Reason::Ahead { wanted, .. } | Reason::Wanted { wanted, .. } => ratio(u64::from(*wanted), self.from),
            Reason::Sized { wanted, .. } => ratio(wanted.number(), self.from),
        }
    }

    /// The change as something that did not happen.
    pub(super) fn into_held(self, guard: Guard) -> Held {
        Held { service: self.service, resource: Some(self.resource), wanted: Some(self.why), guard }
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
