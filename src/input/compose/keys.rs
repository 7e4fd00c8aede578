//! The keys of the Compose specification: what they may hold, and whether they have an effect here.

use super::shape::Key;
use super::shape::Shape;
use super::shape::Shape::Any;
use super::shape::Shape::Bool;
use super::shape::Shape::Choice;
use super::shape::Shape::Cpus;
use super::shape::Shape::Duration;
use super::shape::Shape::Either;
use super::shape::Shape::KeyValues;
use super::shape::Shape::Keys;
use super::shape::Shape::List;
use super::shape::Shape::Named;
use super::shape::Shape::OneOrList;
use super::shape::Shape::Optional;
use super::shape::Shape::Real;
use super::shape::Shape::Scalar;
use super::shape::Shape::Size;
use super::shape::Shape::Text;
use super::shape::Shape::Whole;
use super::shape::idle;
use super::shape::key;

/// What fits: Docker weighs CPU from 2 to 262144; 0 is the engine's default.
const SHARES: Shape = Whole(0, 262_144);
const COUNT: Shape = Whole(0, 1_000_000);
const ULIMIT: Shape = Whole(-1, i64::MAX);

/// The whole file.
pub(super) static FILE: Shape = Keys(&[
    idle("version", Scalar),
    key("name", Text),
    key("include", Any),
    key("services", Optional(&Named(&Keys(SERVICE)))),
    key("volumes", Optional(&Named(&Optional(&Keys(VOLUME))))),
    key("networks", Optional(&Named(&Optional(&Keys(NETWORK))))),
    key("secrets", Optional(&Named(&Optional(&Keys(SECRET))))),
    key("configs", Optional(&Named(&Optional(&Keys(CONFIG))))),
    idle("models", Any),
]);

/// A service.
pub(super) static SERVICE: &[Key] = &[
    key("blkio_config", Keys(BLKIO)),
    key("build", Keys(BUILD)),
    key("configs", List(&Keys(GRANT))),
    key("container_name", Text),
    key("cpu_period", Whole(0, 1_000_000)),
    key("cpu_quota", Whole(-1, i64::MAX)),
    key("cpu_shares", SHARES),
    key("cpus", Cpus),
    key("cpuset", Text),
    key("depends_on", Named(&Keys(DEPENDENCY))),
    key("deploy", Optional(&Keys(DEPLOY))),
    key("env_file", List(&Keys(ENV_FILE))),
    key("extends", Any),
    key("gpus", Either(&OneOrList(&Either(&Choice(&["all"]), &Keys(DEVICE))), &Keys(DEVICE))),
    key("healthcheck", Optional(&Keys(HEALTH))),
    key("image", Text),
    key("labels", KeyValues),
    key("mem_limit", Size(false)),
    key("mem_reservation", Size(false)),
    key("mem_swappiness", Whole(-1, 100)),
    key("memswap_limit", Size(true)),
    key("network_mode", Text),
    key("networks", Named(&Optional(&Keys(NETWORK_OF_SERVICE)))),
    key("oom_kill_disable", Bool),
    key("oom_score_adj", Whole(-1000, 1000)),
    key("pids_limit", Whole(-1, i64::MAX)),
    key("ports", List(&Shape::Port)),
    key("profiles", List(&Text)),
    key("restart", Shape::Restart),
    key("scale", COUNT),
    key("secrets", List(&Keys(GRANT))),
    key("shm_size", Size(false)),
    key("stop_grace_period", Duration),
    key("tmpfs", OneOrList(&Shape::Tmpfs)),
    key("ulimits", Named(&Either(&ULIMIT, &Keys(&[key("soft", ULIMIT), key("hard", ULIMIT)])))),
    key("volumes", List(&Shape::Volume)),
    idle("annotations", KeyValues),
    idle("attach", Bool),
    idle("cap_add", List(&Text)),
    idle("cap_drop", List(&Text)),
    idle("cgroup", Text),
    idle("cgroup_parent", Text),
    idle("command", Optional(&OneOrList(&Text))),
    idle("cpu_count", Scalar),
    idle("cpu_percent", Scalar),
    idle("cpu_rt_period", Scalar),
    idle("cpu_rt_runtime", Scalar),
    idle("credential_spec", Any),
    idle("develop", Any),
    idle("device_cgroup_rules", List(&Text)),
    idle("devices", List(&Any)),
    idle("dns", OneOrList(&Text)),
    idle("dns_opt", List(&Text)),
    idle("dns_search", OneOrList(&Text)),
    idle("domainname", Text),
    idle("entrypoint", Optional(&OneOrList(&Text))),
    idle("environment", KeyValues),
    idle("expose", List(&Scalar)),
    idle("external_links", List(&Text)),
    idle("extra_hosts", Any),
    idle("group_add", List(&Scalar)),
    idle("hostname", Text),
    idle("init", Bool),
    idle("ipc", Text),
    idle("isolation", Text),
    idle("label_file", OneOrList(&Text)),
    idle("links", List(&Text)),
    idle("logging", Any),
    idle("mac_address", Text),
    idle("models", Any),
    idle("pid", Optional(&Text)),
    idle("platform", Text),
    idle("post_start", Any),
    idle("pre_start", Any),
    idle("pre_stop", Any),
    idle("privileged", Bool),
    idle("provider", Any),
    idle("pull_policy", Text),
    idle("pull_refresh_after", Text),
    idle("read_only", Bool),
    idle("runtime", Text),
    idle("security_opt", List(&Text)),
    idle("stdin_open", Bool),
    idle("stop_signal", Text),
    idle("storage_opt", Any),
    idle("sysctls", KeyValues),
    idle("tty", Bool),
    idle("use_api_socket", Bool),
    idle("user", Text),
    idle("userns_mode", Text),
    idle("uts", Text),
    idle("volumes_from", List(&Text)),
    idle("working_dir", Text),
];

