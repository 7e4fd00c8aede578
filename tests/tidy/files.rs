//! The files of the project, and which of them nothing uses.

use std::path::Path;
use std::path::PathBuf;

/// A text file, named from the project's root with `/`.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The text of one file.
pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Text files with one of these extensions, in order of their names; what is built or ignored is left out.
pub(crate) fn below(directory: &str, extensions: &[&str]) -> Vec<File> {
    let mut paths = Vec::new();
    walk(&root().join(directory), &mut paths);
    paths.sort();
    let wanted = |path: &PathBuf| {
        let extension = path.extension().map_or("", |extension| extension.to_str().unwrap_or("?"));
        extensions.contains(&extension)
    };
    let named = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).ok()?;
        let path = path.strip_prefix(root()).ok()?.to_string_lossy().replace('\\', "/");
        Some(File { path: path.trim_start_matches("./").to_owned(), text })
    };
    paths.into_iter().filter(wanted).filter_map(named).collect()
}

fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
    const SKIPPED: [&str; 6] = ["target", ".git", ".plimsoll", "corpus", "artifacts", "runs"];
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_symlink() || SKIPPED.iter().any(|skipped| name == *skipped) {
            continue;
        }
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn names_below(directory: &str) -> Vec<String> {
    let mut paths = Vec::new();
    walk(&root().join(directory), &mut paths);
    paths.sort();
    let relative = |path: &PathBuf| path.strip_prefix(root()).map(|path| path.to_string_lossy().replace('\\', "/"));
    paths.iter().filter_map(|path| relative(path).ok()).collect()
}

/// Files below `tests/cli` that belong to no session, and snapshots of tests that are gone.
pub(crate) fn unused_goldens() -> Vec<String> {
    let mut breaches = Vec::new();
    for path in names_below("tests/cli") {
        let story = path.split_once(".in/").or_else(|| path.split_once(".out/")).map(|(story, _)| story.to_owned());
        let used = match story {
            Some(story) => root().join(format!("{story}.trycmd")).is_file(),
            None => path.ends_with(".trycmd"),
        };
        if !used {
            breaches.push(format!("{path}: no session uses it"));
        }
    }
    for snapshot in below(".", &["snap"]) {
        let source = snapshot.text.lines().find_map(|line| line.strip_prefix("source: "));
        if !source.is_some_and(|source| root().join(source.trim_matches('"')).is_file()) {
            breaches.push(format!("{}: the test it belongs to is gone", snapshot.path));
        }
    }
    breaches
}

/// Directories below `scenarios` without anything to run, and files in them that nothing names.
pub(crate) fn unused_in_scenarios() -> Vec<String> {
    let mut breaches = Vec::new();
    let files = names_below("scenarios");
    let texts: Vec<File> = below("scenarios", &["yaml", "yml", "env", "md"]);
    for path in &files {
        let (directory, name) = path.rsplit_once('/').expect("below a directory");
        if !files.iter().any(|other| other.starts_with(&format!("{directory}/")) && runs(other))
            && !nested(path, &files)
        {
            breaches.push(format!("{directory}: nothing here can be run"));
        }
        let known = runs(path)
            || name.ends_with(".sweep.yaml")
            || name.contains("baseline")
            || name == "README.md"
            || name == ".env";
        let named = || texts.iter().any(|file| file.path != *path && file.text.contains(name));
        if !known && !named() {
            breaches.push(format!("{path}: no scenario names it"));
        }
    }
    breaches.dedup();
    breaches
}

/// Whether `plimsoll test` finds it.
fn runs(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    ["scenario.yaml", "policy-test.yaml"].iter().any(|kind| name == *kind || name.ends_with(&format!(".{kind}")))
}

/// Whether a directory further up holds the scenario it belongs to.
fn nested(path: &str, files: &[String]) -> bool {
    files.iter().filter(|other| runs(other)).any(|other| {
        let (home, _) = other.rsplit_once('/').expect("below a directory");
        path.starts_with(&format!("{home}/"))
    })
}
