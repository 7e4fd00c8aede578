//! What a Compose file says: services with their limits, checks and dependencies. Nothing here is guessed; `None` means
//! the file does not say.

use super::Hints;
use super::ServiceName;
use super::UpdateConfig;
use crate::units::Bytes;
use crate::units::Millicores;
use crate::units::Span;
use std::collections::BTreeMap;

/// The enabled services of a Compose project, merged and interpolated.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Stack {
    /// The project's name, where given.
    pub name: Option<String>,
    /// Services enabled by the active profiles.
    pub services: BTreeMap<ServiceName, Service>,
    /// Declared volumes.
    pub volumes: Vec<String>,
    /// Declared networks.
    pub networks: Vec<String>,
    /// Declared secrets.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Declared configs.
    #[serde(default)]
    pub configs: Vec<String>,
}

/// One service of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Service {
    /// Image reference, or `None` for a service that is only built.
    pub image: Option<String>,
    /// What it may use at most.
    pub limits: Limits,
    /// What is kept free for it.
    pub reservations: Limits,
    /// At most so many processes; `-1` is without limit.
    pub pids: Option<i64>,
    /// CPU weight as Docker counts it; 1024 is the default of the engine.
    pub cpu_shares: Option<u64>,
    /// How many instances.
    pub replicas: Option<u32>,
    /// How its health is checked.
    pub health: Option<HealthCheck>,
    /// What it waits for.
    pub depends_on: BTreeMap<ServiceName, Condition>,
    /// What happens when it exits.
    pub restart: Option<Restart>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// What those labels say that are meant for us.
    #[serde(default)]
    pub hints: Hints,
    /// One instance on every node of a swarm, whatever `replicas` says.
    #[serde(default)]
    pub global: bool,
    /// Name of its container; such a service cannot have two instances.
    #[serde(default)]
    pub container_name: Option<String>,
    /// Devices kept free for it, such as GPUs.
    #[serde(default)]
    pub devices: Vec<DeviceRequest>,
    /// CPUs it may run on, as the kernel writes them: `0-3,6`.
    #[serde(default)]
    pub cpuset: Option<String>,
    /// Memory and swap together in bytes; `-1` is without limit.
    #[serde(default)]
    pub memory_and_swap: Option<i64>,
    /// Readiness of the kernel to swap, 0 to 100.
    #[serde(default)]
    pub swappiness: Option<u8>,
    /// How gladly the kernel kills it when memory runs out, -1000 (never) to 1000 (first).
    #[serde(default)]
    pub oom_score_adjust: Option<i16>,
    /// The kernel may not kill it when its memory runs out.
    #[serde(default)]
    pub oom_kill_disabled: bool,
    /// Size of `/dev/shm`; the engine's default is 64 MiB.
    #[serde(default)]
    pub shm_size: Option<Bytes>,
    /// File systems in memory.
    #[serde(default)]
    pub tmpfs: Vec<Tmpfs>,
    /// Limits of the kernel by name, such as `nofile`.
    #[serde(default)]
    pub ulimits: BTreeMap<String, Ulimit>,
    /// Weights and limits of disk access.
    #[serde(default)]
    pub blkio: Option<Blkio>,
    /// Published ports.
    #[serde(default)]
    pub ports: Vec<Port>,
    /// Networks it is on; empty for the default one.
    #[serde(default)]
    pub networks: Vec<String>,
    /// Network mode, such as `host` or `service:proxy`.
    #[serde(default)]
    pub network_mode: Option<String>,
    /// Volumes and folders mounted into it.
    #[serde(default)]
    pub mounts: Vec<Mount>,
    /// Secrets it uses.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Configs it uses.
    #[serde(default)]
    pub configs: Vec<String>,
    /// Time it is given to stop before it is killed; the engine's default is 10 s.
    #[serde(default)]
    pub stop_grace_period: Option<Span>,
    /// How its instances are replaced by new ones.
    #[serde(default)]
    pub update: Option<UpdateConfig>,
}

