//! Policies without a host: series in, decisions out. The engine is the real one, and it is audited.
//!
//! Before you change it:
//! 1. Value `n` of a series is what the sensors show at `n` steps after the start; the engine looks at each of them. It has
//!    looked once before, a whole period earlier, so that its first check falls on the first value. All services have run
//!    for a week by then.
//! 2. A `none`, or the end of a series, is a look without a measurement of that service; of a metric of the business, one
//!    without that metric.
//! 3. CPU or memory without a series stays in the middle between its thresholds, so that it decides nothing.
//! 4. "The newest check" is the last one of each service: between two checks the engine has nothing to say.

mod given;

use crate::audit::Audit;
use crate::engine::Engine;
use crate::model::Action;
use crate::model::Decision;
use crate::model::Held;
use crate::model::Limits;
use crate::model::Policy;
use crate::model::PolicyCase;
use crate::model::PolicyTest;
use crate::model::PolicyWanted;
use crate::model::Resource;
use crate::model::ServiceName;
use crate::run::step;
use crate::units::Instant;
use crate::units::Span;
use std::collections::BTreeMap;

/// What came of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResult {
    /// The case's name.
    pub name: String,
    /// Everything that was wanted came true.
    pub passed: bool,
    /// What did not, in order of time.
    pub failures: Vec<Failure>,
}

/// Something that was wanted and is otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// When.
    pub at: Instant,
    /// What was wanted, as it was written.
    pub wanted: String,
    /// What is.
    pub got: String,
}

/// The services of a case have run for so long when it begins: policies that do not trust young instances trust these. It
/// is a week, so that the time of the week is what the case says.
const RUNNING: Span = Span::from_mins(7 * 24 * 60);

/// What has become of the services of a case so far.
struct State {
    limits: BTreeMap<ServiceName, Limits>,
    replicas: BTreeMap<ServiceName, u32>,
    actions: BTreeMap<ServiceName, u64>,
    /// By service, what its newest check held back.
    held: BTreeMap<ServiceName, Vec<Held>>,
}

/// Runs the cases, each from the beginning.
#[must_use]
pub fn judge(test: &PolicyTest) -> Vec<CaseResult> {
    test.cases
        .iter()
        .map(|case| {
            let failures = run(test, case);
            CaseResult { name: case.name.clone(), passed: failures.is_empty(), failures }
        })
        .collect()
}

fn run(test: &PolicyTest, case: &PolicyCase) -> Vec<Failure> {
    let policies = test.services.iter().map(|(name, subject)| (name.clone(), subject.policy.clone())).collect();
    let mut audit = Audit::new(&policies);
    let mut engine = Engine::new(policies);
    let limits = test.services.iter().map(|(name, subject)| (name.clone(), subject.limits)).collect();
    let replicas = test.services.iter().map(|(name, subject)| (name.clone(), subject.instances)).collect();
    let mut state = State { limits, replicas, actions: BTreeMap::new(), held: BTreeMap::new() };
    let lengths = case.given.values().map(Vec::len).chain(case.metrics.values().map(Vec::len));
    let length = lengths.max().unwrap_or(0) as u64;
    let end = Instant::after_start(test.step.times(length.saturating_sub(1)));
    let mut checks: Vec<_> = case.expect.iter().map(|check| (check.at.unwrap_or(end), check)).collect();
    checks.sort_by_key(|(at, _)| *at);
    // Once all series have ended and every service was checked without values, nothing changes any more.
    let last = checks.last().map_or(end, |(at, _)| end.max(*at)).min(end.plus(test.step).plus(slowest(test)));
    let mut checks = checks.into_iter().peekable();
    let mut failures = Vec::new();
    let running = RUNNING.max(slowest(test));
    let opened = Instant::after_start(running.minus(slowest(test)));
    let mut opening = given::observation(test, case, (&state.limits, &state.replicas), opened, 0);
    let _ = step(&mut engine, &mut audit, opened, &mut opening, &mut |_| ());
    let mut now = Instant::START;
    for tick in 0_usize.. {
        let clock = now.plus(running);
        let mut seen = given::observation(test, case, (&state.limits, &state.replicas), clock, tick);
        match step(&mut engine, &mut audit, clock, &mut seen, &mut |_| ()) {
            Ok(decision) => state.follow(clock, &engine, decision),
            Err(breaches) => {
                let wanted = "decisions that keep the rules".to_owned();
                failures.extend(breaches.iter().map(|breach| Failure {
                    at: now,
                    wanted: wanted.clone(),
                    got: breach.to_string(),
                }));
                return failures;
            }
        }
        let next = now.plus(test.step);
        let is_last = next > last || next == now;
        while let Some((at, check)) = checks.next_if(|(at, _)| *at < next || is_last) {
            let failed = check.wanted.iter().filter(|(_, wanted)| !state.meets(wanted));
            failures.extend(failed.map(|(text, wanted)| Failure { at, wanted: text.clone(), got: state.got(wanted) }));
        }
        if is_last {
            break;
        }
        now = next;
    }
    failures
}

