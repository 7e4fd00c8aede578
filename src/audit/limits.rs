//! Limits of either kind, for rules that hold for both.

use crate::model::Action;
use crate::model::Resource;
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
    pub(super) const fn of(resource: Resource, number: u64) -> Self {
        match resource {
            Resource::Cpu => Self::Cpu(Millicores::new(number)),
            Resource::Memory => Self::Memory(Bytes::new(number)),
        }
    }

    pub(super) const fn before(action: &Action) -> Self {
        match action {
            Action::LimitCpu { from, .. } => Self::Cpu(*from),
            Action::LimitMemory { from, .. } => Self::Memory(*from),
        }
    }

    pub(super) const fn after(action: &Action) -> Self {
        match action {
            Action::LimitCpu { to, .. } => Self::Cpu(*to),
            Action::LimitMemory { to, .. } => Self::Memory(*to),
        }
    }

    pub(super) fn seen(service: &ServiceSeen, resource: Resource) -> Option<Self> {
        match resource {
            Resource::Cpu => service.limits.cpu.map(Self::Cpu),
            Resource::Memory => service.limits.memory.map(Self::Memory),
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

/// How a sentence calls a resource.
pub(super) const fn word(resource: Resource) -> &'static str {
    match resource {
        Resource::Cpu => "CPU",
        Resource::Memory => "memory",
    }
}
