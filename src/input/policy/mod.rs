//! Policies: named sets of figures, shipped in the program, found beside the project, or written out.
//!
//! Before you change it: `catalog/policies/jacker-vertical.yaml` says every figure of register E1 and must stay equal to
//! the engine's own defaults; a test compares them.

mod advice;
mod figures;
mod horizontal;
mod reference;
mod schedule;
mod vertical;

pub use figures::PolicyFile;
pub use figures::PolicySettings;
pub(in crate::input) use horizontal::figure;

use crate::input::problem::Code;
use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use crate::input::problem::nearest;
use crate::input::schema;
use crate::input::shelf;
use crate::input::shelf::Shelf;
use crate::input::yaml::Node;
use crate::model::Policy;
use crate::model::ServiceName;
use crate::model::Vertical;
use figures::Figures;
use horizontal::Ways;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

/// Codes of policies.
pub const CODES: &[&Code] = &[&UNKNOWN, &IMPOSSIBLE, &SERVICE, &KIND, &UNWISE];

static UNKNOWN: Code = Code {
    id: "PL0411",
    title: "unknown policy",
    explanation: "A policy is named (`jacker-vertical`), given by the path of a file (`./my-policy.yaml`), or written as a mapping with \
the `template` it starts from and the figures that differ: `{ template: jacker-vertical, cpu_high: 70% }`. Names are looked up in \
`catalog/policies/` of the project first, then among the policies shipped with the program. `none` leaves a service as it is.",
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

static KIND: Code = Code {
    id: "PL0415",
    title: "a figure that this kind of policy does not have",
    explanation: "Some policies move the limits of instances (`cpu_high`, `increase`, `cpu_max`, ...), others change how many instances \
there are (`replicas`, `up`, `down`, ...). A policy is of one kind, that of its `template` or its `scaling`; a service may have one of \
each, as a list: `api: [jacker-vertical, web-app-balanced]`.",
};

static UNWISE: Code = Code {
    id: "PL0416",
    title: "a policy that will disappoint",
    explanation: "The policy can be carried out, and experience says that it will not do what is hoped for: a cooldown that is shorter than \
the window of measurement acts twice on one cause; a lower threshold near the upper one lets instances come and go, or never go; without an \
upper bound a wrong metric fills the host; a bound at all of a limit is never passed. Policies of other autoscalers keep their own rules \
here: Nomad's `threshold` wants five points of the last minute, so that `every: 15s` never acts; Kubernetes without `stabilisation` removes \
instances after one low reading. Each warning is true of every load, and says the way out.",
};

/// The policies shipped with the program: name and text.
const SHIPPED: &[(&str, &str)] = &[
    ("aggressive", include_str!("../../../catalog/policies/aggressive.yaml")),
    ("api-performance", include_str!("../../../catalog/policies/api-performance.yaml")),
    ("autopilot", include_str!("../../../catalog/policies/autopilot.yaml")),
    ("autopilot-limits", include_str!("../../../catalog/policies/autopilot-limits.yaml")),
    ("balanced", include_str!("../../../catalog/policies/balanced.yaml")),
    ("batch-cost-optimized", include_str!("../../../catalog/policies/batch-cost-optimized.yaml")),
    ("conservative", include_str!("../../../catalog/policies/conservative.yaml")),
    ("cost-optimized", include_str!("../../../catalog/policies/cost-optimized.yaml")),
    ("dev-minimal", include_str!("../../../catalog/policies/dev-minimal.yaml")),
    ("hpa", include_str!("../../../catalog/policies/hpa.yaml")),
    ("jacker-vertical", include_str!("../../../catalog/policies/jacker-vertical.yaml")),
    ("kpa", include_str!("../../../catalog/policies/kpa.yaml")),
    ("krr", include_str!("../../../catalog/policies/krr.yaml")),
    ("ml-gpu-optimized", include_str!("../../../catalog/policies/ml-gpu-optimized.yaml")),
    ("nomad-target-value", include_str!("../../../catalog/policies/nomad-target-value.yaml")),
    ("nomad-threshold", include_str!("../../../catalog/policies/nomad-threshold.yaml")),
    ("performance", include_str!("../../../catalog/policies/performance.yaml")),
    ("predictive", include_str!("../../../catalog/policies/predictive.yaml")),
    ("schedule", include_str!("../../../catalog/policies/schedule.yaml")),
    ("step-scaling", include_str!("../../../catalog/policies/step-scaling.yaml")),
    ("target-tracking", include_str!("../../../catalog/policies/target-tracking.yaml")),
    ("vedfolnir-horizontal", include_str!("../../../catalog/policies/vedfolnir-horizontal.yaml")),
    ("vedfolnir-points", include_str!("../../../catalog/policies/vedfolnir-points.yaml")),
    ("vedfolnir-triggers", include_str!("../../../catalog/policies/vedfolnir-triggers.yaml")),
    ("vpa", include_str!("../../../catalog/policies/vpa.yaml")),
    ("web-app-aggressive", include_str!("../../../catalog/policies/web-app-aggressive.yaml")),
    ("web-app-balanced", include_str!("../../../catalog/policies/web-app-balanced.yaml")),
];

/// Wrong entries after which looking for more stops.
const ERRORS_MAX: usize = 200;

/// How often a template may start from another one.
const TEMPLATES_MAX: usize = 8;

/// A policy for all services, or one for each.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PolicyChoice {
    /// By name or path; `none` leaves every service as it is.
    Name(String),
    /// Written out.
    Settings(Box<PolicySettings>),
    /// One that moves limits and one that changes the number of instances.
    Several(Vec<PolicyPart>),
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
    /// One that moves limits and one that changes the number of instances.
    Several(Vec<PolicyPart>),
}

