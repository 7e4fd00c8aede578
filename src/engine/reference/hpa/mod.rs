//! The horizontal autoscaler of Kubernetes, as a policy to compare with: HPA v2.
//! Source: kubernetes/kubernetes, `pkg/controller/podautoscaler` and `pkg/apis/autoscaling/v2/defaults.go`, the main branch
//! of mid 2026 (Apache-2.0). The algorithms, figures and boundaries are the original's; the text is not.
//!
//! Start with [`Calculator`], which turns one metric into a [`Count`], and [`Hpa`], which turns the counts of all metrics
//! into a [`Decision`]. The parts are plain functions and may be tried on their own; each has an example. Where the
//! original's functions are (the search of these pages knows their names, too):
//!
//! | the original | here |
//! |---|---|
//! | `GetResourceReplicas` | [`Calculator::utilisation`] |
//! | `GetRawResourceReplicas`, `GetMetricReplicas` | [`Calculator::average_value`] |
//! | `GetObjectMetricReplicas`, `GetObjectPerPodMetricReplicas` | [`Calculator::object_value`], [`Calculator::object_average_value`] |
//! | `GetExternalMetricReplicas`, `GetExternalPerPodMetricReplicas` | [`Calculator::external_value`], [`Calculator::external_average_value`] |
//! | `groupPods`, `calculateRequests` | [`StartUp::group`], [`requests`] |
//! | `GetResourceUtilizationRatio`, `GetMetricUsageRatio` | [`utilisation`], [`usage`] |
//! | `GetResourceMetric` | [`resource_metrics`] |
//! | `computeReplicasForMetrics` | [`combine`] |
//! | `stabilizeRecommendation`, `stabilizeRecommendationWithBehaviors` | [`stabilise`], [`Windows::stabilise`] |
//! | `calculateScaleUpLimit`, `convertDesiredReplicasWithRules` | [`UpLimit::of`], [`UpLimit::limit`] |
//! | `convertDesiredReplicasWithBehaviorRate` | [`Behaviour::limit`] |
//! | `calculateScaleUpLimitWithScalingRules`, `calculateScaleDownLimitWithBehaviors` | [`scale_up_limit`], [`scale_down_limit`] |
//! | `getReplicasChangePerPeriod`, `storeScaleEvent` | [`change_within`], [`ScaleEvents::store`] |
//! | `normalizeDesiredReplicas`, `normalizeDesiredReplicasWithBehaviors`, `reconcileAutoscaler` | [`Hpa::decide`], then [`Hpa::applied`] |
//!
//! Releases differ, and this is what those do that people run. What happens without replicas can be chosen ([`AtZero`]).
//! Pods that ended well count like those that run; the main branch has ignored them since August 2026
//! (kubernetes/kubernetes#141302), and whoever wants to know what it does says [`Phase::Failed`] of them.
//!
//! The original's own tests have other figures than its defaults: CPU of a pod counts after 2 min, readiness after 10 s
//! ([`StartUp`]), and a target without a behaviour may grow eightfold ([`UpLimit`]). Before you change it:
//! 1. It is a reference: it does what the original does, also where that is odd. Nobody mends it here.
//! 2. A look goes: no replicas, outside the bounds, the metrics, what was wanted lately, the limits. The first two ask no
//!    metric and wait for nobody.
//! 3. The replicas at the first look count as wanted: a start takes nothing away before the window is over.
//! 4. A look remembers what was wanted. A change is remembered when it was made (`Hpa::applied`), not when it was meant.
//! 5. Lists of the past do not grow beyond what their windows need; the last outdated entry gives way.

mod behaviour;
mod calculator;
mod decision;
mod groups;
mod limit;
mod pods;
mod proposals;
mod rounding;
mod stabilise;
mod usage;

pub use behaviour::Behaviour;
pub use behaviour::Policy;
pub use behaviour::PolicyKind;
pub use behaviour::ScaleEvent;
pub use behaviour::ScaleEvents;
pub use behaviour::ScalingRules;
pub use behaviour::Select;
pub use behaviour::change_within;
pub use behaviour::scale_down_limit;
pub use behaviour::scale_up_limit;
pub use calculator::Calculator;
pub use calculator::Count;
pub use calculator::CountError;
pub use calculator::Seen;
pub use calculator::Tolerances;
pub use calculator::share_of_each;
pub use decision::AbleToScale;
pub use decision::Decision;
pub use decision::ScalingActive;
pub use decision::Why;
pub use groups::Groups;
pub use groups::StartUp;
pub use limit::Bounds;
pub use limit::Limited;
pub use limit::LimitedBy;
pub use limit::UpLimit;
pub use pods::Container;
pub use pods::ContainerKind;
pub use pods::ContainerUsage;
pub use pods::Metrics;
pub use pods::Phase;
pub use pods::Pod;
pub use pods::PodMetric;
pub use pods::PodUsage;
pub use pods::Readiness;
pub use pods::ReadyCondition;
pub use pods::Resource;
pub use pods::requests;
pub use pods::resource_metrics;
pub use proposals::Combined;
pub use proposals::MetricKind;
pub use proposals::Proposal;
pub use proposals::TooLittle;
pub use proposals::combine;
pub use stabilise::Recommendation;
pub use stabilise::Windows;
pub use stabilise::stabilise;
pub use usage::Usage;
pub use usage::Utilisation;
pub use usage::usage;
pub use usage::utilisation;

