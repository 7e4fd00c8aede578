//! The means: how much comes, who gets how much CPU, how many requests are inside, how long they take. Before you change
//! it:
//! 1. This runs only in steps in which something changed or still changes; a host at rest only counts.
//! 2. Rates go from callers to the called, times back. CPU that was not granted limits what comes out from the next step
//!    (see `ration`).
//! 3. Waiting for a core behind other containers' work is the difference that these make to the slowdown of the cores, on
//!    top of what the service's own load makes: see `neighbours` for a host that is busy, but not full.

use super::World;
use super::calls::Link;
use super::causes::Shares;
use super::cpu;
use super::cpu::Claim;
use super::flow::Scatter;
use super::line::Transferred;
use super::loops::Callers;
use super::neighbours::Neighbour;
use super::neighbours::SharedCores;
use super::pool::SHORT;
use super::requests::FAR;
use super::requests::Inflow;
use super::requests::LOAD_STATIONARY;
use super::response::PERIOD;
use super::service::Stretch;
use super::stages::Part;
use super::stages::State;
use super::times::OnDisk;
use super::times::Own;

/// A change of the cores' speed below this is left alone, so that it does not swing.
const SPEED_CHANGE: f64 = 1.0 / 32.0;
/// Work that is stretched by less where all share the cores is stretched so.
const CROWDED: f64 = 1.01;

impl World {
    /// Finds the means of the coming step.
    pub(super) fn settle(&mut self) {
        self.book();
        self.fit_speed();
        self.fit_balances();
        self.split_offered();
        let holds = self.take_in();
        let holds = holds.min(self.pass_requests());
        let holds = holds.min(self.share_disk()).min(self.send_out());
        self.used = self.share_cpu();
        if let Some(disk) = self.disk.as_deref_mut() {
            disk.wait_idle(&self.cores, self.used);
        }
        if !self.stretch_pinned() {
            self.stretch_work();
        }
        if self.loops {
            self.stretch_in_loops();
        }
        let calls_moved = self.pass_times();
        let limits_moved = self.fill_flows();
        if calls_moved {
            self.next_due = self.next_due.min(self.breakers_due());
        }
        let moving =
            limits_moved || calls_moved || holds <= self.step_secs || self.speed_is_off() || self.balances_are_off();
        let closer = self.look_closer(!moving && holds == f64::INFINITY);
        self.moving = moving || closer;
        self.holds = holds;
    }

    /// Rates from callers to the called, and the number inside. For how many seconds all this holds.
    fn pass_requests(&mut self) -> f64 {
        let mut holds = f64::INFINITY;
        self.incoming.fill(0.0);
        self.callers.fill(Callers::default());
        for index in 0..self.services.len() {
            if self.services[index].pair.is_some() {
                self.split_incoming(index);
            }
            let service = &mut self.services[index];
            service.rate = service.arriving() + self.incoming[index] + self.callers[index].wanted;
            if service.up == 0.0 {
                continue;
            }
            service.links.iter_mut().for_each(Link::make);
            if self.loops {
                let found = self.look_closed(index);
                let holding = found.unwrap_or_else(|| self.look_open(index));
                holds = holds.min(holding).min(self.services[index].until_full(self.now));
                holds = holds.min(self.pass_loops(index));
                continue;
            }
            let holding = self.look_open(index);
            let service = &self.services[index];
            holds = holds.min(holding).min(service.until_full(self.now));
            let through = service.passage.through * service.up;
            if service.links.is_empty() {
                for &(called, times) in &service.calls {
                    self.incoming[called] += through * f64::from(times);
                }
            }
            for link in &service.links {
                self.incoming[link.to] += through * link.made;
            }
        }
        holds
    }

    /// What passes through a service that nobody waits for; for how long it holds.
    fn look_open(&mut self, index: usize) -> f64 {
        let service = &mut self.services[index];
        let inflow = Inflow { rate: service.rate / service.up, granted: service.granted, step: self.step_secs };
        service.passage = service.queue.look(&service.response, &service.late, inflow);
        service.passage.holds
    }

    /// Shares the cores out; the CPU used by all containers.
    fn share_cpu(&mut self) -> f64 {
        self.claims.clear();
        for (index, service) in self.services.iter().enumerate() {
            let on_disk = self.disk.as_deref().map_or(f64::INFINITY, |disk| disk.uses[index].granted);
            let work = (service.passage.load * service.response.capacity()).min(on_disk) * service.work_cpu;
            let want = (work + service.idle_cpu + service.spin.besides).min(service.cap);
            self.claims.push(Claim { weight: service.weight, want, count: service.up });
            let want = service.start_cpu.min(service.cap);
            self.claims.push(Claim { weight: service.weight, want, count: service.starting });
        }
        self.claim_outside();
        if !self.share_pinned() {
            cpu::share(&self.claims, self.cores.capacity, &mut self.grants);
        }
        self.outside = self.granted_outside();
        let used: f64 = self.claims.iter().zip(&self.grants).map(|(claim, grant)| claim.count * grant).sum();
        debug_assert!(used <= self.cores.capacity * (1.0 + 1e-9), "{used} of {} cores", self.cores.capacity);
        used
    }

