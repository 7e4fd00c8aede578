//! Nomad's autoscaler on containers. Before you change it: a check has a point for every look of the last minute, and the
//! target is ready unless a deployment is on.

use super::Look;
use super::findings;
use super::metric;
use super::number;
use super::wants;
use crate::engine::horizontal::Verdict;
use crate::engine::reference::nomad;
use crate::engine::reference::nomad::Act;
use crate::engine::reference::nomad::Check;
use crate::engine::reference::nomad::Point;
use crate::engine::reference::nomad::Reading;
use crate::engine::reference::nomad::Strategy;
use crate::engine::reference::nomad::TargetSeen;
use crate::engine::reference::nomad::TargetValue;
use crate::engine::reference::nomad::Threshold;
use crate::engine::reference::nomad::Tick;
use crate::model::Guard;
use crate::model::Horizontal;
use crate::model::NomadTargetFigures;
use crate::model::NomadThresholdFigures;
use crate::model::Target;
use crate::units::Instant;
use crate::units::Span;
use std::collections::VecDeque;

/// How far back a check asks.
const QUERY_WINDOW: Span = NomadThresholdFigures::WINDOW;
const _: () =
    assert!(QUERY_WINDOW.nanos() == nomad::QUERY_WINDOW.nanos(), "a policy is judged by the original's window");
/// Points that are kept of a figure.
const POINTS_MAX: usize = 64;

/// The handler of one policy.
#[derive(Debug, Clone)]
pub(in crate::engine::horizontal) struct Driver {
    name: &'static str,
    targets: Vec<Target>,
    handler: nomad::Handler,
    points: Vec<VecDeque<Point>>,
}

impl Driver {
    pub(super) fn target(figures: &NomadTargetFigures, policy: &Horizontal) -> Self {
        let check = |target: &Target| {
            let threshold = figures.threshold.as_fraction();
            let strategy = TargetValue { threshold, ..TargetValue::new(number(target.value)) };
            Check::new(target.signal.name().to_owned(), Strategy::TargetValue(strategy))
        };
        let checks = figures.targets.iter().map(check).collect();
        Self::new("nomad-target-value", figures.targets.clone(), (checks, figures.cooldown), policy)
    }

    pub(super) fn threshold(figures: &NomadThresholdFigures, policy: &Horizontal) -> Self {
        let points = i64::from(figures.points);
        let check = |name: &str, threshold: Threshold| {
            let mut check = Check::new(name.to_owned(), Strategy::Threshold(threshold));
            "bounds".clone_into(&mut check.group);
            check
        };
        let (up, down) = (number(figures.up.value), number(figures.down.value));
        let more = Threshold { lower_bound: Some(up), within_bounds_trigger: points, ..Threshold::new(Act::Delta(1)) };
        let fewer =
            Threshold { upper_bound: Some(down), within_bounds_trigger: points, ..Threshold::new(Act::Delta(-1)) };
        let checks = vec![check("up", more), check("down", fewer)];
        Self::new("nomad-threshold", vec![figures.up, figures.down], (checks, figures.cooldown), policy)
    }

    fn new(
        name: &'static str,
        targets: Vec<Target>,
        (checks, cooldown): (Vec<Check>, Span),
        policy: &Horizontal,
    ) -> Self {
        let (least, most) = policy.widest();
        let policy =
            nomad::Policy { min: i64::from(least), max: i64::from(most), cooldown, checks, ..nomad::Policy::default() };
        let handler = nomad::Handler::new(policy.filled(&nomad::Defaults::default()));
        Self { name, points: vec![VecDeque::new(); targets.len()], targets, handler }
    }

    pub(super) fn judge(&mut self, look: &Look<'_>) -> Verdict {
        // What was granted and never carried out waits for nobody.
        if matches!(self.handler.memory().state, nomad::State::Waiting | nomad::State::Scaling) {
            self.handler.refuse();
        }
        let mut readings = Vec::new();
        for (points, target) in self.points.iter_mut().zip(&self.targets) {
            points.retain(|point| look.now.since(point.at) < QUERY_WINDOW);
            let value = metric(look.readings, *target);
            if let Some(value) = value.filter(|_| points.len() < POINTS_MAX) {
                points.push_back(Point { at: look.now, value });
            }
            let known = value.is_some();
            readings.push(if known {
                Reading::Points(points.iter().copied().collect())
            } else {
                Reading::SourceFailed
            });
        }
        let target = TargetSeen { ready: !look.service.deploying, count: i64::from(look.replicas) };
        match self.handler.tick(look.now, Some(target), &readings) {
            Tick::NotNeeded => Verdict::Quiet,
            Tick::Cooling { left } => Verdict::Held(None, Guard::Cooldown { left }),
            Tick::Failed(_) => Verdict::Held(None, Guard::NoData),
            Tick::TargetMissing | Tick::TargetNotReady => Verdict::Held(None, Guard::Deploying),
            Tick::Waiting | Tick::Scaling => Verdict::Quiet,
            Tick::Wanted => {
                let to = u32::try_from(self.handler.memory().next.count.max(0)).unwrap_or(u32::MAX);
                Verdict::To(to, wants(self.name, to, findings(look.readings, &self.targets), ""))
            }
        }
    }

    pub(super) fn applied(&mut self, now: Instant) {
        if self.handler.memory().state == nomad::State::Waiting {
            self.handler.grant();
            self.handler.scaled(now);
        }
    }
}
