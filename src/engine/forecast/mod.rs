//! What a service will be asked for in the next minutes, learned from its own days (register E10): how an engine scales
//! ahead by the time that a start takes, and knows when not to.
//!
//! Four forecasts are made side by side: the load stays as it is; it is what it was lately; it rises from here as it
//! did at this hour on the days before; it is what it was at this hour on the days before. They are mixed by how right
//! each was lately, at the horizon that is asked for. Source of the mixing: see `mixture`.
//!
//! The figures in [`Config`] were chosen on the first 60 % of 15 public traces and judged on the rest. There, errors
//! were on the mean (geometric, of the shares) 25 % below those of the last value at 5 minutes and 41 % at 30, and
//! below those of Holt-Winters, of a profile with an offset or a ratio, of Fourier terms and of a nightly
//! decomposition, each with the figures that served it best on the same days. `tests/forecast_traces.rs` holds it to
//! what was measured.
//!
//! A forecast is for scaling ahead, never for scaling down early: capacity follows the larger of what is seen and what
//! is forecast, and falls when the load has fallen (so does predictive scaling of AWS Application Auto Scaling, which
//! asks for 24 hours of data, too).
//!
//! Any whole number will do as a load (requests per second, cores in use); a forecast is in the unit of what was
//! observed. Fine units lose less to rounding: millionths of a request per second, not requests.
//!
//! Before you change it:
//! 1. A forecast is of the largest value within the horizon, not of the value at its end: that is what capacity must
//!    hold.
//! 2. It is judged by what it said before it knew: each forecast that was asked for is kept until its time has come,
//!    and compared with what the last value would have said. Nothing is trusted that was not judged so.
//! 3. Memory is bounded: 288 slots for a day, 168 hours for a week, eight forecasts that wait for their outcome, and
//!    sums.
//! 4. Times are counted from the start of the run (simulated) or from the Unix epoch (live), so days begin at midnight
//!    UTC there. A season is found whatever its phase; only [`Season`] names hours.
//! 5. A measurement stands for the time since the one before it. A missing one breaks off whatever is being judged.
//! 6. Floating point is `f64` in a fixed order with `libm`; only stored profiles are `f32`. What goes in and out is
//!    whole.

mod ledger;
mod mixture;
mod profile;
mod season;

#[cfg(test)]
mod tests;

pub use season::Quiet;
pub use season::Season;

use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;
use crate::units::whole;
use ledger::Ledger;
use mixture::Voices;
use profile::Profile;
use season::Week;

/// The season that is looked for.
const DAY: Span = Span::from_mins(24 * 60);

/// How a forecaster learns, and what it takes to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Config {
    /// How much the newest day counts in the profile of a day, `0..=1000`; the days before share the rest the same way.
    pub newest_day: Permille,
    /// Half-life of what "lately" means: of the smoothed load.
    pub lately: Span,
    /// Half-life of the memory of which forecast was right.
    pub mixing: Span,
    /// Half-life of the memory of errors.
    pub errors: Span,
    /// How many of all outcomes `Forecast::upper` is to hold, `0..=1000`.
    pub upper_share: Permille,
    /// Trusted only if its own error is at most this share of the load.
    pub error_max: Permille,
    /// Trusted only if its own error is at most this share of the error of the last value ...
    pub error_of_last_max: Permille,
    /// ... or at most this share of the load: at weekends without work the last value is never off, and nothing is
    /// better.
    pub error_small: Permille,
    /// Trusted only if the usual day explains at least this share of what a flat line leaves unexplained, or the week
    /// counts.
    pub strength_min: Permille,
    /// The week counts only if it explains at least this share of what the usual day leaves unexplained. It is as old
    /// as a week, so it has to be clearly better than the day.
    pub weekly_strength_min: Permille,
    /// Trusted only after so many of its forecasts were judged, once a whole season was seen.
    pub judged_min: u32,
    /// Trusted only while the last measurement is at most this old. It has to be longer than looks are apart: after a
    /// longer silence nothing that waits is judged.
    pub stale_after: Span,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            newest_day: Permille::new(400),
            lately: Span::from_mins(10),
            mixing: Span::from_mins(3 * 24 * 60),
            errors: Span::from_mins(12 * 60),
            upper_share: Permille::new(900),
            error_max: Permille::new(500),
            error_of_last_max: Permille::new(950),
            error_small: Permille::new(20),
            strength_min: Permille::new(100),
            weekly_strength_min: Permille::new(250),
            judged_min: 48,
            stale_after: Span::from_mins(15),
        }
    }
}

