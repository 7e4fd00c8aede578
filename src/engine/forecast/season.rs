//! The week on top of the day, and the season that was found. Before you change it:
//! 1. The week is found only if it is better than the day on hours that it had not learned; it takes two weeks at
//!    least.
//! 2. Where it was found, the usual day is moved by how an hour of the week differs from the same hour of the usual
//!    day: the day keeps what happens within an hour, the week knows that it is Monday. Without it, work that rests at
//!    weekends would not be expected on Monday morning.
//! 3. A measurement belongs to the hour in which it was reported.

use super::Config;
use super::DAY;
use super::kept;
use super::narrow;
use super::profile::Profile;
use super::profile::SLOTS;
use super::profile::SLOTS_PER_HOUR;
use super::profile::number;
use super::share;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;
use crate::units::whole;

const HOUR: Span = Span::from_mins(60);
const HOURS_OF_DAY: u64 = 24;
const HOURS_OF_WEEK: u64 = 168;

/// An hour that was never seen. Loads are never negative.
const UNSEEN: f32 = -1.0;

/// How much the newest week counts.
const NEWEST_WEEK: f64 = 0.4;

/// Half-life of the judgement whether weeks are alike, in days.
const JUDGEMENT: Span = Span::from_mins(14 * 24 * 60);

/// The hour that is going on.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
struct Open {
    /// Counted from the start.
    number: u64,
    /// Sum and number of its measurements.
    sum: f64,
    count: u32,
    /// The same hour of the usual day before any of this hour was learned.
    of_day: Option<f64>,
}

/// How the load usually goes over a week, by the hour.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Week {
    hours: Vec<f32>,
    open: Option<Open>,
    /// Sums that fade: how far hours were from the usual week, and from the usual day.
    off_week: f64,
    off_day: f64,
    judged: u32,
}

impl Default for Week {
    fn default() -> Self {
        Self { hours: vec![UNSEEN; place(HOURS_OF_WEEK)], open: None, off_week: 0.0, off_day: 0.0, judged: 0 }
    }
}

impl Week {
    /// Takes note of a measurement.
    pub(super) fn observe(&mut self, now: Instant, value: f64, day: &Profile) {
        let number = now.since_start().fit(HOUR);
        match &mut self.open {
            Some(open) if open.number == number => {
                open.sum += value;
                open.count = open.count.saturating_add(1);
            }
            open => {
                let of_day = day.hour(number % HOURS_OF_DAY);
                if let Some(ended) = open.replace(Open { number, sum: value, count: 1, of_day }) {
                    self.learn(&ended);
                }
            }
        }
    }

    /// What the week explains of what the usual day leaves unexplained; `None` where that is too little, or too new.
    pub(super) fn strength(&self, config: &Config) -> Option<Permille> {
        let strength = share((self.off_day - self.off_week).max(0.0), self.off_day);
        (u64::from(self.judged) >= HOURS_OF_WEEK && strength >= config.weekly_strength_min).then_some(strength)
    }

    /// The largest usual load from one time to another, both included, for a day at most; `None` where nothing of it
    /// was seen.
    pub(super) fn largest(&self, day: &Profile, first: Instant, last: Instant, config: &Config) -> Option<f64> {
        let weekly = self.strength(config).is_some();
        let (first, last) = (number(first), number(last));
        let slots = first..=last.min(first.saturating_add(SLOTS - 1));
        let usual = |slot: u64| {
            let moved = if weekly { self.moved(slot / SLOTS_PER_HOUR, day) } else { 0.0 };
            day.slot(slot).map(|load| (load + moved).max(0.0))
        };
        slots.filter_map(usual).reduce(f64::max)
    }

    /// The season, with the week where it was found.
    pub(super) fn season(&self, strength: Permille, day: &Profile, config: &Config) -> Season {
        let weekly = self.strength(config);
        let length = if weekly.is_some() { HOURS_OF_WEEK } else { HOURS_OF_DAY };
        let usual = |hour| {
            let of_day = || day.hour(hour % HOURS_OF_DAY);
            if weekly.is_some() { self.hour(hour).or_else(of_day) } else { of_day() }
        };
        Season { strength, weekly, hours: (0..length).map(|hour| whole(usual(hour).unwrap_or(0.0))).collect() }
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        self.hours.capacity() * size_of::<f32>()
    }

