//! What one service does to the disk: its accesses for a request, its page cache, its ceilings. Before you change it:
//! 1. Reads hit the page cache with the chance that their page is in it; all pages of `data` are as likely to be read.
//! 2. A write is on the disk before the request goes on, as with the commit of a database; it fills no cache.
//! 3. A request touches its own memory and a part of what is idle ([`TOUCHED`]); what of that is in swap is read first,
//!    [`CLUSTER`] at a time, and as much is written in its place, which nobody waits for.

use super::disk::Device;
use super::service::bytes;
use super::times::Access;
use super::times::Times;
use crate::model::DiskLimits;
use crate::model::DiskSample;
use crate::model::ServiceModel;
use crate::units::Bytes;
use crate::units::whole;

/// Part of the idle memory that a request touches. Assumed: a request that touched all of it would be a scan.
pub(super) const TOUCHED: f64 = 0.01;
/// Bytes that Linux reads from swap at once: eight pages (`vm.page-cluster` is 3).
pub(super) const CLUSTER: f64 = 32_768.0;
/// Share of the misses below which all data counts as in memory.
const FEW_MISSES: f64 = 1e-4;
/// Share by which misses may change while everything else is held.
const CHANGE: f64 = 0.02;

/// What one service does to the disk. Figures are those of one instance; all of them are alike.
pub(super) struct Io {
    reads: f64,
    writes: f64,
    read_size: f64,
    write_size: f64,
    data: f64,
    pub(super) weight: f64,
    limits: DiskLimits,

    /// Bytes of `data` that the page cache holds.
    pub(super) cached: f64,
    /// Bytes that it may hold, and might when misses were found.
    pub(super) allowed: f64,
    pub(super) allowed_seen: f64,
    /// Clusters that a request reads from swap.
    swapped: f64,
    /// Share of the memory in swap that this is for.
    pub(super) swapped_share: f64,
    /// Reads of a request that miss the cache.
    pub(super) misses: f64,
    /// Seconds for which a request takes the device.
    pub(super) device_time: f64,
    /// Sum of the squares of the times for which its accesses take the device.
    pub(super) squares: f64,
    /// Seconds that its accesses take on an idle device.
    pub(super) alone: f64,
    /// The accesses of a request and how long they take.
    pub(super) access: Access,
    /// Seconds that a request waits for the disk.
    pub(super) time: f64,
    /// Requests per second that the granted share of the disk is enough for; infinite where it gets all it wants.
    pub(super) granted: f64,
    /// Requests per second that the granted CPU is enough for.
    pub(super) cpu_granted: f64,
    /// Writes fail.
    pub(super) full: bool,
    /// Reads and writes since the last sample.
    done: [f64; 2],
}

impl Io {
    pub(super) fn of(model: &ServiceModel) -> Self {
        let disk = &model.disk;
        Self {
            reads: disk.reads as f64 / 1000.0,
            writes: disk.writes as f64 / 1000.0,
            read_size: disk.read_size.get() as f64,
            write_size: disk.write_size.get() as f64,
            data: disk.data.get() as f64,
            weight: f64::from(disk.weight.max(1)),
            limits: disk.limits,
            cached: 0.0,
            allowed: 0.0,
            allowed_seen: 0.0,
            swapped: 0.0,
            swapped_share: 0.0,
            misses: 0.0,
            device_time: 0.0,
            squares: 0.0,
            alone: 0.0,
            access: Access::default(),
            time: 0.0,
            granted: f64::INFINITY,
            cpu_granted: f64::INFINITY,
            full: false,
            done: [0.0; 2],
        }
    }

    /// Whether a page cache is of use to it.
    pub(super) fn is_cached(&self) -> bool {
        self.data > 0.0 && self.reads > 0.0
    }

    /// The most that its page cache could hold.
    pub(super) const fn data(&self) -> f64 {
        self.data
    }

    /// Looks at its page cache and at its memory in swap; `touched` bytes are touched by a request.
    pub(super) fn look(&mut self, swapped_share: f64, touched: f64) {
        self.swapped_share = swapped_share;
        self.swapped = swapped_share * touched / CLUSTER;
        self.allowed_seen = self.allowed;
        self.cached = self.cached.min(self.allowed);
        self.misses = self.reads * (1.0 - self.hit());
    }

