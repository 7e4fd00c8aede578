//! Clients who wait for an answer before they send the next request: a closed loop.

use super::Oracle;
use super::draw;
use super::timers::Due;
use crate::model::Load;
use crate::model::Pattern;
use rand_pcg::Pcg64;

/// The clients of one service.
#[derive(Debug)]
pub(super) struct Clients {
    random: Pcg64,
    /// From when, and how many.
    levels: Vec<(f64, u32)>,
    /// The next of these.
    next: usize,
    wanted: u32,
    present: u32,
    /// Mean seconds from an answer to the next request.
    think: f64,
}

impl Clients {
    pub(super) fn new(load: Option<&Load>, random: Pcg64) -> Option<Self> {
        let Some(Pattern::Clients { clients, think }) = load.map(|load| &load.pattern) else { return None };
        let levels = clients.iter().map(|(from, count)| (from.as_secs(), *count)).collect();
        Some(Self { random, levels, next: 0, wanted: 0, present: 0, think: think.as_secs() })
    }

    /// When their number changes next.
    pub(super) fn next_change(&self) -> Option<f64> {
        self.levels.get(self.next).map(|level| level.0)
    }
}

impl Oracle {
    /// The number of clients changes: new ones begin to think, those too many leave when they have thought.
    pub(super) fn change_clients(&mut self, service: usize) {
        let Some(clients) = &mut self.services[service].clients else { return };
        clients.wanted = clients.levels.get(clients.next).map_or(0, |level| level.1);
        clients.next += 1;
        let new = clients.wanted.saturating_sub(clients.present);
        clients.present += new;
        if let Some(at) = clients.next_change() {
            self.timers.set(at, Due::Clients(service));
        }
        (0..new).for_each(|_| self.think(service, 0.0));
    }

    /// A client thinks, after so many seconds in which its answer is on the way.
    pub(super) fn think(&mut self, service: usize, after: f64) {
        if let Some(clients) = &mut self.services[service].clients {
            let until = self.now + after + draw::exponential(&mut clients.random) * clients.think;
            self.timers.set(until, Due::Client(service));
        }
    }

    /// A client sends its next request, or leaves.
    pub(super) fn client_comes(&mut self, service: usize) {
        let Some(clients) = &mut self.services[service].clients else { return };
        if clients.present > clients.wanted {
            clients.present -= 1;
        } else {
            self.arrive(service, None, true);
        }
    }
}
