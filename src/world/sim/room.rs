//! Workers that are taken for longer than their own work, or before whom only so many may wait. Before you change it:
//! 1. The number inside is a birth-death process: how fast so many busy workers are together is a [`Pace`]. Who waits for a
//!    worker waits by the variation of the work (Allen and Cunneen); what workers do that wait for calls is taken as
//!    exponential.
//! 2. Under a quota there are two borders, and what is inside lies between them by what finds room over what a period
//!    brings. Where little finds room, workers are as fast as the bare cores until a period's quota is gone, and those who
//!    then come wait for the next or are refused (`closed`). Where much does, a backlog outlasts the periods: the pace lies
//!    between the bare cores and a core as slow as the quota, where without a limit as many would be inside as the response
//!    curve says.
//! 3. Behind a balancer that looks at something, what an instance does lies between itself alone and all as one.

use super::gate::Pace;
use super::gate::Place;
use super::response::Evenness;
use super::response::PERIOD;
use super::response::Response;
use crate::model::ServiceModel;
use crate::units;
use std::cell::OnceCell;
use std::sync::Arc;

/// Loads for which the pace of a backlog is known, evenly from none to saturation.
const LOADS: usize = 24;
/// In place of saturation, where nothing without a limit has a mean.
const NEARLY_FULL: f64 = 0.99;
/// Steps of halving in the search for a pace.
const HALVINGS: u32 = 24;
/// Steps of Newton's method for what is carried from period to period.
const NEWTON: u32 = 12;

/// The workers of an instance.
pub(super) struct Gate {
    pub(super) workers: u32,
    /// Workers wait for calls.
    pub(super) blocking: bool,
    /// How many may wait for a worker.
    pub(super) room: Option<u32>,
    /// All that a request needs of a worker, where a quota is a slow core.
    pub(super) pace: Pace,
    /// The cores alone.
    pub(super) inner: Arc<Response>,
    /// Seconds that a request is on the cores, and that it waits for a worker.
    pub(super) times: (f64, f64),
    /// Cores that an instance could have if it wanted all there are.
    pub(super) reach: f64,
    /// What a quota leaves; `None` where there is none, or where workers wait for calls.
    burst: Option<Burst>,
    /// What waits for a worker, over what would if its work were exponential.
    scatter: f64,
    /// The paces by load, made when they are asked for.
    paces: Vec<OnceCell<Pace>>,
    /// What the balancer does, where it looks at something.
    even: Option<Evenness>,
}

/// The cores without their quota.
struct Burst {
    bare: Arc<Response>,
    /// How far the pace at each load is from that of the bare cores to the slow one.
    parts: Arc<[f64]>,
    pace: Pace,
}

/// An instance on other cores.
pub(super) struct Cores {
    /// With their quota, and without it.
    pub(super) inner: Arc<Response>,
    pub(super) bare: Arc<Response>,
    /// With it where all requests find room.
    pub(super) endless: Arc<Response>,
    /// Squared variation of the work.
    pub(super) variation: f64,
}

impl Gate {
    /// The gate of a service that has one.
    pub(super) fn new(model: &ServiceModel, inner: &Arc<Response>) -> Option<Self> {
        let blocking = model.blocking && !model.work.calls.is_empty();
        let workers = model.workers.filter(|_| blocking || model.backlog.is_some())?.max(1);
        Some(Self {
            workers,
            blocking,
            room: model.backlog,
            pace: Pace::default(),
            inner: Arc::clone(inner),
            times: (0.0, 0.0),
            reach: f64::INFINITY,
            burst: None,
            scatter: 1.0,
            paces: Vec::new(),
            even: None,
        })
    }

    /// Takes over other cores. What is found out about how a quota slows them is kept in `known`.
    pub(super) fn fit(&mut self, cores: Cores, known: &mut Option<Arc<[f64]>>) {
        let Cores { inner, bare, endless, variation } = cores;
        (self.inner, self.pace, self.burst) = (inner, Pace::default(), None);
        self.scatter = if self.blocking { 1.0 } else { f64::midpoint(1.0, variation) };
        // What spins closes each period, whoever comes: that is in the curve, also of one request.
        if self.blocking || self.inner.is_free() || self.inner.is_spun() {
            return;
        }
        let parts = Arc::clone(known.get_or_insert_with(|| self.parts(&bare, &endless)));
        self.burst = Some(Burst { parts, bare, pace: Pace::default() });
    }

