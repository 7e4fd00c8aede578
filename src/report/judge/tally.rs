//! Parts of a series added up to one number, and taken away again where a window moves on.

use super::part::Part;
use crate::model::Aggregate;
use crate::model::Latencies;
use crate::model::Metric;
use std::collections::BTreeMap;

/// How finely levels are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grain {
    /// Exactly: what is added can be taken away. Memory grows with the number of parts.
    Exact,
    /// To 1/512, so that a run of any length fits; the largest and the smallest are still exact.
    Fine,
}

/// What parts come to.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    grain: Grain,
    nanos: u128,
    weighted: u128,
    levels: BTreeMap<u64, (u128, u64)>,
    ends: Option<(u64, u64)>,
    levelled: u128,
    events: u128,
    whole: u128,
    latency: Latencies,
    wanted: u128,
}

/// A number a tally comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    /// A level, in its smallest unit.
    Level(f64),
    /// Events.
    Events(f64),
    /// Events per second.
    PerSecond(f64),
    /// A share of one.
    Share(f64),
    /// A time in nanoseconds.
    Nanos(u64),
    /// Requests came and none was answered: longer than any time.
    Unanswered,
}

impl Tally {
    pub(super) const fn new(grain: Grain) -> Self {
        Self {
            grain,
            nanos: 0,
            weighted: 0,
            levels: BTreeMap::new(),
            ends: None,
            levelled: 0,
            events: 0,
            whole: 0,
            latency: Latencies::new(),
            wanted: 0,
        }
    }

    /// The length of all parts, in nanoseconds.
    pub(super) const fn nanos(&self) -> u128 {
        self.nanos
    }

    pub(super) fn add(&mut self, part: &Part<'_>) {
        let nanos = u128::from(part.nanos);
        self.nanos += nanos;
        self.events += u128::from(part.events);
        self.whole += u128::from(part.whole);
        self.wanted += u128::from(part.wanted);
        self.latency.merge(&part.latency);
        let Some(level) = part.level else { return };
        self.levelled += nanos;
        self.weighted += u128::from(level) * nanos;
        let (low, high) = self.ends.unwrap_or((level, level));
        self.ends = Some((low.min(level), high.max(level)));
        let slot = self.levels.entry(self.slot(level)).or_default();
        slot.0 += nanos;
        slot.1 += 1;
    }

    /// Takes away a part that was added, of an exact tally.
    pub(super) fn remove(&mut self, part: &Part<'_>) {
        let nanos = u128::from(part.nanos);
        self.nanos -= nanos;
        self.events -= u128::from(part.events);
        self.whole -= u128::from(part.whole);
        self.wanted -= u128::from(part.wanted);
        self.latency.unmerge(&part.latency);
        let Some(level) = part.level else { return };
        self.levelled -= nanos;
        self.weighted -= u128::from(level) * nanos;
        let key = self.slot(level);
        if let Some(slot) = self.levels.get_mut(&key) {
            slot.0 -= nanos;
            slot.1 -= 1;
            if slot.1 == 0 {
                self.levels.remove(&key);
            }
        }
        self.ends = self.levels.first_key_value().zip(self.levels.last_key_value()).map(|((a, _), (b, _))| (*a, *b));
    }

    pub(super) fn clear(&mut self) {
        let mut latency = std::mem::take(&mut self.latency);
        latency.clear();
        *self = Self { latency, ..Self::new(self.grain) };
    }

    /// The number, or `None` without a sample that could say it.
    pub(super) fn value(&self, aggregate: Aggregate, metric: Metric) -> Option<Value> {
        if self.nanos == 0 {
            return None;
        }
        let seconds = self.nanos as f64 / 1e9;
        match (aggregate, metric) {
            (Aggregate::Percentile(_) | Aggregate::Mean | Aggregate::Max | Aggregate::Min, Metric::Latency) => {
                self.time(aggregate)
            }
            (Aggregate::Count, _) => Some(Value::Events(self.events as f64 / 1000.0)),
            (Aggregate::Rate, _) => Some(Value::PerSecond(self.events as f64 / 1000.0 / seconds)),
            (Aggregate::Share, Metric::Throttled) => self.mean(),
            (Aggregate::Share, _) => (self.whole > 0).then(|| Value::Share(self.events as f64 / self.whole as f64)),
            (Aggregate::Mean, _) => self.mean(),
            (Aggregate::Max, _) => self.ends.map(|(_, high)| Value::Level(high as f64)),
            (Aggregate::Min, _) => self.ends.map(|(low, _)| Value::Level(low as f64)),
            (Aggregate::Percentile(part), _) => self.percentile(part),
        }
    }

    fn mean(&self) -> Option<Value> {
        (self.levelled > 0).then(|| Value::Level(self.weighted as f64 / self.levelled as f64))
    }

    fn time(&self, aggregate: Aggregate) -> Option<Value> {
        let time = match aggregate {
            Aggregate::Percentile(part) => self.latency.quantile(u64::from(part.min(100_000)), 100_000),
            Aggregate::Max => self.latency.quantile(1, 1),
            Aggregate::Min => self.latency.quantile(0, 1),
            Aggregate::Mean | Aggregate::Rate | Aggregate::Count | Aggregate::Share => self.latency.mean(),
        };
        match time {
            Some(time) => Some(Value::Nanos(time.nanos())),
            None if self.wanted > 0 => Some(Value::Unanswered),
            None => None,
        }
    }

    /// The level that is not exceeded in so many of 100,000 parts of the time.
    fn percentile(&self, part: u32) -> Option<Value> {
        let (low, high) = self.ends?;
        let wanted = self.levelled * u128::from(part);
        let mut below = 0;
        for (level, (nanos, _)) in &self.levels {
            below += nanos * 100_000;
            if below >= wanted {
                return Some(Value::Level((*level).clamp(low, high) as f64));
            }
        }
        Some(Value::Level(high as f64))
    }

    /// The key of a level: all of it, or its nine leading bits.
    fn slot(&self, level: u64) -> u64 {
        match self.grain {
            Grain::Exact => level,
            Grain::Fine => {
                let drop = (u64::BITS - level.leading_zeros()).saturating_sub(9);
                level >> drop << drop
            }
        }
    }
}
