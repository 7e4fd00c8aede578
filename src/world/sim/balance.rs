//! Balancers in front of the instances of a service: how evenly requests come to each of them. Before you change it:
//! 1. Instances of one group are equal, so that whatever the balancer does, each gets the same share; what differs is how
//!    evenly it comes ([`Evenness`]). Of a service that is deployed, instances of both generations are counted.
//! 2. A balancer counts requests, also those that wait for their calls. The longer these take, the less it sees of who
//!    waits for a core: [`Shared::sight`].
//! 3. Workers that block and queues that refuse (`gate`) are balanced as a whole, with the calls that they wait for; their
//!    cores alone are not.

use super::World;
use super::generations::Group;
use super::response;
use super::response::Evenness;
use super::response::Response;
use super::response::Station;
use super::service::Service;
use super::times::Library;
use crate::model::Balance;
use crate::model::ServiceModel;
use crate::model::Spread;
use crate::units::whole;
use crate::world::sim::queueing;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Steps of [`Shared::sight`].
const STEPS: f64 = 16.0;
/// It is off when it is more than so many steps away.
const OFF: f64 = 0.75;

/// A share that changes by less is left alone.
const STILL: f64 = 1e-6;
/// Steps of halving in the search for a rate.
const HALVINGS: u32 = 40;
/// From this share of what can be done, backlogs decide who gets what.
const FULL: f64 = 0.99;
/// Backlogs that differ by less are level.
const LEVEL: f64 = 8.0;

/// Numbers of stations behind balancers, by that of the same station without and by what the balancer does.
pub(super) type Balanced = BTreeMap<(usize, Shared), usize>;

/// Who shares the requests of a service, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shared {
    pub(super) balance: Balance,
    /// Instances that have traffic.
    instances: u32,
    /// How much of what the balancer sees says something about the wait, in sixteenths.
    sight: u8,
}

impl Shared {
    /// One instance so far.
    pub(super) fn new(model: &ServiceModel) -> Self {
        Self { balance: model.balance, instances: 1, sight: 16 }
    }

    /// How evenly requests of such work come; `None` where each instance is as one alone.
    pub(super) fn evenness(self, spread: Spread) -> Option<Evenness> {
        if self.is_nothing() {
            return None;
        }
        let variation = queueing::variation(spread);
        let sight = f64::from(self.sight) / STEPS;
        let pooled = response::pooled(self.balance, self.instances, variation);
        Some(Evenness { balance: self.balance, instances: self.instances, pooled, sight, variation })
    }

    /// It makes no difference.
    const fn is_nothing(self) -> bool {
        self.balance.is_random() || self.instances < 2
    }
}

impl Library {
    /// The response curve of one of the instances that share requests, and its number.
    pub(super) fn shared(&mut self, station: &Station, shared: Shared) -> (usize, Arc<Response>) {
        let (alone, response) = self.station(station);
        let Some(evenness) = shared.evenness(station.spread) else { return (alone, response) };
        if let Some(number) = self.balanced.get(&(alone, shared)) {
            return (*number, Arc::clone(self.response(*number)));
        }
        let pooled = self.station(&station.pooled(evenness.pooled)).1;
        let balanced = Arc::new(response.balanced(&pooled, evenness));
        let number = self.keep_station(*station, Arc::clone(&balanced));
        self.balanced.insert((alone, shared), number);
        (number, balanced)
    }
}

impl Service {
    /// How much of what a balancer that counts requests sees of an instance says something about the wait there: the square
    /// root of the share of those inside that do not wait for their calls, as the oracle of whole hosts has it.
    fn sight(&self) -> f64 {
        // Workers that block are busy with their calls, and only who waits for one says something.
        let blocking = self.gate.as_ref().is_some_and(|gate| gate.blocking);
        let calls = if blocking { 0.0 } else { self.calls_time };
        if self.shared.balance != Balance::LeastConnections || calls <= 0.0 {
            return STEPS;
        }
        STEPS * libm::sqrt(self.passage.time / (self.passage.time + calls))
    }

    /// Whether a balancer sees more or less now than the means are for.
    fn sight_is_off(&self) -> bool {
        !self.shared.is_nothing() && (self.sight() - f64::from(self.shared.sight)).abs() > OFF
    }
}

/// Equal instances of one of two generations, as a balancer that counts requests sees them.
#[derive(Debug, Clone, Copy)]
struct Side<'a> {
    up: f64,
    /// Requests in each.
    inside: f64,
    /// Requests per second that the granted CPU is enough for.
    granted: f64,
    response: &'a Response,
}

impl<'a> Side<'a> {
    fn of(service: &'a Service) -> Self {
        let (up, inside, granted) = (service.up, service.queue.inside, service.granted);
        Self { up, inside, granted, response: &service.response }
    }

