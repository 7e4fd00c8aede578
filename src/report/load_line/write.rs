//! Load lines as files in a directory.

use super::Answer;
use super::csv;
use super::html;
use super::json;
use super::markdown;
use crate::record::replace_all;
use crate::report::plot;
use crate::report::plot::Theme;
use crate::report::plot::png;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// Writes `capacity.html`, `.json`, `.md` and `.csv` into a directory, which is made where it is missing, and for each host with
/// a curve `margins-HOST.svg` and `.png`; each file as a whole or not at all. Gives the files in this order.
///
/// # Errors
/// What the file system says.
pub fn write(directory: &Path, answer: &Answer) -> io::Result<Vec<PathBuf>> {
    let mut document = serde_json::to_string_pretty(&json(answer))?;
    document.push('\n');
    let mut files = vec![
        ("capacity.html".to_owned(), html(answer).into_bytes()),
        ("capacity.json".to_owned(), document.into_bytes()),
        ("capacity.md".to_owned(), markdown(answer).into_bytes()),
        ("capacity.csv".to_owned(), csv(answer).map_err(io::Error::other)?.into_bytes()),
    ];
    for line in &answer.lines {
        let Some(picture) = plot::margins(line) else { continue };
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let host: String = line.scenario.host.name.chars().map(plain).collect();
        files.push((format!("margins-{host}.svg"), plot::alone(&picture).into_bytes()));
        files.push((format!("margins-{host}.png"), png(&picture, Theme::Light).map_err(io::Error::other)?));
    }
    replace_all(directory, files)
}