use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;
use proposals::some_need_no_pods;
use std::cmp::Ordering;

/// How often the original looks at a target.
pub const SYNC_PERIOD: Span = Span::from_secs(15);

/// What happens to a target that has no replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum AtZero {
    /// It is scaled where this autoscaler took it to zero, and either some metric needs no pods or it may not stay there.
    /// The main branch of mid 2026 with the feature `HPAScaleToZero`.
    OwnDoing,
    /// It is left alone. The same branch without the feature.
    LeftAlone,
    /// It is scaled where it may have no replicas, whoever took it there. Releases up to then.
    #[default]
    MinIsZero,
}

/// How a target is scaled.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Settings {
    /// The fewest and the most replicas. Default: from 1 on.
    pub bounds: Bounds,
    /// How fast it changes. `None`, the default: without a rate down, and up as far as `up_limit` says.
    pub behaviour: Option<Behaviour>,
    /// How far from its target a metric may be, where the behaviour does not say it. Default 10 %.
    pub tolerance: Permille,
    /// How long fewer replicas must have been wanted, where the behaviour does not say it. Default 5 min.
    pub down_stabilisation: Span,
    /// How far it may grow at one look without a behaviour. Default: twice as many, or 4.
    pub up_limit: UpLimit,
    /// What happens without replicas.
    pub at_zero: AtZero,
    /// How long young pods are not trusted.
    pub start_up: StartUp,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bounds: Bounds::default(),
            behaviour: None,
            tolerance: Permille::percent(10),
            down_stabilisation: Span::from_mins(5),
            up_limit: UpLimit::default(),
            at_zero: AtZero::default(),
            start_up: StartUp::default(),
        }
    }
}

impl Settings {
    /// What counts replicas under these settings.
    #[must_use]
    pub fn calculator(&self) -> Calculator {
        let tolerances = Tolerances::of(self.tolerance, self.behaviour.as_ref());
        Calculator { tolerances, start_up: self.start_up }
    }
}

/// What an autoscaler remembers about its target.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Memory {
    /// What was wanted lately; `None` before the first look.
    pub recommendations: Option<Vec<Recommendation>>,
    /// What was changed lately; nothing without a behaviour.
    pub events: ScaleEvents,
    /// Whether the target is without replicas by its doing; `None` before it was ever changed.
    pub scaled_to_zero: Option<bool>,
}

/// The autoscaler of one target. A state machine: nothing moves it but what it is told.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Hpa {
    /// How the target is scaled. May be changed between two looks.
    pub settings: Settings,
    /// What it remembers.
    pub memory: Memory,
}

