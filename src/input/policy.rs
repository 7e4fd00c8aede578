//! Policies: named sets of figures, shipped in the program, found beside the project, or written out.
//!
//! Before you change it: `catalog/policies/jacker-vertical.yaml` says every figure of register E1 and must stay equal to
//! the engine's own defaults; a test compares them.

use crate::input::problem::Code;
use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use crate::input::problem::nearest;
use crate::input::schema;
use crate::input::schema::quantity::Cpus;
use crate::input::schema::quantity::Duration;
use crate::input::schema::quantity::Percent;
use crate::input::schema::quantity::Size;
use crate::input::shelf::Shelf;
use crate::input::yaml::Node;
use crate::model::Policy;
use crate::model::ServiceName;
use crate::model::Vertical;
use crate::units::Permille;
use crate::units::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

/// Codes of policies.
pub const CODES: &[&Code] = &[&UNKNOWN, &LATER, &IMPOSSIBLE, &SERVICE];

static UNKNOWN: Code = Code {
    id: "PL0411",
    title: "unknown policy",
    explanation: "A policy is named (`jacker-vertical`), given by the path of a file (`./my-policy.yaml`), or written as a mapping with \
the `template` it starts from and the figures that differ: `{ template: jacker-vertical, cpu_high: 70% }`. Names are looked up in \
`catalog/policies/` of the project first, then among the policies shipped with the program. `none` leaves a service as it is.",
};

static LATER: Code = Code {
    id: "PL0412",
    title: "this policy comes in a later version",
    explanation: "The policy is known, but scales the number of instances, which this version does not do yet. \
`jacker-vertical` moves the CPU and memory limits of instances.",
};

static IMPOSSIBLE: Code = Code {
    id: "PL0413",
    title: "a policy that contradicts itself",
    explanation: "A lower threshold lies below its upper one, an increase is above 100 %, a decrease below 100 %, a smallest limit is not \
above the largest, and intervals are above zero. Otherwise the policy would flap or never act.",
};

static SERVICE: Code = Code {
    id: "PL0414",
    title: "a policy for an unknown service",
    explanation: "Where `policy` is a mapping by service, each key names a service of the stack, or is `default` for all others.",
};

/// The policies shipped with the program: name and text.
const SHIPPED: &[(&str, &str)] = &[("jacker-vertical", include_str!("../../catalog/policies/jacker-vertical.yaml"))];

/// Policies of register E2 to E7, which scale the number of instances.
const HORIZONTAL: [&str; 17] = [
    "conservative",
    "balanced",
    "aggressive",
    "cost-optimized",
    "performance",
    "web-app-balanced",
    "web-app-aggressive",
    "api-performance",
    "batch-cost-optimized",
    "ml-gpu-optimized",
    "dev-minimal",
    "vedfolnir-horizontal",
    "hpa",
    "kpa",
    "target-tracking",
    "step-scaling",
    "autopilot",
];

/// Wrong entries after which looking for more stops.
const ERRORS_MAX: usize = 200;

/// How often a template may start from another one.
const TEMPLATES_MAX: usize = 8;