/// What is ahead. Loads are in the unit of what was observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// The largest load within the horizon, as it is expected; rounded to the nearest whole number.
    pub expected: u64,
    /// What holds the largest load in as many cases as `Config::upper_share` says; never below `expected`; rounded up.
    pub upper: u64,
    /// How far off its own forecasts were lately, as a share of the load; zero before any was judged.
    pub error: Permille,
    /// How far off the last value was at the same times.
    pub error_of_last: Permille,
    /// Whether to scale by it.
    pub trust: Trust,
}

/// Whether a forecast is good enough to scale by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Trust {
    /// It was clearly better than the last value, and it knows the season.
    Trusted,
    /// Scale by what is seen, not by this.
    NotTrusted {
        /// What it lacks; where it lacks several, the first in the order of [`Distrust`].
        why: Distrust,
    },
}

/// Why a forecast is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Distrust {
    /// Nothing was measured yet.
    NothingSeen,
    /// The last measurement is older than `Config::stale_after`.
    Stale {
        /// How old it is.
        silent: Span,
    },
    /// A whole season was not seen yet: 24 hours since the first measurement, and three quarters of all slots of a day.
    SeasonNotSeen {
        /// How long ago the first measurement was.
        watched: Span,
        /// How much of a day was seen.
        seen: Permille,
    },
    /// Too few of its forecasts at this horizon were judged.
    NotJudged {
        /// How many were.
        judged: u32,
        /// How many it takes.
        needed: u32,
    },
    /// Days are not alike enough, and weeks are not either.
    NoSeason {
        /// What the usual day explains of what a flat line leaves unexplained.
        strength: Permille,
        /// How much it takes.
        needed: Permille,
    },
    /// Its own error is too large a share of the load.
    ErrorHigh {
        /// Its error.
        error: Permille,
        /// The most that is allowed.
        most: Permille,
    },
    /// It is not clearly better than the last value.
    NoBetterThanLast {
        /// Its error.
        error: Permille,
        /// The error of the last value.
        last: Permille,
    },
}

/// Learns the load of one service as it comes, and says what is ahead. See the module for how.
///
/// ```
/// use plimsoll::engine::forecast::Config;
/// use plimsoll::engine::forecast::Forecaster;
/// use plimsoll::units::Instant;
/// use plimsoll::units::Span;
///
/// let mut forecaster = Forecaster::new(Config::default());
/// let now = Instant::after_start(Span::from_mins(5));
/// forecaster.observe(now, Some(60_000_000));
/// assert_eq!(forecaster.ahead(now, Span::from_mins(2)).expected, 60_000_000);
/// ```
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Forecaster {
    config: Config,
    /// When the last two looks were, with or without a measurement, and how far apart.
    heard: Option<Instant>,
    period: Span,
    /// The last measurement.
    last: Option<(Instant, f64)>,
    lately: f64,
    profile: Profile,
    week: Week,
    ledger: Ledger,
}

