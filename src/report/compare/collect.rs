//! One run of one policy, read event by event into figures.
//!
//! Before you change it:
//! 1. State is bounded: it does not grow with the length of the run.
//! 2. A sample counts when all of it lies behind the warm-up. Sums are whole numbers and divided once, at the end.
//! 3. Supply is what has come up, from change to change: an instance that starts helps nobody yet. What is paid for is all
//!    that there is.

use super::measure::Measure;
use super::supply::Supply;
use super::trail::Trail;
use super::trail::TrailPoint;
use crate::model::Demand;
use crate::model::Incident;
use crate::model::Latencies;
use crate::model::Sample;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::model::ServiceSample;
use crate::money::Basis;
use crate::money::Ledger;
use crate::money::MONTH;
use crate::money::Prices;
use crate::record::Event;
use crate::report::Keep;
use crate::report::effectiveness::Effectiveness;
use crate::report::effectiveness::Paces;
use crate::report::elasticity::Following;
use crate::report::elasticity::PENALTY;
use crate::report::elasticity::Pace;
use crate::report::elasticity::Provisioning;
use crate::report::elasticity::deviation;
use crate::report::judge::LevelTime;
use crate::report::judge::ServiceLevel;
use crate::units::Instant;
use crate::units::Span;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How often supply and demand are looked at for instability, or once a sample where that is less often: as in ICPE'17.
const LOOK: Span = Span::from_secs(30);
const NANOS_PER_HOUR: f64 = 3.6e12;
const GIBIBYTE: f64 = 1_073_741_824.0;

/// What a comparison is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// The services that the policies are tried on.
    pub subjects: Vec<ServiceName>,
    /// Those of them whose number of instances some policy changes.
    pub scaled: Vec<ServiceName>,
    /// Those of them whose demand is known, in the order in which a demand gives it.
    pub needed: Vec<ServiceName>,
}

/// What one run came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Taken {
    /// Figures; those that cannot be told are left out.
    pub figures: BTreeMap<Measure, f64>,
    /// Accuracies and time shares, the mean over the services; for the speedup over another run.
    pub(super) provisioning: Option<Provisioning>,
    /// Supply and demand over time.
    pub(super) trail: Option<Trail>,
}

/// Takes the events of one run.
#[derive(Debug)]
pub struct Collector {
    scenario: Arc<Scenario>,
    subjects: Vec<usize>,
    entries: Vec<usize>,
    from: Instant,
    levels: LevelTime,
    kept: Ledger,
    used: Ledger,
    /// Requests that service levels are about, in thousandths; of these, slow or failed.
    asked: u128,
    bad: u128,
    latency: Latencies,
    failed: u64,
    /// Thousandths of an instance, times nanoseconds; and of these, throttled, in thousandths.
    instances: u128,
    throttled: u128,
    cpu: Held,
    memory: Held,
    oom_kills: u64,
    paces: Paces,
    /// By name, of the services whose supply is shown or followed, those with a demand first.
    supplies: Vec<(ServiceName, Supply)>,
    followings: Vec<Following>,
    trail: Option<Trail>,
}

/// Limits of all instances over time, and what is used of them.
#[derive(Debug, Default, Clone, Copy)]
struct Held {
    limit: u128,
    used: u128,
    /// Some instance has no limit.
    unlimited: bool,
}

impl Collector {
    /// For a run of this scenario.
    #[must_use]
    pub fn new(scenario: &Arc<Scenario>, frame: &Frame, keep: Keep) -> Self {
        let place = |name: &ServiceName| scenario.services.keys().position(|known| known == name);
        let places = |names: &[ServiceName]| names.iter().filter_map(place).collect::<Vec<_>>();
        // Whose limits move, too, is not as strong with as many instances.
        let moves_limits =
            |name: &ServiceName| scenario.policies.get(name).is_some_and(|policy| policy.vertical().is_some());
        let is_followed = !frame.needed.iter().any(moves_limits);
        let supplied = if frame.needed.is_empty() { &frame.scaled } else { &frame.needed };
        let following = || Following::new(LOOK.max(scenario.sample));
        Self {
            subjects: places(&frame.subjects),
            entries: scenario.load.keys().filter_map(place).collect(),
            from: Instant::after_start(scenario.warmup),
            levels: LevelTime::new(scenario),
            kept: Ledger::new(Basis::Kept, scenario),
            used: Ledger::new(Basis::Use, scenario),
            asked: 0,
            bad: 0,
            latency: Latencies::new(),
            failed: 0,
            instances: 0,
            throttled: 0,
            cpu: Held::default(),
            memory: Held::default(),
            oom_kills: 0,
            paces: Paces::new(scenario),
            supplies: supplied.iter().map(|name| (name.clone(), Supply::default())).collect(),
            followings: frame.needed.iter().filter(|_| is_followed).map(|_| following()).collect(),
            trail: (keep == Keep::Plots).then(Trail::default),
            scenario: Arc::clone(scenario),
        }
    }

