//! Requests inside one instance: how many there are, how many come out, how long they take. Before you change it:
//! 1. The number inside follows `dL/dt = rate · (1 − late) − min(capacity · load_for(L), grant)`: the pointwise stationary
//!    fluid approximation. It is solved implicitly, so any step is stable; at a steady load below saturation it comes
//!    to rest on the stationary answer itself, above it grows with `rate − capacity`.
//! 2. Rates are means. The scatter of arrivals is already part of the stationary answer and must not come in twice.
//! 3. Time in the station is `L` over what comes out (Little). Below [`LOAD_STATIONARY`] its distribution is the
//!    stationary one at `load_for(L)`, above it that of a carried backlog, both stretched to that mean.

use super::response::Response;
use super::zero;
use crate::model::Latencies;
use crate::units;
use crate::units::Span;
use crate::units::whole;
use std::sync::Arc;
use std::sync::OnceLock;

/// Load up to which the distribution of times is the stationary one.
pub(super) const LOAD_STATIONARY: f64 = 0.98;
/// So many times the mean no request takes that matters: below one in a million for every spread.
pub(super) const FAR: f64 = 100.0;
/// How near to its stationary number the station is set onto it: as near as a rate that changes smoothly brings it by holding
/// for a while.
pub(super) const NEAR: f64 = 2.5e-3;
/// Share of late requests below which they do not change the number inside.
pub(super) const FEW: f64 = 1e-4;
/// How near to its stationary number the number inside moves as a straight line would.
const CLOSE: f64 = 0.1;
/// With more inside than this, what comes out hardly depends on how many.
pub(super) const LONG: f64 = 64.0;
/// Share by which a long queue, or one on its way to a near rest, may change while everything else is held.
pub(super) const CHANGE: f64 = 0.005;

/// What passes through one instance.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Passage {
    /// Requests per second that come out.
    pub(super) through: f64,
    /// Requests per second that give up inside.
    pub(super) given_up: f64,
    /// Requests per second by which the number inside grows.
    pub(super) growth: f64,
    /// Load that the number inside stands for at the end of the step, from 0 up to 1.
    pub(super) load: f64,
    /// Mean time inside, in seconds.
    pub(super) time: f64,
    /// More come than can be served.
    pub(super) saturated: bool,
    /// For so many seconds all this holds; zero for one step, infinite where nothing changes any more.
    pub(super) holds: f64,
}

/// What comes to one instance.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Inflow {
    /// Requests per second.
    pub(super) rate: f64,
    /// Requests per second that the granted CPU is enough for; infinite where the host gives all that is wanted.
    pub(super) granted: f64,
    /// Length of the step in seconds.
    pub(super) step: f64,
}

/// The requests inside one instance.
#[derive(Debug, Clone, Default)]
pub(super) struct Queue {
    /// How many there are.
    pub(super) inside: f64,
    inflow: Inflow,
    passage: Passage,
    /// Seconds for which the passage still holds.
    left: f64,
}

impl Queue {
    /// So many requests inside, and all to be found out anew.
    pub(super) fn reset(&mut self, inside: f64) {
        *self = Self { inside, ..Self::default() };
    }

    /// Time passes with the passage last found.
    pub(super) fn pass(&mut self, seconds: f64) {
        self.inside = (self.inside + self.passage.growth * seconds).max(0.0);
        self.left -= seconds;
    }

    /// Takes over what somebody else found out.
    pub(super) const fn take(&mut self, passage: Passage, inflow: Inflow) {
        self.passage = passage;
        self.inflow = inflow;
        self.left = 0.0;
    }

    /// What passes through in the coming step, or for longer where the answer says so.
    pub(super) fn look(&mut self, response: &Response, late: &Late, inflow: Inflow) -> Passage {
        if self.left >= inflow.step && inflow == self.inflow {
            return Passage { holds: self.left, ..self.passage };
        }
        self.inflow = inflow;
        let before = self.inside;
        let Inflow { rate, granted, step } = inflow;
        let capacity = response.capacity();
        let saturated = rate >= capacity.min(granted) * (1.0 - 1e-12);
        let rest = if saturated { None } else { Some(response.at(rate / capacity).in_system) };
        let rest = rest.filter(|&rest| late.share(response, rest / rate.max(1e-12)) < FEW);
        let out_now = (capacity * response.load_for(before)).min(granted);
        let is_close = |rest: f64| (before - rest).abs() <= CLOSE * rest && granted == f64::INFINITY;
        let steady = before > LONG && late.share(response, before / out_now.max(1e-12) * 1.1) == 0.0;
        let after = match rest {
            Some(rest) if (before - rest).abs() <= NEAR * rest || rate == 0.0 && before < 1e-6 => rest,
            _ if steady && step * (rate - out_now).abs() < before * CHANGE => before + step * (rate - out_now),
            Some(rest) if is_close(rest) => {
                // Between two near numbers what comes out is as good as linear: one step of the implicit solution.
                let pace = step * (rate - out_now) / (rest - before);
                before + (rest - before) * pace / (1.0 + pace)
            }
            _ => self.solve(response, late, rest),
        };
        let still = (after - before).abs() <= 1e-7 * step * rate;
        let growth = if still { 0.0 } else { (after - before) / step };
        let holds = match before * CHANGE / growth.abs() {
            _ if still => f64::INFINITY,
            seconds if before > LONG && seconds > step => seconds,
            // On its way to a near rest it is there by then, as a straight line goes.
            seconds if seconds > step => match rest.filter(|rest| is_close(*rest)) {
                Some(rest) if rest != after => seconds.min((rest - before) / growth),
                _ => 0.0,
            },
            _ => 0.0,
        };
        let load = match rest {
            Some(rest) if rest == after => rate / capacity,
            _ => response.load_for(after),
        };
        let out = (capacity * load).min(granted);
        let middle = if holds > 0.0 && holds.is_finite() { before + growth * holds / 2.0 } else { after };
        let time = if out > 0.0 && after > 0.0 { middle / out } else { response.at(load).mean };
        let left = rate - growth;
        let share_late = late.share(response, time);
        let given_up = if saturated && share_late > 0.0 { left - out } else { rate * share_late };
        let given_up = given_up.clamp(0.0, left.max(0.0));
        self.left = holds;
        self.passage = Passage { through: (left - given_up).max(0.0), given_up, growth, load, time, saturated, holds };
        self.passage
    }