    fn hour(&self, number: u64) -> Option<f64> {
        self.hours.get(place(number % HOURS_OF_WEEK)).copied().filter(|load| *load >= 0.0).map(f64::from)
    }

    /// How far an hour of the week lies above the same hour of the usual day; zero where either was not seen.
    fn moved(&self, number: u64, day: &Profile) -> f64 {
        let of_day = match self.open {
            Some(open) if open.number == number => open.of_day,
            _ => day.hour(number % HOURS_OF_DAY),
        };
        self.hour(number).zip(of_day).map_or(0.0, |(of_week, of_day)| of_week - of_day)
    }

    /// Learns what an hour was.
    fn learn(&mut self, ended: &Open) {
        let load = ended.sum / f64::from(ended.count);
        let learned = match self.hour(ended.number) {
            Some(usual) => {
                if let Some(of_day) = ended.of_day {
                    let fade = kept(HOUR, JUDGEMENT);
                    self.off_week = self.off_week * fade + (load - usual).abs();
                    self.off_day = self.off_day * fade + (load - of_day).abs();
                    self.judged = self.judged.saturating_add(1);
                }
                usual + NEWEST_WEEK * (load - usual)
            }
            None => load,
        };
        if let Some(hour) = self.hours.get_mut(place(ended.number % HOURS_OF_WEEK)) {
            *hour = narrow(learned);
        }
    }
}

/// A season in the load: days that are alike, or weeks.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Season {
    /// What the usual day explains of what a flat line leaves unexplained, lately; 1000 is all of it. It may be small
    /// where the week was found.
    pub strength: Permille,
    /// What the usual week explains of what the usual day leaves unexplained; `None` where weeks are not alike, or
    /// fewer than two were seen.
    pub weekly: Option<Permille>,
    /// The usual mean load of each hour: 24 of a day, or 168 of a week where `weekly` is there. Hour 0 begins at the
    /// start of the run; live, days begin at midnight UTC and the week on a Thursday, as the Unix epoch does.
    pub hours: Vec<u64>,
}

/// Hours in a row that are usually quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Quiet {
    /// When it begins, from the start of the day, or of the week where the season is weekly.
    pub from: Span,
    /// How long it lasts; it may run past the end of the day or week and into the next.
    pub length: Span,
    /// The largest of its usual hours.
    pub largest: u64,
}

impl Season {
    /// How long the season is: a day, or a week.
    #[must_use]
    pub fn length(&self) -> Span {
        if self.weekly.is_some() { DAY.times(7) } else { DAY }
    }

    /// The usual load of its busiest hour.
    #[must_use]
    pub fn busiest(&self) -> u64 {
        self.hours.iter().copied().max().unwrap_or(0)
    }

    /// Runs of hours whose usual load is at most `share` of the busiest hour, in order of their beginning. One that
    /// goes over the end of the season is one run. Empty where no hour is so quiet, and where all are.
    #[must_use]
    pub fn quiet(&self, share: Permille) -> Vec<Quiet> {
        let most = u128::from(self.busiest()) * u128::from(share.get());
        let is_quiet = |load: u64| u128::from(load) * 1000 <= most;
        let Some(busy) = self.hours.iter().position(|load| !is_quiet(*load)) else { return Vec::new() };
        let (before, after) = self.hours.split_at(busy);
        let mut found: Vec<Quiet> = Vec::new();
        let mut follows = false;
        // Beginning at a busy hour, no run is cut in two.
        for (index, load) in (busy as u64..).zip(after.iter().chain(before).copied()) {
            let quiet = is_quiet(load);
            match found.last_mut().filter(|_| follows && quiet) {
                Some(run) => {
                    run.length = run.length.plus(HOUR);
                    run.largest = run.largest.max(load);
                }
                None if quiet => {
                    let from = HOUR.times(index % self.hours.len() as u64);
                    found.push(Quiet { from, length: HOUR, largest: load });
                }
                None => {}
            }
            follows = quiet;
        }
        found.sort_by_key(|run| run.from);
        found
    }
}

/// A number of an hour as a place in the table.
fn place(number: u64) -> usize {
    usize::try_from(number).unwrap_or(0)
}
