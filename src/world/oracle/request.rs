//! The way of a request: it waits for a worker, has its own work done, makes its calls, and ends.
//!
//! Before you change it:
//! 1. A request that waits for a call holds no worker, unless its service blocks.
//! 2. Its time counts from its arrival at the service. Once that is up it has failed, and so has the try that called for
//!    it; what it called goes on.
//! 3. What comes from outside comes in over the line before it is in the service, and its answer goes out over it after its
//!    worker is free: the kernel sends it. Both count in its time; who gives up meanwhile breaks the transfer off.
//! 4. A place is used again by later requests; a ticket of an earlier one is then no longer valid.

use super::Oracle;
use super::errand::Try;
use super::line::IN;
use super::line::OUT;

/// A request, as long as it has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    place: usize,
    number: u64,
}

/// Why a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Too many waited already.
    Refused,
    /// It took longer than its service allows.
    TimedOut,
    /// A call of it failed.
    Call,
    /// A breaker did not let a call of it through.
    Breaker,
}

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// On the line to its service.
    Coming,
    /// In the queue for a worker, or being worked on.
    Own,
    /// Making its calls.
    Calling,
    /// Its answer is on the line.
    Going,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    number: u64,
    /// It has neither ended well nor failed.
    pub(super) open: bool,
    pub(super) service: usize,
    pub(super) container: usize,
    arrived: f64,
    work: f64,
    phase: Phase,
    /// The try that waits for it; none where it comes from outside.
    caller: Option<Try>,
    /// It comes from a client who waits for its answer.
    client: bool,
    /// Its next stage of calls, and how often a call of it was made.
    pub(super) next: (usize, u32),
    /// Calls under way.
    pub(super) pending: usize,
}

/// All requests on the host.
#[derive(Debug, Default)]
pub(super) struct Requests {
    pub(super) all: Vec<Request>,
    free: Vec<usize>,
    count: u64,
}

impl Requests {
    /// Whether a request has not ended.
    pub(super) fn is_open(&self, ticket: Ticket) -> bool {
        let request = &self.all[ticket.place];
        request.number == ticket.number && request.open
    }

    fn add(&mut self, mut request: Request) -> Ticket {
        self.count += 1;
        request.number = self.count;
        let place = self.free.pop().unwrap_or(self.all.len());
        if place == self.all.len() {
            self.all.push(request);
        } else {
            self.all[place] = request;
        }
        Ticket { place, number: request.number }
    }
}

impl Oracle {
    /// A request comes from outside.
    pub(super) fn come(&mut self, service: usize) {
        self.services[service].arrivals.draw();
        self.arrive(service, None, false);
    }

    /// A request comes to a service: to a worker where one is free, else to the end of the queue.
    pub(super) fn arrive(&mut self, index: usize, caller: Option<Try>, client: bool) {
        let service = &mut self.services[index];
        service.tally.arrive(self.now);
        let (work, container) = (service.draw_work(), service.choose_container(&self.containers));
        let ticket = self.requests.add(Request {
            number: 0,
            open: true,
            service: index,
            container,
            arrived: self.now,
            work,
            phase: Phase::Own,
            caller,
            client,
            next: (0, 0),
            pending: 0,
        });
        let comes = caller.is_none() && self.begin_transfer(ticket, IN);
        if !comes && self.containers[container].is_crowded() {
            self.requests.all[ticket.place].phase = Phase::Calling;
            return self.end(ticket.place, Some(Failure::Refused));
        }
        self.containers[container].connections += 1;
        self.services[index].note_deadline(self.now, ticket);
        if !comes {
            self.containers[container].waiting.push_back(ticket.place);
            self.fill_workers(container);
        }
    }

    /// A request from outside, or its answer, goes onto the line; whether there is anything to send.
    fn begin_transfer(&mut self, ticket: Ticket, way: usize) -> bool {
        let request = &mut self.requests.all[ticket.place];
        let size = self.services[request.service].sizes[way];
        let Some(line) = self.line.as_mut().filter(|_| size > 0.0) else { return false };
        request.phase = if way == IN { Phase::Coming } else { Phase::Going };
        line.begin(way, ticket, size);
        true
    }

