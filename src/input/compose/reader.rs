//! Files to one tree: each file read, interpolated, brought into long forms, its includes and `extends` worked out, then
//! merged over the files before it.
//!
//! Before you change it:
//! 1. Nothing stops at the first mistake: what cannot be read is left out and reported, the rest goes on.
//! 2. What is read is bounded: [`FILES_MAX`] files, [`BYTES_MAX`] bytes, [`DEPTH_MAX`] levels of `include` or `extends`.
//! 3. Paths in a file are relative to the project directory of its model; in an extended file to the file's own folder.

use super::canonical;
use super::codes;
use super::environment::Variables;
use super::interpolate;
use super::interpolate::Notes;
use super::merge;
use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Source;
use crate::input::yaml;
use crate::input::yaml::Node;
use crate::input::yaml::Value;
use std::collections::BTreeMap;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;
use std::rc::Rc;

/// Files of one project.
pub(super) const FILES_MAX: usize = 1000;

/// Bytes of all files of one project.
pub(super) const BYTES_MAX: usize = 64 << 20;

/// Values of all trees of one project, repeated ones counted each time.
const NODES_MAX: usize = 2_000_000;

/// Levels of `include` within `include`, or of `extends` after `extends`.
pub(super) const DEPTH_MAX: usize = 32;

/// What holds for the files of one model: the project itself, or one `include`.
#[derive(Clone)]
pub(super) struct Scope {
    /// Folder that paths are relative to.
    pub(super) folder: PathBuf,
    /// Variables that values may use.
    pub(super) variables: Rc<Variables>,
    /// Files that include this model, the outermost first.
    pub(super) chain: Vec<PathBuf>,
    /// Tells scopes apart where trees are kept for later.
    pub(super) id: usize,
}

/// Reads files and remembers what it has read.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) notes: Notes,
    /// Files in the order they were first read.
    pub(super) files_read: Vec<PathBuf>,
    documents: BTreeMap<PathBuf, Option<Rc<Vec<Node>>>>,
    /// Files that were extended, interpolated, by path and scope.
    pub(super) extended: BTreeMap<(PathBuf, usize), Option<Rc<Node>>>,
    pub(super) scopes: usize,
    bytes: usize,
    nodes: usize,
}

impl Reader {
    /// Counts the values of a tree that is about to be repeated; `false` where there would be too many, which is reported.
    pub(super) fn affordable(&mut self, tree: &Node) -> bool {
        self.nodes = self.nodes.saturating_add(tree.count());
        if self.is_spent() {
            let problem =
                Problem::error(&codes::LIMIT, "with all that is included and extended, the project is too large");
            self.report(problem.at(&tree.place).help("at most 2000000 values are read"));
        }
        !self.is_spent()
    }

    pub(super) fn report(&mut self, problem: Problem) {
        self.notes.problems.push(problem);
    }

    /// Whether the values are used up, which has been reported.
    pub(super) fn is_spent(&self) -> bool {
        self.nodes > NODES_MAX
    }

    /// The text of a file; `place` is where it is named, if in a file.
    pub(super) fn text(&mut self, path: &Path, place: Option<&Place>) -> Option<Source> {
        if self.files_read.len() >= FILES_MAX || self.bytes > BYTES_MAX {
            let problem = Problem::error(&codes::LIMIT, "the project has too many files, or too large ones")
                .help("at most 1000 files and 64 MiB are read");
            self.report(match place {
                Some(place) => problem.at(place),
                None => problem,
            });
            return None;
        }
        match Source::read(path) {
            Ok(source) => {
                self.bytes = self.bytes.saturating_add(source.text().len());
                if !self.files_read.iter().any(|known| known == path) {
                    self.files_read.push(path.to_owned());
                }
                Some(source)
            }
            Err(problem) => {
                let problem = match (place, &problem.place) {
                    (Some(place), None) => Problem::error(&codes::MISSING_FILE, problem.message)
                        .at(place)
                        .help("check the path; it is relative to the project directory"),
                    _ => problem,
                };
                self.report(problem);
                None
            }
        }
    }

    /// The text of an env file of a service; `None` where it cannot be read. That is no mistake, and it is no file of the
    /// project: such files are often for the one who runs Compose alone to read.
    pub(super) fn env_file(&mut self, path: &Path) -> Option<Source> {
        let source = Source::read(path).ok().filter(|_| path.is_file() && self.bytes <= BYTES_MAX)?;
        self.bytes = self.bytes.saturating_add(source.text().len());
        Some(source)
    }

