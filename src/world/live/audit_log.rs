//! What was done to a live host, by whom and when: a log whose lines hang on each other by their hashes, so that none
//! can be changed, taken out, put in or moved without [`verify`] seeing it. Before you change it:
//! 1. The hash of a line is the SHA-256 of the hash before it and of the line's own bytes without its hash, as they
//!    stand there. Nothing is read and written anew to check it.
//! 2. The last hash is kept beside the log, so that a cut-off end is seen, too. It is written after the line: a log
//!    that is one line ahead is that of a process which was ended in between, and the next line mends it.
//! 3. Who may write both files can make up a whole new log. To see that, keep the last hash that [`verify`] gives
//!    elsewhere.

use super::journal::FileError;
use super::journal::durable;
use super::journal::durable::Lines;
use super::journal::durable::failed;
use super::journal::durable::whole;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;
use std::fmt::Write;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// The log, in the directory for the state.
const LOG: &str = "audit.jsonl";
/// Where its last hash is kept.
const HEAD: &str = "audit.head";
/// Stands before the hash in a line, and after it.
const BEFORE_HASH: &[u8] = b",\"hash\":\"";
const AFTER_HASH: &[u8] = b"\"}";
/// Digits of a hash.
const HASH: usize = 64;
/// One line takes milliseconds. Whoever takes so long to write one stands still.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why the log was not written, or not read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file system did not let us.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is not as it was written.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// Another process does not let go of it.
    #[error("another process has been writing `{}` for {} s; see what it waits for", .0.display(), PATIENCE.as_secs())]
    Busy(PathBuf),
    /// What was to be written has no form as JSON.
    #[error("what was done has no form as JSON, which is a bug: {0}")]
    Shape(serde_json::Error),
}

/// Where the log is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line} of `{}` is not as it was written: {why}; find out who did that, then move it and `audit.head` \
     elsewhere, and a new log begins",
    .log.display()
)]
pub struct Broken {
    /// The log.
    pub log: PathBuf,
    /// The first line that is wrong, or is missing, counted from 1.
    pub line: u64,
    /// What is wrong.
    pub why: String,
}

/// A log that is as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Actions in it.
    pub entries: u64,
    /// The hash of the last one; all zeros where there is none.
    pub last_hash: String,
    /// Whether a process was ended while it wrote: one more entry stands there in part, or in full before it was
    /// reported as written. The next entry mends that.
    pub interrupted: bool,
}

/// An action of the log.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logged {
    /// Its number, counted from 1.
    pub seq: u64,
    /// When: RFC 3339 with milliseconds, in UTC.
    pub at: String,
    /// Who did it.
    pub who: String,
    /// What was done, as it was given.
    pub what: serde_json::Value,
    /// The hash of the action before it.
    pub prev: String,
    /// Its own.
    pub hash: String,
}

/// What a line says, in the order it says it; the hash comes behind.
#[derive(Serialize)]
struct Body<'a, W> {
    seq: u64,
    at: &'a str,
    who: &'a str,
    what: &'a W,
    prev: &'a str,
}

/// The end of the log, as far as it was reported as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    seq: u64,
    hash: String,
    /// Bytes of the log up to there.
    length: u64,
}

/// The log of a directory for the state.
#[derive(Debug)]
pub struct AuditLog {
    dir: PathBuf,
}

impl AuditLog {
    /// The log of this directory. What is missing is made.
    ///
    /// # Errors
    /// [`LogError::File`].
    pub fn open(dir: &Path) -> Result<Self, LogError> {
        durable::directory(dir)?;
        let log = Self { dir: dir.to_owned() };
        log.file()?;
        Ok(log)
    }

    /// Writes an action, at this time in nanoseconds since 1970, and gives its number. It is on the disk when this
    /// returns. What a process left that was ended while it wrote is mended before.
    ///
    /// # Errors
    /// [`LogError`]; then the action is not in the log, unless the very last step failed, which is to wait for the
    /// disk. A log whose end is [`LogError::Broken`] is not gone on with.
    pub fn append<E: Serialize>(&mut self, at: u64, who: &str, what: &E) -> Result<u64, LogError> {
        let path = self.path();
        let file = self.file()?;
        if !durable::lock(&path, PATIENCE, || file.try_lock())? {
            return Err(LogError::Busy(path));
        }
        let (mut lines, head) = self.mended(file)?;
        let at = format!("{:.3}", durable::time(at));
        let seq = head.seq.saturating_add(1);
        let body = Body { seq, at: &at, who, what, prev: &head.hash };
        let body = serde_json::to_vec(&body).map_err(LogError::Shape)?;
        let hash = hash_of(&head.hash, &body);
        let line = [&body[..body.len() - 1], BEFORE_HASH, hash.as_bytes(), AFTER_HASH, b"\n"].concat();
        let next = Head { seq, hash, length: head.length + line.len() as u64 };
        // What needs room on the disk comes first, so that the log is not ahead when there is none.
        let prepared = self.prepare(&next)?;
        lines.append(&line).inspect_err(|_| drop(fs::remove_file(&prepared)))?;
        if let Err(error) = self.put(&prepared) {
            drop(lines.take_back(line.len() as u64));
            return Err(error.into());
        }
        durable::sync_directory(&self.dir)?;
        Ok(seq)
    }

