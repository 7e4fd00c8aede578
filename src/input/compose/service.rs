//! One service of the merged tree as the noun of the model. The shape has been checked; what cannot be read is left out
//! here, since it has been reported there.

use super::codes;
use super::hints;
use super::limits;
use super::mounts;
use super::ports;
use super::shape::boolean;
use super::shape::size;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::yaml::Node;
use crate::input::yaml::Value;
use crate::model::Blkio;
use crate::model::Condition;
use crate::model::DeviceRequest;
use crate::model::HealthCheck;
use crate::model::OnFailure;
use crate::model::Order;
use crate::model::Restart;
use crate::model::Service;
use crate::model::ServiceName;
use crate::model::Tmpfs;
use crate::model::Ulimit;
use crate::model::UpdateConfig;
use crate::units::Bytes;
use crate::units::Permille;
use crate::units::Span;
use std::collections::BTreeMap;

/// The text of a scalar at this key.
pub(super) fn text(node: &Node, key: &str) -> Option<String> {
    node.get(key).and_then(Node::scalar)
}

/// The whole number at this key.
pub(super) fn whole(node: &Node, key: &str) -> Option<i64> {
    number(node.get(key)?)
}

fn number(node: &Node) -> Option<i64> {
    match &node.value {
        Value::Number(number) => number.as_i64(),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The boolean at this key.
pub(super) fn flag(node: &Node, key: &str) -> Option<bool> {
    boolean(&text(node, key)?)
}

/// The size at this key.
pub(super) fn bytes(node: &Node, key: &str) -> Option<Bytes> {
    size(&text(node, key)?).ok()
}

fn texts(node: Option<&Node>) -> Vec<String> {
    node.map(Node::items).unwrap_or_default().iter().filter_map(Node::scalar).collect()
}

/// A duration other than zero; zero takes the engine's default, as if nothing were said.
fn span(node: &Node, key: &str) -> Option<Span> {
    Span::parse(&text(node, key)?).ok().filter(|span| *span != Span::ZERO)
}

/// Makes a service of its mapping; what does not go together is reported.
pub(super) fn service(name: &str, node: &Node, problems: &mut Problems) -> Service {
    let deploy = node.get("deploy");
    let (limits, reservations, pids) = limits::limits(name, node, problems);
    let names = |key: &str| node.get(key).map(Node::entries).unwrap_or_default();
    let sources = |key: &str| {
        let list = node.get(key).map(Node::items).unwrap_or_default();
        list.iter().filter_map(|item| text(item, "source")).collect()
    };
    Service {
        image: text(node, "image"),
        limits,
        reservations,
        pids,
        cpu_shares: whole(node, "cpu_shares")
            .and_then(|shares| u64::try_from(shares).ok())
            .filter(|shares| *shares > 0),
        replicas: replicas(name, node, problems),
        health: node.get("healthcheck").and_then(|check| health(name, check, problems)),
        depends_on: names("depends_on")
            .iter()
            .filter_map(|entry| Some((ServiceName::new(&entry.key), condition(&entry.value)?)))
            .collect(),
        restart: restart(node),
        labels: names("labels")
            .iter()
            .map(|entry| (entry.key.clone(), entry.value.scalar().unwrap_or_default()))
            .collect(),
        hints: hints::hints(names("labels"), problems),
        global: deploy.and_then(|deploy| text(deploy, "mode")).is_some_and(|mode| mode.starts_with("global")),
        container_name: text(node, "container_name"),
        devices: devices(node),
        cpuset: text(node, "cpuset").filter(|set| !set.is_empty()),
        memory_and_swap: memory_and_swap(node),
        swappiness: whole(node, "mem_swappiness").and_then(|value| u8::try_from(value).ok()),
        oom_score_adjust: whole(node, "oom_score_adj").and_then(|value| i16::try_from(value).ok()),
        oom_kill_disabled: flag(node, "oom_kill_disable").unwrap_or(false),
        shm_size: bytes(node, "shm_size"),
        tmpfs: tmpfs(node),
        ulimits: names("ulimits").iter().filter_map(|entry| Some((entry.key.clone(), ulimit(&entry.value)?))).collect(),
        blkio: node.get("blkio_config").map(blkio),
        ports: node
            .get("ports")
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .filter_map(|p| ports::read(p).ok())
            .collect(),
        networks: names("networks").iter().map(|entry| entry.key.clone()).collect(),
        network_mode: text(node, "network_mode"),
        mounts: mounts(node),
        secrets: sources("secrets"),
        configs: sources("configs"),
        update: deploy.and_then(|deploy| deploy.get("update_config")).map(update),
        stop_grace_period: text(node, "stop_grace_period").and_then(|text| Span::parse(&text).ok()),
    }
}

fn mounts(node: &Node) -> Vec<crate::model::Mount> {
    node.get("volumes").map(Node::items).unwrap_or_default().iter().filter_map(|v| mounts::read(v).ok()).collect()
}

fn replicas(name: &str, node: &Node, problems: &mut Problems) -> Option<u32> {
    let deploy = node.get("deploy").and_then(|deploy| deploy.get("replicas"));
    let scale = node.get("scale");
    if let (Some(deploy), Some(scale)) = (deploy, scale)
        && number(deploy) != number(scale)
    {
        problems.push(
            Problem::error(&codes::EXCLUSIVE, format!("`scale` and `deploy.replicas` of `{name}` differ"))
                .at(&scale.place)
                .label(format!("`deploy.replicas` at {}", deploy.place))
                .help("keep one of them"),
        );
    }
    let count = scale.or(deploy).and_then(number).and_then(|count| u32::try_from(count).ok());
    if let (Some(2..), Some(container)) = (count, node.entry("container_name")) {
        problems.push(
            Problem::warning(&codes::ODD, format!("`{name}` has a `container_name` and more than one instance"))
                .at(&container.key_place)
                .help("Docker Compose refuses this, since container names are unique; remove `container_name`"),
        );
    }
    count
}

/// How a swarm replaces instances.
fn update(node: &Node) -> UpdateConfig {
    let span = |key: &str| text(node, key).and_then(|text| Span::parse(&text).ok());
    let ratio = text(node, "max_failure_ratio").and_then(|text| text.trim().parse::<f64>().ok());
    UpdateConfig {
        order: match text(node, "order").as_deref() {
            Some("start-first") => Some(Order::StartFirst),
            Some("stop-first") => Some(Order::StopFirst),
            _ => None,
        },
        parallelism: whole(node, "parallelism").and_then(|count| u32::try_from(count).ok()),
        delay: span("delay"),
        monitor: span("monitor"),
        max_failure_ratio: ratio.map(|ratio| Permille::new(crate::units::whole(ratio.clamp(0.0, 1.0) * 1000.0))),
        on_failure: match text(node, "failure_action").as_deref() {
            Some("continue") => Some(OnFailure::Continue),
            Some("rollback") => Some(OnFailure::Rollback),
            Some("pause") => Some(OnFailure::Pause),
            _ => None,
        },
    }
}

fn condition(node: &Node) -> Option<Condition> {
    match text(node, "condition").as_deref() {
        Some("service_healthy") => Some(Condition::Healthy),
        Some("service_completed_successfully") => Some(Condition::Completed),
        Some("service_started") => Some(Condition::Started),
        _ => None,
    }
}

fn restart(node: &Node) -> Option<Restart> {
    let policy = node.get("deploy").and_then(|deploy| deploy.get("restart_policy"));
    if let Some(policy) = policy.filter(|policy| policy.value != Value::Null) {
        let attempts = whole(policy, "max_attempts").and_then(|count| u32::try_from(count).ok());
        return Some(match text(policy, "condition").as_deref() {
            Some("none" | "no") => Restart::No,
            Some("on-failure") => Restart::OnFailure(attempts.filter(|count| *count > 0)),
            Some("unless-stopped") => Restart::UnlessStopped,
            _ => Restart::Always,
        });
    }
    match text(node, "restart")?.as_str() {
        "no" => Some(Restart::No),
        "always" => Some(Restart::Always),
        "unless-stopped" => Some(Restart::UnlessStopped),
        "on-failure" => Some(Restart::OnFailure(None)),
        other => {
            let times = other.strip_prefix("on-failure:")?.parse().ok()?;
            Some(Restart::OnFailure(Some(times).filter(|times| *times > 0)))
        }
    }
}

/// The health check of a service; `None` where the mapping is empty and so leaves the image its own.
fn health(name: &str, node: &Node, problems: &mut Problems) -> Option<HealthCheck> {
    if node.entries().is_empty() {
        return None;
    }
    let written = node.get("test");
    let mut test = match written.map(|test| &test.value) {
        Some(Value::Text(line)) => vec!["CMD-SHELL".to_owned(), line.clone()],
        Some(Value::List(_)) => texts(written),
        _ => Vec::new(),
    };
    if let (Some(first), Some(written)) = (test.first(), written)
        && !["CMD", "CMD-SHELL", "NONE"].contains(&first.as_str())
    {
        problems.push(
            Problem::error(&codes::VALUE, format!("the health check of `{name}` starts with `{first}`"))
                .at(&written.place)
                .help("a list starts with `CMD`, `CMD-SHELL` or `NONE`; a shell command may be text instead"),
        );
    }
    let none = test.first().is_some_and(|first| first == "NONE");
    if none {
        test.clear();
    }
    Some(HealthCheck {
        disabled: none || flag(node, "disable") == Some(true),
        test,
        interval: span(node, "interval"),
        timeout: span(node, "timeout"),
        retries: whole(node, "retries").and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0),
        start_period: span(node, "start_period"),
        start_interval: span(node, "start_interval"),
    })
}

fn devices(node: &Node) -> Vec<DeviceRequest> {
    let reserved = node
        .get("deploy")
        .and_then(|deploy| deploy.get("resources"))
        .and_then(|resources| resources.get("reservations"))
        .and_then(|reservations| reservations.get("devices"));
    let mut requests: Vec<DeviceRequest> = reserved.map(Node::items).unwrap_or_default().iter().map(device).collect();
    if let Some(gpus) = node.get("gpus") {
        if gpus.as_text() == Some("all") {
            requests.push(DeviceRequest {
                count: Some(-1),
                capabilities: vec!["gpu".into()],
                ..DeviceRequest::default()
            });
        }
        for gpu in gpus.items() {
            let mut request = device(gpu);
            if request.capabilities.is_empty() {
                request.capabilities.push("gpu".to_owned());
            }
            requests.push(request);
        }
    }
    requests
}

fn device(node: &Node) -> DeviceRequest {
    let count = text(node, "count");
    DeviceRequest {
        driver: text(node, "driver"),
        count: if count.as_deref() == Some("all") { Some(-1) } else { count.and_then(|count| count.parse().ok()) },
        ids: texts(node.get("device_ids")),
        capabilities: texts(node.get("capabilities")),
    }
}

fn memory_and_swap(node: &Node) -> Option<i64> {
    match text(node, "memswap_limit")?.as_str() {
        "-1" => Some(-1),
        text => size(text).ok().and_then(|size| i64::try_from(size.get()).ok()).filter(|size| *size > 0),
    }
}

/// File systems in memory, from `tmpfs` and from `volumes`.
fn tmpfs(node: &Node) -> Vec<Tmpfs> {
    let short = texts(node.get("tmpfs"));
    let mut list: Vec<Tmpfs> = short.iter().filter_map(|text| mounts::tmpfs(text).ok()).collect();
    for volume in node.get("volumes").map(Node::items).unwrap_or_default() {
        if text(volume, "type").as_deref() == Some("tmpfs")
            && let Some(target) = text(volume, "target")
        {
            list.push(Tmpfs { target, size: volume.get("tmpfs").and_then(|options| bytes(options, "size")) });
        }
    }
    list
}

fn ulimit(node: &Node) -> Option<Ulimit> {
    match number(node) {
        Some(both) => Some(Ulimit { soft: both, hard: both }),
        None => {
            let (soft, hard) = (whole(node, "soft"), whole(node, "hard"));
            Some(Ulimit { soft: soft.or(hard)?, hard: hard.or(soft)? })
        }
    }
}

fn blkio(node: &Node) -> Blkio {
    let weight = |node: &Node| whole(node, "weight").and_then(|weight| u16::try_from(weight).ok());
    let items = |key: &str| node.get(key).map(Node::items).unwrap_or_default();
    let sizes = |key: &str| -> BTreeMap<String, Bytes> {
        items(key).iter().filter_map(|item| Some((text(item, "path")?, bytes(item, "rate")?))).collect()
    };
    let counts = |key: &str| -> BTreeMap<String, u64> {
        let count = |item: &Node| whole(item, "rate").and_then(|rate| u64::try_from(rate).ok());
        items(key).iter().filter_map(|item| Some((text(item, "path")?, count(item)?))).collect()
    };
    Blkio {
        weight: weight(node),
        weight_device: items("weight_device").iter().filter_map(|i| Some((text(i, "path")?, weight(i)?))).collect(),
        read_bytes: sizes("device_read_bps"),
        write_bytes: sizes("device_write_bps"),
        read_operations: counts("device_read_iops"),
        write_operations: counts("device_write_iops"),
    }
}
