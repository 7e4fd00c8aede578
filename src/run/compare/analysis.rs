//! System analysis: the largest constant load that each number of instances holds, found by trying.
//!
//! Source: BUNGEE (Herbst, Kounev, Weber, Groenda, SEAMS 2015, doi:10.1109/SEAMS.2015.23) measures a system in this way
//! before it is scaled, so that demand is what the system needs and not what a policy takes it for. Before you change it:
//! 1. It depends on the scenario alone, never on the policies that are compared: one more of them changes no figure of the
//!    others. So it begins with one instance and ends when there are enough for the load, or when one more is no use.
//! 2. A rate is found by halving, to [`EXACT`] of itself. More instances hold at least as much as fewer.
//! 3. What cannot be told is not guessed: there is a reason instead.

use super::needs::Needs;
use super::needs::rate;
use super::needs::reaching;
use super::needs::visits;
use super::probe::Probe;
use crate::model::Capacity;
use crate::model::CapacityEnd;
use crate::model::Pattern;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::record::Event;
use crate::run::simulate::on_threads;
use crate::units::Instant;
use crate::world::sim::Offered;
use std::fmt;

/// How exactly a rate is found, as a share of itself,
const EXACT: f64 = 0.01;
/// or of the largest rate there is, where that is more.
const EXACT_OF_PEAK: f64 = 0.001;
/// One more instance is of use where they hold more by this share.
const USE_MIN: f64 = 0.01;
/// No service has more instances on one host.
const INSTANCES_MAX: u32 = 200;

/// How a probe is judged: by the expectations of its scenario, all of which are service levels.
pub struct Judging<'a, J> {
    /// A judge of a run of this scenario.
    pub begin: &'a (dyn Fn(&Scenario) -> J + Sync),
    /// Gives it the next event.
    pub take: &'a (dyn Fn(&mut J, &Event) + Sync),
    /// Whether all hold.
    pub passed: &'a (dyn Fn(J) -> bool + Sync),
}

/// Why the demand of a service, or of all, cannot be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Untold {
    /// No policy changes the number of instances of anything.
    NothingScaled,
    /// The scenario expects nothing of response times or failures.
    NoServiceLevel,
    /// No load reaches these services.
    NoLoad(Vec<ServiceName>),
    /// Clients who wait for their answers bring the load: it has no rate of its own.
    Clients(ServiceName),
    /// Its instances do not come up.
    NeverReady(ServiceName),
    /// No number of instances keeps the service levels, however little is asked for.
    NeverHeld(ServiceName),
}

impl fmt::Display for Untold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingScaled => f.write_str("none of the policies changes the number of instances"),
            Self::NoServiceLevel => f.write_str("the scenario expects nothing of response times or failures"),
            Self::NoLoad(services) => {
                let names: Vec<&str> = services.iter().map(ServiceName::as_str).collect();
                write!(f, "no load reaches {}", names.join(", "))
            }
            Self::Clients(service) => {
                write!(f, "clients who wait for their answers load {service}, so its load has no rate of its own")
            }
            Self::NeverReady(service) => write!(f, "{service} does not come up within an hour"),
            Self::NeverHeld(service) => {
                write!(f, "no number of instances of {service} keeps what is expected, however little is asked for")
            }
        }
    }
}

/// What each of the services that are scaled needs, the others ample; and why it cannot be told of some. On at most `jobs`
/// threads (zero: one a core).
pub fn analyse<J>(
    scenario: &Scenario,
    scaled: &[ServiceName],
    jobs: usize,
    judging: &Judging<'_, J>,
) -> (Needs, Vec<Untold>) {
    if scaled.is_empty() {
        return (Needs::default(), vec![Untold::NothingScaled]);
    }
    if !scenario.expect.iter().any(crate::model::Expectation::is_service_level) {
        return (Needs::default(), vec![Untold::NoServiceLevel]);
    }
    let found = on_threads(scaled, jobs, |service| capacity(scenario, service, scaled, judging));
    let (mut needs, mut untold, mut idle) = (Needs::default(), Vec::new(), Vec::new());
    for one in found {
        match one {
            Ok(capacity) => needs.capacities.push(capacity),
            Err(Untold::NoLoad(services)) => idle.extend(services),
            Err(why) => untold.push(why),
        }
    }
    if !idle.is_empty() {
        untold.push(Untold::NoLoad(idle));
    }
    (needs, untold)
}

