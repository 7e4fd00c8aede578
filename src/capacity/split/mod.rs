//! The services of a stack on several hosts: which service on which, so that all fits, nothing that belongs together is
//! parted, and few calls go from one machine to another.
//!
//! Before you change it:
//! 1. What is searched for, in this order: no host fuller than [`FULL`] of its pool, else than all of it; of those
//!    assignments the one with the fewest calls per second between hosts; of those the one whose fullest host is least full.
//! 2. The search is exact: branch and bound over groups of services, begun with what a heuristic found. It stops after
//!    two million steps, a number and not a time, so that it gives the same anywhere; then what was found may not be the best,
//!    and [`Assignment::proved`] says so.
//! 3. An assignment is only added up from demands; what it carries is found by simulating it ([`combined`]).

mod atoms;
mod combined;
mod demand;
mod rules;
mod search;
#[cfg(test)]
mod tests;

pub use combined::Combined;
pub use combined::NotTogether;
pub use combined::PerHost;
pub use combined::combined;
pub use demand::Demand;
pub use demand::Gathering;
pub use demand::Need;
pub use demand::Way;
pub use rules::Rules;
pub use search::assign;

use crate::model::Amount;
use crate::model::ServiceName;
use crate::units::Permille;
use crate::units::Rate;
use std::collections::BTreeMap;

/// How full a host may be planned: the CPU share from which the register says that there is too little (M5).
pub const FULL: Permille = Permille::percent(80);

/// What a host has for containers.
pub type Room = Amount;

/// Which service runs on which host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The host of each service, by its place in the list.
    pub host_of: BTreeMap<ServiceName, usize>,
    /// Calls from one host to another.
    pub crossing: Rate,
    /// Of the fullest host, the larger share of its CPU and memory that is used.
    pub fullest: Permille,
    /// No other assignment has fewer calls between hosts, or as few and a less full host.
    pub proved: bool,
}

/// Why there is no assignment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// Services that belong together need more than any host has.
    #[error("{} together need {cpu} CPUs and {} MiB, more than any of the hosts has", names(.services), .memory >> 20)]
    TooLarge {
        /// They.
        services: Vec<ServiceName>,
        /// Millicores.
        cpu: crate::units::Millicores,
        /// Bytes.
        memory: u64,
    },
    /// Two services that must be apart belong together.
    #[error("`{0}` and `{1}` must be on different hosts, and belong together")]
    Torn(ServiceName, ServiceName),
    /// All together do not fit.
    #[error("the services do not fit on these hosts")]
    NoRoom,
}

fn names(services: &[ServiceName]) -> String {
    services.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
