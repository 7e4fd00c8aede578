//! What happened, in order; its file format and version. One record is one run: one scenario with one seed.
//!
//! A file is JSON lines, one [`Event`] a line, [`Event::Began`] first and [`Event::Ended`] last; gzip where its name ends
//! in `.gz`. Before you change it:
//! 1. The same events give the same bytes: no clock, no file name, no machine in the file, nor in its gzip header.
//! 2. The types are those of `model`: a renamed field is a new [`FORMAT_VERSION`]. A reader takes its own version only,
//!    and says which program reads the other.
//! 3. A reader trusts nothing: whatever passes [`Reader`] is in order, complete and small enough to be added up, so
//!    nobody behind it checks again.

mod check;
mod part;
mod problem;
mod read;
mod write;

pub use part::Part;
pub use part::replace;
pub use part::replace_all;
pub use problem::CODES;
pub use problem::Explained;
pub use problem::RecordError;
pub use read::Reader;
pub use write::Compression;
pub use write::Writer;

use crate::model::Decision;
use crate::model::Incident;
use crate::model::Observation;
use crate::model::Sample;
use crate::model::Scenario;
use crate::seed::Seed;
use crate::units::Instant;

/// Version of the file format. A reader refuses a newer one and says so.
pub const FORMAT_VERSION: u32 = 1;

/// One entry of a record.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Event {
    /// The first entry: what is run, with what.
    Began(Box<Header>),
    /// What the engine was told.
    Seen {
        /// When.
        at: Instant,
        /// What.
        observation: Observation,
    },
    /// What it answered.
    Decided {
        /// When.
        at: Instant,
        /// What.
        decision: Decision,
    },
    /// Something happened on the host.
    Happened {
        /// When.
        at: Instant,
        /// What.
        incident: Incident,
    },
    /// The truth about the stretch since the last sample.
    Sampled(Sample),
    /// The last entry.
    Ended {
        /// When.
        at: Instant,
        /// Containers advanced by one step.
        container_ticks: u64,
    },
}

/// What is run, with what.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Header {
    /// [`FORMAT_VERSION`] of the writer.
    pub format_version: u32,
    /// Version of the program.
    pub plimsoll_version: String,
    /// The seed.
    pub seed: Seed,
    /// The whole resolved scenario.
    pub scenario: Scenario,
}
