//! One change at a time on this machine: a file that is locked as long as a change goes on. Before you change it:
//! 1. The lock is the kernel's, which takes it back whatever way the process ends. What stands in the file is only
//!    for people.
//! 2. The file is never deleted: of two processes one could lock the file that is gone and the other one the new one.

use super::journal::FileError;
use super::journal::durable;
use super::journal::durable::failed;
use std::fmt;
use std::fs::File;
use std::io::Seek;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use std::time::SystemTime;

/// The name of the file, in the directory for the state.
const NAME: &str = "lock";

/// Who holds the lock, as the file says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HeldBy {
    /// The process.
    pub pid: u32,
    /// Since when: RFC 3339, in UTC.
    pub since: String,
    /// What it does.
    pub about: String,
}

impl fmt::Display for HeldBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {}, since {})", self.about, self.pid, self.since)
    }
}

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// Somebody has it: who, unless that process has just begun or is just ending.
    #[error(
        "something else is being changed from this machine: {}; wait for it to end",
        .0.as_ref().map_or_else(|| "another process is at it".to_owned(), ToString::to_string)
    )]
    Held(Option<HeldBy>),
    /// The file system did not let us.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The right to change something from this machine; it ends with this value, or with the process.
#[derive(Debug)]
#[must_use = "the right to change something ends when this is dropped"]
pub struct Hold {
    file: File,
}

impl Hold {
    /// Takes the lock of a directory for the state, which is made where it is missing. While another process has it,
    /// waits for as long as this; not at all for [`Duration::ZERO`].
    ///
    /// # Errors
    /// [`HoldError`].
    pub fn take(dir: &Path, about: &str, wait: Duration) -> Result<Self, HoldError> {
        durable::directory(dir)?;
        let path = dir.join(NAME);
        let file = durable::options().create(true).truncate(false).open(&path).map_err(failed("open", &path))?;
        if !durable::lock(&path, wait, || file.try_lock())? {
            return Err(HoldError::Held(holder(&path)));
        }
        let mut hold = Self { file };
        hold.say(about).map_err(failed("write", &path))?;
        Ok(hold)
    }

    #[expect(clippy::disallowed_methods, reason = "people are told since when; nothing is decided by it")]
    fn say(&mut self, about: &str) -> std::io::Result<()> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let since = format!("{:.0}", durable::time(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)));
        let mut text = serde_json::to_vec(&HeldBy { pid: std::process::id(), since, about: about.to_owned() })?;
        text.push(b'\n');
        self.file.rewind()?;
        self.file.set_len(0)?;
        self.file.write_all(&text)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Nobody reads it once the lock is free. Unlocked aloud, since a process that was started meanwhile may have
        // the file, too, for a moment.
        drop(self.file.set_len(0));
        drop(self.file.unlock());
    }
}

/// What the file says. Asked twice, since whoever took the lock just now writes its name only then.
fn holder(path: &Path) -> Option<HeldBy> {
    let says = || serde_json::from_slice(&std::fs::read(path).ok()?).ok();
    says().or_else(|| {
        durable::pause(Duration::from_millis(5));
        says()
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn state() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary directory")
    }

    #[test]
    fn the_second_one_is_told_who_is_at_it() {
        let state = state();
        let first =
            Hold::take(&state.path().join("live"), "a deployment of `web`", Duration::ZERO).expect("it is free");
        let refused = Hold::take(&state.path().join("live"), "a recovery", Duration::ZERO).expect_err("it is held");
        let said = refused.to_string();
        let HoldError::Held(Some(by)) = refused else { panic!("{said}") };
        assert_eq!((by.pid, by.about.as_str()), (std::process::id(), "a deployment of `web`"));
        assert!(by.since.parse::<jiff::Timestamp>().is_ok() && by.since.ends_with('Z'), "{}", by.since);
        assert!(said.starts_with("something else is being changed from this machine: a deployment of `web` (process "));
        drop(first);
        let file = state.path().join("live/lock");
        assert_eq!(std::fs::read(&file).expect("the file stays"), b"", "nobody holds it");
        drop(Hold::take(&state.path().join("live"), "a recovery", Duration::ZERO).expect("it is free again"));
    }

    #[test]
    fn whoever_waits_gets_it_when_the_other_one_is_done() {
        let state = state();
        let first = Hold::take(state.path(), "first", Duration::ZERO).expect("it is free");
        let (done, waiting) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| done.send(Hold::take(state.path(), "second", Duration::from_secs(60)).is_ok()));
            assert!(waiting.recv_timeout(Duration::from_millis(100)).is_err(), "it waits");
            drop(first);
            assert_eq!(waiting.recv_timeout(Duration::from_secs(30)), Ok(true));
        });
        let third = Hold::take(state.path(), "third", Duration::ZERO).expect("it is free");
        let refused = Hold::take(state.path(), "fourth", Duration::from_millis(50)).expect_err("patience has an end");
        assert!(matches!(&refused, HoldError::Held(Some(by)) if by.about == "third"), "{refused}");
        drop(third);
    }

    #[test]
    fn what_a_dead_process_left_in_the_file_holds_nobody_up() {
        let state = state();
        std::fs::write(state.path().join("lock"), r#"{"pid":1,"since":"2026-11-23T14:15:30Z","about":"a long story"}"#)
            .expect("a file");
        let hold = Hold::take(state.path(), "x", Duration::ZERO).expect("the lock is free");
        let text = std::fs::read_to_string(state.path().join("lock")).expect("a file");
        assert!(text.ends_with("\"about\":\"x\"}\n") && !text.contains("story"), "{text}");
        // Somebody's editor emptied it: it is held all the same, by nobody knows whom.
        std::fs::write(state.path().join("lock"), "").expect("a file");
        let refused = Hold::take(state.path(), "y", Duration::ZERO).expect_err("it is held");
        assert!(refused.to_string().contains("another process is at it"), "{refused}");
        drop(hold);
    }
}