    /// Takes the next event; with a sample comes the demand of its stretch.
    pub fn take(&mut self, event: &Event, demand: Option<&Demand>) {
        match event {
            Event::Sampled(sample) => {
                let demand = demand.cloned().unwrap_or_default();
                let begin = sample.at.minus(sample.span);
                let supplies: Vec<Vec<(u32, Span)>> =
                    self.supplies.iter_mut().map(|(_, supply)| supply.between(begin, sample.at)).collect();
                if let Some(trail) = &mut self.trail {
                    let fewest = |stretches: &Vec<(u32, Span)>| stretches.iter().map(|(count, _)| *count).min();
                    trail.take(TrailPoint {
                        from: begin.since_start().as_secs(),
                        to: sample.at.since_start().as_secs(),
                        offered: demand.offered.as_per_second(),
                        demand: demand.instances.iter().map(|count| f64::from(*count)).sum(),
                        supply: supplies.iter().filter_map(fewest).map(f64::from).sum(),
                    });
                }
                if begin >= self.from {
                    self.take_sample(sample);
                    for ((following, supply), needed) in self.followings.iter_mut().zip(supplies).zip(demand.instances)
                    {
                        supply.into_iter().for_each(|(count, span)| following.hold(needed, count, span));
                    }
                }
            }
            Event::Happened { at, incident: Incident::Changed { service, instance, to } } => {
                if let Some((_, supply)) = self.supplies.iter_mut().find(|(name, _)| name == service) {
                    supply.change(*at, *instance, *to);
                }
            }
            Event::Decided { at, decision } => {
                decision.actions.iter().for_each(|action| self.paces.take(*at, action));
            }
            Event::Began(_) | Event::Seen { .. } | Event::Happened { .. } | Event::Ended { .. } => {}
        }
    }

    fn take_sample(&mut self, sample: &Sample) {
        let nanos = u128::from(sample.span.nanos());
        self.kept.take(&self.scenario, sample);
        self.used.take(&self.scenario, sample);
        self.levels.take(&self.scenario, sample);
        self.take_requests(sample);
        self.oom_kills += sample.services.iter().map(|service| u64::from(service.oom_kills)).sum::<u64>();
        for service in self.entries.iter().filter_map(|place| sample.services.get(*place)) {
            self.latency.merge(&service.latency);
            self.failed += service.failed;
        }
        let models: Vec<_> = self.scenario.services.values().collect();
        for place in &self.subjects {
            let (Some(service), Some(model)) = (sample.services.get(*place), models.get(*place)) else { continue };
            let instances = u128::from(service.instances_of(model.replicas));
            self.instances += instances * nanos;
            self.throttled += instances * nanos * u128::from(service.throttled.get());
            let limits = service.limits;
            self.cpu.add(limits.cpu.map(|cpu| cpu.get()), instances, u128::from(service.cpu.get()) * 1000, nanos);
            let held = u128::from(service.memory.get()) * instances;
            self.memory.add(limits.memory.map(|memory| memory.get()), instances, held, nanos);
        }
    }

    /// For how many requests service levels are broken.
    fn take_requests(&mut self, sample: &Sample) {
        for (place, service) in sample.services.iter().enumerate() {
            let mut about = self.levels.levels().iter().filter(|level| level.is_about(place, sample)).peekable();
            if about.peek().is_none() {
                continue;
            }
            let slow = about.filter_map(ServiceLevel::slow).min().map_or(0, |bound| service.latency.above(bound));
            self.asked += u128::from(finished(service));
            self.bad += u128::from(service.failed.saturating_add(slow));
        }
    }

