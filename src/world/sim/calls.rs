//! Calls that are more than calls: cached, at the same time, over a network, cut off, tried again, broken. Before you
//! change it:
//! 1. Only services with such a call have links; the others go the short way in `settle`.
//! 2. How a call ends now is known from the called service's present times; how often it is made follows in the next step.
//! 3. A try that is given up still is worked on: nobody tells the called service.

use super::World;
use super::breaker::Breaker;
use super::gate::Place;
use super::network;
use super::pool::Pool;
use super::requests::FAR;
use super::seen::Proportional;
use super::stages::How;
use super::stages::Part;
use super::stages::State;
use super::stages::power;
use super::stages::tries;
use super::times::Library;
use crate::model::Call;
use crate::model::Retry;
use crate::model::Scenario;
use crate::model::ServiceModel;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;

/// A change of how often calls are made, or of how many of them fail, below which nothing is found anew.
const STILL: f64 = 1e-6;

/// The calls of one service to another.
pub(super) struct Link {
    pub(super) to: usize,
    stage: Option<u32>,
    pub(super) how: How,
    /// The number of `how` in the library.
    number: usize,
    retry: Option<Retry>,
    breaker: Option<Breaker>,
    /// Its connections, where there are so many only.
    pub(super) pool: Option<Box<Pool>>,
    /// Tries made for each request, from the next step on.
    tries: f64,
    /// Tries made for each request in this step.
    pub(super) made: f64,
    /// Share of tries that fail.
    fails: f64,
    /// Mean seconds of a try that nobody gives up.
    time: f64,
    /// Mean time of the stage that begins with it, by the sum of its times.
    longest: Proportional,
    pub(super) state: State,
}

/// How the calls of a request come out.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Outcome {
    /// Seconds that all calls of a request take on average.
    pub(super) time: f64,
    /// Seconds they take where all of them come back well.
    pub(super) time_well: f64,
    /// Share of requests whose calls all come back well.
    pub(super) well: f64,
    /// Share of the others that a breaker stopped.
    pub(super) broken: f64,
    /// Share of requests that do not run out of their own time while they wait for a connection.
    pub(super) in_time: f64,
    /// Some state that distributions show is another one.
    pub(super) changed: bool,
    /// Calls are made more or less often from the next step on.
    pub(super) moved: bool,
}

/// One kind of call.
#[derive(Debug, Clone, Copy, Default)]
struct Ended {
    time: f64,
    time_well: f64,
    well: f64,
    broken: f64,
}

impl Link {
    /// The links of a service; none where all its calls are nothing but calls.
    pub(super) fn all(
        model: &ServiceModel,
        calls: &[(usize, &Call)],
        scenario: &Scenario,
        library: &mut Library,
    ) -> Vec<Self> {
        let hops = scenario.host.hop.as_secs() * 2.0;
        let plain = |call: &Call| *call == Call::new(call.to.clone(), call.count);
        let network = network::is_ever_bad(scenario);
        if hops == 0.0 && !network && calls.iter().all(|(_, call)| plain(call)) {
            return Vec::new();
        }
        let link = |(to, call): &(usize, &Call)| {
            let retries = call.retry.map_or((0, 0.0), |retry| (retry.times, retry.backoff.as_secs()));
            let how = How {
                count: call.count,
                parallel: call.stage.is_some(),
                cached: call.cached.as_fraction().min(1.0),
                timeout: call.timeout.map(Span::as_secs),
                hops: hops + call.hop.as_secs() * 2.0,
                retries,
            };
            library.hows.push(how);
            Self {
                to: *to,
                stage: call.stage,
                how,
                number: library.hows.len() - 1,
                retry: call.retry,
                breaker: call.breaker.map(Breaker::new),
                pool: Pool::of(call, model),
                tries: (1.0 - how.cached) * f64::from(call.count),
                made: 0.0,
                fails: 0.0,
                time: 0.0,
                longest: Proportional::default(),
                state: State::default(),
            }
        };
        calls.iter().map(link).collect()
    }

    /// The share of failed tries that are tried again, so that these stay within the budget.
    fn again(&self, fails: f64) -> f64 {
        let Some(retry) = self.retry else { return 0.0 };
        let budget = retry.budget.map_or(f64::INFINITY, Permille::as_fraction);
        if tries(fails, retry.times) - 1.0 <= budget {
            return 1.0;
        }
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..40 {
            let middle = f64::midpoint(low, high);
            if tries(fails * middle, retry.times) - 1.0 <= budget { low = middle } else { high = middle }
        }
        low
    }