    /// How far the pace is at each load from that of the bare cores to the slow one.
    fn parts(&self, bare: &Arc<Response>, endless: &Response) -> Arc<[f64]> {
        let (slow, fast) = (self.pace_on(&self.inner, 0.0), self.pace_on(bare, 0.0));
        let part = |place: usize| {
            let load = (place as f64 / LOADS as f64).clamp(1e-3, NEARLY_FULL);
            let wanted = endless.at(load).in_system;
            let (mut low, mut high) = (0.0, 1.0);
            for _ in 0..HALVINGS {
                let part = f64::midpoint(low, high);
                let pace = fast.towards(&slow, part);
                let inside = pace.bounded(load * slow.most(), u32::MAX, 1.0, self.scatter).0;
                if inside < wanted { low = part } else { high = part }
            }
            f64::midpoint(low, high)
        };
        (0..=LOADS).map(part).collect()
    }

    fn pace_on(&self, cores: &Arc<Response>, rest: f64) -> Pace {
        Pace::of(self.workers, &[Place::of(Arc::clone(cores), Pace::shared(cores))], rest)
    }

    /// The curve of the workers at this pace, where each request takes `rest` seconds more than on the cores, of an instance
    /// that gets its requests as evenly.
    pub(super) fn paced(&mut self, pace: Pace, rest: f64, even: Option<Evenness>) -> Arc<Response> {
        let fast = self.burst.as_ref().map(|burst| self.pace_on(&burst.bare, rest));
        self.paces = vec![OnceCell::new(); 1];
        if let (Some(burst), Some(fast)) = (&mut self.burst, fast) {
            burst.pace = fast;
            self.paces = vec![OnceCell::new(); burst.parts.len()];
        }
        (self.pace, self.even) = (pace, even);
        let response = Arc::new(self.inner.behind(&self.pace));
        match even {
            Some(even) => Arc::new(response.balanced(&self.inner.behind(&self.pace.of_all(even.pooled)), even)),
            None => response,
        }
    }

    /// Two figures at a rate, by the paces on both sides of its load.
    fn at(&self, rate: f64, of: impl Fn(&Pace) -> (f64, f64)) -> (f64, f64) {
        let last = self.paces.len().saturating_sub(1);
        let place = (rate / self.pace.most().max(1e-12)).clamp(0.0, 1.0) * last as f64;
        let (index, part) = (units::place(place).min(last), place - place.floor());
        let here = of(self.pace_at(index));
        if part <= 0.0 || index == last {
            return here;
        }
        let next = of(self.pace_at(index + 1));
        (here.0 + part * (next.0 - here.0), here.1 + part * (next.1 - here.1))
    }

    /// The pace at the load of this place.
    fn pace_at(&self, place: usize) -> &Pace {
        match (&self.burst, self.paces.get(place)) {
            (Some(burst), Some(pace)) => pace.get_or_init(|| burst.pace.towards(&self.pace, burst.parts[place])),
            _ => &self.pace,
        }
    }

    /// How far something at a rate lies from what it is at an instance alone towards what it is if all were one, by its
    /// logarithm.
    fn between(&self, even: Evenness, rate: f64, [alone, all]: [f64; 2]) -> f64 {
        let most = self.pace.most();
        let part = even.towards_pooled((rate / most).min(1.0), most * self.pace.alone());
        if alone > 0.0 { alone * libm::pow((all / alone).min(1.0), part) } else { 0.0 }
    }

    /// Where only so many may wait: the mean number inside at a rate, and the share of arrivals that is refused; with all of
    /// it slower by a factor.
    pub(super) fn bounded(&self, rate: f64, room: u32, slower: f64) -> (f64, f64) {
        let alone = self.bounded_as(1, rate, room, slower);
        let Some(even) = self.even else { return alone };
        let all = self.bounded_as(even.pooled, rate, room, slower);
        let refused = self.between(even, rate * slower, [alone.1, all.1]);
        let work = self.burst.as_ref().map_or(&self.pace, |burst| &burst.pace).alone();
        let waits =
            [alone, all].map(|(inside, refused)| (inside / (rate * (1.0 - refused)).max(1e-300) - work).max(0.0));
        (rate * (1.0 - refused) * (work + self.between(even, rate * slower, waits)), refused)
    }

    /// The same of one of so many instances that are all as one.
    fn bounded_as(&self, instances: u32, rate: f64, room: u32, slower: f64) -> (f64, f64) {
        let (count, places) = (f64::from(instances), room.saturating_mul(instances));
        let at = |pace: &Pace, slower: f64| {
            let (inside, refused) = if instances == 1 {
                pace.bounded(rate, room, slower, self.scatter)
            } else {
                pace.of_all(instances).bounded(rate * count, places, slower, self.scatter)
            };
            (inside / count, refused)
        };
        let long = self.at(rate * slower, |pace| at(pace, slower));
        let Some(burst) = &self.burst else { return long };
        let work = burst.bare.at(0.0).mean;
        let period = self.inner.capacity() * PERIOD / slower;
        let variation = 2.0 * self.scatter;
        let finds = f64::from(self.workers) + f64::from(room);
        let open = at(&burst.pace, 1.0);
        let closed = closed(rate * count, finds * count, period * count, variation);
        let short = (open.0 + closed.0 / count, (open.1 + closed.1).min(1.0));
        // What is there at the end of a period is no more than finds room, and one that takes much longer than others.
        let backlog = (finds + (variation - 2.0).max(0.0)) / period;
        let part = backlog * backlog / (1.0 + backlog * backlog);
        let between = |short: f64, long: f64| {
            if short > 0.0 && long > 0.0 { short * libm::pow(long / short, part) } else { 0.0 }
        };
        let served = between(1.0 - short.1, 1.0 - long.1);
        let time = |(inside, refused): (f64, f64)| (inside / (rate * (1.0 - refused)).max(1e-300)).max(work);
        (rate * served * between(time(short), time(long)), 1.0 - served)
    }

