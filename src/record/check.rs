//! Whether events fit together: order, and figures that can be added up without overflow.

use super::Event;
use super::RecordError;
use crate::model::Aggregate;
use crate::model::Incident;
use crate::model::Range;
use crate::model::Sample;
use crate::model::Scenario;
use crate::units::Instant;
use crate::units::Span;

/// No figure of a sample may be above this, so that sums over a record of any length that fits a disk stay below 2⁶⁴.
const FIGURE_MAX: u64 = 1 << 50;
/// Sums over all samples stay below this.
const SUM_MAX: u64 = 1 << 62;

/// What has been read so far.
#[derive(Debug, Default)]
pub(super) struct Check {
    services: Option<usize>,
    faults: usize,
    sampled: Instant,
    counted: u64,
    ended: bool,
}

impl Check {
    /// The last event was there.
    pub(super) const fn ended(&self) -> bool {
        self.ended
    }

    /// Takes the next event, from this line.
    pub(super) fn take(&mut self, event: &Event, line: u64) -> Result<(), RecordError> {
        let order = |why: &str| Err(RecordError::Order { line, why: why.to_owned() });
        let figures = |why: String| RecordError::Figures { line, why };
        if self.ended {
            return order("something follows the end of the record");
        }
        match (event, self.services) {
            (Event::Began(header), None) => {
                scenario(&header.scenario).map_err(figures)?;
                self.services = Some(header.scenario.services.len());
                self.faults = header.scenario.faults.len();
            }
            (Event::Began(_), Some(_)) => return order("a second record begins here"),
            (_, None) => return order("the record does not begin with `Began`"),
            (Event::Sampled(sample), Some(services)) => {
                if sample.at <= self.sampled || sample.span == Span::ZERO {
                    return order("the time of this sample is not after that of the one before");
                }
                self.sampled = sample.at;
                self.counted = add_up(sample, services, self.counted).map_err(figures)?;
            }
            (Event::Happened { incident: Incident::FaultBegan(fault) | Incident::FaultEnded(fault), .. }, _)
                if *fault >= self.faults =>
            {
                return Err(figures(format!("fault {fault} of {}", self.faults)));
            }
            (Event::Ended { .. }, _) => self.ended = true,
            (Event::Seen { .. } | Event::Decided { .. } | Event::Happened { .. }, _) => {}
        }
        Ok(())
    }
}

/// Whether the figures of a sample are small enough; returns the sum of all counts so far.
fn add_up(sample: &Sample, services: usize, counted: u64) -> Result<u64, String> {
    if sample.services.len() != services {
        return Err(format!("a sample of {} services where the scenario has {services}", sample.services.len()));
    }
    let mut counted = counted;
    let [warm, clock, steal] = [
        sample.host.temperature.map_or(0, |degrees| degrees.get()),
        sample.host.clock.map_or(0, |share| share.get()),
        sample.host.steal.map_or(0, |share| share.get()),
    ];
    let disk = [sample.host.iowait.get(), sample.host.disk.get()];
    let host = [sample.host.cpu.get(), sample.host.memory.get(), warm, clock, steal, disk[0], disk[1]];
    for service in &sample.services {
        let limits = service.limits.cpu.map_or(0, |cpu| cpu.get()).max(service.limits.memory.map_or(0, |m| m.get()));
        let plain = [service.queue, service.cpu.get(), service.memory.get(), limits, service.throttled.get()];
        let disk = [service.disk.reads, service.disk.writes, service.disk.cache.get(), service.disk.swap.get()];
        if host.iter().chain(&plain).chain(&disk).any(|figure| *figure > FIGURE_MAX) {
            return Err("a figure of this sample is too large to be true".to_owned());
        }
        let counts = [
            service.arrived,
            service.served,
            service.failed,
            service.latency.thousandths(),
            u64::from(service.restarts) + u64::from(service.oom_kills),
        ];
        counted = counts
            .iter()
            .try_fold(counted, |sum, count| sum.checked_add(*count).filter(|sum| *sum <= SUM_MAX))
            .ok_or_else(|| "all requests together are too many to be true".to_owned())?;
        if service.latency.total_time() > u128::from(SUM_MAX) << 40 {
            return Err("the response times of this sample are too large to be true".to_owned());
        }
    }
    Ok(counted)
}

/// Whether a scenario can be judged at all.
fn scenario(scenario: &Scenario) -> Result<(), String> {
    if scenario.host.cores.iter().any(|group| u128::from(group.count) * u128::from(group.speed.get()) > 1 << 40)
        || scenario.host.memory.get() > FIGURE_MAX
        || scenario.services.values().any(|service| service.replicas > 1 << 20)
    {
        return Err("the host or a service of the scenario is too large to be true".to_owned());
    }
    if scenario.sample == Span::ZERO || scenario.seeds.is_empty() {
        return Err("the scenario has no time between samples, or no seed".to_owned());
    }
    for expectation in &scenario.expect {
        let zero = match expectation.measure.range {
            Range::Every(window) => window == Span::ZERO,
            Range::Whole | Range::Between(..) => false,
        };
        let zero = zero || expectation.windows.is_some_and(|windows| windows.length == Span::ZERO);
        let above = matches!(expectation.measure.aggregate, Aggregate::Percentile(part) if part > 100_000);
        if zero || above {
            return Err(format!("the expectation `{}` cannot be judged", expectation.name));
        }
    }
    Ok(())
}
