//! Alerts about services that Prometheus reads: whether they answer, and how fast (register S4).

use super::Alert;
use super::CRITICAL;
use super::WARNING;
use super::budget;
use super::series;
use crate::plan::bundle::Plan;
use crate::plan::bundle::targets::Target;

pub(super) const GROUP: &str = "plimsoll-service-alerts";

pub(super) fn alerts(plan: &Plan<'_>) -> Vec<Alert> {
    let mut alerts = vec![down()];
    alerts.extend(plan.targets.iter().filter(|target| target.replicated).map(gone));
    let critical = |target: &&Target| target.serves && target.tier == 1;
    alerts.extend(plan.targets.iter().filter(critical).map(|target| latency(target, plan)));
    alerts
}

fn down() -> Alert {
    let up = |samples: &str| vec![series("up{instance=\"web:8000\",job=\"web\"}", samples)];
    Alert {
        group: GROUP,
        name: "ServiceDown",
        subject: "a service".to_owned(),
        expression: "up == 0".to_owned(),
        hold: 60,
        severity: CRITICAL,
        service: Some("{{ $labels.job }}".to_owned()),
        summary: "{{ $labels.job }} does not answer at {{ $labels.instance }} (up is {{ $value }})".to_owned(),
        description:
            "`docker compose ps {{ $labels.job }}` tells whether it runs. If it does, see the page of targets of \
                      Prometheus: the port or path may be wrong, or they share no network."
                .to_owned(),
        why: "A minute is longer than a restart takes.",
        over: up("0+0x60"),
        silent: vec![
            ("it does not fire for a service that answers", up("1+0x60")),
            ("one scrape that fails is a restart", up("1+0x4 0 1+0x60")),
        ],
        fired: vec![("instance", "web:8000".to_owned()), ("job", "web".to_owned())],
        shown: "0",
        ..Alert::default()
    }
}

/// Instances found by name leave no `up` behind when the last of them is gone.
fn gone(target: &Target) -> Alert {
    let name = &target.service;
    let up = |job: &str| vec![series(&format!("up{{instance=\"10.0.0.2:80\",job=\"{job}\"}}"), "1+0x60")];
    Alert {
        group: GROUP,
        name: "ServiceGone",
        subject: name.clone(),
        expression: format!("absent(up{{job=\"{name}\"}})"),
        hold: 60,
        severity: CRITICAL,
        service: Some(name.clone()),
        summary: format!("{name} has no instance left"),
        description: format!("`docker compose ps {name}` and `docker compose logs {name}` say why."),
        why: "Its instances are found by name. When the last is gone no `up` is left that could be 0.",
        over: up(&format!("{name}-other")),
        silent: vec![("one instance is enough", up(name))],
        fired: vec![("job", name.clone())],
        shown: "1",
        ..Alert::default()
    }
}

fn latency(target: &Target, plan: &Plan<'_>) -> Alert {
    let name = &target.service;
    let buckets = |job: &str, buckets: [(&str, &str); 3]| {
        let bucket = |(le, samples): (&str, &str)| {
            let labels = format!("instance=\"{job}:80\",job=\"{job}\",le=\"{le}\"");
            series(&format!("http_request_duration_seconds_bucket{{{labels}}}"), samples)
        };
        buckets.map(bucket).to_vec()
    };
    let slow = [("0.5", "0+94x60"), ("0.51", "0+96x60"), ("+Inf", "0+100x60")];
    let fast = [("0.49", "0+94x60"), ("0.5", "0+96x60"), ("+Inf", "0+100x60")];
    let idle = [("0.5", "94+0x60"), ("0.51", "96+0x60"), ("+Inf", "100+0x60")];
    Alert {
        group: GROUP,
        name: "APILatencyHigh",
        subject: name.clone(),
        expression: format!(
            "histogram_quantile(\n  0.95,\n  sum by (le) (rate(http_request_duration_seconds_bucket{{job=\"{name}\"}}[5m]))\n) > 0.5"
        ),
        hold: 120,
        severity: WARNING,
        service: Some(name.clone()),
        summary: format!("one in twenty requests to {name} takes longer than {{{{ $value | humanizeDuration }}}}"),
        description: format!(
            "The budget of the critical path is 500 ms. If ContainerThrottled or HighCPUUsage fires, too, it lacks CPU: {} \
             proposes limits. If not, look at what it calls.",
            budget(plan)
        ),
        lead: 15,
        over: buckets(name, slow),
        silent: vec![
            ("it does not fire just below the threshold", buckets(name, fast)),
            ("without requests nothing is slow", buckets(name, idle)),
            ("another service is none of its business", buckets(&format!("{name}-other"), slow)),
        ],
        shown: "505ms",
        ..Alert::default()
    }
}
