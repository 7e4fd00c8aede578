//! Two generations of one service side by side: groups of instances with limits and queues of their own, and what a host
//! can be asked to do with them. Before you change it:
//! 1. Only a service that some deployment names has more than one group: two that have traffic, and the instances without,
//!    which stand aside while they come or go. The three stand next to each other, in the order of [`Group`].
//! 2. Whoever leaves the traffic takes its requests along, those that wait for calls too, and finishes them.
//! 3. A sample and an observation are of all groups together.

use super::World;
use super::causes;
use super::instance::Instance;
use super::instance::NEVER;
use super::instance::Phase;
use super::mixes::Mix;
use super::mixes::Shown;
use super::sensors::Scrapes;
use super::service::Service;
use crate::model::Generation;
use crate::model::GenerationsSeen;
use crate::model::Incident;
use crate::model::InstanceState;
use crate::model::MemberSeen;
use crate::model::Move;
use crate::model::Sensors;
use crate::model::ServiceName;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::whole;

/// Groups of a service that has generations.
pub(super) const GROUPS: usize = 3;
/// Fewer requests than this are none: what is left of the mean of the last one.
const IDLE: f64 = 0.5;

/// Which instances of its service a group holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// All of them.
    Alone,
    /// Those of one generation that have traffic.
    First,
    /// Those of the other generation that have traffic.
    Second,
    /// Those without traffic.
    Aside,
}

/// What the groups of a service have in common; kept by the first.
pub(super) struct Pair {
    /// Share of the instances with traffic that are of the second group.
    pub(super) of_second: f64,
    /// Share of the requests that goes to it.
    pub(super) to_second: f64,
    /// Requests per second that come from outside to both, or the clients of a closed loop.
    pub(super) offered: f64,
    pub(super) shown: Shown,
    pub(super) mixes: Vec<Mix>,
    /// Instances with traffic that are well, the fewest since the last sample.
    pub(super) healthy_min: u32,
    /// The group of the old generation: 0 or 1.
    old: usize,
    /// A deployment moved instances and has not finished. Between two batches nothing else may tell.
    busy: bool,
    /// The instances that stand aside go: they finish what they have.
    going: bool,
    /// The instances that were started last are of the new generation.
    comes_new: bool,
    /// They were told to stop, and are killed at this time.
    pub(super) killed_at: Option<Instant>,
    /// A policy changes how many instances there are.
    scaled: bool,
    /// Seconds of all instances together since the last sample, where that is so.
    pub(super) there: f64,
    sensors: Sensors,
}

impl Pair {
    pub(super) fn new(sensors: &Sensors, scaled: bool) -> Self {
        Self {
            of_second: 0.0,
            to_second: 0.0,
            offered: 0.0,
            shown: Shown::default(),
            mixes: Vec::new(),
            healthy_min: 0,
            old: 0,
            busy: false,
            going: false,
            comes_new: false,
            killed_at: None,
            scaled,
            there: 0.0,
            sensors: *sensors,
        }
    }

    /// The instances that stand aside leave for good, outside of any deployment.
    pub(super) const fn let_go(&mut self, killed_at: Instant) {
        (self.going, self.killed_at) = (true, Some(killed_at));
    }

    /// Whether the instances that stand aside leave and no deployment asks for them.
    pub(super) const fn is_let_go(&self) -> bool {
        self.going && !self.busy
    }

    const fn place(&self, generation: Generation) -> usize {
        match generation {
            Generation::Old => self.old,
            Generation::New => 1 - self.old,
        }
    }
}

impl Service {
    /// How many groups there are from here on that belong together.
    pub(super) const fn groups(&self) -> usize {
        if self.pair.is_some() { GROUPS } else { 1 }
    }

    /// Requests that are in the stations, on the way and on the line, of all instances of a group.
    fn within(&self) -> f64 {
        self.queue.inside * self.up + self.on_the_way() + self.on_line.inside
    }

    /// Time passes for the requests that wait for calls where no new ones come: those that come out of the stations join
    /// them, and they leave after the time that calls take, at random.
    pub(super) fn pass_away(&mut self, seconds: f64) {
        let Some(away) = self.away.filter(|_| seconds > 0.0) else { return };
        let calls = self.on_the_way_for();
        let rest = self.passage.through * self.up * calls;
        let left = if calls > 0.0 { libm::exp(-seconds / calls) } else { 0.0 };
        self.away = Some(rest + (away - rest) * left);
    }

