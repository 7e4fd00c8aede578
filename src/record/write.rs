//! Writes a record.

use super::Event;
use flate2::GzBuilder;
use flate2::write::GzEncoder;
use std::io;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::sync_channel;
use std::thread::Builder;
use std::thread::JoinHandle;

/// Text is collected up to this length before it is handed on, in bytes.
const CHUNK: usize = 1 << 16;
/// Room for a chunk and the event that fills it, in bytes.
const ROOM: usize = CHUNK + CHUNK / 4;
/// Chunks that may wait for compression.
const WAITING: usize = 16;
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
pub struct Writer<W: Write + Send + 'static> {
    chunk: Vec<u8>,
    sink: Sink<W>,
}

enum Sink<W: Write + Send + 'static> {
    Plain(W),
    /// Compression takes about as long as a run, so it has a thread of its own; chunks arrive in order.
    Gzip {
        chunks: Option<SyncSender<Vec<u8>>>,
        worker: Option<JoinHandle<io::Result<W>>>,
    },
    /// No thread, and why.
    Failed(String),
}

impl<W: Write + Send + 'static> Writer<W> {
    /// A writer to `file`, which needs no buffer of its own.
    pub fn new(file: W, compression: Compression) -> Self {
        let sink = match compression {
            Compression::None => Sink::Plain(file),
            Compression::Gzip => {
                // 255 is "unknown" for the operating system, so that the header is the same everywhere.
                let level = flate2::Compression::new(LEVEL);
                let encoder = GzBuilder::new().mtime(0).operating_system(255).write(file, level);
                let (chunks, waiting) = sync_channel(WAITING);
                let name = "record".to_owned();
                match Builder::new().name(name).spawn(move || compress(encoder, &waiting)) {
                    Ok(worker) => Sink::Gzip { chunks: Some(chunks), worker: Some(worker) },
                    Err(error) => Sink::Failed(error.to_string()),
                }
            }
        };
        Self { chunk: Vec::with_capacity(ROOM), sink }
    }

    /// Writes one event.
    ///
    /// # Errors
    /// What the file says, such as a full disk; of a compressed one it may be about an earlier event.
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
            Sink::Gzip { chunks, worker } => {
                drop(chunks);
                joined(worker)?
            }
            Sink::Failed(why) => return Err(io::Error::other(why)),
        };
        file.flush()?;
        Ok(file)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::Plain(file) => {
                file.write_all(&self.chunk)?;
                self.chunk.clear();
            }
            Sink::Gzip { chunks, worker } => {
                let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(ROOM));
                if chunks.as_ref().is_none_or(|chunks| chunks.send(chunk).is_err()) {
                    // The thread is gone, so it has met an error, and tells it once.
                    chunks.take();
                    joined(worker.take())?;
                    return Err(io::Error::other("nothing more can be written after an error"));
                }
            }
            Sink::Failed(why) => return Err(io::Error::other(why.clone())),
        }
        Ok(())
    }
}

/// Compresses chunks as they come.
fn compress<W: Write>(mut encoder: GzEncoder<W>, chunks: &Receiver<Vec<u8>>) -> io::Result<W> {
    for chunk in chunks {
        encoder.write_all(&chunk)?;
    }
    encoder.finish()
}

/// Waits for the thread and gives what it came to.
fn joined<W>(worker: Option<JoinHandle<io::Result<W>>>) -> io::Result<W> {
    let gone = || io::Error::other("the compression has ended before");
    worker.ok_or_else(gone)?.join().map_err(|_| gone())?
}
