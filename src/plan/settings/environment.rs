//! Merges a setting into the environment of a service.

use super::Setting;
use super::Stated;

/// Variables that hold flags of their own; only the flags of a setting are replaced in them.
const FLAGS: [&str; 5] =
    ["NODE_OPTIONS", "JAVA_TOOL_OPTIONS", "ES_JAVA_OPTS", "OPENSEARCH_JAVA_OPTS", "GUNICORN_CMD_ARGS"];

/// All variables that settings may name. One that no setting names any more stays here, so that it is taken out of the
/// override files it was written to.
pub const VARIABLES: [&str; 28] = [
    "ES_JAVA_OPTS",
    "EXECUTIONS_DATA_MAX_AGE",
    "EXECUTIONS_DATA_PRUNE",
    "GF_DATABASE_CACHE_MODE",
    "GF_LOG_LEVEL",
    "GOMAXPROCS",
    "GOMEMLIMIT",
    "GRACEFUL_TIMEOUT",
    "GUNICORN_CMD_ARGS",
    "JAVA_TOOL_OPTIONS",
    "KEEPALIVE",
    "MAX_REQUESTS",
    "MAX_REQUESTS_JITTER",
    "N8N_CONCURRENCY_PRODUCTION_LIMIT",
    "N8N_METRICS",
    "N8N_PAYLOAD_SIZE_MAX",
    "NODE_OPTIONS",
    "OLLAMA_FLASH_ATTENTION",
    "OLLAMA_KEEP_ALIVE",
    "OLLAMA_MAX_LOADED_MODELS",
    "OLLAMA_NUM_PARALLEL",
    "OPENSEARCH_JAVA_OPTS",
    "TIMEOUT",
    "UV_THREADPOOL_SIZE",
    "WEB_CONCURRENCY",
    "WORKERS",
    "WORKER_CONNECTIONS",
    "bootstrap.memory_lock",
];

/// The value of the variable that a setting names, where the service says `existing` for it. In `NODE_OPTIONS` and the
/// like the flags that the setting does not name stay, first and in their order. Merging twice is merging once.
#[must_use]
pub fn environment(setting: &Setting, existing: Option<&str>) -> String {
    let existing = existing.filter(|value| !value.trim().is_empty());
    match existing {
        None => setting.value.clone(),
        Some(existing) if setting.stated == Stated::Kept => existing.to_owned(),
        Some(existing) if FLAGS.contains(&setting.name.as_str()) => {
            let ours: Vec<String> = setting.value.split_whitespace().map(flag).collect();
            let others = existing.split_whitespace().filter(|word| !ours.contains(&flag(word)));
            others.chain(setting.value.split_whitespace()).collect::<Vec<_>>().join(" ")
        }
        Some(_) => setting.value.clone(),
    }
}

/// The flag without its value: `--max-old-space-size` however it is written, `-Xmx`, `-XX:MaxRAMPercentage`.
fn flag(word: &str) -> String {
    let name = word.split_once('=').map_or(word, |(name, _)| name);
    match name.get(..4) {
        Some(heap @ ("-Xms" | "-Xmx")) => heap.to_owned(),
        _ => name.replace('_', "-"),
    }
}
