//! Writes a record.

use super::Event;
use flate2::GzBuilder;
use flate2::write::GzEncoder;
use std::io;
use std::io::Write;
use std::path::Path;

/// Text is collected up to this length before it is handed on, in bytes.
const CHUNK: usize = 1 << 16;
/// Records shrink about tenfold even at the fastest level; a higher one costs more time than the run itself.
const LEVEL: u32 = 1;

/// Whether a record is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Lines of text.
    None,
    /// gzip, with a header that names neither file nor time.
    Gzip,
}

impl Compression {
    /// What the name of the file asks for: gzip for `.gz`.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz")) { Self::Gzip } else { Self::None }
    }
}

/// Writes events one after another; the same events give the same bytes.
#[must_use = "a record is complete only after `finish`"]
pub struct Writer<W: Write> {
    chunk: Vec<u8>,
    sink: Sink<W>,
}

enum Sink<W: Write> {
    Plain(W),
    Gzip(GzEncoder<W>),
}

impl<W: Write> Writer<W> {
    /// A writer to `file`, which needs no buffer of its own.
    pub fn new(file: W, compression: Compression) -> Self {
        let sink = match compression {
            Compression::None => Sink::Plain(file),
            // 255 is "unknown" for the operating system, so that the header is the same everywhere.
            Compression::Gzip => {
                Sink::Gzip(GzBuilder::new().mtime(0).operating_system(255).write(file, flate2::Compression::new(LEVEL)))
            }
        };
        Self { chunk: Vec::with_capacity(CHUNK + CHUNK / 4), sink }
    }

    /// Writes one event.
    ///
    /// # Errors
    /// What the file says, such as a full disk.
    pub fn push(&mut self, event: &Event) -> io::Result<()> {
        serde_json::to_writer(&mut self.chunk, event)?;
        self.chunk.push(b'\n');
        if self.chunk.len() >= CHUNK {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what is left and gives the file back.
    ///
    /// # Errors
    /// What the file says.
    pub fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        let mut file = match self.sink {
            Sink::Plain(file) => file,
            Sink::Gzip(encoder) => encoder.finish()?,
        };
        file.flush()?;
        Ok(file)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::Plain(file) => file.write_all(&self.chunk)?,
            Sink::Gzip(encoder) => encoder.write_all(&self.chunk)?,
        }
        self.chunk.clear();
        Ok(())
    }
}
