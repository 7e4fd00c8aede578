//! What a recommendation changes: sizes and numbers of instances in the Compose files, policies in the scenario.
//!
//! Before you change it: a change is tried as it is written. The changed scenario goes through the loader, with the same
//! keys that the files get.

use crate::input::problem::Problems;
use crate::input::scenario::Opened;
use crate::model::Limits;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::plan::override_file;
use crate::plan::yaml;
use crate::plan::yaml::Comments;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;

/// What an instance may use and what is kept for it; `None` stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// At most so much.
    pub limits: Limits,
    /// Kept so much.
    pub reservations: Limits,
}

/// What is changed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Change {
    /// Sizes of an instance.
    pub sizes: BTreeMap<ServiceName, Size>,
    /// Numbers of instances.
    pub replicas: BTreeMap<ServiceName, u32>,
    /// Policies, as a scenario writes them.
    pub policies: BTreeMap<ServiceName, Value>,
}

impl Change {
    /// What a Compose override file must say for it, by service; empty where the Compose files stay as they are.
    #[must_use]
    pub fn compose(&self, opened: &Opened) -> Map<String, Value> {
        let mut services = Map::new();
        for name in opened.resolved.scenario.services.keys() {
            let size = self.sizes.get(name).copied().unwrap_or_default();
            let replicas = self.replicas.get(name).copied().filter(|_| !says_replicas(opened, name));
            let keys = override_file::of_service(&opened.loaded, name, (size.limits, size.reservations), replicas);
            if !keys.is_empty() {
                services.insert(name.to_string(), Value::Object(keys));
            }
        }
        services
    }

    /// The scenario's file with it.
    #[must_use]
    pub fn scenario(&self, opened: &Opened) -> Value {
        let mut file = opened.node.to_json();
        for (name, replicas) in self.replicas.iter().filter(|(name, _)| says_replicas(opened, name)) {
            file["services"][name.as_str()]["replicas"] = json!(replicas);
        }
        if !self.policies.is_empty() {
            let all = file.get("policy").cloned().unwrap_or(json!("none"));
            let by_service = all.as_object().filter(|keys| !keys.contains_key("template")).cloned();
            let mut each = by_service.unwrap_or_else(|| Map::from_iter([("default".to_owned(), all)]));
            for (name, policy) in &self.policies {
                each.insert(name.to_string(), policy.clone());
            }
            file["policy"] = Value::Object(each);
        }
        file
    }

    /// What can be pasted into a Compose file and into a scenario; either may be empty.
    #[must_use]
    pub fn fragments(&self, opened: &Opened) -> (String, String) {
        let text = |value: Value| yaml::text(&value, &Comments::new());
        let compose = self.compose(opened);
        let compose = if compose.is_empty() { String::new() } else { text(json!({ "services": compose })) };
        let mut scenario = Map::new();
        if !self.policies.is_empty() {
            let policies = self.policies.iter().map(|(name, policy)| (name.to_string(), policy.clone()));
            scenario.insert("policy".to_owned(), Value::Object(policies.collect()));
        }
        let said: Map<String, Value> = self
            .replicas
            .iter()
            .filter(|(name, _)| says_replicas(opened, name))
            .map(|(name, replicas)| (name.to_string(), json!({ "replicas": replicas })))
            .collect();
        if !said.is_empty() {
            scenario.insert("services".to_owned(), Value::Object(said));
        }
        (compose, if scenario.is_empty() { String::new() } else { text(Value::Object(scenario)) })
    }

    /// The scenario with it, as the changed files give it.
    ///
    /// # Errors
    /// All that makes it impossible.
    pub fn applied(&self, opened: &Opened) -> Result<Scenario, Problems> {
        let mut stack = opened.loaded.stack.clone();
        for (name, size) in &self.sizes {
            let Some(service) = stack.services.get_mut(name) else { continue };
            let over =
                |new: Limits, old: Limits| Limits { cpu: new.cpu.or(old.cpu), memory: new.memory.or(old.memory) };
            service.limits = over(size.limits, service.limits);
            service.reservations = over(size.reservations, service.reservations);
        }
        for (name, replicas) in self.replicas.iter().filter(|(name, _)| !says_replicas(opened, name)) {
            if let Some(service) = stack.services.get_mut(name) {
                service.replicas = Some(*replicas);
            }
        }
        opened.with(yaml::text(&self.scenario(opened), &Comments::new()), &stack)
    }
}

/// Whether the scenario itself says how many instances there are.
fn says_replicas(opened: &Opened, name: &ServiceName) -> bool {
    let service = opened.node.get("services").and_then(|services| services.get(name.as_str()));
    service.is_some_and(|service| service.get("replicas").is_some())
}
