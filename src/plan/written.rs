//! Values as the files have them, before their variables were filled in: what is in a variable may be a secret, and is
//! never written.

use crate::input::problem::Source;
use crate::input::yaml;
use crate::input::yaml::Node;
use crate::input::yaml::Value;

/// The files that values were asked of, each read once.
#[derive(Default)]
pub(super) struct Written {
    files: Vec<(Source, Vec<Node>)>,
}

impl Written {
    /// A value before its variables were filled in; `None` where it is not found again.
    pub(super) fn value(&mut self, node: &Node) -> Option<Node> {
        let source = &node.place.source;
        let text = source.text().get(node.place.start..node.place.end)?;
        if !text.contains('$') {
            return Some(node.clone());
        }
        if !self.files.iter().any(|(known, _)| known == source) {
            self.files.push((source.clone(), yaml::read_documents(source).0));
        }
        let (_, documents) = self.files.iter().find(|(known, _)| known == source)?;
        documents.iter().find_map(|document| at(document, node.place.start)).cloned()
    }
}

/// The outermost node that begins at this byte.
fn at(node: &Node, start: usize) -> Option<&Node> {
    match &node.value {
        _ if node.place.start == start => Some(node),
        Value::Map(entries) => entries.iter().find_map(|entry| at(&entry.value, start)),
        Value::List(items) => items.iter().find_map(|item| at(item, start)),
        _ => None,
    }
}
