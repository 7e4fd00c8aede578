//! How far a way to buy carries the load: what is known of its load line.

use crate::report::load_line::LoadLine;
use crate::units::Permille;
use std::collections::BTreeMap;

/// How far a host carries the load, as multiples of what is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Line {
    /// The largest multiple that was seen to hold.
    pub holds: Option<Permille>,
    /// The smallest that was seen not to hold, above it.
    pub breaks: Option<Permille>,
    /// It is the load line that `plimsoll capacity` finds, with all seeds; otherwise what some runs say.
    pub exact: bool,
}

impl Line {
    /// What runs say: the multiples that were run, and whether all held there.
    pub(super) fn known(held: &BTreeMap<Permille, bool>) -> Self {
        let breaks = held.iter().find(|(_, held)| !**held).map(|(multiple, _)| *multiple);
        let below =
            held.iter().rev().find(|(multiple, held)| **held && breaks.is_none_or(|breaks| **multiple < breaks));
        Self { holds: below.map(|(multiple, _)| *multiple), breaks, exact: false }
    }

    /// A load line.
    pub(super) fn of(found: &LoadLine) -> Self {
        let holds = Some(found.multiple()).filter(|multiple| *multiple > Permille::ZERO);
        Self { holds, breaks: found.breaks.as_ref().map(|breaks| breaks.multiple), exact: true }
    }

    /// Whether a multiple is beyond what holds and below what breaks.
    pub(super) fn is_open_at(self, multiple: Permille) -> bool {
        self.holds.is_none_or(|holds| holds < multiple) && self.breaks.is_none_or(|breaks| breaks > multiple)
    }
}
