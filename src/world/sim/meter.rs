//! What the engine can see of the requests of a service: counters and a histogram of times, scraped where requests come in.
//! Before you change it:
//! 1. A scrape is the truth of its moment, and what is seen later is only scrapes, as with instances.
//! 2. The times of the requests since the last scrape are taken to follow the distribution that holds as it is taken:
//!    between two scrapes that is near enough for a percentile over a window.
//! 3. Only services are metered whose number of instances a policy may change.

use super::World;
use super::generations;
use crate::model::Latencies;
use crate::model::Scenario;
use crate::model::Sensors;
use crate::model::TrafficSeen;
use crate::units::Instant;
use crate::units::Rate;
use crate::units::whole;
use std::collections::VecDeque;

/// Most scrapes that are kept of a service.
const SCRAPES_MAX: usize = 1 << 12;

/// The requests of one service.
pub(super) struct Meter {
    /// The service's place.
    index: usize,
    scrapes: VecDeque<Count>,
    room: usize,
    /// Requests that arrived, failed, and were inside at the last scrape.
    last: [f64; 3],
}

/// One scrape.
struct Count {
    /// When, by the clock that stamps it.
    at: Instant,
    /// From when on it is seen.
    seen_from: Instant,
    /// Requests that ended well so far, in thousandths.
    served: u64,
    /// Requests that failed so far, in thousandths.
    failed: u64,
    /// Requests in the service, in thousandths.
    inside: u64,
    /// Times of those that ended well since the scrape before.
    times: Latencies,
}

impl Meter {
    /// The meters of a scenario: `find` gives the place of a service.
    pub(super) fn all(scenario: &Scenario, sensors: &Sensors, find: impl Fn(&str) -> Option<usize>) -> Vec<Self> {
        let metered = scenario.policies.iter().filter(|(_, policy)| policy.horizontal().is_some());
        let room =
            sensors.window.fit(sensors.scrape).saturating_add(sensors.delay.fit(sensors.scrape)).saturating_add(3);
        let room = usize::try_from(room).unwrap_or(SCRAPES_MAX).min(SCRAPES_MAX);
        let meter = |index| Self { index, scrapes: VecDeque::with_capacity(room), room, last: [0.0; 3] };
        metered.filter_map(|(name, _)| find(name.as_str())).map(meter).collect()
    }

    /// What is seen at `now`; `None` while there are not two scrapes to take a rate of.
    fn seen(&self, sensors: &Sensors, now: Instant) -> Option<TrafficSeen> {
        let newest = self.scrapes.iter().rev().find(|scrape| scrape.seen_from <= now)?;
        if sensors.forgotten_after.is_some_and(|age| now.since(newest.at) > age) {
            return None;
        }
        let from = newest.at.minus(sensors.window);
        let mut inside = self.scrapes.iter().filter(|scrape| scrape.at >= from && scrape.at <= newest.at);
        let first = inside.next()?;
        let window = newest.at.since(first.at);
        if window.nanos() == 0 {
            return None;
        }
        let mut times = Latencies::new();
        inside.for_each(|scrape| times.merge(&scrape.times));
        let (served, failed) = (newest.served - first.served, newest.failed - first.failed);
        let ended = served + failed;
        let share = u128::from(failed) * 1_000_000 / u128::from(ended.max(1));
        Some(TrafficSeen {
            at: newest.at,
            window,
            rate: Rate::micro(whole(ended as f64 * 1e3 / window.as_secs())),
            errors: u64::try_from(share).unwrap_or(u64::MAX),
            latency_p95: times.quantile(95, 100),
            inside: newest.inside,
        })
    }

    /// Keeps a scrape. One that is stamped before the newest is thrown away.
    fn push(&mut self, count: Count) {
        if self.scrapes.back().is_some_and(|newest| count.at <= newest.at) {
            return;
        }
        if self.scrapes.len() == self.room {
            self.scrapes.pop_front();
        }
        self.scrapes.push_back(count);
    }
}

impl World {
    /// What is seen of the requests of a service; `None` where nobody measures it.
    pub(super) fn traffic_of(&self, index: usize) -> Option<TrafficSeen> {
        let meter = self.meters.iter().find(|meter| meter.index == index)?;
        meter.seen(&self.sensors, self.now)
    }

    /// Scrapes one service, at a time of the clock that stamps it.
    pub(super) fn scrape_meter(&mut self, place: usize, at: Instant, seen_from: Instant) {
        let Meter { index, last, .. } = self.meters[place];
        let [arrived, failed, inside] = generations::requests(&self.services, &self.flows, index);
        let served = |[arrived, failed, inside]: [f64; 3]| (arrived - failed - inside).max(0.0);
        let now = [arrived, failed, inside];
        let since = whole((served(now) - served(last)).max(0.0) * 1000.0);
        let mut times = Latencies::new();
        let latest = self.services[index].latest();
        if since > 0 && latest != usize::MAX {
            let number = self.number_shown(index, latest);
            self.library.times(number).spread_over(&mut times, since);
        }
        let before = self.meters[place].scrapes.back().map_or((0, 0), |scrape| (scrape.served, scrape.failed));
        let thousandths = |count: f64| whole(count * 1000.0);
        self.meters[place].last = now;
        self.meters[place].push(Count {
            at,
            seen_from,
            served: thousandths(served(now)).max(before.0),
            failed: thousandths(failed).max(before.1),
            inside: thousandths(inside),
            times,
        });
    }
}
