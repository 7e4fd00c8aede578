//! Things that go wrong in a scenario: when, how often, for how long, and what.

use super::ServiceName;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;
use crate::units::Temperature;

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Fault {
    /// When first; where it comes at random times, from when on.
    pub at: Instant,
    /// For how long; zero for what happens in a moment.
    pub lasts: Span,
    /// Whether it comes again.
    #[serde(default)]
    pub again: Again,
    /// What.
    pub kind: FaultKind,
}

impl Fault {
    /// One that comes once.
    #[must_use]
    pub const fn once(at: Instant, lasts: Span, kind: FaultKind) -> Self {
        Self { at, lasts, again: Again::Never, kind }
    }
}

/// How often a fault comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Again {
    /// Once, at its time.
    #[default]
    Never,
    /// At its time, and once in so long from then on.
    Every(Span),
    /// At random times drawn from the seed, so far apart on average, each gap exponential.
    About(Span),
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum FaultKind {
    /// All instances of a service die at once.
    Crash(ServiceName),
    /// One instance of a service dies.
    CrashOne {
        /// The service.
        service: ServiceName,
        /// Its number, from 1.
        instance: u32,
    },
    /// Health checks of a service fail, though it answers.
    Unhealthy(ServiceName),
    /// Health checks of the instances of a service that start meanwhile fail, for as long as those live. Where a deployment
    /// names the service, these are the new instances that have no traffic yet, and no others.
    UnhealthyGreen(ServiceName),
    /// No scrape succeeds.
    MetricsOutage,
    /// Scrapes are seen so much later.
    MetricsDelay(Span),
    /// So many scrapes are lost, each instance's by itself.
    MetricsGaps(Permille),
    /// A metric of a service shows so much of the truth.
    MetricsLie {
        /// The service.
        service: ServiceName,
        /// CPU as shown, in thousandths of the truth.
        cpu: Permille,
        /// Memory as shown, in thousandths of the truth.
        memory: Permille,
    },
    /// Plimsoll's own engine starts again and has forgotten what it knew.
    EngineRestart,
    /// The Docker engine stops and starts again after so long as the fault lasts.
    DockerRestart {
        /// Containers live on without it.
        live_restore: bool,
    },
    /// The host is gone for as long as the fault lasts, then starts again.
    HostLoss,
    /// The clock that stamps measurements is so much ahead.
    ClockAhead(Span),
    /// The clock that stamps measurements is so much behind.
    ClockBehind(Span),
    /// The disk does less.
    SlowDisk {
        /// Share of its accesses that is left.
        iops: Permille,
        /// Share of its bytes that is left.
        bandwidth: Permille,
        /// How many times as long an access takes on an idle device.
        latency: Permille,
    },
    /// Nothing can be written, by one service or by nobody.
    FullDisk(Option<ServiceName>),
    /// All instances of a service allocate more than they may, at once.
    Oom(ServiceName),
    /// The instances of a service hold more and more.
    Leak {
        /// Which.
        service: ServiceName,
        /// By how much each of them grows in an hour.
        per_hour: Bytes,
    },
    /// The room is warmer by so many degrees.
    HeatWave(Temperature),
    /// Other guests of the same machine take at least this share of CPU time.
    StealBurst(Permille),
    /// A process outside the containers wants CPU.
    NoisyNeighbour {
        /// How much.
        cpu: Millicores,
        /// Its weight beside the containers, as Docker's `cpu_shares`.
        weight: u64,
    },
    /// Each instance of a service burns CPU besides its requests.
    CpuSpin {
        /// The service.
        service: ServiceName,
        /// How much each instance burns, within its limit.
        cpu: Millicores,
    },
    /// Each request of a service takes more CPU.
    SlowDependency {
        /// The service.
        service: ServiceName,
        /// How many times as much.
        factor: Permille,
    },
    /// Each trip between containers, and from outside and back, takes so much longer.
    NetworkDelay(Span),
    /// So many packets are lost, and sent again.
    NetworkLoss(Permille),
    /// So much of the bandwidth to the outside is left, in each direction.
    SlowNetwork(Permille),
}

impl FaultKind {
    /// Its key in a scenario file.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Crash(_) | Self::CrashOne { .. } => "crash",
            Self::Unhealthy(_) => "unhealthy",
            Self::UnhealthyGreen(_) => "unhealthy_green",
            Self::MetricsOutage => "metrics_outage",
            Self::MetricsDelay(_) => "metrics_delay",
            Self::MetricsGaps(_) => "metrics_gaps",
            Self::MetricsLie { .. } => "metrics_lie",
            Self::EngineRestart => "engine_restart",
            Self::DockerRestart { .. } => "docker_restart",
            Self::HostLoss => "host_loss",
            Self::ClockAhead(_) | Self::ClockBehind(_) => "clock_jump",
            Self::SlowDisk { .. } => "slow_disk",
            Self::FullDisk(_) => "full_disk",
            Self::Oom(_) => "oom",
            Self::Leak { .. } => "leak",
            Self::HeatWave(_) => "heat_wave",
            Self::StealBurst(_) => "steal_burst",
            Self::NoisyNeighbour { .. } => "noisy_neighbour",
            Self::CpuSpin { .. } => "cpu_spin",
            Self::SlowDependency { .. } => "slow_dependency",
            Self::NetworkDelay(_) => "network_delay",
            Self::NetworkLoss(_) => "network_loss",
            Self::SlowNetwork(_) => "slow_network",
        }
    }

    /// Whether it happens in a moment; the others last.
    #[must_use]
    pub const fn is_moment(&self) -> bool {
        match self {
            Self::Crash(_) | Self::CrashOne { .. } | Self::EngineRestart | Self::Oom(_) => true,
            Self::Unhealthy(_)
            | Self::UnhealthyGreen(_)
            | Self::MetricsOutage
            | Self::MetricsDelay(_)
            | Self::MetricsGaps(_)
            | Self::MetricsLie { .. }
            | Self::DockerRestart { .. }
            | Self::HostLoss
            | Self::ClockAhead(_)
            | Self::ClockBehind(_)
            | Self::SlowDisk { .. }
            | Self::FullDisk(_)
            | Self::Leak { .. }
            | Self::HeatWave(_)
            | Self::StealBurst(_)
            | Self::NoisyNeighbour { .. }
            | Self::CpuSpin { .. }
            | Self::SlowDependency { .. }
            | Self::NetworkDelay(_)
            | Self::NetworkLoss(_)
            | Self::SlowNetwork(_) => false,
        }
    }
}
