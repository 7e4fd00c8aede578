//! What the oracle counts, and what becomes of it.

use super::container::Container;
use super::request::Failure;
use super::service::Service;
use crate::model::Latencies;
use crate::model::ServiceName;
use crate::units::Span;
use crate::units::whole;

/// What happened on a host during a stretch of time.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Length of the stretch in seconds.
    pub seconds: f64,
    /// Events it took.
    pub events: u64,
    /// The services in the order of their names.
    pub services: Vec<ServiceOutcome>,
}

/// What happened to one service during a stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceOutcome {
    /// Its name.
    pub name: ServiceName,
    /// Requests that arrived.
    pub arrived: u64,
    /// Requests that ended well.
    pub served: u64,
    /// Requests whose time was up.
    pub timed_out: u64,
    /// Requests that failed since a call of theirs failed.
    pub call_failed: u64,
    /// Requests that were refused since too many waited.
    pub refused: u64,
    /// Requests that failed since a breaker did not let a call of theirs through.
    pub broken: u64,
    /// Response times of those that ended well, calls to other services included.
    pub latency: Latencies,
    /// Mean number of requests in the service over time.
    pub inside: f64,
    /// Requests in the service at the end.
    pub inside_at_end: u64,
    /// CPU time that all its containers used, in cores as Docker counts them.
    pub cpu: f64,
    /// Seconds in which requests waited for the quota, all containers together.
    pub throttled: f64,
    /// Quota periods in which the quota was gone, all containers together.
    pub throttled_periods: u64,
}

impl ServiceOutcome {
    /// Mean response time in seconds of requests that ended well; not a number where there were none.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.latency.mean().map_or(f64::NAN, Span::as_secs)
    }

    /// Adds what happened in another stretch as long as this one is `share` of both.
    pub fn merge(&mut self, other: &Self, share: f64) {
        self.arrived += other.arrived;
        self.served += other.served;
        self.timed_out += other.timed_out;
        self.call_failed += other.call_failed;
        self.refused += other.refused;
        self.broken += other.broken;
        self.latency.merge(&other.latency);
        self.inside = self.inside * share + other.inside * (1.0 - share);
        self.inside_at_end = other.inside_at_end;
        self.cpu = self.cpu * share + other.cpu * (1.0 - share);
        self.throttled += other.throttled;
        self.throttled_periods += other.throttled_periods;
    }
}

/// Counters of the stretch that is under way.
#[derive(Debug, Default)]
pub(super) struct Tally {
    arrived: u64,
    served: u64,
    timed_out: u64,
    call_failed: u64,
    refused: u64,
    broken: u64,
    latency: Latencies,
    inside: u64,
    /// Request-seconds up to `counted_to`.
    request_seconds: f64,
    counted_to: f64,
}

impl Tally {
    fn count_to(&mut self, now: f64) {
        self.request_seconds += self.inside as f64 * (now - self.counted_to);
        self.counted_to = now;
    }

    pub(super) fn arrive(&mut self, now: f64) {
        self.count_to(now);
        self.arrived += 1;
        self.inside += 1;
    }

    pub(super) fn end(&mut self, now: f64, arrived: f64, failure: Option<Failure>) {
        self.count_to(now);
        self.inside -= 1;
        match failure {
            None => {
                self.served += 1;
                self.latency.add(Span::from_nanos(whole((now - arrived) * 1e9)), 1000);
            }
            Some(Failure::TimedOut) => self.timed_out += 1,
            Some(Failure::Call) => self.call_failed += 1,
            Some(Failure::Refused) => self.refused += 1,
            Some(Failure::Breaker) => self.broken += 1,
        }
    }
}

/// What happened to a service in the last `seconds`; counting begins anew.
pub(super) fn of(service: &mut Service, containers: &mut [Container], now: f64, seconds: f64) -> ServiceOutcome {
    service.tally.count_to(now);
    let inside = service.tally.inside;
    let begun = Tally { inside, counted_to: now, ..Tally::default() };
    let tally = std::mem::replace(&mut service.tally, begun);
    let (mut cpu, mut throttled, mut throttled_periods) = (0.0, 0.0, 0);
    for container in containers.iter_mut() {
        cpu += std::mem::take(&mut container.cpu) + service.idle * seconds;
        throttled += std::mem::take(&mut container.throttled);
        throttled_periods += std::mem::take(&mut container.throttled_periods);
    }
    ServiceOutcome {
        name: service.name.clone(),
        arrived: tally.arrived,
        served: tally.served,
        timed_out: tally.timed_out,
        call_failed: tally.call_failed,
        refused: tally.refused,
        broken: tally.broken,
        latency: tally.latency,
        inside: tally.request_seconds / seconds,
        inside_at_end: inside,
        cpu: cpu / seconds,
        throttled,
        throttled_periods,
    }
}
