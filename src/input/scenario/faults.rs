//! What goes wrong in a scenario, from its file to the noun.
//!
//! Before you change it: each kind is a key of its own in [`FaultFile`], one line in [`Reader::kind`], a variant of
//! `model::FaultKind`, a condition or a deed in `world::sim::faults`, and a name in `report::words`.

use super::ERRORS_MAX;
use super::codes;
use super::network::NetworkDelayFile;
use super::network::NetworkLossFile;
use super::network::SlowNetworkFile;
use super::strain::CpuSpinFile;
use super::strain::HeatWaveFile;
use super::strain::NeighbourFile;
use super::strain::SlowDependencyFile;
use super::strain::StealBurstFile;
use super::trouble::FullDiskFile;
use super::trouble::LeakFile;
use super::trouble::OfServiceFile;
use super::trouble::SlowDiskFile;
use super::unknown_service;
use super::wire::EmptyFile;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::schema;
use crate::input::schema::quantity::Duration;
use crate::input::schema::quantity::Percent;
use crate::input::yaml::Node;
use crate::model::Again;
use crate::model::Fault;
use crate::model::FaultKind;
use crate::model::ServiceModel;
use crate::model::ServiceName;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// How often one fault may come in a run.
const TIMES_MAX: u64 = 100_000;

/// Something that goes wrong: when, how often, for how long, and one of the kinds.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultFile {
    /// When first, from the start of the run.
    pub at: Option<Duration>,
    /// Again and again, once in so long.
    pub every: Option<Duration>,
    /// Again and again at random times drawn from the seed, so far apart on average.
    pub about_every: Option<Duration>,
    /// For how long, where it does not happen in a moment.
    #[serde(rename = "for")]
    pub lasts: Option<Duration>,
    /// All instances of this service die at once, or one of them.
    pub crash: Option<CrashFile>,
    /// Health checks of this service fail, though it answers.
    pub unhealthy: Option<String>,
    /// Instances of this service that start meanwhile never become healthy; where a deployment names it, those of the new
    /// generation and no others.
    pub unhealthy_green: Option<String>,
    /// No scrape succeeds.
    pub metrics_outage: Option<EmptyFile>,
    /// Scrapes are seen later.
    pub metrics_delay: Option<MetricsDelayFile>,
    /// Some scrapes are lost.
    pub metrics_gaps: Option<MetricsGapsFile>,
    /// What is measured of a service is not the truth.
    pub metrics_lie: Option<MetricsLieFile>,
    /// Plimsoll's own engine starts again and has forgotten what it knew.
    pub engine_restart: Option<EmptyFile>,
    /// The Docker engine stops, and starts again when the fault ends.
    pub docker_restart: Option<DockerRestartFile>,
    /// The host is gone, and starts again when the fault ends.
    pub host_loss: Option<EmptyFile>,
    /// The clock that stamps measurements is wrong.
    pub clock_jump: Option<ClockJumpFile>,
    /// The disk is slower: what is left of it.
    pub slow_disk: Option<SlowDiskFile>,
    /// Nothing can be written, so requests that write fail.
    pub full_disk: Option<FullDiskFile>,
    /// Each instance of a service allocates more than it may, at once; without a limit, more than the host has.
    pub oom: Option<OfServiceFile>,
    /// A service leaks as long as this lasts.
    pub leak: Option<LeakFile>,
    /// The room gets warmer; for hosts whose profile has a `heat`.
    pub heat_wave: Option<HeatWaveFile>,
    /// Other guests of the same machine take CPU time.
    pub steal_burst: Option<StealBurstFile>,
    /// A process outside the containers wants CPU.
    pub noisy_neighbour: Option<NeighbourFile>,
    /// Each instance of a service burns CPU besides its requests.
    pub cpu_spin: Option<CpuSpinFile>,
    /// Each request of a service takes more CPU, so that who calls it waits longer.
    pub slow_dependency: Option<SlowDependencyFile>,
    /// Packets between containers, and from outside and back, take longer.
    pub network_delay: Option<NetworkDelayFile>,
    /// Packets between containers, and from outside and back, are lost and sent again.
    pub network_loss: Option<NetworkLossFile>,
    /// The line to the outside is narrower; for hosts whose profile has a `network_mbit`.
    pub slow_network: Option<SlowNetworkFile>,
}

/// Which instances of a service die.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum CrashFile {
    /// All of this service.
    All(String),
    /// One of them.
    One(CrashOneFile),
}

/// One instance of a service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrashOneFile {
    /// The service.
    pub service: String,
    /// Its number, from 1.
    #[schemars(range(min = 1, max = 10_000))]
    pub instance: u32,
}

/// Scrapes that are seen later.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricsDelayFile {
    /// By how much.
    pub by: Duration,
}

/// Scrapes that are lost.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricsGapsFile {
    /// So many of them, each instance's by itself.
    pub share: Percent,
}

