//! Draws from a stream of random bits, the same on every machine.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

/// A whole number below `count`, of 64 random bits.
pub(super) fn below(count: u64, stream: &mut Pcg64) -> u64 {
    let wide = u128::from(stream.next_u64()) * u128::from(count);
    u64::try_from(wide >> 64).unwrap_or(0)
}

pub(super) fn place_below(count: usize, stream: &mut Pcg64) -> usize {
    usize::try_from(below(count as u64, stream)).unwrap_or(0)
}

/// The numbers below `count` in an order of chance (Fisher and Yates).
pub(super) fn shuffled(count: usize, stream: &mut Pcg64) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        places.swap(last, place_below(last + 1, stream));
    }
    places
}

/// A number from 0 up to 1, without 1, of 53 random bits.
pub(super) fn share(stream: &mut Pcg64) -> f64 {
    const PARTS: f64 = (1_u64 << 53) as f64;
    (stream.next_u64() >> 11) as f64 / PARTS
}
