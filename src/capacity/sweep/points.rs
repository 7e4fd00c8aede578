//! The points of a sweep: which value each field has at each of them.
//!
//! Before you change it: points are numbered from 0, and what a point is depends on the sweep and its number alone. Each field
//! draws from a stream of its own, so that one field more changes no value of another.

use super::draws::share;
use super::draws::shuffled;
use crate::input::sweep::Level;
use crate::input::sweep::Method;
use crate::input::sweep::Sweep;
use crate::seed::Seed;
use rand_pcg::Pcg64;

/// The points of a sweep.
#[derive(Debug, Clone)]
pub struct Points<'a> {
    sweep: &'a Sweep,
    count: u64,
    /// For draws: the share of its distribution at which each field stands, by field and point.
    shares: Vec<Vec<f64>>,
    /// For a search: the points that it chose so far, each with its generation.
    chosen: Vec<(Vec<Level>, u64)>,
}

impl<'a> Points<'a> {
    /// The points of a sweep.
    #[must_use]
    pub fn of(sweep: &'a Sweep) -> Self {
        let draw = |points: u32, seed: Seed, draw: fn(&mut Pcg64, u32) -> Vec<f64>| {
            let stream = |field: &crate::input::sweep::Field| seed.stream(&format!("sweep/{}", field.path));
            sweep.fields.iter().map(|field| draw(&mut stream(field), points)).collect()
        };
        let (count, shares) = match sweep.method {
            Method::Grid => {
                let levels = sweep.fields.iter().filter_map(|field| field.values.levels());
                (levels.map(|levels| levels.len() as u64).product(), Vec::new())
            }
            Method::LatinHypercube { points, seed } => (u64::from(points), draw(points, seed, strata)),
            Method::MonteCarlo { points, seed } => (u64::from(points), draw(points, seed, alone)),
            Method::Optimise { points, .. } => (u64::from(points), Vec::new()),
        };
        Self { sweep, count, shares, chosen: Vec::new() }
    }

    /// One more point that a search chose; it has the next number.
    pub(super) fn choose(&mut self, levels: Vec<Level>, generation: u64) -> u64 {
        self.chosen.push((levels, generation));
        self.chosen.len() as u64 - 1
    }

    /// The generation in which a search chose a point, from zero.
    pub(super) fn generation(&self, point: u64) -> u64 {
        self.chosen(point).map_or(0, |(_, generation)| *generation)
    }

    fn chosen(&self, point: u64) -> Option<&(Vec<Level>, u64)> {
        self.chosen.get(usize::try_from(point).unwrap_or(usize::MAX))
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The value of each field at a point, in the order of the fields. Those of a search are known once it chose them.
    #[must_use]
    pub fn levels(&self, point: u64) -> Vec<Level> {
        let fields = &self.sweep.fields;
        if self.sweep.tuning.is_some() {
            return self.chosen(point).map(|(levels, _)| levels.clone()).unwrap_or_default();
        }
        if !self.shares.is_empty() {
            let place = usize::try_from(point).unwrap_or(usize::MAX);
            let share = |shares: &Vec<f64>| shares.get(place).copied().unwrap_or_default();
            return fields.iter().zip(&self.shares).map(|(field, shares)| field.values.at(share(shares))).collect();
        }
        let mut left = point;
        let mut levels: Vec<Level> = fields
            .iter()
            .rev()
            .filter_map(|field| field.values.levels())
            .map(|levels| {
                let place = usize::try_from(left % levels.len() as u64).unwrap_or(0);
                left /= levels.len() as u64;
                levels[place].clone()
            })
            .collect();
        levels.reverse();
        levels
    }
}

/// One share in each of so many parts of the whole, in an order of its own (McKay, Beckman, Conover 1979): the parts are
/// shuffled (Fisher and Yates), and in each the share is drawn anew.
fn strata(stream: &mut Pcg64, points: u32) -> Vec<f64> {
    let parts = shuffled(usize::try_from(points).unwrap_or(0), stream);
    parts.into_iter().map(|part| (part as f64 + share(stream)) / f64::from(points)).collect()
}

/// So many shares, each drawn by itself.
fn alone(stream: &mut Pcg64, points: u32) -> Vec<f64> {
    (0..points).map(|_| share(stream)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What makes it a Latin hypercube: of as many equal parts as there are points, each holds one point.
        #[test]
        fn each_part_of_a_field_holds_one_point(seed in any::<u64>(), points in 1_u32..400) {
            let shares = strata(&mut Seed::new(seed).stream("sweep/load"), points);
            let mut parts: Vec<usize> = shares.iter().map(|share| crate::units::place(share * f64::from(points))).collect();
            parts.sort_unstable();
            prop_assert_eq!(parts, (0..points as usize).collect::<Vec<_>>());
        }
    }

    /// With 10,000 draws the share below x is within 0.0136 of x with 95 % (Kolmogorov and Smirnov: 1.36 / √n).
    #[test]
    fn draws_are_spread_evenly() {
        let mut shares = alone(&mut Seed::new(7).stream("sweep/load"), 10_000);
        shares.sort_by(f64::total_cmp);
        let apart = |(place, share): (usize, &f64)| (share - (place as f64 + 0.5) / 10_000.0).abs();
        let widest = shares.iter().enumerate().map(apart).fold(0.0, f64::max);
        assert!(widest < 0.0136, "{widest}");
    }
}