    /// By how much the work of each service is stretched on the busy cores.
    fn stretch_work(&mut self) {
        let wanted: f64 = self.claims.iter().map(|claim| claim.want * claim.count).sum();
        cpu::greediest_first(&self.claims, &mut self.greediest);
        let full = wanted > self.cores.capacity;
        let equal = self.cores.slowdown(self.cores.load(self.used));
        // A process beside the containers never ends, so it has nearly all unfinished work.
        let beside = equal >= CROWDED && !full && self.outside <= 0.0;
        let places = self.services.iter_mut().zip(&mut self.stretched).zip(&mut self.loads);
        for (index, ((service, stretched), load)) in places.enumerate() {
            let (grant, claim) = (self.grants[2 * index], self.claims[2 * index]);
            // Who is among the neighbours is stretched as one of them; only a gate asks for more.
            if beside && service.gate.is_none() && claim.want * claim.count > 0.0 {
                continue;
            }
            let reach = cpu::reach(&self.claims, wanted, &self.greediest, self.cores.capacity, 2 * index);
            (*stretched, *load) = self.cores.stretch(grant, reach, full);
            if let Some(gate) = &mut service.gate {
                gate.reach = reach;
            }
        }
        if beside {
            self.stretch_beside(equal);
        }
    }

    /// The same where clients or workers wait for what they called. Who holds workers longer on the busy cores has fewer at
    /// work on them, and so on: that comes to rest.
    fn stretch_in_loops(&mut self) {
        self.stretch_for_clients();
        for (stretched, (before, swing)) in self.stretched.iter_mut().zip(&mut self.swings) {
            *stretched = swing.towards(*before, *stretched);
            *before = *stretched;
        }
    }

    /// By how much the work of each service is stretched beside the others on a host that is busy, but not full.
    fn stretch_beside(&mut self, equal: f64) {
        let unit = (self.cores.capacity + self.cores.system) / f64::from(self.cores.count);
        self.neighbours.clear();
        for (place, claim) in self.claims.iter().enumerate().filter(|(_, claim)| claim.want * claim.count > 0.0) {
            let (mut left, mut in_the_way, mut cap) = (0.0, 0.0, claim.want);
            if let (Some(service), true) = (self.services.get(place / 2), place % 2 == 0) {
                left = service.work_cpu * service.residual;
                // Nobody waits for more of its work than it may do in one period, of which half is left on average.
                let quota = service.limits.cpu.map_or(f64::INFINITY, |quota| quota.as_cores() * PERIOD / 2.0);
                (in_the_way, cap) = (left.min(quota), service.reach);
            }
            let [uses, cap, left, in_the_way] = [claim.want, cap, left, in_the_way].map(|cores| cores / unit);
            let (weight, count) = (claim.weight, claim.count);
            self.neighbours.push(place, Neighbour { weight, count, uses, cap, left, in_the_way });
        }
        self.neighbours.find(SharedCores {
            cores: self.cores.count,
            capacity: self.cores.capacity / unit,
            used: (self.used + self.cores.system) / unit,
            stretched: equal,
        });
        for (place, pace) in self.neighbours.paces().filter(|(place, _)| place % 2 == 0) {
            if let Some(mine) = self.stretched.get_mut(place / 2) {
                *mine = pace.stretch;
                self.loads[place / 2] = self.cores.load_like(pace.stretch, pace.scatter);
            }
        }
    }

