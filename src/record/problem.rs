//! Why a record cannot be read.

use super::FORMAT_VERSION;

/// A code with what `plimsoll explain` says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explained {
    /// The code: `PL0601`.
    pub id: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// What it means and the way out.
    pub explanation: &'static str,
}

/// All codes of records and reports.
pub const CODES: &[&Explained] = &[&FILE, &VERSION, &LINE, &ORDER, &CUT, &LONG, &FIGURES, &BASELINE];

const FILE: Explained = Explained {
    id: "PL0601",
    title: "the record cannot be opened or read",
    explanation: "The file is missing, may not be read, or is not the gzip file its name (`.gz`) says it is. A record is \
                  written by `plimsoll simulate SCENARIO --report DIR`; its path is printed at the end of the run.",
};
const VERSION: Explained = Explained {
    id: "PL0602",
    title: "the record has another format version",
    explanation: "The first line of a record says which version of the format it has. A program reads the version it \
                  writes. Read the record with the version of Plimsoll that is named in it, or run the scenario again: \
                  the record holds the whole scenario and the seed.",
};
const LINE: Explained = Explained {
    id: "PL0603",
    title: "a line of the record is no event",
    explanation: "Every line of a record is one JSON object: what began, was seen, decided, happened, was sampled or \
                  ended. The line named is something else: it was edited, or the file is damaged or no record at all. \
                  Run the scenario again with the same seed to get the same record.",
};
const ORDER: Explained = Explained {
    id: "PL0604",
    title: "the record is out of order",
    explanation: "A record begins with one `Began`, ends with one `Ended`, and its time never runs backwards. Lines were \
                  moved, doubled or joined from two files.",
};
const CUT: Explained = Explained {
    id: "PL0605",
    title: "the record ends too early",
    explanation: "The last line of a complete record is `Ended`. This one stops before it: the run was interrupted, the \
                  disk was full, or the file was copied in part. Run the scenario again with the same seed.",
};
const LONG: Explained = Explained {
    id: "PL0606",
    title: "a line of the record is too long",
    explanation: "No line of a record is longer than 64 MiB; a longer one means that the file is no record.",
};
const FIGURES: Explained = Explained {
    id: "PL0607",
    title: "a figure of the record cannot be",
    explanation: "A line can be read, but what it says contradicts the scenario at the head of the record (another number \
                  of services, a fault that is not in the list) or is too large to be added up. The record was edited, \
                  or is damaged.",
};
const BASELINE: Explained = Explained {
    id: "PL0608",
    title: "the baseline cannot be read",
    explanation: "A `baseline.json` is written by `plimsoll test --update` and committed beside its scenario. This one is \
                  not JSON of that form or has another format version. Write it again with `--update` and read the \
                  difference before you commit it.",
};

/// Why a record (or a baseline) cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file system or the decompression says no.
    #[error("cannot read the record: {0}")]
    File(#[from] std::io::Error),
    /// Another format version.
    #[error(
        "line 1: the record has format version {found}, written by plimsoll {program}; this program reads version {FORMAT_VERSION}"
    )]
    Version {
        /// The version of the file.
        found: u64,
        /// The program that wrote it.
        program: String,
    },
    /// No event.
    #[error("line {line}: not an event of a record: {why}")]
    Line {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// Out of order.
    #[error("line {line}: {why}")]
    Order {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// No end.
    #[error("the record stops after line {line}, before its end (`Ended`)")]
    Cut {
        /// The last complete line.
        line: u64,
    },
    /// No line is that long.
    #[error("line {line}: longer than {limit} bytes")]
    Long {
        /// The line, from 1.
        line: u64,
        /// The most a line may have, in bytes.
        limit: usize,
    },
    /// Not a baseline.
    #[error("cannot use this baseline: {why}")]
    Baseline {
        /// What is wrong with it.
        why: String,
    },
    /// A figure that cannot be.
    #[error("line {line}: {why}")]
    Figures {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
}

impl RecordError {
    /// Its code with the explanation.
    #[must_use]
    pub const fn code(&self) -> &'static Explained {
        match self {
            Self::File(_) => &FILE,
            Self::Version { .. } => &VERSION,
            Self::Line { .. } => &LINE,
            Self::Order { .. } => &ORDER,
            Self::Cut { .. } => &CUT,
            Self::Long { .. } => &LONG,
            Self::Figures { .. } => &FIGURES,
            Self::Baseline { .. } => &BASELINE,
        }
    }
}
