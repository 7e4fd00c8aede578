//! Where loops and gates meet the other services: who waits for whom, from callers to the called. Before you change it:
//! 1. Only a host with clients in a closed loop, blocking workers or a bounded backlog comes here.
//! 2. A gate passes on as many requesters as it has workers; a service without one passes on those it has.
//! 3. The times that a gate needs of its callees are those of the step before; a gate knows by itself how they grow with
//!    the number of its workers that are busy, so that it does not swing.

use super::World;
use super::closed::Loop;
use super::closed::Visit;
use super::gate::Pace;
use super::gate::Place;
use super::mixes::parts;
use super::requests::FEW;
use super::requests::Inflow;
use super::requests::LOAD_STATIONARY;
use super::requests::NEAR;
use super::requests::Passage;
use super::service::Service;
use super::stages::State;
use super::zero;
use crate::model::Pattern;
use std::sync::Arc;

/// What callers bring to a service.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Callers {
    pub(super) population: f64,
    pub(super) wanted: f64,
    /// Requests per second if all of them were busy all the time as they are when they are.
    pub(super) busy: f64,
    pub(super) always: bool,
    /// Some of them wait for a connection before.
    pub(super) pooled: bool,
}

impl Callers {
    /// A share of all of them.
    pub(super) fn part(self, share: f64) -> Self {
        Self { population: self.population * share, wanted: self.wanted * share, busy: self.busy * share, ..self }
    }
}

/// Clients of a closed loop, and how long they think.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Clients {
    pub(super) number: f64,
    think: f64,
}

impl Clients {
    /// The clients of a load that has them, none of them there yet.
    pub(super) fn of(pattern: &Pattern) -> Option<Self> {
        match pattern {
            Pattern::Clients { think, .. } => Some(Self { number: 0.0, think: think.as_secs() }),
            _ => None,
        }
    }

    /// Seconds from the begin of a request to the next, where one takes `time`.
    pub(super) fn rest(&self, time: f64) -> f64 {
        self.think + time
    }
}

/// Who comes to an instance: at a rate from outside, and so many clients of whom each comes so long after its last answer.
#[derive(Debug, Clone, Copy)]
struct Source {
    rate: f64,
    clients: f64,
    rest: f64,
}

impl Source {
    /// Requests per second while so many are inside.
    fn beside(&self, inside: f64) -> f64 {
        self.rate + (self.clients - inside).max(0.0) / self.rest
    }
}

/// A service in which so many are inside as would be at rest at some rate.
#[derive(Debug, Clone, Copy)]
struct Bounded {
    /// That rate.
    offered: f64,
    /// Requests per second that come and are in time, of whom so many get in.
    comes: f64,
    inside: f64,
    /// Share that finds no room.
    refused: f64,
    /// Requests per second that come out.
    out: f64,
    time: f64,
    /// Share that takes longer than there is time for.
    late: f64,
}

/// Seconds after which a client that does not think comes again when it was refused: as soon as a connection that is refused
/// on the same machine is known to be.
const SOONEST: f64 = 1e-4;

