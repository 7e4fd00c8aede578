//! Policies of the field, true to their originals (register E7): what other autoscalers would do with the same figures.
//! Before you change it:
//! 1. Each is a port: where it looks odd, so does the original. Its own files name the source and its version.
//! 2. They know nothing of hosts, services or guards: plain numbers and times in, plain numbers and reasons out. What
//!    drives them from observations lives beside them in the engine, and the guards hold for them as for every policy.
//! 3. Floating point is allowed here, since the originals use it; functions come from `libm`, and what leaves is whole
//!    numbers, with the rounding stated.

pub mod autopilot;
pub mod hpa;
pub mod keda;
pub mod kpa;
pub mod krr;
pub mod nomad;
pub mod step_scaling;
pub mod target_tracking;
pub mod vpa;