/// One of several policies of a service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PolicyPart {
    /// By name or path.
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
    /// What works and will disappoint.
    warnings: Problems,
}

impl Policies {
    /// Looks in `catalog/policies/` of this folder and of every folder above it, then among the shipped policies.
    #[must_use]
    pub fn below(folder: &Path) -> Self {
        Self {
            shelf: Shelf::below(folder, "catalog/policies", SHIPPED),
            folder: folder.to_owned(),
            warnings: Problems::new(),
        }
    }

    /// Whether a choice is a path rather than a name that is looked up.
    #[must_use]
    pub fn is_path(choice: &str) -> bool {
        shelf::is_path(choice)
    }

    /// Files that were read.
    #[must_use]
    pub fn files_read(&self) -> &[PathBuf] {
        &self.shelf.files_read
    }

    /// What works and will disappoint, of all policies that were read.
    #[must_use]
    pub fn take_warnings(&mut self) -> Problems {
        std::mem::take(&mut self.warnings)
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
        let for_all = match choice {
            PolicyChoice::Name(name) => self.find(name, Some(&node.place), 0),
            PolicyChoice::Settings(settings) => self.settings(settings, node),
            PolicyChoice::Several(parts) => self.several(parts, node),
            PolicyChoice::ByService(each) => return self.by_service(each, node, services),
        };
        let policy = for_all?;
        Ok(services.iter().map(|service| (service.clone(), policy.clone())).collect())
    }

    fn by_service(
        &mut self,
        each: &BTreeMap<String, PolicyOne>,
        node: &Node,
        services: &[ServiceName],
    ) -> Result<BTreeMap<ServiceName, Policy>, Problems> {
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
                PolicyOne::Several(parts) => self.several(parts, at),
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
        let base = self.find(&settings.template, Some(&place), 0)?;
        if base == Policy::None {
            let problem = Problem::error(&IMPOSSIBLE, "`none` has no figures to change").at(&place);
            return Err(problem.help("write `template: jacker-vertical`, or the policy as `none` alone").into());
        }
        self.over(&settings.figures(), base, (&settings.template, node))
    }

