//! The signs by which the register (M5) says that a host is too small.

use crate::model::Incident;
use crate::model::Latencies;
use crate::model::Metric;
use crate::model::Sample;
use crate::model::Scenario;
use crate::model::Subject;
use crate::record::Event;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Span;
use std::collections::BTreeSet;

/// A sign that a host is too small (register M5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// CPU above 80 % for ten minutes.
    Cpu,
    /// The kernel killed something for its memory.
    Oom,
    /// P95 above one second, of a service whose latency the scenario looks at.
    Slow,
    /// A service that holds data refused requests while it was up: all its connections or workers were taken.
    Connections,
    /// A language model of more than 7 billion parameters.
    Models,
}

impl Trigger {
    /// As the register has it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Cpu => "CPU > 80% for 10 min",
            Self::Oom => "OOM",
            Self::Slow => "P95 > 1 s",
            Self::Connections => "connections exhausted",
            Self::Models => "a model > 7B",
        }
    }

    /// As programs have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Oom => "oom",
            Self::Slow => "p95",
            Self::Connections => "connections",
            Self::Models => "models",
        }
    }
}

const WINDOW: Span = Span::from_mins(10);
const BUSY: Permille = Permille::percent(80);
const SLOW: Span = Span::from_secs(1);
/// What a model of 7 billion parameters holds at most, by planning document Z: 4.2 to 5.4 GB.
const SEVEN_BILLION: Bytes = Bytes::mebi(5530);

/// Whether a scenario runs a language model of more than 7 billion parameters, by the memory that it holds.
#[must_use]
pub fn has_large_model(scenario: &Scenario) -> bool {
    scenario.services.values().any(|model| model.role == "llm" && model.idle_memory > SEVEN_BILLION)
}

/// Watches a run for them, after the warm-up.
pub(super) struct Watch {
    from: Instant,
    capacity: Millicores,
    memory: Bytes,
    /// Services whose latency is looked at, with it so far; services that hold data.
    slow: Vec<Option<Latencies>>,
    stateful: Vec<bool>,
    /// CPU of the samples of the last ten minutes.
    recent: std::collections::VecDeque<(Span, Millicores)>,
    length: Span,
    busiest: u64,
    fullest: Bytes,
    seen: BTreeSet<Trigger>,
}

impl Watch {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let looked_at = |name| {
            let of = |subject: &Subject| matches!(subject, Subject::Service(known) if known == name);
            let measures = scenario.expect.iter().map(|expectation| &expectation.measure);
            measures.filter(|measure| measure.metric == Metric::Latency).any(|measure| of(&measure.subject))
        };
        Self {
            from: Instant::after_start(scenario.warmup),
            capacity: scenario.host.capacity(),
            memory: scenario.host.memory,
            slow: scenario.services.keys().map(|name| looked_at(name).then(Latencies::new)).collect(),
            stateful: scenario.services.values().map(|model| model.stateful).collect(),
            recent: std::collections::VecDeque::new(),
            length: Span::ZERO,
            busiest: 0,
            fullest: Bytes::ZERO,
            seen: if has_large_model(scenario) { [Trigger::Models].into() } else { BTreeSet::new() },
        }
    }

    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::Sampled(sample) if sample.at.minus(sample.span) >= self.from => self.sample(sample),
            Event::Happened { at, incident: Incident::OomKilled { .. } | Incident::HostOomKilled { .. } }
                if *at >= self.from =>
            {
                self.seen.insert(Trigger::Oom);
            }
            _ => {}
        }
    }

    fn sample(&mut self, sample: &Sample) {
        self.fullest = self.fullest.max(sample.host.memory);
        self.recent.push_back((sample.span, sample.host.cpu));
        self.length = self.length.plus(sample.span);
        while let Some((span, _)) = self.recent.front().copied().filter(|first| self.length.minus(first.0) >= WINDOW) {
            self.recent.pop_front();
            self.length = self.length.minus(span);
        }
        if self.length >= WINDOW {
            let used: u128 =
                self.recent.iter().map(|(span, cpu)| u128::from(span.nanos()) * u128::from(cpu.get())).sum();
            let mean = u64::try_from(used / u128::from(self.length.nanos().max(1))).unwrap_or(u64::MAX);
            self.busiest = self.busiest.max(mean);
        }
        for (place, service) in sample.services.iter().enumerate() {
            if let Some(Some(latencies)) = self.slow.get_mut(place) {
                latencies.merge(&service.latency);
            }
            if service.errors.refused > 0 && service.replicas > 0 && self.stateful.get(place) == Some(&true) {
                self.seen.insert(Trigger::Connections);
            }
        }
    }

    /// The busiest ten minutes as a share of the cores, the most memory as a share of what there is, and the signs.
    pub(super) fn finish(mut self) -> (Permille, Permille, BTreeSet<Trigger>) {
        let cpu = Permille::ratio(self.busiest, self.capacity.get()).unwrap_or(Permille::ZERO);
        let memory = Permille::ratio(self.fullest.get(), self.memory.get()).unwrap_or(Permille::ZERO);
        if cpu > BUSY {
            self.seen.insert(Trigger::Cpu);
        }
        let is_slow = |latencies: &Latencies| latencies.quantile(95, 100).is_some_and(|time| time > SLOW);
        if self.slow.iter().flatten().any(is_slow) {
            self.seen.insert(Trigger::Slow);
        }
        (cpu, memory, self.seen)
    }
}