/// The longest time between two checks of a service.
fn slowest(test: &PolicyTest) -> Span {
    let every = |policy: &Policy| {
        let vertical = policy.vertical().map(|policy| policy.every);
        vertical.max(policy.horizontal().map(|policy| policy.every))
    };
    test.services.values().filter_map(|subject| every(&subject.policy)).max().unwrap_or(Span::ZERO)
}

impl State {
    /// Lets the limits follow the actions, and keeps what each newest check held back.
    fn follow(&mut self, now: Instant, engine: &Engine, decision: Decision) {
        for name in self.limits.keys().filter(|name| engine.checked(name) == Some(now)) {
            self.held.insert(name.clone(), Vec::new());
        }
        for held in decision.held {
            self.held.entry(held.service.clone()).or_default().push(held);
        }
        for action in decision.actions {
            *self.actions.entry(action.service().clone()).or_default() += 1;
            let limits = self.limits.entry(action.service().clone()).or_default();
            match action {
                Action::LimitCpu { to, .. } => limits.cpu = Some(to),
                Action::LimitMemory { to, .. } => limits.memory = Some(to),
                Action::Scale { service, to, .. } => {
                    self.replicas.insert(service, to);
                }
            }
        }
    }

    fn limits(&self, service: &ServiceName) -> Limits {
        self.limits.get(service).copied().unwrap_or_default()
    }

    fn replicas(&self, service: &ServiceName) -> u32 {
        self.replicas.get(service).copied().unwrap_or(0)
    }

    fn meets(&self, wanted: &PolicyWanted) -> bool {
        match wanted {
            PolicyWanted::LimitCpu(service, cpu) => self.limits(service).cpu == Some(*cpu),
            PolicyWanted::LimitMemory(service, memory) => self.limits(service).memory == Some(*memory),
            PolicyWanted::Replicas(service, count) => self.replicas(service) == *count,
            PolicyWanted::Actions(count) => self.actions.values().sum::<u64>() == *count,
            PolicyWanted::ActionsOf(service, count) => self.actions.get(service).copied().unwrap_or(0) == *count,
            PolicyWanted::Held(name) => self.held.values().flatten().any(|held| held.guard.name() == name),
            PolicyWanted::NothingHeld => self.held.values().all(Vec::is_empty),
        }
    }

    /// What is, in the words of what was wanted.
    fn got(&self, wanted: &PolicyWanted) -> String {
        let none = || "none".to_owned();
        match wanted {
            PolicyWanted::LimitCpu(service, _) => {
                let limit = self.limits(service).cpu.map_or_else(none, |cpu| cpu.to_string());
                format!("limit.cpu.{service}: {limit}")
            }
            PolicyWanted::LimitMemory(service, _) => {
                let limit = self.limits(service).memory.map_or_else(none, |memory| memory.to_string());
                format!("limit.memory.{service}: {limit}")
            }
            PolicyWanted::Replicas(service, _) => format!("replicas.{service}: {}", self.replicas(service)),
            PolicyWanted::Actions(_) => format!("actions: {}", self.actions.values().sum::<u64>()),
            PolicyWanted::ActionsOf(service, _) => {
                format!("actions.{service}: {}", self.actions.get(service).copied().unwrap_or(0))
            }
            PolicyWanted::Held(_) | PolicyWanted::NothingHeld => {
                let all: Vec<String> = self.held.values().flatten().map(describe).collect();
                if all.is_empty() { "nothing held".to_owned() } else { format!("held: {}", all.join(", ")) }
            }
        }
    }
}

/// `cooldown (cpu of api)`.
fn describe(held: &Held) -> String {
    let (name, service) = (held.guard.name(), &held.service);
    match held.resource {
        Some(Resource::Cpu) => format!("{name} (cpu of {service})"),
        Some(Resource::Memory) => format!("{name} (memory of {service})"),
        Some(Resource::Replicas) => format!("{name} (instances of {service})"),
        None => format!("{name} ({service})"),
    }
}
