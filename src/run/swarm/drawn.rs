//! What a seed stands for: a small project, as plain choices that can be made simpler one by one. The files that a user would
//! have written are in `files`.
//!
//! Before you change it: whatever is in here must come out in the files, or a failure could not be repeated from them;
//! `the_files_are_the_scenario` holds it.

use super::business::DrawnMetric;
use super::orders::DrawnOrder;
use super::rollouts::DrawnDeployment;
use super::scalings::DrawnScaling;
use crate::model::Breaker;
use crate::model::CoreGroup;
use crate::model::Limits;
use crate::model::Restart;
use crate::model::Retry;
use crate::model::StealBursts;
use crate::model::Storage;
use crate::units::Bytes;
use crate::units::Permille;
use crate::units::Rate;
use crate::units::Span;

/// A host, services, loads, faults and a policy, all drawn from one seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// The seed it is drawn from, and run with.
    pub seed: u64,
    /// It was given more than what a simple project has.
    pub is_wide: bool,
    /// Length of the run; its first half is stormy, its second calm.
    pub duration: Span,
    /// Length of a step.
    pub step: Span,
    /// Cores of the host.
    pub cores: u32,
    /// Slower cores besides.
    pub slower: Option<CoreGroup>,
    /// Memory of the host.
    pub memory: Bytes,
    /// Steal of the host; the mean, where it comes in bursts.
    pub steal: Permille,
    /// Its bursts.
    pub bursts: Option<StealBursts>,
    /// How warm the host gets.
    pub heat: Option<DrawnHeat>,
    /// Its disk; without one, accesses take no time.
    pub storage: Option<Storage>,
    /// Swap on that disk.
    pub swap: Bytes,
    /// Time of a message from one container to another.
    pub hop: Span,
    /// Its line to the outside in Mbit/s; without one, sending takes no time.
    pub network_mbit: Option<u32>,
    /// Settings of the policy of limits over its template; `None` for no such policy at all.
    pub policy: Option<String>,
    /// Time between two scrapes.
    pub scrape: Span,
    /// What else is said of the sensors: keys and values.
    pub sensors: Vec<(&'static str, String)>,
    /// The services; calls go from earlier to later ones only.
    pub services: Vec<DrawnService>,
    /// The faults, each as one flow mapping of the scenario file.
    pub faults: Vec<String>,
    /// What is said of the Docker engine: keys and values.
    pub docker: Vec<(&'static str, String)>,
    /// Services whose instances are replaced, in order of time.
    pub deployments: Vec<DrawnDeployment>,
    /// Numbers of instances that people order, in order of time.
    pub orders: Vec<DrawnOrder>,
    /// Metrics of the business.
    pub metrics: Vec<DrawnMetric>,
}

/// How warm a host gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnHeat {
    /// As a flow mapping of the profile.
    pub text: String,
    /// The lowest clock of its fast cores, as it says there.
    pub lowest: Permille,
}

/// A service with its load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnService {
    /// Its name.
    pub name: String,
    /// Limits of an instance.
    pub limits: Limits,
    /// Memory and swap together that an instance may have, as Compose counts: -1 is without limit.
    pub swap_limit: Option<i64>,
    /// How gladly the kernel kills it.
    pub oom_score_adjust: Option<i16>,
    /// Instances.
    pub replicas: u32,
    /// CPU weight.
    pub weight: u64,
    /// The cores that it may run on.
    pub cpuset: Option<String>,
    /// Weight of its disk accesses.
    pub disk_weight: Option<u16>,
    /// Whether it has a health check, and how often that asks.
    pub check: Option<Span>,
    /// More about the check.
    pub check_more: Option<DrawnCheck>,
    /// What happens when it dies.
    pub restart: Restart,
    /// CPU of a request.
    pub work: Span,
    /// `constant`, `exponential` or `heavy`.
    pub spread: &'static str,
    /// Memory of a request.
    pub request_memory: Bytes,
    /// Disk accesses of a request.
    pub disk: Option<DrawnDisk>,
    /// Sizes of a request and its answer.
    pub sizes: [Bytes; 2],
    /// Calls of a request.
    pub calls: Vec<DrawnCall>,
    /// The calls are written as stages.
    pub staged: bool,
    /// Requests worked on at once.
    pub workers: Option<u32>,
    /// A worker waits for the calls of its request.
    pub blocking: bool,
    /// Requests that may wait for a worker.
    pub backlog: Option<u32>,
    /// What the balancer before its instances looks at; `None` where nothing is said.
    pub balance: Option<&'static str>,
    /// When a request is given up.
    pub timeout: Option<Span>,
    /// Memory of an idle instance.
    pub idle_memory: Bytes,
    /// Growth of its memory in an hour.
    pub leak: Bytes,
    /// Time until it answers.
    pub start_up: Span,
    /// Size of its image, which has to be pulled.
    pub image_size: Option<Bytes>,
    /// Requests from outside: levels with the time from which each holds.
    pub load: Vec<(Span, Rate)>,
    /// The load comes from clients who wait for an answer and then think for so long; the levels say how often they would
    /// ask if answers took no time.
    pub think: Option<Span>,
    /// It holds data.
    pub stateful: bool,
    /// What changes the number of its instances.
    pub scaling: Option<DrawnScaling>,
}

