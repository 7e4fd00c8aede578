//! The efficiency score (register M3): how well what is kept is used, from 0 to 1.
//!
//! The planning document calls it "resource utilization effectiveness" and names 70 to 80 % as the best utilization; the
//! rest is ours, and stated here. Utilization is the P95 over time of what an instance uses of what is kept for it, and
//! worth what [`utilization_worth`] says. The score is the mean over CPU and memory of all services, weighted by
//! what they cost while they are kept. Services for which nothing is kept have no part in it.

use super::trial::Trial;
use crate::money::Cost;
use crate::money::Prices;
use crate::report::Level;
use crate::report::utilization_worth;
use crate::units::Permille;

/// The score of what was tried; `None` where nothing is kept for anybody.
pub(super) fn score(trial: &Trial) -> Option<Permille> {
    let prices = Prices::default();
    let (mut sum, mut weights) = (0_u128, 0_u128);
    for gathering in &trial.gathered {
        for (seen, kept) in gathering.services.values().zip(gathering.kept.services().values()) {
            let Cost { cpu, memory, .. } = prices.of(kept);
            for (level, weight) in [(&seen.cpu_share, cpu), (&seen.memory_share, memory)] {
                if *level != Level::default() {
                    let effective = utilization_worth(Permille::new(level.percentile(95)));
                    sum += u128::from(effective.get()) * u128::from(weight.get());
                    weights += u128::from(weight.get());
                }
            }
        }
    }
    u64::try_from(sum.checked_div(weights)?).ok().map(Permille::new)
}
