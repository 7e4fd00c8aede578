//! The files of a drawn project, as a user would have written them.

use super::drawn::Drawn;
use super::drawn::DrawnCall;
use super::drawn::DrawnService;
use crate::model::Blkio;
use crate::model::HealthCheck;
use crate::model::Restart;
use crate::model::Service;
use crate::model::ServiceName;
use crate::model::Stack;
use crate::units::Bytes;
use crate::units::Permille;
use crate::units::Rate;
use crate::units::Span;
use std::fmt::Write;

impl Drawn {
    /// The Compose file.
    #[must_use]
    pub fn compose(&self) -> String {
        let mut text = "services:\n".to_owned();
        for service in &self.services {
            service.write_compose(&mut text);
        }
        text
    }

    /// The scenario file, beside a `compose.yaml`.
    #[must_use]
    pub fn scenario(&self) -> String {
        let mut text = format!("scenario: swarm {}\nstack: compose.yaml\n", self.seed);
        self.write_host(&mut text);
        self.write_policies(&mut text);
        let _ = writeln!(text, "duration: {}\nwarmup: 0s\nstep: {}", self.duration, self.step);
        let _ = writeln!(text, "sample: 1m\nseeds: [{}]\nsensors: {{ {} }}", self.seed, self.sensors());
        text.push_str("services:\n");
        for service in &self.services {
            service.write(&mut text);
        }
        let loaded: Vec<&DrawnService> = self.services.iter().filter(|service| !service.load.is_empty()).collect();
        if !loaded.is_empty() {
            text.push_str("load:\n");
        }
        for service in loaded {
            let _ = writeln!(text, "  {}: {}", service.name, service.load());
        }
        if !self.faults.is_empty() {
            text.push_str("faults:\n");
        }
        for fault in &self.faults {
            let _ = writeln!(text, "  - {{ {fault} }}");
        }
        self.write_deployments(&mut text);
        self.write_orders(&mut text);
        self.write_metrics(&mut text);
        text
    }

    fn write_host(&self, text: &mut String) {
        let cores = match self.slower {
            None => self.cores.to_string(),
            Some(slower) => {
                let (fast, count, speed) = (self.cores, slower.count, slower.speed);
                format!("[{{ count: {fast}, speed: 100% }}, {{ count: {count}, speed: {speed} }}]")
            }
        };
        let steal = match self.bursts {
            None => self.steal.to_string(),
            Some(bursts) => {
                let (every, lasts) = (bursts.every, bursts.lasts);
                format!("{{ mean: {}, burst: {}, every: {every}, lasts: {lasts} }}", self.steal, bursts.burst)
            }
        };
        let _ = writeln!(text, "host:\n  cores: {cores}\n  memory: {}", self.memory.get());
        let _ = writeln!(text, "  steal: {steal}\n  reserve: {{ cpu: 0, memory: 0 }}");
        if let Some(disk) = self.storage {
            let (iops, bandwidth, latency) = (disk.iops, disk.bandwidth.get(), disk.latency);
            let _ = writeln!(text, "  storage: {{ iops: {iops}, bandwidth: {bandwidth}, latency: {latency} }}");
        }
        if self.swap > Bytes::ZERO {
            let _ = writeln!(text, "  swap: {}", self.swap.get());
        }
        if self.hop > Span::ZERO {
            let _ = writeln!(text, "  hop: {}", self.hop);
        }
        if let Some(mbit) = self.network_mbit {
            let _ = writeln!(text, "  hardware: {{ network_mbit: {mbit} }}");
        }
        if let Some(heat) = &self.heat {
            let _ = writeln!(text, "  heat: {}", heat.text);
        }
    }

    fn sensors(&self) -> String {
        // Docker's own statistics are asked for at each look, so they have no scrapes.
        let docker = self.sensors.iter().any(|(key, _)| *key == "source");
        let scrape = (!docker).then(|| format!("scrape: {}", self.scrape));
        let more = self.sensors.iter().map(|(key, value)| format!("{key}: {value}"));
        scrape.into_iter().chain(more).collect::<Vec<_>>().join(", ")
    }

