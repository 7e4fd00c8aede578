//! The exact truth about one instance: every request by itself, event by event. Slow and obviously right; the response
//! curves are checked against it, and the tables of `response` are what it computed.
//!
//! Before you change it:
//! 1. Requests in service share the cores equally, each on one core at most; beyond the workers they wait in order.
//! 2. A quota lets the station work at full speed until the period's CPU time is gone; then all wait for the refill. What
//!    is left over is lost. Periods begin at a random phase, whatever the arrivals.
//! 3. What spins in it is as so many requests that never end.
//! 4. Number in the station, arrivals and response times are measured apart from each other, so that Little's law is a
//!    check and not a definition.

mod batches;
mod tally;

pub use batches::Batches;
pub use batches::Estimate;
pub use tally::Measured;

use crate::model::Spread;
use crate::world::oracle::Keyed;
use crate::world::oracle::draw;
use crate::world::sim::queueing;
use crate::world::sim::response::PERIOD;
use crate::world::sim::response::Station;
use rand_pcg::Pcg64;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::VecDeque;
use tally::Tally;

/// One instance under Poisson arrivals, in the middle of its life.
#[derive(Debug)]
pub struct Oracle {
    random: Pcg64,
    /// The requests, where they are not drawn.
    given: Option<std::vec::IntoIter<Request>>,
    spread: Spread,
    work: f64,
    cores: f64,
    /// Cores that something besides the requests wants.
    spins: f64,
    workers: usize,
    /// CPU seconds of a period; infinite without a quota.
    refill: f64,
    power: f64,
    arrivals_per_second: f64,
    now: f64,
    next_arrival: f64,
    /// CPU time that each request in service has had since the station was last empty.
    attained: f64,
    /// When each request in service arrived, by the attained time at which it is done.
    serving: BinaryHeap<Reverse<Keyed<f64>>>,
    waiting: VecDeque<Waiting>,
    budget: f64,
    period_ends: f64,
    exhausted: bool,
    tally: Tally,
}

/// A request that is given and not drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Request {
    /// Seconds from the one before it to its arrival.
    pub gap: f64,
    /// CPU time in seconds.
    pub work: f64,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    arrived: f64,
    work: f64,
}

impl Oracle {
    /// An empty station with this many arrivals per second of its capacity, its randomness drawn from `random`.
    #[must_use]
    pub fn new(station: &Station, load: f64, mut random: Pcg64) -> Self {
        let work = station.work.as_secs().max(1e-9);
        let quota = station.quota.map(crate::units::Millicores::as_cores);
        let power = station.power();
        let refill = quota.map_or(f64::INFINITY, |quota| quota * PERIOD);
        let phase = draw::uniform(&mut random) * PERIOD;
        let period_ends = if quota.is_some() { phase } else { f64::INFINITY };
        let mut oracle = Self {
            random,
            given: None,
            spread: station.spread,
            work,
            cores: f64::from(station.cores.max(1)),
            spins: station.spins.as_cores(),
            workers: station.workers.map_or(usize::MAX, |workers| workers.max(1) as usize),
            refill,
            power,
            arrivals_per_second: load * power / work,
            now: 0.0,
            next_arrival: 0.0,
            attained: 0.0,
            serving: BinaryHeap::new(),
            waiting: VecDeque::new(),
            budget: refill,
            period_ends,
            exhausted: false,
            tally: Tally::default(),
        };
        oracle.next_arrival = oracle.gap();
        oracle
    }

    /// What becomes of these very requests at an empty station, from the first arrival to the last answer. A measured run
    /// that is held against this does not differ by the luck of its arrivals. `random` draws where periods begin.
    #[must_use]
    pub fn replay(station: &Station, requests: Vec<Request>, random: Pcg64) -> Measured {
        let count = requests.len() as u64;
        let mut oracle = Self { given: Some(requests.into_iter()), ..Self::new(station, 0.0, random) };
        oracle.next_arrival = oracle.gap();
        oracle.tally.begin(oracle.now);
        while oracle.tally.finished < count {
            oracle.step();
        }
        oracle.tally.end(oracle.now, oracle.power)
    }