impl World {
    /// What passes through a service with a gate or in a loop; `None` where it is one like others.
    pub(super) fn look_closed(&mut self, index: usize) -> Option<f64> {
        self.fit_gate(index);
        let callers = self.callers[index];
        let step = self.step_secs;
        let incoming = self.incoming[index];
        let service = &mut self.services[index];
        let clients = service.clients.filter(|clients| clients.number > 0.0);
        if service.clients.is_some() && clients.is_none() {
            service.own_rate = 0.0;
            service.rate = incoming + callers.wanted;
        }
        let from = match clients {
            Some(clients) if !service.takes_all(clients.number) => {
                let open = (incoming + callers.wanted) / service.up;
                let elsewhere = (service.time - service.passage.time).max(0.0) * (1.0 - service.fails_all);
                let rest = (clients.think + elsewhere).max(SOONEST);
                let from = Source { rate: open, clients: clients.number / service.up, rest };
                return self.look_bounded(index, from).map(|(holds, rate)| {
                    let service = &mut self.services[index];
                    service.rate = rate * service.up;
                    service.own_rate = (rate - open).max(0.0) * service.up;
                    holds
                });
            }
            Some(clients) => Loop {
                population: clients.number,
                wanted: f64::INFINITY,
                rest: clients.think + (service.time - service.passage.time).max(0.0),
                always: true,
            },
            None if callers.population > 0.0 && callers.busy > 0.0 && service.takes_all(callers.population) => Loop {
                population: callers.population,
                wanted: callers.wanted,
                rest: (callers.population / callers.busy - service.passage.time).max(0.0),
                always: callers.always,
            },
            None => {
                let from = Source { rate: service.rate / service.up, clients: 0.0, rest: 1.0 };
                return self.look_bounded(index, from).map(|found| found.0);
            }
        };
        let open = if clients.is_some() {
            incoming + callers.wanted
        } else {
            service.own_rate - service.on_line.held_back + incoming
        };
        let of_loop = if clients.is_some() { service.rate - open } else { callers.wanted };
        let share = match of_loop / (of_loop + open) {
            _ if open <= 0.0 => 1.0,
            share if of_loop > 0.0 => share.clamp(0.0, 1.0),
            // Nobody of the loop came yet, so all of them are about to.
            _ => from.population / (from.population + service.queue.inside * service.up),
        };
        let load = service.passage.load;
        let visit = Visit { from, instances: service.up, open: open / service.up, share, load };
        let inflow = Inflow { rate: 0.0, granted: service.granted, step };
        let before = service.queue.inside;
        let (passage, rate) = visit.look(&service.response, &service.late, before, inflow);
        service.rate = rate * service.up;
        if clients.is_some() {
            service.own_rate = (service.rate - open).max(0.0);
        }
        service.passage = passage;
        service.queue.take(passage, inflow);
        service.refused = 0.0;
        Some(passage.holds)
    }

    /// What passes through where only so many may wait: for how long it holds, and how many come to an instance in a second.
    fn look_bounded(&mut self, index: usize, from: Source) -> Option<(f64, f64)> {
        let step = self.step_secs;
        let service = &mut self.services[index];
        let gate = service.gate.as_ref()?;
        let room = gate.room?;
        let (rate, places) = (from.beside(0.0), f64::from(gate.workers) + f64::from(room));
        let most = gate.pace.most();
        let slower = (most / service.granted).max(1.0);
        // Who gives up leaves the workers to the others.
        let at = |offered: f64| {
            let (inside, full) = if offered > 0.0 { gate.bounded(offered, room, slower) } else { (0.0, 0.0) };
            // Clients come less often while most of them are inside.
            let refused = full * (from.beside(places) / from.beside(inside).max(1e-300)).min(1.0);
            let out = offered * (1.0 - full);
            let comes = if from.clients > 0.0 { out / (1.0 - refused).max(1e-12) } else { offered };
            let time = if out > 0.0 { inside / out } else { service.response.at(0.0).mean };
            let late = service.late.share(&service.response, time);
            Bounded { offered, comes, inside, refused, out, time, late }
        };
        let before = service.queue.inside;
        let come = at(rate);
        let rest = if come.late < FEW && from.clients <= 0.0 {
            come
        } else {
            at(zero::rising(0.0, rate, 1e-9 * rate, |stay| {
                let now = at(stay);
                now.comes - from.beside(now.inside) * (1.0 - now.late)
            }))
        };
        let (now, after) = if (before - rest.inside).abs() <= NEAR * rest.inside.max(1e-6) {
            (rest, rest.inside)
        } else {
            // With so many inside, who comes and who goes are those of the rate at which so many would be there at rest.
            let stay = rest.offered;
            let (low, mut high) = if before < rest.inside { (0.0, stay) } else { (stay, stay.max(most)) };
            while at(high).inside < before && high < 1e3 * most.max(stay) {
                high *= 2.0;
            }
            let moved = |offered: f64| {
                let now = at(offered);
                let stay = from.beside(now.inside) * (1.0 - now.late);
                now.inside - before - step * (stay * (1.0 - now.refused) - now.out)
            };
            let now = at(zero::rising(low, high, 1e-9 * (step * rate + before), moved));
            (now, now.inside.max(before - step * most / slower))
        };
        let rate = from.beside(after);
        let still = (after - before).abs() <= 1e-7 * step * rate;
        let growth = if still { 0.0 } else { (after - before) / step };
        let left = (rate - growth).max(0.0);
        let late = rate * now.late;
        let refused = ((rate - late) * now.refused).min(left);
        let given_up = (refused + late).min(left);
        // What it would do if it were granted all is what it asks for.
        let load = if slower > 1.0 { gate.pace.of_busy(after).max(now.out) } else { now.out } / most;
        let passage = Passage {
            through: left - given_up,
            given_up,
            growth,
            load: load.min(1.0),
            time: now.time,
            saturated: rate >= most / slower,
            holds: if still { f64::INFINITY } else { 0.0 },
        };
        service.refused = if given_up > 0.0 { (refused / given_up).min(1.0) } else { 0.0 };
        service.passage = passage;
        service.queue.take(passage, Inflow { rate, granted: service.granted, step });
        Some((passage.holds, rate))
    }

