//! What happens at a time known beforehand, apart from arrivals and from what depends on the share of the cores.

use super::errand::Try;
use std::cmp::Ordering;
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

#[derive(Debug, Clone, Copy)]
struct Timer {
    at: f64,
    number: u64,
    due: Due,
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Timer {}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timer {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.total_cmp(&other.at).then(self.number.cmp(&other.number))
    }
}

/// All timers, those of the same time in the order in which they were set.
#[derive(Debug, Default)]
pub(super) struct Timers {
    all: BinaryHeap<Reverse<Timer>>,
    count: u64,
}

impl Timers {
    pub(super) fn set(&mut self, at: f64, due: Due) {
        self.count += 1;
        self.all.push(Reverse(Timer { at, number: self.count, due }));
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> f64 {
        self.all.peek().map_or(f64::INFINITY, |timer| timer.0.at)
    }

    pub(super) fn pop(&mut self) -> Option<Due> {
        self.all.pop().map(|timer| timer.0.due)
    }
}
