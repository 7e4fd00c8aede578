//! Points of a host (register H2). Every curve is a line through stated points, rises with its input, and is flat beyond
//! its last point; a component is rounded down to whole points. What nobody said counts as stated beside each curve.
//!
//! The register's example has 22 cores with 4 threads at 3.07 GHz, 15.6 GB, 1007 GB of SSD, one interface and a load of
//! 0.61: 30 + 20 + 20 + 5 + 10 = 85 points.

use crate::model::DiskKind;
use crate::model::Host;
use crate::model::Score;

/// Points by cores, in thousandths: each doubling is worth the same or a little more until 16 cores.
const CORES: &[(u64, u64)] = &[(0, 0), (1, 4_000), (2, 8_000), (4, 12_000), (8, 16_000), (16, 20_000)];
/// Points by hardware threads.
const THREADS: &[(u64, u64)] = &[(0, 0), (4, 4_000)];
/// Points by clock in MHz.
const CLOCK: &[(u64, u64)] = &[(0, 0), (1_000, 1_000), (3_000, 6_000)];
/// A clock that nobody said: what servers have at least.
const CLOCK_UNKNOWN: u64 = 2_500;
/// Points by memory in MiB as the kernel sees it, so a machine sold with 16 GB has its 20 points with 15.2 GiB.
const MEMORY: &[(u64, u64)] = &[
    (0, 0),
    (972, 3_000),
    (1_945, 6_000),
    (3_891, 10_000),
    (7_782, 15_000),
    (15_564, 20_000),
    (31_129, 25_000),
    (62_259, 30_000),
];
/// Points by the size of the disk in GiB.
const DISK: &[(u64, u64)] = &[(0, 0), (20, 2_000), (50, 4_000), (100, 7_000), (200, 9_000), (500, 12_000)];
/// Points by speed of the fastest interface in Mbit/s.
const NETWORK: &[(u64, u64)] = &[(0, 0), (100, 4_000), (1_000, 5_000), (10_000, 8_000)];
/// A network that nobody measured.
const NETWORK_UNKNOWN: u64 = 1_000;
/// Points by idleness: thousandths of a core per core that are left of two, so 2000 is idle and 0 a load of two a core.
const IDLE: &[(u64, u64)] = &[(0, 0), (1_000, 5_000), (1_700, 10_000)];

/// The points of a host.
#[must_use]
pub fn score(host: &Host) -> Score {
    let hardware = &host.hardware;
    let cores = u64::from(host.core_count());
    let threads = u64::from(hardware.threads.unwrap_or_else(|| host.core_count()));
    let clock = hardware.clock_mhz.map_or(CLOCK_UNKNOWN, u64::from);
    let kind = match hardware.disk {
        Some(DiskKind::Hdd) => 2_000,
        None => 4_000,
        Some(DiskKind::Ssd) => 8_000,
        Some(DiskKind::Nvme) => 10_000,
    };
    let disk = if host.disk.get() == 0 { 0 } else { kind + on(DISK, host.disk.get() >> 30) };
    let speed = hardware.network_mbit.map_or(NETWORK_UNKNOWN, u64::from);
    let network = match hardware.interfaces.unwrap_or(1) {
        0 => 0,
        1 => on(NETWORK, speed),
        2 => on(NETWORK, speed) + 2_000,
        _ => on(NETWORK, speed) + 3_000,
    };
    let load_of_a_core = hardware.load.unwrap_or(0) / cores.max(1);
    let most = |points: u64, most: u32| u32::try_from(points / 1000).unwrap_or(most).min(most);
    Score {
        cpu: most(on(CORES, cores) + on(THREADS, threads) + on(CLOCK, clock), 30),
        memory: most(on(MEMORY, host.memory.get() >> 20), 30),
        disk: most(disk, 20),
        network: most(network, 10),
        health: most(on(IDLE, 2_000_u64.saturating_sub(load_of_a_core)), 10),
    }
}

