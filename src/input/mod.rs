//! Files to nouns: Compose, scenarios, profiles, catalog, policies, traces. All errors of a file come at once, each with
//! its place and a way out.

pub mod catalog;
pub mod compose;
pub mod expression;
pub mod kind;
pub mod monthly;
pub mod offers;
pub mod policy;
pub mod policy_test;
pub mod problem;
pub mod profile;
pub mod project;
pub mod scenario;
pub mod schema;
pub mod schemas;
mod shelf;
pub mod sweep;
pub mod trace;
mod upwards;
pub mod yaml;
