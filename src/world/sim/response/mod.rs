//! How long requests take at one instance, by its load: the stationary answer of queueing theory.
//!
//! Before you change it:
//! 1. Without a quota the means are closed forms (`queueing.rs`); nothing there is fitted.
//! 2. A quota is not a slower core: the curve lies between that of the bare cores and that of a core as slow as the
//!    quota; how far between is what the oracle found.
//! 3. `load_for` is the inverse of `at(..).in_system`, and `at` grows with the load: the carried backlog relies on it.

pub mod curve;
pub mod shape;

use crate::model::Spread;
use crate::units::Millicores;
use crate::units::Span;
use crate::world::sim::queueing;
use curve::Between;
use curve::Curve;
use curve::Warp;

/// An instance as its requests see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Station {
    /// Cores it may run on at once.
    pub cores: u32,
    /// CPU quota, refilled every 100 ms; `None` where it has none.
    pub quota: Option<Millicores>,
    /// Requests worked on at once; `None` is without limit (they share the processor).
    pub workers: Option<u32>,
    /// Mean CPU time of a request on one of the cores.
    pub work: Span,
    /// How it varies.
    pub spread: Spread,
}

impl Station {
    /// Cores that requests can use at once: as many as there are, or as there are workers.
    #[must_use]
    pub fn servers(&self) -> u32 {
        self.cores.min(self.workers.unwrap_or(u32::MAX)).max(1)
    }

    /// The quota in cores, where it binds: it is below what requests can use at once.
    #[must_use]
    pub fn binding_quota(&self) -> Option<f64> {
        self.quota.map(Millicores::as_cores).filter(|quota| *quota < f64::from(self.servers())).map(|q| q.max(1e-3))
    }
}

/// One point of the response curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Mean response time in seconds.
    pub mean: f64,
    /// Mean number of requests in the station.
    pub in_system: f64,
    /// Share of quota periods that end throttled.
    pub throttled: f64,
}

/// The response curve of a station.
#[derive(Debug, Clone)]
pub struct Response {
    station: Station,
    /// Cores' worth of work per second at saturation.
    power: f64,
    work: f64,
    curve: Curve,
}

/// Length of a quota period in seconds: what Docker sets.
pub const PERIOD: f64 = 0.1;

impl Response {
    /// The curve of a station.
    #[must_use]
    pub fn of(station: &Station) -> Self {
        let servers = station.servers();
        let work = station.work.as_secs().max(1e-9);
        let station = *station;
        let scaled = move |load: f64| match station.workers {
            None => queueing::shared_scaled(f64::from(servers), load),
            Some(workers) => queueing::limited_scaled(station.cores.max(1), workers.max(1), station.spread, load),
        };
        let Some(quota) = station.binding_quota() else {
            let curve = Curve::new(Warp::new(4.0), Between::Smooth, scaled);
            return Self { station, power: f64::from(servers), work, curve };
        };
        let variation = queueing::variation(station.spread);
        let bend = libm::sqrt(work * (1.0 + variation) / (2.0 * quota * PERIOD));
        let curve = Curve::new(Warp::new((2.0 * bend).min(2.0)), Between::Measured, |load| {
            let bare = (1.0 - load) * queueing::slowdown(f64::from(servers), load * quota / f64::from(servers));
            let slow = queueing::shared_scaled(quota, load);
            bare + libm::exp(-(1.0 - load) / bend) * (slow - bare)
        });
        Self { station, power: quota, work, curve }
    }

    /// Requests per second at which the station saturates.
    #[must_use]
    pub fn capacity(&self) -> f64 {
        self.power / self.work
    }

    /// The point at a load: arrivals per second over `capacity`, from 0 up to, not including, 1. Above
    /// [`queueing::LOAD_MAX`] it answers as if at it.
    #[must_use]
    pub fn at(&self, load: f64) -> Point {
        let ratio = self.curve.at(load);
        let load = load.clamp(0.0, queueing::LOAD_MAX);
        let throttled = if self.power < f64::from(self.station.servers()) { load } else { 0.0 };
        Point { mean: self.work * ratio, in_system: load * self.power * ratio, throttled }
    }

    /// The load at which so many requests are in the station on average: the inverse of `at(..).in_system`.
    #[must_use]
    pub fn load_for(&self, in_system: f64) -> f64 {
        self.curve.load_for(in_system / self.power)
    }

    /// The distribution of response times at a load, as shares of one that add up to one, by bucket of `Latencies`;
    /// the first entry is for bucket `first`.
    #[must_use]
    pub fn shape(&self, load: f64) -> (usize, Vec<f64>) {
        let mean = self.at(load).mean;
        shape::shares(&shape::PROBABILITIES.map(|probability| -libm::log(1.0 - probability) * mean))
    }

    /// The distribution of response times around a mean in seconds where a carried backlog decides: workers take
    /// requests in order, so all wait about the same; without workers a request takes in proportion to its own work.
    #[must_use]
    pub fn overload_shape(&self, mean: f64) -> (usize, Vec<f64>) {
        match self.station.workers {
            Some(_) if mean > self.work => shape::spread_shares(self.station.spread, self.work, mean - self.work),
            _ => shape::spread_shares(self.station.spread, mean, 0.0),
        }
    }
}