    /// Times from the called to the callers, and which distribution they follow. Whether calls will be made more or less
    /// often than now.
    fn pass_times(&mut self) -> bool {
        let mut moved = false;
        for index in (0..self.services.len()).rev() {
            if self.services.get(index + 1).is_some_and(|after| after.pair.is_some()) {
                self.show_both(index + 1);
            }
            let linked = !self.services[index].links.is_empty() && self.services[index].up > 0.0;
            let linked = linked.then(|| self.weigh_links(index));
            let alone = self.stretched_alone(index);
            let (before, called) = self.services.split_at_mut(index + 1);
            let service = &mut before[index];
            if service.up == 0.0 {
                (service.time, service.time_well, service.fails, service.fails_all) = (0.0, 0.0, 1.0, 1.0);
                self.stretch_changed[index] = true;
                continue;
            }
            let more = self.stretched[index] - alone;
            let behind_others = service.work_cpu / (service.speed * self.cores.ours) * more.max(0.0);
            service.contention = service.waits_behind(behind_others);
            let own_time = service.passage.time + service.contention + service.hops;
            let (mut time, mut time_well, mut good, mut changed) = (own_time, own_time, 1.0, false);
            let before = service.time;
            if let Some(outcome) = linked {
                time += outcome.time;
                time_well += outcome.time_well;
                (good, changed) = (outcome.well, outcome.changed);
                moved |= outcome.moved;
            }
            let (mut on_disk, mut unwritten) = (None, 0.0);
            if let Some(io) = self.disk.as_deref().map(|disk| &disk.uses[index]) {
                (time, time_well) = (time + io.time, time_well + io.time);
                unwritten = io.fails();
                good *= 1.0 - unwritten;
                on_disk = OnDisk::of(&io.access);
                changed |= service.stretches.last().is_some_and(|stretch| stretch.on_disk != on_disk);
            }
            for &(to, times) in service.calls.iter().filter(|_| linked.is_none()) {
                let callee = called[to - index - 1].shown();
                time += f64::from(times) * callee.time;
                time_well += f64::from(times) * callee.time_well;
                if callee.fails_all > 0.0 {
                    good *= libm::pow(1.0 - callee.fails_all, f64::from(times));
                }
                changed |= self.stretch_changed[to];
            }
            (service.time, service.time_well) = (time, time_well);
            service.calls_time = time - own_time;
            let mut own_time = own_time;
            if let Some(held) = service.split_times() {
                (own_time, time) = (held, service.time);
                changed |= service.last_wait != service.wait_state();
            }
            let (network, trips) = service.trips;
            if network > 0 {
                time += trips;
                (service.time, service.time_well) = (service.time + trips, service.time_well + trips);
            }
            changed |= service.stretches.last().is_some_and(|stretch| stretch.network != network);
            let Transferred { time: transfers, key: on_line, .. } = service.on_line;
            if on_line.is_some() {
                time += transfers;
                (service.time, service.time_well) = (service.time + transfers, service.time_well + transfers);
            }
            changed |= service.stretches.last().is_some_and(|stretch| stretch.on_line != on_line);
            moved |= self.loops && (time - before).abs() > 1e-6 * time;
            let last = service.stretches.last().map(|stretch| stretch.own);
            let same = service.passage.holds > 0.0 && self.settled_time[index] == own_time && last.is_some();
            self.settled_time[index] = own_time;
            if !same || changed {
                // Times scatter as on a core that all load together, where they wait for nothing else.
                let load =
                    if service.response.is_free() { service.response.load_as_alone(self.loads[index]) } else { 0.0 };
                let own = match &service.gate {
                    Some(gate) => {
                        let load = service.passage.load * service.response.capacity() / gate.inner.capacity();
                        Own::at(service.station, &gate.inner, load.min(LOAD_STATIONARY), own_time)
                    }
                    None => Own::at(service.station, &service.response, load.max(service.passage.load), own_time),
                };
                // How times scatter of who waits for the cores only is told by the load there.
                let cores_only = service.gate.is_none() && service.response.is_free();
                let own = if cores_only { own } else { own.beside_others(service.contention / own_time.max(1e-12)) };
                changed |= last != Some(own);
                if changed {
                    service.stretches.push(Stretch::new(own, (on_disk, network, on_line)));
                    for &(to, _) in &service.calls {
                        service.called.push(called[to - index - 1].latest());
                    }
                    service.note_wait();
                    service.link_states.extend(service.links.iter().map(|link| link.state));
                }
            }
            self.stretch_changed[index] = changed;
            let good_calls = good;
            let given_up = if service.rate > 0.0 { service.passage.given_up * service.up / service.rate } else { 0.0 };
            let waits = !service.calls.is_empty() || on_disk.is_some() || network > 0 || on_line.is_some();
            let may_be_late = |timeout| time * FAR > timeout || self.network.0 > 0;
            let in_time = linked.map_or(1.0, |outcome| outcome.in_time);
            if in_time < 1.0 - SHORT {
                good *= in_time;
            } else if waits && service.timeout.is_some_and(may_be_late) {
                let within = self.within(index);
                good *= (within / (1.0 - given_up).max(1e-9)).min(1.0);
            }
            let service = &mut self.services[index];
            let broken = linked.map_or(0.0, |outcome| outcome.broken);
            let call = (1.0 - unwritten - good_calls).max(0.0);
            service.shares = Shares { late: good_calls - good, call, broken, disk: unwritten };
            service.fails = 1.0 - good;
            service.fails_all = 1.0 - (1.0 - given_up) * good;
        }
        moved
    }

