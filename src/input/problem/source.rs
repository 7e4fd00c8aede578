//! Texts as they were read, and places in them.

use super::Code;
use super::Problem;
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::OnceLock;

/// The largest file that is read as text: 16 MiB.
pub const BYTES_MAX: usize = 16 << 20;

static UNREADABLE: Code = Code {
    id: "PL0001",
    title: "a file cannot be read",
    explanation: "The file does not exist, is a folder, or may not be read by this user. Check the path as it is \
                  written, and the folder it is relative to: files named on the command line are relative to the \
                  folder you are in, files named in a file are relative to that file.",
};

static TOO_LARGE: Code = Code {
    id: "PL0002",
    title: "a file is too large",
    explanation: "Files written by people are small. What is larger than 16 MiB is most likely not the file that was \
                  meant, such as a data set or an image. Name the right file, or split this one.",
};

static NOT_TEXT: Code = Code {
    id: "PL0003",
    title: "a file is not text in UTF-8",
    explanation: "The file holds bytes that are no UTF-8, or NUL bytes. It may be a binary file, or text saved as \
                  UTF-16 or Latin-1 by an editor. Save it as UTF-8, for example with `iconv -f utf-16 -t utf-8`.",
};

/// Codes of files and text.
pub const CODES: &[&Code] = &[&UNREADABLE, &TOO_LARGE, &NOT_TEXT];

/// A text that was read, with the name the user gave it. Cheap to clone.
#[derive(Clone)]
pub struct Source(Arc<Text>);

struct Text {
    name: String,
    text: String,
    line_starts: OnceLock<Vec<usize>>,
}

impl Source {
    /// A text under the name by which the user knows it.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self(Arc::new(Text { name: name.into(), text: text.into(), line_starts: OnceLock::new() }))
    }

    /// Reads a file of at most [`BYTES_MAX`] bytes of UTF-8 text.
    ///
    /// # Errors
    /// The file cannot be read, is too large, or is not text.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let name = path.display().to_string();
        let unreadable = |error: &std::io::Error| {
            Problem::error(&UNREADABLE, format!("cannot read `{name}`: {}", reason(error)))
                .help("check the path and the folder it is relative to")
        };
        let file = std::fs::File::open(path).map_err(|error| unreadable(&error))?;
        let mut bytes = Vec::new();
        file.take(BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
        Self::from_bytes(name, bytes)
    }

    /// Takes the bytes of a file as text.
    ///
    /// # Errors
    /// The bytes are more than [`BYTES_MAX`], are not UTF-8, or hold a NUL.
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Result<Self, Problem> {
        let name = name.into();
        if bytes.len() > BYTES_MAX {
            return Err(Problem::error(&TOO_LARGE, format!("`{name}` is larger than 16 MiB"))
                .help("is this the file that was meant?"));
        }
        let nul = bytes.iter().position(|byte| *byte == 0);
        let (text, bad) = match String::from_utf8(bytes) {
            Ok(text) => (text, nul),
            Err(error) => {
                let bad = error.utf8_error().valid_up_to();
                let bytes = error.into_bytes();
                (String::from_utf8_lossy(&bytes).into_owned(), Some(nul.map_or(bad, |nul| nul.min(bad))))
            }
        };
        let source = Self::new(name, text);
        let Some(bad) = bad else { return Ok(source) };
        let what = if nul == Some(bad) { "holds a NUL byte" } else { "is not UTF-8" };
        let place = source.place(bad, bad);
        Err(Problem::error(&NOT_TEXT, format!("`{}` {what} in line {}", source.name(), place.line()))
            .at(&place)
            .help("save the file as text in UTF-8"))
    }

    /// The name as the user gave it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The text as it was read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The bytes from `start` to `end`; what lies outside the text is cut off.
    #[must_use]
    pub fn place(&self, start: usize, end: usize) -> Place {
        Place { source: self.clone(), start, end: end.max(start) }
    }

    /// The line that holds the byte, counted from one, and the byte where that line starts.
    pub(super) fn line_at(&self, byte: usize) -> (usize, usize) {
        let starts = self
            .0
            .line_starts
            .get_or_init(|| std::iter::once(0).chain(self.text().match_indices('\n').map(|(at, _)| at + 1)).collect());
        let line = starts.partition_point(|start| *start <= byte);
        (line, starts[line - 1])
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({:?}, {} bytes)", self.name(), self.text().len())
    }
}

impl PartialEq for Source {
    /// The same reading of the same text, or an equal one.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.name() == other.name() && self.text() == other.text()
    }
}

impl Eq for Source {}

/// A stretch of a source, in bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    /// The text.
    pub source: Source,
    /// First byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Place {
    /// Line of the first byte, counted from one.
    #[must_use]
    pub fn line(&self) -> usize {
        self.source.line_at(self.first()).0
    }

    /// Column of the first byte: characters from the start of the line, counted from one.
    #[must_use]
    pub fn column(&self) -> usize {
        let from = self.first();
        let (_, line_start) = self.source.line_at(from);
        self.source.text()[line_start..from].chars().count() + 1
    }

    /// The text at this place.
    #[must_use]
    pub fn text(&self) -> &str {
        let from = self.first();
        &self.source.text()[from..floor(self.source.text(), self.end).max(from)]
    }

    /// The first byte, moved to the nearest start of a character within the text.
    pub(super) fn first(&self) -> usize {
        floor(self.source.text(), self.start)
    }
}

impl fmt::Display for Place {
    /// As `file:line:column`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source.name(), self.line(), self.column())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The last start of a character at or before `byte`.
pub(super) fn floor(text: &str, byte: usize) -> usize {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

/// The reason of the operating system, in our words where it is a common one.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_why_a_file_is_no_text() {
        let refuse = |bytes: &[u8]| Source::from_bytes("a.yaml", bytes.to_vec()).expect_err("it is no text");
        let latin = refuse(b"name: ok\ncity: K\xf6ln\n");
        assert_eq!(latin.message, "`a.yaml` is not UTF-8 in line 2");
        assert_eq!(latin.place.map(|place| place.column()), Some(8));
        assert_eq!(refuse(b"a\0b").message, "`a.yaml` holds a NUL byte in line 1");
        assert_eq!(refuse(b"\xff\xfea\0").message, "`a.yaml` is not UTF-8 in line 1");
        assert_eq!(refuse(&vec![b'#'; BYTES_MAX + 1]).code.id, "PL0002");
        assert!(Source::from_bytes("empty", Vec::new()).is_ok());
    }

    #[test]
    fn says_which_file_is_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        for path in [folder.path().join("none.yaml"), folder.path().to_owned()] {
            let problem = Source::read(&path).expect_err("not a file");
            assert!(problem.code.id == "PL0001" && problem.message.contains(&path.display().to_string()));
        }
    }
}
