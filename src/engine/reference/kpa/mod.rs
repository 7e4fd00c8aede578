//! Knative's pod autoscaler (KPA), rebuilt: a policy of reference, to be compared with.
//!
//! Source: knative/serving at commit 98e5ef90 (August 2026): `pkg/autoscaler/{scaling,aggregation,config,metrics}` and
//! `pkg/reconciler/autoscaling/{resources,kpa}`. Algorithms, figures and boundaries are taken from there, not the text.
//! Each file says which part of it it rebuilds.
//!
//! A load goes in once a second (`record`) and falls into windows of one-second buckets: a stable one of 60 s and a panic
//! one of 6 s. Every 2 s their averages are divided by what one pod is to carry (`scale`); the larger need of the two
//! decides while in panic, the stable one alone otherwise. What comes out is held between bounds and, where it is zero,
//! held up until it is safe (`settle`).
//!
//! Before you change it:
//! 1. It is told the time and all it needs; the same calls in the same order give the same numbers.
//! 2. Boundaries are part of the algorithm: panic begins at the threshold (inclusive) and ends strictly after the stable
//!    window; a bucket that is exactly one window old is gone.
//! 3. Floating point is used where the original uses it, in the same order of operations, since rounding up amplifies the
//!    last bit.
//! 4. What is no number counts as no need; what is too large saturates. Nothing panics.

mod autoscaler;
mod bounds;
mod buckets;
mod collection;
mod config;
mod maximum;
mod revision;
#[cfg(test)]
mod tests;

pub use autoscaler::Autoscaler;
pub use autoscaler::PanicState;
pub use autoscaler::Recommendation;
pub use autoscaler::Seen;
pub use autoscaler::Spec;
pub use autoscaler::TICK;
pub use bounds::Activity;
pub use bounds::Ruling;
pub use bounds::Standing;
pub use bounds::active_threshold;
pub use bounds::settle;
pub use buckets::BUCKET;
pub use buckets::Buckets;
pub use buckets::WeightedBuckets;
pub use buckets::rounded;
pub use buckets::smoothing_coefficient;
pub use collection::Aggregation;
pub use collection::Collection;
pub use collection::Sample;
pub use config::Config;
pub use config::ConfigError;
pub use maximum::MaximumTimeWindow;
pub use maximum::MaximumWindow;
pub use revision::Revision;
pub use revision::ScalingMetric;
pub use revision::TARGET_MIN;
pub use revision::Target;

use crate::units::Instant;

/// One service under the pod autoscaler: all the parts in their order, for a host that is looked at every [`TICK`].
///
/// The original sends requests through a proxy (the activator) while a service has no pods. Here the proxy is in the path
/// from the moment the service becomes inactive; so the last pod goes one grace period after that, or one retention
/// period where that is longer.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Kpa {
    config: Config,
    revision: Revision,
    collection: Collection,
    autoscaler: Autoscaler,
    standing: Standing,
    latest: Option<Recommendation>,
}

impl Kpa {
    /// A service that is looked at for the first time, with so many ready pods.
    #[must_use]
    pub fn new(config: Config, revision: Revision, now: Instant, ready: u32) -> Self {
        let spec = revision.resolve_spec(&config);
        // Where the proxy is always in the path, it reports the load and nobody asks the pods; then no report is no load.
        let scraped = spec.target_burst_capacity != -1.0;
        let windows = (spec.stable_window, revision.resolve_panic_window(&config));
        Self {
            collection: Collection::new(revision.metric, windows, Aggregation::Linear, scraped),
            autoscaler: Autoscaler::new(spec, now, Some(ready)),
            standing: Standing { since: now, ..Standing::default() },
            latest: None,
            config,
            revision,
        }
    }

    /// Takes the load of one second, of all pods together.
    pub fn record(&mut self, now: Instant, sample: Sample) {
        self.collection.record(now, sample);
    }

    /// Looks at the service once and answers how many pods it is to have.
    ///
    /// Without data the last recommendation stays in force; where there never was one, nothing is applied.
    pub fn tick(&mut self, now: Instant, ready: u32) -> Ruling {
        let seen = self.collection.seen(now);
        self.latest = self.autoscaler.scale(now, Some(ready), seen).or(self.latest);
        if self.standing.activity == Activity::Inactive {
            self.standing.in_proxy_mode = true;
            self.standing.in_proxy_for = now.since(self.standing.since);
            self.standing.proxy_answers = true;
        } else {
            self.standing.in_proxy_mode = false;
        }
        let desired = self.latest.map(|latest| latest.desired);
        let ruling = settle(&self.config, &self.revision, &self.standing, now, desired);
        let threshold = active_threshold(&self.config, &self.revision, self.standing.initialized);
        self.standing.initialized |= ready >= threshold;
        let activity = self.standing.activity.after(ruling.scale, ready, threshold);
        if activity != self.standing.activity {
            self.standing.activity = activity;
            self.standing.since = now;
        }
        ruling
    }

    /// Whether it is in panic: it only scales up.
    #[must_use]
    pub const fn is_panicking(&self) -> bool {
        self.autoscaler.is_panicking()
    }
}
