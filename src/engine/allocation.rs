//! Divides a host among services (register A1): who runs, and what each gets at most and at least.
//!
//! Before you change it:
//! 1. A service never gets less than it needs. Where the host has less, the least important are switched off; where that
//!    does not do, the answer says what is missing.
//! 2. What the files state is kept where all fits. Else everyone gives up room above the need, the less important more.
//! 3. Shares add up to the room exactly, in steps of 0.01 CPU and 1 MiB: what rounding leaves goes to the largest
//!    remainders. With several instances a rest smaller than one step for each of them may stay.

use crate::model::Allocation;
use crate::model::Amount;
use crate::model::Ask;
use crate::model::Off;
use crate::model::ServiceName;
use crate::model::Share;
use crate::model::Terms;
use crate::model::Turn;
use crate::units::Bytes;
use crate::units::Millicores;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Services at least this important are never switched off to make room: they are what the host is for.
const ESSENTIAL: u32 = 90;
/// CPU is cut in steps of a hundredth of a core.
const CPU_STEP: u64 = 10;
/// Memory is cut in steps of a mebibyte.
const MEMORY_STEP: u64 = 1 << 20;

/// Divides the pool among the services.
#[must_use]
pub fn allocate(asks: &BTreeMap<ServiceName, Ask>, terms: &Terms) -> Allocation {
    let mut off = BTreeMap::new();
    let on = admit(asks, terms, &mut off);
    let running: Vec<(&ServiceName, &Ask)> = asks.iter().filter(|(name, _)| on.contains(*name)).collect();
    let needed =
        running.iter().map(|(_, ask)| rounded_need(ask).times(ask.replicas)).fold(Amount::default(), Amount::plus);
    let short = needed.minus(terms.pool);
    let asked: Vec<Amount> = running.iter().map(|(_, ask)| asked(ask, terms)).collect();
    let limits = divide(&running, &asked, terms.room());
    let kept: Vec<Amount> = running.iter().zip(&limits).map(|((_, ask), limit)| kept(ask, *limit)).collect();
    let reservations = divide(&running, &kept, terms.pool);
    let share = |index: usize, ask: &Ask| Share {
        limits: limits[index],
        reservations: reservations[index],
        pids: ask.pids.unwrap_or_else(|| ask.usual_pids.into()),
        cpu: turn(ask.limits.cpu.map(Millicores::get), usual(ask, terms).cpu.get(), limits[index].cpu.get()),
        memory: turn(ask.limits.memory.map(Bytes::get), usual(ask, terms).memory.get(), limits[index].memory.get()),
    };
    let shares = running.iter().enumerate().map(|(index, (name, ask))| ((*name).clone(), share(index, ask)));
    Allocation { shares: shares.collect(), off, short }
}

/// The services that run: all that the class of the host carries, less what does not fit.
fn admit(
    asks: &BTreeMap<ServiceName, Ask>,
    terms: &Terms,
    off: &mut BTreeMap<ServiceName, Off>,
) -> BTreeSet<ServiceName> {
    let floor = terms.importance_floor;
    let mut on: BTreeSet<ServiceName> = BTreeSet::new();
    let mut wanted: Vec<&ServiceName> =
        asks.iter().filter(|(_, ask)| ask.kept || ask.importance >= floor).map(|(name, _)| name).collect();
    while let Some(name) = wanted.pop() {
        // What a service cannot run without runs, too, whatever its own importance.
        if on.insert(name.clone())
            && let Some(ask) = asks.get(name)
        {
            wanted.extend(ask.depends_on.iter().filter(|other| asks.contains_key(*other)));
        }
    }
    off.extend(asks.keys().filter(|name| !on.contains(*name)).map(|name| (name.clone(), Off::BelowFloor { floor })));

    let need = |name: &ServiceName| asks.get(name).map(|ask| rounded_need(ask).times(ask.replicas)).unwrap_or_default();
    let mut needed = on.iter().map(need).fold(Amount::default(), Amount::plus);
    let mut sent = Vec::new();
    while !needed.fits(terms.pool) {
        let awaited: BTreeSet<&ServiceName> = on
            .iter()
            .filter_map(|name| Some((name, asks.get(name)?)))
            .flat_map(|(name, ask)| ask.depends_on.iter().filter(move |other| *other != name))
            .collect();
        let may_go = |name: &&ServiceName| {
            asks.get(*name).is_some_and(|ask| !ask.kept && ask.importance < ESSENTIAL) && !awaited.contains(name)
        };
        let importance = |name: &&ServiceName| asks.get(*name).map_or(0, |ask| ask.importance);
        let Some(name) = on.iter().filter(may_go).min_by_key(importance).cloned() else { break };
        needed = needed.minus(need(&name));
        on.remove(&name);
        sent.push(name);
    }
    // The last one sent away may have made room for some that went before it.
    for name in sent.into_iter().rev() {
        let with = needed.plus(need(&name));
        let stands = asks
            .get(&name)
            .is_some_and(|ask| ask.depends_on.iter().all(|other| on.contains(other) || !asks.contains_key(other)));
        if with.fits(terms.pool) && stands {
            needed = with;
            on.insert(name);
        } else {
            off.insert(name, Off::NoRoom);
        }
    }
    on
}

