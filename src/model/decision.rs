//! What the engine answers: what to do, and what it holds back, each with its reason as data.

use super::Quantity;
use super::ServiceName;
use super::Signal;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;

/// One answer of the engine.
#[must_use = "a decision nobody applies is a bug"]
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Decision {
    /// What to do now, in this order.
    pub actions: Vec<Action>,
    /// What was wanted and held back, or could not be judged.
    pub held: Vec<Held>,
}

/// One change of the host. Whoever carries it out has nothing left to choose.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Action {
    /// Gives every instance of a service a new CPU limit, without a restart.
    LimitCpu {
        /// The service.
        service: ServiceName,
        /// The limit until now.
        from: Millicores,
        /// The limit from now on.
        to: Millicores,
        /// Why.
        why: Reason,
    },
    /// Gives every instance of a service a new memory limit, without a restart.
    LimitMemory {
        /// The service.
        service: ServiceName,
        /// The limit until now.
        from: Bytes,
        /// The limit from now on.
        to: Bytes,
        /// Why.
        why: Reason,
    },
    /// Adds instances of a service, or removes some: who is not up goes first, then who came last.
    Scale {
        /// The service.
        service: ServiceName,
        /// Instances until now.
        from: u32,
        /// Instances from now on.
        to: u32,
        /// Why.
        why: Reason,
    },
}

impl Action {
    /// The service that is changed.
    #[must_use]
    pub const fn service(&self) -> &ServiceName {
        match self {
            Self::LimitCpu { service, .. } | Self::LimitMemory { service, .. } | Self::Scale { service, .. } => service,
        }
    }

    /// What is changed.
    #[must_use]
    pub const fn resource(&self) -> Resource {
        match self {
            Self::LimitCpu { .. } => Resource::Cpu,
            Self::LimitMemory { .. } => Resource::Memory,
            Self::Scale { .. } => Resource::Replicas,
        }
    }

    /// Whether it gives more than there was.
    #[must_use]
    pub fn is_increase(&self) -> bool {
        match self {
            Self::LimitCpu { from, to, .. } => to > from,
            Self::LimitMemory { from, to, .. } => to > from,
            Self::Scale { from, to, .. } => to > from,
        }
    }

    /// Why it is done.
    #[must_use]
    pub const fn why(&self) -> &Reason {
        match self {
            Self::LimitCpu { why, .. } | Self::LimitMemory { why, .. } | Self::Scale { why, .. } => why,
        }
    }
}

/// What is changed of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Resource {
    /// The CPU limit of its instances.
    Cpu,
    /// The memory limit of its instances.
    Memory,
    /// How many instances there are.
    Replicas,
}

/// The rule that fired, with what it saw.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Reason {
    /// Usage of the limit stayed above the threshold.
    AboveThreshold {
        /// Usage of the limit.
        seen: Permille,
        /// The threshold.
        threshold: Permille,
        /// For so many checks in a row.
        checks: u32,
    },
    /// Usage of the limit stayed below the threshold.
    BelowThreshold {
        /// Usage of the limit.
        seen: Permille,
        /// The threshold.
        threshold: Permille,
        /// For so many checks in a row.
        checks: u32,
    },
    /// It died after its CPU limit was lowered, or another that may wait for it did, so it gets back what was taken from it.
    GivenBack {
        /// Deaths since then.
        deaths: u32,
        /// Who died, where it is another service.
        of: Option<ServiceName>,
        /// Time since its limit was lowered.
        after: Span,
    },
    /// Somebody ordered it.
    Override {
        /// Instances.
        replicas: u32,
        /// Why, in their own words.
        reason: String,
        /// When the order ends; `None` is never.
        until: Option<Instant>,
    },
    /// There are fewer instances than the policy's least number, or more than its largest.
    OutOfRange {
        /// How many there are.
        seen: u32,
        /// The number that is passed.
        bound: u32,
    },
    /// Figures passed their bounds, as the first ones listed.
    Beyond {
        /// Above; else below.
        above: bool,
        /// Each of them.
        findings: Vec<Finding>,
    },
    /// Figures beyond their bounds gave enough points.
    Points {
        /// For adding; else for removing.
        above: bool,
        /// How many.
        points: u32,
        /// How many there could be.
        most: u32,
        /// How many are enough.
        enough: u32,
        /// What gave them.
        findings: Vec<Finding>,
    },
    /// The weighted mean of figures passed its bound.
    Weighted {
        /// Above; else below.
        above: bool,
        /// The mean.
        score: Permille,
        /// The bound.
        bound: Permille,
        /// The figures, those that weigh most first.
        seen: Vec<(Signal, Quantity)>,
    },
    /// The forecast of what all instances will use asks for more of them.
    Ahead {
        /// How many.
        wanted: u32,
        /// The largest CPU that is expected.
        expected: Millicores,
        /// What it will not exceed nine times in ten.
        upper: Millicores,
        /// Within this time.
        by: Span,
        /// How far off forecasts were lately.
        error: Permille,
        /// How far off the last value was.
        error_of_last: Permille,
    },
    /// A recommender of the field wants another limit.
    Sized {
        /// Its name.
        policy: String,
        /// The limit it came to, before the engine's bounds.
        wanted: Quantity,
        /// What it rests on, in plain words.
        note: String,
    },
    /// A policy of the field wants another number.
    Wanted {
        /// Its name.
        policy: String,
        /// The number it came to, before its own limits.
        wanted: u32,
        /// The figures beside their targets.
        findings: Vec<Finding>,
        /// What else it says, in its own words; empty for nothing.
        note: String,
    },
}

