//! A service on the simulated host: its figures, its containers, and what passes through them. Before you change it:
//! 1. Instances that are up share the load equally, so one [`Queue`] stands for each of them.
//! 2. CPU is counted in reference cores here; limits and what is shown are in time on a core, as Docker counts.
//! 3. Counters only grow; a sample is the difference of two readings.

use super::balance::Shared;
use super::calls::Link;
use super::causes::Causes;
use super::causes::Shares;
use super::cpu::Cores;
use super::generations::Group;
use super::generations::Pair;
use super::instance::Check;
use super::instance::Instance;
use super::instance::Phase;
use super::instance::Rules;
use super::line::Transferred;
use super::loops::Clients;
use super::pins::Seat;
use super::pool::Pool;
use super::ration::Ration;
use super::requests::Late;
use super::requests::Passage;
use super::requests::Queue;
use super::response::Response;
use super::response::Station;
use super::room;
use super::room::Gate;
use super::seen::Seen;
use super::sensors::Scrapes;
use super::stages::State;
use super::strain::Spin;
use super::times::Library;
use super::times::OnDisk;
use super::times::OnLine;
use super::times::Own;
use super::traffic::Traffic;
use crate::model::Condition;
use crate::model::InstanceState;
use crate::model::Limits;
use crate::model::Sensors;
use crate::model::ServiceModel;
use crate::model::ServiceName;
use crate::model::Spread;
use crate::model::SwapLimit;
use crate::model::Update;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Span;
use crate::units::whole;
use crate::world::sim::queueing;
use std::sync::Arc;

/// Requests of one service whose times follow the same distribution, since the last sample.
#[derive(Debug, Clone)]
pub(super) struct Stretch {
    pub(super) own: Own,
    /// What it waits for the disk, where it uses it.
    pub(super) on_disk: Option<OnDisk>,
    /// The number of the network over which its requests come from outside.
    pub(super) network: usize,
    /// What it takes on the line, where sizes are known.
    pub(super) on_line: Option<OnLine>,
    /// Requests that ended well.
    pub(super) served: f64,
    /// Their times, if none were cut off, in seconds.
    pub(super) time: f64,
    /// The distribution's number in the library, once it was made.
    pub(super) number: Option<usize>,
}

impl Stretch {
    /// One without requests yet: its own distribution, and those of its disk, its network and its line.
    pub(super) const fn new(own: Own, around: (Option<OnDisk>, usize, Option<OnLine>)) -> Self {
        let (on_disk, network, on_line) = around;
        Self { own, on_disk, network, on_line, served: 0.0, time: 0.0, number: None }
    }

    /// Mean time of its requests in seconds, if none were cut off; not a number where there were none.
    pub(super) fn mean(&self) -> f64 {
        self.time / self.served
    }
}

/// A service and its containers.
pub(super) struct Service {
    pub(super) name: ServiceName,
    pub(super) limits: Limits,
    pub(super) stateful: bool,
    pub(super) weight: f64,
    pub(super) rules: Rules,
    /// How long an instance that is told to stop may take.
    pub(super) stop_grace: Span,
    pub(super) timeout: Option<f64>,
    pub(super) start_cpu: f64,
    pub(super) idle_memory: f64,
    pub(super) request_memory: f64,
    /// Bytes that are kept for an instance.
    pub(super) reserved_memory: f64,
    /// Swap that an instance may use; `None` on a host that has none.
    pub(super) swap: Option<SwapLimit>,
    pub(super) oom_score_adjust: i16,
    pub(super) oom_kill_disabled: bool,
    /// Bytes per second.
    pub(super) leak: f64,
    /// Bytes per second that faults add to that, and since when.
    pub(super) growth: f64,
    pub(super) growth_since: Instant,
    /// The cores of an instance, where some containers run on some cores only.
    pub(super) seat: Option<Seat>,
    /// Mean speed of the busy cores that its means are for.
    pub(super) speed: f64,
    work: Span,
    /// A fault makes each request take so many times as much CPU.
    pub(super) slower: f64,
    pub(super) spread: Spread,
    /// What is left of a request's work that is looked at while it is worked on, over the mean work.
    pub(super) residual: f64,
    workers: Option<u32>,
    /// Reference core-seconds of a request.
    pub(super) work_cpu: f64,
    pub(super) idle_cpu: f64,
    /// The same without what spins in it.
    pub(super) own_idle_cpu: f64,
    pub(super) spin: Spin,
    /// What it waits for: service and condition.
    pub(super) waits_for: Vec<(usize, Condition)>,
    /// Calls of one request: service and how often.
    pub(super) calls: Vec<(usize, u32)>,
    /// The same calls, where one of them is more than a call.
    pub(super) links: Vec<Link>,
    /// For each stretch and link: how it was.
    pub(super) link_states: Vec<State>,
    pub(super) traffic: Option<Traffic>,
    /// Requests come to it from outside.
    pub(super) from_outside: bool,
    /// Which of its instances these are, where a deployment names it; and what all its groups share.
    pub(super) group: Group,
    pub(super) pair: Option<Box<Pair>>,
    /// Requests that wait for calls in instances that get no new ones.
    pub(super) away: Option<f64>,
    /// When the own rate changes.
    pub(super) rate_until: Instant,
    pub(super) own_rate: f64,

