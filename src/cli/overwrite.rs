//! Files that a command writes again and again, and that people change in between. Before you change it:
//! 1. Nothing of the user's is lost: what is not as we wrote it is replaced on demand only, and kept beside the new file.
//! 2. It is decided for all files before the first is written.

use super::codes;
use super::exit::Failure;
use super::output;
use crate::input::problem::Problem;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

/// Checksums of what was written, in the folder it was written to. Prometheus, Grafana and Compose do not look at it.
const SUMS: &str = ".plimsoll-sums";

/// A file to be written.
pub(super) struct Wanted<'a> {
    /// Where it belongs below the folder, with `/`.
    pub(super) path: &'a str,
    pub(super) text: &'a str,
    /// Left alone where it is there already.
    pub(super) beginning: bool,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was not there.
    New,
    /// It was there as it should be.
    Unchanged,
    /// It took the place of what we wrote before.
    Renewed,
    /// It took the place of something else, which is kept beside it.
    Replaced,
    /// It is the user's, and was left alone.
    Kept,
}

impl Outcome {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Unchanged => "unchanged",
            Self::Renewed => "renewed",
            Self::Replaced => "replaced",
            Self::Kept => "kept",
        }
    }
}

/// Writes files to a folder; `force` also replaces those that are not as we wrote them.
///
/// # Errors
///
/// Files that would be lost, and what the system says.
pub(super) fn write(
    folder: &Path,
    files: &[Wanted<'_>],
    command: &str,
    force: bool,
) -> Result<Vec<(Outcome, Option<PathBuf>)>, Failure> {
    let sums = sums(folder)?;
    let outcomes: Vec<Outcome> = files.iter().map(|file| outcome(folder, file, &sums)).collect::<Result<_, _>>()?;
    let at_risk: Vec<&str> = files
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| **outcome == Outcome::Replaced)
        .map(|(file, _)| file.path)
        .collect();
    if !force && !at_risk.is_empty() {
        let (count, are, it) = if at_risk.len() == 1 { ("1 file", "is", "it") } else { ("some files", "are", "them") };
        let message =
            format!("{count} of `{}` {are} not as `{command}` wrote {it}: {}", folder.display(), at_risk.join(", "));
        let help = "`--force` replaces what is there and keeps each as .bak; `--out` takes another directory";
        return Err(Problem::error(&codes::OVERWRITE, message).help(help).into());
    }
    let mut written = Vec::new();
    for (file, outcome) in files.iter().zip(outcomes) {
        let path = folder.join(file.path);
        let backup = if outcome == Outcome::Replaced { Some(set_aside(&path)?) } else { None };
        if !matches!(outcome, Outcome::Unchanged | Outcome::Kept) {
            output::write(&path, file.text.as_bytes())?;
        }
        written.push((outcome, backup));
    }
    // An edited beginning stays the user's: its sum is that of our text, not of what is there.
    let lines: String =
        files.iter().map(|file| format!("{:016x}  {}\n", sum(file.text.as_bytes()), file.path)).collect();
    output::write(&folder.join(SUMS), lines.as_bytes())?;
    Ok(written)
}

fn outcome(folder: &Path, file: &Wanted<'_>, sums: &BTreeMap<String, u64>) -> Result<Outcome, Failure> {
    let Some(there) = output::read(&folder.join(file.path))? else { return Ok(Outcome::New) };
    Ok(if there == file.text.as_bytes() {
        Outcome::Unchanged
    } else if file.beginning {
        Outcome::Kept
    } else if sums.get(file.path) == Some(&sum(&there)) {
        Outcome::Renewed
    } else {
        Outcome::Replaced
    })
}

fn sums(folder: &Path) -> Result<BTreeMap<String, u64>, Failure> {
    let text = output::read(&folder.join(SUMS))?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let entry = |line: &str| {
        let (sum, path) = line.split_once("  ")?;
        Some((path.to_owned(), u64::from_str_radix(sum, 16).ok()?))
    };
    Ok(text.lines().filter_map(entry).collect())
}

/// Gives a file a name that is free: `alerts.yml.bak`, `alerts.yml.bak2`, …
fn set_aside(path: &Path) -> Result<PathBuf, Failure> {
    let backup = output::free_beside(path, ".bak");
    std::fs::rename(path, &backup).map_err(|error| output::failed(&backup, &error))?;
    Ok(backup)
}

/// FNV-1a with 64 bits (Fowler, Noll, Vo): tells an edit, not an attack.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &Path, text: &str, force: bool) -> Result<(Outcome, Option<PathBuf>), Failure> {
        let file = Wanted { path: "rules/a.yml", text, beginning: false };
        write(folder, &[file], "bundle", force).map(|mut all| all.remove(0))
    }

    #[test]
    fn what_a_person_changed_is_never_lost() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let path = folder.join("rules/a.yml");
        assert_eq!(written(folder, "one", false).expect("written"), (Outcome::New, None));
        assert_eq!(written(folder, "one", false).expect("written"), (Outcome::Unchanged, None));
        assert_eq!(written(folder, "two", false).expect("written"), (Outcome::Renewed, None));
        for (edit, kept) in [("mine", "rules/a.yml.bak"), ("mine too", "rules/a.yml.bak2")] {
            std::fs::write(&path, edit).expect("an edit");
            assert!(written(folder, "three", false).is_err());
            assert_eq!(std::fs::read_to_string(&path).expect("still there"), edit);
            let backup = folder.join(kept);
            assert_eq!(written(folder, "three", true).expect("written"), (Outcome::Replaced, Some(backup.clone())));
            assert_eq!(std::fs::read_to_string(&path).expect("the new one"), "three");
            assert_eq!(std::fs::read_to_string(&backup).expect("the old one"), edit);
        }
    }

    #[test]
    fn a_file_that_was_there_before_us_is_not_ours() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("rules")).expect("a folder");
        std::fs::write(folder.path().join("rules/a.yml"), "theirs").expect("a file");
        assert!(written(folder.path(), "ours", false).is_err());
        assert!(!folder.path().join(SUMS).exists());
    }

    #[test]
    fn a_beginning_is_written_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |text| {
            let file = Wanted { path: "a.yml", text, beginning: true };
            super::write(folder.path(), &[file], "bundle", true).expect("written").remove(0).0
        };
        assert_eq!(write("one"), Outcome::New);
        std::fs::write(folder.path().join("a.yml"), "mine").expect("an edit");
        assert_eq!(write("two"), Outcome::Kept);
        assert_eq!(std::fs::read_to_string(folder.path().join("a.yml")).expect("there"), "mine");
    }
}