    /// One policy that moves limits and one that changes the number of instances, as one.
    fn several(&mut self, parts: &[PolicyPart], node: &Node) -> Result<Policy, Problems> {
        let (mut vertical, mut horizontal) = (None, None);
        let mut problems = Problems::new();
        for (part, at) in parts.iter().zip(node.items()) {
            let found = match part {
                PolicyPart::Name(name) => self.find(name, Some(&at.place), 0),
                PolicyPart::Settings(settings) => self.settings(settings, at),
            };
            let twice = match found {
                Ok(Policy::Vertical(policy)) => vertical.replace(policy).is_some(),
                Ok(Policy::Horizontal(policy)) => horizontal.replace(policy).is_some(),
                Ok(Policy::None | Policy::Both(..)) => true,
                Err(wrong) => {
                    problems.extend(wrong);
                    false
                }
            };
            if twice {
                let message = "a service has one policy that moves limits and one that changes the number of instances";
                problems.push(Problem::error(&KIND, message).at(&at.place));
            }
        }
        match (vertical, horizontal) {
            _ if problems.has_errors() => Err(problems),
            (Some(vertical), Some(horizontal)) => Ok(Policy::Both(vertical, horizontal)),
            (Some(vertical), None) => Ok(Policy::Vertical(vertical)),
            (None, Some(horizontal)) => Ok(Policy::Horizontal(horizontal)),
            (None, None) => Ok(Policy::None),
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

    /// The policy of this name, or of this path relative to the folder one is in: what the command line says.
    ///
    /// # Errors
    /// An unknown name, an unreadable file, or all that is wrong with the policy.
    pub fn find_from_here(&mut self, name: &str) -> Result<Policy, Problems> {
        if name == "none" {
            return Ok(Policy::None);
        }
        match self.shelf.read(name, None, Path::new(""))? {
            Some(source) => self.parse(&source, 0),
            None => Err(self.unknown(name, None).into()),
        }
    }

    /// The file of this name, or of this path relative to the folder one is in, as it is. Its warnings are kept.
    ///
    /// # Errors
    /// An unknown name, an unreadable file, or all that is wrong with the policy.
    pub fn text(&mut self, name: &str) -> Result<String, Problems> {
        let Some(source) = self.shelf.read(name, None, Path::new(""))? else {
            return Err(self.unknown(name, None).into());
        };
        self.parse(&source, 0)?;
        Ok(source.text().to_owned())
    }

    /// What a person calls the policy of this name; `None` where nothing is said, or its file is no policy.
    pub fn title(&mut self, name: &str) -> Option<String> {
        let source = self.shelf.read(name, None, Path::new("")).ok().flatten()?;
        schema::read::<PolicyFile>(&source).ok()?.1.title
    }

    fn parse(&mut self, source: &Source, depth: usize) -> Result<Policy, Problems> {
        let (node, file) = schema::read::<PolicyFile>(source)?;
        let figures = file.figures();
        let base = match (&file.template, figures.scaling, figures.sizing) {
            (None, None, None) => Policy::Vertical(Vertical::default()),
            (None, None, Some(kind)) => Policy::Vertical(vertical::base(kind)),
            (None, Some(kind), _) => Policy::Horizontal(horizontal::base(kind)),
            (Some(template), _, _) => {
                let place = schema::place_of(&node, "/template");
                if depth >= TEMPLATES_MAX {
                    let problem = Problem::error(&IMPOSSIBLE, "templates that start from each other in a circle");
                    return Err(problem.at(&place).into());
                }
                match self.find(template, Some(&place), depth + 1)? {
                    Policy::None => Policy::Vertical(Vertical::default()),
                    base => base,
                }
            }
        };
        self.over(&figures, base, (file.template.as_deref().unwrap_or(&file.policy), &node))
    }

    /// A policy with the figures put in that are given, if all of it makes sense together.
    fn over(&mut self, figures: &Figures, base: Policy, (name, node): (&str, &Node)) -> Result<Policy, Problems> {
        let mut problems = Problems::new();
        let (strange, is) = match &base {
            Policy::Horizontal(_) => (figures.of_limits(), "changes the number of instances"),
            Policy::Vertical(_) | Policy::None | Policy::Both(..) => (figures.of_instances(), "moves limits"),
        };
        for key in strange {
            let problem = Problem::error(&KIND, format!("`{key}`: the policy `{name}` {is}, and has no such figure"));
            problems.push(problem.at(&schema::place_of(node, &format!("/{key}"))));
        }
        let policy = match base {
            Policy::Horizontal(base) => {
                if figures.scaling.is_some() && node.get("template").is_some() {
                    let problem = Problem::error(&KIND, "the template says how its number is found");
                    let problem = problem.at(&schema::place_of(node, "/scaling"));
                    problems.push(problem.help("leave out `template`, or `scaling`"));
                }
                let policy = horizontal::over(figures, base, node, &mut problems);
                problems.extend(advice::look(&policy, node));
                Policy::Horizontal(policy)
            }
            Policy::Vertical(base) => {
                if figures.sizing.is_some() && node.get("template").is_some() {
                    let problem = Problem::error(&KIND, "the template says how limits are found");
                    let problem = problem.at(&schema::place_of(node, "/sizing"));
                    problems.push(problem.help("leave out `template`, or `sizing`"));
                }
                let policy = vertical::over(figures, base, node, &mut problems);
                problems.extend(vertical::look(&policy, node));
                Policy::Vertical(policy)
            }
            other => other,
        };
        if problems.has_errors() {
            return Err(problems);
        }
        self.warnings.extend(problems);
        Ok(policy)
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
        let hint = nearest(name, names.iter().map(String::as_str));
        let hint = hint.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        let problem = Problem::error(&UNKNOWN, format!("unknown policy `{name}`{hint}"));
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
