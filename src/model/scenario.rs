//! One experiment, resolved: every name looked up, every default filled in.

use super::Deployment;
use super::Docker;
use super::Expectation;
use super::Fault;
use super::Host;
use super::Load;
use super::MetricName;
use super::Pattern;
use super::PlannedOverride;
use super::Policy;
use super::ServiceModel;
use super::ServiceName;
use crate::seed::Seed;
use crate::units::Money;
use crate::units::Permille;
use crate::units::Span;
use std::collections::BTreeMap;

/// One experiment: a stack on a host under a load, with what is expected of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Scenario {
    /// What a person calls it.
    pub name: String,
    /// The host.
    pub host: Host,
    /// The services, from the stack, the catalog and the scenario's own figures.
    pub services: BTreeMap<ServiceName, ServiceModel>,
    /// Requests from outside, by the service they reach.
    pub load: BTreeMap<ServiceName, Load>,
    /// Metrics of the business over time, which policies may look at. A number is a rate here: so many a second.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<MetricName, Pattern>,
    /// The policy of each service; a service without one is left as it is.
    pub policies: BTreeMap<ServiceName, Policy>,
    /// What goes wrong, in order of time.
    pub faults: Vec<Fault>,
    /// Services whose instances are replaced, in order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deployments: Vec<Deployment>,
    /// What people order, past every policy, in order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<PlannedOverride>,
    /// How the Docker engine behaves, where that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docker: Option<Docker>,
    /// How the engine sees the host.
    pub sensors: Sensors,
    /// How long it runs, warm-up included.
    pub duration: Span,
    /// Time at the start that is simulated and not judged.
    pub warmup: Span,
    /// Length of a simulation step.
    pub step: Span,
    /// Time between two samples of the record.
    pub sample: Span,
    /// The seeds it is run with; never empty.
    pub seeds: Vec<Seed>,
    /// What must hold.
    pub expect: Vec<Expectation>,
    /// What a month may cost, where that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<MonthlyBudget>,
}

/// What a month may cost, and when to warn (register M2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MonthlyBudget {
    /// For a month, at most.
    pub month: Money,
    /// From this share of it on there is a warning.
    pub warning: Permille,
    /// From this share of it on it is critical.
    pub critical: Permille,
}

impl MonthlyBudget {
    /// The name of the expectation that a budget is.
    pub const EXPECTATION: &'static str = "month's budget";

    /// So much a month, with a warning at 75 % and critical at 90 % (register M2).
    #[must_use]
    pub const fn of(month: Money) -> Self {
        Self { month, warning: Permille::percent(75), critical: Permille::percent(90) }
    }
}

/// What lies between the truth and the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sensors {
    /// Time between two scrapes.
    pub scrape: Span,
    /// Window that rates are taken over.
    pub window: Span,
    /// Time from a scrape until the engine can see it.
    pub delay: Span,
    /// Time between two looks of the engine.
    pub look: Span,
    /// Share of scrapes that are lost, each instance's by itself.
    #[serde(default)]
    pub gaps: Permille,
    /// Each round of scrapes comes up to so much later than planned.
    #[serde(default)]
    pub jitter: Span,
    /// Measurements older than this are not seen any more; `None` is never.
    #[serde(default)]
    pub forgotten_after: Option<Span>,
    /// Where measurements come from.
    #[serde(default)]
    pub source: Source,
}

/// Where measurements come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Source {
    /// Scrapes in a steady rhythm, rates over a window, as Prometheus has them.
    #[default]
    Prometheus,
    /// The Docker engine's own statistics, asked for at each look: usage over the last second.
    Docker,
}

impl Default for Sensors {
    /// Scrapes every 15 s, rates over 5 min, no delay; the engine looks every 30 s.
    fn default() -> Self {
        Self {
            scrape: Span::from_secs(15),
            window: Span::from_mins(5),
            delay: Span::ZERO,
            look: Span::from_secs(30),
            gaps: Permille::ZERO,
            jitter: Span::ZERO,
            forgotten_after: None,
            source: Source::Prometheus,
        }
    }
}
