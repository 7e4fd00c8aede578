//! Connections to a called service: an instance of the caller has so many, and further calls wait in order for one. Before
//! you change it:
//! 1. The connections are servers whose service time is the answer time of the called service, which has no more requests of
//!    this caller than there are connections: how fast so many are together is their [`Pace`], as of workers that block.
//! 2. Who waits longer than it has time for gives up and is never sent. A connection is taken until its answer is there,
//!    whether or not somebody still waits for that.
//! 3. The number in it is set onto its stationary answer, no faster than requests can come or go; where more come than can
//!    be answered and nobody gives up, that is further and further off.

use super::World;
use super::calls::Link;
use super::closed::Loop;
use super::closed::Visit;
use super::gate::Pace;
use super::gate::Place;
use super::loops::Callers;
use super::mixes::parts;
use super::requests::FAR;
use super::requests::Inflow;
use super::requests::Late;
use super::response::Response;
use super::service::Service;
use super::stages::State;
use super::times::Times;
use super::zero;
use crate::model::Call;
use crate::model::ServiceModel;
use std::sync::Arc;

/// How near to its stationary number the number inside is set onto it, as a share of what comes in a step.
const NEAR: f64 = 1e-7;
/// Fewer calls than this are none, where no more come.
const GONE: f64 = 1e-3;
/// Share of requests that a wait takes out of time from which on that is counted here, and not by the distribution of the
/// whole time, whose buckets are too wide for it.
pub(super) const SHORT: f64 = 1e-3;

/// The connections of one caller to one service. Figures are those of one instance of the caller; all are alike.
pub(super) struct Pool {
    connections: u32,
    pub(super) pace: Pace,
    pub(super) response: Option<Arc<Response>>,
    /// The share that gives up of those that somebody waits for in a loop.
    late: Late,
    /// Calls that wait for a connection, and those that have one.
    pub(super) inside: f64,
    growth: f64,
    /// Calls per second that get a connection, as a share of those that ask for one.
    pub(super) sent: f64,
    /// More calls come than can be answered.
    pub(super) full: bool,
    /// Seconds that a connection is taken for, and those of them that do not pass in the called service's station.
    taken: f64,
    elsewhere: f64,
    pub(super) wait: Wait,
    /// Share of a second in which the connections are in use.
    load: f64,
    /// For how many seconds all this holds.
    holds: f64,
}

/// How long calls wait for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Wait {
    /// Share of calls that wait until they have no more time.
    pub(super) gone: f64,
    /// Share of the others that wait at all.
    chance: f64,
    /// Their waits are exponential with this rate, up to the patience; below zero they get more likely towards it.
    rate: f64,
    patience: f64,
    /// All wait just as long instead.
    exactly: Option<f64>,
}

impl Wait {
    /// Share of the calls with a connection that waited up to `time` for it, and the mean of that wait times the share.
    fn within(&self, time: f64) -> (f64, f64) {
        if time < 0.0 {
            return (0.0, 0.0);
        }
        if let Some(exactly) = self.exactly {
            return if exactly <= time { (1.0, exactly) } else { (0.0, 0.0) };
        }
        if self.chance <= 0.0 {
            return (1.0, 0.0);
        }
        let (time, end, rate) = (time.min(self.patience), self.patience, self.rate);
        let (share, mean) = if (rate * end).abs() < 1e-6 {
            (time / end, time * time / end / 2.0)
        } else if rate > 0.0 {
            let (here, all) = (libm::exp(-rate * time), 1.0 - libm::exp(-rate * end));
            let beyond = if here > 0.0 { here * (time + 1.0 / rate) } else { 0.0 };
            ((1.0 - here) / all, (1.0 / rate - beyond) / all)
        } else {
            // The same, both sides of each fraction divided by what would grow beyond all numbers.
            let (here, none) = (libm::exp(rate * (end - time)), libm::exp(rate * end));
            ((here - none) / (1.0 - none), ((time + 1.0 / rate) * here - none / rate) / (1.0 - none))
        };
        (1.0 - self.chance + self.chance * share, self.chance * mean)
    }

    /// Mean seconds that a call with a connection waited for it.
    pub(super) fn mean(&self) -> f64 {
        self.within(f64::INFINITY).1
    }

    /// How distributions show it.
    pub(super) fn shown(&self, state: State) -> State {
        match self.exactly {
            Some(seconds) => state.after(seconds),
            None if self.rate <= 0.0 && self.chance > 0.0 => state.after(self.mean()),
            None => state.waiting(self.chance, self.mean() / self.chance.max(1e-12)),
        }
    }