static BUILD: &[Key] = &[
    idle("additional_contexts", KeyValues),
    idle("args", KeyValues),
    idle("cache_from", Any),
    idle("cache_to", Any),
    key("context", Text),
    idle("dockerfile", Text),
    idle("dockerfile_inline", Text),
    idle("entitlements", Any),
    idle("extra_hosts", Any),
    idle("isolation", Text),
    idle("labels", KeyValues),
    idle("network", Text),
    idle("no_cache", Bool),
    idle("no_cache_filter", Any),
    idle("platforms", Any),
    idle("privileged", Bool),
    idle("provenance", Scalar),
    idle("pull", Bool),
    idle("sbom", Scalar),
    idle("secrets", Any),
    idle("shm_size", Size(false)),
    idle("ssh", Any),
    idle("tags", Any),
    idle("target", Text),
    idle("ulimits", Any),
];

static BLKIO: &[Key] = &[
    key("weight", Whole(0, 1000)),
    key("weight_device", List(&Keys(&[key("path", Text), key("weight", Whole(0, 1000))]))),
    key("device_read_bps", List(&Keys(RATE_BYTES))),
    key("device_write_bps", List(&Keys(RATE_BYTES))),
    key("device_read_iops", List(&Keys(RATE_OPERATIONS))),
    key("device_write_iops", List(&Keys(RATE_OPERATIONS))),
];
static RATE_BYTES: &[Key] = &[key("path", Text), key("rate", Size(false))];
static RATE_OPERATIONS: &[Key] = &[key("path", Text), key("rate", Whole(0, i64::MAX))];

static DEPENDENCY: &[Key] = &[
    key("condition", Choice(&["service_started", "service_healthy", "service_completed_successfully"])),
    key("required", Bool),
    idle("restart", Bool),
];

static DEPLOY: &[Key] = &[
    key("mode", Choice(&["replicated", "global", "replicated-job", "global-job"])),
    key("replicas", COUNT),
    key("resources", Optional(&Keys(RESOURCES))),
    key("restart_policy", Optional(&Keys(RESTART_POLICY))),
    key("labels", KeyValues),
    idle("endpoint_mode", Text),
    idle("placement", Any),
    idle("rollback_config", Any),
    key("update_config", Optional(&Keys(UPDATE))),
];
static RESOURCES: &[Key] =
    &[key("limits", Optional(&Keys(LIMITS))), key("reservations", Optional(&Keys(RESERVATIONS)))];