macro_rules! figures {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[$head_meta:meta])* $head:ident: $head_type:ty,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$head_meta])* pub $head: $head_type,)+
            /// Time between two checks.
            pub every: Option<Duration>,
            /// Window that usage is measured over.
            pub window: Option<Duration>,
            /// Usage of the CPU limit above which it is too small.
            pub cpu_high: Option<Percent>,
            /// Usage of the CPU limit below which it is too large.
            pub cpu_low: Option<Percent>,
            /// Usage of the memory limit above which it is too small.
            pub memory_high: Option<Percent>,
            /// Usage of the memory limit below which it is too large.
            pub memory_low: Option<Percent>,
            /// Checks in a row that must agree.
            #[schemars(range(min = 1, max = 1000))]
            pub checks: Option<u32>,
            /// Time after an adjustment in which the service is left alone.
            pub cooldown: Option<Duration>,
            /// Adjustments of a service in any 24 hours, at most.
            #[schemars(range(min = 0, max = 100_000))]
            pub per_day: Option<u32>,
            /// What a limit is multiplied with when it is too small.
            pub increase: Option<Percent>,
            /// What a limit is multiplied with when it is too large.
            pub decrease: Option<Percent>,
            /// No CPU limit goes below this.
            pub cpu_min: Option<Cpus>,
            /// No CPU limit goes above this.
            pub cpu_max: Option<Cpus>,
            /// No memory limit goes below this.
            pub memory_min: Option<Size>,
            /// No memory limit goes above this.
            pub memory_max: Option<Size>,
            /// Metrics older than this are not acted on.
            pub stale_after: Option<Duration>,
            /// All CPU limits together, against the host's pool, at most.
            pub overcommit_cpu: Option<Percent>,
            /// All memory limits together, against the host's pool, at most.
            pub overcommit_memory: Option<Percent>,
        }

        impl $name {
            /// The figures of `base`, with those that are given here put in.
            fn over(&self, base: Vertical) -> Vertical {
                Vertical {
                    every: self.every.map_or(base.every, |figure| figure.0),
                    window: self.window.map_or(base.window, |figure| figure.0),
                    cpu_high: self.cpu_high.map_or(base.cpu_high, |figure| figure.0),
                    cpu_low: self.cpu_low.map_or(base.cpu_low, |figure| figure.0),
                    memory_high: self.memory_high.map_or(base.memory_high, |figure| figure.0),
                    memory_low: self.memory_low.map_or(base.memory_low, |figure| figure.0),
                    checks: self.checks.unwrap_or(base.checks),
                    cooldown: self.cooldown.map_or(base.cooldown, |figure| figure.0),
                    per_day: self.per_day.unwrap_or(base.per_day),
                    increase: self.increase.map_or(base.increase, |figure| figure.0),
                    decrease: self.decrease.map_or(base.decrease, |figure| figure.0),
                    cpu_min: self.cpu_min.map_or(base.cpu_min, |figure| figure.0),
                    cpu_max: self.cpu_max.map_or(base.cpu_max, |figure| figure.0),
                    memory_min: self.memory_min.map_or(base.memory_min, |figure| figure.0),
                    memory_max: self.memory_max.map_or(base.memory_max, |figure| figure.0),
                    stale_after: self.stale_after.map_or(base.stale_after, |figure| figure.0),
                    overcommit_cpu: self.overcommit_cpu.map_or(base.overcommit_cpu, |figure| figure.0),
                    overcommit_memory: self.overcommit_memory.map_or(base.overcommit_memory, |figure| figure.0),
                }
            }
        }
    };
}

figures! {
    /// A policy as a file of its own. What is not said is as in the template, or as register E1 says.
    PolicyFile {
        /// Its name.
        #[schemars(length(min = 1))]
        policy: String,
        /// What a person calls it.
        title: Option<String>,
        /// The policy that it starts from.
        template: Option<String>,
    }
}

figures! {
    /// A policy that starts from another one.
    PolicySettings {
        /// The policy that it starts from, by name or path.
        template: String,
        /// Of a later version: how many instances there may be.
        replicas: Option<serde_json::Value>,
    }
}

/// A policy for all services, or one for each.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PolicyChoice {
    /// By name or path; `none` leaves every service as it is.
    Name(String),
    /// Written out.
    Settings(Box<PolicySettings>),
    /// By service, with an optional `default` for the others.
    ByService(
        // A mapping with `template` is always one policy, so that a misspelt figure in it is never taken for a service.
        #[schemars(extend("propertyNames" = {"not": {"const": "template"}}))] BTreeMap<String, PolicyOne>,
    ),
}

/// The policy of one service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PolicyOne {
    /// By name or path; `none` leaves the service as it is.
    Name(String),
    /// Written out.
    Settings(Box<PolicySettings>),
}