    /// Goes on until so many more requests have arrived, and says what happened meanwhile.
    pub fn run(&mut self, requests: u64) -> Measured {
        self.tally.begin(self.now);
        while self.tally.arrivals < requests {
            self.step();
        }
        self.tally.end(self.now, self.power)
    }

    /// The mean of [`Measured::fluid_wait`] in an endless run: Pollaczek and Khinchine's for one core as fast as the
    /// whole station.
    #[must_use]
    pub fn fluid_wait(&self) -> f64 {
        let load = self.arrivals_per_second * self.work / self.power;
        load / (1.0 - load) * (1.0 + queueing::variation(self.spread)) / 2.0 * self.work / self.power
    }

    /// On to the next event: an arrival, a request done, the quota gone, or a new period.
    fn step(&mut self) {
        let busy = self.serving.len();
        let wanted = busy as f64 + self.spins;
        if wanted == 0.0 {
            self.sleep();
            return;
        }
        let speed = if self.exhausted { 0.0 } else { (self.cores / wanted).min(1.0) };
        let burning = speed * wanted;
        let outside = self.next_arrival.min(self.period_ends);
        let mut left = outside - self.now;
        let mut inside = None;
        if speed > 0.0 {
            let done = self.serving.peek().map_or(f64::INFINITY, |next| (next.0.key - self.attained) / speed);
            let gone = self.budget / burning;
            if done.min(gone) < left {
                left = done.min(gone).max(0.0);
                inside = Some(done <= gone);
            }
        }
        self.tally.pass(left, busy + self.waiting.len(), speed * busy as f64 * left, self.exhausted);
        self.attained += speed * left;
        self.budget -= burning * left;
        match inside {
            Some(done) => {
                self.now += left;
                if done { self.finish() } else { self.exhaust() }
            }
            None => {
                self.now = outside;
                if self.period_ends <= self.next_arrival { self.refill() } else { self.arrive() }
            }
        }
    }

    /// Nobody is there: on to the next arrival, whatever periods pass.
    fn sleep(&mut self) {
        self.tally.pass(self.next_arrival - self.now, 0, 0.0, false);
        self.now = self.next_arrival;
        self.attained = 0.0;
        if self.period_ends <= self.now {
            self.period_ends += ((self.now - self.period_ends) / PERIOD).floor() * PERIOD;
            while self.period_ends <= self.now {
                self.period_ends += PERIOD;
            }
            self.budget = self.refill;
            self.exhausted = false;
        }
        self.arrive();
    }

    fn arrive(&mut self) {
        let work = self.size();
        let gap = self.gap();
        self.tally.arrive(work, self.power, gap);
        self.next_arrival = self.now + gap;
        if self.serving.len() < self.workers {
            self.serving.push(Reverse(Keyed { key: self.attained + work, tie: 0, what: self.now }));
        } else {
            self.waiting.push_back(Waiting { arrived: self.now, work });
        }
    }

    fn finish(&mut self) {
        let Some(Reverse(request)) = self.serving.pop() else { return };
        self.attained = self.attained.max(request.key);
        self.tally.finish(self.now - request.what);
        if let Some(next) = self.waiting.pop_front() {
            self.serving.push(Reverse(Keyed { key: self.attained + next.work, tie: 0, what: next.arrived }));
        }
    }

    fn exhaust(&mut self) {
        self.budget = 0.0;
        self.exhausted = true;
        self.tally.exhaust();
    }

    fn refill(&mut self) {
        self.period_ends += PERIOD;
        self.budget = self.refill;
        self.exhausted = false;
    }

    /// Time until the next arrival.
    fn gap(&mut self) -> f64 {
        if let Some(given) = &self.given {
            return given.as_slice().first().map_or(f64::INFINITY, |request| request.gap);
        }
        draw::exponential(&mut self.random) / self.arrivals_per_second
    }

    /// CPU time of the next request.
    fn size(&mut self) -> f64 {
        if let Some(given) = &mut self.given {
            return given.next().map_or(0.0, |request| request.work);
        }
        draw::work(self.work, self.spread, &mut self.random)
    }
}
