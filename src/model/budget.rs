//! What services ask of a host and what each is given.

use super::Host;
use super::Limits;
use super::Score;
use super::ServiceName;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Permille;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// CPU and memory, both known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// CPU.
    pub cpu: Millicores,
    /// Memory.
    pub memory: Bytes,
}

impl Amount {
    /// The sum of both.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { cpu: self.cpu.plus(other.cpu), memory: self.memory.plus(other.memory) }
    }

    /// The difference of both; zero where `other` is larger.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self { cpu: self.cpu.minus(other.cpu), memory: self.memory.minus(other.memory) }
    }

    /// So many times as much.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self { cpu: self.cpu.scaled(count.into(), 1), memory: self.memory.scaled(count.into(), 1) }
    }

    /// Whether neither is more than in `room`.
    #[must_use]
    pub fn fits(self, room: Self) -> bool {
        self.cpu <= room.cpu && self.memory <= room.memory
    }
}

/// What is known of a service that is to have its share of a host. Amounts are those of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Instances.
    pub replicas: u32,
    /// 1 critical path, 2 workflow, 3 background.
    pub tier: u8,
    /// How much it matters that it runs, 1 to 100.
    pub importance: u32,
    /// Limits that the files state.
    pub limits: Limits,
    /// Reservations that the files state.
    pub reservations: Limits,
    /// Limit of processes that the files state; `-1` is without limit.
    pub pids: Option<i64>,
    /// Limits where the files state none, on a host of class Standard.
    pub usual: Amount,
    /// Limit of processes where the files state none.
    pub usual_pids: u32,
    /// What it cannot do without.
    pub need: Amount,
    /// How the need is known.
    pub evidence: Evidence,
    /// Services that must run for this one to run.
    pub depends_on: BTreeSet<ServiceName>,
    /// It stays on, whatever its importance.
    pub kept: bool,
}

/// How a need is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// It was seen in a record.
    Observed,
    /// It was killed at its limit in a record, so it needs more than that.
    Killed,
    /// The catalog has it from a source.
    Catalog,
    /// The catalog guesses.
    Guess,
    /// Nobody knows the image.
    Unknown,
}

/// What all services together may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The host less its reserve.
    pub pool: Amount,
    /// Services less important than this stay off.
    pub importance_floor: u32,
    /// Factor of the usual limits.
    pub multiplier: Permille,
    /// CPU limits may add up to so much of the pool.
    pub cpu_overcommit: Permille,
    /// Memory limits may add up to so much of the pool.
    pub memory_overcommit: Permille,
}

impl Terms {
    /// What limits may add up to.
    #[must_use]
    pub fn room(&self) -> Amount {
        Amount {
            cpu: self.pool.cpu.scaled(self.cpu_overcommit.get(), 1000),
            memory: self.pool.memory.scaled(self.memory_overcommit.get(), 1000),
        }
    }
}

/// Who gets what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Allocation {
    /// Services that run, with their shares.
    pub shares: BTreeMap<ServiceName, Share>,
    /// Services that do not run, and why.
    pub off: BTreeMap<ServiceName, Off>,
    /// What the host lacks to give each service that must run what it needs; zero where it has enough.
    pub short: Amount,
}

impl Allocation {
    /// Whether all that must run gets what it needs.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.short == Amount::default()
    }
}

/// What one instance of a service is given, and what was done about what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// At most so much.
    pub limits: Amount,
    /// Kept free for it.
    pub reservations: Amount,
    /// At most so many processes; `-1` is without limit.
    pub pids: i64,
    /// What became of its CPU limit.
    pub cpu: Turn,
    /// What became of its memory limit.
    pub memory: Turn,
}

/// What became of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It stays as stated.
    Kept,
    /// None was stated; it has the usual one.
    Set,
    /// None was stated; it has less than usual, so that all fit.
    SetToFit,
    /// It was lowered, so that all fit.
    Cut,
    /// It was below the need and was raised to it.
    Raised,
}

/// Why a service does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    /// Hosts of this class run what is more important than this.
    BelowFloor {
        /// The importance that is asked for.
        floor: u32,
    },
    /// What all need is more than there is, and nothing that runs is less important.
    NoRoom,
}

/// How much of a host is used, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Reserve and services by the class of the host.
    Auto,
    /// As on a host of class Minimal.
    Minimal,
    /// As on a host of class Standard.
    Balanced,
    /// As on a host of class High-Performance.
    Performance,
    /// Reserve as set, and every service that fits.
    Custom,
}

impl Preset {
    /// What a person types.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Minimal => "minimal",
            Self::Balanced => "balanced",
            Self::Performance => "performance",
            Self::Custom => "custom",
        }
    }
}

/// A stack on a host: what it asks for and what it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Name of the stack.
    pub stack: String,
    /// The host; its reserve is that of this budget.
    pub host: Host,
    /// Its points.
    pub score: Score,
    /// What was asked for.
    pub preset: Preset,
    /// Where the reserve comes from, in words: `profile kvm-4`, `class Standard keeps 30 %`.
    pub reserve_from: String,
    /// What all may have together.
    pub terms: Terms,
    /// What each service asks for.
    pub asks: BTreeMap<ServiceName, Ask>,
    /// What each service gets.
    pub allocation: Allocation,
}

/// Amounts of all instances of all services, and the services that state none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    /// Sum of the limits.
    pub limits: Amount,
    /// Sum of the reservations.
    pub reservations: Amount,
    /// Services without CPU limit.
    pub no_cpu_limit: Vec<ServiceName>,
    /// Services without memory limit.
    pub no_memory_limit: Vec<ServiceName>,
}

impl Totals {
    /// Adds all instances of a service; a limit that is not stated adds nothing.
    pub fn add(&mut self, name: &ServiceName, limits: Limits, reservations: Limits, instances: u32) {
        let stated =
            |limits: Limits| Amount { cpu: limits.cpu.unwrap_or_default(), memory: limits.memory.unwrap_or_default() };
        self.limits = self.limits.plus(stated(limits).times(instances));
        self.reservations = self.reservations.plus(stated(reservations).times(instances));
        if limits.cpu.is_none() {
            self.no_cpu_limit.push(name.clone());
        }
        if limits.memory.is_none() {
            self.no_memory_limit.push(name.clone());
        }
    }
}

impl Budget {
    /// What the files state for the services of one tier, or for all.
    #[must_use]
    pub fn stated(&self, tier: Option<u8>) -> Totals {
        let mut totals = Totals::default();
        for (name, ask) in self.asks.iter().filter(|(_, ask)| tier.is_none_or(|tier| tier == ask.tier)) {
            totals.add(name, ask.limits, ask.reservations, ask.replicas);
        }
        totals
    }

    /// What is proposed for the services of one tier, or for all.
    #[must_use]
    pub fn proposed(&self, tier: Option<u8>) -> Totals {
        let mut totals = Totals::default();
        for (name, share) in &self.allocation.shares {
            let Some(ask) = self.asks.get(name).filter(|ask| tier.is_none_or(|tier| tier == ask.tier)) else {
                continue;
            };
            totals.limits = totals.limits.plus(share.limits.times(ask.replicas));
            totals.reservations = totals.reservations.plus(share.reservations.times(ask.replicas));
        }
        totals
    }
}
