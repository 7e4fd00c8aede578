//! Which files make the project, where its folder is, and what its variables and profiles are.

use super::ComposeArgs;
use super::codes;
use super::environment::Variables;
use super::interpolate;
use super::reader::Reader;
use super::reader::folder_of;
use super::reader::joined;
use crate::input::problem::Problem;
use crate::input::yaml::Node;
use std::path::Path;
use std::path::PathBuf;
use std::rc::Rc;

/// Names of Compose files, the preferred one first.
const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// Names of the file that is merged over a Compose file where both are found.
const OVERRIDES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// What is known before any Compose file is read.
pub(super) struct Project {
    pub(super) files: Vec<PathBuf>,
    pub(super) folder: PathBuf,
    pub(super) variables: Variables,
    pub(super) profiles: Vec<String>,
    /// What shows how to write `.env`, where there is none.
    pub(super) example: Option<PathBuf>,
}

/// Finds the files of the project and reads its env files; `None` where there is no Compose file, which is reported.
pub(super) fn discover(args: &ComposeArgs, reader: &mut Reader) -> Option<Project> {
    let mut variables = Variables::new(&args.environment);
    let named_folder = |files: &[PathBuf]| match (&args.project_dir, files.iter().find(|file| !is_stream(file))) {
        (Some(folder), _) => folder.clone(),
        (None, Some(file)) => folder_of(file),
        (None, None) => PathBuf::from("."),
    };
    let mut folder = named_folder(&args.files);
    let mut example = read_env_files(args, &folder, &mut variables, reader);
    let files = if !args.files.is_empty() {
        args.files.clone()
    } else if let Some(list) = variables.get("COMPOSE_FILE").filter(|list| !list.is_empty()) {
        let separator = variables.get("COMPOSE_PATH_SEPARATOR").filter(|text| !text.is_empty());
        let separator = separator.unwrap_or_else(|| if cfg!(windows) { ";" } else { ":" }.to_owned());
        list.split(separator.as_str()).filter(|part| !part.is_empty()).map(PathBuf::from).collect()
    } else {
        default_files(&folder)
    };
    if files.is_empty() {
        reader.report(
            Problem::error(&codes::NO_FILE, format!("there is no Compose file in `{}` or above", folder.display()))
                .help("name the file with `-f`, or make a `compose.yaml`"),
        );
        return None;
    }
    let found = named_folder(&files);
    if found != folder && args.project_dir.is_none() {
        folder = found;
        if args.env_files.is_empty() {
            example = read_env_files(args, &folder, &mut variables, reader);
        }
    }
    let profiles = if args.profiles.is_empty() {
        let list = variables.get("COMPOSE_PROFILES").unwrap_or_default();
        list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    } else {
        args.profiles.clone()
    };
    Some(Project { files, folder, variables, profiles, example })
}

/// Whether it is the standard input or a pipe, which is in no folder of the project. What lies in the memory of the machine
/// (`/dev/shm`) is a file like any other.
fn is_stream(file: &Path) -> bool {
    file.starts_with("/dev") && !file.starts_with("/dev/shm") || file.starts_with("/proc")
}

/// Reads the env files of the project. Where none is named and there is no `.env`: the file that shows what it should hold.
fn read_env_files(
    args: &ComposeArgs,
    folder: &Path,
    variables: &mut Variables,
    reader: &mut Reader,
) -> Option<PathBuf> {
    let mut paths = args.env_files.clone();
    if paths.is_empty()
        && let Some(list) = args.environment.get("COMPOSE_ENV_FILES")
    {
        paths = list.split(',').map(str::trim).filter(|path| !path.is_empty()).map(PathBuf::from).collect();
    }
    let switched_off = args.environment.get("COMPOSE_DISABLE_ENV_FILE");
    let switched_off = switched_off.is_some_and(|text| ["1", "t", "true"].contains(&text.to_lowercase().as_str()));
    let default = folder.join(".env");
    if paths.is_empty() && !switched_off {
        if !default.is_file() {
            return example(&default);
        }
        paths.push(joined(folder, ".env"));
    }
    let sources: Vec<_> = paths.iter().filter_map(|path| reader.text(path, None)).collect();
    variables.add_files(&sources, &mut reader.notes.problems);
    None
}

/// The file beside `missing` that shows what an env file should hold, as projects publish it: `.env.example`, `example.env`.
pub(super) fn example(missing: &Path) -> Option<PathBuf> {
    let folder = folder_of(missing);
    let name = missing.file_name()?.to_str()?;
    let bare = name.trim_start_matches('.');
    let words = ["example", "sample", "template", "dist"];
    let names = words.iter().flat_map(|word| {
        [format!("{name}.{word}"), format!("{bare}.{word}"), format!("{word}.{bare}"), format!(".{word}.{bare}")]
    });
    names.map(|name| joined(&folder, &name)).find(|path| path.is_file())
}

/// The Compose file of the folder, or of the nearest one above it, with its override.
fn default_files(folder: &Path) -> Vec<PathBuf> {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    for (level, above) in absolute.ancestors().enumerate() {
        let shown = if level == 0 { folder } else { above };
        let find = |names: &[&str]| names.iter().map(|name| joined(shown, name)).find(|path| path.is_file());
        if let Some(file) = find(&NAMES) {
            return std::iter::once(file).chain(find(&OVERRIDES)).collect();
        }
    }
    Vec::new()
}

/// The name of the project: as asked for, from the environment, or from `name` in the last file that has one.
pub(super) fn name(args: &ComposeArgs, project: &Project, reader: &mut Reader) -> Option<String> {
    let asked = args.project_name.clone().or_else(|| project.variables.get("COMPOSE_PROJECT_NAME"));
    if let Some(asked) = asked.filter(|name| !name.is_empty()) {
        if normal(&asked) != asked {
            let near = normal(&asked);
            reader.report(
                Problem::error(&codes::VALUE, format!("`{asked}` is not a project name"))
                    .help(format!("use lowercase letters, digits, `-` and `_`, such as `{near}`")),
            );
        }
        return Some(asked);
    }
    let mut name = None;
    for file in &project.files {
        for document in reader.documents(file, None).iter().flat_map(|documents| documents.iter()) {
            let Some(text) = document.get("name").and_then(Node::as_text) else { continue };
            // A fault in it is reported when the file is read.
            if let Ok(done) = interpolate::substitute(text, &|name| project.variables.get(name)) {
                name = Some(normal(&done.text)).filter(|name| !name.is_empty()).or(name);
            }
        }
    }
    name
}

/// The name that Compose makes of the folder where none is given.
pub(super) fn folder_name(folder: &Path) -> String {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    normal(&absolute.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
}

fn normal(name: &str) -> String {
    let kept: String = name
        .to_lowercase()
        .chars()
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(*c))
        .collect();
    kept.trim_start_matches(['-', '_']).to_owned()
}

/// The model of the whole project.
pub(super) fn scope(project: &Project, name: &str) -> super::reader::Scope {
    let mut variables = project.variables.clone();
    variables.set_project(name);
    super::reader::Scope { folder: project.folder.clone(), variables: Rc::new(variables), chain: Vec::new(), id: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_memory_is_in_a_folder_and_what_is_piped_is_not() {
        for (path, stream) in [
            ("/dev/stdin", true),
            ("/dev/fd/63", true),
            ("/proc/self/fd/0", true),
            ("/dev/shm/shop/compose.yaml", false),
            ("dev/compose.yaml", false),
        ] {
            assert_eq!(is_stream(Path::new(path)), stream, "{path}");
        }
    }
}
