//! The simulated loop: synchronous, and it moves time.

use super::rollouts::Rollouts;
use super::step;
use crate::audit::Audit;
use crate::audit::Breach;
use crate::engine::Engine;
use crate::model::FaultKind;
use crate::model::Incident;
use crate::model::Observation;
use crate::model::Scenario;
use crate::record::Event;
use crate::record::FORMAT_VERSION;
use crate::record::Header;
use crate::seed::Seed;
use crate::units::Instant;
use crate::units::Span;
use crate::world::sim::World;
use rayon::prelude::*;
use std::fmt;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Simulated time it ended at.
    pub ended: Instant,
    /// Containers advanced by one step.
    pub container_ticks: u64,
}

/// The engine made a decision, or a deployment a move, that breaks its own rules; the run stopped there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breached {
    /// The seed of the run.
    pub seed: Seed,
    /// When.
    pub at: Instant,
    /// Every rule that was broken.
    pub breaches: Vec<Breach>,
}

impl Breached {
    /// The command that shows it again, by the scenario's path.
    #[must_use]
    pub fn repeat(&self, scenario: &str) -> String {
        format!("plimsoll simulate {scenario} --seed {}", self.seed.get())
    }
}

impl std::error::Error for Breached {}

impl fmt::Display for Breached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the engine broke its own rules at {} with seed {}", self.at, self.seed.get())?;
        self.breaches.iter().try_for_each(|breach| write!(f, "\n  {breach}"))
    }
}

/// Runs a scenario with one seed. What happens goes to the sink in order of time: [`Event::Began`] first; at one point in
/// time incidents, then the sample, then what the engine saw and decided, then what deployments did; [`Event::Ended`] last.
///
/// The engine looks every `sensors.look`, for the first time one such span after the start. The last sample ends with the
/// run and may be shorter.
///
/// # Errors
/// [`Breached`] where a decision, or an answer of a deployment, fails the audit. Nothing of it is applied and the run ends
/// there, without `Ended`.
pub fn simulate(scenario: &Scenario, seed: Seed, sink: &mut dyn FnMut(&Event)) -> Result<Outcome, Breached> {
    simulate_with(Rollouts::new(&scenario.deployments), scenario, seed, sink)
}

/// Runs a scenario with its deployments as they are given.
pub(super) fn simulate_with(
    mut rollouts: Rollouts,
    scenario: &Scenario,
    seed: Seed,
    sink: &mut dyn FnMut(&Event),
) -> Result<Outcome, Breached> {
    let mut world = World::new(scenario, seed);
    let mut engine = Engine::new(scenario.policies.clone());
    let mut audit = Audit::new(&scenario.policies);
    let end = Instant::after_start(scenario.duration);
    let mut seen = Observation::default();
    let mut look = Rhythm::new(scenario.sensors.look);
    let mut sample = Rhythm::new(scenario.sample);
    sink(&Event::Began(Box::new(header(scenario, seed))));
    loop {
        let now = look.next.min(sample.next).min(rollouts.due()).min(end);
        world.advance(now);
        if happened(&mut world, scenario, sink) {
            engine = Engine::new(scenario.policies.clone());
            audit = Audit::new(&scenario.policies);
        }
        if sample.strikes(now) || now == end {
            sink(&Event::Sampled(world.sample()));
        }
        if look.strikes(now) {
            world.observe_again(&mut seen);
            match step(&mut engine, &mut audit, now, &mut seen, sink) {
                Ok(decision) => world.apply(&decision.actions),
                Err(breaches) => return Err(Breached { seed, at: now, breaches }),
            }
            happened(&mut world, scenario, sink);
        }
        if rollouts.due() <= now {
            let looked = rollouts.look(now, &mut world, sink);
            looked.map_err(|breaches| Breached { seed, at: now, breaches })?;
            happened(&mut world, scenario, sink);
        }
        if now == end {
            let container_ticks = world.container_ticks();
            sink(&Event::Ended { at: now, container_ticks });
            return Ok(Outcome { ended: now, container_ticks });
        }
    }
}