/// Where policies are looked up.
#[derive(Debug)]
pub struct Policies {
    shelf: Shelf,
    /// The folder that paths are relative to.
    folder: PathBuf,
}

impl Policies {
    /// Looks in `catalog/policies/` of this folder and of every folder above it, then among the shipped policies.
    #[must_use]
    pub fn below(folder: &Path) -> Self {
        Self { shelf: Shelf::below(folder, "catalog/policies", SHIPPED), folder: folder.to_owned() }
    }

    /// Files that were read.
    #[must_use]
    pub fn files_read(&self) -> &[PathBuf] {
        &self.shelf.files_read
    }

    /// The policy of each service; services without one are left out. `node` is where the choice stands.
    ///
    /// # Errors
    /// Unknown names and services, and all that is wrong with the policies.
    pub fn resolve(
        &mut self,
        choice: &PolicyChoice,
        node: &Node,
        services: &[ServiceName],
    ) -> Result<BTreeMap<ServiceName, Policy>, Problems> {
        let each = match choice {
            PolicyChoice::Name(name) => {
                let policy = self.find(name, Some(&node.place), 0)?;
                return Ok(services.iter().map(|service| (service.clone(), policy.clone())).collect());
            }
            PolicyChoice::Settings(settings) => {
                let policy = self.settings(settings, node)?;
                return Ok(services.iter().map(|service| (service.clone(), policy.clone())).collect());
            }
            PolicyChoice::ByService(each) => each,
        };
        let mut problems = Problems::new();
        let mut found = BTreeMap::new();
        let mut default = None;
        let mut errors = 0;
        for entry in node.entries() {
            let (name, at) = (entry.key.as_str(), &entry.value);
            let Some(one) = each.get(name) else { continue };
            if errors >= ERRORS_MAX {
                break;
            }
            let policy = match one {
                PolicyOne::Name(policy) => self.find(policy, Some(&at.place), 0),
                PolicyOne::Settings(settings) => self.settings(settings, at),
            };
            let service = services.iter().find(|service| service.as_str() == name);
            if service.is_none() && name != "default" {
                problems.push(unknown_service(name, services, &entry.key_place));
                errors += 1;
            }
            match (policy, service) {
                (Err(wrong), _) => {
                    problems.extend(wrong);
                    errors += 1;
                }
                (Ok(policy), Some(service)) => {
                    found.insert(service.clone(), policy);
                }
                (Ok(policy), None) => default = Some(policy).filter(|_| name == "default").or(default),
            }
        }
        if let Some(default) = default {
            for service in services {
                found.entry(service.clone()).or_insert_with(|| default.clone());
            }
        }
        if problems.has_errors() { Err(problems) } else { Ok(found) }
    }

    fn settings(&mut self, settings: &PolicySettings, node: &Node) -> Result<Policy, Problems> {
        let place = schema::place_of(node, "/template");
        let base = self.find(&settings.template, Some(&place), 0);
        if settings.replicas.is_some() {
            let problem = Problem::error(&LATER, "this version does not scale the number of instances");
            let mut problems = Problems::from(problem.at(&schema::place_of(node, "/replicas")));
            if let Err(wrong) = base {
                problems.extend(wrong);
            }
            return Err(problems);
        }
        match base? {
            Policy::None => {
                let problem = Problem::error(&IMPOSSIBLE, "`none` has no figures to change").at(&place);
                Err(problem.help("write `template: jacker-vertical`, or the policy as `none` alone").into())
            }
            Policy::Vertical(base) => checked(settings.over(base), node).map(Policy::Vertical),
        }
    }

    /// The policy of this name or path.
    ///
    /// # Errors
    /// An unknown name, an unreadable file, or all that is wrong with the policy.
    pub fn find(&mut self, name: &str, place: Option<&Place>, depth: usize) -> Result<Policy, Problems> {
        if name == "none" {
            return Ok(Policy::None);
        }
        match self.shelf.read(name, place, &self.folder)? {
            Some(source) => self.parse(&source, depth),
            None => Err(self.unknown(name, place).into()),
        }
    }

