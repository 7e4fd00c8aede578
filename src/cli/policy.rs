//! `plimsoll policy`: the policies there are, one as its file says it, and a copy of it to change.

use super::codes;
use super::exit::Exit;
use super::exit::Failure;
use super::format::Format;
use super::inputs;
use super::output;
use super::printer::Printer;
use crate::input::policy::Policies;
use crate::input::problem::Problem;
use serde_json::json;
use std::path::Path;
use std::path::PathBuf;

/// Show the policies there are, or one with its figures, and clone it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  plimsoll policy
  plimsoll policy web-app-balanced
  plimsoll policy web-app-balanced --clone catalog/policies/shop.yaml

A policy in `catalog/policies/` of the project is used by its name, as in
`policy: { api: shop }` of a scenario. Where few figures differ, a scenario can
say them: `policy: { api: { template: web-app-balanced, replicas: 2..6 } }`.
`plimsoll validate FILE` tells what is wrong with a policy, or will disappoint.")]
pub(super) struct PolicyArgs {
    /// Its name, or the path of its file.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Copy it to this file, as a policy of that name.
    #[arg(long, value_name = "FILE", requires = "name")]
    clone: Option<PathBuf>,
}

/// Prints the names of all, or the file of one, or copies it.
///
/// # Errors
///
/// An unknown name, all that is wrong with the policy, a copy that is there already, a format that is not written.
pub(super) fn policy(args: &PolicyArgs, format: Format, printer: &mut Printer) -> Result<Exit, Failure> {
    let mut policies = Policies::below(Path::new("."));
    match (&args.name, &args.clone, format) {
        (None, _, Format::Table) => {
            for (name, title) in titles(&mut policies) {
                printer.data(&format!("{name:<20}  {}", title.unwrap_or_default()));
            }
        }
        (None, _, Format::Json) => {
            let all: Vec<_> =
                titles(&mut policies).iter().map(|(name, title)| json!({"name": name, "title": title})).collect();
            printer.json(&json!({"format_version": 1, "policies": all}));
        }
        (Some(name), None, Format::Table) => {
            let text = policies.text(name)?;
            printer.problems(&policies.take_warnings());
            printer.data(text.trim_end());
        }
        (Some(name), Some(path), Format::Table) => {
            copy(name, path, &mut policies)?;
            let shown = inputs::shown(path);
            printer.note(&format!("wrote {shown}; change it, then `plimsoll validate {shown}`"));
        }
        (None, _, Format::Csv | Format::Md | Format::Html) => {
            return Err(format.refused("policy", &[Format::Table, Format::Json]));
        }
        (Some(_), ..) => return Err(format.refused("policy NAME", &[Format::Table])),
    }
    Ok(Exit::Good)
}

/// The name and the title of each; none where its file has none, or cannot be read.
fn titles(policies: &mut Policies) -> Vec<(String, Option<String>)> {
    let names = policies.names().into_iter().filter(|name| name != "none");
    names.map(|name| (policies.title(&name), name)).map(|(title, name)| (name, title)).collect()
}

/// Writes the policy to a file that is not there yet, under the file's name.
fn copy(name: &str, path: &Path, policies: &mut Policies) -> Result<(), Failure> {
    let text = policies.text(name)?;
    let Some(own) = path.file_stem().and_then(|stem| stem.to_str()) else {
        return Err(Problem::error(&codes::FILE, format!("`{}` is no file", path.display())).into());
    };
    if path.exists() {
        let problem = Problem::error(&codes::FILE, format!("`{}` is there already", inputs::shown(path)));
        return Err(problem.help("nothing was written; give another name, or remove it").into());
    }
    let renamed = |line: &str| {
        if line.starts_with("policy:") { format!("policy: {}\n", json!(own)) } else { format!("{line}\n") }
    };
    let copied: String = text.lines().map(renamed).collect();
    output::write(path, copied.as_bytes())
}