impl Forecaster {
    /// A forecaster that has seen nothing yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            heard: None,
            period: profile::SLOT,
            last: None,
            lately: 0.0,
            profile: Profile::default(),
            week: Week::default(),
            ledger: Ledger::default(),
        }
    }

    /// Takes note of the newest measurement; `None` where it is missing. A time that is not later than the one before
    /// is ignored with its value. Between two calls any time may pass.
    pub fn observe(&mut self, now: Instant, value: Option<u64>) {
        if self.heard.is_some_and(|heard| now <= heard) {
            return;
        }
        let before = self.heard.replace(now);
        let since = before.map_or(profile::SLOT, |before| now.since(before));
        let silent = since > self.config.stale_after;
        if !silent {
            self.period = since;
        }
        let Some(value) = value.map(|value| value as f64) else {
            self.ledger.break_off();
            return;
        };
        if silent {
            self.ledger.break_off();
        }
        self.ledger.settle(now, since, value, self.profile.is_whole(now), &self.config);
        self.lately = match self.last {
            Some((at, _)) => value + kept(now.since(at), self.config.lately) * (self.lately - value),
            None => value,
        };
        self.profile.observe(now, value, &self.config);
        self.week.observe(now, value, &self.profile);
        self.last = Some((now, value));
    }

    /// The largest load that is to be expected after `now`, up to `horizon` later: for scaling ahead, the time that a
    /// start takes plus one evaluation. What it answers is remembered and judged when its time has come; at most eight
    /// forecasts wait for that, so of many that are asked for only some are judged. Where the horizon is suddenly more
    /// than twice or less than half of what it was, judging begins anew. A horizon shorter than half the time between
    /// two looks is never judged, and beyond a day the season adds nothing.
    pub fn ahead(&mut self, now: Instant, horizon: Span) -> Forecast {
        let Some((at, value)) = self.last else {
            let trust = Trust::NotTrusted { why: Distrust::NothingSeen };
            return Forecast { expected: 0, upper: 0, error: Permille::ZERO, error_of_last: Permille::ZERO, trust };
        };
        let first = now.plus(self.period.min(horizon));
        let usual = |first, last| self.week.largest(&self.profile, first, last, &self.config);
        let voices = match (usual(at, at), usual(first, now.plus(horizon))) {
            (Some(here), Some(there)) => {
                Voices { last: value, lately: self.lately, risen: value + there - here, usual: there }
            }
            _ => Voices { last: value, lately: self.lately, risen: value, usual: value },
        };
        let expected = self.ledger.forecast(now, horizon, voices);
        let (error, error_of_last) = self.ledger.errors();
        Forecast {
            expected: whole(expected),
            upper: whole(libm::ceil(expected + self.ledger.margin())).max(whole(expected)),
            error,
            error_of_last,
            trust: self.trust(now, at),
        }
    }

    /// The season that was found; `None` before a whole day was seen, and where neither days nor weeks are alike.
    #[must_use]
    pub fn season(&self) -> Option<Season> {
        let seen = self.heard.is_some_and(|now| self.profile.is_whole(now));
        let found = seen && self.lacks_season().is_none();
        found.then(|| self.week.season(self.profile.strength(), &self.profile, &self.config))
    }

    /// What it takes in memory, all told. It does not grow once the forecaster was used.
    #[must_use]
    pub fn memory(&self) -> Bytes {
        let heap = self.profile.heap() + self.week.heap() + self.ledger.heap();
        Bytes::new((size_of::<Self>() + heap) as u64)
    }

    /// How strong the season of days is, where it is too weak and there is none of weeks either.
    fn lacks_season(&self) -> Option<Permille> {
        let strength = self.profile.strength();
        let lacks = strength < self.config.strength_min && self.week.strength(&self.config).is_none();
        lacks.then_some(strength)
    }

    fn trust(&self, now: Instant, at: Instant) -> Trust {
        let config = &self.config;
        let silent = now.since(at);
        let (watched, seen) = self.profile.seen(now);
        let ((error, last), judged) = (self.ledger.errors(), self.ledger.judged());
        let why = if silent > config.stale_after {
            Distrust::Stale { silent }
        } else if !self.profile.is_whole(now) {
            Distrust::SeasonNotSeen { watched, seen }
        } else if judged < config.judged_min {
            Distrust::NotJudged { judged, needed: config.judged_min }
        } else if let Some(strength) = self.lacks_season() {
            Distrust::NoSeason { strength, needed: config.strength_min }
        } else if error > config.error_max {
            Distrust::ErrorHigh { error, most: config.error_max }
        } else if !self.ledger.is_better(config) {
            Distrust::NoBetterThanLast { error, last }
        } else {
            return Trust::Trusted;
        };
        Trust::NotTrusted { why }
    }
}

/// How much of a memory is left after some time; nothing where its half-life is zero.
fn kept(elapsed: Span, half_life: Span) -> f64 {
    if half_life == Span::ZERO { 0.0 } else { libm::exp2(-elapsed.as_secs() / half_life.as_secs()) }
}

/// A load as profiles keep it: to seven digits.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the one place that narrows; it rounds, and what is stored here fits"
)]
const fn narrow(value: f64) -> f32 {
    value as f32
}

/// A share in thousandths, rounded to the nearest; zero where the whole is not above zero.
fn share(part: f64, all: f64) -> Permille {
    Permille::new(if all > 0.0 { whole(1000.0 * part / all) } else { 0 })
}
