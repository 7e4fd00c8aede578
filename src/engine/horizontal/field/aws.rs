//! AWS target tracking and step scaling on containers. Before you change it:
//! 1. A data point is what was seen at a look, once a minute; CloudWatch's own delay is not added.
//! 2. A deployment suspends scaling in, as it does in ECS.
//! 3. A cooldown begins with what was granted, not with what was wished.

use super::Look;
use super::findings;
use super::metric;
use super::number;
use super::wants;
use crate::engine::horizontal::Verdict;
use crate::engine::reference::step_scaling;
use crate::engine::reference::step_scaling::AdjustmentType;
use crate::engine::reference::step_scaling::Alarm;
use crate::engine::reference::step_scaling::Comparison;
use crate::engine::reference::step_scaling::Cooldowns;
use crate::engine::reference::step_scaling::Hold;
use crate::engine::reference::step_scaling::ScalableTarget;
use crate::engine::reference::step_scaling::Seen;
use crate::engine::reference::step_scaling::Step;
use crate::engine::reference::step_scaling::StepPolicy;
use crate::engine::reference::step_scaling::StepScaling;
use crate::engine::reference::step_scaling::Wish;
use crate::engine::reference::target_tracking;
use crate::engine::reference::target_tracking::TargetTracking;
use crate::engine::reference::target_tracking::TargetTrackingPolicy;
use crate::model;
use crate::model::Guard;
use crate::model::Horizontal;
use crate::model::StepBy;
use crate::model::StepFigures;
use crate::model::StepRow;
use crate::model::Target;
use crate::model::TrackingFigures;
use crate::units::Instant;
use std::collections::VecDeque;

/// Data points that are kept: an alarm looks at fifteen and two before.
const POINTS_MAX: usize = 20;

/// The data points of one figure, oldest first.
type Points = VecDeque<Option<f64>>;

/// What both kinds of policy share: what is scaled, and what was done.
#[derive(Debug, Clone)]
struct Shared {
    target: ScalableTarget,
    cooldowns: Cooldowns,
    wish: Option<Wish>,
}

impl Shared {
    fn new(policy: &Horizontal) -> Self {
        let (least, most) = policy.widest();
        let target = ScalableTarget::new(least, most);
        Self { target, cooldowns: Cooldowns::default(), wish: None }
    }

    /// The verdict for a wish, or for why there is none.
    fn verdict(&mut self, wish: Result<Wish, Hold>, name: &str, look: &Look<'_>, targets: &[Target]) -> Verdict {
        self.wish = wish.ok();
        match wish {
            Ok(wish) => Verdict::To(wish.to, wants(name, wish.to, findings(look.readings, targets), "")),
            Err(Hold::Quiet | Hold::NoStep | Hold::AlreadyAtDesiredCapacity) => Verdict::Quiet,
            Err(Hold::InsufficientData) => Verdict::Held(None, Guard::NoData),
            Err(Hold::CoolingDown { left }) => Verdict::Held(None, Guard::Cooldown { left }),
            Err(Hold::AlreadyAtMaxCapacity) => {
                Verdict::Held(None, Guard::AtReplicaBound { bound: self.target.max_capacity })
            }
            Err(Hold::AlreadyAtMinCapacity) => {
                Verdict::Held(None, Guard::AtReplicaBound { bound: self.target.min_capacity })
            }
            Err(Hold::NotAllReady) => own("not every target allows fewer"),
            Err(Hold::Suspended | Hold::ScaleInDisabled) => own("scaling in is suspended"),
        }
    }

    fn applied(&mut self, now: Instant, from: u32, to: u32) {
        if let Some(wish) = self.wish.take() {
            self.cooldowns.note(&Seen { now, capacity: from, datapoints: &[] }, Wish { to, ..wish });
        }
    }
}

fn own(why: &str) -> Verdict {
    Verdict::Held(None, Guard::OwnRule { why: why.to_owned() })
}

fn push(points: &mut Points, point: Option<f64>) {
    if points.len() == POINTS_MAX {
        points.pop_front();
    }
    points.push_back(point);
}

/// Target tracking policies of one service.
#[derive(Debug, Clone)]
pub(in crate::engine::horizontal) struct Tracking {
    figures: TrackingFigures,
    policies: Vec<TargetTracking>,
    points: Vec<Points>,
    shared: Shared,
}

