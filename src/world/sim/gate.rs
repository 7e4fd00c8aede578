//! Workers that wait for the calls of their requests, and queues before workers that have room for so many only. Before you
//! change it:
//! 1. How fast `n` busy workers are together comes from mean value analysis of the places where they are: their own
//!    cores, the services they call. An arrival finds as many as there are with one worker less (Reiser and Lavenberg 1980).
//! 2. With that, the number in the service is a birth-death process whose death rate no longer grows beyond the workers
//!    (the flow-equivalent server of Chandy, Herzog and Woo 1975). Such a station then is one [`Response`] like others.

use super::response::Response;
use std::sync::Arc;

/// Numbers of workers up to which each one is looked at; above, steps grow with the number.
const EACH: u32 = 256;

/// Where busy workers are.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) response: Arc<Response>,
    /// Its servers, where the place is nothing but these.
    pub(super) servers: Option<Pace>,
    /// Visits of one request, at one instance of the place, for each busy worker there is of one instance of the service.
    pub(super) visits: f64,
    /// How much of the time of a visit counts: less than all where visits are at the same time, or are cut off.
    pub(super) counts: f64,
    /// Instances of the place for one of the service.
    pub(super) instances: f64,
    /// Requests of others at one instance.
    pub(super) others: f64,
}

impl Place {
    /// One instance of a place that each request visits once, and nobody else.
    pub(super) const fn of(response: Arc<Response>, servers: Option<Pace>) -> Self {
        Self { response, servers, visits: 1.0, counts: 1.0, instances: 1.0, others: 0.0 }
    }

    /// Requests of the service per second that all of the place is enough for.
    fn most(&self) -> f64 {
        let each = self.servers.as_ref().map_or(self.response.capacity(), Pace::most);
        each * self.instances / self.visits.max(1e-12)
    }

    /// Mean time at the place of who finds so many there.
    fn time(&self, found: f64) -> f64 {
        if let Some(servers) = &self.servers {
            return (found + 1.0) / servers.of_busy(found + 1.0).max(1e-12);
        }
        if found <= 1e-9 {
            return self.response.at(0.0).mean;
        }
        found / (self.response.capacity() * self.response.load_for(found)).max(1e-12)
    }
}

/// How fast so many busy workers are, for a row of numbers of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    /// Numbers of workers, and requests per second that they end.
    points: Vec<(f64, f64)>,
}

impl Pace {
    /// The pace of up to `workers` at these places, with so many seconds more that they wait for nobody.
    pub(super) fn of(workers: u32, places: &[Place], rest: f64) -> Self {
        let mut points: Vec<(f64, f64)> = Vec::new();
        let mut number = 1;
        // How many of the workers each place has while one less is busy: what an arrival finds.
        let mut found: Vec<f64> = vec![0.0; places.len()];
        // A request alone under a quota is served at once, but not one after the other: no place ends more than it can.
        let most = places.iter().map(Place::most).fold(f64::INFINITY, f64::min);
        loop {
            let busy = f64::from(number);
            let visits = places.iter().zip(&found);
            let times: Vec<f64> = visits
                .map(|(place, found)| place.visits * place.counts * place.time(place.others + found / place.instances))
                .collect();
            let pace = (busy / (rest + times.iter().sum::<f64>()).max(1e-9)).min(most);
            // More workers are never slower together.
            points.push((busy, points.last().map_or(pace, |last| pace.max(last.1))));
            if number == workers {
                return Self { points };
            }
            number = (number + 1 + number / EACH).min(workers);
            let more = (f64::from(number) - 1.0) / busy;
            found.iter_mut().zip(&times).for_each(|(found, time)| *found = pace * time * more);
        }
    }

    /// The pace at a part of the way to that of as many workers, by its logarithm.
    pub(super) fn towards(&self, other: &Self, part: f64) -> Self {
        let mixed = |(mine, theirs): (&(f64, f64), &(f64, f64))| {
            (mine.0, mine.1 * libm::pow(theirs.1.max(1e-12) / mine.1.max(1e-12), part))
        };
        Self { points: self.points.iter().zip(&other.points).map(mixed).collect() }
    }

