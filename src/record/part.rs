//! Files that appear as a whole or not at all: written beside their place, and moved there when they are complete.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

/// A file that is being written. Dropped before [`Part::finish`], it leaves nothing, and what was there before stays.
#[derive(Debug)]
#[must_use = "a file is in its place only after `finish`"]
pub struct Part {
    /// Where it is written, and where it goes; `None` for what is no plain file, such as a pipe: that is written directly.
    unfinished: Option<(PathBuf, PathBuf)>,
}

impl Part {
    /// Begins a file, and makes the directories above it.
    ///
    /// # Errors
    /// What the file system says.
    pub fn create(path: &Path) -> io::Result<(Self, File)> {
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            fs::create_dir_all(directory)?;
        }
        if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            return Ok((Self { unfinished: None }, File::options().write(true).open(path)?));
        }
        // A link stays one: what it points to is replaced.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut beside = target.as_os_str().to_owned();
        beside.push(".part");
        let file = File::create(&beside)?;
        Ok((Self { unfinished: Some((beside.into(), target)) }, file))
    }

    /// Moves the file to its place.
    ///
    /// # Errors
    /// What the file system says.
    pub fn finish(mut self) -> io::Result<()> {
        let Some((beside, target)) = self.unfinished.take() else { return Ok(()) };
        fs::rename(&beside, target).inspect_err(|_| drop(fs::remove_file(&beside)))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some((beside, _)) = self.unfinished.take() {
            drop(fs::remove_file(beside));
        }
    }
}

/// Writes a whole file, and the directories above it.
///
/// # Errors
/// What the file system says; what was there before is there still.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (part, mut file) = Part::create(path)?;
    file.write_all(bytes)?;
    part.finish()
}

/// Writes files into a directory, which is made where it is missing; each as a whole or not at all. Gives their paths in this
/// order.
///
/// # Errors
/// What the file system says; the files before the one that failed are written.
pub fn replace_all<N: AsRef<Path>>(
    directory: &Path,
    files: impl IntoIterator<Item = (N, Vec<u8>)>,
) -> io::Result<Vec<PathBuf>> {
    let one = |(name, bytes): (N, Vec<u8>)| {
        let path = directory.join(name);
        replace(&path, &bytes).map(|()| path)
    };
    files.into_iter().map(one).collect()
}
