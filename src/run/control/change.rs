//! What the journal of a deployment holds: enough to go on, or back, from any line of it.

use crate::model::Deployment;
use crate::model::Generation;
use crate::model::Limits;
use crate::model::Move;
use crate::model::Progress;
use crate::model::ServiceName;
use crate::units::Instant;

/// The version of these lines.
pub const FORMAT_VERSION: u32 = 1;

/// The first line: what is to be done.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Opening {
    /// [`FORMAT_VERSION`] of the writer.
    pub format_version: u32,
    /// Its name; new containers carry it as a label.
    pub id: String,
    /// When.
    pub at: Instant,
    /// By whom: user, host and process.
    pub who: String,
    /// On which engine, by its own identifier.
    pub engine: String,
    /// The Compose project.
    pub project: String,
    /// What was ordered.
    pub deployment: Deployment,
}

/// A further line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Entry {
    /// It began: so many instances there were, with these limits of an old one and of a new one.
    Began {
        /// When.
        at: Instant,
        /// How many.
        total: u32,
        /// Old and new.
        limits: [Limits; 2],
    },
    /// A move is about to be made. Whether it was is seen on the host.
    Moving {
        /// When.
        at: Instant,
        /// Which.
        one: Move,
    },
    /// How far it is.
    Told {
        /// When.
        at: Instant,
        /// What there is to tell.
        progress: Progress,
    },
    /// Whoever carried it out was ended; another one goes on towards this generation.
    Resumed {
        /// When.
        at: Instant,
        /// By whom.
        who: String,
        /// Which generation is to have all traffic.
        towards: Generation,
    },
    /// It is over; nothing of it is left to be done.
    Ended {
        /// When.
        at: Instant,
        /// How, in one word: `done`, `rolled back`, `refused`, `paused`.
        how: String,
    },
}

impl Entry {
    /// Whether it ends the change.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        matches!(self, Self::Ended { .. })
    }
}

/// Where to go from where a journal ends: on, once the new ones were watched and old ones began to leave; back before that.
/// Without a promise that old and new ones stand side by side there is only the way back.
#[must_use]
pub fn way_from(deployment: &Deployment, entries: &[Entry]) -> Generation {
    let mut towards = Generation::Old;
    for entry in entries {
        match entry {
            Entry::Moving { one: Move::Drain { generation: Generation::Old, .. }, .. }
                if deployment.update.order == crate::model::Order::StartFirst =>
            {
                towards = Generation::New;
            }
            Entry::Told { progress: Progress::RollingBack, .. } => return Generation::Old,
            Entry::Resumed { towards: Generation::Old, .. } => return Generation::Old,
            _ => {}
        }
    }
    towards
}

/// How many instances there were as it began, and the limits of an old one and of a new one; `None` where it did not begin.
#[must_use]
pub fn wanted(entries: &[Entry]) -> Option<(u32, [Limits; 2])> {
    entries.iter().find_map(|entry| match entry {
        Entry::Began { total, limits, .. } => Some((*total, *limits)),
        _ => None,
    })
}

/// The service that a change is about.
#[must_use]
pub const fn service(opening: &Opening) -> &ServiceName {
    &opening.deployment.service
}
