//! Figures that would chase their own tail from step to step. Before you change it:
//! 1. What follows from a figure in one step may push it back in the next, and further than before. A kernel finds the
//!    balance of this within milliseconds, so no step may show the chase.
//! 2. So a figure goes half the part of the way that it went last, as a power, where it turned back, and a larger one again
//!    where it goes on. While nothing swings, the part is the whole.

/// Smallest part of the way.
const LEAST_PART: f64 = 1.0 / 1024.0;
/// How much larger the part is after a step that goes on in the same direction.
const FASTER: f64 = 1.5;
/// Share of it below which a change is rounding, and no turn.
pub(super) const STILL: f64 = 1e-9;

/// How a figure went so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Swing {
    /// The part of the way that one step goes.
    part: f64,
    /// What was found last, over what it was.
    last: f64,
}

impl Swing {
    pub(super) const NONE: Self = Self { part: 1.0, last: 1.0 };

    /// Nothing swings any more: the next steps are larger.
    pub(super) fn rest(self) -> Self {
        Self { part: (self.part * FASTER).min(1.0), last: 1.0 }
    }

    /// The part of the way that a figure goes from what it is to what was found.
    pub(super) fn part(&mut self, now: f64, found: f64) -> f64 {
        if (found - now).abs() > STILL * now {
            let turned = (found - now) * (self.last - 1.0) < 0.0;
            self.part = if turned { (self.part / 2.0).max(LEAST_PART) } else { (self.part * FASTER).min(1.0) };
            self.last = found / now;
        }
        self.part
    }

    /// Where a figure above zero goes from what it is towards what was found.
    pub(super) fn towards(&mut self, now: f64, found: f64) -> f64 {
        let part = self.part(now, found);
        if part < 1.0 { now * libm::pow(found / now, part) } else { found }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two workers and what they call share a core with others: the longer everything takes there, the less is going on, and
    /// the other way round. Taken as it is, the figure goes from 1 to 100 and back for ever.
    #[test]
    fn what_slows_itself_down_comes_to_rest() {
        for gain in [0.5, 1.0, 4.0, 12.0] {
            let found = |now: f64| (100.0 / libm::pow(now, gain)).clamp(1.0, 100.0);
            let balance = libm::pow(100.0, 1.0 / (1.0 + gain));
            let (mut swing, mut figure, mut steps) = (Swing::NONE, 1.0, 0);
            while f64::abs(figure / balance - 1.0) > 1e-4 {
                figure = swing.towards(figure, found(figure));
                steps += 1;
                assert!(steps < 60, "{figure} for {balance} with a gain of {gain}");
            }
        }
    }

    #[test]
    fn what_goes_on_is_taken_as_it_is() {
        let mut swing = Swing::NONE;
        let mut figure = 1.0;
        for found in [2.0, 7.0, 7.0, 30.0] {
            figure = swing.towards(figure, found);
            assert!((figure - found).abs() < 1e-12);
        }
    }
}
