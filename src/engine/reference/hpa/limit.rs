//! What is made of the wish: not outside the bounds, and not faster than allowed.
//! Source: kubernetes/kubernetes, `pkg/controller/podautoscaler/horizontal.go` (`convertDesiredReplicasWithRules`,
//! `convertDesiredReplicasWithBehaviorRate`), the main branch of mid 2026. Before you change it:
//! 1. The tighter of the two names the reason: the rate only where it is strictly tighter than the bound.
//! 2. With a behaviour only the direction of the change is limited. A rate that is used up stops the change and never
//!    turns it round.
//! 3. Without one there is no rate for the way down, and the lower bound wins over everything.

use super::behaviour::Behaviour;
use super::behaviour::ScaleEvents;
use super::behaviour::scale_down_limit;
use super::behaviour::scale_up_limit;
use crate::units::Instant;

/// The fewest and the most replicas a target may have. Where they contradict each other, `min` mostly wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Bounds {
    /// The fewest. Default 1.
    pub min: i32,
    /// The most. There is no default in the original, which insists on it; here it is the largest number.
    pub max: i32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { min: 1, max: i32::MAX }
    }
}

/// What held a wish back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum LimitedBy {
    /// Nothing.
    DesiredWithinRange,
    /// The lower bound.
    TooFewReplicas,
    /// The upper bound.
    TooManyReplicas,
    /// The rate of the way up.
    ScaleUpLimit,
    /// The rate of the way down.
    ScaleDownLimit,
}

impl LimitedBy {
    /// The reason as Kubernetes writes it into the condition `ScalingLimited`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DesiredWithinRange => "DesiredWithinRange",
            Self::TooFewReplicas => "TooFewReplicas",
            Self::TooManyReplicas => "TooManyReplicas",
            Self::ScaleUpLimit => "ScaleUpLimit",
            Self::ScaleDownLimit => "ScaleDownLimit",
        }
    }
}

/// A wish within its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Limited {
    /// So many replicas.
    pub replicas: i32,
    /// Why not those that were wished for.
    pub by: LimitedBy,
}

/// The rate of targets without a behaviour: so many times as many, or so many, at one look. There is none down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct UpLimit {
    /// So many times as many. Default 2.
    pub factor: i32,
    /// Always so many. Default 4.
    pub replicas: i32,
}

impl Default for UpLimit {
    fn default() -> Self {
        Self { factor: 2, replicas: 4 }
    }
}

impl UpLimit {
    /// The most replicas that may follow on so many.
    #[doc(alias = "calculateScaleUpLimit")]
    #[must_use]
    pub fn of(self, current: i32) -> i32 {
        current.saturating_mul(self.factor).max(self.replicas)
    }

    /// What is made of the wish for a target without a behaviour.
    ///
    /// ```
    /// use plimsoll::engine::reference::hpa::{Bounds, UpLimit};
    ///
    /// let limited = UpLimit::default().limit(Bounds { min: 2, max: 50 }, 7, 30);
    /// assert_eq!((limited.replicas, limited.by.name()), (14, "ScaleUpLimit"));
    /// ```
    #[doc(alias = "convertDesiredReplicasWithRules")]
    #[must_use]
    pub fn limit(self, bounds: Bounds, current: i32, desired: i32) -> Limited {
        let rate = self.of(current);
        if desired < bounds.min {
            Limited { replicas: bounds.min, by: LimitedBy::TooFewReplicas }
        } else if desired > rate && rate < bounds.max {
            Limited { replicas: rate, by: LimitedBy::ScaleUpLimit }
        } else if desired > bounds.max {
            Limited { replicas: bounds.max, by: LimitedBy::TooManyReplicas }
        } else {
            Limited { replicas: desired, by: LimitedBy::DesiredWithinRange }
        }
    }
}

impl Behaviour {
    /// What is made of the wish for a target with this behaviour.
    ///
    /// ```
    /// use plimsoll::engine::reference::hpa::*;
    /// use plimsoll::units::{Instant, Span};
    ///
    /// let policies = vec![Policy { kind: PolicyKind::Pods, value: 3, period: Span::from_secs(60) }];
    /// let behaviour = Behaviour { up: ScalingRules { policies, ..ScalingRules::up() }, down: ScalingRules::down() };
    /// let (now, bounds) = (Instant::after_start(Span::from_mins(60)), Bounds { min: 1, max: 50 });
    /// let limited = behaviour.limit(now, bounds, &ScaleEvents::default(), 10, 20);
    /// assert_eq!((limited.replicas, limited.by.name()), (13, "ScaleUpLimit"));
    /// ```
    #[doc(alias = "convertDesiredReplicasWithBehaviorRate")]
    #[must_use]
    pub fn limit(&self, now: Instant, bounds: Bounds, events: &ScaleEvents, current: i32, desired: i32) -> Limited {
        if desired > current {
            let rate = scale_up_limit(now, current, events, &self.up).max(current);
            let (replicas, by) = if rate < bounds.max {
                (rate, LimitedBy::ScaleUpLimit)
            } else {
                (bounds.max, LimitedBy::TooManyReplicas)
            };
            if desired > replicas {
                return Limited { replicas, by };
            }
        } else if desired < current {
            let rate = scale_down_limit(now, current, events, &self.down).min(current);
            let (replicas, by) = if rate > bounds.min {
                (rate, LimitedBy::ScaleDownLimit)
            } else {
                (bounds.min, LimitedBy::TooFewReplicas)
            };
            if desired < replicas {
                return Limited { replicas, by };
            }
        }
        Limited { replicas: desired, by: LimitedBy::DesiredWithinRange }
    }
}