    /// Of calls with a connection whose answers take `times`, as much longer as that, the share that is not done within
    /// `limit` seconds, and the mean time of those that are, wait included.
    fn late(&self, times: &Times, longer: f64, limit: f64) -> (f64, f64) {
        let (mut soon, mut sum) = (0.0, 0.0);
        for (time, share) in times.middles() {
            let time = time * longer;
            let (within, wait) = self.within(limit - time);
            soon += share * within;
            sum += share * (time * within + wait);
        }
        ((1.0 - soon).clamp(0.0, 1.0), if soon > 0.0 { sum / soon } else { limit })
    }
}

impl Pace {
    /// Where calls at a rate wait for a connection and leave after their patience: the mean number inside, and how long they
    /// wait. `slower` divides the pace, `spread` is by how much longer waits are than those of exponential answers.
    ///
    /// For exponential answers the time that a call would have to wait has the density `v(x) = v(0) · e^(−(μ − λ)x)` up to
    /// the patience, since departures come at the rate `μ` of all connections while all are taken; beyond it nobody comes
    /// in any more (Baccelli and Hebuterne 1981, M/M/c+D). Other spreads stretch it (Allen and Cunneen; the diffusion of
    /// M/G/c has the same factor).
    fn patient(&self, rate: f64, patience: f64, slower: f64, spread: f64) -> (f64, Wait) {
        let (all, sum, full) = self.likely(rate * slower);
        let most = self.most() / slower;
        let free = most - rate;
        let steepness = free / spread;
        // All divided by what the density is at the patience, where that is the larger end.
        let scale = if free < 0.0 { libm::exp(steepness * patience) } else { 1.0 };
        let left = if patience.is_infinite() { 0.0 } else { libm::exp(-steepness.abs() * patience) };
        let waiting = if (steepness * patience).abs() < 1e-6 {
            full * most * patience / spread
        } else {
            full * most * (1.0 - left) / free.abs()
        };
        let gone = if free < 0.0 { full } else { full * left };
        let whole = all * scale + waiting + gone;
        let (gone, waiting) = (gone / whole, waiting / whole);
        let sent = (1.0 - gone).max(1e-300);
        let wait = Wait { gone, chance: (waiting / sent).min(1.0), rate: steepness, patience, exactly: None };
        let busy = sum * scale / whole + self.connections() * (waiting + gone);
        let lost = if gone > 0.0 { gone * patience } else { 0.0 };
        (busy + rate * (sent * wait.mean() + lost), wait)
    }
}

impl Pool {
    /// The pool of a call of a service, where there is one: as many connections as its workers can ask for at once are none.
    pub(super) fn of(call: &Call, caller: &ServiceModel) -> Option<Box<Self>> {
        let connections = call.pool?.max(1);
        // Who stops waiting asks again while the connection is still taken.
        let waits = caller.blocking && call.timeout.is_none() && caller.timeout.is_none();
        let at_once = if call.stage.is_some() { call.count } else { 1 };
        if caller.workers.is_some_and(|workers| waits && workers.saturating_mul(at_once) <= connections) {
            return None;
        }
        Some(Box::new(Self {
            connections,
            pace: Pace::default(),
            response: None,
            late: Late::new(call.timeout),
            inside: 0.0,
            growth: 0.0,
            sent: 1.0,
            full: false,
            taken: 0.0,
            elsewhere: 0.0,
            wait: Wait::default(),
            load: 0.0,
            holds: f64::INFINITY,
        }))
    }

    /// Nobody is in it any more.
    pub(super) fn empty(&mut self) {
        (self.inside, self.growth, self.sent, self.full) = (0.0, 0.0, 1.0, false);
        (self.wait, self.load, self.holds) = (Wait::default(), 0.0, f64::INFINITY);
    }

    /// Time passes under what was found last.
    pub(super) fn pass(&mut self, seconds: f64) {
        self.inside = (self.inside + self.growth * seconds).max(0.0);
    }

    /// Mean seconds of a call that gets a connection.
    pub(super) fn time(&self) -> f64 {
        self.taken + self.wait.mean()
    }

    /// Takes over how fast the connections are now.
    fn fit(&mut self, place: Place, rest: f64) {
        let behind = Arc::clone(&place.response);
        let pace = Pace::of(self.connections, &[place], rest);
        if self.response.is_none() || !pace.is_near(&self.pace) {
            self.response = Some(Arc::new(behind.behind(&pace)));
            self.late.forget();
            self.pace = pace;
        }
    }

