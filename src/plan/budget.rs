//! The budget of a stack on a host: what each service asks for, what the host has to give, and what comes of it.

use crate::audit;
use crate::engine;
use crate::input::catalog::Catalog;
use crate::input::catalog::Entry;
use crate::model::Amount;
use crate::model::Ask;
use crate::model::Budget;
use crate::model::Evidence;
use crate::model::Host;
use crate::model::HostClass;
use crate::model::Preset;
use crate::model::Service;
use crate::model::ServiceName;
use crate::model::Stack;
use crate::model::Terms;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Permille;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// CPU that any process needs to do its housekeeping in time.
const CPU_LEAST: Millicores = Millicores::new(10);
/// What is kept above the most memory that was seen in use, as KRR does.
const OBSERVED_MARGIN: Permille = Permille::percent(115);

/// A limit at which a service was killed is raised by half (register A10): how much it wanted, nobody saw.
const AFTER_KILL: Permille = Permille::percent(150);

/// What is asked for, beside the stack and the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wishes {
    /// How much of the host is used, and for what.
    pub preset: Preset,
    /// Share of the CPU that is kept for the system, whatever preset and profile say.
    pub cpu_reserve: Option<Permille>,
    /// Memory that is kept for the system, whatever preset and profile say.
    pub memory_reserve: Option<Bytes>,
    /// CPU limits may add up to so much of the pool.
    pub cpu_overcommit: Permille,
    /// Memory limits may add up to so much of the pool.
    pub memory_overcommit: Permille,
    /// Services that stay on, whatever their importance.
    pub keep: BTreeSet<ServiceName>,
    /// What was seen in use: the P95 of the CPU and the most memory of one instance.
    pub observed: BTreeMap<ServiceName, Amount>,
    /// Services that were killed at a memory limit, and that limit.
    pub killed: BTreeMap<ServiceName, Bytes>,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            preset: Preset::Auto,
            cpu_reserve: None,
            memory_reserve: None,
            cpu_overcommit: Permille::ONE,
            memory_overcommit: Permille::ONE,
            keep: BTreeSet::new(),
            observed: BTreeMap::new(),
            killed: BTreeMap::new(),
        }
    }
}

/// Makes the budget of the stack of this name.
///
/// # Panics
/// Where the engine breaks a rule of the audit, which is a bug.
#[must_use]
pub fn budget(name: &str, stack: &Stack, catalog: &Catalog, host: &Host, wishes: &Wishes) -> Budget {
    let score = engine::score(host);
    let class = match wishes.preset {
        Preset::Auto => score.class(),
        Preset::Minimal => HostClass::Minimal,
        Preset::Balanced => HostClass::Standard,
        Preset::Performance => HostClass::HighPerformance,
        Preset::Custom => HostClass::Standard,
    };
    let (host, reserve_from) = reserved(host, class, wishes);
    let terms = Terms {
        pool: Amount { cpu: host.pool_cpu(), memory: host.pool_memory() },
        importance_floor: if wishes.preset == Preset::Custom { 0 } else { class.importance_floor() },
        multiplier: class.multiplier(),
        cpu_overcommit: wishes.cpu_overcommit,
        memory_overcommit: wishes.memory_overcommit,
    };
    let running = stack.services.iter().filter(|(_, service)| service.replicas != Some(0));
    let asks: BTreeMap<ServiceName, Ask> =
        running.map(|(name, service)| (name.clone(), ask(name, service, catalog, wishes))).collect();
    let allocation = engine::allocate(&asks, &terms);
    let breaches = audit::allocation(&asks, &terms, &allocation);
    assert!(breaches.is_empty(), "the engine broke its own rules: {breaches:?}");
    Budget { stack: name.to_owned(), host, score, preset: wishes.preset, reserve_from, terms, asks, allocation }
}

/// The host with the reserve that holds, and where that comes from. What was typed wins over the preset, a preset other
/// than `auto` over the profile, the profile over the class of the host.
fn reserved(host: &Host, class: HostClass, wishes: &Wishes) -> (Host, String) {
    let mut host = host.clone();
    let mut from = if wishes.preset == Preset::Custom {
        let usual = host.usual_reserve();
        (host.reserve_cpu, host.reserve_memory) = (usual.cpu, usual.memory);
        format!("preset custom: 20% of the CPU and {}", usual.memory)
    } else if wishes.preset == Preset::Auto && host.reserve_stated {
        format!("as profile {} says", host.name)
    } else {
        let share = host.share(class.reserve());
        (host.reserve_cpu, host.reserve_memory) = (share.cpu, share.memory);
        let why = match wishes.preset {
            Preset::Auto => format!("hosts of class {}", class.name()),
            preset => format!("preset {}", preset.name()),
        };
        format!("{why}: {}", class.reserve())
    };
    let mut said = Vec::new();
    if let Some(share) = wishes.cpu_reserve {
        host.reserve_cpu = host.capacity().scaled(share.get(), 1000);
        said.push("CPU");
    }
    if let Some(memory) = wishes.memory_reserve {
        host.reserve_memory = memory;
        said.push("memory");
    }
    if !said.is_empty() {
        let set = format!("{} as set", said.join(" and "));
        from = if said.len() == 2 { set } else { format!("{from}; {set}") };
    }
    (host, from)
}

fn ask(name: &ServiceName, service: &Service, catalog: &Catalog, wishes: &Wishes) -> Ask {
    let entry = catalog.described(name, service);
    let is_guess = entry.guess.iter().any(|figure| figure == "need_memory");
    let is_labelled = service.hints.tier.is_some() || service.hints.importance.is_some();
    let evidence = match catalog.of(name, service) {
        Some(_) if is_guess || catalog.certain(name, service).is_none() => Evidence::Guess,
        Some(_) => Evidence::Catalog,
        None if is_labelled => Evidence::Guess,
        None => Evidence::Unknown,
    };
    let (need, evidence) = need(name, &entry, evidence, wishes);
    Ask {
        replicas: service.replicas.unwrap_or(1).max(1),
        tier: entry.tier,
        importance: entry.importance,
        limits: service.limits,
        reservations: service.reservations,
        pids: service.pids,
        usual: Amount { cpu: entry.give_cpu, memory: entry.give_memory },
        usual_pids: entry.give_pids,
        need,
        evidence,
        depends_on: service.depends_on.keys().cloned().collect(),
        kept: wishes.keep.contains(name),
    }
}

/// What a service cannot do without, and how that is known: what was seen wins over what the catalog says.
fn need(name: &ServiceName, entry: &Entry, by_catalog: Evidence, wishes: &Wishes) -> (Amount, Evidence) {
    if let Some(seen) = wishes.observed.get(name) {
        let memory = seen.memory.scaled(OBSERVED_MARGIN.get(), 1000);
        if let Some(limit) = wishes.killed.get(name) {
            let cpu = seen.cpu.max(CPU_LEAST);
            return (Amount { cpu, memory: limit.scaled(AFTER_KILL.get(), 1000).max(memory) }, Evidence::Killed);
        }
        return (Amount { cpu: seen.cpu.max(CPU_LEAST), memory }, Evidence::Observed);
    }
    (Amount { cpu: entry.idle_cpu.scaled(2, 1).max(CPU_LEAST), memory: entry.need_memory }, by_catalog)
}
