//! Distributions of response times at any load, mixed from those at a few. Before you change it:
//! 1. Making a distribution costs a hundred times as much as mixing two, so it is made at a row of loads only, when first
//!    asked for: neighbours differ by 8 % of what is free.
//! 2. Workers who wait for calls are as fast as these let them, which is found anew whenever times change; the form of their
//!    times is taken from that of their cores.
//! 3. What is mixed is stretched to the wanted mean first, so that only the form lies between that of its neighbours.

use super::Response;
use crate::model::Latencies;
use crate::units;
use crate::world::sim::requests::LOAD_STATIONARY;
use std::sync::OnceLock;

/// Distributions that are made in one unit of `−ln(1 − load)`.
const PER_UNIT: f64 = 12.5;
/// Distributions up to [`LOAD_STATIONARY`], above which none is asked for.
const COUNT: usize = 51;
/// Weights below this are none.
const NOTHING: f64 = 1e-9;

/// Shares by bucket, the first of which has this number.
type Shares = (usize, Vec<f64>);

/// What was made so far, by the place of the load.
#[derive(Debug, Clone)]
pub(super) struct Shapes(Vec<OnceLock<Shares>>);

impl Shapes {
    pub(super) fn new() -> Self {
        Self(vec![OnceLock::new(); COUNT])
    }

    /// Of a response that takes its distributions from another one.
    pub(super) const fn none() -> Self {
        Self(Vec::new())
    }
}

impl Response {
    /// The distribution of response times at a load up to [`LOAD_STATIONARY`], stretched to a mean in seconds.
    pub(in crate::world::sim) fn shape_near(&self, load: f64, mean: f64) -> Shares {
        if let Some(alone) = &self.alone {
            return alone.shape_near(self.load_alone(load), mean);
        }
        let place = (-libm::log(1.0 - load.clamp(0.0, LOAD_STATIONARY)) * PER_UNIT).min((COUNT - 1) as f64);
        let (below, part) = (place.floor(), place - place.floor());
        let sides = [(below, 1.0 - part), (below + 1.0, part)].into_iter().filter(|side| side.1 > NOTHING);
        let form = self.form.as_deref().unwrap_or(self);
        let mut mixed: Vec<(f64, f64, &Shares)> = Vec::with_capacity(2);
        for (place, weight) in sides {
            let load = 1.0 - libm::exp(-place / PER_UNIT);
            let Some(kept) = form.shapes.0.get(units::place(place)) else { continue };
            let shares = kept.get_or_init(|| form.shape(load));
            let moved = libm::log2(mean / form.at(load).mean) * Latencies::PER_DOUBLING;
            mixed.push((weight, shares.0 as f64 + moved, shares));
        }
        let first = mixed.iter().map(|side| side.1.floor()).fold(f64::INFINITY, f64::min).max(0.0);
        let length = |side: &(f64, f64, &Shares)| side.2.1.len() + units::place(side.1 - first) + 2;
        let mut shares = vec![0.0; mixed.iter().map(length).max().unwrap_or(1)];
        for (weight, start, (_, from)) in mixed {
            // What would lie below the shortest time there is counts as that.
            let cut = units::place((first - start).ceil()).min(from.len() - 1);
            shares[0] += weight * from[..cut].iter().sum::<f64>();
            let start = (start - first + cut as f64).max(0.0);
            let (place, part) = (units::place(start), start - start.floor());
            for (to, share) in shares[place..].iter_mut().zip(&from[cut..]) {
                *to += weight * (1.0 - part) * share;
            }
            for (to, share) in shares[place + 1..].iter_mut().zip(&from[cut..]) {
                *to += weight * part * share;
            }
        }
        (units::place(first), shares)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Spread;
    use crate::units::Millicores;
    use crate::units::Span;
    use crate::world::sim::response::Station;
    use proptest::prelude::*;

    fn quantile((first, shares): &Shares, part: f64) -> f64 {
        let (mut below, mut place) = (0.0, *first);
        for share in shares {
            if below + share >= part {
                let inside = (part - below) / share.max(1e-12);
                return libm::exp2((place as f64 + inside) / Latencies::PER_DOUBLING);
            }
            below += share;
            place += 1;
        }
        f64::INFINITY
    }

    proptest! {
        /// Between two loads at which distributions are made, percentiles are within half a bucket of those of the one that
        /// would be made there, or of a percentile that is 0.4 % of the requests away, at its mean and at others.
        #[test]
        fn a_mixed_distribution_is_the_one_that_would_be_made(
            cores in 1_u32..9, quota in prop::option::of(100_u64..4000), workers in prop::option::of(1_u32..20),
            work in 1_u64..200, load in 0.01..0.979_f64, longer in 0.3..3.0_f64,
            spread in proptest::sample::select(vec![Spread::Exponential, Spread::Heavy]),
        ) {
            let quota = quota.map(Millicores::new);
            let station = Station { cores, quota, workers, work: Span::from_millis(work), spread, spins: Millicores::ZERO };
            let response = Response::of(&station);
            let made = response.shape(load);
            let mixed = response.shape_near(load, response.at(load).mean * longer);
            prop_assert!((mixed.1.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            for part in [0.5, 0.9, 0.95, 0.99] {
                let found = quantile(&mixed, part) / longer;
                let (low, high) = (quantile(&made, part - 0.004) / 1.022, quantile(&made, part + 0.004) * 1.022);
                prop_assert!((low..=high).contains(&found), "p{part}: {found}, not from {low} to {high}");
            }
        }
    }

    /// What would be below the first bucket counts there, and nothing is lost.
    #[test]
    fn a_distribution_at_the_lower_end_is_whole() {
        let station = Station {
            cores: 1,
            quota: None,
            workers: None,
            work: Span::from_millis(1),
            spread: Spread::Heavy,
            spins: Millicores::ZERO,
        };
        let (first, shares) = Response::of(&station).shape_near(0.5, 2e-6);
        assert!(first == 0 && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{first}: {shares:?}");
    }
}