/// A measurement that is not the truth.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricsLieFile {
    /// Whose.
    pub service: String,
    /// CPU as shown, in percent of the truth.
    pub cpu: Option<Percent>,
    /// Memory as shown, in percent of the truth.
    pub memory: Option<Percent>,
}

/// How the Docker engine stops.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DockerRestartFile {
    /// Containers live on without it, as with `"live-restore": true`; otherwise they stop, and those that restart `always`
    /// or `unless-stopped` come back with it.
    #[serde(default)]
    pub live_restore: bool,
}

/// A clock that is wrong.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockJumpFile {
    /// It is so much ahead.
    pub ahead: Option<Duration>,
    /// It is so much behind.
    pub behind: Option<Duration>,
}

/// The faults of a scenario in order of time.
pub(super) fn faults(
    files: &[FaultFile],
    node: &Node,
    services: &BTreeMap<ServiceName, ServiceModel>,
    duration: Span,
    problems: &mut Problems,
) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut errors = 0;
    for (index, file) in files.iter().enumerate() {
        let node = node.at_pointer(&format!("/faults/{index}")).unwrap_or(node);
        let mut reader = Reader { node, services, duration, problems: Problems::new() };
        let fault = reader.fault(file);
        match fault.filter(|_| !reader.problems.has_errors()) {
            Some(fault) => found.push(fault),
            None => errors += 1,
        }
        problems.extend(reader.problems);
        if errors >= ERRORS_MAX {
            break;
        }
    }
    found.sort_by_key(|fault| fault.at);
    found
}

/// Reads one fault.
pub(super) struct Reader<'a> {
    node: &'a Node,
    services: &'a BTreeMap<ServiceName, ServiceModel>,
    duration: Span,
    problems: Problems,
}

