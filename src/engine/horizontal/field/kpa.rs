//! Knative's pod autoscaler on containers. Before you change it:
//! 1. It counts on a sample a second. What was seen at a look stands for every second since the look before.
//! 2. The last instance is never removed: Docker has no proxy that would wait with a request until one is there.

use super::Look;
use super::findings;
use super::number;
use super::wants;
use crate::engine::horizontal::Verdict;
use crate::engine::reference::kpa;
use crate::model::Guard;
use crate::model::KpaFigures;
use crate::model::Signal;
use crate::units::Instant;
use crate::units::Span;

/// Seconds that one look may stand for, at most: a stable window is no longer.
const SECONDS_MAX: u64 = 3600;

/// The autoscaler of one service.
#[derive(Debug, Clone)]
pub(in crate::engine::horizontal) struct Driver {
    figures: KpaFigures,
    kpa: Option<kpa::Kpa>,
    looked: Option<Instant>,
}

impl Driver {
    pub(super) const fn new(figures: KpaFigures) -> Self {
        Self { figures, kpa: None, looked: None }
    }

    pub(super) fn judge(&mut self, look: &Look<'_>) -> Verdict {
        let kpa = self.kpa.get_or_insert_with(|| begin(self.figures, look));
        let second = Span::from_secs(1);
        let since = self.looked.replace(look.now).map_or(1, |looked| look.now.since(looked).fit(second));
        if let Some(traffic) = look.readings.traffic {
            let sample = kpa::Sample {
                concurrency: traffic.inside as f64 / 1e3,
                requests: traffic.rate.as_per_second(),
                ..kpa::Sample::default()
            };
            for ago in (0..since.clamp(1, SECONDS_MAX)).rev() {
                kpa.record(look.now.minus(second.times(ago)), sample);
            }
        }
        let ruling = kpa.tick(look.now, look.ready);
        let Some(to) = ruling.scale.filter(|_| ruling.apply) else { return Verdict::Held(None, Guard::NoData) };
        if to == look.replicas {
            return Verdict::Quiet;
        }
        let note = if kpa.is_panicking() { "panic" } else { "" };
        Verdict::To(to, wants("kpa", to, findings(look.readings, &[self.figures.target]), note))
    }
}

/// The autoscaler of a service that is looked at for the first time.
fn begin(figures: KpaFigures, look: &Look<'_>) -> kpa::Kpa {
    let config = kpa::Config { enable_scale_to_zero: false, ..kpa::Config::default() };
    let metric = match figures.target.signal {
        Signal::Requests => kpa::ScalingMetric::Rps,
        _ => kpa::ScalingMetric::Concurrency,
    };
    let (least, most) = look.policy.widest();
    let revision = kpa::Revision {
        metric,
        target: Some(number(figures.target.value)),
        window: Some(figures.stable_window),
        min_scale: Some(least.max(1)),
        max_scale: Some(most),
        ..kpa::Revision::default()
    };
    kpa::Kpa::new(config, revision, look.now, look.ready)
}
