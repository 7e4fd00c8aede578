//! The line to the outside of a drawn project, and what is sent over it. Before you change it:
//! 1. It has a stream of its own, so that everything else of a seed is as it was before there was a line.
//! 2. What the calm asks for is at most [`CALM`] of the bandwidth in each direction, and one transfer takes no longer than
//!    [`LONGEST`] on an idle line: far less than anybody's patience. In the storm more may come than the line carries.

use super::dice::Dice;
use super::drawn::Drawn;
use super::storm;
use crate::units::Bytes;
use crate::units::Rate;

/// Wide projects in a hundred that have a line.
const LINES: u64 = 40;
/// Share of the bandwidth that all services together use in the calm at most, in percent.
const CALM: u64 = 40;
/// Share of a second that a request or an answer takes on an idle line at most, in percent.
const LONGEST: u64 = 10;

/// Gives some wide projects a line, their services sizes, and faults of the line.
pub(super) fn give(dice: &mut Dice, drawn: &mut Drawn) {
    if !drawn.is_wide || !dice.chance(LINES) {
        return;
    }
    let mbit = dice.one_of(&[10, 100, 1000]);
    drawn.network_mbit = Some(mbit);
    let bandwidth = u64::from(mbit) * 125_000;
    let count = drawn.services.len() as u64;
    for service in &mut drawn.services {
        if !dice.chance(70) {
            continue;
        }
        let calm = service.load.first().map_or(Rate::ZERO, |level| level.1);
        let by_share = u128::from(bandwidth) * u128::from(CALM) * 10_000 / u128::from(count * calm.get().max(1));
        let most = u64::try_from(by_share).unwrap_or(u64::MAX).min(bandwidth * LONGEST / 100).max(1);
        let size = |dice: &mut Dice| Bytes::new(if dice.chance(20) { 0 } else { dice.between(1, most) });
        service.sizes = [size(dice), size(dice)];
    }
    if dice.chance(50) {
        drawn.faults.push(storm::slow_network(dice, drawn));
    }
}