    /// What the run came to, up to its end.
    #[must_use]
    pub fn finish(self, end: Instant) -> Taken {
        let mut figures = BTreeMap::new();
        let mut put = |measure: Measure, value: Option<f64>| {
            if let Some(value) = value.filter(|value| value.is_finite()) {
                figures.insert(measure, value);
            }
        };
        let part = |part: u128, whole: u128| (whole > 0).then(|| part as f64 / whole as f64);
        put(Measure::BrokenTime, part(self.levels.broken(), self.levels.levelled()));
        put(Measure::BrokenRequests, part(self.bad, self.asked));
        let time = |percent| self.latency.quantile(percent, 100).map(|time| time.nanos() as f64 / 1e6);
        put(Measure::P95, time(95));
        put(Measure::P99, time(99));
        put(Measure::Failed, (!self.entries.is_empty()).then_some(self.failed as f64 / 1000.0));
        put(Measure::Cost, self.cost());
        let hours = |amount: u128, scale: f64| amount as f64 / 1000.0 / scale / NANOS_PER_HOUR;
        put(Measure::InstanceHours, Some(hours(self.instances, 1.0)));
        put(Measure::CpuHours, (!self.cpu.unlimited).then(|| hours(self.cpu.limit, 1000.0)));
        put(Measure::MemoryHours, (!self.memory.unlimited).then(|| hours(self.memory.limit, GIBIBYTE)));
        put(Measure::CpuSlack, self.cpu.slack());
        put(Measure::MemorySlack, self.memory.slack());
        put(Measure::Throttled, part(self.throttled, self.instances.saturating_mul(1000)));
        put(Measure::OomKills, Some(self.oom_kills as f64));
        let judged = end > self.from;
        let sum = |each: fn(&Pace) -> u64| judged.then(|| self.paces.all().map(each).sum::<u64>() as f64);
        put(Measure::Actions, sum(|pace| pace.actions));
        put(Measure::Reversals, sum(|pace| pace.reversals));
        put(Measure::Flaps, sum(|pace| pace.flaps));
        put(Measure::Effectiveness, self.effectiveness());
        let all: Vec<_> = self.followings.into_iter().filter_map(Following::finish).collect();
        let mean = |each: &dyn Fn(&crate::report::elasticity::Elasticity) -> f64| {
            all.iter().map(each).sum::<f64>() / all.len() as f64
        };
        let provisioning = (!all.is_empty()).then(|| Provisioning {
            accuracy_under: mean(&|of| of.provisioning.accuracy_under),
            accuracy_over: mean(&|of| of.provisioning.accuracy_over),
            time_under: mean(&|of| of.provisioning.time_under),
            time_over: mean(&|of| of.provisioning.time_over),
        });
        if let Some(provisioning) = &provisioning {
            let instability = mean(&|of| of.instability.share());
            put(Measure::AccuracyUnder, Some(provisioning.accuracy_under));
            put(Measure::AccuracyOver, Some(provisioning.accuracy_over));
            put(Measure::TimeUnder, Some(provisioning.time_under));
            put(Measure::TimeOver, Some(provisioning.time_over));
            put(Measure::Instability, Some(instability));
            put(Measure::Jitter, Some(mean(&|of| of.jitter_per_hour)));
            put(Measure::Deviation, Some(deviation(provisioning, instability, PENALTY)));
        }
        Taken { figures, provisioning, trail: self.trail }
    }

    /// What is kept for the services, for a month like this time.
    fn cost(&self) -> Option<f64> {
        let kept = self.names().filter_map(|name| self.kept.services().get(name)).copied();
        let kept = kept.reduce(|sum, one| sum.plus(&one))?;
        let month = Prices::default().of(&kept.stretched(self.kept.span(), MONTH));
        (self.kept.span() > Span::ZERO).then(|| month.total().get() as f64 / 1e6)
    }

    /// How effective the policy is on the services that it is tried on.
    fn effectiveness(&self) -> Option<f64> {
        Effectiveness::new(self.names(), (&self.levels, &self.paces), (&self.kept, &self.used)).score()
    }

    fn names(&self) -> impl Iterator<Item = &ServiceName> {
        let names = self.scenario.services.keys().enumerate();
        names.filter(|(place, _)| self.subjects.contains(place)).map(|(_, name)| name)
    }
}

impl Held {
    /// Adds a stretch; `limit` is of one instance, `instances` and `used` are in thousandths.
    fn add(&mut self, limit: Option<u64>, instances: u128, used: u128, nanos: u128) {
        match limit {
            Some(limit) => {
                self.limit += u128::from(limit) * instances * nanos;
                self.used += used * nanos;
            }
            None => self.unlimited |= instances > 0,
        }
    }

    /// The share that is not used; `None` where there is no limit, or not of all.
    fn slack(&self) -> Option<f64> {
        let left = self.limit.saturating_sub(self.used);
        (self.limit > 0 && !self.unlimited).then(|| left as f64 / self.limit as f64)
    }
}

/// Requests that ended, in thousandths.
const fn finished(service: &ServiceSample) -> u64 {
    service.served.saturating_add(service.failed)
}