/// The value at `x` of a line through these points, in thousandths, rounded down.
fn on(curve: &[(u64, u64)], x: u64) -> u64 {
    let above = curve.partition_point(|(at, _)| *at <= x);
    let Some((from, low)) = curve[..above].last() else { return 0 };
    let Some((to, high)) = curve.get(above) else { return *low };
    low + (high - low) * (x - from) / (to - from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CoreGroup;
    use crate::model::Hardware;
    use crate::model::HostClass;
    use crate::units::Bytes;
    use crate::units::Permille;
    use proptest::prelude::*;

    fn machine(cores: u32, memory: u64, disk: u64, hardware: Hardware) -> Host {
        Host {
            disk: Bytes::gibi(disk),
            hardware,
            reserve_stated: false,
            ..Host::bare("box", vec![CoreGroup { count: cores, speed: Permille::ONE }], Bytes::new(memory))
        }
    }

    /// The example of planning document J, whose 95 is a wrong sum (`figures.md`): its parts add up to 85.
    #[test]
    fn the_documented_example_has_85_points_and_is_performance() {
        let hardware = Hardware {
            threads: Some(4),
            clock_mhz: Some(3_070),
            disk: Some(DiskKind::Ssd),
            interfaces: Some(1),
            load: Some(610),
            ..Hardware::default()
        };
        let score = score(&machine(22, 15_974 << 20, 1007, hardware));
        assert_eq!(score, Score { cpu: 30, memory: 20, disk: 20, network: 5, health: 10 });
        assert_eq!((score.total(), score.class()), (85, HostClass::Performance));
    }

    #[test]
    fn the_smallest_rented_machine_is_minimal_and_a_big_server_has_all_points() {
        let tiny = Hardware { disk: Some(DiskKind::Hdd), load: Some(1_500), ..Hardware::default() };
        assert_eq!(score(&machine(1, 512 << 20, 10, tiny)).class(), HostClass::Minimal);
        let big = Hardware {
            threads: Some(128),
            clock_mhz: Some(4_000),
            disk: Some(DiskKind::Nvme),
            interfaces: Some(2),
            network_mbit: Some(10_000),
            load: Some(0),
            ..Hardware::default()
        };
        assert_eq!(score(&machine(64, 256 << 30, 2000, big)).total(), 100);
    }

    /// What a machine may have, as numbers that only rise with its strength.
    type Traits = (u32, u64, u64, u32, u32, usize, u32, u32, u64);

    fn built((cores, memory, disk, threads, clock, kind, interfaces, speed, idle): Traits) -> Host {
        let hardware = Hardware {
            threads: Some(threads),
            clock_mhz: Some(clock),
            disk: [Some(DiskKind::Hdd), Some(DiskKind::Ssd), Some(DiskKind::Nvme)][kind],
            interfaces: Some(interfaces),
            network_mbit: Some(speed),
            load: Some(20_000 - idle),
            ..Hardware::default()
        };
        machine(cores, memory << 20, disk, hardware)
    }

    fn traits() -> impl Strategy<Value = Traits> {
        (
            1..=64_u32,
            1..=131_072_u64,
            0..=2_000_u64,
            1..=128_u32,
            100..=6_000_u32,
            0..3_usize,
            0..4_u32,
            1..=20_000_u32,
            0..=20_000_u64,
        )
    }

    proptest! {
        /// More of anything never costs a point, and no part exceeds its maximum.
        #[test]
        fn more_of_anything_never_costs_a_point(a in traits(), b in traits()) {
            let stronger = (
                a.0.max(b.0), a.1.max(b.1), a.2.max(b.2), a.3.max(b.3), a.4.max(b.4),
                a.5.max(b.5), a.6.max(b.6), a.7.max(b.7), a.8.max(b.8),
            );
            let (less, more) = (score(&built(a)), score(&built(stronger)));
            for ((name, few, most), (_, many, _)) in less.parts().into_iter().zip(more.parts()) {
                prop_assert!(few <= many, "{name}: {few} points, and {many} for the stronger machine");
                prop_assert!(many <= most, "{name}: {many} of {most}");
            }
            prop_assert!(less.class() <= more.class());
        }
    }
}
