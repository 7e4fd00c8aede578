//! Requests of so many who wait for an answer before they send the next: clients, and workers that wait for their calls.
//! Before you change it:
//! 1. Who is here is not elsewhere: the rate falls with the number inside, and is found together with it, so that a step
//!    much longer than the round of a request does not swing.
//! 2. An arrival finds the others only: of `N` in the loop `N − 1` (Schweitzer 1979).

use super::requests::Inflow;
use super::requests::Passage;
use super::response::Response;
use super::zero;

/// Clients up to which mean value analysis counts each one.
const EXACT: f64 = 1000.0;

/// Who sends requests to one service and waits for them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Loop {
    /// How many there are, for all instances of the service.
    pub(super) population: f64,
    /// Requests per second that they would send at most.
    pub(super) wanted: f64,
    /// Seconds from the end of a visit to the next.
    pub(super) rest: f64,
    /// They are always somewhere in the loop, as clients are; workers may have nothing to do.
    pub(super) always: bool,
}

/// A loop as one of `instances` sees it, with requests of others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Visit {
    pub(super) from: Loop,
    pub(super) instances: f64,
    /// Requests per second of others, for one instance.
    pub(super) open: f64,
    /// Share of those inside that are of the loop.
    pub(super) share: f64,
    /// Load of the instance up to now.
    pub(super) load: f64,
}

impl Visit {
    /// Requests per second for one instance, with so many inside.
    pub(super) fn rate(&self, inside: f64) -> f64 {
        let away = (self.from.population / self.instances - self.share * inside).max(0.0);
        self.open + (away / self.from.rest.max(1e-6)).min(self.from.wanted / self.instances)
    }

    /// Of those inside, how many an arrival finds, as a share. In a loop through one core it is exact: workers that are busy
    /// for a share `u` of the time find `(1 − uᴺ⁻¹) / (1 − uᴺ)` of those who are there on average, and clients find as many
    /// as there were with one client less (the arrival theorem: Reiser and Lavenberg 1980).
    fn found(&self, response: &Response) -> f64 {
        let population = self.from.population.max(1.0);
        let others = if self.from.always && population <= EXACT {
            self.found_of_clients(response)
        } else if self.from.always || self.load > 1.0 - 1e-9 {
            (population - 1.0) / population
        } else {
            let load = self.load.max(0.0);
            (1.0 - libm::pow(load, population - 1.0)) / (1.0 - libm::pow(load, population))
        };
        1.0 - self.share * (1.0 - others)
    }

    fn found_of_clients(&self, response: &Response) -> f64 {
        let (mut before, mut inside, mut number) = (0.0, 0.0, 1.0);
        while number <= self.from.population {
            let time = time_of(response, inside);
            before = inside;
            inside = number / (self.from.rest + time) / self.instances * time;
            number += 1.0;
        }
        if inside > 0.0 { before / inside } else { 0.0 }
    }

    /// What passes through in the coming step, starting with so many inside.
    pub(super) fn look(
        &self,
        response: &Response,
        late: &super::requests::Late,
        before: f64,
        inflow: Inflow,
    ) -> (Passage, f64) {
        let Inflow { granted, step, .. } = inflow;
        let share_found = self.found(response);
        let state = |inside: f64| {
            let out = (inside / time_of(response, inside * share_found)).min(response.capacity()).min(granted);
            let time = if out > 0.0 && inside > 0.0 { inside / out } else { response.at(0.0).mean };
            (out, time, late.share(response, time))
        };
        let mut high = before + step * self.rate(0.0);
        let all = self.from.population / self.instances;
        if self.open == 0.0 && self.share >= 1.0 {
            high = high.min(all.max(before));
        }
        // Beside requests of others nobody knows exactly how many inside are of the loop, but no more can come than there are.
        let most = if self.from.always && self.open > 0.0 { before + all + step * self.open } else { f64::INFINITY };
        high = high.min(most);
        let after = zero::rising(0.0, high, 0.0, |inside| {
            let (out, _, share_late) = state(inside);
            inside - before - step * (self.rate(inside) * (1.0 - share_late) - out)
        });
        let (mut out, mut time, share_late) = state(after);
        let mut rate = self.rate(after);
        if !self.from.always && out > 0.0 {
            // How often workers ask was found out where they are; what is left of the service is theirs.
            let missing = (self.open + self.from.wanted / self.instances - rate) * (1.0 - share_late);
            let more = missing.min(response.capacity().min(granted) - out).max(0.0);
            rate += more / (1.0 - share_late).max(1e-9);
            (out, time) = (out + more, time * out / (out + more));
        }
        if after >= most * (1.0 - 1e-9) {
            rate = rate.min(((after - before) / step + out) / (1.0 - share_late).max(1e-9));
        }
        let still = (after - before).abs() <= 1e-6 * (step * rate).min(after);
        let growth = if still { 0.0 } else { (after - before) / step };
        let left = (rate - growth).max(0.0);
        let given_up = (rate * share_late).min(left);
        let load = (out / response.capacity()).min(1.0);
        let holds = if still { f64::INFINITY } else { 0.0 };
        let through = left - given_up;
        (Passage { through, given_up, growth, load, time, saturated: false, holds }, rate)
    }
}

/// Mean time of a request that finds so many there.
fn time_of(response: &Response, found: f64) -> f64 {
    if found <= 1e-6 {
        return response.at(0.0).mean.max(1e-12);
    }
    found / (response.capacity() * response.load_for(found)).max(1e-12)
}
