//! Sweeps: a scenario run at many points, with seeds, and what came of each run as one row of a table.
//!
//! Before you change it:
//! 1. The same sweep gives the same bytes: on any number of threads, whether it ran through or was ended and taken up again,
//!    as one run or as parts that were joined. The table is always made from the rows in the order of their points, and rows
//!    always come from text (the journal, or the files of parts), whose numbers read back exactly.
//! 2. What a table rests on is written in it ([`Basis`]): rows of different bases never come together.
//! 3. A row is one run, a point with a seed. Nothing is averaged before it is shown.

mod basis;
mod check;
mod csv;
mod draws;
mod edge;
mod journal;
mod json;
mod merge;
mod parquet;
mod points;
mod run;
mod scored;
mod table;
mod text;
mod tune;

pub use basis::Basis;
pub use check::Checked;
pub use check::check;
pub use csv::csv;
pub use journal::Damaged;
pub use journal::Found;
pub use journal::Journal;
pub use json::json;
pub use merge::Unjoined;
pub use merge::merge;
pub use parquet::parquet;
pub use parquet::read_parquet;
pub use points::Points;
pub use run::Bench;
pub use run::Ended;
pub use run::Failed;
pub use run::STEPS;
pub use run::run;
pub use table::Aimed;
pub use table::CHECK;
pub use table::Cell;
pub use table::Column;
pub use table::Header;
pub use table::Kind;
pub use table::Part;
pub use table::Role;
pub use table::Row;
pub use table::SEARCH;
pub use table::Table;
pub use table::Tuned;
pub use text::text;
pub use tune::expected_runs;
pub use tune::tune;

/// Version of what is written in a journal and beside the rows of a table.
pub const FORMAT_VERSION: u32 = 1;