/// Devices kept free for a service.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct DeviceRequest {
    /// Driver, such as `nvidia`.
    pub driver: Option<String>,
    /// How many; `-1` is all there are.
    pub count: Option<i64>,
    /// Which, by identifier.
    pub ids: Vec<String>,
    /// What they must be able to do, such as `gpu`.
    pub capabilities: Vec<String>,
}

/// A file system in memory; what it holds counts as memory of the container.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Tmpfs {
    /// Where it is mounted.
    pub target: String,
    /// What it may hold; half of the host's memory where nothing is said.
    pub size: Option<Bytes>,
}

/// A limit of the kernel for a process; `-1` is without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Ulimit {
    /// What holds at the start.
    pub soft: i64,
    /// How far the process may raise it.
    pub hard: i64,
}

/// Weights and limits of disk access.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Blkio {
    /// Share relative to other containers, 10 to 1000.
    pub weight: Option<u16>,
    /// Weight by device.
    pub weight_device: BTreeMap<String, u16>,
    /// Bytes per second read, by device.
    pub read_bytes: BTreeMap<String, Bytes>,
    /// Bytes per second written, by device.
    pub write_bytes: BTreeMap<String, Bytes>,
    /// Reads per second, by device.
    pub read_operations: BTreeMap<String, u64>,
    /// Writes per second, by device.
    pub write_operations: BTreeMap<String, u64>,
}

/// A port, or a range of ports, of a service made known outside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Port {
    /// First and last port within the container.
    pub target: (u16, u16),
    /// First and last port on the host; `None` lets the engine choose.
    pub published: Option<(u16, u16)>,
    /// Address on the host; `None` is all of them.
    pub host: Option<String>,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

/// Something mounted into a container.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mount {
    /// What is mounted.
    pub kind: MountKind,
    /// Name of the volume or path on the host; `None` for an anonymous volume.
    pub source: Option<String>,
    /// Where it is mounted.
    pub target: String,
    /// It cannot be written.
    pub read_only: bool,
}

/// What is mounted into a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum MountKind {
    /// A file or folder of the host.
    Bind,
    /// A volume of the engine.
    Volume,
    /// A file system in memory.
    Tmpfs,
    /// Anything else, such as a named pipe or an image.
    Other,
}

/// CPU and memory, each where given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    /// CPU.
    pub cpu: Option<Millicores>,
    /// Memory.
    pub memory: Option<Bytes>,
}

/// How the engine asks a container whether it is well. Absent figures take the engine's defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct HealthCheck {
    /// Switched off by the file, whatever the image says.
    pub disabled: bool,
    /// The test as written, `CMD` or `CMD-SHELL` first; empty where only figures are given.
    pub test: Vec<String>,
    /// Time between two checks.
    pub interval: Option<Span>,
    /// Time after which a check has failed.
    pub timeout: Option<Span>,
    /// Failures in a row that make it unhealthy.
    pub retries: Option<u32>,
    /// Time after the start in which failures do not count; Docker's default is none.
    pub start_period: Option<Span>,
    /// Time between two checks within the start period.
    pub start_interval: Option<Span>,
}

impl HealthCheck {
    /// Docker's time between two checks where nothing is said.
    pub const INTERVAL: Span = Span::from_secs(30);
    /// Docker's time after which a check has failed where nothing is said.
    pub const TIMEOUT: Span = Span::from_secs(30);
    /// Docker's number of failures in a row that make a container unhealthy where nothing is said.
    pub const RETRIES: u32 = 3;
    /// Docker's time between two checks within the start period where nothing is said.
    pub const START_INTERVAL: Span = Span::from_secs(5);
}

/// When a dependency counts as met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Condition {
    /// It runs.
    Started,
    /// Its health check has passed.
    Healthy,
    /// It has ended with exit code zero.
    Completed,
}

/// Restart policy of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Restart {
    /// It stays down.
    No,
    /// Whatever the exit code.
    Always,
    /// After a failure, at most so often.
    OnFailure(Option<u32>),
    /// Whatever the exit code, unless someone stopped it.
    UnlessStopped,
}
