//! `exp` of many numbers at once. Before you change it:
//! 1. It gives the very bits that `libm::exp` gives for each of them, on every machine: the same reduction, the same polynomial
//!    and the same order of operations (Sun's fdlibm, `e_exp.c`, 1993). A test holds it to that.
//! 2. There is no branch and no conversion to an integer in the loop, so that a processor works on several at a time.

/// Below this `libm` does it: what comes out may be too small for a plain exponent.
const LEAST: f64 = -700.0;

/// Replaces each number, none above zero, by its exponential.
pub(super) fn exp_of_negative(numbers: &mut [f64]) {
    if numbers.iter().all(|number| *number >= LEAST) {
        numbers.iter_mut().for_each(|number| *number = exp(*number));
    } else {
        numbers.iter_mut().for_each(|number| *number = libm::exp(*number));
    }
}

/// `ln 2` in two parts, and one over it.
const LN2: [f64; 2] = [f64::from_bits(0x3fe6_2e42_fee0_0000), f64::from_bits(0x3dea_39ef_3579_3c76)];
const PER_LN2: f64 = f64::from_bits(0x3ff7_1547_652b_82fe);
/// What `x · (eˣ + 1) / (eˣ − 1)` is beyond two, by powers of `x²`.
const POLYNOMIAL: [f64; 5] = [
    f64::from_bits(0x3fc5_5555_5555_553e),
    f64::from_bits(0xbf66_c16c_16be_bd93),
    f64::from_bits(0x3f11_566a_af25_de2c),
    f64::from_bits(0xbebb_bd41_c5d2_6bf1),
    f64::from_bits(0x3e66_3769_72be_a4d0),
];
/// From these numbers on, by their upper 32 bits: there is something beyond `1 + x`; one half and three halves of `ln 2` are
/// passed.
const MORE: f64 = f64::from_bits(0x3e30_0001_0000_0000);
const HALF: f64 = f64::from_bits(0x3fd6_2e43_0000_0000);
const THREE_HALVES: f64 = f64::from_bits(0x3ff0_a2b2_0000_0000);
/// A number that has no room for parts beside so many: added, it rounds to a whole number in the last bits.
const ROUNDS: f64 = 6_755_399_441_055_744.0;

/// From [`LEAST`] to zero.
fn exp(number: f64) -> f64 {
    let size = -number;
    // How often `ln 2` goes into it, rounded; towards zero, since that is how a conversion to a whole number does it.
    let often = PER_LN2 * number - 0.5;
    let nearest = (often + ROUNDS) - ROUNDS;
    let cut = if nearest < often { nearest + 1.0 } else { nearest };
    let often = if size >= THREE_HALVES { cut } else { -1.0 };
    let often = if size >= HALF { often } else { 0.0 };
    let (high, low) = (number - often * LN2[0], often * LN2[1]);
    let left = high - low;
    let square = left * left;
    let [one, two, three, four, five] = POLYNOMIAL;
    let curve = left - square * (one + square * (two + square * (three + square * (four + square * five))));
    let found = 1.0 + (left * curve / (2.0 - curve) - low + high);
    let found = if size >= MORE { found } else { 1.0 + number };
    // The exponent is what the last bits of the rounding number hold.
    f64::from_bits(found.to_bits().wrapping_add((often + ROUNDS).to_bits() << 52))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(number: f64) -> bool {
        let mut found = [number];
        exp_of_negative(&mut found);
        found[0].to_bits() == libm::exp(number).to_bits()
    }

    /// Around each place where the way to the result is another one.
    #[test]
    fn it_is_that_of_libm_at_its_corners() {
        for corner in [0.0, 1e-300, 1e-9, MORE, HALF, THREE_HALVES, 0.5, 1.0, 17.0, 344.5, -LEAST, 708.4, 745.2, 1e4] {
            for step in -40_i64..40 {
                let number = -f64::from_bits(f64::to_bits(corner).saturating_add_signed(step * 3));
                assert!(same(number), "{number:e}");
            }
        }
        for halves in 0..2000 {
            let number = -f64::from(halves) * core::f64::consts::LN_2 / 2.0;
            for step in -3_i64..4 {
                assert!(same(-f64::from_bits((-number).to_bits().saturating_add_signed(step))), "{number:e}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn it_is_that_of_libm(number in -760.0..0.0_f64, small in -3.0..0.0_f64, power in -30.0..0.0_f64) {
            for number in [number, small, -libm::exp2(power)] {
                prop_assert!(same(number), "{:e}", number);
            }
        }
    }
}
