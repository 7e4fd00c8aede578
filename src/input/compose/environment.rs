//! What variables stand for: the environment first, then env files.

use super::dotenv;
use super::interpolate::Used;
use crate::input::problem::Place;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use std::collections::BTreeMap;

/// Where the value of a variable comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableSource {
    /// The environment.
    Environment,
    /// This line of an env file.
    EnvFile(Place),
    /// The name of the project.
    Project,
    /// A default in the Compose file.
    Default,
    /// Nowhere; it stands for nothing.
    Unset,
}

/// All variables that values of a file may use.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables {
    known: BTreeMap<String, (String, VariableSource)>,
}

impl Variables {
    /// The variables of the environment.
    pub(super) fn new(environment: &BTreeMap<String, String>) -> Self {
        let known = environment
            .iter()
            .map(|(name, value)| (name.clone(), (value.clone(), VariableSource::Environment)))
            .collect();
        Self { known }
    }

    /// The value of a variable, if it is set.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.known.get(name).map(|(value, _)| value.clone())
    }

    /// Where the value comes from.
    pub(super) fn source(&self, used: &Used) -> VariableSource {
        match self.known.get(&used.name) {
            _ if used.default => VariableSource::Default,
            Some((_, source)) => source.clone(),
            None => VariableSource::Unset,
        }
    }

    /// Sets the name of the project, which wins over everything.
    pub(super) fn set_project(&mut self, name: &str) {
        self.known.insert("COMPOSE_PROJECT_NAME".to_owned(), (name.to_owned(), VariableSource::Project));
    }

    /// Adds what env files say. What is known before wins over them; a later file wins over an earlier one.
    pub(super) fn add_files(&mut self, files: &[Source], problems: &mut Problems) {
        let mut added: BTreeMap<String, (String, VariableSource)> = BTreeMap::new();
        for file in files {
            let earlier = added.iter().map(|(name, (value, _))| (name.clone(), value.clone())).collect();
            for assignment in dotenv::parse(file, &|name| self.get(name), earlier, problems) {
                if let Some(value) = assignment.value {
                    added.insert(assignment.name, (value, VariableSource::EnvFile(assignment.place)));
                }
            }
        }
        for (name, variable) in added {
            self.known.entry(name).or_insert(variable);
        }
    }
}
