//! How well supply followed demand in one run: the elasticity metrics of the field, from two step curves.
//!
//! Sources, and what each of them means by a name:
//! - **SPEC RG**: Herbst, Krebs, Oikonomou, Kousiouris, Evangelinou, Iosup, Kounev, *Ready for Rain?*, SPEC-RG-2016-01,
//!   arXiv:1604.03470. Accuracy is relative to demand, at every moment. These are the figures to show.
//! - **BUNGEE**: Herbst, Kounev, Weber, Groenda, SEAMS 2015, doi:10.1109/SEAMS.2015.23; its code is
//!   `NikolasHerbst/BUNGEE@7adf3abc`. Accuracy is a mean number of instances, jitter is in changed instances.
//! - **ICPE'17**: Ilyushkin, Ali-Eldin, Herbst, Papadopoulos, Ghit, Epema, Iosup, doi:10.1145/3030207.3030214; its
//!   simulator is `atlarge-research/opendc-autoscaling-prototype@cad1581e`. Raw accuracy is relative to the largest
//!   pool, normalised over-provisioning to supply, and instability has two halves.
//! - **Chameleon**: Bauer, Herbst, Spinner, Ali-Eldin, Kounev, IEEE TPDS 30(4) 2019, doi:10.1109/TPDS.2018.2870389, and
//!   Herbst et al., ACM ToMPECS 3(4) 2018, doi:10.1145/3236332: one figure out of many, see `scores`.
//!
//! The two programs were read; the text of the papers was not at hand. Accuracy relative to demand and the speedup are
//! as a summary of Imdoukh et al. gives them (Neural Computing and Applications 2019, doi:10.1007/s00521-019-04507-z,
//! after SPEC RG and Chameleon). That instability compares changes, and the order of the deviation, rest on memory of
//! the formulas.
//!
//! Before you change it:
//! 1. Time adds up in whole nanoseconds and products of it in whole numbers. Each figure is divided once, at the end:
//!    the same curves give the same bytes on every machine, however they are cut into pieces.
//! 2. Shares are fractions of one (the papers print percent). Lower is better for all but jitter, where zero is best,
//!    and speedup. Over-provisioning accuracy has no upper bound.
//! 3. What is divided by a demand (or a supply) of zero is divided by one instance instead, as the ICPE'17 simulator
//!    does: one idle instance that nobody needs is 100 % too much.
//! 4. Instability depends on the step at which the curves are looked at. Compare runs of one step only.
//! 5. Level changes count where the level is in force for some time. The first level is where counting starts from.

mod curve;
mod following;
mod moves;
mod scores;
#[cfg(test)]
mod tests;

pub use curve::Curve;
pub use following::Following;
pub use moves::Direction;
pub use moves::FLAP;
pub use moves::Move;
pub use moves::Pace;
pub use moves::Pacing;
pub use scores::PENALTY;
pub use scores::SPEEDUP_FLOOR;
pub use scores::Speedup;
pub use scores::Weights;
pub use scores::deviation;
pub use scores::distance;
pub use scores::speedup;

use crate::units::Instant;
use crate::units::Span;
use std::ops::Range;

/// What the metrics say of one run, or of the judged part of it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Elasticity {
    /// How long was judged.
    pub judged: Span,
    /// Accuracy and time share, as SPEC RG has them.
    pub provisioning: Provisioning,
    /// Over-provisioning accuracy relative to supply, a fraction of one: the normalised one of ICPE'17. Its
    /// under-provisioning accuracy is the one of SPEC RG.
    pub accuracy_over_of_supply: f64,
    /// Instances too few, mean over all the time: `accuracy_U` of BUNGEE.
    pub missing_mean: f64,
    /// Instances too many, mean over all the time: `accuracy_O` of BUNGEE.
    pub spare_mean: f64,
    /// How often the curves moved apart.
    pub instability: Instability,
    /// Adaptations of supply less those of demand, in instances an hour (BUNGEE: a minute). Below zero supply is
    /// sluggish, above it restless.
    pub jitter_per_hour: f64,
    /// How demand changed.
    pub demand_adaptations: Adaptations,
    /// How supply changed.
    pub supply_adaptations: Adaptations,
    /// Times in which demand was above supply.
    pub shortages: Shortages,
    /// Instance-hours that were needed.
    pub demand_hours: f64,
    /// Instance-hours that were there.
    pub supply_hours: f64,
}

