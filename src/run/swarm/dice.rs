//! Numbers drawn from a named stream of the seed.

use crate::seed::Seed;
use crate::units::Span;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

/// Draws numbers.
pub(super) struct Dice(Pcg64);

impl Dice {
    /// Those of a seed, in a stream of this name.
    pub(super) fn new(seed: u64, stream: &str) -> Self {
        Self(Seed::new(seed).stream(stream))
    }

    /// A whole number from `low` up to and including `high`.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(high - low + 1);
        low + u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// As [`Self::between`], for what is small.
    pub(super) fn few(&mut self, low: u32, high: u32) -> u32 {
        u32::try_from(self.between(u64::from(low), u64::from(high))).unwrap_or(low)
    }

    /// True in so many of a hundred cases.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.between(1, 100) <= percent
    }

    /// One of these.
    pub(super) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.place(all.len())]
    }

    /// A place in a list of this length.
    pub(super) fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.between(0, length as u64 - 1)).unwrap_or(0)
    }

    /// Whole seconds.
    pub(super) fn seconds(&mut self, low: u64, high: u64) -> Span {
        Span::from_secs(self.between(low, high))
    }
}
