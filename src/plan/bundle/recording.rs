//! Recording rules: figures by host, container and service, named `level:metric:operations` as Prometheus advises.
//! They are V's `cpu_usage_avg`, `memory_usage_avg`, `instance_count`, `response_time_p95` and `error_rate` for any stack.

use super::Plan;
use super::header;
use super::promql::by_container;
use super::promql::by_job;
use super::promql::by_service;
use super::promql::containers;
use super::promql::exactly;
use crate::plan::yaml;
use crate::plan::yaml::Comments;
use serde_json::json;

/// A recording rule: name, expression, and why it is so.
struct Rule(&'static str, String, &'static str);

/// The file of all recording rules.
pub(super) fn file(plan: &Plan<'_>) -> String {
    let groups = [(HOST, host()), (CONTAINERS, of_containers()), (SERVICES, services()), (REQUESTS, requests(plan))];
    let mut comments = Comments::new();
    comments.insert(
        String::new(),
        header("Figures that alerts and the dashboard read.\nCheck them: promtool check rules recording.yml"),
    );
    let mut written = Vec::new();
    for (name, rules) in groups.into_iter().filter(|(_, rules)| !rules.is_empty()) {
        for (index, Rule(_, _, why)) in rules.iter().enumerate().filter(|(_, Rule(_, _, why))| !why.is_empty()) {
            comments.insert(format!("/groups/{}/rules/{index}", written.len()), (*why).to_owned());
        }
        let rules: Vec<_> =
            rules.iter().map(|Rule(name, expression, _)| json!({ "record": name, "expr": expression })).collect();
        written.push(json!({ "name": name, "rules": rules }));
    }
    yaml::text(&json!({ "groups": written }), &comments)
}

/// Groups in the order in which they must be evaluated.
pub(super) const GROUPS: [&str; 4] = [HOST, CONTAINERS, SERVICES, REQUESTS];
const HOST: &str = "plimsoll-host";
const CONTAINERS: &str = "plimsoll-containers";
const SERVICES: &str = "plimsoll-services";
const REQUESTS: &str = "plimsoll-requests";

/// Whether there are rules of requests.
pub(super) fn has_requests(plan: &Plan<'_>) -> bool {
    plan.targets.iter().any(|target| target.serves)
}

fn host() -> Vec<Rule> {
    let idle = "rate(node_cpu_seconds_total{mode=~\"idle|iowait\"}[1m])";
    vec![
        Rule(
            "instance:node_cpu_usage:ratio_rate1m",
            format!("1 - avg by (instance) (sum by (instance, cpu) ({idle}))"),
            "A core that waits for the disk is idle: `iowait` is no use of CPU, and has a figure of its own.",
        ),
        Rule(
            "instance:node_cpu_iowait:ratio_rate5m",
            "avg by (instance) (rate(node_cpu_seconds_total{mode=\"iowait\"}[5m]))".to_owned(),
            "",
        ),
        Rule(
            "instance:node_memory_available:ratio",
            "max by (instance) (node_memory_MemAvailable_bytes)\n/ max by (instance) (node_memory_MemTotal_bytes)"
                .to_owned(),
            "Available, not free: the kernel gives page cache back when memory is wanted.",
        ),
        Rule(
            "instance:node_filesystem_available:ratio",
            format!(
                "max by (instance, device, mountpoint) (node_filesystem_avail_bytes{FILE_SYSTEMS})\n\
                 / max by (instance, device, mountpoint) (node_filesystem_size_bytes{FILE_SYSTEMS})"
            ),
            "File systems in memory and images that are full by nature are left out.",
        ),
    ]
}

const FILE_SYSTEMS: &str = "{fstype!~\"tmpfs|ramfs|overlay|squashfs|iso9660|erofs\"}";

