//! Faults of the network, as a scenario writes them, and what is said where nothing is known of it.
//!
//! Before you change it: what a delay and a loss do is in `world::sim::network`, what a bandwidth does in `world::sim::line`.

use super::codes;
use super::faults::FaultFile;
use super::faults::Reader;
use crate::input::problem::Problem;
use crate::input::problem::Problems;
use crate::input::schema;
use crate::input::schema::quantity::Duration;
use crate::input::schema::quantity::Percent;
use crate::input::yaml::Node;
use crate::model::FaultKind;
use crate::model::Scenario;
use crate::model::ServiceName;
use crate::units::Bytes;
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

/// What is left of a line to the outside that is slower.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowNetworkFile {
    /// Share of its bandwidth that is left, in each direction.
    pub bandwidth: Percent,
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
        if let Some(slow) = file.slow_network {
            let some = slow.bandwidth.0 > Permille::ZERO && slow.bandwidth.0 < Permille::ONE;
            if !some {
                let message = format!("a network with {} of its bandwidth is not slower", slow.bandwidth.0);
                let help = "write more than 0% and less than 100%, such as `bandwidth: 30%`";
                self.wrong("/slow_network/bandwidth", &message, help);
            }
            kinds.push(some.then_some(FaultKind::SlowNetwork(slow.bandwidth.0)));
        }
        kinds
    }
}

/// Says so where services send something from outside over a line of which nothing is known, and where a fault of the line
/// changes nothing.
pub(super) fn warn_of_unknown_line(scenario: &Scenario, node: &Node, problems: &mut Problems) {
    let sends = |name: &&ServiceName| {
        scenario.services.get(*name).is_some_and(|model| model.work.request.max(model.work.answer) > Bytes::ZERO)
    };
    let senders: Vec<String> = scenario.load.keys().filter(sends).map(|name| format!("`{name}`")).collect();
    if scenario.host.line().is_none() && !senders.is_empty() {
        let message = format!(
            "nothing is known of the network of `{}`; sending requests and answers of {} takes no time",
            scenario.host.name,
            senders.join(", ")
        );
        let problem = Problem::warning(&codes::ASSUMED, message).at(&schema::place_of(node, "/host"));
        problems.push(problem.help(
            "add to its profile how fast it is, in Mbit/s in each direction: `hardware: { network_mbit: 1000 }`",
        ));
    }
    let slow = scenario.faults.iter().find(|fault| matches!(fault.kind, FaultKind::SlowNetwork(_)));
    if let Some(fault) = slow.filter(|_| scenario.host.line().is_none() || senders.is_empty()) {
        let at = fault.at.since_start();
        let problem = Problem::warning(&codes::FAULT, format!("the slower network at {at} changes nothing"));
        let problem = problem.at(&schema::place_of(node, "/faults"));
        problems.push(problem.help(
            "say how large answers are, `services: { NAME: { work: { answer: 2m } } }`, and in the profile of the host how fast its network is",
        ));
    }
}
