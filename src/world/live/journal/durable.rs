//! Files that are right after the process, or the machine, went down in the middle of a write. Before you change it:
//! 1. What counts as written is on the disk: the bytes, and the file's name in its directory.
//! 2. What could not be written is not there: a line that went in half-way is cut off again.
//! 3. So only the last line of a file can be torn, and only by a crash. Whoever reads goes on without it.

use jiff::Timestamp;
use std::cmp::Ordering;
use std::fs::DirBuilder;
use std::fs::File;
use std::fs::OpenOptions;
use std::fs::TryLockError;
use std::io;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

/// How long to wait before a lock is tried again.
const PAUSE: Duration = Duration::from_millis(20);

/// The file system did not let us.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} `{}`: {said}{}", .path.display(), advice(.said.kind()))]
pub struct FileError {
    /// What was tried, as in "cannot write".
    pub doing: &'static str,
    /// With which file or directory.
    pub path: PathBuf,
    /// What the system said.
    pub said: io::Error,
}

/// What to do about it, where that is known.
const fn advice(said: io::ErrorKind) -> &'static str {
    match said {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room there, then do it again",
        io::ErrorKind::ReadOnlyFilesystem => {
            "; it can only be read there: make it writable, or keep the state elsewhere"
        }
        io::ErrorKind::PermissionDenied => "; do it as the user it belongs to, or keep the state elsewhere",
        _ => "",
    }
}

/// Makes the words of a failure.
pub(in crate::world::live) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    move |said| FileError { doing, path: path.to_owned(), said }
}

/// How our files are opened: to be read and written, and, where they are made, by nobody else.
pub(in crate::world::live) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a directory that is for nobody else, and those above it, so that it is there after a crash, too.
///
/// # Errors
/// [`FileError`].
pub(in crate::world::live) fn directory(path: &Path) -> Result<(), FileError> {
    if path.is_dir() || path.as_os_str().is_empty() {
        return Ok(());
    }
    let above = path.parent().unwrap_or_else(|| Path::new(""));
    directory(above)?;
    // One at a time, so that the name of each gets to the disk.
    let mut builder = DirBuilder::new();
    builder.recursive(false);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        // Another process was faster.
        Err(_) if path.is_dir() => {}
        made => made.map_err(failed("make the directory", path))?,
    }
    sync_directory(above)
}

/// A time in nanoseconds since 1970 as one that can be written.
pub(in crate::world::live) fn time(nanos: u64) -> Timestamp {
    // All of them are years before 2555, which it knows.
    Timestamp::from_nanosecond(nanos.into()).unwrap_or(Timestamp::MAX)
}

/// Waits until the names in a directory are on the disk.
///
/// # Errors
/// [`FileError`].
#[cfg(unix)]
pub(in crate::world::live) fn sync_directory(path: &Path) -> Result<(), FileError> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path).and_then(|directory| directory.sync_all()).map_err(failed("write to the disk", path))
}

/// Elsewhere a directory cannot be opened; the system looks after its names itself.
#[cfg(not(unix))]
pub(in crate::world::live) fn sync_directory(_path: &Path) -> Result<(), FileError> {
    Ok(())
}

/// Tries to lock a file until it is locked or this much time is over; `false` when it is.
///
/// # Errors
/// [`FileError`] on a file system without locks.
pub(in crate::world::live) fn lock(
    path: &Path,
    wait: Duration,
    attempt: impl Fn() -> Result<(), TryLockError>,
) -> Result<bool, FileError> {
    let mut left = wait;
    loop {
        match attempt() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if left.is_zero() => return Ok(false),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(said)) => return Err(failed("lock", path)(said)),
        }
        pause(left.min(PAUSE));
        left = left.saturating_sub(PAUSE);
    }
}

/// Lets time pass: waits for word from somebody who says nothing.
pub(in crate::world::live) fn pause(time: Duration) {
    let (_silent, word) = mpsc::channel::<()>();
    let _ = word.recv_timeout(time);
}

/// A file of lines that only grows. Whoever has it has it alone.
#[derive(Debug)]
pub(in crate::world::live) struct Lines {
    file: File,
    path: PathBuf,
    /// How many bytes of it count. What is behind them is cut off before anything is written.
    length: u64,
}

impl Lines {
    /// The lines of a file, of which so many bytes count.
    pub(in crate::world::live) const fn new(file: File, path: PathBuf, length: u64) -> Self {
        Self { file, path, length }
    }

    /// The file, to lock and unlock it.
    pub(in crate::world::live) const fn file(&self) -> &File {
        &self.file
    }

    /// Writes one line, and waits until it is on the disk.
    ///
    /// # Errors
    /// [`FileError`]; then nothing of the line is left, and another one can be tried.
    pub(in crate::world::live) fn append(&mut self, line: &[u8]) -> Result<(), FileError> {
        let end = self.length + line.len() as u64;
        if let Err(said) = self.write(line) {
            // When this fails as well, the next one begins with it, and readers know what a torn line is.
            drop(self.cut());
            return Err(failed("write", &self.path)(said));
        }
        self.length = end;
        Ok(())
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        match self.file.metadata()?.len().cmp(&self.length) {
            Ordering::Less => return Err(io::Error::other("somebody else cut it off meanwhile")),
            Ordering::Equal => {}
            Ordering::Greater => self.file.set_len(self.length)?,
        }
        self.file.seek(SeekFrom::Start(self.length))?;
        self.file.write_all(line)?;
        self.file.sync_all()
    }

    /// Cuts off what does not count.
    ///
    /// # Errors
    /// [`FileError`].
    pub(in crate::world::live) fn cut(&self) -> Result<(), FileError> {
        let shorten = || {
            if self.file.metadata()?.len() > self.length {
                self.file.set_len(self.length)?;
            }
            self.file.sync_all()
        };
        shorten().map_err(failed("shorten", &self.path))
    }

    /// Takes back the last so many bytes.
    ///
    /// # Errors
    /// [`FileError`].
    pub(in crate::world::live) fn take_back(&mut self, bytes: u64) -> Result<(), FileError> {
        self.length -= bytes;
        self.cut()
    }
}

/// The whole lines, without their line ends, and how many bytes they take; what comes behind is torn.
pub(in crate::world::live) fn whole(bytes: &[u8]) -> (Vec<&[u8]>, usize) {
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    // Text has no zero bytes. Where there are some, the machine went down before it had written what belongs there.
    let is_torn = |line: &mut &[u8]| line.last() != Some(&b'\n') || line.contains(&0);
    let torn = lines.pop_if(is_torn).map_or(0, <[u8]>::len);
    (lines.iter().map(|line| &line[..line.len() - 1]).collect(), bytes.len() - torn)
}

/// Why a line is no JSON, without the number of the line in itself, which is always 1.
pub(in crate::world::live) fn why(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}
