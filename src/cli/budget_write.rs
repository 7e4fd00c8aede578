//! `plimsoll budget --write`: the override file. Nothing is lost: a file of somebody else stays unless `--force` is
//! given, and then a copy is kept beside it.

use super::budget_beside::Part;
use super::budget_beside::Proposals;
use super::codes;
use super::compose_files::ComposeFiles;
use super::exit::Failure;
use super::inputs;
use super::output;
use super::printer::Printer;
use crate::input::compose;
use crate::input::compose::ComposeArgs;
use crate::input::compose::Loaded;
use crate::input::problem::Problem;
use crate::input::problem::Source;
use crate::model::Budget;
use crate::plan::override_file;
use clap::ValueEnum;
use serde_json::Map;
use serde_json::Value;
use std::path::Path;
use std::path::PathBuf;

/// Name of the file where nobody names one, which Compose reads by itself beside its base.
const DEFAULT: &str = "docker-compose.override.yml";

/// What to write where.
pub(super) struct Order<'a> {
    /// The file, as it was named; empty for the default, `-` for stdout.
    pub(super) file: &'a str,
    /// Also a file that is not ours.
    pub(super) force: bool,
    /// The Compose files without the override file.
    pub(super) asked: &'a ComposeArgs,
    /// The options as they were typed, for what the user does next.
    pub(super) compose: &'a ComposeFiles,
    /// What is written beside the limits.
    pub(super) parts: &'a [Part],
    /// All that can be written beside the limits.
    pub(super) proposals: &'a Proposals,
}

/// The Compose files without an override file of ours, read. Ours is not even looked at: what it says may no longer fit what
/// was changed in the others, and is to be renewed.
///
/// # Errors
///
/// All that is wrong with them.
pub(super) fn without_ours(asked: &ComposeArgs) -> Result<(ComposeArgs, Loaded), Failure> {
    // What comes through a pipe can be read once only, and is not for us to renew.
    let is_ours = |file: &PathBuf| {
        file.is_file() && std::fs::read_to_string(file).is_ok_and(|text| override_file::is_ours(&text))
    };
    let (ours, others): (Vec<PathBuf>, Vec<PathBuf>) = compose::files(asked)?.into_iter().partition(is_ours);
    let mut asked = asked.clone();
    if !ours.is_empty() && !others.is_empty() {
        asked.files = others;
    }
    let loaded = compose::load(&asked)?;
    Ok((asked, loaded))
}

/// Writes the override file.
///
/// # Errors
///
/// A file of somebody else, a file that cannot be read or written, an override file that Compose would not find.
pub(super) fn write(order: &Order<'_>, budget: &Budget, loaded: &Loaded, printer: &mut Printer) -> Result<(), Failure> {
    let about = format!("{} on {}", budget.stack, budget.host.title);
    if order.file == "-" {
        let wanted = override_file::with(override_file::wanted(budget, loaded), &order.proposals.written(order.parts));
        printer.data(&override_file::text(None, &wanted, &about, &names(order.parts))?);
        return Ok(());
    }
    let named = std::env::var("RESOURCE_OVERRIDE_FILE").ok().filter(|name| !name.trim().is_empty());
    let base = loaded.files.first().and_then(|file| file.parent()).unwrap_or(Path::new(""));
    let path = match (order.file, named) {
        ("", Some(named)) => base.join(named),
        ("", None) => base.join(DEFAULT),
        (file, _) => PathBuf::from(file),
    };
    let existing = if path.exists() { Some(Source::read(&path)?) } else { None };
    let foreign = existing.as_ref().is_some_and(|source| !override_file::is_ours(source.text()));
    if foreign && !order.force {
        let message = format!("`{}` was not written by plimsoll", inputs::shown(&path));
        let help = "`--force` lays the plan over it and keeps a copy beside it; `--write FILE` writes another file";
        return Err(Problem::error(&codes::OVERRIDE, message).help(help).into());
    }
    let parts = parts(order.parts, existing.as_ref());
    let wanted = override_file::with(override_file::wanted(budget, loaded), &order.proposals.written(&parts));
    let text = override_file::text(existing.as_ref(), &wanted, &about, &names(&parts))?;
    if existing.as_ref().is_some_and(|source| source.text() == text) {
        printer.note(&format!("{} says so already", inputs::shown(&path)));
        return Ok(());
    }
    let differences = differences(order, budget, loaded, &wanted, (&path, &text))?;
    if !differences.is_empty() {
        let said = differences.join("; ");
        if existing.is_none() {
            return Err(Failure::Bug(format!(
                "the override file would not say what is planned, and was not written: {said}"
            )));
        }
        let message = format!("lines of your own in `{}` change what is planned: {said}", inputs::shown(&path));
        let help = "nothing was written; take these lines out, or write a file beside it with `--write FILE`";
        return Err(Problem::error(&codes::MIXED, message).help(help).into());
    }
    if let Some(existing) = &existing {
        // A file of ours under one name, one of somebody else never over another copy.
        let copy = if foreign { output::free_beside(&path, ".before-plimsoll") } else { output::beside(&path, ".bak") };
        output::write(&copy, existing.text().as_bytes())?;
        printer.note(&format!("kept what was there as {}", inputs::shown(&copy)));
    }
    output::write(&path, text.as_bytes())?;
    printer.note(&format!("wrote {}: {}", inputs::shown(&path), changes(&wanted)));
    printer.note(&next(order, loaded, &path));
    Ok(())
}

