//! What happens at a time known beforehand, apart from arrivals and from what depends on the share of the cores.

use super::errand::Try;
use super::keyed::Keyed;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What happens then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// A try reaches the service that is called.
    Reach(Try),
    /// The answer of a try reaches the caller; whether it is a good one.
    Answer(Try, bool),
    /// A try has taken too long.
    TimeUp(Try),
    /// The wait before a further try is over.
    Again(Try),
    /// A client of this service has thought enough.
    Client(usize),
    /// The number of clients of this service changes.
    Clients(usize),
}

/// All timers, those of the same time in the order in which they were set.
#[derive(Debug, Default)]
pub(super) struct Timers {
    all: BinaryHeap<Reverse<Keyed<Due>>>,
    count: u64,
}

impl Timers {
    pub(super) fn set(&mut self, at: f64, due: Due) {
        self.count += 1;
        self.all.push(Reverse(Keyed { key: at, tie: self.count, what: due }));
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> f64 {
        self.all.peek().map_or(f64::INFINITY, |timer| timer.0.key)
    }

    pub(super) fn pop(&mut self) -> Option<Due> {
        self.all.pop().map(|timer| timer.0.what)
    }
}