    /// Takes an instance out, with its counter of CPU read.
    fn take_out(&mut self, index: usize) -> (Instance, Scrapes) {
        let cpu = self.cpu_of(index);
        let mut instance = self.instances.remove(index);
        instance.cpu = cpu;
        (instance, self.scrapes.remove(index))
    }

    /// Puts an instance in, whose counter of CPU goes on from here.
    fn put_in(&mut self, (mut instance, scrapes): (Instance, Scrapes)) {
        instance.mark = self.counter(instance.phase);
        self.instances.push(instance);
        self.scrapes.push(scrapes);
    }
}

/// Requests of all groups of a service: what came, what failed, what is inside.
pub(super) fn requests(services: &[Service], flows: &[super::flow::Flow], index: usize) -> [f64; 3] {
    let mut all = [0.0; 3];
    for place in index..index + services[index].groups() {
        let (service, flow) = (&services[place], &flows[place]);
        all[0] += flow.arrived;
        all[1] += flow.failed;
        all[2] += service.within() + flow.carried;
    }
    all
}

impl World {
    /// Time passes for all instances of services that are scaled.
    pub(super) fn pass_instances(&mut self, seconds: f64) {
        for place in 0..self.pairs.len() {
            let index = self.pairs[place];
            let count: usize = self.services[index..index + GROUPS].iter().map(|group| group.instances.len()).sum();
            if let Some(pair) = self.services[index].pair.as_mut().filter(|pair| pair.scaled) {
                pair.there += count as f64 * seconds;
            }
        }
    }

    /// Counts anew how many instances of each generation have traffic.
    pub(super) fn count_generations(&mut self) {
        for place in 0..self.pairs.len() {
            let index = self.pairs[place];
            let (one, other) = (&self.services[index], &self.services[index + 1]);
            let both = one.up + other.up;
            let share = if both > 0.0 { other.up / both } else { 0.0 };
            let healthy = one.healthy() + other.healthy();
            debug_assert!((0.0..=1.0).contains(&share), "a share of {share} goes to the second group");
            debug_assert!(self.are_apart(index), "no number is given twice");
            let Some(pair) = &mut self.services[index].pair else { continue };
            if share != pair.of_second {
                (pair.of_second, pair.to_second) = (share, share);
                self.moving = true;
            }
            pair.healthy_min = pair.healthy_min.min(healthy);
        }
    }

    /// Whether each number stands for one instance.
    fn are_apart(&self, index: usize) -> bool {
        let instances = || self.services[index..index + GROUPS].iter().flat_map(|group| &group.instances);
        instances().all(|one| instances().filter(|other| other.number == one.number).count() == 1)
    }

    /// Instances of a service with traffic that are well.
    pub(super) fn healthy_of(&self, index: usize) -> u32 {
        match self.services[index].pair {
            Some(_) => self.services[index].healthy() + self.services[index + 1].healthy(),
            None => self.services[index].healthy(),
        }
    }

    /// The group whose limits are those of a service: the old generation, or the one that is left.
    pub(super) fn group_in_force(&self, index: usize) -> usize {
        let Some(pair) = &self.services[index].pair else { return index };
        let (old, new) = (index + pair.old, index + 1 - pair.old);
        if self.services[old].instances.is_empty() && !self.services[new].instances.is_empty() { new } else { old }
    }

    /// The first group of the service that a group is of.
    pub(super) fn first_of(&self, group: usize) -> usize {
        match self.services[group].group {
            Group::Alone | Group::First => group,
            Group::Second => group - 1,
            Group::Aside => group - 2,
        }
    }

    /// Whether a deployment of a service is not over.
    pub(super) fn is_deploying(&self, index: usize) -> bool {
        self.services[index].pair.as_ref().is_some_and(|pair| pair.busy)
    }