    /// What so many calls per second find in the coming step, who come whatever is there.
    fn look_open(&mut self, response: &Response, patience: f64, spread: f64, inflow: Inflow) {
        let Inflow { rate, granted, step } = inflow;
        let before = self.inside;
        let slower = (self.pace.most() / granted).max(1.0);
        let most = self.pace.most() / slower;
        self.full = rate >= most;
        let rests = !self.full || patience.is_finite();
        let (rest, wait) =
            if rests { self.pace.patient(rate, patience, slower, spread) } else { (f64::INFINITY, Wait::default()) };
        // The curve is for exponential answers; it is stretched so that it ends where the others are at rest.
        // Where nobody comes there is nothing to compare, and those that are inside still go.
        let stretch = if self.full || rate <= 0.0 { 1.0 } else { response.at(rate / most).in_system / rest.max(1e-12) };
        let moved = self.move_on(response, before, inflow, (most, stretch));
        let after = match rest > before {
            true => moved.clamp(before, rest.max(before)),
            // Whoever is there longer than its patience leaves at once.
            false if self.full => rest,
            false => moved.clamp(rest, before),
        };
        let near = if rate > 0.0 { 1e-3 * rest } else { GONE };
        let after = if rest.is_finite() && (after - rest).abs() <= near { rest } else { after };
        let still = (after - before).abs() <= NEAR * step * rate.max(1e-9);
        self.growth = if still { 0.0 } else { (after - before) / step };
        self.holds = if still { f64::INFINITY } else { 0.0 };
        if after == rest {
            self.wait = wait;
            self.sent = 1.0 - wait.gone;
        } else {
            // On the way there those get on who are there longest, and all wait about the same.
            let out = (rate - self.growth).clamp(0.0, most);
            let queued = (f64::midpoint(before, after) - self.pace.connections()).max(0.0);
            let exactly = queued / rate.max(out).max(1e-12);
            self.wait = Wait { patience, exactly: Some(exactly.min(patience)), ..Wait::default() };
            self.sent = if rate > 0.0 { out / rate } else { 1.0 };
        }
        self.load = (rate * self.sent / self.pace.most().max(1e-12)).min(1.0);
    }

    /// The number inside after a step in which nobody gives up, solved implicitly.
    fn move_on(&self, response: &Response, before: f64, inflow: Inflow, (most, stretch): (f64, f64)) -> f64 {
        let Inflow { rate, step, .. } = inflow;
        zero::rising((before - step * most).max(0.0), before + step * rate, 0.0, |inside| {
            let out = (most * response.load_for(inside * stretch)).min(most);
            inside - before - step * (rate - out)
        })
    }

    /// The same where so many wait for their answers before they call again.
    fn look_closed(&mut self, response: &Response, from: Loop, instances: f64, inflow: Inflow) {
        let visit = Visit { from, instances, open: 0.0, share: 1.0, load: self.load };
        let (passage, rate) = visit.look(response, &self.late, self.inside, inflow);
        let asked = from.wanted / instances;
        (self.growth, self.holds) = (passage.growth, passage.holds);
        self.load = passage.load;
        self.full = asked > 0.0 && passage.load > 1.0 - 1e-3;
        self.sent = if asked > 0.0 { passage.through / asked } else { 1.0 };
        let wait = (passage.time - self.taken).max(0.0);
        let gone = if rate > 0.0 { (passage.given_up / rate).min(1.0) } else { 0.0 };
        let chance = self.pace.busy(passage.load.min(1.0)).clamp(1.0 / 256.0, 1.0);
        let shape = if self.full {
            Wait { exactly: Some(wait), ..Wait::default() }
        } else {
            Wait { chance, rate: chance / wait.max(1e-9), ..Wait::default() }
        };
        self.wait = Wait { gone, patience: f64::INFINITY, ..shape };
    }
}