impl Reader<'_> {
    fn fault(&mut self, file: &FaultFile) -> Option<Fault> {
        let (at, again) = self.times(file);
        let kind = self.kind(file)?;
        let lasts = file.lasts.map_or(Span::ZERO, |lasts| lasts.0);
        if kind.is_moment() && lasts > Span::ZERO {
            let place = schema::place_of(self.node, "/for");
            let problem = Problem::error(&codes::FAULT, format!("`{}` happens in a moment", kind.key())).at(&place);
            self.problems.push(problem.help("leave `for` out; what comes of it follows from the scenario"));
        }
        if !kind.is_moment() && lasts == Span::ZERO {
            let message = format!("`{}` lasts for some time", kind.key());
            let problem = Problem::error(&codes::FAULT, message).at(&self.node.place);
            self.problems.push(problem.help("add `for: 10m`"));
        }
        Some(Fault { at: Instant::after_start(at), lasts, again, kind })
    }

    /// When it comes first, and whether it comes again.
    fn times(&mut self, file: &FaultFile) -> (Span, Again) {
        let given = file.at.map(|at| at.0);
        let (key, gap, again) = match (file.every, file.about_every) {
            (None, None) => ("at", None, Again::Never),
            (Some(every), None) => ("every", Some(every.0), Again::Every(every.0)),
            (None, Some(about)) => ("about_every", Some(about.0), Again::About(about.0)),
            (Some(_), Some(_)) => {
                self.wrong(
                    "/about_every",
                    "a fault comes `every` so long or `about_every` so long, not both",
                    "take one out",
                );
                return (Span::ZERO, Again::Never);
            }
        };
        if given.is_none() && gap.is_none() {
            let problem = Problem::error(&codes::FAULT, "nothing says when the fault comes").at(&self.node.place);
            self.problems.push(problem.help("add `at: 20m`, `every: 1h` or `about_every: 1h`"));
        }
        if gap.is_some_and(|gap| gap == Span::ZERO || self.duration.fit(gap) > TIMES_MAX) {
            let message = format!("a fault comes at most {TIMES_MAX} times in a run");
            self.wrong(&format!("/{key}"), &message, "let it come less often");
        }
        let first = match again {
            Again::Every(every) => given.unwrap_or(every),
            Again::Never | Again::About(_) => given.unwrap_or(Span::ZERO),
        };
        if first >= self.duration {
            let key = if given.is_some() { "/at".to_owned() } else { format!("/{key}") };
            let message = format!("the fault begins at {first}, and the run ends at {}", self.duration);
            self.wrong(&key, &message, "let it begin earlier");
        }
        (first, again)
    }

    /// What goes wrong; `None` where there is not exactly one answer.
    fn kind(&mut self, file: &FaultFile) -> Option<FaultKind> {
        let mut kinds = Vec::new();
        if let Some(crash) = &file.crash {
            kinds.push(self.crash(crash));
        }
        if let Some(name) = &file.unhealthy {
            kinds.push(self.checked(name, "/unhealthy").map(FaultKind::Unhealthy));
        }
        if let Some(name) = &file.unhealthy_green {
            kinds.push(self.checked(name, "/unhealthy_green").map(FaultKind::UnhealthyGreen));
        }
        if file.metrics_outage.is_some() {
            kinds.push(Some(FaultKind::MetricsOutage));
        }
        if let Some(delay) = &file.metrics_delay {
            kinds.push(Some(FaultKind::MetricsDelay(delay.by.0)));
        }
        if let Some(gaps) = &file.metrics_gaps {
            kinds.push(self.share("/metrics_gaps/share", gaps.share).map(FaultKind::MetricsGaps));
        }
        if let Some(lie) = &file.metrics_lie {
            kinds.push(self.lie(lie));
        }
        if file.engine_restart.is_some() {
            kinds.push(Some(FaultKind::EngineRestart));
        }
        if let Some(restart) = &file.docker_restart {
            kinds.push(Some(FaultKind::DockerRestart { live_restore: restart.live_restore }));
        }
        if file.host_loss.is_some() {
            kinds.push(Some(FaultKind::HostLoss));
        }
        if let Some(jump) = &file.clock_jump {
            kinds.push(self.clock(jump));
        }
        kinds.extend(self.trouble(file));
        kinds.extend(self.strain(file));
        kinds.extend(self.network(file));
        if kinds.len() > 1 {
            let problem = Problem::error(&codes::FAULT, "a fault has one kind, and this one has several");
            self.problems
                .push(problem.at(&self.node.place).help("write a fault of its own for each, with the same `at`"));
            return None;
        }
        if kinds.is_empty() {
            let problem = Problem::error(&codes::FAULT, "the fault has no kind").at(&self.node.place);
            self.problems.push(problem.help("such as `crash: SERVICE` or `metrics_outage: {}`"));
        }
        kinds.pop()?
    }

    fn crash(&mut self, crash: &CrashFile) -> Option<FaultKind> {
        match crash {
            CrashFile::All(name) => self.service(name, "/crash").map(FaultKind::Crash),
            CrashFile::One(one) => {
                let service = self.service(&one.service, "/crash/service")?;
                let replicas = self.services[&service].replicas;
                if one.instance > replicas {
                    let message =
                        format!("`{service}` starts with {replicas}, so there is no instance {}", one.instance);
                    self.wrong("/crash/instance", &message, "instances count from 1");
                    return None;
                }
                Some(FaultKind::CrashOne { service, instance: one.instance })
            }
        }
    }

    fn lie(&mut self, lie: &MetricsLieFile) -> Option<FaultKind> {
        if lie.cpu.is_none() && lie.memory.is_none() {
            self.wrong("/metrics_lie", "nothing says what is shown", "add `cpu: 50%` or `memory: 120%`");
            return None;
        }
        let shown = |share: Option<Percent>| share.map_or(Permille::ONE, |share| share.0);
        let service = self.service(&lie.service, "/metrics_lie/service")?;
        Some(FaultKind::MetricsLie { service, cpu: shown(lie.cpu), memory: shown(lie.memory) })
    }

    fn clock(&mut self, jump: &ClockJumpFile) -> Option<FaultKind> {
        match (jump.ahead, jump.behind) {
            (Some(by), None) => Some(FaultKind::ClockAhead(by.0)),
            (None, Some(by)) => Some(FaultKind::ClockBehind(by.0)),
            _ => {
                self.wrong("/clock_jump", "a clock is either ahead or behind", "write `ahead: 1h` or `behind: 1h`");
                None
            }
        }
    }

    /// A service with a health check.
    fn checked(&mut self, name: &str, key: &str) -> Option<ServiceName> {
        let service = self.service(name, key)?;
        if self.services[&service].health.as_ref().is_none_or(|health| health.disabled) {
            let message = format!("`{service}` has no health check that could fail");
            self.wrong(key, &message, "give it a `healthcheck` in the Compose file");
            return None;
        }
        Some(service)
    }

    pub(super) fn service(&mut self, name: &str, key: &str) -> Option<ServiceName> {
        let found = self.services.keys().find(|known| known.as_str() == name).cloned();
        if found.is_none() {
            let names: Vec<ServiceName> = self.services.keys().cloned().collect();
            self.problems.push(unknown_service(name, &names, &schema::place_of(self.node, key)));
        }
        found
    }

    /// A share of at most all.
    pub(super) fn share(&mut self, key: &str, share: Percent) -> Option<Permille> {
        if share.0 > Permille::ONE {
            self.wrong(key, &format!("{} is more than all", share.0), "write at most 100%");
            return None;
        }
        Some(share.0)
    }

    pub(super) fn wrong(&mut self, key: &str, message: &str, help: &str) {
        let problem = Problem::error(&codes::FAULT, message).at(&schema::place_of(self.node, key));
        self.problems.push(problem.help(help));
    }
}
