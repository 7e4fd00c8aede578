//! What an operator may rely on: stories, properties over arbitrary observations, and a broken decision for every rule
//! that the audit must notice.

mod allocation;
mod arbitrary;
mod audit;
mod closed_loop;
mod crowds;
mod custom;
mod guards;
mod horizontal;
mod manual;
mod numbers;
mod properties;
mod rollout;
mod rollout_audit;
mod rounding;
mod scaling_audit;
mod sized;
mod stage;
mod stories;
mod together;
