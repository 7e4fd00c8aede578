//! Where a rising function passes zero.

/// The place between `low` and `high` where a rising function passes zero; the end next to it where it does not.
/// It is given up to a billionth of itself, or where the function is no further than `enough` from zero.
///
/// Regula falsi, Illinois variant (Dowell and Jarratt 1971): an end that stays for two steps counts half, so that the other
/// one comes nearer, too. Where three steps did not halve what is between the ends, as beside a bend between a steep and a
/// flat part, the next one does.
pub(super) fn rising(mut low: f64, mut high: f64, enough: f64, function: impl Fn(f64) -> f64) -> f64 {
    let (mut at_low, mut at_high) = (function(low), function(high));
    if at_low >= 0.0 {
        return low;
    }
    if at_high <= 0.0 {
        return high;
    }
    let (mut last, mut width) = (0.0, high - low);
    for step in 0..120 {
        if high - low <= 1e-9 * high {
            break;
        }
        let slow = step % 4 == 3 && high - low > width / 2.0;
        if step % 4 == 3 {
            width = high - low;
        }
        let middle = if slow {
            low.midpoint(high)
        } else {
            (high - at_high * (high - low) / (at_high - at_low)).clamp(low, high)
        };
        let at_middle = function(middle);
        if at_middle.abs() <= enough {
            return middle;
        }
        if at_middle < 0.0 {
            (low, at_low) = (middle, at_middle);
            if last < 0.0 {
                at_high /= 2.0;
            }
        } else {
            (high, at_high) = (middle, at_middle);
            if last > 0.0 {
                at_low /= 2.0;
            }
        }
        last = at_middle;
    }
    low.midpoint(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn it_is_found_in_few_steps() {
        let steps = Cell::new(0);
        let counted = |function: fn(f64) -> f64| {
            steps.set(0);
            let steps = &steps;
            move |place| {
                steps.set(steps.get() + 1);
                function(place)
            }
        };
        let root = rising(0.0, 10.0, 0.0, counted(|place| place * place - 2.0));
        assert!((root - core::f64::consts::SQRT_2).abs() < 1e-9 && steps.get() < 20, "{root} after {}", steps.get());
        let root = rising(0.0, 1e4, 1e-12, counted(|place| libm::log(1.0 + place) - 1.0));
        assert!((root - (core::f64::consts::E - 1.0)).abs() < 1e-9 && steps.get() < 30, "{root} after {}", steps.get());
        let root = rising(0.0, 9.0, 1e-12, counted(|place| if place < 1.0 { place - 2.0 } else { 5.0 * place - 6.0 }));
        assert!((root - 1.2).abs() < 1e-9 && steps.get() < 20, "{root} after {}", steps.get());
    }

    /// A hundred clients who never think: as steep as a wall up to where all are inside, flat beyond it.
    #[test]
    fn a_bend_does_not_keep_it() {
        for (steep, bend) in [(1e6, 100.0), (1e9, 1e-3), (1e3, 104.9)] {
            let function = |place: f64| (place - 0.999 * bend).min(0.001 * bend) * steep + (place - bend).max(0.0);
            let root = rising(0.0, 105.0, 0.0, function);
            assert!((root / (0.999 * bend) - 1.0).abs() < 1e-8, "{root} for {}", 0.999 * bend);
        }
    }

    #[test]
    fn what_passes_zero_outside_ends_at_the_end() {
        assert!((rising(1.0, 2.0, 0.0, |place| place) - 1.0).abs() < 1e-12);
        assert!((rising(1.0, 2.0, 0.0, |place| place - 3.0) - 2.0).abs() < 1e-12);
    }
}
