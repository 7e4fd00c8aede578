//! The disk of a host, and what a service does to it and to memory. Before you change it: what is not said changes
//! nothing, so every default is that of a service without disk accesses, and is left out of the record.

use crate::units::Bytes;
use crate::units::Span;
use std::collections::BTreeMap;

/// How fast the disk of a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Storage {
    /// Small accesses per second, reads and writes together.
    pub iops: u64,
    /// Bytes per second, read and written together.
    pub bandwidth: Bytes,
    /// Time of one small access on an idle device.
    pub latency: Span,
}

/// What a service reads and writes, and how its accesses are ranked and limited.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct DiskUse {
    /// Reads of one request, in thousandths, before any page is found in memory.
    pub reads: u64,
    /// Writes of one request, in thousandths. Each waits until it is on the disk, as the commit of a database does.
    pub writes: u64,
    /// Size of a read.
    pub read_size: Bytes,
    /// Size of a write.
    pub write_size: Bytes,
    /// Data that the reads of an instance are spread over; zero where no page is ever read twice.
    pub data: Bytes,
    /// Weight among containers that want the device at once, 10 to 1000.
    pub weight: u16,
    /// Ceilings of one instance, the lowest of all devices.
    pub limits: DiskLimits,
}

/// Ceilings of the accesses of one container, per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct DiskLimits {
    /// Bytes read.
    pub read_bytes: Option<Bytes>,
    /// Bytes written.
    pub write_bytes: Option<Bytes>,
    /// Reads.
    pub read_operations: Option<u64>,
    /// Writes.
    pub write_operations: Option<u64>,
}

impl DiskUse {
    /// Size of an access where nothing is said: a page.
    pub const SIZE: Bytes = Bytes::new(4096);
    /// Docker's weight where nothing is said.
    pub const WEIGHT: u16 = 500;

    /// Whether requests access the disk at all.
    #[must_use]
    pub const fn is_used(&self) -> bool {
        self.reads > 0 || self.writes > 0
    }

    /// Whether all of it is as where nothing is said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for DiskUse {
    /// No accesses; pages and Docker's weight where there are some.
    fn default() -> Self {
        Self {
            reads: 0,
            writes: 0,
            read_size: Self::SIZE,
            write_size: Self::SIZE,
            data: Bytes::ZERO,
            weight: Self::WEIGHT,
            limits: DiskLimits::default(),
        }
    }
}

impl DiskLimits {
    /// The limits of a Compose file. Devices are not told apart here, so the lowest of all counts; zero is no limit.
    #[must_use]
    pub fn of(blkio: &super::Blkio) -> Self {
        let size =
            |limits: &BTreeMap<String, Bytes>| limits.values().filter(|limit| **limit > Bytes::ZERO).min().copied();
        let count = |limits: &BTreeMap<String, u64>| limits.values().filter(|limit| **limit > 0).min().copied();
        Self {
            read_bytes: size(&blkio.read_bytes),
            write_bytes: size(&blkio.write_bytes),
            read_operations: count(&blkio.read_operations),
            write_operations: count(&blkio.write_operations),
        }
    }
}

/// What the kernel does with a container when memory runs short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Shortage {
    /// How gladly the kernel kills it, -1000 (never) to 1000 (first).
    pub oom_score_adjust: i16,
    /// Swap that one instance may use on a host that has some.
    pub swap: SwapLimit,
    /// The kernel may not kill it when it holds all it may; it hangs, with control groups of version 1.
    #[serde(default)]
    pub oom_kill_disabled: bool,
}

/// Swap that a container may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum SwapLimit {
    /// As much as its memory limit, which is what Docker does where nothing is said; without a memory limit, all there is.
    #[default]
    AsMemory,
    /// All there is.
    Unlimited,
    /// At most so much.
    AtMost(Bytes),
}

impl Shortage {
    /// Whether all of it is as where nothing is said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What a service of a Compose file says. `memory_and_swap` counts memory and swap together.
    #[must_use]
    pub fn of(service: &super::Service) -> Self {
        let swap = match (service.swappiness, service.memory_and_swap, service.limits.memory) {
            // A swappiness of zero turns off the swapping of the container's own pages (Docker's documentation).
            (Some(0), ..) => SwapLimit::AtMost(Bytes::ZERO),
            (_, Some(both), _) if both < 0 => SwapLimit::Unlimited,
            (_, Some(both), Some(memory)) if both > 0 => {
                SwapLimit::AtMost(Bytes::new(both.unsigned_abs()).minus(memory))
            }
            _ => SwapLimit::AsMemory,
        };
        let oom_kill_disabled = service.oom_kill_disabled;
        Self { oom_score_adjust: service.oom_score_adjust.unwrap_or(0), swap, oom_kill_disabled }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Blkio;
    use crate::model::Limits;
    use crate::model::Service;

    /// Docker: nothing said is twice the memory limit for both together, -1 is all there is, the limit itself is none.
    #[test]
    fn swap_is_what_docker_makes_of_it() {
        let swap = |both, swappiness| {
            let limits = Limits { memory: Some(Bytes::mebi(512)), ..Limits::default() };
            Shortage::of(&Service { limits, memory_and_swap: both, swappiness, ..Service::default() }).swap
        };
        assert_eq!(swap(None, None), SwapLimit::AsMemory);
        assert_eq!(swap(Some(0), None), SwapLimit::AsMemory);
        assert_eq!(swap(Some(-1), None), SwapLimit::Unlimited);
        assert_eq!(swap(Some(512 << 20), None), SwapLimit::AtMost(Bytes::ZERO));
        assert_eq!(swap(Some(768 << 20), Some(60)), SwapLimit::AtMost(Bytes::mebi(256)));
        assert_eq!(swap(Some(-1), Some(0)), SwapLimit::AtMost(Bytes::ZERO));
    }

    #[test]
    fn the_lowest_ceiling_of_all_devices_counts() {
        let blkio = Blkio {
            read_bytes: [("/dev/sda".to_owned(), Bytes::mebi(20)), ("/dev/sdb".to_owned(), Bytes::mebi(10))].into(),
            write_operations: [("/dev/sda".to_owned(), 0), ("/dev/sdb".to_owned(), 300)].into(),
            ..Blkio::default()
        };
        let wanted =
            DiskLimits { read_bytes: Some(Bytes::mebi(10)), write_operations: Some(300), ..DiskLimits::default() };
        assert_eq!(DiskLimits::of(&blkio), wanted);
    }
}
