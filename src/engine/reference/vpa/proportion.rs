//! Limits that keep their proportion to requests.
//! Source: kubernetes/autoscaler@55c37cd5, vertical-pod-autoscaler/pkg/utils/vpa/limit_and_request_scaling.go.
//!
//! Before you change it:
//! 1. An amount of zero is the same as none at all.
//! 2. A proportion rounds down to a millicore or a byte, unless it is said to round up. Only CPU ever rounds up: memory
//!    does not in the original, although it is asked to.
//! 3. Who has a limit but no request has the limit as its request; so its new limit is the new request.

use super::amount::ResourceAmount;
use super::amount::ResourceName;

/// How a fraction of a millicore or of a byte is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Down, for both resources.
    Down,
    /// Up for CPU, down for memory.
    Up,
}

/// An amount in proportion to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scaled {
    /// It keeps the proportion.
    Proportional(ResourceAmount),
    /// It would be more than can be counted, and is the most that can be.
    Capped(ResourceAmount),
    /// There is no proportion to nothing; it is the amount it was.
    DivisionByZero(ResourceAmount),
}

impl Scaled {
    /// The amount.
    #[must_use]
    pub const fn amount(self) -> ResourceAmount {
        match self {
            Self::Proportional(amount) | Self::Capped(amount) | Self::DivisionByZero(amount) => amount,
        }
    }
}

/// The limit that goes with a recommended request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProportionalLimit {
    /// In the same proportion to it as the limit was to the request.
    Kept(ResourceAmount),
    /// The proportion could not be kept; it is the most that can be counted.
    Capped(ResourceAmount),
    /// None, since there was no limit.
    NoLimit,
    /// None, since nothing is recommended.
    NoRecommendation,
}

impl ProportionalLimit {
    /// The limit, where there is one.
    #[must_use]
    pub const fn limit(self) -> Option<ResourceAmount> {
        match self {
            Self::Kept(limit) | Self::Capped(limit) => Some(limit),
            Self::NoLimit | Self::NoRecommendation => None,
        }
    }
}

/// `amount * result / base`.
#[must_use]
pub fn scale_proportionally(
    resource: ResourceName,
    amount: ResourceAmount,
    base: ResourceAmount,
    result: ResourceAmount,
    rounding: Rounding,
) -> Scaled {
    if base == 0 {
        return Scaled::DivisionByZero(amount);
    }
    let (product, base) = (i128::from(amount) * i128::from(result), i128::from(base));
    let up = resource == ResourceName::Cpu && rounding == Rounding::Up && product.rem_euclid(base) != 0;
    ResourceAmount::try_from(product.div_euclid(base))
        .map_or(Scaled::Capped(ResourceAmount::MAX), |down| Scaled::Proportional(down.saturating_add(i64::from(up))))
}

/// The limit that is in the same proportion to the recommendation as the limit is to the request. Where there is no
/// limit, the default limit counts as one.
///
/// ```
/// use plimsoll::engine::reference::vpa::*;
/// let limit = proportional_limit(ResourceName::Cpu, Some(2000), Some(1000), Some(10_000), None);
/// assert_eq!(limit, ProportionalLimit::Kept(20_000));
/// let limit = proportional_limit(ResourceName::Cpu, None, Some(1000), Some(10_000), None);
/// assert_eq!(limit, ProportionalLimit::NoLimit);
/// ```
#[must_use]
pub fn proportional_limit(
    resource: ResourceName,
    limit: Option<ResourceAmount>,
    request: Option<ResourceAmount>,
    recommended: Option<ResourceAmount>,
    default_limit: Option<ResourceAmount>,
) -> ProportionalLimit {
    let Some(limit) = some(limit).or(some(default_limit)) else { return ProportionalLimit::NoLimit };
    let Some(recommended) = some(recommended) else { return ProportionalLimit::NoRecommendation };
    match some(request) {
        None => ProportionalLimit::Kept(recommended),
        Some(request) if request == limit => ProportionalLimit::Kept(recommended),
        Some(request) => match scale_proportionally(resource, limit, request, recommended, Rounding::Down) {
            Scaled::Proportional(limit) | Scaled::DivisionByZero(limit) => ProportionalLimit::Kept(limit),
            Scaled::Capped(limit) => ProportionalLimit::Capped(limit),
        },
    }
}