impl World {
    /// What passes through the pool of a call whose service passes on `through` requests a second, `held` being who waits for
    /// those; and tells the called service. For how many seconds it holds.
    pub(super) fn pass_pool(&mut self, index: usize, call: usize, through: f64, held: Callers) -> f64 {
        let link = &mut self.services[index].links[call];
        let (to, made, hops, timeout) = (link.to, link.made, link.how.hops, link.how.timeout);
        let Some(mut pool) = link.pool.take() else { return f64::INFINITY };
        // Of a service in two generations, the one with more of the traffic stands for both.
        let [one, other] = parts(&self.services, to);
        let (main, part) = if other.1 > one.1 { other } else { one };
        let (service, callee) = (&self.services[index], &self.services[main]);
        let (up, there) = (service.up, callee.up / part);
        if callee.up == 0.0 {
            pool.empty();
            self.incoming[to] += through * made;
            self.services[index].links[call].pool = Some(pool);
            return f64::INFINITY;
        }
        // A third of the way in a step, so that it does not swing with how much those wait whom it lets through.
        let elsewhere = (callee.time - callee.passage.time).max(0.0) + hops + self.network.1;
        pool.elsewhere += (elsewhere - pool.elsewhere) / if pool.response.is_some() { 3.0 } else { 1.0 };
        let elsewhere = pool.elsewhere;
        let mine = (pool.sent * through * made * callee.passage.time).min(f64::from(pool.connections) * up);
        let others = (callee.queue.inside - mine / there).max(0.0);
        let response = Arc::clone(&callee.response);
        let power = response.capacity() * response.at(0.0).mean;
        pool.fit(Place { instances: there / up, others, ..Place::of(response, callee.servers()) }, elsewhere);
        pool.taken = callee.time.max(callee.response.at(0.0).mean) + hops + self.network.1;
        let share = (pool.sent * through * made * part / callee.rate.max(1e-12)).clamp(0.01, 1.0);
        let granted = callee.granted * there / up * share;
        let patience = service.limit(timeout).map_or(f64::INFINITY, |limit| limit.0);
        let inflow = Inflow { rate: through * made / up, granted, step: self.step_secs };
        // Of more than the cores can work on at once, short ones overtake long ones, as far as the connections let them.
        let spare = (f64::from(pool.connections) * up - power * there).max(0.0);
        let order = libm::pow((inflow.rate / pool.pace.most().max(1e-12)).min(1.0), spare);
        let spread = 1.0 + (self.spread_of(main, hops) - 1.0) * order;
        let Some(response) = pool.response.clone() else { return f64::INFINITY };
        if held.population > 0.0 && held.busy > 0.0 && made > 0.0 {
            let rest = (held.population / (held.busy * made) - pool.time()).max(0.0);
            let from = Loop { population: held.population, wanted: through * made, rest, always: held.always };
            pool.look_closed(&response, from, up, inflow);
        } else {
            pool.look_open(&response, patience, spread, inflow);
        }
        let callers = &mut self.callers[to];
        let connections = f64::from(pool.connections) * up;
        callers.population += connections;
        callers.pooled = true;
        callers.wanted += through * made * pool.sent;
        callers.busy += connections / pool.taken.max(1e-9);
        let holds = pool.holds;
        self.services[index].links[call].pool = Some(pool);
        holds
    }

    /// A service that others call through connections only has no more requests than there are of these, and its work is
    /// stretched by no more than so many make of it, with those of the others that are there on average.
    pub(super) fn stretch_for_pools(&mut self) {
        let inside = |service: &Service| service.queue.inside * service.up;
        let all: f64 = self.services.iter().map(inside).sum();
        for (index, service) in self.services.iter().enumerate() {
            let callers = self.callers[index];
            let open = self.incoming[index] > 0.0 || service.own_rate > 0.0 || service.clients.is_some();
            if callers.pooled && !open {
                let most = (callers.population + all - inside(service)) / self.cores.capacity;
                self.stretched[index] = self.stretched[index].min(most.max(1.0));
            }
        }
    }

    /// By how much longer others wait for the answers of a service, over a network, than for exponential ones:
    /// `(1 + scv) / 2`.
    fn spread_of(&mut self, to: usize, hops: f64) -> f64 {
        if self.services[to].stretches.is_empty() {
            return 1.0;
        }
        let (number, longer) = self.seen(to);
        let (mut mean, mut square) = (0.0, 0.0);
        for (time, share) in self.library.times(number).middles() {
            let time = time * longer + hops;
            mean += share * time;
            square += share * time * time;
        }
        if mean > 0.0 { square / mean / mean / 2.0 } else { 1.0 }
    }

