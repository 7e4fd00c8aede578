//! What is done so far, on the disk: a line that says what it is of, then a line a point.
//!
//! Before you change it:
//! 1. A line counts when its line end is there. A line is written at once, so that a process that is ended at any moment
//!    leaves whole lines and at most one torn one, which is dropped.
//! 2. Numbers are text ([`Cell::text`]), which reads back to the last bit.

use super::run::seed_of;
use super::table::Cell;
use super::table::Header;
use super::table::Row;
use super::table::Table;
use super::tune::fronts;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;
use std::path::Path;

/// A journal that is being written. No second process can write it as long as this one does.
#[derive(Debug)]
pub struct Journal {
    file: File,
}

/// What a journal holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What it is of.
    pub header: Header,
    /// The rows of each point that is done.
    pub points: BTreeMap<u64, Vec<Row>>,
    /// The rows of each point that is checked on seeds that the search did not see.
    pub checked: BTreeMap<u64, Vec<Row>>,
    /// How long it is without a torn last line.
    length: u64,
}

/// A journal cannot be read.
#[derive(Debug)]
pub enum Damaged {
    /// What the file system says.
    Unreadable(io::Error),
    /// This line of it, counted from 1, is whole and no line of a journal.
    Line(usize),
}

/// One line: a point that is done.
#[derive(Serialize, Deserialize)]
struct Line {
    point: u64,
    rows: Vec<Vec<String>>,
}

impl Found {
    /// Reads a journal; `None` where there is none, or not even its first line is whole.
    ///
    /// # Errors
    /// [`Damaged`], where there is one that says something else than a journal does.
    pub fn read(path: &Path) -> Result<Option<Self>, Damaged> {
        let text = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Damaged::Unreadable(error)),
        };
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut lines = text[..whole].split(|byte| *byte == b'\n').enumerate();
        let Some((_, first)) = lines.next().filter(|_| whole > 0) else { return Ok(None) };
        let header: Header = serde_json::from_slice(first).map_err(|_| Damaged::Line(1))?;
        let (mut points, mut checked) = (BTreeMap::new(), BTreeMap::new());
        for (place, line) in lines.filter(|(_, line)| !line.is_empty()) {
            let damaged = || Damaged::Line(place + 1);
            let line: Line = serde_json::from_slice(line).map_err(|_| damaged())?;
            let rows: Option<Vec<Row>> = line.rows.iter().map(|texts| header.row(texts)).collect();
            let rows = rows.ok_or_else(damaged)?;
            let is_check = rows.first().is_some_and(|row| header.is_check(seed_of(row)));
            let seeds = header.tuned.as_ref().filter(|_| is_check).map_or(&header.seeds, |tuned| &tuned.check);
            if rows.len() != seeds.len() {
                return Err(damaged());
            }
            let place = if is_check { &mut checked } else { &mut points };
            place.insert(line.point, rows);
        }
        Ok(Some(Self { header, points, checked, length: whole as u64 }))
    }

    /// The table of what is done, in the order of the points; of a sweep that is tuned, those of the search first.
    #[must_use]
    pub fn table(self) -> Table {
        let rows = self.points.into_values().chain(self.checked.into_values()).flatten().collect();
        let table = Table { header: self.header, rows };
        if table.header.tuned.is_some() { fronts(table) } else { table }
    }
}

impl Journal {
    /// Begins a journal, whatever was there before.
    ///
    /// # Errors
    /// What the file system says; that another process writes it is [`io::ErrorKind::WouldBlock`].
    pub fn begin(path: &Path, header: &Header) -> io::Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        let mut journal = Self { file: locked(path)? };
        journal.file.set_len(0)?;
        journal.line(header)?;
        Ok(journal)
    }

    /// Goes on with a journal behind what was found in it.
    ///
    /// # Errors
    /// What the file system says; that another process writes it is [`io::ErrorKind::WouldBlock`].
    pub fn go_on(path: &Path, found: &Found) -> io::Result<Self> {
        let mut file = locked(path)?;
        file.set_len(found.length)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file })
    }

    /// Writes a point that is done.
    ///
    /// # Errors
    /// What the file system says, such as a full disk.
    pub fn push(&mut self, point: u64, rows: &[Row]) -> io::Result<()> {
        let texts = |row: &Row| row.iter().map(Cell::text).collect();
        self.line(&Line { point, rows: rows.iter().map(texts).collect() })
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.file.write_all(&bytes)
    }
}

fn locked(path: &Path) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        // A file system without locks: nobody can tell, and the work is worth more.
        Err(TryLockError::Error(_)) => Ok(file),
    }
}
