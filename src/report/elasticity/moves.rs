//! How often something was scaled, and how often to and fro. Before you change it:
//! 1. A reversal is a move in the other direction than the move before it, however long ago: what the metric
//!    `reversals` of an expectation counts. A flap is a reversal soon after the move that it undoes.
//! 2. Moves before the judged time are not counted, but the first judged one may reverse them: as in the verdict.
//! 3. The moves are those of one limit, or of the replicas, of one service. Moves of two things reverse nothing.

use crate::units::Instant;
use crate::units::Span;
use std::ops::Range;

/// How soon a reversal is a flap, where nothing else is asked for: 10 minutes, this one included.
pub const FLAP: Span = Span::from_mins(10);

const NANOS_PER_DAY: f64 = 8.64e13;

/// One change of a limit, or of a number of replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Move {
    /// When.
    pub at: Instant,
    /// Which way.
    pub direction: Direction,
}

/// Which way a move goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To more.
    Up,
    /// To less.
    Down,
}

/// How often something was scaled.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Pace {
    /// Moves.
    pub actions: u64,
    /// Moves that turn the one before them round.
    pub reversals: u64,
    /// Reversals within the time asked for.
    pub flaps: u64,
    /// Moves in a day of such times.
    pub actions_per_day: f64,
}

impl Pace {
    /// The pace of moves, which are in the order they were made, from one time up to, and without, another. A reversal
    /// at most `within` after the move before it is a flap. `None` where there is no time to judge.
    #[must_use]
    pub fn of(moves: &[Move], over: &Range<Instant>, within: Span) -> Option<Self> {
        let mut pacing = Pacing::new(over.start, within);
        moves.iter().filter(|one| one.at < over.end).for_each(|one| pacing.take(*one));
        pacing.finish(over.end)
    }
}

/// Collects a [`Pace`] while a run is on.
#[derive(Debug, Clone, PartialEq)]
pub struct Pacing {
    from: Instant,
    within: Span,
    before: Option<Move>,
    pace: Pace,
}

impl Pacing {
    /// Counts moves from a time on; a reversal at most `within` after the move before it is a flap.
    #[must_use]
    pub fn new(from: Instant, within: Span) -> Self {
        Self { from, within, before: None, pace: Pace::default() }
    }

    /// Takes the next move.
    pub fn take(&mut self, one: Move) {
        let last = self.before.replace(one);
        if one.at < self.from {
            return;
        }
        self.pace.actions += 1;
        if let Some(last) = last.filter(|last| last.direction != one.direction) {
            self.pace.reversals += 1;
            self.pace.flaps += u64::from(one.at.since(last.at) <= self.within);
        }
    }

    /// The moves so far, counted; without their rate, which needs an end.
    #[must_use]
    pub const fn so_far(&self) -> &Pace {
        &self.pace
    }

    /// The pace of all moves so far, up to an end. `None` where there is no time to judge.
    #[must_use]
    pub fn finish(self, end: Instant) -> Option<Pace> {
        let nanos = end.since(self.from).nanos();
        let actions_per_day = self.pace.actions as f64 * NANOS_PER_DAY / nanos as f64;
        (nanos > 0).then_some(Pace { actions_per_day, ..self.pace })
    }
}
