//! The line of the host to the outside: what requests and answers whose sizes are known take on it. Before you change it:
//! 1. Requests come in, answers go out; the two directions have the bandwidth each, and do not meet (full duplex).
//! 2. Only what comes from outside crosses the line. Calls between containers of a host cross a bridge in its memory: their
//!    bytes are counted, as Docker counts them, but take no time.
//! 3. What comes in is found before what passes through the services, what goes out after it. A service whose requests
//!    pile up on the line gets only those that are there.
//! 4. There is a [`Line`] only where somebody says how large something is; a host without one pays for one branch.

mod way;

use super::World;
use super::requests::LOAD_STATIONARY;
use super::service::Service;
use super::service::bytes;
use super::times::OnLine;
use super::times::Transfer;
use crate::model::NetworkSample;
use crate::model::Scenario;
use way::Source;
use way::Transfers;
use way::Way;

/// Rates that differ by a smaller share are the same.
const SAME: f64 = 1e-9;

/// What the transfers of a service are like, as its requests see it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Transferred {
    /// Mean seconds of a request and its answer on the line.
    pub(super) time: f64,
    /// Which distribution these follow.
    pub(super) key: Option<OnLine>,
    /// Requests and answers on the line.
    pub(super) inside: f64,
    /// Requests per second that begin to come but do not arrive yet; below zero, that arrive from before.
    pub(super) held_back: f64,
    /// Of these, what is given up on the way in.
    pub(super) given_up: f64,
    /// Share of the requests in the service that came over the line.
    share: f64,
}

/// Sizes of a service's requests and answers, and what passed since the last sample.
#[derive(Debug, Clone, Copy, Default)]
struct Sizes {
    request: f64,
    answer: f64,
    received: f64,
    sent: f64,
}

/// The line of a host whose services say how large something is.
pub(super) struct Line {
    /// Bytes per second in each direction; infinite where nobody knows.
    bandwidth: f64,
    /// Share of these that is left.
    left: f64,
    /// Requests, and answers.
    ways: [Way; 2],
    sizes: Vec<Sizes>,
    /// Seconds since the last sample that each direction would have needed for what passed.
    busy: [f64; 2],
}

impl Line {
    /// The line, where some size is known; `services` are in their order.
    pub(super) fn of(scenario: &Scenario, services: &[Service]) -> Option<Self> {
        let works = || services.iter().map(|service| &scenario.services[&service.name].work);
        if works().all(|work| work.request.get() == 0 && work.answer.get() == 0) {
            return None;
        }
        let sizes = works().map(|work| Sizes {
            request: work.request.get() as f64,
            answer: work.answer.get() as f64,
            ..Sizes::default()
        });
        let way = || Way::of(services.len());
        let mut line = Self {
            bandwidth: scenario.host.line().unwrap_or(f64::INFINITY),
            left: 1.0,
            ways: [way(), way()],
            sizes: sizes.collect(),
            busy: [0.0; 2],
        };
        line.fit(services);
        Some(line)
    }

    /// Takes over how much of the bandwidth is left.
    fn fit(&mut self, services: &[Service]) {
        let bandwidth = self.bandwidth * self.left;
        for ((index, size), service) in self.sizes.iter().enumerate().zip(services) {
            for (way, bytes) in self.ways.iter_mut().zip([size.request, size.answer]) {
                way.all[index].alone = if service.from_outside { bytes / bandwidth } else { 0.0 };
            }
        }
    }

    /// How the transfers of a service in one direction spread.
    fn transfer(&self, way: usize, index: usize) -> Transfer {
        let way = &self.ways[way];
        let Transfers { alone, time, .. } = way.all[index];
        if alone == 0.0 {
            return Transfer::default();
        }
        if way.load > LOAD_STATIONARY {
            // Of a backlog all take the same.
            return Transfer { alone, time, variation: 0.0, meets: 1.0 };
        }
        let meets = 1.0 - (1.0 - way.load) * libm::exp(-way.begun * alone);
        Transfer { alone, time, variation: way.variation(index), meets }
    }

