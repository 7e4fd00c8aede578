//! One figure out of many, to rank policies by. Source: the scores of SPEC RG and Chameleon, see the module.
//!
//! Before you change it:
//! 1. A score hides what it is made of. Show the parts beside it.
//! 2. The elastic speedup is a quotient, and a perfect run divides by zero. Both sides are lifted to [`SPEEDUP_FLOOR`],
//!    so that two perfect runs are equal, no run is infinitely better, and worse is never better.
//! 3. `exp`, `log` and `pow` come from `libm`: the platforms' own differ in the last bit.

use super::Provisioning;

/// What counts as zero in a speedup: a tenth of a percent. Below it policies are not told apart. Ours: no program that
/// was read says what it does about zeros.
pub const SPEEDUP_FLOOR: f64 = 0.001;

/// How heavy too little weighs in a deviation, where nothing else is asked for: as much as too much.
pub const PENALTY: f64 = 0.5;

/// The order of the distance in a deviation: there are as many figures in it.
const ORDER: f64 = 3.0;

/// How heavy each figure weighs in a speedup. Only their proportion counts. What is below zero or
/// not finite is zero.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Weights {
    /// Of under-provisioning accuracy.
    pub accuracy_under: f64,
    /// Of over-provisioning accuracy.
    pub accuracy_over: f64,
    /// Of the time with too little.
    pub time_under: f64,
    /// Of the time with too much.
    pub time_over: f64,
}

impl Default for Weights {
    /// A quarter each, as in Chameleon. SPEC RG leaves them to the reader.
    fn default() -> Self {
        Self { accuracy_under: 0.25, accuracy_over: 0.25, time_under: 0.25, time_over: 0.25 }
    }
}

/// An elastic speedup.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Speedup {
    /// How many times better: above one is a gain, below one a loss, and one where no weight is above zero.
    pub factor: f64,
    /// How many of the figures that weigh had to be lifted to the floor, on one side or on both.
    pub floored: u8,
}

/// The elastic speedup of a run over another one of the same load, which in Chameleon is one without scaling: the
/// weighted geometric mean of how many times smaller each figure is. Figures below [`SPEEDUP_FLOOR`], or not numbers,
/// count as that.
#[must_use]
pub fn speedup(unscaled: &Provisioning, scaled: &Provisioning, weights: &Weights) -> Speedup {
    let parts = [
        (unscaled.accuracy_under, scaled.accuracy_under, weights.accuracy_under),
        (unscaled.accuracy_over, scaled.accuracy_over, weights.accuracy_over),
        (unscaled.time_under, scaled.time_under, weights.time_under),
        (unscaled.time_over, scaled.time_over, weights.time_over),
    ];
    // `max` prefers a number to what is none.
    let lifted = |share: f64| share.max(SPEEDUP_FLOOR);
    let (mut sum, mut weighed, mut floored) = (0.0, 0.0, 0);
    for (before, after, weight) in parts {
        let weight = if weight.is_finite() { weight.max(0.0) } else { 0.0 };
        sum += weight;
        weighed += weight * (libm::log(lifted(before)) - libm::log(lifted(after)));
        floored += u8::from(weight > 0.0 && (before < SPEEDUP_FLOOR || after < SPEEDUP_FLOOR));
    }
    let factor = if sum > 0.0 { libm::exp(weighed / sum) } else { 1.0 };
    Speedup { factor, floored }
}

/// The auto-scaling deviation from a perfect scaler, for which all is zero: the distance of order 3 of accuracy, time
/// share and instability. Accuracy is `penalty` times the one of too little and the rest of too much, and so is time
/// share. `penalty` is from 0 to 1; what is no number is [`PENALTY`].
#[must_use]
pub fn deviation(provisioning: &Provisioning, instability: f64, penalty: f64) -> f64 {
    let penalty = if penalty.is_nan() { PENALTY } else { penalty.clamp(0.0, 1.0) };
    let mixed = |under: f64, over: f64| penalty * under + (1.0 - penalty) * over;
    let accuracy = mixed(provisioning.accuracy_under, provisioning.accuracy_over);
    let time = mixed(provisioning.time_under, provisioning.time_over);
    distance(&[accuracy, time, instability], ORDER)
}

/// The distance from zero by Minkowski, of an order of one (sum) over two (Euclid) to infinity (largest): for a
/// deviation of other figures, such as violations of a service level. An order below one, or that is no number, is one.
/// What comes out is no number if a value is none.
#[must_use]
pub fn distance(values: &[f64], order: f64) -> f64 {
    if values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let order = order.max(1.0);
    // Relative to the largest, so that no power overflows.
    let largest = values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    if largest == 0.0 || largest.is_infinite() {
        return largest;
    }
    let sum: f64 = values.iter().map(|value| libm::pow(value.abs() / largest, order)).sum();
    largest * libm::pow(sum, 1.0 / order)
}