    fn path(&self) -> PathBuf {
        self.dir.join(LOG)
    }

    fn file(&self) -> Result<File, FileError> {
        let path = self.path();
        durable::options().create(true).truncate(false).open(&path).map_err(failed("open", &path))
    }

    /// The log and its end, after what was left by a process that was ended while it wrote is put in order.
    fn mended(&self, mut file: File) -> Result<(Lines, Head), LogError> {
        let path = self.path();
        let mut head = Head::read(&self.dir)?;
        let end = head.end();
        let from = head.length.saturating_sub(end.len() as u64);
        let mut read = || {
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(from.min(file.metadata()?.len())))?;
            file.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().map_err(failed("read", &path))?;
        let rest = bytes.strip_prefix(end.as_slice()).ok_or_else(|| {
            let why = "it was changed or cut off, since `audit.head` knows another one";
            broken(&self.dir, head.seq, why.to_owned())
        })?;
        let (ahead, length) = whole(rest);
        let (length, torn) = (head.length + length as u64, &rest[length..]);
        match ahead.as_slice() {
            [] => {}
            [line] => {
                let seq = head.seq.saturating_add(1);
                let hash = check(line, seq, &head.hash).map_err(|why| broken(&self.dir, seq, why))?;
                head = Head { seq, hash, length };
                // It was written and may be in memory only; its hash must not get to the disk before it does.
                file.sync_all().map_err(failed("write", &path))?;
                self.put(&self.prepare(&head)?)?;
                durable::sync_directory(&self.dir)?;
            }
            _ => return Err(broken(&self.dir, head.seq.saturating_add(2), unknown_to_head(head.seq)).into()),
        }
        let lines = Lines::new(file, path, length);
        if !torn.is_empty() {
            self.keep_aside(torn)?;
            lines.cut()?;
        }
        Ok((lines, head))
    }

    /// Writes the end of the log beside its place.
    fn prepare(&self, head: &Head) -> Result<PathBuf, LogError> {
        let beside = self.dir.join(format!("{HEAD}.part"));
        let text = serde_json::to_vec(head).map_err(LogError::Shape)?;
        fill(&beside, durable::options().create(true).truncate(true), &text).map_err(failed("write", &beside))?;
        Ok(beside)
    }

    /// Puts it into its place; on the disk it is there once the directory is.
    fn put(&self, beside: &Path) -> Result<(), FileError> {
        let head = self.dir.join(HEAD);
        fs::rename(beside, &head).map_err(failed("replace", &head))
    }

    /// Keeps a torn line under a name of its own.
    fn keep_aside(&self, torn: &[u8]) -> Result<(), FileError> {
        for number in 1_u32.. {
            let path = self.dir.join(format!("audit.torn-{number}"));
            match fill(&path, durable::options().create_new(true), torn) {
                Err(said) if said.kind() == io::ErrorKind::AlreadyExists => {}
                kept => {
                    kept.map_err(failed("write", &path))?;
                    break;
                }
            }
        }
        durable::sync_directory(&self.dir)
    }
}

impl Head {
    /// The end that is kept beside the log; where none is, that of an empty log.
    fn read(dir: &Path) -> Result<Self, LogError> {
        let path = dir.join(HEAD);
        match fs::read(&path) {
            Err(said) if said.kind() == io::ErrorKind::NotFound => {
                Ok(Self { seq: 0, hash: "0".repeat(HASH), length: 0 })
            }
            read => {
                let text = read.map_err(failed("read", &path))?;
                let why =
                    |error| format!("nobody can tell its end, since `audit.head` is damaged: {}", durable::why(&error));
                Ok(serde_json::from_slice(&text).map_err(|error| broken(dir, 1, why(error)))?)
            }
        }
    }

    /// The bytes that the log ends with.
    fn end(&self) -> Vec<u8> {
        if self.seq == 0 { Vec::new() } else { [BEFORE_HASH, self.hash.as_bytes(), AFTER_HASH, b"\n"].concat() }
    }
}