/// More about a health check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrawnCheck {
    /// Time after which a check has failed.
    pub timeout: Span,
    /// Failures in a row that make it unhealthy.
    pub retries: u32,
    /// Time after the start in which failures do not count.
    pub start_period: Span,
}

/// What a request does with the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrawnDisk {
    /// Reads, in tenths.
    pub reads: u64,
    /// Writes, in tenths.
    pub writes: u64,
    /// Size of a read.
    pub read_size: Bytes,
    /// Size of a write.
    pub write_size: Bytes,
    /// What the reads are spread over; zero where no page is read twice.
    pub data: Bytes,
}

/// A call of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DrawnCall {
    /// To whom.
    pub to: String,
    /// How often.
    pub count: u32,
    /// At the same time as the call before it, where there are stages.
    pub with_last: bool,
    /// Share that a cache answers.
    pub cached: Permille,
    /// When a try is given up.
    pub timeout: Option<Span>,
    /// Connections that an instance of the caller has.
    pub pool: Option<u32>,
    /// What is done about a try that failed.
    pub retry: Option<Retry>,
    /// When calls are given up before they are made.
    pub breaker: Option<Breaker>,
}

impl Default for Drawn {
    /// An empty project of an hour on one core.
    fn default() -> Self {
        Self {
            seed: 0,
            is_wide: false,
            duration: Span::from_mins(60),
            step: Span::from_secs(1),
            cores: 1,
            slower: None,
            memory: Bytes::ZERO,
            steal: Permille::ZERO,
            bursts: None,
            heat: None,
            storage: None,
            swap: Bytes::ZERO,
            hop: Span::ZERO,
            network_mbit: None,
            policy: None,
            scrape: Span::from_secs(15),
            sensors: Vec::new(),
            services: Vec::new(),
            faults: Vec::new(),
            docker: Vec::new(),
            deployments: Vec::new(),
            orders: Vec::new(),
            metrics: Vec::new(),
        }
    }
}

impl Default for DrawnService {
    /// One instance without limits that does nothing.
    fn default() -> Self {
        Self {
            name: String::new(),
            limits: Limits::default(),
            swap_limit: None,
            oom_score_adjust: None,
            replicas: 1,
            weight: 1024,
            cpuset: None,
            disk_weight: None,
            check: None,
            check_more: None,
            restart: Restart::Always,
            work: Span::ZERO,
            spread: "constant",
            request_memory: Bytes::ZERO,
            disk: None,
            sizes: [Bytes::ZERO; 2],
            calls: Vec::new(),
            staged: false,
            workers: None,
            blocking: false,
            backlog: None,
            balance: None,
            timeout: None,
            idle_memory: Bytes::ZERO,
            leak: Bytes::ZERO,
            start_up: Span::ZERO,
            image_size: None,
            load: Vec::new(),
            think: None,
            stateful: false,
            scaling: None,
        }
    }
}

impl Drawn {
    /// The place of a service in the list.
    pub(super) fn place_of(&self, name: &str) -> Option<usize> {
        self.services.iter().position(|service| service.name == name)
    }

    /// Whether a service that takes too much memory is the one that is killed for it: by its own limit, or because the kernel
    /// spares nobody. Otherwise it might keep all of the host's memory for ever, and no engine could help the others.
    pub(super) fn can_run_out_of_memory(&self, service: &DrawnService) -> bool {
        service.limits.memory.is_some() || self.services.iter().all(|other| other.oom_score_adjust.is_none())
    }
}

impl DrawnDisk {
    /// Accesses of a request, in tenths.
    pub(super) const fn tenths(&self) -> u64 {
        self.reads + self.writes
    }

    /// Bytes that ten requests read and write.
    pub(super) const fn bytes_in_tenths(&self) -> u64 {
        self.reads * self.read_size.get() + self.writes * self.write_size.get()
    }
}

impl DrawnCall {
    /// Whether there is nothing to say but how often.
    pub(super) fn is_plain(&self) -> bool {
        *self == Self { to: self.to.clone(), count: self.count, with_last: self.with_last, ..Self::default() }
    }
}
