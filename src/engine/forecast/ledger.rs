//! Forecasts that wait for their outcome, and what came of those before. Before you change it:
//! 1. A measurement counts for a forecast if the middle of the time it stands for lies within the horizon.
//! 2. A forecast without any measurement, or with a missing one, is dropped: half a window would make it look too high.
//! 3. At most eight wait, an eighth of the horizon apart at least, so that long horizons cost no more than short ones.

use super::Config;
use super::kept;
use super::mixture::Mixture;
use super::mixture::Voices;
use super::share;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;
use std::collections::VecDeque;

const WAITING_MAX: usize = 8;

/// The margin moves by its mean error an hour at most.
const MARGIN_PACE: Span = Span::from_mins(60);

/// A forecast that waits for its outcome.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
struct Waiting {
    made: Instant,
    due: Instant,
    voices: Voices,
    expected: f64,
    /// The largest load so far; below zero where nothing was measured yet.
    largest: f64,
}

/// What was said, and what came of it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Ledger {
    mixture: Mixture,
    /// Oldest first.
    waiting: VecDeque<Waiting>,
    horizon: Span,
    /// When the last forecast was made that was kept, and the last that was judged.
    made: Option<Instant>,
    settled: Option<Instant>,
    /// How many were judged since a whole season was seen.
    judged: u32,
    /// Sums that fade: errors of its own and of the last value, what came, and how many.
    own: f64,
    last: f64,
    came: f64,
    count: f64,
    margin: f64,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            mixture: Mixture::default(),
            waiting: VecDeque::with_capacity(WAITING_MAX),
            horizon: Span::ZERO,
            made: None,
            settled: None,
            judged: 0,
            own: 0.0,
            last: 0.0,
            came: 0.0,
            count: 0.0,
            margin: 0.0,
        }
    }
}

impl Ledger {
    /// One forecast from four, kept for judgement where there is room.
    pub(super) fn forecast(&mut self, now: Instant, horizon: Span, voices: Voices) -> f64 {
        let (shorter, longer) = (horizon.min(self.horizon), horizon.max(self.horizon));
        if longer > shorter.times(2) {
            *self = Self { horizon, ..Self::default() };
        }
        let expected = self.mixture.mix(voices);
        let apart = Span::from_nanos(horizon.nanos() / WAITING_MAX as u64);
        let due = self.made.is_none_or(|made| now > made && now.since(made) >= apart);
        if due && self.waiting.len() < WAITING_MAX {
            self.made = Some(now);
            self.waiting.push_back(Waiting { made: now, due: now.plus(horizon), voices, expected, largest: -1.0 });
        }
        expected
    }

    /// Takes note of a measurement that stands for the time `since` before `now`, and judges what is due.
    pub(super) fn settle(&mut self, now: Instant, since: Span, value: f64, whole_season: bool, config: &Config) {
        let middle = now.minus(Span::from_nanos(since.nanos() / 2));
        for waiting in &mut self.waiting {
            if middle <= waiting.due && middle >= waiting.made {
                waiting.largest = waiting.largest.max(value);
            }
        }
        while let Some(first) = self.waiting.front().copied().filter(|first| first.due <= now) {
            self.waiting.pop_front();
            if first.largest >= 0.0 {
                self.judge(&first, config);
                self.judged = self.judged.saturating_add(u32::from(whole_season));
            }
        }
    }

    /// Drops what waits: a measurement is missing.
    pub(super) fn break_off(&mut self) {
        self.waiting.clear();
    }

    /// The error of its own forecasts and of the last value, as shares of what came.
    pub(super) fn errors(&self) -> (Permille, Permille) {
        (share(self.own, self.came), share(self.last, self.came))
    }

    /// Whether its own error is small, or clearly smaller than that of the last value.
    pub(super) fn is_better(&self, config: &Config) -> bool {
        let small = self.came * config.error_small.as_fraction();
        self.own <= small.max(self.last * config.error_of_last_max.as_fraction())
    }

    /// How many were judged since a whole season was seen.
    pub(super) const fn judged(&self) -> u32 {
        self.judged
    }

    /// What to put on top of a forecast; never negative.
    pub(super) const fn margin(&self) -> f64 {
        self.margin.max(0.0)
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        self.waiting.capacity() * size_of::<Waiting>()
    }

    fn judge(&mut self, waiting: &Waiting, config: &Config) {
        let elapsed = self.settled.map_or(Span::ZERO, |settled| waiting.made.since(settled));
        self.settled = Some(waiting.made);
        let fade = kept(elapsed, config.errors);
        let off = waiting.largest - waiting.expected;
        self.own = self.own * fade + off.abs();
        self.last = self.last * fade + (waiting.largest - waiting.voices.last).abs();
        self.came = self.came * fade + waiting.largest;
        self.count = self.count * fade + 1.0;
        let step = self.own / self.count * (elapsed.as_secs() / MARGIN_PACE.as_secs()).min(1.0);
        let held = config.upper_share.as_fraction().min(1.0);
        self.margin += step * if off > self.margin { held } else { held - 1.0 };
        self.mixture.learn(waiting.voices, waiting.largest, elapsed, config.mixing);
    }
}