    /// The pace of so many instances as one.
    pub(super) fn of_all(&self, instances: u32) -> Self {
        let instances = f64::from(instances);
        Self { points: self.points.iter().map(|point| (point.0 * instances, point.1 * instances)).collect() }
    }

    /// The pace of requests of so many seconds of work that share so many cores, each on one at most.
    pub(super) fn of_cores(cores: f64, work: f64) -> Self {
        Self { points: vec![(cores, cores / work.max(1e-12))] }
    }

    /// The same of who waits for nothing but the cores; `None` of others.
    pub(super) fn shared(response: &Response) -> Option<Self> {
        let alone = response.at(0.0).mean;
        response.is_free().then(|| Self::of_cores(response.capacity() * alone, alone))
    }

    /// The same again, once it was found out: not for a step after workers or cores became others.
    pub(super) fn known(&self) -> Option<Self> {
        (!self.points.is_empty()).then(|| self.clone())
    }

    /// All workers' pace.
    pub(super) fn most(&self) -> f64 {
        self.points.last().map_or(0.0, |last| last.1)
    }

    fn workers(&self) -> f64 {
        self.points.last().map_or(0.0, |last| last.0)
    }

    /// The same, where the workers are connections.
    pub(super) fn connections(&self) -> f64 {
        self.workers()
    }

    /// Mean time of a request that finds all workers free.
    pub(super) fn alone(&self) -> f64 {
        self.points.first().map_or(0.0, |first| first.0 / first.1)
    }

    /// Requests per second that so many end together.
    pub(super) fn of_busy(&self, number: f64) -> f64 {
        let after = self.points.partition_point(|point| point.0 < number);
        let Some(&(end, pace)) = self.points.get(after) else { return self.most() };
        let before = after.checked_sub(1).map_or((0.0, 0.0), |place| self.points[place]);
        before.1 + (pace - before.1) * (number - before.0) / (end - before.0)
    }

    /// Whether this is as good as another one.
    pub(super) fn is_near(&self, other: &Self) -> bool {
        let near = |(one, other): (&(f64, f64), &(f64, f64))| one.0 == other.0 && (one.1 / other.1 - 1.0).abs() < 2e-3;
        self.points.len() == other.points.len() && self.points.iter().zip(&other.points).all(near)
    }

    /// How likely each number of busy workers is at a rate, up to a factor: for all below the number of workers, their
    /// sum and the sum of `n` times that; and the likelihood that all are busy and nobody waits.
    pub(super) fn likely(&self, rate: f64) -> (f64, f64, f64) {
        let (mut all, mut sum, mut likely) = (1.0, 0.0, 1.0);
        let (mut number, workers) = (1.0, self.workers());
        let mut points = self.points.iter().peekable();
        let mut before = (0.0, 0.0);
        while let Some(&&(end, pace)) = points.peek() {
            let here = before.1 + (pace - before.1) * (number - before.0) / (end - before.0);
            likely *= rate / here.max(1e-12);
            if number >= workers {
                break;
            }
            all += likely;
            sum += number * likely;
            if all > 1e200 {
                (all, sum, likely) = (all / 1e200, sum / 1e200, likely / 1e200);
            }
            if number >= end {
                before = (end, pace);
                points.next();
            }
            number += 1.0;
        }
        (all, sum, likely)
    }

    /// Mean number in the service at a share of the most that it can do, over what is needed for that if nobody waited,
    /// times `1 − load`: what a response curve is made from.
    pub(super) fn scaled(&self, load: f64) -> f64 {
        if load <= 0.0 {
            return 1.0;
        }
        let free = 1.0 - load;
        let (all, sum, full) = self.likely(load * self.most());
        let inside = (free * free * sum + full * (self.workers() * free + load)) / (free * all + full);
        inside / (load * self.most() * self.alone())
    }

