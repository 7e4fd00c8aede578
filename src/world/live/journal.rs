//! What a change of a live host is about to do, written down before it is done: one file a change, a line an entry,
//! so that whoever comes after a crash can go on or back. Before you change it:
//! 1. A line that is reported as written is on the disk, and so is the name of the file.
//! 2. What an entry says may have been done or not when the process ends there. The host has to be looked at.
//! 3. Reading is strict: a line that is whole and makes no sense is an error. A journal that is guessed at is worse
//!    than none.

pub(super) mod durable;
#[cfg(all(test, unix))]
mod tests;

pub use durable::FileError;
use durable::Lines;
use durable::directory;
use durable::failed;
use durable::lock;
use durable::options;
use durable::sync_directory;
use durable::time;
use durable::whole;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::fs::File;
use std::io;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// Where the journals are, below the directory for the state.
const FOLDER: &str = "changes";
/// How journals end.
const ENDING: &str = ".jsonl";
/// Identifiers that are tried before somebody must have done something odd to the clock.
const ATTEMPTS: u64 = 64;

/// Why a journal was not written, or not read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system did not let us.
    #[error(transparent)]
    File(#[from] FileError),
    /// This cannot be the name of a change.
    #[error("`{0}` is no name of a change; names look like `deploy-20261123T141530Z-3f9c`")]
    Name(String),
    /// There is a change of this name.
    #[error("there is a change `{0}` already, and no other may have its name; begin it again under another one")]
    Taken(String),
    /// There is no change of this name.
    #[error("there is no change `{id}` in `{}`", .folder.display())]
    Unknown {
        /// Its name.
        id: String,
        /// Where its journal would be.
        folder: PathBuf,
    },
    /// It was ended before its first line was written, so it did nothing.
    #[error(
        "the change `{0}` was ended before it began, so there is nothing to go on with; its journal can be deleted"
    )]
    NotBegun(String),
    /// Another process writes it.
    #[error("another process is at work on the change `{0}`; wait for it to end")]
    Busy(String),
    /// A line of it is whole and no line of such a journal.
    #[error(
        "line {line} of `{}` is damaged: {why}; see on the host what became of the change, then move the file away",
        .path.display()
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// What was to be written has no form as JSON.
    #[error("an entry of a journal has no form as JSON, which is a bug: {0}")]
    Shape(serde_json::Error),
}

/// The journal of a change that is going on. No second process can write it as long as this one does.
#[derive(Debug)]
pub struct Journal {
    lines: Lines,
}

/// What a journal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<O, E> {
    /// Its first line: what is to be done.
    pub opening: O,
    /// All that came after it.
    pub entries: Vec<E>,
    /// Whether the process was ended while it wrote one more entry. What that says was not begun.
    pub torn: bool,
}

impl Journal {
    /// Begins the journal of a change, in a directory for the state that is made where it is missing.
    ///
    /// # Errors
    /// [`JournalError`]; then there is no journal. [`JournalError::Taken`] where there was one before.
    pub fn begin<O: Serialize>(dir: &Path, id: &str, opening: &O) -> Result<Self, JournalError> {
        let path = path(dir, id)?;
        let line = line(opening)?;
        let folder = dir.join(FOLDER);
        directory(&folder)?;
        let file = match options().create_new(true).open(&path) {
            Err(said) if said.kind() == io::ErrorKind::AlreadyExists => return Err(JournalError::Taken(id.to_owned())),
            opened => opened.map_err(failed("make", &path))?,
        };
        let begun = || {
            locked(&file, id, &path)?;
            let mut lines = Lines::new(file, path.clone(), 0);
            lines.append(&line)?;
            sync_directory(&folder)?;
            Ok(Self { lines })
        };
        // Should the file stay, it has no first line, so it counts as not begun.
        begun().inspect_err(|_| drop(fs::remove_file(&path)))
    }

    /// Begins the journal of a change under the first name that nobody has, at this time in nanoseconds since 1970. The
    /// opening is told the name. Gives the name, too.
    ///
    /// # Errors
    /// As [`Journal::begin`].
    pub fn begin_anew<O: Serialize>(
        dir: &Path,
        kind: &str,
        at: u64,
        opening: impl Fn(&str) -> O,
    ) -> Result<(String, Self), JournalError> {
        let mut attempt = 0;
        loop {
            let id = new_id(kind, at.saturating_add(attempt));
            match Self::begin(dir, &id, &opening(&id)) {
                Err(JournalError::Taken(_)) if attempt < ATTEMPTS => attempt += 1,
                begun => return Ok((id, begun?)),
            }
        }
    }

    /// Goes on with the journal of a change that another process began. A torn line goes when the next one comes.
    ///
    /// # Errors
    /// [`JournalError`]. Whether its lines make sense is for [`read`] to say.
    pub fn open(dir: &Path, id: &str) -> Result<Self, JournalError> {
        let path = path(dir, id)?;
        let mut file = match options().open(&path) {
            Err(said) if said.kind() == io::ErrorKind::NotFound => return Err(unknown(dir, id)),
            opened => opened.map_err(failed("open", &path))?,
        };
        locked(&file, id, &path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed("read", &path))?;
        let (lines, length) = whole(&bytes);
        if lines.is_empty() {
            return Err(JournalError::NotBegun(id.to_owned()));
        }
        Ok(Self { lines: Lines::new(file, path, length as u64) })
    }