    pub(super) instances: Vec<Instance>,
    pub(super) scrapes: Vec<Scrapes>,
    /// Instances that answer, as a number to count with.
    pub(super) up: f64,
    /// Instances that start.
    pub(super) starting: f64,

    /// Who shares its requests, and how.
    pub(super) shared: Shared,
    pub(super) station: usize,
    pub(super) response: Arc<Response>,
    pub(super) late: Late,
    pub(super) queue: Queue,
    pub(super) passage: Passage,
    /// Requests per second that come, the mean.
    pub(super) rate: f64,
    /// Requests per second and instance that the granted CPU is enough for; infinite where it gets all it wants.
    pub(super) granted: f64,
    /// The same, by the CPU alone.
    pub(super) ration: Ration,
    /// Its workers, where they are more than a part of the station.
    pub(super) gate: Option<Gate>,
    /// Who sends requests in a closed loop.
    pub(super) clients: Option<Clients>,
    /// Seconds that the calls of a request take on average.
    pub(super) calls_time: f64,
    /// Seconds of a request from outside on the network, there and back.
    pub(super) hops: f64,
    /// The number of the network over which requests come from outside, and the seconds that they and their answers take
    /// longer on it.
    pub(super) trips: (usize, f64),
    /// What its requests and answers take on the line to the outside.
    pub(super) on_line: Transferred,
    /// Most CPU that one instance can use, in reference cores.
    pub(super) cap: f64,
    /// Cores that one instance can be on at a moment, whatever its quota.
    pub(super) reach: f64,
    /// CPU that each starting instance gets.
    pub(super) start_grant: f64,
    /// Waiting for other containers' work on busy cores, in seconds.
    pub(super) contention: f64,
    /// Mean time of a request, calls included, in seconds.
    pub(super) time: f64,
    /// For each stretch of a service with a gate: how requests wait for a worker.
    pub(super) waits_of: Vec<State>,
    pub(super) last_wait: State,
    /// Mean time of a request whose calls all come back well, in seconds.
    pub(super) time_well: f64,
    /// Why what comes out fails after all.
    pub(super) shares: Shares,
    pub(super) causes: Causes,
    /// Share of those that did not come out that was refused.
    pub(super) refused: f64,
    /// Share of what comes out that fails after all: too late with its calls, or a call failed.
    pub(super) fails: f64,
    /// Share of what comes that fails.
    pub(super) fails_all: f64,
    /// The distribution by which it was last told who is late.
    pub(super) seen: Option<Seen>,
    pub(super) stretches: Vec<Stretch>,
    /// For each stretch: the one whose distribution stands for it; empty where each stands for itself.
    pub(super) stands: Vec<usize>,
    /// For each stretch and call: the stretch of the called service, `usize::MAX` where nobody answered.
    pub(super) called: Vec<usize>,

