//! What containers use, from the counters of the engine: rates over a window, as Prometheus would take them.

use super::project::working_set;
use crate::model::Usage;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Span;
use bollard::models::ContainerStatsResponse;
use std::collections::BTreeMap;
use std::collections::VecDeque;

/// Counters of one container at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// When they were read.
    pub at: Instant,
    /// CPU used since it was started, in nanoseconds.
    pub cpu: u64,
    /// Memory it holds.
    pub memory: Bytes,
}

impl Reading {
    /// Takes the counters out of what an engine says; `None` where it says nothing, as of a container that does not run.
    #[must_use]
    pub fn of(at: Instant, stats: &ContainerStatsResponse) -> Option<Self> {
        let cpu = stats.cpu_stats.as_ref()?.cpu_usage.as_ref()?.total_usage?;
        stats.memory_stats.as_ref()?.usage?;
        Some(Self { at, cpu, memory: working_set(stats) })
    }
}

/// The readings of the last while, by container.
#[derive(Debug, Clone)]
pub struct Meter {
    window: Span,
    readings: BTreeMap<String, VecDeque<Reading>>,
}

impl Meter {
    /// A meter that looks back so far.
    #[must_use]
    pub const fn over(window: Span) -> Self {
        Self { window, readings: BTreeMap::new() }
    }

    /// Takes a reading down. Counters that fell are those of a container that was started again: what was before is forgotten.
    pub fn take(&mut self, container: &str, reading: Reading) {
        let readings = self.readings.entry(container.to_owned()).or_default();
        if readings.back().is_some_and(|last| reading.cpu < last.cpu || reading.at <= last.at) {
            readings.clear();
        }
        readings.push_back(reading);
        while readings.len() > 2 && readings.get(1).is_some_and(|second| reading.at.since(second.at) >= self.window) {
            readings.pop_front();
        }
    }

    /// Forgets all that are not among these.
    pub fn keep(&mut self, containers: &[&str]) {
        self.readings.retain(|id, _| containers.contains(&id.as_str()));
    }

    /// What a container used over the window, or since it is known; `None` before the second reading.
    #[must_use]
    pub fn usage(&self, container: &str) -> Option<Usage> {
        let readings = self.readings.get(container)?;
        let (first, last) = (readings.front()?, readings.back()?);
        let window = last.at.since(first.at);
        // Nanoseconds of CPU in a nanosecond are cores.
        let cpu = u128::from(last.cpu - first.cpu) * 1000 / u128::from(window.nanos()).max(1);
        let memory_max = readings.iter().map(|reading| reading.memory).max()?;
        (readings.len() > 1).then(|| Usage {
            at: last.at,
            window,
            cpu: Millicores::new(u64::try_from(cpu).unwrap_or(u64::MAX)),
            memory: last.memory,
            memory_max,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(second: u64, cpu_millis: u64, mebibytes: u64) -> Reading {
        Reading {
            at: Instant::after_start(Span::from_secs(second)),
            cpu: cpu_millis * 1_000_000,
            memory: Bytes::mebi(mebibytes),
        }
    }

    #[test]
    fn usage_is_a_mean_over_the_window_and_no_older() {
        let mut meter = Meter::over(Span::from_secs(30));
        meter.take("a", reading(0, 0, 900));
        assert_eq!(meter.usage("a"), None, "one reading is no rate");
        for (second, cpu, memory) in [(15, 15_000, 100), (30, 18_000, 300), (45, 21_000, 200)] {
            meter.take("a", reading(second, cpu, memory));
        }
        let usage = meter.usage("a").expect("four readings");
        // 6 s of CPU in the last 30 s.
        assert_eq!((usage.cpu, usage.window), (Millicores::new(200), Span::from_secs(30)));
        assert_eq!((usage.memory, usage.memory_max), (Bytes::mebi(200), Bytes::mebi(300)));
        meter.take("a", reading(60, 10, 50));
        assert_eq!(meter.usage("a"), None, "started again: what was counted before says nothing");
        meter.keep(&["b"]);
        assert_eq!(meter.usage("a"), None);
    }
}