    /// The documents of a file as they stand there.
    pub(super) fn documents(&mut self, path: &Path, place: Option<&Place>) -> Option<Rc<Vec<Node>>> {
        if let Some(known) = self.documents.get(path) {
            return known.clone();
        }
        let documents = self.text(path, place).map(|source| {
            let (documents, problems) = yaml::read_documents(&source);
            self.notes.problems.extend(problems);
            Rc::new(documents)
        });
        self.documents.insert(path.to_owned(), documents.clone());
        documents
    }

    /// The documents of a file, interpolated and in their long forms; paths in them are relative to `folder`.
    pub(super) fn prepared(
        &mut self,
        path: &Path,
        place: Option<&Place>,
        folder: &Path,
        variables: &Variables,
    ) -> Vec<Node> {
        let Some(documents) = self.documents(path, place) else { return Vec::new() };
        let mut prepared = Vec::new();
        for document in documents.iter() {
            if document.value == Value::Null {
                continue;
            }
            if document.entries().is_empty() && !matches!(document.value, Value::Map(_)) {
                self.report(
                    Problem::error(&codes::TYPE, format!("a Compose file is a mapping, not {}", document.kind()))
                        .at(&document.place)
                        .help("start with `services:`"),
                );
                continue;
            }
            if !self.affordable(document) {
                continue;
            }
            let mut tree = document.clone();
            interpolate::tree(&mut tree, variables, &mut self.notes);
            canonical::tree(&mut tree);
            anchor_paths(&mut tree, folder);
            prepared.push(tree);
        }
        prepared
    }

    /// All files of a model merged; without what could not be read.
    pub(super) fn model(&mut self, files: &[(PathBuf, Option<Place>)], scope: &Scope) -> Node {
        let mut merged: Option<Node> = None;
        for (path, place) in files {
            for mut tree in self.prepared(path, place.as_ref(), &scope.folder, &scope.variables) {
                self.include(&mut tree, path, scope);
                self.extend(&mut tree, path, scope);
                let mut next = match merged.take() {
                    Some(base) => merge::merge(base, tree, &mut Vec::new(), &mut self.notes.problems),
                    None => tree,
                };
                merge::strip(&mut next);
                merged = Some(next);
            }
        }
        merged.unwrap_or_else(|| empty(files.first().map(|(path, _)| path.as_path())))
    }
}

/// A mapping without entries, in place of a file that holds nothing.
fn empty(path: Option<&Path>) -> Node {
    let name = path.map(|path| path.display().to_string()).unwrap_or_default();
    Node { place: Source::new(name, "").place(0, 0), tag: None, value: Value::Map(Vec::new()) }
}

/// Puts the folder before the relative paths that are read later: env files and extended files of services.
fn anchor_paths(tree: &mut Node, folder: &Path) {
    let Some(services) = child(tree, "services") else { return };
    let Value::Map(services) = &mut services.value else { return };
    for service in services {
        if let Some(file) = child(&mut service.value, "extends").and_then(|extends| child(extends, "file")) {
            anchor_path(file, folder);
        }
        if let Some(Value::List(files)) = child(&mut service.value, "env_file").map(|list| &mut list.value) {
            for file in files {
                if let Some(path) = child(file, "path") {
                    anchor_path(path, folder);
                }
            }
        }
    }
}

fn anchor_path(node: &mut Node, folder: &Path) {
    if let Value::Text(path) = &mut node.value
        && !is_remote(path)
    {
        *path = joined(folder, path).display().to_string();
    }
}

/// The value of a key of a mapping, to be changed.
pub(super) fn child<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Node> {
    match &mut node.value {
        Value::Map(entries) => entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value),
        _ => None,
    }
}

/// Whether a path names something that is not on this machine.
pub(super) fn is_remote(path: &str) -> bool {
    ["oci://", "https://", "http://", "git://", "ssh://", "git@"].iter().any(|scheme| path.starts_with(scheme))
}

/// `path` within `folder`, without `.` and `..` where that can be told from the text.
pub(super) fn joined(folder: &Path, path: &str) -> PathBuf {
    cleaned(&folder.join(path))
}

/// The path without `.` and without `..` after a named folder.
pub(super) fn cleaned(path: &Path) -> PathBuf {
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match (part, parts.last()) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                parts.pop();
            }
            (Component::ParentDir, Some(Component::RootDir)) => {}
            _ => parts.push(part),
        }
    }
    let path: PathBuf = parts.into_iter().collect();
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path }
}

/// The folder of a file.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        for (folder, path, wanted) in [
            (".", "./a.yaml", "a.yaml"),
            ("a/b", "../c.yaml", "a/c.yaml"),
            ("a", "../../c", "../c"),
            ("/x", "../../c", "/c"),
            ("a", "/abs", "/abs"),
            ("a", "..", "."),
        ] {
            assert_eq!(joined(Path::new(folder), path), Path::new(wanted), "{folder} {path}");
        }
    }
}