    fn is_open(&self) -> bool {
        self.breaker.as_ref().is_some_and(Breaker::is_open)
    }

    /// Tries made for each request that reach the called service.
    pub(super) fn sent(&self) -> f64 {
        self.pool.as_ref().map_or(self.made, |pool| self.made * pool.sent)
    }

    /// Where workers that block wait for so many calls of a request, and the seconds that one takes; `None` without a pool.
    pub(super) fn place(&self, visits: f64) -> Option<(Place, f64)> {
        let pool = self.pool.as_ref()?;
        let response = pool.response.clone()?;
        let servers = Some(pool.pace.clone());
        Some((Place { visits, ..Place::of(response, servers) }, self.time))
    }

    /// From now on calls are made as often as was found out last.
    pub(super) fn make(&mut self) {
        self.made = if self.is_open() { 0.0 } else { self.tries };
    }

    /// Takes note of how tries end now: `answered` is the called service's time in seconds and its share of failures,
    /// `late` the share of its answers that come too late, and the mean time of the others over that of all; `network`
    /// the number of the network in between, and the seconds that a try takes longer on it.
    fn weigh(&mut self, answered: (f64, f64), (late, ratio): (f64, f64), network: (usize, f64)) -> (Ended, bool) {
        let how = self.how;
        let (time, failing) = (answered.0 + how.hops + network.1, answered.1);
        let fails = (1.0 - (1.0 - failing) * (1.0 - late)).clamp(0.0, 1.0);
        let timeout = how.timeout.unwrap_or(f64::INFINITY);
        let (cut, soon) = (time.min(timeout), time * ratio);
        let time_failing = if fails > 0.0 {
            let late_time = if late > 0.0 { late * (1.0 - failing) * timeout } else { 0.0 };
            (late_time + failing * cut) / fails
        } else {
            0.0
        };
        let again = self.again(fails);
        let each = fails * again;
        let made = tries(each, how.retries.0);
        let well = (1.0 - fails) * made;
        // What goes before the try that ends well: failed ones and the waits after them, by the number of these.
        let (mut before, mut waits, mut weight, mut passed, mut wait) = (0.0, 0.0, 1.0, 0.0, how.retries.1);
        for _ in 0..how.retries.0 {
            weight *= each;
            passed += time_failing + wait;
            waits += weight * wait;
            before += weight * (1.0 - fails) * passed;
            wait *= 2.0;
            if weight < 1e-9 {
                break;
            }
        }
        let open = self.is_open();
        let through = if open { 0.0 } else { 1.0 - how.cached };
        let ended = Ended {
            time: through * (made * ((1.0 - fails) * soon + fails * time_failing) + waits),
            time_well: if well > 0.0 {
                through * (well * soon + before) / (how.cached + through * well).max(1e-12)
            } else {
                0.0
            },
            well: how.cached + through * well,
            broken: if open { 1.0 - how.cached } else { 0.0 },
        };
        let next = (1.0 - how.cached) * made * f64::from(how.count);
        let moved = (next - self.tries).abs() > STILL * self.tries || (fails - self.fails).abs() > STILL;
        (self.tries, self.fails, self.time) = (next, fails, time);
        let state = State::new((fails, again), time_failing, (0.0, 0.0)).over(network.0);
        self.state = self.pool.as_ref().map_or(state, |pool| pool.wait.shown(state));
        (ended, moved)
    }
}