    /// Notes what the requests of a service see of both directions.
    fn show(&self, index: usize, service: &mut Service) {
        let times = [0, 1].map(|way| self.transfer(way, index));
        service.on_line.key = OnLine::of(times);
        service.on_line.time = times.iter().map(|transfer| transfer.time).sum();
    }

    /// Time passes under the means that hold.
    pub(super) fn pass(&mut self, seconds: f64, services: &mut [Service]) {
        let bandwidth = self.bandwidth * self.left;
        let calls = |service: &Service, call: usize| {
            let made = service.links.get(call).map_or(f64::from(service.calls[call].1), |link| link.made);
            service.passage.through * service.up * made * seconds
        };
        for (index, service) in services.iter().enumerate().filter(|place| place.1.up > 0.0) {
            let outside = service.on_line.share;
            let answered = service.passage.through * service.up * seconds;
            // From outside what the line carries, from within what is called.
            let on_line = |way: usize, count: f64, size: f64| match self.ways[way].all[index].alone {
                alone if alone > 0.0 => self.ways[way].all[index].used * bandwidth * seconds,
                _ => count * outside * size,
            };
            let size = self.sizes[index];
            let came = service.rate * seconds;
            let mut received = on_line(0, came, size.request) + came * (1.0 - outside) * size.request;
            let mut sent = on_line(1, answered, size.answer) + answered * (1.0 - outside) * size.answer;
            for call in 0..service.calls.len() {
                let (made, called) = (calls(service, call), self.sizes[service.calls[call].0]);
                sent += made * called.request;
                received += made * called.answer;
            }
            self.sizes[index].received += received;
            self.sizes[index].sent += sent;
        }
        for (way, busy) in self.ways.iter_mut().zip(&mut self.busy) {
            way.pass(seconds);
            *busy += way.load * seconds;
        }
        for (index, service) in services.iter_mut().enumerate() {
            service.on_line.inside = self.ways.iter().map(|way| way.all[index].inside()).sum();
        }
    }

    /// Share of the last so many seconds in which the busier direction was used.
    pub(super) fn sample(&mut self, seconds: f64) -> f64 {
        let busy = core::mem::take(&mut self.busy);
        if seconds > 0.0 { busy[0].max(busy[1]) / seconds } else { 0.0 }
    }

    /// Bytes that a service received and sent since the last sample.
    pub(super) fn sample_service(&mut self, index: usize) -> (f64, f64) {
        let sizes = &mut self.sizes[index];
        (core::mem::take(&mut sizes.received), core::mem::take(&mut sizes.sent))
    }

    /// An instance of a service is gone, and so is this share of what it had on the line: so many requests.
    pub(super) fn cut(&mut self, index: usize, share: f64) -> f64 {
        self.ways.iter_mut().map(|way| way.cut(index, share)).sum()
    }
}

/// Who begins transfers of a service in a direction of which one takes `time` now, `rate` being what they are if nobody
/// waits for an answer.
fn source(service: &Service, rate: f64, time: f64) -> Source {
    match service.clients.filter(|clients| clients.number > 0.0) {
        Some(clients) => Source::Clients { number: clients.number, rest: clients.rest(service.time) - time },
        None => Source::Open(rate),
    }
}

