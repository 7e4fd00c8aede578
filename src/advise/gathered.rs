//! What recommendations are made from: use of each instance over time, what was kept for it, and its days.
//!
//! Before you change it:
//! 1. What is read here is the truth of the samples behind the warm-up, of an instance: CPU of all instances over their
//!    number, and the largest working set.
//! 2. Memory is bounded: use of the last two weeks, as KRR looks back.

use crate::engine::forecast::Config;
use crate::engine::forecast::Forecaster;
use crate::engine::forecast::Season;
use crate::engine::reference::krr::ContainerHistory;
use crate::model::Sample;
use crate::model::Scenario;
use crate::model::ServiceModel;
use crate::model::ServiceName;
use crate::model::ServiceSample;
use crate::money::Basis;
use crate::money::Ledger;
use crate::report::Level;
use crate::units::Bytes;
use crate::units::Instant;
use crate::units::Millicores;
use crate::units::Span;
use std::collections::BTreeMap;
use std::collections::VecDeque;

/// How far back use is looked at: KRR's two weeks.
const HISTORY: Span = Span::from_mins(14 * 24 * 60);

/// What is seen of one service in one run.
#[derive(Debug, Clone)]
pub struct Seen {
    /// CPU of an instance in cores, and its working set in bytes, a sample each.
    used: VecDeque<(f64, f64)>,
    /// The largest memory limit with which it was killed.
    killed_at: Option<Bytes>,
    /// CPU used of what is kept, in thousandths.
    pub cpu_share: Level,
    /// Memory used of what is kept, in thousandths.
    pub memory_share: Level,
    days: Forecaster,
}

impl Seen {
    fn new() -> Self {
        Self {
            used: VecDeque::new(),
            killed_at: None,
            cpu_share: Level::default(),
            memory_share: Level::default(),
            days: Forecaster::new(Config::default()),
        }
    }

    fn take(&mut self, model: &ServiceModel, sample: &Sample, service: &ServiceSample, most: usize) {
        let instances = service.instances_of(model.replicas);
        self.days.observe(sample.at, Some(service.cpu.get()));
        if service.oom_kills > 0 {
            self.killed_at = self.killed_at.max(service.limits.memory);
        }
        if instances == 0 {
            return;
        }
        if self.used.len() >= most {
            self.used.pop_front();
        }
        let cpu = service.cpu.get().saturating_mul(1000) / instances;
        self.used.push_back((service.cpu.get() as f64 / instances as f64, service.memory.get() as f64));
        let nanos = sample.span.nanos();
        let kept = |reserved: Option<u64>, limit: Option<u64>| reserved.into_iter().chain(limit).min();
        let share =
            |used: u64, kept: u64| u64::try_from(u128::from(used) * 1000 / u128::from(kept.max(1))).unwrap_or(u64::MAX);
        let (reserved, limit) = (model.reservations, service.limits);
        if let Some(kept) = kept(reserved.cpu.map(Millicores::get), limit.cpu.map(Millicores::get)) {
            self.cpu_share.add(share(cpu, kept), nanos);
        }
        if let Some(kept) = kept(reserved.memory.map(Bytes::get), limit.memory.map(Bytes::get)) {
            self.memory_share.add(share(service.memory.get(), kept), nanos);
        }
    }

    /// As KRR is given it.
    #[must_use]
    pub fn history(&self) -> ContainerHistory {
        ContainerHistory {
            cpu: self.used.iter().map(|(cpu, _)| *cpu).collect(),
            memory: self.used.iter().map(|(_, memory)| *memory).collect(),
            oom_killed_limit: self.killed_at.map(|limit| limit.get() as f64),
        }
    }

    /// The season in its use of CPU, in thousandths of a core; `None` where its days are not alike, or too few.
    #[must_use]
    pub fn season(&self) -> Option<Season> {
        self.days.season()
    }
}

/// What is seen in one run.
#[derive(Debug, Clone)]
pub struct Gathering {
    begin: Instant,
    most: usize,
    /// By service.
    pub services: BTreeMap<ServiceName, Seen>,
    /// What is kept for services.
    pub kept: Ledger,
    /// What services use.
    pub used: Ledger,
}

impl Gathering {
    /// For a run of this scenario.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            begin: Instant::after_start(scenario.warmup),
            most: usize::try_from(HISTORY.fit(scenario.sample)).unwrap_or(usize::MAX).max(1),
            services: scenario.services.keys().map(|name| (name.clone(), Seen::new())).collect(),
            kept: Ledger::new(Basis::Kept, scenario),
            used: Ledger::new(Basis::Use, scenario),
        }
    }

    /// Takes the next sample of that run.
    pub fn take(&mut self, scenario: &Scenario, sample: &Sample) {
        self.kept.take(scenario, sample);
        self.used.take(scenario, sample);
        if sample.at.minus(sample.span) < self.begin {
            return;
        }
        for ((seen, model), service) in self.services.values_mut().zip(scenario.services.values()).zip(&sample.services)
        {
            seen.take(model, sample, service, self.most);
        }
    }
}
