//! A service as the oracle runs it: its figures, its containers, its random streams.

use super::arrivals::Arrivals;
use super::arrivals::Unsupported;
use super::clients::Clients;
use super::container::Container;
use super::draw;
use super::link::Link;
use super::outcome::Tally;
use super::request::Requests;
use super::request::Ticket;
use crate::model::Balance;
use crate::model::Call;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::model::Spread;
use crate::seed::Seed;
use rand_pcg::Pcg64;
use std::collections::VecDeque;
use std::ops::Range;

/// Calls of a request that are made before others.
#[derive(Debug)]
pub(super) struct Stage {
    /// All of them, as often as they are made, at the same time; else there is one kind, and it is made one after another.
    pub(super) together: bool,
    pub(super) links: Vec<usize>,
}

/// A service and what comes to it.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: ServiceName,
    /// Mean work of a request in reference core-seconds.
    work: f64,
    spread: Spread,
    /// Bytes of a request and of its answer.
    pub(super) sizes: [f64; 2],
    /// Seconds after which a request fails.
    pub(super) timeout: Option<f64>,
    /// Reference cores that an idle container uses.
    pub(super) idle: f64,
    /// Its calls, each kind for itself, and the order in which they are made.
    pub(super) links: Vec<Link>,
    pub(super) stages: Vec<Stage>,
    pub(super) caches: Pcg64,
    /// Its containers among all.
    pub(super) containers: Range<usize>,
    pub(super) arrivals: Arrivals,
    pub(super) clients: Option<Clients>,
    works: Pcg64,
    balance: Balance,
    routes: Pcg64,
    /// The instance that the last request went to, where they take turns.
    turn: usize,
    /// When the time of each request is up, in order; those that ended are still among them.
    deadlines: VecDeque<(f64, Ticket)>,
    pub(super) tally: Tally,
}

impl Service {
    /// The work of one request.
    pub(super) fn draw_work(&mut self) -> f64 {
        draw::work(self.work, self.spread, &mut self.works)
    }

    /// The container that the next request goes to.
    pub(super) fn choose_container(&mut self, containers: &[Container]) -> usize {
        let (first, count) = (self.containers.start, self.containers.len());
        let next = |turn: usize| (turn + 1) % count;
        match self.balance {
            Balance::Random => return first + draw::one_of(count, &mut self.routes),
            Balance::RoundRobin => self.turn = next(self.turn),
            Balance::LeastConnections => {
                let mine = &containers[self.containers.clone()];
                let fewest = mine.iter().map(|container| container.connections).min().unwrap_or(0);
                self.turn = next(self.turn);
                while mine[self.turn].connections > fewest {
                    self.turn = next(self.turn);
                }
            }
        }
        first + self.turn
    }

    /// A request came; its time may be limited.
    pub(super) fn note_deadline(&mut self, now: f64, request: Ticket) {
        if let Some(timeout) = self.timeout {
            self.deadlines.push_back((now + timeout, request));
        }
    }

    /// When the time of the oldest request is up that has not ended.
    pub(super) fn next_deadline(&mut self, requests: &Requests) -> f64 {
        while let Some((at, request)) = self.deadlines.front() {
            if requests.is_open(*request) {
                return *at;
            }
            self.deadlines.pop_front();
        }
        f64::INFINITY
    }

    /// The oldest request.
    pub(super) fn pop_deadline(&mut self) -> Option<Ticket> {
        self.deadlines.pop_front().map(|(_, request)| request)
    }
}

/// The services of a scenario in the order of their names, and all containers.
pub(super) fn build(scenario: &Scenario, seed: Seed) -> Result<(Vec<Service>, Vec<Container>), Unsupported> {
    let (mut services, mut containers) = (Vec::new(), Vec::new());
    for (name, model) in &scenario.services {
        let stream = |what: &str| seed.stream(&format!("oracle/{what}/{name}"));
        let first = containers.len();
        let idle = model.idle_cpu.as_cores();
        let mut phases = stream("phase");
        for _ in 0..model.replicas.max(1) {
            let phase = draw::uniform(&mut phases);
            containers.push(Container::new(model, phase));
        }
        let place = |to: &ServiceName| scenario.services.keys().position(|other| other == to);
        let known = model.work.calls.iter().filter_map(|call| Some((call, place(&call.to)?)));
        let known: Vec<(&Call, usize)> = known.collect();
        let count = containers.len() - first;
        services.push(Service {
            name: name.clone(),
            work: model.work.cpu.as_secs().max(1e-9),
            spread: model.work.spread,
            sizes: [model.work.request, model.work.answer].map(|size| size.get() as f64),
            timeout: model.timeout.map(crate::units::Span::as_secs),
            idle,
            links: known.iter().map(|(call, to)| Link::new(call, *to, count)).collect(),
            stages: stages(known.iter().map(|(call, _)| call.stage)),
            caches: stream("cache"),
            containers: first..containers.len(),
            arrivals: Arrivals::new(name, scenario.load.get(name), stream("load"))?,
            clients: Clients::new(scenario.load.get(name), stream("think")),
            works: stream("work"),
            balance: model.balance,
            routes: stream("route"),
            turn: count - 1,
            deadlines: VecDeque::new(),
            tally: Tally::default(),
        });
    }
    Ok((services, containers))
}

/// The calls in the order in which they are made: those of one stage together, each of the others for itself.
fn stages(calls: impl Iterator<Item = Option<u32>>) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    let mut last = None;
    for (link, stage) in calls.enumerate() {
        match stages.last_mut() {
            Some(before) if stage.is_some() && stage == last => before.links.push(link),
            _ => stages.push(Stage { together: stage.is_some(), links: vec![link] }),
        }
        last = stage;
    }
    stages
}
