//! How many requests the CPU granted to an instance is enough for. Before you change it:
//! 1. What is granted limits what comes out from the next step on. On a full host that may chase its own tail: who is cut
//!    short calls others less, who so leave it more, so it calls them more. The kernel finds the balance of this within
//!    milliseconds, so no step may show the chase.
//! 2. So a ration goes half the part of the way that it went last, as a power, where it turned back, and a larger one again
//!    where it goes on. It comes to rest whatever the called work for each second that the caller works: within 30 steps
//!    for a thousandth as for a thousand seconds.
//! 3. While nothing swings, the part is the whole, and a ration is just what was granted, or a quarter or four times of the
//!    last where that is farther. It never falls so low that it would take long to come back.

/// Smallest part of the way.
const LEAST_PART: f64 = 1.0 / 1024.0;
/// How much larger the part is after a step that goes on in the same direction.
const FASTER: f64 = 1.5;
/// No step goes beyond so many times the ration, nor below so small a part of it.
const FARTHEST: f64 = 4.0;
/// Smallest part of what is wanted.
const LEAST_RATION: f64 = 1e-6;
/// Share of it below which a change is rounding, and no turn.
const STILL: f64 = 1e-9;

/// Requests per second and instance that the granted CPU is enough for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ration {
    /// Infinite where it gets all it wants.
    pub(super) rate: f64,
    /// The part of the way to what was granted that one step goes.
    part: f64,
    /// How much of the ration was granted last.
    last: f64,
}

impl Ration {
    pub(super) const ALL: Self = Self { rate: f64::INFINITY, part: 1.0, last: 1.0 };

    /// Takes over what was granted: enough for so many requests of so many wanted, infinite for all.
    pub(super) fn follow(&mut self, wanted: f64, found: f64) {
        if self.rate.min(found) >= wanted * (1.0 - STILL) {
            *self = Self { rate: f64::INFINITY, part: (self.part * FASTER).min(1.0), last: 1.0 };
            return;
        }
        let now = self.rate.clamp(wanted * LEAST_RATION, wanted);
        let whole = found.min(wanted);
        if (whole - now).abs() > STILL * now {
            let turned = (whole - now) * (self.last - 1.0) < 0.0;
            self.part = if turned { (self.part / 2.0).max(LEAST_PART) } else { (self.part * FASTER).min(1.0) };
            self.last = whole / now;
        }
        let near = whole.clamp(now / FARTHEST, now * FARTHEST);
        self.rate = if self.part < 1.0 {
            now * libm::pow(near / now, self.part)
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
