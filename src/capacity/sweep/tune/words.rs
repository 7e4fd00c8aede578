//! What a tuned sweep comes to, in words: what is better than the scenario's own values on seeds that the search did not see.

use super::worth::Scale;
use crate::capacity::sweep::Role;
use crate::capacity::sweep::Table;
use crate::capacity::sweep::Tuned;
use crate::capacity::sweep::scored::Scored;
use crate::capacity::sweep::scored::columns;
use crate::capacity::sweep::text::mean;
use crate::report::pareto::dominates;
use crate::report::words::counted;

/// Below this share a difference is none that anybody would change a policy for.
const SAME: f64 = 0.005;

/// What was found, by the numbers of points.
pub(super) struct Findings<'a> {
    pub(super) table: &'a Table,
    pub(super) tuned: &'a Tuned,
    pub(super) scale: &'a Scale,
    pub(super) search: &'a [Scored],
    pub(super) check: &'a [Scored],
    /// The front of the search, best in the first aim first.
    pub(super) front: &'a [u64],
    /// Who is on the front of the check.
    pub(super) still: &'a [u64],
}

impl Findings<'_> {
    /// A point of the check.
    pub(super) fn checked(&self, point: u64) -> Option<&Scored> {
        self.check.iter().find(|one| one.point == point)
    }

    /// The unit of each aim.
    pub(super) fn units(&self) -> Vec<&str> {
        let of = |name: &String| {
            let is_aim = |role: Role| matches!(role, Role::Measure | Role::Measured);
            columns(self.table, is_aim).into_iter().find(|(_, column)| column.name == *name)
        };
        let unit = |aim: &crate::capacity::sweep::Aimed| of(&aim.name).map_or("", |(_, column)| column.unit.as_str());
        self.tuned.aims.iter().map(unit).collect()
    }

    /// The point to tell of: one that is nowhere worse than the scenario's own and somewhere clearly better on the other seeds,
    /// of several the one that gains most in all; and whether there is one. Else the best in the first aim.
    pub(super) fn told(&self) -> Option<(&Scored, bool)> {
        let own = self.checked(0)?;
        let aims = self.scale.aims(own);
        let own_holds = self.scale.holds(own);
        let others = || self.check.iter().filter(|point| point.point != 0 && self.still.contains(&point.point));
        let is_clear = |(aim, own): (&f64, &f64)| aim < own && share(*aim, *own).is_none_or(|share| share <= -SAME);
        let is_better = |point: &&Scored| {
            let these = self.scale.aims(point);
            !own_holds || (dominates(&these, &aims) && these.iter().zip(&aims).any(is_clear))
        };
        let gain = |point: &Scored| -> f64 {
            let of = |(aim, own): (&f64, &f64)| share(*aim, *own).unwrap_or_default();
            -self.scale.aims(point).iter().zip(&aims).map(of).sum::<f64>()
        };
        let better = others().filter(is_better).max_by(|one, other| gain(one).total_cmp(&gain(other)));
        let first = || others().min_by(|one, other| self.scale.aims(one)[0].total_cmp(&self.scale.aims(other)[0]));
        better.map(|point| (point, true)).or_else(|| first().map(|point| (point, false)))
    }

    /// A sentence each.
    pub(super) fn sentences(&self) -> Vec<String> {
        let unseen = format!("on {} that the search did not see", counted(self.tuned.check.len() as u64, "seed"));
        let Some(own) = self.checked(0) else { return Vec::new() };
        if self.front.is_empty() {
            return self.nothing_holds();
        }
        let mut told = Vec::new();
        match self.told() {
            Some((point, true)) => {
                let own_breaks = self.breaks(own).map(|what| format!(", which break {what} there"));
                told.push(format!(
                    "Point {} is better than the scenario's own values{} {unseen}: {}. It breaks nothing there{}.",
                    point.point,
                    own_breaks.unwrap_or_default(),
                    self.against(point, own),
                    self.but(point),
                ));
            }
            Some((point, false)) => told.push(format!(
                "No point is clearly better than the scenario's own values in one aim and no worse in the others {unseen}. Point {} \
                 is the best in “{}”: {}. It breaks nothing there{}.",
                point.point,
                self.tuned.aims[0].name,
                self.against(point, own),
                self.but(point),
            )),
            None => told.push(format!("No other point than the scenario's own is on the front {unseen}.")),
        }
        told.extend(self.ends(own));
        let front: Vec<&Scored> = self.front.iter().filter_map(|point| self.checked(*point)).collect();
        let hold = front.iter().filter(|point| self.scale.holds(point)).count();
        let still = front.iter().filter(|point| self.still.contains(&point.point)).count();
        let of = counted(front.len() as u64, "point");
        told.push(match (hold == front.len(), still == front.len()) {
            (true, true) => format!("The whole front, {of}, holds there and is a front there, too."),
            (true, false) => format!("Of {of} of the front all hold there, and {still} are on the front there, too."),
            (false, _) => format!("Of {of} of the front {hold} hold there, and {still} are on the front there, too."),
        });
        told
    }

    /// The best in each aim, where they are several points: between them lies the choice.
    fn ends(&self, own: &Scored) -> Option<String> {
        let on_front: Vec<&Scored> = self.check.iter().filter(|point| self.still.contains(&point.point)).collect();
        let best = |place: usize| {
            let aim = |point: &&&Scored| self.scale.aims(point)[place];
            on_front.iter().min_by(|one, other| aim(one).total_cmp(&aim(other))).copied()
        };
        let ends: Vec<&Scored> = (0..self.tuned.aims.len()).filter_map(best).collect();
        if ends.windows(2).all(|pair| pair[0].point == pair[1].point) {
            return None;
        }
        let told = ends.iter().zip(&self.tuned.aims).map(|(point, aim)| {
            let way = if aim.highest { "highest" } else { "lowest" };
            let who = if point.point == 0 { "the scenario's own".to_owned() } else { format!("point {}", point.point) };
            let against = if point.point == 0 { String::new() } else { format!(", {}", self.against(point, own)) };
            format!("{who} for the {way} “{}”{against}", aim.name)
        });
        Some(format!("The ends of the front there: {}.", told.collect::<Vec<_>>().join("; ")))
    }

    fn nothing_holds(&self) -> Vec<String> {
        let all = counted(self.search.len() as u64, "point");
        let mut told = vec![format!("None of {all} holds what it must.")];
        if let Some((nearest, what)) = self.check.last().and_then(|point| Some((point, self.breaks(point)?))) {
            let other = counted(self.tuned.check.len() as u64, "other seed");
            told.push(format!("Point {} is the nearest: it breaks {what} on {other}.", nearest.point));
        }
        told
    }

    /// What a point breaks of what it must hold.
    fn breaks(&self, point: &Scored) -> Option<String> {
        let names = columns(self.table, |role| role == Role::Measured);
        let broken = self.scale.hold.iter().filter(|place| !point.expectations[**place].holds);
        let broken: Vec<String> = broken.map(|place| format!("“{}”", names[*place].1.name)).collect();
        (!broken.is_empty()).then(|| broken.join(" and "))
    }

    /// Expectations that need not hold, and do not.
    fn but(&self, point: &Scored) -> String {
        let names = columns(self.table, |role| role == Role::Measured);
        let broken =
            (0..names.len()).filter(|place| !self.scale.hold.contains(place) && !point.expectations[*place].holds);
        let broken: Vec<String> = broken.map(|place| format!("“{}”", names[place].1.name)).collect();
        if broken.is_empty() { String::new() } else { format!(" of what it must hold, but {}", broken.join(" and ")) }
    }

    /// Each aim of a point against that of the scenario's own values.
    fn against(&self, point: &Scored, own: &Scored) -> String {
        let (these, those) = (self.scale.measured(point), self.scale.measured(own));
        let pairs = these.into_iter().zip(those).zip(self.units()).zip(&self.tuned.aims);
        let told = pairs.map(|(((one, own), unit), aim)| {
            let (here, there) = (mean(one, unit), mean(own, unit));
            let value = |measured: &crate::capacity::sweep::scored::Measured| measured.spread.map(|(_, mean, _)| mean);
            let by = match (value(one), value(own)) {
                (Some(one), Some(own)) => share(one, own).map_or_else(String::new, percent),
                _ => String::new(),
            };
            format!("{} {here} instead of {there}{by}", aim.name)
        });
        told.collect::<Vec<_>>().join(", ")
    }
}

/// How much a figure differs from another, as a share of that; `None` where that is zero or endless.
fn share(one: f64, own: f64) -> Option<f64> {
    (own != 0.0 && own.is_finite() && one.is_finite()).then(|| (one - own) / own.abs())
}

/// ` (12 % less)`.
fn percent(share: f64) -> String {
    if share.abs() < SAME {
        return String::new();
    }
    let word = if share < 0.0 { "less" } else { "more" };
    format!(" ({} % {word})", libm::round(share.abs() * 100.0))
}
