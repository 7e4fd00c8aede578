//! Metrics of the business: numbers that follow a pattern and are read at each scrape, as all that is seen. Before you change
//! it:
//! 1. What is seen is the newest scrape that has arrived; one that is stamped before the one kept last is thrown away.
//! 2. A number that changes smoothly is that of the next ten seconds at most, as a load is.
//! 3. Where a trace has no value nobody measures it: there is no scrape, and what was seen last grows old.

use super::World;
use super::traffic::Traffic;
use super::traffic::uniform;
use crate::model::MetricName;
use crate::model::MetricSeen;
use crate::model::Pattern;
use crate::model::Quantity;
use crate::model::Scenario;
use crate::seed::Seed;
use crate::units::Instant;
use crate::units::whole;
use std::collections::VecDeque;

/// Most scrapes that are kept of a metric: those that are still on their way.
const SCRAPES_MAX: usize = 1 << 12;

/// One metric.
pub(super) struct Gauge {
    name: MetricName,
    pattern: Pattern,
    traffic: Traffic,
    /// From when on each scrape is seen, oldest first.
    scrapes: VecDeque<(Instant, MetricSeen)>,
}

impl Gauge {
    /// The metrics of a scenario.
    pub(super) fn all(scenario: &Scenario, seed: Seed) -> Vec<Self> {
        let gauge = |(name, pattern): (&MetricName, &Pattern)| Self {
            name: *name,
            pattern: pattern.clone(),
            traffic: Traffic::new(pattern, scenario.step, seed, name.as_str()),
            scrapes: VecDeque::new(),
        };
        scenario.metrics.iter().map(gauge).collect()
    }

    /// Reads it, at a time of the clock that stamps it.
    fn scrape(&mut self, now: Instant, at: Instant, seen_from: Instant) {
        let time = now.since_start();
        let (value, _) = self.traffic.stretch(time);
        if let Pattern::Trace(values) = &self.pattern {
            let passed = values.partition_point(|(from, _)| *from <= time);
            if passed.checked_sub(1).is_none_or(|last| values[last].1.is_none()) {
                return;
            }
        }
        if self.scrapes.back().is_some_and(|(_, newest)| at <= newest.at) {
            return;
        }
        let arrived = self.scrapes.iter().rposition(|(from, _)| *from <= now).unwrap_or(0);
        self.scrapes.drain(..arrived);
        if self.scrapes.len() == SCRAPES_MAX {
            self.scrapes.pop_front();
        }
        self.scrapes.push_back((seen_from, MetricSeen { at, value: Quantity::Number(whole(value * 1000.0)) }));
    }

    /// The newest scrape that has arrived.
    fn seen(&self, now: Instant) -> Option<MetricSeen> {
        let (_, seen) = self.scrapes.iter().rfind(|(from, _)| *from <= now)?;
        Some(*seen)
    }
}

impl World {
    /// Scrapes the metrics, where a share of the scrapes is lost, at a time of the clock that stamps them.
    pub(super) fn scrape_gauges(&mut self, lost: f64, at: Instant, seen_from: Instant) {
        for gauge in &mut self.gauges {
            if lost == 0.0 || uniform(&mut self.scrape_luck) > lost {
                gauge.scrape(self.now, at, seen_from);
            }
        }
    }

    /// What is seen of the metrics now, those left out that are not.
    pub(super) fn metrics_seen(&self) -> impl Iterator<Item = (MetricName, MetricSeen)> {
        let forgotten =
            |seen: &MetricSeen| self.sensors.forgotten_after.is_some_and(|age| self.now.since(seen.at) > age);
        let seen = |gauge: &Gauge| Some((gauge.name, gauge.seen(self.now)?));
        self.gauges.iter().filter_map(seen).filter(move |(_, seen)| !forgotten(seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rate;
    use crate::units::Span;

    fn gauge(pattern: Pattern) -> Gauge {
        let name: MetricName = "orders".parse().expect("a name");
        let traffic = Traffic::new(&pattern, Span::from_secs(1), Seed::new(1), name.as_str());
        Gauge { name, pattern, traffic, scrapes: VecDeque::new() }
    }

    fn at(second: u64) -> Instant {
        Instant::after_start(Span::from_secs(second))
    }

    fn seen(gauge: &Gauge, second: u64) -> Option<(Instant, u64)> {
        gauge.seen(at(second)).map(|seen| (seen.at, seen.value.number()))
    }

    /// Five orders, from the 40th second on 7.25; scrapes every 15 seconds are seen 20 seconds late.
    #[test]
    fn a_number_is_seen_as_late_as_its_scrape() {
        let steps = vec![(Span::ZERO, Rate::per_second(5)), (Span::from_secs(40), Rate::micro(7_250_000))];
        let mut gauge = gauge(Pattern::Steps(steps));
        for second in [15, 30, 45, 60] {
            gauge.scrape(at(second), at(second), at(second + 20));
        }
        assert_eq!(seen(&gauge, 64), Some((at(30), 5000)));
        assert_eq!(seen(&gauge, 65), Some((at(45), 7250)));
        gauge.scrape(at(75), at(50), at(75));
        assert_eq!(seen(&gauge, 100), Some((at(60), 7250)), "a clock that went back changes nothing");
    }

    #[test]
    fn where_a_trace_has_no_value_nobody_measures() {
        let rows = [(at(0), Some(9)), (at(20), None), (at(50), Some(0))];
        let rows = rows.map(|(at, value)| (at.since_start(), value.map(Rate::per_second)));
        let mut gauge = gauge(Pattern::Trace(rows.into()));
        for second in [15, 30, 45] {
            gauge.scrape(at(second), at(second), at(second));
        }
        assert_eq!(seen(&gauge, 45), Some((at(15), 9000)));
        gauge.scrape(at(60), at(60), at(60));
        assert_eq!(seen(&gauge, 60), Some((at(60), 0)));
    }
}
