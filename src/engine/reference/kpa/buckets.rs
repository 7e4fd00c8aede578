//! Windows of buckets, and their averages.
//!
//! Source: knative/serving@98e5ef90, `pkg/autoscaler/aggregation/bucketing.go`.
//!
//! Before you change it:
//! 1. A bucket holds the sum of what was recorded in its time; the average is of buckets, not of records. Several records
//!    in one second add up.
//! 2. Seconds without a record between two records are zeros. Seconds after the last record are left out of the plain
//!    average, and are zeros in the weighted one.
//! 3. A window begins anew after a pause as long as the window: what was before the first record since then is left out.
//! 4. After a change of length it counts as full of the old length, whatever it held.
//! 5. Only the plain average is rounded, to six digits: sums that were added and taken away again leave dust.

use crate::units::Instant;
use crate::units::Span;

/// How long a bucket is, where the load of a service is collected.
pub const BUCKET: Span = Span::from_secs(1);

/// Buckets that a window has at most; a longer window is cut. The original allows an hour of seconds.
const BUCKETS_MAX: u64 = 86_400;

/// The shortest bucket; the original knows whole seconds only.
const BUCKET_MIN: Span = Span::from_millis(1);

/// What a weighted average leaves of the oldest bucket, at most: the weights add up to the rest of one.
const WEIGHT_LEFT: f64 = 0.0001;

/// The smallest part by which a weight falls from bucket to bucket.
const SMOOTHING_MIN: f64 = 0.2;

/// Digits behind the point of a plain average.
const DIGITS: u32 = 6;

/// A window with a plain average.
///
/// ```
/// use plimsoll::engine::reference::kpa::BUCKET;
/// use plimsoll::engine::reference::kpa::Buckets;
/// use plimsoll::units::Instant;
/// use plimsoll::units::Span;
///
/// let at = |seconds| Instant::after_start(Span::from_secs(seconds));
/// let mut window = Buckets::new(Span::from_secs(5), BUCKET);
/// window.record(at(1), 8.0);
/// window.record(at(3), 1.0);
/// // Second 2 is a zero between the two: 9 / 3.
/// assert_eq!(window.average(at(3)), 3.0);
/// ```
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Buckets {
    granularity: Span,
    window: Span,
    /// A ring; bucket `n` since the start of the run is at `n` modulo its length.
    ring: Vec<f64>,
    total: f64,
    /// The bucket that the window begins with; it may lie before the start of the run.
    first: Option<i64>,
    /// The last bucket that was written.
    last: Option<i64>,
}

/// A window with an average in which newer buckets weigh more.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct WeightedBuckets {
    buckets: Buckets,
    smoothing: f64,
}

impl Buckets {
    /// An empty window. Its number of buckets is rounded up: 5 s of 3 s are two. Never none, never more than 86,400.
    #[must_use]
    pub fn new(window: Span, granularity: Span) -> Self {
        let granularity = granularity.max(BUCKET_MIN);
        let window = window.min(granularity.times(BUCKETS_MAX));
        Self { granularity, window, ring: vec![0.0; places(window, granularity)], total: 0.0, first: None, last: None }
    }

    /// The length of the window.
    #[must_use]
    pub const fn window(&self) -> Span {
        self.window
    }