/// Goes through the whole log of a directory for the state, and sees whether it is as it was written.
///
/// # Errors
/// [`LogError::Broken`] where it is not; else [`LogError`] where it cannot be read.
pub fn verify(dir: &Path) -> Result<Verified, LogError> {
    let (bytes, head) = at_rest(dir)?;
    let head = head?;
    let (lines, length) = whole(&bytes);
    // The hash and the length of the log before its first line, and after each.
    let mut ends = vec![("0".repeat(HASH), 0)];
    for (line, seq) in lines.iter().zip(1..) {
        let (hash, length) = &ends[ends.len() - 1];
        let hash = check(line, seq, hash).map_err(|why| broken(dir, seq, why))?;
        ends.push((hash, length + line.len() as u64 + 1));
    }
    let entries = lines.len() as u64;
    let (line, why) = match usize::try_from(head.seq).ok().and_then(|seq| ends.get(seq)) {
        None => (entries + 1, format!("it is missing, since `audit.head` knows of {} lines", head.seq)),
        Some((hash, length)) if *hash != head.hash || *length != head.length => {
            (head.seq, "it is not the one that `audit.head` knows".to_owned())
        }
        Some(_) if head.seq + 1 < entries => (head.seq + 2, unknown_to_head(head.seq)),
        Some(_) => {
            let interrupted = head.seq < entries || length < bytes.len();
            let last_hash = ends.pop().map(|(hash, _)| hash).unwrap_or_default();
            return Ok(Verified { entries, last_hash, interrupted });
        }
    };
    Err(broken(dir, line, why).into())
}

/// The last so many actions, oldest first. Whether they are as they were written is for [`verify`] to say.
///
/// # Errors
/// [`LogError`].
pub fn read(dir: &Path, last: usize) -> Result<Vec<Logged>, LogError> {
    let (bytes, _) = at_rest(dir)?;
    let lines = whole(&bytes).0;
    let from = lines.len().saturating_sub(last);
    let one = |(line, number): (&&[u8], u64)| {
        serde_json::from_slice(line)
            .map_err(|error| broken(dir, number, format!("it is no line of such a log: {}", durable::why(&error))))
    };
    let logged: Result<_, Broken> = lines.iter().zip(1..).skip(from).map(one).collect();
    Ok(logged?)
}

/// The log and its end, read while nobody writes them.
fn at_rest(dir: &Path) -> Result<(Vec<u8>, Result<Head, LogError>), LogError> {
    let path = dir.join(LOG);
    let mut file = match File::open(&path) {
        Err(said) if said.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), Head::read(dir))),
        opened => opened.map_err(failed("open", &path))?,
    };
    if !durable::lock(&path, PATIENCE, || file.try_lock_shared())? {
        return Err(LogError::Busy(path));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed("read", &path))?;
    Ok((bytes, Head::read(dir)))
}

/// The hash of a line that is due here; why it is not the right one, where it is not.
fn check(line: &[u8], seq: u64, prev: &str) -> Result<String, String> {
    let logged: Logged = serde_json::from_slice(line)
        .map_err(|error| format!("it is no line of such a log: {}", durable::why(&error)))?;
    let written = [BEFORE_HASH, logged.hash.as_bytes(), AFTER_HASH].concat();
    let body = line.strip_suffix(written.as_slice()).map(|body| [body, b"}"].concat());
    if body.is_none_or(|body| hash_of(&logged.prev, &body) != logged.hash) {
        return Err("it was changed after it was written".to_owned());
    }
    if logged.seq != seq || logged.prev != prev {
        return Err(format!("lines were taken out, put in or moved, since number {} stands here", logged.seq));
    }
    Ok(logged.hash)
}

/// Of the hash before a line and the line without its own.
fn hash_of(prev: &str, body: &[u8]) -> String {
    let mut hex = String::with_capacity(HASH);
    for byte in Sha256::new().chain_update(prev).chain_update(body).finalize() {
        // A string takes all that is written to it.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

fn broken(dir: &Path, line: u64, why: String) -> Broken {
    Broken { log: dir.join(LOG), line, why }
}

fn unknown_to_head(seq: u64) -> String {
    format!("lines were put in behind the end, since `audit.head` knows of {seq} lines")
}

/// Writes a small file, and waits until it is on the disk. Where that fails there is none.
fn fill(path: &Path, how: &OpenOptions, bytes: &[u8]) -> io::Result<()> {
    let mut file = how.open(path)?;
    let filled = io::Write::write_all(&mut file, bytes).and_then(|()| file.sync_all());
    filled.inspect_err(|_| drop(fs::remove_file(path)))
}

#[cfg(all(test, unix))]
mod tests;
