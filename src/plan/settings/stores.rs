//! MySQL and MariaDB, MongoDB, Redis.

use super::Room;
use super::Setting;

/// In MiB. MySQL rounds the buffer pool up to a multiple of chunk times instances, so it is rounded down to one first.
const CHUNK: u64 = 128;
/// In MiB; from here on the pool has eight instances.
const LARGE_POOL: u64 = 8 << 10;

/// What only one of MySQL and MariaDB knows is written with `loose-`: the other warns and goes on.
pub(super) fn mysql(room: &Room) -> Vec<Setting> {
    let half = room.mebibytes(1, 2);
    let instances = if half < LARGE_POOL { 1 } else { 8 };
    let pool = match half {
        0..CHUNK => half.max(5),
        _ => half - half % (CHUNK * instances),
    };
    let log = (pool / 4).clamp(96, 2048);
    vec![
        Setting::argument(
            "innodb-buffer-pool-size",
            format!("{pool}M"),
            "half of the memory limit, in whole chunks; the rest is for connections, temporary tables and the \
             performance schema, which takes some 400 MB in MySQL 8",
        ),
        Setting::argument(
            "loose-innodb-buffer-pool-instances",
            instances,
            "one instance below 8 GB, so that the pool is not rounded up to 1 GB; MariaDB from 10.5 on has only one",
        ),
        Setting::argument(
            "loose-innodb-redo-log-capacity",
            format!("{log}M"),
            "a quarter of the buffer pool, from 96 MB to 2 GB; MySQL from 8.0.30 on",
        ),
        Setting::argument(
            "loose-innodb-log-file-size",
            format!("{log}M"),
            "a quarter of the buffer pool, from 96 MB to 2 GB; MariaDB, and MySQL before 8.0.30",
        ),
        Setting::argument("max-connections", room.connections.clamp(1, 100_000), "as asked"),
    ]
}

/// MongoDB's own rule, half of what is above 1 GB, leaves a container of 1.5 GB with the least cache there is.
pub(super) fn mongodb(room: &Room) -> Vec<Setting> {
    let hundredths = (u128::from(room.memory.get()) * 50) >> 30;
    let hundredths = hundredths.clamp(25, 1_000_000);
    let why = if room.memory.get() < 512 << 20 {
        "0.25 GB is the least that MongoDB takes; a limit under 512 MB is too little for it"
    } else {
        "half of the memory limit; the rest is for connections, sorts and the page cache that compressed data is read \
         through"
    };
    let value = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    vec![Setting::argument("wiredTigerCacheSizeGB", value, why)]
}

pub(super) fn redis(room: &Room) -> Vec<Setting> {
    let saves = [("900", "1"), ("300", "10"), ("60", "10000")].map(|(seconds, changes)| {
        let why = format!("a snapshot after {seconds} s where {changes} keys or more changed");
        Setting::argument("save", format!("{seconds} {changes}"), &why).kept()
    });
    let mut settings = vec![
        Setting::argument(
            "maxmemory",
            format!("{}mb", room.mebibytes(9, 10)),
            "nine tenths of the memory limit; the rest is for buffers, fragmentation and what changes during a snapshot",
        ),
        Setting::argument(
            "maxmemory-policy",
            "allkeys-lru",
            "a cache drops what was not used for longest; use `noeviction` where Redis holds a queue or sessions, or jobs \
             are lost",
        )
        .kept(),
        Setting::argument("appendonly", "yes", "writes of the last second at most are lost in a crash").kept(),
    ];
    settings.extend(saves);
    settings.extend([
        Setting::argument("tcp-backlog", "511", "connections that wait to be taken").kept(),
        Setting::argument("timeout", "300", "a client that says nothing for 300 s is let go").kept(),
        Setting::argument("tcp-keepalive", "60", "a client that is gone is noticed after 60 s").kept(),
    ]);
    settings
}
