//! The Pareto front: the points that no other point beats. Lower is better, in every dimension.
//!
//! It ranks policies honestly where two things are wanted at once, such as few instance-hours and few broken requests:
//! a policy off the front is worse than some other one in something and better in nothing; on the front it is a choice.
//!
//! Before you change it:
//! 1. To dominate is to be nowhere worse and somewhere better. Equal points do not dominate each other: they are all on
//!    the front, or none is.
//! 2. A point with a figure that is not a number is nowhere: it is not on the front and dominates nothing.
//! 3. The front is in the order of its coordinates, first one first, so it is the same list however the points came;
//!    equal points stay in the order they came in.

/// Whether a point is nowhere worse than another and somewhere better.
#[must_use]
pub fn dominates(one: &[f64], other: &[f64]) -> bool {
    let pairs = || one.iter().zip(other);
    pairs().all(|(one, other)| one <= other) && pairs().any(|(one, other)| one < other)
}

/// The places, in the list given, of the points that no other point dominates.
///
/// A point is compared with the front alone: who dominates it comes before it in the order of coordinates, and whoever
/// dominates that one dominates it, too.
#[must_use]
pub fn front<P: AsRef<[f64]>>(points: &[P]) -> Vec<usize> {
    let at = |place: usize| points[place].as_ref();
    let is_somewhere = |place: &usize| at(*place).iter().all(|coordinate| !coordinate.is_nan());
    let mut places: Vec<usize> = (0..points.len()).filter(is_somewhere).collect();
    places.sort_by(|one, other| at(*one).partial_cmp(at(*other)).unwrap_or(std::cmp::Ordering::Equal));
    let mut front: Vec<usize> = Vec::new();
    for place in places {
        if !front.iter().any(|better| dominates(at(*better), at(place))) {
            front.push(place);
        }
    }
    front
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn of_five_policies_three_are_a_choice() {
        // Instance-hours, broken requests in percent. `steady` costs more than `quick` and breaks as much; `lazy` costs
        // as much as `bare` and breaks more.
        let names = ["steady", "quick", "bare", "lazy", "rich"];
        let points = [[40.0, 0.5], [30.0, 0.5], [10.0, 4.0], [10.0, 9.0], [90.0, 0.0]];
        let chosen: Vec<&str> = front(&points).into_iter().map(|place| names[place]).collect();
        assert_eq!(chosen, ["bare", "quick", "rich"], "cheapest first");
    }

    #[test]
    fn equal_points_are_on_the_front_together() {
        assert_eq!(front(&[[2.0, 1.0], [1.0, 2.0], [2.0, 1.0], [3.0, 3.0], [3.0, 3.0]]), [1, 0, 2]);
        assert!(!dominates(&[2.0, 1.0], &[2.0, 1.0]));
    }

    #[test]
    fn a_tie_in_one_dimension_is_decided_by_the_other() {
        assert!(dominates(&[1.0, 1.0], &[1.0, 2.0]));
        assert!(!dominates(&[1.0, 2.0], &[1.0, 1.0]));
        assert_eq!(front(&[[1.0, 2.0], [1.0, 1.0]]), [1]);
    }

    #[test]
    fn three_dimensions_keep_what_two_would_drop() {
        let points = [[1.0, 1.0, 9.0], [2.0, 2.0, 1.0], [2.0, 2.0, 9.0]];
        assert_eq!(front(&points), [0, 1]);
        assert_eq!(front(&points.map(|[cost, broken, _]| [cost, broken])), [0]);
    }

    #[test]
    fn a_point_without_a_figure_is_nowhere() {
        let points = [[f64::NAN, 0.0], [5.0, 5.0], [f64::INFINITY, 1.0]];
        assert_eq!(front(&points), [1, 2], "endless cost is a figure, none is not");
        assert_eq!(front::<[f64; 2]>(&[]), Vec::<usize>::new());
        assert_eq!(front(&[[f64::NAN]]), Vec::<usize>::new());
    }

    #[test]
    fn zero_has_no_sign() {
        // The second dominates the first, although a zero with a sign sorts before one without.
        assert_eq!(front(&[[-0.0, 2.0], [0.0, 1.0]]), [1]);
        assert_eq!(front(&[[0.0], [-0.0]]), [0, 1]);
    }

    /// Few values, so that ties and equal points come often.
    fn cloud() -> impl Strategy<Value = Vec<[f64; 3]>> {
        prop::collection::vec(prop::array::uniform3(prop::sample::select(vec![-1.0, 0.0, 0.5, 1.0, 2.0, 3.0])), 0..40)
    }

    proptest! {
        #[test]
        fn who_is_off_is_beaten_by_somebody_on_it_and_nobody_on_it_is_beaten(points in cloud()) {
            let front = front(&points);
            for (place, point) in points.iter().enumerate() {
                let beaten_by_anyone = points.iter().any(|other| dominates(other, point));
                let beaten_by_front = front.iter().any(|better| dominates(&points[*better], point));
                prop_assert_eq!(front.contains(&place), !beaten_by_anyone);
                prop_assert_eq!(front.contains(&place), !beaten_by_front);
            }
        }

        #[test]
        fn the_order_of_the_points_does_not_matter(
            (points, shuffled) in cloud().prop_flat_map(|points| (Just(points.clone()), Just(points).prop_shuffle()))
        ) {
            let of = |points: &[[f64; 3]]| front(points).into_iter().map(|place| points[place]).collect::<Vec<_>>();
            prop_assert_eq!(of(&points), of(&shuffled));
        }

        #[test]
        fn other_units_do_not_matter(points in cloud(), scale in 0.1_f64..10.0, shift in -5.0_f64..5.0) {
            let moved: Vec<[f64; 3]> = points.iter().map(|point| point.map(|one| one * scale + shift)).collect();
            prop_assert_eq!(front(&points), front(&moved));
        }
    }
}
