//! What is between a service and one it calls: a cache, connections, further tries, a breaker.

use super::errand::Try;
use crate::model::Breaker as BreakerModel;
use crate::model::Call;
use crate::units::Permille;
use crate::units::Span;
use std::collections::VecDeque;

/// Most further tries that a budget can save up.
const SAVED: f64 = 10.0;

/// The calls of one service to another.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) to: usize,
    /// Calls for one request.
    pub(super) count: u32,
    /// Share of them that need not be made.
    pub(super) cached: f64,
    /// Seconds after which a try fails.
    pub(super) timeout: Option<f64>,
    /// Seconds that a message takes longer than between others.
    pub(super) hop: f64,
    retries: u32,
    backoff: f64,
    /// Further tries allowed for each first one; infinite without a budget.
    budget: f64,
    saved: f64,
    /// Connections of one container of the caller.
    connections: Option<u32>,
    /// By container of the caller: connections in use, and the tries that wait for one; those that were given up are still
    /// among them.
    pools: Vec<(u32, VecDeque<Try>)>,
    breaker: Option<Breaker>,
}

impl Link {
    pub(super) fn new(call: &Call, to: usize, containers: usize) -> Self {
        let retry = call.retry;
        let budget = retry.and_then(|retry| retry.budget).map_or(f64::INFINITY, Permille::as_fraction);
        Self {
            to,
            count: call.count,
            cached: call.cached.as_fraction(),
            timeout: call.timeout.map(Span::as_secs),
            hop: call.hop.as_secs(),
            retries: retry.map_or(0, |retry| retry.times),
            backoff: retry.map_or(0.0, |retry| retry.backoff.as_secs()),
            budget,
            saved: SAVED.min(budget * SAVED),
            connections: call.pool,
            pools: (0..containers).map(|_| (0, VecDeque::new())).collect(),
            breaker: call.breaker.map(Breaker::new),
        }
    }

    /// A first try is about to be made: what the budget says of further ones.
    pub(super) fn note_first(&mut self) {
        self.saved = (self.saved + self.budget).min(SAVED);
    }

    /// The wait before the next try after so many, if there may be one.
    pub(super) fn again(&mut self, tries: u32) -> Option<f64> {
        if tries > self.retries || self.saved < 1.0 {
            return None;
        }
        if self.budget.is_finite() {
            self.saved -= 1.0;
        }
        Some(self.backoff * f64::from(1_u32 << (tries - 1).min(30)))
    }

    /// Takes a connection of a container, or waits for one; whether it was taken.
    pub(super) fn connect(&mut self, container: usize, call: Try) -> bool {
        let (used, waiting) = &mut self.pools[container];
        if self.connections.is_some_and(|most| *used >= most) {
            waiting.push_back(call);
            return false;
        }
        *used += 1;
        true
    }

    /// Gives a connection back; the try that has it next.
    pub(super) fn disconnect(&mut self, container: usize) -> Option<Try> {
        let (used, waiting) = &mut self.pools[container];
        let next = waiting.pop_front();
        if next.is_none() {
            *used -= 1;
        }
        next
    }

    /// Whether the breaker lets a call through.
    pub(super) fn lets_through(&mut self, now: f64) -> bool {
        self.breaker.as_mut().is_none_or(|breaker| breaker.lets_through(now))
    }

    /// A try ended.
    pub(super) fn note_end(&mut self, now: f64, failed: bool) {
        if let Some(breaker) = &mut self.breaker {
            breaker.note_end(now, failed);
        }
    }
}

/// A circuit breaker.
#[derive(Debug)]
struct Breaker {
    model: BreakerModel,
    /// When tries ended within the window, and whether they failed.
    seen: VecDeque<(f64, bool)>,
    failures: u32,
    /// Until when nothing is let through; then one try decides.
    open_until: Option<f64>,
    /// The one try is under way.
    trying: bool,
}

impl Breaker {
    const fn new(model: BreakerModel) -> Self {
        Self { model, seen: VecDeque::new(), failures: 0, open_until: None, trying: false }
    }

    fn lets_through(&mut self, now: f64) -> bool {
        match self.open_until {
            None => true,
            Some(until) if now >= until && !self.trying => {
                self.trying = true;
                true
            }
            Some(_) => false,
        }
    }

    fn note_end(&mut self, now: f64, failed: bool) {
        if self.open_until.is_some() {
            // Ends of older tries say nothing while it is open; once one is let through, the next end decides.
            if self.trying {
                self.trying = false;
                self.open_until = failed.then_some(now + self.model.open.as_secs());
            }
            return;
        }
        self.seen.push_back((now, failed));
        self.failures += u32::from(failed);
        while let Some(&(at, failed)) = self.seen.front().filter(|seen| now - seen.0 >= self.model.window.as_secs()) {
            debug_assert!(at <= now);
            self.failures -= u32::from(failed);
            self.seen.pop_front();
        }
        let most = self.model.failures.as_fraction() * self.seen.len() as f64;
        if self.seen.len() >= self.model.least as usize && f64::from(self.failures) >= most {
            self.open_until = Some(now + self.model.open.as_secs());
            self.seen.clear();
            self.failures = 0;
        }
    }
}
