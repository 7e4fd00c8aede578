//! The figures of each service and of the host over the judged part of a run (after the warm-up).

use crate::model::Errors;
use crate::model::Latencies;
use crate::model::Limits;
use crate::model::Sample;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::model::ServiceSample;
use crate::record::Event;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::whole;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Figures of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// By service.
    pub services: BTreeMap<ServiceName, ServiceFigures>,
    /// The host.
    pub host: HostFigures,
    /// Actions of the engine in the whole run, warm-up included.
    pub actions: u64,
    /// Containers advanced by one step.
    pub container_ticks: u64,
}

/// Figures of the host.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HostFigures {
    /// CPU used over time, in thousandths of a core.
    pub cpu: Level,
    /// Most memory used.
    pub memory_max: Bytes,
}

/// Figures of a service over a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServiceFigures {
    /// Response times of requests that ended well.
    pub latency: Latencies,
    /// Finished requests, in thousandths.
    pub requests: u64,
    /// Failed requests, in thousandths.
    pub errors: u64,
    /// The same by cause.
    pub errors_by_cause: Errors,
    /// CPU of all instances over time, in thousandths of a core.
    pub cpu: Level,
    /// Share of periods with throttling over time, in thousandths.
    pub throttled: Level,
    /// Largest working set of an instance.
    pub memory_max: Bytes,
    /// Memory limit in force at that moment.
    pub memory_limit: Option<Bytes>,
    /// OOM kills.
    pub oom_kills: u64,
    /// Restarts.
    pub restarts: u64,
    /// Fewest instances up and well.
    pub replicas_min: u32,
    /// Most instances up and well.
    pub replicas_max: u32,
    /// Limits at the end.
    pub limits: Limits,
    /// Time in samples in which more came than could be served, in nanoseconds.
    pub saturated_nanos: u64,
    /// Most requests waiting or in work at the end of a sample, in thousandths.
    pub queue_max: u64,
    /// Actions on it, warm-up included.
    pub actions: u64,
}

/// A level over time: its mean, its largest and its percentiles (to 1/512).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Level {
    nanos: u128,
    weighted: u128,
    largest: u64,
    slots: BTreeMap<u64, u128>,
}

impl Level {
    /// Adds a level that held for so many nanoseconds.
    pub fn add(&mut self, level: u64, nanos: u64) {
        let nanos = u128::from(nanos);
        self.nanos += nanos;
        self.weighted += u128::from(level) * nanos;
        self.largest = self.largest.max(level);
        let drop = (u64::BITS - level.leading_zeros()).saturating_sub(9);
        *self.slots.entry(level >> drop << drop).or_default() += nanos;
    }

    /// The mean over time; zero without any.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.nanos == 0 { 0.0 } else { self.weighted as f64 / self.nanos as f64 }
    }

    /// The largest.
    #[must_use]
    pub const fn max(&self) -> u64 {
        self.largest
    }

    /// The level that is not exceeded in so many of 100 parts of the time.
    #[must_use]
    pub fn percentile(&self, percent: u32) -> u64 {
        let wanted = self.nanos * u128::from(percent);
        let mut below = 0;
        for (level, nanos) in &self.slots {
            below += nanos * 100;
            if below >= wanted {
                return *level;
            }
        }
        self.largest
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        self.nanos += other.nanos;
        self.weighted += other.weighted;
        self.largest = self.largest.max(other.largest);
        for (level, nanos) in &other.slots {
            *self.slots.entry(*level).or_default() += nanos;
        }
    }
}

impl ServiceFigures {
    fn take(&mut self, sample: &Sample, service: &ServiceSample) {
        let nanos = sample.span.nanos();
        if self.cpu.nanos == 0 {
            self.replicas_min = service.replicas;
        }
        self.latency.merge(&service.latency);
        self.requests += service.served + service.failed;
        self.errors += service.failed;
        self.errors_by_cause = self.errors_by_cause.with(service.errors, |sum, more| sum + more);
        self.cpu.add(service.cpu.get(), nanos);
        self.throttled.add(service.throttled.get(), nanos);
        if service.memory >= self.memory_max {
            self.memory_max = service.memory;
            self.memory_limit = service.limits.memory;
        }
        self.oom_kills += u64::from(service.oom_kills);
        self.restarts += u64::from(service.restarts);
        self.replicas_min = self.replicas_min.min(service.replicas);
        self.replicas_max = self.replicas_max.max(service.replicas);
        self.limits = service.limits;
        self.saturated_nanos += if service.saturated { nanos } else { 0 };
        self.queue_max = self.queue_max.max(service.queue);
    }

    /// Requests as a whole number.
    #[must_use]
    pub fn requests_whole(&self) -> u64 {
        whole(self.requests as f64 / 1000.0)
    }

