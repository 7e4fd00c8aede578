//! A report as files in a directory.

use super::collect::Report;
use super::html::html;
use super::json;
use super::junit::Suite;
use super::junit::junit;
use super::markdown::markdown;
use super::plot;
use super::plot::Theme;
use super::plot::pictures;
use super::plot::png;
use super::table::csv;
use crate::record::replace;
use crate::record::replace_all;
use rayon::iter::IntoParallelRefIterator;
use rayon::iter::ParallelIterator;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// Writes `report.html`, `summary.json`, `summary.md`, `services.csv`, `junit.xml` and `plots/*.svg`, `plots/*.png` into a
/// directory, which is made where it is missing; each file as a whole or not at all. Gives the files in the order a person
/// would open them.
///
/// # Errors
/// What the file system says.
pub fn write(directory: &Path, report: &Report) -> io::Result<Vec<PathBuf>> {
    let plots = directory.join("plots");
    let pictures = pictures(report.shown());
    let mut summary = serde_json::to_string_pretty(&json::scenario(report))?;
    summary.push('\n');
    let texts = [
        ("report.html", html(report, &pictures)),
        ("summary.json", summary),
        ("summary.md", markdown(report)),
        ("services.csv", csv(std::slice::from_ref(report)).map_err(io::Error::other)?),
        ("junit.xml", junit(&[Suite::of(report)])),
    ];
    let mut written = replace_all(directory, texts.map(|(name, text)| (name, text.into_bytes())))?;
    let drawn: Vec<io::Result<[PathBuf; 2]>> = pictures
        .par_iter()
        .map(|picture| {
            let paths = ["svg", "png"].map(|ending| plots.join(format!("{}.{ending}", picture.file)));
            replace(&paths[0], plot::alone(&picture.svg).as_bytes())?;
            replace(&paths[1], &png(&picture.svg, Theme::Light).map_err(io::Error::other)?)?;
            Ok(paths)
        })
        .collect();
    for paths in drawn {
        written.extend(paths?);
    }
    Ok(written)
}