    /// CPU that each instance that is up used so far, in core-seconds.
    pub(super) cpu_each: f64,
    /// CPU that each starting instance used so far, in core-seconds.
    pub(super) start_cpu_each: f64,
    /// CPU since the last sample, in core-seconds.
    pub(super) cpu: f64,
    /// Seconds since the last sample in which an instance was throttled.
    pub(super) throttled: f64,
    pub(super) saturated: bool,
    pub(super) replicas_min: u32,
    pub(super) memory_max: f64,
    pub(super) swap_max: f64,
    pub(super) restarts: u32,
    pub(super) oom_kills: u32,
    /// Thousandths of requests up to the last sample: arrived, served, failed, in the service.
    pub(super) booked: [u64; 4],
}

impl Service {
    pub(super) fn new(name: &ServiceName, model: &ServiceModel, sensors: &Sensors, library: &mut Library) -> Self {
        let rules = Rules { start_up: model.start_up, check: Check::of(model.health.as_ref()), restart: model.restart };
        let replicas = usize::try_from(model.replicas.max(1)).unwrap_or(1);
        let station = Station {
            cores: 1,
            quota: None,
            workers: None,
            work: model.work.cpu,
            spread: model.work.spread,
            spins: Millicores::ZERO,
        };
        let (station, response) = library.station(&station);
        let gate_response = Arc::clone(&response);
        Self {
            name: name.clone(),
            limits: model.limits,
            stateful: model.stateful,
            weight: model.weight.max(1) as f64,
            rules,
            stop_grace: model.stop_grace.unwrap_or(Update::STOP_GRACE),
            timeout: model.timeout.map(Span::as_secs),
            start_cpu: model.start_cpu.as_cores(),
            idle_memory: model.idle_memory.get() as f64,
            request_memory: model.work.memory.get() as f64,
            reserved_memory: model.reservations.memory.map_or(0.0, |memory| memory.get() as f64),
            swap: None,
            oom_score_adjust: model.shortage.oom_score_adjust,
            oom_kill_disabled: model.shortage.oom_kill_disabled,
            leak: model.leak_per_hour.get() as f64 / 3600.0,
            growth: 0.0,
            growth_since: Instant::START,
            seat: None,
            speed: 1.0,
            work: model.work.cpu,
            slower: 1.0,
            spread: model.work.spread,
            residual: f64::midpoint(1.0, super::queueing::variation(model.work.spread)),
            workers: model.workers,
            work_cpu: model.work.cpu.as_secs().max(1e-9),
            idle_cpu: model.idle_cpu.as_cores(),
            own_idle_cpu: model.idle_cpu.as_cores(),
            spin: Spin::default(),
            waits_for: Vec::new(),
            calls: Vec::new(),
            links: Vec::new(),
            link_states: Vec::new(),
            traffic: None,
            from_outside: false,
            group: Group::Alone,
            pair: None,
            away: None,
            rate_until: Instant::START,
            own_rate: 0.0,
            instances: (1..=model.replicas.max(1)).map(Instance::new).collect(),
            scrapes: vec![Scrapes::new(sensors); replicas],
            up: 0.0,
            starting: 0.0,
            shared: Shared::new(model),
            station,
            response,
            late: Late::new(model.timeout),
            queue: Queue::default(),
            passage: Passage::default(),
            rate: 0.0,
            granted: f64::INFINITY,
            ration: Ration::ALL,
            gate: Gate::new(model, &gate_response),
            clients: None,
            calls_time: 0.0,
            hops: 0.0,
            trips: (0, 0.0),
            on_line: Transferred::default(),
            cap: 0.0,
            reach: 0.0,
            start_grant: 0.0,
            contention: 0.0,
            time: 0.0,
            waits_of: Vec::new(),
            last_wait: State::default(),
            time_well: 0.0,
            shares: Shares::default(),
            causes: Causes::default(),
            refused: 0.0,
            fails: 0.0,
            fails_all: 0.0,
            seen: None,
            stretches: Vec::with_capacity(128),
            stands: Vec::new(),
            called: Vec::with_capacity(256),
            cpu_each: 0.0,
            start_cpu_each: 0.0,
            cpu: 0.0,
            throttled: 0.0,
            saturated: false,
            replicas_min: 0,
            memory_max: 0.0,
            swap_max: 0.0,
            restarts: 0,
            oom_kills: 0,
            booked: [0; 4],
        }
    }

