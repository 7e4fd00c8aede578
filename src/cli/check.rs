//! One file, checked by the loader of its kind with everything it refers to.

use super::codes;
use super::inputs;
use crate::capacity;
use crate::input::catalog::CatalogFile;
use crate::input::compose;
use crate::input::compose::ComposeArgs;
use crate::input::kind::Kind;
use crate::input::offers;
use crate::input::policy::Policies;
use crate::input::policy_test;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use crate::input::profile;
use crate::input::project::Project;
use crate::input::scenario;
use crate::input::scenario::LoadOptions;
use crate::input::schema;
use crate::input::sweep;
use crate::input::trace;
use crate::record::Reader;
use std::path::Path;
use std::path::PathBuf;

/// Adds what is wrong with a file to the problems, and returns the files that were read.
pub(super) fn check(path: &Path, kind: Kind, problems: &mut Problems) -> Vec<PathBuf> {
    let (read, found) = match kind {
        Kind::Scenario => scenario(path),
        Kind::Sweep => sweep(path),
        Kind::Compose => compose(path),
        Kind::PolicyTest => alone(path, policy_test::load(path)),
        Kind::Policy => (vec![path.to_owned()], policy(path)),
        Kind::Profile => alone(path, source(path).and_then(|source| profile::parse(&source))),
        Kind::Catalog => alone(path, source(path).and_then(|source| schema::read::<CatalogFile>(&source))),
        Kind::Offers => alone(path, source(path).and_then(|source| offers::parse(&source))),
        Kind::Trace => alone(path, trace::read(path)),
        Kind::Record => alone(path, record(path)),
        Kind::Project => alone(path, Project::find(path.parent().unwrap_or(Path::new("")))),
    };
    problems.extend(found);
    read
}

/// What came of a file that refers to no other.
fn alone<T>(path: &Path, result: Result<T, Problems>) -> (Vec<PathBuf>, Problems) {
    (vec![path.to_owned()], result.err().unwrap_or_default())
}

fn scenario(path: &Path) -> (Vec<PathBuf>, Problems) {
    let options = LoadOptions { environment: inputs::environment(), ..LoadOptions::default() };
    match scenario::load(path, &options) {
        Ok(resolved) => (resolved.files_read, resolved.warnings),
        Err(problems) => (vec![path.to_owned()], problems),
    }
}

fn sweep(path: &Path) -> (Vec<PathBuf>, Problems) {
    let looked = sweep::load(path, &inputs::environment())
        .and_then(|sweep| capacity::sweep::check(&sweep, &capacity::sweep::Points::of(&sweep)));
    match looked {
        Ok(checked) => (std::iter::once(path.to_owned()).chain(checked.files_read).collect(), checked.warnings),
        Err(problems) => (vec![path.to_owned()], problems),
    }
}

fn compose(path: &Path) -> (Vec<PathBuf>, Problems) {
    let arguments =
        ComposeArgs { files: vec![path.to_owned()], environment: inputs::environment(), ..ComposeArgs::default() };
    match compose::load(&arguments) {
        Ok(loaded) => (loaded.files_read, loaded.warnings),
        Err(problems) => (vec![path.to_owned()], problems),
    }
}

fn source(path: &Path) -> Result<Source, Problems> {
    Source::read(path).map_err(Problems::from)
}

fn policy(path: &Path) -> Problems {
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = format!("./{}", path.file_name().unwrap_or_default().to_string_lossy());
    let mut policies = Policies::below(folder);
    policies.find(&name, None, 0).err().unwrap_or_else(|| policies.take_warnings())
}

fn record(path: &Path) -> Result<(), Problems> {
    let failed = |error: crate::record::RecordError| {
        let code = codes::of_record(error.code());
        Problems::from(Problem::error(code, format!("{}: {error}", path.display())))
    };
    Reader::open(path).map_err(failed)?.try_for_each(|event| event.map(|_| ()).map_err(failed))
}