    /// Chance that a read finds its page in memory.
    fn hit(&self) -> f64 {
        if self.is_cached() { (self.cached / self.data).min(1.0) } else { 0.0 }
    }

    /// Finds what a request wants of the device.
    pub(super) fn demand(&mut self, device: &Device) {
        let parts = [
            (self.misses, self.read_size, true),
            (self.writes, self.write_size, true),
            (self.swapped, CLUSTER, true),
            (self.swapped, CLUSTER, false),
        ];
        (self.device_time, self.squares, self.alone) = (0.0, 0.0, 0.0);
        for (count, size, waits) in parts {
            let time = device.time(size);
            self.device_time += count * time;
            self.squares += count * time * time;
            self.alone += if waits { count * device.alone(size) } else { 0.0 };
        }
        let kind = |count: f64, most: f64, size| Times::accesses(count, most, device.alone(size));
        self.access.kinds = [
            kind(self.misses, self.reads, self.read_size),
            kind(self.writes, self.writes, self.write_size),
            kind(self.swapped, self.swapped, CLUSTER),
        ];
    }

    /// Accesses that a request waits for.
    pub(super) fn accesses(&self) -> f64 {
        self.misses + self.writes + self.swapped
    }

    /// Requests per second that the container's own ceilings are enough for.
    pub(super) fn ceiling(&self) -> f64 {
        let limits = &self.limits;
        let bytes = |limit: Option<Bytes>, each: f64| match limit {
            Some(limit) if each > 0.0 => limit.get() as f64 / each,
            _ => f64::INFINITY,
        };
        let operations = |limit: Option<u64>, each: f64| match limit {
            Some(limit) if each > 0.0 => limit as f64 / each,
            _ => f64::INFINITY,
        };
        bytes(limits.read_bytes, self.misses * self.read_size)
            .min(bytes(limits.write_bytes, self.writes * self.write_size))
            .min(operations(limits.read_operations, self.misses))
            .min(operations(limits.write_operations, self.writes))
    }

    /// Share of the requests that fail since nothing can be written.
    pub(super) fn fails(&self) -> f64 {
        if self.full { self.writes.min(1.0) } else { 0.0 }
    }

    /// Rate at which pages that are not in memory become fewer: `d(misses)/dt = −pace · misses`, since each miss brings in
    /// what it read.
    fn pace(&self, requests: f64) -> f64 {
        requests * self.reads * self.read_size / self.data
    }

    /// For how many seconds the page cache changes little when so many requests per second come out of an instance.
    pub(super) fn cache_holds(&self, requests: f64) -> f64 {
        let target = self.allowed.min(self.data);
        if !self.is_cached() || requests <= 0.0 || self.cached >= target {
            return f64::INFINITY;
        }
        let pace = self.pace(requests);
        let full = if target < self.data {
            libm::log((self.data - self.cached) / (self.data - target)) / pace
        } else {
            f64::INFINITY
        };
        full.min(CHANGE / pace)
    }

    /// What it did since the last sample.
    pub(super) fn sample(&mut self) -> DiskSample {
        let [reads, writes] = core::mem::take(&mut self.done).map(whole);
        DiskSample { reads, writes, cache: bytes(self.cached), swap: Bytes::ZERO }
    }

    /// Takes over what another group of the same service did since the last sample.
    pub(super) fn absorb(&mut self, other: &mut Self) {
        for (mine, theirs) in self.done.iter_mut().zip(core::mem::take(&mut other.done)) {
            *mine += theirs;
        }
    }

    /// Time passes in which so many requests per second came out of an instance, and `out` of all of them together.
    pub(super) fn pass(&mut self, seconds: f64, requests: f64, out: f64) {
        self.done[0] += out * (self.misses + self.swapped);
        self.done[1] += out * (self.writes + self.swapped);
        if !self.is_cached() || seconds <= 0.0 {
            return;
        }
        let missing = (self.data - self.cached) * libm::exp(-self.pace(requests) * seconds);
        let held = if missing < FEW_MISSES * self.data { self.data } else { self.data - missing };
        // A byte that is missing would be waited for for ever.
        self.cached = if held > self.allowed - 1.0 { self.allowed.min(self.data) } else { held };
    }
}
