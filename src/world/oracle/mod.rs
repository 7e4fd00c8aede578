//! The exact truth about a whole host: every request of every container by itself, event by event. Slow, obvious, and
//! written apart from the step model (`world::sim`), which is held against it.
//!
//! Before you change it:
//! 1. Nothing here is shared with the step model but the nouns. What both got wrong together, no comparison would find.
//! 2. Each rule stands in one place: who gets which core in `cores`, quotas and workers in `container`, the way of a
//!    request in `request`, its calls in `errand` and `link`, what it takes on the line to the outside in `line`. Numbers inside, arrivals and times are counted apart from
//!    each other, so that Little's law is a check and not a definition.
//! 3. All services are up from the start and stay so: no life cycle, no memory, no faults.
//!
//! Where it differs from the step model by intent: a request whose time is up fails at that moment, but a server that
//! already works on it notices nothing and finishes its work, as threads do. In the step model such a request takes no
//! CPU. Its calls are not taken back; no further ones are made.

mod arrivals;
mod clients;
mod container;
mod cores;
pub(in crate::world) mod draw;
mod errand;
mod keyed;
mod line;
mod link;
mod outcome;
mod pins;
mod request;
mod service;
mod timers;

pub use arrivals::Unsupported;
pub use outcome::Outcome;
pub use outcome::ServiceOutcome;

pub(in crate::world) use keyed::Keyed;

use crate::model::Scenario;
use crate::model::ServiceName;
use crate::seed::Seed;
use crate::units::Millicores;
use crate::units::Span;
use container::Container;
use cores::Cores;
use errand::Errands;
use line::Line;
use request::Requests;
use service::Service;
use timers::Due;
use timers::Timers;

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// A request comes to this service from outside.
    Arrival(usize),
    /// The oldest request of this service has taken too long.
    Deadline(usize),
    /// A request of this container has had all its work.
    Done(usize),
    /// The quota of this container is gone.
    Exhausted(usize),
    /// A new quota period of this container begins.
    Period(usize),
    /// A time known beforehand has come.
    Timer,
    /// All bytes of a transfer in this direction are there.
    Sent(usize),
}

/// A host under load, in the middle of its life.
#[derive(Debug)]
pub struct Oracle {
    now: f64,
    /// When the stretch that is counted began.
    began: f64,
    events: u64,
    cores: Cores,
    services: Vec<Service>,
    containers: Vec<Container>,
    /// Containers with requests to work on.
    active: Vec<usize>,
    /// Somebody wants more or less CPU than when it was last shared out.
    shares_moved: bool,
    requests: Requests,
    errands: Errands,
    timers: Timers,
    /// The line to the outside, where its bandwidth is known.
    line: Option<Line>,
    /// Seconds that a message takes from one container to another.
    hop: f64,
}

/// Runs a scenario for so long after a warm-up, and says what happened after it.
///
/// # Errors
/// A load whose rate changes smoothly; only constant rates, steps and clients can be drawn exactly here.
pub fn simulate(scenario: &Scenario, seed: Seed, warmup: Span, duration: Span) -> Result<Outcome, Unsupported> {
    let mut oracle = Oracle::new(scenario, seed)?;
    oracle.advance(warmup.as_secs());
    let _ = oracle.take();
    oracle.advance(duration.as_secs());
    Ok(oracle.take())
}

impl Oracle {
    /// The host of a scenario, all its services up and without requests.
    ///
    /// # Errors
    /// A load whose rate changes smoothly; only constant rates and steps can be drawn exactly here.
    pub fn new(scenario: &Scenario, seed: Seed) -> Result<Self, Unsupported> {
        let (services, containers) = service::build(scenario, seed)?;
        let idle = services.iter().map(|service| service.idle * service.containers.len() as f64).sum();
        let mut timers = Timers::default();
        for (index, service) in services.iter().enumerate() {
            if let Some(at) = service.clients.as_ref().and_then(clients::Clients::next_change) {
                timers.set(at, Due::Clients(index));
            }
        }
        Ok(Self {
            now: 0.0,
            began: 0.0,
            events: 0,
            cores: Cores::of(scenario, idle, &containers),
            services,
            containers,
            active: Vec::new(),
            shares_moved: false,
            requests: Requests::default(),
            errands: Errands::default(),
            timers,
            line: scenario.host.line().map(Line::new),
            hop: scenario.host.hop.as_secs(),
        })
    }