    /// What the Compose file says, without reading it.
    #[must_use]
    pub fn stack(&self) -> Stack {
        let services = self.services.iter().map(|service| (ServiceName::new(&service.name), service.noun()));
        Stack { services: services.collect(), ..Stack::default() }
    }
}

impl DrawnService {
    fn noun(&self) -> Service {
        let health = self.check.map(|interval| HealthCheck {
            test: vec!["CMD".to_owned(), "true".to_owned()],
            interval: Some(interval),
            timeout: self.check_more.map(|more| more.timeout),
            retries: self.check_more.map(|more| more.retries),
            start_period: self.check_more.map(|more| more.start_period),
            ..HealthCheck::default()
        });
        Service {
            image: Some(format!("swarm/{}:1", self.name)),
            limits: self.limits,
            cpu_shares: Some(self.weight),
            cpuset: self.cpuset.clone(),
            replicas: Some(self.replicas),
            restart: Some(self.restart),
            memory_and_swap: self.swap_limit,
            oom_score_adjust: self.oom_score_adjust,
            blkio: self.disk_weight.map(|weight| Blkio { weight: Some(weight), ..Blkio::default() }),
            health,
            ..Service::default()
        }
    }

    fn write_compose(&self, text: &mut String) {
        let _ = writeln!(text, "  {}:", self.name);
        let _ = writeln!(text, "    image: swarm/{}:1", self.name);
        let _ = writeln!(text, "    restart: {}", restart(self.restart));
        let _ = writeln!(text, "    cpu_shares: {}", self.weight);
        if let Some(cores) = &self.cpuset {
            let _ = writeln!(text, "    cpuset: \"{cores}\"");
        }
        if let Some(cpus) = self.limits.cpu {
            let _ = writeln!(text, "    cpus: {cpus}");
        }
        if let Some(memory) = self.limits.memory {
            let _ = writeln!(text, "    mem_limit: {}", memory.get());
        }
        if let Some(both) = self.swap_limit {
            let _ = writeln!(text, "    memswap_limit: {both}");
        }
        if let Some(adjust) = self.oom_score_adjust {
            let _ = writeln!(text, "    oom_score_adj: {adjust}");
        }
        if let Some(weight) = self.disk_weight {
            let _ = writeln!(text, "    blkio_config: {{ weight: {weight} }}");
        }
        if let Some(interval) = self.check {
            let more = self.check_more.map_or_else(String::new, |more| {
                let (timeout, retries, start_period) = (more.timeout, more.retries, more.start_period);
                format!(", timeout: {timeout}, retries: {retries}, start_period: {start_period}")
            });
            let _ = writeln!(text, "    healthcheck: {{ test: [CMD, \"true\"], interval: {interval}{more} }}");
        }
        let _ = writeln!(text, "    deploy: {{ replicas: {} }}", self.replicas);
    }

    fn write(&self, text: &mut String) {
        let _ = writeln!(text, "  {}:", self.name);
        let (work, memory) = (self.work, self.request_memory.get());
        let (disk, calls) = (self.disk() + &self.sizes(), self.calls());
        let _ = writeln!(text, "    work: {{ cpu: {work}, spread: {}, memory: {memory}{disk}{calls} }}", self.spread);
        if let Some(data) = self.disk.map(|disk| disk.data).filter(|data| *data > Bytes::ZERO) {
            let _ = writeln!(text, "    data: {}", data.get());
        }
        if let Some(workers) = self.workers {
            let _ = writeln!(text, "    workers: {workers}");
        }
        if self.blocking {
            text.push_str("    blocking: true\n");
        }
        if let Some(backlog) = self.backlog {
            let _ = writeln!(text, "    backlog: {backlog}");
        }
        if let Some(balance) = self.balance {
            let _ = writeln!(text, "    balance: {balance}");
        }
        if let Some(timeout) = self.timeout {
            let _ = writeln!(text, "    timeout: {timeout}");
        }
        if self.leak > Bytes::ZERO {
            let _ = writeln!(text, "    leak_per_hour: {}", self.leak.get());
        }
        let _ = writeln!(text, "    idle_memory: {}\n    idle_cpu: 0", self.idle_memory.get());
        let _ = writeln!(text, "    start_up: {}\n    start_cpu: 0", self.start_up);
        if let Some(size) = self.image_size {
            let _ = writeln!(text, "    image_size: {}", size.get());
        }
        if self.stateful {
            text.push_str("    stateful: true\n");
        }
    }