    /// The number inside at the end of the step, between the number now and the one at rest.
    fn solve(&self, response: &Response, late: &Late, rest: Option<f64>) -> f64 {
        let before = self.inside;
        let Inflow { rate, granted, step } = self.inflow;
        let capacity = response.capacity();
        let excess = |inside: f64| {
            let out = (capacity * response.load_for(inside)).min(granted);
            let time = if out > 0.0 { inside / out } else { 0.0 };
            inside - before - step * (rate * (1.0 - late.share(response, time)) - out)
        };
        let lowest = (before - step * capacity.min(granted)).max(0.0);
        let (low, high) = match rest {
            Some(rest) if rest < before => (rest.max(lowest), before),
            Some(rest) => (before, rest.min(before + step * rate).max(before)),
            None => (lowest, before + step * rate),
        };
        zero::rising(low, high, 1e-9 * (step * rate + before), excess)
    }
}

/// Points of [`Late`] in one doubling of time.
const PER_DOUBLING: f64 = 16.0;
/// Points from `timeout / FAR` up to where nobody is in time.
const POINTS: usize = 240;

/// The share of requests that take longer than the timeout, by the mean time in the station. Found once for each of a
/// row of means, when first asked for, and linear between them, so that it has no jumps. All who wait in stations alike and
/// as long have one row.
#[derive(Debug, Clone)]
pub(super) struct Late {
    timeout: Option<Span>,
    shares: Arc<[OnceLock<f64>]>,
}

impl Late {
    pub(super) fn new(timeout: Option<Span>) -> Self {
        Self { timeout, shares: timeout.map_or(0..0, |_| 0..POINTS).map(|_| OnceLock::new()).collect() }
    }

    pub(super) const fn timeout(&self) -> Option<Span> {
        self.timeout
    }

    /// Forgets all, since the station is another one.
    pub(super) fn forget(&mut self) {
        match Arc::get_mut(&mut self.shares) {
            Some(shares) => shares.fill_with(OnceLock::new),
            None => *self = Self::new(self.timeout),
        }
    }

    /// The share that is late when the mean is `time` seconds.
    pub(super) fn share(&self, response: &Response, time: f64) -> f64 {
        let Some(timeout) = self.timeout.map(Span::as_secs) else { return 0.0 };
        if time * FAR <= timeout {
            return 0.0;
        }
        let place = libm::log2(time * FAR / timeout) * PER_DOUBLING;
        if place >= (POINTS - 1) as f64 {
            return 1.0;
        }
        let index = units::place(place);
        let part = place - index as f64;
        let from = if index == 0 { 0.0 } else { self.point(response, timeout, index) };
        from + part * (self.point(response, timeout, index + 1) - from)
    }

    fn point(&self, response: &Response, timeout: f64, index: usize) -> f64 {
        *self.shares[index].get_or_init(|| {
            let mean = timeout / FAR * libm::exp2(index as f64 / PER_DOUBLING);
            if mean >= response.at(LOAD_STATIONARY).mean {
                return response.overload_beyond(mean, timeout);
            }
            let (first, shares) = response.shape_near(load_of_mean(response, mean), mean);
            above(first, &shares, timeout)
        })
    }
}

/// The load at which requests take so long on average, by halving.
fn load_of_mean(response: &Response, mean: f64) -> f64 {
    let (mut low, mut high) = (0.0, LOAD_STATIONARY);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if response.at(middle).mean < mean { low = middle } else { high = middle }
    }
    low
}

/// The share of a distribution by bucket that is above a time in seconds; linear inside the bucket.
pub(super) fn above(first: usize, shares: &[f64], time: f64) -> f64 {
    let place = Latencies::bucket(Span::from_nanos(whole(time * 1e9)));
    let over: f64 = shares.iter().skip((place + 1).saturating_sub(first)).sum();
    let inside = place.checked_sub(first).and_then(|index| shares.get(index)).copied().unwrap_or(0.0);
    let (lower, upper) = (Latencies::lower(place).as_secs(), Latencies::lower(place + 1).as_secs());
    (over + inside * ((upper - time) / (upper - lower)).clamp(0.0, 1.0)).clamp(0.0, 1.0)
}
