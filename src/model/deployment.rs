//! New instances of a service in place of the old ones: when, how, and what came of it. Before you change it:
//! 1. The old instances are called blue and the new ones green where people read it; here they are [`Generation`]s.
//! 2. [`Move`] is all that a host can be asked to do, [`GenerationsSeen`] all that is seen of it: whoever carries it out,
//!    a simulated host or a real one, has nothing left to choose.

use super::InstanceState;
use super::Limits;
use super::ServiceName;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;
use std::collections::BTreeMap;

/// All instances of a service are replaced by new ones.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Deployment {
    /// When it begins.
    pub at: Instant,
    /// The service.
    pub service: ServiceName,
    /// Limits of a new instance; what is not said stays as it is.
    pub limits: Limits,
    /// The new instances have another image, which the host does not have yet.
    pub new_image: bool,
    /// Why two instances cannot run side by side, where that is so: `it publishes the port 8080`.
    pub alone: Option<String>,
    /// How instances are replaced.
    pub update: Update,
}

/// How instances are replaced, as `update_config` of a Compose file says, and what it leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Update {
    /// What comes first.
    pub order: Order,
    /// Instances that are replaced at a time; zero is all of them.
    pub parallelism: u32,
    /// Wait between two of these.
    pub delay: Span,
    /// Time in which a new instance must become healthy.
    pub health_timeout: Span,
    /// Time between two looks.
    pub interval: Span,
    /// For so long new instances are watched once they have traffic; one that fails by then has failed.
    pub monitor: Span,
    /// Time that an old instance is given, without new requests, to finish those it has before it is told to stop.
    pub drain: Span,
    /// Time that an instance which was told to stop is given before it is killed.
    pub stop_grace: Span,
    /// Share of the instances that may fail.
    pub max_failure_ratio: Permille,
    /// What is done when more fail.
    pub on_failure: OnFailure,
}

impl Update {
    /// Docker's time between being told to stop and being killed where nothing is said.
    pub const STOP_GRACE: Span = Span::from_secs(10);
}

impl Default for Update {
    /// Blue-green: all new instances beside the old ones, and back at the first failure (register D1).
    fn default() -> Self {
        Self {
            order: Order::StartFirst,
            parallelism: 0,
            delay: Span::ZERO,
            health_timeout: Span::from_secs(120),
            interval: Span::from_secs(5),
            monitor: Span::from_secs(5),
            drain: Span::from_secs(30),
            stop_grace: Self::STOP_GRACE,
            max_failure_ratio: Permille::ZERO,
            on_failure: OnFailure::Rollback,
        }
    }
}

/// How instances are replaced as far as a Compose file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct UpdateConfig {
    /// What comes first.
    pub order: Option<Order>,
    /// Instances that are replaced at a time; zero is all of them.
    pub parallelism: Option<u32>,
    /// Wait between two of these.
    pub delay: Option<Span>,
    /// For so long new instances are watched.
    pub monitor: Option<Span>,
    /// Share of the instances that may fail.
    pub max_failure_ratio: Option<Permille>,
    /// What is done when more fail.
    pub on_failure: Option<OnFailure>,
}

impl UpdateConfig {
    /// The same with Docker's defaults: one at a time, the old one stops first, nothing is undone.
    #[must_use]
    pub fn update(&self) -> Update {
        let usual = Update::default();
        Update {
            order: self.order.unwrap_or(Order::StopFirst),
            parallelism: self.parallelism.unwrap_or(1),
            delay: self.delay.unwrap_or(Span::ZERO),
            monitor: self.monitor.filter(|monitor| *monitor > Span::ZERO).unwrap_or(usual.monitor),
            max_failure_ratio: self.max_failure_ratio.unwrap_or(Permille::ZERO),
            on_failure: self.on_failure.unwrap_or(OnFailure::Pause),
            ..usual
        }
    }
}

/// What comes first when an instance is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The new one starts and is well before the old one stops.
    StartFirst,
    /// The old one stops before the new one starts.
    StopFirst,
}

/// What is done when too many new instances fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// All is made as it was before.
    Rollback,
    /// All stays as it is, until somebody looks at it.
    Pause,
    /// It goes on all the same.
    Continue,
}

