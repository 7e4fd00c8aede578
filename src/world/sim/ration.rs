//! How many requests the CPU granted to an instance is enough for. Before you change it:
//! 1. What is granted limits what comes out from the next step on. On a full host that may chase its own tail: who is cut
//!    short calls others less, who so leave it more, so it calls them more. See `swing`: it comes to rest whatever the
//!    called work for each second that the caller works, within 30 steps for a thousandth as for a thousand seconds.
//! 2. While nothing swings, the part is the whole, and a ration is just what was granted, or a quarter or four times of the
//!    last where that is farther. It never falls so low that it would take long to come back.

use super::swing::STILL;
use super::swing::Swing;

/// No step goes beyond so many times the ration, nor below so small a part of it.
const FARTHEST: f64 = 4.0;
/// Smallest part of what is wanted.
const LEAST_RATION: f64 = 1e-6;

/// Requests per second and instance that the granted CPU is enough for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ration {
    /// Infinite where it gets all it wants.
    pub(super) rate: f64,
    swing: Swing,
}

impl Ration {
    pub(super) const ALL: Self = Self { rate: f64::INFINITY, swing: Swing::NONE };

    /// Takes over what was granted: enough for so many requests of so many wanted, infinite for all.
    pub(super) fn follow(&mut self, wanted: f64, found: f64) {
        if self.rate.min(found) >= wanted * (1.0 - STILL) {
            *self = Self { rate: f64::INFINITY, swing: self.swing.rest() };
            return;
        }
        let now = self.rate.clamp(wanted * LEAST_RATION, wanted);
        let whole = found.min(wanted);
        let part = self.swing.part(now, whole);
        let near = whole.clamp(now / FARTHEST, now * FARTHEST);
        self.rate = if part < 1.0 {
            now * libm::pow(near / now, part)
        } else if near < found && near.to_bits() == wanted.to_bits() {
            f64::INFINITY
        } else {
            near
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A caller of which each request makes others work `ratio` times as long as itself, on a core they have to themselves:
    /// what is left of the core after the called is the caller's, one step late.
    #[test]
    fn a_caller_and_the_called_find_their_balance() {
        for ratio in [1e-3, 0.5, 1.0, 3.0, 19.0, 100.0, 900.0] {
            let mut ration = Ration::ALL;
            let mut steps = 0;
            let balance = 1.0 / (1.0 + ratio);
            while (ration.rate.min(2.0) - balance).abs() > 1e-6 * balance {
                let left = (1.0 - ration.rate.min(2.0) * ratio).max(0.0);
                ration.follow(2.0, left);
                steps += 1;
                assert!(steps < 30, "{} instead of {balance} with a ratio of {ratio}", ration.rate);
            }
        }
    }

    /// A neighbour takes all there is for five minutes.
    #[test]
    fn who_starved_is_soon_served_again() {
        let mut ration = Ration::ALL;
        (0..300).for_each(|_| ration.follow(100.0, 0.0));
        assert!(ration.rate < 1e-3, "{}", ration.rate);
        (0..15).for_each(|_| ration.follow(100.0, f64::INFINITY));
        assert_eq!(ration.rate.to_bits(), f64::INFINITY.to_bits());
    }

    #[test]
    fn what_does_not_swing_is_taken_as_it_is() {
        let mut ration = Ration::ALL;
        for (wanted, found) in [(8.0, f64::INFINITY), (8.0, 5.0), (9.0, 4.0), (9.0, 4.0), (9.0, 2.5)] {
            ration.follow(wanted, found);
            assert_eq!(ration.rate.to_bits(), f64::to_bits(found));
        }
        // The others leave: after some steps it has all it wants.
        for _ in 0..4 {
            ration.follow(9.0, f64::INFINITY);
        }
        assert_eq!(ration.rate.to_bits(), f64::INFINITY.to_bits());
    }
}
