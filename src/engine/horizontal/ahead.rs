//! Scaling ahead of the load (register E10): how many instances the forecast of the CPU that all of them need together asks
//! for. Before you change it:
//! 1. A forecast adds to what is seen and never takes away: there are at least as many instances as it asks for, and the
//!    rule may ask for more.
//! 2. It counts only while it is trusted: a season was seen, and its own errors lately were clearly smaller than those of
//!    the last value. Else the policy is as if it were not there.
//! 3. What is forecast is the largest need within the time that a start takes and one evaluation, as it holds nine times
//!    in ten.

use super::Readings;
use super::Verdict;
use crate::engine::forecast::Config;
use crate::engine::forecast::Distrust;
use crate::engine::forecast::Forecast;
use crate::engine::forecast::Forecaster;
use crate::engine::forecast::Trust;
use crate::model::Ahead;
use crate::model::Guard;
use crate::model::Reason;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Span;

/// What a service needs, learned from its days.
#[derive(Debug, Clone)]
pub(super) struct Foresight {
    ahead: Ahead,
    forecaster: Box<Forecaster>,
}

impl Foresight {
    /// One that has seen nothing yet, of a policy that looks so often.
    pub(super) fn new(ahead: Ahead, every: Span) -> Self {
        let usual = Config::default();
        // A look that comes late must not count as a silence.
        let config = Config { stale_after: usual.stale_after.max(every.times(3)), ..usual };
        Self { ahead, forecaster: Box::new(Forecaster::new(config)) }
    }

    /// Takes the newest measurement of CPU, all instances together; `None` where there is none.
    pub(super) fn observe(&mut self, now: Instant, used: Option<Millicores>) {
        self.forecaster.observe(now, used.map(|used| used.get().saturating_mul(1000)));
    }

    /// What a rule said, with at least as many instances as the forecast asks for. `limit` is the CPU limit of one.
    pub(super) fn over(&mut self, verdict: Verdict, now: Instant, readings: &Readings, limit: Millicores) -> Verdict {
        let each = u128::from(limit.get()) * u128::from(self.ahead.cpu.get());
        if each == 0 {
            return verdict;
        }
        let forecast = self.forecaster.ahead(now, self.ahead.by);
        let wanted = u32::try_from(u128::from(forecast.upper).div_ceil(each)).unwrap_or(u32::MAX);
        let seen = readings.replicas;
        let by_rule = match &verdict {
            Verdict::Up(step, _) => seen.saturating_add(*step),
            Verdict::Down(step, _) => seen.saturating_sub(*step),
            Verdict::To(to, _) => *to,
            Verdict::Quiet | Verdict::Held(..) => seen,
        };
        if wanted <= by_rule {
            return verdict;
        }
        let why = reason(&forecast, self.ahead, wanted);
        match (forecast.trust, verdict) {
            (Trust::Trusted, _) if wanted > seen => Verdict::Up(wanted - seen, why),
            (Trust::Trusted, Verdict::Down(_, rule) | Verdict::To(_, rule)) if wanted < seen => {
                Verdict::Down(seen - wanted, rule)
            }
            (Trust::Trusted, Verdict::Down(_, rule) | Verdict::To(_, rule)) => {
                Verdict::Held(Some(rule), Guard::Ahead { needed: wanted })
            }
            (Trust::NotTrusted { why: distrust }, Verdict::Quiet) if wanted > seen && is_worth_telling(distrust) => {
                Verdict::Held(Some(why), Guard::OwnRule { why: words(distrust) })
            }
            (_, verdict) => verdict,
        }
    }
}

fn reason(forecast: &Forecast, ahead: Ahead, wanted: u32) -> Reason {
    Reason::Ahead {
        wanted,
        expected: Millicores::new(forecast.expected / 1000),
        upper: Millicores::new(forecast.upper.div_ceil(1000)),
        by: ahead.by,
        error: forecast.error,
        error_of_last: forecast.error_of_last,
    }
}

/// Before a whole season was seen there is nothing to tell.
const fn is_worth_telling(distrust: Distrust) -> bool {
    matches!(distrust, Distrust::ErrorHigh { .. } | Distrust::NoBetterThanLast { .. })
}

fn words(distrust: Distrust) -> String {
    match distrust {
        Distrust::ErrorHigh { error, most } => format!("forecasts were {error} off lately, {most} are allowed"),
        Distrust::NoBetterThanLast { error, last } => {
            format!("forecasts were {error} off lately, the last value {last}")
        }
        other => format!("{other:?}"),
    }
}
