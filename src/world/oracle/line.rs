//! The line of the host to the outside: requests come in, answers go out, and all that goes in one direction at a moment
//! shares its bandwidth equally.
//!
//! Before you change it:
//! 1. All transfers of a direction get the same, so one counter (`attained`) stands for how many bytes each has had; one is
//!    done when the counter has grown by its size.
//! 2. A transfer that is given up leaves at once; its entry stays until it comes up, and is then passed over.

use super::keyed::Keyed;
use super::request::Requests;
use super::request::Ticket;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The direction of requests.
pub(super) const IN: usize = 0;
/// The direction of answers.
pub(super) const OUT: usize = 1;

/// One direction.
#[derive(Debug)]
struct Way {
    /// Bytes a second.
    bandwidth: f64,
    /// Bytes that each transfer has had since somebody was there.
    attained: f64,
    /// Transfers in progress.
    count: usize,
    /// By the attained bytes at which they are done.
    ends: BinaryHeap<Reverse<Keyed<Ticket>>>,
    begun: u64,
}

/// Both directions.
#[derive(Debug)]
pub(super) struct Line([Way; 2]);

impl Line {
    /// A line of so many bytes a second in each direction.
    pub(super) fn new(bandwidth: f64) -> Self {
        let way = || Way { bandwidth, attained: 0.0, count: 0, ends: BinaryHeap::new(), begun: 0 };
        Self([way(), way()])
    }

    /// A transfer of so many bytes begins.
    pub(super) fn begin(&mut self, way: usize, request: Ticket, size: f64) {
        let way = &mut self.0[way];
        if way.count == 0 {
            (way.attained, way.ends) = (0.0, BinaryHeap::new());
        }
        way.count += 1;
        way.begun += 1;
        way.ends.push(Reverse(Keyed { key: way.attained + size, tie: way.begun, what: request }));
    }

    /// A transfer is given up.
    pub(super) fn give_up(&mut self, way: usize) {
        self.0[way].count -= 1;
    }

    /// When the next transfer of a direction is done.
    pub(super) fn next_done(&mut self, way: usize, now: f64, requests: &Requests) -> f64 {
        let way = &mut self.0[way];
        while let Some(Reverse(next)) = way.ends.peek() {
            if requests.is_open(next.what) {
                return now + (next.key - way.attained).max(0.0) * way.count as f64 / way.bandwidth;
            }
            way.ends.pop();
        }
        f64::INFINITY
    }

    /// The transfer that is done.
    pub(super) fn finish(&mut self, way: usize) -> Option<Ticket> {
        let way = &mut self.0[way];
        let Reverse(done) = way.ends.pop()?;
        way.attained = way.attained.max(done.key);
        way.count -= 1;
        Some(done.what)
    }

    pub(super) fn pass(&mut self, seconds: f64) {
        for way in self.0.iter_mut().filter(|way| way.count > 0) {
            way.attained += way.bandwidth / way.count as f64 * seconds;
        }
    }
}
