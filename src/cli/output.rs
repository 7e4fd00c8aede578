//! Files that a command writes because it was asked to.

use super::exit::Failure;
use std::path::Path;

/// Writes a file, and the directories above it. The file appears as a whole or not at all.
///
/// # Errors
///
/// What the system says, with the path.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Environment(format!("cannot write {}: {error}", path.display()));
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory).map_err(failed)?;
    }
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    std::fs::write(&unfinished, bytes).and_then(|()| std::fs::rename(&unfinished, path)).map_err(|error| {
        let _ = std::fs::remove_file(&unfinished);
        failed(error)
    })
}
