//! Limits of either kind, for rules that hold for both.

use crate::model::Action;
use crate::model::Reason;
use crate::model::Resource;
use crate::model::ServiceName;
use crate::model::ServiceSeen;
use crate::units::Bytes;
use crate::units::Millicores;
use std::fmt;

/// An amount of CPU or memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Amount {
    Cpu(Millicores),
    Memory(Bytes),
}

impl Amount {
    pub(super) const fn of(limit: Limit, number: u64) -> Self {
        match limit {
            Limit::Cpu => Self::Cpu(Millicores::new(number)),
            Limit::Memory => Self::Memory(Bytes::new(number)),
        }
    }

    pub(super) fn seen(service: &ServiceSeen, limit: Limit) -> Option<Self> {
        match limit {
            Limit::Cpu => service.limits.cpu.map(Self::Cpu),
            Limit::Memory => service.limits.memory.map(Self::Memory),
        }
    }

    pub(super) const fn number(self) -> u64 {
        match self {
            Self::Cpu(cpu) => cpu.get(),
            Self::Memory(memory) => memory.get(),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu(cpu) => cpu.fmt(f),
            Self::Memory(memory) => memory.fmt(f),
        }
    }
}

/// Which limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Limit {
    Cpu,
    Memory,
}

/// A limit that is changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change<'a> {
    pub(super) service: &'a ServiceName,
    pub(super) limit: Limit,
    pub(super) from: Amount,
    pub(super) to: Amount,
    pub(super) why: &'a Reason,
}

impl<'a> Change<'a> {
    /// What an action changes; `None` where it changes no limit.
    pub(super) const fn of(action: &'a Action) -> Option<Self> {
        match action {
            Action::LimitCpu { service, from, to, why } => {
                let (from, to) = (Amount::Cpu(*from), Amount::Cpu(*to));
                Some(Self { service, limit: Limit::Cpu, from, to, why })
            }
            Action::LimitMemory { service, from, to, why } => {
                let (from, to) = (Amount::Memory(*from), Amount::Memory(*to));
                Some(Self { service, limit: Limit::Memory, from, to, why })
            }
            Action::Scale { .. } => None,
        }
    }

    pub(super) fn is_increase(&self) -> bool {
        self.to > self.from
    }

    /// Whether it gives back what was taken.
    pub(super) const fn gives_back(&self) -> bool {
        matches!(self.why, Reason::GivenBack { .. })
    }
}

/// How a sentence calls what is changed.
pub(super) const fn word(resource: Resource) -> &'static str {
    match resource {
        Resource::Cpu => "CPU limit",
        Resource::Memory => "memory limit",
        Resource::Replicas => "number of instances",
    }
}

impl Limit {
    /// How a sentence calls it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Memory => "memory",
        }
    }
}