    /// How calls through a pool come back: the mean seconds of one with a connection, the share that fails for the caller
    /// since it takes too long, and the mean time of the others over that of all. Third, the share of requests that are
    /// not too late themselves by a wait that only their own timeout ends.
    pub(super) fn weigh_pool(&mut self, index: usize, link: &Link) -> Option<(f64, (f64, f64), f64)> {
        let wait = link.pool.as_ref()?.wait;
        let callee = &self.services[link.to];
        let latest = callee.latest();
        let (hops, mean) = (link.how.hops, wait.mean());
        let time = callee.shown().time + mean;
        let limit = self.services[index].limit(link.how.timeout);
        let soon = |limit: f64| wait.gone < 1e-9 && (time + hops) * FAR <= limit && self.network.0 == 0;
        let matters = |limit: &(f64, bool)| latest != usize::MAX && !soon(limit.0);
        let Some((limit, own)) = limit.filter(matters) else {
            return Some((time, (0.0, 1.0), 1.0));
        };
        let (number, longer) = self.seen_by_callers(link.to, latest);
        let times = self.library.times(number);
        let (late, soon) = match self.network.0 {
            0 => wait.late(times, longer, limit - hops),
            network => wait.late(&times.plus(self.library.trips(network)), longer, limit - hops),
        };
        let late = wait.gone + (1.0 - wait.gone) * late;
        let ratio = ((soon + hops) / (time + hops + self.network.1).max(1e-12)).min(1.0);
        Some(if own { (time, (0.0, ratio), 1.0 - late) } else { (time, (late, ratio), 1.0) })
    }
}

impl Service {
    /// Seconds that a call has in which to wait and to be answered: its own timeout, or what its request has left of the
    /// service's; whether it is that.
    fn limit(&self, timeout: Option<f64>) -> Option<(f64, bool)> {
        let own = self.timeout.map(|own| ((own - self.passage.time).max(0.0), true));
        match (timeout, own) {
            (Some(timeout), Some((left, _))) if timeout > left => own,
            (Some(timeout), _) => Some((timeout, false)),
            (None, _) => own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::sim::queueing;

    fn close(found: f64, wanted: f64, within: f64) {
        assert!((found / wanted - 1.0).abs() < within, "{found} for {wanted}");
    }

    /// Eight connections to a service that answers in 50 ms however many ask.
    fn pace() -> Pace {
        Pace::of(8, &[], 0.05)
    }

    #[test]
    fn with_all_the_time_in_the_world_it_is_m_m_c() {
        for load in [0.3, 0.8, 0.95] {
            let (inside, wait) = pace().patient(160.0 * load, f64::INFINITY, 1.0, 1.0);
            let waits = queueing::erlang_c(8, load);
            close(wait.chance, waits, 1e-6);
            close(wait.mean(), waits * 0.05 / 8.0 / (1.0 - load), 1e-6);
            close(inside, 160.0 * load * (0.05 + wait.mean()), 1e-6);
        }
    }

    /// Without any patience it is the loss formula of Erlang (1917).
    #[test]
    fn without_patience_calls_are_lost() {
        for load in [0.5, 1.0, 2.0] {
            let (inside, wait) = pace().patient(160.0 * load, 1e-9, 1.0, 1.0);
            let lost = queueing::erlang_b(8, 8.0 * load);
            close(wait.gone, lost, 1e-5);
            close(inside, 8.0 * load * (1.0 - lost), 1e-5);
        }
    }

    /// What is sent is what the connections are busy with: the rate of those that do not give up, times 50 ms.
    #[test]
    fn what_comes_is_answered_or_gives_up() {
        for (load, patience) in [(0.8, 0.02), (1.0, 0.1), (1.5, 0.1), (1.5, 5.0), (30.0, 10.0)] {
            let rate = 160.0 * load;
            let (inside, wait) = pace().patient(rate, patience, 1.0, 1.0);
            let queued = rate * ((1.0 - wait.gone) * wait.mean() + wait.gone * patience);
            close(inside - queued, rate * (1.0 - wait.gone) * 0.05, 1e-6);
            assert!(wait.mean() <= patience && wait.gone >= 1.0 - 1.0 / load - 1e-9);
        }
    }

    /// The shares and means of waits, against sums over small pieces of their density.
    #[test]
    fn waits_are_as_their_density_says() {
        for rate in [-40.0, -1e-7, 3.0, 60.0] {
            let wait = Wait { chance: 0.4, rate, patience: 0.3, ..Wait::default() };
            let (mut all, mut here, mut mean) = (0.0, 0.0, 0.0);
            for piece in 0..300_000 {
                let time = (f64::from(piece) + 0.5) * 1e-6;
                let density = libm::exp(-rate * time);
                all += density;
                if time < 0.12 {
                    (here, mean) = (here + density, mean + density * time);
                }
            }
            let (share, time) = wait.within(0.12);
            close(share, 0.6 + 0.4 * here / all, 1e-6);
            close(time, 0.4 * mean / all, 1e-5);
        }
    }
}