    /// Puts the figures of all groups since the last sample together in the first.
    pub(super) fn gather(&mut self, index: usize) {
        let (first, rest) = self.services.split_at_mut(index + 1);
        let first = &mut first[index];
        for other in &mut rest[..GROUPS - 1] {
            first.cpu += core::mem::take(&mut other.cpu);
            first.throttled = first.throttled.max(core::mem::take(&mut other.throttled));
            first.saturated |= core::mem::take(&mut other.saturated);
            first.memory_max = first.memory_max.max(core::mem::take(&mut other.memory_max));
            first.swap_max = first.swap_max.max(core::mem::take(&mut other.swap_max));
            first.restarts += core::mem::take(&mut other.restarts);
            first.oom_kills += core::mem::take(&mut other.oom_kills);
            first.causes.absorb(&mut other.causes);
        }
        first.replicas_min = first.pair.as_ref().map_or(0, |pair| pair.healthy_min);
        if let Some(disk) = self.disk.as_deref_mut() {
            let (first, rest) = disk.uses.split_at_mut(index + 1);
            rest[..GROUPS - 1].iter_mut().for_each(|other| first[index].absorb(other));
        }
    }

    /// Spreads the requests that ended well over the groups in which they did.
    pub(super) fn spread_groups(&mut self, index: usize, served: u64, latency: &mut crate::model::Latencies) {
        let well = |service: &Service| service.stretches.iter().map(|stretch| stretch.served).sum::<f64>();
        let each = [0, 1, 2].map(|group| well(&self.services[index + group]).max(0.0));
        let all: f64 = each.iter().sum();
        if all <= 0.0 {
            let group = self.group_in_force(index);
            return self.spread(group, served, latency);
        }
        let last = each.iter().rposition(|part| *part > 0.0).unwrap_or(0);
        let (mut sum, mut given) = (0.0, 0);
        for (group, part) in each.iter().enumerate().filter(|(_, part)| **part > 0.0) {
            sum += part;
            let upto = if group == last { served } else { whole(sum / all * served as f64).clamp(given, served) };
            if upto > given {
                self.spread(index + group, upto - given, latency);
            }
            given = upto;
        }
    }

    /// The instance of a service with this number: its group and its place there.
    pub(super) fn find_instance(&self, index: usize, number: u32) -> Option<(usize, usize)> {
        (index..index + self.services[index].groups()).find_map(|group| {
            let found = self.services[group].instances.iter().position(|instance| instance.number == number);
            found.map(|place| (group, place))
        })
    }

    /// What is seen of the generations of a service; `None` where Docker does not answer or it has none.
    #[must_use]
    pub fn generations(&mut self, name: &ServiceName) -> Option<GenerationsSeen> {
        self.book();
        let index = self.find(name).filter(|_| !self.conditions.docker_out)?;
        let pair = self.services[index].pair.as_ref()?;
        let members = |group: usize| {
            let service = &self.services[index + group];
            let idle = service.within() < IDLE;
            let member = |instance: &Instance| MemberSeen {
                state: if instance.phase == Phase::Waiting { InstanceState::Starting } else { instance.state },
                started: instance.phase != Phase::Waiting,
                restarts: instance.restarts,
                idle,
            };
            service.instances.iter().map(member).collect::<Vec<_>>()
        };
        let (old, new) = (pair.place(Generation::Old), pair.place(Generation::New));
        let first = &self.services[index];
        let seen = self.observe();
        let all = seen.services.values().flat_map(|service| &service.instances);
        let used = all.filter_map(|instance| instance.usage).fold(Bytes::ZERO, |sum, usage| sum.plus(usage.memory));
        let mine = seen.services.get(name).into_iter().flat_map(|service| &service.instances);
        let held = mine.filter_map(|instance| instance.usage).map(|usage| usage.memory_max).max();
        Some(GenerationsSeen {
            old: members(old),
            new: members(new),
            aside: members(GROUPS - 1),
            old_limits: self.services[index + old].limits,
            new_limits: self.services[index + new].limits,
            busy: pair.busy,
            unreached: false,
            checked: first.rules.check.is_some(),
            stateful: first.stateful,
            held: held.unwrap_or(Bytes::ZERO),
            free_memory: self.host.pool_memory.minus(used),
            pool_cpu: self.host.pool_cpu,
        })
    }