static LIMITS: &[Key] = &[key("cpus", Cpus), key("memory", Size(false)), key("pids", Whole(-1, i64::MAX))];
static RESERVATIONS: &[Key] = &[
    key("cpus", Cpus),
    key("memory", Size(false)),
    key("devices", List(&Keys(DEVICE))),
    idle("generic_resources", Any),
    idle("pids", Whole(-1, i64::MAX)),
];
static DEVICE: &[Key] = &[
    key("capabilities", List(&Text)),
    key("count", Scalar),
    key("device_ids", List(&Text)),
    key("driver", Text),
    idle("options", KeyValues),
];
static UPDATE: &[Key] = &[
    key("delay", Duration),
    key("failure_action", Choice(&["continue", "rollback", "pause"])),
    key("max_failure_ratio", Real),
    key("monitor", Duration),
    key("order", Choice(&["start-first", "stop-first"])),
    key("parallelism", COUNT),
];
static RESTART_POLICY: &[Key] = &[
    key("condition", Choice(&["none", "no", "on-failure", "any", "always", "unless-stopped"])),
    key("max_attempts", COUNT),
    idle("delay", Duration),
    idle("window", Duration),
];

static HEALTH: &[Key] = &[
    key("disable", Bool),
    key("interval", Duration),
    key("retries", COUNT),
    key("start_interval", Duration),
    key("start_period", Duration),
    key("test", OneOrList(&Text)),
    key("timeout", Duration),
];

static ENV_FILE: &[Key] = &[key("path", Text), key("required", Bool), idle("format", Text)];

static GRANT: &[Key] =
    &[key("source", Text), idle("target", Text), idle("uid", Scalar), idle("gid", Scalar), idle("mode", Scalar)];

static NETWORK_OF_SERVICE: &[Key] = &[
    idle("aliases", List(&Text)),
    idle("driver_opts", Any),
    idle("gw_priority", Real),
    idle("interface_name", Text),
    idle("ipv4_address", Text),
    idle("ipv6_address", Text),
    idle("link_local_ips", List(&Text)),
    idle("mac_address", Text),
    idle("priority", Real),
];

static VOLUME: &[Key] = &[
    idle("driver", Text),
    idle("driver_opts", Any),
    key("external", Any),
    idle("labels", KeyValues),
    idle("name", Text),
];

static NETWORK: &[Key] = &[
    idle("attachable", Bool),
    idle("driver", Text),
    idle("driver_opts", Any),
    idle("enable_ipv4", Bool),
    idle("enable_ipv6", Bool),
    key("external", Any),
    idle("internal", Bool),
    idle("ipam", Any),
    idle("labels", KeyValues),
    idle("name", Text),
];

static SECRET: &[Key] = &[
    idle("driver", Text),
    idle("driver_opts", Any),
    idle("environment", Text),
    key("external", Any),
    idle("file", Text),
    idle("labels", KeyValues),
    idle("name", Text),
    idle("template_driver", Text),
];

static CONFIG: &[Key] = &[
    idle("content", Text),
    idle("environment", Text),
    key("external", Any),
    idle("file", Text),
    idle("labels", KeyValues),
    idle("name", Text),
    idle("template_driver", Text),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of the specification, where its schema lies beside this checkout.
    #[test]
    fn no_key_of_the_specification_is_missing() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/compose-spec/compose-spec.json");
        let Ok(text) = std::fs::read_to_string(path) else { return };
        let schema: serde_json::Value = serde_json::from_str(&text).expect("the schema is JSON");
        let listed = |pointer: &str, keys: &[Key]| {
            let properties = schema.pointer(pointer).and_then(serde_json::Value::as_object).expect(pointer);
            for name in properties.keys() {
                assert!(keys.iter().any(|key| key.name == name), "{pointer}/{name}");
            }
        };
        let Keys(file) = &FILE else { panic!("a file is a mapping") };
        listed("/properties", file);
        listed("/definitions/service/properties", SERVICE);
        listed("/definitions/service/properties/blkio_config/properties", BLKIO);
        listed("/definitions/service/properties/build/oneOf/1/properties", BUILD);
        listed("/definitions/healthcheck/properties", HEALTH);
        listed("/definitions/deployment/properties", DEPLOY);
        listed("/definitions/deployment/properties/resources/properties/limits/properties", LIMITS);
        listed("/definitions/deployment/properties/resources/properties/reservations/properties", RESERVATIONS);
        listed("/definitions/deployment/properties/restart_policy/properties", RESTART_POLICY);
        listed("/definitions/deployment/properties/update_config/properties", UPDATE);
        listed("/definitions/devices/items/properties", DEVICE);
        listed("/definitions/volume/properties", VOLUME);
        listed("/definitions/network/properties", NETWORK);
        listed("/definitions/secret/properties", SECRET);
        listed("/definitions/config/properties", CONFIG);
    }
}
