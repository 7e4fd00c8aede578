//! A table as Parquet, and back: one row group, no compression, what the table is of beside the rows.
//!
//! Before you change it: the same table gives the same bytes. Nothing here knows a clock, a file name or a machine, and the
//! name of the writer is ours, without the version of a library.

use super::table::Cell;
use super::table::Header;
use super::table::Kind;
use super::table::Row;
use super::table::Table;
use parquet::basic::LogicalType;
use parquet::basic::Repetition;
use parquet::basic::Type as Physical;
use parquet::column::reader::ColumnReader;
use parquet::data_type::BoolType;
use parquet::data_type::ByteArray;
use parquet::data_type::ByteArrayType;
use parquet::data_type::DoubleType;
use parquet::data_type::Int64Type;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::FileReader;
use parquet::file::reader::SerializedFileReader;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// The key under which it stands what the table is of.
const KEY: &str = "plimsoll.sweep";

/// The bytes of a file with the table.
///
/// # Errors
/// Never for a table whose rows have its columns; the type is that of the writer.
pub fn parquet(table: &Table) -> Result<Vec<u8>, ParquetError> {
    let header = serde_json::to_string(&table.header).map_err(|error| ParquetError::General(error.to_string()))?;
    let properties = WriterProperties::builder()
        .set_created_by(concat!("plimsoll ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new(KEY.to_owned(), header)]))
        .build();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema(&table.header)?, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    let mut place = 0;
    while let Some(mut column) = group.next_column()? {
        let cells = || table.rows.iter().filter_map(|row| row.get(place));
        match table.header.columns[place].kind {
            Kind::Whole => {
                let values: Vec<i64> = cells().filter_map(whole).collect();
                column.typed::<Int64Type>().write_batch(&values, None, None)?;
            }
            Kind::Flag => {
                let values: Vec<bool> = cells().filter_map(flag).collect();
                column.typed::<BoolType>().write_batch(&values, None, None)?;
            }
            Kind::Text => {
                let values: Vec<ByteArray> = cells().map(|cell| ByteArray::from(cell.text().into_bytes())).collect();
                column.typed::<ByteArrayType>().write_batch(&values, None, None)?;
            }
            Kind::Number => {
                let values: Vec<f64> = cells().filter_map(number).collect();
                let there: Vec<i16> = cells().map(|cell| i16::from(number(cell).is_some())).collect();
                column.typed::<DoubleType>().write_batch(&values, Some(&there), None)?;
            }
        }
        column.close()?;
        place += 1;
    }
    group.close()?;
    writer.close()?;
    Ok(bytes)
}

/// Reads a table that [`parquet()`] wrote.
///
/// # Errors
/// What is wrong with the file, among it that no sweep wrote it.
pub fn read_parquet(path: &Path) -> Result<Table, ParquetError> {
    let other = |why: &str| ParquetError::General(why.to_owned());
    let reader = SerializedFileReader::new(File::open(path)?)?;
    let keys = reader.metadata().file_metadata().key_value_metadata();
    let header = keys.into_iter().flatten().find(|pair| pair.key == KEY).and_then(|pair| pair.value.as_ref());
    let header = header.ok_or_else(|| other("no sweep wrote it"))?;
    let header: Header = serde_json::from_str(header).map_err(|_| other("a newer version of plimsoll wrote it"))?;
    let mut rows: Vec<Row> = Vec::new();
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group)?;
        let count = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        let mut columns = Vec::new();
        for (place, column) in header.columns.iter().enumerate() {
            let cells = cells(group.get_column_reader(place)?, column.kind, count)?;
            columns.push(cells.into_iter());
        }
        rows.extend((0..count).map(|_| columns.iter_mut().filter_map(Iterator::next).collect::<Row>()));
    }
    if rows.iter().any(|row| row.len() != header.columns.len()) {
        return Err(other("a column is cut short"));
    }
    Ok(Table { header, rows })
}

fn cells(column: ColumnReader, kind: Kind, count: usize) -> Result<Vec<Cell>, ParquetError> {
    match (column, kind) {
        (ColumnReader::Int64ColumnReader(mut reader), Kind::Whole) => {
            let mut values = Vec::new();
            reader.read_records(count, None, None, &mut values)?;
            Ok(values.into_iter().map(|value: i64| Cell::Whole(value.cast_unsigned())).collect())
        }
        (ColumnReader::BoolColumnReader(mut reader), Kind::Flag) => {
            let mut values = Vec::new();
            reader.read_records(count, None, None, &mut values)?;
            Ok(values.into_iter().map(Cell::Flag).collect())
        }
        (ColumnReader::ByteArrayColumnReader(mut reader), Kind::Text) => {
            let mut values: Vec<ByteArray> = Vec::new();
            reader.read_records(count, None, None, &mut values)?;
            let text = |value: &ByteArray| value.as_utf8().map(|text| Cell::Text(text.to_owned()));
            values.iter().map(text).collect()
        }
        (ColumnReader::DoubleColumnReader(mut reader), Kind::Number) => {
            let (mut values, mut there) = (Vec::new(), Vec::new());
            reader.read_records(count, Some(&mut there), None, &mut values)?;
            let mut values = values.into_iter();
            Ok(there.into_iter().map(|there| Cell::Number(if there == 1 { values.next() } else { None })).collect())
        }
        _ => Err(ParquetError::General("a column is of another kind than it says".to_owned())),
    }
}

fn schema(header: &Header) -> Result<Arc<Type>, ParquetError> {
    let column = |column: &super::table::Column| {
        let (physical, logical) = match column.kind {
            Kind::Whole => (Physical::INT64, Some(LogicalType::integer(64, false))),
            Kind::Number => (Physical::DOUBLE, None),
            Kind::Flag => (Physical::BOOLEAN, None),
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let repetition = if column.kind == Kind::Number { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        Type::primitive_type_builder(&column.title(), physical)
            .with_logical_type(logical)
            .with_repetition(repetition)
            .build()
            .map(Arc::new)
    };
    let fields = header.columns.iter().map(column).collect::<Result<Vec<_>, _>>()?;
    Type::group_type_builder("sweep").with_fields(fields).build().map(Arc::new)
}

/// The bits of a whole number; the column says that it has no sign.
fn whole(cell: &Cell) -> Option<i64> {
    if let Cell::Whole(number) = cell { Some(number.cast_signed()) } else { None }
}

fn flag(cell: &Cell) -> Option<bool> {
    if let Cell::Flag(flag) = cell { Some(*flag) } else { None }
}

fn number(cell: &Cell) -> Option<f64> {
    if let Cell::Number(number) = cell { *number } else { None }
}
