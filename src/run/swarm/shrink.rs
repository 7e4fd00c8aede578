//! The smallest project that still fails in the same way. Before you change it: one simplification at a time, and each is
//! kept only if the same rule is broken by what is left (delta debugging after Zeller 1999, greedy).

use super::drawn::Drawn;
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
    with(&|drawn| drawn.policy = None);
    with(&|drawn| drawn.steal = Permille::ZERO);
    with(&|drawn| drawn.step = Span::from_secs(1));
    with(&|drawn| drawn.scrape = Span::from_secs(15));
    for place in 0..from.services.len() {
        with(&|drawn| drawn.services[place].load.truncate(1));
        with(&|drawn| drawn.services[place].load.clear());
        with(&|drawn| drawn.services[place].calls.clear());
        with(&|drawn| drawn.services[place].replicas = 1);
        with(&|drawn| drawn.services[place].weight = 1024);
        with(&|drawn| drawn.services[place].workers = None);
        with(&|drawn| drawn.services[place].check = None);
        with(&|drawn| drawn.services[place].leak = Bytes::ZERO);
        with(&|drawn| drawn.services[place].limits.cpu = None);
        with(&|drawn| drawn.services[place].limits.memory = None);
        with(&|drawn| drawn.services[place].request_memory = Bytes::ZERO);
        with(&|drawn| drawn.services[place].start_up = Span::ZERO);
        with(&|drawn| drawn.services[place].restart = Restart::Always);
        with(&|drawn| drawn.services[place].spread = "constant");
    }
    all
}

/// Takes out a service with its calls, its load and the faults that name it.
fn without_service(drawn: &mut Drawn, place: usize) {
    let gone = drawn.services.remove(place).name;
    for service in &mut drawn.services {
        service.calls.retain(|call| call.0 != gone);
    }
    drawn.faults.retain(|fault| !fault.contains(&gone));
}
