//! The files of a project that can be run or checked.

use crate::input::kind;
use crate::input::kind::Kind;
use std::path::Path;
use std::path::PathBuf;

/// Directories that never hold a user's own files.
const SKIPPED: [&str; 3] = ["target", "node_modules", "vendor"];
/// Deeper than this nobody keeps scenarios; it also ends a walk around a loop of links.
const DEPTH_MAX: usize = 24;

/// Files of a known kind below a directory, in order of their names; an empty path is the working directory.
pub(super) fn files(directory: &Path) -> Vec<(PathBuf, Kind)> {
    let mut found = Vec::new();
    walk(directory, 0, &mut |path| {
        let kind = Kind::of(&path).filter(|kind| *kind != Kind::Trace || kind::begins_as_trace(&path));
        found.extend(kind.map(|kind| (path, kind)));
    });
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
            ("loads/llm.csv", "t_s,requests\n"),
            ("loads/sales.csv", "day,sum\n"),
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
