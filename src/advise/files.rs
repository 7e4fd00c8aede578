//! The scenarios that prove recommendations, as files that `plimsoll simulate` runs: a directory each, with the scenario
//! and, where Compose files change, what is laid over them.
//!
//! Before you change it: what was written is read back, and must be the scenario that was tried, or it is said.

use super::Advice;
use crate::input::scenario;
use crate::input::scenario::LoadOptions;
use crate::input::scenario::Opened;
use crate::model::Scenario;
use crate::plan::yaml;
use crate::plan::yaml::Comments;
use crate::record;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// The name of the file that is laid over the Compose files.
const OVERRIDE: &str = "advised.compose.yaml";

/// A scenario that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its file.
    pub path: PathBuf,
    /// Whether it is, read from here, the scenario that was tried. It is not where the project has a catalog, policies,
    /// profiles or a budget that are not found from here.
    pub is_same: bool,
}

/// Writes the scenario of each recommendation below a directory: `1-right-sizing/scenario.yaml`.
///
/// # Errors
/// What the system says.
pub fn write(directory: &Path, opened: &Opened, advice: &[Advice], options: &LoadOptions) -> io::Result<Vec<Written>> {
    let mut written = Vec::new();
    for (place, advice) in advice.iter().enumerate() {
        let folder = directory.join(format!("{}-{}", place + 1, advice.kind.name()));
        fs::create_dir_all(&folder)?;
        let mut file = scenario::moved(&advice.change.scenario(opened), &opened.folder, &folder)?;
        let name = format!("{}: {}", opened.resolved.scenario.name, advice.title);
        file["scenario"] = json!(name);
        let keys = advice.change.compose(opened);
        if !keys.is_empty() {
            let text = yaml::text(
                &json!({ "services": keys }),
                &comments(&format!("Laid over the Compose files: {}.", advice.title)),
            );
            record::replace(&folder.join(OVERRIDE), text.as_bytes())?;
            let stack = match file["stack"].take() {
                Value::Object(mut full) => {
                    let files = full["files"].take();
                    full.insert("files".to_owned(), with_override(files));
                    Value::Object(full)
                }
                files => with_override(files),
            };
            file["stack"] = stack;
        }
        let path = folder.join("scenario.yaml");
        record::replace(
            &path,
            yaml::text(&file, &comments(&format!("Tried by `plimsoll advise`: {}.", advice.title))).as_bytes(),
        )?;
        let tried = Scenario { name, ..advice.tried.scenario.clone() };
        let is_same = scenario::load(&path, options).is_ok_and(|resolved| resolved.scenario == tried);
        written.push(Written { path, is_same });
    }
    Ok(written)
}

fn comments(head: &str) -> Comments {
    Comments::from_iter([(String::new(), head.to_owned())])
}

/// One Compose file or several, and the one that is laid over them.
fn with_override(files: Value) -> Value {
    let mut all = match files {
        Value::Array(files) => files,
        file => vec![file],
    };
    all.push(json!(OVERRIDE));
    Value::Array(all)
}
