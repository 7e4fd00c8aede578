use super::*;
use proptest::prelude::*;
use std::f64::consts::PI;

fn assert_near(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance * expected.abs().max(1.0), "{value} is not {expected}");
}

/// Percentage points of Student's t: the tables have three to six decimals, the rest are from an integral of the
/// density with 30 digits.
#[test]
fn quantiles_are_those_of_the_tables() {
    let table = [
        (1, 12.706_204_736),
        (2, 4.302_652_730),
        (3, 3.182_446_305),
        (4, 2.776_445_105),
        (5, 2.570_581_836),
        (9, 2.262_157_163),
        (19, 2.093_024_054),
        (29, 2.045_229_642),
        (99, 1.984_216_952),
        (999, 1.962_341_461),
        (1000, 1.962_339_081),
        (1001, 1.962_336_705),
        (5000, 1.960_438_552),
        (100_000, 1.959_987_708),
        (u32::MAX, 1.959_963_985),
    ];
    for (degrees, expected) in table {
        assert_near(student::quantile(0.975, degrees).expect("a quantile"), expected, 1e-9);
    }
    for (probability, degrees, expected) in
        [(0.9, 9, 1.383_028_738), (0.95, 19, 1.729_132_812), (0.995, 29, 2.756_385_904)]
    {
        assert_near(student::quantile(probability, degrees).expect("a quantile"), expected, 1e-9);
    }
}

/// Where the sum ends and the expansion begins, both are held closer: a term of the expansion is small here.
#[test]
fn quantiles_of_many_degrees_are_as_exact() {
    for (probability, degrees, expected, tolerance) in [
        (0.975, 1000, 1.962_339_080_826_41, 1e-13),
        (0.975, 1001, 1.962_336_705_280_88, 1e-13),
        (0.999_999, 1000, 4.781_608_620_458_35, 1e-10),
        (0.999_999, 1001, 4.781_580_319_038_64, 1e-11),
    ] {
        assert_near(student::quantile(probability, degrees).expect("a quantile"), expected, tolerance);
    }
}

/// With one, two and four degrees the quantile has a formula.
#[test]
fn quantiles_of_few_degrees_are_those_of_their_formulas() {
    for probability in [0.6, 0.75, 0.9, 0.975, 0.995, 0.9995, 0.999_999] {
        let of = |degrees| student::quantile(probability, degrees).expect("a quantile");
        assert_near(of(1), libm::tan(PI * (probability - 0.5)), 1e-9);
        let both = 4.0 * probability * (1.0 - probability);
        assert_near(of(2), (2.0 * probability - 1.0) * libm::sqrt(2.0 / both), 1e-9);
        let root = libm::sqrt(both);
        assert_near(of(4), 2.0 * libm::sqrt(libm::cos(libm::acos(root) / 3.0) / root - 1.0), 1e-9);
    }
}

#[test]
fn quantiles_have_bounds() {
    for probability in [0.0, 1.0, -0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert_eq!(student::quantile(probability, 9), None);
    }
    assert_eq!(student::quantile(0.975, 0), None);
    assert_eq!(student::beyond(f64::NAN, 9), None);
    assert_eq!(student::beyond(1.0, 0), None);
    assert_near(student::quantile(0.5, 9).expect("a quantile"), 0.0, 1e-12);
    for degrees in [1, 2, 9, 1000, 1001, u32::MAX] {
        assert_eq!(student::beyond(0.0, degrees), Some(1.0));
        assert_near(student::beyond(f64::INFINITY, degrees).expect("a probability"), 0.0, 1e-15);
        assert!(student::quantile(1.0 - f64::EPSILON, degrees).is_some_and(f64::is_finite));
        assert!(student::quantile(f64::MIN_POSITIVE, degrees).is_some_and(f64::is_finite));
    }
}

#[test]
fn the_closed_form_and_the_expansion_meet() {
    for t in [0.1, 0.5, 1.0, 1.96, 3.0, 5.0] {
        let (last, next) = (student::beyond(t, 1000).expect("closed"), student::beyond(t, 1001).expect("expanded"));
        // From 1000 degrees to 1001 the tail falls by less than a millionth.
        assert!(last > next && last - next < 1e-6, "{last} {next}");
    }
}

