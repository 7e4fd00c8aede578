//! How many instances of a service there are to do its work.
//!
//! An instance counts from when it first answers until it is down. One that fails its health checks counts, too: overload is
//! what the service levels tell of, and an instance that is overloaded is still there and paid for. One that died and comes
//! again is missing meanwhile, although no policy took it away: supply is what users have, whoever brought it about.

use crate::model::InstanceState;
use std::collections::BTreeSet;

/// The instances of one service.
#[derive(Debug, Clone, Default)]
pub(super) struct Supply {
    up: BTreeSet<u32>,
    /// The fewest since it was last asked.
    fewest: usize,
}

impl Supply {
    /// An instance, by its number, went to another state.
    pub(super) fn change(&mut self, instance: u32, to: InstanceState) {
        match to {
            InstanceState::Healthy | InstanceState::Unhealthy => self.up.insert(instance),
            InstanceState::Starting | InstanceState::Down => self.up.remove(&instance),
        };
        self.fewest = self.fewest.min(self.up.len());
    }

    /// The fewest there were since it was asked the last time.
    pub(super) fn fewest(&mut self) -> u32 {
        let fewest = std::mem::replace(&mut self.fewest, self.up.len());
        u32::try_from(fewest).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overloaded_instance_is_there_and_a_starting_one_is_not() {
        let mut supply = Supply::default();
        let mut after = |changes: &[(u32, InstanceState)]| {
            changes.iter().for_each(|(instance, to)| supply.change(*instance, *to));
            supply.fewest()
        };
        assert_eq!(
            after(&[(1, InstanceState::Healthy), (2, InstanceState::Healthy)]),
            0,
            "they came within the sample"
        );
        assert_eq!(after(&[]), 2);
        assert_eq!(after(&[(3, InstanceState::Starting), (2, InstanceState::Unhealthy)]), 2);
        assert_eq!(after(&[(3, InstanceState::Healthy)]), 2);
        assert_eq!(after(&[(1, InstanceState::Down), (1, InstanceState::Starting), (1, InstanceState::Healthy)]), 2);
        assert_eq!(after(&[]), 3);
    }
}
