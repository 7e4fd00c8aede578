//! A host: what it has, its points, what it keeps and what it carries.

use super::budget::size;
use super::markdown::cell;
use super::text::Paint;
use super::text::clean;
use super::text::folded;
use super::words;
use crate::model::Host;
use crate::model::Price;
use crate::model::Score;
use serde_json::Value;
use serde_json::json;

/// What is shown of a host.
#[derive(Debug, Clone)]
pub struct Shown<'a> {
    /// The host; its reserve is the one that is shown.
    pub host: &'a Host,
    /// Its points.
    pub score: Score,
    /// Where its reserve comes from.
    pub reserve_from: &'a str,
    /// What else was found, such as limits of the place: name and words.
    pub found: &'a [(&'static str, String)],
    /// The services of the reference stack that it runs.
    pub on: &'a [&'static str],
    /// Those that it does not run.
    pub off: &'a [&'static str],
}

impl Shown<'_> {
    /// Name and words of each component of the score.
    fn facts(&self) -> [String; 5] {
        let (host, hardware) = (self.host, &self.host.hardware);
        let mut cpu: Vec<String> = hardware.processor.iter().cloned().collect();
        let groups: Vec<String> = host
            .cores
            .iter()
            .map(|group| {
                let speed = if group.speed.get() == 1000 { String::new() } else { format!(" at {}", group.speed) };
                format!("{}{speed}", group.count)
            })
            .collect();
        cpu.push(format!("{} cores", groups.join(" + ")));
        cpu.extend(hardware.threads.map(|threads| format!("{threads} threads")));
        let clock = |mhz: u32| format!("{:.2} GHz", f64::from(mhz) / 1000.0);
        cpu.push(hardware.clock_mhz.map_or_else(|| "clock not known (counts as 2.5 GHz)".to_owned(), clock));
        let kind = match hardware.disk {
            Some(crate::model::DiskKind::Hdd) => "HDD",
            Some(crate::model::DiskKind::Ssd) => "SSD",
            Some(crate::model::DiskKind::Nvme) => "NVMe",
            None => "of unknown kind",
        };
        let disk = if host.disk.get() == 0 {
            "size not known".to_owned()
        } else {
            format!("{:.0}G {kind}", host.disk.get() as f64 / f64::from(1 << 30))
        };
        let network = match hardware.interfaces {
            Some(1) => "1 interface".to_owned(),
            Some(count) => format!("{count} interfaces"),
            None => "interfaces not known (counts as 1)".to_owned(),
        };
        let speed = hardware
            .network_mbit
            .map_or_else(|| "speed not known (counts as 1000 Mbit/s)".to_owned(), |speed| format!("{speed} Mbit/s"));
        let health = hardware.load.map_or_else(
            || "load not known (counts as idle)".to_owned(),
            |load| format!("load {:.2} on {} cores", load as f64 / 1000.0, host.core_count()),
        );
        [cpu.join(", "), size(host.memory), disk, format!("{network}, {speed}"), health]
    }
}

/// The host for the terminal.
#[must_use]
pub fn text(shown: &Shown<'_>, width: usize, paint: Paint) -> String {
    let width = width.clamp(60, 160);
    let host = shown.host;
    let mut out = format!("{}  {}\n\n", paint.strong(&clean(&host.title)), words::score(shown.score));
    for ((name, points, most), fact) in shown.score.parts().into_iter().zip(shown.facts()) {
        let points = format!("{points} of {most}");
        folded(&mut out, &format!("{name:<10}{points:<10}"), &fact, width);
    }
    out.push('\n');
    for (name, words) in shown.found {
        folded(&mut out, &format!("{name:<20}"), words, width);
    }
    if let Some(price) = &host.price {
        let words = format!("{}, seen {}, {}", words::price(price), price.seen, price.source);
        folded(&mut out, &format!("{:<20}", "price"), &words, width);
    }
    let reserve = format!("{} CPU and {} ({})", host.reserve_cpu, size(host.reserve_memory), shown.reserve_from);
    folded(&mut out, &format!("{:<20}", "reserve"), &reserve, width);
    let pool = format!("{} CPU and {}", host.pool_cpu(), size(host.pool_memory()));
    folded(&mut out, &format!("{:<20}", "pool for services"), &pool, width);
    let all = shown.on.len() + shown.off.len();
    let words = format!("{} of the {all} reference services: {}", shown.on.len(), shown.on.join(", "));
    folded(&mut out, &format!("{:<20}", "carries"), &words, width);
    if !shown.off.is_empty() {
        folded(&mut out, &format!("{:<20}", "leaves off"), &shown.off.join(", "), width);
    }
    out
}