    /// Takes over new limits, a new speed of the cores, or a request that takes more CPU.
    ///
    /// Stolen time stretches the work and is not counted against the quota, so a quota lasts longer in the same measure.
    pub(super) fn fit(&mut self, cores: &Cores, speed: f64, library: &mut Library) {
        let (all, speed) = self.seat.map_or((cores.count, speed), |seat| (seat.count, seat.speed));
        self.speed = speed;
        self.fit_spin(f64::from(all), speed, cores.ours);
        let paid = |quota: Millicores| (quota.as_cores() - self.idle_cpu / speed).max(0.001);
        let quota = self.limits.cpu.map(|quota| Millicores::new(whole(paid(quota) / cores.ours * 1000.0).max(1)));
        self.work_cpu = (self.work.as_secs() * self.slower).max(1e-9);
        let work = Span::from_nanos(whole(self.work.nanos() as f64 * self.slower / (speed * cores.ours)).max(1));
        let (count, workers) = match &self.gate {
            // What spins beside the workers may have the other cores.
            Some(gate) if self.spin.throttled == Millicores::ZERO => (all.min(gate.workers), None),
            Some(_) => (all, None),
            None => (all, self.workers),
        };
        let station = Station { cores: count, quota, workers, work, spread: self.spread, spins: self.spin.throttled };
        if let Some(gate) = &mut self.gate {
            (self.station, self.response) = library.station(&station);
            let bare = library.station(&Station { quota: None, spins: Millicores::ZERO, ..station }).1;
            let (number, endless) = library.station(&Station { workers: Some(gate.workers), ..station });
            let variation = queueing::variation(self.spread);
            let cores = room::Cores { inner: Arc::clone(&self.response), bare, endless, variation };
            gate.fit(cores, library.rooms.entry(number).or_default());
            self.late.forget();
        } else {
            (self.station, self.response) = library.shared(&station, self.shared);
            self.late = library.late_of(self.station, self.late.timeout());
        }
        self.reach = f64::from(station.servers()) * cores.ours * speed + self.idle_cpu + self.spin.besides;
        self.cap = self.limits.cpu.map_or(self.reach, |quota| self.reach.min(quota.as_cores() * speed));
        self.queue.reset(self.queue.inside);
    }

    /// Counts its instances anew after one of them changed. Requests inside stay in the service.
    pub(super) fn count(&mut self) {
        let inside = self.queue.inside * self.up;
        let number = |phase| self.instances.iter().filter(|instance| instance.phase == phase).count() as f64;
        (self.up, self.starting) = (number(Phase::Up), number(Phase::Starting));
        self.queue.reset(if self.up > 0.0 { inside / self.up } else { 0.0 });
        if self.up == 0.0 {
            self.passage = Passage { holds: f64::INFINITY, ..Passage::default() };
            self.granted = f64::INFINITY;
            self.ration = Ration::ALL;
            self.pools_mut().for_each(Pool::empty);
        }
        self.replicas_min = self.replicas_min.min(self.healthy());
    }

    /// The connections of its calls, where there are so many only.
    pub(super) fn pools(&self) -> impl Iterator<Item = &Pool> {
        self.links.iter().filter_map(|link| link.pool.as_deref())
    }

    fn pools_mut(&mut self) -> impl Iterator<Item = &mut Pool> {
        self.links.iter_mut().filter_map(|link| link.pool.as_deref_mut())
    }

    /// Time passes for those in pools; whether one of these had more calls than it could answer.
    pub(super) fn pass_pools(&mut self, seconds: f64) -> bool {
        self.pools_mut().fold(false, |full, pool| {
            pool.pass(seconds);
            full | (pool.full && seconds > 0.0)
        })
    }