/// The request whose proportional limit is just the boundary; zero where no limit bounds it.
#[must_use]
pub fn boundary_request(
    resource: ResourceName,
    request: Option<ResourceAmount>,
    limit: Option<ResourceAmount>,
    boundary: ResourceAmount,
    default_limit: Option<ResourceAmount>,
) -> ResourceAmount {
    match (some(limit).or(some(default_limit)), some(request)) {
        (None, _) => 0,
        (Some(_), None) => boundary,
        (Some(limit), Some(request)) => {
            scale_proportionally(resource, request, limit, boundary, Rounding::Down).amount()
        }
    }
}

/// The amount, unless it is zero.
fn some(amount: Option<ResourceAmount>) -> Option<ResourceAmount> {
    amount.filter(|amount| *amount != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CPU: ResourceName = ResourceName::Cpu;

    #[test]
    fn a_limit_keeps_its_proportion_to_the_request() {
        for (limit, request, recommended, expected) in [
            (Some(2000), Some(1000), 10_000, ProportionalLimit::Kept(20_000)),
            // 2000 * 1000 / 1500 = 1333.3
            (Some(2000), Some(1500), 1000, ProportionalLimit::Kept(1333)),
            (Some(2000), None, 700, ProportionalLimit::Kept(700)),
            (Some(1000), Some(1000), 700, ProportionalLimit::Kept(700)),
            (None, Some(1000), 700, ProportionalLimit::NoLimit),
            (Some(0), Some(1000), 700, ProportionalLimit::NoLimit),
            (Some(2000), Some(1000), 0, ProportionalLimit::NoRecommendation),
            (Some(i64::MAX), Some(1), 700, ProportionalLimit::Capped(i64::MAX)),
        ] {
            for resource in ResourceName::ALL {
                assert_eq!(proportional_limit(resource, limit, request, Some(recommended), None), expected);
            }
        }
        assert_eq!(proportional_limit(CPU, None, Some(10), Some(20), Some(30)), ProportionalLimit::Kept(60));
    }

    #[test]
    fn only_cpu_rounds_up() {
        // 15 * 150 / 115 = 19.6.
        let of = |resource, rounding| scale_proportionally(resource, 15, 115, 150, rounding);
        assert_eq!(of(CPU, Rounding::Up), Scaled::Proportional(20));
        assert_eq!(of(CPU, Rounding::Down), Scaled::Proportional(19));
        assert_eq!(of(ResourceName::Memory, Rounding::Up), Scaled::Proportional(19));
        assert_eq!(scale_proportionally(CPU, 23, 115, 150, Rounding::Up), Scaled::Proportional(30));
        assert_eq!(scale_proportionally(CPU, 15, 0, 150, Rounding::Up), Scaled::DivisionByZero(15));
    }

    #[test]
    fn a_boundary_for_limits_is_one_for_requests() {
        // Limits are twice the requests, so a limit of at most 1000 is a request of at most 500.
        assert_eq!(boundary_request(CPU, Some(100), Some(200), 1000, None), 500);
        assert_eq!(boundary_request(CPU, Some(100), None, 1000, Some(200)), 500);
        assert_eq!(boundary_request(CPU, None, Some(200), 1000, None), 1000);
        assert_eq!(boundary_request(CPU, Some(100), None, 1000, None), 0);
    }

    proptest! {
        #[test]
        fn a_limit_is_never_below_its_request(limit: i64, request in 1_i64.., recommended: i64) {
            let (limit, recommended) = (limit.max(request), recommended.max(0));
            let limit = proportional_limit(CPU, Some(limit), Some(request), Some(recommended), None);
            prop_assert!(limit.limit().is_none_or(|limit| limit >= recommended));
        }

        #[test]
        fn no_numbers_make_it_panic(numbers: (i64, i64, i64)) {
            for resource in ResourceName::ALL {
                let _ = scale_proportionally(resource, numbers.0, numbers.1, numbers.2, Rounding::Up);
            }
        }
    }
}
