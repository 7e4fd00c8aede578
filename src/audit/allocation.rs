//! The rules of a division of a host, stated a second time.

use crate::model::Allocation;
use crate::model::Amount;
use crate::model::Ask;
use crate::model::Limits;
use crate::model::Off;
use crate::model::ServiceName;
use crate::model::Terms;
use crate::units::Bytes;
use crate::units::Millicores;
use std::collections::BTreeMap;

/// A hundredth of a core, in thousandths.
const CPU_STEP: u64 = 10;
/// A mebibyte.
const MEMORY_STEP: u64 = 1 << 20;
/// Services at least this important are not switched off for lack of room.
const ESSENTIAL: u32 = 90;

/// The rules that a division breaks, with its numbers; empty where it is sound.
#[must_use]
pub fn allocation(asks: &BTreeMap<ServiceName, Ask>, terms: &Terms, made: &Allocation) -> Vec<String> {
    let mut breaches = Vec::new();
    for name in asks.keys() {
        if made.shares.contains_key(name) == made.off.contains_key(name) {
            breaches.push(format!("{name}: a service runs or is off, never both and never neither"));
        }
    }
    for name in made.shares.keys().chain(made.off.keys()).filter(|name| !asks.contains_key(*name)) {
        breaches.push(format!("{name}: only services that were asked for are divided among"));
    }
    for (name, off) in &made.off {
        let Some(ask) = asks.get(name) else { continue };
        if ask.kept {
            breaches.push(format!("{name}: a service that is to be kept is off"));
        }
        if made.shares.keys().any(|other| asks.get(other).is_some_and(|ask| ask.depends_on.contains(name))) {
            breaches.push(format!("{name}: it is off and a running service depends on it"));
        }
        match off {
            Off::BelowFloor { floor } if ask.importance >= *floor => {
                breaches.push(format!("{name}: importance {} is not below the floor of {floor}", ask.importance));
            }
            Off::NoRoom if ask.importance >= ESSENTIAL => {
                breaches.push(format!("{name}: an essential service is off for lack of room"));
            }
            _ => {}
        }
    }
    amounts(asks, terms, made, &mut breaches);
    breaches
}

fn amounts(asks: &BTreeMap<ServiceName, Ask>, terms: &Terms, made: &Allocation, breaches: &mut Vec<String>) {
    type Resource = (&'static str, fn(Amount) -> u64, fn(Limits) -> Option<u64>, u64);
    let resources: [Resource; 2] = [
        ("CPU", |amount| amount.cpu.get(), |limits| limits.cpu.map(Millicores::get), CPU_STEP),
        ("memory", |amount| amount.memory.get(), |limits| limits.memory.map(Bytes::get), MEMORY_STEP),
    ];
    for (what, of, stated, step) in resources {
        let factor = terms.multiplier.get();
        let (mut limits, mut kept, mut needs, mut asked) = (0_u128, 0_u128, 0_u128, 0_u128);
        let mut coarsest = 0;
        for (name, share) in &made.shares {
            let Some(ask) = asks.get(name) else { continue };
            let (limit, reservation) = (of(share.limits), of(share.reservations));
            let stated = stated(ask.limits);
            let need = of(ask.need);
            let usual = u128::from(of(ask.usual)) * u128::from(factor) / 1000;
            let wanted = stated.map_or(usual, u128::from);
            let most = if wanted < need.into() { need.next_multiple_of(step).into() } else { wanted };
            if limit < need {
                breaches.push(format!("{name}: {what} limit {limit} is below its need of {need}"));
            }
            if u128::from(limit) > most {
                breaches.push(format!("{name}: {what} limit {limit} is more than the {most} it asked for"));
            }
            if reservation > limit {
                breaches.push(format!("{name}: {what} reservation {reservation} is above the limit {limit}"));
            }
            let replicas = u128::from(ask.replicas);
            limits += u128::from(limit) * replicas;
            kept += u128::from(reservation) * replicas;
            needs += u128::from(need.next_multiple_of(step)) * replicas;
            asked += most * replicas;
            coarsest = coarsest.max(replicas * u128::from(step));
        }
        let (pool, room) = (u128::from(of(terms.pool)), u128::from(of(terms.room())));
        let missing = needs.saturating_sub(pool);
        if missing != u128::from(of(made.short)) {
            breaches.push(format!("{missing} {what} are missing, and {} are said to be", of(made.short)));
        }
        if missing > 0 {
            continue;
        }
        if limits > room.max(needs) {
            breaches.push(format!("{what} limits add up to {limits}, and there is room for {room}"));
        }
        if kept > pool {
            breaches.push(format!("{what} reservations add up to {kept} of a pool of {pool}"));
        }
        // Where something was given up, nothing is left that one more step could have used.
        if limits < asked && limits + coarsest + u128::from(step) <= room {
            breaches.push(format!("{what} limits add up to {limits}, and {room} could have been given"));
        }
    }
}