impl Tracking {
    pub(super) fn new(figures: &TrackingFigures, policy: &Horizontal) -> Self {
        let tracking = |target: &Target| {
            TargetTracking::new(TargetTrackingPolicy {
                scale_out_cooldown: figures.cooldown_out,
                scale_in_cooldown: figures.cooldown_in,
                ..TargetTrackingPolicy::new(number(target.value))
            })
        };
        Self {
            policies: figures.targets.iter().map(tracking).collect(),
            points: vec![Points::new(); figures.targets.len()],
            shared: Shared::new(policy),
            figures: figures.clone(),
        }
    }

    pub(super) fn judge(&mut self, look: &Look<'_>) -> Verdict {
        for (points, target) in self.points.iter_mut().zip(&self.figures.targets) {
            push(points, metric(look.readings, *target));
        }
        self.shared.target.scale_in_suspended = look.service.deploying;
        let points: Vec<&[Option<f64>]> = self.points.iter_mut().map(|points| &*points.make_contiguous()).collect();
        let (at, shared) = ((look.now, look.replicas), &self.shared);
        let wish = target_tracking::look(&mut self.policies, &points, at, &shared.target, &shared.cooldowns);
        self.shared.verdict(wish, "target-tracking", look, &self.figures.targets)
    }

    pub(super) fn applied(&mut self, now: Instant, from: u32, to: u32) {
        self.shared.applied(now, from, to);
    }
}

/// Step scaling policies of one service: one for more and one for fewer.
#[derive(Debug, Clone)]
pub(in crate::engine::horizontal) struct Steps {
    threshold: Target,
    out: Option<StepScaling>,
    inward: Option<StepScaling>,
    points: Points,
    shared: Shared,
}

impl Steps {
    pub(super) fn new(figures: &StepFigures, policy: &Horizontal) -> Self {
        let threshold = number(figures.threshold.value);
        let periods = usize::try_from(figures.periods).unwrap_or(1);
        let scaling = |side: &model::Steps, comparison| {
            let bound = |bound: Option<i64>| bound.map(|thousandths| thousandths as f64 / 1e3);
            let step =
                |row: &StepRow| Step { lower: bound(row.lower), upper: bound(row.upper), adjustment: row.change };
            let steps = side.rows.iter().map(step).collect();
            let adjustment = match side.by {
                StepBy::Percent => AdjustmentType::PercentChangeInCapacity,
                StepBy::Instances => AdjustmentType::ChangeInCapacity,
            };
            let policy = StepPolicy { cooldown: figures.cooldown, ..StepPolicy::new(adjustment, steps) };
            StepScaling::new(policy, Alarm::new(comparison, threshold, periods)).ok()
        };
        Self {
            threshold: figures.threshold,
            out: scaling(&figures.out, Comparison::GreaterThanOrEqualTo),
            inward: scaling(&figures.inward, Comparison::LessThan),
            points: Points::new(),
            shared: Shared::new(policy),
        }
    }

    pub(super) fn judge(&mut self, look: &Look<'_>) -> Verdict {
        push(&mut self.points, metric(look.readings, self.threshold));
        self.shared.target.scale_in_suspended = look.service.deploying;
        let seen = Seen { now: look.now, capacity: look.replicas, datapoints: self.points.make_contiguous() };
        let (target, cooldowns) = (&self.shared.target, &self.shared.cooldowns);
        let of = |scaling: &mut Option<StepScaling>| {
            scaling.as_mut().map_or(Err(Hold::NoStep), |scaling| scaling.look(&seen, target, cooldowns))
        };
        let (out, inward) = (of(&mut self.out), of(&mut self.inward));
        let wishes: Vec<Wish> = out.iter().chain(&inward).copied().collect();
        let wish = step_scaling::Wish::largest(&wishes).ok_or_else(|| {
            let told = [out, inward].into_iter().filter_map(Result::err);
            told.max_by_key(|hold| !matches!(hold, Hold::Quiet | Hold::NoStep)).unwrap_or(Hold::Quiet)
        });
        self.shared.verdict(wish, "step-scaling", look, &[self.threshold])
    }

    pub(super) fn applied(&mut self, now: Instant, from: u32, to: u32) {
        self.shared.applied(now, from, to);
    }
}
