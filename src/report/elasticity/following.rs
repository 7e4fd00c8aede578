//! Supply and demand, taken stretch by stretch, while a run is on or from two curves. Before you change it:
//! 1. What is kept grows with the number of different levels, not with the length of the run.
//! 2. Sums are whole numbers, so that two stretches of the same levels count exactly as one of both lengths.
//! 3. Fractions of demand are kept apart by demand (and of supply by supply), since their sum is no whole number. They
//!    are added up at the end, smallest level first.

use super::Adaptations;
use super::Elasticity;
use super::Instability;
use super::Provisioning;
use super::Shortages;
use crate::units::Span;
use std::collections::BTreeMap;

const NANOS_PER_HOUR: f64 = 3.6e12;

/// Collects an [`Elasticity`].
#[derive(Debug, Clone, Default)]
pub struct Following {
    step: Span,
    /// Nanoseconds so far; below, nanoseconds with too little and with too much.
    nanos: u128,
    nanos_under: u128,
    nanos_over: u128,
    /// Instance-nanoseconds, as all below.
    demand: u128,
    supply: u128,
    missing: BTreeMap<u32, u128>,
    spare: BTreeMap<u32, u128>,
    spare_by_supply: BTreeMap<u32, u128>,
    held: Option<Levels>,
    looked: Option<Levels>,
    instability: Instability,
    demand_adaptations: Adaptations,
    supply_adaptations: Adaptations,
    /// How long the shortage that is on has lasted.
    short: Option<u128>,
    shortages: u64,
    longest: u128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Levels {
    demand: u32,
    supply: u32,
}

impl Following {
    /// Starts with nothing. `step` is how often the levels are looked at for instability; at zero they never are.
    #[must_use]
    pub fn new(step: Span) -> Self {
        Self { step, ..Self::default() }
    }

    /// Takes the next stretch: so much was needed and so much was there for so long. One without length is nothing.
    pub fn hold(&mut self, demand: u32, supply: u32, span: Span) {
        if span == Span::ZERO {
            return;
        }
        let now = Levels { demand, supply };
        let nanos = u128::from(span.nanos());
        if let Some(before) = self.held.replace(now) {
            self.demand_adaptations.take(before.demand, demand);
            self.supply_adaptations.take(before.supply, supply);
        }
        self.look(now, nanos);
        self.add_areas(now, nanos);
        self.add_shortage(now, nanos);
        self.nanos = self.nanos.saturating_add(nanos);
    }

    /// Looks at the levels at every whole step that falls into the stretch. Only the first such look can see a change.
    fn look(&mut self, now: Levels, nanos: u128) {
        let step = u128::from(self.step.nanos());
        if step == 0 {
            return;
        }
        let looks = self.nanos.saturating_add(nanos).div_ceil(step) - self.nanos.div_ceil(step);
        if looks == 0 {
            return;
        }
        let first = u128::from(self.looked.is_none());
        let steps = u64::try_from(looks - first).unwrap_or(u64::MAX);
        self.instability.steps = self.instability.steps.saturating_add(steps);
        if let Some(before) = self.looked.replace(now) {
            match now.supply.cmp(&before.supply).cmp(&now.demand.cmp(&before.demand)) {
                std::cmp::Ordering::Greater => self.instability.above += 1,
                std::cmp::Ordering::Less => self.instability.below += 1,
                std::cmp::Ordering::Equal => {}
            }
        }
    }

    fn add_areas(&mut self, Levels { demand, supply }: Levels, nanos: u128) {
        let add = |sum: &mut u128, level: u32| *sum = sum.saturating_add(u128::from(level).saturating_mul(nanos));
        add(&mut self.demand, demand);
        add(&mut self.supply, supply);
        if demand > supply {
            add(&mut self.nanos_under, 1);
            add(self.missing.entry(demand).or_default(), demand - supply);
        } else if supply > demand {
            add(&mut self.nanos_over, 1);
            add(self.spare.entry(demand).or_default(), supply - demand);
            add(self.spare_by_supply.entry(supply).or_default(), supply - demand);
        }
    }

    fn add_shortage(&mut self, now: Levels, nanos: u128) {
        if now.demand <= now.supply {
            self.short = None;
            return;
        }
        if self.short.is_none() {
            self.shortages = self.shortages.saturating_add(1);
        }
        let lasted = self.short.unwrap_or(0).saturating_add(nanos);
        self.short = Some(lasted);
        self.longest = self.longest.max(lasted);
    }

    /// The metrics of all that was taken; `None` of nothing.
    #[must_use]
    pub fn finish(self) -> Option<Elasticity> {
        if self.nanos == 0 {
            return None;
        }
        let time = self.nanos as f64;
        let all = |sums: &BTreeMap<u32, u128>| sums.values().fold(0, |sum: u128, area| sum.saturating_add(*area));
        let adapted = self.supply_adaptations.instances() as f64 - self.demand_adaptations.instances() as f64;
        Some(Elasticity {
            judged: span(self.nanos),
            provisioning: Provisioning {
                accuracy_under: relative(&self.missing) / time,
                accuracy_over: relative(&self.spare) / time,
                time_under: self.nanos_under as f64 / time,
                time_over: self.nanos_over as f64 / time,
            },
            accuracy_over_of_supply: relative(&self.spare_by_supply) / time,
            missing_mean: all(&self.missing) as f64 / time,
            spare_mean: all(&self.spare) as f64 / time,
            instability: self.instability,
            jitter_per_hour: adapted * NANOS_PER_HOUR / time,
            demand_adaptations: self.demand_adaptations,
            supply_adaptations: self.supply_adaptations,
            shortages: Shortages {
                count: self.shortages,
                total: span(self.nanos_under),
                longest: span(self.longest),
                unfinished: self.short.is_some(),
            },
            demand_hours: self.demand as f64 / NANOS_PER_HOUR,
            supply_hours: self.supply as f64 / NANOS_PER_HOUR,
        })
    }
}

impl Adaptations {
    fn take(&mut self, before: u32, now: u32) {
        self.changes = self.changes.saturating_add(u64::from(before != now));
        self.up = self.up.saturating_add(u64::from(now.saturating_sub(before)));
        self.down = self.down.saturating_add(u64::from(before.saturating_sub(now)));
    }
}

/// The areas, each relative to its level; to one where the level is zero.
fn relative(areas: &BTreeMap<u32, u128>) -> f64 {
    areas.iter().map(|(level, area)| *area as f64 / f64::from((*level).max(1))).sum()
}

fn span(nanos: u128) -> Span {
    Span::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
