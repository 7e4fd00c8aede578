//! `plimsoll merge`: parts of a sweep joined.

use super::Globals;
use super::codes;
use super::exit::Exit;
use super::exit::Failure;
use super::inputs;
use super::printer::Printer;
use super::tables;
use crate::capacity::sweep;
use crate::capacity::sweep::Table;
use crate::input::problem::Problem;
use crate::report::words::counted;
use std::path::PathBuf;

/// Join the parts of a sweep to the file that one run would have written.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Parts are those of one sweep: the same files, seeds and version of plimsoll. One
that rests on something else, a point that two of them have and one that none
has are errors, and nothing is written.

Examples:
  plimsoll merge load.parquet part-1.parquet part-2.parquet part-3.parquet
  plimsoll merge load.csv results/part-*.parquet")]
pub(super) struct MergeArgs {
    /// The file to write, as Parquet or, where it ends in .csv, as CSV.
    #[arg(value_name = "OUT")]
    out: PathBuf,
    /// Parquet files that `plimsoll sweep --partition` wrote, in any order.
    #[arg(required = true, value_name = "PART")]
    parts: Vec<PathBuf>,
}

/// Joins the parts and shows what they come to.
///
/// # Errors
///
/// What is no part, parts that do not come together, and what cannot be written.
pub(super) fn merge(args: &MergeArgs, globals: &Globals, printer: &mut Printer) -> Result<Exit, Failure> {
    tables::fits("merge", globals.format())?;
    tables::kind(&args.out)?;
    let parts = args.parts.iter().map(|part| tables::read(part)).collect::<Result<Vec<Table>, Failure>>()?;
    let names: Vec<String> = args.parts.iter().map(|part| inputs::shown(part)).collect();
    let table = sweep::merge(parts).map_err(|why| Problem::error(&codes::UNJOINED, why.told(&names)))?;
    tables::write(&args.out, &table)?;
    tables::show(&table, globals.format(), printer)?;
    printer.note(&format!("wrote {}, {}", inputs::shown(&args.out), counted(table.rows.len() as u64, "row")));
    Ok(Exit::Good)
}