    /// Buckets in the window.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.ring.len()
    }

    /// When the bucket began that the window begins with; `None` where nothing counts yet. The start of the run where it
    /// lies before that.
    #[must_use]
    pub fn first_write(&self) -> Option<Instant> {
        self.first.map(|first| self.instant(first))
    }

    /// When the bucket began that was written last.
    #[must_use]
    pub fn last_write(&self) -> Option<Instant> {
        self.last.map(|last| self.instant(last))
    }

    /// Whether nothing was recorded for longer than the window.
    #[must_use]
    pub fn has_no_data(&self, now: Instant) -> bool {
        self.last.is_none_or(|last| self.length(self.place(now) - last) > i128::from(self.window.nanos()))
    }

    /// The buckets that still count, newest first, each with its beginning. Those before the start of the run are left out.
    #[must_use]
    pub fn values(&self, now: Instant) -> Vec<(Instant, f64)> {
        let Some(last) = self.last else { return Vec::new() };
        let count = self.ring_places() - (self.place(now) - last).max(0);
        let places = (0..count).map(|back| last - back).take_while(|place| *place >= 0);
        places.map(|place| (self.instant(place), self.ring[self.slot(place)])).collect()
    }

    /// Adds to the bucket of this time. What is as old as the window, measured from the last record, is passed over.
    pub fn record(&mut self, now: Instant, value: f64) {
        let place = self.place(now);
        let slot = self.slot(place);
        if let Some(last) = self.last {
            // As many buckets as fill the window: what is so far apart is in no window together.
            let window = self.ring_places();
            if last - place >= window {
                return;
            }
            if place - last >= window {
                self.ring.fill(0.0);
                self.total = 0.0;
                self.first = None;
            } else if place > last {
                (last + 1..place).for_each(|skipped| self.empty(self.slot(skipped)));
                self.empty(slot);
            }
        }
        // A window that was emptied by a change of length begins with the next bucket, not with one that is written again.
        if self.last != Some(place) {
            self.first = Some(self.first.map_or(place, |first| first.min(place)));
        }
        self.last = Some(self.last.map_or(place, |last| last.max(place)));
        self.ring[slot] += value;
        self.total += value;
    }

    fn empty(&mut self, slot: usize) {
        self.total -= self.ring[slot];
        self.ring[slot] = 0.0;
    }

    /// The plain average over the buckets that count: those since the window began, without those after the last record.
    /// Zero where nothing was recorded for a window.
    #[must_use]
    pub fn average(&self, now: Instant) -> f64 {
        let Some(last) = self.last else { return 0.0 };
        let unwritten = (self.place(now) - last).max(0);
        if unwritten > 0 && self.length(unwritten) >= i128::from(self.window.nanos()) {
            return 0.0;
        }
        let mut total = self.total;
        for stale in 1..=unwritten {
            total -= self.ring[self.slot(last + stale)];
        }
        let written = self.first.map_or(i64::MAX, |first| (last - first).saturating_add(1));
        let count = written.min(self.ring_places() - unwritten);
        rounded(total / count as f64, DIGITS)
    }

    /// Changes the length of the window and keeps the newest buckets. Where nothing was recorded for an old window, it is
    /// emptied.
    pub fn resize(&mut self, now: Instant, window: Span) {
        let window = window.min(self.granularity.times(BUCKETS_MAX));
        if window == self.window {
            return;
        }
        let mut ring = vec![0.0; places(window, self.granularity)];
        let mut total = 0.0;
        self.first = None;
        if let Some(last) = self.last.filter(|_| !self.has_no_data(now)) {
            let before = self.ring_places();
            let after = ring.len();
            for back in 0..before.min(i64::try_from(after).unwrap_or(i64::MAX)) {
                let value = self.ring[self.slot(last - back)];
                ring[slot(last - back, after)] = value;
                total += value;
            }
            self.first = Some(last - (before - 1));
        }
        self.window = window;
        self.ring = ring;
        self.total = total;
    }

    fn place(&self, now: Instant) -> i64 {
        i64::try_from(now.since_start().fit(self.granularity)).unwrap_or(i64::MAX)
    }

    fn instant(&self, place: i64) -> Instant {
        Instant::after_start(self.granularity.times(u64::try_from(place).unwrap_or(0)))
    }

    /// So many buckets in nanoseconds.
    fn length(&self, buckets: i64) -> i128 {
        i128::from(buckets) * i128::from(self.granularity.nanos())
    }

    fn ring_places(&self) -> i64 {
        i64::try_from(self.ring.len()).unwrap_or(i64::MAX)
    }

    fn slot(&self, place: i64) -> usize {
        slot(place, self.ring.len())
    }
}

impl WeightedBuckets {
    /// An empty window, as [`Buckets::new`]. How fast weights fall follows from the number of buckets.
    #[must_use]
    pub fn new(window: Span, granularity: Span) -> Self {
        let buckets = Buckets::new(window, granularity);
        Self { smoothing: smoothing_coefficient(buckets.count() as f64), buckets }
    }

    /// The window without weights.
    #[must_use]
    pub const fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// The weight of the newest bucket, and the part by which weights fall from bucket to bucket.
    #[must_use]
    pub const fn smoothing(&self) -> f64 {
        self.smoothing
    }

    /// Adds to the bucket of this time, as [`Buckets::record`].
    pub fn record(&mut self, now: Instant, value: f64) {
        self.buckets.record(now, value);
    }

    /// The weighted average: the newest bucket weighs the coefficient, each older one less by that part. It is not rounded.
    /// Zero where nothing was recorded for longer than a window.
    #[must_use]
    pub fn average(&self, now: Instant) -> f64 {
        let buckets = &self.buckets;
        let Some(last) = buckets.last.filter(|_| !buckets.has_no_data(now)) else { return 0.0 };
        let unwritten = (buckets.place(now) - last).max(0);
        let mut weight = self.smoothing;
        if unwritten > 0 {
            weight *= libm::pow(1.0 - self.smoothing, unwritten as f64);
        }
        let mut average = 0.0;
        for back in 0..buckets.ring_places() - unwritten {
            average += buckets.ring[buckets.slot(last - back)] * weight;
            weight *= 1.0 - self.smoothing;
        }
        average
    }

    /// Changes the length of the window, as [`Buckets::resize`], and the weights with it.
    pub fn resize(&mut self, now: Instant, window: Span) {
        self.buckets.resize(now, window);
        self.smoothing = smoothing_coefficient(self.buckets.count() as f64);
    }
}

/// The weight of the newest of so many buckets: such that all weights add up to 0.9999, at least 0.2.
#[must_use]
pub fn smoothing_coefficient(buckets: f64) -> f64 {
    (1.0 - libm::pow(WEIGHT_LEFT, 1.0 / buckets)).max(SMOOTHING_MIN)
}

/// The number with so many digits behind the point, at most 22; halves are rounded away from zero.
#[must_use]
pub fn rounded(number: f64, digits: u32) -> f64 {
    let mut scale = 1.0;
    for _ in 0..digits.min(22) {
        scale *= 10.0;
    }
    (number * scale).round() / scale
}

fn places(window: Span, granularity: Span) -> usize {
    let count = window.nanos().div_ceil(granularity.nanos()).clamp(1, BUCKETS_MAX);
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn slot(place: i64, ring: usize) -> usize {
    let ring = i64::try_from(ring).unwrap_or(i64::MAX);
    usize::try_from(place.rem_euclid(ring)).unwrap_or(0)
}
