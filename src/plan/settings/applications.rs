//! Prometheus, Loki, Grafana, Ollama, n8n, nginx.

use super::Room;
use super::Setting;
use super::runtimes;
use crate::units::Bytes;

/// Memory of one active series of Prometheus, the upper end of 3 to 8 kB.
const SERIES_MEMORY: u64 = 8 << 10;
/// Disk of one series over 30 days: a sample every 15 s, 2 bytes each.
const SERIES_DISK: u64 = 30 * 86_400 / 15 * 2;
/// Memory of one sample in a query of Prometheus.
const SAMPLE: u64 = 16;
/// Memory of a proxied connection of nginx: 32 KiB of proxy buffers, 4 KiB for headers, some 24 KiB for TLS and pools.
const CONNECTION: Bytes = Bytes::new(64 << 10);
/// Memory of one more request that Ollama answers at the same time, with its share of a model of 7 billion weights.
const ANSWER: Bytes = Bytes::gibi(2);
/// Memory of n8n at rest.
const N8N_IDLE: u64 = 450;
/// Memory of one execution of n8n, between 50 and 300 MiB.
const N8N_EXECUTION: u64 = 128;

const LOKI: &str = "loki-config.yaml";
const NGINX: &str = "nginx.conf";

/// A program in Go collects garbage by its own clock unless it is told where the limit is, and before Go 1.25 takes
/// every core of the host for its own.
fn go(room: &Room) -> Vec<Setting> {
    let mut settings = vec![Setting::environment(
        "GOMEMLIMIT",
        format!("{}MiB", room.mebibytes(9, 10)),
        "nine tenths of the memory limit: from there on garbage is collected more eagerly",
    )];
    if let Some(cores) = room.cores() {
        settings.push(Setting::environment("GOMAXPROCS", cores, "the CPU limit, rounded up to whole cores"));
    }
    settings
}

/// `retention.size` is room on disk, not memory, so it does not have to stay under the memory limit. It is what 30 days
/// take of as many series as half of the memory holds: 21 times the limit.
pub(super) fn prometheus(room: &Room) -> Vec<Setting> {
    let disk = room.mebibytes(SERIES_DISK, 2 * SERIES_MEMORY);
    let samples = (room.memory.get() / 4 / SAMPLE).clamp(100_000, 50_000_000);
    let mut settings = vec![
        Setting::argument("storage.tsdb.retention.time", "30d", "a month to look back on").kept(),
        Setting::argument(
            "storage.tsdb.retention.size",
            format!("{disk}MB"),
            "room on disk, not memory: what 30 days take of as many series as half of the memory limit holds; the \
             volume must have it",
        )
        .kept(),
    ];
    if let Some(cores) = room.cores() {
        settings.push(Setting::argument(
            "query.max-concurrency",
            cores.saturating_mul(10).min(20),
            "10 queries at once for each core, at most 20; more would only wait for CPU",
        ));
    }
    settings.push(Setting::argument(
        "query.max-samples",
        samples,
        "one query takes a quarter of the memory limit at most, 16 bytes a sample",
    ));
    settings.extend(go(room));
    settings
}

pub(super) fn loki(room: &Room) -> Vec<Setting> {
    let file = |name, value: String, why| Setting::file(LOKI, name, value, why);
    let replay = format!("{}MB", room.mebibytes(1, 2));
    let cache = room.mebibytes(1, 16).min(100).to_string();
    let mut settings = vec![
        file("limits_config.retention_period", "336h".to_owned(), "14 days to look back on").kept(),
        file("compactor.retention_enabled", "true".to_owned(), "without it nothing is ever deleted").kept(),
        file(
            "compactor.delete_request_store",
            "filesystem".to_owned(),
            "Loki 3 asks where it notes what to delete; name the store that the chunks are in",
        )
        .kept(),
        file("ingester.max_chunk_age", "1h".to_owned(), "what is in memory is written after an hour at the latest")
            .kept(),
        file("ingester.chunk_target_size", "1048576".to_owned(), "1 MiB: a stream holds less in memory").kept(),
        file(
            "ingester.wal.replay_memory_ceiling",
            replay,
            "half of the memory limit; the default of 4 GB gets a smaller container killed at every start after a crash",
        ),
        file(
            "query_range.results_cache.cache.embedded_cache.max_size_mb",
            cache,
            "a sixteenth of the memory limit, at most the default of 100 MB",
        ),
    ];
    settings.extend(go(room));
    settings
}

