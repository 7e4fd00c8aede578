//! Reports on the screen and on the disk, in the format asked for.

use super::codes;
use super::exit::Failure;
use super::format::Format;
use super::inputs;
use super::output;
use super::printer::Printer;
use crate::input::problem::Problem;
use crate::report;
use crate::report::Paint;
use crate::report::Report;
use std::path::Path;

/// Whether so many reports go into a format; asked before anything runs.
///
/// # Errors
///
/// Where the format holds one report and there are several.
pub(super) fn fits(format: Format, count: usize) -> Result<(), Failure> {
    if format != Format::Html || count < 2 {
        return Ok(());
    }
    let message = format!("`html` is one page about one scenario, and there are {count}");
    let help = "name one scenario, or write a page for each with `--report DIR`";
    Err(Problem::error(&codes::OPTION, message).help(help).into())
}

/// Prints the reports in a format. The printer takes the colours out where they are not wanted.
///
/// # Errors
///
/// Where the format cannot be made, which is a bug.
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