    /// Gives one of the instances of a service another quota, as one that was replaced has it; `number` counts from 1.
    /// Only where it has a quota before.
    pub fn limit(&mut self, service: &ServiceName, number: usize, quota: Millicores) {
        let containers = self.services.iter().find(|one| one.name == *service).map(|one| one.containers.clone());
        let place = containers.and_then(|mut places| places.nth(number.saturating_sub(1)));
        if let Some(container) = place.and_then(|place| self.containers.get_mut(place)) {
            container.limit(quota.as_cores());
        }
    }

    /// Goes on for so many seconds.
    pub fn advance(&mut self, seconds: f64) {
        let end = self.now + seconds;
        loop {
            if self.shares_moved {
                self.share_cores();
            }
            let (at, event) = self.next();
            let Some(event) = event.filter(|_| at < end) else { break };
            self.pass(at - self.now);
            self.now = at;
            self.events += 1;
            match event {
                Event::Arrival(service) => self.come(service),
                Event::Deadline(service) => self.give_up(service),
                Event::Done(container) => self.finish_work(container),
                Event::Exhausted(container) => {
                    self.containers[container].exhaust();
                    self.shares_moved = true;
                }
                Event::Period(container) => {
                    self.containers[container].refill();
                    self.shares_moved = true;
                }
                Event::Timer => self.ring(),
                Event::Sent(way) => self.finish_transfer(way),
            }
        }
        self.pass(end - self.now);
        self.now = end;
    }

    /// What happened since the last call, by service in the order of their names.
    pub fn take(&mut self) -> Outcome {
        let seconds = self.now - self.began;
        self.began = self.now;
        let events = std::mem::take(&mut self.events);
        let mut services = Vec::with_capacity(self.services.len());
        for service in &mut self.services {
            let containers = &mut self.containers[service.containers.clone()];
            services.push(outcome::of(service, containers, self.now, seconds));
        }
        Outcome { seconds, events, services }
    }

    /// The next event and its time. Of several at the same time the first in this order: work that is done, quotas, time
    /// that is up, arrivals, timers.
    fn next(&mut self) -> (f64, Option<Event>) {
        let (mut at, mut event) = (f64::INFINITY, None);
        let due = self.timers.next();
        let mut look = |time: f64, what: Event| {
            if time < at {
                (at, event) = (time, Some(what));
            }
        };
        for &index in &self.active {
            let container = &self.containers[index];
            look(container.next_done(self.now), Event::Done(index));
            look(container.next_exhausted(self.now), Event::Exhausted(index));
            look(container.period_ends, Event::Period(index));
        }
        for (index, service) in self.services.iter_mut().enumerate() {
            if service.timeout.is_some() {
                look(service.next_deadline(&self.requests), Event::Deadline(index));
            }
            look(service.arrivals.next, Event::Arrival(index));
        }
        if let Some(line) = &mut self.line {
            for way in [line::IN, line::OUT] {
                look(line.next_done(way, self.now, &self.requests), Event::Sent(way));
            }
        }
        look(due, Event::Timer);
        (at.max(self.now), event)
    }

    fn pass(&mut self, seconds: f64) {
        for &index in &self.active {
            self.containers[index].pass(seconds);
        }
        if let Some(line) = &mut self.line {
            line.pass(seconds);
        }
    }

    /// The next timer is due.
    fn ring(&mut self) {
        match self.timers.pop() {
            Some(Due::Reach(call)) => self.reach(call),
            Some(Due::Answer(call, well)) => self.come_answer(call, well),
            Some(Due::TimeUp(call)) => self.end_try(call, false),
            Some(Due::Again(call)) => self.try_again(call),
            Some(Due::Client(service)) => self.client_comes(service),
            Some(Due::Clients(service)) => self.change_clients(service),
            None => {}
        }
    }

    /// Shares the cores out among the containers that have something to do.
    fn share_cores(&mut self) {
        self.shares_moved = false;
        self.cores.share(&mut self.containers, &self.active);
    }
}
