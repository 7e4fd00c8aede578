//! Faults of the network, as a scenario writes them.
//!
//! Before you change it: what a delay and a loss do is in `world::sim::network`.

use super::faults::FaultFile;
use super::faults::Reader;
use crate::input::schema::quantity::Duration;
use crate::input::schema::quantity::Percent;
use crate::model::FaultKind;
use crate::units::Permille;
use crate::units::Span;
use schemars::JsonSchema;
use serde::Deserialize;

/// A network that takes longer.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkDelayFile {
    /// By how much one way; a request and its answer take twice as much.
    pub latency: Duration,
}

/// A network that loses packets.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkLossFile {
    /// So many of them. A request and an answer are one packet each; TCP sends a lost one again after 200 ms, and after
    /// twice as long each further time.
    pub loss: Percent,
}

impl Reader<'_> {
    /// The kinds of these that a fault has; `None` for one that is wrong, which is reported.
    pub(super) fn network(&mut self, file: &FaultFile) -> Vec<Option<FaultKind>> {
        let mut kinds = Vec::new();
        if let Some(delay) = file.network_delay {
            let some = delay.latency.0 > Span::ZERO;
            if !some {
                let help = "write how much later packets come, such as `latency: 50ms`";
                self.wrong("/network_delay/latency", "a delay of nothing changes nothing", help);
            }
            kinds.push(some.then_some(FaultKind::NetworkDelay(delay.latency.0)));
        }
        if let Some(loss) = file.network_loss {
            let some = loss.loss.0 > Permille::ZERO && loss.loss.0 < Permille::ONE;
            if !some {
                let message = format!("a network that loses {} of its packets is none with a loss", loss.loss.0);
                self.wrong("/network_loss/loss", &message, "write more than 0% and less than 100%, such as `loss: 2%`");
            }
            kinds.push(some.then_some(FaultKind::NetworkLoss(loss.loss.0)));
        }
        kinds
    }
}