    /// Carries out one move of a deployment.
    ///
    /// # Errors
    /// Why the host cannot do it.
    pub fn carry(&mut self, name: &ServiceName, one: &Move) -> Result<(), String> {
        let index = self.find(name).ok_or_else(|| format!("there is no service `{name}`"))?;
        let Some(pair) = &self.services[index].pair else {
            return Err(format!("no deployment of the scenario names `{name}`"));
        };
        if self.conditions.docker_out {
            return Err("the Docker engine does not answer".to_owned());
        }
        let aside = index + 2;
        if pair.is_let_go() {
            self.remove_aside(index);
        }
        let Some(pair) = &self.services[index].pair else { return Ok(()) };
        let busy = !self.services[aside].instances.is_empty();
        if busy && matches!(one, Move::Start { .. } | Move::Drain { .. }) {
            return Err(format!("instances of `{name}` stand aside already"));
        }
        let group = |generation| index + pair.place(generation);
        match *one {
            Move::Start { generation, count, limits, pull } => {
                self.book();
                if let Some(pair) = &mut self.services[index].pair {
                    (pair.busy, pair.going, pair.killed_at) = (true, false, None);
                    pair.comes_new = generation == Generation::New;
                }
                self.limit(aside, limits);
                self.start_aside(index, count);
                if pull {
                    self.pull_new(index);
                }
            }
            Move::GiveTraffic { generation } => {
                let to = group(generation);
                let limits = self.services[aside].limits;
                self.move_instances(aside, to, (0..self.services[aside].instances.len()).collect());
                if self.services[to].limits != limits {
                    self.limit(to, limits);
                }
            }
            Move::Drain { generation, count } => {
                let from = group(generation);
                self.limit(aside, self.services[from].limits);
                let instances = &self.services[from].instances;
                let mut places: Vec<usize> = (0..instances.len()).collect();
                // Those that are not up first.
                places.sort_by_key(|place| instances[*place].phase == Phase::Up);
                places.truncate(usize::try_from(count).unwrap_or(usize::MAX));
                self.move_instances(from, aside, places);
                if let Some(pair) = &mut self.services[index].pair {
                    (pair.busy, pair.going) = (true, true);
                }
            }
            Move::Stop { grace } => {
                let killed_at = self.now.plus(grace);
                if let Some(pair) = &mut self.services[index].pair {
                    pair.killed_at = Some(killed_at);
                }
            }
            Move::Finish => {
                let left = usize::from(self.services[index].instances.is_empty());
                if let Some(pair) = &mut self.services[index].pair {
                    (pair.busy, pair.old) = (false, left);
                }
            }
        }
        self.do_what_is_due();
        Ok(())
    }

    /// Gives a group other limits.
    pub(super) fn limit(&mut self, group: usize, limits: crate::model::Limits) {
        self.book();
        let service = &mut self.services[group];
        service.limits = limits;
        service.fit(&self.cores, self.speed, &mut self.library);
        self.moving = true;
    }

    /// Who reads the same files finds in the page cache what others of its service read.
    fn share_cache(&mut self, from: usize, to: usize) {
        if let Some(disk) = self.disk.as_deref_mut() {
            disk.uses[to].cached = disk.uses[to].cached.max(disk.uses[from].cached);
        }
    }

    /// Makes so many instances that stand aside; they start as soon as they may.
    fn start_aside(&mut self, index: usize, count: u32) {
        self.put_new_in(index, index + 2, count);
        self.share_cache(self.group_in_force(index), index + 2);
        self.services[index + 2].away = Some(0.0);
    }

    /// Makes so many instances of a service in one of its groups, with the lowest numbers that are free.
    pub(super) fn put_new_in(&mut self, index: usize, group: usize, count: u32) {
        for _ in 0..count {
            let number = (1..).find(|number| self.find_instance(index, *number).is_none()).unwrap_or(1);
            let Some(pair) = &self.services[index].pair else { return };
            let scrapes = Scrapes::new(&pair.sensors);
            self.services[group].put_in((Instance::new(number), scrapes));
        }
    }

    /// Moves the instances at these places to another group, with all that is in them.
    pub(super) fn move_instances(&mut self, from: usize, to: usize, mut places: Vec<usize>) {
        self.book();
        self.share_cache(from, to);
        let leaving = &mut self.services[from];
        places.sort_unstable();
        let up = leaving.up;
        let with = places.iter().filter(|place| leaving.instances[**place].phase == Phase::Up).count() as f64;
        let share = if up > 0.0 { with / up } else { 0.0 };
        let (inside, away) = (leaving.queue.inside * with, leaving.on_the_way() * share);
        let moved: Vec<_> = places.iter().rev().map(|place| leaving.take_out(*place)).collect();
        // Each that stays keeps what it has.
        leaving.queue.inside *= 1.0 - share;
        leaving.count();
        if leaving.away.is_some() {
            leaving.away = Some(0.0);
        }
        let there = &mut self.services[to];
        let before = there.queue.inside * there.up;
        moved.into_iter().rev().for_each(|one| there.put_in(one));
        there.count();
        if there.up > 0.0 {
            there.queue.reset((before + inside) / there.up);
        }
        there.away = there.away.map(|before| before + away);
        self.move_transfers(from, to, share);
        let (carried, owed) = (self.flows[from].carried * share, self.flows[from].owed * share);
        self.flows[from].carried -= carried;
        self.flows[from].owed -= owed;
        self.flows[to].carried += carried;
        self.flows[to].owed += owed;
        self.moving = true;
        self.count_running();
    }

