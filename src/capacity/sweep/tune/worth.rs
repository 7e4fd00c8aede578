//! What a point is worth: its aims, and how much it breaks of what it must hold.

use super::front::front;
use super::search::Worth;
use crate::capacity::sweep::Header;
use crate::capacity::sweep::Role;
use crate::capacity::sweep::Tuned;
use crate::capacity::sweep::scored::Expected;
use crate::capacity::sweep::scored::Measured;
use crate::capacity::sweep::scored::Scored;
use crate::input::sweep::Sweep;
use crate::model::Bound;
use crate::report::Figure;
use crate::report::expected;

/// Where in the rows the aims stand, and the expectations that must hold.
pub(super) struct Scale {
    aims: Vec<(Place, bool)>,
    /// Places among the expectations.
    pub(super) hold: Vec<usize>,
}

/// Where an aim stands.
#[derive(Clone, Copy)]
enum Place {
    Measure(usize),
    Expectation(usize),
}

impl Scale {
    pub(super) fn of(header: &Header, tuned: &Tuned) -> Self {
        let names = |role: Role| -> Vec<&str> {
            header.columns.iter().filter(|column| column.role == role).map(|column| column.name.as_str()).collect()
        };
        let (measures, expectations) = (names(Role::Measure), names(Role::Measured));
        let place = |name: &str| {
            let among = |names: &[&str]| names.iter().position(|known| *known == name);
            among(&measures).map(Place::Measure).or_else(|| among(&expectations).map(Place::Expectation))
        };
        let aims = tuned.aims.iter().filter_map(|aim| Some((place(&aim.name)?, aim.highest)));
        let hold = tuned.hold.iter().filter_map(|name| expectations.iter().position(|known| *known == name));
        Self { aims: aims.collect(), hold: hold.collect() }
    }

    /// What was measured for each aim.
    pub(super) fn measured<'s>(&self, point: &'s Scored) -> Vec<&'s Measured> {
        let of = |(place, _): &(Place, bool)| match *place {
            Place::Measure(place) => &point.measures[place],
            Place::Expectation(place) => &point.expectations[place].measured,
        };
        self.aims.iter().map(of).collect()
    }

    /// The mean of each aim over the seeds, turned so that lower is better; endless where it could not be measured.
    pub(super) fn aims(&self, point: &Scored) -> Vec<f64> {
        let turned = |(measured, (_, highest)): (&Measured, &(Place, bool))| match measured.spread {
            Some((_, mean, _)) if *highest => -mean,
            Some((_, mean, _)) => mean,
            None => f64::INFINITY,
        };
        self.measured(point).into_iter().zip(&self.aims).map(turned).collect()
    }

    /// Whether all that must hold does, in as many seeds as it must.
    pub(super) fn holds(&self, point: &Scored) -> bool {
        self.hold.iter().all(|place| point.expectations[*place].holds)
    }
}

/// The scale with the bounds of what must hold.
pub(super) struct Yardstick {
    scale: Scale,
    bounds: Vec<Option<f64>>,
}

impl Yardstick {
    /// Of a sweep that is tuned.
    pub(super) fn of(sweep: &Sweep, header: &Header) -> Self {
        let nothing = Tuned { aims: Vec::new(), hold: Vec::new(), check: Vec::new() };
        let scale = Scale::of(header, header.tuned.as_ref().unwrap_or(&nothing));
        let expected = expected(&sweep.opened.resolved.scenario);
        let bound = |place: &usize| {
            expected.get(*place).map(|one| match one.bound {
                Bound::Value(quantity) => Figure::of(quantity).value,
                Bound::OfLimit(share) => share.as_fraction(),
            })
        };
        let bounds = scale.hold.iter().map(bound).collect();
        Self { scale, bounds }
    }

    pub(super) fn worth(&self, point: &Scored) -> Worth {
        Worth { aims: self.scale.aims(point), broken: self.broken(point) }
    }

    /// For each expectation that must hold and does not: the share of seeds that break it, and how far the mean of what was
    /// measured is off its bound, as a share of the larger of the two.
    fn broken(&self, point: &Scored) -> f64 {
        let of = |(place, bound): (&usize, &Option<f64>)| {
            let one = &point.expectations[*place];
            if one.holds { 0.0 } else { 1.0 - one.held as f64 / point.seeds.max(1) as f64 + off(one, *bound) }
        };
        self.scale.hold.iter().zip(&self.bounds).map(of).sum()
    }

    /// The points to be run on the other seeds: the scenario's own and the front; where nothing holds what it must, the one
    /// that breaks least.
    pub(super) fn to_check(&self, points: &[Scored]) -> Vec<u64> {
        let mut found = front(&self.scale, points);
        if found.is_empty() {
            let least = (0..points.len()).min_by(|one, other| {
                self.broken(&points[*one]).total_cmp(&self.broken(&points[*other])).then(one.cmp(other))
            });
            found.extend(least);
        }
        let mut again: Vec<u64> = found.into_iter().map(|place| points[place].point).chain([0]).collect();
        again.sort_unstable();
        again.dedup();
        again
    }
}

fn off(one: &Expected, bound: Option<f64>) -> f64 {
    let (Some(bound), Some((_, mean, _))) = (bound, one.measured.spread) else { return 1.0 };
    let larger = mean.abs().max(bound.abs());
    if !mean.is_finite() {
        return 1.0;
    }
    if larger > 0.0 { ((mean - bound).abs() / larger).min(1.0) } else { 0.0 }
}