/// The host as JSON.
#[must_use]
pub fn json(shown: &Shown<'_>) -> Value {
    let (host, hardware) = (shown.host, &shown.host.hardware);
    let found: serde_json::Map<String, Value> =
        shown.found.iter().map(|(name, words)| ((*name).to_owned(), json!(words))).collect();
    json!({
        "format_version": 1,
        "name": host.name,
        "title": host.title,
        "cpus": host.capacity().as_cores(),
        "cores": host.core_count(),
        "memory_bytes": host.memory.get(),
        "disk_bytes": host.disk.get(),
        "hardware": hardware,
        "found": found,
        "price": host.price.as_ref().map(price_json),
        "score": score_json(shown.score),
        "reserve": {"cpus": host.reserve_cpu.as_cores(), "memory_bytes": host.reserve_memory.get(), "from": shown.reserve_from},
        "pool": {"cpus": host.pool_cpu().as_cores(), "memory_bytes": host.pool_memory().get()},
        "services_enabled": shown.on,
        "services_off": shown.off,
    })
}

/// A host in a list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The name it is found by.
    pub name: String,
    /// What it has.
    pub host: Host,
    /// Its points.
    pub score: Score,
}

impl Listed {
    /// CPU, memory, points, class and price in words.
    fn cells(&self) -> [String; 5] {
        let price = self.host.price.as_ref().map(|price| format!("{} a month", price.month)).unwrap_or_default();
        [
            self.host.capacity().to_string(),
            size(self.host.memory),
            self.score.total().to_string(),
            self.score.class().name().to_owned(),
            price,
        ]
    }
}

/// Hosts for the terminal, a line each.
#[must_use]
pub fn list_text(hosts: &[Listed]) -> String {
    let line = |listed: &Listed| {
        let (name, [cpu, memory, points, class, price]) = (clean(&listed.name), listed.cells());
        let line = format!("{name:<24}{cpu:>5} CPU {memory:>6}  {points:>3} {class:<17}{price}");
        line.trim_end().to_owned() + "\n"
    };
    hosts.iter().map(line).collect()
}

/// Hosts as Markdown, a row each.
#[must_use]
pub fn list_markdown(hosts: &[Listed]) -> String {
    let row = |listed: &Listed| format!("| {} | {} |\n", cell(&listed.name), listed.cells().join(" | "));
    let head = "| host | CPU | memory | score | class | price |\n|---|---:|---:|---:|---|---|\n";
    head.to_owned() + &hosts.iter().map(row).collect::<String>()
}

/// Hosts as JSON.
#[must_use]
pub fn list_json(hosts: &[Listed]) -> Value {
    let one = |listed: &Listed| {
        json!({
            "name": listed.name,
            "title": listed.host.title,
            "cpus": listed.host.capacity().as_cores(),
            "memory_bytes": listed.host.memory.get(),
            "price": listed.host.price.as_ref().map(price_json),
            "score": score_json(listed.score),
        })
    };
    json!({"format_version": 1, "hosts": hosts.iter().map(one).collect::<Vec<_>>()})
}

/// The points of a host as JSON.
pub(super) fn score_json(score: Score) -> Value {
    let part = |(name, points, most): (&str, u32, u32)| (name.to_owned(), json!({"points": points, "of": most}));
    let parts: serde_json::Map<String, Value> = score.parts().into_iter().map(part).collect();
    json!({"total": score.total(), "class": score.class(), "parts": parts})
}

fn price_json(price: &Price) -> Value {
    json!({
        "month": price.month.to_string(),
        "renewal": price.renewal.map(|renewal| renewal.to_string()),
        "seen": price.seen,
        "source": price.source,
    })
}
