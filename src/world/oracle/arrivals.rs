//! When requests come from outside: a Poisson process whose rate is constant or a row of levels.

use super::draw;
use crate::model::Load;
use crate::model::Pattern;
use crate::model::ServiceName;
use rand_pcg::Pcg64;

/// A load that the oracle cannot draw exactly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the load on `{service}` is neither constant nor a row of steps nor clients")]
pub struct Unsupported {
    /// The service it reaches.
    pub service: ServiceName,
}

/// The arrivals of one service.
#[derive(Debug)]
pub(super) struct Arrivals {
    random: Pcg64,
    /// From when, and how many a second.
    levels: Vec<(f64, f64)>,
    /// When the next request comes; never where it is infinite.
    pub(super) next: f64,
}

impl Arrivals {
    pub(super) fn new(service: &ServiceName, load: Option<&Load>, random: Pcg64) -> Result<Self, Unsupported> {
        let levels = match load.map(|load| &load.pattern) {
            // Clients who wait for answers come otherwise.
            None | Some(Pattern::Clients { .. }) => Vec::new(),
            Some(Pattern::Constant { rate }) => vec![(0.0, rate.as_per_second())],
            Some(Pattern::Steps(levels)) => {
                levels.iter().map(|(from, rate)| (from.as_secs(), rate.as_per_second())).collect()
            }
            Some(_) => return Err(Unsupported { service: service.clone() }),
        };
        let mut arrivals = Self { random, levels, next: 0.0 };
        arrivals.draw();
        Ok(arrivals)
    }

    /// Draws the next arrival. A Poisson process has no memory, so at each change of the rate it is drawn anew.
    pub(super) fn draw(&mut self) {
        loop {
            let after = self.levels.iter().position(|level| level.0 > self.next).unwrap_or(self.levels.len());
            let rate = after.checked_sub(1).map_or(0.0, |place| self.levels[place].1);
            let change = self.levels.get(after).map_or(f64::INFINITY, |level| level.0);
            if rate > 0.0 {
                self.next += draw::exponential(&mut self.random) / rate;
            } else {
                self.next = f64::INFINITY;
            }
            if self.next <= change {
                return;
            }
            self.next = change;
        }
    }
}