fn capacity<J>(
    scenario: &Scenario,
    service: &ServiceName,
    scaled: &[ServiceName],
    judging: &Judging<'_, J>,
) -> Result<Capacity, Untold> {
    let visits = visits(scenario, service);
    let by_clients = scenario
        .load
        .values()
        .zip(&visits)
        .any(|(load, visits)| *visits > 0.0 && matches!(load.pattern, Pattern::Clients { .. }));
    if by_clients {
        return Err(Untold::Clients(service.clone()));
    }
    let Course { means, peak } = course(scenario, &visits);
    if peak <= 0.0 {
        return Err(Untold::NoLoad(vec![service.clone()]));
    }
    let probe = Probe::new(scenario, service, scaled, &means);
    let mut held: Vec<f64> = Vec::new();
    let end = loop {
        let instances = u32::try_from(held.len() + 1).unwrap_or(INSTANCES_MAX);
        let Some(begin) = probe.ready(instances) else {
            break CapacityEnd::NoMore;
        };
        let fewer = held.last().copied().unwrap_or(0.0);
        let most = largest(peak, fewer, |per_second| probe.holds(instances, per_second, begin, judging));
        let is_enough = most >= peak;
        if !is_enough && most < fewer * (1.0 + USE_MIN) || most == 0.0 {
            break CapacityEnd::NoMore;
        }
        held.push(most);
        if is_enough {
            break CapacityEnd::Enough;
        }
        if instances >= INSTANCES_MAX {
            break CapacityEnd::NoMore;
        }
    };
    if held.is_empty() {
        let never = if probe.ready(1).is_none() { Untold::NeverReady } else { Untold::NeverHeld };
        return Err(never(service.clone()));
    }
    Ok(Capacity { service: service.clone(), held: held.into_iter().map(rate).collect(), end })
}

/// The largest rate up to `peak` that holds, where `fewer` is likely to; zero where none does.
fn largest(peak: f64, fewer: f64, holds: impl Fn(f64) -> bool) -> f64 {
    if holds(peak) {
        return peak;
    }
    let (mut low, mut high) = (0.0, peak);
    if fewer > 0.0 {
        if holds(fewer) {
            low = fewer;
        } else {
            high = fewer;
        }
    }
    while high - low > (EXACT * high).max(EXACT_OF_PEAK * peak) {
        let middle = f64::midpoint(low, high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// The load over the whole of a scenario.
struct Course {
    /// Mean rates of the loads.
    means: Vec<f64>,
    /// The largest rate at the service in any sample of any seed.
    peak: f64,
}

fn course(scenario: &Scenario, visits: &[f64]) -> Course {
    let mut means = vec![0.0; visits.len()];
    let mut peak = 0.0_f64;
    let sample = scenario.sample.max(scenario.step).max(crate::units::Span::from_nanos(1));
    let samples = scenario.duration.nanos().div_ceil(sample.nanos());
    for seed in &scenario.seeds {
        let mut offered = Offered::new(scenario, *seed);
        let mut before = Instant::START;
        for place in 1..=samples {
            let now = Instant::after_start(sample.times(place).min(scenario.duration));
            let rates = offered.upto(now);
            peak = peak.max(reaching(&rates, visits));
            let weight = now.since(before).as_secs() / (scenario.duration.as_secs() * scenario.seeds.len() as f64);
            means.iter_mut().zip(&rates).for_each(|(mean, rate)| *mean += rate * weight);
            before = now;
        }
    }
    Course { means, peak }
}
