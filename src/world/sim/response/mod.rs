//! How long requests take at one instance, by its load: the stationary answer of queueing theory.
//!
//! Before you change it:
//! 1. Without a quota the means are closed forms (`queueing.rs`); nothing there is fitted.
//! 2. A quota is not a slower core: the curve lies between that of the bare cores and that of a core as slow as the
//!    quota; how far between is what the oracle found.
//! 3. `load_for` is the inverse of `at(..).in_system`, and `at` grows with the load: the carried backlog relies on it.

mod balance;
pub mod curve;
mod near;
pub mod shape;
mod spun;
pub mod table;

use crate::model::Spread;
use crate::units::Millicores;
use crate::units::Span;
use crate::world::sim::queueing;
pub(in crate::world::sim) use balance::Evenness;
pub(in crate::world::sim) use balance::pooled;
use curve::Between;
use curve::Curve;
use curve::Warp;
use near::Shapes;
use spun::Spun;
use std::sync::Arc;
use table::FreePlace;
use table::Order;
use table::QuotaPlace;

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
    /// Cores that something in it wants at all times besides the requests, no less than the quota; zero where there is
    /// nothing.
    pub spins: Millicores,
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
        let most = if self.spins == Millicores::ZERO { self.servers() } else { self.cores.max(1) };
        self.quota.map(Millicores::as_cores).filter(|quota| *quota < f64::from(most)).map(|q| q.max(1e-3))
    }

    /// Cores' worth of work per second that it can do of its requests. Who has more of them at work gets more of a quota
    /// that something else uses up.
    #[must_use]
    pub fn power(&self) -> f64 {
        let quota = self.binding_quota();
        let busy = f64::from(self.workers.unwrap_or(u32::MAX).max(1));
        match quota {
            Some(quota) if self.workers.is_some() => quota * busy / (busy + self.spins.as_cores()),
            Some(quota) => quota,
            None => f64::from(self.servers()),
        }
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
    shapes: Shapes,
    /// Whose distributions have the form of these, where that is another.
    form: Option<Arc<Self>>,
    /// The same instance without a balancer, where it has one that looks at something.
    alone: Option<Arc<Self>>,
}

/// Length of a quota period in seconds: what Docker sets.
pub const PERIOD: f64 = 0.1;

impl Response {
    /// The curve of a station.
    #[must_use]
    pub fn of(station: &Station) -> Self {
        let work = station.work.as_secs().max(1e-9);
        let servers = f64::from(station.servers());
        let Some(quota) = station.binding_quota() else {
            let curve = free_curve(station);
            return Self {
                station: *station,
                power: servers,
                work,
                curve,
                shapes: Shapes::new(),
                form: None,
                alone: None,
            };
        };
        if let Some(spun) = Spun::of(station) {
            let curve = Curve::new(FREE_WARP, Between::Measured, |load| (spun.scaled(load), 1.0));
            let shapes = Shapes::new();
            return Self { station: *station, power: station.power(), work, curve, shapes, form: None, alone: None };
        }
        let place = QuotaPlace::new(servers, quota, work, station.spread);
        let knots = place.knots();
        let curve = Curve::new(place.warp, Between::Measured, |load| {
            let (scaled, throttled) = place.read(&knots, load);
            (scaled + ordered_scaled(station, quota, load, scaled, place.first_guess(load)), throttled)
        });
        Self { station: *station, power: quota, work, curve, shapes: Shapes::new(), form: None, alone: None }
    }

    /// The curve of a service whose workers are so fast together, on these cores.
    #[must_use]
    pub(in crate::world::sim) fn behind(self: &Arc<Self>, pace: &super::gate::Pace) -> Self {
        let work = pace.alone();
        let most = pace.most();
        let curve = Curve::new(FREE_WARP, Between::Measured, |load| {
            (pace.scaled(load), self.at(load * most / self.capacity()).throttled)
        });
        Self {
            station: self.station,
            power: most * work,
            work,
            curve,
            shapes: Shapes::new(),
            form: Some(self.form.clone().unwrap_or_else(|| Arc::clone(self))),
            alone: None,
        }
    }

