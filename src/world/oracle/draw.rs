//! Random numbers of the oracles.

use crate::model::Spread;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

/// A number from 0 up to, not including, 1, with 53 random bits.
pub(in crate::world) fn uniform(random: &mut Pcg64) -> f64 {
    (random.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0
}

/// An exponential number of mean 1.
pub(in crate::world) fn exponential(random: &mut Pcg64) -> f64 {
    -libm::log(1.0 - uniform(random))
}

/// One of so many, each as likely as the others.
pub(super) fn one_of(count: usize, random: &mut Pcg64) -> usize {
    if count < 2 {
        return 0;
    }
    let place = (u128::from(random.next_u64()) * count as u128) >> 64;
    usize::try_from(place).unwrap_or(0)
}

/// The work of one request with this mean.
pub(in crate::world) fn work(mean: f64, spread: Spread, random: &mut Pcg64) -> f64 {
    match spread {
        Spread::Constant => mean,
        Spread::Exponential => exponential(random) * mean,
        Spread::Heavy => {
            let scale = if uniform(random) < 0.9 { 0.5 } else { 5.5 };
            exponential(random) * scale * mean
        }
    }
}
