//! What is left of the cores by neighbours: a capacity of two states, and the queue before it.

use crate::world::sim::cpu::LOAD_BELIEVED;
use crate::world::sim::queueing;
use crate::world::sim::zero;

/// A capacity of two states.
#[derive(Debug, Clone, Copy)]
pub(super) struct States {
    /// Cores in each.
    pub(super) capacity: [f64; 2],
    /// The share of the time in the second.
    pub(super) crowded: f64,
    /// How often a second it forgets its state.
    pub(super) changes: f64,
}

impl States {
    fn mean(&self) -> f64 {
        self.capacity[0] * (1.0 - self.crowded) + self.capacity[1] * self.crowded
    }

    /// By how much the work is stretched of who uses so many cores, with so much left to do of a request in work; and the
    /// variance of that stretch, of vanishing work, over the square of its mean.
    pub(super) fn stretch(&self, uses: f64, left: f64) -> (f64, f64) {
        let uses = uses.min(LOAD_BELIEVED * self.mean());
        let inside = inside(uses / left, self.capacity.map(|capacity| capacity / left), self.crowded, self.changes);
        let (mut waiting, mut squares) = (0.0, 0.0);
        for ((capacity, inside), share) in self.capacity.into_iter().zip(inside).zip([1.0 - self.crowded, self.crowded])
        {
            // One request alone has no more than one core, however much is free.
            let (mut waits, mut scatter) = (inside, 1.0);
            if capacity > uses {
                let load = uses / capacity;
                waits *= (queueing::slowdown(capacity, load) - 1.0) * (capacity - uses);
                scatter = queueing::scatter(capacity, load);
            }
            let here = 1.0 + waits / (uses * share);
            waiting += waits;
            squares += share * here * here * (1.0 + scatter);
        }
        let stretch = 1.0 + waiting / uses;
        (stretch, squares / (stretch * stretch) - 1.0)
    }
}

/// Mean number of requests, in each of two states, of a queue with so many arrivals a second whose server ends `pace` requests a
/// second in each, is in the second for a share `crowded` of the time, and forgets its state so many times a second.
///
/// Of the generating functions `Gᵢ(z)` of the number in state `i`, the chances that it is empty follow from the root of the
/// determinant between 0 and 1, and the means from their derivatives at 1.
fn inside(rate: f64, pace: [f64; 2], crowded: f64, changes: f64) -> [f64; 2] {
    let [one, other] = pace;
    let free = 1.0 - crowded;
    let spare = one * free + other * crowded - rate;
    let same = || [free, crowded].map(|share| share * rate / spare);
    if (one - other).abs() <= 1e-6 * one || !changes.is_finite() {
        return same();
    }
    let (leave, back) = (changes * crowded, changes * free);
    // The root is near 1 where the state hardly ever changes, so it is looked for by how far it is from there.
    let determinant = |below: f64| {
        let (to_one, to_other) = (rate * (1.0 - below) - one, rate * (1.0 - below) - other);
        below * to_one * to_other + (1.0 - below) * (back * to_one + leave * to_other)
    };
    let below = zero::rising(0.0, 1.0, 0.0, determinant);
    // How much longer the server is idle in the first state than if it always had that pace; what would cancel out is left
    // out. Then two equations for the means `h`: `leave·h₁ − back·h₂ = longer`, and `h₁(one − rate) + h₂(other − rate) = rate`.
    let longer = -free * crowded * (one - other) * rate * below / (spare + rate * below);
    let whole = changes * spare;
    let found = [(longer * (other - rate) + back * rate) / whole, (leave * rate - longer * (one - rate)) / whole];
    if found.iter().all(|inside| inside.is_finite() && *inside >= 0.0) { found } else { same() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Two = [[f64; 2]; 2];

    fn times(one: &Two, other: &Two) -> Two {
        [0, 1].map(|row| [0, 1].map(|column| one[row][0] * other[0][column] + one[row][1] * other[1][column]))
    }

    fn row_times(row: [f64; 2], matrix: &Two) -> [f64; 2] {
        [0, 1].map(|column| row[0] * matrix[0][column] + row[1] * matrix[1][column])
    }

    fn inverse([[a, b], [c, d]]: Two) -> Two {
        let whole = a * d - b * c;
        [[d / whole, -b / whole], [-c / whole, a / whole]]
    }

    /// The mean numbers in both states by the matrix-geometric method (Neuts 1981): level by level, without any generating
    /// function.
    fn inside_by_levels(rate: f64, pace: [f64; 2], leave: f64, back: f64) -> [f64; 2] {
        let stay = inverse([[-leave - rate - pace[0], leave], [back, -back - rate - pace[1]]]);
        let mut up = [[0.0; 2]; 2];
        for _ in 0..200_000 {
            let squared = times(&up, &up);
            let come = [0, 1].map(|row| {
                [0, 1].map(|column| -(if row == column { rate } else { 0.0 } + squared[row][column] * pace[column]))
            });
            let next = times(&come, &stay);
            let moved =
                (0..4).map(|place| (next[place / 2][place % 2] - up[place / 2][place % 2]).abs()).fold(0.0, f64::max);
            up = next;
            if moved < 1e-15 {
                break;
            }
        }
        // At the lowest level nobody is there to go: `x·(stay + up·go) = 0`.
        let first = -leave - rate + up[0][0] * pace[0];
        let second = back + up[1][0] * pace[0];
        let empty = [second, -first].map(|chance| chance / (second - first));
        let rest = inverse([[1.0 - up[0][0], -up[0][1]], [-up[1][0], 1.0 - up[1][1]]]);
        let all: f64 = row_times(empty, &rest).iter().sum();
        row_times(row_times(empty, &up), &times(&rest, &rest)).map(|mean| mean / all)
    }

    proptest! {
        #[test]
        fn the_queue_in_two_states_is_that_of_the_levels(
            one in 0.5..4.0_f64, other in 0.05..1.0_f64, crowded in 0.05..0.95_f64, load in 0.05..0.9_f64, log in -2.0..2.0_f64,
        ) {
            let changes = libm::exp10(log);
            let rate = load * (one * (1.0 - crowded) + other * crowded);
            let found = inside(rate, [one, other], crowded, changes);
            let wanted = inside_by_levels(rate, [one, other], changes * crowded, changes * (1.0 - crowded));
            for (found, wanted) in found.iter().zip(wanted) {
                prop_assert!((found - wanted).abs() < 1e-5 * wanted.max(0.01), "{found} for {wanted}");
            }
        }
    }
}
