//! What services need and how often they call each other, as a run shows it.

use crate::model::Sample;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Permille;
use crate::units::Rate;
use crate::units::Span;
use crate::units::whole;
use std::collections::BTreeMap;

/// What one service needs: all of its instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The service.
    pub service: ServiceName,
    /// CPU in its busiest ten minutes.
    pub cpu: Millicores,
    /// The most memory.
    pub memory: Bytes,
}

/// How often one service calls another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Who calls.
    pub from: ServiceName,
    /// Who is called.
    pub to: ServiceName,
    /// Calls per second, the mean.
    pub calls: Rate,
}

/// What all services need.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Demand {
    /// By name.
    pub needs: Vec<Need>,
    /// By the names of both.
    pub ways: Vec<Way>,
    /// The most memory of all services at one time.
    pub at_once: Bytes,
}

/// The time over which CPU is averaged: the register's trigger (M5) looks at ten minutes.
pub(crate) const WINDOW: Span = Span::from_mins(10);

/// Gathers the demand of a run.
#[derive(Debug, Clone)]
pub struct Gathering {
    from: Instant,
    names: Vec<ServiceName>,
    replicas: Vec<u32>,
    /// CPU nanoseconds of the window that is open, by service, and its length so far.
    open: (Vec<u128>, Span),
    /// Which window that is, from the start of the run.
    window: u64,
    cpu: Vec<Millicores>,
    memory: Vec<Bytes>,
    /// Requests that came, in thousandths.
    arrived: Vec<u64>,
    judged: Span,
    at_once: Bytes,
    /// CPU of all services in each hour, its busiest window, from the start of the run.
    hours: Vec<Millicores>,
}

impl Gathering {
    /// Of a run of this scenario; the warm-up does not count.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let count = scenario.services.len();
        Self {
            from: Instant::after_start(scenario.warmup),
            names: scenario.services.keys().cloned().collect(),
            replicas: scenario.services.values().map(|model| model.replicas).collect(),
            open: (vec![0; count], Span::ZERO),
            window: 0,
            cpu: vec![Millicores::ZERO; count],
            memory: vec![Bytes::ZERO; count],
            arrived: vec![0; count],
            judged: Span::ZERO,
            at_once: Bytes::ZERO,
            hours: Vec::new(),
        }
    }

    /// Takes a sample.
    pub fn take(&mut self, sample: &Sample) {
        if sample.at.minus(sample.span) < self.from {
            return;
        }
        // Windows begin at whole ten minutes, so that none reaches over an hour.
        let begin = sample.at.minus(sample.span);
        if begin.since_start().fit(WINDOW) != self.window {
            self.close(begin);
            self.window = begin.since_start().fit(WINDOW);
        }
        self.judged = self.judged.plus(sample.span);
        self.open.1 = self.open.1.plus(sample.span);
        let mut held = Bytes::ZERO;
        for (place, service) in sample.services.iter().enumerate().take(self.names.len()) {
            let instances = service.instances_of(self.replicas[place]).div_ceil(1000);
            let memory = service.memory.scaled(instances, 1);
            held = held.plus(memory);
            self.memory[place] = self.memory[place].max(memory);
            self.arrived[place] = self.arrived[place].saturating_add(service.arrived);
            self.open.0[place] += u128::from(service.cpu.get()) * u128::from(sample.span.nanos());
        }
        self.at_once = self.at_once.max(held);
    }

    /// Closes the window that is open. One that is cut short to less than half counts only where there is no other.
    fn close(&mut self, at: Instant) {
        let length = u128::from(self.open.1.nanos());
        if length == 0 || self.open.1.times(2) < WINDOW && !self.hours.is_empty() {
            self.open.0.fill(0);
            self.open.1 = Span::ZERO;
            return;
        }
        let mut all = 0;
        for (place, used) in self.open.0.iter_mut().enumerate() {
            let mean = u64::try_from(used.div_ceil(length)).unwrap_or(u64::MAX);
            self.cpu[place] = self.cpu[place].max(Millicores::new(mean));
            all += mean;
            *used = 0;
        }
        self.open.1 = Span::ZERO;
        let hour = crate::units::place(at.minus(Span::from_nanos(1)).since_start().as_secs() / 3600.0);
        if self.hours.len() <= hour {
            self.hours.resize(hour + 1, Millicores::ZERO);
        }
        self.hours[hour] = self.hours[hour].max(Millicores::new(all));
    }

    /// CPU of all services in each hour of the run, the mean of its busiest ten minutes. Nothing in the warm-up.
    #[must_use]
    pub fn hours(&self) -> &[Millicores] {
        &self.hours
    }

    /// The demand.
    #[must_use]
    pub fn finish(mut self, scenario: &Scenario) -> (Demand, Vec<Millicores>) {
        self.close(Instant::after_start(scenario.duration));
        let seconds = self.judged.as_secs();
        let needs = (0..self.names.len()).map(|place| Need {
            service: self.names[place].clone(),
            cpu: self.cpu[place],
            memory: self.memory[place],
        });
        let mut ways: BTreeMap<(ServiceName, ServiceName), f64> = BTreeMap::new();
        for (place, (name, model)) in scenario.services.iter().enumerate() {
            let rate = if seconds > 0.0 { self.arrived[place] as f64 / 1000.0 / seconds } else { 0.0 };
            for call in &model.work.calls {
                let made = 1.0 - call.cached.min(Permille::ONE).as_fraction();
                *ways.entry((name.clone(), call.to.clone())).or_default() += rate * f64::from(call.count) * made;
            }
        }
        let way = |((from, to), calls): ((ServiceName, ServiceName), f64)| Way {
            from,
            to,
            calls: Rate::micro(whole(calls * 1e6)),
        };
        (
            Demand { needs: needs.collect(), ways: ways.into_iter().map(way).collect(), at_once: self.at_once },
            self.hours,
        )
    }
}

impl Demand {
    /// CPU of all services together: their busiest times added up, as though they came at once.
    #[must_use]
    pub fn cpu(&self) -> Millicores {
        self.needs.iter().fold(Millicores::ZERO, |sum, need| sum.plus(need.cpu))
    }
}
