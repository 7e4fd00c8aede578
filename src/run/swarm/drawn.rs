//! What a seed stands for: a small project, as plain choices that can be made simpler one by one, and as the files that a
//! user would have written.
//!
//! Before you change it: whatever is in here must come out in the files, or a failure could not be repeated from them;
//! `the_files_are_the_scenario` holds it.

use crate::model::HealthCheck;
use crate::model::Limits;
use crate::model::Restart;
use crate::model::Service;
use crate::model::ServiceName;
use crate::model::Stack;
use crate::units::Bytes;
use crate::units::Permille;
use crate::units::Rate;
use crate::units::Span;
use std::fmt::Write;

/// A host, services, loads, faults and a policy, all drawn from one seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// The seed it is drawn from, and run with.
    pub seed: u64,
    /// Length of the run; its first half is stormy, its second calm.
    pub duration: Span,
    /// Length of a step.
    pub step: Span,
    /// Cores of the host.
    pub cores: u32,
    /// Memory of the host.
    pub memory: Bytes,
    /// Steal of the host.
    pub steal: Permille,
    /// Settings of the policy over its template; `None` for no policy at all.
    pub policy: Option<String>,
    /// Time between two scrapes.
    pub scrape: Span,
    /// The services; calls go from earlier to later ones only.
    pub services: Vec<DrawnService>,
    /// The faults, each as one flow mapping of the scenario file.
    pub faults: Vec<String>,
}

/// A service with its load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnService {
    /// Its name.
    pub name: String,
    /// Limits of an instance.
    pub limits: Limits,
    /// Instances.
    pub replicas: u32,
    /// CPU weight.
    pub weight: u64,
    /// Whether it has a health check, and how often that asks.
    pub check: Option<Span>,
    /// What happens when it dies.
    pub restart: Restart,
    /// CPU of a request.
    pub work: Span,
    /// `constant`, `exponential` or `heavy`.
    pub spread: &'static str,
    /// Memory of a request.
    pub request_memory: Bytes,
    /// Calls of a request: to whom, how often.
    pub calls: Vec<(String, u32)>,
    /// Requests worked on at once.
    pub workers: Option<u32>,
    /// When a request is given up.
    pub timeout: Option<Span>,
    /// Memory of an idle instance.
    pub idle_memory: Bytes,
    /// Growth of its memory in an hour.
    pub leak: Bytes,
    /// Time until it answers.
    pub start_up: Span,
    /// Requests from outside: levels with the time from which each holds.
    pub load: Vec<(Span, Rate)>,
}

impl Drawn {
    /// The Compose file.
    #[must_use]
    pub fn compose(&self) -> String {
        let mut text = "services:\n".to_owned();
        for service in &self.services {
            let _ = writeln!(text, "  {}:", service.name);
            let _ = writeln!(text, "    image: swarm/{}:1", service.name);
            let _ = writeln!(text, "    restart: {}", restart(service.restart));
            let _ = writeln!(text, "    cpu_shares: {}", service.weight);
            if let Some(cpus) = service.limits.cpu {
                let _ = writeln!(text, "    cpus: {cpus}");
            }
            if let Some(memory) = service.limits.memory {
                let _ = writeln!(text, "    mem_limit: {}", memory.get());
            }
            if let Some(interval) = service.check {
                let _ = writeln!(text, "    healthcheck: {{ test: [CMD, \"true\"], interval: {interval} }}");
            }
            let _ = writeln!(text, "    deploy: {{ replicas: {} }}", service.replicas);
        }
        text
    }

    /// The scenario file, beside a `compose.yaml`.
    #[must_use]
    pub fn scenario(&self) -> String {
        let mut text = format!("scenario: swarm {}\nstack: compose.yaml\n", self.seed);
        let _ = writeln!(text, "host:\n  cores: {}\n  memory: {}", self.cores, self.memory.get());
        let _ = writeln!(text, "  steal: {}\n  reserve: {{ cpu: 0, memory: 0 }}", self.steal);
        if let Some(policy) = &self.policy {
            let _ = writeln!(text, "policy: {{ template: jacker-vertical{policy} }}");
        }
        let _ = writeln!(text, "duration: {}\nwarmup: 0s\nstep: {}", self.duration, self.step);
        let _ = writeln!(text, "sample: 1m\nseeds: [{}]\nsensors: {{ scrape: {} }}", self.seed, self.scrape);
        text.push_str("services:\n");
        for service in &self.services {
            service.write(&mut text);
        }
        let loaded: Vec<&DrawnService> = self.services.iter().filter(|service| !service.load.is_empty()).collect();
        if !loaded.is_empty() {
            text.push_str("load:\n");
        }
        for service in loaded {
            let levels: Vec<String> = service.load.iter().map(|(at, rate)| format!("[{at}, {rate}]")).collect();
            let _ = writeln!(text, "  {}: {{ pattern: steps, rate: [{}] }}", service.name, levels.join(", "));
        }
        if !self.faults.is_empty() {
            text.push_str("faults:\n");
        }
        for fault in &self.faults {
            let _ = writeln!(text, "  - {{ {fault} }}");
        }
        text
    }

    /// What the Compose file says, without reading it.
    #[must_use]
    pub fn stack(&self) -> Stack {
        let services = self.services.iter().map(|service| {
            let health = service.check.map(|interval| HealthCheck {
                test: vec!["CMD".to_owned(), "true".to_owned()],
                interval: Some(interval),
                ..HealthCheck::default()
            });
            let said = Service {
                image: Some(format!("swarm/{}:1", service.name)),
                limits: service.limits,
                cpu_shares: Some(service.weight),
                replicas: Some(service.replicas),
                restart: Some(service.restart),
                health,
                ..Service::default()
            };
            (ServiceName::new(&service.name), said)
        });
        Stack { services: services.collect(), ..Stack::default() }
    }
}

impl DrawnService {
    fn write(&self, text: &mut String) {
        let calls: Vec<String> = self.calls.iter().map(|(to, count)| format!("{to}: {count}")).collect();
        let calls = if calls.is_empty() { String::new() } else { format!(", calls: {{ {} }}", calls.join(", ")) };
        let _ = writeln!(text, "  {}:", self.name);
        let (work, memory) = (self.work, self.request_memory.get());
        let _ = writeln!(text, "    work: {{ cpu: {work}, spread: {}, memory: {memory}{calls} }}", self.spread);
        if let Some(workers) = self.workers {
            let _ = writeln!(text, "    workers: {workers}");
        }
        if let Some(timeout) = self.timeout {
            let _ = writeln!(text, "    timeout: {timeout}");
        }
        if self.leak > Bytes::ZERO {
            let _ = writeln!(text, "    leak_per_hour: {}", self.leak.get());
        }
        let _ = writeln!(text, "    idle_memory: {}\n    idle_cpu: 0", self.idle_memory.get());
        let _ = writeln!(text, "    start_up: {}\n    start_cpu: 0", self.start_up);
    }
}

/// A restart policy as Compose writes it.
fn restart(restart: Restart) -> String {
    match restart {
        Restart::No => "\"no\"".to_owned(),
        Restart::Always => "always".to_owned(),
        Restart::UnlessStopped => "unless-stopped".to_owned(),
        Restart::OnFailure(None) => "on-failure".to_owned(),
        Restart::OnFailure(Some(times)) => format!("on-failure:{times}"),
    }
}
