//! Where the load line is over seeds: the highest multiple that enough of them hold, and how sure that is.

use super::grid::Grid;
use super::grid::Rung;
use crate::report::statistics::CONFIDENCE;
use crate::report::statistics::deviation;
use crate::report::statistics::mean;
use crate::report::statistics::student;
use crate::units::Permille;
use crate::units::whole;

/// Of the highest rungs that hold in each seed, the place of the one that decides: the highest that at least a share of the
/// seeds holds. Of equal ones the first. `None` without seeds.
pub(super) fn deciding(rungs: &[Rung], probability: Permille) -> Option<usize> {
    let count = u64::try_from(rungs.len()).unwrap_or(u64::MAX);
    // So many seeds may fail and still enough hold.
    let may_fail = count - (count * probability.get().min(1000)).div_ceil(1000);
    let mut places: Vec<usize> = (0..rungs.len()).collect();
    places.sort_by_key(|place| (rungs[*place], *place));
    let decides = rungs[*places.get(usize::try_from(may_fail).unwrap_or(0)).or(places.last())?];
    rungs.iter().position(|rung| *rung == decides)
}

/// Where the multiple lies that a share of all seeds like these holds, with a confidence of 95 %.
///
/// The logarithms of the highest multiples are taken to be normal with mean `m` and deviation `s`, known from `n` of them. The
/// quantile is `m + z s`, with the standard deviation `s √(1/n + z²/(2(n-1)))`, and Student's t with `n - 1` degrees says how
/// many of these to go to either side. Source: the delta method for a normal quantile, as in Meeker, Hahn and Escobar,
/// *Statistical Intervals*, 2nd edition, 2017, chapter 4. It is widened to what was seen itself: the line and the rung above it.
///
/// `None` with fewer than two seeds.
pub(super) fn interval(grid: Grid, rungs: &[Rung], line: Rung, probability: Permille) -> Option<(Permille, Permille)> {
    let logs: Vec<f64> = rungs.iter().map(|rung| libm::log(grid.multiple(*rung).as_fraction())).collect();
    let (mean, deviation) = (mean(&logs)?, deviation(&logs)?);
    let count = u32::try_from(logs.len()).ok()?;
    // The share that fails, kept off its ends, where no quantile is.
    let failing = (1.0 - probability.as_fraction()).clamp(0.001, 0.999);
    let z = student::quantile(failing, u32::MAX)?;
    let runs = f64::from(count);
    let error = deviation * libm::sqrt(1.0 / runs + z * z / (2.0 * (runs - 1.0)));
    let wide = student::quantile(f64::midpoint(1.0, CONFIDENCE), count - 1)? * error;
    let at = |log: f64| Permille::new(whole(1000.0 * libm::exp(log)));
    let middle = mean + z * deviation;
    Some((at(middle - wide).min(grid.multiple(line)), at(middle + wide).max(grid.multiple(line + 1))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_of_ten_may_fail_where_nine_of_ten_must_hold() {
        let rungs = [30, 10, 40, 20, 50, 60, 70, 80, 90, 100];
        assert_eq!(deciding(&rungs, Permille::ONE), Some(1));
        assert_eq!(deciding(&rungs, Permille::percent(90)), Some(3));
        assert_eq!(deciding(&rungs, Permille::percent(50)), Some(5));
        assert_eq!(deciding(&rungs[..3], Permille::percent(90)), Some(1), "of three none may fail");
        assert_eq!(deciding(&[], Permille::ONE), None);
    }

    #[test]
    fn seeds_that_agree_leave_only_the_distance_between_two_tries() {
        let grid = Grid::new(Permille::percent(2));
        assert_eq!(
            interval(grid, &[35; 10], 35, Permille::percent(90)),
            Some((Permille::new(2000), Permille::new(2040)))
        );
        assert_eq!(interval(grid, &[35], 35, Permille::percent(90)), None);
    }

    #[test]
    fn the_interval_is_the_one_worked_out_by_hand() {
        // ln of 1.02^rung: rungs -10, 0, 10 have the mean 0 and the deviation 10 ln 1.02 = 0.198026. At 50 % z is 0, so the
        // interval is t(0.975, 2) / √3 = 4.302653 / 1.732051 = 2.484138 deviations to each side: e^±0.491925.
        let grid = Grid::new(Permille::percent(2));
        let (low, high) = interval(grid, &[-10, 0, 10], 0, Permille::percent(50)).expect("three seeds");
        assert!(low.get().abs_diff(611) <= 1 && high.get().abs_diff(1635) <= 1, "{low} {high}");
    }

    proptest! {
        #[test]
        fn as_many_hold_as_asked_and_one_more_rung_would_be_too_few(
            rungs in prop::collection::vec(-50_i32..50, 1..40), percent in 1_u64..=100
        ) {
            let probability = Permille::percent(percent);
            let line = rungs[deciding(&rungs, probability).expect("seeds")];
            let hold = |at: i32| rungs.iter().filter(|rung| **rung >= at).count() as u64 * 1000;
            let wanted = probability.get() * rungs.len() as u64;
            prop_assert!(hold(line) >= wanted);
            prop_assert!(hold(line + 1) < wanted);
        }
    }
}