/// How much and for how long supply was off demand, as SPEC RG defines it. Fractions of one.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Provisioning {
    /// What was missing relative to demand, mean over all the time (`accuracy_U`, `θ_U`): 0 to 1.
    pub accuracy_under: f64,
    /// What was too much relative to demand, mean over all the time (`accuracy_O`, `θ_O`): 0 or more.
    pub accuracy_over: f64,
    /// Share of the time with too little (`timeshare_U`, `τ_U`): 0 to 1.
    pub time_under: f64,
    /// Share of the time with too much (`timeshare_O`, `τ_O`): 0 to 1.
    pub time_over: f64,
}

/// Steps in which supply and demand did not move the same way. The first look is at the start of the judged time, the
/// last one before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Instability {
    /// Steps from one look to the next.
    pub steps: u64,
    /// Steps in which supply moved up against demand: it rose and demand did not, or it stayed and demand fell. The `k`
    /// of ICPE'17 (whose simulator compares signs of levels, not of changes, where the formula says changes).
    pub above: u64,
    /// Steps in which supply moved down against demand: the `k'` of ICPE'17.
    pub below: u64,
}

/// Changes of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Adaptations {
    /// Changes, whatever their size.
    pub changes: u64,
    /// Instances added by them.
    pub up: u64,
    /// Instances taken away by them.
    pub down: u64,
}

/// Times in which demand was above supply. Each is one time to capacity: from the moment demand passes supply until
/// supply is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Shortages {
    /// How many. One that is on at the start counts from there.
    pub count: u64,
    /// All of them together.
    pub total: Span,
    /// The longest.
    pub longest: Span,
    /// Whether the last one had not ended. It counts as long as it was seen to last, so that who never catches up does
    /// not look quick.
    pub unfinished: bool,
}

impl Elasticity {
    /// The metrics of two curves from one time up to, and without, another. `step` is how often the curves are looked
    /// at for instability: how often the policy decides, which is 30 s in ICPE'17. `None` where there is no time to
    /// judge.
    #[must_use]
    pub fn of(demand: &Curve, supply: &Curve, over: &Range<Instant>, step: Span) -> Option<Self> {
        let mut following = Following::new(step);
        curve::together(demand, supply, over).for_each(|(demand, supply, span)| following.hold(demand, supply, span));
        following.finish()
    }

    /// The raw accuracies of ICPE'17, under and over: instances off by, relative to the most that can be had. Fractions
    /// of one. `None` where none can be had.
    #[must_use]
    pub fn accuracy_of_pool(&self, resources_max: u32) -> Option<(f64, f64)> {
        let pool = f64::from(resources_max);
        (resources_max > 0).then(|| (self.missing_mean / pool, self.spare_mean / pool))
    }
}

impl Instability {
    /// The share of all steps, a fraction of one; zero without a step.
    #[must_use]
    pub fn share(self) -> f64 {
        let apart = self.above.saturating_add(self.below);
        if self.steps == 0 { 0.0 } else { apart as f64 / self.steps as f64 }
    }
}

impl Adaptations {
    /// Instances added and taken away: what BUNGEE calls the number of adaptations. Four at once are four.
    #[must_use]
    pub const fn instances(self) -> u64 {
        self.up.saturating_add(self.down)
    }
}

impl Shortages {
    /// The mean time to capacity, rounded down to a nanosecond; `None` where supply was always enough.
    #[must_use]
    pub fn mean(self) -> Option<Span> {
        self.total.nanos().checked_div(self.count).map(Span::from_nanos)
    }
}