/// What a service needs, in whole steps.
fn rounded_need(ask: &Ask) -> Amount {
    Amount {
        cpu: Millicores::new(ask.need.cpu.get().next_multiple_of(CPU_STEP)),
        memory: Bytes::new(ask.need.memory.get().next_multiple_of(MEMORY_STEP)),
    }
}

/// What a service is given where no file says so.
fn usual(ask: &Ask, terms: &Terms) -> Amount {
    let factor = terms.multiplier.get();
    Amount { cpu: ask.usual.cpu.scaled(factor, 1000), memory: ask.usual.memory.scaled(factor, 1000) }
}

/// The claim of one service on one resource: for one instance, in the unit of the resource.
struct Part {
    need: u64,
    ask: u64,
    weight: u64,
    replicas: u64,
}

/// The limit a service asks for: what the files state, else what is usual, and at least its need.
fn asked(ask: &Ask, terms: &Terms) -> Amount {
    let (usual, need) = (usual(ask, terms), rounded_need(ask));
    // A limit that is the need but for rounding stays as it is.
    let cpu = ask.limits.cpu.unwrap_or(usual.cpu);
    let memory = ask.limits.memory.unwrap_or(usual.memory);
    Amount {
        cpu: if cpu >= ask.need.cpu { cpu } else { need.cpu },
        memory: if memory >= ask.need.memory { memory } else { need.memory },
    }
}

/// What a service has kept free: as stated, else half of the limit on the critical path (documents Z and V) and a quarter
/// elsewhere (document J), and never less than what it needs; at most the limit.
fn kept(ask: &Ask, limit: Amount) -> Amount {
    let share = if ask.tier <= 1 { 2 } else { 4 };
    let need = rounded_need(ask);
    let of = |limit: u64, step: u64| (limit / share).div_ceil(step) * step;
    let cpu = ask.reservations.cpu.unwrap_or_else(|| Millicores::new(of(limit.cpu.get(), CPU_STEP)).max(need.cpu));
    let memory =
        ask.reservations.memory.unwrap_or_else(|| Bytes::new(of(limit.memory.get(), MEMORY_STEP)).max(need.memory));
    Amount { cpu: cpu.min(limit.cpu), memory: memory.min(limit.memory) }
}

/// Divides the room among services that want so much each.
fn divide(running: &[(&ServiceName, &Ask)], wanted: &[Amount], room: Amount) -> Vec<Amount> {
    let parts = |of: fn(Amount) -> u64| -> Vec<Part> {
        let part = |((_, ask), wanted): (&(&ServiceName, &Ask), &Amount)| Part {
            need: of(rounded_need(ask)).min(of(*wanted)),
            ask: of(*wanted),
            weight: weight(ask),
            replicas: ask.replicas.into(),
        };
        running.iter().zip(wanted).map(part).collect()
    };
    let cpu = fit(&parts(|amount| amount.cpu.get()), room.cpu.get(), CPU_STEP);
    let memory = fit(&parts(|amount| amount.memory.get()), room.memory.get(), MEMORY_STEP);
    let amount = |(cpu, memory)| Amount { cpu: Millicores::new(cpu), memory: Bytes::new(memory) };
    cpu.into_iter().zip(memory).map(amount).collect()
}