/// What is written beside the limits: what was asked for, and what the file says it holds since an earlier plan, since
/// settings that followed other limits would be wrong now.
fn parts(asked: &[Part], existing: Option<&Source>) -> Vec<Part> {
    let noted = override_file::holds(existing.map(Source::text).unwrap_or_default());
    let noted = noted.into_iter().filter_map(|name| Part::from_str(name, false).ok());
    let mut parts: Vec<Part> = asked.iter().copied().chain(noted).collect();
    parts.sort();
    parts.dedup();
    parts
}

/// The names of parts, as they are typed.
fn names(parts: &[Part]) -> Vec<String> {
    parts.iter().filter_map(|part| Some(part.to_possible_value()?.get_name().to_owned())).collect()
}

fn changes(wanted: &Map<String, Value>) -> String {
    match wanted.len() {
        0 => "no service changes".to_owned(),
        1 => "1 service changes".to_owned(),
        count => format!("{count} services change"),
    }
}

/// Where the file read back over its base does not say exactly what is planned: it must before it takes its place.
fn differences(
    order: &Order<'_>,
    budget: &Budget,
    loaded: &Loaded,
    wanted: &Map<String, Value>,
    (path, text): (&Path, &str),
) -> Result<Vec<String>, Failure> {
    let beside = output::beside(path, ".check");
    output::write(&beside, text.as_bytes())?;
    let mut files = loaded.files.clone();
    files.retain(|file| !same(file, path));
    files.push(beside.clone());
    let read = compose::load(&ComposeArgs { files, ..order.asked.clone() });
    // It is only there to be read; that it stays would be no reason to fail.
    drop(std::fs::remove_file(&beside));
    let read = read?;
    let mut differences = override_file::differences(budget, &read);
    differences.extend(override_file::unsaid(wanted, &read));
    Ok(differences)
}

/// What the user does next, for the same project that was read.
fn next(order: &Order<'_>, loaded: &Loaded, path: &Path) -> String {
    let is_this = |file: &PathBuf| same(file, path);
    let found = order.compose.files.is_empty()
        && compose::files(&ComposeArgs { files: Vec::new(), ..order.asked.clone() })
            .is_ok_and(|files| files.iter().any(is_this));
    if found {
        return match order.compose.typed(&[]).as_str() {
            "" => "next: `docker compose up -d` reads it beside the Compose file".to_owned(),
            options => format!("next: `docker compose {options} up -d` reads it beside the Compose file"),
        };
    }
    let mut files = loaded.files.clone();
    files.retain(|file| !is_this(file));
    files.push(path.to_owned());
    format!("next: docker compose {} up -d", order.compose.typed(&files))
}

fn same(one: &Path, other: &Path) -> bool {
    one.canonicalize().ok().zip(other.canonicalize().ok()).is_some_and(|(one, other)| one == other)
}
