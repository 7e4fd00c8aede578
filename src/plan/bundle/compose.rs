//! The Compose fragment that adds what the stack lacks for its monitoring, with limits as document Z has them.

use super::Plan;
use super::grafana::DASHBOARDS;
use super::header;
use super::parts::DOCKER_HOST;
use super::parts::Kind;
use super::parts::Part;
use super::parts::free_port;
use crate::model::Software;
use crate::plan::settings;
use crate::plan::settings::Room;
use crate::plan::yaml;
use crate::plan::yaml::Comments;
use crate::units::Bytes;
use crate::units::Millicores;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;

/// The fragment.
pub(super) fn file(plan: &Plan<'_>) -> String {
    let mut services = Map::new();
    let mut volumes = Map::new();
    let mut comments = Comments::new();
    let mut ports = BTreeSet::new();
    for part in plan.parts.iter().filter(|part| part.added) {
        let mut service = of_kind(part.kind, plan);
        if is_page(part.kind) {
            let port = free_port(plan.stack, part.kind.port(), &ports);
            ports.insert(port);
            service["ports"] = json!([format!("127.0.0.1:{port}:{}", part.kind.port())]);
            comments.insert(
                format!("/services/{}/ports", part.service),
                "Only from this host: ports that Docker publishes pass by most firewalls.".to_owned(),
            );
        }
        if part.kind == Kind::Prometheus && reaches_host(plan) {
            service["extra_hosts"] = json!([format!("{DOCKER_HOST}:host-gateway")]);
        }
        service["networks"] = json!(networks(part, plan));
        if let Some(volume) = volume(part.kind) {
            volumes.insert(volume.to_owned(), json!({}));
        }
        if let Some(why) = why(part.kind) {
            comments.insert(format!("/services/{}", part.service), why.to_owned());
        }
        services.insert(part.service.clone(), service);
    }
    comments.insert(String::new(), header(&top(plan)));
    let mut value = json!({ "services": services });
    if !volumes.is_empty() {
        value["volumes"] = Value::Object(volumes);
    }
    yaml::text(&value, &comments)
}

/// What the reader must know first: how to start it, and what to mount where the stack has the software already.
fn top(plan: &Plan<'_>) -> String {
    let folder = plan.asked.folder;
    let mut text = format!(
        "Adds to the stack what it lacks for its monitoring:\n  docker compose {} -f {}/compose.monitoring.yml up -d\n",
        plan.asked.files, plan.asked.out
    );
    for part in plan.parts.iter().filter(|part| !part.added) {
        let service = &part.service;
        match part.kind {
            Kind::Prometheus => text.push_str(&format!(
                "The stack has a Prometheus of its own, `{service}`, which is left as it is. To use the bundle with it, mount\n  \
                 {folder}/prometheus/rules:/etc/prometheus/rules:ro\n\
                 and take over from prometheus.yml: `rule_files`, `alerting`, and the jobs that your own configuration lacks.\n"
            )),
            Kind::Grafana => text.push_str(&format!(
                "The stack has a Grafana of its own, `{service}`. Mount\n  {}\nor import grafana/dashboards/plimsoll.json by hand.\n",
                grafana_mounts(folder).join("\n  ")
            )),
            Kind::Cadvisor => text.push_str(&format!(
                "The stack has a cAdvisor of its own, `{service}`. It must keep the label com.docker.compose.service, as it \
                 does unless --store_container_labels=false says otherwise.\n"
            )),
            Kind::Alertmanager | Kind::NodeExporter => {}
        }
    }
    text.trim_end().to_owned()
}

/// Whether people look at it with a browser.
const fn is_page(kind: Kind) -> bool {
    matches!(kind, Kind::Prometheus | Kind::Alertmanager | Kind::Grafana)
}

const fn volume(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Prometheus => Some("plimsoll_prometheus"),
        Kind::Alertmanager => Some("plimsoll_alertmanager"),
        Kind::Grafana => Some("plimsoll_grafana"),
        Kind::Cadvisor | Kind::NodeExporter => None,
    }
}

const fn why(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Cadvisor => Some(
            "It reads the cgroups of the host, and the kernel's log for OOM kills: hence the mounts, the device and \
             `privileged`. Its port is not published: it shows everything about the host to everybody.",
        ),
        Kind::NodeExporter => Some(
            "It sees the host's files and processes, but the network of its own container: its network figures are not the host's.",
        ),
        Kind::Grafana => Some("The first login is admin/admin; Grafana then asks for a new password."),
        Kind::Prometheus | Kind::Alertmanager => None,
    }
}

/// The image of Prometheus, a version with long support.
const PROMETHEUS: &str = "prom/prometheus:v3.5.0";