/// How strongly a service holds on to what it asked for above its need: its tier first, then its importance. A critical
/// service of tier 1 keeps nearly three times the share that a background service keeps.
fn weight(ask: &Ask) -> u64 {
    u64::from(4_u8.saturating_sub(ask.tier).max(1)) * 100 + u64::from(ask.importance)
}

/// What each gets of `room`: what it asks for where all fits, else its need and its part of what is left, in whole steps.
/// Where not even the needs fit, everyone gets the need.
fn fit(parts: &[Part], room: u64, step: u64) -> Vec<u64> {
    let asked: u128 = parts.iter().map(|part| u128::from(part.ask) * u128::from(part.replicas)).sum();
    if asked <= u128::from(room) {
        return parts.iter().map(|part| part.ask).collect();
    }
    // Beginning with the need, the rest in steps.
    let slack = |part: &Part| part.ask.saturating_sub(part.need) / step;
    let all = |amount: u64, part: &Part| amount.saturating_mul(part.replicas);
    let needed = parts.iter().map(|part| all(part.need, part)).fold(0, u64::saturating_add);
    let mut left = room.saturating_sub(needed) / step;
    let mut given = vec![0; parts.len()];

    // Everyone's slack grows at the speed of its weight until the room is full: `filled` of the slack per weight, as a
    // fraction. Who has all of it takes no more, and the others share the rest.
    let mut growing: Vec<usize> = (0..parts.len()).filter(|index| slack(&parts[*index]) > 0).collect();
    let (filled, whole) = loop {
        let pull: u128 = growing
            .iter()
            .map(|index| &parts[*index])
            .map(|part| u128::from(part.weight) * u128::from(slack(part)) * u128::from(part.replicas))
            .sum();
        let sated = |index: &usize| u128::from(parts[*index].weight) * u128::from(left) >= pull;
        let (full, rest): (Vec<usize>, Vec<usize>) = growing.iter().partition(|index| sated(index));
        if full.is_empty() {
            break (u128::from(left), pull.max(1));
        }
        for index in full {
            given[index] += slack(&parts[index]);
            left = left.saturating_sub(all(slack(&parts[index]), &parts[index]));
        }
        growing = rest;
        if growing.is_empty() {
            break (0, 1);
        }
    };
    let mut remainders: Vec<(u128, usize)> = Vec::new();
    for index in growing {
        let part = &parts[index];
        let exact = u128::from(part.weight) * u128::from(slack(part)) * filled;
        let steps = u64::try_from(exact / whole).unwrap_or(u64::MAX).min(slack(part));
        given[index] += steps;
        left = left.saturating_sub(all(steps, part));
        remainders.push((exact % whole, index));
    }
    // Largest remainder first; equal ones in the order of their names.
    remainders.sort_by_key(|(remainder, index)| (std::cmp::Reverse(*remainder), *index));
    let takes =
        |index: usize, given: &[u64], left: u64| parts[index].replicas <= left && given[index] < slack(&parts[index]);
    while remainders.iter().any(|(_, index)| takes(*index, &given, left)) {
        for (_, index) in &remainders {
            if takes(*index, &given, left) {
                given[*index] += 1;
                left -= parts[*index].replicas;
            }
        }
    }
    let mut given: Vec<u64> = parts.iter().zip(given).map(|(part, steps)| part.need + steps * step).collect();
    // Who asked for an odd amount may be less than a step away from it.
    let mut rest = room
        .saturating_sub(parts.iter().zip(&given).map(|(part, given)| all(*given, part)).fold(0, u64::saturating_add));
    for (part, given) in parts.iter().zip(&mut given) {
        let missing = all(part.ask - *given, part);
        if missing <= rest && part.ask - *given < step {
            rest -= missing;
            *given = part.ask;
        }
    }
    given
}

fn turn(stated: Option<u64>, usual: u64, given: u64) -> Turn {
    match stated {
        None if given >= usual => Turn::Set,
        None => Turn::SetToFit,
        Some(stated) if given < stated => Turn::Cut,
        Some(stated) if given > stated => Turn::Raised,
        Some(_) => Turn::Kept,
    }
}
