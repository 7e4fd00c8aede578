//! A response curve on a grid: cheap to read, cheap to invert.
//!
//! Before you change it:
//! 1. What is kept is the pace, mean work over mean response: it falls from one to zero at saturation, and a cubic that
//!    keeps its knots' order keeps the order of the response times, whatever the table says.
//! 2. The grid is uniform in the [`Warp`] of the load, so that it is dense where the curve bends.
//! 3. `load_for` inverts the interpolated curve itself, not the function it was made from.

use crate::world::sim::queueing::LOAD_MAX;

const SEGMENTS: usize = 64;

/// A coordinate of the load: 0 at an idle station, 1 at a saturated one, stretched where little is free.
/// `(1 − load) / (1 − load + bend)`, scaled to that range; half of it lies where less than about `bend` is free.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Warp {
    bend: f64,
}

impl Warp {
    /// The coordinate that is dense where less than `bend` of the capacity is free.
    #[must_use]
    pub const fn new(bend: f64) -> Self {
        Self { bend }
    }

    /// The coordinate of a load.
    #[must_use]
    pub fn of(self, load: f64) -> f64 {
        load * self.bend / (1.0 - load + self.bend)
    }

    /// The load at a coordinate.
    #[must_use]
    pub fn load(self, place: f64) -> f64 {
        place * (1.0 + self.bend) / (self.bend + place)
    }

    /// How fast the coordinate grows with the load.
    fn slope(self, load: f64) -> f64 {
        let free = 1.0 - load + self.bend;
        self.bend * (1.0 + self.bend) / (free * free)
    }
}

/// The curve of the pace, and of the share of throttled periods.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    warp: Warp,
    knots: Box<[Knot; SEGMENTS + 1]>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Knot {
    /// The load that it is at.
    load: f64,
    /// Mean work over mean response.
    pace: f64,
    /// Its slope by segment.
    slope: f64,
    /// Share of throttled periods.
    throttled: f64,
}

/// What lies between the points of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Between {
    /// A function with many derivatives: slopes of fourth order.
    Smooth,
    /// Something measured: slopes that never overshoot.
    Measured,
}

impl Curve {
    /// The curve of a function of the load that returns `(1 − load) · mean response / mean work`, which is finite up to
    /// saturation, and the share of throttled periods. What falls with the load is raised to what was before.
    pub(super) fn new(warp: Warp, between: Between, mut scaled: impl FnMut(f64) -> (f64, f64)) -> Self {
        let mut knots = Box::new([Knot::default(); SEGMENTS + 1]);
        let mut slowest = 1.0;
        let mut most = 0.0;
        for (index, knot) in knots.iter_mut().enumerate() {
            let load = warp.load(index as f64 / SEGMENTS as f64).min(1.0);
            let (value, throttled) = scaled(load);
            slowest = f64::min(slowest, (1.0 - load) / value);
            most = f64::max(most, throttled);
            (knot.load, knot.pace, knot.throttled) = (load, slowest, most);
        }
        for index in 0..=SEGMENTS {
            knots[index].slope = match between {
                Between::Smooth => slope_smooth(&knots, index),
                Between::Measured => slope_bounded(&knots, index),
            };
        }
        Self { warp, knots }
    }

    /// Where it is dense.
    pub(super) const fn warp(&self) -> Warp {
        self.warp
    }

    /// Mean response over mean work at a load, and the share of throttled periods.
    pub(super) fn at(&self, load: f64) -> (f64, f64) {
        let load = load.clamp(0.0, LOAD_MAX);
        let place = self.warp.of(load) * SEGMENTS as f64;
        let segment = segment_of(place);
        let part = place - segment as f64;
        let (left, right) = (self.knots[segment].throttled, self.knots[segment + 1].throttled);
        (1.0 / self.value(segment, part).0, left + part * (right - left))
    }

