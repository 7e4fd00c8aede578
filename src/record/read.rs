//! Reads a record, from the first damaged byte on refusing it.

use super::Event;
use super::FORMAT_VERSION;
use super::RecordError;
use super::check::Check;
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::path::Path;

/// The longest line, in bytes. The header is the longest: it holds every point of a trace.
const LINE_MAX: usize = 64 << 20;
/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// Reads the events of a record one after another, in bounded memory. After an error there is nothing more.
pub struct Reader {
    file: Box<dyn BufRead>,
    line: u64,
    text: Vec<u8>,
    check: Check,
    done: bool,
}

impl Reader {
    /// Opens a record, compressed or not; the content decides, not the name.
    ///
    /// # Errors
    /// [`RecordError::File`] where it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        Self::new(File::open(path)?)
    }

    /// A reader of these bytes.
    ///
    /// # Errors
    /// [`RecordError::File`] where the first bytes cannot be read.
    pub fn new(file: impl Read + 'static) -> Result<Self, RecordError> {
        let mut file = BufReader::with_capacity(1 << 16, file);
        let compressed = file.fill_buf()?.starts_with(&GZIP);
        let file: Box<dyn BufRead> = if compressed {
            Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(file)))
        } else {
            Box::new(file)
        };
        Ok(Self { file, line: 0, text: Vec::new(), check: Check::default(), done: false })
    }

    fn read(&mut self) -> Result<Option<Event>, RecordError> {
        self.text.clear();
        let limit = u64::try_from(LINE_MAX).unwrap_or(u64::MAX) + 1;
        let read = (&mut self.file).take(limit).read_until(b'\n', &mut self.text);
        let length = match read {
            Ok(length) => length,
            // A compressed file that was cut.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(RecordError::Cut { line: self.line });
            }
            Err(error) => return Err(error.into()),
        };
        if length == 0 {
            return if self.check.ended() { Ok(None) } else { Err(RecordError::Cut { line: self.line }) };
        }
        self.line += 1;
        if length > LINE_MAX {
            return Err(RecordError::Long { line: self.line, limit: LINE_MAX });
        }
        if self.line == 1 {
            version(&self.text)?;
        }
        let event = match serde_json::from_slice(&self.text) {
            Ok(event) => event,
            Err(_) if self.line > 1 && !self.text.ends_with(b"\n") => {
                return Err(RecordError::Cut { line: self.line - 1 });
            }
            Err(error) => return Err(RecordError::Line { line: self.line, why: short(&error.to_string()) }),
        };
        self.check.take(&event, self.line)?;
        Ok(Some(event))
    }
}

impl Iterator for Reader {
    type Item = Result<Event, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let event = self.read().transpose();
        self.done = !matches!(event, Some(Ok(_)));
        event
    }
}

/// Checks the format version before anything else of the header, since a newer header may have another form.
fn version(line: &[u8]) -> Result<(), RecordError> {
    #[derive(serde::Deserialize)]
    struct First {
        #[serde(rename = "Began")]
        began: Versions,
    }
    #[derive(serde::Deserialize)]
    struct Versions {
        format_version: u64,
        #[serde(default)]
        plimsoll_version: String,
    }
    let first: First =
        serde_json::from_slice(line).map_err(|error| RecordError::Line { line: 1, why: short(&error.to_string()) })?;
    if first.began.format_version == u64::from(FORMAT_VERSION) {
        return Ok(());
    }
    let program = short(&first.began.plimsoll_version);
    Err(RecordError::Version { found: first.began.format_version, program })
}

/// A message in one line of bounded length, without control characters.
fn short(text: &str) -> String {
    let mut line: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    // serde_json counts lines within the one line it was given.
    if let Some(end) = line.find(" at line ") {
        line.truncate(end);
    }
    line
}