    /// Share of arrivals that find all workers busy.
    pub(super) fn busy(&self, load: f64) -> f64 {
        let free = (1.0 - load).max(0.0);
        let (all, _, full) = self.likely(load.min(1.0) * self.most());
        full / (free * all + full)
    }

    /// Where only so many may wait: the mean number inside at a rate, and the share of arrivals that is refused. Those who
    /// wait are `scatter` times as many as they would be if the work were exponential and nobody refused.
    ///
    /// Lengths of the queue are likely by a geometric law with that mean, and the last one as much as no request is lost
    /// (Tijms 1986): exact for exponential work.
    pub(super) fn bounded(&self, rate: f64, room: u32, slower: f64, scatter: f64) -> (f64, f64) {
        let (most, workers, places) = (self.most() / slower, self.workers(), f64::from(room));
        let (all, sum, full) = self.likely(rate * slower);
        // Only what they are to each other counts, and no product of them may leave the range of numbers.
        let (all, sum, full) = (all / all.max(full), sum / all.max(full), full / all.max(full));
        let load = rate / most.max(1e-12);
        // Nobody waiting up to as many as there is room for; above a load of one counted from the other end.
        let (row, more, last, scale, lost) = if load <= 1.0 {
            let lost = 1.0 - load + load * scatter;
            let (row, more, last) = geometric(load * scatter / lost, places);
            (row, more, last, 1.0, lost)
        } else {
            let (row, free, least) = geometric(scatter / (load - 1.0 + scatter), places);
            (row, places * row - free, 1.0, least, scatter)
        };
        let (row, more) = ((row - last) / lost + last, (more - places * last) / lost + places * last);
        let whole = all * scale + full * row;
        ((sum * scale + full * (workers * row + more)) / whole, full * last / whole)
    }
}

