//! The largest number of late: what delays a smaller one.
//!
//! Source: knative/serving@98e5ef90, `pkg/autoscaler/aggregation/max/{window,timewindow}.go`; the method is the well-known
//! "ascending minima" for sliding windows, turned upside down.
//!
//! Before you change it:
//! 1. Kept are only entries that can still be the largest: newer ones are smaller, strictly.
//! 2. A window of `n` places holds the last `n` places, the current one included. An entry exactly `n` places old is gone.
//! 3. Of several numbers in one place the largest counts. So a window of one place is not the same as no window.

use crate::units::Instant;
use crate::units::Span;
use std::collections::VecDeque;

/// A sliding maximum over places that are counted up.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MaximumWindow {
    places: u64,
    /// Place and number, oldest and largest first.
    maxima: VecDeque<(u64, u32)>,
}

/// A sliding maximum over time.
///
/// ```
/// use plimsoll::engine::reference::kpa::MaximumTimeWindow;
/// use plimsoll::units::Instant;
/// use plimsoll::units::Span;
///
/// let at = |seconds| Instant::after_start(Span::from_secs(seconds));
/// let mut window = MaximumTimeWindow::new(Span::from_secs(4), Span::from_secs(2));
/// window.record(at(0), 9);
/// window.record(at(3), 5);
/// assert_eq!(window.current(), 9);
/// window.record(at(4), 1);
/// assert_eq!(window.current(), 5);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MaximumTimeWindow {
    window: MaximumWindow,
    granularity: Span,
}

impl MaximumWindow {
    /// A window over so many places, at least one.
    #[must_use]
    pub const fn new(places: u64) -> Self {
        Self { places: if places == 0 { 1 } else { places }, maxima: VecDeque::new() }
    }

    /// Takes a number at a place. Places do not fall; where one does, it counts like the others until it is too old.
    pub fn record(&mut self, place: u64, value: u32) {
        let mut value = value;
        while self.maxima.back().is_some_and(|(_, last)| *last <= value) {
            self.maxima.pop_back();
        }
        while self.maxima.front().is_some_and(|(first, _)| place.saturating_sub(*first) >= self.places) {
            self.maxima.pop_front();
        }
        if let Some((_, last)) = self.maxima.pop_back_if(|(last, _)| *last == place) {
            value = value.max(last);
        }
        self.maxima.push_back((place, value));
    }

    /// The largest number in the window that ends at the last place; 0 where there was none.
    #[must_use]
    pub fn current(&self) -> u32 {
        self.maxima.front().map_or(0, |(_, value)| *value)
    }
}

impl MaximumTimeWindow {
    /// A window over so much time in steps of `granularity`; the number of steps is rounded up, at least one.
    #[must_use]
    pub const fn new(duration: Span, granularity: Span) -> Self {
        let granularity = if granularity.nanos() == 0 { Span::from_nanos(1) } else { granularity };
        Self { window: MaximumWindow::new(duration.nanos().div_ceil(granularity.nanos())), granularity }
    }

    /// Takes a number.
    pub fn record(&mut self, now: Instant, value: u32) {
        self.window.record(now.since_start().fit(self.granularity), value);
    }

    /// The largest number of the window that ends at the last record; 0 where there was none.
    #[must_use]
    pub fn current(&self) -> u32 {
        self.window.current()
    }
}
