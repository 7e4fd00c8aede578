//! The load of one service, collected into its windows.
//!
//! Source: knative/serving@98e5ef90, `pkg/autoscaler/metrics/collector.go`.
//!
//! Before you change it:
//! 1. A sample is of all pods together. What the proxy has counted already is taken off, so nothing counts twice.
//! 2. Where pods are asked for their load, silence of a whole stable window is no data. Where they are not, it is no load.
//! 3. The original collects both metrics and looks at one. Here only that one is collected: the metric of a service stays.

use super::autoscaler::Seen;
use super::buckets::BUCKET;
use super::buckets::Buckets;
use super::buckets::WeightedBuckets;
use super::revision::ScalingMetric;
use crate::units::Instant;
use crate::units::Span;

/// How a window is averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregation {
    /// All buckets weigh the same.
    #[default]
    Linear,
    /// Newer buckets weigh more.
    WeightedExponential,
}

/// The load of one second, of all pods together.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Sample {
    /// Requests at a time, on average.
    pub concurrency: f64,
    /// Those of them that came through the proxy.
    pub proxied_concurrency: f64,
    /// Requests.
    pub requests: f64,
    /// Those of them that came through the proxy.
    pub proxied_requests: f64,
}

/// The windows of one service.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Collection {
    metric: ScalingMetric,
    scraped: bool,
    stable: Window,
    panic: Window,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
enum Window {
    Linear(Buckets),
    Weighted(WeightedBuckets),
}

impl Sample {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            concurrency: self.concurrency + other.concurrency,
            proxied_concurrency: self.proxied_concurrency + other.proxied_concurrency,
            requests: self.requests + other.requests,
            proxied_requests: self.proxied_requests + other.proxied_requests,
        }
    }

    /// What `total` pods have if `sampled` of them have this together.
    #[must_use]
    pub fn scaled(self, sampled: f64, total: f64) -> Self {
        Self {
            concurrency: self.concurrency / sampled * total,
            proxied_concurrency: self.proxied_concurrency / sampled * total,
            requests: self.requests / sampled * total,
            proxied_requests: self.proxied_requests / sampled * total,
        }
    }
}

impl Collection {
    /// Empty windows of one metric. `scraped` says whether pods are asked for their load; they are not where the proxy is
    /// always in the path.
    #[must_use]
    pub fn new(metric: ScalingMetric, (stable, panic): (Span, Span), aggregation: Aggregation, scraped: bool) -> Self {
        let [stable, panic] = [stable, panic].map(|window| Window::new(window, aggregation));
        Self { metric, scraped, stable, panic }
    }

    /// Takes the load of one second.
    pub fn record(&mut self, now: Instant, sample: Sample) {
        let value = match self.metric {
            ScalingMetric::Concurrency => sample.concurrency - sample.proxied_concurrency,
            ScalingMetric::Rps => sample.requests - sample.proxied_requests,
        };
        self.stable.record(now, value);
        self.panic.record(now, value);
    }

    /// The averages of both windows; `None` is no data.
    #[must_use]
    pub fn seen(&self, now: Instant) -> Option<Seen> {
        if self.scraped && self.stable.has_no_data(now) {
            return None;
        }
        Some(Seen { stable: self.stable.average(now), panic: self.panic.average(now) })
    }

    /// Changes the lengths of the windows.
    pub fn resize(&mut self, now: Instant, stable: Span, panic: Span) {
        self.stable.resize(now, stable);
        self.panic.resize(now, panic);
    }
}

impl Window {
    fn new(window: Span, aggregation: Aggregation) -> Self {
        match aggregation {
            Aggregation::Linear => Self::Linear(Buckets::new(window, BUCKET)),
            Aggregation::WeightedExponential => Self::Weighted(WeightedBuckets::new(window, BUCKET)),
        }
    }

    fn record(&mut self, now: Instant, value: f64) {
        match self {
            Self::Linear(buckets) => buckets.record(now, value),
            Self::Weighted(buckets) => buckets.record(now, value),
        }
    }

    fn average(&self, now: Instant) -> f64 {
        match self {
            Self::Linear(buckets) => buckets.average(now),
            Self::Weighted(buckets) => buckets.average(now),
        }
    }

    fn has_no_data(&self, now: Instant) -> bool {
        match self {
            Self::Linear(buckets) => buckets.has_no_data(now),
            Self::Weighted(buckets) => buckets.buckets().has_no_data(now),
        }
    }

    fn resize(&mut self, now: Instant, window: Span) {
        match self {
            Self::Linear(buckets) => buckets.resize(now, window),
            Self::Weighted(buckets) => buckets.resize(now, window),
        }
    }
}
