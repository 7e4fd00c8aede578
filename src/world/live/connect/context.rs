//! Contexts: engines that `docker context create` gave a name. They lie below `contexts` in Docker's configuration.

use super::ConnectError;
use super::Tls;
use super::tls;
use serde_json::Value;
use std::io::ErrorKind;
use std::path::Path;

/// The context that stands for no context.
pub(super) const DEFAULT: &str = "default";
/// The file that says which context is the current one.
pub(super) const CONFIG: &str = "config.json";

/// What a context says about an engine.
pub(super) struct Found {
    pub(super) host: String,
    pub(super) tls: Option<Tls>,
}

/// Whether it may be the name of a context. Addresses hold a colon or a slash, names do not.
pub(super) fn is_name(given: &str) -> bool {
    !given.contains([':', '/'])
}

/// The current context, where one was chosen with `docker context use`.
pub(super) fn current(config: &Path) -> Result<Option<String>, ConnectError> {
    let content = read(&config.join(CONFIG))?;
    let name = content.as_ref().and_then(|content| content["currentContext"].as_str()).unwrap_or_default();
    Ok(Some(name).filter(|name| !name.is_empty() && *name != DEFAULT).map(str::to_owned))
}

/// The context of this name, which `by` named.
pub(super) fn find(name: &str, by: &str, config: &Path) -> Result<Found, ConnectError> {
    let contexts = config.join("contexts");
    // Their folders are named after a hash. So all of them are read, which also tells which ones there are.
    let folders = std::fs::read_dir(contexts.join("meta")).into_iter().flatten().flatten();
    let mut known = vec![DEFAULT.to_owned()];
    let mut unreadable = None;
    for folder in folders {
        let path = folder.path().join("meta.json");
        let content = match read(&path) {
            Ok(Some(content)) => content,
            Ok(None) => continue,
            // Another one's broken file is no matter.
            Err(error) => {
                unreadable = Some(error);
                continue;
            }
        };
        let there = content["Name"].as_str().unwrap_or_default();
        if there == name {
            return engine(&content["Endpoints"]["docker"], &contexts.join("tls").join(folder.file_name()), &path);
        }
        known.push(there.to_owned());
    }
    known.sort();
    Err(unreadable.unwrap_or(ConnectError::UnknownContext { name: name.to_owned(), by: by.to_owned(), known }))
}

fn engine(docker: &Value, tls: &Path, path: &Path) -> Result<Found, ConnectError> {
    if !docker.is_object() {
        let said = "the context has no Docker engine".to_owned();
        return Err(ConnectError::Unreadable { path: path.display().to_string(), said });
    }
    let skip_verify = docker["SkipTLSVerify"].as_bool() == Some(true);
    let files = tls::files(&tls.join("docker"));
    let any = skip_verify || files.ca.is_some() || files.cert.is_some() || files.key.is_some();
    // A context without an address is that of the usual socket.
    let host = docker["Host"].as_str().filter(|host| !host.is_empty()).unwrap_or("unix://").to_owned();
    Ok(Found { host, tls: any.then_some(Tls { skip_verify, ..files }) })
}

/// A file of JSON; `None` where it is not there.
fn read(path: &Path) -> Result<Option<Value>, ConnectError> {
    let failed = |said: String| ConnectError::Unreadable { path: path.display().to_string(), said };
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| failed(error.to_string())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(failed(error.to_string())),
    }
}
