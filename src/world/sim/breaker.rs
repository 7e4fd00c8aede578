//! A circuit breaker between a service and one it calls. Before you change it:
//! 1. It looks back over a window of tries and failures; it can only open while tries fail at least as often as it takes,
//!    so only then is it looked at each step.
//! 2. When it was open long enough, one try decides: it fails if most tries would.

use super::instance::NEVER;
use crate::model::Breaker as Model;
use crate::units::Instant;
use crate::units::Span;
use std::collections::VecDeque;

/// Share of failing tries from which on the one that is let through fails.
const MOST: f64 = 0.5;

/// A breaker and what it saw.
#[derive(Debug, Clone)]
pub(super) struct Breaker {
    model: Model,
    /// Until when it lets nothing through.
    open: Option<Instant>,
    /// Beginnings and ends of stretches, with tries and failures in them.
    seen: VecDeque<(Instant, Instant, f64, f64)>,
}

impl Breaker {
    pub(super) const fn new(model: Model) -> Self {
        Self { model, open: None, seen: VecDeque::new() }
    }

    pub(super) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Tries and failures from a time up to another.
    pub(super) fn saw(&mut self, from: Instant, to: Instant, tries: f64, failures: f64) {
        if tries > 0.0 {
            self.seen.push_back((from, to, tries, failures));
        }
        let window = self.model.window;
        while self.seen.front().is_some_and(|old| to.since(old.1) >= window) {
            self.seen.pop_front();
        }
    }

    /// When it is to be looked at again, while this share of tries fails and a step takes so long.
    pub(super) fn due(&self, now: Instant, fails: f64, step: Span) -> Instant {
        match self.open {
            Some(until) => until,
            None if fails >= self.model.failures.as_fraction() => now.plus(step),
            None => NEVER,
        }
    }

    /// Opens or closes where it is time to, while this share of tries fails; whether it did.
    pub(super) fn change(&mut self, now: Instant, fails: f64) -> bool {
        if let Some(until) = self.open {
            if until > now {
                return false;
            }
            self.open = (fails >= MOST).then(|| now.plus(self.model.open));
            self.seen.clear();
            return self.open.is_none();
        }
        let (mut tries, mut failures) = (0.0, 0.0);
        for &(from, to, tried, failed) in &self.seen {
            // Of a long stretch, as much as lies in the window.
            let length = to.since(from).as_secs();
            let part = (self.model.window.minus(now.since(to)).as_secs() / length.max(1e-9)).min(1.0);
            tries += tried * part;
            failures += failed * part;
        }
        if tries < f64::from(self.model.least) || failures < self.model.failures.as_fraction() * tries || tries <= 0.0 {
            return false;
        }
        self.open = Some(now.plus(self.model.open));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Permille;

    /// Half of ten tries a second fail: twenty tries are seen after two seconds. It stays open for five, and closes if
    /// the one that is let through comes back.
    #[test]
    fn it_opens_after_enough_failures_and_tries_again() {
        let second = |second| Instant::after_start(Span::from_secs(second));
        let model =
            Model { failures: Permille::percent(50), window: Span::from_secs(10), least: 20, open: Span::from_secs(5) };
        let mut breaker = Breaker::new(model);
        breaker.saw(second(0), second(1), 10.0, 5.0);
        assert!(!breaker.change(second(1), 0.5));
        assert_eq!(breaker.due(second(1), 0.5, Span::from_secs(1)), second(2));
        assert_eq!(breaker.due(second(1), 0.4, Span::from_secs(1)), NEVER);
        breaker.saw(second(1), second(2), 10.0, 5.0);
        assert!(breaker.change(second(2), 0.5) && breaker.is_open());
        assert_eq!(breaker.due(second(2), 0.5, Span::from_secs(1)), second(7));
        assert!(!breaker.change(second(7), 0.9) && breaker.is_open());
        assert!(breaker.change(second(12), 0.1) && !breaker.is_open());
        breaker.saw(second(12), second(13), 100.0, 30.0);
        breaker.saw(second(21), second(22), 10.0, 10.0);
        assert!(!breaker.change(second(22), 1.0), "40 of 110");
        breaker.saw(second(22), second(23), 10.0, 10.0);
        assert!(breaker.change(second(23), 1.0), "what is older than ten seconds no longer counts");
    }
}