impl World {
    /// What comes in over the line, before it passes through the services. For how many seconds that holds.
    pub(super) fn take_in(&mut self) -> f64 {
        let Some(line) = self.line.as_deref_mut() else { return f64::INFINITY };
        let way = &mut line.ways[0];
        for (one, service) in way.all.iter_mut().zip(&self.services) {
            if one.alone > 0.0 && service.up > 0.0 {
                one.source = source(service, service.own_rate, one.time);
                one.patience = service.patience(service.on_line.time - one.time);
            } else {
                one.clear();
            }
        }
        let holds = way.look(self.step_secs);
        for (one, service) in way.all.iter().zip(&mut self.services).filter(|pair| pair.0.alone > 0.0) {
            let open = service.clients.is_none();
            let held_back = if open { one.begun - one.ended } else { 0.0 };
            service.on_line.held_back = if held_back.abs() > SAME * one.begun { held_back } else { 0.0 };
            service.on_line.given_up = if open { one.given_up } else { 0.0 };
        }
        holds
    }

    /// What goes out over the line, after what passed through the services. For how many seconds that holds.
    pub(super) fn send_out(&mut self) -> f64 {
        let Some(line) = self.line.as_deref_mut() else { return f64::INFINITY };
        let way = &mut line.ways[1];
        for (one, service) in way.all.iter_mut().zip(&mut self.services) {
            // Where none come any more, those inside are what they were.
            if service.rate > 0.0 {
                service.on_line.share = (service.arriving() / service.rate).min(1.0);
            }
            if one.alone > 0.0 && service.up > 0.0 {
                let outside = service.passage.through * service.up * service.on_line.share;
                one.source = source(service, outside, one.time);
                one.patience = service.patience(service.on_line.time - one.time);
            } else {
                one.clear();
            }
        }
        let holds = way.look(self.step_secs);
        for (index, service) in self.services.iter_mut().enumerate().filter(|place| place.1.from_outside) {
            line.show(index, service);
        }
        holds
    }

    /// This share of what a service has on the line breaks off; so many requests and answers.
    pub(super) fn cut_transfers(&mut self, index: usize, share: f64) -> f64 {
        let Some(line) = self.line.as_deref_mut() else { return 0.0 };
        let cut = line.cut(index, share);
        let on_line = &mut self.services[index].on_line;
        on_line.inside = (on_line.inside - cut).max(0.0);
        cut
    }

    /// This share of what a service has on the line goes on as that of another group of its instances.
    pub(super) fn move_transfers(&mut self, from: usize, to: usize, share: f64) {
        let Some(line) = self.line.as_deref_mut() else { return };
        for way in &mut line.ways {
            way.give(from, to, share);
        }
        let (gone, of_outside) = (self.services[from].on_line.inside * share, self.services[from].on_line.share);
        self.services[from].on_line.inside -= gone;
        let there = &mut self.services[to];
        there.on_line.inside += gone;
        there.on_line.share = of_outside;
    }

    /// What a service received and sent since the last sample, with all its groups.
    pub(super) fn sample_network(&mut self, index: usize) -> NetworkSample {
        let groups = self.services[index].groups();
        let Some(line) = self.line.as_deref_mut() else { return NetworkSample::default() };
        let each = (index..index + groups).map(|group| line.sample_service(group));
        let (received, sent) = each.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        NetworkSample { received: bytes(received), sent: bytes(sent) }
    }

    /// Takes over what faults leave of the line.
    pub(super) fn fit_line(&mut self) {
        let left = self.conditions.line_left;
        let Some(line) = self.line.as_deref_mut().filter(|line| line.left != left) else { return };
        line.left = left;
        line.fit(&self.services);
        self.moving = true;
    }
}

impl Service {
    /// Requests per second from outside that are there.
    pub(super) fn arriving(&self) -> f64 {
        let arriving = self.own_rate - self.on_line.held_back;
        debug_assert!(arriving >= -1e-6 * self.own_rate, "{} of {} arrive", arriving, self.own_rate);
        arriving.max(0.0)
    }

    /// Seconds that who waits for this service has left beside so many on the line and those in the service.
    fn patience(&self, on_line: f64) -> f64 {
        let Some(timeout) = self.timeout else { return f64::INFINITY };
        (timeout - on_line - (self.time - self.on_line.time).max(0.0)).max(timeout / 100.0)
    }
}