    /// The number of the distribution of a stretch, made if need be.
    pub(super) fn number(&mut self, index: usize, stretch: usize) -> usize {
        let service = &self.services[index];
        let stretch = service.stands.get(stretch).copied().unwrap_or(stretch);
        if let Some(number) = service.stretches[stretch].number {
            return number;
        }
        let calls = service.calls.len();
        let linked = !service.links.is_empty();
        let on_disk = service.stretches[stretch].on_disk;
        let mut parts = if linked { self.linked(index, stretch) } else { Vec::with_capacity(calls) };
        parts.extend(on_disk.map(|key| (self.library.on_disk(key), 1)));
        let on_line = self.services[index].stretches[stretch].on_line;
        parts.extend(on_line.map(|key| (self.library.on_line(key), 1)));
        if let Some(&state) = self.services[index].waits_of.get(stretch) {
            parts.push((self.library.stage(&[Part { number: None, how: 0, state }]), 1));
        }
        let network = self.services[index].stretches[stretch].network;
        if network > 0 {
            let state = State::default().over(network);
            parts.push((self.library.stage(&[Part { number: None, how: 0, state }]), 1));
        }
        for call in 0..if linked { 0 } else { calls } {
            let (to, times) = self.services[index].calls[call];
            let called = self.services[index].called[stretch * calls + call];
            if called != usize::MAX {
                parts.push((self.number_shown(to, called), times));
            }
        }
        let service = &mut self.services[index];
        let number = self.library.find(index, service.stretches[stretch].own, &parts, service.timeout);
        service.stretches[stretch].number = Some(number);
        number
    }

    /// Whether the busy cores are faster or slower now than the means are for.
    fn speed_is_off(&self) -> bool {
        (self.cores.speed(self.used) - self.speed).abs() >= SPEED_CHANGE || self.seats_are_off(SPEED_CHANGE)
    }

    /// Follows the mean speed of the cores that were busy.
    fn fit_speed(&mut self) {
        if self.speed_is_off() {
            self.fit_cores();
        }
    }

    /// Takes over what the cores are now. Before they change, what was counted is booked.
    pub(super) fn fit_cores(&mut self) {
        self.speed = self.cores.speed(self.used);
        self.take_seats();
        for service in &mut self.services {
            service.fit(&self.cores, self.speed, &mut self.library);
        }
        self.moving = true;
    }

    /// What the coming steps count with. Whether somebody's CPU is limited otherwise than before.
    fn fill_flows(&mut self) -> bool {
        let step = self.step_secs;
        let mut moved = false;
        let mut starting = 0.0;
        for (index, (service, flow)) in self.services.iter_mut().zip(&mut self.flows).enumerate() {
            let (claim, grant) = (self.claims[2 * index], self.grants[2 * index]);
            service.start_grant = self.grants[2 * index + 1];
            starting += service.start_grant * service.starting;
            debug_assert!(grant <= claim.want * (1.0 + 1e-9) && claim.want <= service.cap * (1.0 + 1e-9));
            let short = service.up > 0.0 && grant < claim.want * (1.0 - 1e-12);
            if short || service.ration.rate < f64::INFINITY {
                let enough = |cpu: f64| (cpu - service.idle_of(cpu)).max(0.0) / service.work_cpu;
                let found = if short { enough(grant) } else { f64::INFINITY };
                service.ration.follow(enough(claim.want), found);
            }
            let by_cpu = service.ration.rate;
            let mut granted = by_cpu;
            if let Some(io) = self.disk.as_deref_mut().map(|disk| &mut disk.uses[index]) {
                io.cpu_granted = by_cpu;
                granted = granted.min(io.granted);
            }
            moved |= granted.is_finite() != service.granted.is_finite()
                || (granted - service.granted).abs() > 1e-9 * granted;
            service.granted = granted;
            let (from, _) = flow.calls;
            for (link, made) in service.links.iter().zip(&mut self.calls[from..]) {
                made.1 = link.sent();
            }
            flow.arrivals.expect(service.own_rate * step);
            flow.expected = (service.rate + service.on_line.held_back) * step;
            flow.through = service.passage.through * service.up * step;
            flow.given_up = (service.passage.given_up * service.up + service.on_line.given_up) * step;
            flow.fails = service.fails;
            flow.work = service.work_cpu;
            let work = service.passage.load * service.response.capacity() * service.work_cpu;
            let besides = service.spin.besides.min((service.cap - service.idle_cpu - work).max(0.0));
            flow.idle = (service.idle_cpu + besides).min(service.cap) * service.up * step;
            flow.cap = service.cap * service.up * step;
            flow.scatter = if service.up == 0.0 {
                Scatter::Refused
            } else if !service.passage.saturated {
                Scatter::Through
            } else if flow.given_up > 0.0 {
                Scatter::GivenUp
            } else {
                Scatter::Queue
            };
        }
        if !self.pairs.is_empty() {
            self.split_calls();
        }
        self.starting_cpu = starting * step;
        self.room = (self.cores.capacity - self.outside) * step - self.starting_cpu;
        self.tight = false;
        moved
    }
}
