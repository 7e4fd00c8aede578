//! An instance that gets its share of the requests from a balancer that looks at more than nothing. Before you change it:
//! 1. Without a balancer an instance waits as one alone (`self`), at best as if all instances were one large one
//!    (`pooled`). What it waits lies between, by the logarithm: how far ([`Evenness::towards_pooled`]).
//! 2. In turn, `n` instances each see every `n`th request, so that times between arrivals vary by `1 / n`. Near saturation
//!    waits are in proportion to what arrivals and work vary by together (Kingman 1961); there it is exact.
//! 3. To the fewest: near saturation that is as good as one queue (state space collapse: Foschini and Salz 1978), and
//!    processor sharing does not care for the spread (Gupta, Harchol-Balter, Sigman and Whitt 2007). How far it falls
//!    short below was found with a simulation of exponential work.
//! 4. The form of the times is that of the instance alone at the load at which its mean is the same. For one worker and
//!    exponential work in turn (E/M/1) that is exact.

use super::Response;
use super::Station;
use super::curve::Between;
use super::curve::Curve;
use super::near::Shapes;
use crate::model::Balance;
use crate::units::Millicores;
use crate::world::sim::queueing::LOAD_MAX;
use std::sync::Arc;

/// How far least connections falls short of one queue on one core, where hardly anything comes.
const SHORT: f64 = 0.28;
/// Mean waits below this share of the work are none.
const NOTHING: f64 = 1e-12;

/// How evenly requests come to each of several equal instances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::world::sim) struct Evenness {
    /// What the balancer looks at.
    pub(in crate::world::sim) balance: Balance,
    /// Instances among which it chooses.
    pub(in crate::world::sim) instances: u32,
    /// Instances that the large one stands for.
    pub(in crate::world::sim) pooled: u32,
    /// Of what it sees of an instance, how much says something about the wait there, from 0 to 1.
    pub(in crate::world::sim) sight: f64,
    /// Squared coefficient of variation of the time that a request is served.
    pub(in crate::world::sim) variation: f64,
}

/// In turn, many instances as one wait for nothing any more, while each still waits for what its own work varies by: so many
/// as one are where the way between is straight.
const TURNS: u32 = 6;

/// How many of so many instances are to be seen as one large one; work varies by `variation`.
pub(in crate::world::sim) fn pooled(balance: Balance, instances: u32, variation: f64) -> u32 {
    if balance == Balance::RoundRobin && variation > 0.0 { instances.min(TURNS) } else { instances }
}

impl Evenness {
    /// How far the wait at a load lies from that of an instance alone, 0, to that of all as one, 1; `cores` is what one
    /// instance can use at once.
    pub(in crate::world::sim) fn towards_pooled(self, load: f64, cores: f64) -> f64 {
        match self.balance {
            Balance::Random => 0.0,
            Balance::RoundRobin => self.in_turn(),
            Balance::LeastConnections => {
                let short = SHORT * (1.0 - load * load * load) / libm::sqrt(cores);
                self.sight * self.in_turn().max(1.0 - short)
            }
        }
    }

    fn in_turn(self) -> f64 {
        let (instances, work) = (f64::from(self.instances), self.variation);
        libm::log((1.0 + work) / (1.0 / instances + work)) / libm::log(f64::from(self.pooled))
    }
}

impl Station {
    /// So many instances as one large one.
    pub(in crate::world::sim) fn pooled(&self, instances: u32) -> Self {
        Self {
            cores: self.cores.saturating_mul(instances),
            quota: self.quota.map(|quota| Millicores::new(quota.get().saturating_mul(u64::from(instances)))),
            workers: self.workers.map(|workers| workers.saturating_mul(instances)),
            ..*self
        }
    }
}

impl Response {
    /// The curve of one of several instances that get their requests so evenly; `pooled` is that of all as one.
    #[must_use]
    pub(in crate::world::sim) fn balanced(self: &Arc<Self>, pooled: &Self, evenness: Evenness) -> Self {
        let cores = self.power.max(NOTHING);
        let shortest = [self, pooled].map(|response| response.at(0.0).mean);
        let curve = Curve::new(self.curve.warp(), Between::Measured, |load| {
            let load = load.min(LOAD_MAX);
            let (alone, all) = (self.at(load), pooled.at(load));
            let part = evenness.towards_pooled(load, cores);
            let waits = [alone.mean - shortest[0], all.mean - shortest[1]].map(|wait| (wait / self.work).max(NOTHING));
            let wait = waits[0] * libm::pow(waits[1] / waits[0], part).min(1.0);
            let throttled = alone.throttled + part * (all.throttled - alone.throttled).min(0.0);
            ((1.0 - load) * (shortest[0] / self.work + wait), throttled)
        });
        let (station, power, work) = (self.station, self.power, self.work);
        Self { station, power, work, curve, shapes: Shapes::none(), form: None, alone: Some(Arc::clone(self)) }
    }

