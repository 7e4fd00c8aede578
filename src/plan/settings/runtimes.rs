//! Node.js, Python behind gunicorn or uvicorn, the Java virtual machine, and Elasticsearch, which is sized as one.

use super::Room;
use super::Setting;

/// Largest heap of a Java virtual machine with short pointers, in MiB; Elasticsearch's manual says not to pass it.
const SHORT_POINTERS: u64 = 31 << 10;
/// Least heap that a Java virtual machine starts with, in MiB.
const HEAP_MIN: u64 = 4;

pub(super) fn node(room: &Room) -> Vec<Setting> {
    let threads = room.cores().map_or(8, |cores| cores.saturating_mul(4).clamp(8, 128));
    vec![
        heap(room),
        Setting::environment(
            "UV_THREADPOOL_SIZE",
            threads,
            "4 threads for each core, at least 8: files, names and cryptography wait in them",
        ),
    ]
}

/// Without it, Node takes its heap from the memory of the host in versions before 12, and half of it or 2 to 4 GB later.
pub(super) fn heap(room: &Room) -> Setting {
    let heap = node_heap(room);
    Setting::environment(
        "NODE_OPTIONS",
        format!("--max-old-space-size={heap}"),
        "85 % of the memory limit in MiB; the rest is for buffers, code and threads outside the heap",
    )
}

/// Old space of a Node.js process, in MiB.
pub(super) fn node_heap(room: &Room) -> u64 {
    room.mebibytes(85, 100)
}

/// gunicorn and uvicorn read `WEB_CONCURRENCY`; the start scripts of many images read `WORKERS` and the like.
pub(super) fn asgi(room: &Room) -> Vec<Setting> {
    let mut settings = Vec::new();
    if let Some(cpu) = room.cpu_reserved.or(room.cpu) {
        let hold = room.memory.scaled(3, 4).get().checked_div(room.workers_memory.get()).unwrap_or(u64::MAX);
        let by_cpu = cpu.scaled(2, 1).get().div_ceil(1000);
        let workers = by_cpu.min(hold).max(1);
        let why = if hold < by_cpu {
            "as many idle workers as three quarters of the memory limit hold; CPU would bear more"
        } else {
            "twice the reserved CPU, rounded up"
        };
        settings.push(Setting::environment("WEB_CONCURRENCY", workers, why));
        settings.push(Setting::environment("WORKERS", workers, why));
    }
    let script = "read by the start script of the image, where it reads it; the flag of gunicorn has the same name";
    settings.push(
        Setting::environment(
            "GUNICORN_CMD_ARGS",
            "--max-requests=5000 --max-requests-jitter=500",
            "a worker is renewed after 5000 requests, so that what it leaks does not add up; not all at once",
        )
        .kept(),
    );
    settings.extend(
        [
            ("WORKER_CONNECTIONS", "1000"),
            ("MAX_REQUESTS", "5000"),
            ("MAX_REQUESTS_JITTER", "500"),
            ("TIMEOUT", "30"),
            ("GRACEFUL_TIMEOUT", "30"),
            ("KEEPALIVE", "5"),
        ]
        .map(|(name, value)| Setting::environment(name, value, script).kept()),
    );
    settings
}

/// A share of what the virtual machine finds as limit, so it follows a limit that is changed later. Written with a
/// decimal point, which Java 8 to 12 insist on. Below some 250 MB Java goes by `MinRAMPercentage`, which is 50.
pub(super) fn jvm() -> Vec<Setting> {
    vec![Setting::environment(
        "JAVA_TOOL_OPTIONS",
        "-XX:MaxRAMPercentage=75.0",
        "the heap is three quarters of the memory limit; the rest is for classes, code, threads and direct buffers",
    )]
}

pub(super) fn elasticsearch(room: &Room) -> Vec<Setting> {
    let heap = room.mebibytes(1, 2).clamp(HEAP_MIN, SHORT_POINTERS);
    let value = format!("-Xms{heap}m -Xmx{heap}m");
    let why = "half of the memory limit, never above 31 GB, where pointers get longer; the rest is for the page cache";
    vec![
        Setting::environment("ES_JAVA_OPTS", &value, why),
        Setting::environment("OPENSEARCH_JAVA_OPTS", &value, why),
        Setting::environment(
            "bootstrap.memory_lock",
            "true",
            "the heap is never swapped out; it needs the limit memlock of -1, without which the node does not start",
        )
        .kept(),
    ]
}
