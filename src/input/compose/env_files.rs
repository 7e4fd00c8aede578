//! What the env files of services set, for those who must not set it anew.
//!
//! Before you change it:
//! 1. A value may be a secret: it may be compared with, and is never shown or written.
//! 2. A file that cannot be read is no error, and what it sets is not known.

use super::dotenv;
use super::reader::Reader;
use super::service::text;
use crate::input::problem::Problems;
use crate::input::yaml::Entry;
use crate::input::yaml::Node;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// The env files of the enabled services.
#[derive(Clone, Default)]
pub struct EnvFiles {
    /// What each sets, by its path as services name it; `None` where it cannot be read.
    files: BTreeMap<String, Option<BTreeMap<String, String>>>,
}

/// What the env files of a service say of a variable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum EnvFileValue<'a> {
    /// Nothing.
    Unset,
    /// They set it to this, where the variables in it stand for nothing.
    Set(&'a str),
    /// One of them cannot be read, and may set it.
    Unknown,
}

impl EnvFiles {
    /// Reads the env files of these services.
    pub(super) fn read(services: &[&Entry], reader: &mut Reader) -> Self {
        let mut files = BTreeMap::new();
        for path in services.iter().flat_map(|entry| named(&entry.value)) {
            if !files.contains_key(&path) && Path::new(&path).exists() {
                files.insert(path.clone(), variables(&path, reader));
            }
        }
        Self { files }
    }

    /// What the files of this service of the tree say of a variable; a later file wins over an earlier one.
    #[must_use]
    pub fn value(&self, service: &Node, name: &str) -> EnvFileValue<'_> {
        let paths: Vec<String> = named(service).collect();
        for file in paths.iter().rev().filter_map(|path| self.files.get(path)) {
            let Some(variables) = file else { return EnvFileValue::Unknown };
            if let Some(value) = variables.get(name) {
                return EnvFileValue::Set(value);
            }
        }
        EnvFileValue::Unset
    }
}

impl fmt::Debug for EnvFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnvFiles({:?})", self.files.keys())
    }
}

/// The env files that a service names.
fn named(service: &Node) -> impl Iterator<Item = String> {
    service.get("env_file").map(Node::items).unwrap_or_default().iter().filter_map(|file| text(file, "path"))
}

fn variables(path: &str, reader: &mut Reader) -> Option<BTreeMap<String, String>> {
    let source = reader.env_file(Path::new(path))?;
    let mut problems = Problems::new();
    // Values made of variables could grow without bound, and nobody needs them: so every variable stands for nothing.
    let list = dotenv::parse(&source, &|_| Some(String::new()), BTreeMap::new(), &mut problems);
    // A line that cannot be read may set anything.
    let is_read = !problems.has_errors();
    is_read.then(|| list.into_iter().filter_map(|one| Some((one.name, one.value?))).collect())
}
