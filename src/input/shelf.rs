//! Named files: those of the project, the nearest folder first, then those shipped in the program.

use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Source;
use crate::input::upwards::upwards;
use std::path::Path;
use std::path::PathBuf;

/// Where files of one kind are looked up by name, and what was read.
#[derive(Debug)]
pub(super) struct Shelf {
    /// Name of the folder that holds them: `hardware-profiles`.
    kind: &'static str,
    /// Name and text of those in the program.
    shipped: &'static [(&'static str, &'static str)],
    /// Folders of the project with such files, the nearest first.
    folders: Vec<PathBuf>,
    /// Files that were read.
    pub(super) files_read: Vec<PathBuf>,
}

impl Shelf {
    /// Looks in the folder `kind` beside `folder` and beside every folder above it, then among `shipped`.
    pub(super) fn below(folder: &Path, kind: &'static str, shipped: &'static [(&'static str, &'static str)]) -> Self {
        let folders = upwards(folder).into_iter().map(|folder| folder.join(kind)).filter(|folder| folder.is_dir());
        Self { kind, shipped, folders: folders.collect(), files_read: Vec::new() }
    }

    /// The text of this name, or of this path relative to `folder`; `None` where the name is unknown. A problem without
    /// a place of its own gets that of the name.
    pub(super) fn read(&mut self, name: &str, place: Option<&Place>, folder: &Path) -> Result<Option<Source>, Problem> {
        let found = if is_path(name) {
            Some(folder.join(name))
        } else {
            let candidates = self.folders.iter().map(|folder| folder.join(format!("{name}.yaml")));
            candidates.into_iter().find(|path| path.is_file())
        };
        let Some(path) = found else {
            let shipped = self.shipped.iter().find(|(shipped, _)| *shipped == name);
            return Ok(shipped.map(|(_, text)| Source::new(format!("{}/{name}.yaml", self.kind), *text)));
        };
        let source = Source::read(&path).map_err(|problem| match place {
            Some(place) if problem.place.is_none() => problem.at(place),
            _ => problem,
        })?;
        self.files_read.push(path);
        Ok(Some(source))
    }

    /// The names that can be used: those of the project and those shipped, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.shipped.iter().map(|(name, _)| (*name).to_owned()).collect();
        for entry in self.folders.iter().filter_map(|folder| folder.read_dir().ok()).flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
            }
        }
        names.sort();
        names.dedup();
        names
    }
}

/// Whether a choice is a path rather than a name that is looked up.
pub(super) fn is_path(choice: &str) -> bool {
    choice.contains(['/', '\\']) || choice.ends_with(".yaml") || choice.ends_with(".yml")
}
