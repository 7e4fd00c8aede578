//! How many instances of a service there are to do its work, from change to change.
//!
//! An instance counts from when it first answers until it is down. One that fails its health checks counts, too: overload is
//! what the service levels tell of, and an instance that is overloaded is still there and paid for. One that died and comes
//! again is missing meanwhile, although no policy took it away: supply is what users have, whoever brought it about.

use crate::model::InstanceState;
use crate::units::Instant;
use crate::units::Span;
use std::collections::BTreeSet;

/// The instances of one service.
#[derive(Debug, Clone, Default)]
pub(super) struct Supply {
    up: BTreeSet<u32>,
    /// How many there were when it was last asked.
    before: u32,
    /// When the number changed since, and to what.
    changes: Vec<(Instant, u32)>,
}

impl Supply {
    /// An instance, by its number, went to another state.
    pub(super) fn change(&mut self, at: Instant, instance: u32, to: InstanceState) {
        let is_other = match to {
            InstanceState::Healthy | InstanceState::Unhealthy => self.up.insert(instance),
            InstanceState::Starting | InstanceState::Down => self.up.remove(&instance),
        };
        if is_other {
            self.changes.push((at, u32::try_from(self.up.len()).unwrap_or(u32::MAX)));
        }
    }

    /// How many there were for how long, from one time to another, which is not before any change so far. It is asked from
    /// where it was asked up to before.
    pub(super) fn between(&mut self, from: Instant, to: Instant) -> Vec<(u32, Span)> {
        let (mut stretches, mut begin) = (Vec::new(), from);
        for (at, next) in self.changes.drain(..) {
            let at = at.max(begin).min(to);
            if at > begin {
                stretches.push((self.before, at.since(begin)));
            }
            (self.before, begin) = (next, at);
        }
        if to > begin {
            stretches.push((self.before, to.since(begin)));
        }
        stretches
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use InstanceState::Down;
    use InstanceState::Healthy;
    use InstanceState::Starting;
    use InstanceState::Unhealthy;

    #[test]
    fn an_overloaded_instance_is_there_and_a_starting_one_is_not() {
        let mut supply = Supply::default();
        let time = |seconds: u64| Instant::after_start(Span::from_secs(seconds));
        let mut minute = |end: u64, changes: &[(u64, u32, InstanceState)]| {
            changes.iter().for_each(|(at, instance, to)| supply.change(time(*at), *instance, *to));
            let stretches = supply.between(time(end - 60), time(end));
            stretches.into_iter().map(|(count, span)| (count, span.nanos() / 1_000_000_000)).collect::<Vec<_>>()
        };
        assert_eq!(minute(60, &[(20, 1, Healthy), (20, 2, Healthy)]), [(0, 20), (2, 40)], "both came at once");
        assert_eq!(minute(120, &[]), [(2, 60)]);
        assert_eq!(minute(180, &[(130, 3, Starting), (140, 2, Unhealthy), (150, 2, Healthy)]), [(2, 60)]);
        assert_eq!(minute(240, &[(210, 3, Healthy)]), [(2, 30), (3, 30)]);
        assert_eq!(minute(300, &[(250, 1, Down), (251, 1, Starting), (256, 1, Healthy)]), [(3, 10), (2, 6), (3, 44)]);
        assert_eq!(minute(360, &[(360, 3, Down)]), [(3, 60)], "it is gone from then on");
        assert_eq!(minute(420, &[]), [(2, 60)]);
    }
}
