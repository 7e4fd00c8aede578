//! Where the values of services come from.

use super::environment::VariableSource;
use super::interpolate::Notes;
use super::keys;
use crate::input::problem::Place;
use crate::input::yaml::Entry;
use crate::input::yaml::Node;
use crate::input::yaml::Value;
use std::collections::BTreeMap;
use std::fmt;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Where it stands.
    pub place: Place,
    /// Variables it was made of, in the order they stand in it.
    pub variables: Vec<Variable>,
}

/// A variable that a value was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Where its value comes from.
    pub source: VariableSource,
}

impl fmt::Display for Origin {
    /// As `compose.yaml:12, variable WORKERS from .env:3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.place.source.name(), self.place.line())?;
        for variable in &self.variables {
            write!(f, ", variable {}", variable.name)?;
            match &variable.source {
                VariableSource::Environment => f.write_str(" from the environment")?,
                VariableSource::EnvFile(place) => write!(f, " from {}:{}", place.source.name(), place.line())?,
                VariableSource::Project => f.write_str(" from the name of the project")?,
                VariableSource::Default => f.write_str(" not set, default of the file")?,
                VariableSource::Unset => f.write_str(" not set")?,
            }
        }
        Ok(())
    }
}

/// The origins of the single values of services that have an effect, by path.
pub(super) fn origins(services: &[&Entry], notes: &Notes) -> BTreeMap<String, Origin> {
    let mut origins = BTreeMap::new();
    for service in services {
        for entry in service.value.entries() {
            if keys::SERVICE.iter().any(|key| key.used && key.name == entry.key) {
                walk(&entry.value, &format!("services.{}.{}", service.key, entry.key), notes, &mut origins);
            }
        }
    }
    origins
}

fn walk(node: &Node, path: &str, notes: &Notes, origins: &mut BTreeMap<String, Origin>) {
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                walk(&entry.value, &format!("{path}.{}", entry.key), notes, origins);
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{path}.{index}"), notes, origins);
            }
        }
        _ => {
            let key = (node.place.source.name().to_owned(), node.place.start);
            let used = notes.used.get(&key).into_iter().flatten();
            let variables =
                used.map(|(used, source)| Variable { name: used.name.clone(), source: source.clone() }).collect();
            origins.insert(path.to_owned(), Origin { place: node.place.clone(), variables });
        }
    }
}
