//! A Compose project that is there for one test, and gone after it.

use crate::support::engine;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tempfile::TempDir;

const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";
const NUMBER: &str = "com.docker.compose.container-number";

/// A project that was started. Dropped, it takes everything along that carries its name.
pub(crate) struct Project {
    name: String,
    folder: TempDir,
}

/// A container, as `docker inspect` tells.
#[derive(Debug, Clone)]
pub(crate) struct Inspected {
    pub(crate) id: String,
    /// Without the slash.
    pub(crate) name: String,
    /// The number within its service, from 1; 0 where it has none.
    pub(crate) number: u64,
    /// The image by its content.
    pub(crate) image: String,
    /// `created`, `running`, `paused`, `restarting`, `exited`, `dead`.
    pub(crate) state: String,
    /// `starting`, `healthy`, `unhealthy`; `None` without a health check.
    pub(crate) health: Option<String>,
    /// Of its last end; 0 while it never ended.
    pub(crate) exit_code: i64,
    pub(crate) oom_killed: bool,
    /// How often its restart policy started it again.
    pub(crate) restarts: i64,
    /// When it was started last, in words of the engine.
    pub(crate) started: String,
    /// By the names of the networks.
    pub(crate) networks: BTreeMap<String, Attached>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) limits: Limits,
    /// All of it, for whatever else a test wants to know.
    pub(crate) json: Value,
}

/// A container in a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attached {
    /// `None` while the container does not run.
    pub(crate) ip: Option<Ipv4Addr>,
    pub(crate) aliases: Vec<String>,
}

/// What the engine believes the limits to be; 0 stands for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Bytes.
    pub(crate) memory: i64,
    /// Bytes of memory and swap together; -1 stands for no limit.
    pub(crate) memory_swap: i64,
    /// Billionths of a CPU.
    pub(crate) nano_cpus: i64,
    /// Microseconds of CPU time in each period.
    pub(crate) cpu_quota: i64,
    /// Microseconds.
    pub(crate) cpu_period: i64,
    /// Processes and threads.
    pub(crate) pids: i64,
}

impl Inspected {
    fn of(json: Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let number = |value: &Value| value.as_i64().unwrap_or(0);
        let entries = |value: &Value| value.as_object().cloned().unwrap_or_default().into_iter();
        let attached = |network: &Value| Attached {
            ip: network["IPAddress"].as_str().and_then(|ip| ip.parse().ok()),
            aliases: network["Aliases"].as_array().into_iter().flatten().map(text).collect(),
        };
        let labels: BTreeMap<String, String> =
            entries(&json["Config"]["Labels"]).map(|(name, value)| (name, text(&value))).collect();
        let (state, host) = (&json["State"], &json["HostConfig"]);
        Self {
            id: text(&json["Id"]),
            name: text(&json["Name"]).trim_start_matches('/').to_owned(),
            number: labels.get(NUMBER).and_then(|number| number.parse().ok()).unwrap_or(0),
            image: text(&json["Image"]),
            state: text(&state["Status"]),
            health: state["Health"]["Status"].as_str().map(str::to_owned),
            exit_code: number(&state["ExitCode"]),
            oom_killed: state["OOMKilled"].as_bool().unwrap_or(false),
            restarts: number(&json["RestartCount"]),
            started: text(&state["StartedAt"]),
            networks: entries(&json["NetworkSettings"]["Networks"])
                .map(|(name, network)| (name, attached(&network)))
                .collect(),
            labels,
            limits: Limits {
                memory: number(&host["Memory"]),
                memory_swap: number(&host["MemorySwap"]),
                nano_cpus: number(&host["NanoCpus"]),
                cpu_quota: number(&host["CpuQuota"]),
                cpu_period: number(&host["CpuPeriod"]),
                pids: number(&host["PidsLimit"]),
            },
            json,
        }
    }

    /// It runs, and its health check says that it is well.
    pub(crate) fn is_healthy(&self) -> bool {
        self.state == "running" && self.health.as_deref() == Some("healthy")
    }

    /// Its address in the first of its networks that gave it one.
    pub(crate) fn ip(&self) -> Option<Ipv4Addr> {
        self.networks.values().find_map(|attached| attached.ip)
    }
}

impl Project {
    /// Starts what a Compose file describes. The project gets a name of its own that begins with `plt-<name>`.
    pub(crate) fn up(name: &str, compose_yaml: &str) -> Self {
        Self::up_with(name, compose_yaml, &[])
    }

