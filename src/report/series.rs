//! What the plots are drawn from: at most 1,440 points a series, neighbours merged where a run has more samples.
//!
//! Merged points keep what matters to a reader of the plot: CPU is the mean over time, memory, latency and throttling the
//! worst, replicas the fewest, requests are added up, limits the last ones. Metrics of the business are what the engine was
//! shown, the mean over time; none where it was shown nothing that it acts on.

use crate::model::HostSample;
use crate::model::Limits;
use crate::model::MetricName;
use crate::model::Observation;
use crate::model::Policy;
use crate::model::Sample;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::model::ServiceSample;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;
use crate::units::Temperature;
use std::sync::Arc;

/// Most points of a series.
pub(super) const POINTS_MAX: usize = 1440;

/// The points of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Names in the order of [`Point::services`].
    pub names: Vec<ServiceName>,
    /// Names in the order of [`Point::metrics`].
    pub metrics: Vec<MetricName>,
    /// In order of time.
    pub points: Vec<Point>,
    /// So many samples make one point.
    merged: u64,
    /// So many samples are in the last point.
    filled: u64,
    /// The metrics as the engine was shown them last.
    shown: Vec<Option<f64>>,
    /// What is older is not acted on.
    stale_after: Span,
}

/// One or several samples next to each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Begin in seconds.
    pub from: f64,
    /// End in seconds.
    pub to: f64,
    /// CPU of the host in cores, the mean.
    pub host_cpu: f64,
    /// Memory of the host in bytes, the most.
    pub host_memory: f64,
    /// Share of all cores' time that is idle while somebody waits for the disk, the mean.
    pub iowait: f64,
    /// Share of the time in which the disk is busy, the mean.
    pub disk: f64,
    /// Share of the bandwidth to the outside that is used, in the busier direction, the mean.
    pub network: f64,
    /// Temperature of the chip in degrees Celsius, the highest; where it is known.
    pub temperature: Option<f64>,
    /// Clock of the fast cores as a share of the full one, the lowest; where it is known.
    pub clock: Option<f64>,
    /// Share of CPU time that was stolen, the mean; where it varies.
    pub steal: Option<f64>,
    /// The services.
    pub services: Vec<ServicePoint>,
    /// Metrics of the business, each of all instances together.
    pub metrics: Vec<Option<f64>>,
}

/// A service in one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServicePoint {
    /// CPU of all instances in cores, the mean.
    pub cpu: f64,
    /// Share of periods with throttling, the most.
    pub throttled: f64,
    /// Largest working set of an instance in bytes.
    pub memory: f64,
    /// Limits of an instance at the end.
    pub limits: Limits,
    /// p50, p95 and p99 in milliseconds, the worst; none without requests that ended well.
    pub latency: Option<[f64; 3]>,
    /// Finished requests.
    pub requests: f64,
    /// Failed requests.
    pub errors: f64,
    /// Instances up and well, the fewest.
    pub replicas: u32,
    /// Instances there are, the mean; zero where there are always as many as the scenario says.
    pub instances: f64,
    /// More came than could be served.
    pub saturated: bool,
}

impl Series {
    /// Starts with nothing.
    #[must_use]
    pub fn new(scenario: &Arc<Scenario>) -> Self {
        let names = scenario.services.keys().cloned().collect();
        let metrics: Vec<MetricName> = scenario.metrics.keys().copied().collect();
        let shown = vec![None; metrics.len()];
        let policies = scenario.policies.values().filter_map(Policy::horizontal);
        let stale_after = policies.map(|policy| policy.stale_after).max().unwrap_or(Span::from_mins(2));
        Self { names, metrics, points: Vec::new(), merged: 1, filled: 0, shown, stale_after }
    }

    /// Takes note of what the engine is shown.
    pub fn see(&mut self, at: Instant, observation: &Observation) {
        self.shown.fill(None);
        for (name, value) in observation.fresh_metrics(at, self.stale_after) {
            if let Some(place) = self.metrics.iter().position(|known| *known == name) {
                self.shown[place] = Some(value.number() as f64 / 1e3);
            }
        }
    }

    /// Takes the next sample.
    pub fn take(&mut self, sample: &Sample) {
        let point = Point { metrics: self.shown.clone(), ..Point::of(sample) };
        if let Some(last) = self.points.last_mut()
            && self.filled < self.merged
        {
            last.merge(&point);
            self.filled += 1;
            return;
        }
        if self.points.len() == POINTS_MAX {
            self.halve();
        }
        self.points.push(point);
        self.filled = 1;
    }

