//! The calls of a request. An errand is one call with all its tries.
//!
//! Before you change it:
//! 1. A try that is given up goes on below; its answer, when it comes, belongs to no errand any more.
//! 2. A try begins when it asks for a connection, and its time counts from then, as of connection pools whose callers have
//!    a deadline. It keeps the connection until the called service has answered, even where it was given up meanwhile: a
//!    connection with an answer still to come is of no use to anybody else. A wait before a further try holds none.
//! 3. A request that has failed makes no further calls and no further tries; those under way still come back, and only
//!    then is it gone, and its worker free where workers wait for calls.

use super::Oracle;
use super::draw;
use super::request::Failure;
use super::timers::Due;

/// A try of an errand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Try {
    errand: usize,
    number: u64,
    /// Whose connection it has or waits for: the service that calls, the call of it, the container.
    way: (usize, usize, usize),
}

#[derive(Debug, Clone, Copy)]
struct Errand {
    /// The place of the request that makes the call, and of the call in its service.
    caller: usize,
    link: usize,
    tries: u32,
    /// The number of the present try; zero between two tries.
    present: u64,
}

/// All calls under way.
#[derive(Debug, Default)]
pub(super) struct Errands {
    all: Vec<Errand>,
    free: Vec<usize>,
    count: u64,
}

impl Errands {
    fn add(&mut self, errand: Errand) -> usize {
        let place = self.free.pop().unwrap_or(self.all.len());
        if place == self.all.len() {
            self.all.push(errand);
        } else {
            self.all[place] = errand;
        }
        place
    }
}

impl Oracle {
    /// The next calls of a request that waits for nothing, or its end.
    pub(super) fn go_on(&mut self, place: usize) {
        loop {
            let request = &mut self.requests.all[place];
            let service = &mut self.services[request.service];
            let Some(stage) = service.stages.get(request.next.0) else { return self.end(place, None) };
            let wanted: Vec<usize> = if stage.together {
                request.next.0 += 1;
                let links = &service.links;
                stage.links.iter().flat_map(|&link| (0..links[link].count).map(move |_| link)).collect()
            } else if request.next.1 < service.links[stage.links[0]].count {
                request.next.1 += 1;
                vec![stage.links[0]]
            } else {
                request.next = (request.next.0 + 1, 0);
                continue;
            };
            let links = &service.links;
            let caches = &mut service.caches;
            let made: Vec<usize> = wanted
                .into_iter()
                .filter(|&link| links[link].cached <= 0.0 || draw::uniform(caches) >= links[link].cached)
                .collect();
            if made.is_empty() {
                continue;
            }
            request.pending = made.len();
            for link in made {
                let errand = self.errands.add(Errand { caller: place, link, tries: 0, present: 0 });
                let service = self.requests.all[place].service;
                self.services[service].links[link].note_first();
                self.begin_try(errand);
            }
            return;
        }
    }

    /// A try begins, unless the breaker is open: it takes a connection, or waits for one.
    fn begin_try(&mut self, errand: usize) {
        let call = self.next_try(errand);
        let (service, link, container) = call.way;
        let link = &mut self.services[service].links[link];
        if !link.lets_through(self.now) {
            return self.come_back(errand, Some(Failure::Breaker));
        }
        let (timeout, connected) = (link.timeout, link.connect(container, call));
        self.errands.all[errand].present = call.number;
        self.errands.all[errand].tries += 1;
        if let Some(timeout) = timeout {
            self.timers.set(self.now + timeout, Due::TimeUp(call));
        }
        if connected {
            self.send(call);
        }
    }

    /// A try with a number of its own.
    fn next_try(&mut self, errand: usize) -> Try {
        self.errands.count += 1;
        let Errand { caller, link, .. } = self.errands.all[errand];
        let (service, container) = self.caller_of(caller);
        Try { errand, number: self.errands.count, way: (service, link, container) }
    }

    /// The service of a request that calls, and which of its containers it is in.
    fn caller_of(&self, place: usize) -> (usize, usize) {
        let request = &self.requests.all[place];
        (request.service, request.container - self.services[request.service].containers.start)
    }

    fn send(&mut self, call: Try) {
        let (service, link, _) = call.way;
        let hop = self.hop + self.services[service].links[link].hop;
        if hop > 0.0 {
            self.timers.set(self.now + hop, Due::Reach(call));
        } else {
            self.arrive(self.services[service].links[link].to, Some(call), false);
        }
    }

    /// A try reaches the called service. It is worked on whether or not its caller still waits.
    pub(super) fn reach(&mut self, call: Try) {
        if self.is_present(call) {
            let (service, link, _) = call.way;
            self.arrive(self.services[service].links[link].to, Some(call), false);
        } else {
            self.pass_connection(call);
        }
    }

    fn is_present(&self, call: Try) -> bool {
        self.errands.all[call.errand].present == call.number
    }

    /// The called service is done with a try.
    pub(super) fn answer(&mut self, call: Try, well: bool) {
        let (service, link, _) = call.way;
        let hop = self.hop + self.services[service].links[link].hop;
        if hop > 0.0 {
            self.timers.set(self.now + hop, Due::Answer(call, well));
        } else {
            self.come_answer(call, well);
        }
    }

    /// The answer of a try is there, and its connection free.
    pub(super) fn come_answer(&mut self, call: Try, well: bool) {
        self.end_try(call, well);
        self.pass_connection(call);
    }

    /// A try ends for its caller: well, or it failed and may be made again.
    pub(super) fn end_try(&mut self, call: Try, well: bool) {
        if !self.is_present(call) {
            return;
        }
        self.errands.all[call.errand].present = 0;
        let Errand { caller, tries, .. } = self.errands.all[call.errand];
        let open = self.requests.all[caller].open;
        let link = &mut self.services[call.way.0].links[call.way.1];
        link.note_end(self.now, !well);
        let wait = if well || !open { None } else { link.again(tries) };
        match wait {
            Some(wait) => {
                let again = self.next_try(call.errand);
                self.errands.all[call.errand].present = again.number;
                self.timers.set(self.now + wait, Due::Again(again));
            }
            None => self.come_back(call.errand, if well { None } else { Some(Failure::Call) }),
        }
    }

    /// A connection is free: for the next try that waits for one, that still has time, and whose request has not failed.
    fn pass_connection(&mut self, call: Try) {
        let (service, link, container) = call.way;
        while let Some(next) = self.services[service].links[link].disconnect(container) {
            if !self.is_present(next) {
                continue;
            }
            if self.requests.all[self.errands.all[next.errand].caller].open {
                return self.send(next);
            }
            self.errands.all[next.errand].present = 0;
            self.come_back(next.errand, Some(Failure::Call));
        }
    }

    /// The wait before a further try is over.
    pub(super) fn try_again(&mut self, call: Try) {
        let Errand { caller, .. } = self.errands.all[call.errand];
        self.errands.all[call.errand].present = 0;
        if self.requests.all[caller].open {
            self.begin_try(call.errand);
        } else {
            self.come_back(call.errand, Some(Failure::Call));
        }
    }

    /// An errand is over. The request goes on when nothing is under way any more; it fails at once.
    fn come_back(&mut self, errand: usize, failure: Option<Failure>) {
        let caller = self.errands.all[errand].caller;
        self.errands.free.push(errand);
        let request = &mut self.requests.all[caller];
        request.pending -= 1;
        match (request.open, failure, request.pending) {
            (true, None, 0) => self.go_on(caller),
            (true, Some(failure), _) => self.end(caller, Some(failure)),
            (false, _, 0) => self.leave(caller),
            (true, None, _) | (false, _, _) => {}
        }
    }
}