fn of_kind(kind: Kind, plan: &Plan<'_>) -> Value {
    let folder = plan.asked.folder;
    match kind {
        Kind::Cadvisor => json!({
            // From 0.53 on at ghcr.io; before 0.54 it knows nothing of Docker's containerd image store.
            "image": "ghcr.io/google/cadvisor:0.56.2",
            "restart": "unless-stopped",
            "command": [
                "--docker_only=true",
                "--housekeeping_interval=15s",
                "--store_container_labels=false",
                "--whitelisted_container_labels=com.docker.compose.project,com.docker.compose.service",
            ],
            "privileged": true,
            "devices": ["/dev/kmsg"],
            "volumes": [
                "/:/rootfs:ro",
                "/var/run:/var/run:ro",
                "/sys:/sys:ro",
                "/var/lib/docker/:/var/lib/docker:ro",
                "/dev/disk/:/dev/disk:ro",
            ],
            "deploy": limits("0.2", "256M", None),
        }),
        Kind::NodeExporter => json!({
            "image": "prom/node-exporter:v1.10.2",
            "restart": "unless-stopped",
            "command": ["--path.rootfs=/host"],
            "pid": "host",
            "volumes": ["/:/host:ro,rslave"],
            "deploy": limits("0.1", "128M", None),
        }),
        Kind::Prometheus => json!({
            "image": PROMETHEUS,
            "restart": "unless-stopped",
            "command": prometheus_command(),
            "volumes": [
                format!("{folder}/prometheus/prometheus.yml:/etc/prometheus/prometheus.yml:ro"),
                format!("{folder}/prometheus/rules:/etc/prometheus/rules:ro"),
                "plimsoll_prometheus:/prometheus",
            ],
            "healthcheck": health("http://localhost:9090/-/healthy"),
            "deploy": limits("0.2", "1G", Some(("0.1", "512M"))),
        }),
        Kind::Alertmanager => json!({
            "image": "prom/alertmanager:v0.28.1",
            "restart": "unless-stopped",
            "command": ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"],
            "volumes": [
                format!("{folder}/alertmanager/alertmanager.yml:/etc/alertmanager/alertmanager.yml:ro"),
                "plimsoll_alertmanager:/alertmanager",
            ],
            "healthcheck": health("http://localhost:9093/-/healthy"),
            "deploy": limits("0.1", "128M", None),
        }),
        Kind::Grafana => {
            let mut volumes = grafana_mounts(folder);
            volumes.push("plimsoll_grafana:/var/lib/grafana".to_owned());
            json!({
                "image": "grafana/grafana:12.3.0",
                "restart": "unless-stopped",
                "volumes": volumes,
                "healthcheck": health("http://localhost:3000/api/health"),
                "deploy": limits("0.1", "512M", Some(("0.05", "256M"))),
            })
        }
    }
}

/// Its flags by the same rules as those of any Prometheus under the limits that it has here.
fn prometheus_command() -> Vec<String> {
    let room = Room {
        cpu: Some(Millicores::new(200)),
        cpu_reserved: Some(Millicores::new(100)),
        memory: Bytes::gibi(1),
        disk: None,
        connections: 0,
        workers_memory: Bytes::mebi(1),
    };
    let start = settings::start(PROMETHEUS).unwrap_or_default();
    settings::command(Software::Prometheus, &start, &settings::settings(Software::Prometheus, &room)).unwrap_or(start)
}

fn grafana_mounts(folder: &str) -> Vec<String> {
    let provisioning = "/etc/grafana/provisioning";
    vec![
        format!("{folder}/grafana/provisioning/datasources/plimsoll.yml:{provisioning}/datasources/plimsoll.yml:ro"),
        format!("{folder}/grafana/provisioning/dashboards/plimsoll.yml:{provisioning}/dashboards/plimsoll.yml:ro"),
        format!("{folder}/grafana/dashboards:{DASHBOARDS}:ro"),
    ]
}

/// Limits of CPU in cores and of memory, and reservations where document Z has some.
fn limits(cpus: &str, memory: &str, reserved: Option<(&str, &str)>) -> Value {
    let mut resources = json!({ "limits": { "cpus": cpus, "memory": memory } });
    if let Some((cpus, memory)) = reserved {
        resources["reservations"] = json!({ "cpus": cpus, "memory": memory });
    }
    json!({ "resources": resources })
}

/// Document Z's figures for what nobody waits for.
fn health(url: &str) -> Value {
    json!({
        "test": ["CMD", "wget", "-q", "--spider", url],
        "interval": "30s",
        "timeout": "5s",
        "retries": 3,
        "start_period": "20s",
    })
}

/// The networks a part must be on to meet the others: Prometheus meets everything it reads, the rest meets Prometheus.
fn networks(part: &Part, plan: &Plan<'_>) -> Vec<String> {
    let mut networks = BTreeSet::from(["default".to_owned()]);
    let of = |service: &str| {
        let found = plan.stack.services.iter().find(|(name, _)| name.as_str() == service);
        found.map(|(_, service)| service.networks.clone()).unwrap_or_default()
    };
    if part.kind == Kind::Prometheus {
        for target in &plan.targets {
            // A service without a network of its own is on the default one, or in another's, which is scraped by its name.
            networks.extend(of(&target.host));
        }
    }
    networks.extend(of(&plan.part(Kind::Prometheus).service));
    for kind in [Kind::Grafana, Kind::Alertmanager] {
        networks.extend(of(&plan.part(kind).service));
    }
    networks.into_iter().collect()
}

fn reaches_host(plan: &Plan<'_>) -> bool {
    plan.targets.iter().any(|target| target.host == DOCKER_HOST)
        || plan.parts.iter().any(|part| part.host == DOCKER_HOST)
}
