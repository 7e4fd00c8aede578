//! The load that a drawn project can carry with room to spare. Before you change it:
//! 1. It is a bound from below, by plain sums: the slowest core, the lowest clock, the strongest burst of steal, every retry
//!    made. What the calm asks for is no more, so that whoever is ill at the end is ill for another reason.
//! 2. Tries that are made again and again keep a system overloaded for ever where there is no room for all of them, and so
//!    does memory in swap: then no engine could help, and the draw has to leave that room.

use super::drawn::Drawn;
use super::drawn::DrawnCall;
use super::drawn::DrawnService;
use crate::units::Bytes;
use crate::units::Rate;
use crate::units::Span;

/// Share of the CPU of a service, and of the host, that the calm load uses at most, in percent. Of a disk, too.
const CALM: u64 = 45;
/// Share of the memory above what an idle instance holds that requests of the calm hold at most, in percent.
const CALM_MEMORY: u64 = 30;
/// Time that a quota of CPU adds to a request in the calm, in microseconds: a fifth of its period.
const QUOTA_WAIT: u64 = 20_000;
/// How many times its work a request takes under the least limit that a policy gives, a tenth of a core, which is busy for
/// two thirds of the time; of the long ones of heavy-tailed work, seven times that.
const SLOWEST: u64 = 30;
const SLOWEST_HEAVY: u64 = 200;

impl DrawnCall {
    /// Tries for one request, at most, in thousandths: as many as may be made again.
    fn tries(&self) -> u64 {
        let more = self.retry.map_or(0, |retry| match retry.budget {
            Some(budget) => budget.get().min(u64::from(retry.times) * 1000),
            None => u64::from(retry.times) * 1000,
        });
        u64::from(self.count) * (1000 + more)
    }
}

/// What a drawn host does in the worst case of the calm.
struct Worst {
    /// CPU of all cores, in millionths of a reference core.
    cpu: u64,
    /// Speed of the slowest core against the reference core, in thousandths.
    speed: u64,
}

impl Worst {
    fn of(drawn: &Drawn) -> Self {
        let cores = cores(drawn);
        Self { cpu: cores.iter().sum(), speed: cores.into_iter().min().unwrap_or(0) / 1000 }
    }
}

/// Microseconds of a request in the calm: in its service alone, and with all it calls, one call after another; with the
/// limits that are drawn, or with the least that the engine may have `lowered` them to.
fn times(drawn: &Drawn, lowered: bool) -> Vec<(u64, u64)> {
    let worst = Worst::of(drawn);
    let hop = drawn.hop.nanos() / 1000;
    let access = drawn.storage.map_or(0, |storage| storage.latency.nanos() / 1000 * 3);
    let mut times = vec![(0, 0); drawn.services.len()];
    for (place, service) in drawn.services.iter().enumerate().rev() {
        // The engine goes by CPU, not by time: it may leave so little that each request takes as long as it can.
        let (slower, wait) = match (service.limits.cpu, service.spread) {
            (None, _) => (2, 0),
            (Some(_), _) if !lowered => (2, QUOTA_WAIT),
            (Some(_), "heavy") => (SLOWEST_HEAVY, QUOTA_WAIT),
            (Some(_), _) => (SLOWEST, QUOTA_WAIT),
        };
        let cpu = service.work.nanos() / 1000 * slower * 1000 / worst.speed.max(1);
        let alone = cpu + wait + service.disk.map_or(0, |disk| disk.tenths() * access / 10);
        let called = service.calls.iter().filter_map(|call| Some((call, drawn.place_of(&call.to)?)));
        let calls: u64 = called.map(|(call, to)| u64::from(call.count) * (times[to].1 + 2 * hop)).sum();
        times[place] = (alone, alone + calls + 2 * hop);
    }
    times
}

/// How long each service may reasonably be waited for.
pub(super) fn patience(drawn: &Drawn) -> Vec<Span> {
    times(drawn, true).into_iter().map(|(_, all)| Span::from_secs(5 + all * 4 / 1_000_000)).collect()
}

/// Requests at each service, in thousandths, while one a second comes to each that nobody calls; and which those are.
fn visits(services: &[DrawnService]) -> (Vec<u64>, Vec<bool>) {
    let called = |name: &str| services.iter().any(|service| service.calls.iter().any(|call| call.to == name));
    let outer: Vec<bool> = services.iter().map(|service| !called(&service.name)).collect();
    let mut visits: Vec<u64> = outer.iter().map(|outer| u64::from(*outer) * 1000).collect();
    for place in 0..services.len() {
        for call in &services[place].calls {
            if let Some(target) = services.iter().position(|service| service.name == call.to) {
                visits[target] += visits[place] * call.tries() / 1000;
            }
        }
    }
    (visits, outer)
}

/// Thousandths of a request a second that fit where `there` is and each request takes `each`, of which CALM percent is used.
fn fitting(there: u128, each: u128) -> u64 {
    u64::try_from(there * u128::from(CALM) * 10 / each.max(1)).unwrap_or(u64::MAX)
}

