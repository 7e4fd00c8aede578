//! `include`: other projects put into this one, each with its own folder and env files.

use super::codes;
use super::merge;
use super::reader::DEPTH_MAX;
use super::reader::FILES_MAX;
use super::reader::Reader;
use super::reader::Scope;
use super::reader::child;
use super::reader::cleaned;
use super::reader::folder_of;
use super::reader::is_remote;
use super::reader::joined;
use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Source;
use crate::input::yaml::Entry;
use crate::input::yaml::Node;
use crate::input::yaml::Value;
use std::path::Path;
use std::path::PathBuf;
use std::rc::Rc;

/// The parts of a project that can be included.
const SECTIONS: [&str; 6] = ["services", "volumes", "networks", "secrets", "configs", "models"];

/// A path named in a file.
type Named = (PathBuf, Option<Place>);

impl Reader {
    /// Takes `include` out of the tree and puts in what it names.
    pub(super) fn include(&mut self, tree: &mut Node, path: &Path, scope: &Scope) {
        let Value::Map(entries) = &mut tree.value else { return };
        let Some(at) = entries.iter().position(|entry| entry.key == "include") else { return };
        let include = entries.remove(at).value;
        if !matches!(include.value, Value::List(_) | Value::Null) {
            self.report(
                Problem::error(&codes::TYPE, format!("`include` takes a list, not {}", include.kind()))
                    .at(&include.place)
                    .help("write `include: [other/compose.yaml]`"),
            );
        }
        for item in include.items() {
            if let Some((files, inner)) = self.include_scope(item, path, scope) {
                let model = self.model(&files, &inner);
                self.import(tree, model);
            }
        }
    }

    /// The files of one element of `include`, and what holds for them.
    fn include_scope(&mut self, item: &Node, path: &Path, scope: &Scope) -> Option<(Vec<Named>, Scope)> {
        let named = match &item.value {
            Value::Text(_) => vec![item],
            Value::Map(_) => self.texts(item.get("path"), item)?,
            _ => {
                self.report(
                    Problem::error(&codes::TYPE, format!("an include is a path or a mapping, not {}", item.kind()))
                        .at(&item.place)
                        .help("write `- other/compose.yaml` or `- path: other/compose.yaml`"),
                );
                return None;
            }
        };
        let mut files: Vec<Named> = Vec::new();
        for node in named {
            let text = node.as_text().unwrap_or_default();
            if is_remote(text) {
                self.report(
                    Problem::error(&codes::REMOTE, format!("`{text}` is not on this machine"))
                        .at(&node.place)
                        .help("fetch it and name its path"),
                );
                return None;
            }
            files.push((joined(&scope.folder, text), Some(node.place.clone())));
        }
        let main = files.first()?.0.clone();
        let identity = |path: &Path| std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| cleaned(&path));
        let mut chain = scope.chain.clone();
        chain.push(identity(path));
        if let Some(again) = files.iter().map(|(path, _)| identity(path)).find(|path| chain.contains(path)) {
            let way: Vec<String> = chain.iter().chain([&again]).map(|path| format!("`{}`", path.display())).collect();
            self.report(
                Problem::error(&codes::INCLUDE_CYCLE, format!("`include` goes round in a circle: {}", way.join(" → ")))
                    .at(&item.place)
                    .help("remove one of the includes in the circle"),
            );
            return None;
        }
        if chain.len() > DEPTH_MAX || self.scopes >= FILES_MAX {
            let problem = Problem::error(&codes::LIMIT, "more than 32 levels of `include`, or more than 1000 in all");
            self.report(problem.at(&item.place).help("name the files of one project in one list"));
            return None;
        }
        let folder = match item.get("project_directory").and_then(Node::as_text) {
            Some(folder) => joined(&scope.folder, folder),
            None => folder_of(&main),
        };
        let env_files = self.env_files(item, scope, &folder)?;
        let mut variables = (*scope.variables).clone();
        variables.add_files(&env_files, &mut self.notes.problems);
        self.scopes += 1;
        Some((files, Scope { folder, variables: Rc::new(variables), chain, id: self.scopes }))
    }

    /// The env files of an include: those it names, else `.env` in its folder where there is one.
    fn env_files(&mut self, item: &Node, scope: &Scope, folder: &Path) -> Option<Vec<Source>> {
        let Some(named) = item.get("env_file") else {
            let path = folder.join(".env");
            return Some(if path.is_file() { self.text(&path, None).into_iter().collect() } else { Vec::new() });
        };
        let mut files = Vec::new();
        for node in self.texts(Some(named), item)? {
            let text = node.as_text().unwrap_or_default();
            if text != "/dev/null" {
                files.extend(self.text(&joined(&scope.folder, text), Some(&node.place)));
            }
        }
        Some(files)
    }

    /// A text or a list of texts.
    fn texts<'a>(&mut self, node: Option<&'a Node>, item: &Node) -> Option<Vec<&'a Node>> {
        let Some(node) = node else {
            self.report(
                Problem::error(&codes::MISSING_KEY, "`path` is missing in this include")
                    .at(&item.place)
                    .help("write `path: other/compose.yaml`"),
            );
            return None;
        };
        let texts: Vec<&Node> = match &node.value {
            Value::Text(_) => vec![node],
            Value::List(items) => items.iter().collect(),
            _ => Vec::new(),
        };
        if texts.is_empty() || texts.iter().any(|text| text.as_text().is_none()) {
            self.report(
                Problem::error(&codes::TYPE, format!("expected a path or a list of paths, found {}", node.kind()))
                    .at(&node.place)
                    .help("write `path: other/compose.yaml`"),
            );
            return None;
        }
        Some(texts)
    }

    /// Puts what was included into the tree; the same name with another meaning is a conflict.
    fn import(&mut self, tree: &mut Node, model: Node) {
        let Value::Map(sections) = model.value else { return };
        for section in sections {
            if !SECTIONS.contains(&section.key.as_str()) {
                continue;
            }
            let Value::Map(imported) = section.value.value else { continue };
            if child(tree, &section.key).is_none_or(|mine| mine.value == Value::Null) {
                let place = section.value.place.clone();
                let value = Node { place, tag: None, value: Value::Map(Vec::new()) };
                if let Value::Map(entries) = &mut tree.value {
                    entries.retain(|entry| entry.key != section.key);
                    entries.push(Entry { key: section.key.clone(), key_place: section.key_place.clone(), value });
                }
            }
            let Some(Value::Map(mine)) = child(tree, &section.key).map(|mine| &mut mine.value) else { continue };
            let known: std::collections::BTreeMap<String, usize> =
                mine.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
            for entry in imported {
                let Some(at) = known.get(&entry.key) else {
                    mine.push(entry);
                    continue;
                };
                let here = &mine[*at];
                if !merge::same(&here.value, &entry.value) {
                    let kind = section.key.trim_end_matches('s');
                    self.notes.problems.push(
                        Problem::error(
                            &codes::CONFLICT,
                            format!("{kind} `{}` is defined twice, differently", entry.key),
                        )
                        .at(&here.key_place)
                        .label(format!("also at {}", entry.key_place))
                        .help("rename one of them, or name both files in the `path` of one include"),
                    );
                }
            }
        }
    }
}