    /// Starts what a Compose file describes, with other files, by their names, in its folder.
    pub(crate) fn up_with(name: &str, compose_yaml: &str, files: &[(String, String)]) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        // No name of these is part of another one, so what carries it is recognised by it.
        let name = format!("plt-{name}-{}-{:03}", std::process::id(), MADE.fetch_add(1, Relaxed));
        let project = Self { name, folder: tempfile::tempdir().expect("a temporary directory") };
        std::fs::write(project.compose_file(), compose_yaml).expect("a file in a temporary directory");
        for (name, text) in files {
            std::fs::write(project.dir().join(name), text).expect("a file in a temporary directory");
        }
        engine::said("docker-compose up -d", project.compose(&["up", "-d"]));
        project
    }

    /// The name that Compose knows it by.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The folder of the Compose file.
    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn compose_file(&self) -> PathBuf {
        self.dir().join("compose.yaml")
    }

    /// Runs Compose on this project, whatever comes of it.
    pub(crate) fn compose(&self, arguments: &[&str]) -> Output {
        let mut command = engine::compose();
        command.args(["-p", &self.name, "-f"]).arg(self.compose_file()).args(arguments);
        engine::run(command.current_dir(self.dir()))
    }

    /// Runs `docker` with these arguments in the folder of the project, whatever comes of it.
    pub(crate) fn docker(&self, arguments: &[&str]) -> Output {
        engine::run(Command::new("docker").args(arguments).current_dir(self.dir()))
    }

    /// The containers of a service, running or not, in the order of their numbers.
    pub(crate) fn containers(&self, service: &str) -> Vec<Inspected> {
        let project = format!("label={PROJECT}={}", self.name);
        let service = format!("label={SERVICE}={service}");
        let ids = engine::docker_says(&["ps", "-aq", "--no-trunc", "--filter", &project, "--filter", &service]);
        if ids.is_empty() {
            return Vec::new();
        }
        let mut arguments = vec!["inspect", "--type=container"];
        arguments.extend(ids.lines());
        // A container that went meanwhile is an error beside the answers for the others.
        let output = engine::docker(&arguments);
        let list: Vec<Value> = serde_json::from_slice(&output.stdout).expect("`docker inspect` prints JSON");
        let mut containers: Vec<Inspected> = list.into_iter().map(Inspected::of).collect();
        containers.sort_by(|a, b| (a.number, &a.name).cmp(&(b.number, &b.name)));
        containers
    }

    /// Waits until so many containers of a service, or more, are healthy, and gives those.
    pub(crate) fn wait_healthy(&self, service: &str, count: usize, patience: Duration) -> Vec<Inspected> {
        engine::until(&format!("{count} healthy of `{service}`"), patience, || {
            let containers = self.containers(service);
            let told = containers.iter().map(|one| {
                let probes = one.json["State"]["Health"]["Log"].as_array();
                let last = probes.and_then(|log| log.last()).map(|last| last["Output"].to_string());
                format!(
                    "{}: {} {:?}, exit code {}, last probe {last:?}",
                    one.name, one.state, one.health, one.exit_code
                )
            });
            let told: Vec<String> = told.collect();
            let healthy: Vec<Inspected> = containers.into_iter().filter(Inspected::is_healthy).collect();
            if healthy.len() >= count { Ok(healthy) } else { Err(format!("there is {told:?}")) }
        })
    }

    /// The address of the first running container of a service, which this machine can talk to.
    pub(crate) fn ip(&self, service: &str) -> Ipv4Addr {
        let containers = self.containers(service);
        let mut addresses = containers.iter().filter(|one| one.state == "running").filter_map(Inspected::ip);
        addresses.next().unwrap_or_else(|| panic!("no container of `{service}` runs: {}", self.told()))
    }

    /// What its containers are up to and what they wrote last.
    fn told(&self) -> String {
        let all = self.compose(&["ps"]);
        let logs = self.compose(&["logs", "--no-color", "--tail=20"]);
        format!("{}\n{}", engine::text(&all.stdout), engine::text(&logs.stdout))
    }

    /// Removes whatever of a kind still carries the name of the project: in its own name, or in a label.
    fn remove(&self, list: &[&str], remove: &[&str]) {
        let listed = engine::text(&engine::docker(list).stdout);
        let ours = listed.lines().filter(|line| line.contains(&self.name));
        let names: Vec<&str> = ours.filter_map(|line| line.split('\t').next()).collect();
        if !names.is_empty() {
            engine::docker(&[remove, &names].concat());
        }
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if std::thread::panicking() {
            #[expect(clippy::print_stderr, reason = "the reason of a failure is often in the log of a container")]
            {
                eprintln!("project {}:\n{}", self.name, self.told());
            }
        }
        self.compose(&["down", "--volumes", "--remove-orphans", "--timeout", "1"]);
        // Compose knows only what it made itself, and it gives up on a network that somebody else's container is still
        // in.
        let of = |kind: &str, name: &str| format!("{{{{.{kind}}}}}\t{{{{.{name}}}}}\t{{{{.Labels}}}}");
        let containers = of("ID", "Names");
        self.remove(&["ps", "-a", "--no-trunc", "--format", &containers], &["rm", "--force", "--volumes"]);
        self.remove(&["network", "ls", "--format", &of("ID", "Name")], &["network", "rm"]);
        self.remove(&["volume", "ls", "--format", &of("Name", "Driver")], &["volume", "rm", "--force"]);
    }
}
