//! A host made of arithmetic. Before you change it:
//! 1. Time moves in fixed steps; between two steps nothing is looked at.
//! 2. All randomness comes from named streams of the seed; `exp`, `ln`, `pow` come from `libm`.
//! 3. What the engine sees goes through the sensors, never straight from the state.
//! 4. A step has two halves: the means (`settle`), found anew only while something changes, and the counts (`flow`),
//!    drawn every time. A step that only counts allocates nothing.

pub mod oracle;
pub mod queueing;
pub mod response;

mod account;
mod arrivals;
mod balance;
mod breaker;
mod cache;
mod calls;
mod causes;
mod closed;
mod cpu;
mod disk;
mod due;
mod faults;
mod flow;
mod gate;
mod gauge;
mod generations;
mod graph;
mod heat;
mod instance;
mod io;
mod line;
mod loops;
mod memory;
mod meter;
mod mixes;
mod neighbours;
mod network;
mod offered;
mod pins;
mod pool;
mod pulls;
mod ration;
mod requests;
mod room;
mod scaling;
mod seen;
mod sensors;
mod service;
mod settle;
mod stages;
mod steal;
mod strain;
mod swing;
mod times;
mod traffic;
mod trouble;
mod updates;
mod zero;

pub use offered::Offered;

use crate::model::Action;
use crate::model::Docker;
use crate::model::HostSeen;
use crate::model::Incident;
use crate::model::InstanceSeen;
use crate::model::Observation;
use crate::model::PlannedOverride;
use crate::model::Sample;
use crate::model::Scenario;
use crate::model::Sensors;
use crate::model::ServiceName;
use crate::model::ServiceSeen;
use crate::seed::Seed;
use crate::units::Instant;
use crate::units::Span;
use cpu::Claim;
use cpu::Cores;
use disk::Disk;
use faults::Conditions;
use faults::Faults;
use flow::Counter;
use flow::Flow;
use gauge::Gauge;
use generations::Group;
use heat::Warmth;
use line::Line;
use loops::Callers;
use meter::Meter;
use neighbours::Neighbours;
use pins::Pins;
use pulls::Pulls;
use rand_pcg::Pcg64;
use seen::Care;
use service::Service;
use steal::Steal;
use swing::Swing;
use times::Library;

/// A simulated host with its services.
pub struct World {
    now: Instant,
    sampled: Instant,
    step: Span,
    host: HostSeen,
    sensors: Sensors,
    /// What people order, in order of time.
    overrides: Vec<PlannedOverride>,
    memory: f64,
    system_memory: f64,
    /// Bytes of swap.
    swap: f64,
    /// The disk, where somebody uses it.
    disk: Option<Box<Disk>>,
    /// The line to the outside, where somebody says how large requests or answers are.
    line: Option<Box<Line>>,
    cores: Cores,
    /// Who may run where, if somebody may not run everywhere.
    pins: Option<Box<Pins>>,
    /// Mean speed of the busy cores.
    speed: f64,
    /// CPU that containers use, in reference cores.
    used: f64,
    /// How warm it is, where that matters.
    warmth: Option<Warmth>,
    /// What other guests take, where it comes in bursts.
    steal: Option<Steal>,
    /// What other guests take is not always the same.
    steal_varies: bool,
    /// CPU that processes beside the containers use, in reference cores.
    outside: f64,

    /// Callers before those they call.
    services: Vec<Service>,
    flows: Vec<Flow>,
    calls: Vec<(usize, f64)>,
    counter: Counter,
    /// With the present means there was not enough CPU for all in some step.
    tight: bool,
    /// Places of the services in the order of their names.
    by_name: Vec<usize>,
    library: Library,
    /// The first groups of those services that have generations.
    pairs: Vec<usize>,
    /// How the Docker engine behaves, where that is said; changes of limits that it carries out, and when each is done.
    docker: Option<Docker>,
    updates: Vec<(Instant, Action)>,
    pulls: Pulls,
    /// What is counted of requests, for services that are scaled.
    meters: Vec<Meter>,
    /// Metrics of the business.
    gauges: Vec<Gauge>,

    faults: Faults,
    /// What the faults that are on make of the host.
    conditions: Conditions,
    /// The number of the network that they make, and the seconds that a request and its answer take longer on it.
    network: (usize, f64),
    /// Which scrapes are lost, and when the next one comes.
    scrape_luck: Pcg64,
    next_scrape: Instant,
    next_due: Instant,

    /// How exact the means must be.
    care: Care,
    /// The means change, or may.
    moving: bool,
    /// Seconds since the last booking for which the means hold.
    holds: f64,
    /// Length of the step in seconds that the means are for.
    step_secs: f64,
    /// CPU that containers may use in a step besides those that start, in reference core-seconds.
    room: f64,
    /// CPU of starting containers in a step, in reference core-seconds.
    starting_cpu: f64,
    /// Somebody waits for an answer before the next request.
    loops: bool,
    /// Some container's memory grows by itself.
    leaks: bool,
    /// Containers that run.
    running: u64,
    container_ticks: u64,

