//! `extends`: a service that starts from another, of the same file or of another one.

use super::codes;
use super::merge;
use super::reader::DEPTH_MAX;
use super::reader::Reader;
use super::reader::Scope;
use super::reader::folder_of;
use super::reader::is_remote;
use crate::input::problem::Problem;
use crate::input::problem::nearest;
use crate::input::yaml::Node;
use crate::input::yaml::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::rc::Rc;

/// The services of one file by name, so that a long file is not searched for each of them.
struct Named<'a> {
    services: BTreeMap<&'a str, &'a Node>,
}

impl<'a> Named<'a> {
    fn of(tree: Option<&'a Node>) -> Self {
        let entries = tree.map(Node::entries).unwrap_or_default();
        Self { services: entries.iter().map(|entry| (entry.key.as_str(), &entry.value)).collect() }
    }
}

/// Services on the way from the one that extends to the one that is extended, each with its file.
type Trail = Vec<(PathBuf, String)>;

impl Reader {
    /// Works out `extends` of all services of a file.
    pub(super) fn extend(&mut self, tree: &mut Node, path: &Path, scope: &Scope) {
        let Some(services) = tree.get("services").cloned() else { return };
        if !services.entries().iter().any(|entry| entry.value.get("extends").is_some()) {
            return;
        }
        let mut worked_out = services.clone();
        let named = Named::of(Some(&services));
        if let Value::Map(entries) = &mut worked_out.value {
            for entry in entries.iter_mut().filter(|entry| entry.value.get("extends").is_some()) {
                entry.value = self.extended(&named, &entry.key, &entry.value, path, scope, &mut Vec::new());
            }
        }
        if let Some(place) = super::reader::child(tree, "services") {
            *place = worked_out;
        }
    }

    /// The service `name`, one of `services`, which stand in `path`, put over what it extends.
    fn extended(
        &mut self,
        services: &Named<'_>,
        name: &str,
        service: &Node,
        path: &Path,
        scope: &Scope,
        trail: &mut Trail,
    ) -> Node {
        let Some(extends) = service.get("extends").filter(|extends| !merge::is_reset(extends)) else {
            return service.clone();
        };
        if self.is_spent() {
            return without_extends(service.clone());
        }
        let step = (path.to_owned(), name.to_owned());
        if trail.contains(&step) {
            let way: Vec<String> = trail.iter().chain([&step]).map(|(_, name)| format!("`{name}`")).collect();
            self.report(
                Problem::error(&codes::EXTENDS_CYCLE, format!("`extends` goes round in a circle: {}", way.join(" → ")))
                    .at(&extends.place)
                    .help("remove one of the `extends` in the circle"),
            );
            return without_extends(service.clone());
        }
        if trail.len() >= DEPTH_MAX {
            self.report(Problem::error(&codes::LIMIT, "more than 32 services extend each other").at(&extends.place));
            return without_extends(service.clone());
        }
        trail.push(step);
        let base = self.base(services, extends, path, scope, trail);
        trail.pop();
        let Some(mut base) = base.filter(|base| self.affordable(base)) else {
            return without_extends(service.clone());
        };
        merge::strip(&mut base);
        let mut at = vec!["services".to_owned(), name.to_owned()];
        let merged = merge::merge(base, service.clone(), &mut at, &mut self.notes.problems);
        without_extends(merged)
    }

    /// The service that is extended, worked out itself; `None` where there is none, which is reported.
    fn base(
        &mut self,
        services: &Named<'_>,
        extends: &Node,
        path: &Path,
        scope: &Scope,
        trail: &mut Trail,
    ) -> Option<Node> {
        let Some(wanted) = extends.get("service") else {
            self.report(
                Problem::error(&codes::MISSING_KEY, "`extends` does not say which service")
                    .at(&extends.place)
                    .help("add `service: name`"),
            );
            return None;
        };
        let Some(reference) = wanted.as_text() else {
            self.report(
                Problem::error(&codes::TYPE, format!("`extends` takes the name of a service, not {}", wanted.kind()))
                    .at(&wanted.place),
            );
            return None;
        };
        let other = match extends.get("file") {
            Some(file) => Some((self.extended_file(file, scope)?, PathBuf::from(file.as_text().unwrap_or_default()))),
            None => None,
        };
        let elsewhere = other.as_ref().map(|(tree, path)| (Named::of(tree.get("services")), path.as_path()));
        let (services, path) = elsewhere.as_ref().map_or((services, path), |(services, path)| (services, *path));
        let Some(service) = services.services.get(reference) else {
            let full = self.notes.problems.is_full();
            let known = services.services.keys().copied().filter(|_| !full);
            let near = nearest(reference, known);
            let problem =
                Problem::error(&codes::EXTENDS, format!("there is no service `{reference}` in `{}`", path.display()))
                    .at(&wanted.place);
            self.report(match near {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help("name a service of that file"),
            });
            return None;
        };
        Some(self.extended(services, reference, service, path, scope, trail))
    }

    /// A file that is extended, interpolated with the variables of the file that extends it.
    fn extended_file(&mut self, file: &Node, scope: &Scope) -> Option<Rc<Node>> {
        let Some(text) = file.as_text() else {
            self.report(
                Problem::error(&codes::TYPE, format!("`file` takes a path, not {}", file.kind())).at(&file.place),
            );
            return None;
        };
        if is_remote(text) {
            self.report(
                Problem::error(&codes::REMOTE, format!("`{text}` is not on this machine"))
                    .at(&file.place)
                    .help("fetch it and name its path"),
            );
            return None;
        }
        let path = PathBuf::from(text);
        let key = (path.clone(), scope.id);
        if let Some(known) = self.extended.get(&key) {
            return known.clone();
        }
        let variables = Rc::clone(&scope.variables);
        let documents = self.prepared(&path, Some(&file.place), &folder_of(&path), &variables);
        if documents.is_empty() && !self.notes.problems.has_errors() {
            self.report(
                Problem::error(&codes::EXTENDS, format!("`{text}` is empty, so it has no services"))
                    .at(&file.place)
                    .help("name a file that defines the service"),
            );
        }
        let mut merged: Option<Node> = None;
        for document in documents {
            merged = Some(match merged.take() {
                Some(base) => merge::merge(base, document, &mut Vec::new(), &mut self.notes.problems),
                None => document,
            });
        }
        let merged = merged.map(Rc::new);
        self.extended.insert(key, merged.clone());
        merged
    }
}

fn without_extends(mut service: Node) -> Node {
    if let Value::Map(entries) = &mut service.value {
        entries.retain(|entry| entry.key != "extends");
    }
    service
}
