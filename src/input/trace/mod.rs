//! Measured series as CSV: a header, the time in seconds (`t_s`) first, then numbers; an empty cell is a missing value.
//!
//! Before you change it:
//! 1. Numbers are read exactly, as whole millionths and nanoseconds, so a trace gives the same load on every machine.
//! 2. Steps need not be equal: a jump of more than one and a half usual steps is a gap, in which nothing is known.
//! 3. A file is read once, in time proportional to its size; of many errors only so many are kept.

mod load;
mod number;
#[cfg(test)]
mod tests;

pub use load::Reading;
pub use load::Unit;

use crate::input::problem::Code;
use crate::input::problem::Place;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::problem::Source;
use crate::input::problem::nearest;
use crate::units::Span;
use std::path::Path;

/// Codes of traces.
pub const CODES: &[&Code] = &[&SHAPE, &CELL, &ORDER, &COLUMN, &READING];

static SHAPE: Code = Code {
    id: "PL0501",
    title: "this is no trace",
    explanation: "A trace is a CSV file: a header line, comma separated, first the column `t_s` with seconds since the first sample, \
then at least one column of numbers, for example

    t_s,requests
    0,42
    60,61

Every row has as many cells as the header.",
};

static CELL: Code = Code {
    id: "PL0502",
    title: "a cell that is no number",
    explanation: "Cells hold plain numbers, such as `42`, `0.5` or `1.2e3`, and none is negative. Leave a cell empty where nothing was \
measured; `NaN`, `inf`, `-` and words are errors, since a guess at what they mean would change the load in silence.",
};

static ORDER: Code = Code {
    id: "PL0503",
    title: "time goes backwards",
    explanation: "Rows are in order of time. A file that holds several series side by side, such as one for each machine, is read one \
series at a time with `where: { vm_id: 0 }`.",
};

static COLUMN: Code = Code {
    id: "PL0504",
    title: "unknown column",
    explanation: "`column` names a column of the header other than `t_s`. It may be left out where there is only one.",
};

static READING: Code = Code {
    id: "PL0505",
    title: "a trace that cannot be read so",
    explanation: "What a value means is said with `per`: with `per: 1s` values are requests per second, with `per: 1m` requests per \
minute; without it a value counts the requests from its row to the next. `count: rows` takes every row as one request. `from` must \
lie within the file, and what is left after `where` must not be empty.",
};

/// The name of the first column.
pub(super) const TIME: &str = "t_s";

/// Errors after which reading stops.
const ERRORS_MAX: usize = 200;

/// A table of numbers over time.
#[derive(Debug, Clone)]
pub struct Trace {
    source: Source,
    /// Names of the columns after the time.
    columns: Vec<String>,
    rows: Vec<Row>,
    /// Cells row by row, in millionths.
    cells: Vec<Option<u64>>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    time: Span,
    /// First byte of the row in the source.
    start: usize,
}

impl Trace {
    /// The names of the columns after the time.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// How many rows there are; at least one.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The values of a column with their times since the first sample; values in millionths, `None` where a cell is empty.
    pub fn values(&self, column: usize) -> impl Iterator<Item = (Span, Option<u64>)> {
        let width = self.columns.len();
        self.rows.iter().enumerate().map(move |(row, at)| (at.time, self.cells[row * width + column]))
    }

    fn row_place(&self, row: usize) -> Place {
        let start = self.rows[row].start;
        let length = self.source.text()[start..].find('\n').unwrap_or(self.source.text().len() - start);
        self.source.place(start, start + length)
    }

    /// The place of the header line.
    fn header_place(&self) -> Place {
        let length = self.source.text().find('\n').unwrap_or(self.source.text().len());
        self.source.place(0, length)
    }
}

/// Reads a trace from a file.
///
/// # Errors
/// The file cannot be read, or all that is wrong with it.
pub fn read(path: &Path) -> Result<Trace, Problems> {
    parse(&Source::read(path)?)
}

/// Reads a trace.
///
/// # Errors
/// All that is wrong with it.
pub fn parse(source: &Source) -> Result<Trace, Problems> {
    let text = source.text();
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = Lines { text, next: text.len() - body.len() };
    let header = lines.find(|(_, line)| !line.trim().is_empty());
    let Some((start, line)) = header else {
        return Err(Problem::error(&SHAPE, "the trace is empty").at(&source.place(0, 0)).help(EXAMPLE).into());
    };
    let columns = header_names(source, start, line)?;
    let mut trace = Trace { source: source.clone(), columns, rows: Vec::new(), cells: Vec::new() };
    let mut problems = Problems::new();
    let mut errors = 0;
    for (start, line) in lines {
        if line.trim().is_empty() {
            continue;
        }
        let before = trace.cells.len();
        if let Err(wrong) = row(&mut trace, start, line) {
            trace.cells.truncate(before);
            errors += wrong.iter().count();
            problems.extend(wrong);
            if errors >= ERRORS_MAX {
                let message = format!("reading stopped after {ERRORS_MAX} errors");
                problems.push(Problem::error(&SHAPE, message).at(&source.place(start, start + line.len())));
                break;
            }
        }
    }
    if trace.rows.is_empty() && problems.is_empty() {
        let problem = Problem::error(&SHAPE, "the trace has a header and no rows").at(&trace.header_place());
        problems.push(problem.help(EXAMPLE));
    }
    let first = trace.rows.iter().map(|row| row.time).min().unwrap_or(Span::ZERO);
    for row in &mut trace.rows {
        row.time = row.time.minus(first);
    }
    if problems.has_errors() { Err(problems) } else { Ok(trace) }
}

