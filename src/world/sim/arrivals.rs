//! How many requests come in a step: a count around a mean. Before you change it:
//! 1. One step takes exactly one draw from the stream of its service, whatever the mean.
//! 2. Means up to 32 are drawn from the exact distribution; above, from a normal one bent to the Poisson's skew
//!    (Cornish and Fisher 1938), with the same mean and variance.

use super::traffic;
use super::traffic::PART;
use super::traffic::in_parts;
use crate::model::Noise;
use rand_pcg::Pcg64;
use std::sync::LazyLock;

/// Largest mean that is drawn from the exact distribution.
const EXACT: f64 = 32.0;
/// Entries of the guide into the exact distribution.
const GUIDE: usize = 64;
/// Variance that rounding to whole numbers (1/12) and the skew's term (1/18) add.
const ROUNDING: f64 = 5.0 / 36.0;

/// Draws the requests of one service, step by step.
pub(super) struct Arrivals {
    random: Pcg64,
    noise: Noise,
    mean: f64,
    deviation: f64,
    /// Probability of at most so many, for an exact mean.
    at_most: Vec<f64>,
    /// The first count worth looking at for a draw in each part of `0..1`.
    guide: [u8; GUIDE],
}

impl Arrivals {
    pub(super) fn new(noise: Noise, random: Pcg64) -> Self {
        Self { random, noise, mean: 0.0, deviation: 0.0, at_most: Vec::with_capacity(128), guide: [0; GUIDE] }
    }

    /// From now on `mean` requests come in a step.
    pub(super) fn expect(&mut self, mean: f64) {
        if mean == self.mean {
            return;
        }
        self.mean = mean;
        self.deviation = (mean - ROUNDING).max(0.0).sqrt();
        if self.noise == Noise::None || mean <= 0.0 || mean > EXACT {
            return;
        }
        self.at_most.clear();
        let mut share = libm::exp(-mean);
        let mut sum = share;
        let mut count = 0.0;
        while self.at_most.len() < 127 && (sum < 1.0 - 1e-15 || count < mean) {
            self.at_most.push(sum);
            count += 1.0;
            share *= mean / count;
            sum += share;
        }
        let mut first: u8 = 0;
        for (part, entry) in self.guide.iter_mut().enumerate() {
            while self.at_most.get(usize::from(first)).is_some_and(|sum| *sum < part as f64 / GUIDE as f64) {
                first += 1;
            }
            *entry = first;
        }
    }

    /// The requests of some steps, one after the other, are added to those that are there.
    pub(super) fn draw(&mut self, steps: &mut [f64]) {
        if self.noise == Noise::None || self.mean <= 0.0 {
            steps.iter_mut().for_each(|came| *came += self.mean);
        } else if self.mean > EXACT {
            let (mean, deviation, quantiles) = (self.mean, self.deviation, &*QUANTILES);
            for came in steps {
                let normal = normal(quantiles, in_parts(&mut self.random));
                let count = mean + deviation * normal + (normal * normal - 1.0) / 6.0;
                *came += nearest(if count > 0.0 { count } else { 0.0 });
            }
        } else {
            for came in steps {
                let draw = in_parts(&mut self.random);
                let mut count = usize::from(self.guide[part_of(draw, GUIDE).min(GUIDE - 1)]);
                let draw = draw.cast_signed() as f64 * PART;
                while self.at_most.get(count).is_some_and(|sum| *sum < draw) {
                    count += 1;
                }
                *came += count as f64;
            }
        }
    }

    /// Where its stream is, for [`Self::go_back`].
    pub(super) fn place(&self) -> Pcg64 {
        self.random.clone()
    }

    /// Draws once more what was drawn since it was there.
    pub(super) fn go_back(&mut self, place: &Pcg64) {
        self.random = place.clone();
    }
}

/// The nearest whole number of a count; half goes up. Faster than `round`, which rounds half away from zero.
#[expect(clippy::cast_possible_truncation, reason = "a count, at least zero; the cast saturates")]
fn nearest(count: f64) -> f64 {
    (count + 0.5) as i64 as f64
}

/// Parts of the table of the normal quantile.
const PARTS: usize = 1024;
/// Outermost parts that are not read from the table, since the quantile bends too much there.
const TAIL: usize = 16;
/// The standard normal quantile at the ends of equal parts of `0..1`.
static QUANTILES: LazyLock<[f64; PARTS + 1]> =
    LazyLock::new(|| core::array::from_fn(|part| normal_quantile(part as f64 / PARTS as f64)));

/// Into which of so many equal parts of `0..1`, a power of two, a number in parts of [`PART`] falls.
fn part_of(draw: u64, parts: usize) -> usize {
    usize::try_from(draw >> (traffic::PARTS_LOG - parts.ilog2())).unwrap_or(0)
}

