//! Files that a command writes because it was asked to.

use super::exit::Failure;
use crate::record;
use std::io;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;

/// Writes a file, and the directories above it. The file appears as a whole or not at all.
///
/// # Errors
///
/// What the system says, with the path.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    record::replace(path, bytes).map_err(|error| failed(path, &error))
}

/// What a file holds that may not be there.
///
/// # Errors
///
/// What the system says of a file that is there and cannot be read, with the path.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::Environment(format!("cannot read {}: {}", path.display(), said(&error)))),
    }
}

/// The path of a file beside another: its name with more at the end.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// As [`beside`], with a number behind where the name is taken: `a.bak`, `a.bak2`, …
pub(super) fn free_beside(path: &Path, end: &str) -> PathBuf {
    let numbered = (2_u32..).map(|number| beside(path, &format!("{end}{number}")));
    let mut names = std::iter::once(beside(path, end)).chain(numbered);
    names.find(|name| !name.exists()).unwrap_or_else(|| beside(path, end))
}

/// The failure to write a file: what the system says, with the path.
pub(super) fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::Environment(format!("cannot write {}: {}", path.display(), said(error)))
}

/// What the system says, without the number that means nothing to a reader.
pub(super) fn said(error: &io::Error) -> String {
    let text = error.to_string();
    let plain = text.split(" (os error ").next().unwrap_or_default();
    let mut letters = plain.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_error_is_told_without_its_number() {
        assert_eq!(said(&io::Error::from_raw_os_error(28)), "no space left on device");
        assert_eq!(said(&io::Error::other("Nothing works")), "nothing works");
    }
}
