//! What came of it as files in a directory.

use super::Fit;
use super::csv::csv;
use super::html::html;
use super::json;
use super::markdown::markdown;
use super::picture::picture;
use crate::record::replace_all;
use crate::report::Theme;
use crate::report::alone;
use crate::report::png;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// Writes `fit.html`, `fit.json`, `fit.md`, `fit.csv`, and for each currency a picture such as `fit-eur.svg` and `fit-eur.png`, into a
/// directory, which is made where it is missing; each file as a whole or not at all. Gives the files in this order;
/// `command` shows it again.
///
/// # Errors
/// What the file system says.
pub fn write(directory: &Path, fit: &Fit, command: &str) -> io::Result<Vec<PathBuf>> {
    let mut document = serde_json::to_string_pretty(&json::document(fit))?;
    document.push('\n');
    let mut files = vec![
        ("fit.html".to_owned(), html(fit, command).into_bytes()),
        ("fit.json".to_owned(), document.into_bytes()),
        ("fit.md".to_owned(), markdown(fit).into_bytes()),
        ("fit.csv".to_owned(), csv(fit).map_err(io::Error::other)?.into_bytes()),
    ];
    for answer in &fit.answers {
        let Some(picture) = picture(fit, answer.currency) else { continue };
        let name = format!("fit-{}", answer.currency.to_string().to_lowercase());
        files.push((format!("{name}.svg"), alone(&picture).into_bytes()));
        files.push((format!("{name}.png"), png(&picture, Theme::Light).map_err(io::Error::other)?));
    }
    replace_all(directory, files)
}
