//! Services that are OOM killed again and again, of the whole host. Before you change it:
//! 1. Who waits for another piles up requests, and is killed for them: it dies of the other's lack of CPU. While it is
//!    away the other has little to do, so that usage says the opposite of what is true. Nobody says who waits for whom,
//!    so this counts for all services of a host.
//! 2. One kill is no such thing: a leak kills once in hours. Docker waits up to a minute before it restarts, so whoever is
//!    killed as soon as its load comes back is killed several times in five minutes.

use super::beside;
use crate::model::Guard;
use crate::model::Observation;
use crate::model::ServiceName;
use crate::model::ServiceSeen;
use crate::units::Instant;
use crate::units::Span;
use std::collections::BTreeMap;
use std::collections::VecDeque;

/// Kills of one service within [`WITHIN`] that are no accident.
const AGAIN: u32 = 2;
/// How far back kills are counted.
const WITHIN: Span = Span::from_mins(5);

/// OOM kills of all services.
#[derive(Debug, Clone, Default)]
pub(super) struct Kills(BTreeMap<ServiceName, OfService>);

#[derive(Debug, Clone)]
struct OfService {
    counted: u64,
    /// When kills were seen and how many, oldest first; nothing older than [`WITHIN`].
    seen: VecDeque<(Instant, u32)>,
}

/// A service that is killed again and again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Distress<'a> {
    pub(super) service: &'a ServiceName,
    /// Kills within the last five minutes.
    pub(super) kills: u32,
    /// When the last of them was seen.
    pub(super) last: Instant,
}

impl Distress<'_> {
    /// Why nobody is given less meanwhile.
    pub(super) fn guard(self) -> Guard {
        Guard::Distress { service: self.service.clone(), kills: self.kills }
    }
}

impl Kills {
    /// Takes note of kills since the last look. The first look only reads the counters.
    pub(super) fn look(&mut self, now: Instant, observation: &Observation) {
        let count = |service: &ServiceSeen| service.instances.iter().map(|one| u64::from(one.oom_kills)).sum::<u64>();
        let mut known = 0;
        for (_, of, service) in beside(self.0.iter_mut(), &observation.services) {
            of.seen.retain(|(at, _)| now.since(*at) < WITHIN);
            let Some(service) = service else { continue };
            let counted = count(service);
            if counted > of.counted {
                of.seen.push_back((now, u32::try_from(counted - of.counted).unwrap_or(u32::MAX)));
            }
            of.counted = counted;
            known += 1;
        }
        if known < observation.services.len() {
            for (name, service) in &observation.services {
                let new = || OfService { counted: count(service), seen: VecDeque::new() };
                self.0.entry(name.clone()).or_insert_with(new);
            }
        }
    }

    /// The service that is killed most, where one is killed again and again.
    pub(super) fn distress(&self) -> Option<Distress<'_>> {
        let all = self.0.iter().filter_map(|(service, of)| {
            let kills = of.seen.iter().fold(0_u32, |sum, (_, more)| sum.saturating_add(*more));
            let (last, _) = of.seen.back().filter(|_| kills >= AGAIN)?;
            Some(Distress { service, kills, last: *last })
        });
        all.max_by_key(|distress| distress.kills)
    }
}
