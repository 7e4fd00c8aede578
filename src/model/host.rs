//! A machine that runs containers.

use super::Amount;
use super::Heat;
use super::Storage;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Money;
use crate::units::Permille;
use crate::units::Span;

/// A host as bought or detected: what it has, what it keeps for itself, what it costs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Host {
    /// The profile's name: `kvm-4`.
    pub name: String,
    /// What a person calls it: `Hostinger KVM 4`.
    pub title: String,
    /// Its cores, fastest group first. Never empty, never a group without cores.
    pub cores: Vec<CoreGroup>,
    /// Memory as the kernel sees it.
    pub memory: Bytes,
    /// Size of the disk.
    pub disk: Bytes,
    /// CPU kept for the system; the rest is the pool.
    pub reserve_cpu: Millicores,
    /// Memory kept for the system; the rest is the pool.
    pub reserve_memory: Bytes,
    /// CPU time that other guests of the same machine take away, on average.
    pub steal: Permille,
    /// How steal varies; `None` where it is always the mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steal_bursts: Option<StealBursts>,
    /// How warm it gets, and what it does about it; `None` where nobody said: its clock never falls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heat: Option<Heat>,
    /// CPU that the system itself uses.
    pub system_cpu: Millicores,
    /// Memory that the system itself uses.
    pub system_memory: Bytes,
    /// What it costs, where that is known.
    pub price: Option<Price>,
    /// The reserve was stated, by the profile or by the user; else it is what holds where nothing is said.
    #[serde(default)]
    pub reserve_stated: bool,
    /// What else is known of the machine.
    #[serde(default)]
    pub hardware: Hardware,
    /// Time that a message takes from one container to another, or between a container and the outside.
    #[serde(default)]
    pub hop: Span,
    /// How fast its disk is, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<Storage>,
    /// Swap on that disk; none where nothing is said.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub swap: Bytes,
}

/// Whether there is nothing of it, so that the record need not say so.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_nothing(size: &Bytes) -> bool {
    *size == Bytes::ZERO
}

/// What is known of a machine beside its cores and its memory. `None` where nobody said.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Hardware {
    /// What the processor calls itself.
    pub processor: Option<String>,
    /// Hardware threads of all cores together.
    pub threads: Option<u32>,
    /// Clock of the fastest cores in MHz.
    pub clock_mhz: Option<u32>,
    /// `x86_64` or `aarch64`.
    pub architecture: Option<String>,
    /// What it is virtualised by: `kvm`, `none`.
    pub virtualisation: Option<String>,
    /// Kind of the disk that containers live on.
    pub disk: Option<DiskKind>,
    /// Network interfaces to the outside.
    pub interfaces: Option<u32>,
    /// Speed of the fastest of them in Mbit/s, in each direction: the line that requests and answers share.
    pub network_mbit: Option<u32>,
    /// Tasks that ran or waited, over the last minute, in thousandths.
    pub load: Option<u64>,
}

/// Kind of a disk, the slowest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum DiskKind {
    /// Turning.
    Hdd,
    /// Flash behind SATA, SAS or a network.
    Ssd,
    /// Flash on the PCI bus.
    Nvme,
}

/// Cores of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CoreGroup {
    /// How many.
    pub count: u32,
    /// Speed of one against the reference core that `work.cpu` is stated for; an M1 efficiency core is 50 %.
    pub speed: Permille,
}

/// Steal that comes in bursts: at random times, for random lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StealBursts {
    /// Steal in a burst.
    pub burst: Permille,
    /// Mean time from the begin of a burst to the begin of the next.
    pub every: Span,
    /// Mean length of a burst.
    pub lasts: Span,
}

impl StealBursts {
    /// What the bursts alone make up over a long time, as a fraction of one.
    #[must_use]
    pub fn in_bursts(&self) -> f64 {
        self.burst.as_fraction() * self.lasts.as_secs() / self.every.as_secs()
    }

    /// Steal between bursts such that over a long time it is `mean`, as a fraction of one; below zero where the bursts
    /// alone are more than the mean.
    #[must_use]
    pub fn between(&self, mean: Permille) -> f64 {
        (mean.as_fraction() - self.in_bursts()) / (1.0 - self.lasts.as_secs() / self.every.as_secs())
    }
}

/// A price with what a reader needs to check it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Price {
    /// For one month.
    pub month: Money,
    /// For one month after the first term, where that is another price.
    #[serde(default)]
    pub renewal: Option<Money>,
    /// The day it was seen, `2025-12-28`.
    pub seen: String,
    /// Where it was seen.
    pub source: String,
}

impl Host {
    /// A machine of its own with these cores and this memory, all of it for containers, and nothing else known of it.
    #[must_use]
    pub fn bare(name: &str, cores: Vec<CoreGroup>, memory: Bytes) -> Self {
        Self {
            name: name.to_owned(),
            title: name.to_owned(),
            cores,
            memory,
            disk: Bytes::ZERO,
            reserve_cpu: Millicores::ZERO,
            reserve_memory: Bytes::ZERO,
            steal: Permille::ZERO,
            steal_bursts: None,
            heat: None,
            system_cpu: Millicores::ZERO,
            system_memory: Bytes::ZERO,
            price: None,
            reserve_stated: true,
            hardware: Hardware::default(),
            hop: Span::ZERO,
            storage: None,
            swap: Bytes::ZERO,
        }
    }

    /// What is kept free of a host of which nobody says otherwise (register H5): a fifth of the CPU, and 2 GB of memory or
    /// half of it where that is less.
    #[must_use]
    pub fn usual_reserve(&self) -> Amount {
        Amount { cpu: self.capacity().scaled(1, 5), memory: Bytes::gibi(2).min(self.memory.scaled(1, 2)) }
    }

    /// A share of the CPU and of the memory, the memory in whole mebibytes, since people read it.
    #[must_use]
    pub fn share(&self, share: Permille) -> Amount {
        let memory = self.memory.scaled(share.get(), 1000).get() >> 20;
        Amount { cpu: self.capacity().scaled(share.get(), 1000), memory: Bytes::mebi(memory.max(1)) }
    }

    /// All cores at full speed, in thousandths of a reference core, before steal; rounded down.
    #[must_use]
    pub fn capacity(&self) -> Millicores {
        let total = self.cores.iter().map(|group| u64::from(group.count).saturating_mul(group.speed.get()));
        Millicores::new(total.fold(0, u64::saturating_add))
    }

    /// How many cores there are, of whatever speed.
    #[must_use]
    pub fn core_count(&self) -> u32 {
        self.cores.iter().map(|group| group.count).fold(0, u32::saturating_add)
    }

    /// Bytes per second of its line to the outside, in each direction; `None` where nobody said.
    #[must_use]
    pub fn line(&self) -> Option<f64> {
        self.hardware.network_mbit.filter(|speed| *speed > 0).map(|speed| f64::from(speed) * 1e6 / 8.0)
    }

    /// CPU that containers may use: capacity less the reserve.
    #[must_use]
    pub fn pool_cpu(&self) -> Millicores {
        self.capacity().minus(self.reserve_cpu)
    }

    /// Memory that containers may use: all less the reserve.
    #[must_use]
    pub const fn pool_memory(&self) -> Bytes {
        self.memory.minus(self.reserve_memory)
    }
}