/// The standard normal quantile of a probability in parts of [`PART`]: linear in a table, off by less than 0.0002, exact in the
/// tails.
fn normal(quantiles: &[f64; PARTS + 1], draw: u64) -> f64 {
    const INSIDE: u32 = traffic::PARTS_LOG - PARTS.ilog2();
    let part = part_of(draw, PARTS);
    if !(TAIL..PARTS - TAIL).contains(&part) {
        return normal_quantile(draw.cast_signed() as f64 * PART);
    }
    let (from, to) = (quantiles[part], quantiles[part + 1]);
    let inside = (draw & ((1 << INSIDE) - 1)).cast_signed() as f64 / (1_u64 << INSIDE) as f64;
    from + (to - from) * inside
}

/// The standard normal quantile of a probability, good to seven digits (Wichura 1988, algorithm AS 241, PPND7).
fn normal_quantile(probability: f64) -> f64 {
    let centred = probability - 0.5;
    if centred.abs() <= 0.425 {
        let r = 0.180_625 - centred * centred;
        let above = ((59.109_374_720 * r + 159.291_132_02) * r + 50.434_271_938) * r + 3.387_132_717_9;
        let below = ((67.187_563_600 * r + 78.757_757_664) * r + 17.895_169_469) * r + 1.0;
        return centred * above / below;
    }
    let tail = probability.min(1.0 - probability).max(1e-17);
    let r = (-libm::log(tail)).sqrt();
    let value = if r <= 5.0 {
        let r = r - 1.6;
        let above = ((0.170_238_211_03 * r + 1.306_728_481_6) * r + 2.756_815_390_0) * r + 1.423_437_277_7;
        above / ((0.120_211_329_75 * r + 0.737_001_642_50) * r + 1.0)
    } else {
        let r = r - 5.0;
        let above = ((0.017_337_203_997 * r + 0.428_682_943_37) * r + 3.081_226_386_0) * r + 6.657_905_115_0;
        above / ((0.012_258_202_635 * r + 0.241_978_942_25) * r + 1.0)
    };
    if centred < 0.0 { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn the_quantile_meets_the_tables() {
        for (probability, wanted) in [
            (0.5, 0.0),
            (0.975, 1.959_963_985),
            (0.999, 3.090_232_306),
            (0.05, -1.644_853_627),
            (1e-13, -7.348_796_103),
        ] {
            assert!((normal_quantile(probability) - wanted).abs() < 1e-6, "{probability}");
        }
    }

    /// Mean, variance and third central moment of a Poisson count all equal its mean. Bounds are four standard errors.
    #[test]
    fn counts_have_the_moments_of_a_poisson() {
        for mean in [0.03, 0.7, 4.0, 31.9, 32.1, 60.0, 1000.0] {
            let mut arrivals = Arrivals::new(Noise::Poisson, Seed::new(7).stream("load/web"));
            arrivals.expect(mean);
            let mut counts = vec![0.0; 400_000];
            arrivals.draw(&mut counts);
            assert!(counts.iter().all(|count| count.fract() == 0.0 && *count >= 0.0));
            let n = counts.len() as f64;
            let moment = |power: i32| {
                let scaled = |count: &f64| (0..power).map(|_| (count - mean) / mean.sqrt()).product::<f64>();
                counts.iter().map(scaled).sum::<f64>() / n
            };
            let fourth = 3.0 + 1.0 / mean;
            assert!(moment(1).abs() < 4.0 / n.sqrt(), "mean of {mean}: off by {}", moment(1));
            assert!((moment(2) - 1.0).abs() < 4.0 * ((fourth - 1.0) / n).sqrt(), "variance of {mean}: {}", moment(2));
            let skew = moment(3) * mean.sqrt();
            assert!(
                (skew - 1.0).abs() < 4.0 * ((15.0 + 25.0 / mean) * mean / n).sqrt() + 0.02,
                "skew of {mean}: {skew}"
            );
        }
    }

    /// Ten steps at once, or one after the other, or again: the stream goes on all the same.
    #[test]
    fn steps_together_are_steps_one_by_one() {
        for mean in [0.7, 60.0] {
            let mut arrivals = Arrivals::new(Noise::Poisson, Seed::new(7).stream("load/web"));
            arrivals.expect(mean);
            let start = arrivals.place();
            let mut together = [1.0; 10];
            arrivals.draw(&mut together);
            arrivals.go_back(&start);
            for came in together {
                let mut alone = [1.0];
                arrivals.draw(&mut alone);
                assert_eq!(alone, [came]);
            }
        }
    }

    #[test]
    fn without_noise_fractions_are_carried() {
        let mut arrivals = Arrivals::new(Noise::None, Seed::new(1).stream("load/web"));
        arrivals.expect(0.25);
        let mut came = [0.0; 8];
        arrivals.draw(&mut came);
        assert_eq!(came.iter().sum::<f64>(), 2.0);
    }
}