impl Hpa {
    /// An autoscaler that has seen nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, memory: Memory::default() }
    }

    /// Looks at the target once. `current` is the number of replicas asked for now (not those that there are), `proposals`
    /// is what each metric asks for, in the order in which they are set.
    ///
    /// ```
    /// use plimsoll::engine::reference::hpa::*;
    /// use plimsoll::units::{Instant, Span};
    ///
    /// let at = |seconds| Instant::after_start(Span::from_secs(seconds));
    /// let wants = |replicas| [Proposal { kind: MetricKind::Resource, replicas: Ok(replicas) }];
    /// let mut hpa = Hpa::new(Settings { bounds: Bounds { min: 2, max: 10 }, ..Settings::default() });
    ///
    /// let decision = hpa.decide(at(0), 3, &wants(20));
    /// assert_eq!((decision.replicas, decision.able.name()), (6, "SucceededRescale"));
    /// assert_eq!(decision.limited.map(|limited| limited.by.name()), Some("ScaleUpLimit"));
    /// hpa.applied(at(0), &decision);
    ///
    /// // 20 were wanted lately, so 2 are not enough yet; no more than 10 are allowed.
    /// let decision = hpa.decide(at(15), 6, &wants(2));
    /// assert_eq!((decision.wanted, decision.stabilised, decision.replicas), (Some(2), Some(20), 10));
    /// ```
    #[doc(alias = "reconcileAutoscaler")]
    #[doc(alias = "normalizeDesiredReplicas")]
    #[doc(alias = "normalizeDesiredReplicasWithBehaviors")]
    pub fn decide(&mut self, now: Instant, current: i32, proposals: &[Proposal]) -> Decision {
        self.memory.recommendations.get_or_insert_with(|| vec![Recommendation { replicas: current, at: now }]);
        let bounds = self.settings.bounds;
        if current == 0 && !self.may_wake(proposals) {
            if self.settings.at_zero != AtZero::OwnDoing {
                self.memory.scaled_to_zero = None;
            }
            return self.unmoved(current, Some(ScalingActive::ScalingDisabled));
        }
        let outside = match current {
            0 => None,
            _ if current > bounds.max => Some((bounds.max, Why::AboveMax)),
            _ if current < bounds.min => Some((bounds.min, Why::BelowMin)),
            _ => None,
        };
        if let Some((bound, why)) = outside {
            return self.moved(self.unmoved(current, None), bound, why, proposals);
        }
        match combine(current, proposals) {
            Ok(combined) => self.decide_by_metrics(now, current, combined, proposals),
            Err(too_little) => {
                let kind = too_little.metric.map(|metric| proposals[metric].kind);
                self.unmoved(current, Some(ScalingActive::Failed(kind)))
            }
        }
    }

    /// Remembers that a decision was carried out. Where it was not, or changes nothing, nothing is to be remembered. Who
    /// carries out only a part of it says so in `replicas`.
    pub fn applied(&mut self, now: Instant, decision: &Decision) {
        if decision.is_change() {
            let behaviour = self.settings.behaviour.as_ref();
            self.memory.events.store(now, behaviour, decision.before, decision.replicas);
            self.memory.scaled_to_zero = decision.scaled_to_zero.map(|own_doing| own_doing && decision.replicas == 0);
        }
    }

    fn decide_by_metrics(
        &mut self,
        now: Instant,
        current: i32,
        combined: Combined,
        proposals: &[Proposal],
    ) -> Decision {
        let bounds = self.settings.bounds;
        let wanted = combined.replicas.max(0);
        let stabilised = self.stabilise(now, current, wanted);
        let limited = match &self.settings.behaviour {
            Some(behaviour) => behaviour.limit(now, bounds, &self.memory.events, current, stabilised),
            None => self.settings.up_limit.limit(bounds, current, stabilised),
        };
        let able = match (&self.settings.behaviour, stabilised == wanted) {
            (_, true) => AbleToScale::ReadyForNewScale,
            (Some(_), false) if wanted >= current => AbleToScale::ScaleUpStabilised,
            (_, false) => AbleToScale::ScaleDownStabilised,
        };
        let decision = Decision {
            wanted: Some(wanted),
            stabilised: Some(stabilised),
            able,
            limited: Some(limited),
            ..self.unmoved(current, Some(ScalingActive::ValidMetricFound(combined.metric)))
        };
        // Zero replicas get here only where this autoscaler left them, and now there are to be some.
        let least = if current == 0 { bounds.min } else { i32::MIN };
        let why = match wanted.cmp(&current) {
            Ordering::Greater => Why::AboveTarget(combined.metric),
            Ordering::Less => Why::AllBelowTarget,
            Ordering::Equal if current == 0 => Why::BelowMin,
            Ordering::Equal => Why::WantedLately,
        };
        self.moved(decision, limited.replicas.max(least), why, proposals)
    }

    /// What is left of a wish after looking at what was wanted lately. Remembers it.
    fn stabilise(&mut self, now: Instant, current: i32, wanted: i32) -> i32 {
        let recommendations = self.memory.recommendations.get_or_insert_default();
        let everybody = self.settings.down_stabilisation;
        let Some(behaviour) = &self.settings.behaviour else {
            return stabilise(now, everybody, recommendations, wanted);
        };
        let up = behaviour.up.stabilisation.unwrap_or(Span::ZERO);
        let down = behaviour.down.stabilisation.unwrap_or(everybody);
        Windows { up, down }.stabilise(now, recommendations, current, wanted)
    }

    /// Whether a target without replicas is scaled at all.
    fn may_wake(&self, proposals: &[Proposal]) -> bool {
        match self.settings.at_zero {
            AtZero::LeftAlone => false,
            AtZero::MinIsZero => self.settings.bounds.min == 0,
            AtZero::OwnDoing => {
                let may_not_stay = self.settings.bounds.min != 0;
                self.memory.scaled_to_zero == Some(true) && (may_not_stay || some_need_no_pods(proposals))
            }
        }
    }

    /// A decision that changes nothing.
    fn unmoved(&self, current: i32, active: Option<ScalingActive>) -> Decision {
        Decision {
            before: current,
            replicas: current,
            why: None,
            wanted: None,
            stabilised: None,
            able: AbleToScale::SucceededGetScale,
            active,
            limited: None,
            scaled_to_zero: self.memory.scaled_to_zero,
        }
    }

    /// The decision with so many replicas, if that is a change.
    fn moved(&self, decision: Decision, replicas: i32, why: Why, proposals: &[Proposal]) -> Decision {
        if replicas == decision.before {
            return decision;
        }
        let goes_to_zero = replicas == 0 && self.settings.bounds.min == 0;
        let can_come_back = goes_to_zero && some_need_no_pods(proposals);
        let scaled_to_zero = (self.settings.at_zero == AtZero::OwnDoing).then_some(can_come_back);
        Decision { replicas, why: Some(why), able: AbleToScale::SucceededRescale, scaled_to_zero, ..decision }
    }
}

#[cfg(test)]
mod tests;