    fn disk(&self) -> String {
        let Some(disk) = self.disk else { return String::new() };
        let tenths = |count: u64| format!("{}.{}", count / 10, count % 10);
        let (reads, writes) = (tenths(disk.reads), tenths(disk.writes));
        let (read_size, write_size) = (disk.read_size.get(), disk.write_size.get());
        format!(", reads: {reads}, writes: {writes}, read_size: {read_size}, write_size: {write_size}")
    }

    fn sizes(&self) -> String {
        let keys = ["request", "answer"].into_iter().zip(self.sizes).filter(|(_, size)| *size > Bytes::ZERO);
        keys.map(|(key, size)| format!(", {key}: {}", size.get())).collect()
    }

    fn calls(&self) -> String {
        if self.calls.is_empty() {
            return String::new();
        }
        if !self.staged {
            return format!(", calls: {{ {} }}", self.calls.iter().map(call).collect::<Vec<_>>().join(", "));
        }
        let mut stages: Vec<Vec<String>> = Vec::new();
        for one in &self.calls {
            match stages.last_mut().filter(|_| one.with_last) {
                Some(stage) => stage.push(call(one)),
                None => stages.push(vec![call(one)]),
            }
        }
        let stages: Vec<String> = stages.iter().map(|stage| format!("{{ {} }}", stage.join(", "))).collect();
        format!(", calls: [{}]", stages.join(", "))
    }

    fn load(&self) -> String {
        let Some(think) = self.think else {
            let levels: Vec<String> = self.load.iter().map(|(at, rate)| format!("[{at}, {rate}]")).collect();
            return format!("{{ pattern: steps, rate: [{}] }}", levels.join(", "));
        };
        let number = |rate: Rate| {
            let clients = u128::from(rate.get()) * u128::from(think.nanos()) / 1_000_000_000_000_000;
            u64::try_from(clients).unwrap_or(u64::MAX)
        };
        let levels: Vec<String> = self.load.iter().map(|(at, rate)| format!("[{at}, {}]", number(*rate))).collect();
        format!("{{ pattern: clients, clients: [{}], think: {think} }}", levels.join(", "))
    }
}

/// A call with its key.
fn call(call: &DrawnCall) -> String {
    if call.is_plain() {
        return format!("{}: {}", call.to, call.count);
    }
    let mut more = format!("count: {}", call.count);
    if call.cached > Permille::ZERO {
        let _ = write!(more, ", cached: {}", call.cached);
    }
    if let Some(timeout) = call.timeout {
        let _ = write!(more, ", timeout: {timeout}");
    }
    if let Some(pool) = call.pool {
        let _ = write!(more, ", pool: {pool}");
    }
    if let Some(retry) = call.retry {
        let budget = retry.budget.map(|budget| format!(", budget: {budget}")).unwrap_or_default();
        let _ = write!(more, ", retry: {{ times: {}, backoff: {}{budget} }}", retry.times, retry.backoff);
    }
    if let Some(breaker) = call.breaker {
        let (failures, window, least, open) = (breaker.failures, breaker.window, breaker.least, breaker.open);
        let _ = write!(more, ", breaker: {{ failures: {failures}, window: {window}, least: {least}, open: {open} }}");
    }
    format!("{}: {{ {more} }}", call.to)
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
