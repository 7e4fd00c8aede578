//! One container: requests in service share its part of the cores equally, the others wait for a worker in order.
//!
//! Before you change it:
//! 1. A quota lets it run at full speed until the period's CPU time is gone; then it waits for its own next period. What
//!    is left over is lost. Periods begin at a random phase, whatever the arrivals.
//! 2. All requests in service get the same, so one counter (`attained`) stands for how much work each has had; a request
//!    is done when the counter has grown by its work.

use super::keyed::Keyed;
use crate::model::ServiceModel;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::VecDeque;

/// Length of a quota period in seconds: what Docker sets.
const PERIOD: f64 = 0.1;

/// A container and its requests.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) weight: f64,
    /// Requests worked on at once.
    workers: usize,
    /// Requests that may wait for a worker.
    backlog: usize,
    /// A worker waits for the calls of its request.
    blocking: bool,
    /// Workers that do so now.
    held: usize,
    /// Requests that came and have neither ended well nor failed: what a balancer sees of it.
    pub(super) connections: usize,
    /// CPU seconds of a period; infinite without a quota.
    refill_to: f64,
    budget: f64,
    exhausted: bool,
    /// When the quota is refilled; never where there is none.
    pub(super) period_ends: f64,
    /// Cores it runs on now.
    pub(super) cores: f64,
    /// Reference core-seconds a second that each request in service gets.
    pace: f64,
    /// CPU seconds a second that count against the quota.
    burning: f64,
    attained: f64,
    /// Requests in service, by the attained work at which they are done, then by their place.
    serving: BinaryHeap<Reverse<Keyed<usize>>>,
    pub(super) waiting: VecDeque<usize>,
    /// CPU seconds used.
    pub(super) cpu: f64,
    /// Seconds in which requests waited for the quota.
    pub(super) throttled: f64,
    /// How often the quota was gone.
    pub(super) throttled_periods: u64,
}

impl Container {
    /// A container without requests, its quota period at a phase from 0 up to 1.
    pub(super) fn new(model: &ServiceModel, phase: f64) -> Self {
        let most = |count: Option<u32>| count.map_or(usize::MAX, |count| count as usize);
        // What it uses idle is a steady trickle that the quota pays for, too.
        let quota = model.limits.cpu.map(|quota| quota.as_cores() - model.idle_cpu.as_cores());
        let refill_to = quota.map_or(f64::INFINITY, |quota| quota.max(0.001) * PERIOD);
        Self {
            weight: model.weight.max(1) as f64,
            workers: most(model.workers).max(1),
            backlog: most(model.backlog),
            blocking: model.blocking,
            held: 0,
            connections: 0,
            refill_to,
            budget: refill_to,
            exhausted: false,
            period_ends: if quota.is_some() { phase * PERIOD } else { f64::INFINITY },
            cores: 0.0,
            pace: 0.0,
            burning: 0.0,
            attained: 0.0,
            serving: BinaryHeap::new(),
            waiting: VecDeque::new(),
            cpu: 0.0,
            throttled: 0.0,
            throttled_periods: 0,
        }
    }

    /// Gives it another quota, of so many cores, from its next period on.
    pub(super) fn limit(&mut self, cores: f64) {
        self.refill_to = cores * PERIOD;
    }

    /// Cores it could use now.
    pub(super) fn want(&self) -> f64 {
        if self.exhausted { 0.0 } else { self.serving.len() as f64 }
    }

    /// Nobody is in service.
    pub(super) fn is_empty(&self) -> bool {
        self.serving.is_empty()
    }

    /// Another request could be taken into service.
    pub(super) fn has_room(&self) -> bool {
        self.serving.len() + self.held < self.workers
    }

    /// Too many wait already for one more.
    pub(super) fn is_crowded(&self) -> bool {
        !self.has_room() && self.waiting.len() >= self.backlog
    }

    /// A request that held its worker is gone; whether a worker is free by that.
    pub(super) fn release(&mut self) -> bool {
        self.held -= usize::from(self.blocking);
        self.blocking
    }

    /// Takes a request into service.
    pub(super) fn serve(&mut self, request: usize, work: f64, now: f64) {
        if self.serving.is_empty() {
            self.wake(now);
        }
        self.serving.push(Reverse(Keyed { key: self.attained + work, tie: request as u64, what: request }));
    }

    /// It did nothing for a while: the periods that passed meanwhile.
    fn wake(&mut self, now: f64) {
        self.attained = 0.0;
        if self.period_ends <= now {
            self.period_ends += ((now - self.period_ends) / PERIOD).floor() * PERIOD;
            while self.period_ends <= now {
                self.period_ends += PERIOD;
            }
            self.budget = self.refill_to;
            self.exhausted = false;
        }
    }

    /// The request that has had all its work leaves service.
    pub(super) fn finish(&mut self) -> Option<usize> {
        let Reverse(done) = self.serving.pop()?;
        self.attained = self.attained.max(done.key);
        self.held += usize::from(self.blocking);
        Some(done.what)
    }

    pub(super) fn exhaust(&mut self) {
        self.budget = 0.0;
        self.exhausted = true;
        self.throttled_periods += 1;
    }

    pub(super) fn refill(&mut self) {
        self.period_ends += PERIOD;
        self.budget = self.refill_to;
        self.exhausted = false;
    }

    /// Runs on its cores from now on: so much work, and so much CPU time, a second on each of them.
    pub(super) fn run(&mut self, work: f64, time: f64) {
        self.burning = self.cores * time;
        self.pace = if self.serving.is_empty() { 0.0 } else { self.cores * work / self.serving.len() as f64 };
    }

    pub(super) fn pass(&mut self, seconds: f64) {
        self.attained += self.pace * seconds;
        self.cpu += self.burning * seconds;
        self.budget -= self.burning * seconds;
        if self.exhausted && !self.serving.is_empty() {
            self.throttled += seconds;
        }
    }

    /// When the next request has had all its work.
    pub(super) fn next_done(&self, now: f64) -> f64 {
        match self.serving.peek() {
            Some(Reverse(next)) if self.pace > 0.0 => now + (next.key - self.attained).max(0.0) / self.pace,
            _ => f64::INFINITY,
        }
    }

    /// When the quota will be gone; never where it lasts just as long as its period.
    pub(super) fn next_exhausted(&self, now: f64) -> f64 {
        if self.burning <= 0.0 || self.budget.is_infinite() {
            return f64::INFINITY;
        }
        let gone = now + self.budget.max(0.0) / self.burning;
        if gone < self.period_ends - 1e-9 { gone } else { f64::INFINITY }
    }
}