    fn parse(&mut self, source: &Source, depth: usize) -> Result<Policy, Problems> {
        let (node, file) = schema::read::<PolicyFile>(source)?;
        let base = match &file.template {
            None => Vertical::default(),
            Some(template) => {
                let place = schema::place_of(&node, "/template");
                if depth >= TEMPLATES_MAX {
                    let problem = Problem::error(&IMPOSSIBLE, "templates that start from each other in a circle");
                    return Err(problem.at(&place).into());
                }
                match self.find(template, Some(&place), depth + 1)? {
                    Policy::Vertical(base) => base,
                    Policy::None => Vertical::default(),
                }
            }
        };
        checked(file.over(base), &node).map(Policy::Vertical)
    }

    /// The names that can be used, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names = self.shelf.names();
        names.push("none".to_owned());
        names.sort();
        names
    }

    fn unknown(&self, name: &str, place: Option<&Place>) -> Problem {
        let names = self.names();
        let problem = if HORIZONTAL.contains(&name) {
            let message = format!("`{name}` scales the number of instances, which this version does not do yet");
            Problem::error(&LATER, message)
        } else {
            let hint = nearest(name, names.iter().map(String::as_str));
            let hint = hint.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
            Problem::error(&UNKNOWN, format!("unknown policy `{name}`{hint}"))
        };
        let problem = problem.help(format!("known: {}; or a path such as `./my-policy.yaml`", names.join(", ")));
        match place {
            Some(place) => problem.at(place),
            None => problem,
        }
    }
}

fn unknown_service(name: &str, services: &[ServiceName], place: &Place) -> Problem {
    let known = || services.iter().map(ServiceName::as_str).chain(["default", "template"]);
    let hint = nearest(name, known()).map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
    let problem = Problem::error(&SERVICE, format!("a policy for the unknown service `{name}`{hint}"));
    problem.at(place).help("keys are services of the stack, or `default` for all others")
}

/// The figures, if they make sense together.
fn checked(policy: Vertical, node: &Node) -> Result<Vertical, Problems> {
    let zero = [("every", policy.every), ("window", policy.window), ("stale_after", policy.stale_after)];
    let checks = zero.map(|(key, span)| (key, span == Span::ZERO, format!("`{key}` is zero")));
    let ordered = [
        (
            "cpu_low",
            policy.cpu_low >= policy.cpu_high,
            format!("`cpu_low` {} is not below `cpu_high` {}", policy.cpu_low, policy.cpu_high),
        ),
        (
            "memory_low",
            policy.memory_low >= policy.memory_high,
            format!("`memory_low` {} is not below `memory_high` {}", policy.memory_low, policy.memory_high),
        ),
        (
            "increase",
            policy.increase <= Permille::ONE,
            format!("an `increase` to {} increases nothing", policy.increase),
        ),
        (
            "decrease",
            policy.decrease >= Permille::ONE || policy.decrease == Permille::ZERO,
            format!("a `decrease` to {} is not between 0% and 100%", policy.decrease),
        ),
        (
            "cpu_min",
            policy.cpu_min > policy.cpu_max,
            format!("`cpu_min` {} is above `cpu_max` {}", policy.cpu_min, policy.cpu_max),
        ),
        (
            "memory_min",
            policy.memory_min > policy.memory_max,
            format!("`memory_min` {} is above `memory_max` {}", policy.memory_min, policy.memory_max),
        ),
    ];
    let wrong = checks.into_iter().chain(ordered).filter(|(_, wrong, _)| *wrong);
    let problems: Problems = wrong
        .map(|(key, _, message)| Problem::error(&IMPOSSIBLE, message).at(&schema::place_of(node, &format!("/{key}"))))
        .collect();
    if problems.has_errors() { Err(problems) } else { Ok(policy) }
}
