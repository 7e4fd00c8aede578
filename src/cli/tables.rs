//! Tables of sweeps: read, written and shown.

use super::codes;
use super::exit::Failure;
use super::format::Format;
use super::inputs;
use super::output;
use super::printer::Printer;
use crate::capacity::sweep::Table;
use crate::capacity::sweep::csv;
use crate::capacity::sweep::json;
use crate::capacity::sweep::parquet;
use crate::capacity::sweep::read_parquet;
use crate::capacity::sweep::text;
use crate::input::problem::Problem;
use crate::report::Paint;
use std::path::Path;

/// What a file of rows is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Parquet, with what the rows are of.
    Parquet,
    /// CSV, the rows alone.
    Csv,
}

/// What a file of rows is, by the end of its name.
///
/// # Errors
///
/// Another end.
pub(super) fn kind(path: &Path) -> Result<Kind, Problem> {
    match path.extension().and_then(|end| end.to_str()) {
        Some("parquet") => Ok(Kind::Parquet),
        Some("csv") => Ok(Kind::Csv),
        _ => {
            let message = format!("`{}` is no file that rows are written to", inputs::shown(path));
            Err(Problem::error(&codes::OPTION, message).help("name a file that ends in `.parquet` or `.csv`"))
        }
    }
}

/// Refuses formats that tables do not have.
///
/// # Errors
///
/// Such a format.
pub(super) fn fits(command: &str, format: Format) -> Result<(), Failure> {
    match format {
        Format::Table | Format::Json | Format::Csv => Ok(()),
        Format::Md | Format::Html => Err(format.refused(command, &[Format::Table, Format::Json, Format::Csv])),
    }
}

/// Reads a table that a sweep wrote.
///
/// # Errors
///
/// A file that is none.
pub(super) fn read(path: &Path) -> Result<Table, Failure> {
    if kind(path)? == Kind::Csv {
        let message = format!("`{}` does not say what its rows are of", inputs::shown(path));
        let help = "only Parquet does: let parts be written to files that end in `.parquet`; the whole may be CSV";
        return Err(Problem::error(&codes::UNJOINED, message).help(help).into());
    }
    read_parquet(path).map_err(|error| {
        let why = error.to_string();
        let why = why.rsplit_once(": ").map_or(why.as_str(), |(_, why)| why);
        let message = format!("cannot read `{}` as rows of a sweep: {why}", inputs::shown(path));
        Problem::error(&codes::UNJOINED, message).into()
    })
}

/// Writes a table.
///
/// # Errors
///
/// What the system says.
pub(super) fn write(path: &Path, table: &Table) -> Result<(), Failure> {
    let bug = |error: String| Failure::Bug(format!("cannot make the table: {error}"));
    let bytes = match kind(path)? {
        Kind::Parquet => parquet(table).map_err(|error| bug(error.to_string()))?,
        Kind::Csv => csv(table).map_err(|error| bug(error.to_string()))?.into_bytes(),
    };
    output::write(path, &bytes)
}

/// Shows a table.
///
/// # Errors
///
/// Never for the formats that [`fits`] lets pass.
pub(super) fn show(table: &Table, format: Format, printer: &mut Printer) -> Result<(), Failure> {
    match format {
        Format::Json => printer.json(&json(table)),
        Format::Csv => {
            let rows = csv(table);
            printer.data(&rows.map_err(|error| Failure::Bug(format!("cannot make the table: {error}")))?);
        }
        Format::Table | Format::Md | Format::Html => printer.data(&text(table, printer.width(), Paint::Colour)),
    }
    Ok(())
}
