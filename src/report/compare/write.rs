//! A comparison as files in a directory.

use super::Comparison;
use super::html::html;
use super::json::json;
use super::markdown::markdown;
use super::table::csv;
use crate::record::replace_all;
use crate::report::plot;
use crate::report::plot::Theme;
use crate::report::plot::png;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// Writes `compare.html`, `compare.svg`, `compare.png`, `compare.json`, `compare.md` and `compare.csv` into a directory, which
/// is made where it is missing; each file as a whole or not at all. Gives the files in this order.
///
/// # Errors
/// What the file system says.
pub fn write(directory: &Path, comparison: &Comparison) -> io::Result<Vec<PathBuf>> {
    let picture = plot::comparison(comparison);
    let mut document = serde_json::to_string_pretty(&json(comparison))?;
    document.push('\n');
    let files = [
        ("compare.html", html(comparison).into_bytes()),
        ("compare.svg", plot::alone(&picture).into_bytes()),
        ("compare.png", png(&picture, Theme::Light).map_err(io::Error::other)?),
        ("compare.json", document.into_bytes()),
        ("compare.md", markdown(comparison).into_bytes()),
        ("compare.csv", csv(comparison).map_err(io::Error::other)?.into_bytes()),
    ];
    replace_all(directory, files)
}
