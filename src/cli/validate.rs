//! `plimsoll validate`: are these files good?

use super::Globals;
use super::check;
use super::codes;
use super::exit::Exit;
use super::exit::Failure;
use super::format::Format;
use super::inputs;
use super::printer::BAD;
use super::printer::GOOD;
use super::printer::Printer;
use super::printer::paint;
use super::project;
use crate::input::kind::Kind;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::Severity;
use crate::input::problem::Source;
use crate::input::project::Project;
use crate::input::yaml;
use crate::input::yaml::Entry;
use crate::input::yaml::Node;
use crate::report::words;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

/// Check files: all errors at once, with line and column.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Scenarios, sweeps, policy tests, policies, hardware profiles, catalogs, Compose
files, traces, records and plimsoll.yaml are checked with everything they refer
to.
Without a path, the working directory is.

Examples:
  plimsoll validate
  plimsoll validate scenarios compose.yml hardware-profiles/my-host.yaml
  plimsoll validate --json | jq .errors")]
pub(super) struct ValidateArgs {
    /// Files, or directories with files.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// Checks the files and shows what is wrong with them.
///
/// # Errors
///
/// A format that is not written. What is wrong with the files is shown, and is the exit code.
pub(super) fn validate(args: &ValidateArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    let format = globals.format();
    if !matches!(format, Format::Table | Format::Json) {
        return Err(format.refused("validate", &[Format::Table, Format::Json]));
    }
    let mut problems = Problems::new();
    let files = files(&args.paths, &mut problems);
    let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
    for (path, kind) in &files {
        printer.detail(&format!("check {}", inputs::shown(path)));
        let read = check::check(path, *kind, &mut problems);
        seen.extend(read.iter().map(|path| path.canonicalize().unwrap_or_else(|_| path.clone())));
    }
    let count = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if format == Format::Json {
        printer.json(&json!({
            "format_version": 1,
            "files": seen.len(),
            "errors": errors,
            "warnings": warnings,
            "problems": problems.to_json(),
        }));
    } else {
        printer.problems(&problems);
        printer.data(&summary(seen.len(), errors, warnings));
    }
    Ok(if problems.has_errors() { Exit::Invalid } else { Exit::Good })
}

/// The files to check: those named, and those found in the directories named.
fn files(paths: &[PathBuf], problems: &mut Problems) -> Vec<(PathBuf, Kind)> {
    let here = [PathBuf::new()];
    let mut files = Vec::new();
    for path in if paths.is_empty() { &here } else { paths } {
        if path.is_dir() || path.as_os_str().is_empty() {
            let mut found = project::files(path);
            if found.is_empty() {
                problems.push(nothing(path));
            }
            if paths.is_empty() {
                found.retain(kept());
            }
            let fragments = fragments(&found);
            files.extend(found.into_iter().filter(|(path, _)| !fragments.contains(path)));
        } else if !path.exists() {
            let message = format!("`{}` does not exist", path.display());
            problems.push(Problem::error(&codes::FILE, message).help("check the path; a directory works too"));
        } else if let Some(kind) = Kind::of(path) {
            files.push((path.clone(), kind));
        } else {
            let message = format!("`{}` is of no known kind", path.display());
            let help = "a file is known by its first key, its place or its end: `plimsoll explain PL0703`";
            problems.push(Problem::error(&codes::FILE, message).help(help));
        }
    }
    files
}

/// Which files of the working directory are looked at: all but those in folders that the project passes over, unless it
/// is one of them. What is wrong with the project file is told when its turn comes.
fn kept() -> impl Fn(&(PathBuf, Kind)) -> bool {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let here = whole(Path::new("."));
    let ignored = Project::find(&here).map(|project| project.ignored()).unwrap_or_default();
    let ignored: Vec<PathBuf> = ignored.iter().map(|folder| whole(folder)).collect();
    move |(path, _)| {
        let path = whole(path);
        !ignored.iter().any(|folder| path.starts_with(folder) && !here.starts_with(folder))
    }
}

/// Compose files that are meant to be laid over another one, in their directory or elsewhere: alone they would be full of
/// holes. Who names one gets it checked.
fn fragments(found: &[(PathBuf, Kind)]) -> BTreeSet<PathBuf> {
    let compose = || found.iter().filter(|(_, kind)| *kind == Kind::Compose).map(|(path, _)| path);
    let is_base = |path: &Path| path.file_name().is_some_and(|name| BASES.iter().any(|base| name == *base));
    let bases: BTreeSet<Option<&Path>> = compose().filter(|path| is_base(path)).map(|path| path.parent()).collect();
    compose().filter(|path| !is_base(path) && (bases.contains(&path.parent()) || is_overlay(path))).cloned().collect()
}

/// Whether no service of a Compose file says what it runs.
fn is_overlay(path: &Path) -> bool {
    let node = Source::read(path).ok().and_then(|source| yaml::read(&source).0);
    let services = node.as_ref().and_then(|node| node.get("services")).map(Node::entries).unwrap_or_default();
    let runs = |entry: &Entry| ["image", "build", "extends"].iter().any(|key| entry.value.get(key).is_some());
    !services.is_empty() && !services.iter().any(runs)
}

/// The names that Compose looks for.
const BASES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

fn nothing(directory: &Path) -> Problem {
    let shown = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let message = format!("there is nothing to check below `{}`", shown.display());
    Problem::error(&codes::NOTHING, message).help("name a file or another directory")
}

fn summary(files: usize, errors: usize, warnings: usize) -> String {
    let counted = |count: usize, thing: &str| words::counted(count as u64, thing);
    let style = if errors == 0 { GOOD } else { BAD };
    let mut text = format!("{} checked, {}", counted(files, "file"), paint(style, &counted(errors, "error")));
    if warnings > 0 {
        text.push_str(&format!(", {}", counted(warnings, "warning")));
    }
    text
}
