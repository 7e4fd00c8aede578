//! How long requests take at one instance, by its load: the stationary answer of queueing theory.

use crate::model::Spread;
use crate::units::Millicores;
use crate::units::Span;

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
    capacity: f64,
    cores: u32,
    work: f64,
}

impl Response {
    /// The curve of a station.
    #[must_use]
    pub fn of(station: &Station) -> Self {
        let cores =
            station.quota.map_or(f64::from(station.cores), |quota| quota.as_cores().min(f64::from(station.cores)));
        let servers = station.workers.map_or(cores, |workers| cores.min(f64::from(workers)));
        Self { capacity: servers / station.work.as_secs(), cores: station.cores, work: station.work.as_secs() }
    }

    /// Requests per second at which the station saturates.
    #[must_use]
    pub const fn capacity(&self) -> f64 {
        self.capacity
    }

    /// The point at a load: arrivals per second over `capacity`, from 0 up to, not including, 1.
    #[must_use]
    pub fn at(&self, load: f64) -> Point {
        let mean = self.work * (1.0 + load / (f64::from(self.cores) * (1.0 - load)));
        Point { mean, in_system: load * self.capacity * mean, throttled: 0.0 }
    }

    /// The load at which so many requests are in the station on average: the inverse of `at(..).in_system`.
    #[must_use]
    pub fn load_for(&self, in_system: f64) -> f64 {
        in_system / (1.0 + in_system)
    }

    /// The distribution of response times at a load, as shares of one that add up to one, by bucket of `Latencies`;
    /// the first entry is for bucket `first`.
    #[must_use]
    pub fn shape(&self, _load: f64) -> (usize, Vec<f64>) {
        (0, vec![1.0])
    }
}