/// One seed's part of [`simulate_all`].
#[derive(Debug)]
pub struct Run<C> {
    /// The seed.
    pub seed: Seed,
    /// What consumed its events, with what it kept of them.
    pub consumer: C,
    /// How it ended.
    pub end: Result<Outcome, Breached>,
}

/// Runs a scenario with each of its seeds, on at most `jobs` threads (zero: one a core). Runs share nothing, and come back
/// in the order of the seeds, so the number of threads changes nothing but the time it takes.
///
/// `begin` makes a consumer for a seed, `consume` gives it an event; `progress` hears how far each seed is, at every sample,
/// from any thread.
pub fn simulate_all<C: Send>(
    scenario: &Scenario,
    jobs: usize,
    begin: &(dyn Fn(Seed) -> C + Sync),
    consume: &(dyn Fn(&mut C, &Event) + Sync),
    progress: &(dyn Fn(Seed, Instant) + Sync),
) -> Vec<Run<C>> {
    let run = |seed: Seed| {
        let mut consumer = begin(seed);
        let end = simulate(scenario, seed, &mut |event| {
            consume(&mut consumer, event);
            if let Event::Sampled(sample) = event {
                progress(seed, sample.at);
            }
        });
        Run { seed, consumer, end }
    };
    on_threads(&scenario.seeds, jobs, |seed| run(*seed))
}

/// Works on items on at most `jobs` threads (zero: one a core); the results are in the order of the items. Work that asks for
/// threads itself shares those that there are.
#[must_use]
pub fn on_threads<T: Sync, R: Send>(items: &[T], jobs: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let alone = || items.iter().map(&work).collect();
    if jobs == 1 || items.len() < 2 {
        return alone();
    }
    if rayon::current_thread_index().is_some() {
        return items.par_iter().with_max_len(1).map(&work).collect();
    }
    match rayon::ThreadPoolBuilder::new().num_threads(jobs).build() {
        Ok(pool) => pool.install(|| items.par_iter().with_max_len(1).map(&work).collect()),
        // A machine that gives no threads still gives the same results, only later.
        Err(_) => alone(),
    }
}

/// Points in time that follow each other evenly.
struct Rhythm {
    every: Span,
    next: Instant,
}

impl Rhythm {
    /// One that strikes first after a whole span, and never for a span of zero.
    const fn new(every: Span) -> Self {
        let first = if every.nanos() == 0 { Span::MAX } else { every };
        Self { every: first, next: Instant::START.plus(first) }
    }

    /// Whether it strikes now; if so, it moves on.
    fn strikes(&mut self, now: Instant) -> bool {
        let strikes = now == self.next;
        if strikes {
            self.next = now.plus(self.every);
        }
        strikes
    }
}

/// Passes on what happened; whether the engine started again and forgot. The audit judges the new one by what it can know.
fn happened(world: &mut World, scenario: &Scenario, sink: &mut dyn FnMut(&Event)) -> bool {
    let mut restarted = false;
    for (at, incident) in world.take_incidents() {
        restarted |= is_engine_restart(scenario, &incident);
        sink(&Event::Happened { at, incident });
    }
    restarted
}

/// Whether the engine starts again here.
pub(super) fn is_engine_restart(scenario: &Scenario, incident: &Incident) -> bool {
    let Incident::FaultBegan(place) = incident else { return false };
    scenario.faults.get(*place).is_some_and(|fault| fault.kind == FaultKind::EngineRestart)
}

fn header(scenario: &Scenario, seed: Seed) -> Header {
    Header {
        format_version: FORMAT_VERSION,
        plimsoll_version: env!("CARGO_PKG_VERSION").to_owned(),
        seed,
        scenario: scenario.clone(),
    }
}