    /// The load at which load times mean response over mean work is `waiting`: bisection kept by Newton's steps, on the
    /// very curve that `at` reads.
    pub(super) fn load_for(&self, waiting: f64) -> f64 {
        if waiting.is_nan() || waiting <= 0.0 {
            return 0.0;
        }
        let (mut segment, mut above) = (0, SEGMENTS);
        while above - segment > 1 {
            let middle = usize::midpoint(segment, above);
            let knot = &self.knots[middle];
            if knot.load <= waiting * knot.pace { segment = middle } else { above = middle }
        }
        let (mut low, mut high) = (self.knots[segment].load, self.knots[segment + 1].load);
        let mut load = (low + high) / 2.0;
        for _ in 0..60 {
            let part = self.warp.of(load) * SEGMENTS as f64 - segment as f64;
            let (pace, slope) = self.value(segment, part);
            let excess = load - waiting * pace;
            if excess > 0.0 {
                high = load;
            } else {
                low = load;
            }
            let newton = load - excess / (1.0 - waiting * slope * self.warp.slope(load) * SEGMENTS as f64);
            let next = if newton >= low && newton <= high { newton } else { (low + high) / 2.0 };
            let step = (next - load).abs();
            load = next;
            if step <= 1e-9 * load {
                break;
            }
        }
        load.clamp(0.0, LOAD_MAX)
    }

    /// The pace at a part of a segment, and its slope by segment.
    fn value(&self, segment: usize, part: f64) -> (f64, f64) {
        let (left, right) = (&self.knots[segment], &self.knots[segment + 1]);
        hermite(left.pace, right.pace, left.slope, right.slope, part)
    }
}

/// The segment a place falls into.
fn segment_of(place: f64) -> usize {
    crate::units::place(place).min(SEGMENTS - 1)
}

/// Differences of fourth order, one-sided at the ends.
fn slope_smooth(knots: &[Knot; SEGMENTS + 1], index: usize) -> f64 {
    let first = index.saturating_sub(2).min(SEGMENTS - 4);
    let weights = match index - first {
        0 => [-25.0, 48.0, -36.0, 16.0, -3.0],
        1 => [-3.0, -10.0, 18.0, -6.0, 1.0],
        2 => [1.0, -8.0, 0.0, 8.0, -1.0],
        3 => [-1.0, 6.0, -18.0, 10.0, 3.0],
        _ => [3.0, -16.0, 36.0, -48.0, 25.0],
    };
    weights.iter().zip(&knots[first..]).map(|(weight, knot)| weight * knot.pace).sum::<f64>() / 12.0
}

/// Slopes that keep a cubic within its two ends (Fritsch and Butland 1984).
fn slope_bounded(knots: &[Knot; SEGMENTS + 1], index: usize) -> f64 {
    let rise = |from: usize| knots[from + 1].pace - knots[from].pace;
    match index {
        0 => rise(0),
        SEGMENTS => rise(SEGMENTS - 1),
        _ => slope_between(rise(index - 1), rise(index)),
    }
}

/// A value a part of the way from one of a row's figures to the next, never beyond the two.
pub(super) fn bounded(row: &[f64], index: usize, part: f64) -> f64 {
    let rise = |from: usize| row[from + 1] - row[from];
    let here = rise(index);
    let left = if index == 0 { here } else { slope_between(rise(index - 1), here) };
    let right = if index + 2 >= row.len() { here } else { slope_between(here, rise(index + 1)) };
    hermite(row[index], row[index + 1], left, right, part).0
}

/// The harmonic mean of two slopes, or zero where they differ in sign.
fn slope_between(before: f64, after: f64) -> f64 {
    if before * after <= 0.0 { 0.0 } else { 2.0 * before * after / (before + after) }
}

/// A cubic with these values and slopes at its ends, and its own slope, a part of the way between.
pub(super) fn hermite(left: f64, right: f64, left_slope: f64, right_slope: f64, part: f64) -> (f64, f64) {
    let rise = right - left;
    let second = 3.0 * rise - 2.0 * left_slope - right_slope;
    let third = left_slope + right_slope - 2.0 * rise;
    let value = left + part * (left_slope + part * (second + part * third));
    (value, left_slope + part * (2.0 * second + 3.0 * part * third))
}
