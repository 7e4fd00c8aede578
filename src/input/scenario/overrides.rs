//! Orders of people in a scenario.

use super::codes;
use super::unknown_service;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::schema;
use crate::input::schema::quantity::Duration;
use crate::input::yaml::Node;
use crate::model::Override;
use crate::model::PlannedOverride;
use crate::model::ServiceName;
use crate::units::Instant;
use crate::units::Span;
use schemars::JsonSchema;
use serde::Deserialize;

/// A number of instances that somebody orders, past every policy.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideFile {
    /// From when on, from the start of the run.
    pub at: Duration,
    /// For how long; to the end unless said.
    #[serde(rename = "for")]
    pub lasts: Option<Duration>,
    /// The service.
    pub service: String,
    /// Its instances.
    #[schemars(range(min = 1, max = 10_000))]
    pub replicas: u32,
    /// Why.
    #[schemars(length(min = 1))]
    pub reason: String,
}

/// The orders of a scenario, in order of time.
pub(super) fn overrides(
    files: &[OverrideFile],
    node: &Node,
    names: &[ServiceName],
    duration: Span,
    problems: &mut Problems,
) -> Vec<PlannedOverride> {
    let mut found = Vec::new();
    for (place, file) in files.iter().enumerate() {
        let node = node.at_pointer(&format!("/overrides/{place}")).unwrap_or(node);
        let mut wrong = |key: &str, message: String, help: &str| {
            problems.push(Problem::error(&codes::OVERRIDE, message).at(&schema::place_of(node, key)).help(help));
        };
        if file.at.0 >= duration {
            wrong("/at", format!("it begins at {}, after the end of the run", file.at.0), "begin it before the end");
        }
        if file.lasts.is_some_and(|lasts| lasts.0 == Span::ZERO) {
            wrong("/for", "a time of zero is none".to_owned(), "write a time above zero, or leave it out");
        }
        let Some(name) = names.iter().find(|name| name.as_str() == file.service) else {
            problems.push(unknown_service(&file.service, names, &schema::place_of(node, "/service")));
            continue;
        };
        let from = Instant::after_start(file.at.0);
        let until = file.lasts.map(|lasts| from.plus(lasts.0));
        let order = Override { replicas: file.replicas, reason: file.reason.clone(), until };
        found.push(PlannedOverride { service: name.clone(), from, order });
    }
    found.sort_by_key(|planned| planned.from);
    found
}
