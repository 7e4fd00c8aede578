//! Alerts about containers. Thresholds and durations of the memory alerts are those of documents Z and V.

use super::Alert;
use super::CRITICAL;
use super::Series;
use super::WARNING;
use super::budget;
use super::container;
use super::series;
use crate::plan::bundle::Plan;
use crate::plan::bundle::parts::Kind;
use crate::plan::bundle::promql::by_container;
use crate::plan::bundle::promql::containers;

pub(super) const GROUP: &str = "plimsoll-container-alerts";

pub(super) fn alerts(plan: &Plan<'_>) -> Vec<Alert> {
    vec![
        memory_pressure(plan),
        memory_near_limit(plan),
        killed(plan),
        throttled(plan),
        restarting(),
        metrics_missing(plan),
    ]
}

/// Memory of the container of the unit tests.
fn memory(used: &str, limit: &str) -> Vec<Series> {
    vec![container("container_memory_working_set_bytes", used), container("container_spec_memory_limit_bytes", limit)]
}

fn memory_pressure(plan: &Plan<'_>) -> Alert {
    Alert {
        name: "ContainerMemoryPressure",
        expression: "container:memory_usage:ratio > 0.85".to_owned(),
        hold: 180,
        severity: WARNING,
        summary: "{{ $labels.name }} holds {{ $value | humanizePercentage }} of its memory limit".to_owned(),
        description: format!("It has little left for a peak. {} proposes a limit with room.", budget(plan)),
        over: memory("851+0x60", "1000+0x60"),
        silent: vec![
            ("it does not fire at the threshold", memory("850+0x60", "1000+0x60")),
            ("a container without a limit is near none", memory("851+0x60", "0+0x60")),
        ],
        shown: "85.1%",
        ..container_alert()
    }
}

fn memory_near_limit(plan: &Plan<'_>) -> Alert {
    let mut cache = memory("500+0x60", "1000+0x60");
    cache.push(container("container_memory_usage_bytes", "990+0x60"));
    Alert {
        name: "ContainerMemoryNearLimit",
        expression: "container:memory_usage:ratio > 0.9".to_owned(),
        hold: 60,
        severity: WARNING,
        summary: "{{ $labels.name }} holds {{ $value | humanizePercentage }} of its memory limit and may be killed"
            .to_owned(),
        description: format!(
            "At the limit the kernel kills a process in it. Raise the limit of {{{{ $labels.service }}}}; {} tells what the \
             host has left.",
            budget(plan)
        ),
        over: memory("901+0x60", "1000+0x60"),
        silent: vec![
            ("it does not fire at the threshold", memory("900+0x60", "1000+0x60")),
            ("a container without a limit is near none", memory("901+0x60", "0+0x60")),
            ("page cache is no need of memory", cache),
        ],
        shown: "90.1%",
        ..container_alert()
    }
}

fn killed(plan: &Plan<'_>) -> Alert {
    let increase = format!("increase({}[5m])", containers("container_oom_events_total"));
    Alert {
        name: "ContainerOOMKilled",
        expression: format!("{} > 0", by_container("sum", &increase)),
        hold: 0,
        severity: CRITICAL,
        summary:
            "{{ $labels.name }} ran out of memory; processes killed within 5 minutes: {{ printf \"%.0f\" $value }}"
                .to_owned(),
        description: format!(
            "Raise the memory limit of {{{{ $labels.service }}}} by half and watch it for a day; then keep the limit, mend the \
             leak or move the service. {} tells what the host has left.",
            budget(plan)
        ),
        why: "The series is container_oom_events_total. container_oom_kills_total, which many examples have, is exported by no \
              cAdvisor. See HostOOMKill for kills that cAdvisor misses.",
        lead: 135,
        over: vec![container("container_oom_events_total", "0+0x8 1+0x60")],
        silent: vec![("a kill long ago is no news", vec![container("container_oom_events_total", "3+0x60")])],
        shown: "1",
        ..container_alert()
    }
}

fn throttled(plan: &Plan<'_>) -> Alert {
    let cpu = |throttled: &str, periods: &str| {
        vec![
            container("container_cpu_cfs_throttled_periods_total", throttled),
            container("container_cpu_cfs_periods_total", periods),
        ]
    };
    Alert {
        name: "ContainerThrottled",
        expression: "container:cpu_throttled:ratio_rate5m > 0.25".to_owned(),
        hold: 900,
        severity: WARNING,
        summary: "{{ $labels.name }} waits at its CPU limit in {{ $value | humanizePercentage }} of all periods"
            .to_owned(),
        description: format!(
            "Requests wait although the host may have CPU to spare. Raise the CPU limit of {{{{ $labels.service }}}}; {} tells \
             what the host has left.",
            budget(plan)
        ),
        why: "A quarter of all periods for 15 minutes, as the Kubernetes mixin has it for CPUThrottlingHigh.",
        lead: 15,
        over: cpu("0+39x120", "0+150x120"),
        silent: vec![
            ("it does not fire just below the threshold", cpu("0+37x120", "0+150x120")),
            ("a container that nothing schedules has no share", cpu("0+0x120", "0+0x120")),
        ],
        shown: "26%",
        ..container_alert()
    }
}

fn restarting() -> Alert {
    let resets = format!("resets({}[15m])", containers("container_cpu_usage_seconds_total"));
    let cpu = |samples: &str| vec![container("container_cpu_usage_seconds_total", samples)];
    Alert {
        name: "ContainerRestarting",
        expression: format!("{} > 2", by_container("max", &resets)),
        hold: 0,
        severity: WARNING,
        summary: "{{ $labels.name }} restarted {{ $value }} times within 15 minutes".to_owned(),
        description: "`docker logs --tail 100 {{ $labels.name }}` says why. An exit code of 137 in `docker inspect` is a kill, most \
                      often for lack of memory."
            .to_owned(),
        why: "A restart begins the CPU counter anew. container_start_time_seconds cannot tell: cAdvisor reports the time at \
              which the container was created (google/cadvisor issue 2169).",
        lead: 225,
        over: cpu("10+1x4 0+1x4 0+1x4 0+1x60"),
        silent: vec![("two restarts may be somebody at work", cpu("10+1x4 0+1x4 0+1x60"))],
        shown: "3",
        ..container_alert()
    }
}

fn metrics_missing(plan: &Plan<'_>) -> Alert {
    let used = "container_memory_working_set_bytes";
    let cadvisor = &plan.part(Kind::Cadvisor).service;
    Alert {
        name: "ContainerMetricsMissing",
        expression: format!("absent({})", containers(used)),
        hold: 600,
        severity: WARNING,
        service: Some(cadvisor.clone()),
        summary: "no container has a Compose service: no alert about containers can fire".to_owned(),
        description: format!(
            "`docker compose logs {cadvisor}` says why. cAdvisor before 0.54 cannot read containers of Docker's containerd image \
             store, the default since Docker 29; and with --store_container_labels=false it must be told to keep \
             com.docker.compose.service."
        ),
        over: vec![series("container_memory_working_set_bytes{id=\"/\"}", "1000+0x60")],
        silent: vec![("one container is enough", vec![container(used, "1000+0x60")])],
        fired: Vec::new(),
        shown: "1",
        ..container_alert()
    }
}

fn container_alert() -> Alert {
    Alert {
        group: GROUP,
        subject: "a container".to_owned(),
        fired: vec![("name", "shop-web-1".to_owned()), ("service", "web".to_owned())],
        ..Alert::default()
    }
}
