//! Containers of a drawn project that run on some cores only, and callers with so many connections. Before you change it:
//! 1. Both are drawn last and from streams of their own, so that all else of a seed stays as it was: the load, too. So a
//!    service is pinned only to cores that can carry the calm of all who may run there, and a caller has at least the
//!    connections that its calm needs when the engine has lowered all limits.
//! 2. What a pool lets through is all that the engine sees of a load: with too small a one, nobody could help.

use super::dice::Dice;
use super::drawn::Drawn;
use super::room;
use crate::model::CoreSet;

/// Wide projects in a hundred with pinned containers, and calls in a hundred with a pool.
const PINNED: u64 = 35;
const POOLED: u64 = 30;
/// Share of the cores that the calm of all who are pinned to them, and of a fair part of the others, uses at most, in percent.
const CALM: u128 = 45;

/// Pins some services to cores.
pub(super) fn pin(drawn: &mut Drawn) {
    let mut dice = Dice::new(drawn.seed, "swarm, cores");
    let speeds = room::cores(drawn);
    if speeds.len() < 2 || !dice.chance(PINNED) {
        return;
    }
    for place in 0..drawn.services.len() {
        let (count, from) = (dice.place(speeds.len()) + 1, dice.place(speeds.len()));
        if !dice.chance(60) {
            continue;
        }
        let mut cores: Vec<usize> = (from..from + count).map(|core| core % speeds.len()).collect();
        cores.sort_unstable();
        drawn.services[place].cpuset = Some(written(&cores));
        let sets: Vec<CoreSet> = drawn.services.iter().filter_map(set).collect();
        if !carries(drawn, &speeds) || CoreSet::overlap_too_much(sets.iter()) {
            drawn.services[place].cpuset = None;
        }
    }
}

fn set(service: &super::drawn::DrawnService) -> Option<CoreSet> {
    CoreSet::parse(service.cpuset.as_deref()?).ok()
}

/// Cores as Compose writes them: `0-2,5`.
fn written(cores: &[usize]) -> String {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for core in cores.iter().copied() {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == core => *last = core,
            _ => parts.push((core, core)),
        }
    }
    let part = |(from, to): &(usize, usize)| if from == to { from.to_string() } else { format!("{from}-{to}") };
    parts.iter().map(part).collect::<Vec<_>>().join(",")
}

/// Whether each set of cores carries the calm of all that may run on any of them.
fn carries(drawn: &Drawn, speeds: &[u64]) -> bool {
    let used = room::calm_cpu(drawn);
    let speed = |set: &CoreSet| -> u128 {
        let of = |core: u32| usize::try_from(core).ok().and_then(|core| speeds.get(core)).copied().unwrap_or(0);
        set.cores().map(|core| u128::from(of(core))).sum()
    };
    let all: u128 = speeds.iter().map(|speed| u128::from(*speed)).sum();
    drawn.services.iter().filter_map(set).all(|mine| {
        let capacity = speed(&mine);
        let asked = drawn.services.iter().zip(&used).map(|(service, used)| match set(service) {
            None => used * 2 * capacity / all.max(1),
            Some(other) if other.cores().any(|core| mine.cores().any(|one| one == core)) => *used,
            Some(_) => 0,
        });
        asked.sum::<u128>() * 100 <= capacity * CALM
    })
}

/// Gives some callers pools of connections.
pub(super) fn pool(drawn: &mut Drawn) {
    let mut dice = Dice::new(drawn.seed, "swarm, connections");
    let needed = room::calm_connections(drawn);
    for (service, needed) in drawn.services.iter_mut().zip(needed) {
        for (call, needed) in service.calls.iter_mut().zip(needed) {
            let more = dice.few(1, 10);
            call.pool = dice.chance(POOLED).then(|| needed.saturating_add(more)).filter(|pool| *pool <= POOL_MAX);
        }
    }
}

/// Most connections of a pool.
const POOL_MAX: u32 = 10_000;