#[test]
fn four_runs_have_a_mean_and_an_interval() {
    // Mean 5. Deviations -3, -1, 1, 3: squares add up to 20, by 3 degrees. Half width: 3.182446 · √(20/3) / √4.
    let interval = Interval::of(&[2.0, 4.0, 6.0, 8.0], CONFIDENCE).expect("an interval");
    let half = 3.182_446_305_284_3 * libm::sqrt(20.0 / 3.0) / 2.0;
    assert_eq!((interval.count, interval.mean), (4, 5.0));
    assert_near(interval.deviation, libm::sqrt(20.0 / 3.0), 1e-15);
    assert_near(interval.low, 5.0 - half, 1e-12);
    assert_near(interval.high, 5.0 + half, 1e-12);
    assert!(interval.contains(interval.low) && interval.contains(5.0) && !interval.contains(9.2));
}

#[test]
fn one_run_has_a_mean_and_no_interval() {
    assert_eq!((mean(&[7.0]), deviation(&[7.0]), Interval::of(&[7.0], CONFIDENCE)), (Some(7.0), None, None));
    assert_eq!((mean(&[]), deviation(&[]), Interval::of(&[], CONFIDENCE)), (None, None, None));
}

#[test]
fn equal_runs_have_no_width() {
    let interval = Interval::of(&[0.1; 7], CONFIDENCE).expect("an interval");
    assert_eq!((interval.mean, interval.deviation, interval.low, interval.high), (0.1, 0.0, 0.1, 0.1));
}

#[test]
fn what_is_no_number_or_does_not_fit_has_none() {
    for values in [[1.0, f64::NAN], [1.0, f64::INFINITY], [f64::MAX, -f64::MAX]] {
        assert_eq!((mean(&values), deviation(&values), Interval::of(&values, CONFIDENCE)), (None, None, None));
    }
    assert_eq!(Interval::of(&[0.0, 1e200], CONFIDENCE), None, "the mean fits, its squares do not");
    for confidence in [0.0, 1.0, -0.5, 2.0, f64::NAN] {
        assert_eq!(Interval::of(&[1.0, 2.0], confidence), None);
    }
}

#[test]
fn a_small_steady_gain_shows_in_pairs_and_not_in_means() {
    // Seeds differ by tens, the policies by one or so. Differences -1, -2, -1, -2: mean -1.5, squares of 0.5 add up to
    // 1.
    let (base, other) = ([100.0, 60.0, 140.0, 80.0], [99.0, 58.0, 139.0, 78.0]);
    let paired = Paired::of(&base, &other, CONFIDENCE).expect("pairs");
    let half = 3.182_446_305_284_3 * libm::sqrt(1.0 / 3.0) / 2.0;
    assert_eq!(paired.difference.mean, -1.5);
    assert_near(paired.difference.high, -1.5 + half, 1e-12);
    assert!(paired.is_different());
    assert_near(paired.relative.expect("the base is not zero"), -1.5 / 95.0, 1e-12);
    // t = -1.5 / (√(1/3) / 2) = -3√3 with 3 degrees: the angle is that of tan = 3, so
    // p = 1 - 2/π · (arctan 3 + 3/10).
    assert_near(paired.p_value, 1.0 - 2.0 / PI * (libm::atan(3.0) + 0.3), 1e-12);
    let (one, two) = (Interval::of(&base, CONFIDENCE), Interval::of(&other, CONFIDENCE));
    assert!(one.expect("an interval").contains(two.expect("an interval").mean), "unpaired, nothing is seen");
}

#[test]
fn pairs_at_the_edges() {
    // The same on every seed: no difference, certainly.
    let same = Paired::of(&[3.0, 5.0], &[3.0, 5.0], CONFIDENCE).expect("pairs");
    assert_eq!((same.is_different(), same.p_value, same.relative), (false, 1.0, Some(0.0)));
    // Off by the same on every seed: a difference, certainly.
    let shifted = Paired::of(&[3.0, 5.0, 9.0], &[2.0, 4.0, 8.0], CONFIDENCE).expect("pairs");
    assert_eq!((shifted.is_different(), shifted.p_value, shifted.difference.high), (true, 0.0, -1.0));
    // Relative to nothing: no share. Relative to less than nothing: the sign is that of the difference.
    assert_eq!(Paired::of(&[0.0, 0.0], &[1.0, 2.0], CONFIDENCE).expect("pairs").relative, None);
    assert_eq!(Paired::of(&[-2.0, -2.0], &[-1.0, -1.0], CONFIDENCE).expect("pairs").relative, Some(0.5));
    for (base, other) in [(&[1.0, 2.0][..], &[1.0][..]), (&[1.0], &[2.0]), (&[], &[])] {
        assert_eq!(Paired::of(base, other, CONFIDENCE), None);
    }
}

