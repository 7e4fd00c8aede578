//! What a host of a class carries, and a host written down as a profile.

use super::yaml;
use crate::input::catalog::Catalog;
use crate::model::Hardware;
use crate::model::Heat;
use crate::model::Host;
use crate::model::HostClass;
use crate::model::Mass;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Permille;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

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
    let both = |cpu: Millicores, memory: Bytes| json!({ "cpu": quantity(&cpu), "memory": quantity(&memory) });
    let mut file = json!({ "profile": host.name });
    if host.title != host.name {
        file["title"] = json!(host.title);
    }
    file["cores"] = match host.cores.as_slice() {
        [one] if one.speed == Permille::ONE => json!(one.count),
        groups => groups.iter().map(|group| json!({ "count": group.count, "speed": quantity(&group.speed) })).collect(),
    };
    file["memory"] = quantity(&host.memory);
    if host.disk.get() > 0 {
        file["disk"] = quantity(&host.disk);
    }
    if let Some(storage) = &host.storage {
        let (bandwidth, latency) = (quantity(&storage.bandwidth), quantity(&storage.latency));
        file["storage"] = json!({ "iops": storage.iops, "bandwidth": bandwidth, "latency": latency });
    }
    if host.swap.get() > 0 {
        file["swap"] = quantity(&host.swap);
    }
    file["reserve"] = both(host.reserve_cpu, host.reserve_memory);
    if let Some(bursts) = &host.steal_bursts {
        file["steal"] = json!({
            "mean": host.steal.to_string(), "burst": bursts.burst.to_string(),
            "every": bursts.every.to_string(), "lasts": bursts.lasts.to_string(),
        });
    } else if host.steal.get() > 0 {
        file["steal"] = quantity(&host.steal);
    }
    if let Some(heat) = &host.heat {
        file["heat"] = warmth(heat);
    }
    if host.system_cpu.get() > 0 || host.system_memory.get() > 0 {
        file["system"] = both(host.system_cpu, host.system_memory);
    }
    if let Some(price) = &host.price {
        file["price"] = json!({ "month": price.month.to_string(), "seen": price.seen, "source": price.source });
        if let Some(renewal) = price.renewal {
            file["price"]["renewal"] = json!(renewal.to_string());
        }
    }
    // The load of a moment says nothing of the machine.
    let hardware = Hardware { load: None, ..host.hardware.clone() };
    let known =
        serde_json::to_value(hardware).ok().and_then(|hardware| hardware.as_object().cloned()).unwrap_or_default();
    let known: Map<String, Value> = known.into_iter().filter(|(_, value)| !value.is_null()).collect();
    if !known.is_empty() {
        file["hardware"] = Value::Object(known);
    }
    yaml::text(&file, &yaml::Comments::from([(String::new(), comment.to_owned())]))
}

/// The heat of a host as a profile writes it.
fn warmth(heat: &Heat) -> Value {
    // Millicores are shown as any number of thousandths is.
    let of = |milli: u64| quantity(&Millicores::new(milli));
    let mass = |mass: &Mass| json!({ "resistance": of(mass.resistance), "capacity": of(mass.capacity) });
    let throttle = &heat.throttle;
    json!({
        "ambient": heat.ambient.to_string(),
        "base": heat.base.to_string(),
        "cores": heat.groups.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "exponent": of(heat.exponent),
        "chip": mass(&heat.chip),
        "case": mass(&heat.case),
        "throttle": {
            "start": throttle.start.to_string(), "target": throttle.target.to_string(),
            "hard": throttle.hard.to_string(), "lowest": throttle.lowest.to_string(),
        },
    })
}

/// A quantity as people write it: a bare number where it is one.
fn quantity(quantity: &impl ToString) -> Value {
    let text = quantity.to_string();
    text.parse().map_or_else(|_| json!(text), |number: serde_json::Number| Value::Number(number))
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