fn of_containers() -> Vec<Rule> {
    let memory = format!(
        "{}\n    / ({} > 0)",
        containers("container_memory_working_set_bytes"),
        containers("container_spec_memory_limit_bytes")
    );
    let throttled = format!(
        "rate({}[5m])\n    / (rate({}[5m]) > 0)",
        containers("container_cpu_cfs_throttled_periods_total"),
        containers("container_cpu_cfs_periods_total")
    );
    vec![
        Rule(
            "container:memory_usage:ratio",
            by_container("max", &memory),
            "The working set, not container_memory_usage_bytes: usage counts page cache, which the kernel takes back before \
             it kills anything, so a database that reads files would alert for ever. \
             The limit is 0 where there is none; `> 0` leaves such containers out, since a division by 0 is +Inf.",
        ),
        Rule(
            "container:cpu_throttled:ratio_rate5m",
            by_container("max", &throttled),
            "The share of scheduler periods in which the container wanted more than its limit. \
             Only containers with a CPU limit have such periods.",
        ),
    ]
}

fn services() -> Vec<Rule> {
    let cpu = format!("rate({}[5m])", containers("container_cpu_usage_seconds_total"));
    let quota =
        format!("{} / ({} > 0)", containers("container_spec_cpu_quota"), containers("container_spec_cpu_period"));
    vec![
        Rule("service:cpu_usage:cores_rate5m", by_service("sum", &cpu), "All instances together, in cores."),
        Rule("service:cpu_limit:cores", by_service("sum", &quota), "A service without a CPU limit has no such series."),
        Rule(
            "service:cpu_usage:ratio_rate5m",
            "service:cpu_usage:cores_rate5m / service:cpu_limit:cores".to_owned(),
            "",
        ),
        Rule(
            "service:memory_working_set:bytes",
            by_service("sum", &containers("container_memory_working_set_bytes")),
            "",
        ),
        Rule(
            "service:memory_limit:bytes",
            by_service("sum", &format!("{} > 0", containers("container_spec_memory_limit_bytes"))),
            "A service without a memory limit has no such series.",
        ),
        Rule(
            "service:memory_usage:ratio",
            "service:memory_working_set:bytes / service:memory_limit:bytes".to_owned(),
            "",
        ),
        Rule("service:instances:count", by_service("count", &containers("container_memory_working_set_bytes")), ""),
        Rule(
            "service:cpu_throttled:ratio_rate5m",
            "max by (service) (container:cpu_throttled:ratio_rate5m)".to_owned(),
            "The instance that is throttled most.",
        ),
    ]
}

/// Rules over what applications say of their requests, by the names that client libraries give.
fn requests(plan: &Plan<'_>) -> Vec<Rule> {
    if !has_requests(plan) {
        return Vec::new();
    }
    let jobs: Vec<String> =
        plan.targets.iter().filter(|target| target.serves).map(|target| exactly(&target.service)).collect();
    let jobs = format!("job=~\"{}\"", jobs.join("|"));
    let failed = |label: &str| format!("rate(http_requests_total{{{jobs}, {label}=~\"5..\"}}[5m])");
    let buckets = by_job("sum", ", le", &format!("rate(http_request_duration_seconds_bucket{{{jobs}}}[5m])"));
    let quantile = |quantile: &str| format!("histogram_quantile({quantile}, {buckets})");
    let total = by_job("sum", "", &format!("rate(http_requests_total{{{jobs}}}[5m])"));
    let failed = by_job(
        "sum",
        "",
        &format!("{}\n    or {}\n    or {}", failed("code"), failed("status"), failed("status_code")),
    );
    vec![
        Rule("service:http_requests:rate5m", total, "Requests per second."),
        Rule(
            "service:http_errors:ratio_rate5m",
            format!(
                "(\n  {}\n  or service:http_requests:rate5m * 0\n)\n/ (service:http_requests:rate5m > 0)",
                indented(&failed)
            ),
            "Answers of 500 and above; libraries call the label `code`, `status` or `status_code`. \
             A service that never failed has no series of failures: that is 0, not nothing.",
        ),
        Rule("service:http_request_duration_seconds:p50_rate5m", quantile("0.5"), ""),
        Rule(
            "service:http_request_duration_seconds:p95_rate5m",
            quantile("0.95"),
            "As exact as the buckets of the application are narrow: have a bucket end at 0.5 s, the budget.",
        ),
        Rule("service:http_request_duration_seconds:p99_rate5m", quantile("0.99"), ""),
    ]
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n  ")
}