/// A rate for each service that nobody else calls, such that all of them together leave room everywhere.
pub(super) fn calm_load(drawn: &Drawn) -> Vec<Rate> {
    let (services, worst) = (&drawn.services, Worst::of(drawn));
    let (visits, outer) = visits(services);
    let wide = |number: u64| u128::from(number);
    // Millionths of a core, in thousandths of a request a second.
    let used = |place: usize| wide(visits[place]) * wide(services[place].work.nanos() / 1000) / 1000;
    let all: u128 = (0..services.len()).map(used).sum();
    let mut fits = fitting(wide(worst.cpu), all);
    for (place, service) in services.iter().enumerate() {
        let each = service.limits.cpu.map_or(worst.cpu, |quota| (quota.get() * worst.speed).min(worst.cpu));
        let workers = service.workers.map_or(worst.cpu, |workers| u64::from(workers) * 1_000_000).min(each);
        fits = fits.min(fitting(wide(workers) * wide(u64::from(service.replicas)), used(place)));
    }
    if drawn.is_wide {
        fits = fits.min(of_disk(drawn, &visits)).min(of_workers_and_memory(drawn, &visits));
    }
    let rate = Rate::micro(fits.clamp(1, 2_000_000) * 1000);
    outer.iter().map(|outer| if *outer { rate } else { Rate::ZERO }).collect()
}

/// What the disk can do.
fn of_disk(drawn: &Drawn, visits: &[u64]) -> u64 {
    let Some(storage) = drawn.storage else { return u64::MAX };
    let (mut accesses, mut bytes) = (0_u128, 0_u128);
    for (service, visits) in drawn.services.iter().zip(visits) {
        if let Some(disk) = service.disk {
            accesses += u128::from(*visits) * u128::from(disk.tenths());
            bytes += u128::from(*visits) * u128::from(disk.bytes_in_tenths());
        }
    }
    let by_count = fitting(u128::from(storage.iops) * 10_000, accesses);
    by_count.min(fitting(u128::from(storage.bandwidth.get()) * 10_000, bytes))
}

/// What workers can hold, and what fits into memory.
fn of_workers_and_memory(drawn: &Drawn, visits: &[u64]) -> u64 {
    let mut fits = u64::MAX;
    for ((service, visits), (alone, all)) in drawn.services.iter().zip(visits).zip(times(drawn, false)) {
        let instances = u128::from(service.replicas) * 1_000_000_000;
        let held = if service.blocking { all } else { alone };
        if let Some(workers) = service.workers {
            fits = fits.min(fitting(u128::from(workers) * instances, u128::from(*visits) * u128::from(held)));
        }
        let room = match service.limits.memory {
            Some(limit) => u128::from(limit.minus(service.idle_memory).get()) * instances,
            // At least half as much as all hold when idle is free besides, and each has its part of it.
            None if drawn.swap > Bytes::ZERO => {
                u128::from(drawn.memory.get()) * 1_500_000_000 / drawn.services.len() as u128
            }
            None => continue,
        };
        // In swap everything takes so long that only the timeout ends it.
        let longest = service.timeout.map_or(all, |timeout| timeout.nanos() / 1000);
        let longest = if drawn.swap > Bytes::ZERO { longest } else { all };
        let each = u128::from(*visits) * u128::from(longest) * u128::from(service.request_memory.get());
        fits = fits.min(fitting(room * u128::from(CALM_MEMORY) / 100, each));
    }
    fits
}

/// Speed of each core in the worst case of the calm, in millionths of a reference core, in the order of their numbers.
pub(super) fn cores(drawn: &Drawn) -> Vec<u64> {
    let clock = drawn.heat.as_ref().map_or(1000, |heat| heat.lowest.get());
    let stolen = drawn.bursts.map_or(drawn.steal, |bursts| bursts.burst.max(drawn.steal));
    let ours = 1000 - stolen.get().min(999);
    let slower = drawn.slower.into_iter().flat_map(|group| (0..group.count).map(move |_| group.speed.get()));
    (0..drawn.cores).map(|_| clock).chain(slower).map(|speed| speed * ours).collect()
}

/// Requests a second that the calm sends to each service nobody calls, in thousandths.
fn calm_rate(drawn: &Drawn) -> u128 {
    let calm = drawn.services.iter().filter_map(|service| service.load.first()).map(|(_, rate)| rate.get() / 1000);
    calm.max().map_or(0, u128::from)
}

/// CPU that each service uses in the calm, in millionths of a reference core.
pub(super) fn calm_cpu(drawn: &Drawn) -> Vec<u128> {
    let (visits, rate) = (visits(&drawn.services).0, calm_rate(drawn));
    let used = |(service, visits): (&DrawnService, u64)| {
        u128::from(visits) * u128::from(service.work.nanos() / 1000) / 1000 * rate / 1000
    };
    drawn.services.iter().zip(visits).map(used).collect()
}

/// Connections that an instance of each service needs in the calm for each of its calls, where the engine has lowered all
/// limits as far as it may, and a quarter more.
pub(super) fn calm_connections(drawn: &Drawn) -> Vec<Vec<u32>> {
    let (visits, rate, times) = (visits(&drawn.services).0, calm_rate(drawn), times(drawn, true));
    let mut needed = Vec::new();
    for (service, visits) in drawn.services.iter().zip(visits) {
        // Millionths of a request a second at one instance.
        let asked = u128::from(visits) * rate / u128::from(service.replicas.max(1));
        let calls = service.calls.iter().map(|call| {
            let time = drawn.place_of(&call.to).map_or(0, |place| times[place].1) + 2 * drawn.hop.nanos() / 1000;
            let at_once = asked * u128::from(call.tries()) / 1000 * u128::from(time) / 1_000_000;
            u32::try_from((at_once * 5 / 4).div_ceil(1_000_000)).unwrap_or(u32::MAX)
        });
        needed.push(calls.collect());
    }
    needed
}
