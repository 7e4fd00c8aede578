//! The usual day: what the load was at each time of day, newer days counting more. Before you change it:
//! 1. A slot is what was reported within 2.5 minutes of its time, so that looks a little early or late fall into the
//!    same.
//! 2. A slot is learned when the next begins; until then the profile knows nothing of it, and can be judged against it.
//! 3. A single wild slot (a flash crowd) moves the profile by ten usual deviations at most. The usual deviation grows
//!    by such slots too, so a load that has changed for good is followed within a day or two, whatever it was before.
//! 4. The season is as strong as the profile is better than its own mean, on slots that it had not learned, in squares
//!    as variance is. Both are first moved by how far off they lately were: a quiet Sunday is no sign that nights are
//!    not alike.

use super::Config;
use super::DAY;
use super::kept;
use super::narrow;
use super::share;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;

/// The length of a slot. With slots of ten minutes, errors were 6 % larger on the mean of 15 traces: jobs that run at
/// fixed times blur.
pub(super) const SLOT: Span = Span::from_mins(5);
pub(super) const SLOTS: u64 = 288;
pub(super) const SLOTS_PER_HOUR: u64 = 12;

/// A slot that was never seen. Loads are never negative.
const UNSEEN: f32 = -1.0;

/// A slot counts as if it were at most so many usual deviations off.
const DEVIATIONS_MAX: f64 = 10.0;

/// So many slots make a usual deviation.
const JUDGED_MIN: f64 = 144.0;

/// Half-life of how far off the profile and its mean lately were.
const LEVEL: Span = Span::from_mins(6 * 60);

/// Half-life of the judgement whether days are alike.
const JUDGEMENT: Span = Span::from_mins(3 * 24 * 60);

/// A usual deviation is taken to be at least this share of the load, so that a load that never moved can begin to.
const DEVIATION_MIN: f64 = 0.01;

/// How the load usually goes over a day.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Profile {
    slots: Vec<f32>,
    /// How many slots were seen, and the sum of them.
    seen: u64,
    sum: f64,
    began: Option<Instant>,
    /// The slot that is going on, counted from the start: sum and number of its measurements.
    open: Option<(u64, f64, u32)>,
    /// How far above the profile the load lately was, and above its mean.
    above_profile: f64,
    above_mean: f64,
    /// Sums that fade: squared distances of slots from the profile and from its mean, distances from the profile; and
    /// their number.
    squares_profile: f64,
    squares_mean: f64,
    distances: f64,
    judged: f64,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            slots: vec![UNSEEN; place(SLOTS)],
            seen: 0,
            sum: 0.0,
            began: None,
            open: None,
            above_profile: 0.0,
            above_mean: 0.0,
            squares_profile: 0.0,
            squares_mean: 0.0,
            distances: 0.0,
            judged: 0.0,
        }
    }
}

impl Profile {
    /// Takes note of a measurement.
    pub(super) fn observe(&mut self, now: Instant, value: f64, config: &Config) {
        self.began.get_or_insert(now);
        let number = number(now);
        self.open = match self.open {
            Some((open, sum, count)) if open == number => Some((open, sum + value, count.saturating_add(1))),
            Some((open, sum, count)) => {
                self.learn(open, sum / f64::from(count), config);
                Some((number, value, 1))
            }
            None => Some((number, value, 1)),
        };
    }

    /// The usual load of a slot, counted from the start; `None` where it was never seen at that time of day.
    pub(super) fn slot(&self, number: u64) -> Option<f64> {
        self.slots.get(place(number % SLOTS)).copied().filter(|load| *load >= 0.0).map(f64::from)
    }

    /// The mean of the usual day over an hour of the day, `0..24`; `None` where nothing of it was seen.
    pub(super) fn hour(&self, hour: u64) -> Option<f64> {
        let first = hour * SLOTS_PER_HOUR;
        let seen = (first..first + SLOTS_PER_HOUR).filter_map(|number| self.slot(number));
        let (sum, count) = seen.fold((0.0, 0.0), |(sum, count), load| (sum + load, count + 1.0));
        (count > 0.0).then(|| sum / count)
    }

    /// Whether a whole day was seen: 24 hours ago it had begun, and three quarters of the slots are there.
    pub(super) fn is_whole(&self, now: Instant) -> bool {
        let (watched, seen) = self.seen(now);
        watched >= DAY && seen >= Permille::new(750)
    }

    /// How long ago it began, and how much of a day was seen.
    pub(super) fn seen(&self, now: Instant) -> (Span, Permille) {
        let watched = self.began.map_or(Span::ZERO, |began| now.since(began));
        (watched, Permille::ratio(self.seen, SLOTS).unwrap_or_default())
    }

    /// What the profile explains of what its mean leaves unexplained: 1 where it is never off, zero where it is no
    /// better.
    pub(super) fn strength(&self) -> Permille {
        share((self.squares_mean - self.squares_profile).max(0.0), self.squares_mean)
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        self.slots.capacity() * size_of::<f32>()
    }

    /// How far off a slot counts at most.
    fn most(&self, load: f64) -> f64 {
        if self.judged < JUDGED_MIN {
            return f64::MAX;
        }
        DEVIATIONS_MAX * (self.distances / self.judged).max(DEVIATION_MIN * load)
    }

    /// Learns what a slot was.
    fn learn(&mut self, number: u64, load: f64, config: &Config) {
        let learned = match self.slot(number) {
            Some(usual) => {
                let mean = self.sum / self.seen as f64;
                let most = self.most(mean.max(load));
                let near = |off: f64| off.clamp(-most, most);
                let (off_profile, off_mean) =
                    (near(load - usual - self.above_profile), near(load - mean - self.above_mean));
                let (fade, level) = (kept(SLOT, JUDGEMENT), 1.0 - kept(SLOT, LEVEL));
                self.above_profile += level * off_profile;
                self.above_mean += level * off_mean;
                self.squares_profile = self.squares_profile * fade + off_profile * off_profile;
                self.squares_mean = self.squares_mean * fade + off_mean * off_mean;
                self.distances = self.distances * fade + near(load - usual).abs();
                self.judged = self.judged * fade + 1.0;
                usual + config.newest_day.as_fraction().min(1.0) * near(load - usual)
            }
            None => {
                self.seen += 1;
                load
            }
        };
        if let Some(slot) = self.slots.get_mut(place(number % SLOTS)) {
            let learned = narrow(learned);
            self.sum += f64::from(learned) - f64::from(slot.max(0.0));
            *slot = learned;
        }
    }
}

/// The number of the slot that a time belongs to, counted from the start.
pub(super) const fn number(time: Instant) -> u64 {
    time.since_start().plus(Span::from_nanos(SLOT.nanos() / 2)).fit(SLOT)
}

/// A number of a slot as a place in the table.
fn place(number: u64) -> usize {
    usize::try_from(number).unwrap_or(0)
}