/// A figure beyond its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Finding {
    /// The figure.
    pub signal: Signal,
    /// What it is.
    pub seen: Quantity,
    /// The bound.
    pub bound: Quantity,
    /// Since when, at every evaluation.
    pub lasts: Span,
}

/// Something that did not happen.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Held {
    /// The service it is about.
    pub service: ServiceName,
    /// The limit it is about; `None` where nothing about the service could be judged.
    pub resource: Option<Resource>,
    /// The rule that wanted to act; `None` where none got so far.
    pub wanted: Option<Reason>,
    /// What held it back.
    pub guard: Guard,
}

/// What holds an action back.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Guard {
    /// Too few checks in a row agree so far.
    Hysteresis {
        /// Checks that agree.
        checks: u32,
        /// Checks that must.
        needed: u32,
    },
    /// The service was adjusted too short a time ago.
    Cooldown {
        /// What is left of it.
        left: Span,
    },
    /// The service was adjusted too often in the last 24 hours.
    DailyLimit {
        /// How often.
        used: u32,
        /// When the next adjustment is allowed, from now.
        left: Span,
    },
    /// The limit is already as far as it may go.
    AtCpuBound {
        /// The bound.
        bound: Millicores,
    },
    /// The limit is already as far as it may go.
    AtMemoryBound {
        /// The bound.
        bound: Bytes,
    },
    /// All limits together would promise more CPU than the host's pool allows.
    CpuPool {
        /// What is missing.
        short: Millicores,
    },
    /// All limits together would promise more memory than the host's pool allows.
    MemoryPool {
        /// What is missing.
        short: Bytes,
    },
    /// The new limit would be below what the service was seen to hold.
    WorkingSet {
        /// The largest working set seen in the window.
        seen: Bytes,
    },
    /// The new limit would be so close to what the service uses that it would have to grow again.
    CpuDemand {
        /// CPU used by an instance, the mean over the window.
        seen: Millicores,
    },
    /// It died of having too little CPU and got back what was taken; it keeps that for a day.
    GivenBack {
        /// What is left of the day.
        left: Span,
    },
    /// A service of this host is OOM killed again and again. What waits for it has little to do meanwhile, and what it waits
    /// for may lack CPU, so low usage says nothing.
    Distress {
        /// Which.
        service: ServiceName,
        /// How often it was killed in the last five minutes.
        kills: u32,
    },
    /// Too many limits were changed on this host in a short time.
    RateLimit {
        /// How many.
        used: u32,
        /// When the next change is allowed, from now.
        left: Span,
    },
    /// A service that holds data does not get less memory while it runs.
    Stateful,
    /// There is no measurement.
    NoData,
    /// The newest measurement is too old.
    Stale {
        /// How old.
        age: Span,
    },
    /// The measurement cannot be true: the text says why.
    Absurd {
        /// What is wrong with it.
        why: String,
    },
    /// The service has no such limit to adjust.
    NoLimit,
    /// No instance is up and well.
    NotReady,
    /// There are as many instances as the policy allows, or as few.
    AtReplicaBound {
        /// The bound.
        bound: u32,
    },
    /// A bound is passed, and not for long enough.
    Pending {
        /// The figure that needs longest.
        signal: Signal,
        /// For how long it is passed.
        lasts: Span,
        /// For how long it must be.
        needed: Span,
    },
    /// With fewer instances a figure would pass the bound at which instances are added.
    WouldReturn {
        /// The figure.
        signal: Signal,
        /// What it would be.
        expected: Quantity,
        /// The bound.
        bound: Quantity,
    },
    /// The number of instances is changed first, before the CPU limit of each.
    Horizontal,
    /// Somebody ordered another number of instances.
    Override {
        /// Instances.
        replicas: u32,
        /// Why, in their own words.
        reason: String,
        /// When the order ends; `None` is never.
        until: Option<Instant>,
    },
    /// A deployment of the service is not over.
    Deploying,
    /// The forecast asks for as many instances as there are.
    Ahead {
        /// How many.
        needed: u32,
    },
    /// The policy's own rule: the text says which.
    OwnRule {
        /// Why it waits, in its own words.
        why: String,
    },
}

impl Guard {
    /// Its name, as policy tests, tables and metrics call it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hysteresis { .. } => "hysteresis",
            Self::Cooldown { .. } => "cooldown",
            Self::DailyLimit { .. } => "daily limit",
            Self::AtCpuBound { .. } | Self::AtMemoryBound { .. } | Self::AtReplicaBound { .. } => "at bound",
            Self::Pending { .. } => "pending",
            Self::WouldReturn { .. } => "would return",
            Self::Horizontal => "horizontal",
            Self::Override { .. } => "override",
            Self::Deploying => "deploying",
            Self::Ahead { .. } => "ahead",
            Self::OwnRule { .. } => "own rule",
            Self::CpuPool { .. } => "cpu pool",
            Self::MemoryPool { .. } => "memory pool",
            Self::WorkingSet { .. } => "working set",
            Self::CpuDemand { .. } => "cpu demand",
            Self::GivenBack { .. } => "given back",
            Self::Distress { .. } => "distress",
            Self::RateLimit { .. } => "rate limit",
            Self::Stateful => "stateful",
            Self::NoData => "no data",
            Self::Stale { .. } => "stale data",
            Self::Absurd { .. } => "absurd data",
            Self::NoLimit => "no limit",
            Self::NotReady => "not ready",
        }
    }
}
