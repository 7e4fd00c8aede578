//! The smallest project that still fails in the same way. Before you change it: one simplification at a time, and each is
//! kept only if the same rule is broken by what is left (delta debugging after Zeller 1999, greedy).

use super::drawn::Drawn;
use super::drawn::DrawnCall;
use super::drawn::DrawnService;
use crate::model::Restart;
use crate::units::Bytes;
use crate::units::Permille;
use crate::units::Span;

/// Makes a project simpler as long as `fails` says that it fails as before.
#[must_use]
pub(super) fn shrink(drawn: &Drawn, fails: &dyn Fn(&Drawn) -> bool) -> Drawn {
    let mut smallest = drawn.clone();
    loop {
        let simpler = simplifications(&smallest).into_iter().find(|simpler| *simpler != smallest && fails(simpler));
        match simpler {
            Some(simpler) => smallest = simpler,
            None => return smallest,
        }
    }
}

/// Makes a thing simpler in one way.
type Simpler<T> = fn(&mut T);

const OF_PROJECT: &[Simpler<Drawn>] = &[
    |drawn| drawn.policy = None,
    |drawn| drawn.deployments.clear(),
    |drawn| drawn.orders.clear(),
    |drawn| drawn.metrics.clear(),
    |drawn| drawn.docker.clear(),
    |drawn| drawn.sensors.clear(),
    |drawn| drawn.heat = None,
    |drawn| drawn.slower = None,
    |drawn| drawn.bursts = None,
    |drawn| drawn.steal = Permille::ZERO,
    |drawn| drawn.swap = Bytes::ZERO,
    |drawn| drawn.storage = None,
    |drawn| drawn.hop = Span::ZERO,
    |drawn| drawn.network_mbit = None,
    |drawn| drawn.step = Span::from_secs(1),
    |drawn| drawn.scrape = Span::from_secs(15),
];

const OF_SERVICE: &[Simpler<DrawnService>] = &[
    |service| service.load.truncate(1),
    |service| service.load.clear(),
    |service| service.think = None,
    |service| service.scaling = None,
    |service| {
        if let Some(scaling) = &mut service.scaling {
            scaling.forget_metrics();
        }
    },
    |service| service.stateful = false,
    |service| service.calls.clear(),
    |service| service.replicas = 1,
    |service| service.weight = 1024,
    |service| service.cpuset = None,
    |service| service.image_size = None,
    |service| service.disk = None,
    |service| service.sizes = [Bytes::ZERO; 2],
    |service| service.disk_weight = None,
    |service| service.blocking = false,
    |service| service.backlog = None,
    |service| service.balance = None,
    |service| service.workers = None,
    |service| service.check_more = None,
    |service| service.check = None,
    |service| service.leak = Bytes::ZERO,
    |service| service.swap_limit = None,
    |service| service.oom_score_adjust = None,
    |service| service.limits.cpu = None,
    |service| service.limits.memory = None,
    |service| service.request_memory = Bytes::ZERO,
    |service| service.start_up = Span::ZERO,
    |service| service.restart = Restart::Always,
    |service| service.spread = "constant",
    |service| service.staged = false,
];

const OF_CALL: &[Simpler<DrawnCall>] = &[
    |call| call.breaker = None,
    |call| call.retry = None,
    |call| call.timeout = None,
    |call| call.pool = None,
    |call| call.cached = Permille::ZERO,
    |call| call.with_last = false,
];

/// Projects that are one thing simpler, the boldest first.
fn simplifications(from: &Drawn) -> Vec<Drawn> {
    let mut all = Vec::new();
    let mut with = |change: &dyn Fn(&mut Drawn)| {
        let mut simpler = from.clone();
        change(&mut simpler);
        all.push(simpler);
    };
    with(&|drawn| drawn.faults.clear());
    for place in 0..from.services.len() {
        if from.services.len() > 1 {
            with(&|drawn| without_service(drawn, place));
        }
    }
    for place in 0..from.faults.len() {
        with(&|drawn| drop(drawn.faults.remove(place)));
    }
    for simpler in OF_PROJECT {
        with(&|drawn| simpler(drawn));
    }
    for place in 0..from.sensors.len() {
        with(&|drawn| drop(drawn.sensors.remove(place)));
    }
    for place in 0..from.docker.len() {
        with(&|drawn| drop(drawn.docker.remove(place)));
    }
    for (place, deployment) in from.deployments.iter().enumerate() {
        with(&|drawn| drop(drawn.deployments.remove(place)));
        for key in 0..deployment.more.len() {
            with(&|drawn| drop(drawn.deployments[place].more.remove(key)));
        }
    }
    for place in 0..from.orders.len() {
        with(&|drawn| drop(drawn.orders.remove(place)));
    }
    for place in 0..from.metrics.len() {
        with(&|drawn| drop(drawn.metrics.remove(place)));
    }
    for (place, service) in from.services.iter().enumerate() {
        for simpler in OF_SERVICE {
            with(&|drawn| simpler(&mut drawn.services[place]));
        }
        if let Some(disk) = service.disk {
            with(&|drawn| drawn.services[place].disk = Some(super::drawn::DrawnDisk { reads: 0, ..disk }));
            with(&|drawn| drawn.services[place].disk = Some(super::drawn::DrawnDisk { writes: 0, ..disk }));
            with(&|drawn| drawn.services[place].disk = Some(super::drawn::DrawnDisk { data: Bytes::ZERO, ..disk }));
        }
        for key in 0..service.scaling.as_ref().map_or(0, |scaling| scaling.more.len()) {
            with(&|drawn| {
                if let Some(scaling) = &mut drawn.services[place].scaling {
                    scaling.more.remove(key);
                }
            });
        }
        for call in 0..service.calls.len() {
            with(&|drawn| drop(drawn.services[place].calls.remove(call)));
            for simpler in OF_CALL {
                with(&|drawn| simpler(&mut drawn.services[place].calls[call]));
            }
        }
    }
    all
}

/// Takes out a service with its calls, its load, and the faults, deployments and orders that name it.
fn without_service(drawn: &mut Drawn, place: usize) {
    let gone = drawn.services.remove(place).name;
    for service in &mut drawn.services {
        service.calls.retain(|call| call.to != gone);
    }
    drawn.faults.retain(|fault| !fault.contains(&gone));
    drawn.deployments.retain(|deployment| deployment.service != gone);
    drawn.orders.retain(|order| order.service != gone);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::swarm::draw;

    /// Where everything fails, nothing is left that could be left out: whatever is drawn can be taken away again.
    #[test]
    fn nothing_stays_that_is_not_needed() {
        for seed in 1..=80 {
            let drawn = draw(seed);
            let small = shrink(&drawn, &|_| true);
            let [left] = small.services.as_slice() else { panic!("seed {seed}: {} services", small.services.len()) };
            let service = DrawnService {
                name: left.name.clone(),
                work: left.work,
                timeout: left.timeout,
                idle_memory: left.idle_memory,
                ..DrawnService::default()
            };
            let nothing = Drawn {
                seed,
                is_wide: drawn.is_wide,
                duration: drawn.duration,
                cores: drawn.cores,
                memory: drawn.memory,
                services: vec![service],
                ..Drawn::default()
            };
            assert_eq!(small, nothing, "seed {seed}");
        }
    }
}
