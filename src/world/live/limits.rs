//! Limits of a container that runs: how a change of them is asked for, and what came of it.
//! Measured on engine 20.10: CPU and memory limits follow at once and without a restart; a limit cannot be taken off;
//! memory can only be raised together with swap; what was once limited by quota cannot be limited by processors any more.

use crate::model::Limits;
use crate::units::Bytes;
use crate::units::Millicores;
use bollard::models::ContainerUpdateBody;
use bollard::models::HostConfig;

/// Docker refuses less.
pub const MEMORY_MIN: Bytes = Bytes::mebi(6);

/// Memory and swap together as the engine takes it, beside a new limit of memory: as much swap as there was, twice the memory
/// where that was the engine's own choice, and no limit where there was none.
#[must_use]
pub fn swap_beside(old: &HostConfig, memory: Bytes) -> i64 {
    let bytes = |bytes: Bytes| i64::try_from(bytes.get()).unwrap_or(i64::MAX);
    let (old_memory, old_both) = (old.memory.unwrap_or(0), old.memory_swap.unwrap_or(0));
    if old_both < 0 {
        return -1;
    }
    if old_memory <= 0 || old_both == 0 || old_both == old_memory.saturating_mul(2) {
        return bytes(memory).saturating_mul(2);
    }
    bytes(memory).saturating_add((old_both - old_memory).max(0))
}

/// What to ask of the engine so that a container that runs gets these limits; those that are `None` stay as they are.
#[must_use]
pub fn update(old: &HostConfig, cpu: Option<Millicores>, memory: Option<Bytes>) -> ContainerUpdateBody {
    let mut body = ContainerUpdateBody::default();
    if let Some(cpu) = cpu {
        let by_quota = old.nano_cpus.unwrap_or(0) == 0 && old.cpu_quota.unwrap_or(0) > 0;
        if by_quota {
            let period = old.cpu_period.filter(|period| *period > 0).unwrap_or(100_000);
            body.cpu_period = Some(period);
            body.cpu_quota = Some(quota(cpu, period));
        } else {
            body.nano_cpus = Some(nano(cpu));
        }
    }
    if let Some(memory) = memory {
        body.memory = i64::try_from(memory.get()).ok();
        body.memory_swap = Some(swap_beside(old, memory));
    }
    body
}

/// The same settings with these limits, for a container that is to be made. `None` is without limit.
pub fn set(host: &mut HostConfig, limits: Limits) {
    let old = host.clone();
    host.nano_cpus = limits.cpu.map(nano);
    (host.cpu_period, host.cpu_quota) = (None, None);
    host.memory = limits.memory.and_then(|memory| i64::try_from(memory.get()).ok());
    host.memory_swap = limits.memory.map(|memory| swap_beside(&old, memory));
    // A reservation above the limit is refused.
    let most = host.memory.unwrap_or(i64::MAX);
    host.memory_reservation = host.memory_reservation.map(|kept| kept.min(most));
}

fn nano(cpu: Millicores) -> i64 {
    i64::try_from(cpu.get()).unwrap_or(i64::MAX).saturating_mul(1_000_000)
}

fn quota(cpu: Millicores, period: i64) -> i64 {
    i64::try_from(cpu.get()).unwrap_or(i64::MAX).saturating_mul(period) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(memory: i64, both: i64) -> HostConfig {
        HostConfig { memory: Some(memory), memory_swap: Some(both), ..HostConfig::default() }
    }

    #[test]
    fn memory_is_never_sent_without_swap() {
        const MIB: i64 = 1 << 20;
        let table = [
            ("the engine's own choice stays one", host(128 * MIB, 256 * MIB), 1024 * MIB),
            ("no swap stays none", host(128 * MIB, 128 * MIB), 512 * MIB),
            ("so much swap stays so much", host(128 * MIB, 160 * MIB), 544 * MIB),
            ("no limit stays none", host(128 * MIB, -1), -1),
            ("what had no limit gets what the engine would choose", host(0, 0), 1024 * MIB),
        ];
        for (what, old, wanted) in table {
            let body = update(&old, None, Some(Bytes::mebi(512)));
            assert_eq!((body.memory, body.memory_swap), (Some(512 * MIB), Some(wanted)), "{what}");
            assert_eq!((body.nano_cpus, body.cpu_quota), (None, None), "{what}");
        }
    }

    #[test]
    fn cpu_is_limited_the_way_it_was() {
        let by_processors = HostConfig { nano_cpus: Some(500_000_000), ..HostConfig::default() };
        let by_quota = HostConfig { cpu_quota: Some(25_000), cpu_period: Some(50_000), ..HostConfig::default() };
        let free = HostConfig { nano_cpus: Some(0), cpu_quota: Some(0), ..HostConfig::default() };
        let cpu = Some(Millicores::new(1250));
        for (old, wanted) in [
            (&by_processors, (Some(1_250_000_000), None, None)),
            (&by_quota, (None, Some(62_500), Some(50_000))),
            (&free, (Some(1_250_000_000), None, None)),
        ] {
            let body = update(old, cpu, None);
            assert_eq!((body.nano_cpus, body.cpu_quota, body.cpu_period), wanted);
            assert_eq!((body.memory, body.memory_swap), (None, None));
        }
    }
}
