//! Settings are accepted by the real software: each is started with what `plan::settings` writes for a small room, the
//! room of the planning document and a large one, and says itself what it understood.
//!
//! A test says plainly that it was skipped where a program is not installed. With `PLIMSOLL_REQUIRE_SERVERS=1` it fails.

#![cfg(unix)]

#[path = "settings_real/mysql.rs"]
mod mysql;
#[path = "settings_real/nginx.rs"]
mod nginx;
#[path = "settings_real/postgres.rs"]
mod postgres;
#[path = "settings_real/process.rs"]
mod process;
#[path = "settings_real/prometheus.rs"]
mod prometheus;
#[path = "settings_real/redis.rs"]
mod redis;
#[path = "settings_real/runtimes.rs"]
mod runtimes;

use plimsoll::model::DiskKind;
use plimsoll::plan::settings::Room;
use plimsoll::units::Bytes;
use plimsoll::units::Millicores;

/// The least room of the documents.
fn small() -> Room {
    room(Bytes::mebi(64), Millicores::new(50), DiskKind::Hdd)
}

fn large() -> Room {
    room(Bytes::gibi(1024), Millicores::cores(64), DiskKind::Nvme)
}

fn room(memory: Bytes, cpu: Millicores, disk: DiskKind) -> Room {
    Room {
        cpu: Some(cpu),
        cpu_reserved: Some(cpu),
        memory,
        disk: Some(disk),
        connections: 100,
        workers_memory: Bytes::mebi(150),
    }
}