    /// Merges neighbours, two by two.
    fn halve(&mut self) {
        let halved = self.points.chunks(2).filter_map(merged).collect();
        self.points = halved;
        self.merged *= 2;
    }

    /// At most so many points, neighbours merged.
    #[must_use]
    pub fn coarse(&self, most: usize) -> Vec<Point> {
        let each = self.points.len().div_ceil(most.max(1)).max(1);
        self.points.chunks(each).filter_map(merged).collect()
    }

    /// The whole time in seconds.
    #[must_use]
    pub fn end(&self) -> f64 {
        self.points.last().map_or(0.0, |point| point.to)
    }
}

impl Point {
    fn of(sample: &Sample) -> Self {
        let HostSample { cpu, memory, iowait, disk, temperature, clock, steal, network } = sample.host;
        let secs = |at: Instant| at.since_start().as_secs();
        Self {
            from: secs(sample.at.minus(sample.span)),
            to: secs(sample.at),
            host_cpu: cpu.as_cores(),
            host_memory: memory.get() as f64,
            iowait: iowait.as_fraction(),
            disk: disk.as_fraction(),
            network: network.as_fraction(),
            temperature: temperature.map(Temperature::as_celsius),
            clock: clock.map(Permille::as_fraction),
            steal: steal.map(Permille::as_fraction),
            services: sample.services.iter().map(ServicePoint::of).collect(),
            metrics: Vec::new(),
        }
    }

    fn merge(&mut self, next: &Self) {
        let (mine, theirs) = (self.to - self.from, next.to - next.from);
        let mean = |a: f64, b: f64| (a * mine + b * theirs) / (mine + theirs);
        self.host_cpu = mean(self.host_cpu, next.host_cpu);
        self.host_memory = self.host_memory.max(next.host_memory);
        self.iowait = mean(self.iowait, next.iowait);
        self.disk = mean(self.disk, next.disk);
        self.network = mean(self.network, next.network);
        self.temperature = either(self.temperature, next.temperature, f64::max);
        self.clock = either(self.clock, next.clock, f64::min);
        self.steal = either(self.steal, next.steal, mean);
        for (metric, other) in self.metrics.iter_mut().zip(&next.metrics) {
            *metric = either(*metric, *other, mean);
        }
        for (service, other) in self.services.iter_mut().zip(&next.services) {
            service.cpu = mean(service.cpu, other.cpu);
            service.throttled = service.throttled.max(other.throttled);
            service.memory = service.memory.max(other.memory);
            service.limits = other.limits;
            service.latency = worse(service.latency, other.latency);
            service.requests += other.requests;
            service.errors += other.errors;
            service.replicas = service.replicas.min(other.replicas);
            service.instances = mean(service.instances, other.instances);
            service.saturated |= other.saturated;
        }
        self.to = next.to;
    }
}

/// Neighbours as one point.
fn merged(points: &[Point]) -> Option<Point> {
    let (first, rest) = points.split_first()?;
    let mut point = first.clone();
    rest.iter().for_each(|next| point.merge(next));
    Some(point)
}

impl ServicePoint {
    fn of(service: &ServiceSample) -> Self {
        let time = |percent| service.latency.quantile(percent, 100).map(|time| time.nanos() as f64 / 1e6);
        Self {
            cpu: service.cpu.as_cores(),
            throttled: service.throttled.as_fraction(),
            memory: service.memory.get() as f64,
            limits: service.limits,
            latency: time(50).zip(time(95)).zip(time(99)).map(|((p50, p95), p99)| [p50, p95, p99]),
            requests: (service.served + service.failed) as f64 / 1000.0,
            errors: service.failed as f64 / 1000.0,
            replicas: service.replicas,
            instances: service.instances as f64 / 1000.0,
            saturated: service.saturated,
        }
    }
}

/// Both together where there are both, else the one that is there.
fn either(one: Option<f64>, other: Option<f64>, both: impl FnOnce(f64, f64) -> f64) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(both(one, other)),
        (one, other) => one.or(other),
    }
}

fn worse(one: Option<[f64; 3]>, other: Option<[f64; 3]>) -> Option<[f64; 3]> {
    match (one, other) {
        (Some(a), Some(b)) => Some([a[0].max(b[0]), a[1].max(b[1]), a[2].max(b[2])]),
        (one, other) => one.or(other),
    }
}