    /// The load at which an instance without a balancer has the same mean as this one has at a load; that load itself
    /// where there is no balancer.
    pub(super) fn load_alone(&self, load: f64) -> f64 {
        let Some(alone) = &self.alone else { return load };
        let mean = self.at(load).mean;
        load_where(load, |load| alone.at(load).mean < mean)
    }

    /// The load at which this instance has the same mean as one without a balancer has at a load.
    pub(in crate::world::sim) fn load_as_alone(&self, load: f64) -> f64 {
        let Some(alone) = &self.alone else { return load };
        let mean = alone.at(load).mean;
        load_where(LOAD_MAX, |load| self.at(load).mean < mean)
    }

    /// What the balancer leaves of the wait at a load.
    pub(in crate::world::sim) fn wait_left(&self, load: f64) -> f64 {
        let Some(alone) = &self.alone else { return 1.0 };
        let wait = |response: &Self| response.at(load).mean - response.at(0.0).mean;
        let all = wait(alone);
        if all > NOTHING * self.work { (wait(self) / all).clamp(0.0, 1.0) } else { 1.0 }
    }
}

/// The load up to `most` up to which something is so, by halving.
fn load_where(most: f64, is_below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, most);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if is_below(middle) { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Spread;
    use crate::units::Span;
    use crate::world::sim::queueing;
    use proptest::prelude::*;

    /// One of so many instances of exponential work of a second.
    fn one_of(station: &Station, balance: Balance, instances: u32) -> Response {
        let variation = queueing::variation(station.spread);
        let pooled = pooled(balance, instances, variation);
        let large = Response::of(&station.pooled(pooled));
        Arc::new(Response::of(station)).balanced(&large, Evenness { balance, instances, pooled, sight: 1.0, variation })
    }

    fn core() -> Station {
        let work = Span::from_secs(1);
        Station { cores: 1, quota: None, workers: Some(1), work, spread: Spread::Exponential, spins: Millicores::ZERO }
    }

    /// E/M/1: `1 / (1 − σ)` with the root `σ = A*(1 − σ)` (Kendall 1953).
    #[test]
    fn in_turn_is_near_the_closed_form() {
        for instances in [2, 3, 6, 20] {
            let response = one_of(&core(), Balance::RoundRobin, instances);
            for load in [0.2, 0.5, 0.8, 0.9, 0.97] {
                let count = f64::from(instances);
                let stages = |root: f64| libm::pow(load * count / (load * count + 1.0 - root), count);
                let exact = 1.0 / (1.0 - (0..2000).fold(0.0, |root, _| stages(root)));
                let found = response.at(load).mean;
                assert!((found / exact - 1.0).abs() < 0.05, "{instances} at {load}: {found} for {exact}");
            }
        }
    }

    /// Near saturation all instances together have no more to do than one large one, and in turn each waits for half of what
    /// it waits for at random as there are more and more of them.
    #[test]
    fn near_saturation_it_is_what_heavy_traffic_says() {
        let wait = |response: &Response| response.at(0.9999).mean - 1.0;
        let alone = wait(&Response::of(&core()));
        for instances in [2_u32, 5] {
            let count = f64::from(instances);
            let turn = wait(&one_of(&core(), Balance::RoundRobin, instances)) / alone;
            // The grid of the curve itself is some per cent off so near to its end.
            let fewest = wait(&one_of(&core(), Balance::LeastConnections, instances)) / alone;
            assert!((turn / ((1.0 + 1.0 / count) / 2.0) - 1.0).abs() < 0.03, "{turn}");
            assert!((fewest * count - 1.0).abs() < 0.06, "{fewest}");
        }
    }

    proptest! {
        /// Whatever the instances are, no balancer makes them slower, looking helps more than taking turns, and one instance
        /// is one alone. Loads are found again from the number inside.
        #[test]
        fn looking_is_never_worse(
            cores in 1_u32..9, quota in prop::option::of(100_u64..4000), workers in prop::option::of(1_u32..20),
            work in 1_u64..200, load in 0.01..0.99_f64, instances in 2_u32..12,
            spread in proptest::sample::select(vec![Spread::Constant, Spread::Exponential, Spread::Heavy]),
        ) {
            let quota = quota.map(Millicores::new);
            let station = Station { cores, quota, workers, work: Span::from_millis(work), spread, spins: Millicores::ZERO };
            let alone = Response::of(&station);
            let turn = one_of(&station, Balance::RoundRobin, instances);
            let fewest = one_of(&station, Balance::LeastConnections, instances);
            let means = [&alone, &turn, &fewest].map(|response| response.at(load).mean);
            prop_assert!(means[1] <= means[0] * 1.001 && means[2] <= means[1] * 1.001, "{means:?}");
            for response in [&turn, &fewest] {
                let point = response.at(load);
                prop_assert!((response.load_for(point.in_system) - load).abs() < 1e-6);
                prop_assert!(response.load_alone(load) <= load * (1.0 + 1e-9));
                let (_, shares) = response.shape_near(load.min(0.97), point.mean);
                prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            }
        }
    }
}
