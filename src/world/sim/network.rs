//! A bad network: every trip between containers, and from outside and back, takes longer, and packets are lost. Before you
//! change it:
//! 1. A request is one packet, and so is its answer; each of both trips is delayed, and may be lost, by itself.
//! 2. A lost packet is sent again as Linux does it: after 200 ms (`TCP_RTO_MIN`), after twice as long each further time, at
//!    most 120 s (`TCP_RTO_MAX`), for 16 waits (`tcp_retries2` is 15), 924.6 s in all. Whoever has a timeout gives up
//!    before that. That the first wait also grows with the round trip is left out.
//! 3. A network without faults is number 0, and costs nothing.

use super::World;
use super::stages::mixed;
use super::times::Library;
use super::times::Times;
use crate::model::Fault;
use crate::model::FaultKind;
use crate::model::Scenario;

/// Seconds until a lost packet is sent again for the first time.
const FIRST: f64 = 0.2;
/// Seconds that pass at most before it is sent again.
const LONGEST: f64 = 120.0;
/// So often it is waited for.
const WAITS: i32 = 16;
/// Shares of packets below this are left out.
const NOTHING: f64 = 1e-9;

/// How bad the network is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Network {
    /// Seconds that each trip takes longer.
    pub(super) delay: f64,
    /// Share of packets that are lost.
    pub(super) lost: f64,
}

/// Whether a scenario has a fault of the network.
pub(super) fn is_ever_bad(scenario: &Scenario) -> bool {
    let network = |fault: &Fault| matches!(fault.kind, FaultKind::NetworkDelay(_) | FaultKind::NetworkLoss(_));
    scenario.faults.iter().any(network)
}

impl Network {
    /// The chance that a packet is lost at least so often for the first few numbers, and how long it is waited for then,
    /// after those before.
    fn losses(self) -> impl Iterator<Item = (f64, f64)> {
        let waits = (0..WAITS).map(|number| (FIRST * libm::exp2(f64::from(number))).min(LONGEST));
        let chance = move |number: i32| libm::pow(self.lost, f64::from(number));
        (1..).map(chance).zip(waits).take_while(|(chance, _)| *chance >= NOTHING)
    }

    /// Seconds that a request and its answer take longer on average.
    pub(super) fn mean(self) -> f64 {
        2.0 * (self.delay + self.losses().map(|(chance, wait)| chance * wait).sum::<f64>())
    }

    /// How much longer a request and its answer take.
    fn times(self) -> Times {
        let mut trips = vec![(1.0, 0.0)];
        for (chance, wait) in self.losses() {
            let (before, waited) = trips.last().copied().unwrap_or_default();
            if let Some(last) = trips.last_mut() {
                last.0 = before - chance;
            }
            trips.push((chance, waited + wait));
        }
        let trips: Vec<_> = trips.into_iter().map(|(share, waited)| (share, Times::point(waited))).collect();
        let one = mixed(&trips);
        one.plus(&one).plus(&Times::point(2.0 * self.delay))
    }
}

impl Library {
    /// The number of a network, and the seconds that a request and its answer take longer on average.
    fn network(&mut self, network: Network) -> (usize, f64) {
        let known = self.networks.iter().position(|(known, _)| *known == network);
        let number = known.unwrap_or_else(|| {
            let times = network.times();
            self.networks.push((network, times));
            self.networks.len() - 1
        });
        (number, network.mean())
    }

    /// By how much longer requests and answers take on a network.
    pub(super) fn trips(&self, network: usize) -> &Times {
        &self.networks[network].1
    }
}

impl World {
    /// Brings about what the faults that are on make of the network.
    pub(super) fn fit_network(&mut self) {
        let (number, mean) = self.library.network(self.conditions.network);
        if number == self.network.0 {
            return;
        }
        self.network = (number, mean);
        for service in self.services.iter_mut().filter(|service| service.from_outside) {
            service.trips = (number, mean);
        }
        self.moving = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet that is lost `k` times, with a chance of `pᵏ (1 − p)`, comes `2ᵏ − 1` first waits later.
    #[test]
    fn lost_packets_wait_twice_as_long_each_time() {
        for lost in [0.001, 0.02, 0.2] {
            let network = Network { delay: 0.0, lost };
            let mean: f64 = (0..40)
                .map(|k| libm::pow(lost, f64::from(k)) * (1.0 - lost) * 0.2 * (libm::exp2(f64::from(k)) - 1.0))
                .sum();
            assert!((network.mean() / (2.0 * mean) - 1.0).abs() < 1e-3, "{} for {mean}", network.mean());
            let times = network.times();
            assert!((times.mean() / network.mean() - 1.0).abs() < 0.01, "{} for {}", times.mean(), network.mean());
            let within = |seconds| 1.0 - super::super::requests::above(times.first(), times.shares(), seconds);
            let (none, once) = ((1.0 - lost) * (1.0 - lost), 2.0 * (1.0 - lost) * (1.0 - lost) * lost);
            assert!((within(0.15) - none).abs() < 1e-3, "{} for {none}", within(0.15));
            assert!((within(0.3) - none - once).abs() < 2e-3, "{} for {}", within(0.3), none + once);
        }
    }

    /// The documentation of Linux: `tcp_retries2`, "the default value of 15 yields a hypothetical timeout of 924.6 seconds".
    #[test]
    fn a_packet_is_given_up_after_as_long_as_linux_says() {
        let network = Network { delay: 0.0, lost: 0.999_999 };
        assert!((network.losses().map(|loss| loss.1).sum::<f64>() - 924.6).abs() < 1e-9);
        assert!((network.mean() / 2.0 - 924.6).abs() < 0.02);
    }
}
