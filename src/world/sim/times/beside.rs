//! How the wait for cores on which others work scatters the times of a request. Before you change it:
//! 1. A request that waits for a worker or for its quota as well has its own distribution of that, which knows of nobody
//!    else. While others are on the cores, each of its parts takes longer by the same factor.
//! 2. How many others are there changes more slowly than a short request is done, so the factor is that which meets
//!    requests of the same work when all share the cores: the table of processor sharing, at the load with this mean.
//! 3. Buckets are a fixed ratio apart, so a product of two times is a sum of two places.

use super::PER_DOUBLING;
use super::Times;
use crate::model::Spread;
use crate::units;
use crate::units::Millicores;
use crate::units::Span;
use crate::world::sim::queueing::LOAD_MAX;
use crate::world::sim::requests::LOAD_STATIONARY;
use crate::world::sim::response::Response;
use crate::world::sim::response::Station;
use crate::world::sim::zero;
use std::collections::BTreeMap;

/// Doublings of a microsecond of the time that stands for a factor of one.
const ONE: f64 = 20.0;

/// Factors by which work on the cores of a host takes longer.
pub(super) struct Beside {
    cores: Response,
    /// By the share of the time that is waited: its distribution, as if it were one of times.
    known: BTreeMap<u8, Times>,
}

impl Beside {
    pub(super) fn on(cores: u32) -> Self {
        let work = Span::from_millis(1);
        let station = Station {
            cores: cores.max(1),
            quota: None,
            workers: None,
            work,
            spread: Spread::Constant,
            spins: Millicores::ZERO,
        };
        Self { cores: Response::of(&station), known: BTreeMap::new() }
    }

    /// The distribution of the factor where this share of the time, in parts of [`super::BESIDE`], is waited.
    pub(super) fn factor(&mut self, share: u8) -> &Times {
        let cores = &self.cores;
        self.known.entry(share).or_insert_with(|| {
            let mean = cores.at(0.0).mean / (1.0 - f64::from(share) / super::BESIDE).max(1.0 - LOAD_MAX);
            let load = zero::rising(0.0, LOAD_STATIONARY, 1e-9, |load| cores.at(load).mean - mean);
            // The middle of a bucket is above its lower end by this, and a product of two counts one of them only.
            let middle = f64::midpoint(1.0, libm::exp2(1.0 / PER_DOUBLING));
            Times::of(cores.shape_near(load, middle * libm::exp2(ONE) / 1e6)).trimmed()
        })
    }
}

impl Times {
    /// The same times, each multiplied by an independent factor.
    pub(super) fn scattered(&self, factor: &Self) -> Self {
        let mut shares = vec![0.0; self.shares.len() + factor.shares.len()];
        for (place, share) in self.shares.iter().enumerate() {
            for (to, part) in shares[place..].iter_mut().zip(&factor.shares) {
                *to += share * part;
            }
        }
        let one = units::place(ONE * PER_DOUBLING);
        let first = self.first + factor.first;
        let cut = one.saturating_sub(first).min(shares.len() - 1);
        let below: f64 = shares.drain(..cut).sum();
        shares[0] += below;
        Self::of((first.saturating_sub(one), shares)).trimmed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Latencies;

    /// Requests that are all alike and wait for half of their time on one core: that is processor sharing at a load of one
    /// half, where a request of vanishing work would find `n` others with a chance of `2⁻ⁿ⁻¹`.
    #[test]
    fn a_factor_scatters_times_and_keeps_their_mean() {
        let alike = Times::of((Latencies::bucket(Span::from_millis(10)), vec![1.0]));
        for (share, cores) in [(20, 1), (127, 1), (200, 1), (127, 8)] {
            let mut beside = Beside::on(cores);
            let scattered = alike.scattered(beside.factor(share));
            assert!((scattered.mean() / alike.mean() - 1.0).abs() < 5e-3, "{} of {}", scattered.mean(), alike.mean());
            let squares: f64 = scattered.middles().map(|(time, share)| time * time * share).sum();
            let variation = squares / scattered.mean() / scattered.mean() - 1.0;
            // Of vanishing work it is the load; the longer the work, the more of the others come and go meanwhile.
            let load = f64::from(share) / super::super::BESIDE;
            assert!(variation > 0.3 * load && variation < load, "{variation} with {share} on {cores} cores");
        }
    }
}
