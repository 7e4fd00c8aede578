//! A table as CSV: a row a run, titles with their units.

use super::table::Cell;
use super::table::Column;
use super::table::Table;

/// The table. What could not be measured is empty, and `inf` where requests came and none was answered.
///
/// # Errors
/// Never in memory; the type is that of the writer.
pub fn csv(table: &Table) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(table.header.columns.iter().map(Column::title))?;
    for row in &table.rows {
        writer.write_record(row.iter().map(Cell::text))?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
