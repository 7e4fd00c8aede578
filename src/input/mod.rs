//! Files to nouns: Compose, scenarios, profiles, catalog, policies, traces. All errors of a file come at once, each with
//! its place and a way out.

pub mod compose;
pub mod expression;
pub mod problem;
pub mod scenario;
pub mod yaml;
