//! PostgreSQL. A quarter of the limit is shared buffers, an eighth is for maintenance, three fifths are for queries,
//! divided so that they suffice when every connection sorts and hashes at once; a fortieth is left for the server itself.
//!
//! The official image reads no tuning from its environment, so all is said on the command line. Units are those that
//! PostgreSQL takes (`kB`, `MB`, whole numbers); `2.25G` it refuses.

use super::Room;
use super::Setting;
use crate::model::DiskKind;
use crate::units::Bytes;
use crate::units::Millicores;

/// A connection is reckoned with four times `work_mem`: two sorts or hashes at once, and `hash_mem_multiplier`, which is
/// 2 from PostgreSQL 15 on.
const WORK_PER_BACKEND: u64 = 4;
/// The least `work_mem` that PostgreSQL takes, in kB.
const WORK_MIN: u64 = 64;
/// The largest size in kB that PostgreSQL takes for memory of a process.
const KILOBYTES_MAX: u64 = 2_147_483_647;
/// The largest `shared_buffers`, in MB: 2^30 - 1 pages of 8 kB.
const SHARED_MAX: u64 = 8_388_607;
/// The largest `effective_cache_size`, in MB: 2^31 - 1 pages of 8 kB.
const CACHE_MAX: u64 = 16_777_215;
/// `max_connections` must be above `superuser_reserved_connections`, which is 3. Together with the server's own processes
/// (vacuum, workers, replication) it is at most 2^18 - 1.
const CONNECTIONS: (u64, u64) = (4, 260_000);
/// Workers that vacuum at once: `autovacuum_max_workers`.
const AUTOVACUUM_WORKERS: u64 = 3;

/// How the memory of a room is divided.
pub(super) struct Division {
    /// `shared_buffers` in MB.
    shared: u64,
    /// `maintenance_work_mem` in MB.
    maintenance: u64,
    /// `work_mem` in kB.
    work: u64,
    /// `max_connections`.
    connections: u64,
    /// Workers for one query, and for all queries at once.
    workers: (u64, u64),
}

pub(super) fn settings(room: &Room) -> Vec<Setting> {
    let division = Division::of(room);
    let Division { shared, maintenance, work, connections, workers } = division;
    let mut settings = vec![
        Setting::argument("shared_buffers", format!("{shared}MB"), "a quarter of the memory limit"),
        Setting::argument(
            "effective_cache_size",
            format!("{}MB", room.mebibytes(3, 4).min(CACHE_MAX)),
            "three quarters of the memory limit: what the planner may hope to find in memory; nothing is allocated",
        ),
        Setting::argument(
            "work_mem",
            format!("{work}kB"),
            &format!(
                "three fifths of the memory limit, divided among {connections} connections and {} parallel workers with \
                 {WORK_PER_BACKEND} sorts or hashes each, so that the worst case stays inside the limit",
                workers.1
            ),
        ),
        Setting::argument(
            "maintenance_work_mem",
            format!("{maintenance}MB"),
            "a sixteenth of the memory limit, at most 2 GB, for one index or vacuum by hand",
        ),
        Setting::argument(
            "autovacuum_work_mem",
            format!("{}kB", (maintenance * 1024 / AUTOVACUUM_WORKERS).max(1024)),
            "a third of maintenance_work_mem, so that three vacuums at once use as much as one by hand",
        ),
        Setting::argument(
            "max_connections",
            connections,
            if connections < u64::from(room.connections) {
                "as many as this memory holds with the least work_mem; use a pooler for more"
            } else {
                "as asked; fewer connections leave more work_mem to each"
            },
        ),
        Setting::argument(
            "wal_buffers",
            format!("{}kB", (shared * 1024 / 32).clamp(64, 16 << 10)),
            "a thirty-second of shared_buffers, at most one segment of 16 MB",
        ),
        Setting::argument(
            "checkpoint_completion_target",
            "0.9",
            "writes of a checkpoint are spread over nine tenths of the time until the next",
        ),
    ];
    if room.cpu.is_some() {
        settings.extend([
            Setting::argument(
                "max_parallel_workers_per_gather",
                workers.0,
                "half of the whole cores, at most 4; none below two cores, where workers only take turns",
            ),
            Setting::argument(
                "max_parallel_workers",
                workers.1,
                "the whole cores, at most 8, which is max_worker_processes",
            ),
        ]);
    }
    settings.extend(disk(room.disk));
    settings
}

/// Nothing is said where the disk is not known: PostgreSQL then plans for a turning one.
fn disk(disk: Option<DiskKind>) -> Vec<Setting> {
    let (cost, concurrency, why) = match disk {
        None => return Vec::new(),
        Some(DiskKind::Hdd) => ("4.0", "2", "a turning disk: a page out of order costs four in order"),
        Some(DiskKind::Ssd | DiskKind::Nvme) => {
            ("1.1", "200", "flash: a page out of order costs hardly more, and many are read at once")
        }
    };
    vec![
        Setting::argument("random_page_cost", cost, why),
        Setting::argument("effective_io_concurrency", concurrency, why),
    ]
}

impl Division {
    pub(super) fn of(room: &Room) -> Self {
        let shared = room.mebibytes(1, 4).min(SHARED_MAX);
        let maintenance = room.mebibytes(1, 16).min(2048);
        // Of the limit itself and not of what the rounded others leave, so that it grows with the limit.
        let queries = room.memory.scaled(3, 5).get() >> 10;
        let workers = room.cpu.map_or((2, 8), parallel_workers);
        let asked = u64::from(room.connections).clamp(CONNECTIONS.0, CONNECTIONS.1);
        let fit = (queries / (WORK_PER_BACKEND * WORK_MIN)).saturating_sub(workers.1);
        let connections = asked.min(fit).max(CONNECTIONS.0);
        let work = match connections < asked {
            true => WORK_MIN,
            false => (queries / (WORK_PER_BACKEND * (asked + workers.1))).clamp(WORK_MIN, KILOBYTES_MAX),
        };
        Self { shared, maintenance, work, connections, workers }
    }

    /// What parallel queries may hold in `/dev/shm`: the hash tables that their workers share, each of
    /// `hash_mem_multiplier` times `work_mem` for every process that takes part. Shared buffers are not there.
    pub(super) fn shared_hashes(&self) -> Bytes {
        let (per_query, total) = self.workers;
        let queries = total.checked_div(per_query).unwrap_or(0);
        Bytes::new(1 << 10).scaled((total + queries).saturating_mul(2 * self.work), 1)
    }
}

fn parallel_workers(cpu: Millicores) -> (u64, u64) {
    match cpu.get() / 1000 {
        0 | 1 => (0, 0),
        cores => ((cores / 2).min(4), cores.min(8)),
    }
}