    /// Tells the called services who waits for them, where somebody does. For how many seconds it holds.
    pub(super) fn pass_loops(&mut self, index: usize) -> f64 {
        let service = &self.services[index];
        let through = service.passage.through * service.up;
        let held = self.callers[index];
        let (mut population, mut busy, mut always) = match service.clients.filter(|clients| clients.number > 0.0) {
            Some(clients) => (clients.number, service.rate, true),
            None => (held.population, held.busy, held.always),
        };
        if let Some(gate) = service.gate.as_ref().filter(|gate| gate.blocking) {
            let workers = f64::from(gate.workers) * service.up;
            let alone = gate.times.0 + service.calls_time + service.contention;
            if population <= 0.0 || workers < population {
                let taken = if alone > 0.0 { alone } else { gate.pace.alone() };
                (population, busy, always) = (workers, workers / taken.max(1e-9), false);
            }
        }
        let holder = Callers { population, busy, always, ..held };
        let mut holds = f64::INFINITY;
        for call in 0..self.services[index].calls.len() {
            let service = &self.services[index];
            let (to, count) = service.calls[call];
            let link = service.links.get(call);
            if link.is_some_and(|link| link.pool.is_some()) {
                holds = holds.min(self.pass_pool(index, call, through, holder));
                continue;
            }
            let made = link.map_or(f64::from(count), |link| link.made);
            if population > 0.0 && busy > 0.0 {
                let there = &mut self.callers[to];
                there.population += population;
                there.wanted += through * made;
                there.busy += busy * made;
                there.always |= always;
            } else {
                self.incoming[to] += through * made;
            }
        }
        holds
    }

    /// Where all requests are of so many clients, one that comes finds those of the others only, and the cores have no more
    /// than all of them: work is stretched by less than it is behind requests that come whatever is there. Clients come
    /// less often the more it is stretched, so it goes a third of the way in a step, and does not swing.
    pub(super) fn stretch_for_clients(&mut self) {
        self.stretch_for_pools();
        if self.services.iter().any(|service| service.traffic.is_some() && service.clients.is_none()) {
            return;
        }
        let clients: f64 =
            self.services.iter().filter_map(|service| service.clients).map(|clients| clients.number).sum();
        if clients <= 0.0 {
            return;
        }
        let most = (clients / self.cores.capacity).max(1.0);
        for (index, service) in self.services.iter().enumerate() {
            let before =
                service.contention / service.work_cpu * service.speed * self.cores.ours + self.stretched_alone(index);
            let (stretched, load) = (&mut self.stretched[index], &mut self.loads[index]);
            *load *= 1.0 - 1.0 / clients;
            *stretched = stretched.min(self.cores.slowdown(*load)).min(most);
            *stretched = before + (*stretched - before) / 3.0;
        }
    }

    /// Finds out anew how fast the workers of a gate are.
    fn fit_gate(&mut self, index: usize) {
        let Some(gate) = self.services[index].gate.as_ref() else { return };
        let service = &self.services[index];
        let own = Place::of(Arc::clone(&gate.inner), Pace::shared(&gate.inner));
        let (mut places, mut rest, mut there) = (vec![own], service.contention, 0.0);
        if gate.blocking {
            let calls = service.calls.iter().enumerate();
            for ((call, &(_, count)), (to, part)) in
                calls.flat_map(|call| parts(&self.services, call.1.0).map(|part| (call, part)))
            {
                let callee = &self.services[to];
                let visits = service.links.get(call).map_or(f64::from(count), |link| link.made) * part;
                // Who is refused where there is no room is back at once, however many there are.
                if callee.up == 0.0 || visits <= 0.0 || !callee.takes_all(f64::from(gate.workers) * service.up) {
                    continue;
                }
                if let Some(place) = service.links.get(call).and_then(|link| link.place(visits)) {
                    there += visits * place.1;
                    places.push(place.0);
                    continue;
                }
                let mine = service.passage.through * service.up * visits * callee.passage.time / callee.up;
                let others = (callee.queue.inside - mine).max(0.0);
                there += visits * callee.passage.time;
                let response = Arc::clone(&callee.response);
                let instances = callee.up / service.up;
                places.push(Place { visits, instances, others, ..Place::of(response, callee.servers()) });
            }
            // Calls at the same time, or cut off, take less than the sum of their visits.
            let shorter = if there > service.calls_time { service.calls_time / there } else { 1.0 };
            places.iter_mut().skip(1).for_each(|place| place.counts = shorter);
            rest += (service.calls_time - there).max(0.0);
        }
        let pace = Pace::of(gate.workers, &places, rest);
        if !pace.is_near(&gate.pace) {
            let service = &mut self.services[index];
            let even = service.shared.evenness(service.spread);
            if let Some(gate) = service.gate.as_mut() {
                service.response = gate.paced(pace, rest, even);
            }
            service.late.forget();
            service.queue.reset(service.queue.inside);
        }
    }
}

