//! What can be decided: a place for each field, and how places are drawn, mixed and moved.
//!
//! Before you change it: places are whole numbers, and the powers on the way to them are those of `libm`, so that every
//! machine breeds the same children.

use crate::capacity::sweep::draws::below;
use crate::capacity::sweep::draws::place_below;
use crate::capacity::sweep::draws::share;
use crate::capacity::sweep::draws::shuffled;
use rand_pcg::Pcg64;

/// A place for each field, in their order.
pub(super) type Decision = Vec<usize>;

/// A field: how many values it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    /// So many; at least one.
    pub(super) values: usize,
    /// Whether neighbours are alike, as numbers are; choices are not.
    pub(super) ordered: bool,
}

/// All decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Space(pub(super) Vec<Axis>);

/// How often two parents are mixed at all, in percent.
const CROSSED: u64 = 90;
/// How near children stay to their parents, and what moves to where it was. Deb uses 15 and 20 with tens of thousands of
/// points; with tens to hundreds of them, steps are wider.
const NEAR_PARENTS: f64 = 8.0;
const NEAR_ITSELF: f64 = 8.0;

impl Space {
    /// So many decisions that lie far apart: a Latin hypercube.
    pub(super) fn spread(&self, count: usize, stream: &mut Pcg64) -> Vec<Decision> {
        let parts: Vec<Vec<usize>> = self.0.iter().map(|_| shuffled(count, stream)).collect();
        let place = |axis: &Axis, part: usize, stream: &mut Pcg64| {
            let share = (part as f64 + share(stream)) / count as f64;
            crate::units::place(share * axis.values as f64).min(axis.values - 1)
        };
        (0..count)
            .map(|row| self.0.iter().zip(&parts).map(|(axis, parts)| place(axis, parts[row], stream)).collect())
            .collect()
    }

    /// Mixes two parents: ordered fields by simulated binary crossover (Deb and Agrawal, Complex Systems 9, 1995), half of them
    /// at a time; of choices each child has that of one parent.
    pub(super) fn cross(&self, one: &mut Decision, other: &mut Decision, stream: &mut Pcg64) {
        if below(100, stream) >= CROSSED {
            return;
        }
        for (field, axis) in self.0.iter().enumerate() {
            if below(2, stream) == 0 {
                continue;
            }
            if below(2, stream) == 0 {
                std::mem::swap(&mut one[field], &mut other[field]);
            }
            if !axis.ordered {
                continue;
            }
            let drawn = share(stream);
            let power = 1.0 / (NEAR_PARENTS + 1.0);
            let wide = if drawn <= 0.5 {
                libm::pow(2.0 * drawn, power)
            } else {
                libm::pow(1.0 / (2.0 * (1.0 - drawn)), power)
            };
            let (first, second) = (one[field] as f64, other[field] as f64);
            one[field] = axis.nearest(0.5 * ((1.0 + wide) * first + (1.0 - wide) * second));
            other[field] = axis.nearest(0.5 * ((1.0 - wide) * first + (1.0 + wide) * second));
        }
    }

    /// Moves one field on average: an ordered one by polynomial mutation (Deb and Agrawal 1999) and by one place at least, a
    /// choice to any other.
    pub(super) fn mutate(&self, decision: &mut Decision, stream: &mut Pcg64) {
        let count = self.0.len() as u64;
        for (field, axis) in self.0.iter().enumerate() {
            if below(count, stream) != 0 || axis.values < 2 {
                continue;
            }
            if !axis.ordered {
                decision[field] = axis.other(decision[field], stream);
                continue;
            }
            let drawn = share(stream);
            let power = 1.0 / (NEAR_ITSELF + 1.0);
            let move_by = if drawn < 0.5 {
                libm::pow(2.0 * drawn, power) - 1.0
            } else {
                1.0 - libm::pow(2.0 * (1.0 - drawn), power)
            };
            let here = decision[field];
            let moved = axis.nearest(here as f64 + move_by * (axis.values - 1) as f64);
            decision[field] = match (moved == here, drawn < 0.5) {
                (false, _) => moved,
                (true, true) => here.saturating_sub(1),
                (true, false) => (here + 1).min(axis.values - 1),
            };
        }
    }

    /// Puts one field anywhere else.
    pub(super) fn jump(&self, decision: &mut Decision, stream: &mut Pcg64) {
        let field = place_below(self.0.len(), stream);
        if self.0[field].values > 1 {
            decision[field] = self.0[field].other(decision[field], stream);
        }
    }
}

impl Axis {
    fn nearest(self, value: f64) -> usize {
        crate::units::place(libm::round(value.max(0.0))).min(self.values - 1)
    }

    /// Any place but this one.
    fn other(self, here: usize, stream: &mut Pcg64) -> usize {
        let place = place_below(self.values - 1, stream);
        if place >= here { place + 1 } else { place }
    }
}