/// How the Docker engine of the simulated host behaves, where that is said.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Docker {
    /// Time that a change of limits takes.
    pub update: Span,
    /// Version of the control groups; `None` where nobody said.
    pub cgroup: Option<Cgroup>,
    /// Bytes per second at which images are pulled, all together; `None` where they are there at once.
    pub download: Option<Bytes>,
    /// Sizes of images that have to be pulled.
    #[serde(default)]
    pub images: BTreeMap<ServiceName, Bytes>,
}

/// Version of the kernel's control groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub enum Cgroup {
    /// The old ones: a memory limit below what is held is refused.
    #[serde(rename = "v1")]
    V1,
    /// The unified ones: a memory limit below what is held kills.
    #[serde(rename = "v2")]
    V2,
}

/// The old instances of a service or the new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Generation {
    /// Blue: those that were there before.
    Old,
    /// Green: those that take their place.
    New,
}

impl Generation {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Old => Self::New,
            Self::New => Self::Old,
        }
    }
}

/// One thing that a host is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Move {
    /// Starts so many instances beside the others, without traffic.
    Start {
        /// Of which generation.
        generation: Generation,
        /// How many.
        count: u32,
        /// Limits of each.
        limits: Limits,
        /// Their image has to be pulled first.
        pull: bool,
    },
    /// Gives traffic to the instances that stand beside the others.
    GiveTraffic {
        /// The generation that they belong to.
        generation: Generation,
    },
    /// Takes the traffic of so many instances away. They finish what they have.
    Drain {
        /// Of which generation.
        generation: Generation,
        /// How many.
        count: u32,
    },
    /// Tells the instances without traffic to stop, and removes them when they did, or when their time is up.
    Stop {
        /// Time they are given.
        grace: Span,
    },
    /// Takes the generation that is left for the old one from now on.
    Finish,
}

/// What is seen of a service whose instances are replaced.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GenerationsSeen {
    /// Instances of the old generation that have traffic.
    pub old: Vec<MemberSeen>,
    /// Instances of the new generation that have traffic.
    pub new: Vec<MemberSeen>,
    /// Instances without traffic: those that come, or those that go.
    pub aside: Vec<MemberSeen>,
    /// Limits of an old instance.
    pub old_limits: Limits,
    /// Limits of a new instance, where there is one.
    pub new_limits: Limits,
    /// A deployment of it began and has not finished.
    pub busy: bool,
    /// Requests reach old instances since the new ones have traffic, and none of them a new one.
    pub unreached: bool,
    /// It has a health check.
    pub checked: bool,
    /// It holds data.
    pub stateful: bool,
    /// Memory that an instance holds, the most.
    pub held: Bytes,
    /// Memory of the pool that nobody holds.
    pub free_memory: Bytes,
    /// CPU that containers may use.
    pub pool_cpu: Millicores,
}

impl GenerationsSeen {
    /// The instances of a generation that have traffic.
    #[must_use]
    pub fn of(&self, generation: Generation) -> &[MemberSeen] {
        match generation {
            Generation::Old => &self.old,
            Generation::New => &self.new,
        }
    }
}

/// One instance of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberSeen {
    /// Its state.
    pub state: InstanceState,
    /// Its process was started; before that its image may be on the way.
    pub started: bool,
    /// How often it was restarted so far.
    pub restarts: u32,
    /// It has no request to finish.
    pub idle: bool,
}

/// How far a deployment is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Progress {
    /// It was not begun.
    Refused {
        /// Why, and what to do.
        why: String,
    },
    /// It began.
    Began,
    /// So many instances of a generation were started beside the others.
    Started {
        /// Which.
        generation: Generation,
        /// How many.
        count: u32,
    },
    /// They are well, and have traffic now.
    Switched {
        /// Which.
        generation: Generation,
    },
    /// So many instances of a generation get no new requests any more.
    Draining {
        /// Which.
        generation: Generation,
        /// How many.
        count: u32,
    },
    /// The instances without traffic were told to stop.
    Stopping,
    /// New instances failed.
    Failed {
        /// In what way.
        why: String,
    },
    /// All is being made as it was before.
    RollingBack,
    /// All is as it was before.
    RolledBack,
    /// All stays as it is, until somebody looks at it.
    Paused,
    /// All instances are new and have the limits that were asked for.
    Done,
}