    /// Seconds since the last booking.
    held: f64,
    /// CPU of everything since the last sample, in reference core-seconds.
    host_cpu: f64,
    memory_max: f64,
    /// Seconds that were stolen of each core since the last sample.
    stolen: f64,
    incidents: Vec<(Instant, Incident)>,

    // Room for the arithmetic of `settle`, kept so that it allocates nothing.
    incoming: Vec<f64>,
    callers: Vec<Callers>,
    claims: Vec<Claim>,
    grants: Vec<f64>,
    greediest: Vec<usize>,
    neighbours: Neighbours,
    stretched: Vec<f64>,
    /// On a host with loops, how the stretches went so far.
    swings: Vec<(f64, Swing)>,
    loads: Vec<f64>,
    stretch_changed: Vec<bool>,
    settled_time: Vec<f64>,
}

impl World {
    /// The host of a scenario at the start of a run.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: Seed) -> Self {
        let cores = Cores::of(&scenario.host);
        let mut library = Library::new(cores.count);
        let (services, flows, calls) = graph::build(scenario, seed, &mut library);
        let own = |index: &usize| matches!(services[*index].group, Group::Alone | Group::First);
        let mut by_name: Vec<usize> = (0..services.len()).filter(own).collect();
        let pairs = by_name.iter().copied().filter(|index| services[*index].pair.is_some()).collect();
        by_name.sort_by(|one, other| services[*one].name.cmp(&services[*other].name));
        let count = services.len();
        let loops = services
            .iter()
            .any(|service| service.gate.is_some() || service.clients.is_some() || service.pools().next().is_some());
        let mut world = Self {
            now: Instant::START,
            sampled: Instant::START,
            step: scenario.step.max(Span::from_nanos(1)),
            host: HostSeen { pool_cpu: scenario.host.pool_cpu(), pool_memory: scenario.host.pool_memory() },
            sensors: sensors::fitted(scenario),
            overrides: scenario.overrides.clone(),
            memory: scenario.host.memory.get() as f64,
            system_memory: scenario.host.system_memory.get() as f64,
            swap: scenario.host.swap.get() as f64,
            disk: Disk::of(scenario, &services).map(Box::new),
            line: Line::of(scenario, &services).map(Box::new),
            pins: Pins::of(scenario, &services).map(Box::new),
            speed: cores.speed(0.0),
            used: 0.0,
            warmth: scenario.host.heat.as_ref().map(Warmth::of),
            steal: Steal::of(&scenario.host, seed),
            steal_varies: steal::varies(scenario),
            outside: 0.0,
            cores,
            services,
            flows,
            counter: Counter::default(),
            tight: false,
            calls,
            by_name,
            library,
            pairs,
            docker: scenario.docker.clone(),
            updates: Vec::new(),
            pulls: Pulls::default(),
            meters: Vec::new(),
            gauges: Gauge::all(scenario, seed),
            faults: Faults::new(&scenario.faults, seed),
            conditions: Conditions::good(count),
            network: (0, 0.0),
            scrape_luck: seed.stream("scrape"),
            next_scrape: Instant::START,
            next_due: Instant::START,
            care: Care::default(),
            moving: true,
            holds: 0.0,
            step_secs: 0.0,
            room: 0.0,
            starting_cpu: 0.0,
            loops,
            leaks: false,
            running: 0,
            container_ticks: 0,
            held: 0.0,
            host_cpu: 0.0,
            memory_max: 0.0,
            stolen: 0.0,
            incidents: Vec::new(),
            incoming: vec![0.0; count],
            callers: vec![Callers::default(); count],
            claims: Vec::with_capacity(2 * count),
            grants: Vec::with_capacity(2 * count),
            greediest: Vec::with_capacity(2 * count),
            neighbours: Neighbours::default(),
            stretched: vec![1.0; count],
            swings: vec![(1.0, Swing::NONE); count],
            loads: vec![0.0; count],
            stretch_changed: vec![false; count],
            settled_time: vec![f64::NAN; count],
        };
        world.take_seats();
        for service in &mut world.services {
            service.fit(&world.cores, world.speed, &mut world.library);
        }
        world.pulls = Pulls::of(scenario, count, |name| world.find(name));
        world.meters = Meter::all(scenario, &sensors::kept_for(scenario), |name| world.find(&ServiceName::new(name)));
        world.next_scrape = world.scrape_after(Instant::START);
        world.do_what_is_due();
        world
    }

    /// The time it is in the simulation.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Moves time forward to `to`, in steps of the scenario; does nothing where that is not later. Where `to` lies
    /// between two steps, the last one is shorter.
    pub fn advance(&mut self, to: Instant) {
        while self.now < to {
            let passed = self.now.since_start();
            let end = Instant::after_start(self.step.times(passed.fit(self.step) + 1)).min(to);
            let length = end.since(self.now);
            if length.as_secs() != self.step_secs {
                self.book();
                self.step_secs = length.as_secs();
                self.moving = true;
            }
            let moved = self.moving || self.held + self.step_secs > self.holds;
            if moved {
                self.settle();
            }
            let alone = moved || self.leaks || self.tight;
            self.count(length, if alone { 1 } else { self.quiet_steps(length, to) });
            if moved || self.leaks {
                self.check_memory();
            }
            if self.next_due <= self.now {
                self.do_what_is_due();
            }
        }
    }

    /// How many steps from now on only count, the next one included.
    fn quiet_steps(&self, length: Span, to: Instant) -> usize {
        let (mut steps, mut end, mut held) = (1, self.now.plus(length), self.held + self.step_secs);
        while steps < flow::TOGETHER
            && length == self.step
            && end.plus(length) <= to
            && end < self.next_due
            && held + self.step_secs <= self.holds
        {
            (steps, end, held) = (steps + 1, end.plus(length), held + self.step_secs);
        }
        steps
    }

    /// Counts so many steps under the present means, or fewer, if the cores get another clock after one of them.
    fn count(&mut self, length: Span, steps: usize) {
        let mut steps = steps;
        if !self.counter.count(&mut self.flows, &self.calls, self.room, steps) {
            // Until means change, there will often be too little.
            (self.tight, steps) = (true, 1);
            self.counter.count(&mut self.flows, &self.calls, self.room, steps);
        }
        let (done, clock) = self.warm(steps);
        if done < steps {
            self.counter.go_back(&mut self.flows);
            for _ in 0..done {
                self.counter.count(&mut self.flows, &self.calls, self.room, 1);
            }
        }
        for _ in 0..done {
            self.held += self.step_secs;
            self.container_ticks += self.running;
            self.now = self.now.plus(length);
        }
        if let Some(clock) = clock {
            self.follow_clock(clock);
        }
    }

    /// What the sensors show the engine now.
    #[must_use]
    pub fn observe(&self) -> Observation {
        let mut seen = Observation::default();
        self.observe_again(&mut seen);
        seen
    }

    /// Brings what was observed of this world before up to now, in the memory that it has.
    pub fn observe_again(&self, seen: &mut Observation) {
        seen.host = self.host;
        if seen.services.len() != self.by_name.len() {
            let names = self.by_name.iter().map(|index| self.services[*index].name.clone());
            seen.services = names.map(|name| (name, ServiceSeen::default())).collect();
        }
        for (index, seen) in self.by_name.iter().zip(seen.services.values_mut()) {
            self.observe_service(*index, seen);
        }
        // Where several are in force the last of them counts.
        let overrides =
            self.overrides.iter().filter(|planned| planned.from <= self.now && planned.order.lasts(self.now));
        seen.overrides = overrides.map(|planned| (planned.service.clone(), planned.order.clone())).collect();
        seen.metrics = self.metrics_seen().collect();
    }

    fn observe_service(&self, index: usize, seen: &mut ServiceSeen) {
        let (service, condition) = (&self.services[index], &self.conditions.services[index]);
        // Who was told to leave is no instance of the service any more.
        let gone = usize::from(service.pair.as_ref().is_some_and(|pair| pair.is_let_go()));
        seen.limits = self.services[self.group_in_force(index)].limits;
        seen.stateful = service.stateful;
        seen.traffic = self.traffic_of(index);
        seen.deploying = self.is_deploying(index);
        seen.instances.clear();
        for group in &self.services[index..index + service.groups() - gone] {
            seen.instances.extend(group.instances.iter().zip(&group.scrapes).map(|(instance, scrapes)| InstanceSeen {
                number: instance.number,
                state: instance.state,
                usage: scrapes.usage(&self.sensors, self.now).map(|usage| condition.shown(usage)),
                oom_kills: instance.oom_kills,
                restarts: instance.restarts,
                started: instance.runs().then_some(instance.started),
            }));
        }
    }

    /// The place of a service.
    fn find(&self, name: &ServiceName) -> Option<usize> {
        let found = self.by_name.binary_search_by(|index| self.services[*index].name.cmp(name));
        found.ok().map(|place| self.by_name[place])
    }

    /// The truth since the last sample.
    pub fn sample(&mut self) -> Sample {
        let span = self.now.since(self.sampled);
        self.sampled = self.now;
        let (host, services) = self.sample_services(span);
        Sample { at: self.now, span, host, services }
    }

    /// What happened since the last call, in order.
    pub fn take_incidents(&mut self) -> Vec<(Instant, Incident)> {
        core::mem::take(&mut self.incidents)
    }

    /// Containers advanced by one step so far; those that do not run do not count.
    #[must_use]
    pub const fn container_ticks(&self) -> u64 {
        self.container_ticks
    }
}
