//! Two generations of a service as their callers see them: one service. Before you change it:
//! 1. Rates are split by the instances that are up, times and failures are the mean of both, and a distribution is the
//!    mixture of both ([`Mix`]).
//! 2. Callers note which mixture held as they note a stretch of a service with one generation: by its number since the last
//!    sample.

use super::World;
use super::service::Service;
use crate::units::whole;

/// Parts of one in which a share is told apart.
const PARTS: f64 = 256.0;

/// What callers see of a service.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Shown {
    pub(super) time: f64,
    pub(super) time_well: f64,
    pub(super) fails_all: f64,
    pub(super) up: bool,
}

/// Requests of a caller that follow the same mixture of two distributions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mix {
    /// The stretches of both groups; `usize::MAX` where nobody is up.
    stretches: [usize; 2],
    /// Share of the second, in 256 parts.
    share: u16,
}

/// The groups that have the traffic of a called service, and which share of it.
pub(super) fn parts(services: &[Service], to: usize) -> [(usize, f64); 2] {
    match &services[to].pair {
        Some(pair) => [(to, 1.0 - pair.to_second), (to + 1, pair.to_second)],
        None => [(to, 1.0), (to, 0.0)],
    }
}

impl Service {
    /// What callers see of it.
    pub(super) fn shown(&self) -> Shown {
        match &self.pair {
            Some(pair) => pair.shown,
            None => Shown { time: self.time, time_well: self.time_well, fails_all: self.fails_all, up: self.up > 0.0 },
        }
    }

    /// The stretch, or the mixture, that callers see now; `usize::MAX` where nobody answers.
    pub(super) fn latest(&self) -> usize {
        match &self.pair {
            Some(pair) if pair.shown.up => pair.mixes.len().wrapping_sub(1),
            None if self.up > 0.0 => self.stretches.len().wrapping_sub(1),
            _ => usize::MAX,
        }
    }

    /// Whether callers see a stretch or a mixture since the last sample.
    pub(super) fn has_begun(&self) -> bool {
        self.pair.as_ref().map_or(!self.stretches.is_empty(), |pair| !pair.mixes.is_empty())
    }
}

impl World {
    /// Splits what comes to services from outside between their generations. A balancer that looks at connections sees
    /// those of the step before.
    pub(super) fn split_offered(&mut self) {
        for place in 0..self.pairs.len() {
            let index = self.pairs[place];
            self.lean(index);
            self.split_own(index);
        }
    }

    fn split_own(&mut self, index: usize) {
        let (first, rest) = self.services.split_at_mut(index + 1);
        let (first, second) = (&mut first[index], &mut rest[0]);
        let Some(pair) = &first.pair else { return };
        let (share, offered) = (pair.to_second, pair.offered);
        if let Some(clients) = &mut first.clients {
            clients.number = offered * (1.0 - share);
            second.clients = Some(*clients);
            if let Some(clients) = &mut second.clients {
                clients.number = offered * share;
            }
            // Where nobody is a client any more, nobody sends.
            if share >= 1.0 {
                first.own_rate = 0.0;
            } else if share <= 0.0 {
                second.own_rate = 0.0;
            }
        } else {
            (first.own_rate, second.own_rate) = (offered * (1.0 - share), offered * share);
        }
    }

    /// Splits the calls of a service between its generations.
    pub(super) fn split_incoming(&mut self, index: usize) {
        let Some(share) = self.services[index].pair.as_ref().map(|pair| pair.to_second) else { return };
        let incoming = self.incoming[index];
        (self.incoming[index], self.incoming[index + 1]) = (incoming * (1.0 - share), incoming * share);
        let callers = self.callers[index];
        (self.callers[index], self.callers[index + 1]) = (callers.part(1.0 - share), callers.part(share));
    }

    /// Splits the calls that are counted between the generations of the called services.
    pub(super) fn split_calls(&mut self) {
        for (service, flow) in self.services.iter().zip(&self.flows) {
            let from = flow.calls.0;
            let mut more = from + service.calls.len();
            for (call, &(to, count)) in service.calls.iter().enumerate() {
                let Some(pair) = &self.services[to].pair else { continue };
                let made = service.links.get(call).map_or(f64::from(count), |link| link.made);
                self.calls[from + call].1 = made * (1.0 - pair.to_second);
                self.calls[more].1 = made * pair.to_second;
                more += 1;
            }
        }
    }

    /// Puts together what callers see of both groups of a service, whose times are known already.
    pub(super) fn show_both(&mut self, index: usize) {
        let (first, rest) = self.services.split_at_mut(index + 1);
        let (first, second) = (&mut first[index], &rest[0]);
        let up = [first.up > 0.0, second.up > 0.0];
        let latest =
            |service: &Service, up: bool| if up { service.stretches.len().wrapping_sub(1) } else { usize::MAX };
        let stretches = [latest(first, up[0]), latest(second, up[1])];
        let own = |service: &Service| [service.time, service.time_well, service.fails_all];
        let (one, other) = (own(first), own(second));
        let Some(pair) = &mut first.pair else { return };
        let share = pair.to_second;
        let mean = |which: usize| match up {
            [true, true] => one[which] * (1.0 - share) + other[which] * share,
            [false, true] => other[which],
            _ => one[which],
        };
        pair.shown = Shown { time: mean(0), time_well: mean(1), fails_all: mean(2), up: up[0] || up[1] };
        let part = if up == [true, true] { u16::try_from(whole(share * PARTS)).unwrap_or(0) } else { 0 };
        let mix = Mix { stretches, share: part };
        let changed = !pair.shown.up || pair.mixes.last() != Some(&mix);
        if changed {
            pair.mixes.push(mix);
        }
        self.stretch_changed[index] = changed;
    }

    /// The number of the distribution that callers of a service saw.
    pub(super) fn number_shown(&mut self, index: usize, called: usize) -> usize {
        let Some(pair) = &self.services[index].pair else { return self.number(index, called) };
        let Mix { stretches: [first, second], share } = pair.mixes[called];
        match (first, second) {
            (usize::MAX, second) => self.number(index + 1, second),
            (first, usize::MAX) => self.number(index, first),
            (first, second) => {
                let (one, other) = (self.number(index, first), self.number(index + 1, second));
                self.library.mixture(one, other, (share, f64::from(share) / PARTS))
            }
        }
    }

    /// The same now, and how much longer times are than that, as [`Self::seen`] has it for a service with one generation.
    pub(super) fn seen_by_callers(&mut self, index: usize, latest: usize) -> (usize, f64) {
        let mix = self.services[index].pair.as_ref().map(|pair| pair.mixes[latest].stretches);
        match mix {
            None | Some([_, usize::MAX]) => self.seen(index),
            Some([usize::MAX, _]) => self.seen(index + 1),
            Some(_) => (self.number_shown(index, latest), 1.0),
        }
    }

    /// Begins to note mixtures anew, with the one that holds now, after the stretches were.
    pub(super) fn begin_mixes(&mut self) {
        for place in 0..self.pairs.len() {
            let index = self.pairs[place];
            let first = |service: &Service| if service.stretches.is_empty() { usize::MAX } else { 0 };
            let stretches = [first(&self.services[index]), first(&self.services[index + 1])];
            let Some(pair) = &mut self.services[index].pair else { continue };
            let share = pair.mixes.last().map_or(0, |mix| mix.share);
            pair.mixes.clear();
            if stretches != [usize::MAX; 2] {
                pair.mixes.push(Mix { stretches, share });
            }
        }
    }
}
