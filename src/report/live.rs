//! What runs in a live project, as a table and as JSON.

use super::budget::size;
use super::columns::Columns;
use crate::model::Limits;
use crate::model::ServiceName;
use crate::units::Bytes;
use crate::units::Millicores;
use serde_json::Value;
use serde_json::json;

/// A live project at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The engine: `Docker 28.2.2 on web-1`.
    pub engine: String,
    /// The project.
    pub project: String,
    /// Its services, in order of their names.
    pub services: Vec<Service>,
    /// What wants attention: changes without an end, locks.
    pub notes: Vec<String>,
}

/// A live service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// Instances there are, those that run, and those that are well.
    pub instances: [u32; 3],
    /// Limits in force of an instance; where they differ, those of the first.
    pub limits: Limits,
    /// The limits of its instances differ, or the kernel has others than the engine believes.
    pub differs: Option<String>,
    /// CPU that all of them use, and memory of the one that holds most; `None` where nobody measured.
    pub used: Option<(Millicores, Bytes)>,
    /// How often instances were started again.
    pub restarts: u32,
    /// Why it holds data, where it does.
    pub holds_data: Option<String>,
}

impl Service {
    fn health(&self) -> String {
        let [all, running, well] = self.instances;
        if well == all {
            return format!("{all} well");
        }
        format!("{well} of {all} well, {running} run")
    }
}

/// The table.
#[must_use]
pub fn text(status: &Status, width: usize) -> String {
    let titles = ["service", "instances", "cpu", "of", "memory", "of", "restarts", "data"];
    let shown = |limit: Option<String>| limit.unwrap_or_else(|| "no limit".to_owned());
    let rows: Vec<[String; 8]> = status
        .services
        .iter()
        .map(|service| {
            let used =
                |of: fn(&(Millicores, Bytes)) -> String| service.used.as_ref().map_or_else(|| "-".to_owned(), of);
            [
                service.name.to_string(),
                service.health(),
                used(|(cpu, _)| format!("{:.2}", cpu.as_cores())),
                shown(service.limits.cpu.map(|cpu| cpu.to_string())),
                used(|(_, memory)| size(*memory)),
                shown(service.limits.memory.map(size)),
                service.restarts.to_string(),
                if service.holds_data.is_some() { "yes".to_owned() } else { "no".to_owned() },
            ]
        })
        .collect();
    let columns = Columns::new(&titles, rows.iter(), &[7, 6], 8, width);
    let mut lines = vec![format!("{} on {}", status.project, status.engine), String::new(), columns.line(&titles)];
    lines.extend(rows.iter().map(|row| columns.line(row)));
    let differ = |service: &Service| service.differs.as_ref().map(|differs| format!("{}: {differs}", service.name));
    let notes: Vec<String> = status.services.iter().filter_map(differ).chain(status.notes.iter().cloned()).collect();
    if !notes.is_empty() {
        lines.push(String::new());
        lines.extend(notes);
    }
    lines.join("\n")
}

/// The same as JSON; numbers in cores and bytes, `null` for what has no limit or was not measured.
#[must_use]
pub fn json(status: &Status) -> Value {
    let services = status.services.iter().map(|service| {
        let [all, running, well] = service.instances;
        let one = json!({
            "instances": all,
            "running": running,
            "well": well,
            "cpus_limit": service.limits.cpu.map(Millicores::as_cores),
            "memory_limit_bytes": service.limits.memory.map(Bytes::get),
            "cpus_used": service.used.map(|(cpu, _)| cpu.as_cores()),
            "memory_used_bytes": service.used.map(|(_, memory)| memory.get()),
            "restarts": service.restarts,
            "holds_data": service.holds_data,
            "differs": service.differs,
        });
        (service.name.to_string(), one)
    });
    json!({
        "format_version": 1,
        "engine": status.engine,
        "project": status.project,
        "services": services.collect::<serde_json::Map<String, Value>>(),
        "notes": status.notes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_well_and_what_differs_is_said() {
        let service = |name: &str, instances, limits, differs| Service {
            name: ServiceName::new(name),
            instances,
            limits,
            differs,
            used: Some((Millicores::new(120), Bytes::mebi(60))),
            restarts: 0,
            holds_data: None,
        };
        let limits = Limits { cpu: Some(Millicores::new(500)), memory: Some(Bytes::mebi(128)) };
        let status = Status {
            engine: "Docker 28.2.2 on web-1".to_owned(),
            project: "shop".to_owned(),
            services: vec![
                service("api", [2, 2, 1], limits, Some("the kernel has 64M".to_owned())),
                Service { used: None, ..service("db", [1, 1, 1], Limits::default(), None) },
            ],
            notes: vec!["deploy-1 has no end".to_owned()],
        };
        let shown = text(&status, 100);
        let wanted = "\
shop on Docker 28.2.2 on web-1

service  instances           cpu   of        memory  of        restarts  data
api      1 of 2 well, 2 run  0.12  0.5       60M     128M      0         no
db       1 well              -     no limit  -       no limit  0         no

api: the kernel has 64M
deploy-1 has no end";
        assert_eq!(shown, wanted);
        let narrow = text(&status, 62);
        assert!(narrow.lines().all(|line| line.chars().count() <= 62), "{narrow}");
        assert_eq!(json(&status)["services"]["db"]["cpus_used"], Value::Null);
    }
}
