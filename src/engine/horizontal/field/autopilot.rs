//! Google Autopilot's number of tasks on containers. Before you change it: it counts on being asked every five minutes, and
//! on a CPU limit.

use super::Look;
use super::wants;
use crate::engine::horizontal::Verdict;
use crate::engine::reference::autopilot;
use crate::engine::reference::autopilot::HorizontalConfig;
use crate::engine::reference::autopilot::HorizontalSeen;
use crate::model::AutopilotFigures;
use crate::model::Finding;
use crate::model::Guard;
use crate::model::Quantity;
use crate::model::Signal;
use crate::units::Millicores;
use crate::units::Span;

/// The recommender of one service.
#[derive(Debug, Clone)]
pub(in crate::engine::horizontal) struct Driver {
    figures: AutopilotFigures,
    autopilot: autopilot::Horizontal,
}

impl Driver {
    pub(super) fn new(figures: AutopilotFigures) -> Self {
        let config = HorizontalConfig {
            horizon: figures.horizon,
            target_utilization: figures.utilisation,
            deferred_downscaling: figures.downscale_after,
            ..HorizontalConfig::default()
        };
        Self { figures, autopilot: autopilot::Horizontal::new(config) }
    }

    pub(super) fn judge(&mut self, look: &Look<'_>) -> Verdict {
        let Some(limit) = look.limits.cpu.filter(|limit| *limit > Millicores::ZERO) else {
            return Verdict::Held(None, Guard::NoLimit);
        };
        let used = look.service.instances.iter().filter_map(|instance| instance.usage.map(|usage| usage.cpu));
        let load = used.reduce(Millicores::plus);
        let seen = HorizontalSeen { load, limit, tasks: look.replicas, ready: look.ready };
        let to = self.autopilot.observe(look.now, &seen);
        if to == look.replicas {
            return if load.is_none() { Verdict::Held(None, Guard::NoData) } else { Verdict::Quiet };
        }
        let finding = Finding {
            signal: Signal::Cpu,
            seen: Quantity::Share(look.readings.cpu.unwrap_or(0)),
            bound: Quantity::Share(self.figures.utilisation.get().saturating_mul(1000)),
            lasts: Span::ZERO,
        };
        Verdict::To(to, wants("autopilot", to, vec![finding], "p95 of the horizon"))
    }
}
