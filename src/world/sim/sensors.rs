//! What the engine can see of an instance: scrapes of its counters, kept for a window. Before you change it:
//! 1. A scrape is the truth of its moment; what is seen later is only scrapes, never the state.
//! 2. The CPU counter starts at zero with every start of the process; a fall is read as a restart, as Prometheus does.
//! 3. Rates go from the first to the last scrape of the window, without extrapolation. The window ends with the newest
//!    visible scrape, so in an outage the figures stay and grow old.

use crate::model::FaultKind;
use crate::model::Scenario;
use crate::model::Sensors;
use crate::model::Source;
use crate::model::Usage;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Span;
use crate::units::whole;

/// Most scrapes that are kept of an instance.
const SCRAPES_MAX: u64 = 1 << 16;

/// The sensors as they work: Docker's own statistics are of the last second, or the last step where that is longer.
pub(super) fn fitted(scenario: &Scenario) -> Sensors {
    let sensors = scenario.sensors;
    match sensors.source {
        Source::Prometheus => sensors,
        Source::Docker => {
            let second = Span::from_secs(1).max(scenario.step);
            Sensors { window: second, scrape: second, ..sensors }
        }
    }
}

/// The sensors as far as it matters how many scrapes are kept: late by what faults may add, too.
pub(super) fn kept_for(scenario: &Scenario) -> Sensors {
    let late = scenario.faults.iter().filter_map(|fault| match fault.kind {
        FaultKind::MetricsDelay(by) => Some(by),
        _ => None,
    });
    let sensors = fitted(scenario);
    Sensors { delay: late.fold(sensors.delay, Span::plus), ..sensors }
}

/// One look at an instance.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scrape {
    /// When, by the clock that stamps it.
    pub(super) at: Instant,
    /// From when on it is seen.
    pub(super) seen_from: Instant,
    /// CPU used since the process started, in core-seconds.
    pub(super) cpu: f64,
    pub(super) memory: Bytes,
}

/// The scrapes of one instance, oldest first from `next` on once it is full.
#[derive(Debug, Clone)]
pub(super) struct Scrapes {
    ring: Vec<Scrape>,
    room: usize,
    next: usize,
    /// The stamp of the newest.
    newest: Instant,
}

impl Scrapes {
    /// Room for all that a window needs.
    pub(super) fn new(sensors: &Sensors) -> Self {
        let each = sensors.scrape;
        let room = sensors.window.fit(each).saturating_add(sensors.delay.fit(each)).saturating_add(3).min(SCRAPES_MAX);
        let room = usize::try_from(room).unwrap_or(3);
        Self { ring: Vec::with_capacity(room), room, next: 0, newest: Instant::START }
    }

    /// Keeps a scrape. One that is stamped before the newest is thrown away, as Prometheus does.
    pub(super) fn push(&mut self, scrape: Scrape) {
        if scrape.at <= self.newest && !self.ring.is_empty() {
            return;
        }
        self.newest = scrape.at;
        if self.ring.len() < self.room {
            self.ring.push(scrape);
        } else {
            self.ring[self.next] = scrape;
        }
        self.next = (self.next + 1) % self.room;
    }

    /// The scrapes, oldest first.
    fn iter(&self) -> impl DoubleEndedIterator<Item = &Scrape> {
        let split = if self.ring.len() < self.room { 0 } else { self.next };
        self.ring[split..].iter().chain(&self.ring[..split])
    }

    /// What is seen at `now`; `None` while there are not two scrapes to take a rate of.
    pub(super) fn usage(&self, sensors: &Sensors, now: Instant) -> Option<Usage> {
        let visible = |scrape: &&Scrape| scrape.seen_from <= now;
        let newest = self.iter().rev().find(visible)?;
        if sensors.forgotten_after.is_some_and(|age| now.since(newest.at) > age) {
            return None;
        }
        let from = newest.at.minus(sensors.window);
        let (mut first, mut last, mut used, mut memory_max): (Option<Instant>, f64, f64, Bytes) =
            (None, 0.0, 0.0, Bytes::ZERO);
        for scrape in self.iter().filter(|scrape| scrape.at >= from && scrape.at <= newest.at) {
            if first.is_some() {
                used += if scrape.cpu < last { scrape.cpu } else { scrape.cpu - last };
            }
            first = first.or(Some(scrape.at));
            last = scrape.cpu;
            memory_max = memory_max.max(scrape.memory);
        }
        let window = newest.at.since(first?);
        let seconds = window.as_secs();
        (seconds > 0.0).then(|| Usage {
            at: newest.at,
            window,
            cpu: Millicores::new(whole(used / seconds * 1000.0)),
            memory: newest.memory,
            memory_max,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Instant {
        Instant::after_start(Span::from_secs(second))
    }

    fn scraped(sensors: &Sensors, cpu: impl Fn(u64) -> f64, seconds: impl Iterator<Item = u64>) -> Scrapes {
        let mut scrapes = Scrapes::new(sensors);
        for second in seconds {
            let seen_from = at(second).plus(sensors.delay);
            scrapes.push(Scrape { at: at(second), seen_from, cpu: cpu(second), memory: Bytes::mebi(second) });
        }
        scrapes
    }

    #[test]
    fn a_rate_needs_two_scrapes_and_grows_to_its_window() {
        let sensors = Sensors::default();
        let scrapes = scraped(&sensors, |second| second as f64 * 0.5, (15..=60).step_by(15));
        assert_eq!(Scrapes::new(&sensors).usage(&sensors, at(60)), None);
        assert_eq!(scrapes.usage(&sensors, at(15)), None);
        let usage = scrapes.usage(&sensors, at(59)).expect("two scrapes");
        assert_eq!((usage.at, usage.window, usage.cpu.get()), (at(45), Span::from_secs(30), 500));
        assert_eq!((usage.memory, usage.memory_max), (Bytes::mebi(45), Bytes::mebi(45)));
        let long = scraped(&sensors, |second| second as f64 * 0.5, (15..=6000).step_by(15));
        assert_eq!(long.usage(&sensors, at(6000)).expect("scrapes").window, Span::from_mins(5));
    }

    #[test]
    fn what_is_seen_is_late_by_the_delay() {
        let sensors = Sensors { delay: Span::from_secs(40), ..Sensors::default() };
        let scrapes = scraped(&sensors, |second| second as f64, (15..=3000).step_by(15));
        let usage = scrapes.usage(&sensors, at(3000)).expect("scrapes");
        assert_eq!((usage.at, usage.window), (at(2955), Span::from_mins(5)));
    }

    /// 0.2 cores; at 100 s it starts again from zero.
    #[test]
    fn a_restart_is_no_negative_rate() {
        let sensors = Sensors::default();
        let cpu = |second: u64| 0.2 * if second < 100 { second as f64 } else { (second - 100) as f64 };
        let usage = scraped(&sensors, cpu, (15..=200).step_by(15)).usage(&sensors, at(200)).expect("scrapes");
        let seen = 0.2 * (90.0 - 15.0 + 5.0 + 90.0) / 180.0;
        assert_eq!(usage.cpu.get(), whole(seen * 1000.0));
    }
}