#[test]
fn many_comparisons_need_more_confidence() {
    // Five policies against one: each needs 99 %.
    assert_near(bonferroni(0.95, 5), 0.99, 1e-15);
    assert_eq!((bonferroni(0.95, 1), bonferroni(0.95, 0)), (0.95, 0.95));
    // Smallest first: 0.01 · 4, then 0.02 · 3; 0.03 · 2 is no more than that; 0.5 · 1.
    let raised = holm(&[0.03, 0.01, 0.5, 0.02]);
    for (raised, expected) in raised.into_iter().zip([0.06, 0.04, 0.5, 0.06]) {
        assert_near(raised, expected, 1e-15);
    }
    assert_eq!(holm(&[f64::NAN, 0.9, -1.0, 7.0]), [1.0, 1.0, 0.0, 1.0]);
    assert_eq!(holm(&[]), Vec::<f64>::new());
}

fn figures() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-1e6_f64..1e6, 2..40)
}

proptest! {
    #[test]
    fn a_quantile_leaves_out_what_it_says(central in 0.001_f64..0.999_999, degrees in 1_u32..3000) {
        let t = student::quantile(f64::midpoint(1.0, central), degrees).expect("a quantile");
        let beyond = student::beyond(t, degrees).expect("a probability");
        prop_assert!((beyond - (1.0 - central)).abs() < 1e-12, "{} {}", beyond, 1.0 - central);
        let low = student::quantile(f64::midpoint(1.0, -central), degrees).expect("a quantile");
        prop_assert!((low + t).abs() < 1e-8 * t, "both sides are alike: {} {}", low, t);
    }

    #[test]
    fn more_runs_and_less_confidence_are_narrower(confidence in 0.1_f64..0.999, degrees in 1_u32..2000) {
        let wide = |confidence: f64, degrees| student::quantile(f64::midpoint(1.0, confidence), degrees);
        prop_assert!(wide(confidence, degrees) > wide(confidence, degrees + 1));
        prop_assert!(wide(confidence, degrees) > wide(confidence * 0.99, degrees));
    }

    #[test]
    fn units_of_the_figures_do_not_matter(values in figures(), scale in 0.01_f64..100.0, shift in -1e3_f64..1e3) {
        let one = Interval::of(&values, CONFIDENCE).expect("an interval");
        let moved: Vec<f64> = values.iter().map(|value| value * scale + shift).collect();
        let other = Interval::of(&moved, CONFIDENCE).expect("an interval");
        for (one, other) in [(one.low, other.low), (one.mean, other.mean), (one.high, other.high)] {
            prop_assert!((one * scale + shift - other).abs() < 1e-9 * scale * 1e6 + 1e-6);
        }
        prop_assert!(one.low <= one.mean && one.mean <= one.high);
    }

    #[test]
    fn the_interval_and_the_test_agree(pairs in prop::collection::vec((-9_i32..9, -9_i32..9), 2..20)) {
        let (base, other): (Vec<f64>, Vec<f64>) =
            pairs.iter().map(|(base, other)| (f64::from(*base), f64::from(*other))).unzip();
        let paired = Paired::of(&base, &other, CONFIDENCE).expect("pairs");
        prop_assert!((0.0..=1.0).contains(&paired.p_value));
        prop_assume!((paired.p_value - 0.05).abs() > 1e-9);
        prop_assert_eq!(paired.is_different(), paired.p_value < 0.05);
        let back = Paired::of(&other, &base, CONFIDENCE).expect("pairs");
        prop_assert!((back.difference.mean + paired.difference.mean).abs() < 1e-12);
        prop_assert!((back.p_value - paired.p_value).abs() < 1e-12);
    }

    #[test]
    fn holm_lies_between_nothing_and_bonferroni(p_values in prop::collection::vec(0.0_f64..1.0, 1..20)) {
        let raised = holm(&p_values);
        for (one, raised_one) in p_values.iter().zip(&raised) {
            prop_assert!(one <= raised_one && *raised_one <= (one * p_values.len() as f64).min(1.0));
            for (other, raised_other) in p_values.iter().zip(&raised) {
                prop_assert!(one > other || raised_one <= raised_other, "the order stays");
            }
        }
    }

    #[test]
    fn no_input_is_too_odd(
        values in prop::collection::vec(any::<f64>(), 0..6), others in prop::collection::vec(any::<f64>(), 0..6),
        confidence in any::<f64>(), degrees in any::<u32>()
    ) {
        if let Some(paired) = Paired::of(&values, &others, confidence) {
            prop_assert!(paired.difference.low <= paired.difference.high && paired.p_value >= 0.0);
        }
        prop_assert!(student::beyond(confidence, degrees).is_none_or(|beyond| (0.0..=1.0).contains(&beyond)));
        prop_assert_eq!(holm(&values).len(), values.len());
    }
}
