//! Steal that comes in bursts, as other guests of the machine work. Before you change it:
//! 1. Gaps and bursts have exponential lengths, drawn from a stream of their own; the run begins in a burst as often as
//!    any moment is in one, so that the mean holds from the start.
//! 2. Between bursts so much is stolen that over a long time it is the mean of the profile.

use super::World;
use super::instance::NEVER;
use super::traffic::uniform;
use crate::model::Fault;
use crate::model::FaultKind;
use crate::model::Host;
use crate::model::Scenario;
use crate::seed::Seed;
use crate::units::Instant;
use crate::units::Permille;
use crate::units::Span;
use crate::units::whole;
use rand_pcg::Pcg64;

/// Whether other guests do not always take the same.
pub(super) fn varies(scenario: &Scenario) -> bool {
    let burst = |fault: &Fault| matches!(fault.kind, FaultKind::StealBurst(_));
    scenario.host.steal_bursts.is_some() || scenario.faults.iter().any(burst)
}

/// The share of time that is stolen, as it varies.
pub(super) struct Steal {
    random: Pcg64,
    /// Shares between bursts and in them.
    levels: (f64, f64),
    /// Mean lengths of a gap and of a burst, in seconds.
    lengths: (f64, f64),
    bursting: bool,
    until: Instant,
}

impl Steal {
    /// Nothing where steal is always the same.
    pub(super) fn of(host: &Host, seed: Seed) -> Option<Self> {
        let bursts = host.steal_bursts?;
        let mut random = seed.stream("steal");
        let (every, lasts) = (bursts.every.as_secs(), bursts.lasts.as_secs());
        let bursting = uniform(&mut random) * every <= lasts;
        let mut steal = Self {
            random,
            levels: (bursts.between(host.steal).max(0.0), bursts.burst.as_fraction()),
            lengths: ((every - lasts).max(0.0), lasts),
            bursting,
            until: Instant::START,
        };
        steal.draw_end();
        Some(steal)
    }

    /// Draws how long the present gap or burst lasts, from its begin at `until` on.
    fn draw_end(&mut self) {
        let mean = if self.bursting { self.lengths.1 } else { self.lengths.0 };
        let length = -libm::log(uniform(&mut self.random)) * mean * 1e9;
        self.until = self.until.plus(Span::from_nanos(whole(length).max(1)));
    }

    /// When it changes next.
    pub(super) const fn due(&self) -> Instant {
        self.until
    }

    /// The share that is stolen at a time; ask at growing times.
    fn at(&mut self, now: Instant) -> f64 {
        while self.until <= now {
            self.bursting = !self.bursting;
            self.draw_end();
        }
        if self.bursting { self.levels.1 } else { self.levels.0 }
    }
}

impl World {
    /// When steal changes next.
    pub(super) fn steal_due(&self) -> Instant {
        self.steal.as_ref().map_or(NEVER, Steal::due)
    }

    /// Follows the steal of the present time.
    pub(super) fn change_steal(&mut self) {
        let share = match &mut self.steal {
            Some(steal) => steal.at(self.now),
            None => self.cores.usual_steal,
        };
        if self.cores.set_steal(share.max(self.conditions.stolen)) {
            self.fit_cores();
        }
    }

    /// The share of time that was stolen since the last sample, where it varies.
    pub(super) fn sample_steal(&mut self, seconds: f64) -> Option<Permille> {
        let stolen = core::mem::take(&mut self.stolen);
        (self.steal_varies && seconds > 0.0).then(|| Permille::new(whole(stolen / seconds * 1000.0)))
    }
}
