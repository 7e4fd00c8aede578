//! A scenario's file for another folder: the paths in it are relative to where it stands.

use crate::input::shelf::is_path;
use serde_json::Value;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

/// The file with its paths as they are from another folder: stack and its variables, host, policies, traces. Both folders
/// must be there.
///
/// # Errors
/// Where one of the folders cannot be found.
pub fn moved(file: &Value, from: &Path, to: &Path) -> std::io::Result<Value> {
    let here = |folder: &Path| if folder.as_os_str().is_empty() { Path::new(".") } else { folder }.canonicalize();
    let way = way(&here(from)?, &here(to)?);
    let mut file = file.clone();
    let path = |value: &mut Value| {
        if let Some(path) = value.as_str() {
            *value = Value::from(way.join(path).to_string_lossy().replace('\\', "/"));
        }
    };
    let named = |value: &mut Value| {
        if value.as_str().is_some_and(is_path) {
            path(value);
        }
    };
    match &mut file["stack"] {
        Value::Object(stack) => {
            for key in ["files", "env_file"] {
                stack.get_mut(key).into_iter().for_each(|value| each(value, &path));
            }
        }
        stack => each(stack, &path),
    }
    named(&mut file["host"]);
    if let Some(policy) = file.get_mut("policy") {
        policies(policy, &named);
    }
    for load in file.get_mut("load").and_then(Value::as_object_mut).into_iter().flat_map(|loads| loads.values_mut()) {
        load.get_mut("trace").into_iter().for_each(path);
    }
    Ok(file)
}

/// One path or a list of them.
fn each(value: &mut Value, path: &dyn Fn(&mut Value)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(path),
        one => path(one),
    }
}

/// A policy by name, one that starts from another, several, or one for each service.
fn policies(value: &mut Value, named: &dyn Fn(&mut Value)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| policies(item, named)),
        Value::Object(keys) => match keys.get_mut("template") {
            Some(template) => named(template),
            None => keys.values_mut().for_each(|one| policies(one, named)),
        },
        name => named(name),
    }
}

/// The way from one folder to another that is written from the second: `../../scenarios/shop`. Both are whole paths.
pub fn way(from: &Path, to: &Path) -> PathBuf {
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) = (from.components().collect(), to.components().collect());
    let same = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    if same == 0 {
        return from.iter().collect();
    }
    let up = std::iter::repeat_n(Component::ParentDir, to.len() - same);
    up.chain(from[same..].iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_lead_to_the_same_files_and_names_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("scenarios/shop"), folder.path().join("target/tried/1"));
        for folder in [&from, &to] {
            std::fs::create_dir_all(folder).expect("can be made");
        }
        let file = json!({
            "stack": ["compose.yaml", "../more.yaml"],
            "host": "kvm-4",
            "policy": { "default": "jacker-vertical", "api": [{ "template": "./own.yaml" }, "web-app-balanced"] },
            "load": { "api": { "trace": "day.csv", "column": "a/b" } },
        });
        let moved = moved(&file, &from, &to).expect("both are there");
        assert_eq!(
            moved,
            json!({
                "stack": ["../../../scenarios/shop/compose.yaml", "../../../scenarios/shop/../more.yaml"],
                "host": "kvm-4",
                "policy": {
                    "default": "jacker-vertical",
                    "api": [{ "template": "../../../scenarios/shop/./own.yaml" }, "web-app-balanced"],
                },
                "load": { "api": { "trace": "../../../scenarios/shop/day.csv", "column": "a/b" } },
            })
        );
    }
}
