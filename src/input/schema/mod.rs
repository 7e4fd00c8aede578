//! Our own file formats as JSON schemas made from the types that read them, and the check of a file against its schema.
//!
//! Before you change it:
//! 1. A format is the wire struct and nothing else: what the schema accepts is what `serde` reads, so they never drift.
//! 2. All errors of a file come at once, each at its place, with the branch of a choice that was meant.
//! 3. `docs/schemas/` holds what `schemas::all` makes; a test compares them.
//! 4. A format is made once and kept: to make it takes longer than to read most files.

mod errors;
pub(crate) mod quantity;
#[cfg(test)]
mod tests;

pub use errors::CODES;
pub(super) use errors::MISSING_KEY;

use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use crate::input::yaml;
use crate::input::yaml::Node;
use crate::input::yaml::Value;
use serde::de::DeserializeOwned;
use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Values in one file, at most: the validator keeps every error of every branch of a choice until it is done.
const VALUES_MAX: usize = 30_000;

/// Errors that are explained.
const ERRORS_MAX: usize = 300;

/// The formats that files were checked against so far, by the types that read them.
static FORMATS: Mutex<BTreeMap<TypeId, Arc<Format>>> = Mutex::new(BTreeMap::new());

/// A format, ready to check files.
struct Format {
    schema: serde_json::Value,
    validator: jsonschema::Validator,
}

impl Format {
    /// That of a type; made at its first use.
    fn of<T: schemars::JsonSchema + 'static>() -> Arc<Self> {
        let mut known = FORMATS.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(Self::new(schema_of::<T>()))))
    }

    fn new(schema: serde_json::Value) -> Self {
        let mut options = jsonschema::options().should_validate_formats(true);
        for format in &quantity::FORMATS {
            options = options.with_format(format.name, |text: &str| (format.check)(text).is_ok());
        }
        let validator = match options.build(&schema) {
            Ok(validator) => validator,
            Err(error) => panic!("our own schema is not valid: {error}"),
        };
        Self { schema, validator }
    }
}

/// The schema of a format, with a title for editors.
pub(super) fn titled<T: schemars::JsonSchema>(title: &str) -> serde_json::Value {
    let mut schema = schema_of::<T>();
    schema["title"] = title.into();
    schema
}

fn schema_of<T: schemars::JsonSchema>() -> serde_json::Value {
    let generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    generator.into_root_schema_for::<T>().to_value()
}

/// Reads a text as YAML and checks it against the schema of `T`.
///
/// # Errors
/// All that is wrong with the text.
pub fn read<T: DeserializeOwned + schemars::JsonSchema + 'static>(source: &Source) -> Result<(Node, T), Problems> {
    let (node, mut problems) = yaml::read(source);
    let Some(node) = node else { return Err(problems) };
    match check(&node) {
        Ok(file) if !problems.has_errors() => Ok((node, file)),
        Ok(_) => Err(problems),
        Err(more) => {
            problems.extend(more);
            Err(problems)
        }
    }
}

/// Checks a tree against the schema of `T`, and reads it.
///
/// # Errors
/// All that is wrong with it: unknown and missing keys, values of the wrong kind, quantities that cannot be read.
pub fn check<T: DeserializeOwned + schemars::JsonSchema + 'static>(node: &Node) -> Result<T, Problems> {
    if node.value == Value::Null {
        return Err(Problem::error(&errors::VALUE, "the file is empty").at(&node.place).into());
    }
    if count(node) > VALUES_MAX {
        let problem = Problem::error(&errors::TOO_MANY, format!("the file has more than {VALUES_MAX} values"));
        return Err(problem
            .at(&node.place)
            .help("a long series of rates belongs into a CSV file: `trace: FILE`")
            .into());
    }
    let format = Format::of::<T>();
    let json = node.to_json();
    let mut problems = Problems::new();
    let found: Vec<jsonschema::ValidationError<'_>> = format.validator.iter_errors(&json).collect();
    errors::explain(&found.iter().take(ERRORS_MAX).collect::<Vec<_>>(), &format.schema, node, &mut problems);
    if problems.has_errors() {
        return Err(problems);
    }
    T::deserialize(json).map_err(|error| {
        Problem::error(&errors::VALUE, format!("a value cannot be read: {error}")).at(&node.place).into()
    })
}

/// How many values a tree holds.
fn count(node: &Node) -> usize {
    let below: usize = match &node.value {
        Value::List(items) => items.iter().map(count).sum(),
        Value::Map(entries) => entries.iter().map(|entry| count(&entry.value)).sum(),
        _ => 0,
    };
    below + 1
}

/// The place of the value at a JSON pointer; the nearest value above it where there is none.
#[must_use]
pub fn place_of(node: &Node, pointer: &str) -> Place {
    let mut pointer = pointer;
    loop {
        if let Some(found) = node.at_pointer(pointer) {
            return found.place.clone();
        }
        match pointer.rfind('/') {
            Some(end) => pointer = &pointer[..end],
            None => return node.place.clone(),
        }
    }
}
