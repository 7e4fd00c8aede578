//! What a host of a class carries, and a host written down as a profile.

use crate::input::catalog::Catalog;
use crate::model::DiskKind;
use crate::model::Host;
use crate::model::HostClass;
use std::fmt::Write;

/// The 22 services that register H3 counts, by their names in the catalog.
pub const REFERENCE: [&str; 22] = [
    "traefik",
    "socket-proxy",
    "postgres",
    "redis",
    "oauth2-proxy",
    "crowdsec",
    "prometheus",
    "alertmanager",
    "node-exporter",
    "grafana",
    "loki",
    "promtail",
    "cadvisor",
    "portainer",
    "homepage",
    "resource-manager",
    "postgres-exporter",
    "redis-exporter",
    "blackbox-exporter",
    "redis-commander",
    "jaeger",
    "code-server",
];

/// Which of the 22 services a host of this class runs, and which not, both by importance.
#[must_use]
pub fn carried(class: HostClass, catalog: &Catalog) -> (Vec<&'static str>, Vec<&'static str>) {
    let importance = |name: &&str| catalog.lookup(None, name).map_or(0, |entry| entry.importance);
    let mut names = REFERENCE.to_vec();
    names.sort_by_key(|name| std::cmp::Reverse(importance(name)));
    names.into_iter().partition(|name| importance(name) >= class.importance_floor())
}

/// A host as a profile that simulates at once. What nobody said is left out.
#[must_use]
pub fn profile(host: &Host, comment: &str) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let mut out = String::new();
    for line in comment.lines() {
        // A line of a comment that is written to memory cannot fail.
        let _ = writeln!(out, "# {line}");
    }
    let mut line = |key: &str, value: String| {
        let _ = writeln!(out, "{key}: {value}");
    };
    line("profile", text(&host.name));
    if host.title != host.name {
        line("title", text(&host.title));
    }
    match host.cores.as_slice() {
        [one] if one.speed == crate::units::Permille::ONE => line("cores", one.count.to_string()),
        groups => {
            line("cores", String::new());
            for group in groups {
                line("  - count", format!("{}\n    speed: {}", group.count, group.speed));
            }
        }
    }
    line("memory", host.memory.to_string());
    if host.disk.get() > 0 {
        line("disk", host.disk.to_string());
    }
    line("reserve", format!("{{ cpu: {}, memory: {} }}", host.reserve_cpu, host.reserve_memory));
    if host.steal.get() > 0 {
        line("steal", host.steal.to_string());
    }
    if host.system_cpu.get() > 0 || host.system_memory.get() > 0 {
        line("system", format!("{{ cpu: {}, memory: {} }}", host.system_cpu, host.system_memory));
    }
    if let Some(price) = &host.price {
        line("price", String::new());
        line("  month", price.month.to_string());
        if let Some(renewal) = price.renewal {
            line("  renewal", renewal.to_string());
        }
        line("  seen", text(&price.seen));
        line("  source", text(&price.source));
    }
    let hardware = &host.hardware;
    line("hardware", String::new());
    let mut some = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(out, "  {key}: {value}");
        }
    };
    some("processor", hardware.processor.as_deref().map(text));
    some("threads", hardware.threads.map(|threads| threads.to_string()));
    some("clock_mhz", hardware.clock_mhz.map(|clock| clock.to_string()));
    some("architecture", hardware.architecture.as_deref().map(text));
    some("virtualisation", hardware.virtualisation.as_deref().map(text));
    let kind = |kind: DiskKind| match kind {
        DiskKind::Hdd => "hdd".to_owned(),
        DiskKind::Ssd => "ssd".to_owned(),
        DiskKind::Nvme => "nvme".to_owned(),
    };
    some("disk", hardware.disk.map(kind));
    some("interfaces", hardware.interfaces.map(|count| count.to_string()));
    some("network_mbit", hardware.network_mbit.map(|speed| speed.to_string()));
    if hardware == &crate::model::Hardware::default() {
        out.truncate(out.len() - "hardware: \n".len());
    }
    out.replace(": \n", ":\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::problem::Source;
    use crate::input::profile::Profiles;
    use crate::input::profile::parse;
    use std::path::Path;

    /// How many of the 22 services a host of each class runs (register H3); the essential four first.
    #[test]
    fn hosts_of_the_five_classes_run_4_16_21_22_and_22_of_the_22() {
        let catalog = crate::input::catalog::shipped();
        assert!(REFERENCE.iter().all(|name| catalog.lookup(None, name).is_some()));
        let running = HostClass::ALL.map(|class| carried(class, catalog).0.len());
        assert_eq!(running, [4, 16, 21, 22, 22]);
        assert_eq!(carried(HostClass::Minimal, catalog).0, ["traefik", "socket-proxy", "postgres", "redis"]);
    }

    /// Every shipped host, written down and read again, is the same host.
    #[test]
    fn a_host_that_is_written_down_is_the_host_that_is_read() {
        let mut profiles = Profiles::below(Path::new(env!("CARGO_MANIFEST_DIR")));
        for name in profiles.names() {
            let host = profiles.find(&name, None, Path::new("")).expect("a shipped profile");
            let text = profile(&host, "a comment\nof two lines");
            let again = parse(&Source::new("again.yaml", text.as_str()))
                .unwrap_or_else(|problems| panic!("{problems}\n{text}"));
            // A profile that states its reserve says so; the load of a moment is not written.
            let mut wanted = host.clone();
            wanted.reserve_stated = true;
            wanted.hardware.load = None;
            assert_eq!(again, wanted, "{text}");
        }
    }
}