pub(super) fn grafana(room: &Room) -> Vec<Setting> {
    let mut settings = vec![
        Setting::environment("GF_DATABASE_CACHE_MODE", "shared", "connections to SQLite share one cache").kept(),
        Setting::environment("GF_LOG_LEVEL", "warn", "fewer lines to write and to keep").kept(),
    ];
    settings.extend(go(room));
    settings
}

pub(super) fn ollama(room: &Room) -> Vec<Setting> {
    let by_memory = room.memory.get() / ANSWER.get();
    let by_cpu = room.cores().map_or(u64::MAX, |cores| cores.saturating_mul(2));
    vec![
        Setting::environment(
            "OLLAMA_NUM_PARALLEL",
            by_memory.min(by_cpu).clamp(1, 4),
            "one answer at once for each 2 GB of memory and each half core, 1 to 4: each has a context of its own",
        ),
        Setting::environment("OLLAMA_MAX_LOADED_MODELS", "1", "one model in memory: the next makes the last go").kept(),
        Setting::environment("OLLAMA_FLASH_ATTENTION", "1", "contexts take less memory").kept(),
        Setting::environment("OLLAMA_KEEP_ALIVE", "5m", "a model that nobody asks leaves memory after 5 minutes")
            .kept(),
    ]
}

pub(super) fn n8n(room: &Room) -> Vec<Setting> {
    let executions = (runtimes::node_heap(room).saturating_sub(N8N_IDLE) / N8N_EXECUTION).max(1);
    vec![
        runtimes::heap(room),
        Setting::environment(
            "N8N_PAYLOAD_SIZE_MAX",
            room.mebibytes(1, 16).clamp(4, 64),
            "a sixteenth of the memory limit in MiB, at most 64: a payload is held several times over",
        ),
        Setting::environment(
            "N8N_CONCURRENCY_PRODUCTION_LIMIT",
            executions,
            "executions at once that the heap holds beside n8n itself, some 128 MB each; the rest wait",
        ),
        Setting::environment("EXECUTIONS_DATA_PRUNE", "true", "old executions do not fill the database").kept(),
        Setting::environment("EXECUTIONS_DATA_MAX_AGE", "168", "executions of 7 days, in hours").kept(),
        Setting::environment("N8N_METRICS", "true", "Prometheus can ask it").kept(),
    ]
}

/// `worker_processes auto` asks `sysconf` for the cores that are online, which are those of the host: a CPU limit, being
/// a quota of time, does not change them.
pub(super) fn nginx(room: &Room) -> Vec<Setting> {
    let workers = room.cores().map_or_else(|| "auto".to_owned(), |cores| cores.to_string());
    let fit = room.memory.scaled(1, 2).get() / CONNECTION.get() / room.cores().unwrap_or(1);
    let connections = fit.clamp(64, 2048);
    let file = |name, value: String, why| Setting::file(NGINX, name, value, why);
    vec![
        file("worker_processes", workers, "the CPU limit, rounded up; `auto` would count the cores of the host"),
        file(
            "worker_rlimit_nofile",
            (2 * connections).to_string(),
            "a file for each connection, and as many again for what is served and logged",
        ),
        file(
            "events.worker_connections",
            connections.to_string(),
            "as many as half of the memory limit holds at 64 kB each, at most 2048",
        ),
        file("http.keepalive_timeout", "65".to_owned(), "a browser that comes back within 65 s need not connect again")
            .kept(),
        file(
            "http.client_max_body_size",
            "64M".to_owned(),
            "uploads up to 64 MB; larger bodies go to disk, not memory",
        )
        .kept(),
        file("http.gzip", "on".to_owned(), "text goes out compressed").kept(),
        file("http.proxy_buffering", "on".to_owned(), "a slow client does not hold a worker of the application").kept(),
    ]
}