    /// Removes instances that were told to stop: when they have finished, or when their time is up.
    pub(super) fn change_generations(&mut self) {
        if self.conditions.docker_out {
            return;
        }
        for place in 0..self.pairs.len() {
            let index = self.pairs[place];
            let Some(killed_at) = self.services[index].pair.as_ref().and_then(|pair| pair.killed_at) else { continue };
            let aside = index + 2;
            let idle = self.services[aside].up == 0.0 || self.services[aside].within() < IDLE;
            if idle {
                self.remove_aside(index);
            } else if killed_at <= self.now {
                self.kill_aside(index);
                self.remove_aside(index);
            }
        }
    }

    /// Kills the instances that stand aside; what is in them is lost.
    fn kill_aside(&mut self, index: usize) {
        let aside = index + 2;
        let on_line = self.cut_transfers(aside, 1.0);
        let service = &mut self.services[aside];
        let lost = service.within() + on_line;
        let each = if service.up > 0.0 { whole(lost / service.up * 1000.0) } else { 0 };
        for instance in service.instances.iter().filter(|instance| instance.phase == Phase::Up) {
            let incident =
                Incident::StopTimedOut { service: service.name.clone(), instance: instance.number, lost: each };
            self.incidents.push((self.now, incident));
        }
        service.causes.add(causes::Cause::Stopped, lost);
        service.queue.inside = 0.0;
        service.away = Some(0.0);
        self.flows[aside].failed += lost;
    }

    /// Removes the instances that stand aside. What is left of the last request comes out where there is traffic, or at once.
    fn remove_aside(&mut self, index: usize) {
        let aside = index + 2;
        let on_line = self.cut_transfers(aside, 1.0);
        let gone = &mut self.services[aside];
        for instance in gone.instances.iter().filter(|instance| instance.runs()) {
            let change =
                Incident::Changed { service: gone.name.clone(), instance: instance.number, to: InstanceState::Down };
            self.incidents.push((self.now, change));
        }
        let rest = gone.queue.inside * gone.up + on_line + core::mem::take(&mut self.flows[aside].carried);
        let owed = core::mem::take(&mut self.flows[aside].owed);
        gone.instances.clear();
        gone.scrapes.clear();
        gone.queue.inside = 0.0;
        gone.away = Some(0.0);
        gone.count();
        if let Some(heir) = (index..=index + 1).find(|group| self.services[*group].up > 0.0) {
            self.flows[heir].carried += rest;
            self.flows[heir].owed += owed;
        }
        if let Some(pair) = &mut self.services[index].pair {
            (pair.going, pair.killed_at) = (false, None);
        }
        self.moving = true;
        self.count_running();
    }

    /// Whether a group is of instances of a new generation that have no traffic yet.
    pub(super) fn comes_new(&self, group: usize) -> bool {
        let aside = self.services[group].group == Group::Aside;
        let pair = aside.then(|| self.services[group - 2].pair.as_ref()).flatten();
        pair.is_some_and(|pair| pair.comes_new && !pair.going)
    }

    /// When instances that were told to stop are to be looked at again.
    pub(super) fn generations_due(&self) -> Instant {
        let pairs = self.pairs.iter().filter_map(|index| self.services[*index].pair.as_ref());
        let stopping = pairs.filter_map(|pair| pair.killed_at);
        stopping.map(|at| at.min(self.now.plus(self.step))).fold(NEVER, Instant::min)
    }

    /// New instances of a service that have no traffic yet never become healthy. Those that are keep what they have.
    pub(super) fn sicken_new(&mut self, name: &ServiceName) {
        let Some(index) = self.find(name).filter(|index| self.services[*index].pair.is_some()) else { return };
        if self.comes_new(index + 2) {
            let new = self.services[index + 2].instances.iter_mut();
            new.filter(|instance| instance.state != InstanceState::Healthy).for_each(Instance::sicken);
        }
    }
}
