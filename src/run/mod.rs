//! The joint: decide, audit, write down; and the loops around it. Before you change it:
//! 1. `step` is the only place where a decision is made. A loop moves time, asks the world, steps, and applies.
//! 2. A decision is audited and written down before anything is applied. One that fails the audit is never applied.
//! 3. Nothing is kept: what happens goes to the sink, event by event, and is gone.

pub mod compare;
pub mod control;
pub mod policy_test;
pub mod replay;
mod rollouts;
pub mod simulate;
mod step;
pub mod swarm;

pub use step::step;
