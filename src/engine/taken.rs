//! CPU that the engine took from a service, and gives back where the service then dies. Before you change it:
//! 1. With too little CPU requests pile up until their memory is more than the container may hold. It is killed, begins
//!    anew, and is killed again, and what it used between its last scrape and each death is never seen: usage alone would
//!    leave it so for ever. What is known without any scrape is that it died, and that CPU was taken from it before.
//! 2. An OOM kill counts for a day after the last lowering; any other death only while the lowering is on probation, for
//!    the cooldown, since most of those have causes of their own.
//! 3. Where another service is killed again and again, it may be waiting for this one: that counts, too.
//! 4. It gets all of it back at once: the largest limit that it had before the lowerings of the last day. A limit that
//!    somebody else set ends the account.
//! 5. Against flapping: who got CPU back keeps it for a day.

use super::distress::Distress;
use super::vertical::DAY;
use crate::model::Guard;
use crate::model::Reason;
use crate::model::ServiceName;
use crate::units::Instant;
use crate::units::Span;
use std::collections::VecDeque;

/// What was taken from a service, and what came of it. Limits are in millicores.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken {
    /// When the limit was lowered and what it was until then, oldest first; nothing older than a day.
    lowered: VecDeque<(Instant, u64)>,
    /// What the engine set it to last.
    left: Option<u64>,
    /// Deaths since it was lowered last.
    deaths: u32,
    /// The service that died, where it is another.
    of: Option<ServiceName>,
    /// When some of it was given back.
    returned: Option<Instant>,
}

impl Taken {
    /// Takes note of the limit, which may have been another before.
    pub(super) fn look(&mut self, now: Instant, before: Option<u64>, limit: Option<u64>) {
        if limit != before && limit != self.left {
            self.settle();
        }
        while self.lowered.front().is_some_and(|(at, _)| now.since(*at) >= DAY) {
            self.lowered.pop_front();
        }
        if self.lowered.is_empty() {
            self.deaths = 0;
        }
    }

    /// Takes note of deaths since the last look: OOM kills, and restarts of any kind.
    pub(super) fn died(&mut self, now: Instant, oom_kills: u64, restarts: u64, cooldown: Span) {
        let on_probation = self.lowered.back().is_some_and(|(at, _)| now.since(*at) <= cooldown);
        let deaths = if on_probation { restarts.max(oom_kills) } else { oom_kills };
        if !self.lowered.is_empty() && deaths > 0 {
            self.deaths = self.deaths.saturating_add(u32::try_from(deaths).unwrap_or(u32::MAX));
            self.of = None;
        }
    }

    /// Takes note that a service of the host is killed again and again.
    pub(super) fn blame(&mut self, name: &ServiceName, distress: Option<Distress<'_>>) {
        if let (Some(distress), Some((at, _))) = (distress, self.lowered.back())
            && self.deaths == 0
            && distress.last > *at
            && distress.service != name
        {
            self.deaths = distress.kills;
            self.of = Some(distress.service.clone());
        }
    }

    /// Takes note that the engine changes the limit.
    pub(super) fn note(&mut self, now: Instant, from: u64, to: u64, why: &Reason) {
        self.left = Some(to);
        if to < from {
            self.lowered.push_back((now, from));
            self.deaths = 0;
        } else if to >= self.before() {
            self.settle();
        }
        if matches!(why, Reason::GivenBack { .. }) {
            self.deaths = 0;
            self.returned = Some(now);
        }
    }

    /// What the limit must be again, and why; `None` where nothing is owed.
    pub(super) fn owed(&self, now: Instant, limit: u64) -> Option<(u64, Reason)> {
        let (last, _) = self.lowered.back().filter(|_| self.deaths > 0 && self.before() > limit)?;
        Some((self.before(), Reason::GivenBack { deaths: self.deaths, of: self.of.clone(), after: now.since(*last) }))
    }

    /// Why it may not be lowered now, if it may not.
    pub(super) fn keeps(&self, now: Instant) -> Option<Guard> {
        let since = self.returned.map(|at| now.since(at)).filter(|since| *since < DAY)?;
        Some(Guard::GivenBack { left: DAY.minus(since) })
    }

    /// The largest limit before the lowerings of the last day, zero where there were none.
    fn before(&self) -> u64 {
        self.lowered.iter().map(|(_, from)| *from).max().unwrap_or(0)
    }

    fn settle(&mut self) {
        self.lowered.clear();
        self.deaths = 0;
    }
}