impl Service {
    /// Whether there is room for so many at once. Those of more are refused before they have to wait for each other.
    fn takes_all(&self, callers: f64) -> bool {
        let places = self.gate.as_ref().and_then(|gate| gate.workers.checked_add(gate.room?));
        places.is_none_or(|places| callers <= f64::from(places) * self.up)
    }

    /// How fast so many busy ones of its servers are, where requests wait for nothing else.
    pub(super) fn servers(&self) -> Option<Pace> {
        match &self.gate {
            Some(gate) => gate.pace.known(),
            None => Pace::shared(&self.response),
        }
    }

    /// Seconds that a request waits for a core behind other containers' work, of so many where nothing else keeps it.
    ///
    /// Who used up its quota waits for the next period, whoever is on the cores meanwhile. And workers that are all on the
    /// cores are together as fast as what the instance could have of these.
    pub(super) fn waits_behind(&self, others: f64) -> f64 {
        if others <= 0.0 {
            return 0.0;
        }
        let point = self.response.at(self.passage.load);
        let in_work = 1.0 - libm::exp(-point.in_system);
        let throttled = if point.throttled > 0.0 { (point.throttled / in_work).min(1.0) } else { 0.0 };
        (others * (1.0 - throttled)).min(self.most_contention())
    }

    fn most_contention(&self) -> f64 {
        let Some(gate) = &self.gate else { return f64::INFINITY };
        f64::from(gate.workers) * (self.work_cpu / gate.reach - 1.0 / gate.inner.capacity()).max(0.0)
    }

    /// Takes the times apart of a service with a gate, whose requests are there while they wait for a worker, are worked on
    /// and, where workers block, wait for calls; the seconds on the cores, with the network. `time` is as of a service
    /// without a gate before.
    pub(super) fn split_times(&mut self) -> Option<f64> {
        let gate = self.gate.as_mut()?;
        let out = self.passage.load * self.response.capacity();
        let alone = gate.inner.at(0.0).mean;
        let found = gate.inner.at(out / gate.inner.capacity()).in_system.min(f64::from(gate.workers));
        let calls = if gate.blocking { self.calls_time } else { 0.0 };
        // No more than that of workers that wait for nothing else, and of these each may have a core.
        let most = (self.passage.time - self.contention - calls).max(alone);
        let own_cores = gate.inner.is_free() && f64::from(gate.workers) <= gate.inner.capacity() * alone * (1.0 + 1e-9);
        let inner = if out > 0.0 && !own_cores { (found / out).clamp(alone, most) } else { alone };
        let taken = inner + self.contention + calls;
        gate.times = (inner, (self.passage.time - taken).max(0.0));
        let calls_well = self.time_well - self.time + self.calls_time;
        let inside = self.passage.time.max(taken) + self.hops;
        self.time = inside + self.calls_time - calls;
        self.time_well = inside - calls + calls_well;
        Some(inner + self.contention + self.hops)
    }

    /// How requests wait for a worker now.
    pub(super) fn wait_state(&self) -> State {
        let Some(gate) = &self.gate else { return State::default() };
        let wait = gate.times.1;
        if self.passage.load > LOAD_STATIONARY {
            return State::always(wait);
        }
        let chance = gate.busy(self.passage.load).clamp(1.0 / 256.0, 1.0);
        State::new((0.0, 0.0), 0.0, (chance, wait / chance))
    }

    /// Notes how requests of the last stretch wait for a worker.
    pub(super) fn note_wait(&mut self) {
        if self.gate.is_some() {
            self.last_wait = self.wait_state();
            self.waits_of.push(self.last_wait);
        }
    }
}