    /// Instances that are up and well.
    pub(super) fn healthy(&self) -> u32 {
        let healthy = self.instances.iter().filter(|instance| instance.state == InstanceState::Healthy).count();
        u32::try_from(healthy).unwrap_or(u32::MAX)
    }

    /// Seconds that a request waits before and between its own work. A health check takes hardly any work, and waits with
    /// the others.
    pub(super) fn waits(&self) -> f64 {
        (self.passage.time - self.response.at(0.0).mean).max(0.0) + self.contention
    }

    /// Seconds that a request waits for a core or for its calls after it came out of its station.
    pub(super) fn on_the_way_for(&self) -> f64 {
        (self.time - self.passage.time - self.trips.1 - self.on_line.time).max(0.0)
    }

    /// Requests that came out of the stations and wait for a core or for their calls.
    pub(super) fn on_the_way(&self) -> f64 {
        if let Some(away) = self.away {
            return away;
        }
        let waiting = self.passage.through * self.up * self.on_the_way_for();
        self.pools().fold(waiting, |waiting, pool| waiting.max(pool.inside * self.up))
    }

    /// Working set of an instance in bytes.
    pub(super) fn working_set(&self, index: usize, now: Instant) -> f64 {
        let instance = &self.instances[index];
        if !instance.runs() {
            return 0.0;
        }
        if instance.phase == Phase::Hung {
            return self.memory_limit();
        }
        let inside = if instance.phase == Phase::Up { self.queue.inside + self.on_the_way() / self.up } else { 0.0 };
        let leaked = instance.leaked(self.growth, self.growth_since, now);
        self.idle_memory + inside * self.request_memory + self.leak * now.since(instance.started).as_secs() + leaked
    }

    /// Seconds until requests that pile up fill the memory limit.
    pub(super) fn until_full(&self, now: Instant) -> f64 {
        let growth = self.passage.growth * self.request_memory;
        if growth <= 0.0 || self.limits.memory.is_none() {
            return f64::INFINITY;
        }
        let held = (0..self.instances.len()).map(|index| self.working_set(index, now)).fold(0.0, f64::max);
        let limit = self.memory_limit();
        let room = if held < limit { limit - held } else { limit + self.swap_limit() - held };
        room.max(0.0) / growth
    }

    /// Requests in an instance that wait since only so many a second get on.
    pub(super) fn queued_beyond(&self, granted: f64) -> f64 {
        let in_work = self.response.at(granted / self.response.capacity()).in_system;
        let most = self.workers.map_or(f64::INFINITY, f64::from);
        (self.queue.inside - in_work).clamp(0.0, most)
    }

    /// CPU that an instance used since it started, in core-seconds.
    pub(super) fn cpu_of(&self, index: usize) -> f64 {
        let instance = &self.instances[index];
        instance.cpu + (self.counter(instance.phase) - instance.mark)
    }

    /// What the service's counter of CPU for each instance in such a phase stands at.
    pub(super) const fn counter(&self, phase: Phase) -> f64 {
        match phase {
            Phase::Up => self.cpu_each,
            Phase::Starting => self.start_cpu_each,
            Phase::Waiting | Phase::Hung | Phase::Dead => 0.0,
        }
    }

    /// Reads the CPU counter of an instance that was in another phase until now. A process that just started begins at zero.
    pub(super) fn turn(&mut self, index: usize, before: Phase) {
        let used = self.counter(before) - self.instances[index].mark;
        let mark = self.counter(self.instances[index].phase);
        let instance = &mut self.instances[index];
        if before == Phase::Starting && instance.phase == Phase::Up {
            instance.cpu += used;
        }
        instance.mark = mark;
    }

    /// The memory limit in bytes; infinite where there is none.
    pub(super) fn memory_limit(&self) -> f64 {
        self.limits.memory.map_or(f64::INFINITY, |limit| limit.get() as f64)
    }
}

/// A size in bytes as a whole number.
pub(super) fn bytes(size: f64) -> Bytes {
    Bytes::new(whole(size))
}