    /// Writes an entry. What it says may be done once this returns.
    ///
    /// # Errors
    /// [`JournalError`]; then nothing of the entry is left, what it says must not be done, and another one can be
    /// tried.
    pub fn append<E: Serialize>(&mut self, entry: &E) -> Result<(), JournalError> {
        Ok(self.lines.append(&line(entry)?)?)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Said aloud, since a process that was started meanwhile may have the file, too, for a moment.
        drop(self.lines.file().unlock());
    }
}

/// Reads the journal of a change.
///
/// # Errors
/// [`JournalError`]; [`JournalError::NotBegun`] where not even the first line is whole.
pub fn read<O: DeserializeOwned, E: DeserializeOwned>(dir: &Path, id: &str) -> Result<Read<O, E>, JournalError> {
    let path = path(dir, id)?;
    match fs::read(&path) {
        Err(said) if said.kind() == io::ErrorKind::NotFound => Err(unknown(dir, id)),
        read => read_from(&read.map_err(failed("read", &path))?, id, &path),
    }
}

/// The changes that somebody began and nobody ended, oldest first: those whose last entry does not end the change. One
/// that another process is at work on is among them. Of a change that is over only the last entry is read, so damage to
/// what is history keeps nobody from going on.
///
/// # Errors
/// [`JournalError`].
pub fn unfinished<O: DeserializeOwned, E: DeserializeOwned>(
    dir: &Path,
    is_finished: fn(&E) -> bool,
) -> Result<Vec<(O, Vec<E>)>, JournalError> {
    let mut found = Vec::new();
    for id in ids(&dir.join(FOLDER))? {
        let path = path(dir, &id)?;
        let bytes = fs::read(&path).map_err(failed("read", &path))?;
        let lines = whole(&bytes).0;
        let is_over = match lines.as_slice() {
            [] => true,
            [_opening] => false,
            [.., last] => is_finished(&parse(last, &path, lines.len())?),
        };
        if !is_over {
            let read = read_from(&bytes, &id, &path)?;
            found.push((read.opening, read.entries));
        }
    }
    Ok(found)
}

/// A name for a change of this kind that begins at this time, in nanoseconds since 1970:
/// `deploy-20261123T141530Z-3f9c`. Names of a kind sort by time. The last digits are the part of the second, down to
/// a millisecond, and a rest that keeps processes apart; [`Journal::begin`] sees where that does not do.
#[must_use]
pub fn new_id(kind: &str, at: u64) -> String {
    let part = at % 1_000_000_000 / 1_000_000 * 1024 / 1000;
    let rest = at.wrapping_add(std::process::id().into()) % 64;
    format!("{kind}-{}-{:04x}", time(at).strftime("%Y%m%dT%H%M%SZ"), part * 64 + rest)
}

/// The changes in a folder, oldest first.
fn ids(folder: &Path) -> Result<Vec<String>, JournalError> {
    let mut ids = Vec::new();
    let files = match fs::read_dir(folder) {
        Err(said) if said.kind() == io::ErrorKind::NotFound => return Ok(ids),
        files => files.map_err(failed("read", folder))?,
    };
    for file in files {
        let name = file.map_err(failed("read", folder))?.file_name();
        let id = name.to_str().and_then(|name| name.strip_suffix(ENDING));
        ids.extend(id.filter(|id| is_name(id)).map(str::to_owned));
    }
    // The kind comes last, so that changes of different kinds are in the order of their times, too.
    ids.sort_by_cached_key(|id| {
        let mut parts = id.rsplitn(3, '-').map(str::to_owned);
        let digits = parts.next();
        (parts.next(), digits, parts.next())
    });
    Ok(ids)
}

/// The journal of a change, whose name may come from a user.
fn path(dir: &Path, id: &str) -> Result<PathBuf, JournalError> {
    if !is_name(id) {
        return Err(JournalError::Name(id.to_owned()));
    }
    Ok(dir.join(FOLDER).join(format!("{id}{ENDING}")))
}

fn is_name(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    id.len() <= 100 && id.bytes().all(is_plain) && id.starts_with(|first: char| first.is_ascii_alphanumeric())
}

fn unknown(dir: &Path, id: &str) -> JournalError {
    JournalError::Unknown { id: id.to_owned(), folder: dir.join(FOLDER) }
}

/// Takes the right to write a journal.
fn locked(file: &File, id: &str, path: &Path) -> Result<(), JournalError> {
    let is_ours = lock(path, Duration::ZERO, || file.try_lock())?;
    if is_ours { Ok(()) } else { Err(JournalError::Busy(id.to_owned())) }
}

fn line(of: &impl Serialize) -> Result<Vec<u8>, JournalError> {
    let mut line = serde_json::to_vec(of).map_err(JournalError::Shape)?;
    line.push(b'\n');
    Ok(line)
}

fn read_from<O: DeserializeOwned, E: DeserializeOwned>(
    bytes: &[u8],
    id: &str,
    path: &Path,
) -> Result<Read<O, E>, JournalError> {
    let (lines, length) = whole(bytes);
    let [opening, entries @ ..] = lines.as_slice() else { return Err(JournalError::NotBegun(id.to_owned())) };
    let opening = parse(opening, path, 1)?;
    let entries =
        entries.iter().zip(2..).map(|(entry, number)| parse(entry, path, number)).collect::<Result<_, _>>()?;
    Ok(Read { opening, entries, torn: length < bytes.len() })
}

fn parse<T: DeserializeOwned>(text: &[u8], path: &Path, line: usize) -> Result<T, JournalError> {
    let damaged =
        |error: serde_json::Error| JournalError::Damaged { path: path.to_owned(), line, why: durable::why(&error) };
    serde_json::from_slice(text).map_err(damaged)
}
