//! Four forecasts mixed into one, by how right each was: ML-Poly of P. Gaillard, G. Stoltz and T. van Erven, "A
//! second-order bound with excess losses", COLT 2014 (arXiv:1402.2044), with the gradient of the absolute loss, in the
//! form of the R package opera (`R/MLpol.R`, commit 03980aa4): weight = regret / sum of squared regrets, or nothing
//! where the regret is negative. Ours differs in two points: sums fade with a half-life, because loads change; and a
//! factor, the mean of what came over the mean of what was mixed, lifts the mixture to the largest value of a window,
//! which noise puts above any mean. Before you change it:
//! 1. It has no learning rate and no unit: loads ten times as large give the same weights.
//! 2. The mixture lies between the smallest and the largest forecast before the factor, and the factor between a half
//!    and two.
//! 3. One wild outcome moves little. For the weights it counts by its sign and by how far the forecasts lay apart; for
//!    the factor it counts as at most twice and at least half of what was mixed. Without the latter, a flash crowd of
//!    an hour nearly tripled the errors of the day after it.

use super::DAY;
use super::kept;
use crate::units::Span;

/// The factor, and one outcome in it, is at most this, and at least one over it.
const FACTOR_MAX: f64 = 2.0;

/// Half-life of what the factor is made of.
const FACTOR_MEMORY: Span = DAY;

/// What four forecasts say the largest load will be.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Voices {
    /// As it is now.
    pub(super) last: f64,
    /// As it was lately.
    pub(super) lately: f64,
    /// From here as on the days before; below zero where they fell by more than there is.
    pub(super) risen: f64,
    /// As on the days before.
    pub(super) usual: f64,
}

impl Voices {
    const fn all(&self) -> [f64; 4] {
        [self.last, self.lately, self.risen, self.usual]
    }
}

/// How much each of them counts.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Mixture {
    regrets: [f64; 4],
    squares: [f64; 4],
    /// Sums that fade: what came, and what was mixed.
    came: f64,
    mixed: f64,
}

impl Mixture {
    /// One forecast from four; never negative.
    pub(super) fn mix(&self, voices: Voices) -> f64 {
        (self.plain(voices) * self.factor()).max(0.0)
    }

    /// Learns what came of four forecasts, so long after those that were learned before.
    pub(super) fn learn(&mut self, voices: Voices, came: f64, elapsed: Span, memory: Span) {
        let (mixed, factor) = (self.plain(voices), self.factor());
        let off = came - mixed * factor;
        let slope = if off > 0.0 { -1.0 } else { f64::from(off < 0.0) };
        let fade = kept(elapsed, memory);
        for (index, voice) in voices.all().into_iter().enumerate() {
            let regret = slope * (mixed - voice);
            self.regrets[index] = self.regrets[index] * fade + regret;
            self.squares[index] = self.squares[index] * fade + regret * regret;
        }
        let (mixed, fade) = (mixed.max(0.0), kept(elapsed, FACTOR_MEMORY));
        self.came = self.came * fade + came.clamp(mixed / FACTOR_MAX, mixed * FACTOR_MAX);
        self.mixed = self.mixed * fade + mixed;
    }

    fn plain(&self, voices: Voices) -> f64 {
        let (weights, voices) = (self.weights(), voices.all());
        (0..4).map(|index| weights[index] * voices[index]).sum()
    }

    fn weights(&self) -> [f64; 4] {
        let mut weights = [0.0; 4];
        for (index, weight) in weights.iter_mut().enumerate() {
            if self.regrets[index] > 0.0 && self.squares[index] > 0.0 {
                *weight = self.regrets[index] / self.squares[index];
            }
        }
        let sum: f64 = weights.iter().sum();
        if sum > 0.0 { weights.map(|weight| weight / sum) } else { [0.25; 4] }
    }

    fn factor(&self) -> f64 {
        let factor = if self.mixed > 0.0 { self.came / self.mixed } else { 1.0 };
        factor.clamp(1.0 / FACTOR_MAX, FACTOR_MAX)
    }
}