    /// Failed requests as a whole number.
    #[must_use]
    pub fn errors_whole(&self) -> u64 {
        whole(self.errors as f64 / 1000.0)
    }

    /// A percentile of the response times in milliseconds; `None` without requests.
    #[must_use]
    pub fn latency_ms(&self, percent: u64) -> Option<f64> {
        self.latency.quantile(percent, 100).map(|time| time.nanos() as f64 / 1e6)
    }

    /// The mean response time in milliseconds; `None` without requests.
    #[must_use]
    pub fn latency_ms_mean(&self) -> Option<f64> {
        self.latency.mean().map(|time| time.nanos() as f64 / 1e6)
    }

    /// Whether the model's response times are not to be trusted for a part of the run.
    #[must_use]
    pub const fn is_saturated(&self) -> bool {
        self.saturated_nanos > 0
    }
}

/// Collects a [`Summary`] while a run is on.
#[derive(Debug)]
pub(super) struct Summing {
    names: Vec<ServiceName>,
    services: Vec<ServiceFigures>,
    host: HostFigures,
    from: Instant,
    actions: u64,
    container_ticks: u64,
}

impl Summing {
    /// Starts with nothing.
    pub(super) fn new(scenario: &Arc<Scenario>) -> Self {
        Self {
            names: scenario.services.keys().cloned().collect(),
            services: vec![ServiceFigures::default(); scenario.services.len()],
            host: HostFigures::default(),
            from: Instant::after_start(scenario.warmup),
            actions: 0,
            container_ticks: 0,
        }
    }

    /// Takes the next event.
    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::Sampled(sample) if sample.at.minus(sample.span) >= self.from => {
                self.host.cpu.add(sample.host.cpu.get(), sample.span.nanos());
                self.host.memory_max = self.host.memory_max.max(sample.host.memory);
                for (figures, service) in self.services.iter_mut().zip(&sample.services) {
                    figures.take(sample, service);
                }
            }
            Event::Decided { decision, .. } => {
                for action in &decision.actions {
                    self.actions += 1;
                    if let Ok(place) = self.names.binary_search(action.service()) {
                        self.services[place].actions += 1;
                    }
                }
            }
            Event::Ended { container_ticks, .. } => self.container_ticks = *container_ticks,
            Event::Sampled(_) | Event::Began(_) | Event::Seen { .. } | Event::Happened { .. } => {}
        }
    }

    /// The figures.
    pub(super) fn finish(self) -> Summary {
        Summary {
            services: self.names.into_iter().zip(self.services).collect(),
            host: self.host,
            actions: self.actions,
            container_ticks: self.container_ticks,
        }
    }
}

/// The figures of several runs as one: response times of all requests, means of counts and levels, the largest of maxima.
pub(super) fn together<'a>(runs: impl Iterator<Item = &'a Summary>) -> Option<Summary> {
    let mut count = 0_u64;
    let mut all: Option<Summary> = None;
    for run in runs {
        count += 1;
        let Some(sum) = &mut all else {
            all = Some(run.clone());
            continue;
        };
        sum.actions += run.actions;
        sum.container_ticks += run.container_ticks;
        sum.host.cpu.merge(&run.host.cpu);
        sum.host.memory_max = sum.host.memory_max.max(run.host.memory_max);
        for (figures, other) in sum.services.values_mut().zip(run.services.values()) {
            merge(figures, other);
        }
    }
    let mut all = all?;
    let mean = |sum: &mut u64| *sum = (*sum + count / 2) / count;
    mean(&mut all.actions);
    for figures in all.services.values_mut() {
        mean(&mut figures.requests);
        mean(&mut figures.errors);
        figures.errors_by_cause = figures.errors_by_cause.with(Errors::default(), |sum, _| (sum + count / 2) / count);
        mean(&mut figures.actions);
        mean(&mut figures.saturated_nanos);
    }
    Some(all)
}

/// OOM kills and restarts stay added up: one in any seed must not round to none.
fn merge(figures: &mut ServiceFigures, other: &ServiceFigures) {
    figures.latency.merge(&other.latency);
    figures.requests += other.requests;
    figures.errors += other.errors;
    figures.errors_by_cause = figures.errors_by_cause.with(other.errors_by_cause, |sum, more| sum + more);
    figures.cpu.merge(&other.cpu);
    figures.throttled.merge(&other.throttled);
    if other.memory_max > figures.memory_max {
        figures.memory_max = other.memory_max;
        figures.memory_limit = other.memory_limit;
    }
    figures.oom_kills += other.oom_kills;
    figures.restarts += other.restarts;
    figures.replicas_min = figures.replicas_min.min(other.replicas_min);
    figures.replicas_max = figures.replicas_max.max(other.replicas_max);
    figures.saturated_nanos += other.saturated_nanos;
    figures.queue_max = figures.queue_max.max(other.queue_max);
    figures.actions += other.actions;
}
