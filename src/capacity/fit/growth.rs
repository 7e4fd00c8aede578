//! When a load that grows reaches a line.

use crate::units::Permille;

/// Months that are looked ahead: fifty years.
pub const MONTHS_MAX: u32 = 600;

/// Whole months for which a load that grows by `growth` a month stays within a line, which is a multiple of the load of today:
/// the largest n with `(1 + growth)^n ≤ line`, which is `⌊ln(line) / ln(1 + growth)⌋`. `None` where the load of today is beyond
/// it already; [`MONTHS_MAX`] where it is never reached in so many.
#[must_use]
pub fn months(line: Permille, growth: Permille) -> Option<u32> {
    let (line, each) = (line.as_fraction(), 1.0 + growth.as_fraction());
    if line < 1.0 {
        return None;
    }
    // A product and no logarithm: a line that is hit exactly is still held.
    let (mut load, mut months) = (each, 0);
    while load <= line * (1.0 + 1e-12) && months < MONTHS_MAX {
        load *= each;
        months += 1;
    }
    Some(months)
}

/// How many times the load of today there is after so many months, rounded to a thousandth.
#[must_use]
pub fn after(months: u32, growth: Permille) -> Permille {
    let load = (0..months).fold(1.0, |load, _| load * (1.0 + growth.as_fraction()));
    Permille::new(crate::units::whole(load * 1000.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn eight_per_cent_a_month_doubles_in_nine() {
        // 1.08^9 = 1.999, 1.08^10 = 2.159.
        assert_eq!(months(Permille::new(2000), Permille::percent(8)), Some(9));
        assert_eq!(months(Permille::new(1000), Permille::percent(8)), Some(0));
        assert_eq!(months(Permille::new(999), Permille::percent(8)), None);
        // 1.1^2 = 1.21 to the last digit.
        assert_eq!(months(Permille::new(1210), Permille::percent(10)), Some(2));
        assert_eq!(months(Permille::new(5000), Permille::ZERO), Some(MONTHS_MAX), "it does not grow");
        assert_eq!(after(10, Permille::percent(8)), Permille::new(2159));
    }

    proptest! {
        /// The formula with logarithms, where the line is not hit exactly.
        #[test]
        fn it_is_the_formula(line in 1001_u64..20_000, growth in 1_u64..500) {
            let exact = libm::log(line as f64 / 1000.0) / libm::log(1.0 + growth as f64 / 1000.0);
            prop_assume!((exact - libm::round(exact)).abs() > 1e-6 && exact < f64::from(MONTHS_MAX));
            let found = months(Permille::new(line), Permille::new(growth)).expect("above one");
            prop_assert_eq!(f64::from(found), libm::floor(exact));
        }
    }
}