    /// Whether requests wait for nothing but the cores: neither for a worker nor for a quota.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.station.workers.is_none() && self.station.binding_quota().is_none()
    }

    /// Whether something else uses the quota up.
    pub(in crate::world::sim) fn is_spun(&self) -> bool {
        Spun::of(&self.station).is_some()
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
        let (ratio, throttled) = self.curve.at(load);
        let in_system = load.clamp(0.0, queueing::LOAD_MAX) * self.power * ratio;
        Point { mean: self.work * ratio, in_system, throttled }
    }

    /// The load at which so many requests are in the station on average: the inverse of `at(..).in_system`.
    #[must_use]
    pub fn load_for(&self, in_system: f64) -> f64 {
        self.curve.load_for(in_system / self.power)
    }

    /// The distribution of response times at a load, as shares of one that add up to one, by bucket of `Latencies`;
    /// the first entry is for bucket `first`. Their mean is that of `at(load)` within 1.5 % (not more exactly, since the
    /// buckets are 4.4 % wide).
    #[must_use]
    pub fn shape(&self, load: f64) -> (usize, Vec<f64>) {
        let load = load.clamp(0.0, queueing::LOAD_MAX);
        if let Some(alone) = &self.alone {
            return alone.shape(self.load_alone(load));
        }
        if let Some(spun) = Spun::of(&self.station) {
            return spun.shape(load, self.at(load).mean);
        }
        let servers = self.station.servers();
        let spread = self.station.spread;
        if let Some(quota) = self.station.binding_quota() {
            let place = QuotaPlace::new(f64::from(servers), quota, self.work, spread);
            let ([mut near, mut far], part) = place.quantiles(load);
            if let Some(workers) = self.station.workers {
                let order = ordered_quantiles(&self.station, workers.max(1), quota, load, place.first_guess(load));
                near.iter_mut().zip(&order).for_each(|(mine, order)| *mine += order);
                far.iter_mut().zip(&order).for_each(|(mine, order)| *mine += order);
            }
            let [near_mean, far_mean] = place.load_near(load).map(|load| self.at(load).mean);
            return law(&near, near_mean).mixed(law(&far, far_mean), part, self.at(load).mean);
        }
        let queued = queued_share(&self.station, load);
        if queued >= 1.0 && spread == Spread::Exponential {
            return shape::erlang_shares(servers, load, self.work);
        }
        let shared = FreePlace::new(f64::from(servers), spread, Order::Shared).quantiles(load);
        if queued <= 0.0 {
            return law(&shared, self.at(load).mean).shares();
        }
        let mut mixed = FreePlace::new(f64::from(servers), spread, Order::Queued).quantiles(load);
        mixed.iter_mut().zip(&shared).for_each(|(mine, other)| *mine = queued * *mine + (1.0 - queued) * other);
        law(&mixed, self.at(load).mean).shares()
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

    /// The share of the times of [`Self::overload_shape`] that are longer than `time` seconds.
    pub(in crate::world::sim) fn overload_beyond(&self, mean: f64, time: f64) -> f64 {
        let spread = self.station.spread;
        if spread == Spread::Constant {
            // All take the same, which is known no better than its bucket.
            let (first, shares) = self.overload_shape(mean);
            return super::requests::above(first, &shares, time);
        }
        match self.station.workers {
            Some(_) if mean > self.work => shape::beyond(spread, self.work, time - (mean - self.work)),
            _ => shape::beyond(spread, mean, time),
        }
    }
}

/// The distribution with this mean in seconds and these `ln(quantile / mean)`.
fn law(quantiles: &[f64; shape::QUANTILES], mean: f64) -> shape::Law {
    shape::Law::new(&quantiles.map(|quantile| libm::exp(quantile) * mean)).with_mean(mean)
}

/// The curve without a binding quota: exact where theory is (see [`queueing::limited_scaled`]), else with the factor
/// that the oracle found on the wait of Allen and Cunneen.
fn free_curve(station: &Station) -> Curve {
    let servers = station.servers();
    let Some(workers) = station.workers else {
        return Curve::new(FREE_WARP, Between::Smooth, |load| (queueing::shared_scaled(f64::from(servers), load), 0.0));
    };
    let formula = |load: f64| queueing::limited_scaled(station.cores.max(1), workers.max(1), station.spread, load);
    if servers == 1 || station.spread == Spread::Exponential {
        return Curve::new(FREE_WARP, Between::Smooth, |load| (formula(load), 0.0));
    }
    let place = FreePlace::new(f64::from(servers), station.spread, Order::Queued);
    Curve::new(FREE_WARP, Between::Measured, |load| {
        let factor = libm::pow(place.wait_factor(load), queued_share(station, load));
        (1.0 - load + (formula(load) - (1.0 - load)) * factor, 0.0)
    })
}

const FREE_WARP: Warp = Warp::new(4.0);

/// The chance that a request which finds the cores busy finds the workers busy, too.
fn queued_share(station: &Station, load: f64) -> f64 {
    let spare = |workers: u32| f64::from(workers.max(1) - station.servers());
    station.workers.map_or(0.0, |workers| libm::pow(load, spare(workers)))
}

/// What waiting in order of arrival adds under a quota to `scaled`, which is for requests that share. Without the quota
/// the difference is known. Of what the quota costs, those beyond the workers take Allen and Cunneen's share longer, as
/// far as a backlog outlasts the period (`slow`): a refill that all wait for knows no order.
fn ordered_scaled(station: &Station, quota: f64, load: f64, scaled: f64, slow: f64) -> f64 {
    let Some(workers) = station.workers else { return 0.0 };
    let servers = f64::from(station.servers());
    let busy = load * quota / servers;
    let shared = queueing::shared_scaled(servers, busy);
    let limited = queueing::limited_scaled(station.cores.max(1), workers.max(1), station.spread, busy);
    let free = (1.0 - load) / (1.0 - busy);
    let present = load * quota * scaled;
    let beyond = libm::pow(present / (1.0 - load + present), f64::from(workers.max(1)));
    let cost = (scaled - shared * free).max(0.0);
    (limited - shared) * free + cost * beyond * slow * (queueing::variation(station.spread) - 1.0) / 2.0
}

/// What waiting in order of arrival adds under a quota to `ln(quantile / mean)`, which is for requests that share: as on
/// the bare cores, or, as far as a backlog outlasts the period (`slow`), as on as many cores as the quota.
fn ordered_quantiles(station: &Station, workers: u32, quota: f64, load: f64, slow: f64) -> [f64; shape::QUANTILES] {
    let servers = f64::from(station.servers());
    let busy = load * quota / servers;
    let limited = quota.max(1.0);
    let parts = [
        (servers, busy, (1.0 - slow) * queued_share(station, busy)),
        (limited, load, slow * libm::pow(load, (f64::from(workers) - limited).max(0.0))),
    ];
    let mut added = [0.0; shape::QUANTILES];
    for (cores, load, weight) in parts {
        let queued = FreePlace::new(cores, station.spread, Order::Queued).quantiles(load);
        let shared = FreePlace::new(cores, station.spread, Order::Shared).quantiles(load);
        for (sum, (queued, shared)) in added.iter_mut().zip(queued.iter().zip(&shared)) {
            *sum += weight * (queued - shared);
        }
    }
    added
}
