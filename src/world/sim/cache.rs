//! How much page cache each container may hold. Before you change it:
//! 1. Cache gives way at once, since clean pages are dropped without a disk access; working sets never give way to it.
//! 2. It is charged to its container, so it fits into what the limit leaves over the working set. All caches together fit
//!    into what working sets leave of the host, each in proportion to what it could use.
//! 3. A memory reservation is what Docker writes to `memory.low`: up to it, neither working set nor cache gives way to
//!    others.
//! 4. Cache outlives its process: pages of a control group that is gone stay with its parent, and the next process finds
//!    them. Only a restart of the host loses them.

use super::io::Io;
use super::service::Service;
use crate::units::Instant;

/// Finds what the page cache of each service may hold, where `free` bytes are there for all working sets and caches.
pub(super) fn allow(uses: &mut [Io], services: &[Service], now: Instant, free: f64) {
    if !uses.iter().any(Io::is_cached) {
        return;
    }
    let mut left = free;
    let (mut wanted, mut kept) = (0.0, 0.0);
    for (io, service) in uses.iter_mut().zip(services) {
        let count = service.instances.len() as f64;
        let (sum, largest) = service.resident(now);
        left -= sum;
        io.allowed = if io.is_cached() { (service.memory_limit() - largest).clamp(0.0, io.data()) } else { 0.0 };
        wanted += io.allowed * count;
        kept += protected(io, service, largest) * count;
    }
    let left = left.max(0.0);
    if wanted <= left {
        return;
    }
    // Where not even what is protected fits, it shrinks in proportion, too.
    let (low, rest) = if kept <= left { (1.0, (left - kept) / (wanted - kept)) } else { (left / kept, 0.0) };
    for (io, service) in uses.iter_mut().zip(services) {
        let (_, largest) = service.resident(now);
        let safe = protected(io, service, largest);
        io.allowed = low * safe + rest * (io.allowed - safe);
    }
    debug_assert!(
        uses.iter().zip(services).map(|(io, service)| io.allowed * service.instances.len() as f64).sum::<f64>()
            <= left * (1.0 + 1e-9) + 1.0,
        "caches fit beside the working sets"
    );
}

/// What its reservation protects of a service's cache.
fn protected(io: &Io, service: &Service, held: f64) -> f64 {
    (service.reserved_memory - held).clamp(0.0, io.allowed)
}