#[cfg(test)]
mod tests {
    use super::super::behaviour::Policy;
    use super::super::behaviour::PolicyKind;
    use super::super::behaviour::ScaleEvent;
    use super::super::behaviour::ScalingRules;
    use super::super::behaviour::Select;
    use super::*;
    use crate::units::Span;

    const NOW: Instant = Instant::after_start(Span::from_mins(60));

    fn limited(replicas: i32, by: LimitedBy) -> Limited {
        Limited { replicas, by }
    }

    #[test]
    fn without_a_behaviour_a_target_doubles_at_most() {
        let limit = |current, desired, max| UpLimit::default().limit(Bounds { min: 2, max }, current, desired);
        assert_eq!(limit(5, 10, 99), limited(10, LimitedBy::DesiredWithinRange));
        assert_eq!(limit(5, 11, 99), limited(10, LimitedBy::ScaleUpLimit));
        assert_eq!(limit(1, 9, 99), limited(4, LimitedBy::ScaleUpLimit), "four are always allowed");
        assert_eq!(limit(5, 11, 10), limited(10, LimitedBy::TooManyReplicas), "the bound, where both are the same");
        assert_eq!(limit(5, 11, 11), limited(10, LimitedBy::ScaleUpLimit));
        assert_eq!(limit(50, 1, 99), limited(2, LimitedBy::TooFewReplicas), "down there is no rate");
        assert_eq!(limit(i32::MAX, i32::MAX, i32::MAX), limited(i32::MAX, LimitedBy::DesiredWithinRange));
    }

    #[test]
    fn with_a_behaviour_the_tighter_one_names_the_reason() {
        let three = |select| ScalingRules {
            select,
            policies: vec![Policy { kind: PolicyKind::Pods, value: 3, period: Span::from_secs(60) }],
            ..ScalingRules::up()
        };
        let bounds = Bounds { min: 5, max: 12 };
        let behaviour = Behaviour { up: three(Select::Max), down: three(Select::Max) };
        let limit = |current, desired| behaviour.limit(NOW, bounds, &ScaleEvents::default(), current, desired);
        assert_eq!(limit(8, 20), limited(11, LimitedBy::ScaleUpLimit));
        assert_eq!(limit(9, 20), limited(12, LimitedBy::TooManyReplicas));
        assert_eq!(limit(9, 1), limited(6, LimitedBy::ScaleDownLimit));
        assert_eq!(limit(8, 1), limited(5, LimitedBy::TooFewReplicas));
        assert_eq!(limit(8, 11), limited(11, LimitedBy::DesiredWithinRange));
        assert_eq!(limit(1, 1), limited(1, LimitedBy::DesiredWithinRange), "who does not move is not looked at");
        let off = Behaviour { up: three(Select::Disabled), down: three(Select::Disabled) };
        let limit = |desired| off.limit(NOW, bounds, &ScaleEvents::default(), 8, desired);
        assert_eq!(limit(9), limited(8, LimitedBy::ScaleUpLimit));
        assert_eq!(limit(7), limited(8, LimitedBy::ScaleDownLimit));
    }

    #[test]
    fn a_rate_that_is_used_up_stops_the_change() {
        let behaviour = Behaviour {
            up: ScalingRules {
                policies: vec![Policy { kind: PolicyKind::Pods, value: 3, period: Span::from_secs(60) }],
                ..ScalingRules::up()
            },
            down: ScalingRules::down(),
        };
        // Ten were added a moment ago under another policy: 20 - 10 + 3 is 13, but nobody is sent away for that.
        let event = ScaleEvent { change: 10, at: NOW.minus(Span::from_secs(59)), outdated: false };
        let events = ScaleEvents { up: vec![event], down: Vec::new() };
        let bounds = Bounds { min: 1, max: 99 };
        assert_eq!(behaviour.limit(NOW, bounds, &events, 20, 25), limited(20, LimitedBy::ScaleUpLimit));
        let later = NOW.plus(Span::from_secs(1));
        assert_eq!(behaviour.limit(later, bounds, &events, 20, 25), limited(23, LimitedBy::ScaleUpLimit));
    }
}
