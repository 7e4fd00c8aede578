//! Alerts about the host. Names, thresholds and durations of the first three alerts are those of document Z.

use super::Alert;
use super::CRITICAL;
use super::Series;
use super::WARNING;
use super::budget;
use super::container;
use super::series;
use crate::plan::bundle::Plan;

pub(super) const GROUP: &str = "plimsoll-host-alerts";

/// The host of the unit tests.
const INSTANCE: &str = "node-exporter:9100";

pub(super) fn alerts(plan: &Plan<'_>) -> Vec<Alert> {
    let mut alerts = vec![memory(plan), cpu(plan), disk(), killed(plan)];
    alerts.extend(reserve(plan));
    alerts
}

fn memory(plan: &Plan<'_>) -> Alert {
    let memory = |available: &str| {
        vec![node("node_memory_MemAvailable_bytes", available), node("node_memory_MemTotal_bytes", "1000+0x60")]
    };
    Alert {
        name: "HighMemoryUsage",
        expression: "instance:node_memory_available:ratio < 0.1".to_owned(),
        hold: 120,
        severity: CRITICAL,
        summary: "only {{ $value | humanizePercentage }} of the host's memory is available".to_owned(),
        description: format!(
            "Below 10 % the kernel is about to kill a process of its own choice. {} proposes limits that leave the host its \
             reserve; the dashboard shows which service grew.",
            budget(plan)
        ),
        over: memory("99+0x60"),
        silent: vec![("it does not fire at the threshold", memory("100+0x60"))],
        shown: "9.9%",
        ..host_alert()
    }
}

fn cpu(plan: &Plan<'_>) -> Alert {
    let cpu = |idle: &str, waiting: &str| {
        let mode = |mode: &str, samples: &str| {
            let labels = format!("cpu=\"0\",instance=\"{INSTANCE}\",mode=\"{mode}\"");
            series(&format!("node_cpu_seconds_total{{{labels}}}"), samples)
        };
        vec![mode("idle", idle), mode("iowait", waiting), mode("user", "0+13x60")]
    };
    Alert {
        name: "HighCPUUsage",
        expression: "instance:node_cpu_usage:ratio_rate1m > 0.9".to_owned(),
        hold: 300,
        severity: WARNING,
        summary: "{{ $value | humanizePercentage }} of the host's CPU is used".to_owned(),
        description: format!(
            "Services without a CPU limit or reservation slow each other down. {} proposes both; if the load is here to stay, \
             the host is too small for it.",
            budget(plan)
        ),
        lead: 15,
        over: cpu("0+1.35x60", "0+0x60"),
        silent: vec![
            ("it does not fire just below the threshold", cpu("0+1.515x60", "0+0x60")),
            ("a core that waits for the disk is not used", cpu("0+0x60", "0+7.5x60")),
        ],
        shown: "91%",
        ..host_alert()
    }
}

fn disk() -> Alert {
    let disk = |kind: &str, available: &str| {
        let labels = format!("device=\"/dev/vda1\",fstype=\"{kind}\",instance=\"{INSTANCE}\",mountpoint=\"/\"");
        vec![
            series(&format!("node_filesystem_avail_bytes{{{labels}}}"), available),
            series(&format!("node_filesystem_size_bytes{{{labels}}}"), "1000+0x60"),
        ]
    };
    Alert {
        name: "DiskSpaceLow",
        expression: "instance:node_filesystem_available:ratio < 0.15".to_owned(),
        hold: 300,
        severity: WARNING,
        summary: "only {{ $value | humanizePercentage }} of {{ $labels.mountpoint }} is free".to_owned(),
        description:
            "A full disk stops databases. `docker system df` shows what images, volumes and build cache hold; \
                      `docker system prune` removes what nothing uses."
                .to_owned(),
        over: disk("ext4", "149+0x60"),
        silent: vec![
            ("it does not fire at the threshold", disk("ext4", "150+0x60")),
            ("a file system in memory is no disk", disk("tmpfs", "0+0x60")),
        ],
        fired: vec![
            ("device", "/dev/vda1".to_owned()),
            ("instance", INSTANCE.to_owned()),
            ("mountpoint", "/".to_owned()),
        ],
        shown: "14.9%",
        ..host_alert()
    }
}

fn killed(plan: &Plan<'_>) -> Alert {
    Alert {
        name: "HostOOMKill",
        expression: "sum by (instance) (increase(node_vmstat_oom_kill[5m])) > 0".to_owned(),
        hold: 0,
        severity: CRITICAL,
        summary: "processes that the kernel killed for lack of memory within 5 minutes: {{ printf \"%.0f\" $value }}"
            .to_owned(),
        description: format!(
            "`dmesg | grep -i 'killed process'` names them. In a container: raise its limit by half and watch it for a day. On \
             the host: the limits together are more than it has; {} proposes some that fit.",
            budget(plan)
        ),
        why: "The kernel's own count, which also holds what cAdvisor misses: the kill of a container's first process ends \
              the container, often before cAdvisor has counted it.",
        lead: 135,
        over: vec![node("node_vmstat_oom_kill", "0+0x8 1+0x60")],
        silent: vec![("a kill long ago is no news", vec![node("node_vmstat_oom_kill", "7+0x60")])],
        shown: "1",
        ..host_alert()
    }
}

/// With a host profile: containers hold more than the pool, and so eat the reserve of the system (register H5).
fn reserve(plan: &Plan<'_>) -> Option<Alert> {
    let (_, host) = plan.asked.host?;
    let pool = host.pool_memory();
    let used = |bytes: u64| vec![container("container_memory_working_set_bytes", &format!("{bytes}+0x60"))];
    Some(Alert {
        name: "ReserveMemoryUsed",
        expression: format!("sum(service:memory_working_set:bytes) / {} > 1", pool.get().max(1)),
        hold: 300,
        severity: WARNING,
        summary: format!(
            "containers hold {{{{ $value | humanizePercentage }}}} of the {pool} that {} has for them",
            host.name
        ),
        description: format!(
            "The rest is the reserve of the system: disk cache, Docker, your login. {} proposes limits that keep it.",
            budget(plan)
        ),
        why: "The pool is the memory of the host profile less its reserve.",
        over: used(pool.scaled(101, 100).get().max(2)),
        silent: vec![("it does not fire at the threshold", used(pool.get().max(1)))],
        fired: Vec::new(),
        shown: "101%",
        ..host_alert()
    })
}

fn node(metric: &str, samples: &str) -> Series {
    series(&format!("{metric}{{instance=\"{INSTANCE}\"}}"), samples)
}

fn host_alert() -> Alert {
    Alert {
        group: GROUP,
        subject: "the host".to_owned(),
        service: Some("host".to_owned()),
        fired: vec![("instance", INSTANCE.to_owned())],
        ..Alert::default()
    }
}