/// For `ratio` from 0 to 1: the sum of `ratioⁿ` for `n` from 0 to `last`, that of `n · ratioⁿ`, and `ratio` to the `last`.
fn geometric(ratio: f64, last: f64) -> (f64, f64, f64) {
    let steep = libm::log(ratio.max(1e-300));
    let end = libm::exp(steep * last);
    if steep * (last + 1.0) > -1e-2 {
        // The closed forms lose their digits here; `exp(n · steep)` is `1 + n · steep + (n · steep)² / 2`.
        let first = last * (last + 1.0) / 2.0;
        let second = first * (2.0 * last + 1.0) / 3.0;
        let sum = last + 1.0 + steep * (first + steep / 2.0 * second);
        return (sum, first + steep * (second + steep / 2.0 * first * first), end);
    }
    let sum = -libm::expm1(steep * (last + 1.0)) / (1.0 - ratio);
    (sum, (ratio * sum - (last + 1.0) * ratio * end) / (1.0 - ratio), end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Spread;
    use crate::units::Millicores;
    use crate::units::Span;
    use crate::world::sim::queueing;
    use crate::world::sim::response::Station;

    fn place(cores: u32) -> Place {
        let station = Station {
            cores,
            quota: None,
            workers: None,
            work: Span::from_millis(10),
            spread: Spread::Exponential,
            spins: Millicores::ZERO,
        };
        Place::of(Arc::new(Response::of(&station)), None)
    }

    fn close(found: f64, wanted: f64, within: f64) {
        assert!((found / wanted - 1.0).abs() < within, "{found} for {wanted}");
    }

    /// Workers that only sleep are the servers of M/M/c.
    #[test]
    fn workers_that_wait_for_something_else_are_servers() {
        let pace = Pace::of(8, &[], 0.05);
        close(pace.most(), 160.0, 1e-9);
        for load in [0.3, 0.8, 0.95] {
            let waits = queueing::erlang_c(8, load);
            close(pace.busy(load), waits, 1e-6);
            close(pace.scaled(load), 1.0 - load + waits / 8.0, 1e-6);
        }
    }

    /// However many workers share one core: the whole is M/M/1.
    #[test]
    fn workers_of_one_core_are_no_faster() {
        for workers in [1, 5, 40] {
            let pace = Pace::of(workers, &[place(1)], 0.0);
            close(pace.most(), 100.0, 1e-3);
            close(pace.scaled(0.8), 1.0, 2e-3);
        }
    }

    /// M/M/1/K: with a load of ρ, `ρ^K (1 − ρ) / (1 − ρ^(K+1))` are refused.
    #[test]
    fn who_finds_no_room_is_refused() {
        let pace = Pace::of(1, &[place(1)], 0.0);
        for load in [0.5_f64, 0.9, 1.5] {
            let (inside, refused) = pace.bounded(load * 100.0, 4, 1.0, 1.0);
            close(refused, libm::pow(load, 5.0) * (1.0 - load) / (1.0 - libm::pow(load, 6.0)), 1e-3);
            let likely: f64 = (0..6).map(|n| libm::pow(load, f64::from(n))).sum();
            close(inside, (0..6).map(|n| f64::from(n) * libm::pow(load, f64::from(n))).sum::<f64>() / likely, 1e-3);
        }
    }

    #[test]
    fn sums_of_a_geometric_row_are_closed() {
        for last in [0_u32, 1, 4, 60, 2000] {
            for ratio in [0.0, 0.3, 0.9, 0.999, 1.0 - 1e-5, 1.0 - 1e-9, 1.0] {
                let terms = || (0..=last).map(|n| (f64::from(n), libm::pow(ratio, f64::from(n))));
                let (sum, more, end) = geometric(ratio, f64::from(last));
                let wanted: (f64, f64) = (terms().map(|term| term.1).sum(), terms().map(|term| term.0 * term.1).sum());
                close(sum, wanted.0, 1e-6);
                assert!((more - wanted.1).abs() <= 1e-6 * wanted.1.max(1e-9), "{more} for {}", wanted.1);
                assert!((end - libm::pow(ratio, f64::from(last))).abs() < 1e-9);
            }
        }
    }

    /// A room for hundreds in front of a service that ends one request in ten seconds.
    #[test]
    fn a_queue_that_is_always_full_is_full() {
        for (workers, room, load) in [(1, 274, 138.0), (60, 300, 1e4), (4000, 5, 50.0), (16, 1000, 1e9)] {
            let pace = Pace::of(workers, &[place(1)], 10.0);
            let (inside, refused) = pace.bounded(load * pace.most(), room, 1.0, 1.0);
            close(inside, f64::from(workers + room), 1e-2);
            close(refused, 1.0 - 1.0 / load, 1e-6);
        }
    }

    /// A fifth of a core ends twenty requests of 10 ms a second, however quickly one of them is served alone.
    #[test]
    fn no_more_workers_are_served_than_a_quota_is_enough_for() {
        let quota = Some(Millicores::new(200));
        let station = Station {
            cores: 4,
            quota,
            workers: None,
            work: Span::from_millis(10),
            spread: Spread::Exponential,
            spins: Millicores::ZERO,
        };
        let place = Place { response: Arc::new(Response::of(&station)), ..place(1) };
        assert!(place.time(0.0) < 0.03, "{}", place.time(0.0));
        for visits in [1.0, 4.0] {
            for workers in [1, 2, 60] {
                let pace = Pace::of(workers, &[Place { visits, ..place.clone() }], 0.0);
                assert!(pace.most() <= 20.0 / visits * (1.0 + 1e-9), "{} of {workers}", pace.most());
                assert!(pace.most() > 13.0 / visits, "{} of {workers}", pace.most());
            }
        }
    }

    /// Exact mean value analysis (Reiser and Lavenberg 1980) of a core of 10 ms and a sleep of 30 ms.
    #[test]
    fn mean_value_analysis_is_met() {
        let mut queue = 0.0;
        for workers in 1..=20_u32 {
            let time = 0.01 * (1.0 + queue);
            let exact = f64::from(workers) / (0.03 + time);
            queue = exact * time;
            close(Pace::of(workers, &[place(1)], 0.03).most(), exact, 0.01);
        }
    }
}
