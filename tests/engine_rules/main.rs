//! What an operator may rely on: stories, properties over arbitrary observations, and a broken decision for every rule
//! that the audit must notice.

mod allocation;
mod arbitrary;
mod audit;
mod guards;
mod properties;
mod rollout;
mod rollout_audit;
mod rounding;
mod sized;
mod stage;
mod stories;
