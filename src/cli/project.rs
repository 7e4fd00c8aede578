//! The files of a project that can be run or checked.
//!
//! A file is known by what is in it, then by where it lies. Only the first lines are read, so that a large repository is
//! walked in no time.

use crate::input::project::FILE_NAME;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A scenario.
    Scenario,
    /// A policy test.
    PolicyTest,
    /// A policy.
    Policy,
    /// A hardware profile.
    Profile,
    /// A file of the catalog of known images.
    Catalog,
    /// A Compose file.
    Compose,
    /// A load trace.
    Trace,
    /// A record of a run.
    Record,
    /// The project's own file.
    Project,
}

/// How much of a file is read to tell what it is.
const HEAD_BYTES: u64 = 64 * 1024;
/// Directories that never hold a user's own files.
const SKIPPED: [&str; 3] = ["target", "node_modules", "vendor"];
/// Deeper than this nobody keeps scenarios; it also ends a walk around a loop of links.
const DEPTH_MAX: usize = 24;

/// Files of a known kind below a directory, in order of their names; an empty path is the working directory.
pub(super) fn files(directory: &Path) -> Vec<(PathBuf, Kind)> {
    let mut found = Vec::new();
    walk(directory, 0, &mut |path| found.extend(kind(&path).map(|kind| (path, kind))));
    found.sort();
    found
}

/// Files whose name ends so, below a directory, in order of their names.
pub(super) fn ending_with(directory: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let ends = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(end));
    walk(directory, 0, &mut |path| found.extend(ends(&path).then_some(path)));
    found.sort();
    found
}

fn walk(directory: &Path, depth: usize, found: &mut dyn FnMut(PathBuf)) {
    let here = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let Ok(entries) = std::fs::read_dir(here) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let path = directory.join(&name);
        let Ok(about) = entry.file_type() else { continue };
        if about.is_dir() {
            let hidden = name.to_string_lossy().starts_with('.') || SKIPPED.iter().any(|skipped| name == *skipped);
            if !hidden && depth < DEPTH_MAX {
                walk(&path, depth + 1, found);
            }
        } else {
            found(path);
        }
    }
}

/// Whether a file is named like a record.
pub(super) fn is_record(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    path.is_file() && (name.ends_with(".jsonl") || name.ends_with(".jsonl.gz"))
}

/// What a file is; `None` for what is none of ours, or cannot be read.
pub(super) fn kind(path: &Path) -> Option<Kind> {
    let name = path.file_name()?.to_str()?;
    if name == FILE_NAME || name == "plimsoll.yml" {
        return Some(Kind::Project);
    }
    if name.ends_with(".csv") {
        return Some(Kind::Trace);
    }
    if name.ends_with(".jsonl") || name.ends_with(".jsonl.gz") {
        return Some(Kind::Record);
    }
    if !(name.ends_with(".yaml") || name.ends_with(".yml")) {
        return None;
    }
    let keys = first_keys(path)?;
    let has = |key: &str| keys.iter().any(|other| other == key);
    let within = |directory: &str| path.parent().is_some_and(|parent| parent.iter().any(|part| part == directory));
    let by_content = [
        ("scenario", Kind::Scenario),
        ("cases", Kind::PolicyTest),
        ("profile", Kind::Profile),
        ("catalog", Kind::Catalog),
        ("policy", Kind::Policy),
    ];
    if let Some((_, kind)) = by_content.iter().find(|(key, _)| has(key)) {
        return Some(*kind);
    }
    let by_place = [
        (within("hardware-profiles"), Kind::Profile),
        (within("catalog") && within("policies"), Kind::Policy),
        (within("catalog"), Kind::Catalog),
        (has("services") || has("include") || is_compose_name(name), Kind::Compose),
    ];
    by_place.iter().find(|(here, _)| *here).map(|(_, kind)| *kind)
}

fn is_compose_name(name: &str) -> bool {
    name.starts_with("compose.") || name.starts_with("docker-compose.")
}

/// The keys at the start of a line, in the first part of a file.
fn first_keys(path: &Path) -> Option<Vec<String>> {
    let mut head = Vec::new();
    std::fs::File::open(path).ok()?.take(HEAD_BYTES).read_to_end(&mut head).ok()?;
    let text = String::from_utf8_lossy(&head);
    let key = |line: &str| {
        let (key, _) = line.trim_start_matches('\u{feff}').split_once(':')?;
        let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        plain.then(|| key.to_owned())
    };
    Some(text.lines().filter_map(key).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for (path, text) in files {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().expect("below the directory")).expect("can be made");
            std::fs::write(path, text).expect("can be written");
        }
        directory
    }

    #[test]
    fn files_are_known_by_what_is_in_them() {
        let directory = project(&[
            ("plimsoll.yaml", ""),
            ("ops/peak.yaml", "# a comment\nscenario: peak\nstack: ../compose.yml\nservices: {}\n"),
            ("ops/policy.yaml", "policy: { api: x }\ncases: []\n"),
            ("compose.yml", "services: {}\n"),
            ("hardware-profiles/box.yaml", "title: Box\n"),
            ("catalog/policies/mine.yaml", "every: 5m\n"),
            ("catalog/images.yaml", "redis: {}\n"),
            ("loads/llm.csv", "time,requests\n"),
            ("run.jsonl.gz", ""),
            (".github/workflows/ci.yml", "services: {}\n"),
            ("node_modules/x/scenario.yaml", "scenario: not ours\n"),
            ("README.md", "scenario: prose\n"),
            ("values.yaml", "replicas: 1\n"),
        ]);
        let found: Vec<(String, Kind)> = files(directory.path())
            .into_iter()
            .map(|(path, kind)| (path.strip_prefix(directory.path()).expect("below").display().to_string(), kind))
            .collect();
        let wanted = [
            ("catalog/images.yaml", Kind::Catalog),
            ("catalog/policies/mine.yaml", Kind::Policy),
            ("compose.yml", Kind::Compose),
            ("hardware-profiles/box.yaml", Kind::Profile),
            ("loads/llm.csv", Kind::Trace),
            ("ops/peak.yaml", Kind::Scenario),
            ("ops/policy.yaml", Kind::PolicyTest),
            ("plimsoll.yaml", Kind::Project),
            ("run.jsonl.gz", Kind::Record),
        ];
        assert_eq!(found, wanted.map(|(path, kind)| (path.to_owned(), kind)));
    }
}
