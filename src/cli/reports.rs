//! Reports on the screen and on the disk, in the format asked for.

use super::exit::Failure;
use super::format::Format;
use super::inputs;
use super::output;
use super::printer::Printer;
use crate::report;
use crate::report::Paint;
use crate::report::Report;
use std::path::Path;

/// Prints the reports in a format. The printer takes the colours out where they are not wanted.
///
/// # Errors
///
/// Where the format holds one report and there are several.
pub(super) fn show(reports: &[Report], format: Format, printer: &mut Printer) -> Result<(), Failure> {
    match format {
        Format::Table => {
            for report in reports {
                printer.data(&report::text(report, printer.width(), Paint::Colour));
            }
        }
        Format::Json => printer.json(&report::json::document(reports)),
        Format::Csv => {
            let table =
                report::csv(reports).map_err(|error| Failure::Bug(format!("cannot make the table: {error}")))?;
            printer.data(&table);
        }
        Format::Md => {
            let pages: Vec<String> = reports.iter().map(report::markdown).collect();
            printer.data(&pages.join("\n"));
        }
        Format::Html => {
            for report in reports {
                printer.data(&report::html(report, &report::pictures(report.shown())));
            }
        }
    }
    Ok(())
}

/// Writes all forms of a report to a directory and says where.
///
/// # Errors
///
/// Where something cannot be written.
pub(super) fn write(report: &Report, directory: &Path, printer: &mut Printer) -> Result<(), Failure> {
    let written = report::write(directory, report);
    written.map_err(|error| output::failed(directory, &error))?;
    printer.note(&format!("report {}", inputs::shown(&directory.join("report.html"))));
    Ok(())
}