    /// All bytes of a request or an answer are there.
    pub(super) fn finish_transfer(&mut self, way: usize) {
        let Some(ticket) = self.line.as_mut().and_then(|line| line.finish(way)) else { return };
        let place = ticket.place;
        if way == OUT {
            return self.end_now(place, None);
        }
        let container = self.requests.all[place].container;
        if self.containers[container].is_crowded() {
            self.containers[container].connections -= 1;
            self.requests.all[place].phase = Phase::Calling;
            return self.end(place, Some(Failure::Refused));
        }
        self.requests.all[place].phase = Phase::Own;
        self.containers[container].waiting.push_back(place);
        self.fill_workers(container);
    }

    /// Takes those who wait longest into service, as far as workers are free.
    fn fill_workers(&mut self, index: usize) {
        let container = &mut self.containers[index];
        while container.has_room() {
            let Some(place) = container.waiting.pop_front() else { break };
            if !self.requests.all[place].open {
                // Its caller has gone; the server sees that before it begins.
                self.requests.free.push(place);
                continue;
            }
            if container.is_empty() && !self.active.contains(&index) {
                self.active.push(index);
            }
            container.serve(place, self.requests.all[place].work, self.now);
            self.shares_moved = true;
        }
    }

    /// The next request of a container has had all its work.
    pub(super) fn finish_work(&mut self, index: usize) {
        let Some(place) = self.containers[index].finish() else { return };
        self.shares_moved = true;
        self.fill_workers(index);
        if self.containers[index].is_empty() {
            self.active.retain(|other| *other != index);
        }
        let request = &mut self.requests.all[place];
        request.phase = Phase::Calling;
        if request.open {
            self.go_on(place);
        } else {
            self.leave(place);
        }
    }

    /// The time of the oldest request of a service is up.
    pub(super) fn give_up(&mut self, service: usize) {
        let ticket = self.services[service].pop_deadline().filter(|ticket| self.requests.is_open(*ticket));
        if let Some(ticket) = ticket {
            self.end(ticket.place, Some(Failure::TimedOut));
        }
    }

    /// A request ends well, or fails; who asked for it learns of it, from outside once the answer is there.
    pub(super) fn end(&mut self, place: usize, failure: Option<Failure>) {
        let request = self.requests.all[place];
        let ticket = Ticket { place, number: request.number };
        if failure.is_none() && request.caller.is_none() && self.begin_transfer(ticket, OUT) {
            if self.containers[request.container].release() {
                self.fill_workers(request.container);
            }
            return;
        }
        self.end_now(place, failure);
    }

    fn end_now(&mut self, place: usize, failure: Option<Failure>) {
        let request = &mut self.requests.all[place];
        request.open = false;
        let ended = *request;
        self.services[ended.service].tally.end(self.now, ended.arrived, failure);
        if failure != Some(Failure::Refused) {
            self.containers[ended.container].connections -= 1;
        }
        if matches!(ended.phase, Phase::Coming | Phase::Going) {
            self.requests.free.push(place);
            if let Some(line) = self.line.as_mut().filter(|_| failure.is_some()) {
                line.give_up(if ended.phase == Phase::Coming { IN } else { OUT });
            }
        } else if ended.phase == Phase::Calling && ended.pending == 0 {
            if failure == Some(Failure::Refused) {
                self.requests.free.push(place);
            } else {
                self.leave(place);
            }
        }
        if let Some(call) = ended.caller {
            self.answer(call, failure.is_none());
        } else if ended.client {
            self.think(ended.service, 2.0 * self.hop);
        }
    }

    /// A request that has ended waits for nothing any more: its place is free, and its worker where that waited with it.
    pub(super) fn leave(&mut self, place: usize) {
        self.requests.free.push(place);
        let container = self.requests.all[place].container;
        if self.containers[container].release() {
            self.fill_workers(container);
        }
    }
}