impl World {
    /// How the calls of a request come out, for a service whose callees are known already.
    pub(super) fn weigh_links(&mut self, index: usize) -> Outcome {
        let mut links = core::mem::take(&mut self.services[index].links);
        let mut outcome = Outcome { well: 1.0, in_time: 1.0, ..Outcome::default() };
        let mut unbroken = 1.0;
        let mut from = 0;
        while from < links.len() {
            let stage = links[from].stage;
            let length = links[from..].iter().take_while(|link| stage.is_some() && link.stage == stage).count().max(1);
            let (mut time, mut time_well, mut pooled) = (0.0, 0.0, 0.0);
            for link in &mut links[from..from + length] {
                let before = link.state;
                let (time_there, late) = match self.weigh_pool(index, link) {
                    Some((time, late, in_time)) => {
                        outcome.in_time *= libm::pow(in_time, (1.0 - link.how.cached) * f64::from(link.how.count));
                        pooled += time;
                        (time, late)
                    }
                    None => (self.services[link.to].shown().time, self.late_share(link)),
                };
                let failing = self.services[link.to].shown().fails_all;
                let (ended, moved) = link.weigh((time_there, failing), late, self.network);
                outcome.changed |= link.state != before || self.stretch_changed[link.to];
                outcome.moved |= moved;
                outcome.well *= power(ended.well, link.how.count);
                unbroken *= power(1.0 - ended.broken, link.how.count);
                time += ended.time * f64::from(link.how.count);
                time_well += ended.time_well * f64::from(link.how.count);
            }
            if stage.is_some() && (length > 1 || links[from].how.count > 1) && time_well > 0.0 {
                // The longest of them: as much longer or shorter for those that fail as for those that do not. A wait for a
                // connection that outlasts its request is part of no call that ends well, but moves as the others do.
                let now = time_well + pooled;
                let longest = links[from].longest.at(now, &mut self.care).unwrap_or_else(|| {
                    let longest = self.longest(&links[from..from + length]);
                    links[from].longest = Proportional::new(now, longest);
                    longest
                });
                (time, time_well) = (time * longest / time_well, longest);
            }
            outcome.time += time;
            outcome.time_well += time_well;
            from += length;
        }
        if outcome.well < 1.0 {
            outcome.broken = ((1.0 - unbroken) / (1.0 - outcome.well)).clamp(0.0, 1.0);
        }
        self.services[index].links = links;
        outcome
    }

    /// The share of the answers of a called service that come too late, and the mean time of the others over that of all.
    fn late_share(&mut self, link: &Link) -> (f64, f64) {
        let callee = &self.services[link.to];
        let Some(timeout) = link.how.timeout else { return (0.0, 1.0) };
        let soon = (callee.shown().time + link.how.hops) * FAR <= timeout && self.network.0 == 0;
        let latest = callee.latest();
        if latest == usize::MAX || soon {
            return (0.0, 1.0);
        }
        let (number, longer) = self.seen_by_callers(link.to, latest);
        self.library.late(number, longer, link.number, self.network.0)
    }

    /// Mean time of a stage, by its distribution.
    fn longest(&mut self, links: &[Link]) -> f64 {
        let mut parts = Vec::with_capacity(links.len());
        for link in links {
            let latest = self.services[link.to].latest();
            let number = (latest != usize::MAX).then(|| self.number_shown(link.to, latest));
            parts.push(Part { number, how: link.number, state: link.state });
        }
        let stage = self.library.stage(&parts);
        self.library.times(stage).mean()
    }

    /// The distributions of the calls of a stretch, as [`Library::find`] takes them.
    pub(super) fn linked(&mut self, index: usize, stretch: usize) -> Vec<(usize, u32)> {
        let mut found = Vec::new();
        let mut stage: Vec<Part> = Vec::new();
        let count = self.services[index].links.len();
        for link in 0..count {
            let at = stretch * count + link;
            let (to, called) = (self.services[index].links[link].to, self.services[index].called[at]);
            let number = (called != usize::MAX).then(|| self.number_shown(to, called));
            let service = &self.services[index];
            let state = service.link_states.get(at).copied().unwrap_or_default();
            stage.push(Part { number, how: service.links[link].number, state });
            let same = |next: &Link| next.stage.is_some() && next.stage == service.links[link].stage;
            if !service.links.get(link + 1).is_some_and(same) {
                found.push((self.library.stage(&stage), 1));
                stage.clear();
            }
        }
        found
    }

    /// Tells the breakers what was tried since the last time.
    pub(super) fn show_breakers(&mut self, held: f64) {
        let now = self.now;
        let from = now.minus(Span::from_nanos(crate::units::whole(held * 1e9)));
        for service in self.services.iter_mut().filter(|service| !service.links.is_empty() && service.up > 0.0) {
            let through = service.passage.through * service.up;
            for link in &mut service.links {
                let (made, fails) = (through * link.made * held, link.fails);
                if let Some(breaker) = &mut link.breaker {
                    breaker.saw(from, now, made, made * fails);
                }
            }
        }
    }

    /// Opens and closes breakers.
    pub(super) fn change_breakers(&mut self) {
        for service in &mut self.services {
            for link in &mut service.links {
                let fails = link.fails;
                self.moving |= link.breaker.as_mut().is_some_and(|breaker| breaker.change(self.now, fails));
            }
        }
    }

    /// When the next breaker is to be looked at.
    pub(super) fn breakers_due(&self) -> Instant {
        let links = self.services.iter().flat_map(|service| &service.links);
        let due = links.filter_map(|link| Some(link.breaker.as_ref()?.due(self.now, link.fails, self.step)));
        due.fold(super::instance::NEVER, Instant::min)
    }
}
