//! Short runs of a scenario at a constant load, to see what a number of instances holds. Before you change it:
//! 1. A probe is the scenario itself: its host, its services, its calls, its noise. What is not the question is taken out:
//!    policies, faults, deployments, and the limits of other services that are scaled, too, since they will have what they
//!    need.
//! 2. The load begins when all instances are up and well, and is judged when it has settled.
//! 3. Every probe has the same seed, so that two of them differ by what is asked and not by luck.

use super::analysis::Judging;
use super::needs::rate;
use super::needs::visits;
use crate::model::Limits;
use crate::model::Noise;
use crate::model::Pattern;
use crate::model::Range;
use crate::model::Sample;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::record::Event;
use crate::run::simulate::simulate;
use crate::seed::Seed;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;

/// The one seed of all probes.
pub(super) const SEED: Seed = Seed::new(1);
/// Time between two samples, or a step where that is longer.
const SAMPLE: Span = Span::from_secs(10);
/// Time for the load to settle after it began.
const SETTLES: Span = Span::from_mins(1);
/// Time that is judged, or so many steps where these are longer.
const JUDGED: Span = Span::from_mins(5);
const STEPS: u64 = 60;
/// Instances come up within the first of these, or within the second, or never.
const READY: [Span; 2] = [Span::from_mins(5), Span::from_mins(60)];
/// A service keeps up where what is in it grows by less than this share of what came,
const GROWS_MAX: Permille = Permille::new(10);
/// or by less than so many requests, in thousandths.
const GROWS_FEW: u64 = 10_000;

/// Probes of one service.
pub(super) struct Probe {
    base: Scenario,
    service: ServiceName,
    /// Requests per second from each load, where one request per second reaches the service; of the other loads, all they
    /// bring.
    mix: Vec<(f64, Part)>,
}

/// What becomes of a load when the rate at the service is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// It changes with it.
    Moves,
    /// It does not reach the service.
    Stays,
}

impl Probe {
    /// Probes of a service, the others of `scaled` ample. `means` are the mean rates of the loads.
    pub(super) fn new(scenario: &Scenario, service: &ServiceName, scaled: &[ServiceName], means: &[f64]) -> Self {
        let visits = visits(scenario, service);
        let reach: f64 = means.iter().zip(&visits).map(|(mean, visits)| mean * visits).sum();
        let share = |(mean, visits): (&f64, &f64)| {
            if *visits > 0.0 { (mean / reach, Part::Moves) } else { (*mean, Part::Stays) }
        };
        let mix = means.iter().zip(&visits).map(share).collect();
        let mut base = scenario.clone();
        base.policies.clear();
        base.faults.clear();
        base.deployments.clear();
        base.expect.retain(crate::model::Expectation::is_service_level);
        for expectation in &mut base.expect {
            expectation.measure.range = Range::Whole;
            expectation.windows = None;
        }
        let step = base.step.max(Span::from_nanos(1));
        base.sample = step.times(SAMPLE.nanos().div_ceil(step.nanos()));
        for other in scaled.iter().filter(|other| *other != service) {
            if let Some(model) = base.services.get_mut(other) {
                model.limits = Limits::default();
                (model.workers, model.backlog) = (None, None);
                model.work.calls.iter_mut().for_each(|call| call.pool = None);
            }
        }
        Self { base, service: service.clone(), mix }
    }

    /// The scenario with so many instances, loaded from `begin` on with a constant rate at the service.
    fn version(&self, instances: u32, per_second: f64, begin: Span) -> Scenario {
        let mut version = self.base.clone();
        if let Some(model) = version.services.get_mut(&self.service) {
            model.replicas = instances;
        }
        for (load, (mix, part)) in version.load.values_mut().zip(&self.mix) {
            let rate = rate(if *part == Part::Moves { mix * per_second } else { *mix });
            load.pattern = Pattern::Steps(vec![(begin, rate)]);
        }
        let step = version.step.max(Span::from_nanos(1));
        version.warmup = begin.plus(SETTLES);
        version.duration = version.warmup.plus(JUDGED.max(step.times(STEPS)));
        version
    }

    /// When so many instances are up and well, with all the others, where nobody asks for anything; `None` where that takes
    /// too long.
    pub(super) fn ready(&self, instances: u32) -> Option<Span> {
        let mut version = self.version(instances, 0.0, Span::ZERO);
        for load in version.load.values_mut() {
            load.noise = Noise::None;
            load.pattern = Pattern::Steps(Vec::new());
        }
        let wanted: Vec<u32> = version.services.values().map(|model| model.replicas).collect();
        let is_up =
            |sample: &Sample| sample.services.iter().zip(&wanted).all(|(service, wanted)| service.replicas >= *wanted);
        // Most come up at once, and few need the whole time.
        READY.into_iter().find_map(|duration| {
            version.duration = duration;
            let mut ready = None;
            let run = simulate(&version, SEED, &mut |event| {
                if let Event::Sampled(sample) = event
                    && ready.is_none()
                    && is_up(sample)
                {
                    ready = Some(sample.at.since_start());
                }
            });
            ready.filter(|_| run.is_ok())
        })
    }

    /// Whether so many instances hold this rate at the service: the service levels are kept, and nothing piles up.
    pub(super) fn holds<J>(&self, instances: u32, per_second: f64, begin: Span, judging: &Judging<'_, J>) -> bool {
        let version = self.version(instances, per_second, begin);
        let from = Instant::after_start(version.warmup);
        let mut judge = (judging.begin)(&version);
        let (mut before, mut after, mut came) = (0, 0, 0_u64);
        let run = simulate(&version, SEED, &mut |event| {
            if let Event::Sampled(sample) = event {
                after = sample.services.iter().map(|service| service.queue).fold(0, u64::saturating_add);
                if sample.at <= from {
                    before = after;
                } else {
                    let arrived = sample.services.iter().map(|service| service.arrived);
                    came = arrived.fold(came, u64::saturating_add);
                }
            }
            (judging.take)(&mut judge, event);
        });
        let most = GROWS_FEW.max(came / 1000 * GROWS_MAX.get());
        run.is_ok() && after.saturating_sub(before) <= most && (judging.passed)(judge)
    }
}