const EXAMPLE: &str = "a trace starts with `t_s,requests` and goes on with rows such as `60,42`";

/// The names after `t_s`.
fn header_names(source: &Source, start: usize, line: &str) -> Result<Vec<String>, Problems> {
    let mut problems = Problems::new();
    let mut names: Vec<String> = Vec::new();
    for (index, (at, cell)) in cells(start, line).enumerate() {
        let place = source.place(at, at + cell.len());
        let name = unquoted(cell);
        if index == 0 {
            if name != TIME {
                let hint = if nearest(name, [TIME]).is_some() { ", did you mean `t_s`?" } else { "" };
                let message = format!("the first column is `{}`{hint}", short(name));
                problems.push(
                    Problem::error(&SHAPE, message).at(&place).help("the first column is the time in seconds, `t_s`"),
                );
            }
        } else if name.is_empty() {
            problems.push(Problem::error(&SHAPE, format!("column {} has no name", index + 1)).at(&place));
        } else if name == TIME || names.iter().any(|known| known == name) {
            problems.push(Problem::error(&SHAPE, format!("the column `{}` stands twice", short(name))).at(&place));
        } else {
            names.push(name.to_owned());
        }
        if index >= 10_000 {
            problems.push(Problem::error(&SHAPE, "more than 10000 columns").at(&place));
            break;
        }
    }
    if names.is_empty() && problems.is_empty() {
        let problem = Problem::error(&SHAPE, "there is no column after the time");
        problems.push(problem.at(&source.place(start, start + line.len())).help(EXAMPLE));
    }
    if problems.has_errors() { Err(problems) } else { Ok(names) }
}

fn row(trace: &mut Trace, start: usize, line: &str) -> Result<(), Problems> {
    let source = trace.source.clone();
    let mut problems = Problems::new();
    let mut time = None;
    let mut count = 0;
    for (at, cell) in cells(start, line) {
        let wrong = |why: String| Problem::error(&CELL, why).at(&source.place(at, at + cell.len().max(1)));
        let text = unquoted(cell);
        match (count, text) {
            (0, "") => problems.push(wrong("a row without a time".to_owned())),
            (0, _) => match number::read(text, 9) {
                Ok(nanos) => time = Some(Span::from_nanos(nanos)),
                Err(why) => problems.push(wrong(format!("`{}` {why}", short(text)))),
            },
            (index, _) if index > trace.columns.len() => {}
            (_, "") => trace.cells.push(None),
            (index, _) => match number::read(text, 6) {
                Ok(value) => trace.cells.push(Some(value)),
                Err(why) => {
                    let column = trace.columns.get(index - 1).map_or("", String::as_str);
                    let problem = wrong(format!("`{}` in column `{column}` {why}", short(text)));
                    problems.push(problem.help("leave the cell empty where nothing was measured"));
                }
            },
        }
        count += 1;
    }
    let width = trace.columns.len() + 1;
    if count != width && problems.is_empty() {
        let message = format!("a row of {count} cells under a header of {width}");
        problems.push(Problem::error(&SHAPE, message).at(&source.place(start, start + line.len())));
    }
    match time {
        Some(time) if problems.is_empty() => {
            trace.rows.push(Row { time, start });
            Ok(())
        }
        _ => Err(problems),
    }
}

/// Lines with the byte that each starts at.
struct Lines<'a> {
    text: &'a str,
    next: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.next;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest.find('\n').unwrap_or(rest.len());
        self.next = start + length + 1;
        Some((start, rest[..length].trim_end_matches('\r')))
    }
}

/// Cells with the byte that each starts at.
fn cells(start: usize, line: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = start;
    line.split(',').map(move |cell| {
        let here = at;
        at += cell.len() + 1;
        (here, cell)
    })
}

fn unquoted(cell: &str) -> &str {
    let cell = cell.trim();
    cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"')).unwrap_or(cell).trim()
}

/// At most 40 characters of a text that may be anything.
fn short(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