    /// Requests per second that each can do.
    fn most(self) -> f64 {
        self.response.capacity().min(self.granted)
    }

    /// Requests per second that come to each where its number inside weighs so much, [`share_of_second`].
    fn drawn_by(self, level: f64) -> f64 {
        let (mut low, mut high) = (0.0, self.most());
        for _ in 0..HALVINGS {
            let rate = f64::midpoint(low, high);
            let inside = self.response.at(rate / self.response.capacity()).in_system;
            if libm::log(rate) + inside < level { low = rate } else { high = rate }
        }
        f64::midpoint(low, high)
    }
}

/// The share of `rate` requests per second that the second of two generations gets; `None` where nothing comes.
///
/// An idle instance gets more than a busy one, and none gets ahead of the others by much more than one request: the rate of
/// an instance falls with the exponential of the number inside. Where more comes than can be done, what is too much goes to
/// all alike. Who has less inside than the mean of all has it made up for within a step.
fn share_of_second(sides: [Side<'_>; 2], rate: f64, step: f64) -> Option<f64> {
    let [first, second] = sides;
    let all = first.up + second.up;
    let most = first.up * first.most() + second.up * second.most();
    if rate <= 0.0 {
        return None;
    }
    let rates = if rate >= most * FULL {
        sides.map(|side| side.most() + (rate - most) / all)
    } else {
        let inside = sides.map(|side| side.response.at(FULL).in_system);
        let (mut low, mut high) = (libm::log(rate / all) - 50.0, libm::log(rate) + inside[0].max(inside[1]));
        for _ in 0..HALVINGS {
            let level = f64::midpoint(low, high);
            let comes: f64 = sides.iter().map(|side| side.up * side.drawn_by(level)).sum();
            if comes < rate { low = level } else { high = level }
        }
        sides.map(|side| side.drawn_by(f64::midpoint(low, high)))
    };
    let mean = (first.up * first.inside + second.up * second.inside) / all;
    let made_up = |side: Side<'_>, rate: f64| {
        let gap = mean - side.inside;
        // Lengths that differ by less are those of rest.
        side.up * (rate + if gap.abs() > LEVEL { gap / step } else { 0.0 }).max(0.0)
    };
    let [one, other] = [made_up(first, rates[0]), made_up(second, rates[1])];
    (one + other > 0.0).then(|| other / (one + other))
}

impl World {
    /// Instances that share the requests of a group.
    fn sharing(&self, index: usize) -> u32 {
        let services = &self.services;
        let up = match services[index].group {
            Group::Alone => services[index].up,
            Group::First => services[index].up + services[index + 1].up,
            Group::Second => services[index - 1].up + services[index].up,
            Group::Aside => 1.0,
        };
        u32::try_from(whole(up)).unwrap_or(u32::MAX)
    }

    /// Takes over how evenly requests come to instances, where their number or what the balancer sees is another one.
    pub(super) fn fit_balances(&mut self) {
        for index in 0..self.services.len() {
            let service = &self.services[index];
            if service.shared.balance.is_random() {
                continue;
            }
            let instances = self.sharing(index);
            let service = &mut self.services[index];
            let off = service.sight_is_off();
            if instances == service.shared.instances && !off {
                continue;
            }
            service.shared.instances = instances;
            if off {
                service.shared.sight = u8::try_from(whole(service.sight())).unwrap_or(0);
            }
            service.fit(&self.cores, self.speed, &mut self.library);
        }
    }

    /// Leans towards the generation whose instances have fewer requests, where the balancer looks at these.
    pub(super) fn lean(&mut self, index: usize) {
        let (first, second) = (&self.services[index], &self.services[index + 1]);
        if first.shared.balance != Balance::LeastConnections || first.up == 0.0 || second.up == 0.0 {
            return;
        }
        let Some(pair) = &first.pair else { return };
        let own = if first.clients.is_some() { first.own_rate + second.own_rate } else { pair.offered };
        let called = |index: usize| self.incoming[index] + self.callers[index].wanted;
        let rate = own + called(index) + called(index + 1);
        let sides = [first, second].map(Side::of);
        let share = share_of_second(sides, rate, self.step_secs).unwrap_or(pair.of_second);
        debug_assert!((0.0..=1.0).contains(&share), "a share of {share} goes to the second group");
        let Some(pair) = &mut self.services[index].pair else { return };
        if (share - pair.to_second).abs() > STILL {
            pair.to_second = share;
        }
    }

    /// Whether some balancer sees more or less now than the means are for.
    pub(super) fn balances_are_off(&self) -> bool {
        self.services.iter().any(|service| !service.shared.balance.is_random() && service.sight_is_off())
    }
}
