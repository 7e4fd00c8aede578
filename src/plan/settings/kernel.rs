//! What the kernel is told about a container: limits of its processes, shares of the disk, size of `/dev/shm`.

use super::Room;
use super::postgres::Division;
use crate::model::Software;
use crate::units::Bytes;

/// Size of `/dev/shm` where nothing is said, as Docker has it.
const SHM_DEFAULT: Bytes = Bytes::mebi(64);

/// Limits by name with what holds at the start and how far a process may raise it; `-1` is without limit.
///
/// `nofile` of PostgreSQL and `memlock` and `stack` of Ollama are those of the planning document; the others are what
/// the software asks for at its start.
#[must_use]
pub fn ulimits(software: Software) -> Vec<(&'static str, i64, i64)> {
    let limits: &[(&str, i64, i64)] = match software {
        Software::Postgres => &[("nofile", 1024, 2048)],
        // `maxclients` 10000 and the 32 files it keeps for itself.
        Software::Redis => &[("nofile", 10_032, 10_032)],
        // Its manual's figure.
        Software::MongoDb => &[("nofile", 64_000, 64_000)],
        // 10 + max_connections + 2 × table_open_cache (4000) in MySQL 8; MariaDB takes up to 32 thousand.
        Software::MySql => &[("nofile", 32_768, 32_768)],
        // Its bootstrap checks ask for both.
        Software::Elasticsearch => &[("memlock", -1, -1), ("nofile", 65_535, 65_535)],
        Software::Ollama => &[("memlock", -1, -1), ("stack", 64 << 20, 64 << 20)],
        // `worker_rlimit_nofile` at most; a limit is of one process, so of one worker.
        Software::Nginx => &[("nofile", 4096, 4096)],
        Software::Node
        | Software::Asgi
        | Software::Jvm
        | Software::Prometheus
        | Software::Loki
        | Software::Grafana
        | Software::N8n => &[],
    };
    limits.to_vec()
}

/// Weight of a tier's disk access, 10 to 1000: critical path 800, workflow 600, background 200. It only counts while the
/// disk is fought for, and only with an I/O scheduler that knows weights, such as BFQ.
#[must_use]
pub const fn blkio_weight(tier: u8) -> u16 {
    match tier {
        0 | 1 => 800,
        2 => 600,
        _ => 200,
    }
}

/// Size of `/dev/shm` that a software needs in a room, in whole mebibytes; `None` where the 64 MiB of Docker suffice.
/// What is in it counts as memory of the container.
#[must_use]
pub fn shm_size(software: Software, room: &Room) -> Option<Bytes> {
    match software {
        Software::Postgres => {
            let needed = Division::of(room).shared_hashes();
            (needed > SHM_DEFAULT).then(|| Bytes::mebi(needed.get().div_ceil(1 << 20)))
        }
        _ => None,
    }
}
