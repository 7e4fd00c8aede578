//! The multiples that are tried: evenly spaced by ratio, with the expected load among them, so that two searches that come to
//! the same place have tried the same load.

use crate::units::Permille;
use crate::units::whole;
use std::ops::RangeInclusive;

/// The smallest multiple that is tried, in thousandths: a twentieth of the expected load,
const LEAST: f64 = 50.0;
/// and the largest: a hundred times as much.
const MOST: f64 = 100_000.0;

/// A place among the multiples: zero is the expected load, one is the next larger multiple.
pub(super) type Rung = i32;

/// Multiples that follow each other by a ratio.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    /// Natural logarithm of the ratio.
    step: f64,
}

impl Grid {
    /// Multiples that are `exact` apart: 2 % are 1, 1.02, 1.0404.
    pub(super) fn new(exact: Permille) -> Self {
        Self { step: libm::log1p(exact.as_fraction().clamp(0.001, 1.0)) }
    }

    /// The multiple of a rung.
    pub(super) fn multiple(self, rung: Rung) -> Permille {
        Permille::new(whole((1000.0 * libm::exp(self.step * f64::from(rung))).clamp(LEAST, MOST)))
    }

    /// The rung next to a multiple, within the range.
    pub(super) fn rung(self, multiple: f64) -> Rung {
        let range = self.range();
        let place = libm::round(libm::log(multiple.max(LEAST / 1000.0)) / self.step);
        let steps = Rung::try_from(whole(place.abs())).unwrap_or(Rung::MAX);
        (if place < 0.0 { -steps } else { steps }).clamp(*range.start(), *range.end())
    }

    /// All rungs.
    pub(super) fn range(self) -> RangeInclusive<Rung> {
        let steps =
            |multiple: f64| Rung::try_from(whole(libm::floor(libm::log(multiple) / self.step))).unwrap_or(Rung::MAX);
        -steps(1000.0 / LEAST)..=steps(MOST / 1000.0)
    }

    /// The highest rung that holds, looked for from `start` on with steps of `stride` at first, which double until there is one
    /// that holds and a higher one that does not; between them by halving. One below the range where not even the lowest holds;
    /// the highest of the range where all do.
    ///
    /// It takes for granted that what holds at a load holds at a lesser one.
    ///
    /// # Errors
    /// What `holds` says, at once.
    pub(super) fn highest<E>(
        self,
        start: Rung,
        stride: Rung,
        mut holds: impl FnMut(Rung) -> Result<bool, E>,
    ) -> Result<Rung, E> {
        let range = self.range();
        let (least, most) = (*range.start(), *range.end());
        let start = start.clamp(least, most);
        let mut stride = stride.max(1);
        let (mut low, mut high);
        if holds(start)? {
            (low, high) = (start, start);
            loop {
                if low == most {
                    return Ok(most);
                }
                high = high.saturating_add(stride).min(most);
                stride = stride.saturating_mul(2);
                if !holds(high)? {
                    break;
                }
                low = high;
            }
        } else {
            (low, high) = (start, start);
            loop {
                if high == least {
                    return Ok(least - 1);
                }
                low = low.saturating_sub(stride).max(least);
                stride = stride.saturating_mul(2);
                if holds(low)? {
                    break;
                }
                high = low;
            }
        }
        while high - low > 1 {
            let middle = i32::midpoint(low, high);
            if holds(middle)? {
                low = middle;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_expected_load_is_among_the_multiples() {
        let grid = Grid::new(Permille::percent(2));
        assert_eq!(grid.multiple(0), Permille::ONE);
        assert_eq!(grid.multiple(1), Permille::new(1020));
        assert_eq!(grid.multiple(35), Permille::new(2000)); // 1.02^35 = 1.99989
        assert_eq!(grid.rung(2.0), 35);
        assert_eq!(grid.rung(0.5), -35);
        assert_eq!(grid.rung(0.0), *grid.range().start());
    }

    proptest! {
        #[test]
        fn the_search_finds_the_edge_wherever_it_starts(edge in -400_i32..400, start in -500_i32..500, stride in 1_i32..20) {
            let grid = Grid::new(Permille::percent(2));
            let (least, most) = (*grid.range().start(), *grid.range().end());
            let mut tried = 0;
            let found = grid.highest(start, stride, |rung| { tried += 1; Ok::<_, ()>(rung <= edge) });
            prop_assert_eq!(found, Ok(edge.clamp(least - 1, most)));
            prop_assert!(tried <= 25, "{} tries", tried);
        }
    }
}