    /// Share of arrivals that find all workers busy, at a share of the most that they can do.
    pub(super) fn busy(&self, load: f64) -> f64 {
        let rate = load * self.pace.most();
        let busy = |instances: u32| {
            let of = |pace: &Pace| {
                let load = rate / pace.most().max(1e-12);
                if instances == 1 { pace.busy(load) } else { pace.of_all(instances).busy(load) }
            };
            self.at(rate, |pace| (of(pace), 0.0)).0
        };
        let alone = busy(1);
        self.even.map_or(alone, |even| self.between(even, rate, [alone, busy(even.pooled)]))
    }
}

/// What the ends of quota periods do in which `period` requests are all that can be worked on, where so many find room and
/// the work of one varies by `variation`, squared and with its mean: the mean number that waits for the next period, and
/// the share that is refused meanwhile.
///
/// What comes in a period is normal. What of it is too much came when the quota was gone, and is carried to the next one as
/// far as it finds room.
fn closed(rate: f64, finds: f64, period: f64, variation: f64) -> (f64, f64) {
    let comes = rate * PERIOD;
    let deviation = libm::sqrt(comes * variation);
    let excess = |carried: f64| {
        [comes - period + carried, comes - period + carried - finds].map(|mean| Above::zero(mean, deviation))
    };
    let (mut low, mut high, mut carried) = (0.0, finds, finds);
    for _ in 0..NEWTON {
        let [all, beyond] = excess(carried);
        let off = all.mean - beyond.mean - carried;
        if off.abs() <= 1e-9 * finds {
            break;
        }
        if off > 0.0 {
            low = carried
        } else {
            high = carried
        }
        let next = carried + off / (1.0 - all.chance + beyond.chance).max(1e-6);
        carried = if next > low && next < high { next } else { f64::midpoint(low, high) };
    }
    let [all, beyond] = excess(carried);
    ((all.square - beyond.square) / (2.0 * comes), beyond.mean / comes)
}

/// What a normal variable is above zero.
struct Above {
    chance: f64,
    mean: f64,
    square: f64,
}

impl Above {
    fn zero(mean: f64, deviation: f64) -> Self {
        let place = mean / deviation.max(1e-300);
        let density = deviation * libm::exp(-place * place / 2.0) / libm::sqrt(2.0 * core::f64::consts::PI);
        let chance = libm::erfc(-place / core::f64::consts::SQRT_2) / 2.0;
        Self {
            chance,
            mean: (mean * chance + density).max(0.0),
            square: ((mean * mean + deviation * deviation) * chance + mean * density).max(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 150 requests that come evenly in a period, 100 are what the quota is enough for. Ten of the others find room, wait
    /// for the next period, and are the first of its 100, so that from its 60th ms on nobody is served.
    #[test]
    fn what_comes_when_the_quota_is_gone_is_carried_over() {
        let (waiting, refused) = closed(1500.0, 10.0, 100.0, 1e-9);
        assert!((refused - 50.0 / 150.0).abs() < 1e-6, "{refused}");
        // From none to ten within the first 10 of 60 requests, and ten for the time of the other 50.
        let wanted = (10.0 * 5.0 + 50.0 * 10.0) / 150.0;
        assert!((waiting - wanted).abs() < 1e-6, "{waiting} for {wanted}");
        let (waiting, refused) = closed(900.0, 10.0, 100.0, 1e-9);
        assert!(waiting < 1e-6 && refused < 1e-6, "{waiting} and {refused}");
    }

    /// A normal variable is above zero by `σ / √(2π)` on average, if its mean is there; half of its square is.
    #[test]
    fn what_is_above_zero() {
        let found = Above::zero(0.0, 3.0);
        assert!((found.mean - 3.0 * 0.398_942).abs() < 1e-5 && (found.square - 4.5).abs() < 1e-12);
        assert!((found.chance - 0.5).abs() < 1e-12);
        let found = Above::zero(8.0, 1.0);
        assert!((found.mean - 8.0).abs() < 1e-9 && (found.square - 65.0).abs() < 1e-9);
    }
}
